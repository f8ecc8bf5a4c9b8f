/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration of a kernel, and its values as variables of a program hold
 * them.  A configuration is text (kernel: Documentation/kbuild/kconfig-language.rst),
 * often compressed by gzip:
 *
 *     CONFIG_BPF=y				bool, tristate (m) or char: y, m, n
 *     CONFIG_HZ=250				integer: decimal, octal, 0x…, negative
 *     CONFIG_DEFAULT_HOSTNAME="(none)"	char array
 *     # CONFIG_KASAN is not set		as if it were not there
 *
 * The enum that a tristate has in a program is called libbpf_tristate:
 * TRI_NO 0, TRI_YES 1, TRI_MODULE 2.
 */
#ifndef LOADER_KCONFIG_H
#define LOADER_KCONFIG_H

#include "elf/btf.h"
#include "include/bpfstamp.h"

enum kconfig_form {
	KCONFIG_BOOL = 1,
	KCONFIG_TRISTATE,
	KCONFIG_CHAR,		/* an integer of one byte: y, m and n are letters in it */
	KCONFIG_INT,
	KCONFIG_TEXT,
};

struct kconfig_type {
	enum kconfig_form form;
	uint32_t size, align;
	bool is_signed;
};

/* How a variable of type id holds a value; false where it cannot. */
bool kconfig_type(const struct btf *btf, uint32_t id, struct kconfig_type *out);

/*
 * Store a value into to (type->size bytes, of that byte order): one that stands
 * behind '=' in a configuration, or a number.  A number that the type cannot
 * hold is an error; of a string that is too long the beginning is stored, and
 * 1 is returned.
 */
int kconfig_store(uint8_t *to, const struct kconfig_type *type, bool big, const char *value,
		  struct bpfstamp_err *err);
int kconfig_store_number(uint8_t *to, const struct kconfig_type *type, bool big, uint64_t number,
			 struct bpfstamp_err *err);

struct kconfig {
	char path[128];		/* the file that it came from */
	/* private */
	char *text, *next;
};

/* Read a configuration: that of the running kernel where path is NULL. */
int kconfig_open(struct kconfig *c, const char *path, struct bpfstamp_err *err);
void kconfig_close(struct kconfig *c);

/* The next value that is set; false at the end.  The strings live as long as *c. */
bool kconfig_next(struct kconfig *c, const char **name, const char **value);

/*
 * A value that a program asks for like one of the configuration, though no
 * configuration has it:
 *
 *     LINUX_KERNEL_VERSION		KERNEL_VERSION(a, b, c)
 *     LINUX_HAS_BPF_COOKIE		1 where a tracepoint program may call bpf_get_attach_cookie
 *     LINUX_HAS_SYSCALL_WRAPPER	1 where system calls are functions called __ARCH_sys_NAME
 *
 * *known is false where it is none of these.
 */
int kconfig_virtual(const char *name, bool *known, uint64_t *number, struct bpfstamp_err *err);

/*
 * LINUX_VERSION_CODE of the kernel that uname(2) describes by release and
 * version, and /proc/version_signature (Ubuntu; else NULL) by signature; 0
 * where none of them has three numbers.  The distributions' own texts come
 * first: the release has only the version that an update started from.
 */
uint32_t kconfig_version(const char *release, const char *version, const char *signature);

#endif
