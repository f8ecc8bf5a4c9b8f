// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench DIR BPFSTAMP ROUNDS [GROUP]: measure all, or one group, and write DIR/results.tsv, ratios.tsv and
 * memory.tsv; or bench check DEVICE VNI VLAN ADDR PRIO: see that what is attached
 * there, where PRIO is 0 the only program, does what these values say, ADDR being
 * the number in memory.
 *
 * First each contender makes two programs with different values, which are run
 * on packets (bench/check.c).  Then come rounds.  In each, all contenders have
 * their turn, one behind the other, beginning with another one each time; a turn is
 * about 10 ms, and every program that is made in it is checked, outside of the
 * time.  The figure of a turn is the median of its pods; that of a contender, the
 * median and the quartiles of its turns.  A ratio is that of two turns of the same
 * round, so that what slows down the machine for a while slows down both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/capture.h"
#include "bench/targets.h"

enum { CONTENDERS = 80, TURN_PODS = 50 };

static const double turn_ns = 1e7;

struct bench_files bench_files;

static struct contender {
	const char *group, *name;
	bench_fn *fn;
	bool large;
	bool same;		/* one set of values for all pods */
	struct pod_values values;
	unsigned int calls;	/* of bpf(2), for one pod */
	double *turns;
} contenders[CONTENDERS];
static int contender_count;
static const char *only;		/* group, or NULL */

void bench_die(const char *format, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

void *bench_read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	struct stat st;
	void *bytes;

	if (!file || fstat(fileno(file), &st))
		bench_die("%s: %s", path, strerror(errno));
	*size = (size_t)st.st_size;
	bytes = malloc(*size);
	if (!bytes || fread(bytes, 1, *size, file) != *size)
		bench_die("%s: cannot be read", path);
	fclose(file);
	return bytes;
}

int bench_ifindex(const char *device)
{
	unsigned int ifindex = if_nametoindex(device);

	if (!ifindex)
		bench_die("there is no interface %s", device);
	return (int)ifindex;
}

static void add(const struct contender *c)
{
	if (only && strcmp(c->group, only) != 0)
		return;
	if (contender_count == CONTENDERS)
		bench_die("too many contenders");
	contenders[contender_count++] = *c;
}

void bench_add(const char *group, const char *name, bench_fn *fn)
{
	add(&(struct contender){ .group = group, .name = name, .fn = fn });
}

void bench_add_large(const char *group, const char *name, bench_fn *fn)
{
	add(&(struct contender){ .group = group, .name = name, .fn = fn, .large = true });
}

void bench_add_same(const char *group, const char *name, bench_fn *fn, bool large)
{
	add(&(struct contender){ .group = group, .name = name, .fn = fn, .large = large, .same = true });
}

/* ------------------------------------------------------------ one pod */

/* Values that no pod before had, within 24 and 12 bits. */
static struct pod_values next_values(void)
{
	static uint32_t pod;

	pod++;
	return (struct pod_values){ .vni = 4096 + pod, .vlan = 1 + pod % 4094,
				    .addr = (uint32_t)__builtin_bswap32(0x0a000000 + pod) };
}

/* A pod's program, checked, or BENCH_NOTHING; *ns: the time that it took. */
static int make_pod(struct contender *c, struct capture *capture, double *ns)
{
	struct pod_values values = c->same && c->values.vni ? c->values : next_values();
	int fd;

	if (capture)
		capture_begin(capture);
	fd = c->fn(&values, ns);
	capture_end();
	c->values = values;
	if (fd == BENCH_NOTHING)
		return fd;
	if (c->large)
		check_large(fd, values.vni, c->name);
	else
		check_pod(fd, &values, c->name);
	return fd;
}

/* The time that one pod took; its program is forgotten. */
static double one_pod(struct contender *c)
{
	double ns;
	int fd = make_pod(c, NULL, &ns);

	if (fd >= 0)
		close(fd);
	return ns;
}

/* What one pod has of its own is what its program does not have together with that of another pod. */
static void note_memory(const struct contender *c, int fd, int other, FILE *file)
{
	struct check_memory first, second;

	check_memory(fd, NULL, &first);
	check_memory(other, &first, &second);
	fprintf(file, "%s\t%s\t%u\t%llu\t%llu\t%llu\n", c->group, c->name, second.maps,
		(unsigned long long)second.map_bytes, (unsigned long long)second.prog_bytes,
		(unsigned long long)second.jited_bytes);
}

static void prepare(struct contender *c, size_t rounds, FILE *memory_file)
{
	struct capture capture;
	int fd, other;
	double ns;

	one_pod(c);
	fd = make_pod(c, &capture, &ns);
	other = make_pod(c, NULL, &ns);
	c->calls = capture.calls;
	c->turns = calloc(rounds, sizeof(*c->turns));
	if (!c->turns)
		bench_die("out of memory");
	if (fd == BENCH_NOTHING)
		return;
	note_memory(c, fd, other, memory_file);
	close(fd);
	close(other);
}

/* ---------------------------------------------------------------- rounds */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void quartiles(double *values, size_t count, double out[3])
{
	qsort(values, count, sizeof(*values), compare);
	out[0] = values[count / 4];
	out[1] = values[count / 2];
	out[2] = values[count - 1 - count / 4];
}

static double turn(struct contender *c)
{
	double spent[TURN_PODS], sum = 0, out[3];
	size_t count = 0;

	while (count < TURN_PODS && sum < turn_ns) {
		spent[count] = one_pod(c);
		sum += spent[count++];
	}
	quartiles(spent, count, out);
	return out[1];
}

static const struct contender *find(const char *group, const char *name)
{
	const char *colon = strchr(name, ':');
	size_t length = colon ? (size_t)(colon - name) : strlen(group);

	for (int i = 0; i < contender_count; i++)
		if (!strncmp(contenders[i].group, colon ? name : group, length) && !contenders[i].group[length] &&
		    !strcmp(contenders[i].name, colon ? colon + 1 : name))
			return &contenders[i];
	return NULL;
}

static void write_ratios(FILE *out, size_t rounds)
{
	double *ratios = calloc(rounds, sizeof(*ratios)), q[3];

	if (!ratios)
		bench_die("out of memory");
	for (const struct target *t = targets; t->what; t++) {
		const struct contender *over = find(t->group, t->over);
		const struct contender *under = *t->under ? find(t->group, t->under) : NULL;

		if (!over || (*t->under && !under))
			continue;
		for (size_t r = 0; r < rounds; r++)
			ratios[r] = over->turns[r] / (under ? under->turns[r] : 1);
		quartiles(ratios, rounds, q);
		fprintf(out, "%s\t%g\t%s\t%g\t%g\t%g\t%s\n", t->what, t->wanted, t->least ? "least" : "most", q[1],
			q[0], q[2], under ? "×" : "ns");
	}
	free(ratios);
}

static FILE *create(const char *name)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bench_files.tmp, name);
	file = fopen(path, "w");
	if (!file)
		bench_die("%s: %s", path, strerror(errno));
	return file;
}

static void measure(size_t rounds)
{
	FILE *memory = create("memory.tsv"), *results = create("results.tsv"), *ratios = create("ratios.tsv");
	double q[3];

	for (int i = 0; i < contender_count; i++)
		prepare(&contenders[i], rounds, memory);
	for (size_t r = 0; r < rounds; r++) {
		if (r % 10 == 0)
			fprintf(stderr, "bench: round %zu of %zu\n", r + 1, rounds);
		for (int i = 0; i < contender_count; i++) {
			struct contender *c = &contenders[((size_t)i + r * 7) % (size_t)contender_count];

			c->turns[r] = turn(c);
		}
	}
	write_ratios(ratios, rounds);
	for (int i = 0; i < contender_count; i++) {
		quartiles(contenders[i].turns, rounds, q);
		fprintf(results, "%s\t%s\t%.1f\t%.1f\t%.1f\t%u\n", contenders[i].group, contenders[i].name, q[1],
			q[0], q[2], contenders[i].calls);
	}
	fclose(memory);
	fclose(results);
	fclose(ratios);
}

static const char *in_folder(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", bench_files.tmp, name) < 0)
		bench_die("out of memory");
	return path;
}

static int check_device(char **argv)
{
	struct pod_values values = { .vni = (uint32_t)atoi(argv[1]), .vlan = (uint32_t)atoi(argv[2]),
				     .addr = (uint32_t)strtoul(argv[3], NULL, 0) };

	check_pod(check_attached_at(argv[0], (uint32_t)atoi(argv[4])), &values, argv[0]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "check"))
		return check_device(argv + 2);
	if (argc < 4 || argc > 5 || atoi(argv[3]) < 1)
		bench_die("usage: bench DIR BPFSTAMP ROUNDS [GROUP]");
	only = argv[4];
	bench_files.tmp = argv[1];
	bench_files.bpfstamp = argv[2];
	bench_files.pod = in_folder("pod.o");
	bench_files.large = in_folder("large.o");
	bench_files.branches = in_folder("branches.o");
	bench_files.pod_shared = in_folder("pod_shared.o");
	bench_files.large_shared = in_folder("large_shared.o");
	bench_files.branches_shared = in_folder("branches_shared.o");
	bench_files.jump = in_folder("jump.o");
	bench_files.mib = in_folder("mib.o");
	bench_files.pod_source = "bench/objects/pod.bpf.c";
	bench_files.cilium = in_folder("cilium");
	bench_files.tools = in_folder("static");
	stamped_contenders();
	bare_contenders();
	libbpf_contenders();
	if (!access(bench_files.cilium, X_OK))
		peer_contenders();
	process_contenders();
	preamble_contenders();
	bare_write_program(in_folder("static/instructions"));
	measure((size_t)atoi(argv[3]));
	return 0;
}
