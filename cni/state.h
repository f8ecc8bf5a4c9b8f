/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the plugin made for a pod, kept where it lives exactly as long as that:
 * in a bpffs, as the value of a pinned array map.
 *
 *	PINPATH/bpfstamp-cni/NETWORK/CONTAINER:IFNAME/state	JSON, below
 *	PINPATH/bpfstamp-cni/NETWORK/CONTAINER:IFNAME/linkN	the link of the Nth attachment, where it is one
 *
 * It is written before the first thing is made and removed after the last one
 * is gone, so that whoever comes after a crash knows all that may be there.  A
 * new state replaces an old one in one step (rename).  The folder is the lock of
 * this pod (flock): one process at a time adds, deletes or checks it.
 *
 *	{ "host": NAME, "ifindex": N, "end": N, "made": BOOL, "netns": PATH, "inode": N, "cookie": N,
 *	  "pods": [[NETWORK, ADDRESS, IFINDEX, MAC]…],
 *	  "attachments": [{ "dev", "ifindex", "hook", "direction", "prio", "handle", "link", "clsact", "program" }…],
 *	  "ipam": { "config", "result" } }
 *
 * where linkN is the attachment's whose link is N (kept.h reads and writes this).
 */
#ifndef CNI_STATE_H
#define CNI_STATE_H

#include "cni/cni.h"

struct state {
	int lock;		/* fd of the folder; -1: not locked */
	char dir[4096];		/* path of the folder */
};

/*
 * Lock a pod, and make its folder where create is set; else, where there is none, ENOENT, and folders above it that
 * are empty are removed: a removal that was cut short may have left them.  Waits for who has it.
 */
int state_lock(struct state *s, const char *pin_path, const char *network, const char *container,
	       const char *ifname, bool create, struct bpfstamp_err *err);
void state_unlock(struct state *s);

/*
 * Lock an open folder of that path, waiting at most until the deadline, which is that of state_patience() or of a
 * test; then CNI_TRY_AGAIN.
 */
int64_t state_patience(void);
int state_flock(int fd, const char *dir, int64_t deadline, struct bpfstamp_err *err);

/* *out: a new reference, or NULL where there is none.  A pin that is not ours, or not JSON, is an error. */
int state_read(const struct state *s, json_t **out, struct bpfstamp_err *err);
int state_write(const struct state *s, const json_t *value, struct bpfstamp_err *err);

/* The pin of link n; and its removal, which detaches the link.  That there *was none is no error. */
enum { STATE_LINK_SIZE = sizeof(((struct bpfstamp_attachment *)0)->pin) };
int state_link_path(char path[STATE_LINK_SIZE], const struct state *s, unsigned int n, struct bpfstamp_err *err);
int state_remove_link(const struct state *s, unsigned int n, bool *was, struct bpfstamp_err *err);

/* Remove the pins and the folder, and that of the network where it is empty then; unlocks. */
int state_remove(struct state *s, struct bpfstamp_err *err);

/*
 * Call fn with container and ifname of each pod of a network that has a state; it returns 0 to go on.  Empty folders
 * are removed as by state_lock.
 */
typedef int state_fn(const char *container, const char *ifname, void *arg, struct bpfstamp_err *err);
int state_each(const char *pin_path, const char *network, state_fn *fn, void *arg, struct bpfstamp_err *err);

/* state_lock, where there is no pod, and state_each remove folders of a network that were left empty. */

#endif
