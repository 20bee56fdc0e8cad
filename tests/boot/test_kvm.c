/* What is KVM's own, by ROMs on this host's /dev/kvm, whatever its kind. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <cmocka.h>

#include "accel/kvm/kvm_internal.h"
#include "tests/boot/bench.h"

/* Of all that KVM lists, only what counts may differ. */
static bool is_counter(uint32_t index)
{
	enum {
		TSC = 0x10,
		SMI_COUNT = 0x34,
		MPERF = 0xe7,
		APERF = 0xe8,
		HV_VP_RUNTIME = 0x40000010,
		HV_REFERENCE = 0x40000020
	};

	return index == TSC || index == SMI_COUNT || index == MPERF || index == APERF ||
	       index == HV_VP_RUNTIME || index == HV_REFERENCE;
}

static void reset_brings_back_every_msr(void **state)
{
	struct kvm_msr_entry entry = { .index = 0xc0000081 /* STAR */ };
	struct bench bench;
	const struct kvm_vm *vm;

	bench_create(&bench, "port_reset", 1);
	vm = (const struct kvm_vm *)bench.accel;
	assert_true(vm->reset_msr_count > 20);
	assert_int_equal(bench_run(&bench), 1);
	mw_machine_stop(bench.machine);
	assert_int_equal(kvm_msrs_get(vm->cpus[0].fd, &entry, 1), 1);
	assert_int_not_equal(entry.data, 0);
	assert_true(mw_machine_reset(bench.machine, &bench.diagnostics));
	for (size_t i = 0; i < vm->reset_msr_count; i++) {
		entry.index = vm->reset_msrs[i].index;
		assert_int_equal(kvm_msrs_get(vm->cpus[0].fd, &entry, 1), 1);
		if (!is_counter(entry.index) && entry.data != vm->reset_msrs[i].data)
			fail_msg("MSR 0x%x is 0x%llx, not 0x%llx", entry.index,
				 (unsigned long long)entry.data,
				 (unsigned long long)vm->reset_msrs[i].data);
	}
	bench_destroy(&bench);
}

static void reset_brings_back_the_local_apic(void **state)
{
	struct kvm_lapic_state apic;
	struct bench bench;
	const struct kvm_vm *vm;

	bench_create(&bench, "port_reset", 2);
	vm = (const struct kvm_vm *)bench.accel;
	assert_int_equal(bench_run(&bench), 1);
	assert_true(mw_machine_reset(bench.machine, &bench.diagnostics));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ioctl(vm->cpus[i].fd, KVM_GET_LAPIC, &apic), 0);
		assert_memory_equal(&apic, &vm->cpus[i].reset_lapic, sizeof(apic));
	}
	bench_destroy(&bench);
}

static void level_interrupt_through_the_kernels_ioapic(void **state)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	const struct kvm_vm *vm;
	struct bench bench;

	bench_create_kernel_chips(&bench, "level", 1);
	vm = (const struct kvm_vm *)bench.accel;
	assert_int_equal(vm->chips, KVM_CHIPS_KERNEL);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(bench_run(&bench), 1);
		/* kvm_pvm's ioapic sends once more after the line has fallen. */
		assert_in_range(bench_word(&bench, 0x5000), 3, kvm_host_remark() ? 4 : 3);
		mw_machine_stop(bench.machine);
		assert_int_equal(ioctl(vm->fd, KVM_GET_IRQCHIP, &chip), 0);
		assert_int_equal(chip.chip.ioapic.redirtbl[5].fields.vector, 0x40);
		assert_true(mw_machine_reset(bench.machine, &bench.diagnostics));
		assert_int_equal(ioctl(vm->fd, KVM_GET_IRQCHIP, &chip), 0);
		assert_memory_equal(&chip.chip.ioapic, &vm->reset_chips[2].chip.ioapic,
				    sizeof(chip.chip.ioapic));
	}
	bench_destroy(&bench);
}

/* `tsc_khz` left out: the rate is not in the plan, so the guest must not see this host's. */
static void rate_that_is_not_told_is_in_no_leaf(void **state)
{
	struct bench bench;
	struct kvm_cpuid2 *cpuid =
		mw_alloc(1, sizeof(*cpuid) + KVM_MAX_LEAVES * sizeof(cpuid->entries[0]));
	bool seen = false;

	bench_create(&bench, "exit", 1);
	cpuid->nent = KVM_MAX_LEAVES;
	assert_true(ioctl(((struct kvm_vm *)bench.accel)->cpus[0].fd, KVM_GET_CPUID2, cpuid) >= 0);
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *leaf = &cpuid->entries[i];

		if (leaf->function == 0x15 || leaf->function == 0x40000010)
			assert_int_equal(leaf->eax, 0);
		if (leaf->function == 0x40000000)
			assert_int_equal(leaf->eax, 0x40000001);
		seen |= leaf->function == 0x40000000;
	}
	assert_true(seen);
	free(cpuid);
	bench_destroy(&bench);
}

/* What KVM has begun must be over before anyone looks at the CPU or sets it. */
static void stop_within_a_string_instruction_ends_it(void **state)
{
	struct bench bench;

	bench_create(&bench, "string", 1);
	for (unsigned i = 0; i < 100; i++) {
		struct mw_cpu_state cpu;
		size_t before;

		assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
		bench_linger(i);
		mw_machine_stop(bench.machine);
		assert_false(((struct kvm_vm *)bench.accel)->cpus[0].unfinished);
		before = bench.device->count;
		assert_int_equal(kvm_get_cpu(bench.accel, 0, &cpu), MW_STATUS_OK);
		assert_true(mw_machine_reset(bench.machine, &bench.diagnostics));
		assert_int_equal(bench.device->count, before);
	}
	assert_true(bench_word(&bench, 0x5000) > 0);
	bench_destroy(&bench);
}

static uint64_t tsc_of(const struct bench *bench)
{
	struct kvm_msr_entry entry = { .index = 0x10 };
	const struct kvm_vm *vm = (const struct kvm_vm *)bench->accel;

	assert_int_equal(kvm_msrs_get(vm->cpus[0].fd, &entry, 1), 1);
	return entry.data;
}

static bool can_set_tsc_offset(const struct bench *bench)
{
	const struct kvm_vm *vm = (const struct kvm_vm *)bench->accel;
	struct kvm_device_attr attribute = { .group = KVM_VCPU_TSC_CTRL,
					     .attr = KVM_VCPU_TSC_OFFSET };

	return ioctl(vm->cpus[0].fd, KVM_HAS_DEVICE_ATTR, &attribute) == 0;
}

/* The CPU's TSC goes on while it is stopped, as KVM has it; the next start takes that time off. */
static void tsc_and_kvmclock_stand_still_between_stop_and_start(void **state)
{
	static const struct timespec nap = { .tv_nsec = 300000000 };
	struct kvm_clock_data before, after;
	const struct kvm_vm *vm;
	struct bench bench;
	uint64_t tsc;

	bench_create(&bench, "spin", 1);
	vm = (const struct kvm_vm *)bench.accel;
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	bench_wait(&bench, 0x5000, 1);
	mw_machine_stop(bench.machine);
	tsc = tsc_of(&bench);
	assert_int_equal(ioctl(vm->fd, KVM_GET_CLOCK, &before), 0);
	nanosleep(&nap, NULL);
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	mw_machine_stop(bench.machine);
	assert_int_equal(ioctl(vm->fd, KVM_GET_CLOCK, &after), 0);
	assert_true(after.clock - before.clock < 200000000);
	/* kvm_pvm takes an offset, but its guests read the host's TSC. */
	if (can_set_tsc_offset(&bench) && !kvm_host_remark())
		assert_true(tsc_of(&bench) - tsc < 200 * (uint64_t)vm->tsc_khz);
	bench_destroy(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_brings_back_every_msr),
		cmocka_unit_test(reset_brings_back_the_local_apic),
		cmocka_unit_test(level_interrupt_through_the_kernels_ioapic),
		cmocka_unit_test(rate_that_is_not_told_is_in_no_leaf),
		cmocka_unit_test(stop_within_a_string_instruction_ends_it),
		cmocka_unit_test(tsc_and_kvmclock_stand_still_between_stop_and_start),
	};
	const char *obstacle = bench_obstacle();

	if (obstacle) {
		printf("SKIP: %s\n", obstacle);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
