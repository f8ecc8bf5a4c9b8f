/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delegation: another plugin is run with our environment, another command and our configuration.
 */
#ifndef CNI_IPAM_H
#define CNI_IPAM_H

#include "cni/config.h"

/*
 * Run the plugin that c->ipam names, which config_read has checked; it is looked for in CNI_PATH.  *out is its
 * result, a new reference, or NULL where it printed none (only ADD must).  Its error is passed on, code and words.
 * It inherits lock, an fd or -1: what is locked by that stays so until the plugin has ended, too.
 */
int ipam_run(const struct cni_request *r, const struct cni_config *c, const char *command, int lock, json_t **out,
	     struct bpfstamp_err *err);

#endif
