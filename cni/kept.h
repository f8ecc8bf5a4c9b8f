/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the state of a pod says (state.h), read and checked, or to be written.
 */
#ifndef CNI_KEPT_H
#define CNI_KEPT_H

#include <netinet/in.h>
#include <sys/types.h>

#include "cni/config.h"
#include "cni/result.h"

/* A pod has at most CNI_ATTACHMENTS programs; with those of an ADD before, whose removal was cut short, more. */
enum { KEPT_PLACES = 64, KEPT_PODS = 64, KEPT_PROGRAM = 128 };

/* A program in its place. */
struct kept_place {
	bool pod;			/* at the pod's end, else at the node's */
	int ifindex;			/* of that end */
	enum bpfstamp_hook_type type;	/* not AUTO */
	enum bpfstamp_direction direction;
	uint16_t prio;
	uint32_t handle;
	uint32_t link;			/* number of the link's pin */
	bool clsact;			/* there was none before */
	char program[KEPT_PROGRAM];
};

/* An entry of vpc_pods. */
struct kept_pod {
	uint32_t network, ifindex;
	uint8_t address[16];
	uint8_t mac[6];			/* 0: a state of before that was kept */
};

struct kept {
	char host[16];			/* the node's end; "": none yet */
	int ifindex;			/* of it; 0: not known yet */
	int end;			/* index of the pod's end; 0: not known */
	bool made;			/* the pair is ours */
	char netns[4096];		/* path of the pod's namespace, and which one it was */
	ino_t netns_inode;
	uint64_t netns_cookie;		/* 0: not known */
	size_t place_count, pod_count;
	struct kept_place places[KEPT_PLACES];
	struct kept_pod pods[KEPT_PODS];
	json_t *ipam;			/* { "config", "result" }: what IPAM was asked, and said; or NULL */
};

/* Everything but ipam, which is the JSON's, is copied.  what: where it is from. */
int kept_read(struct kept *out, const json_t *json, const char *what, struct bpfstamp_err *err);

/* A new reference; NULL where there is no memory. */
json_t *kept_json(const struct kept *k);

/* As the configuration calls it. */
const char *kept_hook_name(enum bpfstamp_hook_type type);

#endif
