// SPDX-License-Identifier: BSD-2-Clause
/*
 * What libmnl.a and libjansson.a of a glibc system want from glibc and musl
 * lacks, so that the static bpfstamp can be linked with musl (cmd/static.sh).
 * Under glibc this file is empty.
 *
 * Debian compiles its libraries with _FORTIFY_SOURCE: where the compiler knows
 * how large a buffer is, a call of snprintf becomes one of __snprintf_chk, which
 * is told that size too and aborts instead of writing past it.  Here such
 * functions keep that promise and leave the rest to musl's own.  The flag, by
 * which glibc decides how strictly to look at %n, is without use: the formats of
 * both libraries are literals, and none has a %n.
 *
 * This is enough because nothing else in the members that are linked differs
 * between the two C libraries on 64-bit machines: they keep FILE opaque, musl has
 * __ctype_b_loc and __assert_fail with glibc's meaning, and struct msghdr, struct
 * timeval, sockaddr_nl and the first member of struct lconv agree.  Members that
 * are not linked (jansson's parser) may want more; then the linker says so.
 */
#include <stdio.h>

#ifndef __GLIBC__
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(long) == 8, "32-bit musl and glibc disagree on more than this file can mend");

int __fprintf_chk(FILE *to, int flag, const char *fmt, ...);
int __snprintf_chk(char *out, size_t size, int flag, size_t room, const char *fmt, ...);
int __vsnprintf_chk(char *out, size_t size, int flag, size_t room, const char *fmt, va_list args);
char *__strncpy_chk(char *out, const char *text, size_t size, size_t room);

int __fprintf_chk(FILE *to, int flag, const char *fmt, ...)
{
	va_list args;
	int ret;

	(void)flag;
	va_start(args, fmt);
	ret = vfprintf(to, fmt, args);
	va_end(args);
	return ret;
}

int __vsnprintf_chk(char *out, size_t size, int flag, size_t room, const char *fmt, va_list args)
{
	(void)flag;
	if (size > room)
		abort();
	return vsnprintf(out, size, fmt, args);
}

int __snprintf_chk(char *out, size_t size, int flag, size_t room, const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = __vsnprintf_chk(out, size, flag, room, fmt, args);
	va_end(args);
	return ret;
}

char *__strncpy_chk(char *out, const char *text, size_t size, size_t room)
{
	if (size > room)
		abort();
	return strncpy(out, text, size);
}
#endif
