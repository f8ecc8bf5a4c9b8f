/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XDP as a BPF link that is pinned (Linux 5.9).  A failure with EAGAIN means
 * that something has changed since the caller looked.
 */
#ifndef HOOK_XDPLINK_H
#define HOOK_XDPLINK_H

#include "hook/linkpin.h"

/* Open a pinned link of XDP: that there is none is no error, what is no link of XDP is one. */
int xdplink_open(const char *path, struct linkpin *out, struct bpfstamp_err *err);

/*
 * Make a link of program fd and pin it at hook->pin, in the place of there, if
 * that is still there.  What is refused leaves nothing.
 */
int xdplink_create(struct bpfstamp_net *net, const struct hook_place *place, int fd, enum bpfstamp_xdp_mode mode,
		   const struct linkpin *there, struct bpfstamp_err *err);

/* Put program fd in the place of the link's program, which is expected (-1: any). */
int xdplink_update(int link, const char *dev, int fd, int expected, struct bpfstamp_err *err);

/* Remove a pin, and its link with it; ENOENT where the pin is another's by now. */
int xdplink_remove(const struct linkpin *pin, const char *path, struct bpfstamp_err *err);

/*
 * Open the link that holds program prog_id on an interface, by looking at all
 * links: -1 where there is none, where this process may not look (CAP_SYS_ADMIN), or where
 * interfaces of several namespaces have that index and that program.
 */
int xdplink_find(uint32_t prog_id, int ifindex, uint32_t *id);

#endif
