// SPDX-License-Identifier: BSD-2-Clause
/*
 * Source and object are temporary files.  Which compiler works is found by
 * compiling: a clang without a BPF back end counts as none, so that tests of
 * real objects are left out there instead of failing.
 *
 * The virtual machines of tests/kernels have no compiler.  Their objects are
 * those that the same tests compiled before, elsewhere: REALOBJ names a folder
 * that receives each object, in both byte orders, under a hash of all that went
 * into it.  It is read from only where no compiler works, so that it cannot hide
 * a change.
 */
#include "tests/realobj.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool ok;

	if (!file)
		return false;
	ok = fputs(text, file) >= 0;
	return fclose(file) == 0 && ok;
}

static bool compile(const char *clang, const char *target, const char *flags, const char *source,
		    const char *object)
{
	char command[512];
	int n;

	n = snprintf(command, sizeof(command), "exec %s -target %s -g -O2 %s -c %s -o %s 2>/dev/null",
		     clang, target, flags, source, object);
	return n > 0 && (size_t)n < sizeof(command) && system(command) == 0;
}

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long length;

	if (!file)
		return NULL;
	if (!fseek(file, 0, SEEK_END) && (length = ftell(file)) > 0) {
		rewind(file);
		*size = (size_t)length;
		bytes = malloc(*size);
		if (bytes && fread(bytes, 1, *size, file) != *size) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(file);
	return bytes;
}

/* FNV-1a of a text and its end. */
static uint64_t hash(uint64_t h, const char *text)
{
	do {
		h = (h ^ (uint8_t)*text) * 0x100000001b3;
	} while (*text++);
	return h;
}

/* Where the object is kept. */
static bool kept_path(char *path, size_t size, const char *target, const char *flags, const char *source)
{
	const char *folder = getenv("REALOBJ");
	uint64_t h = hash(hash(hash(0xcbf29ce484222325, target), flags), source);
	int n = snprintf(path, size, "%s/%016" PRIx64 ".o", folder ? folder : "", h);

	return folder && *folder && n > 0 && (size_t)n < size;
}

static void keep(const char *path, const uint8_t *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	if (!file)
		return;
	if (fwrite(bytes, 1, size, file) != size)
		unlink(path);
	fclose(file);
}

static uint8_t *compile_with_any(const char *target, const char *flags, const char *source, size_t *size)
{
	const char *chosen = getenv("CLANG"), *clangs[] = { chosen, "clang-19", "clang" };
	char dir[] = "/tmp/bpfstamp-test-XXXXXX", c[64], o[64];
	uint8_t *bytes = NULL;
	size_t i;

	if ((chosen && !*chosen) || !mkdtemp(dir))
		return NULL;
	snprintf(c, sizeof(c), "%s/source.c", dir);
	snprintf(o, sizeof(o), "%s/object.o", dir);
	for (i = 0; i < sizeof(clangs) / sizeof(clangs[0]) && !bytes && write_file(c, source); i++)
		if (clangs[i] && compile(clangs[i], target, flags, c, o))
			bytes = read_file(o, size);
	unlink(c);
	unlink(o);
	rmdir(dir);
	return bytes;
}

static void keep_other_order(const char *target, const char *flags, const char *source)
{
	const char *other = strcmp(target, "bpfel") ? "bpfel" : "bpfeb";
	char path[512];
	uint8_t *bytes;
	size_t size;

	if (!kept_path(path, sizeof(path), other, flags, source))
		return;
	bytes = compile_with_any(other, flags, source, &size);
	if (bytes)
		keep(path, bytes, size);
	free(bytes);
}

uint8_t *realobj_compile(const char *target, const char *flags, const char *source, size_t *size)
{
	char path[512];
	bool kept = kept_path(path, sizeof(path), target, flags, source);
	uint8_t *bytes = compile_with_any(target, flags, source, size);

	if (bytes && kept) {
		keep(path, bytes, *size);
		keep_other_order(target, flags, source);
	} else if (!bytes && kept)
		bytes = read_file(path, size);
	if (!bytes)
		fprintf(stderr, "SKIP real objects: no clang compiles for %s\n", target);
	if (!bytes && getenv("CI"))
		abort();
	return bytes;
}
