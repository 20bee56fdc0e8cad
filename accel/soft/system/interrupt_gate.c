/** Interrupts through 16- and 32-bit gates of the IDT, and its task gates. References: SDM vol. 3, 6.11, 6.12,
 * 20.3.1 (leaving virtual-8086 mode); SDM vol. 2, INT n. */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/protected.h"

static bool read_gate(struct soft_cpu *cpu, const struct soft_event *event,
		      struct soft_descriptor *gate)
{
	uint32_t error = soft_event_error(event), offset = event->vector * 8u;
	uint16_t attributes;
	unsigned type;

	if (offset + 7 > cpu->idt.limit)
		return soft_refuse(cpu, SOFT_GP, error);
	if (!soft_table_read(cpu, (uint32_t)(cpu->idt.base + offset), &gate->low))
		return false;
	attributes = soft_descriptor_attributes(gate);
	type = attributes & (SOFT_SEG_S | SOFT_SEG_TYPE);
	if (type != SOFT_TYPE_TASK && (type & ~(unsigned)SOFT_TYPE_32) != SOFT_TYPE_INTERRUPT16 &&
	    (type & ~(unsigned)SOFT_TYPE_32) != SOFT_TYPE_TRAP16)
		return soft_refuse(cpu, SOFT_GP, error);
	if (!event->external && soft_dpl(attributes) < cpu->cpl)
		return soft_refuse(cpu, SOFT_GP, error);
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, error);
	return true;
}

static bool enter_task(struct soft_cpu *cpu, const struct soft_event *event, uint16_t selector)
{
	uint32_t before = cpu->rflags;
	bool done;

	/* The flags that are saved are the event's. */
	cpu->rflags |= (uint32_t)event->rflags & SOFT_RF;
	done = soft_task_switch(cpu, selector, event->external ? SOFT_TASK_GATE : SOFT_TASK_CALL,
				event->has_error, event->error);
	if (!done && cpu->segment[MW_TR].selector != selector)
		cpu->rflags = before;
	return done;
}

/* Out of virtual-8086 mode the data segments go too. */
static void clear_data_segments(struct soft_cpu *cpu)
{
	static const uint8_t names[] = { MW_ES, MW_DS, MW_FS, MW_GS };

	for (unsigned i = 0; i < 4; i++)
		soft_segment_set(cpu, (enum mw_segment_name)names[i],
				 soft_segment_null(cpu, (enum mw_segment_name)names[i], 0));
}

/* The frame, first word pushed first. */
static unsigned fill_frame(const struct soft_cpu *cpu, const struct soft_event *event, bool inner,
			   uint64_t *words)
{
	unsigned count = 0;

	if (soft_v86(cpu)) {
		words[count++] = cpu->segment[MW_GS].selector;
		words[count++] = cpu->segment[MW_FS].selector;
		words[count++] = cpu->segment[MW_DS].selector;
		words[count++] = cpu->segment[MW_ES].selector;
	}
	if (inner) {
		words[count++] = cpu->segment[MW_SS].selector;
		words[count++] = cpu->gpr[MW_RSP];
	}
	words[count++] = event->rflags;
	words[count++] = cpu->segment[MW_CS].selector;
	words[count++] = cpu->rip;
	if (event->has_error)
		words[count++] = event->error;
	return count;
}

bool soft_event_gate(struct soft_cpu *cpu, const struct soft_event *event)
{
	struct soft_descriptor gate = { 0 }, code;
	struct soft_target target;
	struct soft_stack stack;
	uint64_t words[10], rip;
	uint16_t selector;
	unsigned type, level;
	bool from_v86 = soft_v86(cpu), inner;

	if (!read_gate(cpu, event, &gate))
		return false;
	type = soft_descriptor_attributes(&gate) & SOFT_SEG_TYPE;
	selector = gate.low >> 16 & 0xffff;
	if (type == SOFT_TYPE_TASK)
		return enter_task(cpu, event, selector);
	if (!soft_gate_code(cpu, selector, event->external, &code, &level))
		return false;
	inner = level < cpu->cpl;
	if (from_v86 && level != 0)
		return soft_refuse(cpu, SOFT_GP, soft_selector_error(selector, event->external));
	if (inner && !soft_stack_inner(cpu, level, event->external, &stack))
		return false;
	if (!inner)
		soft_stack_current(cpu, false, event->external, &stack);
	rip = (gate.low & 0xffff) | (type & SOFT_TYPE_32 ? gate.low >> 32 & 0xffff0000 : 0);
	if (!soft_target_make(cpu, &target, selector, &code, level, rip, event->external) ||
	    !soft_stack_place(cpu, &stack, type & SOFT_TYPE_32 ? 4 : 2, words,
			      fill_frame(cpu, event, inner, words)))
		return false;
	soft_event_flags(cpu, type & 1);
	if (from_v86)
		clear_data_segments(cpu);
	soft_target_enter(cpu, &target, &stack);
	return true;
}
