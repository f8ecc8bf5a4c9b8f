// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "cni/config.h"

int config_read(struct cni_config *out, const struct cni_request *r, struct bpfstamp_err *err)
{
	(void)out, (void)r;
	return bpfstamp_err_set(err, ENOSYS, "not yet");
}
