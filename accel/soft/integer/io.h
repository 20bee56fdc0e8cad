/** I/O ports as instructions reach them. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_IO_H
#define ACCEL_SOFT_IO_H

#include "accel/soft/cpu.h"

/** Whether IOPL or the TSS's bitmap lets the CPU at `size` ports from `port` (SDM vol. 1, 19.5). Raises #GP(0)
 * or #PF and returns false. */
bool soft_io_allowed(struct soft_cpu *cpu, uint16_t port, unsigned size);
/** The access itself, 1, 2 or 4 bytes. A device may set cpu->left to 0: interrupts have to be looked at. */
uint32_t soft_io_read(struct soft_cpu *cpu, uint16_t port, unsigned size);
void soft_io_write(struct soft_cpu *cpu, uint16_t port, unsigned size, uint32_t value);

#endif
