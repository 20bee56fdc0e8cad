/** IRET in every mode. References: SDM vol. 2, IRET; SDM vol. 3, 6.14.3, 7.4, 20.2.5 (to virtual-8086 mode) and
 * 20.3.3 (virtual IF). */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/protected.h"
#include "accel/soft/system/system_internal.h"

/* RF shields the next instruction from breakpoints; where none is armed nobody would take it back. */
static void set_flags(struct soft_cpu *cpu, uint64_t image, uint32_t mask)
{
	uint32_t old = cpu->rflags, new;

	soft_rflags_set(cpu, (soft_rflags(cpu) & ~(uint64_t)mask) | (image & mask));
	if (!(cpu->dr7 & SOFT_DR7_ENABLES))
		cpu->rflags &= ~(uint32_t)SOFT_RF;
	new = cpu->rflags;
	if (SOFT_UNLIKELY((old ^ new) & SOFT_AC))
		soft_mode_update(cpu);
	if (SOFT_UNLIKELY((old ^ new) & SOFT_TF))
		soft_debug_update(cpu);
	if ((new & ~old &SOFT_IF) && soft_event_waits(cpu))
		soft_look(cpu);
}

/* What IRET may change, seen from the level it runs at. */
static uint32_t flags_mask(const struct soft_cpu *cpu, unsigned size)
{
	uint32_t mask = SOFT_ARITHMETIC | SOFT_TF | SOFT_DF | SOFT_NT;

	if (size > 2)
		mask |= SOFT_RF | SOFT_AC | SOFT_ID;
	if (cpu->cpl <= (cpu->rflags & SOFT_IOPL) >> 12)
		mask |= SOFT_IF;
	if (cpu->cpl == 0)
		mask |= SOFT_IOPL;
	if (cpu->cpl == 0 && size > 2 && (cpu->cr0 & SOFT_CR0_PE))
		mask |= SOFT_VIF | SOFT_VIP;
	return mask;
}

/* Virtual-8086 mode with IOPL below 3: IF in the image is VIF. */
static bool virtual_flags(struct soft_cpu *cpu, unsigned size, uint64_t *image, uint32_t *mask)
{
	if (!(cpu->cr4 & SOFT_CR4_VME) || size > 2 || (*image & SOFT_TF) ||
	    ((*image & SOFT_IF) && (cpu->rflags & SOFT_VIP)))
		return soft_refuse(cpu, SOFT_GP, 0);
	*image = (*image & ~(uint64_t)SOFT_VIF) | (*image & SOFT_IF ? SOFT_VIF : 0u);
	*mask = (*mask & ~(uint32_t)SOFT_IF) | SOFT_VIF;
	return true;
}

static bool return_real(struct soft_cpu *cpu, unsigned size)
{
	bool v86 = soft_v86(cpu), virtual = v86 && (cpu->rflags & SOFT_IOPL) != SOFT_IOPL;
	uint32_t mask = flags_mask(cpu, size);
	struct soft_target target = { .level = cpu->cpl };
	uint64_t words[3];
	uint16_t selector;

	if (virtual && !(cpu->cr4 & SOFT_CR4_VME))
		return soft_refuse(cpu, SOFT_GP, 0);
	if (!soft_stack_words(cpu, size, words, 3))
		return false;
	selector = (uint16_t)words[1];
	target.rip = words[0];
	target.cs = v86 ? soft_segment_paragraph_v86(selector)
			: soft_segment_paragraph(cpu, MW_CS, selector);
	if (target.rip > target.cs.limit)
		return soft_refuse(cpu, SOFT_GP, 0);
	if (virtual && !virtual_flags(cpu, size, &words[2], &mask))
		return false;
	soft_stack_adjust(cpu, 3 * (int64_t)size);
	soft_target_enter(cpu, &target, NULL);
	set_flags(cpu, words[2], mask);
	return true;
}

/* CPL 0, and the image has VM set. */
static bool return_to_v86(struct soft_cpu *cpu, const uint64_t *frame)
{
	static const uint8_t names[] = { MW_ES, MW_DS, MW_FS, MW_GS };
	struct soft_target target = { .level = 3, .rip = frame[0] };
	struct soft_stack stack = { .mask = UINT32_MAX };
	uint64_t words[9];

	if (!soft_stack_words(cpu, 4, words, 9))
		return false;
	if (target.rip > 0xffff)
		return soft_refuse(cpu, SOFT_GP, 0);
	target.cs = soft_segment_paragraph_v86((uint16_t)words[1]);
	stack.pointer = words[3];
	stack.segment = soft_segment_paragraph_v86((uint16_t)words[4]);
	/* The switch comes first: the mode is worked out with VM set. */
	set_flags(cpu, words[2], flags_mask(cpu, 4) | SOFT_VM);
	for (unsigned i = 0; i < 4; i++)
		soft_segment_set(cpu, (enum mw_segment_name)names[i],
				 soft_segment_paragraph_v86((uint16_t)words[5 + i]));
	soft_target_enter(cpu, &target, &stack);
	return true;
}

/* NT: back to the task that was interrupted. */
static bool return_to_task(struct soft_cpu *cpu)
{
	uint64_t link;

	if (soft_long_mode(cpu))
		return soft_refuse(cpu, SOFT_GP, 0);
	return soft_system_read(cpu, (uint32_t)cpu->segment[MW_TR].base, 2, &link) &&
	       soft_task_switch(cpu, (uint16_t)link, SOFT_TASK_IRET, false, 0);
}

static bool return_protected(struct soft_cpu *cpu, unsigned size)
{
	bool with_stack = soft_64bit(cpu), outer;
	uint32_t mask = flags_mask(cpu, size);
	struct soft_descriptor descriptor;
	struct soft_target target;
	struct soft_stack stack;
	uint64_t words[5];
	uint16_t selector;

	if (!soft_stack_words(cpu, size, words, with_stack ? 5 : 3))
		return false;
	if ((words[2] & SOFT_VM) && size == 4 && cpu->cpl == 0 && !soft_long_mode(cpu))
		return return_to_v86(cpu, words);
	selector = (uint16_t)words[1];
	if (!soft_return_code(cpu, selector, &descriptor) ||
	    !soft_target_make(cpu, &target, selector, &descriptor, selector & 3, words[0], false))
		return false;
	outer = target.level > cpu->cpl;
	if (outer && !with_stack &&
	    (!soft_peek(cpu, size, 3 * size, &words[3]) ||
	     !soft_peek(cpu, size, 4 * size, &words[4])))
		return false;
	if ((outer || with_stack) &&
	    !soft_return_stack(cpu, &target, (uint16_t)words[4], words[3], &stack))
		return false;
	if (!outer && !with_stack)
		soft_stack_adjust(cpu, 3 * (int64_t)size);
	soft_target_enter(cpu, &target, outer || with_stack ? &stack : NULL);
	if (outer)
		soft_return_data(cpu);
	set_flags(cpu, words[2], mask);
	return true;
}

bool soft_interrupt_return(struct soft_cpu *cpu, unsigned size)
{
	/* Whatever becomes of it, NMIs come through again (6.7.1). */
	if (SOFT_UNLIKELY(cpu->nmi_masked)) {
		cpu->nmi_masked = false;
		if (cpu->nmi_pending)
			soft_look(cpu);
	}
	if (!soft_protected(cpu))
		return return_real(cpu, size);
	if (SOFT_UNLIKELY(cpu->rflags & SOFT_NT))
		return return_to_task(cpu);
	return return_protected(cpu, size);
}
