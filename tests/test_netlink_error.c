// SPDX-License-Identifier: BSD-2-Clause
/*
 * tcmsg_parse_error() of netlink/tcmsg.h: NLMSG_ERROR and NLMSG_DONE as kernels
 * with and without capped and extended acknowledgements send them, each cut
 * after every byte, and with numbers, lengths and words that no kernel sends.
 * Every message is parsed in a heap block of exactly its size, so that a
 * sanitizer sees a byte read too many, and a refused message must leave the
 * outputs as they were.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "netlink/tcmsg.h"

Suite *suite_netlink_error(void);

static uint32_t buffer[TCMSG_BUFFER / 4];

/* What is not written shows. */
static void *dirty(void)
{
	return memset(buffer, 0xaa, sizeof(buffer));
}

/* An error message with a request of 20 bytes, of which capped ones repeat the header only. */
static struct nlmsghdr *error_answer(uint16_t flags, int number)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(dirty());
	struct nlmsgerr *e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e) + (flags & NLM_F_CAPPED ? 0 : 20));

	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_flags = flags;
	e->error = number;
	e->msg.nlmsg_len = sizeof(e->msg) + 20;
	return nlh;
}

static void put_words(struct nlmsghdr *nlh)
{
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "no");
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, 36);
	mnl_attr_put(nlh, NLMSGERR_ATTR_COOKIE, 3, "abc");
}

struct parsed {
	int status, error;
	uint32_t offset;
	bool has_text;
	char text[16];
};

static struct parsed parse_error(const struct nlmsghdr *nlh)
{
	struct nlmsghdr *copy = malloc(nlh->nlmsg_len);
	struct parsed p = { .error = 1234, .offset = 1234 };
	const char *text = "before";

	memcpy(copy, nlh, nlh->nlmsg_len);
	p.status = tcmsg_parse_error(copy, &p.error, &text, &p.offset);
	p.has_text = text;
	snprintf(p.text, sizeof(p.text), "%s", text ? text : "");
	free(copy);
	if (p.status) {
		ck_assert_int_eq(p.error, 1234);
		ck_assert_uint_eq(p.offset, 1234);
		ck_assert_str_eq(p.text, "before");
	}
	return p;
}

START_TEST(error_with_words)
{
	struct nlmsghdr *nlh = error_answer(NLM_F_ACK_TLVS | (_i ? NLM_F_CAPPED : 0), -EEXIST);
	struct parsed p;

	put_words(nlh);
	p = parse_error(nlh);
	ck_assert_int_eq(p.status, 0);
	ck_assert_int_eq(p.error, EEXIST);
	ck_assert_str_eq(p.text, "no");
	ck_assert_uint_eq(p.offset, 36);
}
END_TEST

START_TEST(error_without_words)
{
	struct parsed p = parse_error(error_answer(_i ? NLM_F_CAPPED : 0, -EPERM));

	ck_assert_int_eq(p.status, 0);
	ck_assert_int_eq(p.error, EPERM);
	ck_assert(!p.has_text);
	ck_assert_uint_eq(p.offset, 0);
}
END_TEST

/* Also where nothing behind the request is to be read, the request must be there. */
START_TEST(error_without_words_cut)
{
	struct nlmsghdr *nlh = error_answer(0, -EPERM);

	ck_assert_uint_eq(nlh->nlmsg_len, 56);
	for (uint32_t n = sizeof(*nlh); n <= 56; n++) {
		nlh->nlmsg_len = n;
		ck_assert_msg((parse_error(nlh).status == 0) == (n == 56), "%u bytes", n);
	}
}
END_TEST

/* Without NLM_F_ACK_TLVS, whatever follows is not read. */
START_TEST(error_words_need_their_flag)
{
	struct nlmsghdr *nlh = error_answer(_i ? NLM_F_CAPPED : 0, -EPERM);

	put_words(nlh);
	ck_assert(!parse_error(nlh).has_text);
}
END_TEST

/* Kernels that know no capping acknowledge with the bare header, unmarked. */
START_TEST(acknowledgement)
{
	struct nlmsghdr *nlh = error_answer(NLM_F_CAPPED, 0);
	struct parsed p = parse_error(nlh);

	ck_assert_int_eq(p.status, 0);
	ck_assert_int_eq(p.error, 0);
	ck_assert(!p.has_text);
	nlh->nlmsg_flags = 0;
	ck_assert_int_eq(parse_error(nlh).error, 0);
	nlh = error_answer(NLM_F_CAPPED | NLM_F_ACK_TLVS, 0);
	put_words(nlh);
	p = parse_error(nlh);
	ck_assert_int_eq(p.error, 0);
	ck_assert_str_eq(p.text, "no");
}
END_TEST

/* Header 16, number and request's header 20, the request's rest 20 unless capped; attributes 8, 8, 7. */
START_TEST(error_cut)
{
	uint16_t flags = NLM_F_ACK_TLVS | (_i ? NLM_F_CAPPED : 0);
	struct nlmsghdr *nlh = error_answer(flags, -EINVAL);
	uint32_t head = _i ? 36 : 56;
	bool good;

	put_words(nlh);
	ck_assert_uint_eq(nlh->nlmsg_len, head + 24);
	for (uint32_t n = sizeof(*nlh); n <= head + 24; n++) {
		nlh->nlmsg_len = n;
		good = n == head || n == head + 7 || n == head + 8 || n == head + 16 || n >= head + 23;
		ck_assert_msg((parse_error(nlh).status == 0) == good, "%u bytes", n);
	}
}
END_TEST

static const struct {
	int number, status;
} numbers[] = {
	{ 1, -1 }, { 0, 0 }, { -1, 0 }, { -4095, 0 }, { -4096, -1 }, { INT32_MAX, -1 }, { INT32_MIN, -1 },
};

START_TEST(error_numbers)
{
	struct parsed p = parse_error(error_answer(NLM_F_CAPPED, numbers[_i].number));

	ck_assert_int_eq(p.status, numbers[_i].status);
	ck_assert_int_eq(p.error, p.status ? 1234 : -numbers[_i].number);
}
END_TEST

/*
 * The length of the repeated request is hostile, too.  Behind its header are 20
 * bytes of it (0, which is no attribute) and 24 of attributes; a length that
 * takes in all of those leaves no attributes, and one more is too many.
 */
static const struct {
	uint32_t length;
	int status;
} lengths[] = {
	{ 0, -1 }, { 15, -1 }, { 16, -1 }, { 32, -1 }, { 33, 0 }, { 36, 0 }, { 37, -1 }, { 59, 0 }, { 60, 0 },
	{ 61, -1 }, { 0x7fffffff, -1 }, { UINT32_MAX, -1 },
};

START_TEST(error_request_lengths)
{
	struct nlmsghdr *nlh = error_answer(NLM_F_ACK_TLVS, -EINVAL);
	struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	put_words(nlh);
	e->msg.nlmsg_len = lengths[_i].length;
	ck_assert_int_eq(parse_error(nlh).status, lengths[_i].status);
}
END_TEST

START_TEST(error_bad_words)
{
	struct nlmsghdr *nlh = error_answer(NLM_F_CAPPED | NLM_F_ACK_TLVS, -EINVAL);

	mnl_attr_put(nlh, NLMSGERR_ATTR_MSG, 4, "spam");
	ck_assert_int_eq(parse_error(nlh).status, -1);
	nlh = error_answer(NLM_F_CAPPED | NLM_F_ACK_TLVS, -EINVAL);
	mnl_attr_put(nlh, NLMSGERR_ATTR_MSG, 0, NULL);
	ck_assert_int_eq(parse_error(nlh).status, -1);
	nlh = error_answer(NLM_F_CAPPED | NLM_F_ACK_TLVS, -EINVAL);
	mnl_attr_put_u16(nlh, NLMSGERR_ATTR_OFFS, 1);
	ck_assert_int_eq(parse_error(nlh).status, -1);
	nlh->nlmsg_type = RTM_NEWQDISC;
	ck_assert_int_eq(parse_error(nlh).status, -1);
}
END_TEST

/* A dump may end with an error and words, behind the number and nothing else. */
START_TEST(done)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(dirty());
	int *number = mnl_nlmsg_put_extra_header(nlh, sizeof(*number));
	struct parsed p;

	nlh->nlmsg_type = NLMSG_DONE;
	ck_assert_int_eq(parse_error(nlh).error, 0);
	*number = -EMSGSIZE;
	nlh->nlmsg_flags = NLM_F_ACK_TLVS;
	put_words(nlh);
	p = parse_error(nlh);
	ck_assert_int_eq(p.error, EMSGSIZE);
	ck_assert_str_eq(p.text, "no");
	for (uint32_t n = sizeof(*nlh); n < sizeof(*nlh) + sizeof(*number); n++) {
		nlh->nlmsg_len = n;
		ck_assert_int_eq(parse_error(nlh).status, -1);
	}
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *suite_netlink_error(void)
{
	Suite *s = suite_create("netlink_error");
	TCase *tc = tcase_create("errors");

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, error_with_words, 0, 2);
	tcase_add_loop_test(tc, error_without_words, 0, 2);
	tcase_add_test(tc, error_without_words_cut);
	tcase_add_loop_test(tc, error_words_need_their_flag, 0, 2);
	tcase_add_test(tc, acknowledgement);
	tcase_add_loop_test(tc, error_cut, 0, 2);
	tcase_add_loop_test(tc, error_numbers, 0, COUNT(numbers));
	tcase_add_loop_test(tc, error_request_lengths, 0, COUNT(lengths));
	tcase_add_test(tc, error_bad_words);
	tcase_add_test(tc, done);
	return s;
}

