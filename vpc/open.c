// SPDX-License-Identifier: BSD-2-Clause
/*
 * The maps of bpf/vpc.h by their pins.
 *
 * A pin is a name that anybody who may write to the folder can give to anything,
 * and the kernel copies as many bytes as the map has, not as many as we expect:
 * type and sizes are looked at before the first key is handed over.  A value of
 * vpc_stats is one for each processor that may ever be online, which the kernel
 * counts once when it boots.
 *
 * Programs pin both maps, one after the other, before the first of them is
 * attached: who finds only one has come too early, or to a folder that somebody
 * is clearing.  Without vpc_stats, whose pods are where is known nevertheless, and
 * can be changed: a pod that goes must not stay in vpc_pods for want of its counters.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/mapfill.h"
#include "loader/pin.h"
#include "loader/sys.h"
#include "vpc/vpc.h"

static const struct bpfstamp_vpc closed = {
	.pods = { "vpc_pods", BPF_MAP_TYPE_HASH, sizeof(struct vpc_pod_key), sizeof(struct vpc_pod), -1, 0, 0 },
	.stats = { "vpc_stats", BPF_MAP_TYPE_PERCPU_HASH, sizeof(struct vpc_stats_key), sizeof(struct vpc_stats), -1,
		   0, 0 },
};

_Static_assert(sizeof(struct vpc_pod_key) == 20 && sizeof(struct vpc_pod) == 28, "as the programs have them");
_Static_assert(sizeof(struct vpc_stats) % 8 == 0, "values of processors stand at multiples of 8 bytes");

int vpc_failed(const char *doing, struct bpfstamp_err *err)
{
	int code = errno;

	err_set(err, code, "cannot %s: %s", doing, strerror(code));
	return code == EPERM ? err_hint(err, ": needs the capability CAP_BPF (or CAP_SYS_ADMIN)") : -1;
}

static int check_map(struct vpc_map *map, const char *path, struct bpfstamp_err *err)
{
	struct bpf_map_info info = { 0 };
	const char *type;

	if (sys_map_info(map->fd, &info))
		return err_set(err, errno, "cannot look at the map of %s: %s", path, strerror(errno));
	type = bpfstamp_map_type_name(info.type);
	if (info.type != map->type || info.key_size != map->key_size || info.value_size != map->value_size)
		return err_set(err, EINVAL, "%s is another map (%s, key %u, value %u), not %s of the VPC programs "
			       "(%s, key %u, value %u): remove the pin, or choose another folder", path,
			       type ? type : "unknown", info.key_size, info.value_size, map->name,
			       bpfstamp_map_type_name(map->type), map->key_size, map->value_size);
	map->id = info.id;
	map->room = info.max_entries;
	return 0;
}

static int open_map(struct vpc_map *map, const char *folder, struct bpfstamp_err *err)
{
	char path[PIN_PATH_SIZE];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, map->name) >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "cannot open the pin of %s in %.64s…: the path is too long",
			       map->name, folder);
	if (pin_open_map(path, &map->fd, err))
		return -1;
	if (map->fd < 0)
		return err_set(err, ENOENT, "there is no %s in %s: attach a VPC program first, or name the folder "
			       "where it pins its maps", map->name, folder);
	return check_map(map, path, err);
}

int bpfstamp_vpc_open(struct bpfstamp_vpc **out, const char *pin_path, struct bpfstamp_err *err)
{
	const char *folder = pin_path ? pin_path : PIN_DEFAULT;
	struct bpfstamp_vpc *vpc = malloc(sizeof(*vpc));

	if (!vpc)
		return err_set(err, ENOMEM, "out of memory");
	*vpc = closed;
	if (open_map(&vpc->pods, folder, err) ||
	    (open_map(&vpc->stats, folder, err) && (vpc->stats.fd >= 0 || err->code != ENOENT)) ||
	    mapmake_cpus(&vpc->cpus, err)) {
		bpfstamp_vpc_close(vpc);
		return -1;
	}
	*out = vpc;
	return 0;
}

void bpfstamp_vpc_close(struct bpfstamp_vpc *vpc)
{
	if (!vpc)
		return;
	if (vpc->pods.fd >= 0)
		close(vpc->pods.fd);
	if (vpc->stats.fd >= 0)
		close(vpc->stats.fd);
	free(vpc);
}
