/** The software CPU's time: deadlines are met to the instruction, idle machines wait or jump. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accel/soft/run.h"
#include "accel/soft/schedule.h"
#include "accel/soft/soft.h"
#include "tests/unit/core/toy.h"

enum { CODE = 0x1000 };

/* What the first model has (soft.md), as far as a CPU in real mode is concerned. */
static const struct mw_cpuid_leaf leaves[] = {
	{ 0, 0, false, 1, 0x756e6547, 0x6c65746e, 0x49656e69 },
	{ 1, 0, false, 0x000006f0, 0, 0, 0x078bfbff },
};

struct alarm {
	struct mw_timer *timer;
	unsigned rings;
	uint64_t now_ns[4];       /* when it rang */
	uint64_t instructions[4]; /* that had run then */
	uint64_t next_ns[4];      /* what it is set to then; 0: nothing */
	uint8_t state;
};

static struct toy toy;
static struct alarm *alarm_clock;
static struct mw_accel *accel;
static struct soft_vm *vm;

static void ring(void *self)
{
	struct alarm *alarm = self;

	unsigned number = alarm->rings++ % 4;

	alarm->now_ns[number] = mw_now_ns(self);
	alarm->instructions[number] = vm ? vm->instructions : 0;
	if (alarm->next_ns[number])
		mw_timer_arm(alarm->timer, alarm->next_ns[number]);
}

static const struct mw_timer_row timers[] = {
	{ "timer", "Rings.", MW_FIELD(struct alarm, timer), .on_expire = ring, .since = 1 },
};
static const struct mw_state state_rows[] = {
	{ "state", MW_FIELD(struct alarm, state), .since = 1 },
};
static const struct mw_device_type alarm_type = {
	MW_DEVICE_TYPE,
	.name = "alarm",
	.summary = "one timer",
	.size = sizeof(struct alarm),
	.state_version = 1,
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state_rows),
};

static bool begin_at_code(void *context, struct mw_machine *machine, struct mw_cpu_state *cpu,
			  struct mw_diagnostics *diagnostics)
{
	cpu->segment[MW_CS].selector = 0;
	cpu->segment[MW_CS].base = 0;
	cpu->rip = CODE;
	return true;
}

static unsigned cpu_count = 1;

static void build(bool by_instructions, const void *code, size_t bytes)
{
	uint32_t node = toy_node(&toy, "alarm", &alarm_type);

	toy_ram(&toy, 0, 1 << 20);
	toy.plan.arch = "x86_64";
	toy.plan.cpu = (struct mw_plan_cpu){ .model = "x86-64-v1",
					     .sockets = 1,
					     .cores = 1,
					     .threads = 1,
					     .leaves = leaves,
					     .leaf_count = sizeof(leaves) / sizeof(leaves[0]) };
	toy.plan.accel.instruction_clock = by_instructions;
	toy_build(&toy);
	toy.plan.cpu.count = cpu_count;
	alarm_clock = toy_device(&toy, node);
	mw_machine_add_reset_hook(toy.machine,
				  (struct mw_reset_hook){ "code", begin_at_code, NULL });
	assert_true(mw_accel_soft.create(&accel, toy.machine, &toy.diagnostics));
	/* What mw_accel_soft hands out is its VM. */
	vm = (struct soft_vm *)(void *)accel;
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	memcpy(mw_machine_ram(toy.machine, CODE, bytes), code, bytes);
}

static int tear_down(void **state)
{
	mw_accel_soft.destroy(accel);
	toy_fini(&toy);
	return 0;
}

static const uint8_t endless[] = { 0x41, 0x42, 0x43, 0xeb, 0xfb }; /* 1: inc cx, dx, bx; jmp 1b */
static const uint8_t idle[] = { 0xfa, 0xf4 };                      /* cli; hlt */

static void deadline_is_met_at_its_instruction(void **state)
{
	build(true, endless, sizeof(endless));
	/* 10 ns each: in the middle of a block, an instruction later, between two, some turns later. */
	static const uint64_t when[] = { 1234560, 1234570, 1234585, 9876540 };

	memcpy(alarm_clock->next_ns, when + 1, 3 * sizeof(when[0]));
	mw_timer_arm(alarm_clock->timer, when[0]);
	while (alarm_clock->rings < 4)
		assert_int_equal(soft_schedule(vm), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(alarm_clock->instructions[i], (when[i] + 9) / 10);
		assert_int_equal(alarm_clock->now_ns[i], (when[i] + 9) / 10 * 10);
	}
}

static void idle_machine_jumps_to_its_deadline(void **state)
{
	build(true, idle, sizeof(idle));
	while (!vm->cpus[0]->halted)
		soft_schedule(vm);
	assert_int_equal(soft_schedule(vm), UINT64_MAX);
	mw_timer_arm(alarm_clock->timer, UINT64_C(3600000000000));
	for (unsigned i = 0; i < 3 && !alarm_clock->rings; i++)
		assert_true(soft_schedule(vm) == 0 || alarm_clock->rings);
	assert_int_equal(alarm_clock->rings, 1);
	assert_int_equal(alarm_clock->now_ns[0], UINT64_C(3600000000000));
	assert_int_equal(alarm_clock->instructions[0], 2);
	assert_int_equal(soft_schedule(vm), UINT64_MAX);
}

static void idle_machine_waits_as_long_as_its_deadline_is_away(void **state)
{
	uint64_t wait;

	build(false, idle, sizeof(idle));
	soft_time_resume(vm);
	while (!vm->cpus[0]->halted)
		soft_schedule(vm);
	assert_int_equal(soft_schedule(vm), UINT64_MAX);
	mw_timer_arm(alarm_clock->timer, UINT64_C(3600000000000));
	wait = soft_schedule(vm);
	assert_true(wait > 0 && wait < UINT64_C(3600000000000));
}

/* With its own thread: it sleeps for ever when the main thread arms. */
static void sleeping_machine_hears_of_a_new_deadline(void **state)
{
	build(false, idle, sizeof(idle));
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	for (unsigned i = 1; i <= 20; i++) {
		mw_timer_arm(alarm_clock->timer, mw_now_ns(alarm_clock) + 1000000);
		while (alarm_clock->rings < i)
			mw_machine_serve(toy.machine, UINT64_MAX);
	}
	mw_machine_stop(toy.machine);
}

static void machine_has_its_own_clock_again_without_the_cpu(void **state)
{
	build(true, endless, sizeof(endless));
	soft_schedule(vm);
	assert_true(vm->now_ns > 0);
	mw_accel_soft.destroy(accel);
	accel = NULL;
	vm = NULL;
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	mw_timer_arm(alarm_clock->timer, UINT64_C(5000000000));
	toy_step(&toy, UINT64_C(5000000000));
	assert_int_equal(alarm_clock->rings, 1);
}

/* What one CPU has let go it must not take back before another had its turn: a lock that is released around
 * PAUSE would never pass on. */
static void a_pause_ends_the_turn_before_the_next_instruction(void **state)
{
	static const uint8_t pauses[] = { 0x41, 0xf3, 0x90, 0x42, 0x43, 0xeb, 0xf9 };

	cpu_count = 2;
	build(true, pauses, sizeof(pauses));
	cpu_count = 1;
	vm->cpus[0]->gpr[MW_RDX] = 0;
	for (unsigned turn = 1; turn <= 3; turn++) {
		soft_run_cpu(vm->cpus[0], 1000);
		assert_int_equal(vm->cpus[0]->rip, CODE + 3);
		assert_int_equal(vm->cpus[0]->gpr[MW_RCX] & 0xffff, turn);
		assert_int_equal(vm->cpus[0]->gpr[MW_RDX] & 0xffff, turn - 1);
	}
}

int main(void)
{
#define SCHEDULE_TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		SCHEDULE_TEST(deadline_is_met_at_its_instruction),
		SCHEDULE_TEST(idle_machine_jumps_to_its_deadline),
		SCHEDULE_TEST(idle_machine_waits_as_long_as_its_deadline_is_away),
		SCHEDULE_TEST(sleeping_machine_hears_of_a_new_deadline),
		SCHEDULE_TEST(machine_has_its_own_clock_again_without_the_cpu),
		SCHEDULE_TEST(a_pause_ends_the_turn_before_the_next_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
