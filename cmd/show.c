// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp show: everything that is attached, ours or not, in the order in
 * which packets meet it, and what is known of the programs.
 *
 * A program is looked at by its id, which needs CAP_SYS_ADMIN, and may be gone
 * by then: what cannot be looked at is listed all the same, without its values.
 * So is a pin only found where the bpffs can be read.
 *
 * --stats tells counters below the first program of an interface that counts
 * there (cmd/counters.c).
 *
 * --all-netns walks this network namespace and then those that have a name.  One
 * that vanishes meanwhile, or has no such interface, is passed over; in text, one
 * where nothing is attached is not mentioned.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/attachment.h"
#include "cmd/counters.h"
#include "cmd/optargs.h"
#include "cmd/running.h"

struct showing {
	const struct options *o;
	const struct bpfstamp_pins *pins;	/* or NULL */
	const struct counters *counters;	/* with --stats */
	int counted;				/* the interface whose counters were told last */
	json_t *attachments;			/* of this namespace, or NULL: text */
	json_t *namespaces;			/* with --all-netns */
	const char *heading;			/* with --all-netns: to be printed in front of what comes first */
	unsigned int shown;			/* namespaces */
	bool knows_defunct;			/* links of no interface were told, which are of no namespace */
	struct bpfstamp_err *err;
};

/* ----------------------------------------------------------- attachments */

static void print_device(const struct bpfstamp_attachment *a)
{
	output_plain(stdout, *a->dev ? a->dev : "(no device)");
	printf(" %s %s", optargs_hook_name(a->type), optargs_direction_name(a->direction));
}

static void print_line(const struct bpfstamp_attachment *a)
{
	if (a->type == BPFSTAMP_CLSACT && a->block)
		printf("block %u clsact", a->block);
	else
		print_device(a);
	attachment_position(stdout, a);
	if (a->type == BPFSTAMP_CLSACT)
		printf(" %s", a->kind);
	if (*a->name) {
		putchar(' ');
		output_plain(stdout, a->name);
	}
	attachment_program(stdout, a);
	printf("%s\n", a->ours ? "" : " (not by bpfstamp)");
}

static int add_object(const struct showing *s, const struct bpfstamp_attachment *a, const struct bpfstamp_running *r,
		      bool counted)
{
	json_t *object = attachment_json(a);

	if (object && (running_fields(object, r, s->pins) ||
		       (counted && json_object_set_new(object, "stats", counters_json(s->counters, a->ifindex))))) {
		json_decref(object);
		object = NULL;
	}
	return json_array_append_new(s->attachments, object);
}

/* What the hook does not tell: the tag of a link's program, and the pin of a link of another. */
static void complete(struct bpfstamp_attachment *a, const struct bpfstamp_running *r,
		     const struct bpfstamp_pins *pins)
{
	const char *pin = pins && a->link && !*a->pin ? bpfstamp_pins_link(pins, a->link) : NULL;
	struct bpfstamp_running_info info;

	if (pin)
		snprintf(a->pin, sizeof(a->pin), "%s", pin);
	if (!r || a->has_tag)
		return;
	bpfstamp_running_info(r, &info);
	a->has_tag = true;
	memcpy(a->tag, info.prog.tag, sizeof(a->tag));
}

/* Of an interface once, whose attachments come one after the other. */
static bool tells_counters(struct showing *s, const struct bpfstamp_attachment *a, const struct bpfstamp_running *r)
{
	if (!s->counters || !a->ifindex || a->ifindex == s->counted || !counters_of(s->counters, r))
		return false;
	s->counted = a->ifindex;
	return true;
}

/* A link whose interface is gone, which is in no namespace. */
static bool is_defunct(const struct bpfstamp_attachment *a)
{
	return a->link && !a->ifindex;
}

static int show_attachment(const struct bpfstamp_attachment *attachment, void *arg)
{
	struct showing *s = arg;
	struct bpfstamp_attachment a = *attachment;
	struct bpfstamp_running *r = NULL;
	struct bpfstamp_err why;
	bool counted;
	int ret = 0;

	if (s->knows_defunct && is_defunct(attachment))
		return 0;
	if (a.id && bpfstamp_running_open(&r, a.id, &why) && s->o->verbose)
		fprintf(stderr, "note: %s\n", why.text);
	complete(&a, r, s->pins);
	counted = tells_counters(s, &a, r);
	if (s->attachments) {
		ret = add_object(s, &a, r, counted);
	} else {
		if (s->heading)
			printf("%s\n", s->heading);
		s->heading = NULL;
		print_line(&a);
		if (r)
			running_lines(r, s->pins, s->o->verbose);
		if (counted)
			counters_lines(s->counters, a.ifindex);
	}
	bpfstamp_running_free(r);
	return ret;
}

/* ------------------------------------------------------------ namespaces */

static int show_net(struct showing *s, struct bpfstamp_net *net, struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = &s->o->hook;

	if (hook->block)
		return bpfstamp_show_block(net, hook->block, show_attachment, s, err);
	return bpfstamp_show(net, hook->dev, s->o->pin_path, show_attachment, s, err);
}

static int show_one(struct showing *s, struct bpfstamp_err *err)
{
	struct bpfstamp_net *net;
	int ret;

	s->attachments = s->o->json ? json_array() : NULL;
	if (bpfstamp_net_open(&net, s->o->netns, err)) {
		json_decref(s->attachments);
		return -1;
	}
	ret = show_net(s, net, err);
	bpfstamp_net_close(net);
	if (!s->o->json)
		return ret;
	if (!ret)
		return output_json(json_pack("{s:o, s:o}", "netns", output_text(s->o->netns), "attachments",
					     s->attachments), err);
	json_decref(s->attachments);
	return -1;
}

/* One of several: name is NULL for the thread's own. */
static int show_among(struct showing *s, const char *name, struct bpfstamp_net *net)
{
	char heading[300];
	bool is_absent;
	int ret;

	snprintf(heading, sizeof(heading), "%s%s:", name ? "netns " : "this netns", name ? name : "");
	s->heading = heading;
	s->attachments = s->o->json ? json_array() : NULL;
	ret = show_net(s, net, s->err);
	is_absent = ret && s->err->code == (s->o->hook.block ? ENOENT : ENODEV);
	s->knows_defunct = true;
	if (!ret)
		s->shown++;
	if (s->o->json && !ret &&
	    json_array_append_new(s->namespaces, json_pack("{s:o, s:O}", "netns", output_text(name),
							   "attachments", s->attachments)))
		ret = bpfstamp_err_set(s->err, ENOMEM, "out of memory");
	json_decref(s->attachments);
	return is_absent ? 0 : ret;
}

/* Whether a path is that of the namespace we are in, which is shown already. */
static bool is_own(const char *path)
{
	struct stat own, named;

	return !stat("/proc/thread-self/ns/net", &own) && !stat(path, &named) && own.st_dev == named.st_dev &&
	       own.st_ino == named.st_ino;
}

/* By path: a name may be a number, which would stand for a process. */
static int show_named(const char *name, void *arg)
{
	struct showing *s = arg;
	struct bpfstamp_net *net;
	char path[512];
	int ret;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	if (is_own(path))
		return 0;
	if (bpfstamp_net_open(&net, path, s->err)) {
		if (s->err->code != ENOENT && s->err->code != EINVAL)
			return -1;
		fprintf(stderr, "note: passed over: %s\n", s->err->text);
		return 0;
	}
	ret = show_among(s, name, net);
	bpfstamp_net_close(net);
	return ret;
}

static int show_own(struct showing *s)
{
	struct bpfstamp_net *net;
	int ret;

	if (bpfstamp_net_open(&net, NULL, s->err))
		return -1;
	ret = show_among(s, NULL, net);
	bpfstamp_net_close(net);
	return ret;
}

static int not_found(const struct bpfstamp_hook *hook, struct bpfstamp_err *err)
{
	if (hook->block)
		return bpfstamp_err_set(err, ENOENT, "no interface of any network namespace has the shared block %u",
					hook->block);
	return bpfstamp_err_set(err, ENODEV, "no such device '%s' in any network namespace", hook->dev);
}

/* A failure inside a namespace is in s->err; the walk itself only knows that it was stopped. */
static int show_all(struct showing *s, struct bpfstamp_err *err)
{
	struct bpfstamp_err walk;
	int ret;

	s->namespaces = s->o->json ? json_array() : NULL;
	ret = show_own(s);
	if (!ret && bpfstamp_netns_each(show_named, s, &walk)) {
		if (walk.code != ECANCELED)
			*err = walk;
		ret = -1;
	}
	if (!ret && !s->shown)
		ret = not_found(&s->o->hook, err);
	if (!ret && s->o->json)
		return output_json(json_pack("{s:o}", "namespaces", s->namespaces), err);
	json_decref(s->namespaces);
	return ret;
}

int cmd_show(const struct options *o, struct bpfstamp_err *err)
{
	struct bpfstamp_pins *pins = NULL;
	struct counters *counters = NULL;
	struct bpfstamp_err ignored;
	struct showing s = { .o = o, .err = err };
	int ret;

	if (o->stats && counters_open(&counters, o->pin_path, err))
		return -1;
	s.counters = counters;
	if (!bpfstamp_pins_open(&pins, o->pin_path ? o->pin_path : "/sys/fs/bpf", &ignored))
		s.pins = pins;
	ret = o->all_netns ? show_all(&s, err) : show_one(&s, err);
	bpfstamp_pins_free(pins);
	counters_free(counters);
	return ret ? -1 : 0;
}
