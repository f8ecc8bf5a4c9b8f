// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "cni/values.h"

int values_expand(const struct values *v, const json_t *from, const char *what, char *buf, struct bpfstamp_err *err)
{
	(void)v, (void)from, (void)what, (void)buf;
	return bpfstamp_err_set(err, ENOSYS, "not yet");
}

int values_number(const struct values *v, const json_t *from, const char *what, uint32_t low, uint32_t high,
		  uint32_t *out, struct bpfstamp_err *err)
{
	(void)v, (void)from, (void)what, (void)low, (void)high, (void)out;
	return bpfstamp_err_set(err, ENOSYS, "not yet");
}

int values_row(const struct values *v, json_t **out, struct bpfstamp_err *err)
{
	(void)v, (void)out;
	return bpfstamp_err_set(err, ENOSYS, "not yet");
}
