/** The guest of the host test: Linux's segments, the same pages at the same addresses, and an IDT whose
 * handlers tell what happened. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_GUEST_H
#define TESTS_DIFF_CPU_GUEST_H

#include "tests/diff/cpu/native.h"
#include "tests/support/soft_rig.h"

struct guest {
	struct soft_rig rig;
	struct mw_cpu_state state; /* of user mode */
};

/** What a case has come to; vector as native_case has it, 255 where the CPU has shut down. */
struct guest_outcome {
	struct native_registers registers;
	uint32_t vector, error;
	uint64_t address;
};

void guest_create(struct guest *guest);
void guest_destroy(struct guest *guest);
/** Data as a batch begins with. */
void guest_set_data(struct guest *guest, const uint8_t *pattern);
/** Data as the last case left it. */
const uint8_t *guest_data(const struct guest *guest);
/** User mode with these registers; segments by the tables. */
void guest_set_registers(struct guest *guest, const struct native_registers *in);
void guest_run(struct guest *guest, const struct native_case *test, struct guest_outcome *outcome);

#endif
