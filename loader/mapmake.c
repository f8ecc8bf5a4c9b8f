// SPDX-License-Identifier: BSD-2-Clause
/*
 * A map of a data section is an array of one element; not mmapable, which would
 * cost whole pages.  Read-only data is frozen before the program is loaded, so
 * that the verifier reads its values as constants.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/mapmake.h"
#include "loader/sys.h"

/* As libbpf names them: the beginning of the object's name and the section. */
void mapmake_name(char out[16], const struct bpfstamp_template *t, const struct map *m)
{
	const char *slash = strrchr(t->name, '/'), *base = slash ? slash + 1 : t->name;
	size_t section = strlen(m->name), prefix = strcspn(base, "."), room;
	char name[32];

	if (m->data == NO_INDEX && !m->kconfig) {
		sys_name(out, m->name);
		return;
	}
	section = section > 8 ? 8 : section;
	room = 15 - section;
	prefix = prefix > room ? room : prefix;
	memcpy(name, base, prefix);
	memcpy(name + prefix, m->name, section);
	name[prefix + section] = '\0';
	sys_name(out, name);
}

static int create_map(const struct bpfstamp_template *t, const struct map *m, int btf_fd,
		      const struct bpfstamp_load *load)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = m->type;
	attr.key_size = m->key_size;
	attr.value_size = m->value_size;
	attr.max_entries = m->max_entries;
	attr.map_flags = m->flags;
	attr.numa_node = m->numa_node;
	attr.map_extra = m->extra;
	mapmake_name(attr.map_name, t, m);
	if (btf_fd >= 0 && m->btf_value) {
		attr.btf_fd = (uint32_t)btf_fd;
		attr.btf_key_type_id = m->btf_key;
		attr.btf_value_type_id = m->btf_value;
	}
	fd = sys_map_create(&attr);
	if (fd < 0 && attr.btf_fd && errno != EPERM) {
		attr.btf_fd = attr.btf_key_type_id = attr.btf_value_type_id = 0;
		fd = sys_map_create(&attr);
		if (fd >= 0)
			load_note(load, "a map was created without its BTF, which the kernel refuses for its type");
	}
	return fd;
}

static int map_failed(const struct bpfstamp_template *t, const struct map *m, const char *doing,
		      struct bpfstamp_err *err)
{
	int code = errno;
	const char *type = bpfstamp_map_type_name(m->type);

	if (code == EPERM)
		return load_no_privilege(t, "cannot create a map", err);
	return err_set(err, code, "%s: cannot %s map %s (%s, key %u, value %u, %u entries): %s", t->name, doing, m->name,
		       type ? type : "of unknown type", m->key_size, m->value_size, m->max_entries, strerror(code));
}

int mapmake(struct bpfstamp_stamp *s, uint32_t index, int btf_fd, const struct bpfstamp_load *load,
	    struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct map *m = &t->maps[index];
	const uint32_t key = 0;
	int fd;

	if (m->refused)
		return err_set(err, ENOTSUP, "%s: cannot create map %s: %s", t->name, m->name, m->refused);
	fd = create_map(t, m, btf_fd, load);
	if (fd < 0)
		return map_failed(t, m, "create", err);
	s->map_fds[index] = fd;
	if (m->data == NO_INDEX)
		return 0;
	if (sys_map_update(fd, &key, s->image + t->datas[m->data].image))
		return map_failed(t, m, "fill", err);
	if (t->datas[m->data].readonly && sys_map_freeze(fd))
		return map_failed(t, m, "freeze", err);
	return 0;
}

int mapmake_programs(const struct bpfstamp_stamp *s, uint32_t index, const int *prog_fds, struct bpfstamp_err *err)
{
	const struct map *m = &s->t->maps[index];

	for (uint32_t i = 0; i < m->slot_count; i++) {
		const struct map_slot *slot = &s->t->map_slots[m->slot_first + i];

		if (sys_map_update(s->map_fds[index], &slot->key, &prog_fds[slot->target]))
			return map_failed(s->t, m, "put a program into", err);
	}
	return 0;
}

int mapmake_pin(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	(void)s, (void)load, (void)err;
	return 0;
}

void mapmake_close(struct bpfstamp_stamp *s)
{
	for (uint32_t i = 0; i < s->t->map_count; i++) {
		if (s->map_fds[i] >= 0)
			close(s->map_fds[i]);
		s->map_fds[i] = -1;
	}
}
