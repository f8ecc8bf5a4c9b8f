// SPDX-License-Identifier: BSD-2-Clause
/*
 * Objects, stamps and loaded programs.
 *
 * An object that several attachments name is read and parsed once; where some of
 * them want it inlined and others do not, twice, because that changes the code.
 * Each attachment has a stamp of its own, so that all values are checked before
 * anything is loaded, and all programs are loaded before anything is changed.
 *
 * Programs leave a record, so that `bpfstamp show` and `bpfstamp set` know what
 * is in them; and pods whose programs are equal share one (bpfstamp.h, bpfstamp_load).
 * Maps that want to be pinned by name are in the configuration's bpffs, and so shared
 * by all pods; all others are the attachment's own.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "cni/programs.h"
#include "loader/err.h"

/* --------------------------------------------------------------- objects */

static struct bpfstamp_template *open_object(struct programs *p, const char *path, bool inlined,
					     struct bpfstamp_err *err)
{
	struct bpfstamp_template *t;

	for (size_t i = 0; i < p->object_count; i++)
		if (p->objects[i].inlined == inlined && !strcmp(p->objects[i].path, path))
			return p->objects[i].t;
	if (bpfstamp_open_file(&t, path, err))
		return NULL;
	if (inlined && bpfstamp_inline(t, err)) {
		bpfstamp_close(t);
		return NULL;
	}
	p->objects[p->object_count++] = (struct cni_object){ .path = path, .inlined = inlined, .t = t };
	return t;
}

static int find_program(struct cni_program *p, const struct cni_config *c, struct bpfstamp_err *err)
{
	bool xdp = p->wanted->hook.type == BPFSTAMP_XDP;
	struct bpfstamp_program info;

	p->load = (struct bpfstamp_load){
		.prog_type = xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS, .pin_path = c->pin_path,
		.record = true, .reuse = c->reuse,
	};
	if (bpfstamp_find_program(p->t, p->wanted->program, p->load.prog_type, &p->load.program, err))
		return -1;
	bpfstamp_program_at(p->t, p->load.program, &info);
	p->name = info.name;
	return 0;
}

static int open_all(struct programs *p, struct cni_program *out, const struct cni_attachment *wanted, size_t count,
		    size_t *opened, const struct cni_config *c, struct bpfstamp_err *err)
{
	for (; *opened < count; ++*opened) {
		struct cni_program *one = &out[*opened];

		*one = (struct cni_program){ .wanted = &wanted[*opened], .fd = -1 };
		one->t = open_object(p, one->wanted->object, one->wanted->inlined, err);
		if (!one->t || find_program(one, c, err)) {
			err->code = CNI_ERROR + CNI_CONFIG;
			return -1;
		}
	}
	return 0;
}

int programs_open(struct programs *p, const struct cni_config *c, struct bpfstamp_err *err)
{
	memset(p, 0, sizeof(*p));
	if (!open_all(p, p->pod, c->attach, c->attach_count, &p->pod_count, c, err) &&
	    !open_all(p, p->node, c->node, c->node_count, &p->node_count, c, err))
		return 0;
	programs_close(p);
	return -1;
}

static void close_all(struct cni_program *programs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bpfstamp_stamp_free(programs[i].s);
		if (programs[i].fd >= 0)
			close(programs[i].fd);
	}
}

void programs_close(struct programs *p)
{
	close_all(p->pod, p->pod_count);
	close_all(p->node, p->node_count);
	for (size_t i = 0; i < p->object_count; i++)
		bpfstamp_close(p->objects[i].t);
	memset(p, 0, sizeof(*p));
}

/* ---------------------------------------------------------------- stamps */

static int set_values(struct cni_program *p, const struct values *v, struct bpfstamp_err *err)
{
	char buf[VALUE_SIZE];
	const char *name;
	json_t *value;

	json_object_foreach(p->wanted->set, name, value) {
		if (values_expand(v, value, name, buf, err))
			return -1;
		if (bpfstamp_set(p->s, name, buf, err)) {
			if (err->code != ENOMEM)
				err->code = CNI_ERROR + CNI_CONFIG;
			return -1;
		}
	}
	return 0;
}

static int stamp(struct cni_program *p, const struct values *v, struct bpfstamp_err *err)
{
	if (p->s)
		bpfstamp_reset(p->s);
	else if (bpfstamp_stamp_new(&p->s, p->t, err))
		return -1;
	return set_values(p, v, err) ? err_wrap(err, "program %s", p->name) : 0;
}

int programs_stamp(struct programs *p, const struct values *v, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < p->pod_count; i++)
		if (stamp(&p->pod[i], v, err))
			return -1;
	for (size_t i = 0; i < p->node_count; i++)
		if (stamp(&p->node[i], v, err))
			return -1;
	return 0;
}

/* ---------------------------------------------------------- to the kernel */

int program_load(struct cni_program *p, struct bpfstamp_err *err)
{
	return p->fd >= 0 ? 0 : bpfstamp_load(p->s, &p->load, &p->fd, err);
}

int program_load_own(struct cni_program *p, struct bpfstamp_err *err)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->load.reuse = false;
	return program_load(p, err);
}

/* The first difference is what the error tells. */
static void note_difference(const char *text, void *arg)
{
	struct bpfstamp_err *err = arg;

	if (!err->code)
		bpfstamp_err_set(err, ESTALE, "%s", text);
}

int program_verify(struct cni_program *p, uint32_t id, struct bpfstamp_err *err)
{
	struct bpfstamp_err difference = { 0 };
	bool equal;

	if (bpfstamp_verify(p->s, &p->load, id, note_difference, &difference, &equal, err))
		return -1;
	return equal ? 0 : err_set(err, ESTALE, "program %s (id %u) is not what ADD would attach: %s", p->name, id,
				   difference.text);
}
