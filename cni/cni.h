/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfstamp-cni: what all of the plugin shares.  The protocol is the Container
 * Network Interface Specification, 1.1.0 and the older 0.3.1, 0.4.0, 1.0.0: a
 * command and its parameters in the environment, a network configuration on
 * stdin, and a result or an error, in JSON, on stdout.
 *
 * Errors.  Functions here fail as the library's do: -1 with *err.  err->code is an
 * errno value or, where the specification has a code of its own for it, CNI_ERROR
 * plus that; cni_error_code says what goes out.
 */
#ifndef CNI_CNI_H
#define CNI_CNI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "include/bpfstamp.h"

enum cni_code {
	CNI_VERSION_MISMATCH = 1,	/* incompatible CNI version */
	CNI_UNSUPPORTED = 2,		/* unsupported field in the network configuration */
	CNI_UNKNOWN_CONTAINER = 3,	/* container unknown, or does not exist */
	CNI_ENVIRONMENT = 4,		/* invalid environment variables */
	CNI_IO = 5,
	CNI_DECODE = 6,			/* not JSON, or not what it should be */
	CNI_CONFIG = 7,			/* invalid network configuration */
	CNI_TRY_AGAIN = 11,
	CNI_NOT_AVAILABLE = 50,		/* STATUS: the plugin cannot serve ADD */
	CNI_LIMITED = 51,		/* STATUS: and pods that are there may be cut off */
	CNI_FAILED = 100,		/* our own: the kernel, or a program, refused */
	CNI_TAKEN = 101,		/* our own: another pod of that network has the address */
};

#define CNI_ERROR 0x10000

/* The code of *err for the runtime. */
unsigned int cni_error_code(const struct bpfstamp_err *err);

enum cni_command { CNI_ADD = 1, CNI_DEL, CNI_CHECK, CNI_STATUS, CNI_GC, CNI_VERSION };

/* Later is more. */
enum cni_version { CNI_0_3_1 = 1, CNI_0_4_0, CNI_1_0_0, CNI_1_1_0 };

/*
 * An error as it goes out, in the newest version where that is 0; what is not UTF-8 in it is replaced.  A new
 * reference, NULL: no memory.
 */
json_t *cni_error(enum cni_version version, const struct bpfstamp_err *err);

/* What a runtime asks for; strings are the environment's, or "" where a command needs none. */
struct cni_request {
	enum cni_command command;
	const char *container, *netns, *ifname, *args, *path;
	json_t *config;			/* as it came, an object; borrowed */
	enum cni_version version;	/* of config; not of VERSION, which may be asked in any */
};

/*
 * Read the environment (as getenv gives it) and the configuration, which is borrowed: checks what the
 * command needs, the characters of container and ifname, the version, and that the version
 * has the command.  VERSION needs no more than the JSON.  On failure, *out has the version, where it is
 * known, because the error is told in it.
 */
int request_read(struct cni_request *out, char *(*env)(const char *), json_t *config, struct bpfstamp_err *err);

/* What the specification wants of container IDs and names of networks. */
bool request_is_name(const char *text);

/* What Linux wants of an interface's name, and only printable ASCII of that; a name with '%' would be a pattern. */
bool request_is_ifname(const char *text);

/* The value of a key of CNI_ARGS, len bytes at *value; *value is NULL where there is none. */
int request_arg(const struct cni_request *r, const char *key, const char **value, size_t *len,
		struct bpfstamp_err *err);

const char *version_text(enum cni_version version);
bool version_find(const char *text, enum cni_version *out);
json_t *version_answer(const json_t *config);	/* to VERSION, in the one it was asked in; NULL: no memory */

/* One file a command.  *out is the result that goes out, a new reference; NULL: none. */
int cni_add(const struct cni_request *r, json_t **out, struct bpfstamp_err *err);
int cni_del(const struct cni_request *r, json_t **out, struct bpfstamp_err *err);
int cni_check(const struct cni_request *r, json_t **out, struct bpfstamp_err *err);
int cni_status(const struct cni_request *r, json_t **out, struct bpfstamp_err *err);
int cni_gc(const struct cni_request *r, json_t **out, struct bpfstamp_err *err);

#endif
