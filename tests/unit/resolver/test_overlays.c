/* Overlays: -o, drop-ins, files that are only pieces, and an editor's texts. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/resolver/front.h"

#define OVERLAY "format: overlay/1\nname: o\n"
#define MACHINE "format: machine/1\nname: t\n"

static const char *in(struct front *front, char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", front->folder, name);
	return path;
}

static void an_overlay_changes_what_is_below_and_is_not_what_it_is_named(void **state)
{
	struct front front;
	char path[96];

	front_init(&front);
	front_file(&front, "o.yaml",
		   OVERLAY "version: 7\nsummary: of the overlay\n"
			   "params: { ram: { default: 2MiB } }\ncpu: { count: 3 }\n"
			   "devices: { u: { irq: 5 }, w: { type: new, at: sys } }\n");
	front.more.overlays = (const char *const[]){ in(&front, path, sizeof(path), "o.yaml") };
	front.more.overlay_count = 1;
	front_profile(&front, "version: 4\nsummary: mine\n"
			      "params: { ram: { type: size, default: 1MiB } }\n"
			      "memory: { ram: $(ram) }\ncpu: { count: 1, model: host }\n"
			      "devices: { u: { type: uart, at: sys, irq: 4 } }\n");
	front_clean(&front);
	front_expect(&front, "memory/ram", "2097152");
	front_expect(&front, "cpu/count", "3");
	front_expect(&front, "cpu/model", "host");
	front_expect(&front, "devices/u/irq", "5");
	front_expect(&front, "devices/u/type", "uart");
	front_expect(&front, "devices/w/type", "new");
	front_expect(&front, "name", "test");
	assert_string_equal(front.document.summary, "mine");
	assert_int_equal(front.document.version, 4);
	/* what was there before is behind it */
	struct mw_tree *irq = front_at(&front, "devices/u/irq");

	assert_string_equal(irq->over->text, "4");
	assert_null(irq->over->over);
	front_fini(&front);
}

static void the_order_is_file_then_drop_ins_by_name_then_the_command_line_then_set(void **state)
{
	struct front front;
	char path[96];

	front_init(&front);
	front_file(&front, "profile.d/20-b.yaml",
		   OVERLAY "params: { b: { default: 2 }, c: { default: "
			   "2 }, d: { default: 2 } }\n");
	front_file(&front, "profile.d/10-a.yaml",
		   OVERLAY "params: { a: { default: 1 }, b: { default: "
			   "1 }, c: { default: 1 }, d: { default: 1 } }\n");
	front_file(&front, "profile.d/30-c.yml", "not even yaml: [");
	front_file(&front, "profile.d/.hidden.yaml", "not even yaml: [");
	front_file(&front, "o.yaml", OVERLAY "params: { c: { default: 3 }, d: { default: 3 } }\n");
	front.more.overlays = (const char *const[]){ in(&front, path, sizeof(path), "o.yaml") };
	front.more.overlay_count = 1;
	front_file(&front, "profile.yaml",
		   MACHINE
		   "params:\n  a: { type: int, default: 0 }\n  b: { type: int, default: 0 }\n"
		   "  c: { type: int, default: 0 }\n  d: { type: int, default: 0 }\n"
		   "boot: { cmdline: '$(a) $(b) $(c) $(d)' }\n");
	front_load(&front, "d=4", NULL);
	front_clean(&front);
	front_expect(&front, "boot/cmdline", "1 2 3 4");
	front_fini(&front);
}

static void an_overlay_named_twice_applies_where_it_was_named_last(void **state)
{
	struct front front;
	char a[96], b[96];

	front_init(&front);
	front_file(&front, "a.yaml", OVERLAY "cpu: { count: 1 }\n");
	front_file(&front, "b.yaml", OVERLAY "cpu: { count: 2 }\n");
	in(&front, a, sizeof(a), "a.yaml");
	in(&front, b, sizeof(b), "b.yaml");
	front.more.overlays = (const char *const[]){ a, b, a };
	front.more.overlay_count = 3;
	front_profile(&front, "");
	front_clean(&front);
	front_expect(&front, "cpu/count", "1");
	front_fini(&front);
}

static void drop_ins_that_cannot_be_read_are_an_error(void **state)
{
	struct front front;
	char path[96];

	front_init(&front);
	in(&front, path, sizeof(path), "profile.d");
	assert_int_equal(symlink("profile.d", path), 0);
	front_profile(&front, "");
	assert_false(front.good);
	assert_int_equal(front.diagnostics.count, 1);
	assert_non_null(strstr(front.diagnostics.items[0]->message,
			       "profile.d: Too many levels of symbolic links"));
	front_fini(&front);
}

static void what_an_overlay_misses_is_told_at_the_overlay(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.d/a.yaml", OVERLAY "devices: { con1: { irq: 5 } }\n");
	front_profile(&front, "devices: { com1: { type: uart } }\n");
	front_finding(&front, "S108", "con1", "no `con1` to change");
	assert_string_equal(front.diagnostics.items[0]->help, "did you mean `com1`?");
	assert_non_null(
		strstr(front.diagnostics.sources[front.diagnostics.items[0]->span.source - 1].name,
		       "profile.d/a.yaml"));
	front_fini(&front);
}

static void a_later_overlay_may_change_what_an_earlier_one_made(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.d/a.yaml", OVERLAY "devices: { n: { type: t, at: sys } }\n");
	front_file(&front, "profile.d/b.yaml", OVERLAY "devices: { n: { at: isa }, m: remove }\n");
	front_profile(&front, "devices: { m: { type: t } }\n");
	front_clean(&front);
	front_expect(&front, "devices/n/at", "isa");
	assert_null(front_at(&front, "devices/m"));
	front_fini(&front);
}

static void final_holds_against_overlays_too(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.d/a.yaml", OVERLAY "devices: { u: { irq: 5 } }\n");
	front_profile(&front, "devices: { u: { type: t, irq: 4, final: [irq] } }\n");
	front_finding(&front, "S112", "irq", "final in what this changes");
	assert_non_null(front.diagnostics.items[0]->notes);
	front_fini(&front);
}

static void checks_of_an_overlay_are_added(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.d/a.yaml", OVERLAY "checks: [{ that: n > 5, say: small }]\n");
	front_profile(&front, "params: { n: { type: int, default: 3 } }\n"
			      "checks: [{ that: n < 2, say: large }]\n");
	assert_int_equal(front_count(&front, "S115"), 2);
	front_fini(&front);
}

static void an_overlay_that_is_none_or_not_there_is_an_error(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profile.d/a.yaml", "format: chipset/1\nname: x\n");
	front_profile(&front, "");
	front_finding(&front, "S102", "chipset/1", "expected an overlay here");
	assert_false(front.good);
	front_fini(&front);

	front_init(&front);
	front.more.overlays = (const char *const[]){ "./nowhere.yaml" };
	front.more.overlay_count = 1;
	front_profile(&front, "");
	front_finding(&front, "", "", "cannot read ./nowhere.yaml");
	front_fini(&front);
}

static void a_piece_of_a_machine_is_checked_by_itself(void **state)
{
	static const struct {
		const char *text, *code, *covered;
	} cases[] = {
		{ "format: chipset/1\nname: x\nparams: { n: { type: int } }\n"
		  "devices: { u: { type: t, count: $(n) } }\n",
		  NULL, NULL },
		{ "format: chipset/1\nname: x\ndevices: { u: { irq: 4 } }\n", "S108", "u" },
		{ "format: chipset/1\nname: x\ndevices: { u: { type: t, at: $(bus) } }\n", "S105",
		  "bus" },
		{ "format: overlay/1\nname: x\ndevices: { u: { irq: $(n + 1), when: deep } }\n",
		  NULL, NULL },
		{ "format: overlay/1\nname: x\ndevices: { u: { irq: $(n +) } }\n", "S114", ")" },
		{ "format: part/1\nname: x\ndevices: { u: { type: t, when: n > 1 } }\n"
		  "params: { n: { type: int } }\n",
		  NULL, NULL },
		{ "format: part/1\nname: x\ncpu: {}\n", "S101", "cpu" },
		{ "format: cpu/1\nname: x\nfamily: six\n", "S102", "six" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct front front;

		front_init(&front);
		front.more.any_format = true;
		front_file(&front, "profile.yaml", cases[i].text);
		front_load(&front, NULL);
		if (cases[i].code)
			front_finding(&front, cases[i].code, cases[i].covered, "");
		else
			assert_int_equal(front.diagnostics.count, 0);
		front_fini(&front);
	}
}

static void an_editors_text_stands_for_the_file(void **state)
{
	struct front front;
	char base[96], gone[96];

	front_init(&front);
	front_file(&front, "b.yaml", "format: chipset/1\nname: b\nmemory: { ram: 1MiB }\n");
	front_file(&front, "sub/x", "");
	front_file(&front, "profile.yaml", MACHINE "extends: [./sub/../b.yaml, ./new.yaml]\n");
	static const char text[] = "format: chipset/1\nname: b\nmemory: { ram: 2MiB }\n";
	static const char new[] = "format: chipset/1\nname: n\nboot: {}\n";
	const struct mw_resolve_text texts[] = {
		{ in(&front, base, sizeof(base), "b.yaml"), text, strlen(text) },
		{ in(&front, gone, sizeof(gone), "new.yaml"), new, strlen(new) },
	};

	front.more.texts = texts;
	front.more.text_count = 2;
	front_load(&front, NULL);
	front_finding(&front, "S101", "boot", "unknown key `boot`");
	front_expect(&front, "memory/ram", "2MiB");
	front_fini(&front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_overlay_changes_what_is_below_and_is_not_what_it_is_named),
		cmocka_unit_test(
			the_order_is_file_then_drop_ins_by_name_then_the_command_line_then_set),
		cmocka_unit_test(an_overlay_named_twice_applies_where_it_was_named_last),
		cmocka_unit_test(drop_ins_that_cannot_be_read_are_an_error),
		cmocka_unit_test(what_an_overlay_misses_is_told_at_the_overlay),
		cmocka_unit_test(a_later_overlay_may_change_what_an_earlier_one_made),
		cmocka_unit_test(final_holds_against_overlays_too),
		cmocka_unit_test(checks_of_an_overlay_are_added),
		cmocka_unit_test(an_overlay_that_is_none_or_not_there_is_an_error),
		cmocka_unit_test(a_piece_of_a_machine_is_checked_by_itself),
		cmocka_unit_test(an_editors_text_stands_for_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
