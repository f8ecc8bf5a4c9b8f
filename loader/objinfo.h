/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel tells of its objects beyond the fixed part of their info.
 */
#ifndef LOADER_OBJINFO_H
#define LOADER_OBJINFO_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_map_info;
struct bpf_prog_info;

/*
 * The info of a program, whose pointers are then NULL; *map_ids is malloc'd
 * and has info->nr_map_ids ids; *func is the FUNC of its BTF that it begins
 * with, or 0.  0, or -1 with errno.
 */
int objinfo_prog(int fd, struct bpf_prog_info *info, uint32_t **map_ids, uint32_t *func);

/* What maps are compared by, before what they hold. */
struct objinfo_property {
	const char *name;	/* as in the info of a map */
	uint64_t value;
};

enum { OBJINFO_MAP_PROPERTIES = 6 };
void objinfo_map_properties(const struct bpf_map_info *info, struct objinfo_property out[OBJINFO_MAP_PROPERTIES]);

/* The number behind "key:" in /proc/self/fdinfo; false where there is none. */
bool objinfo_number(int fd, const char *key, uint32_t *number);

/* Whether a map is frozen for user space; false also where the kernel does not tell (before 5.2). */
bool objinfo_frozen(int map_fd);

#endif
