// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: the configuration of the kernel */
/*
 * What programs ask of the kernel's configuration: all types that a value can
 * have, and names that are no configuration's.  The program copies the values
 * into y_seen, in the order of this file.
 */
#include "features.h"

enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };

typedef const char text_type[8];

extern const _Bool CONFIG_BPF_SYSCALL KCONFIG;
extern const enum libbpf_tristate CONFIG_NET KCONFIG;
extern const char CONFIG_BPF KCONFIG;
extern const signed char CONFIG_LOG_BUF_SHIFT KCONFIG;
extern const unsigned short CONFIG_HZ KCONFIG;
extern const int CONFIG_NR_CPUS KCONFIG;
extern const long CONFIG_PANIC_TIMEOUT KCONFIG WEAK;
extern const unsigned long CONFIG_ILLEGAL_POINTER_VALUE KCONFIG WEAK;
extern const char CONFIG_DEFAULT_HOSTNAME[64] KCONFIG WEAK;
extern text_type CONFIG_Y_NO_SUCH_TEXT KCONFIG WEAK;
extern const _Bool CONFIG_Y_NO_SUCH_OPTION KCONFIG WEAK;
extern const unsigned int LINUX_KERNEL_VERSION KCONFIG;
extern const _Bool LINUX_HAS_BPF_COOKIE KCONFIG;
extern const int LINUX_HAS_SYSCALL_WRAPPER KCONFIG;
extern const int LINUX_Y_NO_SUCH_THING KCONFIG WEAK;

__s64 y_seen[15];

SEC("tc")
int kconfig(void)
{
	y_seen[0] = CONFIG_BPF_SYSCALL;
	y_seen[1] = CONFIG_NET;
	y_seen[2] = CONFIG_BPF;
	y_seen[3] = CONFIG_LOG_BUF_SHIFT;
	y_seen[4] = CONFIG_HZ;
	y_seen[5] = CONFIG_NR_CPUS;
	y_seen[6] = CONFIG_PANIC_TIMEOUT;
	y_seen[7] = (__s64)CONFIG_ILLEGAL_POINTER_VALUE;
	y_seen[8] = CONFIG_DEFAULT_HOSTNAME[1];
	y_seen[9] = CONFIG_Y_NO_SUCH_TEXT[1];
	y_seen[10] = CONFIG_Y_NO_SUCH_OPTION;
	y_seen[11] = LINUX_KERNEL_VERSION;
	y_seen[12] = LINUX_HAS_BPF_COOKIE;
	y_seen[13] = LINUX_HAS_SYSCALL_WRAPPER;
	y_seen[14] = LINUX_Y_NO_SUCH_THING;
	return 0;
}

LICENSE;
