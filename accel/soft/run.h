/** Running a CPU for a while on the calling thread. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_RUN_H
#define ACCEL_SOFT_RUN_H

#include "accel/soft/vm.h"

/** Runs up to so many instructions, delivering exceptions and interrupts on the way; a REP's iteration
 * counts as one. Ends early on HLT, shutdown, when something wants the run loop to look, or where the next
 * block would be too long. Returns how many ran. */
int64_t soft_run_cpu(struct soft_cpu *cpu, int64_t instructions);

/** Exactly one instruction, or the delivery of a pending event. A fault is delivered to the guest, unless
 * vm->stop_on_fault: then it stays in cpu->fault with RIP at the instruction, and false is returned. */
bool soft_step(struct soft_cpu *cpu);

/** Whether the CPU has something to do now: it is running, or an event would wake it. */
bool soft_cpu_runnable(struct soft_cpu *cpu);

#endif
