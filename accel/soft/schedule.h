/** Whose turn it is and how long, and how time goes on. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_SCHEDULE_H
#define ACCEL_SOFT_SCHEDULE_H

#include "accel/soft/vm.h"

/** Gives every CPU that can run a turn. Returns 0, or where none can, for how many ns nothing will happen
 * unless a message comes. */
uint64_t soft_schedule(struct soft_vm *vm);

/** The machine's clock is this CPU's from now on: once, after mw_machine_set_executor. */
void soft_time_begin(struct soft_vm *vm);

/** Of struct mw_executor_ops. */
void soft_time_changed(void *self);
uint64_t soft_time_now(void *self);

/** The machine goes on after a stop: host time that passed meanwhile does not count. */
void soft_time_resume(struct soft_vm *vm);
/** It stops: the machine's clock shows the time that has come. */
void soft_time_rest(struct soft_vm *vm);
/** While parked: the time is what the machine's clock shows, which may have been set. */
void soft_time_follow(struct soft_vm *vm);

#endif
