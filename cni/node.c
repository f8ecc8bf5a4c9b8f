// SPDX-License-Identifier: BSD-2-Clause
/*
 * What pods of a node share is made by the first of them, and stays: others may
 * have come to need it by the time that it could be removed.
 *
 * Many ADDs may find at once that it is missing.  The kernel lets one of them make
 * the device, or be the first to attach; to the others it says EEXIST, which is
 * as good.  The device is set up behind the programs, so that nothing comes out of it
 * that no program has seen.  A program that is there already is left as it is, whatever values it
 * has: `bpfstamp set` changes them, and `bpfstamp detach` makes room for another.  One of another
 * name is an error, because pods would run without the one that they need.
 */
#include <errno.h>
#include <string.h>

#include "cni/node.h"
#include "loader/err.h"
#include "loader/sys.h"
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

/*
 * Whether it is the program by its name, which XDP may know only as the kernel does: cut, or not at all.  A link of
 * TCX or netkit is looked for by that name, and several fit on one interface.
 */
static int check_name(const struct bpfstamp_plan *plan, const struct cni_program *program, struct bpfstamp_err *err)
{
	const struct bpfstamp_attachment *there = &plan->there;
	char cut[16];

	if ((plan->type != BPFSTAMP_CLSACT && plan->type != BPFSTAMP_XDP) || !strcmp(there->name, program->name))
		return 0;
	if (plan->type == BPFSTAMP_CLSACT)
		return err_set(err, EEXIST, "prio %u handle 0x%x of %s has the program %s already: give another prio or "
			       "handle, or detach that", there->prio, there->handle, program->wanted->dev, there->name);
	sys_name(cut, program->name);
	if (!*there->name || !strcmp(there->name, cut))
		return 0;
	return err_set(err, EEXIST, "XDP of %s has the program %s already: detach that", program->wanted->dev,
		       there->name);
}

/* What is in the program's place, where another one is an error. */
static int look(const struct cni_program *program, const struct bpfstamp_hook *hook, const struct pod *pod,
		struct bpfstamp_plan *plan, struct bpfstamp_err *err)
{
	if (bpfstamp_attach_check(pod->node, hook, program->name, plan, err))
		return -1;
	return plan->occupied ? check_name(plan, program, err) : 0;
}

static int attach(const struct cni_config *c, struct cni_program *program, const struct pod *pod,
		  struct bpfstamp_err *err)
{
	struct bpfstamp_hook hook = hook_of(c, program);
	struct bpfstamp_plan plan;

	if (look(program, &hook, pod, &plan, err))
		return -1;
	if (plan.occupied)
		return 0;
	hook.type = plan.type;
	if (program_load(program, err))
		return -1;
	if (!bpfstamp_attach(pod->node, &hook, program->fd, program->name, NULL, err))
		return 0;
	return err->code == EEXIST && !look(program, &hook, pod, &plan, err) && plan.occupied ? 0 : -1;
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

		if (look(&p->node[i], &hook, pod, &plan, err))
			return err_wrap(err, "node: program %s", p->node[i].name);
		if (!plan.occupied)
			return err_set(err, ENOENT, "node: program %s is not attached to %s any more",
				       p->node[i].name, hook.dev);
	}
	return 0;
}
