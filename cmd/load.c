// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp load: stamp an object, load all of its programs and maps, or one
 * program with what it needs, and pin them, for somebody else to attach.  With --dry-run they are loaded, so that
 * the verifier has its say, and forgotten.
 */
#include <errno.h>
#include <stdio.h>

#include "cmd/loading.h"
#include "cmd/output.h"

struct item {		/* a program or map that was loaded */
	char name[256];
	const char *type;
	uint32_t id;
	char tag[17];		/* of a program, else "" */
};

/* Describe program or map i; false where it was not loaded. */
static int describe(const struct stamped *stamped, const struct bpfstamp_loaded *loaded, bool map, uint32_t i,
		    struct item *item, struct bpfstamp_err *err)
{
	int fd = map ? bpfstamp_loaded_map(loaded, i) : bpfstamp_loaded_program(loaded, i);
	struct bpfstamp_prog_info prog;
	struct bpfstamp_map_info info;

	if (map ? bpfstamp_map_info(fd, &info, err) : bpfstamp_prog_info(fd, &prog, err))
		return -1;
	bpfstamp_pin_name(stamped->t, map, i, item->name, sizeof(item->name));
	item->type = map ? bpfstamp_map_type_name(info.type) : bpfstamp_prog_type_name(prog.type);
	item->id = map ? info.id : prog.id;
	item->tag[0] = '\0';
	if (!map)
		output_tag(item->tag, prog.tag);
	return 0;
}

static int add_item(json_t *array, const struct options *o, bool map, const struct item *item,
		    struct bpfstamp_err *err)
{
	char pin[4096];
	json_t *object;

	snprintf(pin, sizeof(pin), "%s/%s%s", o->pin, map ? "maps/" : "", item->name);
	if (!array) {
		output_format(stdout, "  %-8s %-24s %-16s id %u%s%s\n", map ? "map" : "program", item->name,
			      item->type ? item->type : "?", item->id, map ? "" : " tag ", item->tag);
		return 0;
	}
	object = json_pack("{s:o, s:o, s:i}", "name", output_text(item->name), "type", output_text(item->type),
			   "id", (int)item->id);
	if (!object || (!map && json_object_set_new(object, "tag", json_string(item->tag))) ||
	    (!o->dry_run && json_object_set_new(object, "pin", output_text(pin))) ||
	    json_array_append_new(array, object))
		return bpfstamp_err_set(err, ENOMEM, "out of memory");
	return 0;
}

/* Print the programs or maps, or add them to the array. */
static int list(json_t *array, const struct stamped *stamped, const struct options *o,
		const struct bpfstamp_loaded *loaded, bool map, struct bpfstamp_err *err)
{
	uint32_t count = map ? bpfstamp_map_count(stamped->t) : bpfstamp_program_count(stamped->t);
	struct item item;

	for (uint32_t i = 0; i < count; i++) {
		if ((map ? bpfstamp_loaded_map(loaded, i) : bpfstamp_loaded_program(loaded, i)) < 0)
			continue;
		if (describe(stamped, loaded, map, i, &item, err) || add_item(array, o, map, &item, err))
			return -1;
	}
	return 0;
}

static int report_json(const struct stamped *stamped, const struct options *o, const struct bpfstamp_loaded *loaded,
		       struct bpfstamp_err *err)
{
	json_t *programs = json_array(), *maps = json_array();
	json_t *object = json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "object", output_text(o->object),
				   "pin", output_text(o->pin), "dry_run", (int)o->dry_run, "programs", programs,
				   "maps", maps, "inlined", output_inlined(stamped->t),
				   "sites", output_changes(stamped->t, stamped->s));

	if (object && (list(programs, stamped, o, loaded, false, err) || list(maps, stamped, o, loaded, true, err))) {
		json_decref(object);
		return -1;
	}
	return output_json(object, err);
}

static int report(const struct stamped *stamped, const struct options *o, const struct bpfstamp_loaded *loaded,
		  struct bpfstamp_err *err)
{
	if (o->json)
		return report_json(stamped, o, loaded, err);
	printf("%s %s%s%s\n", o->dry_run ? "could load" : "loaded", o->object, o->dry_run ? "" : " and pinned it to ",
	       o->dry_run ? "" : o->pin);
	if (list(NULL, stamped, o, loaded, false, err) || list(NULL, stamped, o, loaded, true, err))
		return -1;
	output_change_lines(stdout, stamped->t, stamped->s);
	return 0;
}

int cmd_load(const struct options *o, struct bpfstamp_err *err)
{
	struct bpfstamp_loaded *loaded = NULL;
	struct bpfstamp_load load = { .program = BPFSTAMP_ALL_PROGRAMS, .prog_type = o->prog_type };
	struct stamped stamped;
	int ret;

	if (values_stamp(&stamped, o, err))
		return -1;
	ret = (o->prog && bpfstamp_find_program(stamped.t, o->prog, 0, &load.program, err)) ||
	      loading_keep(&loaded, &stamped, o, load, err) ||
	      (!o->dry_run && bpfstamp_pin(loaded, o->pin, o->repin, err)) || report(&stamped, o, loaded, err);
	bpfstamp_loaded_free(loaded);
	values_free(&stamped);
	return ret ? -1 : 0;
}
