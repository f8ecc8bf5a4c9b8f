// SPDX-License-Identifier: BSD-2-Clause
/*
 * DEL removes what ADD made for a pod, as its state tells (removing.c).  It says
 * nothing where all is well, and all is well where there is nothing to remove:
 * runtimes delete twice, and what was never added.
 */
#include "cni/config.h"
#include "cni/removing.h"

int cni_del(const struct cni_request *r, json_t **out, struct bpfstamp_err *err)
{
	struct cni_config c;

	(void)out;
	return config_read(&c, r, err) || removing_pod(r, &c, err) ? -1 : 0;
}
