// SPDX-License-Identifier: BSD-2-Clause
/*
 * The maps of the VPC programs from outside (include/bpfstamp_vpc.h), on maps
 * that the test makes and pins itself: what is taken for them and what is not, an
 * address that two pods want, lists while others change the map, and sums over
 * the processors.  What the programs do with the maps is for test_vpc_kernel.c.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpf/vpc.h"
#include "include/bpfstamp_vpc.h"
#include "loader/mapfill.h"
#include "loader/sys.h"
#include "tests/bpffs.h"

Suite *suite_vpcmaps_kernel(void);

enum { RED = 100, BLUE = 200 };

static struct bpfstamp_err err;
static struct bpfstamp_vpc *vpc;
static int pods_fd, stats_fd;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)
#define FAILS(call, number, words) do { \
	err = (struct bpfstamp_err){ 0 }; \
	ck_assert_int_eq(call, -1); \
	bpfobj_says(&err, words); \
	ck_assert_ptr_null(strchr(err.text, '\n')); \
	ck_assert_int_eq(err.code, number); \
} while (0)

/* ------------------------------------------------------------------ maps */

static int make_map(const char *name, uint32_t type, uint32_t key, uint32_t value, uint32_t room)
{
	union bpf_attr attr = { .map_type = type, .key_size = key, .value_size = value, .max_entries = room,
				.map_flags = type == BPF_MAP_TYPE_ARRAY ? 0 : BPF_F_NO_PREALLOC };
	char path[128];
	int fd = sys_map_create(&attr);

	ck_assert_int_ge(fd, 0);
	snprintf(path, sizeof(path), BPFFS "/%s", name);
	ck_assert_int_eq(sys_obj_pin(path, fd), 0);
	return fd;
}

static void make_pods(uint32_t room)
{
	pods_fd = make_map("vpc_pods", BPF_MAP_TYPE_HASH, 20, 28, room);
}

static void make_stats(void)
{
	stats_fd = make_map("vpc_stats", BPF_MAP_TYPE_PERCPU_HASH, 8, 96, 64);
}

/* Loading would raise the limit, and these tests load nothing. */
static void empty_setup(void)
{
	bpffs_setup();
	bpffs_raise_memlock();
}

static void setup(void)
{
	empty_setup();
	make_pods(1024);
	make_stats();
	OK(bpfstamp_vpc_open(&vpc, NULL, &err));
}

static void teardown(void)
{
	bpfstamp_vpc_close(vpc);
	close(pods_fd);
	close(stats_fd);
}

/* ------------------------------------------------------------------ open */

static const struct {
	const char *name;
	uint32_t type, key, value;
	const char *words;
} others[] = {
	{ "vpc_pods", BPF_MAP_TYPE_PERCPU_HASH, 20, 28,
	  "vpc_pods is another map (percpu_hash, key 20, value 28), not vpc_pods" },
	{ "vpc_pods", BPF_MAP_TYPE_HASH, 24, 28, "vpc_pods is another map (hash, key 24, value 28)" },
	{ "vpc_pods", BPF_MAP_TYPE_HASH, 20, 32,
	  "VPC programs (hash, key 20, value 28): remove the pin, or choose another" },
	{ "vpc_pods", BPF_MAP_TYPE_ARRAY, 4, 28, "another map (array, key 4, value 28)" },
	{ "vpc_stats", BPF_MAP_TYPE_HASH, 8, 96, "another map (hash, key 8, value 96), not vpc_stats" },
	{ "vpc_stats", BPF_MAP_TYPE_PERCPU_HASH, 8, 104, "(percpu_hash, key 8, value 104), not" },
	{ "vpc_stats", BPF_MAP_TYPE_PERCPU_HASH, 4, 96, "(percpu_hash, key 4, value 96), not" },
};

START_TEST(another_map)
{
	bool is_pods = !strcmp(others[_i].name, "vpc_pods");
	int before;

	make_map(others[_i].name, others[_i].type, others[_i].key, others[_i].value, 4);
	if (is_pods)
		make_stats();
	else
		make_pods(4);
	before = bpffs_open_fds();
	vpc = NULL;
	FAILS(bpfstamp_vpc_open(&vpc, BPFFS, &err), EINVAL, others[_i].words);
	ck_assert_ptr_null(vpc);
	ck_assert_int_eq(bpffs_open_fds(), before);
}
END_TEST

START_TEST(not_there)
{
	char longer[5000];
	int before = bpffs_open_fds();

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	FAILS(bpfstamp_vpc_open(&vpc, NULL, &err), ENOENT,
	      "there is no vpc_pods in /sys/fs/bpf: attach a VPC program");
	FAILS(bpfstamp_vpc_open(&vpc, BPFFS "/no", &err), ENOENT, "there is no vpc_pods in /sys/fs/bpf/no");
	FAILS(bpfstamp_vpc_open(&vpc, longer, &err), ENAMETOOLONG, "the path is too long");
	make_stats();
	FAILS(bpfstamp_vpc_open(&vpc, NULL, &err), ENOENT, "there is no vpc_pods in");
	ck_assert_int_eq(bpffs_open_fds(), before + 1);
	bpfstamp_vpc_close(NULL);
}
END_TEST

/* Without the one that counts, the other one is used. */
START_TEST(no_stats)
{
	struct bpfstamp_vpc_pod pod = { .network = 100, .address = { 0xfd, [15] = 1 }, .ifindex = 7 }, found;

	make_pods(4);
	OK(bpfstamp_vpc_open(&vpc, NULL, &err));
	OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
	OK(bpfstamp_vpc_find(vpc, 100, pod.address, &found, &err));
	ck_assert_uint_eq(found.ifindex, 7);
	FAILS(bpfstamp_vpc_stats(vpc, NULL, NULL, &err), ENOENT, "there is no vpc_stats beside vpc_pods");
	ck_assert_uint_eq(bpfstamp_vpc_stats_id(vpc), 0);
	OK(bpfstamp_vpc_stats_remove(vpc, 100, 7, &err));
	OK(bpfstamp_vpc_remove(vpc, 100, pod.address, 7, &err));
	bpfstamp_vpc_close(vpc);
}
END_TEST

/* ------------------------------------------------------------------ pods */

static void set_ipv4(uint8_t out[16], uint32_t ipv4)
{
	memset(out, 0, 16);
	memset(out + 10, 0xff, 2);
	for (int i = 0; i < 4; i++)
		out[12 + i] = (uint8_t)(ipv4 >> (24 - 8 * i));
}

static struct bpfstamp_vpc_pod local(uint32_t network, uint32_t ipv4, uint32_t ifindex)
{
	struct bpfstamp_vpc_pod pod = { .network = network, .ifindex = ifindex, .mac = { 2, 0, 0, 0, 0, 0x11 } };

	set_ipv4(pod.address, ipv4);
	return pod;
}

static struct bpfstamp_vpc_pod remote(uint32_t network, uint32_t ipv4, uint32_t node)
{
	struct bpfstamp_vpc_pod pod = local(network, ipv4, 0);

	set_ipv4(pod.node, node);
	return pod;
}

static void is_same(const struct bpfstamp_vpc_pod *a, const struct bpfstamp_vpc_pod *b)
{
	ck_assert_uint_eq(a->network, b->network);
	ck_assert_uint_eq(a->ifindex, b->ifindex);
	ck_assert_mem_eq(a->address, b->address, sizeof(a->address));
	ck_assert_mem_eq(a->node, b->node, sizeof(a->node));
	ck_assert_mem_eq(a->mac, b->mac, sizeof(a->mac));
}

static int count_pod(const struct bpfstamp_vpc_pod *pod, void *arg)
{
	(void)pod;
	++*(unsigned int *)arg;
	return 0;
}

static unsigned int count_pods(void)
{
	unsigned int count = 0;

	OK(bpfstamp_vpc_pods(vpc, count_pod, &count, &err));
	return count;
}

/* What stands in the map is what bpf/vpc.h says, which programs read by the same header. */
START_TEST(as_the_programs_read_it)
{
	struct bpfstamp_vpc_pod pod = remote(RED, 0x0a010003, 0xc0000202);
	struct vpc_pod_key key = { .network = RED };
	struct vpc_pod value;

	set_ipv4((uint8_t *)key.address, 0x0a010003);
	OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
	ck_assert_int_eq(sys_map_lookup(pods_fd, &key, &value), 0);
	ck_assert_uint_eq(value.ifindex, 0);
	ck_assert_mem_eq(value.node, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x02", 16);
	ck_assert_mem_eq(value.mac, "\x02\0\0\0\0\x11\0\0", 8);
	pod = local(RED, 0x0a010003, 0x01020304);
	OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_MOVE, &err));
	ck_assert_int_eq(sys_map_lookup(pods_fd, &key, &value), 0);
	ck_assert_uint_eq(value.ifindex, 0x01020304);
	ck_assert_mem_eq(value.node, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}
END_TEST

START_TEST(add_find_remove)
{
	struct bpfstamp_vpc_pod red = local(RED, 0x0a010001, 7), blue = local(BLUE, 0x0a010001, 8), got;

	OK(bpfstamp_vpc_add(vpc, &red, BPFSTAMP_VPC_NEW, &err));
	FAILS(bpfstamp_vpc_find(vpc, BLUE, red.address, &got, &err), ENOENT,
	      "there is no pod 10.1.0.1 in network 200");
	OK(bpfstamp_vpc_add(vpc, &blue, BPFSTAMP_VPC_NEW, &err));
	OK(bpfstamp_vpc_find(vpc, RED, red.address, &got, &err));
	is_same(&got, &red);
	FAILS(bpfstamp_vpc_remove(vpc, RED, red.address, 8, &err), ENOENT,
	      "there is no pod 10.1.0.1 in network 100 at interface 8: it is another pod's by now");
	OK(bpfstamp_vpc_find(vpc, RED, red.address, &got, &err));
	OK(bpfstamp_vpc_remove(vpc, RED, red.address, 7, &err));
	FAILS(bpfstamp_vpc_remove(vpc, RED, red.address, 7, &err), ENOENT, "there is no pod 10.1.0.1 in network 100");
	FAILS(bpfstamp_vpc_remove(vpc, RED, red.address, 0, &err), ENOENT, "there is no pod 10.1.0.1 in network 100");
	OK(bpfstamp_vpc_find(vpc, BLUE, blue.address, &got, &err));
	is_same(&got, &blue);
	OK(bpfstamp_vpc_remove(vpc, BLUE, blue.address, 0, &err));
	ck_assert_uint_eq(count_pods(), 0);
}
END_TEST

/* Of two pods one gets the address, and the other is told who has it. */
START_TEST(taken)
{
	struct bpfstamp_vpc_pod first = local(RED, 0x0a010001, 7), second = first, got;

	OK(bpfstamp_vpc_add(vpc, &first, BPFSTAMP_VPC_NEW, &err));
	OK(bpfstamp_vpc_add(vpc, &first, BPFSTAMP_VPC_NEW, &err));
	second.mac[5] = 0x12;
	FAILS(bpfstamp_vpc_add(vpc, &second, BPFSTAMP_VPC_NEW, &err), EEXIST,
	      "10.1.0.1 of network 100 is taken: by the pod at interface 7 with MAC address "
	      "02:00:00:00:00:11; remove that first, or overwrite it");
	OK(bpfstamp_vpc_find(vpc, RED, first.address, &got, &err));
	is_same(&got, &first);
	OK(bpfstamp_vpc_add(vpc, &second, BPFSTAMP_VPC_MOVE, &err));
	OK(bpfstamp_vpc_find(vpc, RED, first.address, &got, &err));
	is_same(&got, &second);
	first = remote(RED, 0x0a010001, 0xc0000203);
	memset(first.mac, 0, sizeof(first.mac));
	OK(bpfstamp_vpc_add(vpc, &first, BPFSTAMP_VPC_MOVE, &err));
	FAILS(bpfstamp_vpc_add(vpc, &second, BPFSTAMP_VPC_NEW, &err), EEXIST,
	      "by the pod on node 192.0.2.3; remove that first");
	first = remote(RED, 0x0a010001, 0xc0000202);
	OK(bpfstamp_vpc_add(vpc, &first, BPFSTAMP_VPC_MOVE, &err));
	FAILS(bpfstamp_vpc_add(vpc, &second, BPFSTAMP_VPC_NEW, &err), EEXIST,
	      "by the pod on node 192.0.2.2 with MAC");
	first = local(BPFSTAMP_VPC_VLAN | 5, 0x0a010001, 0);
	second.network = first.network;
	OK(bpfstamp_vpc_add(vpc, &first, BPFSTAMP_VPC_NEW, &err));
	FAILS(bpfstamp_vpc_add(vpc, &second, BPFSTAMP_VPC_NEW, &err), EEXIST,
	      "10.1.0.1 of network vlan:5 is taken: by the pod elsewhere with");
}
END_TEST

#define VLAN BPFSTAMP_VPC_VLAN
#define AD BPFSTAMP_VPC_VLAN_AD

static const struct {
	uint32_t network, ifindex, node;
	const char *words;
} refused[] = {
	{ 0, 7, 0, "cannot add 10.1.0.1: there is no network 0: a VNI is 1 to 16777215, a VLAN id 1 to 4094" },
	{ VLAN, 7, 0, "there is no network vlan:0:" },
	{ VLAN | 4095, 7, 0, "there is no network vlan:4095:" },
	{ AD | 4095, 7, 0, "there is no network vlan-ad:4095:" },
	{ VLAN | AD | 5, 7, 0, "there is no network 50331653:" },
	{ 0x80000005, 7, 0, "there is no network 2147483653:" },
	{ RED, 7, 9, "cannot add 10.1.0.1 to network 100: a pod is at an interface of this node or on another" },
	{ RED, 0, 0, "to network 100: give the interface of the pod, or the address of its node" },
	{ AD | 5, 0, 9, "to network vlan-ad:5: a VLAN finds other nodes by MAC address" },
	{ 1, 7, 0, NULL }, { 0xffffff, 7, 0, NULL }, { 0xffffff, 0, 9, NULL }, { VLAN | 1, 7, 0, NULL },
	{ VLAN | 4094, 0, 0, NULL }, { AD | 4094, 7, 0, NULL },
};

START_TEST(networks_and_places)
{
	struct bpfstamp_vpc_pod pod = local(refused[_i].network, 0x0a010001, refused[_i].ifindex), got;

	if (refused[_i].node)
		set_ipv4(pod.node, refused[_i].node);
	if (!refused[_i].words) {
		OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
		OK(bpfstamp_vpc_find(vpc, pod.network, pod.address, &got, &err));
		is_same(&got, &pod);
		return;
	}
	FAILS(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err), EINVAL, refused[_i].words);
	FAILS(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_MOVE, &err), EINVAL, refused[_i].words);
	ck_assert_uint_eq(count_pods(), 0);
}
END_TEST

START_TEST(vlan_wants_mac)
{
	const uint32_t networks[] = { VLAN | 5, AD | 5 };
	struct bpfstamp_vpc_pod pod = local(networks[_i / 2], 0x0a010001, _i % 2 ? 7 : 0);

	pod.mac[0] = 3;
	FAILS(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err), EINVAL, ":5: a VLAN carries frames between MAC");
	memset(pod.mac, 0, sizeof(pod.mac));
	FAILS(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_MOVE, &err), EINVAL, "has none that is one interface's");
	FAILS(bpfstamp_vpc_add_check(vpc, &pod, BPFSTAMP_VPC_NEW, &err), EINVAL, "has none that is one interface's");
	pod.network = RED;
	pod.ifindex = 7;
	OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
}
END_TEST

START_TEST(full)
{
	struct bpfstamp_vpc_pod pod;

	unlink(BPFFS "/vpc_pods");
	bpfstamp_vpc_close(vpc);
	close(pods_fd);
	make_pods(2);
	OK(bpfstamp_vpc_open(&vpc, NULL, &err));
	for (uint32_t i = 1; i <= 2; i++) {
		pod = local(RED, i, i);
		OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
	}
	pod = local(RED, 0x0a010003, 3);
	FAILS(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err), E2BIG,
	      "cannot add 10.1.0.3 to network 100: vpc_pods is full (2 entries)");
	FAILS(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_MOVE, &err), E2BIG, "vpc_pods is full");
}
END_TEST

/* ------------------------------------------------------------------ lists */

struct listed {
	char text[512];
	unsigned int stop_at, count;
};

static int list_pod(const struct bpfstamp_vpc_pod *pod, void *arg)
{
	char network[BPFSTAMP_VPC_NETWORK_TEXT], address[BPFSTAMP_VPC_ADDRESS_TEXT];
	struct listed *l = arg;
	size_t len = strlen(l->text);

	bpfstamp_vpc_network_text(network, pod->network);
	bpfstamp_vpc_address_text(address, pod->address);
	snprintf(l->text + len, sizeof(l->text) - len, "%s %s, ", network, address);
	return ++l->count == l->stop_at;
}

/* By number, not by how the bytes of a network stand in memory: 200 is 0xc8, and 512 is 0x02 and 0. */
START_TEST(ordered)
{
	static const uint32_t networks[] = { AD | 1, 512, VLAN | 2, 200, 200 };
	static const uint8_t ipv6[16] = { 0xfd, 1, [15] = 9 };
	struct listed all = { .text = "" }, some = { .text = "", .stop_at = 2 };
	struct bpfstamp_vpc_pod pod;

	for (uint32_t i = 0; i < 5; i++) {
		pod = local(networks[i], 0x0a010000 + 256 * i, 7);
		OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
	}
	memcpy(pod.address, ipv6, sizeof(ipv6));
	OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
	OK(bpfstamp_vpc_pods(vpc, list_pod, &all, &err));
	ck_assert_str_eq(all.text, "200 10.1.3.0, 200 10.1.4.0, 200 fd01::9, 512 10.1.1.0, vlan:2 10.1.2.0, "
			 "vlan-ad:1 10.1.0.0, ");
	FAILS(bpfstamp_vpc_pods(vpc, list_pod, &some, &err), ECANCELED, "stopped by the caller");
	ck_assert_str_eq(some.text, "200 10.1.3.0, 200 10.1.4.0, ");
}
END_TEST

/* Who is told of an entry may remove it, and what is behind it. */
static int remove_all(const struct bpfstamp_vpc_pod *pod, void *arg)
{
	++*(unsigned int *)arg;
	for (uint32_t i = 0; i < 100; i++) {
		struct bpfstamp_vpc_pod other = local(RED, i, i + 1);

		if (bpfstamp_vpc_remove(vpc, RED, other.address, 0, &err))
			ck_assert_int_eq(err.code, ENOENT);
	}
	ck_assert_uint_eq(pod->network, RED);
	return 0;
}

START_TEST(removed_meanwhile)
{
	unsigned int told = 0;

	for (uint32_t i = 0; i < 100; i++) {
		struct bpfstamp_vpc_pod pod = local(RED, i, i + 1);

		OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
	}
	OK(bpfstamp_vpc_pods(vpc, remove_all, &told, &err));
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(count_pods(), 0);
}
END_TEST

/* Adds, overwrites and removes others, and overwrites the pods that stay, which moves them in their buckets. */
static void *trouble(void *arg)
{
	struct bpfstamp_err mine;
	struct bpfstamp_vpc_pod pod;

	for (uint32_t i = 0; !atomic_load((atomic_bool *)arg); i++) {
		pod = local(BLUE, i % 64, i + 1);
		if (bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_MOVE, &mine) ||
		    bpfstamp_vpc_remove(vpc, BLUE, pod.address, 0, &mine))
			return "others";
		pod = local(RED, i % 300, i + 1);
		if (bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_MOVE, &mine))
			return "those that stay";
	}
	return NULL;
}

static int mark_pod(const struct bpfstamp_vpc_pod *pod, void *arg)
{
	unsigned int *seen = arg, i = pod->address[14] * 256u + pod->address[15];

	if (pod->network == RED)
		seen[i]++;
	return 0;
}

START_TEST(while_others_change)
{
	atomic_bool stop = false;
	unsigned int seen[300];
	pthread_t thread;
	void *failed;

	for (uint32_t i = 0; i < 300; i++) {
		struct bpfstamp_vpc_pod pod = local(RED, i, i + 1);

		OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
	}
	ck_assert_int_eq(pthread_create(&thread, NULL, trouble, &stop), 0);
	for (int round = 0; round < 60; round++) {
		memset(seen, 0, sizeof(seen));
		OK(bpfstamp_vpc_pods(vpc, mark_pod, seen, &err));
		for (int i = 0; i < 300; i++)
			ck_assert_msg(seen[i] == 1, "round %d: pod %d was told %u times", round, i, seen[i]);
	}
	atomic_store(&stop, true);
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_msg(!failed, "%s", (char *)failed);
}
END_TEST

enum { FEW = 8 };

static void *overwrite(void *arg)
{
	struct bpfstamp_err mine;
	struct bpfstamp_vpc_pod pod;

	for (uint32_t i = 0; !atomic_load((atomic_bool *)arg); i++) {
		pod = local(RED, i % FEW, i + 1);
		if (bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_MOVE, &mine))
			return "overwriting";
	}
	return NULL;
}

/* So few buckets that some pods share one: with a single look, some are not found. */
START_TEST(found_while_overwritten)
{
	struct bpfstamp_vpc_pod pod, there;
	const time_t end = time(NULL) + 5;
	atomic_bool stop = false;
	pthread_t thread;
	void *failed;

	make_pods(FEW);
	make_stats();
	OK(bpfstamp_vpc_open(&vpc, NULL, &err));
	for (uint32_t i = 0; i < FEW; i++) {
		pod = local(RED, i, i + 1);
		OK(bpfstamp_vpc_add(vpc, &pod, BPFSTAMP_VPC_NEW, &err));
	}
	ck_assert_int_eq(pthread_create(&thread, NULL, overwrite, &stop), 0);
	/* A second of it does here; an emulated machine gets less far. */
	for (uint32_t i = 0; i < 200000 && (i % 1000 || time(NULL) < end); i++) {
		pod = local(RED, i % FEW, 0);
		OK(bpfstamp_vpc_find(vpc, RED, pod.address, &there, &err));
	}
	atomic_store(&stop, true);
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_msg(!failed, "%s", (char *)failed);
}
END_TEST

/* ------------------------------------------------------------------ stats */

static void count(uint32_t network, uint32_t ifindex, uint64_t unit)
{
	struct vpc_stats_key key = { network, ifindex };
	struct vpc_stats *each;
	uint32_t cpus;

	OK(mapmake_cpus(&cpus, &err));
	each = calloc(cpus, sizeof(*each));
	ck_assert_ptr_nonnull(each);
	for (uint32_t i = 0; i < cpus; i++) {
		each[i] = (struct vpc_stats){ unit, 10 * unit, 100 * unit, 1000 * unit, { 0 } };
		each[i].drops[VPC_DROP_TAGGED] = i;
		each[i].drops[VPC_DROP_TUNNEL] = 1;
	}
	ck_assert_int_eq(sys_map_update(stats_fd, &key, each), 0);
	free(each);
}

struct sums {
	struct bpfstamp_vpc_stats entries[4];
	unsigned int count, stop_at;
};

static int take_stats(const struct bpfstamp_vpc_stats *stats, void *arg)
{
	struct sums *sums = arg;

	ck_assert_uint_lt(sums->count, 4);
	sums->entries[sums->count++] = *stats;
	return sums->count == sums->stop_at;
}

START_TEST(sums)
{
	struct sums got = { .count = 0 }, one = { .stop_at = 1 }, left = { .count = 0 };
	const struct bpfstamp_vpc_stats *s = &got.entries[2];
	uint32_t n;

	OK(mapmake_cpus(&n, &err));
	OK(bpfstamp_vpc_stats(vpc, take_stats, &got, &err));
	ck_assert_uint_eq(got.count, 0);
	count(300, 5, 1ull << 40);
	count(0, 2, 1);
	count(300, 4, 3);
	OK(bpfstamp_vpc_stats(vpc, take_stats, &got, &err));
	ck_assert_uint_eq(got.count, 3);
	ck_assert(got.entries[0].network == 0 && got.entries[0].ifindex == 2);
	ck_assert(got.entries[1].network == 300 && got.entries[1].ifindex == 4);
	ck_assert(s->network == 300 && s->ifindex == 5);
	ck_assert_uint_eq(s->from_packets, (uint64_t)n << 40);
	ck_assert_uint_eq(s->from_bytes, 10 * ((uint64_t)n << 40));
	ck_assert_uint_eq(s->to_packets, 100 * ((uint64_t)n << 40));
	ck_assert_uint_eq(s->to_bytes, 1000 * ((uint64_t)n << 40));
	ck_assert_uint_eq(s->drops[VPC_DROP_TAGGED], (uint64_t)n * (n - 1) / 2);
	ck_assert_uint_eq(s->drops[VPC_DROP_SOURCE], 0);
	ck_assert_uint_eq(s->drops[VPC_DROP_TUNNEL], n);
	FAILS(bpfstamp_vpc_stats(vpc, take_stats, &one, &err), ECANCELED, "stopped by the caller");
	OK(bpfstamp_vpc_stats_remove(vpc, 300, 4, &err));
	OK(bpfstamp_vpc_stats_remove(vpc, 300, 4, &err));
	OK(bpfstamp_vpc_stats(vpc, take_stats, &left, &err));
	ck_assert_uint_eq(left.count, 2);
	ck_assert_uint_eq(left.entries[1].ifindex, 5);
}
END_TEST

START_TEST(reasons)
{
	ck_assert_ptr_null(bpfstamp_vpc_drop_name(VPC_PASS));
	ck_assert_str_eq(bpfstamp_vpc_drop_name(VPC_DROP_TAGGED), "tagged");
	ck_assert_str_eq(bpfstamp_vpc_drop_name(VPC_DROP_SOURCE), "source");
	for (uint32_t i = 1; i < VPC_DROPS; i++)
		ck_assert_ptr_nonnull(bpfstamp_vpc_drop_name(i));
	ck_assert_ptr_null(bpfstamp_vpc_drop_name(VPC_DROPS));
	ck_assert_ptr_null(bpfstamp_vpc_drop_name(UINT32_MAX));
}
END_TEST

#define TESTS(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_vpcmaps_kernel(void)
{
	TCase *pins = tcase_create("pins"), *maps = tcase_create("maps");
	Suite *s = suite_create("vpcmaps_kernel");

	suite_add_tcase(s, pins);
	suite_add_tcase(s, maps);
	if (!bpffs_usable("vpcmaps_kernel"))
		return s;
	tcase_add_checked_fixture(pins, empty_setup, NULL);
	tcase_add_loop_test(pins, another_map, 0, TESTS(others));
	tcase_add_test(pins, not_there);
	tcase_add_test(pins, no_stats);
	tcase_add_test(pins, found_while_overwritten);
	tcase_add_checked_fixture(maps, setup, teardown);
	tcase_set_timeout(maps, 60);
	tcase_add_test(maps, as_the_programs_read_it);
	tcase_add_test(maps, add_find_remove);
	tcase_add_test(maps, taken);
	tcase_add_loop_test(maps, networks_and_places, 0, TESTS(refused));
	tcase_add_loop_test(maps, vlan_wants_mac, 0, 4);
	tcase_add_test(maps, full);
	tcase_add_test(maps, ordered);
	tcase_add_test(maps, removed_meanwhile);
	tcase_add_test(maps, while_others_change);
	tcase_add_test(maps, sums);
	tcase_add_test(maps, reasons);
	return s;
}
