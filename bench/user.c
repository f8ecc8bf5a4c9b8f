// SPDX-License-Identifier: BSD-2-Clause
/*
 * user open|restamp|load|attach|libbpf OBJECT TIMES: the work of user space, for callgrind,
 * which counts the instructions of a function of the library (bench/run.sh).  For
 * all but open and libbpf the object is opened once.  Attached is to egress of d0.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bpfstamp.h"

static struct bpfstamp_err err;

static int attach(int fd)
{
	const struct bpfstamp_hook hook = {
		.type = BPFSTAMP_CLSACT, .dev = "d0", .direction = BPFSTAMP_EGRESS, .prio = 1, .handle = 1,
	};
	static struct bpfstamp_net *net;

	if (!net && bpfstamp_net_open(&net, NULL, &err))
		return -1;
	return bpfstamp_attach(net, &hook, fd, "pod", NULL, &err);
}

static int pod(struct bpfstamp_template *t, struct bpfstamp_stamp *s, uint32_t value, bool to_load, bool to_attach)
{
	struct bpfstamp_load load = { 0 };
	struct bpfstamp_injectable inj;
	struct bpfstamp_ref ref;
	int fd;

	bpfstamp_reset(s);
	for (uint32_t j = 0; j < bpfstamp_injectable_count(t); j++) {
		bpfstamp_injectable_at(t, j, &inj);
		if (bpfstamp_find(t, inj.name, &ref, &err) || bpfstamp_put(s, &ref, value, &err))
			return -1;
	}
	if (!to_load)
		return 0;
	if (bpfstamp_find_program(t, NULL, 0, &load.program, &err) || bpfstamp_load(s, &load, &fd, &err) ||
	    (to_attach && attach(fd)))
		return -1;
	close(fd);
	return 0;
}

/* By its first letter. */
static int pods(struct bpfstamp_template *t, const char *mode, int times)
{
	bool to_attach = *mode == 'a', to_load = to_attach || *mode == 'l';
	struct bpfstamp_stamp *s;

	if (bpfstamp_stamp_new(&s, t, &err))
		return -1;
	for (uint32_t i = 0; (int)i < times; i++)
		if (pod(t, s, i, to_load, to_attach))
			return -1;
	bpfstamp_stamp_free(s);
	return 0;
}

int main(int argc, char **argv)
{
	int times = argc == 4 ? atoi(argv[3]) : 0;
	struct bpfstamp_template *t;
	bool only_open;

	if (times < 1)
		return 2;
	for (int i = 0; i < times && !strcmp(argv[1], "libbpf"); i++)
		bpf_object__close(bpf_object__open_file(argv[2], NULL));
	if (!strcmp(argv[1], "libbpf"))
		return 0;
	only_open = !strcmp(argv[1], "open");
	for (int i = 0; i < (only_open ? times : 1); i++) {
		if (bpfstamp_open_file(&t, argv[2], &err) || (!only_open && pods(t, argv[1], times))) {
			fprintf(stderr, "user: %s\n", err.text);
			return 1;
		}
		bpfstamp_close(t);
	}
	return 0;
}
