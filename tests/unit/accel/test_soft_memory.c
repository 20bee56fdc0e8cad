/* The software CPU's accesses to memory, run as guest code: pages that are crossed, addresses that are not
 * canonical or not aligned, what lies over memory. References: SDM vol. 1, 3.3.7.1; SDM vol. 3, 6.15, 11.4. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/soft/memory/memory.h"

#include "soft_paging_bench.h"

enum { PAGE_FAULT = 14, GENERAL = 13, STACK_FAULT = 12, ALIGNMENT = 17 };

/* Accesses across pages. */

static void a_store_across_pages_is_whole_or_not_at_all(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P | W);
	put(FRAME + 0xff8, 0x1111111111111111, 8);
	CODE_AT(CODE, 0x48, 0x89, 0x03); /* mov [rbx], rax */
	cpu.gpr[MW_RBX] = LINEAR + 0xffd;
	cpu.gpr[MW_RAX] = UINT64_C(0x8877665544332211);
	assert_int_equal(attempt(false), PAGE_FAULT);
	assert_int_equal(top(), 2);
	assert_int_equal(cpu.cr2, LINEAR + PAGE);
	assert_true(get(FRAME + 0xff8, 8) == 0x1111111111111111);
	expect_bits(LINEAR, 2, 1, 0);
	set_entry(LINEAR + PAGE, 1, 0x210000 | P | W);
	assert_int_equal(attempt(false), NO_VECTOR);
	assert_int_equal(get(FRAME + 0xffd, 3), 0x332211);
	assert_true(get(0x210000, 5) == UINT64_C(0x8877665544));
	expect_bits(LINEAR, 2, 1, A | D);
	expect_bits(LINEAR + PAGE, 2, 1, A | D);
	set_entry(LINEAR, 1, FRAME | P);
	set_entry(LINEAR + PAGE, 1, 0x210000 | P | W);
	assert_int_equal(attempt(false), PAGE_FAULT);
	assert_int_equal(top(), 3);
	assert_int_equal(cpu.cr2, LINEAR + 0xffd);
	expect_bits(LINEAR + PAGE, 1, 1, 0);
	set_entry(LINEAR + PAGE, 1, 0);
	assert_int_equal(attempt(false), PAGE_FAULT);
	assert_int_equal(cpu.cr2, LINEAR + 0xffd); /* the first of two */
	done();
}

/* SDM vol. 1, 3.3.7: 32-bit addresses wrap at 4 GiB, of the stack as well. */
static void flat_addresses_wrap_at_4_gib(void **state)
{
	protected_mode();
	put(FRAME, 0x11223344, 4);
	/* mov eax, [ebx+FRAME+1000]; mov [ebx+FRAME+1004], eax; mov ecx, [edx-8] */
	CODE_AT(CODE, 0x8b, 0x83, 0, 0x10, FRAME >> 16, 0, 0x89, 0x83, 4, 0x10, FRAME >> 16, 0,
		0x8b, 0x4a, 0xf8);
	cpu.gpr[MW_RBX] = 0xfffff000;
	cpu.gpr[MW_RDX] = 4;
	run(3);
	assert_int_equal(cpu.gpr[MW_RAX], 0x11223344);
	assert_int_equal(get(FRAME + 4, 4), 0x11223344);
	assert_int_equal(cpu.gpr[MW_RCX], 0xffffffff); /* nothing is at fffffffc */
	done();
	protected_mode();
	CODE_AT(CODE, 0x50, 0x5b); /* push eax; pop ebx */
	cpu.gpr[MW_RSP] = 0;
	run(1);
	assert_true(cpu.gpr[MW_RSP] == 0xfffffffc);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0);
	assert_int_equal(cpu.gpr[MW_RBX], 0xffffffff);
	done();
}

static void a_load_across_pages_takes_both(void **state)
{
	paged(PAGING_32);
	set_entry(LINEAR, 1, FRAME | P);
	set_entry(LINEAR + PAGE, 1, 0x210000 | P);
	put(FRAME + 0xffe, 0x2211, 2);
	put(0x210000, 0x4433, 2);
	assert_int_equal(access_at(LINEAR + 0xffe, READ, false), NONE);
	assert_int_equal(cpu.gpr[MW_RAX], 0x44332211);
	expect_bits(LINEAR, 2, 1, A);
	expect_bits(LINEAR + PAGE, 2, 1, A);
	done();
}

static void pushes_of_all_registers_are_whole_or_not_at_all(void **state)
{
	paged(PAGING_32);
	set_entry(LINEAR, 1, 0x210000 | P | U);
	set_entry(LINEAR + PAGE, 1, FRAME | P | W | U);
	CODE_AT(USER_CODE, 0x60);
	put(FRAME, 0x7777, 8);
	at_paged_user_level();
	cpu.gpr[MW_RSP] = LINEAR + PAGE + 8;
	run(1);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(top(), 7);
	assert_in_range(cpu.cr2, LINEAR + PAGE - 24, LINEAR + PAGE - 1);
	assert_int_equal(get(FRAME, 8), 0x7777);
	ASSERT_STACK(cpu.gpr[MW_RSP] + 16, 4, LINEAR + PAGE + 8);
	done();
}

/* Linear addresses of 32 bits begin again behind 4 GiB. */
static void accesses_wrap_at_4_gib(void **state)
{
	paged(PAGING_32);
	set_entry(0xfffff000, 1, FRAME | P | W);
	set_entry(0, 1, 0x210000 | P | W);
	cpu.gpr[MW_RAX] = 0x44332211;
	assert_int_equal(access_at(0xfffffffe, WRITE, false), NONE);
	assert_int_equal(get(FRAME + 0xffe, 2), 0x2211);
	assert_int_equal(get(0x210000, 2), 0x4433);
	cpu.gpr[MW_RAX] = 0;
	assert_int_equal(access_at(0xfffffffe, READ, false), NONE);
	assert_int_equal(cpu.gpr[MW_RAX], 0x44332211);
	set_entry(0, 1, 0);
	cpu.cr2 = 0x7777;
	assert_int_equal(access_at(0xfffffffe, READ, false), 0);
	assert_int_equal(cpu.cr2, 0);
	done();
}

/* SDM vol. 1, 3.3.7.1: canonical form. */

static void check_canonical(const uint8_t *bytes, unsigned count, int wanted)
{
	soft_rig_write(&rig, CODE, bytes, count);
	prepare(false);
	cpu.gpr[MW_RBX] = cpu.gpr[MW_RBP] = UINT64_C(0x800000001000);
	cpu.gpr[MW_RSP] = UINT64_C(0x800000001000);
	run(1);
	assert_int_equal(vector(), wanted);
	assert_int_equal(top(), 0);
	ASSERT_STACK(cpu.gpr[MW_RSP] + 8, 8, CODE);
}

static void addresses_that_are_not_canonical_fault_by_their_segment(void **state)
{
	static const struct {
		uint8_t bytes[8];
		int vector;
	} rows[] = {
		{ { 0x8b, 0x03 }, GENERAL },             /* mov eax, [rbx] */
		{ { 0x89, 0x03 }, GENERAL },             /* mov [rbx], eax */
		{ { 0x01, 0x03 }, GENERAL },             /* add [rbx], eax */
		{ { 0x8b, 0x04, 0x24 }, STACK_FAULT },   /* mov eax, [rsp] */
		{ { 0x8b, 0x45, 0x00 }, STACK_FAULT },   /* mov eax, [rbp] */
		{ { 0x50 }, STACK_FAULT },               /* push rax */
		{ { 0x58 }, STACK_FAULT },               /* pop rax */
		{ { 0x6a, 0x01 }, STACK_FAULT },         /* push 1 */
		{ { 0x9c }, STACK_FAULT },               /* pushfq */
		{ { 0xc3 }, STACK_FAULT },               /* ret */
		{ { 0xc9 }, STACK_FAULT },               /* leave */
		{ { 0xe8, 0, 0, 0, 0 }, STACK_FAULT },   /* call */
		{ { 0xff, 0xd6 }, STACK_FAULT },         /* call rsi */
		{ { 0xff, 0xf0 }, STACK_FAULT },         /* push rax, the long way */
		{ { 0xff, 0x16 }, STACK_FAULT },         /* call [rsi] */
		{ { 0xff, 0x13 }, GENERAL },             /* call [rbx] */
		{ { 0xff, 0x33 }, GENERAL },             /* push [rbx] */
		{ { 0x8f, 0x06 }, STACK_FAULT },         /* pop [rsi] */
		{ { 0x64, 0x8b, 0x03 }, GENERAL },       /* mov eax, fs:[rbx] */
		{ { 0x0f, 0x10, 0x03 }, GENERAL },       /* movups xmm0, [rbx] */
		{ { 0x0f, 0x10, 0x45, 0 }, STACK_FAULT } /* movups xmm0, [rbp] */
	};

	paged(PAGING_LONG);
	cpu.cr4 |= 0x200;
	/* The handlers have a stack of their own. */
	for (unsigned i = 12; i < 14; i++)
		put(IDT + i * 16 + 4, 1, 1);
	put(TSS + 36, IST_STACK - 8, 8);
	put(FRAME, CODE, 8);
	cpu.gpr[MW_RSI] = FRAME;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_canonical(rows[i].bytes, 8, rows[i].vector);
	done();
}

static void the_last_byte_counts_for_canonical_form_too(void **state)
{
	paged(PAGING_LONG);
	set_entry(UINT64_C(0x7ffffffff000), 1, FRAME | P | W);
	assert_int_equal(access_at(UINT64_C(0x7ffffffffffc), WRITE, false), NONE);
	assert_int_equal(access_at(UINT64_C(0x7ffffffffffd), WRITE, false), OTHER);
	assert_int_equal(vector(), GENERAL);
	done();
}

static void branches_to_what_is_not_canonical_fault_where_they_are(void **state)
{
	paged(PAGING_LONG);
	CODE_AT(CODE, 0xff, 0xe3); /* jmp rbx */
	cpu.gpr[MW_RBX] = UINT64_C(0x800000000000);
	assert_int_equal(attempt(false), GENERAL);
	ASSERT_STACK(cpu.gpr[MW_RSP] + 8, 8, CODE);
	done();
}

static void code_may_not_run_over_the_end_of_the_lower_half(void **state)
{
	paged(PAGING_LONG);
	set_entry(UINT64_C(0x7ffffffff000), 1, FRAME | P);
	set_entry(UINT64_C(0xffff800000000000), 1, FRAME_2 | P);
	put(FRAME + 0xfff, 0xb0, 1); /* mov al, imm8 */
	CODE_AT(FRAME_2, 0x05, HLT);
	prepare(false);
	cpu.rip = UINT64_C(0x7fffffffffff);
	run(1);
	assert_int_equal(vector(), GENERAL);
	put(FRAME + 0xfff, 0x90, 1);
	prepare(false);
	cpu.rip = UINT64_C(0x7fffffffffff);
	run(2); /* the NOP runs; what follows it is nowhere */
	assert_int_equal(vector(), GENERAL);
	assert_true(get(cpu.gpr[MW_RSP] + 8, 8) == UINT64_C(0x800000000000));
	done();
}

/* 6.15, interrupt 17: alignment. */

static void check_alignment(enum paging mode)
{
	paged(mode);
	cpu.cr0 |= 0x40000;
	/* mov eax, [rbx]; mov eax, [rcx], which is not aligned */
	CODE_AT(USER_CODE, 0x8b, 0x03, 0x8b, 0x01);
	at_paged_user_level();
	cpu.rflags |= 0x40000;
	cpu.gpr[MW_RBX] = FRAME;
	cpu.gpr[MW_RCX] = FRAME + 2;
	run(2);
	assert_int_equal(vector(), ALIGNMENT);
	assert_int_equal(top(), 0);
	CODE_AT(USER_CODE, 0x66, 0x8b, 0x01, 0x8a, 0x41, 0x01, 0x89, 0x01);
	at_paged_user_level();
	cpu.rflags = 0x40202;
	run(2);
	assert_int_equal(cpu.rip, USER_CODE + 6); /* words at 2, bytes anywhere */
	go_on(1);
	assert_int_equal(vector(), ALIGNMENT);
	done();
}

static void users_with_ac_access_what_is_aligned(void **state)
{
	check_alignment(PAGING_LONG);
	check_alignment(PAGING_32);
}

static void ac_counts_with_am_at_user_level_only(void **state)
{
	paged(PAGING_LONG);
	CODE_AT(USER_CODE, 0x8b, 0x01, 0x8b, 0x01, HLT);
	at_paged_user_level();
	cpu.rflags |= 0x40000;
	cpu.gpr[MW_RCX] = FRAME + 1;
	run(2); /* no AM */
	assert_int_equal(cpu.rip, USER_CODE + 4);
	cpu.cr0 |= 0x40000;
	cpu.rflags = 0x202;
	cpu.rip = USER_CODE;
	run(2); /* no AC */
	assert_int_equal(cpu.rip, USER_CODE + 4);
	prepare(false);
	cpu.rip = USER_CODE;
	cpu.rflags |= 0x40000;
	run(2); /* no user */
	assert_int_equal(cpu.rip, USER_CODE + 4);
	done();
}

/* Whoever sets AC is checked from the next instruction on. */
static void popf_and_iret_turn_the_check_on(void **state)
{
	paged(PAGING_32);
	cpu.cr0 |= 0x40000;
	/* mov eax, [ecx]; push 40202; popf; mov eax, [ecx] */
	CODE_AT(USER_CODE, 0x8b, 0x01, 0x68, 0x02, 0x02, 0x04, 0x00, 0x9d, 0x8b, 0x01);
	at_paged_user_level();
	cpu.gpr[MW_RCX] = FRAME + 1;
	run(1);
	go_on(3);
	assert_int_equal(vector(), ALIGNMENT);
	/* mov eax, [ecx]; iret, to: mov eax, [ecx] */
	CODE_AT(USER_CODE, 0x8b, 0x01, 0xcf, 0x8b, 0x01);
	at_paged_user_level();
	cpu.rflags = 0x202;
	put(USER_STACK - 12, USER_CODE + 3, 4);
	put(USER_STACK - 8, CODE_3, 4);
	put(USER_STACK - 4, 0x40202, 4);
	cpu.gpr[MW_RSP] = USER_STACK - 12;
	run(1);
	go_on(2);
	assert_int_equal(vector(), ALIGNMENT);
	done();
}

static void the_stack_has_to_be_aligned_too(void **state)
{
	static const uint8_t rows[][2] = { { 0x50, 0 }, { 0x58, 0 }, { 0xc3, 0 }, { 0x9c, 0 } };

	for (enum paging mode = PAGING_32; mode <= PAGING_LONG; mode += 2) {
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			paged(mode);
			cpu.cr0 |= 0x40000;
			soft_rig_write(&rig, USER_CODE, rows[i], 2);
			at_paged_user_level();
			cpu.rflags |= 0x40000;
			cpu.gpr[MW_RSP] = USER_STACK - 0x42;
			run(1);
			assert_int_equal(vector(), ALIGNMENT);
			done();
		}
	}
}

/* The local APIC's page lies over whatever memory is there. */
static void the_apic_covers_memory_and_moves(void **state)
{
	enum { VERSION = 0x30, SPURIOUS = 0xf0 };

	paged(PAGING_LONG);
	cpu.apic_base = FRAME | 0x900;
	put(FRAME + VERSION, 0x11112222, 4);
	put(FRAME + SPURIOUS, 0x33334444, 4);
	put(FRAME_2 + VERSION, 0x55556666, 4);
	set_entry(LINEAR, 1, FRAME | P | W);
	set_entry(LINEAR + PAGE, 1, FRAME_2 | P | W);
	/* mov r9d, [rbx+1030]; mov edi, [rbx+30]; mov [rbx+f0], esi; mov ebp, [rbx+f0] */
	CODE_AT(CODE, 0x44, 0x8b, 0x8b, VERSION, 0x10, 0, 0, 0x8b, 0x7b, VERSION, 0x89, 0xb3,
		SPURIOUS, 0, 0, 0, 0x8b, 0xab, SPURIOUS, 0, 0, 0);
	/* wrmsr; mov r8d, [rbx+30]; mov ebx, [rbx+1030] */
	CODE_AT(CODE + 22, 0x0f, 0x30, 0x44, 0x8b, 0x43, VERSION, 0x8b, 0x9b, VERSION, 0x10, 0, 0);
	cpu.gpr[MW_RBX] = LINEAR;
	cpu.gpr[MW_RSI] = 0x1ff;
	cpu.gpr[MW_RCX] = 0x1b;
	cpu.gpr[MW_RAX] = FRAME_2 | 0x900;
	cpu.gpr[MW_RDX] = 0;
	run(4);
	assert_int_equal(cpu.gpr[MW_R9], 0x55556666);
	assert_int_equal(cpu.gpr[MW_RDI] & 0xff, 0x14); /* the version of xAPICs */
	assert_int_equal(cpu.gpr[MW_RBP], 0x1ff);
	assert_int_equal(get(FRAME + SPURIOUS, 4), 0x33334444);
	go_on(3);
	assert_int_equal(cpu.gpr[MW_R8], 0x11112222);
	assert_int_equal(cpu.gpr[MW_RBX] & 0xff, 0x14);
	done();
}

/* A page table is memory like any other, and code in one that is marked accessed is decoded anew. */
static void tables_in_device_space_are_read_and_harm_nobody(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 2, UINT64_C(0x8000000000) | P | W | U);
	/* Nothing is there: all ones, whose reserved bits fault. */
	assert_int_equal(access_at(LINEAR, READ, false), 9);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_store_across_pages_is_whole_or_not_at_all),
		TEST(a_load_across_pages_takes_both),
		TEST(flat_addresses_wrap_at_4_gib),
		TEST(pushes_of_all_registers_are_whole_or_not_at_all),
		TEST(accesses_wrap_at_4_gib),
		TEST(addresses_that_are_not_canonical_fault_by_their_segment),
		TEST(the_last_byte_counts_for_canonical_form_too),
		TEST(branches_to_what_is_not_canonical_fault_where_they_are),
		TEST(code_may_not_run_over_the_end_of_the_lower_half),
		TEST(users_with_ac_access_what_is_aligned),
		TEST(ac_counts_with_am_at_user_level_only),
		TEST(popf_and_iret_turn_the_check_on),
		TEST(the_stack_has_to_be_aligned_too),
		TEST(the_apic_covers_memory_and_moves),
		TEST(tables_in_device_space_are_read_and_harm_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
