/* A user-mode environment in the software CPU. Tables lie where the host's kernel is: in the upper half.
 * Reference: SDM vol. 3, 3.4.5, 4.5, 6.14. */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/guest.h"

#include <string.h>

#include "accel/soft/run.h"

#define UPPER UINT64_C(0xffff800000000000)

/* Physical addresses below the code. */
enum {
	GDT = 0x1000,
	LDT = 0x2000,
	IDT = 0x3000,
	TSS = 0x4000,
	STACK_TOP = 0x7000,
	HANDLERS = 0x8000, /* 16 bytes each */
	PML4 = 0x10000,
	LOW_PDPT = 0x11000,
	LOW_PD = 0x12000,
	CODE_PT = 0x13000,
	DATA_PT = 0x14000,
	HIGH_PDPT = 0x15000,
	HIGH_PD = 0x16000,
	GDT_BYTES = 0x80,
	TSS_BYTES = 0x68
};
enum { PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40, LARGE = 0x80 };

static void put(struct guest *guest, uint64_t at, uint64_t value)
{
	memcpy(guest->rig.ram + at, &value, sizeof(value));
}

static void make_page_tables(struct guest *guest)
{
	const uint64_t table = PRESENT | WRITABLE | USER, page = PRESENT | USER | ACCESSED | DIRTY;

	put(guest, PML4, LOW_PDPT | table);
	put(guest, PML4 + 256 * 8, HIGH_PDPT | table);
	put(guest, LOW_PDPT, LOW_PD | table);
	put(guest, HIGH_PDPT, HIGH_PD | table);
	put(guest, LOW_PD, CODE_PT | table);
	put(guest, LOW_PD + 8, DATA_PT | table);
	for (uint64_t i = 0; i < 2; i++)
		put(guest, HIGH_PD + 8 * i,
		    i << 21 | PRESENT | WRITABLE | LARGE | ACCESSED | DIRTY);
	put(guest, CODE_PT + (NATIVE_CODE >> 12 & 511) * 8, NATIVE_CODE | page);
	for (uint64_t at = NATIVE_DATA; at < NATIVE_HOLE; at += NATIVE_PAGE)
		put(guest, DATA_PT + (at >> 12 & 511) * 8, at | page | WRITABLE);
	put(guest, DATA_PT + (NATIVE_READONLY >> 12 & 511) * 8, NATIVE_READONLY | page);
}

/* Linux's, without those of a CPU and a thread. */
static void make_gdt(struct guest *guest)
{
	static const uint64_t entries[] = { 0,
					    0x00cf9b000000ffff,
					    0x00af9b000000ffff,
					    0x00cf93000000ffff,
					    0x00cffb000000ffff,
					    0x00cff3000000ffff,
					    0x00affb000000ffff };

	for (unsigned i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		put(guest, GDT + 8 * i, entries[i]);
	put(guest, GDT + 0x40, 0x00008b0000000067 | (uint64_t)TSS << 16);
	put(guest, GDT + 0x48, UPPER >> 32);
	put(guest, GDT + 0x50,
	    0x0000820000000000 | (uint64_t)LDT << 16 | (NATIVE_LDT_ENTRIES * 8 - 1));
	put(guest, GDT + 0x58, UPPER >> 32);
}

static void make_ldt(struct guest *guest)
{
	static const struct native_descriptor entries[NATIVE_LDT_ENTRIES] = NATIVE_LDT;

	for (unsigned i = 0; i < NATIVE_LDT_ENTRIES; i++) {
		const struct native_descriptor *entry = &entries[i];
		uint64_t type = 0x71 | (uint64_t)entry->contents << 2 |
				(uint64_t)!entry->readonly << 1 | (uint64_t)!entry->absent << 7;

		put(guest, LDT + 8 * i,
		    (entry->limit & 0xffff) | (uint64_t)(entry->base & 0xffffff) << 16 |
			    type << 40 | (uint64_t)(entry->limit >> 16) << 48 |
			    (uint64_t)entry->wide << 54 | (uint64_t)(entry->base >> 24) << 56);
	}
}

static void make_idt(struct guest *guest)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t handler = UPPER + HANDLERS + 16 * i;
		bool open = i == 3 || i == 4 || i == 0x80;

		put(guest, IDT + 16 * i,
		    (handler & 0xffff) | (uint64_t)0x10 << 16 |
			    (uint64_t)(open ? 0xee : 0x8e) << 40 | (handler & 0xffff0000) << 32);
		put(guest, IDT + 16 * i + 8, handler >> 32);
	}
	put(guest, TSS + 4, UPPER + STACK_TOP);
	/* No bitmap of ports. */
	guest->rig.ram[TSS + 0x66] = TSS_BYTES;
}

static void make_state(struct guest *guest)
{
	struct mw_cpu_state *state = &guest->state;

	*state = guest->rig.reset_state;
	state->cr0 = SOFT_CR0_PE | SOFT_CR0_MP | SOFT_CR0_ET | SOFT_CR0_NE | SOFT_CR0_WP |
		     SOFT_CR0_AM | SOFT_CR0_PG;
	state->cr3 = PML4;
	state->cr4 = SOFT_CR4_PAE | SOFT_CR4_PGE | SOFT_CR4_OSFXSR | SOFT_CR4_OSXMMEXCPT |
		     SOFT_CR4_FSGSBASE;
	state->efer = SOFT_EFER_SCE | SOFT_EFER_LME | SOFT_EFER_LMA | SOFT_EFER_NXE;
	state->gdt = (struct mw_table_register){ UPPER + GDT, GDT_BYTES - 1 };
	state->idt = (struct mw_table_register){ UPPER + IDT, 0xfff };
	state->segment[MW_TR] = soft_rig_segment(0x40, UPPER + TSS, TSS_BYTES - 1, 0x8b);
	state->segment[MW_LDTR] =
		soft_rig_segment(0x50, UPPER + LDT, NATIVE_LDT_ENTRIES * 8 - 1, 0x82);
}

void guest_create(struct guest *guest)
{
	soft_rig_create(&guest->rig);
	make_page_tables(guest);
	make_gdt(guest);
	make_ldt(guest);
	make_idt(guest);
	make_state(guest);
	memset(guest->rig.ram + NATIVE_CODE, 0xcc, NATIVE_PAGE);
}

void guest_destroy(struct guest *guest)
{
	soft_rig_destroy(&guest->rig);
}

void guest_set_data(struct guest *guest, const uint8_t *pattern)
{
	memcpy(guest->rig.ram + NATIVE_DATA, pattern, NATIVE_DATA_BYTES);
}

const uint8_t *guest_data(const struct guest *guest)
{
	return guest->rig.ram + NATIVE_DATA;
}

static struct mw_segment segment_of(const struct guest *guest, uint16_t selector)
{
	uint64_t low = 0;
	uint32_t limit;

	if (selector < 4)
		return soft_rig_segment(selector, 0, 0, 0);
	memcpy(&low, guest->rig.ram + (selector & 4 ? LDT : GDT) + (selector & ~7u), sizeof(low));
	limit = (uint32_t)((low & 0xffff) | (low >> 32 & 0xf0000));
	if (low >> 55 & 1)
		limit = limit << 12 | 0xfff;
	return soft_rig_segment(selector, (low >> 16 & 0xffffff) | (low >> 56) << 24, limit,
				low >> 40 & 0xf0ff);
}

void guest_set_registers(struct guest *guest, const struct native_registers *in)
{
	struct mw_cpu_state *state = &guest->state;

	memcpy(state->gpr, in->gpr, sizeof(state->gpr));
	state->rip = in->rip;
	state->rflags = in->rflags | SOFT_IF;
	state->segment[MW_CS] = segment_of(guest, in->cs);
	state->segment[MW_SS] = segment_of(guest, in->ss);
	state->segment[MW_DS] = segment_of(guest, in->ds);
	state->segment[MW_ES] = segment_of(guest, in->es);
	state->segment[MW_FS] = segment_of(guest, in->fs);
	state->segment[MW_GS] = segment_of(guest, in->gs);
	if (in->cs == NATIVE_CS64) {
		state->segment[MW_FS].base = NATIVE_FS_BASE;
		state->segment[MW_GS].base = NATIVE_GS_BASE;
	}
	memcpy(state->fxsave, in->fx, sizeof(state->fxsave));
	soft_rig_set(&guest->rig, state);
}

static void load(struct guest *guest, const struct native_case *test)
{
	memcpy(guest->rig.ram + NATIVE_CODE + test->code_offset, test->code, test->code_length);
	guest_set_registers(guest, &test->in);
}

static bool has_error(uint32_t vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* A handler was reached: what it finds on its stack. */
static void read_frame(struct guest *guest, struct mw_cpu_state *state,
		       struct guest_outcome *outcome)
{
	uint64_t frame[6] = { 0 };
	unsigned words = 5;

	outcome->vector = (uint32_t)(state->rip - UPPER - HANDLERS) / 16;
	if (has_error(outcome->vector))
		words = 6;
	memcpy(frame + 6 - words, guest->rig.ram + STACK_TOP - 8 * words, 8 * words);
	outcome->error = (uint32_t)frame[0];
	outcome->address = outcome->vector == 14 ? state->cr2 : 0;
	state->rip = frame[1];
	state->segment[MW_CS].selector = (uint16_t)frame[2];
	state->rflags = frame[3];
	state->gpr[MW_RSP] = frame[4];
	state->segment[MW_SS].selector = (uint16_t)frame[5];
}

static void save(struct guest *guest, struct guest_outcome *outcome)
{
	struct mw_cpu_state state;
	struct native_registers *out = &outcome->registers;

	soft_rig_get(&guest->rig, &state);
	outcome->vector = guest->rig.cpu->shutdown ? 255 : 1;
	outcome->error = 0;
	outcome->address = 0;
	if (state.rip - UPPER - HANDLERS < (uint64_t)256 * 16)
		read_frame(guest, &state, outcome);
	memcpy(out->gpr, state.gpr, sizeof(out->gpr));
	out->rip = state.rip;
	out->rflags = state.rflags;
	out->cs = state.segment[MW_CS].selector;
	out->ss = state.segment[MW_SS].selector;
	out->ds = state.segment[MW_DS].selector;
	out->es = state.segment[MW_ES].selector;
	out->fs = state.segment[MW_FS].selector;
	out->gs = state.segment[MW_GS].selector;
	memcpy(out->fx, state.fxsave, sizeof(out->fx));
}

void guest_run(struct guest *guest, const struct native_case *test, struct guest_outcome *outcome)
{
	struct soft_cpu *cpu = guest->rig.cpu;
	unsigned steps = 0;

	load(guest, test);
	do
		soft_step(cpu);
	while (test->repeats && cpu->cpl == 3 && cpu->rip == test->in.rip &&
	       ++steps < NATIVE_STEPS);
	save(guest, outcome);
	memset(guest->rig.ram + NATIVE_CODE + test->code_offset, 0xcc, test->code_length);
}
