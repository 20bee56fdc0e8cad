/* Callbacks never nest; lines arrive as the value of the moment of delivery. */
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"

static int depth; /* of callbacks on the one thread these tests have */

static void enter(void)
{
	assert_int_equal(depth++, 0);
}

static void leave(void)
{
	depth--;
}

/* A port whose writes drive a line: bit 0 is the level, bit 1 asks for a pulse. */
struct driver {
	struct mw_line *out;
};

static enum mw_io drive(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct driver *driver = self;

	enter();
	if (value & 2) {
		mw_line_set(driver->out, true);
		mw_line_set(driver->out, false);
	} else {
		mw_line_set(driver->out, value & 1);
	}
	leave();
	return MW_IO_OK;
}

static const struct mw_region driver_regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = drive },
};
static const struct mw_wire driver_wires[] = {
	{ "out", "A line.", MW_FIELD(struct driver, out) },
};
static const struct mw_device_type driver_type = {
	MW_DEVICE_TYPE,
	.name = "driver",
	.summary = "drives a line",
	.size = sizeof(struct driver),
	.regions = MW_TABLE(driver_regions),
	.wires = MW_TABLE(driver_wires),
};

/* Writes down what arrives: '+' and '-' per input, and echoes to its own output. */
struct listener {
	struct mw_line *echo;
	bool inverts;
	char heard[64];
};

static void hear(void *self, unsigned index, bool level)
{
	struct listener *listener = self;
	size_t length = strlen(listener->heard);

	enter();
	if (length + 2 < sizeof(listener->heard)) {
		listener->heard[length] = (char)('0' + index);
		listener->heard[length + 1] = level ? '+' : '-';
	}
	mw_line_set(listener->echo, listener->inverts ? !level : level);
	leave();
}

static const struct mw_wire listener_wires[] = {
	{ "in", "Inputs.", MW_SINK(4), .on_level = hear },
	{ "echo", "Repeats what was heard.", MW_FIELD(struct listener, echo) },
};
static const struct mw_device_type listener_type = {
	MW_DEVICE_TYPE,
	.name = "listener",
	.summary = "hears lines",
	.size = sizeof(struct listener),
	.wires = MW_TABLE(listener_wires),
};

static void level_reaches_its_sink_before_the_access_ends(void **state)
{
	struct toy toy = { 0 };
	uint32_t driver = toy_node(&toy, "driver", &driver_type);
	uint32_t listener = toy_node(&toy, "listener", &listener_type);

	toy_claim(&toy, driver, "port", 0x10, 1);
	toy_wire(&toy, driver, "out", listener, "in", 2);
	toy_build(&toy);
	struct listener *ear = toy_device(&toy, listener);

	toy_out(&toy, 0x10, 1, 1);
	assert_string_equal(ear->heard, "2+");
	toy_out(&toy, 0x10, 1, 1); /* no change, nothing to hear */
	toy_out(&toy, 0x10, 1, 0);
	assert_string_equal(ear->heard, "2+2-");
	toy_fini(&toy);
}

static void pulse_within_one_callback_is_not_lost(void **state)
{
	struct toy toy = { 0 };
	uint32_t driver = toy_node(&toy, "driver", &driver_type);
	uint32_t listener = toy_node(&toy, "listener", &listener_type);

	toy_claim(&toy, driver, "port", 0x10, 1);
	toy_wire(&toy, driver, "out", listener, "in", 0);
	toy_build(&toy);
	toy_out(&toy, 0x10, 1, 2);
	assert_string_equal(((struct listener *)toy_device(&toy, listener))->heard, "0+0-");
	toy_fini(&toy);
}

static void shared_line_is_the_or_of_its_sources(void **state)
{
	struct toy toy = { 0 };
	uint32_t one = toy_node(&toy, "one", &driver_type);
	uint32_t two = toy_node(&toy, "two", &driver_type);
	uint32_t listener = toy_node(&toy, "listener", &listener_type);

	toy_claim(&toy, one, "port", 0x10, 1);
	toy_claim(&toy, two, "port", 0x11, 1);
	uint32_t net = toy_wire(&toy, one, "out", listener, "in", 1);

	toy_wire(&toy, two, "out", listener, "in", 1);
	toy.claims[two][1].net = net;
	toy_build(&toy);
	struct listener *ear = toy_device(&toy, listener);

	toy_out(&toy, 0x10, 1, 1);
	toy_out(&toy, 0x11, 1, 1);
	toy_out(&toy, 0x10, 1, 0);
	assert_string_equal(ear->heard, "1+");
	toy_out(&toy, 0x11, 1, 0);
	assert_string_equal(ear->heard, "1+1-");
	toy_fini(&toy);
}

static void chain_runs_through_several_devices(void **state)
{
	struct toy toy = { 0 };
	uint32_t driver = toy_node(&toy, "driver", &driver_type);
	uint32_t first = toy_node(&toy, "first", &listener_type);
	uint32_t second = toy_node(&toy, "second", &listener_type);

	toy_claim(&toy, driver, "port", 0x10, 1);
	toy_wire(&toy, driver, "out", first, "in", 0);
	toy_wire(&toy, first, "echo", second, "in", 3);
	toy_build(&toy);
	toy_out(&toy, 0x10, 1, 1);
	assert_string_equal(((struct listener *)toy_device(&toy, second))->heard, "3+");
	toy_fini(&toy);
}

/* An inverter that feeds itself would never come to rest. */
static void endless_chain_is_cut_and_logged(void **state)
{
	struct toy toy = { 0 };
	uint32_t driver = toy_node(&toy, "driver", &driver_type);
	uint32_t ring = toy_node(&toy, "ring", &listener_type);

	toy_claim(&toy, driver, "port", 0x10, 1);
	toy_wire(&toy, driver, "out", ring, "in", 0);
	toy_wire(&toy, ring, "echo", ring, "in", 1);
	toy_build(&toy);
	((struct listener *)toy_device(&toy, ring))->inverts = true;
	toy_out(&toy, 0x10, 1, 1); /* its echo is low already */
	assert_string_equal(toy_log(&toy), "");
	toy_out(&toy, 0x10, 1, 0);
	assert_non_null(strstr(toy_log(&toy), "chain of more than 1000 deliveries"));
	toy_out(&toy, 0x10, 1, 1); /* the machine goes on */
	toy_fini(&toy);
}

/* A backend that shows by a line that it is busy, and a device that reads it. */
struct lamp_file {
	struct mw_line *lamp;
};
struct lamp_reader {
	struct mw_image *image;
};

static uint64_t lamp_size(void *self)
{
	return 4;
}

static bool lamp_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	struct lamp_file *file = self;

	memset(bytes, 0x42, count);
	mw_line_set(file->lamp, true);
	mw_line_set(file->lamp, false);
	return true;
}

static enum mw_io read_image(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	uint8_t byte = 0;

	mw_image_read(((struct lamp_reader *)self)->image, 0, &byte, 1);
	*value = byte;
	return MW_IO_OK;
}

static const struct mw_wire lamp_file_wires[] = {
	{ "image", "What is read.", .kind = MW_IMAGE, .direction = MW_RECEIVES,
	  .on_size = lamp_size, .on_read = lamp_read },
	{ "lamp", "Busy.", MW_FIELD(struct lamp_file, lamp) },
};
static const struct mw_device_type lamp_file_type = {
	MW_DEVICE_TYPE,
	.name = "lamp-file",
	.summary = "a file with a lamp",
	.size = sizeof(struct lamp_file),
	.wires = MW_TABLE(lamp_file_wires),
};
static const struct mw_region lamp_reader_regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .read = read_image },
};
static const struct mw_wire lamp_reader_wires[] = {
	{ "image", "What is read.", MW_FIELD(struct lamp_reader, image) },
};
static const struct mw_device_type lamp_reader_type = {
	MW_DEVICE_TYPE,
	.name = "lamp-reader",
	.summary = "reads a file",
	.size = sizeof(struct lamp_reader),
	.regions = MW_TABLE(lamp_reader_regions),
	.wires = MW_TABLE(lamp_reader_wires),
};

static void backend_that_is_read_may_drive_lines(void **state)
{
	struct toy toy = { 0 };
	uint32_t reader = toy_node(&toy, "reader", &lamp_reader_type);
	uint32_t file = toy_node(&toy, "file", &lamp_file_type);
	uint32_t listener = toy_node(&toy, "listener", &listener_type);

	toy.nodes[file].host = true;
	toy_claim(&toy, reader, "port", 0x10, 1);
	toy_link(&toy, reader, "image", file, "image");
	toy_wire(&toy, file, "lamp", listener, "in", 1);
	toy_build(&toy);
	assert_int_equal(toy_in(&toy, 0x10, 1), 0x42);
	assert_string_equal(((struct listener *)toy_device(&toy, listener))->heard, "1+1-");
	toy_fini(&toy);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* Each write starts an endless chain anew: a line in the log for each would fill the host's disk. */
static void log_of_endless_chains_is_limited(void **state)
{
	struct toy toy = { 0 };
	uint32_t driver = toy_node(&toy, "driver", &driver_type);
	uint32_t ring = toy_node(&toy, "ring", &listener_type);

	toy_claim(&toy, driver, "port", 0x10, 1);
	toy_wire(&toy, driver, "out", ring, "in", 0);
	toy_wire(&toy, ring, "echo", ring, "in", 1);
	toy_build(&toy);
	((struct listener *)toy_device(&toy, ring))->inverts = true;
	for (int i = 0; i < 200; i++)
		toy_out(&toy, 0x10, 1, i & 1);
	assert_in_range(count_lines(toy_log(&toy)), 1, 20);
	toy_fini(&toy);
}

/* Bytes that a terminal would take for commands. */
static enum mw_io write_odd_text(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	mw_guest_log(self, "the guest says \033]0;%c\007 and \r\n", (int)value);
	return MW_IO_OK;
}

static const struct mw_region odd_regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = write_odd_text },
};
static const struct mw_device_type odd_type = {
	MW_DEVICE_TYPE,
	.name = "odd",
	.summary = "logs what it is told",
	.size = 1,
	.regions = MW_TABLE(odd_regions),
};

/* A log line amid the guest's console. */
static void log_line_on_a_raw_terminal_returns_to_the_margin(void **state)
{
	struct toy toy = { 0 };
	char text[64] = "";
	int ours = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios settings;

	assert_int_equal(grantpt(ours) | unlockpt(ours), 0);
	FILE *log = fopen(ptsname(ours), "r+");

	assert_non_null(log);
	assert_int_equal(tcgetattr(fileno(log), &settings), 0);
	cfmakeraw(&settings);
	assert_int_equal(tcsetattr(fileno(log), TCSANOW, &settings), 0);
	toy_build(&toy);
	mw_machine_set_log(toy.machine, log);
	mw_log_line(toy.machine, "raw");
	assert_true(read(ours, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "millwright: raw\r\n");
	toy_fini(&toy);
	fclose(log);
	close(ours);
}

static void guest_cannot_steer_the_terminal_through_the_log(void **state)
{
	struct toy toy = { 0 };
	uint32_t odd = toy_node(&toy, "odd", &odd_type);

	toy_claim(&toy, odd, "port", 0x10, 1);
	toy_build(&toy);
	toy_out(&toy, 0x10, 1, 'x');
	assert_string_equal(toy_log(&toy),
			    "millwright: guest: odd: the guest says ?]0;x? and ??\n");
	toy_fini(&toy);
}

static void many_noisy_nodes_share_one_limit(void **state)
{
	enum { NODES = 16 };
	struct toy toy = { 0 };
	char ids[NODES][4];

	for (unsigned i = 0; i < NODES; i++) {
		snprintf(ids[i], sizeof(ids[i]), "n%u", i);
		toy_claim(&toy, toy_node(&toy, ids[i], &odd_type), "port", 0x10 + i, 1);
	}
	toy_build(&toy);
	for (unsigned i = 0; i < NODES * 100; i++)
		toy_out(&toy, (uint16_t)(0x10 + i % NODES), 1, 'x');
	size_t lines = count_lines(toy_log(&toy));

	assert_int_equal(lines, 100);
	mw_machine_destroy(toy.machine); /* tells what was left out */
	toy.machine = NULL;
	assert_int_equal(count_lines(toy_log(&toy)), lines + NODES + 1);
	assert_non_null(strstr(toy_log(&toy), "n3: 90 more lines like these"));
	toy_fini(&toy);
}

static void reset_takes_lines_down_silently(void **state)
{
	struct toy toy = { 0 };
	uint32_t driver = toy_node(&toy, "driver", &driver_type);
	uint32_t listener = toy_node(&toy, "listener", &listener_type);

	toy_claim(&toy, driver, "port", 0x10, 1);
	toy_wire(&toy, driver, "out", listener, "in", 0);
	toy_build(&toy);
	toy_out(&toy, 0x10, 1, 1);
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	toy_out(&toy, 0x10, 1, 1); /* a rising edge again */
	assert_string_equal(((struct listener *)toy_device(&toy, listener))->heard, "0+0+");
	toy_fini(&toy);
}

static void unconnected_line_leads_nowhere(void **state)
{
	struct toy toy = { 0 };
	uint32_t driver = toy_node(&toy, "driver", &driver_type);

	toy_claim(&toy, driver, "port", 0x10, 1);
	toy_build(&toy);
	toy_out(&toy, 0x10, 1, 1);
	toy_out(&toy, 0x10, 1, 2);
	toy_fini(&toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(level_reaches_its_sink_before_the_access_ends),
		cmocka_unit_test(pulse_within_one_callback_is_not_lost),
		cmocka_unit_test(shared_line_is_the_or_of_its_sources),
		cmocka_unit_test(chain_runs_through_several_devices),
		cmocka_unit_test(endless_chain_is_cut_and_logged),
		cmocka_unit_test(backend_that_is_read_may_drive_lines),
		cmocka_unit_test(log_of_endless_chains_is_limited),
		cmocka_unit_test(log_line_on_a_raw_terminal_returns_to_the_margin),
		cmocka_unit_test(guest_cannot_steer_the_terminal_through_the_log),
		cmocka_unit_test(many_noisy_nodes_share_one_limit),
		cmocka_unit_test(reset_takes_lines_down_silently),
		cmocka_unit_test(unconnected_line_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
