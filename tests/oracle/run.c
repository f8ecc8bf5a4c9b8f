// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a TC program does can be seen in its return value, in the packet, and in
 * the fields of the skb that a test run hands back (mark, priority, cb).  Two
 * programs are equal here if all of that is the same on all packets, which are
 * run in the same order, so that programs which keep something in their data
 * are compared, too.
 *
 * Random packets would hardly ever make a comparison with a constant true.
 * Each packet therefore has a theme, one value derived from those in question,
 * that stands in about half of its fields, in one of four widths.
 */
#include "tests/oracle/run.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t turned(struct prng *prng, uint64_t v)
{
	static const int8_t near[] = { 0, 0, 0, 1, -1, 2, 3 };

	switch (prng_below(prng, 12)) {
	case 0:
		return __builtin_bswap32((uint32_t)v);
	case 1:
		return __builtin_bswap64(v);
	case 2:
		return __builtin_bswap16((uint16_t)v);
	case 3:
		return ~v;
	case 4:
		return -v;
	case 5:
		return v >> (8 * (1 + prng_below(prng, 3)));
	case 6:
		return (uint64_t)(int32_t)v;
	default:
		return v + (uint64_t)(int64_t)near[prng_below(prng, sizeof(near))];
	}
}

static uint64_t other(struct prng *prng, uint64_t theme)
{
	switch (prng_below(prng, 6)) {
	case 0:
		return prng_below(prng, 20);
	case 1:
		return ~(uint64_t)prng_below(prng, 3);
	case 2:
	case 3:
		return prng_next(prng);
	default:
		return turned(prng, theme);
	}
}

void run_packets(struct run_packet *packets, struct prng *prng, const uint64_t *values, uint32_t count)
{
	for (uint32_t i = 0; i < RUN_PACKETS; i++) {
		struct run_packet *p = &packets[i];
		uint64_t value = values[i % count], theme = i < 4 * count ? value : turned(prng, value);

		for (uint32_t at = 0; at < RUN_PACKET_SIZE; at += 8) {
			static const uint8_t widths[] = { 1, 2, 4, 4, 4, 8 };
			uint8_t width = widths[prng_below(prng, sizeof(widths))];

			for (uint32_t in = 0; in < 8; in += width) {
				uint64_t v = prng_below(prng, 2) ? theme : other(prng, value);

				memcpy(p->bytes + at + in, &v, width);
			}
		}
		p->mark = (uint32_t)(prng_below(prng, 2) ? theme : other(prng, value));
		p->priority = (uint32_t)(prng_below(prng, 2) ? theme : other(prng, value));
		for (uint32_t k = 0; k < 5; k++)
			p->cb[k] = (uint32_t)(prng_below(prng, 2) ? theme : other(prng, value));
	}
}

struct outcome {
	uint32_t ret, size;
	uint8_t bytes[2 * RUN_PACKET_SIZE];
	struct __sk_buff skb;
};

static bool run(int fd, const struct run_packet *p, struct outcome *out)
{
	struct __sk_buff in = { .mark = p->mark, .priority = p->priority };
	union bpf_attr attr = { 0 };

	memcpy(in.cb, p->cb, sizeof(in.cb));
	memset(out, 0, sizeof(*out));
	attr.test.prog_fd = (uint32_t)fd;
	attr.test.data_in = (uint64_t)(uintptr_t)p->bytes;
	attr.test.data_size_in = RUN_PACKET_SIZE;
	attr.test.data_out = (uint64_t)(uintptr_t)out->bytes;
	attr.test.data_size_out = sizeof(out->bytes);
	attr.test.ctx_in = (uint64_t)(uintptr_t)&in;
	attr.test.ctx_size_in = sizeof(in);
	attr.test.ctx_out = (uint64_t)(uintptr_t)&out->skb;
	attr.test.ctx_size_out = sizeof(out->skb);
	attr.test.repeat = 1;
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		return false;
	out->ret = attr.test.retval;
	out->size = attr.test.data_size_out;
	return true;
}

static bool same(const struct outcome *a, const struct outcome *b, char *text, size_t size)
{
	if (a->ret != b->ret)
		snprintf(text, size, "returns 0x%x and not 0x%x", a->ret, b->ret);
	else if (a->skb.mark != b->skb.mark)
		snprintf(text, size, "mark is 0x%x and not 0x%x", a->skb.mark, b->skb.mark);
	else if (a->skb.priority != b->skb.priority)
		snprintf(text, size, "priority is 0x%x and not 0x%x", a->skb.priority, b->skb.priority);
	else if (memcmp(a->skb.cb, b->skb.cb, sizeof(a->skb.cb)))
		snprintf(text, size, "cb differs");
	else if (a->size != b->size || memcmp(a->bytes, b->bytes, a->size))
		snprintf(text, size, "the packet differs");
	else
		return true;
	return false;
}

enum run_result run_compare(int a, int b, const struct run_packet *packets, char *text, size_t size)
{
	for (uint32_t i = 0; i < RUN_PACKETS; i++) {
		struct outcome in_a, in_b;
		size_t at;

		if (!run(a, &packets[i], &in_a) || !run(b, &packets[i], &in_b)) {
			snprintf(text, size, "BPF_PROG_TEST_RUN: %s", strerror(errno));
			return RUN_FAILED;
		}
		at = (size_t)snprintf(text, size, "packet %u: ", i);
		if (!same(&in_a, &in_b, text + at, size - at))
			return RUN_DIFFERENT;
	}
	return RUN_EQUAL;
}
