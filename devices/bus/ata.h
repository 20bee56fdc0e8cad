/** What disks and packet devices on an IDE bus have in common: the task file, data phases, resets. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BUS_ATA_H
#define DEVICES_BUS_ATA_H

#include "core/device.h"
#include "devices/bus/ide.h"

/* Reference: ATA/ATAPI-7, volumes 1 and 2; sections of volume 2 unless said otherwise. */

enum {
	MW_ATA_BUFFER = 128 << 10, /* one request to the image at most */
	MW_ATA_PIO = 32 << 10,     /* its first part holds data that the host moves, and is state */
	MW_ATA_SECTOR = 512
};
/** Status and error registers. */
enum { MW_ATA_DRDY = 0x40, MW_ATA_DF = 0x20, MW_ATA_DSC = 0x10, MW_ATA_ERR = 0x01 };
enum { MW_ATA_UNC = 0x40, MW_ATA_IDNF = 0x10, MW_ATA_ABRT = 0x04 };
/** Modes of SET FEATURES, subcommand 03h (volume 1, table 48), and the one after a reset. */
enum {
	MW_ATA_MODE_PIO = 0x00,
	MW_ATA_MODE_MULTIWORD = 0x20,
	MW_ATA_MODE_ULTRA = 0x40,
	MW_ATA_MODE_RESET = MW_ATA_MODE_MULTIWORD | 2
};
/** Device register. */
enum { MW_ATA_LBA = 0x40, MW_ATA_DEVICE_ONES = 0xa0 };

/** What the drive is at. BUSY: the image works for it; no snapshot is taken then. */
enum mw_ata_phase {
	MW_ATA_IDLE,
	MW_ATA_BUSY,
	MW_ATA_DATA_IN, /* the host reads a block through the data register */
	MW_ATA_DATA_OUT,
	MW_ATA_DMA, /* until the bus master is ready */
	MW_ATA_PHASES
};

/** What a kind of drive adds. All but `packet` get the drive's own struct. */
struct mw_ata_ops {
	bool packet; /* its signature is a packet device's, and it takes DEVICE RESET */
	void (*command)(void *self, uint8_t command);
	/** The host has read or written the whole block. */
	void (*data)(void *self);
	/** The bus master is ready. */
	void (*dma)(void *self);
	/** The image has ended what mw_ata_submit asked. */
	void (*done)(void *self, enum mw_image_result result);
	/** A software reset or DEVICE RESET ends what was going on. */
	void (*reset)(void *self);
};

/** Task file registers that remember one value before, by MW_IDE_ERROR to MW_IDE_LBA_HIGH. */
enum { MW_ATA_FIFO = MW_IDE_DEVICE };

/** The first member of a drive's struct, with MW_STRUCT(struct x, ata, mw_ata_rows) among its state rows. */
struct mw_ata {
	/* Wiring. */
	const struct mw_ata_ops *ops;
	const struct mw_ide_host *host; /* NULL: it is on no bus */
	void *controller, *self;
	struct mw_image *image;
	bool second;
	struct mw_image_request request;
	/* Guest-visible state. */
	uint8_t task[MW_ATA_FIFO], previous[MW_ATA_FIFO];
	uint8_t device, control, status, error;
	bool interrupt; /* pending, whether the host sees it or not */
	bool resetting; /* a reset waits for the image */
	uint8_t phase;
	uint32_t at, end; /* the block in `buffer` */
	uint8_t buffer[MW_ATA_BUFFER];
};
enum { MW_ATA_ROWS = 12 };
extern const struct mw_state mw_ata_rows[MW_ATA_ROWS];

/** In init, after_reset and after_load of the drive. */
void mw_ata_init(struct mw_ata *ata, const struct mw_ata_ops *ops, void *self,
		 struct mw_image *image);
void mw_ata_reset(struct mw_ata *ata);
void mw_ata_loaded(struct mw_ata *ata);

/** The type's `interface`, and the image wire's `on_done`. */
extern const struct mw_ide_drive mw_ata_drive;
void mw_ata_on_done(void *self, struct mw_image_request *request);

/** Ends of commands: without errors and with an interrupt; the same without one; with an error. */
void mw_ata_finish(struct mw_ata *ata);
void mw_ata_rest(struct mw_ata *ata);
void mw_ata_fail(struct mw_ata *ata, uint8_t error);
/** The registers say what kind of drive it is (9.12). */
void mw_ata_put_signature(struct mw_ata *ata);

/** Data phases: `count` bytes of the buffer from `at` on, within MW_ATA_PIO. `data` follows. */
void mw_ata_send(struct mw_ata *ata, size_t at, size_t count);
void mw_ata_take(struct mw_ata *ata, size_t at, size_t count, bool interrupt);
/** `dma` follows, now or when the bus master is ready. */
void mw_ata_wait_dma(struct mw_ata *ata);
/** The rest of a DMA phase, for `dma` and `done`. */
bool mw_ata_dma_is_ready(const struct mw_ata *ata);
size_t mw_ata_dma_move(struct mw_ata *ata, size_t at, size_t count, bool to_memory);
/** Asks the image for something with the buffer's bytes from `at` on; `done` follows. */
void mw_ata_submit(struct mw_ata *ata, enum mw_image_op op, uint64_t offset, size_t at,
		   size_t count);

/** The buffer as IDENTIFY data: a word, and text in words (volume 1, 6.17). */
void mw_ata_put_word(struct mw_ata *ata, unsigned word, unsigned value);
void mw_ata_put_text(struct mw_ata *ata, unsigned word, unsigned words, const char *text);
/** SET FEATURES asks for a transfer mode. False: there is none such; PIO modes leave what was said of DMA. */
bool mw_ata_set_mode(uint8_t *mode, uint8_t asked);
/** Makes the sum of `count` bytes zero with the last one. */
void mw_ata_put_checksum(uint8_t *bytes, size_t count);

#endif
