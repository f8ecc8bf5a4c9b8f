// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the kernel says about a program is for stderr: the notes of fallbacks
 * with --verbose, and the last lines of the verifier's log (all of it with
 * --verbose) where it refuses the program.  The error itself, with the reason and
 * the source line, is main's to print.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "cmd/loading.h"
#include "cmd/output.h"

enum { LOG_LINES = 12 };

/* No memory until the kernel writes to it.  A command loads one program at a time; a batch has logs of its own. */
static char log_text[LOADING_LOG_SIZE];

static void print_note(void *arg, const char *text)
{
	(void)arg;
	output_format(stderr, "note: %s\n", text);
}

loading_note_fn *loading_note(const struct options *o)
{
	return o->verbose ? print_note : NULL;
}

void loading_log(const char *log, const struct options *o)
{
	const char *from = log + strlen(log);
	int lines = 0;

	while (from > log && (o->verbose || lines <= LOG_LINES)) {
		from--;
		lines += *from == '\n';
	}
	if (from > log)
		from++;
	if (!*from)
		return;
	output_log(stderr, from);
	if (from[strlen(from) - 1] != '\n')
		fputc('\n', stderr);
}

/* What the caller wants, and what the options say. */
static const struct bpfstamp_load *prepare(struct bpfstamp_load *load, const struct options *o)
{
	load->pin_path = o->pin_path;
	load->dry_run = o->dry_run;
	load->no_debug_info = o->no_debug_info;
	load->note = loading_note(o);
	load->log_size = sizeof(log_text);
	load->log = log_text;
	return load;
}

static int finish(const struct options *o, int ret)
{
	if (ret) {
		loading_log(log_text, o);
		log_text[0] = '\0';
	}
	return ret;
}

int loading(int *fd, const struct stamped *stamped, const struct options *o, struct bpfstamp_load load,
	    struct bpfstamp_err *err)
{
	return finish(o, bpfstamp_load(stamped->s, prepare(&load, o), fd, err));
}

int loading_keep(struct bpfstamp_loaded **out, const struct stamped *stamped, const struct options *o,
		 struct bpfstamp_load load, struct bpfstamp_err *err)
{
	return finish(o, bpfstamp_load_object(stamped->s, prepare(&load, o), out, err));
}

int loading_verify(const struct stamped *stamped, const struct options *o, struct bpfstamp_load load, uint32_t id,
		   bpfstamp_difference_fn *fn, void *arg, bool *equal, struct bpfstamp_err *err)
{
	return finish(o, bpfstamp_verify(stamped->s, prepare(&load, o), id, fn, arg, equal, err));
}

uint32_t loading_type(const struct bpfstamp_hook *hook)
{
	return hook->type == BPFSTAMP_XDP ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
}

bool loading_again_helps(const struct bpfstamp_hook *hook, const struct bpfstamp_err *err)
{
	return err->code == EEXIST && hook->type != BPFSTAMP_CLSACT && hook->type != BPFSTAMP_XDP;
}

bool loading_for_hardware(const struct bpfstamp_hook *hook)
{
	return hook->type == BPFSTAMP_XDP ? hook->xdp_mode == BPFSTAMP_XDP_OFFLOAD : hook->skip_sw;
}

int loading_device(struct bpfstamp_load *load, const struct options *o, const struct bpfstamp_hook *hook, int ifindex,
		   struct bpfstamp_err *err)
{
	if (!loading_for_hardware(hook) || hook->block)
		return 0;
	if (o->netns)
		return bpfstamp_err_set(err, EINVAL, "a program for hardware has to be loaded in the network "
					"namespace of %s: run bpfstamp there (ip netns exec), without --netns",
					hook->dev);
	load->ifindex = (uint32_t)ifindex;
	return 0;
}
