// SPDX-License-Identifier: BSD-2-Clause
/* Pins, without maps that want one. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/err.h"
#include "loader/pin.h"
#include "loader/sys.h"

int pin_folder(const char *path, struct bpfstamp_err *err)
{
	char copy[4096];

	for (size_t i = 1; i <= strlen(path) && i < sizeof(copy); i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(copy, path, i);
		copy[i] = '\0';
		if (mkdir(copy, 0700) && errno != EEXIST)
			return err_set(err, errno, "cannot make folder %s: %s", copy, strerror(errno));
	}
	return 0;
}

int pin_fd(const char *path, int fd, struct bpfstamp_err *err)
{
	if (sys_obj_pin(path, fd))
		return err_set(err, errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}
