// SPDX-License-Identifier: BSD-2-Clause
/*
 * Packets are told from the interface's own chatter by their mark, which only
 * the programs here look at, and by their Ethernet type.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/linksbed.h"

enum { MARK = 0x5747, ETHERTYPE = 0x88b5, PASS = -1, DROP = 2 };

struct linksbed linksbed;

/* --------------------------------------------------------------- programs */

static const struct bpf_insn look_up[] = {
	{ .code = 0x61, .dst_reg = 6, .src_reg = 1, .off = offsetof(struct __sk_buff, mark) },
	{ .code = 0x55, .dst_reg = 6, .off = 13, .imm = MARK },			/* to the last but two */
	{ .code = 0x62, .dst_reg = 10, .off = -4 },
	{ .code = 0xbf, .dst_reg = 2, .src_reg = 10 },
	{ .code = 0x07, .dst_reg = 2, .imm = -4 },
	{ .code = 0x18, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD }, { 0 },
	{ .code = 0x85, .imm = BPF_FUNC_map_lookup_elem },
	{ .code = 0x15, .dst_reg = 0, .off = 6 },
};

static const struct bpf_insn write_digit[] = {
	{ .code = 0x79, .dst_reg = 1, .src_reg = 0 },
	{ .code = 0x27, .dst_reg = 1, .imm = 10 },
	{ .code = 0x07, .dst_reg = 1 },						/* its digit */
	{ .code = 0x7b, .dst_reg = 0, .src_reg = 1 },
};

static const struct bpf_insn count_it[] = {
	{ .code = 0xb7, .dst_reg = 1, .imm = 1 },
	{ .code = 0xdb, .dst_reg = 0, .src_reg = 1 },				/* atomically */
	{ .code = 0xbf, .dst_reg = 1, .src_reg = 1 },
	{ .code = 0xbf, .dst_reg = 1, .src_reg = 1 },
};

static const struct bpf_insn leave[] = {
	{ .code = 0xb7, .dst_reg = 0 },						/* its verdict */
	{ .code = 0x95 },
	{ .code = 0xb7, .dst_reg = 0, .imm = PASS },
	{ .code = 0x95 },
};

enum { LOOK_UP = sizeof(look_up) / sizeof(*look_up), LENGTH = LOOK_UP + 8 };

static int load(const char *name, const struct bpf_insn middle[4], uint32_t digit, int verdict)
{
	struct bpf_insn insns[LENGTH];
	union bpf_attr attr;
	int fd;

	memcpy(insns, look_up, sizeof(look_up));
	memcpy(insns + LOOK_UP, middle, 4 * sizeof(*middle));
	memcpy(insns + LOOK_UP + 4, leave, sizeof(leave));
	insns[5].imm = linksbed.map;
	if (digit)
		insns[LOOK_UP + 2].imm = (int)digit;
	insns[LOOK_UP + 4].imm = verdict;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = LENGTH;
	attr.license = (uintptr_t)"GPL";
	sys_name(attr.prog_name, name);
	fd = sys_prog_load(&attr);
	ck_assert_msg(fd >= 0, "load: %s", strerror(errno));
	return fd;
}

int linksbed_digit(const char *name, uint32_t digit)
{
	return load(name, write_digit, digit, PASS);
}

int linksbed_dropper(const char *name)
{
	return load(name, count_it, 0, DROP);
}

uint32_t linksbed_id(int program)
{
	struct bpf_prog_info info = { 0 };

	ck_assert_int_eq(sys_prog_info(program, &info), 0);
	return info.id;
}

void linksbed_close(const int *programs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		close(programs[i]);
}

static uint32_t count_programs(const char *name)
{
	uint32_t id = 0, count = 0;

	while (!sys_prog_next(id, &id)) {
		struct bpf_prog_info info = { 0 };
		int fd = sys_prog_by_id(id);

		if (fd < 0)
			continue;
		if (!sys_prog_info(fd, &info) && !strcmp(info.name, name) && info.map_ids == 0)
			count++;
		close(fd);
	}
	return count;
}

uint32_t linksbed_programs(const char *name)
{
	uint32_t count = count_programs(name);

	for (int tries = 100; count && tries; tries--) {
		usleep(10000);
		count = count_programs(name);
	}
	return count;
}

/* -------------------------------------------------------------- attaching */

struct bpfstamp_hook linksbed_hook(enum bpfstamp_direction direction)
{
	return (struct bpfstamp_hook){ .type = linksbed.type, .dev = linksbed.dev, .direction = direction };
}

int linksbed_attach(const struct bpfstamp_hook *hook, int program, const char *name, struct bpfstamp_attachment *out)
{
	return bpfstamp_attach(linksbed.net, hook, program, name, out, &netns.err);
}

int linksbed_attach_new(const struct bpfstamp_hook *hook, const char *name, struct bpfstamp_attachment *out)
{
	int program = linksbed_dropper(name), ret = linksbed_attach(hook, program, name, out);

	close(program);
	return ret;
}

int linksbed_check(const struct bpfstamp_hook *hook, const char *name, struct bpfstamp_plan *out)
{
	return bpfstamp_attach_check(linksbed.net, hook, name, out, &netns.err);
}

int linksbed_detach(const struct bpfstamp_hook *hook, struct bpfstamp_attachment *out)
{
	return bpfstamp_detach(linksbed.net, hook, false, out, &netns.err);
}

void linksbed_detach_all(enum bpfstamp_direction direction)
{
	struct linksbed_shown shown;

	do {
		shown = linksbed_show(linksbed.dev);
		for (uint32_t i = 0; i < shown.count && i < 8; i++) {
			struct bpfstamp_hook hook = linksbed_hook(direction);

			hook.id = shown.list[i].id;
			ck_assert(shown.list[i].ours && shown.list[i].direction == direction);
			OK(linksbed_detach(&hook, NULL));
		}
	} while (shown.count > 8);
}

static struct mprog_hook mprog_hook(enum bpfstamp_direction direction)
{
	return (struct mprog_hook){
		.net = linksbed.net, .type = linksbed.type, .direction = direction, .ifindex = linksbed.ifindex,
		.dev = linksbed.dev,
	};
}

void linksbed_attach_foreign(int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)linksbed.ifindex;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = 47;		/* BPF_TCX_EGRESS */
	ck_assert_int_eq(syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)), 0);
}

int linksbed_link_on(enum bpfstamp_direction direction, int program)
{
	struct mprog_hook hook = mprog_hook(direction);
	struct mprog_position position = { .where = BPFSTAMP_LAST };
	int link = mprog_link(&hook, program, &position, &netns.err);

	ck_assert_msg(link >= 0, "%s", netns.err.text);
	return link;
}

int linksbed_link_foreign(int program)
{
	return linksbed_link_on(BPFSTAMP_EGRESS, program);
}

struct mprog_list linksbed_list(enum bpfstamp_direction direction)
{
	struct mprog_hook hook = mprog_hook(direction);
	struct mprog_list list;

	OK(mprog_query(&hook, &list, &netns.err));
	return list;
}

void linksbed_order(enum bpfstamp_direction direction, const int *programs)
{
	struct mprog_list list = linksbed_list(direction);
	uint32_t n = 0;

	for (; programs[n] >= 0; n++) {
		ck_assert_uint_lt(n, list.count);
		ck_assert_uint_eq(list.programs[n], linksbed_id(programs[n]));
	}
	ck_assert_uint_eq(list.count, n);
}

/* ---------------------------------------------------------------- packets */

int linksbed_socket(const char *dev)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE), .sll_ifindex = (int)if_nametoindex(dev),
	};
	int mark = MARK, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* A program that drops a packet makes the kernel say ENOBUFS. */
void linksbed_send(void)
{
	static const uint8_t frame[64] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ETHERTYPE >> 8, ETHERTYPE & 0xff };
	ssize_t n = send(linksbed.sender, frame, sizeof(frame), 0);

	ck_assert_msg(n == sizeof(frame) || errno == ENOBUFS, "send: %s", strerror(errno));
}

uint64_t linksbed_counted(void)
{
	uint32_t key = 0;
	uint64_t value;

	ck_assert_int_eq(sys_map_lookup(linksbed.map, &key, &value), 0);
	return value;
}

uint64_t linksbed_digits(void)
{
	uint64_t zero = 0;
	uint32_t key = 0;

	ck_assert_int_eq(sys_map_update(linksbed.map, &key, &zero), 0);
	linksbed_send();
	return linksbed_counted();
}

bool linksbed_arrived(void)
{
	uint8_t frame[128];

	for (int tries = 20; tries; tries--) {
		if (recv(linksbed.receiver, frame, sizeof(frame), MSG_DONTWAIT) > 0)
			return true;
		usleep(5000);
	}
	return false;
}

/* ------------------------------------------------------------------ looks */

const char *linksbed_pin(const char *rest)
{
	static char path[256];
	ino_t inode;

	OK(hook_netns(linksbed.net, &inode, &netns.err));
	snprintf(path, sizeof(path), BPFFS "/bpfstamp/%ju-%d-%s", (uintmax_t)inode, linksbed.ifindex, rest);
	return path;
}

static int see(const struct bpfstamp_attachment *a, void *arg)
{
	struct linksbed_shown *shown = arg;

	if (shown->count < 8)
		shown->list[shown->count] = *a;
	shown->count++;
	return 0;
}

struct linksbed_shown linksbed_show(const char *dev)
{
	struct linksbed_shown shown = { 0 };

	OK(bpfstamp_show(linksbed.net, dev, NULL, see, &shown, &netns.err));
	return shown;
}

/* ---------------------------------------------------------------- fixture */

bool linksbed_usable(const char *suite)
{
	return netns_usable(suite) && bpffs_usable(suite);
}

bool linksbed_has_tcx(void)
{
	unsigned int major, minor;
	struct utsname name;

	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 && 100 * major + minor >= 606;
}

void linksbed_setup(void)
{
	union bpf_attr attr;

	netns_setup();
	bpffs_setup();
	linksbed = (struct linksbed){ .type = BPFSTAMP_TCX, .dev = "va", .ifindex = netns.ifindex };
	netns_run("ip link set va up && ip link set vb up");
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.max_entries = 1;
	linksbed.map = sys_map_create(&attr);
	ck_assert_int_ge(linksbed.map, 0);
	linksbed.sender = linksbed_socket("va");
	linksbed.receiver = linksbed_socket("vb");
	OK(bpfstamp_net_open(&linksbed.net, NULL, &netns.err));
	linksbed.fds = bpffs_open_fds();
}

void linksbed_teardown(void)
{
	ck_assert_int_eq(bpffs_open_fds(), linksbed.fds);
	ck_assert_int_eq(rmdir(BPFFS "/bpfstamp"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(linksbed_show(NULL).count, 0);
	ck_assert_str_eq(netns_output("ls " BPFFS " | grep -v debug"), "");
	bpfstamp_net_close(linksbed.net);
	netns_teardown();
}
