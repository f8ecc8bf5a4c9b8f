// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp attach: stamp, load, attach, report.  With --dry-run the object is
 * stamped and the interface looked at, and neither is changed.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/loading.h"
#include "cmd/output.h"
#include "cmd/values.h"

static int report(const struct stamped *stamped, const struct options *o, const struct bpfstamp_attachment *f,
		  struct bpfstamp_err *err)
{
	char tag[17];

	if (o->json) {
		json_t *object = json_pack("{s:o, s:o, s:b, s:o, s:o}", "object", output_text(o->object),
					   "program", output_text(f->name), "dry_run", (int)o->dry_run,
					   "inlined", output_inlined(stamped->t), "sites", output_changes(stamped->t, stamped->s));

		if (object && output_filter(object, f)) {
			json_decref(object);
			object = NULL;
		}
		return output_json(object, err);
	}
	output_tag(tag, f->tag);
	printf("%s %s to %s of %s: prio %u handle 0x%x", o->dry_run ? "would attach" : "attached", f->name,
	       output_direction(f->direction), f->dev, f->prio, f->handle);
	if (!o->dry_run)
		printf(" id %u tag %s", f->id, tag);
	putchar('\n');
	output_change_lines(stdout, stamped->t, stamped->s);
	if (o->dry_run)
		output_inlined_lines(stdout, stamped->t);
	return 0;
}

static int dry_run(struct bpfstamp_net *net, const struct options *o, const struct bpfstamp_program *p,
		   struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct bpfstamp_plan plan;

	*out = (struct bpfstamp_attachment){ .direction = o->hook.direction, .prio = o->hook.prio, .handle = o->hook.handle,
					 .protocol = o->hook.protocol, .kind = "bpf", .ours = true };
	snprintf(out->dev, sizeof(out->dev), "%s", o->hook.dev);
	snprintf(out->name, sizeof(out->name), "%s", p->name);
	if (bpfstamp_attach_check(net, &o->hook, p->name, &plan, err))
		return -1;
	out->ifindex = plan.ifindex;
	if (!o->json)
		printf("would %s, and %s\n", plan.clsact ? "use the clsact qdisc that is there" : "create a clsact qdisc",
		       plan.occupied ? "replace the filter that is there" : "create a filter");
	return 0;
}

/* The program's id and tag, where the kernel's answer did not tell them. */
static int complete(struct bpfstamp_attachment *f, int fd, struct bpfstamp_err *err)
{
	struct bpfstamp_prog_info info;

	if (f->id && f->has_tag)
		return 0;
	if (bpfstamp_prog_info(fd, &info, err))
		return -1;
	f->id = info.id;
	f->has_tag = true;
	memcpy(f->tag, info.tag, sizeof(f->tag));
	return 0;
}

/* Pins come first: they can be taken back without a packet noticing. */
static int attach_loaded(struct stamped *stamped, struct bpfstamp_net *net, const struct options *o,
			 struct bpfstamp_loaded *loaded, int fd, const char *name, struct bpfstamp_err *err)
{
	struct bpfstamp_attachment f;

	if (loaded && bpfstamp_pin(loaded, o->pin, o->repin, err))
		return -1;
	if (bpfstamp_attach(net, &o->hook, fd, name, &f, err)) {
		if (loaded)
			bpfstamp_unpin(loaded);
		bpfstamp_load_undo(stamped->s);
		return -1;
	}
	return complete(&f, fd, err) || report(stamped, o, &f, err) ? -1 : 0;
}

static int attach(struct stamped *stamped, struct bpfstamp_net *net, const struct options *o,
		  struct bpfstamp_err *err)
{
	struct bpfstamp_loaded *loaded = NULL;
	struct bpfstamp_attachment f;
	struct bpfstamp_program p;
	uint32_t program;
	int fd = -1, ret;

	if (bpfstamp_find_program(stamped->t, o->prog, BPF_PROG_TYPE_SCHED_CLS, &program, err))
		return -1;
	bpfstamp_program_at(stamped->t, program, &p);
	if (o->dry_run)
		return dry_run(net, o, &p, &f, err) ? -1 : report(stamped, o, &f, err);
	if (o->pin ? loading_keep(&loaded, stamped, o, program, BPF_PROG_TYPE_SCHED_CLS, err) :
	    loading(&fd, stamped, o, program, BPF_PROG_TYPE_SCHED_CLS, err))
		return -1;
	ret = attach_loaded(stamped, net, o, loaded, loaded ? bpfstamp_loaded_program(loaded, program) : fd, p.name, err);
	bpfstamp_loaded_free(loaded);
	if (fd >= 0)
		close(fd);
	return ret;
}

int cmd_attach(const struct options *o, struct bpfstamp_err *err)
{
	struct bpfstamp_net *net = NULL;
	struct stamped stamped;
	int ret;

	if (values_stamp(&stamped, o, err))
		return -1;
	ret = bpfstamp_net_open(&net, o->netns, err) || attach(&stamped, net, o, err);
	bpfstamp_net_close(net);
	values_free(&stamped);
	return ret ? -1 : 0;
}
