/* What comes to the software CPU from outside, and what holds it back: interrupts, NMI, INIT, start-up. References:
 * SDM vol. 3, 6.7 and 6.8, 9.4, 10.1.1. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/soft/run.h"
#include "accel/soft/system/system.h"

#include "soft_paging_bench.h"

/* 6.8: interrupts and what holds them back. The local APIC sends them to itself. */

static void pend_interrupt(void)
{
	protected_mode();
	idt_gate(0x40, HANDLER + 0x400, 0x8e);
	put(HANDLER + 0x400, HLT, 1);
	cpu.rflags = 2;
	cpu.rip = CODE;
	/* mov dword [fee000f0], 1ff; mov dword [fee00300], 40040 */
	CODE_AT(CODE, 0xc7, 0x05, 0xf0, 0x00, 0xe0, 0xfe, 0xff, 0x01, 0, 0, 0xc7, 0x05, 0x00, 0x03,
		0xe0, 0xfe, 0x40, 0x00, 0x04, 0);
	run(2);
	assert_int_equal(cpu.rip, CODE + 20);
}

static void expect_interrupt(uint64_t rip)
{
	assert_int_equal(cpu.rip, HANDLER + 0x401);
	assert_int_equal(get(cpu.gpr[MW_RSP], 4), rip);
}

static void sti_lets_one_more_instruction_run(void **state)
{
	for (unsigned budget = 1; budget < 64; budget += 62) {
		pend_interrupt();
		CODE_AT(CODE + 20, 0xfb, 0x40, 0x40, 0x40, HLT); /* sti; inc eax, ... */
		for (unsigned i = 0; i < 8; i++)
			go_on(budget);
		expect_interrupt(CODE + 22);
		assert_int_equal(cpu.gpr[MW_RAX], 1);
		done();
	}
}

static void sti_and_hlt_wait_for_the_interrupt(void **state)
{
	pend_interrupt();
	CODE_AT(CODE + 20, 0xfb, HLT, 0x40);
	go_on(60);
	expect_interrupt(CODE + 22);
	done();
}

static void sti_and_cli_let_nothing_in(void **state)
{
	pend_interrupt();
	CODE_AT(CODE + 20, 0xfb, 0xfa, 0x90, 0x90, HLT);
	go_on(60);
	assert_int_equal(cpu.rip, CODE + 25);
	done();
}

static void mov_ss_holds_back_for_an_instruction(void **state)
{
	pend_interrupt();
	/* sti; mov ss, ecx; mov esp, STACK - 0x100; nop */
	CODE_AT(CODE + 20, 0xfb, 0x8e, 0xd1, 0xbc, 0x00, 0x7f, 0, 0, 0x90);
	rig.cpu->gpr[MW_RCX] = DATA_0;
	go_on(60);
	expect_interrupt(CODE + 28);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 0x100 - 12);
	done();
}

static void popf_and_iret_let_it_in_at_once(void **state)
{
	pend_interrupt();
	CODE_AT(CODE + 20, 0x68, 0x02, 0x02, 0, 0, 0x9d, 0x90, HLT); /* push 202; popf; nop */
	go_on(60);
	expect_interrupt(CODE + 26);
	done();
	pend_interrupt();
	CODE_AT(CODE + 20, 0xcf);
	put(STACK - 12, CODE + 0x40, 4);
	put(STACK - 8, CODE_0, 4);
	put(STACK - 4, 0x202, 4);
	rig.cpu->gpr[MW_RSP] = STACK - 12;
	CODE_AT(CODE + 0x40, 0x90, HLT);
	go_on(60);
	expect_interrupt(CODE + 0x40);
	done();
}

static void nmi_wakes_a_cpu_without_if(void **state)
{
	protected_mode();
	cpu.rflags = 2;
	CODE_AT(CODE, HLT);
	run(60);
	assert_int_equal(cpu.run, MW_CPU_HALTED);
	assert_int_equal(cpu.rip, CODE + 1);
	rig.cpu->nmi_pending = true;
	go_on(60);
	assert_int_equal(cpu.rip, HANDLER + 33);
	assert_true(cpu.nmi_masked);
	rig.cpu->nmi_pending = true; /* masked until IRET, and kept */
	go_on(60);
	assert_int_equal(cpu.rip, HANDLER + 33);
	assert_true(cpu.nmi_pending);
	done();
}

static void nmi_waits_behind_mov_ss(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x8e, 0xd0, 0x40, 0x40);
	cpu.gpr[MW_RAX] = DATA_0;
	run(1);
	rig.cpu->nmi_pending = true;
	go_on(2);
	ASSERT_STACK(cpu.gpr[MW_RSP], 4, CODE + 3);
	done();
}

/* 10.1.1, table 10-1; 9.4: INIT and start-up. */

static void init_resets_all_but_what_it_keeps(void **state)
{
	paged(PAGING_LONG);
	cpu.lstar = 0x1234;
	rig.cpu->mtrr_fixed[0] = UINT64_C(0x0606060606060606);
	cpu.cr0 |= 0x60000000;
	cpu.dr[1] = 0x1234;
	cpu.dr7 = 0x408;
	cpu.gpr[MW_RSI] = 0x5555;
	memset(cpu.fxsave + 160, 0xaa, 16);
	CODE_AT(CODE, HLT);
	run(60);
	rig.cpu->init_pending = true;
	soft_step(rig.cpu);
	soft_rig_get(&rig, &cpu);
	assert_int_equal(cpu.cr0, 0x60000010);
	assert_int_equal(cpu.cr3, 0);
	assert_int_equal(cpu.cr4, 0);
	assert_int_equal(cpu.efer, 0);
	assert_int_equal(cpu.gpr[MW_RSI], 0);
	assert_int_equal(cpu.dr[1], 0);
	assert_int_equal(cpu.dr7, 0x400);
	assert_int_equal(cpu.segment[MW_CS].base, 0xffff0000);
	assert_int_equal(cpu.segment[MW_CS].selector, 0xf000);
	assert_int_equal(cpu.fxsave[160], 0xaa);
	assert_int_equal(cpu.lstar, 0x1234);
	assert_true(rig.cpu->mtrr_fixed[0] == UINT64_C(0x0606060606060606));
	assert_int_equal(cpu.run, MW_CPU_RUNNABLE); /* the boot CPU goes on */
	done();
}

static void other_cpus_wait_for_the_start_up_message(void **state)
{
	protected_mode();
	cpu.apic_base = 0xfee00800;
	CODE_AT(CODE, 0xeb, 0xfe);
	CODE_AT(0x12000, 0x40, HLT);
	run(3);
	rig.cpu->sipi_pending = true; /* means nothing to one that runs */
	rig.cpu->sipi_vector = 0x12;
	go_on(3);
	assert_int_equal(cpu.rip, CODE);
	assert_int_equal(cpu.run, MW_CPU_RUNNABLE);
	rig.cpu->init_pending = true;
	go_on(3);
	assert_int_equal(cpu.run, MW_CPU_WAIT_SIPI);
	rig.cpu->nmi_pending = true; /* held back */
	go_on(3);
	assert_int_equal(cpu.run, MW_CPU_WAIT_SIPI);
	rig.cpu->nmi_pending = false;
	rig.cpu->sipi_pending = true;
	go_on(60);
	assert_int_equal(cpu.run, MW_CPU_HALTED);
	assert_int_equal(cpu.segment[MW_CS].selector, 0x1200);
	assert_int_equal(cpu.segment[MW_CS].base, 0x12000);
	assert_int_equal(cpu.rip, 2);
	assert_int_equal(cpu.gpr[MW_RAX], 1);
	done();
}

/* 6.12, 6.15: three faults on top of each other end it. */
static void shutdown_runs_nothing_more(void **state)
{
	protected_mode();
	cpu.idt.limit = 0;
	CODE_AT(CODE, 0x0f, 0x0b);
	run(60);
	assert_true(rig.cpu->shutdown);
	rig.cpu->nmi_pending = true;
	go_on(60);
	assert_true(rig.cpu->shutdown);
	assert_int_equal(cpu.rip, CODE);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sti_lets_one_more_instruction_run),
		TEST(sti_and_hlt_wait_for_the_interrupt),
		TEST(sti_and_cli_let_nothing_in),
		TEST(mov_ss_holds_back_for_an_instruction),
		TEST(popf_and_iret_let_it_in_at_once),
		TEST(nmi_wakes_a_cpu_without_if),
		TEST(nmi_waits_behind_mov_ss),
		TEST(init_resets_all_but_what_it_keeps),
		TEST(other_cpus_wait_for_the_start_up_message),
		TEST(shutdown_runs_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
