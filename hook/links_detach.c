// SPDX-License-Identifier: BSD-2-Clause
/*
 * Removing a program from TCX or netkit: the one that a pin, an id or a name
 * says, or the only one of bpfstamp.
 *
 * A link's pin is removed first, then the link is detached.  Only the first can
 * be refused, and then nothing has changed; killed between the two, the process
 * takes the link with it, unless somebody else holds it, too.  A link of
 * bpfstamp's that is pinned elsewhere than in its folder is known by its record,
 * and its pin is looked for in the whole bpffs, so that none is left behind.
 *
 * A link that bpfstamp did not make, or a program without a link, goes only where
 * the caller names it and forces it.  These are opened by their ids, which
 * needs CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/linkpin.h"
#include "hook/links.h"
#include "loader/err.h"
#include "loader/sys.h"

/* Which of those that are there a caller means. */
struct choice {
	const struct bpfstamp_hook *wanted;
	struct linkpin pin;	/* of wanted->pin, where that is given */
};

static bool is_meant(const struct choice *c, const struct bpfstamp_attachment *a)
{
	if (c->wanted->pin && (!a->link || c->pin.kind != LINKPIN_LINK || c->pin.link.id != a->link))
		return false;
	if (c->wanted->id && c->wanted->id != a->id)
		return false;
	return !c->wanted->program || links_is_named(a, c->wanted->program);
}

/* What is not bpfstamp's has to be named, and forced; what a pin was named for is. */
static bool may_go(const struct choice *c, const struct bpfstamp_attachment *a)
{
	const struct bpfstamp_hook *wanted = c->wanted;

	return a->ours || wanted->pin || (wanted->force && (wanted->id || wanted->program));
}

static int refuse_none(const struct mprog_hook *hook, const struct links *links, const struct choice *c,
		       struct bpfstamp_err *err)
{
	uint32_t others = 0;
	char buf[MPROG_NAME_SIZE];

	for (uint32_t i = 0; i < links->count; i++)
		others += is_meant(c, &links->list[i]);
	if (!others)
		return err_set(err, ENOENT, "there is no %s on %s", c->wanted->pin || c->wanted->id ||
			       c->wanted->program ? "such program" : "program", mprog_name(hook, buf));
	err_set(err, ENOENT, "there is no program of bpfstamp on %s; name another by its id, and use --force",
		mprog_name(hook, buf));
	others = 0;
	for (uint32_t i = 0; i < links->count; i++)
		if (is_meant(c, &links->list[i]))
			links_append(&links->list[i], !others++, err);
	return -1;
}

static int refuse_many(const struct mprog_hook *hook, const struct links *links, const struct choice *c,
		       struct bpfstamp_err *err)
{
	bool first = true;
	char buf[MPROG_NAME_SIZE];

	err_set(err, ENOTUNIQ, "several programs on %s: name one by its id", mprog_name(hook, buf));
	for (uint32_t i = 0; i < links->count; i++) {
		if (!is_meant(c, &links->list[i]) || !may_go(c, &links->list[i]))
			continue;
		links_append(&links->list[i], first, err);
		first = false;
	}
	return -1;
}

static int choose(const struct mprog_hook *hook, const struct links *links, const struct choice *c,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	const struct bpfstamp_attachment *chosen = NULL;

	for (uint32_t i = 0; i < links->count; i++) {
		if (!is_meant(c, &links->list[i]) || !may_go(c, &links->list[i]))
			continue;
		if (chosen)
			return refuse_many(hook, links, c, err);
		chosen = &links->list[i];
	}
	if (!chosen)
		return refuse_none(hook, links, c, err);
	*out = *chosen;
	if (c->wanted->pin)
		snprintf(out->pin, sizeof(out->pin), "%s", c->wanted->pin);
	return 0;
}

static int fail_by_id(const char *what, uint32_t id, struct bpfstamp_err *err)
{
	err_set(err, errno, "cannot open %s %u: %s", what, id, strerror(errno));
	return err->code == EPERM ? err_hint(err, "; needs CAP_SYS_ADMIN") : -1;
}

static int detach_link(int fd, uint32_t id, struct bpfstamp_err *err)
{
	return sys_link_detach(fd) ? err_set(err, errno, "cannot detach link %u: %s", id, strerror(errno)) : 0;
}

static int remove_pinned(const struct bpfstamp_attachment *a, struct bpfstamp_err *err)
{
	struct linkpin pin;
	int ret;

	if (linkpin_open(a->pin, &pin, err))
		return -1;
	if (pin.kind != LINKPIN_LINK || pin.link.id != a->link) {
		linkpin_close(&pin);
		err_set(err, ENOENT, "the pin %s was removed, or is of another link by now", a->pin);
		return LINKS_AGAIN;
	}
	ret = linkpin_remove(a->pin, &pin, err);
	if (ret && err->code == ENOENT)
		ret = LINKS_AGAIN;
	if (!ret)
		ret = detach_link(pin.fd, a->link, err);
	linkpin_close(&pin);
	return ret;
}

static int remove_one(const struct mprog_hook *hook, const struct bpfstamp_attachment *a, uint64_t revision,
		      struct bpfstamp_err *err)
{
	int fd, ret;

	if (*a->pin)
		return remove_pinned(a, err);
	fd = a->link ? sys_link_by_id(a->link) : sys_prog_by_id(a->id);
	if (fd < 0) {
		ret = fail_by_id(a->link ? "link" : "program", a->link ? a->link : a->id, err);
		return err->code == ENOENT ? LINKS_AGAIN : ret;
	}
	ret = a->link ? detach_link(fd, a->link, err) : mprog_remove(hook, fd, revision, err);
	close(fd);
	return ret && err->code == ESTALE ? LINKS_AGAIN : ret;
}

/* The link of a pin that was named, and whose interface is gone: only the pin is left. */
static int remove_defunct(const struct mprog_hook *hook, const struct choice *c, bool dry,
			  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	*out = links_blank(hook);
	out->ifindex = 0;
	*out->dev = '\0';
	links_describe_by_id(out, c->pin.link.program);
	out->ours = true;
	out->link = c->pin.link.id;
	if (!is_meant(c, out))
		return err_set(err, ENOENT, "the link pinned at %s, whose interface is gone, holds program %u '%s', not "
			       "the one asked for", c->wanted->pin, out->id, out->name);
	snprintf(out->pin, sizeof(out->pin), "%s", c->wanted->pin);
	return dry ? 0 : linkpin_remove(c->wanted->pin, &c->pin, err);
}

static int detach_once(const struct mprog_hook *hook, const struct choice *c, bool dry,
		       struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct links links;
	int ret;

	if (c->pin.kind == LINKPIN_LINK && mprog_link_is(&c->pin.link, hook->type, hook->direction) &&
	    !c->pin.link.ifindex)
		return remove_defunct(hook, c, dry, out, err);
	if (links_list(hook, c->wanted->pin_path, &links, err))
		return -1;
	ret = choose(hook, &links, c, out, err);
	if (!ret && out->ours && out->link && !*out->pin)
		linkpin_find(c->wanted->pin_path, out->link, out->pin);
	if (!ret && !dry)
		ret = remove_one(hook, out, links.revision, err);
	links_free(&links);
	return ret;
}

int links_detach(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		 struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct choice c = { .wanted = place->hook, .pin = { .fd = -1 } };
	struct mprog_hook hook = links_hook(net, place);
	int ret, tries = LINKS_TRIES;
	char path[LINKPIN_SIZE];

	if (c.wanted->pin && linkpin_path(path, &hook, NULL, c.wanted->pin, "", 1, err))
		return -1;
	do {
		if (c.wanted->pin && linkpin_open(c.wanted->pin, &c.pin, err))
			return -1;
		ret = detach_once(&hook, &c, dry, out, err);
		linkpin_close(&c.pin);
	} while (ret == LINKS_AGAIN && --tries);
	return ret ? -1 : 0;
}
