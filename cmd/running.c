// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program that runs, in words and as JSON: when it was loaded and from what,
 * its maps and pin, and its values.
 *
 * What was stamped comes first, because it is what people ask for.  Where a
 * record says what was stamped, the rest is left out unless it is asked for;
 * without a record nobody knows, and everything is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd/running.h"

/* ISO 8601, to the second, with the zone. */
static void format_time(char out[64], int64_t nanoseconds)
{
	time_t seconds = (time_t)(nanoseconds / 1000000000);
	struct tm tm;
	size_t n;

	localtime_r(&seconds, &tm);
	n = strftime(out, 56, "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (n < 5) {
		*out = '\0';
		return;
	}
	snprintf(out + n - 2, 8, ":%02d", (int)(labs(tm.tm_gmtoff) / 60 % 60));
}

/* ------------------------------------------------------------------ text */

static void print_values(const struct bpfstamp_running *r, bool stamped)
{
	struct bpfstamp_running_value v;

	for (uint32_t i = 0; i < bpfstamp_running_value_count(r); i++) {
		bpfstamp_running_value_at(r, i, &v);
		if (v.stamped == stamped)
			output_format(stdout, "    %s = %s (%s, %s%s)\n", v.path, v.value, v.type,
				      v.section ? v.section : output_kind(v.kind), stamped ? ", stamped" : "");
	}
}

void running_lines(const struct bpfstamp_running *r, const struct bpfstamp_pins *pins, bool all)
{
	struct bpfstamp_running_info info;
	const char *pin;
	char at[64];

	bpfstamp_running_info(r, &info);
	format_time(at, info.loaded_at);
	printf("    loaded %s", at);
	if (info.object)
		output_format(stdout, " from %s", info.object);
	for (uint32_t i = 0; i < info.map_count; i++)
		printf("%s%u", i ? " " : info.map_count == 1 ? ", map " : ", maps ", info.map_ids[i]);
	putchar('\n');
	pin = pins ? bpfstamp_pins_program(pins, info.prog.id) : NULL;
	if (pin) {
		printf("    pin ");
		output_plain(stdout, pin);
		putchar('\n');
	}
	print_values(r, true);
	if (all || !info.object)
		print_values(r, false);
}

/* ------------------------------------------------------------------ JSON */

static json_t *value_json(const struct bpfstamp_running_value *v)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:b, s:b}", "name", output_text(v->path),
			 "section", output_text(v->section), "kind", output_kind(v->kind),
			 "type", output_text(v->type), "value", output_text(v->value), "stamped", (int)v->stamped,
			 "writable", (int)v->writable);
}

static json_t *values_json(const struct bpfstamp_running *r)
{
	json_t *array = json_array();
	struct bpfstamp_running_value v;

	for (int stamped = 1; stamped >= 0; stamped--) {
		for (uint32_t i = 0; i < bpfstamp_running_value_count(r); i++) {
			bpfstamp_running_value_at(r, i, &v);
			if (v.stamped == (bool)stamped)
				json_array_append_new(array, value_json(&v));
		}
	}
	return array;
}

static json_t *fields(const struct bpfstamp_running *r, const struct bpfstamp_pins *pins)
{
	struct bpfstamp_running_info info;
	json_t *maps = json_array();
	char at[64];

	bpfstamp_running_info(r, &info);
	format_time(at, info.loaded_at);
	for (uint32_t i = 0; i < info.map_count; i++)
		json_array_append_new(maps, json_integer(info.map_ids[i]));
	return json_pack("{s:o, s:s, s:o, s:b, s:b, s:o, s:o, s:I, s:I, s:I, s:o}",
			 "program", output_text(info.name), "loaded_at", at, "object", output_text(info.object),
			 "record", info.object != NULL, "inlined", (int)info.inlined, "map_ids", maps,
			 "pin", output_text(pins ? bpfstamp_pins_program(pins, info.prog.id) : NULL),
			 "jited_size", (json_int_t)info.jited_size, "xlated_size", (json_int_t)info.xlated_size,
			 "memlock", (json_int_t)info.memlock, "values", values_json(r));
}

int running_fields(json_t *object, const struct bpfstamp_running *r, const struct bpfstamp_pins *pins)
{
	json_t *more = r ? fields(r, pins) :
		json_pack("{s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n}", "program", "loaded_at", "object",
			  "record", "inlined", "map_ids", "pin", "jited_size", "xlated_size", "memlock", "values");
	int ret = more ? json_object_update(object, more) : -1;

	json_decref(more);
	return ret;
}
