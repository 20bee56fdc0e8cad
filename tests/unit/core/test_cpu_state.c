/* Registers after RESET, as SDM vol. 3, table 10-1 has them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/cpu_state.h"

static void first_instruction_is_16_bytes_below_4g(void **state)
{
	struct mw_cpu_state cpu;

	mw_cpu_state_reset(&cpu, true);
	assert_int_equal(cpu.segment[MW_CS].base + cpu.rip, 0xfffffff0);
	assert_int_equal(cpu.segment[MW_CS].selector, 0xf000);
	assert_int_equal(cpu.segment[MW_CS].limit, 0xffff);
	assert_int_equal(cpu.rflags, 2);
}

static void paging_and_protection_are_off(void **state)
{
	struct mw_cpu_state cpu;

	mw_cpu_state_reset(&cpu, true);
	assert_int_equal(cpu.cr0, 0x60000010);
	assert_int_equal(cpu.cr4, 0);
	assert_int_equal(cpu.efer, 0);
	assert_int_equal(cpu.xcr0, 1);
}

static void only_the_boot_cpu_runs_and_says_so(void **state)
{
	struct mw_cpu_state first, other;

	mw_cpu_state_reset(&first, true);
	mw_cpu_state_reset(&other, false);
	assert_int_equal(first.run, MW_CPU_RUNNABLE);
	assert_int_equal(other.run, MW_CPU_WAIT_SIPI);
	assert_int_equal(first.apic_base, 0xfee00900);
	assert_int_equal(other.apic_base, 0xfee00800);
}

static void debug_registers_and_pat_have_their_values(void **state)
{
	struct mw_cpu_state cpu;

	mw_cpu_state_reset(&cpu, true);
	assert_int_equal(cpu.dr6, 0xffff0ff0);
	assert_int_equal(cpu.dr7, 0x400);
	assert_int_equal(cpu.pat, 0x0007040600070406);
}

static void fpu_image_has_reset_control_words(void **state)
{
	struct mw_cpu_state cpu;

	mw_cpu_state_reset(&cpu, true);
	assert_int_equal(cpu.fxsave[0] | cpu.fxsave[1] << 8, 0x0040);
	assert_int_equal(cpu.fxsave[24] | cpu.fxsave[25] << 8, 0x1f80);
}

static void what_was_there_before_is_gone(void **state)
{
	struct mw_cpu_state clean, dirty;

	memset(&clean, 0, sizeof(clean));
	memset(&dirty, 0xa5, sizeof(dirty));
	mw_cpu_state_reset(&clean, true);
	mw_cpu_state_reset(&dirty, true);
	assert_memory_equal(&clean, &dirty, sizeof(clean));
}

static void local_apic_is_what_reset_leaves(void **state)
{
	struct mw_cpu_state cpu;

	mw_cpu_state_reset(&cpu, true);
	assert_false(cpu.lapic.valid);
}

static void virtual_wire_is_intr_at_lint0_and_nmi_at_lint1(void **state)
{
	struct mw_lapic_state lapic;

	mw_lapic_state_virtual_wire(&lapic);
	assert_true(lapic.valid);
	assert_int_equal(lapic.registers[0xf0 / 16], 0x1ff);
	assert_int_equal(lapic.registers[0x350 / 16], 0x700);
	assert_int_equal(lapic.registers[0x360 / 16], 0x400);
	assert_int_equal(lapic.registers[0x320 / 16], 0x10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_instruction_is_16_bytes_below_4g),
		cmocka_unit_test(paging_and_protection_are_off),
		cmocka_unit_test(only_the_boot_cpu_runs_and_says_so),
		cmocka_unit_test(debug_registers_and_pat_have_their_values),
		cmocka_unit_test(fpu_image_has_reset_control_words),
		cmocka_unit_test(what_was_there_before_is_gone),
		cmocka_unit_test(local_apic_is_what_reset_leaves),
		cmocka_unit_test(virtual_wire_is_intr_at_lint0_and_nmi_at_lint1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
