// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp patch: write the stamped object.  It is written beside OUT and
 * renamed over it, so that OUT is never half a file, and may be OBJ itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/values.h"

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static int replace_file(const char *path, const uint8_t *bytes, size_t size, struct bpfstamp_err *err)
{
	char temporary[4096];
	mode_t mask = umask(0);
	int fd, failed;

	umask(mask);
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return bpfstamp_err_set(err, ENAMETOOLONG, "cannot write %s: %s", path, strerror(ENAMETOOLONG));
	fd = mkstemp(temporary);
	if (fd < 0)
		return bpfstamp_err_set(err, errno, "cannot write %s: %s", path, strerror(errno));
	failed = write_all(fd, bytes, size) || fchmod(fd, 0666 & ~mask);
	failed |= close(fd);
	if (failed || rename(temporary, path)) {
		bpfstamp_err_set(err, errno, "cannot write %s: %s", path, strerror(errno));
		unlink(temporary);
		return -1;
	}
	return 0;
}

static int report(const struct stamped *stamped, const struct options *o, size_t size, struct bpfstamp_err *err)
{
	if (o->json)
		return output_json(json_pack("{s:s, s:s, s:I, s:b, s:o}", "object", o->object, "output", o->output,
					     "size", (json_int_t)size, "dry_run", (int)o->dry_run, "sites",
					     output_changes(stamped->t, stamped->s)), err);
	printf("%s %s (%zu bytes)\n", o->dry_run ? "would write" : "wrote", o->output, size);
	output_change_lines(stdout, stamped->t, stamped->s);
	return 0;
}

int cmd_patch(const struct options *o, struct bpfstamp_err *err)
{
	struct stamped stamped;
	uint8_t *bytes;
	size_t size;
	int ret = -1;

	if (values_stamp(&stamped, o, err))
		return -1;
	size = bpfstamp_elf_size(stamped.s);
	bytes = malloc(size);
	if (!bytes)
		bpfstamp_err_set(err, ENOMEM, "out of memory");
	else if (!bpfstamp_elf(stamped.s, bytes, size, err) &&
		 (o->dry_run || !replace_file(o->output, bytes, size, err)))
		ret = report(&stamped, o, size, err);
	free(bytes);
	values_free(&stamped);
	return ret;
}
