/* The software CPU's stack instructions, run as guest code. References: SDM vol. 1, chapter 6; SDM vol. 2: PUSH,
 * POP, PUSHA, POPA, PUSHF, POPF, ENTER, LEAVE, CALL, RET. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "soft_paging_bench.h"

enum { STACK_FAULT = 12, GENERAL = 13, PAGE_FAULT = 14 };

/* Real mode, with code at CODE and the stack segment at 0. */
static void real_mode(void)
{
	soft_rig_create(&rig);
	cpu = rig.reset_state;
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		cpu.segment[i] = soft_rig_segment(0, 0, 0xffff, 0x93);
	cpu.segment[MW_CS].base = CODE;
	cpu.rip = 0;
	cpu.rflags = 2;
	cpu.gpr[MW_RSP] = 0xabcd8000;
}

/* 6.2: pushes and pops by width. */

static void words_doublewords_and_quadwords(void **state)
{
	protected_mode();
	cpu.gpr[MW_RAX] = 0x11223344;
	/* push eax; push ax; pop bx; pop ecx */
	CODE_AT(CODE, 0x50, 0x66, 0x50, 0x66, 0x5b, 0x59);
	cpu.gpr[MW_RBX] = 0xaaaaaaaa;
	run(2);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 6);
	ASSERT_STACK(STACK - 6, 2, 0x3344, 0x3344, 0x1122);
	go_on(2);
	assert_int_equal(cpu.gpr[MW_RBX], 0xaaaa3344);
	assert_int_equal(cpu.gpr[MW_RCX], 0x11223344);
	assert_int_equal(cpu.gpr[MW_RSP], STACK);
	done();
	paged(PAGING_LONG);
	cpu.gpr[MW_RAX] = UINT64_C(0x1122334455667788);
	cpu.gpr[MW_R9] = UINT64_C(0xaaaaaaaaaaaaaaaa);
	/* push rax; push ax; pop r9w; pop r10 */
	CODE_AT(CODE, 0x50, 0x66, 0x50, 0x66, 0x41, 0x59, 0x41, 0x5a);
	run(4);
	assert_true(cpu.gpr[MW_R9] == UINT64_C(0xaaaaaaaaaaaa7788));
	assert_true(cpu.gpr[MW_R10] == UINT64_C(0x1122334455667788));
	assert_int_equal(cpu.gpr[MW_RSP], STACK);
	done();
}

static void immediates_are_sign_extended(void **state)
{
	paged(PAGING_LONG);
	/* push -2; push 80000000; push word 8000; push word -1 */
	CODE_AT(CODE, 0x6a, 0xfe, 0x68, 0, 0, 0, 0x80, 0x66, 0x68, 0x00, 0x80, 0x66, 0x6a, 0xff);
	run(4);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 20);
	assert_true(get(STACK - 8, 8) == UINT64_C(0xfffffffffffffffe));
	assert_true(get(STACK - 16, 8) == UINT64_C(0xffffffff80000000));
	assert_int_equal(get(STACK - 18, 2), 0x8000);
	assert_int_equal(get(STACK - 20, 2), 0xffff);
	done();
}

static void the_stack_pointer_pushes_its_old_value_and_pops_the_new(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x54, 0x5c, 0x54, 0x66, 0x5c); /* push esp; pop esp; push esp; pop sp */
	run(1);
	assert_int_equal(get(STACK - 4, 4), STACK);
	put(STACK - 4, 0x7770, 4);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0x7770);
	go_on(2);
	assert_int_equal(cpu.gpr[MW_RSP], 0x7770);
	done();
}

/* POP: an address with ESP in it is worked out after the pop. */
static void pop_to_memory_uses_the_new_pointer(void **state)
{
	protected_mode();
	put(STACK, 0x12345678, 4);
	CODE_AT(CODE, 0x8f, 0x44, 0x24, 0x08); /* pop [esp + 8] */
	run(1);
	assert_int_equal(get(STACK + 12, 4), 0x12345678);
	assert_int_equal(cpu.gpr[MW_RSP], STACK + 4);
	done();
	paged(PAGING_LONG);
	put(STACK, UINT64_C(0x123456789abcdef0), 8);
	CODE_AT(CODE, 0x8f, 0x44, 0x24, 0x08);
	run(1);
	assert_true(get(STACK + 16, 8) == UINT64_C(0x123456789abcdef0));
	assert_int_equal(cpu.gpr[MW_RSP], STACK + 8);
	done();
}

static void push_from_memory_uses_the_old_pointer(void **state)
{
	protected_mode();
	put(STACK + 8, 0x12345678, 4);
	CODE_AT(CODE, 0xff, 0x74, 0x24, 0x08); /* push [esp + 8] */
	run(1);
	assert_int_equal(get(STACK - 4, 4), 0x12345678);
	done();
}

static void segments_are_pushed_by_their_selector(void **state)
{
	protected_mode();
	put(STACK - 4, 0xaaaaaaaa, 4);
	CODE_AT(CODE, 0x1e, 0x66, 0x06, 0x66, 0x0f, 0xa9,
		0x07); /* push ds; push es (16); pop gs; pop es */
	run(2);
	assert_int_equal(get(STACK - 4, 2), DATA_0); /* the upper half: see SDM vol. 2, PUSH */
	assert_int_equal(get(STACK - 6, 2), DATA_0);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 6);
	put(STACK - 6, SMALL, 2);
	go_on(2);
	assert_int_equal(cpu.segment[MW_GS].base, 0x5000);
	assert_int_equal(cpu.gpr[MW_RSP], STACK);
	done();
}

/* The pointer's width is the stack segment's, whatever the operand's. */

static void a_16_bit_stack_wraps_and_keeps_the_upper_half(void **state)
{
	real_mode();
	cpu.gpr[MW_RSP] = 0xabcd0000;
	CODE_AT(CODE, 0x50, 0x66, 0x50); /* push ax; push eax */
	cpu.gpr[MW_RAX] = 0x11223344;
	run(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0xabcdfffe);
	assert_int_equal(get(0xfffe, 2), 0x3344);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0xabcdfffa);
	assert_int_equal(get(0xfffa, 4), 0x11223344);
	done();
	protected_mode();
	cpu.segment[MW_SS].attributes = 0x8093; /* 16 bits */
	cpu.gpr[MW_RSP] = 0x12348000;
	CODE_AT(CODE, 0x50, 0x5b);
	run(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0x12347ffc);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0x12348000);
	done();
}

static void an_element_does_not_wrap(void **state)
{
	real_mode();
	put(12 * 4, 0x02000000, 4);
	cpu.gpr[MW_RSP] = 0x8001;
	CODE_AT(CODE, 0x89, 0xdc, 0x50); /* mov sp, bx; push ax */
	cpu.gpr[MW_RBX] = 1;
	run(2); /* the first byte would be at ffff; the frame does not fit either */
	assert_true(rig.cpu->shutdown);
	done();
}

static void pushes_beyond_the_limit_are_ss_and_change_nothing(void **state)
{
	static const uint8_t rows[][8] = {
		{ 0x50 },
		{ 0x6a, 0x01 },
		{ 0x9c },
		{ 0x60 },
		{ 0x1e },
		{ 0xe8 },
		{ 0xff, 0x35 },
		{ 0xc8, 0, 0, 0 },
		{ 0xff, 0xd0 },
		{ 0x0f, 0xa0 },
		{ 0x9a, 0, 0, 0, 0, CODE_3 },
	};

	protected_mode();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		soft_rig_write(&rig, USER_CODE, rows[i], 8);
		at_user_level();
		cpu.rflags = 0x202;
		cpu.segment[MW_SS].limit = 0x8fff;
		cpu.gpr[MW_RSP] = USER_STACK + 2;
		run(1);
		assert_int_equal(vector(), STACK_FAULT);
		assert_int_equal(top(), 0);
		ASSERT_STACK(cpu.gpr[MW_RSP] + 4, 4, USER_CODE, CODE_3, 0x10202, USER_STACK + 2);
	}
	done();
}

static void pops_beyond_the_limit_are_ss_and_change_nothing(void **state)
{
	static const uint8_t rows[][8] = {
		{ 0x58 }, { 0x61 }, { 0x9d },       { 0x1f },       { 0xc3 },
		{ 0xcb }, { 0xcf }, { 0x0f, 0xa1 }, { 0xc2, 4, 0 }, { 0x8f, 0x05, 0, 0x60, 0, 0 },
	};

	protected_mode();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		soft_rig_write(&rig, USER_CODE, rows[i], 8);
		at_user_level();
		cpu.rflags = 0x202;
		cpu.segment[MW_SS].limit = 0x8fff;
		cpu.gpr[MW_RSP] = 0x8ffe;
		run(1);
		assert_int_equal(vector(), STACK_FAULT);
		ASSERT_STACK(cpu.gpr[MW_RSP] + 4, 4, USER_CODE, CODE_3, 0x10202, 0x8ffe);
	}
	done();
}

static void a_pop_whose_store_faults_leaves_the_pointer(void **state)
{
	for (enum paging mode = PAGING_32; mode <= PAGING_LONG; mode += 2) {
		paged(mode);
		CODE_AT(USER_CODE, 0x8f, 0x03); /* pop [ebx] */
		cpu.gpr[MW_RBX] = LINEAR;
		assert_int_equal(attempt(true), PAGE_FAULT);
		assert_int_equal(top(), 6);
		if (mode == PAGING_LONG)
			assert_int_equal(get(cpu.gpr[MW_RSP] + 32, 8), USER_STACK);
		else
			assert_int_equal(get(cpu.gpr[MW_RSP] + 16, 4), USER_STACK);
		done();
	}
}

/* PUSHA, POPA. */

static void all_registers_at_once(void **state)
{
	protected_mode();
	for (unsigned i = 0; i < 8; i++)
		if (i != MW_RSP)
			cpu.gpr[i] = 0x11110000 + i;
	CODE_AT(CODE, 0x60, 0x61, 0x66, 0x60, 0x66, 0x61);
	run(1);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 32);
	ASSERT_STACK(STACK - 32, 4, 0x11110007, 0x11110006, 0x11110005, STACK, 0x11110003,
		     0x11110002, 0x11110001, 0x11110000);
	for (unsigned i = 0; i < 8; i++)
		put(STACK - 32 + 4 * i, 0x22220000 + i, 4);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RSP], STACK); /* its own is skipped */
	assert_int_equal(cpu.gpr[MW_RDI], 0x22220000);
	assert_int_equal(cpu.gpr[MW_RAX], 0x22220007);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 16);
	ASSERT_STACK(STACK - 16, 2, 0, 1, 2, STACK, 4, 5, 6, 7);
	put(STACK - 2, 0x3333, 2);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RAX], 0x22223333);
	done();
}

/* PUSHF, POPF. */

static void flags_are_pushed_without_rf_and_vm(void **state)
{
	protected_mode();
	cpu.rflags = 0x254ed7;
	CODE_AT(CODE, 0x9c, 0x66, 0x9c);
	run(2);
	assert_int_equal(get(STACK - 4, 4), 0x244ed7);
	assert_int_equal(get(STACK - 6, 2), 0x4ed7);
	done();
}

static uint64_t pop_flags(bool user, uint64_t before, uint64_t image)
{
	prepare(user);
	put(user ? USER_CODE : CODE, 0x9d, 1);
	cpu.rflags = before;
	cpu.gpr[MW_RSP] -= 8;
	put((uint32_t)cpu.gpr[MW_RSP], image, 8);
	run(1);
	assert_int_equal(vector(), NO_VECTOR);
	return cpu.rflags;
}

static void popf_changes_what_the_level_allows(void **state)
{
	for (unsigned wide = 0; wide < 2; wide++) {
		if (wide)
			paged(PAGING_LONG);
		else
			protected_mode();
		/* All but TF, which the debug tests have. */
		assert_int_equal(pop_flags(false, 2, 0xfffffeff), 0x247ed7);
		assert_int_equal(pop_flags(false, 0x247ed7, 0), 2);
		assert_int_equal(pop_flags(true, 2, 0xfffffeff), 0x244cd7);
		assert_int_equal(pop_flags(true, 0x3202, 0), 0x3002); /* IOPL 3 lets IF go */
		assert_int_equal(pop_flags(true, 0x1202, 0), 0x1202);
		assert_int_equal(pop_flags(false, 0x180002, 0), 0x180002); /* VIP, VIF stay */
		done();
	}
}

/* ENTER, LEAVE. */

static void frames_are_made_and_left(void **state)
{
	protected_mode();
	cpu.gpr[MW_RBP] = 0x7777;
	CODE_AT(CODE, 0xc8, 0x10, 0x00, 0x00, 0xc9); /* enter 16, 0; leave */
	run(1);
	assert_int_equal(cpu.gpr[MW_RBP], STACK - 4);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 20);
	assert_int_equal(get(STACK - 4, 4), 0x7777);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RBP], 0x7777);
	assert_int_equal(cpu.gpr[MW_RSP], STACK);
	done();
	paged(PAGING_LONG);
	cpu.gpr[MW_RBP] = 0x7777;
	CODE_AT(CODE, 0xc8, 0x10, 0x00, 0x00, 0xc9);
	run(1);
	assert_int_equal(cpu.gpr[MW_RBP], STACK - 8);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 24);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RBP], 0x7777);
	assert_int_equal(cpu.gpr[MW_RSP], STACK);
	done();
}

/* Nested ones have the frame pointers of those around them: level 3 has two of them and its own. */
static void nested_frames_copy_the_display(void **state)
{
	protected_mode();
	cpu.gpr[MW_RBP] = 0x6100;
	put(0x60fc, 0x1111, 4);
	put(0x60f8, 0x2222, 4);
	CODE_AT(CODE, 0xc8, 0x08, 0x00, 0x03);
	run(1);
	ASSERT_STACK(STACK - 16, 4, STACK - 4, 0x2222, 0x1111, 0x6100);
	assert_int_equal(cpu.gpr[MW_RBP], STACK - 4);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 24);
	CODE_AT(CODE, 0xc8, 0x00, 0x00, 0x21); /* of the level five bits count */
	cpu.rip = CODE;
	cpu.gpr[MW_RBP] = 0x6100;
	cpu.gpr[MW_RSP] = STACK;
	run(1);
	ASSERT_STACK(STACK - 8, 4, STACK - 4, 0x6100);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 8);
	done();
}

static void a_frame_needs_a_writable_end(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P | U);
	set_entry(LINEAR + PAGE, 1, FRAME_2 | P | W | U);
	CODE_AT(USER_CODE, 0xc8, 0x20, 0x00, 0x00);
	prepare(true);
	cpu.gpr[MW_RSP] = LINEAR + PAGE + 0x10;
	cpu.gpr[MW_RBP] = 0x7777;
	run(1);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(top(), 7);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 32, 8), LINEAR + PAGE + 0x10);
	assert_int_equal(cpu.gpr[MW_RBP], 0x7777);
	done();
}

static void frames_of_16_bits_keep_the_upper_half(void **state)
{
	real_mode();
	cpu.gpr[MW_RBP] = 0x12347777;
	CODE_AT(CODE, 0xc8, 0x10, 0x00, 0x00, 0xc9);
	run(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0xabcd7fee);
	assert_int_equal(cpu.gpr[MW_RBP], 0x12347ffe);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RSP], 0xabcd8000);
	assert_int_equal(cpu.gpr[MW_RBP], 0x12347777);
	done();
}

/* CALL, RET. */

static void calls_push_the_way_back(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xe8, 0x0b, 0, 0, 0);
	CODE_AT(CODE + 0x10, 0xc2, 0x08, 0x00); /* ret 8 */
	run(1);
	assert_int_equal(top(), CODE + 5);
	go_on(1);
	assert_int_equal(cpu.rip, CODE + 5);
	assert_int_equal(cpu.gpr[MW_RSP], STACK + 8);
	done();
	protected_mode();
	CODE_AT(CODE, 0x66, 0xe8, 0x00, 0x00); /* a call of 16 bits cuts EIP */
	run(1);
	assert_int_equal(cpu.rip, (CODE + 4) & 0xffff);
	assert_int_equal(cpu.gpr[MW_RSP], STACK - 2);
	done();
	paged(PAGING_LONG);
	CODE_AT(CODE, 0x66, 0xe8, 0x0a, 0, 0, 0); /* in 64-bit mode it does not */
	run(1);
	assert_int_equal(cpu.rip, CODE + 0x10);
	assert_int_equal(get(STACK - 8, 8), CODE + 6);
	done();
}

static void a_call_that_cannot_push_does_not_go(void **state)
{
	paged(PAGING_LONG);
	CODE_AT(USER_CODE, 0xe8, 0x10, 0, 0, 0);
	prepare(true);
	cpu.gpr[MW_RSP] = LINEAR + PAGE;
	run(1);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(cpu.cr2, LINEAR + PAGE - 8);
	ASSERT_STACK(cpu.gpr[MW_RSP], 8, 6, USER_CODE, CODE_3, 0x10202, LINEAR + PAGE);
	done();
}

static void transfers_stay_within_the_code_segment(void **state)
{
	static const uint8_t rows[][8] = {
		{ 0xe9, 0, 0, 0x10, 0 },          /* jmp */
		{ 0xe8, 0, 0, 0x10, 0 },          /* call */
		{ 0xff, 0xe0 },                   /* jmp eax */
		{ 0xff, 0xd0 },                   /* call eax */
		{ 0xc3 },                         /* ret */
		{ 0x0f, 0x85, 0, 0, 0x10, 0 },    /* jnz */
		{ 0xff, 0x25, 0x00, 0x60, 0, 0 }, /* jmp [6000] */
	};

	protected_mode();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		soft_rig_write(&rig, USER_CODE, rows[i], 8);
		at_user_level();
		cpu.rflags = 0x202;
		cpu.segment[MW_CS].limit = 0x1ffff;
		cpu.gpr[MW_RAX] = 0x20000;
		put(0x6000, 0x20000, 4);
		put(USER_STACK, 0x20000, 4);
		run(1);
		assert_int_equal(vector(), GENERAL);
		ASSERT_STACK(cpu.gpr[MW_RSP], 4, 0, USER_CODE, CODE_3, 0x10202, USER_STACK);
	}
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words_doublewords_and_quadwords),
		TEST(immediates_are_sign_extended),
		TEST(the_stack_pointer_pushes_its_old_value_and_pops_the_new),
		TEST(pop_to_memory_uses_the_new_pointer),
		TEST(push_from_memory_uses_the_old_pointer),
		TEST(segments_are_pushed_by_their_selector),
		TEST(a_16_bit_stack_wraps_and_keeps_the_upper_half),
		TEST(an_element_does_not_wrap),
		TEST(pushes_beyond_the_limit_are_ss_and_change_nothing),
		TEST(pops_beyond_the_limit_are_ss_and_change_nothing),
		TEST(a_pop_whose_store_faults_leaves_the_pointer),
		TEST(all_registers_at_once),
		TEST(flags_are_pushed_without_rf_and_vm),
		TEST(popf_changes_what_the_level_allows),
		TEST(frames_are_made_and_left),
		TEST(nested_frames_copy_the_display),
		TEST(a_frame_needs_a_writable_end),
		TEST(frames_of_16_bits_keep_the_upper_half),
		TEST(calls_push_the_way_back),
		TEST(a_call_that_cannot_push_does_not_go),
		TEST(transfers_stay_within_the_code_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
