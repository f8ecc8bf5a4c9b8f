// SPDX-License-Identifier: BSD-2-Clause
/*
 * BTF for BPF_BTF_LOAD.  In an object, a DATASEC has size 0 and its variables
 * have offset 0 where they are global: the ELF symbol table knows better.  The
 * kernel wants both true, and the variables ascending (kernel/bpf/btf.c,
 * btf_datasec_check_meta).  Static variables have their offset already;
 * several may share a name, so a symbol is asked only where it is alone.
 *
 * A function that is global in its BTF is verified for all callers by itself,
 * with its arguments unknown; one of hidden visibility is not meant to be
 * called from elsewhere, so it is made static, as libbpf does.
 *
 * Nothing may be extern for the kernel.  An extern variable becomes global, an
 * extern function static, with a name for each parameter.  The variables of
 * .kconfig lie where their map has them.  What .ksyms declares is no memory at
 * all: that section becomes one of ints, one behind the other.
 *
 * Loading a sane BTF is one system call.  Only after EINVAL are the kinds that
 * the object has asked about, one by one (loader/btfkinds.c); what is lacking
 * is replaced from then on.  Where nothing is, the BTF is at fault.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/btfkinds.h"
#include "loader/kbtf.h"
#include "loader/sys.h"

enum { STATIC, GLOBAL, EXTERN };	/* linkage of VAR and FUNC */
enum { STV_INTERNAL = 1, STV_HIDDEN = 2, KSYM_SIZE = 4 };

/* --------------------------------------------------------------- symbols */

struct named {	/* a defined symbol: global functions have section 0 */
	const char *name;
	uint32_t section, value;
	bool hidden;
};

struct names {	/* ascending by name and section */
	struct named *at;
	uint32_t count;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->section < y->section ? -1 : x->section > y->section;
}

static bool collect_names(struct names *names, const struct elf64 *elf)
{
	names->at = calloc((size_t)elf->symbol_count + 1, sizeof(*names->at));
	names->count = 0;
	if (!names->at)
		return false;
	for (uint32_t i = 1; i < elf->symbol_count; i++) {
		struct elf64_symbol sym;
		bool function;

		elf64_symbol(elf, i, &sym);
		if (!*sym.name || sym.section == ELF64_SHN_UNDEF)
			continue;
		function = sym.type == ELF64_STT_FUNC && sym.bind != ELF64_STB_LOCAL;
		names->at[names->count++] = (struct named){
			.name = sym.name, .section = function ? 0 : sym.section, .value = (uint32_t)sym.value,
			.hidden = (sym.other & 3) == STV_HIDDEN || (sym.other & 3) == STV_INTERNAL };
	}
	qsort(names->at, names->count, sizeof(*names->at), by_name);
	return true;
}

/* The one symbol of that name, or NULL where there is none or more than one. */
static const struct named *find_name(const struct names *names, const char *name, uint32_t section)
{
	const struct named key = { .name = name, .section = section };
	const struct named *found = bsearch(&key, names->at, names->count, sizeof(key), by_name);

	if (!found || (found > names->at && !by_name(found - 1, &key)) ||
	    (found + 1 < names->at + names->count && !by_name(found + 1, &key)))
		return NULL;
	return found;
}

/* ------------------------------------------------------------------ fill */

struct secvar {
	uint32_t type, offset, size;
};

struct fill {
	const struct bpfstamp_template *t;
	struct btfcopy copy;
	struct names names;
	uint32_t *mark;		/* by type: of a VAR, 1 + the extern; of a FUNC_PROTO, not 0 where it needs names */
	uint32_t ksym_int, ksym_var;	/* types of what stands for externs in .ksyms; 0: not needed so far */
};

static int by_offset(const void *a, const void *b)
{
	const struct secvar *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static struct secvar secvar_at(const struct fill *f, const struct btfcopy_type *sec, uint32_t i)
{
	return (struct secvar){ .type = btfcopy_word(&f->copy, sec, 3 * i),
				.offset = btfcopy_word(&f->copy, sec, 3 * i + 1),
				.size = btfcopy_word(&f->copy, sec, 3 * i + 2) };
}

static void put_secvar(struct fill *f, const struct btfcopy_type *sec, uint32_t i, const struct secvar *var)
{
	btfcopy_set_word(&f->copy, sec, 3 * i, var->type);
	btfcopy_set_word(&f->copy, sec, 3 * i + 1, var->offset);
	btfcopy_set_word(&f->copy, sec, 3 * i + 2, var->size);
}

/* Variables of a section of the object. */
static void place_variables(const struct fill *f, uint32_t section, struct secvar *vars, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct btf_type var;
		const struct named *sym;

		btf_type(&f->t->btf, vars[i].type, &var);
		sym = find_name(&f->names, var.name, section);
		if (sym)
			vars[i].offset = sym->value;
	}
}

/* Variables of .kconfig; one that no code refers to has no place in the map: it goes behind.  Returns the end. */
static uint32_t place_kconfig(const struct fill *f, struct secvar *vars, uint32_t count)
{
	const struct bpfstamp_template *t = f->t;
	uint32_t end = t->kconfig == NO_INDEX ? 0 : t->maps[t->kconfig].value_size;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t ext = f->mark[vars[i].type];

		if (ext) {
			vars[i].offset = t->externs[ext - 1].offset;
			vars[i].size = t->externs[ext - 1].size;
		} else {
			vars[i].offset = end;
			end += vars[i].size;
		}
	}
	return end;
}

static uint32_t ksym_int(struct fill *f)
{
	for (uint32_t id = 1; !f->ksym_int && id < f->t->btf.type_count; id++) {
		struct btf_type type;

		btf_type(&f->t->btf, id, &type);
		if (type.kind == BTF_INT && type.size == KSYM_SIZE && type.int_bits == 32)
			f->ksym_int = id;
	}
	if (!f->ksym_int)
		f->ksym_int = btfcopy_add(&f->copy, 0, BTF_INT, KSYM_SIZE, 32);
	return f->ksym_int;
}

/* What .ksyms declares: an int each. */
static uint32_t place_ksyms(struct fill *f, struct secvar *vars, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct btfcopy_type type = btfcopy_type(&f->copy, vars[i].type);

		if (type.kind == BTF_VAR) {
			type.third = ksym_int(f);
			btfcopy_store(&f->copy, &type);
		} else {
			if (!f->ksym_var)
				f->ksym_var = btfcopy_add(&f->copy, type.name, BTF_VAR, ksym_int(f), GLOBAL);
			vars[i].type = f->ksym_var;
		}
		vars[i].offset = i * KSYM_SIZE;
		vars[i].size = KSYM_SIZE;
	}
	return count * KSYM_SIZE;
}

static bool fill_datasec(struct fill *f, uint32_t id)
{
	struct btfcopy_type sec = btfcopy_type(&f->copy, id);
	const char *name = btf_string(&f->t->btf, sec.name);
	struct secvar *vars = calloc((size_t)sec.vlen + 1, sizeof(*vars));
	uint32_t section;
	struct elf64_section s;

	if (!vars)
		return false;
	for (uint32_t i = 0; i < sec.vlen; i++)
		vars[i] = secvar_at(f, &sec, i);
	if (!strcmp(name, ".kconfig")) {
		sec.third = place_kconfig(f, vars, sec.vlen);
	} else if (!strcmp(name, ".ksyms")) {
		sec.third = place_ksyms(f, vars, sec.vlen);
	} else if ((section = elf64_find(&f->t->elf, name)) != 0) {
		elf64_section(&f->t->elf, section, &s);
		sec.third = (uint32_t)s.size;
		place_variables(f, section, vars, sec.vlen);
	}
	qsort(vars, sec.vlen, sizeof(*vars), by_offset);
	for (uint32_t i = 0; i < sec.vlen; i++)
		put_secvar(f, &sec, i, &vars[i]);
	btfcopy_store(&f->copy, &sec);
	free(vars);
	return true;
}

static void fill_func(struct fill *f, struct btfcopy_type *func)
{
	const struct named *sym;

	if (func->vlen == EXTERN) {
		if (btfcopy_type(&f->copy, func->third).kind == BTF_FUNC_PROTO)
			f->mark[func->third] = 1;
		func->vlen = STATIC;
	} else if (func->vlen == GLOBAL) {
		sym = find_name(&f->names, btf_string(&f->t->btf, func->name), 0);
		if (sym && sym->hidden)
			func->vlen = STATIC;
	}
	btfcopy_store(&f->copy, func);
}

/* A parameter of type 0 is the "..." at the end, which has no name. */
static void name_parameters(struct fill *f, const struct btfcopy_type *proto)
{
	for (uint32_t i = 0; i < proto->vlen; i++)
		if (!btfcopy_word(&f->copy, proto, 2 * i) && btfcopy_word(&f->copy, proto, 2 * i + 1))
			btfcopy_set_word(&f->copy, proto, 2 * i, btfcopy_any_name(&f->copy));
}

static bool fill_type(struct fill *f, uint32_t id)
{
	struct btfcopy_type type = btfcopy_type(&f->copy, id);

	if (type.kind == BTF_DATASEC)
		return fill_datasec(f, id);
	if (type.kind == BTF_FUNC)
		fill_func(f, &type);
	if (type.kind == BTF_VAR && btfcopy_word(&f->copy, &type, 0) == EXTERN)
		btfcopy_set_word(&f->copy, &type, 0, GLOBAL);
	return true;
}

static bool fill(struct fill *f)
{
	const uint32_t count = f->t->btf.type_count;

	for (uint32_t i = 0; i < f->t->extern_count; i++)
		if (f->t->externs[i].kind == EXTERN_KCONFIG)
			f->mark[f->t->externs[i].btf] = i + 1;
	for (uint32_t id = 1; id < count; id++)
		if (!fill_type(f, id))
			return false;
	for (uint32_t id = 1; id < count; id++) {
		struct btfcopy_type type = btfcopy_type(&f->copy, id);

		if (type.kind == BTF_FUNC_PROTO && f->mark[id])
			name_parameters(f, &type);
	}
	return true;
}

static uint32_t known_lacking(void)
{
	uint32_t lacking = 0;

	for (int lack = LACKS_BTF_TAG_FLAG; lack <= LACKS_BTF_FUNC; lack++)
		lacking |= (uint32_t)lacks((enum lack)lack) << lack;
	return lacking;
}

int kbtf_make(struct kbtf *out, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	struct fill f = { .t = t };
	bool ok;

	f.mark = calloc((size_t)t->btf.type_count + 1, sizeof(*f.mark));
	ok = f.mark && collect_names(&f.names, &t->elf) && btfcopy_begin(&f.copy, &t->btf) && fill(&f);
	free(f.mark);
	free(f.names.at);
	if (!ok) {
		free(f.copy.bytes);
		return object_no_memory(err);
	}
	out->has = btfkinds_of(&f.copy);
	out->lacking = known_lacking();
	btfkinds_replace(&f.copy, out->lacking);
	out->bytes = btfcopy_finish(&f.copy, &out->size);
	return 0;
}

/* ------------------------------------------------------------------ load */

/* The kernel's reason for refusing a BTF: the last line of its log, or else what errno says. */
static void ask_why(const uint8_t *btf, uint32_t size, int code, char *reason, size_t room)
{
	static const uint32_t sizes[] = { 1 << 16, (1 << 24) - 1 };	/* old kernels take no larger log */
	char *log = malloc(sizes[1]), *end, *line;
	int fd = -1;

	snprintf(reason, room, "%s", strerror(code));
	if (!log)
		return;
	errno = ENOSPC;
	for (int i = 0; i < 2 && fd < 0 && errno == ENOSPC; i++) {
		log[0] = '\0';
		fd = sys_btf_load(btf, size, log, sizes[i]);
	}
	if (fd >= 0)
		close(fd);
	end = log + strlen(log);
	while (end > log && strchr("\n\t ", end[-1]))
		*--end = '\0';
	line = strrchr(log, '\n');
	line = line ? line + 1 : log;
	if (*line)
		snprintf(reason, room, "%s", line + strspn(line, "\t "));
	free(log);
}

static void tell_replaced(const struct bpfstamp_load *load, uint32_t replaced)
{
	for (int lack = LACKS_BTF_TAG_FLAG; lack <= LACKS_BTF_FUNC; lack++)
		if (replaced >> lack & 1)
			load_note(load, "this kernel lacks %s: replaced in the BTF of the object",
				  btfkinds_name((enum lack)lack));
}

/* After EINVAL: whether something that the object has turned out to be lacking. */
static bool learn(uint32_t has)
{
	uint32_t lacking = btfkinds_lacking((has & ~known_lacking()) | 1u << LACKS_BTF);

	if (lacking >> LACKS_BTF & 1)
		lacking = 1u << LACKS_BTF;
	for (int lack = LACKS_BTF_TAG_FLAG; lack <= LACKS_BTF; lack++)
		if (lacking >> lack & 1)
			lacks_note((enum lack)lack);
	return lacking;
}

static int load_made(const struct kbtf *btf, const struct bpfstamp_load *load)
{
	int fd = sys_btf_load(btf->bytes, btf->size, NULL, 0);

	if (fd < 0 && errno == EPERM && load_raise_memlock(load))
		fd = sys_btf_load(btf->bytes, btf->size, NULL, 0);
	return fd;
}

static void tell_refused(const struct kbtf *btf, int code, const struct bpfstamp_load *load)
{
	char reason[160];

	ask_why(btf->bytes, btf->size, code, reason, sizeof(reason));
	load_note(load, "the kernel refuses the BTF of the object (%s): source lines and types will be missing",
		  reason);
}

static bool is_passing(int code)
{
	return code == ENOMEM || code == EMFILE || code == ENFILE || code == EAGAIN || code == EINTR;
}

/* After EINVAL: whether more is known to be lacking, by this thread or another, than what was loaded does without. */
static bool has_learned(const struct kbtf *btf)
{
	return learn(btf->has) || (btf->has & known_lacking() & ~btf->lacking);
}

int kbtf_load(const struct bpfstamp_template *t, const struct bpfstamp_load *load)
{
	struct bpfstamp_err err;

	if (!t->btf.type_count)
		return KBTF_NONE;
	while (!lacks(LACKS_BTF)) {
		const struct kbtf *btf = &t->cache->kbtf;
		struct kbtf own = { 0 };
		bool again;
		int fd, code;

		if (!btf->bytes || btf->lacking != known_lacking()) {
			if (kbtf_make(&own, t, &err)) {
				load_note(load, "the BTF of the object is not loaded: %s", err.text);
				return KBTF_UNTRIED;
			}
			btf = &own;
		}
		fd = load_made(btf, load);
		code = errno;
		again = fd < 0 && code == EINVAL && has_learned(btf);
		if (fd >= 0)
			tell_replaced(load, btf->has & btf->lacking);
		else if (!again)
			tell_refused(btf, code, load);
		free(own.bytes);
		if (!again)
			return fd >= 0 ? fd : is_passing(code) ? KBTF_UNTRIED : KBTF_NONE;
	}
	load_note(load, "this kernel lacks %s: source lines and types will be missing", btfkinds_name(LACKS_BTF));
	return KBTF_NONE;
}
