// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where kernel_open finds BTF, by file name and in the usual places: files in
 * the forms that a vmlinux comes in, files that are none, and hostile ones.
 *
 * Each test's files are in a directory of its own; where the usual places have
 * to look different, they do so in a mount namespace that ends with the test.
 */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/kernel.h"
#include "tests/bpffs.h"
#include "tests/btfgen.h"
#include "tests/elfgen.h"

Suite *suite_btffile(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DIR_TEMPLATE "/tmp/bpfstamp-btffile.XXXXXX"

static char dir[sizeof(DIR_TEMPLATE)], path[sizeof(dir) + 16];
static struct bpfstamp_err err;

static void make_dir(void)
{
	memcpy(dir, DIR_TEMPLATE, sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

static void write_file(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

/* Refused in one line that is as expected behind the file's name; no fd is left. */
static void refused(const char *file, const char *text)
{
	struct kernel *k = (struct kernel *)&err;
	size_t len = strlen(file);
	int fds = bpffs_open_fds();

	memset(&err, 0, sizeof(err));
	ck_assert_int_eq(kernel_open(&k, file, &err), -1);
	ck_assert_ptr_eq(k, &err);
	ck_assert_msg(strstr(err.text, file) == err.text || !strncmp(err.text, "BTF of ", 7), "%s", err.text);
	ck_assert_str_eq(err.text + (*err.text == 'B' ? 7 : 0) + len + 2, text);
	ck_assert_ptr_null(strchr(err.text, '\n'));
	ck_assert_int_ne(err.code, 0);
	ck_assert_int_eq(bpffs_open_fds(), fds);
}

static struct kernel *open_kernel(const char *file)
{
	struct kernel *k = NULL;

	ck_assert_msg(!kernel_open(&k, file, &err), "%s", err.text);
	return k;
}

static uint8_t *small_btf(bool big, size_t *size)
{
	struct btfgen *gen = btfgen_new(big);

	btfgen_type(gen, "task_struct", BTF_STRUCT, 0, 8);
	btfgen_type(gen, "task_struct___v2", BTF_STRUCT, 0, 16);
	btfgen_type(gen, "task_struct", BTF_TYPEDEF, 0, 1);
	btfgen_type(gen, "", BTF_FUNC_PROTO, 0, 0);
	btfgen_type(gen, "task_struct", BTF_FUNC, 1, 4);
	btfgen_type(gen, "task_struct___", BTF_STRUCT, 0, 0);
	btfgen_type(gen, "task", BTF_STRUCT, 0, 0);
	btfgen_type(gen, "task_struct", BTF_UNION, 0, 0);
	btfgen_type(gen, "task_struct", BTF_TYPE_TAG, 0, 1);
	return btfgen_finish(gen, size, NULL, NULL);
}

static uint8_t *elf_of(bool big, bool extended, const struct elf64_section *section, size_t *size)
{
	struct elfgen *gen = elfgen_new(big);
	uint8_t *elf;

	gen->extended = extended;
	elfgen_section(gen, &(struct elf64_section){ .name = ".text", .type = ELF64_SHT_PROGBITS, .size = 8 });
	elfgen_section(gen, &(struct elf64_section){ .name = ".BTF.ext", .type = ELF64_SHT_PROGBITS, .size = 8 });
	elfgen_section(gen, section);
	elf = elfgen_finish(gen, size);
	elf[16] = 0;	/* a program for x86-64, no relocatable object for BPF */
	elf[17] = 0;
	elf[big ? 17 : 16] = 2;
	elf[big ? 19 : 18] = 62;
	return elf;
}

static void check_small(const char *file)
{
	static const uint32_t all[] = { 1, 2, 3, 5, 8, 0 }, types[] = { 1, 2, 3, 8, 0 };
	struct kernel *k = open_kernel(file);
	uint32_t id, i;

	ck_assert_uint_eq(kernel_btf_count(k), 1);
	ck_assert_uint_eq(kernel_btf_at(k, 0)->btf.type_count, 10);
	for (i = 0, id = 0; i < COUNT(types); i++)
		ck_assert_uint_eq(id = kernel_find_type(k, 0, "task_struct", 11, id), types[i]);
	for (i = 0, id = 0; i < COUNT(all); i++)
		ck_assert_uint_eq(id = kernel_find(k, 0, "task_struct", 11, id), all[i]);
	ck_assert_uint_eq(kernel_find(k, 0, "task_struct", 4, 0), 7);
	ck_assert_uint_eq(kernel_find(k, 0, "task_struct___", 14, 0), 6);
	if (file) {	/* what stands for vmlinux has no modules; but these types are not the running kernel's */
		ck_assert_int_eq(kernel_read_modules(k, &err), 0);
		ck_assert_uint_eq(kernel_btf_count(k), 1);
	}
	kernel_close(k);
}

START_TEST(test_raw_file)
{
	size_t size;
	uint8_t *btf = small_btf(_i, &size);
	struct kernel *k;

	write_file(path, btf, size);
	check_small(path);
	k = open_kernel(path);
	ck_assert_str_eq(kernel_btf_at(k, 0)->name, path);
	ck_assert(kernel_btf_at(k, 0)->btf.big == (_i != 0));
	kernel_close(k);
	free(btf);
}
END_TEST

START_TEST(test_elf_file)
{
	struct elf64_section section = { .name = ".BTF", .type = ELF64_SHT_PROGBITS };
	uint8_t *elf, *btf;
	size_t size;

	btf = small_btf(_i & 1, &size);
	section.bytes = btf;
	section.size = size;
	elf = elf_of(_i & 1, _i & 2, &section, &size);
	write_file(path, elf, size);
	check_small(path);
	free(elf);
	free(btf);
}
END_TEST

/* Nobody who asks for a file gets vmlinux instead. */
START_TEST(test_no_file)
{
	refused("/nonexistent/vmlinux", "No such file or directory");
	ck_assert_int_eq(err.code, ENOENT);
	refused("/proc", "BTF is read from a regular file only");
	refused("/dev/zero", "BTF is read from a regular file only");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused(path, "BTF is read from a regular file only");
}
END_TEST

START_TEST(test_other_files)
{
	size_t size;
	uint8_t *btf = small_btf(false, &size), *text;

	write_file(path, "", 0);
	refused(path, "neither BTF nor an ELF file");
	write_file(path, "\x9f", 1);
	refused(path, "neither BTF nor an ELF file");
	write_file(path, "struct sk_buff;\n", 16);
	refused(path, "neither BTF nor an ELF file");
	write_file(path, btf, 2);
	refused(path, "data is shorter than its header at byte 0x2");
	write_file(path, btf, size - 1);
	refused(path, "strings reach past the end of the data at byte 0x10");
	bytes_put32(btf + 24 + 4, 0x1f000000, false);
	write_file(path, btf, size);
	refused(path, "unknown kind of type at byte 0x1c");
	free(btf);
	text = malloc(64);
	memset(text, 0, 64);
	memcpy(text, "\177ELF", 4);
	write_file(path, text, 63);
	refused(path, "neither BTF nor an ELF file");
	write_file(path, text, 64);
	refused(path, "not a 64-bit ELF file");
	text[4] = 2;
	text[5] = 1;
	write_file(path, text, 64);
	refused(path, "ELF file without section headers, so without BTF");
	free(text);
}
END_TEST

enum { HEADER_OF_BTF = 3 };	/* its index in what elf_of makes */

/* What to write (width bytes, 0 for none) where, from the header of .BTF or, negative, from the file's. */
static const struct {
	int at, width;
	uint64_t value;
	const char *text;
} changes[] = {
	{ -40, 8, UINT64_MAX, "section headers are past the end of the file" },
	{ -40, 8, UINT64_MAX - 64, "section headers are past the end of the file" },
	{ -58, 2, 40, "ELF file without section headers, so without BTF" },
	{ -60, 2, 0xfff0, "section headers are past the end of the file" },
	{ -60, 2, 1, "ELF file whose sections have no names" },
	{ -62, 2, 0xfffe, "ELF file whose sections have no names" },
	{ -62, 2, HEADER_OF_BTF, "ELF file without a section .BTF" },
	{ 0, 4, UINT32_MAX, "ELF file without a section .BTF" },
	{ 0, 4, 1, "ELF file without a section .BTF" },
	{ 4, 4, ELF64_SHT_NOBITS, "section .BTF has no bytes in the file" },
	{ 8, 8, ELF64_SHF_COMPRESSED,
	  "section .BTF is compressed; unpack it with objcopy --decompress-debug-sections" },
	{ 24, 8, UINT64_MAX, "section .BTF is past the end of the file" },
	{ 32, 8, UINT64_MAX, "section .BTF is past the end of the file" },
	{ 32, 8, 0, "data is shorter than its header at byte 0x0" },
	{ 32, 8, 23, "data is shorter than its header at byte 0x17" },
	{ 32, 8, 25, "types reach past the end of the data at byte 0x8" },
};

START_TEST(test_wrong_elf)
{
	struct elf64_section section = { .name = ".BTF", .type = ELF64_SHT_PROGBITS };
	uint8_t *elf, *btf, *at;
	size_t size;

	btf = small_btf(false, &size);
	section.bytes = btf;
	section.size = size;
	elf = elf_of(false, false, &section, &size);
	at = elf + (changes[_i].at < 0 ? (uint64_t)-changes[_i].at :
		    bytes_get64(elf + 40, false) + 64 * HEADER_OF_BTF + (uint64_t)changes[_i].at);
	memcpy(at, (uint8_t[8]){ (uint8_t)changes[_i].value, (uint8_t)(changes[_i].value >> 8),
				 (uint8_t)(changes[_i].value >> 16), (uint8_t)(changes[_i].value >> 24),
				 (uint8_t)(changes[_i].value >> 32), (uint8_t)(changes[_i].value >> 40),
				 (uint8_t)(changes[_i].value >> 48), (uint8_t)(changes[_i].value >> 56) },
	       (size_t)changes[_i].width);
	write_file(path, elf, size);
	refused(path, changes[_i].text);
	free(elf);
	free(btf);
}
END_TEST

/* However much of the file there is, it is opened or refused; a shorter one is never read past its end. */
START_TEST(test_cut_elf)
{
	struct elf64_section section = { .name = ".BTF", .type = ELF64_SHT_PROGBITS };
	uint8_t *elf, *btf;
	struct kernel *k;
	size_t size;

	btf = small_btf(_i, &size);
	section.bytes = btf;
	section.size = size;
	elf = elf_of(_i, false, &section, &size);
	write_file(path, elf, size);
	while (size--) {
		ck_assert_int_eq(truncate(path, (off_t)size), 0);
		ck_assert_int_eq(kernel_open(&k, path, &err), -1);
	}
	free(elf);
	free(btf);
}
END_TEST

/* A sparse file costs no memory, whatever it says that it has. */
START_TEST(test_huge_file)
{
	size_t size;
	uint8_t *btf = small_btf(false, &size);

	write_file(path, btf, size);
	ck_assert_int_eq(truncate(path, (256ll << 20) + 1), 0);
	refused(path, "BTF is larger than 256 MiB");
	free(btf);
}
END_TEST

/* -------------------------------------------------------- the usual places */

/* Hide what is at the place, in a mount namespace of this process alone; false where that is not allowed. */
static bool hide(const char *place)
{
	static bool entered;

	if ((!entered && (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))) ||
	    mount("none", place, "tmpfs", 0, NULL)) {
		printf("SKIP btffile: %s cannot be hidden: %s\n", place, strerror(errno));
		return false;
	}
	entered = true;
	return true;
}

START_TEST(test_image_in_boot)
{
	struct utsname uts;
	char image[256];
	uint8_t *btf;
	size_t size;

	if (!hide("/sys/kernel/btf") || !hide("/boot"))
		return;
	ck_assert_int_eq(uname(&uts), 0);
	snprintf(image, sizeof(image), "/boot/vmlinux-%s", uts.release);
	btf = small_btf(false, &size);
	write_file(image, btf, size);
	check_small(NULL);
	write_file("/sys/kernel/btf/vmlinux", "nonsense", 8);
	check_small(NULL);
	free(btf);
}
END_TEST

START_TEST(test_image_in_lib_modules)
{
	struct elf64_section section = { .name = ".BTF", .type = ELF64_SHT_PROGBITS };
	struct utsname uts;
	uint8_t *btf, *elf;
	char image[256];
	size_t size;

	if (!hide("/sys/kernel/btf") || !hide("/boot") || !hide("/usr/lib"))
		return;
	ck_assert_int_eq(uname(&uts), 0);
	snprintf(image, sizeof(image), "/boot/vmlinux-%s", uts.release);
	write_file(image, "", 0);	/* has none: the next is tried */
	snprintf(image, sizeof(image), "/usr/lib/debug/boot/vmlinux-%s", uts.release);
	ck_assert_int_eq(mkdir("/usr/lib/debug", 0700), 0);
	ck_assert_int_eq(mkdir("/usr/lib/debug/boot", 0700), 0);
	btf = small_btf(false, &size);
	section.bytes = btf;
	section.size = size;
	elf = elf_of(false, false, &section, &size);
	write_file(image, elf, size);
	check_small(NULL);
	free(elf);
	free(btf);
}
END_TEST

START_TEST(test_nowhere)
{
	struct utsname uts;
	char text[512];
	struct kernel *k;

	if (!hide("/sys/kernel/btf") || !hide("/boot") || !hide("/usr/lib"))
		return;
	ck_assert_int_eq(uname(&uts), 0);
	ck_assert_int_eq(kernel_open(&k, NULL, &err), -1);
	snprintf(text, sizeof(text),
		 "Linux %s has no BTF: neither /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF) nor a "
		 "vmlinux in /boot or /lib/modules is there", uts.release);
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.code, ENOENT);
	write_file("/sys/kernel/btf/vmlinux", "nonsense", 8);
	ck_assert_int_eq(kernel_open(&k, NULL, &err), -1);
	ck_assert_str_eq(err.text, "BTF of vmlinux: data is shorter than its header at byte 0x8");
}
END_TEST

Suite *suite_btffile(void)
{
	Suite *suite = suite_create("btffile");
	TCase *files = tcase_create("files"), *places = tcase_create("places");

	tcase_add_checked_fixture(files, make_dir, remove_dir);
	tcase_add_loop_test(files, test_raw_file, 0, 2);
	tcase_add_loop_test(files, test_elf_file, 0, 4);
	tcase_add_test(files, test_no_file);
	tcase_add_test(files, test_other_files);
	tcase_add_loop_test(files, test_wrong_elf, 0, (int)COUNT(changes));
	tcase_add_loop_test(files, test_cut_elf, 0, 2);
	tcase_add_test(files, test_huge_file);
	tcase_add_test(places, test_image_in_boot);
	tcase_add_test(places, test_image_in_lib_modules);
	tcase_add_test(places, test_nowhere);
	suite_add_tcase(suite, files);
	suite_add_tcase(suite, places);
	return suite;
}
