/* The software CPU's segments, gates and interrupts, run as guest code. References: SDM vol. 3, chapters 5 and
 * 6. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "soft_protected_bench.h"

/* 5.3 to 5.6: segments. */

static void null_selectors_load_and_fault_when_used(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x31, 0xc0, 0x8e, 0xd8, 0x8a, 0x08); /* mov ds, eax; mov cl, [eax] */
	run_into(13);
	assert_int_equal(cpu.segment[MW_DS].selector, 0);
	ASSERT_STACK(STACK - 16, 4, 0, CODE + 4, CODE_0, 0x10246);
	done();
}

static void selectors_beyond_the_table_and_absent_segments_fault(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x8e, 0xc0);
	cpu.gpr[MW_RAX] = 0x102;
	run_into(13);
	assert_int_equal(get(STACK - 16, 4), 0x100);
	done();
	protected_mode();
	CODE_AT(CODE, 0x8e, 0xc0);
	cpu.gpr[MW_RAX] = ABSENT;
	run_into(11);
	assert_int_equal(get(STACK - 16, 4), ABSENT);
	done();
	protected_mode();
	CODE_AT(CODE, 0x8e, 0xd0);
	cpu.gpr[MW_RAX] = ABSENT;
	run_into(12);
	assert_int_equal(get(STACK - 16, 4), ABSENT);
	done();
	protected_mode();
	CODE_AT(CODE, 0x8e, 0xd0);
	cpu.gpr[MW_RAX] = DATA_3;
	run_into(13);
	assert_int_equal(get(STACK - 16, 4), DATA_3 & ~3);
	done();
}

static void loading_sets_the_accessed_bit(void **state)
{
	protected_mode();
	descriptor(SMALL, 0x5000, 0xff, 0x92);
	CODE_AT(CODE, 0x8e, 0xc0, HLT);
	cpu.gpr[MW_RAX] = SMALL;
	run(2);
	assert_int_equal(get(GDT + SMALL + 5, 1), 0x93);
	assert_int_equal(cpu.segment[MW_ES].attributes, 0x93);
	assert_int_equal(cpu.segment[MW_ES].base, 0x5000);
	done();
}

static void the_last_byte_has_to_be_within_the_limit(void **state)
{
	protected_mode();
	cpu.segment[MW_DS] = soft_rig_segment(SMALL, 0x5000, 0xff, 0x93);
	put(0x50fc, 0x12345678, 4);
	/* mov ecx, [0xfc]; mov edx, [0xfd] */
	CODE_AT(CODE, 0x8b, 0x0d, 0xfc, 0, 0, 0, 0x8b, 0x15, 0xfd, 0, 0, 0);
	run_into(13);
	assert_int_equal(cpu.gpr[MW_RCX], 0x12345678);
	ASSERT_STACK(STACK - 16, 4, 0, CODE + 6);
	done();
}

static void expand_down_segments_begin_above_their_limit(void **state)
{
	protected_mode();
	cpu.segment[MW_DS] = soft_rig_segment(LOW_STACK, 0x10000, 0x0fff, 0x97);
	put(0x11100, 0x77, 1);
	/* mov cl, [0x1100]; mov cl, [0xfff] */
	CODE_AT(CODE, 0x8a, 0x0d, 0x00, 0x11, 0, 0, 0x8a, 0x0d, 0xff, 0x0f, 0, 0);
	run_into(13);
	assert_int_equal(cpu.gpr[MW_RCX] & 0xff, 0x77);
	ASSERT_STACK(STACK - 16, 4, 0, CODE + 6);
	done();
}

static void segments_are_written_and_read_by_their_type(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x2e, 0xc6, 0x00, 0x01); /* mov byte [cs:eax], 1 */
	run_into(13);
	assert_int_equal(get(STACK - 16, 4), 0);
	done();
	protected_mode();
	cpu.segment[MW_CS].attributes = 0xc099; /* execute only */
	CODE_AT(CODE, 0x2e, 0x8a, 0x00);
	run_into(13);
	done();
}

static void mov_ss_holds_interrupts_back_and_mov_cs_is_undefined(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x8e, 0xd0, 0x8e, 0xc8);
	cpu.gpr[MW_RAX] = DATA_0;
	run(1);
	assert_true(cpu.interrupt_shadow);
	run_into(6);
	ASSERT_STACK(STACK - 12, 4, CODE + 2, CODE_0, 0x10202);
	done();
}

static void lss_loads_both_at_once(void **state)
{
	protected_mode();
	put(0x6000, 0x7000, 4);
	put(0x6004, DATA_0, 2);
	CODE_AT(CODE, 0x0f, 0xb2, 0x25, 0x00, 0x60, 0, 0, HLT);
	run(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0x7000);
	assert_false(cpu.interrupt_shadow);
	done();
}

/* 6.12: gates of protected mode. */

static void a_gate_of_the_same_level_uses_the_stack(void **state)
{
	protected_mode();
	idt_gate(0x30, HANDLER, 0x8f);
	CODE_AT(CODE, 0xcd, 0x30, HLT);
	CODE_AT(HANDLER, IRET);
	cpu.rflags |= 0x4000;
	run(1);
	assert_int_equal(cpu.rip, HANDLER);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 12);
	assert_int_equal(cpu.rflags, 0x202); /* a trap gate leaves IF */
	ASSERT_STACK(STACK - 12, 4, CODE + 2, CODE_0, 0x4202);
	run(2);
	assert_int_equal(cpu.rip, CODE + 3);
	assert_int_equal(cpu.gpr[MW_RSP], STACK);
	assert_int_equal(cpu.rflags, 0x4202);
	done();
}

static void a_gate_to_level_0_takes_the_stack_of_the_tss(void **state)
{
	protected_mode();
	at_user_level();
	idt_gate(0x30, HANDLER, 0xee);
	CODE_AT(USER_CODE, 0xcd, 0x30, 0x90);
	CODE_AT(HANDLER, IRET);
	run(1);
	assert_int_equal(cpu.segment[MW_SS].selector, DATA_0);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_0);
	assert_int_equal(cpu.gpr[MW_RSP], INNER_STACK - 20);
	assert_int_equal(cpu.rflags, 2);
	ASSERT_STACK(INNER_STACK - 20, 4, USER_CODE + 2, CODE_3, 0x202, USER_STACK, DATA_3);
	/* What user code must not hold goes on the way back. */
	cpu.segment[MW_FS] = soft_rig_segment(DATA_0, 0, 0xffffffff, 0xc093);
	run(1);
	assert_int_equal(cpu.rip, USER_CODE + 2);
	assert_int_equal(cpu.segment[MW_SS].selector, DATA_3);
	assert_int_equal(cpu.gpr[MW_RSP], USER_STACK);
	assert_int_equal(cpu.rflags, 0x202);
	assert_int_equal(cpu.segment[MW_FS].selector, 0);
	assert_int_equal(cpu.segment[MW_GS].selector, DATA_3);
	done();
}

static void software_needs_the_privilege_of_the_gate(void **state)
{
	protected_mode();
	at_user_level();
	idt_gate(0x30, HANDLER, 0x8e);
	CODE_AT(USER_CODE, 0xcd, 0x30);
	run_into(13);
	ASSERT_STACK(INNER_STACK - 24, 4, 0x30 * 8 + 2, USER_CODE, CODE_3, 0x10202);
	done();
}

static void a_gate_of_16_bits_pushes_words(void **state)
{
	protected_mode();
	at_user_level();
	gate(IDT + 0x30 * 8, CODE_0, HANDLER & 0xffff, 0xe6, 0);
	CODE_AT(USER_CODE, 0xcd, 0x30);
	run(1);
	assert_int_equal(cpu.rip, HANDLER & 0xffff);
	assert_int_equal(cpu.gpr[MW_RSP], INNER_STACK - 10);
	ASSERT_STACK(INNER_STACK - 10, 2, (USER_CODE + 2) & 0xffff, CODE_3, 0x202, USER_STACK,
		     DATA_3);
	done();
}

static void a_trap_follows_the_instruction_after_popf(void **state)
{
	protected_mode();
	/* push 0x302; popf; nop; nop */
	CODE_AT(CODE, 0x68, 0x02, 0x03, 0, 0, 0x9d, 0x90, 0x90);
	run(2);
	run_into(1);
	ASSERT_STACK(STACK - 12, 4, CODE + 7, CODE_0, 0x302);
	assert_int_equal(cpu.dr6 & 0xe00f, 0x4000);
	done();
}

static void no_trap_follows_an_interrupt_with_tf(void **state)
{
	protected_mode();
	idt_gate(0x30, HANDLER + 0x400, 0x8e);
	CODE_AT(CODE, 0xcd, 0x30);
	CODE_AT(HANDLER + 0x400, 0x90, HLT);
	cpu.rflags |= 0x100;
	run(4);
	assert_int_equal(cpu.rip, HANDLER + 0x402);
	ASSERT_STACK(STACK - 12, 4, CODE + 2, CODE_0, 0x302);
	done();
}

static void an_nmi_masks_others_until_iret(void **state)
{
	protected_mode();
	cpu.nmi_pending = true;
	CODE_AT(HANDLER + 32, 0x90, IRET);
	CODE_AT(CODE, HLT);
	run(1);
	assert_true(cpu.nmi_masked);
	assert_int_equal(cpu.rip, HANDLER + 33);
	ASSERT_STACK(STACK - 12, 4, CODE, CODE_0, 0x202);
	run(1);
	assert_false(cpu.nmi_masked);
	assert_int_equal(cpu.rip, CODE);
	done();
}

static void icebp_needs_no_privilege_and_is_a_trap(void **state)
{
	protected_mode();
	at_user_level();
	CODE_AT(USER_CODE, 0xf1);
	run_into(1);
	ASSERT_STACK(INNER_STACK - 20, 4, USER_CODE + 1, CODE_3, 0x202);
	done();
}

static void iret_at_user_level_keeps_if_and_iopl(void **state)
{
	protected_mode();
	at_user_level();
	cpu.gpr[MW_RSP] = USER_STACK - 12;
	put(USER_STACK - 12, USER_CODE + 0x10, 4);
	put(USER_STACK - 8, CODE_3, 4);
	put(USER_STACK - 4, 0x3400 | 2, 4); /* DF, IOPL 3, no IF */
	CODE_AT(USER_CODE, IRET);
	run(1);
	assert_int_equal(cpu.rip, USER_CODE + 0x10);
	assert_int_equal(cpu.rflags, 0x602);
	done();
}

static void a_bad_stack_in_the_tss_is_ts(void **state)
{
	protected_mode();
	at_user_level();
	put(TSS + 8, DATA_3, 4);
	idt_gate(0x30, HANDLER, 0xee);
	gate(IDT + 10 * 8, CODE_3, HANDLER + 160, 0x8e, 0); /* #TS stays at level 3 */
	gate(IDT + 13 * 8, CODE_3, HANDLER + 208, 0x8e, 0);
	CODE_AT(USER_CODE, 0xcd, 0x30);
	run(1);
	assert_int_equal(cpu.rip, HANDLER + 160);
	ASSERT_STACK(USER_STACK - 16, 4, DATA_3 & ~3, USER_CODE, CODE_3);
	done();
}

static void a_second_contributory_fault_is_a_double_fault(void **state)
{
	protected_mode();
	idt_gate(13, HANDLER, 0x0e); /* not present: #NP comes of it */
	CODE_AT(CODE, 0x8e, 0xc0);
	cpu.gpr[MW_RAX] = 0x100;
	run_into(8);
	ASSERT_STACK(STACK - 16, 4, 0, CODE, CODE_0, 0x10202);
	done();
}

static void a_fault_after_a_benign_one_is_delivered_in_its_place(void **state)
{
	protected_mode();
	idt_gate(6, HANDLER, 0x0e);
	CODE_AT(CODE, 0x0f, 0x0b);
	run_into(11);
	ASSERT_STACK(STACK - 16, 4, 6 * 8 + 3, CODE, CODE_0, 0x10202);
	done();
}

static void a_fault_in_the_double_fault_shuts_down(void **state)
{
	protected_mode();
	cpu.idt.limit = 0;
	CODE_AT(CODE, 0x0f, 0x0b);
	run(5);
	assert_true(rig.cpu->shutdown);
	assert_int_equal(cpu.rip, CODE);
	done();
}

/* 5.8: call gates. */

static void a_call_gate_copies_parameters_to_the_inner_stack(void **state)
{
	protected_mode();
	at_user_level();
	gate(GDT + GATE, CODE_0, HANDLER, 0xec, 2);
	cpu.gpr[MW_RSP] = USER_STACK - 8;
	put(USER_STACK - 8, 0x11111111, 4);
	put(USER_STACK - 4, 0x22222222, 4);
	CODE_AT(USER_CODE, 0x9a, 0, 0, 0, 0, GATE | 3, 0, 0x90);
	CODE_AT(HANDLER, 0xca, 0x08, 0x00); /* retf 8 */
	run(1);
	assert_int_equal(cpu.rip, HANDLER);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_0);
	ASSERT_STACK(INNER_STACK - 24, 4, USER_CODE + 7, CODE_3, 0x11111111, 0x22222222,
		     USER_STACK - 8, DATA_3);
	assert_int_equal(cpu.gpr[MW_RSP], INNER_STACK - 24);
	run(1);
	assert_int_equal(cpu.rip, USER_CODE + 7);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_3);
	assert_int_equal(cpu.segment[MW_SS].selector, DATA_3);
	assert_int_equal(cpu.gpr[MW_RSP], USER_STACK);
	done();
}

static void a_jump_through_a_call_gate_stays_at_its_level(void **state)
{
	protected_mode();
	at_user_level();
	gate(GDT + GATE, CODE_0, HANDLER, 0xec, 0);
	CODE_AT(USER_CODE, 0xea, 0, 0, 0, 0, GATE | 3, 0);
	run_into(13);
	ASSERT_STACK(INNER_STACK - 24, 4, CODE_0, USER_CODE);
	done();
}

/* 6.14: long mode. */

static void idt_gate_long(unsigned vector, uint64_t offset, unsigned attributes, unsigned ist)
{
	gate(IDT + vector * 16, CODE_0, (uint32_t)offset, attributes, ist);
	put(IDT + vector * 16 + 8, offset >> 32, 8);
}

/* 64-bit mode; the first GiB is mapped to itself, and to user code. */
static void long_mode(void)
{
	protected_mode();
	descriptor(CODE_0, 0, 0xfffff, 0xa09b);
	descriptor(CODE_3, 0, 0xfffff, 0xa0fb);
	put(TABLES, (TABLES + 0x1000) | 7, 8);
	put(TABLES + 0x1000, (TABLES + 0x2000) | 7, 8);
	put(TABLES + 0x2000, 0x87, 8);
	put(TABLES + 0x2008, 0x200087, 8);
	for (unsigned i = 0; i < 32; i++)
		idt_gate_long(i, HANDLER + 16 * i, 0x8e, 0);
	put(GDT + THE_TSS + 8, 0, 8);
	put(TSS + 4, INNER_STACK, 8);
	put(TSS + 36 + 8, IST_STACK, 8);
	cpu.cr0 = 0x80000011;
	cpu.cr3 = TABLES;
	cpu.cr4 = 0x20;
	cpu.efer = 0x500;
	cpu.segment[MW_CS].attributes = 0xa09b;
}

static void at_long_user_level(void)
{
	at_user_level();
	cpu.segment[MW_CS].attributes = 0xa0fb;
}

static void long_interrupts_align_the_stack_and_push_all(void **state)
{
	long_mode();
	idt_gate_long(0x30, HANDLER, 0x8e, 0);
	cpu.gpr[MW_RSP] = STACK - 4;
	CODE_AT(CODE, 0xcd, 0x30, 0x90);
	CODE_AT(HANDLER, 0x48, IRET);
	run(1);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 16 - 40);
	ASSERT_STACK(STACK - 56, 8, CODE + 2, CODE_0, 0x202, STACK - 4, DATA_0);
	assert_int_equal(cpu.segment[MW_SS].selector, DATA_0);
	run(1);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 4);
	assert_int_equal(cpu.rip, CODE + 2);
	assert_int_equal(cpu.rflags, 0x202);
	done();
}

static void long_interrupts_from_user_level_and_back(void **state)
{
	long_mode();
	at_long_user_level();
	idt_gate_long(0x30, HANDLER, 0xee, 0);
	CODE_AT(USER_CODE, 0xcd, 0x30, 0x90);
	CODE_AT(HANDLER, 0x48, IRET);
	run(1);
	assert_int_equal(cpu.segment[MW_SS].selector, 0);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_0);
	ASSERT_STACK(INNER_STACK - 40, 8, USER_CODE + 2, CODE_3, 0x202, USER_STACK, DATA_3);
	assert_int_equal(rig.cpu->cpl, 0);
	run(1);
	assert_int_equal(cpu.segment[MW_SS].selector, DATA_3);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_3);
	assert_int_equal(cpu.gpr[MW_RSP], USER_STACK);
	assert_int_equal(cpu.rip, USER_CODE + 2);
	assert_int_equal(rig.cpu->cpl, 3);
	done();
}

static void an_interrupt_stack_is_used_at_any_level(void **state)
{
	long_mode();
	idt_gate_long(14, HANDLER + 224, 0x8e, 2);
	CODE_AT(CODE, 0x8a, 0x04, 0x25, 0, 0, 0x40, 0); /* mov al, [0x400000] */
	run_into(14);
	assert_int_equal(cpu.cr2, 0x400000);
	assert_int_equal(cpu.gpr[MW_RSP], 0xb000 - 48);
	ASSERT_STACK(0xb000 - 48, 8, 0, CODE, CODE_0, 0x10202, STACK, DATA_0);
	done();
}

static void a_page_fault_in_a_page_fault_is_a_double_fault(void **state)
{
	long_mode();
	idt_gate_long(8, HANDLER + 128, 0x8e, 2);
	cpu.gpr[MW_RSP] = 0x500000;
	CODE_AT(CODE, 0x8a, 0x04, 0x25, 0, 0, 0x40, 0);
	run_into(8);
	assert_int_equal(cpu.cr2, 0x500000 - 8);
	ASSERT_STACK(0xb000 - 48, 8, 0, CODE, CODE_0, 0x10202, 0x500000);
	done();
}

static void a_stack_that_is_not_canonical_is_ss(void **state)
{
	long_mode();
	idt_gate_long(12, HANDLER + 192, 0x8e, 2);
	cpu.gpr[MW_RSP] = UINT64_C(0x800000000000);
	CODE_AT(CODE, 0x8a, 0x04, 0x24); /* mov al, [rsp] */
	run_into(12);
	done();
}

static void long_call_gates_push_eight_bytes_each(void **state)
{
	long_mode();
	at_long_user_level();
	gate(GDT + GATE, CODE_0, HANDLER, 0xec, 0);
	put(GDT + GATE + 8, 0, 8);
	put(0x6000, UINT64_C(0x00380000dead), 8); /* offset, ignored, and selector */
	put(0x6004, GATE | 3, 2);
	CODE_AT(USER_CODE, 0xff, 0x1c, 0x25, 0x00, 0x60, 0, 0, 0x90);
	CODE_AT(HANDLER, 0x48, 0xcb);
	run(1);
	assert_int_equal(cpu.rip, HANDLER);
	assert_int_equal(cpu.segment[MW_SS].selector, 0);
	ASSERT_STACK(INNER_STACK - 32, 8, USER_CODE + 7, CODE_3, USER_STACK, DATA_3);
	run(1);
	assert_int_equal(cpu.rip, USER_CODE + 7);
	assert_int_equal(cpu.gpr[MW_RSP], USER_STACK);
	assert_int_equal(rig.cpu->cpl, 3);
	done();
}

static void iretq_enters_compatibility_mode(void **state)
{
	long_mode();
	descriptor(CODE_3, 0, 0xfffff, 0xc0fb);
	cpu.gpr[MW_RSP] = STACK - 40;
	put(STACK - 40, USER_CODE, 8);
	put(STACK - 32, CODE_3, 8);
	put(STACK - 24, 0x202, 8);
	put(STACK - 16, USER_STACK, 8);
	put(STACK - 8, DATA_3, 8);
	CODE_AT(CODE, 0x48, IRET);
	CODE_AT(USER_CODE, 0x50, 0xcc); /* push eax; int3 */
	idt_gate_long(3, HANDLER + 48, 0xee, 0);
	run_into(3);
	ASSERT_STACK(INNER_STACK - 40, 8, USER_CODE + 2, CODE_3, 0x202, USER_STACK - 4, DATA_3);
	done();
}

static void iretq_with_nt_faults(void **state)
{
	long_mode();
	cpu.rflags |= 0x4000;
	CODE_AT(CODE, 0x48, IRET);
	run_into(13);
	ASSERT_STACK(STACK - 48, 8, 0, CODE, CODE_0, 0x14202);
	done();
}

static void null_ss_is_for_supervisors_in_64_bit_mode(void **state)
{
	long_mode();
	CODE_AT(CODE, 0x8e, 0xd0, 0x50, HLT);
	run(3);
	assert_int_equal(cpu.segment[MW_SS].selector, 0);
	assert_int_equal(cpu.run, MW_CPU_HALTED);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 8);
	done();
	long_mode();
	at_long_user_level();
	CODE_AT(USER_CODE, 0x8e, 0xd0);
	run_into(13);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(null_selectors_load_and_fault_when_used),
		TEST(selectors_beyond_the_table_and_absent_segments_fault),
		TEST(loading_sets_the_accessed_bit),
		TEST(the_last_byte_has_to_be_within_the_limit),
		TEST(expand_down_segments_begin_above_their_limit),
		TEST(segments_are_written_and_read_by_their_type),
		TEST(mov_ss_holds_interrupts_back_and_mov_cs_is_undefined),
		TEST(lss_loads_both_at_once),
		TEST(a_gate_of_the_same_level_uses_the_stack),
		TEST(a_gate_to_level_0_takes_the_stack_of_the_tss),
		TEST(software_needs_the_privilege_of_the_gate),
		TEST(a_gate_of_16_bits_pushes_words),
		TEST(a_trap_follows_the_instruction_after_popf),
		TEST(no_trap_follows_an_interrupt_with_tf),
		TEST(an_nmi_masks_others_until_iret),
		TEST(icebp_needs_no_privilege_and_is_a_trap),
		TEST(iret_at_user_level_keeps_if_and_iopl),
		TEST(a_bad_stack_in_the_tss_is_ts),
		TEST(a_second_contributory_fault_is_a_double_fault),
		TEST(a_fault_after_a_benign_one_is_delivered_in_its_place),
		TEST(a_fault_in_the_double_fault_shuts_down),
		TEST(a_call_gate_copies_parameters_to_the_inner_stack),
		TEST(a_jump_through_a_call_gate_stays_at_its_level),
		TEST(long_interrupts_align_the_stack_and_push_all),
		TEST(long_interrupts_from_user_level_and_back),
		TEST(an_interrupt_stack_is_used_at_any_level),
		TEST(a_page_fault_in_a_page_fault_is_a_double_fault),
		TEST(a_stack_that_is_not_canonical_is_ss),
		TEST(long_call_gates_push_eight_bytes_each),
		TEST(iretq_enters_compatibility_mode),
		TEST(iretq_with_nt_faults),
		TEST(null_ss_is_for_supervisors_in_64_bit_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
