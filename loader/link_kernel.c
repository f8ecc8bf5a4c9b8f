// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the running kernel decides in a linked program: the instructions that
 * CO-RE records name, those that refer to its symbols and functions, and what a
 * tracing program attaches to.
 *
 *   a variable of the kernel     lddw with src 3 (BTF id): VAR, fd of its BTF
 *   an address of the kernel     lddw of the number
 *   a kfunc                      call with src 2: FUNC, off: index in fd_array
 *   anything weak that is not there   lddw 0; a call that the verifier refuses if
 *                                it can be reached
 *
 * (kernel: verifier.c, check_pseudo_btf_id and fetch_kfunc_meta.)  The decisions
 * are kept as patches: instructions in full, laid over the program whenever it
 * is put together, for none of them depends on a stamp's values.
 *
 * The kernel's types are opened when the first instruction needs them, and kept
 * with the template, for fd_array names modules by fds that must stay open.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/core.h"
#include "loader/err.h"
#include "loader/externs.h"
#include "loader/link.h"

static struct kernel *get_kernel(const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	if (!t->cache->kernel && kernel_open(&t->cache->kernel, NULL, err))
		return NULL;
	return t->cache->kernel;
}

/* The instruction at a slot of the template, as a patch of the linked program to be filled in. */
static struct link_patch *add_patch(struct link *link, const struct bpfstamp_template *t,
				    const struct link_chunk *chunk, uint32_t insn)
{
	const struct func *f = &t->funcs[chunk->func];
	struct link_patch *p = &link->patches[link->patch_count++];

	p->at = chunk->at + insn - f->start;
	object_decode(t, t->image, f->code, insn, p->insn);
	p->slots = bpfinsn_slots(p->insn[0].code);
	return p;
}

/* ----------------------------------------------------------------- CO-RE */

static int add_core(struct link *link, const struct bpfstamp_template *t, const struct link_chunk *chunk,
		    uint32_t index, struct bpfstamp_err *err)
{
	const struct func *f = &t->funcs[chunk->func];
	const struct code *c = &t->codes[f->code];
	struct kernel *k = NULL;
	struct btf_core_relo relo;
	struct link_patch *p;
	uint32_t insn;

	btf_ext_core(&t->ext, &c->cores, index, &relo);
	insn = object_moved(c, relo.insn_off / BPFINSN_SIZE);
	if (!bpfinsn_starts(t->starts, object_insn_at(t, f->code, insn) / BPFINSN_SIZE)) {
		err_set(err, EINVAL, "%s: a CO-RE relocation inside ", t->name);
		return object_hint_place(t, f->code, insn, err);
	}
	if (core_needs_kernel(&relo) && !(k = get_kernel(t, err)))
		return -1;
	p = add_patch(link, t, chunk, insn);
	if (core_relocate(t, k, &relo, index, p->insn, err)) {
		err_hint(err, ", at ");
		return object_hint_place(t, f->code, insn, err);
	}
	return 0;
}

static int add_cores(struct link *link, const struct bpfstamp_template *t, const struct link_chunk *chunk,
		     struct bpfstamp_err *err)
{
	const struct func *f = &t->funcs[chunk->func];
	struct object_records cores = object_records(t, f, &t->codes[f->code].cores);

	for (uint32_t i = cores.first; i < cores.end; i++)
		if (add_core(link, t, chunk, i, err))
			return -1;
	return 0;
}

/* --------------------------------------------------------------- externs */

/* The place in fd_array of a module's BTF. */
static int16_t btf_index(struct link *link, const struct kernel *k, uint32_t btf)
{
	int fd = kernel_btf_at(k, btf)->fd;

	if (!btf)
		return 0;
	for (uint32_t i = 1; i < link->btf_fd_count; i++)
		if (link->btf_fds[i] == fd)
			return (int16_t)i;
	if (!link->btf_fd_count)
		link->btf_fds[link->btf_fd_count++] = 0;
	link->btf_fds[link->btf_fd_count] = fd;
	return (int16_t)link->btf_fd_count++;
}

static void put_call(struct link *link, const struct kernel *k, const struct extern_value *v, uint32_t index,
		     struct bpfinsn *insn)
{
	insn->src = v->found ? BPF_SRC_KFUNC_CALL : 0;
	insn->off = v->found ? btf_index(link, k, v->btf) : 0;
	insn->imm = (int32_t)(v->found ? v->btf_id : LINK_MISSING_KFUNC + index);
}

static void put_lddw(const struct kernel *k, const struct external *ext, const struct extern_value *v,
		     struct bpfinsn insn[2])
{
	insn[0].imm = insn[1].imm = 0;
	if (!v->found)
		return;
	if (ext->kind == EXTERN_ADDRESS) {
		insn[0].imm = (int32_t)(uint32_t)v->address;
		insn[1].imm = (int32_t)(uint32_t)(v->address >> 32);
		return;
	}
	insn[0].src = BPF_SRC_BTF_ID;
	insn[0].imm = (int32_t)v->btf_id;
	insn[1].imm = kernel_btf_at(k, v->btf)->fd;
}

struct known_extern {
	struct extern_value value;
	bool known;		/* it was looked for */
};

/* Find an extern; once for all instructions that refer to it. */
static const struct extern_value *find_extern(const struct bpfstamp_template *t, struct kernel *k, uint32_t index,
					      struct bpfstamp_err *err)
{
	struct template_cache *cache = t->cache;
	struct known_extern *e;

	if (!cache->externs && !(cache->externs = calloc(t->extern_count, sizeof(*cache->externs)))) {
		object_no_memory(err);
		return NULL;
	}
	e = &cache->externs[index];
	if (!e->known && externs_find(t, k, &t->externs[index], &e->value, err))
		return NULL;
	e->known = true;
	return &e->value;
}

static int add_extern(struct link *link, const struct bpfstamp_template *t, const struct link_chunk *chunk,
		      const struct reloc *r, struct bpfstamp_err *err)
{
	const struct external *ext = &t->externs[r->target];
	struct kernel *k = NULL;
	const struct extern_value *v;
	struct link_patch *p;

	if (ext->kind == EXTERN_KCONFIG)
		return 0;
	if (ext->kind != EXTERN_ADDRESS && !(k = get_kernel(t, err)))
		return -1;
	v = find_extern(t, k, r->target, err);
	if (!v) {
		err_hint(err, ", at ");
		return object_hint_place(t, r->code, r->insn, err);
	}
	p = add_patch(link, t, chunk, r->insn);
	if (p->slots == 1)
		put_call(link, k, v, r->target, p->insn);
	else
		put_lddw(k, ext, v, p->insn);
	return 0;
}

static int add_externs(struct link *link, const struct bpfstamp_template *t, const struct link_chunk *chunk,
		       struct bpfstamp_err *err)
{
	const struct reloc *r, *end;

	for (link_relocs(t, chunk->func, &r, &end); r < end; r++)
		if (r->kind == RELOC_EXTERN && add_extern(link, t, chunk, r, err))
			return -1;
	return 0;
}

/* How many patches a function can need. */
static size_t count_patches(const struct bpfstamp_template *t, uint32_t func)
{
	const struct func *f = &t->funcs[func];
	struct object_records cores = object_records(t, f, &t->codes[f->code].cores);
	const struct reloc *r, *end;

	link_relocs(t, func, &r, &end);
	return (size_t)(end - r) + cores.end - cores.first;
}

/* ---------------------------------------------------------------- target */

static bool is_tracing(uint32_t prog_type)
{
	return prog_type == BPF_PROG_TYPE_TRACING || prog_type == BPF_PROG_TYPE_LSM;
}

/* What stands in the kernel's types in front of the name that a section gives. */
static const char *target_prefix(const struct func *f)
{
	if (f->prog_type == BPF_PROG_TYPE_LSM)
		return "bpf_lsm_";
	if (f->attach_type == BPF_TRACE_RAW_TP)
		return "btf_trace_";
	return f->attach_type == BPF_TRACE_ITER ? "bpf_iter_" : "";
}

/* The function, tracepoint or iterator that the section of a tracing program names. */
static int find_target(struct link *link, const struct bpfstamp_template *t, const struct func *f,
		       struct bpfstamp_err *err)
{
	const char *section = t->codes[f->code].name, *slash = strchr(section, '/');
	enum btf_kind kind = f->attach_type == BPF_TRACE_RAW_TP ? BTF_TYPEDEF : BTF_FUNC;
	struct kernel *k;
	char name[256];
	uint32_t btf;

	if (!slash || !slash[1])
		return err_set(err, EINVAL, "%s: section %s of program %s does not name what to attach to", t->name,
			       section, f->name);
	if (snprintf(name, sizeof(name), "%s%s", target_prefix(f), slash + 1) >= (int)sizeof(name))
		return err_set(err, ENAMETOOLONG, "%s: the name of section %s is too long", t->name, section);
	if (!(k = get_kernel(t, err)))
		return -1;
	if (kernel_find_first(k, kind, name, strlen(name), &btf, &link->target_id, err))
		return -1;
	if (!link->target_id)
		return err_set(err, ENOENT, "%s: program %s of section %s attaches to %s, which this kernel does not "
			       "have", t->name, f->name, section, name);
	link->target_fd = kernel_btf_at(k, btf)->fd;
	return 0;
}

static int check_target(struct link *link, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	const struct func *f = &t->funcs[link->chunks[0].func];

	if (is_tracing(f->prog_type))
		return find_target(link, t, f, err);
	if (f->prog_type == BPF_PROG_TYPE_EXT || f->prog_type == BPF_PROG_TYPE_STRUCT_OPS)
		return err_set(err, ENOTSUP, "%s: cannot load program %s of section %s: programs of type %s are not "
			       "supported", t->name, f->name, t->codes[f->code].name,
			       bpfstamp_prog_type_name(f->prog_type));
	return 0;
}

int link_kernel(struct link *link, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	size_t room = 0;

	if (check_target(link, t, err))
		return -1;
	for (uint32_t i = 0; i < link->chunk_count; i++)
		room += count_patches(t, link->chunks[i].func);
	link->patches = calloc(room + 1, sizeof(*link->patches));
	link->btf_fds = calloc(t->extern_count + 2, sizeof(*link->btf_fds));
	if (!link->patches || !link->btf_fds)
		return object_no_memory(err);
	for (uint32_t i = 0; i < link->chunk_count; i++)
		if (add_cores(link, t, &link->chunks[i], err) || add_externs(link, t, &link->chunks[i], err))
			return -1;
	return 0;
}
