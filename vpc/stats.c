// SPDX-License-Identifier: BSD-2-Clause
/*
 * vpc_stats: what each pod sent and was sent, and what was dropped.
 *
 * Each processor counts in a value of its own, which the kernel copies one
 * after the other while programs go on counting: a sum is of no one moment, but
 * each number in it was true at some time during the call, and none falls.
 *
 * A pod that sends after its entry was removed gets a new one.  So who removes
 * a pod removes its entry last, when its programs are gone.
 *
 * The map may not be there (open.c): then nothing is counted that anybody could find.
 */
#include <errno.h>
#include <stdlib.h>

#include "loader/err.h"
#include "loader/sys.h"
#include "vpc/vpc.h"

_Static_assert((int)BPFSTAMP_VPC_DROPS == (int)VPC_DROPS, "as the programs have them");

const char *bpfstamp_vpc_drop_name(uint32_t reason)
{
	static const char *const names[VPC_DROPS] = {
		[VPC_DROP_TAGGED] = "tagged", [VPC_DROP_PROTOCOL] = "protocol", [VPC_DROP_NEIGHBOUR] = "neighbour",
		[VPC_DROP_MULTICAST] = "multicast", [VPC_DROP_SOURCE] = "source", [VPC_DROP_UNKNOWN] = "unknown",
		[VPC_DROP_TUNNEL] = "tunnel",
	};

	return reason < VPC_DROPS ? names[reason] : NULL;
}

static struct bpfstamp_vpc_stats sum_of(const struct vpc_stats_key *key, const struct vpc_stats *each, uint32_t cpus)
{
	struct bpfstamp_vpc_stats sum = { .network = key->network, .ifindex = key->ifindex };

	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		sum.from_packets += each[cpu].from_packets;
		sum.from_bytes += each[cpu].from_bytes;
		sum.to_packets += each[cpu].to_packets;
		sum.to_bytes += each[cpu].to_bytes;
		for (int i = 0; i < VPC_DROPS; i++)
			sum.drops[i] += each[cpu].drops[i];
	}
	return sum;
}

static int compare_keys(const void *one, const void *other)
{
	const struct vpc_stats_key *a = one, *b = other;

	if (a->network != b->network)
		return a->network < b->network ? -1 : 1;
	return a->ifindex < b->ifindex ? -1 : a->ifindex > b->ifindex;
}

/* each is room for the values of one key. */
static int call(const struct bpfstamp_vpc *vpc, const struct vpc_stats_key *key, struct vpc_stats *each,
		bpfstamp_vpc_stats_fn *fn, void *arg, struct bpfstamp_err *err)
{
	struct bpfstamp_vpc_stats sum;

	if (sys_map_lookup(vpc->stats.fd, key, each))
		return errno == ENOENT ? 0 : vpc_failed("read vpc_stats", err);
	sum = sum_of(key, each, vpc->cpus);
	return fn(&sum, arg) ? err_set(err, ECANCELED, "stopped by the caller") : 0;
}

int bpfstamp_vpc_stats(struct bpfstamp_vpc *vpc, bpfstamp_vpc_stats_fn *fn, void *arg, struct bpfstamp_err *err)
{
	struct vpc_stats *each;
	void *keys = NULL;
	size_t count = 0;
	int ret;

	if (vpc->stats.fd < 0)
		return err_set(err, ENOENT, "there is no vpc_stats beside vpc_pods: its pin was removed; attach a VPC "
			       "program, which makes and pins another");
	each = calloc(vpc->cpus, sizeof(*each));
	if (!each)
		return err_set(err, ENOMEM, "out of memory");
	ret = vpc_keys(&vpc->stats, compare_keys, &keys, &count, err);
	for (size_t i = 0; i < count && !ret; i++)
		ret = call(vpc, (const struct vpc_stats_key *)keys + i, each, fn, arg, err);
	free(keys);
	free(each);
	return ret;
}

uint32_t bpfstamp_vpc_stats_id(const struct bpfstamp_vpc *vpc)
{
	return vpc->stats.id;
}

int bpfstamp_vpc_stats_remove(struct bpfstamp_vpc *vpc, uint32_t network, uint32_t ifindex, struct bpfstamp_err *err)
{
	struct vpc_stats_key key = { network, ifindex };

	if (vpc->stats.fd < 0 || !sys_map_delete(vpc->stats.fd, &key) || errno == ENOENT)
		return 0;
	return vpc_failed("remove from vpc_stats", err);
}
