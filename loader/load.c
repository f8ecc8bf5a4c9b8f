// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loading: from a stamp to the fds of programs and maps.
 *
 *   link (once a template)  →  maps (loader/mapmake.c)  →  gather, put in fds
 *   BTF (once a template)   →  program (loader/progload.c)
 *
 * What is made once a template is made by whoever comes first, holding the
 * template's lock; it is then read without.
 *
 * Map fds are closed again when the programs, which hold their own references,
 * are loaded, but for those that the caller is to keep (bpfstamp_load_all).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/kbtf.h"
#include "loader/lacks.h"
#include "loader/link.h"
#include "loader/mapmake.h"
#include "loader/progload.h"
#include "loader/sys.h"

enum { BTF_UNTRIED = -1, BTF_NONE = -2 };

void load_note(const struct bpfstamp_load *load, const char *fmt, ...)
{
	char text[256];
	va_list args;

	if (!load->note)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	load->note(load->note_arg, text);
}

int load_no_privilege(const struct bpfstamp_template *t, const char *what, struct bpfstamp_err *err)
{
	return err_set(err, EPERM, "%s: %s: %s: needs the capabilities CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN)",
		       t->name, what, strerror(EPERM));
}

bool load_raise_memlock(const struct bpfstamp_load *load)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	if (lacks(LACKS_FREE_MEMORY))
		return false;
	lacks_note(LACKS_FREE_MEMORY);
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited))
		return false;
	load_note(load, "RLIMIT_MEMLOCK was raised: this kernel charges programs and maps to it");
	return true;
}

/* ------------------------------------------------------ once a template */

static const struct link *get_link(const struct bpfstamp_template *t, uint32_t func, struct bpfstamp_err *err)
{
	struct link *link = atomic_load(&t->cache->links[func]);

	if (link)
		return link;
	pthread_mutex_lock(&t->cache->lock);
	link = atomic_load(&t->cache->links[func]);
	if (!link && !link_program(&link, t, func, err))
		atomic_store(&t->cache->links[func], link);
	pthread_mutex_unlock(&t->cache->lock);
	return link;
}

/* The fd of the template's BTF, or negative; the template closes it. */
static int get_btf(const struct bpfstamp_template *t, const struct bpfstamp_load *load)
{
	int fd = atomic_load(&t->cache->btf_fd);

	if (fd != BTF_UNTRIED)
		return fd;
	pthread_mutex_lock(&t->cache->lock);
	fd = atomic_load(&t->cache->btf_fd);
	if (fd == BTF_UNTRIED) {
		fd = kbtf_load(t, load);
		if (fd < 0)
			fd = BTF_NONE;
		atomic_store(&t->cache->btf_fd, fd);
	}
	pthread_mutex_unlock(&t->cache->lock);
	return fd;
}

/* --------------------------------------------------------------- program */

static int check_symbols(const struct bpfstamp_stamp *s, const struct link *link, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < link->symbol_count; i++)
		if (!s->touched[link->symbols[i]])
			return err_set(err, EINVAL, "%s: symbol %s has no value: set it", s->t->name,
				       s->t->injectables[link->symbols[i]].name);
	return 0;
}

static int check_type(const struct bpfstamp_template *t, const struct bpfstamp_load *load, uint32_t *type,
		      struct bpfstamp_err *err)
{
	const struct func *f = &t->funcs[load->program];

	*type = load->prog_type ? load->prog_type : f->prog_type;
	if (!*type)
		return err_set(err, EINVAL, "%s: section %s does not tell the type of program %s", t->name,
			       t->codes[f->code].name, f->name);
	if (f->prog_type && f->prog_type != *type)
		return err_set(err, EINVAL, "%s: program %s is of type %s by its section %s, but %s is wanted", t->name,
			       f->name, bpfstamp_prog_type_name(f->prog_type), t->codes[f->code].name,
			       bpfstamp_prog_type_name(*type));
	if (t->elf.big != BYTES_HOST_BIG)
		return err_set(err, EINVAL, "%s: the object is %s-endian, this machine is not: it can be inspected and "
			       "patched here, not loaded", t->name, t->elf.big ? "big" : "little");
	return 0;
}

static int make_maps(struct bpfstamp_stamp *s, const struct link *link, int btf_fd, const struct bpfstamp_load *load,
		     struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < link->map_count; i++) {
		uint32_t map = link->maps[i].map;

		if (s->map_fds[map] < 0 && mapmake(s, map, btf_fd, load, err))
			return -1;
	}
	return 0;
}

int bpfstamp_load(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, int *fd, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct link *link;
	int made, btf_fd;
	uint32_t type;

	if (check_type(t, load, &type, err))
		return -1;
	link = get_link(t, load->program, err);
	if (!link || check_symbols(s, link, err))
		return -1;
	btf_fd = get_btf(t, load);
	made = make_maps(s, link, btf_fd, load, err) ? -1 : progload(s, link, type, btf_fd, load, err);
	mapmake_close(s);
	if (made < 0)
		return -1;
	*fd = made;
	return 0;
}

int bpfstamp_prog_info(int fd, struct bpfstamp_prog_info *out, struct bpfstamp_err *err)
{
	struct bpf_prog_info info;

	memset(&info, 0, sizeof(info));
	if (sys_prog_info(fd, &info))
		return err_set(err, errno, "cannot read the program's properties: %s", strerror(errno));
	out->id = info.id;
	out->type = info.type;
	memcpy(out->tag, info.tag, sizeof(out->tag));
	memcpy(out->name, info.name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = '\0';
	return 0;
}
