// SPDX-License-Identifier: BSD-2-Clause
/*
 * bare DEVICE VNI VLAN ADDR: a process with nothing but the system calls of one
 * pod: read the program, load it, attach it.  The floor of `bpfstamp attach`.
 *
 * The program is what bpfstamp hands to the kernel where values are in instructions,
 * without types, in the file "instructions" beside this program: the harness writes it
 * there (bench/main.c), with values that it then knows by.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/bare_process.h"
#include "bench/filter.h"

static int load(struct bpf_insn *insns, uint32_t count)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = count;
	attr.license = (uint64_t)(uintptr_t)"Dual BSD/GPL";
	memcpy(attr.prog_name, "pod", sizeof("pod"));
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static ssize_t read_program(const char *self, struct bpf_insn *insns, size_t size)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%.*sinstructions", (int)(strrchr(self, '/') - self + 1), self);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : read(fd, insns, size);
}

static int ifindex_of(int sock, const char *device)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	strncpy(request.ifr_name, device, sizeof(request.ifr_name) - 1);
	return ioctl(sock, SIOCGIFINDEX, &request) ? 0 : request.ifr_ifindex;
}

int main(int argc, char **argv)
{
	static const int32_t marks[] = { BARE_VNI, BARE_VLAN, BARE_ADDR };
	static struct bpf_insn insns[256];
	ssize_t size;
	int sock, fd;

	size = argc == 5 ? read_program(argv[0], insns, sizeof(insns)) : -1;
	if (size <= 0)
		return 1;
	for (size_t i = 0; i < (size_t)size / sizeof(insns[0]); i++)
		for (int j = 0; j < 3; j++)
			if (insns[i].imm == marks[j])
				insns[i].imm = (int32_t)strtoul(argv[2 + j], NULL, 10);
	fd = load(insns, (uint32_t)((size_t)size / sizeof(insns[0])));
	sock = filter_open();
	return fd < 0 || sock < 0 || filter_replace(sock, ifindex_of(sock, argv[1]), fd) ? 1 : 0;
}
