// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp detach: remove the program in one place.  The clsact qdisc stays,
 * because others may count on it, unless --clsact asks for it, too, and nothing
 * else is on it.  Then a filter that is gone already is no error: running the
 * same command again finishes what was interrupted.
 *
 * The filter is removed first and told of, whatever becomes of clsact.
 *
 * With --defunct: the links whose interface is gone, which are in no place.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/attachment.h"

struct detaching {
	const struct options *o;
	struct bpfstamp_net *net;
	struct bpfstamp_hook hook;
	bool found;			/* what is removed is in there */
	struct bpfstamp_attachment there;
	bool clsact;			/* removed, too */
};

static int report_json(const struct detaching *d, struct bpfstamp_err *err)
{
	json_t *object = json_pack("{s:b, s:b, s:b}", "dry_run", (int)d->o->dry_run, "detached", (int)d->found,
				   "clsact_removed", (int)d->clsact);

	if (object && d->found && attachment_fields(object, &d->there)) {
		json_decref(object);
		object = NULL;
	}
	return output_json(object, err);
}

static int report(const struct detaching *d, struct bpfstamp_err *err)
{
	bool dry = d->o->dry_run;

	if (d->o->json)
		return report_json(d, err);
	if (d->found)
		attachment_line(stdout, dry ? "would detach" : "detached", "from", &d->there);
	if (d->clsact)
		printf("%s clsact of %s\n", dry ? "would remove" : "removed", d->hook.dev);
	return 0;
}

/* ---------------------------------------------------------------- clsact */

static bool is_same_filter(const struct bpfstamp_attachment *a, const struct bpfstamp_attachment *b)
{
	return a->direction == b->direction && a->prio == b->prio && a->handle == b->handle &&
	       a->protocol == b->protocol && a->chain == b->chain;
}

/* Stops at a filter other than the one that would be removed. */
static int find_other(const struct bpfstamp_attachment *a, void *arg)
{
	const struct detaching *d = arg;

	return a->type == BPFSTAMP_CLSACT && !is_same_filter(a, &d->there);
}

/* Where the filter is still there, the library would find clsact in use by it. */
static int would_remove_clsact(struct detaching *d, struct bpfstamp_err *err)
{
	if (!bpfstamp_show(d->net, d->hook.dev, d->hook.pin_path, find_other, d, err))
		return 0;
	return err->code != ECANCELED ? -1 :
	       bpfstamp_err_set(err, EBUSY, "clsact of %s has other filters", d->hook.dev);
}

static int remove_clsact(struct detaching *d, struct bpfstamp_err *err)
{
	struct bpfstamp_err why;
	bool of_clsact = d->found && d->there.type == BPFSTAMP_CLSACT;
	int ret = d->o->dry_run && of_clsact ? would_remove_clsact(d, &why) :
		  bpfstamp_clsact_delete(d->net, d->hook.dev, d->o->dry_run, &why);

	if (!ret) {
		d->clsact = true;
		return 0;
	}
	if (d->found && !of_clsact && why.code == ENOENT)
		return 0;	/* --hook auto was TCX, which has no need of it */
	if (!d->found)
		return bpfstamp_err_set(err, why.code, "%s", why.text);
	return bpfstamp_err_set(err, why.code, "%s %s, but %s", d->there.name,
				d->o->dry_run ? "would be detached" : "is detached", why.text);
}

/* ---------------------------------------------------------------- detach */

static int detach(struct detaching *d, struct bpfstamp_err *err)
{
	struct bpfstamp_err why;
	int failed = 0;

	d->found = !bpfstamp_detach(d->net, &d->hook, d->o->dry_run, &d->there, err);
	if (!d->found && (!d->o->clsact || err->code != ENOENT))
		return -1;
	if (d->o->clsact)
		failed = remove_clsact(d, &why);
	if (!d->found && failed) {
		if (why.code != ENOENT)
			*err = why;
		return -1;
	}
	if (report(d, err))
		return -1;
	if (failed)
		*err = why;
	return failed;
}

/* --------------------------------------------------------------- defunct */

static int print_defunct(const struct bpfstamp_attachment *a, void *arg)
{
	const struct options *o = arg;

	printf("%s ", o->dry_run ? "would remove" : "removed");
	output_plain(stdout, *a->name ? a->name : "?");
	putchar(':');
	attachment_position(stdout, a);
	attachment_program(stdout, a);
	putchar('\n');
	return 0;
}

static int add_defunct(const struct bpfstamp_attachment *a, void *arg)
{
	return json_array_append_new(arg, attachment_json(a));
}

static int detach_defunct(const struct options *o, struct bpfstamp_err *err)
{
	struct options copy = *o;
	json_t *links;

	if (!o->json)
		return bpfstamp_detach_defunct(o->hook.pin_path, o->hook.pin, o->dry_run, print_defunct, &copy, err);
	links = json_array();
	if (bpfstamp_detach_defunct(o->hook.pin_path, o->hook.pin, o->dry_run, add_defunct, links, err)) {
		json_decref(links);
		return -1;
	}
	return output_json(json_pack("{s:b, s:o}", "dry_run", (int)o->dry_run, "removed", links), err);
}

int cmd_detach(const struct options *o, struct bpfstamp_err *err)
{
	struct detaching d = { .o = o, .hook = o->hook };
	int ret;

	if (o->defunct)
		return detach_defunct(o, err);
	d.hook.program = o->prog;
	if (bpfstamp_net_open(&d.net, o->netns, err))
		return -1;
	ret = detach(&d, err);
	bpfstamp_net_close(d.net);
	return ret;
}
