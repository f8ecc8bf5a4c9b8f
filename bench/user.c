// SPDX-License-Identifier: BSD-2-Clause
/*
 * user open|restamp|load|libbpf OBJECT TIMES: the work of user space, for callgrind,
 * which counts the instructions of a function of the library (bench/run.sh).  For
 * restamp and load the object is opened once.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bpfstamp.h"

static struct bpfstamp_err err;

static int restamp(struct bpfstamp_template *t, int times, int to_load)
{
	struct bpfstamp_stamp *s;
	struct bpfstamp_load load = { 0 };
	struct bpfstamp_injectable inj;
	struct bpfstamp_ref ref;
	int fd;

	if (bpfstamp_stamp_new(&s, t, &err) || bpfstamp_find_program(t, NULL, 0, &load.program, &err))
		return -1;
	for (uint32_t i = 0; (int)i < times; i++) {
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
	int times = argc == 4 ? atoi(argv[3]) : 0;
	struct bpfstamp_template *t;

	if (times < 1)
		return 2;
	for (int i = 0; i < times && !strcmp(argv[1], "libbpf"); i++)
		bpf_object__close(bpf_object__open_file(argv[2], NULL));
	if (!strcmp(argv[1], "libbpf"))
		return 0;
	for (int i = 0; i < times; i++) {
		if (bpfstamp_open_file(&t, argv[2], &err) ||
		    (strcmp(argv[1], "open") && restamp(t, times, !strcmp(argv[1], "load")))) {
			fprintf(stderr, "user: %s\n", err.text);
			return 1;
		}
		bpfstamp_close(t);
		if (strcmp(argv[1], "open"))
			break;
	}
	return 0;
}
