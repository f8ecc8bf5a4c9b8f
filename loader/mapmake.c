// SPDX-License-Identifier: BSD-2-Clause
/*
 * Creating maps:
 *
 *   given? pinned already? (mapmake_pin.c)  →  what the maps in it look like, first
 *                                           →  BPF_MAP_CREATE  →  contents (mapfill.c)
 *
 * A map of a data section is an array of one element; not mmapable, which would
 * cost whole pages.
 *
 * Creation asks for everything at once, name and BTF, which in the good case is
 * one call.  Where the kernel refuses, less is asked for, in the order in which
 * kernels learned things; what made the difference is remembered for the rest
 * of the process, but for BTF: that a map's type goes without says nothing of
 * the next one.  Types of which it is known are created without at once.
 *
 * A definition inside another (map->inner_def) is only a pattern for the
 * kernel: its map is closed as soon as the outer one is there.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/lacks.h"
#include "loader/mapfill.h"
#include "loader/mapmake.h"
#include "loader/maps.h"
#include "loader/sys.h"

/*
 * As libbpf names them, so that scripts find them: the beginning of the object's
 * name and the section, which counts as seven characters at least; a section
 * with a name of its own (.data.peers) goes alone.
 */
void mapmake_name(char out[16], const struct bpfstamp_template *t, const struct map *m)
{
	const char *slash = strrchr(t->name, '/'), *base = slash ? slash + 1 : t->name;
	size_t section = strlen(m->name), prefix = strcspn(base, "."), room;
	char name[16];

	if ((m->data == NO_INDEX && !m->kconfig) || strchr(m->name + 1, '.')) {
		sys_name(out, m->name);
		return;
	}
	section = section > 15 ? 15 : section;
	room = 15 - (section < 7 ? 7 : section);
	prefix = prefix > room ? room : prefix;
	memcpy(name, base, prefix);
	memcpy(name + prefix, m->name, section);
	name[prefix + section] = '\0';
	sys_name(out, name);
}

int mapmake_failed(const struct bpfstamp_template *t, const struct map *m, const char *doing,
		   struct bpfstamp_err *err)
{
	int code = errno;
	const char *type = bpfstamp_map_type_name(m->type);

	if (code == EPERM)
		return load_no_privilege(t, "cannot create a map", err);
	return err_set(err, code, "%s: cannot %s map %s (%s, key %u, value %u, %u entries): %s", t->name, doing,
		       m->name, type ? type : "of unknown type", m->key_size, m->value_size, m->max_entries,
		       strerror(code));
}

/* ------------------------------------------------------------ properties */

/* The list in /sys: numbers and ranges, such as "0-3,8". */
int mapmake_cpus(uint32_t *count, struct bpfstamp_err *err)
{
	static const char path[] = "/sys/devices/system/cpu/possible";
	FILE *file = fopen(path, "re");
	uint32_t first, last, sum = 0;
	int end;

	if (!file)
		return err_set(err, errno, "cannot tell how many CPUs there are: %s: %s", path, strerror(errno));
	do {
		if (fscanf(file, "%u", &first) != 1)
			break;
		last = first;
		end = fgetc(file);
		if (end == '-') {
			if (fscanf(file, "%u", &last) != 1)
				break;
			end = fgetc(file);
		}
		sum += last >= first ? last - first + 1 : 0;
	} while (end == ',');
	fclose(file);
	if (!sum)
		return err_set(err, EINVAL, "cannot tell how many CPUs there are: %s has no list of them", path);
	*count = sum;
	return 0;
}

int mapmake_cpus_of(const struct bpfstamp_template *t, uint32_t *count, struct bpfstamp_err *err)
{
	uint32_t known = atomic_load(&t->cache->cpus);

	if (!known) {
		if (mapmake_cpus(&known, err))
			return -1;
		atomic_store(&t->cache->cpus, known);
	}
	*count = known;
	return 0;
}

/* The next power of two of pages, which is what the kernel takes; 0 and what is too large are left to it. */
static uint32_t ring_size(uint32_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), rounded = page;

	while (rounded < size)
		rounded *= 2;
	return size && rounded <= UINT32_MAX ? (uint32_t)rounded : size;
}

int mapmake_describe(const struct bpfstamp_template *t, const struct map *m, struct bpf_map_info *want,
		     struct bpfstamp_err *err)
{
	memset(want, 0, sizeof(*want));
	want->type = m->type;
	want->key_size = m->key_size;
	want->value_size = m->value_size;
	want->max_entries = m->max_entries;
	want->map_flags = m->flags;
	want->map_extra = m->extra;
	switch (m->type) {
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		want->max_entries = ring_size(m->max_entries);
		break;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:	/* fds by CPU; often declared with nothing but the type */
		want->key_size = m->key_size ? m->key_size : 4;
		want->value_size = m->value_size ? m->value_size : 4;
		/* fall through */
	case BPF_MAP_TYPE_CPUMAP:
		if (!m->max_entries && mapmake_cpus_of(t, &want->max_entries, err))
			return err_wrap(err, "%s: map %s", t->name, m->name);
		break;
	default:
		break;
	}
	return 0;
}

/* The kernel refuses BTF for these, of which the list is libbpf's. */
static bool takes_btf(uint32_t type)
{
	static const uint8_t refuse[] = {
		BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_CGROUP_ARRAY, BPF_MAP_TYPE_STACK_TRACE,
		BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS, BPF_MAP_TYPE_DEVMAP,
		BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_XSKMAP, BPF_MAP_TYPE_SOCKMAP,
		BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK,
	};

	for (size_t i = 0; i < sizeof(refuse); i++)
		if (refuse[i] == type)
			return false;
	return true;
}

/* -------------------------------------------------------------- creation */

/* What an attempt leaves out. */
enum { NO_BTF = 1, NO_DOTS = 2, NO_NAME = 4, FORMS = 8 };

static int create_form(const union bpf_attr *full, unsigned int without)
{
	union bpf_attr attr = *full;

	if (without & NO_BTF)
		attr.btf_fd = attr.btf_key_type_id = attr.btf_value_type_id = 0;
	if (without & NO_DOTS)
		sys_undot(attr.map_name);
	if (without & NO_NAME)
		memset(attr.map_name, 0, sizeof(attr.map_name));
	return sys_map_create(&attr);
}

/* Whether asking for less may help. */
static bool is_refusal(int code)
{
	return code == EINVAL || code == E2BIG || code == EOPNOTSUPP || code == SYS_ENOTSUPP;
}

/* Whether RLIMIT_MEMLOCK may stand in the way, which kernels before 5.11 tell for devmaps in their own way. */
static bool is_limit(uint32_t type, int code)
{
	bool devmap = type == BPF_MAP_TYPE_DEVMAP || type == BPF_MAP_TYPE_DEVMAP_HASH;

	return code == EPERM || (code == EINVAL && devmap);
}

static void note_form(const struct bpfstamp_load *load, unsigned int without, unsigned int known)
{
	if (without & NO_NAME)
		lacks_note(LACKS_NAMES);
	if (without & NO_DOTS)
		lacks_note(LACKS_DOTS);
	if (without & ~known & NO_BTF)
		load_note(load, "a map was created without its BTF, which the kernel refuses for its type");
}

/* Try from the newest form on; each form once.  Fails with the errno of the newest. */
static int create_newest(const union bpf_attr *attr, const struct bpfstamp_load *load)
{
	static const uint8_t forms[] = { 0, NO_BTF, NO_DOTS, NO_DOTS | NO_BTF, NO_NAME, NO_NAME | NO_BTF };
	const unsigned int has = (attr->btf_fd ? NO_BTF : 0u) | (strchr(attr->map_name, '.') ? NO_DOTS : 0u) |
		(attr->map_name[0] ? NO_NAME : 0u);
	const unsigned int known = (lacks(LACKS_NAMES) ? NO_NAME : 0u) | (lacks(LACKS_DOTS) ? NO_DOTS : 0u) |
		(lacks(LACKS_MAP_BTF) ? NO_BTF : 0u);
	unsigned int tried = 0;
	bool raised = false;
	int fd, first = 0;

	for (size_t i = 0; i < sizeof(forms); i++) {
		unsigned int without = (forms[i] | known) & has;

		if (tried >> without & 1)
			continue;
		tried |= 1u << without;
		fd = create_form(attr, without);
		if (fd < 0 && !raised && is_limit(attr->map_type, errno)) {
			raised = load_raise_memlock(load);
			fd = raised ? create_form(attr, without) : fd;
		}
		if (fd >= 0) {
			note_form(load, without, known);
			return fd;
		}
		first = first ? first : errno;
		if (!is_refusal(errno))
			break;
	}
	errno = first;
	return -1;
}

static int create(const struct bpfstamp_template *t, const struct map *m, int inner_fd, int btf_fd,
		  const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	bool one_value = m->data != NO_INDEX || m->kconfig;
	bool needs_key = !one_value && m->key_size;	/* its BTF would have to tell the type of the key */
	struct bpf_map_info want;
	union bpf_attr attr;
	int fd;

	if (mapmake_describe(t, m, &want, err))
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = want.type;
	attr.key_size = want.key_size;
	attr.value_size = want.value_size;
	attr.max_entries = want.max_entries;
	attr.map_flags = want.map_flags;
	attr.map_extra = want.map_extra;
	attr.numa_node = m->numa_node;
	attr.map_ifindex = load->ifindex;
	attr.inner_map_fd = inner_fd < 0 ? 0 : (uint32_t)inner_fd;
	mapmake_name(attr.map_name, t, m);
	if (btf_fd >= 0 && m->btf_value && (m->btf_key || !needs_key) && takes_btf(m->type)) {
		attr.btf_fd = (uint32_t)btf_fd;
		attr.btf_key_type_id = m->btf_key;
		attr.btf_value_type_id = m->btf_value;
	}
	fd = create_newest(&attr, load);
	if (fd >= 0)
		return fd;
	mapmake_failed(t, m, "create", err);
	if (load->ifindex && err->code != EPERM)
		return load_hint_offload(load, err);
	if (err->code == EINVAL && one_value && m->flags & BPF_F_RDONLY_PROG)
		err_hint(err, ": kernels before 5.2 have no read-only data (--inline, or STAMP, go without a map)");
	else if (err->code == EINVAL)
		err_hint(err, ": this kernel may lack maps of type %u, or not take such sizes or flags for them",
			 m->type);
	return -1;
}

/* ------------------------------------------------------------------ maps */

/* The fd of what the maps in a map look like, or -1. */
static int make_inner(struct bpfstamp_stamp *s, const struct map *m, int btf_fd, const struct bpfstamp_load *load,
		      struct bpfstamp_err *err)
{
	if (m->inner_def)
		return create(s->t, m->inner_def, -1, btf_fd, load, err);
	if (m->inner == NO_INDEX)
		return err_set(err, EINVAL, "%s: cannot create map %s: it does not say what the maps in it look "
			       "like: __array(values, struct { … })", s->t->name, m->name);
	return mapmake(s, m->inner, btf_fd, load, err) ? -1 : s->map_fds[m->inner];
}

int mapmake(struct bpfstamp_stamp *s, uint32_t index, int btf_fd, const struct bpfstamp_load *load,
	    struct bpfstamp_err *err)
{
	const struct map *m = &s->t->maps[index];
	int inner = -1;

	if (s->map_fds[index] >= 0)
		return 0;
	if (m->refused)
		return err_set(err, ENOTSUP, "%s: cannot create map %s: %s", s->t->name, m->name, m->refused);
	if (load->map_fds && load->map_fds[index] >= 0)
		return mapmake_given(s, index, load->map_fds[index], err);
	if (m->pinning != MAP_PIN_NONE && (mapmake_reuse(s, index, load, err) || s->map_fds[index] >= 0))
		return s->map_fds[index] >= 0 ? 0 : -1;
	if (s->map_reused)
		s->map_reused[index] = false;
	if (maps_of_maps(m->type)) {
		inner = make_inner(s, m, btf_fd, load, err);
		if (inner < 0)
			return -1;
	}
	s->map_fds[index] = create(s->t, m, inner, btf_fd, load, err);
	if (m->inner_def && inner >= 0)
		close(inner);
	return s->map_fds[index] < 0 ? -1 : mapfill(s, index, btf_fd, load, err);
}

void mapmake_close(struct bpfstamp_stamp *s)
{
	for (uint32_t i = 0; i < s->t->map_count; i++) {
		if (s->map_fds[i] >= 0)
			close(s->map_fds[i]);
		s->map_fds[i] = -1;
	}
}
