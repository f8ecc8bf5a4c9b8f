// SPDX-License-Identifier: BSD-2-Clause
/*
 * A link of XDP belongs to an interface and holds its one program; it goes with
 * its last file descriptor or pin, and while it is there netlink can neither
 * replace nor remove the program.  When the interface goes first, the link is left
 * with interface 0: it is defunct, and cannot be used for anything any more.
 *
 *   BPF_LINK_CREATE   takes the interface by its index in the namespace of the
 *                     calling thread, hence inside()
 *   BPF_LINK_UPDATE   puts another program in, in one step
 *   BPF_LINK_DETACH   makes it defunct at once, whoever has it open
 *
 * The kernel says nothing but an errno here.  EINVAL is the answer of kernels
 * that have no such links and also of others; a request with no program at all
 * tells them apart, since those that have them complain of the program (EBADF).
 * Likewise, an update to no program tells a link from what else may be pinned.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/xdp.h"
#include "hook/xdplink.h"
#include "loader/err.h"
#include "loader/pin.h"
#include "loader/sys.h"
#include "netlink/inside.h"

static int update(int link, int fd, int expected)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_update.link_fd = (uint32_t)link;
	attr.link_update.new_prog_fd = (uint32_t)fd;
	if (expected >= 0) {
		attr.link_update.flags = BPF_F_REPLACE;
		attr.link_update.old_prog_fd = (uint32_t)expected;
	}
	return sys_link_update(&attr);
}

static bool is_link(int fd)
{
	return update(fd, -1, -1) && errno == EBADF;
}

int xdplink_open(const char *pin, int *fd, struct bpf_link_info *info, struct bpfstamp_err *err)
{
	int opened = sys_obj_get(pin), code = errno;
	const char *slash = strrchr(pin, '/');

	if (opened < 0 && code == ENOENT) {
		*fd = -1;
		return 0;
	}
	if (opened < 0) {
		err_set(err, code, "cannot open the pin %s: %s", pin, strerror(code));
		if (code == EPERM && strchr(slash ? slash : pin, '.'))
			err_hint(err, ": a bpffs allows no dot in a name");
		else if (code == EPERM)
			err_hint(err, ": needs the capability CAP_BPF (or CAP_SYS_ADMIN)");
		else if (code == EACCES)
			err_hint(err, ": it is another user's, or not in a bpffs");
		return -1;
	}
	memset(info, 0, sizeof(*info));
	if (!is_link(opened) || sys_link_info(opened, info) || info->type != BPF_LINK_TYPE_XDP) {
		close(opened);
		return err_set(err, EEXIST, "%s is the pin of something else than a link of XDP: remove it, or "
			       "choose another --link-pin", pin);
	}
	*fd = opened;
	return 0;
}

/* ---------------------------------------------------------------- create */

struct creation {
	union bpf_attr attr;
	int fd, code;
};

static int create(void *arg, struct bpfstamp_err *err)
{
	struct creation *c = arg;

	(void)err;
	c->fd = sys_link_create(&c->attr);
	c->code = errno;
	return 0;
}

static bool kernel_has_links(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)-1;
	attr.link_create.attach_type = BPF_XDP;
	return sys_link_create(&attr) >= 0 || errno != EINVAL;
}

static int refused(struct bpfstamp_net *net, const struct hook_place *place, int code, struct bpfstamp_err *err)
{
	struct link_info link;

	if (code == EINVAL && !kernel_has_links())
		return err_set(err, EOPNOTSUPP, "this kernel has no links of XDP (Linux 5.9): leave --link-pin out");
	if (link_find(&net->rtnl, place->ifindex, NULL, &link, err) && err->code == ENODEV)
		return err_wrap(err, "%s is gone", place->dev);
	err_set(err, code, "attach to XDP of %s by a link: %s", place->dev, strerror(code));
	if (code == EBUSY || code == EEXIST)
		err->code = EAGAIN;
	else if (code == EPERM)
		err_hint(err, "; needs the capabilities CAP_NET_ADMIN and CAP_BPF");
	else
		err_hint(err, "; the kernel says why only without --link-pin");
	return -1;
}

static int pin_new(int link, const char *pin, bool defunct, struct bpfstamp_err *err)
{
	if (defunct)
		unlink(pin);
	if (!pin_fd(pin, link, err))
		return 0;
	sys_link_detach(link);
	if (err->code == EEXIST)
		err->code = EAGAIN;
	return -1;
}

int xdplink_create(struct bpfstamp_net *net, const struct hook_place *place, int fd, enum bpfstamp_xdp_mode mode,
		   bool defunct, struct bpfstamp_err *err)
{
	const char *pin = place->hook->pin, *slash = strrchr(pin, '/');
	struct creation c = { .fd = -1 };
	char folder[PIN_PATH_SIZE];
	size_t made;
	int ret;

	if (strlen(pin) >= sizeof(folder))
		return err_set(err, ENAMETOOLONG, "cannot pin at %.64s…: the path is too long", pin);
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - pin) + (slash == pin) : 1, slash ? pin : ".");
	memset(&c.attr, 0, sizeof(c.attr));
	c.attr.link_create.prog_fd = (uint32_t)fd;
	c.attr.link_create.target_ifindex = (uint32_t)place->ifindex;
	c.attr.link_create.attach_type = BPF_XDP;
	c.attr.link_create.flags = xdp_mode_flag(mode);
	if (pin_make_folders(folder, &made, err))
		return -1;
	ret = inside(net->netns_fd, create, &c, err);
	if (!ret)
		ret = c.fd < 0 ? refused(net, place, c.code, err) : pin_new(c.fd, pin, defunct, err);
	if (c.fd >= 0)
		close(c.fd);
	if (ret)
		pin_remove_folders(folder, made);
	return ret;
}

/* ---------------------------------------------------------- what is there */

int xdplink_update(int link, const char *dev, int fd, int expected, struct bpfstamp_err *err)
{
	int code;

	if (!update(link, fd, expected))
		return 0;
	code = errno;
	err_set(err, code, "replace the program of the XDP link on %s: %s", dev, strerror(code));
	if (code == ENOLINK || (code == EPERM && expected >= 0))
		err->code = EAGAIN;
	else if (code == EINVAL)
		err_hint(err, "; a link only takes programs of the type and the expected attach type of its first: "
			 "detach it first");
	return -1;
}

int xdplink_remove(int link, const char *pin, struct bpfstamp_err *err)
{
	if (unlink(pin))
		return err_set(err, errno, "cannot remove the pin %s: %s", pin, strerror(errno));
	sys_link_detach(link);
	return 0;
}

int xdplink_find(uint32_t prog_id, int ifindex, uint32_t *id)
{
	struct bpf_link_info info;
	int fd, found = -1;

	for (uint32_t next = 0; !sys_link_next(next, &next);) {
		fd = sys_link_by_id(next);
		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		if (sys_link_info(fd, &info) || info.type != BPF_LINK_TYPE_XDP || info.prog_id != prog_id ||
		    info.xdp.ifindex != (uint32_t)ifindex) {
			close(fd);
		} else if (found >= 0) {
			close(fd);
			close(found);
			return -1;
		} else {
			found = fd;
			*id = info.id;
		}
	}
	return found;
}
