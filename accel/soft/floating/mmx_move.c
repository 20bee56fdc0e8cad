/* MMX moves, shuffles, and what goes between MMX and xmm registers; EMMS. Reference: SDM vol. 1, 9.4.1,
 * 10.4.4 and 11.4.2. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse.h"

SOFT_INLINE uint64_t mmx_bits(const struct soft_cpu *cpu, unsigned number)
{
	return (uint64_t)_mm_cvtsi128_si64(soft_mmx(cpu, number));
}

/* mm = value */
#define DEFINE_LOAD(handler, value)                                                          \
	static const struct soft_op *handler(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                    \
		if (!soft_mmx_ready(cpu))                                                    \
			return soft_stop(cpu, op);                                           \
		soft_mmx_set(cpu, op->reg, value);                                           \
		return SOFT_NEXT(cpu, op);                                                   \
	}
#define DEFINE_LOAD_MEMORY(handler, load)                                                    \
	static const struct soft_op *handler(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                    \
		__m128i value;                                                               \
                                                                                             \
		if (!soft_mmx_ready(cpu) || !load(cpu, op, soft_address(cpu, op), &value))   \
			return soft_stop(cpu, op);                                           \
		soft_mmx_set(cpu, op->reg, value);                                           \
		return SOFT_NEXT(cpu, op);                                                   \
	}
DEFINE_LOAD(movd_from_gpr, _mm_cvtsi32_si128((int32_t)soft_get32(cpu, op->rm)))
DEFINE_LOAD(movq_from_gpr, _mm_cvtsi64_si128((int64_t)soft_get64(cpu, op->rm)))
DEFINE_LOAD(movq_rr, soft_mmx(cpu, op->rm))
DEFINE_LOAD_MEMORY(load_32, soft_xmm_load32)
DEFINE_LOAD_MEMORY(load_64, soft_xmm_load64)

static const struct soft_op *movq_mr(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_mmx_ready(cpu))
		return soft_stop(cpu, op);
	soft_mmx_set(cpu, op->rm, soft_mmx(cpu, op->reg));
	return SOFT_NEXT(cpu, op);
}

#define DEFINE_STORE(bits)                                                                        \
	static const struct soft_op *store_##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                         \
		uint##bits##_t value = (uint##bits##_t)mmx_bits(cpu, op->reg);                    \
                                                                                                  \
		if (!soft_mmx_ready(cpu) ||                                                       \
		    !soft_store##bits(cpu, op, soft_address(cpu, op), value))                     \
			return soft_stop(cpu, op);                                                \
		soft_mmx_begin(cpu);                                                              \
		return SOFT_NEXT(cpu, op);                                                        \
	}
DEFINE_STORE(32)
DEFINE_STORE(64)

/* general register = value */
#define DEFINE_TO_GPR(handler, slot, value)                                                  \
	static const struct soft_op *handler(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                    \
		if (!soft_mmx_ready(cpu))                                                    \
			return soft_stop(cpu, op);                                           \
		soft_set64(cpu, slot, value);                                                \
		soft_mmx_begin(cpu);                                                         \
		return SOFT_NEXT(cpu, op);                                                   \
	}
DEFINE_TO_GPR(movd_to_gpr, op->rm, (uint32_t)mmx_bits(cpu, op->reg))
DEFINE_TO_GPR(movq_to_gpr, op->rm, mmx_bits(cpu, op->reg))
DEFINE_TO_GPR(pmovmskb, op->reg, (uint32_t)_mm_movemask_epi8(soft_mmx(cpu, op->rm)))
DEFINE_TO_GPR(pextrw, op->reg, mmx_bits(cpu, op->rm) >> 16 * (op->imm & 3) & 0xffff)

SOFT_INLINE __m128i with_word(__m128i a, unsigned number, uint64_t word)
{
	unsigned shift = 16 * (number & 3);
	uint64_t rest = (uint64_t)_mm_cvtsi128_si64(a) & ~(UINT64_C(0xffff) << shift);

	return _mm_cvtsi64_si128((int64_t)(rest | (word & 0xffff) << shift));
}
DEFINE_LOAD(pinsrw_rr,
	    with_word(soft_mmx(cpu, op->reg), (unsigned)op->imm, soft_get64(cpu, op->rm)))
static const struct soft_op *pinsrw_rm(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t word;

	if (!soft_mmx_ready(cpu) || !soft_load16(cpu, op, soft_address(cpu, op), &word))
		return soft_stop(cpu, op);
	soft_mmx_set(cpu, op->reg, with_word(soft_mmx(cpu, op->reg), (unsigned)op->imm, word));
	return SOFT_NEXT(cpu, op);
}

SOFT_INLINE __m128i shuffled(uint64_t in, unsigned imm)
{
	uint64_t out = 0;

	for (unsigned i = 0; i < 4; i++)
		out |= (in >> 16 * (imm >> 2 * i & 3) & 0xffff) << 16 * i;
	return _mm_cvtsi64_si128((int64_t)out);
}
DEFINE_LOAD(pshufw_rr, shuffled(mmx_bits(cpu, op->rm), (unsigned)op->imm))
static const struct soft_op *pshufw_rm(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value;

	if (!soft_mmx_ready(cpu) || !soft_load64(cpu, op, soft_address(cpu, op), &value))
		return soft_stop(cpu, op);
	soft_mmx_set(cpu, op->reg, shuffled(value, (unsigned)op->imm));
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *maskmovq(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_mmx_ready(cpu) ||
	    !soft_masked_store(cpu, op, 8, soft_mmx(cpu, op->reg), soft_mmx(cpu, op->rm)))
		return soft_stop(cpu, op);
	soft_mmx_begin(cpu);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *movq2dq(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	if (!soft_mmx_ready(cpu))
		return soft_stop(cpu, op);
	soft_xmm_set(cpu, op->reg, soft_mmx(cpu, op->rm));
	soft_mmx_begin(cpu);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *movdq2q(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_sse_ready(cpu))
		return soft_sse_refuse(cpu, op);
	if (!soft_mmx_ready(cpu))
		return soft_stop(cpu, op);
	soft_mmx_set(cpu, op->reg, soft_xmm(cpu, op->rm));
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *emms(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_mmx_ready(cpu))
		return soft_stop(cpu, op);
	soft_mmx_end(cpu);
	return SOFT_NEXT(cpu, op);
}

#define REG   SOFT_SSE_MMX_REG
#define RM    SOFT_SSE_MMX_RM
#define STORE SOFT_SSE_STORE
#define ROW(code, on_rr, on_rm, size, forms)                               \
	{                                                                  \
		on_rr, on_rm, .opcode = code, .bytes = size, .form = forms \
	}
static const struct soft_sse_row rows[] = {
	ROW(0x6e, movd_from_gpr, load_32, 4, REG | SOFT_SSE_W0),
	ROW(0x6e, movq_from_gpr, load_64, 8, REG | SOFT_SSE_W1),
	ROW(0x7e, movd_to_gpr, store_32, 4, REG | STORE | SOFT_SSE_W0),
	ROW(0x7e, movq_to_gpr, store_64, 8, REG | STORE | SOFT_SSE_W1),
	ROW(0x6f, movq_rr, load_64, 8, REG | RM),
	ROW(0x7f, movq_mr, store_64, 8, REG | RM | STORE),
	ROW(0x70, pshufw_rr, pshufw_rm, 8, REG | RM),
	ROW(0x77, emms, NULL, 0, 0),
	ROW(0xc4, pinsrw_rr, pinsrw_rm, 2, REG),
	ROW(0xc5, pextrw, NULL, 0, RM),
	ROW(0xd7, pmovmskb, NULL, 0, RM),
	ROW(0xe7, NULL, store_64, 8, REG | STORE), /* MOVNTQ */
	ROW(0xf7, maskmovq, NULL, 8, REG | RM | SOFT_SSE_STRING),
	{ movq2dq, NULL, .opcode = 0xd6, .prefix = SOFT_SSE_F3, .form = RM },
	{ movdq2q, NULL, .opcode = 0xd6, .prefix = SOFT_SSE_F2, .form = REG },
};
SOFT_SSE_TABLE(soft_mmx_moves, rows);
