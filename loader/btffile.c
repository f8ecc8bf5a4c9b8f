// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vmlinux with debug information has a gigabyte, of which .BTF is half a
 * percent.  So only what leads to that section is read: the ELF header, the
 * section headers and their names.  elf64_open is of no use here: it wants the
 * whole file, and accepts nothing but relocatable objects for BPF.
 *
 * Every part is checked against the size of the file before memory is asked
 * for.  A file that changes meanwhile gives other bytes, or an error; none is
 * trusted more than another, and they are checked after they were read.  For
 * the same reason files are read, not mapped: who shortens a mapped file kills
 * its reader.  What the kernel shows in /sys/kernel/btf is not changed by
 * anybody, and mapping it (since Linux 6.16) saves a copy of some megabytes.
 *
 * Only regular files are read, so that a name that leads to a pipe or a device
 * is refused instead of waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/elf64.h"
#include "include/bytes.h"
#include "loader/btffile.h"
#include "loader/err.h"

enum {
	PART_MAX = 256 << 20,	/* more than any BTF, section header table or name table has */
	EHDR_SIZE = 64,
	SHDR_SIZE = 64,
	E_SHOFF = 40, E_SHENTSIZE = 58, E_SHNUM = 60, E_SHSTRNDX = 62,
	SH_NAME = 0, SH_TYPE = 4, SH_FLAGS = 8, SH_OFFSET = 24, SH_SIZE = 32, SH_LINK = 40,
	SHN_IN_SECTION_0 = 0xffff,
};

struct file {
	const char *path;
	int fd;
	uint64_t size;
	bool big;
};

static int open_regular(struct file *f, const char *path, struct bpfstamp_err *err)
{
	struct stat st;

	f->path = path;
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (fstat(f->fd, &st) || !S_ISREG(st.st_mode)) {
		close(f->fd);
		return err_set(err, EINVAL, "%s: BTF is read from a regular file only", path);
	}
	f->size = (uint64_t)st.st_size;
	return 0;
}

static int read_all(int fd, uint8_t *to, size_t size, uint64_t at)
{
	ssize_t n;

	for (; size; to += n, at += (size_t)n, size -= (size_t)n) {
		n = pread(fd, to, size, (off_t)at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return -1;
	}
	return 0;
}

/* The size bytes at offset at of the file, malloc'd, or NULL with *err. */
static uint8_t *read_part(const struct file *f, uint64_t at, uint64_t size, const char *what,
			  struct bpfstamp_err *err)
{
	uint8_t *bytes;

	if (at > f->size || size > f->size - at) {
		err_set(err, EINVAL, "%s: %s past the end of the file", f->path, what);
		return NULL;
	}
	if (size > PART_MAX) {
		err_set(err, EFBIG, "%s: %s larger than %d MiB", f->path, what, PART_MAX >> 20);
		return NULL;
	}
	bytes = malloc(size + !size);
	if (!bytes) {
		err_set(err, ENOMEM, "%s: out of memory", f->path);
		return NULL;
	}
	errno = 0;
	if (read_all(f->fd, bytes, size, at)) {
		err_set(err, errno ? errno : EIO, "%s: %s", f->path, errno ? strerror(errno) : "it became shorter");
		free(bytes);
		return NULL;
	}
	return bytes;
}

/* Read the section header table that the ELF header describes; *names is the index of the name table. */
static uint8_t *read_headers(const struct file *f, const uint8_t *ehdr, uint64_t *count, uint64_t *names,
			     struct bpfstamp_err *err)
{
	static const char what[] = "section headers are";
	uint64_t at = bytes_get64(ehdr + E_SHOFF, f->big);
	uint8_t *headers;

	if (!at || bytes_get16(ehdr + E_SHENTSIZE, f->big) != SHDR_SIZE) {
		err_set(err, EINVAL, "%s: ELF file without section headers, so without BTF", f->path);
		return NULL;
	}
	headers = read_part(f, at, SHDR_SIZE, what, err);
	if (!headers)
		return NULL;
	*count = bytes_get16(ehdr + E_SHNUM, f->big);
	*names = bytes_get16(ehdr + E_SHSTRNDX, f->big);
	if (!*count)
		*count = bytes_get64(headers + SH_SIZE, f->big);
	if (*names == SHN_IN_SECTION_0)
		*names = bytes_get32(headers + SH_LINK, f->big);
	free(headers);
	if (*names >= *count) {
		err_set(err, EINVAL, "%s: ELF file whose sections have no names", f->path);
		return NULL;
	}
	if (*count > f->size / SHDR_SIZE) {
		err_set(err, EINVAL, "%s: %s past the end of the file", f->path, what);
		return NULL;
	}
	return read_part(f, at, *count * SHDR_SIZE, what, err);
}

/* The header of the first section called .BTF, or NULL. */
static const uint8_t *find_section(const struct file *f, const uint8_t *headers, uint64_t count,
				   const uint8_t *names, uint64_t names_size)
{
	static const char wanted[] = ".BTF";

	for (uint64_t i = 1; i < count; i++) {
		const uint8_t *header = headers + i * SHDR_SIZE;
		uint32_t name = bytes_get32(header + SH_NAME, f->big);

		if (name <= names_size && names_size - name >= sizeof(wanted) &&
		    !memcmp(names + name, wanted, sizeof(wanted)))
			return header;
	}
	return NULL;
}

static int read_section(struct btffile *out, const struct file *f, const uint8_t *header, struct bpfstamp_err *err)
{
	uint64_t size = bytes_get64(header + SH_SIZE, f->big);

	if (bytes_get32(header + SH_TYPE, f->big) == ELF64_SHT_NOBITS)
		return err_set(err, EINVAL, "%s: section .BTF has no bytes in the file", f->path);
	if (bytes_get64(header + SH_FLAGS, f->big) & ELF64_SHF_COMPRESSED)
		return err_set(err, EINVAL, "%s: section .BTF is compressed; unpack it with objcopy "
			       "--decompress-debug-sections", f->path);
	out->bytes = read_part(f, bytes_get64(header + SH_OFFSET, f->big), size, "section .BTF is", err);
	if (!out->bytes)
		return -1;
	out->size = (size_t)size;
	return 0;
}

static int read_elf(struct btffile *out, struct file *f, const uint8_t *ehdr, struct bpfstamp_err *err)
{
	uint8_t *headers, *names = NULL;
	uint64_t count, index, size;
	const uint8_t *header;
	int ret = -1;

	if (ehdr[4] != 2 || (ehdr[5] != 1 && ehdr[5] != 2))
		return err_set(err, EINVAL, "%s: not a 64-bit ELF file", f->path);
	f->big = ehdr[5] == 2;
	headers = read_headers(f, ehdr, &count, &index, err);
	if (!headers)
		return -1;
	header = headers + index * SHDR_SIZE;
	size = bytes_get64(header + SH_SIZE, f->big);
	names = read_part(f, bytes_get64(header + SH_OFFSET, f->big), size, "section names are", err);
	if (!names)
		goto out;
	header = find_section(f, headers, count, names, size);
	if (header)
		ret = read_section(out, f, header, err);
	else
		err_set(err, EINVAL, "%s: ELF file without a section .BTF", f->path);
out:
	free(names);
	free(headers);
	return ret;
}

static int read_raw(struct btffile *out, const struct file *f, struct bpfstamp_err *err)
{
	out->bytes = read_part(f, 0, f->size, "BTF is", err);
	if (!out->bytes)
		return -1;
	out->size = (size_t)f->size;
	return 0;
}

int btffile_read(struct btffile *out, const char *path, struct bpfstamp_err *err)
{
	struct btffile file = { NULL, 0, false };
	uint8_t start[EHDR_SIZE] = { 0 };
	struct file f;
	int ret;

	if (open_regular(&f, path, err))
		return -1;
	if (read_all(f.fd, start, f.size < EHDR_SIZE ? (size_t)f.size : EHDR_SIZE, 0))
		ret = err_set(err, EIO, "%s: cannot be read", path);
	else if (f.size >= EHDR_SIZE && !memcmp(start, "\177ELF", 4))
		ret = read_elf(&file, &f, start, err);
	else if (bytes_get16(start, true) == 0xeb9f || bytes_get16(start, false) == 0xeb9f)
		ret = read_raw(&file, &f, err);
	else
		ret = err_set(err, EINVAL, "%s: neither BTF nor an ELF file", path);
	close(f.fd);
	if (!ret)
		*out = file;
	return ret;
}

int btffile_map(struct btffile *out, const char *path)
{
	struct bpfstamp_err err;
	struct file f;
	void *bytes;

	if (open_regular(&f, path, &err))
		return -1;
	bytes = mmap(NULL, (size_t)f.size, PROT_READ, MAP_PRIVATE, f.fd, 0);
	close(f.fd);
	if (bytes == MAP_FAILED)
		return -1;
	*out = (struct btffile){ bytes, (size_t)f.size, true };
	return 0;
}

void btffile_free(struct btffile *file)
{
	if (file->mapped)
		munmap(file->bytes, file->size);
	else
		free(file->bytes);
}
