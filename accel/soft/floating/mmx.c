/* MMX integer operations, in the low half of the host's xmm registers: its MMX state stays untouched.
 * Reference: SDM vol. 1, 9.4 and 10.4.4; vol. 2, appendix A. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse_integer.h"

/* mm = function(mm, operand, imm8) */
#define MMX_RR(name)                                                                            \
	static const struct soft_op *name##_rr(struct soft_cpu *cpu, const struct soft_op *op)  \
	{                                                                                       \
		if (!soft_mmx_ready(cpu))                                                       \
			return soft_stop(cpu, op);                                              \
		soft_mmx_set(                                                                   \
			cpu, op->reg,                                                           \
			name(soft_mmx(cpu, op->reg), soft_mmx(cpu, op->rm), (uint8_t)op->imm)); \
		return SOFT_NEXT(cpu, op);                                                      \
	}
#define MMX_RM(name, load)                                                                     \
	static const struct soft_op *name##_rm(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                      \
		__m128i source;                                                                \
                                                                                               \
		if (!soft_mmx_ready(cpu) || !load(cpu, op, soft_address(cpu, op), &source))    \
			return soft_stop(cpu, op);                                             \
		soft_mmx_set(cpu, op->reg,                                                     \
			     name(soft_mmx(cpu, op->reg), source, (uint8_t)op->imm));          \
		return SOFT_NEXT(cpu, op);                                                     \
	}
#define DEFINE(opcode, name, expression)            \
	SOFT_DEFINE_LANES(opcode, name, expression) \
	MMX_RR(name)                                \
	MMX_RM(name, soft_xmm_load64)
/* An unpacking of low halves reads four bytes of memory. */
#define DEFINE_LOW(opcode, name, expression)        \
	SOFT_DEFINE_LANES(opcode, name, expression) \
	MMX_RR(name)                                \
	MMX_RM(name, soft_xmm_load32)
/* The result's upper half is what four bytes on each side give. */
#define DEFINE_HIGH(opcode, name, expression)                                                \
	SOFT_DEFINE_LANES(opcode, name, _mm_unpackhi_epi64(expression, _mm_setzero_si128())) \
	MMX_RR(name)                                                                         \
	MMX_RM(name, soft_xmm_load64)
/* Both operands make one vector, which is packed. */
#define DEFINE_PACK(opcode, name, expression)                        \
	SOFT_INLINE __m128i name##_whole(__m128i a, __m128i b)       \
	{                                                            \
		return expression;                                   \
	}                                                            \
	SOFT_INLINE __m128i name(__m128i a, __m128i b, unsigned imm) \
	{                                                            \
		__m128i both = _mm_unpacklo_epi64(a, b);             \
                                                                     \
		return name##_whole(both, both);                     \
	}                                                            \
	MMX_RR(name)                                                 \
	MMX_RM(name, soft_xmm_load64)
#define UNPACK_HIGH(X)                               \
	X(0x68, punpckhbw, _mm_unpacklo_epi8(a, b))  \
	X(0x69, punpckhwd, _mm_unpacklo_epi16(a, b)) \
	X(0x6a, punpckhdq, _mm_unpacklo_epi32(a, b))

SOFT_LANE_OPERATIONS(DEFINE)
SOFT_UNPACK_LOW(DEFINE_LOW)
UNPACK_HIGH(DEFINE_HIGH)
SOFT_PACK(DEFINE_PACK)

/* Groups 12 to 14. */
#define DEFINE_SHIFT(name)                                                                     \
	static const struct soft_op *name##_ri(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                      \
		__m128i count = _mm_cvtsi32_si128((uint8_t)op->imm);                           \
                                                                                               \
		if (!soft_mmx_ready(cpu))                                                      \
			return soft_stop(cpu, op);                                             \
		soft_mmx_set(cpu, op->rm, name(soft_mmx(cpu, op->rm), count, 0));              \
		return SOFT_NEXT(cpu, op);                                                     \
	}
DEFINE_SHIFT(psrlw)
DEFINE_SHIFT(psraw)
DEFINE_SHIFT(psllw)
DEFINE_SHIFT(psrld)
DEFINE_SHIFT(psrad)
DEFINE_SHIFT(pslld)
DEFINE_SHIFT(psrlq)
DEFINE_SHIFT(psllq)

#define MMX (SOFT_SSE_MMX_REG | SOFT_SSE_MMX_RM)
#define ROW(code, name, expression) \
	{ name##_rr, name##_rm, .opcode = code, .bytes = 8, .form = MMX },
#define ROW_LOW(code, name, expression) \
	{ name##_rr, name##_rm, .opcode = code, .bytes = 4, .form = MMX },
#define SHIFT(code, number, name) \
	{ name##_ri, NULL, .opcode = code, .form = MMX | SOFT_SSE_BY_REG, .select = number },
static const struct soft_sse_row rows[] = {
	SOFT_LANE_OPERATIONS(ROW) SOFT_UNPACK_LOW(ROW_LOW) UNPACK_HIGH(ROW) SOFT_PACK(ROW)
		SHIFT(0x71, 2, psrlw) SHIFT(0x71, 4, psraw) SHIFT(0x71, 6, psllw)
			SHIFT(0x72, 2, psrld) SHIFT(0x72, 4, psrad) SHIFT(0x72, 6, pslld)
				SHIFT(0x73, 2, psrlq) SHIFT(0x73, 6, psllq)
};
SOFT_SSE_TABLE(soft_mmx_integers, rows);
