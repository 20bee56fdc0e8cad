/** Delivery of exceptions and interrupts: which way they go, and what becomes of faults on the way. References:
 * SDM vol. 3, chapter 6, 18.3.1 (RF); SDM vol. 2, INT n. */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/protected.h"
#include "accel/soft/system/system_internal.h"

void soft_event_flags(struct soft_cpu *cpu, bool trap)
{
	uint32_t cleared = SOFT_TF | SOFT_NT | SOFT_RF | SOFT_VM | (trap ? 0u : SOFT_IF);
	bool stepping = cpu->rflags & SOFT_TF;

	cpu->rflags &= ~cleared;
	if (SOFT_UNLIKELY(stepping))
		soft_debug_update(cpu);
}

uint32_t soft_event_error(const struct soft_event *event)
{
	return event->vector * 8u | SOFT_ERROR_IDT | (event->external ? SOFT_ERROR_EXT : 0);
}

static bool deliver(struct soft_cpu *cpu, const struct soft_event *event)
{
	if (SOFT_LIKELY(soft_long_mode(cpu)))
		return soft_event_long(cpu, event);
	return cpu->cr0 & SOFT_CR0_PE ? soft_event_gate(cpu, event) : soft_event_real(cpu, event);
}

/* SDM vol. 3, table 6-4. */
static bool is_contributory(unsigned vector)
{
	return vector == SOFT_DE || (vector >= SOFT_TS && vector <= SOFT_GP);
}

/* What comes of a second fault while a first is delivered (table 6-5): the vector to go on with, or -1 for
 * shutdown. */
static int combine(unsigned first, unsigned second)
{
	bool counts = is_contributory(second) || second == SOFT_PAGE;

	if (first == SOFT_DFAULT)
		return counts ? -1 : (int)second;
	if ((first == SOFT_PAGE && counts) || (is_contributory(first) && is_contributory(second)))
		return SOFT_DFAULT;
	return (int)second;
}

/* What an exception leaves behind before its handler runs. */
static void note_fault(struct soft_cpu *cpu, const struct soft_fault *fault)
{
	if (fault->vector == SOFT_PAGE) {
		cpu->cr2 = fault->address;
	} else if (fault->vector == SOFT_DB) {
		cpu->dr6 |= fault->debug;
		cpu->dr7 &= ~(uint64_t)SOFT_DR7_GD;
	}
}

/* Faults are saved with RF set, so that an instruction breakpoint does not hit again on return; a debug
 * exception of that kind leaves it to its handler. */
static uint64_t saved_flags(const struct soft_cpu *cpu, const struct soft_fault *fault)
{
	bool plain = fault->trap || (fault->vector == SOFT_DB && !(fault->debug & SOFT_DR6_BD));

	return soft_rflags(cpu) | (plain ? 0u : SOFT_RF);
}

void soft_deliver(struct soft_cpu *cpu)
{
	cpu->shadow = cpu->shadow_mov = false;
	cpu->halted = false; /* the trap of a HLT */
	cpu->debug_pending = 0;
	for (;;) {
		struct soft_fault fault = cpu->fault;
		struct soft_event event = { .vector = fault.vector,
					    .external = true,
					    .has_error = fault.has_error,
					    .error = fault.error,
					    .rflags = saved_flags(cpu, &fault) };
		int next;

		cpu->fault.raised = false;
		note_fault(cpu, &fault);
		if (deliver(cpu, &event))
			return;
		next = combine(fault.vector, cpu->fault.vector);
		if (next < 0)
			break;
		if (next == SOFT_DFAULT) {
			note_fault(cpu, &cpu->fault);
			soft_raise(cpu, SOFT_DFAULT);
		}
	}
	cpu->fault.raised = false;
	cpu->shutdown = true;
}

void soft_deliver_external(struct soft_cpu *cpu, uint8_t vector)
{
	struct soft_event event = { .vector = vector,
				    .external = true,
				    .rflags = soft_rflags(cpu) };

	cpu->shadow = cpu->shadow_mov = false;
	if (!deliver(cpu, &event))
		soft_deliver(cpu);
}

bool soft_software_interrupt(struct soft_cpu *cpu, uint8_t vector, bool privileged_check)
{
	struct soft_event event = { .vector = vector,
				    .external = !privileged_check,
				    .rflags = soft_rflags(cpu) };

	if (!deliver(cpu, &event))
		return false;
	/* TF was cleared on the way: no trap follows. */
	cpu->debug_pending &= ~(uint64_t)SOFT_DR6_BS;
	return true;
}
