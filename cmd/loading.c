// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the kernel says about a program is for stderr: the notes of fallbacks
 * with --verbose, and the last lines of the verifier's log (all of it with
 * --verbose) where it refuses the program.  The error itself, with the reason and the source
 * line, is main's to print.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/loading.h"

enum { LOG_SIZE = 1 << 20, LOG_LINES = 12 };

static void print_note(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "note: %s\n", text);
}

/* The last lines of the verifier's log, or all of it. */
static void print_log(const char *log, bool all)
{
	const char *from = log + strlen(log);
	int lines = 0;

	while (from > log && (all || lines <= LOG_LINES)) {
		from--;
		lines += *from == '\n';
	}
	if (from > log)
		from++;
	if (*from)
		fprintf(stderr, "%s%s", from, from[strlen(from) - 1] == '\n' ? "" : "\n");
}

static int prepare(struct bpfstamp_load *load, const struct options *o, uint32_t program, uint32_t prog_type,
		   struct bpfstamp_err *err)
{
	*load = (struct bpfstamp_load){ .program = program, .prog_type = prog_type, .pin_path = o->pin_path,
					.dry_run = o->dry_run, .log_size = LOG_SIZE, .note = o->verbose ? print_note : NULL };
	load->log = calloc(1, LOG_SIZE);
	return load->log ? 0 : bpfstamp_err_set(err, ENOMEM, "out of memory");
}

static int finish(struct bpfstamp_load *load, const struct options *o, int ret)
{
	if (ret)
		print_log(load->log, o->verbose);
	free(load->log);
	return ret;
}

int loading(int *fd, const struct stamped *stamped, const struct options *o, uint32_t program, uint32_t prog_type,
	    struct bpfstamp_err *err)
{
	struct bpfstamp_load load;

	if (prepare(&load, o, program, prog_type, err))
		return -1;
	return finish(&load, o, bpfstamp_load(stamped->s, &load, fd, err));
}

int loading_keep(struct bpfstamp_loaded **out, const struct stamped *stamped, const struct options *o,
		 uint32_t program, uint32_t prog_type, struct bpfstamp_err *err)
{
	struct bpfstamp_load load;

	if (prepare(&load, o, program, prog_type, err))
		return -1;
	return finish(&load, o, bpfstamp_load_object(stamped->s, &load, out, err));
}
