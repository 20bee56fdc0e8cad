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

/* A port that asks for the power event written to it, or sends more messages than a chain may be long
 * and then asks for a reset. After a reset its line is high where the test wants it. */
enum { FLOOD = 0x20, FLOOD_MESSAGES = 1010 };
struct power_port {
	struct mw_power *power;
	struct mw_line *out;
	struct mw_msi *msi;
	unsigned writes, starts, stops;
	bool high_after_reset;
};

static void flood(struct power_port *port)
{
	for (unsigned i = 0; i < FLOOD_MESSAGES; i++)
		mw_msi_send(port->msi, 0xfee00000, i);
	mw_power_request(port->power, MW_POWER_RESET, 0);
}

static enum mw_io request(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct power_port *port = self;

	port->writes++;
	if (value < 16)
		mw_power_request(port->power, (enum mw_power_event)value, 7);
	else if (value == FLOOD)
		flood(port);
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
	{ "msi", "Messages.", MW_FIELD(struct power_port, msi) },
};

static void after_reset(void *self)
{
	struct power_port *port = self;

	if (port->high_after_reset)
		mw_line_set(port->out, true);
}

static void start_port(void *self)
{
	((struct power_port *)self)->starts++;
}

static void stop_port(void *self)
{
	((struct power_port *)self)->stops++;
}

static const struct mw_device_type port_type = {
	MW_DEVICE_TYPE,
	.name = "power-port",
	.summary = "requests power events",
	.size = sizeof(struct power_port),
	.regions = MW_TABLE(regions),
	.wires = MW_TABLE(wires),
	.ops = { .after_reset = after_reset, .start = start_port, .stop = stop_port },
};

/* An interrupt chip that the executor may run itself; its own callback counts. Where it inverts, its
 * output may keep it busy for ever, with two messages each time. */
struct pins {
	struct mw_line *out;
	struct mw_msi *msi;
	bool inverts;
	unsigned changes;
};

static void on_level(void *self, unsigned index, bool level)
{
	struct pins *pins = self;

	pins->changes++;
	if (!pins->inverts)
		return;
	mw_msi_send(pins->msi, 0xfee00000, 1);
	mw_msi_send(pins->msi, 0xfee00000, 2);
	mw_line_set(pins->out, !level);
}

static const struct mw_wire pin_wires[] = {
	{ "pin", "Inputs.", MW_SINK(4), .on_level = on_level },
	{ "out", "The other level.", MW_FIELD(struct pins, out) },
	{ "msi", "Messages.", MW_FIELD(struct pins, msi) },
};
static const struct mw_device_type pins_type = {
	MW_DEVICE_TYPE,
	.name = "pins",
	.summary = "hears lines",
	.size = sizeof(struct pins),
	.wires = MW_TABLE(pin_wires),
};

/* One "CPU" thread that writes a script of values to the port, round after round. */
struct fake {
	struct toy *toy;
	const uint8_t *script;
	size_t length, at;
	pthread_t thread;
	atomic_bool quit;
	bool running, failing;
	unsigned starts, stops, resets, maps, messages;
	uint64_t boot_rip, waiting_mtrr;
	uint32_t chip;           /* the node it runs, plus 1; 0: none */
	char heard[32];          /* resets and levels, in their order: "R+-" */
	unsigned fails_at_start; /* which start fails; 0: none */
	enum mw_power_event late_event;
	bool late; /* while it is stopped the event comes in */
	uint64_t map_bases[4], map_lengths[4];
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
	struct fake *fake = self;

	if (fake->maps < 4) {
		fake->map_bases[fake->maps] = base;
		fake->map_lengths[fake->maps] = length;
	}
	fake->maps++;
	return MW_STATUS_OK;
}

static enum mw_status fake_reset(void *self)
{
	struct fake *fake = self;

	fake->resets++;
	strncat(fake->heard, "R", sizeof(fake->heard) - strlen(fake->heard) - 1);
	return MW_STATUS_OK;
}

static void fake_line(void *self, uint32_t gsi, bool level)
{
	struct fake *fake = self;

	strncat(fake->heard, level ? "+" : "-", sizeof(fake->heard) - strlen(fake->heard) - 1);
}

static void fake_msi(void *self, uint64_t address, uint32_t data)
{
	((struct fake *)self)->messages++;
}

static bool fake_runs_node(void *self, uint32_t node)
{
	return ((struct fake *)self)->chip == node + 1;
}

static enum mw_status fake_set_cpu(void *self, unsigned cpu, const struct mw_cpu_state *state)
{
	struct fake *fake = self;

	if (!cpu)
		fake->boot_rip = state->rip;
	else if (state->run == MW_CPU_WAIT_SIPI)
		fake->waiting_mtrr = state->mtrr_def_type;
	return MW_STATUS_OK;
}

static enum mw_status fake_start(void *self)
{
	struct fake *fake = self;

	fake->starts++;
	if (fake->failing || fake->fails_at_start == fake->starts)
		return MW_STATUS_DENIED;
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
	if (fake->late)
		mw_machine_power(fake->toy->machine, fake->late_event, 9);
	fake->late = false;
}

static const struct mw_executor_ops fake_ops = {
	.map = fake_map,
	.reset = fake_reset,
	.set_cpu = fake_set_cpu,
	.start = fake_start,
	.stop = fake_stop,
	.line = fake_line,
	.msi = fake_msi,
	.runs_node = fake_runs_node,
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
	fake.toy = &toy;
	fake.script = script;
	fake.length = length;
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
	boot_cpu->mtrr_def_type = 0x806;
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
	toy.plan.cpu.count = 2;
	mw_machine_add_reset_hook(toy.machine,
				  (struct mw_reset_hook){ "set", setting_hook, &runs });
	fake = (struct fake){ .toy = &toy, .script = script, .length = sizeof(script) };
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_int_equal(fake.boot_rip, 0x1234);
	assert_int_equal(fake.waiting_mtrr, 0x806); /* like firmware, for all CPUs */
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

static void failed_start_leaves_the_machine_stopped(void **state)
{
	static const uint8_t script[] = { MW_POWER_EXIT };

	fake.fails_at_start = 1;
	assert_int_equal(run_script(script, sizeof(script)), 1);
	struct power_port *port = toy_device(&toy, 0);

	assert_int_equal(port->starts, 1);
	assert_int_equal(port->stops, 1);
	assert_int_equal(fake.stops, 0);
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), 7); /* another try */
	assert_int_equal(port->starts, 2);
}

static void failed_restart_after_a_reset_is_reported(void **state)
{
	static const uint8_t script[] = { MW_POWER_RESET };

	fake.fails_at_start = 2;
	assert_int_equal(run_script(script, sizeof(script)), 1);
	assert_int_equal(toy.diagnostics.errors, 1);
	assert_non_null(strstr(toy.diagnostics.items[0]->message, "does not start"));
}

static void late_event_of_another_cpu_does_not_reach_the_next_life(void **state)
{
	static const uint8_t script[] = { MW_POWER_RESET, MW_POWER_EXIT };

	fake.late = true;
	fake.late_event = MW_POWER_RESET;
	assert_int_equal(run_script(script, sizeof(script)), 7);
	assert_int_equal(mw_machine_resets(toy.machine), 1);
}

static void late_exit_counts_after_the_reset_all_the_same(void **state)
{
	static const uint8_t script[] = { MW_POWER_RESET };

	fake.late = true;
	fake.late_event = MW_POWER_EXIT;
	assert_int_equal(run_script(script, sizeof(script)), 9);
}

static void leaving_outranks_what_a_guest_has_asked_for(void **state)
{
	toy_node(&toy, "port", &port_type);
	toy_build(&toy);
	fake.toy = &toy;
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
	mw_machine_power(toy.machine, MW_POWER_RESET, 0);
	mw_machine_power(toy.machine, MW_POWER_EXIT, 5);
	mw_machine_power(toy.machine, MW_POWER_OFF, 0);
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), 5);
	assert_int_equal(mw_machine_resets(toy.machine), 0);
}

/* A callback that does much starts no long chain. */
static void all_that_one_callback_does_is_delivered(void **state)
{
	toy_node(&toy, "port", &port_type);
	toy_claim(&toy, 0, "port", 0x99, 1);
	toy_build(&toy);
	fake.toy = &toy;
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
	toy_out(&toy, 0x99, 1, FLOOD);
	assert_int_equal(fake.messages, FLOOD_MESSAGES);
	assert_true(mw_machine_stopping(toy.machine));
	assert_string_equal(toy_log(&toy), "");
}

/* What is left of a chain that was cut belongs to the machine that was. */
static void messages_left_over_do_not_survive_a_reset(void **state)
{
	toy_node(&toy, "port", &port_type);
	toy_node(&toy, "pins", &pins_type);
	toy_claim(&toy, 0, "port", 0x99, 1);
	toy_wire(&toy, 0, "out", 1, "pin", 0);
	toy_wire(&toy, 1, "out", 1, "pin", 1);
	toy_build(&toy);
	fake.toy = &toy;
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
	((struct pins *)toy_device(&toy, 1))->inverts = true;
	toy_out(&toy, 0x99, 1, 0x11);
	toy_out(&toy, 0x99, 1, 0x10);
	assert_non_null(strstr(toy_log(&toy), "is cut"));
	((struct pins *)toy_device(&toy, 1))->inverts = false;
	unsigned messages = fake.messages;

	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	toy_out(&toy, 0x99, 1, 0x11);
	assert_int_equal(fake.messages, messages);
}

static void build_with_chip(void)
{
	toy_node(&toy, "port", &port_type);
	toy_node(&toy, "pins", &pins_type);
	toy_claim(&toy, 0, "port", 0x99, 1);
	toy_wire(&toy, 0, "out", 1, "pin", 2);
	toy.nets[0].gsi = 5;
	toy_build(&toy);
	fake.toy = &toy;
	fake.chip = 2;
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
}

/* The chip's reset in the accelerator must not wipe out what after_reset says. */
static void line_driven_after_a_reset_reaches_a_chip_of_the_executor(void **state)
{
	build_with_chip();
	((struct power_port *)toy_device(&toy, 0))->high_after_reset = true;
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_string_equal(fake.heard, "R+");
	assert_int_equal(((struct pins *)toy_device(&toy, 1))->changes, 0);
}

static void chip_of_the_executor_hears_that_a_reset_takes_the_line_down(void **state)
{
	build_with_chip();
	toy_out(&toy, 0x99, 1, 0x11);
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_string_equal(fake.heard, "+-R");
}

static void line_without_a_pin_of_the_executor_ends_there(void **state)
{
	build_with_chip();
	toy.nets[0].gsi = MW_NO_GSI;
	toy_out(&toy, 0x99, 1, 0x11);
	assert_string_equal(fake.heard, "");
}

static void chip_is_a_device_again_without_its_executor(void **state)
{
	build_with_chip();
	mw_machine_drop_executor(toy.machine);
	toy_out(&toy, 0x99, 1, 0x11);
	assert_int_equal(((struct pins *)toy_device(&toy, 1))->changes, 1);
}

static const struct mw_region small_regions[] = {
	{ "port", MW_SPACE_MEMORY, 16, MW_ACCESS(1, 1), .write = request },
};
static const struct mw_device_type small_type = {
	MW_DEVICE_TYPE,
	.name = "small",
	.summary = "a few registers in memory",
	.size = sizeof(struct power_port),
	.regions = MW_TABLE(small_regions),
};

/* An executor maps pages; what is left of one around an overlay is served by core. */
static void only_whole_pages_are_mapped_around_an_overlay(void **state)
{
	toy_node(&toy, "small", &small_type);
	toy_claim(&toy, 0, "port", 0x8010, 16);
	toy.claims[0][0].overlays = "ram";
	toy_ram(&toy, 0, 0x10000);
	toy_build(&toy);
	fake.toy = &toy;
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &fake_ops, &fake });
	assert_int_equal(fake.maps, 2);
	assert_int_equal(fake.map_bases[0], 0);
	assert_int_equal(fake.map_lengths[0], 0x8000);
	assert_int_equal(fake.map_bases[1], 0x9000);
	assert_int_equal(fake.map_lengths[1], 0x7000);
	toy_poke(&toy, 0x8ffc, 4, 0x12345678);
	assert_int_equal(*(uint32_t *)mw_machine_ram(toy.machine, 0x8ffc, 4), 0x12345678);
}

/* Writes down who is initialised, spoken to and finished, in order. */
static char diary[64];

struct diarist {
	struct mw_stream *port;
};

static void note(const struct diarist *diarist, char what)
{
	size_t length = strlen(diary);

	if (length + 3 < sizeof(diary)) {
		diary[length] = what;
		diary[length + 1] = mw_device_id(diarist)[0];
		diary[length + 2] = ' ';
	}
}

static bool init_diarist(void *self, struct mw_diagnostics *diagnostics)
{
	struct diarist *diarist = self;

	note(diarist, '+');
	mw_stream_put(diarist->port, 'x');
	return mw_device_id(self)[1] != '!';
}

static void reset_diarist(void *self)
{
	note(self, 'r');
}

static void hear_diarist(void *self, uint8_t byte)
{
	note(self, 'b');
}

static void fini_diarist(void *self)
{
	note(self, '-');
}

static const struct mw_wire diarist_wires[] = {
	{ "port", "A link.", MW_FIELD(struct diarist, port), .on_byte = hear_diarist },
};
static const struct mw_device_type diarist_type = {
	MW_DEVICE_TYPE,
	.name = "diarist",
	.summary = "writes down its life",
	.size = sizeof(struct diarist),
	.wires = MW_TABLE(diarist_wires),
	.ops = { .init = init_diarist, .after_reset = reset_diarist, .fini = fini_diarist },
};

static void plan_diarists(const char *third)
{
	memset(diary, 0, sizeof(diary));
	toy_node(&toy, "a", &diarist_type);
	toy_node(&toy, "b", &diarist_type);
	toy_node(&toy, third, &diarist_type);
	toy.nodes[2].host = true;
	toy_link(&toy, 0, "port", 2, "port");
}

static void host_side_is_first_to_come_and_last_to_go(void **state)
{
	plan_diarists("h");
	toy_build(&toy);
	/* What was said in init is heard once all are reset. */
	assert_string_equal(diary, "+h +a +b ra rb rh ba bh ");
	memset(diary, 0, sizeof(diary));
	mw_machine_destroy(toy.machine);
	toy.machine = NULL;
	assert_string_equal(diary, "-b -a -h ");
}

static void failed_init_undoes_the_machine(void **state)
{
	plan_diarists("h!");
	toy.nodes[0].placement = MW_PLACEMENT_OWN;
	toy.plan.nodes = toy.nodes;
	toy.plan.nets = toy.nets;
	toy.plan.links = toy.links;
	assert_false(mw_machine_build(&toy.machine, &toy.plan, &toy.diagnostics));
	assert_null(toy.machine);
	assert_string_equal(diary, "+h -h ");
}

static int tear_down_plan(void **state)
{
	toy_fini(&toy);
	return 0;
}

static void cpu_placement_is_refused_by_name(void **state)
{
	plan_diarists("h");
	toy.nodes[1].placement = MW_PLACEMENT_CPU;
	toy.plan.nodes = toy.nodes;
	toy.plan.nets = toy.nets;
	toy.plan.links = toy.links;
	assert_false(mw_machine_build(&toy.machine, &toy.plan, &toy.diagnostics));
	assert_non_null(strstr(toy.diagnostics.items[0]->message, "not implemented yet (`b`)"));
	assert_string_equal(diary, "");
}

static void refuse(const char *why)
{
	toy.plan.nodes = toy.nodes;
	toy.plan.nets = toy.nets;
	toy.plan.links = toy.links;
	toy.plan.ram = toy.ram;
	assert_false(mw_machine_build(&toy.machine, &toy.plan, &toy.diagnostics));
	assert_null(toy.machine);
	assert_int_equal(toy.diagnostics.errors, 1);
	assert_non_null(strstr(toy.diagnostics.items[0]->message, why));
}

static void memory_that_the_host_has_not_is_refused(void **state)
{
	toy_node(&toy, "port", &port_type);
	toy_ram(&toy, 0, UINT64_C(1) << 62);
	refuse("cannot have 4611686018427387904 bytes of guest memory");
}

struct rom {
	struct mw_memory *memory;
};
static const struct mw_region rom_regions[] = {
	{ "bytes", MW_SPACE_MEMORY, 0, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct rom, memory) },
};
static const struct mw_device_type rom_type = {
	MW_DEVICE_TYPE,
	.name = "rom",
	.summary = "memory",
	.size = sizeof(struct rom),
	.regions = MW_TABLE(rom_regions),
};

static void memory_of_half_a_page_is_refused(void **state)
{
	toy_node(&toy, "rom", &rom_type);
	toy_claim(&toy, 0, "bytes", 0xf0000, 0x1800);
	refuse("memory of `rom` is not a whole number of 4 KiB pages");
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
		MACHINE_TEST(failed_start_leaves_the_machine_stopped),
		MACHINE_TEST(failed_restart_after_a_reset_is_reported),
		MACHINE_TEST(late_event_of_another_cpu_does_not_reach_the_next_life),
		MACHINE_TEST(late_exit_counts_after_the_reset_all_the_same),
		MACHINE_TEST(leaving_outranks_what_a_guest_has_asked_for),
		MACHINE_TEST(all_that_one_callback_does_is_delivered),
		MACHINE_TEST(messages_left_over_do_not_survive_a_reset),
		MACHINE_TEST(line_driven_after_a_reset_reaches_a_chip_of_the_executor),
		MACHINE_TEST(chip_of_the_executor_hears_that_a_reset_takes_the_line_down),
		MACHINE_TEST(line_without_a_pin_of_the_executor_ends_there),
		MACHINE_TEST(chip_is_a_device_again_without_its_executor),
		MACHINE_TEST(only_whole_pages_are_mapped_around_an_overlay),
		cmocka_unit_test_teardown(host_side_is_first_to_come_and_last_to_go,
					  tear_down_plan),
		cmocka_unit_test_teardown(failed_init_undoes_the_machine, tear_down_plan),
		cmocka_unit_test_teardown(memory_that_the_host_has_not_is_refused, tear_down_plan),
		cmocka_unit_test_teardown(memory_of_half_a_page_is_refused, tear_down_plan),
		cmocka_unit_test_teardown(cpu_placement_is_refused_by_name, tear_down_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
