/* SPDX-License-Identifier: BSD-2-Clause */
/* Running programs on packets with BPF_PROG_TEST_RUN, and comparing what they did. */
#ifndef ORACLE_RUN_H
#define ORACLE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/oracle/generate.h"

enum { RUN_PACKETS = 48, RUN_PACKET_SIZE = 128 };

struct run_packet {
	uint8_t bytes[RUN_PACKET_SIZE];
	uint32_t mark, priority, cb[5];
};

/* Packets (RUN_PACKETS) whose fields are often the values, near them, or those turned around. */
void run_packets(struct run_packet *packets, struct prng *prng, const uint64_t *values, uint32_t count);

enum run_result { RUN_EQUAL, RUN_DIFFERENT, RUN_FAILED };

/* Run both on all packets; text says where they differ first. */
enum run_result run_compare(int a, int b, const struct run_packet *packets, char *text, size_t size);

#endif
