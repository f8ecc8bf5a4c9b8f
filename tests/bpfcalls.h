/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts the calls of bpf(2) that a function makes, and refuses those that an
 * older kernel would refuse.
 *
 * The function runs in a process of its own, whose calls stop in a seccomp
 * listener until this process has looked at them.  What is not refused here is
 * the running kernel's affair.
 */
#ifndef TESTS_BPFCALLS_H
#define TESTS_BPFCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BPFCALLS_COMMANDS = 64 };

struct bpfcalls {
	/* The errno of a call, or 0: ask the kernel.  attr is size bytes.  NULL refuses nothing. */
	int (*refuse)(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size);
	const void *arg;	/* refuse's */
	uint32_t count[BPFCALLS_COMMANDS];	/* by command, before and with the one that refuse is asked about */
	int pid;
};

/* Run it, and fail the test where it returns false or ends otherwise.  False where the kernel has no listeners. */
bool bpfcalls_watch(struct bpfcalls *calls, bool (*run)(const void *), const void *arg);

/* Memory of the process, for refuse. */
bool bpfcalls_read(const struct bpfcalls *calls, uint64_t address, void *buf, size_t size);

#endif
