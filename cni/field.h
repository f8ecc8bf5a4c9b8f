/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members of JSON objects that somebody else wrote.  Each function leaves *out as it
 * is where the object has no such key; null is as good as none, because Go
 * writes it for what is not there.  where is put before the key in errors ("attach[2].").
 *
 * Errors: CNI_DECODE where a value is of another type, CNI_CONFIG where it is of the right type and
 * no good, CNI_UNSUPPORTED for a key that nobody knows.
 */
#ifndef CNI_FIELD_H
#define CNI_FIELD_H

#include "cni/cni.h"

struct field_word {
	const char *name;
	int value;
};

/* NULL where there is none. */
json_t *field_get(const json_t *object, const char *key);

int field_object(json_t **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err);
int field_array(json_t **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err);

/* A text, an integer or a boolean. */
int field_scalar(json_t **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err);
int field_check_scalar(const json_t *value, const char *where, const char *key, struct bpfstamp_err *err);

/* Not empty. */
int field_text(const char **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err);

/* The absolute path of a file: nobody knows in which folder a runtime starts its plugins. */
int field_path(const char **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err);

int field_number(uint32_t *out, const json_t *object, const char *where, const char *key, uint32_t low, uint32_t high,
		 struct bpfstamp_err *err);
int field_flag(bool *out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err);

/* One of the words, which are ended by NULL. */
int field_word(int *out, const json_t *object, const char *where, const char *key, const struct field_word *words,
	       struct bpfstamp_err *err);

/* See that an object has no other keys than these, ended by NULL, and those that begin with prefix, if any. */
int field_known(json_t *object, const char *where, const char *const *keys, const char *prefix,
		struct bpfstamp_err *err);

/* CNI_CONFIG: the object has no such key, but maybe one that is near. */
int field_absent(json_t *object, const char *key, struct bpfstamp_err *err);

/* The text as errors quote it: printable, and short; at buf. */
enum { FIELD_SHOWN = 65 };
const char *field_shown(char buf[FIELD_SHOWN], const char *text);

#endif
