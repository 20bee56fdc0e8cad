/* Conversions between MMX and xmm registers. Reference: SDM vol. 1, 10.4.3 and 11.4.1.6; vol. 2, CVTPI2PD for
 * when memory is the source. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse_float.h"

SOFT_FLOAT_OPERATION(cvtdq2ps, "cvtdq2ps", SOFT_FLOAT_PS(SAFE))
SOFT_FLOAT_OPERATION(cvtps2dq, "cvtps2dq", SOFT_FLOAT_PS(SAFE))
SOFT_FLOAT_OPERATION(cvttps2dq, "cvttps2dq", SOFT_FLOAT_PS(SAFE))
SOFT_FLOAT_OPERATION(cvtpd2dq, "cvtpd2dq", SOFT_FLOAT_PD(SAFE))
SOFT_FLOAT_OPERATION(cvttpd2dq, "cvttpd2dq", SOFT_FLOAT_PD(SAFE))

/* The lower half of `a` gives way to two singles. */
SOFT_INLINE bool pi2ps(struct soft_cpu *cpu, __m128i a, __m128i b, __m128i *result)
{
	__m128i low;

	if (!cvtdq2ps(cpu, b, b, &low))
		return false;
	*result = _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(a), _mm_castsi128_pd(low)));
	return true;
}

/* The x87 goes over to MMX even where the operation then raises #XM. */
static const struct soft_op *cvtpi2ps_rr(struct soft_cpu *cpu, const struct soft_op *op)
{
	__m128i result;

	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	if (!soft_mmx_ready(cpu))
		return soft_stop(cpu, op);
	soft_mmx_begin(cpu);
	if (!pi2ps(cpu, soft_xmm(cpu, op->reg), soft_mmx(cpu, op->rm), &result))
		return soft_stop(cpu, op);
	soft_xmm_set(cpu, op->reg, result);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *cvtpi2ps_rm(struct soft_cpu *cpu, const struct soft_op *op)
{
	__m128i source, result;

	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	if (!soft_mmx_ready(cpu) || !soft_xmm_load64(cpu, op, soft_address(cpu, op), &source))
		return soft_stop(cpu, op);
	soft_mmx_begin(cpu);
	if (!pi2ps(cpu, soft_xmm(cpu, op->reg), source, &result))
		return soft_stop(cpu, op);
	soft_xmm_set(cpu, op->reg, result);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *cvtpi2pd_rr(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	if (!soft_mmx_ready(cpu))
		return soft_stop(cpu, op);
	soft_xmm_set(cpu, op->reg, _mm_castpd_si128(_mm_cvtepi32_pd(soft_mmx(cpu, op->rm))));
	soft_mmx_begin(cpu);
	return SOFT_NEXT(cpu, op);
}
/* No MMX register is there, so the x87 is left alone. */
static const struct soft_op *cvtpi2pd_rm(struct soft_cpu *cpu, const struct soft_op *op)
{
	__m128i source;

	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	if (!soft_xmm_load64(cpu, op, soft_address(cpu, op), &source))
		return soft_stop(cpu, op);
	soft_xmm_set(cpu, op->reg, _mm_castpd_si128(_mm_cvtepi32_pd(source)));
	return SOFT_NEXT(cpu, op);
}

/* mm = operation(operand); the register's part that is read. */
#define DEFINE_TO_MMX(name, operation, part, load)                                             \
	static const struct soft_op *name##_rr(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                      \
		__m128i source = part(soft_xmm(cpu, op->rm)), result;                          \
                                                                                               \
		if (!soft_sse_ready(cpu))                                                      \
			return soft_sse_refuse(cpu, op);                                       \
		if (!soft_mmx_ready(cpu))                                                      \
			return soft_stop(cpu, op);                                             \
		soft_mmx_begin(cpu);                                                           \
		if (!operation(cpu, source, source, &result))                                  \
			return soft_stop(cpu, op);                                             \
		soft_mmx_set(cpu, op->reg, result);                                            \
		return SOFT_NEXT(cpu, op);                                                     \
	}                                                                                      \
	static const struct soft_op *name##_rm(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                      \
		__m128i source, result;                                                        \
                                                                                               \
		if (!soft_sse_ready(cpu))                                                      \
			return soft_sse_refuse(cpu, op);                                       \
		if (!soft_mmx_ready(cpu) || !load(cpu, op, soft_address(cpu, op), &source))    \
			return soft_stop(cpu, op);                                             \
		soft_mmx_begin(cpu);                                                           \
		if (!operation(cpu, source, source, &result))                                  \
			return soft_stop(cpu, op);                                             \
		soft_mmx_set(cpu, op->reg, result);                                            \
		return SOFT_NEXT(cpu, op);                                                     \
	}
#define ALL(value) (value)
DEFINE_TO_MMX(cvtps2pi, cvtps2dq, _mm_move_epi64, soft_xmm_load64)
DEFINE_TO_MMX(cvttps2pi, cvttps2dq, _mm_move_epi64, soft_xmm_load64)
DEFINE_TO_MMX(cvtpd2pi, cvtpd2dq, ALL, soft_xmm_load)
DEFINE_TO_MMX(cvttpd2pi, cvttpd2dq, ALL, soft_xmm_load)

#define ROW(code, mandatory, name, size, forms)                                       \
	{                                                                             \
		name##_rr, name##_rm, .opcode = code, .prefix = SOFT_SSE_##mandatory, \
				      .bytes = size, .form = forms                    \
	}
static const struct soft_sse_row rows[] = {
	ROW(0x2a, NP, cvtpi2ps, 8, SOFT_SSE_MMX_RM),
	ROW(0x2a, 66, cvtpi2pd, 8, SOFT_SSE_MMX_RM),
	ROW(0x2c, NP, cvttps2pi, 8, SOFT_SSE_MMX_REG),
	ROW(0x2c, 66, cvttpd2pi, 16, SOFT_SSE_MMX_REG),
	ROW(0x2d, NP, cvtps2pi, 8, SOFT_SSE_MMX_REG),
	ROW(0x2d, 66, cvtpd2pi, 16, SOFT_SSE_MMX_REG),
};
SOFT_SSE_TABLE(soft_mmx_converts, rows);
