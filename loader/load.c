// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loading: from a stamp to the fd of a program.
 *
 *   link (once a template)  →  maps: create, fill, freeze  →  gather, put in fds
 *   BTF (once a template)   →  program
 *
 * The newest form is tried first and nothing is probed: where the kernel
 * refuses BTF, the program is loaded without, and the caller's note is told.
 * The verifier writes a log only in a second attempt, because a log costs more
 * than the load.
 *
 * A map of a data section is an array of one element; not mmapable, which would
 * cost whole pages.  Read-only data is frozen before the program is loaded, so
 * that the verifier reads its values as constants.  Map fds are closed again
 * when the program, which holds its own references, is loaded.
 *
 * What is made once a template is published by compare-and-swap: two threads
 * may both make it, one of them throws its own away.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/kbtf.h"
#include "loader/link.h"
#include "loader/log.h"
#include "loader/stamp.h"
#include "loader/sys.h"

enum { BTF_UNTRIED = -1, BTF_NONE = -2 };

static void note(const struct bpfstamp_load *load, const char *text)
{
	if (load->note)
		load->note(load->note_arg, text);
}

static int no_privilege(const struct bpfstamp_template *t, const char *what, struct bpfstamp_err *err)
{
	return err_set(err, EPERM, "%s: %s: %s: needs the capabilities CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN)",
		       t->name, what, strerror(EPERM));
}

static const struct link *get_link(const struct bpfstamp_template *t, uint32_t func, struct bpfstamp_err *err)
{
	struct link *have = atomic_load(&t->cache->links[func]), *made;

	if (have)
		return have;
	if (link_program(&made, t, func, err))
		return NULL;
	if (atomic_compare_exchange_strong(&t->cache->links[func], &have, made))
		return made;
	link_free(made);
	return have;
}

/* ------------------------------------------------------------------- BTF */

static int load_btf(const struct bpfstamp_template *t, const struct bpfstamp_load *load)
{
	struct bpfstamp_err ignored;
	uint8_t *btf;
	int fd;

	if (!t->btf.type_count || kbtf_make(&btf, t, &ignored))
		return BTF_NONE;
	fd = sys_btf_load(btf, t->btf.size, NULL, 0);
	if (fd < 0)
		note(load, "the kernel refuses the BTF of the object: source lines and types will be missing");
	free(btf);
	return fd < 0 ? BTF_NONE : fd;
}

/* The fd of the template's BTF, or negative; the template closes it. */
static int get_btf(const struct bpfstamp_template *t, const struct bpfstamp_load *load)
{
	int have = atomic_load(&t->cache->btf_fd), made;

	if (have != BTF_UNTRIED)
		return have;
	made = load_btf(t, load);
	if (atomic_compare_exchange_strong(&t->cache->btf_fd, &have, made))
		return made;
	if (made >= 0)
		close(made);
	return have;
}

/* ------------------------------------------------------------------ maps */

/* As libbpf names them: the beginning of the object's name and the section. */
static void data_map_name(char out[16], const struct bpfstamp_template *t, const struct map *m)
{
	const char *slash = strrchr(t->name, '/'), *base = slash ? slash + 1 : t->name;
	size_t section = strlen(m->name), prefix = strcspn(base, "."), room;
	char name[32];

	section = section > 8 ? 8 : section;
	room = 15 - section;
	prefix = prefix > room ? room : prefix;
	memcpy(name, base, prefix);
	memcpy(name + prefix, m->name, section);
	name[prefix + section] = '\0';
	sys_name(out, name);
}

static int create_map(const struct bpfstamp_template *t, const struct map *m, int btf_fd,
		      const struct bpfstamp_load *load)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = m->type;
	attr.key_size = m->key_size;
	attr.value_size = m->value_size;
	attr.max_entries = m->max_entries;
	attr.map_flags = m->flags;
	attr.numa_node = m->numa_node;
	attr.map_extra = m->extra;
	if (m->data != NO_INDEX)
		data_map_name(attr.map_name, t, m);
	else
		sys_name(attr.map_name, m->name);
	if (btf_fd >= 0 && m->btf_value) {
		attr.btf_fd = (uint32_t)btf_fd;
		attr.btf_key_type_id = m->btf_key;
		attr.btf_value_type_id = m->btf_value;
	}
	fd = sys_map_create(&attr);
	if (fd < 0 && attr.btf_fd && errno != EPERM) {
		attr.btf_fd = attr.btf_key_type_id = attr.btf_value_type_id = 0;
		fd = sys_map_create(&attr);
		if (fd >= 0)
			note(load, "a map was created without its BTF, which the kernel refuses for its type");
	}
	return fd;
}

static int map_failed(const struct bpfstamp_template *t, const struct map *m, const char *doing,
		      struct bpfstamp_err *err)
{
	int code = errno;
	const char *type = bpfstamp_map_type_name(m->type);

	if (code == EPERM)
		return no_privilege(t, "cannot create a map", err);
	return err_set(err, code, "%s: cannot %s map %s (%s, key %u, value %u, %u entries): %s", t->name, doing, m->name,
		       type ? type : "of unknown type", m->key_size, m->value_size, m->max_entries, strerror(code));
}

static int make_map(struct bpfstamp_stamp *s, uint32_t index, int btf_fd, const struct bpfstamp_load *load,
		    struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct map *m = &t->maps[index];
	const uint32_t key = 0;
	int fd;

	if (m->refused)
		return err_set(err, ENOTSUP, "%s: cannot create map %s: %s", t->name, m->name, m->refused);
	fd = create_map(t, m, btf_fd, load);
	if (fd < 0)
		return map_failed(t, m, "create", err);
	s->map_fds[index] = fd;
	if (m->data == NO_INDEX)
		return 0;
	if (sys_map_update(fd, &key, s->image + t->datas[m->data].image))
		return map_failed(t, m, "fill", err);
	if (t->datas[m->data].readonly && sys_map_freeze(fd))
		return map_failed(t, m, "freeze", err);
	return 0;
}

static int make_maps(struct bpfstamp_stamp *s, const struct link *link, int btf_fd, const struct bpfstamp_load *load,
		     struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < link->map_count; i++) {
		uint32_t map = link->maps[i].map;

		if (s->map_fds[map] < 0 && make_map(s, map, btf_fd, load, err))
			return -1;
	}
	return 0;
}

static void close_maps(struct bpfstamp_stamp *s, const struct link *link)
{
	for (uint32_t i = 0; i < link->map_count; i++) {
		int *fd = &s->map_fds[link->maps[i].map];

		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

/* --------------------------------------------------------------- program */

static int check_symbols(const struct bpfstamp_stamp *s, const struct link *link, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < link->symbol_count; i++)
		if (!s->touched[link->symbols[i]])
			return err_set(err, EINVAL, "%s: symbol %s has no value: set it", s->t->name,
				       s->t->injectables[link->symbols[i]].name);
	return 0;
}

/* The program's instructions, ready for the kernel; NULL where memory is out. */
static const uint8_t *assemble(struct bpfstamp_stamp *s, const struct link *link)
{
	const struct func *f = &s->t->funcs[link->chunks[0].func];
	uint32_t size = link->insns * BPFINSN_SIZE;

	if (link->chunk_count == 1 && !link->call_count && !link->map_count)
		return s->image + object_insn_at(s->t, f->code, f->start);
	if (s->linked_size < size) {
		uint8_t *bigger = realloc(s->linked, size);

		if (!bigger)
			return NULL;
		s->linked = bigger;
		s->linked_size = size;
	}
	link_gather(link, s->t, s->image, s->linked);
	for (uint32_t i = 0; i < link->map_count; i++) {
		const struct link_map *m = &link->maps[i];
		uint8_t *raw = s->linked + (size_t)m->at * BPFINSN_SIZE;
		struct bpfinsn insn;

		bpfinsn_decode(raw, s->t->elf.big, &insn);
		insn.src = m->value ? BPF_SRC_MAP_VALUE : BPF_SRC_MAP_FD;
		insn.imm = s->map_fds[m->map];
		bpfinsn_encode(raw, s->t->elf.big, &insn);
		bytes_put32(raw + BPFINSN_SIZE + 4, m->offset, s->t->elf.big);
	}
	return s->linked;
}

/* Load once more for the log, with a buffer that grows until the log fits; false where it tells no reason. */
static bool explain(union bpf_attr *attr, const struct bpfstamp_template *t, const struct link *link,
		    const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	uint32_t size = 1 << 16;
	bool explained = false;
	char *log = NULL;
	int fd;

	do {
		char *bigger = realloc(log, size);

		if (!bigger)
			break;
		log = bigger;
		log[0] = '\0';
		attr->log_buf = (uint64_t)(uintptr_t)log;
		attr->log_size = size;
		attr->log_level = 1;
		fd = sys_prog_load(attr);
		if (fd >= 0)
			close(fd);
		size *= 4;
	} while (fd < 0 && errno == ENOSPC && size <= 1 << 24);
	if (log) {
		explained = log_explain(log, link, t, err);
		if (load->log && load->log_size)
			log_tail(log, load->log, load->log_size);
	}
	free(log);
	return explained;
}

static void drop_btf(union bpf_attr *attr)
{
	attr->prog_btf_fd = 0;
	attr->func_info = attr->line_info = 0;
	attr->func_info_cnt = attr->line_info_cnt = 0;
	attr->func_info_rec_size = attr->line_info_rec_size = 0;
}

/* What to do when the kernel says no: once more without BTF, and then say why. */
static int load_refused(union bpf_attr *attr, const struct bpfstamp_template *t, const struct link *link,
			const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	union bpf_attr plain = *attr;
	int code = errno, fd;

	drop_btf(&plain);
	if (attr->func_info_cnt && (fd = sys_prog_load(&plain)) >= 0) {
		note(load, "the kernel refuses the function and line records of the object: loaded without");
		return fd;
	}
	err_set(err, code, "%s: the kernel refuses program %s (%s)", t->name, t->funcs[link->chunks[0].func].name,
		strerror(code));
	if (!explain(attr, t, link, load, err) && code == EPERM)
		return no_privilege(t, "cannot load the program", err);
	return -1;
}

static int load_program(struct bpfstamp_stamp *s, const struct link *link, uint32_t type, int btf_fd,
			const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct func *f = &t->funcs[link->chunks[0].func];
	const uint8_t *insns = assemble(s, link);
	union bpf_attr attr;
	int fd;

	if (!insns)
		return object_no_memory(err);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.expected_attach_type = type == BPF_PROG_TYPE_SCHED_CLS ? 0 : f->attach_type;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = link->insns;
	attr.license = (uint64_t)(uintptr_t)t->license;
	attr.kern_version = t->kern_version;
	sys_name(attr.prog_name, f->name);
	if (btf_fd >= 0 && link->func_info_count) {
		attr.prog_btf_fd = (uint32_t)btf_fd;
		attr.func_info = (uint64_t)(uintptr_t)link->func_info;
		attr.func_info_cnt = link->func_info_count;
		attr.func_info_rec_size = sizeof(*link->func_info);
		attr.line_info = (uint64_t)(uintptr_t)link->line_info;
		attr.line_info_cnt = link->line_info_count;
		attr.line_info_rec_size = sizeof(*link->line_info);
	}
	fd = sys_prog_load(&attr);
	return fd >= 0 ? fd : load_refused(&attr, t, link, load, err);
}

static int check_type(const struct bpfstamp_template *t, const struct bpfstamp_load *load, uint32_t *type,
		      struct bpfstamp_err *err)
{
	const struct func *f = &t->funcs[load->program];

	*type = load->prog_type ? load->prog_type : f->prog_type;
	if (!*type)
		return err_set(err, EINVAL, "%s: section %s does not tell the type of program %s", t->name,
			       t->codes[f->code].name, f->name);
	if (f->prog_type && f->prog_type != *type)
		return err_set(err, EINVAL, "%s: program %s is of type %s by its section %s, but %s is wanted", t->name,
			       f->name, bpfstamp_prog_type_name(f->prog_type), t->codes[f->code].name,
			       bpfstamp_prog_type_name(*type));
	if (t->elf.big != BYTES_HOST_BIG)
		return err_set(err, EINVAL, "%s: the object is %s-endian, this machine is not: it can be inspected and "
			       "patched here, not loaded", t->name, t->elf.big ? "big" : "little");
	return 0;
}

int bpfstamp_load(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, int *fd, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct link *link;
	int made, btf_fd;
	uint32_t type;

	if (check_type(t, load, &type, err))
		return -1;
	link = get_link(t, load->program, err);
	if (!link || check_symbols(s, link, err))
		return -1;
	btf_fd = get_btf(t, load);
	made = make_maps(s, link, btf_fd, load, err) ? -1 : load_program(s, link, type, btf_fd, load, err);
	close_maps(s, link);
	if (made < 0)
		return -1;
	*fd = made;
	return 0;
}

int bpfstamp_prog_info(int fd, struct bpfstamp_prog_info *out, struct bpfstamp_err *err)
{
	struct bpf_prog_info info;

	memset(&info, 0, sizeof(info));
	if (sys_prog_info(fd, &info))
		return err_set(err, errno, "cannot read the program's properties: %s", strerror(errno));
	out->id = info.id;
	out->type = info.type;
	memcpy(out->tag, info.tag, sizeof(out->tag));
	memcpy(out->name, info.name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = '\0';
	return 0;
}
