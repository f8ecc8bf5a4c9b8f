// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp-cni: reads a request, runs its command, and prints the result or the
 * error.  Exit status: 0 done, 1 failed, with the error as JSON on stdout, where
 * the runtime looks for it.
 *
 * Who runs it by hand, without CNI_COMMAND, is told what it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cni.h"

static const char about[] =
	"bpfstamp-cni " BPFSTAMP_VERSION ": a CNI plugin that attaches BPF programs with a pod's values in them\n"
	"CNI protocol versions supported: 0.3.1, 0.4.0, 1.0.0, 1.1.0\n"
	"It is run by a container runtime; see bpfstamp-cni(8).\n";

static int run(const struct cni_request *r, json_t **out, struct bpfstamp_err *err)
{
	switch (r->command) {
	case CNI_ADD:
		return cni_add(r, out, err);
	case CNI_DEL:
		return cni_del(r, out, err);
	case CNI_CHECK:
		return cni_check(r, out, err);
	case CNI_STATUS:
		return cni_status(r, out, err);
	case CNI_GC:
		return cni_gc(r, out, err);
	case CNI_VERSION:
		*out = version_answer(r->config);
		return *out ? 0 : bpfstamp_err_set(err, ENOMEM, "no memory for the answer");
	}
	return bpfstamp_err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "no such command");
}

static int serve(json_t *config, json_t **out, struct cni_request *r, struct bpfstamp_err *err)
{
	return request_read(r, getenv, config, err) || run(r, out, err) ? -1 : 0;
}

static int print(json_t *value)
{
	int ret = value ? json_dumpf(value, stdout, JSON_COMPACT) : 0;

	if (value)
		putchar('\n');
	return ret || fflush(stdout) || ferror(stdout) ? -1 : 0;
}

/* VERSION needs no input, and before 1.0.0 has none; *where is set where it fails. */
static json_t *read_config(const char *command, json_error_t *where)
{
	int first = getc(stdin);

	if (first == EOF && !ferror(stdin) && !strcmp(command, "VERSION"))
		return json_object();
	ungetc(first, stdin);
	return json_loadf(stdin, JSON_REJECT_DUPLICATES, where);
}

int main(void)
{
	struct cni_request request = { 0 };
	json_t *config, *out = NULL;
	json_error_t where;
	struct bpfstamp_err err;
	const char *command = getenv("CNI_COMMAND");
	int ret;

	if (!command) {
		fputs(about, stderr);
		return 1;
	}
	config = read_config(command, &where);
	if (config)
		ret = serve(config, &out, &request, &err);
	else
		ret = bpfstamp_err_set(&err, CNI_ERROR + CNI_DECODE, "the network configuration is no JSON: line %d: "
				       "%s", where.line, where.text);
	if (ret)
		out = cni_error(request.version, &err);
	if (print(out))
		ret = -1;
	json_decref(out);
	json_decref(config);
	return ret ? 1 : 0;
}
