// SPDX-License-Identifier: BSD-2-Clause
/*
 * XDP.
 */
#include <errno.h>

#include "hook/hook.h"
#include "loader/err.h"

static int check(struct bpfstamp_net *net, const struct hook_place *place, const char *name,
		 struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	(void)net; (void)place; (void)name; (void)out;
	return err_set(err, ENOSYS, "no XDP yet");
}

static int attach(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	(void)net; (void)place; (void)name; (void)out; (void)fd;
	return err_set(err, ENOSYS, "no XDP yet");
}

static int detach(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	(void)net; (void)place; (void)dry; (void)out;
	return err_set(err, ENOSYS, "no XDP yet");
}

const struct hook_ops hook_xdp = { .check = check, .attach = attach, .detach = detach };

int hook_xdp_show(const struct hook_show *show, const struct link_info *link, struct bpfstamp_err *err)
{
	(void)show; (void)link; (void)err;
	return 0;
}
