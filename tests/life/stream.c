// SPDX-License-Identifier: BSD-2-Clause
/*
 * stream COUNT FROM TO ADDRESS PASS DROP
 *
 * Sends pairs of UDP packets, one to port PASS and one to port DROP, from network
 * namespace FROM (a path) to ADDRESS in namespace TO, and counts what arrives: of
 * COUNT pairs or, where that is 0, until SIGTERM.  It prints
 *
 *	sent PAIRS lost N leaked N strange N
 *
 * lost: packets to PASS that never arrived; leaked: packets to DROP that did;
 * strange: what arrived twice, or was never sent.
 *
 * Each packet has a number, and no more than WINDOW pairs are on their way: the
 * queues between hold more than that, so that no packet is lost but by a program.
 * Those that are late have a second before they count as lost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 16, PATIENCE = 1000 /* ms */, PAUSE = 50 /* µs */, LATE = 5000 /* µs */ };

struct stream {
	int from[2], to[2];		/* sockets: of what passes, of what is dropped */
	uint64_t sent, strange;
	uint64_t arrived[2];
	uint64_t window_start;		/* the first number that is not accounted for */
	uint32_t seen;			/* bits: those from window_start that passed */
};

static volatile sig_atomic_t stop;

static void on_term(int signal)
{
	(void)signal;
	stop = 1;
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(2, "%s", netns);
	close(fd);
}

static int udp_socket(const char *address, const char *port, int (*go)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 || go(fd, (struct sockaddr *)&to, sizeof(to)))
		err(2, "%s port %s", address, port);
	return fd;
}

/* Everything that has arrived. */
static void drain(struct stream *s)
{
	uint64_t number;

	while (recv(s->to[0], &number, sizeof(number), MSG_DONTWAIT) >= 0) {
		uint64_t at = number - s->window_start;

		if (number < s->window_start || number >= s->sent || s->seen >> at & 1) {
			s->strange++;
			continue;
		}
		s->seen |= 1u << at;
		s->arrived[0]++;
	}
	while (recv(s->to[1], &number, sizeof(number), MSG_DONTWAIT) >= 0)
		s->arrived[1]++;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whatever of the window passes has arrived, or is lost. */
static void settle(struct stream *s)
{
	int64_t until = now_ms() + PATIENCE, left;
	uint32_t all = (uint32_t)((1ull << (s->sent - s->window_start)) - 1);
	struct pollfd p = { .fd = s->to[0], .events = POLLIN };

	for (drain(s); s->seen != all && (left = until - now_ms()) > 0; drain(s))
		poll(&p, 1, (int)left);
	s->window_start = s->sent;
	s->seen = 0;
}

/* ENOBUFS, ECONNREFUSED and EPERM may come from a program that drops: what arrives is what counts. */
static void send_window(struct stream *s, uint64_t count)
{
	for (int i = 0; i < WINDOW && !stop && (!count || s->sent < count); i++) {
		uint64_t number = s->sent++;

		for (int k = 0; k < 2; k++)
			if (send(s->from[k], &number, sizeof(number), 0) < 0 && errno != ENOBUFS &&
			    errno != ECONNREFUSED && errno != EPERM)
				err(2, "send");
	}
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	struct stream s = { 0 };
	uint64_t count;

	if (argc != 7)
		errx(2, "usage: stream COUNT FROM TO ADDRESS PASS DROP");
	count = strtoull(argv[1], NULL, 10);
	enter(argv[3]);
	for (int k = 0; k < 2; k++)
		s.to[k] = udp_socket(argv[4], argv[5 + k], bind);
	enter(argv[2]);
	for (int k = 0; k < 2; k++)
		s.from[k] = udp_socket(argv[4], argv[5 + k], connect);
	sigaction(SIGTERM, &term, NULL);
	while (!stop && (!count || s.sent < count)) {
		send_window(&s, count);
		settle(&s);
		if (!count)
			usleep(PAUSE);
	}
	usleep(LATE);
	drain(&s);
	printf("sent %llu lost %llu leaked %llu strange %llu\n", (unsigned long long)s.sent,
	       (unsigned long long)(s.sent - s.arrived[0]), (unsigned long long)s.arrived[1],
	       (unsigned long long)s.strange);
	return 0;
}
