// SPDX-License-Identifier: BSD-2-Clause
/*
 * GC deletes each pod of the network that has a state here and is not in
 * cni.dev/valid-attachments, as DEL would, and then has IPAM do the same.
 *
 * A pod that cannot be deleted does not keep the others; the first error is told.
 */
#include <string.h>

#include "cni/ipam.h"
#include "cni/removing.h"
#include "cni/state.h"

struct collecting {
	const struct cni_request *request;
	const struct cni_config *config;
	struct bpfstamp_err *err;
	bool failed;
};

static bool is(const json_t *value, const char *text)
{
	return json_is_string(value) && !strcmp(json_string_value(value), text);
}

static bool is_valid(const json_t *valid, const char *container, const char *ifname)
{
	const json_t *one;
	size_t i;

	json_array_foreach(valid, i, one)
		if (is(json_object_get(one, "containerID"), container) && is(json_object_get(one, "ifname"), ifname))
			return true;
	return false;
}

static int collect(const char *container, const char *ifname, void *arg, struct bpfstamp_err *err)
{
	struct collecting *g = arg;
	struct cni_request r = *g->request;

	if (is_valid(g->config->valid, container, ifname))
		return 0;
	r.container = container;
	r.ifname = ifname;
	r.netns = "";
	if (removing_pod(&r, g->config, err) && !g->failed) {
		g->failed = true;
		*g->err = *err;
	}
	return 0;
}

int cni_gc(const struct cni_request *r, json_t **out, struct bpfstamp_err *err)
{
	struct collecting g = { .request = r, .err = err };
	struct bpfstamp_err why;
	struct cni_config c;
	json_t *answer = NULL;

	(void)out;
	if (config_read(&c, r, err))
		return -1;
	g.config = &c;
	if (state_each(c.pin_path, c.name, collect, &g, &why) && !g.failed) {
		g.failed = true;
		*err = why;
	}
	if (c.ipam && ipam_run(r, &c, "GC", -1, &answer, &why) && !g.failed) {
		g.failed = true;
		*err = why;
	}
	json_decref(answer);
	return g.failed ? -1 : 0;
}
