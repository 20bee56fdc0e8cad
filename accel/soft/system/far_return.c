/** RETF, and what IRET has in common with it. References: SDM vol. 2, RET; SDM vol. 3, 5.8.6. */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"

bool soft_return_code(struct soft_cpu *cpu, uint16_t selector, struct soft_descriptor *descriptor)
{
	unsigned level = selector & 3, dpl;
	uint32_t error = soft_selector_error(selector, false);
	uint16_t attributes;
	bool fits;

	if (soft_selector_null(selector))
		return soft_refuse(cpu, SOFT_GP, 0);
	if (!soft_descriptor_read(cpu, selector, SOFT_GP, false, descriptor))
		return false;
	attributes = soft_descriptor_attributes(descriptor);
	dpl = soft_dpl(attributes);
	fits = soft_is_conforming(attributes) ? dpl <= level : dpl == level;
	if (!soft_is_code(attributes) || level < cpu->cpl || !fits ||
	    (soft_is_wide(cpu, attributes) && (attributes & SOFT_SEG_DB)))
		return soft_refuse(cpu, SOFT_GP, error);
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, error);
	return true;
}

bool soft_return_stack(struct soft_cpu *cpu, const struct soft_target *target, uint16_t selector,
		       uint64_t pointer, struct soft_stack *stack)
{
	bool wide = soft_is_wide(cpu, target->cs.attributes);

	if (SOFT_LIKELY(!soft_selector_null(selector))) {
		if (!soft_stack_segment(cpu, selector, target->level, SOFT_GP, false,
					&stack->segment))
			return false;
	} else if (!wide || target->level == 3 || (selector & 3u) != target->level) {
		return soft_refuse(cpu, SOFT_GP, 0);
	} else {
		stack->segment = soft_segment_null(cpu, MW_SS, selector);
	}
	stack->wide = wide;
	stack->pointer = pointer;
	stack->mask = wide                                      ? UINT64_MAX
		      : stack->segment.attributes & SOFT_SEG_DB ? UINT32_MAX
								: 0xffff;
	return true;
}

void soft_return_data(struct soft_cpu *cpu)
{
	static const uint8_t names[] = { MW_ES, MW_DS, MW_FS, MW_GS };

	for (unsigned i = 0; i < 4; i++) {
		enum mw_segment_name name = (enum mw_segment_name)names[i];
		uint16_t attributes = cpu->segment[name].attributes;

		/* A null selector loses its RPL; FS and GS keep their bases. */
		if (soft_selector_null(cpu->segment[name].selector))
			cpu->segment[name].selector = 0;
		if (!(attributes & SOFT_SEG_P) || soft_dpl(attributes) >= cpu->cpl ||
		    (soft_is_code(attributes) && soft_is_conforming(attributes)))
			continue;
		soft_segment_set(cpu, name, soft_segment_null(cpu, name, 0));
	}
}

static bool return_real(struct soft_cpu *cpu, unsigned size, uint16_t release)
{
	uint64_t words[2];
	struct soft_target target = { .level = cpu->cpl };
	uint16_t selector;

	if (!soft_stack_words(cpu, size, words, 2))
		return false;
	selector = (uint16_t)words[1];
	target.rip = words[0];
	target.cs = soft_v86(cpu) ? soft_segment_paragraph_v86(selector)
				  : soft_segment_paragraph(cpu, MW_CS, selector);
	if (target.rip > target.cs.limit)
		return soft_refuse(cpu, SOFT_GP, 0);
	soft_stack_adjust(cpu, 2 * (int64_t)size + release);
	soft_target_enter(cpu, &target, NULL);
	return true;
}

static bool return_outer(struct soft_cpu *cpu, const struct soft_target *target, unsigned size,
			 uint16_t release)
{
	uint64_t pointer, selector;
	struct soft_stack stack;

	if (!soft_peek(cpu, size, 2 * size + release, &pointer) ||
	    !soft_peek(cpu, size, 3 * size + release, &selector) ||
	    !soft_return_stack(cpu, target, (uint16_t)selector, pointer, &stack))
		return false;
	stack.pointer += release;
	soft_target_enter(cpu, target, &stack);
	soft_return_data(cpu);
	return true;
}

bool soft_far_return(struct soft_cpu *cpu, unsigned size, uint16_t release)
{
	struct soft_descriptor descriptor;
	struct soft_target target;
	uint64_t words[2];
	uint16_t selector;

	if (!soft_protected(cpu))
		return return_real(cpu, size, release);
	if (!soft_stack_words(cpu, size, words, 2))
		return false;
	selector = (uint16_t)words[1];
	if (!soft_return_code(cpu, selector, &descriptor) ||
	    !soft_target_make(cpu, &target, selector, &descriptor, selector & 3, words[0], false))
		return false;
	if (target.level > cpu->cpl)
		return return_outer(cpu, &target, size, release);
	soft_stack_adjust(cpu, 2 * (int64_t)size + release);
	soft_target_enter(cpu, &target, NULL);
	return true;
}
