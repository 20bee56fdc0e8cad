/** What the CPUs run, instruction by instruction, for people. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_TRACE_H
#define ACCEL_SOFT_TRACE_H

#include "accel/soft/vm.h"

/** Traces the next `limit` instructions of all CPUs into `out`, which the caller keeps open until
 * soft_trace_end. CPUs are stopped. */
void soft_trace_begin(struct soft_vm *vm, FILE *out, uint64_t limit);
/** Completes the last line; fine where nothing is traced. */
void soft_trace_end(struct soft_vm *vm);

/** One line about the instruction at RIP, which is about to run; what it changed is added once it has. */
void soft_trace_instruction(struct soft_cpu *cpu);

/** A line of the log with what the CPUs have done, then one for each where there are several. CPUs are
 * stopped. */
void soft_counters_log(const struct soft_vm *vm);

#endif
