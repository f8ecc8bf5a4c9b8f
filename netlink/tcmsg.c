// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests are built by libmnl into the caller's buffer, one function a
 * message, and carry what iproute2's would: everything that names the object
 * (parent, prio, protocol, handle) is always there, because whatever is left
 * out the kernel makes up, and a second run would then make a second filter.
 * Sequence number and port stay 0 here; who sends the message sets them.
 *
 * Answers are read in two steps.  attrs_index() walks a run of attributes once,
 * proves that they fill their room exactly, and notes where each type begins;
 * then every field is taken from that table by a function that proves its size
 * first.  Absent attributes leave the field at its default, since old kernels
 * and other classifiers send fewer; an attribute that is there and has the
 * wrong size or no terminator makes the whole message refused, since nothing
 * else in it can be trusted then.  The options of classifiers other than bpf
 * are theirs to lay out and are not looked at.
 *
 * The caller has seen that nlmsg_len bytes are there (mnl_nlmsg_ok does that);
 * nothing here reads past them, and *out is written only on success.
 */
#include <arpa/inet.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "netlink/tcmsg.h"

#define CLSACT_HANDLE TC_H_MAKE(TC_H_CLSACT, 0)
#define ERRNO_MAX 4095	/* as in include/linux/err.h: beyond it a negative number is no error code */

/* All of buf becomes 0 first, since libmnl (1.0.4) leaves the padding of attributes as it was. */
static struct nlmsghdr *request(void *buf, uint16_t type, uint16_t flags, const struct tcmsg *tcm)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(buf, 0, TCMSG_BUFFER));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm)), tcm, sizeof(*tcm));
	return nlh;
}

static struct nlmsghdr *clsact_request(void *buf, uint16_t type, uint16_t flags, int ifindex)
{
	struct tcmsg tcm = { .tcm_ifindex = ifindex, .tcm_handle = CLSACT_HANDLE, .tcm_parent = TC_H_CLSACT };

	return request(buf, type, flags, &tcm);
}

struct nlmsghdr *tcmsg_clsact_new(void *buf, int ifindex)
{
	struct nlmsghdr *nlh = clsact_request(buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex);

	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	return nlh;
}

struct nlmsghdr *tcmsg_clsact_del(void *buf, int ifindex)
{
	struct nlmsghdr *nlh = clsact_request(buf, RTM_DELQDISC, 0, ifindex);

	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	return nlh;
}

/* The kernel answers a GET of a qdisc by its notification, which only NLM_F_ECHO brings to the asker. */
struct nlmsghdr *tcmsg_clsact_get(void *buf, int ifindex)
{
	return clsact_request(buf, RTM_GETQDISC, NLM_F_ECHO, ifindex);
}

struct nlmsghdr *tcmsg_qdisc_dump(void *buf, int ifindex)
{
	struct tcmsg tcm = { .tcm_ifindex = ifindex };

	return request(buf, RTM_GETQDISC, NLM_F_DUMP, &tcm);
}

static struct nlmsghdr *filter_request(void *buf, uint16_t type, uint16_t flags, const struct tc_filter *f)
{
	struct tcmsg tcm = {
		.tcm_ifindex = f->block ? (int)TCM_IFINDEX_MAGIC_BLOCK : f->ifindex,
		.tcm_handle = f->handle,
		.tcm_parent = f->block ? f->block : f->parent,
		.tcm_info = (uint32_t)f->prio << 16 | htons(f->protocol),
	};

	return request(buf, type, flags, &tcm);
}

static void put_chain(struct nlmsghdr *nlh, uint32_t chain)
{
	if (chain)
		mnl_attr_put_u32(nlh, TCA_CHAIN, chain);
}

struct nlmsghdr *tcmsg_filter_new(void *buf, const struct tc_filter *f, bool exclusive)
{
	uint16_t flags = exclusive ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO : NLM_F_CREATE | NLM_F_ECHO;
	struct nlmsghdr *nlh = filter_request(buf, RTM_NEWTFILTER, flags, f);
	struct nlattr *options;

	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	put_chain(nlh, f->chain);
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_u32(nlh, TCA_BPF_FD, (uint32_t)f->fd);
	if (f->name[0])
		mnl_attr_put_strz(nlh, TCA_BPF_NAME, f->name);
	if (f->direct_action)
		mnl_attr_put_u32(nlh, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	if (f->gen_flags)
		mnl_attr_put_u32(nlh, TCA_BPF_FLAGS_GEN, f->gen_flags);
	mnl_attr_nest_end(nlh, options);
	return nlh;
}

static struct nlmsghdr *filter_named(void *buf, uint16_t type, const struct tc_filter *f)
{
	struct nlmsghdr *nlh = filter_request(buf, type, 0, f);

	if (f->kind[0])
		mnl_attr_put_strz(nlh, TCA_KIND, f->kind);
	put_chain(nlh, f->chain);
	return nlh;
}

struct nlmsghdr *tcmsg_filter_del(void *buf, const struct tc_filter *f)
{
	return filter_named(buf, RTM_DELTFILTER, f);
}

struct nlmsghdr *tcmsg_filter_get(void *buf, const struct tc_filter *f)
{
	return filter_named(buf, RTM_GETTFILTER, f);
}

struct nlmsghdr *tcmsg_filter_dump(void *buf, int ifindex, uint32_t parent)
{
	struct tcmsg tcm = { .tcm_ifindex = ifindex, .tcm_parent = parent };

	return request(buf, RTM_GETTFILTER, NLM_F_DUMP, &tcm);
}

struct nlmsghdr *tcmsg_block_dump(void *buf, uint32_t block)
{
	return tcmsg_filter_dump(buf, (int)TCM_IFINDEX_MAGIC_BLOCK, block);
}

/*
 * Note in table[0..max] where each type of attribute is; a later one of a type
 * wins, as in the kernel.  False where the attributes do not fill len bytes
 * (the padding behind the last may be missing).
 */
static bool attrs_index(const void *attrs, size_t len, const struct nlattr **table, uint16_t max)
{
	const struct nlattr *attr;

	memset(table, 0, (max + 1u) * sizeof(table[0]));
	for (size_t at = 0; at < len; at += NLMSG_ALIGN(attr->nla_len)) {
		attr = (const void *)((const char *)attrs + at);
		if (len - at < sizeof(*attr) || attr->nla_len < sizeof(*attr) || attr->nla_len > len - at)
			return false;
		if (mnl_attr_get_type(attr) <= max)
			table[mnl_attr_get_type(attr)] = attr;
	}
	return true;
}

/* The attributes behind the first skip bytes of the payload. */
static bool message_index(const struct nlmsghdr *nlh, size_t skip, const struct nlattr **table, uint16_t max)
{
	size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(skip);

	return nlh->nlmsg_len >= head &&
	       attrs_index((const char *)nlh + head, nlh->nlmsg_len - head, table, max);
}

static bool get_u32(const struct nlattr *attr, uint32_t *out)
{
	if (!attr)
		return true;
	if (mnl_attr_get_payload_len(attr) != sizeof(*out))
		return false;
	*out = mnl_attr_get_u32(attr);
	return true;
}

static const char *get_string(const struct nlattr *attr)
{
	const char *text = mnl_attr_get_payload(attr);

	return memchr(text, '\0', mnl_attr_get_payload_len(attr)) ? text : NULL;
}

static bool copy_string(const struct nlattr *attr, char *out, size_t size)
{
	const char *text;

	if (!attr)
		return true;
	text = get_string(attr);
	if (!text || strlen(text) >= size)
		return false;
	strcpy(out, text);
	return true;
}

int tcmsg_parse_qdisc(const struct nlmsghdr *nlh, struct tc_qdisc *out)
{
	const struct nlattr *table[TCA_EGRESS_BLOCK + 1];
	struct tc_qdisc q = { 0 };
	struct tcmsg tcm;

	if (nlh->nlmsg_type != RTM_NEWQDISC && nlh->nlmsg_type != RTM_DELQDISC)
		return -1;
	if (!message_index(nlh, sizeof(tcm), table, TCA_EGRESS_BLOCK) || !table[TCA_KIND])
		return -1;
	if (!copy_string(table[TCA_KIND], q.kind, sizeof(q.kind)) ||
	    !get_u32(table[TCA_INGRESS_BLOCK], &q.ingress_block) ||
	    !get_u32(table[TCA_EGRESS_BLOCK], &q.egress_block))
		return -1;
	memcpy(&tcm, mnl_nlmsg_get_payload(nlh), sizeof(tcm));
	q.ifindex = tcm.tcm_ifindex;
	q.handle = tcm.tcm_handle;
	q.parent = tcm.tcm_parent;
	*out = q;
	return 0;
}

static bool parse_bpf(const struct nlattr *options, struct tc_filter *f)
{
	const struct nlattr *table[TCA_BPF_ID + 1], *tag;
	uint32_t flags = 0;

	if (!attrs_index(mnl_attr_get_payload(options), mnl_attr_get_payload_len(options), table, TCA_BPF_ID))
		return false;
	if (!get_u32(table[TCA_BPF_ID], &f->id) || !get_u32(table[TCA_BPF_FLAGS], &flags) ||
	    !get_u32(table[TCA_BPF_FLAGS_GEN], &f->gen_flags) ||
	    !copy_string(table[TCA_BPF_NAME], f->name, sizeof(f->name)))
		return false;
	f->direct_action = flags & TCA_BPF_FLAG_ACT_DIRECT;
	tag = table[TCA_BPF_TAG];
	f->has_tag = tag;
	if (!tag)
		return true;
	if (mnl_attr_get_payload_len(tag) != sizeof(f->tag))
		return false;
	memcpy(f->tag, mnl_attr_get_payload(tag), sizeof(f->tag));
	return true;
}

int tcmsg_parse_filter(const struct nlmsghdr *nlh, struct tc_filter *out)
{
	const struct nlattr *table[TCA_CHAIN + 1];
	struct tc_filter f = { .fd = -1 };
	struct tcmsg tcm;

	if (nlh->nlmsg_type != RTM_NEWTFILTER && nlh->nlmsg_type != RTM_DELTFILTER)
		return -1;
	if (!message_index(nlh, sizeof(tcm), table, TCA_CHAIN) || !table[TCA_KIND])
		return -1;
	if (!copy_string(table[TCA_KIND], f.kind, sizeof(f.kind)) || !get_u32(table[TCA_CHAIN], &f.chain))
		return -1;
	if (!strcmp(f.kind, "bpf") && table[TCA_OPTIONS] && !parse_bpf(table[TCA_OPTIONS], &f))
		return -1;
	memcpy(&tcm, mnl_nlmsg_get_payload(nlh), sizeof(tcm));
	if ((uint32_t)tcm.tcm_ifindex == TCM_IFINDEX_MAGIC_BLOCK) {
		f.block = tcm.tcm_block_index;
	} else {
		f.ifindex = tcm.tcm_ifindex;
		f.parent = tcm.tcm_parent;
	}
	f.handle = tcm.tcm_handle;
	f.prio = (uint16_t)(tcm.tcm_info >> 16);
	f.protocol = ntohs((uint16_t)tcm.tcm_info);
	*out = f;
	return 0;
}

/*
 * How many bytes of payload stand before the attributes of an error: its
 * number, then for NLMSG_ERROR the header of the request and, unless capped,
 * the rest of it.  0 where they are not all there.  An acknowledgement repeats
 * no more than the header, although old kernels do not mark it as capped.
 */
static size_t error_head(const struct nlmsghdr *nlh, int number)
{
	size_t head = nlh->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);
	size_t room = nlh->nlmsg_len - NLMSG_HDRLEN;
	struct nlmsgerr e;

	if (room < head)
		return 0;
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_flags & NLM_F_CAPPED || number == 0)
		return head;
	memcpy(&e, mnl_nlmsg_get_payload(nlh), sizeof(e));
	if (e.msg.nlmsg_len < sizeof(e.msg) || e.msg.nlmsg_len - sizeof(e.msg) > room - head)
		return 0;
	return head + e.msg.nlmsg_len - sizeof(e.msg);
}

int tcmsg_parse_error(const struct nlmsghdr *nlh, int *error, const char **text, uint32_t *attr_offset)
{
	const struct nlattr *table[NLMSGERR_ATTR_OFFS + 1] = { NULL };
	const char *words = NULL;
	uint32_t offset = 0;
	size_t head;
	int number;

	if (nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE)
		return -1;
	if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(number))
		return -1;
	memcpy(&number, mnl_nlmsg_get_payload(nlh), sizeof(number));
	head = error_head(nlh, number);
	if (number > 0 || number < -ERRNO_MAX || head == 0)
		return -1;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && !message_index(nlh, head, table, NLMSGERR_ATTR_OFFS))
		return -1;
	if (table[NLMSGERR_ATTR_MSG]) {
		words = get_string(table[NLMSGERR_ATTR_MSG]);
		if (!words)
			return -1;
	}
	if (!get_u32(table[NLMSGERR_ATTR_OFFS], &offset))
		return -1;
	*error = -number;
	*text = words;
	*attr_offset = offset;
	return 0;
}

/* The attribute in [at, end) that offset lies in, or NULL; offsets are from the start of the request. */
static const struct nlattr *attr_around(const struct nlmsghdr *request, size_t at, size_t end, uint32_t offset)
{
	const struct nlattr *attr;

	for (; at < end && end - at >= sizeof(*attr); at += NLMSG_ALIGN(attr->nla_len)) {
		attr = (const void *)((const char *)request + at);
		if (attr->nla_len < sizeof(*attr) || attr->nla_len > end - at)
			return NULL;
		if (offset >= at && offset < at + attr->nla_len)
			return attr;
	}
	return NULL;
}

const char *tcmsg_attr_name(const struct nlmsghdr *request, uint32_t offset)
{
	static const char *const names[] = {
		[TCA_KIND] = "TCA_KIND", [TCA_OPTIONS] = "TCA_OPTIONS", [TCA_CHAIN] = "TCA_CHAIN",
		[TCA_INGRESS_BLOCK] = "TCA_INGRESS_BLOCK", [TCA_EGRESS_BLOCK] = "TCA_EGRESS_BLOCK",
	};
	static const char *const bpf_names[] = {
		[TCA_BPF_FD] = "TCA_BPF_FD", [TCA_BPF_NAME] = "TCA_BPF_NAME", [TCA_BPF_FLAGS] = "TCA_BPF_FLAGS",
		[TCA_BPF_FLAGS_GEN] = "TCA_BPF_FLAGS_GEN",
	};
	const struct nlattr *attr, *nested = NULL;
	size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct tcmsg)), at;
	uint16_t type;

	if (request->nlmsg_type < RTM_NEWQDISC || request->nlmsg_type > RTM_GETTFILTER)
		return NULL;
	attr = attr_around(request, head, request->nlmsg_len, offset);
	if (!attr)
		return NULL;
	type = mnl_attr_get_type(attr);
	if (type == TCA_OPTIONS) {
		at = (size_t)((const char *)attr - (const char *)request);
		nested = attr_around(request, at + sizeof(*attr), at + attr->nla_len, offset);
	}
	if (nested) {
		type = mnl_attr_get_type(nested);
		return type < sizeof(bpf_names) / sizeof(bpf_names[0]) ? bpf_names[type] : NULL;
	}
	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}
