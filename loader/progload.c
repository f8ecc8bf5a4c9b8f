// SPDX-License-Identifier: BSD-2-Clause
/*
 * One program, from its link and a stamp to an fd.  The newest form is tried
 * first: one system call where nothing is wrong.
 *
 * The instructions of one function stand in the stamp's image as the kernel wants
 * them, but for the fds of maps, which are put there for the time of the load.
 * Several functions are copied together, and so is what the kernel decides on.
 *
 * After a refusal every attempt has the verifier write a log, because a log
 * tells who refused.  One that is not empty is the verifier's: the program was
 * understood, and its rejection is final, but where it is about func_info or
 * line_info, which the program can do without.  Without a log the kernel did
 * not take what stands around the program, and errno tells which part to do
 * without:
 *
 *     EPERM    RLIMIT_MEMLOCK, once a load
 *     E2BIG    fields that the kernel does not know, from the youngest: func_info
 *              (5.0), expected_attach_type (4.17), prog_name (4.15)
 *     EINVAL   dots in the name (before 5.2); else an expected_attach_type that
 *              only tells where the program is to be attached
 *
 * A step is remembered (loader/lacks.h) when the answer that it leads to is
 * another one; those for E2BIG, together, because the kernel tells nothing
 * before the last unknown field is gone.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/jitlimit.h"
#include "loader/lacks.h"
#include "loader/log.h"
#include "loader/progload.h"
#include "loader/sys.h"

/* Where the program is put together: in the image itself, where one function is all of it.  NULL: no memory. */
static uint8_t *assemble(struct bpfstamp_stamp *s, const struct link *link)
{
	const struct func *f = &s->t->funcs[link->chunks[0].func];
	uint32_t size = link->insns * BPFINSN_SIZE;

	if (link->chunk_count == 1 && !link->call_count && !link->patch_count)
		return s->image + object_insn_at(s->t, f->code, f->start);
	if (s->linked_size < size) {
		uint8_t *bigger = realloc(s->linked, size);

		if (!bigger)
			return NULL;
		s->linked = bigger;
		s->linked_size = size;
	}
	link_gather(link, s->t, s->image, s->linked);
	return s->linked;
}

static void put_maps(const struct bpfstamp_stamp *s, const struct link *link, uint8_t *insns)
{
	for (uint32_t i = 0; i < link->map_count; i++) {
		const struct link_map *m = &link->maps[i];
		uint8_t *raw = insns + (size_t)m->at * BPFINSN_SIZE;
		struct bpfinsn insn;

		bpfinsn_decode(raw, s->t->elf.big, &insn);
		insn.src = m->value ? BPF_SRC_MAP_VALUE : BPF_SRC_MAP_FD;
		insn.imm = s->map_fds[m->map];
		bpfinsn_encode(raw, s->t->elf.big, &insn);
		bytes_put32(raw + BPFINSN_SIZE + 4, m->offset, s->t->elf.big);
	}
}

/* Make the image again what it is: values, but no fds.  No value is ever in an instruction that names a map. */
static void take_maps_out(struct bpfstamp_stamp *s, const struct link *link, uint8_t *insns)
{
	const struct func *f = &s->t->funcs[link->chunks[0].func];
	const uint8_t *original = s->t->image + object_insn_at(s->t, f->code, f->start);

	for (uint32_t i = 0; i < link->map_count && insns != s->linked; i++) {
		size_t at = (size_t)link->maps[i].at * BPFINSN_SIZE;

		memcpy(insns + at, original + at, (size_t)2 * BPFINSN_SIZE);
	}
}

/* -------------------------------------------------------------- attempts */

enum {
	LOG_SMALLEST = 1 << 16,
	LOG_LARGEST = (1 << 24) - 1,	/* more is EINVAL before 5.3 */
	TRUE_SIZE_AT = 140,	/* of log_true_size (u32, 6.4), which follows core_relo_rec_size in union bpf_attr */
	UNPRIVILEGED_INSNS = 4096,
};

_Static_assert(offsetof(union bpf_attr, core_relo_rec_size) + 4 == TRUE_SIZE_AT, "log_true_size");

enum step { WITHOUT_RECORDS, WITHOUT_ATTACH_TYPE, WITHOUT_NAME, WITHOUT_DOTS, REFUSED_RECORDS, REFUSED_ATTACH_TYPE };

static const struct {
	const char *note;
	int lack;		/* enum lack, or -1: it is this program's affair */
} steps[] = {
	[WITHOUT_RECORDS] = { "this kernel (before 5.0) takes no function and line records: loading without",
			      LACKS_PROG_BTF },
	[WITHOUT_ATTACH_TYPE] = { "this kernel (before 4.17) takes no expected attach type: loading without",
				  LACKS_ATTACH_TYPE },
	[WITHOUT_NAME] = { "this kernel (before 4.15) takes no names of programs: loading without", LACKS_NAMES },
	[WITHOUT_DOTS] = { "this kernel (before 5.2) takes no dots in the names of programs: '_' instead",
			   LACKS_DOTS },
	[REFUSED_RECORDS] = { "the kernel refuses the function and line records of the object: loading without", -1 },
	[REFUSED_ATTACH_TYPE] = { "the kernel refuses the expected attach type: loading without", -1 },
};

struct attempt {
	const struct bpfstamp_template *t;
	const struct link *link;
	const struct bpfstamp_load *load;
	union bpf_attr attr;
	char *log;		/* of the last attempt, or NULL */
	bool cut;		/* the log's end is missing */
	int code;		/* errno of the last attempt */
	uint32_t steps;		/* taken since the answer changed: bits of enum step */
	bool raised;		/* RLIMIT_MEMLOCK */
};

static bool has_log(const struct attempt *a)
{
	return a->log && *a->log;
}

static uint32_t first_log_size(const struct bpfstamp_load *load)
{
	if (!load->log || load->log_size < LOG_SMALLEST)
		return LOG_SMALLEST;
	return load->log_size < LOG_LARGEST ? (uint32_t)load->log_size : LOG_LARGEST;
}

/*
 * Load with a log.  Where it does not fit, the kernel says ENOSPC whatever else
 * is wrong.  From 6.4 on it keeps the end of the log, which is what counts, and
 * tells the whole size; before, it keeps the beginning, so that all must fit.
 */
static int load_logged(struct attempt *a)
{
	uint8_t *true_size = (uint8_t *)&a->attr + TRUE_SIZE_AT;
	uint32_t size = first_log_size(a->load);
	int fd;

	for (;;) {
		char *bigger = realloc(a->log, size);

		if (!bigger)
			return -1;
		a->log = bigger;
		a->log[0] = '\0';
		a->attr.log_buf = (uint64_t)(uintptr_t)a->log;
		a->attr.log_size = size;
		a->attr.log_level = 1;
		bytes_put32(true_size, 0, BYTES_HOST_BIG);
		fd = sys_prog_load(&a->attr);
		a->cut = fd < 0 && errno == ENOSPC && !bytes_get32(true_size, BYTES_HOST_BIG);
		if (!a->cut || size == LOG_LARGEST)
			break;
		size = size > LOG_LARGEST / 4 ? LOG_LARGEST : 4 * size;
	}
	if (fd < 0 && errno != ENOSPC)
		a->code = errno;
	return fd;
}

static bool take(struct attempt *a, enum step step)
{
	a->steps |= 1u << step;
	switch (step) {
	case WITHOUT_RECORDS:
	case REFUSED_RECORDS:
		a->attr.prog_btf_fd = 0;
		a->attr.func_info = a->attr.line_info = 0;
		a->attr.func_info_cnt = a->attr.line_info_cnt = 0;
		a->attr.func_info_rec_size = a->attr.line_info_rec_size = 0;
		break;
	case WITHOUT_ATTACH_TYPE:
	case REFUSED_ATTACH_TYPE:
		a->attr.expected_attach_type = 0;
		break;
	case WITHOUT_NAME:
		memset(a->attr.prog_name, 0, sizeof(a->attr.prog_name));
		break;
	case WITHOUT_DOTS:
		sys_undot(a->attr.prog_name);
		break;
	}
	return true;
}

/* The answer is another one: so the steps that led to it were needed. */
static void remember(struct attempt *a)
{
	for (uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!(a->steps >> i & 1))
			continue;
		load_note(a->load, "%s", steps[i].note);
		if (steps[i].lack >= 0)
			lacks_note((enum lack)steps[i].lack);
	}
	a->steps = 0;
}

static bool drop_unknown_field(struct attempt *a)
{
	if (a->attr.func_info_cnt)
		return take(a, WITHOUT_RECORDS);
	if (a->attr.expected_attach_type)
		return take(a, WITHOUT_ATTACH_TYPE);
	return a->attr.prog_name[0] && take(a, WITHOUT_NAME);
}

/* Types whose programs do the same whatever they expect; libbpf leaves it out for them where it must. */
static bool attach_type_is_optional(uint32_t type, uint32_t attach_type)
{
	switch (type) {
	case BPF_PROG_TYPE_XDP:
		return attach_type == BPF_XDP;
	case BPF_PROG_TYPE_CGROUP_SOCK:
		return attach_type == BPF_CGROUP_INET_SOCK_CREATE;
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_LIRC_MODE2:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		return true;
	default:
		return false;
	}
}

static bool drop_refused_value(struct attempt *a)
{
	a->steps = 0;
	if (strchr(a->attr.prog_name, '.'))
		return take(a, WITHOUT_DOTS);
	return a->attr.expected_attach_type &&
	       attach_type_is_optional(a->attr.prog_type, a->attr.expected_attach_type) &&
	       take(a, REFUSED_ATTACH_TYPE);
}

/* What to do without after a refusal; false where the refusal is final. */
static bool next_step(struct attempt *a)
{
	if (has_log(a))
		return a->attr.func_info_cnt && log_blames_records(a->log) && take(a, REFUSED_RECORDS);
	switch (a->code) {
	case EPERM:
		return !a->raised && (a->raised = load_raise_memlock(a->load));
	case E2BIG:
		return drop_unknown_field(a);
	case EINVAL:
		return drop_refused_value(a);
	default:
		return false;
	}
}

static int load_older(struct attempt *a)
{
	int before, fd;

	do {
		before = a->code;
		fd = load_logged(a);
		if (fd >= 0 || a->code != before || has_log(a))
			remember(a);
	} while (fd < 0 && next_step(a));
	return fd;
}

/* ----------------------------------------------------------------- errors */

/* The verifier was not asked: what may be wrong around the program. */
static int hint_code(const struct attempt *a, struct bpfstamp_err *err)
{
	const char *type = bpfstamp_prog_type_name(a->attr.prog_type);

	if (a->load->ifindex && (a->code == EINVAL || a->code == EOPNOTSUPP || a->code == SYS_ENOTSUPP))
		return load_hint_offload(a->load, err);
	if (a->code == E2BIG && a->attr.insn_cnt > UNPRIVILEGED_INSNS)
		return err_hint(err, ": more than %u instructions need CAP_BPF", UNPRIVILEGED_INSNS);
	if (a->code != EINVAL)
		return -1;
	err_hint(err, ": it may be too old for programs of type %s", type ? type : "unknown");
	if (a->attr.expected_attach_type)
		err_hint(err, ", for attach type %u", a->attr.expected_attach_type);
	if (a->attr.prog_flags)
		err_hint(err, ", for flags 0x%x", a->attr.prog_flags);
	return -1;
}

/* The verifier, which would have given a reason, had nothing against it. */
static int explain_jit(int code, struct bpfstamp_err *err)
{
	struct jitlimit_use use;

	jitlimit_measure(&use);
	return jitlimit_tell(&use, code, err);
}

static int explain(const struct attempt *a, struct bpfstamp_err *err)
{
	const struct bpfstamp_load *load = a->load;
	const char *reason = a->code == SYS_ENOTSUPP ? "Operation not supported" : strerror(a->code);

	err_set(err, a->code, "%s: the kernel refuses program %s (%s)", a->t->name,
		a->t->funcs[a->link->chunks[0].func].name, reason);
	if (has_log(a) && load->log && load->log_size)
		log_tail(a->log, load->log, load->log_size);
	if (a->cut)
		return err_hint(err, ": its log is larger than the kernel can write");
	if (has_log(a) && log_explain(a->log, a->link, a->t, a->attr.prog_type, err))
		return -1;
	if (a->code == SYS_ENOTSUPP || a->code == ENOMEM)
		return explain_jit(a->code, err);
	return a->code == EPERM ? load_no_privilege(a->t, "cannot load the program", err) : hint_code(a, err);
}

/* ------------------------------------------------------------------- load */

static void set_records(union bpf_attr *attr, const struct link *link, int btf_fd)
{
	if (btf_fd < 0 || !link->func_info_count || lacks(LACKS_PROG_BTF) || lacks(LACKS_BTF_FUNC))
		return;
	attr->prog_btf_fd = (uint32_t)btf_fd;
	attr->func_info = (uint64_t)(uintptr_t)link->func_info;
	attr->func_info_cnt = link->func_info_count;
	attr->func_info_rec_size = sizeof(*link->func_info);
	attr->line_info = (uint64_t)(uintptr_t)link->line_info;
	attr->line_info_cnt = link->line_info_count;
	attr->line_info_rec_size = sizeof(*link->line_info);
}

static void set_name(union bpf_attr *attr, const char *name)
{
	if (lacks(LACKS_NAMES))
		return;
	sys_name(attr->prog_name, name);
	if (lacks(LACKS_DOTS))
		sys_undot(attr->prog_name);
}

int progload(struct bpfstamp_stamp *s, const struct link *link, uint32_t type, int btf_fd,
	     const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct func *f = &t->funcs[link->chunks[0].func];
	uint8_t *insns = assemble(s, link);
	struct attempt a;
	int fd;

	if (!insns)
		return object_no_memory(err);
	put_maps(s, link, insns);
	memset(&a, 0, sizeof(a));
	a.t = t;
	a.link = link;
	a.load = load;
	a.attr.prog_type = type;
	if (type == f->prog_type && !lacks(LACKS_ATTACH_TYPE))
		a.attr.expected_attach_type = f->attach_type;
	a.attr.insns = (uint64_t)(uintptr_t)insns;
	a.attr.insn_cnt = link->insns;
	a.attr.license = (uint64_t)(uintptr_t)t->license;
	a.attr.kern_version = t->kern_version;
	a.attr.prog_flags = f->prog_flags;
	a.attr.prog_ifindex = load->ifindex;
	a.attr.attach_btf_id = link->target_id;
	a.attr.attach_btf_obj_fd = (uint32_t)link->target_fd;
	if (link->btf_fd_count)
		a.attr.fd_array = (uint64_t)(uintptr_t)link->btf_fds;
	set_name(&a.attr, f->name);
	set_records(&a.attr, link, btf_fd);
	fd = sys_prog_load(&a.attr);
	if (fd < 0) {
		a.code = errno;
		fd = load_older(&a);
	}
	take_maps_out(s, link, insns);
	if (fd < 0)
		explain(&a, err);
	free(a.log);
	return fd;
}
