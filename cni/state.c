// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the plugin made for a pod, in a bpffs (state.h has the layout).
 *
 * Names.  A bpffs takes no dot, and names of networks, containers and
 * interfaces may have some: all but letters, digits, '_' and '-' becomes %XX, so
 * that two names never meet in one, and a folder tells whose it is.
 *
 * The lock is held by whoever has the pod's folder locked with flock(2) while
 * it is still the one at that path: who removes a pod removes the folder, and
 * whoever waited for it begins anew.  It ends with its process, however that
 * ends, and with that of the IPAM plugin that it runs (ipam.c).  Nobody waits longer
 * than PATIENCE, because a runtime asks again, and does not ask about what hangs.
 *
 * A state is never changed.  A new one is a new map, frozen where the kernel
 * can, pinned beside the old one and renamed over it.  Killed in between, a
 * process leaves the pin beside it, which the next who locks removes.
 *
 * A link that is pinned here lives by that pin: without it the program is
 * detached, whether or not there still is an interface or a namespace.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cni/state.h"
#include "loader/err.h"
#include "loader/load.h"
#include "loader/pin.h"
#include "loader/sys.h"

#define FOLDER "bpfstamp-cni"
#define MAP_NAME "bpfstamp_cni"

enum {
	NAME_SIZE = 256,	/* of a file, with the NUL */
	VALUE_MAX = 1 << 20,
	PATIENCE = 60,		/* seconds */
	PAUSE = 2000000,	/* nanoseconds between two attempts to lock */
};

/* ----------------------------------------------------------------- names */

static bool is_plain(char c)
{
	return (isascii((unsigned char)c) && isalnum((unsigned char)c)) || c == '_' || c == '-';
}

/* The length, or size where it does not fit. */
static size_t escape(char *out, size_t size, const char *name)
{
	size_t used = 0;

	for (; *name; name++) {
		size_t length = is_plain(*name) ? 1 : 3;

		if (used + length >= size)
			return size;
		if (length == 1)
			out[used] = *name;
		else
			snprintf(out + used, 4, "%%%02x", (unsigned char)*name);
		used += length;
	}
	out[used] = '\0';
	return used;
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The len bytes that escape made; false where it did not. */
static bool unescape(char out[NAME_SIZE], const char *text, size_t len)
{
	size_t used = 0;

	if (!len || len >= NAME_SIZE)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (is_plain(text[i])) {
			out[used++] = text[i];
			continue;
		}
		if (text[i] != '%' || len - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
			return false;
		out[used++] = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
		i += 2;
	}
	out[used] = '\0';
	return strlen(out) == used;
}

static int too_long(const char *what, const char *name, struct bpfstamp_err *err)
{
	return err_set(err, ENAMETOOLONG, "the %s is too long for the state's place in the bpffs: %.64s…", what,
		       name);
}

static int network_dir(char dir[4096], const char *pin_path, const char *network, struct bpfstamp_err *err)
{
	char name[NAME_SIZE];

	if (escape(name, sizeof(name), network) >= sizeof(name))
		return too_long("name of the network", network, err);
	if (snprintf(dir, 4096, "%s/" FOLDER "/%s", pin_path, name) >= 4096)
		return too_long("pinPath", pin_path, err);
	return 0;
}

static int pod_dir(char dir[4096], const char *pin_path, const char *network, const char *container,
		   const char *ifname, struct bpfstamp_err *err)
{
	char name[NAME_SIZE];
	size_t used, len;

	if (network_dir(dir, pin_path, network, err))
		return -1;
	used = escape(name, sizeof(name), container);
	if (used + 1 >= sizeof(name))
		return too_long("container id", container, err);
	name[used++] = ':';
	if (escape(name + used, sizeof(name) - used, ifname) >= sizeof(name) - used)
		return too_long("container id", container, err);
	len = strlen(dir);
	if ((size_t)snprintf(dir + len, 4096 - len, "/%s", name) >= 4096 - len)
		return too_long("pinPath", pin_path, err);
	return 0;
}

/* The path of a pin in the folder. */
static int pin_path_of(char path[4096], const struct state *s, const char *name, struct bpfstamp_err *err)
{
	if (snprintf(path, 4096, "%s/%s", s->dir, name) >= 4096)
		return too_long("pinPath", s->dir, err);
	return 0;
}

int state_link_path(char path[STATE_LINK_SIZE], const struct state *s, unsigned int n, struct bpfstamp_err *err)
{
	if (snprintf(path, STATE_LINK_SIZE, "%s/link%u", s->dir, n) < STATE_LINK_SIZE)
		return 0;
	return err_set(err, ENAMETOOLONG, "the path of the link's pin would be longer than %d bytes: choose a "
		       "shorter pinPath or name of the network: %.64s…", STATE_LINK_SIZE - 1, s->dir);
}

/* ------------------------------------------------------------------ lock */

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int64_t state_patience(void)
{
	return seconds() + PATIENCE;
}

int state_flock(int fd, const char *dir, int64_t deadline, struct bpfstamp_err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE };

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(err, errno, "cannot lock %s: %s", dir, strerror(errno));
		if (seconds() > deadline)
			return err_set(err, CNI_ERROR + CNI_TRY_AGAIN, "another process has had %s locked for %d "
				       "seconds: try again", dir, PATIENCE);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static bool is_at(int fd, const char *path)
{
	struct stat opened, there;

	return !fstat(fd, &opened) && !stat(path, &there) && opened.st_dev == there.st_dev &&
	       opened.st_ino == there.st_ino;
}

static int no_folder(const char *dir, int code, struct bpfstamp_err *err)
{
	return err_set(err, code, "cannot open %s: %s", dir, strerror(code));
}

/* 1: locked; 0: the folder was removed meanwhile. */
static int try_lock(struct state *s, int64_t deadline, struct bpfstamp_err *err)
{
	int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return no_folder(s->dir, errno, err);
	if (state_flock(fd, s->dir, deadline, err)) {
		close(fd);
		return -1;
	}
	if (!is_at(fd, s->dir)) {
		close(fd);
		return 0;
	}
	s->lock = fd;
	return 1;
}

/*
 * Remove the folder of a network, and that of all networks, where they are empty.  Who makes a folder in them
 * at this moment begins anew.
 */
static void remove_empty(char *dir)
{
	if (!rmdir(dir) || errno == ENOENT) {
		*strrchr(dir, '/') = '\0';
		rmdir(dir);
	}
}

static void remove_above(char *pod)
{
	*strrchr(pod, '/') = '\0';
	remove_empty(pod);
}

/* Nothing can be there: ENOENT, where there is no need to make it. */
static int no_place(bool create, struct bpfstamp_err *err)
{
	if (!create && (err->code == ENAMETOOLONG || err->code == ENOTDIR))
		err->code = ENOENT;
	return -1;
}

int state_lock(struct state *s, const char *pin_path, const char *network, const char *container,
	       const char *ifname, bool create, struct bpfstamp_err *err)
{
	int64_t deadline = state_patience();
	char leftover[4096];
	size_t made;
	int ret;

	s->lock = -1;
	if (pod_dir(s->dir, pin_path, network, container, ifname, err) ||
	    pin_path_of(leftover, s, "new", err))
		return no_place(create, err);
	do {
		ret = create ? pin_make_folders(s->dir, &made, err) : 0;
		if (!ret)
			ret = try_lock(s, deadline, err);
		if (ret < 0 && create && err->code == ENOENT && seconds() <= deadline)
			ret = 0;
	} while (!ret);
	if (ret > 0) {
		unlink(leftover);
		return 0;
	}
	if (!create)
		remove_above(s->dir);
	return no_place(create, err);
}

void state_unlock(struct state *s)
{
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}

/* ------------------------------------------------------------------ read */

static json_t *parse(const char *path, const char *text, size_t size, struct bpfstamp_err *err)
{
	json_t *value = NULL;
	json_error_t where;

	if (memchr(text, '\0', size))
		value = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(value)) {
		json_decref(value);
		err_set(err, EINVAL, "the state in %s is no JSON object: remove the pin", path);
		return NULL;
	}
	return value;
}

static json_t *read_map(int fd, const char *path, struct bpfstamp_err *err)
{
	struct bpf_map_info info = { 0 };
	const uint32_t key = 0;
	json_t *value = NULL;
	char *text;

	if (sys_map_info(fd, &info)) {
		err_set(err, errno, "cannot look at the map of %s: %s", path, strerror(errno));
		return NULL;
	}
	if (info.type != BPF_MAP_TYPE_ARRAY || info.key_size != 4 || info.max_entries != 1 ||
	    info.value_size > VALUE_MAX || strcmp(info.name, MAP_NAME) != 0) {
		err_set(err, EINVAL, "%s is not the pin of a state of bpfstamp-cni: remove it", path);
		return NULL;
	}
	/* The kernel writes values in multiples of 8 bytes. */
	text = calloc(1, (size_t)info.value_size + 8);
	if (!text)
		err_set(err, ENOMEM, "no memory for the state");
	else if (sys_map_lookup(fd, &key, text))
		err_set(err, errno, "cannot read the state in %s: %s", path, strerror(errno));
	else
		value = parse(path, text, info.value_size, err);
	free(text);
	return value;
}

int state_read(const struct state *s, json_t **out, struct bpfstamp_err *err)
{
	json_t *value = NULL;
	char path[4096];
	int fd;

	if (pin_path_of(path, s, "state", err) || pin_open_map(path, &fd, err))
		return -1;
	if (fd >= 0) {
		value = read_map(fd, path, err);
		close(fd);
		if (!value)
			return -1;
	}
	*out = value;
	return 0;
}

/* ----------------------------------------------------------------- write */

static int create_map(uint32_t value_size)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = value_size;
	attr.max_entries = 1;
	sys_name(attr.map_name, MAP_NAME);
	fd = sys_map_create(&attr);
	if (fd < 0 && errno == EPERM && load_raise_memlock(NULL))
		fd = sys_map_create(&attr);
	return fd;
}

static int make_map(const char *text, struct bpfstamp_err *err)
{
	const uint32_t key = 0;
	size_t size = strlen(text) + 1;
	int fd;

	if (size > VALUE_MAX)
		return err_set(err, E2BIG, "the state of this pod would take %zu bytes", size);
	fd = create_map((uint32_t)size);
	if (fd < 0)
		return err_set(err, errno, "cannot make a map for the state: %s%s", strerror(errno), errno == EPERM ?
			       ": needs the capability CAP_BPF (or CAP_SYS_ADMIN)" : "");
	if (sys_map_update(fd, &key, text)) {
		err_set(err, errno, "cannot write the state into its map: %s", strerror(errno));
		close(fd);
		return -1;
	}
	sys_map_freeze(fd);	/* Linux 5.2 */
	return fd;
}

static int put(const struct state *s, int map, struct bpfstamp_err *err)
{
	char path[4096], beside[4096];

	if (pin_path_of(path, s, "state", err) || pin_path_of(beside, s, "new", err) || pin_fd(beside, map, err))
		return -1;
	if (!rename(beside, path))
		return 0;
	err_set(err, errno, "cannot rename %s to %s: %s", beside, path, strerror(errno));
	unlink(beside);
	return -1;
}

int state_write(const struct state *s, const json_t *value, struct bpfstamp_err *err)
{
	char *text = json_dumps(value, JSON_COMPACT);
	int map, ret;

	if (!text)
		return err_set(err, ENOMEM, "no memory for the state");
	map = make_map(text, err);
	free(text);
	if (map < 0)
		return -1;
	ret = put(s, map, err);
	close(map);
	return ret;
}

/* ---------------------------------------------------------------- remove */

int state_remove_link(const struct state *s, unsigned int n, bool *was, struct bpfstamp_err *err)
{
	char path[STATE_LINK_SIZE];
	int fd, ret = 0;

	if (state_link_path(path, s, n, err))
		return -1;
	fd = sys_obj_get(path);
	*was = fd >= 0 || errno != ENOENT;
	if (!*was)
		return 0;
	if (unlink(path))
		ret = err_set(err, errno, "cannot remove the pin %s: %s", path, strerror(errno));
	else if (fd >= 0)
		sys_link_detach(fd);	/* somebody else may hold it, too; no news where its interface is gone */
	if (fd >= 0)
		close(fd);
	return ret;
}

/* All pins but the state, which goes last, so that a folder without one has nothing in it. */
static int remove_pins(const struct state *s, struct bpfstamp_err *err)
{
	struct dirent *entry;
	char path[4096];
	DIR *dir = opendir(s->dir);
	int ret = 0;

	if (!dir)
		return no_folder(s->dir, errno, err);
	while (!ret && (entry = readdir(dir))) {
		if (*entry->d_name == '.' || !strcmp(entry->d_name, "state"))
			continue;
		if (pin_path_of(path, s, entry->d_name, err))
			ret = -1;
		else if (unlink(path) && errno != ENOENT)
			ret = err_set(err, errno, "cannot remove the pin %s: %s", path, strerror(errno));
	}
	closedir(dir);
	return ret;
}

int state_remove(struct state *s, struct bpfstamp_err *err)
{
	char path[4096];

	if (pin_path_of(path, s, "state", err) || remove_pins(s, err))
		return -1;
	if (unlink(path) && errno != ENOENT)
		return err_set(err, errno, "cannot remove the pin %s: %s", path, strerror(errno));
	if (rmdir(s->dir))
		return err_set(err, errno, "cannot remove the folder %s: %s", s->dir, strerror(errno));
	state_unlock(s);
	remove_above(s->dir);
	return 0;
}

/* ------------------------------------------------------------------- all */

static int is_pod(const struct dirent *entry)
{
	return *entry->d_name != '.' && strchr(entry->d_name, ':');
}

int state_each(const char *pin_path, const char *network, state_fn *fn, void *arg, struct bpfstamp_err *err)
{
	char dir[4096], container[NAME_SIZE], ifname[NAME_SIZE];
	struct dirent **pods;
	int count, ret = 0;

	if (network_dir(dir, pin_path, network, err))
		return -1;
	count = scandir(dir, &pods, is_pod, alphasort);
	if (count < 0 && errno != ENOENT)
		return no_folder(dir, errno, err);
	if (count < 0)
		pods = NULL;
	for (int i = 0; i < count; i++) {
		const char *name = pods[i]->d_name, *colon = strchr(name, ':');

		if (!ret && unescape(container, name, (size_t)(colon - name)) &&
		    unescape(ifname, colon + 1, strlen(colon + 1)))
			ret = fn(container, ifname, arg, err);
		free(pods[i]);
	}
	free(pods);
	remove_empty(dir);
	return ret;
}
