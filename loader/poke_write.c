// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writing a part of a map's value.
 *
 * BPF_MAP_UPDATE_ELEM writes the whole value of a map, which for a data section
 * is all of its variables: what the program wrote to another one since it was
 * read would be lost.  A program can write a part, so a small one is made,
 * loaded, and run once (BPF_PROG_TEST_RUN):
 *
 *     r1 = address of the variable ll
 *     r2 = 42 ll
 *     *(u32 *)(r1 + 0) = r2
 *     r0 = 0
 *     exit
 *
 * A scalar that stands at a multiple of its size is one store, and whoever
 * reads it sees the old value or the new one.  Anything else is as many stores
 * as its alignment asks for, each of which is as large as it may be.
 *
 * A bitfield shares its bytes with others.  The aligned word around it is
 * replaced by cmpxchg, in a few attempts.  Before Linux 5.12 there is only
 * atomic addition: the difference of the new and the old bits is added, which
 * leaves all other bits as they are, but goes wrong where somebody changes the
 * very same bitfield in between.  Where no aligned word around it belongs to
 * the section (at its end), its bytes are read and written, which may undo what
 * is written to them in between.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpfinsn/bpfinsn.h"
#include "include/bytes.h"
#include "loader/load.h"
#include "loader/poke.h"
#include "loader/sys.h"

enum {
	REACH = 1 << 14,	/* of the offset of a store */
	ATTEMPTS = 64,		/* of a cmpxchg */
	PACKET = 64,		/* any that every kernel accepts for a run */
};

/* ------------------------------------------------------------------ code */

struct snippet {
	uint8_t *raw;
	uint32_t slots;
};

static void put(struct snippet *c, struct bpfinsn insn)
{
	bpfinsn_encode(c->raw + (size_t)c->slots++ * BPFINSN_SIZE, BYTES_HOST_BIG, &insn);
}

static void put_lddw(struct snippet *c, uint8_t reg, uint8_t src, uint32_t low, uint32_t high)
{
	put(c, (struct bpfinsn){ .code = BPF_CODE_LDDW, .dst = reg, .src = src, .imm = (int32_t)low });
	put(c, (struct bpfinsn){ .imm = (int32_t)high });
}

static void put_number(struct snippet *c, uint8_t reg, uint64_t value)
{
	put_lddw(c, reg, 0, (uint32_t)value, (uint32_t)(value >> 32));
}

static void put_alu(struct snippet *c, uint8_t op, uint8_t dst, uint8_t src)
{
	put(c, (struct bpfinsn){ .code = BPF_CLASS_ALU64 | BPF_SOURCE_X | op, .dst = dst, .src = src });
}

static void put_return(struct snippet *c, int32_t value)
{
	put(c, (struct bpfinsn){ .code = BPF_CLASS_ALU64 | BPF_OP_MOV, .imm = value });
	put(c, (struct bpfinsn){ .code = BPF_CLASS_JMP | BPF_OP_EXIT });
}

static uint8_t size_code(uint32_t size)
{
	return size == 8 ? BPF_SIZE_DW : size == 4 ? BPF_SIZE_W : size == 2 ? BPF_SIZE_H : BPF_SIZE_B;
}

/* How many bytes one access at an offset may have. */
static uint32_t piece(uint32_t offset, uint32_t left)
{
	uint32_t size = 8;

	while (offset % size || size > left)
		size /= 2;
	return size;
}

/* Store size bytes at an offset of a map's value. */
static void code_store(struct snippet *c, int map_fd, uint32_t offset, const uint8_t *bytes, uint32_t size)
{
	uint32_t done = 0, base = 0;

	put_lddw(c, 1, BPF_SRC_MAP_VALUE, (uint32_t)map_fd, offset);
	while (done < size) {
		uint32_t n = piece(offset + done, size - done);
		uint64_t value = value_load(bytes + done, n, false, BYTES_HOST_BIG);

		if (done - base >= REACH) {
			base = done;
			put_lddw(c, 1, BPF_SRC_MAP_VALUE, (uint32_t)map_fd, offset + base);
		}
		put_number(c, 2, value);
		put(c, (struct bpfinsn){ .code = BPF_CLASS_STX | BPF_MODE_MEM | size_code(n), .dst = 1, .src = 2,
					 .off = (int16_t)(done - base) });
		done += n;
	}
	put_return(c, 0);
}

/* Slots that code_store needs at most: for each store three, and two for each time that the base moves. */
static size_t store_slots(uint32_t size)
{
	return 3 * ((size_t)size / 8 + 8) + 2 * ((size_t)size / REACH + 1) + 2;
}

/* ------------------------------------------------------------- bitfields */

enum { WINDOW = 16, BITFIELD_SLOTS = 8 * ATTEMPTS + 8 * WINDOW + 16 };

/* The bits of a bitfield in the 16 bytes from a multiple of 8 on. */
struct bits {
	int map_fd;
	uint32_t base;			/* offset of these bytes in the map's value */
	uint32_t first, last;		/* of these, which the bitfield touches */
	uint32_t value_size;		/* of the map */
	uint8_t mask[WINDOW], bits[WINDOW];
};

static struct bits bits_of(int map_fd, uint32_t value_size, uint32_t offset, const struct part *part, uint64_t value)
{
	uint32_t first = offset + part->bit_offset / 8;
	struct bits b = { .map_fd = map_fd, .base = first & ~7u, .first = first & 7, .value_size = value_size };
	struct part local = *part;

	local.offset = 0;
	local.bit_offset = b.first * 8 + part->bit_offset % 8;
	b.last = (local.bit_offset + part->type.bits - 1) / 8;
	part_put_bits(&local, BYTES_HOST_BIG, b.mask, ~(uint64_t)0);
	part_put_bits(&local, BYTES_HOST_BIG, b.bits, value);
	return b;
}

/* An aligned word of the map's value that has all of the bits: its size, or 0 where there is none. */
static uint32_t word_of(const struct bits *b, uint32_t *at)
{
	for (uint32_t size = 4; size <= 8; size *= 2) {
		*at = b->first & ~(size - 1);
		if (b->last < *at + size && b->value_size - b->base >= *at + size)
			return size;
	}
	return 0;
}

/* r1: the word's address; r0: what it holds; r4: the other bits of it; r5: the new ones. */
static void code_prepare(struct snippet *c, const struct bits *b, uint32_t at, uint32_t size)
{
	put_lddw(c, 1, BPF_SRC_MAP_VALUE, (uint32_t)b->map_fd, b->base + at);
	put(c, (struct bpfinsn){ .code = BPF_CLASS_LDX | BPF_MODE_MEM | size_code(size), .dst = 0, .src = 1 });
	put_number(c, 4, ~value_load(b->mask + at, size, false, BYTES_HOST_BIG));
	put_number(c, 5, value_load(b->bits + at, size, false, BYTES_HOST_BIG));
}

static struct bpfinsn atomic(uint32_t size, uint8_t src, int32_t op)
{
	return (struct bpfinsn){ .code = BPF_CLASS_STX | BPF_MODE_ATOMIC | size_code(size), .dst = 1, .src = src,
				 .imm = op };
}

static void code_exchange(struct snippet *c, const struct bits *b, uint32_t at, uint32_t size)
{
	code_prepare(c, b, at, size);
	for (int left = ATTEMPTS - 1; left >= 0; left--) {
		put_alu(c, BPF_OP_MOV, 3, 0);
		put_alu(c, BPF_OP_MOV, 2, 0);
		put_alu(c, BPF_OP_AND, 2, 4);
		put_alu(c, BPF_OP_OR, 2, 5);
		put(c, atomic(size, 2, BPF_ATOMIC_CMPXCHG));
		put(c, (struct bpfinsn){ .code = BPF_CLASS_JMP | BPF_SOURCE_X | BPF_OP_JEQ, .dst = 0, .src = 3,
					 .off = (int16_t)(6 * left + 2) });
	}
	put_return(c, 1);
	put_return(c, 0);
}

static void code_add(struct snippet *c, const struct bits *b, uint32_t at, uint32_t size)
{
	code_prepare(c, b, at, size);
	put_alu(c, BPF_OP_MOV, 2, 0);
	put_alu(c, BPF_OP_AND, 2, 4);
	put_alu(c, BPF_OP_SUB, 0, 2);
	put_alu(c, BPF_OP_SUB, 5, 0);
	put(c, atomic(size, 5, BPF_OP_ADD));
	put_return(c, 0);
}

static void code_bytes(struct snippet *c, const struct bits *b)
{
	for (uint32_t at = b->first; at <= b->last; at++) {
		code_prepare(c, b, at, 1);
		put_alu(c, BPF_OP_AND, 0, 4);
		put_alu(c, BPF_OP_OR, 0, 5);
		put(c, (struct bpfinsn){ .code = BPF_CLASS_STX | BPF_MODE_MEM | BPF_SIZE_B, .dst = 1, .src = 0 });
	}
	put_return(c, 0);
}

/* ------------------------------------------------------------------- run */

static int load(const struct snippet *c)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uint64_t)(uintptr_t)c->raw;
	attr.insn_cnt = c->slots;
	attr.license = (uint64_t)(uintptr_t)"BSD";
	sys_name(attr.prog_name, "bpfstamp_poke");
	fd = sys_prog_load(&attr);
	if (fd < 0 && errno == EPERM && load_raise_memlock(NULL))
		fd = sys_prog_load(&attr);
	return fd;
}

/* 0, or an errno: EBUSY where the program itself gave up. */
static int run_fd(int fd)
{
	const uint8_t packet[PACKET] = { 0 };
	union bpf_attr attr;
	int ret;

	do {
		memset(&attr, 0, sizeof(attr));
		attr.test.prog_fd = (uint32_t)fd;
		attr.test.data_in = (uint64_t)(uintptr_t)packet;
		attr.test.data_size_in = sizeof(packet);
		attr.test.repeat = 1;
		ret = sys_prog_test_run(&attr);
	} while (ret && errno == EINTR);
	if (ret)
		return errno;
	return attr.test.retval ? EBUSY : 0;
}

/* 0, or an errno; *loaded: whether the kernel took the program. */
static int run(const struct snippet *c, bool *loaded)
{
	int fd = load(c), ret;

	*loaded = fd >= 0;
	if (fd < 0)
		return errno;
	ret = run_fd(fd);
	close(fd);
	return ret;
}

int poke_bytes(int map_fd, uint32_t offset, const uint8_t *bytes, uint32_t size)
{
	struct snippet c = { .raw = malloc(store_slots(size) * BPFINSN_SIZE) };
	bool loaded;
	int ret;

	if (!c.raw)
		return ENOMEM;
	code_store(&c, map_fd, offset, bytes, size);
	ret = run(&c, &loaded);
	free(c.raw);
	return ret;
}

int poke_bits(int map_fd, uint32_t value_size, uint32_t offset, const struct part *part, uint64_t value)
{
	const struct bits b = bits_of(map_fd, value_size, offset, part, value);
	uint8_t raw[BITFIELD_SLOTS * BPFINSN_SIZE];
	struct snippet c = { .raw = raw };
	uint32_t at, size = word_of(&b, &at);
	bool loaded;
	int ret;

	if (!size) {
		code_bytes(&c, &b);
		return run(&c, &loaded);
	}
	code_exchange(&c, &b, at, size);
	ret = run(&c, &loaded);
	if (loaded || ret == EPERM)
		return ret;
	c.slots = 0;
	code_add(&c, &b, at, size);
	return run(&c, &loaded);
}
