/** Memory accesses whose width is known at run time only: rare instructions and strings. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_SIZED_H
#define ACCEL_SOFT_SIZED_H

#include "accel/soft/decode/op.h"

/** Reads 1, 2, 4 or 8 bytes, zero-extended. Raises and returns false. */
static inline bool soft_load_sized(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
				   unsigned size, uint64_t *value)
{
	uint8_t byte = 0;
	uint16_t word = 0;
	uint32_t dword = 0;
	bool done;

	switch (size) {
	case 1:
		done = soft_load8(cpu, op, linear, &byte);
		*value = byte;
		return done;
	case 2:
		done = soft_load16(cpu, op, linear, &word);
		*value = word;
		return done;
	case 4:
		done = soft_load32(cpu, op, linear, &dword);
		*value = dword;
		return done;
	default: return soft_load64(cpu, op, linear, value);
	}
}
/** Writes the low `size` bytes of `value`. Raises and returns false. */
static inline bool soft_store_sized(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
				    unsigned size, uint64_t value)
{
	switch (size) {
	case 1: return soft_store8(cpu, op, linear, (uint8_t)value);
	case 2: return soft_store16(cpu, op, linear, (uint16_t)value);
	case 4: return soft_store32(cpu, op, linear, (uint32_t)value);
	default: return soft_store64(cpu, op, linear, value);
	}
}

/** Row of a handler table that goes by operand size: 0 to 3 for 1, 2, 4, 8 bytes. */
static inline unsigned soft_size_row(unsigned size)
{
	return (unsigned)__builtin_ctz(size);
}

#endif
