/* KVM's paravirtual clock: pages in guest memory that turn the TSC into time. Reference: Linux,
 * Documentation/virt/kvm/x86/msr.rst (MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW). */
// SPDX-License-Identifier: MIT
#include <time.h>

#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"

enum { ENABLED = 1, TSC_STABLE = 1 };
#define NS_PER_S UINT64_C(1000000000)

/* Where time does not come from the host, the machine starts with the year 2000. */
#define FIRST_SECOND UINT64_C(946684800)

/* The address is the guest's and may be anything. A word never crosses a page. */
static bool is_place(struct soft_cpu *cpu, uint64_t physical, unsigned words)
{
	if (physical % 4 || (physical & SOFT_PHYSICAL_RESERVED))
		return false;
	for (unsigned i = 0; i < words; i++) {
		const struct soft_slot *slot = soft_slot_find(cpu->vm, physical + i * UINT64_C(4));

		if (!slot || slot->readonly)
			return false;
	}
	return true;
}

/* A reader takes what it read between two equal, even versions; no other CPU runs meanwhile. */
static void write_words(struct soft_cpu *cpu, uint64_t physical, uint32_t *words, unsigned count)
{
	if (!is_place(cpu, physical, count))
		return;
	words[0] = ((uint32_t)soft_physical_read(cpu, physical, 4) | 1) + 1;
	for (unsigned i = 0; i < count; i++)
		soft_physical_write(cpu, physical + i * UINT64_C(4), 4, words[i]);
}

/** ns = (ticks << shift) * multiplier / 2^32; a negative shift is to the right. */
struct scale {
	uint32_t multiplier;
	int shift;
};

static struct scale scale_of(uint32_t tsc_khz)
{
	uint64_t ratio = (UINT64_C(1000000) << 32) / tsc_khz; /* ns per tick, 32 bits of fraction */
	struct scale scale = { .shift = 0 };

	for (; ratio > UINT32_MAX; ratio >>= 1)
		scale.shift++;
	/* Rates below 1 kHz do not occur, so the ratio is not 0 and the loop ends. */
	for (unsigned i = 0; i < 32 && ratio < UINT64_C(1) << 31; i++) {
		scale.shift--;
		ratio = (UINT64_C(1000000) << (32 - scale.shift)) / tsc_khz;
	}
	scale.multiplier = (uint32_t)ratio;
	return scale;
}

/* Every CPU's page gives the same time for the same TSC. */
static bool is_stable(const struct soft_vm *vm)
{
	for (unsigned i = 1; i < vm->cpu_count; i++)
		if (vm->cpus[i]->tsc_offset != vm->cpus[0]->tsc_offset)
			return false;
	return true;
}

void soft_kvmclock_update(struct soft_cpu *cpu)
{
	uint64_t now = soft_now_ns(cpu) + cpu->vm->clock_offset, tsc = soft_tsc(cpu);
	struct scale scale;
	uint32_t words[8];

	if (!(cpu->kvm_system_time & ENABLED) || !cpu->vm->tsc_khz)
		return;
	scale = scale_of(cpu->vm->tsc_khz);
	words[1] = 0;
	words[2] = (uint32_t)tsc;
	words[3] = (uint32_t)(tsc >> 32);
	words[4] = (uint32_t)now;
	words[5] = (uint32_t)(now >> 32);
	words[6] = scale.multiplier;
	words[7] = ((uint32_t)scale.shift & 0xff) | (is_stable(cpu->vm) ? TSC_STABLE << 8 : 0);
	write_words(cpu, cpu->kvm_system_time & ~UINT64_C(1), words, 8);
}

/* Wall time when the system time was 0. */
static uint64_t boot_ns(const struct soft_cpu *cpu)
{
	const struct mw_plan_accel *accel = &cpu->vm->plan->accel;
	uint64_t now = soft_now_ns(cpu) + cpu->vm->clock_offset, wall;
	struct timespec host;

	if (accel->instruction_clock || accel->manual_clock ||
	    clock_gettime(CLOCK_REALTIME, &host) < 0)
		return FIRST_SECOND * NS_PER_S;
	wall = (uint64_t)host.tv_sec * NS_PER_S + (uint64_t)host.tv_nsec;
	return wall > now ? wall - now : 0;
}

void soft_kvmclock_write_wall(struct soft_cpu *cpu)
{
	uint64_t boot = boot_ns(cpu);
	uint32_t words[3];

	words[1] = (uint32_t)(boot / NS_PER_S);
	words[2] = (uint32_t)(boot % NS_PER_S);
	write_words(cpu, cpu->kvm_wall_clock, words, 3);
}
