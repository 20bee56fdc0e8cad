/** The `cpu` block: models (cpu/1 files), features and topology into CPUID leaves and MSRs. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_CPU_H
#define RESOLVER_CPU_H

#include "resolver/draft.h"

/** Reads `cpu` into the plan. `host` is built in: its leaves come from the accelerator. */
void mw_cpu_read(struct mw_draft *draft);

#endif
