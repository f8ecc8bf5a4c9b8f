// SPDX-License-Identifier: BSD-2-Clause
/*
 * Typed members of JSON objects.  What jansson gives is well-formed and its
 * texts are UTF-8 without NUL; everything else about it is still the word of a
 * stranger: types, lengths, ranges, keys.  So each getter asks for one type, and says
 * what it got instead.
 *
 * What errors quote of it is made printable and short first: an error is one
 * line, and goes into JSON itself.
 */
#include <string.h>

#include "cni/field.h"
#include "loader/err.h"
#include "loader/near.h"

enum { PATH_LENGTH = 1024 };

json_t *field_get(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

const char *field_shown(char buf[FIELD_SHOWN], const char *text)
{
	size_t i;

	for (i = 0; text[i] && i < FIELD_SHOWN - 1; i++)
		buf[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	buf[i] = '\0';
	if (text[i])
		strcpy(buf + FIELD_SHOWN - 4, "...");
	return buf;
}

static const char *type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a text",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "a boolean",
		[JSON_FALSE] = "a boolean", [JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

static int wrong_type(const json_t *value, const char *where, const char *key, const char *wanted,
		      struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN];

	return err_set(err, CNI_ERROR + CNI_DECODE, "%s%s is %s: expected %s", where, field_shown(shown, key),
		       type_name(value), wanted);
}

int field_object(json_t **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err)
{
	json_t *value = field_get(object, key);

	if (value && !json_is_object(value))
		return wrong_type(value, where, key, "an object", err);
	if (value)
		*out = value;
	return 0;
}

int field_array(json_t **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err)
{
	json_t *value = field_get(object, key);

	if (value && !json_is_array(value))
		return wrong_type(value, where, key, "an array", err);
	if (value)
		*out = value;
	return 0;
}

int field_check_scalar(const json_t *value, const char *where, const char *key, struct bpfstamp_err *err)
{
	if (!json_is_string(value) && !json_is_integer(value) && !json_is_boolean(value))
		return wrong_type(value, where, key, "a text, a whole number or a boolean", err);
	return 0;
}

int field_scalar(json_t **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err)
{
	json_t *value = field_get(object, key);

	if (value && field_check_scalar(value, where, key, err))
		return -1;
	if (value)
		*out = value;
	return 0;
}

int field_text(const char **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err)
{
	const json_t *value = field_get(object, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return wrong_type(value, where, key, "a text", err);
	if (!json_string_length(value))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%s%s is empty", where, key);
	*out = json_string_value(value);
	return 0;
}

int field_path(const char **out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err)
{
	const char *path = NULL;
	char shown[FIELD_SHOWN];

	if (field_text(&path, object, where, key, err))
		return -1;
	if (!path)
		return 0;
	if (*path != '/')
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%s%s: '%s' is no absolute path", where, key,
			       field_shown(shown, path));
	if (strlen(path) > PATH_LENGTH)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%s%s: '%s' is longer than %d bytes", where, key,
			       field_shown(shown, path), PATH_LENGTH);
	*out = path;
	return 0;
}

int field_number(uint32_t *out, const json_t *object, const char *where, const char *key, uint32_t low, uint32_t high,
		 struct bpfstamp_err *err)
{
	const json_t *value = field_get(object, key);
	json_int_t number;

	if (!value)
		return 0;
	if (!json_is_integer(value))
		return wrong_type(value, where, key, "a whole number", err);
	number = json_integer_value(value);
	if (number < (json_int_t)low || number > (json_int_t)high)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%s%s is %" JSON_INTEGER_FORMAT ": it can be %u to %u",
			       where, key, number, low, high);
	*out = (uint32_t)number;
	return 0;
}

int field_flag(bool *out, const json_t *object, const char *where, const char *key, struct bpfstamp_err *err)
{
	const json_t *value = field_get(object, key);

	if (value && !json_is_boolean(value))
		return wrong_type(value, where, key, "a boolean", err);
	if (value)
		*out = json_is_true(value);
	return 0;
}

static int no_such_word(const char *text, const char *where, const char *key, const struct field_word *words,
			struct bpfstamp_err *err)
{
	struct near near = near_to(text, strlen(text));
	char shown[FIELD_SHOWN];

	err_set(err, CNI_ERROR + CNI_CONFIG, "%s%s: '%s' is none of", where, key, field_shown(shown, text));
	for (const struct field_word *word = words; word->name; word++) {
		near_consider(&near, word->name);
		err_hint(err, "%s %s", word == words ? "" : ",", word->name);
	}
	near_suggest(&near, err);
	return -1;
}

int field_word(int *out, const json_t *object, const char *where, const char *key, const struct field_word *words,
	       struct bpfstamp_err *err)
{
	const char *text = NULL;

	if (field_text(&text, object, where, key, err))
		return -1;
	if (!text)
		return 0;
	for (const struct field_word *word = words; word->name; word++) {
		if (!strcmp(text, word->name)) {
			*out = word->value;
			return 0;
		}
	}
	return no_such_word(text, where, key, words, err);
}

/* The specification wants key and value of what is not supported. */
static int unknown(const char *key, const json_t *value, const char *where, const char *const *keys,
		   struct bpfstamp_err *err)
{
	struct near near = near_to(key, strlen(key));
	char shown[FIELD_SHOWN], text[128] = "";
	size_t size = json_dumpb(value, text, sizeof(text) - 1, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	err_set(err, CNI_ERROR + CNI_UNSUPPORTED, "unknown key %s%s (%s%s)", where, field_shown(shown, key), text,
		size >= sizeof(text) ? "..." : "");
	for (size_t i = 0; keys[i]; i++)
		near_consider(&near, keys[i]);
	near_suggest(&near, err);
	return -1;
}

static bool is_one_of(const char *key, const char *const *keys)
{
	while (*keys && strcmp(key, *keys))
		keys++;
	return *keys;
}

int field_known(json_t *object, const char *where, const char *const *keys, const char *prefix,
		struct bpfstamp_err *err)
{
	const json_t *value;
	const char *key;

	json_object_foreach(object, key, value)
		if (!is_one_of(key, keys) && !(prefix && !strncmp(key, prefix, strlen(prefix))))
			return unknown(key, value, where, keys, err);
	return 0;
}

int field_absent(json_t *object, const char *key, struct bpfstamp_err *err)
{
	struct near near = near_to(key, strlen(key));
	char shown[FIELD_SHOWN];
	const json_t *value;
	const char *other;

	err_set(err, CNI_ERROR + CNI_CONFIG, "has no '%s'", field_shown(shown, key));
	json_object_foreach(object, other, value)
		near_consider(&near, other);
	near_suggest(&near, err);
	return -1;
}
