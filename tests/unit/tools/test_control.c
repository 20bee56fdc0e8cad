/** The control socket's parts: where a JSON value ends, keys, and how wrong requests are answered. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"
#include "tools/control/control_internal.h"

static struct control_frame frame;

static void feed(const char *text)
{
	control_frame_feed(&frame, text, strlen(text));
}

static void gives(const char *expected)
{
	const char *text;
	size_t length;

	assert_int_equal(control_frame_next(&frame, &text, &length), CONTROL_VALUE);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(text, expected, length);
}

static void gives_nothing(void)
{
	const char *text;
	size_t length;

	assert_int_equal(control_frame_next(&frame, &text, &length), CONTROL_NOTHING);
}

static void breaks(enum control_found how)
{
	const char *text;
	size_t length;

	assert_int_equal(control_frame_next(&frame, &text, &length), how);
}

static int forget_frame(void **state)
{
	control_frame_fini(&frame);
	return 0;
}

static void values_need_no_lines(void **state)
{
	feed("{\"a\": 1}{\"b\": [2]}\r\n [3] ");
	gives("{\"a\": 1}");
	gives("{\"b\": [2]}");
	gives("[3]");
	gives_nothing();
}

static void value_may_come_byte_by_byte(void **state)
{
	static const char text[] = " {\"a\": \"}\\\"\\\\\"}";

	for (size_t i = 0; i + 1 < sizeof(text) - 1; i++) {
		control_frame_feed(&frame, text + i, 1);
		gives_nothing();
	}
	feed("}");
	gives("{\"a\": \"}\\\"\\\\\"}");
	gives_nothing();
}

static void scalar_ends_at_a_space(void **state)
{
	feed("foo");
	gives_nothing();
	feed("bar\n\"x y\"true ");
	gives("foobar\n");
	gives("\"x y\"");
	gives("true ");
	gives_nothing();
}

static void brackets_that_do_not_match_are_forgotten(void **state)
{
	feed("} {\"a\": [} {\"b\": 1}");
	breaks(CONTROL_BROKEN);
	breaks(CONTROL_BROKEN);
	gives("{\"b\": 1}");
}

static void string_without_an_end_ends_with_its_line(void **state)
{
	feed("{\"a\n{\"b\": 1}");
	breaks(CONTROL_BROKEN);
	gives("{\"b\": 1}");
}

static void depth_and_length_are_bounded(void **state)
{
	char block[4096];

	for (unsigned i = 0; i < CONTROL_MOST_LEVELS; i++)
		feed("[");
	gives_nothing();
	feed("[");
	breaks(CONTROL_TOO_MUCH);
	control_frame_fini(&frame);
	memset(block, 'x', sizeof(block));
	feed("\"");
	for (unsigned i = 0; i < CONTROL_MOST_BYTES / sizeof(block); i++)
		control_frame_feed(&frame, block, sizeof(block));
	breaks(CONTROL_TOO_MUCH);
}

static void keys_have_qemus_names(void **state)
{
	assert_int_equal(control_key("a"), 0x04);
	assert_int_equal(control_key("z"), 0x1d);
	assert_int_equal(control_key("1"), 0x1e);
	assert_int_equal(control_key("0"), 0x27);
	assert_int_equal(control_key("ret"), 0x28);
	assert_int_equal(control_key("f12"), 0x45);
	assert_int_equal(control_key("delete"), 0x4c);
	assert_int_equal(control_key("ctrl"), 0xe0);
	assert_int_equal(control_key("meta_r"), 0xe7);
	assert_int_equal(control_key(""), 0);
	assert_int_equal(control_key("A"), 0);
	assert_int_equal(control_key("unmapped"), 0);
}

static void expect_stroke(const char *layout, uint32_t point, size_t count, uint16_t first,
			  uint16_t second)
{
	struct control_stroke stroke;
	uint32_t number;

	assert_true(control_layout(layout, &number));
	assert_true(control_stroke_for(point, number, &stroke));
	assert_int_equal(stroke.count, count);
	assert_int_equal(stroke.usages[0], first);
	if (count > 1)
		assert_int_equal(stroke.usages[1], second);
}

static void characters_are_on_a_us_keyboard(void **state)
{
	struct control_stroke stroke;

	for (uint32_t c = 0x20; c < 0x7f; c++)
		assert_true(control_stroke_for(c, 0, &stroke));
	expect_stroke("us", 'q', 1, 0x14, 0);
	expect_stroke("us", 'Q', 2, 0xe1, 0x14);
	expect_stroke("us", '|', 2, 0xe1, 0x31);
	expect_stroke("us", '\n', 1, 0x28, 0);
	assert_false(control_stroke_for(0, 0, &stroke));
	assert_false(control_stroke_for(0xe4, 0, &stroke));
	assert_false(control_stroke_for(1, 0, &stroke));
	assert_false(control_stroke_for(0xff08, 0, &stroke)); /* a key's name is no character */
}

static void other_layouts_have_them_elsewhere(void **state)
{
	static const char *const layouts[] = { "gb", "de", "fr" };
	struct control_stroke stroke;
	uint32_t number;

	for (size_t i = 0; i < 3; i++) {
		assert_true(control_layout(layouts[i], &number));
		for (uint32_t c = 0x20; c < 0x7f; c++)
			assert_true(control_stroke_for(c, number, &stroke));
	}
	assert_false(control_layout("xx", &number));
	expect_stroke("de", 'y', 1, 0x1d, 0);
	expect_stroke("de", '@', 2, 0xe6, 0x14);
	expect_stroke("de", 0xe4, 1, 0x34, 0);
	expect_stroke("fr", 'a', 1, 0x14, 0);
	expect_stroke("fr", '1', 2, 0xe1, 0x1e);
	expect_stroke("gb", '@', 2, 0xe1, 0x34);
	assert_true(control_layout("de", &number));
	assert_true(control_stroke_for('^', number, &stroke));
	assert_true(stroke.dead);
}

/* A control without a thread, of a machine that takes no jobs. */

static struct toy toy;
static struct mw_control control;

static const struct mw_device_type thing_type = { MW_DEVICE_TYPE, .name = "thing",
						  .summary = "a thing without state" };

static int build(void **state)
{
	memset(&toy, 0, sizeof(toy));
	memset(&control, 0, sizeof(control));
	toy_node(&toy, "thing", &thing_type);
	toy.plan.name = "toy";
	toy_build(&toy);
	toy.plan.cpu.count = 3;
	control.machine = toy.machine;
	control.wake = -1;
	pthread_mutex_init(&control.mutex, NULL);
	atomic_store(&control.ended, true);
	return 0;
}

static int tear_down(void **state)
{
	control_frame_fini(&control.frame);
	free(control.answer.bytes);
	free(control.events.bytes);
	pthread_mutex_destroy(&control.mutex);
	toy_fini(&toy);
	return 0;
}

static void ask(const char *request, const char *expected)
{
	control.answer.count = 0;
	control_take(&control, request, strlen(request));
	control_append(&control.answer, "", 1);
	assert_string_equal(control.answer.bytes, expected);
}

#define ERROR(class, text) "{\"error\": {\"class\": \"" class "\", \"desc\": \"" text "\"}}\r\n"
#define GENERIC(text)      ERROR("GenericError", text)

static void negotiate(void)
{
	ask("{\"execute\": \"qmp_capabilities\"}", "{\"return\": {}}\r\n");
}

static void capabilities_come_first(void **state)
{
	ask("{\"execute\": \"query-name\"}",
	    ERROR("CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'"));
	ask("{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"oob\"]}}",
	    GENERIC("no capability is offered"));
	negotiate();
	ask("{\"execute\": \"qmp_capabilities\"}",
	    ERROR("CommandNotFound",
		  "Capabilities negotiation is already complete, command ignored"));
	ask("{\"execute\": \"query-name\"}", "{\"return\": {\"name\": \"toy\"}}\r\n");
}

static void id_comes_back(void **state)
{
	negotiate();
	ask("{\"execute\": \"query-name\", \"id\": {\"a\": [1, null]}}",
	    "{\"return\": {\"name\": \"toy\"}, \"id\": {\"a\": [1, null]}}\r\n");
	ask("{\"execute\": \"foo\", \"id\": 7}",
	    "{\"id\": 7, \"error\": {\"class\": \"CommandNotFound\", "
	    "\"desc\": \"The command foo has not been found\"}}\r\n");
}

static void requests_that_are_none_are_answered_as_qemu_does(void **state)
{
	negotiate();
	ask("[1]", GENERIC("QMP input must be a JSON object"));
	ask("{}", GENERIC("QMP input lacks member 'execute'"));
	ask("{\"execute\": 1}", GENERIC("QMP input member 'execute' must be a string"));
	ask("{\"exec\": \"a\"}", GENERIC("QMP input member 'exec' is unexpected"));
	ask("{\"execute\": \"query-name\", \"arguments\": 1}",
	    GENERIC("QMP input member 'arguments' must be an object"));
	ask("{\"execute\": \"query-name\", \"arguments\": {\"a\": 1}}",
	    GENERIC("Parameter 'a' is unexpected"));
	ask("{\"execute\": \"send-key\"}", GENERIC("Parameter 'keys' is missing"));
	ask("{\"execute\": \"send-key\", \"arguments\": {\"keys\": 5}}",
	    GENERIC("Invalid parameter type for 'keys', expected: array"));
	ask("}", GENERIC("JSON parse error, brackets or quotes do not match"));
}

static void keys_and_events_are_checked_before_any_is_pressed(void **state)
{
	negotiate();
#define KEYS(list)   "{\"execute\": \"send-key\", \"arguments\": {\"keys\": [" list "]}}"
#define EVENTS(list) "{\"execute\": \"input-send-event\", \"arguments\": {\"events\": [" list "]}}"
	ask(KEYS("{\"type\": \"qcode\", \"data\": \"zz\"}"),
	    GENERIC("Parameter 'data' does not accept value 'zz'"));
	ask(KEYS("{\"type\": \"number\", \"data\": 30}"),
	    GENERIC("Parameter 'type' does not accept value 'number'"));
	ask(KEYS("{\"type\": \"qcode\"}"), GENERIC("Parameter 'key.data' is missing"));
	ask(KEYS("5"), GENERIC("Invalid parameter type for 'key', expected: object"));
	ask(EVENTS(""), "{\"return\": {}}\r\n");
	ask(EVENTS("{\"type\": \"zz\", \"data\": {}}"),
	    GENERIC("Parameter 'type' does not accept value 'zz'"));
	ask(EVENTS("{\"type\": \"rel\", \"data\": {\"axis\": \"q\", \"value\": 5}}"),
	    GENERIC("Parameter 'axis' does not accept value 'q'"));
	ask(EVENTS("{\"type\": \"rel\", \"data\": {\"axis\": \"x\", \"value\": 99999}}"),
	    GENERIC("a movement of more than 32767"));
	ask(EVENTS("{\"type\": \"btn\", \"data\": {\"button\": \"left\"}}"),
	    GENERIC("Parameter 'data.down' is missing"));
	ask(EVENTS("{\"type\": \"key\", \"data\": {\"down\": 1, \"key\": {}}}"),
	    GENERIC("Invalid parameter type for 'data.down'"));
	ask("{\"execute\": \"x-millwright-type\", \"arguments\": {\"text\": \"ab\\u00e4\"}}",
	    GENERIC("character 3 is on no key of a us keyboard"));
}

static void machine_that_is_over_says_so(void **state)
{
	negotiate();
	ask("{\"execute\": \"query-status\"}", GENERIC("the machine is over"));
	ask("{\"execute\": \"stop\"}", GENERIC("the machine is over"));
	ask("{\"execute\": \"x-millwright-inspect\"}", GENERIC("the machine is over"));
	ask(KEYS("{\"type\": \"qcode\", \"data\": \"a\"}"), GENERIC("the machine is over"));
}

/* `halt` and Enter: it may be over before Enter is let go. */
static void key_that_ended_the_machine_needs_no_release(void **state)
{
	negotiate();
	ask(EVENTS("{\"type\": \"key\", \"data\": {\"down\": true, \"key\": {\"type\": \"qcode\", "
		   "\"data\": \"a\"}}}"),
	    GENERIC("the machine is over"));
	ask(EVENTS("{\"type\": \"key\", \"data\": {\"down\": false, \"key\": {\"type\": \"qcode\", "
		   "\"data\": \"a\"}}}"),
	    "{\"return\": {}}\r\n");
}

static void node_that_is_not_there_is_named(void **state)
{
	negotiate();
	ask("{\"execute\": \"x-millwright-inspect\", \"arguments\": {\"node\": \"no\\u001b\"}}",
	    GENERIC("the machine has no node `no\\u001B`"));
}

static void cpus_are_counted(void **state)
{
	size_t found = 0;

	negotiate();
	control.answer.count = 0;
	control_take(&control, "{\"execute\": \"query-cpus-fast\"}", 30);
	control_append(&control.answer, "", 1);
	for (const char *at = control.answer.bytes; (at = strstr(at, "cpu-index")); at++)
		found++;
	assert_int_equal(found, 3);
}

#define WITH_FRAME(test)   cmocka_unit_test_teardown(test, forget_frame)
#define WITH_CONTROL(test) cmocka_unit_test_setup_teardown(test, build, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FRAME(values_need_no_lines),
		WITH_FRAME(value_may_come_byte_by_byte),
		WITH_FRAME(scalar_ends_at_a_space),
		WITH_FRAME(brackets_that_do_not_match_are_forgotten),
		WITH_FRAME(string_without_an_end_ends_with_its_line),
		WITH_FRAME(depth_and_length_are_bounded),
		cmocka_unit_test(keys_have_qemus_names),
		cmocka_unit_test(characters_are_on_a_us_keyboard),
		cmocka_unit_test(other_layouts_have_them_elsewhere),
		WITH_CONTROL(capabilities_come_first),
		WITH_CONTROL(id_comes_back),
		WITH_CONTROL(requests_that_are_none_are_answered_as_qemu_does),
		WITH_CONTROL(keys_and_events_are_checked_before_any_is_pressed),
		WITH_CONTROL(machine_that_is_over_says_so),
		WITH_CONTROL(key_that_ended_the_machine_needs_no_release),
		WITH_CONTROL(node_that_is_not_there_is_named),
		WITH_CONTROL(cpus_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
