// SPDX-License-Identifier: BSD-2-Clause
/*
 * TCX and netkit.
 */
#include <errno.h>

#include "hook/hook.h"
#include "loader/err.h"

static int check(struct bpfstamp_net *net, const struct hook_place *place, const char *name,
		 struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	(void)net; (void)place; (void)name; (void)out;
	return err_set(err, ENOSYS, "no links yet");
}

static int attach(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	(void)net; (void)place; (void)name; (void)out; (void)fd;
	return err_set(err, ENOSYS, "no links yet");
}

static int detach(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	(void)net; (void)place; (void)dry; (void)out;
	return err_set(err, ENOSYS, "no links yet");
}

const struct hook_ops hook_links = { .check = check, .attach = attach, .detach = detach };

int hook_links_show(const struct hook_show *show, const struct link_info *link, enum bpfstamp_hook_type type,
		    enum bpfstamp_direction direction, struct bpfstamp_err *err)
{
	(void)show; (void)link; (void)type; (void)direction; (void)err;
	return 0;
}

int hook_links_show_defunct(const struct hook_show *show, struct bpfstamp_err *err)
{
	(void)show; (void)err;
	return 0;
}

bool hook_links_usable(struct bpfstamp_net *net, const struct hook_place *place)
{
	(void)net; (void)place;
	return false;
}
