/* RAM around holes and below 4 GiB. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tests/unit/resolver/back.h"

#define GIB (UINT64_C(1) << 30)

static void expect_ram(const char *memory, const struct mw_plan_range *ranges, size_t count)
{
	struct back back;
	uint64_t total = 0;

	back_resolve(&back, BACK_CPU BACK_BOOT, memory, NULL);
	back_clean(&back);
	assert_int_equal(back.plan->ram_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_true(back.plan->ram[i].base == ranges[i].base);
		assert_true(back.plan->ram[i].length == ranges[i].length);
		total += ranges[i].length;
	}
	assert_true(back.plan->ram_bytes == total);
	back_fini(&back);
}

static void little_ram_is_one_range(void **state)
{
	expect_ram("memory: { ram: 3GiB }\n", (struct mw_plan_range[]){ { 0, 3 * GIB } }, 1);
}

static void the_rest_goes_above_4_gib(void **state)
{
	expect_ram("memory: { ram: 5GiB }\n",
		   (struct mw_plan_range[]){ { 0, 3 * GIB }, { 4 * GIB, 2 * GIB } }, 2);
	expect_ram("memory: { ram: 5GiB, below_4g: 0x80000000 }\n",
		   (struct mw_plan_range[]){ { 0, 2 * GIB }, { 4 * GIB, 3 * GIB } }, 2);
}

static void ram_flows_around_holes_whatever_their_order(void **state)
{
	struct mw_plan_range ranges[] = { { 0, 0xa0000 },
					  { 0x100000, 0xf00000 - 0x100000 },
					  { 0x1000000, 0x1000000 + 0x160000 - 0x1000000 } };

	expect_ram("memory: { ram: 16MiB, holes: [0xf00000+1MiB, 0xa0000+0x60000] }\n", ranges, 3);
}

static void holes_may_touch_and_overlap(void **state)
{
	struct mw_plan_range ranges[] = { { 0x2000, 0x1000 }, { 0x8000, 0x1000 } };

	expect_ram("memory: { ram: 8KiB, holes: [0+0x1000, 0x1000+0x1000, 0x3000+0x4000, "
		   "0x4000+0x4000] }\n",
		   ranges, 2);
}

static void a_window_may_follow_ram(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_BOOT
		     "memory: { ram: 4GiB }\n"
		     "windows: { mmio64: { after: ram, align: 4GiB, size: 1GiB } }\n" BACK_DEVICES
		     "  x: { type: chip, at: sys, mmio: auto }\n",
		     NULL);
	back_clean(&back);
	assert_true(back_base(&back, "x", "regs") == 8 * GIB);
	back_fini(&back);
	back_bad("S117", "needs a `size`",
		 BACK_CPU BACK_MEMORY BACK_BOOT "windows: { mmio64: { after: ram } }\n");
	back_bad("S117", "either a `range` or `after: ram`",
		 BACK_CPU BACK_MEMORY BACK_BOOT "windows: { mmio64: { pack: up } }\n");
	back_bad("S103", "power of two",
		 BACK_CPU BACK_MEMORY BACK_BOOT
		 "windows: { mmio64: { after: ram, align: 3GiB, size: 1GiB } }\n");
}

#define MEMORY_BAD(code, part, memory) back_bad(code, part, BACK_CPU BACK_BOOT memory)

static void memory_mistakes_are_named(void **state)
{
	MEMORY_BAD("S117", "the machine has no `memory`", "");
	MEMORY_BAD("S117", "how much `ram`", "memory: { holes: [0xa0000+0x60000] }\n");
	MEMORY_BAD("S103", "whole pages", "memory: { ram: 0x1001 }\n");
	MEMORY_BAD("S103", "no page between", "memory: { ram: 1GiB, below_4g: 5GiB }\n");
	MEMORY_BAD("S103", "no page between", "memory: { ram: 1GiB, below_4g: 0xc0000001 }\n");
	MEMORY_BAD("R308", "whole pages of 4 KiB",
		   "memory: { ram: 1MiB, holes: [0xa0000+0x60001] }\n");
	MEMORY_BAD("S102", "found `0xa0000+0`", "memory: { ram: 1MiB, holes: [0xa0000+0] }\n");
	MEMORY_BAD("S103", "the holes leave no room for this much RAM",
		   "memory: { ram: 64MiB, below_4g: 32MiB, "
		   "holes: [0x100000000+0xfffff00000000] }\n");
}

static void nothing_comes_behind_the_last_address(void **state)
{
	static const char full[] = BACK_CPU BACK_BOOT "memory: { ram: 0x4000000000000, below_4g: "
						      "4KiB, holes: [0x100000000+0xbffff00000000]";
	struct back back;

	back_resolve(&back, full,
		     " }\nwindows: { mmio64: { after: ram, size: 0x4000000000000 } }\n", NULL);
	back_expect(&back, "S103", "the window `mmio64` goes beyond the last address");
	back_fini(&back);
	back_resolve(&back, full,
		     ", vtl2: { size: 0x4000000000000 } }\naccel: { need: { vtl: 2 } }\n", NULL);
	back_expect(&back, "S103", "the memory of VTL 2 goes beyond the last address");
	back_fini(&back);
}

static void memory_of_vtl_2_comes_behind_what_devices_claim(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_BOOT
		     "accel: { need: { vtl: 2 } }\n"
		     "memory: { ram: 64MiB, vtl2: { size: 2MiB } }\n" BACK_DEVICES
		     "  x: { type: chip, at: sys, mmio: 0x10000000000 }\n",
		     NULL);
	back_clean(&back);
	assert_int_equal(back.plan->vtl2.range.base, 0x10000200000);
	back_fini(&back);
}

static void memory_of_vtl_2_comes_behind_everything(void **state)
{
	static const char need[] = "accel: { need: { vtl: 2 } }\n";
	static const char vtl2[] = ", vtl2: { size: 64MiB, place: last, private: true } }\n";
	static const char window[] =
		"windows: { mmio64: { after: ram, align: 2MiB, size: 513MiB } }\n";
	struct back with, without;

	back_resolve(&with, BACK_CPU BACK_BOOT, need, "memory: { ram: 6GiB", vtl2, window,
		     BACK_DEVICES "  a: { type: chip, at: sys, mmio: auto }\n", NULL);
	back_resolve(&without, BACK_CPU BACK_BOOT, need, "memory: { ram: 6GiB }\n", window,
		     BACK_DEVICES "  a: { type: chip, at: sys, mmio: auto }\n", NULL);
	back_clean(&with);
	back_clean(&without);
	/* RAM to 7 GiB, then the window. */
	assert_int_equal(with.plan->vtl2.range.base, 0x1e0200000);
	assert_int_equal(with.plan->vtl2.range.length, 64 << 20);
	assert_true(with.plan->vtl2.is_private);
	assert_int_equal(back_base(&with, "a", "regs"), back_base(&without, "a", "regs"));
	assert_non_null(strstr(with.text, "  vtl2: 0x1e0200000+0x4000000\n"));
	back_fini(&with);
	back_fini(&without);
	back_bad("S117", "memory of VTL 2 needs trust level 2",
		 BACK_CPU BACK_BOOT "memory: { ram: 64MiB, vtl2: { size: 2MiB } }\n");
	back_bad("S103", "whole pages of 2 MiB",
		 BACK_CPU BACK_BOOT "memory: { ram: 64MiB, vtl2: { size: 1MiB } }\n");
	back_bad("S117", "`vtl2` needs a `size`",
		 BACK_CPU BACK_BOOT "memory: { ram: 64MiB, vtl2: { private: true } }\n");
	back_bad("S102", "expected `last`",
		 BACK_CPU BACK_BOOT "accel: { need: { vtl: 2 } }\n"
				    "memory: { ram: 64MiB, vtl2: { size: 2MiB, place: first } }\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_ram_is_one_range),
		cmocka_unit_test(the_rest_goes_above_4_gib),
		cmocka_unit_test(ram_flows_around_holes_whatever_their_order),
		cmocka_unit_test(holes_may_touch_and_overlap),
		cmocka_unit_test(a_window_may_follow_ram),
		cmocka_unit_test(memory_of_vtl_2_comes_behind_everything),
		cmocka_unit_test(memory_mistakes_are_named),
		cmocka_unit_test(nothing_comes_behind_the_last_address),
		cmocka_unit_test(memory_of_vtl_2_comes_behind_what_devices_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
