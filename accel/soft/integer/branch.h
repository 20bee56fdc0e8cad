/** How near transfers leave a block: branch.c, and compares fused with the branch behind them. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_BRANCH_H
#define ACCEL_SOFT_BRANCH_H

#include "accel/soft/decode/block.h"
#include "accel/soft/system/system.h"

/* A transfer inside the page, in code whose addresses do not wrap before the page does, is chained: bit 0
 * of `extra` says so of the target, bit 1 of what follows. Else it is looked up. `imm` is the
 * displacement, `size` the width of the instruction pointer. */

/** Goes where the code segment's limit or canonical form has to be checked first. */
const struct soft_op *soft_branch_checked(struct soft_cpu *cpu, const struct soft_op *op,
					  uint64_t rip);
/** Leaving the code segment faults at the branch (SDM vol. 2, JMP: #GP(0)). */
SOFT_INLINE bool soft_target_allowed(struct soft_cpu *cpu, uint64_t rip)
{
	if (cpu->mode.code_bits == 64 ? soft_canonical(rip) : rip <= cpu->segment[MW_CS].limit)
		return true;
	return soft_raise_error(cpu, SOFT_GP, 0);
}

SOFT_INLINE const struct soft_op *soft_branch_take(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rip = cpu->gpr[SOFT_PAGE_RIP] + op->next + op->imm;

	if (SOFT_LIKELY(op->extra & 1))
		return soft_chain(cpu, 1, rip & cpu->rip_mask);
	return soft_branch_checked(cpu, op, rip);
}

SOFT_INLINE const struct soft_op *soft_branch_fall(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rip = soft_rip_next(cpu, op);

	if (SOFT_LIKELY(op->extra & 2))
		return soft_chain(cpu, 0, rip);
	return soft_transfer(cpu, rip);
}

/** What to run in place of a CMP or TEST with this Jcc behind it, or NULL. */
soft_handler *soft_fuse(const struct soft_op *compare, unsigned condition);

#endif
