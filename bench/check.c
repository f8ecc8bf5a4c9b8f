// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether a program is what its contender should have made.
 *
 * It is run by BPF_PROG_TEST_RUN on two packets.  One comes from the pod's
 * address and must pass, with the VNI for mark, the VLAN for priority; the
 * other comes from the next address, and must be dropped.  So all three values
 * count.  large.bpf.c must give the mark that its ten values come to.
 *
 * What the kernel keeps for a program is what it says itself: memlock in fdinfo of
 * the program and its maps, and the size of the machine code.  Of what another pod
 * has, too, nothing is counted.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "include/bpfstamp.h"

enum { ACT_OK = 0, ACT_SHOT = 2 };

/* Run so many times on a packet from that address; returns the verdict. */
static uint32_t run(int fd, uint32_t saddr, uint32_t times, struct __sk_buff *ctx, const char *who)
{
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		char rest[32];
	} __attribute__((packed)) packet;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &packet, .data_size_in = sizeof(packet), .ctx_in = ctx,
		    .ctx_size_in = sizeof(*ctx), .ctx_out = ctx, .ctx_size_out = sizeof(*ctx),
		    .repeat = (int)times);

	memset(&packet, 0, sizeof(packet));
	packet.eth.h_proto = htons(ETH_P_IP);
	packet.ip.version = 4;
	packet.ip.ihl = 5;
	packet.ip.saddr = saddr;
	if (bpf_prog_test_run_opts(fd, &opts))
		bench_die("%s: its program cannot be run: %m", who);
	return opts.retval;
}

void check_pod(int fd, const struct pod_values *values, const char *who)
{
	struct __sk_buff ctx;
	uint32_t verdict;

	memset(&ctx, 0, sizeof(ctx));
	verdict = run(fd, values->addr, 1, &ctx, who);
	if (verdict != ACT_OK || ctx.mark != values->vni || ctx.priority != values->vlan)
		bench_die("%s: a packet of the pod gets verdict %u, VNI %u, VLAN %u instead of 0, %u, %u", who,
			  verdict, ctx.mark, ctx.priority, values->vni, values->vlan);
	memset(&ctx, 0, sizeof(ctx));
	verdict = run(fd, htonl(ntohl(values->addr) + 1), 1, &ctx, who);
	if (verdict != ACT_SHOT)
		bench_die("%s: a packet from another address gets verdict %u instead of 2", who, verdict);
}

double check_time(int fd, uint32_t saddr, uint32_t times)
{
	struct __sk_buff ctx;
	double start;

	memset(&ctx, 0, sizeof(ctx));
	start = bench_now();
	run(fd, saddr, times, &ctx, "a program that is timed");
	return (bench_now() - start) / times;
}

/* The ten values are consecutive numbers. */
void check_large(int fd, uint32_t first, const char *who)
{
	struct __sk_buff ctx;
	uint32_t h = 0;

	for (uint32_t i = 0; i < LARGE_VALUES; i++)
		LARGE_STEP(h, first + i);
	memset(&ctx, 0, sizeof(ctx));
	if (run(fd, 0, 1, &ctx, who) != ACT_OK || ctx.mark != h)
		bench_die("%s: the large program makes 0x%x of a packet instead of 0x%x", who, ctx.mark, h);
}

static uint64_t memlock(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "memlock: %llu", &bytes);
	if (file)
		fclose(file);
	return bytes;
}

static bool has_map(const struct check_memory *m, uint32_t id)
{
	for (uint32_t i = 0; m && i < m->map_count; i++)
		if (m->map_ids[i] == id)
			return true;
	return false;
}

static void add_map(uint32_t id, struct check_memory *out)
{
	int map = bpf_map_get_fd_by_id(id);

	if (map < 0)
		bench_die("cannot open map %u: %m", id);
	out->maps++;
	out->map_bytes += memlock(map);
	close(map);
}

void check_memory(int fd, const struct check_memory *without, struct check_memory *out)
{
	struct bpf_prog_info info;
	uint32_t size = sizeof(info);

	memset(&info, 0, sizeof(info));
	memset(out, 0, sizeof(*out));
	info.nr_map_ids = CHECK_MAPS;
	info.map_ids = (uint64_t)(uintptr_t)out->map_ids;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.nr_map_ids > CHECK_MAPS)
		bench_die("cannot read a program's properties: %m");
	out->prog_id = info.id;
	out->map_count = info.nr_map_ids;
	if (!without || without->prog_id != info.id) {
		out->jited_bytes = info.jited_prog_len;
		out->prog_bytes = memlock(fd);
	}
	for (uint32_t i = 0; i < info.nr_map_ids; i++)
		if (!has_map(without, out->map_ids[i]))
			add_map(out->map_ids[i], out);
}

struct wanted {
	uint32_t prio, id;
};

static int note_id(const struct bpfstamp_attachment *a, void *arg)
{
	struct wanted *wanted = arg;

	if (a->direction == BPFSTAMP_EGRESS && a->id && (!wanted->prio || a->prio == wanted->prio)) {
		if (wanted->id)
			bench_die("%s: there are two programs at egress", a->dev);
		wanted->id = a->id;
	}
	return 0;
}

int check_attached_at(const char *device, uint32_t prio)
{
	struct wanted wanted = { .prio = prio };
	struct bpfstamp_net *net;
	struct bpfstamp_err err;
	int fd;

	if (bpfstamp_net_open(&net, NULL, &err) || bpfstamp_show(net, device, NULL, note_id, &wanted, &err))
		bench_die("%s", err.text);
	bpfstamp_net_close(net);
	if (!wanted.id)
		bench_die("%s: there is no program at egress", device);
	fd = bpf_prog_get_fd_by_id(wanted.id);
	if (fd < 0)
		bench_die("cannot open program %u: %m", wanted.id);
	return fd;
}

int check_attached(const char *device)
{
	return check_attached_at(device, 0);
}
