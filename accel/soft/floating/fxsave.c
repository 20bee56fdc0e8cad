/** Group 15 (0F AE): FXSAVE, FXRSTOR, MXCSR, fences, CLFLUSH, and the bases of FS and GS (SDM vol.
 * 1, 10.5; vol. 2, A.4.2). */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/block.h"
#include "accel/soft/decode/decode.h"
#include "accel/soft/floating/x87.h"
#include "accel/soft/floating/x87_internal.h"
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"

enum { IMAGE_BYTES = 512, XMM_BYTES = 16, MXCSR_MASK = 0xffff };
/* FIP or FDP, and its selector, of the 32-bit image. */
#define FAR_POINTER UINT64_C(0xffffffffffff)

/* Bytes of an image that are in use: without CR4.OSFXSR, XMM registers stay out of it. Bytes from
 * 464 on are the program's own. */
static unsigned used_bytes(const struct soft_cpu *cpu)
{
	unsigned registers = soft_64bit(cpu) ? 16 : 8;

	if (!(cpu->cr4 & SOFT_CR4_OSFXSR))
		registers = 0;
	return (unsigned)offsetof(struct soft_fxsave, xmm) + registers * XMM_BYTES;
}

static bool aligned(struct soft_cpu *cpu, uint64_t linear)
{
	return linear % 16 == 0 || soft_raise_error(cpu, SOFT_GP, 0);
}

static __attribute__((noinline)) bool do_fxsave(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear = soft_address(cpu, op);
	struct soft_fxsave image;

	if (!soft_x87_enabled(cpu) || !aligned(cpu, linear) ||
	    !soft_check_write(cpu, op, linear, IMAGE_BYTES))
		return false;
	image = cpu->fx;
	image.reserved_1 = 0;
	image.mxcsr_mask = MXCSR_MASK;
	if (op->size != 8) {
		image.instruction &= FAR_POINTER;
		image.data &= FAR_POINTER;
	}
	return soft_write_bytes(cpu, op, linear, &image, used_bytes(cpu));
}

static const struct soft_op *fxsave(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_fxsave(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

static __attribute__((noinline)) bool do_fxrstor(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear = soft_address(cpu, op);
	uint32_t mxcsr = cpu->fx.mxcsr;
	struct soft_fxsave image;

	if (!soft_x87_enabled(cpu) || !aligned(cpu, linear) ||
	    !soft_read_bytes(cpu, op, linear, &image, IMAGE_BYTES))
		return false;
	if (cpu->cr4 & SOFT_CR4_OSFXSR) {
		mxcsr = image.mxcsr;
		if (mxcsr & ~(uint32_t)MXCSR_MASK)
			return soft_raise_error(cpu, SOFT_GP, 0);
	}
	memcpy(&cpu->fx, &image, used_bytes(cpu));
	cpu->fx.mxcsr = mxcsr;
	cpu->fx.mxcsr_mask = MXCSR_MASK;
	cpu->fx.reserved_1 = 0;
	cpu->fx.opcode &= 0x7ff;
	soft_x87_set_words(&cpu->fx, image.control, image.status);
	if (op->size != 8) {
		cpu->fx.instruction &= FAR_POINTER;
		cpu->fx.data &= FAR_POINTER;
	}
	for (unsigned i = 0; i < 8; i++)
		memset(&cpu->fx.st[i][10], 0, sizeof(cpu->fx.st[i]) - 10);
	return true;
}

static const struct soft_op *fxrstor(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_fxrstor(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

static bool sse_enabled(struct soft_cpu *cpu)
{
	if ((cpu->cr0 & SOFT_CR0_EM) || !(cpu->cr4 & SOFT_CR4_OSFXSR))
		return soft_raise(cpu, SOFT_UD);
	return !(cpu->cr0 & SOFT_CR0_TS) || soft_raise(cpu, SOFT_NM);
}

static const struct soft_op *ldmxcsr(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint32_t mxcsr;

	if (!sse_enabled(cpu) || !soft_load32(cpu, op, soft_address(cpu, op), &mxcsr))
		return soft_stop(cpu, op);
	if (mxcsr & ~(uint32_t)MXCSR_MASK) {
		soft_raise_error(cpu, SOFT_GP, 0);
		return soft_stop(cpu, op);
	}
	cpu->fx.mxcsr = mxcsr;
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *stmxcsr(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!sse_enabled(cpu) || !soft_store32(cpu, op, soft_address(cpu, op), cpu->fx.mxcsr))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

/* There is no cache to flush, but it faults like a load of a byte; of a device it must read
 * nothing. */
static __attribute__((noinline)) bool do_clflush(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear = soft_wrapped(cpu, soft_address(cpu, op)), physical;
	uint8_t byte;

	if (soft_host_range(cpu, linear, 1, SOFT_READ))
		return true;
	if (soft_translate(cpu, linear, &physical) && !soft_slot_find(cpu->vm, physical))
		return true;
	return soft_load8(cpu, op, linear, &byte);
}

static const struct soft_op *clflush(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_clflush(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE: op->extra is the segment. CR4 may change under decoded
 * blocks. */
static bool bases_enabled(struct soft_cpu *cpu)
{
	return (cpu->cr4 & SOFT_CR4_FSGSBASE) || soft_raise(cpu, SOFT_UD);
}

static const struct soft_op *read_base(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!bases_enabled(cpu))
		return soft_stop(cpu, op);
	soft_set_sized(cpu, op->rm, op->size, cpu->segment[op->extra].base);
	return SOFT_NEXT(cpu, op);
}

static __attribute__((noinline)) bool do_write_base(struct soft_cpu *cpu, const struct soft_op *op)
{
	struct mw_segment segment = cpu->segment[op->extra];

	if (!bases_enabled(cpu))
		return false;
	segment.base = soft_get_sized(cpu, op->rm, op->size);
	if (!soft_canonical(segment.base))
		return soft_raise_error(cpu, SOFT_GP, 0);
	soft_segment_set(cpu, (enum mw_segment_name)op->extra, segment);
	return true;
}

static const struct soft_op *write_base(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_write_base(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

static void emit_base(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	unsigned row = insn->modrm >> 3 & 7;
	struct soft_op *op;

	if (insn->memory || row > 3 || !soft_64bit(decoder->cpu)) {
		soft_emit_undefined(decoder);
		return;
	}
	op = soft_emit(decoder, row < 2 ? read_base : write_base);
	op->extra = row & 1 ? MW_GS : MW_FS;
	op->size =
		insn->operand_size == 8 ? 8 : 4; /* F3 is the mandatory prefix; 66 does nothing */
}

static void emit_memory(struct soft_decoder *decoder)
{
	switch (decoder->insn.modrm >> 3 & 7) {
	case 0: soft_emit_memory(decoder, fxsave, IMAGE_BYTES, SOFT_WRITE); break;
	case 1: soft_emit_memory(decoder, fxrstor, IMAGE_BYTES, SOFT_READ); break;
	case 2: soft_emit_memory(decoder, ldmxcsr, 4, SOFT_READ); break;
	case 3: soft_emit_memory(decoder, stmxcsr, 4, SOFT_WRITE); break;
	case 7: soft_emit_memory(decoder, clflush, 1, SOFT_READ); break;
	default: soft_emit_undefined(decoder); break; /* XSAVE and its like: not offered */
	}
}

void soft_emit_group15(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	bool plain = insn->repeat == 0 && !insn->operand_prefix;

	/* With 66 or F2: CLWB, CLFLUSHOPT, TPAUSE, not offered. Registers of rows 5 to 7: fences.
	 * */
	if (insn->repeat == 0xf3)
		emit_base(decoder);
	else if (plain && insn->memory)
		emit_memory(decoder);
	else if (plain && !insn->memory && (insn->modrm >> 3 & 7) >= 5)
		soft_emit(decoder, soft_op_fence);
	else
		soft_emit_undefined(decoder);
}
