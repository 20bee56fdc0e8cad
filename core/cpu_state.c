/* An x86 CPU's registers after RESET. Reference: SDM vol. 3, table 10-1. */
// SPDX-License-Identifier: MIT
#include "core/cpu_state.h"

#include <string.h>

/* Access rights in the layout of descriptor bits 40-55. The CS of a CPU after reset is readable
 * code: a data segment there is legal in real mode only, and no hypervisor takes it elsewhere. */
enum { READ_WRITE = 0x93, READABLE_CODE = 0x9b, LDT = 0x82, BUSY_TSS = 0x8b };

static void put_le16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

static void reset_segments(struct mw_cpu_state *state)
{
	for (unsigned i = 0; i < MW_SEGMENT_COUNT; i++) {
		state->segment[i].limit = 0xffff;
		state->segment[i].attributes = READ_WRITE;
	}
	state->segment[MW_CS].selector = 0xf000;
	state->segment[MW_CS].base = 0xffff0000;
	state->segment[MW_CS].attributes = READABLE_CODE;
	state->segment[MW_LDTR].attributes = LDT;
	state->segment[MW_TR].attributes = BUSY_TSS;
	state->gdt.limit = 0xffff;
	state->idt.limit = 0xffff;
}

/* FXSAVE image (SDM vol. 1, 10.5.1): FCW 0x40, every x87 register valid and zero, MXCSR 0x1f80. */
static void reset_fpu(struct mw_cpu_state *state)
{
	put_le16(state->fxsave + 0, 0x0040);
	state->fxsave[4] = 0xff;
	put_le16(state->fxsave + 24, 0x1f80);
}

void mw_cpu_state_reset(struct mw_cpu_state *state, bool boot_cpu)
{
	memset(state, 0, sizeof(*state));
	state->gpr[MW_RDX] = 0x600;
	state->rip = 0xfff0;
	state->rflags = 0x2;
	state->cr0 = 0x60000010;
	state->apic_base = 0xfee00800 | (boot_cpu ? 0x100 : 0);
	state->xcr0 = 1;
	state->dr6 = 0xffff0ff0;
	state->dr7 = 0x400;
	state->pat = 0x0007040600070406;
	state->run = boot_cpu ? MW_CPU_RUNNABLE : MW_CPU_WAIT_SIPI;
	reset_segments(state);
	reset_fpu(state);
}

/* By offset / 16 in the page (SDM vol. 3, table 11-1). The boot CPU's APIC id is 0. */
void mw_lapic_state_virtual_wire(struct mw_lapic_state *lapic)
{
	static const uint32_t registers[MW_LAPIC_REGISTERS] = {
		[0x03] = 0x50014,    /* version: six LVT entries */
		[0x0e] = UINT32_MAX, /* destination format: flat */
		[0x0f] = 0x1ff,      /* enabled, spurious vector 255 */
		[0x32] = 0x10000,    /* timer, masked */
		[0x33] = 0x10000,    /* thermal sensor, masked */
		[0x34] = 0x10000,    /* performance counters, masked */
		[0x35] = 0x700,      /* LINT0: ExtINT */
		[0x36] = 0x400,      /* LINT1: NMI */
		[0x37] = 0x10000,    /* error, masked */
	};

	*lapic = (struct mw_lapic_state){ .valid = true };
	memcpy(lapic->registers, registers, sizeof(registers));
}
