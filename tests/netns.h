/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of netlink/ need of a running kernel: a network namespace of
 * their own with a pair of veth, a program, what a command prints, and faults
 * in what the kernel answers.
 *
 * For the faults, netns.c defines recvmsg(), so that every receive of the whole
 * test program goes through it.  While a test has armed netns.fault, it loses,
 * changes or makes up datagrams as a kernel might; else it only receives.
 */
#ifndef TESTS_NETNS_H
#define TESTS_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include <check.h>

#include "netlink/rtnl.h"
#include "netlink/tcmsg.h"

#define INGRESS (0xffff0000u | TC_INGRESS)
#define EGRESS (0xffff0000u | TC_EGRESS)

enum netns_kind {
	NETNS_NONE, NETNS_FAIL, NETNS_INTERRUPT_DUMP, NETNS_TRUNCATE, NETNS_HIDE_ECHO, NETNS_MAKE_UP, NETNS_SAY,
	NETNS_CALL,
};

/* Of the kernel's, by SAY: 16 bytes of header, an int, and nothing more. */
struct netns_message {
	uint16_t type, flags;
	int code;
	uint32_t len;			/* that it claims, where not 0 */
};

struct netns_fault {
	enum netns_kind kind;
	int after, times;		/* lets so many waits pass, then hits so many */
	int code;			/* FAIL: errno; MAKE_UP: of the answer, negative as in netlink */
	const int *codes;		/* MAKE_UP: instead of code, one a hit */
	uint32_t seq, portid, from;	/* MAKE_UP: how far from the right ones */
	uint32_t attr_offset;		/* MAKE_UP: offending attribute, or 0 */
	const struct netns_message *say;	/* SAY: a datagram; ends with type 0 */
	size_t extra;			/* SAY: bytes behind the last message */
	bool (*call)(void *arg);	/* CALL: before it is received */
	void *arg;
};

/* Of a test, set by netns_setup. */
struct netns {
	struct rtnl rtnl;
	struct bpfstamp_err err;
	int ifindex;			/* of "va", whose peer is "vb" */
	struct netns_fault fault;
	unsigned int waits;		/* for datagrams, so far */
};

extern struct netns netns;

/* Whether the tests can run; says what they skip, and why, where not. */
bool netns_usable(const char *suite);

/* Fixture: netns_setup enters a new namespace, which ends with the process. */
void netns_setup(void);
void netns_teardown(void);

/* An fd of one more namespace; the caller stays where it is. */
int netns_another(void);

/* The call succeeds; or fails with that code and text, of which "…" at the end stands for any rest. */
#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, netns.err.text)
#define FAILS(call, code, text) netns_failed(call, code, text)
void netns_failed(int status, int code, const char *text);

/* Or with a text that begins and ends so, and between them has the kernel's own words, which change. */
#define REFUSED(call, code, start, end) netns_failed_with(call, code, start, end)
void netns_failed_with(int status, int code, const char *start, const char *end);

int netns_ifindex(const char *name);
void netns_run(const char *command);
const char *netns_output(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A loaded program of two instructions. */
int netns_program(uint32_t type);

/* A filter with such a program for egress of va at prio 1, protocol all. */
struct tc_filter netns_filter(uint32_t handle);

int netns_set(const struct tc_filter *f, bool exclusive, struct tc_filter *out);

/* Make clsact on va; and that many filters on it, of handles 1 to count. */
void netns_clsact(void);
void netns_filters(uint32_t count);

struct netns_seen {
	unsigned int filters, others;	/* others: not of kind bpf */
	unsigned int stop_at;		/* fail after so many, where not 0 */
	uint64_t handles;		/* their sum */
	struct tc_filter other;		/* the last of others */
};

/* A tc_filter_fn; and what it sees on egress of va. */
int netns_see(const struct tc_filter *f, void *seen, struct bpfstamp_err *e);
struct netns_seen netns_see_all(void);

#endif
