// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is attached to TCX and netkit.  The kernel tells the ids of programs and
 * links of a hook, in their order, in one answer; each program is then asked
 * for its name.  A program that is gone by then was replaced or detached in
 * between, and all is asked again; a few times, because others may never rest.
 *
 * Only a hook that has programs costs more than one call: the pins of the folder
 * are then looked through by name, and those of this hook are opened.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook/linkpin.h"
#include "hook/links.h"
#include "loader/err.h"
#include "loader/pin.h"
#include "loader/record.h"
#include "loader/sys.h"

enum { TRIES = 5, KERNEL_NAME = 15 };

struct bpfstamp_attachment links_blank(const struct mprog_hook *hook)
{
	struct bpfstamp_attachment a = {
		.type = hook->type, .direction = hook->direction, .ifindex = hook->ifindex,
	};

	snprintf(a.dev, sizeof(a.dev), "%s", hook->dev);
	return a;
}

void links_describe_program(struct bpfstamp_attachment *a, int program)
{
	struct bpf_prog_info info = { 0 };

	if (sys_prog_info(program, &info))
		return;
	a->id = info.id;
	a->has_tag = true;
	memcpy(a->tag, info.tag, sizeof(a->tag));
	if (!*a->name)
		snprintf(a->name, sizeof(a->name), "%.*s", KERNEL_NAME, info.name);
}

bool links_describe_by_id(struct bpfstamp_attachment *a, uint32_t id)
{
	int fd = sys_prog_by_id(id);

	a->id = id;
	if (fd < 0)
		return errno != ENOENT;
	links_describe_program(a, fd);
	a->ours = record_is_there(fd);
	close(fd);
	return true;
}

static int own(const char *path, const struct linkpin_info *info, const struct mprog_link *link, void *arg,
	       struct bpfstamp_err *err)
{
	struct links *links = arg;

	(void)err;
	for (uint32_t i = 0; i < links->count; i++) {
		struct bpfstamp_attachment *a = &links->list[i];

		if (a->link != link->id)
			continue;
		a->ours = true;
		snprintf(a->name, sizeof(a->name), "%s", info->program);
		snprintf(a->pin, sizeof(a->pin), "%s", path);
	}
	return 0;
}

/* *gone: a program was, between the question for ids and that for names. */
static int list_once(const struct mprog_hook *hook, const char *pin_path, struct links *out, bool *gone,
		     struct bpfstamp_err *err)
{
	struct links links = { 0 };
	struct mprog_list ids;

	*gone = false;
	if (mprog_query(hook, &ids, err))
		return -1;
	links.revision = ids.revision;
	if (ids.count) {
		links.list = calloc(ids.count, sizeof(*links.list));
		if (!links.list)
			return err_set(err, ENOMEM, "out of memory");
	}
	for (; links.count < ids.count; links.count++) {
		struct bpfstamp_attachment *a = &links.list[links.count];

		*a = links_blank(hook);
		a->link = ids.links[links.count];
		*gone |= !links_describe_by_id(a, ids.programs[links.count]);
	}
	if (links.count && linkpin_each(pin_path, hook, own, &links, err)) {
		links_free(&links);
		return -1;
	}
	*out = links;
	return 0;
}

int links_list(const struct mprog_hook *hook, const char *pin_path, struct links *out, struct bpfstamp_err *err)
{
	struct links links;
	bool gone;

	for (int tries = TRIES;; links_free(&links)) {
		if (list_once(hook, pin_path, &links, &gone, err))
			return -1;
		if (!gone || !--tries)
			break;
	}
	*out = links;
	return 0;
}

void links_free(struct links *links)
{
	free(links->list);
	links->list = NULL;
	links->count = 0;
}

const struct bpfstamp_attachment *links_by_link(const struct links *links, uint32_t id)
{
	for (uint32_t i = 0; i < links->count; i++)
		if (id && links->list[i].link == id)
			return &links->list[i];
	return NULL;
}

const struct bpfstamp_attachment *links_by_program(const struct links *links, uint32_t id)
{
	for (uint32_t i = 0; i < links->count; i++)
		if (links->list[i].id == id)
			return &links->list[i];
	return NULL;
}

/* The kernel keeps 15 bytes of a name, and a pin all of it, in fewer characters. */
bool links_is_named(const struct bpfstamp_attachment *a, const char *name)
{
	char there[LINKPIN_SIZE], wanted[LINKPIN_SIZE];

	linkpin_name(there, a->name);
	linkpin_name(wanted, name);
	if (!*a->pin && strlen(there) == KERNEL_NAME)
		return !strncmp(there, wanted, KERNEL_NAME);
	return *there && !strcmp(there, wanted);
}

void links_append(const struct bpfstamp_attachment *a, bool first, struct bpfstamp_err *err)
{
	err_hint(err, "%s%s (program %u)", first ? "; there are: " : ", ", *a->name ? a->name : "?", a->id);
}

/* ------------------------------------------------------------------ show */

/* What means that there is nothing of that kind to be shown: an old kernel, no interface, none of netkit, a peer. */
static bool is_nothing(int code)
{
	return code == EINVAL || code == ENODEV || code == ENXIO || code == EACCES;
}

int hook_links_show(const struct hook_show *show, const struct link_info *link, enum bpfstamp_hook_type type,
		    enum bpfstamp_direction direction, struct bpfstamp_err *err)
{
	const struct mprog_hook hook = {
		.net = show->net, .type = type, .direction = direction, .ifindex = link->ifindex, .dev = link->name,
	};
	struct links links;
	int ret = 0;

	if (type == BPFSTAMP_NETKIT && strcmp(link->kind, "netkit") != 0)
		return 0;
	if (links_list(&hook, show->pin_path, &links, err))
		return is_nothing(err->code) ? 0 : -1;
	for (uint32_t i = 0; !ret && i < links.count; i++)
		ret = hook_tell(show, &links.list[i], err);
	links_free(&links);
	return ret;
}

bool hook_links_usable(struct bpfstamp_net *net, const struct hook_place *place)
{
	const struct mprog_hook hook = {
		.net = net, .type = BPFSTAMP_TCX, .direction = place->hook->direction, .ifindex = place->ifindex,
		.dev = place->dev,
	};
	char path[LINKPIN_SIZE], folder[LINKPIN_SIZE];
	struct bpfstamp_err ignored;
	struct mprog_list list;

	if (linkpin_path(path, &hook, place->hook->pin_path, place->hook->pin, "", 1, &ignored))
		return false;
	linkpin_folder(folder, path);
	return !pin_check_folder(folder, &ignored) && !mprog_query(&hook, &list, &ignored);
}
