/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the programs of a pod are attached: chosen, filled, emptied, looked at.
 */
#ifndef CNI_PLACES_H
#define CNI_PLACES_H

#include "cni/kept.h"
#include "cni/pod.h"
#include "cni/programs.h"
#include "cni/state.h"

/*
 * Choose the places of all programs of a pod, those of old again where they are
 * the same, and see that each can be filled.  k->places are then those of the
 * programs, in their order, and behind them what is left of old.
 */
int places_choose(struct kept *k, const struct kept *old, struct programs *programs, const struct pod *pod,
		  const struct state *s, struct bpfstamp_err *err);

/* Attach a loaded program; what is in the place already is replaced in one step. */
int place_fill(const struct kept_place *place, struct cni_program *program, const struct pod *pod,
	       const struct state *s, struct bpfstamp_err *err);

/*
 * Detach what place_fill attached, of the state k.  No error where it is gone: with its interface or namespace, by
 * hand, or because somebody else's is in the place.
 */
int place_empty(const struct kept_place *place, const struct kept *k, const struct pod *pod, const struct state *s,
		struct bpfstamp_err *err);

/* Whether the program is in the place, and is what ADD would attach as far as the kernel lets us look. */
int place_check(const struct kept_place *place, struct cni_program *program, const struct pod *pod,
		const struct state *s, struct bpfstamp_err *err);

/* Whether that is the attachment's place. */
bool place_is(const struct kept_place *place, const struct cni_attachment *wanted, const struct pod *pod);

#endif
