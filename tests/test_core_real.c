// SPDX-License-Identifier: BSD-2-Clause
/*
 * CO-RE records of clang's objects (tests/objects/core_*.bpf.c, each -mcpu),
 * resolved against the running kernel, and against what its BTF says when asked
 * type by type here.  A field of that name may have gone from tomorrow's
 * kernel: then the answer has to say so.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/core.h"
#include "loader/core_spec.h"

Suite *suite_core_real(void);

static struct bpfstamp_template *t;	/* of open_both */
static struct kernel *k;

static bool open_both(const char *name, int cpu)
{
	const char *dir = getenv("OBJECTS");
	struct bpfstamp_err err;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.v%d.o", dir ? dir : "build/tests/objects", name, cpu);
	if (access(path, R_OK) || access("/sys/kernel/btf/vmlinux", R_OK)) {
		fprintf(stderr, "SKIP core_real: no %s, or no BTF of the kernel\n", path);
		ck_assert_ptr_null(getenv("CI"));
		return false;
	}
	ck_assert_msg(!bpfstamp_open_file(&t, path, &err), "%s", err.text);
	ck_assert_str_eq(bpfstamp_name(t), path);
	ck_assert_msg(!kernel_open(&k, NULL, &err), "%s", err.text);
	return true;
}

static void close_both(void)
{
	bpfstamp_close(t);
	kernel_close(k);
}

/* Relocate the instruction of the record whose text is that; it has to be there. */
static struct btf_core_relo relocate(const char *text, struct bpfinsn insn[2])
{
	struct btf_core_relo relo;
	struct bpfstamp_err err;
	char buf[256];
	uint32_t c, i;

	for (c = 0; c < t->code_count; c++) {
		for (i = 0; i < t->codes[c].cores.count; i++) {
			const uint8_t *raw = t->image + t->codes[c].image;

			btf_ext_core(&t->ext, &t->codes[c].cores, i, &relo);
			core_text(buf, sizeof(buf), t, &relo);
			if (strcmp(buf, text))
				continue;
			bpfinsn_decode(raw + relo.insn_off, t->elf.big, insn);
			memset(&insn[1], 0, sizeof(insn[1]));
			if (insn->code == BPF_CODE_LDDW)
				bpfinsn_decode(raw + relo.insn_off + BPFINSN_SIZE, t->elf.big, &insn[1]);
			ck_assert_msg(!core_relocate(t, k, &relo, i, insn, &err), "%s", err.text);
			return relo;
		}
	}
	ck_abort_msg("no record '%s'", text);
}

static void check_imm(const char *text, uint64_t want)
{
	struct bpfinsn insn[2];
	uint64_t got;

	relocate(text, insn);
	got = (uint64_t)insn->imm;
	if (insn->code == BPF_CODE_LDDW)
		got = (uint32_t)got | (uint64_t)(uint32_t)insn[1].imm << 32;
	ck_assert_uint_ne(insn->code, BPF_CLASS_JMP | BPF_OP_CALL);
	ck_assert_msg(got == want, "%s: %llu, not %llu", text, (unsigned long long)got, (unsigned long long)want);
}

static void check_poison(const char *text)
{
	struct bpfinsn insn[2];

	relocate(text, insn);
	ck_assert_uint_eq(insn->code, BPF_CLASS_JMP | BPF_OP_CALL);
	ck_assert_int_eq(insn->imm, CORE_POISON);
}

static void check_load(const char *text, uint32_t off, uint8_t size)
{
	struct bpfinsn insn[2];

	relocate(text, insn);
	ck_assert_uint_eq(bpfinsn_class(insn->code), BPF_CLASS_LDX);
	ck_assert_uint_eq(bpfinsn_size(insn->code), size);
	ck_assert_msg((uint32_t)insn->off == off, "%s: %d, not %u", text, insn->off, off);
}

static const struct btf *vmlinux(void)
{
	return &kernel_btf_at(k, 0)->btf;
}

/* A member of type id of the kernel, in anonymous members too; its offset counts from the start of id. */
static bool find_member(uint32_t id, const char *name, struct btf_member *out)
{
	struct btf_type type;
	struct btf_member m;
	uint32_t i;

	id = btf_resolve(vmlinux(), id);
	btf_type(vmlinux(), id, &type);
	if (type.kind != BTF_STRUCT && type.kind != BTF_UNION)
		return false;
	for (i = 0; i < type.vlen; i++) {
		btf_member(vmlinux(), id, i, &m);
		*out = m;
		if (!strcmp(m.name, name))
			return true;
		if (!*m.name && find_member(m.type, name, out)) {
			out->bit_offset += m.bit_offset;
			return true;
		}
	}
	return false;
}

static struct btf_member member(const char *type, const char *name)
{
	struct btf_member m;

	ck_assert_msg(find_member(btf_find(vmlinux(), BTF_STRUCT, type), name, &m), "the kernel has no %s.%s", type,
		      name);
	return m;
}

static uint32_t size_of(uint32_t id)
{
	uint32_t size;

	ck_assert(btf_size(vmlinux(), id, 8, &size));
	return size;
}

/* An integer that is no bitfield: all six kinds. */
static void check_field(const char *type, const char *name, uint32_t is_signed)
{
	const struct btf_member m = member(type, name);
	const uint32_t want[6] = { m.bit_offset / 8, size_of(m.type), 1, is_signed, 64 - 8 * size_of(m.type),
				   64 - 8 * size_of(m.type) };
	static const char *const asked[6] = { "offset", "size", "existence", "sign", "left shift", "right shift" };
	char text[128];

	for (int i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "%s of struct %s.%s", asked[i], type, name);
		check_imm(text, want[i]);
	}
}

/* What a program gets that reads the bytes with the numbers given. */
static uint64_t read_bits(const uint8_t *bytes, uint64_t offset, uint64_t size, uint64_t left, uint64_t right)
{
	uint64_t value = 0;

	for (uint64_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[offset + i] << 8 * (BYTES_HOST_BIG ? size - 1 - i : i);
	return value << left >> right;
}

/* A bitfield, by what it is for: with its bits set and no other, and the other way around. */
static void check_bitfield(const char *name)
{
	static const char *const asked[4] = { "offset", "size", "left shift", "right shift" };
	const struct btf_member m = member("sk_buff", name);
	uint8_t bytes[4096], others[4096];
	uint64_t numbers[4];
	char text[128];
	uint32_t i;

	ck_assert_uint_gt(m.bit_size, 0);
	memset(bytes, 0, sizeof(bytes));
	for (i = m.bit_offset; i < m.bit_offset + m.bit_size; i++)
		bytes[i / 8] |= (uint8_t)(BYTES_HOST_BIG ? 0x80 >> i % 8 : 1 << i % 8);
	for (i = 0; i < sizeof(bytes); i++)
		others[i] = (uint8_t)~bytes[i];
	for (i = 0; i < 4; i++) {
		struct bpfinsn insn[2];

		snprintf(text, sizeof(text), "%s of struct sk_buff.%s", asked[i], name);
		relocate(text, insn);
		numbers[i] = (uint64_t)insn->imm;
	}
	ck_assert_uint_eq(read_bits(bytes, numbers[0], numbers[1], numbers[2], numbers[3]), (1u << m.bit_size) - 1);
	ck_assert_uint_eq(read_bits(others, numbers[0], numbers[1], numbers[2], numbers[3]), 0);
}

START_TEST(test_fields)
{
	struct btf_member m;

	if (!open_both("core_kinds", _i))
		return;
	check_field("sk_buff", "mark", 0);
	check_field("task_struct", "pid", 1);
	check_bitfield("pkt_type");
	check_bitfield("cloned");
	check_imm("existence of struct sk_buff.pkt_type", 1);
	m = member("task_struct", "tasks");
	check_imm("offset of struct task_struct.tasks.prev", m.bit_offset / 8 + 8);
	m = member("task_struct", "comm");
	check_imm("offset of struct task_struct.comm[3]", m.bit_offset / 8 + 3);
	check_imm("size of struct task_struct.comm", size_of(m.type));
	close_both();
}
END_TEST

START_TEST(test_types)
{
	struct bpfinsn insn[2];
	uint32_t id;

	if (!open_both("core_kinds", _i))
		return;
	id = btf_find(vmlinux(), BTF_STRUCT, "sk_buff");
	check_imm("existence of type struct sk_buff", 1);
	check_imm("size of type struct sk_buff", size_of(id));
	check_imm("id of type struct sk_buff", id);
	check_imm("match of type struct sk_buff", 0);
	check_imm("match of type struct list_head", 1);
	check_imm("size of type struct list_head", 16);
	check_imm("id of type pid_t", btf_find(vmlinux(), BTF_TYPEDEF, "pid_t"));
	check_imm("match of type pid_t", 1);
	check_imm("existence of type struct no_such_type", 0);
	check_imm("size of type struct no_such_type", 0);
	check_imm("id of type struct no_such_type", 0);
	check_imm("match of type struct no_such_type", 0);
	check_imm("id in the object of type struct no_such_type",
		  relocate("id in the object of type struct no_such_type", insn).type);
	close_both();
}
END_TEST

START_TEST(test_enums)
{
	uint32_t wide;

	if (!open_both("core_kinds", _i))
		return;
	check_imm("existence of enum bpf_func_id___local value BPF_FUNC_get_smp_processor_id___local", 1);
	check_imm("number for enum bpf_func_id___local value BPF_FUNC_get_smp_processor_id___local", 8);
	check_imm("existence of enum bpf_func_id___local value BPF_FUNC_no_such_helper___local", 0);
	check_poison("number for enum bpf_func_id___local value BPF_FUNC_no_such_helper___local");
	check_imm("existence of enum core_func_id___x value BPF_FUNC_no_such_helper___x", 0);
	check_poison("number for enum core_func_id___x value BPF_FUNC_no_such_helper___x");
	check_imm("existence of enum perf_callchain_context value PERF_CONTEXT_KERNEL", 1);
	/* It is -128 of 64 bits, which kernels before 6.0 write down as 32, not saying whether they are signed. */
	wide = btf_find(vmlinux(), BTF_ENUM64, "perf_callchain_context");
	check_imm("number for enum perf_callchain_context value PERF_CONTEXT_KERNEL",
		  wide ? (uint64_t)-128 : (uint32_t)-128);
	close_both();
}
END_TEST

START_TEST(test_access)
{
	if (!open_both("core_access", _i))
		return;
	check_load("offset of struct sk_buff.len", member("sk_buff", "len").bit_offset / 8, BPF_SIZE_W);
	check_load("offset of struct sk_buff.mark", member("sk_buff", "mark").bit_offset / 8, BPF_SIZE_W);
	check_load("offset of struct sk_buff.dev", member("sk_buff", "dev").bit_offset / 8, BPF_SIZE_DW);
	check_load("offset of struct sk_buff.cb[47]", member("sk_buff", "cb").bit_offset / 8 + 47, BPF_SIZE_B);
	check_load("offset of struct net_device.ifindex", member("net_device", "ifindex").bit_offset / 8, BPF_SIZE_W);
	check_imm("offset of struct task_struct___mine.comm[5]", member("task_struct", "comm").bit_offset / 8 + 5);
	check_load("offset of struct sk_buff___gone.data_len", member("sk_buff", "data_len").bit_offset / 8,
		   BPF_SIZE_W);
	check_imm("existence of struct sk_buff___gone.no_such_field", 0);
	check_poison("offset of struct sk_buff___gone.no_such_field");
	check_imm("existence of struct sk_buff___gone.mark", 0);
	check_poison("offset of struct sk_buff___gone.mark");
	close_both();
}
END_TEST

Suite *suite_core_real(void)
{
	Suite *suite = suite_create("core_real");
	TCase *tc = tcase_create("core_real");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_fields, 1, 5);
	tcase_add_loop_test(tc, test_types, 1, 5);
	tcase_add_loop_test(tc, test_enums, 1, 5);
	tcase_add_loop_test(tc, test_access, 1, 5);
	suite_add_tcase(suite, tc);
	return suite;
}
