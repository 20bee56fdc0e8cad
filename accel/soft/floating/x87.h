/** The x87 unit to the rest of the software processor: whether it may be used, and its registers as
 * MMX. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_X87_H
#define ACCEL_SOFT_X87_H

#include "accel/soft/cpu.h"

/** Before any x87 instruction, FXSAVE and FXRSTOR: #NM by CR0.EM and CR0.TS. False: raised. */
bool soft_x87_enabled(struct soft_cpu *cpu);
/** Before a waiting x87 instruction: also #MF where an exception is pending. False: raised. */
bool soft_x87_ready(struct soft_cpu *cpu);
/** Before an MMX instruction: #UD by CR0.EM, #NM by CR0.TS, #MF. False: raised. */
bool soft_mmx_ready(struct soft_cpu *cpu);

/** When an MMX instruction writes or reads a register and can fault no more: TOP is 0, all tags are
 * valid, and cpu->fx.st[i] is MMi. A write of MMi puts 0xffff into bytes 8 and 9. */
void soft_mmx_begin(struct soft_cpu *cpu);
/** EMMS. */
void soft_mmx_end(struct soft_cpu *cpu);

#endif
