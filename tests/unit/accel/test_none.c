/** Commands of the qtest protocol, one line after the other, on a machine of toys; and the thread that takes
 * them from a socket. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "accel/none/none.h"
#include "accel/none/vm.h"
#include "core/alloc.h"
#include "tests/unit/core/toy.h"

#define WINDOW 0xf0000000u
enum { PORT = 0x80, RAM_BYTES = 1 << 20, WINDOW_BYTES = 16 };

/** Its port sets a line (bit 0), a timer (bit 1: 100 ns from now, bit 2: for a time that has passed) and asks
 * for a reset (bit 3). Two inputs. Its window notes how wide accesses are. */
struct gadget {
	struct mw_line *out;
	struct mw_intr *intr;
	struct mw_power *power;
	struct mw_timer *timer;
	uint64_t rang_at[4];
	unsigned rings, heard;
	uint8_t written;
	unsigned widths[8], accesses;
	bool again; /* the timer is periodic */
};

static enum mw_io write_port(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct gadget *gadget = self;

	gadget->written = (uint8_t)value;
	mw_line_set(gadget->out, value & 1);
	mw_intr_set(gadget->intr, value & 0x10);
	if (value & 2)
		mw_timer_arm(gadget->timer, mw_now_ns(self) + 100);
	if (value & 4)
		mw_timer_arm(gadget->timer, 0);
	if (value & 8)
		mw_power_request(gadget->power, MW_POWER_RESET, 0);
	return MW_IO_OK;
}

static enum mw_io read_port(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = ((struct gadget *)self)->written;
	return MW_IO_OK;
}

static enum mw_io access_window(struct gadget *gadget, unsigned size)
{
	gadget->widths[gadget->accesses++ % 8] = size;
	return MW_IO_OK;
}

static enum mw_io read_window(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = 0x8877665544332211;
	return access_window(self, size);
}

static enum mw_io write_window(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	return access_window(self, size);
}

static void ring(void *self)
{
	struct gadget *gadget = self;

	gadget->rang_at[gadget->rings++ % 4] = mw_now_ns(self);
	mw_line_set(gadget->out, !mw_line_level(gadget->out));
	if (gadget->again)
		mw_timer_arm(gadget->timer, mw_now_ns(self) + 100);
}

static void hear(void *self, unsigned index, bool level)
{
	((struct gadget *)self)->heard |= 1u << (2 * index + level);
}

static int acknowledge(void *self)
{
	return 0x20;
}

static const struct mw_region regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), read_port, write_port },
	{ "window", MW_SPACE_MEMORY, WINDOW_BYTES, MW_ACCESS(1, 8), read_window, write_window },
};
static const struct mw_wire wires[] = {
	{ "out", "A line.", MW_FIELD(struct gadget, out) },
	{ "in", "Two inputs.", .kind = MW_LINE, .direction = MW_RECEIVES, .count = 2,
	  .on_level = hear },
	{ "intr", "To the CPU.", MW_FIELD(struct gadget, intr), .on_acknowledge = acknowledge },
	{ "power", "Resets.", MW_FIELD(struct gadget, power) },
};
static const struct mw_timer_row timers[] = {
	{ "timer", "Rings.", MW_FIELD(struct gadget, timer), .on_expire = ring, .since = 1 },
};
static const struct mw_device_type gadget_type = {
	MW_DEVICE_TYPE,
	.name = "gadget",
	.summary = "a bit of everything",
	.size = sizeof(struct gadget),
	.state_version = 1,
	.regions = MW_TABLE(regions),
	.wires = MW_TABLE(wires),
	.timers = MW_TABLE(timers),
};

static struct toy toy;
static struct gadget *gadget;
static struct mw_accel *accel;
static struct none_vm *vm;

static int set_up(void **state)
{
	uint32_t node;

	memset(&toy, 0, sizeof(toy));
	node = toy_node(&toy, "gadget", &gadget_type);
	toy_claim(&toy, node, "port", PORT, 1);
	toy_claim(&toy, node, "window", WINDOW, WINDOW_BYTES);
	toy_wire(&toy, node, "out", node, "in", 1);
	toy_ram(&toy, 0, RAM_BYTES);
	toy.plan.cpu.count = 2;
	toy.plan.power.reset = MW_ACTION_RESET;
	toy_build(&toy);
	assert_true(mw_accel_none.create(&accel, toy.machine, &toy.diagnostics));
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	gadget = toy_device(&toy, node);
	vm = (struct none_vm *)accel;
	return 0;
}

static int tear_down(void **state)
{
	mw_accel_none.destroy(accel);
	toy_fini(&toy);
	return 0;
}

/* The machine is stopped, so its own thread rests and this one can take its place; it runs in name, for a
 * command does not begin where the machine is being stopped. */
static void ask(const char *line, const char *expected)
{
	char *copy = mw_strdup(line);

	vm->answer.count = 0;
	atomic_store(&vm->halting, false);
	none_command(vm, copy);
	atomic_store(&vm->halting, true);
	none_append(&vm->answer, "", 1);
	assert_string_equal(vm->answer.bytes, expected);
	free(copy);
}

static void ports_are_written_and_read(void **state)
{
	ask("outb 0x80 0x140", "OK\n");
	ask("inb 128", "OK 0x0040\n");
	ask("inw 0x80", "OK 0xff40\n");
	ask("inl 0x80", "OK 0xffffff40\n");
	ask("inb 0x90", "OK 0x00ff\n");
}

static void memory_is_written_and_read_in_every_width(void **state)
{
	ask("writeq 0x1000 0x8877665544332211", "OK\n");
	ask("readb 0x1001", "OK 0x0000000000000022\n");
	ask("readw 0x1001", "OK 0x0000000000003322\n");
	ask("readl 0x1001", "OK 0x0000000055443322\n");
	ask("readq 0x1000", "OK 0x8877665544332211\n");
	ask("writeb 0x1000 0x1ff", "OK\n");
	ask("writew 0x1002 -2", "OK\n");
	ask("writel 0x1004 1", "OK\n");
	ask("read 0x1000 8", "OK 0xff22feff01000000\n");
}

static void ranges_are_hex_or_base_64(void **state)
{
	ask("write 0x2000 4 0x0102030405", "OK\n");
	ask("read 0x2000 0x5", "OK 0x0102030400\n");
	ask("write 0x2000 3 0xAbcDe", "OK\n");
	ask("read 0x2000 4", "OK 0xabcd0004\n");
	ask("b64read 0x2000 4", "OK q80ABA==\n");
	ask("b64write 0x2000 3 AQID", "OK\n");
	ask("b64read 0x2000 4", "OK AQIDBA==\n");
	ask("b64read 0x2000 0", "OK \n");
	ask("memset 0x2001 2 0x1ee", "OK\n");
	ask("read 0x2000 4", "OK 0x01eeee04\n");
	ask("memset 0x2000 0 1", "OK\n");
}

static void range_that_is_not_one_is_refused(void **state)
{
	ask("read 0 0", "FAIL a read is of 1 byte or more\n");
	ask("write 0 0 0x", "ERR invalid argument size\n");
	ask("write 0 1 1", "ERR invalid argument size\n");
	ask("write 0 1 0xgg", "FAIL data is hex digits\n");
	ask("b64write 0 4 AQID", "ERR invalid argument size\n");
	ask("b64write 0 3 AQI", "ERR invalid argument size\n");
	ask("b64write 0 3 A*ID", "ERR invalid argument size\n");
	ask("memset 0 0x4000001 0", "FAIL more than 64 MiB at once\n");
	ask("read 0xffffffffffffffff 2", "FAIL the range goes beyond the last address\n");
}

static void device_is_accessed_as_wide_as_the_address_allows(void **state)
{
	ask("read 0xf0000001 15", "OK 0x111122112233441122334455667788\n");
	ask("write 0xf0000001 11 0x00", "OK\n");
	assert_int_equal(gadget->accesses, 8);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(gadget->widths[i], 1u << i);
	assert_int_equal(gadget->widths[3], 8);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(gadget->widths[4 + i], 1u << i);
	assert_int_equal(gadget->widths[7], 4);
}

static void what_nobody_has_reads_as_ones(void **state)
{
	ask("readl 0xe0000000", "OK 0x00000000ffffffff\n");
	ask("read 0xfffff 4", "OK 0x00ffffff\n");
	ask("write 0xfffff 4 0x01020304", "OK\n");
	ask("read 0xfffff 4", "OK 0x01ffffff\n");
}

static void mistakes_fail(void **state)
{
	ask("", "FAIL Unknown command ''\n");
	ask("foo bar", "FAIL Unknown command 'foo'\n");
	ask(" inb 0x80", "FAIL Unknown command ''\n");
	ask("INB 0x80", "FAIL Unknown command 'INB'\n");
	ask("rtas a 1 2 3 4", "FAIL Unknown command 'rtas'\n");
	ask("inb", "FAIL inb needs 1 arguments\n");
	ask("outb 0x80", "FAIL outb needs 2 arguments\n");
	ask("outb  0x80 1", "FAIL `` is no number\n");
	ask("inb 0x80x", "FAIL `0x80x` is no number\n");
	ask("inb 0x10000", "FAIL there is no port 0x10000\n");
	ask("inb -1", "FAIL there is no port 0xffffffffffffffff\n");
	ask("readb 0x10000000000000000", "FAIL `0x10000000000000000` is no number\n");
	ask("module_load a b", "FAIL\n");
}

static void more_words_than_needed_are_passed_over(void **state)
{
	ask("endianness little or big", "OK little\n");
	ask("outb 0x80 0x20 and more of it, and more, and more", "OK\n");
	ask("inb 0x80", "OK 0x0020\n");
}

static void time_stands_still_until_it_is_stepped(void **state)
{
	ask("outb 0x80 2", "OK\n");
	assert_int_equal(gadget->rings, 0);
	ask("clock_step 99", "OK 99\n");
	assert_int_equal(gadget->rings, 0);
	ask("clock_step 1", "OK 100\n");
	assert_int_equal(gadget->rings, 1);
}

static void step_without_a_number_goes_to_the_next_deadline(void **state)
{
	ask("clock_step", "OK 0\n");
	ask("outb 0x80 2", "OK\n");
	ask("clock_step", "OK 100\n");
	assert_int_equal(gadget->rings, 1);
	ask("clock_step", "OK 100\n");
}

static void timers_fire_each_at_its_own_time(void **state)
{
	gadget->again = true;
	ask("outb 0x80 2", "OK\n");
	ask("clock_step 350", "OK 350\n");
	assert_int_equal(gadget->rings, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(gadget->rang_at[i], 100 * (i + 1));
}

static void time_never_goes_back(void **state)
{
	ask("clock_set 1000", "OK 1000\n");
	ask("clock_set 5", "OK 1000\n");
	ask("clock_set -5", "OK 1000\n");
	ask("clock_step -5", "OK 1000\n");
	ask("clock_step x", "FAIL `x` is no number\n");
	ask("clock_step 0x7fffffffffffffff", "OK 9223372036854775807\n");
}

static void timer_for_a_time_that_has_passed_fires_before_the_answer(void **state)
{
	ask("clock_set 1000", "OK 1000\n");
	ask("outb 0x80 4", "OK\n");
	assert_int_equal(gadget->rings, 1);
	assert_int_equal(gadget->rang_at[0], 1000);
}

static void inputs_are_listened_to(void **state)
{
	ask("irq_intercept_in gadget", "OK\n");
	ask("irq_intercept_in /machine/gadget", "OK\n");
	ask("outb 0x80 1", "IRQ raise 1\nOK\n");
	ask("outb 0x80 1", "OK\n");
	ask("outb 0x80 0", "IRQ lower 1\nOK\n");
	assert_int_equal(gadget->heard & 0xc, 0xc);
}

static void outputs_are_listened_to_lines_and_intr(void **state)
{
	ask("irq_intercept_out gadget", "OK\n");
	ask("outb 0x80 0x11", "IRQ raise 0\nIRQ raise 1\nOK\n");
	ask("outb 0x80 0x10", "IRQ lower 0\nOK\n");
	ask("outb 0x80 0", "IRQ lower 1\nOK\n");
}

static void lines_that_timers_move_come_in_their_order(void **state)
{
	gadget->again = true;
	ask("irq_intercept_in gadget", "OK\n");
	ask("outb 0x80 2", "OK\n");
	ask("clock_step 300", "IRQ raise 1\nIRQ lower 1\nIRQ raise 1\nOK 300\n");
}

static void inputs_are_driven(void **state)
{
	ask("set_irq_in gadget unnamed-gpio-in 0 1", "OK\n");
	assert_int_equal(gadget->heard, 2);
	ask("set_irq_in gadget in 1 1", "OK\n");
	assert_int_equal(gadget->heard, 2 | 8);
	ask("set_irq_in gadget in 2 1", "FAIL there is no such input\n");
	ask("set_irq_in gadget out 0 1", "FAIL there is no such input\n");
	ask("set_irq_in nobody in 0 1", "FAIL Unknown device\n");
	ask("set_irq_in gadget in x 1", "FAIL an input and a level are numbers\n");
	ask("irq_intercept_in gadget", "OK\n");
	ask("set_irq_in gadget in 0 1", "IRQ raise 0\nOK\n");
	ask("set_irq_in gadget in 0 0", "IRQ lower 0\nOK\n");
}

static void intercepts_are_of_one_node_that_exists(void **state)
{
	ask("irq_intercept_in nobody", "FAIL Unknown device\n");
	ask("irq_intercept_out /machine/nobody", "FAIL Unknown device\n");
	ask("irq_intercept_in", "FAIL irq_intercept_in needs 1 arguments\n");
}

static void reset_takes_lines_down(void **state)
{
	ask("irq_intercept_in gadget", "OK\n");
	ask("outb 0x80 1", "IRQ raise 1\nOK\n");
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	ask("endianness", "IRQ lower 1\nOK little\n");
}

static void base_64_is_what_rfc_4648_says(void **state)
{
	static const struct {
		const char *bytes, *text;
	} vectors[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	char text[16];
	uint8_t bytes[16];
	size_t count;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t length = strlen(vectors[i].bytes);
		size_t used = none_base64_encode((const uint8_t *)vectors[i].bytes, length, text);

		assert_int_equal(used, strlen(vectors[i].text));
		assert_memory_equal(text, vectors[i].text, used);
		assert_true(none_base64_decode(text, used, bytes, &count));
		assert_int_equal(count, length);
		assert_memory_equal(bytes, vectors[i].bytes, length);
	}
	assert_false(none_base64_decode("====", 4, bytes, &count));
	assert_false(none_base64_decode("Zg=", 3, bytes, &count));
	assert_false(none_base64_decode("Z=g=", 4, bytes, &count));
	assert_false(none_base64_decode("Zg==Zg==", 8, bytes, &count));
}

/* The thread. */

static int client;

static void connect_client(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	client = ends[0];
	mw_accel_none.drive(accel, &(struct mw_accel_driver){ ends[1], ends[1], -1 });
}

static void say(const char *text)
{
	assert_int_equal(write(client, text, strlen(text)), strlen(text));
}

static void hears(const char *expected)
{
	char bytes[256];
	size_t got = 0;

	while (got < strlen(expected)) {
		ssize_t count = read(client, bytes + got, strlen(expected) - got);

		assert_true(count > 0);
		got += (size_t)count;
	}
	bytes[got] = '\0';
	assert_string_equal(bytes, expected);
}

static void thread_answers_whole_lines(void **state)
{
	connect_client();
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	say("endian");
	say("ness\nendianness\nin");
	hears("OK little\nOK little\n");
	say("b 0x90\n");
	hears("OK 0x00ff\n");
	mw_machine_stop(toy.machine);
	close(client);
}

static void stop_ends_a_wait_for_the_client(void **state)
{
	connect_client();
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
		if (i % 2)
			usleep(1000);
		mw_machine_stop(toy.machine);
	}
	say("endianness\n");
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	hears("OK little\n");
	mw_machine_stop(toy.machine);
	close(client);
}

/* What a client does not read fills its socket; a stop comes through all the same, and nothing is lost. */
static void stop_ends_a_wait_to_be_read(void **state)
{
	enum { BYTES = RAM_BYTES, LENGTH = 3 + 2 + 2 * BYTES + 1 };
	char *got = mw_alloc(LENGTH, 1);
	size_t count = 0;

	connect_client();
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	say("read 0 0x100000\n");
	usleep(50000);
	mw_machine_stop(toy.machine);
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	while (count < LENGTH) {
		ssize_t some = read(client, got + count, LENGTH - count);

		assert_true(some > 0);
		count += (size_t)some;
	}
	assert_memory_equal(got, "OK 0x00", 7);
	assert_memory_equal(got + LENGTH - 3, "00\n", 3);
	mw_machine_stop(toy.machine);
	close(client);
	free(got);
}

static void client_that_leaves_ends_the_machine(void **state)
{
	connect_client();
	toy.plan.power.reset = MW_ACTION_EXIT;
	say("endianness\n");
	shutdown(client, SHUT_WR);
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), 0);
	hears("OK little\n");
	close(client);
}

static void command_after_a_reset_is_for_the_machine_after_it(void **state)
{
	connect_client();
	say("clock_step 50\noutb 0x80 0xa\noutb 0x80 0\nclock_step 500\ninb 0x80\n");
	shutdown(client, SHUT_WR);
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), 0);
	hears("OK 50\nOK\nOK\nOK 550\nOK 0x0000\n");
	assert_int_equal(mw_machine_resets(toy.machine), 1);
	assert_int_equal(gadget->rings, 0); /* the reset has disarmed it */
	close(client);
}

#define WITH_MACHINE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MACHINE(ports_are_written_and_read),
		WITH_MACHINE(memory_is_written_and_read_in_every_width),
		WITH_MACHINE(ranges_are_hex_or_base_64),
		WITH_MACHINE(range_that_is_not_one_is_refused),
		WITH_MACHINE(device_is_accessed_as_wide_as_the_address_allows),
		WITH_MACHINE(what_nobody_has_reads_as_ones),
		WITH_MACHINE(mistakes_fail),
		WITH_MACHINE(more_words_than_needed_are_passed_over),
		WITH_MACHINE(time_stands_still_until_it_is_stepped),
		WITH_MACHINE(step_without_a_number_goes_to_the_next_deadline),
		WITH_MACHINE(timers_fire_each_at_its_own_time),
		WITH_MACHINE(time_never_goes_back),
		WITH_MACHINE(timer_for_a_time_that_has_passed_fires_before_the_answer),
		WITH_MACHINE(inputs_are_listened_to),
		WITH_MACHINE(outputs_are_listened_to_lines_and_intr),
		WITH_MACHINE(lines_that_timers_move_come_in_their_order),
		WITH_MACHINE(inputs_are_driven),
		WITH_MACHINE(intercepts_are_of_one_node_that_exists),
		WITH_MACHINE(reset_takes_lines_down),
		cmocka_unit_test(base_64_is_what_rfc_4648_says),
		WITH_MACHINE(thread_answers_whole_lines),
		WITH_MACHINE(stop_ends_a_wait_for_the_client),
		WITH_MACHINE(stop_ends_a_wait_to_be_read),
		WITH_MACHINE(client_that_leaves_ends_the_machine),
		WITH_MACHINE(command_after_a_reset_is_for_the_machine_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
