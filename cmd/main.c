// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp COMMAND …: finds the command, parses its options, runs it, and
 * prints the one error that it may return.  Exit status: 0 done, 1 failed,
 * 2 called wrongly.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

const struct command commands[] = {
	{ "inspect", "programs, maps and what can be stamped, with every site", true, cmd_inspect },
	{ "patch", "write an object with values stamped into it", true, cmd_patch },
	{ "attach", "stamp, load and attach a program to TC (clsact)", true, cmd_attach },
	{ "detach", "remove a filter that bpfstamp attached", false, cmd_detach },
	{ "show", "what is attached to TC", false, cmd_show },
	{ "load", "stamp, load and pin all programs and maps of an object", true, cmd_load },
	{ "disasm", "instructions, with what stamping changes", true, cmd_disasm },
	{ 0 },
};

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

/* Output that did not reach its file is a failure, too. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "bpfstamp: cannot write to standard output\n");
		return EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	struct bpfstamp_err err;
	struct options o;
	int status;

	if (!command) {
		if (argc > 1 && !strcmp(argv[1], "--version")) {
			puts("bpfstamp " BPFSTAMP_VERSION);
			return finish(0);
		}
		if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
			options_help(stdout, NULL);
			return finish(0);
		}
		if (argc > 1)
			fprintf(stderr, "bpfstamp: unknown command '%s'; see bpfstamp --help\n", argv[1]);
		else
			options_help(stderr, NULL);
		return EXIT_USAGE;
	}
	status = options_parse(&o, command, argc - 1, argv + 1);
	if (!status && command->run(&o, &err)) {
		fprintf(stderr, "bpfstamp: %s\n", err.text);
		status = EXIT_FAILED;
	}
	options_free(&o);
	return finish(status < 0 ? 0 : status);
}
