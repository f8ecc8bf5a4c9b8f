/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TC messages of rtnetlink (include/uapi/linux/{rtnetlink,pkt_sched,pkt_cls}.h)
 * built into and parsed from plain buffers; no socket here.
 *
 *     nlmsghdr | tcmsg { family, ifindex, handle, parent, info } | attributes
 *
 *   clsact qdisc   handle ffff:0000, parent ffff:fff1 (TC_H_CLSACT), TCA_KIND "clsact"
 *   filter         parent ffff:fff2 (ingress) or ffff:fff3 (egress),
 *                  info = prio << 16 | protocol in network byte order,
 *                  TCA_KIND "bpf", TCA_OPTIONS { TCA_BPF_FD, _NAME, _FLAGS … }
 *   of a shared block  ifindex TCM_IFINDEX_MAGIC_BLOCK, and the block in place of parent
 */
#ifndef NETLINK_TCMSG_H
#define NETLINK_TCMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

#define TCMSG_BUFFER 1024u	/* bytes that hold any request built here */

/* The direction as a clsact class: the minor number of the filter's parent. */
enum tc_direction { TC_INGRESS = 0xfff2, TC_EGRESS = 0xfff3 };

struct tc_qdisc {
	int ifindex;
	uint32_t handle, parent;
	char kind[16];
	uint32_t ingress_block, egress_block;	/* shared blocks in place of its own, or 0 */
};

struct tc_filter {
	uint32_t block;		/* of a shared block, else 0 */
	int ifindex;		/* 0 in answers about a shared block; not looked at where block is given */
	uint32_t parent;	/* likewise; TC_H_MAJ(ffff:) | enum tc_direction, or another qdisc's class */
	uint32_t handle;
	uint32_t chain;
	uint16_t prio;
	uint16_t protocol;	/* ETH_P_*, host byte order */
	char kind[16];		/* "bpf", or another classifier's */
	/* only where kind is "bpf" */
	int fd;			/* of the program, to build; not in answers */
	uint32_t (*id_of)(int fd);	/* the id, or 0: asked by tc_filter_set where an answer was lost; or NULL */
	uint32_t id;		/* of the program, from answers; 0 where the kernel does not tell */
	uint32_t gen_flags;	/* TCA_CLS_FLAGS_* */
	bool direct_action;
	bool has_tag;
	uint8_t tag[8];
	char name[257];		/* TCA_BPF_NAME, 256 bytes at most; "" where absent */
};

/* Build a request at buf (TCMSG_BUFFER bytes, aligned to 4); returns its header, which is at buf. */
struct nlmsghdr *tcmsg_clsact_new(void *buf, int ifindex);	/* create, exclusively */
struct nlmsghdr *tcmsg_clsact_del(void *buf, int ifindex);
struct nlmsghdr *tcmsg_clsact_get(void *buf, int ifindex);	/* what stands there, of whatever kind */
struct nlmsghdr *tcmsg_qdisc_dump(void *buf, int ifindex);	/* 0: of all interfaces */

/*
 * Create the bpf filter of f (block, or ifindex and parent; prio, protocol, handle, chain
 * where not 0, fd, name, direct_action, gen_flags).  exclusive: fail where it
 * exists (NLM_F_EXCL), else replace it in place.  The answer echoes the filter
 * as the kernel has it (NLM_F_ECHO).
 */
struct nlmsghdr *tcmsg_filter_new(void *buf, const struct tc_filter *f, bool exclusive);

/*
 * Delete or get the filter of f's block, or ifindex and parent, its prio,
 * protocol, handle, chain and kind ("": of any kind).
 */
struct nlmsghdr *tcmsg_filter_del(void *buf, const struct tc_filter *f);
struct nlmsghdr *tcmsg_filter_get(void *buf, const struct tc_filter *f);

/*
 * Dump the filters of one interface and parent, or of a shared block.  Where the
 * parent has a shared block in place of its own, the answers are about that.
 */
struct nlmsghdr *tcmsg_filter_dump(void *buf, int ifindex, uint32_t parent);
struct nlmsghdr *tcmsg_block_dump(void *buf, uint32_t block);

/*
 * Read a message of the kernel, of which nlmsg_len bytes are there.  Each
 * returns 0, or -1 where nlh is not a whole message of its kind (RTM_NEWQDISC /
 * RTM_NEWTFILTER, also the DEL forms): attributes of the wrong size,
 * unterminated strings.  A dump of filters also tells of each prio that has
 * any, by a message of handle 0 without options.
 */
int tcmsg_parse_qdisc(const struct nlmsghdr *nlh, struct tc_qdisc *out);
int tcmsg_parse_filter(const struct nlmsghdr *nlh, struct tc_filter *out);

/*
 * Read NLMSG_ERROR (with or without NLM_F_CAPPED and NLM_F_ACK_TLVS, see
 * include/uapi/linux/netlink.h), or the NLMSG_DONE that ends a dump and may
 * carry the error that ended it: *error gets the errno (0: acknowledged),
 * *text the kernel's words inside nlh or NULL, *attr_offset the offset in the
 * request of the offending attribute or 0.  Returns 0, or -1 where nlh is no
 * whole error message.
 */
int tcmsg_parse_error(const struct nlmsghdr *nlh, int *error, const char **text, uint32_t *attr_offset);

/*
 * What the kernel's headers call the attribute of a request that begins at that
 * offset, or the innermost in which it lies: "TCA_KIND", "TCA_BPF_FD".  NULL
 * where there is none, it has no name here, or the request is none about
 * qdiscs and filters.  request is whole, as built here.
 */
const char *tcmsg_attr_name(const struct nlmsghdr *request, uint32_t offset);

#endif
