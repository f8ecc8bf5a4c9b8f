// SPDX-License-Identifier: BSD-2-Clause
/*
 * Info of programs and maps.
 *
 * A program's maps can become more between two calls (BPF_PROG_BIND_MAP), so
 * that the number that one call tells is no more than a guess for the next.
 * Kernels before 5.0 know no func_info, and refuse to be asked for it.
 *
 * Some properties stand in /proc only: the memory that is charged for an object,
 * and whether a map is frozen.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/objinfo.h"
#include "loader/sys.h"

enum { FIRST_ROOM = 64 };

static int ask_for(int fd, struct bpf_prog_info *info, uint32_t *map_ids, uint32_t room, struct bpf_func_info *func)
{
	memset(info, 0, sizeof(*info));
	info->map_ids = (uintptr_t)map_ids;
	info->nr_map_ids = room;
	if (func) {
		info->func_info = (uintptr_t)func;
		info->func_info_rec_size = sizeof(*func);
		info->nr_func_info = 1;
	}
	return sys_prog_info(fd, info);
}

/* With the FUNC of the first instruction where the kernel tells it. */
static int ask(int fd, struct bpf_prog_info *info, uint32_t *map_ids, uint32_t room, uint32_t *func)
{
	struct bpf_func_info first = { 0 };

	*func = 0;
	if (ask_for(fd, info, map_ids, room, &first))
		return errno == E2BIG ? ask_for(fd, info, map_ids, room, NULL) : -1;
	*func = info->nr_func_info && !first.insn_off ? first.type_id : 0;
	return 0;
}

int objinfo_prog(int fd, struct bpf_prog_info *info, uint32_t **map_ids, uint32_t *func)
{
	uint32_t *ids = NULL, *more, room = FIRST_ROOM;
	int code;

	for (;;) {
		more = realloc(ids, room * sizeof(*ids));
		code = ENOMEM;
		if (!more)
			break;
		ids = more;
		code = ask(fd, info, ids, room, func) ? errno : 0;
		if (code || info->nr_map_ids <= room)
			break;
		room = info->nr_map_ids;
	}
	info->map_ids = info->func_info = 0;
	if (!code)
		*map_ids = ids;
	else
		free(ids);
	errno = code;
	return code ? -1 : 0;
}

void objinfo_map_properties(const struct bpf_map_info *info, struct objinfo_property out[OBJINFO_MAP_PROPERTIES])
{
	const struct objinfo_property properties[OBJINFO_MAP_PROPERTIES] = {
		{ "type", info->type }, { "key_size", info->key_size }, { "value_size", info->value_size },
		{ "max_entries", info->max_entries }, { "map_flags", info->map_flags },
		{ "map_extra", info->map_extra },
	};

	memcpy(out, properties, sizeof(properties));
}

bool objinfo_number(int fd, const char *key, uint32_t *number)
{
	size_t len = strlen(key);
	char path[40], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, key, len) && line[len] == ':' && sscanf(line + len + 1, "%u", number) == 1;
	fclose(file);
	return found;
}

bool objinfo_frozen(int map_fd)
{
	uint32_t frozen;

	return objinfo_number(map_fd, "frozen", &frozen) && frozen;
}
