/* What a disk says of itself. Reference: ATA/ATAPI-7, volume 1, 6.17 (IDENTIFY DEVICE). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/storage/ata_disk_internal.h"

enum { WORDS_SERIAL = 10, WORDS_FIRMWARE = 4, WORDS_MODEL = 20 };
enum { LBA28_MOST = 0x0fffffff, CHS_MOST = 16514064 };
/* Words 82 to 87. */
enum { HAS_SMART = 0x01, HAS_POWER = 0x08, HAS_WRITE_CACHE = 0x20, HAS_LOOK_AHEAD = 0x40 };
enum { HAS_LBA48 = 0x0400, HAS_FLUSH = 0x1000, HAS_FLUSH_EXT = 0x2000, WORD_VALID = 0x4000 };
enum { HAS_ERROR_LOG = 0x01, HAS_SELF_TEST = 0x02, HAS_FUA = 0x40 };
enum { COMMANDS = HAS_SMART | HAS_POWER | HAS_WRITE_CACHE | HAS_LOOK_AHEAD };
enum { CHECKSUM_WORD = 255, CHECKSUM_SIGNATURE = 0xa5 };

/* Words that are the same for every disk and at all times. */
static const struct {
	uint8_t word;
	uint16_t value;
} constants[] = {
	{ 0, 0x0040 },  /* an ATA device, not removable */
	{ 20, 0x0003 }, /* obsolete: a dual ported buffer with a cache, ... */
	{ 21, 0x0200 }, /* ... its size in sectors, ... */
	{ 22, 0x0004 }, /* ... and bytes of ECC in READ LONG */
	{ 47, 0x8000 | ATA_MULTIPLE_MOST },
	{ 48, 0x0001 }, /* obsolete: double word I/O */
	{ 49, 0x0f00 }, /* DMA, LBA, IORDY, which can be switched off */
	{ 50, 0x4000 },
	{ 51, 0x0200 }, /* obsolete: PIO mode 2, ... */
	{ 52, 0x0200 }, /* ... DMA mode 2 */
	{ 53, 0x0007 }, /* words 54 to 58, 64 to 70 and 88 are valid */
	{ 64, 0x0003 }, /* PIO modes 3 and 4 */
	{ 65, 120 },    /* cycle times in ns: of multiword DMA, ... */
	{ 66, 120 },
	{ 67, 120 }, /* ... and of PIO */
	{ 68, 120 },
	{ 80, 0x00f0 }, /* ATA/ATAPI-4 to -7 */
	{ 82, COMMANDS },
	{ 83, WORD_VALID | HAS_FLUSH_EXT | HAS_FLUSH | HAS_LBA48 },
	{ 84, WORD_VALID | HAS_FUA | HAS_SELF_TEST | HAS_ERROR_LOG },
	{ 86, HAS_FLUSH_EXT | HAS_FLUSH | HAS_LBA48 },
	{ 87, WORD_VALID | HAS_FUA | HAS_SELF_TEST | HAS_ERROR_LOG },
	{ 93, 0x6001 }, /* a cable of 80 conductors; the device number was found by the jumper */
	{ 105, ATA_TRIM_BLOCKS },
	{ 106, 0x4000 }, /* a physical sector is a logical one */
	{ 169, 0x0001 }, /* DATA SET MANAGEMENT has TRIM */
};

static void put_number(struct ata_disk *disk, unsigned word, unsigned words, uint64_t value)
{
	for (unsigned i = 0; i < words; i++)
		mw_ata_put_word(&disk->ata, word + i, (unsigned)(value >> (16 * i)) & 0xffff);
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

static void put_geometry(struct ata_disk *disk)
{
	uint64_t track = (uint64_t)disk->current_heads * disk->current_sectors;
	uint64_t cylinders = track ? at_most(disk->total, CHS_MOST) / track : 0;

	put_number(disk, 1, 1, disk->cylinders);
	put_number(disk, 3, 1, disk->heads);
	put_number(disk, 6, 1, disk->sectors);
	put_number(disk, 54, 1, at_most(cylinders, 65535));
	put_number(disk, 55, 1, disk->current_heads);
	put_number(disk, 56, 1, disk->current_sectors);
	put_number(disk, 57, 2, at_most(cylinders, 65535) * track);
	put_number(disk, 60, 2, at_most(disk->total, LBA28_MOST));
	put_number(disk, 100, 4, disk->total);
}

static void put_modes(struct ata_disk *disk)
{
	unsigned mode = disk->transfer_mode, number = 1u << (mode & 7);

	put_number(disk, 63, 1, 0x07 | ((mode & ~7u) == MW_ATA_MODE_MULTIWORD ? number << 8 : 0));
	put_number(disk, 88, 1, 0x3f | ((mode & ~7u) == MW_ATA_MODE_ULTRA ? number << 8 : 0));
	put_number(disk, 59, 1, disk->multiple ? 0x100u | disk->multiple : 0);
	put_number(disk, 85, 1,
		   HAS_POWER | (disk->smart ? HAS_SMART : 0) |
			   (disk->write_cache ? HAS_WRITE_CACHE : 0) |
			   (disk->look_ahead ? HAS_LOOK_AHEAD : 0));
}

void ata_disk_identify(struct ata_disk *disk)
{
	struct mw_ata *ata = &disk->ata;
	const char *serial = disk->serial[0] ? disk->serial : mw_device_id(disk);

	memset(ata->buffer, 0, MW_ATA_SECTOR);
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		mw_ata_put_word(ata, constants[i].word, constants[i].value);
	mw_ata_put_text(ata, 10, WORDS_SERIAL, serial);
	mw_ata_put_text(ata, 23, WORDS_FIRMWARE, disk->firmware);
	mw_ata_put_text(ata, 27, WORDS_MODEL, disk->model);
	put_geometry(disk);
	put_modes(disk);
	mw_ata_put_word(ata, CHECKSUM_WORD, CHECKSUM_SIGNATURE);
	mw_ata_put_checksum(ata->buffer, MW_ATA_SECTOR);
}
