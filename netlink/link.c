// SPDX-License-Identifier: BSD-2-Clause
/*
 * RTM_GETLINK answers by index, by name, or with all interfaces:
 *
 *   nlmsghdr | ifinfomsg { family, type, index, flags, change } | attributes
 *     IFLA_IFNAME    name
 *     IFLA_LINKINFO  { IFLA_INFO_KIND }
 *
 * The kernel looks for a short name among the alternative ones too.  Before 5.5
 * it has none, and a request by a long name names nothing: EINVAL.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "loader/err.h"
#include "netlink/link.h"

#define ALTERNATIVE_NAME_SIZE 128	/* ALTIFNAMSIZ in the kernel's include/linux/if.h */
#define DUMP_ATTEMPTS 10

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

	if (name)
		mnl_attr_put_strz(nlh, strlen(name) < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
	return nlh;
}

struct nlmsghdr *link_new_dump(void *buf)
{
	return request(buf, RTM_GETLINK, NLM_F_DUMP, 0);
}

static int copy_string(const struct nlattr *attr, char *out, size_t size)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 || mnl_attr_get_payload_len(attr) > size)
		return MNL_CB_ERROR;
	strcpy(out, mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int take_info(const struct nlattr *attr, void *arg)
{
	struct link_info *link = arg;

	if (mnl_attr_get_type(attr) != IFLA_INFO_KIND)
		return MNL_CB_OK;
	return copy_string(attr, link->kind, sizeof(link->kind));
}

static int take_attribute(const struct nlattr *attr, void *arg)
{
	struct link_info *link = arg;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		return copy_string(attr, link->name, sizeof(link->name));
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, take_info, link);
	default:
		return MNL_CB_OK;
	}
}

int link_parse(const struct nlmsghdr *nlh, struct link_info *out)
{
	struct link_info link = { 0 };
	struct ifinfomsg info;

	if (nlh->nlmsg_type != RTM_NEWLINK || nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(info) ||
	    mnl_attr_parse(nlh, sizeof(info), take_attribute, &link) != MNL_CB_OK || !*link.name)
		return -1;
	memcpy(&info, mnl_nlmsg_get_payload(nlh), sizeof(info));
	link.ifindex = info.ifi_index;
	*out = link;
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
	uint32_t buf[LINK_BUFFER / 4];

	if (askable && !rtnl_talk(rtnl, link_new_get(buf, ifindex, name), take_one, out, err, "look up an interface"))
		return 0;
	if (askable && err->code != ENODEV && (err->code != EINVAL || length < IFNAMSIZ))
		return -1;
	return name ? err_set(err, ENODEV, "no such device '%s'", name) :
		err_set(err, ENODEV, "no interface has the index %d", ifindex);
}

struct list {
	struct link_info *items;
	size_t count, room;
};

static int take_listed(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct list *list = arg;
	size_t room = list->room ? 2 * list->room : 16;
	struct link_info *items;

	if (list->count == list->room) {
		items = realloc(list->items, room * sizeof(*items));
		if (!items)
			return err_set(err, ENOMEM, "no memory for %zu interfaces", room);
		list->items = items;
		list->room = room;
	}
	return take_one(nlh, &list->items[list->count++], err);
}

int link_each(struct rtnl *rtnl, link_fn *fn, void *arg, struct bpfstamp_err *err)
{
	struct list list = { 0 };
	uint32_t buf[LINK_BUFFER / 4];
	int status = -1;

	for (unsigned int attempt = 1; attempt <= DUMP_ATTEMPTS; attempt++) {
		list.count = 0;
		status = rtnl_talk(rtnl, link_new_dump(buf), take_listed, &list, err, "list interfaces");
		if (!status || err->code != EINTR)
			break;
	}
	for (size_t i = 0; i < list.count && status == 0; i++)
		status = fn(&list.items[i], arg, err);
	free(list.items);
	return status;
}
