// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options: one table, from which getopt's tables, the help of every command and
 * the check that an option goes with a command are made.
 *
 * An option that a command has no use for is a usage error, not ignored; so is
 * one that says nothing about the kind of hook that was chosen, or that another
 * option excludes.  With --hook auto only what is harmless at either hook is
 * allowed: a filter of IPv4 that became a link would see every packet.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/near.h"
#include "cmd/optargs.h"

enum {	/* commands as bits, in the order of commands[] */
	INSPECT = 1, PATCH = 2, ATTACH = 4, DETACH = 8, SHOW = 16, SET = 32, VERIFY = 64, LOAD = 128, DISASM = 256,
	PODS = 512, ALL = 1023,
	VALUES = PATCH | ATTACH | VERIFY | LOAD | DISASM, PLACE = ATTACH | DETACH | SET | VERIFY,
	LOADING = ATTACH | SET | VERIFY | LOAD,
};

enum {	/* hooks as bits, by enum bpfstamp_hook_type */
	CLSACT = 1 << BPFSTAMP_CLSACT, TCX = 1 << BPFSTAMP_TCX, NETKIT = 1 << BPFSTAMP_NETKIT,
	XDP = 1 << BPFSTAMP_XDP, AUTO = 1 << BPFSTAMP_AUTO, LINKS = TCX | NETKIT | AUTO,
	DEFUNCT = 1 << (BPFSTAMP_AUTO + 1),	/* --defunct: no hook at all */
};

static const struct definition {
	enum option_id id;
	const char *name;
	char letter;		/* or 0 */
	const char *arg;	/* or NULL */
	unsigned int commands, required;
	unsigned int hooks;	/* that it goes with; 0: with any, and where there is none */
	const char *help;
} definitions[] = {
	{ OPT_SET, "set", 's', "NAME=VALUE", VALUES, 0, 0, "stamp a global, a STAMP() or a symbol by its name" },
	{ OPT_SET_FILE, "set-file", 0, "FILE", VALUES, 0, 0,
	  "stamp every value of a JSON object, such as inspect --json prints" },
	{ OPT_REPLACE, "replace", 'r', "OLD=NEW", VALUES, 0, 0,
	  "replace a placeholder constant in all instructions that mean it" },
	{ OPT_EXPECT, "expect", 0, "N", VALUES, 0, 0, "fail unless the --replace before it has N sites" },
	{ OPT_ALLOW_DERIVED, "allow-derived", 0, NULL, VALUES | SET, 0, 0,
	  "leave what only may come from OLD as it is, instead of failing" },
	{ OPT_ALLOW_UNUSED, "allow-unused", 0, NULL, VALUES, 0, 0,
	  "pass over values that the object has no use for" },
	{ OPT_INLINE, "inline", 'i', NULL, VALUES | INSPECT, 0, 0,
	  "turn globals into immediates, so that they need no map" },
	{ OPT_OUTPUT, "output", 'o', "OUT", PATCH, PATCH, 0, "the file to write" },
	{ OPT_NETWORK, "network", 0, "NETWORK", PODS, 0, 0, "a VNI, vlan:ID or vlan-ad:ID" },
	{ OPT_ADD, "add", 0, "ADDRESS", PODS, 0, 0, "add an address of a pod" },
	{ OPT_REMOVE, "remove", 0, "ADDRESS", PODS, 0, 0, "remove an address" },
	{ OPT_MAC, "mac", 0, "MAC", PODS, 0, 0, "MAC address of the pod" },
	{ OPT_NODE, "node", 0, "ADDRESS", PODS, 0, 0, "address of the node where the pod is, by VXLAN" },
	{ OPT_DEV, "dev", 'd', "DEV", PLACE | SHOW | PODS, PLACE, 0, "network interface" },
	{ OPT_BATCH, "batch", 0, "FILE", ATTACH, 0, 0,
	  "attach to the interface of each line of a file, or of standard input (-)" },
	{ OPT_JOBS, "jobs", 0, "N", ATTACH, 0, 0, "of --batch: so many at once; default: one for each CPU" },
	{ OPT_KEEP_GOING, "keep-going", 0, NULL, ATTACH, 0, 0, "of --batch: go on after a line that failed" },
	{ OPT_NO_REUSE, "no-reuse", 0, NULL, ATTACH, 0, 0,
	  "load a program of its own, even where an equal one runs already" },
	{ OPT_BLOCK, "block", 0, "N", PLACE | SHOW, 0, CLSACT, "a shared block of clsact, instead of an interface" },
	{ OPT_HOOK, "hook", 0, "HOOK", PLACE, 0, 0,
	  "clsact (the default), tcx, netkit, xdp or auto (tcx or else clsact)" },
	{ OPT_TCX, "tcx", 0, NULL, PLACE, 0, 0, "the same as --hook tcx" },
	{ OPT_DIRECTION, "direction", 0, "DIRECTION", PLACE, 0, 0,
	  "egress (the default) or ingress; of netkit primary (the default) or peer" },
	{ OPT_PROG, "prog", 'p', "NAME", PLACE | LOAD | DISASM, 0, 0,
	  "program; default: the only one that fits, or all" },
	{ OPT_ID, "id", 0, "N", DETACH | SET, 0, 0, "only if the program has that id" },
	{ OPT_IF_ABSENT, "if-absent", 0, NULL, ATTACH, 0, 0, "do nothing where bpfstamp has attached there already" },
	{ OPT_APPEND, "append", 0, NULL, ATTACH, 0, CLSACT | LINKS, "behind what is there, instead of replacing it" },
	{ OPT_PRIO, "prio", 0, "N", PLACE, 0, CLSACT | AUTO, "priority of the filter, 1 to 65535; default: 1" },
	{ OPT_HANDLE, "handle", 0, "N", PLACE, 0, CLSACT | AUTO, "handle of the filter, from 1; default: 1" },
	{ OPT_PROTOCOL, "protocol", 0, "all|ip|ipv6|arp|N", PLACE, 0, CLSACT,
	  "EtherType of the filter; default: all" },
	{ OPT_CHAIN, "chain", 0, "N", PLACE, 0, CLSACT, "chain of the filter; default: 0" },
	{ OPT_SKIP_SW, "skip-sw", 0, NULL, ATTACH, 0, CLSACT, "run the filter in hardware only" },
	{ OPT_SKIP_HW, "skip-hw", 0, NULL, ATTACH, 0, CLSACT, "do not run the filter in hardware" },
	{ OPT_FIRST, "first", 0, NULL, ATTACH, 0, LINKS, "in front of all other links" },
	{ OPT_LAST, "last", 0, NULL, ATTACH, 0, LINKS, "behind all other links; the default" },
	{ OPT_BEFORE, "before", 0, "PROG|LINK", ATTACH, 0, LINKS,
	  "in front of a program or link: its id, name or pin" },
	{ OPT_AFTER, "after", 0, "PROG|LINK", ATTACH, 0, LINKS, "behind a program or link: its id, name or pin" },
	{ OPT_LINK_PIN, "link-pin", 0, "PATH", PLACE, 0, LINKS | XDP | DEFUNCT,
	  "pin of the link; default: a name of its own below --pin-path" },
	{ OPT_XDP_MODE, "xdp-mode", 0, "MODE", PLACE, 0, XDP, "any (the default), generic, native or offload" },
	{ OPT_CLSACT, "clsact", 0, NULL, DETACH, 0, CLSACT | AUTO,
	  "remove the clsact qdisc, too, where nothing is on it" },
	{ OPT_DEFUNCT, "defunct", 0, NULL, DETACH, 0, DEFUNCT,
	  "remove all links whose interface is gone, or the one of --link-pin" },
	{ OPT_PIN, "pin", 0, "DIR", ATTACH | LOAD, LOAD, 0, "pin programs as DIR/NAME and maps as DIR/maps/NAME" },
	{ OPT_REPIN, "repin", 0, NULL, ATTACH | LOAD, 0, 0, "replace what has these names already" },
	{ OPT_PIN_PATH, "pin-path", 0, "DIR", PLACE | SHOW | LOAD | PODS, 0, 0,
	  "bpffs of links, and of maps pinned by name; default: /sys/fs/bpf" },
	{ OPT_NO_RECORD, "no-record", 0, NULL, ATTACH | SET, 0, 0, "leave no record of the values in the kernel" },
	{ OPT_DEBUG_INFO, "debug-info", 0, NULL, LOADING, 0, 0,
	  "give the kernel the object's BTF, function and line records; the default" },
	{ OPT_NO_DEBUG_INFO, "no-debug-info", 0, NULL, LOADING, 0, 0,
	  "leave them out where the program needs none: show and dumps tell less" },
	{ OPT_TYPE, "type", 0, "TYPE", LOAD, 0, 0, "type of programs whose section tells none, such as sched_cls" },
	{ OPT_BTF, "btf", 0, "FILE", LOADING, 0, 0,
	  "types for CO-RE, instead of the running kernel's" },
	{ OPT_OBJECT, "object", 0, "OBJ", SET, 0, 0, "stamp this anew where the value cannot be changed in place" },
	{ OPT_FORCE, "force", 0, NULL, PLACE | PODS, 0, 0,
	  "touch what bpfstamp did not attach; overwrite the entry of another pod" },
	{ OPT_NETNS, "netns", 'n', "NAME|PATH|PID", PLACE | SHOW | PODS, 0, 0, "network namespace of the interface" },
	{ OPT_ALL_NETNS, "all-netns", 0, NULL, SHOW, 0, 0, "this network namespace and each that has a name" },
	{ OPT_STATS, "stats", 0, NULL, SHOW, 0, 0,
	  "with what the VPC programs counted at each interface" },
	{ OPT_DRY_RUN, "dry-run", 0, NULL, PATCH | ATTACH | DETACH | SET | LOAD | PODS, 0, 0,
	  "say what would be done, and do not do it" },
	{ OPT_JSON, "json", 'j', NULL, ALL, 0, 0, "print one JSON object" },
	{ OPT_VERBOSE, "verbose", 'v', NULL, ALL, 0, 0, "tell more: fallbacks, the whole verifier log, every value" },
	{ OPT_HELP, "help", 'h', NULL, ALL, 0, 0, "print this help" },
};

enum { DEFINITIONS = sizeof(definitions) / sizeof(definitions[0]) };

/* Of the options in a row only one may be given. */
static const enum option_id exclusive[][4] = {
	{ OPT_DEV, OPT_BLOCK, OPT_DEFUNCT, OPT_BATCH }, { OPT_CLSACT, OPT_BLOCK }, { OPT_HOOK, OPT_TCX, OPT_DEFUNCT },
	{ OPT_DIRECTION, OPT_DEFUNCT }, { OPT_PROG, OPT_DEFUNCT }, { OPT_ID, OPT_DEFUNCT },
	{ OPT_FORCE, OPT_DEFUNCT }, { OPT_NETNS, OPT_DEFUNCT }, { OPT_IF_ABSENT, OPT_APPEND },
	{ OPT_FIRST, OPT_LAST, OPT_BEFORE, OPT_AFTER }, { OPT_APPEND, OPT_PRIO }, { OPT_APPEND, OPT_HANDLE },
	{ OPT_SKIP_SW, OPT_SKIP_HW }, { OPT_NETNS, OPT_ALL_NETNS },
	{ OPT_STATS, OPT_ALL_NETNS }, { OPT_DEBUG_INFO, OPT_NO_DEBUG_INFO },
	{ OPT_STATS, OPT_BLOCK }, { OPT_ADD, OPT_REMOVE }, { OPT_DEV, OPT_NODE },
	{ OPT_BATCH, OPT_PIN }, { OPT_BATCH, OPT_LINK_PIN }, { OPT_BATCH, OPT_SKIP_SW },
};

/* Of these commands, an option that wants one of those behind it. */
static const struct {
	unsigned int commands;
	enum option_id id, any[2];
} wanting[] = {
	{ ALL, OPT_REPIN, { OPT_PIN } }, { PODS, OPT_ADD, { OPT_NETWORK } }, { PODS, OPT_REMOVE, { OPT_NETWORK } },
	{ PODS, OPT_ADD, { OPT_MAC, OPT_NODE } }, { PODS, OPT_MAC, { OPT_ADD } }, { PODS, OPT_NODE, { OPT_ADD } },
	{ PODS, OPT_FORCE, { OPT_ADD } }, { PODS, OPT_DRY_RUN, { OPT_ADD, OPT_REMOVE } },
	{ ATTACH, OPT_JOBS, { OPT_BATCH } }, { ATTACH, OPT_KEEP_GOING, { OPT_BATCH } },
};

static unsigned int command_bit(const struct command *command)
{
	return 1u << (command - commands);
}

static const struct definition *find_definition(int c)
{
	for (int i = 0; i < DEFINITIONS; i++)
		if (c == (int)definitions[i].id || (c == definitions[i].letter && c))
			return &definitions[i];
	return NULL;
}

/* ------------------------------------------------------------------ help */

/* The synopsis: what must be given, then that there is more. */
static void print_usage(FILE *to, const struct command *command)
{
	fprintf(to, "bpfstamp %s%s", command->name, command->object ? " OBJ" : "");
	for (int i = 0; i < DEFINITIONS; i++)
		if (definitions[i].required & command_bit(command))
			fprintf(to, " --%s %s", definitions[i].name, definitions[i].arg);
	fprintf(to, "%s [OPTION…]\n", command->values ? " NAME=VALUE…" : "");
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
	fprintf(to, "Usage: bpfstamp COMMAND …\n\nStamp values into compiled BPF programs and attach them.\n\n");
	for (command = commands; command->name; command++)
		fprintf(to, "  %-34s %s\n", command->name, command->summary);
	fprintf(to, "\n  %-34s %s\n  %-34s %s\n", "COMMAND --help", "options of a command", "--version",
		"version of bpfstamp");
}

/* ----------------------------------------------------------------- usage */

__attribute__((format(printf, 2, 3)))
static int usage(const struct command *command, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "bpfstamp %s: ", command->name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "; see bpfstamp %s --help\n", command->name);
	return EXIT_USAGE;
}

static int bad_argument(const struct command *command, const struct definition *d, const char *arg)
{
	const char *meant = optargs_near(d->id, arg), *wanted = podargs_wanted(d->id);

	if (wanted)
		return usage(command, "--%s does not take '%s', but %s", d->name, arg, wanted);
	if (meant)
		return usage(command, "--%s does not take '%s' (did you mean '%s'?)", d->name, arg, meant);
	return usage(command, "--%s does not take '%s'", d->name, arg);
}

/* What getopt did not know: a letter (optopt), a word, or a word with an argument that it does not take. */
static int unknown_option(const struct command *command, const char *word)
{
	const char *names[DEFINITIONS + 1], *meant;
	char name[64];
	int n = 0;

	if (optopt >= OPT_SET)
		return usage(command, "option --%s takes no argument", find_definition(optopt)->name);
	if (optopt)
		return usage(command, "unknown or ambiguous option '-%c'", optopt);
	for (int i = 0; i < DEFINITIONS; i++)
		if (definitions[i].commands & command_bit(command))
			names[n++] = definitions[i].name;
	names[n] = NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	meant = near_word(name, names);
	if (meant)
		return usage(command, "unknown or ambiguous option '%s' (did you mean --%s?)", word, meant);
	return usage(command, "unknown or ambiguous option '%s'", word);
}

/* ----------------------------------------------------------------- parse */

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

/* By id less OPT_SET, whether an option was given. */
typedef bool given_t[OPT_HELP - OPT_SET + 1];

static int check_exclusive(const struct command *command, const given_t given)
{
	for (size_t row = 0; row < sizeof(exclusive) / sizeof(exclusive[0]); row++) {
		const struct definition *first = NULL;

		for (size_t i = 0; i < 4 && exclusive[row][i]; i++) {
			if (!given[exclusive[row][i] - OPT_SET])
				continue;
			if (first)
				return usage(command, "--%s and --%s exclude each other", first->name,
					     find_definition((int)exclusive[row][i])->name);
			first = find_definition((int)exclusive[row][i]);
		}
	}
	return 0;
}

static int check_wanting(const struct command *command, const given_t given)
{
	for (size_t i = 0; i < sizeof(wanting) / sizeof(wanting[0]); i++) {
		enum option_id one = wanting[i].any[0], other = wanting[i].any[1];

		if (!(wanting[i].commands & command_bit(command)) || !given[wanting[i].id - OPT_SET] ||
		    given[one - OPT_SET] || (other && given[other - OPT_SET]))
			continue;
		return usage(command, "--%s wants --%s%s%s", find_definition((int)wanting[i].id)->name,
			     find_definition((int)one)->name, other ? " or --" : "",
			     other ? find_definition((int)other)->name : "");
	}
	return 0;
}

/* Where a pod may be depends on what carries its network. */
static int check_pod(const struct options *o, const struct command *command, const given_t given)
{
	bool vlan = o->pod.network & (BPFSTAMP_VPC_VLAN | BPFSTAMP_VPC_VLAN_AD);

	if (o->pod.what != POD_ADD)
		return 0;
	if (vlan && given[OPT_NODE - OPT_SET])
		return usage(command, "a VLAN finds other nodes by MAC address: --node does not go with it");
	if (!vlan && !o->hook.dev && !given[OPT_NODE - OPT_SET])
		return usage(command, "a pod of a VNI has a --dev on this node, or a --node");
	return 0;
}

static int check_missing(const struct options *o, const struct command *command, const given_t given)
{
	for (int i = 0; i < DEFINITIONS; i++) {
		const struct definition *d = &definitions[i];

		if (d->required & command_bit(command) && !given[d->id - OPT_SET] &&
		    !(d->id == OPT_DEV && (given[OPT_BLOCK - OPT_SET] || o->defunct || o->batch)))
			return usage(command, "--%s %s is missing", d->name, d->arg);
	}
	if (command->object && !o->object)
		return usage(command, "the object file is missing");
	if (command->values && !o->assignment_count)
		return usage(command, "NAME=VALUE is missing");
	return 0;
}

/* The directions of a hook; the first is the default. */
static const enum bpfstamp_direction *directions_of(enum bpfstamp_hook_type type)
{
	static const enum bpfstamp_direction directions[][2] = {
		[BPFSTAMP_CLSACT] = { BPFSTAMP_EGRESS, BPFSTAMP_INGRESS },
		[BPFSTAMP_TCX] = { BPFSTAMP_EGRESS, BPFSTAMP_INGRESS },
		[BPFSTAMP_NETKIT] = { BPFSTAMP_PRIMARY, BPFSTAMP_PEER },
		[BPFSTAMP_XDP] = { BPFSTAMP_INGRESS, BPFSTAMP_INGRESS },
		[BPFSTAMP_AUTO] = { BPFSTAMP_EGRESS, BPFSTAMP_INGRESS },
	};

	return directions[type];
}

static bool has_direction(const struct bpfstamp_hook *hook)
{
	const enum bpfstamp_direction *directions = directions_of(hook->type);

	return hook->direction == directions[0] || hook->direction == directions[1];
}

bool options_fit(const struct options *o, int id)
{
	const struct definition *d = find_definition(id);

	if (d->hooks && !(d->hooks & 1u << o->hook.type))
		return false;
	if (id == OPT_PRIO || id == OPT_HANDLE)
		return o->hook.existing != BPFSTAMP_APPEND;
	return id != OPT_DIRECTION || has_direction(&o->hook);
}

/* The direction that a hook has where none is given, and whether it has the one that is. */
static int check_hook(struct options *o, const struct command *command, const given_t given)
{
	const char *hook = optargs_hook_name(o->hook.type);
	unsigned int bit = o->defunct ? DEFUNCT : 1u << o->hook.type;

	for (int i = 0; i < DEFINITIONS; i++)
		if (given[definitions[i].id - OPT_SET] && definitions[i].hooks &&
		    !(definitions[i].hooks & bit))
			return o->defunct ? usage(command, "--%s does not go with --defunct", definitions[i].name) :
			       usage(command, "--%s does not go with hook %s", definitions[i].name, hook);
	if (!o->hook.direction)
		o->hook.direction = directions_of(o->hook.type)[0];
	if (!has_direction(&o->hook))
		return usage(command, "--direction %s does not go with hook %s",
			     optargs_direction_name(o->hook.direction), hook);
	if (o->batch && o->hook.type == BPFSTAMP_XDP && o->hook.xdp_mode == BPFSTAMP_XDP_OFFLOAD)
		return usage(command, "--batch does not go with --xdp-mode offload: hardware runs programs that were "
			     "loaded for one device");
	return 0;
}

/* The words that are no options: OBJ, or values. */
static int take_words(struct options *o, const struct command *command, int argc, char **argv)
{
	if (command->object && optind < argc)
		o->object = argv[optind++];
	for (; command->values && optind < argc; optind++)
		if (!optargs_take(o, OPT_SET, argv[optind]))
			return usage(command, "'%s' is no NAME=VALUE", argv[optind]);
	return optind < argc ? usage(command, "'%s' is one word too many", argv[optind]) : 0;
}

static int take_options(struct options *o, const struct command *command, int argc, char **argv, given_t given)
{
	struct option longs[DEFINITIONS + 1];
	char shorts[2 * DEFINITIONS + 2];
	int c;

	make_tables(command, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct definition *d = find_definition(c);

		if (c == '?')
			return unknown_option(command, argv[optind - 1]);
		if (c == ':')
			return usage(command, "option --%s wants an argument", find_definition(optopt)->name);
		if (d->id == OPT_HELP) {
			options_help(stdout, command);
			return -1;
		}
		if (!optargs_take(o, d->id, optarg))
			return bad_argument(command, d, optarg);
		given[d->id - OPT_SET] = true;
	}
	return 0;
}

int options_parse(struct options *o, const struct command *command, int argc, char **argv)
{
	given_t given = { false };
	int ret;

	*o = (struct options){ .hook = { .type = BPFSTAMP_CLSACT, .prio = 1, .handle = 1, .protocol = 3 } };
	ret = take_options(o, command, argc, argv, given);
	if (!ret)
		ret = take_words(o, command, argc, argv);
	if (!ret)
		ret = check_exclusive(command, given);
	if (!ret)
		ret = check_hook(o, command, given);
	if (!ret)
		ret = check_wanting(command, given);
	if (!ret)
		ret = check_pod(o, command, given);
	return ret ? ret : check_missing(o, command, given);
}

void options_free(struct options *o)
{
	for (size_t i = 0; i < o->assignment_count; i++)
		free(o->assignments[i].name);
	free(o->assignments);
}
