/** A CPU in long mode with the first 4 GiB mapped to themselves (SDM vol. 3, 4.5 and 9.8.5), or in
 * protected mode without paging. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/boot/boot_internal.h"
#include "core/bytes.h"
#include "core/cpu_state.h"

#define PAGE        4096u
#define PRESENT     1u
#define WRITABLE    2u
#define LARGE       0x80u
#define CR0_PE      1u
#define CR0_ET      0x10u
#define CR0_PG      0x80000000u
#define CR4_PAE     0x20u
#define EFER_LME    0x100u
#define EFER_LMA    0x400u
#define FLAGS_FIXED 2u /* bit 1 is always set; IF is clear */
/* MTRRs on, write-back by default (SDM vol. 3, 12.11.2.1): the state that firmware leaves. Linux uses
 * no PAT where they are off (until 6.2). */
#define MTRR_ENABLED_WRITE_BACK 0x806u

enum { SELECTOR_CODE = 0x10, SELECTOR_DATA = 0x18 };

#define CODE_64 0x00af9b000000ffff /* accessed, as is the data */
#define CODE_32 0x00cf9b000000ffff

static void write_gdt(uint8_t *gdt, uint64_t code)
{
	memset(gdt, 0, MW_BOOT_GDT_BYTES);
	mw_put_le(gdt + SELECTOR_CODE, 8, code);
	mw_put_le(gdt + SELECTOR_DATA, 8, 0x00cf93000000ffff);
}

static void write_page_tables(uint8_t *tables)
{
	const uint64_t base = MW_BOOT_PAGE_TABLES;
	memset(tables, 0, 2 * PAGE);
	mw_put_le(tables, 8, (base + PAGE) | PRESENT | WRITABLE);
	for (unsigned gib = 0; gib < 4; gib++) {
		uint8_t *directory = tables + (2 + gib) * PAGE;
		mw_put_le(tables + PAGE + gib * 8, 8,
			  (base + (2 + gib) * PAGE) | PRESENT | WRITABLE);
		for (uint64_t i = 0; i < 512; i++)
			mw_put_le(directory + i * 8, 8,
				  (gib * 512 + i) << 21 | PRESENT | WRITABLE | LARGE);
	}
}

/** What all kinds of entry ask for: flat segments, interrupts off. */
static void enter(uint64_t gdt, struct mw_cpu_state *cpu, uint16_t code_attributes, uint64_t entry)
{
	const struct mw_segment code = { SELECTOR_CODE, code_attributes, UINT32_MAX, 0 };
	const struct mw_segment data = { SELECTOR_DATA, 0xc093, UINT32_MAX, 0 };
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		cpu->segment[i] = i == MW_CS ? code : data;
	/* VM entry asks for a busy TSS, of 64 bits in long mode (SDM vol. 3, 26.3.1.2) */
	cpu->segment[MW_TR] = (struct mw_segment){ 0, 0x8b, 0xffff, 0 };
	cpu->gdt = (struct mw_table_register){ gdt, MW_BOOT_GDT_BYTES - 1 };
	cpu->idt = (struct mw_table_register){ 0, 0 };
	cpu->mtrr_def_type = MTRR_ENABLED_WRITE_BACK;
	cpu->rflags = FLAGS_FIXED;
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	cpu->rip = entry;
	cpu->run = MW_CPU_RUNNABLE;
}

void mw_boot_enter_long_mode(uint8_t *low, struct mw_cpu_state *cpu, uint64_t entry)
{
	write_gdt(low, CODE_64);
	write_page_tables(low + (MW_BOOT_PAGE_TABLES - MW_BOOT_GDT));
	enter(MW_BOOT_GDT, cpu, 0xa09b, entry);
	cpu->cr0 = CR0_PG | CR0_ET | CR0_PE;
	cpu->cr3 = MW_BOOT_PAGE_TABLES;
	cpu->cr4 = CR4_PAE;
	cpu->efer = EFER_LME | EFER_LMA;
}

void mw_boot_enter_protected_mode(uint8_t *gdt, uint64_t gdt_address, struct mw_cpu_state *cpu,
				  uint64_t entry)
{
	write_gdt(gdt, CODE_32);
	enter(gdt_address, cpu, 0xc09b, entry);
	cpu->cr0 = CR0_ET | CR0_PE;
	cpu->cr3 = 0;
	cpu->cr4 = 0;
	cpu->efer = 0;
}
