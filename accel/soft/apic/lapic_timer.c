/* The local APIC's timer: one-shot, periodic, TSC deadline. Reference: Intel SDM vol. 3, 11.5.4. */
// SPDX-License-Identifier: MIT
#include "accel/soft/apic/lapic_internal.h"

/* 11.5.1, bits 17 and 18 of the timer's LVT entry; both set is reserved and never counts. */
#define MODE_PERIODIC     0x20000u
#define MODE_TSC_DEADLINE 0x40000u
#define MODE              (MODE_PERIODIC | MODE_TSC_DEADLINE)

/* A periodic interrupt that comes faster than its handler ends leaves the guest, and the host that
 * runs it, with nothing else to do. KVM has such a bound as well. */
enum { SHORTEST_PERIOD_NS = 20000 };

static uint32_t mode(const struct soft_lapic *lapic)
{
	return lapic->registers[LAPIC_LVT_TIMER] & MODE;
}

static bool counts(const struct soft_lapic *lapic)
{
	return !(mode(lapic) & MODE_TSC_DEADLINE);
}

/* Figure 11-10: bits 3, 1 and 0; seven divides by 1, the others by 2 to 128. It counts at 1 GHz. */
static uint64_t ns_per_count(const struct soft_lapic *lapic)
{
	uint32_t divide = lapic->registers[LAPIC_DIVIDE];

	return UINT64_C(1) << (((divide >> 1 & 4) + (divide & 3) + 1) & 7);
}

static uint64_t period_ns(const struct soft_lapic *lapic)
{
	uint64_t period = lapic->registers[LAPIC_INITIAL_COUNT] * ns_per_count(lapic);

	if (mode(lapic) == MODE_PERIODIC && period < SHORTEST_PERIOD_NS)
		return SHORTEST_PERIOD_NS;
	return period;
}

/* An idle guest jumps to its next timer, so a guest can bring time close to its end. */
static uint64_t later(uint64_t now_ns, uint64_t delta_ns)
{
	return delta_ns < SOFT_LAPIC_NEVER - now_ns ? now_ns + delta_ns : SOFT_LAPIC_NEVER;
}

static void set_deadline(struct soft_lapic *lapic, uint64_t deadline_ns)
{
	if (lapic->deadline_ns == deadline_ns)
		return;
	lapic->deadline_ns = deadline_ns;
	lapic->bus->ops->changed(lapic->bus->context, lapic->cpu);
}

void soft_lapic_advance(struct soft_lapic *lapic, uint64_t now_ns)
{
	uint64_t deadline = lapic->deadline_ns, next = SOFT_LAPIC_NEVER;

	if (now_ns < deadline || deadline == SOFT_LAPIC_NEVER)
		return;
	if (mode(lapic) == MODE_PERIODIC) {
		uint64_t period = period_ns(lapic);

		next = later(now_ns, period - (now_ns - deadline) % period);
	}
	lapic->tsc_deadline = 0;
	set_deadline(lapic, next);
	soft_lapic_local_event(lapic, LAPIC_LVT_TIMER);
}

uint32_t soft_lapic_timer_count(const struct soft_lapic *lapic, uint64_t now_ns)
{
	uint64_t unit = ns_per_count(lapic), initial = lapic->registers[LAPIC_INITIAL_COUNT], left;

	if (!counts(lapic) || lapic->deadline_ns == SOFT_LAPIC_NEVER ||
	    lapic->deadline_ns <= now_ns)
		return 0;
	left = lapic->deadline_ns - now_ns;
	left = left / unit + (left % unit != 0);
	/* More is left where the period was lengthened. */
	return (uint32_t)(left < initial ? left : initial);
}

/* 11.5.4.1: the initial count is not written in TSC-deadline mode. */
void soft_lapic_timer_start(struct soft_lapic *lapic, uint32_t count, uint64_t now_ns)
{
	if (!counts(lapic))
		return;
	soft_lapic_advance(lapic, now_ns);
	lapic->registers[LAPIC_INITIAL_COUNT] = count;
	set_deadline(lapic, count ? later(now_ns, period_ns(lapic)) : SOFT_LAPIC_NEVER);
}

/* What is left of the count goes on at the new pace. */
void soft_lapic_timer_divide(struct soft_lapic *lapic, uint32_t value, uint64_t now_ns)
{
	uint32_t left;

	soft_lapic_advance(lapic, now_ns);
	left = soft_lapic_timer_count(lapic, now_ns);
	lapic->registers[LAPIC_DIVIDE] = value;
	if (left)
		set_deadline(lapic, later(now_ns, left * ns_per_count(lapic)));
}

/* One-shot and periodic share the count, which runs on; TSC deadline is another comparator. */
void soft_lapic_timer_mode_changed(struct soft_lapic *lapic, uint32_t old_lvt)
{
	if (!((old_lvt ^ lapic->registers[LAPIC_LVT_TIMER]) & MODE_TSC_DEADLINE))
		return;
	lapic->tsc_deadline = 0;
	set_deadline(lapic, SOFT_LAPIC_NEVER);
}

static void arm_tsc_deadline(struct soft_lapic *lapic, uint64_t tsc, uint64_t now_ns)
{
	struct soft_lapic_bus *bus = lapic->bus;

	lapic->tsc_deadline = tsc;
	set_deadline(lapic,
		     tsc ? bus->ops->tsc_to_ns(bus->context, lapic->cpu, tsc) : SOFT_LAPIC_NEVER);
	soft_lapic_advance(lapic, now_ns);
}

void soft_lapic_set_tsc_deadline(struct soft_lapic *lapic, uint64_t tsc, uint64_t now_ns)
{
	if (mode(lapic) != MODE_TSC_DEADLINE)
		return;
	soft_lapic_advance(lapic, now_ns);
	arm_tsc_deadline(lapic, tsc, now_ns);
}

uint64_t soft_lapic_tsc_deadline(const struct soft_lapic *lapic)
{
	return lapic->tsc_deadline;
}

void soft_lapic_tsc_moved(struct soft_lapic *lapic, uint64_t now_ns)
{
	soft_lapic_advance(lapic, now_ns);
	if (lapic->tsc_deadline)
		arm_tsc_deadline(lapic, lapic->tsc_deadline, now_ns);
}
