/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: one table of commands, one of options (cmd/options.c); one
 * file a command.  A command gets parsed options, prints its result on stdout
 * and returns 0, or fills *err and returns -1; main prints the error.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <jansson.h>

#include "include/bpfstamp.h"
#include "include/bpfstamp_vpc.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* One of --set NAME=VALUE, --replace OLD=NEW and --set-file FILE, in the order given. */
struct assignment {
	enum { ASSIGN_SET, ASSIGN_REPLACE, ASSIGN_FILE } kind;
	char *name;		/* in front of the '='; of a file, its path */
	const char *value;
	long expect;		/* of --replace: how many sites, or -1 */
};

/* Of pods: what to do with which entry. */
struct pod_options {
	enum { POD_LIST, POD_ADD, POD_REMOVE } what;
	uint32_t network;	/* 0: any */
	uint8_t address[16], node[16], mac[6];
};

struct options {
	const char *object;
	const char *source;	/* --object of set */
	const char *prog, *output, *netns;
	const char *pin, *pin_path, *btf;
	uint32_t prog_type;
	struct assignment *assignments;
	size_t assignment_count;
	struct bpfstamp_hook hook;
	struct pod_options pod;
	const char *batch;	/* a file, or "-" */
	uint32_t jobs;		/* 0: as many as there are CPUs */
	bool keep_going, no_reuse;
	bool json, dry_run, verbose, inline_globals, allow_derived, allow_unused, repin;
	bool no_record, no_debug_info, all_netns, clsact, defunct, stats;
};

struct command {
	const char *name;
	const char *summary;
	bool object;		/* takes OBJ */
	bool values;		/* takes NAME=VALUE… */
	int (*run)(const struct options *o, struct bpfstamp_err *err);
};

extern const struct command commands[];	/* ended by a NULL name */

/*
 * A command that has printed its result, and fails without another word:
 * verify, where something is different.
 */
enum { CMD_QUIET = -2 };

/* What a command was given is wrong, and nothing was done: main prints *err and exits as after wrong usage. */
enum { CMD_MISUSED = -3 };

/*
 * Parse the words behind the command's name.  Returns 0; EXIT_USAGE after
 * saying why on stderr; or -1 after printing the help that was asked for.
 */
int options_parse(struct options *o, const struct command *command, int argc, char **argv);
void options_free(struct options *o);

/* Whether an option (enum option_id) with the argument that *o has would go with the hook and the rest of *o. */
bool options_fit(const struct options *o, int id);

/* All commands, or all options of one. */
void options_help(FILE *to, const struct command *command);

int cmd_inspect(const struct options *o, struct bpfstamp_err *err);
int cmd_patch(const struct options *o, struct bpfstamp_err *err);
int cmd_attach(const struct options *o, struct bpfstamp_err *err);
int cmd_detach(const struct options *o, struct bpfstamp_err *err);
int cmd_show(const struct options *o, struct bpfstamp_err *err);
int cmd_load(const struct options *o, struct bpfstamp_err *err);
int cmd_disasm(const struct options *o, struct bpfstamp_err *err);
int cmd_set(const struct options *o, struct bpfstamp_err *err);
int cmd_verify(const struct options *o, struct bpfstamp_err *err);
int cmd_pods(const struct options *o, struct bpfstamp_err *err);

#endif
