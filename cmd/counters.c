// SPDX-License-Identifier: BSD-2-Clause
/*
 * The counters of the VPC programs, for `bpfstamp show --stats`.
 *
 * They are read once, before anything is shown.  An interface is a number in
 * them, which means another one in every network namespace: so they are only
 * told of interfaces that have a program with this very map.
 *
 * An interface has an entry for each network that its pod was in, and the
 * pods' network may be 0: what came in there and was dropped before anybody knew
 * for whom it was.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/counters.h"

struct counters {
	uint32_t map;		/* its id */
	struct bpfstamp_vpc_stats *entries;
	size_t count;
};

/* -------------------------------------------------------------- reading */

static int add(const struct bpfstamp_vpc_stats *stats, void *arg)
{
	struct counters *c = arg;
	struct bpfstamp_vpc_stats *more = c->entries;

	if (!(c->count & (c->count - 1)))	/* the room is the next power of two */
		more = realloc(c->entries, (c->count ? 2 * c->count : 1) * sizeof(*more));
	if (!more)
		return -1;
	c->entries = more;
	more[c->count++] = *stats;
	return 0;
}

static int read_all(struct counters *c, const char *pin_path, struct bpfstamp_err *err)
{
	struct bpfstamp_vpc *vpc;
	int ret;

	if (bpfstamp_vpc_open(&vpc, pin_path, err))
		return -1;
	c->map = bpfstamp_vpc_stats_id(vpc);
	ret = bpfstamp_vpc_stats(vpc, add, c, err);
	bpfstamp_vpc_close(vpc);
	return ret && err->code == ECANCELED ? bpfstamp_err_set(err, ENOMEM, "out of memory") : ret;
}

int counters_open(struct counters **out, const char *pin_path, struct bpfstamp_err *err)
{
	struct counters *c = calloc(1, sizeof(*c));

	if (!c)
		return bpfstamp_err_set(err, ENOMEM, "out of memory");
	if (read_all(c, pin_path, err)) {
		counters_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void counters_free(struct counters *c)
{
	if (!c)
		return;
	free(c->entries);
	free(c);
}

bool counters_of(const struct counters *c, const struct bpfstamp_running *r)
{
	struct bpfstamp_running_info info;
	bool found = !r;

	if (r)
		bpfstamp_running_info(r, &info);
	for (uint32_t i = 0; !found && i < info.map_count; i++)
		found = info.map_ids[i] == c->map;
	return found;
}

/* --------------------------------------------------------------- telling */

static bool is_of(const struct bpfstamp_vpc_stats *stats, int ifindex)
{
	return stats->ifindex == (uint32_t)ifindex;
}

static void print_drops(const struct bpfstamp_vpc_stats *stats, const char *before)
{
	for (uint32_t i = 0; i < BPFSTAMP_VPC_DROPS; i++) {
		if (!bpfstamp_vpc_drop_name(i) || !stats->drops[i])
			continue;
		printf("%s %" PRIu64 " %s", before, stats->drops[i], bpfstamp_vpc_drop_name(i));
		before = ",";
	}
}

static void print_line(const struct bpfstamp_vpc_stats *stats)
{
	char network[BPFSTAMP_VPC_NETWORK_TEXT];

	bpfstamp_vpc_network_text(network, stats->network);
	if (stats->network)
		printf("    network %s: sent %" PRIu64 " packets (%" PRIu64 " bytes), received %" PRIu64 " (%" PRIu64
		       " bytes)", network, stats->from_packets, stats->from_bytes, stats->to_packets,
		       stats->to_bytes);
	else
		printf("    not for a pod:");
	print_drops(stats, stats->network ? ", dropped" : " dropped");
	putchar('\n');
}

void counters_lines(const struct counters *c, int ifindex)
{
	for (size_t i = 0; i < c->count; i++)
		if (is_of(&c->entries[i], ifindex))
			print_line(&c->entries[i]);
}

static json_t *one_json(const struct bpfstamp_vpc_stats *stats)
{
	char network[BPFSTAMP_VPC_NETWORK_TEXT];
	json_t *drops = json_object();
	const char *reason;

	for (uint32_t i = 0; i < BPFSTAMP_VPC_DROPS; i++) {
		reason = bpfstamp_vpc_drop_name(i);
		if (reason && stats->drops[i])
			json_object_set_new(drops, reason, json_integer((json_int_t)stats->drops[i]));
	}
	bpfstamp_vpc_network_text(network, stats->network);
	return json_pack("{s:s?, s:I, s:I, s:I, s:I, s:o}", "network", stats->network ? network : NULL,
			 "from_packets", (json_int_t)stats->from_packets, "from_bytes", (json_int_t)stats->from_bytes,
			 "to_packets", (json_int_t)stats->to_packets, "to_bytes", (json_int_t)stats->to_bytes,
			 "drops", drops);
}

json_t *counters_json(const struct counters *c, int ifindex)
{
	json_t *array = json_array();

	for (size_t i = 0; i < c->count; i++)
		if (is_of(&c->entries[i], ifindex))
			json_array_append_new(array, one_json(&c->entries[i]));
	return array;
}
