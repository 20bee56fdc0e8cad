/** A CD drive's state, for the files it is made of. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_STORAGE_ATAPI_CD_INTERNAL_H
#define DEVICES_STORAGE_ATAPI_CD_INTERNAL_H

#include "devices/bus/ata.h"

enum { ATAPI_PACKET = 12, CD_BLOCK = 2048, CD_RAW = 2352, CD_FRAMES = 75, CD_PREGAP = 150 };
/* What a CD holds at most (90 minutes); a larger image is a DVD's. */
enum { CD_BLOCKS_MOST = 90 * 60 * CD_FRAMES };

/** Sense keys, and additional sense codes with their qualifiers (MMC-3, annex A). */
enum {
	SENSE_NONE,
	SENSE_NOT_READY = 2,
	SENSE_MEDIUM_ERROR,
	SENSE_ILLEGAL_REQUEST = 5,
	SENSE_UNIT_ATTENTION
};
enum {
	ASC_UNRECOVERED_READ = 0x1100,
	ASC_INVALID_COMMAND = 0x2000,
	ASC_OUT_OF_RANGE = 0x2100,
	ASC_INVALID_FIELD = 0x2400,
	ASC_MEDIUM_CHANGED = 0x2800,
	ASC_RESET = 0x2900,
	ASC_SAVING_NOT_SUPPORTED = 0x3900,
	ASC_NO_MEDIUM_CLOSED = 0x3a01,
	ASC_NO_MEDIUM_OPEN = 0x3a02,
	ASC_REMOVAL_PREVENTED = 0x5302
};

/** What an event of the media class tells (MMC-3, table 92). */
enum { CD_EVENT_NONE, CD_EVENT_EJECT, CD_EVENT_NEW, CD_EVENT_REMOVED, CD_EVENTS };

/** What the drive and the host are at. */
enum cd_stage { CD_NO_STAGE, CD_PACKET, CD_REPLY, CD_READ, CD_STAGES };

struct atapi_cd {
	struct mw_ata ata;
	/* Wiring. */
	struct mw_image *image;
	const char *vendor, *product, *serial, *firmware;
	uint64_t blocks; /* of the medium; 0: there is none */
	/* Guest-visible state. */
	uint8_t stage;
	bool dma;            /* the command moves its data by the bus master */
	uint16_t limit;      /* bytes that the host takes at once */
	uint32_t have, sent; /* bytes of a reply in the buffer; of them moved by DMA */
	uint32_t lba, left;  /* blocks that the image has still to do */
	bool raw;            /* they are of 2352 bytes */
	uint8_t key;         /* sense data */
	uint16_t code;
	uint16_t attention; /* a code that the next command tells; 0: none */
	uint8_t event;
	bool tray_open, locked;
	uint8_t transfer_mode;
};

/** Big-endian numbers, as packets have them. */
static inline void cd_put(uint8_t *at, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

static inline uint32_t cd_get(const uint8_t *at, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

static inline bool cd_has_medium(const struct atapi_cd *cd)
{
	return cd->blocks && !cd->tray_open;
}

/** Ends of packet commands: without error, or with sense data. */
void cd_good(struct atapi_cd *cd);
void cd_fail(struct atapi_cd *cd, uint8_t key, uint16_t code);
/** Sends the buffer's first `count` bytes, or what of them the host has room for. */
void cd_reply(struct atapi_cd *cd, size_t count, size_t room);
/** Sends `count` blocks, which the medium must have. */
void cd_read(struct atapi_cd *cd, uint32_t lba, uint32_t count, bool raw);
/** The tray comes out, or goes in. */
void cd_move_tray(struct atapi_cd *cd, bool open);

/** Runs the packet that is in the buffer. */
void cd_run_packet(struct atapi_cd *cd);

/** Commands whose answer is a page of data (atapi_cd_pages.c). `packet` is a copy. */
void cd_inquiry(struct atapi_cd *cd, const uint8_t *packet);
void cd_request_sense(struct atapi_cd *cd, const uint8_t *packet);
void cd_mode_sense_6(struct atapi_cd *cd, const uint8_t *packet);
void cd_mode_sense_10(struct atapi_cd *cd, const uint8_t *packet);
void cd_get_configuration(struct atapi_cd *cd, const uint8_t *packet);
void cd_read_toc(struct atapi_cd *cd, const uint8_t *packet);
/** Puts IDENTIFY PACKET DEVICE's data into the buffer. */
void cd_identify(struct atapi_cd *cd);

#endif
