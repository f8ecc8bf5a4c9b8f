/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "did you mean": the nearest of a few words to one that is none of them.
 */
#ifndef CMD_NEAR_H
#define CMD_NEAR_H

/* The nearest of names, which are ended by NULL; NULL where none is near enough to be a slip. */
const char *near_word(const char *wanted, const char *const *names);

#endif
