/* Virtual time at the running instruction, and the time stamp counter that is made of it. References: SDM
 * vol. 3, 18.17 (time-stamp counter), 11.5.4.1 (TSC deadline). */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"

__extension__ typedef unsigned __int128 wide;

/* A rate in kHz is ticks per million ns. */
enum { NS_PER_MS = 1000000 };

uint64_t soft_now_ns(const struct soft_cpu *cpu)
{
	const struct soft_vm *vm = cpu->vm;
	int64_t done = vm->quantum - cpu->left;

	if (cpu != vm->running || done <= 0)
		return vm->now_ns;
	return vm->now_ns + ((uint64_t)done * vm->ns_per_1024 >> 10);
}

static uint64_t ticks(const struct soft_cpu *cpu, uint64_t ns)
{
	uint64_t product;

	if (!__builtin_mul_overflow(ns, (uint64_t)cpu->vm->tsc_khz, &product))
		return product / NS_PER_MS;
	return (uint64_t)((wide)ns * cpu->vm->tsc_khz / NS_PER_MS);
}

uint64_t soft_tsc(const struct soft_cpu *cpu)
{
	return ticks(cpu, soft_now_ns(cpu)) + cpu->tsc_offset;
}

/* The ticks since time began are not taken modulo 2^64: a TSC that the guest moved back may have a deadline
 * beyond them. */
uint64_t soft_tsc_to_ns(const struct soft_cpu *cpu, uint64_t tsc)
{
	uint64_t now = soft_tsc(cpu), khz = cpu->vm->tsc_khz;
	wide ns;

	if (tsc <= now)
		return 0;
	if (!khz)
		return MW_LAPIC_NEVER;
	ns = ((wide)(now - cpu->tsc_offset) + (tsc - now)) * NS_PER_MS;
	ns = (ns + khz - 1) / khz;
	return ns < MW_LAPIC_NEVER ? (uint64_t)ns : MW_LAPIC_NEVER;
}
