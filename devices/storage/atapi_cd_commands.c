/* The commands of an ATAPI CD drive. Reference: MMC-3, chapter 5; SPC-2 for those that all devices have. Sections
 * are MMC-3's unless said otherwise. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/storage/atapi_cd_internal.h"

enum {
	ANY_TIME = 0x01, /* runs although there is a unit attention (SPC-2, 5.6.7) */
	MEDIUM = 0x02    /* wants one */
};
struct command {
	uint8_t code, flags;
	void (*run)(struct atapi_cd *cd, const uint8_t *packet);
};

static void invalid_field(struct atapi_cd *cd)
{
	cd_fail(cd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

static uint8_t *clear(struct atapi_cd *cd, size_t count)
{
	memset(cd->ata.buffer, 0, count);
	return cd->ata.buffer;
}

static void run_nothing(struct atapi_cd *cd, const uint8_t *packet)
{
	(void)packet;
	cd_good(cd);
}

/* 5.4 of SFF-8020i. A tray that is locked does not open. */
static void run_start_stop(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { START = 0x01, LOAD_EJECT = 0x02, POWER = 0xf0 };
	bool start = packet[4] & START;

	if (packet[4] & POWER || !(packet[4] & LOAD_EJECT)) {
		cd_good(cd);
		return;
	}
	if (!start && cd->locked && !cd->tray_open) {
		cd_fail(cd, SENSE_ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED);
		return;
	}
	cd_move_tray(cd, !start);
	cd_good(cd);
}

static void run_prevent_allow(struct atapi_cd *cd, const uint8_t *packet)
{
	cd->locked = packet[4] & 1;
	cd_good(cd);
}

static void run_read_capacity(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { BYTES = 8 };
	uint8_t *to = clear(cd, BYTES);

	(void)packet;
	cd_put(to, 4, cd->blocks - 1);
	cd_put(to + 4, 4, CD_BLOCK);
	cd_reply(cd, BYTES, BYTES);
}

static void run_read_10(struct atapi_cd *cd, const uint8_t *packet)
{
	cd_read(cd, cd_get(packet + 2, 4), cd_get(packet + 7, 2), false);
}

static void run_read_12(struct atapi_cd *cd, const uint8_t *packet)
{
	cd_read(cd, cd_get(packet + 2, 4), cd_get(packet + 6, 4), false);
}

/* 5.17: which parts of a sector; mode 1 ones are all there are. Subchannels are none. */
static void read_parts(struct atapi_cd *cd, const uint8_t *packet, uint32_t lba, uint32_t count)
{
	enum { NOTHING = 0x00, USER_DATA = 0x10, EVERYTHING = 0xf8, TYPE = 0x1c, CDDA = 0x04 };
	uint8_t parts = packet[9] & EVERYTHING;

	if (packet[10] & 7 || (packet[1] & TYPE) == CDDA ||
	    (parts != NOTHING && parts != USER_DATA && parts != EVERYTHING))
		invalid_field(cd);
	else if (parts == NOTHING)
		cd_good(cd);
	else
		cd_read(cd, lba, count, parts == EVERYTHING);
}

static void run_read_cd(struct atapi_cd *cd, const uint8_t *packet)
{
	read_parts(cd, packet, cd_get(packet + 2, 4), cd_get(packet + 6, 3));
}

/* Frame addresses; what lies before the first block wraps, and is out of range. */
static uint32_t from_msf(const uint8_t *at)
{
	return (at[0] * 60u + at[1]) * CD_FRAMES + at[2] - CD_PREGAP;
}

static void run_read_cd_msf(struct atapi_cd *cd, const uint8_t *packet)
{
	uint32_t first = from_msf(packet + 3), end = from_msf(packet + 6);

	if (end < first)
		invalid_field(cd);
	else
		read_parts(cd, packet, first, end - first);
}

static void run_seek(struct atapi_cd *cd, const uint8_t *packet)
{
	if (cd_get(packet + 2, 4) >= cd->blocks)
		cd_fail(cd, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
	else
		cd_good(cd);
}

/* 5.6: asked for, never sent by itself; the media class is the one there is. */
static void run_get_event(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { POLLED = 0x01, MEDIA_CLASS = 4, NO_EVENT_AVAILABLE = 0x80, HEADER = 4, BYTES = 8 };
	enum { STATUS_OPEN = 0x01, STATUS_PRESENT = 0x02 };
	uint8_t *to = clear(cd, BYTES);
	bool asked = packet[4] & 1u << MEDIA_CLASS;

	if (!(packet[1] & POLLED)) {
		invalid_field(cd);
		return;
	}
	cd_put(to, 2, asked ? BYTES - 2 : HEADER - 2);
	to[2] = asked ? MEDIA_CLASS : NO_EVENT_AVAILABLE;
	to[3] = 1u << MEDIA_CLASS;
	if (asked) {
		to[4] = cd->event;
		to[5] = (uint8_t)((cd->tray_open ? STATUS_OPEN : 0) |
				  (cd_has_medium(cd) ? STATUS_PRESENT : 0));
		cd->event = CD_EVENT_NONE;
	}
	cd_reply(cd, asked ? BYTES : HEADER, cd_get(packet + 7, 2));
}

/* 5.22: one session, complete, with one track. */
static void run_read_disc_information(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { BYTES = 34, COMPLETE = 0x0e, UNRESTRICTED = 0x20 };
	uint8_t *to = clear(cd, BYTES);

	cd_put(to, 2, BYTES - 2);
	to[2] = COMPLETE;
	to[3] = to[4] = to[5] = to[6] = 1;
	to[7] = UNRESTRICTED;
	memset(to + 16, 0xff, 8); /* nowhere to write to */
	cd_reply(cd, BYTES, cd_get(packet + 7, 2));
}

/* 5.27, by block, track or session: there is one of each. */
static void run_read_track_information(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { BYTES = 36, DATA_TRACK = 0x04, MODE_1 = 0x01, BY_BLOCK = 0, LEAD_OUT = 0xff };
	uint32_t which = cd_get(packet + 2, 4);
	bool by_block = (packet[1] & 3) == BY_BLOCK;
	uint8_t *to = clear(cd, BYTES);

	if (by_block ? which >= cd->blocks : which != 1) {
		invalid_field(cd);
		return;
	}
	cd_put(to, 2, BYTES - 2);
	to[2] = to[3] = 1;
	to[5] = DATA_TRACK;
	to[6] = MODE_1;
	cd_put(to + 24, 4, cd->blocks);
	cd_reply(cd, BYTES, cd_get(packet + 7, 2));
}

static void run_mechanism_status(struct atapi_cd *cd, const uint8_t *packet)
{
	enum { BYTES = 8, DOOR_OPEN = 0x10 };
	uint8_t *to = clear(cd, BYTES);

	to[1] = cd->tray_open ? DOOR_OPEN : 0;
	cd_reply(cd, BYTES, cd_get(packet + 8, 2));
}

static const struct command commands[] = {
	{ 0x00, MEDIUM, run_nothing }, /* TEST UNIT READY */
	{ 0x03, ANY_TIME, cd_request_sense },
	{ 0x12, ANY_TIME, cd_inquiry },
	{ 0x1a, 0, cd_mode_sense_6 },
	{ 0x1b, 0, run_start_stop },
	{ 0x1e, 0, run_prevent_allow },
	{ 0x25, MEDIUM, run_read_capacity },
	{ 0x28, MEDIUM, run_read_10 },
	{ 0x2b, MEDIUM, run_seek },
	{ 0x43, MEDIUM, cd_read_toc },
	{ 0x46, ANY_TIME, cd_get_configuration },
	{ 0x4a, ANY_TIME, run_get_event },
	{ 0x51, MEDIUM, run_read_disc_information },
	{ 0x52, MEDIUM, run_read_track_information },
	{ 0x5a, 0, cd_mode_sense_10 },
	{ 0xa8, MEDIUM, run_read_12 },
	{ 0xb9, MEDIUM, run_read_cd_msf },
	{ 0xbb, 0, run_nothing }, /* SET CD SPEED */
	{ 0xbd, 0, run_mechanism_status },
	{ 0xbe, MEDIUM, run_read_cd },
};

static const struct command *command_of(uint8_t code)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].code == code)
			return &commands[i];
	}
	return NULL;
}

/* Sense data last until the next command, but for the one that reads them. */
static void forget_sense(struct atapi_cd *cd, const struct command *command)
{
	if (command && command->run == cd_request_sense)
		return;
	cd->key = SENSE_NONE;
	cd->code = 0;
}

void cd_run_packet(struct atapi_cd *cd)
{
	uint8_t packet[ATAPI_PACKET];
	const struct command *command;

	memcpy(packet, cd->ata.buffer, sizeof(packet));
	command = command_of(packet[0]);
	forget_sense(cd, command);
	if (cd->attention && !(command && command->flags & ANY_TIME)) {
		uint16_t code = cd->attention;

		cd->attention = 0;
		cd_fail(cd, SENSE_UNIT_ATTENTION, code);
	} else if (!command) {
		cd_fail(cd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_COMMAND);
	} else if (command->flags & MEDIUM && !cd_has_medium(cd)) {
		cd_fail(cd, SENSE_NOT_READY,
			cd->tray_open ? ASC_NO_MEDIUM_OPEN : ASC_NO_MEDIUM_CLOSED);
	} else {
		command->run(cd, packet);
	}
}
