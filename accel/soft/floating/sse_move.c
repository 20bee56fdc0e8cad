/* SSE and SSE2 moves between registers and memory. Reference: SDM vol. 1, 10.4.1.1 and 11.4.1.1. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse.h"

/* What a move leaves in its destination `a`. */
SOFT_INLINE __m128i whole(__m128i a, __m128i b, unsigned imm)
{
	return b;
}
SOFT_INLINE __m128i low_32(__m128i a, __m128i b, unsigned imm)
{
	return _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
}
SOFT_INLINE __m128i low_64(__m128i a, __m128i b, unsigned imm)
{
	return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(a), _mm_castsi128_pd(b)));
}
SOFT_INLINE __m128i low_alone(__m128i a, __m128i b, unsigned imm)
{
	return _mm_move_epi64(b);
}
SOFT_INLINE __m128i low_to_high(__m128i a, __m128i b, unsigned imm)
{
	return _mm_unpacklo_epi64(a, b);
}
SOFT_INLINE __m128i high_to_low(__m128i a, __m128i b, unsigned imm)
{
	return _mm_unpackhi_epi64(b, a);
}

SOFT_XMM_RR(mov_rr, whole)
SOFT_XMM_RR(movss_rr, low_32)
SOFT_XMM_RR(movsd_rr, low_64)
SOFT_XMM_RR(movq_rr, low_alone)
SOFT_XMM_RR(movlhps_rr, low_to_high)
SOFT_XMM_RR(movhlps_rr, high_to_low)
SOFT_XMM_RM(mova_rm, whole, soft_xmm_load)
SOFT_XMM_RM(movu_rm, whole, soft_xmm_load_any)
SOFT_XMM_RM(load_32, whole, soft_xmm_load32)
SOFT_XMM_RM(load_64, whole, soft_xmm_load64)
SOFT_XMM_RM(load_low, low_64, soft_xmm_load64)
SOFT_XMM_RM(load_high, low_to_high, soft_xmm_load64)

/* The same to a register that ModRM.rm names. */
#define DEFINE_MR(handler, function)                                                         \
	static const struct soft_op *handler(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                    \
		if (!soft_sse_ready(cpu))                                                    \
			return soft_sse_refuse(cpu, op);                                     \
		soft_xmm_set(cpu, op->rm,                                                    \
			     function(soft_xmm(cpu, op->rm), soft_xmm(cpu, op->reg), 0));    \
		return SOFT_NEXT(cpu, op);                                                   \
	}
DEFINE_MR(mov_mr, whole)
DEFINE_MR(movss_mr, low_32)
DEFINE_MR(movsd_mr, low_64)
DEFINE_MR(movq_mr, low_alone)

#define DEFINE_STORE(handler, store, value)                                                  \
	static const struct soft_op *handler(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                    \
		__m128i source = soft_xmm(cpu, op->reg);                                     \
                                                                                             \
		if (!soft_sse_ready(cpu))                                                    \
			return soft_sse_refuse(cpu, op);                                     \
		if (!store(cpu, op, soft_address(cpu, op), value))                           \
			return soft_stop(cpu, op);                                           \
		return SOFT_NEXT(cpu, op);                                                   \
	}
DEFINE_STORE(store_any, soft_xmm_store_any, source)
DEFINE_STORE(store_aligned, soft_xmm_store, source)
DEFINE_STORE(store_32, soft_store32, (uint32_t)_mm_cvtsi128_si32(source))
DEFINE_STORE(store_low, soft_store64, (uint64_t)_mm_cvtsi128_si64(source))
DEFINE_STORE(store_high, soft_store64,
	     (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(source, source)))

/* Between xmm and general registers. */
static const struct soft_op *movd_from_gpr(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	soft_xmm_set(cpu, op->reg, _mm_cvtsi32_si128((int32_t)soft_get32(cpu, op->rm)));
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *movq_from_gpr(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	soft_xmm_set(cpu, op->reg, _mm_cvtsi64_si128((int64_t)soft_get64(cpu, op->rm)));
	return SOFT_NEXT(cpu, op);
}

#define DEFINE_TO_GPR(handler, slot, value)                                                  \
	static const struct soft_op *handler(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                    \
		if (!soft_sse_ready(cpu))                                                    \
			return soft_sse_refuse(cpu, op);                                     \
		soft_set64(cpu, slot, value);                                                \
		return SOFT_NEXT(cpu, op);                                                   \
	}
DEFINE_TO_GPR(movd_to_gpr, op->rm, (uint32_t)_mm_cvtsi128_si32(soft_xmm(cpu, op->reg)))
DEFINE_TO_GPR(movq_to_gpr, op->rm, (uint64_t)_mm_cvtsi128_si64(soft_xmm(cpu, op->reg)))
DEFINE_TO_GPR(movmskps, op->reg, (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(soft_xmm(cpu, op->rm))))
DEFINE_TO_GPR(movmskpd, op->reg, (uint32_t)_mm_movemask_pd(_mm_castsi128_pd(soft_xmm(cpu, op->rm))))
DEFINE_TO_GPR(pmovmskb, op->reg, (uint32_t)_mm_movemask_epi8(soft_xmm(cpu, op->rm)))

/* MOVNTI uses general registers alone: CR0 and CR4 do not matter. */
static const struct soft_op *movnti_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_store32(cpu, op, soft_address(cpu, op), soft_get32(cpu, op->reg)))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *movnti_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_store64(cpu, op, soft_address(cpu, op), soft_get64(cpu, op->reg)))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *maskmovdqu(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	if (!soft_masked_store(cpu, op, 16, soft_xmm(cpu, op->reg), soft_xmm(cpu, op->rm)))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

#define ROW(code, mandatory, on_rr, on_rm, size, forms)                                      \
	{                                                                                    \
		on_rr, on_rm, .opcode = code, .prefix = SOFT_SSE_##mandatory, .bytes = size, \
			      .form = forms                                                  \
	}
#define STORE SOFT_SSE_STORE
static const struct soft_sse_row rows[] = {
	/* MOVUPS, MOVUPD, MOVSS, MOVSD */
	ROW(0x10, NP, mov_rr, movu_rm, 16, 0),
	ROW(0x10, 66, mov_rr, movu_rm, 16, 0),
	ROW(0x10, F3, movss_rr, load_32, 4, 0),
	ROW(0x10, F2, movsd_rr, load_64, 8, 0),
	ROW(0x11, NP, mov_mr, store_any, 16, STORE),
	ROW(0x11, 66, mov_mr, store_any, 16, STORE),
	ROW(0x11, F3, movss_mr, store_32, 4, STORE),
	ROW(0x11, F2, movsd_mr, store_low, 8, STORE),
	/* MOVHLPS and MOVLPS, MOVLPD, MOVLHPS and MOVHPS, MOVHPD */
	ROW(0x12, NP, movhlps_rr, load_low, 8, 0),
	ROW(0x12, 66, NULL, load_low, 8, 0),
	ROW(0x13, NP, NULL, store_low, 8, STORE),
	ROW(0x13, 66, NULL, store_low, 8, STORE),
	ROW(0x16, NP, movlhps_rr, load_high, 8, 0),
	ROW(0x16, 66, NULL, load_high, 8, 0),
	ROW(0x17, NP, NULL, store_high, 8, STORE),
	ROW(0x17, 66, NULL, store_high, 8, STORE),
	/* MOVAPS, MOVAPD, MOVNTPS, MOVNTPD, MOVMSKPS, MOVMSKPD */
	ROW(0x28, NP, mov_rr, mova_rm, 16, 0),
	ROW(0x28, 66, mov_rr, mova_rm, 16, 0),
	ROW(0x29, NP, mov_mr, store_aligned, 16, STORE),
	ROW(0x29, 66, mov_mr, store_aligned, 16, STORE),
	ROW(0x2b, NP, NULL, store_aligned, 16, STORE),
	ROW(0x2b, 66, NULL, store_aligned, 16, STORE),
	ROW(0x50, NP, movmskps, NULL, 0, 0),
	ROW(0x50, 66, movmskpd, NULL, 0, 0),
	/* MOVD, MOVQ */
	ROW(0x6e, 66, movd_from_gpr, load_32, 4, SOFT_SSE_W0),
	ROW(0x6e, 66, movq_from_gpr, load_64, 8, SOFT_SSE_W1),
	ROW(0x7e, 66, movd_to_gpr, store_32, 4, STORE | SOFT_SSE_W0),
	ROW(0x7e, 66, movq_to_gpr, store_low, 8, STORE | SOFT_SSE_W1),
	ROW(0x7e, F3, movq_rr, load_64, 8, 0),
	ROW(0xd6, 66, movq_mr, store_low, 8, STORE),
	/* MOVDQA, MOVDQU, MOVNTDQ, MOVNTI, PMOVMSKB, MASKMOVDQU */
	ROW(0x6f, 66, mov_rr, mova_rm, 16, 0),
	ROW(0x6f, F3, mov_rr, movu_rm, 16, 0),
	ROW(0x7f, 66, mov_mr, store_aligned, 16, STORE),
	ROW(0x7f, F3, mov_mr, store_any, 16, STORE),
	ROW(0xe7, 66, NULL, store_aligned, 16, STORE),
	ROW(0xc3, NP, NULL, movnti_32, 4, STORE | SOFT_SSE_W0),
	ROW(0xc3, NP, NULL, movnti_64, 8, STORE | SOFT_SSE_W1),
	ROW(0xd7, 66, pmovmskb, NULL, 0, 0),
	ROW(0xf7, 66, maskmovdqu, NULL, 16, SOFT_SSE_STRING),
};
SOFT_SSE_TABLE(soft_sse_moves, rows);
