/* SSE and SSE2 comparisons. Reference: SDM vol. 1, 10.4.1.3 and 11.4.1.4. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse_float.h"

#include "accel/soft/integer/flags.h"

#define DEFINE(predicate)                                                                      \
	SOFT_FLOAT(predicate##ps, "cmp" #predicate "ps", SOFT_FLOAT_PS(SAFE), soft_xmm_load)   \
	SOFT_FLOAT(predicate##pd, "cmp" #predicate "pd", SOFT_FLOAT_PD(SAFE), soft_xmm_load)   \
	SOFT_FLOAT(predicate##ss, "cmp" #predicate "ss", SOFT_FLOAT_SS(SAFE), soft_xmm_load32) \
	SOFT_FLOAT(predicate##sd, "cmp" #predicate "sd", SOFT_FLOAT_SD(SAFE), soft_xmm_load64)
DEFINE(eq)
DEFINE(lt)
DEFINE(le)
DEFINE(unord)
DEFINE(neq)
DEFINE(nlt)
DEFINE(nle)
DEFINE(ord)

/* COMIS, UCOMIS: ZF, PF and CF, the others 0. */
SOFT_INLINE uint32_t flags_of(bool zf, bool pf, bool cf)
{
	return (zf ? SOFT_ZF : 0u) | (pf ? SOFT_PF : 0u) | (cf ? SOFT_CF : 0u);
}
#define DEFINE_COMIS(name, shape, load)                                                          \
	static SOFT_NOINLINE __m128i name##_run(__m128i a, __m128i b, uint32_t mxcsr,            \
						uint32_t *flags)                                 \
	{                                                                                        \
		const uint32_t standard = SOFT_MXCSR_DEFAULT;                                    \
		uint32_t after;                                                                  \
		bool zf, pf, cf;                                                                 \
                                                                                                 \
		__asm__ volatile(                                                                \
			SOFT_FLOAT_ENTER #name " %[b], %[a]" SOFT_FLOAT_EXIT                     \
			: [after] "=m"(after), "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf)             \
			: [a] "x"(a), [b] "x"(b), [mxcsr] "m"(mxcsr), [standard] "m"(standard)); \
		*flags = after & SOFT_MXCSR_FLAGS;                                               \
		return _mm_cvtsi32_si128((int32_t)flags_of(zf, pf, cf));                         \
	}                                                                                        \
	SOFT_INLINE bool name(struct soft_cpu *cpu, __m128i a, __m128i b)                        \
	{                                                                                        \
		uint32_t host, flags;                                                            \
		bool zf, pf, cf;                                                                 \
                                                                                                 \
		__asm__ volatile(#name " %[b], %[a]" SOFT_FLOAT_GET                              \
				 : [mxcsr] "=r"(host), [scratch] "=m"(SOFT_FLOAT_SCRATCH(cpu)),  \
				   "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf)                         \
				 : [a] "x"(a), [b] "x"(b));                                      \
		flags = flags_of(zf, pf, cf);                                                    \
		if (SOFT_UNLIKELY(soft_float_departs(cpu, host))) {                              \
			flags = (uint32_t)_mm_cvtsi128_si32(                                     \
				soft_float_exact(cpu, name##_run, shape, a, b));                 \
			if (cpu->fault.raised)                                                   \
				return false;                                                    \
		}                                                                                \
		soft_flags_set(cpu, flags);                                                      \
		return true;                                                                     \
	}                                                                                        \
	static const struct soft_op *name##_rr(struct soft_cpu *cpu, const struct soft_op *op)   \
	{                                                                                        \
		if (!soft_sse_ready(cpu))                                                        \
			return soft_sse_refuse(cpu, op);                                         \
		if (!name(cpu, soft_xmm(cpu, op->reg), soft_xmm(cpu, op->rm)))                   \
			return soft_stop(cpu, op);                                               \
		return SOFT_NEXT(cpu, op);                                                       \
	}                                                                                        \
	static const struct soft_op *name##_rm(struct soft_cpu *cpu, const struct soft_op *op)   \
	{                                                                                        \
		__m128i source;                                                                  \
                                                                                                 \
		if (!soft_sse_ready(cpu))                                                        \
			return soft_sse_refuse(cpu, op);                                         \
		if (!load(cpu, op, soft_address(cpu, op), &source) ||                            \
		    !name(cpu, soft_xmm(cpu, op->reg), source))                                  \
			return soft_stop(cpu, op);                                               \
		return SOFT_NEXT(cpu, op);                                                       \
	}
DEFINE_COMIS(ucomiss, SOFT_FLOAT_SS(SAFE), soft_xmm_load32)
DEFINE_COMIS(ucomisd, SOFT_FLOAT_SD(SAFE), soft_xmm_load64)
DEFINE_COMIS(comiss, SOFT_FLOAT_SS(SAFE), soft_xmm_load32)
DEFINE_COMIS(comisd, SOFT_FLOAT_SD(SAFE), soft_xmm_load64)

#define ROW(mandatory, name, size, number)                                                     \
	{                                                                                      \
		name##_rr, name##_rm, .opcode = 0xc2, .prefix = SOFT_SSE_##mandatory,          \
				      .bytes = size, .form = SOFT_SSE_BY_IMM, .select = number \
	}
#define ROWS(predicate, number)                                                 \
	ROW(NP, predicate##ps, 16, number), ROW(66, predicate##pd, 16, number), \
		ROW(F3, predicate##ss, 4, number), ROW(F2, predicate##sd, 8, number)
static const struct soft_sse_row rows[] = {
	SOFT_XMM_ROW(0x2e, NP, ucomiss, 4),
	SOFT_XMM_ROW(0x2e, 66, ucomisd, 8),
	SOFT_XMM_ROW(0x2f, NP, comiss, 4),
	SOFT_XMM_ROW(0x2f, 66, comisd, 8),
	ROWS(eq, 0),
	ROWS(lt, 1),
	ROWS(le, 2),
	ROWS(unord, 3),
	ROWS(neq, 4),
	ROWS(nlt, 5),
	ROWS(nle, 6),
	ROWS(ord, 7),
};
SOFT_SSE_TABLE(soft_sse_compares, rows);
