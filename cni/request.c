// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "cni/cni.h"

unsigned int cni_error_code(const struct bpfstamp_err *err)
{
	return err->code > CNI_ERROR ? (unsigned int)err->code - CNI_ERROR : CNI_FAILED;
}

int request_read(struct cni_request *out, char *(*env)(const char *), json_t *config, struct bpfstamp_err *err)
{
	(void)out, (void)env, (void)config;
	return bpfstamp_err_set(err, ENOSYS, "not yet");
}

const char *version_text(enum cni_version version)
{
	static const char *const texts[] = { "", "0.3.1", "0.4.0", "1.0.0", "1.1.0" };

	return texts[version];
}

json_t *version_answer(enum cni_version version)
{
	return json_pack("{s:s, s:[s,s,s,s]}", "cniVersion", version_text(version), "supportedVersions",
			 "0.3.1", "0.4.0", "1.0.0", "1.1.0");
}
