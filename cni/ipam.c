// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "cni/ipam.h"

int ipam_run(const struct cni_request *r, const struct cni_config *c, const char *command, json_t **out,
	     struct bpfstamp_err *err)
{
	(void)r, (void)c, (void)command, (void)out;
	return bpfstamp_err_set(err, ENOSYS, "not yet");
}
