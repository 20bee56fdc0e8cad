/* Standard input and output as a serial line's far end: pipes, files, nothing, and a terminal. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support/rig.h"

extern const struct mw_device_type stdio_type;

enum { IN, OUT, LINK_BYTES = 65536, TURNS = 1000 };

/** The world outside: what our descriptors 0 and 1 were, and the other ends of what they are. */
struct world {
	int kept[2];
	int far[2]; /* far[IN] is written, far[OUT] is read */
	struct rig *rig;
	struct termios before;
};

static void redirect(struct world *world, int in, int out)
{
	fflush(stdout);
	world->kept[IN] = dup(STDIN_FILENO);
	world->kept[OUT] = dup(STDOUT_FILENO);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
}

static int start_on_pipes(void **state)
{
	static struct world world;
	int in[2], out[2];

	signal(SIGPIPE, SIG_IGN);
	if (pipe(in) < 0 || pipe(out) < 0)
		return -1;
	redirect(&world, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	world.far[IN] = in[1];
	world.far[OUT] = out[0];
	world.rig = rig_create(&stdio_type, NULL);
	*state = &world;
	return 0;
}

static int start_on_terminal(void **state)
{
	static struct world world;
	int near, far;

	if (openpty(&far, &near, NULL, NULL, NULL) < 0)
		return -1;
	redirect(&world, near, near);
	close(near);
	world.far[IN] = world.far[OUT] = far;
	tcgetattr(STDIN_FILENO, &world.before);
	world.rig = rig_create(&stdio_type, NULL);
	*state = &world;
	return 0;
}

static void put_back(struct world *world)
{
	dup2(world->kept[IN], STDIN_FILENO);
	dup2(world->kept[OUT], STDOUT_FILENO);
	close(world->kept[IN]);
	close(world->kept[OUT]);
}

static int finish(void **state)
{
	struct world *world = *state;

	rig_destroy(world->rig);
	put_back(world);
	if (world->far[IN] >= 0)
		close(world->far[IN]);
	if (world->far[OUT] >= 0 && world->far[OUT] != world->far[IN])
		close(world->far[OUT]);
	return 0;
}

static void type(struct world *world, const char *text)
{
	assert_int_equal(write(world->far[IN], text, strlen(text)), strlen(text));
}

/* Serves the loop until the device at the stream has `wanted` bytes. */
static void expect_input(struct world *world, const char *wanted)
{
	char got[256] = { 0 };
	size_t count = 0;

	for (unsigned i = 0; i < TURNS && count < strlen(wanted); i++) {
		rig_serve(world->rig, 10);
		count += rig_take(world->rig, "port", got + count, sizeof(got) - 1 - count);
	}
	assert_string_equal(got, wanted);
}

/* Serves the loop and reads what comes out until there are `wanted` bytes. */
static void read_output(struct world *world, uint8_t *bytes, size_t wanted)
{
	struct pollfd output = { .fd = world->far[OUT], .events = POLLIN };
	size_t count = 0;

	for (unsigned i = 0; i < TURNS && count < wanted; i++) {
		rig_serve(world->rig, poll(&output, 1, 0) > 0 ? 0 : 10);
		if (poll(&output, 1, 0) <= 0)
			continue;
		ssize_t more = read(world->far[OUT], bytes + count, wanted - count);

		assert_true(more > 0);
		count += (size_t)more;
	}
	assert_int_equal(count, wanted);
}

static void expect_output(struct world *world, const char *wanted)
{
	uint8_t got[256] = { 0 };

	read_output(world, got, strlen(wanted));
	assert_memory_equal(got, wanted, strlen(wanted));
}

static void input_reaches_the_device(void **state)
{
	type(*state, "hello");
	expect_input(*state, "hello");
}

static void output_of_the_device_comes_out(void **state)
{
	struct world *world = *state;

	rig_send(world->rig, "port", "login: ", 7);
	expect_output(world, "login: ");
}

/* A script's bytes are the guest's, whatever they are: commands are for people. */
static void a_pipe_knows_no_commands(void **state)
{
	struct world *world = *state;
	enum mw_power_event event;
	int code;

	type(world, "\x01x\x03");
	expect_input(world, "\x01x\x03");
	assert_false(rig_power(world->rig, &event, &code));
}

static void end_of_input_stops_reading_and_nothing_else(void **state)
{
	struct world *world = *state;

	type(world, "last");
	close(world->far[IN]);
	world->far[IN] = -1;
	expect_input(world, "last");
	for (unsigned i = 0; i < 10; i++)
		rig_serve(world->rig, 1);
	rig_send(world->rig, "port", "on", 2);
	expect_output(world, "on");
	rig_reset(world->rig);
	rig_send(world->rig, "port", "still", 5);
	expect_output(world, "still");
}

/* 192 KiB into a pipe nobody reads at first: the pipe, the buffer and the link fill up one after the
 * other, then all comes out in order. */
static void slow_reader_loses_nothing(void **state)
{
	struct world *world = *state;
	static uint8_t sent[3 * LINK_BYTES], got[sizeof(sent)];

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 31 >> 3);
	for (unsigned part = 0; part < 3; part++) {
		rig_send(world->rig, "port", sent + part * LINK_BYTES, LINK_BYTES);
		for (unsigned i = 0; i < 20; i++)
			rig_serve(world->rig, 1);
	}
	assert_string_equal(rig_log(world->rig), "");
	read_output(world, got, sizeof(got));
	assert_memory_equal(got, sent, sizeof(sent));
}

static void stopping_flushes(void **state)
{
	struct world *world = *state;
	char got[16] = { 0 };

	rig_send(world->rig, "port", "goodbye", 7);
	rig_stop(world->rig);
	assert_int_equal(read(world->far[OUT], got, sizeof(got) - 1), 7);
	assert_string_equal(got, "goodbye");
}

static void lost_reader_is_told_once(void **state)
{
	struct world *world = *state;

	close(world->far[OUT]);
	world->far[OUT] = -1;
	for (unsigned i = 0; i < 10; i++) {
		rig_send(world->rig, "port", "text", 4);
		rig_serve(world->rig, 1);
	}
	const char *first = strstr(rig_log(world->rig), "output is lost");

	assert_non_null(first);
	assert_null(strstr(first + 1, "output is lost"));
	type(world, "in"); /* and input goes on */
	expect_input(world, "in");
}

static void shared_descriptors_stay_blocking(void **state)
{
	struct world *world = *state;

	rig_send(world->rig, "port", "x", 1);
	expect_output(world, "x");
	assert_false(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK);
}

/* A device that takes nothing holds the reader back; nothing is read and dropped. */
static void full_device_pauses_input(void **state)
{
	struct world *world = *state;
	static char block[4096];
	static uint8_t got[LINK_BYTES + 2 * sizeof(block)];
	size_t count = 0, wanted = LINK_BYTES + sizeof(block);

	memset(block, 'i', sizeof(block));
	rig_hold(world->rig, "port", true);
	for (unsigned i = 0; i < LINK_BYTES / sizeof(block) + 1; i++) {
		assert_int_equal(write(world->far[IN], block, sizeof(block)), sizeof(block));
		for (unsigned turn = 0; turn < 8; turn++)
			rig_serve(world->rig, 1);
	}
	assert_string_equal(rig_log(world->rig), "");
	rig_hold(world->rig, "port", false);
	for (unsigned i = 0; i < TURNS && count < wanted; i++) {
		rig_serve(world->rig, 1);
		count += rig_take(world->rig, "port", got + count, sizeof(got) - count);
	}
	assert_int_equal(count, wanted);
}

static void check_input_from(int fd, const char *wanted)
{
	struct world world = { .far = { -1, -1 } };
	int out[2];

	assert_int_equal(pipe(out), 0);
	redirect(&world, fd, out[1]);
	world.far[OUT] = out[0];
	world.rig = rig_create(&stdio_type, NULL);
	expect_input(&world, wanted);
	for (unsigned i = 0; i < 5; i++)
		rig_serve(world.rig, 1);
	rig_send(world.rig, "port", "out", 3);
	expect_output(&world, "out");
	rig_destroy(world.rig);
	put_back(&world);
	close(out[0]);
	close(out[1]);
}

static void dev_null_is_an_empty_input(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	check_input_from(fd, "");
	close(fd);
}

static void file_is_read_to_its_end(void **state)
{
	FILE *file = tmpfile();

	fputs("from a file", file);
	rewind(file);
	check_input_from(fileno(file), "from a file");
	fclose(file);
}

/* Terminal */

static bool is_raw(void)
{
	struct termios now;

	assert_int_equal(tcgetattr(STDIN_FILENO, &now), 0);
	return !(now.c_lflag & (ICANON | ECHO | ISIG)) && !(now.c_iflag & (ICRNL | IXON));
}

static bool is_as_before(const struct world *world)
{
	struct termios now;

	assert_int_equal(tcgetattr(STDIN_FILENO, &now), 0);
	return now.c_lflag == world->before.c_lflag && now.c_iflag == world->before.c_iflag &&
	       now.c_oflag == world->before.c_oflag;
}

static void terminal_is_raw_while_the_machine_runs(void **state)
{
	struct world *world = *state;

	assert_true(is_raw());
	rig_stop(world->rig);
	assert_true(is_as_before(world));
	rig_start(world->rig);
	assert_true(is_raw());
	rig_destroy(world->rig);
	world->rig = NULL;
	assert_true(is_as_before(world));
}

static void control_keys_go_to_the_guest(void **state)
{
	type(*state, "\x03\x1a\x1c\x11\r");
	expect_input(*state, "\x03\x1a\x1c\x11\r");
}

static void ctrl_a_x_leaves_with_success(void **state)
{
	struct world *world = *state;
	enum mw_power_event event;
	int code = 1;

	type(world, "ls\x01");
	expect_input(world, "ls");
	assert_false(rig_power(world->rig, &event, &code));
	type(world, "x");
	for (unsigned i = 0; i < TURNS && !rig_power(world->rig, &event, &code); i++)
		rig_serve(world->rig, 10);
	assert_int_equal(event, MW_POWER_EXIT);
	assert_int_equal(code, 0);
}

static void ctrl_a_twice_sends_one(void **state)
{
	type(*state, "a\x01\x01"
		     "b");
	expect_input(*state, "a\x01"
			     "b");
}

static void ctrl_a_question_mark_helps(void **state)
{
	struct world *world = *state;

	type(world, "\x01?");
	expect_output(world, "\r\nCtrl-A x");
	type(world, "c");
	expect_input(world, "c");
}

/* 128 KiB through a terminal whose reader is slow; the loop goes on meanwhile. */
static void slow_terminal_loses_nothing(void **state)
{
	struct world *world = *state;
	static uint8_t sent[2 * LINK_BYTES], got[sizeof(sent)];

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)('!' + i % 90);
	for (unsigned part = 0; part < 2; part++) {
		rig_send(world->rig, "port", sent + part * LINK_BYTES, LINK_BYTES);
		rig_serve(world->rig, 1);
	}
	read_output(world, got, sizeof(got));
	assert_memory_equal(got, sent, sizeof(sent));
}

#define ON_PIPES(name)    cmocka_unit_test_setup_teardown(name, start_on_pipes, finish)
#define ON_TERMINAL(name) cmocka_unit_test_setup_teardown(name, start_on_terminal, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PIPES(input_reaches_the_device),
		ON_PIPES(output_of_the_device_comes_out),
		ON_PIPES(a_pipe_knows_no_commands),
		ON_PIPES(end_of_input_stops_reading_and_nothing_else),
		ON_PIPES(slow_reader_loses_nothing),
		ON_PIPES(stopping_flushes),
		ON_PIPES(lost_reader_is_told_once),
		ON_PIPES(shared_descriptors_stay_blocking),
		ON_PIPES(full_device_pauses_input),
		cmocka_unit_test(dev_null_is_an_empty_input),
		cmocka_unit_test(file_is_read_to_its_end),
		ON_TERMINAL(terminal_is_raw_while_the_machine_runs),
		ON_TERMINAL(control_keys_go_to_the_guest),
		ON_TERMINAL(ctrl_a_x_leaves_with_success),
		ON_TERMINAL(ctrl_a_twice_sends_one),
		ON_TERMINAL(ctrl_a_question_mark_helps),
		ON_TERMINAL(slow_terminal_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
