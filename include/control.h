/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control characters, which could tell a terminal what to do: those of ASCII, and
 * U+0080 to U+009F in UTF-8.
 */
#ifndef CONTROL_H
#define CONTROL_H

/* How many bytes the one has that a text, ended by NUL and not empty, begins with; 0: it begins with none. */
static inline unsigned int control_size(const void *text)
{
	const unsigned char *at = text;

	if (at[0] == 0xc2)
		return (at[1] & 0xe0) == 0x80 ? 2 : 0;
	return at[0] < ' ' || at[0] == 0x7f;
}

#endif
