// SPDX-License-Identifier: BSD-2-Clause
/*
 * What pods of a node share is made by the first of them, and stays: others may
 * have come to need it by the time that it could be removed.
 *
 * Many ADDs may find at once that it is missing.  The kernel lets one of them make
 * the device, or be the first to attach; to the others it says EEXIST, which is
 * as good.  The device is set up behind the programs, so that nothing comes out of it
 * that no program has seen.  A program that is there already is left as it is, whatever values it
 * has: `bpfstamp set` changes them, and `bpfstamp detach` makes room for another.
 */
#include <errno.h>

#include "cni/node.h"
#include "loader/err.h"
#include "netlink/linkmake.h"

/* ----------------------------------------------------------------- vxlan */

static int find(const struct cni_config *c, const struct pod *pod, struct link_info *link, struct bpfstamp_err *err)
{
	if (link_find(pod_node(pod), 0, c->vxlan, link, err))
		return -1;
	if (link->external && link->port == c->vxlan_port)
		return 0;
	if (!link->external)
		return err_set(err, EEXIST, "vxlan: %s is there, but is no VXLAN device in external mode: remove "
			       "it, or choose another name", c->vxlan);
	return err_set(err, EEXIST, "vxlan: %s is there, but its port is %u, not %u: remove it, or choose "
		       "another name", c->vxlan, link->port, c->vxlan_port);
}

int node_find_vxlan(const struct cni_config *c, const struct pod *pod, bool *there, struct bpfstamp_err *err)
{
	struct link_info link;

	*there = true;
	if (!c->vxlan || !find(c, pod, &link, err))
		return 0;
	*there = false;
	return err->code == ENODEV ? 0 : -1;
}

int node_make_vxlan(const struct cni_config *c, const struct pod *pod, struct link_info *vxlan,
		    struct bpfstamp_err *err)
{
	if (!c->vxlan || !find(c, pod, vxlan, err))
		return 0;
	if (err->code != ENODEV)
		return -1;
	if (linkmake_vxlan(pod_node(pod), c->vxlan, c->vxlan_port, c->vxlan_mtu, err) && err->code != EEXIST)
		return -1;
	return find(c, pod, vxlan, err);
}

int node_set_up(const struct cni_config *c, const struct pod *pod, const struct link_info *vxlan,
		struct bpfstamp_err *err)
{
	return !c->vxlan || vxlan->up ? 0 : linkmake_up(pod_node(pod), vxlan->ifindex, c->vxlan, err);
}

/* -------------------------------------------------------------- programs */

static struct bpfstamp_hook hook_of(const struct cni_config *c, const struct cni_program *program)
{
	struct bpfstamp_hook hook = program->wanted->hook;

	hook.dev = program->wanted->dev;
	hook.pin_path = c->pin_path;
	hook.existing = BPFSTAMP_KEEP;
	return hook;
}

static int attach(const struct cni_config *c, struct cni_program *program, const struct pod *pod,
		  struct bpfstamp_err *err)
{
	struct bpfstamp_hook hook = hook_of(c, program);
	struct bpfstamp_plan plan;

	if (bpfstamp_attach_check(pod->node, &hook, program->name, &plan, err))
		return -1;
	if (plan.occupied)
		return 0;
	hook.type = plan.type;
	if (program_load(program, err))
		return -1;
	if (!bpfstamp_attach(pod->node, &hook, program->fd, program->name, NULL, err))
		return 0;
	return err->code == EEXIST && !bpfstamp_attach_check(pod->node, &hook, program->name, &plan, err) &&
	       plan.occupied ? 0 : -1;
}

int node_attach(const struct cni_config *c, struct programs *p, const struct pod *pod, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < p->node_count; i++)
		if (attach(c, &p->node[i], pod, err))
			return err_wrap(err, "node: program %s", p->node[i].name);
	return 0;
}

int node_check(const struct cni_config *c, const struct programs *p, const struct pod *pod, struct bpfstamp_err *err)
{
	struct bpfstamp_plan plan;
	bool there;

	if (node_find_vxlan(c, pod, &there, err))
		return -1;
	if (!there)
		return err_set(err, ENODEV, "the VXLAN device %s is gone", c->vxlan);
	for (size_t i = 0; i < p->node_count; i++) {
		struct bpfstamp_hook hook = hook_of(c, &p->node[i]);

		if (bpfstamp_attach_check(pod->node, &hook, p->node[i].name, &plan, err))
			return err_wrap(err, "node: program %s", p->node[i].name);
		if (!plan.occupied)
			return err_set(err, ENOENT, "node: program %s is not attached to %s any more",
				       p->node[i].name, hook.dev);
	}
	return 0;
}
