/** Interrupts through the real-mode vector table: in real mode, and INT n that stays in virtual-8086 mode.
 * References: SDM vol. 3, 20.1.4, 20.3.3 and table 20-2. */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/protected.h"
#include "accel/soft/system/system_internal.h"

/* Pushes FLAGS, CS and IP, and enters the handler of the table at `table`. Changes no flags. */
static bool enter_vector(struct soft_cpu *cpu, uint64_t table, uint8_t vector, uint64_t flags,
			 bool external)
{
	uint64_t words[3] = { flags, cpu->segment[MW_CS].selector, cpu->rip }, pointer;
	uint16_t selector;
	struct soft_target target = { .level = cpu->cpl };
	struct soft_stack stack;

	if (!soft_system_read(cpu, (uint32_t)(table + vector * 4u), 4, &pointer))
		return false;
	selector = (uint16_t)(pointer >> 16);
	target.rip = pointer & 0xffff;
	target.cs = soft_v86(cpu) ? soft_segment_paragraph_v86(selector)
				  : soft_segment_paragraph(cpu, MW_CS, selector);
	if (target.rip > target.cs.limit)
		return soft_refuse(cpu, SOFT_GP, external ? SOFT_ERROR_EXT : 0);
	soft_stack_current(cpu, false, external, &stack);
	if (!soft_stack_place(cpu, &stack, 2, words, 3))
		return false;
	soft_target_enter(cpu, &target, &stack);
	return true;
}

static void clear_flags(struct soft_cpu *cpu, uint32_t flags)
{
	bool stepping = cpu->rflags & SOFT_TF;

	cpu->rflags &= ~(flags | SOFT_TF | SOFT_RF);
	if (stepping)
		soft_debug_update(cpu);
}

bool soft_event_real(struct soft_cpu *cpu, const struct soft_event *event)
{
	if (event->vector * 4u + 3 > cpu->idt.limit)
		return soft_refuse(cpu, SOFT_GP, soft_event_error(event));
	if (!enter_vector(cpu, cpu->idt.base, event->vector, event->rflags, event->external))
		return false;
	clear_flags(cpu, SOFT_IF | SOFT_AC);
	return true;
}

/* The bit of the TSS that sends INT n to the IDT; the map ends where that of I/O permissions begins. */
static bool redirection_bit(struct soft_cpu *cpu, uint8_t vector, bool *bit)
{
	const struct mw_segment *tr = &cpu->segment[MW_TR];
	uint64_t map, byte;
	uint32_t offset;

	if (tr->limit < 103)
		return soft_refuse(cpu, SOFT_GP, 0);
	if (!soft_system_read(cpu, (uint32_t)(tr->base + 102), 2, &map))
		return false;
	offset = (uint32_t)map - 32 + vector / 8u;
	if (offset > tr->limit)
		return soft_refuse(cpu, SOFT_GP, 0);
	if (!soft_system_read(cpu, (uint32_t)(tr->base + offset), 1, &byte))
		return false;
	*bit = byte >> vector % 8u & 1;
	return true;
}

bool soft_event_v86(struct soft_cpu *cpu, uint8_t vector, bool *done)
{
	bool privileged = (cpu->rflags & SOFT_IOPL) == SOFT_IOPL, to_idt = true;
	uint64_t flags = soft_rflags(cpu);

	*done = false;
	if ((cpu->cr4 & SOFT_CR4_VME) && !redirection_bit(cpu, vector, &to_idt))
		return false;
	if (to_idt)
		return privileged || soft_refuse(cpu, SOFT_GP, 0);
	/* The program sees its virtual IF, and an IOPL that lets it. */
	if (!privileged)
		flags = (flags & ~(uint64_t)SOFT_IF) | SOFT_IOPL |
			(flags & SOFT_VIF ? SOFT_IF : 0u);
	if (!enter_vector(cpu, 0, vector, flags, false))
		return false;
	clear_flags(cpu, privileged ? SOFT_IF : SOFT_VIF);
	cpu->debug_pending &= ~(uint64_t)SOFT_DR6_BS;
	*done = true;
	return true;
}
