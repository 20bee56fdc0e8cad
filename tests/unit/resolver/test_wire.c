/* Interrupt domains, nets, sharing, explicit wires. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tests/unit/resolver/back.h"

static void assert_sink(const struct back *back, const struct mw_plan_net *net, size_t index,
			const char *node, unsigned pin)
{
	assert_true(index < net->sink_count);
	assert_string_equal(back->plan->nodes[net->sinks[index].node].id, node);
	assert_int_equal(net->sinks[index].index, pin);
}

static void a_number_means_the_domain_of_the_bus(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  a: { type: chip, at: sys, irq: 9 }\n"
				  "  b: { type: chip, at: isa, irq: 9 }\n"
				  "  c: { type: chip, at: sys, irq: isa:5 }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back_net(&back, "a", "irq")->domain, "gsi");
	assert_int_equal(back_net(&back, "a", "irq")->gsi, 9);
	assert_sink(&back, back_net(&back, "a", "irq"), 0, "apic", 9);
	assert_string_equal(back_net(&back, "b", "irq")->domain, "isa");
	assert_int_equal(back_net(&back, "b", "irq")->gsi, MW_NO_GSI);
	assert_sink(&back, back_net(&back, "b", "irq"), 0, "pic", 9);
	assert_string_equal(back_net(&back, "c", "irq")->domain, "isa");
	back_fini(&back);
}

#define PC_IRQ                                                                                   \
	"irq: { isa: { lines: 16, to: [pic, apic], map: { 0: [pic:0, apic:2] }, reserve: [2] } " \
	"}\n"
#define PC BACK_CPU BACK_MEMORY BACK_BOOT PC_IRQ BACK_DEVICES

static void lines_fan_out_and_map_moves_them(void **state)
{
	struct back back;

	back_resolve(&back,
		     PC "  pit: { type: chip, at: sys, irq: isa:0 }\n"
			"  com: { type: chip, at: isa, irq: 4 }\n",
		     NULL);
	back_clean(&back);
	const struct mw_plan_net *pit = back_net(&back, "pit", "irq");
	const struct mw_plan_net *com = back_net(&back, "com", "irq");

	assert_int_equal(pit->sink_count, 2);
	assert_sink(&back, pit, 0, "pic", 0);
	assert_sink(&back, pit, 1, "apic", 2);
	assert_int_equal(pit->gsi, 2);
	assert_sink(&back, com, 0, "pic", 4);
	assert_sink(&back, com, 1, "apic", 4);
	assert_int_equal(com->gsi, 4);
	back_fini(&back);
}

static void gsi_is_built_in(void **state)
{
	struct back back;

	back_resolve(&back,
		     PC "  a: { type: chip, at: sys, irq: 20 }\n"
			"  apic2: { type: apic, at: sys, props: { pins: 8 } }\n"
			"  b: { type: chip, at: sys, irq: gsi:31 }\n",
		     NULL);
	back_clean(&back);
	assert_sink(&back, back_net(&back, "a", "irq"), 0, "apic", 20);
	assert_sink(&back, back_net(&back, "b", "irq"), 0, "apic2", 7);
	assert_int_equal(back_net(&back, "b", "irq")->gsi, 31);
	back_fini(&back);
}

static void lines_that_lead_nowhere_say_the_range(void **state)
{
	back_device_bad("R305", "no line 24: `gsi` has lines 0-23",
			"{ type: chip, at: sys, irq: 24 }");
	back_device_bad("R305", "line 2 of `isa` is reserved", "{ type: chip, at: isa, irq: 2 }");
	back_device_bad("R305", "no interrupt domain `isb`", "{ type: chip, at: sys, irq: isb:2 }");
}

static void a_count_property_lowers_the_pins(void **state)
{
	back_bad("R305", "line 20 of `gsi` leads to no pin; `apic` has pins 0-15",
		 BACK_CPU BACK_MEMORY BACK_BOOT
		 "irq: { gsi: { lines: 24, to: apic } }\n"
		 "devices:\n"
		 "  apic: { type: apic, at: sys, props: { pins: 16 } }\n"
		 "  x: { type: chip, at: sys, irq: 20 }\n");
}

#define SWIZZLED(pci)                                                           \
	BACK_CPU BACK_MEMORY BACK_BOOT "irq: { gsi: { lines: 24, to: apic }, "  \
				       "isa: { lines: 16, to: pic }, pci: " pci \
				       " }\n" BACK_DEVICES

static void slot_and_pin_make_a_line(void **state)
{
	struct back back;

	back_resolve(&back,
		     SWIZZLED("{ swizzle: 4, pins: [10, 10, 11, 5], to: isa }") "  a: { type: nic, "
										"at: \"pci:01.0\", "
										"intx: A }\n"
										"  b: { type: nic, "
										"at: \"pci:04.0\", "
										"intx: B }\n"
										"  c: { type: nic, "
										"at: \"pci:05.0\", "
										"intx: C }\n"
										"  up: { type: "
										"pci-bridge, at: "
										"\"pci:02.0\" }\n"
										"  d: { type: nic, "
										"at: \"up:03.0\", "
										"intx: C }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back_net(&back, "a", "irq")->domain, "isa");
	assert_int_equal(back_net(&back, "a", "irq")->line, 10);
	assert_ptr_equal(back_net(&back, "a", "irq"), back_net(&back, "b", "irq"));
	assert_true(back_net(&back, "a", "irq")->shared);
	assert_int_equal(back_net(&back, "a", "irq")->trigger, MW_TRIGGER_LEVEL);
	assert_int_equal(back_net(&back, "a", "irq")->polarity, MW_POLARITY_LOW);
	assert_int_equal(back_net(&back, "c", "irq")->line, 5);
	/* C in slot 3 is B of the bridge, which is in slot 2: pins[3]. */
	assert_int_equal(back_net(&back, "d", "irq")->line, 5);
	assert_non_null(
		strstr(back.text, "swizzles:\n  pci:\n    to: isa\n    pins:\n      - 10\n"));
	assert_non_null(strstr(back.text, "    intx:\n      irq: B\n"));
	back_fini(&back);
}

static void pins_may_lead_to_a_node(void **state)
{
	struct back back;

	back_resolve(
		&back,
		SWIZZLED(
			"{ swizzle: 8, pins: [16, 17, 18, 19, 20, 21, 22, 23], to: apic }") "  a: "
											    "{ "
											    "type: "
											    "nic, "
											    "at: "
											    "\"pci:"
											    "01."
											    "0\", "
											    "intx: "
											    "B }\n"
											    "  b: "
											    "{ "
											    "type: "
											    "nic, "
											    "at: "
											    "\"pci:"
											    "06."
											    "0\", "
											    "intx: "
											    "D }\n",
		NULL);
	back_clean(&back);
	assert_string_equal(back_net(&back, "a", "irq")->domain, "pci");
	assert_int_equal(back_net(&back, "a", "irq")->line, 18);
	assert_int_equal(back_net(&back, "a", "irq")->gsi, 18);
	assert_int_equal(back_net(&back, "b", "irq")->gsi, 17);
	assert_int_equal(back.plan->domains[2].swizzle, 8);
	assert_null(back.plan->domains[2].to);
	assert_string_equal(back.plan->nodes[back.plan->domains[2].sink.node].id, "apic");
	back_fini(&back);
}

static void a_row_of_inputs_may_be_named(void **state)
{
	struct back back;

	back_resolve(&back,
		     SWIZZLED("{ swizzle: 1, pins: [20], to: apic.pin }") "  a: { type: nic, at: "
									  "pci, intx: A }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back_net(&back, "a", "irq")->domain, "pci");
	assert_int_equal(back_net(&back, "a", "irq")->gsi, 20);
	assert_non_null(strstr(back.text, "to: apic.pin:0\n"));
	back_fini(&back);
}

static void a_line_of_pci_is_a_line_of_where_it_leads(void **state)
{
	struct back back;

	back_resolve(
		&back,
		SWIZZLED("{ swizzle: 1, pins: [10], to: isa }") "  a: { type: chip, at: sys, irq: "
								"{ line: pci:9, share: true } }\n",
		NULL);
	back_clean(&back);
	assert_string_equal(back_net(&back, "a", "irq")->domain, "isa");
	back_fini(&back);
	back_bad("R304", "line 10 of `isa` has 2 drivers, 1 of them without `share: true`",
		 SWIZZLED("{ swizzle: 1, pins: [10], to: isa }") "  a: { type: chip, at: isa, irq: "
								 "{ line: 10, trigger: level, "
								 "polarity: low } }\n"
								 "  b: { type: nic, at: pci, intx: "
								 "A }\n");
	back_bad("R310", "with different triggers",
		 SWIZZLED("{ swizzle: 1, pins: [10], to: isa }") "  a: { type: chip, at: isa, irq: "
								 "{ line: 10, share: true } }\n"
								 "  b: { type: nic, at: pci, intx: "
								 "A }\n");
	back_bad("R305", "`pci` says nothing of INTx",
		 SWIZZLED("{ lines: 4, to: apic }") "  b: { type: nic, at: pci, intx: A }\n");
}

static void all_domains_together_have_so_many_lines(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct back back;

	fputs(BACK_CPU BACK_MEMORY BACK_BOOT "irq:\n", out);
	for (unsigned i = 0; i < 17; i++)
		fprintf(out, "  d%u: { lines: 4096, to: apic }\n", i);
	fputs(BACK_DEVICES, out);
	fclose(out);
	back_resolve(&back, text, NULL);
	back_expect(&back, "S103", "the domains have 69632 lines together, more than 65536");
	back_fini(&back);
	free(text);
}

static void domain_mistakes_are_named(void **state)
{
#define DOMAIN_BAD(code, part, domain) \
	back_bad(code, part, BACK_CPU BACK_MEMORY BACK_BOOT "irq: { d: " domain " }\n" BACK_DEVICES)
	DOMAIN_BAD("R305", "no node `apci`", "{ lines: 24, to: apci }");
	DOMAIN_BAD("R305", "no one row of interrupt inputs", "{ lines: 24, to: isa }");
	DOMAIN_BAD("R305", "`pic` (pic) has no interrupt inputs `pin`",
		   "{ lines: 16, to: pic.pin }");
	DOMAIN_BAD("R305", "no node `pick`", "{ lines: 16, to: pick.ir }");
	DOMAIN_BAD("R305", "`pic` has pins 0-15", "{ lines: 24, to: apic, map: { 0: pic:16 } }");
	DOMAIN_BAD("R305", "`d` has lines 0-3; found `4`",
		   "{ lines: 4, to: apic, map: { 4: apic:1 } }");
	DOMAIN_BAD("R305", "`d` has lines 0-3", "{ lines: 4, to: apic, reserve: [4] }");
	DOMAIN_BAD("S103", "outside of 1 to 4096", "{ lines: 0, to: apic }");
	DOMAIN_BAD("S117", "needs `to`", "{ lines: 4 }");
	DOMAIN_BAD("S117", "needs `lines`", "{ to: apic }");
	DOMAIN_BAD("S117", "needs `pins`", "{ lines: 4, to: apic, swizzle: 4 }");
	DOMAIN_BAD("S117", "needs `swizzle`", "{ to: apic, pins: [1] }");
	DOMAIN_BAD("S103", "outside of 1 to 32", "{ to: apic, swizzle: 33, pins: [1] }");
	DOMAIN_BAD("S103", "`pins` has 1 lines, and `swizzle` is 2",
		   "{ to: apic, swizzle: 2, pins: [1] }");
	DOMAIN_BAD("S103", "4096 is outside", "{ to: apic, swizzle: 1, pins: [4096] }");
	DOMAIN_BAD("S102", "expected one domain or node", "{ to: [apic], swizzle: 1, pins: [1] }");
	DOMAIN_BAD("R305", "there is no line 4", "{ lines: 4, to: apic, swizzle: 1, pins: [4] }");
	DOMAIN_BAD("R305", "line 4 of `d` is reserved",
		   "{ to: apic, swizzle: 1, pins: [4], reserve: [4] }");
	DOMAIN_BAD("S102", "`e` has a swizzle of its own",
		   "{ to: e, swizzle: 1, pins: [4] }, e: { to: apic, swizzle: 1, pins: [4] }");
}

static void two_drivers_that_do_not_share_are_a_warning(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  a: { type: chip, at: sys, irq: 4 }\n"
				  "  b: { type: chip, at: sys, irq: 4 }\n",
		     NULL);
	back_expect(&back, "R304", "line 4 of `gsi` has two drivers and neither declares");
	assert_non_null(back.plan);
	const struct mw_diag *diag = back.diagnostics.items[0];

	assert_int_equal(diag->severity, MW_SEVERITY_WARNING);
	assert_string_equal(diag->node, "/devices/b/irq");
	assert_string_equal(diag->notes->text, "`a` drives it too");
	assert_string_equal(diag->help, "line 5 is free");
	assert_true(back_net(&back, "a", "irq") == back_net(&back, "b", "irq"));
	back_fini(&back);
}

static void sharing_must_be_said_by_all(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  a: { type: chip, at: sys, irq: { line: 4, share: true } }\n"
				  "  b: { type: chip, at: sys, irq: 4 }\n"
				  "  c: { type: chip, at: sys, irq: { line: 4, share: true } }\n",
		     NULL);
	back_expect(&back, "R304", "has 3 drivers, 1 of them without");
	assert_string_equal(back.diagnostics.items[0]->node, "/devices/b/irq");
	back_fini(&back);
	back_resolve(&back,
		     BACK_MACHINE "  a: { type: chip, at: sys, irq: { line: 4, share: true } }\n"
				  "  b: { type: chip, at: sys, irq: { line: 4, share: true } }\n",
		     NULL);
	back_clean(&back);
	assert_true(back_net(&back, "a", "irq")->shared);
	back_fini(&back);
}

static void drivers_of_a_line_agree_on_its_trigger(void **state)
{
	back_bad("R310", "`a` and `b` drive line 4 of `gsi` with different triggers",
		 BACK_MACHINE
		 "  a: { type: chip, at: sys, irq: { line: 4, share: true } }\n"
		 "  b: { type: chip, at: sys, irq: { line: 4, share: true, trigger: level } }\n");
}

static void two_domains_cannot_end_at_one_pin(void **state)
{
	back_bad(
		"R305", "line 9 of `isa` ends at apic:9, where line 9 of `gsi` ends too",
		BACK_CPU BACK_MEMORY BACK_BOOT
		"irq: { gsi: { lines: 24, to: apic }, isa: { lines: 16, to: apic } }\n" BACK_DEVICES
		"  a: { type: chip, at: sys, irq: 9 }\n"
		"  b: { type: chip, at: isa, irq: 9 }\n");
}

static void auto_lines_follow_ids_not_the_file(void **state)
{
	static const char *const nodes[] = {
		"  s1: { type: chip, at: sys, irq: auto }\n",
		"  s2: { type: chip, at: sys, irq: auto }\n",
		"  s10: { type: chip, at: sys, irq: auto }\n",
		"  f: { type: chip, at: sys, irq: 16 }\n",
	};
	struct back forth, back;

	back_resolve(&forth, "x-note: 1\n",
		     BACK_CPU BACK_MEMORY BACK_BOOT BACK_IRQ
		     "windows: { gsi: { range: 15+4 } }\n" BACK_DEVICES,
		     nodes[0], nodes[1], nodes[2], nodes[3], NULL);
	back_resolve(&back, "x-note: 1\n",
		     BACK_CPU BACK_MEMORY BACK_BOOT BACK_IRQ
		     "windows: { gsi: { range: 15+4 } }\n" BACK_DEVICES,
		     nodes[3], nodes[2], nodes[1], nodes[0], NULL);
	back_clean(&forth);
	back_clean(&back);
	assert_int_equal(back_net(&forth, "s1", "irq")->line, 15);
	assert_int_equal(back_net(&forth, "s2", "irq")->line, 17);
	assert_int_equal(back_net(&forth, "s10", "irq")->line, 18);
	assert_string_equal(forth.text, back.text);
	back_fini(&forth);
	back_fini(&back);
}

static void auto_lines_run_out(void **state)
{
	back_bad("R307", "every line of `gsi` from 16 to 17 is in use",
		 BACK_CPU BACK_MEMORY BACK_BOOT BACK_IRQ
		 "windows: { gsi: { range: 16+2 } }\n" BACK_DEVICES
		 "  s: { type: chip, at: sys, irq: auto, count: 3 }\n");
}

static void required_lines_must_be_connected(void **state)
{
	back_device_bad(
		"S117", "`x` needs a line for `irq`",
		"{ type: strict, at: sys, props: { small: 1 }, io: { cmd: 0x100, data: 0x110 } }");
}

static void explicit_wires_join_lines_and_streams(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE
		     "  a: { type: chip, at: sys, wires: { irq: b.in, outs:1: apic.pin:7 } }\n"
		     "  b: { type: chip, at: sys }\n"
		     "  t1: { type: uart, at: sys, wires: { port: t2.port } }\n"
		     "  t2: { type: uart, at: sys, wires: { port: t1.port } }\n",
		     NULL);
	back_clean(&back);
	assert_null(back_net(&back, "a", "irq")->domain);
	assert_sink(&back, back_net(&back, "a", "irq"), 0, "b", 0);
	assert_sink(&back, back_net(&back, "a", "outs"), 0, "apic", 7);
	assert_int_equal(back.plan->link_count, 1);
	assert_int_equal(mw_plan_find(back.plan, "t1.backend"), -1);
	assert_non_null(strstr(back.text, "irq: b.in\n"));
	assert_non_null(strstr(back.text, "outs:1: apic.pin:7\n"));
	back_fini(&back);
}

static void wire_mistakes_are_named(void **state)
{
	back_device_bad("S101", "has no wire `ot`",
			"{ type: chip, at: sys, wires: { ot: apic.pin:1 } }");
	back_device_bad("S101", "has no wire `pni`",
			"{ type: chip, at: sys, wires: { irq: apic.pni } }");
	back_device_bad("S102", "no node `apci`",
			"{ type: chip, at: sys, wires: { irq: apci.pin:1 } }");
	back_device_bad("S103", "has elements :0 to :23",
			"{ type: chip, at: sys, wires: { irq: apic.pin:24 } }");
	back_device_bad("S103", "has elements :0 to :23",
			"{ type: chip, at: sys, wires: { irq: apic.pin } }");
	back_device_bad("S102", "expected NODE.WIRE",
			"{ type: chip, at: sys, wires: { irq: apic } }");
	back_device_bad("S102", "from a wire that drives",
			"{ type: chip, at: sys, wires: { in: apic.pin:1 } }");
	back_device_bad("S102", "connected already",
			"{ type: chip, at: sys, irq: 3, wires: { irq: apic.pin:1 } }");
	back_device_bad("S102", "`port` is a stream, `apic.pin:1` is a line",
			"{ type: uart, at: sys, wires: { port: apic.pin:1 } }");
	back_device_bad("S102", "connected already",
			"{ type: twin, at: sys, backend: stdio, wires: { a: y.port } }\n"
			"  y: { type: uart, at: sys }");
	back_device_bad("S102", "connected already",
			"{ type: uart, at: sys, wires: { port: x.port } }");
}

static void both_sides_of_a_twin_get_a_backend(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  x: { type: twin, at: sys, backend: stdio }\n", NULL);
	back_clean(&back);
	assert_string_equal(back_node(&back, "x.a.backend")->type->name, "stdio-stream");
	assert_string_equal(back_node(&back, "x.b.backend")->type->name, "null-stream");
	back_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_means_the_domain_of_the_bus),
		cmocka_unit_test(lines_fan_out_and_map_moves_them),
		cmocka_unit_test(gsi_is_built_in),
		cmocka_unit_test(lines_that_lead_nowhere_say_the_range),
		cmocka_unit_test(a_count_property_lowers_the_pins),
		cmocka_unit_test(slot_and_pin_make_a_line),
		cmocka_unit_test(pins_may_lead_to_a_node),
		cmocka_unit_test(a_row_of_inputs_may_be_named),
		cmocka_unit_test(a_line_of_pci_is_a_line_of_where_it_leads),
		cmocka_unit_test(all_domains_together_have_so_many_lines),
		cmocka_unit_test(domain_mistakes_are_named),
		cmocka_unit_test(two_drivers_that_do_not_share_are_a_warning),
		cmocka_unit_test(sharing_must_be_said_by_all),
		cmocka_unit_test(drivers_of_a_line_agree_on_its_trigger),
		cmocka_unit_test(two_domains_cannot_end_at_one_pin),
		cmocka_unit_test(auto_lines_follow_ids_not_the_file),
		cmocka_unit_test(auto_lines_run_out),
		cmocka_unit_test(required_lines_must_be_connected),
		cmocka_unit_test(explicit_wires_join_lines_and_streams),
		cmocka_unit_test(wire_mistakes_are_named),
		cmocka_unit_test(both_sides_of_a_twin_get_a_backend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
