// SPDX-License-Identifier: BSD-2-Clause
/*
 * Configurations of kernels: what each type of variable takes from one, files
 * as they are and as they should not be, and what no configuration has.
 * Symbols of the kernel, too, by files of the same form.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "include/bytes.h"
#include "loader/kallsyms.h"
#include "loader/kconfig.h"
#include "tests/externobj.h"

Suite *suite_kconfig(void);

static void write_text(const char *text)
{
	externobj_write(text, strlen(text));
}

/* ---------------------------------------------------------------- values */

#define BOOL { KCONFIG_BOOL, 1, 1, false }
#define TRISTATE { KCONFIG_TRISTATE, 4, 4, false }
#define CHAR { KCONFIG_CHAR, 1, 1, true }
#define UCHAR { KCONFIG_CHAR, 1, 1, false }
#define INT(size, is_signed) { KCONFIG_INT, size, size, is_signed }
#define TEXT(size) { KCONFIG_TEXT, size, 1, false }

static const struct {
	struct kconfig_type type;
	const char *value;
	const char *bytes;	/* little-endian; NULL: fails */
	const char *error;	/* of what fails; of what is stored: not NULL where it was cut */
} values[] = {
	{ BOOL, "y", "\1", NULL },
	{ BOOL, "n", "\0", NULL },
	{ BOOL, "m", NULL, "its value m needs enum libbpf_tristate or char, and it is declared bool" },
	{ BOOL, "1", NULL, "its value 1 needs an integer, and it is declared bool" },
	{ BOOL, "\"y\"", NULL, "its value \"y\" needs a char array, and it is declared bool" },
	{ TRISTATE, "n", "\0\0\0\0", NULL },
	{ TRISTATE, "y", "\1\0\0\0", NULL },
	{ TRISTATE, "m", "\2\0\0\0", NULL },
	{ TRISTATE, "2", NULL, "its value 2 needs an integer, and it is declared enum libbpf_tristate" },
	{ CHAR, "y", "y", NULL },
	{ CHAR, "m", "m", NULL },
	{ CHAR, "n", "n", NULL },
	{ CHAR, "127", "\x7f", NULL },
	{ CHAR, "128", NULL, "its value 128 does not fit a signed integer of 1 byte" },
	{ CHAR, "-128", "\x80", NULL },
	{ CHAR, "-129", NULL, "its value -129 does not fit a signed integer of 1 byte" },
	{ UCHAR, "255", "\xff", NULL },
	{ UCHAR, "256", NULL, "its value 256 does not fit an unsigned integer of 1 byte" },
	{ UCHAR, "-1", NULL, "its value -1 does not fit an unsigned integer of 1 byte" },
	{ INT(2, false), "0xffff", "\xff\xff", NULL },
	{ INT(2, false), "65536", NULL, "its value 65536 does not fit an unsigned integer of 2 bytes" },
	{ INT(2, true), "-32768", "\x00\x80", NULL },
	{ INT(2, true), "32768", NULL, "its value 32768 does not fit a signed integer of 2 bytes" },
	{ INT(4, true), "2147483647", "\xff\xff\xff\x7f", NULL },
	{ INT(4, true), "0x80000000", NULL, "its value 0x80000000 does not fit a signed integer of 4 bytes" },
	{ INT(4, true), "-2147483648", "\0\0\0\x80", NULL },
	{ INT(4, true), "-2147483649", NULL, "its value -2147483649 does not fit a signed integer of 4 bytes" },
	{ INT(4, false), "0xffffffff", "\xff\xff\xff\xff", NULL },
	{ INT(4, false), "0x100000000", NULL, "its value 0x100000000 does not fit an unsigned integer of 4 bytes" },
	{ INT(4, false), "017", "\x0f\0\0\0", NULL },
	{ INT(8, true), "-9223372036854775808", "\0\0\0\0\0\0\0\x80", NULL },
	{ INT(8, true), "-9223372036854775809", NULL, "does not fit a signed integer of 8 bytes" },
	{ INT(8, true), "0xdead000000000000", "\0\0\0\0\0\0\xad\xde", NULL },
	{ INT(8, false), "0xffffffffffffffff", "\xff\xff\xff\xff\xff\xff\xff\xff", NULL },
	{ INT(8, false), "0x10000000000000000", NULL, "does not fit an unsigned integer of 8 bytes" },
	{ INT(4, true), "y", NULL,
	  "its value y needs bool, enum libbpf_tristate or char, and it is declared an integer" },
	{ INT(4, true), "yes", NULL, "its value 'yes' is not y, m, n, a quoted string or an integer" },
	{ INT(4, true), "7 ", NULL, "its value '7 ' is not" },
	{ INT(4, true), " 7", NULL, "its value ' 7' is not" },
	{ INT(4, true), "+7", NULL, "its value '+7' is not" },
	{ INT(4, true), "-", NULL, "its value '-' is not" },
	{ INT(4, true), "--7", NULL, "its value '--7' is not" },
	{ INT(4, true), "", NULL, "its value '' is not" },
	{ TEXT(4), "\"\"", "\0\0\0\0", NULL },
	{ TEXT(4), "\"abc\"", "abc\0", NULL },
	{ TEXT(4), "\"abcd\"", "abc\0", "cut" },
	{ TEXT(4), "\"a\\\"\"", "a\\\"\0", NULL },
	{ TEXT(4), "\"abc", NULL, "its value \"abc has no closing quote" },
	{ TEXT(4), "\"", NULL, "its value \" has no closing quote" },
	{ TEXT(4), "7", NULL, "its value 7 needs an integer, and it is declared a char array" },
	{ TEXT(4), "m", NULL,
	  "its value m needs bool, enum libbpf_tristate or char, and it is declared a char array" },
};

START_TEST(value)
{
	const struct kconfig_type *type = &values[_i].type;
	uint8_t bytes[10], untouched[10];
	struct bpfstamp_err err;

	memset(untouched, 0xee, sizeof(untouched));
	for (int big = 0; big < 2; big++) {
		memset(bytes, 0xee, sizeof(bytes));
		if (!values[_i].bytes) {
			ck_assert_int_eq(kconfig_store(bytes, type, big, values[_i].value, &err), -1);
			bpfobj_says(&err, values[_i].error);
			ck_assert_mem_eq(bytes, untouched, sizeof(bytes));
			continue;
		}
		ck_assert_int_eq(kconfig_store(bytes, type, big, values[_i].value, &err), !!values[_i].error);
		for (uint32_t i = 0; i < type->size; i++)
			ck_assert_uint_eq(bytes[big && type->form != KCONFIG_TEXT ? type->size - 1 - i : i],
					  (uint8_t)values[_i].bytes[i]);
		ck_assert_mem_eq(bytes + type->size, untouched, sizeof(bytes) - type->size);
	}
}
END_TEST

START_TEST(numbers)
{
	static const struct kconfig_type boolean = BOOL, tristate = TRISTATE, text = TEXT(4), word = INT(2, false);
	uint8_t bytes[4] = { 7, 7, 7, 7 };
	struct bpfstamp_err err;

	ck_assert_int_eq(kconfig_store_number(bytes, &boolean, false, 1, &err), 0);
	ck_assert_uint_eq(bytes[0], 1);
	ck_assert_int_eq(kconfig_store_number(bytes, &boolean, false, 0, &err), 0);
	ck_assert_uint_eq(bytes[0], 0);
	ck_assert_int_eq(kconfig_store_number(bytes, &boolean, false, 2, &err), -1);
	ck_assert_str_eq(err.text, "its value 2 is neither 0 nor 1, and it is declared bool");
	ck_assert_int_eq(kconfig_store_number(bytes, &tristate, false, 1, &err), -1);
	ck_assert_str_eq(err.text, "its value 1 needs an integer or bool, and it is declared enum libbpf_tristate");
	ck_assert_int_eq(kconfig_store_number(bytes, &text, false, 1, &err), -1);
	ck_assert_str_eq(err.text, "its value 1 needs an integer or bool, and it is declared a char array");
	ck_assert_int_eq(kconfig_store_number(bytes, &word, true, 0xffff, &err), 0);
	ck_assert_mem_eq(bytes, "\xff\xff\7\7", 4);
	ck_assert_int_eq(kconfig_store_number(bytes, &word, false, 0x10000, &err), -1);
	ck_assert_str_eq(err.text, "its value 65536 does not fit an unsigned integer of 2 bytes");
}
END_TEST

/* ----------------------------------------------------------------- files */

static const char sample[] =
	"#\n# Automatically generated file; DO NOT EDIT.\n#\nCONFIG_A=y\n# CONFIG_B is not set\n\n"
	"NOT_CONFIG=y\nCONFIG_C=\nCONFIG_NOTHING\nCONFIG_D=\"a=b\"";

static void expect_sample(const char *from)
{
	static const char *const want[][2] = { { "CONFIG_A", "y" }, { "CONFIG_C", "" }, { "CONFIG_D", "\"a=b\"" } };
	const char *name, *text;
	struct bpfstamp_err err;
	struct kconfig c;

	ck_assert_msg(!kconfig_open(&c, from, &err), "%s", err.text);
	ck_assert_str_eq(c.path, from);
	for (int i = 0; i < 3; i++) {
		ck_assert(kconfig_next(&c, &name, &text));
		ck_assert_str_eq(name, want[i][0]);
		ck_assert_str_eq(text, want[i][1]);
	}
	ck_assert(!kconfig_next(&c, &name, &text));
	ck_assert(!kconfig_next(&c, &name, &text));
	kconfig_close(&c);
}

static void expect_refused(const char *from, int code, const char *text)
{
	struct bpfstamp_err err;
	struct kconfig c;

	ck_assert_int_eq(kconfig_open(&c, from, &err), -1);
	ck_assert_int_eq(err.code, code);
	bpfobj_says(&err, text);
	bpfobj_says(&err, from);
	kconfig_close(&c);
}

/* A gzip file of bytes; returns its size. */
static size_t write_gzip(const void *bytes, size_t size)
{
	gzFile f = gzopen(externobj_path, "w");
	FILE *again;
	long at;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(gzwrite(f, bytes, (unsigned int)size), (int)size);
	ck_assert_int_eq(gzclose(f), Z_OK);
	again = fopen(externobj_path, "r");
	ck_assert_ptr_nonnull(again);
	fseek(again, 0, SEEK_END);
	at = ftell(again);
	fclose(again);
	return (size_t)at;
}

START_TEST(plain_and_compressed)
{
	write_text(sample);
	expect_sample(externobj_path);
	write_gzip(sample, strlen(sample));
	expect_sample(externobj_path);
}
END_TEST

START_TEST(large_file)
{
	size_t size = 300000, lines = 0;
	char *text = malloc(size + 1);
	const char *name, *number;
	struct bpfstamp_err err;
	struct kconfig c;

	ck_assert_ptr_nonnull(text);
	for (size_t at = 0; at < size; at += 12)
		memcpy(text + at, "CONFIG_AB=1\n", 13);
	for (int compressed = 0; compressed < 2; compressed++, lines = 0) {
		if (compressed)
			write_gzip(text, size);
		else
			externobj_write(text, size);
		ck_assert_msg(!kconfig_open(&c, externobj_path, &err), "%s", err.text);
		while (kconfig_next(&c, &name, &number))
			lines += !strcmp(name, "CONFIG_AB") && !strcmp(number, "1");
		ck_assert_uint_eq(lines, size / 12);
		kconfig_close(&c);
	}
	free(text);
}
END_TEST

START_TEST(refused_files)
{
	size_t size, huge = (16u << 20) + 1;
	char *zeros = calloc(1, huge);

	ck_assert_ptr_nonnull(zeros);
	expect_refused("/nonexistent", ENOENT, "cannot open /nonexistent: No such file");
	expect_refused("/tmp", EISDIR, "cannot read /tmp: Is a directory");
	externobj_write("CONFIG_A=y\0\n", 12);
	expect_refused(externobj_path, EINVAL, "it is not text");
	memset(zeros, '\n', huge);
	externobj_write(zeros, huge);
	expect_refused(externobj_path, EFBIG, "no configuration is larger than 16777216 bytes");
	write_gzip(zeros, huge);
	expect_refused(externobj_path, EFBIG, "no configuration is larger than 16777216 bytes");
	size = write_gzip(sample, strlen(sample));
	for (size_t cut = 1; cut < size - 2; cut += 7) {
		write_gzip(sample, strlen(sample));
		ck_assert_int_eq(truncate(externobj_path, (off_t)(size - cut)), 0);
		expect_refused(externobj_path, EINVAL, "its end is missing");
	}
	free(zeros);
}
END_TEST

START_TEST(damaged_gzip)
{
	size_t size = write_gzip(sample, strlen(sample));
	FILE *f = fopen(externobj_path, "r+");

	ck_assert_ptr_nonnull(f);
	fseek(f, (long)size - 8, SEEK_SET);	/* the CRC */
	fputs("CRC?", f);
	fclose(f);
	expect_refused(externobj_path, EINVAL, "it is damaged");
}
END_TEST

START_TEST(running_configuration)
{
	const char *name, *text;
	struct bpfstamp_err err;
	uint32_t count = 0;
	struct kconfig c;

	if (kconfig_open(&c, NULL, &err)) {
		bpfobj_says(&err, "the configuration of this kernel is not to be had: cannot open /proc/config.gz, "
				  "/boot/config-");
		printf("SKIP kconfig: %s\n", err.text);
		return;
	}
	while (kconfig_next(&c, &name, &text))
		count += !strcmp(name, "CONFIG_BPF_SYSCALL") && !strcmp(text, "y");
	ck_assert_uint_eq(count, 1);
	kconfig_close(&c);
}
END_TEST

/* --------------------------------------------------- not in configurations */

static const struct {
	const char *release, *version, *signature;
	uint32_t number;
} versions[] = {
	{ "6.18.44-fc", "#1 SMP", NULL, 0x06122c },
	{ "6.18.300", "#1 SMP", NULL, 0x0612ff },
	{ "4.19.0-22-amd64", "#1 SMP Debian 4.19.260-1 (2022-09-29)", NULL, 0x0413ff },
	{ "6.1.0-9-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.27-1 (2023-05-08)", NULL, 0x06011b },
	{ "7.2.1-amd64", "#1 SMP Debian 7.2~rc1-1~exp1", NULL, 0x070201 },
	{ "5.4.0-12-generic", "#15 SMP", "Ubuntu 5.4.0-12.15-generic 5.4.8\n", 0x050408 },
	{ "5.4.3", "#15 SMP", "Ubuntu", 0x050403 },
	{ "5.4.3", "#15 SMP", "Ubuntu 5.4.0 ", 0x050403 },
	{ "5.4", "#1", NULL, 0 },
	{ "5.4.", "#1", NULL, 0 },
	{ "5.4.x", "#1", NULL, 0 },
	{ "5..4", "#1", NULL, 0 },
	{ "256.0.0", "#1", NULL, 0 },
	{ "", "", "", 0 },
};

START_TEST(version)
{
	ck_assert_uint_eq(kconfig_version(versions[_i].release, versions[_i].version, versions[_i].signature),
			  versions[_i].number);
}
END_TEST

START_TEST(virtual)
{
	struct bpfstamp_err err;
	struct utsname uts;
	unsigned int major;
	uint64_t number;
	bool known;

	uname(&uts);
	ck_assert_int_eq(sscanf(uts.release, "%u.", &major), 1);
	ck_assert_msg(!kconfig_virtual("LINUX_KERNEL_VERSION", &known, &number, &err), "%s", err.text);
	ck_assert(known);
	ck_assert_uint_eq(number >> 16, major);
	ck_assert_msg(!kconfig_virtual("LINUX_HAS_SYSCALL_WRAPPER", &known, &number, &err), "%s", err.text);
	ck_assert(known);
	ck_assert_uint_eq(number, !system("grep -qE ' __(x64|arm64|s390x|riscv|powerpc)_sys_bpf$' /proc/kallsyms"));
	ck_assert_msg(!kconfig_virtual("LINUX_HAS_BPF_COOKIE", &known, &number, &err), "%s", err.text);
	ck_assert(known);
	ck_assert_uint_le(number, 1);
	if (geteuid() == 0 && major >= 6 && !access("/proc/config.gz", R_OK))
		ck_assert_uint_eq(number, !system("zgrep -qs '^CONFIG_BPF_EVENTS=y' /proc/config.gz"));
	ck_assert_int_eq(kconfig_virtual("LINUX_HAS_NOTHING", &known, &number, &err), 0);
	ck_assert(!known);
}
END_TEST

/* -------------------------------------------------------------- kallsyms */

static void expect_symbol(const char *name, bool there, uint64_t at)
{
	struct bpfstamp_err err;
	uint64_t address = 7;
	bool found = !there;

	ck_assert_msg(!kallsyms_find(externobj_path, name, &found, &address, &err), "%s", err.text);
	ck_assert_int_eq(found, there);
	ck_assert_uint_eq(address, there ? at : 7);
	ck_assert_int_eq(kallsyms_find(externobj_path, name, &found, NULL, &err), 0);
	ck_assert_int_eq(found, there);
}

static void expect_no_symbol(const char *name, int code, const char *text)
{
	struct bpfstamp_err err;
	uint64_t address;
	bool found;

	ck_assert_int_eq(kallsyms_find(externobj_path, name, &found, &address, &err), -1);
	ck_assert_int_eq(err.code, code);
	bpfobj_says(&err, text);
}

START_TEST(symbols)
{
	write_text("0000000000000000 A first_percpu\n"
		   "ffffffff81000000 T start\n"
		   "ffffffff81000010 t twice\n"
		   "ffffffff81000020 t twice\n"
		   "ffffffff81000030 t thrice\n"
		   "ffffffff81000030 t thrice\n"
		   "ffffffff81000040 d lto.llvm.1234567890\n"
		   "ffffffff81000050 t lto_func.llvm.1234567890\n"
		   "ffffffffc0000000 t in_module\t[vxlan]\n"
		   "ffffffffc0000010 t last");
	expect_symbol("start", true, 0xffffffff81000000);
	expect_symbol("first_percpu", true, 0);
	expect_symbol("thrice", true, 0xffffffff81000030);
	expect_symbol("lto", true, 0xffffffff81000040);
	expect_symbol("lto_func", false, 0);
	expect_symbol("in_module", true, 0xffffffffc0000000);
	expect_symbol("last", true, 0xffffffffc0000010);
	expect_symbol("star", false, 0);
	expect_symbol("startx", false, 0);
	expect_symbol("[vxlan]", false, 0);
	expect_no_symbol("twice", ENOTUNIQ, "has it at 0xffffffff81000010 and at 0xffffffff81000020");
}
END_TEST

START_TEST(hidden_symbols)
{
	struct bpfstamp_err err;
	bool found;

	write_text("0000000000000000 T start\n0000000000000000 t twice\n0000000000000000 t twice\n");
	expect_no_symbol("start", EPERM, "hides the address of start: CAP_SYSLOG is needed, and kernel.kptr");
	expect_no_symbol("twice", EPERM, "hides the address of twice");
	ck_assert_int_eq(kallsyms_find(externobj_path, "start", &found, NULL, &err), 0);
	ck_assert(found);
	expect_symbol("other", false, 0);
	for (int i = 0; i < 4; i++) {
		static const char *const wrong[] = { "start\n", "12 T\n", "12 Tstart\n", " \n" };

		write_text(wrong[i]);
		expect_no_symbol("start", EINVAL, "a line is not: address, kind, name");
	}
	ck_assert_int_eq(kallsyms_find("/nonexistent", "start", &found, NULL, &err), -1);
	ck_assert_str_eq(err.text, "cannot open /nonexistent: No such file or directory");
}
END_TEST

Suite *suite_kconfig(void)
{
	TCase *tcase = tcase_create("kconfig");
	Suite *s = suite_create("kconfig");

	tcase_add_checked_fixture(tcase, externobj_setup, externobj_teardown);
	tcase_add_loop_test(tcase, value, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_test(tcase, numbers);
	tcase_add_test(tcase, plain_and_compressed);
	tcase_add_test(tcase, large_file);
	tcase_add_test(tcase, refused_files);
	tcase_add_test(tcase, damaged_gzip);
	tcase_add_test(tcase, running_configuration);
	tcase_add_loop_test(tcase, version, 0, sizeof(versions) / sizeof(versions[0]));
	tcase_add_test(tcase, virtual);
	tcase_add_test(tcase, symbols);
	tcase_add_test(tcase, hidden_symbols);
	suite_add_tcase(s, tcase);
	return s;
}
