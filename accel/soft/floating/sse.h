/** What the handlers of MMX, SSE and SSE2 share: registers, checks, loads and stores, rows of the opcode
 * table. Reference: SDM vol. 1, chapters 9-11. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_SSE_H
#define ACCEL_SOFT_SSE_H

#include <emmintrin.h>

#include "accel/soft/decode/decode.h"
#include "accel/soft/decode/op.h"
#include "accel/soft/floating/x87.h"

#define SOFT_NOINLINE __attribute__((noinline))

/** MXCSR (SDM vol. 1, 10.2.3). A mask is its flag seven bits up. */
enum soft_mxcsr {
	SOFT_MXCSR_IE = 1 << 0,
	SOFT_MXCSR_DE = 1 << 1,
	SOFT_MXCSR_ZE = 1 << 2,
	SOFT_MXCSR_OE = 1 << 3,
	SOFT_MXCSR_UE = 1 << 4,
	SOFT_MXCSR_PE = 1 << 5,
	SOFT_MXCSR_FLAGS = 0x3f,
	SOFT_MXCSR_DAZ = 1 << 6,
	SOFT_MXCSR_MASKS = 0x3f << 7,
	SOFT_MXCSR_RC = 3 << 13,
	SOFT_MXCSR_FTZ = 1 << 15,
	SOFT_MXCSR_DEFAULT = SOFT_MXCSR_MASKS
};

/** Mandatory prefixes; F3 and F2 win over 66. */
enum soft_sse_prefix { SOFT_SSE_NP, SOFT_SSE_66, SOFT_SSE_F3, SOFT_SSE_F2 };

enum soft_sse_form {
	SOFT_SSE_STORE = 1 << 0,   /* the memory operand is written */
	SOFT_SSE_MMX_REG = 1 << 1, /* ModRM.reg is an MMX register: REX.R is ignored */
	SOFT_SSE_MMX_RM = 1 << 2,  /* ModRM.rm, likewise */
	SOFT_SSE_W0 = 1 << 3,      /* without REX.W only */
	SOFT_SSE_W1 = 1 << 4,      /* with REX.W only */
	SOFT_SSE_BY_REG = 1 << 5,  /* picked by ModRM.reg == select: groups 12 to 14 */
	SOFT_SSE_BY_IMM = 1 << 6,  /* picked by imm8 == select: comparisons */
	SOFT_SSE_STRING = 1 << 7   /* ModRM names registers, and memory is at DS:rDI: MASKMOV */
};

/** One instruction; the form that is NULL is undefined. 16-byte operands are checked for alignment by
 * the handlers, all but the MOVU ones. */
struct soft_sse_row {
	soft_handler *on_register, *on_memory;
	uint8_t opcode, prefix;
	uint8_t bytes; /* of the memory operand */
	uint8_t form;  /* enum soft_sse_form */
	uint8_t select;
};

struct soft_sse_table {
	const struct soft_sse_row *rows;
	size_t count;
};
extern const struct soft_sse_table soft_sse_moves, soft_sse_shuffles, soft_sse_floats,
	soft_sse_compares, soft_sse_converts, soft_sse_integers, soft_mmx_moves, soft_mmx_integers,
	soft_mmx_converts;

/** Raises what keeps SSE from running, and stops: for a tail call. */
const struct soft_op *soft_sse_refuse(struct soft_cpu *cpu, const struct soft_op *op);
/** 16 bytes past the TLB; 0 with cpu->fault.raised when that raises. */
__m128i soft_xmm_read_slow(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear);
bool soft_xmm_write_slow(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
			 __m128i value);
/** The bytes of `value` whose byte of `mask` has its top bit set: the first `count`. */
bool soft_masked_store(struct soft_cpu *cpu, const struct soft_op *op, unsigned count,
		       __m128i value, __m128i mask);

SOFT_INLINE bool soft_sse_ready(const struct soft_cpu *cpu)
{
	return SOFT_LIKELY(
		!((cpu->cr0 & (SOFT_CR0_EM | SOFT_CR0_TS)) | (~cpu->cr4 & SOFT_CR4_OSFXSR)));
}

SOFT_INLINE __m128i soft_xmm(const struct soft_cpu *cpu, unsigned number)
{
	return _mm_load_si128((const __m128i *)(const void *)cpu->fx.xmm[number]);
}
SOFT_INLINE void soft_xmm_set(struct soft_cpu *cpu, unsigned number, __m128i value)
{
	_mm_store_si128((__m128i *)(void *)cpu->fx.xmm[number], value);
}

/** MMX registers are the physical x87 ones; an instruction reads them before soft_mmx_begin makes the top of
 * the stack 0, so that one that faults leaves the x87 as it was. The upper half is 0. */
SOFT_INLINE __m128i soft_mmx(const struct soft_cpu *cpu, unsigned number)
{
	unsigned top = cpu->fx.status >> 11 & 7;

	return _mm_loadl_epi64((const __m128i *)(const void *)cpu->fx.st[(number - top) & 7]);
}
SOFT_INLINE void soft_mmx_set(struct soft_cpu *cpu, unsigned number, __m128i value)
{
	soft_mmx_begin(cpu);
	_mm_storel_epi64((__m128i *)(void *)cpu->fx.st[number], value);
	memset(&cpu->fx.st[number][8], 0xff, 2);
}

/* Loads into a vector: any alignment; 16-byte aligned or #GP(0); 8 and 4 bytes with zeros above. */
SOFT_INLINE bool soft_xmm_load_any(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
				   __m128i *value)
{
	const struct soft_tlb_entry *entry = soft_tlb_entry(cpu, linear);

	if (SOFT_LIKELY(entry->read_tag == soft_tag(cpu, linear, 16))) {
		*value = _mm_loadu_si128((const __m128i *)(uintptr_t)(linear + entry->host));
		return true;
	}
	*value = soft_xmm_read_slow(cpu, op, linear);
	return !cpu->fault.raised;
}
SOFT_INLINE bool soft_xmm_load(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
			       __m128i *value)
{
	if (SOFT_UNLIKELY(linear & 15)) {
		soft_raise_error(cpu, SOFT_GP, 0);
		return false;
	}
	return soft_xmm_load_any(cpu, op, linear, value);
}
SOFT_INLINE bool soft_xmm_load64(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
				 __m128i *value)
{
	uint64_t low = 0;
	bool loaded = soft_load64(cpu, op, linear, &low);

	*value = _mm_cvtsi64_si128((int64_t)low);
	return loaded;
}
SOFT_INLINE bool soft_xmm_load32(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
				 __m128i *value)
{
	uint32_t low = 0;
	bool loaded = soft_load32(cpu, op, linear, &low);

	*value = _mm_cvtsi32_si128((int32_t)low);
	return loaded;
}
SOFT_INLINE bool soft_xmm_store_any(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
				    __m128i value)
{
	const struct soft_tlb_entry *entry = soft_tlb_entry(cpu, linear);

	if (SOFT_LIKELY(entry->write_tag == soft_tag(cpu, linear, 16))) {
		_mm_storeu_si128((__m128i *)(uintptr_t)(linear + entry->host), value);
		return true;
	}
	return soft_xmm_write_slow(cpu, op, linear, value);
}
SOFT_INLINE bool soft_xmm_store(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
				__m128i value)
{
	if (SOFT_UNLIKELY(linear & 15))
		return soft_raise_error(cpu, SOFT_GP, 0);
	return soft_xmm_store_any(cpu, op, linear, value);
}

/* A handler of xmm = function(xmm, operand, imm8), where the function cannot fail. */
#define SOFT_XMM_RR(handler, function)                                                       \
	static const struct soft_op *handler(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                    \
		if (!soft_sse_ready(cpu))                                                    \
			return soft_sse_refuse(cpu, op);                                     \
		soft_xmm_set(cpu, op->reg,                                                   \
			     function(soft_xmm(cpu, op->reg), soft_xmm(cpu, op->rm),         \
				      (uint8_t)op->imm));                                    \
		return SOFT_NEXT(cpu, op);                                                   \
	}
#define SOFT_XMM_RM(handler, function, load)                                                 \
	static const struct soft_op *handler(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                    \
		__m128i source;                                                              \
                                                                                             \
		if (!soft_sse_ready(cpu))                                                    \
			return soft_sse_refuse(cpu, op);                                     \
		if (!load(cpu, op, soft_address(cpu, op), &source))                          \
			return soft_stop(cpu, op);                                           \
		soft_xmm_set(cpu, op->reg,                                                   \
			     function(soft_xmm(cpu, op->reg), source, (uint8_t)op->imm));    \
		return SOFT_NEXT(cpu, op);                                                   \
	}
#define SOFT_XMM(name, load)         \
	SOFT_XMM_RR(name##_rr, name) \
	SOFT_XMM_RM(name##_rm, name, load)
/* The row of such a pair. */
#define SOFT_XMM_ROW(code, mandatory, name, size)                                     \
	{                                                                             \
		name##_rr, name##_rm, .opcode = code, .prefix = SOFT_SSE_##mandatory, \
				      .bytes = size                                   \
	}

#define SOFT_SSE_TABLE(name, array) \
	const struct soft_sse_table name = { array, sizeof(array) / sizeof((array)[0]) }

#endif
