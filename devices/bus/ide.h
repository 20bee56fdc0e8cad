/** The private bus between an IDE controller and its drives: registers, INTRQ and DMA. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BUS_IDE_H
#define DEVICES_BUS_IDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reference: ATA/ATAPI-7, volume 2. The bus kind is "ide"; an address is CHANNEL.UNIT, each 0 or 1. */

enum { MW_IDE_CHANNELS = 2, MW_IDE_UNITS = 2 };

/** Registers: those of the command block by their offset, and the control block's. */
enum {
	MW_IDE_DATA,
	MW_IDE_ERROR, /* written: features */
	MW_IDE_COUNT,
	MW_IDE_LBA_LOW,
	MW_IDE_LBA_MID,
	MW_IDE_LBA_HIGH,
	MW_IDE_DEVICE,
	MW_IDE_STATUS, /* written: command */
	MW_IDE_CONTROL /* read: alternate status */
};
/** Of the status register. */
enum { MW_IDE_BSY = 0x80, MW_IDE_DRQ = 0x08 };
/** Of the device register: which of the two drives is meant. */
enum { MW_IDE_DEV = 0x10 };

/** A drive's interface. Both drives of a channel hear every write of a register other than data; reads and
 * data are the selected one's. */
struct mw_ide_drive {
	uint8_t (*read)(void *drive, unsigned reg);
	void (*write)(void *drive, unsigned reg, uint8_t value);
	/** The data register: 2 or 4 bytes, the earlier ones lower. */
	uint32_t (*read_data)(void *drive, unsigned size);
	void (*write_data)(void *drive, unsigned size, uint32_t value);
	/** The bus master can move data now; a drive that waits for it goes on. */
	void (*dma_ready)(void *drive);
};

/** A controller's bus interface. `drive` is who calls. */
struct mw_ide_host {
	/** 0 or 1. From the drive's init on. */
	unsigned (*unit)(void *host, const void *drive);
	void (*intrq)(void *host, const void *drive, bool level);
	/** Whether the bus master would move data for this drive now. */
	bool (*dma_is_ready)(void *host, const void *drive);
	/** Moves data between the drive's bytes and guest memory, where the last move ended. Less than `count`
	 * where the memory given by the guest ends; then the bus master is not ready any more. */
	size_t (*dma_move)(void *host, const void *drive, void *bytes, size_t count,
			   bool to_memory);
};

#endif
