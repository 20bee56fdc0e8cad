/* SSE and SSE2 arithmetic. Reference: SDM vol. 1, 10.4.1.2 and 11.4.1.2. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse_float.h"

/* The four forms of an operation. */
#define DEFINE(name, kind)                                                     \
	SOFT_FLOAT(name##ps, #name "ps", SOFT_FLOAT_PS(kind), soft_xmm_load)   \
	SOFT_FLOAT(name##pd, #name "pd", SOFT_FLOAT_PD(kind), soft_xmm_load)   \
	SOFT_FLOAT(name##ss, #name "ss", SOFT_FLOAT_SS(kind), soft_xmm_load32) \
	SOFT_FLOAT(name##sd, #name "sd", SOFT_FLOAT_SD(kind), soft_xmm_load64)
DEFINE(sqrt, SAFE)
DEFINE(add, ADD)
DEFINE(mul, MUL)
DEFINE(sub, SUB)
DEFINE(min, SAFE)
DEFINE(div, DIV)
DEFINE(max, SAFE)

/* Approximations: the host's own, as the SDM bounds their error alone. They heed neither rounding nor
 * masks, and set no flag. */
#define DEFINE_APPROXIMATION(name, load)                                 \
	SOFT_INLINE __m128i name(__m128i a, __m128i b, unsigned imm)     \
	{                                                                \
		__asm__(#name " %[b], %[a]" : [a] "+x"(a) : [b] "x"(b)); \
		return a;                                                \
	}                                                                \
	SOFT_XMM(name, load)
DEFINE_APPROXIMATION(rsqrtps, soft_xmm_load)
DEFINE_APPROXIMATION(rsqrtss, soft_xmm_load32)
DEFINE_APPROXIMATION(rcpps, soft_xmm_load)
DEFINE_APPROXIMATION(rcpss, soft_xmm_load32)

#define ROWS(code, name)                                                            \
	SOFT_XMM_ROW(code, NP, name##ps, 16), SOFT_XMM_ROW(code, 66, name##pd, 16), \
		SOFT_XMM_ROW(code, F3, name##ss, 4), SOFT_XMM_ROW(code, F2, name##sd, 8)
static const struct soft_sse_row rows[] = {
	ROWS(0x51, sqrt),
	SOFT_XMM_ROW(0x52, NP, rsqrtps, 16),
	SOFT_XMM_ROW(0x52, F3, rsqrtss, 4),
	SOFT_XMM_ROW(0x53, NP, rcpps, 16),
	SOFT_XMM_ROW(0x53, F3, rcpss, 4),
	ROWS(0x58, add),
	ROWS(0x59, mul),
	ROWS(0x5c, sub),
	ROWS(0x5d, min),
	ROWS(0x5e, div),
	ROWS(0x5f, max),
};
SOFT_SSE_TABLE(soft_sse_floats, rows);
