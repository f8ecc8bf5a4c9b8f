// SPDX-License-Identifier: BSD-2-Clause
/*
 * A kernel that must compile what it runs (CONFIG_BPF_JIT_ALWAYS_ON, or a
 * program that calls kernel functions) has one errno for three things: the JIT
 * is off, it cannot do something that the program does, or there was no memory
 * for the machine code.  That memory is limited by net.core.bpf_jit_limit, for
 * those who have neither CAP_BPF nor CAP_SYS_ADMIN, and for all by the room that
 * the architecture has for code: twice the limit that the kernel starts with.
 *
 * How much is in use the kernel tells nowhere, so the machine code of every
 * program is summed up: this is less than what the kernel counts, because it
 * counts whole pages, or on newer kernels blocks of 2 MiB in which programs stand
 * side by side, and the filters of sockets and of seccomp, which have no id.
 * Memory is taken for the reason where the sum, in whole pages, with an eighth
 * and 4 MiB added for what is not seen, reaches the limit.
 *
 * Programs are the same user if they have the same name: the copies that one
 * program leaves when it is attached anew, and never detached, differ in nothing
 * else.  Nothing of this happens before a load has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/jitlimit.h"
#include "loader/record.h"
#include "loader/sys.h"

#define LIMIT "/proc/sys/net/core/bpf_jit_limit"
#define ENABLE "/proc/sys/net/core/bpf_jit_enable"
#define UNSEEN (4u << 20)

/* The number in a file; false where there is none to read. */
static bool read_number(const char *path, uint64_t *out)
{
	char text[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *end;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	*out = strtoull(text, &end, 10);
	return end != text;
}

/* ---------------------------------------------------------------- measure */

struct program {
	char name[16];
	uint32_t id, bytes;
};

struct list {
	struct program *items;	/* NULL where memory is out: then only sums are told */
	size_t count, room;
};

static void append(struct list *list, const struct program *p)
{
	size_t room = list->room ? 2 * list->room : 256;
	struct program *items;

	if (list->count == list->room) {
		items = realloc(list->items, room * sizeof(*items));
		if (!items)
			return;
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = *p;
}

static void count_program(uint32_t id, struct jitlimit_use *use, struct list *list, uint64_t page)
{
	struct program p = { .id = id };
	struct bpf_prog_info info;
	int fd = sys_prog_by_id(id);

	if (fd < 0)
		return;
	memset(&info, 0, sizeof(info));
	if (!sys_prog_info(fd, &info)) {
		use->programs++;
		use->bytes += info.jited_prog_len;
		use->pages += (info.jited_prog_len + page - 1) / page * page;
		memcpy(p.name, info.name, sizeof(p.name) - 1);
		p.bytes = info.jited_prog_len;
		append(list, &p);
	}
	close(fd);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct program *)a)->name, ((const struct program *)b)->name);
}

/* Keep it if it has more than those that are there. */
static void offer(struct jitlimit_use *use, const struct jitlimit_user *user, uint32_t id, uint32_t *ids)
{
	uint32_t at = use->user_count;

	while (at > 0 && use->users[at - 1].bytes < user->bytes)
		at--;
	if (at == JITLIMIT_USERS)
		return;
	if (use->user_count < JITLIMIT_USERS)
		use->user_count++;
	for (uint32_t i = use->user_count - 1; i > at; i--) {
		use->users[i] = use->users[i - 1];
		ids[i] = ids[i - 1];
	}
	use->users[at] = *user;
	ids[at] = id;
}

static bool is_ours(uint32_t id)
{
	int fd = sys_prog_by_id(id);
	bool ours = fd >= 0 && record_is_there(fd);

	if (fd >= 0)
		close(fd);
	return ours;
}

static void find_users(struct jitlimit_use *use, struct list *list)
{
	uint32_t ids[JITLIMIT_USERS] = { 0 };
	size_t next;

	if (list->count)
		qsort(list->items, list->count, sizeof(list->items[0]), by_name);
	for (size_t i = 0; i < list->count; i = next) {
		struct jitlimit_user user = { 0 };

		memcpy(user.name, list->items[i].name, sizeof(user.name));
		for (next = i; next < list->count && !by_name(&list->items[i], &list->items[next]); next++) {
			user.programs++;
			user.bytes += list->items[next].bytes;
		}
		offer(use, &user, list->items[next - 1].id, ids);
	}
	for (uint32_t i = 0; i < use->user_count; i++)
		use->users[i].ours = is_ours(ids[i]);
}

void jitlimit_measure(struct jitlimit_use *out)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), enabled = 1;
	struct list list = { 0 };
	uint32_t id = 0;

	memset(out, 0, sizeof(*out));
	out->disabled = read_number(ENABLE, &enabled) && !enabled;
	read_number(LIMIT, &out->limit);
	while (!sys_prog_next(id, &id))
		count_program(id, out, &list, page);
	out->counted = errno == ENOENT && out->programs;
	find_users(out, &list);
	free(list.items);
}

/* ------------------------------------------------------------------- tell */

static int tell_size(struct bpfstamp_err *err, uint64_t bytes)
{
	if (bytes < 1u << 20)
		return err_hint(err, "%llu KB", (unsigned long long)(bytes + 1023) / 1024);
	return err_hint(err, "%llu.%u MB", (unsigned long long)(bytes >> 20),
			(unsigned int)((bytes & 0xfffff) * 10 >> 20));
}

static void tell_users(const struct jitlimit_use *use, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < use->user_count; i++) {
		const struct jitlimit_user *user = &use->users[i];

		err_hint(err, "%s%s%s: %u program%s, ", i ? "; " : "", user->ours ? "bpfstamp's " : "",
			 *user->name ? user->name : "without a name", user->programs, user->programs == 1 ? "" : "s");
		tell_size(err, user->bytes);
	}
}

static bool is_used_up(const struct jitlimit_use *use)
{
	return use->counted && use->limit && use->pages + use->pages / 8 + UNSEEN >= use->limit;
}

static void tell_total(const char *before, const struct jitlimit_use *use, struct bpfstamp_err *err)
{
	err_hint(err, "%s%u program%s ", before, use->programs, use->programs == 1 ? " has" : "s have");
	tell_size(err, use->bytes);
}

static int tell_used_up(const struct jitlimit_use *use, struct bpfstamp_err *err)
{
	err_hint(err, ": the memory for compiled programs is used up: net.core.bpf_jit_limit is ");
	tell_size(err, use->limit);
	tell_total(", and ", use, err);
	err_hint(err, " of machine code, ");
	tell_size(err, use->pages);
	err_hint(err, " in whole pages (");
	tell_users(use, err);
	return err_hint(err, "); detach what is not needed any more, or raise the limit");
}

int jitlimit_tell(const struct jitlimit_use *use, int code, struct bpfstamp_err *err)
{
	if (is_used_up(use))
		return tell_used_up(use, err);
	if (code != SYS_ENOTSUPP)
		return -1;
	if (use->disabled)
		return err_hint(err, ": its JIT is off, and the program cannot do without: set "
				"net.core.bpf_jit_enable to 1");
	err_hint(err, ": its JIT cannot compile something that the program does");
	if (!use->counted || !use->limit)
		return err_hint(err, ", or has no memory left for it (net.core.bpf_jit_limit); to tell what uses "
				"that memory needs CAP_SYS_ADMIN");
	tell_total("; its memory is not the reason: ", use, err);
	err_hint(err, " of ");
	return tell_size(err, use->limit);
}
