/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach --batch: the lines (cmd/batchline.c reads them, cmd/batchrows.c makes
 * sense of them, cmd/batchplaces.c of their places), and what becomes of them (cmd/batch.c).
 */
#ifndef CMD_BATCH_H
#define CMD_BATCH_H

#include "cmd/cmd.h"

struct batch_value {
	uint32_t name;		/* index of names */
	uint32_t text;
};

/* A line.  Texts are offsets, for batchrows_text; 0: what the options say. */
struct batch_row {
	uint32_t line, dev, netns, prog;
	uint32_t handle;
	uint32_t program;	/* index in the template */
	uint32_t value_first, value_count;
	uint16_t prio;
	uint8_t direction;
	bool wrong;		/* it was told why */
	uint64_t netns_dev, netns_ino;	/* for batchplaces.c */
};

struct batch_name {
	uint32_t text;
	bool unused;		/* the object does not have it, and --allow-unused was given */
	struct bpfstamp_ref ref;
};

struct batch_rows {
	const struct options *o;
	const char *file;	/* as errors call it */
	char *text;
	struct batch_row *rows;
	struct batch_value *values;
	struct batch_name *names;
	size_t text_size, count, value_count, name_count;
	size_t text_room, room, value_room, name_room;
	uint32_t wrong;		/* lines that are, all of them told on stderr */
};

/* Read one line, which is changed; blank ones and comments are passed over. */
int batchline_read(struct batch_rows *rows, char *line, uint32_t number, struct bpfstamp_err *err);

/* Append a text, at an offset that is not 0; for batchline_read. */
int batchrows_add_text(struct batch_rows *rows, const char *text, uint32_t *at, struct bpfstamp_err *err);

/* Append a row; and a value to the row that will be appended next. */
int batchrows_add(struct batch_rows *rows, const struct batch_row *row, struct bpfstamp_err *err);
int batchrows_add_value(struct batch_rows *rows, struct batch_row *row, const char *name, const char *text,
			struct bpfstamp_err *err);

/*
 * Read all lines of o->batch; then find what they name in the template, widen
 * placeholders for it (before stamps are made), and try every value on a copy of base.  Wrong
 * lines are told on stderr and counted in rows->wrong; what fails is another matter.
 */
int batchrows_read(struct batch_rows *rows, const struct options *o, struct bpfstamp_err *err);
void batchrows_widen(struct batch_rows *rows, struct bpfstamp_template *t);
int batchrows_resolve(struct batch_rows *rows, const struct bpfstamp_template *t, const struct bpfstamp_stamp *base,
		      struct bpfstamp_err *err);

/* A line is told what is wrong with it first, and counts once; nobody looks at it again. */
void batchrows_refuse(struct batch_rows *rows, struct batch_row *row, const struct bpfstamp_err *why);

/* Refuse each line that means the same place as one before it. */
int batchplaces_check(struct batch_rows *rows, struct bpfstamp_err *err);

int batchrows_no_room(const struct batch_rows *rows, struct bpfstamp_err *err);
void batchrows_free(struct batch_rows *rows);

/* A text of a row; otherwise where there is none. */
const char *batchrows_text(const struct batch_rows *rows, uint32_t at, const char *otherwise);

/* Stamp the values of a row over those of base. */
int batchrows_stamp(const struct batch_rows *rows, const struct batch_row *row, struct bpfstamp_stamp *s,
		    const struct bpfstamp_stamp *base, struct bpfstamp_err *err);

/* attach --batch. */
int batch_attach(const struct options *o, struct bpfstamp_err *err);

#endif
