/** Resource templates in AML (ACPI 6.5, 6.4). */
// SPDX-License-Identifier: MIT
#include <assert.h>

#include "core/tables/aml.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum {
	OP_BUFFER = 0x11,
	SMALL_IRQ = 0x22,         /* 6.4.2.1, two bytes follow */
	SMALL_IRQ_FLAGS = 0x23,   /* and flags */
	SMALL_IO = 0x47,          /* 6.4.2.5, seven bytes follow */
	SMALL_END = 0x79,         /* 6.4.2.9, one byte follows */
	LARGE_MEMORY32 = 0x86,    /* 6.4.3.4 */
	LARGE_DWORD_SPACE = 0x87, /* 6.4.3.5.2 */
	LARGE_WORD_SPACE = 0x88,  /* 6.4.3.5.3 */
	LARGE_INTERRUPT = 0x89,   /* 6.4.3.6 */
	LARGE_QWORD_SPACE = 0x8a  /* 6.4.3.5.1 */
};
/* General flags of an address space (6.4.3.5.1): the device consumes it, both ends are fixed. */
#define FIXED_CONSUMER 0x0d
/* The same for one that passes it on. */
#define FIXED_PRODUCER 0x0c

void mw_aml_resources_begin(struct mw_aml *aml)
{
	mw_aml_byte(aml, OP_BUFFER);
	mw_aml_package_open(aml);
}

void mw_aml_resource_io(struct mw_aml *aml, uint16_t base, uint16_t length)
{
	assert(length && (uint32_t)base + length <= 0x10000);
	if (length <= UINT8_MAX) {
		mw_aml_byte(aml, SMALL_IO);
		mw_aml_byte(aml, 1); /* 16 address lines decoded */
		mw_aml_le(aml, 2, base);
		mw_aml_le(aml, 2, base);
		mw_aml_byte(aml, 1); /* alignment */
		mw_aml_byte(aml, (uint8_t)length);
		return;
	}
	mw_aml_byte(aml, LARGE_WORD_SPACE);
	mw_aml_le(aml, 2, 13);
	mw_aml_byte(aml, 1); /* I/O */
	mw_aml_byte(aml, FIXED_CONSUMER);
	mw_aml_byte(aml, 3);  /* ISA and non-ISA ports alike */
	mw_aml_le(aml, 2, 0); /* granularity */
	mw_aml_le(aml, 2, base);
	mw_aml_le(aml, 2, (uint64_t)base + length - 1);
	mw_aml_le(aml, 2, 0); /* translation */
	mw_aml_le(aml, 2, length);
}

void mw_aml_resource_memory(struct mw_aml *aml, uint64_t base, uint64_t length, bool writable)
{
	assert(length && base + (length - 1) >= base);
	if (base + (length - 1) <= UINT32_MAX && length <= UINT32_MAX) {
		mw_aml_byte(aml, LARGE_MEMORY32);
		mw_aml_le(aml, 2, 9);
		mw_aml_byte(aml, writable);
		mw_aml_le(aml, 4, base);
		mw_aml_le(aml, 4, length);
		return;
	}
	mw_aml_byte(aml, LARGE_QWORD_SPACE);
	mw_aml_le(aml, 2, 43);
	mw_aml_byte(aml, 0); /* memory */
	mw_aml_byte(aml, FIXED_CONSUMER);
	mw_aml_byte(aml, writable); /* not cacheable */
	mw_aml_le(aml, 8, 0);       /* granularity */
	mw_aml_le(aml, 8, base);
	mw_aml_le(aml, 8, base + (length - 1));
	mw_aml_le(aml, 8, 0); /* translation */
	mw_aml_le(aml, 8, length);
}

void mw_aml_resource_irq(struct mw_aml *aml, unsigned line, bool level, bool shared)
{
	bool plain = !level && !shared;
	assert(line < 16);
	mw_aml_byte(aml, plain ? SMALL_IRQ : SMALL_IRQ_FLAGS);
	mw_aml_le(aml, 2, UINT64_C(1) << line);
	if (!plain)
		mw_aml_byte(aml, (uint8_t)((level ? 0x08u : 0x01u) | (shared ? 0x10u : 0)));
}

void mw_aml_resource_interrupts(struct mw_aml *aml, const uint32_t *gsis, size_t count, bool level,
				bool active_low, bool shared)
{
	assert(count <= UINT8_MAX);
	mw_aml_byte(aml, LARGE_INTERRUPT);
	mw_aml_le(aml, 2, 2 + 4 * count);
	mw_aml_byte(aml,
		    (uint8_t)(1u | (level ? 0 : 2u) | (active_low ? 4u : 0) | (shared ? 8u : 0)));
	mw_aml_le(aml, 1, count);
	for (size_t i = 0; i < count; i++)
		mw_aml_le(aml, 4, gsis[i]);
}

void mw_aml_resource_interrupt(struct mw_aml *aml, uint32_t gsi, bool level, bool active_low,
			       bool shared)
{
	mw_aml_resource_interrupts(aml, &gsi, 1, level, active_low, shared);
}

void mw_aml_resource_window(struct mw_aml *aml, enum mw_aml_space space, uint64_t base,
			    uint64_t length)
{
	static const uint8_t type_flags[] = { [MW_AML_MEMORY] =
						      1, /* not cacheable, can be written */
					      [MW_AML_PORTS] = 3, /* ISA and non-ISA ports alike */
					      [MW_AML_BUSES] = 0 };
	unsigned size = space == MW_AML_MEMORY ? 4 : 2;
	assert(length && length <= UINT32_MAX && base + (length - 1) < UINT64_C(1) << (8 * size));
	mw_aml_byte(aml, size == 4 ? LARGE_DWORD_SPACE : LARGE_WORD_SPACE);
	mw_aml_le(aml, 2, 3 + 5 * size);
	mw_aml_byte(aml, (uint8_t)space);
	mw_aml_byte(aml, FIXED_PRODUCER);
	mw_aml_byte(aml, type_flags[space]);
	mw_aml_le(aml, size, 0); /* granularity */
	mw_aml_le(aml, size, base);
	mw_aml_le(aml, size, base + (length - 1));
	mw_aml_le(aml, size, 0); /* translation */
	mw_aml_le(aml, size, length);
}

/** Whether the line is one of the ISA bus and its descriptor there can say how it is. */
static bool is_legacy(const struct mw_plan_net *net)
{
	uint32_t line;
	bool level = net->trigger == MW_TRIGGER_LEVEL, low = net->polarity == MW_POLARITY_LOW;
	return mw_acpi_isa_line(net, &line) && level == low;
}

bool mw_aml_can_name_line(const struct mw_plan_net *net)
{
	return net->gsi != MW_NO_GSI || is_legacy(net);
}

void mw_aml_resource_line(struct mw_aml *aml, const struct mw_plan_net *net)
{
	bool level = net->trigger == MW_TRIGGER_LEVEL;
	if (is_legacy(net))
		mw_aml_resource_irq(aml, net->line, level, net->shared);
	else if (net->gsi != MW_NO_GSI)
		mw_aml_resource_interrupt(aml, net->gsi, level, net->polarity == MW_POLARITY_LOW,
					  net->shared);
}

void mw_aml_resources_end(struct mw_aml *aml)
{
	assert(aml->depth && "resources_end needs its begin");
	size_t start = aml->open[aml->depth - 1];
	mw_aml_byte(aml, SMALL_END);
	uint8_t sum = 0;
	for (size_t i = start; i < aml->length; i++)
		sum = (uint8_t)(sum + aml->bytes[i]);
	mw_aml_byte(aml, (uint8_t)-sum);
	mw_aml_insert_integer(aml, start, aml->length - start);
	mw_aml_end(aml);
}
