/* The cable between two machines: who comes first, who comes third, and who leaves. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/peer.h"

extern const struct mw_device_type link_type;

enum { MUCH = 1 << 20, LINK_BYTES = 65536, PART = 4096 };

/* Each test has a runtime folder of its own. */
static int set_up(void **state)
{
	if (place_make(state) < 0)
		return -1;
	return setenv("XDG_RUNTIME_DIR", ((struct place *)*state)->folder, 1);
}

/* Nothing is left in the folder but itself. */
static int tear_down(void **state)
{
	int status = rmdir(place_path(*state, "millwright"));

	unsetenv("XDG_RUNTIME_DIR");
	return place_remove(state) | status;
}

static struct rig *plug_in_waiting(const char *name, bool wait)
{
	const struct rig_setting settings[] = { { "name", 0, name },
						{ "wait", wait, NULL },
						{ 0 } };

	return rig_create(&link_type, settings);
}

static struct rig *plug_in(const char *name)
{
	return plug_in_waiting(name, false);
}

static void send(struct rig *from, const char *text)
{
	rig_send(from, "port", text, strlen(text));
}

/* Sends until something has come through: who is not connected yet is not heard. */
static void expect_joined(struct rig *one, struct rig *two)
{
	char got[PART];
	size_t count = 0;

	for (unsigned i = 0; i < PEER_TURNS && !count; i++) {
		send(one, "?");
		rig_serve(one, 1);
		rig_serve(two, 1);
		count = rig_take(two, "port", got, sizeof(got));
	}
	assert_true(count > 0);
	for (unsigned i = 0; i < 20; i++) { /* those that were still on their way */
		rig_serve(one, 1);
		rig_serve(two, 1);
		rig_take(two, "port", got, sizeof(got));
	}
}

static void expect(struct rig *one, struct rig *two, const char *wanted)
{
	char got[256] = { 0 };
	size_t count = 0;

	for (unsigned i = 0; i < PEER_TURNS && count < strlen(wanted); i++) {
		rig_serve(one, 1);
		rig_serve(two, 1);
		count += rig_take(two, "port", got + count, sizeof(got) - 1 - count);
	}
	assert_string_equal(got, wanted);
}

static void check_both_ways(struct rig *one, struct rig *two)
{
	expect_joined(one, two);
	send(one, "ping");
	expect(one, two, "ping");
	send(two, "pong");
	expect(two, one, "pong");
}

static void two_machines_are_joined(void **state)
{
	struct rig *one = plug_in("cable"), *two = plug_in("cable");

	check_both_ways(one, two);
	rig_destroy(one);
	rig_destroy(two);
}

static void names_are_cables_of_their_own(void **state)
{
	struct rig *red[] = { plug_in("red"), plug_in("red") };
	struct rig *blue[] = { plug_in("blue-2_x.y"), plug_in("blue-2_x.y") };

	check_both_ways(red[0], red[1]);
	check_both_ways(blue[1], blue[0]);
	for (unsigned i = 0; i < 2; i++) {
		rig_destroy(red[i]);
		rig_destroy(blue[i]);
	}
}

static void a_third_is_refused(void **state)
{
	const struct rig_setting settings[] = { { "name", 0, "cable" }, { 0 } };
	struct rig *one = plug_in("cable"), *two = plug_in("cable");

	peer_expect_refusal(&link_type, settings, "`cable` already joins two machines");
	check_both_ways(one, two);
	rig_destroy(one);
	peer_idle(two);
	one = plug_in("cable"); /* there is room again */
	check_both_ways(one, two);
	rig_destroy(one);
	rig_destroy(two);
}

static void either_may_leave_and_another_come(void **state)
{
	struct rig *ends[] = { plug_in("cable"), plug_in("cable") };

	for (unsigned i = 0; i < 6; i++) {
		check_both_ways(ends[0], ends[1]);
		rig_destroy(ends[i % 2]);
		send(ends[!(i % 2)], "alone");
		peer_idle(ends[!(i % 2)]);
		ends[i % 2] = plug_in("cable");
	}
	rig_destroy(ends[0]);
	rig_destroy(ends[1]);
}

/* The next partner is there before it was seen that the last one has left. */
static void partner_that_is_quick_loses_nothing(void **state)
{
	struct rig *one = plug_in("cable"), *two = plug_in("cable");

	check_both_ways(one, two);
	rig_hold(one, "port", true);
	send(two, "last words; ");
	rig_serve(two, 1);
	rig_destroy(two);
	two = plug_in("cable");
	send(two, "first words");
	rig_serve(two, 1);
	rig_hold(one, "port", false);
	expect(two, one, "last words; first words");
	rig_destroy(one);
	rig_destroy(two);
}

static void one_who_waits_is_heard_by_the_next(void **state)
{
	struct rig *one = plug_in_waiting("cable", true);

	send(one, "login: ");
	peer_idle(one);
	struct rig *two = plug_in("cable");

	expect(one, two, "login: ");
	rig_destroy(one);
	rig_destroy(two);
}

static uint8_t byte_at(size_t index, unsigned salt)
{
	return (uint8_t)((index * 31 >> 3) ^ index >> 13 ^ salt);
}

static void push_some(struct rig *rig, size_t *sent, unsigned salt)
{
	uint8_t part[PART];

	if (*sent == MUCH || peer_room(rig) < sizeof(part))
		return;
	for (size_t i = 0; i < sizeof(part); i++)
		part[i] = byte_at(*sent + i, salt);
	rig_send(rig, "port", part, sizeof(part));
	*sent += sizeof(part);
}

static void pull_some(struct rig *rig, size_t *received, unsigned salt)
{
	uint8_t part[PART];
	size_t count = rig_take(rig, "port", part, sizeof(part));

	for (size_t i = 0; i < count; i++)
		assert_int_equal(part[i], byte_at((*received)++, salt));
}

static void nothing_is_lost_either_way(void **state)
{
	struct rig *ends[] = { plug_in("cable"), plug_in("cable") };
	size_t sent[2] = { 0 }, received[2] = { 0 };

	check_both_ways(ends[0], ends[1]);
	for (size_t i = 0; i < MUCH && (received[0] < MUCH || received[1] < MUCH); i++) {
		for (unsigned end = 0; end < 2; end++) {
			push_some(ends[end], &sent[end], end);
			rig_serve(ends[end], i % 64 ? 0 : 1);
			rig_hold(ends[end], "port", i % (3 + end) != 0);
			pull_some(ends[end], &received[!end], !end);
		}
	}
	assert_int_equal(received[0], MUCH);
	assert_int_equal(received[1], MUCH);
	for (unsigned end = 0; end < 2; end++) {
		assert_string_equal(rig_log(ends[end]), "");
		rig_destroy(ends[end]);
	}
}

static void two_ports_of_one_machine_need_no_name(void **state)
{
	struct rig *one = plug_in(""), *two = plug_in("");

	check_both_ways(one, two);
	rig_destroy(one);
	rig_destroy(two);
}

static void names_cannot_leave_the_folder(void **state)
{
	static const char *const wrong[] = {
		"a/b", "../x", ".hidden", "a b", "a\nb", "a-name-that-is-longer-than-forty-letters-"
	};

	assert_int_equal(mkdir(place_path(*state, "millwright"), 0700), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct rig_setting settings[] = { { "name", 0, wrong[i] }, { 0 } };

		peer_expect_refusal(&link_type, settings, "a link's name has at most");
	}
}

static void folder_must_be_ours_alone(void **state)
{
	const char *folder = place_path(*state, "millwright");
	const struct rig_setting settings[] = { { "name", 0, "cable" }, { 0 } };

	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(chmod(folder, 0770), 0);
	peer_expect_refusal(&link_type, settings, "it is not a folder of ours alone");
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(symlink("/tmp", folder), 0);
	peer_expect_refusal(&link_type, settings, "it is not a folder of ours alone");
	unlink(folder);
	assert_int_equal(mkdir(folder, 0700), 0);
}

/* Killed, so that all its files stay; its locks do not. */
static void the_dead_leave_room(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (!child) {
			plug_in("cable");
			raise(SIGKILL);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
	}
	struct rig *one = plug_in("cable"), *two = plug_in("cable");

	check_both_ways(one, two);
	rig_destroy(one);
	rig_destroy(two);
}

/* Many at once: exactly two have an end, whoever they are. */
static void of_many_at_once_two_are_joined(void **state)
{
	enum { MANY = 8 };
	int go[2], results[2], joined = 0;
	pid_t children[MANY];

	for (unsigned round = 0; round < 5; round++, joined = 0) {
		assert_int_equal(pipe(go) | pipe(results), 0);
		for (unsigned i = 0; i < MANY; i++) {
			children[i] = fork();
			if (children[i])
				continue;
			const struct rig_setting settings[] = { { "name", 0, "cable" }, { 0 } };
			struct mw_diagnostics diagnostics = { 0 };
			struct rig *rig;
			char byte;

			close(go[1]);
			(void)!read(go[0], &byte, 1); /* the end of it: all at once */
			bool good = rig_try(&rig, &link_type,
					    &(struct rig_options){ .settings = settings },
					    &diagnostics);

			(void)!write(results[1], good ? "y" : "n", 1);
			pause(); /* whoever has it keeps it */
		}
		close(go[0]);
		close(go[1]);
		for (unsigned i = 0; i < MANY; i++) {
			char result;

			assert_int_equal(read(results[0], &result, 1), 1);
			joined += result == 'y';
		}
		for (unsigned i = 0; i < MANY; i++) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
		}
		close(results[0]);
		close(results[1]);
		assert_int_equal(joined, 2);
	}
	struct rig *one = plug_in("cable"), *two = plug_in("cable");

	check_both_ways(one, two);
	rig_destroy(one);
	rig_destroy(two);
}

static void no_descriptor_is_left_behind(void **state)
{
	unsigned before = peer_descriptors();

	for (unsigned i = 0; i < 3; i++) {
		struct rig *one = plug_in("cable"), *two = plug_in("cable");

		check_both_ways(one, two);
		rig_destroy(one);
		rig_destroy(two);
		assert_int_equal(peer_descriptors(), before);
	}
}

#define IN_PLACE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		IN_PLACE(two_machines_are_joined),
		IN_PLACE(names_are_cables_of_their_own),
		IN_PLACE(a_third_is_refused),
		IN_PLACE(either_may_leave_and_another_come),
		IN_PLACE(partner_that_is_quick_loses_nothing),
		IN_PLACE(one_who_waits_is_heard_by_the_next),
		IN_PLACE(nothing_is_lost_either_way),
		IN_PLACE(two_ports_of_one_machine_need_no_name),
		IN_PLACE(names_cannot_leave_the_folder),
		IN_PLACE(folder_must_be_ours_alone),
		IN_PLACE(the_dead_leave_room),
		IN_PLACE(of_many_at_once_two_are_joined),
		IN_PLACE(no_descriptor_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
