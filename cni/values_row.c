// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of VPCs: a JSON file of the node, { NAME: { KEY: VALUE } }, read
 * anew for each pod, because whoever keeps it replaces it at any time (by rename,
 * or a reader sees half of it).  What its values are is not looked at before
 * they are used.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/field.h"
#include "cni/values.h"
#include "loader/err.h"

enum { TABLE_SIZE_MAX = 1 << 24 };

/* A table is a plain file: anything else might never end, or never begin. */
static FILE *open_table(const char *path, struct bpfstamp_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *file = NULL;
	struct stat st;

	if (fd < 0) {
		err_set(err, CNI_ERROR + CNI_IO, "vpcs: cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > TABLE_SIZE_MAX)
		err_set(err, CNI_ERROR + CNI_IO, "vpcs: %s is no plain file of at most %d MiB", path,
			TABLE_SIZE_MAX >> 20);
	else if (!(file = fdopen(fd, "r")))
		err_set(err, CNI_ERROR + CNI_IO, "vpcs: cannot read %s: %s", path, strerror(errno));
	if (!file)
		close(fd);
	return file;
}

static int load_table(const char *path, json_t **out, struct bpfstamp_err *err)
{
	FILE *file = open_table(path, err);
	json_error_t where;

	if (!file)
		return -1;
	*out = json_loadf(file, JSON_REJECT_DUPLICATES, &where);
	fclose(file);
	if (!*out)
		return err_set(err, CNI_ERROR + CNI_DECODE, "vpcs: %s: line %d: %s", path, where.line, where.text);
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	return err_set(err, CNI_ERROR + CNI_DECODE, "vpcs: %s is no JSON object of rows", path);
}

static int find_row(json_t *table, const char *path, const char *name, json_t **out, struct bpfstamp_err *err)
{
	json_t *row = json_object_get(table, name);
	char shown[FIELD_SHOWN];

	if (!row) {
		field_absent(table, name, err);
		return err_wrap(err, "vpcs: %s", path);
	}
	if (!json_is_object(row))
		return err_set(err, CNI_ERROR + CNI_DECODE, "vpcs: %s: %s is no object", path,
			       field_shown(shown, name));
	*out = json_incref(row);
	return 0;
}

int values_row(const struct values *v, json_t **out, struct bpfstamp_err *err)
{
	char name[VALUE_SIZE];
	json_t *table;
	int ret;

	if (!v->config->vpc) {
		*out = NULL;
		return 0;
	}
	if (values_expand(v, v->config->vpc, "vpc", name, err) || load_table(v->config->vpcs, &table, err))
		return -1;
	ret = find_row(table, v->config->vpcs, name, out, err);
	json_decref(table);
	return ret;
}
