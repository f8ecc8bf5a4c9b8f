/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that attaching takes: one message of netlink, or two.
 */
#ifndef BENCH_FILTER_H
#define BENCH_FILTER_H

/* A socket for filter_replace, or -1 with errno. */
int filter_open(void);

/* Make the clsact qdisc of an interface, if it is not there: 0, or -1 with errno. */
int filter_clsact(int sock, int ifindex);

/* Delete it, if it is there, with its filters. */
int filter_clsact_delete(int sock, int ifindex);

/* Put a program at egress of an interface that has a clsact qdisc, or replace the one there. */
int filter_replace(int sock, int ifindex, int prog_fd);

/* The same where there must be none. */
int filter_create(int sock, int ifindex, int prog_fd);

/* Have the kernel say what is there; 0 where something is. */
int filter_look(int sock, int ifindex);

#endif
