/* Page tables for tests of the software CPU. Reference: SDM vol. 3, chapter 4. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accel/soft/run.h"

#include "soft_paging_bench.h"

static enum paging paging;
static uint32_t next_table;

static unsigned levels(void)
{
	return 2 + paging;
}

static uint32_t index_of(uint64_t linear, unsigned level)
{
	unsigned bits = paging == PAGING_32 ? 10 : 9;

	return (uint32_t)(linear >> (12 + bits * (level - 1))) & ((1u << bits) - 1);
}

static unsigned entry_bytes(void)
{
	return paging == PAGING_32 ? 4 : 8;
}

uint32_t entry_at(uint64_t linear, unsigned level)
{
	uint32_t table = ROOT;

	for (unsigned l = levels(); l > level; l--) {
		uint32_t at = table + index_of(linear, l) * entry_bytes();
		bool pointer = paging == PAGING_PAE && l == 3;

		if (!get(at, entry_bytes())) {
			put(at, next_table | (pointer ? P : P | W | U), entry_bytes());
			next_table += PAGE;
		}
		table = (uint32_t)get(at, 4) & 0xfffff000;
	}
	return table + index_of(linear, level) * entry_bytes();
}

void set_entry(uint64_t linear, unsigned level, uint64_t entry)
{
	put(entry_at(linear, level), entry, entry_bytes());
}

uint64_t get_entry(uint64_t linear, unsigned level)
{
	return get(entry_at(linear, level), entry_bytes());
}

static void long_gates(void)
{
	for (unsigned i = 0; i < 32; i++) {
		gate(IDT + i * 16, CODE_0, HANDLER + 16 * i, 0x8e, 0);
		put(IDT + i * 16 + 8, 0, 8);
	}
	descriptor(CODE_0, 0, 0xfffff, 0xa09b);
	descriptor(CODE_3, 0, 0xfffff, 0xa0fb);
	put(GDT + THE_TSS + 8, 0, 8);
	put(TSS + 4, INNER_STACK, 8);
	cpu.segment[MW_CS].attributes = 0xa09b;
	cpu.efer = 0x500;
}

void paged(enum paging mode)
{
	protected_mode();
	paging = mode;
	next_table = ROOT + PAGE;
	for (uint32_t page = 0; page < SOFT_RIG_RAM_BYTES; page += PAGE)
		set_entry(page, 1, page | P | W | U);
	cpu.cr0 = 0x80010011;
	cpu.cr3 = ROOT;
	if (mode != PAGING_32)
		cpu.cr4 = 0x20;
	if (mode == PAGING_LONG)
		long_gates();
}

static bool in_long_mode(void)
{
	return cpu.efer & 0x400;
}

void at_paged_user_level(void)
{
	at_user_level();
	if (in_long_mode())
		cpu.segment[MW_CS].attributes = 0xa0fb;
}

void go_on(unsigned instructions)
{
	int64_t left = instructions, ran;

	do {
		ran = soft_run_cpu(rig.cpu, left);
		left -= ran;
	} while (ran && left > 0);
	soft_rig_get(&rig, &cpu);
}

int vector(void)
{
	uint64_t offset = cpu.rip - HANDLER;

	return offset < 16 * 32 && offset % 16 == 0 ? (int)(offset / 16) : NO_VECTOR;
}

uint64_t top(void)
{
	return get(cpu.gpr[MW_RSP], in_long_mode() ? 8 : 4);
}

void prepare(bool user)
{
	if (user) {
		at_paged_user_level();
	} else {
		cpu.segment[MW_CS].selector = CODE_0;
		cpu.segment[MW_CS].attributes = in_long_mode() ? 0xa09b : 0xc09b;
		for (unsigned i = MW_ES; i <= MW_DS; i++)
			if (i != MW_CS)
				cpu.segment[i] = soft_rig_segment(DATA_0, 0, 0xffffffff, 0xc093);
		cpu.gpr[MW_RSP] = STACK;
		cpu.rip = CODE;
	}
	cpu.rflags = 0x202;
}

int attempt(bool user)
{
	prepare(user);
	run(1);
	return vector();
}

int access_at(uint64_t linear, enum access access, bool user)
{
	static const uint8_t load[] = { 0x8b, 0x03 }, store[] = { 0x89, 0x03 };
	int got;

	cpu.gpr[MW_RBX] = linear;
	cpu.cr2 = 0;
	soft_rig_write(&rig, user ? USER_CODE : CODE, access == READ ? load : store, 2);
	prepare(user);
	if (access == FETCH)
		cpu.rip = linear;
	run(1);
	got = vector();
	if (got == NO_VECTOR)
		return NONE;
	return got == SOFT_PAGE ? (int)top() : OTHER;
}

void expect_bits(uint64_t linear, unsigned from, unsigned leaf, uint64_t bits)
{
	for (unsigned level = from; level >= leaf; level--)
		assert_int_equal(get_entry(linear, level) & (A | D),
				 level == leaf ? bits : bits & A);
}

int attempt_bytes(bool user, const uint8_t *bytes, unsigned count)
{
	soft_rig_write(&rig, user ? USER_CODE : CODE, bytes, count);
	return attempt(user);
}

int write_msr(uint32_t index, uint64_t value)
{
	cpu.gpr[MW_RCX] = index;
	cpu.gpr[MW_RAX] = (uint32_t)value;
	cpu.gpr[MW_RDX] = value >> 32;
	return ATTEMPT(false, 0x0f, 0x30);
}

uint64_t read_msr(uint32_t index)
{
	cpu.gpr[MW_RCX] = index;
	assert_int_equal(ATTEMPT(false, 0x0f, 0x32), NO_VECTOR);
	return cpu.gpr[MW_RDX] << 32 | cpu.gpr[MW_RAX];
}

void refuses(uint32_t index, uint64_t value)
{
	assert_int_equal(write_msr(index, value), SOFT_GP);
	assert_int_equal(top(), 0);
}

void keeps(uint32_t index, uint64_t value)
{
	assert_int_equal(write_msr(index, value), NO_VECTOR);
	assert_true(read_msr(index) == value);
}
