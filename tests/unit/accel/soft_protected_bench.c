/* The machine that tests of the software CPU's system side run guest code in. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "soft_protected_bench.h"

struct soft_rig rig;
struct mw_cpu_state cpu;

void put(uint32_t address, uint64_t value, unsigned size)
{
	soft_rig_write(&rig, address, &value, size);
}

uint64_t get(uint64_t address, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, rig.ram + address, size);
	return value;
}

void descriptor(unsigned selector, uint32_t base, uint32_t limit, unsigned attributes)
{
	uint64_t value = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
			 (uint64_t)attributes << 40 | (uint64_t)(limit >> 16 & 15) << 48 |
			 (uint64_t)(base >> 24) << 56;

	put(GDT + (selector & ~7u), value, 8);
}

void gate(uint32_t at, unsigned selector, uint32_t offset, unsigned attributes, unsigned parameters)
{
	put(at,
	    (offset & 0xffff) | selector << 16 | (uint64_t)(offset >> 16) << 48 |
		    (uint64_t)attributes << 40 | (uint64_t)parameters << 32,
	    8);
}

void idt_gate(unsigned vector, uint32_t offset, unsigned attributes)
{
	gate(IDT + vector * 8, CODE_0, offset, attributes, 0);
}

void protected_mode(void)
{
	soft_rig_create(&rig);
	cpu = rig.reset_state;
	descriptor(CODE_0, 0, 0xfffff, 0xc09b);
	descriptor(DATA_0, 0, 0xfffff, 0xc093);
	descriptor(CODE_3, 0, 0xfffff, 0xc0fb);
	descriptor(DATA_3, 0, 0xfffff, 0xc0f3);
	descriptor(THE_TSS, TSS, 0x1ff, 0x008b);
	descriptor(OTHER_TSS, TSS_2, 0x67, 0x0089);
	descriptor(ABSENT, 0, 0xfffff, 0xc013);
	descriptor(LOW_STACK, 0, 0x0fff, 0x0097);
	descriptor(SMALL, 0x5000, 0xff, 0x0093);
	for (unsigned i = 0; i < 32; i++) {
		idt_gate(i, HANDLER + 16 * i, 0x8e);
		put(HANDLER + 16 * i, HLT, 1);
	}
	put(TSS + 4, INNER_STACK, 4);
	put(TSS + 8, DATA_0, 4);
	cpu.cr0 = 0x11;
	cpu.rflags = 0x202;
	cpu.rip = CODE;
	cpu.gpr[MW_RSP] = STACK;
	cpu.gdt = (struct mw_table_register){ GDT, 0xff };
	cpu.idt = (struct mw_table_register){ IDT, 0x7ff };
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		cpu.segment[i] = soft_rig_segment(DATA_0, 0, 0xffffffff, 0xc093);
	cpu.segment[MW_CS] = soft_rig_segment(CODE_0, 0, 0xffffffff, 0xc09b);
	cpu.segment[MW_TR] = soft_rig_segment(THE_TSS, TSS, 0x1ff, 0x8b);
}

void at_user_level(void)
{
	cpu.segment[MW_CS] = soft_rig_segment(CODE_3, 0, 0xffffffff, 0xc0fb);
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		if (i != MW_CS)
			cpu.segment[i] = soft_rig_segment(DATA_3, 0, 0xffffffff, 0xc0f3);
	cpu.gpr[MW_RSP] = USER_STACK;
	cpu.rip = USER_CODE;
}

void run(unsigned instructions)
{
	soft_rig_set(&rig, &cpu);
	soft_rig_step(&rig, instructions);
	soft_rig_get(&rig, &cpu);
}

void run_into(unsigned vector)
{
	run(20);
	assert_int_equal(cpu.run, MW_CPU_HALTED);
	assert_int_equal(cpu.rip, HANDLER + 16 * vector + 1);
}

void assert_words(uint64_t at, unsigned size, unsigned count, const uint64_t *words)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(get(at + i * size, size), words[i]);
}

void done(void)
{
	soft_rig_destroy(&rig);
}
