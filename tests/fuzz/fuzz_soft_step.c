/** Bytes as a whole world for the software CPU: mode, registers, changes to tables and page tables, code. It
 * runs up to 2,000 instructions; nothing may crash, hang or reach past guest RAM, which lies between
 * inaccessible pages. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "accel/soft/run.h"
#include "accel/soft/system/system.h"
#include "tests/support/soft_rig.h"

enum { MOST_INSTRUCTIONS = 2000, MOST_CHANGES = 64, CODE_BYTES = 0x2000 };
/* Physical and, where paging is on, linear as well. */
enum {
	TABLES = 0x1000, /* root and what hangs from it: one page each */
	GDT = 0x8000,
	IDT = 0x9000,
	TSS = 0xa000,
	STACK = 0xe000,
	CODE = 0x10000,
	DATA = 0x20000,
	GDT_BYTES = 0x80
};
enum mode {
	REAL,
	UNREAL,
	PROTECTED_16,
	PROTECTED_32,
	PAGED_32,
	PAGED_PAE,
	VIRTUAL_86,
	COMPATIBILITY,
	LONG,
	LONG_USER,
	MODES
};
enum { KERNEL_32 = 0x08, DATA_32 = 0x10, KERNEL_16 = 0x18, USER_32 = 0x23, USER_DATA = 0x2b };
enum {
	KERNEL_64 = 0x30,
	USER_64 = 0x3b,
	TASK = 0x40,
	LOCAL = 0x50,
	CALL_GATE = 0x60,
	OLD_TASK = 0x70
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

struct reader {
	const uint8_t *bytes;
	size_t rest;
};

static uint64_t take(struct reader *reader, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size && reader->rest; i++, reader->rest--)
		value |= (uint64_t)*reader->bytes++ << 8 * i;
	return value;
}

static void put(struct soft_rig *rig, uint64_t at, uint64_t value)
{
	memcpy(rig->ram + at, &value, sizeof(value));
}

static void put32(struct soft_rig *rig, uint64_t at, uint32_t value)
{
	memcpy(rig->ram + at, &value, sizeof(value));
}

static bool is_long(enum mode mode)
{
	return mode >= COMPATIBILITY;
}

static bool is_user(enum mode mode)
{
	return mode == LONG_USER || mode == COMPATIBILITY || mode == VIRTUAL_86;
}

/* All RAM at its own address, pages of 4 KiB in the first 2 MiB, a large one behind. */
static void make_page_tables(struct soft_rig *rig, enum mode mode)
{
	const uint64_t flags = 7;
	bool wide = mode == PAGED_PAE || is_long(mode);
	unsigned table = TABLES;

	for (unsigned i = 0; is_long(mode) && i < 1; i++, table += 0x1000)
		put(rig, table, (table + 0x1000) | flags);
	if (wide) {
		put(rig, table, (table + 0x1000) | (is_long(mode) ? flags : 1));
		table += 0x1000;
		put(rig, table, (table + 0x1000) | flags);
		put(rig, table + 8, 0x200000 | flags | 0x80);
	} else {
		put32(rig, table, (table + 0x1000) | (uint32_t)flags);
		put32(rig, table + 4, 0x400000 | (uint32_t)flags | 0x80);
	}
	table += 0x1000;
	for (unsigned i = 0; i < (wide ? 512u : 1024u); i++) {
		if (wide)
			put(rig, table + 8 * i, i << 12 | flags);
		else
			put32(rig, table + 4 * i, i << 12 | (uint32_t)flags);
	}
}

static void make_gdt(struct soft_rig *rig)
{
	static const uint64_t entries[] = { 0,
					    0x00cf9a000000ffff,
					    0x00cf92000000ffff,
					    0x00009a000000ffff,
					    0x00cffa000000ffff,
					    0x00cff2000000ffff,
					    0x00af9a000000ffff,
					    0x00affa000000ffff,
					    0x0000890000000067 | (uint64_t)TSS << 16,
					    0,
					    0x0000820000000067 | (uint64_t)(GDT + 8) << 16,
					    0,
					    0x0000ec0000080000 | (CODE + 0x40),
					    0,
					    0x0000810000000067 | (uint64_t)(TSS + 0x200) << 16,
					    0 };

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		put(rig, GDT + 8 * i, entries[i]);
}

/* Every handler is a place in the code, so that the world goes on after a fault. */
static void make_idt(struct soft_rig *rig, enum mode mode)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t offset = CODE + 0x10 + 32 * (i % 32),
			 gate = (uint64_t)(i & 1 ? 0xee : 0x8f) << 40;

		if (mode == REAL || mode == UNREAL)
			put32(rig, 4 * i, CODE << 12 | (uint32_t)(offset - CODE));
		else if (is_long(mode)) {
			put(rig, IDT + 16 * i,
			    (offset & 0xffff) | (uint64_t)KERNEL_64 << 16 | gate |
				    (offset >> 16) << 48);
			put(rig, IDT + 16 * i + 8, 0);
		} else
			put(rig, IDT + 8 * i,
			    (offset & 0xffff) | (uint64_t)KERNEL_32 << 16 | gate |
				    (offset >> 16) << 48);
	}
	put32(rig, TSS + 4, STACK);
	put32(rig, TSS + 8, is_long(mode) ? 0 : DATA_32);
	put32(rig, TSS + 0x24, STACK); /* IST1 */
	put32(rig, TSS + 0x64, 0x00680000);
}

static void set_code_segment(struct mw_cpu_state *state, enum mode mode)
{
	static const struct {
		uint16_t selector, attributes;
		uint32_t limit, base;
	} rows[MODES] = {
		[REAL] = { CODE >> 4, 0x9b, 0xffff, CODE },
		[UNREAL] = { CODE >> 4, 0x9b, 0xffff, CODE },
		[PROTECTED_16] = { KERNEL_16, 0x009b, 0x1ffff, 0 },
		[PROTECTED_32] = { KERNEL_32, 0xc09b, 0xffffffff, 0 },
		[PAGED_32] = { KERNEL_32, 0xc09b, 0xffffffff, 0 },
		[PAGED_PAE] = { KERNEL_32, 0xc09b, 0xffffffff, 0 },
		[VIRTUAL_86] = { CODE >> 4, 0xf3, 0xffff, CODE },
		[COMPATIBILITY] = { USER_32, 0xc0fb, 0xffffffff, 0 },
		[LONG] = { KERNEL_64, 0xa09b, 0xffffffff, 0 },
		[LONG_USER] = { USER_64, 0xa0fb, 0xffffffff, 0 },
	};

	state->segment[MW_CS] = soft_rig_segment(rows[mode].selector, rows[mode].base,
						 rows[mode].limit, rows[mode].attributes);
	state->rip = CODE - rows[mode].base;
}

static void set_data_segments(struct reader *reader, struct mw_cpu_state *state, enum mode mode)
{
	static const enum mw_segment_name names[] = { MW_ES, MW_SS, MW_DS, MW_FS, MW_GS };
	bool paragraphs = mode == REAL || mode == VIRTUAL_86 || mode == UNREAL;

	for (size_t i = 0; i < 5; i++) {
		uint16_t selector = (uint16_t)take(reader, 2);
		struct mw_segment segment =
			soft_rig_segment(is_user(mode) ? USER_DATA : DATA_32, 0, 0xffffffff,
					 is_user(mode) ? 0xc0f3 : 0xc093);

		if (paragraphs)
			segment = soft_rig_segment(selector, (uint64_t)selector << 4,
						   mode == UNREAL ? 0xffffffff : 0xffff,
						   mode == VIRTUAL_86 ? 0xf3 : 0x93);
		else if (selector & 1 && names[i] != MW_SS && !is_long(mode))
			segment.base = selector, segment.limit = 0xfff;
		if (is_long(mode) && i > 2)
			segment.base = selector;
		state->segment[names[i]] = segment;
	}
}

static void set_control(struct mw_cpu_state *state, enum mode mode, uint64_t noise)
{
	bool paged = mode >= PAGED_32;

	state->cr0 =
		SOFT_CR0_ET | SOFT_CR0_NE | (noise & (SOFT_CR0_WP | SOFT_CR0_AM | SOFT_CR0_MP));
	if (mode >= PROTECTED_16)
		state->cr0 |= SOFT_CR0_PE;
	if (paged)
		state->cr0 |= SOFT_CR0_PG;
	state->cr3 = TABLES;
	state->cr4 = SOFT_CR4_OSFXSR | SOFT_CR4_OSXMMEXCPT | SOFT_CR4_PSE |
		     (noise >> 20 &
		      (SOFT_CR4_VME | SOFT_CR4_PVI | SOFT_CR4_TSD | SOFT_CR4_DE | SOFT_CR4_PGE));
	if (mode == PAGED_PAE || is_long(mode))
		state->cr4 |= SOFT_CR4_PAE | SOFT_CR4_FSGSBASE;
	state->efer = noise >> 32 & 1 ? SOFT_EFER_NXE : 0;
	if (is_long(mode))
		state->efer |= SOFT_EFER_SCE | SOFT_EFER_LME | SOFT_EFER_LMA;
	state->gdt = (struct mw_table_register){ GDT, GDT_BYTES - 1 };
	state->idt = (struct mw_table_register){ IDT, 0xfff };
	if (mode == REAL || mode == UNREAL)
		state->idt = (struct mw_table_register){ 0, 0x3ff };
	state->segment[MW_TR] = soft_rig_segment(TASK, TSS, 0x67, 0x8b);
	state->segment[MW_LDTR] = soft_rig_segment(LOCAL, GDT + 8, 0x67, 0x82);
	state->lstar = state->cstar = state->sysenter_eip = CODE + 0x20;
	state->star = (uint64_t)KERNEL_64 << 32 | (uint64_t)USER_32 << 48;
	state->sysenter_cs = KERNEL_32;
	state->sysenter_esp = STACK;
}

static uint64_t take_register(struct reader *reader)
{
	uint64_t kind = take(reader, 1);

	switch (kind & 7) {
	case 0: return kind >> 3;
	case 1: return ~(kind >> 3);
	case 2: return CODE + take(reader, 2);
	case 3: return (uint64_t)SOFT_RIG_RAM_BYTES - (kind >> 3);
	case 4: return take(reader, 4);
	case 5: return take(reader, 8);
	default: return DATA + take(reader, 2);
	}
}

static void set_registers(struct reader *reader, struct mw_cpu_state *state, enum mode mode)
{
	set_control(state, mode, take(reader, 8));
	set_code_segment(state, mode);
	set_data_segments(reader, state, mode);
	for (unsigned i = 0; i < MW_GPR_COUNT; i++) {
		state->gpr[i] = take_register(reader);
		if (!is_long(mode))
			state->gpr[i] = (uint32_t)state->gpr[i];
	}
	state->rflags = (take(reader, 4) & 0x247fd5) | 2;
	if (mode == VIRTUAL_86)
		state->rflags |= SOFT_VM;
	if (!(take(reader, 1) & 1))
		return;
	state->dr7 = take(reader, 4) | 0x400;
	for (unsigned i = 0; i < 4; i++)
		state->dr[i] = CODE + take(reader, 2);
}

/* Bytes of tables and page tables, so that guests are found that no sane kernel makes. */
static void change_tables(struct reader *reader, struct soft_rig *rig)
{
	unsigned changes = (unsigned)take(reader, 1) % MOST_CHANGES;

	while (changes--) {
		uint64_t at = TABLES + take(reader, 2) % (CODE - TABLES);

		rig->ram[at] = (uint8_t)take(reader, 1);
	}
}

static void make_world(struct soft_rig *rig, struct reader *reader)
{
	struct mw_cpu_state state = rig->reset_state;
	enum mode mode = (enum mode)(take(reader, 1) % MODES);

	/* Gives the pages back, so that every world begins with zeros. */
	madvise(rig->ram, SOFT_RIG_RAM_BYTES, MADV_REMOVE);
	soft_blocks_flush(rig->vm);
	soft_cpu_reset(rig->cpu, true);
	if (mode >= PAGED_32)
		make_page_tables(rig, mode);
	make_gdt(rig);
	make_idt(rig, mode);
	set_registers(reader, &state, mode);
	change_tables(reader, rig);
	for (size_t i = 0; reader->rest && i < CODE_BYTES; i++)
		rig->ram[CODE + i] = (uint8_t)take(reader, 1);
	soft_rig_set(rig, &state);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct soft_rig rig;
	struct reader reader = { bytes, count };
	struct mw_cpu_state state;

	if (!rig.machine)
		soft_rig_create(&rig);
	if (count < 8)
		return 0;
	make_world(&rig, &reader);
	int64_t left = MOST_INSTRUCTIONS;

	/* What is left after an event counts as one, so that this ends. */
	while (left > 0 && soft_cpu_runnable(rig.cpu))
		left -= 1 + soft_run_cpu(rig.cpu, left);
	if (rig.cpu->gpr[SOFT_ZERO] || left < -2 * MOST_INSTRUCTIONS)
		abort();
	soft_rig_get(&rig, &state);
	return 0;
}
