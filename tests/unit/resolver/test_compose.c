/* Compose: vertical override is silent, horizontal clash is an error. */
// SPDX-License-Identifier: MIT
#include "tests/unit/resolver/front.h"

#include <stdio.h>
#include <string.h>

#define CHIPSET(name) "format: chipset/1\nname: " name "\n"
#define MACHINE(name) "format: machine/1\nname: " name "\n"

static void a_child_changes_what_it_states_and_nothing_else(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/b.yaml",
		   CHIPSET("b") "version: 3\nmemory: { ram: 1GiB, below_4g: 2GiB }\n"
				"devices:\n  u: { type: uart, at: sys, irq: 4, io: { a: 1+1, b: "
				"2+1 } }\n"
				"  v: { type: other }\n");
	front_profile(&front, "extends: chipset/b@3\nsummary: mine\nmemory: { ram: 2GiB }\n"
			      "devices:\n  w: { type: third }\n  u: { io: { b: 9+1 } }\n");
	front_clean(&front);
	front_expect(&front, "memory/ram", "2GiB");
	front_expect(&front, "memory/below_4g", "2GiB");
	front_expect(&front, "devices/u/type", "uart");
	front_expect(&front, "devices/u/irq", "4");
	front_expect(&front, "devices/u/io/a", "1+1");
	front_expect(&front, "devices/u/io/b", "9+1");
	assert_string_equal(front.document.name, "test");
	assert_string_equal(front.document.summary, "mine");
	assert_int_equal(front.document.version, 1);
	assert_string_equal(front.document.bases[0], "chipset/b@3");
	assert_null(front.document.bases[1]);
	/* the base's order, then what is new */
	assert_string_equal(front.document.devices->first->key, "u");
	assert_string_equal(front.document.devices->last->key, "w");
	front_fini(&front);
}

static void lists_are_replaced_whole(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml", MACHINE("b") "boot: { tables: [acpi, smbios] }\n");
	front_profile(&front, "extends: ./b.yaml\nboot: { tables: [mptable] }\n");
	front_clean(&front);
	assert_int_equal(front_at(&front, "boot/tables")->count, 1);
	front_fini(&front);
}

static void checks_of_all_files_hold(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml",
		   MACHINE("b") "params: { n: { type: int, default: 3 } }\n"
				"checks: [{ that: n < 3, say: from the base }]\n");
	front_profile(&front, "extends: ./b.yaml\nchecks: [{ that: n > 3, say: from here }]\n");
	assert_int_equal(front_count(&front, "S115"), 2);
	front_fini(&front);
}

static void an_entry_without_type_must_hit_something(void **state)
{
	front_bad("devices: { com3: { irq: 5 } }\n", "S108", "com3", "no `com3` to change");
	front_bad("devices: { com3: remove }\n", "S108", "com3", "no `com3` to remove");
	front_bad("params: { n: { default: 3 } }\n", "S108", "n", "no `n` to change");
	front_bad("memory: { ram: unset }\n", "S108", "ram", "no `ram` to unset");
	front_good("memory: { ram: 1MiB }\nboot: { cmdline: 'unset' }\n", "boot/cmdline", "unset");
}

static void remove_and_unset_take_away(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml",
		   MACHINE("b") "cpu: { count: 3, model: host }\nwindows: { io: { range: 1+1 } }\n"
				"devices:\n  u: { type: t, props: { a: 1, b: 2 } }\n  v: { type: t "
				"}\n");
	front_profile(&front, "extends: ./b.yaml\ncpu: { count: unset }\nwindows: { io: remove }\n"
			      "devices: { u: { props: { a: unset } }, v: remove }\n");
	front_clean(&front);
	front_expect(&front, "cpu/count", NULL);
	front_expect(&front, "cpu/model", "host");
	front_expect(&front, "windows/io", NULL);
	front_expect(&front, "devices/u/props/a", NULL);
	front_expect(&front, "devices/u/props/b", "2");
	front_expect(&front, "devices/v", NULL);
	front_fini(&front);
}

static void a_type_cannot_be_unset(void **state)
{
	front_bad("devices: { u: { type: unset } }\n", "S102", "unset", "cannot be unset");
}

static void what_was_removed_can_be_made_anew_but_not_changed(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml", MACHINE("b") "devices: { u: { type: t, irq: 4 } }\n");
	front_file(&front, "c.yaml", MACHINE("c") "extends: ./b.yaml\ndevices: { u: remove }\n");
	front_profile(&front, "extends: ./c.yaml\ndevices: { u: { type: t, io: 1+1 } }\n");
	front_clean(&front);
	front_expect(&front, "devices/u/io", "1+1");
	front_expect(&front, "devices/u/irq", NULL);
	front_fini(&front);

	front_init(&front);
	front_file(&front, "b.yaml", MACHINE("b") "devices: { u: { type: t, irq: 4 } }\n");
	front_file(&front, "c.yaml", MACHINE("c") "extends: ./b.yaml\ndevices: { u: remove }\n");
	front_profile(&front, "extends: ./c.yaml\ndevices: { u: { io: 1+1 } }\n");
	front_finding(&front, "S108", "u", "no `u` to change");
	front_fini(&front);
}

static void two_bases_that_disagree_clash(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "a.yaml", CHIPSET("a") "devices: { u: { type: t, irq: 4, io: 1+1 } }\n");
	front_file(&front, "b.yaml", CHIPSET("b") "devices: { u: { type: t, irq: 5, io: 1+1 } }\n");
	front_profile(&front, "extends: [./a.yaml, ./b.yaml]\n");
	front_finding(&front, "S111", "5", "two bases give `irq` different values");
	assert_int_equal(front.diagnostics.items[0]->notes->span.source != 0, 1);
	assert_true(mw_document_failed(&front.document, "u"));
	front_fini(&front);
}

static void the_child_decides_a_clash(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "a.yaml", CHIPSET("a") "devices: { u: { type: t, irq: 4 } }\n");
	front_file(&front, "b.yaml", CHIPSET("b") "devices: { u: { type: t, irq: 5 } }\n");
	front_profile(&front, "extends: [./a.yaml, ./b.yaml]\ndevices: { u: { irq: 6 } }\n");
	front_clean(&front);
	front_expect(&front, "devices/u/irq", "6");
	front_fini(&front);

	front_init(&front);
	front_file(&front, "a.yaml", CHIPSET("a") "devices: { u: { type: t, irq: 4 } }\n");
	front_file(&front, "b.yaml", CHIPSET("b") "devices: { u: { type: t, irq: 5 } }\n");
	front_profile(&front, "extends: [./a.yaml, ./b.yaml]\ndevices: { u: remove }\n");
	front_clean(&front);
	front_expect(&front, "devices/u", NULL);
	front_fini(&front);
}

static void a_base_that_extends_the_other_wins(void **state)
{
	static const char *const orders[] = { "extends: [./a.yaml, ./b.yaml]\n",
					      "extends: [./b.yaml, ./a.yaml]\n" };

	for (unsigned i = 0; i < 2; i++) {
		struct front front;

		front_init(&front);
		front_file(&front, "a.yaml",
			   CHIPSET("a") "devices: { u: { type: t, irq: 4 }, v: { type: t } }\n");
		front_file(&front, "b.yaml",
			   CHIPSET("b") "extends: ./a.yaml\n"
					"devices: { u: { irq: 5 }, v: remove }\n");
		front_profile(&front, orders[i]);
		front_clean(&front);
		front_expect(&front, "devices/u/irq", "5");
		front_expect(&front, "devices/v", NULL);
		front_fini(&front);
	}
}

static void a_common_base_is_no_party(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "root.yaml",
		   CHIPSET("root") "params: { n: { type: int, default: 1 } }\n"
				   "checks: [{ that: n > 1, say: once }]\n"
				   "devices: { u: { type: t, irq: 4, io: 1+1 } }\n");
	front_file(&front, "a.yaml",
		   CHIPSET("a") "extends: ./root.yaml\ndevices: { u: { irq: 5 } }\n");
	front_file(&front, "b.yaml",
		   CHIPSET("b") "extends: ./root.yaml\ndevices: { u: { io: 2+1 } }\n");
	front_profile(&front, "extends: [./a.yaml, ./b.yaml]\n");
	front_finding(&front, "S115", "n > 1", "once");
	front_expect(&front, "devices/u/irq", "5");
	front_expect(&front, "devices/u/io", "2+1");
	front_fini(&front);
}

static void final_keys_stay(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml",
		   MACHINE("b") "final: [windows]\nwindows: { io: { range: 1+1 } }\n"
				"cpu: { count: 3, final: [count] }\n"
				"devices: { u: { type: t, irq: 4, final: [irq] } }\n");
	front_profile(&front, "extends: ./b.yaml\nwindows: { io: { range: 1+2 } }\n"
			      "cpu: { count: 4 }\ndevices: { u: { irq: 5 } }\n");
	assert_int_equal(front_count(&front, "S112"), 3);
	assert_int_equal(front.diagnostics.count, 3);
	front_fini(&front);

	front_init(&front);
	front_file(&front, "b.yaml",
		   MACHINE("b") "devices: { u: { type: t, irq: 4, final: [irq], props: { final: 1 "
				"} } }\n");
	front_profile(&front, "extends: ./b.yaml\ndevices: { u: { irq: 4, io: 1+1 } }\n");
	front_clean(&front);
	front_expect(&front, "devices/u/final", NULL);
	front_expect(&front, "devices/u/props/final", "1");
	front_fini(&front);
}

static void a_new_type_keeps_place_and_condition_only(void **state)
{
	struct front front;

	front_init(&front);
	front_file(
		&front, "b.yaml",
		MACHINE("b") "devices: { u: { type: t, at: isa, when: true, irq: 4, io: 1+1 } }\n");
	front_profile(&front, "extends: ./b.yaml\ndevices: { u: { type: other, io: 2+2 } }\n");
	front_finding(&front, "S116", "other", "drops what it inherited: `irq`");
	assert_int_equal(front.diagnostics.items[0]->severity, MW_SEVERITY_HINT);
	front_expect(&front, "devices/u/at", "isa");
	front_expect(&front, "devices/u/io", "2+2");
	front_expect(&front, "devices/u/irq", NULL);
	front_fini(&front);
}

static void circles_end(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml", MACHINE("b") "extends: ./profile.yaml\n");
	front_profile(&front, "extends: ./b.yaml\n");
	front_finding(&front, "S113", "./profile.yaml", "in a circle");
	assert_false(front.good);
	front_fini(&front);
	front_bad("extends: ./profile.yaml\n", "S113", "./profile.yaml", "in a circle");
}

static void eight_files_deep_is_the_end(void **state)
{
	struct front front;
	char name[16], text[64];

	front_init(&front);
	for (int i = 1; i <= 9; i++) {
		snprintf(name, sizeof(name), "b%d.yaml", i);
		snprintf(text, sizeof(text), MACHINE("b") "extends: ./b%d.yaml\n", i + 1);
		front_file(&front, name, i < 8 ? text : MACHINE("last"));
	}
	front_profile(&front, "extends: ./b1.yaml\n");
	front_clean(&front);
	front_file(&front, "b8.yaml", MACHINE("b") "extends: ./b9.yaml\n");
	front_load(&front, NULL);
	front_finding(&front, "S113", "./b9.yaml", "more than 8 files deep");
	front_fini(&front);
}

static void a_base_that_is_missing_is_told_once(void **state)
{
	front_bad("extends: chipset/none@1\ndevices: { u: { irq: 4 } }\n", "S113", "chipset/none@1",
		  "there is no chipset `none`");
	front_bad("extends: ./none.yaml\n", "S113", "./none.yaml", "cannot read");
	front_bad("extends: https://x.org/a.yaml\n", "S113", "https://x.org/a.yaml",
		  "network path");
	front_bad("extends: chipset/../../etc/passwd\n", "S113", "chipset/../../etc/passwd",
		  "names no file");
	front_bad("extends: chipset/a@b\n", "S113", "chipset/a@b", "names no file");
	front_bad("extends: gadget/a@1\n", "S113", "gadget/a@1", "names no file");
}

static void versions_are_checked(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/b.yaml", CHIPSET("b") "version: 2\n");
	front_profile(&front, "extends: chipset/b@1\n");
	front_finding(&front, "S113", "chipset/b@1", "has no version 1");
	front_fini(&front);

	front_init(&front);
	front_file(&front, "chipsets/b.yaml", CHIPSET("b") "version: 2\n");
	front_profile(&front, "extends: chipset/b\n");
	front_finding(&front, "C703", "chipset/b", "has no version");
	assert_string_equal(front.diagnostics.items[0]->help, "write `chipset/b@2`");
	front_fini(&front);
}

static void what_changes_a_broken_section_keeps_silent(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "b.yaml", MACHINE("b") "devices: broken\n");
	front_profile(&front, "extends: ./b.yaml\ndevices: { u: { irq: 5 } }\n");
	front_finding(&front, "S102", "broken", "expected a map");
	front_fini(&front);
}

static void other_kinds_of_file_are_read_by_name(void **state)
{
	struct front front;
	struct mw_span nowhere = { 0 };

	front_init(&front);
	front_file(&front, "chipsets/cpu/old.yaml", "format: cpu/1\nname: old\nfamily: 6\n");
	front_file(&front, "mine.yaml", "format: cpu/1\nname: mine\n");
	front_profile(&front, "cpu: { model: ./mine.yaml }\n");
	struct mw_span here = front_at(&front, "cpu/model")->span;

	assert_string_equal(
		mw_tree_get(mw_document_read(&front.document, "cpu", "old", nowhere), "family")
			->text,
		"6");
	/* a path is relative to the file that names it */
	assert_non_null(mw_document_read(&front.document, "cpu", "./mine.yaml", here));
	front_clean(&front);
	assert_null(mw_document_read(&front.document, "cpu", "odl", here));
	front_finding(&front, "S113", "./mine.yaml", "there is no cpu `odl`");
	assert_string_equal(front.diagnostics.items[0]->help, "did you mean `old`?");
	assert_null(mw_document_read(&front.document, "cpu", "./profile.yaml", here));
	assert_int_equal(front.diagnostics.errors, 2);
	front_fini(&front);
}

static void a_chipset_extends_chipsets_only(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "m.yaml", MACHINE("m"));
	front_file(&front, "b.yaml", CHIPSET("b") "extends: ./m.yaml\n");
	front_profile(&front, "extends: ./b.yaml\n");
	front_finding(&front, "S113", "./m.yaml", "a chipset cannot extend a machine");
	front_fini(&front);
}

static void the_profile_itself_may_be_missing(void **state)
{
	struct front front;

	front_init(&front);
	front_load(&front, NULL);
	assert_false(front.good);
	front_finding(&front, "", "", "cannot read");
	front_fini(&front);
}

/* The texts of a value and of what it replaced, newest first. */
static void expect_over(struct front *front, const char *path, const char *const *texts)
{
	struct mw_tree *tree = front_at(front, path);

	for (; *texts; texts++, tree = tree->over) {
		assert_non_null(tree);
		assert_string_equal(tree->text, *texts);
	}
	assert_null(tree);
}

#define OVER(front, path, ...) expect_over(front, path, (const char *const[]){ __VA_ARGS__, NULL })

static void what_a_value_replaced_is_behind_it(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "a.yaml",
		   CHIPSET("a") "memory: { ram: 1MiB }\ndevices:\n  u: { type: uart, at: sys, irq: "
				"1, io: "
				"{ a: 1+1 } }\n  v: { type: x, at: sys }\n");
	front_file(&front, "b.yaml",
		   CHIPSET("b") "extends: ./a.yaml\nmemory: { ram: 2MiB }\n"
				"devices: { u: { irq: 2, io: { a: 2+1 } } }\n");
	front_file(&front, "profile.d/x.yaml",
		   "format: overlay/1\nname: x\nmemory: { ram: 4MiB }\n"
		   "devices: { u: { io: { a: 4+1 } }, v: { type: y } }\n");
	front_profile(&front, "extends: ./b.yaml\nmemory: { ram: 3MiB }\n"
			      "devices: { u: { irq: $(1 + 2) } }\n");
	assert_int_equal(front.diagnostics.errors, 0);
	OVER(&front, "memory/ram", "4MiB", "3MiB", "2MiB", "1MiB");
	OVER(&front, "devices/u/irq", "3", "2", "1");
	assert_string_equal(front_at(&front, "devices/u/irq")->written->text, "$(1 + 2)");
	OVER(&front, "devices/u/io/a", "4+1", "2+1", "1+1");
	OVER(&front, "devices/u/type", "uart");
	OVER(&front, "devices/v/type", "y", "x");
	OVER(&front, "devices/v/at", "sys");
	/* a device: the entries that were laid over one another */
	struct mw_tree *u = front_at(&front, "devices/u");

	assert_non_null(u->over);
	assert_int_not_equal(u->key_span.source, u->over->key_span.source);
	front_fini(&front);
}

static void what_a_value_replaced_is_known_through_two_bases(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "a.yaml", CHIPSET("a") "memory: { ram: 1MiB, below_4g: 1GiB }\n");
	front_file(&front, "b.yaml",
		   CHIPSET("b") "extends: ./a.yaml\nmemory: { ram: 2MiB, below_4g: 2GiB }\n");
	front_file(&front, "c.yaml",
		   CHIPSET("c") "extends: ./a.yaml\nmemory: { below_4g: 3GiB }\n");
	front_profile(&front, "extends: [./c.yaml, ./b.yaml]\nmemory: { below_4g: 4GiB }\n");
	front_clean(&front);
	OVER(&front, "memory/ram", "2MiB", "1MiB");
	OVER(&front, "memory/below_4g", "4GiB", "2GiB", "3GiB", "1GiB");
	front_fini(&front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_changes_what_it_states_and_nothing_else),
		cmocka_unit_test(lists_are_replaced_whole),
		cmocka_unit_test(checks_of_all_files_hold),
		cmocka_unit_test(an_entry_without_type_must_hit_something),
		cmocka_unit_test(remove_and_unset_take_away),
		cmocka_unit_test(a_type_cannot_be_unset),
		cmocka_unit_test(what_was_removed_can_be_made_anew_but_not_changed),
		cmocka_unit_test(two_bases_that_disagree_clash),
		cmocka_unit_test(the_child_decides_a_clash),
		cmocka_unit_test(a_base_that_extends_the_other_wins),
		cmocka_unit_test(a_common_base_is_no_party),
		cmocka_unit_test(final_keys_stay),
		cmocka_unit_test(a_new_type_keeps_place_and_condition_only),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(eight_files_deep_is_the_end),
		cmocka_unit_test(a_base_that_is_missing_is_told_once),
		cmocka_unit_test(versions_are_checked),
		cmocka_unit_test(what_changes_a_broken_section_keeps_silent),
		cmocka_unit_test(other_kinds_of_file_are_read_by_name),
		cmocka_unit_test(a_chipset_extends_chipsets_only),
		cmocka_unit_test(the_profile_itself_may_be_missing),
		cmocka_unit_test(what_a_value_replaced_is_behind_it),
		cmocka_unit_test(what_a_value_replaced_is_known_through_two_bases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
