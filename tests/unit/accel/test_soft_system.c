/* The software CPU's system instructions, run as guest code. References: SDM vol. 3, 2.5 to 2.8, 9.8.5 (long
 * mode), 5.8.7 and 5.8.8 (fast system calls); SDM vol. 4, chapter 2 (MSRs); SDM vol. 2. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "soft_paging_bench.h"

enum { UNDEFINED = 6, GENERAL = 13 };
enum { CR0 = 0xc0, CR3 = 0xd8, CR4 = 0xe0 }; /* ModRM of MOV CR, EAX */

static int load_control(uint8_t which, uint64_t value)
{
	cpu.gpr[MW_RAX] = value;
	return ATTEMPT(false, 0x0f, 0x22, which);
}

/* 2.5: control registers. */

static void cr0_keeps_its_rules(void **state)
{
	protected_mode();
	assert_int_equal(load_control(CR0, 0x80000000), GENERAL); /* PG without PE */
	assert_int_equal(load_control(CR0, 0x20000011), GENERAL); /* NW without CD */
	assert_int_equal(cpu.cr0, 0x11);
	assert_int_equal(load_control(CR0, 0x6005003f), NO_VECTOR);
	assert_int_equal(cpu.cr0, 0x6005003f);
	assert_int_equal(load_control(CR0, 0x1fbaffc1), NO_VECTOR); /* reserved ones, and no ET */
	assert_int_equal(cpu.cr0, 0x11);
	done();
}

static void cr0_of_long_mode_keeps_more(void **state)
{
	paged(PAGING_LONG);
	assert_int_equal(load_control(CR0, UINT64_C(0x180010011)), GENERAL);
	assert_int_equal(load_control(CR0, 0x00010011), GENERAL); /* PG off in 64-bit code */
	assert_int_equal(load_control(CR0, 0x80010010), GENERAL);
	assert_int_equal(cpu.cr0, 0x80010011);
	done();
}

static void cr4_has_the_bits_of_the_features(void **state)
{
	paged(PAGING_LONG);
	assert_int_equal(load_control(CR4, 0x107ff), NO_VECTOR);
	assert_int_equal(cpu.cr4, 0x107ff);
	for (unsigned bit = 11; bit < 64; bit++)
		if (bit != 16)
			assert_int_equal(load_control(CR4, 0x20 | UINT64_C(1) << bit), GENERAL);
	assert_int_equal(load_control(CR4, 0), GENERAL); /* PAE stays */
	done();
}

static void cr3_has_40_address_bits(void **state)
{
	paged(PAGING_LONG);
	for (unsigned bit = 40; bit < 64; bit++)
		assert_int_equal(load_control(CR3, ROOT | UINT64_C(1) << bit), GENERAL);
	assert_int_equal(load_control(CR3, ROOT | 0x18), NO_VECTOR); /* PWT, PCD */
	assert_int_equal(cpu.cr3, ROOT | 0x18);
	done();
}

static void cr8_is_the_task_priority(void **state)
{
	paged(PAGING_LONG);
	cpu.gpr[MW_RAX] = 16;
	assert_int_equal(ATTEMPT(false, 0x44, 0x0f, 0x22, 0xc0), GENERAL);
	cpu.gpr[MW_RAX] = 9;
	assert_int_equal(ATTEMPT(false, 0x44, 0x0f, 0x22, 0xc0), NO_VECTOR);
	assert_int_equal(cpu.cr8, 9);
	cpu.gpr[MW_RAX] = 0;
	assert_int_equal(ATTEMPT(false, 0x44, 0x0f, 0x20, 0xc0), NO_VECTOR);
	assert_int_equal(cpu.gpr[MW_RAX], 9);
	done();
}

static void other_control_registers_are_undefined(void **state)
{
	static const uint8_t numbers[] = { 1, 5, 6, 7 };

	paged(PAGING_LONG);
	for (unsigned i = 0; i < sizeof(numbers); i++) {
		assert_int_equal(ATTEMPT(false, 0x0f, 0x20, 0xc0 | (uint8_t)(numbers[i] << 3)),
				 UNDEFINED);
		assert_int_equal(ATTEMPT(false, 0x0f, 0x22, 0xc0 | (uint8_t)(numbers[i] << 3)),
				 UNDEFINED);
	}
	done();
}

/* MOV CR takes its registers whatever mod says, all 64 bits of them. */
static void control_registers_move_whole(void **state)
{
	paged(PAGING_LONG);
	cpu.gpr[MW_RBX] = UINT64_C(0x123456789abcdef0);
	assert_int_equal(ATTEMPT(false, 0x66, 0x0f, 0x22, 0x13), NO_VECTOR); /* mov cr2, rbx */
	assert_true(cpu.cr2 == UINT64_C(0x123456789abcdef0));
	assert_int_equal(ATTEMPT(false, 0x0f, 0x20, 0xd1), NO_VECTOR);
	assert_true(cpu.gpr[MW_RCX] == UINT64_C(0x123456789abcdef0));
	done();
}

static void smsw_and_lmsw_are_the_old_way(void **state)
{
	protected_mode();
	cpu.cr0 = 0x60000011;
	cpu.gpr[MW_RCX] = 0xffff000e;
	assert_int_equal(ATTEMPT(false, 0x0f, 0x01, 0xf1), NO_VECTOR); /* lmsw cx: PE stays */
	assert_int_equal(cpu.cr0, 0x6000001f);
	assert_int_equal(ATTEMPT(true, 0x0f, 0x01, 0xe2), NO_VECTOR); /* smsw edx, for all */
	assert_int_equal(cpu.gpr[MW_RDX], 0x6000001f);
	put(0x6000, 0xffffffff, 4);
	assert_int_equal(ATTEMPT(true, 0x0f, 0x01, 0x25, 0x00, 0x60, 0, 0), NO_VECTOR);
	assert_int_equal(get(0x6000, 4), 0xffff001f); /* smsw [6000] */
	assert_int_equal(ATTEMPT(true, 0x0f, 0x01, 0xf1), GENERAL);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x06), NO_VECTOR); /* clts */
	assert_int_equal(cpu.cr0, 0x60000017);
	assert_int_equal(ATTEMPT(true, 0x0f, 0x06), GENERAL);
	done();
}

/* 9.8.5: into long mode and out of it. */

static void the_way_into_long_mode_and_back(void **state)
{
	paged(PAGING_LONG);
	cpu.cr0 = 0x11;
	cpu.cr4 = 0;
	cpu.efer = 0;
	descriptor(SMALL, 0, 0xfffff, 0xc09b); /* 32-bit code */
	cpu.segment[MW_CS] = soft_rig_segment(SMALL, 0, 0xffffffff, 0xc09b);
	/* mov cr4, edi; wrmsr; mov cr0, esi; jmp CODE_0:CODE+10 */
	CODE_AT(CODE, 0x0f, 0x22, 0xe7, 0x0f, 0x30, 0x0f, 0x22, 0xc6, 0xea, 0x10, 0x00, 0x01, 0x00,
		CODE_0, 0);
	/* mov rax, rsp (64 bits); push SMALL; push CODE+20; retf */
	CODE_AT(CODE + 0x10, 0x48, 0x89, 0xe0, 0x6a, SMALL, 0x68, 0x20, 0x00, 0x01, 0x00, 0x48,
		0xcb);
	/* mov cr0, ebx; wrmsr with 0; hlt */
	CODE_AT(CODE + 0x20, 0x0f, 0x22, 0xc3, 0x31, 0xc0, 0x0f, 0x30, HLT);
	cpu.gpr[MW_RDI] = 0x20;
	cpu.gpr[MW_RSI] = 0x80000011;
	cpu.gpr[MW_RBX] = 0x11;
	cpu.gpr[MW_RCX] = 0xc0000080;
	cpu.gpr[MW_RAX] = 0x100;
	cpu.gpr[MW_RDX] = 0;
	run(2);
	assert_int_equal(cpu.efer, 0x100);
	go_on(1);
	assert_int_equal(cpu.efer, 0x500);
	assert_int_equal(rig.cpu->mode.code_bits, 32); /* compatibility mode */
	go_on(2);
	assert_int_equal(rig.cpu->mode.code_bits, 64);
	go_on(3);
	assert_int_equal(rig.cpu->mode.code_bits, 32);
	assert_int_equal(cpu.efer, 0x500);
	go_on(1);
	assert_int_equal(cpu.efer, 0x100);
	go_on(3);
	assert_int_equal(cpu.efer, 0);
	assert_int_equal(cpu.rip, CODE + 0x28);
	assert_int_equal(cpu.run, MW_CPU_HALTED);
	done();
}

static void long_mode_needs_pae_and_a_fitting_code_segment_and_task(void **state)
{
	paged(PAGING_LONG);
	cpu.cr0 = 0x11;
	cpu.efer = 0x100;
	/* Without paging the bench's 64-bit gates are not for this mode. */
	for (unsigned i = 0; i < 32; i++)
		idt_gate(i, HANDLER + 16 * i, 0x8e);
	descriptor(CODE_0, 0, 0xfffff, 0xc09b);
	cpu.gpr[MW_RAX] = 0x80000011;
	CODE_AT(CODE, 0x0f, 0x22, 0xc0);
	cpu.segment[MW_CS] = soft_rig_segment(CODE_0, 0, 0xffffffff, 0xc09b);
	cpu.cr4 = 0;
	run(1);
	assert_int_equal(vector(), GENERAL);
	cpu.cr4 = 0x20;
	cpu.rip = CODE;
	cpu.segment[MW_CS].attributes = 0xe09b; /* L, and D so that it is 32-bit code meanwhile */
	run(1);
	assert_int_equal(vector(), GENERAL);
	cpu.rip = CODE;
	cpu.segment[MW_CS].attributes = 0xc09b;
	cpu.segment[MW_TR].attributes = 0x83;
	run(1);
	assert_int_equal(vector(), GENERAL);
	cpu.rip = CODE;
	cpu.segment[MW_TR].attributes = 0x8b;
	run(1);
	assert_int_equal(cpu.efer, 0x500);
	done();
}

/* SDM vol. 4, chapter 2. */

static void efer_keeps_its_rules(void **state)
{
	paged(PAGING_LONG);
	for (unsigned bit = 0; bit < 64; bit++)
		if (bit != 0 && bit != 8 && bit != 10 && bit != 11)
			refuses(0xc0000080, 0x500 | UINT64_C(1) << bit);
	refuses(0xc0000080, 0x400); /* LME under paging */
	assert_int_equal(write_msr(0xc0000080, 0x901), NO_VECTOR);
	assert_int_equal(cpu.efer, 0xd01); /* LMA is not written */
	done();
}

static void addresses_in_msrs_are_canonical(void **state)
{
	static const uint32_t rows[] = { 0x175,      0x176,      0xc0000082, 0xc0000083,
					 0xc0000100, 0xc0000101, 0xc0000102 };

	paged(PAGING_LONG);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		keeps(rows[i], UINT64_C(0xffff800000001234));
		refuses(rows[i], UINT64_C(0x0000800000000000));
		assert_true(read_msr(rows[i]) == UINT64_C(0xffff800000001234));
		keeps(rows[i], 0x1234);
	}
	refuses(0xc0000103, UINT64_C(1) << 32);
	refuses(0xc0000084, UINT64_C(1) << 32);
	refuses(0x174, UINT64_C(1) << 32);
	done();
}

static void memory_types_keep_to_the_defined(void **state)
{
	paged(PAGING_LONG);
	for (unsigned type = 0; type < 256; type++) {
		bool mtrr = type < 2 || (type >= 4 && type <= 6);

		assert_int_equal(write_msr(0x277, (uint64_t)type << 56),
				 mtrr || type == 7 ? NO_VECTOR : GENERAL);
		assert_int_equal(write_msr(0x250, (uint64_t)type << 8), mtrr ? NO_VECTOR : GENERAL);
		assert_int_equal(write_msr(0x2ff, type), mtrr ? NO_VECTOR : GENERAL);
		assert_int_equal(write_msr(0x200, type), mtrr ? NO_VECTOR : GENERAL);
	}
	keeps(0x2ff, 0xc06);
	refuses(0x2ff, 0x1006);
	keeps(0x200, UINT64_C(0xff80000006));
	refuses(0x200, UINT64_C(0x10080000006));
	keeps(0x20f, UINT64_C(0xff80000800));
	refuses(0x20f, UINT64_C(0xff80000801));
	keeps(0x26f, UINT64_C(0x0506040100060606));
	assert_int_equal(read_msr(0xfe), 0x508);
	refuses(0xfe, 0x508);
	refuses(0x210, 0);
	done();
}

static void apic_base_keeps_to_its_bits(void **state)
{
	paged(PAGING_LONG);
	keeps(0x1b, 0xfee00800);
	keeps(0x1b, UINT64_C(0xfffee00900));
	refuses(0x1b, 0xfee00c00); /* x2APIC is not there */
	refuses(0x1b, 0xfee00801);
	refuses(0x1b, UINT64_C(0x10000000800));
	keeps(0x1b, 0xfee00100);
	cpu.gpr[MW_RAX] = 1;
	assert_int_equal(ATTEMPT(true, 0x0f, 0xa2), NO_VECTOR);
	assert_int_equal(cpu.gpr[MW_RDX] >> 9 & 1, 0); /* CPUID tells */
	keeps(0x1b, 0xfee00900);
	cpu.gpr[MW_RAX] = 1;
	assert_int_equal(ATTEMPT(true, 0x0f, 0xa2), NO_VECTOR);
	assert_int_equal(cpu.gpr[MW_RDX] >> 9 & 1, 1);
	done();
}

static void machine_check_banks_can_be_cleared(void **state)
{
	paged(PAGING_LONG);
	assert_int_equal(read_msr(0x179), 0x10a);
	keeps(0x17b, UINT64_MAX);
	refuses(0x17b, 1);
	keeps(0x400, 0);
	keeps(0x401, 0);
	refuses(0x401, 1);
	assert_int_equal(read_msr(0x427), 0);
	refuses(0x428, 0);
	done();
}

static void msrs_that_are_not_there_are_gp_and_named_once(void **state)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *log = open_memstream(&text, &bytes);

	paged(PAGING_LONG);
	mw_machine_set_log(rig.machine, log);
	for (unsigned i = 0; i < 3; i++) {
		cpu.gpr[MW_RCX] = 0x12345;
		assert_int_equal(ATTEMPT(false, 0x0f, 0x32), GENERAL);
		refuses(0x12345, 0);
	}
	refuses(0x3a, 0); /* no VMX */
	mw_machine_set_log(rig.machine, rig.log);
	fclose(log);
	assert_non_null(strstr(text, "MSR 0x12345"));
	assert_null(strstr(strstr(text, "MSR 0x12345") + 1, "MSR 0x12345"));
	free(text);
	done();
}

static void the_tsc_goes_on_from_what_is_written(void **state)
{
	paged(PAGING_LONG);
	assert_int_equal(write_msr(0x10, UINT64_C(0x123400000000)), NO_VECTOR);
	assert_in_range(read_msr(0x10), UINT64_C(0x123400000000), UINT64_C(0x123400100000));
	assert_int_equal(ATTEMPT(true, 0x0f, 0x31), NO_VECTOR);
	assert_int_equal(cpu.gpr[MW_RDX], 0x1234);
	cpu.tsc_aux = 5;
	assert_int_equal(ATTEMPT(true, 0x0f, 0x01, 0xf9), NO_VECTOR);
	assert_int_equal(cpu.gpr[MW_RCX], 5);
	cpu.cr4 |= 4;
	assert_int_equal(ATTEMPT(true, 0x0f, 0x31), GENERAL);
	assert_int_equal(ATTEMPT(true, 0x0f, 0x01, 0xf9), GENERAL);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x31), NO_VECTOR);
	done();
}

/* 5.8.7 and 5.8.8: fast system calls. */

static void syscall_and_sysret_swap_the_levels(void **state)
{
	paged(PAGING_LONG);
	cpu.star = UINT64_C(0x0013000800000000);
	cpu.lstar = CODE + 0x100;
	cpu.sfmask = 0x47700;
	cpu.gpr[MW_RCX] = 1;
	assert_int_equal(ATTEMPT(true, 0x0f, 0x05), UNDEFINED); /* without SCE */
	cpu.efer |= 1;
	prepare(true);
	cpu.rflags = 0x246;
	run(1);
	assert_int_equal(cpu.rip, CODE + 0x100);
	assert_int_equal(cpu.gpr[MW_RCX], USER_CODE + 2);
	assert_int_equal(cpu.gpr[MW_R11], 0x246);
	assert_int_equal(cpu.rflags, 0x46);
	assert_int_equal(cpu.segment[MW_CS].selector, 0x08);
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xa09b);
	assert_int_equal(cpu.segment[MW_SS].selector, 0x10);
	assert_int_equal(cpu.segment[MW_SS].attributes, 0xc093);
	assert_int_equal(cpu.gpr[MW_RSP], USER_STACK);
	CODE_AT(CODE + 0x100, 0x48, 0x0f, 0x07);
	cpu.gpr[MW_R11] = UINT64_C(0xffffffff00000a47) | 0x30000; /* RF, VM and more */
	run(1);
	assert_int_equal(cpu.rip, USER_CODE + 2);
	assert_int_equal(cpu.segment[MW_CS].selector, 0x23);
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xa0fb);
	assert_int_equal(cpu.segment[MW_SS].selector, 0x1b);
	assert_int_equal(cpu.segment[MW_SS].attributes, 0xc0f3);
	assert_int_equal(cpu.rflags & 0x3ffff, 0xa47);
	assert_int_equal(rig.cpu->cpl, 3);
	done();
}

static void sysret_to_compatibility_mode(void **state)
{
	paged(PAGING_LONG);
	cpu.efer |= 1;
	cpu.star = UINT64_C(0x0013000800000000);
	cpu.gpr[MW_RCX] = UINT64_C(0x1122334455667788);
	cpu.gpr[MW_R11] = 0x202;
	assert_int_equal(ATTEMPT(false, 0x0f, 0x07), NO_VECTOR);
	assert_int_equal(cpu.rip, 0x55667788);
	assert_int_equal(cpu.segment[MW_CS].selector, 0x13);
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xc0fb);
	assert_int_equal(cpu.segment[MW_SS].selector, 0x1b);
	cpu.rip = USER_CODE;
	CODE_AT(USER_CODE, 0x0f, 0x05); /* not from there */
	run(1);
	assert_int_equal(vector(), UNDEFINED);
	done();
}

static void sysret_checks_before_it_leaves(void **state)
{
	paged(PAGING_LONG);
	cpu.efer |= 1;
	cpu.gpr[MW_RCX] = UINT64_C(0x800000000000);
	assert_int_equal(ATTEMPT(false, 0x48, 0x0f, 0x07), GENERAL);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_0);
	assert_int_equal(ATTEMPT(true, 0x48, 0x0f, 0x07), GENERAL);
	done();
}

static void sysenter_and_sysexit_in_32_bits(void **state)
{
	protected_mode();
	assert_int_equal(ATTEMPT(true, 0x0f, 0x34), GENERAL); /* SYSENTER_CS is null */
	cpu.sysenter_cs = CODE_0 | 3;
	cpu.sysenter_esp = 0x7000;
	cpu.sysenter_eip = CODE + 0x100;
	assert_int_equal(ATTEMPT(true, 0x0f, 0x34), NO_VECTOR);
	assert_int_equal(cpu.rip, CODE + 0x100);
	assert_int_equal(cpu.gpr[MW_RSP], 0x7000);
	assert_int_equal(cpu.rflags, 2);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_0);
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xc09b);
	assert_int_equal(cpu.segment[MW_SS].selector, CODE_0 + 8);
	CODE_AT(CODE + 0x100, 0x0f, 0x35);
	cpu.gpr[MW_RDX] = USER_CODE + 2;
	cpu.gpr[MW_RCX] = USER_STACK;
	run(1);
	assert_int_equal(cpu.rip, USER_CODE + 2);
	assert_int_equal(cpu.gpr[MW_RSP], USER_STACK);
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_0 + 16 + 3);
	assert_int_equal(cpu.segment[MW_SS].selector, CODE_0 + 24 + 3);
	assert_int_equal(rig.cpu->cpl, 3);
	assert_int_equal(ATTEMPT(true, 0x0f, 0x35), GENERAL);
	done();
}

static void sysenter_and_sysexit_in_64_bits(void **state)
{
	paged(PAGING_LONG);
	cpu.sysenter_cs = CODE_0;
	cpu.sysenter_esp = UINT64_C(0xffff888000001000);
	cpu.sysenter_eip = CODE + 0x100;
	prepare(true);
	cpu.segment[MW_CS].attributes = 0xc0fb; /* from compatibility mode */
	CODE_AT(USER_CODE, 0x0f, 0x34);
	run(1);
	assert_int_equal(cpu.rip, CODE + 0x100);
	assert_true(cpu.gpr[MW_RSP] == UINT64_C(0xffff888000001000));
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xa09b);
	cpu.gpr[MW_RDX] = UINT64_C(0x123456789a);
	cpu.gpr[MW_RCX] = UINT64_C(0x800000000000);
	assert_int_equal(ATTEMPT(false, 0x48, 0x0f, 0x35), GENERAL);
	cpu.gpr[MW_RCX] = UINT64_C(0x7ffffffff000);
	assert_int_equal(ATTEMPT(false, 0x48, 0x0f, 0x35), NO_VECTOR);
	assert_true(cpu.rip == UINT64_C(0x123456789a));
	assert_int_equal(cpu.segment[MW_CS].selector, CODE_0 + 32 + 3);
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xa0fb);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x35), NO_VECTOR);
	assert_true(cpu.rip == 0x3456789a);
	assert_int_equal(cpu.segment[MW_CS].attributes, 0xc0fb);
	done();
}

static void swapgs_swaps_with_the_kernel_base(void **state)
{
	paged(PAGING_LONG);
	cpu.segment[MW_GS].base = 0x6000;
	cpu.kernel_gs_base = 0x7000;
	put(0x7010, 0x1234, 4);
	/* swapgs; mov eax, gs:[10] */
	CODE_AT(CODE, 0x0f, 0x01, 0xf8, 0x65, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0);
	run(2);
	assert_int_equal(cpu.gpr[MW_RAX], 0x1234);
	assert_int_equal(cpu.kernel_gs_base, 0x6000);
	assert_int_equal(ATTEMPT(true, 0x0f, 0x01, 0xf8), GENERAL);
	done();
	protected_mode();
	assert_int_equal(ATTEMPT(false, 0x0f, 0x01, 0xf8), UNDEFINED);
	done();
}

/* Selectors looked into: LAR, LSL, VERR, VERW, ARPL. */

static bool look(bool user, uint8_t opcode, uint8_t modrm, uint16_t selector)
{
	cpu.gpr[MW_RCX] = selector;
	assert_int_equal(ATTEMPT(user, 0x0f, opcode, modrm), NO_VECTOR);
	return cpu.rflags & 0x40;
}

static void lar_and_lsl_tell_what_may_be_told(void **state)
{
	protected_mode();
	cpu.gpr[MW_RAX] = 5;
	assert_true(look(false, 2, 0xc1, CODE_0));
	assert_int_equal(cpu.gpr[MW_RAX], 0x00cf9b00);
	assert_true(look(false, 3, 0xc1, CODE_0));
	assert_int_equal(cpu.gpr[MW_RAX], 0xffffffff);
	assert_true(look(false, 3, 0xc1, SMALL));
	assert_int_equal(cpu.gpr[MW_RAX], 0xff);
	assert_true(look(false, 3, 0xc1, THE_TSS));
	assert_int_equal(cpu.gpr[MW_RAX], 0x1ff);
	gate(GDT + GATE, CODE_0, HANDLER, 0xec, 0);
	assert_true(look(false, 2, 0xc1, GATE));
	cpu.gpr[MW_RAX] = 5;
	assert_false(look(false, 3, 0xc1, GATE)); /* a gate has no limit */
	assert_false(look(false, 2, 0xc1, 0));
	assert_false(look(false, 2, 0xc1, 0x100)); /* beyond the table */
	assert_false(look(false, 2, 0xc1, CODE_0 | 3));
	assert_false(look(true, 2, 0xc1, CODE_0));
	gate(GDT + GATE, CODE_0, HANDLER, 0x8e, 0); /* an interrupt gate */
	assert_false(look(false, 2, 0xc1, GATE));
	assert_int_equal(cpu.gpr[MW_RAX], 5);
	assert_true(look(true, 2, 0xc1, CODE_3));
	descriptor(SMALL, 0, 0xff, 0x009f); /* conforming code is for all */
	assert_true(look(true, 2, 0xc1, SMALL | 3));
	done();
}

static void lar_in_long_mode_knows_fewer_types(void **state)
{
	paged(PAGING_LONG);
	assert_true(look(false, 2, 0xc1, THE_TSS));
	descriptor(THE_TSS, TSS, 0x1ff, 0x0083);
	assert_false(look(false, 2, 0xc1, THE_TSS)); /* a TSS of 16 bits */
	gate(GDT + GATE, CODE_0, HANDLER, 0x85, 0);
	assert_false(look(false, 2, 0xc1, GATE)); /* a task gate */
	done();
}

static void verr_and_verw_tell_what_may_be_accessed(void **state)
{
	protected_mode();
	assert_true(look(false, 0, 0xe1, DATA_0));
	assert_true(look(false, 0, 0xe9, DATA_0));
	assert_true(look(false, 0, 0xe1, CODE_0));
	assert_false(look(false, 0, 0xe9, CODE_0));
	assert_false(look(true, 0, 0xe1, DATA_0));
	assert_true(look(true, 0, 0xe9, DATA_3));
	assert_false(look(false, 0, 0xe1, THE_TSS));
	assert_false(look(false, 0, 0xe1, 0));
	descriptor(SMALL, 0, 0xff, 0x0091); /* read-only */
	assert_true(look(false, 0, 0xe1, SMALL));
	assert_false(look(false, 0, 0xe9, SMALL));
	descriptor(SMALL, 0, 0xff, 0x0099); /* execute-only */
	assert_false(look(false, 0, 0xe1, SMALL));
	done();
}

static void arpl_raises_the_requested_level(void **state)
{
	protected_mode();
	cpu.gpr[MW_RCX] = 0xaaaa0010;
	cpu.gpr[MW_RAX] = 3;
	assert_int_equal(ATTEMPT(true, 0x63, 0xc1), NO_VECTOR); /* arpl cx, ax */
	assert_int_equal(cpu.rflags & 0x40, 0x40);
	assert_int_equal(cpu.gpr[MW_RCX], 0xaaaa0013);
	assert_int_equal(ATTEMPT(true, 0x63, 0xc1), NO_VECTOR);
	assert_int_equal(cpu.rflags & 0x40, 0);
	done();
	soft_rig_create(&rig);
	cpu = rig.reset_state;
	cpu.segment[MW_CS].base = CODE;
	cpu.rip = 0;
	put(6 * 4, 0x02000000, 4);
	CODE_AT(CODE, 0x63, 0xc1);
	run(1);
	assert_int_equal(cpu.segment[MW_CS].selector, 0x200); /* not in real mode */
	done();
}

/* 2.8 and 5.9: what users may not, and what they may. */
static void privileged_instructions_are_gp_for_users(void **state)
{
	static const uint8_t rows[][8] = {
		{ 0xf4 },             /* hlt */
		{ 0xfa },             /* cli */
		{ 0xfb },             /* sti */
		{ 0x0f, 0x08 },       /* invd */
		{ 0x0f, 0x09 },       /* wbinvd */
		{ 0x0f, 0x30 },       /* wrmsr */
		{ 0x0f, 0x32 },       /* rdmsr */
		{ 0x0f, 0x20, 0xc0 }, /* mov eax, cr0 */
		{ 0x0f, 0x22, 0xc0 }, /* mov cr0, eax */
		{ 0x0f, 0x00, 0xd0 }, /* lldt ax */
		{ 0x0f, 0x00, 0xd8 }, /* ltr ax */
		{ 0x0f, 0x01, 0x13 }, /* lgdt [ebx] */
		{ 0x0f, 0x01, 0x1b }, /* lidt [ebx] */
		{ 0x0f, 0x33 },       /* rdpmc */
		{ 0xe4, 0x80 },       /* in al, 80 */
	};
	static const uint8_t allowed[][8] = {
		{ 0x0f, 0x00, 0xc0 }, /* sldt eax */
		{ 0x0f, 0x00, 0xc8 }, /* str eax */
		{ 0x0f, 0x01, 0x03 }, /* sgdt [ebx] */
		{ 0x0f, 0x01, 0x0b }, /* sidt [ebx] */
		{ 0x0f, 0xa2 },       /* cpuid */
		{ 0x0f, 0x31 },       /* rdtsc */
	};

	for (unsigned wide = 0; wide < 2; wide++) {
		if (wide)
			paged(PAGING_LONG);
		else
			protected_mode();
		put(TSS + 0x66, 0x200, 2); /* no port is the user's */
		cpu.gpr[MW_RBX] = 0x6000;
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			cpu.gpr[MW_RAX] = 0;
			assert_int_equal(attempt_bytes(true, rows[i], 4), GENERAL);
			assert_int_equal(top(), 0);
		}
		for (unsigned i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
			cpu.gpr[MW_RBX] = 0x6000;
			cpu.gpr[MW_RAX] = 0;
			assert_int_equal(attempt_bytes(true, allowed[i], 4), NO_VECTOR);
		}
		done();
	}
}

static void tables_are_loaded_and_stored(void **state)
{
	paged(PAGING_LONG);
	cpu.gpr[MW_RBX] = 0x6000;
	put(0x6000, 0x1000, 2);
	put(0x6002, UINT64_C(0x800000000000), 8);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x01, 0x13), GENERAL); /* lgdt, not canonical */
	put(0x6000, 0x7777, 2);
	put(0x6002, UINT64_C(0xffff800012345678), 8);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x01, 0x1b), NO_VECTOR); /* lidt */
	assert_int_equal(cpu.idt.limit, 0x7777);
	assert_true(cpu.idt.base == UINT64_C(0xffff800012345678));
	memset(rig.ram + 0x6000, 0x11, 16);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x01, 0x0b), NO_VECTOR); /* sidt */
	assert_int_equal(get(0x6000, 2), 0x7777);
	assert_true(get(0x6002, 8) == UINT64_C(0xffff800012345678));
	assert_int_equal(get(0x600a, 1), 0x11);
	done();
	protected_mode();
	cpu.gpr[MW_RBX] = 0x6000;
	put(0x6000, 0x7777, 2);
	put(0x6002, 0x12345678, 4);
	assert_int_equal(ATTEMPT(false, 0x66, 0x0f, 0x01, 0x1b), NO_VECTOR); /* 24 bits of base */
	assert_int_equal(cpu.idt.base, 0x345678);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cr0_keeps_its_rules),
		TEST(cr0_of_long_mode_keeps_more),
		TEST(cr4_has_the_bits_of_the_features),
		TEST(cr3_has_40_address_bits),
		TEST(cr8_is_the_task_priority),
		TEST(other_control_registers_are_undefined),
		TEST(control_registers_move_whole),
		TEST(smsw_and_lmsw_are_the_old_way),
		TEST(the_way_into_long_mode_and_back),
		TEST(long_mode_needs_pae_and_a_fitting_code_segment_and_task),
		TEST(efer_keeps_its_rules),
		TEST(addresses_in_msrs_are_canonical),
		TEST(memory_types_keep_to_the_defined),
		TEST(apic_base_keeps_to_its_bits),
		TEST(machine_check_banks_can_be_cleared),
		TEST(msrs_that_are_not_there_are_gp_and_named_once),
		TEST(the_tsc_goes_on_from_what_is_written),
		TEST(syscall_and_sysret_swap_the_levels),
		TEST(sysret_to_compatibility_mode),
		TEST(sysret_checks_before_it_leaves),
		TEST(sysenter_and_sysexit_in_32_bits),
		TEST(sysenter_and_sysexit_in_64_bits),
		TEST(swapgs_swaps_with_the_kernel_base),
		TEST(lar_and_lsl_tell_what_may_be_told),
		TEST(lar_in_long_mode_knows_fewer_types),
		TEST(verr_and_verw_tell_what_may_be_accessed),
		TEST(arpl_raises_the_requested_level),
		TEST(privileged_instructions_are_gp_for_users),
		TEST(tables_are_loaded_and_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
