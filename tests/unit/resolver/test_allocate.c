/* Overlaps and places. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/resolver/back.h"

static void both_parties_of_an_overlap_are_named(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  com1: { type: chip, at: isa, io: 0x3f8 }\n"
				  "  com9: { type: chip, at: isa, io: 0x3fc }\n",
		     NULL);
	back_expect(&back, "R301",
		    "`com9.ports` 0x3fc-0x403 overlaps `com1.ports` 0x3f8-0x3ff by 4 ports");
	assert_string_equal(back.diagnostics.items[0]->node, "/devices/com9/io");
	assert_string_equal(back.diagnostics.items[0]->notes->text, "`com1` is placed here");
	assert_true(back.diagnostics.items[0]->notes->span.byte <
		    back.diagnostics.items[0]->span.byte);
	back_fini(&back);
	back_bad("R302",
		 "`b.mmio` 0xd0000fff-0xd0001ffe overlaps `a.mmio` 0xd0000000-0xd0000fff by 1 byte",
		 BACK_MACHINE "  a: { type: span, at: sys, mmio: 0xd0000000+0x1000 }\n"
			      "  b: { type: span, at: sys, mmio: 0xd0000fff+0x1000 }\n");
}

static void neighbours_do_not_overlap(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE
		     "  a: { type: span, at: sys, mmio: 0xd0000000+0x1000, io: 0x100+8 }\n"
		     "  b: { type: span, at: sys, mmio: 0xd0001000+0x1000, io: 0x108+8 }\n",
		     NULL);
	back_clean(&back);
	back_fini(&back);
}

static void claims_keep_out_of_ram_and_reserved_ranges(void **state)
{
	back_device_bad("R302", "lies in RAM 0x0-0x3ffffff",
			"{ type: span, at: sys, mmio: 0x3ffffff+2 }");
	back_device_bad("R302", "window of local APICs and messages 0xfee00000-0xfeefffff",
			"{ type: span, at: sys, mmio: 0xfeefffff+1 }");
	back_device_bad("A502", "accelerator's private pages 0xfeffc000-0xfeffffff",
			"{ type: chip, at: sys, mmio: 0xfefff000 }");
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  a: { type: span, at: sys, mmio: 0x4000000+1 }\n"
				  "  b: { type: span, at: sys, mmio: 0xfef00000+0xfc000 }\n"
				  "  c: { type: span, at: sys, mmio: 0xff000000+1 }\n"
				  "  d: { type: span, at: sys, mmio: 0xfedfffff+1 }\n",
		     NULL);
	back_clean(&back);
	back_fini(&back);
}

static void ram_keeps_out_of_the_apic_window(void **state)
{
	back_bad("R302", "RAM 0x0-0xfeffbfff lies in the window of local APICs",
		 BACK_CPU BACK_BOOT "memory: { ram: 4GiB, below_4g: 0x100000000, "
				    "holes: [0xfeffc000+16KiB] }\n");
}

static void an_overlay_permits_one_overlap(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  cfg: { type: span, at: sys, io: 0xcf8+8 }\n"
				  "  rst: { type: span, at: sys, io: 0xcf9+1, overlays: cfg.io }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(mw_plan_claim(back_node(&back, "rst"), MW_CLAIM_IO, "io")->overlays,
			    "cfg.io");
	assert_null(mw_plan_claim(back_node(&back, "cfg"), MW_CLAIM_IO, "io")->overlays);
	back_fini(&back);
	back_bad("R301", "`zzz.io` 0xcf9-0xcf9 overlaps",
		 BACK_MACHINE "  cfg: { type: span, at: sys, io: 0xcf8+8 }\n"
			      "  rst: { type: span, at: sys, io: 0xcf9+1, overlays: cfg.io }\n"
			      "  zzz: { type: span, at: sys, io: 0xcf9+1 }\n");
}

static void overlays_that_touch_nothing_are_a_warning(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  cfg: { type: span, at: sys, io: 0xcf8+8 }\n"
				  "  rst: { type: span, at: sys, io: 0x64+1, overlays: cfg.io }\n",
		     NULL);
	back_expect(&back, "R303", "no claim of `rst` overlaps `cfg.io`");
	back_fini(&back);
	back_device_bad("S102", "`pic` has no claim `io`",
			"{ type: span, at: sys, io: 1+1, overlays: pic.io }");
	back_device_bad("S102", "no node `pik`",
			"{ type: span, at: sys, io: 1+1, overlays: pik.io }");
	back_device_bad("S102", "expected NODE.CLAIM",
			"{ type: span, at: sys, io: 1+1, overlays: pic }");
}

/* A chain of claims, each of which overlaps the next: one report for each but the first. */
static void everything_overlapping_is_reported_once_each(void **state)
{
	enum { COUNT = 20000 };
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct back back;

	for (unsigned i = 0; i < COUNT; i++)
		fprintf(out, "  n%u: { type: span, at: sys, mmio: 0xd0000000+0x%x }\n", i,
			0x100 + i % 7);
	fclose(out);
	clock_t before = clock();

	back_resolve(&back, BACK_MACHINE, text, NULL);
	assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 20);
	assert_int_equal(back_count(&back, "R302"), COUNT - 1);
	assert_int_equal(back.diagnostics.errors, COUNT - 1);
	back_fini(&back);
	free(text);
}

static void autos_fill_the_window_by_alignment_size_and_id(void **state)
{
	static const char *const nodes[] = {
		"  small2: { type: span, at: sys, mmio: auto+0x10 }\n",
		"  small10: { type: span, at: sys, mmio: auto+0x10 }\n",
		"  large: { type: span, at: sys, mmio: auto+0x800 }\n",
		"  page: { type: chip, at: sys, mmio: auto }\n",
		"  fixed: { type: span, at: sys, mmio: 0xe0000000+0x80 }\n",
	};
	struct back forth, back;

	back_resolve(&forth, BACK_MACHINE, nodes[0], nodes[1], nodes[2], nodes[3], nodes[4], NULL);
	back_resolve(&back, BACK_MACHINE, nodes[4], nodes[3], nodes[1], nodes[2], nodes[0], NULL);
	back_clean(&forth);
	back_clean(&back);
	assert_string_equal(forth.text, back.text);
	assert_int_equal(back_base(&forth, "page", "regs"), 0xe0001000);
	assert_int_equal(back_base(&forth, "large", "mmio"), 0xe0000080);
	assert_int_equal(back_base(&forth, "small2", "mmio"), 0xe0000880);
	assert_int_equal(back_base(&forth, "small10", "mmio"), 0xe0000890);
	assert_true(mw_plan_claim(back_node(&forth, "page"), MW_CLAIM_MMIO, "regs")->automatic);
	back_fini(&forth);
	back_fini(&back);
}

static void autos_pack_down_when_asked(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_MEMORY BACK_BOOT
		     "windows: { mmio32: { range: 0xe0000000+0x3000, pack: down }, "
		     "io: { range: 0x100+0x20, pack: down } }\n" BACK_DEVICES
		     "  a: { type: chip, at: sys, mmio: auto, io: auto }\n"
		     "  b: { type: chip, at: sys, mmio: auto, io: auto }\n"
		     "  s: { type: span, at: sys, mmio: auto+0x10 }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(back_base(&back, "a", "regs"), 0xe0002000);
	assert_int_equal(back_base(&back, "b", "regs"), 0xe0001000);
	assert_int_equal(back_base(&back, "s", "mmio"), 0xe0000ff0);
	assert_int_equal(back_base(&back, "a", "ports"), 0x118);
	assert_int_equal(back_base(&back, "b", "ports"), 0x110);
	back_fini(&back);
}

static void a_full_window_says_its_largest_hole(void **state)
{
	back_bad("R307", "`a.regs` needs 4KiB; the largest hole in `mmio32` is 1KiB",
		 BACK_CPU BACK_MEMORY BACK_BOOT
		 "windows: { mmio32: { range: 0xe0000000+0x2000 } }\n" BACK_DEVICES
		 "  a: { type: chip, at: sys, mmio: auto }\n"
		 "  f: { type: span, at: sys, mmio: 0xe0000400+0x1c00 }\n");
}

static void a_window_must_be_there(void **state)
{
	back_bad("R307", "no window `mmio32`",
		 BACK_CPU BACK_MEMORY BACK_BOOT BACK_DEVICES
		 "  a: { type: chip, at: sys, mmio: auto }\n");
	back_bad("R307", "no window `io`",
		 BACK_CPU BACK_MEMORY BACK_BOOT BACK_DEVICES
		 "  a: { type: chip, at: sys, io: auto }\n");
	back_bad("S101", "nothing is placed in a window `mmoi`",
		 BACK_CPU BACK_MEMORY BACK_BOOT
		 "windows: { mmoi: { range: 0xe0000000+0x2000 } }\n");
	back_bad("R302", "windows `mmio64` and `mmio32` overlap",
		 BACK_CPU BACK_MEMORY BACK_BOOT "windows: { mmio32: { range: 0xe0000000+0x2000 }, "
						"mmio64: { range: 0xe0001000+0x2000 } }\n");
}

static void autos_go_around_ram_in_the_window(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_MEMORY BACK_BOOT
		     "windows: { mmio32: { range: 0x3fff000+0x3000 } }\n" BACK_DEVICES
		     "  a: { type: chip, at: sys, mmio: auto }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(back_base(&back, "a", "regs"), 0x4000000);
	back_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_parties_of_an_overlap_are_named),
		cmocka_unit_test(neighbours_do_not_overlap),
		cmocka_unit_test(claims_keep_out_of_ram_and_reserved_ranges),
		cmocka_unit_test(ram_keeps_out_of_the_apic_window),
		cmocka_unit_test(an_overlay_permits_one_overlap),
		cmocka_unit_test(overlays_that_touch_nothing_are_a_warning),
		cmocka_unit_test(everything_overlapping_is_reported_once_each),
		cmocka_unit_test(autos_fill_the_window_by_alignment_size_and_id),
		cmocka_unit_test(autos_pack_down_when_asked),
		cmocka_unit_test(a_full_window_says_its_largest_hole),
		cmocka_unit_test(a_window_must_be_there),
		cmocka_unit_test(autos_go_around_ram_in_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
