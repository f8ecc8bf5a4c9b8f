// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pins of links.  Their names say what they are of:
 *
 *	PATH/bpfstamp/NETNS-IFINDEX-HOOK_DIRECTION-PROGRAM[-N]
 *	/sys/fs/bpf/bpfstamp/4026531840-7-tcx_egress-filter_out
 *
 * NETNS is the inode of the network namespace; N, from 2 on, tells several
 * links of one program's name apart.  In PROGRAM, all but letters and digits
 * becomes '_': a bpffs takes no dot, and the '-' separates.  Neither inode nor
 * ifindex is used for one thing only forever, so the link behind a pin is always
 * asked where it is, and one whose interface is gone counts as none.  A link goes
 * with its interface to another namespace, and its pin keeps the name of the old one:
 * there it is found by its record and its id, but not as the place of an attach.
 *
 * A pin that leads elsewhere is replaced by unlink and pin, with the link made
 * before: killed in between, the process takes the link with it, and the next
 * attempt starts from nothing.  A rename onto the pin would need another name,
 * and a link left there would be found by nobody.
 *
 * Inodes of a bpffs are numbered upwards: by its inode a pin is known again
 * before it is removed.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook/linkpin.h"
#include "loader/err.h"
#include "loader/pin.h"
#include "loader/sys.h"

/* ----------------------------------------------------------------- names */

void linkpin_name(char out[LINKPIN_SIZE], const char *program)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	snprintf(out, LINKPIN_SIZE, "%s", program);
	for (char *c = out; *c; c++)
		if (!strchr(plain, *c))
			*c = '_';
}

static int print_folder(char folder[LINKPIN_SIZE], const char *pin_path)
{
	return snprintf(folder, LINKPIN_SIZE, "%s/" PIN_FOLDER, pin_path ? pin_path : PIN_DEFAULT);
}

/* What the names of all pins of a hook begin with. */
static int print_prefix(char *buf, size_t size, const struct mprog_hook *hook, struct bpfstamp_err *err)
{
	ino_t netns;

	if (hook_netns(hook->net, &netns, err))
		return -1;
	snprintf(buf, size, "%ju-%d-%s_%s-", (uintmax_t)netns, hook->ifindex, mprog_type_name(hook->type),
		 mprog_direction_name(hook->direction));
	return 0;
}

int linkpin_path(char path[LINKPIN_SIZE], const struct mprog_hook *hook, const char *pin_path, const char *pin,
		 const char *program, uint32_t n, struct bpfstamp_err *err)
{
	char name[LINKPIN_SIZE], prefix[64], suffix[16] = "";
	size_t used;

	if (n > 1)
		snprintf(suffix, sizeof(suffix), "-%u", n);
	if (pin) {
		used = (size_t)snprintf(path, LINKPIN_SIZE, "%s%s", pin, suffix);
	} else {
		linkpin_name(name, program);
		if (print_prefix(prefix, sizeof(prefix), hook, err))
			return -1;
		used = (size_t)print_folder(path, pin_path);
		if (used < LINKPIN_SIZE)
			used += (size_t)snprintf(path + used, LINKPIN_SIZE - used, "/%s%s%s", prefix, name, suffix);
	}
	if (used < LINKPIN_SIZE && strlen(program) < LINKPIN_SIZE)
		return 0;
	return err_set(err, ENAMETOOLONG, "%s: the path of the link's pin is longer than %d bytes: %.64s…",
		       hook->dev, LINKPIN_SIZE - 1, path);
}

void linkpin_folder(char folder[LINKPIN_SIZE], const char *path)
{
	char *slash;

	snprintf(folder, LINKPIN_SIZE, "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		strcpy(folder, ".");
	else
		slash[slash == folder] = '\0';
}

/* A number of decimal digits, and the byte behind it; NULL where there is none. */
static const char *read_number(const char *text, char behind, uint64_t *out)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 19 || text[digits] != behind)
		return NULL;
	*out = strtoull(text, NULL, 10);
	return text + digits + 1;
}

static bool read_name(const char *file, struct linkpin_info *out)
{
	uint64_t ifindex, n;
	const char *rest = read_number(file, '-', &out->netns), *dash;
	char hook[32];

	rest = rest ? read_number(rest, '-', &ifindex) : NULL;
	if (!rest || ifindex > INT32_MAX)
		return false;
	out->ifindex = (uint32_t)ifindex;
	for (size_t i = 0; i < MPROG_KINDS; i++) {
		int len = snprintf(hook, sizeof(hook), "%s_%s-", mprog_type_name(mprog_kinds[i].type),
				   mprog_direction_name(mprog_kinds[i].direction));

		if (strncmp(rest, hook, (size_t)len) != 0)
			continue;
		out->type = mprog_kinds[i].type;
		out->direction = mprog_kinds[i].direction;
		snprintf(out->program, sizeof(out->program), "%s", rest + len);
		dash = strchr(rest + len, '-');
		if (dash)
			out->program[dash - (rest + len)] = '\0';
		return !dash || read_number(dash + 1, '\0', &n);
	}
	return false;
}

/* ------------------------------------------------------------------ pins */

/* Where an fd cannot say what it is of, it has to be a link that makes sense. */
static enum linkpin_kind kind_of(int fd)
{
	switch (pin_kind(fd)) {
	case PIN_UNKNOWN:
	case PIN_LINK:
		return LINKPIN_LINK;
	case PIN_PROGRAM:
		return LINKPIN_PROGRAM;
	default:
		return LINKPIN_OTHER;
	}
}

static void look_at(struct linkpin *pin)
{
	struct bpf_prog_info info = { 0 };

	pin->kind = kind_of(pin->fd);
	if (pin->kind == LINKPIN_LINK && mprog_link_info(pin->fd, &pin->link))
		pin->kind = LINKPIN_OTHER;
	if (pin->kind == LINKPIN_PROGRAM && !sys_prog_info(pin->fd, &info))
		pin->program = info.id;
}

static int cannot_open(const char *path, int code, struct bpfstamp_err *err)
{
	const char *slash = strrchr(path, '/');

	err_set(err, code, "cannot open the pin %s: %s", path, strerror(code));
	if (code == EACCES)
		return err_hint(err, ": it is no pin, or another user's");
	if (code != EPERM)
		return -1;
	return err_hint(err, strchr(slash ? slash : path, '.') ? ": a bpffs allows no dot in a name" :
			": needs the capability CAP_BPF (or CAP_SYS_ADMIN)");
}

int linkpin_open(const char *path, struct linkpin *out, struct bpfstamp_err *err)
{
	struct linkpin pin = { .kind = LINKPIN_NONE, .fd = -1 };
	struct stat st;

	if (!lstat(path, &st))
		pin.fd = sys_obj_get(path);
	if (pin.fd < 0 && errno != ENOENT)
		return cannot_open(path, errno, err);
	if (pin.fd >= 0) {
		pin.inode = st.st_ino;
		look_at(&pin);
	}
	*out = pin;
	return 0;
}

void linkpin_close(struct linkpin *pin)
{
	if (pin->fd >= 0)
		close(pin->fd);
	pin->fd = -1;
}

/* Whether the pin is still the one that was opened. */
static bool is_there(const char *path, const struct linkpin *pin)
{
	struct stat st;

	return !lstat(path, &st) && st.st_ino == pin->inode;
}

int linkpin_put(const char *path, int link, const struct linkpin *there, struct bpfstamp_err *err)
{
	char folder[LINKPIN_SIZE];
	bool unlinked = false;
	size_t made;

	linkpin_folder(folder, path);
	if (pin_make_folders(folder, &made, err))
		return -1;
	if (there->kind != LINKPIN_NONE && is_there(path, there)) {
		if (unlink(path))
			return err_set(err, errno, "cannot remove the pin %s: %s", path, strerror(errno));
		unlinked = true;
	}
	if (!pin_fd(path, link, err))
		return 0;
	if (unlinked)
		sys_obj_pin(path, there->fd);
	pin_remove_folders(folder, made);
	return -1;
}

static int not_it(const char *path, struct bpfstamp_err *err)
{
	return err_set(err, ENOENT, "the pin %s was removed, or is of another link by now", path);
}

int linkpin_remove(const char *path, const struct linkpin *there, struct bpfstamp_err *err)
{
	char folder[LINKPIN_SIZE];
	const char *name;

	if (!is_there(path, there))
		return not_it(path, err);
	if (unlink(path))
		return err_set(err, errno, "cannot remove the pin %s: %s", path, strerror(errno));
	linkpin_folder(folder, path);
	name = strrchr(folder, '/');
	if (name && !strcmp(name, "/" PIN_FOLDER))
		rmdir(folder);		/* fails, as it should, where it is not empty */
	return 0;
}

int linkpin_remove_link(const char *path, uint32_t link, struct bpfstamp_err *err)
{
	struct linkpin pin;
	int ret;

	if (linkpin_open(path, &pin, err))
		return -1;
	ret = pin.kind == LINKPIN_LINK && pin.link.id == link ? linkpin_remove(path, &pin, err) : not_it(path, err);
	linkpin_close(&pin);
	return ret;
}

/* ------------------------------------------------------------------- all */

bool linkpin_find(const char *pin_path, uint32_t link, char path[LINKPIN_SIZE])
{
	const char *found = NULL;
	struct bpfstamp_pins *pins;
	struct bpfstamp_err ignored;

	if (bpfstamp_pins_open(&pins, pin_path, &ignored))
		return false;
	found = bpfstamp_pins_link(pins, link);
	if (found && snprintf(path, LINKPIN_SIZE, "%s", found) >= LINKPIN_SIZE) {
		*path = '\0';
		found = NULL;
	}
	bpfstamp_pins_free(pins);
	return found;
}

struct walk {
	const char *folder, *prefix;
	linkpin_fn *fn;
	void *arg;
};

static int visit(const struct walk *w, const char *file, struct bpfstamp_err *err)
{
	struct linkpin_info info;
	char path[LINKPIN_SIZE];
	struct linkpin pin;
	int ret = 0;

	if (strncmp(file, w->prefix, strlen(w->prefix)) != 0 || !read_name(file, &info))
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", w->folder, file) >= (int)sizeof(path) ||
	    linkpin_open(path, &pin, err))
		return 0;
	if (pin.kind == LINKPIN_LINK && mprog_link_is(&pin.link, info.type, info.direction))
		ret = w->fn(path, &info, &pin.link, w->arg, err);
	linkpin_close(&pin);
	return ret;
}

int linkpin_each(const char *pin_path, const struct mprog_hook *hook, linkpin_fn *fn, void *arg,
		 struct bpfstamp_err *err)
{
	char folder[LINKPIN_SIZE], prefix[64] = "";
	struct walk w = { .folder = folder, .prefix = prefix, .fn = fn, .arg = arg };
	const struct dirent *entry;
	DIR *dir;
	int ret = 0;

	if (print_folder(folder, pin_path) >= LINKPIN_SIZE)
		return err_set(err, ENAMETOOLONG, "the path of a bpffs is too long: %.64s…", pin_path);
	if (hook && print_prefix(prefix, sizeof(prefix), hook, err))
		return -1;
	dir = opendir(folder);
	if (!dir)
		return errno == ENOENT || errno == EACCES ? 0 :
			err_set(err, errno, "cannot look at the pins in %s: %s", folder, strerror(errno));
	while (!ret && (entry = readdir(dir)))
		ret = visit(&w, entry->d_name, err);
	closedir(dir);
	return ret;
}
