/** A disk's state, for the files it is made of. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_STORAGE_ATA_DISK_INTERNAL_H
#define DEVICES_STORAGE_ATA_DISK_INTERNAL_H

#include "devices/bus/ata.h"

enum { ATA_TESTS = 21 }; /* entries of the self-test log */

struct ata_disk {
	struct mw_ata ata;
	/* Wiring. */
	struct mw_image *image;
	const char *model, *serial, *firmware;
	uint16_t cylinders, heads, sectors; /* the geometry that IDENTIFY tells */
	uint64_t total;                     /* sectors */
	/* Guest-visible state. */
	uint8_t command, flags;     /* flags: of the command, ATA_... */
	uint64_t lba;               /* the next sector of a transfer */
	uint32_t left, have, block; /* sectors to go; in the buffer; in a block of data */
	uint8_t multiple;           /* 0: not set */
	uint8_t current_heads, current_sectors; /* what CHS addresses mean */
	uint8_t transfer_mode;                  /* as SET FEATURES has it */
	uint8_t power;                          /* as CHECK POWER MODE tells it */
	bool asleep, write_cache, look_ahead;
	bool smart, autosave;
	uint8_t tests, last_test, test[ATA_TESTS]; /* how many there are, the newest one */
};

enum { ATA_MULTIPLE_MOST = 16, ATA_TRIM_BLOCKS = 8 };

/** How a command moves sectors; 0: it does not. */
enum {
	ATA_SECTORS = 0x01,
	ATA_EXT = 0x02, /* 48-bit address and 16-bit count */
	ATA_WRITE = 0x04,
	ATA_DMA = 0x08,
	ATA_BLOCKS = 0x10, /* blocks of several sectors */
	ATA_VERIFY = 0x20, /* nothing comes to the host */
	ATA_FUA = 0x40,    /* written to the medium, whatever the cache does */
	ATA_TRIM = 0x80
};

/** The address in the registers, as its form there is; false where it is none. */
bool ata_disk_get_address(const struct ata_disk *disk, bool ext, uint64_t *lba);
void ata_disk_put_address(struct ata_disk *disk, bool ext, uint64_t lba);

/** What a command with ATA_SECTORS, DATA SET MANAGEMENT and FLUSH CACHE begin with. */
void ata_disk_transfer(struct ata_disk *disk);
void ata_disk_trim(struct ata_disk *disk);
void ata_disk_flush(struct ata_disk *disk);
/** For struct mw_ata_ops. */
void ata_disk_on_data(void *self);
void ata_disk_on_dma(void *self);
void ata_disk_on_image(void *self, enum mw_image_result result);

/** Puts IDENTIFY DEVICE's data into the buffer. */
void ata_disk_identify(struct ata_disk *disk);
/** The SMART command, from its start to its end. */
void ata_disk_smart(struct ata_disk *disk);

#endif
