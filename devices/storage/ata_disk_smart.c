/* A disk's SMART feature set: a disk that is well. Reference: ATA/ATAPI-7, volume 1, 6.54; the layout of
 * attributes is of SFF-8035i, which drives and tools keep. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/bytes.h"
#include "devices/storage/ata_disk_internal.h"

/* Subcommands in the features register, and the key in LBA mid and high. */
enum {
	READ_DATA = 0xd0,
	READ_THRESHOLDS,
	SET_AUTOSAVE,
	EXECUTE_OFFLINE = 0xd4,
	READ_LOG,
	ENABLE = 0xd8,
	DISABLE,
	RETURN_STATUS
};
enum { KEY_MID = 0x4f, KEY_HIGH = 0xc2 };
enum { AUTOSAVE_OFF = 0x00, AUTOSAVE_ON = 0xf1 };
enum { LOG_DIRECTORY = 0x00, LOG_ERRORS = 0x01, LOG_TESTS = 0x06 };
/* Of EXECUTE OFF-LINE IMMEDIATE, in LBA low; with CAPTIVE the command lasts as long as the test. */
enum { OFFLINE = 0x00, SHORT_TEST = 0x01, EXTENDED_TEST = 0x02, ABORT_TEST = 0x7f, CAPTIVE = 0x80 };
#define HOUR_NS UINT64_C(3600000000000)

static const struct attribute {
	uint8_t id, flags, value, threshold;
	uint8_t raw;
} attributes[] = {
	{ 1, 0x0b, 100, 51, 0 },  /* read error rate */
	{ 4, 0x12, 100, 0, 1 },   /* starts */
	{ 5, 0x13, 100, 36, 0 },  /* sectors that were moved */
	{ 9, 0x12, 100, 0, 0 },   /* hours */
	{ 12, 0x12, 100, 0, 1 },  /* power cycles */
	{ 194, 0x22, 69, 0, 31 }, /* degrees Celsius */
	{ 197, 0x12, 100, 0, 0 }, /* sectors that wait to be moved */
};
enum { ATTRIBUTE_COUNT = sizeof(attributes) / sizeof(attributes[0]), ATTRIBUTE_BYTES = 12 };
enum { HOURS_ID = 9, HOURS_BYTES = 4 };

static void send_sector(struct ata_disk *disk)
{
	mw_ata_put_checksum(disk->ata.buffer, MW_ATA_SECTOR);
	mw_ata_send(&disk->ata, 0, MW_ATA_SECTOR);
}

static uint8_t *clear_sector(struct ata_disk *disk)
{
	memset(disk->ata.buffer, 0, MW_ATA_SECTOR);
	return disk->ata.buffer;
}

static void read_data(struct ata_disk *disk)
{
	uint8_t *bytes = clear_sector(disk);

	mw_put_le(bytes, 2, 0x0010);
	for (unsigned i = 0; i < ATTRIBUTE_COUNT; i++) {
		const struct attribute *attribute = &attributes[i];
		uint8_t *to = bytes + 2 + (size_t)ATTRIBUTE_BYTES * i;

		to[0] = attribute->id;
		to[1] = attribute->flags;
		to[3] = to[4] = attribute->value;
		to[5] = attribute->raw;
		if (attribute->id == HOURS_ID)
			mw_put_le(to + 5, HOURS_BYTES, mw_now_ns(disk) / HOUR_NS);
	}
	bytes[367] = 0x11;            /* off-line immediate and self-tests exist */
	mw_put_le(bytes + 368, 2, 3); /* saved before standby, and by itself */
	bytes[370] = 0x01;            /* errors are logged */
	bytes[372] = bytes[373] = 1;  /* minutes of the tests */
	send_sector(disk);
}

static void read_thresholds(struct ata_disk *disk)
{
	uint8_t *bytes = clear_sector(disk);

	mw_put_le(bytes, 2, 0x0010);
	for (unsigned i = 0; i < ATTRIBUTE_COUNT; i++) {
		bytes[2 + ATTRIBUTE_BYTES * i] = attributes[i].id;
		bytes[3 + ATTRIBUTE_BYTES * i] = attributes[i].threshold;
	}
	send_sector(disk);
}

/* Tests end at once, and find nothing. */
static void put_tests(struct ata_disk *disk, uint8_t *bytes)
{
	enum { ENTRY_BYTES = 24, NEWEST = 508 };

	mw_put_le(bytes, 2, 1);
	for (unsigned i = 0; i < disk->tests; i++)
		bytes[2 + ENTRY_BYTES * i] = disk->test[i];
	bytes[NEWEST] = disk->tests ? disk->last_test + 1 : 0;
}

static void read_log(struct ata_disk *disk)
{
	uint8_t *bytes = clear_sector(disk);

	if (disk->ata.task[MW_IDE_COUNT] != 1) {
		mw_ata_fail(&disk->ata, MW_ATA_ABRT);
		return;
	}
	switch (disk->ata.task[MW_IDE_LBA_LOW]) {
	case LOG_DIRECTORY:
		bytes[0] = 1; /* version; then sectors of each log */
		bytes[2 * LOG_ERRORS] = bytes[2 * LOG_TESTS] = 1;
		break;
	case LOG_ERRORS: bytes[0] = 1; break;
	case LOG_TESTS: put_tests(disk, bytes); break;
	default: mw_ata_fail(&disk->ata, MW_ATA_ABRT); return;
	}
	send_sector(disk);
}

static bool note_test(struct ata_disk *disk, uint8_t test)
{
	switch (test & ~CAPTIVE) {
	case OFFLINE: return test == OFFLINE;
	case ABORT_TEST: return test == ABORT_TEST;
	case SHORT_TEST:
	case EXTENDED_TEST:
		disk->last_test = (uint8_t)(disk->tests ? (disk->last_test + 1) % ATA_TESTS : 0);
		disk->test[disk->last_test] = test;
		if (disk->tests < ATA_TESTS)
			disk->tests++;
		return true;
	default: return false;
	}
}

/* What has no data, and is done at once; false where it is refused. */
static bool run_plain(struct ata_disk *disk, uint8_t subcommand)
{
	uint8_t count = disk->ata.task[MW_IDE_COUNT];

	switch (subcommand) {
	case SET_AUTOSAVE:
		disk->autosave = count == AUTOSAVE_ON;
		return count == AUTOSAVE_OFF || count == AUTOSAVE_ON;
	case EXECUTE_OFFLINE: return note_test(disk, disk->ata.task[MW_IDE_LBA_LOW]);
	case ENABLE: disk->smart = true; return true;
	case DISABLE: disk->smart = false; return true;
	case RETURN_STATUS: return true; /* the key stays as it is: no threshold is exceeded */
	default: return false;
	}
}

void ata_disk_smart(struct ata_disk *disk)
{
	struct mw_ata *ata = &disk->ata;
	uint8_t subcommand = ata->task[MW_IDE_ERROR];
	bool keyed = ata->task[MW_IDE_LBA_MID] == KEY_MID && ata->task[MW_IDE_LBA_HIGH] == KEY_HIGH;

	bool allowed = keyed && (disk->smart || subcommand == ENABLE);

	if (allowed && subcommand == READ_DATA)
		read_data(disk);
	else if (allowed && subcommand == READ_THRESHOLDS)
		read_thresholds(disk);
	else if (allowed && subcommand == READ_LOG)
		read_log(disk);
	else if (allowed && run_plain(disk, subcommand))
		mw_ata_finish(ata);
	else
		mw_ata_fail(ata, MW_ATA_ABRT);
}
