/** A task as its TSS holds it. Reference: SDM vol. 3, 7.2.1 and 7.6. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_TASK_H
#define ACCEL_SOFT_TASK_H

#include "accel/soft/system/system.h"

enum { SOFT_DR6_BT = 1 << 15 };

struct soft_task {
	bool is_32, trap;
	uint32_t cr3, eip, eflags, gpr[8];
	uint16_t segment[6], ldt;
};

/** task_segments.c: loads LDTR and the segment registers in the new task, where faults are its own. */
bool soft_task_segments(struct soft_cpu *cpu, const struct soft_task *task, bool external);

#endif
