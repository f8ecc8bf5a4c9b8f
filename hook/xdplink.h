/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XDP as a BPF link that is pinned (Linux 5.9).  A failure with EAGAIN means
 * that something has changed since the caller looked.
 */
#ifndef HOOK_XDPLINK_H
#define HOOK_XDPLINK_H

#include "hook/hook.h"

struct bpf_link_info;

/* Open a pinned link of XDP: *fd is -1 where nothing is pinned there; what is no link of XDP is an error. */
int xdplink_open(const char *pin, int *fd, struct bpf_link_info *info, struct bpfstamp_err *err);

/*
 * Make a link of program fd and pin it at hook->pin, where a defunct link may
 * be.  What the kernel then refuses leaves nothing.
 */
int xdplink_create(struct bpfstamp_net *net, const struct hook_place *place, int fd, enum bpfstamp_xdp_mode mode,
		   bool defunct, struct bpfstamp_err *err);

/* Put program fd in the place of the link's program, which is expected (-1: any). */
int xdplink_update(int link, const char *dev, int fd, int expected, struct bpfstamp_err *err);

/* Remove the pin of a link, and the link with it. */
int xdplink_remove(int link, const char *pin, struct bpfstamp_err *err);

/*
 * Open the link that holds program prog_id on an interface, by looking at all
 * links: -1 where there is none, where this process may not look (CAP_SYS_ADMIN), or where
 * interfaces of several namespaces have that index and that program.
 */
int xdplink_find(uint32_t prog_id, int ifindex, uint32_t *id);

#endif
