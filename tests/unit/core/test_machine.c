/* The life cycle, with an executor that runs a thread in place of CPUs. */
// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"

/* A port that asks for the power event written to it. */
struct power_port {
	struct mw_power *power;
	struct mw_line *out;
	unsigned writes;
};

static enum mw_io request(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct power_port *port = self;

	port->writes++;
	if (value < 16)
		mw_power_request(port->power, (enum mw_power_event)value, 7);
	else
		mw_line_set(port->out, value & 1);
	return MW_IO_OK;
}

static const struct mw_region regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = request },
};
static const struct mw_wire wires[] = {
	{ "power", "Life cycle.", MW_FIELD(struct power_port, power) },
	{ "out", "A line.", MW_FIELD(struct power_port, out) },
};
static const struct mw_device_type port_type = {
	MW_DEVICE_TYPE,
	.name = "power-port",
	.summary = "requests power events",
	.size = sizeof(struct power_port),
	.regions = MW_TABLE(regions),
	.wires = MW_TABLE(wires),
};

/* One "CPU" thread that writes a script of values to the port, round after round. */
struct fake {
	struct toy *toy;
	const uint8_t *script;
	size_t length, at;
	pthread_t thread;
	atomic_bool quit;
	bool running, failing;
	unsigned starts, stops, resets, maps;
	uint64_t boot_rip;
};

static void *run_cpu(void *context)
{
	struct fake *fake = context;

	while (!atomic_load(&fake->quit) && !mw_machine_stopping(fake->toy->machine)) {
		if (fake->at < fake->length)
			toy_out(fake->toy, 0x99, 1, fake->script[fake->at++]);
		else
			usleep(100);
	}
	return NULL;
}

static enum mw_status fake_map(void *self, uint64_t base, uint64_t length, void *host,
			       bool readonly)
{
	((struct fake *)self)->maps++;
	return MW_STATUS_OK;
}

static enum mw_status fake_reset(void *self)
{
	((struct fake *)self)->resets++;
	return MW_STATUS_OK;
}

static enum mw_status fake_set_cpu(void *self, unsigned cpu, const struct mw_cpu_state *state)
{
	((struct fake *)self)->boot_rip = state->rip;
	return MW_STATUS_OK;
}

static enum mw_status fake_start(void *self)
{
	struct fake *fake = self;

	if (fake->failing)
		return MW_STATUS_DENIED;
	fake->starts++;
	atomic_store(&fake->quit, false);
	fake->running = pthread_create(&fake->thread, NULL, run_cpu, fake) == 0;
	return MW_STATUS_OK;
}

static void fake_stop(void *self)
{
	struct fake *fake = self;

	fake->stops++;
	atomic_store(&fake->quit, true);
	if (fake->running)
		pthread_join(fake->thread, NULL);
	fake->running = false;
}

static const struct mw_executor_ops fake_ops = {
	.map = fake_map,
	.reset = fake_reset,
	.set_cpu = fake_set_cpu,
	.start = fake_start,
	.stop = fake_stop,
};

static struct toy toy;
static struct fake fake;

static int run_script(const uint8_t *script, size_t length)
{
	uint32_t node = toy_node(&toy, "port", &port_type);

	toy_claim(&toy, node, "port", 0x99, 1);
	toy_ram(&toy, 0, 0x10000);
	toy_ram(&toy, 0x100000, 0x10000);
	toy_build(&toy);
	fake = (struct fake){
		.toy = &toy, .script = script, .length = length, .failing = fake.failing
	};
	assert_int_equal(
		mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake }),
		MW_STATUS_OK);
	return mw_machine_run(toy.machine, &toy.diagnostics);
}

static int tear_down(void **state)
{
	mw_machine_drop_executor(toy.machine);
	toy_fini(&toy);
	fake = (struct fake){ 0 };
	return 0;
}

static void power_off_ends_with_success(void **state)
{
	static const uint8_t script[] = { MW_POWER_OFF };

	toy.plan.power.off = MW_ACTION_EXIT;
	assert_int_equal(run_script(script, sizeof(script)), 0);
	assert_int_equal(fake.starts, 1);
	assert_int_equal(fake.stops, 1);
	assert_int_equal(fake.maps, 2);
}

static void exit_event_ends_with_its_code(void **state)
{
	static const uint8_t script[] = { MW_POWER_EXIT };

	assert_int_equal(run_script(script, sizeof(script)), 7);
}

static void reset_event_resets_and_goes_on(void **state)
{
	static const uint8_t script[] = { MW_POWER_RESET, MW_POWER_RESET, MW_POWER_TRIPLE_FAULT,
					  MW_POWER_EXIT };

	assert_int_equal(run_script(script, sizeof(script)), 7);
	assert_int_equal(mw_machine_resets(toy.machine), 3);
	assert_int_equal(fake.resets, 3);
	assert_int_equal(fake.starts, 4);
	assert_int_equal(fake.boot_rip, 0xfff0);
}

static void cpu_writes_nothing_after_its_power_request(void **state)
{
	static const uint8_t script[] = { MW_POWER_EXIT, 0xff, 0xff, 0xff };

	run_script(script, sizeof(script));
	assert_int_equal(((struct power_port *)toy_device(&toy, 0))->writes, 1);
}

static void panic_with_the_action_exit_is_a_failure(void **state)
{
	static const uint8_t script[] = { MW_POWER_PANIC };

	toy.plan.power.panic = MW_ACTION_EXIT;
	assert_int_equal(run_script(script, sizeof(script)), 1);
}

static void executor_that_does_not_start_is_reported(void **state)
{
	fake.failing = true;
	assert_int_equal(run_script(NULL, 0), 1);
	assert_int_equal(toy.diagnostics.errors, 1);
}

static bool failing_hook(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
			 struct mw_diagnostics *diagnostics)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "no kernel");
	return false;
}

static bool setting_hook(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
			 struct mw_diagnostics *diagnostics)
{
	boot_cpu->rip = 0x1234;
	(*(unsigned *)context)++;
	return true;
}

static void boot_hook_runs_at_every_reset_and_sets_the_entry(void **state)
{
	static const uint8_t script[] = { MW_POWER_RESET, MW_POWER_EXIT };
	unsigned runs = 0;
	uint32_t node = toy_node(&toy, "port", &port_type);

	toy_claim(&toy, node, "port", 0x99, 1);
	toy_build(&toy);
	mw_machine_add_reset_hook(toy.machine,
				  (struct mw_reset_hook){ "set", setting_hook, &runs });
	fake = (struct fake){ .toy = &toy, .script = script, .length = sizeof(script) };
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_int_equal(fake.boot_rip, 0x1234);
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), 7);
	assert_int_equal(runs, 2);
	mw_machine_add_reset_hook(toy.machine,
				  (struct mw_reset_hook){ "fail", failing_hook, NULL });
	assert_false(mw_machine_reset(toy.machine, &toy.diagnostics));
}

static void interrupt_ends_the_run(void **state)
{
	uint32_t node = toy_node(&toy, "port", &port_type);

	toy_claim(&toy, node, "port", 0x99, 1);
	toy_build(&toy);
	fake = (struct fake){ .toy = &toy };
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
	mw_machine_interrupt(toy.machine);
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), MW_EXIT_INTERRUPTED);
}

static void failure_of_the_executor_ends_the_run_with_its_text(void **state)
{
	uint32_t node = toy_node(&toy, "port", &port_type);

	toy_claim(&toy, node, "port", 0x99, 1);
	toy_build(&toy);
	fake = (struct fake){ .toy = &toy };
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
	mw_machine_fail(toy.machine, "unknown exit %d", 99);
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), 1);
	assert_string_equal(toy.diagnostics.items[0]->message, "unknown exit 99");
}

int main(void)
{
#define MACHINE_TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		MACHINE_TEST(power_off_ends_with_success),
		MACHINE_TEST(exit_event_ends_with_its_code),
		MACHINE_TEST(reset_event_resets_and_goes_on),
		MACHINE_TEST(cpu_writes_nothing_after_its_power_request),
		MACHINE_TEST(panic_with_the_action_exit_is_a_failure),
		MACHINE_TEST(executor_that_does_not_start_is_reported),
		MACHINE_TEST(boot_hook_runs_at_every_reset_and_sets_the_entry),
		MACHINE_TEST(interrupt_ends_the_run),
		MACHINE_TEST(failure_of_the_executor_ends_the_run_with_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
