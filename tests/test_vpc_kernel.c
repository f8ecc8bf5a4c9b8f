// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the programs of bpf/vpc_vxlan.bpf.c do with one packet, asked by
 * BPF_PROG_TEST_RUN on whatever kernel and byte order this is: the answers to
 * ARP and to neighbour discovery byte by byte, where a packet goes, what is
 * written into it, and what is counted.  What becomes of it on the wire is for
 * tests/vpc.sh.
 *
 * In a test run the interface is the loopback, whose number is 1; so the pod's
 * is, too.
 */
#include <check.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/vpc.h"
#include "tests/bpffs.h"

Suite *suite_vpc_kernel(void);

enum { VNI = 100, POD = 1, CPUS = 8192 };

#define POD_MAC "\x02\x00\x00\x00\x00\x11"
#define VPC_MAC "\x02\x76\x70\x63\x00\x01"

struct program {
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *s;
	struct bpfstamp_loaded *loaded;
	int fd, pods, stats;
};

static int map_fd(const struct program *p, const char *name)
{
	for (uint32_t i = 0; i < p->t->map_count; i++)
		if (!strcmp(p->t->maps[i].name, name))
			return bpfstamp_loaded_map(p->loaded, i);
	ck_abort_msg("no map %s", name);
}

static bool start(struct program *p, const char *program, const char *name, const char *value)
{
	const char *dir = getenv("OBJECTS");
	struct bpfstamp_load load = { .prog_type = BPF_PROG_TYPE_SCHED_CLS };
	char path[512];

	snprintf(path, sizeof(path), "%s/vpc_vxlan.v3.o", dir ? dir : "build/tests/objects");
	if (access(path, R_OK)) {
		fprintf(stderr, "SKIP vpc_kernel: no %s\n", path);
		ck_assert_ptr_null(getenv("CI"));
		return false;
	}
	ck_assert_msg(!bpfstamp_open_file(&p->t, path, &bpffs.err), "%s", bpffs.err.text);
	ck_assert_msg(!bpfstamp_stamp_new(&p->s, p->t, &bpffs.err), "%s", bpffs.err.text);
	bpfobj_set(p->s, "vni", "100");
	bpfobj_set(p->s, "vxlan_ifindex", "1");
	if (name)
		bpfobj_set(p->s, name, value);
	ck_assert_msg(!bpfstamp_find_program(p->t, program, 0, &load.program, &bpffs.err), "%s", bpffs.err.text);
	ck_assert_msg(!bpfstamp_load_object(p->s, &load, &p->loaded, &bpffs.err), "%s", bpffs.err.text);
	p->fd = bpfstamp_loaded_program(p->loaded, load.program);
	p->pods = map_fd(p, "vpc_pods");
	p->stats = map_fd(p, "vpc_stats");
	return true;
}

static void stop(struct program *p)
{
	bpfstamp_loaded_free(p->loaded);
	bpfstamp_stamp_free(p->s);
	bpfstamp_close(p->t);
}

/* The program's verdict, and in frame what it made of the packet. */
static uint32_t run(const struct program *p, uint8_t frame[256], uint32_t *size)
{
	uint8_t in[256];
	union bpf_attr attr = {
		.test = { .prog_fd = (uint32_t)p->fd, .data_in = (uintptr_t)in, .data_size_in = *size,
			  .data_out = (uintptr_t)frame, .data_size_out = 256 },
	};

	memcpy(in, frame, sizeof(in));
	ck_assert_int_eq(bpffs_call(BPF_PROG_TEST_RUN, &attr), 0);
	*size = attr.test.data_size_out;
	return attr.test.retval;
}

static void ipv4(__be32 out[4], const char address[4])
{
	memset(out, 0, 16);
	memset((uint8_t *)out + 10, 0xff, 2);
	memcpy(&out[3], address, 4);
}

static void place(const struct program *p, uint32_t network, const char address[4], uint32_t ifindex)
{
	struct vpc_pod pod = { .ifindex = ifindex, .mac = { 2, 0, 0, 0, 0, 0x22 } };
	struct vpc_pod_key key = { .network = network };
	union bpf_attr attr = { .map_fd = (uint32_t)p->pods, .key = (uintptr_t)&key, .value = (uintptr_t)&pod };

	ipv4(key.address, address);
	ipv4(pod.node, "\xc0\x00\x02\x02");
	ck_assert_int_eq(bpffs_call(BPF_MAP_UPDATE_ELEM, &attr), 0);
}

/* Sum over all processors; zeroes where there is no entry. */
static struct vpc_stats stats(const struct program *p, uint32_t network, uint32_t ifindex)
{
	struct vpc_stats_key key = { network, ifindex };
	struct vpc_stats *each = calloc(CPUS, sizeof(*each)), sum = { 0 };
	union bpf_attr attr = { .map_fd = (uint32_t)p->stats, .key = (uintptr_t)&key, .value = (uintptr_t)each };

	ck_assert_ptr_nonnull(each);
	if (!bpffs_call(BPF_MAP_LOOKUP_ELEM, &attr)) {
		for (int cpu = 0; cpu < CPUS; cpu++) {
			sum.from_packets += each[cpu].from_packets;
			sum.from_bytes += each[cpu].from_bytes;
			sum.to_packets += each[cpu].to_packets;
			sum.to_bytes += each[cpu].to_bytes;
			for (int reason = 0; reason < VPC_DROPS; reason++)
				sum.drops[reason] += each[cpu].drops[reason];
		}
	}
	free(each);
	return sum;
}

/* The packet is dropped, for that reason and no other. */
static void drops(const struct program *p, const char *packet, uint32_t size, enum vpc_drop reason)
{
	struct vpc_stats before = stats(p, VNI, POD), after;
	uint8_t frame[256] = { 0 };

	memcpy(frame, packet, size);
	ck_assert_uint_eq(run(p, frame, &size), TC_ACT_SHOT);
	after = stats(p, VNI, POD);
	for (unsigned int r = 0; r < VPC_DROPS; r++)
		ck_assert_msg(after.drops[r] == before.drops[r] + (r == reason), "reason %u, not %u", r, reason);
}

/* The packet comes out as answer, and goes somewhere. */
static void answers(const struct program *p, const char *packet, uint32_t size, const char *answer,
		    uint32_t answer_size)
{
	uint8_t frame[256] = { 0 };

	memcpy(frame, packet, size);
	ck_assert_uint_eq(run(p, frame, &size), TC_ACT_REDIRECT);
	ck_assert_uint_eq(size, answer_size);
	for (uint32_t i = 0; i < size; i++)
		ck_assert_msg(frame[i] == (uint8_t)answer[i], "byte %u is %02x, not %02x", i, frame[i],
			      (uint8_t)answer[i]);
}

/* -------------------------------------------------------------------- ARP */

#define BROADCAST "\xff\xff\xff\xff\xff\xff"
#define ARP(to, from, operation, sha, spa, tha, tpa) \
	to from "\x08\x06\x00\x01\x08\x00\x06\x04\x00" operation sha spa tha tpa
#define NO_MAC "\0\0\0\0\0\0"
#define IP1 "\x0a\x01\x00\x01"
#define IP2 "\x0a\x01\x00\x02"
#define PACKET(text) text, sizeof(text) - 1

START_TEST(arp)
{
	struct program p;

	if (!start(&p, "from_pod", NULL, NULL))
		return;
	answers(&p, PACKET(ARP(BROADCAST, POD_MAC, "\x01", POD_MAC, IP1, NO_MAC, IP2)),
		PACKET(ARP(POD_MAC, VPC_MAC, "\x02", VPC_MAC, IP2, POD_MAC, IP1)));
	/* A probe, an announcement, an answer, and one that is too short. */
	drops(&p, PACKET(ARP(BROADCAST, POD_MAC, "\x01", POD_MAC, "\0\0\0\0", NO_MAC, IP2)), VPC_DROP_NEIGHBOUR);
	drops(&p, PACKET(ARP(BROADCAST, POD_MAC, "\x01", POD_MAC, IP1, NO_MAC, IP1)), VPC_DROP_NEIGHBOUR);
	drops(&p, PACKET(ARP(VPC_MAC, POD_MAC, "\x02", POD_MAC, IP1, VPC_MAC, IP2)), VPC_DROP_NEIGHBOUR);
	drops(&p, ARP(BROADCAST, POD_MAC, "\x01", POD_MAC, IP1, NO_MAC, IP2), 41, VPC_DROP_PROTOCOL);
	stop(&p);
}
END_TEST

/* ---------------------------------------------------- neighbour discovery */

#define FD01(n) "\xfd\x01\0\0\0\0\0\0\0\0\0\0\0\0\0" n
#define NODES2 "\xff\x02\0\0\0\0\0\0\0\0\0\x01\xff\0\0\x02"
#define GROUP2 "\x33\x33\xff\0\0\x02"
#define NEIGHBOUR(to, from, len, hops, source, destination, type, checksum, flags, target, option) \
	to from "\x86\xdd\x60\0\0\0\0" len "\x3a" hops source destination \
	type "\0" checksum flags "\0\0\0" target option
#define SOLICITS(hops, source, target) \
	NEIGHBOUR(GROUP2, POD_MAC, "\x20", hops, source, NODES2, "\x87", "\0\0", "\0", target, "\x01\x01" POD_MAC)

START_TEST(neighbour)
{
	/*
	 * The sum by hand: addresses 2 * 0xfd01 + 2 + 1, length 0x20, protocol 0x3a, 0x8800, 0xe000, target
	 * 0xfd01 + 2, option 0x0201 + 0x0276 + 0x7063 + 0x0001: 0x4d43d, which folds to 0xd441.
	 */
	const char *answer = NEIGHBOUR(POD_MAC, VPC_MAC, "\x20", "\xff", FD01("\x02"), FD01("\x01"), "\x88",
				       "\x2b\xbe", "\xe0", FD01("\x02"), "\x02\x01" VPC_MAC);
	struct program p;

	if (!start(&p, "from_pod", NULL, NULL))
		return;
	answers(&p, PACKET(SOLICITS("\xff", FD01("\x01"), FD01("\x02"))), answer, 86);
	/* Without the option that tells who asks. */
	answers(&p, PACKET(NEIGHBOUR(GROUP2, POD_MAC, "\x18", "\xff", FD01("\x01"), NODES2, "\x87",
				     "\0\0", "\0", FD01("\x02"), "")), answer, 86);
	/* Duplicate address detection, a router between, its own address, a group, and cut short. */
	drops(&p, PACKET(SOLICITS("\xff", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", FD01("\x02"))), VPC_DROP_NEIGHBOUR);
	drops(&p, PACKET(SOLICITS("\xfe", FD01("\x01"), FD01("\x02"))), VPC_DROP_NEIGHBOUR);
	drops(&p, PACKET(SOLICITS("\xff", FD01("\x01"), FD01("\x01"))), VPC_DROP_NEIGHBOUR);
	drops(&p, PACKET(SOLICITS("\xff", FD01("\x01"), NODES2)), VPC_DROP_NEIGHBOUR);
	drops(&p, SOLICITS("\xff", FD01("\x01"), FD01("\x02")), 77, VPC_DROP_PROTOCOL);
	/* An advertisement to a neighbour would be believed; and no address of IPv4 may come as one of IPv6. */
	drops(&p, PACKET(NEIGHBOUR(VPC_MAC, POD_MAC, "\x20", "\xff", FD01("\x01"), FD01("\x02"), "\x88", "\0\0",
				   "\x20", FD01("\x01"), "\x02\x01" POD_MAC)), VPC_DROP_NEIGHBOUR);
	drops(&p, PACKET(NEIGHBOUR(VPC_MAC, POD_MAC, "\x20", "\xff", "\0\0\0\0\0\0\0\0\0\0\xff\xff" IP1,
				   FD01("\x02"), "\x80", "\0\0", "\0", FD01("\x01"), "\x02\x01" POD_MAC)),
	      VPC_DROP_PROTOCOL);
	stop(&p);
}
END_TEST

/* -------------------------------------------------------------- IP packets */

#define IPV4(to, from, version, source, destination) \
	to from "\x08\x00" version "\0\0\x1c\0\x01\0\0\x40\x11\0\0" source destination "\0\x09\0\x09\0\x08\0\0"
#define FROM_1_TO(destination) IPV4(VPC_MAC, POD_MAC, "\x45", IP1, destination)

START_TEST(packets)
{
	struct vpc_stats before, after;
	struct program p;

	if (!start(&p, "from_pod", NULL, NULL))
		return;
	/* Nothing is known; then only of another network; then only who sends; then both. */
	drops(&p, PACKET(FROM_1_TO(IP2)), VPC_DROP_SOURCE);
	place(&p, VNI + 1, IP1, POD);
	place(&p, VNI + 1, IP2, 0);
	drops(&p, PACKET(FROM_1_TO(IP2)), VPC_DROP_SOURCE);
	place(&p, VNI, IP1, POD + 1);
	drops(&p, PACKET(FROM_1_TO(IP2)), VPC_DROP_SOURCE);
	place(&p, VNI, IP1, POD);
	drops(&p, PACKET(FROM_1_TO(IP2)), VPC_DROP_UNKNOWN);
	place(&p, VNI, IP2, 0);
	before = stats(&p, VNI, POD);
	answers(&p, PACKET(FROM_1_TO(IP2)), PACKET(FROM_1_TO(IP2)));
	after = stats(&p, VNI, POD);
	ck_assert_uint_eq(after.from_packets, before.from_packets + 1);
	ck_assert_uint_eq(after.from_bytes, before.from_bytes + sizeof(FROM_1_TO(IP2)) - 1);
	ck_assert_mem_eq(after.drops, before.drops, sizeof(after.drops));

	/* To a pod of this node: its MAC address, from the one that all have for a neighbour. */
	place(&p, VNI, IP2, 7);
	answers(&p, PACKET(FROM_1_TO(IP2)), PACKET(IPV4("\x02\0\0\0\0\x22", VPC_MAC, "\x45", IP1, IP2)));
	after = stats(&p, VNI, 7);
	ck_assert_uint_eq(after.to_packets, 1);
	ck_assert_uint_eq(after.to_bytes, sizeof(FROM_1_TO(IP2)) - 1);

	drops(&p, PACKET(IPV4(BROADCAST, POD_MAC, "\x45", IP1, IP2)), VPC_DROP_MULTICAST);
	drops(&p, PACKET(IPV4("\x01\0\x5e\0\0\x01", POD_MAC, "\x45", IP1, IP2)), VPC_DROP_MULTICAST);
	drops(&p, PACKET(IPV4(VPC_MAC, POD_MAC, "\x65", IP1, IP2)), VPC_DROP_PROTOCOL);
	drops(&p, PACKET(VPC_MAC POD_MAC "\x88\xb5" "anything of more than twenty bytes"), VPC_DROP_PROTOCOL);
	stop(&p);
}
END_TEST

START_TEST(stamped_address)
{
	struct program p;

	if (!start(&p, "from_pod", "pod_ipv4", "10.1.0.1"))
		return;
	place(&p, VNI, IP2, POD);
	answers(&p, PACKET(FROM_1_TO(IP2)), PACKET(IPV4("\x02\0\0\0\0\x22", VPC_MAC, "\x45", IP1, IP2)));
	drops(&p, PACKET(IPV4(VPC_MAC, POD_MAC, "\x45", IP2, IP1)), VPC_DROP_SOURCE);
	stop(&p);
}
END_TEST

/* What comes out of no tunnel is counted for nobody. */
START_TEST(no_tunnel)
{
	uint8_t frame[256] = FROM_1_TO(IP2);
	uint32_t size = sizeof(FROM_1_TO(IP2)) - 1;
	struct program p;

	if (!start(&p, "from_vxlan", NULL, NULL))
		return;
	place(&p, 0, IP1, 0);
	place(&p, 0, IP2, POD);
	ck_assert_uint_eq(run(&p, frame, &size), TC_ACT_SHOT);
	ck_assert_uint_eq(stats(&p, 0, POD).drops[VPC_DROP_TUNNEL], 1);
	stop(&p);
}
END_TEST

Suite *suite_vpc_kernel(void)
{
	TCase *tcase = tcase_create("vpc_kernel");
	Suite *s = suite_create("vpc_kernel");

	suite_add_tcase(s, tcase);
	if (!bpffs_usable("vpc_kernel"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_test(tcase, arp);
	tcase_add_test(tcase, neighbour);
	tcase_add_test(tcase, packets);
	tcase_add_test(tcase, stamped_address);
	tcase_add_test(tcase, no_tunnel);
	return s;
}
