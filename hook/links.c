// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a program on TCX or netkit.
 *
 * It is attached by a link, and the link is pinned: the pin is the place, and
 * says whose it is.  Where the pin leads to a link of this very hook, that link
 * gets the new program by one call (BPF_LINK_UPDATE): it keeps its position, and
 * no packet passes between.  A position that is asked for counts only for a new link.
 * A link whose interface is gone counts as none.  A pin that leads anywhere else is left
 * alone, unless the caller forces it.
 *
 * Killed at any point, attach leaves the old program, the new one, or nothing: a
 * link that is not pinned yet ends with the process.  Detach first removes the pin
 * and then the link, for the same reason: only the first can be refused.
 *
 * Others may attach, replace and detach meanwhile.  Each step notices (the array
 * by its revision, the update by the program that it replaces, the pin by
 * its inode), and all starts anew, a few times.
 *
 * Attach and detach of links that are pinned need CAP_BPF and CAP_NET_ADMIN; all
 * that takes an id of the kernel's (programs without a link, links of others,
 * names of others) CAP_SYS_ADMIN, and is done without where it is no more than a precaution.
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
#include "loader/near.h"
#include "loader/pin.h"
#include "loader/sys.h"

enum { TRIES = 8 };
enum { AGAIN = 1 };	/* returned beside 0 and -1: somebody else was faster; *err is what to say if it does not end */

static struct mprog_hook hook_at(const struct bpfstamp_net *net, const struct hook_place *place)
{
	return (struct mprog_hook){
		.net = net, .type = place->hook->type, .direction = place->hook->direction,
		.ifindex = place->ifindex, .dev = place->dev,
	};
}

/* "tcx egress of eth0", at buf. */
static const char *hook_name(const struct mprog_hook *hook, char buf[64])
{
	snprintf(buf, 64, "%s %s of %s", mprog_type_name(hook->type), mprog_direction_name(hook->direction), hook->dev);
	return buf;
}

/* ------------------------------------------------------------ the place */

enum place_state {
	FREE,		/* no pin, or one of a link whose interface is gone */
	OCCUPIED,	/* by a link on this hook */
	FOREIGN,	/* the pin leads elsewhere */
};

struct target {
	char path[LINKPIN_SIZE];
	struct linkpin pin;
	enum place_state state;
};

static int judge(const struct mprog_hook *hook, struct target *t, struct bpfstamp_err *err)
{
	struct mprog_list list;

	t->state = t->pin.kind == LINKPIN_NONE ? FREE : FOREIGN;
	if (t->pin.kind != LINKPIN_LINK || !mprog_link_is(&t->pin.link, hook->type, hook->direction))
		return 0;
	if (!t->pin.link.ifindex) {
		t->state = FREE;
		return 0;
	}
	if (mprog_query(hook, &list, err))
		return -1;
	for (uint32_t i = 0; i < list.count; i++)
		if (list.links[i] == t->pin.link.id)
			t->state = OCCUPIED;
	return 0;
}

/* Where to attach; what is returned has to be closed.  To append is to take the first number that is free. */
static int find_target(const struct mprog_hook *hook, const struct bpfstamp_hook *wanted, const char *name,
		       struct target *out, struct bpfstamp_err *err)
{
	struct target t;

	for (uint32_t n = 1;; n++) {
		if (linkpin_path(t.path, hook, wanted->pin_path, wanted->pin, name, n, err) ||
		    linkpin_open(t.path, &t.pin, err))
			return -1;
		if (judge(hook, &t, err)) {
			linkpin_close(&t.pin);
			return -1;
		}
		if (t.state == FREE || wanted->existing != BPFSTAMP_APPEND || n > MPROG_MAX)
			break;
		linkpin_close(&t.pin);
	}
	*out = t;
	return 0;
}

static int refuse_foreign(const struct mprog_hook *hook, const struct target *t, struct bpfstamp_err *err)
{
	const char *what = t->pin.kind == LINKPIN_LINK ? "a link that is not on it" :
		t->pin.kind == LINKPIN_PROGRAM ? "a program" : "something else";
	char buf[64];

	return err_set(err, EEXIST, "cannot attach to %s: the pin %s is of %s; remove it, choose another with "
		       "--link-pin, or use --force", hook_name(hook, buf), t->path, what);
}

/* ---------------------------------------------------------- the position */

/* The id of the program that a pin is of, or leads to. */
static int program_of_pin(const char *path, uint32_t *id, struct bpfstamp_err *err)
{
	struct linkpin pin;

	if (linkpin_open(path, &pin, err))
		return -1;
	*id = pin.kind == LINKPIN_LINK ? pin.link.program : pin.program;
	linkpin_close(&pin);
	if (pin.kind == LINKPIN_NONE)
		return err_set(err, ENOENT, "there is no pin %s", path);
	if (pin.kind == LINKPIN_OTHER)
		return err_set(err, EINVAL, "the pin %s is neither of a program nor of a link", path);
	return 0;
}

static int program_of_name(const struct links *links, const char *name, uint32_t *id, struct bpfstamp_err *err)
{
	struct near near = near_to(name, strlen(name));
	uint32_t found = 0;

	for (uint32_t i = 0; i < links->count; i++) {
		near_consider(&near, links->list[i].name);
		if (!links_is_named(&links->list[i], name))
			continue;
		*id = links->list[i].id;
		found++;
	}
	if (found == 1)
		return 0;
	if (!found) {
		err_set(err, ENOENT, "no program '%s' is attached there", name);
		near_suggest(&near, err);
		return -1;
	}
	err_set(err, ENOTUNIQ, "%u programs there are called '%s': name one by its id", found, name);
	found = 0;
	for (uint32_t i = 0; i < links->count; i++)
		if (links_is_named(&links->list[i], name))
			links_append(&links->list[i], !found++, err);
	return -1;
}

static int find_relative(const struct links *links, const char *text, uint32_t *id, struct bpfstamp_err *err)
{
	bool is_number = *text && strspn(text, "0123456789") == strlen(text);

	if (strchr(text, '/') ? program_of_pin(text, id, err) :
	    !is_number ? program_of_name(links, text, id, err) : 0)
		return -1;
	if (is_number)
		*id = strlen(text) > 9 ? UINT32_MAX : (uint32_t)strtoul(text, NULL, 10);
	if (!links_by_program(links, *id))
		return err_set(err, ENOENT, "program %s is not attached there", text);
	return 0;
}

static int find_position(const struct mprog_hook *hook, const struct bpfstamp_hook *wanted,
			 struct mprog_position *out, struct bpfstamp_err *err)
{
	struct mprog_position position = { .where = wanted->where };
	struct links links;
	char buf[64];
	int ret;

	if (wanted->where == BPFSTAMP_BEFORE || wanted->where == BPFSTAMP_AFTER) {
		if (!wanted->relative)
			return err_set(err, EINVAL, "%s: before or after what is not said", hook_name(hook, buf));
		if (links_list(hook, wanted->pin_path, &links, err))
			return -1;
		position.revision = links.revision;
		ret = find_relative(&links, wanted->relative, &position.relative, err);
		links_free(&links);
		if (ret)
			return err_wrap(err, "%s", hook_name(hook, buf));
	}
	*out = position;
	return 0;
}

/* ---------------------------------------------------------------- attach */

static void describe_new(const struct mprog_hook *hook, const struct target *t, int program, uint32_t link,
			 const char *name, struct bpfstamp_attachment *out)
{
	*out = links_blank(hook);
	out->ours = true;
	out->link = link;
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->pin, sizeof(out->pin), "%s", t->path);
	links_describe_program(out, program);
}

/* Without the right to open the program that is there, the link is updated whatever it has. */
static int replace(const struct mprog_hook *hook, const struct target *t, int program, struct bpfstamp_err *err)
{
	int old = sys_prog_by_id(t->pin.link.program), ret;
	struct mprog_link now;

	ret = mprog_update(hook, t->pin.fd, program, old, err);
	if (old >= 0)
		close(old);
	if (!ret)
		return 0;
	if (err->code == ENOLINK || (err->code == EPERM && !mprog_link_info(t->pin.fd, &now) &&
				     now.program != t->pin.link.program))
		return AGAIN;
	return -1;
}

static int create(const struct mprog_hook *hook, const struct bpfstamp_hook *wanted, const struct target *t,
		  int program, uint32_t *id, struct bpfstamp_err *err)
{
	struct mprog_position position;
	struct mprog_link made;
	char buf[64];
	int link;

	if (find_position(hook, wanted, &position, err))
		return -1;
	link = mprog_link(hook, program, &position, err);
	if (link < 0)
		return err->code == ESTALE ? AGAIN : -1;
	if (mprog_link_info(link, &made)) {
		err_set(err, errno, "%s: cannot look at the link: %s", hook_name(hook, buf), strerror(errno));
		close(link);
		return -1;
	}
	if (linkpin_put(t->path, link, &t->pin, err)) {
		close(link);
		err_wrap(err, "cannot attach to %s", hook_name(hook, buf));
		return err->code == EEXIST || err->code == ENOENT ? AGAIN : -1;
	}
	close(link);
	*id = made.id;
	return 0;
}

static int attach_once(const struct mprog_hook *hook, const struct bpfstamp_hook *wanted, int program,
		       const char *name, struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct target t;
	char buf[64];
	uint32_t id;
	int ret;

	if (find_target(hook, wanted, name, &t, err))
		return -1;
	id = t.pin.link.id;
	if (t.state == FOREIGN && !wanted->force)
		ret = refuse_foreign(hook, &t, err);
	else if (t.state != OCCUPIED)
		ret = create(hook, wanted, &t, program, &id, err);
	else if (wanted->existing == BPFSTAMP_REPLACE)
		ret = replace(hook, &t, program, err);
	else
		ret = err_set(err, EEXIST, "%s has program %u already, by the link pinned at %s", hook_name(hook, buf),
			      t.pin.link.program, t.path);
	if (!ret)
		describe_new(hook, &t, program, id, name, out);
	linkpin_close(&t.pin);
	return ret;
}

static int attach(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct mprog_hook hook = hook_at(net, place);
	int ret, tries = TRIES;

	do
		ret = attach_once(&hook, place->hook, fd, name, out, err);
	while (ret == AGAIN && --tries);
	return ret ? -1 : 0;
}

static int check(struct bpfstamp_net *net, const struct hook_place *place, const char *name,
		 struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *wanted = place->hook;
	struct mprog_hook hook = hook_at(net, place);
	const struct bpfstamp_attachment *there;
	char folder[LINKPIN_SIZE];
	struct mprog_position position;
	struct links links;
	struct target t;

	if (find_target(&hook, wanted, name, &t, err))
		return -1;
	linkpin_close(&t.pin);
	if (t.state == FOREIGN && !wanted->force)
		return refuse_foreign(&hook, &t, err);
	linkpin_folder(folder, t.path);
	if (pin_check_folder(folder, err) || links_list(&hook, wanted->pin_path, &links, err))
		return -1;
	there = t.state == OCCUPIED ? links_by_link(&links, t.pin.link.id) : NULL;
	if (there) {
		out->occupied = true;
		out->there = *there;
		out->there.ours = true;
		snprintf(out->there.pin, sizeof(out->there.pin), "%s", t.path);
	}
	links_free(&links);
	return out->occupied ? 0 : find_position(&hook, wanted, &position, err);
}

/* ---------------------------------------------------------------- detach */

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
	char buf[64];

	for (uint32_t i = 0; i < links->count; i++)
		others += is_meant(c, &links->list[i]);
	if (!others)
		return err_set(err, ENOENT, "there is no %s on %s", c->wanted->pin || c->wanted->id ||
			       c->wanted->program ? "such program" : "program", hook_name(hook, buf));
	err_set(err, ENOENT, "there is no program of bpfstamp on %s; name another by its id, and use --force",
		hook_name(hook, buf));
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
	char buf[64];

	err_set(err, ENOTUNIQ, "several programs on %s: name one by its id", hook_name(hook, buf));
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
		return AGAIN;
	}
	ret = linkpin_remove(a->pin, &pin, err);
	if (ret && err->code == ENOENT)
		ret = AGAIN;
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
		return err->code == ENOENT ? AGAIN : ret;
	}
	ret = a->link ? detach_link(fd, a->link, err) : mprog_remove(hook, fd, revision, err);
	close(fd);
	return ret && err->code == ESTALE ? AGAIN : ret;
}

/* The link of a pin that was named, and whose interface is gone: only the pin is left. */
static int remove_defunct(const struct mprog_hook *hook, const struct choice *c, bool dry,
			  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	*out = links_blank(hook);
	out->ifindex = 0;
	out->ours = true;
	*out->dev = '\0';
	out->id = c->pin.link.program;
	out->link = c->pin.link.id;
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
	if (!ret && !dry)
		ret = remove_one(hook, out, links.revision, err);
	links_free(&links);
	return ret;
}

static int detach(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct choice c = { .wanted = place->hook, .pin = { .fd = -1 } };
	struct mprog_hook hook = hook_at(net, place);
	int ret, tries = TRIES;

	do {
		if (c.wanted->pin && linkpin_open(c.wanted->pin, &c.pin, err))
			return -1;
		ret = detach_once(&hook, &c, dry, out, err);
		linkpin_close(&c.pin);
	} while (ret == AGAIN && --tries);
	return ret ? -1 : 0;
}

const struct hook_ops hook_links = { .check = check, .attach = attach, .detach = detach };
