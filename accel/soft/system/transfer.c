/** Code that control passes to: checked first, entered last. References: SDM vol. 3, 5.8 (privilege of code
 * segments); SDM vol. 2, CALL, INT n. */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"

bool soft_target_make(struct soft_cpu *cpu, struct soft_target *target, uint16_t selector,
		      struct soft_descriptor *descriptor, unsigned level, uint64_t rip,
		      bool external)
{
	struct mw_segment *cs = &target->cs;
	bool wide;

	if (!soft_descriptor_touch(cpu, descriptor))
		return false;
	*cs = soft_descriptor_segment((uint16_t)((selector & ~3u) | level), descriptor);
	wide = soft_is_wide(cpu, cs->attributes);
	target->level = level;
	target->rip = wide ? rip : (uint32_t)rip;
	/* A 64-bit return into compatibility mode brings more bits than that mode has: out of its limit. */
	if (wide ? soft_canonical(rip) : rip <= cs->limit)
		return true;
	return soft_refuse(cpu, SOFT_GP, external ? SOFT_ERROR_EXT : 0);
}

bool soft_gate_code(struct soft_cpu *cpu, uint16_t selector, bool external,
		    struct soft_descriptor *descriptor, unsigned *level)
{
	uint32_t error = soft_selector_error(selector, external);
	uint16_t attributes;

	if (soft_selector_null(selector))
		return soft_refuse(cpu, SOFT_GP, external ? SOFT_ERROR_EXT : 0);
	if (!soft_descriptor_read(cpu, selector, SOFT_GP, external, descriptor))
		return false;
	attributes = soft_descriptor_attributes(descriptor);
	if (!soft_is_code(attributes) || soft_dpl(attributes) > cpu->cpl ||
	    (soft_long_mode(cpu) && (attributes & (SOFT_SEG_L | SOFT_SEG_DB)) != SOFT_SEG_L))
		return soft_refuse(cpu, SOFT_GP, error);
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, error);
	*level = soft_is_conforming(attributes) ? cpu->cpl : soft_dpl(attributes);
	return true;
}

void soft_target_enter(struct soft_cpu *cpu, const struct soft_target *target,
		       const struct soft_stack *stack)
{
	cpu->cpl = target->level;
	cpu->segment[MW_CS] = target->cs;
	cpu->rip = target->rip;
	if (stack) {
		uint64_t kept = stack->mask == 0xffff ? cpu->gpr[MW_RSP] & ~stack->mask : 0;

		cpu->segment[MW_SS] = stack->segment;
		cpu->gpr[MW_RSP] = kept | (stack->pointer & stack->mask);
	}
	soft_mode_update(cpu);
}
