/** x87 instructions that only touch the control and status words (SDM vol. 2, FLDCW, FSTCW, FSTSW,
 * FCLEX, FINIT). The forms without a wait do not look at pending exceptions. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/x87.h"
#include "accel/soft/floating/x87_internal.h"

const struct soft_op *soft_x87_fldcw(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t control;

	if (!soft_x87_ready(cpu) || !soft_load16(cpu, op, soft_address(cpu, op), &control))
		return soft_stop(cpu, op);
	soft_x87_set_words(&cpu->fx, control, cpu->fx.status);
	return SOFT_NEXT(cpu, op);
}

const struct soft_op *soft_x87_fnstcw(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_x87_enabled(cpu) ||
	    !soft_store16(cpu, op, soft_address(cpu, op), cpu->fx.control))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

const struct soft_op *soft_x87_fnstsw(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_x87_enabled(cpu) || !soft_store16(cpu, op, soft_address(cpu, op), cpu->fx.status))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

const struct soft_op *soft_x87_fnstsw_ax(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_x87_enabled(cpu))
		return soft_stop(cpu, op);
	soft_set16(cpu, 0, cpu->fx.status);
	return SOFT_NEXT(cpu, op);
}

const struct soft_op *soft_x87_fnclex(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_x87_enabled(cpu))
		return soft_stop(cpu, op);
	cpu->fx.status &=
		(uint16_t) ~(SOFT_X87_EXCEPTIONS | SOFT_X87_SF | SOFT_X87_ES | SOFT_X87_B);
	return SOFT_NEXT(cpu, op);
}

const struct soft_op *soft_x87_fninit(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_x87_enabled(cpu))
		return soft_stop(cpu, op);
	soft_x87_init(&cpu->fx);
	return SOFT_NEXT(cpu, op);
}

/* FENI, FDISI, FSETPM: of the 8087 and 80287; nothing since (SDM vol. 3, 23.18.8). */
const struct soft_op *soft_x87_none(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_x87_enabled(cpu))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *wait(struct soft_cpu *cpu, const struct soft_op *op)
{
	const uint64_t both = SOFT_CR0_MP | SOFT_CR0_TS;

	if ((cpu->cr0 & both) == both) {
		soft_raise(cpu, SOFT_NM);
		return soft_stop(cpu, op);
	}
	if (soft_x87_pending(&cpu->fx) != 0) {
		soft_raise(cpu, SOFT_MF);
		return soft_stop(cpu, op);
	}
	return SOFT_NEXT(cpu, op);
}

void soft_emit_wait(struct soft_decoder *decoder)
{
	soft_emit(decoder, wait);
}
