/* The software CPU's decoded blocks, seen from the guest: code that changes, code at the edges of pages and
 * segments, and how instructions are counted. References: SDM vol. 3, 9.1.3 (self-modifying code), 6.15; SDM vol.
 * 2, 2.3.11 (length). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "accel/soft/run.h"
#include "accel/soft/system/system.h"
#include "accel/soft/thread.h"

#include "soft_paging_bench.h"

enum { FUNCTION = 0x14000, GENERAL = 13, PAGE_FAULT = 14 };

static unsigned low_byte(unsigned name)
{
	return cpu.gpr[name] & 0xff;
}

/* 9.1.3: stores to code count at once, from the same linear address at least; here from any. */

static void a_store_into_the_next_instruction_counts(void **state)
{
	protected_mode();
	/* mov byte [.+8], 2; mov al, 1 */
	CODE_AT(CODE, 0xc6, 0x05, 0x08, 0x00, 0x01, 0x00, 0x02, 0xb0, 0x01, HLT);
	run(60);
	assert_int_equal(low_byte(MW_RAX), 2);
	assert_int_equal(cpu.rip, CODE + 10);
	assert_int_equal(rig.cpu->counters.instructions, 3);
	done();
}

static void a_store_into_the_instruction_itself_counts_next_time(void **state)
{
	protected_mode();
	/* again: mov byte [again + 6], cl's opposite: 5a; inc eax; loop again; hlt */
	CODE_AT(CODE, 0xc6, 0x05, 0x06, 0x00, 0x01, 0x00, 0x5a, 0x40, 0xe2, 0xf6, HLT);
	cpu.gpr[MW_RCX] = 3;
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX], 3);
	assert_int_equal(cpu.rip, CODE + 11);
	assert_int_equal(get(CODE + 6, 1), 0x5a);
	done();
}

/* call; patch; call; hlt. `patch` is put in at CODE + 5. */
static void begin_patched_call(void)
{
	CODE_AT(FUNCTION, 0xb0, 0x01, 0x90, 0xc3);         /* mov al, 1; nop; ret */
	CODE_AT(CODE, 0xe8, 0xfb, 0x3f, 0, 0, 0x88, 0xc4); /* call FUNCTION; mov ah, al */
}

static void a_store_into_another_block_counts(void **state)
{
	protected_mode();
	begin_patched_call();
	/* mov byte [FUNCTION + 1], 2; call FUNCTION; hlt */
	CODE_AT(CODE + 7, 0xc6, 0x05, 0x01, 0x40, 0x01, 0, 0x02, 0xe8, 0xed, 0x3f, 0, 0, HLT);
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xffff, 0x0102);
	done();
}

/* What is left of a page's code is still watched. */
static void one_store_after_another_counts(void **state)
{
	protected_mode();
	CODE_AT(FUNCTION, 0xb0, 0x01, 0xc3);        /* mov al, 1; ret */
	CODE_AT(FUNCTION + 0x10, 0xb4, 0x01, 0xc3); /* mov ah, 1; ret */
	/* call both; mov byte [FUNCTION + 1], 2; mov byte [FUNCTION + 11], 3; call both; hlt */
	CODE_AT(CODE, 0xe8, 0xfb, 0x3f, 0, 0, 0xe8, 0x06, 0x40, 0, 0);
	CODE_AT(CODE + 10, 0xc6, 0x05, 0x01, 0x40, 0x01, 0, 0x02, 0xc6, 0x05, 0x11, 0x40, 0x01, 0,
		0x03, 0xe8, 0xe3, 0x3f, 0, 0, 0xe8, 0xee, 0x3f, 0, 0, HLT);
	run(60);
	assert_int_equal(cpu.rip, CODE + 35);
	assert_int_equal(cpu.gpr[MW_RAX], 0x0302);
	done();
}

static void a_store_through_another_address_counts(void **state)
{
	paged(PAGING_32);
	set_entry(LINEAR, 1, FUNCTION | P | W | A | D);
	begin_patched_call();
	/* mov byte [LINEAR + 1], 2; call FUNCTION; hlt */
	CODE_AT(CODE + 7, 0xc6, 0x05, 0x01, 0x00, 0xc0, 0, 0x02, 0xe8, 0xed, 0x3f, 0, 0, HLT);
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xffff, 0x0102);
	done();
}

/* The translation was looked up for a read first. */
static void a_store_after_a_read_counts(void **state)
{
	paged(PAGING_32);
	set_entry(LINEAR, 1, FUNCTION | P | W | A | D);
	begin_patched_call();
	/* mov ecx, [LINEAR]; mov byte [LINEAR + 1], 2; call FUNCTION; hlt */
	CODE_AT(CODE + 7, 0x8b, 0x0d, 0x00, 0x00, 0xc0, 0, 0xc6, 0x05, 0x01, 0x00, 0xc0, 0, 0x02,
		0xe8, 0xe7, 0x3f, 0, 0, HLT);
	run(60);
	assert_int_equal(cpu.rip, CODE + 26);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xffff, 0x0102);
	done();
}

static void code_that_a_string_copies_counts(void **state)
{
	protected_mode();
	begin_patched_call();
	CODE_AT(0x6000, 0xb0, 0x02, 0x90, 0xc3);
	cpu.gpr[MW_RSI] = 0x6000;
	cpu.gpr[MW_RDI] = FUNCTION;
	cpu.gpr[MW_RCX] = 4;
	/* rep movsb; call FUNCTION; hlt */
	CODE_AT(CODE + 7, 0xf3, 0xa4, 0xe8, 0xf2, 0x3f, 0, 0, HLT);
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xffff, 0x0102);
	done();
}

/* The string runs over what lies behind it. */
static void a_string_may_overwrite_its_own_block(void **state)
{
	protected_mode();
	CODE_AT(CODE, 0xf3, 0xa4, 0xb0, 0x01, 0xb0, 0x03, HLT);
	CODE_AT(0x6000, 0xf3, 0xa4, 0xb0, 0x02, 0x90, 0x90, HLT);
	cpu.gpr[MW_RSI] = 0x6000;
	cpu.gpr[MW_RDI] = CODE;
	cpu.gpr[MW_RCX] = 7;
	run(60);
	assert_int_equal(low_byte(MW_RAX), 2);
	assert_int_equal(cpu.rip, CODE + 7);
	done();
}

/* Pushes, read-modify-writes and stores of every size take the same way: all of these make `mov dl, 1` at EAX
 * `mov dl, 2`. */
static void any_kind_of_store_counts(void **state)
{
	static const uint8_t rows[][8] = {
		{ 0xc6, 0x40, 0x01, 0x02, 0x90, 0x90, 0x90, 0x90 }, /* mov byte [eax + 1], 2 */
		{ 0x66, 0xc7, 0x00, 0xb2, 0x02, 0x90, 0x90, 0x90 }, /* mov word [eax], 02b2 */
		{ 0xc7, 0x00, 0xb2, 0x02, 0x90, 0xc3, 0x90, 0x90 }, /* mov dword [eax], c39002b2 */
		{ 0x80, 0x40, 0x01, 0x01, 0x90, 0x90, 0x90, 0x90 }, /* add byte [eax + 1], 1 */
		{ 0xfe, 0x40, 0x01, 0x90, 0x90, 0x90, 0x90, 0x90 }, /* inc byte [eax + 1] */
		{ 0x0f, 0xc0, 0x58, 0x01, 0x90, 0x90, 0x90, 0x90 }, /* xadd [eax + 1], bl */
		{ 0x86, 0x48, 0x01, 0x90, 0x90, 0x90, 0x90, 0x90 }, /* xchg [eax + 1], cl */
		{ 0x0f, 0x7e, 0x00, 0x90, 0x90, 0x90, 0x90, 0x90 }, /* movd [eax], mm0 */
		{ 0x0f, 0x11, 0x00, 0x90, 0x90, 0x90, 0x90, 0x90 }, /* movups [eax], xmm0 */
		{ 0x8d, 0x60, 0x04, 0x68, 0xb2, 0x02, 0x90, 0xc3 }, /* lea esp, [eax + 4]; push */
	};
	static const uint8_t patched[] = { 0xb2, 0x02, 0x90, 0xc3 };

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		protected_mode();
		CODE_AT(FUNCTION, 0xb2, 0x01, 0x90, 0xc3);
		CODE_AT(CODE, 0xe8, 0xfb, 0x3f, 0, 0, 0x88, 0xd6); /* call FUNCTION; mov dh, dl */
		soft_rig_write(&rig, CODE + 7, rows[i], 8);
		CODE_AT(CODE + 15, 0xe8, 0xec, 0x3f, 0, 0, HLT);
		cpu.cr4 = 0x200;
		cpu.gpr[MW_RAX] = FUNCTION;
		cpu.gpr[MW_RBX] = 1;
		cpu.gpr[MW_RCX] = 2;
		memcpy(cpu.fxsave + 32, patched, sizeof(patched));
		memcpy(cpu.fxsave + 160, patched, sizeof(patched));
		run(60);
		assert_int_equal(cpu.rip, CODE + 21);
		assert_int_equal(cpu.gpr[MW_RDX] & 0xffff, 0x0102);
		done();
	}
}

/* What is data beside the code keeps the code. */
static void stores_beside_code_leave_it_decoded(void **state)
{
	protected_mode();
	/* again: mov [11000-4], ecx; mov [CODE+80], ecx; loop again; hlt */
	CODE_AT(CODE, 0x89, 0x0d, 0xfc, 0x0f, 0x01, 0, 0x89, 0x0d, 0x80, 0x00, 0x01, 0, 0xe2, 0xf2,
		HLT);
	cpu.gpr[MW_RCX] = 50;
	run(200);
	assert_int_equal(cpu.rip, CODE + 15);
	assert_int_equal(rig.cpu->counters.blocks_invalidated, 0);
	assert_int_equal(get(CODE + 0xffc, 4), 1);
	done();
}

/* A variable beside code may become code. */
static void a_store_beside_code_counts_once_code_is_there(void **state)
{
	enum { BESIDE = CODE + 0x30 };
	const uint8_t ret = 0xc3;

	protected_mode();
	/* mov byte [BESIDE], 90, twice; call BESIDE; mov byte [BESIDE], 40 (inc eax); call BESIDE; hlt */
	CODE_AT(CODE, 0xc6, 0x05, 0x30, 0, 1, 0, 0x90, 0xc6, 0x05, 0x30, 0, 1, 0, 0x90, 0xe8, 0x1d,
		0, 0, 0, 0xc6, 0x05, 0x30, 0, 1, 0, 0x40, 0xe8, 0x11, 0, 0, 0, HLT);
	soft_rig_write(&rig, BESIDE + 1, &ret, 1);
	cpu.gpr[MW_RAX] = 0;
	run(10);
	assert_int_equal(cpu.rip, CODE + 0x20);
	assert_int_equal(cpu.gpr[MW_RAX], 1);
	assert_int_equal(rig.cpu->counters.blocks_invalidated, 1);
	done();
}

/* Nothing is there, or registers are: whatever that decodes to, the CPU comes back. */
static void code_in_device_space_harms_nobody(void **state)
{
	static const uint32_t places[] = { 0xfee00000, 0xfee00ffe, 0xf0000000, 0x3fffff,
					   0xfffffffe };

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		protected_mode();
		put(0x3fffff, 0x90, 1);
		cpu.rip = places[i];
		run(1000);
		assert_true(rig.cpu->counters.instructions > 0);
		done();
	}
}

/* An instruction over a page's end is in two pages, and both are watched. */
static void both_halves_of_an_instruction_across_pages_may_change(void **state)
{
	protected_mode();
	CODE_AT(0x14ffe, 0x90, 0xb0, 0x01, 0xc3); /* nop; mov al, 1; ret */
	/* twice call 14ffe with mov ah, al; mov byte [15000], 2; call; mov cl, al; mov byte [14fff], b5
	 * (mov ch, 2); call; hlt */
	CODE_AT(CODE, 0xe8, 0xf9, 0x4f, 0, 0, 0x88, 0xc4, 0xe8, 0xf2, 0x4f, 0, 0, 0xc6, 0x05, 0x00,
		0x50, 0x01, 0, 0x02, 0xe8, 0xe6, 0x4f, 0, 0, 0x88, 0xc1, 0xc6, 0x05, 0xff, 0x4f,
		0x01, 0, 0xb5, 0xe8, 0xd8, 0x4f, 0, 0, HLT);
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xffff, 0x0102);
	assert_int_equal(cpu.gpr[MW_RCX], 0x0202);
	done();
}

static void code_in_real_mode_changes_too(void **state)
{
	soft_rig_create(&rig);
	cpu = rig.reset_state;
	cpu.segment[MW_CS].base = CODE;
	cpu.segment[MW_DS].base = CODE;
	cpu.rip = 0;
	CODE_AT(CODE, 0xc6, 0x06, 0x06, 0x00, 0x02, 0xb0, 0x01,
		HLT); /* mov byte [6], 2; mov al, 1 */
	run(60);
	assert_int_equal(low_byte(MW_RAX), 2);
	done();
}

/* The CPU spins on another thread until a device has changed its loop. Guest memory is the guest's: both sides
 * touch it at once, on purpose. */
__attribute__((no_sanitize("thread"))) static void what_a_device_writes_counts(void **state)
{
	static const struct timespec moment = { 0, 1000000 };

	protected_mode();
	/* again: mov al, 1; inc dword [6000]; test al, al; jnz again; mov [6004], eax; jmp . */
	CODE_AT(CODE, 0xb0, 0x01, 0xff, 0x05, 0x00, 0x60, 0, 0, 0x84, 0xc0, 0x75, 0xf4, 0xa3, 0x04,
		0x60, 0, 0, 0xeb, 0xfe);
	cpu.gpr[MW_RAX] = 0x77777700;
	soft_rig_set(&rig, &cpu);
	soft_thread_start(rig.vm);
	for (int i = 0; i < 5000 && !__atomic_load_n((uint32_t *)(void *)(rig.ram + 0x6000), 0);
	     i++)
		nanosleep(&moment, NULL);
	__atomic_store_n(rig.ram + CODE + 1, 0, __ATOMIC_SEQ_CST);
	soft_thread_written(rig.vm, CODE + 1, 1);
	for (int i = 0; i < 5000 && !__atomic_load_n((uint32_t *)(void *)(rig.ram + 0x6004), 0);
	     i++)
		nanosleep(&moment, NULL);
	soft_thread_stop(rig.vm);
	assert_int_not_equal(get(0x6000, 4), 0);
	assert_int_equal(get(0x6004, 4), 0x77777700);
	done();
}

/* Edges of pages. */

static void an_instruction_whose_second_page_is_missing_faults_there(void **state)
{
	for (enum paging mode = PAGING_32; mode <= PAGING_LONG; mode++) {
		paged(mode);
		set_entry(LINEAR, 1, FRAME | P | U);
		put(FRAME + 0xffe, 0x00b8, 2); /* mov eax, ..00 */
		prepare(true);
		cpu.rip = LINEAR + 0xffe;
		run(1);
		assert_int_equal(vector(), PAGE_FAULT);
		assert_int_equal(top(), 4);
		assert_int_equal(cpu.cr2, LINEAR + PAGE);
		assert_int_equal(get(cpu.gpr[MW_RSP] + (mode == PAGING_LONG ? 8 : 4), 4),
				 LINEAR + 0xffe);
		done();
	}
}

static void an_instruction_that_ends_with_its_page_needs_no_other(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P);
	CODE_AT(FRAME + 0xff9, 0xb8, 0x11, 0x22, 0x33, 0x44, 0xeb, 0xf9); /* mov eax; jmp to it */
	cpu.rip = LINEAR + 0xff9;
	run(4);
	assert_int_equal(cpu.gpr[MW_RAX], 0x44332211);
	assert_int_equal(cpu.rip, LINEAR + 0xff9);
	put(FRAME + 0xffe, 0x9090, 2);
	run(3); /* and what comes after it faults on its own */
	assert_int_equal(cpu.rip, LINEAR + PAGE);
	go_on(1);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(cpu.cr2, LINEAR + PAGE);
	done();
}

static void the_second_page_has_to_be_executable_as_well(void **state)
{
	paged(PAGING_LONG);
	cpu.efer |= 0x800;
	set_entry(LINEAR, 1, FRAME | P);
	set_entry(LINEAR + PAGE, 1, FRAME_2 | P | NX);
	put(FRAME + 0xfff, 0xb0, 1);
	cpu.rip = LINEAR + 0xfff;
	run(1);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(top(), 0x11);
	assert_int_equal(cpu.cr2, LINEAR + PAGE);
	done();
}

/* SDM vol. 2, 2.3.11: 15 bytes at most. */
static void instructions_are_15_bytes_long_at_most(void **state)
{
	for (unsigned prefixes = 12; prefixes < 18; prefixes++) {
		for (unsigned at = 0; at < 2; at++) {
			uint32_t code = at ? 0x14ff8 : CODE; /* or across pages */

			protected_mode();
			memset(rig.ram + code, 0x66, prefixes);
			put(code + prefixes, 0x90, 1);
			cpu.rip = code;
			run(1);
			if (prefixes <= 14)
				assert_int_equal(cpu.rip, code + prefixes + 1);
			else
				assert_int_equal(vector(), GENERAL);
			done();
		}
	}
}

static void too_many_prefixes_before_a_missing_page_are_gp(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P);
	memset(rig.ram + FRAME + 0xff0, 0x66, 16);
	cpu.rip = LINEAR + 0xff1;
	run(1);
	assert_int_equal(vector(), GENERAL);
	assert_int_equal(top(), 0);
	done();
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P);
	memset(rig.ram + FRAME + 0xff0, 0x66, 16);
	cpu.rip = LINEAR + 0xff2; /* the fifteenth byte is missing */
	run(1);
	assert_int_equal(vector(), PAGE_FAULT);
	done();
}

/* CPUs share what is decoded, but each has its own translations. */
static void an_instruction_across_pages_is_each_cpus_own(void **state)
{
	struct mw_cpu_state other;
	uint8_t *ram = mw_alloc(SOFT_RIG_RAM_BYTES, 1);

	paged(PAGING_LONG);
	/* The same tables in a machine of two, where the second CPU has another page behind LINEAR. */
	set_entry(LINEAR, 1, FRAME | P);
	set_entry(LINEAR + PAGE, 1, FRAME_2 | P);
	put(FRAME + 0xfff, 0xb0, 1); /* mov al, imm8; hlt */
	CODE_AT(FRAME_2, 0x01, HLT);
	CODE_AT(0x210000, 0x02, HLT);
	memcpy(ram, rig.ram, SOFT_RIG_RAM_BYTES);
	done();
	soft_rig_create_cpus(&rig, 2);
	memcpy(rig.ram, ram, SOFT_RIG_RAM_BYTES);
	free(ram);
	cpu.rip = LINEAR + 0xfff;
	soft_cpu_set_state(rig.vm->cpus[0], &cpu);
	soft_cpu_set_state(rig.vm->cpus[1], &cpu);
	rig.vm->cpus[1]->generation = rig.vm->cpus[0]->generation;
	soft_mode_update(rig.vm->cpus[1]);
	soft_run_cpu(rig.vm->cpus[0], 2);
	set_entry(LINEAR + PAGE, 1, 0x210000 | P); /* before the other has looked */
	soft_run_cpu(rig.vm->cpus[1], 2);
	soft_cpu_get_state(rig.vm->cpus[0], &cpu);
	soft_cpu_get_state(rig.vm->cpus[1], &other);
	assert_int_equal(cpu.rip, LINEAR + PAGE + 2);
	assert_int_equal(low_byte(MW_RAX), 1);
	assert_int_equal(other.gpr[MW_RAX] & 0xff, 2);
	done();
}

/* The code segment's limit. */

static void check_code_limit(uint32_t limit, unsigned budget, uint32_t rip)
{
	cpu.segment[MW_CS] = soft_rig_segment(CODE_0, 0, limit, 0x409b);
	cpu.run = MW_CPU_RUNNABLE;
	cpu.gpr[MW_RAX] = 0;
	cpu.gpr[MW_RSP] = STACK;
	cpu.rflags = 0x202;
	cpu.rip = CODE;
	run(0);
	for (unsigned i = 0; i < 8; i++)
		go_on(budget);
	assert_int_equal(cpu.rip, HANDLER + GENERAL * 16 + 1);
	ASSERT_STACK(cpu.gpr[MW_RSP], 4, 0, rip, CODE_0);
}

static void code_ends_with_its_segment(void **state)
{
	for (unsigned budget = 1; budget < 64; budget += 62) {
		protected_mode();
		for (unsigned i = 0; i < 32; i++) /* the handlers' segment goes on */
			gate(IDT + i * 8, ABSENT, HANDLER + 16 * i, 0x8e, 0);
		descriptor(ABSENT, 0, 0xfffff, 0xc09b);
		CODE_AT(CODE, 0x40, 0x40, 0xb0, 0x05,
			0x40); /* inc eax, twice; mov al, 5; inc eax */
		check_code_limit(CODE + 2, budget, CODE + 2); /* in the midst of the MOV */
		assert_int_equal(cpu.gpr[MW_RAX], 2);
		check_code_limit(CODE + 3, budget, CODE + 4); /* the same bytes, a longer limit */
		assert_int_equal(cpu.gpr[MW_RAX], 5);
		check_code_limit(CODE + 2, budget, CODE + 2);
		done();
	}
}

static void ip_does_not_wrap_within_an_instruction(void **state)
{
	soft_rig_create(&rig);
	cpu = rig.reset_state;
	cpu.segment[MW_CS].base = 0;
	cpu.rip = 0xffff;
	put(13 * 4, 0x02000000, 4);
	put(0xffff, 0x01b0, 2);
	cpu.gpr[MW_RSP] = 0x8000;
	run(1);
	assert_int_equal(cpu.segment[MW_CS].selector, 0x200);
	assert_int_equal(get(0x7ffa, 2), 0xffff);
	done();
}

/* The same bytes mean different things in different modes. */

static void code_is_kept_by_mode(void **state)
{
	paged(PAGING_LONG);
	CODE_AT(CODE, 0x48, 0xff, 0xc0, HLT); /* 64 bits: inc rax; 32 bits: dec eax; inc eax */
	cpu.gpr[MW_RAX] = UINT64_C(0x1ffffffff);
	run(60);
	assert_true(cpu.gpr[MW_RAX] == UINT64_C(0x200000000));
	cpu.run = MW_CPU_RUNNABLE;
	cpu.segment[MW_CS].attributes = 0xc09b;
	cpu.rip = CODE;
	run(60);
	assert_true(cpu.gpr[MW_RAX] == 0);
	done();
	protected_mode();
	CODE_AT(CODE, 0xb8, 0x11, 0x22, 0x90, 0x90, HLT);
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX], 0x90902211);
	cpu.run = MW_CPU_RUNNABLE;
	cpu.segment[MW_CS].attributes = 0x809b; /* 16 bits */
	cpu.rip = CODE;
	cpu.gpr[MW_RAX] = 0;
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX], 0x2211);
	cpu.run = MW_CPU_RUNNABLE;
	cpu.segment[MW_CS].attributes = 0xc09b;
	cpu.rip = CODE;
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX], 0x90902211);
	done();
}

/* A page at two addresses has RIP right at both. */
static void code_mapped_twice_knows_where_it_runs(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P);
	set_entry(LINEAR + 0x10000, 1, FRAME | P);
	CODE_AT(FRAME + 0x10, 0x48, 0x8d, 0x05, 0, 0, 0, 0, 0xc3); /* lea rax, [rip]; ret */
	CODE_AT(CODE, 0xff, 0xd3, 0x48, 0x89, 0xc2, 0xff, 0xd1,
		HLT); /* call rbx; mov rdx, rax; call rcx */
	cpu.gpr[MW_RBX] = LINEAR + 0x10;
	cpu.gpr[MW_RCX] = LINEAR + 0x10010;
	run(60);
	assert_int_equal(cpu.gpr[MW_RDX], LINEAR + 0x17);
	assert_int_equal(cpu.gpr[MW_RAX], LINEAR + 0x10017);
	done();
}

/* The place for decoded code is finite. */
static void a_full_arena_is_started_over(void **state)
{
	enum { JUMPS = 20000 };
	uint64_t flushes;

	protected_mode();
	rig.vm->blocks.capacity = 64 << 10;
	/* inc eax; jmp +10, over and over; then jmp back once, by ECX; hlt */
	for (unsigned i = 0; i < JUMPS; i++)
		put(0x200000 + i * 19, 0x10eb40, 3);
	CODE_AT(0x200000 + JUMPS * 19, 0x49, 0x74, 0x05, 0xe9); /* dec ecx; jz end; jmp */
	put(0x200004 + JUMPS * 19, (uint32_t) - (JUMPS * 19 + 8), 4);
	put(0x200008 + JUMPS * 19, HLT, 1);
	cpu.gpr[MW_RCX] = 3;
	cpu.rip = 0x200000;
	flushes = rig.cpu->counters.flushes;
	run(JUMPS * 8);
	assert_int_equal(cpu.run, MW_CPU_HALTED);
	assert_int_equal(cpu.gpr[MW_RAX], JUMPS * 3);
	assert_true(rig.cpu->counters.flushes > flushes + 100);
	assert_true(rig.cpu->counters.instructions == JUMPS * 6 + 9);
	done();
}

/* Counting: whatever the budget is, the same instructions run, and each is counted once. */

static void begin_counted(void)
{
	protected_mode();
	gate(IDT + 6 * 8, CODE_0, FUNCTION, 0x8f, 0);
	/* add dword [esp], 2; iret: over the UD2 */
	CODE_AT(FUNCTION, 0x83, 0x04, 0x24, 0x02, IRET);
	/* again: inc eax; cmp eax, 5; jz hit; inc ebx
	 * hit: mov ecx, eax; rep stosb; ud2; test eax, eax; jz end
	 * mov ecx, 0; rep stosb; cmp eax, 20; jne again
	 * end: hlt */
	CODE_AT(CODE, 0x40, 0x83, 0xf8, 0x05, 0x74, 0x01, 0x43, 0x89, 0xc1, 0xf3, 0xaa, 0x0f, 0x0b,
		0x85, 0xc0, 0x74, 0x0c, 0xb9, 0, 0, 0, 0, 0xf3, 0xaa, 0x83, 0xf8, 0x20, 0x75, 0xe3,
		HLT);
	cpu.gpr[MW_RDI] = 0x6000;
	soft_rig_set(&rig, &cpu);
}

/* 32 rounds: inc, cmp, jz, inc ebx (31 times), mov; n iterations; ud2 and its handler's two; test, jz, mov,
 * a REP of none, cmp, jne; and the HLT. */
static void instructions_are_counted_once_whatever_the_budget(void **state)
{
	static const unsigned budgets[] = { 1, 2, 3, 7, 47, 48, 49, 63, 200, 100000 };
	const int64_t wanted = 32 * (4 + 3 + 6) + 31 + 32 * 33 / 2 + 1;

	for (unsigned i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		int64_t total = 0, ran;

		begin_counted();
		do {
			ran = soft_run_cpu(rig.cpu, budgets[i]);
			assert_in_range(ran, 0, budgets[i]);
			total += ran;
		} while (ran);
		soft_rig_get(&rig, &cpu);
		assert_int_equal(cpu.rip, CODE + 30);
		assert_int_equal(cpu.gpr[MW_RAX], 32);
		assert_int_equal(cpu.gpr[MW_RBX], 31);
		assert_int_equal(cpu.gpr[MW_RDI], 0x6000 + 32 * 33 / 2);
		assert_int_equal(total, wanted);
		assert_int_equal(rig.cpu->counters.instructions, wanted);
		done();
	}
}

static void short_budgets_are_kept_to_the_instruction(void **state)
{
	for (unsigned i = 1; i < 47; i++) {
		begin_counted();
		assert_int_equal(soft_run_cpu(rig.cpu, i), i);
		done();
	}
}

static void stepping_comes_to_the_same_as_running(void **state)
{
	unsigned steps = 0;

	begin_counted();
	while (!rig.cpu->halted && steps < 10000) {
		soft_step(rig.cpu);
		steps++;
	}
	assert_int_equal(steps, 32 * (4 + 3 + 6) + 31 + 32 * 33 / 2 + 1);
	done();
}

/* A fault in the midst of a block leaves what came before done and what comes after undone. */
static void a_fault_in_a_block_is_exact(void **state)
{
	paged(PAGING_32);
	/* inc eax; inc ebx; mov [ecx], edx; inc eax; inc ebx */
	CODE_AT(CODE, 0x40, 0x43, 0x89, 0x11, 0x40, 0x43, HLT);
	CODE_AT(HANDLER + 14 * 16, HLT);
	cpu.gpr[MW_RCX] = LINEAR;
	run(60);
	assert_int_equal(cpu.gpr[MW_RAX], 1);
	assert_int_equal(cpu.gpr[MW_RBX], 1);
	assert_int_equal(cpu.rip, HANDLER + 14 * 16 + 1);
	ASSERT_STACK(cpu.gpr[MW_RSP], 4, 2, CODE + 2);
	assert_int_equal(rig.cpu->counters.instructions, 4);
	done();
}

static void a_compare_with_memory_that_faults_does_not_branch(void **state)
{
	paged(PAGING_LONG);
	CODE_AT(CODE, 0x48, 0x3b, 0x03, 0x74, 0x10, HLT); /* cmp rax, [rbx]; jz */
	cpu.gpr[MW_RBX] = LINEAR;
	cpu.rflags = 0x202;
	run(60);
	assert_int_equal(cpu.rip, HANDLER + 14 * 16 + 1);
	ASSERT_STACK(cpu.gpr[MW_RSP], 8, 0, CODE, CODE_0, 0x10202);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_store_into_the_next_instruction_counts),
		TEST(a_store_into_the_instruction_itself_counts_next_time),
		TEST(a_store_into_another_block_counts),
		TEST(one_store_after_another_counts),
		TEST(a_store_through_another_address_counts),
		TEST(a_store_after_a_read_counts),
		TEST(code_that_a_string_copies_counts),
		TEST(a_string_may_overwrite_its_own_block),
		TEST(any_kind_of_store_counts),
		TEST(stores_beside_code_leave_it_decoded),
		TEST(a_store_beside_code_counts_once_code_is_there),
		TEST(code_in_device_space_harms_nobody),
		TEST(both_halves_of_an_instruction_across_pages_may_change),
		TEST(code_in_real_mode_changes_too),
		TEST(what_a_device_writes_counts),
		TEST(an_instruction_whose_second_page_is_missing_faults_there),
		TEST(an_instruction_that_ends_with_its_page_needs_no_other),
		TEST(the_second_page_has_to_be_executable_as_well),
		TEST(instructions_are_15_bytes_long_at_most),
		TEST(too_many_prefixes_before_a_missing_page_are_gp),
		TEST(an_instruction_across_pages_is_each_cpus_own),
		TEST(code_ends_with_its_segment),
		TEST(ip_does_not_wrap_within_an_instruction),
		TEST(code_is_kept_by_mode),
		TEST(code_mapped_twice_knows_where_it_runs),
		TEST(a_full_arena_is_started_over),
		TEST(instructions_are_counted_once_whatever_the_budget),
		TEST(short_budgets_are_kept_to_the_instruction),
		TEST(stepping_comes_to_the_same_as_running),
		TEST(a_fault_in_a_block_is_exact),
		TEST(a_compare_with_memory_that_faults_does_not_branch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
