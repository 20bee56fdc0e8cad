/** Host memory in guest-physical space. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_PHYSICAL_H
#define ACCEL_SOFT_PHYSICAL_H

#include "accel/soft/vm.h"

/** Maps a range, replacing what was there; the caller flushes blocks and TLBs. */
void soft_slots_map(struct soft_vm *vm, uint64_t base, uint64_t length, uint8_t *host,
		    bool readonly);
void soft_slots_unmap(struct soft_vm *vm, uint64_t base, uint64_t length);
void soft_slots_fini(struct soft_vm *vm);

/** A device was called: it may have asked the machine to stop. */
void soft_after_device(struct soft_cpu *cpu);

#endif
