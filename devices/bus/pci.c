/* Configuration space of a PCI function. Reference: PCI Local Bus Specification 3.0, chapter 6. */
// SPDX-License-Identifier: MIT
#include "devices/bus/pci.h"

#include <string.h>

enum { IO_SPACE = 0x01, PREFETCHABLE = 0x08, ROM_ENABLE = 0x01, BAR_FLAGS = 0x0f };
enum { STATUS_ERRORS = 0xf900 }; /* write one to clear (table 6-2) */

const struct mw_state mw_pci_rows[1] = {
	{ "config", MW_ARRAY(struct mw_pci, config), .since = 1 },
};

uint32_t mw_pci_get(const struct mw_pci *pci, unsigned at, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)pci->config[at + i] << (8 * i);
	return value;
}

static void store(uint8_t *bytes, unsigned at, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++)
		bytes[at + i] = (uint8_t)(value >> (8 * i));
}

void mw_pci_put(struct mw_pci *pci, unsigned at, unsigned size, uint32_t value)
{
	store(pci->config, at, size, value);
}

static unsigned bar_offset(const struct mw_region *region)
{
	unsigned bar = region->bar - 1;

	return bar == MW_PCI_ROM ? MW_PCI_ROM_BASE : MW_PCI_BAR0 + 4 * bar;
}

static bool is_rom(const struct mw_region *region)
{
	return region->bar - 1 == MW_PCI_ROM;
}

/* What a base address register reads as below its address (6.2.5.1). */
static uint32_t bar_flags(const struct mw_region *region)
{
	if (region->space == MW_SPACE_PORT)
		return IO_SPACE;
	return region->backing != MW_BACKING_CALLS && !is_rom(region) ? PREFETCHABLE : 0;
}

/* Calls for each base address register that the plan has given a size. */
static void each_bar(struct mw_pci *pci,
		     void (*visit)(struct mw_pci *pci, const struct mw_region *region,
				   uint64_t length))
{
	for (size_t i = 0; i < pci->type->region_count; i++) {
		const struct mw_region *region = &pci->type->regions[i];
		uint64_t length = region->bar ? mw_region_length(pci->self, region->name) : 0;

		if (length)
			visit(pci, region, length);
	}
}

static void allow_bar(struct mw_pci *pci, const struct mw_region *region, uint64_t length)
{
	uint32_t mask = (uint32_t) ~(length - 1);

	store(pci->writable, bar_offset(region), 4, mask | (is_rom(region) ? ROM_ENABLE : 0));
}

static void reset_bar(struct mw_pci *pci, const struct mw_region *region, uint64_t length)
{
	(void)length;
	mw_pci_put(pci, bar_offset(region), 4, bar_flags(region));
}

static uint16_t command_bits(const struct mw_pci_type *type)
{
	return type->command ? type->command : MW_PCI_IO | MW_PCI_MEMORY | MW_PCI_MASTER;
}

void mw_pci_init(struct mw_pci *pci, void *self, const struct mw_pci_type *type)
{
	pci->self = self;
	pci->type = type;
	store(pci->writable, MW_PCI_COMMAND, 2, command_bits(type));
	store(pci->clear, MW_PCI_STATUS, 2, STATUS_ERRORS);
	store(pci->writable, MW_PCI_LATENCY, 1, 0xf8);
	if (type->identity.pin)
		store(pci->writable, MW_PCI_LINE, 1, 0xff);
	each_bar(pci, allow_bar);
	for (size_t i = 0; i < type->register_count; i++) {
		const struct mw_pci_register *row = &type->registers[i];

		store(pci->writable, row->at, row->size, row->writable);
		store(pci->clear, row->at, row->size, row->clear);
	}
}

static void put_header(struct mw_pci *pci)
{
	const struct mw_pci_identity *identity = &pci->type->identity;

	mw_pci_put(pci, MW_PCI_VENDOR, 2, identity->vendor);
	mw_pci_put(pci, MW_PCI_DEVICE, 2, identity->device);
	mw_pci_put(pci, MW_PCI_STATUS, 2, pci->type->status);
	mw_pci_put(pci, MW_PCI_REVISION, 1, identity->revision);
	mw_pci_put(pci, MW_PCI_CLASS, 1, identity->class_code);
	mw_pci_put(pci, MW_PCI_CLASS + 1, 2, identity->class_code >> 8);
	mw_pci_put(pci, MW_PCI_HEADER, 1, identity->header);
	mw_pci_put(pci, MW_PCI_SUBSYSTEM_VENDOR, 2, identity->subsystem_vendor);
	mw_pci_put(pci, MW_PCI_SUBSYSTEM, 2, identity->subsystem);
	mw_pci_put(pci, MW_PCI_PIN, 1, identity->pin);
}

void mw_pci_reset(struct mw_pci *pci)
{
	memset(pci->config, 0, sizeof(pci->config));
	put_header(pci);
	each_bar(pci, reset_bar);
	for (size_t i = 0; i < pci->type->register_count; i++) {
		const struct mw_pci_register *row = &pci->type->registers[i];

		mw_pci_put(pci, row->at, row->size, row->reset);
	}
}

/* An address of 0 or up to the very end is one that a guest has not chosen yet. */
static void place_bar(struct mw_pci *pci, const struct mw_region *region, uint64_t length)
{
	bool ports = region->space == MW_SPACE_PORT;
	uint32_t value = mw_pci_get(pci, bar_offset(region), 4);
	uint32_t base = value & (uint32_t) ~(length - 1) & ~(is_rom(region) ? ROM_ENABLE : 0u);
	uint64_t last = (uint64_t)base + length - 1;
	bool enabled = pci->config[MW_PCI_COMMAND] & (ports ? MW_PCI_IO : MW_PCI_MEMORY);

	if (is_rom(region))
		enabled = enabled && value & ROM_ENABLE;
	enabled = enabled && base && last < (ports ? 0x10000u : UINT32_MAX);
	mw_region_move(pci->self, region->name, base, enabled);
}

/* Bits that no guest can change have the values of reset, whatever a snapshot says. */
void mw_pci_loaded(struct mw_pci *pci)
{
	uint8_t loaded[MW_PCI_BYTES];

	memcpy(loaded, pci->config, sizeof(loaded));
	mw_pci_reset(pci);
	for (unsigned i = 0; i < MW_PCI_BYTES; i++) {
		uint8_t kept = pci->writable[i] | pci->clear[i];

		pci->config[i] = (uint8_t)((pci->config[i] & ~kept) | (loaded[i] & kept));
	}
	each_bar(pci, place_bar);
}

enum mw_io mw_pci_read(void *self, uint32_t offset, unsigned size, uint32_t *value)
{
	const struct mw_pci *pci = self;

	if (offset >= MW_PCI_BYTES || size > MW_PCI_BYTES - offset)
		return MW_IO_NO_REGISTER;
	*value = mw_pci_get(pci, offset, size);
	return MW_IO_OK;
}

static bool touches_placement(unsigned at, unsigned size)
{
	return (at < MW_PCI_COMMAND + 2 && at + size > MW_PCI_COMMAND) ||
	       (at < MW_PCI_BAR0 + 24 && at + size > MW_PCI_BAR0) ||
	       (at < MW_PCI_ROM_BASE + 4 && at + size > MW_PCI_ROM_BASE);
}

enum mw_io mw_pci_write(void *self, uint32_t offset, unsigned size, uint32_t value)
{
	struct mw_pci *pci = self;

	if (offset >= MW_PCI_BYTES || size > MW_PCI_BYTES - offset)
		return MW_IO_NO_REGISTER;
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> (8 * i)), *at = &pci->config[offset + i];
		uint8_t writable = pci->writable[offset + i], clear = pci->clear[offset + i];

		*at = (uint8_t)((*at & ~writable) | (byte & writable));
		*at = (uint8_t)(*at & ~(byte & clear));
	}
	if (touches_placement(offset, size))
		each_bar(pci, place_bar);
	if (pci->type->changed)
		pci->type->changed(pci->self, offset, size);
	return MW_IO_OK;
}

bool mw_pci_is_master(const struct mw_pci *pci)
{
	return pci->config[MW_PCI_COMMAND] & MW_PCI_MASTER;
}
