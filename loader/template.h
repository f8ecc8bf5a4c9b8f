/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The template: an object as parsed, relocated and indexed once.
 *
 * All bytes that a stamp can change stand in one block, the image: first the
 * instructions of every executable section, then the bytes of every data
 * section, each at a multiple of 8, all in the object's byte order.
 *
 *     image:  | egress | .text | … | .data | .rodata | .bss | … |
 *               codes[0] codes[1]    datas[0] datas[1]
 *
 * A stamp is a copy of the image with values stored at the offsets that the
 * injectables and their sites name.  Everything else here describes the image:
 * functions, relocations, maps and injectables refer to it and to each other
 * by index.  A program is put together from the image only when it is loaded
 * (loader/link.c), so that a site has one place however many programs call
 * the function that it stands in.
 */
#ifndef LOADER_TEMPLATE_H
#define LOADER_TEMPLATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bpfinsn/derive.h"
#include "elf/btf.h"
#include "elf/elf64.h"
#include "include/bpfstamp.h"
#include "loader/value.h"

#define NO_INDEX UINT32_MAX

struct code {		/* an executable section */
	uint32_t section;	/* ELF index */
	const char *name;
	uint32_t image;		/* offset of its first byte */
	uint32_t insns;		/* slots */
	uint32_t *moved;	/* where each slot of the object's section stands now (loader/edit.c), or NULL */
	uint32_t object_insns;	/* slots in the object; moved has one more */
	uint32_t reloc_first, reloc_count;	/* in relocs, ascending by insn */
	struct btf_ext_section funcs, lines, cores;	/* count 0 where BTF.ext has none */
};

struct data {		/* a data section; one map each */
	uint32_t section;
	const char *name;
	uint32_t image;
	uint32_t size;
	bool readonly;
	bool nobits;
	uint32_t map;
};

struct func {
	const char *name;
	uint32_t code, start, insns;	/* slots of codes[code] */
	bool entry;
	bool optional;		/* its section's name begins with '?': loaded only where it is asked for */
	uint32_t prog_type, attach_type, prog_flags;	/* by the section's name, or 0 */
	uint32_t btf;		/* BTF_FUNC of func_info, or 0 */
	uint32_t exception;	/* the function that it declares as its exception callback, or NO_INDEX */
};

enum reloc_kind {
	RELOC_DATA = 1,		/* lddw: address in datas[target], at addend */
	RELOC_MAP,		/* lddw: maps[target] */
	RELOC_FUNC,		/* lddw: address of funcs[target] */
	RELOC_CALL,		/* call of funcs[target] */
	RELOC_SYMBOL,		/* lddw: the value of injectables[target] */
	RELOC_EXTERN,		/* lddw, or call of a kfunc: externs[target] */
	RELOC_REFUSED,		/* cannot be loaded; why tells */
};

struct reloc {
	enum reloc_kind kind;
	uint32_t code, insn;
	uint32_t target;
	uint32_t addend;
	uint32_t symbol;	/* ELF index, 0 for a call that the compiler resolved */
	const char *why;
};

enum map_pinning {
	MAP_PIN_NONE = 0,
	MAP_PIN_NAME,		/* LIBBPF_PIN_BY_NAME: PATH/NAME */
	MAP_PIN_OBJECT,		/* struct bpf_elf_map, PIN_OBJECT_NS: PATH/tc/OBJECT/NAME */
	MAP_PIN_GLOBAL,		/* struct bpf_elf_map, PIN_GLOBAL_NS: PATH/tc/globals/NAME */
};

struct map {
	const char *name;
	const char *section;
	uint32_t elf_section, offset;	/* where it is declared */
	uint32_t data;		/* index of datas, or NO_INDEX */
	bool kconfig;		/* holds the values of .kconfig externs; its data is NO_INDEX */
	bool external;		/* declared extern: must be there, pinned */
	uint32_t symbol;	/* ELF index */
	bool is_inner;		/* no map of its own: what the maps in another look like; not in t->maps */
	uint32_t type, key_size, value_size, max_entries, flags, numa_node;
	uint64_t extra;
	uint32_t btf_key, btf_value;
	enum map_pinning pinning;
	uint32_t inner;		/* what maps in this one look like: index of maps, or NO_INDEX … */
	struct map *inner_def;	/* … or a definition without a map (allocated, as its name is), or NULL */
	uint32_t slot_first, slot_count;	/* in map_slots, ascending by key */
	const char *refused;	/* why it cannot be created, or NULL */
};

struct map_slot {	/* a value that a prog array or a map of maps starts with */
	uint32_t map, key;
	uint32_t target;	/* index of funcs where the map is a prog array, else of maps */
};

enum extern_kind {
	EXTERN_KCONFIG = 1,	/* a variable of .kconfig: bytes at offset of the map t->kconfig */
	EXTERN_ADDRESS,		/* a symbol of .ksyms declared void: its address by /proc/kallsyms */
	EXTERN_VARIABLE,	/* a symbol of .ksyms with a type: a VAR of the kernel's BTF */
	EXTERN_FUNCTION,	/* a kfunc: a FUNC of the kernel's BTF */
};

struct external {	/* an undefined symbol that the object's BTF declares */
	const char *name;
	enum extern_kind kind;
	uint32_t symbol;	/* ELF index */
	uint32_t btf;		/* its VAR or FUNC */
	bool weak;
	/* of EXTERN_KCONFIG */
	uint32_t size, align, offset;
	bool is_signed;
};

struct site {
	uint32_t injectable;
	uint32_t code, insn;
	struct derived how;	/* form IMM_NONE: refers to a global */
	/* of a load that became an immediate (loader/inline.c): the bytes that it loaded */
	uint32_t load_image;
	uint8_t load_size;	/* else 0 */
	bool load_signed;
};

struct doubt {		/* an instruction, or data, that may come from a placeholder; nobody writes to it */
	uint32_t injectable;
	uint32_t code, insn;	/* code NO_INDEX: insn is an offset in datas[data] */
	uint32_t data;
	const char *what;
};

struct injectable {
	const char *name, *section;	/* section: ".bpfstamp" and "*UND*" for kinds without one of their own */
	enum bpfstamp_kind kind;
	struct value_type type;
	uint32_t image;		/* offset of a global's bytes */
	uint32_t reach;		/* where the last byte of this global, or any in front of it, ends in its section */
	uint32_t data;		/* index of datas for a global, else NO_INDEX */
	uint32_t symbol;	/* ELF index, or 0 */
	uint32_t site_first, site_count;
	bool has_value;
	uint8_t value[8];	/* of a site kind, as in memory */
	/* what bpfstamp_inline did */
	uint32_t inlined_count;
	const char *kept;	/* why some use of it was not inlined, or NULL */
	uint32_t kept_code, kept_insn;	/* and where */
};

/* The BTF of the object as a kernel gets it (loader/kbtf.c). */
struct kbtf {
	uint8_t *bytes;		/* NULL: none */
	uint32_t size;
	uint32_t has, lacking;	/* kinds by enum lack: that it would have, that were replaced */
};

struct kernel;
struct known_extern;
struct link;

/* What whichever thread needs it first makes on behalf of all, holding the lock (loader/load.c). */
struct template_cache {
	pthread_mutex_t lock;
	_Atomic int btf_fd;	/* or negative (loader/kbtf.h) */
	_Atomic uint32_t cpus;	/* possible ones; 0: not asked yet */
	struct kernel *kernel;	/* types of the kernel, or a file that stands for it, once something needed them */
	struct known_extern *externs;	/* of loader/link_kernel.c, by extern; NULL: none was looked for */
	uint8_t *kconfig;	/* the bytes of the map of .kconfig, or NULL */
	struct kbtf kbtf;	/* that reuse goes by (loader/reuse_key.c), or none yet */
	struct link *_Atomic links[];	/* by function */
};

struct bpfstamp_template {
	struct elf64 elf;
	void *owned;		/* the file's bytes, where bpfstamp_open_file read them */
	char *name;
	struct btf btf;		/* type_count 0 where there is none */
	struct btf_ext ext;	/* data NULL where there is none */
	uint32_t *btf_index;
	const char *license;
	uint32_t kern_version;

	uint8_t *image;
	uint32_t image_size;
	uint8_t *starts;	/* bit per slot of the code part of the image: begins an instruction */

	struct code *codes;
	struct data *datas;
	struct func *funcs;	/* ascending by code and start */
	struct reloc *relocs;
	struct map *maps;
	struct map_slot *map_slots;	/* ascending by map and key */
	struct external *externs;	/* those of .kconfig first, ascending by offset */
	struct injectable *injectables;
	struct site *sites;
	uint32_t code_count, data_count, func_count, reloc_count, map_count, injectable_count, site_count;
	uint32_t map_slot_count, extern_count;
	uint32_t site_room;
	uint32_t kconfig;	/* the map of .kconfig, or NO_INDEX */
	struct doubt *doubts;
	uint32_t doubt_count;
	uint32_t *code_of, *data_of;	/* by ELF section: index, or NO_INDEX */
	uint32_t global_count;	/* the first injectables are the globals, ascending by image */
	char **placeholders;	/* names given to bpfstamp_declare */
	uint32_t placeholder_count;

	struct template_cache *cache;
};

/* Steps of bpfstamp_open (loader/object.c), in their order; each fills its part of *t. */
int functions_collect(struct bpfstamp_template *t, struct bpfstamp_err *err);
int maps_collect(struct bpfstamp_template *t, struct bpfstamp_err *err);
void maps_free(struct bpfstamp_template *t);
int externs_collect(struct bpfstamp_template *t, struct bpfstamp_err *err);
int injectables_collect(struct bpfstamp_template *t, struct bpfstamp_err *err);
int relocs_collect(struct bpfstamp_template *t, struct bpfstamp_err *err);
int sites_collect(struct bpfstamp_template *t, struct bpfstamp_err *err);

/* Append a site; and, after the last, order them by injectable and place. */
int sites_add(struct bpfstamp_template *t, const struct site *site, struct bpfstamp_err *err);
void sites_index(struct bpfstamp_template *t);

/* Where a slot of the object's section stands now (the end for one behind it), and from which slot of it one came. */
uint32_t object_moved(const struct code *c, uint32_t object_insn);
uint32_t object_origin(const struct code *c, uint32_t insn);

/* The function that slot insn of a code section belongs to, or NO_INDEX. */
uint32_t object_func_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn);

/* The relocation of a slot, or NULL. */
const struct reloc *object_reloc_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn);

/* Those records of BTF.ext that belong to a function; of: the lines, or the cores, of its code section. */
struct object_records {
	uint32_t first, end;
};

struct object_records object_records(const struct bpfstamp_template *t, const struct func *f,
				     const struct btf_ext_section *of);

/* The CO-RE record of a slot, by its index in t->codes[code].cores, or NO_INDEX. */
uint32_t object_core_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn);

/* Describe a slot for people: function, slot in it, file and line. */
void object_locate(const struct bpfstamp_template *t, uint32_t code, uint32_t insn, struct bpfstamp_site *out);

/* Slot insn of a code section in the image, or in another copy of it. */
static inline uint32_t object_insn_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn)
{
	return t->codes[code].image + insn * BPFINSN_SIZE;
}

/* Decode the instruction at a slot in an image: two[1] is the second slot of an lddw, else zero. */
void object_decode(const struct bpfstamp_template *t, const uint8_t *image, uint32_t code, uint32_t insn,
		   struct bpfinsn two[2]);

/* Put "instruction N of PROGRAM (FILE:LINE)" behind *err; always returns -1. */
int object_hint_place(const struct bpfstamp_template *t, uint32_t code, uint32_t insn, struct bpfstamp_err *err);

/* Turn a fault of a parser into an error: "NAME: at byte 0x…: what". */
int object_fault(const struct bpfstamp_template *t, const char *part, const struct elf64_fault *fault,
		 struct bpfstamp_err *err);

int object_no_memory(struct bpfstamp_err *err);

#endif
