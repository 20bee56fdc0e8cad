/* An ATA disk: its commands. Reference: ATA/ATAPI-7, volume 1, chapter 6; sections are its. Commands that are
 * older than that (RECALIBRATE, SEEK) are of ATA/ATAPI-3. */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <inttypes.h>

#include "core/diagnostics.h"
#include "devices/storage/ata_disk_internal.h"

enum { RECALIBRATE = 0x10, SEEK = 0x70 }; /* sixteen codes each */
enum { HEADS = 16, SECTORS = 63, CYLINDERS_MOST = 16383 };
enum { POWER_ACTIVE = 0xff, POWER_STANDBY = 0x00 };
enum {
	FEATURE_WRITE_CACHE = 0x02,
	FEATURE_TRANSFER_MODE = 0x03,
	FEATURE_NO_REVERT = 0x66,
	FEATURE_NO_LOOK_AHEAD = 0x55,
	FEATURE_NO_WRITE_CACHE = 0x82,
	FEATURE_LOOK_AHEAD = 0xaa,
	FEATURE_REVERT = 0xcc
};

struct command {
	uint8_t code, flags;
	void (*run)(struct ata_disk *disk);
};

static void finish(struct ata_disk *disk)
{
	mw_ata_finish(&disk->ata);
}

static void abort_command(struct ata_disk *disk)
{
	mw_ata_fail(&disk->ata, MW_ATA_ABRT);
}

static void run_identify(struct ata_disk *disk)
{
	ata_disk_identify(disk);
	disk->have = MW_ATA_SECTOR;
	mw_ata_send(&disk->ata, 0, MW_ATA_SECTOR);
}

static void run_smart(struct ata_disk *disk)
{
	disk->have = MW_ATA_SECTOR;
	ata_disk_smart(disk);
}

static void run_seek(struct ata_disk *disk)
{
	uint64_t lba;

	if (ata_disk_get_address(disk, false, &lba) && lba < disk->total)
		finish(disk);
	else
		mw_ata_fail(&disk->ata, MW_ATA_IDNF);
}

static void run_initialize_parameters(struct ata_disk *disk)
{
	uint8_t sectors = disk->ata.task[MW_IDE_COUNT];

	if (!sectors) {
		abort_command(disk);
		return;
	}
	disk->current_sectors = sectors;
	disk->current_heads = (uint8_t)((disk->ata.device & 0x0f) + 1);
	finish(disk);
}

/* 6.49: a power of two that the disk can do; 0 switches it off. */
static void run_set_multiple(struct ata_disk *disk)
{
	uint8_t count = disk->ata.task[MW_IDE_COUNT];

	if (count > ATA_MULTIPLE_MOST || count & (count - 1)) {
		abort_command(disk);
		return;
	}
	disk->multiple = count;
	finish(disk);
}

static void read_native_max(struct ata_disk *disk, bool ext)
{
	uint64_t last = disk->total ? disk->total - 1 : 0;

	if (!(disk->ata.device & MW_ATA_LBA)) {
		abort_command(disk);
		return;
	}
	ata_disk_put_address(disk, ext, !ext && last > 0x0fffffff ? 0x0fffffff : last);
	finish(disk);
}

static void run_read_native_max(struct ata_disk *disk)
{
	read_native_max(disk, false);
}

static void run_read_native_max_ext(struct ata_disk *disk)
{
	read_native_max(disk, true);
}

static void run_standby(struct ata_disk *disk)
{
	disk->power = POWER_STANDBY;
	ata_disk_flush(disk);
}

static void run_idle(struct ata_disk *disk)
{
	disk->power = POWER_ACTIVE;
	finish(disk);
}

static void run_check_power(struct ata_disk *disk)
{
	disk->ata.task[MW_IDE_COUNT] = disk->power;
	finish(disk);
}

/* Only a reset wakes it (4.18). */
static void run_sleep(struct ata_disk *disk)
{
	disk->asleep = true;
	run_standby(disk);
}

/* What has no other effect than to be told by IDENTIFY; false where there is no such feature. */
static bool set_feature(struct ata_disk *disk, uint8_t feature)
{
	switch (feature) {
	case FEATURE_WRITE_CACHE: disk->write_cache = true; return true;
	case FEATURE_LOOK_AHEAD: disk->look_ahead = true; return true;
	case FEATURE_NO_LOOK_AHEAD: disk->look_ahead = false; return true;
	case FEATURE_TRANSFER_MODE:
		return mw_ata_set_mode(&disk->transfer_mode, disk->ata.task[MW_IDE_COUNT]);
	case FEATURE_REVERT:
	case FEATURE_NO_REVERT: return true;
	default: return false;
	}
}

static void run_set_features(struct ata_disk *disk)
{
	uint8_t feature = disk->ata.task[MW_IDE_ERROR];

	if (feature == FEATURE_NO_WRITE_CACHE) {
		disk->write_cache = false;
		ata_disk_flush(disk);
	} else if (set_feature(disk, feature)) {
		finish(disk);
	} else {
		abort_command(disk);
	}
}

static const struct command commands[] = {
	{ 0x06, ATA_TRIM, ata_disk_trim },
	{ 0x20, ATA_SECTORS, ata_disk_transfer }, /* READ SECTOR(S), with and without retries */
	{ 0x21, ATA_SECTORS, ata_disk_transfer },
	{ 0x24, ATA_SECTORS | ATA_EXT, ata_disk_transfer },
	{ 0x25, ATA_SECTORS | ATA_EXT | ATA_DMA, ata_disk_transfer },
	{ 0x27, 0, run_read_native_max_ext },
	{ 0x29, ATA_SECTORS | ATA_EXT | ATA_BLOCKS, ata_disk_transfer },
	{ 0x30, ATA_SECTORS | ATA_WRITE, ata_disk_transfer },
	{ 0x31, ATA_SECTORS | ATA_WRITE, ata_disk_transfer },
	{ 0x34, ATA_SECTORS | ATA_EXT | ATA_WRITE, ata_disk_transfer },
	{ 0x35, ATA_SECTORS | ATA_EXT | ATA_WRITE | ATA_DMA, ata_disk_transfer },
	{ 0x39, ATA_SECTORS | ATA_EXT | ATA_WRITE | ATA_BLOCKS, ata_disk_transfer },
	{ 0x3d, ATA_SECTORS | ATA_EXT | ATA_WRITE | ATA_DMA | ATA_FUA, ata_disk_transfer },
	{ 0x40, ATA_SECTORS | ATA_VERIFY, ata_disk_transfer },
	{ 0x41, ATA_SECTORS | ATA_VERIFY, ata_disk_transfer },
	{ 0x42, ATA_SECTORS | ATA_EXT | ATA_VERIFY, ata_disk_transfer },
	{ 0x91, 0, run_initialize_parameters },
	{ 0x94, 0, run_standby }, /* power modes, by their codes before ATA-2 and since */
	{ 0x95, 0, run_idle },
	{ 0x96, 0, run_standby },
	{ 0x97, 0, run_idle },
	{ 0x98, 0, run_check_power },
	{ 0x99, 0, run_sleep },
	{ 0xb0, 0, run_smart },
	{ 0xc4, ATA_SECTORS | ATA_BLOCKS, ata_disk_transfer },
	{ 0xc5, ATA_SECTORS | ATA_WRITE | ATA_BLOCKS, ata_disk_transfer },
	{ 0xc6, 0, run_set_multiple },
	{ 0xc8, ATA_SECTORS | ATA_DMA, ata_disk_transfer },
	{ 0xc9, ATA_SECTORS | ATA_DMA, ata_disk_transfer },
	{ 0xca, ATA_SECTORS | ATA_WRITE | ATA_DMA, ata_disk_transfer },
	{ 0xcb, ATA_SECTORS | ATA_WRITE | ATA_DMA, ata_disk_transfer },
	{ 0xce, ATA_SECTORS | ATA_EXT | ATA_WRITE | ATA_BLOCKS | ATA_FUA, ata_disk_transfer },
	{ 0xe0, 0, run_standby },
	{ 0xe1, 0, run_idle },
	{ 0xe2, 0, run_standby },
	{ 0xe3, 0, run_idle },
	{ 0xe5, 0, run_check_power },
	{ 0xe6, 0, run_sleep },
	{ 0xe7, 0, ata_disk_flush },
	{ 0xea, 0, ata_disk_flush },
	{ 0xec, 0, run_identify },
	{ 0xef, 0, run_set_features },
	{ 0xf8, 0, run_read_native_max },
};

static const struct command *command_of(uint8_t code)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].code == code)
			return &commands[i];
	}
	return NULL;
}

static void on_command(void *self, uint8_t code)
{
	struct ata_disk *disk = self;
	const struct command *command = command_of(code);

	if (disk->asleep)
		return;
	disk->command = code;
	disk->flags = command ? command->flags : 0;
	disk->left = disk->have = 0;
	if (disk->flags)
		disk->power = POWER_ACTIVE;
	if (command)
		command->run(disk);
	else if ((code & 0xf0) == RECALIBRATE)
		finish(disk);
	else if ((code & 0xf0) == SEEK)
		run_seek(disk);
	else
		abort_command(disk);
}

static void on_reset(void *self)
{
	struct ata_disk *disk = self;

	disk->left = disk->have = disk->flags = disk->command = 0;
	disk->asleep = false;
	disk->power = POWER_ACTIVE;
}

static_assert(offsetof(struct ata_disk, ata) == 0, "mw_ata_drive finds it there");

static const struct mw_ata_ops ops = {
	.command = on_command,
	.data = ata_disk_on_data,
	.dma = ata_disk_on_dma,
	.done = ata_disk_on_image,
	.reset = on_reset,
};

static uint16_t or_else(uint16_t value, uint64_t other)
{
	return value ? value : (uint16_t)(other > CYLINDERS_MOST ? CYLINDERS_MOST : other);
}

/* The geometry that all disks beyond 8 GB tell, and what of it a smaller one holds. */
static void take_image(struct ata_disk *disk)
{
	disk->total = mw_image_size(disk->image) / MW_ATA_SECTOR;
	disk->heads = or_else(disk->heads, HEADS);
	disk->sectors = or_else(disk->sectors, SECTORS);
	uint64_t cylinders = disk->total / ((uint64_t)disk->heads * disk->sectors);

	disk->cylinders = or_else(disk->cylinders, cylinders ? cylinders : 1);
}

static void check_size(const struct ata_disk *disk, struct mw_diagnostics *diagnostics)
{
	uint64_t size = mw_image_size(disk->image);
	char name[200];

	mw_image_name(disk->image, name, sizeof(name));
	if (name[0] && (!size || size % MW_ATA_SECTOR))
		mw_diagnostics_add(diagnostics, MW_SEVERITY_WARNING, "", (struct mw_span){ 0 },
				   "%s: %s has %" PRIu64
				   " bytes; a disk is whole sectors of %d, so "
				   "the guest sees %" PRIu64 " of them",
				   mw_device_id(disk), name, size, MW_ATA_SECTOR, disk->total);
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct ata_disk *disk = self;

	mw_ata_init(&disk->ata, &ops, disk, disk->image);
	take_image(disk);
	check_size(disk, diagnostics);
	return true;
}

static void after_reset(void *self)
{
	struct ata_disk *disk = self;

	disk->current_heads = (uint8_t)disk->heads;
	disk->current_sectors = (uint8_t)disk->sectors;
	mw_ata_reset(&disk->ata);
}

/* Whether what goes on is something that such a command does. */
static bool is_possible(const struct ata_disk *disk)
{
	const struct mw_ata *ata = &disk->ata;
	enum mw_ata_phase block = disk->flags & ATA_WRITE ? MW_ATA_DATA_OUT : MW_ATA_DATA_IN;

	if (disk->left > disk->total || disk->lba > disk->total - disk->left)
		return false;
	if (disk->flags & ATA_TRIM)
		return ata->phase == MW_ATA_DMA && disk->have <= ATA_TRIM_BLOCKS * MW_ATA_SECTOR;
	if (disk->flags & ATA_DMA)
		return ata->phase == MW_ATA_DMA && disk->left;
	return ata->phase == block && ata->end <= disk->have && disk->have <= MW_ATA_PIO;
}

static void after_load(void *self)
{
	struct ata_disk *disk = self;
	const struct command *command = command_of(disk->command);
	uint8_t mode = disk->transfer_mode;

	disk->flags = command ? command->flags : 0;
	if (disk->multiple > ATA_MULTIPLE_MOST || disk->multiple & (disk->multiple - 1))
		disk->multiple = 0;
	if (disk->current_heads > HEADS || !disk->current_heads)
		disk->current_heads = (uint8_t)disk->heads;
	if (!disk->current_sectors)
		disk->current_sectors = (uint8_t)disk->sectors;
	disk->transfer_mode = MW_ATA_MODE_RESET;
	mw_ata_set_mode(&disk->transfer_mode, mode);
	if (disk->tests > ATA_TESTS || disk->last_test >= ATA_TESTS)
		disk->tests = disk->last_test = 0;
	mw_ata_loaded(&disk->ata);
	if (disk->ata.phase != MW_ATA_IDLE && !is_possible(disk))
		mw_ata_rest(&disk->ata);
}

static void tell_geometry(const void *self, unsigned geometry[3])
{
	const struct ata_disk *disk = self;

	geometry[0] = disk->cylinders;
	geometry[1] = disk->heads;
	geometry[2] = disk->sectors;
}

static const struct mw_property properties[] = {
	{ "model", "What it is called: up to 40 characters.", MW_FIELD(struct ata_disk, model),
	  .fallback_text = "Millwright disk" },
	{ "serial", "Its serial number: up to 20 characters; empty: its id.",
	  MW_FIELD(struct ata_disk, serial), .fallback_text = "" },
	{ "firmware", "Its firmware revision: up to 8 characters.",
	  MW_FIELD(struct ata_disk, firmware), .fallback_text = "1.0" },
	{ "cylinders", "Of the geometry it tells; 0: as many as the image holds.",
	  MW_FIELD(struct ata_disk, cylinders), .max = CYLINDERS_MOST },
	{ "heads", "Of the geometry it tells; 0: 16.", MW_FIELD(struct ata_disk, heads),
	  .max = HEADS },
	{ "sectors", "On a track, of the geometry it tells; 0: 63.",
	  MW_FIELD(struct ata_disk, sectors), .max = SECTORS },
};
static const struct mw_wire wires[] = {
	{ "image", "The bytes of the disk; what is no whole sector at the end is not seen.",
	  MW_FIELD(struct ata_disk, image), .on_done = mw_ata_on_done, .writes = true },
};
static const struct mw_state state[] = {
	{ "command", MW_FIELD(struct ata_disk, command), .since = 1 },
	{ "flags", MW_FIELD(struct ata_disk, flags), .since = 1 },
	{ "lba", MW_FIELD(struct ata_disk, lba), .since = 1 },
	{ "left", MW_FIELD(struct ata_disk, left), .since = 1 },
	{ "have", MW_FIELD(struct ata_disk, have), .since = 1 },
	{ "block", MW_FIELD(struct ata_disk, block), .since = 1 },
	{ "multiple", MW_FIELD(struct ata_disk, multiple), .since = 1 },
	{ "current_heads", MW_FIELD(struct ata_disk, current_heads), .since = 1 },
	{ "current_sectors", MW_FIELD(struct ata_disk, current_sectors), .since = 1 },
	{ "transfer_mode", MW_FIELD(struct ata_disk, transfer_mode), .reset = MW_ATA_MODE_RESET,
	  .since = 1 },
	{ "power", MW_FIELD(struct ata_disk, power), .reset = POWER_ACTIVE, .since = 1 },
	{ "asleep", MW_FIELD(struct ata_disk, asleep), .since = 1 },
	{ "write_cache", MW_FIELD(struct ata_disk, write_cache), .reset = true, .since = 1 },
	{ "look_ahead", MW_FIELD(struct ata_disk, look_ahead), .reset = true, .since = 1 },
	{ "smart", MW_FIELD(struct ata_disk, smart), .reset = true, .since = 1 },
	{ "autosave", MW_FIELD(struct ata_disk, autosave), .reset = true, .since = 1 },
	{ "tests", MW_FIELD(struct ata_disk, tests), .since = 1 },
	{ "last_test", MW_FIELD(struct ata_disk, last_test), .since = 1 },
	{ "test", MW_ARRAY(struct ata_disk, test), .since = 1 },
	{ "ata", MW_STRUCT(struct ata_disk, ata, mw_ata_rows), .since = 1 },
};
static const char *const buses[] = { "ide", NULL };

const struct mw_device_type ata_disk_type = {
	MW_DEVICE_TYPE,
	.name = "ata-disk",
	.summary = "ATA disk on an IDE bus, with LBA48, DMA and SMART",
	.size = sizeof(struct ata_disk),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.firmware = { .disk = tell_geometry },
	.interface = &mw_ata_drive,
};
