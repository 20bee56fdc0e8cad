/* The software CPU's paging, run as guest code. Reference: SDM vol. 3, chapter 4. */
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

/* 4.3 to 4.5: the ways through the tables. */

static void pages_of_4_kib_are_found_in_every_mode(void **state)
{
	for (enum paging mode = PAGING_32; mode <= PAGING_LONG; mode++) {
		uint64_t linear = mode == PAGING_LONG ? UINT64_C(0xffffb12345678000) : 0xf2345000;

		paged(mode);
		set_entry(linear, 1, FRAME | P | W);
		cpu.gpr[MW_RAX] = 0x11223344;
		assert_int_equal(access_at(linear + 0x128, WRITE, false), NONE);
		assert_int_equal(get(FRAME + 0x128, 4), 0x11223344);
		put(FRAME + 0x12c, 0x55667788, 4);
		assert_int_equal(access_at(linear + 0x12c, READ, false), NONE);
		assert_int_equal(cpu.gpr[MW_RAX], 0x55667788);
		done();
	}
}

static void pages_of_4_mib_need_pse(void **state)
{
	paged(PAGING_32);
	put(0x123458, 0xabcdef01, 4);
	put(0x000140, 0, 4);
	set_entry(LINEAR, 2, P | W | LARGE); /* without PSE: a page table at 0 */
	assert_int_equal(access_at(LINEAR + 0x50000, READ, false), 0);
	cpu.cr4 = 0x10;
	assert_int_equal(access_at(LINEAR + 0x123458, READ, false), NONE);
	assert_int_equal(cpu.gpr[MW_RAX], 0xabcdef01);
	done();
}

static void pse_36_has_eight_more_address_bits(void **state)
{
	uint64_t physical;

	paged(PAGING_32);
	cpu.cr4 = 0x10;
	set_entry(LINEAR, 2, UINT64_C(0x12400000) | 0xda << 13 | P | W | LARGE);
	assert_int_equal(access_at(LINEAR + 4, READ, false), NONE);
	assert_int_equal(cpu.gpr[MW_RAX], 0xffffffff); /* nothing is there */
	assert_true(soft_translate(rig.cpu, LINEAR + 4, &physical));
	assert_true(physical == UINT64_C(0xda12400004));
	set_entry(LINEAR, 2, 1 << 21 | P | W | LARGE);
	assert_int_equal(access_at(LINEAR, READ, false), 9);
	done();
}

static void pages_of_2_mib_and_1_gib(void **state)
{
	paged(PAGING_PAE);
	set_entry(LINEAR, 2, FRAME | P | W | LARGE);
	put(0x323458, 0x01020304, 4);
	assert_int_equal(access_at(LINEAR + 0x123458, READ, false), NONE);
	assert_int_equal(cpu.gpr[MW_RAX], 0x01020304);
	done();
	paged(PAGING_LONG);
	set_entry(LINEAR, 2, FRAME | P | W | LARGE);
	put(0x323458, 0x01020304, 4);
	assert_int_equal(access_at(LINEAR + 0x123458, READ, false), NONE);
	assert_int_equal(cpu.gpr[MW_RAX], 0x01020304);
	set_entry(UINT64_C(0x7fc0000000), 3, P | W | LARGE);
	assert_int_equal(access_at(UINT64_C(0x7fc0323458), READ, false), NONE);
	assert_int_equal(cpu.gpr[MW_RAX], 0x01020304);
	done();
}

/* 4.4.1: PAE's four pointers are registers. */
static void pointers_of_pae_are_loaded_with_cr3(void **state)
{
	paged(PAGING_PAE);
	set_entry(0x40000000, 1, FRAME | P | W);
	put(FRAME, 0x1234, 4);
	/* mov eax, [ebx]; mov ecx, [ebx]; mov cr3, edx; mov ecx, [ebx] */
	CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x0b, 0x0f, 0x22, 0xda, 0x8b, 0x0b);
	cpu.gpr[MW_RBX] = 0x40000000;
	cpu.gpr[MW_RDX] = ROOT;
	run(1);
	put(ROOT + 8, 0, 8);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RCX], 0x1234);
	go_on(2);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(top(), 0);
	done();
}

static void reserved_bits_of_pae_pointers_are_gp(void **state)
{
	static const uint8_t reserved[] = { 1, 2, 5, 6, 7, 8, 40, 51, 52, 63 };

	paged(PAGING_PAE);
	CODE_AT(CODE, 0x0f, 0x22, 0xda); /* mov cr3, edx */
	for (unsigned i = 0; i < sizeof(reserved); i++) {
		cpu.gpr[MW_RDX] = 0x180020;
		put(0x180038, UINT64_C(1) << reserved[i] | P, 8);
		put(0x180020, get(ROOT, 8), 8);
		assert_int_equal(attempt(false), GENERAL);
		assert_int_equal(top(), 0);
		assert_int_equal(cpu.cr3, ROOT);
		put(0x180038, UINT64_C(1) << reserved[i], 8); /* not present: anything goes */
		assert_int_equal(attempt(false), NO_VECTOR);
		assert_int_equal(cpu.cr3, 0x180020);
		cpu.cr3 = ROOT;
	}
	/* CR0.CD brings them in too. */
	cpu.gpr[MW_RDX] = 0xc0010011;
	CODE_AT(CODE, 0x0f, 0x22, 0xc2); /* mov cr0, edx */
	prepare(false);
	put(ROOT + 8, 1, 8);
	run(0);
	put(ROOT + 8, 3, 8);
	go_on(1);
	assert_int_equal(vector(), GENERAL);
	assert_int_equal(cpu.cr0, 0x80010011);
	done();
}

/* 4.6 and 4.7: rights, and the error code. */

struct rights {
	uint64_t upper, leaf; /* bits of the entries besides the address */
	bool user, wp;
	int read, write, fetch;
};

static void check_rights(const struct rights *row)
{
	set_entry(LINEAR, 1, FRAME | row->leaf);
	set_entry(LINEAR, 2, (get_entry(LINEAR, 2) & 0xfffff000) | row->upper);
	cpu.cr0 = 0x80000011 | (row->wp ? 0x10000 : 0);
	assert_int_equal(access_at(LINEAR, READ, row->user), row->read);
	assert_int_equal(access_at(LINEAR, WRITE, row->user), row->write);
	assert_int_equal(access_at(LINEAR, FETCH, row->user), row->fetch);
}

static void rights_are_what_all_levels_grant(void **state)
{
	static const struct rights rows[] = {
		{ P | W | U, P | W | U, true, true, NONE, NONE, NONE },
		{ P | W | U, P | U, true, false, NONE, 7, NONE },
		{ P | U, P | W | U, true, false, NONE, 7, NONE },
		{ P | W | U, P | W, true, true, 5, 7, 5 },
		{ P | W, P | W | U, true, true, 5, 7, 5 },
		{ P | W | U, 0, true, true, 4, 6, 4 },
		{ 0, P | W | U, true, true, 4, 6, 4 },
		{ P | W, P | W, false, true, NONE, NONE, NONE },
		{ P | W, P, false, true, NONE, 3, NONE },
		{ P, P | W, false, true, NONE, 3, NONE },
		{ P | W, P, false, false, NONE, NONE, NONE },
		{ P | W | U, P | U, false, true, NONE, 3, NONE },
		{ P | W | U, P | U, false, false, NONE, NONE, NONE },
		{ P | W, 0, false, false, 0, 2, 0 },
	};

	for (enum paging mode = PAGING_32; mode <= PAGING_LONG; mode++) {
		paged(mode);
		put(FRAME, 0x9090909090909090, 8);
		cpu.gpr[MW_RAX] = 0x90909090;
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			check_rights(&rows[i]);
		done();
	}
}

static void nx_forbids_fetches_and_shows_in_the_error(void **state)
{
	static const struct rights rows[] = {
		{ P | W | U, P | W | U | NX, true, true, NONE, NONE, 0x15 },
		{ P | W | U | NX, P | W | U, true, true, NONE, NONE, 0x15 },
		{ P | W | U, P | W | NX, false, true, NONE, NONE, 0x11 },
		{ P | W | U, 0, true, true, 4, 6, 0x14 },
		{ P | W | U, 0, false, true, 0, 2, 0x10 },
		{ P | W | U, P | W, true, true, 5, 7, 0x15 },
	};

	for (enum paging mode = PAGING_PAE; mode <= PAGING_LONG; mode++) {
		paged(mode);
		put(FRAME, 0x9090909090909090, 8);
		cpu.gpr[MW_RAX] = 0x90909090;
		cpu.efer |= 0x800;
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			check_rights(&rows[i]);
		done();
	}
}

/* The bits of a level's entry that have to be clear are reported, and come before the rights. */
static void check_reserved(uint64_t linear, unsigned level, uint64_t entry, uint64_t reserved)
{
	for (unsigned bit = 1; bit < 64; bit++) {
		uint64_t one = UINT64_C(1) << bit;

		if (!(reserved & one))
			continue;
		set_entry(linear, level, entry | one);
		assert_int_equal(access_at(linear, READ, false), 9);
		assert_int_equal(access_at(linear, WRITE, true), 0xf);
		assert_int_equal(cpu.cr2, linear);
	}
	set_entry(linear, level, entry);
	assert_int_equal(access_at(linear, READ, false), NONE);
}

static void reserved_bits_of_pae_fault(void **state)
{
	uint64_t upper, above = UINT64_C(0xffffff0000000000); /* 4.4.2: 62 to M, and XD */

	paged(PAGING_PAE);
	set_entry(LINEAR, 1, FRAME | P);
	upper = get_entry(LINEAR, 2);
	check_reserved(LINEAR, 2, upper, above);
	check_reserved(LINEAR, 1, FRAME | P, above);
	check_reserved(LINEAR, 2, FRAME | P | LARGE, above | 0x1fe000);
	cpu.efer |= 0x800;
	check_reserved(LINEAR, 2, FRAME | P | LARGE, above & ~NX);
	done();
}

static void reserved_bits_of_long_mode_fault(void **state)
{
	uint64_t above = UINT64_C(0x800fff0000000000); /* 51 to M, and XD; 62 to 52 are free */
	uint64_t linear = UINT64_C(0xffff812345678000);

	paged(PAGING_LONG);
	set_entry(linear, 1, FRAME | P | UINT64_C(0x7ff) << 52 | 0xe00);
	assert_int_equal(access_at(linear, READ, false), NONE);
	check_reserved(linear, 4, get_entry(linear, 4), above | LARGE);
	check_reserved(linear, 3, get_entry(linear, 3), above);
	check_reserved(linear, 2, get_entry(linear, 2), above);
	check_reserved(linear, 1, FRAME | P, above);
	check_reserved(linear, 2, FRAME | P | LARGE, above | 0x1fe000);
	check_reserved(linear, 3, P | LARGE, above | 0x3fffe000);
	done();
}

/* The handler's own page is executable, but a fetch with XD set in an entry is reserved without NXE. */
static void without_nxe_a_fetch_is_told_by_no_bit(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P | NX);
	assert_int_equal(access_at(LINEAR, FETCH, false), 9);
	set_entry(LINEAR, 1, 0);
	assert_int_equal(access_at(LINEAR, FETCH, true), 4);
	done();
}

/* 4.8: accessed and dirty. */

static void reads_set_accessed_and_writes_dirty_in_the_last_entry(void **state)
{
	static const uint8_t tops[] = { [PAGING_32] = 2, [PAGING_PAE] = 2, [PAGING_LONG] = 4 };

	for (enum paging mode = PAGING_32; mode <= PAGING_LONG; mode++) {
		uint64_t linear = mode == PAGING_LONG ? UINT64_C(0xffff812345678000) : 0xf2345000;

		paged(mode);
		set_entry(linear, 1, FRAME | P | W | U);
		put(FRAME, 0x90909090, 4);
		access_at(linear, READ, true);
		expect_bits(linear, tops[mode], 1, A);
		access_at(linear, WRITE, false);
		expect_bits(linear, tops[mode], 1, A | D);
		set_entry(linear, 1, FRAME | P | W | U);
		access_at(linear, FETCH, true);
		expect_bits(linear, tops[mode], 1, A);
		done();
	}
}

static void a_write_after_a_read_is_noticed(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P | W);
	CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x03, 0x89,
		0x03); /* twice mov eax, [rbx]; mov [rbx], eax */
	cpu.gpr[MW_RBX] = LINEAR;
	run(2);
	expect_bits(LINEAR, 4, 1, A);
	go_on(1);
	expect_bits(LINEAR, 4, 1, A | D);
	done();
}

/* What a read has found says nothing about writes and fetches, even where the entry is dirty. */
static void reads_open_a_page_for_nothing_else(void **state)
{
	paged(PAGING_LONG);
	cpu.efer |= 0x800;
	set_entry(LINEAR, 1, FRAME | P | A | D | NX);
	put(FRAME, 0x9090909090909090, 8);
	CODE_AT(CODE, 0x8b, 0x03, 0x89, 0x03); /* mov eax, [rbx]; mov [rbx], eax */
	cpu.gpr[MW_RBX] = LINEAR;
	run(2);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(top(), 3);
	CODE_AT(CODE, 0x8b, 0x03, 0xff, 0xe3); /* mov eax, [rbx]; jmp rbx */
	prepare(false);
	run(3);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(top(), 0x11);
	done();
}

static void large_pages_are_dirty_where_they_end(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 2, FRAME | P | W | LARGE);
	access_at(LINEAR, READ, false);
	expect_bits(LINEAR, 4, 2, A);
	access_at(LINEAR + 0x1000, WRITE, false);
	expect_bits(LINEAR, 4, 2, A | D);
	set_entry(UINT64_C(0x7fc0000000), 3, P | W | LARGE);
	access_at(UINT64_C(0x7fc0200000), WRITE, false);
	expect_bits(UINT64_C(0x7fc0000000), 4, 3, A | D);
	done();
	paged(PAGING_32);
	cpu.cr4 = 0x10;
	set_entry(LINEAR, 2, P | W | LARGE);
	access_at(LINEAR + 0x200000, WRITE, false);
	expect_bits(LINEAR, 2, 2, A | D);
	done();
}

/* The processor may set accessed on the way to a fault; this one does not. Dirty it must not. */
static void faults_leave_the_entries_alone(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P);
	assert_int_equal(access_at(LINEAR, WRITE, false), 3);
	assert_int_equal(access_at(LINEAR, READ, true), 5);
	expect_bits(LINEAR, 2, 1, 0);
	CODE_AT(CODE, 0x01, 0x03); /* add [rbx], eax */
	cpu.gpr[MW_RBX] = LINEAR;
	assert_int_equal(attempt(false), PAGE_FAULT);
	assert_int_equal(top(), 3); /* the write's, not the read's */
	expect_bits(LINEAR, 2, 1, 0);
	done();
}

/* 4.10: translations are kept until they are given up. The host changes tables behind the CPU's back. */

static void begin_stale(enum paging mode, uint64_t entry, unsigned level)
{
	paged(mode);
	if (mode == PAGING_32)
		cpu.cr4 = 0x10;
	set_entry(LINEAR, level, entry);
	put(FRAME, 0x1111, 4);
	put(FRAME_2, 0x2222, 4);
	cpu.gpr[MW_RBX] = LINEAR;
	cpu.gpr[MW_RDI] = ROOT;
	cpu.gpr[MW_RSI] = 0xa0; /* CR4.PGE and PAE */
}

/* mov eax, [rbx]; mov ecx, [rbx]; what forgets; mov edx, [rbx] */
static void expect_stale_until_forgotten(void)
{
	run(1);
	assert_int_equal(cpu.gpr[MW_RAX], 0x1111);
	set_entry(LINEAR, 1, FRAME_2 | P | W);
	go_on(1);
	assert_int_equal(cpu.gpr[MW_RCX], 0x1111);
	go_on(2);
	assert_int_equal(cpu.gpr[MW_RDX], 0x2222);
	done();
}

static void invlpg_forgets_a_page(void **state)
{
	begin_stale(PAGING_LONG, FRAME | P | W | 0x100, 1); /* global pages too */
	CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x0b, 0x0f, 0x01, 0x3b, 0x8b, 0x13);
	expect_stale_until_forgotten();
	begin_stale(PAGING_32, FRAME | P | W, 1);
	CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x0b, 0x0f, 0x01, 0x3b, 0x8b, 0x13);
	expect_stale_until_forgotten();
}

static void writes_of_cr3_and_cr4_forget_all(void **state)
{
	begin_stale(PAGING_LONG, FRAME | P | W, 1);
	CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x0b, 0x0f, 0x22, 0xdf, 0x8b, 0x13);
	expect_stale_until_forgotten();
	begin_stale(PAGING_PAE, FRAME | P | W, 1);
	CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x0b, 0x0f, 0x22, 0xdf, 0x8b, 0x13);
	expect_stale_until_forgotten();
	begin_stale(PAGING_LONG, FRAME | P | W | 0x100, 1);
	CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x0b, 0x0f, 0x22, 0xe6, 0x8b, 0x13);
	expect_stale_until_forgotten();
}

static void invlpg_of_any_address_in_a_large_page_forgets_all_of_it(void **state)
{
	begin_stale(PAGING_LONG, FRAME | P | W | LARGE, 2);
	/* mov eax, [rbx]; mov ecx, [rbx+1000]; invlpg [rbx+1ff000]; both again */
	CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x8b, 0, 0x10, 0, 0, 0x0f, 0x01, 0xbb, 0, 0xf0, 0x1f, 0,
		0x8b, 0x03, 0x8b, 0x8b, 0, 0x10, 0, 0);
	run(2);
	assert_int_equal(cpu.gpr[MW_RCX], 0x2222);
	set_entry(LINEAR, 2, P | W | LARGE); /* frames 0 and 1000 */
	put(0, 0x3333, 4);
	put(0x1000, 0x4444, 4);
	go_on(3);
	assert_int_equal(cpu.gpr[MW_RAX], 0x3333);
	assert_int_equal(cpu.gpr[MW_RCX], 0x4444);
	done();
}

/* What users have looked up is forgotten with it. */
static void invlpg_counts_for_users(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P | U);
	put(FRAME, 0x1111, 4);
	put(FRAME_2, 0x2222, 4);
	gate(IDT + 0x30 * 16, CODE_0, HANDLER + 0x400, 0xee, 0);
	put(IDT + 0x30 * 16 + 8, 0, 8);
	CODE_AT(HANDLER + 0x400, 0x0f, 0x01, 0x3b, 0x48, IRET);
	CODE_AT(USER_CODE, 0x8b, 0x03, 0xcd, 0x30, 0x8b,
		0x13); /* mov eax, [rbx]; int 30; mov edx, [rbx] */
	prepare(true);
	cpu.gpr[MW_RBX] = LINEAR;
	run(1);
	assert_int_equal(cpu.gpr[MW_RAX], 0x1111);
	set_entry(LINEAR, 1, FRAME_2 | P | U);
	go_on(4);
	assert_int_equal(cpu.rip, USER_CODE + 6);
	assert_int_equal(cpu.gpr[MW_RDX], 0x2222);
	done();
}

/* Generations of translations are counted anew after 4,095 flushes. */
static void what_is_forgotten_stays_forgotten(void **state)
{
	for (unsigned user = 0; user < 2; user++) {
		paged(PAGING_LONG);
		set_entry(LINEAR, 1, FRAME | P | U);
		put(FRAME, 0x1111, 4);
		put(FRAME_2, 0x2222, 4);
		CODE_AT(CODE, 0x8b, 0x03, 0x8b, 0x13); /* mov eax, [rbx]; mov edx, [rbx] */
		CODE_AT(USER_CODE, 0x8b, 0x03, 0x8b, 0x13);
		prepare(user);
		cpu.gpr[MW_RBX] = LINEAR;
		run(1);
		assert_int_equal(cpu.gpr[MW_RAX], 0x1111);
		set_entry(LINEAR, 1, FRAME_2 | P | U);
		for (unsigned i = 0; i < 4095; i++)
			soft_tlb_flush(rig.cpu);
		go_on(1);
		assert_int_equal(cpu.gpr[MW_RDX], 0x2222);
		done();
	}
}

static void invlpg_needs_privilege_and_takes_any_address(void **state)
{
	paged(PAGING_LONG);
	CODE_AT(CODE, 0x0f, 0x01, 0x3b);
	CODE_AT(USER_CODE, 0x0f, 0x01, 0x3b);
	cpu.gpr[MW_RBX] = UINT64_C(0x800000000000);
	assert_int_equal(attempt(false), NO_VECTOR);
	assert_int_equal(attempt(true), GENERAL);
	done();
}

static void wp_and_nxe_count_at_once(void **state)
{
	paged(PAGING_LONG);
	cpu.cr0 = 0x80000011;
	set_entry(LINEAR, 1, FRAME | P);
	/* mov [rbx], eax; mov cr0, rdx; mov [rbx], eax */
	CODE_AT(CODE, 0x89, 0x03, 0x0f, 0x22, 0xc2, 0x89, 0x03);
	cpu.gpr[MW_RBX] = LINEAR;
	cpu.gpr[MW_RDX] = 0x80010011;
	run(3);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(top(), 3);
	done();
	paged(PAGING_LONG);
	cpu.efer |= 0x800;
	set_entry(LINEAR, 1, FRAME | P | NX);
	/* mov eax, [rbx]; wrmsr; mov esi, [rbx] */
	CODE_AT(CODE, 0x8b, 0x33, 0x0f, 0x30, 0x8b, 0x33);
	cpu.gpr[MW_RBX] = LINEAR;
	cpu.gpr[MW_RCX] = 0xc0000080;
	cpu.gpr[MW_RAX] = 0x500;
	cpu.gpr[MW_RDX] = 0;
	run(3);
	assert_int_equal(vector(), PAGE_FAULT);
	assert_int_equal(top(), 9);
	done();
}

/* Code is found through the same translations. */
static void code_that_is_mapped_elsewhere_is_found_after_invlpg(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P);
	CODE_AT(FRAME, 0xb0, 0x01, 0xc3);
	CODE_AT(FRAME_2, 0xb0, 0x02, 0xc3);
	/* twice call rbx; hlt; invlpg [rbx]; call rbx; hlt */
	CODE_AT(CODE, 0xff, 0xd3, 0xff, 0xd3, HLT, 0x0f, 0x01, 0x3b, 0xff, 0xd3, HLT);
	cpu.gpr[MW_RBX] = LINEAR;
	run(60); /* whole blocks, found by their RIP */
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 1);
	set_entry(LINEAR, 1, FRAME_2 | P);
	rig.cpu->halted = false;
	go_on(60);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 2);
	done();
}

/* The callee's segment has a base: the page it lies in has nothing to do with its RIP. */
static void code_in_a_segment_with_a_base_is_found_after_invlpg(void **state)
{
	paged(PAGING_32);
	set_entry(LINEAR, 1, FRAME | P);
	descriptor(SMALL, LINEAR, 0xffff, 0x409b);
	CODE_AT(FRAME + 0x80, 0xb0, 0x01, 0xcb);
	CODE_AT(FRAME_2 + 0x80, 0xb0, 0x02, 0xcb);
	/* call SMALL:80; hlt; invlpg [ebx]; call SMALL:80; hlt */
	CODE_AT(CODE, 0x9a, 0x80, 0, 0, 0, SMALL, 0, HLT, 0x0f, 0x01, 0x3b, 0x9a, 0x80, 0, 0, 0,
		SMALL, 0, HLT);
	cpu.gpr[MW_RBX] = LINEAR;
	run(60); /* whole blocks, found by their RIP */
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 1);
	set_entry(LINEAR, 1, FRAME_2 | P);
	rig.cpu->halted = false;
	go_on(60);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 2);
	done();
}

static void check_span(uint64_t forgotten, uint64_t linear, uint32_t frame)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME_2 | P);
	set_entry(LINEAR + PAGE, 1, FRAME | P);
	put(FRAME_2 + 0xfff, 0xb0, 1); /* mov al, 1 | ret */
	CODE_AT(FRAME, 0x01, 0xc3);
	CODE_AT(0x210000, 0x02, 0xc3);
	put(0x210fff, 0xb4, 1); /* mov ah, 1 | ret */
	/* twice call rbx; invlpg [rsi]; call rbx */
	CODE_AT(CODE, 0xff, 0xd3, 0xff, 0xd3, 0x0f, 0x01, 0x3e, 0xff, 0xd3);
	cpu.gpr[MW_RBX] = LINEAR + 0xfff;
	cpu.gpr[MW_RSI] = forgotten;
	run(6);
	assert_int_equal(cpu.gpr[MW_RAX], 1);
	set_entry(linear, 1, frame | P);
	go_on(3);
}

static void an_instruction_across_pages_is_found_after_invlpg_of_either(void **state)
{
	check_span(LINEAR + PAGE, LINEAR + PAGE, 0x210000);
	assert_int_equal(cpu.gpr[MW_RAX], 2);
	done();
	check_span(LINEAR, LINEAR, 0x210000);
	assert_int_equal(cpu.gpr[MW_RAX], 0x101);
	done();
}

/* Generations of translations run out after 4,095 flushes and are counted anew. */
static void an_instruction_across_pages_is_found_after_many_flushes(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME_2 | P);
	set_entry(LINEAR + PAGE, 1, FRAME | P);
	put(FRAME_2 + 0xfff, 0xb0, 1);
	CODE_AT(FRAME, 0x01, 0xc3);
	CODE_AT(0x210000, 0x02, 0xc3);
	/* call rbx; again: mov cr3, rdi; loop again; call rbx */
	CODE_AT(CODE, 0xff, 0xd3, 0x0f, 0x22, 0xdf, 0xe2, 0xfb, 0xff, 0xd3);
	cpu.gpr[MW_RBX] = LINEAR + 0xfff;
	cpu.gpr[MW_RDI] = ROOT;
	cpu.gpr[MW_RCX] = 4095;
	run(3);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 1);
	set_entry(LINEAR + PAGE, 1, 0x210000 | P);
	go_on(2 * 4095 + 3);
	assert_int_equal(cpu.rip, CODE + 9);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 2);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_of_4_kib_are_found_in_every_mode),
		TEST(pages_of_4_mib_need_pse),
		TEST(pse_36_has_eight_more_address_bits),
		TEST(pages_of_2_mib_and_1_gib),
		TEST(pointers_of_pae_are_loaded_with_cr3),
		TEST(reserved_bits_of_pae_pointers_are_gp),
		TEST(rights_are_what_all_levels_grant),
		TEST(nx_forbids_fetches_and_shows_in_the_error),
		TEST(reserved_bits_of_pae_fault),
		TEST(reserved_bits_of_long_mode_fault),
		TEST(without_nxe_a_fetch_is_told_by_no_bit),
		TEST(reads_set_accessed_and_writes_dirty_in_the_last_entry),
		TEST(a_write_after_a_read_is_noticed),
		TEST(reads_open_a_page_for_nothing_else),
		TEST(large_pages_are_dirty_where_they_end),
		TEST(faults_leave_the_entries_alone),
		TEST(invlpg_forgets_a_page),
		TEST(writes_of_cr3_and_cr4_forget_all),
		TEST(invlpg_of_any_address_in_a_large_page_forgets_all_of_it),
		TEST(invlpg_counts_for_users),
		TEST(what_is_forgotten_stays_forgotten),
		TEST(invlpg_needs_privilege_and_takes_any_address),
		TEST(wp_and_nxe_count_at_once),
		TEST(code_that_is_mapped_elsewhere_is_found_after_invlpg),
		TEST(code_in_a_segment_with_a_base_is_found_after_invlpg),
		TEST(an_instruction_across_pages_is_found_after_invlpg_of_either),
		TEST(an_instruction_across_pages_is_found_after_many_flushes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
