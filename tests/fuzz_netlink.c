// SPDX-License-Identifier: BSD-2-Clause
/*
 * The parsers of netlink/tcmsg.h over arbitrary bytes, as one message in a heap
 * block of exactly its size.  A length that does not fit becomes the size of
 * the input, and the input is tried as each type of message, so that no run is
 * wasted.  Asserted: strings of an accepted message end inside their fields and
 * inside the message, an error is an errno, and what is refused is not written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "netlink/tcmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition)
{
	if (!condition)
		abort();
}

static void qdisc(const struct nlmsghdr *nlh)
{
	struct tc_qdisc q, before;

	memset(&q, 0x5a, sizeof(q));
	before = q;
	if (tcmsg_parse_qdisc(nlh, &q) == 0)
		expect(strnlen(q.kind, sizeof(q.kind)) < sizeof(q.kind));
	else
		expect(!memcmp(&q, &before, sizeof(q)));
}

static void filter(const struct nlmsghdr *nlh)
{
	struct tc_filter f, before;

	memset(&f, 0x5a, sizeof(f));
	before = f;
	if (tcmsg_parse_filter(nlh, &f) == 0) {
		expect(strnlen(f.kind, sizeof(f.kind)) < sizeof(f.kind));
		expect(strnlen(f.name, sizeof(f.name)) < sizeof(f.name));
		expect(f.fd == -1);
		expect(!strcmp(f.kind, "bpf") || (!f.id && !f.has_tag && !f.name[0]));
	} else {
		expect(!memcmp(&f, &before, sizeof(f)));
	}
}

static void error(const struct nlmsghdr *nlh)
{
	const char *start = (const char *)nlh, *text = start;
	uint32_t offset = 1;
	int number = -1;

	if (tcmsg_parse_error(nlh, &number, &text, &offset) == 0) {
		expect(number >= 0 && number <= 4095);
		expect(!text || (text > start && text + strlen(text) < start + nlh->nlmsg_len));
	} else {
		expect(number == -1 && text == start && offset == 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = { RTM_NEWQDISC, RTM_NEWTFILTER, NLMSG_ERROR, NLMSG_DONE };
	struct nlmsghdr *nlh;

	if (size < sizeof(*nlh))
		return 0;
	nlh = malloc(size);
	expect(nlh != NULL);
	memcpy(nlh, data, size);
	if (nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > size)
		nlh->nlmsg_len = (uint32_t)size;
	for (size_t i = 0; i <= sizeof(types) / sizeof(types[0]); i++) {
		qdisc(nlh);
		filter(nlh);
		error(nlh);
		if (i < sizeof(types) / sizeof(types[0]))
			nlh->nlmsg_type = types[i];
	}
	free(nlh);
	return 0;
}
