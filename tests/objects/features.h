/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs here that try one feature each have in common, beside what
 * helpers.h has for those in bpf/, too.
 */
#ifndef TESTS_OBJECTS_FEATURES_H
#define TESTS_OBJECTS_FEATURES_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "helpers.h"

#define ARRAY(name, of) __typeof__(of) *name[]

#define NOINLINE __attribute__((noinline))
#define LICENSE char _license[] SEC("license") = "Dual BSD/GPL"

/* What a loader finds in the kernel. */
#define KSYM __attribute__((section(".ksyms")))
#define KCONFIG __attribute__((section(".kconfig")))
#define WEAK __attribute__((weak))

/* Nothing that the compiler knows about x holds any longer. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)BPF_FUNC_map_delete_elem;
static long (*const bpf_map_push_elem)(void *map, const void *value, __u64 flags) =
	(void *)BPF_FUNC_map_push_elem;
static long (*const bpf_map_pop_elem)(void *map, void *value) = (void *)BPF_FUNC_map_pop_elem;
static long (*const bpf_map_peek_elem)(void *map, void *value) = (void *)BPF_FUNC_map_peek_elem;
static long (*const bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)BPF_FUNC_tail_call;
static long (*const bpf_redirect_map)(void *map, __u64 key, __u64 flags) = (void *)BPF_FUNC_redirect_map;

#endif
