/* Integer and bitwise operations on xmm registers. Reference: SDM vol. 1, 10.4.1.2, 10.4.2 and 11.4.2. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse_integer.h"

#define UNPACK_HIGH(X)                                \
	X(0x68, punpckhbw, _mm_unpackhi_epi8(a, b))   \
	X(0x69, punpckhwd, _mm_unpackhi_epi16(a, b))  \
	X(0x6a, punpckhdq, _mm_unpackhi_epi32(a, b))  \
	X(0x6c, punpcklqdq, _mm_unpacklo_epi64(a, b)) \
	X(0x6d, punpckhqdq, _mm_unpackhi_epi64(a, b))

#define DEFINE(opcode, name, expression)            \
	SOFT_DEFINE_LANES(opcode, name, expression) \
	SOFT_XMM(name, soft_xmm_load)
SOFT_LANE_OPERATIONS(DEFINE)
SOFT_UNPACK_LOW(DEFINE)
UNPACK_HIGH(DEFINE)
SOFT_PACK(DEFINE)

#define ROW(opcode, name, expression) SOFT_XMM_ROW(opcode, 66, name, 16),
static const struct soft_sse_row rows[] = {
	SOFT_LANE_OPERATIONS(ROW) SOFT_UNPACK_LOW(ROW) UNPACK_HIGH(ROW) SOFT_PACK(ROW)
	/* ANDPS, ANDNPS, ORPS, XORPS, UNPCKLPS, UNPCKHPS and their PD forms are bits like these. */
	SOFT_XMM_ROW(0x54, NP, pand, 16),
	SOFT_XMM_ROW(0x54, 66, pand, 16),
	SOFT_XMM_ROW(0x55, NP, pandn, 16),
	SOFT_XMM_ROW(0x55, 66, pandn, 16),
	SOFT_XMM_ROW(0x56, NP, por, 16),
	SOFT_XMM_ROW(0x56, 66, por, 16),
	SOFT_XMM_ROW(0x57, NP, pxor, 16),
	SOFT_XMM_ROW(0x57, 66, pxor, 16),
	SOFT_XMM_ROW(0x14, NP, punpckldq, 16),
	SOFT_XMM_ROW(0x14, 66, punpcklqdq, 16),
	SOFT_XMM_ROW(0x15, NP, punpckhdq, 16),
	SOFT_XMM_ROW(0x15, 66, punpckhqdq, 16),
};
SOFT_SSE_TABLE(soft_sse_integers, rows);
