/** What accelerators do alike to a set of CPUID leaves: finding a feature's word, switching features by
 * name, gathering names for a message. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_CPUID_SET_H
#define ACCEL_CPUID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cpu_features.h"
#include "core/diagnostics.h"
#include "core/plan.h"

/** What every accelerator offers of KVM's own features (leaf 0x40000001, EAX; Linux,
 * Documentation/virt/kvm/x86/cpuid.rst): clock source, no IO delay, new clock source MSRs, a clock that is the
 * same on all CPUs. Named CPU models have these and no more, so that a machine moves between accelerators. */
#define MW_PARAVIRTUAL_FEATURES 0x0100000bu

/** The word that holds a feature, or NULL where the set has no such leaf. */
uint32_t *mw_cpuid_word(struct mw_cpuid_leaf *leaves, size_t count,
			const struct mw_cpu_feature *feature);

/** Switches the features of `names` (ended by NULL; may be NULL). One without a name or, to be added,
 * without a leaf is an error with the plan's cpu span; returns false then. */
bool mw_cpuid_switch(struct mw_cpuid_leaf *leaves, size_t count, const struct mw_plan_cpu *cpu,
		     const char *const *names, bool on, struct mw_diagnostics *diagnostics);

/** Names gathered for one message, with a space between; those that do not fit are left out. Starts as
 * zeroes. */
struct mw_name_list {
	char text[400];
	size_t used;
};
void mw_name_list_add(struct mw_name_list *list, const char *name);

#endif
