// SPDX-License-Identifier: BSD-2-Clause
/*
 * ADD.
 *
 * Everything is found out, stamped, loaded and looked at before anything of the
 * pod is changed; so most of what can be wrong changes nothing.  Then the state is
 * written, which says all that may be there from now on, the programs are
 * attached, and at last the pod's addresses are told to the others.  What fails
 * after the state was written is undone as DEL would do it.
 *
 * A pair of our own, and addresses by IPAM, have to be there before values can be
 * known, so for them a state is written first.  The one that is written then keeps
 * what IPAM said: a repeated ADD has the same addresses without asking, because IPAM
 * plugins refuse to give twice, unless it was configured otherwise meanwhile.  A state
 * that has no answer of IPAM is of an ADD that was cut short, whatever IPAM knows of it; it
 * may still have another configuration, by which that is to take back what it gave.
 *
 * Repeated, ADD replaces programs in their places and entries in theirs, and
 * removes in the end what is no longer wanted.  Until then the state has both.  What the
 * container has in another namespace, which it came from, is removed at once.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/adding.h"
#include "cni/entries.h"
#include "cni/ipam.h"
#include "cni/node.h"
#include "cni/places.h"
#include "cni/removing.h"
#include "cni/veth.h"
#include "loader/err.h"

struct add {
	struct adding a;
	struct kept kept;	/* what the state says, or is to say */
	size_t entries;		/* of kept.pods, that are wanted */
	json_t *ipam;		/* kept.ipam, where it is new */
	bool changed;		/* a state was written */
};

static int write_state(struct add *add, struct bpfstamp_err *err)
{
	json_t *json = kept_json(&add->kept);
	int ret = json ? state_write(&add->a.state, json, err) : err_set(err, ENOMEM, "no memory for the state");

	json_decref(json);
	if (!ret)
		add->changed = true;
	return ret;
}

/* Whose pod it is, by the namespace. */
static int note_netns(struct add *add, struct bpfstamp_err *err)
{
	const char *netns = add->a.request->netns;

	if ((size_t)snprintf(add->kept.netns, sizeof(add->kept.netns), "%s", netns) >= sizeof(add->kept.netns))
		return err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "CNI_NETNS is too long");
	pod_note_netns(&add->a.pod, &add->kept);
	return 0;
}

/* ------------------------------------------------------- a pair of our own */

/* What IPAM said to the same question. */
static json_t *said_before(const struct add *add)
{
	json_t *result = json_object_get(add->kept.ipam, "result");

	return result && json_equal(json_object_get(add->kept.ipam, "config"), add->a.config.ipam) ? result : NULL;
}

/* How it was configured before, where that was otherwise. */
static json_t *configured_before(const struct add *add)
{
	json_t *config = json_object_get(add->kept.ipam, "config");

	return json_equal(config, add->a.config.ipam) ? NULL : config;
}

/* By IPAM as it was before.  It may be gone, or have failed since: what it says is no reason to refuse another. */
static void take_back(const struct add *add, json_t *ipam)
{
	struct cni_request r = *add->a.request;
	struct bpfstamp_err ignored;
	json_t *answer = NULL;
	struct cni_config c;

	r.command = CNI_DEL;
	r.config = json_copy(r.config);
	if (r.config && !json_object_set(r.config, "ipam", ipam) && !config_read(&c, &r, &ignored) && c.ipam)
		ipam_run(&r, &c, "DEL", add->a.state.lock, &answer, &ignored);
	json_decref(answer);
	json_decref(r.config);
}

/* IPAM that gave nothing is told so, but whatever it says to that keeps no state. */
static void forget_ipam(struct add *add)
{
	struct bpfstamp_err ignored;
	json_t *answer = NULL;

	ipam_run(add->a.request, &add->a.config, "DEL", add->a.state.lock, &answer, &ignored);
	json_decref(answer);
	add->a.config.ipam = NULL;
}

static int ask_ipam(struct add *add, json_t **result, struct bpfstamp_err *err)
{
	const struct cni_request *r = add->a.request;
	const struct cni_config *c = &add->a.config;
	int lock = add->a.state.lock;
	json_t *answer = NULL;

	/* An ADD that was cut short may have been given addresses. */
	if (add->a.json && ipam_run(r, c, "DEL", lock, &answer, err))
		return -1;
	json_decref(answer);
	if (ipam_run(r, c, "ADD", lock, result, err)) {
		forget_ipam(add);
		return -1;
	}
	json_decref(add->ipam);
	add->kept.ipam = add->ipam = json_pack("{s:O, s:o}", "config", c->ipam, "result", *result);
	return add->ipam ? 0 : err_set(err, ENOMEM, "no memory for the answer of the IPAM plugin");
}

/* IPAM is to be asked anew: until it has answered, the state has what is to be taken back. */
static int begin_anew(struct add *add, json_t *before, struct bpfstamp_err *err)
{
	add->kept.ipam = add->ipam = before ? json_pack("{s:O}", "config", before) : NULL;
	if (write_state(add, err))
		return -1;
	/* Other addresses are for another pair: nobody has to find out what is left of those before. */
	if (veth_remove(add->kept.host, &add->a.pod, err))
		return -1;
	if (before)
		take_back(add, before);
	return 0;
}

/* The pair, with addresses and routes; *result is IPAM's, which kept.ipam has. */
static int make_pair(struct add *add, json_t **result, struct bpfstamp_err *err)
{
	struct adding *a = &add->a;
	bool known;

	add->kept.made = true;
	veth_name(add->kept.host, &a->config, a->request);
	*result = said_before(add);
	known = *result && a->old.made && !strcmp(a->old.host, add->kept.host);
	if (*result && !known && write_state(add, err))
		return -1;
	if (!*result && (begin_anew(add, configured_before(add), err) || ask_ipam(add, result, err)))
		return -1;
	if (veth_make(add->kept.host, &a->config, a->request, &a->pod, err))
		return -1;
	if (result_read(&a->result, *result, a->request->ifname, err))
		return -1;
	return veth_configure(&a->result, a->request, &a->pod, err);
}

/* ------------------------------------------------------------------- all */

/* What the state is to say: with all that is wanted, and what is left of before. */
static int choose(struct add *add, struct bpfstamp_err *err)
{
	struct adding *a = &add->a;
	struct kept next = add->kept;

	if (entries_choose(&next, &a->old, &a->values, &a->pod, &add->entries, err) ||
	    places_choose(&next, &a->old, &a->programs, &a->pod, &a->state, err))
		return -1;
	add->kept = next;
	return 0;
}

/*
 * A container that comes back in another namespace leaves what it had in the one before, where numbers of
 * interfaces may be the same.
 */
static int leave_netns(struct adding *a, struct bpfstamp_err *err)
{
	struct pod before;
	int ret;

	if (!a->json || pod_is_of(&a->pod, &a->old))
		return 0;
	if (pod_open_left(&before, "", &a->old, err))
		return -1;
	ret = removing_rest(&a->state, &a->old, 0, 0, &before, &a->config, err);
	pod_close(&before);
	a->old.place_count = a->old.pod_count = 0;
	return ret;
}

/* Whatever can be found out before the pod is changed. */
static int prepare(struct add *add, json_t **result, struct bpfstamp_err *err)
{
	struct adding *a = &add->a;

	if (leave_netns(a, err))
		return -1;
	add->kept = a->old;
	*result = a->config.prev_result;
	if (*result && a->old.made)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "prevResult: %s of the pod was made by this network, "
			       "with ipam: DEL it before another plugin makes it", a->request->ifname);
	if (note_netns(add, err) ||
	    (*result ? pod_find_ends(&a->pod, a->request->ifname, err) : make_pair(add, result, err)))
		return -1;
	snprintf(add->kept.host, sizeof(add->kept.host), "%s", a->pod.host.name);
	add->kept.ifindex = a->pod.host.ifindex;
	add->kept.end = a->pod.end.ifindex;
	if (adding_stamp(a, *result, err) || choose(add, err) || adding_make_vxlan(a, err))
		return -1;
	for (size_t i = 0; i < a->programs.pod_count; i++)
		if (program_load(&a->programs.pod[i], err))
			return -1;
	if (node_attach(&a->config, &a->programs, &a->pod, err))
		return -1;
	return node_set_up(&a->config, &a->pod, &a->vxlan, err);
}

static int change(struct add *add, struct bpfstamp_err *err)
{
	struct adding *a = &add->a;
	size_t places = a->programs.pod_count;

	if (write_state(add, err))
		return -1;
	for (size_t i = 0; i < places; i++)
		if (place_fill(&add->kept.places[i], &a->programs.pod[i], &a->pod, &a->state, err))
			return -1;
	if (add->kept.made && veth_set_up(&a->pod, err))
		return -1;
	if (entries_put(&add->kept, add->entries, &a->old, &a->values, &a->pod, err))
		return -1;
	if (add->kept.place_count == places && add->kept.pod_count == add->entries)
		return 0;
	if (removing_rest(&a->state, &add->kept, places, add->entries, &a->pod, &a->config, err))
		return -1;
	add->kept.place_count = places;
	add->kept.pod_count = add->entries;
	return write_state(add, err);
}

static json_t *answer(const struct add *add, json_t *result)
{
	const struct adding *a = &add->a;
	struct cni_made made = {
		.host = a->pod.host.name, .pod = a->request->ifname, .netns = a->request->netns,
		.mtu = a->pod.end.mtu,
		.dns = json_object_size(a->config.dns) ? a->config.dns : NULL,	/* runtimes write {} for none */
	};

	if (!add->kept.made)
		return result_pass(a->request->version, result);
	memcpy(made.host_mac, a->pod.host.mac, sizeof(made.host_mac));
	memcpy(made.pod_mac, a->pod.end.mac, sizeof(made.pod_mac));
	return result_make(a->request->version, &made, &a->result);
}

/*
 * Of an ADD that failed: the state, if it was written, tells what there is to undo.  One that could not be read is of
 * a pod that may run.
 */
static void undo(struct add *add)
{
	struct bpfstamp_err ignored;

	if (add->changed)
		removing(&add->a.state, &add->kept, add->a.request, &add->a.config, &ignored);
	else if (add->a.known && !add->a.json)
		state_remove(&add->a.state, &ignored);
}

static int add_pod(struct add *add, json_t **out, struct bpfstamp_err *err)
{
	json_t *result;

	if (prepare(add, &result, err) || change(add, err))
		return -1;
	*out = answer(add, result);
	return *out ? 0 : err_set(err, ENOMEM, "no memory for the result");
}

int cni_add(const struct cni_request *r, json_t **out, struct bpfstamp_err *err)
{
	struct add add = { .changed = false };
	int ret = adding_open(&add.a, r, true, err);

	if (!ret)
		ret = add_pod(&add, out, err);
	if (ret)
		undo(&add);
	json_decref(add.ipam);
	adding_close(&add.a);
	return ret;
}
