/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For BPF programs: values that are not known until the program is loaded.
 *
 *     if (iph.daddr == STAMP(__u32, target_addr, 0))
 *             return TC_ACT_SHOT;
 *
 * STAMP(type, name, default) is an expression of that type.  It compiles to
 * one instruction, `rX = default ll`, which the optimiser cannot look into, so
 * no use of the value is folded away, and to a record in the section .bpfstamp,
 * which is not loaded, that tells where the instruction stands.  A program
 * that nobody stamps runs with the default; any loader can load it.  The value
 * always is one of the type, extended to 64 bits, and the compiler is told so:
 * from -mcpu=v3 on a use costs no second instruction (v1 and v2 have no 32-bit
 * registers, and compilers cut a 32-bit value to size there).
 *
 * type is an integer of 1, 2, 4 or 8 bytes, or bool; name is an identifier, not
 * quoted; default is a constant.  The same name may be used in many places:
 * all of them get the value, and must agree in type, width and default.
 *
 * STAMP_BITS(type, name, bits, default) also declares how many bits a value may
 * have: STAMP_BITS(__u32, vni, 24, 0), STAMP_BITS(__u16, vlan, 12, 1).
 *
 * A record, in the byte order of the object, at a multiple of 8:
 *
 *      0  address of the instruction   u64, relocated (R_BPF_64_ABS64)
 *      8  default                      u64, sign-extended where type is signed
 *     16  size of type in bytes        u8: 1, 2, 4, 8
 *     17  type is signed               u8: 0, 1
 *     18  bits                         u8: 1 to 8 * size
 *     19  version of this format       u8: 1
 *     20  name                         ended by NUL, padded with NULs to a multiple of 8
 */
#ifndef BPFSTAMP_BPF_H
#define BPFSTAMP_BPF_H

#if !defined(__bpf__) && !defined(__BPF__)
#error "bpfstamp.bpf.h is for BPF programs: compile with clang -target bpf, or with gcc-bpf"
#endif

#if !defined(__clang__) && __GNUC__ < 14
#error "STAMP needs an assembler for `r1 = 7 ll`: clang, or gcc for BPF from version 14 on"
#endif

#define STAMP_BITS(type, name, bits, dflt) ({							\
	unsigned long long stamp_value_;							\
	_Static_assert((bits) >= 1 && (bits) <= 8 * sizeof(type), #name ": bits do not fit the type"); \
	__asm__ volatile("1:	%0 = %1 ll\n\t"							\
			 ".pushsection .bpfstamp,\"\",@progbits\n\t"				\
			 ".balign 8\n\t"							\
			 ".quad 1b\n\t"								\
			 ".quad %1\n\t"								\
			 ".byte %2, %3, %4, 1\n\t"						\
			 ".asciz \"" #name "\"\n\t"						\
			 ".balign 8\n\t"							\
			 ".popsection"								\
			 : "=r"(stamp_value_)							\
			 : "i"((unsigned long long)(type)(dflt)), "i"(sizeof(type)),		\
			   "i"((type)-1 < (type)1), "i"(bits));					\
	if (stamp_value_ != (unsigned long long)(type)stamp_value_)				\
		__builtin_unreachable();							\
	(type)stamp_value_;									\
})

#define STAMP(type, name, dflt) \
	STAMP_BITS(type, name, __builtin_types_compatible_p(type, _Bool) ? 1 : 8 * sizeof(type), dflt)

#endif
