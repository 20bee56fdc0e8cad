/* What an ATAPI CD drive says of itself and its medium. References: ATA/ATAPI-7, volume 1, 6.18 (IDENTIFY PACKET
 * DEVICE); MMC-3, chapter 5; SPC-2 for INQUIRY, REQUEST SENSE and MODE SENSE. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/storage/atapi_cd_internal.h"

enum { PROFILE_CD = 0x0008, PROFILE_DVD = 0x0010 };
enum { LEAD_OUT = 0xaa, DATA_TRACK = 0x14 }; /* a track's number; control and ADR */

static void invalid_field(struct atapi_cd *cd)
{
	cd_fail(cd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

/* Text padded with spaces. */
static void put_text(uint8_t *to, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		to[i] = (uint8_t)(*text ? *text++ : ' ');
}

void cd_identify(struct atapi_cd *cd)
{
	static const struct {
		uint8_t word;
		uint16_t value;
	} constants[] = {
		{ 0, 0x85c0 },  /* a packet device, a CD drive, removable, DRQ at once, 12 bytes */
		{ 49, 0x0f00 }, /* DMA, LBA, IORDY */
		{ 50, 0x4000 }, { 53, 0x0006 }, /* words 64 to 70 and 88 are valid */
		{ 64, 0x0003 },                 /* PIO modes 3 and 4 */
		{ 65, 120 },    { 66, 120 },    { 67, 120 },
		{ 68, 120 },    { 80, 0x00f0 }, /* ATA/ATAPI-4 to -7 */
		{ 82, 0x0218 },                 /* DEVICE RESET, PACKET, power management */
		{ 83, 0x4000 }, { 84, 0x4000 }, { 85, 0x0218 },
		{ 87, 0x4000 }, { 93, 0x6001 },
	};
	enum { CHARACTERS = 8 + 1 + 16 };
	struct mw_ata *ata = &cd->ata;
	unsigned mode = cd->transfer_mode, selected = 0x100u << (mode & 7);
	char model[CHARACTERS + 1] = { 0 };

	put_text((uint8_t *)model, 8, cd->vendor);
	put_text((uint8_t *)model + 8, CHARACTERS - 8, " ");
	put_text((uint8_t *)model + 9, 16, cd->product);
	memset(ata->buffer, 0, MW_ATA_SECTOR);
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		mw_ata_put_word(ata, constants[i].word, constants[i].value);
	mw_ata_put_text(ata, 10, 10, cd->serial[0] ? cd->serial : mw_device_id(cd));
	mw_ata_put_text(ata, 23, 4, cd->firmware);
	mw_ata_put_text(ata, 27, 20, model);
	mw_ata_put_word(ata, 63, 0x07 | (mode & 0x20 ? selected : 0));
	mw_ata_put_word(ata, 88, 0x3f | (mode & 0x40 ? selected : 0));
	mw_ata_put_word(ata, 255, 0xa5);
	mw_ata_put_checksum(ata->buffer, MW_ATA_SECTOR);
}

void cd_inquiry(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { BYTES = 36, VITAL_DATA = 0x01, CD_DRIVE = 0x05, REMOVABLE = 0x80 };
	uint8_t *to = cd->ata.buffer;

	if (packet[1] & VITAL_DATA || packet[2]) {
		invalid_field(cd);
		return;
	}
	memset(to, 0, BYTES);
	to[0] = CD_DRIVE;
	to[1] = REMOVABLE;
	to[3] = 0x21; /* ATAPI, and the form of this answer */
	to[4] = BYTES - 5;
	put_text(to + 8, 8, cd->vendor);
	put_text(to + 16, 16, cd->product);
	put_text(to + 32, 4, cd->firmware);
	cd_reply(cd, BYTES, cd_get(packet + 3, 2));
}

/* A unit attention that nobody was told of yet is told here (SPC-2, 7.20). */
void cd_request_sense(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { BYTES = 18, CURRENT = 0x70 };
	uint8_t *to = cd->ata.buffer;

	if (!cd->key && cd->attention) {
		cd->key = SENSE_UNIT_ATTENTION;
		cd->code = cd->attention;
		cd->attention = 0;
	}
	memset(to, 0, BYTES);
	to[0] = CURRENT;
	to[2] = cd->key;
	to[7] = BYTES - 8;
	cd_put(to + 12, 2, cd->code);
	cd->key = SENSE_NONE;
	cd->code = 0;
	cd_reply(cd, BYTES, packet[4]);
}

/* --- Mode pages (MMC-3, 5.3). */

enum { PAGE_RECOVERY = 0x01, PAGE_AUDIO = 0x0e, PAGE_CAPABILITIES = 0x2a, PAGE_ALL = 0x3f };

static size_t put_recovery(const struct atapi_cd *cd, uint8_t *to)
{
	(void)cd;
	to[3] = 5; /* retries */
	return 8;
}

static size_t put_audio(const struct atapi_cd *cd, uint8_t *to)
{
	(void)cd;
	to[2] = 0x04; /* immediate */
	to[8] = 0x01;
	to[9] = to[11] = 0xff; /* channels and volumes */
	to[10] = 0x02;
	return 16;
}

static size_t put_capabilities(const struct atapi_cd *cd, uint8_t *to)
{
	enum { SPEED = 5540 }; /* kB/s: 32 times that of audio */
	enum { LOCK = 0x01, LOCKED = 0x02, EJECT = 0x08, TRAY = 0x20 };

	to[2] = 0x0b; /* reads CD-R, CD-RW and DVD-ROM */
	to[4] = 0x70; /* modes 2 in both forms, several sessions */
	to[6] = (uint8_t)(LOCK | EJECT | TRAY | (cd->locked ? LOCKED : 0));
	cd_put(to + 8, 2, SPEED);
	cd_put(to + 12, 2, MW_ATA_BUFFER >> 10);
	cd_put(to + 14, 2, SPEED);
	return 20;
}

static const struct page {
	uint8_t code;
	size_t (*put)(const struct atapi_cd *cd, uint8_t *to);
} pages[] = {
	{ PAGE_RECOVERY, put_recovery },
	{ PAGE_AUDIO, put_audio },
	{ PAGE_CAPABILITIES, put_capabilities },
};

/* What can be changed is nothing. */
static size_t put_pages(const struct atapi_cd *cd, uint8_t code, bool changeable, uint8_t *to)
{
	size_t done = 0;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (code != PAGE_ALL && code != pages[i].code)
			continue;
		size_t count = pages[i].put(cd, to + done);

		if (changeable)
			memset(to + done, 0, count);
		to[done] = pages[i].code;
		to[done + 1] = (uint8_t)(count - 2);
		done += count;
	}
	return done;
}

/* SFF-8020i, table 70. */
static uint8_t medium_type(const struct atapi_cd *cd)
{
	enum { DATA_120MM = 0x01, DOOR_CLOSED = 0x70, DOOR_OPEN = 0x71 };

	if (cd->tray_open)
		return DOOR_OPEN;
	return cd->blocks ? DATA_120MM : DOOR_CLOSED;
}

/* Returns the length of header and pages, 0 where it has failed. */
static size_t mode_sense(struct atapi_cd *cd, const uint8_t *packet, size_t header)
{
	enum { CONTROL_CHANGEABLE = 1, CONTROL_SAVED = 3, MOST = 128 };
	unsigned control = packet[2] >> 6;
	uint8_t *to = cd->ata.buffer;

	memset(to, 0, MOST);
	size_t count = put_pages(cd, packet[2] & 0x3f, control == CONTROL_CHANGEABLE, to + header);

	if (!count)
		invalid_field(cd);
	else if (control == CONTROL_SAVED)
		cd_fail(cd, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
	else
		return header + count;
	return 0;
}

void cd_mode_sense_6(struct atapi_cd *cd, const uint8_t *packet)
{
	size_t count = mode_sense(cd, packet, 4);

	if (!count)
		return;
	cd->ata.buffer[0] = (uint8_t)(count - 1);
	cd->ata.buffer[1] = medium_type(cd);
	cd_reply(cd, count, packet[4]);
}

void cd_mode_sense_10(struct atapi_cd *cd, const uint8_t *packet)
{
	size_t count = mode_sense(cd, packet, 8);

	if (!count)
		return;
	cd_put(cd->ata.buffer, 2, count - 2);
	cd->ata.buffer[2] = medium_type(cd);
	cd_reply(cd, count, cd_get(packet + 7, 2));
}

/* --- Features (MMC-3, 5.2). */

static unsigned profile(const struct atapi_cd *cd)
{
	if (!cd_has_medium(cd))
		return 0;
	return cd->blocks > CD_BLOCKS_MOST ? PROFILE_DVD : PROFILE_CD;
}

/* A descriptor without its data: current where `current`, and kept where `persistent`. */
enum { CURRENT = 0x01, PERSISTENT = 0x02 };
static const struct feature {
	uint16_t code;
	uint8_t flags, profile; /* 0: current whatever the medium is; 1: any, else that one */
	uint8_t length, data[8];
} features[] = {
	{ 0x0000, PERSISTENT, 0, 8, { 0, PROFILE_DVD, 0, 0, 0, PROFILE_CD, 0, 0 } },
	{ 0x0001, 0x04 | PERSISTENT, 0, 4, { 0, 0, 0, 2 } },   /* core: ATAPI */
	{ 0x0003, PERSISTENT, 0, 4, { 0x29, 0, 0, 0 } },       /* removable: tray, eject, lock */
	{ 0x0010, 0, 1, 8, { 0, 0, 0x08, 0x00, 0, 1, 1, 0 } }, /* readable: blocks of 2048 */
	{ 0x001e, 0, PROFILE_CD, 4, { 0, 0, 0, 0 } },          /* reads CDs */
	{ 0x001f, 0, PROFILE_DVD, 0, { 0 } },                  /* reads DVDs */
	{ 0x0100, PERSISTENT, 0, 0, { 0 } },                   /* power management */
};

static size_t put_feature(const struct atapi_cd *cd, const struct feature *feature, uint8_t *to)
{
	unsigned now = profile(cd);
	bool current = !feature->profile || (feature->profile == 1 ? now : now == feature->profile);

	cd_put(to, 2, feature->code);
	to[2] = (uint8_t)(feature->flags | (current ? CURRENT : 0));
	to[3] = feature->length;
	memcpy(to + 4, feature->data, feature->length);
	if (!feature->code) { /* the list of profiles tells which is current */
		to[6] = now == PROFILE_DVD;
		to[10] = now == PROFILE_CD;
	}
	return 4u + feature->length;
}

void cd_get_configuration(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { ALL, ONLY_CURRENT, ONE, REQUESTS, HEADER = 8, MOST = 256 };
	uint8_t *to = cd->ata.buffer, request = packet[1] & 3;
	size_t first = cd_get(packet + 2, 2), count = HEADER;

	if (request == REQUESTS) {
		invalid_field(cd);
		return;
	}
	memset(to, 0, MOST);
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		size_t code = features[i].code;

		if (request == ONE ? code != first : code < first)
			continue;
		size_t more = put_feature(cd, &features[i], to + count);

		if (request != ONLY_CURRENT || to[count + 2] & CURRENT)
			count += more;
		else
			memset(to + count, 0, more);
	}
	cd_put(to, 4, count - 4);
	cd_put(to + 6, 2, profile(cd));
	cd_reply(cd, count, cd_get(packet + 7, 2));
}

/* --- Table of contents (MMC-3, 5.23): one track of data, and the lead-out. */

static void put_address(uint8_t *to, uint64_t lba, bool msf)
{
	uint64_t frame = lba + CD_PREGAP;

	if (!msf) {
		cd_put(to, 4, lba);
		return;
	}
	to[0] = 0;
	to[1] = (uint8_t)(frame / CD_FRAMES / 60);
	to[2] = (uint8_t)(frame / CD_FRAMES % 60);
	to[3] = (uint8_t)(frame % CD_FRAMES);
}

static size_t put_track(uint8_t *to, uint8_t track, uint64_t lba, bool msf)
{
	to[1] = DATA_TRACK;
	to[2] = track;
	put_address(to + 4, lba, msf);
	return 8;
}

static size_t put_tracks(const struct atapi_cd *cd, uint8_t first, bool msf, uint8_t *to)
{
	size_t count = 4;

	if (first <= 1)
		count += put_track(to + count, 1, 0, msf);
	return count + put_track(to + count, LEAD_OUT, cd->blocks, msf);
}

/* Points A0h to A2h, then the track (table 219). */
static size_t put_point(uint8_t *to, uint8_t point, uint8_t minute, uint64_t lba)
{
	to[0] = 1; /* session */
	to[1] = DATA_TRACK;
	to[3] = point;
	if (minute)
		to[8] = minute;
	else
		put_address(to + 7, lba, true);
	return 11;
}

static size_t put_full(const struct atapi_cd *cd, uint8_t *to)
{
	size_t count = 4;

	count += put_point(to + count, 0xa0, 1, 0); /* the first track, and the last */
	count += put_point(to + count, 0xa1, 1, 0);
	count += put_point(to + count, 0xa2, 0, cd->blocks);
	return count + put_point(to + count, 1, 0, 0);
}

/* The format stands in byte 2, in SFF-8020i's time at the end of byte 9. */
void cd_read_toc(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { TRACKS, SESSIONS, FULL, MOST = 64, MSF = 0x02 };
	unsigned format = packet[2] & 0x0f ? packet[2] & 0x0f : packet[9] >> 6;
	bool msf = packet[1] & MSF;
	uint8_t *to = cd->ata.buffer, first = packet[6];
	size_t count;

	memset(to, 0, MOST);
	if (format > FULL || (first > 1 && format != SESSIONS && first != LEAD_OUT)) {
		invalid_field(cd);
		return;
	}
	if (format == FULL)
		count = put_full(cd, to);
	else if (format == SESSIONS)
		count = 4 + put_track(to + 4, 1, 0, msf);
	else
		count = put_tracks(cd, first, msf, to);
	cd_put(to, 2, count - 2);
	to[2] = to[3] = 1;
	cd_reply(cd, count, cd_get(packet + 7, 2));
}
