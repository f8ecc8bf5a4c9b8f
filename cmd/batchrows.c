// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lines of --batch, all of them, before anything is attached.
 *
 * A row is a few numbers; texts stand behind one another in one block, and
 * values in one array, so that ten thousand lines take some hundred bytes each.
 * Names are found in the template once, however many lines have them.
 *
 * What is wrong with a line is told with its number, and reading goes on, so
 * that one run tells all of it.  Beside what a line says by itself
 * (cmd/batchline.c): the object has these names and programs, each value fits,
 * and no two lines mean the same place (cmd/batchplaces.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/batch.h"
#include "cmd/loading.h"
#include "cmd/output.h"

enum { WRONG_TOLD = 20 };

/* Room for so many more elements of a size; false where memory is out, or their number no u32 any more. */
static bool reserve(void *array, size_t size, size_t count, size_t more, size_t *room)
{
	size_t wanted = count + more, bigger = *room ? *room : 64;
	void *moved, *old;

	if (wanted <= *room)
		return true;
	while (bigger < wanted)
		bigger += bigger / 2;
	if (more > UINT32_MAX || bigger > UINT32_MAX)
		return false;
	memcpy(&old, array, sizeof(old));
	moved = realloc(old, bigger * size);
	if (!moved)
		return false;
	memcpy(array, &moved, sizeof(moved));
	*room = bigger;
	return true;
}

int batchrows_no_room(const struct batch_rows *rows, struct bpfstamp_err *err)
{
	return bpfstamp_err_set(err, ENOMEM, "out of memory for the lines of %s", rows->file);
}

int batchrows_add_text(struct batch_rows *rows, const char *text, uint32_t *at, struct bpfstamp_err *err)
{
	size_t size = strlen(text) + 1;

	if (!reserve(&rows->text, 1, rows->text_size, size + 1, &rows->text_room))
		return batchrows_no_room(rows, err);
	if (!rows->text_size)
		rows->text[rows->text_size++] = '\0';
	memcpy(rows->text + rows->text_size, text, size);
	*at = (uint32_t)rows->text_size;
	rows->text_size += size;
	return 0;
}

int batchrows_add(struct batch_rows *rows, const struct batch_row *row, struct bpfstamp_err *err)
{
	if (!reserve(&rows->rows, sizeof(*row), rows->count, 1, &rows->room))
		return batchrows_no_room(rows, err);
	rows->rows[rows->count++] = *row;
	return 0;
}

const char *batchrows_text(const struct batch_rows *rows, uint32_t at, const char *otherwise)
{
	return at ? rows->text + at : otherwise;
}

static int find_name(struct batch_rows *rows, const char *name, uint32_t *out, struct bpfstamp_err *err)
{
	struct batch_name new = { 0 };

	for (*out = 0; *out < rows->name_count; (*out)++)
		if (!strcmp(rows->text + rows->names[*out].text, name))
			return 0;
	if (!reserve(&rows->names, sizeof(new), rows->name_count, 1, &rows->name_room))
		return batchrows_no_room(rows, err);
	if (batchrows_add_text(rows, name, &new.text, err))
		return -1;
	rows->names[rows->name_count++] = new;
	return 0;
}

int batchrows_add_value(struct batch_rows *rows, struct batch_row *row, const char *name, const char *text,
			struct bpfstamp_err *err)
{
	struct batch_value new;

	if (find_name(rows, name, &new.name, err))
		return -1;
	for (uint32_t i = 0; i < row->value_count; i++)
		if (rows->values[row->value_first + i].name == new.name)
			return bpfstamp_err_set(err, EINVAL, "%s is given two values", name);
	if (!reserve(&rows->values, sizeof(new), rows->value_count, 1, &rows->value_room))
		return batchrows_no_room(rows, err);
	if (batchrows_add_text(rows, text, &new.text, err))
		return -1;
	rows->values[rows->value_count++] = new;
	row->value_count++;
	return 0;
}

void batchrows_free(struct batch_rows *rows)
{
	free(rows->text);
	free(rows->rows);
	free(rows->values);
	free(rows->names);
}

/* -------------------------------------------------------------------- read */

static void tell_wrong(struct batch_rows *rows, uint32_t line, const struct bpfstamp_err *why)
{
	if (rows->wrong++ >= WRONG_TOLD)
		return;
	fprintf(stderr, "bpfstamp: %s:%u: ", rows->file, line);
	output_plain(stderr, why->text);
	fputc('\n', stderr);
}

void batchrows_refuse(struct batch_rows *rows, struct batch_row *row, const struct bpfstamp_err *why)
{
	if (!row->wrong)
		tell_wrong(rows, row->line, why);
	row->wrong = true;
}

static int read_line(struct batch_rows *rows, char *line, size_t size, uint32_t number, struct bpfstamp_err *err)
{
	if (strlen(line) != size)
		return bpfstamp_err_set(err, EINVAL, "there is a NUL byte in it");
	if (size && line[size - 1] == '\n')
		line[--size] = '\0';
	if (size && line[size - 1] == '\r')
		line[--size] = '\0';
	if (strchr(line, '\r'))
		return bpfstamp_err_set(err, EINVAL, "there is a CR in it: lines end in LF or CR LF");
	return batchline_read(rows, line, number, err);
}

static int read_lines(struct batch_rows *rows, FILE *from, struct bpfstamp_err *err)
{
	struct bpfstamp_err why;
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	int ret = 0;

	for (uint32_t number = 1; !ret && (size = getline(&line, &room, from)) >= 0; number++) {
		if (!read_line(rows, line, (size_t)size, number, &why))
			continue;
		if (why.code == ENOMEM)
			ret = bpfstamp_err_set(err, why.code, "%s", why.text);
		else
			tell_wrong(rows, number, &why);
	}
	if (!ret && !feof(from))
		ret = bpfstamp_err_set(err, errno, "cannot read %s: %s", rows->file, strerror(errno));
	free(line);
	return ret;
}

int batchrows_read(struct batch_rows *rows, const struct options *o, struct bpfstamp_err *err)
{
	bool standard = !strcmp(o->batch, "-");
	FILE *from = standard ? stdin : fopen(o->batch, "re");
	int ret;

	if (!from)
		return bpfstamp_err_set(err, errno, "cannot open %s: %s", o->batch, strerror(errno));
	*rows = (struct batch_rows){ .o = o, .file = standard ? "stdin" : o->batch };
	ret = read_lines(rows, from, err);
	if (!standard)
		fclose(from);
	if (ret)
		batchrows_free(rows);
	return ret;
}

/* ----------------------------------------------------------------- resolve */

static bool is_placeholder(const struct options *o, const char *name)
{
	for (size_t i = 0; i < o->assignment_count; i++)
		if (o->assignments[i].kind == ASSIGN_REPLACE && !strcmp(o->assignments[i].name, name))
			return true;
	return false;
}

void batchrows_widen(struct batch_rows *rows, struct bpfstamp_template *t)
{
	struct bpfstamp_err why;

	for (size_t i = 0; i < rows->count; i++) {
		struct batch_row *row = &rows->rows[i];

		for (uint32_t k = 0; k < row->value_count && !row->wrong; k++) {
			const struct batch_value *v = &rows->values[row->value_first + k];
			const char *name = rows->text + rows->names[v->name].text;

			if (is_placeholder(rows->o, name) && bpfstamp_widen(t, name, rows->text + v->text, &why))
				batchrows_refuse(rows, row, &why);
		}
	}
}

/* Find a name; the rows that have it are told when their values are tried. */
static void find_refs(struct batch_rows *rows, const struct bpfstamp_template *t)
{
	struct bpfstamp_err why;

	for (size_t i = 0; i < rows->name_count; i++) {
		struct batch_name *name = &rows->names[i];

		name->unused = bpfstamp_find(t, rows->text + name->text, &name->ref, &why);
	}
}

int batchrows_stamp(const struct batch_rows *rows, const struct batch_row *row, struct bpfstamp_stamp *s,
		    const struct bpfstamp_stamp *base, struct bpfstamp_err *err)
{
	bpfstamp_copy(s, base);
	for (uint32_t i = 0; i < row->value_count; i++) {
		const struct batch_value *v = &rows->values[row->value_first + i];
		const struct batch_name *name = &rows->names[v->name];

		if (!name->unused && bpfstamp_put_text(s, &name->ref, rows->text + v->text, err) &&
		    !(rows->o->allow_unused && err->code == ENODATA))
			return -1;
	}
	return 0;
}

/* A name that the object does not have is none to pass over, but with --allow-unused. */
static int check_names(const struct batch_rows *rows, const struct batch_row *row, const struct bpfstamp_template *t,
		       struct bpfstamp_err *err)
{
	struct bpfstamp_ref ref;

	for (uint32_t i = 0; i < row->value_count; i++) {
		const struct batch_name *name = &rows->names[rows->values[row->value_first + i].name];

		if (name->unused && bpfstamp_find(t, rows->text + name->text, &ref, err) &&
		    !(rows->o->allow_unused && err->code == ENOENT))
			return -1;
	}
	return 0;
}

static int resolve_row(struct batch_rows *rows, struct batch_row *row, const struct bpfstamp_template *t,
		       struct bpfstamp_stamp *s, const struct bpfstamp_stamp *base, struct bpfstamp_err *err)
{
	const char *prog = batchrows_text(rows, row->prog, rows->o->prog);

	if (bpfstamp_find_program(t, prog, loading_type(&rows->o->hook), &row->program, err) ||
	    check_names(rows, row, t, err))
		return -1;
	return batchrows_stamp(rows, row, s, base, err);
}

int batchrows_resolve(struct batch_rows *rows, const struct bpfstamp_template *t, const struct bpfstamp_stamp *base,
		      struct bpfstamp_err *err)
{
	struct bpfstamp_stamp *s;
	struct bpfstamp_err why;

	if (bpfstamp_stamp_new(&s, t, err))
		return -1;
	find_refs(rows, t);
	for (size_t i = 0; i < rows->count; i++)
		if (!rows->rows[i].wrong && resolve_row(rows, &rows->rows[i], t, s, base, &why))
			batchrows_refuse(rows, &rows->rows[i], &why);
	bpfstamp_stamp_free(s);
	return rows->o->hook.existing == BPFSTAMP_APPEND ? 0 : batchplaces_check(rows, err);
}
