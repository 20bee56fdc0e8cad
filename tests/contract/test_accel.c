/* What every accelerator owes the machine, on whichever of them works here. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/machine_internal.h"
#include "tests/boot/bench.h"

static const struct mw_executor *executor_of(const struct bench *bench)
{
	return &bench->machine->executor;
}

static void get_cpu(const struct bench *bench, unsigned index, struct mw_cpu_state *state)
{
	const struct mw_executor *executor = executor_of(bench);

	assert_int_equal(executor->ops->get_cpu(executor->self, index, state), MW_STATUS_OK);
	state->tsc = 0; /* it runs */
}

/* Bits that hypervisors differ in and no guest sees: the accessed bit of a segment's type is kept,
 * but the limit of the unused LDTR and the MXCSR mask of an FXSAVE image are not. */
static void forget_invisible(struct mw_cpu_state *state)
{
	memset(state->fxsave + 28, 0, 4);
	memset(state->fxsave + 160, 0, sizeof(state->fxsave) - 160);
}

static void assert_same_state(struct mw_cpu_state one, struct mw_cpu_state other)
{
	forget_invisible(&one);
	forget_invisible(&other);
	assert_memory_equal(one.gpr, other.gpr, sizeof(one.gpr));
	assert_int_equal(one.rip, other.rip);
	assert_int_equal(one.rflags, other.rflags);
	for (unsigned i = 0; i < MW_SEGMENT_COUNT; i++) {
		assert_int_equal(one.segment[i].selector, other.segment[i].selector);
		assert_int_equal(one.segment[i].attributes, other.segment[i].attributes);
		assert_int_equal(one.segment[i].limit, other.segment[i].limit);
		assert_int_equal(one.segment[i].base, other.segment[i].base);
	}
	assert_int_equal(one.gdt.base, other.gdt.base);
	assert_int_equal(one.idt.limit, other.idt.limit);
	assert_int_equal(one.cr0, other.cr0);
	assert_int_equal(one.cr2, other.cr2);
	assert_int_equal(one.cr3, other.cr3);
	assert_int_equal(one.cr4, other.cr4);
	assert_int_equal(one.cr8, other.cr8);
	assert_int_equal(one.efer, other.efer);
	assert_int_equal(one.apic_base, other.apic_base);
	assert_int_equal(one.xcr0, other.xcr0);
	assert_memory_equal(one.dr, other.dr, sizeof(one.dr));
	assert_int_equal(one.dr6, other.dr6);
	assert_int_equal(one.dr7, other.dr7);
	assert_int_equal(one.star, other.star);
	assert_int_equal(one.lstar, other.lstar);
	assert_int_equal(one.sfmask, other.sfmask);
	assert_int_equal(one.kernel_gs_base, other.kernel_gs_base);
	assert_int_equal(one.sysenter_eip, other.sysenter_eip);
	assert_int_equal(one.pat, other.pat);
	assert_int_equal(one.tsc_deadline, other.tsc_deadline);
	assert_int_equal(one.mtrr_def_type, other.mtrr_def_type);
	assert_memory_equal(one.fxsave, other.fxsave, sizeof(one.fxsave));
	assert_int_equal(one.run, other.run);
	assert_int_equal(one.nmi_masked, other.nmi_masked);
	assert_int_equal(one.nmi_pending, other.nmi_pending);
	assert_int_equal(one.interrupt_shadow, other.interrupt_shadow);
}

static void ops_tables_are_complete(void **state)
{
	for (const struct mw_accel_ops *const *accel = mw_accels; *accel; accel++) {
		const struct mw_accel_ops *ops = *accel;

		assert_true(ops->name && *ops->name);
		assert_true(ops->summary && *ops->summary);
		assert_non_null(ops->probe);
		assert_non_null(ops->create);
		assert_non_null(ops->destroy);
		assert_non_null(ops->describe);
		assert_ptr_equal(mw_accel_find(ops->name), ops);
	}
	assert_null(mw_accel_find("no such accelerator"));
}

static void probe_gives_a_reason_unless_it_is_good(void **state)
{
	for (const struct mw_accel_ops *const *accel = mw_accels; *accel; accel++) {
		struct mw_accel_probe probe, look;

		(*accel)->probe(&probe);
		assert_int_equal(probe.verdict == MW_ACCEL_GOOD, !probe.reason[0]);
		if (probe.verdict == MW_ACCEL_ABSENT)
			continue;
		assert_true(probe.caps.max_vcpus > 0);
		assert_true(probe.caps.memslots > 0);
		assert_in_range(probe.caps.gpa_bits, 32, 63);
		if (!(*accel)->look)
			continue;
		(*accel)->look(&look);
		assert_memory_equal(&probe.caps, &look.caps, sizeof(look.caps));
	}
}

static void description_tells_the_number_of_cpus(void **state)
{
	struct bench bench;
	char text[200] = "";

	bench_create(&bench, "exit", 3);
	bench_accel()->describe(bench.accel, text, sizeof(text));
	assert_non_null(strstr(text, bench_accel()->name));
	assert_non_null(strstr(text, "3 CPUs"));
	bench_destroy(&bench);
}

static void reset_gives_every_cpu_the_reset_state(void **state)
{
	struct bench bench;

	bench_create(&bench, "exit", 2);
	for (unsigned i = 0; i < 2; i++) {
		struct mw_cpu_state wanted, found;

		mw_cpu_state_reset(&wanted, i == 0);
		get_cpu(&bench, i, &found);
		assert_same_state(found, wanted);
	}
	bench_destroy(&bench);
}

static void reset_after_a_run_equals_the_first(void **state)
{
	static const char *const roms[] = { "port_reset", "triple", "smp" };

	for (size_t i = 0; i < sizeof(roms) / sizeof(roms[0]); i++) {
		struct mw_cpu_state before[2], after[2];
		struct bench bench;

		bench_create(&bench, roms[i], 2);
		bench.device->answer = 2;
		get_cpu(&bench, 0, &before[0]);
		get_cpu(&bench, 1, &before[1]);
		assert_int_equal(bench_run(&bench), 1);
		assert_true(mw_machine_reset(bench.machine, &bench.diagnostics));
		get_cpu(&bench, 0, &after[0]);
		get_cpu(&bench, 1, &after[1]);
		assert_same_state(after[0], before[0]);
		assert_same_state(after[1], before[1]);
		bench_destroy(&bench);
	}
}

/* A 64-bit CPU in the middle of something: every field that a save must carry differs from reset. */
static struct mw_cpu_state busy_state(void)
{
	struct mw_cpu_state state;

	mw_cpu_state_reset(&state, true);
	for (unsigned i = 0; i < MW_GPR_COUNT; i++)
		state.gpr[i] = 0x0123456789abcdef + i;
	state.rip = 0x5000;
	state.rflags = 0x246;
	state.cr0 = 0x80050033;
	state.cr2 = 0xdead000;
	state.cr3 = 0x1000;
	state.cr4 = 0x620;
	state.cr8 = 3;
	state.efer = 0xd01;
	state.segment[MW_CS] = (struct mw_segment){ 0x10, 0xa09b, 0xffffffff, 0 };
	state.segment[MW_SS] = (struct mw_segment){ 0x18, 0xc093, 0xffffffff, 0 };
	state.segment[MW_FS].base = 0x12345000;
	state.gdt = (struct mw_table_register){ 0x2000, 0x7f };
	state.idt = (struct mw_table_register){ 0x3000, 0xfff };
	state.dr[0] = 0x1234;
	state.dr6 = 0xffff0ff1;
	state.dr7 = 0x402;
	state.star = 0x0023001000000000;
	state.lstar = 0xffffffff81000000;
	state.sfmask = 0x47700;
	state.kernel_gs_base = 0xffff888000000000;
	state.sysenter_eip = 0x81000100; /* an AMD CPU has 32 bits of it */
	state.mtrr_def_type = 0x806;
	state.fxsave[0] = 0x7f;
	state.fxsave[1] = 0x03;
	state.fxsave[160 - 1] = 0;
	return state;
}

static void state_that_is_set_is_read_back(void **state)
{
	const struct mw_cpu_state wanted = busy_state();
	struct mw_cpu_state found;
	struct bench bench;

	bench_create(&bench, "exit", 1);
	assert_int_equal(executor_of(&bench)->ops->set_cpu(executor_of(&bench)->self, 0, &wanted),
			 MW_STATUS_OK);
	get_cpu(&bench, 0, &found);
	assert_same_state(found, wanted);
	bench_destroy(&bench);
}

static void state_saved_twice_is_the_same(void **state)
{
	struct mw_cpu_state first, second;
	struct bench bench;

	bench_create(&bench, "spin", 1);
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	bench_wait(&bench, 0x5000, 1);
	mw_machine_stop(bench.machine);
	get_cpu(&bench, 0, &first);
	assert_int_equal(executor_of(&bench)->ops->set_cpu(executor_of(&bench)->self, 0, &first),
			 MW_STATUS_OK);
	get_cpu(&bench, 0, &second);
	assert_same_state(second, first);
	/* And the guest goes on from there. */
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	bench_wait(&bench, 0x5000, bench_word(&bench, 0x5000) + 1);
	mw_machine_stop(bench.machine);
	bench_destroy(&bench);
}

static void cpu_that_is_not_there_is_refused(void **state)
{
	const struct mw_executor *executor;
	struct mw_cpu_state cpu;
	struct bench bench;

	bench_create(&bench, "exit", 1);
	executor = executor_of(&bench);
	mw_cpu_state_reset(&cpu, true);
	assert_int_equal(executor->ops->get_cpu(executor->self, 1, &cpu), MW_STATUS_INVALID);
	assert_int_equal(executor->ops->set_cpu(executor->self, 1, &cpu), MW_STATUS_INVALID);
	bench_destroy(&bench);
}

static void memory_can_be_remapped_between_runs(void **state)
{
	const struct mw_executor *executor;
	struct bench bench;

	bench_create(&bench, "spin", 1);
	executor = executor_of(&bench);
	assert_int_equal(executor->ops->unmap(executor->self, 0x80000, 0x10000), MW_STATUS_OK);
	assert_int_equal(
		executor->ops->map(executor->self, 0x80000, 0x10000, bench.ram + 0x80000, false),
		MW_STATUS_OK);
	assert_int_equal(executor->ops->map(executor->self, 0x80001, 0x1000, bench.ram, false),
			 MW_STATUS_INVALID);
	assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
	bench_wait(&bench, 0x5000, 1);
	mw_machine_stop(bench.machine);
	bench_destroy(&bench);
}

/* The ROM's rounds: at once, after STI, asleep, after LINT0 was masked. */
static void intr_is_acknowledged_when_the_cpu_takes_it(void **state)
{
	for (unsigned cpus = 1; cpus <= 2; cpus++) {
		struct bench bench;

		bench_create(&bench, "intr", cpus);
		assert_int_equal(bench_run(&bench), 1);
		assert_int_equal(bench_word(&bench, 0x5000), 200);
		assert_int_equal(bench.device->acknowledged, 200);
		assert_int_equal(bench.device->spurious, 0);
		bench_destroy(&bench);
	}
}

/* However often it is stopped, saved and loaded, none is lost and none comes twice. */
static void intr_survives_stops(void **state)
{
	const struct mw_executor *executor;
	struct mw_cpu_state cpu;
	struct bench bench;

	bench_create(&bench, "intr", 1);
	for (unsigned i = 0; i < 100 && bench_word(&bench, 0x5000) < 190; i++) {
		size_t taken;

		assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
		bench_linger(i);
		mw_machine_stop(bench.machine);
		taken = bench.device->acknowledged;
		/* The last one may be on its way into the CPU. */
		assert_in_range(bench_word(&bench, 0x5000), taken ? taken - 1 : 0, taken);
		executor = executor_of(&bench);
		assert_int_equal(executor->ops->get_cpu(executor->self, 0, &cpu), MW_STATUS_OK);
		assert_int_equal(executor->ops->set_cpu(executor->self, 0, &cpu), MW_STATUS_OK);
	}
	assert_int_equal(bench_run(&bench), 1);
	assert_int_equal(bench_word(&bench, 0x5000), 200);
	assert_int_equal(bench.device->acknowledged, 200);
	bench_destroy(&bench);
}

struct saved {
	struct mw_cpu_state cpu[2];
	uint64_t clock_ns;
};

static void save(const struct bench *bench, struct saved *saved)
{
	const struct mw_executor *executor = executor_of(bench);

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(executor->ops->get_cpu(executor->self, i, &saved->cpu[i]),
				 MW_STATUS_OK);
	if (executor->ops->get_clock)
		assert_int_equal(executor->ops->get_clock(executor->self, &saved->clock_ns),
				 MW_STATUS_OK);
}

static void load(const struct bench *bench, const struct saved *saved)
{
	const struct mw_executor *executor = executor_of(bench);

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(executor->ops->set_cpu(executor->self, i, &saved->cpu[i]),
				 MW_STATUS_OK);
	if (executor->ops->set_clock)
		assert_int_equal(executor->ops->set_clock(executor->self, saved->clock_ns),
				 MW_STATUS_OK);
}

static void run_on(struct bench *bench)
{
	uint32_t ticks = bench_word(bench, 0x5000), count = bench_word(bench, 0x5004);

	assert_int_equal(mw_machine_start(bench->machine), MW_STATUS_OK);
	bench_wait(bench, 0x5000, ticks + 3);
	bench_wait(bench, 0x5004, count + 3);
	mw_machine_stop(bench->machine);
}

/* One CPU sleeps between ticks of its local APIC, the other was started by it and counts. */
static void all_cpus_go_on_after_save_reset_and_load(void **state)
{
	struct saved *saved = mw_alloc(2, sizeof(*saved));
	struct bench bench;

	bench_create(&bench, "ticks", 2);
	for (unsigned i = 0; i < 10; i++) {
		run_on(&bench);
		save(&bench, &saved[0]);
		assert_true(mw_machine_reset(bench.machine, &bench.diagnostics));
		load(&bench, &saved[0]);
		save(&bench, &saved[1]);
		for (unsigned cpu = 0; cpu < 2; cpu++) {
			assert_true(saved[0].cpu[cpu].lapic.valid);
			assert_same_state(saved[1].cpu[cpu], saved[0].cpu[cpu]);
		}
	}
	run_on(&bench);
	bench_destroy(&bench);
	free(saved);
}

int main(void)
{
	const struct CMUnitTest anywhere[] = {
		cmocka_unit_test(ops_tables_are_complete),
		cmocka_unit_test(probe_gives_a_reason_unless_it_is_good),
	};
	const struct CMUnitTest machines[] = {
		cmocka_unit_test(description_tells_the_number_of_cpus),
		cmocka_unit_test(reset_gives_every_cpu_the_reset_state),
		cmocka_unit_test(reset_after_a_run_equals_the_first),
		cmocka_unit_test(state_that_is_set_is_read_back),
		cmocka_unit_test(state_saved_twice_is_the_same),
		cmocka_unit_test(cpu_that_is_not_there_is_refused),
		cmocka_unit_test(memory_can_be_remapped_between_runs),
		cmocka_unit_test(intr_is_acknowledged_when_the_cpu_takes_it),
		cmocka_unit_test(intr_survives_stops),
		cmocka_unit_test(all_cpus_go_on_after_save_reset_and_load),
	};
	const char *obstacle = bench_obstacle();
	int failed = cmocka_run_group_tests(anywhere, NULL, NULL);

	if (!failed && obstacle) {
		printf("SKIP: machines are not built: %s\n", obstacle);
		return 77;
	}
	return failed ? failed : cmocka_run_group_tests(machines, NULL, NULL);
}
