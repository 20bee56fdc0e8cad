/* From outside: the INTR pin and its acknowledge, input events, jobs on the main thread, single rows. */
// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"

/* Port writes set the level of INTR; an acknowledge takes it down. */
struct part {
	uint8_t irr[2], mask;
};
struct controller {
	struct mw_intr *intr;
	struct part part[2];
	uint16_t keys;
	bool full;
};

static enum mw_io set_level(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	mw_intr_set(((struct controller *)self)->intr, value & 1);
	return MW_IO_OK;
}

static int acknowledge(void *self)
{
	struct controller *controller = self;

	mw_intr_set(controller->intr, false);
	return 0x31;
}

static bool on_input(void *self, const struct mw_input_event *event)
{
	struct controller *controller = self;

	if (!controller->full)
		controller->keys = event->code;
	return !controller->full;
}

static const struct mw_region regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = set_level },
};
static const struct mw_wire wires[] = {
	{ "intr", "The pin.", MW_FIELD(struct controller, intr), .on_acknowledge = acknowledge },
	{ "keyboard", "Keys.", .kind = MW_INPUT, .direction = MW_RECEIVES,
	  .takes = 1u << MW_INPUT_KEY, .on_input = on_input },
};
static const struct mw_state part_rows[] = {
	{ "irr", MW_ARRAY(struct part, irr), .since = 1 },
	{ "mask", MW_FIELD(struct part, mask), .reset = 0xff, .since = 1 },
};
static const struct mw_state state[] = {
	{ "part", MW_STRUCTS(struct controller, part, part_rows), .since = 1 },
	{ "keys", MW_FIELD(struct controller, keys), .since = 1 },
};
static const struct mw_device_type controller_type = {
	MW_DEVICE_TYPE,
	.name = "controller",
	.summary = "drives INTR",
	.size = sizeof(struct controller),
	.state_version = 1,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
};

static struct toy toy;
static bool intr_level;
static unsigned intr_changes;

static void hear_intr(void *self, bool level)
{
	intr_level = level;
	intr_changes++;
}

static enum mw_status no_map(void *self, uint64_t base, uint64_t length, void *host, bool readonly)
{
	return MW_STATUS_OK;
}

static enum mw_status nothing(void *self)
{
	return MW_STATUS_OK;
}

static enum mw_status no_cpu(void *self, unsigned cpu, const struct mw_cpu_state *cpu_state)
{
	return MW_STATUS_OK;
}

static void no_stop(void *self)
{
}

static const struct mw_executor_ops ops = {
	.map = no_map,
	.reset = nothing,
	.start = nothing,
	.set_cpu = no_cpu,
	.stop = no_stop,
	.intr = hear_intr,
};

static int set_up(void **unused)
{
	memset(&toy, 0, sizeof(toy));
	toy_claim(&toy, toy_node(&toy, "one", &controller_type), "port", 0x20, 1);
	toy_claim(&toy, toy_node(&toy, "two", &controller_type), "port", 0xa0, 1);
	toy_build(&toy);
	intr_level = false;
	intr_changes = 0;
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &ops, NULL });
	return 0;
}

static int tear_down(void **unused)
{
	mw_machine_drop_executor(toy.machine);
	toy_fini(&toy);
	return 0;
}

static void intr_is_high_while_any_controller_drives_it(void **unused)
{
	toy_out(&toy, 0x20, 1, 1);
	assert_true(intr_level);
	toy_out(&toy, 0xa0, 1, 1);
	toy_out(&toy, 0x20, 1, 0);
	assert_true(intr_level);
	toy_out(&toy, 0xa0, 1, 0);
	assert_false(intr_level);
	assert_false(mw_machine_intr(toy.machine));
}

static void an_acknowledge_asks_the_one_that_drives(void **unused)
{
	toy_out(&toy, 0xa0, 1, 1);
	assert_int_equal(mw_machine_acknowledge(toy.cpu), 0x31);
	assert_false(intr_level);
	assert_int_equal(mw_machine_acknowledge(toy.cpu), -1);
}

static void a_reset_takes_intr_down(void **unused)
{
	toy_out(&toy, 0x20, 1, 1);
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_false(intr_level);
	toy_out(&toy, 0x20, 1, 1);
	assert_true(intr_level);
}

static void input_goes_to_who_takes_it_while_it_has_room(void **unused)
{
	struct mw_input_event key = { .kind = MW_INPUT_KEY, .code = 4, .pressed = true };
	struct mw_input_event move = { .kind = MW_INPUT_MOVE, .x = 1 };
	struct controller *one = toy_device(&toy, 0);

	assert_int_equal(mw_machine_input(toy.machine, &key), MW_STATUS_OK);
	assert_int_equal(one->keys, 4);
	one->full = true;
	assert_int_equal(mw_machine_input(toy.machine, &key), MW_STATUS_BUSY);
	assert_int_equal(mw_machine_input(toy.machine, &move), MW_STATUS_NOT_FOUND);
}

static void rows_are_found_by_their_path(void **unused)
{
	struct controller *one = toy_device(&toy, 0);
	uint64_t value = 0x5a;

	assert_true(mw_machine_row(toy.machine, 0, "part.irr", 3, &value, true));
	assert_int_equal(one->part[1].irr[1], 0x5a);
	assert_true(mw_machine_row(toy.machine, 0, "part.mask", 1, &value, false));
	assert_int_equal(value, 0xff);
	assert_false(mw_machine_row(toy.machine, 0, "part.irr", 4, &value, false));
	assert_false(mw_machine_row(toy.machine, 0, "part", 0, &value, false));
	assert_false(mw_machine_row(toy.machine, 0, "keys.low", 0, &value, false));
	assert_false(mw_machine_row(toy.machine, 0, "key", 0, &value, false));
}

/* A thread that pauses the machine, looks, lets it go on and ends it. */
struct visit {
	pthread_t thread;
	bool was_running, paused, resumed, refused;
};

static void look(void *context, struct mw_machine *machine)
{
	struct visit *visit = context;

	visit->was_running = mw_machine_is_running(machine);
	mw_machine_pause(machine);
}

static void look_again(void *context, struct mw_machine *machine)
{
	struct visit *visit = context;

	visit->paused = !mw_machine_is_running(machine);
	visit->resumed = mw_machine_resume(machine) == MW_STATUS_OK;
}

static void leave(void *context, struct mw_machine *machine)
{
	mw_machine_power(machine, MW_POWER_EXIT, 5);
}

static void *visit_machine(void *context)
{
	while (!mw_machine_call(toy.machine, look, context))
		; /* it does not run yet */
	mw_machine_call(toy.machine, look_again, context);
	mw_machine_call(toy.machine, leave, context);
	return NULL;
}

static void jobs_run_on_the_main_thread_between_its_turns(void **unused)
{
	struct visit visit = { 0 };

	assert_false(mw_machine_call(toy.machine, look, &visit));
	pthread_create(&visit.thread, NULL, visit_machine, &visit);
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), 5);
	pthread_join(visit.thread, NULL);
	assert_true(visit.was_running);
	assert_true(visit.paused);
	assert_true(visit.resumed);
	assert_false(mw_machine_call(toy.machine, look, &visit));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(intr_is_high_while_any_controller_drives_it),
		TEST(an_acknowledge_asks_the_one_that_drives),
		TEST(a_reset_takes_intr_down),
		TEST(input_goes_to_who_takes_it_while_it_has_room),
		TEST(rows_are_found_by_their_path),
		TEST(jobs_run_on_the_main_thread_between_its_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
