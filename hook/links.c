// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a program on TCX or netkit.
 *
 * It is attached by a link, and the link is pinned: the pin is the place, and
 * says whose it is.  Where the pin leads to a link of this very hook, that link
 * gets the new program by one call (BPF_LINK_UPDATE): it keeps its position, and
 * no packet passes between.  So a position counts only for a new link.  A link
 * whose interface is gone counts as none.  A pin that leads anywhere else is
 * left alone, unless the caller forces it.
 *
 * Killed at any point, attach leaves the old program, the new one, or nothing:
 * a link that is not pinned yet ends with the process.
 *
 * Others may attach, replace and detach meanwhile.  Each step notices (the hook
 * by its revision, the update by the program that it replaces, the pin by its
 * inode), and all starts anew, a few times.
 *
 * Attach and detach of links that are pinned need CAP_BPF and CAP_NET_ADMIN.
 * What takes an id of the kernel's (programs without a link, links and names of
 * others) needs CAP_SYS_ADMIN, and is done without where it is a precaution only.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/linkpin.h"
#include "hook/links.h"
#include "loader/err.h"
#include "loader/pin.h"
#include "loader/sys.h"

struct mprog_hook links_hook(const struct bpfstamp_net *net, const struct hook_place *place)
{
	return (struct mprog_hook){
		.net = net, .type = place->hook->type, .direction = place->hook->direction,
		.ifindex = place->ifindex, .dev = place->dev,
	};
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
	struct mprog_list list = { 0 };

	t->state = t->pin.kind == LINKPIN_NONE ? FREE : FOREIGN;
	if (t->pin.kind != LINKPIN_LINK || !mprog_link_is(&t->pin.link, hook->type, hook->direction))
		return 0;
	if (t->pin.link.ifindex && mprog_query(hook, &list, err))
		return -1;
	for (uint32_t i = 0; i < list.count; i++)
		if (list.links[i] == t->pin.link.id)
			t->state = OCCUPIED;
	/* It may have been detached before the hook was asked. */
	if (t->state == FOREIGN && !mprog_link_info(t->pin.fd, &t->pin.link) && !t->pin.link.ifindex)
		t->state = FREE;
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
	char buf[MPROG_NAME_SIZE];

	return err_set(err, EEXIST, "cannot attach to %s: the pin %s is of %s; remove it, choose another with "
		       "--link-pin, or use --force", mprog_name(hook, buf), t->path, what);
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

	if (old < 0 && errno == ENOENT) {
		err_set(err, EBUSY, "the program of the link pinned at %s is being replaced all the time", t->path);
		return LINKS_AGAIN;
	}
	ret = mprog_update(hook, t->pin.fd, program, old, err);
	if (old >= 0)
		close(old);
	if (!ret)
		return 0;
	if (err->code == ENOLINK || (err->code == EPERM && !mprog_link_info(t->pin.fd, &now) &&
				     now.program != t->pin.link.program))
		return LINKS_AGAIN;
	return -1;
}

static int create(const struct mprog_hook *hook, const struct bpfstamp_hook *wanted, const struct target *t,
		  int program, uint32_t *id, struct bpfstamp_err *err)
{
	struct mprog_position position;
	struct mprog_link made;
	char buf[MPROG_NAME_SIZE];
	int link;

	if (links_position(hook, wanted, &position, err))
		return -1;
	link = mprog_link(hook, program, &position, err);
	if (link < 0)
		return err->code == ESTALE ? LINKS_AGAIN : -1;
	if (mprog_link_info(link, &made)) {
		err_set(err, errno, "%s: cannot look at the link: %s", mprog_name(hook, buf), strerror(errno));
		close(link);
		return -1;
	}
	if (linkpin_put(t->path, link, &t->pin, err)) {
		close(link);
		err_wrap(err, "cannot attach to %s", mprog_name(hook, buf));
		return err->code == EEXIST || err->code == ENOENT ? LINKS_AGAIN : -1;
	}
	close(link);
	*id = made.id;
	return 0;
}

static int attach_once(const struct mprog_hook *hook, const struct bpfstamp_hook *wanted, int program,
		       const char *name, struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct target t;
	char buf[MPROG_NAME_SIZE];
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
		ret = err_set(err, EEXIST, "%s has program %u already, by the link pinned at %s",
			      mprog_name(hook, buf), t.pin.link.program, t.path);
	if (!ret && out)
		describe_new(hook, &t, program, id, name, out);
	linkpin_close(&t.pin);
	return ret;
}

static int attach(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct mprog_hook hook = links_hook(net, place);
	int ret, tries = LINKS_TRIES;

	do
		ret = attach_once(&hook, place->hook, fd, name, out, err);
	while (ret == LINKS_AGAIN && --tries);
	return ret ? -1 : 0;
}

static int check(struct bpfstamp_net *net, const struct hook_place *place, const char *name,
		 struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *wanted = place->hook;
	struct mprog_hook hook = links_hook(net, place);
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
	return out->occupied ? 0 : links_position(&hook, wanted, &position, err);
}

const struct hook_ops hook_links = { .check = check, .attach = attach, .detach = links_detach };
