/* SSE and SSE2 conversions. Reference: SDM vol. 1, 10.4.3 and 11.4.1.6. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse_float.h"

SOFT_FLOAT(cvtdq2ps, "cvtdq2ps", SOFT_FLOAT_PS(SAFE), soft_xmm_load)
SOFT_FLOAT(cvtps2dq, "cvtps2dq", SOFT_FLOAT_PS(SAFE), soft_xmm_load)
SOFT_FLOAT(cvttps2dq, "cvttps2dq", SOFT_FLOAT_PS(SAFE), soft_xmm_load)
SOFT_FLOAT(cvtpd2dq, "cvtpd2dq", SOFT_FLOAT_PD(SAFE), soft_xmm_load)
SOFT_FLOAT(cvttpd2dq, "cvttpd2dq", SOFT_FLOAT_PD(SAFE), soft_xmm_load)
SOFT_FLOAT(cvtps2pd, "cvtps2pd", SOFT_FLOAT_PS(SAFE), soft_xmm_load64)
SOFT_FLOAT(cvtss2sd, "cvtss2sd", SOFT_FLOAT_SS(SAFE), soft_xmm_load32)
SOFT_FLOAT(cvtpd2ps, "cvtpd2ps", SOFT_FLOAT_PD(NARROW), soft_xmm_load)
SOFT_FLOAT(cvtsd2ss, "cvtsd2ss", SOFT_FLOAT_SD(NARROW), soft_xmm_load64)

/* Always exact. */
SOFT_INLINE __m128i cvtdq2pd(__m128i a, __m128i b, unsigned imm)
{
	return _mm_castpd_si128(_mm_cvtepi32_pd(b));
}
SOFT_XMM(cvtdq2pd, soft_xmm_load64)

/* xmm and general registers. NAME(cpu, a, integer, &result) and its two handlers. */
#define DEFINE_FROM_GPR(name, instruction, shape, bits)                                        \
	static SOFT_NOINLINE __m128i name##_run(__m128i a, __m128i b, uint32_t mxcsr,          \
						uint32_t *flags)                               \
	{                                                                                      \
		const uint32_t standard = SOFT_MXCSR_DEFAULT;                                  \
		int64_t integer = _mm_cvtsi128_si64(b);                                        \
		uint32_t after;                                                                \
                                                                                               \
		__asm__ volatile(                                                              \
			SOFT_FLOAT_ENTER instruction SOFT_FLOAT_EXIT                           \
			: [a] "+x"(a), [after] "=m"(after)                                     \
			: [b] "r"(integer), [mxcsr] "m"(mxcsr), [standard] "m"(standard));     \
		*flags = after & SOFT_MXCSR_FLAGS;                                             \
		return a;                                                                      \
	}                                                                                      \
	SOFT_INLINE bool name(struct soft_cpu *cpu, __m128i a, uint##bits##_t integer,         \
			      __m128i *result)                                                 \
	{                                                                                      \
		uint64_t wide = integer;                                                       \
		__m128i value = a;                                                             \
		uint32_t host;                                                                 \
                                                                                               \
		__asm__ volatile(instruction SOFT_FLOAT_GET                                    \
				 : [a] "+x"(value), [mxcsr] "=r"(host),                        \
				   [scratch] "=m"(SOFT_FLOAT_SCRATCH(cpu))                     \
				 : [b] "r"(wide));                                             \
		*result = value;                                                               \
		if (SOFT_LIKELY(!soft_float_departs(cpu, host)))                               \
			return true;                                                           \
		*result = soft_float_exact(cpu, name##_run, shape, a,                          \
					   _mm_cvtsi64_si128((int64_t)wide));                  \
		return !cpu->fault.raised;                                                     \
	}                                                                                      \
	static const struct soft_op *name##_rr(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                      \
		__m128i result;                                                                \
                                                                                               \
		if (!soft_sse_ready(cpu))                                                      \
			return soft_sse_refuse(cpu, op);                                       \
		if (!name(cpu, soft_xmm(cpu, op->reg), soft_get##bits(cpu, op->rm), &result))  \
			return soft_stop(cpu, op);                                             \
		soft_xmm_set(cpu, op->reg, result);                                            \
		return SOFT_NEXT(cpu, op);                                                     \
	}                                                                                      \
	static const struct soft_op *name##_rm(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                      \
		uint##bits##_t source;                                                         \
		__m128i result;                                                                \
                                                                                               \
		if (!soft_sse_ready(cpu))                                                      \
			return soft_sse_refuse(cpu, op);                                       \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &source) ||               \
		    !name(cpu, soft_xmm(cpu, op->reg), source, &result))                       \
			return soft_stop(cpu, op);                                             \
		soft_xmm_set(cpu, op->reg, result);                                            \
		return SOFT_NEXT(cpu, op);                                                     \
	}
DEFINE_FROM_GPR(cvtsi2ss_32, "cvtsi2ssl %k[b], %[a]", SOFT_FLOAT_SS(SAFE), 32)
DEFINE_FROM_GPR(cvtsi2ss_64, "cvtsi2ssq %q[b], %[a]", SOFT_FLOAT_SS(SAFE), 64)
DEFINE_FROM_GPR(cvtsi2sd_32, "cvtsi2sdl %k[b], %[a]", SOFT_FLOAT_SD(SAFE), 32)
DEFINE_FROM_GPR(cvtsi2sd_64, "cvtsi2sdq %q[b], %[a]", SOFT_FLOAT_SD(SAFE), 64)

/* NAME(cpu, b, &integer) and its two handlers; a 32-bit result clears the upper half. */
#define DEFINE_TO_GPR(name, instruction, shape, load)                                              \
	static SOFT_NOINLINE __m128i name##_run(__m128i a, __m128i b, uint32_t mxcsr,              \
						uint32_t *flags)                                   \
	{                                                                                          \
		const uint32_t standard = SOFT_MXCSR_DEFAULT;                                      \
		uint32_t after;                                                                    \
		int64_t integer;                                                                   \
                                                                                                   \
		__asm__ volatile(SOFT_FLOAT_ENTER instruction SOFT_FLOAT_EXIT                      \
				 : [a] "=&r"(integer), [after] "=m"(after)                         \
				 : [b] "x"(b), [mxcsr] "m"(mxcsr), [standard] "m"(standard));      \
		*flags = after & SOFT_MXCSR_FLAGS;                                                 \
		return _mm_cvtsi64_si128(integer);                                                 \
	}                                                                                          \
	SOFT_INLINE bool name(struct soft_cpu *cpu, __m128i b, uint64_t *result)                   \
	{                                                                                          \
		uint64_t integer;                                                                  \
		uint32_t host;                                                                     \
                                                                                                   \
		__asm__ volatile(instruction SOFT_FLOAT_GET                                        \
				 : [a] "=&r"(integer), [mxcsr] "=r"(host),                         \
				   [scratch] "=m"(SOFT_FLOAT_SCRATCH(cpu))                         \
				 : [b] "x"(b));                                                    \
		*result = integer;                                                                 \
		if (SOFT_LIKELY(!soft_float_departs(cpu, host)))                                   \
			return true;                                                               \
		*result = (uint64_t)_mm_cvtsi128_si64(                                             \
			soft_float_exact(cpu, name##_run, shape, b, b));                           \
		return !cpu->fault.raised;                                                         \
	}                                                                                          \
	static const struct soft_op *name##_rr(struct soft_cpu *cpu, const struct soft_op *op)     \
	{                                                                                          \
		uint64_t result;                                                                   \
                                                                                                   \
		if (!soft_sse_ready(cpu))                                                          \
			return soft_sse_refuse(cpu, op);                                           \
		if (!name(cpu, soft_xmm(cpu, op->rm), &result))                                    \
			return soft_stop(cpu, op);                                                 \
		soft_set64(cpu, op->reg, result);                                                  \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *name##_rm(struct soft_cpu *cpu, const struct soft_op *op)     \
	{                                                                                          \
		uint64_t result;                                                                   \
		__m128i source;                                                                    \
                                                                                                   \
		if (!soft_sse_ready(cpu))                                                          \
			return soft_sse_refuse(cpu, op);                                           \
		if (!load(cpu, op, soft_address(cpu, op), &source) || !name(cpu, source, &result)) \
			return soft_stop(cpu, op);                                                 \
		soft_set64(cpu, op->reg, result);                                                  \
		return SOFT_NEXT(cpu, op);                                                         \
	}
DEFINE_TO_GPR(cvtss2si_32, "cvtss2si %[b], %k[a]", SOFT_FLOAT_SS(SAFE), soft_xmm_load32)
DEFINE_TO_GPR(cvtss2si_64, "cvtss2si %[b], %q[a]", SOFT_FLOAT_SS(SAFE), soft_xmm_load32)
DEFINE_TO_GPR(cvtsd2si_32, "cvtsd2si %[b], %k[a]", SOFT_FLOAT_SD(SAFE), soft_xmm_load64)
DEFINE_TO_GPR(cvtsd2si_64, "cvtsd2si %[b], %q[a]", SOFT_FLOAT_SD(SAFE), soft_xmm_load64)
DEFINE_TO_GPR(cvttss2si_32, "cvttss2si %[b], %k[a]", SOFT_FLOAT_SS(SAFE), soft_xmm_load32)
DEFINE_TO_GPR(cvttss2si_64, "cvttss2si %[b], %q[a]", SOFT_FLOAT_SS(SAFE), soft_xmm_load32)
DEFINE_TO_GPR(cvttsd2si_32, "cvttsd2si %[b], %k[a]", SOFT_FLOAT_SD(SAFE), soft_xmm_load64)
DEFINE_TO_GPR(cvttsd2si_64, "cvttsd2si %[b], %q[a]", SOFT_FLOAT_SD(SAFE), soft_xmm_load64)

#define WIDTHS(code, mandatory, name, narrow, wide)                                            \
	{ name##_32_rr,    name##_32_rm,       .opcode = code, .prefix = SOFT_SSE_##mandatory, \
	  .bytes = narrow, .form = SOFT_SSE_W0 },                                              \
	{                                                                                      \
		name##_64_rr, name##_64_rm, .opcode = code, .prefix = SOFT_SSE_##mandatory,    \
					    .bytes = wide, .form = SOFT_SSE_W1                 \
	}
static const struct soft_sse_row rows[] = {
	SOFT_XMM_ROW(0x5a, NP, cvtps2pd, 8),   SOFT_XMM_ROW(0x5a, 66, cvtpd2ps, 16),
	SOFT_XMM_ROW(0x5a, F3, cvtss2sd, 4),   SOFT_XMM_ROW(0x5a, F2, cvtsd2ss, 8),
	SOFT_XMM_ROW(0x5b, NP, cvtdq2ps, 16),  SOFT_XMM_ROW(0x5b, 66, cvtps2dq, 16),
	SOFT_XMM_ROW(0x5b, F3, cvttps2dq, 16), SOFT_XMM_ROW(0xe6, 66, cvttpd2dq, 16),
	SOFT_XMM_ROW(0xe6, F3, cvtdq2pd, 8),   SOFT_XMM_ROW(0xe6, F2, cvtpd2dq, 16),
	WIDTHS(0x2a, F3, cvtsi2ss, 4, 8),      WIDTHS(0x2a, F2, cvtsi2sd, 4, 8),
	WIDTHS(0x2c, F3, cvttss2si, 4, 4),     WIDTHS(0x2c, F2, cvttsd2si, 8, 8),
	WIDTHS(0x2d, F3, cvtss2si, 4, 4),      WIDTHS(0x2d, F2, cvtsd2si, 8, 8),
};
SOFT_SSE_TABLE(soft_sse_converts, rows);
