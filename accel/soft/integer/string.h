/** String instructions: what their two files share. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_STRING_H
#define ACCEL_SOFT_STRING_H

#include "accel/soft/decode/op.h"

/* Of a string op: size is the element's, segment the source's, base the slot of the source's segment base
 * where that needs no check, imm the mask of the address size, extra the following. */
enum soft_string_bits {
	SOFT_STRING_FLAT = 1 << 0,        /* no segment to check, in source and destination */
	SOFT_STRING_WHILE_EQUAL = 1 << 1, /* REPE */
	SOFT_STRING_WHILE_OTHER = 1 << 2  /* REPNE */
};

/** One element; moves SI and DI. Raises and returns false. */
typedef bool soft_string_step(struct soft_cpu *cpu, const struct soft_op *op);
/** Up to `count` elements at once, within one page, registers moved. Returns how many. 0: none this way;
 * `singly` is then how many to do by steps before it is worth to ask again. */
typedef uint64_t soft_string_chunk(struct soft_cpu *cpu, const struct soft_op *op, uint64_t count,
				   unsigned *singly);
soft_string_chunk soft_string_movs, soft_string_stos, soft_string_cmps, soft_string_scas;

/** Linear addresses of the next elements. Raise and return false. */
bool soft_string_source(struct soft_cpu *cpu, const struct soft_op *op, uint64_t *linear);
bool soft_string_destination(struct soft_cpu *cpu, const struct soft_op *op, bool write,
			     uint64_t *linear);
/** Moves RSI or RDI by `elements`, in the direction of DF and by the address size. */
void soft_string_advance(struct soft_cpu *cpu, const struct soft_op *op, unsigned slot,
			 uint64_t elements);
/** Flags of a - b, both `size` bytes. */
void soft_string_compare(struct soft_cpu *cpu, uint64_t a, uint64_t b, unsigned size);

#endif
