/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only caller of bpf(2) (include/uapi/linux/bpf.h).  Each function is one
 * command; returns an fd or 0, or -1 with errno.  fds are closed on exec, by
 * the kernel's own doing.
 */
#ifndef LOADER_SYS_H
#define LOADER_SYS_H

#include <stddef.h>
#include <stdint.h>

enum { SYS_ENOTSUPP = 524 };	/* the kernel's own, which no C library knows and bpf(2) returns nevertheless */

union bpf_attr;
struct bpf_btf_info;
struct bpf_prog_info;
struct bpf_map_info;
struct bpf_link_info;

int sys_map_create(union bpf_attr *attr);
int sys_map_update(int fd, const void *key, const void *value);
int sys_map_insert(int fd, const void *key, const void *value);	/* EEXIST where the key is there */
int sys_map_delete(int fd, const void *key);
int sys_map_next(int fd, const void *key, void *next);	/* key NULL, or gone: the first; ENOENT: key was the last */
int sys_map_freeze(int fd);
int sys_btf_load(const void *btf, uint32_t size, char *log, uint32_t log_size);
int sys_btf_next(uint32_t id, uint32_t *next);	/* the lowest id above id */
int sys_btf_by_id(uint32_t id);
int sys_btf_info(int fd, struct bpf_btf_info *info);
int sys_prog_load(union bpf_attr *attr);	/* whatever signals come; tries again where the kernel says EAGAIN */
int sys_obj_pin(const char *path, int fd);
int sys_obj_get(const char *path);
int sys_map_info(int fd, struct bpf_map_info *info);
int sys_prog_bind_map(int prog_fd, int map_fd);
int sys_prog_info(int fd, struct bpf_prog_info *info);
int sys_prog_next(uint32_t id, uint32_t *next);		/* as sys_btf_next */
int sys_prog_by_id(uint32_t id);
int sys_prog_test_run(union bpf_attr *attr);
int sys_map_by_id(uint32_t id);
int sys_map_lookup(int fd, const void *key, void *value);

/*
 * Links, and programs attached without one.  The attributes are the caller's to
 * lay out, as far as the headers here are older than the kernel's; what is
 * queried is written into the attribute.
 */
int sys_link_create(union bpf_attr *attr);
int sys_link_update(int link, int prog, int old);	/* old: only if that is its program; -1: whatever is */
int sys_link_detach(int fd);
int sys_link_by_id(uint32_t id);
int sys_link_next(uint32_t id, uint32_t *next);		/* as sys_btf_next */
int sys_link_info(int fd, struct bpf_link_info *info);
int sys_prog_detach(union bpf_attr *attr);
int sys_prog_query(union bpf_attr *attr);

/* Copy name into a kernel object's name (16 bytes), with '_' for what it would refuse. */
void sys_name(char out[16], const char *name);

/* Make '_' of dots, which old kernels take in no name, and a bpffs takes in none. */
void sys_undot(char *name);

#endif
