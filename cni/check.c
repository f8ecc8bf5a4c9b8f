// SPDX-License-Identifier: BSD-2-Clause
/*
 * CHECK: whether the pod is as ADD left it.  The configuration, prevResult and
 * the kernel give the values again; what runs is compared with what would be
 * stamped from them, as far as the kernel shows programs to us (CAP_SYS_ADMIN).
 * Nothing is changed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/adding.h"
#include "cni/entries.h"
#include "cni/ipam.h"
#include "cni/node.h"
#include "cni/places.h"
#include "cni/veth.h"
#include "loader/err.h"

static int check_ends(const struct adding *a, struct bpfstamp_err *err)
{
	const struct link_info *host = &a->pod.host;

	if (!pod_is_of(&a->pod, &a->old))
		return err_set(err, ESTALE, "the pod was added in another network namespace (%s)", a->old.netns);
	if (a->old.ifindex != host->ifindex)
		return err_set(err, ESTALE, "the pod's interface on the node is %s (index %d), but was %s (index %d)",
			       host->name, host->ifindex, a->old.host, a->old.ifindex);
	if (!host->up || !a->pod.end.up)
		return err_set(err, ENETDOWN, "%s is down", host->up ? a->request->ifname : host->name);
	return 0;
}

static int check_places(struct adding *a, struct bpfstamp_err *err)
{
	const struct kept *k = &a->old;

	if (k->place_count != a->programs.pod_count)
		return err_set(err, ESTALE, "%zu programs were attached, and the configuration has %zu",
			       k->place_count, a->programs.pod_count);
	for (size_t i = 0; i < k->place_count; i++) {
		struct cni_program *program = &a->programs.pod[i];

		if (!place_is(&k->places[i], program->wanted, &a->pod) ||
		    strcmp(k->places[i].program, program->name) != 0)
			return err_set(err, ESTALE, "program %s was attached where the configuration has %s",
				       k->places[i].program, program->name);
		if (place_check(&k->places[i], program, &a->pod, &a->state, err))
			return -1;
	}
	return 0;
}

/* The entries are those that ADD would make. */
static int check_entries(const struct adding *a, struct bpfstamp_err *err)
{
	struct kept now = { .pod_count = 0 };
	size_t count;

	if (entries_choose(&now, &a->old, &a->values, &a->pod, &count, err))
		return -1;
	if (now.pod_count != count || count != a->old.pod_count)
		return err_set(err, ESTALE, "the pod has other addresses than when it was added");
	return entries_check(&now, &a->values, err);
}

/* A pair of our own: its MTU, addresses and routes, and what IPAM knows of them. */
static int check_made(const struct adding *a, struct bpfstamp_err *err)
{
	json_t *said = json_object_get(a->old.ipam, "result"), *answer = NULL;
	struct cni_result ipam = { 0 };

	if (!a->old.made)
		return 0;
	if (!a->config.ipam)
		return err_set(err, ESTALE, "%s of the pod was made with ipam, and the configuration has none",
			       a->request->ifname);
	if ((said && result_read(&ipam, said, a->request->ifname, err)) ||
	    veth_check(&a->result, &ipam, &a->config, a->request, &a->pod, err) ||
	    ipam_run(a->request, &a->config, "CHECK", a->state.lock, &answer, err))
		return -1;
	json_decref(answer);
	return 0;
}

static int not_added(const struct adding *a, struct bpfstamp_err *err)
{
	return err_set(err, CNI_ERROR + CNI_UNKNOWN_CONTAINER, "%s of container %s was not added to network %s",
		       a->request->ifname, a->request->container, a->config.name);
}

static int check(struct adding *a, struct bpfstamp_err *err)
{
	if (!a->json)
		return not_added(a, err);
	if (pod_find_ends(&a->pod, a->request->ifname, err) || check_ends(a, err) ||
	    adding_stamp(a, a->config.prev_result, err) || node_check(&a->config, &a->programs, &a->pod, err))
		return -1;
	return check_places(a, err) || check_entries(a, err) || check_made(a, err) ? -1 : 0;
}

int cni_check(const struct cni_request *r, json_t **out, struct bpfstamp_err *err)
{
	struct adding a;
	int ret = adding_open(&a, r, false, err);

	(void)out;
	if (ret && err->code == ENOENT)
		ret = not_added(&a, err);	/* there is no folder of this pod */
	if (!ret)
		ret = check(&a, err);
	adding_close(&a);
	return ret;
}
