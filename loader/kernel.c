// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's types, from where the kernel or the file system has them.
 *
 * vmlinux comes from /sys/kernel/btf/vmlinux, or, where the kernel shows none,
 * from the first image in the usual places that has a section .BTF.  A module's
 * BTF continues it, and is asked of the kernel by bpf(2), not read from
 * /sys/kernel/btf: the fd that bpf(2) gives names the module's BTF in a call of
 * one of its functions, and holds it, so that the bytes and the fd are of one
 * thing even where the module is unloaded and another loaded meanwhile.
 *
 * Each BTF is allocated by itself and never moves, as those of modules point to
 * vmlinux's.
 *
 * An index by name is a hash table of chains: heads has the lowest id of each
 * chain, next the id that follows each type in its own.  Types are put in from
 * the last to the first, so that chains ascend.  There are two, as functions are
 * three quarters of all names, and nobody looks them up for CO-RE.  Their memory
 * is there from the start, so that a lookup cannot fail for want of it, but the
 * first lookup fills it: next is the half of btf_open's memory that is scratch,
 * and heads are fresh zero pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "loader/btffile.h"
#include "loader/err.h"
#include "loader/kernel.h"
#include "loader/sys.h"

/* What has a name of its own; the rest is anonymous, or belongs to one of these. */
enum { TYPES, SYMBOLS };

static const uint32_t indexed_kinds[] = {
	[TYPES] = 1u << BTF_INT | 1u << BTF_STRUCT | 1u << BTF_UNION | 1u << BTF_ENUM | 1u << BTF_FWD |
		  1u << BTF_TYPEDEF | 1u << BTF_FLOAT | 1u << BTF_ENUM64,
	[SYMBOLS] = 1u << BTF_FUNC | 1u << BTF_VAR,
};

/* One BTF and what is needed to find types in it. */
struct source {
	struct kernel_btf public;
	struct btffile file;	/* the bytes */
	uint32_t *offsets;	/* what btf_open wants: half of it to keep, half for next */
	uint32_t *heads[2], *next;	/* the indexes by name; next is by id - first + 1 */
	uint32_t mask;		/* number of heads of each, a power of two, less 1 */
	bool indexed[2];
};

struct kernel {
	struct source **sources;	/* vmlinux first */
	uint32_t count;
	bool is_file;			/* stands for vmlinux, and has no modules */
	bool modules_read;
};

static const char sysfs_vmlinux[] = "/sys/kernel/btf/vmlinux";

/* Where images of vmlinux are found, most likely first; %s is the kernel's release. */
static const char *const images[] = {
	"/boot/vmlinux-%s",
	"/lib/modules/%s/vmlinux-%s",
	"/lib/modules/%s/build/vmlinux",
	"/usr/lib/modules/%s/kernel/vmlinux",
	"/usr/lib/debug/boot/vmlinux-%s",
	"/usr/lib/debug/boot/vmlinux-%s.debug",
	"/usr/lib/debug/lib/modules/%s/vmlinux",
};

static void source_free(struct source *s)
{
	if (!s)
		return;
	if (s->public.fd > 0)
		close(s->public.fd);
	btffile_free(&s->file);
	free(s->offsets);
	free(s->heads[0]);
	free(s);
}

static int source_open(struct source *s, const struct btf *base, struct bpfstamp_err *err)
{
	size_t room = s->file.size / BTF_TYPE_LEAST + 1, heads = 16;
	struct btf *btf = &s->public.btf;
	struct elf64_fault fault;

	s->offsets = malloc(2 * room * sizeof(*s->offsets));
	if (!s->offsets)
		return err_set(err, ENOMEM, "BTF of %s: out of memory", s->public.name);
	if (btf_open_split(btf, base, s->file.bytes, s->file.size, s->offsets, (uint32_t)room, &fault))
		return err_set(err, EINVAL, "BTF of %s: %s at byte 0x%" PRIx64, s->public.name, fault.what,
			       fault.offset);
	while (heads < (btf->type_count - btf->first) / 4)
		heads *= 2;
	s->next = s->offsets + room;
	s->mask = (uint32_t)heads - 1;
	s->heads[0] = calloc(2 * heads, sizeof(*s->heads[0]));
	if (!s->heads[0])
		return err_set(err, ENOMEM, "BTF of %s: out of memory", s->public.name);
	s->heads[1] = s->heads[0] + heads;
	return 0;
}

/*
 * Make a source of the BTF that file has, and own file and fd, also where it
 * fails.
 */
static int source_new(struct source **out, struct btffile *file, const char *name, int fd, const struct btf *base,
		      struct bpfstamp_err *err)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s) {
		btffile_free(file);
		if (fd > 0)
			close(fd);
		return err_set(err, ENOMEM, "BTF of %s: out of memory", name);
	}
	s->file = *file;
	s->public.fd = fd;
	snprintf(s->public.name, sizeof(s->public.name), "%s", name);
	if (source_open(s, base, err)) {
		source_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

static int source_from_file(struct source **out, const char *path, const char *name, struct bpfstamp_err *err)
{
	struct btffile file;

	return btffile_read(&file, path, err) ? -1 : source_new(out, &file, name, 0, NULL, err);
}

static int source_from_sysfs(struct source **out, struct bpfstamp_err *err)
{
	struct btffile file;

	if (btffile_map(&file, sysfs_vmlinux))
		return source_from_file(out, sysfs_vmlinux, "vmlinux", err);
	return source_new(out, &file, "vmlinux", 0, NULL, err);
}

/* The types of the running kernel; of what failed, the most telling reason is the first one but ENOENT. */
static int source_from_kernel(struct source **out, struct bpfstamp_err *err)
{
	struct bpfstamp_err why;
	struct utsname uts;
	char path[512];

	if (!source_from_sysfs(out, err))
		return 0;
	if (uname(&uts))
		return -1;
	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		snprintf(path, sizeof(path), images[i], uts.release, uts.release);
		if (!source_from_file(out, path, "vmlinux", &why))
			return 0;
		if (err->code == ENOENT && why.code != ENOENT)
			*err = why;
	}
	if (err->code == ENOENT)
		err_set(err, ENOENT, "Linux %s has no BTF: neither %s (CONFIG_DEBUG_INFO_BTF) nor a vmlinux in /boot "
			"or /lib/modules is there", uts.release, sysfs_vmlinux);
	return -1;
}

static int add(struct kernel *k, struct source *s, struct bpfstamp_err *err)
{
	struct source **sources = realloc(k->sources, (k->count + 1) * sizeof(struct source *));

	if (!sources) {
		source_free(s);
		return err_set(err, ENOMEM, "BTF of the kernel: out of memory");
	}
	k->sources = sources;
	k->sources[k->count++] = s;
	return 0;
}

int kernel_open(struct kernel **out, const char *file, struct bpfstamp_err *err)
{
	struct kernel *k = calloc(1, sizeof(*k));
	struct source *s;

	if (!k)
		return err_set(err, ENOMEM, "BTF of the kernel: out of memory");
	k->is_file = file != NULL;
	if ((file ? source_from_file(&s, file, file, err) : source_from_kernel(&s, err)) || add(k, s, err)) {
		kernel_close(k);
		return -1;
	}
	*out = k;
	return 0;
}

static void forget_modules(struct kernel *k)
{
	while (k->count > 1)
		source_free(k->sources[--k->count]);
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	forget_modules(k);
	if (k->count)
		source_free(k->sources[0]);
	free(k->sources);
	free(k);
}

/* An fd of BTF id that is not 0, which would mean vmlinux to the kernel. */
static int open_id(uint32_t id)
{
	int fd = sys_btf_by_id(id), other;

	if (fd)
		return fd;
	other = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return other;
}

/* Must not pass for "no such module": a weak symbol would count as missing for want of an fd. */
static int modules_failed(const char *what, struct bpfstamp_err *err)
{
	int code = errno;

	err_set(err, code, "BTF of the kernel's modules: cannot %s: %s", what, strerror(code));
	return code == EMFILE ? err_hint(err, ": raise RLIMIT_NOFILE (ulimit -n)") : -1;
}

/*
 * The name (64 bytes) and *size of the BTF behind fd if it is a module's; else
 * *size is 0.  A kernel before 5.11 does not know that BTF has names (E2BIG), and
 * shows none of modules.
 */
static int ask_module(int fd, char *name, uint32_t *size, struct bpfstamp_err *err)
{
	struct bpf_btf_info info;

	memset(&info, 0, sizeof(info));
	memset(name, 0, 64);
	info.name = (uint64_t)(uintptr_t)name;
	info.name_len = 64;
	*size = 0;
	if (!sys_btf_info(fd, &info))
		*size = info.kernel_btf && strcmp(name, "vmlinux") != 0 ? info.btf_size : 0;
	else if (errno != E2BIG)
		return modules_failed("ask what it is of", err);
	return 0;
}

/* The BTF behind fd, all size bytes. */
static int read_fd(struct btffile *out, int fd, uint32_t size, struct bpfstamp_err *err)
{
	struct bpf_btf_info info;
	void *bytes = malloc(size);

	if (!bytes)
		return err_set(err, ENOMEM, "out of memory");
	memset(&info, 0, sizeof(info));
	info.btf = (uint64_t)(uintptr_t)bytes;
	info.btf_size = size;
	if (sys_btf_info(fd, &info)) {
		free(bytes);
		return err_set(err, errno, "%s", strerror(errno));
	}
	*out = (struct btffile){ bytes, size, false };
	return 0;
}

/* Add the BTF behind fd if it is a module's; fd is closed otherwise. */
static int add_module(struct kernel *k, int fd, struct bpfstamp_err *err)
{
	struct btffile file;
	struct source *s;
	char name[64];
	uint32_t size;
	int ret = ask_module(fd, name, &size, err);

	if (ret || !size) {
		close(fd);
		return ret;
	}
	if (read_fd(&file, fd, size, err)) {
		close(fd);
		return err_wrap(err, "BTF of module %s", name);
	}
	if (source_new(&s, &file, name, fd, &k->sources[0]->public.btf, err))
		return -1;
	return add(k, s, err);
}

/* Whether a walk is over: there is no more, or no right to look, or the kernel, older than 5.4, cannot tell. */
static bool is_end(int code)
{
	return code == ENOENT || code == EPERM || code == EINVAL || code == ENOSYS;
}

static int add_modules(struct kernel *k, struct bpfstamp_err *err)
{
	uint32_t id = 0;
	int fd;

	while (!sys_btf_next(id, &id)) {
		fd = open_id(id);
		if (fd < 0 && errno == ENOENT)
			continue;	/* unloaded meanwhile */
		if (fd < 0)
			return errno == EPERM ? 0 : modules_failed("open one", err);
		if (add_module(k, fd, err))
			return -1;
	}
	return is_end(errno) ? 0 : modules_failed("list it", err);
}

int kernel_read_modules(struct kernel *k, struct bpfstamp_err *err)
{
	if (k->is_file || k->modules_read)
		return 0;
	if (add_modules(k, err)) {
		forget_modules(k);
		return -1;
	}
	k->modules_read = true;
	return 0;
}

uint32_t kernel_btf_count(const struct kernel *k)
{
	return k->count;
}

const struct kernel_btf *kernel_btf_at(const struct kernel *k, uint32_t i)
{
	return &k->sources[i]->public;
}

size_t kernel_essential(const char *name)
{
	size_t len = strlen(name), i;

	if (!strstr(name, "___"))
		return len;
	for (i = len; i >= 5; i--) {
		const char *s = name + i - 5;

		if (s[0] != '_' && !memcmp(s + 1, "___", 3) && s[4] != '_')
			return i - 4;
	}
	return len;
}

static uint32_t hash(const char *name, size_t len)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 16777619u;
	return h;
}

static uint32_t *next_of(const struct source *s, uint32_t id)
{
	return &s->next[id - s->public.btf.first + 1];
}

static void index_names(struct source *s, int which)
{
	const struct btf *btf = &s->public.btf;
	enum btf_kind kind;

	for (uint32_t id = btf->type_count; id-- > btf->first;) {
		const char *name = btf_name(btf, id, &kind);
		uint32_t *head;

		if (!(indexed_kinds[which] >> kind & 1) || !*name)
			continue;
		head = &s->heads[which][hash(name, kernel_essential(name)) & s->mask];
		*next_of(s, id) = *head;
		*head = id;
	}
	s->indexed[which] = true;
}

static bool is_called(const struct source *s, uint32_t id, const char *name, size_t len)
{
	enum btf_kind kind;
	const char *other = btf_name(&s->public.btf, id, &kind);

	return !strncmp(other, name, len) && kernel_essential(other) == len;
}

static bool is_in_chain(const struct source *s, int which, uint32_t id, const char *name, size_t len)
{
	enum btf_kind kind;

	if (id < s->public.btf.first || id >= s->public.btf.type_count || !is_called(s, id, name, len))
		return false;
	btf_name(&s->public.btf, id, &kind);
	return indexed_kinds[which] >> kind & 1;
}

static uint32_t find(struct source *s, int which, const char *name, size_t len, uint32_t after)
{
	uint32_t id;

	if (!s->indexed[which])
		index_names(s, which);
	/* A chain goes on behind an id that is in it. */
	id = is_in_chain(s, which, after, name, len) ? *next_of(s, after) :
	     s->heads[which][hash(name, len) & s->mask];
	for (; id; id = *next_of(s, id))
		if (id > after && is_called(s, id, name, len))
			return id;
	return 0;
}

uint32_t kernel_find_type(const struct kernel *k, uint32_t i, const char *name, size_t len, uint32_t after)
{
	return find(k->sources[i], TYPES, name, len, after);
}

uint32_t kernel_find(const struct kernel *k, uint32_t i, const char *name, size_t len, uint32_t after)
{
	uint32_t type = find(k->sources[i], TYPES, name, len, after);
	uint32_t symbol = find(k->sources[i], SYMBOLS, name, len, after);

	return !symbol || (type && type < symbol) ? type : symbol;
}

/* The first of that kind and whole name in one BTF, or 0. */
static uint32_t first_in(const struct kernel *k, uint32_t i, enum btf_kind kind, const char *name, size_t len)
{
	size_t essential = kernel_essential(name);
	struct btf_type type;
	uint32_t id = 0;

	while ((id = kernel_find(k, i, name, essential, id))) {
		btf_type(&k->sources[i]->public.btf, id, &type);
		if (type.kind == kind && strlen(type.name) == len && !memcmp(type.name, name, len))
			break;
	}
	return id;
}

int kernel_find_first(struct kernel *k, enum btf_kind kind, const char *name, size_t len, uint32_t *btf, uint32_t *id,
		      struct bpfstamp_err *err)
{
	*btf = 0;
	*id = first_in(k, 0, kind, name, len);
	if (!*id && kernel_read_modules(k, err))
		return -1;
	for (uint32_t i = 1; !*id && i < k->count; i++) {
		*btf = i;
		*id = first_in(k, i, kind, name, len);
	}
	return 0;
}
