/** Descriptors and the loading of segment registers. References: SDM vol. 3, 3.4 and 5.6; SDM vol. 2, MOV, LLDT,
 * LTR. */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"

enum {
	PARAGRAPH_REAL = SOFT_SEG_P | SOFT_SEG_S | SOFT_SEG_WRITABLE | SOFT_SEG_ACCESSED,
	PARAGRAPH_V86 = PARAGRAPH_REAL | SOFT_SEG_DPL,
	TYPE_OF_UPPER_HALF = 0x1f00 /* in bytes 12 to 15; has to be 0 */
};

/* Call gates, LDT and TSS descriptors take up two slots in long mode. */
static bool has_upper_half(const struct soft_cpu *cpu, uint64_t low)
{
	unsigned type = (unsigned)(low >> 40) & (SOFT_SEG_S | SOFT_SEG_TYPE);

	return soft_long_mode(cpu) &&
	       (type == SOFT_TYPE_LDT || (type | SOFT_TYPE_BUSY) == (SOFT_TYPE_TSS32 | 2) ||
		type == SOFT_TYPE_CALL32);
}

bool soft_descriptor_read(struct soft_cpu *cpu, uint16_t selector, enum soft_vector vector,
			  bool external, struct soft_descriptor *descriptor)
{
	const struct mw_segment *ldt = &cpu->segment[MW_LDTR];
	unsigned index = selector & ~7u;
	uint32_t error = soft_selector_error(selector, external);
	uint64_t base = selector & 4 ? ldt->base : cpu->gdt.base;
	uint32_t limit = selector & 4 ? ldt->limit : cpu->gdt.limit;

	if (index + 7 > limit || ((selector & 4) && !(ldt->attributes & SOFT_SEG_P)))
		return soft_refuse(cpu, vector, error);
	descriptor->linear = soft_system_linear(cpu, base + index);
	descriptor->high = 0;
	if (!soft_table_read(cpu, descriptor->linear, &descriptor->low))
		return false;
	if (SOFT_LIKELY(!has_upper_half(cpu, descriptor->low)))
		return true;
	if (index + 15 > limit)
		return soft_refuse(cpu, vector, error);
	if (!soft_table_read(cpu, descriptor->linear + 8, &descriptor->high))
		return false;
	return !(descriptor->high >> 32 & TYPE_OF_UPPER_HALF) || soft_refuse(cpu, vector, error);
}

uint64_t soft_descriptor_base(const struct soft_descriptor *descriptor)
{
	return (descriptor->low >> 16 & 0xffffff) | (descriptor->low >> 56) << 24 |
	       descriptor->high << 32;
}

uint32_t soft_descriptor_limit(const struct soft_descriptor *descriptor)
{
	uint32_t limit = (uint32_t)(descriptor->low & 0xffff) |
			 ((uint32_t)(descriptor->low >> 32) & 0xf0000);

	return soft_descriptor_attributes(descriptor) & SOFT_SEG_G ? limit << 12 | 0xfff : limit;
}

uint16_t soft_descriptor_attributes(const struct soft_descriptor *descriptor)
{
	return descriptor->low >> 40 & 0xf0ff;
}

struct mw_segment soft_descriptor_segment(uint16_t selector,
					  const struct soft_descriptor *descriptor)
{
	return (struct mw_segment){ .selector = selector,
				    .attributes = soft_descriptor_attributes(descriptor),
				    .limit = soft_descriptor_limit(descriptor),
				    .base = soft_descriptor_base(descriptor) };
}

bool soft_descriptor_touch(struct soft_cpu *cpu, struct soft_descriptor *descriptor)
{
	uint64_t accessed = (uint64_t)SOFT_SEG_ACCESSED << 40;

	if (descriptor->low & accessed)
		return true;
	descriptor->low |= accessed;
	return soft_system_write(cpu, descriptor->linear + 5, 1, descriptor->low >> 40 & 0xff);
}

/* Real mode leaves the limit and D/B as they were: "unreal" mode lives on it. */
struct mw_segment soft_segment_paragraph(const struct soft_cpu *cpu, enum mw_segment_name name,
					 uint16_t selector)
{
	struct mw_segment segment = cpu->segment[name];

	segment.selector = selector;
	segment.base = (uint64_t)selector << 4;
	segment.attributes =
		(segment.attributes & (SOFT_SEG_DB | SOFT_SEG_G)) | (uint16_t)PARAGRAPH_REAL;
	return segment;
}

struct mw_segment soft_segment_paragraph_v86(uint16_t selector)
{
	return (struct mw_segment){ .selector = selector,
				    .attributes = PARAGRAPH_V86,
				    .limit = 0xffff,
				    .base = (uint64_t)selector << 4 };
}

/* The limit stays, as a later load in real mode will use it. SS still says by its DPL what CPL is. */
struct mw_segment soft_segment_null(const struct soft_cpu *cpu, enum mw_segment_name name,
				    uint16_t selector)
{
	return (struct mw_segment){ .selector = selector,
				    .attributes =
					    (uint16_t)(name == MW_SS ? (selector & 3) << 5 : 0),
				    .limit = cpu->segment[name].limit };
}

bool soft_stack_segment(struct soft_cpu *cpu, uint16_t selector, unsigned level,
			enum soft_vector vector, bool external, struct mw_segment *segment)
{
	struct soft_descriptor descriptor;
	uint16_t attributes;

	if (!soft_descriptor_read(cpu, selector, vector, external, &descriptor))
		return false;
	attributes = soft_descriptor_attributes(&descriptor);
	if ((selector & 3) != level || !soft_is_stack(attributes) || soft_dpl(attributes) != level)
		return soft_refuse(cpu, vector, soft_selector_error(selector, external));
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_SS, soft_selector_error(selector, external));
	if (!soft_descriptor_touch(cpu, &descriptor))
		return false;
	*segment = soft_descriptor_segment(selector, &descriptor);
	return true;
}

bool soft_data_segment(struct soft_cpu *cpu, uint16_t selector, unsigned level,
		       enum soft_vector vector, bool external, struct mw_segment *segment)
{
	struct soft_descriptor descriptor;
	uint16_t attributes;
	unsigned weakest = level > (selector & 3u) ? level : selector & 3u;
	bool code, readable;

	if (!soft_descriptor_read(cpu, selector, vector, external, &descriptor))
		return false;
	attributes = soft_descriptor_attributes(&descriptor);
	code = soft_is_code(attributes);
	readable = (attributes & SOFT_SEG_S) && (!code || (attributes & SOFT_SEG_WRITABLE));
	if (!readable ||
	    (!(code && soft_is_conforming(attributes)) && weakest > soft_dpl(attributes)))
		return soft_refuse(cpu, vector, soft_selector_error(selector, external));
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, soft_selector_error(selector, external));
	if (!soft_descriptor_touch(cpu, &descriptor))
		return false;
	*segment = soft_descriptor_segment(selector, &descriptor);
	return true;
}

static bool load_stack(struct soft_cpu *cpu, uint16_t selector, struct mw_segment *segment)
{
	if (!soft_selector_null(selector))
		return soft_stack_segment(cpu, selector, cpu->cpl, SOFT_GP, false, segment);
	if (!soft_64bit(cpu) || cpu->cpl == 3 || (selector & 3) != cpu->cpl)
		return soft_refuse(cpu, SOFT_GP, 0);
	*segment = soft_segment_null(cpu, MW_SS, selector);
	return true;
}

bool soft_segment_load(struct soft_cpu *cpu, enum mw_segment_name name, uint16_t selector)
{
	struct mw_segment segment;

	if (soft_v86(cpu)) {
		segment = soft_segment_paragraph_v86(selector);
	} else if (!(cpu->cr0 & SOFT_CR0_PE)) {
		segment = soft_segment_paragraph(cpu, name, selector);
	} else if (name == MW_SS) {
		if (!load_stack(cpu, selector, &segment))
			return false;
	} else if (soft_selector_null(selector)) {
		segment = soft_segment_null(cpu, name, selector);
	} else if (!soft_data_segment(cpu, selector, cpu->cpl, SOFT_GP, false, &segment)) {
		return false;
	}
	soft_segment_set(cpu, name, segment);
	return true;
}

bool soft_ldt_segment(struct soft_cpu *cpu, uint16_t selector, enum soft_vector vector,
		      enum soft_vector missing, bool external, struct mw_segment *segment)
{
	uint32_t error = soft_selector_error(selector, external);
	struct soft_descriptor descriptor;
	uint16_t attributes;

	if (selector & 4)
		return soft_refuse(cpu, vector, error);
	if (!soft_descriptor_read(cpu, selector, vector, external, &descriptor))
		return false;
	attributes = soft_descriptor_attributes(&descriptor);
	if ((attributes & (SOFT_SEG_S | SOFT_SEG_TYPE)) != SOFT_TYPE_LDT ||
	    !soft_canonical(soft_descriptor_base(&descriptor)))
		return soft_refuse(cpu, vector, error);
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, missing, error);
	*segment = soft_descriptor_segment(selector, &descriptor);
	return true;
}

bool soft_ldtr_load(struct soft_cpu *cpu, uint16_t selector)
{
	struct mw_segment segment = { .selector = selector };

	if (!soft_selector_null(selector) &&
	    !soft_ldt_segment(cpu, selector, SOFT_GP, SOFT_NP, false, &segment))
		return false;
	soft_segment_set(cpu, MW_LDTR, segment);
	return true;
}

bool soft_tr_load(struct soft_cpu *cpu, uint16_t selector)
{
	uint32_t error = soft_selector_error(selector, false);
	struct soft_descriptor descriptor;
	unsigned type;

	if (soft_selector_null(selector) || (selector & 4))
		return soft_refuse(cpu, SOFT_GP, error);
	if (!soft_descriptor_read(cpu, selector, SOFT_GP, false, &descriptor))
		return false;
	type = soft_descriptor_attributes(&descriptor) & (SOFT_SEG_S | SOFT_SEG_TYPE);
	if ((type != SOFT_TYPE_TSS32 && (type != SOFT_TYPE_TSS16 || soft_long_mode(cpu))) ||
	    !soft_canonical(soft_descriptor_base(&descriptor)))
		return soft_refuse(cpu, SOFT_GP, error);
	if (!(soft_descriptor_attributes(&descriptor) & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, error);
	descriptor.low |= (uint64_t)SOFT_TYPE_BUSY << 40;
	if (!soft_system_write(cpu, descriptor.linear + 5, 1, descriptor.low >> 40 & 0xff))
		return false;
	soft_segment_set(cpu, MW_TR, soft_descriptor_segment(selector, &descriptor));
	return true;
}
