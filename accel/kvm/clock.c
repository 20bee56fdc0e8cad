/* Guest time stands still while the machine is stopped: kvmclock, and the TSC where KVM lets its offset
 * be set. References: api.rst, 4.29-4.30 (CLOCK), 4.76 (KVMCLOCK_CTRL); devices/vcpu.rst, group
 * KVM_VCPU_TSC_CTRL. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <sys/ioctl.h>

enum { TSC = 0x10, TSC_DEADLINE = 0x6e0 };

/* While stopped, what the guest will see is in vm->clock_ns, cpu->tsc and cpu->tsc_deadline: KVM's own
 * go on, unless the host's TSC is unstable. Then KVM lets a CPU's TSC rest while the CPU does not
 * run, and makes up for it later. */

static uint64_t read_tsc(const struct kvm_cpu *cpu)
{
	struct kvm_msr_entry entry = { .index = TSC };

	kvm_msrs_get_each(cpu->fd, &entry, 1);
	return entry.data;
}

static bool offset_ioctl(const struct kvm_cpu *cpu, unsigned long request, uint64_t *offset)
{
	struct kvm_device_attr attribute = { .group = KVM_VCPU_TSC_CTRL,
					     .attr = KVM_VCPU_TSC_OFFSET,
					     .addr = (uintptr_t)offset };

	return ioctl(cpu->fd, request, &attribute) >= 0;
}

/* How far a CPU's TSC is ahead of the first one's, to the cycle. */
static bool distance(const struct kvm_vm *vm, const struct kvm_cpu *cpu, uint64_t *cycles)
{
	uint64_t first, own;

	if (!offset_ioctl(&vm->cpus[0], KVM_GET_DEVICE_ATTR, &first) ||
	    !offset_ioctl(cpu, KVM_GET_DEVICE_ATTR, &own))
		return false;
	*cycles = own - first;
	return true;
}

/* KVM's timer would run on. */
static void take_deadline(struct kvm_cpu *cpu)
{
	struct kvm_msr_entry deadline = { .index = TSC_DEADLINE };

	kvm_msrs_get_each(cpu->fd, &deadline, 1);
	cpu->tsc_deadline = deadline.data;
	deadline.data = 0;
	if (cpu->tsc_deadline)
		kvm_msrs_set(cpu->fd, &deadline, 1);
}

/* On an unstable host those that rested are behind: all take the one that is furthest. */
static void pause_together(struct kvm_vm *vm)
{
	uint64_t latest = 0;

	for (unsigned i = 0; i < vm->cpu_count; i++)
		if (vm->cpus[i].tsc > latest)
			latest = vm->cpus[i].tsc;
	for (unsigned i = 0; i < vm->cpu_count; i++)
		vm->cpus[i].tsc = latest;
}

void kvm_clock_pause(struct kvm_vm *vm)
{
	struct kvm_clock_data clock = { 0 };
	bool stable;

	ioctl(vm->fd, KVM_GET_CLOCK, &clock);
	stable = clock.flags & KVM_CLOCK_TSC_STABLE;
	vm->clock_ns = clock.clock;
	for (unsigned i = 0; i < vm->cpu_count; i++) {
		struct kvm_cpu *cpu = &vm->cpus[i];
		uint64_t ahead;

		take_deadline(cpu);
		cpu->tsc = read_tsc(cpu);
		if (i && stable && distance(vm, cpu, &ahead))
			cpu->tsc = vm->cpus[0].tsc + ahead;
	}
	if (!stable)
		pause_together(vm);
}

/* By what the first TSC shows now, whatever it did meanwhile; the others keep their distance to it. */
static void set_tscs(const struct kvm_vm *vm)
{
	const struct kvm_cpu *first = &vm->cpus[0];
	uint64_t offset;

	if (!offset_ioctl(first, KVM_GET_DEVICE_ATTR, &offset))
		return;
	offset -= read_tsc(first) - first->tsc;
	for (unsigned i = 0; i < vm->cpu_count; i++) {
		uint64_t own = offset + (vm->cpus[i].tsc - first->tsc);

		offset_ioctl(&vm->cpus[i], KVM_SET_DEVICE_ATTR, &own);
	}
}

void kvm_clock_resume(struct kvm_vm *vm)
{
	struct kvm_clock_data clock = { .clock = vm->clock_ns };

	ioctl(vm->fd, KVM_SET_CLOCK, &clock);
	set_tscs(vm);
	for (unsigned i = 0; i < vm->cpu_count; i++) {
		const struct kvm_cpu *cpu = &vm->cpus[i];
		struct kvm_msr_entry deadline = { .index = TSC_DEADLINE,
						  .data = cpu->tsc_deadline };

		if (cpu->tsc_deadline)
			kvm_msrs_set(cpu->fd, &deadline, 1);
		/* Tells a guest with kvmclock that it was stopped, so that its watchdogs keep calm;
		 * EINVAL means that it has none. */
		ioctl(cpu->fd, KVM_KVMCLOCK_CTRL, 0);
	}
}

enum mw_status kvm_get_clock(void *self, uint64_t *ns)
{
	const struct kvm_vm *vm = self;

	*ns = vm->clock_ns;
	return MW_STATUS_OK;
}

enum mw_status kvm_set_clock(void *self, uint64_t ns)
{
	struct kvm_vm *vm = self;

	vm->clock_ns = ns;
	return MW_STATUS_OK;
}
