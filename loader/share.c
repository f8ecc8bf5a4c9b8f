// SPDX-License-Identifier: BSD-2-Clause
/*
 * A share is a table from what a program is made of to an fd of that program.
 *
 * The key is all that a load goes by beside the template: which program, how,
 * and the image.  Of the image it has the words in which it differs from the
 * template's, with their places: two images are equal exactly where these
 * differences are, and ten thousand pods cost some bytes each instead of a
 * copy of the program.  Keys are compared byte by byte; the hash only says in
 * which chain to look.
 *
 *      0  program, type        u32 each
 *      8  record               u32, 0 or 1
 *     12  no_debug_info        u32, 0 or 1
 *     16  injectables told     u32, each then: index u32, value u64
 *     20  …
 *         pin_path             ended by NUL
 *         words that differ    offset in the image u32, 8 bytes (less at its end)
 *
 * Told are the injectables that were set where a record will say so; without a
 * record only symbols, which must be set to be loaded at all.
 *
 * Whoever does not find a key enters it, loads without the lock, and then gives
 * the entry its fd, or takes it out again; others who want the same wait for
 * that.  Its load may still find one that another process has loaded
 * (loader/reuse.c).  A program whose load made pins is not kept: its caller may still take
 * these back (bpfstamp_load_undo), and the next load, which finds them, will do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/keying.h"
#include "loader/link.h"
#include "loader/load.h"
#include "loader/mapmake.h"
#include "loader/share.h"

enum { WORD = 8, BLOCK = 256, MOST_BUCKETS = 1 << 14 };

/* FNV-1a. */
static uint64_t hash_key(const uint8_t *key, uint32_t size)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (uint32_t i = 0; i < size; i++)
		hash = (hash ^ key[i]) * 0x100000001b3;
	return hash;
}

int bpfstamp_share_new(struct bpfstamp_share **out, const struct bpfstamp_template *t, uint32_t most,
		       struct bpfstamp_err *err)
{
	struct bpfstamp_share *share = calloc(1, sizeof(*share));
	uint32_t buckets = 16;

	if (!share)
		return object_no_memory(err);
	while (buckets < most && buckets < MOST_BUCKETS)
		buckets *= 2;
	share->buckets = calloc(buckets, sizeof(struct share_entry *));
	if (!share->buckets) {
		free(share);
		return object_no_memory(err);
	}
	share->t = t;
	share->most = most;
	share->hash = hash_key;
	share->bucket_mask = buckets - 1;
	pthread_mutex_init(&share->lock, NULL);
	pthread_cond_init(&share->settled, NULL);
	*out = share;
	return 0;
}

void bpfstamp_share_free(struct bpfstamp_share *share)
{
	if (!share)
		return;
	for (uint32_t i = 0; i <= share->bucket_mask; i++) {
		struct share_entry *next;

		for (struct share_entry *e = share->buckets[i]; e; e = next) {
			next = e->next;
			close(e->fd);
			free(e);
		}
	}
	pthread_cond_destroy(&share->settled);
	pthread_mutex_destroy(&share->lock);
	free(share->buckets);
	free(share);
}

/* ------------------------------------------------------- what can be shared */

/* Why a map belongs to one program, or NULL. */
static const char *why_own(const struct bpfstamp_template *t, const struct map *m)
{
	if (m->kconfig || m->pinning != MAP_PIN_NONE)
		return NULL;
	if (m->data == NO_INDEX)
		return "is a map of its own: what it holds would be mixed up (pinned by name, it would be one map "
		       "for all)";
	return t->datas[m->data].readonly ? NULL : "can be written";
}

int bpfstamp_share_check(const struct bpfstamp_template *t, uint32_t program, struct bpfstamp_err *why)
{
	const struct link *link = load_link(t, program, why);

	if (!link)
		return -1;
	for (uint32_t i = 0; i < link->map_count; i++) {
		const struct map *m = &t->maps[link->maps[i].map];
		const char *own = why_own(t, m);

		if (own)
			return err_set(why, EBUSY, "%s: program %s cannot be shared: %s %s", t->name,
				       t->funcs[program].name, m->name, own);
	}
	return 0;
}

bool share_possible(const struct bpfstamp_template *t, const struct bpfstamp_load *load)
{
	struct bpfstamp_err ignored;

	return load->program < t->func_count && !load->map_fds && !load->ifindex && !load->dry_run &&
	       t->elf.big == BYTES_HOST_BIG && !bpfstamp_share_check(t, load->program, &ignored);
}

/* ------------------------------------------------------------------- keys */

static bool is_told(const struct bpfstamp_stamp *s, uint32_t injectable, bool record)
{
	return s->touched[injectable] && (record || s->t->injectables[injectable].kind == BPFSTAMP_SYMBOL);
}

static void append_told(struct keying *k, const struct bpfstamp_stamp *s, bool record)
{
	const struct bpfstamp_template *t = s->t;
	uint32_t count = 0;

	for (uint32_t i = 0; i < t->injectable_count; i++)
		count += is_told(s, i, record);
	keying_append32(k, count);
	for (uint32_t i = 0; i < t->injectable_count; i++) {
		uint64_t value = t->injectables[i].kind == BPFSTAMP_GLOBAL ? 0 : s->values[i];

		if (!is_told(s, i, record))
			continue;
		keying_append32(k, i);
		keying_append(k, &value, sizeof(value));
	}
}

/* Of the word, or the block, that begins there. */
static uint32_t length(uint32_t at, uint32_t size, uint32_t whole)
{
	return size - at < whole ? size - at : whole;
}

static void append_image(struct keying *k, const uint8_t *image, const uint8_t *original, uint32_t size)
{
	uint32_t at = 0;

	while (at < size) {
		uint32_t block = length(at, size, BLOCK), word = length(at, size, WORD);

		if (!(at % BLOCK) && !memcmp(image + at, original + at, block)) {
			at += block;
			continue;
		}
		if (memcmp(image + at, original + at, word) != 0) {
			keying_append32(k, at);
			keying_append(k, image + at, word);
		}
		at += word;
	}
}

static void make_key(struct keying *k, const struct bpfstamp_stamp *s, const struct bpfstamp_load *load)
{
	const char *pin_path = load->pin_path ? load->pin_path : "";

	keying_append32(k, load->program);
	keying_append32(k, load->prog_type);
	keying_append32(k, load->record);
	keying_append32(k, load->no_debug_info);
	append_told(k, s, load->record);
	keying_append(k, pin_path, (uint32_t)strlen(pin_path) + 1);
	append_image(k, s->image, s->t->image, s->t->image_size);
}

static struct share_entry *new_entry(const struct bpfstamp_share *share, const struct bpfstamp_stamp *s,
				     const struct bpfstamp_load *load)
{
	struct keying k = { 0 };
	struct share_entry *e;

	make_key(&k, s, load);
	e = k.size <= UINT32_MAX ? malloc(sizeof(*e) + k.size) : NULL;
	if (!e)
		return NULL;
	k = (struct keying){ .at = e->key };
	make_key(&k, s, load);
	e->size = (uint32_t)k.size;
	e->fd = -1;
	e->hash = share->hash(e->key, e->size);
	return e;
}

/* ------------------------------------------------------------------ table */

static struct share_entry **bucket_of(const struct bpfstamp_share *share, const struct share_entry *e)
{
	return &share->buckets[e->hash & share->bucket_mask];
}

/* The entry with the key of another, or NULL. */
static struct share_entry *find(const struct bpfstamp_share *share, const struct share_entry *like)
{
	struct share_entry *e = *bucket_of(share, like);

	while (e && (e->hash != like->hash || e->size != like->size || memcmp(e->key, like->key, e->size) != 0))
		e = e->next;
	return e;
}

static void insert(struct bpfstamp_share *share, struct share_entry *e)
{
	struct share_entry **bucket = bucket_of(share, e);

	e->next = *bucket;
	*bucket = e;
	share->count++;
}

static void take_out(struct bpfstamp_share *share, struct share_entry *e)
{
	struct share_entry **at = bucket_of(share, e);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	share->count--;
	free(e);
}

/* ------------------------------------------------------------------- load */

/* Load for an entry that others may be waiting for. */
static int load_entry(struct bpfstamp_share *share, struct share_entry *e, struct bpfstamp_stamp *s,
		      const struct bpfstamp_load *load, int *fd, struct bpfstamp_err *err)
{
	int ret = bpfstamp_load(s, load, fd, err);
	int kept = ret || s->pins ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, 0);

	pthread_mutex_lock(&share->lock);
	if (kept < 0)
		take_out(share, e);
	else
		e->fd = kept;
	pthread_cond_broadcast(&share->settled);
	pthread_mutex_unlock(&share->lock);
	return ret;
}

/* Another fd of an entry that is there. */
static int reuse(const struct share_entry *there, struct bpfstamp_stamp *s, int *fd, struct bpfstamp_err *err)
{
	int another = fcntl(there->fd, F_DUPFD_CLOEXEC, 0);

	if (another < 0)
		return err_set(err, errno, "%s: cannot open the program once more: %s", s->t->name, strerror(errno));
	mapmake_forget_pins(&s->pins);
	*fd = another;
	return 0;
}

int bpfstamp_share_load(struct bpfstamp_share *share, struct bpfstamp_stamp *s, const struct bpfstamp_load *load,
			int *fd, bool *reused, struct bpfstamp_err *err)
{
	struct bpfstamp_load how = *load;
	struct share_entry *there, *mine;
	bool enter, others = false;
	int ret = -1;

	if (s->t != share->t)
		return err_set(err, EINVAL, "%s: the stamp is of another template than the programs it would share",
			       s->t->name);
	how.reused = &others;
	mine = share_possible(s->t, load) ? new_entry(share, s, load) : NULL;
	if (!mine) {
		*reused = false;
		return bpfstamp_load(s, load, fd, err);
	}
	pthread_mutex_lock(&share->lock);
	while ((there = find(share, mine)) && there->fd < 0)
		pthread_cond_wait(&share->settled, &share->lock);
	enter = !there && share->count < share->most;
	if (enter)
		insert(share, mine);
	if (there)
		ret = reuse(there, s, fd, err);
	pthread_mutex_unlock(&share->lock);
	if (enter)
		ret = load_entry(share, mine, s, &how, fd, err);
	else if (!there)
		ret = bpfstamp_load(s, &how, fd, err);
	if (!enter)
		free(mine);
	if (load->reused)
		*load->reused = others;
	if (!ret)
		*reused = there || others;
	return ret;
}
