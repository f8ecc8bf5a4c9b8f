// SPDX-License-Identifier: BSD-2-Clause
/*
 * Removal of a pod, by its state alone.
 *
 * The pair goes first, where it is ours, and its programs with it, so that the pod is
 * never heard without them; then entries of vpc_pods, so that nothing is sent to the pod
 * any more; then its programs; then what they counted, which they would make anew; then
 * its addresses, by IPAM; and at last the state, so that a removal that was cut short is
 * done by the next one.
 *
 * What is gone already is removed already.  Where a step fails, all others are
 * done nevertheless, and the state stays.
 *
 * A namespace is looked into only while it is the one that the state says: the
 * path of a pod that is gone may be another's by now, and a runtime may tell of
 * another one than the pod was added in.  Numbers of interfaces are believed no more than
 * paths: pod.c says what decides.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/entries.h"
#include "cni/ipam.h"
#include "cni/places.h"
#include "cni/removing.h"
#include "cni/veth.h"
#include "loader/err.h"

/* Of several errors the first is told. */
struct first {
	struct bpfstamp_err err;
	bool failed;
};

static void note(struct first *first, int ret, const struct bpfstamp_err *err)
{
	if (ret && !first->failed) {
		first->failed = true;
		first->err = *err;
	}
}

static int told(const struct first *first, struct bpfstamp_err *err)
{
	if (!first->failed)
		return 0;
	*err = first->err;
	return -1;
}

int removing_rest(const struct state *s, const struct kept *k, size_t places, size_t pods, const struct pod *pod,
		  const struct cni_config *c, struct bpfstamp_err *err)
{
	struct first first = { .failed = false };
	struct bpfstamp_err why;

	note(&first, entries_remove(k, pods, pod, c->pin_path, &why), &why);
	for (size_t i = places; i < k->place_count; i++)
		note(&first, place_empty(&k->places[i], k, pod, s, &why), &why);
	note(&first, entries_remove_stats(k, pods, c->pin_path, &why), &why);
	return told(&first, err);
}

/* IPAM is asked even where nothing is known of the pod: it may know it. */
static int ask_ipam(const struct cni_request *r, const struct cni_config *c, int lock, struct bpfstamp_err *err)
{
	json_t *answer = NULL;

	if (ipam_run(r, c, "DEL", lock, &answer, err))
		return -1;
	json_decref(answer);
	return 0;
}

static int remove_all(const struct state *s, const struct kept *k, const struct cni_request *r,
		      const struct cni_config *c, struct bpfstamp_err *err)
{
	struct first first = { .failed = false };
	struct bpfstamp_err why;
	char name[VETH_NAME];
	struct pod pod;

	if (pod_open_left(&pod, r->netns, k, err))
		return -1;
	veth_name(name, c, r);
	if (k->made)
		note(&first, veth_remove(name, &pod, &why), &why);
	note(&first, removing_rest(s, k, 0, 0, &pod, c, &why), &why);
	pod_close(&pod);
	if (k->made && c->ipam)
		note(&first, ask_ipam(r, c, s->lock, &why), &why);
	return told(&first, err);
}

int removing(struct state *s, const struct kept *k, const struct cni_request *r, const struct cni_config *c,
	     struct bpfstamp_err *err)
{
	return remove_all(s, k, r, c, err) || state_remove(s, err) ? -1 : 0;
}

/* Without a state, nothing was made; but for a pair whose state was lost, because its name needs none. */
static int remove_locked(struct state *s, const struct cni_request *r, const struct cni_config *c,
			 struct bpfstamp_err *err)
{
	struct kept k = { .made = c->ipam };
	json_t *json;
	int ret;

	if (state_read(s, &json, err))
		return -1;
	ret = json ? kept_read(&k, json, s->dir, err) : 0;
	if (!ret)
		ret = removing(s, &k, r, c, err);
	json_decref(json);
	return ret;
}

/*
 * A pod without a state is locked, too, where IPAM is to be asked: else it would be asked to take
 * back what it gives to an ADD that has just begun.  Where no folder can be made, no ADD begins.
 */
static int remove_unknown(const struct cni_request *r, const struct cni_config *c, struct bpfstamp_err *err)
{
	struct state s;
	int ret;

	if (!c->ipam)
		return 0;
	if (state_lock(&s, c->pin_path, c->name, r->container, r->ifname, true, err))
		return err->code == CNI_ERROR + CNI_TRY_AGAIN ? -1 : ask_ipam(r, c, -1, err);
	ret = remove_locked(&s, r, c, err);
	state_unlock(&s);
	return ret;
}

int removing_pod(const struct cni_request *r, const struct cni_config *c, struct bpfstamp_err *err)
{
	struct state s;
	int ret;

	if (state_lock(&s, c->pin_path, c->name, r->container, r->ifname, false, err))
		return err->code == ENOENT ? remove_unknown(r, c, err) : -1;
	ret = remove_locked(&s, r, c, err);
	state_unlock(&s);
	return ret;
}
