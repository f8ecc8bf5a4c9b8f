// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpf(2), one function a command.  No policy: what to try and what to do about
 * an error is load.c's.  All of union bpf_attr is zeroed and passed: kernels
 * that know less of it accept it as long as what they do not know is zero.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/sys.h"

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static uint64_t pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

int sys_map_create(union bpf_attr *attr)
{
	return sys_bpf(BPF_MAP_CREATE, attr);
}

/* key is NULL for what stands in front of the first. */
static int sys_element(enum bpf_cmd cmd, int fd, const void *key, const void *value, uint64_t flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = pointer(key);
	attr.value = pointer(value);
	attr.flags = flags;
	return sys_bpf(cmd, &attr);
}

int sys_map_update(int fd, const void *key, const void *value)
{
	return sys_element(BPF_MAP_UPDATE_ELEM, fd, key, value, BPF_ANY);
}

int sys_map_insert(int fd, const void *key, const void *value)
{
	return sys_element(BPF_MAP_UPDATE_ELEM, fd, key, value, BPF_NOEXIST);
}

int sys_map_lookup(int fd, const void *key, void *value)
{
	return sys_element(BPF_MAP_LOOKUP_ELEM, fd, key, value, 0);
}

int sys_map_delete(int fd, const void *key)
{
	return sys_element(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0);
}

int sys_map_next(int fd, const void *key, void *next)
{
	return sys_element(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

int sys_map_freeze(int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	return sys_bpf(BPF_MAP_FREEZE, &attr);
}

int sys_btf_load(const void *btf, uint32_t size, char *log, uint32_t log_size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.btf = pointer(btf);
	attr.btf_size = size;
	attr.btf_log_buf = pointer(log);
	attr.btf_log_size = log_size;
	attr.btf_log_level = log ? 1 : 0;
	return sys_bpf(BPF_BTF_LOAD, &attr);
}

static int sys_next(enum bpf_cmd cmd, uint32_t id, uint32_t *next)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.start_id = id;
	if (sys_bpf(cmd, &attr))
		return -1;
	*next = attr.next_id;
	return 0;
}

int sys_btf_next(uint32_t id, uint32_t *next)
{
	return sys_next(BPF_BTF_GET_NEXT_ID, id, next);
}

int sys_prog_next(uint32_t id, uint32_t *next)
{
	return sys_next(BPF_PROG_GET_NEXT_ID, id, next);
}

int sys_link_next(uint32_t id, uint32_t *next)
{
	return sys_next(BPF_LINK_GET_NEXT_ID, id, next);
}

/* The ids of all kinds of objects stand in the same place of the attribute. */
static int sys_by_id(enum bpf_cmd cmd, uint32_t id)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	return sys_bpf(cmd, &attr);
}

int sys_btf_by_id(uint32_t id)
{
	return sys_by_id(BPF_BTF_GET_FD_BY_ID, id);
}

int sys_prog_by_id(uint32_t id)
{
	return sys_by_id(BPF_PROG_GET_FD_BY_ID, id);
}

int sys_map_by_id(uint32_t id)
{
	return sys_by_id(BPF_MAP_GET_FD_BY_ID, id);
}

int sys_link_by_id(uint32_t id)
{
	return sys_by_id(BPF_LINK_GET_FD_BY_ID, id);
}

static int sys_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = size;
	attr.info.info = pointer(info);
	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

int sys_btf_info(int fd, struct bpf_btf_info *info)
{
	return sys_info(fd, info, sizeof(*info));
}

/*
 * The verifier gives up with EAGAIN when a signal is waiting, so that a program
 * that takes longer than a profiler's timer would never be loaded: signals wait
 * for the attempts after the first.
 */
int sys_prog_load(union bpf_attr *attr)
{
	int fd = sys_bpf(BPF_PROG_LOAD, attr), tries = 5, code;
	sigset_t all, before;

	if (fd >= 0 || errno != EAGAIN)
		return fd;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	do
		fd = sys_bpf(BPF_PROG_LOAD, attr);
	while (fd < 0 && errno == EAGAIN && --tries);
	code = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = code;
	return fd;
}

int sys_obj_pin(const char *path, int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = pointer(path);
	attr.bpf_fd = (uint32_t)fd;
	return sys_bpf(BPF_OBJ_PIN, &attr);
}

int sys_obj_get(const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = pointer(path);
	return sys_bpf(BPF_OBJ_GET, &attr);
}

int sys_map_info(int fd, struct bpf_map_info *info)
{
	return sys_info(fd, info, sizeof(*info));
}

int sys_prog_bind_map(int prog_fd, int map_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_bind_map.prog_fd = (uint32_t)prog_fd;
	attr.prog_bind_map.map_fd = (uint32_t)map_fd;
	return sys_bpf(BPF_PROG_BIND_MAP, &attr);
}

int sys_prog_info(int fd, struct bpf_prog_info *info)
{
	return sys_info(fd, info, sizeof(*info));
}

int sys_prog_test_run(union bpf_attr *attr)
{
	return sys_bpf(BPF_PROG_TEST_RUN, attr);
}

int sys_link_info(int fd, struct bpf_link_info *info)
{
	return sys_info(fd, info, sizeof(*info));
}

int sys_link_create(union bpf_attr *attr)
{
	return sys_bpf(BPF_LINK_CREATE, attr);
}

int sys_link_update(int link, int prog, int old)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_update.link_fd = (uint32_t)link;
	attr.link_update.new_prog_fd = (uint32_t)prog;
	if (old >= 0) {
		attr.link_update.flags = BPF_F_REPLACE;
		attr.link_update.old_prog_fd = (uint32_t)old;
	}
	return sys_bpf(BPF_LINK_UPDATE, &attr);
}

int sys_link_detach(int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_detach.link_fd = (uint32_t)fd;
	return sys_bpf(BPF_LINK_DETACH, &attr);
}

int sys_prog_detach(union bpf_attr *attr)
{
	return sys_bpf(BPF_PROG_DETACH, attr);
}

int sys_prog_query(union bpf_attr *attr)
{
	return sys_bpf(BPF_PROG_QUERY, attr);
}

void sys_name(char out[16], const char *name)
{
	memset(out, 0, 16);
	for (int i = 0; i < 15 && name[i]; i++)
		out[i] = (char)(isalnum((unsigned char)name[i]) || name[i] == '.' ? name[i] : '_');
}

void sys_undot(char *name)
{
	for (; *name; name++)
		if (*name == '.')
			*name = '_';
}
