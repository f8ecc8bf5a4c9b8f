/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that a compiler made, as the oracle looks at them, without the
 * library that it judges.  They are the compiler's: nothing is checked.
 */
#ifndef ORACLE_OBJECT_H
#define ORACLE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object {
	uint8_t *bytes;
	size_t size;
};

bool object_read(struct object *o, const char *path);
bool object_write(const struct object *o, const char *path);
struct object object_copy(const struct object *o);
void object_free(struct object *o);

/* Make all functions but program n and its subprograms do nothing, in place. */
void object_isolate(struct object *o, uint32_t n);

/* True where program n and its subprograms have the same instructions in both, and refer to no data. */
bool object_same(const struct object *a, const struct object *b, uint32_t n);

/* The instructions of program n and its subprograms, one behind the other in order of their names; to be
 * freed. */
uint8_t *object_code(const struct object *o, uint32_t n, size_t *size);

/* Whether the sections whose names begin so differ in their bytes. */
bool object_data_differs(const struct object *a, const struct object *b, const char *prefix);

#endif
