/* Expressions: precedence, types, checked arithmetic, limits, carets, the link phase. */
// SPDX-License-Identifier: MIT
#include "tests/unit/resolver/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS                                                                                   \
	"params:\n  n: { type: int, default: 6 }\n  usb: { type: bool, default: true }\n"        \
	"  vga: { type: enum, of: [std, none, virtio-gpu], default: std }\n"                     \
	"  none: { type: int, optional: true }\n  ram: { type: size, default: 4GiB }\n"          \
	"  s: { type: string, default: text }\n  host: { type: int, scope: host, default: 3 }\n" \
	"x-uses: 0\nchecks: [{ that: usb or vga == std or n == 0 or has(none) or ram == 0 or "   \
	"has(s) or has(host), say: all are used }]\n"

/* What `$(text)` in a string comes to. */
static void is(const char *text, const char *value)
{
	char *whole = NULL;

	assert_true(asprintf(&whole, PARAMS "boot: { cmdline: \"$(%s)\" }\n", text) > 0);
	front_good(whole, "boot/cmdline", value);
	free(whole);
}

static void fails(const char *text, const char *code, const char *covered, const char *part)
{
	char *whole = NULL;

	assert_true(asprintf(&whole, PARAMS "boot: { cmdline: \"$(%s)\" }\n", text) > 0);
	front_bad(whole, code, covered, part);
	free(whole);
}

static void operators_bind_as_the_language_says(void **state)
{
	is("1 + 2 * 3", "7");
	is("(1 + 2) * 3", "9");
	is("20 - 5 - 3", "12");
	is("100 / 10 / 2", "5");
	is("17 % 5 * 2", "4");
	is("5 + 3 align 8", "8");
	is("9 align 8 min 12", "12");
	is("3 max 1 + 4", "5");
	is("1 min 2 max 3", "3");
	is("1 + 1 == 2", "true");
	is("not n == 5", "true");
	is("not usb and usb", "false");
	is("usb or usb and not usb", "true");
	is("not not usb", "true");
	is("1 if usb else 2 if usb else 3", "1");
	is("1 if not usb else 2 if usb else 3", "2");
	is("1 if usb and n > 5 else 0", "1");
	is("4KiB + 0x10", "4112");
	is("true", "true");
}

static void comparisons_are_complete(void **state)
{
	is("n < 6", "false");
	is("n <= 6", "true");
	is("n > 6", "false");
	is("n >= 6", "true");
	is("n != 6", "false");
	is("usb == true", "true");
	is("ram == 4GiB", "true");
}

static void enums_are_compared_with_their_members(void **state)
{
	is("vga == std", "true");
	is("vga != std", "false");
	is("vga in none|std", "true");
	is("vga in none | virtio-gpu", "false");
	is("vga == virtio-gpu or usb", "true");
	fails("vga == sdt", "S105", "sdt", "no member");
	fails("vga in std|nope", "S105", "nope", "no member");
	fails("n in a|b", "S114", "n", "expected an enum");
	fails("vga < std", "S114", "vga", "expected int, found enum");
}

static void functions_ask_for_a_parameter(void **state)
{
	is("has(none)", "false");
	is("has(n)", "true");
	is("len(s)", "4");
	is("log2(ram)", "32");
	is("log2(n + 2)", "3");
	is("none if has(none) else 9", "9");
	is("has(none) and none > 3", "false");
	is("not has(none) or none > 3", "true");
	fails("has(nnoe)", "S105", "nnoe", "no parameter");
	fails("has(3)", "S114", "3", "a parameter's name");
	fails("len(n)", "S114", "n", "a list or text");
	fails("log2(n - 6)", "S114", "log2(n - 6)", "log2 of 0");
}

static void arithmetic_is_checked(void **state)
{
	is("0xffffffffffffffff - 1", "18446744073709551614");
	fails("0xffffffffffffffff + 1", "S114", "0xffffffffffffffff + 1", "does not fit 64 bits");
	fails("ram * ram", "S114", "ram * ram", "does not fit 64 bits");
	fails("n - 7", "S114", "n - 7", "below zero");
	fails("n / (n - 6)", "S114", "n / (n - 6)", "divides by zero");
	fails("n % 0", "S114", "n % 0", "divides by zero");
	fails("n align 0", "S114", "n align 0", "divides by zero");
	fails("0xffffffffffffffff align 16", "S114", "0xffffffffffffffff align 16", "64 bits");
	fails("18446744073709551616", "S114", "18446744073709551616", "no int");
	fails("16777216TiB", "S114", "16777216TiB", "no int");
}

static void types_are_checked_where_nothing_is_evaluated(void **state)
{
	fails("n + usb", "S114", "usb", "expected int, found bool");
	fails("usb and n", "S114", "n", "expected bool, found int");
	fails("not n", "S114", "n", "expected bool, found int");
	fails("n == usb", "S114", "usb", "expected int, found bool");
	fails("1 if n else 2", "S114", "n", "expected bool, found int");
	fails("1 if usb else usb", "S114", "usb", "expected int, found bool");
	fails("s == 3", "S114", "s", "text cannot be compared");
	fails("s + 1", "S114", "s", "expected int, found text");
	fails("1 if true else n + usb", "S114", "usb", "expected int, found bool");
}

static void the_caret_stands_at_the_mistake(void **state)
{
	fails("n + mm", "S105", "mm", "no parameter `mm`");
	fails("i", "S105", "i", "only in a device with `count`");
	fails("n +", "S114", ")", "expected a value");
	fails("n 3", "S114", "3", "expected an operator or `)`");
	fails("n -3", "S114", "-", "a minus needs a space");
	fails("n-3", "S114", "-", "a minus needs a space");
	fails("1 < n < 9", "S114", "<", "comparisons do not chain");
	fails("!usb", "S114", "!", "expected a value");
	fails("n = 3", "S114", "=", "expected an operator");
	fails("n ? 1", "S114", "?", "expected an operator");
	fails("\xc3\xa9", "S114", "\xc3\xa9", "expected a value");
	fails("08", "Y006", "08", "leading zero");
	fails("4KB", "S114", "4KB", "no int and no size");
	fails("accel.vlt", "S105", "accel.vlt", "no parameter `accel.vlt`");
	fails("if", "S114", "if", "expected a value");
	fails("1 if usb", "S114", ")", "expected `else`");
	fails("none + 1", "S114", "none", "`none` has no value");
}

static void strings_join_values(void **state)
{
	front_good(PARAMS "boot: { cmdline: \"a=$(n) b=$(vga)$(usb) $$(n) $ $x ($(s))\" }\n",
		   "boot/cmdline", "a=6 b=stdtrue $(n) $ $x (text)");
	front_good(PARAMS "boot: { cmdline: $(n)$(n) }\n", "boot/cmdline", "66");
	front_good("boot: { cmdline: $$(x) }\n", "boot/cmdline", "$(x)");
	front_bad(PARAMS "boot: { cmdline: a $(n }\n", "S114", "$(", "never closed");
}

static void conditions_are_bare(void **state)
{
	front_bad(PARAMS "devices: { u: { type: t, when: $(usb) } }\n", "S114", "$",
		  "expected a value");
	front_bad(PARAMS "devices: { u: { type: t, when: n } }\n", "S114", "n",
		  "expected bool, found int");
	front_bad(PARAMS "devices: { u: { type: t, when: usb usb } }\n", "S114", "usb",
		  "expected an operator or the end");
}

static void the_guest_does_not_depend_on_a_value_of_the_host(void **state)
{
	front_bad(PARAMS "devices: { u: { type: t, when: host > 2 } }\n", "S114", "host",
		  "must not depend on it");
	front_bad(PARAMS "devices: { u: { type: t, count: $(host) } }\n", "S114", "host",
		  "must not depend on it");
	front_good(PARAMS "devices: { u: { type: t, when: has(host) } }\n", "devices/u/type", "t");
}

static void nesting_and_length_have_limits(void **state)
{
	char text[256] = "", *whole = NULL;
	size_t size;

	snprintf(text, sizeof(text), "%.32sn%.32s", "((((((((((((((((((((((((((((((((",
		 "))))))))))))))))))))))))))))))))");
	is(text, "6");
	snprintf(text, sizeof(text), "%.33sn%.33s", "(((((((((((((((((((((((((((((((((",
		 ")))))))))))))))))))))))))))))))))");
	fails(text, "Y010", "(", "nested more than 32");

	FILE *out = open_memstream(&whole, &size);

	fputs("1", out);
	for (int i = 0; i < 3000; i++)
		fputs(" + 1", out);
	fclose(out);
	fails(whole, "Y010", "+", "more than 4096 parts");
	free(whole);
}

static void a_long_sum_is_no_deep_one(void **state)
{
	char *whole = NULL;
	size_t size;
	FILE *out = open_memstream(&whole, &size);

	fputs("1", out);
	for (int i = 0; i < 1500; i++)
		fputs(" + 1", out);
	fclose(out);
	is(whole, "1501");
	free(whole);
}

static void a_condition_that_types_decide_is_worth_a_warning(void **state)
{
	front_bad("params: { n: { type: int, default: 3, min: 1 } }\ncpu: { count: $(n) }\n"
		  "devices: { u: { type: t, when: n > 0 } }\n",
		  "S106", "n > 0", "always true");
	front_bad("params: { n: { type: int, default: 3, max: 4 } }\ncpu: { count: $(n) }\n"
		  "devices: { u: { type: t, when: n >= 5 and has(n) } }\n",
		  "S106", "n >= 5 and has(n)", "always false");
	front_good("params: { n: { type: int, default: 3, min: 1 } }\n"
		   "devices: { u: { type: t, when: n > 1 } }\n",
		   "devices/u/type", "t");
}

enum { SEEN = 64 };

static bool look(void *context, const char *node, const char *claim, struct mw_claim_range *range)
{
	snprintf(context, SEEN, "%s/%s", node, claim);
	*range = (struct mw_claim_range){ 0x3f8, 8 };
	return strcmp(claim, "none") != 0;
}

/* Links one property and checks its text and what was asked for. */
static void links_to(const char *text, const char *value, const char *asked)
{
	struct front front;
	char *whole = NULL, seen[SEEN] = "";

	assert_true(asprintf(&whole,
			     "params: { n: { type: int, default: 2 } }\ncpu: { count: $(n) }\n"
			     "devices:\n  u-1: { type: t, io: 1+1 }\n  w: { type: t, count: 3, "
			     "props: { p: %s } }\n",
			     text) > 0);
	front_init(&front);
	front_profile(&front, whole);
	front_clean(&front);
	struct mw_tree *scalar = front_at(&front, "devices/w2/props/p");

	assert_true(scalar->link);
	const char *linked = mw_document_link(&front.document, scalar, look, seen);

	if (value)
		assert_string_equal(linked, value);
	else
		assert_null(linked);
	assert_int_equal(front.diagnostics.errors, value ? 0 : 1);
	assert_string_equal(seen, asked);
	front_fini(&front);
	free(whole);
}

static void places_are_filled_in_by_the_link_phase(void **state)
{
	links_to("$(dev.u-1.io)", "1016", "u-1/io");
	links_to("$(dev.u-1.io.base)", "1016", "u-1/io");
	links_to("$(dev.u-1.io.len)", "8", "u-1/io");
	links_to("$(dev.u-1.io.end + n)", "1026", "u-1/io");
	links_to("$(dev.w0.mmio + i)", "1018", "w0/mmio");
	links_to("\"at $(dev.u-1.io) n $(n)\"", "at 1016 n 2", "u-1/io");
	links_to("$(dev.u-1.none)", NULL, "u-1/none");
	links_to("$(dev.nobody.io)", NULL, "");
}

static void places_are_not_known_before(void **state)
{
	front_bad("devices: { u: { type: t, io: $(dev.u.io) } }\n", "S114", "dev.u.io",
		  "not known here");
	front_bad("devices: { u: { type: t, when: dev.u.io > 0 } }\n", "S114", "dev.u.io",
		  "not known here");
	front_bad("memory: { ram: $(dev.u.io) }\n", "S114", "dev.u.io", "not known here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_bind_as_the_language_says),
		cmocka_unit_test(comparisons_are_complete),
		cmocka_unit_test(enums_are_compared_with_their_members),
		cmocka_unit_test(functions_ask_for_a_parameter),
		cmocka_unit_test(arithmetic_is_checked),
		cmocka_unit_test(types_are_checked_where_nothing_is_evaluated),
		cmocka_unit_test(the_caret_stands_at_the_mistake),
		cmocka_unit_test(strings_join_values),
		cmocka_unit_test(conditions_are_bare),
		cmocka_unit_test(the_guest_does_not_depend_on_a_value_of_the_host),
		cmocka_unit_test(nesting_and_length_have_limits),
		cmocka_unit_test(a_long_sum_is_no_deep_one),
		cmocka_unit_test(a_condition_that_types_decide_is_worth_a_warning),
		cmocka_unit_test(places_are_filled_in_by_the_link_phase),
		cmocka_unit_test(places_are_not_known_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
