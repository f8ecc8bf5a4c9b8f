/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing values of a program that is attached: in place (cmd/set.c), and by
 * stamping its object anew (cmd/restamp.c).
 */
#ifndef CMD_SET_H
#define CMD_SET_H

#include "cmd/cmd.h"

struct setting {
	const struct options *o;
	struct bpfstamp_net *net;
	struct bpfstamp_attachment there;	/* what is changed, later what replaced it */
	struct bpfstamp_running *before;	/* read before anything changed */
	bool restamp;
};

/* Whether a name, perhaps "section:name", is that value, a part of it, or what it is a part of. */
bool set_names_value(const char *name, const struct bpfstamp_running_value *v);

/* What the running program has by a name, and in *out the first value of it that is read-only, or the last. */
enum set_found { SET_UNKNOWN, SET_WRITABLE, SET_READ_ONLY };
enum set_found set_look_up(const struct bpfstamp_running *r, const char *name, struct bpfstamp_running_value *out);

/*
 * Change all values that can be changed in place; where nothing is stamped anew,
 * all.  A failure takes back those before it; set_take_back all of them.  With
 * --dry-run values are only looked at.
 */
int set_in_place(const struct setting *s, struct bpfstamp_running *r, struct bpfstamp_err *err);
void set_take_back(const struct setting *s, struct bpfstamp_running *r, size_t count);

/* Stamp the object anew, and put it in the place of s->there, which is what is there then. */
int set_restamp(struct setting *s, struct bpfstamp_err *err);

#endif
