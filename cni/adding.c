// SPDX-License-Identifier: BSD-2-Clause
/*
 * What ADD and CHECK do alike, up to programs that could be loaded.  Nothing is
 * changed on the way, but for an empty folder, which is the lock.
 *
 * A value may be the index of the VXLAN device, which the first ADD of a node has
 * yet to make.  So that a configuration that is wrong in some other value
 * leaves no such device, a number stands in for its index at first; when all else
 * was found right the device is made, and the programs are stamped once more.
 */
#include <errno.h>
#include <string.h>

#include "cni/adding.h"
#include "cni/node.h"
#include "loader/err.h"

enum { STAND_IN = INT32_MAX };

static int ifindex_of(void *arg, const char *dev)
{
	const struct adding *a = arg;
	struct bpfstamp_err ignored;
	struct link_info link;

	if (!link_find(pod_node(&a->pod), 0, dev, &link, &ignored))
		return link.ifindex;
	return a->vxlan_missing && !strcmp(dev, a->config.vxlan) ? STAND_IN : 0;
}

static int read_state(struct adding *a, struct bpfstamp_err *err)
{
	if (state_read(&a->state, &a->json, err))
		return -1;
	a->known = true;
	return a->json ? kept_read(&a->old, a->json, a->state.dir, err) : 0;
}

int adding_open(struct adding *a, const struct cni_request *r, bool create, struct bpfstamp_err *err)
{
	const struct cni_config *c = &a->config;
	bool there;

	memset(a, 0, sizeof(*a));
	a->request = r;
	a->state.lock = -1;
	if (config_read(&a->config, r, err) || pod_open(&a->pod, r->netns, err) ||
	    programs_open(&a->programs, c, err) || node_find_vxlan(c, &a->pod, &there, err))
		return -1;
	a->vxlan_missing = !there;
	if (state_lock(&a->state, c->pin_path, c->name, r->container, r->ifname, create, err))
		return -1;
	return read_state(a, err);
}

void adding_close(struct adding *a)
{
	programs_close(&a->programs);
	json_decref(a->values.row);
	json_decref(a->json);
	state_unlock(&a->state);
	pod_close(&a->pod);
}

int adding_stamp(struct adding *a, json_t *result, struct bpfstamp_err *err)
{
	struct values *v = &a->values;

	if (result_read(&a->result, result, a->request->ifname, err))
		return -1;
	*v = (struct values){
		.request = a->request, .config = &a->config, .result = &a->result,
		.host_ifindex = a->pod.host.ifindex, .pod_ifindex = a->pod.end.ifindex,
		.ifindex = ifindex_of, .arg = a,
	};
	memcpy(v->host_mac, a->pod.host.mac, sizeof(v->host_mac));
	memcpy(v->pod_mac, a->pod.end.mac, sizeof(v->pod_mac));
	return values_row(v, &v->row, err) || programs_stamp(&a->programs, v, err) ? -1 : 0;
}

int adding_make_vxlan(struct adding *a, struct bpfstamp_err *err)
{
	if (node_make_vxlan(&a->config, &a->pod, &a->vxlan, err))
		return -1;
	if (!a->vxlan_missing)
		return 0;
	a->vxlan_missing = false;
	return programs_stamp(&a->programs, &a->values, err);
}
