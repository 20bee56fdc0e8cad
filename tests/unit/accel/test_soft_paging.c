/* The software CPU's paging, run as guest code. Reference: SDM vol. 3, chapter 4. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/soft/memory.h"

#include "soft_paging_bench.h"

enum { PAGE_FAULT = 14, GENERAL = 13, STACK_FAULT = 12, ALIGNMENT = 17 };

/* What an access of one instruction comes to: a page fault's error code, or NONE. */
enum { NONE = -1, OTHER = -2 };
enum access { READ, WRITE, FETCH };

static int access_at(uint64_t linear, enum access access, bool user)
{
	static const uint8_t load[] = { 0x8b, 0x03 }, store[] = { 0x89, 0x03 };
	uint32_t at = user ? USER_CODE : CODE;
	int got;

	cpu.gpr[MW_RBX] = linear;
	cpu.cr2 = 0;
	soft_rig_write(&rig, at, access == READ ? load : store, 2);
	if (access == FETCH) {
		attempt(user); /* for its segments */
		cpu.segment[MW_CS].selector = user ? CODE_3 : CODE_0;
		cpu.rip = linear;
		cpu.gpr[MW_RSP] = user ? USER_STACK : STACK;
		run(1);
		got = vector();
	} else {
		got = attempt(user);
	}
	if (got == NO_VECTOR)
		return NONE;
	return got == PAGE_FAULT ? (int)top() : OTHER;
}

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
	set_entry(LINEAR, 2, UINT64_C(0x12400000) | 0x5a << 13 | P | W | LARGE);
	assert_int_equal(access_at(LINEAR + 4, READ, false), NONE);
	assert_int_equal(cpu.gpr[MW_RAX], 0xffffffff); /* nothing is there */
	assert_true(soft_translate(rig.cpu, LINEAR + 4, &physical));
	assert_true(physical == UINT64_C(0x5a12400004));
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
	set_entry(LINEAR, 2, (get_entry(LINEAR, 2) & 0xfffff000) | row->upper);
	set_entry(LINEAR, 1, FRAME | row->leaf);
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
static void check_reserved(unsigned level, uint64_t entry, uint64_t reserved)
{
	for (unsigned bit = 1; bit < 64; bit++) {
		uint64_t one = UINT64_C(1) << bit;

		if (!(reserved & one))
			continue;
		set_entry(LINEAR, level, entry | one);
		assert_int_equal(access_at(LINEAR, READ, false), 9);
		assert_int_equal(access_at(LINEAR, WRITE, true), 0xf);
		assert_int_equal(cpu.cr2, LINEAR);
	}
	set_entry(LINEAR, level, entry);
	assert_int_equal(access_at(LINEAR, READ, false), NONE);
}

static void reserved_bits_of_pae_fault(void **state)
{
	uint64_t upper, above = UINT64_C(0xffffff0000000000); /* 4.4.2: 62 to M, and XD */

	paged(PAGING_PAE);
	upper = get_entry(LINEAR, 2);
	set_entry(LINEAR, 1, FRAME | P);
	check_reserved(2, upper, above);
	check_reserved(1, FRAME | P, above);
	check_reserved(2, FRAME | P | LARGE, above | 0x1fe000);
	cpu.efer |= 0x800;
	check_reserved(2, FRAME | P | LARGE, above & ~NX);
	done();
}

static void reserved_bits_of_long_mode_fault(void **state)
{
	uint64_t above = UINT64_C(0x800fff0000000000); /* 51 to M, and XD; 62 to 52 are free */

	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME | P | UINT64_C(0x7ff) << 52 | 0xe00);
	assert_int_equal(access_at(LINEAR, READ, false), NONE);
	check_reserved(4, get_entry(LINEAR, 4), above | LARGE);
	check_reserved(3, get_entry(LINEAR, 3), above);
	check_reserved(2, get_entry(LINEAR, 2), above);
	check_reserved(1, FRAME | P, above);
	check_reserved(2, FRAME | P | LARGE, above | 0x1fe000);
	check_reserved(3, P | LARGE, above | 0x3fffe000);
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

static void expect_bits(uint64_t linear, unsigned from, unsigned leaf, uint64_t bits)
{
	for (unsigned level = from; level >= leaf; level--)
		assert_int_equal(get_entry(linear, level) & (A | D),
				 level == leaf ? bits : bits & A);
}

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
	CODE_AT(CODE, 0xff, 0xd3, 0xff, 0xd3, 0x0f, 0x01, 0x3b, 0xff, 0xd3); /* call rbx */
	cpu.gpr[MW_RBX] = LINEAR;
	run(6);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 1);
	set_entry(LINEAR, 1, FRAME_2 | P);
	go_on(3);
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
	/* call SMALL:80; invlpg [ebx]; call SMALL:80 */
	CODE_AT(CODE, 0x9a, 0x80, 0, 0, 0, SMALL, 0, 0x0f, 0x01, 0x3b, 0x9a, 0x80, 0, 0, 0, SMALL,
		0);
	cpu.gpr[MW_RBX] = LINEAR;
	run(3);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 1);
	set_entry(LINEAR, 1, FRAME_2 | P);
	go_on(3);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 2);
	done();
}

static void an_instruction_across_pages_is_found_after_invlpg_of_the_second(void **state)
{
	paged(PAGING_LONG);
	set_entry(LINEAR, 1, FRAME_2 | P);
	set_entry(LINEAR + PAGE, 1, FRAME | P);
	put(FRAME_2 + 0xfff, 0xb0, 1); /* mov al, 1 | ret */
	CODE_AT(FRAME, 0x01, 0xc3);
	CODE_AT(0x210000, 0x02, 0xc3);
	CODE_AT(CODE, 0xff, 0xd3, 0xff, 0xd3, 0x0f, 0x01, 0x7b, 0x01, 0xff, 0xd3);
	cpu.gpr[MW_RBX] = LINEAR + 0xfff;
	run(6);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 1);
	set_entry(LINEAR + PAGE, 1, 0x210000 | P);
	go_on(3);
	assert_int_equal(cpu.gpr[MW_RAX] & 0xff, 2);
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
	set_entry(LINEAR + PAGE, 1, 0x210000 | P | W);
	assert_int_equal(attempt(false), NO_VECTOR);
	assert_int_equal(get(FRAME + 0xffd, 3), 0x332211);
	assert_true(get(0x210000, 5) == UINT64_C(0x8877665544));
	set_entry(LINEAR, 1, FRAME | P);
	assert_int_equal(attempt(false), PAGE_FAULT);
	assert_int_equal(top(), 3);
	assert_int_equal(cpu.cr2, LINEAR + 0xffd);
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
	done();
}

/* SDM vol. 1, 3.3.7.1: canonical form. */

static void check_canonical(const uint8_t *bytes, unsigned count, int wanted)
{
	soft_rig_write(&rig, CODE, bytes, count);
	attempt(false);
	cpu.rip = CODE;
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
	attempt(false);
	cpu.gpr[MW_RSP] = STACK;
	cpu.rip = UINT64_C(0x7fffffffffff);
	run(1);
	assert_int_equal(vector(), GENERAL);
	put(FRAME + 0xfff, 0x90, 1);
	cpu.gpr[MW_RSP] = STACK;
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
	attempt(false);
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
	/* mov eax, [rbx+30]; mov [rbx+f0], esi; mov ebp, [rbx+f0]; wrmsr; mov edi, [rbx+30]; mov ebx,
	 * [rbx+1030] */
	CODE_AT(CODE, 0x8b, 0x7b, VERSION, 0x89, 0xb3, SPURIOUS, 0, 0, 0, 0x8b, 0xab, SPURIOUS, 0,
		0, 0, 0x0f, 0x30, 0x44, 0x8b, 0x43, VERSION, 0x8b, 0x9b, VERSION, 0x10, 0, 0);
	cpu.gpr[MW_RBX] = LINEAR;
	cpu.gpr[MW_RSI] = 0x1ff;
	cpu.gpr[MW_RCX] = 0x1b;
	cpu.gpr[MW_RAX] = FRAME_2 | 0x900;
	run(3);
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
		TEST(large_pages_are_dirty_where_they_end),
		TEST(faults_leave_the_entries_alone),
		TEST(invlpg_forgets_a_page),
		TEST(writes_of_cr3_and_cr4_forget_all),
		TEST(invlpg_of_any_address_in_a_large_page_forgets_all_of_it),
		TEST(invlpg_needs_privilege_and_takes_any_address),
		TEST(wp_and_nxe_count_at_once),
		TEST(code_that_is_mapped_elsewhere_is_found_after_invlpg),
		TEST(code_in_a_segment_with_a_base_is_found_after_invlpg),
		TEST(an_instruction_across_pages_is_found_after_invlpg_of_the_second),
		TEST(an_instruction_across_pages_is_found_after_many_flushes),
		TEST(a_store_across_pages_is_whole_or_not_at_all),
		TEST(a_load_across_pages_takes_both),
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
