/* Breakpoints and single step. Reference: SDM vol. 3, 18.2 (debug registers), 18.3 (#DB). */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/model.h"

#include "accel/soft/system/system.h"
#include "accel/soft/system/system_internal.h"
#include "accel/soft/vm.h"

enum { BREAKPOINTS = 4 };
enum breakpoint_kind { ON_EXECUTION, ON_WRITE, ON_PORT, ON_ACCESS };

static bool enabled(const struct soft_cpu *cpu, unsigned number)
{
	return cpu->dr7 >> number * 2 & 3;
}

static enum breakpoint_kind kind_of(const struct soft_cpu *cpu, unsigned number)
{
	return cpu->dr7 >> (16 + number * 4) & 3;
}

/* Table 18-1: 1, 2, 8 or 4 bytes, at a multiple of that. */
static uint64_t length_of(const struct soft_cpu *cpu, unsigned number)
{
	static const uint8_t lengths[] = { 1, 2, 8, 4 };

	return lengths[cpu->dr7 >> (18 + number * 4) & 3];
}

/* Whether an enabled data breakpoint has a byte in common with `size` bytes at `linear`; sizes are small
 * beside the address space, so differences tell. */
static bool overlaps(const struct soft_cpu *cpu, unsigned number, uint64_t linear, uint64_t size)
{
	uint64_t length = length_of(cpu, number), start = cpu->dr[number] & ~(length - 1);

	return linear - start < length || start - linear < size;
}

static bool watches_data(const struct soft_cpu *cpu, unsigned number)
{
	enum breakpoint_kind kind = kind_of(cpu, number);

	return enabled(cpu, number) && (kind == ON_WRITE || kind == ON_ACCESS);
}

bool soft_debug_covers_page(const struct soft_cpu *cpu, uint64_t linear)
{
	if (!(cpu->dr7 & SOFT_DR7_ENABLES))
		return false;
	for (unsigned i = 0; i < BREAKPOINTS; i++)
		if (watches_data(cpu, i) &&
		    overlaps(cpu, i, linear & SOFT_PAGE_MASK, SOFT_PAGE_BYTES))
			return true;
	return false;
}

void soft_debug_access(struct soft_cpu *cpu, uint64_t linear, unsigned size, bool write)
{
	if (!(cpu->dr7 & SOFT_DR7_ENABLES))
		return;
	for (unsigned i = 0; i < BREAKPOINTS; i++)
		if (watches_data(cpu, i) && (write || kind_of(cpu, i) == ON_ACCESS) &&
		    overlaps(cpu, i, linear, size))
			cpu->debug_pending |= UINT64_C(1) << i;
}

/* 18.2.4: there are none without CR4.DE. */
void soft_debug_port(struct soft_cpu *cpu, uint16_t port, unsigned size)
{
	if (!(cpu->cr4 & SOFT_CR4_DE))
		return;
	for (unsigned i = 0; i < BREAKPOINTS; i++)
		if (enabled(cpu, i) && kind_of(cpu, i) == ON_PORT && overlaps(cpu, i, port, size))
			cpu->debug_pending |= UINT64_C(1) << i;
}

static uint64_t execution_hits(const struct soft_cpu *cpu, uint64_t linear)
{
	uint64_t hits = 0;

	for (unsigned i = 0; i < BREAKPOINTS; i++)
		if (enabled(cpu, i) && kind_of(cpu, i) == ON_EXECUTION && cpu->dr[i] == linear)
			hits |= UINT64_C(1) << i;
	return hits;
}

/* RF lasts for one instruction, this one; a fault pushes it set again. */
bool soft_debug_fetch(struct soft_cpu *cpu, uint64_t linear_rip)
{
	uint64_t hits = cpu->dr7 & SOFT_DR7_ENABLES ? execution_hits(cpu, linear_rip) : 0;

	if (hits && !(cpu->rflags & SOFT_RF)) {
		soft_raise(cpu, SOFT_DB);
		cpu->fault.debug = hits;
		return true;
	}
	cpu->rflags &= ~(uint32_t)SOFT_RF;
	if (cpu->rflags & SOFT_TF)
		cpu->debug_pending |= SOFT_DR6_BS;
	return false;
}

/* After MOV SS the trap of a breakpoint waits for the next instruction, that of TF is lost (6.8.3). */
void soft_debug_step(struct soft_cpu *cpu)
{
	uint64_t hits = cpu->debug_pending;

	if (cpu->shadow_mov) {
		cpu->debug_pending &= ~(uint64_t)SOFT_DR6_BS;
		return;
	}
	cpu->debug_pending = 0;
	if (!hits)
		return;
	soft_raise(cpu, SOFT_DB);
	cpu->fault.trap = true;
	cpu->fault.debug = hits;
}

void soft_debug_update(struct soft_cpu *cpu)
{
	cpu->single_step =
		(cpu->rflags & SOFT_TF) || (cpu->dr7 & SOFT_DR7_ENABLES) || cpu->vm->trace;
}
