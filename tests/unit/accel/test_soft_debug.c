/* The software CPU's breakpoints and single step, run as guest code. References: SDM vol. 3, 18.2 and 18.3
 * (debug exceptions), 6.8.3 (MOV SS). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "soft_paging_bench.h"

enum { DEBUG = 1, TF = 0x100, RF = 0x10000 };
enum { BD = 0x2000, BS = 0x4000, DR6_FLAGS = 0xe00f };
/* DR7: local enables, kinds and lengths of breakpoint `n`. */
#define ENABLE(n)  (1u << (n)*2)
#define KIND(n, k) ((unsigned)(k) << (16 + (n)*4))
#define SIZE(n, s) ((unsigned)(s) << (18 + (n)*4))
enum { ON_EXECUTION, ON_WRITE, ON_PORT, ON_ACCESS };
enum { BYTE, WORD, QUAD, DWORD };
enum { DATA = 0x6000 };

static void expect_trap(uint64_t rip, uint64_t dr6)
{
	assert_int_equal(vector(), DEBUG);
	assert_int_equal(top(), rip);
	assert_int_equal(cpu.dr6 & DR6_FLAGS, dr6);
}

/* IRET from it with DR6 cleared, and on. */
static void resume(unsigned instructions)
{
	cpu.dr6 = 0xffff0ff0;
	put(HANDLER + 16, 0xcf, 1);
	run(1);
	go_on(instructions);
}

/* 18.3.1.4: single step. */

static void every_instruction_traps(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x40, 0x89, 0x05, 0x00, 0x60, 0, 0, 0xe9, 0x10, 0, 0, 0); /* inc; mov; jmp */
	cpu.rflags |= TF;
	run(1);
	expect_trap(CODE + 1, BS);
	assert_int_equal(cpu.rflags & TF, 0);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x302);
	resume(1);
	expect_trap(CODE + 7, BS);
	resume(1);
	expect_trap(CODE + 0x1c, BS);
	done();
}

static void repeated_instructions_trap_after_each_iteration(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xf3, 0xaa, 0x90); /* rep stosb; nop */
	cpu.rflags |= TF;
	cpu.gpr[MW_RCX] = 3;
	cpu.gpr[MW_RDI] = DATA;
	cpu.gpr[MW_RAX] = 0x55;
	run(1);
	expect_trap(CODE, BS);
	assert_int_equal(cpu.gpr[MW_RCX], 2);
	resume(1);
	expect_trap(CODE, BS);
	assert_int_equal(cpu.gpr[MW_RCX], 1);
	resume(1);
	expect_trap(CODE + 2, BS); /* the last one is behind it */
	assert_int_equal(cpu.gpr[MW_RCX], 0);
	assert_int_equal(get(DATA, 4), 0x555555);
	resume(1);
	expect_trap(CODE + 3, BS);
	done();
}

static void popf_that_sets_tf_does_not_trap_and_one_that_clears_it_does(void **state)
{
	protected_mode();
	put(STACK - 8, 0x302, 4);
	put(STACK - 4, 0x202, 4);
	cpu.gpr[MW_RSP] = STACK - 8;
	CODE_AT(CODE, 0x9d, 0x9d, 0x90); /* popf; popf; nop */
	run(1);
	assert_int_equal(cpu.rip, CODE + 1);
	go_on(1);
	expect_trap(CODE + 2, BS);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x202);
	done();
}

static void iret_that_sets_tf_traps_behind_the_next_instruction(void **state)
{
	protected_mode();
	put(STACK - 12, CODE + 8, 4);
	put(STACK - 8, CODE_0, 4);
	put(STACK - 4, 0x302, 4);
	cpu.gpr[MW_RSP] = STACK - 12;
	CODE_AT(CODE, 0xcf);
	CODE_AT(CODE + 8, 0x90, 0x90);
	run(1);
	assert_int_equal(cpu.rip, CODE + 8);
	go_on(1);
	expect_trap(CODE + 9, BS);
	done();
}

static void mov_ss_swallows_the_single_step(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x8e, 0xd0, 0x90, 0x90); /* mov ss, ax; nop */
	cpu.gpr[MW_RAX] = DATA_0;
	cpu.rflags |= TF;
	run(1);
	assert_int_equal(cpu.rip, CODE + 2);
	go_on(1);
	expect_trap(CODE + 3, BS);
	done();
}

static void a_fault_comes_in_place_of_the_trap(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x0f, 0x0b);
	cpu.rflags |= TF;
	run(1);
	assert_int_equal(vector(), 6);
	assert_int_equal(cpu.dr6 & DR6_FLAGS, 0);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x10302);
	go_on(1); /* nor later */
	assert_int_equal(cpu.rip, HANDLER + 6 * 16 + 1);
	done();
}

static void the_trap_of_hlt_wakes_the_cpu(void **state)
{
	protected_mode();
	CODE_AT(CODE, HLT);
	cpu.rflags |= TF;
	run(1);
	expect_trap(CODE + 1, BS);
	assert_int_equal(cpu.run, MW_CPU_RUNNABLE);
	done();
}

static void syscall_that_masks_tf_does_not_trap(void **state)
{
	paged(PAGING_LONG);
	cpu.efer |= 1;
	cpu.star = UINT64_C(0x0010000800000000);
	cpu.lstar = CODE + 0x100;
	cpu.sfmask = TF;
	cpu.rflags |= TF;
	CODE_AT(CODE, 0x0f, 0x05);
	CODE_AT(CODE + 0x100, 0x90, 0x90);
	run(2);
	assert_int_equal(cpu.rip, CODE + 0x101);
	assert_int_equal(cpu.gpr[MW_R11], 0x302);
	done();
	paged(PAGING_LONG);
	cpu.efer |= 1;
	cpu.star = UINT64_C(0x0010000800000000);
	cpu.lstar = CODE + 0x100;
	cpu.rflags |= TF;
	CODE_AT(CODE, 0x0f, 0x05);
	run(1);
	expect_trap(CODE + 0x100, BS);
	done();
}

/* 18.2: breakpoints. */

static void break_on(unsigned number, uint64_t address, unsigned kind, unsigned size)
{
	cpu.dr[number] = address;
	cpu.dr7 |= ENABLE(number) | KIND(number, kind) | SIZE(number, size);
}

static void execution_breakpoints_hit_before_the_instruction(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x40, 0x40, 0x40);
	break_on(2, CODE + 1, ON_EXECUTION, BYTE);
	run(2);
	expect_trap(CODE + 1, 4);
	assert_int_equal(cpu.gpr[MW_RAX], 1);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x202); /* RF is left to the handler */
	put((uint32_t)cpu.gpr[MW_RSP] + 8, 0x202 | RF, 4);
	resume(1);
	assert_int_equal(cpu.rip, CODE + 2);
	assert_int_equal(cpu.rflags & RF, 0); /* for one instruction */
	done();
}

static void a_breakpoint_inside_an_instruction_does_not_hit(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xb8, 0x40, 0x40, 0x40, 0x40);
	break_on(0, CODE + 1, ON_EXECUTION, BYTE);
	run(1);
	assert_int_equal(cpu.rip, CODE + 5);
	done();
}

static void faults_save_rf_and_traps_do_not(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x0f, 0x0b);
	run(1);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x202 | RF);
	cpu.rip = CODE + 8;
	cpu.rflags = 0x202;
	CODE_AT(CODE + 8, 0xcc);
	run(1);
	assert_int_equal(vector(), 3);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x202);
	done();
}

/* RF from an IRET is gone behind the next instruction, breakpoints or not. */
static void rf_lasts_for_one_instruction(void **state)
{
	for (unsigned armed = 0; armed < 2; armed++) {
		protected_mode();
		if (armed)
			break_on(0, DATA, ON_EXECUTION, BYTE);
		put(STACK - 12, CODE + 8, 4);
		put(STACK - 8, CODE_0, 4);
		put(STACK - 4, 0x202 | RF, 4);
		cpu.gpr[MW_RSP] = STACK - 12;
		CODE_AT(CODE, 0xcf);
		CODE_AT(CODE + 8, 0x90, 0xcc);
		run(3);
		assert_int_equal(vector(), 3);
		assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x202);
		done();
	}
}

static void popf_cannot_set_rf(void **state)
{
	protected_mode();
	put(STACK - 4, 0x202 | RF, 4);
	cpu.gpr[MW_RSP] = STACK - 4;
	CODE_AT(CODE, 0x9d, 0x90);
	break_on(0, CODE + 1, ON_EXECUTION, BYTE);
	run(2);
	expect_trap(CODE + 1, 1);
	done();
}

static void a_breakpoint_behind_mov_ss_does_not_hit(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x8e, 0xd0, 0x90, 0x90); /* mov ss, ax; nop; nop */
	cpu.gpr[MW_RAX] = DATA_0;
	break_on(0, CODE + 2, ON_EXECUTION, BYTE);
	break_on(1, CODE + 3, ON_EXECUTION, BYTE);
	run(3);
	expect_trap(CODE + 3, 2);
	done();
}

static void a_breakpoint_on_rep_hits_once(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xf3, 0xaa, HLT);
	cpu.gpr[MW_RCX] = 5;
	cpu.gpr[MW_RDI] = DATA;
	break_on(0, CODE, ON_EXECUTION, BYTE);
	run(1);
	expect_trap(CODE, 1);
	put((uint32_t)cpu.gpr[MW_RSP] + 8, 0x202 | RF, 4);
	resume(6);
	assert_int_equal(cpu.gpr[MW_RCX], 0);
	assert_int_equal(cpu.rip, CODE + 3);
	done();
}

static void data_breakpoints_trap_behind_the_access(void **state)
{
	protected_mode();
	/* mov [6000], eax; mov ecx, [6004]; nop */
	CODE_AT(CODE, 0xa3, 0x00, 0x60, 0, 0, 0x8b, 0x0d, 0x04, 0x60, 0, 0, 0x90);
	break_on(0, DATA, ON_WRITE, DWORD);
	break_on(3, DATA + 4, ON_ACCESS, DWORD);
	cpu.gpr[MW_RAX] = 0x1234;
	put(DATA + 4, 0x5678, 4);
	run(1);
	expect_trap(CODE + 5, 1);
	assert_int_equal(get(DATA, 4), 0x1234);
	resume(1);
	expect_trap(CODE + 11, 8);
	assert_int_equal(cpu.gpr[MW_RCX], 0x5678);
	done();
}

static void reads_pass_a_breakpoint_on_writes(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xa1, 0x00, 0x60, 0, 0, 0x01, 0x05, 0x00, 0x60, 0, 0);
	break_on(0, DATA, ON_WRITE, DWORD);
	run(1);
	assert_int_equal(cpu.rip, CODE + 5);
	go_on(1); /* add [6000], eax writes */
	expect_trap(CODE + 11, 1);
	done();
}

/* Table 18-1: whatever touches a byte of the range, which is aligned. */
static void ranges_are_aligned_and_overlaps_count(void **state)
{
	static const struct {
		unsigned address, size, at;
		bool hits;
	} rows[] = {
		{ DATA + 4, DWORD, DATA, false },     { DATA + 4, DWORD, DATA + 1, true },
		{ DATA + 4, DWORD, DATA + 7, true },  { DATA + 4, DWORD, DATA + 8, false },
		{ DATA + 6, DWORD, DATA + 2, true },  { DATA + 5, BYTE, DATA + 2, true },
		{ DATA + 5, BYTE, DATA + 1, false },  { DATA + 5, WORD, DATA + 1, true },
		{ DATA + 12, QUAD, DATA + 6, true },  { DATA + 12, QUAD, DATA + 4, false },
		{ DATA + 12, QUAD, DATA + 15, true }, { DATA + 12, QUAD, DATA + 16, false },
	};

	paged(PAGING_LONG);
	CODE_AT(CODE, 0x89, 0x03); /* mov [rbx], eax */
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cpu.dr7 = 0x400;
		cpu.dr6 = 0xffff0ff0;
		break_on(0, rows[i].address, ON_WRITE, rows[i].size);
		cpu.gpr[MW_RBX] = rows[i].at;
		assert_int_equal(attempt(false), rows[i].hits ? DEBUG : NO_VECTOR);
		assert_int_equal(cpu.dr6 & DR6_FLAGS, rows[i].hits);
	}
	done();
}

static void the_stack_is_data_too(void **state)
{
	static const struct {
		uint8_t byte;
		unsigned kind;
	} rows[] = { { 0x50, ON_WRITE }, { 0x58, ON_ACCESS }, { 0x9c, ON_WRITE },
		     { 0x0e, ON_WRITE }, { 0x60, ON_WRITE },  { 0x61, ON_ACCESS },
		     { 0xe8, ON_WRITE }, { 0xc3, ON_ACCESS }, { 0xc9, ON_ACCESS } };

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		protected_mode();
		put(CODE, rows[i].byte, 5);
		put(USER_STACK - 4, CODE, 4);
		put(USER_STACK, CODE, 4);
		break_on(0, rows[i].kind == ON_WRITE ? USER_STACK - 4 : USER_STACK, rows[i].kind,
			 DWORD);
		cpu.gpr[MW_RSP] = cpu.gpr[MW_RBP] = USER_STACK;
		run(1);
		assert_int_equal(vector(), DEBUG);
		assert_int_equal(cpu.dr6 & DR6_FLAGS, 1);
		done();
	}
}

static void pages_beside_a_breakpoint_are_not_watched(void **state)
{
	paged(PAGING_LONG);
	/* mov [6ff8], rax; mov [6ffd], rax */
	CODE_AT(CODE, 0x48, 0x89, 0x04, 0x25, 0xf8, 0x6f, 0, 0, 0x48, 0x89, 0x04, 0x25, 0xfd, 0x6f,
		0, 0);
	break_on(1, 0x7000, ON_WRITE, BYTE);
	run(1);
	assert_int_equal(cpu.rip, CODE + 8);
	go_on(1);
	expect_trap(CODE + 16, 2);
	done();
}

static void a_string_stops_behind_the_element_that_hit(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xf3, 0xaa, HLT);
	cpu.gpr[MW_RCX] = 8;
	cpu.gpr[MW_RDI] = DATA;
	break_on(0, DATA + 2, ON_WRITE, BYTE);
	run(3);
	expect_trap(CODE, 1);
	assert_int_equal(cpu.gpr[MW_RCX], 5);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x202 | RF); /* 18.3.1.1 */
	resume(6);
	assert_int_equal(cpu.gpr[MW_RCX], 0);
	done();
}

/* 6.8.3: the data breakpoint of MOV SS waits for the next instruction. */
static void a_breakpoint_that_mov_ss_hits_traps_one_instruction_later(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x8e, 0x15, 0x00, 0x60, 0, 0, 0x90, 0x90);
	put(DATA, DATA_0, 2);
	break_on(0, DATA, ON_ACCESS, WORD);
	run(1);
	assert_int_equal(cpu.rip, CODE + 6);
	go_on(1);
	expect_trap(CODE + 7, 1);
	done();
}

/* Where that one is INT n, its handler has not begun when the trap comes. */
static void a_breakpoint_that_mov_ss_hits_traps_behind_int(void **state)
{
	protected_mode();
	idt_gate(0x30, HANDLER + 0x400, 0x8e);
	CODE_AT(CODE, 0x8e, 0x15, 0x00, 0x60, 0, 0, 0xcd, 0x30);
	put(DATA, DATA_0, 2);
	break_on(0, DATA, ON_ACCESS, WORD);
	run(2);
	expect_trap(HANDLER + 0x400, 1);
	done();
}

static void breakpoints_and_single_step_come_together(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xa3, 0x00, 0x60, 0, 0);
	break_on(0, DATA, ON_WRITE, DWORD);
	cpu.rflags |= TF;
	run(1);
	expect_trap(CODE + 5, BS | 1);
	done();
}

/* Whatever the size of the operand. */
static void accesses_of_16_bytes_hit(void **state)
{
	paged(PAGING_LONG);
	cpu.cr4 |= 0x200;
	/* movups [6000], xmm0; movups xmm0, [6008] */
	CODE_AT(CODE, 0x0f, 0x11, 0x04, 0x25, 0x00, 0x60, 0, 0, 0x0f, 0x10, 0x04, 0x25, 0x08, 0x60,
		0, 0);
	break_on(0, DATA + 15, ON_WRITE, BYTE);
	break_on(1, DATA + 16, ON_ACCESS, QUAD);
	run(1);
	expect_trap(CODE + 8, 1);
	cpu.rip = CODE + 8;
	cpu.dr6 = 0xffff0ff0;
	run(1);
	expect_trap(CODE + 16, 2);
	done();
}

static void nothing_hits_that_is_not_enabled(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xa3, 0x00, 0x60, 0, 0, 0x90);
	cpu.dr[0] = DATA;
	cpu.dr[1] = CODE + 5;
	cpu.dr7 = 0x400 | KIND(0, ON_WRITE) | SIZE(0, DWORD);
	run(2);
	assert_int_equal(cpu.rip, CODE + 6);
	done();
}

/* 18.2.4: I/O breakpoints come with CR4.DE. */
static void ports_are_watched_with_de(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xe6, 0x80, 0xe4, 0x82, 0xec); /* out 80, al; in al, 82; in al, dx */
	break_on(0, 0x80, ON_PORT, WORD);
	break_on(1, 0x1000, ON_PORT, BYTE);
	cpu.gpr[MW_RDX] = 0x1000;
	run(1);
	assert_int_equal(cpu.rip, CODE + 2);
	cpu.rip = CODE;
	cpu.cr4 = 8;
	run(1);
	expect_trap(CODE + 2, 1);
	resume(1);
	assert_int_equal(cpu.rip, CODE + 4);
	go_on(1);
	expect_trap(CODE + 5, 2);
	done();
}

/* 18.2.2 to 18.2.4: the registers. */

static void gd_guards_the_debug_registers(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x0f, 0x21, 0xc0); /* mov eax, dr0 */
	cpu.dr7 |= 0x2000;
	run(1);
	expect_trap(CODE, BD);
	assert_int_equal(cpu.dr7 & 0x2000, 0);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x202 | RF);
	done();
}

static void debug_registers_have_fixed_bits(void **state)
{
	protected_mode();
	/* mov dr6, eax; mov dr7, ebx; mov ecx, dr6; mov edx, dr7 */
	CODE_AT(CODE, 0x0f, 0x23, 0xf0, 0x0f, 0x23, 0xfb, 0x0f, 0x21, 0xf1, 0x0f, 0x21, 0xfa);
	cpu.gpr[MW_RAX] = 0xffffffff;
	cpu.gpr[MW_RBX] = 0x0000d800;
	run(4);
	assert_int_equal(cpu.gpr[MW_RCX], 0xffffefff);
	assert_int_equal(cpu.gpr[MW_RDX], 0x00000400);
	done();
}

static void dr4_and_dr5_are_aliases_without_de(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0x0f, 0x21, 0xe0, 0x0f, 0x21, 0xe9); /* mov eax, dr4; mov ecx, dr5 */
	run(2);
	assert_int_equal(cpu.gpr[MW_RAX], 0xffff0ff0);
	assert_int_equal(cpu.gpr[MW_RCX], 0x400);
	cpu.rip = CODE;
	cpu.cr4 = 8;
	run(1);
	assert_int_equal(vector(), 6);
	done();
}

static void debug_registers_need_privilege(void **state)
{
	protected_mode();
	at_user_level();
	CODE_AT(USER_CODE, 0x0f, 0x21, 0xc0);
	run(1);
	assert_int_equal(vector(), 13);
	done();
}

static void upper_halves_of_dr6_and_dr7_are_reserved(void **state)
{
	paged(PAGING_LONG);
	CODE_AT(CODE, 0x0f, 0x23, 0xf8); /* mov dr7, rax */
	cpu.gpr[MW_RAX] = UINT64_C(1) << 32;
	assert_int_equal(attempt(false), 13);
	CODE_AT(CODE, 0x0f, 0x23, 0xc0); /* mov dr0, rax */
	assert_int_equal(attempt(false), NO_VECTOR);
	assert_true(cpu.dr[0] == UINT64_C(1) << 32);
	done();
}

/* Breakpoints count from the MOV on, in the block that arms them too. */
static void a_breakpoint_armed_by_code_counts_at_once(void **state)
{
	protected_mode();
	/* mov [6000], eax; mov dr0, ecx; mov dr7, ebx; mov [6000], eax */
	CODE_AT(CODE, 0xa3, 0x00, 0x60, 0, 0, 0x0f, 0x23, 0xc1, 0x0f, 0x23, 0xfb, 0xa3, 0x00, 0x60,
		0, 0, HLT);
	cpu.gpr[MW_RCX] = DATA;
	cpu.gpr[MW_RBX] = ENABLE(0) | KIND(0, ON_WRITE) | SIZE(0, DWORD);
	run(4);
	expect_trap(CODE + 16, 1);
	done();
}

static void int1_sets_no_bit(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xf1);
	run(1);
	expect_trap(CODE + 1, 0);
	assert_int_equal(get(cpu.gpr[MW_RSP] + 8, 4), 0x202);
	done();
}

/* Code may be nowhere at all: each fault counts, so that whoever runs the CPU gets it back. */
static void a_handler_that_cannot_be_fetched_does_not_keep_the_cpu(void **state)
{
	paged(PAGING_LONG);
	gate(IDT + 14 * 16, CODE_0, LINEAR, 0x8e, 1); /* the same stack each time */
	put(TSS + 36, IST_STACK - 8, 8);
	cpu.rip = LINEAR;
	run(1000);
	assert_int_equal(cpu.rip, LINEAR);
	assert_false(rig.cpu->shutdown);
	done();
	paged(PAGING_LONG);
	gate(IDT + 16, CODE_0, HANDLER + 16, 0x8e, 1);
	put(TSS + 36, IST_STACK - 8, 8);
	break_on(0, HANDLER + 16, ON_EXECUTION, BYTE);
	cpu.rip = HANDLER + 16;
	run(1000);
	assert_int_equal(cpu.rip, HANDLER + 16);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_instruction_traps),
		TEST(repeated_instructions_trap_after_each_iteration),
		TEST(popf_that_sets_tf_does_not_trap_and_one_that_clears_it_does),
		TEST(iret_that_sets_tf_traps_behind_the_next_instruction),
		TEST(mov_ss_swallows_the_single_step),
		TEST(a_fault_comes_in_place_of_the_trap),
		TEST(the_trap_of_hlt_wakes_the_cpu),
		TEST(syscall_that_masks_tf_does_not_trap),
		TEST(execution_breakpoints_hit_before_the_instruction),
		TEST(a_breakpoint_inside_an_instruction_does_not_hit),
		TEST(faults_save_rf_and_traps_do_not),
		TEST(rf_lasts_for_one_instruction),
		TEST(popf_cannot_set_rf),
		TEST(a_breakpoint_behind_mov_ss_does_not_hit),
		TEST(a_breakpoint_on_rep_hits_once),
		TEST(data_breakpoints_trap_behind_the_access),
		TEST(reads_pass_a_breakpoint_on_writes),
		TEST(ranges_are_aligned_and_overlaps_count),
		TEST(the_stack_is_data_too),
		TEST(pages_beside_a_breakpoint_are_not_watched),
		TEST(a_string_stops_behind_the_element_that_hit),
		TEST(a_breakpoint_that_mov_ss_hits_traps_one_instruction_later),
		TEST(a_breakpoint_that_mov_ss_hits_traps_behind_int),
		TEST(breakpoints_and_single_step_come_together),
		TEST(accesses_of_16_bytes_hit),
		TEST(nothing_hits_that_is_not_enabled),
		TEST(ports_are_watched_with_de),
		TEST(gd_guards_the_debug_registers),
		TEST(debug_registers_have_fixed_bits),
		TEST(dr4_and_dr5_are_aliases_without_de),
		TEST(debug_registers_need_privilege),
		TEST(upper_halves_of_dr6_and_dr7_are_reserved),
		TEST(a_breakpoint_armed_by_code_counts_at_once),
		TEST(int1_sets_no_bit),
		TEST(a_handler_that_cannot_be_fetched_does_not_keep_the_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
