/** Stacks that frames are built on, and the slots of the TSS they come from. References: SDM vol. 3, 5.8.5
 * (stack switching), 6.12.1, 6.14.2 to 6.14.5 (64-bit stack frames, IST), 7.2 and 7.7 (TSS). */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"

enum { STACK_WORDS = 36 }; /* 31 parameters, two far pointers, an error code */

static uint64_t width_mask(bool wide, const struct mw_segment *segment)
{
	if (wide)
		return UINT64_MAX;
	return segment->attributes & SOFT_SEG_DB ? UINT32_MAX : 0xffff;
}

void soft_stack_current(const struct soft_cpu *cpu, bool wide, bool external,
			struct soft_stack *stack)
{
	const struct mw_segment *segment = &cpu->segment[MW_SS];

	stack->segment = *segment;
	stack->wide = wide;
	stack->mask = width_mask(wide, segment);
	stack->pointer = cpu->gpr[MW_RSP] & width_mask(soft_64bit(cpu), segment);
	stack->user = cpu->cpl == 3;
	stack->error = external ? SOFT_ERROR_EXT : 0;
}

static bool read_tss(struct soft_cpu *cpu, unsigned offset, unsigned size, bool external,
		     uint64_t *value)
{
	const struct mw_segment *tr = &cpu->segment[MW_TR];
	uint64_t linear = soft_system_linear(cpu, tr->base + offset);

	if (offset + size - 1 > tr->limit)
		return soft_refuse(cpu, SOFT_TS, soft_selector_error(tr->selector, external));
	if (size == 8)
		return soft_table_read(cpu, linear, value);
	return soft_system_read(cpu, linear, size, value);
}

bool soft_stack_inner(struct soft_cpu *cpu, unsigned level, bool external, struct soft_stack *stack)
{
	bool wide_tss = cpu->segment[MW_TR].attributes & SOFT_TYPE_32;
	unsigned size = wide_tss ? 4 : 2, offset = size + level * 2 * size;
	uint64_t pointer, selector;

	/* Both parts are within the limit, or nothing is read. */
	if (!read_tss(cpu, offset + size, 2, external, &selector) ||
	    !read_tss(cpu, offset, size, external, &pointer))
		return false;
	if (soft_selector_null((uint16_t)selector))
		return soft_refuse(cpu, SOFT_TS, external ? SOFT_ERROR_EXT : 0);
	if (!soft_stack_segment(cpu, (uint16_t)selector, level, SOFT_TS, external, &stack->segment))
		return false;
	stack->wide = false;
	stack->mask = width_mask(false, &stack->segment);
	stack->pointer = pointer & stack->mask;
	stack->user = false;
	stack->error = soft_selector_error((uint16_t)selector, external);
	return true;
}

bool soft_stack_inner_long(struct soft_cpu *cpu, unsigned level, unsigned ist, bool external,
			   struct soft_stack *stack)
{
	unsigned offset = ist ? 28 + ist * 8 : 4 + level * 8;

	if (level == cpu->cpl)
		stack->segment = cpu->segment[MW_SS];
	else
		stack->segment = soft_segment_null(cpu, MW_SS, (uint16_t)level);
	if (!read_tss(cpu, offset, 8, external, &stack->pointer))
		return false;
	stack->wide = true;
	stack->mask = UINT64_MAX;
	stack->user = level == 3;
	stack->error = external ? SOFT_ERROR_EXT : 0;
	return soft_canonical(stack->pointer) || soft_refuse(cpu, SOFT_SS, stack->error);
}

/* A frame that lies in one page the TLB knows. */
static bool place_at_once(struct soft_cpu *cpu, struct soft_stack *stack, const uint64_t *words,
			  unsigned count)
{
	uint64_t linear = stack->pointer - count * 8;
	const struct soft_tlb_entry *entry =
		&cpu->tlbs[stack->user][linear >> 12 & (SOFT_TLB_ENTRIES - 1)];
	uint8_t *host;

	if (entry->write_tag != soft_tag(cpu, linear, count * 8))
		return false;
	host = (uint8_t *)(uintptr_t)(linear + entry->host);
	for (unsigned i = 0; i < count; i++)
		memcpy(host + (count - 1 - i) * 8, &words[i], 8);
	stack->pointer = linear;
	return true;
}

static bool word_address(struct soft_cpu *cpu, const struct soft_stack *stack, uint64_t pointer,
			 unsigned size, uint64_t *linear)
{
	uint64_t offset = pointer & stack->mask;
	bool fits;

	*linear = stack->wide ? offset : (uint32_t)(stack->segment.base + offset);
	fits = stack->wide ? soft_canonical(offset) && soft_canonical(offset + size - 1)
			   : soft_segment_fits(cpu, &stack->segment, offset, size);
	return fits || soft_refuse(cpu, SOFT_SS, stack->error);
}

bool soft_stack_place(struct soft_cpu *cpu, struct soft_stack *stack, unsigned size,
		      const uint64_t *words, unsigned count)
{
	uint64_t linear[STACK_WORDS];

	if (SOFT_LIKELY(stack->wide && size == 8) && place_at_once(cpu, stack, words, count))
		return true;
	for (unsigned i = 0; i < count; i++)
		if (!word_address(cpu, stack, stack->pointer - (i + 1) * size, size, &linear[i]))
			return false;
	for (unsigned i = 0; i < count; i++)
		if (!soft_write_as(cpu, stack->user, linear[i], size, words[i]))
			return false;
	stack->pointer = (stack->pointer - (uint64_t)count * size) & stack->mask;
	return true;
}

bool soft_stack_words(struct soft_cpu *cpu, unsigned size, uint64_t *words, unsigned count)
{
	uint64_t linear = cpu->gpr[MW_RSP];
	const struct soft_tlb_entry *entry = soft_tlb_entry(cpu, linear);

	if (SOFT_LIKELY(size == 8 && soft_64bit(cpu)) &&
	    entry->read_tag == soft_tag(cpu, linear, count * 8)) {
		memcpy(words, (const void *)(uintptr_t)(linear + entry->host), count * 8);
		return true;
	}
	for (unsigned i = 0; i < count; i++)
		if (!soft_peek(cpu, size, (uint64_t)i * size, &words[i]))
			return false;
	return true;
}
