// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "cni/cni.h"

int cni_add(const struct cni_request *r, json_t **out, struct bpfstamp_err *err)
{
	(void)r, (void)out;
	return bpfstamp_err_set(err, ENOSYS, "not yet");
}
