/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values: texts in which ${NAME} stands for something of this pod.
 *
 *	${ifindex.host} ${ifindex.pod} ${ifindex.DEV}	of the veth's ends, of an interface of the node
 *	${mac} ${mac.host}				of the pod's end, of the node's
 *	${ip.N} ${ip4} ${ip6}				the pod's Nth address, its first IPv4 and IPv6 one
 *	${containerID} ${ifname} ${netns} ${network}
 *	${args.KEY}					CNI_ARGS (KEY=VALUE;…)
 *	${cni.PATH}					args.cni of the configuration
 *	${runtime.PATH}					runtimeConfig.bpfstamp of it
 *	${vpc.PATH}					the row of the table of VPCs
 *	${NAME:-TEXT}					TEXT where there is no such thing, or it is empty
 *
 * PATH is KEY or KEY.KEY…; what it leads to is a string, a number or a boolean.  TEXT may have ${…} in it, what
 * is put in may not.  $$ is a dollar sign.
 *
 * Errors say what is missing and who could have given it: CNI_ENVIRONMENT where that is the runtime by its
 * environment, else CNI_CONFIG.
 */
#ifndef CNI_VALUES_H
#define CNI_VALUES_H

#include "cni/config.h"
#include "cni/result.h"

struct values {
	const struct cni_request *request;
	const struct cni_config *config;
	const struct cni_result *result;
	int host_ifindex, pod_ifindex;		/* 0: there is none */
	uint8_t host_mac[6], pod_mac[6];
	json_t *row;				/* of the table of VPCs; NULL: not looked up */
	int (*ifindex)(void *arg, const char *dev);	/* of an interface of the node, 0: there is none */
	void *arg;
};

enum { VALUE_SIZE = 1024 };

/* The value of a text, number or boolean, as text at buf (VALUE_SIZE bytes).  what: how errors call it. */
int values_expand(const struct values *v, const json_t *from, const char *what, char *buf, struct bpfstamp_err *err);

/* The same where a number is wanted, decimal or 0x…: low to high. */
int values_number(const struct values *v, const json_t *from, const char *what, uint32_t low, uint32_t high,
		  uint32_t *out, struct bpfstamp_err *err);

/* A string, an integer or a boolean, as text at buf (VALUE_SIZE bytes); CNI_CONFIG for all else. */
int values_scalar(const json_t *value, char *buf, struct bpfstamp_err *err);

/* What stands between the braces, without a default: a text at buf (VALUE_SIZE bytes).  name is taken apart. */
enum value_found { VALUE_FAILED = -1, VALUE_FOUND, VALUE_MISSING };	/* of both but FOUND, *err tells */
enum value_found values_find(const struct values *v, char *name, char *buf, struct bpfstamp_err *err);

/* The network (include/bpfstamp_vpc.h) of the pod's addresses, by config->vni or vlan: there has to be one. */
int values_network(const struct values *v, uint32_t *out, struct bpfstamp_err *err);

/*
 * Look up config->vpc in config->vpcs: a new reference, NULL with 0 where the configuration has no vpc.
 * Unknown names: CNI_CONFIG, with the nearest; a file that cannot be read: CNI_IO; that is no table: CNI_DECODE.
 */
int values_row(const struct values *v, json_t **out, struct bpfstamp_err *err);

#endif
