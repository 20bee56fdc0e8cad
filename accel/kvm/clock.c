/* Guest time stands still while the machine is stopped: kvmclock, and the TSC where KVM lets its offset
 * be set. References: api.rst, 4.29-4.30 (CLOCK), 4.76 (KVMCLOCK_CTRL); devices/vcpu.rst, group
 * KVM_VCPU_TSC_CTRL. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <sys/ioctl.h>

enum { TSC_DEADLINE = 0x6e0 };

void kvm_clock_pause(struct kvm_vm *vm)
{
	struct kvm_clock_data clock = { 0 };

	vm->paused.valid = ioctl(vm->fd, KVM_GET_CLOCK, &clock) >= 0;
	vm->paused.clock_ns = clock.clock;
	vm->paused.host_tsc = __builtin_ia32_rdtsc();
}

/* Host cycles as the guest counts them. */
static uint64_t scaled(const struct kvm_vm *vm, uint64_t cycles)
{
	if (!vm->host_tsc_khz || vm->host_tsc_khz == vm->tsc_khz)
		return cycles;
	return (uint64_t)((long double)cycles * vm->tsc_khz / vm->host_tsc_khz);
}

/* Takes the same step on every CPU, so they stay in step with each other. */
static void shift_tsc(const struct kvm_cpu *cpu, uint64_t cycles)
{
	uint64_t offset = 0;
	struct kvm_device_attr attribute = { .group = KVM_VCPU_TSC_CTRL,
					     .attr = KVM_VCPU_TSC_OFFSET,
					     .addr = (uintptr_t)&offset };

	if (ioctl(cpu->fd, KVM_GET_DEVICE_ATTR, &attribute) < 0)
		return;
	offset -= cycles;
	ioctl(cpu->fd, KVM_SET_DEVICE_ATTR, &attribute);
}

/* A deadline is a TSC value, and KVM turned it into host time under the old offset. */
static void rearm_deadline(const struct kvm_cpu *cpu)
{
	struct kvm_msr_entry deadline = { .index = TSC_DEADLINE };

	if (kvm_msrs_get(cpu->fd, &deadline, 1) == 1 && deadline.data)
		kvm_msrs_set(cpu->fd, &deadline, 1);
}

void kvm_clock_resume(struct kvm_vm *vm)
{
	struct kvm_clock_data clock = { .clock = vm->paused.clock_ns };
	uint64_t cycles = scaled(vm, __builtin_ia32_rdtsc() - vm->paused.host_tsc);

	if (!vm->paused.valid)
		return;
	vm->paused.valid = false;
	ioctl(vm->fd, KVM_SET_CLOCK, &clock);
	for (unsigned i = 0; i < vm->cpu_count; i++) {
		const struct kvm_cpu *cpu = &vm->cpus[i];

		shift_tsc(cpu, cycles);
		rearm_deadline(cpu);
		/* Tells a guest with kvmclock that it was stopped, so that its watchdogs keep calm;
		 * EINVAL means that it has none. */
		ioctl(cpu->fd, KVM_KVMCLOCK_CTRL, 0);
	}
}
