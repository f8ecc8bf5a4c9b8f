// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is running: a program of the kernel by its id, whoever loaded it.
 *
 *   info, ids of maps, FUNC  →  record (loader/record.c)
 *                            →  maps and their BTF (running_maps.c)
 *                            →  variables and values (running_values.c)
 *
 * A program that bpfstamp loaded has a record, which tells what was set, and
 * what instructions hold.  Of others the data maps tell everything but that.
 *
 * The name of a program is cut to 15 characters by the kernel; whole it stands
 * in the record and in the FUNC that the program begins with.
 *
 * Only the fds of data maps are kept, so that looking at a program does not
 * keep it.  Ids are not used again before four billion others, so the program
 * of that id is the same one or none.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/objinfo.h"
#include "loader/running_parts.h"
#include "loader/sys.h"

static int failed(uint32_t id, int code, struct bpfstamp_err *err)
{
	if (code == ENOENT)
		return err_set(err, code, "program %u: it is gone", id);
	if (code == EPERM)
		return err_set(err, code, "program %u: to look at it needs the capability CAP_SYS_ADMIN", id);
	return err_set(err, code, "program %u: cannot read it: %s", id, strerror(code));
}

/* A time since boot as one since the epoch. */
static int64_t since_epoch(uint64_t since_boot)
{
	struct timespec boot, now;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &now);
	return ((int64_t)now.tv_sec - boot.tv_sec) * 1000000000 + now.tv_nsec - boot.tv_nsec + (int64_t)since_boot;
}

static const char *find_name(const struct bpfstamp_running *r, uint32_t func)
{
	const char *cut = r->info.prog.name;
	struct btf_type type;

	if (r->record && r->record->program)
		return r->record->program;
	if (strlen(cut) < sizeof(r->info.prog.name) - 1 || !r->prog_btf || func >= r->prog_btf->type_count)
		return cut;
	btf_type(r->prog_btf, func, &type);
	return type.kind == BTF_FUNC && !strncmp(type.name, cut, strlen(cut)) ? type.name : cut;
}

/* 0, or an errno. */
static int take_info(struct bpfstamp_running *r, int fd, uint32_t *func, uint32_t *btf_id)
{
	struct bpf_prog_info info;

	if (objinfo_prog(fd, &info, &r->map_ids, func))
		return errno;
	*btf_id = info.btf_id;
	r->info.prog.id = info.id;
	r->info.prog.type = info.type;
	memcpy(r->info.prog.tag, info.tag, sizeof(r->info.prog.tag));
	memcpy(r->info.prog.name, info.name, sizeof(r->info.prog.name));
	r->info.prog.name[sizeof(r->info.prog.name) - 1] = '\0';
	r->info.loaded_at = since_epoch(info.load_time);
	r->info.map_count = info.nr_map_ids;
	r->info.map_ids = r->map_ids;
	r->info.jited_size = info.jited_prog_len;
	r->info.xlated_size = info.xlated_prog_len;
	objinfo_number(fd, "memlock", &r->info.memlock);
	return 0;
}

/* Everything, while an fd keeps the program. */
static int read_all(struct bpfstamp_running *r, int fd, uint32_t id, struct bpfstamp_err *err)
{
	uint32_t func = 0, btf_id = 0;
	int code = take_info(r, fd, &func, &btf_id);

	if (code)
		return failed(id, code, err);
	if (record_read(fd, &r->record, err))
		return -1;
	if (r->record) {
		r->info.object = r->record->object;
		r->info.inlined = r->record->inlined;
	}
	code = running_maps(r);
	if (!code && btf_id)
		code = running_btf(r, btf_id, &r->prog_btf);
	if (!code)
		code = running_values(r);
	if (code)
		return failed(id, code, err);
	r->info.name = find_name(r, func);
	return 0;
}

int bpfstamp_running_open(struct bpfstamp_running **out, uint32_t id, struct bpfstamp_err *err)
{
	int fd = sys_prog_by_id(id), ret;
	struct bpfstamp_running *r;

	if (fd < 0)
		return failed(id, errno, err);
	r = calloc(1, sizeof(*r));
	ret = r ? read_all(r, fd, id, err) : failed(id, ENOMEM, err);
	close(fd);
	if (!ret)
		*out = r;
	else
		bpfstamp_running_free(r);
	return ret;
}

int bpfstamp_running_refresh(struct bpfstamp_running *r, struct bpfstamp_err *err)
{
	int fd = sys_prog_by_id(r->info.prog.id), code;

	if (fd < 0)
		return failed(r->info.prog.id, errno, err);
	close(fd);
	code = running_reread(r);
	if (code)
		return failed(r->info.prog.id, code, err);
	running_texts(r);
	return 0;
}

void bpfstamp_running_free(struct bpfstamp_running *r)
{
	if (!r)
		return;
	running_values_free(r);
	running_maps_free(r);
	record_free(r->record);
	free(r->map_ids);
	free(r);
}

void bpfstamp_running_info(const struct bpfstamp_running *r, struct bpfstamp_running_info *out)
{
	*out = r->info;
}

uint32_t bpfstamp_running_value_count(const struct bpfstamp_running *r)
{
	return r->value_count;
}

void bpfstamp_running_value_at(const struct bpfstamp_running *r, uint32_t i, struct bpfstamp_running_value *out)
{
	*out = r->values[i].public;
}
