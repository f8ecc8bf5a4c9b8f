/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all pods of a node share: the VXLAN device, and the programs below "node".
 */
#ifndef CNI_NODE_H
#define CNI_NODE_H

#include "cni/pod.h"
#include "cni/programs.h"

/* Whether the VXLAN device is there, and is what the configuration says. */
int node_find_vxlan(const struct cni_config *c, const struct pod *pod, bool *there, struct bpfstamp_err *err);

/* See to it that it is there; *vxlan is what it is.  Then, once the programs are attached, that it is up. */
int node_make_vxlan(const struct cni_config *c, const struct pod *pod, struct link_info *vxlan,
		    struct bpfstamp_err *err);
int node_set_up(const struct cni_config *c, const struct pod *pod, const struct link_info *vxlan,
		struct bpfstamp_err *err);

/* Attach the programs that are not attached yet; EEXIST where another one is in the place. */
int node_attach(const struct cni_config *c, struct programs *p, const struct pod *pod, struct bpfstamp_err *err);

/* Whether all of it is there. */
int node_check(const struct cni_config *c, const struct programs *p, const struct pod *pod, struct bpfstamp_err *err);

#endif
