/** A guest CPU of the software processor: registers, lazy flags, TLB, and what stops it. Single host
 * thread: all CPUs of a machine are run by one. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_CPU_H
#define ACCEL_SOFT_CPU_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accel/apic/lapic.h"
#include "core/cpu_state.h"

struct soft_block;
struct soft_op;
struct soft_vm;

/** Slots of soft_cpu.gpr behind the sixteen registers: what an address may be made of besides. */
enum soft_gpr_slot {
	SOFT_ZERO = 16, /* always 0 */
	SOFT_PAGE_RIP,  /* RIP of offset 0 of the page the running block lies in */
	SOFT_EA,        /* a linear address worked out by a preceding op (soft_emit_memory) */
	SOFT_FS_BASE,   /* copies of segment[].base */
	SOFT_GS_BASE,
	SOFT_SLOTS = 24
};

/** RFLAGS (SDM vol. 1, 3.4.3). */
enum soft_rflags {
	SOFT_CF = 1 << 0,
	SOFT_PF = 1 << 2,
	SOFT_AF = 1 << 4,
	SOFT_ZF = 1 << 6,
	SOFT_SF = 1 << 7,
	SOFT_TF = 1 << 8,
	SOFT_IF = 1 << 9,
	SOFT_DF = 1 << 10,
	SOFT_OF = 1 << 11,
	SOFT_IOPL = 3 << 12,
	SOFT_NT = 1 << 14,
	SOFT_RF = 1 << 16,
	SOFT_VM = 1 << 17,
	SOFT_AC = 1 << 18,
	SOFT_VIF = 1 << 19,
	SOFT_VIP = 1 << 20,
	SOFT_ID = 1 << 21,
	SOFT_ARITHMETIC = SOFT_CF | SOFT_PF | SOFT_AF | SOFT_ZF | SOFT_SF | SOFT_OF
};

/** Control registers and EFER (SDM vol. 3, 2.5 and 2.2.1). */
enum soft_control {
	SOFT_CR0_PE = 1 << 0,
	SOFT_CR0_MP = 1 << 1,
	SOFT_CR0_EM = 1 << 2,
	SOFT_CR0_TS = 1 << 3,
	SOFT_CR0_ET = 1 << 4,
	SOFT_CR0_NE = 1 << 5,
	SOFT_CR0_WP = 1 << 16,
	SOFT_CR0_AM = 1 << 18,
	SOFT_CR0_NW = 1 << 29,
	SOFT_CR0_CD = 1 << 30,
	SOFT_CR4_VME = 1 << 0,
	SOFT_CR4_PVI = 1 << 1,
	SOFT_CR4_TSD = 1 << 2,
	SOFT_CR4_DE = 1 << 3,
	SOFT_CR4_PSE = 1 << 4,
	SOFT_CR4_PAE = 1 << 5,
	SOFT_CR4_MCE = 1 << 6,
	SOFT_CR4_PGE = 1 << 7,
	SOFT_CR4_PCE = 1 << 8,
	SOFT_CR4_OSFXSR = 1 << 9,
	SOFT_CR4_OSXMMEXCPT = 1 << 10,
	SOFT_CR4_FSGSBASE = 1 << 16,
	SOFT_EFER_SCE = 1 << 0,
	SOFT_EFER_LME = 1 << 8,
	SOFT_EFER_LMA = 1 << 10,
	SOFT_EFER_NXE = 1 << 11
};
#define SOFT_CR0_PG (UINT64_C(1) << 31)

/** Bits of mw_segment.attributes (descriptor bits 40-55). */
enum soft_segment_bits {
	SOFT_SEG_ACCESSED = 1 << 0,
	SOFT_SEG_WRITABLE = 1 << 1, /* data; readable for code */
	SOFT_SEG_DOWN = 1 << 2,     /* data: expands down; conforming for code */
	SOFT_SEG_CODE = 1 << 3,
	SOFT_SEG_TYPE = 15,
	SOFT_SEG_S = 1 << 4, /* code or data; clear: system */
	SOFT_SEG_DPL = 3 << 5,
	SOFT_SEG_P = 1 << 7,
	SOFT_SEG_L = 1 << 13,
	SOFT_SEG_DB = 1 << 14,
	SOFT_SEG_G = 1 << 15
};

/** Exceptions (SDM vol. 3, table 6-1). */
enum soft_vector {
	SOFT_DE = 0,
	SOFT_DB = 1,
	SOFT_NMI = 2,
	SOFT_BP = 3,
	SOFT_OFLOW = 4,
	SOFT_BR = 5,
	SOFT_UD = 6,
	SOFT_NM = 7,
	SOFT_DFAULT = 8,
	SOFT_TS = 10,
	SOFT_NP = 11,
	SOFT_SS = 12,
	SOFT_GP = 13,
	SOFT_PAGE = 14,
	SOFT_MF = 16,
	SOFT_AC_CHECK = 17,
	SOFT_MC = 18,
	SOFT_XM = 19
};

enum {
	SOFT_PAGE_BYTES = 4096,
	SOFT_TLB_ENTRIES = 4096,
	SOFT_JUMP_ENTRIES = 8192,
	SOFT_JUMP_GROUP = 64
};
#define SOFT_PAGE_MASK (~UINT64_C(0xfff))

/** Direct-mapped by linear page. A tag is the linear page with the CPU's generation in its low 12 bits;
 * generation 0 is never current, so 0 never hits. Host address of a byte = linear + host. */
struct soft_tlb_entry {
	uint64_t read_tag, write_tag;
	uintptr_t host;
	uint64_t physical; /* page; bit 0: instructions may be fetched */
};

/** Where execution goes on at a RIP: hits only under the same key (generation and mode). */
struct soft_jump_entry {
	uint64_t rip, key;
	struct soft_block *block;
};

/** A raised exception, waiting for soft_deliver. */
struct soft_fault {
	bool raised;
	bool trap; /* RIP is past the instruction already (#DB traps) */
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint64_t address; /* CR2 of a page fault */
	uint64_t debug;   /* DR6 bits of a #DB */
};

/** What another accelerator had begun to deliver when this CPU's state was taken from it. */
struct soft_accepted {
	bool waits, exception, has_error;
	uint8_t vector;
	uint32_t error;
};

/** The FXSAVE image (SDM vol. 1, 10.5.1, 64-bit format) is where x87 and SSE live. `st` is in stack order:
 * st[0] is ST(0). `tag` is abridged, by physical register: bit set = valid. Little-endian host. */
struct soft_fxsave {
	uint16_t control, status;
	uint8_t tag, reserved_1;
	uint16_t opcode;
	uint64_t instruction, data;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16];
	alignas(16) uint8_t xmm[16][16];
	uint8_t reserved_2[96];
};

/** What blocks and jump entries are keyed by. */
struct soft_mode {
	unsigned code_bits; /* 16, 32, 64: CS.D and CS.L */
	bool stack_32;      /* SS.B; stack pointer width outside 64-bit mode */
	bool flat;          /* DS, ES, SS: base 0, limit 4 GiB, writable; 64-bit mode always */
	bool real;          /* CR0.PE clear, or virtual-8086: segments are paragraphs */
	uint64_t key;       /* all of these and CPL==3, and CS's limit, in one word */
};

struct soft_counters {
	uint64_t instructions, tlb_misses, blocks_decoded, blocks_invalidated, exits_port,
		exits_memory, interrupts, exceptions, halts, undefined, flushes, jump_misses,
		slow_accesses;
};

struct soft_cpu {
	/* hot */
	uint64_t gpr[SOFT_SLOTS];
	uint64_t flags_result; /* see flags.h */
	uint32_t flags_aux;
	uint32_t rflags; /* without the arithmetic flags; bit 1 set */
	int64_t left; /* instructions until the run loop wants control; blocks are charged on entry */
	struct soft_block *block;
	struct soft_tlb_entry
		*tlb; /* of the current privilege: tlbs[0] supervisor, tlbs[1] user; or, while
				     * alignment is checked, tlbs[2], which stays empty */
	uint64_t generation; /* 1..4095 */
	uint64_t jump_key;   /* generation and mode */
	uint64_t rip_mask;   /* 0xffff, 0xffffffff or all ones */
	struct soft_fault fault;
	const struct soft_op *stopped; /* the op that raised it */
	uint64_t rip;                  /* valid while no block runs */

	/* registers */
	alignas(16) struct soft_fxsave fx;
	struct mw_segment segment[MW_SEGMENT_COUNT];
	struct mw_table_register gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t pdpte[4]; /* PAE outside long mode: loaded with CR3 (SDM vol. 3, 4.4.1) */
	uint64_t dr[4], dr6, dr7;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, pat, tsc_aux, apic_base;
	uint64_t mtrr_def_type, mtrr_fixed[11], mtrr_base[8], mtrr_mask[8];
	uint64_t misc_enable, mcg_status, mcg_ctl, mc_bank[4 * 10], bios_sign_id, debug_ctl,
		feature_control;
	uint64_t kvm_system_time, kvm_wall_clock;
	uint64_t tsc_offset; /* added to the machine's cycle count */
	unsigned cpl;
	struct soft_mode mode;

	/* events */
	bool halted, wait_sipi, shutdown, shutdown_told;
	bool shadow;     /* STI or MOV SS: no interrupt before the next instruction has run */
	bool shadow_mov; /* MOV SS: no debug trap either */
	bool nmi_pending, nmi_masked, init_pending, smi_pending;
	bool sipi_pending;
	uint8_t sipi_vector;
	bool ext_int; /* a message said so; what LINT0 passes is the local APIC's */
	struct soft_accepted accepted;
	uint64_t debug_pending; /* DR6 bits of breakpoints that hit in the running instruction */
	bool single_step;       /* run one instruction at a time: TF, breakpoints, a trace */

	/* machinery */
	struct soft_vm *vm;
	unsigned index;
	struct mw_actor *actor;
	struct mw_lapic lapic;
	struct soft_counters counters;
	uint64_t large_low[2],
		large_high[2];     /* linear ranges of large pages in the TLB: lower, upper half */
	bool based_code;           /* since the last flush code ran in a segment with a base */
	struct soft_block **chain; /* where the run loop notes the block it finds next, or NULL */
	struct soft_tlb_entry *tlbs[3];
	struct soft_jump_entry *jumps;
};

/* exception.c: raising. All return false, so that callers can return it. */

/** A fault of the running instruction; delivered by the run loop with RIP at the instruction. */
bool soft_raise(struct soft_cpu *cpu, enum soft_vector vector);
bool soft_raise_error(struct soft_cpu *cpu, enum soft_vector vector, uint32_t error);
/** #PF: sets the address for CR2. */
bool soft_raise_page(struct soft_cpu *cpu, uint64_t linear, uint32_t error);

/* mode.c */

/** After anything that changed CS, SS, DS or ES attributes, CR0, EFER, EFLAGS.VM or cpl: works out cpu->mode,
 * masks, the TLB in use and the jump key. */
void soft_mode_update(struct soft_cpu *cpu);
/** Sets a segment register's hidden part and what is derived from it (FS and GS slots). Calls
 * soft_mode_update for CS, SS, DS and ES. */
void soft_segment_set(struct soft_cpu *cpu, enum mw_segment_name name, struct mw_segment value);

static inline bool soft_long_mode(const struct soft_cpu *cpu)
{
	return cpu->efer & SOFT_EFER_LMA;
}
static inline bool soft_64bit(const struct soft_cpu *cpu)
{
	return cpu->mode.code_bits == 64;
}
/** Protected mode proper: PE set, VM clear. */
static inline bool soft_protected(const struct soft_cpu *cpu)
{
	return (cpu->cr0 & SOFT_CR0_PE) && !(cpu->rflags & SOFT_VM);
}
static inline bool soft_v86(const struct soft_cpu *cpu)
{
	return cpu->rflags & SOFT_VM;
}
/** 48-bit canonical (SDM vol. 1, 3.3.7.1). */
static inline bool soft_canonical(uint64_t linear)
{
	return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}

#endif
