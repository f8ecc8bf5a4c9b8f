/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pod's addresses in the map vpc_pods.
 */
#ifndef CNI_ENTRIES_H
#define CNI_ENTRIES_H

#include "cni/kept.h"
#include "cni/pod.h"
#include "cni/values.h"

/*
 * Make k->pods the entries of the pod's addresses (none where the configuration has no
 * pods), and behind them what old has and they do not.  An address that another pod
 * has already is CNI_TAKEN.  *count: how many are the pod's.
 */
int entries_choose(struct kept *k, const struct kept *old, const struct values *v, const struct pod *pod,
		   size_t *count, struct bpfstamp_err *err);

/* Put the first count of k->pods into the map. */
int entries_put(const struct kept *k, size_t count, const struct kept *old, const struct values *v,
		const struct pod *pod, struct bpfstamp_err *err);

/* Remove those from first on, where they are still the pod's. */
int entries_remove(const struct kept *k, size_t first, const struct pod *pod, const char *pin_path,
		   struct bpfstamp_err *err);

/* Remove what was counted of them. */
int entries_remove_stats(const struct kept *k, size_t first, const char *pin_path, struct bpfstamp_err *err);

/* Whether the map has all of them, of this pod. */
int entries_check(const struct kept *k, const struct values *v, struct bpfstamp_err *err);

#endif
