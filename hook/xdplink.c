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
 *
 * Pins are made, replaced and removed as those of other links are (hook/linkpin.c).
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

int xdplink_open(const char *path, struct linkpin *out, struct bpfstamp_err *err)
{
	struct linkpin pin;

	if (strlen(path) >= LINKPIN_SIZE)
		return err_set(err, ENAMETOOLONG, "cannot pin at %.64s…: the path is longer than %d bytes", path,
			       LINKPIN_SIZE - 1);
	if (linkpin_open(path, &pin, err))
		return -1;
	if (pin.kind != LINKPIN_NONE && (pin.kind != LINKPIN_LINK || pin.link.type != BPF_LINK_TYPE_XDP)) {
		linkpin_close(&pin);
		return err_set(err, EEXIST, "%s is the pin of something else than a link of XDP: remove it, or "
			       "choose another --link-pin", path);
	}
	*out = pin;
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

static int pin_new(const char *path, int link, const struct linkpin *there, struct bpfstamp_err *err)
{
	if (!linkpin_put(path, link, there, err))
		return 0;
	sys_link_detach(link);
	if (err->code == EEXIST || err->code == ENOENT)
		err->code = EAGAIN;
	return -1;
}

/* That nothing can be pinned there is seen before the interface has the program. */
int xdplink_create(struct bpfstamp_net *net, const struct hook_place *place, int fd, enum bpfstamp_xdp_mode mode,
		   const struct linkpin *there, struct bpfstamp_err *err)
{
	struct creation c = { .fd = -1 };
	char folder[LINKPIN_SIZE];
	int ret;

	linkpin_folder(folder, place->hook->pin);
	if (pin_check_folder(folder, err))
		return -1;
	memset(&c.attr, 0, sizeof(c.attr));
	c.attr.link_create.prog_fd = (uint32_t)fd;
	c.attr.link_create.target_ifindex = (uint32_t)place->ifindex;
	c.attr.link_create.attach_type = BPF_XDP;
	c.attr.link_create.flags = xdp_mode_flag(mode);
	if (inside(net->netns_fd, create, &c, err))
		return -1;
	if (c.fd < 0)
		return refused(net, place, c.code, err);
	ret = pin_new(place->hook->pin, c.fd, there, err);
	close(c.fd);
	return ret;
}

/* ---------------------------------------------------------- what is there */

int xdplink_update(int link, const char *dev, int fd, int expected, struct bpfstamp_err *err)
{
	int code;

	if (!sys_link_update(link, fd, expected))
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

int xdplink_remove(const struct linkpin *pin, const char *path, struct bpfstamp_err *err)
{
	if (linkpin_remove(path, pin, err))
		return -1;
	sys_link_detach(pin->fd);
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
