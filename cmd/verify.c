// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp verify: whether what is attached is what attach, with the same
 * arguments, would attach.  Differences are the result, not an error: they go
 * to standard output, and the exit status is 1 without another word.
 */
#include <errno.h>
#include <stdio.h>

#include "cmd/attachment.h"
#include "cmd/loading.h"

struct verifying {
	json_t *differences;	/* NULL: they are printed */
};

static void tell(const char *text, void *arg)
{
	struct verifying *v = arg;

	if (v->differences)
		json_array_append_new(v->differences, output_text(text));
	else
		output_format(stdout, "%s\n", text);
}

/* What stands where attach would attach. */
static int find(struct bpfstamp_net *net, const struct options *o, const char *name, struct bpfstamp_attachment *out,
		struct bpfstamp_err *err)
{
	struct bpfstamp_plan plan;

	if (bpfstamp_attach_check(net, &o->hook, name, &plan, err))
		return -1;
	if (!plan.occupied)
		return bpfstamp_err_set(err, ENOENT, "%s is not attached there", name);
	if (!plan.there.id)
		return bpfstamp_err_set(err, ENOENT, "the kernel does not tell the id of %s", plan.there.name);
	*out = plan.there;
	return 0;
}

/* What runs in hardware is compared with what is loaded for the same. */
static int load_for(struct bpfstamp_load *load, const struct options *o, const struct bpfstamp_attachment *a,
		    struct bpfstamp_err *err)
{
	struct bpfstamp_hook hook = o->hook;

	hook.type = a->type;
	hook.skip_sw = a->skip_sw;
	hook.xdp_mode = a->xdp_mode;
	return loading_device(load, o, &hook, a->ifindex, err);
}

static int report(const struct options *o, const struct bpfstamp_attachment *a, bool equal, json_t *differences,
		  struct bpfstamp_err *err)
{
	json_t *object;

	if (!o->json) {
		if (equal)
			puts("equal");
		return 0;
	}
	object = json_pack("{s:o, s:b, s:O}", "object", output_text(o->object), "equal", (int)equal,
			   "differences", differences);
	if (object && attachment_fields(object, a)) {
		json_decref(object);
		object = NULL;
	}
	return output_json(object, err);
}

static int verify(const struct stamped *stamped, struct bpfstamp_net *net, const struct options *o,
		  struct bpfstamp_err *err)
{
	struct bpfstamp_load load = { .prog_type = loading_type(&o->hook) };
	struct verifying v = { .differences = o->json ? json_array() : NULL };
	struct bpfstamp_attachment a;
	struct bpfstamp_program p;
	bool equal = false;
	int ret = -1;

	if (!bpfstamp_find_program(stamped->t, o->prog, load.prog_type, &load.program, err)) {
		bpfstamp_program_at(stamped->t, load.program, &p);
		ret = find(net, o, p.name, &a, err) || load_for(&load, o, &a, err) ||
		      loading_verify(stamped, o, load, a.id, tell, &v, &equal, err) ||
		      report(o, &a, equal, v.differences, err) ? -1 : 0;
	}
	json_decref(v.differences);
	return ret || equal ? ret : CMD_QUIET;
}

int cmd_verify(const struct options *o, struct bpfstamp_err *err)
{
	struct bpfstamp_net *net = NULL;
	struct stamped stamped;
	int ret;

	if (values_stamp(&stamped, o, err))
		return -1;
	ret = bpfstamp_net_open(&net, o->netns, err) ? -1 : verify(&stamped, net, o, err);
	bpfstamp_net_close(net);
	values_free(&stamped);
	return ret;
}
