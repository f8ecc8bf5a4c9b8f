// SPDX-License-Identifier: BSD-2-Clause
/*
 * Building the one line of a struct bpfstamp_err as an error travels up: the
 * place that fails says what failed (err_set), its callers put the program,
 * the file or the device in front (err_wrap), and whoever knows what the user
 * can do about it puts that behind (err_hint).  All in the caller's memory;
 * text that does not fit is cut, never lost as a whole.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "loader/err.h"

int err_set(struct bpfstamp_err *err, int code, const char *fmt, ...)
{
	va_list args;

	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return -1;
}

int err_wrap(struct bpfstamp_err *err, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	size_t used;
	va_list args;

	memcpy(inner, err->text, sizeof(inner));
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	return -1;
}

int err_hint(struct bpfstamp_err *err, const char *fmt, ...)
{
	size_t used = strlen(err->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text + used, sizeof(err->text) - used, fmt, args);
	va_end(args);
	return -1;
}
