/** Far JMP and CALL: to code, through gates, to tasks. References: SDM vol. 2, CALL and JMP; SDM vol. 3, 5.8. */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"

/* Pushes CS and RIP for a CALL, and enters. */
static bool enter(struct soft_cpu *cpu, const struct soft_target *target, unsigned size, bool call)
{
	uint64_t words[2] = { cpu->segment[MW_CS].selector, cpu->rip };
	struct soft_stack stack;

	if (call) {
		soft_stack_current(cpu, soft_64bit(cpu), false, &stack);
		if (!soft_stack_place(cpu, &stack, size, words, 2))
			return false;
	}
	soft_target_enter(cpu, target, call ? &stack : NULL);
	return true;
}

static bool transfer_real(struct soft_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size,
			  bool call)
{
	struct soft_target target = { .rip = offset, .level = cpu->cpl };

	target.cs = soft_v86(cpu) ? soft_segment_paragraph_v86(selector)
				  : soft_segment_paragraph(cpu, MW_CS, selector);
	if (offset > target.cs.limit)
		return soft_refuse(cpu, SOFT_GP, 0);
	return enter(cpu, &target, size, call);
}

static bool transfer_code(struct soft_cpu *cpu, uint16_t selector,
			  struct soft_descriptor *descriptor, uint64_t offset, unsigned size,
			  bool call)
{
	uint16_t attributes = soft_descriptor_attributes(descriptor);
	uint32_t error = soft_selector_error(selector, false);
	struct soft_target target;
	bool allowed;

	if (soft_is_conforming(attributes))
		allowed = soft_dpl(attributes) <= cpu->cpl;
	else
		allowed = (selector & 3u) <= cpu->cpl && soft_dpl(attributes) == cpu->cpl;
	if (!allowed || (soft_is_wide(cpu, attributes) && (attributes & SOFT_SEG_DB)))
		return soft_refuse(cpu, SOFT_GP, error);
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, error);
	return soft_target_make(cpu, &target, selector, descriptor, cpu->cpl, offset, false) &&
	       enter(cpu, &target, size, call);
}

/* A TSS, or a task gate that names one. */
static bool transfer_task(struct soft_cpu *cpu, uint16_t selector,
			  const struct soft_descriptor *descriptor, bool call)
{
	enum soft_task_reason reason = call ? SOFT_TASK_CALL : SOFT_TASK_JUMP;

	if ((soft_descriptor_attributes(descriptor) & SOFT_SEG_TYPE) == SOFT_TYPE_TASK)
		selector = descriptor->low >> 16 & 0xffff;
	return soft_task_switch(cpu, selector, reason, false, 0);
}

static bool transfer_system(struct soft_cpu *cpu, uint16_t selector,
			    const struct soft_descriptor *descriptor, bool call)
{
	uint16_t attributes = soft_descriptor_attributes(descriptor);
	uint32_t error = soft_selector_error(selector, false);
	unsigned type = attributes & SOFT_SEG_TYPE;
	bool task = type == SOFT_TYPE_TASK || type == SOFT_TYPE_TSS16 || type == SOFT_TYPE_TSS32;
	bool gate = type == SOFT_TYPE_CALL32 || (type == SOFT_TYPE_CALL16 && !soft_long_mode(cpu));

	if ((!gate && (!task || soft_long_mode(cpu))) || soft_dpl(attributes) < cpu->cpl ||
	    soft_dpl(attributes) < (selector & 3u))
		return soft_refuse(cpu, SOFT_GP, error);
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, error);
	if (gate)
		return soft_far_gate(cpu, selector, descriptor, call);
	return transfer_task(cpu, selector, descriptor, call);
}

bool soft_far_transfer(struct soft_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size,
		       bool call)
{
	struct soft_descriptor descriptor;
	uint16_t attributes;

	if (!soft_protected(cpu))
		return transfer_real(cpu, selector, offset, size, call);
	if (soft_selector_null(selector))
		return soft_refuse(cpu, SOFT_GP, 0);
	if (!soft_descriptor_read(cpu, selector, SOFT_GP, false, &descriptor))
		return false;
	attributes = soft_descriptor_attributes(&descriptor);
	if (soft_is_code(attributes))
		return transfer_code(cpu, selector, &descriptor, offset, size, call);
	if (attributes & SOFT_SEG_S)
		return soft_refuse(cpu, SOFT_GP, soft_selector_error(selector, false));
	return transfer_system(cpu, selector, &descriptor, call);
}
