// SPDX-License-Identifier: BSD-2-Clause
/*
 * Links whose interface is gone.  Their pins keep them, and their programs, but
 * no packet meets them any more, and nothing brings them back: an interface
 * made anew is another one to the kernel, even with the same index.  Attach
 * removes the one whose place it takes; the others are found here, by their names
 * in bpfstamp's own folder, or one by a path that somebody gives.
 *
 * Such a link is nobody's but its pin's, so no namespace has to be entered, and
 * there is nothing to detach: the pin is removed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hook/linkpin.h"
#include "hook/links.h"
#include "loader/err.h"

static struct bpfstamp_attachment describe(const char *path, enum bpfstamp_hook_type type,
					   enum bpfstamp_direction direction, const struct mprog_link *link)
{
	struct bpfstamp_attachment a = { .type = type, .direction = direction, .link = link->id };

	links_describe_by_id(&a, link->program);
	snprintf(a.pin, sizeof(a.pin), "%s", path);
	a.ours = true;
	return a;
}

static int show_one(const char *path, const struct linkpin_info *info, const struct mprog_link *link, void *arg,
		    struct bpfstamp_err *err)
{
	struct bpfstamp_attachment a;

	if (link->ifindex)
		return 0;
	a = describe(path, info->type, info->direction, link);
	snprintf(a.name, sizeof(a.name), "%s", info->program);
	return hook_tell(arg, &a, err);
}

int hook_links_show_defunct(const struct hook_show *show, struct bpfstamp_err *err)
{
	struct hook_show copy = *show;

	return linkpin_each(show->pin_path, NULL, show_one, &copy, err);
}

struct removal {
	bool dry;
	struct hook_show show;
};

/* Somebody may have put another link there meanwhile, which stays. */
static int remove_one(const char *path, const struct linkpin_info *info, const struct mprog_link *link, void *arg,
		      struct bpfstamp_err *err)
{
	struct removal *r = arg;

	if (!link->ifindex && !r->dry && linkpin_remove_link(path, link->id, err))
		return err->code == ENOENT ? 0 : -1;
	return show_one(path, info, link, &r->show, err);
}

/* The one of a pin, which may stand anywhere; of XDP and netkit, too. */
static int remove_given(const char *path, const struct removal *r, struct bpfstamp_err *err)
{
	enum bpfstamp_direction direction;
	enum bpfstamp_hook_type type;
	struct bpfstamp_attachment a;
	struct linkpin pin;
	int ret;

	if (linkpin_open(path, &pin, err))
		return -1;
	if (pin.kind == LINKPIN_NONE)
		ret = err_set(err, ENOENT, "there is no pin %s", path);
	else if (pin.kind != LINKPIN_LINK || !mprog_link_hook(&pin.link, &type, &direction))
		ret = err_set(err, EINVAL, "%s is no pin of a link of TCX, netkit or XDP", path);
	else if (pin.link.ifindex)
		ret = err_set(err, EBUSY, "the link of %s is attached to an interface (index %u): name it (--dev)",
			      path, pin.link.ifindex);
	else
		ret = r->dry ? 0 : linkpin_remove(path, &pin, err);
	linkpin_close(&pin);
	if (ret)
		return -1;
	a = describe(path, type, direction, &pin.link);
	return hook_tell(&r->show, &a, err);
}

int bpfstamp_detach_defunct(const char *pin_path, const char *pin, bool dry, bpfstamp_attachment_fn *fn, void *arg,
			    struct bpfstamp_err *err)
{
	struct removal r = { .dry = dry, .show = { .pin_path = pin_path, .fn = fn, .arg = arg } };

	return pin ? remove_given(pin, &r, err) : linkpin_each(pin_path, NULL, remove_one, &r, err);
}
