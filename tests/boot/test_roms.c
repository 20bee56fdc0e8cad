/* ROMs on an accelerator, whichever it is: BENCH_ACCEL. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/boot/bench.h"

static void rom_below_4g_runs_and_ends_the_machine(void **state)
{
	struct bench bench;

	bench_create(&bench, "exit", 1);
	assert_int_equal(bench_run(&bench), 21);
	bench_destroy(&bench);
}

static void assert_access(const struct bench *bench, size_t index, struct bench_access wanted)
{
	const struct bench_access *seen = &bench->device->accesses[index];

	if (seen->mmio != wanted.mmio || seen->write != wanted.write ||
	    seen->offset != wanted.offset || seen->size != wanted.size ||
	    seen->value != wanted.value)
		fail_msg("access %zu: %s %s at 0x%llx of %u bytes, 0x%llx", index,
			 seen->mmio ? "mmio" : "port", seen->write ? "write" : "read",
			 (unsigned long long)seen->offset, seen->size,
			 (unsigned long long)seen->value);
}

static const struct bench_access expected[] = {
	{ false, true, 0, 0x11, 1 },
	{ false, true, 0, 0x2211, 2 },
	{ false, true, 0, 0x44332211, 4 },
	{ false, false, 0, 0xa0, 1 },
	{ false, false, 0, 0xa1a0, 2 },
	{ false, false, 0, 0xa3a2a1a0, 4 },
	/* rep outsb of what was just read; byte 1 of it was never written. */
	{ false, true, 4, 0xa0, 1 },
	{ false, true, 4, 0x00, 1 },
	{ false, true, 4, 0xa0, 1 },
	{ false, true, 4, 0xa1, 1 },
	{ false, true, 4, 0xa0, 1 },
	{ false, true, 4, 0xa1, 1 },
	{ false, true, 4, 0xa2, 1 },
	{ false, false, 4, 0xa5a4, 2 },
	{ false, false, 4, 0xa5a4, 2 },
	{ false, false, 4, 0xa5a4, 2 },
	{ false, false, 4, 0xa5a4, 2 },
	{ false, false, 4, 0xa5a4, 2 },
	{ true, true, 0, 0x55, 1 },
	{ true, true, 2, 0x6655, 2 },
	{ true, true, 4, 0x88776655, 4 },
	{ true, false, 8, 0xa8, 1 },
	{ true, false, 10, 0xabaa, 2 },
	{ true, false, 12, 0xafaeadac, 4 },
};
enum { EXPECTED = sizeof(expected) / sizeof(expected[0]) };

static void accesses_keep_size_order_and_value(void **state)
{
	struct bench bench;

	bench_create(&bench, "access", 1);
	assert_int_equal(bench_run(&bench), 1);
	assert_int_equal(bench.device->count, EXPECTED);
	for (size_t i = 0; i < EXPECTED; i++)
		assert_access(&bench, i, expected[i]);
	bench_destroy(&bench);
}

static void values_read_reach_the_guest(void **state)
{
	struct bench bench;

	bench_create(&bench, "access", 1);
	assert_int_equal(bench_run(&bench), 1);
	assert_int_equal(bench_word(&bench, 0x5000), 0xa1a000a0);
	assert_int_equal(bench_word(&bench, 0x5004), 0xa3a2a1a0);
	assert_int_equal(bench_word(&bench, 0x5010), 0xa5a4a5a4);
	assert_int_equal(bench_word(&bench, 0x5014), 0xa5a4a5a4);
	assert_int_equal(bench_word(&bench, 0x5018), 0x0000a5a4);
	assert_int_equal(bench_word(&bench, 0x5020), 0xabaa00a8);
	assert_int_equal(bench_word(&bench, 0x5024), 0xafaeadac);
	bench_destroy(&bench);
}

static void write_to_rom_is_dropped(void **state)
{
	struct bench bench;

	bench_create(&bench, "romwrite", 1);
	assert_int_equal(bench_run(&bench), 1);
	bench_destroy(&bench);
}

static void triple_fault_resets(void **state)
{
	struct bench bench;

	bench_create(&bench, "triple", 1);
	assert_int_equal(bench_run(&bench), 1);
	assert_int_equal(bench_word(&bench, 0x5000), 3);
	assert_int_equal(mw_machine_resets(bench.machine), 2);
	bench_destroy(&bench);
}

static void twenty_resets_by_port(void **state)
{
	struct bench bench;

	bench_create(&bench, "port_reset", 1);
	assert_int_equal(bench_run(&bench), 1);
	assert_int_equal(mw_machine_resets(bench.machine), 20);
	bench_destroy(&bench);
}

/* The line stays high over two interrupts: each end must reach the ioapic, which sends again. */
static void level_interrupt_comes_again_until_its_line_falls(void **state)
{
	struct bench bench;

	bench_create(&bench, "level", 1);
	assert_int_equal(bench_run(&bench), 1);
	assert_int_equal(bench_word(&bench, 0x5000), 3);
	bench_destroy(&bench);
}

static void run_smp(unsigned cpus)
{
	struct bench bench;

	bench_create(&bench, "smp", cpus);
	bench.device->answer = cpus;
	assert_int_equal(bench_run(&bench), 1);
	assert_int_equal(bench_word(&bench, 0x5000), cpus);
	assert_int_equal(bench_word(&bench, 0x5004), (1u << cpus) - 1);
	bench_destroy(&bench);
}

static void two_cpus_start_by_init_and_sipi(void **state)
{
	run_smp(2);
}

static void four_cpus_start_by_init_and_sipi(void **state)
{
	run_smp(4);
}

static void cpus_start_again_after_a_reset(void **state)
{
	struct bench bench;

	bench_create(&bench, "smp", 4);
	for (unsigned i = 0; i < 5; i++) {
		bench.device->answer = 4;
		assert_int_equal(bench_run(&bench), 1);
		mw_machine_stop(bench.machine);
		assert_int_equal(bench_word(&bench, 0x5000), 4);
		assert_true(mw_machine_reset(bench.machine, &bench.diagnostics));
	}
	bench_destroy(&bench);
}

/* A lost wake-up shows as a stop that never returns. */
static void stop_and_start(const char *rom, unsigned cpus, unsigned times)
{
	struct bench bench;

	bench_create(&bench, rom, cpus);
	for (unsigned i = 0; i < times; i++) {
		assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
		bench_linger(i);
		mw_machine_stop(bench.machine);
	}
	assert_true(bench_word(&bench, 0x5000) > 0);
	bench_destroy(&bench);
}

static void halted_cpu_stops_a_thousand_times(void **state)
{
	stop_and_start("halt", 1, 1000);
}

static void busy_cpu_stops_a_thousand_times(void **state)
{
	stop_and_start("spin", 1, 1000);
}

static void waiting_cpus_stop_a_thousand_times(void **state)
{
	stop_and_start("spin", 4, 1000);
}

static void stopped_cpu_does_nothing(void **state)
{
	static const struct timespec nap = { .tv_nsec = 2000000 };
	struct bench bench;
	uint32_t before;

	bench_create(&bench, "spin", 1);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(mw_machine_start(bench.machine), MW_STATUS_OK);
		bench_wait(&bench, 0x5000, bench_word(&bench, 0x5000) + 1);
		mw_machine_stop(bench.machine);
		before = bench_word(&bench, 0x5000);
		nanosleep(&nap, NULL);
		assert_int_equal(bench_word(&bench, 0x5000), before);
	}
	bench_destroy(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rom_below_4g_runs_and_ends_the_machine),
		cmocka_unit_test(accesses_keep_size_order_and_value),
		cmocka_unit_test(values_read_reach_the_guest),
		cmocka_unit_test(write_to_rom_is_dropped),
		cmocka_unit_test(triple_fault_resets),
		cmocka_unit_test(twenty_resets_by_port),
		cmocka_unit_test(level_interrupt_comes_again_until_its_line_falls),
		cmocka_unit_test(two_cpus_start_by_init_and_sipi),
		cmocka_unit_test(four_cpus_start_by_init_and_sipi),
		cmocka_unit_test(cpus_start_again_after_a_reset),
		cmocka_unit_test(halted_cpu_stops_a_thousand_times),
		cmocka_unit_test(busy_cpu_stops_a_thousand_times),
		cmocka_unit_test(waiting_cpus_stop_a_thousand_times),
		cmocka_unit_test(stopped_cpu_does_nothing),
	};
	const char *obstacle = bench_obstacle();

	if (obstacle) {
		printf("SKIP: %s\n", obstacle);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
