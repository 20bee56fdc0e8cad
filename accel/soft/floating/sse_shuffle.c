/* Shuffles, PINSRW and PEXTRW of xmm registers. Reference: SDM vol. 1, 10.4.2, 11.4.1.5 and 11.4.2. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse.h"

typedef uint16_t words __attribute__((vector_size(16)));
typedef uint32_t dwords __attribute__((vector_size(16)));
typedef uint64_t qwords __attribute__((vector_size(16)));

SOFT_INLINE __m128i shufps(__m128i a, __m128i b, unsigned imm)
{
	dwords from = (dwords)a, with = (dwords)b;

	return (__m128i)(dwords){ from[imm & 3], from[imm >> 2 & 3], with[imm >> 4 & 3],
				  with[imm >> 6 & 3] };
}
SOFT_INLINE __m128i shufpd(__m128i a, __m128i b, unsigned imm)
{
	__m128i low = imm & 1 ? _mm_unpackhi_epi64(a, a) : a;
	__m128i high = imm & 2 ? b : _mm_unpacklo_epi64(b, b);

	return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(high), _mm_castsi128_pd(low)));
}
SOFT_INLINE __m128i pshufd(__m128i a, __m128i b, unsigned imm)
{
	dwords from = (dwords)b;

	return (__m128i)(dwords){ from[imm & 3], from[imm >> 2 & 3], from[imm >> 4 & 3],
				  from[imm >> 6 & 3] };
}
SOFT_INLINE __m128i pshuflw(__m128i a, __m128i b, unsigned imm)
{
	words from = (words)b, to = from;

	to[0] = from[imm & 3];
	to[1] = from[imm >> 2 & 3];
	to[2] = from[imm >> 4 & 3];
	to[3] = from[imm >> 6 & 3];
	return (__m128i)to;
}
SOFT_INLINE __m128i pshufhw(__m128i a, __m128i b, unsigned imm)
{
	words from = (words)b, to = from;

	to[4] = from[4 + (imm & 3)];
	to[5] = from[4 + (imm >> 2 & 3)];
	to[6] = from[4 + (imm >> 4 & 3)];
	to[7] = from[4 + (imm >> 6 & 3)];
	return (__m128i)to;
}

SOFT_XMM(shufps, soft_xmm_load)
SOFT_XMM(shufpd, soft_xmm_load)
SOFT_XMM(pshufd, soft_xmm_load)
SOFT_XMM(pshuflw, soft_xmm_load)
SOFT_XMM(pshufhw, soft_xmm_load)

static const struct soft_op *pinsrw_rr(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	memcpy(&cpu->fx.xmm[op->reg][2 * (op->imm & 7)], &cpu->gpr[op->rm], 2);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *pinsrw_rm(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t word;

	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	if (!soft_load16(cpu, op, soft_address(cpu, op), &word))
		return soft_stop(cpu, op);
	memcpy(&cpu->fx.xmm[op->reg][2 * (op->imm & 7)], &word, 2);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *pextrw(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t word;

	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	memcpy(&word, &cpu->fx.xmm[op->rm][2 * (op->imm & 7)], 2);
	soft_set64(cpu, op->reg, word);
	return SOFT_NEXT(cpu, op);
}

/* Groups 12 to 14: shifts of ModRM.rm by an immediate. */
SOFT_INLINE __m128i count_of(unsigned imm)
{
	return _mm_cvtsi32_si128((int32_t)imm);
}
#define DEFINE_SHIFT(name, expression)                                                         \
	SOFT_INLINE __m128i name##_by(__m128i a, unsigned imm)                                 \
	{                                                                                      \
		return expression;                                                             \
	}                                                                                      \
	static const struct soft_op *name(struct soft_cpu *cpu, const struct soft_op *op)      \
	{                                                                                      \
		if (!soft_sse_ready(cpu))                                                      \
			return soft_sse_refuse(cpu, op);                                       \
		soft_xmm_set(cpu, op->rm, name##_by(soft_xmm(cpu, op->rm), (uint8_t)op->imm)); \
		return SOFT_NEXT(cpu, op);                                                     \
	}
SOFT_INLINE __m128i bytes_right(__m128i a, unsigned imm)
{
	qwords in = (qwords)a;
	unsigned bits = imm % 8 * 8;

	if (imm > 15)
		return _mm_setzero_si128();
	if (imm >= 8)
		return (__m128i)(qwords){ in[1] >> bits, 0 };
	return imm ? (__m128i)(qwords){ in[0] >> bits | in[1] << (64 - bits), in[1] >> bits } : a;
}
SOFT_INLINE __m128i bytes_left(__m128i a, unsigned imm)
{
	qwords in = (qwords)a;
	unsigned bits = imm % 8 * 8;

	if (imm > 15)
		return _mm_setzero_si128();
	if (imm >= 8)
		return (__m128i)(qwords){ 0, in[0] << bits };
	return imm ? (__m128i)(qwords){ in[0] << bits, in[1] << bits | in[0] >> (64 - bits) } : a;
}
DEFINE_SHIFT(psrlw, _mm_srl_epi16(a, count_of(imm)))
DEFINE_SHIFT(psraw, _mm_sra_epi16(a, count_of(imm)))
DEFINE_SHIFT(psllw, _mm_sll_epi16(a, count_of(imm)))
DEFINE_SHIFT(psrld, _mm_srl_epi32(a, count_of(imm)))
DEFINE_SHIFT(psrad, _mm_sra_epi32(a, count_of(imm)))
DEFINE_SHIFT(pslld, _mm_sll_epi32(a, count_of(imm)))
DEFINE_SHIFT(psrlq, _mm_srl_epi64(a, count_of(imm)))
DEFINE_SHIFT(psllq, _mm_sll_epi64(a, count_of(imm)))
DEFINE_SHIFT(psrldq, bytes_right(a, imm))
DEFINE_SHIFT(pslldq, bytes_left(a, imm))

#define SHIFT(code, number, handler)                                                           \
	{                                                                                      \
		handler, NULL, .opcode = code, .prefix = SOFT_SSE_66, .form = SOFT_SSE_BY_REG, \
			       .select = number                                                \
	}
static const struct soft_sse_row rows[] = {
	SOFT_XMM_ROW(0xc6, NP, shufps, 16),
	SOFT_XMM_ROW(0xc6, 66, shufpd, 16),
	SOFT_XMM_ROW(0x70, 66, pshufd, 16),
	SOFT_XMM_ROW(0x70, F3, pshufhw, 16),
	SOFT_XMM_ROW(0x70, F2, pshuflw, 16),
	SOFT_XMM_ROW(0xc4, 66, pinsrw, 2),
	{ pextrw, NULL, .opcode = 0xc5, .prefix = SOFT_SSE_66 },
	SHIFT(0x71, 2, psrlw),
	SHIFT(0x71, 4, psraw),
	SHIFT(0x71, 6, psllw),
	SHIFT(0x72, 2, psrld),
	SHIFT(0x72, 4, psrad),
	SHIFT(0x72, 6, pslld),
	SHIFT(0x73, 2, psrlq),
	SHIFT(0x73, 3, psrldq),
	SHIFT(0x73, 6, psllq),
	SHIFT(0x73, 7, pslldq),
};
SOFT_SSE_TABLE(soft_sse_shuffles, rows);
