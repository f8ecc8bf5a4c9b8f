/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the running kernel has refused for being old.  Nothing is probed before
 * an attempt in the newest form has failed.  Once it is certain that the
 * kernel's age is the reason, the lack is noted, for the whole process, so that
 * it is not tried again.  The one state that this library keeps; each bit only
 * ever goes from 0 to 1.
 */
#ifndef LOADER_LACKS_H
#define LOADER_LACKS_H

#include <stdbool.h>

enum lack {
	LACKS_NAMES,		/* prog_name and map_name: before 4.15 */
	LACKS_DOTS,		/* '.' in them: before 5.2 */
	LACKS_ATTACH_TYPE,	/* expected_attach_type: before 4.17 */
	LACKS_PROG_BTF,		/* func_info and line_info: before 5.0 */
	LACKS_MAP_BTF,		/* before 4.18 */
	LACKS_FREE_MEMORY,	/* maps and programs not charged to RLIMIT_MEMLOCK: before 5.11 */
	LACKS_BTF_TAG_FLAG,	/* kinds of BTF, from the youngest; kind_flag of tags: before 6.15 */
	LACKS_BTF_QMARK,	/* '?' in front of the name of a DATASEC: before 6.9 */
	LACKS_BTF_ENUM64,	/* and kind_flag of ENUM: before 6.0 */
	LACKS_BTF_TYPE_TAG,	/* before 5.17 */
	LACKS_BTF_DECL_TAG,	/* before 5.16 */
	LACKS_BTF_FLOAT,	/* before 5.13 */
	LACKS_BTF_EMPTY,	/* DATASEC without variables: before 5.12 */
	LACKS_BTF_FUNC_GLOBAL,	/* linkage of FUNC: before 5.6 */
	LACKS_BTF_DATASEC,	/* and VAR: before 5.2 */
	LACKS_BTF_FUNC,		/* and FUNC_PROTO, and kind_flag of STRUCT, UNION and FWD: before 5.0 */
	LACKS_BTF,		/* any BTF: before 4.18 */
	LACKS_BIND_MAP,		/* BPF_PROG_BIND_MAP: before 5.10 */
};

bool lacks(enum lack lack);
void lacks_note(enum lack lack);

#endif
