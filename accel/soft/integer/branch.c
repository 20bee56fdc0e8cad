/* Near transfers: Jcc, JMP, CALL, RET, LOOP, JCXZ. Reference: SDM vol. 2, the instructions' pages. */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/branch.h"
#include "accel/soft/integer/flags.h"

static uint64_t mask_of(unsigned size)
{
	return size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

const struct soft_op *soft_branch_checked(struct soft_cpu *cpu, const struct soft_op *op,
					  uint64_t rip)
{
	rip &= mask_of(op->size);
	if (!soft_target_allowed(cpu, rip))
		return soft_stop(cpu, op);
	return soft_transfer(cpu, rip);
}

const struct soft_op *soft_op_fall_through(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_branch_fall(cpu, op);
}

#define DEFINE_JCC(name, condition)                                                         \
	static const struct soft_op *name(struct soft_cpu *cpu, const struct soft_op *op)   \
	{                                                                                   \
		return (condition) ? soft_branch_take(cpu, op) : soft_branch_fall(cpu, op); \
	}
DEFINE_JCC(jo, soft_of(cpu))
DEFINE_JCC(jno, !soft_of(cpu))
DEFINE_JCC(jb, soft_cf(cpu))
DEFINE_JCC(jae, !soft_cf(cpu))
DEFINE_JCC(jz, soft_zf(cpu))
DEFINE_JCC(jnz, !soft_zf(cpu))
DEFINE_JCC(jbe, soft_cf(cpu) || soft_zf(cpu))
DEFINE_JCC(ja, !soft_cf(cpu) && !soft_zf(cpu))
DEFINE_JCC(js, soft_sf(cpu))
DEFINE_JCC(jns, !soft_sf(cpu))
DEFINE_JCC(jp, soft_pf(cpu))
DEFINE_JCC(jnp, !soft_pf(cpu))
DEFINE_JCC(jl, soft_sf(cpu) != soft_of(cpu))
DEFINE_JCC(jge, soft_sf(cpu) == soft_of(cpu))
DEFINE_JCC(jle, soft_zf(cpu) || soft_sf(cpu) != soft_of(cpu))
DEFINE_JCC(jg, !soft_zf(cpu) && soft_sf(cpu) == soft_of(cpu))

static soft_handler *const jccs[16] = { jo, jno, jb, jae, jz, jnz, jbe, ja,
					js, jns, jp, jnp, jl, jge, jle, jg };

static bool may_chain(const struct soft_decoder *decoder, int64_t displacement)
{
	const struct soft_insn *insn = &decoder->insn;
	int64_t target = (int64_t)decoder->offset + insn->length + displacement;

	return decoder->cpu->mode.code_bits >= 32 && insn->operand_size >= 4 && target >= 0 &&
	       target < SOFT_PAGE_BYTES;
}

uint8_t soft_chain_bits(const struct soft_decoder *decoder, int64_t displacement)
{
	return (uint8_t)(may_chain(decoder, displacement) | may_chain(decoder, 0) << 1);
}

static struct soft_op *emit_branch(struct soft_decoder *decoder, soft_handler *run)
{
	struct soft_op *op = soft_emit(decoder, run);

	op->extra = soft_chain_bits(decoder, (int64_t)decoder->insn.imm);
	return op;
}

void soft_emit_jcc(struct soft_decoder *decoder)
{
	struct soft_op *before = decoder->instruction ? &decoder->ops[decoder->op_count - 1] : NULL;
	unsigned condition = decoder->insn.opcode & 15;
	soft_handler *fused = before ? soft_fuse(before, condition) : NULL;

	emit_branch(decoder, jccs[condition]);
	if (fused)
		before->run = fused;
}

static const struct soft_op *jmp_direct(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_branch_take(cpu, op);
}

static const struct soft_op *jmp_rm(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_branch_checked(cpu, op, soft_get_sized(cpu, op->rm, op->size));
}

static const struct soft_op *jmp_memory_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rip;

	if (!soft_load64(cpu, op, soft_address(cpu, op), &rip))
		return soft_stop(cpu, op);
	return soft_branch_checked(cpu, op, rip);
}

static const struct soft_op *jmp_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rip = soft_read_slow(cpu, op, soft_address(cpu, op), op->size);

	if (cpu->fault.raised)
		return soft_stop(cpu, op);
	return soft_branch_checked(cpu, op, rip);
}

/* E9, EB; FF /4 comes through soft_emit_group4_5. */
void soft_emit_jmp(struct soft_decoder *decoder)
{
	unsigned size = decoder->insn.operand_size;

	if (decoder->insn.opcode != 0xff)
		emit_branch(decoder, jmp_direct);
	else
		soft_emit_modrm(decoder, jmp_rm, size == 8 ? jmp_memory_64 : jmp_memory, size,
				SOFT_READ);
}

/* CALL pushes the return address, then goes. 64-bit mode is apart because it is what runs. */

static const struct soft_op *call_direct_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rsp = cpu->gpr[MW_RSP] - 8;

	if (!(op->extra & 1) && !soft_target_allowed(cpu, soft_rip_next(cpu, op) + op->imm))
		return soft_stop(cpu, op);
	if (!soft_store64(cpu, NULL, rsp, soft_rip_next(cpu, op)))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] = rsp;
	if (op->extra & 1)
		return soft_chain(cpu, 1, soft_rip_next(cpu, op) + op->imm);
	return soft_transfer(cpu, soft_rip_next(cpu, op) + op->imm);
}

/* Flat 32-bit stacks. */
static const struct soft_op *call_direct_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint32_t top = (uint32_t)cpu->gpr[MW_RSP] - 4;
	uint64_t rip = (uint32_t)(soft_rip_next(cpu, op) + op->imm);

	if (!soft_target_allowed(cpu, rip) ||
	    !soft_store32(cpu, NULL, top, (uint32_t)soft_rip_next(cpu, op)))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] = top;
	return op->extra & 1 ? soft_chain(cpu, 1, rip) : soft_transfer(cpu, rip);
}

SOFT_INLINE const struct soft_op *call_to_64(struct soft_cpu *cpu, const struct soft_op *op,
					     uint64_t rip)
{
	uint64_t rsp = cpu->gpr[MW_RSP] - 8;

	if (!soft_target_allowed(cpu, rip) || !soft_store64(cpu, NULL, rsp, soft_rip_next(cpu, op)))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] = rsp;
	return soft_transfer(cpu, rip);
}

static const struct soft_op *call_rm_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	return call_to_64(cpu, op, cpu->gpr[op->rm]);
}

static const struct soft_op *call_memory_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rip;

	if (!soft_load64(cpu, op, soft_address(cpu, op), &rip))
		return soft_stop(cpu, op);
	return call_to_64(cpu, op, rip);
}

static const struct soft_op *call_to(struct soft_cpu *cpu, const struct soft_op *op, uint64_t rip)
{
	if (!soft_target_allowed(cpu, rip) || !soft_push(cpu, op->size, soft_rip_next(cpu, op)))
		return soft_stop(cpu, op);
	return soft_transfer(cpu, rip);
}

static const struct soft_op *call_direct(struct soft_cpu *cpu, const struct soft_op *op)
{
	return call_to(cpu, op, (soft_rip_next(cpu, op) + op->imm) & mask_of(op->size));
}

static const struct soft_op *call_rm(struct soft_cpu *cpu, const struct soft_op *op)
{
	return call_to(cpu, op, soft_get_sized(cpu, op->rm, op->size));
}

static const struct soft_op *call_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rip = soft_read_slow(cpu, op, soft_address(cpu, op), op->size);

	if (cpu->fault.raised)
		return soft_stop(cpu, op);
	return call_to(cpu, op, rip);
}

/* E8; FF /2 comes through soft_emit_group4_5. */
void soft_emit_call(struct soft_decoder *decoder)
{
	bool quad = decoder->insn.operand_size == 8;

	if (decoder->insn.opcode != 0xff)
		emit_branch(decoder, quad                       ? call_direct_64
				     : soft_flat_stack(decoder) ? call_direct_32
								: call_direct);
	else
		soft_emit_modrm(decoder, quad ? call_rm_64 : call_rm,
				quad ? call_memory_64 : call_memory, decoder->insn.operand_size,
				SOFT_READ);
}

static const struct soft_op *ret_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rip;

	if (!soft_load64(cpu, op, cpu->gpr[MW_RSP], &rip))
		return soft_stop(cpu, op);
	if (SOFT_UNLIKELY(!soft_canonical(rip))) {
		soft_raise_error(cpu, SOFT_GP, 0);
		return soft_stop(cpu, op);
	}
	cpu->gpr[MW_RSP] += 8 + op->imm;
	return soft_transfer(cpu, rip);
}

static const struct soft_op *ret_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint32_t rip;

	if (!soft_load32(cpu, op, (uint32_t)cpu->gpr[MW_RSP], &rip) ||
	    !soft_target_allowed(cpu, rip))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] = (uint32_t)(cpu->gpr[MW_RSP] + 4 + op->imm);
	return soft_transfer(cpu, rip);
}

static bool pop_target(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rip;

	if (!soft_peek(cpu, op->size, 0, &rip) || !soft_target_allowed(cpu, rip))
		return false;
	soft_stack_adjust(cpu, op->size + (int64_t)op->imm);
	cpu->rip = rip;
	return true;
}

static const struct soft_op *ret_sized(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!pop_target(cpu, op))
		return soft_stop(cpu, op);
	return soft_transfer(cpu, cpu->rip);
}

void soft_emit_ret(struct soft_decoder *decoder)
{
	struct soft_op *op = soft_emit(decoder, decoder->insn.operand_size == 8 ? ret_64
						: soft_flat_stack(decoder)      ? ret_32
										: ret_sized);

	op->segment = MW_SS;
}

/* LOOPNE, LOOPE, LOOP, JCXZ: by the address size; `rm` holds it. */

static bool loop_taken(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t count = soft_get_sized(cpu, MW_RCX, op->rm) - (op->reg != 3);

	switch (op->reg) {
	case 0: return (count & mask_of(op->rm)) && !soft_zf(cpu);
	case 1: return (count & mask_of(op->rm)) && soft_zf(cpu);
	case 2: return count & mask_of(op->rm);
	default: return !count;
	}
}

static const struct soft_op *loop(struct soft_cpu *cpu, const struct soft_op *op)
{
	bool taken = loop_taken(cpu, op);
	uint64_t rip = (soft_rip_next(cpu, op) + op->imm) & mask_of(op->size);

	if (taken && !soft_target_allowed(cpu, rip))
		return soft_stop(cpu, op);
	if (op->reg != 3)
		soft_set_sized(cpu, MW_RCX, op->rm, soft_get_sized(cpu, MW_RCX, op->rm) - 1);
	return taken ? soft_branch_take(cpu, op) : soft_branch_fall(cpu, op);
}

void soft_emit_loop(struct soft_decoder *decoder)
{
	struct soft_op *op = emit_branch(decoder, loop);

	op->reg = decoder->insn.opcode & 3;
	op->rm = (uint8_t)decoder->insn.address_size;
}
