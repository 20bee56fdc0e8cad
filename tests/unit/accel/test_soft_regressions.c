/* What guests found wrong in the software CPU, each as the smallest guest code that shows it. References: SDM vol.
 * 2, INT n, RET and IRET; SDM vol. 3, 6.8.3 (MOV SS), 18.2 and 18.3 (debug exceptions); SDM vol. 4,
 * IA32_MISC_ENABLE. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accel/cpuid_set.h"
#include "accel/soft/system/model.h"
#include "soft_protected_bench.h"

enum { DATA = 0x6000, DEBUG = 1 };

/* Linux, tools/testing/selftests/x86/mov_ss_trap.c: the second #DB overwrote the frame of the first, and its
 * handler returned to itself for ever. */
static void int1_takes_the_breakpoint_of_mov_ss_along(void **state)
{
	protected_mode();
	/* mov ss, [6000]; int1 */
	CODE_AT(CODE, 0x8e, 0x15, 0x00, 0x60, 0, 0, 0xf1);
	put(DATA, DATA_0, 2);
	put(HANDLER + 16 * DEBUG, 0x90, 1);
	cpu.dr[0] = DATA;
	cpu.dr7 = 0x400 | 1 | 3 << 16 | 1 << 18; /* reads and writes of two bytes */
	cpu.dr6 = 0xffff0ff0;
	run(3);
	assert_int_equal(cpu.rip, HANDLER + 16 * DEBUG + 1);
	assert_int_equal(cpu.dr6 & 0xe00f, 1);
	ASSERT_STACK(STACK - 12, 4, CODE + 7, CODE_0, 0x202);
	done();
}

static void int1_ends_general_detection(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xf1);
	cpu.dr7 = 0x400 | 1 << 13;
	run_into(DEBUG);
	assert_int_equal(cpu.dr7, 0x400);
	done();
}

static void start_with_null_selectors(void)
{
	protected_mode();
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		if (i != MW_CS && i != MW_SS)
			cpu.segment[i] = soft_rig_segment(3, 0, 0xffffffff, 0);
	cpu.segment[MW_FS].base = 0x12345678; /* as long mode lets it be */
	put(USER_CODE, 0x90, 1);
}

static void assert_no_selectors(void)
{
	assert_int_equal(cpu.rip, USER_CODE);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_3);
	assert_int_equal(cpu.segment[MW_ES].selector, 0);
	assert_int_equal(cpu.segment[MW_DS].selector, 0);
	assert_int_equal(cpu.segment[MW_FS].selector, 0);
	assert_int_equal(cpu.segment[MW_GS].selector, 0);
	assert_int_equal(cpu.segment[MW_FS].base, 0x12345678);
}

/* Linux, tools/testing/selftests/x86/sigreturn.c. */
static void iret_to_an_outer_level_makes_null_selectors_0(void **state)
{
	start_with_null_selectors();
	CODE_AT(CODE, IRET);
	cpu.gpr[MW_RSP] = STACK - 20;
	put(STACK - 20, USER_CODE, 4);
	put(STACK - 16, CODE_3, 4);
	put(STACK - 12, 0x202, 4);
	put(STACK - 8, USER_STACK, 4);
	put(STACK - 4, DATA_3, 4);
	run(1);
	assert_no_selectors();
	done();
}

static void retf_to_an_outer_level_makes_null_selectors_0(void **state)
{
	start_with_null_selectors();
	CODE_AT(CODE, 0xcb);
	cpu.gpr[MW_RSP] = STACK - 16;
	put(STACK - 16, USER_CODE, 4);
	put(STACK - 12, CODE_3, 4);
	put(STACK - 8, USER_STACK, 4);
	put(STACK - 4, DATA_3, 4);
	run(1);
	assert_no_selectors();
	done();
}

/* Linux takes what depends on fast strings away where their bit is clear, and believes in a unit for branch
 * traces and one for precise events where theirs are. */
static void misc_enable_tells_fast_strings_and_no_traces(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x0f, 0x32, HLT);
	cpu.gpr[MW_RCX] = 0x1a0;
	run(2);
	assert_int_equal(cpu.gpr[MW_RAX], 0x1801);
	assert_int_equal(cpu.gpr[MW_RDX], 0);
	done();
}

/* Without ARAT, and without another timer, Linux does with its periodic tick: no sleep was shorter than 4 ms. */
static void the_model_promises_a_timer_that_runs_always(void **state)
{
	struct mw_cpuid_leaf leaves[SOFT_MAX_LEAVES];
	size_t count = soft_cpuid_supported(leaves, SOFT_MAX_LEAVES);
	uint32_t *word = mw_cpuid_word(leaves, count, mw_cpu_feature_find("arat"));

	assert_non_null(word);
	assert_int_equal(*word, 1 << 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(int1_takes_the_breakpoint_of_mov_ss_along),
		cmocka_unit_test(int1_ends_general_detection),
		cmocka_unit_test(iret_to_an_outer_level_makes_null_selectors_0),
		cmocka_unit_test(retf_to_an_outer_level_makes_null_selectors_0),
		cmocka_unit_test(misc_enable_tells_fast_strings_and_no_traces),
		cmocka_unit_test(the_model_promises_a_timer_that_runs_always),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
