/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_BARE_PROCESS_H
#define BENCH_BARE_PROCESS_H

/* Values that occur nowhere else in pod.bpf.c: where they stand, others are put. */
enum { BARE_VNI = 0x55aa31, BARE_VLAN = 0x7a5, BARE_ADDR = 0x0a3b5c7d };

#endif
