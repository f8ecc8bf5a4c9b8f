/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects as compilers make them, compiled while the tests run.
 */
#ifndef TESTS_REALOBJ_H
#define TESTS_REALOBJ_H

#include <stddef.h>
#include <stdint.h>

/*
 * Compile C source text with clang for target ("bpfel" or "bpfeb") with -g -O2
 * and further flags (a string of words, may be "").  The compiler is the one
 * that the environment names in CLANG (set to nothing: there is none), or
 * clang-19 or clang in PATH; where none of them compiles it, the object that an
 * earlier run left in the folder REALOBJ will do.  Returns malloc'd bytes, whose
 * number is *size, or NULL, with a note on stderr, where there is neither; with
 * CI in the environment that ends the test.
 */
uint8_t *realobj_compile(const char *target, const char *flags, const char *source, size_t *size);

#endif
