/* Shape: known keys, kinds of values, ids, traps that only the key can tell. */
// SPDX-License-Identifier: MIT
#include "tests/unit/resolver/front.h"

static void an_unknown_key_is_an_error_that_names_the_nearest(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front, "memroy: { ram: 64MiB }\n");
	front_finding(&front, "S101", "memroy", "unknown key");
	assert_string_equal(front.diagnostics.items[0]->help, "did you mean `memory`?");
	assert_string_equal(front.diagnostics.items[0]->node, "/memroy");
	front_fini(&front);
	front_bad("devices: { u: { type: t, irqq: 4 } }\n", "S101", "irqq", "unknown key");
	front_bad("cpu: { topology: { core: 2 } }\n", "S101", "core", "unknown key");
	front_bad("params: { p: { type: int, default: 1, unit: x } }\n", "S101", "unit", "unknown");
}

static void chipsets_have_no_cpu_and_no_boot(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "board.yaml", "format: chipset/1\nname: b\nboot: { linux: x }\n");
	front_profile(&front, "extends: ./board.yaml\n");
	front_finding(&front, "S101", "boot", "unknown key");
	front_fini(&front);
}

static void values_have_the_kind_their_key_wants(void **state)
{
	front_bad("cpu: { count: four }\n", "S102", "four", "expected an int");
	front_bad("cpu: { hypervisor: vbox }\n", "S102", "vbox", "`none`, `kvm` or `hyperv`");
	front_bad("cpu: host\n", "S102", "host", "expected a map");
	front_bad("memory: { ram: [1GiB] }\n", "S102", "[", "found a list");
	front_bad("memory: { ram: 1GB }\n", "S102", "1GB", "a size such as 64KiB");
	front_bad("memory: { holes: [0xa0000] }\n", "S102", "0xa0000", "a range");
	front_bad("cpu: { count: }\n", "S102", "count", "found nothing");
	front_bad("extends: { a: b }\n", "S102", "{", "expected text or a list");
	front_bad("checks: [{ say: x }]\n", "S117", "{", "`that` is missing");
	front_bad("cpu: { tsc_khz: fast }\n", "S102", "fast", "an int or `from-host`");
}

static void the_key_decides_what_a_word_means(void **state)
{
	front_bad("params: { p: { type: bool, default: yes } }\n", "Y005", "yes",
		  "`true` or `false`");
	front_bad("cpu: { count: 010 }\n", "Y006", "010", "leading zero");
	front_bad("memory: { ram: 0700MiB }\n", "Y006", "0700MiB", "leading zero");
	front_good("devices: { no: { type: on } }\n", "devices/no/type", "on");
	front_good("boot: { cmdline: 010 }\n", "boot/cmdline", "010");
}

static void a_size_without_a_unit_is_worth_a_warning(void **state)
{
	front_bad("memory: { ram: 512 }\n", "S107", "512", "means bytes");
	front_good("memory: { ram: 0x20000000 }\n", "memory/ram", "0x20000000");
}

static void maps_and_lists_are_written_out(void **state)
{
	front_bad("devices: $(x)\n", "S102", "$(x)", "expected a map, found text");
	front_bad("checks: $(x)\n", "S102", "$(x)", "expected a list, found text");
	front_bad("cpu: { topology: $(x) }\n", "S102", "$(x)", "expected a map");
	front_bad("devices:\n", "S102", "devices", "found nothing");
	front_bad("params: { p: { type: string, default: x } }\nboot: { tables: $(p) }\n", "S102",
		  "$(p)", "expected a list, found text");
	front_good("params: { p: { type: list, default: [x] } }\nboot: { tables: $(p) }\n",
		   "boot/tables/0", "x");
}

static void ids_are_short_lower_case_words(void **state)
{
	front_bad("devices: { Com1: { type: t } }\n", "S118", "Com1", "no id");
	front_bad("devices: { 1com: { type: t } }\n", "S118", "1com", "no id");
	front_bad("devices: { a.b: { type: t } }\n", "S108", "a.b", "no `a.b` to change");
	front_bad("devices: { a..b: { type: t } }\n", "S118", "a..b", "no id");
	front_bad("devices: { align: { type: t } }\n", "S118", "align", "a word of the language");
	front_bad("params: { a-b: { type: int, default: 1 } }\n", "S118", "a-b", "no id");
	front_bad("devices: { a2345678901234567890123456789012x: { type: t } }\n", "S118",
		  "a2345678901234567890123456789012x", "no id");
	front_good("devices: { a_b-9: { type: t } }\n", "devices/a_b-9/type", "t");
}

static void formats_are_told_apart(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.yaml", "format: part/1\nname: x\n");
	front_load(&front, NULL);
	front_finding(&front, "S102", "part/1", "expected a machine here");
	assert_false(front.good);
	front_fini(&front);

	front_init(&front);
	front_file(&front, "profile.yaml", "format: machine/2\nname: x\n");
	front_load(&front, NULL);
	front_finding(&front, "S102", "machine/2", "unknown format");
	front_fini(&front);

	front_init(&front);
	front_file(&front, "profile.yaml", "format: chipset/1\nname: x\n");
	front_load(&front, NULL);
	front_finding(&front, "S102", "chipset/1", "expected a machine");
	front_fini(&front);

	front_init(&front);
	front_file(&front, "profile.yaml", "format: machine/1\n");
	front_load(&front, NULL);
	front_finding(&front, "S117", "f", "`name` is missing");
	front_fini(&front);
}

static void expressions_are_looked_at_again_when_they_have_a_value(void **state)
{
	front_bad("params: { n: { type: string, default: many } }\ncpu: { count: $(n) }\n", "S102",
		  "$(n)", "expected an int, found `many`");
	front_bad("params: { m: { type: string, default: x } }\n"
		  "devices: { u: { type: t, placement: $(m) } }\n",
		  "S102", "$(m)", "`shared`, `own` or `cpu`");
	front_bad("params: { l: { type: list, default: [a] } }\ncpu: { model: $(l) }\n", "S102",
		  "$(l)", "found a list");
	front_bad("version: $(n)\n", "S102", "$(n)", "an expression cannot stand here");
}

static void what_was_rejected_is_gone_and_its_section_says_so(void **state)
{
	struct front front;

	front_init(&front);
	front_profile(&front, "memory: { ram: lots, below_4g: 1GiB }\n");
	front_finding(&front, "S102", "lots", "a size");
	assert_true(front.good);
	front_expect(&front, "memory/ram", NULL);
	front_expect(&front, "memory/below_4g", "1GiB");
	assert_true(front_at(&front, "memory")->failed);
	front_fini(&front);
}

static void foreign_keys_are_ignored_anywhere(void **state)
{
	front_good(
		"x-a: { b: $(nothing), c: [1] }\nguests: [windows-11, linux]\n"
		"params: { x-p: 1 }\nmemory: { ram: 1MiB, x-why: because }\n"
		"devices: { x-d: 3, u: { type: t, at: sys, x-n: [], props: { x-q: 1, p: 2 } } }\n",
		"memory/ram", "1MiB");
	front_good("devices: { x-d: 3, u: { type: t, at: sys, props: { x-q: 1, p: 2 } } }\n",
		   "devices/u/props/x-q", NULL);
	front_bad("guests: linux\n", "S102", "linux", "expected a list");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_key_is_an_error_that_names_the_nearest),
		cmocka_unit_test(chipsets_have_no_cpu_and_no_boot),
		cmocka_unit_test(values_have_the_kind_their_key_wants),
		cmocka_unit_test(the_key_decides_what_a_word_means),
		cmocka_unit_test(a_size_without_a_unit_is_worth_a_warning),
		cmocka_unit_test(maps_and_lists_are_written_out),
		cmocka_unit_test(ids_are_short_lower_case_words),
		cmocka_unit_test(formats_are_told_apart),
		cmocka_unit_test(expressions_are_looked_at_again_when_they_have_a_value),
		cmocka_unit_test(what_was_rejected_is_gone_and_its_section_says_so),
		cmocka_unit_test(foreign_keys_are_ignored_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
