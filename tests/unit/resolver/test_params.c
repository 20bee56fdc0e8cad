/* Parameters: types, constraints, `--set`, lazy defaults. */
// SPDX-License-Identifier: MIT
#include "tests/unit/resolver/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One parameter `p`, used in the command line. */
#define USED "boot: { cmdline: \"$(p)\" }\n"

static void good(const char *declaration, const char *set, const char *text)
{
	struct front front;
	char *whole = NULL;

	front_init(&front);
	assert_true(asprintf(&whole, "format: machine/1\nname: t\nparams: { p: { %s } }\n" USED,
			     declaration) > 0);
	front_file(&front, "profile.yaml", whole);
	front_load(&front, set, NULL);
	front_clean(&front);
	front_expect(&front, "boot/cmdline", text);
	front_fini(&front);
	free(whole);
}

static void bad(const char *declaration, const char *set, const char *code, const char *covered,
		const char *part)
{
	struct front front;
	char *whole = NULL;

	front_init(&front);
	assert_true(asprintf(&whole, "format: machine/1\nname: t\nparams: { p: { %s } }\n" USED,
			     declaration) > 0);
	front_file(&front, "profile.yaml", whole);
	front_load(&front, set, NULL);
	front_finding(&front, code, covered, part);
	front_expect(&front, "boot/cmdline", NULL);
	front_fini(&front);
	free(whole);
}

static void every_type_takes_its_own_values(void **state)
{
	good("type: bool, default: true", NULL, "true");
	good("type: int, default: 0x10", NULL, "16");
	good("type: size, default: 4KiB", NULL, "4096");
	good("type: freq, default: 25MHz", NULL, "25000000");
	good("type: duration, default: 3us", NULL, "3000");
	good("type: string, default: any thing", NULL, "any thing");
	good("type: enum, of: [a, b-c], default: b-c", NULL, "b-c");
	good("type: path, default: /x", NULL, "/x");
	good("type: mac, default: 52:54:00:12:34:56", NULL, "52:54:00:12:34:56");
	good("type: uuid, default: 01234567-89ab-cdef-0123-456789abcdef", NULL,
	     "01234567-89ab-cdef-0123-456789abcdef");
	good("type: range, default: 0x60+4", NULL, "0x60+4");
}

static void every_type_refuses_other_values(void **state)
{
	bad("type: bool, default: 1", NULL, "S102", "1", "true or false");
	bad("type: bool, default: off", NULL, "Y005", "off", "a bool");
	bad("type: int, default: 1.5", NULL, "S102", "1.5", "an int");
	bad("type: int, default: 017", NULL, "Y006", "017", "leading zero");
	bad("type: size, default: 4kb", NULL, "S102", "4kb", "a size");
	bad("type: freq, default: 25", NULL, "S102", "25", "a frequency");
	bad("type: duration, default: 25", NULL, "S102", "25", "a duration");
	bad("type: enum, of: [a, b], default: c", NULL, "S103", "c", "cannot be `c`");
	bad("type: path, default: ''", NULL, "S102", "''", "a path");
	bad("type: mac, default: 52:54:00:12:34", NULL, "S102", "52:54:00:12:34", "a MAC");
	bad("type: uuid, default: 0123", NULL, "S102", "0123", "a UUID");
	bad("type: range, default: 60", NULL, "S102", "60", "a range");
	bad("type: string, default: [a]", NULL, "S102", "[a]", "found a list");
}

static void constraints_hold_for_defaults_and_sets(void **state)
{
	bad("type: int, default: 3, min: 4", NULL, "S103", "3", "at least 4");
	bad("type: int, default: 3, max: 2", NULL, "S103", "3", "at most 2");
	bad("type: size, default: 3MiB, multiple: 2MiB", NULL, "S103", "3MiB",
	    "a multiple of 2MiB");
	bad("type: int, default: 3, max: 4", "p=5", "S103", "5", "at most 4");
	bad("type: int, default: $(2 + 3), max: 4", NULL, "S103", "$(2 + 3)", "at most 4");
	good("type: int, default: 3, min: 3, max: 3, multiple: 3", NULL, "3");
}

static void a_broken_declaration_is_told_once(void **state)
{
	bad("type: enum", NULL, "S117", "p", "needs its members");
	bad("type: enum, of: [a b], default: x", NULL, "S118", "a b", "one word");
	bad("type: int, min: low, default: 3", NULL, "S102", "low", "an int");
	bad("type: string, min: 3, default: x", NULL, "S102", "min", "type `string` have no `min`");
	bad("type: int, multiple: 0, default: 3", NULL, "S103", "0", "nothing is a multiple of 0");
	bad("type: int, of: [a], default: 3", NULL, "S102", "of", "type `int` have no `of`");
}

static void a_set_wins_over_the_default(void **state)
{
	good("type: int, default: 3", "p=7", "7");
	good("type: string, default: a", "p=$(no expression) = x", "$(no expression) = x");
	good("type: string, default: a", "p=", "");
	good("type: enum, of: [a, b], default: a", "p=b", "b");
}

static void sets_must_hit_a_parameter(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.yaml",
		   "format: machine/1\nname: t\nparams: { ram: { type: size, default: 1MiB } }\n"
		   "memory: { ram: $(ram) }\n");
	front_load(&front, "rma=2MiB", NULL);
	front_finding(&front, "S105", "rma", "no parameter `rma`");
	assert_string_equal(front.diagnostics.items[0]->help, "did you mean `ram`?");
	front_fini(&front);
	bad("type: int, default: 3, max: 3", "p=9", "S103", "9", "at most 3");
}

static void a_set_needs_a_name_and_a_value(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.yaml", "format: machine/1\nname: t\n");
	front_load(&front, "verbose", NULL);
	front_finding(&front, "S102", "verbose", "sets nothing");
	front_fini(&front);
}

static void an_optional_parameter_without_a_value_takes_its_key_along(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front, "params: { d: { type: path, optional: true } }\n"
			      "boot: { initrd: $(d), cmdline: x, tables: [a, $(d)] }\n");
	front_clean(&front);
	front_expect(&front, "boot/initrd", NULL);
	front_expect(&front, "boot/cmdline", "x");
	assert_int_equal(front_at(&front, "boot/tables")->count, 1);
	front_fini(&front);
}

static void a_parameter_that_must_have_a_value_says_so(void **state)
{
	bad("type: path", NULL, "S117", "p", "has no value");
}

static void defaults_are_worked_out_on_demand(void **state)
{
	front_good("params:\n  a: { type: int, default: $(b * 2) }\n  b: { type: int, default: $(c "
		   "+ 1) }\n"
		   "  c: { type: int, default: 3 }\ncpu: { count: $(a) }\n",
		   "cpu/count", "8");
}

static void defaults_that_lean_on_each_other_in_a_circle_are_an_error(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(
		&front,
		"params: { a: { type: int, default: $(b) }, b: { type: int, default: $(a) } }\n"
		"cpu: { count: $(a) }\n");
	assert_int_equal(front_count(&front, "S114"), 1);
	assert_int_equal(front.diagnostics.count, 1);
	front_fini(&front);
}

static void a_long_chain_of_defaults_ends(void **state)
{
	struct front front;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fputs("params:\n", out);
	for (int i = 0; i < 5000; i++)
		fprintf(out, "  p%d: { type: int, default: $(p%d) }\n", i, i + 1);
	fputs("  p5000: { type: int, default: 1 }\ncpu: { count: $(p0) }\n", out);
	fclose(out);
	front_init(&front);
	front_profile(&front, text);
	assert_true(front.diagnostics.errors > 0);
	front_fini(&front);
	free(text);
}

static void a_child_narrows_a_parameter(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml",
		   "format: machine/1\nname: b\nparams: { n: { type: int, default: 4, max: 9 } }\n"
		   "cpu: { count: $(n) }\n");
	front_file(&front, "profile.yaml",
		   "format: machine/1\nname: t\nextends: ./b.yaml\nparams: { n: { min: 2 } }\n");
	front_load(&front, "n=1", NULL);
	front_finding(&front, "S103", "1", "at least 2");
	front_fini(&front);
}

static void lists_come_from_yaml_and_from_sets(void **state)
{
	struct front front;

	front_init(&front);
	front_file(
		&front, "profile.yaml",
		"format: machine/1\nname: t\nparams: { l: { type: list, of: int, default: [1] } }\n"
		"boot: { tables: $(l), cmdline: \"$(len(l))\" }\n");
	front_load(&front, "l=4,5,6", NULL);
	front_clean(&front);
	front_expect(&front, "boot/tables/2", "6");
	front_expect(&front, "boot/cmdline", "3");
	front_load(&front, "l=4,x", NULL);
	assert_int_equal(front_count(&front, "S102"), 1);
	front_fini(&front);
}

static void a_hosts_value_is_marked_all_the_way(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front, "params:\n  k: { type: path, scope: host, default: /k }\n"
			      "  n: { type: int, scope: host, default: 2 }\n"
			      "  g: { type: int, default: $(n + 1) }\n"
			      "boot: { linux: $(k), cmdline: \"x=$(g)\", initrd: plain }\n");
	front_clean(&front);
	assert_true(front_at(&front, "boot/linux")->host);
	assert_true(front_at(&front, "boot/cmdline")->host);
	assert_false(front_at(&front, "boot/initrd")->host);
	front_fini(&front);
}

static void a_hosts_value_is_no_part_of_what_the_guest_sees(void **state)
{
	static const char *const sections[] = {
		"cpu: { count: $(g) }\n", "cpu: { topology: { cores: $(1 if has(n) else 2) } }\n",
		"memory: { ram: $(n * 64MiB) }\n", "windows: { io: { range: $(n)+64 } }\n"
	};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		struct front front;
		char text[400];

		front_init(&front);
		snprintf(text, sizeof(text),
			 "params:\n  n: { type: int, scope: host, default: 2 }\n"
			 "  g: { type: int, default: $(n + 1) }\n"
			 "x-uses: 0\nchecks: [{ that: n + g > 0, say: used }]\n%s",
			 sections[i]);
		front_profile(&front, text);
		assert_int_equal(front_count(&front, "S114"), 1);
		front_fini(&front);
	}
}

static void a_parameter_that_nothing_reads_is_worth_a_warning(void **state)
{
	struct front front;

	front_bad("params: { vga: { type: int, default: 1 } }\n", "S104", "vga", "nothing uses");

	/* a child that overrides the use is not told of what its base declares, unless it sets it */
	front_init(&front);
	front_file(&front, "b.yaml",
		   "format: machine/1\nname: b\nparams: { n: { type: int, default: 1 } }\n"
		   "cpu: { count: $(n) }\n");
	front_profile(&front, "extends: ./b.yaml\ncpu: { count: 4 }\n");
	front_clean(&front);
	front_load(&front, "n=3", NULL);
	front_finding(&front, "S104", "3", "nothing uses");
	front_fini(&front);
}

static void a_size_without_a_unit_is_worth_a_warning(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front, "params: { p: { type: size, default: 512 } }\n" USED);
	front_finding(&front, "S107", "512", "means bytes");
	front_fini(&front);
	bad("type: size, default: 64MiB, min: 32MiB", "p=512", "S103", "512", "at least 32MiB");
}

static void match_is_for_the_whole_text(void **state)
{
	static const char name[] =
		"params: { n: { type: string, match: '[a-z]+|x{2}[0-9]', default: %s } }\n"
		"boot: { cmdline: $(n) }\n";
	char text[256];

	snprintf(text, sizeof(text), name, "abc");
	front_good(text, "boot/cmdline", "abc");
	snprintf(text, sizeof(text), name, "xx7");
	front_good(text, "boot/cmdline", "xx7");
	snprintf(text, sizeof(text), name, "abc1");
	front_bad(text, "S103", "abc1", "`n` does not match `[a-z]+|x{2}[0-9]`");
	front_bad("params: { l: { type: list, match: '[a-z]+', default: [a, B] } }\n"
		  "boot: { tables: $(l) }\n",
		  "S103", "B", "does not match");
	front_bad("params: { l: { type: int, match: '[a-z]+', default: 1 } }\n", "S102", "match",
		  "have no `match`");
}

static void patterns_that_could_take_long_are_refused(void **state)
{
	static const struct {
		const char *pattern, *part;
	} cases[] = {
		{ "((a{16}){16}){16}", "has more than 2048 steps" },
		{ "a{99999999999999999999}", "no `{m,n}` of numbers" },
		{ "(a*)\\1", "refers back" },
		{ "(a", "a `(` that is never closed" },
		{ "[a", "a `[` that is never closed" },
		{ "a{5,2}", "no `{m,n}` of numbers" },
		{ "a|*", "repeats nothing" },
		{ "a)", "a `)` without a `(`" },
		{ "[z-a]", "runs backwards" },
		{ "[[:digits:]]", "names no class" },
		{ "\\d+", "before what needs none" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256], covered[64];

		snprintf(text, sizeof(text),
			 "params: { n: { type: string, match: '%s', default: x } }\n",
			 cases[i].pattern);
		snprintf(covered, sizeof(covered), "'%s'", cases[i].pattern);
		front_bad(text, "S102", covered, cases[i].part);
	}
	char longest[2048], text[2300];

	memset(longest, 'a', sizeof(longest));
	longest[1025] = '\0';
	snprintf(text, sizeof(text),
		 "params: { n: { type: string, match: '(a|aa)*', default: %s } }\n", longest);
	front_bad(text, "S103", NULL, "more than 1024 bytes");
}

static void a_secret_is_seen_by_nobody_but_the_device(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.yaml",
		   "format: machine/1\nname: t\nparams: { key: { type: secret, match: "
		   "'[a-z0-9]{4,16}' } }\n"
		   "devices: { u: { type: t, at: sys, props: { a: $(key), b: 'k=$(key).', n: "
		   "$(len(key)) } } }\n");
	front_load(&front, "key=hunter2", NULL);
	front_clean(&front);
	front_expect(&front, "devices/u/props/a", "<secret>");
	front_expect(&front, "devices/u/props/b", "k=<secret>.");
	front_expect(&front, "devices/u/props/n", "7");
	assert_string_equal(front_at(&front, "devices/u/props/a")->secret, "hunter2");
	assert_string_equal(front_at(&front, "devices/u/props/b")->secret, "k=hunter2.");
	assert_true(front_at(&front, "devices/u/props/a")->host);
	front_fini(&front);
}

static void no_finding_shows_a_secret(void **state)
{
	static const char *const sets[] = { "key=Hunter2", "kye=hunter2", "other=hunter2" };

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct front front;
		char *text = NULL;
		size_t size = 0;

		front_init(&front);
		front_file(&front, "profile.yaml",
			   "format: machine/1\nname: t\n"
			   "params: { key: { type: secret, match: '[a-z0-9]{4,16}', optional: true "
			   "} }\n"
			   "devices: { u: { type: t, at: sys, props: { a: $(key) } } }\n");
		front_load(&front, sets[i], NULL);
		assert_true(front.diagnostics.errors > 0);
		for (unsigned format = MW_DIAG_FULL; format <= MW_DIAG_JUNIT; format++) {
			FILE *out = open_memstream(&text, &size);

			mw_diagnostics_print(&front.diagnostics, out, (enum mw_diag_format)format,
					     false);
			fclose(out);
			assert_null(strstr(text, "unter2"));
			free(text);
		}
		front_fini(&front);
	}
}

static void a_secret_may_not_decide_or_be_seen_by_the_guest(void **state)
{
	front_bad(
		"params: { key: { type: secret, optional: true } }\n"
		"devices: { u: { type: t, at: sys, when: len(key) > 3, props: { a: $(key) } } }\n",
		"S114", "key", "the host's");
	struct front front;

	front_init(&front);
	front_file(&front, "profile.yaml",
		   "format: machine/1\nname: t\nparams: { key: { type: secret } }\n"
		   "boot: { cmdline: \"key=$(key)\" }\n");
	front_load(&front, "key=hunter2", NULL);
	front_finding(&front, "S114", "\"key=$(key)\"", "a secret cannot stand here");
	front_fini(&front);
}

static void a_hosts_value_may_not_decide_through_a_default(void **state)
{
	front_bad("params: { h: { type: int, scope: host, default: 1 }, g: { type: int, default: "
		  "$(h) } }\n"
		  "devices: { u: { type: t, at: sys, when: g > 1 } }\n",
		  "S114", "g > 1", "a value of the host goes into this");
	front_bad("params: { h: { type: int, scope: host, default: 1 }, g: { type: int, default: "
		  "$(h) } }\n"
		  "devices: { u: { type: t, at: sys, count: $(g) } }\n",
		  "S114", "$(g)", "a value of the host goes into this");
	front_good("params: { h: { type: int, scope: host, optional: true }, g: { type: bool, "
		   "default: "
		   "$(has(h)) } }\n"
		   "devices: { u: { type: t, at: sys, when: g or has(h) } }\nboot: { cmdline: $(g) "
		   "}\n",
		   "boot/cmdline", "false");
}

static void a_deprecated_parameter_is_told_where_it_gets_a_value(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml",
		   "format: machine/1\nname: b\nparams: { n: { type: int, default: 1, deprecated: "
		   "use m } }\n"
		   "cpu: { count: $(n) }\n");
	front_profile(&front, "extends: ./b.yaml\n");
	front_clean(&front);
	front_load(&front, "n=2", NULL);
	front_finding(&front, "C701", "2", "the parameter `n` is deprecated");
	assert_string_equal(front.diagnostics.items[0]->label, "use m");
	front_fini(&front);

	front_init(&front);
	front_file(&front, "b.yaml",
		   "format: machine/1\nname: b\nparams: { n: { type: int, default: 1, deprecated: "
		   "use m } }\n"
		   "cpu: { count: $(n) }\n");
	front_profile(&front, "extends: ./b.yaml\nparams: { n: { default: 7 } }\n");
	front_finding(&front, "C701", "7", "the parameter `n` is deprecated");
	front_fini(&front);
}

static void a_list_may_hold_expressions(void **state)
{
	front_good("params: { a: { type: string, default: x }, l: { type: list, default: [$(a), "
		   "\"$(a)y\"] } }\n"
		   "boot: { tables: $(l) }\n",
		   "boot/tables/1", "xy");
	front_bad("params: { l: { type: list, of: secret, default: [] } }\n", "S102", "secret",
		  "type of the items");
}

static void what_the_profile_says_of_its_accelerator_is_read_by_name(void **state)
{
	front_good("accel: { irqchip: split }\n"
		   "devices: { u: { type: t, at: sys, when: accel.irqchip in split|user } }\n",
		   "devices/u/type", "t");
	front_good("devices: { u: { type: t, at: sys, when: accel.clock == instructions } }\n",
		   "devices/u/type", NULL);
	front_good("params: { chip: { type: enum, of: [user, kernel], default: user } }\n"
		   "accel: { irqchip: $(chip) }\nboot: { cmdline: chip=$(accel.irqchip) }\n",
		   "boot/cmdline", "chip=user");
	front_good(
		"accel: { need: { vtl: 2, x2apic: true, pit: optional } }\n"
		"boot: { cmdline: $(accel.vtl) $(accel.x2apic) $(accel.pit) $(accel.memslots) }\n",
		"boot/cmdline", "2 true false 0");
	front_bad("devices: { u: { type: t, at: sys, when: accel.clock == instruction } }\n",
		  "S105", "instruction", "no member");
	front_bad("devices: { u: { type: t, at: sys, when: accel.irqchop == user } }\n", "S105",
		  "accel.irqchop", "no parameter `accel.irqchop`");
	struct front front;

	front_init(&front);
	front_file(&front, "profile.yaml", "format: machine/1\nname: t\n");
	front_load(&front, "accel.clock=host", NULL);
	front_finding(&front, "S105", "accel.clock", "no parameter");
	front_fini(&front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_takes_its_own_values),
		cmocka_unit_test(every_type_refuses_other_values),
		cmocka_unit_test(constraints_hold_for_defaults_and_sets),
		cmocka_unit_test(a_broken_declaration_is_told_once),
		cmocka_unit_test(a_set_wins_over_the_default),
		cmocka_unit_test(sets_must_hit_a_parameter),
		cmocka_unit_test(a_set_needs_a_name_and_a_value),
		cmocka_unit_test(an_optional_parameter_without_a_value_takes_its_key_along),
		cmocka_unit_test(a_parameter_that_must_have_a_value_says_so),
		cmocka_unit_test(defaults_are_worked_out_on_demand),
		cmocka_unit_test(defaults_that_lean_on_each_other_in_a_circle_are_an_error),
		cmocka_unit_test(a_long_chain_of_defaults_ends),
		cmocka_unit_test(a_child_narrows_a_parameter),
		cmocka_unit_test(lists_come_from_yaml_and_from_sets),
		cmocka_unit_test(a_hosts_value_is_marked_all_the_way),
		cmocka_unit_test(a_hosts_value_is_no_part_of_what_the_guest_sees),
		cmocka_unit_test(a_parameter_that_nothing_reads_is_worth_a_warning),
		cmocka_unit_test(a_size_without_a_unit_is_worth_a_warning),
		cmocka_unit_test(match_is_for_the_whole_text),
		cmocka_unit_test(patterns_that_could_take_long_are_refused),
		cmocka_unit_test(a_secret_is_seen_by_nobody_but_the_device),
		cmocka_unit_test(no_finding_shows_a_secret),
		cmocka_unit_test(a_secret_may_not_decide_or_be_seen_by_the_guest),
		cmocka_unit_test(a_hosts_value_may_not_decide_through_a_default),
		cmocka_unit_test(a_deprecated_parameter_is_told_where_it_gets_a_value),
		cmocka_unit_test(a_list_may_hold_expressions),
		cmocka_unit_test(what_the_profile_says_of_its_accelerator_is_read_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
