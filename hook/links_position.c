// SPDX-License-Identifier: BSD-2-Clause
/*
 * Before or after which program a new link is to stand.  Whatever it is named
 * by, a pin, an id or a name, it comes to the id of a program that is attached to
 * the hook; with it goes the revision of the hook that was looked at, so that the
 * kernel refuses what has become wrong meanwhile.
 *
 * A pin is what has a slash, an id what has digits only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hook/linkpin.h"
#include "hook/links.h"
#include "loader/err.h"
#include "loader/near.h"

/* The id of the program that a pin is of, or leads to. */
static int program_of_pin(const char *path, uint32_t *id, struct bpfstamp_err *err)
{
	struct linkpin pin;

	if (linkpin_open(path, &pin, err))
		return -1;
	*id = pin.kind == LINKPIN_LINK ? pin.link.program : pin.program;
	linkpin_close(&pin);
	if (pin.kind == LINKPIN_NONE)
		return err_set(err, ENOENT, "there is no pin %s", path);
	if (pin.kind == LINKPIN_OTHER)
		return err_set(err, EINVAL, "the pin %s is neither of a program nor of a link", path);
	return 0;
}

static int program_of_name(const struct links *links, const char *name, uint32_t *id, struct bpfstamp_err *err)
{
	struct near near = near_to(name, strlen(name));
	uint32_t found = 0;

	for (uint32_t i = 0; i < links->count; i++) {
		near_consider(&near, links->list[i].name);
		if (!links_is_named(&links->list[i], name))
			continue;
		*id = links->list[i].id;
		found++;
	}
	if (found == 1)
		return 0;
	if (!found) {
		err_set(err, ENOENT, "no program '%s' is attached there", name);
		near_suggest(&near, err);
		return -1;
	}
	err_set(err, ENOTUNIQ, "%u programs there are called '%s': name one by its id", found, name);
	found = 0;
	for (uint32_t i = 0; i < links->count; i++)
		if (links_is_named(&links->list[i], name))
			links_append(&links->list[i], !found++, err);
	return -1;
}

static int find_relative(const struct links *links, const char *text, uint32_t *id, struct bpfstamp_err *err)
{
	bool is_number = *text && strspn(text, "0123456789") == strlen(text);
	unsigned long long number = strtoull(text, NULL, 10);

	if (strchr(text, '/') ? program_of_pin(text, id, err) :
	    !is_number ? program_of_name(links, text, id, err) : 0)
		return -1;
	if (is_number)
		*id = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
	if (!links_by_program(links, *id))
		return err_set(err, ENOENT, "program %s is not attached there", text);
	return 0;
}

int links_position(const struct mprog_hook *hook, const struct bpfstamp_hook *wanted,
		   struct mprog_position *out, struct bpfstamp_err *err)
{
	struct mprog_position position = { .where = wanted->where };
	struct links links;
	char buf[MPROG_NAME_SIZE];
	int ret;

	if (wanted->where == BPFSTAMP_BEFORE || wanted->where == BPFSTAMP_AFTER) {
		if (!wanted->relative)
			return err_set(err, EINVAL, "%s: before or after what is not said", mprog_name(hook, buf));
		if (links_list(hook, wanted->pin_path, &links, err))
			return -1;
		position.revision = links.revision;
		ret = find_relative(&links, wanted->relative, &position.relative, err);
		links_free(&links);
		if (ret)
			return err_wrap(err, "%s", mprog_name(hook, buf));
	}
	*out = position;
	return 0;
}
