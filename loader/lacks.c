// SPDX-License-Identifier: BSD-2-Clause
/*
 * One word of bits, written with relaxed atomics: whoever reads an old value
 * only makes one attempt more.
 */
#include <stdatomic.h>

#include "loader/lacks.h"

static atomic_uint known;

bool lacks(enum lack lack)
{
	return atomic_load_explicit(&known, memory_order_relaxed) >> lack & 1;
}

void lacks_note(enum lack lack)
{
	atomic_fetch_or_explicit(&known, 1u << lack, memory_order_relaxed);
}
