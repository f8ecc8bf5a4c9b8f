// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Variables of every kind, in every data section.  The program reads all but
 * the one whose reads are folded away.
 */
#include <linux/bpf.h>

#include "helpers.h"

enum color { RED = 1, GREEN = -2, BLUE = 0x7fffffff };
enum distance { NEAR = 1, FAR = 0x1122334455667788 };

struct peer {
	__u32 addr;
	__u16 port;
	__u8 mac[6];
};

struct pair {
	__u16 a, b;
};

__u8 g_u8 = 8;
__u16 g_u16 = 0x1616;
__u32 g_u32 = 0xFEDCBA98;
__u64 g_u64 = 0x6464646464646464;
__s8 g_s8 = -8;
__s16 g_s16 = -16;
__s32 g_s32 = -32;
__s64 g_s64 = -64;
_Bool g_bool = 1;
enum color g_color = GREEN;
enum distance g_distance = FAR;
char g_name[16] = "eth0";
char g_four[4] = "abc";
struct peer g_peer = { 1, 2, { 3, 4, 5, 6, 7, 8 } };
struct pair g_pair = { 1, 2 };
__u32 g_array[2][3] = { { 1 } };
__u8 g_ip6[16] = { 1 };

__u32 b_u32;
__u64 b_u64;
static volatile __u32 b_static;

static volatile __u32 s_first = 5;
static volatile __u32 s_second = 6;

const volatile __u32 c_vni = 7;
static const volatile __u16 c_vlan = 12;

__u32 d_x SEC(".data.x") = 21;
const volatile __u32 r_x SEC(".rodata.x") = 22;

const __u32 folded = 9;

static __attribute__((noinline)) __u32 one(void)
{
	static volatile __u32 count = 100;

	return ++count;
}

static __attribute__((noinline)) __u32 two(void)
{
	static volatile __u32 count = 200;

	return ++count;
}

SEC("tc")
int all(struct __sk_buff *skb)
{
	__u64 sum = g_u8 + g_u16 + g_u32 + g_u64 + (__u64)(g_s8 + g_s16 + g_s32 + g_s64) + g_bool;

	sum += (__u64)g_color + g_distance + (__u64)g_name[skb->ifindex & 15] + (__u64)g_four[skb->ifindex & 3];
	sum += g_peer.addr + g_peer.port + g_peer.mac[5] + g_pair.a + g_pair.b;
	sum += g_array[1][2] + g_array[0][skb->ifindex & 1] + g_ip6[skb->ifindex & 15];
	sum += b_u32 + b_u64 + b_static + s_first + s_second;
	sum += c_vni + c_vlan + d_x + r_x + folded + one() + two();
	return (int)sum;
}

char _license[] SEC("license") = "Dual BSD/GPL";
