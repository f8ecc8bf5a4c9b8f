// SPDX-License-Identifier: BSD-2-Clause
/*
 * Texts with ${NAME} in them.  A text is copied; each ${NAME} is looked up
 * (values_find.c), and where there is no such thing, or it is empty, the text
 * behind ":-" stands in, which may have ${NAME} in it again.
 *
 * What is put in is never looked at again: much of it comes from whoever starts
 * the pod, and a ${NAME} in that is just text.  The result, and everything on the way,
 * fits VALUE_SIZE bytes or is refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/field.h"
#include "cni/values.h"
#include "loader/err.h"

enum { NAME_SIZE = 256, DEPTH_MAX = 8 };

struct output {
	char *buf;	/* VALUE_SIZE bytes */
	size_t used;
};

static int append(struct output *out, const char *text, size_t len, struct bpfstamp_err *err)
{
	if (len >= VALUE_SIZE - out->used)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "the value has more than %d bytes", VALUE_SIZE - 1);
	memcpy(out->buf + out->used, text, len);
	out->used += len;
	out->buf[out->used] = '\0';
	return 0;
}

/* The brace that closes the one before text, or NULL. */
static const char *closing(const char *text, const char *end)
{
	for (unsigned int depth = 1; text < end; text++) {
		if (*text == '$' && text + 1 < end && (text[1] == '$' || text[1] == '{')) {
			depth += text[1] == '{';
			text++;
		} else if (*text == '}' && !--depth) {
			return text;
		}
	}
	return NULL;
}

/* Where ":-" stands, or end. */
static const char *fallback(const char *text, const char *end)
{
	while (text < end && !(*text == ':' && text + 1 < end && text[1] == '-'))
		text++;
	return text;
}

static int expand(struct output *out, const struct values *v, const char *text, const char *end, unsigned int depth,
		  struct bpfstamp_err *err);

/* What stands between the braces. */
static int expand_name(struct output *out, const struct values *v, const char *text, const char *end,
		       unsigned int depth, struct bpfstamp_err *err)
{
	const char *otherwise = fallback(text, end);
	char name[NAME_SIZE], shown[FIELD_SHOWN], value[VALUE_SIZE] = "";
	size_t len = (size_t)(otherwise - text);
	enum value_found found;

	if (len >= sizeof(name) || memchr(text, '$', len) || memchr(text, '{', len))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "a name between braces is too long, or has '$' or '{' "
			       "in it");
	memcpy(name, text, len);
	name[len] = '\0';
	field_shown(shown, name);
	found = values_find(v, name, value, err);
	if (otherwise < end && (found == VALUE_MISSING || (found == VALUE_FOUND && !*value)))
		return expand(out, v, otherwise + 2, end, depth + 1, err);
	if (found != VALUE_FOUND)
		return err_wrap(err, "${%s}", shown);
	return append(out, value, strlen(value), err);
}

static int expand(struct output *out, const struct values *v, const char *text, const char *end, unsigned int depth,
		  struct bpfstamp_err *err)
{
	if (depth > DEPTH_MAX)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "${NAME} stands in more than %d others", DEPTH_MAX);
	for (const char *dollar; (dollar = memchr(text, '$', (size_t)(end - text))); text++) {
		if (append(out, text, (size_t)(dollar - text), err))
			return -1;
		text = dollar + 1;
		if (text < end && *text == '$') {
			if (append(out, "$", 1, err))
				return -1;
			continue;
		}
		if (text == end || *text != '{' || !(dollar = closing(text + 1, end)))
			return err_set(err, CNI_ERROR + CNI_CONFIG, "a '$' begins ${NAME} or is written $$");
		if (expand_name(out, v, text + 1, dollar, depth, err))
			return -1;
		text = dollar;
	}
	return append(out, text, (size_t)(end - text), err);
}

int values_scalar(const json_t *value, char *buf, struct bpfstamp_err *err)
{
	if (json_is_string(value) && json_string_length(value) < VALUE_SIZE)
		strcpy(buf, json_string_value(value));
	else if (json_is_string(value))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "has more than %d bytes", VALUE_SIZE - 1);
	else if (json_is_boolean(value))
		strcpy(buf, json_is_true(value) ? "true" : "false");
	else if (json_is_integer(value))
		snprintf(buf, VALUE_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		return err_set(err, CNI_ERROR + CNI_CONFIG, "is no text, whole number or boolean");
	return 0;
}

int values_expand(const struct values *v, const json_t *from, const char *what, char *buf, struct bpfstamp_err *err)
{
	char value[VALUE_SIZE] = "";
	struct output out = { .buf = value };
	const char *text = json_string_value(from);
	int ret;

	if (text)
		ret = expand(&out, v, text, text + strlen(text), 0, err);
	else
		ret = values_scalar(from, value, err);
	if (ret)
		return err_wrap(err, "%s", what);
	memcpy(buf, value, strlen(value) + 1);
	return 0;
}

int values_number(const struct values *v, const json_t *from, const char *what, uint32_t low, uint32_t high,
		  uint32_t *out, struct bpfstamp_err *err)
{
	char text[VALUE_SIZE], shown[FIELD_SHOWN], *end;
	unsigned long long n;

	if (values_expand(v, from, what, text, err))
		return -1;
	errno = 0;
	n = strtoull(text, &end, !strncmp(text, "0x", 2) ? 16 : 10);
	if (*text < '0' || *text > '9' || *end || errno || n < low || n > high)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%s: '%s' is no number from %u to %u", what,
			       field_shown(shown, text), low, high);
	*out = (uint32_t)n;
	return 0;
}

int values_network(const struct values *v, uint32_t *out, struct bpfstamp_err *err)
{
	const struct cni_config *c = v->config;
	uint32_t id;

	if (values_number(v, c->vlan ? c->vlan : c->vni, c->vlan ? "pods.vlan" : "pods.vni", 0, UINT32_MAX, &id, err))
		return -1;
	return config_network(c, id, out, err);
}
