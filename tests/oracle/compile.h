/* SPDX-License-Identifier: BSD-2-Clause */
/* The compilers that are here, and running them. */
#ifndef ORACLE_COMPILE_H
#define ORACLE_COMPILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct compiler {
	const char *command;
	const char *cpu;
	bool gcc;
};

enum { COMPILERS_MAX = 24 };

/* Those of the compilers we know that compile for BPF here, each with each -mcpu; dir is for scratch files.
 */
uint32_t compile_find(struct compiler found[COMPILERS_MAX], const char *dir);

/* Start compiling source to object with further flags (ended by NULL); compile_wait tells whether it went
 * well. */
pid_t compile_start(const struct compiler *c, const char *source, const char *object,
		    const char *const *flags);
bool compile_wait(pid_t pid);

/* The command as text. */
void compile_text(const struct compiler *c, const char *source, const char *object, const char *const *flags,
		  char *text, size_t size);

#endif
