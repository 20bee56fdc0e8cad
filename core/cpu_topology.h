/** APIC ids and the CPUID leaves that carry them: one source for CPUs, MADT and accelerators. */
// SPDX-License-Identifier: MIT
#ifndef CORE_CPU_TOPOLOGY_H
#define CORE_CPU_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

#include "core/plan.h"

/** The APIC id of CPU `index`: package, core and thread fields each as wide as their count needs
 * (SDM vol. 3, 9.9.1). */
uint32_t mw_apic_id(const struct mw_plan_cpu *cpu, uint32_t index);
/** Widths in bits of the thread field and of thread and core fields together. */
unsigned mw_apic_thread_bits(const struct mw_plan_cpu *cpu);
unsigned mw_apic_package_shift(const struct mw_plan_cpu *cpu);

/** Rewrites what differs from CPU to CPU or follows from the plan in a set of leaves: APIC id and
 * logical count (leaf 1), 4, 0xb, 0x1f, 0x8000001e, hypervisor bit and leaves 0x40000000.. (KVM's:
 * signature, features as given by `kvm_features`, 0x40000010 TSC and APIC bus rate), 0x15 and 0x16
 * when tsc_khz is known, TSC_DEADLINE when there is a LAPIC. `leaves` has room for `capacity`.
 * Returns the new count; leaves that do not fit are dropped from the end. */
size_t mw_cpuid_for_cpu(const struct mw_plan_cpu *cpu, uint32_t index, uint32_t tsc_khz,
			uint32_t kvm_features, struct mw_cpuid_leaf *leaves, size_t count,
			size_t capacity);

#endif
