/* A local socket as a byte stream's far end: peers that come, go, sleep and send too much. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/peer.h"

extern const struct mw_device_type unix_type;

enum { MUCH = 1 << 20, LINK_BYTES = 65536 };

static struct rig *serve(const struct place *place, bool wait)
{
	const struct rig_setting settings[] = {
		{ "path", 0, place->path },
		{ "server", true, NULL },
		{ "wait", wait, NULL },
		{ "retry_ms", 20, NULL },
		{ 0 },
	};

	return rig_create(&unix_type, settings);
}

static struct rig *be_client(const struct place *place, bool wait)
{
	const struct rig_setting settings[] = {
		{ "path", 0, place->path },
		{ "wait", wait, NULL },
		{ "retry_ms", 20, NULL },
		{ 0 },
	};

	return rig_create(&unix_type, settings);
}

static struct peer join(const struct place *place)
{
	struct peer peer = { .fd = peer_connect_unix(place->path) };

	assert_true(peer.fd >= 0);
	return peer;
}

static void server_and_peer_talk(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);

	peer_send(rig, &peer, "from the peer");
	rig_send(rig, "port", "from the device", 15);
	peer_expect(rig, &peer, "from the device");
	rig_destroy(rig);
	peer_close(&peer);
}

static void client_and_server_talk(void **state)
{
	struct place *place = *state;
	int listener = peer_listen_unix(place->path);
	struct rig *rig = be_client(place, false);
	struct peer peer = peer_accept(rig, listener);

	peer_send(rig, &peer, "from the peer");
	rig_send(rig, "port", "from the device", 15);
	peer_expect(rig, &peer, "from the device");
	rig_destroy(rig);
	peer_close(&peer);
	close(listener);
}

static void slow_ends_lose_nothing(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);

	peer_send(rig, &peer, "!");
	peer_exchange(rig, &peer, MUCH);
	rig_destroy(rig);
	peer_close(&peer);
}

static void slow_ends_of_a_client_lose_nothing(void **state)
{
	struct place *place = *state;
	int listener = peer_listen_unix(place->path);
	struct rig *rig = be_client(place, false);
	struct peer peer = peer_accept(rig, listener);

	peer_exchange(rig, &peer, MUCH);
	rig_destroy(rig);
	peer_close(&peer);
	close(listener);
}

static void output_without_a_peer_is_dropped(void **state)
{
	struct rig *rig = serve(*state, false);
	uint8_t block[4096] = { 0 };

	for (unsigned i = 0; i < 100; i++)
		rig_send(rig, "port", block, sizeof(block));
	assert_int_equal(peer_room(rig), LINK_BYTES);
	struct peer peer = join(*state);

	peer_send(rig, &peer, "here");
	rig_send(rig, "port", "heard", 5);
	peer_expect(rig, &peer, "heard");
	rig_destroy(rig);
	peer_close(&peer);
}

static void output_waits_for_a_peer_if_told_to(void **state)
{
	struct rig *rig = serve(*state, true);
	static uint8_t sent[LINK_BYTES], got[sizeof(sent)];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 31 >> 3);
	rig_send(rig, "port", sent, LINK_BYTES);
	assert_int_equal(peer_room(rig), 0); /* the guest is held back, and core has the bytes */
	struct peer peer = join(*state);

	for (unsigned i = 0; i < PEER_TURNS && count < sizeof(got); i++) {
		rig_serve(rig, 1);
		ssize_t more = read(peer.fd, got + count, sizeof(got) - count);

		count += more > 0 ? (size_t)more : 0;
	}
	assert_int_equal(count, sizeof(sent));
	assert_memory_equal(got, sent, sizeof(sent));
	rig_destroy(rig);
	peer_close(&peer);
}

static void server_takes_the_next_peer(void **state)
{
	struct rig *rig = serve(*state, false);

	for (unsigned i = 0; i < 5; i++) {
		struct peer peer = join(*state);

		peer_send(rig, &peer, "hello");
		rig_send(rig, "port", "hello yourself", 14);
		peer_expect(rig, &peer, "hello yourself");
		peer_close(&peer);
	}
	assert_string_equal(rig_log(rig), "");
	rig_destroy(rig);
}

static void client_connects_again(void **state)
{
	struct place *place = *state;
	struct rig *rig = be_client(place, false);

	peer_idle(rig);
	int listener = peer_listen_unix(place->path);

	for (unsigned i = 0; i < 5; i++) {
		struct peer peer = peer_accept(rig, listener);

		peer_send(rig, &peer, "hello");
		peer_close(&peer);
	}
	const char *first = strstr(rig_log(rig), "cannot connect, trying again: No such file");

	assert_non_null(first);
	assert_null(strstr(first + 1, "cannot connect")); /* once */
	rig_destroy(rig);
	close(listener);
}

static void second_peer_is_refused(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);

	peer_send(rig, &peer, "first");
	struct peer second = join(*state);

	peer_expect_end(rig, &second);
	peer_expect_log(rig, "a second peer is refused");
	peer_send(rig, &peer, "still here");
	rig_destroy(rig);
	peer_close(&peer);
}

/* What was sent before the peer left arrives, though output to it fails meanwhile. */
static void last_words_arrive(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);
	static char words[3 * LINK_BYTES], got[sizeof(words)];
	size_t count = 0, sent = 0;

	peer_send(rig, &peer, "!");
	rig_hold(rig, "port", true);
	memset(words, 'w', sizeof(words));
	for (unsigned i = 0; i < PEER_TURNS && sent < 2 * LINK_BYTES; i++) {
		ssize_t more = write(peer.fd, words, sizeof(words) - sent);

		sent += more > 0 ? (size_t)more : 0;
		rig_serve(rig, 0);
	}
	peer_close(&peer);
	for (unsigned i = 0; i < 20; i++) {
		rig_send(rig, "port", "anybody?", 8);
		rig_serve(rig, 1);
	}
	rig_hold(rig, "port", false);
	for (unsigned i = 0; i < PEER_TURNS && count < sent; i++) {
		rig_serve(rig, 1);
		count += rig_take(rig, "port", got, sizeof(got));
	}
	assert_int_equal(count, sent);
	peer = join(*state);
	peer_send(rig, &peer, "the next");
	rig_destroy(rig);
	peer_close(&peer);
}

static void stopped_machine_reads_and_connects_nothing(void **state)
{
	struct place *place = *state;
	int listener = peer_listen_unix(place->path);
	struct rig *rig = be_client(place, false);
	struct peer peer = peer_accept(rig, listener);

	rig_stop(rig);
	assert_int_equal(write(peer.fd, "later", 5), 5);
	peer_idle(rig);
	char got[8];

	assert_int_equal(rig_take(rig, "port", got, sizeof(got)), 0);
	rig_start(rig);
	for (unsigned i = 0; i < PEER_TURNS && !rig_take(rig, "port", got, sizeof(got)); i++)
		rig_serve(rig, 1);
	assert_memory_equal(got, "later", 5);
	peer_close(&peer);
	peer_idle(rig);
	rig_stop(rig);
	peer_idle(rig);
	while ((peer.fd = accept(listener, NULL, NULL)) >= 0)
		close(peer.fd); /* one may have come before */
	peer_idle(rig);
	assert_true(accept(listener, NULL, NULL) < 0);
	rig_start(rig);
	peer = peer_accept(rig, listener);
	rig_destroy(rig);
	peer_close(&peer);
	close(listener);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A socket says that it is writable only when it is empty by far, but takes more. */
static size_t fill(struct rig *rig, size_t sent)
{
	uint8_t block[4096];

	for (unsigned i = 0; i < 1000 && peer_room(rig) >= sizeof(block); i++) {
		for (size_t b = 0; b < sizeof(block); b++)
			block[b] = (uint8_t)((sent + b) * 13 >> 4);
		rig_send(rig, "port", block, sizeof(block));
		sent += sizeof(block);
		rig_serve(rig, 0);
	}
	return sent;
}

/* A peer that sleeps holds up a stop for a moment; and nothing is lost by it. */
static void stop_while_full_loses_nothing(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);
	static uint8_t got[4096];
	size_t sent = 0, received = 0;
	int64_t took = 0;

	peer_send(rig, &peer, "!");
	for (unsigned i = 0; i < 20 && took < 80; i++) {
		sent = fill(rig, sent);
		took = -now_ms();
		rig_stop(rig);
		took += now_ms();
		rig_start(rig);
	}
	assert_in_range(took, 80, 30000);
	for (unsigned i = 0; i < PEER_TURNS && received < sent; i++) {
		rig_serve(rig, 1);
		ssize_t more = read(peer.fd, got, sizeof(got));

		for (ssize_t b = 0; b < more; b++, received++)
			assert_int_equal(got[b], (uint8_t)(received * 13 >> 4));
	}
	assert_int_equal(received, sent);
	assert_null(strstr(rig_log(rig), "lost"));
	rig_destroy(rig);
	peer_close(&peer);
}

static void the_end_flushes(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);
	char got[16] = { 0 };

	peer_send(rig, &peer, "!");
	rig_send(rig, "port", "goodbye", 7);
	rig_destroy(rig);
	assert_int_equal(read(peer.fd, got, sizeof(got)), 7);
	assert_string_equal(got, "goodbye");
	assert_int_equal(read(peer.fd, got, sizeof(got)), 0);
	peer_close(&peer);
}

static void reset_keeps_the_peer(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);

	peer_send(rig, &peer, "before");
	rig_reset(rig);
	peer_send(rig, &peer, "after");
	rig_send(rig, "port", "out", 3);
	peer_expect(rig, &peer, "out");
	rig_destroy(rig);
	peer_close(&peer);
}

static void socket_file_is_removed(void **state)
{
	struct place *place = *state;
	struct stat status;
	struct rig *rig = serve(place, false);

	assert_int_equal(stat(place->path, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	rig_destroy(rig);
	assert_int_equal(stat(place->path, &status), -1);
}

static void file_of_another_is_kept(void **state)
{
	struct place *place = *state;
	struct stat status;
	struct rig *rig = serve(place, false);

	unlink(place->path);
	int other = peer_listen_unix(place->path);

	rig_destroy(rig);
	assert_int_equal(stat(place->path, &status), 0);
	close(other);
}

static void stale_socket_is_replaced(void **state)
{
	struct place *place = *state;

	close(peer_listen_unix(place->path));
	struct rig *rig = serve(place, false);
	struct peer peer = join(place);

	peer_send(rig, &peer, "hello");
	rig_destroy(rig);
	peer_close(&peer);
}

static void live_socket_is_not_taken_over(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->path },
						{ "server", true, NULL },
						{ 0 } };
	struct stat before, after;
	int listener = peer_listen_unix(place->path);

	assert_int_equal(stat(place->path, &before), 0);
	peer_expect_refusal(&unix_type, settings, "another process listens there");
	assert_int_equal(stat(place->path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	close(listener);
}

static void what_is_no_socket_is_not_touched(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->path },
						{ "server", true, NULL },
						{ 0 } };
	int fd = open(place->path, O_CREAT | O_WRONLY, 0600);

	close(fd);
	peer_expect_refusal(&unix_type, settings, "it is there and no socket");
	assert_int_equal(access(place->path, F_OK), 0);
}

static void path_must_fit(void **state)
{
	char path[200] = { 0 };
	const struct rig_setting settings[] = { { "path", 0, path }, { 0 } };
	const struct rig_setting nowhere[] = { { "path", 0, "/no/such/folder/socket" },
					       { "server", true, NULL },
					       { 0 } };

	memset(path, 'x', sizeof(path) - 1);
	peer_expect_refusal(&unix_type, settings, "File name too long");
	peer_expect_refusal(&unix_type, nowhere,
			    "cannot listen at /no/such/folder/socket: No such file or directory");
}

static void no_descriptor_is_left_behind(void **state)
{
	unsigned before = peer_descriptors();

	for (unsigned i = 0; i < 3; i++) {
		struct rig *rig = serve(*state, false);

		for (unsigned n = 0; n < 5; n++) {
			struct peer peer = join(*state), second = join(*state);

			peer_send(rig, &peer, "hello");
			peer_expect_end(rig, &second);
			peer_close(&peer);
			peer_idle(rig);
		}
		rig_destroy(rig);
		assert_int_equal(peer_descriptors(), before);
	}
}

/* Milliseconds of this process's CPU. */
static int64_t cpu_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* Turns of the loop that do not sleep are a spin. */
static void expect_rest(struct rig *rig)
{
	int64_t before = cpu_ms(), end = now_ms() + 300;
	unsigned turns = 0;

	for (; now_ms() < end; turns++)
		rig_serve(rig, 100);
	assert_in_range(turns, 0, 100);
	assert_in_range(cpu_ms() - before, 0, 250);
}

static void lack_of_descriptors_is_no_spin(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);
	struct rlimit before, few;

	peer_send(rig, &peer, "first");
	peer_close(&peer);
	peer_idle(rig);
	peer = join(*state);
	int highest = dup(0);

	close(highest);
	getrlimit(RLIMIT_NOFILE, &before);
	few = (struct rlimit){ (rlim_t)highest, before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &few);
	peer_idle(rig);
	expect_rest(rig);
	setrlimit(RLIMIT_NOFILE, &before);
	peer_send(rig, &peer, "second");
	rig_destroy(rig);
	peer_close(&peer);
}

static void peer_that_left_a_full_stream_is_no_spin(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);
	static char block[LINK_BYTES];

	peer_send(rig, &peer, "!");
	rig_hold(rig, "port", true);
	for (unsigned i = 0; i < 8; i++) {
		ssize_t sent = write(peer.fd, block, sizeof(block));

		(void)sent;
		rig_serve(rig, 1);
	}
	peer_close(&peer);
	rig_send(rig, "port", "anybody?", 8);
	peer_idle(rig);
	expect_rest(rig);
	rig_destroy(rig);
}

static void broken_pipe_is_no_signal(void **state)
{
	struct rig *rig = serve(*state, false);
	struct peer peer = join(*state);

	signal(SIGPIPE, SIG_DFL);
	peer_send(rig, &peer, "!");
	rig_hold(rig, "port", true);
	shutdown(peer.fd, SHUT_RD);
	for (unsigned i = 0; i < 10; i++) {
		rig_send(rig, "port", "text", 4);
		rig_serve(rig, 1);
	}
	rig_hold(rig, "port", false);
	peer_send(rig, &peer, "but I speak"); /* who hears nothing may still speak */
	rig_destroy(rig);
	peer_close(&peer);
}

#define IN_PLACE(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		IN_PLACE(server_and_peer_talk),
		IN_PLACE(client_and_server_talk),
		IN_PLACE(slow_ends_lose_nothing),
		IN_PLACE(slow_ends_of_a_client_lose_nothing),
		IN_PLACE(output_without_a_peer_is_dropped),
		IN_PLACE(output_waits_for_a_peer_if_told_to),
		IN_PLACE(server_takes_the_next_peer),
		IN_PLACE(client_connects_again),
		IN_PLACE(second_peer_is_refused),
		IN_PLACE(last_words_arrive),
		IN_PLACE(stopped_machine_reads_and_connects_nothing),
		IN_PLACE(stop_while_full_loses_nothing),
		IN_PLACE(the_end_flushes),
		IN_PLACE(reset_keeps_the_peer),
		IN_PLACE(socket_file_is_removed),
		IN_PLACE(file_of_another_is_kept),
		IN_PLACE(stale_socket_is_replaced),
		IN_PLACE(live_socket_is_not_taken_over),
		IN_PLACE(what_is_no_socket_is_not_touched),
		cmocka_unit_test(path_must_fit),
		IN_PLACE(no_descriptor_is_left_behind),
		IN_PLACE(lack_of_descriptors_is_no_spin),
		IN_PLACE(peer_that_left_a_full_stream_is_no_spin),
		IN_PLACE(broken_pipe_is_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
