/* Links, boot, power, accelerator, CPUs and the rules about the whole. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tests/unit/resolver/back.h"

static void links_are_places(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_MEMORY BACK_IRQ BACK_WINDOWS
		     "boot: { linux: k, cmdline: \"e=$(dev.x.regs.base) p=$(dev.x.io.len) "
		     "i=$(dev.x.irq)\" }\n" BACK_DEVICES
		     "  x: { type: chip, at: sys, mmio: auto, io: 0x100, irq: 7 }\n"
		     "  y: { type: chip, at: sys, props: { medium: $(dev.x.io.end), "
		     "name: \"at $(dev.x.ports.base)\" } }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back.plan->boot.cmdline, "e=3758096384 p=8 i=7");
	assert_string_equal(mw_plan_value(back_node(&back, "y"), "name")->text, "at 256");
	uint64_t end = mw_plan_value(back_node(&back, "y"), "medium")->number;

	assert_true(end == 0x107 || end == 0x108);
	back_fini(&back);
}

static void links_to_nothing_are_errors(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE "  y: { type: chip, at: sys, props: { name: $(dev.pic.io) } }\n",
		     NULL);
	assert_int_equal(back.diagnostics.errors, 1);
	back_fini(&back);
	back_device_bad("S103", "outside of 1 to 9",
			"{ type: chip, at: sys, io: 0x100, props: { small: $(dev.x.io) } }");
}

static void power_actions_have_defaults(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE, NULL);
	back_clean(&back);
	assert_int_equal(back.plan->power.off, MW_ACTION_EXIT);
	assert_int_equal(back.plan->power.reset, MW_ACTION_RESET);
	assert_int_equal(back.plan->power.panic, MW_ACTION_STOP);
	assert_int_equal(back.plan->power.triple_fault, MW_ACTION_RESET);
	back_fini(&back);
	back_resolve(&back, BACK_MACHINE, "power: { off: stop, triple_fault: exit }\n", NULL);
	back_clean(&back);
	assert_int_equal(back.plan->power.off, MW_ACTION_STOP);
	assert_int_equal(back.plan->power.triple_fault, MW_ACTION_EXIT);
	back_fini(&back);
}

static void needs_are_a_closed_vocabulary(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE,
		     "accel: { prefer: [soft, kvm], irqchip: split, clock: host,\n"
		     "  need: { pio: true, a20: optional, smm: false, max_vcpus: 4, isolation: "
		     "none } }\n",
		     NULL);
	back_clean(&back);
	const struct mw_plan_accel *accel = &back.plan->accel;

	assert_string_equal(accel->prefer[0], "soft");
	assert_string_equal(accel->prefer[1], "kvm");
	assert_null(accel->prefer[2]);
	assert_int_equal(accel->irqchip, MW_IRQCHIP_SPLIT);
	assert_false(accel->instruction_clock);
	assert_int_equal(accel->need_count, 3);
	assert_string_equal(accel->needs[0].name, "a20");
	assert_true(accel->needs[0].optional);
	assert_string_equal(accel->needs[1].name, "max_vcpus");
	assert_int_equal(accel->needs[1].value, 4);
	back_fini(&back);
	back_bad("S101", "`need` has no key `smn`",
		 BACK_MACHINE "accel: { need: { smn: true } }\n");
	back_bad("S102", "`true`, `false` or `optional`",
		 BACK_MACHINE "accel: { need: { smm: 1 } }\n");
	back_bad("S102", "none of: kvm, mshv", BACK_MACHINE "accel: { prefer: [kvn] }\n");
}

#define RULES BACK_MEMORY BACK_IRQ BACK_DEVICES

static void something_must_run_at_reset(void **state)
{
	back_bad("F401", "nothing runs at reset", BACK_CPU RULES);
	back_bad("F401", "nothing runs at reset", BACK_CPU "boot: { tables: [acpi] }\n" RULES);
	back_bad("F401", "nothing runs at reset",
		 "params: { f: { type: bool, default: false } }\n" BACK_CPU
		 "boot: { firmware: fw }\n" RULES "  fw: { type: rom, at: sys, when: f, mmio: "
		 "0xffff0000+64KiB, backend: { file: x } }\n");
	back_bad("G206", "there is no node `fww`", BACK_CPU "boot: { firmware: fww }\n" RULES);
}

static void firmware_covers_the_reset_vector(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU
		     "boot: { firmware: fw }\n" RULES
		     "  fw: { type: rom, at: sys, mmio: 0xffff0000+64KiB, backend: { file: x } }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back.plan->boot.firmware, "fw");
	back_fini(&back);
	back_bad("F402", "nothing of `fw` is mapped at the reset vector 0xfffffff0",
		 BACK_CPU
		 "boot: { firmware: fw }\n" RULES
		 "  fw: { type: rom, at: sys, mmio: 0xfffe0000+64KiB, backend: { file: x } }\n");
	back_bad("S102", "one of them runs at reset",
		 BACK_CPU
		 "boot: { linux: k, firmware: fw }\n" RULES
		 "  fw: { type: rom, at: sys, mmio: 0xfffe0000+64KiB, backend: { file: x } }\n");
}

static void a_variable_store_that_guests_may_write_is_not_trusted(void **state)
{
	static const char flash[] = BACK_CPU
		"boot: { firmware: fw, secure_boot: true }\n" RULES
		"  fw: { type: rom, at: sys, mmio: 0xffff0000+64KiB, backend: { file: x } }\n"
		"  vars: { type: flash, at: sys, mmio: 0xfff00000+64KiB, backend: { file: y } "
		"}\n";
	struct back back;

	back_resolve(&back, flash, "accel: { need: { smm: true } }\n", NULL);
	back_clean(&back);
	back_fini(&back);
	back_bad("F407", "the variable store `vars` is plain writable flash", flash);
	back_resolve(&back, flash, "accel: { need: { pio: true } }\n", NULL);
	back_expect(&back, "F407", "the variable store `vars` is plain writable flash");
	back_fini(&back);
}

static void some_clock_must_have_a_known_rate(void **state)
{
	struct back back;

	back_bad("F404", "no clock of known rate", "cpu: { model: host }\n" BACK_BOOT RULES);
	back_resolve(&back,
		     "cpu: { model: host }\n" BACK_BOOT RULES "  pit: { type: pit, at: sys }\n",
		     NULL);
	back_clean(&back);
	assert_false(back.plan->cpu.tsc_told);
	back_fini(&back);
	back_resolve(&back, "cpu: { model: host, hypervisor: kvm }\n" BACK_BOOT RULES, NULL);
	back_clean(&back);
	back_fini(&back);
}

static void boot_mistakes_are_named(void **state)
{
#define FIRMWARE "  fw: { type: rom, at: sys, mmio: 0xffff0000+64KiB, backend: { file: x } }\n"
	back_bad("S117", "`initrd` is loaded with a kernel: `linux` or `elf` is missing",
		 BACK_CPU "boot: { initrd: i, firmware: fw }\n" RULES FIRMWARE);
	back_bad("S117", "`modules` are loaded with a kernel: `linux` or `elf` is missing",
		 BACK_CPU "boot: { modules: [m], firmware: fw }\n" RULES FIRMWARE);
	back_bad("S102", "`boot` has `linux` and `elf`: one of them runs at reset",
		 BACK_CPU "boot: { linux: k, elf: k }\n" RULES);
	back_bad("S102", "`boot` has `elf` and `firmware`: one of them runs at reset",
		 BACK_CPU "boot: { elf: k, firmware: fw }\n" RULES FIRMWARE);
	back_bad("S102", "a module begins with its path",
		 BACK_CPU "boot: { elf: k, modules: [m, \" x\"] }\n" RULES);
	back_bad("S102", "expected a list", BACK_CPU "boot: { elf: k, modules: m }\n" RULES);
	back_bad("S102", "none of: acpi", BACK_CPU "boot: { linux: k, tables: [apci] }\n" RULES);
}

static void modules_are_kept_in_order(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU "boot: { elf: k, initrd: i, modules: [\"one  a b\", two] }\n" RULES,
		     NULL);
	back_clean(&back);
	assert_null(back.plan->boot.linux_path);
	assert_string_equal(back.plan->boot.elf_path, "k");
	assert_int_equal(back.plan->boot.module_count, 2);
	assert_string_equal(back.plan->boot.modules[0].text, "one  a b");
	assert_string_equal(back.plan->boot.modules[1].text, "two");
	assert_non_null(strstr(back.text, "boot:\n  loader: elf\n  elf: \"k\"\n  initrd: \"i\"\n"
					  "  cmdline: \"\"\n  modules:\n    - \"one  a b\"\n"
					  "    - \"two\"\n"));
	back_fini(&back);
}

static void topology_has_room_for_all(void **state)
{
	struct back back;

	back_resolve(&back,
		     "cpu: { model: host, tsc_khz: 2500000, count: 3, topology: { threads: 2 } "
		     "}\n" BACK_BOOT RULES,
		     NULL);
	back_clean(&back);
	assert_int_equal(back.plan->cpu.count, 3);
	assert_int_equal(back.plan->cpu.sockets, 1);
	assert_int_equal(back.plan->cpu.cores, 2);
	assert_int_equal(back.plan->cpu.threads, 2);
	assert_int_equal(back.plan->cpu.tsc_khz, 2500000);
	back_fini(&back);
#define CPU_BAD(code, part, cpu) \
	back_bad(code, part, "cpu: { tsc_khz: from-host, " cpu " }\n" BACK_BOOT RULES)
	CPU_BAD("S103", "fewer than 5 CPUs",
		"model: host, count: 5, topology: { cores: 2, threads: 2 }");
	CPU_BAD("S103", "outside of 1 to 4096", "model: host, count: 0");
	CPU_BAD("S103", "APIC id 255", "model: host, count: 256");
	CPU_BAD("S117", "no `model`", "count: 2");
	CPU_BAD("S110", "hyperv", "model: host, hypervisor: hyperv");
	CPU_BAD("S102", "no CPU feature `avx3`", "model: host, features: { avx3: true }");
	back_resolve(&back,
		     "cpu: { model: host, tsc_khz: from-host, count: 300, features: { x2apic: true "
		     "} }\n" BACK_BOOT RULES,
		     NULL);
	back_clean(&back);
	back_fini(&back);
	back_bad("S103", "outside of 1000", "cpu: { model: host, tsc_khz: 1 }\n" BACK_BOOT RULES);
}

static const struct mw_cpuid_leaf *leaf(const struct back *back, uint32_t number, uint32_t subleaf)
{
	for (size_t i = 0; i < back->plan->cpu.leaf_count; i++) {
		const struct mw_cpuid_leaf *found = &back->plan->cpu.leaves[i];

		if (found->leaf == number && found->subleaf == subleaf)
			return found;
	}
	fail_msg("no leaf 0x%x.%u", number, subleaf);
	return NULL;
}

/* Against the tables of SDM vol. 2, CPUID. */
static void x86_64_v1_is_consistent(void **state)
{
	struct back back;

	back_resolve(&back, "cpu: { model: x86-64-v1, tsc_khz: from-host }\n" BACK_BOOT RULES,
		     NULL);
	back_clean(&back);
	assert_int_equal(leaf(&back, 0, 0)->eax, 7);
	assert_int_equal(leaf(&back, 0, 0)->ebx, 0x756e6547);
	assert_int_equal(leaf(&back, 0, 0)->edx, 0x49656e69);
	assert_int_equal(leaf(&back, 0, 0)->ecx, 0x6c65746e);
	assert_int_equal(leaf(&back, 1, 0)->eax, 0x6fb); /* family 6, model 15, stepping 11 */
	assert_int_equal(leaf(&back, 1, 0)->ebx >> 8 & 0xff, 8);
	assert_int_equal(leaf(&back, 1, 0)->edx, 0x078bfbff);
	assert_int_equal(leaf(&back, 1, 0)->ecx, 1 << 13);
	assert_true(leaf(&back, 4, 0)->has_subleaf);
	assert_int_equal(leaf(&back, 7, 0)->ebx, 1);
	assert_int_equal(leaf(&back, 0x80000000, 0)->eax, 0x80000008);
	assert_int_equal(leaf(&back, 0x80000001, 0)->edx,
			 1 << 11 | 1 << 20 | 1 << 26 | 1 << 27 | 1 << 29);
	assert_int_equal(leaf(&back, 0x80000001, 0)->ecx, 1);
	char brand[49] = "";

	for (uint32_t i = 0; i < 3; i++)
		memcpy(brand + i * 16, &leaf(&back, 0x80000002 + i, 0)->eax, 16);
	assert_string_equal(brand, "Millwright x86-64-v1");
	assert_int_equal(leaf(&back, 0x80000008, 0)->eax, 48 << 8 | 40);
	/* Leaf 4: the caches of the file's remarks. */
	const struct mw_cpuid_leaf *l2 = leaf(&back, 4, 2);
	uint32_t bytes = ((l2->ebx >> 22) + 1) * ((l2->ebx & 0xfff) + 1) * (l2->ecx + 1);

	assert_int_equal(bytes, 2 << 20);
	assert_int_equal(leaf(&back, 0x80000006, 0)->ecx >> 16, bytes >> 10);
	assert_int_equal(back.plan->cpu.msr_count, 1);
	for (size_t i = 1; i < back.plan->cpu.leaf_count; i++)
		assert_true(back.plan->cpu.leaves[i - 1].leaf <= back.plan->cpu.leaves[i].leaf);
	back_fini(&back);
}

static void amd_repeats_leaf_1_in_the_extended_leaf(void **state)
{
	struct back back;

	back_resolve(&back, "cpu: { model: test-amd, tsc_khz: from-host }\n" BACK_BOOT RULES, NULL);
	back_clean(&back);
	assert_int_equal(leaf(&back, 0, 0)->ebx, 0x68747541);
	assert_int_equal(leaf(&back, 1, 0)->eax, 0x00830f10); /* family 15 and 8 more, model 49 */
	assert_int_equal(leaf(&back, 0x80000001, 0)->eax, 0x00830f10);
	/* fpu, tsc, msr, cx8 and apic again; sse2 is of leaf 1 alone */
	assert_int_equal(leaf(&back, 1, 0)->edx, 1 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 26);
	assert_int_equal(leaf(&back, 0x80000001, 0)->edx,
			 1 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11 | 1 << 29);
	assert_int_equal(back.plan->cpu.msr_count, 0);
	back_fini(&back);
}

static void features_change_a_model(void **state)
{
	struct back back;

	back_resolve(&back,
		     "cpu: { model: x86-64-v2, tsc_khz: from-host, features: { aes: true, nx: "
		     "false, smep: true } }\n" BACK_BOOT RULES,
		     NULL);
	back_clean(&back);
	assert_true(leaf(&back, 1, 0)->ecx >> 25 & 1);
	assert_true(leaf(&back, 1, 0)->ecx >> 20 & 1);
	assert_false(leaf(&back, 0x80000001, 0)->edx >> 20 & 1);
	assert_true(leaf(&back, 7, 0)->ebx >> 7 & 1);
	assert_string_equal(back.plan->cpu.features_add[0], "aes");
	assert_string_equal(back.plan->cpu.features_add[1], "smep");
	assert_string_equal(back.plan->cpu.features_remove[0], "nx");
	back_fini(&back);
	CPU_BAD("S117", "leaf 0xd", "model: x86-64-v1, features: { xsave: true }");
	struct back none;

	back_resolve(&none, "cpu: { model: x86-64-v9, tsc_khz: from-host }\n" BACK_BOOT RULES,
		     NULL);
	assert_int_equal(none.diagnostics.errors, 1);
	back_fini(&none);
}

static void other_architectures_are_not_there_yet(void **state)
{
	back_bad("S110", "aarch64", "arch: aarch64\n" BACK_MACHINE);
}

static uint8_t *hash_of(const char *extra, const char *device, uint8_t hash[32])
{
	struct back back;

	back_resolve(&back, extra, BACK_MACHINE, device, NULL);
	back_clean(&back);
	mw_plan_hash(back.plan, hash);
	back_fini(&back);
	return hash;
}

static void the_hash_sees_the_guest_side_alone(void **state)
{
	uint8_t base[32], other[32];
	const char *plain = "  x: { type: uart, at: sys }\n";

	hash_of("", plain, base);
	assert_memory_equal(base, hash_of("", plain, other), 32);
	assert_memory_equal(base, hash_of("summary: other\n", plain, other), 32);
	assert_memory_equal(
		base,
		hash_of("", "  x: { type: uart, at: sys, backend: stdio, placement: own }\n",
			other),
		32);
	assert_memory_not_equal(base, hash_of("", "  x: { type: uart, at: isa }\n", other), 32);
	assert_memory_not_equal(base, hash_of("", "  y: { type: uart, at: sys }\n", other), 32);
	assert_memory_not_equal(
		base, hash_of("", "  x: { type: uart, at: sys }\npower: { off: stop }\n", other),
		32);
}

static void the_order_of_booting_names_nodes_that_were_meant(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_MEMORY
		     "params: { f: { type: bool, default: false } }\n"
		     "boot: { linux: k, order: [b, gone, a] }\n"
		     "devices:\n  a: { type: chip, at: sys }\n  b: { type: chip, at: sys }\n"
		     "  gone: { type: chip, at: sys, when: f }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back.plan->boot.order[0], "b");
	assert_string_equal(back.plan->boot.order[1], "a");
	assert_null(back.plan->boot.order[2]);
	back_fini(&back);
	back_bad("G206", "there is no node `aa`",
		 BACK_CPU "boot: { linux: k, order: [aa] }\n" RULES);
	back_bad("S102", "expected a list", BACK_CPU "boot: { linux: k, order: a }\n" RULES);
	back_bad("S102", "`a` stands in `order` twice",
		 BACK_CPU "boot: { linux: k, order: [a, a] }\n" RULES
			  "  a: { type: chip, at: sys }\n");
}

static void an_igvm_file_boots_alone(void **state)
{
	struct back back;

	back_resolve(&back, BACK_CPU "boot: { igvm: f, measure: sha384 }\n" RULES, NULL);
	back_clean(&back);
	assert_string_equal(back.plan->boot.igvm_path, "f");
	assert_int_equal(back.plan->boot.measure, MW_MEASURE_SHA384);
	assert_null(strstr(back.text, "loader: none"));
	back_fini(&back);
	back_bad("S102", "`boot` has `igvm` and `linux`",
		 BACK_CPU "boot: { igvm: f, linux: k }\n" RULES);
	back_bad("S102", "`boot` has `igvm` and `firmware`",
		 BACK_CPU "boot: { igvm: f, firmware: fw }\n" RULES FIRMWARE);
	back_bad("S102", "expected `none`, `sha256`, `sha384` or `sha512`",
		 BACK_CPU "boot: { igvm: f, measure: md5 }\n" RULES);
	back_bad("S117", "`igvm` is missing",
		 BACK_CPU "boot: { linux: k, measure: sha256 }\n" RULES);
	back_bad("S117", "`firmware` is missing",
		 BACK_CPU "boot: { linux: k, secure_boot: true }\n" RULES);
}

static void x2apic_is_a_feature_and_a_need(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MEMORY BACK_BOOT
		     "cpu: { model: host, tsc_khz: from-host, x2apic: true, count: 300 }\n"
		     "accel: { need: { x2apic: optional, pio: true } }\n",
		     NULL);
	back_clean(&back);
	assert_string_equal(back.plan->cpu.features_add[0], "x2apic");
	assert_int_equal(back.plan->accel.need_count, 2);
	assert_false(back.plan->accel.needs[1].optional);
	assert_int_equal(back.plan->accel.needs[1].value, 1);
	back_fini(&back);
	back_bad("S102", "`x2apic` is `true` here and `false` among the features",
		 BACK_MEMORY BACK_BOOT "cpu: { model: host, tsc_khz: from-host, x2apic: true, "
				       "features: { x2apic: false } }\n");
	back_bad("S102", "expected true or false",
		 BACK_MEMORY BACK_BOOT "cpu: { model: host, tsc_khz: from-host, x2apic: 1 }\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_places),
		cmocka_unit_test(links_to_nothing_are_errors),
		cmocka_unit_test(power_actions_have_defaults),
		cmocka_unit_test(needs_are_a_closed_vocabulary),
		cmocka_unit_test(something_must_run_at_reset),
		cmocka_unit_test(firmware_covers_the_reset_vector),
		cmocka_unit_test(a_variable_store_that_guests_may_write_is_not_trusted),
		cmocka_unit_test(some_clock_must_have_a_known_rate),
		cmocka_unit_test(boot_mistakes_are_named),
		cmocka_unit_test(modules_are_kept_in_order),
		cmocka_unit_test(the_order_of_booting_names_nodes_that_were_meant),
		cmocka_unit_test(an_igvm_file_boots_alone),
		cmocka_unit_test(x2apic_is_a_feature_and_a_need),
		cmocka_unit_test(topology_has_room_for_all),
		cmocka_unit_test(x86_64_v1_is_consistent),
		cmocka_unit_test(amd_repeats_leaf_1_in_the_extended_leaf),
		cmocka_unit_test(features_change_a_model),
		cmocka_unit_test(other_architectures_are_not_there_yet),
		cmocka_unit_test(the_hash_sees_the_guest_side_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
