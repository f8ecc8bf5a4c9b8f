// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp, as a library: one template, one stamp, values by handle.
 *
 * What is timed of a load is reset, put and bpfstamp_load; not the opening of the
 * object, which happens once however many pods there are, and not the closing of
 * the program's fd.  The template's BTF, and what linking finds out, are made by the first
 * load, which is not timed either.
 */
#include <string.h>

#include "bench/subject.h"

struct bpfstamp_err subject_err;

static const char *const pod_names[] = { "vni", "vlan", "addr", NULL };
static const char *const large_names[] = { "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", NULL };

void subject_open(struct subject *u)
{
	const char *const *names = u->large ? large_names : pod_names;

	if (u->t)
		return;
	SUBJECT_MUST(bpfstamp_open_file(&u->t, *u->path, &subject_err));
	if (u->to_inline)
		SUBJECT_MUST(bpfstamp_inline(u->t, &subject_err));
	for (uint32_t i = 0; !u->plain && names[i]; i++)
		SUBJECT_MUST(bpfstamp_find(u->t, names[i], &u->refs[i], &subject_err));
	SUBJECT_MUST(bpfstamp_stamp_new(&u->s, u->t, &subject_err));
	SUBJECT_MUST(bpfstamp_find_program(u->t, u->program, 0, &u->load.program, &subject_err));
	for (int i = 0; i < SUBJECT_MAPS; i++)
		u->map_fds[i] = -1;
}

void subject_use(struct subject *u, const char *map, int fd)
{
	struct bpfstamp_map m;

	for (uint32_t i = 0; i < bpfstamp_map_count(u->t) && i < SUBJECT_MAPS; i++) {
		bpfstamp_map_at(u->t, i, &m);
		if (!strcmp(m.name, map)) {
			u->map_fds[i] = fd;
			u->load.map_fds = u->map_fds;
			return;
		}
	}
	bench_die("%s: no map %s", *u->path, map);
}

void subject_put(struct subject *u, const struct pod_values *values)
{
	const uint32_t three[] = { values->vni, values->vlan, values->addr };

	bpfstamp_reset(u->s);
	for (uint32_t i = 0; !u->plain && i < (u->large ? LARGE_VALUES : 3); i++)
		SUBJECT_MUST(bpfstamp_put(u->s, &u->refs[i], u->large ? values->vni + i : three[i], &subject_err));
}

int subject_load(struct subject *u, const struct pod_values *values, double *ns)
{
	double start;
	int fd;

	subject_open(u);
	start = bench_now();
	subject_put(u, values);
	SUBJECT_MUST(bpfstamp_load(u->s, &u->load, &fd, &subject_err));
	*ns = bench_now() - start;
	return fd;
}
