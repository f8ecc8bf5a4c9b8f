// SPDX-License-Identifier: BSD-2-Clause
/*
 * attach --batch: one template, many interfaces.
 *
 * All lines are read, understood and tried on a stamp before the first program is
 * loaded (cmd/batchrows.c).  Then threads take them in their order, each with a
 * stamp and a network namespace of its own: a copy of what the options
 * stamp, the line's values over it, load or share, attach, tell.  A line is done
 * or leaves nothing, as attach does by itself; other lines are not its business.
 *
 * The first line of a program that succeeds goes alone: it makes the pins of
 * maps that want to be pinned by name, and takes them back if it fails then, which
 * would take them from others.  All later ones find them.
 *
 * A program that the verifier refuses is most often refused for every line.  Its
 * log goes in front of the first such line of each program; those that follow have
 * the reason in their own.
 *
 * Without --keep-going a failure lets lines that were begun come to their end,
 * and no other begin.  Results are lines, in the order in which they come about,
 * and are written at once, so that a killed run has told all that it did but for
 * the lines that were being done.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd/attachment.h"
#include "cmd/batch.h"
#include "cmd/loading.h"
#include "cmd/output.h"
#include "cmd/progress.h"

enum { JOBS_MOST = 8, FDS_LEFT = 64, FDS_A_JOB = 64, FDS_MOST = 1 << 17 };

struct batch {
	const struct options *o;
	struct batch_rows rows;
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *base;
	struct bpfstamp_share *share;	/* NULL: --no-reuse */

	atomic_size_t next;
	atomic_bool stopped;
	pthread_rwlock_t alone;
	atomic_bool *settled;		/* by program: one of it is attached */

	pthread_mutex_t output;		/* of all below, stdout and stderr */
	size_t attached, there, failed, reused;
	bool *explained;		/* by program: the log of a refusal was printed */
	struct progress progress;
	struct bpfstamp_err broken;	/* of stdout, or a thread; code 0: nothing */
};

struct worker {
	struct batch *b;
	pthread_t thread;
	struct bpfstamp_stamp *s;
	struct bpfstamp_net *net;
	const char *netns;		/* of net */
	char *log;			/* the verifier's, of the row that it is at */
};

/* What became of a row. */
struct outcome {
	const struct batch_row *row;
	enum { FAILED, WOULD, THERE, ATTACHED } what;
	bool reused;
	struct bpfstamp_attachment a;
	struct bpfstamp_err err;	/* of FAILED */
	const char *log;		/* "" where the verifier has none */
};

/* ------------------------------------------------------------------ output */

static json_t *outcome_json(const struct batch *b, const struct outcome *out)
{
	const struct batch_rows *rows = &b->rows;
	const struct batch_row *row = out->row;
	json_t *object = json_pack("{s:I, s:o, s:o, s:b, s:b}", "line", (json_int_t)row->line,
				   "netns", output_text(batchrows_text(rows, row->netns, b->o->netns)),
				   "dev", output_text(batchrows_text(rows, row->dev, NULL)),
				   "dry_run", (int)b->o->dry_run, "attached", (int)(out->what == ATTACHED));

	if (object && out->what == FAILED)
		json_object_set_new(object, "error", output_text(out->err.text));
	if (object && out->what == ATTACHED)
		json_object_set_new(object, "reused", json_boolean(out->reused));
	if (object && out->what != FAILED && attachment_fields(object, &out->a)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static int print_json(const struct batch *b, const struct outcome *out)
{
	json_t *object = outcome_json(b, out);
	int ret = object ? json_dumpf(object, stdout, JSON_COMPACT) : -1;

	json_decref(object);
	return ret || putchar('\n') == EOF ? -1 : 0;
}

static void print_line(const struct batch *b, const struct outcome *out)
{
	static const char *const verbs[] = {
		[WOULD] = "would attach", [THERE] = "already attached:", [ATTACHED] = "attached",
	};
	FILE *to = out->what == FAILED ? stderr : stdout;

	fprintf(to, "%s%s:%u: ", out->what == FAILED ? "bpfstamp: " : "", b->rows.file, out->row->line);
	if (out->what == FAILED) {
		output_plain(to, out->err.text);
		fputc('\n', to);
		return;
	}
	attachment_line(to, out->reused ? "attached again" : verbs[out->what], "to", &out->a);
}

static void count(struct batch *b, const struct outcome *out)
{
	b->attached += out->what == ATTACHED;
	b->there += out->what == THERE || out->what == WOULD;
	b->failed += out->what == FAILED;
	b->reused += out->what == ATTACHED && out->reused;
}

static void explain(struct batch *b, const struct outcome *out)
{
	bool *explained = &b->explained[out->row->program];

	if (out->what == FAILED && *out->log && !*explained) {
		loading_log(out->log, b->o);
		*explained = true;
	}
}

static void tell(struct batch *b, const struct outcome *out)
{
	pthread_mutex_lock(&b->output);
	count(b, out);
	progress_clear(&b->progress);
	explain(b, out);
	if (!b->o->json)
		print_line(b, out);
	else if (print_json(b, out))
		bpfstamp_err_set(&b->broken, ENOMEM, "cannot print JSON");
	progress_draw(&b->progress, b->attached + b->there + b->failed, b->failed);
	if ((out->what == FAILED && !b->o->keep_going) || b->broken.code)
		atomic_store(&b->stopped, true);
	pthread_mutex_unlock(&b->output);
}

/* ------------------------------------------------------------------ attach */

static const char *program_name(const struct batch *b, const struct batch_row *row)
{
	struct bpfstamp_program p;

	bpfstamp_program_at(b->t, row->program, &p);
	return p.name;
}

static struct bpfstamp_hook hook_of(const struct batch *b, const struct batch_row *row)
{
	struct bpfstamp_hook hook = b->o->hook;

	hook.dev = batchrows_text(&b->rows, row->dev, NULL);
	hook.direction = (enum bpfstamp_direction)row->direction;
	hook.prio = row->prio;
	hook.handle = row->handle;
	return hook;
}

/* The network namespace of a row; that of the last row stays open, because most have the same. */
static int enter(struct worker *w, const struct batch_row *row, struct bpfstamp_err *err)
{
	const char *netns = batchrows_text(&w->b->rows, row->netns, w->b->o->netns);

	if (w->net && (netns == w->netns || (netns && w->netns && !strcmp(netns, w->netns))))
		return 0;
	bpfstamp_net_close(w->net);
	w->net = NULL;
	w->netns = netns;
	return bpfstamp_net_open(&w->net, netns, err);
}

static int load(struct worker *w, const struct batch_row *row, bool own, int *fd, bool *reused,
		struct bpfstamp_err *err)
{
	const struct options *o = w->b->o;
	struct bpfstamp_load how = {
		.program = row->program, .prog_type = loading_type(&o->hook), .pin_path = o->pin_path,
		.record = !o->no_record, .reuse = !o->no_reuse && !own,
		.no_debug_info = o->no_debug_info, .note = loading_note(o),
		.log = w->log, .log_size = LOADING_LOG_SIZE,
	};

	*reused = false;
	return w->b->share && !own ? bpfstamp_share_load(w->b->share, w->s, &how, fd, reused, err) :
	       bpfstamp_load(w->s, &how, fd, err);
}

/* own: with a program that is not shared. */
static int load_and_attach(struct worker *w, const struct bpfstamp_hook *hook, bool own, struct outcome *out)
{
	const char *name = program_name(w->b, out->row);
	int fd, ret;

	if (load(w, out->row, own, &fd, &out->reused, &out->err))
		return -1;
	ret = bpfstamp_attach(w->net, hook, fd, name, &out->a, &out->err);
	if (ret)
		bpfstamp_load_undo(w->s);
	else
		ret = attachment_complete(&out->a, fd, &out->err);
	close(fd);
	return ret;
}

/* Alone, where none of its program was attached before. */
static int attach_in_turn(struct worker *w, const struct bpfstamp_hook *hook, struct outcome *out)
{
	atomic_bool *settled = &w->b->settled[out->row->program];
	int ret;

	if (atomic_load(settled))
		pthread_rwlock_rdlock(&w->b->alone);
	else
		pthread_rwlock_wrlock(&w->b->alone);
	ret = load_and_attach(w, hook, false, out);
	if (ret && !w->b->o->no_reuse && loading_again_helps(hook, &out->err))
		ret = load_and_attach(w, hook, true, out);
	if (!ret)
		atomic_store(settled, true);
	pthread_rwlock_unlock(&w->b->alone);
	return ret;
}

/* What is in the place; with --if-absent that may be all there is to do. */
static int look(struct worker *w, const struct bpfstamp_hook *hook, struct outcome *out, bool *ours)
{
	const char *name = program_name(w->b, out->row);
	struct bpfstamp_plan plan;

	if (bpfstamp_attach_check(w->net, hook, name, &plan, &out->err))
		return -1;
	*ours = plan.occupied && plan.there.ours;
	out->a = plan.there;
	return 0;
}

static void describe(const struct batch *b, const struct bpfstamp_hook *hook, struct outcome *out)
{
	out->a = (struct bpfstamp_attachment){
		.type = hook->type, .direction = hook->direction, .kind = "bpf", .ours = true, .prio = hook->prio,
		.handle = hook->handle, .protocol = hook->protocol, .chain = hook->chain,
		.skip_hw = hook->skip_hw, .xdp_mode = hook->xdp_mode,
	};
	snprintf(out->a.dev, sizeof(out->a.dev), "%s", hook->dev);
	snprintf(out->a.name, sizeof(out->a.name), "%s", program_name(b, out->row));
	out->what = WOULD;
}

static int do_row(struct worker *w, struct outcome *out)
{
	const struct batch *b = w->b;
	struct bpfstamp_hook hook = hook_of(b, out->row);
	bool keep = hook.existing == BPFSTAMP_KEEP, ours = false;
	struct outcome late = { .row = out->row };

	if (batchrows_stamp(&b->rows, out->row, w->s, b->base, &out->err) || enter(w, out->row, &out->err))
		return -1;
	if ((keep || b->o->dry_run) && look(w, &hook, out, &ours))
		return -1;
	out->what = keep && ours ? THERE : ATTACHED;
	if (out->what == ATTACHED && b->o->dry_run)
		describe(b, &hook, out);
	if (out->what != ATTACHED || !attach_in_turn(w, &hook, out))
		return 0;
	if (!keep || out->err.code != EEXIST || look(w, &hook, &late, &ours) || !ours)
		return -1;
	*out = late;
	out->what = THERE;
	return 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct batch *b = w->b;

	while (!atomic_load(&b->stopped)) {
		size_t i = atomic_fetch_add(&b->next, 1);
		struct outcome out = { .row = &b->rows.rows[i], .log = w->log };

		if (i >= b->rows.count)
			break;
		*w->log = '\0';
		if (do_row(w, &out)) {
			out.what = FAILED;
			out.reused = false;
		}
		tell(b, &out);
	}
	bpfstamp_net_close(w->net);
	return NULL;
}

/* ---------------------------------------------------------------- threads */

static uint32_t job_count(const struct batch *b)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t jobs = b->o->jobs;

	if (!jobs)
		jobs = cpus < 1 ? 1 : cpus > JOBS_MOST ? JOBS_MOST : (uint32_t)cpus;
	return jobs > b->rows.count ? (uint32_t)b->rows.count : jobs;
}

/* The first worker is this thread; a thread that cannot be made is done without. */
static int run_workers(struct batch *b, struct worker *workers, uint32_t jobs, struct bpfstamp_err *err)
{
	uint32_t started = 1;

	for (uint32_t i = 0; i < jobs; i++) {
		workers[i].b = b;
		workers[i].log = malloc(LOADING_LOG_SIZE);
		if (!workers[i].log)
			return bpfstamp_err_set(err, ENOMEM, "out of memory");
		if (bpfstamp_stamp_new(&workers[i].s, b->t, err))
			return -1;
	}
	while (started < jobs && !pthread_create(&workers[started].thread, NULL, work, &workers[started]))
		started++;
	work(&workers[0]);
	for (uint32_t i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	return 0;
}

static int run(struct batch *b, struct bpfstamp_err *err)
{
	uint32_t jobs = job_count(b);
	struct worker *workers;
	int ret;

	if (!jobs)
		return 0;
	workers = calloc(jobs, sizeof(*workers));
	b->settled = calloc(bpfstamp_program_count(b->t) + 1, sizeof(*b->settled));
	b->explained = calloc(bpfstamp_program_count(b->t) + 1, sizeof(*b->explained));
	if (!workers || !b->settled || !b->explained) {
		ret = bpfstamp_err_set(err, ENOMEM, "out of memory");
	} else {
		setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
		progress_start(&b->progress, b->rows.count);
		ret = run_workers(b, workers, jobs, err);
		progress_end(&b->progress, b->attached + b->there + b->failed, b->failed);
	}
	for (uint32_t i = 0; workers && i < jobs; i++) {
		bpfstamp_stamp_free(workers[i].s);
		free(workers[i].log);
	}
	free(workers);
	free(b->settled);
	free(b->explained);
	return ret;
}

/* ------------------------------------------------------------------- batch */

/* How many fds may be open, when as many as possible may. */
static uint32_t fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	limit.rlim_cur = limit.rlim_max > FDS_MOST ? FDS_MOST : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) && getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	return (uint32_t)limit.rlim_cur;
}

/* A program that is not shared is told once, with --verbose. */
static void tell_unshared(const struct batch *b)
{
	bool *told = calloc(bpfstamp_program_count(b->t) + 1, sizeof(*told));
	struct bpfstamp_err why;

	for (size_t i = 0; told && i < b->rows.count; i++) {
		uint32_t program = b->rows.rows[i].program;

		if (!told[program] && bpfstamp_share_check(b->t, program, &why))
			fprintf(stderr, "note: %s\n", why.text);
		told[program] = true;
	}
	free(told);
}

static int make_share(struct batch *b, struct bpfstamp_err *err)
{
	uint32_t limit = fd_limit(), kept = FDS_LEFT + job_count(b) * FDS_A_JOB;

	if (b->o->no_reuse)
		return 0;
	if (b->o->verbose)
		tell_unshared(b);
	return bpfstamp_share_new(&b->share, b->t, limit > kept ? limit - kept : 0, err);
}

static int finish(const struct batch *b, struct bpfstamp_err *err)
{
	size_t untried = b->rows.count - b->attached - b->there - b->failed;

	if (b->o->verbose)
		fprintf(stderr, "note: %zu lines: %zu attached, %zu of them with a program that was there\n",
			b->rows.count, b->attached, b->reused);
	if (b->broken.code) {
		*err = b->broken;
		return -1;
	}
	if (!b->failed)
		return 0;
	bpfstamp_err_set(err, EIO, "%s: %zu of %zu lines failed", b->rows.file, b->failed, b->rows.count);
	if (untried)
		bpfstamp_err_set(err, EIO, "%s: %zu of %zu lines failed, and %zu were not tried (--keep-going)",
				 b->rows.file, b->failed, b->rows.count, untried);
	return -1;
}

/* Where one is closed, the next file that is opened would get what is told. */
static int check_outputs(struct bpfstamp_err *err)
{
	if (fcntl(STDOUT_FILENO, F_GETFD) >= 0 && fcntl(STDERR_FILENO, F_GETFD) >= 0)
		return 0;
	return bpfstamp_err_set(err, errno, "standard output or standard error is closed, and there is nowhere to tell "
				"results: open it, if only to /dev/null");
}

/* Wrong lines have been told. */
static int misused(const struct batch *b, struct bpfstamp_err *err)
{
	bpfstamp_err_set(err, EINVAL, "%s: %u line%s wrong: nothing was attached", b->rows.file, b->rows.wrong,
			 b->rows.wrong == 1 ? " is" : "s are");
	return CMD_MISUSED;
}

static int prepare(struct batch *b, struct bpfstamp_err *err)
{
	if (b->rows.wrong)
		return misused(b, err);
	if (values_open(&b->t, b->o, err))
		return -1;
	batchrows_widen(&b->rows, b->t);
	if (values_set(&b->base, b->t, b->o, err) || batchrows_resolve(&b->rows, b->t, b->base, err))
		return -1;
	return b->rows.wrong ? misused(b, err) : 0;
}

int batch_attach(const struct options *o, struct bpfstamp_err *err)
{
	struct batch b = {
		.o = o, .alone = PTHREAD_RWLOCK_INITIALIZER, .output = PTHREAD_MUTEX_INITIALIZER,
	};
	int ret;

	if (check_outputs(err) || batchrows_read(&b.rows, o, err))
		return -1;
	ret = prepare(&b, err);
	if (!ret)
		ret = make_share(&b, err) || run(&b, err) || finish(&b, err) ? -1 : 0;
	bpfstamp_share_free(b.share);
	bpfstamp_stamp_free(b.base);
	bpfstamp_close(b.t);
	batchrows_free(&b.rows);
	return ret;
}
