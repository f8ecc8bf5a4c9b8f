// SPDX-License-Identifier: BSD-2-Clause
/*
 * The oracle: patching an object from one constant to another must give what
 * compiling with the other gives.
 *
 *	oracle [--seed N] [--cases N] [--jobs N] [--keep DIR] [--folds] [--narrow N]
 *	oracle --stamp …	the same for STAMP()
 *	oracle --inline …	programs with globals: with and without bpfstamp_inline
 *	oracle --forms		a table (Markdown) of what compilers make of a constant
 *
 * A case is a program, a compiler with its -mcpu, and two constants.  Cases
 * come in batches, which the jobs share out among them.  It ends with 1 if a
 * value was silently put in wrong, with 2 if the oracle itself failed, and
 * prints a table of what happened.  It runs in the folder of the project.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/oracle/batch.h"
#include "tests/oracle/forms.h"

enum { PROGRAMS = 40, JOBS_MAX = 64, FAILED = 2 };

struct settings {
	struct batch_options batch;
	uint64_t cases;
	uint32_t jobs, first;
	bool forms;
	const char *name;
};

static void parse(struct settings *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, 0, 's' },
		{ "cases", 1, 0, 'c' },
		{ "jobs", 1, 0, 'j' },
		{ "keep", 1, 0, 'k' },
		{ "narrow", 1, 0, 'n' },
		{ "folds", 0, 0, 'f' },
		{ "stamp", 0, 0, 'S' },
		{ "inline", 0, 0, 'I' },
		{ "forms", 0, 0, 'F' },
		{ "first", 1, 0, '1' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			s->batch.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			s->cases = strtoull(optarg, NULL, 0);
			break;
		case 'j':
			s->jobs = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'k':
			s->batch.keep = optarg;
			break;
		case 'n':
			s->batch.narrow = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case '1':
			s->first = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'f':
			s->batch.folds = true;
			break;
		case 'S':
			s->batch.mode = MODE_STAMP;
			s->name = "oracle --stamp";
			break;
		case 'I':
			s->batch.mode = MODE_INLINE;
			s->name = "oracle --inline";
			break;
		case 'F':
			s->forms = true;
			break;
		default:
			exit(2);
		}
	}
	if (!s->jobs || s->jobs > JOBS_MAX)
		s->jobs = 1;
}

static void work(const struct settings *s, uint32_t job, struct table *t)
{
	uint32_t batches = (uint32_t)((s->cases + PROGRAMS - 1) / PROGRAMS), narrowed = 0;

	for (uint32_t i = job; i < batches; i += s->jobs)
		batch_run(&s->batch, s->first + i, t, &narrowed);
}

static struct table *run_jobs(const struct settings *s)
{
	struct table *tables = table_new(s->jobs + 1);
	pid_t pids[JOBS_MAX];

	if (!tables)
		exit(2);
	fflush(stdout);
	for (uint32_t job = 0; job < s->jobs; job++) {
		pids[job] = fork();
		if (pids[job])
			continue;
		work(s, job, &tables[job + 1]);
		_exit(0);
	}
	for (uint32_t job = 0; job < s->jobs; job++) {
		int status;

		if (pids[job] < 0 || waitpid(pids[job], &status, 0) < 0 || status)
			tables[job + 1].failures++;
		table_add(&tables[0], &tables[job + 1]);
	}
	return tables;
}

static int oracle(struct settings *s, double seconds)
{
	struct table *t = run_jobs(s);
	uint32_t wrong = table_total(t, OUTCOME_WRONG), rejected = table_total(t, OUTCOME_REJECTED),
		 total = 0;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	table_print(t, s->batch.compilers, s->batch.compiler_count);
	for (uint32_t k = 0; k < OUTCOME_COUNT; k++)
		total += table_total(t, (enum outcome)k);
	printf("%s: %u cases, seed %llu, %.1f s: %u silently wrong, %u rejected, %u failures of the oracle\n",
	       s->name, total, (unsigned long long)s->batch.seed,
	       (double)now.tv_sec + (double)now.tv_nsec / 1e9 - seconds, wrong, rejected, t->failures);
	if (t->failures)
		return FAILED;
	return wrong || (rejected && s->batch.mode != MODE_PLACEHOLDER);
}

/* gcc 12 cannot compile STAMP(), and adds the address of a variable twice. */
static void drop_gcc(struct batch_options *o, struct compiler *compilers)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < o->compiler_count; i++)
		if (!compilers[i].gcc)
			compilers[count++] = compilers[i];
	o->compiler_count = count;
}

int main(int argc, char **argv)
{
	char scratch[] = "/tmp/bpfstamp-oracle-XXXXXX", command[64];
	struct settings s = { .batch = { .seed = 1,
					 .programs = PROGRAMS,
					 .narrow = 20,
					 .keep = "oracle-found",
					 .scratch = scratch },
			      .cases = 1000,
			      .jobs = 2,
			      .name = "oracle" };
	struct compiler compilers[COMPILERS_MAX];
	struct timespec now;
	int ret;

	parse(&s, argc, argv);
	if (geteuid() && !s.forms) {
		printf("SKIP %s: needs root, to load programs\n", s.name);
		return 0;
	}
	if (!mkdtemp(scratch))
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &now);
	s.batch.compiler_count = compile_find(compilers, scratch);
	s.batch.compilers = compilers;
	if (s.batch.mode != MODE_PLACEHOLDER)
		drop_gcc(&s.batch, compilers);
	if (!s.batch.compiler_count) {
		printf("SKIP %s: no compiler for BPF\n", s.name);
		ret = 0;
	} else {
		ret = s.forms ? forms_print(compilers, s.batch.compiler_count, scratch)
			      : oracle(&s, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
	}
	if (ret == FAILED) {
		printf("%s: %s has the sources, and what the compilers said\n", s.name, scratch);
		return FAILED;
	}
	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	return system(command) ? FAILED : ret;
}
