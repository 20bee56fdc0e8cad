/** The integer operations that MMX and SSE2 have in common, over xmm registers: in the low half of a and b an
 * MMX one is the same, but for packing and unpacking. Reference: SDM vol. 1, 9.4, 10.4.4 and 11.4.2. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_SSE_INTEGER_H
#define ACCEL_SOFT_SSE_INTEGER_H

#include "accel/soft/floating/sse.h"

/* X(opcode, name, expression) */
#define SOFT_LANE_OPERATIONS(X)                 \
	X(0x64, pcmpgtb, _mm_cmpgt_epi8(a, b))  \
	X(0x65, pcmpgtw, _mm_cmpgt_epi16(a, b)) \
	X(0x66, pcmpgtd, _mm_cmpgt_epi32(a, b)) \
	X(0x74, pcmpeqb, _mm_cmpeq_epi8(a, b))  \
	X(0x75, pcmpeqw, _mm_cmpeq_epi16(a, b)) \
	X(0x76, pcmpeqd, _mm_cmpeq_epi32(a, b)) \
	X(0xd1, psrlw, _mm_srl_epi16(a, b))     \
	X(0xd2, psrld, _mm_srl_epi32(a, b))     \
	X(0xd3, psrlq, _mm_srl_epi64(a, b))     \
	X(0xd4, paddq, _mm_add_epi64(a, b))     \
	X(0xd5, pmullw, _mm_mullo_epi16(a, b))  \
	X(0xd8, psubusb, _mm_subs_epu8(a, b))   \
	X(0xd9, psubusw, _mm_subs_epu16(a, b))  \
	X(0xda, pminub, _mm_min_epu8(a, b))     \
	X(0xdb, pand, _mm_and_si128(a, b))      \
	X(0xdc, paddusb, _mm_adds_epu8(a, b))   \
	X(0xdd, paddusw, _mm_adds_epu16(a, b))  \
	X(0xde, pmaxub, _mm_max_epu8(a, b))     \
	X(0xdf, pandn, _mm_andnot_si128(a, b))  \
	X(0xe0, pavgb, _mm_avg_epu8(a, b))      \
	X(0xe1, psraw, _mm_sra_epi16(a, b))     \
	X(0xe2, psrad, _mm_sra_epi32(a, b))     \
	X(0xe3, pavgw, _mm_avg_epu16(a, b))     \
	X(0xe4, pmulhuw, _mm_mulhi_epu16(a, b)) \
	X(0xe5, pmulhw, _mm_mulhi_epi16(a, b))  \
	X(0xe8, psubsb, _mm_subs_epi8(a, b))    \
	X(0xe9, psubsw, _mm_subs_epi16(a, b))   \
	X(0xea, pminsw, _mm_min_epi16(a, b))    \
	X(0xeb, por, _mm_or_si128(a, b))        \
	X(0xec, paddsb, _mm_adds_epi8(a, b))    \
	X(0xed, paddsw, _mm_adds_epi16(a, b))   \
	X(0xee, pmaxsw, _mm_max_epi16(a, b))    \
	X(0xef, pxor, _mm_xor_si128(a, b))      \
	X(0xf1, psllw, _mm_sll_epi16(a, b))     \
	X(0xf2, pslld, _mm_sll_epi32(a, b))     \
	X(0xf3, psllq, _mm_sll_epi64(a, b))     \
	X(0xf4, pmuludq, _mm_mul_epu32(a, b))   \
	X(0xf5, pmaddwd, _mm_madd_epi16(a, b))  \
	X(0xf6, psadbw, _mm_sad_epu8(a, b))     \
	X(0xf8, psubb, _mm_sub_epi8(a, b))      \
	X(0xf9, psubw, _mm_sub_epi16(a, b))     \
	X(0xfa, psubd, _mm_sub_epi32(a, b))     \
	X(0xfb, psubq, _mm_sub_epi64(a, b))     \
	X(0xfc, paddb, _mm_add_epi8(a, b))      \
	X(0xfd, paddw, _mm_add_epi16(a, b))     \
	X(0xfe, paddd, _mm_add_epi32(a, b))

/* Those that read the low halves, the high halves, and both to pack them. */
#define SOFT_UNPACK_LOW(X)                           \
	X(0x60, punpcklbw, _mm_unpacklo_epi8(a, b))  \
	X(0x61, punpcklwd, _mm_unpacklo_epi16(a, b)) \
	X(0x62, punpckldq, _mm_unpacklo_epi32(a, b))
#define SOFT_PACK(X)                              \
	X(0x63, packsswb, _mm_packs_epi16(a, b))  \
	X(0x67, packuswb, _mm_packus_epi16(a, b)) \
	X(0x6b, packssdw, _mm_packs_epi32(a, b))

#define SOFT_DEFINE_LANES(opcode, name, expression)                  \
	SOFT_INLINE __m128i name(__m128i a, __m128i b, unsigned imm) \
	{                                                            \
		return expression;                                   \
	}

#endif
