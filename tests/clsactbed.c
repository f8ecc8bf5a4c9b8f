// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs stay open until their test, which is a process, ends; an attachment
 * is overwritten before it is asked for, so that a field that is not set shows.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "tests/clsactbed.h"

struct clsactbed clsactbed;

void clsactbed_setup(void)
{
	netns_setup();
	OK(bpfstamp_net_open(&clsactbed.net, NULL, &netns.err));
	clsactbed.hook = (struct bpfstamp_hook){
		.type = BPFSTAMP_CLSACT, .dev = "va", .direction = BPFSTAMP_EGRESS, .prio = 1, .handle = 1,
	};
}

void clsactbed_teardown(void)
{
	bpfstamp_net_close(clsactbed.net);
	netns_teardown();
}

int clsactbed_attach(const char *name)
{
	int program = netns_program(BPF_PROG_TYPE_SCHED_CLS);

	memset(&clsactbed.a, 0x5a, sizeof(clsactbed.a));
	return bpfstamp_attach(clsactbed.net, &clsactbed.hook, program, name, &clsactbed.a, &netns.err);
}

int clsactbed_check(const char *name, struct bpfstamp_plan *plan)
{
	return bpfstamp_attach_check(clsactbed.net, &clsactbed.hook, name, plan, &netns.err);
}

int clsactbed_detach(void)
{
	return bpfstamp_detach(clsactbed.net, &clsactbed.hook, false, &clsactbed.a, &netns.err);
}

int clsactbed_delete(bool dry)
{
	return bpfstamp_clsact_delete(clsactbed.net, "va", dry, &netns.err);
}

bool clsactbed_tells(const char *text, const char *what)
{
	return strstr(netns_output("tc -j %s", what), text);
}

unsigned int clsactbed_filters(const char *where)
{
	return (unsigned int)atoi(netns_output("tc filter show %s | grep -c handle", where));
}
