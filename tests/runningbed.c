// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs are opened by the id that the kernel gave them, as a user would.
 */
#include <string.h>
#include <unistd.h>

#include "tests/runningbed.h"

struct bpfstamp_err runningbed_err;

int runningbed_load(struct bpfstamp_stamp *s, bool record)
{
	struct bpfstamp_load how = { .record = record, .prog_type = BPF_PROG_TYPE_SCHED_CLS };
	int fd;

	OK(bpfstamp_find_program(s->t, NULL, 0, &how.program, &runningbed_err));
	OK(bpfstamp_load(s, &how, &fd, &runningbed_err));
	return fd;
}

uint32_t runningbed_id(int program)
{
	struct bpfstamp_prog_info info;

	OK(bpfstamp_prog_info(program, &info, &runningbed_err));
	return info.id;
}

struct bpfstamp_running *runningbed_open(int program)
{
	struct bpfstamp_running *r;

	OK(bpfstamp_running_open(&r, runningbed_id(program), &runningbed_err));
	return r;
}

static bool find(const struct bpfstamp_running *r, const char *path, struct bpfstamp_running_value *out)
{
	for (uint32_t i = 0; i < bpfstamp_running_value_count(r); i++) {
		bpfstamp_running_value_at(r, i, out);
		if (!strcmp(out->path, path))
			return true;
	}
	return false;
}

void runningbed_has(const struct bpfstamp_running *r, const char *path, const char *value, bool stamped,
		    bool writable)
{
	struct bpfstamp_running_value v;

	ck_assert_msg(find(r, path, &v), "no %s", path);
	ck_assert_msg(!strcmp(v.value, value), "%s is %s, not %s", path, v.value, value);
	ck_assert_msg(v.stamped == stamped && v.writable == writable, "%s: stamped %d, writable %d", path, v.stamped,
		      v.writable);
}

void runningbed_free(struct bpfstamp_running *r, int program, struct bpfstamp_stamp *s, struct bpfobj *o)
{
	bpfstamp_running_free(r);
	close(program);
	bpfstamp_stamp_free(s);
	bpfobj_free(o);
}
