/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Code of included.bpf.c that stands in another file. */
#ifndef TESTS_OBJECTS_INCLUDED_H
#define TESTS_OBJECTS_INCLUDED_H

static inline __attribute__((always_inline)) int within(int x)
{
	OPAQUE(x);
	return x * 7;
}

static NOINLINE int called(int x)
{
	OPAQUE(x);
	return within(x) + 1;
}

#endif
