// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is attached, in words and as JSON.  Kinds of hooks have fields of their
 * own: of clsact prio, handle and whatever else names a filter, of the others the
 * link.  JSON has only the fields that mean something, so that a script cannot
 * take a 0 for an answer.
 */
#include <string.h>

#include "cmd/attachment.h"
#include "cmd/optargs.h"

/* "tcx egress of eth0". */
static void print_place(FILE *to, const struct bpfstamp_attachment *a)
{
	const char *hook = optargs_hook_name(a->type);

	if (a->type == BPFSTAMP_CLSACT && a->block) {
		fprintf(to, "%s of block %u", hook, a->block);
		return;
	}
	fprintf(to, "%s %s of ", hook, optargs_direction_name(a->direction));
	output_plain(to, *a->dev ? a->dev : "(no device)");
}

void attachment_position(FILE *to, const struct bpfstamp_attachment *a)
{
	if (a->type == BPFSTAMP_CLSACT) {
		if (a->prio)
			fprintf(to, " prio %u", a->prio);
		fprintf(to, " handle 0x%x", a->handle);
		if (a->chain)
			fprintf(to, " chain %u", a->chain);
	}
	if (a->type == BPFSTAMP_XDP)
		fprintf(to, " %s", optargs_xdp_mode_name(a->xdp_mode));
	if (a->link)
		fprintf(to, " link %u", a->link);
}

void attachment_program(FILE *to, const struct bpfstamp_attachment *a)
{
	char tag[17];

	if (a->id)
		fprintf(to, " id %u", a->id);
	if (a->has_tag) {
		output_tag(tag, a->tag);
		fprintf(to, " tag %s", tag);
	}
	if (a->skip_sw || a->skip_hw)
		fprintf(to, " %s", a->skip_sw ? "skip_sw" : "skip_hw");
	if (a->in_hw)
		fprintf(to, " in_hw");
	if (*a->pin) {
		fprintf(to, " pin ");
		output_plain(to, a->pin);
	}
}

void attachment_line(FILE *to, const char *verb, const char *preposition, const struct bpfstamp_attachment *a)
{
	fprintf(to, "%s ", verb);
	output_plain(to, a->name);
	fprintf(to, " %s ", preposition);
	print_place(to, a);
	fputc(':', to);
	attachment_position(to, a);
	attachment_program(to, a);
	fputc('\n', to);
}

static json_t *number(uint32_t n)
{
	return n ? json_integer(n) : json_null();
}

/* What only some kinds of hooks have. */
static json_t *fields_of_hook(const struct bpfstamp_attachment *a)
{
	switch (a->type) {
	case BPFSTAMP_CLSACT:
		return json_pack("{s:o, s:I, s:i, s:I, s:o, s:o, s:b, s:b, s:b}", "prio", number(a->prio),
				 "handle", (json_int_t)a->handle, "protocol", (int)a->protocol,
				 "chain", (json_int_t)a->chain, "block", number(a->block),
				 "kind", output_text(a->kind), "skip_sw", (int)a->skip_sw, "skip_hw", (int)a->skip_hw,
				 "in_hw", (int)a->in_hw);
	case BPFSTAMP_XDP:
		return json_pack("{s:s, s:o, s:o}", "xdp_mode", optargs_xdp_mode_name(a->xdp_mode),
				 "link", number(a->link), "link_pin", output_text(*a->pin ? a->pin : NULL));
	default:
		return json_pack("{s:o, s:o}", "link", number(a->link),
				 "link_pin", output_text(*a->pin ? a->pin : NULL));
	}
}

int attachment_fields(json_t *object, const struct bpfstamp_attachment *a)
{
	json_t *fields, *more = fields_of_hook(a);
	char tag[17];
	int ret;

	output_tag(tag, a->tag);
	fields = json_pack("{s:s, s:o, s:o, s:s?, s:b, s:o, s:o, s:s?}", "hook", optargs_hook_name(a->type),
			   "dev", output_text(*a->dev ? a->dev : NULL), "ifindex", number((uint32_t)a->ifindex),
			   "direction", optargs_direction_name(a->direction), "ours", (int)a->ours,
			   "name", output_text(a->name), "id", number(a->id), "tag", a->has_tag ? tag : NULL);
	ret = !fields || !more || json_object_update(object, fields) || json_object_update(object, more) ? -1 : 0;
	json_decref(fields);
	json_decref(more);
	return ret;
}

int attachment_complete(struct bpfstamp_attachment *a, int fd, struct bpfstamp_err *err)
{
	struct bpfstamp_prog_info info;

	if (a->id && a->has_tag)
		return 0;
	if (bpfstamp_prog_info(fd, &info, err))
		return -1;
	a->id = info.id;
	a->has_tag = true;
	memcpy(a->tag, info.tag, sizeof(a->tag));
	return 0;
}

json_t *attachment_json(const struct bpfstamp_attachment *a)
{
	json_t *object = json_object();

	if (object && attachment_fields(object, a)) {
		json_decref(object);
		return NULL;
	}
	return object;
}
