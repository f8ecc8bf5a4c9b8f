// SPDX-License-Identifier: BSD-2-Clause
/*
 * user open|restamp|load|libbpf OBJECT: the work of user space, for callgrind,
 * which counts the instructions of what begins at a function of the library (bench/run.sh).
 * Ten times, and for restamp and load only what comes after the first.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "include/bpfstamp.h"

enum { TIMES = 10 };

static struct bpfstamp_err err;

static int restamp(struct bpfstamp_template *t, int to_load)
{
	struct bpfstamp_stamp *s;
	struct bpfstamp_load load = { 0 };
	struct bpfstamp_injectable inj;
	struct bpfstamp_ref ref;
	int fd;

	if (bpfstamp_stamp_new(&s, t, &err) || bpfstamp_find_program(t, NULL, 0, &load.program, &err))
		return -1;
	for (uint32_t i = 0; i <= TIMES; i++) {
		bpfstamp_reset(s);
		for (uint32_t j = 0; j < bpfstamp_injectable_count(t); j++) {
			bpfstamp_injectable_at(t, j, &inj);
			if (bpfstamp_find(t, inj.name, &ref, &err) || bpfstamp_put(s, &ref, i, &err))
				return -1;
		}
		if (to_load && bpfstamp_load(s, &load, &fd, &err))
			return -1;
		if (to_load)
			close(fd);
	}
	bpfstamp_stamp_free(s);
	return 0;
}

int main(int argc, char **argv)
{
	struct bpfstamp_template *t;

	if (argc != 3)
		return 2;
	for (int i = 0; i < TIMES && !strcmp(argv[1], "libbpf"); i++)
		bpf_object__close(bpf_object__open_file(argv[2], NULL));
	if (!strcmp(argv[1], "libbpf"))
		return 0;
	for (int i = 0; i < TIMES; i++) {
		if (bpfstamp_open_file(&t, argv[2], &err) ||
		    (strcmp(argv[1], "open") && restamp(t, !strcmp(argv[1], "load")))) {
			fprintf(stderr, "user: %s\n", err.text);
			return 1;
		}
		bpfstamp_close(t);
		if (strcmp(argv[1], "open"))
			break;
	}
	return 0;
}
