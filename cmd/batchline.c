// SPDX-License-Identifier: BSD-2-Clause
/*
 * A line of --batch, in one of two forms:
 *
 *     DEV KEY=VALUE…
 *     {"dev": DEV, KEY: VALUE…, "set": {NAME: VALUE…}}
 *
 * Keys are options of attach by their names: netns, prog, direction, prio,
 * handle.  In the first form every other word is a value to stamp; one that is
 * called like a key is to be named section:name there.  A line without words,
 * and one that begins with '#', means nothing.
 *
 * Here only what a line says by itself is looked at: whether it has the form, each
 * thing once, numbers in their range, keys that go with the hook.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/batch.h"
#include "cmd/optargs.h"
#include "cmd/values.h"

static const struct key {
	const char *name;
	enum option_id id;
} keys[] = {
	{ "dev", OPT_DEV }, { "netns", OPT_NETNS }, { "prog", OPT_PROG }, { "direction", OPT_DIRECTION },
	{ "prio", OPT_PRIO }, { "handle", OPT_HANDLE },
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

struct reading {
	struct batch_rows *rows;
	struct batch_row row;
	struct options o;	/* what the command line says, and then the line */
	bool given[KEYS];
};

static const struct key *find_key(const char *name)
{
	for (int i = 0; i < KEYS; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static int take_text(struct reading *r, const struct key *key, const char *text, uint32_t *at,
		     struct bpfstamp_err *err)
{
	if (!*text)
		return bpfstamp_err_set(err, EINVAL, "%s is empty", key->name);
	return batchrows_add_text(r->rows, text, at, err);
}

/* A key whose argument is parsed as on the command line. */
static int take_option(struct reading *r, const struct key *key, const char *text, struct bpfstamp_err *err)
{
	const char *meant;

	if (!optargs_take(&r->o, key->id, text)) {
		meant = optargs_near(key->id, text);
		return bpfstamp_err_set(err, EINVAL, "%s does not take '%s'%s%s%s", key->name, text,
					meant ? " (did you mean '" : "", meant ? meant : "", meant ? "'?)" : "");
	}
	if (!options_fit(&r->o, (int)key->id))
		return bpfstamp_err_set(err, EINVAL, "%s %s does not go with %s", key->name, text,
					r->o.hook.existing == BPFSTAMP_APPEND && key->id != OPT_DIRECTION ?
					"--append" : optargs_hook_name(r->o.hook.type));
	return 0;
}

static int take_key(struct reading *r, const struct key *key, const char *text, struct bpfstamp_err *err)
{
	if (r->given[key - keys])
		return bpfstamp_err_set(err, EINVAL, "%s is given twice", key->name);
	r->given[key - keys] = true;
	switch (key->id) {
	case OPT_DEV:
		return take_text(r, key, text, &r->row.dev, err);
	case OPT_NETNS:
		return take_text(r, key, text, &r->row.netns, err);
	case OPT_PROG:
		return take_text(r, key, text, &r->row.prog, err);
	default:
		return take_option(r, key, text, err);
	}
}

/* ------------------------------------------------------------------- words */

static int take_word(struct reading *r, char *word, struct bpfstamp_err *err)
{
	char *equals = strchr(word, '=');
	const struct key *key;

	if (!equals || equals == word)
		return bpfstamp_err_set(err, EINVAL, "'%s' is no NAME=VALUE", word);
	*equals = '\0';
	key = find_key(word);
	return key ? take_key(r, key, equals + 1, err) : batchrows_add_value(r->rows, &r->row, word, equals + 1, err);
}

static int read_words(struct reading *r, char *line, struct bpfstamp_err *err)
{
	char *rest, *word = strtok_r(line, " \t", &rest);

	if (strchr(word, '='))
		return bpfstamp_err_set(err, EINVAL, "the first word has to be the interface, and is '%s'", word);
	if (take_key(r, &keys[0], word, err))
		return -1;
	while ((word = strtok_r(NULL, " \t", &rest)))
		if (take_word(r, word, err))
			return -1;
	return 0;
}

/* -------------------------------------------------------------------- JSON */

static int take_json_value(const char *path, const char *text, void *arg, struct bpfstamp_err *err)
{
	struct reading *r = arg;

	return batchrows_add_value(r->rows, &r->row, path, text, err);
}

static int take_member(struct reading *r, const char *name, const json_t *value, struct bpfstamp_err *err)
{
	const struct key *key = find_key(name);
	bool word = key && (key->id == OPT_DEV || key->id == OPT_PROG || key->id == OPT_DIRECTION);
	char number[32];

	if (!strcmp(name, "set") && json_is_object(value))
		return values_each(value, "set", take_json_value, r, err);
	if (!strcmp(name, "set"))
		return bpfstamp_err_set(err, EINVAL, "\"set\" is no object of names and values");
	if (!key)
		return bpfstamp_err_set(err, EINVAL, "there is no key '%s'; values to stamp go into \"set\"", name);
	if (json_is_string(value))
		return take_key(r, key, json_string_value(value), err);
	if (word || !json_is_integer(value))
		return bpfstamp_err_set(err, EINVAL, "%s is not a string%s", name, word ? "" : " or an integer");
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return take_key(r, key, number, err);
}

static int read_json(struct reading *r, const char *line, struct bpfstamp_err *err)
{
	json_error_t error;
	json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, &error), *value;
	const char *name;
	int ret = 0;

	if (!root)
		return bpfstamp_err_set(err, EINVAL, "%s at character %d", error.text, error.column);
	json_object_foreach(root, name, value) {
		ret = take_member(r, name, value, err);
		if (ret)
			break;
	}
	json_decref(root);
	return ret;
}

int batchline_read(struct batch_rows *rows, char *line, uint32_t number, struct bpfstamp_err *err)
{
	struct reading r = {
		.rows = rows, .o = *rows->o, .row = { .line = number, .value_first = (uint32_t)rows->value_count },
	};

	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return 0;
	if (*line == '{' ? read_json(&r, line, err) : read_words(&r, line, err))
		return -1;
	if (!r.row.dev)
		return bpfstamp_err_set(err, EINVAL, "dev is missing");
	r.row.direction = (uint8_t)r.o.hook.direction;
	r.row.prio = r.o.hook.prio;
	r.row.handle = r.o.hook.handle;
	return batchrows_add(rows, &r.row, err);
}
