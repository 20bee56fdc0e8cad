/** Instructions that load segment registers or leave the code segment: what they are made of in blocks. References:
 * SDM vol. 2, MOV, LDS, JMP, CALL, RET, INT n, IRET. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/protected.h"
#include "accel/soft/system/system_internal.h"

/* Runs after a transfer that has set cpu->rip or raised. A task switch that failed half-way faults in the new
 * task, whose RIP is no longer this instruction's. */
static const struct soft_op *end_transfer(struct soft_cpu *cpu, const struct soft_op *op, bool done,
					  uint16_t task)
{
	if (SOFT_UNLIKELY(!done)) {
		if (cpu->segment[MW_TR].selector == task)
			return soft_stop(cpu, op);
		soft_deliver(cpu);
	}
	return soft_jump_to(cpu, op, cpu->rip);
}

/* A handler around a function that transfers control. */
#define TRANSFER(name, function)                                                          \
	static const struct soft_op *name(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                 \
		uint16_t task = cpu->segment[MW_TR].selector;                             \
                                                                                          \
		cpu->rip = soft_rip_next(cpu, op);                                        \
		return end_transfer(cpu, op, function(cpu, op), task);                    \
	}

/* JMP and CALL. extra: CALL. disp: a direct one's selector. */

static bool do_direct(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_far_transfer(cpu, (uint16_t)op->disp, op->imm, op->size, op->extra);
}
TRANSFER(far_direct, do_direct)

void soft_emit_far_direct(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = soft_emit(decoder, far_direct);

	op->disp = (int32_t)insn->imm2;
	op->extra = insn->opcode == 0x9a;
	if (op->size == 2)
		op->imm &= 0xffff;
	else
		op->imm &= UINT32_MAX;
	decoder->ends = true;
}

/* A far pointer: offset of the operand size, then the selector. */
static __attribute__((noinline)) bool read_pointer(struct soft_cpu *cpu, const struct soft_op *op,
						   uint64_t *offset, uint16_t *selector)
{
	uint8_t bytes[10];

	if (!soft_read_bytes(cpu, op, soft_address(cpu, op), bytes, op->size + 2u))
		return false;
	*offset = 0;
	memcpy(offset, bytes, op->size);
	memcpy(selector, bytes + op->size, sizeof(*selector));
	return true;
}

static bool do_indirect(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t offset;
	uint16_t selector;

	return read_pointer(cpu, op, &offset, &selector) &&
	       soft_far_transfer(cpu, selector, offset, op->size, op->extra);
}
TRANSFER(far_indirect, do_indirect)

void soft_emit_far_indirect(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op =
		soft_emit_modrm(decoder, NULL, far_indirect, insn->operand_size + 2, SOFT_READ);

	if (insn->memory)
		op->extra = (insn->modrm >> 3 & 7) == 3;
	decoder->ends = true;
}

static bool do_return(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_far_return(cpu, op->size, (uint16_t)op->imm);
}
TRANSFER(far_return, do_return)

void soft_emit_far_ret(struct soft_decoder *decoder)
{
	struct soft_op *op = soft_emit(decoder, far_return);

	if (decoder->insn.opcode != 0xca)
		op->imm = 0;
	decoder->ends = true;
}

static bool do_iret(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_interrupt_return(cpu, op->size);
}
TRANSFER(iret, do_iret)

void soft_emit_iret(struct soft_decoder *decoder)
{
	soft_emit(decoder, iret);
	decoder->ends = true;
}

/* INT n: in virtual-8086 mode it may be the program's own. imm: vector. */
static bool do_int_n(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint8_t vector = (uint8_t)op->imm;
	bool done;

	if (soft_v86(cpu)) {
		if (!soft_event_v86(cpu, vector, &done))
			return false;
		if (done)
			return true;
	}
	return soft_software_interrupt(cpu, vector, true);
}
TRANSFER(int_n, do_int_n)

static bool do_int3(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_software_interrupt(cpu, SOFT_BP, true);
}
TRANSFER(int3, do_int3)

/* INT1 is a #DB of its own: what a breakpoint before it (at MOV SS) left pending comes with it, not after it,
 * and general detection ends. */
static bool do_int1(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_software_interrupt(cpu, SOFT_DB, false))
		return false;
	cpu->dr6 |= cpu->debug_pending;
	cpu->debug_pending = 0;
	cpu->dr7 &= ~(uint64_t)SOFT_DR7_GD;
	return true;
}
TRANSFER(int1, do_int1)

static bool do_into(struct soft_cpu *cpu, const struct soft_op *op)
{
	return !soft_of(cpu) || soft_software_interrupt(cpu, SOFT_OFLOW, true);
}
TRANSFER(into, do_into)

void soft_emit_int(struct soft_decoder *decoder)
{
	uint8_t opcode = decoder->insn.opcode;

	switch (opcode) {
	case 0xcc: soft_emit(decoder, int3); break;
	case 0xcd: soft_emit(decoder, int_n); break;
	case 0xce: soft_emit(decoder, into); break;
	default: soft_emit(decoder, int1); break;
	}
	decoder->ends = true;
}

/* MOV Sreg, r/m16 and r/m, Sreg. reg: the segment register. */

static bool load_segment(struct soft_cpu *cpu, const struct soft_op *op, uint16_t selector)
{
	if (!soft_segment_load(cpu, (enum mw_segment_name)op->reg, selector))
		return false;
	if (op->reg == MW_SS)
		cpu->shadow = cpu->shadow_mov = true;
	return true;
}

static const struct soft_op *mov_sreg_r(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!load_segment(cpu, op, soft_get16(cpu, op->rm)))
		return soft_stop(cpu, op);
	return soft_leave(cpu, op);
}

static bool do_mov_sreg_m(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t selector;

	return soft_load16(cpu, op, soft_address(cpu, op), &selector) &&
	       load_segment(cpu, op, selector);
}

static const struct soft_op *mov_sreg_m(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_mov_sreg_m(cpu, op) ? soft_leave(cpu, op) : soft_stop(cpu, op);
}

static const struct soft_op *mov_r_sreg(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set_sized(cpu, op->rm, op->size, cpu->segment[op->reg].selector);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *mov_m_sreg(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_store16(cpu, op, soft_address(cpu, op), cpu->segment[op->reg].selector))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

void soft_emit_mov_segment(struct soft_decoder *decoder)
{
	unsigned name = decoder->insn.modrm >> 3 & 7;
	bool load = decoder->insn.opcode == 0x8e;
	struct soft_op *op;

	if (name > MW_GS || (load && name == MW_CS)) {
		soft_emit_undefined(decoder);
		return;
	}
	op = load ? soft_emit_modrm(decoder, mov_sreg_r, mov_sreg_m, 2, SOFT_READ)
		  : soft_emit_modrm(decoder, mov_r_sreg, mov_m_sreg, 2, SOFT_WRITE);
	op->reg = (uint8_t)name;
	decoder->ends |= load;
}

/* LDS, LES, LSS, LFS, LGS. extra: the segment register. */

static bool do_load_pointer(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t offset;
	uint16_t selector;

	if (!read_pointer(cpu, op, &offset, &selector) ||
	    !soft_segment_load(cpu, (enum mw_segment_name)op->extra, selector))
		return false;
	soft_set_sized(cpu, op->reg, op->size, offset);
	return true;
}

static const struct soft_op *load_pointer(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_load_pointer(cpu, op) ? soft_leave(cpu, op) : soft_stop(cpu, op);
}

static enum mw_segment_name pointer_segment(uint8_t opcode)
{
	switch (opcode) {
	case 0xc4: return MW_ES;
	case 0xc5: return MW_DS;
	case 0xb2: return MW_SS;
	case 0xb4: return MW_FS;
	default: return MW_GS;
	}
}

void soft_emit_load_far_pointer(struct soft_decoder *decoder)
{
	struct soft_op *op = soft_emit_modrm(decoder, NULL, load_pointer,
					     decoder->insn.operand_size + 2, SOFT_READ);

	if (decoder->insn.memory)
		op->extra = (uint8_t)pointer_segment(decoder->insn.opcode);
	decoder->ends = true;
}
