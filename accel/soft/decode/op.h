/** Decoded instructions as handlers run them. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_OP_H
#define ACCEL_SOFT_OP_H

#include "accel/soft/cpu.h"
#include "accel/soft/memory/memory.h"

/*
 * A handler does one instruction, or its last part, and hands over to the next op. Rules:
 *  - It changes no guest state before everything that can fault has succeeded.
 *  - It ends with `return SOFT_NEXT(cpu, op);`, a tail call in optimised builds. No local's address may
 *    escape into a function that is not inlined, else the compiler gives up the tail call: put such work
 *    into a separate `noinline` function.
 *  - `return soft_stop(cpu, op)` after something raised; `return soft_leave(cpu, op)` when the run loop has to
 *    look (modes, interrupts, translations changed), `return soft_jump_to(cpu, op, rip)` after a far transfer. */

struct soft_op;
typedef const struct soft_op *soft_handler(struct soft_cpu *cpu, const struct soft_op *op);

/** 32 bytes. */
struct soft_op {
	soft_handler *run;
	uint64_t imm; /* sign- or zero-extended as the instruction wants it */
	int32_t disp;
	uint8_t reg;                /* ModRM.reg with REX.R, or what the emit function put there */
	uint8_t rm;                 /* ModRM.rm with REX.B of a register operand */
	uint8_t base, index, scale; /* memory operand: slots, shift; see soft_address */
	uint8_t segment; /* enum mw_segment_name of the memory operand: SS faults with #SS */
	uint8_t length;  /* of the instruction */
	uint8_t number;  /* of the instruction in its block, from 0 */
	uint16_t next;   /* offset in the page of the instruction after this one, up to 4096 + 14 */
	uint8_t size;    /* operand size in bytes; free for the emit function */
	uint8_t extra;   /* free for the emit function */
};

/** A straight run of instructions of one page, ended by an op that leaves it. Owned by the block cache. */
struct soft_block {
	int64_t count; /* instructions; SOFT_DEAD_COUNT once invalidated, so that entering it stops */
	struct soft_block *to[2]; /* same-page successors: fall-through, taken; NULL until known */
	uint64_t physical;        /* of the first byte */
	uint64_t key;             /* soft_mode.key it was decoded under */
	uint32_t bytes;
	uint16_t op_count;
	uint16_t instructions; /* what count was before it died */
	bool dead, kept;       /* kept: lives until it is invalidated, so others may lead to it */
	struct soft_block *hash_next, *page_next;
	struct soft_op ops[];
};
#define SOFT_DEAD_COUNT (INT64_C(1) << 40)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define SOFT_THREADED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SOFT_THREADED 0
#else
#define SOFT_THREADED 1
#endif
#else
#define SOFT_THREADED 1
#endif

#if SOFT_THREADED
#define SOFT_RUN(cpu, op) ((op)->run((cpu), (op)))
#else
#define SOFT_RUN(cpu, op) (op) /* the run loop calls it */
#endif
#define SOFT_NEXT(cpu, op) SOFT_RUN((cpu), (op) + 1)

/** The linear address of the memory operand. soft_emit_memory sees to it that this short form is right in
 * every mode (segment base, limit and wrap are a preceding op's work where there are any). */
SOFT_INLINE uint64_t soft_address(const struct soft_cpu *cpu, const struct soft_op *op)
{
	return cpu->gpr[op->base] + (cpu->gpr[op->index] << op->scale) +
	       (uint64_t)(int64_t)op->disp;
}

/** RIP of the next instruction, and of this one. */
SOFT_INLINE uint64_t soft_rip_next(const struct soft_cpu *cpu, const struct soft_op *op)
{
	return (cpu->gpr[SOFT_PAGE_RIP] + op->next) & cpu->rip_mask;
}
SOFT_INLINE uint64_t soft_rip_here(const struct soft_cpu *cpu, const struct soft_op *op)
{
	return (cpu->gpr[SOFT_PAGE_RIP] + op->next - op->length) & cpu->rip_mask;
}

/** The block was charged whole on entry: gives back what did not run after this op's instruction. */
SOFT_INLINE void soft_refund(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->left += cpu->block->instructions - op->number - 1;
}

/** After a raise: the run loop delivers cpu->fault. */
SOFT_INLINE const struct soft_op *soft_stop(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->stopped = op;
	return NULL;
}
/** The instruction is done; the run loop goes on with the next one. */
SOFT_INLINE const struct soft_op *soft_leave(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->rip = soft_rip_next(cpu, op);
	soft_refund(cpu, op);
	cpu->chain = NULL;
	return NULL;
}
/** The instruction is done and execution goes on at `rip` (already masked to its width). */
SOFT_INLINE const struct soft_op *soft_jump_to(struct soft_cpu *cpu, const struct soft_op *op,
					       uint64_t rip)
{
	cpu->rip = rip;
	soft_refund(cpu, op);
	cpu->chain = NULL;
	return NULL;
}
/** The instruction has to run again (a REP that pauses for an interrupt): state says how far it came. Its
 * breakpoint does not hit again (SDM vol. 3, 18.3.1.1); where none is armed nobody would take RF back. */
SOFT_INLINE const struct soft_op *soft_again(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (cpu->dr7 & 0xff)
		cpu->rflags |= SOFT_RF;
	cpu->rip = soft_rip_here(cpu, op);
	soft_refund(cpu, op);
	cpu->chain = NULL;
	return NULL;
}

/* General registers by width. 8-bit operands are byte offsets into gpr (soft_byte_register). */
SOFT_INLINE uint8_t soft_get8(const struct soft_cpu *cpu, unsigned byte)
{
	return ((const uint8_t *)cpu->gpr)[byte];
}
SOFT_INLINE void soft_set8(struct soft_cpu *cpu, unsigned byte, uint8_t value)
{
	((uint8_t *)cpu->gpr)[byte] = value;
}
SOFT_INLINE uint16_t soft_get16(const struct soft_cpu *cpu, unsigned slot)
{
	return (uint16_t)cpu->gpr[slot];
}
SOFT_INLINE void soft_set16(struct soft_cpu *cpu, unsigned slot, uint16_t value)
{
	memcpy(&cpu->gpr[slot], &value, sizeof(value));
}
SOFT_INLINE uint32_t soft_get32(const struct soft_cpu *cpu, unsigned slot)
{
	return (uint32_t)cpu->gpr[slot];
}
SOFT_INLINE void soft_set32(struct soft_cpu *cpu, unsigned slot, uint32_t value)
{
	cpu->gpr[slot] = value;
}
SOFT_INLINE uint64_t soft_get64(const struct soft_cpu *cpu, unsigned slot)
{
	return cpu->gpr[slot];
}
SOFT_INLINE void soft_set64(struct soft_cpu *cpu, unsigned slot, uint64_t value)
{
	cpu->gpr[slot] = value;
}
/** By a width known at run time (2, 4 or 8 bytes); a 32-bit write clears the upper half. */
SOFT_INLINE void soft_set_sized(struct soft_cpu *cpu, unsigned slot, unsigned size, uint64_t value)
{
	if (size == 2)
		soft_set16(cpu, slot, (uint16_t)value);
	else
		cpu->gpr[slot] = size == 4 ? (uint32_t)value : value;
}
SOFT_INLINE uint64_t soft_get_sized(const struct soft_cpu *cpu, unsigned slot, unsigned size)
{
	return size == 8 ? cpu->gpr[slot] : cpu->gpr[slot] & ((UINT64_C(1) << 8 * size) - 1);
}

#endif
