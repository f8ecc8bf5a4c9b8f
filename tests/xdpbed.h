/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of XDP need: a namespace with a pair of veth (tests/netns.h)
 * and a bpffs (tests/bpffs.h), programs of bpfstamp and of others, and packets from vb to va.
 */
#ifndef TESTS_XDPBED_H
#define TESTS_XDPBED_H

#include "include/bpfstamp.h"
#include "netlink/link.h"
#include "tests/bpffs.h"
#include "tests/netns.h"

#define XDPBED_PIN BPFFS "/folder/pin"

struct xdpbed {
	struct bpfstamp_net *net;
	struct bpfstamp_attachment made;	/* by the last attach, or removed by the last detach */
	int fds;				/* how many are open before a test */
};

extern struct xdpbed xdpbed;

/* All modes; and the kernel's flags of the first two. */
extern const enum bpfstamp_xdp_mode xdpbed_modes[3];
extern const uint32_t xdpbed_flags[2];

/* Whether the tests can run; says what they skip, and why, where not. */
bool xdpbed_usable(const char *suite);

/* Fixture. */
void xdpbed_setup(void);
void xdpbed_teardown(void);

/* Programs are the test's to close; nothing else may be open, or pinned. */
void xdpbed_nothing_left(int programs);

/* Whether programs by netlink can be known to be ours, and whether there are links; where not, what is skipped. */
bool xdpbed_records(const char *what);
bool xdpbed_links(const char *what);

/* A program with a record that always comes to that verdict; and one of others, which drops. */
int xdpbed_ours(uint32_t verdict);
int xdpbed_foreign(void);
uint32_t xdpbed_id(int program);

/* XDP of va; and what is done there. */
struct bpfstamp_hook xdpbed_hook(enum bpfstamp_xdp_mode mode, const char *pin);
int xdpbed_attach(const struct bpfstamp_hook *hook, int program);
int xdpbed_detach(const struct bpfstamp_hook *hook);
int xdpbed_check(const struct bpfstamp_hook *hook, struct bpfstamp_plan *plan);

/* As another tool does, by netlink; -1 removes what is there. */
void xdpbed_put(int program, uint32_t flags);

/* What the kernel tells of va.  And the only program there is that one, in that mode; 0: none. */
struct link_info xdpbed_va(void);
void xdpbed_has(uint32_t id, enum bpfstamp_xdp_mode mode);

struct xdpbed_shown {
	unsigned int count;
	struct bpfstamp_attachment last;
};

/* What bpfstamp tells of va. */
struct xdpbed_shown xdpbed_show(void);

/* The call failed with that code; its error holds that text, whatever ids are in it. */
void xdpbed_says(int status, int code, const char *text);

/* A packet from vb comes in at va, or is lost. */
void xdpbed_passes(void);
void xdpbed_drops(void);

#endif
