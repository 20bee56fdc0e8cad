/* MMX, SSE and SSE2: from opcode and mandatory prefix to a handler. Reference: SDM vol. 2, appendix A,
 * table. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse.h"

static const struct soft_sse_table *const tables[] = {
	&soft_sse_moves,    &soft_sse_shuffles, &soft_sse_floats,
	&soft_sse_compares, &soft_sse_converts, &soft_sse_integers,
	&soft_mmx_moves,    &soft_mmx_integers, &soft_mmx_converts,
};

SOFT_NOINLINE const struct soft_op *soft_sse_refuse(struct soft_cpu *cpu, const struct soft_op *op)
{
	bool defined = !(cpu->cr0 & SOFT_CR0_EM) && (cpu->cr4 & SOFT_CR4_OSFXSR);

	soft_raise(cpu, defined ? SOFT_NM : SOFT_UD);
	return soft_stop(cpu, op);
}

SOFT_NOINLINE __m128i soft_xmm_read_slow(struct soft_cpu *cpu, const struct soft_op *op,
					 uint64_t linear)
{
	__m128i value = _mm_setzero_si128();

	soft_read_bytes(cpu, op, linear, &value, sizeof(value));
	return value;
}

SOFT_NOINLINE bool soft_xmm_write_slow(struct soft_cpu *cpu, const struct soft_op *op,
				       uint64_t linear, __m128i value)
{
	return soft_write_bytes(cpu, op, linear, &value, sizeof(value));
}

SOFT_NOINLINE bool soft_masked_store(struct soft_cpu *cpu, const struct soft_op *op, unsigned count,
				     __m128i value, __m128i mask)
{
	unsigned bits = (unsigned)_mm_movemask_epi8(mask) & ((1u << count) - 1);
	uint64_t linear = soft_address(cpu, op);
	unsigned first, end;
	uint8_t bytes[16];

	if (!bits)
		return true;
	_mm_storeu_si128((__m128i *)(void *)bytes, value);
	first = (unsigned)__builtin_ctz(bits);
	end = 32 - (unsigned)__builtin_clz(bits);
	if (!soft_check_write(cpu, op, linear + first, end - first))
		return false;
	for (unsigned i = first; i < end; i++)
		if ((bits >> i & 1) && !soft_store8(cpu, op, linear + i, bytes[i]))
			return false;
	return true;
}

static enum soft_sse_prefix prefix_of(const struct soft_insn *insn)
{
	if (insn->repeat)
		return insn->repeat == 0xf3 ? SOFT_SSE_F3 : SOFT_SSE_F2;
	return insn->operand_prefix ? SOFT_SSE_66 : SOFT_SSE_NP;
}

static bool row_fits(const struct soft_sse_row *row, const struct soft_insn *insn)
{
	if ((row->form & SOFT_SSE_W0) && insn->operand_size == 8)
		return false;
	if ((row->form & SOFT_SSE_W1) && insn->operand_size != 8)
		return false;
	if ((row->form & SOFT_SSE_BY_REG) && (insn->modrm >> 3 & 7) != row->select)
		return false;
	/* An immediate above 7 is reserved; the bits above do not count without VEX. */
	return !(row->form & SOFT_SSE_BY_IMM) || (insn->imm & 7) == row->select;
}

static const struct soft_sse_row *find_row(const struct soft_insn *insn)
{
	enum soft_sse_prefix prefix = prefix_of(insn);

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct soft_sse_row *row = &tables[t]->rows[i];

			if (row->opcode == insn->opcode && row->prefix == prefix &&
			    row_fits(row, insn))
				return row;
		}
	return NULL;
}

/* ModRM's two registers are operands, memory is at DS:rDI of the address size. */
static struct soft_op *emit_string(struct soft_decoder *decoder, const struct soft_sse_row *row)
{
	struct soft_insn *insn = &decoder->insn;
	struct soft_op *op;

	if (insn->memory)
		return NULL;
	insn->base = 7;
	insn->index = SOFT_ZERO;
	insn->scale = 0;
	insn->disp = 0;
	insn->rip_relative = false;
	insn->segment =
		insn->segment_prefix < 0 ? MW_DS : (enum mw_segment_name)insn->segment_prefix;
	op = soft_emit_memory(decoder, row->on_register, row->bytes, SOFT_WRITE);
	op->reg = (uint8_t)insn->reg;
	op->rm = (uint8_t)insn->rm;
	return op;
}

void soft_emit_sse(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	const struct soft_sse_row *row = find_row(insn);
	struct soft_op *op = NULL;

	if (row && (row->form & SOFT_SSE_STRING))
		op = emit_string(decoder, row);
	else if (row && !(insn->memory ? row->on_memory : row->on_register))
		op = NULL;
	else if (row && insn->memory)
		op = soft_emit_memory(decoder, row->on_memory, row->bytes,
				      row->form & SOFT_SSE_STORE ? SOFT_WRITE : SOFT_READ);
	else if (row)
		op = soft_emit(decoder, row->on_register);
	if (!op) {
		soft_emit_undefined(decoder);
		return;
	}
	if (row->form & SOFT_SSE_MMX_REG)
		op->reg &= 7;
	if (!insn->memory && (row->form & SOFT_SSE_MMX_RM))
		op->rm &= 7;
}
