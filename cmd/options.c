// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options: one table, from which getopt's tables, the help of every command and
 * the check that an option goes with a command are made.
 *
 * --expect belongs to the --replace before it.  An option that a command has
 * no use for is a usage error, not ignored.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

enum {	/* commands as bits, in the order of commands[] */
	INSPECT = 1, PATCH = 2, ATTACH = 4, DETACH = 8, SHOW = 16, LOAD = 32, DISASM = 64,
	ALL = 127, VALUES = PATCH | ATTACH | LOAD | DISASM, FILTER = ATTACH | DETACH,
};

enum option_id {
	OPT_SET = 256, OPT_SET_FILE, OPT_REPLACE, OPT_EXPECT, OPT_ALLOW_DERIVED, OPT_ALLOW_UNUSED, OPT_INLINE,
	OPT_OUTPUT, OPT_DEV, OPT_DIRECTION, OPT_PROG, OPT_PRIO, OPT_HANDLE,
	OPT_PROTOCOL, OPT_PIN, OPT_REPIN, OPT_PIN_PATH, OPT_TYPE, OPT_BTF, OPT_FORCE, OPT_NETNS, OPT_DRY_RUN, OPT_JSON, OPT_VERBOSE, OPT_HELP,
};

static const struct definition {
	enum option_id id;
	const char *name;
	char letter;		/* or 0 */
	const char *arg;	/* or NULL */
	unsigned int commands, required;
	const char *help;
} definitions[] = {
	{ OPT_SET, "set", 's', "NAME=VALUE", VALUES, 0, "stamp a global, a STAMP() or a symbol by its name" },
	{ OPT_SET_FILE, "set-file", 0, "FILE", VALUES, 0,
	  "stamp every value of a JSON object, such as inspect --json prints" },
	{ OPT_REPLACE, "replace", 'r', "OLD=NEW", VALUES, 0,
	  "replace a placeholder constant in all instructions that mean it" },
	{ OPT_EXPECT, "expect", 0, "N", VALUES, 0, "fail unless the --replace before it has N sites" },
	{ OPT_ALLOW_DERIVED, "allow-derived", 0, NULL, VALUES, 0,
	  "leave what only may come from OLD as it is, instead of failing" },
	{ OPT_ALLOW_UNUSED, "allow-unused", 0, NULL, VALUES, 0,
	  "pass over values that the object has no use for" },
	{ OPT_INLINE, "inline", 'i', NULL, VALUES | INSPECT, 0,
	  "turn globals into immediates, so that they need no map" },
	{ OPT_OUTPUT, "output", 'o', "OUT", PATCH, PATCH, "the file to write" },
	{ OPT_DEV, "dev", 'd', "DEV", FILTER | SHOW, FILTER, "network interface" },
	{ OPT_DIRECTION, "direction", 0, "egress|ingress", FILTER, 0, "default: egress" },
	{ OPT_PROG, "prog", 'p', "NAME", ATTACH | LOAD | DISASM, 0, "program; default: the only one that fits, or all" },
	{ OPT_PRIO, "prio", 0, "N", FILTER, 0, "priority of the filter, 1 to 65535; default: 1" },
	{ OPT_HANDLE, "handle", 0, "N", FILTER, 0, "handle of the filter, from 1; default: 1" },
	{ OPT_PROTOCOL, "protocol", 0, "all|ip|ipv6|arp|N", FILTER, 0, "EtherType of the filter; default: all" },
	{ OPT_PIN, "pin", 0, "DIR", ATTACH | LOAD, LOAD, "pin programs as DIR/NAME and maps as DIR/maps/NAME" },
	{ OPT_REPIN, "repin", 0, NULL, ATTACH | LOAD, 0, "replace what has these names already" },
	{ OPT_PIN_PATH, "pin-path", 0, "DIR", ATTACH | LOAD, 0,
	  "where maps are that the object wants pinned by name; default: /sys/fs/bpf" },
	{ OPT_TYPE, "type", 0, "TYPE", LOAD, 0, "type of programs whose section tells none, such as sched_cls" },
	{ OPT_BTF, "btf", 0, "FILE", ATTACH | LOAD, 0, "types for CO-RE, instead of the running kernel's" },
	{ OPT_FORCE, "force", 0, NULL, FILTER, 0, "replace or remove a filter that bpfstamp did not make" },
	{ OPT_NETNS, "netns", 'n', "NAME|PATH|PID", FILTER | SHOW, 0, "network namespace of the interface" },
	{ OPT_DRY_RUN, "dry-run", 0, NULL, PATCH | FILTER | LOAD, 0, "say what would be done, and do not do it" },
	{ OPT_JSON, "json", 'j', NULL, ALL, 0, "print one JSON object" },
	{ OPT_VERBOSE, "verbose", 'v', NULL, ALL, 0, "tell of fallbacks, and print the whole verifier log" },
	{ OPT_HELP, "help", 'h', NULL, ALL, 0, "print this help" },
};

enum { DEFINITIONS = sizeof(definitions) / sizeof(definitions[0]) };

static unsigned int command_bit(const struct command *command)
{
	return 1u << (command - commands);
}

/* The synopsis: what must be given, then that there is more. */
static void print_usage(FILE *to, const struct command *command)
{
	fprintf(to, "bpfstamp %s%s", command->name, command->object ? " OBJ" : "");
	for (int i = 0; i < DEFINITIONS; i++)
		if (definitions[i].required & command_bit(command))
			fprintf(to, " --%s %s", definitions[i].name, definitions[i].arg);
	fprintf(to, " [OPTION…]\n");
}

static void print_option(FILE *to, const struct definition *d)
{
	char left[64], letter[8] = "    ";

	if (d->letter)
		snprintf(letter, sizeof(letter), "-%c, ", d->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, d->name, d->arg ? " " : "", d->arg ? d->arg : "");
	fprintf(to, "  %-34s %s\n", left, d->help);
}

void options_help(FILE *to, const struct command *command)
{
	if (command) {
		fprintf(to, "Usage: ");
		print_usage(to, command);
		fprintf(to, "\n%s\n\n", command->summary);
		for (int i = 0; i < DEFINITIONS; i++)
			if (definitions[i].commands & command_bit(command))
				print_option(to, &definitions[i]);
		return;
	}
	fprintf(to, "Usage: bpfstamp COMMAND …\n\nStamp values into compiled BPF programs and attach them to TC.\n\n");
	for (command = commands; command->name; command++)
		fprintf(to, "  %-34s %s\n", command->name, command->summary);
	fprintf(to, "\n  %-34s %s\n  %-34s %s\n", "COMMAND --help", "options of a command", "--version",
		"version of bpfstamp");
}

static int usage(const struct command *command, const char *fmt, const char *a, const char *b)
{
	fprintf(stderr, "bpfstamp %s: ", command->name);
	fprintf(stderr, fmt, a, b);
	fprintf(stderr, "; see bpfstamp %s --help\n", command->name);
	return EXIT_USAGE;
}

static bool parse_uint(const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, !strncmp(text, "0x", 2) ? 16 : 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *out >= min && *out <= max;
}

static bool parse_protocol(const char *text, uint16_t *out)
{
	static const struct { const char *name; uint16_t value; } names[] = {
		{ "all", 0x0003 }, { "ip", 0x0800 }, { "ipv6", 0x86dd }, { "arp", 0x0806 }, { "802.1q", 0x8100 },
	};
	unsigned long n;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i].name)) {
			*out = names[i].value;
			return true;
		}
	}
	if (!parse_uint(text, 1, 0xffff, &n))
		return false;
	*out = (uint16_t)n;
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
	unsigned long n;

	if (!o->assignment_count || o->assignments[o->assignment_count - 1].kind != ASSIGN_REPLACE ||
	    !parse_uint(text, 0, 1000000, &n))
		return false;
	o->assignments[o->assignment_count - 1].expect = (long)n;
	return true;
}

static bool set_direction(struct options *o, const char *text)
{
	o->hook.direction = !strcmp(text, "ingress") ? BPFSTAMP_INGRESS : BPFSTAMP_EGRESS;
	return o->hook.direction == BPFSTAMP_INGRESS || !strcmp(text, "egress");
}

/* Take one option; false where its argument is none. */
static bool take(struct options *o, enum option_id id, const char *arg)
{
	unsigned long n;
	bool ok = true;

	switch (id) {
	case OPT_SET:
	case OPT_SET_FILE:
	case OPT_REPLACE:
		return add_assignment(o, id, arg);
	case OPT_EXPECT:
		return set_expect(o, arg);
	case OPT_ALLOW_UNUSED:
		o->allow_unused = true;
		break;
	case OPT_ALLOW_DERIVED:
		o->allow_derived = true;
		break;
	case OPT_INLINE:
		o->inline_globals = true;
		break;
	case OPT_OUTPUT:
		o->output = arg;
		break;
	case OPT_DEV:
		o->dev = o->hook.dev = arg;
		return *arg;
	case OPT_DIRECTION:
		return set_direction(o, arg);
	case OPT_PROG:
		o->prog = arg;
		break;
	case OPT_PRIO:
		ok = parse_uint(arg, 1, 0xffff, &n);
		o->hook.prio = (uint16_t)n;
		break;
	case OPT_HANDLE:
		ok = parse_uint(arg, 1, UINT32_MAX, &n);
		o->hook.handle = (uint32_t)n;
		break;
	case OPT_PROTOCOL:
		return parse_protocol(arg, &o->hook.protocol);
	case OPT_PIN:
		o->pin = arg;
		return *arg;
	case OPT_REPIN:
		o->repin = true;
		break;
	case OPT_PIN_PATH:
		o->pin_path = arg;
		return *arg;
	case OPT_TYPE:
		return parse_prog_type(arg, &o->prog_type);
	case OPT_BTF:
		o->btf = arg;
		return *arg;
	case OPT_FORCE:
		o->hook.force = true;
		break;
	case OPT_NETNS:
		o->netns = arg;
		return *arg;
	case OPT_DRY_RUN:
		o->dry_run = true;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_VERBOSE:
		o->verbose = true;
		break;
	case OPT_HELP:
		break;
	}
	return ok;
}

/* getopt's tables of the options that go with a command. */
static void make_tables(const struct command *command, struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (int i = 0; i < DEFINITIONS; i++) {
		const struct definition *d = &definitions[i];

		if (!(d->commands & command_bit(command)))
			continue;
		*longs++ = (struct option){ .name = d->name, .has_arg = d->arg ? required_argument : no_argument,
					    .val = (int)d->id };
		if (!d->letter)
			continue;
		*shorts++ = d->letter;
		if (d->arg)
			*shorts++ = ':';
	}
	*longs = (struct option){ 0 };
	*shorts = '\0';
}

static const struct definition *find_definition(int c)
{
	for (int i = 0; i < DEFINITIONS; i++)
		if (c == (int)definitions[i].id || (c == definitions[i].letter && c))
			return &definitions[i];
	return NULL;
}

static int check_given(const struct options *o, const struct command *command, unsigned int given)
{
	for (int i = 0; i < DEFINITIONS; i++)
		if (definitions[i].required & command_bit(command) && !(given & 1u << i))
			return usage(command, "--%s %s is missing", definitions[i].name, definitions[i].arg);
	if (command->object && !o->object)
		return usage(command, "the object file is missing%s%s", "", "");
	return 0;
}

int options_parse(struct options *o, const struct command *command, int argc, char **argv)
{
	struct option longs[DEFINITIONS + 1];
	char shorts[2 * DEFINITIONS + 2];
	unsigned int given = 0;
	int c;

	*o = (struct options){ .hook = { .direction = BPFSTAMP_EGRESS, .prio = 1, .handle = 1, .protocol = 3 } };
	make_tables(command, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct definition *d = find_definition(c);

		if (c == '?')
			return usage(command, "unknown or ambiguous option '%s'%s", argv[optind - 1], "");
		if (c == ':')
			return usage(command, "option --%s wants an argument%s", find_definition(optopt)->name, "");
		if (d->id == OPT_HELP) {
			options_help(stdout, command);
			return -1;
		}
		if (!take(o, d->id, optarg))
			return usage(command, "--%s does not take '%s'", d->name, optarg);
		given |= 1u << (d - definitions);
	}
	if (command->object && optind < argc)
		o->object = argv[optind++];
	if (optind < argc)
		return usage(command, "'%s' is one word too many%s", argv[optind], "");
	return check_given(o, command, given);
}

void options_free(struct options *o)
{
	for (size_t i = 0; i < o->assignment_count; i++)
		free(o->assignments[i].name);
	free(o->assignments);
}
