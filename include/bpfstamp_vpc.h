/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps of the VPC programs (bpf/vpc.h): where pods are, and what they sent
 * and were sent.  The programs' first attach makes and pins them; whoever knows the
 * pods fills the one and reads the other with these functions.
 *
 * The conventions of bpfstamp.h hold.  Addresses are 16 bytes in network order, IPv4
 * a.b.c.d as ::ffff:a.b.c.d; all other numbers are in host byte order.
 */
#ifndef BPFSTAMP_VPC_H
#define BPFSTAMP_VPC_H

#include "bpfstamp.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define BPFSTAMP_VPC_VLAN	0x01000000u	/* network = VLAN id | this: 802.1Q */
#define BPFSTAMP_VPC_VLAN_AD	0x02000000u	/* 802.1ad; without either, a VNI */

/* "100", "vlan:100" or "vlan-ad:100"; and "10.1.0.1" or "fd01::1". */
enum { BPFSTAMP_VPC_NETWORK_TEXT = 24, BPFSTAMP_VPC_ADDRESS_TEXT = 46 };
void bpfstamp_vpc_network_text(char out[BPFSTAMP_VPC_NETWORK_TEXT], uint32_t network);
void bpfstamp_vpc_address_text(char out[BPFSTAMP_VPC_ADDRESS_TEXT], const uint8_t address[16]);

struct bpfstamp_vpc;

/*
 * Open the maps that are pinned in pin_path (NULL: /sys/fs/bpf).  ENOENT where none of these
 * programs was attached yet; EINVAL where what is pinned is something else.  Where only the pin of
 * vpc_stats is missing, nothing fails but bpfstamp_vpc_stats.
 */
int bpfstamp_vpc_open(struct bpfstamp_vpc **out, const char *pin_path, struct bpfstamp_err *err);
void bpfstamp_vpc_close(struct bpfstamp_vpc *vpc);

struct bpfstamp_vpc_pod {
	uint32_t network;
	uint8_t address[16];
	uint32_t ifindex;	/* of the pod's interface on this node, or 0: on another */
	uint8_t node[16];	/* of a pod on another node, by VXLAN: that node's address; else 0 */
	uint8_t mac[6];
};

enum bpfstamp_vpc_existing {
	BPFSTAMP_VPC_NEW,	/* EEXIST where another pod has the address; the same pod is no error */
	BPFSTAMP_VPC_MOVE,	/* the entry that is there is overwritten */
};

/* EINVAL for a network that is none, and a pod that is in two places, or in none (VLAN: without a MAC address). */
int bpfstamp_vpc_add(struct bpfstamp_vpc *vpc, const struct bpfstamp_vpc_pod *pod,
		     enum bpfstamp_vpc_existing existing, struct bpfstamp_err *err);

/* 0, or why bpfstamp_vpc_add would refuse.  Nothing is changed. */
int bpfstamp_vpc_add_check(struct bpfstamp_vpc *vpc, const struct bpfstamp_vpc_pod *pod,
			   enum bpfstamp_vpc_existing existing, struct bpfstamp_err *err);

/*
 * Remove an entry; ENOENT where there is none or, with ifindex not 0, it is another
 * interface's.  The kernel has no "remove if": who takes the address over between look and
 * removal loses his entry.
 */
int bpfstamp_vpc_remove(struct bpfstamp_vpc *vpc, uint32_t network, const uint8_t address[16], uint32_t ifindex,
			struct bpfstamp_err *err);

/* ENOENT where there is none. */
int bpfstamp_vpc_find(struct bpfstamp_vpc *vpc, uint32_t network, const uint8_t address[16],
		      struct bpfstamp_vpc_pod *out, struct bpfstamp_err *err);

/* Call fn with each entry, ordered by network and address.  fn returns 0 to go on; else it fails with ECANCELED. */
typedef int bpfstamp_vpc_pod_fn(const struct bpfstamp_vpc_pod *pod, void *arg);
int bpfstamp_vpc_pods(struct bpfstamp_vpc *vpc, bpfstamp_vpc_pod_fn *fn, void *arg, struct bpfstamp_err *err);

/* Why the programs dropped a packet, as in bpf/vpc.h. */
enum { BPFSTAMP_VPC_DROPS = 8 };
const char *bpfstamp_vpc_drop_name(uint32_t reason);	/* "source", "unknown", …; NULL for 0 and beyond the last */

/* Sums over the processors. */
struct bpfstamp_vpc_stats {
	uint32_t network, ifindex;	/* network 0: dropped on the way in at ifindex, before a pod was known */
	uint64_t from_packets, from_bytes, to_packets, to_bytes;
	uint64_t drops[BPFSTAMP_VPC_DROPS];
};

/* ENOENT where the pin of vpc_stats was removed. */
typedef int bpfstamp_vpc_stats_fn(const struct bpfstamp_vpc_stats *stats, void *arg);
int bpfstamp_vpc_stats(struct bpfstamp_vpc *vpc, bpfstamp_vpc_stats_fn *fn, void *arg, struct bpfstamp_err *err);

/* The id of the map that counts, by which its programs are known (struct bpfstamp_running_info, map_ids); 0: none. */
uint32_t bpfstamp_vpc_stats_id(const struct bpfstamp_vpc *vpc);

/* No error where there is none. */
int bpfstamp_vpc_stats_remove(struct bpfstamp_vpc *vpc, uint32_t network, uint32_t ifindex, struct bpfstamp_err *err);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
