/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Undoing what the plugin made for a pod: what DEL, GC and an ADD that failed do.
 */
#ifndef CNI_REMOVING_H
#define CNI_REMOVING_H

#include "cni/kept.h"
#include "cni/pod.h"
#include "cni/state.h"

/* Remove all that a state tells of, ask IPAM to delete, and remove the state; unlocks where all is done. */
int removing(struct state *s, const struct kept *k, const struct cni_request *r, const struct cni_config *c,
	     struct bpfstamp_err *err);

/*
 * Remove what a repeated ADD no longer wants: places and entries from those on.  Where that
 * fails the rest is tried nevertheless.
 */
int removing_rest(const struct state *s, const struct kept *k, size_t places, size_t pods, const struct pod *pod,
		  const struct cni_config *c, struct bpfstamp_err *err);

/* Lock a pod, and remove what its state tells of; there may be no state, and no folder. */
int removing_pod(const struct cni_request *r, const struct cni_config *c, struct bpfstamp_err *err);

#endif
