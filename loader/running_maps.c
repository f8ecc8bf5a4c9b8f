// SPDX-License-Identifier: BSD-2-Clause
/*
 * The maps of a running program: which of them hold its variables, and what
 * these are.
 *
 * A data map is an array with one value whose type, by its BTF, is a DATASEC:
 * so every loader makes the maps of .data, .rodata and .bss.  Of those the
 * value is read and the fd kept; other maps are only known by their properties.
 *
 * The BTF is the one that the kernel has of the object, read once where several
 * maps share it, and checked like that of a file: the kernel's own checks allow
 * what the walks here do not (deep nesting, what was made for a later kernel).
 * BTF that is refused tells nothing, and the map is like one without.
 *
 * What is too large to be anybody's settings is passed over.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/objinfo.h"
#include "loader/running_parts.h"
#include "loader/sys.h"

enum {
	BTF_MOST = 32 << 20,
	CONTENT_MOST = 16 << 20,	/* bytes of a data map */
};

/* ------------------------------------------------------------------- BTF */

struct running_btf {
	struct running_btf *next;
	uint32_t id;
	uint8_t *bytes;
	uint32_t *index;
	struct btf btf;		/* type_count 0 where it was refused */
};

/* The bytes of a BTF, malloc'd: 0, or an errno; *bytes is NULL where there is none to be had. */
static int read_btf(uint32_t id, uint8_t **bytes, uint32_t *size)
{
	int fd = sys_btf_by_id(id), code = 0;
	struct bpf_btf_info info = { 0 };

	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	if (!sys_btf_info(fd, &info) && info.btf_size && info.btf_size <= BTF_MOST) {
		*size = info.btf_size;
		*bytes = malloc(*size);
		code = *bytes ? 0 : ENOMEM;
		info = (struct bpf_btf_info){ .btf = (uintptr_t)*bytes, .btf_size = *size };
		if (!code && (sys_btf_info(fd, &info) || info.btf_size != *size)) {
			free(*bytes);
			*bytes = NULL;
		}
	}
	close(fd);
	return code;
}

static int open_btf(struct running_btf *b, uint32_t size)
{
	uint32_t count = size / BTF_TYPE_LEAST + 1;
	struct elf64_fault fault;

	b->index = malloc(2 * (size_t)count * sizeof(*b->index));
	if (!b->index)
		return ENOMEM;
	if (btf_open(&b->btf, b->bytes, size, b->index, count, &fault) || b->btf.big != BYTES_HOST_BIG)
		memset(&b->btf, 0, sizeof(b->btf));
	return 0;
}

int running_btf(struct bpfstamp_running *r, uint32_t id, const struct btf **out)
{
	struct running_btf *b = r->btfs;
	uint32_t size = 0;
	int code;

	while (b && b->id != id)
		b = b->next;
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b)
			return ENOMEM;
		b->id = id;
		b->next = r->btfs;
		r->btfs = b;
		code = read_btf(id, &b->bytes, &size);
		if (code || (b->bytes && (code = open_btf(b, size)) != 0))
			return code;
	}
	*out = &b->btf;
	return 0;
}

/* ------------------------------------------------------------------ maps */

static bool is_data_type(const struct btf *btf, uint32_t id, const char **section)
{
	struct btf_type type;

	if (!id || id >= btf->type_count)
		return false;
	btf_type(btf, id, &type);
	*section = type.name;
	return type.kind == BTF_DATASEC;
}

/* Make m a data map where it is one: 0, or an errno. */
static int take_data(struct bpfstamp_running *r, struct running_map *m, int fd, const struct bpf_map_info *info)
{
	const struct btf *btf = NULL;
	const uint32_t key = 0;
	int code;

	if (info->type != BPF_MAP_TYPE_ARRAY || info->max_entries != 1 || info->key_size != sizeof(key) ||
	    !info->btf_id || !info->value_size || info->value_size > CONTENT_MOST)
		return 0;
	code = running_btf(r, info->btf_id, &btf);
	if (code || !is_data_type(btf, info->btf_value_type_id, &m->section))
		return code;
	m->content = malloc(info->value_size);
	if (!m->content)
		return ENOMEM;
	if (sys_map_lookup(fd, &key, m->content)) {
		free(m->content);
		m->content = NULL;
		return 0;
	}
	m->btf = btf;
	m->datasec = info->btf_value_type_id;
	m->frozen = objinfo_frozen(fd);
	m->writable = !m->frozen && !(m->flags & BPF_F_RDONLY_PROG);
	m->fd = fd;
	return 0;
}

/* 0, or an errno. */
static int take_map(struct bpfstamp_running *r, struct running_map *m, uint32_t id)
{
	struct bpf_map_info info = { 0 };
	int fd = sys_map_by_id(id), code;

	m->id = id;
	m->fd = -1;
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	code = 0;
	if (!sys_map_info(fd, &info)) {
		m->type = info.type;
		m->flags = info.map_flags;
		m->value_size = info.value_size;
		memcpy(m->name, info.name, sizeof(m->name));
		m->name[sizeof(m->name) - 1] = '\0';
		code = take_data(r, m, fd, &info);
	}
	if (m->fd < 0)
		close(fd);
	return code;
}

int running_maps(struct bpfstamp_running *r)
{
	int code = 0;

	r->maps = calloc(r->info.map_count + 1, sizeof(*r->maps));
	if (!r->maps)
		return ENOMEM;
	for (uint32_t i = 0; i < r->info.map_count && !code; i++) {
		r->map_count = i + 1;
		code = take_map(r, &r->maps[i], r->map_ids[i]);
	}
	return code;
}

/* Read all first, so that a failure leaves what was there. */
int running_reread(struct bpfstamp_running *r)
{
	uint8_t **fresh = calloc(r->map_count + 1, sizeof(*fresh));
	const uint32_t key = 0;
	int code = fresh ? 0 : ENOMEM;

	for (uint32_t i = 0; i < r->map_count && !code; i++) {
		if (r->maps[i].fd < 0)
			continue;
		fresh[i] = malloc(r->maps[i].value_size);
		code = !fresh[i] ? ENOMEM : sys_map_lookup(r->maps[i].fd, &key, fresh[i]) ? errno : 0;
	}
	for (uint32_t i = 0; fresh && i < r->map_count; i++) {
		if (!code && fresh[i])
			memcpy(r->maps[i].content, fresh[i], r->maps[i].value_size);
		free(fresh[i]);
	}
	free(fresh);
	return code;
}

void running_maps_free(struct bpfstamp_running *r)
{
	struct running_btf *next;

	for (uint32_t i = 0; i < r->map_count; i++) {
		if (r->maps[i].fd >= 0)
			close(r->maps[i].fd);
		free(r->maps[i].content);
	}
	free(r->maps);
	for (struct running_btf *b = r->btfs; b; b = next) {
		next = b->next;
		free(b->bytes);
		free(b->index);
		free(b);
	}
}
