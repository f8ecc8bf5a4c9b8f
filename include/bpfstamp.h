/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfstamp: compile a BPF object once, then stamp values into it, load it and
 * attach it, as often as there are instances.
 *
 *	struct bpfstamp_template *t;	what was compiled: parsed and indexed once
 *	struct bpfstamp_stamp *s;	one instance: code and data with its values
 *	struct bpfstamp_net *net;	a network namespace to attach in
 *	struct bpfstamp_ref vni;
 *	struct bpfstamp_err err;
 *
 *	bpfstamp_open_file(&t, "vpc.o", &err);
 *	bpfstamp_find(t, "vni", &vni, &err);
 *	bpfstamp_stamp_new(&s, t, &err);
 *	bpfstamp_net_open(&net, NULL, &err);
 *	for each pod:
 *		bpfstamp_reset(s);
 *		bpfstamp_put(s, &vni, pod->vni, &err);
 *		bpfstamp_load(s, &load, &fd, &err);
 *		bpfstamp_attach(net, &hook, fd, "filter_out", NULL, &err);
 *		close(fd);
 *
 * Conventions.  A function that can fail returns 0, or -1 with *err; what it
 * was to make is then untouched and nothing is left half done.  Objects are
 * freed by their own _free or _close, which accept NULL.  Strings and
 * structures that a template hands out are the template's and live as long.
 * Numbers are in host byte order.  Nothing here prints, exits, forks,
 * installs a handler or keeps global state, but for what the running kernel was
 * seen to lack.  Link with -lbpfstamp -lmnl -lz.
 *
 * Threads.  A template may be used by many threads at once when it is ready,
 * that is after the last bpfstamp_declare.  A stamp or a net belongs to one
 * thread at a time.
 */
#ifndef BPFSTAMP_H
#define BPFSTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define BPFSTAMP_VERSION "0.1.0"

/* code: an errno value; text: one line, without a newline. */
struct bpfstamp_err {
	int code;
	char text[1024];
};

/* Fill *err as the functions here do; always returns -1. */
int bpfstamp_err_set(struct bpfstamp_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ------------------------------------------------------------- template */

struct bpfstamp_template;

/*
 * Parse size bytes of an ELF64 BPF object, of either byte order.  The bytes
 * are not copied and must not change while the template lives.  name is how
 * errors call it, and what the kernel's names of its maps begin with.
 */
int bpfstamp_open(struct bpfstamp_template **out, const void *bytes, size_t size, const char *name,
		  struct bpfstamp_err *err);

/* The same of a file, which is read and closed. */
int bpfstamp_open_file(struct bpfstamp_template **out, const char *path, struct bpfstamp_err *err);

void bpfstamp_close(struct bpfstamp_template *t);

/* A function of the object: an entry program, or a subprogram that others call. */
struct bpfstamp_program {
	const char *name;
	const char *section;
	bool entry;		/* can be loaded by itself */
	uint32_t type;		/* enum bpf_prog_type by the section's name, 0 where it tells nothing */
	uint32_t attach_type;	/* enum bpf_attach_type likewise */
	uint32_t insns;		/* slots of 8 bytes in the object */
	uint32_t core_relocs;	/* instructions that CO-RE relocates by the kernel's types */
};

/* What the object wants from the kernel by name. */
struct bpfstamp_extern {
	const char *name;
	const char *kind;	/* "kconfig", "ksym" or "kfunc" */
	bool weak;		/* the object can do without it */
};

struct bpfstamp_map {
	const char *name;
	const char *section;
	bool data;		/* a data section: its bytes are the only value */
	bool readonly;		/* a data section that is frozen before a program sees it */
	uint32_t type;		/* enum bpf_map_type */
	uint32_t key_size, value_size, max_entries, flags;
	const char *pin;	/* how it wants to be pinned: "name", iproute2's "object" or "global", or NULL */
	uint32_t refs;		/* instructions that refer to it; with none it is not created */
};

enum bpfstamp_kind {
	BPFSTAMP_GLOBAL = 1,	/* a variable in a data section */
	BPFSTAMP_STAMP,		/* STAMP() of bpfstamp.bpf.h */
	BPFSTAMP_SYMBOL,	/* an undefined symbol that an lddw refers to */
	BPFSTAMP_PLACEHOLDER,	/* a constant, named by bpfstamp_declare */
};

/* An instruction that holds the value, or that refers to the variable. */
struct bpfstamp_site {
	const char *program;	/* the function it stands in */
	uint32_t insn;		/* slot, from the start of that function */
	const char *file;	/* from BTF.ext, or NULL */
	uint32_t line;		/* 0 where unknown */
	const char *derived;	/* "C - 1", "bswap32(C)", … where it holds that of a placeholder C, else NULL */
};

struct bpfstamp_injectable {
	const char *name;
	const char *section;	/* what goes before the colon in section:name */
	enum bpfstamp_kind kind;
	char type[64];		/* as in C, from BTF; else "u32", "bytes[24]", … */
	uint32_t size;		/* of a value, in bytes */
	uint32_t bits;		/* that a value may use, 0 where it is no integer */
	bool is_signed;
	bool has_value;		/* false for a symbol: it must be set */
	const void *value;	/* size bytes as the program sees them in memory */
	uint32_t site_count;
	uint32_t inlined_count;	/* sites that bpfstamp_inline made of loads */
	const char *kept;	/* why it left some use of the variable, or NULL */
	struct bpfstamp_site kept_at;	/* and the first such use */
};

/* Names as bpftool has them ("sched_cls", "hash"); NULL for an unknown number. */
const char *bpfstamp_prog_type_name(uint32_t prog_type);
const char *bpfstamp_map_type_name(uint32_t map_type);

const char *bpfstamp_name(const struct bpfstamp_template *t);	/* as bpfstamp_open was given it; or the path */
const char *bpfstamp_license(const struct bpfstamp_template *t);	/* "" where it has none */
bool bpfstamp_big_endian(const struct bpfstamp_template *t);

uint32_t bpfstamp_program_count(const struct bpfstamp_template *t);
uint32_t bpfstamp_map_count(const struct bpfstamp_template *t);
uint32_t bpfstamp_extern_count(const struct bpfstamp_template *t);
uint32_t bpfstamp_injectable_count(const struct bpfstamp_template *t);
void bpfstamp_program_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_program *out);
void bpfstamp_map_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_map *out);
void bpfstamp_extern_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_extern *out);
void bpfstamp_injectable_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_injectable *out);
void bpfstamp_site_at(const struct bpfstamp_template *t, uint32_t injectable, uint32_t site,
		      struct bpfstamp_site *out);

/*
 * Name a placeholder: the constant that old spells (a value form, see
 * bpfstamp_set) becomes an injectable called old.  Its sites are all
 * instructions that mean it, and those that mean what compilers make of it
 * beyond doubt: its negation, complement, byte swap, sign extension, a lane of a wider
 * immediate, one more or less in an ordered compare.
 *
 * It is an error where there is no site; where expect is not negative and not
 * their number; and where something may come from the constant but nobody can
 * tell how (a part of it, a multiple, a number near it, its bytes in a data
 * section), unless allow_derived says to go on and leave these as they are.
 * Before stamps are made.
 */
int bpfstamp_declare(struct bpfstamp_template *t, const char *old, long expect, bool allow_derived,
		     struct bpfstamp_err *err);

/* What bpfstamp_declare doubted and left as it is. */
struct bpfstamp_doubt {
	uint32_t injectable;
	const char *what;	/* "a part of it, masked or shifted", … */
	struct bpfstamp_site site;	/* an instruction, where site.program is not NULL */
	const char *section;	/* else a place in data */
	uint32_t offset;
};

uint32_t bpfstamp_doubt_count(const struct bpfstamp_template *t);
void bpfstamp_doubt_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_doubt *out);

/*
 * See that every site of a placeholder can hold the value that text spells:
 * where an instruction cannot, it becomes an lddw, or an lddw into a free
 * register and the instruction with that register.  Fails with the
 * instruction where there is no way.  After bpfstamp_declare, before stamps are made.
 */
int bpfstamp_widen(struct bpfstamp_template *t, const char *name, const char *text, struct bpfstamp_err *err);

/*
 * Turn globals into immediates: loads of read-only data, and of variables in
 * .data and .bss that nothing in the object writes and whose address does not
 * escape, become moves, which are then the sites of the variable.  What cannot
 * be proved is kept, and says why (struct bpfstamp_injectable).  Maps that no
 * instruction refers to any more are not created.  Before stamps are made, and
 * after the last bpfstamp_declare.
 */
int bpfstamp_inline(struct bpfstamp_template *t, struct bpfstamp_err *err);

/*
 * Resolve CO-RE relocations against the BTF of a file (raw, or in an ELF
 * file), instead of against the running kernel's.  Before stamps are made.
 */
int bpfstamp_target_btf(struct bpfstamp_template *t, const char *path, struct bpfstamp_err *err);

/* An injectable, resolved.  Its members are private. */
struct bpfstamp_ref {
	uint32_t injectable, offset, size, bit_offset, btf;
	uint8_t form, bits;
	bool bitfield, is_signed, any_sign;
};

/*
 * Resolve a name, or "section:name" where the name alone is not one only, with
 * a path behind it where it is an aggregate with BTF: "cfg.vni",
 * "peers[2].addr".  Unknown names fail with ENOENT and, where one is near, a
 * suggestion.
 */
int bpfstamp_find(const struct bpfstamp_template *t, const char *name, struct bpfstamp_ref *out,
		  struct bpfstamp_err *err);

/* An injectable by its index, as a whole. */
void bpfstamp_whole(const struct bpfstamp_template *t, uint32_t injectable, struct bpfstamp_ref *out);

/* A scalar of an injectable, or what cannot be taken apart: its path begins with the injectable's name. */
struct bpfstamp_leaf {
	const char *path;
	char type[64];
	struct bpfstamp_ref ref;
};

typedef void bpfstamp_leaf_fn(const struct bpfstamp_leaf *leaf, void *arg);
void bpfstamp_leaves(const struct bpfstamp_template *t, uint32_t injectable, bpfstamp_leaf_fn *fn, void *arg);

/*
 * Resolve an entry program by name.  NULL stands for the only one; where
 * several are there, for the only one whose section goes with prog_type (0:
 * any), or has a name that tells no type.  A program of another type is an
 * error.
 */
int bpfstamp_find_program(const struct bpfstamp_template *t, const char *name, uint32_t prog_type,
			  uint32_t *out, struct bpfstamp_err *err);

/* ---------------------------------------------------------------- stamp */

struct bpfstamp_stamp;

/* An instance with the values of the object itself.  The template must outlive it. */
int bpfstamp_stamp_new(struct bpfstamp_stamp **out, const struct bpfstamp_template *t,
		       struct bpfstamp_err *err);
void bpfstamp_stamp_free(struct bpfstamp_stamp *s);

/* Back to the values of the object; no allocation. */
void bpfstamp_reset(struct bpfstamp_stamp *s);

/* Give one stamp exactly the values of another of the same template; no allocation. */
void bpfstamp_copy(struct bpfstamp_stamp *to, const struct bpfstamp_stamp *from);

/*
 * Set by name and text.  Forms: integers (decimal, 0x, 0b, 0o, negative),
 * true and false, enumerators, IPv4, IPv6 and MAC addresses (bytes in network
 * order), be16: be32: be64: le16: le32: le64: before an integer, hex:00ff… (raw
 * bytes), and text for char arrays.  Checked against type, size and bits.
 */
int bpfstamp_set(struct bpfstamp_stamp *s, const char *name, const char *text, struct bpfstamp_err *err);

/* The same by reference: text, an integer, and raw bytes (ref's size, as in memory). */
int bpfstamp_put_text(struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref, const char *text,
		      struct bpfstamp_err *err);
int bpfstamp_put(struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref, uint64_t value,
		 struct bpfstamp_err *err);
int bpfstamp_put_bytes(struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref, const void *bytes,
		       size_t len, struct bpfstamp_err *err);

/*
 * The value that ref stands for as text that bpfstamp_set reads back: a number,
 * or hex:…; of a stamp, or, for s NULL, of the template.  Always ended by NUL
 * where size is not 0; returns the length of the whole text, 0 where there is
 * no value yet.
 */
size_t bpfstamp_get(const struct bpfstamp_template *t, const struct bpfstamp_stamp *s,
		    const struct bpfstamp_ref *ref, char *buf, size_t size);

/* What stamping did at one site. */
struct bpfstamp_change {
	const char *path;	/* of the value, or of the part of it that is different */
	struct bpfstamp_ref ref;
	struct bpfstamp_site site;
};

/*
 * Call fn with each site of each value that was set, in order of the
 * injectables.  Of an aggregate only the parts are told that are different,
 * and the whole where none is.
 */
typedef void bpfstamp_change_fn(const struct bpfstamp_change *change, void *arg);
void bpfstamp_changes(const struct bpfstamp_stamp *s, bpfstamp_change_fn *fn, void *arg);

struct bpfstamp_insn {
	uint32_t slots;			/* 2 for lddw, else 1 */
	char text[128];			/* as stamped, as llvm-objdump writes it */
	bool changed;
	char before[128];		/* where changed: as in the object */
	const char *refers;		/* the variable, map, symbol or function of a relocation, or NULL */
	char core[128];			/* what CO-RE puts into it ("offset of struct sk_buff.mark"), or "" */
	struct bpfstamp_site site;
};

/* Describe the instruction at a slot (below insns) of a function of the template. */
void bpfstamp_insn_at(const struct bpfstamp_stamp *s, uint32_t program, uint32_t slot, struct bpfstamp_insn *out);

/*
 * The object with the values written into it, every other byte as it was; but
 * a .bss section that received a value becomes a .data section, a symbol that
 * received one becomes absolute and loses its relocations, and code that
 * changed its length (bpfstamp_inline, bpfstamp_widen) is moved to the end
 * of the file, with all that refers to places in it translated.
 * bpfstamp_elf_size tells how many bytes bpfstamp_elf writes.
 */
size_t bpfstamp_elf_size(const struct bpfstamp_stamp *s);
int bpfstamp_elf(const struct bpfstamp_stamp *s, void *buf, size_t size, struct bpfstamp_err *err);

/* ----------------------------------------------------------------- load */

struct bpfstamp_load {
	uint32_t program;	/* from bpfstamp_find_program */
	uint32_t prog_type;	/* enum bpf_prog_type, 0: by the section's name */
	const char *pin_path;	/* bpffs folder of maps that are to be pinned by name; NULL: /sys/fs/bpf */
	const int *map_fds;	/* by map of the template: an fd to use as it is, where not negative; or NULL */
	uint32_t ifindex;	/* of the thread's namespace: the device whose hardware is to run the program, or 0 */
	bool record;		/* leave a record of the values with the program, for bpfstamp_running_open */
	bool no_debug_info;	/* give the kernel no BTF, where the programs can do without (see below) */
	bool reuse;		/* take an equal program that another process has loaded, where there is one (below) */
	bool *reused;		/* told whether that was done, or NULL */
	bool dry_run;		/* for the verifier's answer only: make no pins */
	char *log;		/* gets the end of the verifier's log on failure, or NULL */
	size_t log_size;
	void (*note)(void *arg, const char *text);	/* told of each fallback, or NULL */
	void *note_arg;
};

/*
 * load->note is also called while the template is locked, and so must not load anything of that template itself.
 *
 * With no_debug_info the kernel gets neither the object's BTF nor the program's records of functions and lines.
 * What is then lost is for people: source lines in the verifier's own log (errors here have them all the same) and in
 * dumps, names of functions in dumps and stack traces, what traces the program itself by its BTF, and the
 * values of .data and .bss, which bpfstamp_running_open and others read by the BTF of their map; those of read-only
 * data are in the record instead.  It has no effect where types are more than that for the kernel, or may be: on
 * programs that have more than one function, refer to symbols or functions of the kernel or to maps
 * that are declared with types, can write to variables that are not just numbers, or trace.  load->note is told.
 */

/*
 * Create the maps that the program refers to, fill and freeze its data, and
 * load it.  *fd is the program's, closed on exec, and keeps the maps.
 *
 * With load->reuse, an equal program is not loaded twice, whichever process
 * loads it: one that can be shared (bpfstamp_share_check), and leaves a record,
 * is told to others by an index pinned as bpfstamp/programs below
 * load->pin_path, which the stamp keeps open, and found there.  It is compared in full: instructions,
 * data, record and all else that it was loaded from.  The index keeps no
 * program: each ends when nobody uses it any more, as ever.  TCX and netkit take a
 * program once in a place: bpfstamp_attach fails with EEXIST where another link has it
 * there, and one that is loaded without reuse will do.  Needs CAP_SYS_ADMIN,
 * Linux 5.10 and a bpffs; without, and where anything else stands in the way, it
 * is a load like any other.
 */
int bpfstamp_load(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, int *fd,
		  struct bpfstamp_err *err);

/* Remove the pins that the last bpfstamp_load made of maps that want to be pinned by name. */
void bpfstamp_load_undo(struct bpfstamp_stamp *s);

#define BPFSTAMP_ALL_PROGRAMS UINT32_MAX

/*
 * The same for one program, or, where load->program is BPFSTAMP_ALL_PROGRAMS,
 * for every entry program but those whose section's name begins with '?', and
 * every map; load->prog_type is then for programs whose section tells no type.
 * Prog arrays get the programs that they start with, which are loaded as well.
 * *out keeps all fds: a prog array that no fd and no pin keeps is emptied by
 * the kernel, which is why bpfstamp_load refuses programs that use one.
 */
struct bpfstamp_loaded;
int bpfstamp_load_object(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_loaded **out,
			 struct bpfstamp_err *err);

/* The fd of a program or of a map, by its index in the template; -1 where it was not loaded.  Not to be closed. */
int bpfstamp_loaded_program(const struct bpfstamp_loaded *loaded, uint32_t program);
int bpfstamp_loaded_map(const struct bpfstamp_loaded *loaded, uint32_t map);

/*
 * Pin the programs as DIR/NAME and the maps as DIR/maps/NAME, making these
 * folders of a bpffs.  Names that are taken are an error or, where replace is
 * true, get the new objects.  All or nothing, but for pins that were replaced:
 * where it fails all is as after bpfstamp_unpin, so what bpfstamp_load_object
 * pinned by name is gone, too, and who tries again loads again.
 */
int bpfstamp_pin(struct bpfstamp_loaded *loaded, const char *dir, bool replace, struct bpfstamp_err *err);

/*
 * Remove the pins that bpfstamp_pin made where there were none, those that
 * bpfstamp_load_object made of maps that want to be pinned by name, and the
 * folders of both.
 */
void bpfstamp_unpin(struct bpfstamp_loaded *loaded);

/* Close all fds; what is pinned or attached stays. */
void bpfstamp_loaded_free(struct bpfstamp_loaded *loaded);

/* The name of the pin of a program or map: its own; that of a data map is the object's and the section's. */
void bpfstamp_pin_name(const struct bpfstamp_template *t, bool map, uint32_t index, char *buf, size_t size);

/*
 * Programs that several stamps share: those of one template whose patched images
 * are equal get the same program, which is loaded once.  Images are compared in
 * full.  With load->record, what was set counts, too, because the record tells it.
 *
 * Only a program that keeps nothing of its own can be shared, so that its
 * instances do not meet in it: its maps are read-only data, or are pinned by name
 * and so shared anyway.  Each load of any other makes a program of its own; so does
 * one for hardware, one with load->map_fds, and a dry run.
 *
 * With load->reuse, what the share does not have may still be another process's.
 *
 * A share may be used by many threads at once.  It keeps an fd of each of its
 * programs, most of them at most; what comes then is loaded, and not kept.
 */
struct bpfstamp_share;
int bpfstamp_share_new(struct bpfstamp_share **out, const struct bpfstamp_template *t, uint32_t most,
		       struct bpfstamp_err *err);
void bpfstamp_share_free(struct bpfstamp_share *share);

/* Whether a program of the template can be shared: -1 with the map that forbids it in *why. */
int bpfstamp_share_check(const struct bpfstamp_template *t, uint32_t program, struct bpfstamp_err *why);

/* bpfstamp_load, or another fd of a program that is there; *reused tells which.  It is the caller's to close. */
int bpfstamp_share_load(struct bpfstamp_share *share, struct bpfstamp_stamp *s, const struct bpfstamp_load *load,
			int *fd, bool *reused, struct bpfstamp_err *err);

struct bpfstamp_prog_info {
	uint32_t id, type;
	uint8_t tag[8];
	char name[16];
};

int bpfstamp_prog_info(int fd, struct bpfstamp_prog_info *out, struct bpfstamp_err *err);

struct bpfstamp_map_info {
	uint32_t id, type;
	char name[16];
};

int bpfstamp_map_info(int fd, struct bpfstamp_map_info *out, struct bpfstamp_err *err);

/* --------------------------------------------------------------- attach */

struct bpfstamp_net;

/*
 * Open a network namespace: NULL for the thread's own, a name under
 * /run/netns, a path, or a process id.  The thread stays where it is.
 */
int bpfstamp_net_open(struct bpfstamp_net **out, const char *netns, struct bpfstamp_err *err);
void bpfstamp_net_close(struct bpfstamp_net *net);

/* An interface of it. */
struct bpfstamp_device {
	int ifindex;
	char name[16];
};

/* By name or, where that is NULL, by index; ENODEV where there is none. */
int bpfstamp_net_device(struct bpfstamp_net *net, const char *name, int ifindex, struct bpfstamp_device *out,
			struct bpfstamp_err *err);

/* Call fn with each name under /run/netns, in alphabetical order; fn returns 0 to go on. */
typedef int bpfstamp_netns_fn(const char *name, void *arg);
int bpfstamp_netns_each(bpfstamp_netns_fn *fn, void *arg, struct bpfstamp_err *err);

enum bpfstamp_hook_type {
	BPFSTAMP_CLSACT,	/* a bpf filter, on the clsact qdisc of an interface or on a shared block */
	BPFSTAMP_TCX,		/* a BPF link, Linux 6.6 */
	BPFSTAMP_NETKIT,	/* a BPF link on a netkit device, Linux 6.7 */
	BPFSTAMP_XDP,		/* by netlink or, where hook->pin is given, a BPF link (Linux 5.9) */
	/* TCX where the kernel has it and a bpffs can keep it; else, and where a filter of ours is there, clsact */
	BPFSTAMP_AUTO,
};

enum bpfstamp_direction {
	BPFSTAMP_INGRESS = 1,	/* of clsact, TCX and XDP */
	BPFSTAMP_EGRESS,	/* of clsact and TCX */
	BPFSTAMP_PRIMARY,	/* of netkit: what the primary device sends */
	BPFSTAMP_PEER,		/* of netkit: what the peer device sends */
};

/* What to do where a program of bpfstamp is in the place already. */
enum bpfstamp_existing {
	BPFSTAMP_REPLACE,	/* put the new one in its place, in one step */
	BPFSTAMP_KEEP,		/* fail with EEXIST */
	BPFSTAMP_APPEND,	/* put the new one behind all that are there; not of XDP */
};

/* Where among the links of TCX and netkit; of a new one: what is replaced stays where it is. */
enum bpfstamp_where { BPFSTAMP_LAST, BPFSTAMP_FIRST, BPFSTAMP_BEFORE, BPFSTAMP_AFTER };

enum bpfstamp_xdp_mode {
	BPFSTAMP_XDP_ANY,	/* native where the driver can, else generic */
	BPFSTAMP_XDP_GENERIC, BPFSTAMP_XDP_NATIVE, BPFSTAMP_XDP_OFFLOAD,
};

/* A place for a program. */
struct bpfstamp_hook {
	enum bpfstamp_hook_type type;
	const char *dev;	/* interface; NULL where block is given */
	enum bpfstamp_direction direction;
	enum bpfstamp_existing existing;
	bool force;		/* replace or remove a program that bpfstamp did not attach */

	/* of clsact; with BPFSTAMP_APPEND, prio is chosen behind all others */
	uint16_t prio;		/* 1 to 65535 */
	uint16_t protocol;	/* ETH_P_*; 0 stands for ETH_P_ALL */
	uint32_t handle;	/* not 0 */
	uint32_t chain;
	uint32_t block;		/* a shared block (tc's ingress_block, egress_block), or 0 */
	bool skip_sw, skip_hw;

	/* of TCX, netkit, and XDP with a link */
	enum bpfstamp_where where;
	const char *relative;	/* BEFORE, AFTER: the path of a pinned program or link, or a program's id or name */
	const char *pin;	/* of the link; NULL: a name of its own in the folder bpfstamp of pin_path */
	const char *pin_path;	/* a bpffs; NULL: /sys/fs/bpf */

	enum bpfstamp_xdp_mode xdp_mode;

	/* to detach: only the program of that id or name; 0, NULL: of any */
	uint32_t id;
	const char *program;
};

/* A program that is attached, or a filter that is none of bpf. */
struct bpfstamp_attachment {
	enum bpfstamp_hook_type type;
	int ifindex;		/* 0 on a shared block, and where the device of a link is gone */
	char dev[16];
	enum bpfstamp_direction direction;	/* 0 where only the shared block is known */
	bool ours;		/* attached by bpfstamp: its name, its pin or its record says so */
	char name[256];		/* of the program, as whoever attached it called it */
	uint32_t id;		/* of the program, or 0 */
	bool has_tag;
	uint8_t tag[8];

	/* of clsact */
	char kind[16];		/* "bpf", or another classifier's */
	uint16_t prio, protocol;
	uint32_t handle, chain, block;
	bool skip_sw, skip_hw, in_hw;

	/* of the others */
	uint32_t link;		/* id of the link, or 0 where there is none */
	enum bpfstamp_xdp_mode xdp_mode;
	char pin[256];		/* of the link, where bpfstamp made it, else "" */
};

/*
 * Attach program fd (SCHED_CLS, or XDP) under that name.  What it needs is
 * created where it is missing: clsact, the folder of a pin.  A program of
 * bpfstamp in the same place is treated as hook->existing says; one of anybody
 * else's is only replaced with hook->force.  A link whose device is gone is
 * replaced by a new one.  *out, where not NULL, is what the kernel says of it.
 */
int bpfstamp_attach(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, int fd, const char *name,
		    struct bpfstamp_attachment *out, struct bpfstamp_err *err);

/* What bpfstamp_attach would meet. */
struct bpfstamp_plan {
	enum bpfstamp_hook_type type;	/* what BPFSTAMP_AUTO comes to */
	int ifindex;
	bool clsact;			/* there already */
	bool occupied;			/* by what there tells */
	struct bpfstamp_attachment there;
};

/* 0 with *out; or why bpfstamp_attach would refuse.  Nothing is changed.  BPFSTAMP_KEEP is no reason to refuse. */
int bpfstamp_attach_check(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, const char *name,
			  struct bpfstamp_plan *out, struct bpfstamp_err *err);

/*
 * Remove the program in that place: of clsact the filter of that prio and
 * handle, of the others the one that hook->pin, id or program says, or the only
 * one of bpfstamp; ENOENT where there is none, ENOTUNIQ where there are several;
 * of XDP, EBUSY where the only one is not bpfstamp's (force).
 * *out, where not NULL, tells which.  dry: only look.
 */
int bpfstamp_detach(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, bool dry,
		    struct bpfstamp_attachment *out, struct bpfstamp_err *err);

/*
 * Remove the links whose device is gone, in whatever namespace it was: those that
 * bpfstamp pinned in the folder of its own in pin_path (NULL: /sys/fs/bpf); or,
 * where pin is not NULL, the one of that pin, an error where its device is not
 * gone.  fn is told of each.  dry: only look.
 */
typedef int bpfstamp_attachment_fn(const struct bpfstamp_attachment *a, void *arg);
int bpfstamp_detach_defunct(const char *pin_path, const char *pin, bool dry, bpfstamp_attachment_fn *fn, void *arg,
			    struct bpfstamp_err *err);

/* Remove the clsact qdisc of an interface; EBUSY where there is a filter on it. */
int bpfstamp_clsact_delete(struct bpfstamp_net *net, const char *dev, bool dry, struct bpfstamp_err *err);

/*
 * Call fn with what is attached to dev, or to every interface where it is NULL,
 * in the order in which packets meet it: XDP, TCX and clsact of ingress,
 * netkit, TCX and clsact of egress.  Last come the links of bpfstamp whose device
 * is gone, for dev NULL.  fn returns 0 to go on.
 */
int bpfstamp_show(struct bpfstamp_net *net, const char *dev, const char *pin_path, bpfstamp_attachment_fn *fn,
		  void *arg, struct bpfstamp_err *err);

/* The filters of a shared block. */
int bpfstamp_show_block(struct bpfstamp_net *net, uint32_t block, bpfstamp_attachment_fn *fn, void *arg,
			struct bpfstamp_err *err);

/* ---------------------------------------------------- what is running */

/* A program of the kernel, whoever loaded it, and the values in it. */
struct bpfstamp_running;

/*
 * Look at the program of that id; needs CAP_SYS_ADMIN.  ENOENT where it is gone.
 * What the program's maps hold is read now; bpfstamp_running_refresh reads it anew.
 */
int bpfstamp_running_open(struct bpfstamp_running **out, uint32_t id, struct bpfstamp_err *err);
int bpfstamp_running_refresh(struct bpfstamp_running *r, struct bpfstamp_err *err);
void bpfstamp_running_free(struct bpfstamp_running *r);

struct bpfstamp_running_info {
	struct bpfstamp_prog_info prog;
	const char *name;	/* the program's whole name where a record or BTF tells, else the kernel's 15 bytes */
	const char *object;	/* the object's name where a record tells, else NULL */
	bool inlined;		/* by a record: stamped with bpfstamp_inline */
	int64_t loaded_at;	/* nanoseconds since the epoch */
	uint32_t map_count;
	const uint32_t *map_ids;
	uint32_t jited_size, xlated_size, memlock;
};

void bpfstamp_running_info(const struct bpfstamp_running *r, struct bpfstamp_running_info *out);

/* A value in it: a scalar, or what cannot be taken apart. */
struct bpfstamp_running_value {
	const char *path;	/* "vni", "cfg.peers[2].addr" */
	const char *section;	/* of a global, else NULL */
	enum bpfstamp_kind kind;
	char type[64];
	const char *value;	/* as bpfstamp_set reads it */
	bool stamped;		/* set by whoever loaded it: a record says so */
	bool writable;		/* bpfstamp_poke can change it */
	bool allow_derived;	/* a placeholder that bpfstamp_declare was told to leave doubtful uses of */
};

/*
 * Globals come from the maps of .data, .rodata and .bss by their BTF; the values
 * of sites from the record that bpfstamp_load left (struct bpfstamp_load, record).
 */
uint32_t bpfstamp_running_value_count(const struct bpfstamp_running *r);
void bpfstamp_running_value_at(const struct bpfstamp_running *r, uint32_t i, struct bpfstamp_running_value *out);

/*
 * Change a variable of .data or .bss in the running program, by name or path.
 * A scalar that stands at a multiple of its size (8 bytes at most) is written
 * in one access, others in several; no other byte of the map is touched.  The
 * bits around a bitfield are kept, too, though a program that changes these by
 * reading and writing bytes may undo the new value.  *r tells of it after
 * bpfstamp_running_refresh.
 * EROFS where the value is read-only or in instructions.  dry: only look
 * whether the name and the value would do.
 */
int bpfstamp_poke(struct bpfstamp_running *r, const char *name, const char *text, bool dry, struct bpfstamp_err *err);

/*
 * Compare what runs with what would be stamped: the program of that id with
 * program load->program of s, which is loaded for that (and forgotten), so that
 * the kernel has translated both; and every value that was set.  fn is called with a
 * line for each difference, up to some number; *equal tells whether there was
 * none.  Where the kernel shows too little to prove either, it is an error.
 * Needs CAP_SYS_ADMIN.
 */
typedef void bpfstamp_difference_fn(const char *text, void *arg);
int bpfstamp_verify(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, uint32_t id,
		    bpfstamp_difference_fn *fn, void *arg, bool *equal, struct bpfstamp_err *err);

/*
 * Give a stamp the values of a running program, which was loaded from the same
 * object: every value that a record says was stamped, and every global of
 * .rodata.  What the stamp has no use for is an error, after which some values
 * may have been set.  Placeholders are to be declared before the stamp is made:
 * bpfstamp_running_value_at tells of them.
 */
int bpfstamp_restamp(struct bpfstamp_stamp *s, const struct bpfstamp_running *r, struct bpfstamp_err *err);

/*
 * Find the maps of a running program that the same object, loaded again, can go
 * on with, so that what they hold is kept: fds (one for each map of t, -1 where
 * there is none) is for struct bpfstamp_load, map_fds, and the caller's to
 * close.  Read-only data and prog arrays are made anew, and maps that want to be
 * pinned are found by their pins; of maps that share name and properties none is
 * chosen.
 */
int bpfstamp_running_maps(const struct bpfstamp_running *r, const struct bpfstamp_template *t, int *fds,
			  struct bpfstamp_err *err);

/*
 * Where programs and links are pinned: an index of a bpffs.  Paths are the
 * index's; NULL where there is no pin.
 */
struct bpfstamp_pins;
int bpfstamp_pins_open(struct bpfstamp_pins **out, const char *path, struct bpfstamp_err *err);
void bpfstamp_pins_free(struct bpfstamp_pins *pins);
const char *bpfstamp_pins_program(const struct bpfstamp_pins *pins, uint32_t id);
const char *bpfstamp_pins_link(const struct bpfstamp_pins *pins, uint32_t id);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
