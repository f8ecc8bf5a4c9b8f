/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of links need: a namespace with a pair of veth (tests/netns.h)
 * and a bpffs (tests/bpffs.h), programs that leave a trace, packets, and what others would attach.
 */
#ifndef TESTS_LINKSBED_H
#define TESTS_LINKSBED_H

#include "hook/mprog.h"
#include "loader/pin.h"
#include "loader/sys.h"
#include "tests/bpffs.h"
#include "tests/netns.h"

struct linksbed {
	struct bpfstamp_net *net;
	enum bpfstamp_hook_type type;	/* what the functions below are about: TCX, on va */
	const char *dev;
	int ifindex;
	int map;			/* of one u64, which the programs change */
	int sender, receiver;		/* sockets, on dev and on vb */
	int fds;			/* how many are open before a test */
};

extern struct linksbed linksbed;

/* Whether the tests can run; says what they skip, and why, where not.  And whether the kernel has TCX. */
bool linksbed_usable(const char *suite);
bool linksbed_has_tcx(void);

/* A socket that sends packets from an interface, or receives them. */
int linksbed_socket(const char *dev);

/* Fixture; the teardown fails where anything is left. */
void linksbed_setup(void);
void linksbed_teardown(void);

/* A hook of that type on that interface; what the kernel has attached there. */
struct bpfstamp_hook linksbed_hook(enum bpfstamp_direction direction);
struct mprog_list linksbed_list(enum bpfstamp_direction direction);

/* A program that writes its digit behind those in the map and passes on; and one that counts there, and drops. */
int linksbed_digit(const char *name, uint32_t digit);
int linksbed_dropper(const char *name);
uint32_t linksbed_id(int program);
void linksbed_close(const int *programs, unsigned int count);

/* How many programs of that name the kernel has; it may need a while to forget one. */
uint32_t linksbed_programs(const char *name);

int linksbed_attach(const struct bpfstamp_hook *hook, int program, const char *name, struct bpfstamp_attachment *out);
int linksbed_attach_new(const struct bpfstamp_hook *hook, const char *name, struct bpfstamp_attachment *out);

int linksbed_check(const struct bpfstamp_hook *hook, const char *name, struct bpfstamp_plan *out);
int linksbed_detach(const struct bpfstamp_hook *hook, struct bpfstamp_attachment *out);

/* Detach all that bpfstamp attached there, one by one. */
void linksbed_detach_all(enum bpfstamp_direction direction);

/* As another tool does: without a link, and with one, behind all others on egress of va. */
void linksbed_attach_foreign(int program);
int linksbed_link_foreign(int program);
int linksbed_link_on(enum bpfstamp_direction direction, int program);

/* The kernel has these programs there, in this order; -1 ends them. */
void linksbed_order(enum bpfstamp_direction direction, const int *programs);

/* Send a packet from dev; what digits it got; how many were counted; whether one has arrived on vb. */
void linksbed_send(void);
uint64_t linksbed_digits(void);
uint64_t linksbed_counted(void);
bool linksbed_arrived(void);

/* The path of a pin of dev. */
const char *linksbed_pin(const char *rest);

struct linksbed_shown {
	uint32_t count;
	struct bpfstamp_attachment list[8];
};

struct linksbed_shown linksbed_show(const char *dev);

#endif
