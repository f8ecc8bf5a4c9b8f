// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp COMMAND …: finds the command, parses its options, runs it, and
 * prints the one error that it may return.  Exit status: 0 done, 1 failed,
 * 2 called wrongly.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/near.h"
#include "cmd/output.h"

const struct command commands[] = {
	{ "inspect", "programs, maps and what can be stamped, with every site", true, false, cmd_inspect },
	{ "patch", "write an object with values stamped into it", true, false, cmd_patch },
	{ "attach", "stamp, load and attach a program to TC, TCX, netkit or XDP", true, false, cmd_attach },
	{ "detach", "remove a program that bpfstamp attached", false, false, cmd_detach },
	{ "show", "what is attached, and the values in it", false, false, cmd_show },
	{ "set", "change values of a program that is attached", false, true, cmd_set },
	{ "verify", "compare what is attached with what would be stamped", true, false, cmd_verify },
	{ "load", "stamp, load and pin all programs and maps of an object", true, false, cmd_load },
	{ "disasm", "instructions, with what stamping changes", true, false, cmd_disasm },
	{ "pods", "which address of which network is where, for the VPC programs", false, false, cmd_pods },
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

static int no_command(const char *name)
{
	const char *names[sizeof(commands) / sizeof(commands[0])] = { NULL }, *meant;

	if (!name) {
		options_help(stderr, NULL);
		return EXIT_USAGE;
	}
	for (size_t i = 0; commands[i].name; i++)
		names[i] = commands[i].name;
	meant = near_word(name, names);
	fprintf(stderr, "bpfstamp: unknown command '%s'%s%s%s; see bpfstamp --help\n", name,
		meant ? " (did you mean " : "", meant ? meant : "", meant ? "?)" : "");
	return EXIT_USAGE;
}

/* One line behind what was printed before, whatever names are in it. */
static void print_error(const struct bpfstamp_err *err)
{
	fflush(stdout);
	fprintf(stderr, "bpfstamp: ");
	output_plain(stderr, err->text);
	fputc('\n', stderr);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct bpfstamp_err err;
	struct options o;
	int status = options_parse(&o, command, argc, argv), ret;

	if (!status) {
		ret = command->run(&o, &err);
		if (ret && ret != CMD_QUIET)
			print_error(&err);
		status = ret == CMD_MISUSED ? EXIT_USAGE : ret ? EXIT_FAILED : 0;
	}
	options_free(&o);
	return finish(status < 0 ? 0 : status);
}

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

	setvbuf(stdout, NULL, _IOFBF, BUFSIZ);	/* one write at the end, without a look whether this is a terminal */
	if (command)
		return run(command, argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("bpfstamp " BPFSTAMP_VERSION);
		return finish(0);
	}
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		options_help(stdout, NULL);
		return finish(0);
	}
	return no_command(argv[1]);
}
