/* The software CPU in real and virtual-8086 mode, and its tasks, run as guest code. References: SDM vol. 3,
 * chapters 7 and 20. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "soft_protected_bench.h"

/* 20.1: real mode. */

static void real_mode(void)
{
	soft_rig_create(&rig);
	cpu = rig.reset_state;
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		cpu.segment[i] = soft_rig_segment(0, 0, 0xffff, 0x93);
	cpu.segment[MW_CS].selector = 0x100;
	cpu.segment[MW_CS].base = 0x1000;
	cpu.rip = 0;
	cpu.rflags = 0x247;
	cpu.gpr[MW_RSP] = 0xabcd8000;
}

static void real_interrupts_push_flags_cs_and_ip(void **state)
{
	real_mode();
	put(0x21 * 4, 0x02000010, 4);
	CODE_AT(0x1000, 0xcd, 0x21, HLT);
	CODE_AT(0x2010, HLT);
	run(2);
	assert_int_equal(cpu.rip, 0x11);
	assert_int_equal(cpu.segment[MW_CS].selector, 0x200);
	assert_int_equal(cpu.segment[MW_CS].base, 0x2000);
	assert_int_equal(cpu.gpr[MW_RSP], 0xabcd7ffa);
	ASSERT_STACK(0x7ffa, 2, 2, 0x100, 0x247);
	assert_int_equal(cpu.rflags, 0x47);
	done();
}

static void real_iret_takes_all_of_flags(void **state)
{
	real_mode();
	put(0x21 * 4, 0x02000010, 4);
	CODE_AT(0x1000, 0xcd, 0x21, HLT);
	/* or word [esp + 4], 0x7000: IOPL and NT */
	CODE_AT(0x2010, 0x67, 0x81, 0x4c, 0x24, 0x04, 0x00, 0x70, IRET);
	cpu.gpr[MW_RSP] = 0x8000;
	run(4);
	assert_int_equal(cpu.rip, 3);
	assert_int_equal(cpu.segment[MW_CS].base, 0x1000);
	assert_int_equal(cpu.gpr[MW_RSP], 0x8000);
	assert_int_equal(cpu.rflags, 0x7247);
	done();
}

static void real_vectors_beyond_the_table_are_gp_without_an_error(void **state)
{
	real_mode();
	cpu.idt.limit = 0x20 * 4 - 1;
	put(13 * 4, 0x02000000, 4);
	CODE_AT(0x1000, 0xcd, 0x21, HLT);
	CODE_AT(0x2000, HLT);
	run(2);
	assert_int_equal(cpu.rip, 1);
	ASSERT_STACK(0x7ffa, 2, 0, 0x100, 0x247);
	done();
}

static void real_segments_keep_their_limits(void **state)
{
	real_mode();
	cpu.segment[MW_ES].limit = 0xffffffff;
	/* mov es, ax; mov byte [es:ebx], 0x5a; mov byte [ebx], 0 */
	CODE_AT(0x1000, 0x8e, 0xc0, 0x26, 0x67, 0xc6, 0x03, 0x5a, 0x67, 0xc6, 0x03, 0);
	put(13 * 4, 0x02000000, 4);
	CODE_AT(0x2000, HLT);
	cpu.gpr[MW_RAX] = 0x10;
	cpu.gpr[MW_RBX] = 0x200000;
	run(4);
	assert_int_equal(get(0x200100, 1), 0x5a);
	assert_int_equal(cpu.segment[MW_CS].selector, 0x200);
	assert_int_equal(get(0x7ffa, 2), 7);
	done();
}

static void real_far_calls_return(void **state)
{
	real_mode();
	CODE_AT(0x1000, 0x9a, 0x05, 0x00, 0x00, 0x02, HLT);
	CODE_AT(0x2005, 0xca, 0x04, 0x00); /* retf 4 */
	run(1);
	ASSERT_STACK(0x7ffc, 2, 5, 0x100);
	assert_int_equal(cpu.rip, 5);
	run(2);
	assert_int_equal(cpu.rip, 6);
	assert_int_equal(cpu.segment[MW_CS].base, 0x1000);
	assert_int_equal(cpu.gpr[MW_RSP], 0xabcd8004);
	done();
}

static void the_way_into_protected_mode(void **state)
{
	protected_mode();
	cpu.segment[MW_CS] = soft_rig_segment(0x100, 0x1000 + 0xf000, 0xffff, 0x93);
	cpu.cr0 = 0x10;
	cpu.rip = 0;
	/* mov cr0, eax; jmp dword CODE_0:CODE + 0x10; mov ax, DATA_0; mov ss, ax; hlt */
	CODE_AT(CODE, 0x0f, 0x22, 0xc0, 0x66, 0xea, 0x10, 0x00, 0x01, 0x00, CODE_0, 0);
	CODE_AT(CODE + 0x10, 0x66, 0xb8, DATA_0, 0, 0x8e, 0xd0, HLT);
	cpu.gpr[MW_RAX] = 0x11;
	run(5);
	assert_int_equal(cpu.rip, CODE + 0x17);
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xc09b);
	assert_int_equal(cpu.segment[MW_SS].limit, 0xffffffff);
	done();
}

/* 20.2 and 20.3: virtual-8086 mode. */

static void to_v86(unsigned rflags)
{
	at_user_level();
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		cpu.segment[i] =
			soft_rig_segment((uint16_t)(0x100 + i), 0x1000 + i * 16, 0xffff, 0xf3);
	cpu.segment[MW_CS] = soft_rig_segment(0x1100, 0x11000, 0xffff, 0xf3);
	cpu.rip = 0x10;
	cpu.gpr[MW_RSP] = 0x7000;
	cpu.rflags = 0x20002 | rflags;
}

static void iret_enters_v86(void **state)
{
	static const uint32_t frame[] = { 0x10,  0x1100, 0x23202, 0x7000, 0x200,
					  0x300, 0x400,  0x500,   0x600 };

	protected_mode();
	soft_rig_write(&rig, STACK - sizeof(frame), frame, sizeof(frame));
	cpu.gpr[MW_RSP] = STACK - sizeof(frame);
	CODE_AT(CODE, IRET);
	run(1);
	assert_int_equal(cpu.rip, 0x10);
	assert_int_equal(cpu.rflags, 0x23202);
	assert_int_equal(cpu.segment[MW_CS].base, 0x11000);
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xf3);
	assert_int_equal(cpu.segment[MW_SS].base, 0x2000);
	assert_int_equal(cpu.gpr[MW_RSP], 0x7000);
	assert_int_equal(cpu.segment[MW_ES].base, 0x3000);
	assert_int_equal(cpu.segment[MW_DS].base, 0x4000);
	assert_int_equal(cpu.segment[MW_FS].base, 0x5000);
	assert_int_equal(cpu.segment[MW_GS].base, 0x6000);
	assert_int_equal(rig.cpu->cpl, 3);
	done();
}

static void interrupts_leave_v86_with_its_segments_saved(void **state)
{
	protected_mode();
	to_v86(0x3200);
	idt_gate(0x30, HANDLER, 0xee);
	CODE_AT(USER_CODE + 0x10, 0xcd, 0x30);
	run(1);
	assert_int_equal(cpu.rip, HANDLER);
	assert_int_equal(cpu.gpr[MW_RSP], INNER_STACK - 36);
	ASSERT_STACK(INNER_STACK - 36, 4, 0x12, 0x1100, 0x23202, 0x7000, 0x102, 0x100, 0x103, 0x104,
		     0x105);
	assert_int_equal(cpu.rflags, 0x3002);
	assert_int_equal(cpu.segment[MW_DS].selector | cpu.segment[MW_GS].selector, 0);
	assert_int_equal(rig.cpu->cpl, 0);
	done();
}

static void v86_without_iopl_faults_on_int_n_but_not_on_int3(void **state)
{
	protected_mode();
	to_v86(0x200);
	CODE_AT(USER_CODE + 0x10, 0xcd, 0x30);
	run_into(13);
	ASSERT_STACK(INNER_STACK - 40, 4, 0, 0x10, 0x1100, 0x30202);
	done();
	protected_mode();
	to_v86(0x200);
	idt_gate(3, HANDLER + 48, 0xee);
	CODE_AT(USER_CODE + 0x10, 0xcc);
	run_into(3);
	done();
}

static void vme_sends_int_n_to_the_program_itself(void **state)
{
	protected_mode();
	to_v86(0x80200); /* VIF */
	cpu.cr4 = 1;
	put(TSS + 102, 0x88, 2); /* the redirection map is at 0x68, all clear */
	put(0x30 * 4, 0x12000020, 4);
	CODE_AT(USER_CODE + 0x10, 0xcd, 0x30, 0x90);
	CODE_AT(0x12020, IRET);
	run(1);
	assert_int_equal(cpu.rip, 0x20);
	assert_int_equal(cpu.segment[MW_CS].base, 0x12000);
	assert_int_equal(cpu.rflags, 0x20202);
	ASSERT_STACK(cpu.segment[MW_SS].base + 0x6ffa, 2, 0x12, 0x1100, 0x3202);
	run(1);
	assert_int_equal(cpu.rip, 0x12);
	assert_int_equal(cpu.rflags, 0xa0202);
	done();
}

/* 7.3: tasks. */

static void make_task(uint32_t cs, uint32_t ss)
{
	static const unsigned data[] = { 72, 84, 88, 92 };

	put(TSS_2 + 32, HANDLER + 0x800, 4);
	put(TSS_2 + 36, 0x202, 4);
	put(TSS_2 + 40, 0xaaaa, 4);
	put(TSS_2 + 56, IST_STACK, 4);
	put(TSS_2 + 76, cs, 4);
	put(TSS_2 + 80, ss, 4);
	for (unsigned i = 0; i < 4; i++)
		put(TSS_2 + data[i], DATA_0, 4);
}

static void a_call_nests_a_task_and_iret_goes_back(void **state)
{
	protected_mode();
	make_task(CODE_0, DATA_0);
	cpu.gpr[MW_RBX] = 0x55;
	CODE_AT(CODE, 0x9a, 0, 0, 0, 0, OTHER_TSS, 0, 0x90);
	CODE_AT(HANDLER + 0x800, IRET, 0x90);
	run(1);
	assert_int_equal(cpu.rip, HANDLER + 0x800);
	assert_int_equal(cpu.gpr[MW_RAX], 0xaaaa);
	assert_int_equal(cpu.gpr[MW_RSP], IST_STACK);
	assert_int_equal(cpu.rflags, 0x4202);
	assert_int_equal(cpu.segment[MW_TR].selector, OTHER_TSS);
	assert_true(cpu.cr0 & 8);
	assert_int_equal(get(TSS_2, 2), THE_TSS);
	assert_int_equal(get(TSS + 32, 4), CODE + 7);
	assert_int_equal(get(TSS + 52, 4), 0x55);
	assert_int_equal(get(GDT + THE_TSS + 5, 1), 0x8b);
	assert_int_equal(get(GDT + OTHER_TSS + 5, 1), 0x8b);
	run(1);
	assert_int_equal(cpu.rip, CODE + 7);
	assert_int_equal(cpu.gpr[MW_RBX], 0x55);
	assert_int_equal(cpu.rflags, 0x202);
	assert_int_equal(cpu.segment[MW_TR].selector, THE_TSS);
	assert_int_equal(get(GDT + OTHER_TSS + 5, 1), 0x89);
	assert_int_equal(get(TSS_2 + 36, 4), 0x202);
	assert_int_equal(get(TSS_2 + 32, 4), HANDLER + 0x801);
	done();
}

static void a_jump_to_a_task_frees_the_old_one(void **state)
{
	protected_mode();
	make_task(CODE_0, DATA_0);
	CODE_AT(CODE, 0xea, 0, 0, 0, 0, OTHER_TSS, 0);
	run(1);
	assert_int_equal(cpu.rip, HANDLER + 0x800);
	assert_int_equal(cpu.rflags, 0x202);
	assert_int_equal(get(GDT + THE_TSS + 5, 1), 0x89);
	assert_int_equal(get(GDT + OTHER_TSS + 5, 1), 0x8b);
	done();
}

static void a_task_gate_pushes_the_error_in_the_new_task(void **state)
{
	protected_mode();
	make_task(CODE_0, DATA_0);
	gate(IDT + 13 * 8, OTHER_TSS, 0, 0x85, 0);
	CODE_AT(CODE, 0x8e, 0xc0);
	cpu.gpr[MW_RAX] = 0x100;
	run(1);
	assert_int_equal(cpu.rip, HANDLER + 0x800);
	assert_int_equal(cpu.gpr[MW_RSP], IST_STACK - 4);
	assert_int_equal(get(IST_STACK - 4, 4), 0x100);
	assert_int_equal(get(TSS + 32, 4), CODE);
	assert_int_equal(get(TSS + 36, 4), 0x10202);
	done();
}

static void a_fault_of_the_new_tasks_segments_is_its_own(void **state)
{
	protected_mode();
	make_task(CODE_0, DATA_0);
	put(TSS_2 + 84, ABSENT, 4); /* DS */
	CODE_AT(CODE, 0xea, 0, 0, 0, 0, OTHER_TSS, 0);
	run_into(11);
	assert_int_equal(cpu.segment[MW_TR].selector, OTHER_TSS);
	ASSERT_STACK(IST_STACK - 16, 4, ABSENT, HANDLER + 0x800, CODE_0);
	done();
}

static void a_task_of_16_bits(void **state)
{
	protected_mode();
	descriptor(OTHER_TSS, TSS_2, 0x2b, 0x81);
	descriptor(SMALL, HANDLER, 0xffff, 0x9b);
	put(TSS_2 + 14, 0x20, 2);
	put(TSS_2 + 16, 0x202, 2);
	put(TSS_2 + 18, 0xaaaa, 2);
	put(TSS_2 + 26, 0x7000, 2);
	put(TSS_2 + 34, DATA_0, 2);
	put(TSS_2 + 36, SMALL, 2);
	put(TSS_2 + 38, DATA_0, 2);
	put(TSS_2 + 40, DATA_0, 2);
	CODE_AT(CODE, 0x9a, 0, 0, 0, 0, OTHER_TSS, 0);
	CODE_AT(HANDLER + 0x20, IRET);
	run(1);
	assert_int_equal(cpu.rip, 0x20);
	assert_int_equal(cpu.segment[MW_CS].base, HANDLER);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xffff, 0xaaaa);
	assert_int_equal(cpu.gpr[MW_RSP], 0x7000);
	run(1);
	assert_int_equal(cpu.rip, CODE + 7);
	assert_int_equal(get(TSS_2 + 14, 2), 0x21);
	done();
}

static void the_t_bit_traps_in_the_new_task(void **state)
{
	protected_mode();
	make_task(CODE_0, DATA_0);
	put(TSS_2 + 100, 1, 2);
	CODE_AT(CODE, 0xea, 0, 0, 0, 0, OTHER_TSS, 0);
	run_into(1);
	assert_int_equal(cpu.dr6 & 0xe00f, 0x8000);
	ASSERT_STACK(IST_STACK - 12, 4, HANDLER + 0x800, CODE_0, 0x202);
	done();
}

static void a_busy_task_is_not_entered(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xea, 0, 0, 0, 0, THE_TSS, 0);
	run_into(13);
	ASSERT_STACK(STACK - 16, 4, THE_TSS, CODE);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(real_interrupts_push_flags_cs_and_ip),
		TEST(real_iret_takes_all_of_flags),
		TEST(real_vectors_beyond_the_table_are_gp_without_an_error),
		TEST(real_segments_keep_their_limits),
		TEST(real_far_calls_return),
		TEST(the_way_into_protected_mode),
		TEST(iret_enters_v86),
		TEST(interrupts_leave_v86_with_its_segments_saved),
		TEST(v86_without_iopl_faults_on_int_n_but_not_on_int3),
		TEST(vme_sends_int_n_to_the_program_itself),
		TEST(a_call_nests_a_task_and_iret_goes_back),
		TEST(a_jump_to_a_task_frees_the_old_one),
		TEST(a_task_gate_pushes_the_error_in_the_new_task),
		TEST(a_fault_of_the_new_tasks_segments_is_its_own),
		TEST(a_task_of_16_bits),
		TEST(the_t_bit_traps_in_the_new_task),
		TEST(a_busy_task_is_not_entered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
