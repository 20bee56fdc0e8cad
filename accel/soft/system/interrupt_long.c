/** Interrupts in long mode. References: SDM vol. 3, 6.14; SDM vol. 2, INT n. */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/protected.h"

static bool read_gate(struct soft_cpu *cpu, const struct soft_event *event,
		      struct soft_descriptor *gate)
{
	uint32_t offset = event->vector * 16u;
	uint16_t attributes;

	if (offset + 15 > cpu->idt.limit)
		return soft_refuse(cpu, SOFT_GP, soft_event_error(event));
	if (!soft_table_read(cpu, cpu->idt.base + offset, &gate->low) ||
	    !soft_table_read(cpu, cpu->idt.base + offset + 8, &gate->high))
		return false;
	attributes = soft_descriptor_attributes(gate);
	if ((attributes & (SOFT_SEG_S | SOFT_SEG_TYPE) & ~1u) != SOFT_TYPE_INTERRUPT32 ||
	    (!event->external && soft_dpl(attributes) < cpu->cpl))
		return soft_refuse(cpu, SOFT_GP, soft_event_error(event));
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, soft_event_error(event));
	return true;
}

bool soft_event_long(struct soft_cpu *cpu, const struct soft_event *event)
{
	struct soft_descriptor gate, code;
	struct soft_target target;
	struct soft_stack stack;
	uint64_t words[6] = { cpu->segment[MW_SS].selector, cpu->gpr[MW_RSP], event->rflags,
			      cpu->segment[MW_CS].selector, cpu->rip,         event->error };
	uint64_t rip;
	uint16_t selector;
	unsigned level, ist;

	if (!read_gate(cpu, event, &gate))
		return false;
	selector = gate.low >> 16 & 0xffff;
	ist = gate.low >> 32 & 7;
	if (!soft_gate_code(cpu, selector, event->external, &code, &level))
		return false;
	if (level == cpu->cpl && !ist)
		soft_stack_current(cpu, true, event->external, &stack);
	else if (!soft_stack_inner_long(cpu, level, ist, event->external, &stack))
		return false;
	stack.pointer &= ~UINT64_C(15);
	rip = (gate.low & 0xffff) | (gate.low >> 32 & 0xffff0000) | gate.high << 32;
	if (!soft_target_make(cpu, &target, selector, &code, level, rip, event->external) ||
	    !soft_stack_place(cpu, &stack, 8, words, event->has_error ? 6 : 5))
		return false;
	soft_event_flags(cpu, gate.low >> 40 & 1);
	soft_target_enter(cpu, &target, &stack);
	return true;
}
