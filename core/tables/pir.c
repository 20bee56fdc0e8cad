/** The PCI IRQ routing table, for systems that program the router themselves (Microsoft, "PCI IRQ Routing Table
 * Specification" 1.0). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/bytes.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum { HEADER_BYTES = 32, CHECKSUM = 31, SLOTS = 32, PINS = 4, VERSION = 0x0100 };
/* An 82371FB, whose way of routing the others have too. */
#define COMPATIBLE UINT32_C(0x122e8086)

/** A slot is there for each device, and for those that may come. */
static void write_slot(struct mw_aml *table, const struct mw_routing *routing, unsigned slot,
		       unsigned number)
{
	mw_aml_le(table, 1, 0);
	mw_aml_le(table, 1, slot << 3);
	for (unsigned pin = 0; pin < PINS; pin++) {
		uint32_t line = mw_routing_line(routing, slot, pin);
		mw_aml_le(table, 1, routing->router->type->firmware.pirq + line);
		mw_aml_le(table, 2, routing->lines);
	}
	mw_aml_le(table, 1, number); /* 0: it is on the board */
	mw_aml_le(table, 1, 0);
}

bool mw_pir_write(struct mw_aml *table, const struct mw_plan *plan)
{
	struct mw_routing routing;
	unsigned slot, function;
	if (!mw_routing_find(&routing, plan) || !routing.router ||
	    !mw_plan_pci_address(plan, routing.router, &slot, &function))
		return false;
	for (unsigned i = 0; i < HEADER_BYTES; i++)
		mw_aml_byte(table, 0);
	for (unsigned i = 1; i < SLOTS; i++)
		write_slot(table, &routing, i, i > slot ? i - slot : 0);
	uint8_t *header = table->bytes;
	memcpy(header, "$PIR", 4);
	mw_put_le(header + 4, 2, VERSION);
	mw_put_le(header + 6, 2, table->length);
	header[9] = (uint8_t)(slot << 3 | function);
	mw_put_le(header + 12, 4, COMPATIBLE);
	header[CHECKSUM] = mw_acpi_checksum(header, table->length);
	return true;
}
