/** A PCI function's configuration space: what a device is to the bus, its base addresses and its pin. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BUS_PCI_H
#define DEVICES_BUS_PCI_H

#include "core/device.h"

/* Reference: PCI Local Bus Specification 3.0, chapter 6; figures and sections are its. */

enum { MW_PCI_BYTES = 256, MW_PCI_BARS = 7, MW_PCI_ROM = 6 };
/** `bar` of a region: base address register `n`, 0 to 5, or MW_PCI_ROM. */
#define MW_PCI_BAR(n) ((n) + 1)

/** Offsets in the header (figure 6-1). */
enum {
	MW_PCI_VENDOR = 0x00,
	MW_PCI_DEVICE = 0x02,
	MW_PCI_COMMAND = 0x04,
	MW_PCI_STATUS = 0x06,
	MW_PCI_REVISION = 0x08,
	MW_PCI_CLASS = 0x09,
	MW_PCI_LATENCY = 0x0d,
	MW_PCI_HEADER = 0x0e,
	MW_PCI_BAR0 = 0x10,
	MW_PCI_SUBSYSTEM_VENDOR = 0x2c,
	MW_PCI_SUBSYSTEM = 0x2e,
	MW_PCI_ROM_BASE = 0x30,
	MW_PCI_LINE = 0x3c,
	MW_PCI_PIN = 0x3d
};
/** Bits of the command register (table 6-1). */
enum { MW_PCI_IO = 0x01, MW_PCI_MEMORY = 0x02, MW_PCI_MASTER = 0x04, MW_PCI_NO_INTX = 0x400 };

/** A register of the function beyond its header, or one of the header with other bits than usual: 1, 2 or 4
 * bytes. A bit of `clear` is cleared by writing a one. */
struct mw_pci_register {
	uint8_t at, size;
	uint32_t reset, writable, clear;
};

/** What a function is. `regions` is the type's own table: BARs are found in it. */
struct mw_pci_type {
	struct mw_pci_identity identity;
	uint16_t
		command; /* bits a guest may write; 0: I/O, memory and bus master as its BARs have use for */
	uint16_t status; /* after reset */
	const struct mw_pci_register *registers;
	size_t register_count;
	const struct mw_region *regions;
	size_t region_count;
	/** A guest has written these bytes; their new values are in `config`. NULL: not of interest. */
	void (*changed)(void *self, unsigned at, unsigned size);
};

/** Part of a device's struct, with MW_STRUCT(struct x, pci, mw_pci_rows) among its state rows. */
struct mw_pci {
	uint8_t config[MW_PCI_BYTES]; /* little-endian, as the guest reads it */
	uint8_t writable[MW_PCI_BYTES], clear[MW_PCI_BYTES];
	const struct mw_pci_type *type;
	void *self;
};
extern const struct mw_state mw_pci_rows[1];

/** In init, after_reset and after_load of the device. */
void mw_pci_init(struct mw_pci *pci, void *self, const struct mw_pci_type *type);
void mw_pci_reset(struct mw_pci *pci);
void mw_pci_loaded(struct mw_pci *pci);

/** For the device's mw_config_ops, with `pci` at its offset: MW_PCI_CONFIG fills them in. */
enum mw_io mw_pci_read(void *pci, uint32_t offset, unsigned size, uint32_t *value);
enum mw_io mw_pci_write(void *pci, uint32_t offset, unsigned size, uint32_t value);
#define MW_PCI_CONFIG(type, member, function)                                           \
	{                                                                               \
		mw_pci_read, mw_pci_write, &(function).identity, offsetof(type, member) \
	}

/** Registers as numbers: 1, 2 or 4 bytes. put ignores what a guest may write. */
uint32_t mw_pci_get(const struct mw_pci *pci, unsigned at, unsigned size);
void mw_pci_put(struct mw_pci *pci, unsigned at, unsigned size, uint32_t value);

/** Whether the guest lets it be a bus master. A device that is none reads ones and writes nothing. */
bool mw_pci_is_master(const struct mw_pci *pci);

#endif
