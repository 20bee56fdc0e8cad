/* Instances: `when`, `count`, `i`, absent and failed ids, checks. */
// SPDX-License-Identifier: MIT
#include "tests/unit/resolver/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void a_false_condition_takes_a_device_out(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front,
		      "params: { usb: { type: bool, default: false } }\n"
		      "devices: { u: { type: t, when: usb }, v: { type: t, when: not usb } }\n");
	front_clean(&front);
	front_expect(&front, "devices/u", NULL);
	front_expect(&front, "devices/v/type", "t");
	front_expect(&front, "devices/v/when", NULL);
	const struct mw_absent *absent = mw_document_absent(&front.document, "u");

	assert_non_null(absent);
	assert_int_equal(absent->when_span.length, 3);
	assert_ptr_equal(front.document.absent, absent);
	assert_null(mw_document_absent(&front.document, "v"));
	assert_null(mw_document_absent(&front.document, "w"));
	front_fini(&front);
}

static void the_body_of_an_absent_device_is_not_evaluated(void **state)
{
	front_good("params: { d: { type: int, optional: true } }\ncpu: { count: 1 }\n"
		   "devices: { u: { type: t, irq: $(d + 1), when: has(d) } }\n",
		   "cpu/count", "1");
}

static void count_makes_numbered_nodes(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(
		&front,
		"params: { n: { type: int, default: 3 } }\n"
		"devices: { rp: { type: t, count: $(n), irq: 4, props: { a: { b: 1 } } } }\n");
	front_clean(&front);
	assert_int_equal(front.document.devices->count, 3);
	front_expect(&front, "devices/rp0/irq", "4");
	front_expect(&front, "devices/rp2/props/a/b", "1");
	front_expect(&front, "devices/rp2/count", NULL);
	front_expect(&front, "devices/rp", NULL);
	struct mw_tree *last = front_at(&front, "devices/rp2");

	assert_int_equal(last->instance, 2);
	assert_string_equal(last->instance_of->key, "rp");
	front_fini(&front);
}

static void one_is_numbered_and_none_is_none(void **state)
{
	front_good("devices: { rp: { type: t, count: 1 } }\n", "devices/rp0/type", "t");
	front_good("devices: { rp: { type: t, count: 0 } }\n", "devices/rp0", NULL);
}

static void i_counts_inside_the_body(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front,
		      "devices: { u: { type: t, count: 3, at: \"rp$(i)\", io: $(0x100 + i * 8), "
		      "props: { list: [a, $(i)] }, irq: 4 } }\n");
	front_clean(&front);
	front_expect(&front, "devices/u0/at", "rp0");
	front_expect(&front, "devices/u2/at", "rp2");
	front_expect(&front, "devices/u2/io", "272");
	front_expect(&front, "devices/u1/props/list/1", "1");
	front_expect(&front, "devices/u1/irq", "4");
	front_fini(&front);
}

static void a_condition_may_choose_among_the_numbers(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front, "devices: { u: { type: t, count: 4, when: i % 2 == 1 } }\n");
	front_clean(&front);
	front_expect(&front, "devices/u0", NULL);
	front_expect(&front, "devices/u1/type", "t");
	front_expect(&front, "devices/u3/type", "t");
	assert_int_equal(front.document.devices->count, 2);
	assert_non_null(mw_document_absent(&front.document, "u2"));
	assert_null(mw_document_absent(&front.document, "u3"));
	front_fini(&front);
}

static void ids_beyond_a_count_are_absent(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front, "params: { b: { type: bool, default: false } }\n"
			      "devices:\n  rp: { type: t, count: 2 }\n  a1: { type: t, count: 1 }\n"
			      "  off: { type: t, count: 2, when: b }\n");
	front_clean(&front);
	const struct mw_absent *absent = mw_document_absent(&front.document, "rp2");

	assert_non_null(absent);
	assert_int_equal(absent->when_span.source, 0);
	assert_int_equal(absent->count, 2);
	assert_int_not_equal(absent->count_span.source, 0);
	assert_null(mw_document_absent(&front.document, "rp1"));
	assert_null(mw_document_absent(&front.document, "rp"));
	assert_null(mw_document_absent(&front.document, "rp02"));
	assert_non_null(mw_document_absent(&front.document, "a11"));
	assert_non_null(mw_document_absent(&front.document, "off0"));
	assert_int_not_equal(mw_document_absent(&front.document, "off0")->when_span.source, 0);
	front_fini(&front);
}

static void an_id_is_made_once(void **state)
{
	front_bad("devices: { com: { type: t, count: 2 }, com1: { type: t } }\n", "S118", "com1",
		  "made twice");
	front_bad("devices: { com1: { type: t }, com: { type: t, count: 2 } }\n", "S118", "com",
		  "made twice");
	front_bad("devices: { com1: { type: t }, com: { type: t, count: 2, when: i != 1 } }\n",
		  "S118", "com", "made twice");
}

static void a_count_is_an_int_up_to_4096(void **state)
{
	front_bad("devices: { u: { type: t, count: 4097 } }\n", "S103", "4097", "at most 4096");
	front_bad("devices: { u: { type: t, count: many } }\n", "S102", "many", "an int");
	front_bad("params: { s: { type: string, default: x } }\n"
		  "devices: { u: { type: t, count: $(s) } }\n",
		  "S102", "$(s)", "an int");
	front_bad("devices: { u: { type: t, count: $(i) } }\n", "S105", "i", "only in a device");
}

static void a_machine_has_at_most_200000_nodes(void **state)
{
	struct front front;
	char text[4096] = "devices:\n";

	for (int i = 0; i < 50; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "  %c%c: { type: t, count: 4096 }\n", 'a' + i / 26, 'a' + i % 26);
	front_init(&front);
	front_profile(&front, text);
	assert_int_equal(front.document.devices->count, 200000);
	assert_int_equal(front_count(&front, "Y010"), 1);
	front_fini(&front);
}

static void what_failed_is_known_by_id(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front,
		      "devices:\n  u: { type: t, irqq: 4 }\n  rp: { type: t, at: $(x), count: 2 }\n"
		      "  w: { type: t }\n");
	assert_int_equal(front.diagnostics.count, 2);
	assert_true(front.good);
	assert_true(mw_document_failed(&front.document, "u"));
	assert_true(mw_document_failed(&front.document, "rp"));
	assert_true(mw_document_failed(&front.document, "rp1"));
	assert_false(mw_document_failed(&front.document, "w"));
	assert_false(mw_document_failed(&front.document, "u1"));
	front_expect(&front, "devices/u", NULL);
	front_expect(&front, "devices/w/type", "t");
	front_fini(&front);
}

static void checks_say_what_does_not_hold(void **state)
{
	front_bad("params: { n: { type: int, default: 3 } }\n"
		  "checks: [{ that: n % 2 == 0, say: \"even, not $(n)\" }]\n",
		  "S115", "n % 2 == 0", "even, not 3");
	front_good("params: { n: { type: int, default: 4 } }\ncpu: { count: $(n) }\n"
		   "checks: [{ that: n % 2 == 0, say: even }]\n",
		   "cpu/count", "4");
}

static void a_mistake_is_told_once_however_many_use_it(void **state)
{
	front_bad("params: { n: { type: int, default: x } }\ncpu: { count: $(n) }\n"
		  "checks: [{ that: n > 3, say: x }]\n"
		  "devices: { u: { type: t, count: $(n) }, v: { type: t, irq: $(n + 1), when: n == "
		  "3 } }\n",
		  "S102", "x", "expected an int");
}

static void sections_lose_only_what_failed(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front, "params: { n: { type: int, default: 3 } }\n"
			      "cpu: { count: $(n - 4), topology: { cores: $(n) } }\n");
	front_finding(&front, "S114", "n - 4", "below zero");
	front_expect(&front, "cpu/count", NULL);
	front_expect(&front, "cpu/topology/cores", "3");
	assert_true(front_at(&front, "cpu")->failed);
	front_fini(&front);
}

/* Ten times the nodes take about ten times as long; quadratic would be a hundred. */
static void time_grows_with_the_number_of_nodes(void **state)
{
	double seconds[2];

	for (int run = 0; run < 2; run++) {
		struct front front;
		char text[2048] = "devices:\n";

		for (int i = 0; i < (run ? 20 : 2); i++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 "  u%c: { type: t, count: 4000, io: $(i * 8) }\n", 'a' + i);
		front_init(&front);
		clock_t start = clock();

		front_profile(&front, text);
		seconds[run] = (double)(clock() - start) / CLOCKS_PER_SEC;
		front_clean(&front);
		assert_int_equal(front.document.devices->count, run ? 80000 : 8000);
		front_fini(&front);
	}
	assert_true(seconds[1] < 40 * seconds[0] + 0.2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_false_condition_takes_a_device_out),
		cmocka_unit_test(the_body_of_an_absent_device_is_not_evaluated),
		cmocka_unit_test(count_makes_numbered_nodes),
		cmocka_unit_test(one_is_numbered_and_none_is_none),
		cmocka_unit_test(i_counts_inside_the_body),
		cmocka_unit_test(a_condition_may_choose_among_the_numbers),
		cmocka_unit_test(ids_beyond_a_count_are_absent),
		cmocka_unit_test(an_id_is_made_once),
		cmocka_unit_test(a_count_is_an_int_up_to_4096),
		cmocka_unit_test(a_machine_has_at_most_200000_nodes),
		cmocka_unit_test(what_failed_is_known_by_id),
		cmocka_unit_test(checks_say_what_does_not_hold),
		cmocka_unit_test(a_mistake_is_told_once_however_many_use_it),
		cmocka_unit_test(sections_lose_only_what_failed),
		cmocka_unit_test(time_grows_with_the_number_of_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
