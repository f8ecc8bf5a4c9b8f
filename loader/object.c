// SPDX-License-Identifier: BSD-2-Clause
/*
 * Opening an object: the steps of bpfstamp_open, and the first of them, which
 * turns sections into the image of the template.
 *
 * elf64_open and btf_open have proved the tables, so what is left to check is
 * what BPF adds: here, that code sections hold whole instructions that jump
 * inside their section.  What an object may contain but this loader cannot
 * load (a kfunc, say) is not refused by any step, because such an object can
 * still be inspected and patched: it is noted, and refused by the load of a
 * program that needs it.
 *
 * Arrays are sized by an upper bound from the ELF tables and allocated once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/kernel.h"
#include "loader/link.h"
#include "loader/template.h"

#define IMAGE_MAX (256u << 20)	/* .bss and overlapping sections are not bounded by the size of the file */

int object_no_memory(struct bpfstamp_err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

int object_fault(const struct bpfstamp_template *t, const char *part, const struct elf64_fault *fault,
		 struct bpfstamp_err *err)
{
	return err_set(err, EINVAL, "%s: %s: %s at byte 0x%" PRIx64, t->name, part, fault->what, fault->offset);
}

static bool is_data_name(const char *name, const char *base)
{
	size_t len = strlen(base);

	return !strncmp(name, base, len) && (name[len] == '\0' || name[len] == '.');
}

static bool is_code(const struct elf64_section *s)
{
	return s->type == ELF64_SHT_PROGBITS && (s->flags & ELF64_SHF_EXECINSTR) && s->size;
}

static bool is_data(const struct elf64_section *s)
{
	if (!(s->flags & ELF64_SHF_ALLOC) || (s->flags & ELF64_SHF_EXECINSTR) || !s->size)
		return false;
	if (is_data_name(s->name, ".bss"))	/* PROGBITS where a patched object has values in it */
		return s->type == ELF64_SHT_NOBITS || s->type == ELF64_SHT_PROGBITS;
	return s->type == ELF64_SHT_PROGBITS && (is_data_name(s->name, ".data") || is_data_name(s->name, ".rodata"));
}

static uint32_t aligned8(uint32_t n)
{
	return (n + 7) & ~7u;
}

/* Count code and data and the size of the image; section sizes are below the file's, but .bss is not. */
static int measure(struct bpfstamp_template *t, uint32_t *codes, uint32_t *datas, struct bpfstamp_err *err)
{
	uint64_t total = 0;

	for (uint32_t i = 1; i < t->elf.section_count; i++) {
		struct elf64_section s;

		elf64_section(&t->elf, i, &s);
		if (!is_code(&s) && !is_data(&s))
			continue;
		if (is_code(&s) && s.size % BPFINSN_SIZE)
			return err_set(err, EINVAL, "%s: section %s: %" PRIu64 " bytes are no whole number of "
				       "instructions", t->name, s.name, s.size);
		if (s.size > IMAGE_MAX || total + s.size > IMAGE_MAX)
			return err_set(err, EFBIG, "%s: section %s: more than %u MiB of code and data", t->name,
				       s.name, IMAGE_MAX >> 20);
		*codes += is_code(&s);
		*datas += is_data(&s);
		total += aligned8((uint32_t)s.size);
	}
	t->image_size = (uint32_t)total;
	return 0;
}

static void place_code(struct bpfstamp_template *t, uint32_t section, const struct elf64_section *s, uint32_t at)
{
	struct code *c = &t->codes[t->code_count];

	*c = (struct code){ .section = section, .name = s->name, .image = at,
			    .insns = (uint32_t)(s->size / BPFINSN_SIZE),
			    .object_insns = (uint32_t)(s->size / BPFINSN_SIZE) };
	memcpy(t->image + at, s->bytes, s->size);
	t->code_of[section] = t->code_count++;
}

static void place_data(struct bpfstamp_template *t, uint32_t section, const struct elf64_section *s, uint32_t at)
{
	struct data *d = &t->datas[t->data_count];

	*d = (struct data){ .section = section, .name = s->name, .image = at, .size = (uint32_t)s->size,
			    .readonly = is_data_name(s->name, ".rodata"), .nobits = !s->bytes };
	if (s->bytes)
		memcpy(t->image + at, s->bytes, s->size);
	t->data_of[section] = t->data_count++;
}

static int check_code(struct bpfstamp_template *t, const struct code *c, uint8_t *scratch, struct bpfstamp_err *err)
{
	uint32_t at, first = c->image / BPFINSN_SIZE;
	const char *why = bpfinsn_check_all(t->image + c->image, c->insns, t->elf.big, scratch, &at);

	if (why)
		return err_set(err, EINVAL, "%s: section %s: instruction %u: %s", t->name, c->name, at, why);
	for (uint32_t i = 0; i < c->insns; i++)
		if (bpfinsn_starts(scratch, i))
			t->starts[(first + i) / 8] |= (uint8_t)(1u << ((first + i) % 8));
	return 0;
}

/* The bits of scratch start anew at each section, those of t->starts run through the image. */
static int check_codes(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint8_t *scratch = malloc(t->image_size / BPFINSN_SIZE / 8 + 1);
	int ret = scratch ? 0 : object_no_memory(err);

	for (uint32_t i = 0; !ret && i < t->code_count; i++)
		ret = check_code(t, &t->codes[i], scratch, err);
	free(scratch);
	return ret;
}

static void take_license(struct bpfstamp_template *t, const struct elf64_section *s)
{
	if (s->bytes && memchr(s->bytes, 0, s->size))
		t->license = (const char *)s->bytes;
}

static int object_sections(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t n = t->elf.section_count, codes = 0, datas = 0, at = 0;

	if (measure(t, &codes, &datas, err))
		return -1;
	t->image = calloc(1, t->image_size + 1);
	t->starts = calloc(1, t->image_size / BPFINSN_SIZE / 8 + 1);
	t->codes = calloc(codes + 1, sizeof(*t->codes));
	t->datas = calloc(datas + 1, sizeof(*t->datas));
	t->code_of = malloc((n + 1) * sizeof(*t->code_of));
	t->data_of = malloc((n + 1) * sizeof(*t->data_of));
	if (!t->image || !t->starts || !t->codes || !t->datas || !t->code_of || !t->data_of)
		return object_no_memory(err);
	memset(t->code_of, 0xff, n * sizeof(*t->code_of));
	memset(t->data_of, 0xff, n * sizeof(*t->data_of));

	t->license = "";
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 1; i < n; i++) {
			struct elf64_section s;

			elf64_section(&t->elf, i, &s);
			if (pass == 0 && is_code(&s))
				place_code(t, i, &s, at);
			else if (pass == 1 && is_data(&s))
				place_data(t, i, &s, at);
			else
				continue;
			at += aligned8((uint32_t)s.size);
		}
	}
	for (uint32_t i = 1; i < n; i++) {
		struct elf64_section s;

		elf64_section(&t->elf, i, &s);
		if (!strcmp(s.name, "license"))
			take_license(t, &s);
		else if (!strcmp(s.name, "version") && s.bytes && s.size == 4)
			t->kern_version = bytes_get32(s.bytes, t->elf.big);
	}
	return check_codes(t, err);
}

/* The rest of the loader reads all of an object in one byte order. */
static int other_order(const struct bpfstamp_template *t, const char *section, struct bpfstamp_err *err)
{
	return err_set(err, EINVAL, "%s: section %s is %s-endian, the object itself is not", t->name, section,
		       t->elf.big ? "little" : "big");
}

static int open_btf(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t section = elf64_find(&t->elf, ".BTF"), ext = elf64_find(&t->elf, ".BTF.ext"), count;
	struct elf64_fault fault;
	struct elf64_section s;

	if (!section)
		return 0;
	elf64_section(&t->elf, section, &s);
	if (!s.bytes || !s.size)
		return 0;
	if (btf_count(s.bytes, s.size, &count, &fault))
		return object_fault(t, ".BTF", &fault, err);
	t->btf_index = malloc(2 * (size_t)count * sizeof(*t->btf_index));
	if (!t->btf_index)
		return object_no_memory(err);
	if (btf_open(&t->btf, s.bytes, s.size, t->btf_index, count, &fault))
		return object_fault(t, ".BTF", &fault, err);
	if (t->btf.big != t->elf.big)
		return other_order(t, ".BTF", err);
	if (!ext)
		return 0;
	elf64_section(&t->elf, ext, &s);
	if (s.bytes && s.size && btf_ext_open(&t->ext, &t->btf, s.bytes, s.size, &fault))
		return object_fault(t, ".BTF.ext", &fault, err);
	return t->ext.data && t->ext.big != t->elf.big ? other_order(t, ".BTF.ext", err) : 0;
}

int bpfstamp_open(struct bpfstamp_template **out, const void *bytes, size_t size, const char *name,
		  struct bpfstamp_err *err)
{
	static int (*const steps[])(struct bpfstamp_template *t, struct bpfstamp_err *err) = {
		open_btf, object_sections, functions_collect, maps_collect, externs_collect, injectables_collect,
		relocs_collect, sites_collect,
	};
	struct bpfstamp_template *t = calloc(1, sizeof(*t));
	struct elf64_fault fault;

	if (!t || !(t->name = strdup(name))) {
		free(t);
		return object_no_memory(err);
	}
	t->kconfig = NO_INDEX;
	if (elf64_open(&t->elf, bytes, size, &fault)) {
		object_fault(t, "ELF", &fault, err);
		goto fail;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i](t, err))
			goto fail;
	*out = t;
	return 0;
fail:
	bpfstamp_close(t);
	return -1;
}

/* Read a whole regular file; NULL with *err.  openat, because musl's open() makes a second call for O_CLOEXEC. */
static void *read_file(const char *path, size_t *size, struct bpfstamp_err *err)
{
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t *bytes = NULL;
	struct stat st;
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st)) {
		err_set(err, errno, "cannot open %s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, EINVAL, "cannot use %s: it is not a regular file", path);
		goto out;
	}
	*size = (size_t)st.st_size;
	bytes = malloc(*size + 1);
	if (!bytes) {
		object_no_memory(err);
		goto out;
	}
	while (used < *size && (n = read(fd, bytes + used, *size - used)) > 0)
		used += (size_t)n;
	if (n <= 0) {
		err_set(err, n ? errno : EIO, "cannot read %s: %s", path, n ? strerror(errno) : "it was cut while "
			"being read");
		free(bytes);
		bytes = NULL;
	}
out:
	if (fd >= 0)
		close(fd);
	return bytes;
}

int bpfstamp_open_file(struct bpfstamp_template **out, const char *path, struct bpfstamp_err *err)
{
	size_t size;
	void *bytes = read_file(path, &size, err);

	if (!bytes)
		return -1;
	if (bpfstamp_open(out, bytes, size, path, err)) {
		free(bytes);
		return -1;
	}
	(*out)->owned = bytes;
	return 0;
}

int bpfstamp_target_btf(struct bpfstamp_template *t, const char *path, struct bpfstamp_err *err)
{
	struct kernel *k;

	if (kernel_open(&k, path, err))
		return -1;
	kernel_close(t->cache->kernel);
	t->cache->kernel = k;
	return 0;
}

void bpfstamp_close(struct bpfstamp_template *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; t->cache && i < t->func_count; i++)
		link_free(t->cache->links[i]);
	if (t->cache) {
		if (t->cache->btf_fd >= 0)
			close(t->cache->btf_fd);
		kernel_close(t->cache->kernel);
		free(t->cache->externs);
		free(t->cache->kconfig);
		free(t->cache->kbtf.bytes);
		pthread_mutex_destroy(&t->cache->lock);
	}
	free(t->cache);
	for (uint32_t i = 0; i < t->placeholder_count; i++)
		free(t->placeholders[i]);
	free(t->placeholders);
	free(t->doubts);
	free(t->sites);
	free(t->injectables);
	free(t->map_slots);
	free(t->externs);
	maps_free(t);
	free(t->relocs);
	free(t->funcs);
	free(t->datas);
	for (uint32_t i = 0; i < t->code_count; i++)
		free(t->codes[i].moved);
	free(t->codes);
	free(t->code_of);
	free(t->data_of);
	free(t->starts);
	free(t->image);
	free(t->btf_index);
	free(t->name);
	free(t->owned);
	free(t);
}
