/* Ops out of instructions: what all families share. Reference: SDM vol. 2, chapter 2. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"

#include "accel/soft/decode/block.h"
#include "accel/soft/system/system.h"

static struct soft_op *append(struct soft_decoder *decoder, soft_handler *run)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = &decoder->ops[decoder->op_count];

	if (decoder->op_count + 1 < SOFT_BLOCK_OPS)
		decoder->op_count++;
	*op = (struct soft_op){
		.run = run,
		.length = (uint8_t)insn->length,
		.number = (uint8_t)decoder->instruction,
		.next = (uint16_t)(decoder->offset + insn->length),
		.base = SOFT_ZERO,
		.index = SOFT_ZERO,
	};
	return op;
}

uint8_t soft_byte_register(const struct soft_insn *insn, unsigned number)
{
	if (!insn->rex && number >= 4 && number < 8)
		return (uint8_t)((number - 4) * 8 + 1); /* AH, CH, DH, BH */
	return (uint8_t)(number * 8);
}

struct soft_op *soft_emit(struct soft_decoder *decoder, soft_handler *run)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = append(decoder, run);
	bool bytes = insn->operand_size == 1;

	op->reg = bytes ? soft_byte_register(insn, insn->reg) : (uint8_t)insn->reg;
	op->rm = bytes ? soft_byte_register(insn, insn->rm) : (uint8_t)insn->rm;
	op->imm = insn->imm;
	op->size = (uint8_t)insn->operand_size;
	op->segment = (uint8_t)insn->segment;
	return op;
}

/* How far back a displacement may reach in one op; farther ones are addresses in the upper half. */
enum { SHORT_BACK = 1 << 20 };

/* Ops that work out SOFT_EA. imm: displacement; disp: bytes accessed; extra: bit 0 write, the rest the
 * address size. */

static uint64_t offset_of(const struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t offset = cpu->gpr[op->base] + (cpu->gpr[op->index] << op->scale) + op->imm;

	switch (op->extra >> 1) {
	case 2: return offset & 0xffff;
	case 4: return offset & 0xffffffff;
	default: return offset;
	}
}

static const struct soft_op *address_checked(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear = soft_checked_address(cpu, op, offset_of(cpu, op));

	if (cpu->fault.raised)
		return soft_stop(cpu, op);
	cpu->gpr[SOFT_EA] = linear;
	return SOFT_NEXT(cpu, op);
}

uint64_t soft_checked_address(struct soft_cpu *cpu, const struct soft_op *op, uint64_t offset)
{
	uint64_t linear = 0;

	soft_segment_address(cpu, (enum mw_segment_name)op->segment, offset, (unsigned)op->disp,
			     op->extra & 1, &linear);
	return linear;
}

/* Flat 32-bit segments: only the wrap at 4 GiB is left. */
static const struct soft_op *address_flat(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->gpr[SOFT_EA] = offset_of(cpu, op);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *address_flat_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->gpr[SOFT_EA] =
		(uint32_t)(cpu->gpr[op->base] + (cpu->gpr[op->index] << op->scale) + op->imm);
	return SOFT_NEXT(cpu, op);
}

/* 64-bit mode: FS or GS with an index, 32-bit addresses. `reg` is the base's slot. */
static const struct soft_op *address_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->gpr[SOFT_EA] = cpu->gpr[op->reg] + offset_of(cpu, op);
	return SOFT_NEXT(cpu, op);
}

static uint8_t base_slot(enum mw_segment_name segment)
{
	return segment == MW_FS ? SOFT_FS_BASE : segment == MW_GS ? SOFT_GS_BASE : SOFT_ZERO;
}

static void emit_address_op(struct soft_decoder *decoder, soft_handler *run, unsigned bytes,
			    enum soft_access access, int64_t disp)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = append(decoder, run);

	op->base = insn->rip_relative ? SOFT_PAGE_RIP : insn->base;
	op->index = insn->index;
	op->scale = insn->scale;
	op->segment = (uint8_t)insn->segment;
	op->imm = (uint64_t)disp;
	op->reg = base_slot(insn->segment);
	op->disp = (int32_t)bytes;
	op->extra = (uint8_t)((access == SOFT_WRITE) | insn->address_size << 1);
}

static bool is_short_form(const struct soft_insn *insn, int64_t disp)
{
	if (insn->address_size != 8 || disp != (int32_t)disp)
		return false;
	return base_slot(insn->segment) == SOFT_ZERO || insn->index == SOFT_ZERO;
}

static bool is_flat(const struct soft_decoder *decoder)
{
	enum mw_segment_name segment = decoder->insn.segment;

	return decoder->cpu->mode.flat &&
	       (segment == MW_DS || segment == MW_ES || segment == MW_SS);
}

static soft_handler *legacy_address_handler(const struct soft_decoder *decoder)
{
	if (!is_flat(decoder))
		return address_checked;
	return decoder->insn.address_size == 4 ? address_flat_32 : address_flat;
}

/* Of flat 32-bit addresses those that hardly ever wrap at 4 GiB: where one does, its upper half keeps it off
 * the TLB's fast path, and the slow one wraps it. */
static bool is_short_flat(const struct soft_decoder *decoder, int64_t disp)
{
	const struct soft_insn *insn = &decoder->insn;

	return is_flat(decoder) && insn->address_size == 4 && insn->base != SOFT_ZERO &&
	       insn->index == SOFT_ZERO && disp == (int32_t)disp && disp >= -SHORT_BACK;
}

struct soft_op *soft_emit_memory(struct soft_decoder *decoder, soft_handler *run, unsigned bytes,
				 enum soft_access access)
{
	const struct soft_insn *insn = &decoder->insn;
	bool in_64bit = decoder->cpu->mode.code_bits == 64, simple;
	int64_t disp = insn->disp;
	struct soft_op *op;

	if (insn->rip_relative)
		disp += decoder->offset + insn->length;
	simple = in_64bit ? is_short_form(insn, disp) : is_short_flat(decoder, disp);
	if (!simple)
		emit_address_op(decoder, in_64bit ? address_64 : legacy_address_handler(decoder),
				bytes, access, disp);
	op = soft_emit(decoder, run);
	op->base = simple ? insn->base : SOFT_EA;
	if (simple) {
		op->disp = (int32_t)disp;
		op->index = insn->index;
		op->scale = insn->scale;
		if (insn->rip_relative)
			op->base = SOFT_PAGE_RIP;
		if (base_slot(insn->segment) != SOFT_ZERO) {
			op->index = base_slot(insn->segment);
			op->scale = 0;
		}
	}
	return op;
}

struct soft_op *soft_emit_modrm(struct soft_decoder *decoder, soft_handler *on_register,
				soft_handler *on_memory, unsigned bytes, enum soft_access access)
{
	if (decoder->insn.memory ? !on_memory : !on_register) {
		soft_emit_undefined(decoder);
		return &decoder->ops[decoder->op_count - 1];
	}
	return decoder->insn.memory ? soft_emit_memory(decoder, on_memory, bytes, access)
				    : soft_emit(decoder, on_register);
}

void soft_emit_r_rm(struct soft_decoder *decoder, soft_handler *on_register,
		    soft_handler *on_memory)
{
	struct soft_op *op = soft_emit_modrm(decoder, on_register, on_memory,
					     decoder->insn.operand_size, SOFT_READ);
	uint8_t rm = op->rm;

	if (decoder->insn.memory)
		return;
	op->rm = op->reg;
	op->reg = rm;
}

/* imm: up to eight of the opcode's bytes, for the log; rm: how many. */
static const struct soft_op *undefined(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint8_t bytes[8];

	memcpy(bytes, &op->imm, sizeof(bytes));
	soft_note_undefined(cpu, soft_rip_here(cpu, op), bytes, op->rm);
	soft_raise(cpu, SOFT_UD);
	return soft_stop(cpu, op);
}

void soft_emit_undefined(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = append(decoder, undefined);

	memcpy(&op->imm, insn->bytes, sizeof(op->imm));
	op->rm = (uint8_t)(insn->length < 8 ? insn->length : 8);
	decoder->ends = true;
}

static bool is_defined(const struct soft_insn *insn, const struct soft_opcode *row, bool in_64bit)
{
	if (!row || !row->emit || (row->format & (in_64bit ? SOFT_I64 : SOFT_O64)))
		return false;
	return !insn->lock || ((row->format & SOFT_LOCKABLE) && insn->memory);
}

const struct soft_op *soft_op_fence(struct soft_cpu *cpu, const struct soft_op *op)
{
	__asm__ __volatile__("mfence" ::: "memory");
	return SOFT_NEXT(cpu, op);
}

/* LOCK, and XCHG with memory, which has it without saying. */
static bool is_locked(const struct soft_insn *insn)
{
	return insn->lock || (insn->map == 0 && (insn->opcode & 0xfe) == 0x86 && insn->memory);
}

void soft_decode_emit(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	const struct soft_opcode *row =
		insn->map < 2 ? &soft_opcodes[insn->map][insn->opcode] : NULL;

	if (!is_defined(insn, row, decoder->cpu->mode.code_bits == 64)) {
		soft_emit_undefined(decoder);
		return;
	}
	if (row->format & SOFT_ENDS)
		decoder->ends = true;
	/* Among the CPUs everything is in order, but devices look at memory from threads of their own. */
	if (is_locked(insn))
		append(decoder, soft_op_fence);
	row->emit(decoder);
}
