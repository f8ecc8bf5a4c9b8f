// SPDX-License-Identifier: BSD-2-Clause
/*
 * An equal program that another process has loaded is taken instead of loading
 * it once more.
 *
 *     key (loader/reuse_key.c)   all that a load goes by, and the record of it
 *     index (reuse_index.c)      digest of the key → id and load time of a program
 *     the program's record       the whole key, frozen, bound to it (recordmap.c)
 *
 * The index only says where to look.  What is found there is opened by its id,
 * and taken if the kernel says that it was loaded at that time (an id may be
 * used again), by this user, as that type, and if its record is this key, byte by
 * byte.  Nobody without an fd of the program can bind a record to it, nor anybody
 * change one that is frozen.
 *
 * Nothing keeps the program: it ends with its last filter, link or fd, as any
 * does, whoever loaded it and however that process ended.  The kernel counts.  An
 * entry that outlives its program does no harm; the fd that is got in time is
 * a reference.  Where two processes load the same at once, both do, and the later
 * entry stays.
 *
 * All of this is an attempt: what stands in its way, such as a missing
 * CAP_SYS_ADMIN or bpffs, makes a load like any other, and a note; so does a record that
 * the kernel has no room for, key and all.  Who may not
 * look programs up by their id does not enter its own either: those may
 * have been loaded with less than what others may do.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "loader/kbtf.h"
#include "loader/lacks.h"
#include "loader/load.h"
#include "loader/mapmake.h"
#include "loader/record.h"
#include "loader/reuse.h"
#include "loader/share.h"
#include "loader/sys.h"

enum { MAPS_LOOKED_AT = 64 };

/* What is bound last stands last, so that the record is usually the first that is asked. */
static bool has_record(struct bpfstamp_stamp *s, const uint32_t *map_ids, uint32_t count)
{
	bool found = false;

	while (!found && count) {
		int fd = sys_map_by_id(map_ids[--count]);

		if (fd < 0)
			continue;
		found = record_equals(fd, s->key, s->key_size, s->key + s->key_size);
		close(fd);
	}
	return found;
}

static bool is_equal(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, const struct reuse_entry *e, int fd)
{
	uint32_t map_ids[MAPS_LOOKED_AT] = { 0 };
	struct bpf_prog_info info;

	memset(&info, 0, sizeof(info));
	info.map_ids = (uintptr_t)map_ids;
	info.nr_map_ids = MAPS_LOOKED_AT;
	return !sys_prog_info(fd, &info) && info.load_time == e->load_time &&
	       info.type == reuse_prog_type(s->t, load) && info.created_by_uid == getuid() &&
	       has_record(s, map_ids, info.nr_map_ids < MAPS_LOOKED_AT ? info.nr_map_ids : MAPS_LOOKED_AT);
}

/*
 * The program that the index has, or -1.  Where it has none, the kernel is asked for
 * program 0, which never is: it says whether this process may ask at all.
 */
static int find(struct reuse *r, struct bpfstamp_stamp *s, const struct bpfstamp_load *load)
{
	struct reuse_entry e = { 0 };
	int fd;

	if (s->index_fd < 0 || sys_map_lookup(s->index_fd, r->digest, &e))
		memset(&e, 0, sizeof(e));
	fd = sys_prog_by_id(e.id);
	if (fd < 0) {
		r->wanted = errno == ENOENT;
		if (!r->wanted) {
			load_note(load, "programs of other processes are not looked for: %s%s", strerror(errno),
				  errno == EPERM ? ": needs the capability CAP_SYS_ADMIN" : "");
			reuse_index_refuse(s);
		}
		return -1;
	}
	if (is_equal(s, load, &e, fd))
		return fd;
	close(fd);
	return -1;
}

static bool is_wanted(const struct bpfstamp_stamp *s, const struct bpfstamp_load *load)
{
	return load->reuse && load->record && !lacks(LACKS_BIND_MAP) && share_possible(s->t, load);
}

int reuse_begin(struct reuse *r, struct bpfstamp_stamp *s, const struct bpfstamp_load *load)
{
	struct bpfstamp_err ignored;
	const struct link *link;
	int fd;

	r->wanted = false;
	s->key_size = 0;
	if (!is_wanted(s, load) || !(link = load_link(s->t, load->program, &ignored)) ||
	    !reuse_index_open(s, load) || !reuse_key(s, link, load))
		return -1;
	r->wanted = true;
	reuse_digest(r->digest, s->key, s->key_size);
	fd = find(r, s, load);
	if (!r->wanted)
		s->key_size = 0;
	if (fd < 0)
		return -1;
	mapmake_close(s);
	mapmake_forget_pins(&s->pins);
	reuse_end(r, s, load, -1);
	return fd;
}

/* Where the kernel turned out to bind no maps, there is no record to be found. */
static void enter(const struct reuse *r, struct bpfstamp_stamp *s, const struct bpfstamp_load *load, int fd)
{
	struct bpf_prog_info info;
	struct reuse_entry e;

	memset(&info, 0, sizeof(info));
	if (lacks(LACKS_BIND_MAP) || sys_prog_info(fd, &info) || !reuse_index_make(s, load))
		return;
	e = (struct reuse_entry){ .load_time = info.load_time, .id = info.id };
	if (sys_map_update(s->index_fd, r->digest, &e))
		load_note(load, "the program is not told to other processes: %s", strerror(errno));
}

/* Whether the BTF that the key has could not be loaded this time. */
static bool misses_btf(const struct bpfstamp_stamp *s)
{
	return !s->without_btf && atomic_load(&s->t->cache->btf_fd) == KBTF_UNTRIED;
}

void reuse_end(const struct reuse *r, struct bpfstamp_stamp *s, const struct bpfstamp_load *load, int fd)
{
	if (r->wanted && fd >= 0 && s->key_size && !misses_btf(s))
		enter(r, s, load, fd);
	s->key_size = 0;
}
