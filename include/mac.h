/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MAC addresses as text: 02:00:00:00:00:01.
 */
#ifndef MAC_H
#define MAC_H

#include <stdint.h>
#include <stdio.h>

enum { MAC_TEXT = sizeof("00:00:00:00:00:00") };

static inline void mac_print(char text[MAC_TEXT], const uint8_t mac[6])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

#endif
