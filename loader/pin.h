/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins: names of programs and maps in a bpffs.
 */
#ifndef LOADER_PIN_H
#define LOADER_PIN_H

#include "loader/template.h"

enum { PIN_PATH_SIZE = 4096 };

#define PIN_DEFAULT "/sys/fs/bpf"
#define PIN_FOLDER "bpfstamp"	/* of what bpfstamp pins there for itself */

/* Make a name one of a bpffs, which allows no dots: they become '_', and slashes too. */
void pin_clean_name(char *name);

/* Where a map is pinned that wants to be: below path (NULL: /sys/fs/bpf). */
int pin_map_path(char *buf, size_t size, const struct bpfstamp_template *t, const struct map *m, const char *path,
		 struct bpfstamp_err *err);

/*
 * Make a folder of a bpffs, and those above it, where they are missing; a
 * failure leaves none.  *made is how long the path of the first new folder is,
 * or 0, for undoing it.
 */
int pin_make_folders(const char *dir, size_t *made, struct bpfstamp_err *err);
void pin_remove_folders(const char *dir, size_t made);

/* Whether folders could be made there: 0, or why not. */
int pin_check_folder(const char *dir, struct bpfstamp_err *err);

/* Pin an fd; EEXIST where the name is taken. */
int pin_fd(const char *path, int fd, struct bpfstamp_err *err);

/* What an fd of bpf(2) is of, as it says itself; PIN_UNKNOWN where there is no /proc to be asked. */
enum pin_kind { PIN_UNKNOWN, PIN_MAP, PIN_PROGRAM, PIN_LINK, PIN_OTHER };
enum pin_kind pin_kind(int fd);

/* Open the pin of a map: *fd is -1 where there is none. */
int pin_open_map(const char *path, int *fd, struct bpfstamp_err *err);

#endif
