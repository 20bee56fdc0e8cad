/* Accesses that the TLB does not answer at once: misses, devices, pages that are crossed or watched.
 * Reference: SDM vol. 3, 4.10 and 6.13 to 6.15. */
// SPDX-License-Identifier: MIT
#include "accel/soft/memory/memory.h"

#include "accel/soft/decode/op.h"
#include "accel/soft/memory/paging.h"
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"

static uint64_t to_page_end(uint64_t linear)
{
	return SOFT_PAGE_BYTES - (linear & ~SOFT_PAGE_MASK);
}

static unsigned in_first_page(uint64_t linear, unsigned count)
{
	uint64_t there = to_page_end(linear);

	return there < count ? (unsigned)there : count;
}

/* SDM vol. 1, 3.3.7.1: #SS(0) for references through SS, #GP(0) for the others. No op: the stack. */
static bool check_canonical(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
			    unsigned count)
{
	if (!soft_64bit(cpu) || (soft_canonical(linear) && soft_canonical(linear + count - 1)))
		return true;
	return soft_raise_error(cpu, !op || op->segment == MW_SS ? SOFT_SS : SOFT_GP, 0);
}

/* SDM vol. 3, 6.15, interrupt 17. */
static bool check_alignment(struct soft_cpu *cpu, uint64_t linear, unsigned size)
{
	const uint32_t both = SOFT_AC;

	if (SOFT_LIKELY(!(cpu->rflags & both) || !(cpu->cr0 & SOFT_CR0_AM) || cpu->cpl != 3))
		return true;
	if (!(linear & (size - 1)))
		return true;
	return soft_raise_error(cpu, SOFT_AC_CHECK, 0);
}

static bool check(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear, unsigned size)
{
	return check_canonical(cpu, op, linear, size) && check_alignment(cpu, linear, size);
}

/* Both pages of an access that crosses into another. No entry is marked before both are found. */
static bool find_both(struct soft_cpu *cpu, uint64_t linear, bool user, enum soft_access access,
		      uint64_t physical[2])
{
	uint64_t next = soft_wrapped(cpu, linear + to_page_end(linear));

	return soft_page_probe(cpu, linear, user, access) &&
	       soft_page_find(cpu, next, user, access, &physical[1]) &&
	       soft_page_find(cpu, linear, user, access, &physical[0]);
}

static bool read_split(struct soft_cpu *cpu, uint64_t linear, unsigned size, bool user,
		       uint64_t *value)
{
	unsigned first = (unsigned)to_page_end(linear);
	uint64_t physical[2];

	if (!find_both(cpu, linear, user, SOFT_READ, physical))
		return false;
	*value = 0;
	for (unsigned i = 0; i < size; i++)
		*value |= soft_physical_read(
				  cpu, i < first ? physical[0] + i : physical[1] + (i - first), 1)
			  << (8 * i);
	return true;
}

bool soft_read_as(struct soft_cpu *cpu, bool user, uint64_t linear, unsigned size, uint64_t *value)
{
	uint64_t physical;

	if (to_page_end(linear) < size)
		return read_split(cpu, linear, size, user, value);
	if (!soft_page_find(cpu, linear, user, SOFT_READ, &physical))
		return false;
	*value = soft_physical_read(cpu, physical, size);
	return true;
}

static bool write_split(struct soft_cpu *cpu, uint64_t linear, unsigned size, bool user,
			uint64_t value)
{
	unsigned first = (unsigned)to_page_end(linear);
	uint64_t physical[2];

	if (!find_both(cpu, linear, user, SOFT_WRITE, physical))
		return false;
	for (unsigned i = 0; i < size; i++)
		soft_physical_write(cpu, i < first ? physical[0] + i : physical[1] + (i - first), 1,
				    value >> (8 * i) & 0xff);
	return true;
}

bool soft_write_as(struct soft_cpu *cpu, bool user, uint64_t linear, unsigned size, uint64_t value)
{
	uint64_t physical;

	if (to_page_end(linear) < size)
		return write_split(cpu, linear, size, user, value);
	if (!soft_page_find(cpu, linear, user, SOFT_WRITE, &physical))
		return false;
	soft_physical_write(cpu, physical, size, value);
	return true;
}

bool soft_system_read(struct soft_cpu *cpu, uint64_t linear, unsigned size, uint64_t *value)
{
	return soft_read_as(cpu, false, linear, size, value);
}

bool soft_system_write(struct soft_cpu *cpu, uint64_t linear, unsigned size, uint64_t value)
{
	return soft_write_as(cpu, false, linear, size, value);
}

uint64_t soft_read_slow(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
			unsigned size)
{
	uint64_t value = 0;

	cpu->counters.slow_accesses++;
	linear = soft_wrapped(cpu, linear);
	if (!check(cpu, op, linear, size) ||
	    !soft_read_as(cpu, cpu->cpl == 3, linear, size, &value))
		return 0;
	if (SOFT_UNLIKELY(cpu->dr7 & 0xff))
		soft_debug_access(cpu, linear, size, false);
	return value;
}

bool soft_write_slow(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear, unsigned size,
		     uint64_t value)
{
	cpu->counters.slow_accesses++;
	linear = soft_wrapped(cpu, linear);
	if (!check(cpu, op, linear, size) ||
	    !soft_write_as(cpu, cpu->cpl == 3, linear, size, value))
		return false;
	if (SOFT_UNLIKELY(cpu->dr7 & 0xff))
		soft_debug_access(cpu, linear, size, true);
	return true;
}

/* Every page of a range for such an access, before the first byte moves. */
static bool find_pages(struct soft_cpu *cpu, uint64_t linear, unsigned count,
		       enum soft_access access, uint64_t physical[2])
{
	bool user = cpu->cpl == 3;

	if (to_page_end(linear) < count)
		return find_both(cpu, linear, user, access, physical);
	return soft_page_find(cpu, linear, user, access, &physical[0]);
}

bool soft_check_write(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
		      unsigned count)
{
	uint64_t physical[2];

	linear = soft_wrapped(cpu, linear);
	return check_canonical(cpu, op, linear, count) &&
	       find_pages(cpu, linear, count, SOFT_WRITE, physical);
}

bool soft_read_bytes(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear, void *bytes,
		     unsigned count)
{
	uint64_t physical[2] = { 0 };
	unsigned first;
	uint8_t *out = bytes;

	linear = soft_wrapped(cpu, linear);
	if (!check_canonical(cpu, op, linear, count) ||
	    !find_pages(cpu, linear, count, SOFT_READ, physical))
		return false;
	first = in_first_page(linear, count);
	soft_physical_fetch(cpu, physical[0], out, first);
	soft_physical_fetch(cpu, physical[1], out + first, count - first);
	if (SOFT_UNLIKELY(cpu->dr7 & 0xff))
		soft_debug_access(cpu, linear, count, false);
	return true;
}

bool soft_write_bytes(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
		      const void *bytes, unsigned count)
{
	uint64_t physical[2] = { 0 };
	unsigned first;
	const uint8_t *in = bytes;

	linear = soft_wrapped(cpu, linear);
	if (!check_canonical(cpu, op, linear, count) ||
	    !find_pages(cpu, linear, count, SOFT_WRITE, physical))
		return false;
	first = in_first_page(linear, count);
	soft_physical_put(cpu, physical[0], in, first);
	soft_physical_put(cpu, physical[1], in + first, count - first);
	if (SOFT_UNLIKELY(cpu->dr7 & 0xff))
		soft_debug_access(cpu, linear, count, true);
	return true;
}

uint8_t *soft_host_range(struct soft_cpu *cpu, uint64_t linear, unsigned count,
			 enum soft_access access)
{
	const struct soft_tlb_entry *entry = soft_tlb_entry(cpu, linear);
	uint64_t tag = access == SOFT_WRITE ? entry->write_tag : entry->read_tag;

	if (!count || count > to_page_end(linear) || tag != soft_tag(cpu, linear, count))
		return NULL;
	return (uint8_t *)(uintptr_t)(linear + entry->host);
}
