/* Types, buses, keys and properties of devices. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tests/unit/resolver/back.h"

static void unknown_type_names_the_nearest(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  x: { type: chp, at: sys }\n", NULL);
	back_expect(&back, "S102", "there is no device type `chp`");
	assert_string_equal(back.diagnostics.items[0]->help, "did you mean `chip`?");
	assert_string_equal(back.diagnostics.items[0]->node, "/devices/x/type");
	back_fini(&back);
}

static void backends_are_no_devices(void **state)
{
	back_device_bad("S102", "host side", "{ type: null-stream, at: sys }");
}

static void a_node_says_where_it_sits(void **state)
{
	back_device_bad("S117", "does not say where it sits", "{ type: chip }");
}

static void sys_cannot_be_a_device(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  sys: { type: chip, at: isa }\n", NULL);
	assert_true(back.diagnostics.errors > 0);
	back_fini(&back);
}

static void unknown_bus_names_the_nearest(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  x: { type: chip, at: isaa }\n", NULL);
	back_expect(&back, "G201", "there is no node `isaa`");
	assert_string_equal(back.diagnostics.items[0]->help, "did you mean `isa`?");
	back_fini(&back);
}

static void a_card_needs_its_kind_of_bus(void **state)
{
	back_device_bad("G202", "card plugs into pci; `isa` is a bus of kind isa",
			"{ type: card, at: isa }");
	back_device_bad("G202", "opens no bus", "{ type: chip, at: pic }");
	back_device_bad("G202", "`pci` is a bus of kind pci", "{ type: chip, at: pci:01.0 }");
}

static void only_buses_that_have_addresses_take_one(void **state)
{
	back_device_bad("G204", "has no addresses", "{ type: chip, at: isa:3 }");
	back_device_bad("G204", "has no addresses", "{ type: chip, at: sys:3 }");
}

static void pci_addresses_are_slot_and_function(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  a: { type: card, at: pci:1f.0 }\n"
				  "  b: { type: card, at: pci:1f.7 }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back_node(&back, "b")->address, "1f.7");
	assert_string_equal(back_node(&back, "b")->bus, "pci");
	back_fini(&back);
	back_device_bad("G204", "04.0", "{ type: card, at: pci:20.0 }");
	back_device_bad("G204", "04.0", "{ type: card, at: pci:1.0 }");
	back_device_bad("G204", "04.0", "{ type: card, at: pci:01.8 }");
	back_device_bad("G204", "function 0 of slot 04", "{ type: card, at: pci:04.1 }");
}

static void two_cards_cannot_share_a_slot(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  a: { type: card, at: pci:02.0 }\n"
				  "  b: { type: card, at: pci:02.0 }\n",
		     NULL);
	back_expect(&back, "G203", "held by `a`");
	back_fini(&back);
}

static void buses_in_a_circle_are_one_error(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  a: { type: bridge, at: b }\n"
				  "  b: { type: bridge, at: c }\n"
				  "  c: { type: bridge, at: a }\n"
				  "  d: { type: chip, at: c }\n",
		     NULL);
	assert_int_equal(back_count(&back, "G205"), 1);
	assert_int_equal(back.diagnostics.errors, 1);
	back_fini(&back);
}

static void a_bus_comes_before_its_children(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  aaa: { type: chip, at: zzz }\n"
				  "  zzz: { type: bridge, at: yyy }\n"
				  "  yyy: { type: bridge, at: sys }\n",
		     NULL);
	back_clean(&back);
	assert_true(mw_plan_find(back.plan, "yyy") < mw_plan_find(back.plan, "zzz"));
	assert_true(mw_plan_find(back.plan, "zzz") < mw_plan_find(back.plan, "aaa"));
	assert_int_equal(back_node(&back, "aaa")->bus_node, mw_plan_find(back.plan, "zzz"));
	assert_int_equal(back_node(&back, "yyy")->bus_node, UINT32_MAX);
	back_fini(&back);
}

static void what_sits_on_a_removed_bus_is_left_out(void **state)
{
	struct back back;

	back_resolve(&back, "params: { usb: { type: bool, default: false } }\n",
		     BACK_MACHINE "  hub: { type: bridge, at: sys, when: usb }\n"
				  "  cam: { type: bridge, at: hub }\n"
				  "  lens: { type: chip, at: cam, irq: 5 }\n",
		     NULL);
	back_expect(&back, "G205", "`cam` sits on `hub`, which `when` removed");
	assert_non_null(back.plan);
	assert_int_equal(mw_plan_find(back.plan, "lens"), -1);
	back_fini(&back);
}

static void a_reference_beyond_count_is_an_error(void **state)
{
	back_bad("G206", "`slot1` is absent",
		 BACK_MACHINE "  slot: { type: bridge, at: sys, count: 1 }\n"
			      "  x: { type: chip, at: slot1 }\n");
}

static void one_mistake_is_one_error(void **state)
{
	back_bad("S102", "no device type",
		 BACK_MACHINE "  hub: { type: bridgee, at: sys }\n"
			      "  a: { type: chip, at: hub, wires: { irq: b.in } }\n"
			      "  b: { type: chip, at: hub }\n"
			      "  c: { type: chip, at: sys, wires: { irq: b.in } }\n");
}

static void addresses_that_are_not_said_are_the_lowest_free_ones(void **state)
{
	static const char *const nodes[] = {
		"  c10: { type: card, at: pci }\n",
		"  c2: { type: card, at: pci }\n",
		"  taken: { type: card, at: \"pci:02.0\" }\n",
		"  up: { type: pci-bridge, at: \"pci:03.0\" }\n",
		"  behind: { type: card, at: up }\n",
		("  ide: { type: ide, at: pci }\n  d: { type: disk, at: \"ide:0.0\" }\n"
		 "  e: { type: disk, at: ide }\n"),
	};
	struct back forth, back;

	back_resolve(&forth, BACK_MACHINE, nodes[0], nodes[1], nodes[2], nodes[3], nodes[4],
		     nodes[5], NULL);
	back_resolve(&back, BACK_MACHINE, nodes[5], nodes[4], nodes[3], nodes[2], nodes[1],
		     nodes[0], NULL);
	back_clean(&forth);
	assert_string_equal(forth.text, back.text);
	/* Slot 0 of the root bus is the bridge to it. */
	assert_string_equal(back_node(&forth, "c2")->address, "01.0");
	assert_string_equal(back_node(&forth, "c10")->address, "04.0");
	assert_string_equal(back_node(&forth, "ide")->address, "05.0");
	assert_string_equal(back_node(&forth, "behind")->address, "00.0");
	assert_string_equal(back_node(&forth, "e")->address, "0.1");
	assert_true(back_node(&forth, "c2")->address_automatic);
	assert_false(back_node(&forth, "taken")->address_automatic);
	back_fini(&forth);
	back_fini(&back);
}

static void a_bus_without_a_free_address_is_full(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  c: { type: card, at: pci, count: 32 }\n", NULL);
	back_expect(&back, "R307", "`c31` finds no free address on `pci`: all 32 are taken");
	back_fini(&back);
}

static void trust_level_and_failure_are_one_of_few(void **state)
{
	struct back back;

	back_device_bad("S103", "3 is outside of 0 to 2", "{ type: chip, at: sys, vtl: 3 }");
	back_device_bad("S102", "expected an int", "{ type: chip, at: sys, vtl: two }");
	back_device_bad("S102", "expected `report` or `stop`",
			"{ type: chip, at: sys, on_error: halt }");
	back_device_bad("S117", "`x` needs trust level 2, and `accel` does not `need` so many",
			"{ type: chip, at: sys, vtl: 2 }");
	back_resolve(&back,
		     BACK_MACHINE "  x: { type: chip, at: sys, vtl: 2, on_error: stop }\n"
				  "accel: { need: { vtl: 2 } }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(back_node(&back, "x")->vtl, 2);
	assert_int_equal(back_node(&back, "x")->on_error, MW_ON_ERROR_STOP);
	back_fini(&back);
}

static uint64_t number(const struct back *back, const char *property)
{
	return mw_plan_value(back_node(back, "x"), property)->number;
}

static void properties_take_the_kinds_of_the_table(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE
		     "  x: { type: chip, at: sys, props: { small: 0x9, size: 2MiB, mode: slow,\n"
		     "    flag: true, name: some text, mac: 52:54:00:12:34:56,\n"
		     "    uuid: 01234567-89ab-cdef-0123-456789ABCDEF, blob: 0a0b } }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(number(&back, "small"), 9);
	assert_int_equal(number(&back, "size"), 2 << 20);
	assert_int_equal(number(&back, "mode"), 0);
	assert_int_equal(number(&back, "flag"), 1);
	assert_string_equal(mw_plan_value(back_node(&back, "x"), "name")->text, "some text");
	struct mw_blob mac = mw_plan_value(back_node(&back, "x"), "mac")->bytes;
	struct mw_blob uuid = mw_plan_value(back_node(&back, "x"), "uuid")->bytes;
	struct mw_blob blob = mw_plan_value(back_node(&back, "x"), "blob")->bytes;

	assert_int_equal(mac.size, 6);
	assert_memory_equal(mac.bytes, "\x52\x54\x00\x12\x34\x56", 6);
	assert_int_equal(uuid.size, 16);
	assert_memory_equal(uuid.bytes + 12, "\x89\xab\xcd\xef", 4);
	assert_int_equal(blob.size, 2);
	assert_true(mw_plan_value(back_node(&back, "x"), "medium")->is_default);
	assert_false(mw_plan_value(back_node(&back, "x"), "small")->is_default);
	back_fini(&back);
}

static void properties_not_said_have_their_defaults(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  x: { type: chip, at: sys }\n", NULL);
	back_clean(&back);
	assert_int_equal(number(&back, "small"), 3);
	assert_int_equal(number(&back, "size"), 4096);
	assert_int_equal(number(&back, "mode"), 1);
	assert_string_equal(mw_plan_value(back_node(&back, "x"), "name")->text, "none");
	assert_int_equal(mw_plan_value(back_node(&back, "x"), "mac")->bytes.size, 6);
	assert_int_equal(back_node(&back, "x")->value_count, 9);
	back_fini(&back);
}

#define PROPERTY_BAD(code, part, props) \
	back_device_bad(code, part, "{ type: chip, at: sys, props: { " props " } }")

static void values_that_do_not_fit_are_refused(void **state)
{
	PROPERTY_BAD("S103", "10 is outside of 1 to 9", "small: 10");
	PROPERTY_BAD("S103", "0 is outside of 1 to 9", "small: 0");
	PROPERTY_BAD("S103", "65536 is outside of 0 to 65535", "medium: 65536");
	PROPERTY_BAD("S102", "expected a number", "medium: four");
	PROPERTY_BAD("S102", "expected a number", "medium: 4KiB");
	PROPERTY_BAD("Y006", "leading zero", "medium: 0700");
	PROPERTY_BAD("S102", "`medium` is none of: slow, fast", "mode: medium");
	PROPERTY_BAD("Y005", "bool is `true` or `false`", "flag: yes");
	PROPERTY_BAD("S102", "`true` or `false`", "flag: 1");
	PROPERTY_BAD("S102", "a MAC address", "mac: 52:54:00:12:34");
	PROPERTY_BAD("S102", "a MAC address", "mac: 52-54-00-12-34-56");
	PROPERTY_BAD("S102", "a MAC address", "mac: 52:54:00:12:34:5g");
	PROPERTY_BAD("S102", "a UUID", "uuid: 0123456789abcdef0123456789abcdef");
	PROPERTY_BAD("S102", "bytes as pairs", "blob: 0a0");
	PROPERTY_BAD("S102", "found a list", "name: [a]");
}

static void unknown_property_names_the_nearest(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  x: { type: chip, at: sys, props: { smal: 1 } }\n",
		     NULL);
	back_expect(&back, "S101", "chip has no property `smal`");
	assert_non_null(strstr(back.diagnostics.items[0]->help, "small"));
	back_fini(&back);
}

static void required_properties_must_be_said(void **state)
{
	back_device_bad("S117", "`x` needs the property `small`",
			"{ type: strict, at: sys, irq: 3, io: { cmd: 0x100, data: 0x110 } }");
}

static void host_parameters_stay_out_of_the_guest_view(void **state)
{
	struct back back;
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	back_resolve(&back, "params: { p: { type: string, scope: host, default: secret-path } }\n",
		     BACK_MACHINE "  x: { type: chip, at: sys, props: { name: $(p), small: 4 } }\n",
		     NULL);
	back_clean(&back);
	mw_plan_write_yaml(back.plan, MW_PLAN_GUEST, out);
	fclose(out);
	assert_null(strstr(text, "secret-path"));
	assert_non_null(strstr(text, "small: 4"));
	assert_non_null(strstr(back.text, "secret-path"));
	free(text);
	back_fini(&back);
	back_bad("S102", "host-scoped",
		 "params: { p: { type: int, scope: host, default: 4096 } }\n" BACK_MACHINE
		 "  x: { type: span, at: sys, mmio: $(p)+16 }\n");
}

static void placement_is_one_of_three(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  x: { type: chip, at: sys, placement: own }\n", NULL);
	back_clean(&back);
	assert_int_equal(back_node(&back, "x")->placement, MW_PLACEMENT_OWN);
	back_fini(&back);
	back_device_bad("S102", "`shared`, `own` or `cpu`",
			"{ type: chip, at: sys, placement: loop }");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_type_names_the_nearest),
		cmocka_unit_test(backends_are_no_devices),
		cmocka_unit_test(a_node_says_where_it_sits),
		cmocka_unit_test(sys_cannot_be_a_device),
		cmocka_unit_test(unknown_bus_names_the_nearest),
		cmocka_unit_test(a_card_needs_its_kind_of_bus),
		cmocka_unit_test(only_buses_that_have_addresses_take_one),
		cmocka_unit_test(pci_addresses_are_slot_and_function),
		cmocka_unit_test(two_cards_cannot_share_a_slot),
		cmocka_unit_test(buses_in_a_circle_are_one_error),
		cmocka_unit_test(a_bus_comes_before_its_children),
		cmocka_unit_test(what_sits_on_a_removed_bus_is_left_out),
		cmocka_unit_test(a_reference_beyond_count_is_an_error),
		cmocka_unit_test(one_mistake_is_one_error),
		cmocka_unit_test(addresses_that_are_not_said_are_the_lowest_free_ones),
		cmocka_unit_test(a_bus_without_a_free_address_is_full),
		cmocka_unit_test(trust_level_and_failure_are_one_of_few),
		cmocka_unit_test(properties_take_the_kinds_of_the_table),
		cmocka_unit_test(properties_not_said_have_their_defaults),
		cmocka_unit_test(values_that_do_not_fit_are_refused),
		cmocka_unit_test(unknown_property_names_the_nearest),
		cmocka_unit_test(required_properties_must_be_said),
		cmocka_unit_test(host_parameters_stay_out_of_the_guest_view),
		cmocka_unit_test(placement_is_one_of_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
