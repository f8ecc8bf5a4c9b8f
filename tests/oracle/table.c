// SPDX-License-Identifier: BSD-2-Clause
/*
 * The oracle's processes each count in a table of their own, which the parent
 * adds up.  Reasons of refusals are error texts of the library: numbers, names
 * of programs and what stands in parentheses are left out of them, so that
 * what is the same reason is the same text.
 */
#include "tests/oracle/table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct table *table_new(uint32_t count)
{
	void *memory = mmap(NULL, count * sizeof(struct table), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void table_text(struct table *t, const char *text, uint32_t count)
{
	uint32_t i = 0;

	while (i < t->text_count && strcmp(t->texts[i].text, text))
		i++;
	if (i == TABLE_TEXTS) {
		t->lost += count;
		return;
	}
	if (i == t->text_count) {
		t->text_count++;
		snprintf(t->texts[i].text, TABLE_TEXT_SIZE, "%s", text);
	}
	t->texts[i].count += count;
}

/* A word with a digit in it tells of this case only. */
static bool varies(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (isdigit((unsigned char)word[i]))
			return true;
	return false;
}

void table_reason(struct table *t, const char *kind, const char *text)
{
	char out[TABLE_TEXT_SIZE];
	size_t at = (size_t)snprintf(out, sizeof(out), "%s:", kind);
	int depth = 0;

	while (*text && *text != ';' && at < 150) {
		size_t length = strcspn(text, " ;,");
		const char *word = varies(text, length) ? "N" : text;

		depth += *text == '(';
		if (length && !depth)
			at += (size_t)snprintf(
				out + at, sizeof(out) - at, " %.*s",
				*word == 'N' && word != text ? 1 : (int)(length > 60 ? 60 : length), word);
		if (depth && length && memchr(text, ')', length))
			depth = 0;
		text += length;
		if (!strncmp(text, ", and ", 6))
			break;
		text += *text == ' ' || *text == ',';
	}
	table_text(t, out, 1);
}

void table_add(struct table *sum, const struct table *t)
{
	for (uint32_t i = 0; i < COMPILERS_MAX; i++)
		for (uint32_t k = 0; k < OUTCOME_COUNT; k++)
			sum->counts[i][k] += t->counts[i][k];
	for (uint32_t i = 0; i < t->text_count; i++)
		table_text(sum, t->texts[i].text, t->texts[i].count);
	sum->lost += t->lost;
	sum->failures += t->failures;
}

uint32_t table_total(const struct table *t, enum outcome outcome)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i < COMPILERS_MAX; i++)
		total += t->counts[i][outcome];
	return total;
}

static void line(const char *command, const char *cpu, const uint32_t *counts)
{
	printf("%-22s %-5s", command, cpu);
	for (uint32_t k = 0; k < OUTCOME_COUNT; k++)
		printf(" %10u", counts[k]);
	putchar('\n');
}

static int by_count(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x > y ? -1 : x < y;
}

void table_print(const struct table *t, const struct compiler *compilers, uint32_t count)
{
	static struct table sorted;
	uint32_t sums[OUTCOME_COUNT];

	printf("%-22s %-5s", "compiler", "-mcpu");
	for (uint32_t k = 0; k < OUTCOME_COUNT; k++) {
		printf(" %10s", judge_outcomes[k]);
		sums[k] = table_total(t, (enum outcome)k);
	}
	putchar('\n');
	for (uint32_t i = 0; i < count; i++)
		line(compilers[i].command, compilers[i].cpu + strlen("-mcpu="), t->counts[i]);
	line("all", "", sums);
	sorted = *t;
	qsort(sorted.texts, sorted.text_count, sizeof(*sorted.texts), by_count);
	for (uint32_t i = 0; i < sorted.text_count; i++)
		printf("%8u  %s\n", sorted.texts[i].count, sorted.texts[i].text);
	if (t->lost)
		printf("%8u  others\n", t->lost);
}
