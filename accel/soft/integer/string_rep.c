/** Repeated string instructions by the page: what REP MOVS, STOS, CMPS and SCAS do on plain memory. */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/string.h"
#include "accel/soft/system/system.h"

/* Where memory is no plain RAM, asking anew for every element would cost more than the access. */
enum { SINGLY = 16 };

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
/* How many of `count` elements from `offset` on end at `top` or before. */
static uint64_t fit(uint64_t count, uint64_t offset, uint64_t top, unsigned size)
{
	if (offset > top || top - offset < size - 1u)
		return 0;
	return least(count, (top - offset - (size - 1u)) / size + 1);
}
/* The same, up to where the offset wraps, the segment ends, and the page. The first element has passed the
 * segment's checks, and the others are like it. */
static uint64_t fit_all(const struct soft_cpu *cpu, const struct soft_op *op, uint64_t count,
			enum mw_segment_name name, unsigned slot, uint64_t linear)
{
	const struct mw_segment *segment = &cpu->segment[name];
	uint64_t offset = cpu->gpr[slot] & op->imm;

	count = fit(count, linear & ~SOFT_PAGE_MASK, SOFT_PAGE_BYTES - 1, op->size);
	if (op->extra & SOFT_STRING_FLAT)
		return fit(count, offset, op->imm, op->size);
	if ((segment->attributes & (SOFT_SEG_CODE | SOFT_SEG_DOWN)) == SOFT_SEG_DOWN)
		return 0;
	return fit(count, offset, least(op->imm, segment->limit), op->size);
}

/* The host bytes of as many elements as lie at hand; NULL: none, and `count` is 0, or the fault is left for
 * the step to raise anew. */
static uint8_t *source(struct soft_cpu *cpu, const struct soft_op *op, uint64_t *count)
{
	uint64_t linear;

	if (!soft_string_source(cpu, op, &linear))
		return NULL;
	*count = fit_all(cpu, op, *count, (enum mw_segment_name)op->segment, MW_RSI, linear);
	if (!*count)
		return NULL;
	return soft_host_range(cpu, linear, (unsigned)(*count * op->size), SOFT_READ);
}
static uint8_t *destination(struct soft_cpu *cpu, const struct soft_op *op, uint64_t *count,
			    enum soft_access access)
{
	uint64_t linear;

	if (!soft_string_destination(cpu, op, access == SOFT_WRITE, &linear))
		return NULL;
	*count = fit_all(cpu, op, *count, MW_ES, MW_RDI, linear);
	if (!*count)
		return NULL;
	return soft_host_range(cpu, linear, (unsigned)(*count * op->size), access);
}
/* No chunk: a page's last, split element is done alone; what faulted will fault in the step. */
static uint64_t by_steps(struct soft_cpu *cpu, uint64_t count, unsigned *singly)
{
	cpu->fault.raised = false;
	*singly = count ? SINGLY : 1;
	return 0;
}

/* Element by element, so that an overlap repeats what was copied before. */
#define DEFINE_RUNS(bits)                                                                  \
	static void copy##bits(uint8_t *to, const uint8_t *from, uint64_t count)           \
	{                                                                                  \
		for (uint64_t i = 0; i < count; i++) {                                     \
			uint##bits##_t value;                                              \
                                                                                           \
			memcpy(&value, from + i * sizeof(value), sizeof(value));           \
			memcpy(to + i * sizeof(value), &value, sizeof(value));             \
		}                                                                          \
	}                                                                                  \
	/* Elements up to and with the first that is as `equal` says not to go on. */      \
	static uint64_t compare##bits(const uint8_t *a, const uint8_t *b, unsigned stride, \
				      uint64_t count, bool equal)                          \
	{                                                                                  \
		for (uint64_t i = 0; i < count; i++) {                                     \
			uint##bits##_t left, right;                                        \
                                                                                           \
			memcpy(&left, a + i * stride, sizeof(left));                       \
			memcpy(&right, b + i * sizeof(right), sizeof(right));              \
			if ((left == right) != equal)                                      \
				return i + 1;                                              \
		}                                                                          \
		return count;                                                              \
	}
DEFINE_RUNS(8)
DEFINE_RUNS(16)
DEFINE_RUNS(32)
DEFINE_RUNS(64)

#define DEFINE_FILL(bits)                                                         \
	static void fill##bits(uint8_t *to, uint##bits##_t value, uint64_t count) \
	{                                                                         \
		for (uint64_t i = 0; i < count; i++)                              \
			memcpy(to + i * sizeof(value), &value, sizeof(value));    \
	}
DEFINE_FILL(16)
DEFINE_FILL(32)
DEFINE_FILL(64)

static void copy(uint8_t *to, const uint8_t *from, uint64_t count, unsigned size)
{
	uintptr_t ahead = (uintptr_t)to - (uintptr_t)from;

	if (ahead == 0 || ahead >= count * size) {
		memmove(to, from, count * size);
		return;
	}
	switch (size) {
	case 1: copy8(to, from, count); break;
	case 2: copy16(to, from, count); break;
	case 4: copy32(to, from, count); break;
	default: copy64(to, from, count); break;
	}
}
static void fill(uint8_t *to, uint64_t value, uint64_t count, unsigned size)
{
	uint64_t bytes = (value & 0xff) * UINT64_C(0x0101010101010101);

	if ((value ^ bytes) << (64 - size * 8) == 0) {
		memset(to, (int)(value & 0xff), count * size);
		return;
	}
	switch (size) {
	case 2: fill16(to, (uint16_t)value, count); break;
	case 4: fill32(to, (uint32_t)value, count); break;
	default: fill64(to, value, count); break;
	}
}
static uint64_t compare(const uint8_t *a, const uint8_t *b, bool a_stays, uint64_t count,
			const struct soft_op *op)
{
	bool equal = op->extra & SOFT_STRING_WHILE_EQUAL;
	unsigned stride = a_stays ? 0 : op->size;

	switch (op->size) {
	case 1: return compare8(a, b, stride, count, equal);
	case 2: return compare16(a, b, stride, count, equal);
	case 4: return compare32(a, b, stride, count, equal);
	default: return compare64(a, b, stride, count, equal);
	}
}
static uint64_t element(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size);
	return value;
}

uint64_t soft_string_movs(struct soft_cpu *cpu, const struct soft_op *op, uint64_t count,
			  unsigned *singly)
{
	uint8_t *from, *to = NULL;

	if (cpu->rflags & SOFT_DF)
		return by_steps(cpu, count, singly);
	from = source(cpu, op, &count);
	if (from)
		to = destination(cpu, op, &count, SOFT_WRITE);
	if (!to)
		return by_steps(cpu, count, singly);
	copy(to, from, count, op->size);
	soft_string_advance(cpu, op, MW_RSI, count);
	soft_string_advance(cpu, op, MW_RDI, count);
	return count;
}
uint64_t soft_string_stos(struct soft_cpu *cpu, const struct soft_op *op, uint64_t count,
			  unsigned *singly)
{
	uint8_t *to = NULL;

	if (!(cpu->rflags & SOFT_DF))
		to = destination(cpu, op, &count, SOFT_WRITE);
	if (!to)
		return by_steps(cpu, count, singly);
	fill(to, cpu->gpr[MW_RAX], count, op->size);
	soft_string_advance(cpu, op, MW_RDI, count);
	return count;
}
uint64_t soft_string_cmps(struct soft_cpu *cpu, const struct soft_op *op, uint64_t count,
			  unsigned *singly)
{
	uint8_t *a, *b = NULL;
	uint64_t last;

	if (cpu->rflags & SOFT_DF)
		return by_steps(cpu, count, singly);
	a = source(cpu, op, &count);
	if (a)
		b = destination(cpu, op, &count, SOFT_READ);
	if (!b)
		return by_steps(cpu, count, singly);
	count = compare(a, b, false, count, op);
	last = (count - 1) * op->size;
	soft_string_compare(cpu, element(a + last, op->size), element(b + last, op->size),
			    op->size);
	soft_string_advance(cpu, op, MW_RSI, count);
	soft_string_advance(cpu, op, MW_RDI, count);
	return count;
}
uint64_t soft_string_scas(struct soft_cpu *cpu, const struct soft_op *op, uint64_t count,
			  unsigned *singly)
{
	const uint8_t *wanted = (const uint8_t *)&cpu->gpr[MW_RAX];
	uint8_t *at = NULL;

	if (!(cpu->rflags & SOFT_DF))
		at = destination(cpu, op, &count, SOFT_READ);
	if (!at)
		return by_steps(cpu, count, singly);
	count = compare(wanted, at, true, count, op);
	soft_string_compare(cpu, cpu->gpr[MW_RAX], element(at + (count - 1) * op->size, op->size),
			    op->size);
	soft_string_advance(cpu, op, MW_RDI, count);
	return count;
}
