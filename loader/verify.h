/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two programs of the kernel, one that runs and one that was loaded to compare
 * it with (loader/verify.c), and their instructions (loader/verify_insns.c).
 */
#ifndef LOADER_VERIFY_H
#define LOADER_VERIFY_H

#include <linux/bpf.h>

#include "loader/path.h"
#include "loader/stamp.h"

struct verify_map {
	struct bpf_map_info info;
	int fd;
	uint32_t index;			/* of the template's map that it is, or NO_INDEX; only of what would be */
	struct verify_map *peer;	/* what stands for it on the other side, or NULL */
};

struct verify_side {
	struct bpf_prog_info info;
	struct bpfinsn *insns;		/* as the kernel translated them, and one zero slot; or NULL */
	uint32_t insn_count;
	struct verify_map *maps;
	uint32_t map_count;
};

enum { VERIFY_LINES = 20 };	/* that people are told; the rest is counted */

struct verify {
	const struct bpfstamp_stamp *s;
	uint32_t func;
	struct verify_side runs, wants;
	bpfstamp_difference_fn *fn;
	void *arg;
	char *lines[VERIFY_LINES];
	uint32_t told;			/* all differences, but for what was told already */
};

void verify_tell(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Tell of a value; text is its bytes' as part_text writes it. */
void verify_tell_part(struct verify *v, const char *path, const struct part *part, const uint8_t *runs,
		      const uint8_t *wants);

struct verify_map *verify_map_by_id(const struct verify_side *side, uint32_t id);

/* Find maps that stand for each other in the instructions that refer to them. */
void verify_pair_by_insns(struct verify *v);

/* Whether the instructions of both can be compared: there are some, and their constants are not blinded. */
bool verify_can_compare(const struct verify *v);

/* Tell how the instructions differ.  explained: differences of data were told, which may change what is dead code. */
int verify_insns(struct verify *v, bool explained, struct bpfstamp_err *err);

#endif
