/** Call gates of 16, 32 and 64 bits. References: SDM vol. 2, CALL; SDM vol. 3, 5.8.3 to 5.8.5. */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"

enum { PARAMETERS = 31, FRAME = PARAMETERS + 4 };

static unsigned word_bytes(const struct soft_cpu *cpu, const struct soft_descriptor *gate)
{
	if (soft_long_mode(cpu))
		return 8;
	return soft_descriptor_attributes(gate) & SOFT_TYPE_32 ? 4 : 2;
}

static uint64_t gate_offset(const struct soft_descriptor *gate, unsigned size)
{
	uint64_t offset = gate->low & 0xffff;

	if (size > 2)
		offset |= gate->low >> 32 & 0xffff0000;
	return offset | gate->high << 32;
}

/* The old stack's pointer, the parameters found there, and the way back. */
static bool fill_frame(struct soft_cpu *cpu, unsigned size, unsigned parameters, uint64_t *words)
{
	uint64_t *word = words;

	*word++ = cpu->segment[MW_SS].selector;
	*word++ = cpu->gpr[MW_RSP];
	for (unsigned i = parameters; i-- > 0;)
		if (!soft_peek(cpu, size, (uint64_t)i * size, word++))
			return false;
	*word++ = cpu->segment[MW_CS].selector;
	*word = cpu->rip;
	return true;
}

static bool call_inner(struct soft_cpu *cpu, const struct soft_descriptor *gate,
		       const struct soft_target *target)
{
	unsigned size = word_bytes(cpu, gate);
	unsigned parameters = size == 8 ? 0 : gate->low >> 32 & PARAMETERS;
	uint64_t words[FRAME];
	struct soft_stack stack;
	bool found = size == 8 ? soft_stack_inner_long(cpu, target->level, 0, false, &stack)
			       : soft_stack_inner(cpu, target->level, false, &stack);

	if (!found || !fill_frame(cpu, size, parameters, words) ||
	    !soft_stack_place(cpu, &stack, size, words, parameters + 4))
		return false;
	soft_target_enter(cpu, target, &stack);
	return true;
}

static bool call_same(struct soft_cpu *cpu, const struct soft_descriptor *gate,
		      const struct soft_target *target)
{
	uint64_t words[2] = { cpu->segment[MW_CS].selector, cpu->rip };
	struct soft_stack stack;

	soft_stack_current(cpu, soft_long_mode(cpu), false, &stack);
	if (!soft_stack_place(cpu, &stack, word_bytes(cpu, gate), words, 2))
		return false;
	soft_target_enter(cpu, target, &stack);
	return true;
}

bool soft_far_gate(struct soft_cpu *cpu, uint16_t selector, const struct soft_descriptor *gate,
		   bool call)
{
	uint16_t code = gate->low >> 16 & 0xffff;
	unsigned level;
	struct soft_descriptor descriptor;
	struct soft_target target;

	if (!soft_gate_code(cpu, code, false, &descriptor, &level))
		return false;
	/* A JMP stays at its level. */
	if (!call && level != cpu->cpl)
		return soft_refuse(cpu, SOFT_GP, soft_selector_error(code, false));
	if (!soft_target_make(cpu, &target, code, &descriptor, level,
			      gate_offset(gate, word_bytes(cpu, gate)), false))
		return false;
	if (!call) {
		soft_target_enter(cpu, &target, NULL);
		return true;
	}
	return level < cpu->cpl ? call_inner(cpu, gate, &target) : call_same(cpu, gate, &target);
}
