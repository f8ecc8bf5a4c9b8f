// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looking for one name in /proc/kallsyms.  For an address the whole file is
 * read, as the name may come again: functions and variables that are static
 * share names.  The kernel formats each line while it is read, which takes most
 * of the time (tens of milliseconds for a hundred thousand symbols).
 *
 * A kernel that was linked by clang with ThinLTO puts ".llvm." and a number
 * behind the names of static variables that it made global; they are found
 * without it, as the source knows no other name.
 *
 * Depending on kernel.kptr_restrict, perf_event_paranoid and CAP_SYSLOG, all
 * addresses read as 0.  A symbol whose address really is 0, like the first
 * per-CPU variable of x86-64, is told apart by its neighbours, which have others.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/kallsyms.h"

struct line {
	uint64_t address;
	char kind;
	const char *name;
	size_t len;
};

static bool parse_line(const char *text, struct line *out)
{
	char *end;

	out->address = strtoull(text, &end, 16);
	if (end == text || end[0] != ' ' || !end[1] || end[2] != ' ')
		return false;
	out->kind = end[1];
	out->name = end + 3;
	out->len = strcspn(out->name, " \t\n");
	return true;
}

static bool is_called(const struct line *line, const char *name, size_t len)
{
	if (line->len < len || strncmp(line->name, name, len) != 0)
		return false;
	return line->len == len || (line->kind == 'd' && !strncmp(line->name + len, ".llvm.", 6));
}

/* Read all lines for name; *visible: some symbol has an address. */
static int search(FILE *file, const char *path, const char *name, bool *found, bool *visible, uint64_t *address,
		  struct bpfstamp_err *err)
{
	size_t room = 0, len = strlen(name);
	struct line line;
	char *text = NULL;
	int ret = 0;

	*found = *visible = false;
	while (!ret && !(*found && !address) && getline(&text, &room, file) > 0) {
		if (!parse_line(text, &line)) {
			ret = err_set(err, EINVAL, "%s: a line is not: address, kind, name", path);
			break;
		}
		*visible = *visible || line.address;
		if (!is_called(&line, name, len))
			continue;
		if (*found && *address != line.address)
			ret = err_set(err, ENOTUNIQ, "%s is ambiguous: %s has it at 0x%" PRIx64 " and at 0x%" PRIx64,
				      name, path, *address, line.address);
		else if (address)
			*address = line.address;
		*found = true;
	}
	if (!ret && ferror(file))
		ret = err_set(err, errno, "cannot read %s: %s", path, strerror(errno));
	free(text);
	return ret;
}

int kallsyms_find(const char *path, const char *name, bool *found, uint64_t *address, struct bpfstamp_err *err)
{
	FILE *file = fopen(path, "re");
	uint64_t at = 0;
	bool is, visible;
	int ret;

	if (!file)
		return err_set(err, errno, "cannot open %s: %s", path, strerror(errno));
	ret = search(file, path, name, &is, &visible, address ? &at : NULL, err);
	fclose(file);
	if (ret)
		return -1;
	if (is && address && !visible)
		return err_set(err, EPERM, "%s hides the address of %s: CAP_SYSLOG is needed, and "
			       "kernel.kptr_restrict below 2", path, name);
	*found = is;
	if (is && address)
		*address = at;
	return 0;
}
