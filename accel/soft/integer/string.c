/** String instructions element by element, and their repetition (SDM vol. 2: MOVS, CMPS, STOS, LODS, SCAS,
 * INS, OUTS, REP). */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/string.h"

#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/io.h"
#include "accel/soft/integer/sized.h"
#include "accel/soft/system/system.h"

bool soft_string_source(struct soft_cpu *cpu, const struct soft_op *op, uint64_t *linear)
{
	uint64_t offset = cpu->gpr[MW_RSI] & op->imm;

	if (op->extra & SOFT_STRING_FLAT) {
		*linear = offset + cpu->gpr[op->base];
		return true;
	}
	return soft_segment_address(cpu, (enum mw_segment_name)op->segment, offset, op->size, false,
				    linear);
}
bool soft_string_destination(struct soft_cpu *cpu, const struct soft_op *op, bool write,
			     uint64_t *linear)
{
	uint64_t offset = cpu->gpr[MW_RDI] & op->imm;

	if (op->extra & SOFT_STRING_FLAT) {
		*linear = offset;
		return true;
	}
	return soft_segment_address(cpu, MW_ES, offset, op->size, write, linear);
}
static void set_by_mask(struct soft_cpu *cpu, unsigned slot, uint64_t mask, uint64_t value)
{
	if (mask == 0xffff)
		soft_set16(cpu, slot, (uint16_t)value);
	else
		cpu->gpr[slot] = value & mask;
}
void soft_string_advance(struct soft_cpu *cpu, const struct soft_op *op, unsigned slot,
			 uint64_t elements)
{
	uint64_t bytes = elements * op->size;

	set_by_mask(cpu, slot, op->imm, cpu->gpr[slot] + (cpu->rflags & SOFT_DF ? -bytes : bytes));
}
void soft_string_compare(struct soft_cpu *cpu, uint64_t a, uint64_t b, unsigned size)
{
	unsigned spare = 64 - size * 8;

	soft_flags_sub(cpu, a, b, (int64_t)((a - b) << spare) >> spare, size * 8);
}

static __attribute__((noinline)) bool step_movs(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t from, to, value;

	if (!soft_string_source(cpu, op, &from) || !soft_string_destination(cpu, op, true, &to) ||
	    !soft_load_sized(cpu, op, from, op->size, &value) ||
	    !soft_store_sized(cpu, op, to, op->size, value))
		return false;
	soft_string_advance(cpu, op, MW_RSI, 1);
	soft_string_advance(cpu, op, MW_RDI, 1);
	return true;
}
static __attribute__((noinline)) bool step_cmps(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t from, to, a, b;

	if (!soft_string_source(cpu, op, &from) || !soft_string_destination(cpu, op, false, &to) ||
	    !soft_load_sized(cpu, op, from, op->size, &a) ||
	    !soft_load_sized(cpu, op, to, op->size, &b))
		return false;
	soft_string_advance(cpu, op, MW_RSI, 1);
	soft_string_advance(cpu, op, MW_RDI, 1);
	soft_string_compare(cpu, a, b, op->size);
	return true;
}
static __attribute__((noinline)) bool step_stos(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t to;

	if (!soft_string_destination(cpu, op, true, &to) ||
	    !soft_store_sized(cpu, op, to, op->size, cpu->gpr[MW_RAX]))
		return false;
	soft_string_advance(cpu, op, MW_RDI, 1);
	return true;
}
static __attribute__((noinline)) bool step_lods(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t from, value;

	if (!soft_string_source(cpu, op, &from) ||
	    !soft_load_sized(cpu, op, from, op->size, &value))
		return false;
	if (op->size == 1)
		soft_set8(cpu, MW_RAX * 8, (uint8_t)value);
	else
		soft_set_sized(cpu, MW_RAX, op->size, value);
	soft_string_advance(cpu, op, MW_RSI, 1);
	return true;
}
static __attribute__((noinline)) bool step_scas(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t to, value;

	if (!soft_string_destination(cpu, op, false, &to) ||
	    !soft_load_sized(cpu, op, to, op->size, &value))
		return false;
	soft_string_advance(cpu, op, MW_RDI, 1);
	soft_string_compare(cpu, cpu->gpr[MW_RAX], value, op->size);
	return true;
}
/* The port is read once only the store cannot fail any more. */
static __attribute__((noinline)) bool step_ins(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t port = soft_get16(cpu, MW_RDX);
	uint64_t to;

	if (!soft_io_allowed(cpu, port, op->size) || !soft_string_destination(cpu, op, true, &to) ||
	    !soft_check_write(cpu, op, to, op->size) ||
	    !soft_store_sized(cpu, op, to, op->size, soft_io_read(cpu, port, op->size)))
		return false;
	soft_string_advance(cpu, op, MW_RDI, 1);
	return true;
}
static __attribute__((noinline)) bool step_outs(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t port = soft_get16(cpu, MW_RDX);
	uint64_t from, value;

	if (!soft_io_allowed(cpu, port, op->size) || !soft_string_source(cpu, op, &from) ||
	    !soft_load_sized(cpu, op, from, op->size, &value))
		return false;
	soft_io_write(cpu, port, op->size, (uint32_t)value);
	soft_string_advance(cpu, op, MW_RSI, 1);
	return true;
}

struct string_kind {
	soft_string_step *step;
	soft_string_chunk *chunk; /* NULL: by elements only */
	bool compares;            /* REPE and REPNE differ */
};
enum string_end { DONE, PAUSED, RAISED };

/* Whether REPE or REPNE ends with the flags as they are. */
static bool is_over(const struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_zf(cpu) != !!(op->extra & SOFT_STRING_WHILE_EQUAL);
}
/* How many elements before the run loop gets its turn: the budget's, and one at least. */
static uint64_t share(const struct soft_cpu *cpu, uint64_t count, int64_t paid)
{
	uint64_t most = cpu->left > 0 ? (uint64_t)(cpu->left + paid) : 1;

	return count < most ? count : most;
}
/* Every iteration counts as an instruction, and so does one that faults; the first has been paid for with the
 * block. */
static __attribute__((noinline)) enum string_end
repeat(struct soft_cpu *cpu, const struct soft_op *op, const struct string_kind *kind)
{
	uint64_t count = cpu->gpr[MW_RCX] & op->imm, done;
	unsigned singly = kind->chunk && !cpu->single_step ? 0 : UINT32_MAX;
	int64_t paid = 1;

	while (count) {
		done = singly ? 0 : kind->chunk(cpu, op, share(cpu, count, paid), &singly);
		if (!done) {
			if (!kind->step(cpu, op)) {
				cpu->left -= 1 - paid;
				return RAISED;
			}
			done = 1;
			singly--;
		}
		count -= done;
		set_by_mask(cpu, MW_RCX, op->imm, count);
		cpu->left -= (int64_t)done - paid;
		paid = 0;
		if (kind->compares && is_over(cpu, op))
			return DONE;
		if (count && (cpu->left <= 0 || cpu->single_step))
			return PAUSED;
	}
	return DONE;
}
static const struct soft_op *finish(struct soft_cpu *cpu, const struct soft_op *op,
				    enum string_end end)
{
	switch (end) {
	case PAUSED: return soft_again(cpu, op);
	case RAISED: return soft_stop(cpu, op);
	default: return cpu->left <= 0 ? soft_leave(cpu, op) : SOFT_NEXT(cpu, op);
	}
}

#define DEFINE_STRING(name, chunk, compares)                                                       \
	static const struct soft_op *once_##name(struct soft_cpu *cpu, const struct soft_op *op)   \
	{                                                                                          \
		return finish(cpu, op, step_##name(cpu, op) ? DONE : RAISED);                      \
	}                                                                                          \
	static const struct soft_op *repeat_##name(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		static const struct string_kind kind = { step_##name, chunk, compares };           \
                                                                                                   \
		return finish(cpu, op, repeat(cpu, op, &kind));                                    \
	}
DEFINE_STRING(movs, soft_string_movs, false)
DEFINE_STRING(cmps, soft_string_cmps, true)
DEFINE_STRING(stos, soft_string_stos, false)
DEFINE_STRING(lods, NULL, false)
DEFINE_STRING(scas, soft_string_scas, true)
DEFINE_STRING(ins, NULL, false)
DEFINE_STRING(outs, NULL, false)

struct string_row {
	soft_handler *once, *repeat;
	bool source, destination; /* which it has */
};
static const struct string_row *row_of(uint8_t opcode)
{
	static const struct string_row rows[] = {
		{ once_ins, repeat_ins, false, true },   /* 6C */
		{ once_outs, repeat_outs, true, false }, /* 6E */
		{ once_movs, repeat_movs, true, true },  /* A4 */
		{ once_cmps, repeat_cmps, true, true },  /* A6 */
		{ once_stos, repeat_stos, false, true }, /* AA */
		{ once_lods, repeat_lods, true, false }, /* AC */
		{ once_scas, repeat_scas, false, true }, /* AE */
	};

	if (opcode < 0xa0)
		return &rows[opcode >> 1 & 1];
	return &rows[opcode < 0xa8 ? 2 + (opcode >> 1 & 1) : 4 + ((opcode - 0xaa) >> 1)];
}
static bool needs_no_check(const struct soft_decoder *decoder, const struct string_row *row)
{
	enum mw_segment_name segment = decoder->insn.segment;

	if (decoder->cpu->mode.code_bits == 64)
		return true;
	return decoder->cpu->mode.flat &&
	       (!row->source || segment == MW_DS || segment == MW_ES || segment == MW_SS);
}

/** 6C to 6F, A4 to A7, AA to AF. */
void soft_emit_string(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	const struct string_row *row = row_of(insn->opcode);
	bool is_port = insn->opcode < 0xa0;
	struct soft_op *op = soft_emit(decoder, insn->repeat ? row->repeat : row->once);

	op->size = (uint8_t)(is_port && insn->operand_size == 8 ? 4 : insn->operand_size);
	op->imm =
		insn->address_size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * insn->address_size) - 1;
	op->segment = (uint8_t)(row->source ? insn->segment : MW_ES);
	op->base = SOFT_ZERO;
	op->extra = insn->repeat == 0xf2 ? SOFT_STRING_WHILE_OTHER : SOFT_STRING_WHILE_EQUAL;
	if (!needs_no_check(decoder, row))
		return;
	op->extra |= SOFT_STRING_FLAT;
	if (decoder->cpu->mode.code_bits == 64 && insn->segment == MW_FS)
		op->base = SOFT_FS_BASE;
	if (decoder->cpu->mode.code_bits == 64 && insn->segment == MW_GS)
		op->base = SOFT_GS_BASE;
}
