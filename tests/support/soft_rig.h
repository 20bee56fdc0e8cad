/** A software CPU alone, for tests: 4 MiB of RAM, no device, stepped on the caller's thread. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_SOFT_RIG_H
#define TESTS_SUPPORT_SOFT_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "accel/soft/vm.h"
#include "core/machine.h"
#include "core/plan.h"

enum { SOFT_RIG_RAM_BYTES = 4 << 20 };

/** Made by soft_rig_create, which ends the program with the diagnostics where that fails. The machine is
 * reset and never started: whoever steps the CPU is its only thread. */
struct soft_rig {
	struct mw_plan plan;
	struct mw_diagnostics diagnostics;
	struct mw_machine *machine;
	struct mw_accel *accel;
	struct soft_vm *vm;
	struct soft_cpu *cpu; /* the first */
	/** Guest RAM between two inaccessible regions, so that the CPU cannot leave it unnoticed. */
	uint8_t *ram;
	struct mw_cpu_state reset_state;
	FILE *log;
};

void soft_rig_create(struct soft_rig *rig);
/** The same with several CPUs; the others wait for a start-up message. */
void soft_rig_create_cpus(struct soft_rig *rig, unsigned cpus);
void soft_rig_destroy(struct soft_rig *rig);

/** All registers; translations are forgotten, decoded code is not. */
void soft_rig_set(struct soft_rig *rig, const struct mw_cpu_state *state);
void soft_rig_get(const struct soft_rig *rig, struct mw_cpu_state *state);
/** Runs so many instructions; fewer where the CPU halts or shuts down. */
void soft_rig_step(struct soft_rig *rig, unsigned instructions);
/** Writes guest RAM as a device does: decoded code that changes is forgotten. */
void soft_rig_write(struct soft_rig *rig, uint64_t physical, const void *bytes, size_t count);
/** A code or data segment: `type` has the low 8 attribute bits (P, DPL, S, type). */
struct mw_segment soft_rig_segment(uint16_t selector, uint64_t base, uint32_t limit,
				   unsigned attributes);

#endif
