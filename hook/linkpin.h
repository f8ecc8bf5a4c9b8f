/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where links are pinned, which keeps them when the process that made them
 * ends, and says that they are bpfstamp's.
 */
#ifndef HOOK_LINKPIN_H
#define HOOK_LINKPIN_H

#include "hook/mprog.h"

enum { LINKPIN_SIZE = sizeof(((struct bpfstamp_attachment *)0)->pin) };

/*
 * The path of the n-th pin (1: the first) of a program's links on a hook: pin
 * where it is not NULL, else a name of its own below pin_path (NULL: /sys/fs/bpf).
 */
int linkpin_path(char path[LINKPIN_SIZE], const struct mprog_hook *hook, const char *pin_path, const char *pin,
		 const char *program, uint32_t n, struct bpfstamp_err *err);

/* The folder of a path. */
void linkpin_folder(char folder[LINKPIN_SIZE], const char *path);

/* What a program's name becomes in a pin: letters, digits and '_'. */
void linkpin_name(char out[LINKPIN_SIZE], const char *program);

enum linkpin_kind { LINKPIN_NONE, LINKPIN_LINK, LINKPIN_PROGRAM, LINKPIN_OTHER };

/* An open pin. */
struct linkpin {
	enum linkpin_kind kind;
	int fd;			/* -1 where there is none */
	ino_t inode;		/* of the pin */
	struct mprog_link link;	/* of LINKPIN_LINK */
	uint32_t program;	/* id, of LINKPIN_PROGRAM */
};

/* That there is none is no error; a file that is no pin is one. */
int linkpin_open(const char *path, struct linkpin *out, struct bpfstamp_err *err);
void linkpin_close(struct linkpin *pin);

/*
 * Pin a link; in the place of there, where that is not LINKPIN_NONE.  A failure
 * leaves what was there: EEXIST where another is there by now, ENOENT where
 * somebody removed the folder meanwhile.
 */
int linkpin_put(const char *path, int link, const struct linkpin *there, struct bpfstamp_err *err);

/* Remove a pin, and its folder if that is bpfstamp's and empty.  ENOENT where it is another's by now. */
int linkpin_remove(const char *path, const struct linkpin *there, struct bpfstamp_err *err);

/* The same where only the link's id is known. */
int linkpin_remove_link(const char *path, uint32_t link, struct bpfstamp_err *err);

/* The path of a pin of that link, wherever it is below pin_path (NULL: /sys/fs/bpf). */
bool linkpin_find(const char *pin_path, uint32_t link, char path[LINKPIN_SIZE]);

/* What a pin's name tells. */
struct linkpin_info {
	uint64_t netns;
	uint32_t ifindex;
	enum bpfstamp_hook_type type;
	enum bpfstamp_direction direction;
	char program[LINKPIN_SIZE];
};

/*
 * Call fn with each link that bpfstamp pinned below pin_path: on that hook or,
 * where it is NULL, on any.  fn returns 0 to go on.  Pins that cannot be opened are passed over.
 */
typedef int linkpin_fn(const char *path, const struct linkpin_info *info, const struct mprog_link *link, void *arg,
		       struct bpfstamp_err *err);
int linkpin_each(const char *pin_path, const struct mprog_hook *hook, linkpin_fn *fn, void *arg,
		 struct bpfstamp_err *err);

#endif
