/** The one host thread that runs all CPUs of a machine. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_THREAD_H
#define ACCEL_SOFT_THREAD_H

#include "accel/soft/vm.h"

/** Creates it, parked. Returns 0 or an errno value. */
int soft_thread_create(struct soft_vm *vm);
/** Ends and joins it; fine where it was never made. */
void soft_thread_join(struct soft_vm *vm);
/** Lets the CPUs run; parks them and waits until they are. Main thread. */
void soft_thread_start(struct soft_vm *vm);
void soft_thread_stop(struct soft_vm *vm);
/** Any thread: a message for the local APICs. */
void soft_thread_message(struct soft_vm *vm, uint64_t address, uint32_t data);

/** Any thread: the level of INTR may have changed. */
void soft_thread_intr(struct soft_vm *vm);
/** What came from other threads reaches the CPUs. The CPU thread, or the main thread while that is parked. */
void soft_thread_take(struct soft_vm *vm);
/** Any thread: a device has written memory. */
void soft_thread_written(struct soft_vm *vm, uint64_t base, uint64_t length);

/** Any thread: changes what lies at a range: at once on the CPU thread and while it is parked, other than that
 * instructions of the block that runs may still be those of before; else when it comes to look. */
void soft_thread_remap(struct soft_vm *vm, const struct soft_slot *slot);

#endif
