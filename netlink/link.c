// SPDX-License-Identifier: BSD-2-Clause
/*
 * RTM_GETLINK answers by index, by name, or with all interfaces; RTM_SETLINK
 * puts an XDP program on one:
 *
 *   nlmsghdr | ifinfomsg { family, type, index, flags, change } | attributes
 *     IFLA_IFNAME    name
 *     IFLA_MTU, IFLA_ADDRESS
 *     IFLA_LINK      of a veth or netkit: the other end, an index of the namespace where that is;
 *                    of a VLAN, a macvlan, …: what it stands on, which is no peer
 *     IFLA_LINK_NETNSID  the number of that namespace in this one, where it is another
 *     IFLA_LINKINFO  { IFLA_INFO_KIND, IFLA_INFO_DATA }; data is laid out by its kind,
 *                    vxlan: { _COLLECT_METADATA (external), _PORT (big endian) }
 *     IFLA_XDP       answer:  { _ATTACHED, _PROG_ID, _SKB_PROG_ID, _DRV_PROG_ID, _HW_PROG_ID }
 *                    request: { _FD, _FLAGS, _EXPECTED_FD }
 *
 * An interface may have a program for each mode.  Kernels before 4.19 tell of
 * one only, by its id and its mode (_PROG_ID, _ATTACHED).
 *
 * Statistics are most of what the kernel would say of an interface, and take it
 * the longest to gather; it is asked to leave them out.
 *
 * RTM_GETNSID answers what that number is of a namespace that is open:
 *   nlmsghdr | rtgenmsg { family } | NETNSA_FD, answer: NETNSA_NSID (-1: none yet)
 * and with IFLA_TARGET_NETNSID, RTM_GETLINK is asked of the namespace that has it.
 *
 * The kernel looks for a short name among the alternative ones too.  Before 5.5
 * it has none, and a request by a long name names nothing: EINVAL.
 *
 * Who wants nothing but the index asks by ioctl(2), which every socket answers for
 * its own namespace (SIOCGIFINDEX, SIOCGIFNAME): two integers and a name instead of
 * a kilobyte that the kernel has to write.  It knows short names only, and takes
 * a colon for the end of one; so these, and what it does not find, are asked for
 * by message, whose refusal has the words.  For a short name that nobody has, the
 * kernel first has modprobe load what calls itself netdev-NAME (tunl0, sit0, …), as for
 * tc and if_nametoindex(3): a miss costs a process, and may make the interface.
 */
#define _GNU_SOURCE	/* strcasestr */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "loader/err.h"
#include "netlink/dump.h"
#include "netlink/link.h"

#define ALTERNATIVE_NAME_SIZE 128	/* ALTIFNAMSIZ in the kernel's include/linux/if.h */

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71		/* Linux 5.14, on most machines */
#endif

static struct nlmsghdr *request(void *buf, uint16_t type, uint16_t flags, int ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(buf, 0, LINK_BUFFER));
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	info->ifi_index = ifindex;
	return nlh;
}

struct nlmsghdr *link_new_get(void *buf, int ifindex, const char *name)
{
	struct nlmsghdr *nlh = request(buf, RTM_GETLINK, 0, name ? 0 : ifindex);

	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (name)
		mnl_attr_put_strz(nlh, strlen(name) < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
	return nlh;
}

struct nlmsghdr *link_new_dump(void *buf)
{
	struct nlmsghdr *nlh = request(buf, RTM_GETLINK, NLM_F_DUMP, 0);

	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh;
}

struct nlmsghdr *link_new_xdp(void *buf, int ifindex, int fd, uint32_t flags, int expected)
{
	struct nlmsghdr *nlh = request(buf, RTM_SETLINK, 0, ifindex);
	struct nlattr *xdp = mnl_attr_nest_start(nlh, IFLA_XDP);

	mnl_attr_put_u32(nlh, IFLA_XDP_FD, (uint32_t)fd);
	mnl_attr_put_u32(nlh, IFLA_XDP_FLAGS, flags);
	if (flags & XDP_FLAGS_REPLACE)
		mnl_attr_put_u32(nlh, IFLA_XDP_EXPECTED_FD, (uint32_t)expected);
	mnl_attr_nest_end(nlh, xdp);
	return nlh;
}

static int copy_string(const struct nlattr *attr, char *out, size_t size)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 || mnl_attr_get_payload_len(attr) > size)
		return MNL_CB_ERROR;
	strcpy(out, mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

/*
 * What is read of an interface; attached and prog_id are all that old kernels say of XDP.  What lower and data
 * mean is the kind's, which may come behind them.
 */
struct parsed {
	struct link_info link;
	int lower;			/* IFLA_LINK */
	const struct nlattr *data;	/* IFLA_INFO_DATA, or NULL */
	uint8_t attached;
	uint32_t prog_id;
};

/* Call fn with each attribute in len bytes, all of which must be attributes. */
static int each_attribute(const void *bytes, size_t len, mnl_attr_cb_t fn, struct parsed *p)
{
	const struct nlattr *attr;
	size_t size;

	for (size_t at = 0; at < len; at += size) {
		attr = (const void *)((const char *)bytes + at);
		if (!mnl_attr_ok(attr, (int)(len - at)) || fn(attr, p) != MNL_CB_OK)
			return MNL_CB_ERROR;
		size = MNL_ALIGN(attr->nla_len);
	}
	return MNL_CB_OK;
}

static int each_nested(const struct nlattr *attr, mnl_attr_cb_t fn, struct parsed *p)
{
	return each_attribute(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), fn, p);
}

static int copy_bytes(const struct nlattr *attr, void *out, size_t size)
{
	if (mnl_attr_get_payload_len(attr) != size)
		return MNL_CB_ERROR;
	memcpy(out, mnl_attr_get_payload(attr), size);
	return MNL_CB_OK;
}

static int take_info(const struct nlattr *attr, void *arg)
{
	struct parsed *p = arg;

	if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
		p->data = attr;
	if (mnl_attr_get_type(attr) != IFLA_INFO_KIND)
		return MNL_CB_OK;
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return MNL_CB_ERROR;
	snprintf(p->link.kind, sizeof(p->link.kind), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int take_vxlan(const struct nlattr *attr, void *arg)
{
	struct parsed *p = arg;
	uint8_t external;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_VXLAN_COLLECT_METADATA:
		if (copy_bytes(attr, &external, sizeof(external)) != MNL_CB_OK)
			return MNL_CB_ERROR;
		p->link.external = external;
		return MNL_CB_OK;
	case IFLA_VXLAN_PORT:
		if (copy_bytes(attr, &p->link.port, sizeof(p->link.port)) != MNL_CB_OK)
			return MNL_CB_ERROR;
		p->link.port = ntohs(p->link.port);
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
}

static int take_xdp(const struct nlattr *attr, void *arg)
{
	struct parsed *p = arg;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_XDP_ATTACHED:
		return copy_bytes(attr, &p->attached, sizeof(p->attached));
	case IFLA_XDP_PROG_ID:
		return copy_bytes(attr, &p->prog_id, sizeof(p->prog_id));
	case IFLA_XDP_SKB_PROG_ID:
		return copy_bytes(attr, &p->link.xdp.skb, sizeof(p->link.xdp.skb));
	case IFLA_XDP_DRV_PROG_ID:
		return copy_bytes(attr, &p->link.xdp.drv, sizeof(p->link.xdp.drv));
	case IFLA_XDP_HW_PROG_ID:
		return copy_bytes(attr, &p->link.xdp.hw, sizeof(p->link.xdp.hw));
	default:
		return MNL_CB_OK;
	}
}

static int take_attribute(const struct nlattr *attr, void *arg)
{
	struct parsed *p = arg;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		return copy_string(attr, p->link.name, sizeof(p->link.name));
	case IFLA_LINK:
		return copy_bytes(attr, &p->lower, sizeof(p->lower));
	case IFLA_LINK_NETNSID:
		return copy_bytes(attr, &p->link.peer_netnsid, sizeof(p->link.peer_netnsid));
	case IFLA_MTU:
		return copy_bytes(attr, &p->link.mtu, sizeof(p->link.mtu));
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) != sizeof(p->link.mac))
			return MNL_CB_OK;
		return copy_bytes(attr, p->link.mac, sizeof(p->link.mac));
	case IFLA_LINKINFO:
		return each_nested(attr, take_info, p);
	case IFLA_XDP:
		return each_nested(attr, take_xdp, p);
	default:
		return MNL_CB_OK;
	}
}

static void place_program(struct parsed *p)
{
	struct link_info *link = &p->link;

	if (link->xdp.skb || link->xdp.drv || link->xdp.hw)
		return;
	if (p->attached == XDP_ATTACHED_SKB)
		link->xdp.skb = p->prog_id;
	else if (p->attached == XDP_ATTACHED_DRV)
		link->xdp.drv = p->prog_id;
	else if (p->attached == XDP_ATTACHED_HW)
		link->xdp.hw = p->prog_id;
}

/* What can be read only once the kind is known. */
static int take_kind(struct parsed *p)
{
	if (!strcmp(p->link.kind, "veth") || !strcmp(p->link.kind, "netkit"))
		p->link.peer = p->lower;
	if (p->data && !strcmp(p->link.kind, "vxlan"))
		return each_nested(p->data, take_vxlan, p);
	return MNL_CB_OK;
}

int link_parse(const struct nlmsghdr *nlh, struct link_info *out)
{
	struct parsed p = { .link.peer_netnsid = -1 };
	struct ifinfomsg info;
	size_t head = NLMSG_HDRLEN + sizeof(info);

	if (nlh->nlmsg_type != RTM_NEWLINK || nlh->nlmsg_len < head ||
	    each_attribute((const char *)nlh + head, nlh->nlmsg_len - head, take_attribute, &p) != MNL_CB_OK ||
	    take_kind(&p) != MNL_CB_OK || !*p.link.name)
		return -1;
	memcpy(&info, mnl_nlmsg_get_payload(nlh), sizeof(info));
	p.link.ifindex = info.ifi_index;
	p.link.up = info.ifi_flags & IFF_UP;
	place_program(&p);
	*out = p.link;
	return 0;
}

static int take_one(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	if (link_parse(nlh, arg))
		return err_set(err, EBADMSG, "malformed description of an interface");
	return 0;
}

int link_find(struct rtnl *rtnl, int ifindex, const char *name, struct link_info *out, struct bpfstamp_err *err)
{
	size_t length = name ? strlen(name) : 0;
	bool askable = name ? length > 0 && length < ALTERNATIVE_NAME_SIZE : ifindex > 0;
	struct link_info found = { 0 };
	uint32_t buf[LINK_BUFFER / 4];

	if (askable && !rtnl_talk(rtnl, link_new_get(buf, ifindex, name), take_one, &found, err,
				  "look up an interface")) {
		if (!found.ifindex)
			return err_set(err, EBADMSG, "look up an interface: the kernel's answer tells of none");
		*out = found;
		return 0;
	}
	if (askable && err->code != ENODEV && (err->code != EINVAL || length < IFNAMSIZ))
		return -1;
	return name ? err_set(err, ENODEV, "no such device '%s'", name) :
		err_set(err, ENODEV, "no interface has the index %d", ifindex);
}

int link_index(struct rtnl *rtnl, const char *name, int *ifindex, char *canonical, struct bpfstamp_err *err)
{
	int fd = mnl_socket_get_fd(rtnl->socket);
	struct ifreq request = { 0 };
	struct link_info link;

	if (strlen(name) < IFNAMSIZ && !strchr(name, ':')) {
		strcpy(request.ifr_name, name);
		if (!ioctl(fd, SIOCGIFINDEX, &request) && (!canonical || !ioctl(fd, SIOCGIFNAME, &request))) {
			*ifindex = request.ifr_ifindex;
			if (canonical)
				memcpy(canonical, request.ifr_name, IFNAMSIZ);
			return 0;
		}
	}
	if (link_find(rtnl, 0, name, &link, err))
		return -1;
	*ifindex = link.ifindex;
	if (canonical)
		memcpy(canonical, link.name, IFNAMSIZ);
	return 0;
}

static int take_netnsid(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	const size_t head = sizeof(struct nlmsghdr) + NLMSG_ALIGN(sizeof(struct rtgenmsg));
	const struct nlattr *attr = (const void *)((const char *)nlh + head);

	if (nlh->nlmsg_len < head || !mnl_attr_ok(attr, (int)(nlh->nlmsg_len - head)) ||
	    mnl_attr_get_type(attr) != NETNSA_NSID || copy_bytes(attr, arg, sizeof(int32_t)) != MNL_CB_OK)
		return err_set(err, EBADMSG, "malformed number of a network namespace");
	return 0;
}

int link_netnsid(struct rtnl *rtnl, int netns_fd, int32_t *out, struct bpfstamp_err *err)
{
	uint32_t buf[LINK_BUFFER / 4];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(buf, 0, LINK_BUFFER));

	nlh->nlmsg_type = RTM_GETNSID;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)netns_fd);
	*out = -1;
	return rtnl_talk(rtnl, nlh, take_netnsid, out, err, "look up the number of a network namespace");
}

int link_find_beyond(struct rtnl *rtnl, int32_t netnsid, int ifindex, struct link_info *out,
		     struct bpfstamp_err *err)
{
	struct link_info found = { 0 };
	uint32_t buf[LINK_BUFFER / 4];
	struct nlmsghdr *nlh = link_new_get(buf, ifindex, NULL);

	mnl_attr_put_u32(nlh, IFLA_TARGET_NETNSID, (uint32_t)netnsid);
	if (rtnl_talk(rtnl, nlh, take_one, &found, err, "look up an interface of another network namespace"))
		return -1;
	if (!found.ifindex)
		return err_set(err, EBADMSG, "look up an interface: the kernel's answer tells of none");
	*out = found;
	return 0;
}

uint64_t link_netns_cookie(const struct rtnl *rtnl)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	return getsockopt(mnl_socket_get_fd(rtnl->socket), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) ? 0 : cookie;
}

/* The kernel's words are the driver's, who does not know what the user can do. */
static int explain_xdp(uint32_t flags, struct bpfstamp_err *err)
{
	if (err->code == EPERM)
		return err_hint(err, "; needs the capability CAP_NET_ADMIN");
	if (err->code == ERANGE || strcasestr(err->text, "mtu"))
		return err_hint(err, "; lower the MTU, use a program that takes fragments (section xdp.frags), "
				"or --xdp-mode generic");
	if (flags & XDP_FLAGS_HW_MODE && (err->code == EOPNOTSUPP || err->code == EINVAL))
		return err_hint(err, "; only a device that can offload takes a program so, and only one that was "
				"loaded for it");
	if (flags & XDP_FLAGS_DRV_MODE && err->code == EOPNOTSUPP)
		return err_hint(err, "; --xdp-mode generic works on any device");
	return -1;
}

int link_set_xdp(struct rtnl *rtnl, int ifindex, const char *dev, int fd, uint32_t flags, int expected,
		 struct bpfstamp_err *err)
{
	uint32_t buf[LINK_BUFFER / 4];

	if (!rtnl_talk(rtnl, link_new_xdp(buf, ifindex, fd, flags, expected), NULL, NULL, err,
		       fd < 0 ? "detach from XDP of %s" : "attach to XDP of %s", dev))
		return 0;
	return explain_xdp(flags, err);
}

int link_each(struct rtnl *rtnl, link_fn *fn, void *arg, struct bpfstamp_err *err)
{
	struct dump dump = { .size = sizeof(struct link_info), .read = take_one };
	uint32_t buf[LINK_BUFFER / 4];
	int status = dump_fill(&dump, rtnl, link_new_dump(buf), err, "list interfaces", "");
	const struct link_info *links = dump.items;

	for (size_t i = 0; i < dump.count && status == 0; i++)
		status = fn(&links[i], arg, err);
	free(dump.items);
	return status;
}
