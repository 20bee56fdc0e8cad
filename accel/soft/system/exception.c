/** Raising an exception: what soft_deliver will find. Reference: SDM vol. 3, table 6-1. */
// SPDX-License-Identifier: MIT
#include "accel/soft/cpu.h"

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC */
enum { WITH_ERROR = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 };

bool soft_raise(struct soft_cpu *cpu, enum soft_vector vector)
{
	return soft_raise_error(cpu, vector, 0);
}

bool soft_raise_error(struct soft_cpu *cpu, enum soft_vector vector, uint32_t error)
{
	cpu->fault = (struct soft_fault){ .raised = true,
					  .vector = (uint8_t)vector,
					  .has_error = WITH_ERROR >> vector & 1,
					  .error = error };
	return false;
}

bool soft_raise_page(struct soft_cpu *cpu, uint64_t linear, uint32_t error)
{
	soft_raise_error(cpu, SOFT_PAGE, error);
	cpu->fault.address = linear;
	return false;
}
