/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The veth pair of a pod that no other plugin made one for.
 */
#ifndef CNI_VETH_H
#define CNI_VETH_H

#include "cni/pod.h"
#include "cni/result.h"

enum { VETH_NAME = 16 };

/* The name of the node's end: of nobody else, and the same each time. */
void veth_name(char name[VETH_NAME], const struct cni_config *c, const struct cni_request *r);

/* See to it that the pair is there, of that MTU, and the pod's end up; its ends are then pod->host and pod->end. */
int veth_make(const char *name, const struct cni_config *c, const struct cni_request *r, struct pod *pod,
	      struct bpfstamp_err *err);

/* Once the programs are attached, the node's end. */
int veth_set_up(const struct pod *pod, struct bpfstamp_err *err);

/* Give the pod's end addresses and routes. */
int veth_configure(const struct cni_result *result, const struct cni_request *r, const struct pod *pod,
		   struct bpfstamp_err *err);

/*
 * Whether the pod's end has the addresses of result, and those routes of ipam, from which veth_configure made them,
 * that are still in result: a plugin behind this one may have changed what it found.  It may have set the MTU of the
 * pod's end, too, so that is compared at the node's.
 */
int veth_check(const struct cni_result *result, const struct cni_result *ipam, const struct cni_config *c,
	       const struct cni_request *r, const struct pod *pod, struct bpfstamp_err *err);

/* No error where it is gone. */
int veth_remove(const char *name, const struct pod *pod, struct bpfstamp_err *err);

#endif
