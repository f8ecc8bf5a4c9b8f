/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE: "compile once, run everywhere".  A record of BTF.ext says that an
 * instruction holds something about a type (the offset of a field, say), which
 * is to be replaced by the same about the type of that name in the kernel.
 *
 *   kind (bpf_core_relo_kind of linux/bpf.h)     access
 *    0-5  field: byte offset, byte size,         "0:1:2": element of the pointer, then a member
 *         exists, signed, shift left, right      of a struct or union or an element of an array
 *    6-9  type: id in the object, id in the      "0"
 *         kernel, exists, size
 *   10-11 enumerator: exists, value              "N": the Nth of the enum
 *   12    type matches                           "0"
 */
#ifndef LOADER_CORE_H
#define LOADER_CORE_H

#include "bpfinsn/bpfinsn.h"
#include "loader/kernel.h"
#include "loader/template.h"

/* imm of the call in place of an instruction whose field or type the kernel lacks: libbpf's, for the tag's sake. */
enum { CORE_POISON = 195896080 };	/* 0xbad2310 */

/*
 * Relocate an instruction (insn[1] is the second slot of an lddw) by record
 * index of its section, against *k.  What the kernel lacks poisons the
 * instruction, which the verifier then refuses if it can be reached; so does
 * libbpf.  Fails where the record makes no sense, does not go with the
 * instruction, or the kernel has several answers.  err tells the record, not the instruction.
 */
int core_relocate(const struct bpfstamp_template *t, struct kernel *k, const struct btf_core_relo *relo,
		  uint32_t index, struct bpfinsn insn[2], struct bpfstamp_err *err);

/* Whether a record needs the kernel's types at all (the id of a type in the object does not). */
bool core_needs_kernel(const struct btf_core_relo *relo);

/* The record for people, such as "offset of struct sk_buff.mark"; as snprintf. */
size_t core_text(char *buf, size_t size, const struct bpfstamp_template *t, const struct btf_core_relo *relo);

#endif
