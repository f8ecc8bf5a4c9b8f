/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins: names of programs and maps in a bpffs.
 */
#ifndef LOADER_PIN_H
#define LOADER_PIN_H

#include "loader/template.h"

/* Where a map is pinned that wants to be: below path (NULL: /sys/fs/bpf); the kernel refuses dots, which become '_'. */
int pin_map_path(char *buf, size_t size, const struct bpfstamp_template *t, const struct map *m, const char *path,
		 struct bpfstamp_err *err);

/* Make the folder of path, and those above it, where they are missing, and see that it is in a bpffs. */
int pin_folder(const char *path, struct bpfstamp_err *err);

/* Pin an fd; EEXIST where the name is taken. */
int pin_fd(const char *path, int fd, struct bpfstamp_err *err);

/* Open a pin: *fd is -1 where there is none. */
int pin_open(const char *path, int *fd, struct bpfstamp_err *err);

#endif
