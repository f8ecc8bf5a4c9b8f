/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many registers each call of a template reads.
 */
#ifndef LOADER_REGARGS_H
#define LOADER_REGARGS_H

#include "loader/template.h"

/* By slot of the code part of the image; to be freed, NULL where memory is out. */
uint8_t *regargs_make(const struct bpfstamp_template *t);

#endif
