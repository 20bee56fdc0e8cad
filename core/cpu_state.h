/** One x86 CPU's registers in a form that every accelerator reads and writes. */
// SPDX-License-Identifier: MIT
#ifndef CORE_CPU_STATE_H
#define CORE_CPU_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum mw_gpr {
	MW_RAX,
	MW_RCX,
	MW_RDX,
	MW_RBX,
	MW_RSP,
	MW_RBP,
	MW_RSI,
	MW_RDI,
	MW_R8,
	MW_R9,
	MW_R10,
	MW_R11,
	MW_R12,
	MW_R13,
	MW_R14,
	MW_R15,
	MW_GPR_COUNT
};
enum mw_segment_name { MW_ES, MW_CS, MW_SS, MW_DS, MW_FS, MW_GS, MW_LDTR, MW_TR, MW_SEGMENT_COUNT };

/** A segment register with its hidden part. `attributes` has the layout of descriptor bits 40-55
 * (type, S, DPL, P, AVL, L, D/B, G; SDM vol. 3, 3.4.5), with bits 8-11 zero. */
struct mw_segment {
	uint16_t selector, attributes;
	uint32_t limit; /* in bytes, granularity applied */
	uint64_t base;
};
struct mw_table_register {
	uint64_t base;
	uint16_t limit;
};

enum mw_cpu_run { MW_CPU_RUNNABLE, MW_CPU_HALTED, MW_CPU_WAIT_SIPI, MW_CPU_UNINITIALISED };

/** Architectural state (SDM vol. 3, table 10-1 has the values after reset). */
struct mw_cpu_state {
	uint64_t gpr[MW_GPR_COUNT], rip, rflags;
	struct mw_segment segment[MW_SEGMENT_COUNT];
	struct mw_table_register gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, cr8, efer, apic_base, xcr0;
	uint64_t dr[4], dr6, dr7;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, pat, tsc, tsc_deadline, tsc_aux;
	uint64_t mtrr_def_type;
	uint8_t fxsave[512];
	enum mw_cpu_run run;
	bool nmi_masked, nmi_pending, interrupt_shadow;
};

/** The state after power-up or RESET; application processors of a machine wait for SIPI. */
void mw_cpu_state_reset(struct mw_cpu_state *state, bool boot_cpu);

#endif
