/** A PIIX3 IDE controller with drives of a test's choice, and the host's side of the protocols. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_DEVICES_IDE_BENCH_H
#define TESTS_UNIT_DEVICES_IDE_BENCH_H

#include "devices/bus/ide.h"
#include "tests/support/rig.h"

extern const struct mw_device_type piix3_ide_type, ata_disk_type, atapi_cd_type;

/** Bits of the status register. */
enum { BSY = 0x80, DRDY = 0x40, DF = 0x20, DSC = 0x10, DRQ = 0x08, ERR = 0x01, IDLE = DRDY | DSC };
/** Bits of the error register. */
enum { UNC = 0x40, IDNF = 0x10, ABRT = 0x04 };
enum { SECTOR = 512 };
/** Where tests have a descriptor table and data in guest memory. */
enum { TABLE = 0x10000, DATA = 0x20000 };

/** Ports are decoded, regions placed, and the function is a bus master. */
struct rig *ide_create(const struct rig_child *children, bool threads);

/** Registers of the primary channel; DATA's are words. */
uint8_t ide_in(struct rig *rig, unsigned reg);
void ide_out(struct rig *rig, unsigned reg, unsigned value);
/** Takes the interrupt, and returns the status with which it is taken; -1 where there is none. */
int ide_interrupt(struct rig *rig);

/** Writes features, count, address (28 bits) and device, then the command. */
void ide_command(struct rig *rig, unsigned command, unsigned features, unsigned count,
		 uint32_t lba);
void ide_command_ext(struct rig *rig, unsigned command, unsigned count, uint64_t lba);
void ide_read_words(struct rig *rig, void *bytes, size_t count);
void ide_write_words(struct rig *rig, const void *bytes, size_t count);

/** The bus master of the primary channel: a table of regions that ends with length 0; START with the
 * direction. */
struct ide_region {
	uint32_t address, length;
};
void ide_table(struct rig *rig, const struct ide_region *regions);
enum { TO_MEMORY = 0x08, FROM_MEMORY = 0 };
void ide_start_dma(struct rig *rig, unsigned direction);
uint8_t ide_dma_status(struct rig *rig);
uint8_t *ide_memory(struct rig *rig, uint64_t address, size_t count);

#endif
