// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hooks that a pod's programs are on.
 *
 * A place is chosen before anything is changed: what "auto" comes to, the
 * number of the link's pin, and whether there was a clsact qdisc.  All of that is
 * in the state before the first program is attached, so that it can be removed
 * by the state alone.  An ADD that is repeated finds its places in the old state,
 * and programs are replaced there in one step.
 *
 * A link (TCX, netkit, XDP) is pinned in the pod's folder, and removed with its
 * pin.  Kernels before 5.9 have no links of XDP: there the program is put on the
 * interface by netlink.  A filter is removed only from the interface that it was
 * put on, by index, while that is the pod's (pod.c), and the filter bpfstamp's and of its name.
 * clsact is removed, where it was missing before, with the last filter on it; so every filter
 * on that end has that mark, also one that comes later.
 */
#include <errno.h>
#include <string.h>

#include "cni/places.h"
#include "loader/err.h"

/* The hook of a place; pin: STATE_LINK_SIZE bytes. */
static int hook_of(struct bpfstamp_hook *out, const struct kept_place *place, const char *dev, char *pin,
		   const struct state *s, struct bpfstamp_err *err)
{
	*out = (struct bpfstamp_hook){
		.type = place->type, .dev = dev, .direction = place->direction,
		.prio = place->prio, .handle = place->handle,
	};
	if (state_link_path(pin, s, place->link, err))
		return -1;
	out->pin = pin;
	return 0;
}

static const struct link_info *end_of(const struct kept_place *place, const struct pod *pod)
{
	return place->pod ? &pod->end : &pod->host;
}

static struct bpfstamp_net *net_of(const struct kept_place *place, const struct pod *pod)
{
	return place->pod ? pod->inside : pod->node;
}

/* ---------------------------------------------------------------- choose */

bool place_is(const struct kept_place *place, const struct cni_attachment *wanted, const struct pod *pod)
{
	const struct bpfstamp_hook *hook = &wanted->hook;

	if (place->pod != !strcmp(wanted->dev, "pod") || place->ifindex != end_of(place, pod)->ifindex ||
	    place->direction != hook->direction)
		return false;
	if (hook->type != place->type &&
	    (hook->type != BPFSTAMP_AUTO || (place->type != BPFSTAMP_CLSACT && place->type != BPFSTAMP_TCX)))
		return false;
	return place->type != BPFSTAMP_CLSACT || (place->prio == hook->prio && place->handle == hook->handle);
}

struct choosing {
	struct kept *k;
	const struct kept *old;
	const struct pod *pod;
	const struct state *s;
	bool again[KEPT_PLACES];	/* places of old that are used again */
	bool numbers[KEPT_PLACES + 1];	/* of links, that are taken */
};

/* A place of old, where it is the same; NULL where there is none. */
static const struct kept_place *find_old(struct choosing *c, const struct cni_attachment *wanted)
{
	for (size_t i = 0; i < c->old->place_count; i++) {
		if (c->again[i] || !place_is(&c->old->places[i], wanted, c->pod))
			continue;
		c->again[i] = true;
		return &c->old->places[i];
	}
	return NULL;
}

static uint32_t free_number(struct choosing *c)
{
	uint32_t n = 0;

	while (n < KEPT_PLACES && c->numbers[n])
		n++;
	c->numbers[n] = true;
	return n;
}

static void describe(struct choosing *c, struct kept_place *place, const struct cni_attachment *wanted)
{
	const struct kept_place *old = find_old(c, wanted);

	memset(place, 0, sizeof(*place));
	place->pod = !strcmp(wanted->dev, "pod");
	place->ifindex = end_of(place, c->pod)->ifindex;
	place->type = old ? old->type : wanted->hook.type;
	place->direction = wanted->hook.direction;
	place->prio = wanted->hook.prio;
	place->handle = wanted->hook.handle;
	place->link = old ? old->link : free_number(c);
}

/* Whether there was no clsact on that end before the pod's first filter, of whichever place that was. */
static bool made_clsact(const struct choosing *c, const struct kept_place *place)
{
	for (size_t i = 0; i < c->old->place_count; i++) {
		const struct kept_place *old = &c->old->places[i];

		if (old->clsact && old->pod == place->pod && old->ifindex == place->ifindex)
			return true;
	}
	return false;
}

/* What "auto" comes to, and whether the place is free for us. */
static int look(struct choosing *c, struct kept_place *place, const struct cni_program *program,
		struct bpfstamp_err *err)
{
	const struct cni_attachment *wanted = program->wanted;
	const char *dev = end_of(place, c->pod)->name;
	char pin[STATE_LINK_SIZE];
	struct bpfstamp_plan plan;
	struct bpfstamp_hook hook;

	if (hook_of(&hook, place, dev, pin, c->s, err))
		return -1;
	hook.xdp_mode = wanted->hook.xdp_mode;
	if (bpfstamp_attach_check(net_of(place, c->pod), &hook, program->name, &plan, err))
		return err_wrap(err, "program %s cannot be attached to %s", program->name, dev);
	place->type = plan.type;
	place->clsact = plan.type == BPFSTAMP_CLSACT && (!plan.clsact || made_clsact(c, place));
	return 0;
}

int places_choose(struct kept *k, const struct kept *old, struct programs *programs, const struct pod *pod,
		  const struct state *s, struct bpfstamp_err *err)
{
	struct choosing c = { .k = k, .old = old, .pod = pod, .s = s };

	for (size_t i = 0; i < old->place_count; i++)
		c.numbers[old->places[i].link] = true;
	k->place_count = programs->pod_count;
	for (size_t i = 0; i < k->place_count; i++) {
		const struct cni_program *program = &programs->pod[i];

		describe(&c, &k->places[i], program->wanted);
		if (strlen(program->name) >= sizeof(k->places[i].program))
			return err_set(err, ENAMETOOLONG, "the name of program %.64s… is too long", program->name);
		strcpy(k->places[i].program, program->name);
		if (look(&c, &k->places[i], program, err))
			return -1;
	}
	for (size_t i = 0; i < old->place_count; i++) {
		if (c.again[i])
			continue;
		if (k->place_count == KEPT_PLACES)
			return err_set(err, E2BIG, "too much is left of earlier ADDs of this pod: DEL it first");
		k->places[k->place_count++] = old->places[i];
	}
	return 0;
}

/* ---------------------------------------------------------------- attach */

/* A kernel without links of XDP. */
static bool wants_netlink(const struct kept_place *place, const struct bpfstamp_err *err)
{
	return place->type == BPFSTAMP_XDP && err->code == EOPNOTSUPP;
}

/* TCX and netkit take a program once, and another link in that place may have one that is shared. */
static bool wants_own(const struct kept_place *place, const struct cni_program *program,
		      const struct bpfstamp_err *err)
{
	return program->load.reuse && err->code == EEXIST &&
	       (place->type == BPFSTAMP_TCX || place->type == BPFSTAMP_NETKIT);
}

int place_fill(const struct kept_place *place, struct cni_program *program, const struct pod *pod,
	       const struct state *s, struct bpfstamp_err *err)
{
	const char *dev = end_of(place, pod)->name;
	char pin[STATE_LINK_SIZE];
	struct bpfstamp_hook hook;
	int ret;

	if (hook_of(&hook, place, dev, pin, s, err))
		return -1;
	hook.xdp_mode = program->wanted->hook.xdp_mode;
	ret = bpfstamp_attach(net_of(place, pod), &hook, program->fd, program->name, NULL, err);
	if (ret && wants_own(place, program, err))
		ret = program_load_own(program, err) ||
		      bpfstamp_attach(net_of(place, pod), &hook, program->fd, program->name, NULL, err);
	if (ret && wants_netlink(place, err)) {
		hook.pin = NULL;
		ret = bpfstamp_attach(net_of(place, pod), &hook, program->fd, program->name, NULL, err);
	}
	return ret ? err_wrap(err, "program %s", program->name) : 0;
}

/* ---------------------------------------------------------------- detach */

/* What is there is gone, or nobody can say that it is ours. */
static bool is_gone(const struct kept_place *place, const struct bpfstamp_err *err)
{
	if (err->code == EBUSY)
		return place->type == BPFSTAMP_XDP;
	return err->code == ENOENT || err->code == ENODEV || err->code == EEXIST || err->code == ESTALE ||
	       err->code == ENOTUNIQ;
}

/* clsact has a shared block by now: it was made anew, and is somebody else's. */
static bool is_another(const struct kept_place *place, const struct bpfstamp_err *err)
{
	return place->type == BPFSTAMP_CLSACT && err->code == EOPNOTSUPP;
}

/* The interface of a place; ENODEV where it is gone, or is another's by now. */
static int find_left(const struct kept_place *place, const struct kept *k, const struct pod *pod,
		     struct link_info *link, struct bpfstamp_err *err)
{
	enum pod_whose whose;

	if (place->pod)
		return link_find(pod_inside(pod), place->ifindex, NULL, link, err);
	if (pod_find_left(pod, k, place->ifindex, link, &whose, err))
		return -1;
	return whose == POD_OURS ? 0 : err_set(err, ENODEV, "index %d is not the pod's any more", place->ifindex);
}

static int detach_by_netlink(const struct kept_place *place, const struct kept *k, const struct pod *pod,
			     struct bpfstamp_err *err)
{
	struct bpfstamp_net *net = net_of(place, pod);
	struct bpfstamp_hook hook = {
		.type = place->type, .direction = place->direction, .prio = place->prio, .handle = place->handle,
		.program = place->program,
	};
	struct bpfstamp_err ignored;
	struct link_info link;

	if (!net)
		return 0;
	if (find_left(place, k, pod, &link, err))
		return err->code == ENODEV ? 0 : -1;
	hook.dev = link.name;
	if (bpfstamp_detach(net, &hook, false, NULL, err)) {
		if (is_another(place, err))
			return 0;
		if (!is_gone(place, err))
			return -1;
	}
	if (place->clsact)
		bpfstamp_clsact_delete(net, link.name, false, &ignored);
	return 0;
}

int place_empty(const struct kept_place *place, const struct kept *k, const struct pod *pod, const struct state *s,
		struct bpfstamp_err *err)
{
	bool was = false;

	if (place->type != BPFSTAMP_CLSACT && state_remove_link(s, place->link, &was, err))
		return -1;
	if (place->type == BPFSTAMP_CLSACT || (place->type == BPFSTAMP_XDP && !was))
		return detach_by_netlink(place, k, pod, err);
	return 0;
}

/* ----------------------------------------------------------------- check */

static int missing(const struct kept_place *place, const char *dev, struct bpfstamp_err *err)
{
	return err_set(err, ENOENT, "program %s is not attached to %s (%s) any more", place->program, dev,
		       kept_hook_name(place->type));
}

int place_check(const struct kept_place *place, struct cni_program *program, const struct pod *pod,
		const struct state *s, struct bpfstamp_err *err)
{
	const char *dev = end_of(place, pod)->name;
	char pin[STATE_LINK_SIZE];
	struct bpfstamp_plan plan;
	struct bpfstamp_hook hook;

	if (hook_of(&hook, place, dev, pin, s, err))
		return -1;
	if (bpfstamp_attach_check(net_of(place, pod), &hook, place->program, &plan, err))
		return -1;
	if (!plan.occupied && place->type == BPFSTAMP_XDP) {
		hook.pin = NULL;
		if (bpfstamp_attach_check(net_of(place, pod), &hook, place->program, &plan, err))
			return -1;
	}
	if (!plan.occupied || !plan.there.ours)
		return missing(place, dev, err);
	if (!plan.there.id || !program_verify(program, plan.there.id, err))
		return 0;
	return err->code == EPERM || err->code == EOPNOTSUPP ? 0 : err_wrap(err, "%s", dev);
}
