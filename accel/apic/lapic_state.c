/* A local APIC's registers to and from core's form. Reference: Intel SDM vol. 3, table 11-1. */
// SPDX-License-Identifier: MIT
#include "accel/apic/lapic_internal.h"

#include <string.h>

enum { VECTOR_WORDS = 8, ILLEGAL_VECTORS = 0xffff, ERRORS = 0xff };

void mw_lapic_get_state(const struct mw_lapic *lapic, struct mw_lapic_state *state, uint64_t now_ns)
{
	*state = (struct mw_lapic_state){ .valid = true, .new_errors = lapic->new_errors };
	memcpy(state->registers, lapic->registers, sizeof(state->registers));
	state->registers[LAPIC_APR] = mw_lapic_arbitration_priority(lapic);
	state->registers[LAPIC_PPR] = mw_lapic_processor_priority(lapic);
	state->registers[LAPIC_CURRENT_COUNT] = mw_lapic_timer_count(lapic, now_ns);
}

/* Vectors below 16 never get there. */
static void load_vectors(struct mw_lapic *lapic, const uint32_t *registers, unsigned set)
{
	memcpy(&lapic->registers[set], &registers[set], VECTOR_WORDS * sizeof(uint32_t));
	lapic->registers[set] &= ~(uint32_t)ILLEGAL_VECTORS;
}

void mw_lapic_set_state(struct mw_lapic *lapic, const struct mw_lapic_state *state, uint64_t now_ns)
{
	const uint32_t *registers = state->registers;

	mw_lapic_init_signal(lapic);
	if (!lapic->enabled)
		return;
	for (unsigned i = 0; i < MW_LAPIC_REGISTERS; i++)
		mw_lapic_store(lapic, i, registers[i]);
	load_vectors(lapic, registers, LAPIC_ISR);
	load_vectors(lapic, registers, LAPIC_TMR);
	load_vectors(lapic, registers, LAPIC_IRR);
	lapic->registers[LAPIC_ESR] = registers[LAPIC_ESR] & ERRORS;
	lapic->new_errors = state->new_errors & ERRORS;
	mw_lapic_timer_resume(lapic, registers[LAPIC_INITIAL_COUNT], registers[LAPIC_CURRENT_COUNT],
			      now_ns);
	mw_lapic_refresh(lapic);
	mw_lapic_resume_lint0(lapic, registers[LAPIC_LVT_LINT0]);
}
