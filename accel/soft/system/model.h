/** What this processor implements, and what the CPU model of a machine leaves of it. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_MODEL_H
#define ACCEL_SOFT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/diagnostics.h"
#include "core/plan.h"

struct soft_cpu;
struct soft_vm;

enum { SOFT_PHYSICAL_BITS = 40, SOFT_LINEAR_BITS = 48, SOFT_MAX_LEAVES = 160 };
/** Physical address bits that are reserved: in CR3, in paging entries, in MSRs with addresses. */
#define SOFT_PHYSICAL_RESERVED (~((UINT64_C(1) << SOFT_PHYSICAL_BITS) - 1))

/** Features that behaviour depends on. What is not here is there whatever CPUID says. */
enum soft_feature {
	SOFT_HAS_ALWAYS,
	SOFT_HAS_DEADLINE,
	SOFT_HAS_VME,
	SOFT_HAS_DE,
	SOFT_HAS_PSE,
	SOFT_HAS_TSC,
	SOFT_HAS_MSR,
	SOFT_HAS_PAE,
	SOFT_HAS_MCE,
	SOFT_HAS_APIC,
	SOFT_HAS_SEP,
	SOFT_HAS_MTRR,
	SOFT_HAS_PGE,
	SOFT_HAS_MCA,
	SOFT_HAS_PAT,
	SOFT_HAS_FXSR,
	SOFT_HAS_SSE,
	SOFT_HAS_FSGSBASE,
	SOFT_HAS_SYSCALL,
	SOFT_HAS_NX,
	SOFT_HAS_PDPE1GB,
	SOFT_HAS_RDTSCP,
	SOFT_HAS_LM,
	SOFT_HAS_KVM_CLOCK, /* 0x40000001 EAX: the old MSRs, the new ones */
	SOFT_HAS_KVM_CLOCK_2,
	SOFT_FEATURES
};
/** Whether the machine's CPUID offers it. Constant while the machine lives: fit for emit functions. */
bool soft_has(const struct soft_cpu *cpu, enum soft_feature feature);

/** What this processor implements: the leaves of the model `host`, CPU 0, before topology. Returns how many
 * there are, up to `capacity`. */
size_t soft_cpuid_supported(struct mw_cpuid_leaf *leaves, size_t capacity);
/** Makes vm->cpuid for each CPU of the plan; vm->tsc_khz is set already. False: the plan asks for what this
 * processor lacks, or takes away what it cannot do without; diagnostics name it. */
bool soft_cpuid_prepare(struct soft_vm *vm, struct mw_diagnostics *diagnostics);
/** Frees what soft_cpuid_prepare made; also after it failed. */
void soft_cpuid_fini(struct soft_vm *vm);

/** msr.c: a value of the plan, for RESET. False: there is no such MSR, or not with this value. `cpu` may be
 * NULL, to try. */
bool soft_msr_preset(struct soft_cpu *cpu, uint32_t index, uint64_t value);
/** All of them as after RESET, with the plan's values. Not those that mw_cpu_state carries. */
void soft_msr_reset(struct soft_cpu *cpu);

/** kvmclock.c: writes the time page again, after a stop or when the TSC was written. */
void soft_kvmclock_update(struct soft_cpu *cpu);
void soft_kvmclock_write_wall(struct soft_cpu *cpu);

/** debug.c: raises what the instruction that has just run traps with: breakpoints that hit and, where it began
 * with TF set, the single step. Both are in cpu->debug_pending, the latter by soft_debug_fetch; what leaves the
 * code that set TF (INT n, SYSCALL) takes DR6.BS out again. */
void soft_debug_step(struct soft_cpu *cpu);

#endif
