/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of a configuration: from object files to loaded programs.
 */
#ifndef CNI_PROGRAMS_H
#define CNI_PROGRAMS_H

#include "cni/values.h"

/* Of an attachment. */
struct cni_program {
	const struct cni_attachment *wanted;
	struct bpfstamp_template *t;	/* shared by all programs of that object */
	struct bpfstamp_stamp *s;	/* NULL: not stamped yet */
	struct bpfstamp_load load;
	const char *name;
	int fd;				/* -1: not loaded */
};

struct cni_object {
	const char *path;
	bool inlined;
	struct bpfstamp_template *t;
};

struct programs {
	size_t object_count, pod_count, node_count;
	struct cni_object objects[2 * CNI_ATTACHMENTS];
	struct cni_program pod[CNI_ATTACHMENTS], node[CNI_ATTACHMENTS];	/* in the configuration's order */
};

/* Open each object once, and find the programs in them. */
int programs_open(struct programs *p, const struct cni_config *c, struct bpfstamp_err *err);
void programs_close(struct programs *p);	/* also of {0} */

/* Stamp them all; again: with other values. */
int programs_stamp(struct programs *p, const struct values *v, struct bpfstamp_err *err);

/* p->fd; no error where it is loaded already. */
int program_load(struct cni_program *p, struct bpfstamp_err *err);

/* Instead of that, one that is not shared. */
int program_load_own(struct cni_program *p, struct bpfstamp_err *err);

/* Whether the program of that id is this one, stamped as this one; EPERM and EOPNOTSUPP where nobody can tell. */
int program_verify(struct cni_program *p, uint32_t id, struct bpfstamp_err *err);

#endif
