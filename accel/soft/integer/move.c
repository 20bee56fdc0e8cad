/* MOV, MOVZX, MOVSX, LEA, CMOVcc, SETcc, XCHG, CBW, CWD, NOP. Reference: SDM vol. 2, the instructions'
 * pages. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/block.h"
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/sized.h"
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"

#define DEFINE_MOV(bits)                                                                           \
	static const struct soft_op *mov_rr_##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		soft_set##bits(cpu, op->rm, soft_get##bits(cpu, op->reg));                         \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *mov_ri_##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		soft_set##bits(cpu, op->rm, (uint##bits##_t)op->imm);                              \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *mov_rm_##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		uint##bits##_t value;                                                              \
                                                                                                   \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &value))                      \
			return soft_stop(cpu, op);                                                 \
		soft_set##bits(cpu, op->reg, value);                                               \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *mov_mr_##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		if (!soft_store##bits(cpu, op, soft_address(cpu, op),                              \
				      soft_get##bits(cpu, op->reg)))                               \
			return soft_stop(cpu, op);                                                 \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *mov_mi_##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		if (!soft_store##bits(cpu, op, soft_address(cpu, op), (uint##bits##_t)op->imm))    \
			return soft_stop(cpu, op);                                                 \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *xchg_rr_##bits(struct soft_cpu *cpu,                          \
						    const struct soft_op *op)                      \
	{                                                                                          \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);                                \
                                                                                                   \
		soft_set##bits(cpu, op->rm, soft_get##bits(cpu, op->reg));                         \
		soft_set##bits(cpu, op->reg, value);                                               \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *xchg_mr_##bits(struct soft_cpu *cpu,                          \
						    const struct soft_op *op)                      \
	{                                                                                          \
		uint64_t linear = soft_address(cpu, op);                                           \
		uint##bits##_t value;                                                              \
                                                                                                   \
		if (!soft_modify##bits(cpu, op, linear, &value) ||                                 \
		    !soft_store##bits(cpu, op, linear, soft_get##bits(cpu, op->reg)))              \
			return soft_stop(cpu, op);                                                 \
		soft_set##bits(cpu, op->reg, value);                                               \
		return SOFT_NEXT(cpu, op);                                                         \
	}
DEFINE_MOV(8)
DEFINE_MOV(16)
DEFINE_MOV(32)
DEFINE_MOV(64)

#define BY_SIZE(name)                                     \
	{                                                 \
		name##_8, name##_16, name##_32, name##_64 \
	}
static soft_handler *const mov_rr[] = BY_SIZE(mov_rr), *const mov_ri[] = BY_SIZE(mov_ri),
			   *const mov_rm[] = BY_SIZE(mov_rm), *const mov_mr[] = BY_SIZE(mov_mr),
			   *const mov_mi[] = BY_SIZE(mov_mi), *const xchg_rr[] = BY_SIZE(xchg_rr),
			   *const xchg_mr[] = BY_SIZE(xchg_mr);

void soft_emit_mov_rm_r(struct soft_decoder *decoder)
{
	unsigned size = soft_size_row(decoder->insn.operand_size);

	soft_emit_modrm(decoder, mov_rr[size], mov_mr[size], decoder->insn.operand_size,
			SOFT_WRITE);
}

void soft_emit_mov_r_rm(struct soft_decoder *decoder)
{
	unsigned size = soft_size_row(decoder->insn.operand_size);

	soft_emit_r_rm(decoder, mov_rr[size], mov_rm[size]);
}

/* B0 to BF: the register is in the opcode, so is its size. */
void soft_emit_mov_r_imm(struct soft_decoder *decoder)
{
	soft_emit(decoder, mov_ri[soft_size_row(decoder->insn.operand_size)]);
}

/* C6 and C7 /0. */
void soft_emit_mov_rm_imm(struct soft_decoder *decoder)
{
	unsigned size = soft_size_row(decoder->insn.operand_size);

	if (decoder->insn.modrm >> 3 & 7)
		soft_emit_undefined(decoder);
	else
		soft_emit_modrm(decoder, mov_ri[size], mov_mi[size], decoder->insn.operand_size,
				SOFT_WRITE);
}

/* A0 to A3: an absolute address in place of a ModRM. It may need 64 bits, which only an address op of its
 * own holds; a 32-bit displacement is what the usual form takes. */

static const struct soft_op *absolute_address(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->gpr[SOFT_EA] = cpu->gpr[op->reg] + op->imm;
	return SOFT_NEXT(cpu, op);
}

static void emit_absolute_64(struct soft_decoder *decoder, soft_handler *run)
{
	enum mw_segment_name segment = decoder->insn.segment;
	struct soft_op *op = soft_emit(decoder, absolute_address);

	op->reg = segment == MW_FS ? SOFT_FS_BASE : segment == MW_GS ? SOFT_GS_BASE : SOFT_ZERO;
	op = soft_emit(decoder, run);
	op->base = SOFT_EA;
	op->reg = MW_RAX;
}

void soft_emit_mov_moffs(struct soft_decoder *decoder)
{
	struct soft_insn *insn = &decoder->insn;
	bool store = insn->opcode & 2;
	soft_handler *run = (store ? mov_mr : mov_rm)[soft_size_row(decoder->insn.operand_size)];

	if (decoder->cpu->mode.code_bits == 64) {
		emit_absolute_64(decoder, run);
		return;
	}
	insn->disp = (int32_t)insn->imm;
	soft_emit_memory(decoder, run, insn->operand_size, store ? SOFT_WRITE : SOFT_READ)->reg =
		MW_RAX;
}

/* LEA: no segment, the address cut to its size, then to the operand's. `extra`: the address size. */

static const struct soft_op *lea_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->gpr[op->reg] = soft_address(cpu, op);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *lea_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->gpr[op->reg] = (uint32_t)soft_address(cpu, op);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *lea_any(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t address = soft_address(cpu, op);

	address &= op->extra == 2 ? 0xffff : op->extra == 4 ? 0xffffffff : UINT64_MAX;
	soft_set_sized(cpu, op->reg, op->size, address);
	return SOFT_NEXT(cpu, op);
}

void soft_emit_lea(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	soft_handler *run = lea_any;
	struct soft_op *op;

	if (!insn->memory) {
		soft_emit_undefined(decoder);
		return;
	}
	if (insn->operand_size == insn->address_size && insn->operand_size == 8)
		run = lea_64;
	else if (insn->operand_size == 4 && insn->address_size >= 4)
		run = lea_32;
	op = soft_emit(decoder, run);
	op->base = insn->rip_relative ? SOFT_PAGE_RIP : insn->base;
	op->index = insn->index;
	op->scale = insn->scale;
	/* The page's offset is at most 4 KiB: where the sum does not fit, it wraps at 2 GiB. */
	op->disp = (int32_t)((uint32_t)insn->disp +
			     (insn->rip_relative ? decoder->offset + insn->length : 0));
	op->extra = (uint8_t)insn->address_size;
}

/* MOVZX, MOVSX, MOVSXD: from a narrower operand. */
#define DEFINE_EXTEND(name, to, from, type)                                                  \
	static const struct soft_op *name##_r_##to##_##from(struct soft_cpu *cpu,            \
							    const struct soft_op *op)        \
	{                                                                                    \
		soft_set##to(cpu, op->reg, (uint##to##_t)(type)soft_get##from(cpu, op->rm)); \
		return SOFT_NEXT(cpu, op);                                                   \
	}                                                                                    \
	static const struct soft_op *name##_m_##to##_##from(struct soft_cpu *cpu,            \
							    const struct soft_op *op)        \
	{                                                                                    \
		uint##from##_t value;                                                        \
                                                                                             \
		if (!soft_load##from(cpu, op, soft_address(cpu, op), &value))                \
			return soft_stop(cpu, op);                                           \
		soft_set##to(cpu, op->reg, (uint##to##_t)(type)value);                       \
		return SOFT_NEXT(cpu, op);                                                   \
	}
DEFINE_EXTEND(movzx, 16, 8, uint8_t)
DEFINE_EXTEND(movzx, 32, 8, uint8_t)
DEFINE_EXTEND(movzx, 64, 8, uint8_t)
DEFINE_EXTEND(movzx, 16, 16, uint16_t)
DEFINE_EXTEND(movzx, 32, 16, uint16_t)
DEFINE_EXTEND(movzx, 64, 16, uint16_t)
DEFINE_EXTEND(movsx, 16, 8, int8_t)
DEFINE_EXTEND(movsx, 32, 8, int8_t)
DEFINE_EXTEND(movsx, 64, 8, int8_t)
DEFINE_EXTEND(movsx, 16, 16, int16_t)
DEFINE_EXTEND(movsx, 32, 16, int16_t)
DEFINE_EXTEND(movsx, 64, 16, int16_t)
DEFINE_EXTEND(movsxd, 64, 32, int32_t)

struct extend {
	soft_handler *on_register, *on_memory;
};
#define EXTEND(name, to, from)                                 \
	{                                                      \
		name##_r_##to##_##from, name##_m_##to##_##from \
	}
static const struct extend zero_extend[2][3] = {
	{ EXTEND(movzx, 16, 8), EXTEND(movzx, 32, 8), EXTEND(movzx, 64, 8) },
	{ EXTEND(movzx, 16, 16), EXTEND(movzx, 32, 16), EXTEND(movzx, 64, 16) },
};
static const struct extend sign_extend[2][3] = {
	{ EXTEND(movsx, 16, 8), EXTEND(movsx, 32, 8), EXTEND(movsx, 64, 8) },
	{ EXTEND(movsx, 16, 16), EXTEND(movsx, 32, 16), EXTEND(movsx, 64, 16) },
};

static void emit_extend(struct soft_decoder *decoder, const struct extend table[2][3])
{
	const struct soft_insn *insn = &decoder->insn;
	bool word = insn->opcode & 1;
	const struct extend *row = &table[word][soft_size_row(decoder->insn.operand_size) - 1];
	struct soft_op *op =
		soft_emit_modrm(decoder, row->on_register, row->on_memory, word ? 2 : 1, SOFT_READ);

	if (!word && !insn->memory)
		op->rm = soft_byte_register(insn, insn->rm);
}

void soft_emit_movzx(struct soft_decoder *decoder)
{
	emit_extend(decoder, zero_extend);
}

void soft_emit_movsx(struct soft_decoder *decoder)
{
	emit_extend(decoder, sign_extend);
}

/* 63 in 64-bit mode; without REX.W it is a plain MOV. Elsewhere it is ARPL. */
void soft_emit_movsxd(struct soft_decoder *decoder)
{
	if (decoder->cpu->mode.code_bits != 64)
		soft_emit_system(decoder);
	else if (decoder->insn.operand_size == 8)
		soft_emit_modrm(decoder, movsxd_r_64_32, movsxd_m_64_32, 4, SOFT_READ);
	else
		soft_emit_mov_r_rm(decoder);
}

/* CMOVcc reads its source in any case, and a 32-bit one clears the upper half in any case. `extra`: the
 * condition. */
#define DEFINE_CMOV(bits)                                                                          \
	static const struct soft_op *cmov_r_##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);                                \
                                                                                                   \
		if (!soft_condition(cpu, op->extra))                                               \
			value = soft_get##bits(cpu, op->reg);                                      \
		soft_set##bits(cpu, op->reg, value);                                               \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *cmov_m_##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		uint##bits##_t value;                                                              \
                                                                                                   \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &value))                      \
			return soft_stop(cpu, op);                                                 \
		if (!soft_condition(cpu, op->extra))                                               \
			value = soft_get##bits(cpu, op->reg);                                      \
		soft_set##bits(cpu, op->reg, value);                                               \
		return SOFT_NEXT(cpu, op);                                                         \
	}
DEFINE_CMOV(16)
DEFINE_CMOV(32)
DEFINE_CMOV(64)

void soft_emit_cmov(struct soft_decoder *decoder)
{
	static soft_handler *const registers[] = { cmov_r_16, cmov_r_32, cmov_r_64 };
	static soft_handler *const memories[] = { cmov_m_16, cmov_m_32, cmov_m_64 };
	unsigned size = soft_size_row(decoder->insn.operand_size) - 1;

	soft_emit_modrm(decoder, registers[size], memories[size], decoder->insn.operand_size,
			SOFT_READ)
		->extra = decoder->insn.opcode & 15;
}

static const struct soft_op *setcc_r(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set8(cpu, op->rm, soft_condition(cpu, op->extra));
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *setcc_m(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_store8(cpu, op, soft_address(cpu, op), soft_condition(cpu, op->extra)))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

void soft_emit_setcc(struct soft_decoder *decoder)
{
	soft_emit_modrm(decoder, setcc_r, setcc_m, 1, SOFT_WRITE)->extra =
		decoder->insn.opcode & 15;
}

void soft_emit_xchg(struct soft_decoder *decoder)
{
	unsigned size = soft_size_row(decoder->insn.operand_size);

	soft_emit_modrm(decoder, xchg_rr[size], xchg_mr[size], decoder->insn.operand_size,
			SOFT_WRITE);
}

static const struct soft_op *nop(struct soft_cpu *cpu, const struct soft_op *op)
{
	return SOFT_NEXT(cpu, op);
}

void soft_emit_nop(struct soft_decoder *decoder)
{
	soft_emit(decoder, nop);
}

/* PAUSE waits for another CPU, which gets its turn then: they share one host thread. What the block gives back
 * goes with the turn, so that not one instruction more runs before the other's. */
static const struct soft_op *pause_turn(struct soft_cpu *cpu, const struct soft_op *op)
{
	const struct soft_op *out = soft_leave(cpu, op);

	soft_look(cpu);
	return out;
}

static void emit_nop_or_pause(struct soft_decoder *decoder)
{
	bool pause = decoder->insn.repeat == 0xf3 && decoder->cpu->vm->cpu_count > 1;

	soft_emit(decoder, pause ? pause_turn : nop);
}

/* 90 to 97; 90 without REX.B is NOP, with F3 PAUSE. */
void soft_emit_xchg_a(struct soft_decoder *decoder)
{
	if (decoder->insn.rm == 0)
		emit_nop_or_pause(decoder);
	else
		soft_emit(decoder, xchg_rr[soft_size_row(decoder->insn.operand_size)])->reg =
			MW_RAX;
}

/* CBW, CWDE, CDQE; CWD, CDQ, CQO */

static const struct soft_op *cbw(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rax = cpu->gpr[MW_RAX];

	if (op->size == 2)
		soft_set16(cpu, MW_RAX, (uint16_t)(int8_t)rax);
	else if (op->size == 4)
		soft_set32(cpu, MW_RAX, (uint32_t)(int16_t)rax);
	else
		cpu->gpr[MW_RAX] = (uint64_t)(int64_t)(int32_t)rax;
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *cwd(struct soft_cpu *cpu, const struct soft_op *op)
{
	bool negative = cpu->gpr[MW_RAX] >> (8 * op->size - 1) & 1;

	soft_set_sized(cpu, MW_RDX, op->size, negative ? UINT64_MAX : 0);
	return SOFT_NEXT(cpu, op);
}

void soft_emit_cbw(struct soft_decoder *decoder)
{
	soft_emit(decoder, cbw);
}

void soft_emit_cwd(struct soft_decoder *decoder)
{
	soft_emit(decoder, cwd);
}
