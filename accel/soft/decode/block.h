/** Decoding straight runs of instructions, and the ops that lead out of them. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_BLOCK_H
#define ACCEL_SOFT_BLOCK_H

#include "accel/soft/decode/decode.h"
#include "accel/soft/vm.h"

/** Emits the ops of decoder->insn by its table row, or #UD. */
void soft_decode_emit(struct soft_decoder *decoder);

/** The linear address of `offset` for an address op: segment checked, raises. */
uint64_t soft_checked_address(struct soft_cpu *cpu, const struct soft_op *op, uint64_t offset);

/** Whether a branch by this displacement (bit 0) and going on behind the instruction (bit 1) stay in the page
 * and may be chained. */
uint8_t soft_chain_bits(const struct soft_decoder *decoder, int64_t displacement);

/** What is stored before it is seen by other host threads before what follows is loaded. */
const struct soft_op *soft_op_fence(struct soft_cpu *cpu, const struct soft_op *op);

/** The last op of a block that ends without a branch. */
const struct soft_op *soft_op_fall_through(struct soft_cpu *cpu, const struct soft_op *op);
/** What every op of an invalidated block becomes: the instruction runs from a fresh decode. */
const struct soft_op *soft_op_dead(struct soft_cpu *cpu, const struct soft_op *op);

/** Linear address of the next instruction. */
static inline uint64_t soft_linear_rip(const struct soft_cpu *cpu, uint64_t rip)
{
	if (cpu->mode.code_bits == 64)
		return rip;
	return (uint32_t)(cpu->segment[MW_CS].base + rip);
}

/** Enters a block at the CPU's page. Where the budget ends, or the block is dead, the run loop gets its
 * address, and `chain` to note a new one. */
SOFT_INLINE const struct soft_op *soft_enter(struct soft_cpu *cpu, struct soft_block *block,
					     uint64_t rip, struct soft_block **chain)
{
	cpu->left -= block->count;
	if (SOFT_UNLIKELY(cpu->left < 0)) {
		cpu->left += block->count;
		cpu->rip = rip;
		cpu->chain = chain;
		return NULL;
	}
	cpu->block = block;
	return SOFT_RUN(cpu, block->ops);
}

/** Ends a block with a transfer within its page: side 0 falls through, 1 is taken. */
SOFT_INLINE const struct soft_op *soft_chain(struct soft_cpu *cpu, unsigned side, uint64_t rip)
{
	struct soft_block *next = cpu->block->to[side];

	if (SOFT_LIKELY(next != NULL))
		return soft_enter(cpu, next, rip, &cpu->block->to[side]);
	cpu->rip = rip;
	cpu->chain = &cpu->block->to[side];
	return NULL;
}

/** A page's entries lie together, so that they can be forgotten together. */
SOFT_INLINE struct soft_jump_entry *soft_jump_group(const struct soft_cpu *cpu, uint64_t rip)
{
	uint64_t page = rip >> 12;

	return &cpu->jumps[((page ^ page >> 6) & (SOFT_JUMP_ENTRIES / SOFT_JUMP_GROUP - 1)) *
			   SOFT_JUMP_GROUP];
}

SOFT_INLINE struct soft_jump_entry *soft_jump_entry(const struct soft_cpu *cpu, uint64_t rip)
{
	return soft_jump_group(cpu, rip) + ((rip ^ rip >> 6) & (SOFT_JUMP_GROUP - 1));
}

/** Ends a block with a transfer to anywhere. */
SOFT_INLINE const struct soft_op *soft_transfer(struct soft_cpu *cpu, uint64_t rip)
{
	const struct soft_jump_entry *entry = soft_jump_entry(cpu, rip);

	if (SOFT_LIKELY(entry->rip == rip && entry->key == cpu->jump_key)) {
		cpu->gpr[SOFT_PAGE_RIP] = rip - (entry->block->physical & 0xfff);
		return soft_enter(cpu, entry->block, rip, NULL);
	}
	cpu->rip = rip;
	cpu->chain = NULL;
	return NULL;
}

#endif
