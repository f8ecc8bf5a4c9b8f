// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp attach: stamp, look at the hook, load, attach, report.
 *
 * The look comes before the load for whoever wants to know what is there: with
 * --dry-run nothing is changed, with --if-absent nothing is loaded where a
 * program of bpfstamp is in the place already, and a program that is to run in
 * hardware is loaded for the device that was found.  Without them there is no
 * look: attaching itself finds out, in fewer messages.
 *
 * What is reported is what the kernel said of the attachment.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/attachment.h"
#include "cmd/batch.h"
#include "cmd/loading.h"
#include "cmd/values.h"

struct attaching {
	const struct options *o;
	struct stamped stamped;
	struct bpfstamp_net *net;
	uint32_t program;
	const char *name;	/* of the program */
	bool reused;		/* it was there already */
	struct bpfstamp_plan plan;
};

/* ---------------------------------------------------------------- report */

/* What was done, would be done or was there already. */
static int report_json(const struct attaching *at, const struct bpfstamp_attachment *a, bool attached,
		       const struct bpfstamp_plan *plan, struct bpfstamp_err *err)
{
	json_t *object = json_pack("{s:o, s:o, s:b, s:b, s:o, s:o}", "object", output_text(at->o->object),
				   "program", output_text(at->name), "dry_run", (int)at->o->dry_run,
				   "attached", (int)attached, "inlined", output_inlined(at->stamped.t),
				   "sites", output_changes(at->stamped.t, at->stamped.s));

	if (object && attached)
		json_object_set_new(object, "reused", json_boolean(at->reused));
	if (object && plan && at->o->hook.existing != BPFSTAMP_APPEND)
		json_object_set_new(object, "replaces", plan->occupied ? attachment_json(&plan->there) : json_null());
	if (object && attachment_fields(object, a)) {
		json_decref(object);
		object = NULL;
	}
	return output_json(object, err);
}

static int report_attached(const struct attaching *at, const struct bpfstamp_attachment *a, struct bpfstamp_err *err)
{
	if (at->o->json)
		return report_json(at, a, true, NULL, err);
	attachment_line(stdout, at->reused ? "attached again" : "attached", "to", a);
	output_change_lines(stdout, at->stamped.t, at->stamped.s);
	return 0;
}

static int report_there(const struct attaching *at, struct bpfstamp_err *err)
{
	if (at->o->json)
		return report_json(at, &at->plan.there, false, NULL, err);
	attachment_line(stdout, "already attached:", "to", &at->plan.there);
	return 0;
}

static void print_replaced(const char *what, const struct bpfstamp_attachment *there)
{
	printf("replace the %s that is there: ", what);
	output_plain(stdout, there->name);
	printf(" id %u%s\n", there->id, there->ours ? "" : " (not by bpfstamp)");
}

/* What the place gets, in words. */
static void print_plan(const struct attaching *at)
{
	const struct bpfstamp_plan *plan = &at->plan;
	const char *what = plan->type == BPFSTAMP_CLSACT ? "filter" : plan->type == BPFSTAMP_XDP ? "program" : "link";

	printf("would ");
	if (plan->type == BPFSTAMP_CLSACT && !at->o->hook.block)
		printf("%s, and ", plan->clsact ? "use the clsact qdisc that is there" : "create a clsact qdisc");
	if (at->o->hook.existing == BPFSTAMP_APPEND)
		printf("create a %s behind what is there\n", what);
	else if (!plan->occupied)
		printf("%s a %s\n", plan->type == BPFSTAMP_XDP ? "attach" : "create", what);
	else
		print_replaced(what, &plan->there);
}

static int report_plan(const struct attaching *at, struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = &at->o->hook;
	bool appends = hook->existing == BPFSTAMP_APPEND;	/* at a prio that is found then */
	struct bpfstamp_attachment a = {
		.type = at->plan.type, .ifindex = at->plan.ifindex, .direction = hook->direction, .kind = "bpf",
		.ours = true, .prio = appends ? 0 : hook->prio, .handle = hook->handle, .protocol = hook->protocol,
		.chain = hook->chain, .block = hook->block, .skip_sw = hook->skip_sw, .skip_hw = hook->skip_hw,
		.xdp_mode = hook->xdp_mode,
	};

	snprintf(a.dev, sizeof(a.dev), "%s", hook->dev ? hook->dev : "");
	snprintf(a.name, sizeof(a.name), "%s", at->name);
	snprintf(a.pin, sizeof(a.pin), "%s", hook->pin ? hook->pin : "");
	if (at->o->json)
		return report_json(at, &a, false, &at->plan, err);
	print_plan(at);
	attachment_line(stdout, "would attach", "to", &a);
	output_change_lines(stdout, at->stamped.t, at->stamped.s);
	output_inlined_lines(stdout, at->stamped.t);
	return 0;
}

/* ---------------------------------------------------------------- attach */

static int look(struct attaching *at, struct bpfstamp_err *err)
{
	return bpfstamp_attach_check(at->net, &at->o->hook, at->name, &at->plan, err);
}

static bool is_there(const struct attaching *at)
{
	return at->o->hook.existing == BPFSTAMP_KEEP && at->plan.occupied && at->plan.there.ours;
}

/* With --if-absent, another process may have been faster since the look: that is no failure. */
static bool was_late(struct attaching *at, const struct bpfstamp_err *why)
{
	struct bpfstamp_err ignored;

	return at->o->hook.existing == BPFSTAMP_KEEP && why->code == EEXIST && !look(at, &ignored) && is_there(at);
}

/* Pins come first: they can be taken back without a packet noticing. */
static int attach_loaded(struct attaching *at, struct bpfstamp_loaded *loaded, int fd, struct bpfstamp_err *err)
{
	struct bpfstamp_attachment a;

	if (loaded && bpfstamp_pin(loaded, at->o->pin, at->o->repin, err))
		return -1;
	if (bpfstamp_attach(at->net, &at->o->hook, fd, at->name, &a, err)) {
		if (loaded)
			bpfstamp_unpin(loaded);
		bpfstamp_load_undo(at->stamped.s);
		return was_late(at, err) ? report_there(at, err) : -1;
	}
	return attachment_complete(&a, fd, err) || report_attached(at, &a, err) ? -1 : 0;
}

static int load_and_attach(struct attaching *at, struct bpfstamp_load load, struct bpfstamp_err *err)
{
	const struct options *o = at->o;
	struct bpfstamp_loaded *loaded = NULL;
	int fd = -1, ret;

	if (o->pin ? loading_keep(&loaded, &at->stamped, o, load, err) : loading(&fd, &at->stamped, o, load, err))
		return -1;
	ret = attach_loaded(at, loaded, loaded ? bpfstamp_loaded_program(loaded, at->program) : fd, err);
	bpfstamp_loaded_free(loaded);
	if (fd >= 0)
		close(fd);
	return ret;
}

/* A program that is shared may be in that place already, by another link, and TCX takes none twice. */
static int attach_maybe_shared(struct attaching *at, struct bpfstamp_load load, struct bpfstamp_err *err)
{
	int ret = load_and_attach(at, load, err);

	if (!ret || !load.reuse || !loading_again_helps(&at->o->hook, err))
		return ret;
	load.reuse = false;
	return load_and_attach(at, load, err);
}

static int attach(struct attaching *at, struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = &at->o->hook;
	struct bpfstamp_load load = {
		.prog_type = loading_type(hook), .record = !at->o->no_record, .reuse = !at->o->no_reuse,
		.reused = &at->reused,
	};
	bool must_look = at->o->dry_run || hook->existing == BPFSTAMP_KEEP || loading_for_hardware(hook);
	struct bpfstamp_program p;

	if (bpfstamp_find_program(at->stamped.t, at->o->prog, load.prog_type, &load.program, err))
		return -1;
	at->program = load.program;
	bpfstamp_program_at(at->stamped.t, at->program, &p);
	at->name = p.name;
	if (must_look && look(at, err))
		return -1;
	if (is_there(at))
		return report_there(at, err);
	if (loading_device(&load, at->o, hook, at->plan.ifindex, err))
		return -1;
	return at->o->dry_run ? report_plan(at, err) : attach_maybe_shared(at, load, err);
}

int cmd_attach(const struct options *o, struct bpfstamp_err *err)
{
	struct attaching at = { .o = o };
	int ret;

	if (o->batch)
		return batch_attach(o, err);
	if (values_stamp(&at.stamped, o, err))
		return -1;
	ret = bpfstamp_net_open(&at.net, o->netns, err) || attach(&at, err);
	bpfstamp_net_close(at.net);
	values_free(&at.stamped);
	return ret ? -1 : 0;
}
