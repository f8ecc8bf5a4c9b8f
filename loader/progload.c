// SPDX-License-Identifier: BSD-2-Clause
/*
 * One program, from its link and a stamp to an fd.  The newest form is tried
 * first; what to try after a refusal depends on what was refused.  The
 * verifier writes a log only in another attempt, because a log costs more than
 * the load.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/log.h"
#include "loader/progload.h"
#include "loader/sys.h"

/* The program's instructions, ready for the kernel; NULL where memory is out. */
static const uint8_t *assemble(struct bpfstamp_stamp *s, const struct link *link)
{
	const struct func *f = &s->t->funcs[link->chunks[0].func];
	uint32_t size = link->insns * BPFINSN_SIZE;

	if (link->chunk_count == 1 && !link->call_count && !link->map_count && !link->patch_count)
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
		load_note(load, "the kernel refuses the function and line records of the object: loaded without");
		return fd;
	}
	err_set(err, code, "%s: the kernel refuses program %s (%s)", t->name, t->funcs[link->chunks[0].func].name,
		strerror(code));
	if (!explain(attr, t, link, load, err) && code == EPERM)
		return load_no_privilege(t, "cannot load the program", err);
	return -1;
}

int progload(struct bpfstamp_stamp *s, const struct link *link, uint32_t type, int btf_fd,
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
	attr.prog_flags = f->prog_flags;
	sys_name(attr.prog_name, f->name);
	if (link->btf_fd_count)
		attr.fd_array = (uint64_t)(uintptr_t)link->btf_fds;
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
