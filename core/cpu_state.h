/** One x86 CPU's registers in a form that every accelerator reads and writes. */
// SPDX-License-Identifier: MIT
#ifndef CORE_CPU_STATE_H
#define CORE_CPU_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"

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

enum { MW_MTRR_FIXED = 11, MW_MTRR_VARIABLE = 8, MW_MC_BANKS = 10, MW_LAPIC_REGISTERS = 64 };
enum { MW_XSTATE_BYTES = 2184, MW_OTHER_MSRS = 64 };

/** A local APIC: what its page shows (SDM vol. 3, table 11-1), 32 bits for each multiple of 16 from the
 * base. The current count is that of the moment, and the timer goes on from it. `valid` is false
 * where the local APIC is to keep what reset left. */
struct mw_lapic_state {
	bool valid;
	uint32_t registers[MW_LAPIC_REGISTERS];
	uint32_t new_errors; /* since the error status register was written */
};

struct mw_cpu_msr {
	uint32_t index;
	uint64_t value;
};

/** Memory types and machine check. `valid` is false where they are to keep what reset left. */
struct mw_cpu_extra {
	bool valid;
	uint64_t mtrr_fixed[MW_MTRR_FIXED]; /* MSRs 0x250, 0x258-0x259, 0x268-0x26f */
	uint64_t mtrr_base[MW_MTRR_VARIABLE], mtrr_mask[MW_MTRR_VARIABLE];
	uint64_t mcg_status, mcg_ctl;
	uint64_t mc[4 * MW_MC_BANKS]; /* MSRs from 0x400: CTL, STATUS, ADDR, MISC of each bank */
	uint64_t misc_enable;
	/* KVM's own (Documentation/virt/kvm/x86/msr.rst). */
	uint64_t kvm_wall_clock, kvm_system_time, kvm_async_pf, kvm_async_pf_int, kvm_steal_time,
		kvm_pv_eoi, kvm_poll_control;
	/* More that this accelerator has and that differ from their values after reset. */
	uint32_t other_count;
	struct mw_cpu_msr other[MW_OTHER_MSRS];
};

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
	/* What the standard form of XSAVE has after those (SDM vol. 1, 13.4): the header, then AVX, AVX-512
	 * and PKRU where it says so. All zeroes is their initial state. */
	uint8_t xstate[MW_XSTATE_BYTES];
	uint32_t run; /* enum mw_cpu_run */
	bool nmi_masked, nmi_pending, interrupt_shadow;
	/* What was on its way into the CPU when it was stopped. */
	bool init_pending, sipi_pending;
	uint8_t sipi_vector;
	bool interrupt_injected, interrupt_soft; /* accepted and not yet delivered */
	uint8_t interrupt_vector;
	bool exception_injected, exception_has_code;
	uint8_t exception_vector;
	uint32_t exception_code;
	struct mw_lapic_state lapic;
	struct mw_cpu_extra extra;
};

/** All of it as state rows of `struct mw_cpu_state`, for snapshots and messages. */
extern const struct mw_state mw_cpu_rows[];
extern const size_t mw_cpu_row_count;

/** The state after power-up or RESET; application processors of a machine wait for SIPI. */
void mw_cpu_state_reset(struct mw_cpu_state *state, bool boot_cpu);
/** How firmware leaves the boot CPU's local APIC on a machine with 8259s (MultiProcessor Specification 1.4,
 * 3.6.2.2): enabled, INTR at LINT0, NMI at LINT1. */
void mw_lapic_state_virtual_wire(struct mw_lapic_state *lapic);

#endif
