// SPDX-License-Identifier: BSD-2-Clause
/*
 * STATUS: whether an ADD could be served.  The objects can be opened and have
 * their programs, pinPath is in a bpffs, and IPAM says that it is ready, if it
 * knows the question.  Whatever is wrong, the specification has two codes for it, of
 * which only IPAM can know the second.  Nothing is loaded or changed.
 */
#include "cni/ipam.h"
#include "cni/programs.h"
#include "loader/err.h"
#include "loader/pin.h"

static int look(const struct cni_request *r, const struct cni_config *c, struct bpfstamp_err *err)
{
	struct programs programs;
	json_t *answer = NULL;

	if (programs_open(&programs, c, err))
		return -1;
	programs_close(&programs);
	if (pin_check_folder(c->pin_path, err))
		return -1;
	if (c->ipam && ipam_run(r, c, "STATUS", -1, &answer, err))
		return -1;
	json_decref(answer);
	return 0;
}

int cni_status(const struct cni_request *r, json_t **out, struct bpfstamp_err *err)
{
	struct cni_config c;

	(void)out;
	if (config_read(&c, r, err))
		return -1;
	if (!look(r, &c, err))
		return 0;
	if (err->code != CNI_ERROR + CNI_LIMITED)
		err->code = CNI_ERROR + CNI_NOT_AVAILABLE;
	return -1;
}
