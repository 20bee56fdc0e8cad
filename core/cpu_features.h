/** Names of CPU features and the CPUID bit behind each: what `features:` speaks of. */
// SPDX-License-Identifier: MIT
#ifndef CORE_CPU_FEATURES_H
#define CORE_CPU_FEATURES_H

#include <stddef.h>
#include <stdint.h>

enum mw_cpuid_register { MW_EAX, MW_EBX, MW_ECX, MW_EDX };

/** One bit of CPUID. Constant; `subleaf` counts only where the leaf has some (7, 0xd). */
struct mw_cpu_feature {
	const char *name;
	uint32_t leaf, subleaf;
	enum mw_cpuid_register where;
	unsigned bit;
};

/** Sorted by leaf, register and bit; ended by a row without a name. */
extern const struct mw_cpu_feature mw_cpu_features[];

/** The row with this name, or NULL. */
const struct mw_cpu_feature *mw_cpu_feature_find(const char *name);

#endif
