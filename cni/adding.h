/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pod as ADD and CHECK see it: the configuration, what the kernel and others
 * say, and the programs with the pod's values in them.
 */
#ifndef CNI_ADDING_H
#define CNI_ADDING_H

#include "cni/kept.h"
#include "cni/pod.h"
#include "cni/programs.h"
#include "cni/state.h"
#include "cni/values.h"

struct adding {
	const struct cni_request *request;
	struct cni_config config;
	struct state state;		/* locked */
	json_t *json;			/* the state that was there, or NULL */
	bool known;			/* it was looked for: without it, the folder is empty */
	struct kept old;		/* what it says */
	struct pod pod;			/* both ends found, once adding_stamp is called */
	struct cni_result result;
	struct values values;
	struct programs programs;
	struct link_info vxlan;		/* once adding_make_vxlan is called */
	bool vxlan_missing;		/* some value may be of a device that is still to be made */
};

/* Lock the pod, read its state, open its namespace and the objects.  *a is to be closed in any case. */
int adding_open(struct adding *a, const struct cni_request *r, bool create, struct bpfstamp_err *err);
void adding_close(struct adding *a);

/* Read a result and stamp all programs. */
int adding_stamp(struct adding *a, json_t *result, struct bpfstamp_err *err);

/* Make the VXLAN device where it is missing, and stamp the programs again. */
int adding_make_vxlan(struct adding *a, struct bpfstamp_err *err);

#endif
