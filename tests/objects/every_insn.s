# SPDX-License-Identifier: BSD-2-Clause
#
# Every instruction of BPF ISA v1 to v4 in every form, with the registers and
# the immediates and offsets at the ends of their ranges, for the disassembler
# to be compared with llvm-objdump on.  Not a program that a kernel would load.
#
#   llvm-mc-19 -triple=bpfel -mcpu=v4 -filetype=obj
#   llvm-mc-19 -triple=bpfeb -mcpu=v4 -filetype=obj --defsym BIG=1

# One slot by its fields, for what the assembler has no notation for.
.macro slot code, dst, src, off, imm
	.byte \code
.ifdef BIG
	.byte (\dst) << 4 | (\src)
.else
	.byte (\src) << 4 | (\dst)
.endif
	.2byte \off
	.4byte \imm
.endm

	.text
	.globl arithmetic
	.type arithmetic, @function
arithmetic:
.irp op, "+=", "-=", "*=", "/=", "s/=", "%=", "s%=", "|=", "&=", "<<=", ">>=", "s>>=", "^=", "="
	r0 \op r10
	r10 \op r0
	w1 \op w9
	w10 \op w2
	r3 \op 0
	r3 \op 1
	r3 \op -1
	r4 \op 2147483647
	r4 \op -2147483648
	w5 \op 0
	w5 \op -1
	w6 \op 2147483647
	w6 \op -2147483648
.endr
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
	r\n = -r\n
	w\n = -w\n
	r\n = le16 r\n
	r\n = le32 r\n
	r\n = le64 r\n
	r\n = be16 r\n
	r\n = be32 r\n
	r\n = be64 r\n
	r\n = bswap16 r\n
	r\n = bswap32 r\n
	r\n = bswap64 r\n
	r\n = (s8)r7
	r7 = (s16)r\n
	r\n = (s32)r\n
	w\n = (s8)w7
	w7 = (s16)w\n
.endr
	r1 = addr_space_cast(r2, 0, 1)
	r10 = addr_space_cast(r0, 1, 0)

	.section tc/jumps, "ax", @progbits
	.globl jumps
	.type jumps, @function
jumps:
back:
.irp op, "==", "!=", ">", ">=", "<", "<=", "s>", "s>=", "s<", "s<=", "&"
	if r0 \op r10 goto +0
	if r10 \op r1 goto +1
	if r2 \op r3 goto -1
	if w0 \op w10 goto +32767
	if w10 \op w1 goto -32768
	if r4 \op 0 goto +32767
	if r5 \op -1 goto -32768
	if r6 \op 2147483647 goto +2
	if r7 \op -2147483648 goto -2
	if w4 \op 0 goto +0
	if w5 \op -1 goto +1
	if w6 \op 2147483647 goto -1
	if w10 \op -2147483648 goto -32768
.endr
	goto +0
	goto +32767
	goto -1
	goto -32768
	goto back
	gotol +0
	gotol -1
	gotol back
	slot 0x06, 0, 0, 0, 0x7fffffff
	slot 0x06, 0, 0, 0, 0x80000000
	may_goto +0
	may_goto +32767
	may_goto -1
	may_goto -32768
	call 0
	call 1
	call 2147483647
	call -1
	call arithmetic
	call back
	call jumps
	call elsewhere
	slot 0x85, 0, 2, 0, 12345
	slot 0x85, 0, 2, 7, -1
	callx r0
	callx r10
	exit

	.section tc/memory, "ax", @progbits
	.globl memory
	.type memory, @function
memory:
	r0 = 0 ll
	r1 = 1 ll
	r2 = -1 ll
	r3 = 0x7fffffff ll
	r4 = 0x80000000 ll
	r5 = 0xffffffff ll
	r6 = 0x100000000 ll
	r9 = 0x7fffffffffffffff ll
	r10 = 0x8000000000000000 ll
	r1 = variable ll
	r1 = elsewhere ll
.irp kind, 1, 2, 3, 4, 5, 6
	slot 0x18, 1, \kind, 0, 0
	slot 0, 0, 0, 0, 0
	slot 0x18, 10, \kind, 0, -1
	slot 0, 0, 0, 0, 0x7fffffff
.endr
.irp size, u8, u16, u32
	r0 = *(\size *)skb[0]
	r0 = *(\size *)skb[2147483647]
	r0 = *(\size *)skb[-2147483648]
	r0 = *(\size *)skb[r0]
	r0 = *(\size *)skb[r10]
	w0 = *(\size *)(r10 - 32768)
	w10 = *(\size *)(r0 + 32767)
	*(\size *)(r10 - 32768) = w0
	*(\size *)(r0 + 32767) = w10
.endr
	slot 0x40, 0, 1, 0, -7
.irp size, u64, s8, s16, s32
	r0 = *(\size *)(r10 - 32768)
	r10 = *(\size *)(r0 + 32767)
	r1 = *(\size *)(r2 + 0)
.endr
	*(u64 *)(r10 - 32768) = r0
	*(u64 *)(r0 + 32767) = r10
.irp size, u8, u16, u32, u64
	*(\size *)(r0 + 32767) = 0
	*(\size *)(r10 - 32768) = -1
	*(\size *)(r1 + 0) = 2147483647
	*(\size *)(r2 - 1) = -2147483648
.endr

	.section tc/atomics, "ax", @progbits
	.globl atomics
	.type atomics, @function
atomics:
.irp op, "+=", "&=", "|=", "^="
	lock *(u32 *)(r10 - 32768) \op w0
	lock *(u32 *)(r0 + 32767) \op w10
	lock *(u64 *)(r10 - 32768) \op r0
	lock *(u64 *)(r0 + 32767) \op r10
.endr
.irp op, add, and, or, xor
	w1 = atomic_fetch_\op((u32 *)(r10 - 32768), w1)
	w10 = atomic_fetch_\op((u32 *)(r0 + 32767), w10)
	r1 = atomic_fetch_\op((u64 *)(r10 - 32768), r1)
	r10 = atomic_fetch_\op((u64 *)(r0 + 32767), r10)
.endr
	w1 = xchg32_32(r10 - 32768, w1)
	w10 = xchg32_32(r0 + 32767, w10)
	r1 = xchg_64(r10 - 32768, r1)
	r10 = xchg_64(r0 + 32767, r10)
	w0 = cmpxchg32_32(r10 - 32768, w0, w1)
	w0 = cmpxchg32_32(r0 + 32767, w0, w10)
	r0 = cmpxchg_64(r10 - 32768, r0, r1)
	r0 = cmpxchg_64(r0 + 32767, r0, r10)
	# load_acquire and store_release of 32, 16, 8 and 64 bits
.irp code, 0xc3, 0xcb, 0xd3, 0xdb
	slot \code, 1, 10, -32768, 0x100
	slot \code, 10, 0, 32767, 0x100
	slot \code, 10, 1, -32768, 0x110
	slot \code, 0, 10, 32767, 0x110
.endr

	.data
	.globl variable
variable:
	.8byte 0
