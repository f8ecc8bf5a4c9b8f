// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arguments of options: numbers with their ranges, words of short lists,
 * and NAME=VALUE.  Nothing is decided here that depends on two options at once,
 * but for --expect, which belongs to the --replace before it; which options go
 * together, and with which command, is the table's to say (cmd/options.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/near.h"
#include "cmd/optargs.h"

struct word {
	const char *name;
	uint32_t value;
};

static const struct word hooks[] = {
	{ "clsact", BPFSTAMP_CLSACT }, { "tcx", BPFSTAMP_TCX }, { "netkit", BPFSTAMP_NETKIT },
	{ "xdp", BPFSTAMP_XDP }, { "auto", BPFSTAMP_AUTO }, { 0 },
};

static const struct word directions[] = {
	{ "egress", BPFSTAMP_EGRESS }, { "ingress", BPFSTAMP_INGRESS }, { "primary", BPFSTAMP_PRIMARY },
	{ "peer", BPFSTAMP_PEER }, { 0 },
};

static const struct word protocols[] = {
	{ "all", 0x0003 }, { "ip", 0x0800 }, { "ipv6", 0x86dd }, { "arp", 0x0806 }, { "802.1q", 0x8100 }, { 0 },
};

static const struct word xdp_modes[] = {
	{ "any", BPFSTAMP_XDP_ANY }, { "generic", BPFSTAMP_XDP_GENERIC }, { "native", BPFSTAMP_XDP_NATIVE },
	{ "offload", BPFSTAMP_XDP_OFFLOAD }, { 0 },
};

static const struct word *words_of(enum option_id id)
{
	switch (id) {
	case OPT_HOOK:
		return hooks;
	case OPT_DIRECTION:
		return directions;
	case OPT_PROTOCOL:
		return protocols;
	case OPT_XDP_MODE:
		return xdp_modes;
	default:
		return NULL;
	}
}

static const char *name_of(const struct word *words, uint32_t value)
{
	while (words->name && words->value != value)
		words++;
	return words->name;
}

const char *optargs_hook_name(enum bpfstamp_hook_type type)
{
	return name_of(hooks, type);
}

const char *optargs_direction_name(enum bpfstamp_direction direction)
{
	return name_of(directions, direction);
}

const char *optargs_xdp_mode_name(enum bpfstamp_xdp_mode mode)
{
	return name_of(xdp_modes, mode);
}

const char *optargs_near(enum option_id id, const char *arg)
{
	const char *names[64] = { NULL };
	const struct word *words = words_of(id);

	for (uint32_t i = 0; i < 63; i++) {
		names[i] = words ? words[i].name : id == OPT_TYPE ? bpfstamp_prog_type_name(i + 1) : NULL;
		if (!names[i])
			break;
	}
	return near_word(arg, names);
}

static bool parse_word(enum option_id id, const char *text, uint32_t *out)
{
	for (const struct word *w = words_of(id); w->name; w++) {
		if (!strcmp(text, w->name)) {
			*out = w->value;
			return true;
		}
	}
	return false;
}

static bool parse_uint(const char *text, unsigned long min, unsigned long max, uint32_t *out)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, !strncmp(text, "0x", 2) ? 16 : 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* A program type as bpftool calls it. */
static bool parse_prog_type(const char *text, uint32_t *out)
{
	for (uint32_t type = 1; bpfstamp_prog_type_name(type); type++) {
		if (!strcmp(text, bpfstamp_prog_type_name(type))) {
			*out = type;
			return true;
		}
	}
	return false;
}

static bool add_assignment(struct options *o, enum option_id id, const char *text)
{
	struct assignment *more = realloc(o->assignments, (o->assignment_count + 1) * sizeof(*more));
	struct assignment new = { .kind = id == OPT_REPLACE ? ASSIGN_REPLACE : ASSIGN_SET, .expect = -1 };
	const char *equals = strchr(text, '=');

	if (!more)
		return false;
	o->assignments = more;
	if (id == OPT_SET_FILE) {
		new.kind = ASSIGN_FILE;
		new.name = strdup(text);
	} else if (equals && equals > text) {
		new.name = strndup(text, (size_t)(equals - text));
		new.value = equals + 1;
	}
	if (!new.name)
		return false;
	more[o->assignment_count++] = new;
	return true;
}

static bool set_expect(struct options *o, const char *text)
{
	uint32_t n;

	if (!o->assignment_count || o->assignments[o->assignment_count - 1].kind != ASSIGN_REPLACE ||
	    !parse_uint(text, 0, 1000000, &n))
		return false;
	o->assignments[o->assignment_count - 1].expect = (long)n;
	return true;
}

static bool set_text(const char **to, const char *arg)
{
	*to = arg;
	return *arg;
}

static bool set_where(struct bpfstamp_hook *hook, enum bpfstamp_where where, const char *relative)
{
	hook->where = where;
	hook->relative = relative;
	return !relative || *relative;
}

/* Options that have no argument; false where id is none of them. */
static bool take_flag(struct options *o, enum option_id id)
{
	switch (id) {
	case OPT_ALLOW_UNUSED:
		return o->allow_unused = true;
	case OPT_ALLOW_DERIVED:
		return o->allow_derived = true;
	case OPT_INLINE:
		return o->inline_globals = true;
	case OPT_REPIN:
		return o->repin = true;
	case OPT_NO_RECORD:
		return o->no_record = true;
	case OPT_DEBUG_INFO:
		return true;
	case OPT_NO_DEBUG_INFO:
		return o->no_debug_info = true;
	case OPT_DEFUNCT:
		return o->defunct = true;
	case OPT_CLSACT:
		return o->clsact = true;
	case OPT_ALL_NETNS:
		return o->all_netns = true;
	case OPT_KEEP_GOING:
		return o->keep_going = true;
	case OPT_NO_REUSE:
		return o->no_reuse = true;
	case OPT_STATS:
		return o->stats = true;
	case OPT_DRY_RUN:
		return o->dry_run = true;
	case OPT_JSON:
		return o->json = true;
	case OPT_VERBOSE:
		return o->verbose = true;
	case OPT_FORCE:
		return o->hook.force = true;
	case OPT_SKIP_SW:
		return o->hook.skip_sw = true;
	case OPT_SKIP_HW:
		return o->hook.skip_hw = true;
	case OPT_TCX:
		o->hook.type = BPFSTAMP_TCX;
		return true;
	case OPT_IF_ABSENT:
		o->hook.existing = BPFSTAMP_KEEP;
		return true;
	case OPT_APPEND:
		o->hook.existing = BPFSTAMP_APPEND;
		return true;
	case OPT_FIRST:
		return set_where(&o->hook, BPFSTAMP_FIRST, NULL);
	case OPT_LAST:
		return set_where(&o->hook, BPFSTAMP_LAST, NULL);
	default:
		return false;
	}
}

static bool take_number(struct bpfstamp_hook *hook, enum option_id id, const char *arg)
{
	uint32_t n = 0;

	switch (id) {
	case OPT_PRIO:
		if (!parse_uint(arg, 1, UINT16_MAX, &n))
			return false;
		hook->prio = (uint16_t)n;
		return true;
	case OPT_PROTOCOL:
		if (!parse_word(id, arg, &n) && !parse_uint(arg, 1, UINT16_MAX, &n))
			return false;
		hook->protocol = (uint16_t)n;
		return true;
	case OPT_HANDLE:
		return parse_uint(arg, 1, UINT32_MAX, &hook->handle);
	case OPT_CHAIN:
		return parse_uint(arg, 0, 0x0fffffff, &hook->chain);
	case OPT_BLOCK:
		return parse_uint(arg, 1, UINT32_MAX, &hook->block);
	default:
		return parse_uint(arg, 1, UINT32_MAX, &hook->id);
	}
}

static bool take_word(struct bpfstamp_hook *hook, enum option_id id, const char *arg)
{
	uint32_t value;

	if (!parse_word(id, arg, &value))
		return false;
	if (id == OPT_HOOK)
		hook->type = (enum bpfstamp_hook_type)value;
	else if (id == OPT_DIRECTION)
		hook->direction = (enum bpfstamp_direction)value;
	else
		hook->xdp_mode = (enum bpfstamp_xdp_mode)value;
	return true;
}

bool optargs_take(struct options *o, enum option_id id, const char *arg)
{
	switch (id) {
	case OPT_SET:
	case OPT_SET_FILE:
	case OPT_REPLACE:
		return add_assignment(o, id, arg);
	case OPT_EXPECT:
		return set_expect(o, arg);
	case OPT_OUTPUT:
		o->output = arg;
		return true;
	case OPT_PROG:
		return set_text(&o->prog, arg);
	case OPT_DEV:
		return set_text(&o->hook.dev, arg);
	case OPT_HOOK:
	case OPT_DIRECTION:
	case OPT_XDP_MODE:
		return take_word(&o->hook, id, arg);
	case OPT_BEFORE:
		return set_where(&o->hook, BPFSTAMP_BEFORE, arg);
	case OPT_AFTER:
		return set_where(&o->hook, BPFSTAMP_AFTER, arg);
	case OPT_PIN:
		return set_text(&o->pin, arg);
	case OPT_PIN_PATH:
		o->hook.pin_path = arg;
		return set_text(&o->pin_path, arg);
	case OPT_LINK_PIN:
		return set_text(&o->hook.pin, arg);
	case OPT_BATCH:
		return set_text(&o->batch, arg);
	case OPT_JOBS:
		return parse_uint(arg, 1, OPTARGS_JOBS_MOST, &o->jobs);
	case OPT_TYPE:
		return parse_prog_type(arg, &o->prog_type);
	case OPT_BTF:
		return set_text(&o->btf, arg);
	case OPT_OBJECT:
		return set_text(&o->source, arg);
	case OPT_NETNS:
		return set_text(&o->netns, arg);
	case OPT_NETWORK:
	case OPT_ADD:
	case OPT_REMOVE:
	case OPT_MAC:
	case OPT_NODE:
		return podargs_take(&o->pod, id, arg);
	default:
		return arg ? take_number(&o->hook, id, arg) : take_flag(o, id);
	}
}
