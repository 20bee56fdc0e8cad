/* Ranges and lines against the tables of a type; backends. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tests/unit/resolver/back.h"

static void a_single_range_needs_no_name(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE
		     "  a: { type: chip, at: sys, mmio: 0xd0000000 }\n"
		     "  b: { type: chip, at: sys, mmio: 0xd0001000+4KiB }\n"
		     "  c: { type: chip, at: sys, mmio: { regs: 0xd0002000 }, io: 64+8 }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(back_base(&back, "a", "regs"), 0xd0000000);
	assert_int_equal(mw_plan_claim(back_node(&back, "a"), MW_CLAIM_MMIO, "regs")->length,
			 0x1000);
	assert_int_equal(back_base(&back, "b", "regs"), 0xd0001000);
	assert_int_equal(back_base(&back, "c", "ports"), 64);
	back_fini(&back);
}

static void claims_stand_in_the_order_of_the_table(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  x: { type: strict, at: sys, props: { small: 1 }, irq: 3,\n"
				  "       io: { data: 0x200, cmd: 0x100 } }\n"
				  "  y: { type: chip, at: sys, io: 0x300, mmio: 0xd0000000,\n"
				  "       irq: { outs:2: 7, outs:0: 6, irq: 5 } }\n",
		     NULL);
	back_clean(&back);
	const struct mw_plan_node *x = back_node(&back, "x"), *y = back_node(&back, "y");

	assert_int_equal(x->claim_count, 3);
	assert_string_equal(x->claims[0].name, "cmd");
	assert_string_equal(x->claims[1].name, "data");
	assert_string_equal(x->claims[2].name, "irq");
	assert_string_equal(y->claims[0].name, "regs");
	assert_string_equal(y->claims[1].name, "ports");
	assert_string_equal(y->claims[2].name, "irq");
	assert_int_equal(y->claims[3].wire_index, 0);
	assert_int_equal(y->claims[4].wire_index, 2);
	back_fini(&back);
}

static void lengths_must_be_the_types_own(void **state)
{
	back_device_bad("S103", "`ports` of chip is 0x8 bytes long, not 0x10",
			"{ type: chip, at: sys, io: 0x100+16 }");
	back_device_bad("S117", "has no length of its own", "{ type: span, at: sys, io: 0x100 }");
	back_device_bad("S103", "no length claims nothing", "{ type: span, at: sys, io: 0x100+0 }");
}

static void ranges_stay_inside_their_space(void **state)
{
	back_device_bad("S103", "beyond the last port", "{ type: chip, at: sys, io: 0xfffc }");
	back_device_bad("S103", "beyond the last port", "{ type: span, at: sys, io: 0+65537 }");
	back_device_bad("S103", "beyond the last address",
			"{ type: span, at: sys, mmio: 0xffffffffffff0000+0x10000 }");
	back_device_bad("S103", "beyond the last address",
			"{ type: span, at: sys, mmio: 0xfffffffffffffff0+0xffffffffffffffff }");
}

static void bases_meet_their_alignment(void **state)
{
	back_device_bad("R308", "`regs` of chip needs 0x1000",
			"{ type: chip, at: sys, mmio: 0xd0000800 }");
	back_device_bad("R308", "not aligned",
			"{ type: rom, at: sys, mmio: 0xd0000800+4KiB, backend: { file: f } }");
	back_device_bad("R308", "no whole number of 4 KiB pages",
			"{ type: rom, at: sys, mmio: 0xd0000000+100, backend: { file: f } }");
}

static void what_is_no_range_is_refused(void **state)
{
	back_device_bad("S102", "expected a number, found `here`",
			"{ type: chip, at: sys, io: here }");
	back_device_bad("S102", "expected a number", "{ type: chip, at: sys, io: 0x100+ }");
	back_device_bad("S102", "expected a number", "{ type: chip, at: sys, io: 1+2+3 }");
}

static void required_ranges_must_be_claimed(void **state)
{
	back_device_bad(
		"S117", "`x` needs a range for `data`",
		"{ type: strict, at: sys, props: { small: 1 }, irq: 3, io: { cmd: 0x100 } }");
}

static void several_ranges_are_named(void **state)
{
	back_device_bad("S102", "claims several ranges by name: cmd, data",
			"{ type: strict, at: sys, props: { small: 1 }, irq: 3, io: 0x100 }");
	back_device_bad("S101", "uart takes no io", "{ type: uart, at: sys, io: 0x100 }");
	back_device_bad("S101", "has no range `dat` in `io`",
			"{ type: strict, at: sys, props: { small: 1 }, irq: 3,"
			" io: { cmd: 0x100, dat: 0x110 } }");
}

static void lines_may_be_written_long(void **state)
{
	struct back back;

	back_resolve(
		&back,
		BACK_MACHINE
		"  a: { type: chip, at: sys, irq: { line: 5, trigger: level, polarity: low } }\n"
		"  b: { type: chip, at: sys, irq: { irq: { line: isa:3, share: true } } }\n",
		NULL);
	back_clean(&back);
	assert_int_equal(back_net(&back, "a", "irq")->trigger, MW_TRIGGER_LEVEL);
	assert_int_equal(back_net(&back, "a", "irq")->polarity, MW_POLARITY_LOW);
	assert_string_equal(back_net(&back, "b", "irq")->domain, "isa");
	assert_true(back_net(&back, "b", "irq")->shared);
	back_fini(&back);
}

static void mistakes_in_lines_are_named(void **state)
{
	back_device_bad("S101", "a line has no key `lien`",
			"{ type: chip, at: sys, irq: { line: 3, lien: 4 } }");
	back_device_bad("S117", "does not say which `line`",
			"{ type: chip, at: sys, irq: { share: true } }");
	back_device_bad("S102", "`up` is none of: edge, level",
			"{ type: chip, at: sys, irq: { line: 3, trigger: up } }");
	back_device_bad("S101", "drives no line `int`", "{ type: chip, at: sys, irq: { int: 3 } }");
	back_device_bad("S101", "drives no line `in`", "{ type: chip, at: sys, irq: { in: 3 } }");
	back_device_bad("S103", "one of `outs:0` to `outs:2`",
			"{ type: chip, at: sys, irq: { outs: 3 } }");
	back_device_bad("S103", "one of `outs:0` to `outs:2`",
			"{ type: chip, at: sys, irq: { outs:3: 3 } }");
	back_device_bad("S101", "no one line", "{ type: uart, at: sys, irq: 3 }");
	back_device_bad("S102", "expected a number", "{ type: chip, at: sys, irq: four }");
}

static void backends_become_host_nodes(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE
		     "  a: { type: uart, at: sys, backend: stdio }\n"
		     "  b: { type: uart, at: sys, backend: { file: out.log, flag: true } }\n"
		     "  c: { type: uart, at: sys }\n"
		     "  d: { type: rom, at: sys, mmio: 0xd0000000+4KiB, backend: { file: f } }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back_node(&back, "a.backend")->type->name, "stdio-stream");
	assert_true(back_node(&back, "a.backend")->host);
	const struct mw_plan_node *file = back_node(&back, "b.backend");

	assert_string_equal(file->type->name, "file-stream");
	assert_string_equal(mw_plan_value(file, "path")->text, "out.log");
	assert_int_equal(mw_plan_value(file, "flag")->number, 1);
	assert_string_equal(back_node(&back, "c.backend")->type->name, "null-stream");
	assert_string_equal(back_node(&back, "d.backend")->type->name, "file-image");
	assert_int_equal(back.plan->link_count, 4);
	for (size_t i = 0; i < back.plan->link_count; i++) {
		const struct mw_plan_link *link = &back.plan->links[i];

		assert_false(back.plan->nodes[link->node[0]].host);
		assert_true(back.plan->nodes[link->node[1]].host);
		assert_int_equal(link->wire[0]->kind, link->wire[1]->kind);
	}
	back_fini(&back);
}

static void backends_come_last_in_the_plan(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  a: { type: uart, at: sys, backend: stdio }\n"
				  "  z: { type: chip, at: isa }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(mw_plan_find(back.plan, "a.backend"), back.plan->node_count - 1);
	back_fini(&back);
}

static void backend_mistakes_are_named(void **state)
{
	back_device_bad("S102", "`stdout` is no backend for uart; there are: file, null, stdio",
			"{ type: uart, at: sys, backend: stdout }");
	back_device_bad("S102", "`fiel` is no backend",
			"{ type: uart, at: sys, backend: { fiel: x } }");
	back_device_bad("S117", "needs the property `path`",
			"{ type: uart, at: sys, backend: file }");
	back_device_bad("S101", "has no property `mode`",
			"{ type: uart, at: sys, backend: { file: x, mode: y } }");
	back_device_bad("S101", "has no wire to the host side",
			"{ type: chip, at: sys, backend: stdio }");
	back_device_bad("S117", "`x` needs a `backend` for `image`",
			"{ type: rom, at: sys, mmio: 0xd0000000+4KiB }");
}

static void channels_are_had_once_and_4_by_nobody(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  b: { type: sound, at: isa, dma: { low: 1, high: auto } }\n"
				  "  a: { type: floppy, at: isa, dma: auto }\n"
				  "  c: { type: floppy, at: isa, dma: 0 }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(back_node(&back, "a")->claims[0].channel, 2);
	assert_int_equal(back_node(&back, "b")->claims[0].channel, 1);
	assert_int_equal(back_node(&back, "b")->claims[1].channel, 3);
	assert_int_equal(back_node(&back, "b")->claims[1].kind, MW_CLAIM_DMA);
	assert_non_null(strstr(back.text, "    dma:\n      low: 1\n      high: 3\n"));
	back_fini(&back);
	back_device_bad("R306", "channel 4 cascades", "{ type: floppy, at: isa, dma: 4 }");
	back_device_bad("S103", "8 is outside of 0 to 7", "{ type: floppy, at: isa, dma: 8 }");
	back_bad("R306", "`a` and `b` both use DMA channel 2",
		 BACK_MACHINE "  a: { type: floppy, at: isa, dma: 2 }\n"
			      "  b: { type: floppy, at: isa, dma: 2 }\n");
	back_bad("R307", "every channel is in use",
		 BACK_MACHINE "  a: { type: floppy, at: isa, dma: auto, count: 8 }\n");
}

static void mistakes_in_channels_are_named(void **state)
{
	back_device_bad("S117", "`x` needs a channel in `dma` for `dma`: A channel.",
			"{ type: floppy, at: isa }");
	back_device_bad("S101", "chip takes no `dma`", "{ type: chip, at: isa, dma: 1 }");
	back_device_bad("S101", "sound has no channel `hihg`",
			"{ type: sound, at: isa, dma: { hihg: 5 } }");
	back_device_bad("S102", "several, by name: `low`, `high`",
			"{ type: sound, at: isa, dma: 1 }");
	back_device_bad("S102", "expected a number", "{ type: floppy, at: isa, dma: two }");
	back_bad("S102", "may depend on guest parameters only",
		 "params: { n: { type: int, scope: host, default: 1 } }\n" BACK_MACHINE
		 "  x: { type: floppy, at: isa, dma: $(n) }\n");
}

static void messages_are_counted(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  n: { type: nic, at: pci, msi: { vectors: 4 } }\n"
				  "  m: { type: nic, at: pci, msi: { msi: { vectors: 1 } } }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(back_node(&back, "n")->claims[0].vectors, 4);
	assert_int_equal(back_node(&back, "m")->claims[0].vectors, 1);
	back_fini(&back);
	back_device_bad("S103", "5 is outside of 1 to 4",
			"{ type: nic, at: pci, msi: { vectors: 5 } }");
	back_device_bad("S103", "0 is outside of 1 to 4",
			"{ type: nic, at: pci, msi: { vectors: 0 } }");
	back_device_bad("S117", "how many `vectors`", "{ type: nic, at: pci, msi: { msi: {} } }");
	back_device_bad("S102", "expected a map", "{ type: nic, at: pci, msi: 4 }");
	back_device_bad("S101", "nic has no message wire `irq`",
			"{ type: nic, at: pci, msi: { irq: { vectors: 1 } } }");
}

static void pins_are_for_functions(void **state)
{
	back_device_bad("S101", "chip takes no `intx`", "{ type: chip, at: sys, intx: A }");
	back_device_bad("S102", "`E` is none of: A, B, C, D", "{ type: nic, at: pci, intx: E }");
	back_device_bad("R305", "there is no interrupt domain `pci`",
			"{ type: nic, at: pci, intx: A }");
	back_device_bad("S101", "nic has no one line that `irq` could mean",
			"{ type: nic, at: pci, irq: gsi:5 }");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_range_needs_no_name),
		cmocka_unit_test(claims_stand_in_the_order_of_the_table),
		cmocka_unit_test(lengths_must_be_the_types_own),
		cmocka_unit_test(ranges_stay_inside_their_space),
		cmocka_unit_test(bases_meet_their_alignment),
		cmocka_unit_test(what_is_no_range_is_refused),
		cmocka_unit_test(required_ranges_must_be_claimed),
		cmocka_unit_test(several_ranges_are_named),
		cmocka_unit_test(lines_may_be_written_long),
		cmocka_unit_test(mistakes_in_lines_are_named),
		cmocka_unit_test(channels_are_had_once_and_4_by_nobody),
		cmocka_unit_test(mistakes_in_channels_are_named),
		cmocka_unit_test(messages_are_counted),
		cmocka_unit_test(pins_are_for_functions),
		cmocka_unit_test(backends_become_host_nodes),
		cmocka_unit_test(backends_come_last_in_the_plan),
		cmocka_unit_test(backend_mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
