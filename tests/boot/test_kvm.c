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

/* Nothing but the writes themselves would take the CPU out of the guest: who looks is shown all of them. */
static void writes_that_are_collected_come_whole_and_in_order(void **state)
{
	struct bench bench;

	bench_create(&bench, "collect", 1);
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	bench_wait(&bench, 0x5000, 1);
	mw_machine_stop(bench.machine);
	assert_int_equal(bench.device->count, 600);
	for (size_t i = 0; i < BENCH_ACCESSES; i++)
		assert_int_equal(bench.device->accesses[i].value, i + 1);
	bench_destroy(&bench);
}

static const struct kvm_vm *vm_of(const struct bench *bench)
{
	return (const struct kvm_vm *)bench->accel;
}

static bool can_set_tsc_offset(const struct bench *bench)
{
	const struct kvm_vm *vm = (const struct kvm_vm *)bench->accel;
	struct kvm_device_attr attribute = { .group = KVM_VCPU_TSC_CTRL,
					     .attr = KVM_VCPU_TSC_OFFSET };

	return ioctl(vm->cpus[0].fd, KVM_HAS_DEVICE_ATTR, &attribute) == 0;
}

/* KVM's own go on while the CPU is stopped; the next start takes that time off. */
static void tsc_and_kvmclock_stand_still_between_stop_and_start(void **state)
{
	static const struct timespec nap = { .tv_nsec = 300000000 };
	const struct kvm_vm *vm;
	struct bench bench;
	uint64_t tsc, clock;

	bench_create(&bench, "spin", 1);
	vm = (const struct kvm_vm *)bench.accel;
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	bench_wait(&bench, 0x5000, 1);
	mw_machine_stop(bench.machine);
	tsc = vm->cpus[0].tsc;
	clock = vm->clock_ns;
	nanosleep(&nap, NULL);
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	mw_machine_stop(bench.machine);
	assert_true(vm->clock_ns - clock < 200000000);
	/* kvm_pvm takes an offset, but its guests read the host's TSC. */
	if (can_set_tsc_offset(&bench) && !kvm_host_remark())
		assert_true(vm->cpus[0].tsc - tsc < 200 * (uint64_t)vm->tsc_khz);
	bench_destroy(&bench);
}

/* A TSC and kvmclock that are loaded are what the guest goes on with, on all CPUs alike. */
static void time_that_is_loaded_goes_on(void **state)
{
	const uint64_t cycles = 1ull << 50, ns = 1ull << 40;
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));
	struct bench bench;
	uint64_t tsc[2], clock;

	bench_create(&bench, "ticks", 2);
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	bench_wait(&bench, 0x5000, 1);
	mw_machine_stop(bench.machine);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(kvm_get_cpu(bench.accel, i, cpu), MW_STATUS_OK);
		cpu->tsc = cycles;
		assert_int_equal(kvm_set_cpu(bench.accel, i, cpu), MW_STATUS_OK);
	}
	assert_int_equal(kvm_set_clock(bench.accel, ns), MW_STATUS_OK);
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	bench_wait(&bench, 0x5000, bench_word(&bench, 0x5000) + 1);
	mw_machine_stop(bench.machine);
	assert_int_equal(kvm_get_clock(bench.accel, &clock), MW_STATUS_OK);
	assert_true(clock - ns < 1000000000);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(kvm_get_cpu(bench.accel, i, cpu), MW_STATUS_OK);
		tsc[i] = cpu->tsc;
	}
	/* kvm_pvm takes an offset, but its guests read the host's TSC. */
	if (can_set_tsc_offset(&bench) && !kvm_host_remark()) {
		assert_true(tsc[0] - cycles < 1000ull * vm_of(&bench)->tsc_khz);
		assert_int_equal(tsc[1], tsc[0]);
	}
	free(cpu);
	bench_destroy(&bench);
}

/* Whatever MSR KVM lists is saved, once it is not as after reset. */
static void msr_without_a_name_is_saved_and_loaded(void **state)
{
	struct kvm_msr_entry adjust = { .index = 0x3b /* IA32_TSC_ADJUST */, .data = 0x1234 };
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));
	const struct kvm_vm *vm;
	struct bench bench;

	bench_create(&bench, "exit", 1);
	vm = vm_of(&bench);
	if (kvm_msrs_set(vm->cpus[0].fd, &adjust, 1) == 1) {
		assert_int_equal(kvm_get_cpu(bench.accel, 0, cpu), MW_STATUS_OK);
		assert_int_equal(cpu->extra.other_count, 1);
		assert_int_equal(cpu->extra.other[0].index, 0x3b);
		adjust.data = 0;
		assert_int_equal(kvm_msrs_set(vm->cpus[0].fd, &adjust, 1), 1);
		assert_int_equal(kvm_set_cpu(bench.accel, 0, cpu), MW_STATUS_OK);
		assert_int_equal(kvm_msrs_get(vm->cpus[0].fd, &adjust, 1), 1);
		assert_int_equal(adjust.data, 0x1234);
		/* And none that KVM does not list. */
		cpu->extra.other[0].index = 0x12345678;
		assert_int_equal(kvm_set_cpu(bench.accel, 0, cpu), MW_STATUS_INVALID);
		cpu->extra.other_count = MW_OTHER_MSRS + 1;
		assert_int_equal(kvm_set_cpu(bench.accel, 0, cpu), MW_STATUS_INVALID);
	}
	free(cpu);
	bench_destroy(&bench);
}

/* SDM vol. 1, 13.4: XSTATE_BV says that the upper halves of YMM, at byte 576, are in use. */
static void upper_halves_of_ymm_are_saved_and_loaded(void **state)
{
	enum { HEADER = 512, YMM_HIGH = 576, YMM_BYTES = 256, AVX = 1 << 2 };
	struct mw_cpu_state *cpu = mw_alloc(2, sizeof(*cpu));
	struct bench bench;

	bench_create(&bench, "exit", 1);
	assert_int_equal(kvm_get_cpu(bench.accel, 0, &cpu[0]), MW_STATUS_OK);
	cpu[0].xcr0 = 7;
	cpu[0].xstate[0] = AVX;
	for (unsigned i = 0; i < YMM_BYTES; i++)
		cpu[0].xstate[YMM_HIGH - HEADER + i] = (uint8_t)(i * 7 + 1);
	if (kvm_set_cpu(bench.accel, 0, &cpu[0]) == MW_STATUS_OK) {
		assert_int_equal(kvm_get_cpu(bench.accel, 0, &cpu[1]), MW_STATUS_OK);
		assert_int_equal(cpu[1].xcr0, 7);
		assert_memory_equal(cpu[1].xstate, cpu[0].xstate, YMM_HIGH - HEADER + YMM_BYTES);
	} else {
		print_message("this KVM has no AVX\n");
	}
	free(cpu);
	bench_destroy(&bench);
}

/* The 8259 pair and the ioapic, between the kernel and their nodes' rows. */
static void kernel_chips_are_saved_and_loaded(void **state)
{
	struct kvm_irqchip before[3], after;
	const struct kvm_vm *vm;
	struct bench bench;

	bench_create_kernel_chips(&bench, "level", 1);
	vm = vm_of(&bench);
	assert_int_equal(bench_run(&bench), 1);
	mw_machine_stop(bench.machine);
	for (uint32_t i = 0; i < 3; i++) {
		before[i].chip_id = i;
		assert_int_equal(ioctl(vm->fd, KVM_GET_IRQCHIP, &before[i]), 0);
		if (i == KVM_IRQCHIP_IOAPIC)
			continue;
		before[i].chip.pic.imr = (uint8_t)(0xa5 + i);
		before[i].chip.pic.irq_base = (uint8_t)(0x20 + 8 * i);
		before[i].chip.pic.elcr = 0x08;
		assert_int_equal(ioctl(vm->fd, KVM_SET_IRQCHIP, &before[i]), 0);
	}
	for (uint32_t node = 0; node < bench.plan.node_count; node++)
		if (kvm_runs_node(bench.accel, node))
			assert_int_equal(kvm_get_node(bench.accel, node), MW_STATUS_OK);
	assert_int_equal(kvm_reset(bench.accel), MW_STATUS_OK);
	for (uint32_t node = 0; node < bench.plan.node_count; node++)
		if (kvm_runs_node(bench.accel, node))
			assert_int_equal(kvm_set_node(bench.accel, node), MW_STATUS_OK);
	for (uint32_t i = 0; i < 3; i++) {
		after.chip_id = i;
		assert_int_equal(ioctl(vm->fd, KVM_GET_IRQCHIP, &after), 0);
		if (i == KVM_IRQCHIP_IOAPIC)
			assert_memory_equal(after.chip.ioapic.redirtbl,
					    before[i].chip.ioapic.redirtbl,
					    sizeof(after.chip.ioapic.redirtbl));
		else
			assert_memory_equal(&after.chip.pic, &before[i].chip.pic,
					    sizeof(after.chip.pic));
	}
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
		cmocka_unit_test(writes_that_are_collected_come_whole_and_in_order),
		cmocka_unit_test(tsc_and_kvmclock_stand_still_between_stop_and_start),
		cmocka_unit_test(time_that_is_loaded_goes_on),
		cmocka_unit_test(msr_without_a_name_is_saved_and_loaded),
		cmocka_unit_test(upper_halves_of_ymm_are_saved_and_loaded),
		cmocka_unit_test(kernel_chips_are_saved_and_loaded),
	};
	const char *obstacle = bench_obstacle();

	if (obstacle) {
		printf("SKIP: %s\n", obstacle);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
