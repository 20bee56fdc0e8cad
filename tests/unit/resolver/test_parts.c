/* Parts: devices made of others, their parameters, and changes of their members. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "tests/unit/resolver/front.h"

#define PART(name) "format: part/1\nname: " name "\n"
#define SIO                                                                                        \
	PART("sio")                                                                                \
	"params:\n  n: { type: int, default: 2, max: 4 }\n  bus: { type: string, default: isa }\n" \
	"  out: { type: path, scope: host, optional: true }\n"                                     \
	"devices:\n"                                                                               \
	"  com1: { type: uart, irq: 4, io: { a: 1+1, b: 2+1 }, backend: { file: $(out) } }\n"      \
	"  com2: { type: uart, irq: 3, at: $(bus), when: n > 1 }\n"                                \
	"  bridge: { type: bridge, wires: { up: pic.in, me: com1.x } }\n"                          \
	"  leaf: { type: leaf, at: bridge:04.0, overlays: com1.a, props: { p: $(dev.com1.io) } "   \
	"}\n"                                                                                      \
	"  row: { type: t, count: $(n), props: { k: $(i) } }\n"                                    \
	"  tail: { type: t, at: row1 }\n"

static void load(struct front *front, const char *text)
{
	front_init(front);
	front_file(front, "chipsets/parts/sio.yaml", SIO);
	front_profile(front, text);
}

static void nodes_of_a_part_become_members_of_the_device(void **state)
{
	struct front front;

	load(&front, "devices: { isa: { type: b }, sio: { type: part/sio@1, at: sys } }\n");
	front_clean(&front);
	front_expect(&front, "devices/sio", NULL);
	front_expect(&front, "devices/sio.com1/type", "uart");
	front_expect(&front, "devices/sio.com1/at", "sys"); /* where the device sits */
	front_expect(&front, "devices/sio.com2/at", "isa"); /* no member: the machine's */
	front_expect(&front, "devices/sio.leaf/at", "sio.bridge:04.0");
	front_expect(&front, "devices/sio.leaf/overlays", "sio.com1.a");
	front_expect(&front, "devices/sio.bridge/wires/up", "pic.in");
	front_expect(&front, "devices/sio.bridge/wires/me", "sio.com1.x");
	front_expect(&front, "devices/sio.row1/props/k", "1");
	front_expect(&front, "devices/sio.tail/at", "sio.row1");
	assert_true(front_at(&front, "devices/sio.leaf/props/p")->link);
	front_fini(&front);
}

static void props_are_the_parameters_of_the_part(void **state)
{
	struct front front;

	load(&front,
	     "params: { many: { type: int, default: 3 }, file: { type: path, scope: host, "
	     "default: /x } }\n"
	     "devices: { sio: { type: part/sio, at: sys, props: { n: $(many - 2), bus: lpc, "
	     "out: $(file) } } }\n");
	front_clean(&front);
	front_expect(&front, "devices/sio.com2", NULL);
	front_expect(&front, "devices/sio.row0/type", "t");
	front_expect(&front, "devices/sio.row1", NULL);
	front_expect(&front, "devices/sio.com1/backend/file", "/x");
	assert_true(front_at(&front, "devices/sio.com1/backend/file")->host);
	/* what `when` and `count` took out of it is absent, what never was is not */
	assert_non_null(mw_document_absent(&front.document, "sio.com2"));
	assert_non_null(mw_document_absent(&front.document, "sio.row3"));
	assert_null(mw_document_absent(&front.document, "sio.com3"));
	front_fini(&front);
}

static void wrong_props_are_told_at_the_device_and_name_the_part(void **state)
{
	struct front front;

	load(&front, "devices: { sio: { type: part/sio, at: sys, props: { n: 9 } } }\n");
	front_finding(&front, "S103", "9", "`n` must be at most 4");
	assert_int_equal(front.diagnostics.items[0]->notes->span.source, 2);
	assert_true(mw_document_failed(&front.document, "sio.com1"));
	front_fini(&front);

	load(&front, "devices: { sio: { type: part/sio, at: sys, props: { bsu: lpc } } }\n");
	front_finding(&front, "S101", "bsu", "`part/sio@1` has no parameter `bsu`");
	assert_string_equal(front.diagnostics.items[0]->help, "did you mean `bus`?");
	front_fini(&front);

	load(&front, "devices: { sio: { type: part/sio, at: sys, irq: 4 } }\n");
	front_finding(&front, "S101", "irq", "a part has no `irq`");
	front_fini(&front);

	load(&front, "params: { h: { type: int, scope: host, default: 1 } }\n"
		     "devices: { sio: { type: part/sio, at: sys, props: { n: $(h) } } }\n");
	front_finding(&front, "S114", "$(h)", "comes from the host");
	front_fini(&front);

	front_init(&front);
	front_file(
		&front, "chipsets/parts/p.yaml",
		PART("p") "params: { n: { type: int } }\ndevices: { x: { type: t, irq: $(n) } }\n");
	front_profile(&front, "devices: { q: { type: part/p, at: sys } }\n");
	front_finding(&front, "S117", "part/p", "`q` has no value for `n`");
	front_fini(&front);
}

static void a_profile_changes_and_removes_members(void **state)
{
	struct front front;

	load(&front, "params: { line: { type: int, default: 7 } }\n"
		     "devices:\n  sio: { type: part/sio, at: sys }\n"
		     "  sio.com1: { irq: $(line), io: { b: 9+1 }, backend: unset }\n"
		     "  sio.com2: remove\n");
	front_clean(&front);
	front_expect(&front, "devices/sio.com1/irq", "7");
	front_expect(&front, "devices/sio.com1/io/a", "1+1");
	front_expect(&front, "devices/sio.com1/io/b", "9+1");
	front_expect(&front, "devices/sio.com1/backend", NULL);
	front_expect(&front, "devices/sio.com1/type", "uart");
	front_expect(&front, "devices/sio.com2", NULL);
	assert_string_equal(front_at(&front, "devices/sio.com1/io/b")->over->text, "2+1");
	front_fini(&front);
}

static void names_in_a_change_are_those_of_where_it_is_written(void **state)
{
	struct front front;

	load(&front,
	     "devices:\n  bridge: { type: b, at: sys }\n  sio: { type: part/sio, at: sys }\n"
	     "  sio.leaf: { at: bridge:01.0 }\n");
	front_clean(&front);
	front_expect(&front, "devices/sio.leaf/at", "bridge:01.0");
	front_expect(&front, "devices/sio.leaf/overlays", "sio.com1.a");
	front_fini(&front);
}

static void changes_of_what_is_no_member_are_misses(void **state)
{
	struct front front;

	load(&front, "devices: { sio: { type: part/sio, at: sys }, sio.com3: { irq: 4 } }\n");
	front_finding(&front, "S108", "sio.com3", "no `sio.com3` to change");
	assert_string_equal(front.diagnostics.items[0]->help, "did you mean `com1`?");
	front_fini(&front);

	load(&front, "devices: { sio: { type: part/sio, at: sys }, sio.com3: remove }\n");
	front_finding(&front, "S108", "sio.com3", "no `sio.com3` to remove");
	front_fini(&front);

	load(&front, "devices: { isa: { type: b, at: sys }, isa.com3: { irq: 4 } }\n");
	front_finding(&front, "S108", "isa.com3", "no `isa.com3` to change");
	front_fini(&front);

	/* of one that is not there with these parameters it is none */
	load(&front,
	     "params: { on: { type: bool, default: false } }\n"
	     "devices: { sio: { type: part/sio, at: sys, when: on }, sio.com1: { irq: 5 } }\n");
	front_clean(&front);
	assert_non_null(mw_document_absent(&front.document, "sio.com1"));
	front_fini(&front);
}

static void final_in_a_part_holds(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/parts/p.yaml",
		   PART("p") "devices: { x: { type: t, irq: 4, final: [irq] } }\n");
	front_profile(&front, "devices: { q: { type: part/p, at: sys }, q.x: { irq: 5 } }\n");
	front_finding(&front, "S112", "irq", "final in what this changes");
	front_fini(&front);
}

static void a_part_may_be_there_many_times(void **state)
{
	struct front front;

	load(&front,
	     "devices:\n  rp: { type: part/sio, at: sys, count: 2, props: { n: $(i + 1) } }\n"
	     "  rp1.com1: { irq: 9 }\n");
	front_clean(&front);
	front_expect(&front, "devices/rp0.com1/irq", "4");
	front_expect(&front, "devices/rp1.com1/irq", "9");
	front_expect(&front, "devices/rp0.com2", NULL);
	front_expect(&front, "devices/rp1.com2/irq", "3");
	front_fini(&front);
}

static void parts_hold_parts_and_each_level_may_change_what_is_below(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/parts/sio.yaml", SIO);
	front_file(&front, "chipsets/parts/board.yaml",
		   PART("board") "params: { base: { type: int, default: 5 } }\n"
				 "devices:\n  isa: { type: b }\n  s: { type: part/sio, at: isa, "
				 "props: { n: 1 } }\n"
				 "  s.com1: { irq: $(base), io: { a: 7+1 } }\n");
	front_profile(&front, "devices:\n  b: { type: part/board, at: sys, props: { base: 6 } }\n"
			      "  b.s.com1: { io: { a: 8+1 } }\n");
	front_clean(&front);
	front_expect(&front, "devices/b.isa/at", "sys");
	front_expect(&front, "devices/b.s.com1/at", "b.isa");
	front_expect(&front, "devices/b.s.com1/irq", "6");
	front_expect(&front, "devices/b.s.com1/io/a", "8+1");
	front_expect(&front, "devices/b.s.leaf/at", "b.s.bridge:04.0");
	const struct mw_tree *a = front_at(&front, "devices/b.s.com1/io/a");

	assert_string_equal(a->over->text, "7+1");
	assert_string_equal(a->over->over->text, "1+1");
	front_fini(&front);
}

static void parts_in_circles_and_too_deep_are_refused(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/parts/a.yaml", PART("a") "devices: { x: { type: part/b } }\n");
	front_file(&front, "chipsets/parts/b.yaml", PART("b") "devices: { y: { type: part/a } }\n");
	front_profile(&front, "devices: { q: { type: part/a, at: sys } }\n");
	front_finding(&front, "S113", "part/a", "is a part of itself");
	front_fini(&front);

	front_init(&front);
	for (int i = 0; i < 10; i++) {
		char name[64], text[128];

		snprintf(name, sizeof(name), "chipsets/parts/p%d.yaml", i);
		snprintf(text, sizeof(text), PART("p") "devices: { x: { type: part/p%d } }\n",
			 i + 1);
		front_file(&front, name, text);
	}
	front_profile(&front, "devices: { q: { type: part/p0, at: sys } }\n");
	front_finding(&front, "S113", "part/p8", "more than 8 deep");
	front_fini(&front);
}

static void parts_that_multiply_are_stopped(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/parts/a.yaml",
		   PART("a") "devices: { x: { type: part/b, count: 4096 } }\n");
	front_file(&front, "chipsets/parts/b.yaml",
		   PART("b") "devices: { y: { type: part/c, count: 4096 } }\n");
	front_file(&front, "chipsets/parts/c.yaml",
		   PART("c") "devices: { z: { type: t, count: 4096, when: false } }\n");
	front_profile(&front, "devices: { q: { type: part/a, at: sys, count: 4096 } }\n");
	assert_int_equal(front_count(&front, "Y010"), 1);
	front_fini(&front);
}

static void a_mistake_in_a_part_is_told_once_and_names_its_users(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/parts/p.yaml",
		   PART("p") "devices: { x: { type: t, irq: $(n) } }\n");
	front_profile(&front, "devices: { q: { type: part/p, at: sys, count: 3 } }\n");
	front_finding(&front, "S105", "n", "no parameter `n`");
	assert_string_equal(front.diagnostics.items[0]->notes->text, "the part is used here");
	front_fini(&front);

	front_init(&front);
	front_file(&front, "chipsets/parts/p.yaml",
		   PART("p") "params: { n: { type: int, default: 1 } }\n"
			     "devices: { x: { type: t, irq: $(n - 2) } }\n");
	front_profile(&front, "devices: { q: { type: part/p, at: sys } }\n");
	front_finding(&front, "S114", "n - 2", "below zero");
	assert_string_equal(front.diagnostics.items[0]->notes->text, "in the part `q`");
	assert_true(mw_document_failed(&front.document, "q.x"));
	assert_false(mw_document_failed(&front.document, "q.y"));
	front_fini(&front);
}

static void checks_of_a_part_are_about_each_use(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/parts/p.yaml",
		   PART("p") "params: { n: { type: int } }\n"
			     "checks: [{ that: n < 2, say: $(n) is too many }]\n");
	front_profile(&front,
		      "devices: { q: { type: part/p, at: sys, count: 3, props: { n: $(i) } } }\n");
	front_finding(&front, "S115", "n < 2", "2 is too many");
	assert_string_equal(front.diagnostics.items[0]->node, "/devices/q2");
	front_fini(&front);
}

static void a_part_brings_interrupts(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/parts/p.yaml",
		   PART("p") "devices: { pic: { type: i8259 } }\n"
			     "irq: { isa: { lines: 16, to: [pic, ioapic], map: { 0: [pic:0, "
			     "ioapic:2] } } }\n");
	front_profile(&front, "devices: { q: { type: part/p, at: sys } }\n"
			      "irq: { gsi: { lines: 24 } }\n");
	front_clean(&front);
	front_expect(&front, "irq/gsi/lines", "24");
	front_expect(&front, "irq/isa/to/0", "q.pic");
	front_expect(&front, "irq/isa/to/1", "ioapic");
	front_expect(&front, "irq/isa/map/0/0", "q.pic:0");
	front_expect(&front, "irq/isa/map/0/1", "ioapic:2");
	front_profile(&front, "devices: { q: { type: part/p, at: sys } }\n"
			      "irq: { isa: { lines: 24 } }\n");
	front_finding(&front, "S111", "isa", "a second time");
	front_fini(&front);
}

static void a_part_has_versions_and_bases(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/parts/old.yaml", PART("old") "devices: { x: { type: t } }\n");
	front_file(&front, "chipsets/parts/p.yaml",
		   PART("p") "version: 2\nextends: part/old@1\ndevices: { x: { irq: 2 } }\n"
			     "history: { 1: { devices: { x: { irq: 1 } } } }\n");
	front_profile(
		&front,
		"devices: { a: { type: part/p@1, at: sys }, b: { type: part/p@2, at: sys } }\n");
	front_clean(&front);
	front_expect(&front, "devices/a.x/irq", "1");
	front_expect(&front, "devices/b.x/irq", "2");
	front_expect(&front, "devices/b.x/type", "t");
	front_fini(&front);
}

static void parts_that_are_not_there_are_told_at_the_type(void **state)
{
	struct front front;

	load(&front,
	     "devices: { q: { type: part/soi, at: sys }, r: { type: part/soi, at: sys } }\n");
	front_finding(&front, "S113", "part/soi", "no part `soi`");
	assert_string_equal(front.diagnostics.items[0]->help, "did you mean `sio`?");
	front_fini(&front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_of_a_part_become_members_of_the_device),
		cmocka_unit_test(props_are_the_parameters_of_the_part),
		cmocka_unit_test(wrong_props_are_told_at_the_device_and_name_the_part),
		cmocka_unit_test(a_profile_changes_and_removes_members),
		cmocka_unit_test(names_in_a_change_are_those_of_where_it_is_written),
		cmocka_unit_test(changes_of_what_is_no_member_are_misses),
		cmocka_unit_test(final_in_a_part_holds),
		cmocka_unit_test(a_part_may_be_there_many_times),
		cmocka_unit_test(parts_hold_parts_and_each_level_may_change_what_is_below),
		cmocka_unit_test(parts_in_circles_and_too_deep_are_refused),
		cmocka_unit_test(parts_that_multiply_are_stopped),
		cmocka_unit_test(a_mistake_in_a_part_is_told_once_and_names_its_users),
		cmocka_unit_test(checks_of_a_part_are_about_each_use),
		cmocka_unit_test(a_part_brings_interrupts),
		cmocka_unit_test(a_part_has_versions_and_bases),
		cmocka_unit_test(parts_that_are_not_there_are_told_at_the_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
