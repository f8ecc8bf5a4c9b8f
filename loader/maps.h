/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files share that find the definitions of maps (loader/maps.c).
 */
#ifndef LOADER_MAPS_H
#define LOADER_MAPS_H

#include "loader/template.h"

enum {	/* map types that the uapi headers of Linux 6.1 lack */
	MAP_TYPE_ARENA = 33,
};

/* Append the map that a symbol stands for. */
struct map *maps_add(struct bpfstamp_template *t, uint32_t symbol, const char *section);

/* Append a value that a map starts with; maps_collect checks and orders them. */
int maps_add_slot(struct bpfstamp_template *t, uint32_t map, uint32_t key, uint32_t target, struct bpfstamp_err *err);

/* "NAME: map M: FIELD WHY"; always returns -1. */
int maps_malformed(const struct bpfstamp_template *t, const struct map *m, const char *field, const char *why,
		   struct bpfstamp_err *err);

/* Whether maps of that type hold other maps. */
bool maps_of_maps(uint32_t type);

/* The map that is declared at a place, or NO_INDEX. */
uint32_t maps_at(const struct bpfstamp_template *t, uint32_t section, uint64_t offset);

/* Those of the sections .maps and maps, each with the values that they start with. */
int maps_btf_collect(struct bpfstamp_template *t, struct bpfstamp_err *err);
int maps_legacy_collect(struct bpfstamp_template *t, struct bpfstamp_err *err);

/* Variables of the section .maps; for the relocations of what they start with. */
enum { MAPS_NO_VALUES = -1 };

struct maps_variable {
	uint32_t map;
	uint64_t start, end;	/* in the section */
	int64_t values;		/* where its values begin in it, or MAPS_NO_VALUES */
};

struct maps_variables {
	struct maps_variable *all;
	uint32_t count;
};

int maps_values_collect(struct bpfstamp_template *t, uint32_t section, struct maps_variables *vars,
			struct bpfstamp_err *err);

#endif
