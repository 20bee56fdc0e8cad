/* The local APIC's timer: one-shot, periodic, TSC deadline. Reference: Intel SDM vol. 3, 11.5.4. */
// SPDX-License-Identifier: MIT
#include "accel/apic/lapic_internal.h"

/* 11.5.1, bits 17 and 18 of the timer's LVT entry; both set is reserved and never counts. */
#define MODE_PERIODIC     0x20000u
#define MODE_TSC_DEADLINE 0x40000u
#define MODE              (MODE_PERIODIC | MODE_TSC_DEADLINE)

/* A periodic interrupt that comes faster than its handler ends leaves the guest, and the host that
 * runs it, with nothing else to do. KVM has such a bound as well. */
enum { SHORTEST_PERIOD_NS = 20000 };

static uint32_t mode(const struct mw_lapic *lapic)
{
	return lapic->registers[LAPIC_LVT_TIMER] & MODE;
}

static bool counts(const struct mw_lapic *lapic)
{
	return !(mode(lapic) & MODE_TSC_DEADLINE);
}

/* Figure 11-10: bits 3, 1 and 0; seven divides by 1, the others by 2 to 128. It counts at 1 GHz. */
static uint64_t ns_per_count(const struct mw_lapic *lapic)
{
	uint32_t divide = lapic->registers[LAPIC_DIVIDE];

	return UINT64_C(1) << (((divide >> 1 & 4) + (divide & 3) + 1) & 7);
}

static uint64_t period_ns(const struct mw_lapic *lapic)
{
	uint64_t period = lapic->registers[LAPIC_INITIAL_COUNT] * ns_per_count(lapic);

	if (mode(lapic) == MODE_PERIODIC && period < SHORTEST_PERIOD_NS)
		return SHORTEST_PERIOD_NS;
	return period;
}

/* An idle guest jumps to its next timer, so a guest can bring time close to its end. */
static uint64_t later(uint64_t now_ns, uint64_t delta_ns)
{
	return delta_ns < MW_LAPIC_NEVER - now_ns ? now_ns + delta_ns : MW_LAPIC_NEVER;
}

static void set_deadline(struct mw_lapic *lapic, uint64_t deadline_ns)
{
	if (lapic->deadline_ns == deadline_ns)
		return;
	lapic->deadline_ns = deadline_ns;
	lapic->bus->ops->changed(lapic->bus->context, lapic->cpu);
}

void mw_lapic_advance(struct mw_lapic *lapic, uint64_t now_ns)
{
	uint64_t deadline = lapic->deadline_ns, next = MW_LAPIC_NEVER;

	if (now_ns < deadline || deadline == MW_LAPIC_NEVER)
		return;
	if (mode(lapic) == MODE_PERIODIC) {
		uint64_t period = period_ns(lapic);

		next = later(now_ns, period - (now_ns - deadline) % period);
	}
	lapic->tsc_deadline = 0;
	set_deadline(lapic, next);
	mw_lapic_local_event(lapic, LAPIC_LVT_TIMER);
}

uint32_t mw_lapic_timer_count(const struct mw_lapic *lapic, uint64_t now_ns)
{
	uint64_t unit = ns_per_count(lapic), initial = lapic->registers[LAPIC_INITIAL_COUNT], left;

	if (!counts(lapic) || lapic->deadline_ns == MW_LAPIC_NEVER || lapic->deadline_ns <= now_ns)
		return 0;
	left = lapic->deadline_ns - now_ns;
	left = left / unit + (left % unit != 0);
	/* More is left where the period was lengthened. */
	return (uint32_t)(left < initial ? left : initial);
}

/* 11.5.4.1: the initial count is not written in TSC-deadline mode. */
void mw_lapic_timer_start(struct mw_lapic *lapic, uint32_t count, uint64_t now_ns)
{
	if (!counts(lapic))
		return;
	mw_lapic_advance(lapic, now_ns);
	lapic->registers[LAPIC_INITIAL_COUNT] = count;
	set_deadline(lapic, count ? later(now_ns, period_ns(lapic)) : MW_LAPIC_NEVER);
}

/* A periodic count that shows 0 has just expired and begins anew. */
void mw_lapic_timer_resume(struct mw_lapic *lapic, uint32_t initial, uint32_t left, uint64_t now_ns)
{
	uint64_t delta_ns = (left < initial ? left : initial) * ns_per_count(lapic);

	lapic->registers[LAPIC_INITIAL_COUNT] = initial;
	if (!counts(lapic))
		return;
	if (!delta_ns && mode(lapic) == MODE_PERIODIC)
		delta_ns = period_ns(lapic);
	if (initial && delta_ns)
		set_deadline(lapic, later(now_ns, delta_ns));
}

/* What is left of the count goes on at the new pace. */
void mw_lapic_timer_divide(struct mw_lapic *lapic, uint32_t value, uint64_t now_ns)
{
	uint32_t left;

	mw_lapic_advance(lapic, now_ns);
	left = mw_lapic_timer_count(lapic, now_ns);
	lapic->registers[LAPIC_DIVIDE] = value;
	if (left)
		set_deadline(lapic, later(now_ns, left * ns_per_count(lapic)));
}

/* One-shot and periodic share the count, which runs on; TSC deadline is another comparator. */
void mw_lapic_timer_mode_changed(struct mw_lapic *lapic, uint32_t old_lvt)
{
	if (!((old_lvt ^ lapic->registers[LAPIC_LVT_TIMER]) & MODE_TSC_DEADLINE))
		return;
	lapic->tsc_deadline = 0;
	set_deadline(lapic, MW_LAPIC_NEVER);
}

static void arm_tsc_deadline(struct mw_lapic *lapic, uint64_t tsc, uint64_t now_ns)
{
	struct mw_lapic_bus *bus = lapic->bus;

	lapic->tsc_deadline = tsc;
	set_deadline(lapic,
		     tsc ? bus->ops->tsc_to_ns(bus->context, lapic->cpu, tsc) : MW_LAPIC_NEVER);
	mw_lapic_advance(lapic, now_ns);
}

void mw_lapic_set_tsc_deadline(struct mw_lapic *lapic, uint64_t tsc, uint64_t now_ns)
{
	if (mode(lapic) != MODE_TSC_DEADLINE)
		return;
	mw_lapic_advance(lapic, now_ns);
	arm_tsc_deadline(lapic, tsc, now_ns);
}

uint64_t mw_lapic_tsc_deadline(const struct mw_lapic *lapic)
{
	return lapic->tsc_deadline;
}

void mw_lapic_tsc_moved(struct mw_lapic *lapic, uint64_t now_ns)
{
	mw_lapic_advance(lapic, now_ns);
	if (lapic->tsc_deadline)
		arm_tsc_deadline(lapic, lapic->tsc_deadline, now_ns);
}
