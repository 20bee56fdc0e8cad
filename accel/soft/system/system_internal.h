/** What the files of the system instructions share: bits of debug registers, and handlers that system.c
 * emits. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_SYSTEM_INTERNAL_H
#define ACCEL_SOFT_SYSTEM_INTERNAL_H

#include "accel/soft/decode/decode.h"
#include "accel/soft/decode/op.h"
#include "accel/soft/system/system.h"

/** SDM vol. 3, 18.2.3 and 18.2.4: what reads as fixed, and a few bits. */
enum {
	SOFT_DR6_BD = 1 << 13,
	SOFT_DR6_BS = 1 << 14,
	SOFT_DR7_ENABLES = 0xff,
	SOFT_DR7_GD = 1 << 13
};
#define SOFT_DR6_ONES     UINT64_C(0xffff0ff0)
#define SOFT_DR6_WRITABLE UINT64_C(0xe00f)
#define SOFT_DR7_ONES     UINT64_C(0x400)
#define SOFT_DR7_WRITABLE UINT64_C(0xffff23ff)

/** What there is of a control register or MSR on this CPU; writes of other bits are #GP(0). */
#define SOFT_CR0_DEFINED                                                                     \
	(SOFT_CR0_PG | SOFT_CR0_CD | SOFT_CR0_NW | SOFT_CR0_AM | SOFT_CR0_WP | SOFT_CR0_NE | \
	 SOFT_CR0_ET | SOFT_CR0_TS | SOFT_CR0_EM | SOFT_CR0_MP | SOFT_CR0_PE)
uint64_t soft_cr4_defined(const struct soft_cpu *cpu);
uint64_t soft_efer_defined(const struct soft_cpu *cpu);
/** IA32_APIC_BASE: the address, the boot CPU, the global enable; no x2APIC. */
#define SOFT_APIC_BASE_DEFINED ((~SOFT_PHYSICAL_RESERVED & SOFT_PAGE_MASK) | 0x900)
/** The writable bits of IA32_MISC_ENABLE. */
void soft_misc_enable_set(struct soft_cpu *cpu, uint64_t value);

/** #GP(0) unless CPL is 0. */
static inline bool soft_need_supervisor(struct soft_cpu *cpu)
{
	return cpu->cpl == 0 || soft_raise_error(cpu, SOFT_GP, 0);
}
/** Whether an event waits that RFLAGS.IF or nothing holds back. */
bool soft_event_waits(const struct soft_cpu *cpu);

/** Handlers around a function that does the instruction or raises: the block goes on, or the run loop does
 * (after what the rest of the block may depend on). */
#define SOFT_GO_ON(name, run)                                                             \
	static const struct soft_op *name(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                 \
		return run(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);            \
	}
#define SOFT_GO_OUT(name, run)                                                            \
	static const struct soft_op *name(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                 \
		return run(cpu, op) ? soft_leave(cpu, op) : soft_stop(cpu, op);           \
	}
/** The same where the function has set cpu->rip. */
#define SOFT_GO_TO(name, run)                                                               \
	static const struct soft_op *name(struct soft_cpu *cpu, const struct soft_op *op)   \
	{                                                                                   \
		return run(cpu, op) ? soft_jump_to(cpu, op, cpu->rip) : soft_stop(cpu, op); \
	}

/* system.c. An op that ends the block. */
void soft_emit_last(struct soft_decoder *decoder, soft_handler *run);

/* control.c: MOV CR, MOV DR, CLTS, SMSW, LMSW, INVLPG. */
soft_emitter soft_emit_mov_control, soft_emit_mov_debug, soft_emit_clts, soft_emit_smsw,
	soft_emit_lmsw, soft_emit_invlpg;
/* table.c: 0F 00, LAR, LSL, ARPL, and of 0F 01 the forms with a memory operand. */
soft_emitter soft_emit_group6, soft_emit_lar_lsl, soft_emit_arpl, soft_emit_table;
/* syscall.c */
soft_emitter soft_emit_syscall, soft_emit_sysret, soft_emit_sysenter, soft_emit_sysexit,
	soft_emit_swapgs, soft_emit_vmcall;

#endif
