// SPDX-License-Identifier: BSD-2-Clause
/*
 * Attachments of a configuration.  What may stand beside what is decided by the
 * hook, as on the command line, and so are the defaults.
 *
 * Two attachments in one place would replace each other at every ADD, in
 * silence, so that is an error.  A place is a device, a direction and, of a filter,
 * its prio and handle; "auto" is a filter on older kernels and counts as one.  TCX and
 * netkit have room for many.
 */
#include <stdio.h>
#include <string.h>

#include "cni/config.h"
#include "cni/field.h"
#include "loader/err.h"

static const char *const keys[] = {
	"program", "object", "dev", "hook", "direction", "prio", "handle", "xdpMode", "inline", "set", NULL
};

static const struct field_word hooks[] = {
	{ "clsact", BPFSTAMP_CLSACT }, { "tcx", BPFSTAMP_TCX }, { "netkit", BPFSTAMP_NETKIT },
	{ "xdp", BPFSTAMP_XDP }, { "auto", BPFSTAMP_AUTO }, { 0 },
};

static const struct field_word directions[] = {
	{ "egress", BPFSTAMP_EGRESS }, { "ingress", BPFSTAMP_INGRESS }, { "primary", BPFSTAMP_PRIMARY },
	{ "peer", BPFSTAMP_PEER }, { 0 },
};

static const struct field_word xdp_modes[] = {
	{ "any", BPFSTAMP_XDP_ANY }, { "generic", BPFSTAMP_XDP_GENERIC }, { "native", BPFSTAMP_XDP_NATIVE },
	{ "offload", BPFSTAMP_XDP_OFFLOAD }, { 0 },
};

static bool is_filter(const struct bpfstamp_hook *hook)
{
	return hook->type == BPFSTAMP_CLSACT || hook->type == BPFSTAMP_AUTO;
}

static int check_direction(struct bpfstamp_hook *hook, int direction, const char *where, struct bpfstamp_err *err)
{
	static const enum bpfstamp_direction of_hook[][2] = {	/* the first is the default */
		[BPFSTAMP_CLSACT] = { BPFSTAMP_EGRESS, BPFSTAMP_INGRESS },
		[BPFSTAMP_TCX] = { BPFSTAMP_EGRESS, BPFSTAMP_INGRESS },
		[BPFSTAMP_NETKIT] = { BPFSTAMP_PRIMARY, BPFSTAMP_PEER },
		[BPFSTAMP_XDP] = { BPFSTAMP_INGRESS, BPFSTAMP_INGRESS },
		[BPFSTAMP_AUTO] = { BPFSTAMP_EGRESS, BPFSTAMP_INGRESS },
	};
	const enum bpfstamp_direction *allowed = of_hook[hook->type];

	hook->direction = direction ? (enum bpfstamp_direction)direction : allowed[0];
	if (hook->direction != allowed[0] && hook->direction != allowed[1])
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%sdirection does not go with hook %s", where,
			       hooks[hook->type].name);
	return 0;
}

static int misplaced(const json_t *object, const char *where, const char *key, const struct bpfstamp_hook *hook,
		     struct bpfstamp_err *err)
{
	if (!field_get(object, key))
		return 0;
	return err_set(err, CNI_ERROR + CNI_CONFIG, "%s%s does not go with hook %s", where, key,
		       hooks[hook->type].name);
}

static int read_hook(struct bpfstamp_hook *hook, const json_t *object, const char *where, struct bpfstamp_err *err)
{
	int type = BPFSTAMP_CLSACT, direction = 0, mode = BPFSTAMP_XDP_ANY;
	uint32_t prio = 1;

	hook->handle = 1;
	if (field_word(&type, object, where, "hook", hooks, err) ||
	    field_word(&direction, object, where, "direction", directions, err) ||
	    field_word(&mode, object, where, "xdpMode", xdp_modes, err) ||
	    field_number(&prio, object, where, "prio", 1, UINT16_MAX, err) ||
	    field_number(&hook->handle, object, where, "handle", 1, UINT32_MAX, err))
		return -1;
	hook->type = (enum bpfstamp_hook_type)type;
	hook->prio = (uint16_t)prio;
	hook->xdp_mode = (enum bpfstamp_xdp_mode)mode;
	if (!is_filter(hook) &&
	    (misplaced(object, where, "prio", hook, err) || misplaced(object, where, "handle", hook, err)))
		return -1;
	if (type != BPFSTAMP_XDP && misplaced(object, where, "xdpMode", hook, err))
		return -1;
	return check_direction(hook, direction, where, err);
}

static int check_set(json_t *set, const char *where, struct bpfstamp_err *err)
{
	const json_t *value;
	const char *key;
	char inner[64];

	snprintf(inner, sizeof(inner), "%sset.", where);
	json_object_foreach(set, key, value) {
		if (!*key)
			return err_set(err, CNI_ERROR + CNI_CONFIG, "%sset has an empty name", where);
		if (field_check_scalar(value, inner, key, err))
			return -1;
	}
	return 0;
}

static int check_dev(const struct cni_attachment *a, bool node, const char *where, struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN];

	if (!node && strcmp(a->dev, "host") && strcmp(a->dev, "pod"))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%sdev: '%s' is neither host nor pod; what is attached "
			       "to an interface of the node belongs below node", where, field_shown(shown, a->dev));
	if (node && !*a->dev)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%sdev is missing: the name of an interface of the node",
			       where);
	if (node && !request_is_ifname(a->dev))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%sdev: '%s' is no name of an interface", where,
			       field_shown(shown, a->dev));
	return 0;
}

static int read_attachment(struct cni_attachment *a, const struct cni_config *c, json_t *json, bool node,
			   const char *where, struct bpfstamp_err *err)
{
	a->object = c->object;
	a->dev = node ? "" : "host";
	a->hook.pin_path = c->pin_path;
	if (field_known(json, where, keys, NULL, err) ||
	    field_text(&a->program, json, where, "program", err) ||
	    field_path(&a->object, json, where, "object", err) ||
	    field_text(&a->dev, json, where, "dev", err) || check_dev(a, node, where, err) ||
	    field_flag(&a->inlined, json, where, "inline", err) ||
	    field_object(&a->set, json, where, "set", err) || check_set(a->set, where, err))
		return -1;
	if (!a->object)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%sobject is missing, and so is one for all", where);
	return read_hook(&a->hook, json, where, err);
}

static bool is_same_place(const struct cni_attachment *a, const struct cni_attachment *b)
{
	if (strcmp(a->dev, b->dev) || a->hook.direction != b->hook.direction)
		return false;
	if (a->hook.type == BPFSTAMP_XDP || b->hook.type == BPFSTAMP_XDP)
		return a->hook.type == b->hook.type;
	return is_filter(&a->hook) && is_filter(&b->hook) && a->hook.prio == b->hook.prio &&
	       a->hook.handle == b->hook.handle;
}

int config_attachments(struct cni_config *c, json_t *array, bool node, struct bpfstamp_err *err)
{
	struct cni_attachment *attachments = node ? c->node : c->attach;
	size_t *count = node ? &c->node_count : &c->attach_count, i;
	const char *name = node ? "node" : "attach";
	char where[32];
	json_t *json;

	if (json_array_size(array) > CNI_ATTACHMENTS)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%s has %zu elements: at most %d can be", name,
			       json_array_size(array), CNI_ATTACHMENTS);
	json_array_foreach(array, i, json) {
		snprintf(where, sizeof(where), "%s[%zu].", name, i);
		if (!json_is_object(json))
			return err_set(err, CNI_ERROR + CNI_DECODE, "%s[%zu] is no object", name, i);
		if (read_attachment(&attachments[i], c, json, node, where, err))
			return -1;
		for (size_t k = 0; k < i; k++)
			if (is_same_place(&attachments[k], &attachments[i]))
				return err_set(err, CNI_ERROR + CNI_CONFIG, "%s[%zu] has the place of %s[%zu]%s",
					       name, i, name, k, is_filter(&attachments[i].hook) ?
					       ": give it another prio or handle" : "");
		*count = i + 1;
	}
	return 0;
}
