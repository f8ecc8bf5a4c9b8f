// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's answer is told with its log.  Who may not ask it, skips that.
 */
#include "tests/kbtfmade.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/kbtf.h"
#include "loader/sys.h"

void kbtfmade_make(struct kbtfmade *m, const struct bpfobj *o)
{
	struct bpfstamp_err err = { 0 };
	struct elf64_fault fault = { 0 };
	struct kbtf made = { 0 };
	uint32_t count = 0;

	ck_assert_msg(!kbtf_make(&made, o->t, &err), "%s", err.text);
	m->bytes = made.bytes;
	m->size = made.size;
	ck_assert_msg(!btf_count(m->bytes, m->size, &count, &fault), "%s", fault.what);
	ck_assert_uint_le(2 * count, KBTFMADE_INDEX);
	ck_assert_msg(!btf_open(&m->btf, m->bytes, m->size, m->index, count, &fault), "%s", fault.what);
}

void kbtfmade_accepted(const struct kbtfmade *m, const char *what)
{
	static char log[1 << 16];
	int fd;

	if (m->btf.big != BYTES_HOST_BIG)
		return;
	fd = sys_btf_load(m->bytes, m->size, log, sizeof(log));
	if (fd < 0 && errno == EPERM) {
		fprintf(stderr, "SKIP loading BTF: %s\n", strerror(errno));
		return;
	}
	ck_assert_msg(fd >= 0, "%s: %s: %s", what, strerror(errno), log);
	close(fd);
}

struct btf_type kbtfmade_type(const struct kbtfmade *m, uint32_t id)
{
	struct btf_type type;

	btf_type(&m->btf, id, &type);
	return type;
}

uint32_t kbtfmade_add_int(struct btfgen *gen, const char *name, uint32_t size)
{
	uint32_t id = btfgen_type(gen, name, BTF_INT, 0, size);

	btfgen_word(gen, 8 * size);
	return id;
}

uint32_t kbtfmade_add_var(struct btfgen *gen, const char *name, uint32_t type, uint32_t linkage)
{
	uint32_t id = btfgen_type(gen, name, BTF_VAR, 0, type);

	btfgen_word(gen, linkage);
	return id;
}
