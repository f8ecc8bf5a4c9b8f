// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp detach: remove the filter in one place.  The clsact qdisc stays,
 * because others may count on it.
 */
#include <stdio.h>

#include "cmd/output.h"

static int report(const struct options *o, const struct bpfstamp_attachment *f, struct bpfstamp_err *err)
{
	json_t *object;

	if (!o->json) {
		printf("%s %s from %s of %s: prio %u handle 0x%x id %u\n", o->dry_run ? "would detach" : "detached",
		       f->name, output_direction(f->direction), f->dev, f->prio, f->handle, f->id);
		return 0;
	}
	object = json_pack("{s:b}", "dry_run", (int)o->dry_run);
	if (object && output_filter(object, f)) {
		json_decref(object);
		object = NULL;
	}
	return output_json(object, err);
}

int cmd_detach(const struct options *o, struct bpfstamp_err *err)
{
	struct bpfstamp_net *net = NULL;
	struct bpfstamp_attachment f;
	int ret;

	if (bpfstamp_net_open(&net, o->netns, err))
		return -1;
	ret = bpfstamp_detach(net, &o->hook, o->dry_run, &f, err) || report(o, &f, err);
	bpfstamp_net_close(net);
	return ret ? -1 : 0;
}
