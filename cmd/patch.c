// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp patch: write the stamped object.  It is written beside OUT and
 * renamed over it, so that OUT is never half a file, and may be OBJ itself.
 * Where OUT is a symbolic link, what it points to is replaced; where it is no
 * regular file (/dev/stdout on a pipe, say), it is written to.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

static int cannot_write(const char *path, struct bpfstamp_err *err)
{
	return bpfstamp_err_set(err, errno, "cannot write %s: %s", path, strerror(errno));
}

static int write_into(const char *path, const uint8_t *bytes, size_t size, struct bpfstamp_err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), failed;

	if (fd < 0)
		return cannot_write(path, err);
	failed = write_all(fd, bytes, size);
	failed |= close(fd);
	return failed ? cannot_write(path, err) : 0;
}

static int replace_file(const char *path, const uint8_t *bytes, size_t size, struct bpfstamp_err *err)
{
	char temporary[PATH_MAX];
	mode_t mask = umask(0);
	int fd, failed;

	umask(mask);
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return cannot_write(path, err);
	}
	fd = mkstemp(temporary);
	if (fd < 0)
		return cannot_write(path, err);
	failed = write_all(fd, bytes, size) || fchmod(fd, 0666 & ~mask);
	failed |= close(fd);
	if (failed || rename(temporary, path)) {
		cannot_write(path, err);
		unlink(temporary);
		return -1;
	}
	return 0;
}

static int write_output(const char *path, const uint8_t *bytes, size_t size, struct bpfstamp_err *err)
{
	char real[PATH_MAX];
	struct stat there;

	if (stat(path, &there))
		return replace_file(path, bytes, size, err);
	if (!S_ISREG(there.st_mode))
		return write_into(path, bytes, size, err);
	return realpath(path, real) ? replace_file(real, bytes, size, err) : cannot_write(path, err);
}

static int report(const struct stamped *stamped, const struct options *o, size_t size, struct bpfstamp_err *err)
{
	if (o->json)
		return output_json(json_pack("{s:o, s:o, s:I, s:b, s:o, s:o}", "object", output_text(o->object),
					     "output", output_text(o->output), "size", (json_int_t)size,
					     "dry_run", (int)o->dry_run, "inlined", output_inlined(stamped->t),
					     "sites", output_changes(stamped->t, stamped->s)), err);
	printf("%s %s (%zu bytes)\n", o->dry_run ? "would write" : "wrote", o->output, size);
	output_change_lines(stdout, stamped->t, stamped->s);
	if (o->dry_run)
		output_inlined_lines(stdout, stamped->t);
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
		 (o->dry_run || !write_output(o->output, bytes, size, err)))
		ret = report(&stamped, o, size, err);
	free(bytes);
	values_free(&stamped);
	return ret;
}
