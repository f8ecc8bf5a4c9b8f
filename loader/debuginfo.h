/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether programs can be loaded without the object's BTF.
 */
#ifndef LOADER_DEBUGINFO_H
#define LOADER_DEBUGINFO_H

#include "loader/link.h"

/* Why the kernel may want to see the types of a linked program ("it …"), or NULL. */
const char *debuginfo_needed(const struct bpfstamp_template *t, const struct link *link);

/* The same of a map of the template. */
const char *debuginfo_map_needed(const struct bpfstamp_template *t, const struct map *m);

#endif
