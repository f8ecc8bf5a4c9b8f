// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp show: every filter on clsact, ours or not, in the order in which
 * packets meet them.
 */
#include <stdio.h>

#include "cmd/output.h"

static int print_line(const struct bpfstamp_attachment *f, void *arg)
{
	char tag[17];

	(void)arg;
	output_tag(tag, f->tag);
	printf("%s %s prio %u handle 0x%x", f->dev, output_direction(f->direction), f->prio, f->handle);
	if (f->chain)
		printf(" chain %u", f->chain);
	printf(" %s", f->kind);
	if (*f->name)
		printf(" %s", f->name);
	if (f->id)
		printf(" id %u", f->id);
	if (f->has_tag)
		printf(" tag %s", tag);
	printf("%s\n", f->ours ? "" : " (not by bpfstamp)");
	return 0;
}

static int add_object(const struct bpfstamp_attachment *f, void *arg)
{
	json_t *object = json_object();

	if (object && output_filter(object, f)) {
		json_decref(object);
		object = NULL;
	}
	return json_array_append_new(arg, object);
}

int cmd_show(const struct options *o, struct bpfstamp_err *err)
{
	struct bpfstamp_net *net = NULL;
	json_t *filters = json_array();
	int ret;

	if (bpfstamp_net_open(&net, o->netns, err)) {
		json_decref(filters);
		return -1;
	}
	ret = bpfstamp_show(net, o->dev, NULL, o->json ? add_object : print_line, filters, err);
	bpfstamp_net_close(net);
	if (ret || !o->json) {
		json_decref(filters);
		return ret;
	}
	return output_json(json_pack("{s:o}", "filters", filters), err);
}
