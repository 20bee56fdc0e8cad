/* An ATAPI CD drive: the packet protocol and its data. References: ATA/ATAPI-7, volume 2, 9.8 to 9.10 (PACKET);
 * SFF-8020i for what CD drives make of it. */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "core/diagnostics.h"
#include "devices/storage/atapi_cd_internal.h"

/* Interrupt reason, in the count register. */
enum { REASON_COMMAND = 0x01, REASON_TO_HOST = 0x02 };
/* Features of PACKET. */
enum { FEATURE_DMA = 0x01, FEATURE_OVERLAP = 0x02 };
enum { PACKET = 0xa0, IDENTIFY_PACKET_DEVICE = 0xa1, SET_FEATURES = 0xef, CHECK_POWER = 0xe5 };
enum { FEATURE_TRANSFER_MODE = 0x03 };
enum { POWER_ACTIVE = 0xff };
/* Blocks of 2352 bytes are made of what was read behind them. */
enum { RAW_BLOCKS = MW_ATA_PIO / CD_RAW, RAW_SOURCE = MW_ATA_BUFFER / 2 };
enum { RAW_SYNC = 12, RAW_HEADER = 16, RAW_MODE_1 = 1 };

static void set_reason(struct atapi_cd *cd, uint8_t reason)
{
	cd->ata.task[MW_IDE_COUNT] = reason;
}

static void end_command(struct atapi_cd *cd)
{
	cd->stage = CD_NO_STAGE;
	cd->left = cd->have = cd->sent = 0;
	set_reason(cd, REASON_COMMAND | REASON_TO_HOST);
}

void cd_good(struct atapi_cd *cd)
{
	end_command(cd);
	mw_ata_finish(&cd->ata);
}

void cd_fail(struct atapi_cd *cd, uint8_t key, uint16_t code)
{
	end_command(cd);
	cd->key = key;
	cd->code = code;
	mw_ata_fail(&cd->ata, (uint8_t)(key << 4));
}

/* The next block of data for the host: not more than it takes at once, which is even unless all of it is
 * in one (9.8). */
static void send_block(struct atapi_cd *cd, size_t at)
{
	size_t count = cd->have - at, limit = cd->limit < 2 ? 2 : cd->limit;

	if (count > limit)
		count = limit & ~(size_t)1;
	set_reason(cd, REASON_TO_HOST);
	cd->ata.task[MW_IDE_LBA_MID] = (uint8_t)count;
	cd->ata.task[MW_IDE_LBA_HIGH] = (uint8_t)(count >> 8);
	mw_ata_send(&cd->ata, at, count);
}

/* A host that takes no bytes at all gets no data (ACS-3, 7.17.6.49). */
static bool refuse_no_limit(struct atapi_cd *cd)
{
	if (cd->dma || cd->limit > 1)
		return false;
	end_command(cd);
	mw_ata_fail(&cd->ata, MW_ATA_ABRT);
	return true;
}

void cd_reply(struct atapi_cd *cd, size_t count, size_t room)
{
	cd->have = (uint32_t)(count < room ? count : room);
	cd->sent = 0;
	cd->stage = CD_REPLY;
	if (!cd->have)
		cd_good(cd);
	else if (refuse_no_limit(cd))
		return;
	else if (cd->dma)
		mw_ata_wait_dma(&cd->ata);
	else
		send_block(cd, 0);
}

static uint32_t block_bytes(const struct atapi_cd *cd)
{
	return cd->raw ? CD_RAW : CD_BLOCK;
}

static void fetch(struct atapi_cd *cd)
{
	uint32_t room = cd->dma ? MW_ATA_BUFFER : MW_ATA_PIO;
	uint32_t most = cd->raw ? RAW_BLOCKS : room / CD_BLOCK;
	uint32_t count = cd->left < most ? cd->left : most;

	cd->have = count * block_bytes(cd);
	mw_ata_submit(&cd->ata, MW_IMAGE_READ, (uint64_t)cd->lba * CD_BLOCK,
		      cd->raw ? RAW_SOURCE : 0, (size_t)count * CD_BLOCK);
}

void cd_read(struct atapi_cd *cd, uint32_t lba, uint32_t count, bool raw)
{
	if (lba > cd->blocks || count > cd->blocks - lba) {
		cd_fail(cd, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
		return;
	}
	if (!count) {
		cd_good(cd);
		return;
	}
	if (refuse_no_limit(cd))
		return;
	cd->lba = lba;
	cd->left = count;
	cd->raw = raw;
	cd->stage = CD_READ;
	if (cd->dma)
		mw_ata_wait_dma(&cd->ata);
	else
		fetch(cd);
}

static uint8_t bcd(uint32_t value)
{
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

/* Sync and header are made; of the error correction nothing (ECMA-130, 14). */
static void make_raw(struct atapi_cd *cd)
{
	for (uint32_t i = 0; i < cd->have / CD_RAW; i++) {
		uint8_t *to = cd->ata.buffer + (size_t)i * CD_RAW;
		uint32_t frame = cd->lba + i + CD_PREGAP;

		memset(to, 0, CD_RAW);
		memset(to + 1, 0xff, RAW_SYNC - 2);
		to[RAW_SYNC] = bcd(frame / CD_FRAMES / 60);
		to[RAW_SYNC + 1] = bcd(frame / CD_FRAMES % 60);
		to[RAW_SYNC + 2] = bcd(frame % CD_FRAMES);
		to[RAW_SYNC + 3] = RAW_MODE_1;
		memcpy(to + RAW_HEADER, cd->ata.buffer + RAW_SOURCE + (size_t)i * CD_BLOCK,
		       CD_BLOCK);
	}
}

static void advance(struct atapi_cd *cd, uint32_t count)
{
	cd->lba += count;
	cd->left -= count < cd->left ? count : cd->left;
}

static void send_dma(struct atapi_cd *cd)
{
	size_t moved =
		mw_ata_dma_is_ready(&cd->ata) ? mw_ata_dma_move(&cd->ata, 0, cd->have, true) : 0;

	advance(cd, (uint32_t)(moved / block_bytes(cd)));
	if (cd->left)
		mw_ata_wait_dma(&cd->ata);
	else
		cd_good(cd);
}

static void on_image(void *self, enum mw_image_result result)
{
	struct atapi_cd *cd = self;

	if (result == MW_IMAGE_NO_MEDIUM) {
		cd_fail(cd, SENSE_NOT_READY, ASC_NO_MEDIUM_CLOSED);
	} else if (result != MW_IMAGE_DONE) {
		cd_fail(cd, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ);
	} else {
		if (cd->raw)
			make_raw(cd);
		if (cd->dma) {
			send_dma(cd);
		} else {
			advance(cd, cd->have / block_bytes(cd));
			send_block(cd, 0);
		}
	}
}

static void on_dma(void *self)
{
	struct atapi_cd *cd = self;

	if (cd->stage == CD_READ) {
		fetch(cd);
		return;
	}
	cd->sent += (uint32_t)mw_ata_dma_move(&cd->ata, cd->sent, cd->have - cd->sent, true);
	if (cd->sent == cd->have)
		cd_good(cd);
	else
		mw_ata_wait_dma(&cd->ata);
}

static void on_data(void *self)
{
	struct atapi_cd *cd = self;

	if (cd->stage == CD_PACKET)
		cd_run_packet(cd);
	else if (cd->stage == CD_NO_STAGE)
		mw_ata_rest(&cd->ata); /* IDENTIFY PACKET DEVICE */
	else if (cd->ata.at < cd->have)
		send_block(cd, cd->ata.at);
	else if (cd->left)
		fetch(cd);
	else
		cd_good(cd);
}

static void run_packet(struct atapi_cd *cd)
{
	struct mw_ata *ata = &cd->ata;
	unsigned limit = ata->task[MW_IDE_LBA_MID] | (unsigned)ata->task[MW_IDE_LBA_HIGH] << 8;

	if (ata->task[MW_IDE_ERROR] & FEATURE_OVERLAP) {
		mw_ata_fail(ata, MW_ATA_ABRT);
		return;
	}
	cd->dma = ata->task[MW_IDE_ERROR] & FEATURE_DMA;
	cd->limit = (uint16_t)(limit == 0xffff ? 0xfffe : limit);
	cd->stage = CD_PACKET;
	set_reason(cd, REASON_COMMAND);
	mw_ata_take(ata, 0, ATAPI_PACKET, false);
}

static void run_identify(struct atapi_cd *cd)
{
	cd_identify(cd);
	mw_ata_send(&cd->ata, 0, MW_ATA_SECTOR);
}

static void run_set_features(struct atapi_cd *cd)
{
	uint8_t mode = cd->ata.task[MW_IDE_COUNT];

	if (cd->ata.task[MW_IDE_ERROR] == FEATURE_TRANSFER_MODE &&
	    mw_ata_set_mode(&cd->transfer_mode, mode))
		mw_ata_finish(&cd->ata);
	else
		mw_ata_fail(&cd->ata, MW_ATA_ABRT);
}

static void run_check_power(struct atapi_cd *cd)
{
	cd->ata.task[MW_IDE_COUNT] = POWER_ACTIVE;
	mw_ata_finish(&cd->ata);
}

/* Commands of disks leave the signature, so that a host sees what it has found (9.12). */
static void run_disk_command(struct atapi_cd *cd)
{
	mw_ata_put_signature(&cd->ata);
	mw_ata_fail(&cd->ata, MW_ATA_ABRT);
}

static void on_command(void *self, uint8_t command)
{
	struct atapi_cd *cd = self;

	cd->stage = CD_NO_STAGE;
	cd->left = cd->have = cd->sent = 0;
	switch (command) {
	case PACKET: run_packet(cd); break;
	case IDENTIFY_PACKET_DEVICE: run_identify(cd); break;
	case SET_FEATURES: run_set_features(cd); break;
	case CHECK_POWER: run_check_power(cd); break;
	case 0xe0: /* the power modes, which are all the same here */
	case 0xe1:
	case 0xe2:
	case 0xe3:
	case 0xe6: mw_ata_finish(&cd->ata); break;
	case 0x20:
	case 0xec: run_disk_command(cd); break;
	default: mw_ata_fail(&cd->ata, MW_ATA_ABRT);
	}
}

static void on_reset(void *self)
{
	struct atapi_cd *cd = self;

	cd->stage = CD_NO_STAGE;
	cd->left = cd->have = cd->sent = 0;
}

static_assert(offsetof(struct atapi_cd, ata) == 0, "mw_ata_drive finds it there");

static const struct mw_ata_ops ops = {
	.packet = true,
	.command = on_command,
	.data = on_data,
	.dma = on_dma,
	.done = on_image,
	.reset = on_reset,
};

static void take_medium(struct atapi_cd *cd)
{
	uint64_t blocks = mw_image_size(cd->image) / CD_BLOCK;

	cd->blocks = blocks < INT32_MAX ? blocks : INT32_MAX;
}

static void tell_media(struct atapi_cd *cd)
{
	cd->event = cd_has_medium(cd) ? CD_EVENT_NEW : CD_EVENT_REMOVED;
	if (cd_has_medium(cd))
		cd->attention = ASC_MEDIUM_CHANGED;
}

void cd_move_tray(struct atapi_cd *cd, bool open)
{
	bool had = cd_has_medium(cd);

	cd->tray_open = open;
	if (had != cd_has_medium(cd))
		tell_media(cd);
}

/* Whoever exchanges the medium uses the tray; it is in afterwards. */
static void on_media(void *self)
{
	struct atapi_cd *cd = self;

	cd->tray_open = false;
	take_medium(cd);
	tell_media(cd);
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct atapi_cd *cd = self;

	(void)diagnostics;
	mw_ata_init(&cd->ata, &ops, cd, cd->image);
	take_medium(cd);
	return true;
}

static void after_reset(void *self)
{
	mw_ata_reset(&((struct atapi_cd *)self)->ata);
}

/* Whether what goes on is something that there can be. */
static bool is_possible(const struct atapi_cd *cd)
{
	const struct mw_ata *ata = &cd->ata;
	bool in = ata->phase == MW_ATA_DATA_IN, dma = ata->phase == MW_ATA_DMA;

	if (cd->stage == CD_NO_STAGE)
		return in;
	if (cd->stage == CD_PACKET)
		return ata->phase == MW_ATA_DATA_OUT && ata->end <= ATAPI_PACKET;
	if (cd->stage == CD_READ && dma)
		return cd->dma && cd->left;
	return (cd->dma ? dma : in) && cd->have <= MW_ATA_PIO && cd->sent <= cd->have;
}

static void after_load(void *self)
{
	struct atapi_cd *cd = self;
	uint8_t mode = cd->transfer_mode;

	take_medium(cd);
	if (cd->stage >= CD_STAGES)
		cd->stage = CD_NO_STAGE;
	if (cd->event >= CD_EVENTS)
		cd->event = CD_EVENT_NONE;
	cd->transfer_mode = MW_ATA_MODE_RESET;
	mw_ata_set_mode(&cd->transfer_mode, mode);
	cd->key &= 0x0f;
	mw_ata_loaded(&cd->ata);
	if (cd->ata.phase != MW_ATA_IDLE && !is_possible(cd)) {
		mw_ata_rest(&cd->ata);
		cd->stage = CD_NO_STAGE;
	}
}

static const struct mw_property properties[] = {
	{ "vendor", "Whose drive it is: up to 8 characters.", MW_FIELD(struct atapi_cd, vendor),
	  .fallback_text = "MILLWRGT" },
	{ "product", "What it is called: up to 16 characters.", MW_FIELD(struct atapi_cd, product),
	  .fallback_text = "DVD-ROM" },
	{ "serial", "Its serial number: up to 20 characters; empty: its id.",
	  MW_FIELD(struct atapi_cd, serial), .fallback_text = "" },
	{ "firmware", "Its firmware revision: up to 4 characters.",
	  MW_FIELD(struct atapi_cd, firmware), .fallback_text = "1.0" },
};
static const struct mw_wire wires[] = {
	{ "image", "The blocks of 2048 bytes of the medium; without one the drive is empty.",
	  MW_FIELD(struct atapi_cd, image), .optional = true, .on_done = mw_ata_on_done,
	  .on_media = on_media },
};
static const struct mw_state state[] = {
	{ "stage", MW_FIELD(struct atapi_cd, stage), .since = 1 },
	{ "dma", MW_FIELD(struct atapi_cd, dma), .since = 1 },
	{ "limit", MW_FIELD(struct atapi_cd, limit), .since = 1 },
	{ "have", MW_FIELD(struct atapi_cd, have), .since = 1 },
	{ "sent", MW_FIELD(struct atapi_cd, sent), .since = 1 },
	{ "lba", MW_FIELD(struct atapi_cd, lba), .since = 1 },
	{ "left", MW_FIELD(struct atapi_cd, left), .since = 1 },
	{ "raw", MW_FIELD(struct atapi_cd, raw), .since = 1 },
	{ "key", MW_FIELD(struct atapi_cd, key), .since = 1 },
	{ "code", MW_FIELD(struct atapi_cd, code), .since = 1 },
	{ "attention", MW_FIELD(struct atapi_cd, attention), .reset = ASC_RESET, .since = 1 },
	{ "event", MW_FIELD(struct atapi_cd, event), .since = 1 },
	{ "tray_open", MW_FIELD(struct atapi_cd, tray_open), .since = 1, .survives_reset = true },
	{ "locked", MW_FIELD(struct atapi_cd, locked), .since = 1 },
	{ "transfer_mode", MW_FIELD(struct atapi_cd, transfer_mode), .reset = MW_ATA_MODE_RESET,
	  .since = 1 },
	{ "ata", MW_STRUCT(struct atapi_cd, ata, mw_ata_rows), .since = 1 },
};
static const char *const buses[] = { "ide", NULL };

const struct mw_device_type atapi_cd_type = {
	MW_DEVICE_TYPE,
	.name = "atapi-cd",
	.summary = "ATAPI CD and DVD drive on an IDE bus, whose medium can be exchanged",
	.size = sizeof(struct atapi_cd),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.interface = &mw_ata_drive,
};
