/* A pseudo terminal as a byte stream's far end: who opens it, who closes it, and who never does. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/peer.h"

extern const struct mw_device_type pty_type;

enum { MUCH = 1 << 19, LINK_BYTES = 65536 };

static struct rig *create(bool wait)
{
	const struct rig_setting settings[] = { { "wait", wait, NULL }, { 0 } };

	return rig_create(&pty_type, settings);
}

/* Where the log says it is. */
static const char *terminal_of(struct rig *rig)
{
	static char path[64];
	const char *line = strstr(rig_log(rig), "the terminal is ");

	assert_non_null(line);
	assert_int_equal(sscanf(line, "the terminal is %63s", path), 1);
	return path;
}

static struct peer open_terminal(const char *path)
{
	struct peer peer = { .fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) };

	assert_true(peer.fd >= 0);
	return peer;
}

static void whoever_opens_it_talks(void **state)
{
	struct rig *rig = create(false);

	for (unsigned i = 0; i < 3; i++) {
		struct peer peer = open_terminal(terminal_of(rig));

		peer_send(rig, &peer, "from the peer");
		rig_send(rig, "port", "from the device", 15);
		peer_expect(rig, &peer, "from the device");
		peer_close(&peer);
		peer_idle(rig);
	}
	rig_destroy(rig);
}

static void terminal_is_raw(void **state)
{
	struct rig *rig = create(false);

	for (unsigned i = 0; i < 2; i++) {
		struct peer peer = open_terminal(terminal_of(rig));
		struct termios settings;

		assert_int_equal(tcgetattr(peer.fd, &settings), 0);
		assert_false(settings.c_lflag & (ICANON | ECHO | ISIG));
		assert_false(settings.c_oflag & OPOST);
		peer_send(rig, &peer, "\x03\x04\r\n\x11\x13\x7f\xff");
		rig_send(rig, "port", "\n\r\x03\x11\xff", 5);
		peer_expect(rig, &peer, "\n\r\x03\x11\xff");
		peer_close(&peer);
		peer_idle(rig);
	}
	rig_destroy(rig);
}

static void slow_ends_lose_nothing(void **state)
{
	struct rig *rig = create(false);
	struct peer peer = open_terminal(terminal_of(rig));

	peer_send(rig, &peer, "!");
	peer_exchange(rig, &peer, MUCH);
	rig_destroy(rig);
	peer_close(&peer);
}

static void output_to_nobody_is_dropped(void **state)
{
	struct rig *rig = create(false);
	uint8_t block[4096] = { 0 };

	for (unsigned i = 0; i < 100; i++)
		rig_send(rig, "port", block, sizeof(block));
	assert_int_equal(peer_room(rig), LINK_BYTES);
	struct peer peer = open_terminal(terminal_of(rig));

	rig_send(rig, "port", "heard", 5); /* at once */
	peer_expect(rig, &peer, "heard");
	rig_destroy(rig);
	peer_close(&peer);
}

static void output_waits_for_a_peer_if_told_to(void **state)
{
	struct rig *rig = create(true);

	rig_send(rig, "port", "login: ", 7);
	peer_idle(rig);
	struct peer peer = open_terminal(terminal_of(rig));

	peer_expect(rig, &peer, "login: ");
	rig_destroy(rig);
	peer_close(&peer);
}

/* As `echo text > terminal` does. */
static void who_leaves_at_once_is_heard(void **state)
{
	struct rig *rig = create(false);
	struct peer peer = open_terminal(terminal_of(rig));
	char got[16] = { 0 };
	size_t count = 0;

	assert_int_equal(write(peer.fd, "brief", 5), 5);
	peer_close(&peer);
	for (unsigned i = 0; i < PEER_TURNS && count < 5; i++) {
		rig_serve(rig, 1);
		count += rig_take(rig, "port", got + count, sizeof(got) - count);
	}
	assert_string_equal(got, "brief");
	rig_destroy(rig);
}

/* Milliseconds of this process's CPU, or of the world. */
static int64_t ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void expect_rest(struct rig *rig)
{
	int64_t before = ms(CLOCK_PROCESS_CPUTIME_ID), end = ms(CLOCK_MONOTONIC) + 400;
	unsigned turns = 0;

	for (; ms(CLOCK_MONOTONIC) < end; turns++)
		rig_serve(rig, 100);
	assert_in_range(turns, 0, 50);
	assert_in_range(ms(CLOCK_PROCESS_CPUTIME_ID) - before, 0, 200);
}

static void nobody_there_is_no_spin(void **state)
{
	struct rig *rig = create(false);

	expect_rest(rig);
	struct peer peer = open_terminal(terminal_of(rig));

	peer_send(rig, &peer, "here");
	peer_close(&peer);
	peer_idle(rig);
	expect_rest(rig);
	rig_stop(rig);
	expect_rest(rig);
	rig_start(rig);
	rig_destroy(rig);
}

static void stop_and_start_keep_the_terminal(void **state)
{
	struct rig *rig = create(false);
	struct peer peer = open_terminal(terminal_of(rig));

	peer_send(rig, &peer, "before");
	rig_stop(rig);
	rig_start(rig);
	peer_send(rig, &peer, "after");
	rig_reset(rig);
	peer_send(rig, &peer, "after that");
	const char *first = strstr(rig_log(rig), "the terminal is");

	assert_null(strstr(first + 1, "the terminal is")); /* told once */
	rig_destroy(rig);
	peer_close(&peer);
}

static void path_is_a_link_to_it(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->path }, { 0 } };
	struct stat status;

	assert_int_equal(symlink("/dev/pts/99999", place->path), 0); /* an earlier run's */
	struct rig *rig = rig_create(&pty_type, settings);
	struct peer peer = open_terminal(place->path);

	peer_send(rig, &peer, "hello");
	rig_destroy(rig);
	assert_int_equal(lstat(place->path, &status), -1);
	peer_close(&peer);
}

static void what_is_no_link_is_not_touched(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->path }, { 0 } };
	int fd = open(place->path, O_CREAT | O_WRONLY, 0600);
	struct stat status;

	close(fd);
	peer_expect_refusal(&pty_type, settings, "File exists");
	assert_int_equal(lstat(place->path, &status), 0);
	unlink(place->path);
	assert_int_equal(symlink("/etc/passwd", place->path), 0);
	peer_expect_refusal(&pty_type, settings, "File exists");
}

static void link_of_another_is_kept(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->path }, { 0 } };
	struct rig *rig = rig_create(&pty_type, settings);
	struct stat status;

	unlink(place->path);
	assert_int_equal(symlink("/dev/pts/99999", place->path), 0);
	rig_destroy(rig);
	assert_int_equal(lstat(place->path, &status), 0);
}

static void no_descriptor_is_left_behind(void **state)
{
	unsigned before = peer_descriptors();

	for (unsigned i = 0; i < 3; i++) {
		struct rig *rig = create(false);
		struct peer peer = open_terminal(terminal_of(rig));

		peer_send(rig, &peer, "hello");
		peer_close(&peer);
		peer_idle(rig);
		rig_destroy(rig);
		assert_int_equal(peer_descriptors(), before);
	}
}

#define IN_PLACE(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_opens_it_talks),
		cmocka_unit_test(terminal_is_raw),
		cmocka_unit_test(slow_ends_lose_nothing),
		cmocka_unit_test(output_to_nobody_is_dropped),
		cmocka_unit_test(output_waits_for_a_peer_if_told_to),
		cmocka_unit_test(who_leaves_at_once_is_heard),
		cmocka_unit_test(nobody_there_is_no_spin),
		cmocka_unit_test(stop_and_start_keep_the_terminal),
		IN_PLACE(path_is_a_link_to_it),
		IN_PLACE(what_is_no_link_is_not_touched),
		IN_PLACE(link_of_another_is_kept),
		cmocka_unit_test(no_descriptor_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
