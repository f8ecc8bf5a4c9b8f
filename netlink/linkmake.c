// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interfaces are made exclusively, so that one of somebody else's that has the
 * name is never changed, and changed or deleted by index, so that one that got
 * the name of a deleted one is not hit:
 *
 *   RTM_NEWLINK  ifinfomsg | IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO { IFLA_INFO_KIND, IFLA_INFO_DATA }
 *     veth       { VETH_INFO_PEER { ifinfomsg | IFLA_IFNAME, IFLA_MTU, IFLA_NET_NS_FD } }
 *     vxlan      { IFLA_VXLAN_COLLECT_METADATA 1, IFLA_VXLAN_LEARNING 0, IFLA_VXLAN_PORT (big endian) }
 *   RTM_SETLINK  ifinfomsg { index, flags = change = IFF_UP }, or { index } | IFLA_MTU
 *   RTM_DELLINK  ifinfomsg { index }
 *
 * Both ends of a veth pair are made in one step, each where it belongs: no name of
 * the pod's is ever seen in the node's namespace.
 *
 * A VXLAN device in external mode has no VNI and no addresses of its own, and
 * learns nothing, because nobody would ask its table.  When it is set up it
 * opens a socket of each address family, or only one for IPv4 where the kernel
 * has no IPv6.  One such device can have a port.
 *
 * Names are proved here, because the kernel takes an empty one, or one with a
 * per cent sign, as a pattern and makes up another.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "loader/err.h"
#include "netlink/linkmake.h"

static struct nlmsghdr *request(void *buf, uint16_t type, uint16_t flags, const struct ifinfomsg *info)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(buf, 0, LINKMAKE_BUFFER));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(*info)), info, sizeof(*info));
	return nlh;
}

static void put_name(struct nlmsghdr *nlh, const char *name, uint32_t mtu)
{
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
}

static struct nlmsghdr *new_device(void *buf, const char *name, uint32_t mtu)
{
	struct nlmsghdr *nlh = request(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &(struct ifinfomsg){ 0 });

	put_name(nlh, name, mtu);
	return nlh;
}

struct nlmsghdr *linkmake_new_veth(void *buf, const char *name, const char *peer, int peer_netns, uint32_t mtu)
{
	struct nlmsghdr *nlh = new_device(buf, name, mtu);
	struct nlattr *linkinfo = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data, *other;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	put_name(nlh, peer, mtu);
	if (peer_netns >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)peer_netns);
	mnl_attr_nest_end(nlh, other);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, linkinfo);
	return nlh;
}

struct nlmsghdr *linkmake_new_vxlan(void *buf, const char *name, uint16_t port, uint32_t mtu)
{
	struct nlmsghdr *nlh = new_device(buf, name, mtu);
	struct nlattr *linkinfo = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "vxlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u8(nlh, IFLA_VXLAN_COLLECT_METADATA, 1);
	mnl_attr_put_u8(nlh, IFLA_VXLAN_LEARNING, 0);
	mnl_attr_put_u16(nlh, IFLA_VXLAN_PORT, htons(port));
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, linkinfo);
	return nlh;
}

static int check_name(const char *name, struct bpfstamp_err *err)
{
	size_t length = strnlen(name, IFNAMSIZ);

	if (length > 0 && length < IFNAMSIZ && !strchr(name, '%'))
		return 0;
	return err_set(err, EINVAL, "'%s' cannot be the name of an interface: it must have 1 to %d characters, "
		       "none of them %%", name, IFNAMSIZ - 1);
}

/* Why an interface could not be made.  taken: what else than its name may be somebody else's. */
static int explain(struct rtnl *rtnl, const char *kind, const char *name, const char *taken,
		   struct bpfstamp_err *err)
{
	struct bpfstamp_err ignored;
	struct link_info there;

	switch (err->code) {
	case EPERM:
		return err_hint(err, "; needs CAP_NET_ADMIN in the network namespaces of all that is made");
	case EOPNOTSUPP:
		return err_hint(err, "; the kernel has no %s devices (module %s)", kind, kind);
	case EEXIST:
		if (!link_find(rtnl, 0, name, &there, &ignored))
			return err_hint(err, "; there is an interface of that name already");
		return err_hint(err, "; %s", taken);
	default:
		return -1;
	}
}

int linkmake_veth(struct rtnl *rtnl, const char *name, const char *peer, int peer_netns, uint32_t mtu,
		  struct bpfstamp_err *err)
{
	uint32_t buf[LINKMAKE_BUFFER / 4];

	if (check_name(name, err) || check_name(peer, err))
		return -1;
	if (!rtnl_talk(rtnl, linkmake_new_veth(buf, name, peer, peer_netns, mtu), NULL, NULL, err,
		       "make the veth pair %s and %s", name, peer))
		return 0;
	return explain(rtnl, "veth", name, "there is an interface of the peer's name where that belongs", err);
}

int linkmake_vxlan(struct rtnl *rtnl, const char *name, uint16_t port, uint32_t mtu, struct bpfstamp_err *err)
{
	uint32_t buf[LINKMAKE_BUFFER / 4];

	if (check_name(name, err))
		return -1;
	if (!rtnl_talk(rtnl, linkmake_new_vxlan(buf, name, port, mtu), NULL, NULL, err,
		       "make the VXLAN device %s on port %u", name, port))
		return 0;
	return explain(rtnl, "vxlan", name, "another VXLAN device in external mode has that port", err);
}

int linkmake_up(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err)
{
	const struct ifinfomsg info = { .ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	uint32_t buf[LINKMAKE_BUFFER / 4];

	if (!rtnl_talk(rtnl, request(buf, RTM_SETLINK, 0, &info), NULL, NULL, err, "set %s up", dev))
		return 0;
	if (err->code == EPERM)
		return err_hint(err, "; needs CAP_NET_ADMIN in the namespace of the interface");
	if (err->code == EADDRINUSE)
		return err_hint(err, "; another device or a program has its UDP port");
	return -1;
}

struct nlmsghdr *linkmake_new_mtu(void *buf, int ifindex, uint32_t mtu)
{
	struct nlmsghdr *nlh = request(buf, RTM_SETLINK, 0, &(struct ifinfomsg){ .ifi_index = ifindex });

	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return nlh;
}

int linkmake_mtu(struct rtnl *rtnl, int ifindex, const char *dev, uint32_t mtu, struct bpfstamp_err *err)
{
	uint32_t buf[LINKMAKE_BUFFER / 4];

	if (!rtnl_talk(rtnl, linkmake_new_mtu(buf, ifindex, mtu), NULL, NULL, err, "set the MTU of %s to %u", dev, mtu))
		return 0;
	if (err->code == EPERM)
		return err_hint(err, "; needs CAP_NET_ADMIN in the namespace of the interface");
	return -1;
}

int linkmake_delete(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err)
{
	const struct ifinfomsg info = { .ifi_index = ifindex };
	uint32_t buf[LINKMAKE_BUFFER / 4];

	if (!rtnl_talk(rtnl, request(buf, RTM_DELLINK, 0, &info), NULL, NULL, err, "delete %s", dev))
		return 0;
	if (err->code == EPERM)
		return err_hint(err, "; needs CAP_NET_ADMIN in the namespace of the interface");
	return -1;
}
