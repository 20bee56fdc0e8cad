/** Lazy arithmetic flags: an instruction leaves its result and a word of carries; a flag is worked out when
 * somebody asks.
 *
 * flags_result: the result, sign-extended to 64 bits. ZF = (result == 0).
 * flags_aux: bit 31 = CF; bit 30 = carry into the top bit, so OF = bit 31 ^ bit 30; bit 3 = AF;
 * bits 8-15: xor-ed with the result's low byte before parity is taken; bit 16: inverts SF. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_FLAGS_H
#define ACCEL_SOFT_FLAGS_H

#include "accel/soft/cpu.h"

#define SOFT_AUX_CF       UINT32_C(0x80000000)
#define SOFT_AUX_CARRY_IN UINT32_C(0x40000000)
#define SOFT_AUX_AF       UINT32_C(0x8)
#define SOFT_AUX_SIGN     UINT32_C(0x10000)

static inline bool soft_cf(const struct soft_cpu *cpu)
{
	return cpu->flags_aux >> 31;
}
static inline bool soft_zf(const struct soft_cpu *cpu)
{
	return cpu->flags_result == 0;
}
static inline bool soft_sf(const struct soft_cpu *cpu)
{
	return (cpu->flags_result >> 63) ^ (cpu->flags_aux >> 16 & 1);
}
static inline bool soft_of(const struct soft_cpu *cpu)
{
	return (cpu->flags_aux >> 31) ^ (cpu->flags_aux >> 30 & 1);
}
static inline bool soft_af(const struct soft_cpu *cpu)
{
	return cpu->flags_aux >> 3 & 1;
}
static inline bool soft_pf(const struct soft_cpu *cpu)
{
	unsigned byte = (unsigned)(cpu->flags_result ^ cpu->flags_aux >> 8) & 0xff;

	return !__builtin_parity(byte);
}

/** Sets all six from bits of an RFLAGS image. */
static inline void soft_flags_set(struct soft_cpu *cpu, uint32_t rflags)
{
	uint64_t result = rflags & SOFT_ZF ? 0 : 1;
	bool cf = rflags & SOFT_CF, of = rflags & SOFT_OF;
	uint32_t aux = (rflags & SOFT_AF) ? SOFT_AUX_AF : 0;
	/* Parity of the low byte: 0 is even, 1 is odd. */
	bool even = !(result & 1);

	if (even != (bool)(rflags & SOFT_PF))
		aux |= 1u << 8;
	if (rflags & SOFT_SF)
		aux |= SOFT_AUX_SIGN;
	if (cf)
		aux |= SOFT_AUX_CF;
	if (cf != of)
		aux |= SOFT_AUX_CARRY_IN;
	cpu->flags_result = result;
	cpu->flags_aux = aux;
}
/** The six as bits of RFLAGS. */
static inline uint32_t soft_flags_get(const struct soft_cpu *cpu)
{
	return (soft_cf(cpu) ? SOFT_CF : 0u) | (soft_pf(cpu) ? SOFT_PF : 0u) |
	       (soft_af(cpu) ? SOFT_AF : 0u) | (soft_zf(cpu) ? SOFT_ZF : 0u) |
	       (soft_sf(cpu) ? SOFT_SF : 0u) | (soft_of(cpu) ? SOFT_OF : 0u);
}
/** All of RFLAGS. */
static inline uint64_t soft_rflags(const struct soft_cpu *cpu)
{
	return cpu->rflags | soft_flags_get(cpu);
}
/** All of RFLAGS from an image; reserved bits are taken care of by the caller. */
static inline void soft_rflags_set(struct soft_cpu *cpu, uint64_t rflags)
{
	cpu->rflags = ((uint32_t)rflags & ~(uint32_t)SOFT_ARITHMETIC) | 2;
	soft_flags_set(cpu, (uint32_t)rflags);
}
static inline void soft_set_cf(struct soft_cpu *cpu, bool cf)
{
	/* OF stays: both carries flip together. */
	if (soft_cf(cpu) != cf)
		cpu->flags_aux ^= SOFT_AUX_CF | SOFT_AUX_CARRY_IN;
}
static inline void soft_set_cf_of(struct soft_cpu *cpu, bool cf, bool of)
{
	cpu->flags_aux = (cpu->flags_aux & ~(SOFT_AUX_CF | SOFT_AUX_CARRY_IN)) |
			 (cf ? SOFT_AUX_CF : 0) | (cf != of ? SOFT_AUX_CARRY_IN : 0);
}

/** After AND, OR, XOR, TEST: CF, OF and AF are 0. `result` is sign-extended. */
static inline void soft_flags_logic(struct soft_cpu *cpu, int64_t result)
{
	cpu->flags_result = (uint64_t)result;
	cpu->flags_aux = 0;
}
/** Folds a vector of carries out of each bit, of a `bits`-wide operation, into flags_aux. */
static inline uint32_t soft_aux(uint64_t carries, unsigned bits)
{
	uint32_t top = bits == 64 ? (uint32_t)(carries >> 32)
				  : (uint32_t)(carries << (32 - (bits & 31)) % 32);

	return (top & (SOFT_AUX_CF | SOFT_AUX_CARRY_IN)) | ((uint32_t)carries & SOFT_AUX_AF);
}
/** After r = a + b (+ carry), all sign- or zero-extended from `bits`; `result` sign-extended. */
static inline void soft_flags_add(struct soft_cpu *cpu, uint64_t a, uint64_t b, int64_t result,
				  unsigned bits)
{
	cpu->flags_result = (uint64_t)result;
	cpu->flags_aux = soft_aux((a & b) | ((a | b) & ~(uint64_t)result), bits);
}
/** After r = a - b (- borrow). */
static inline void soft_flags_sub(struct soft_cpu *cpu, uint64_t a, uint64_t b, int64_t result,
				  unsigned bits)
{
	cpu->flags_result = (uint64_t)result;
	cpu->flags_aux = soft_aux((~a & b) | ((~a | b) & (uint64_t)result), bits);
}

/** Condition codes 0-15 of Jcc, SETcc, CMOVcc (SDM vol. 1, appendix B). */
static inline bool soft_condition(const struct soft_cpu *cpu, unsigned code)
{
	bool is;

	switch (code >> 1 & 7) {
	case 0: is = soft_of(cpu); break;
	case 1: is = soft_cf(cpu); break;
	case 2: is = soft_zf(cpu); break;
	case 3: is = soft_cf(cpu) || soft_zf(cpu); break;
	case 4: is = soft_sf(cpu); break;
	case 5: is = soft_pf(cpu); break;
	case 6: is = soft_sf(cpu) != soft_of(cpu); break;
	default: is = soft_zf(cpu) || soft_sf(cpu) != soft_of(cpu); break;
	}
	return is != (code & 1);
}

#endif
