/* How a disk's sectors move between the host and the image. Reference: ATA/ATAPI-7, volume 2, chapter 11 (the
 * protocols); CHS addresses and the registers after a transfer are of ATA/ATAPI-5. */
// SPDX-License-Identifier: MIT
#include "core/bytes.h"
#include "devices/storage/ata_disk_internal.h"

enum { TRIM = 0x01, TRIM_ENTRY = 8 }; /* of DATA SET MANAGEMENT */

static uint64_t fifo(const uint8_t *task)
{
	return task[MW_IDE_LBA_LOW] | (uint64_t)task[MW_IDE_LBA_MID] << 8 |
	       (uint64_t)task[MW_IDE_LBA_HIGH] << 16;
}

static bool chs_address(const struct ata_disk *disk, uint64_t *lba)
{
	const struct mw_ata *ata = &disk->ata;
	unsigned sector = ata->task[MW_IDE_LBA_LOW], head = ata->device & 0x0f;
	unsigned cylinder = ata->task[MW_IDE_LBA_MID] | (unsigned)ata->task[MW_IDE_LBA_HIGH] << 8;

	*lba = ((uint64_t)cylinder * disk->current_heads + head) * disk->current_sectors + sector -
	       1;
	return sector && sector <= disk->current_sectors && head < disk->current_heads;
}

bool ata_disk_get_address(const struct ata_disk *disk, bool ext, uint64_t *lba)
{
	const struct mw_ata *ata = &disk->ata;

	if (!(ata->device & MW_ATA_LBA))
		return !ext && chs_address(disk, lba);
	*lba = fifo(ata->task);
	*lba |= ext ? fifo(ata->previous) << 24 : (ata->device & UINT64_C(0x0f)) << 24;
	return true;
}

static void put_fifo(uint8_t *task, uint64_t value)
{
	task[MW_IDE_LBA_LOW] = (uint8_t)value;
	task[MW_IDE_LBA_MID] = (uint8_t)(value >> 8);
	task[MW_IDE_LBA_HIGH] = (uint8_t)(value >> 16);
}

static void put_head(struct mw_ata *ata, uint64_t value)
{
	ata->device = (uint8_t)((ata->device & 0xf0) | (value & 0x0f));
}

void ata_disk_put_address(struct ata_disk *disk, bool ext, uint64_t lba)
{
	struct mw_ata *ata = &disk->ata;
	uint64_t tracks = disk->current_sectors ? lba / disk->current_sectors : 0;

	if (ext) {
		put_fifo(ata->task, lba);
		put_fifo(ata->previous, lba >> 24);
	} else if (ata->device & MW_ATA_LBA) {
		put_fifo(ata->task, lba);
		put_head(ata, lba >> 24);
	} else if (disk->current_heads && disk->current_sectors) {
		put_fifo(ata->task,
			 (lba % disk->current_sectors + 1) | tracks / disk->current_heads << 8);
		put_head(ata, tracks % disk->current_heads);
	}
}

static uint32_t sector_count(const struct mw_ata *ata, bool ext)
{
	uint32_t count = ata->task[MW_IDE_COUNT];

	if (ext)
		count |= (uint32_t)ata->previous[MW_IDE_COUNT] << 8;
	return count ? count : ext ? 0x10000u : 0x100u;
}

static void abort_command(struct ata_disk *disk)
{
	mw_ata_fail(&disk->ata, MW_ATA_ABRT);
}

/* `left` counts the sectors that the image has still to do. */

/* Where an error is, is told by the address (6.2 of ATA/ATAPI-5). */
static void fail_at(struct ata_disk *disk, uint8_t error)
{
	ata_disk_put_address(disk, disk->flags & ATA_EXT, disk->lba);
	mw_ata_fail(&disk->ata, error);
}

static bool must_flush(const struct ata_disk *disk)
{
	return disk->flags & ATA_WRITE && (!disk->write_cache || disk->flags & ATA_FUA);
}

void ata_disk_flush(struct ata_disk *disk)
{
	disk->have = disk->left = 0;
	mw_ata_submit(&disk->ata, MW_IMAGE_FLUSH, 0, 0, 0);
}

/* The registers hold the last sector that was transferred, and none is left (6.2 of ATA/ATAPI-5). */
static void end_transfer(struct ata_disk *disk, bool interrupt)
{
	ata_disk_put_address(disk, disk->flags & ATA_EXT, disk->lba - 1);
	disk->ata.task[MW_IDE_COUNT] = 0;
	if (interrupt)
		mw_ata_finish(&disk->ata);
	else
		mw_ata_rest(&disk->ata);
}

static void submit(struct ata_disk *disk, size_t bytes)
{
	enum mw_image_op op = disk->flags & ATA_WRITE ? MW_IMAGE_WRITE : MW_IMAGE_READ;

	disk->have = (uint32_t)bytes;
	mw_ata_submit(&disk->ata, op, disk->lba * MW_ATA_SECTOR, 0, bytes);
}

/* What is left, as much of it as the buffer takes. */
static size_t chunk(const struct ata_disk *disk, size_t most)
{
	uint64_t bytes = (uint64_t)disk->left * MW_ATA_SECTOR;

	return bytes < most ? (size_t)bytes : most;
}

static size_t block_at(const struct ata_disk *disk, size_t at)
{
	size_t rest = disk->have - at, block = (size_t)disk->block * MW_ATA_SECTOR;

	return block && block < rest ? block : rest;
}

/* The host's next block, of a buffer that is filled or to be filled. */
static void next_block(struct ata_disk *disk, size_t at, bool interrupt)
{
	if (disk->flags & ATA_WRITE)
		mw_ata_take(&disk->ata, at, block_at(disk, at), interrupt);
	else
		mw_ata_send(&disk->ata, at, block_at(disk, at));
}

static void next_chunk(struct ata_disk *disk, bool first)
{
	unsigned flags = disk->flags;

	if (flags & ATA_DMA) {
		mw_ata_wait_dma(&disk->ata);
	} else if (flags & ATA_WRITE) {
		disk->have = (uint32_t)chunk(disk, MW_ATA_PIO);
		next_block(disk, 0, !first);
	} else {
		submit(disk, chunk(disk, flags & ATA_VERIFY ? MW_ATA_BUFFER : MW_ATA_PIO));
	}
}

static bool set_block(struct ata_disk *disk)
{
	bool multiple = disk->flags & ATA_BLOCKS;

	disk->block = multiple ? disk->multiple : 1;
	return disk->block;
}

void ata_disk_transfer(struct ata_disk *disk)
{
	struct mw_ata *ata = &disk->ata;
	unsigned flags = disk->flags;
	bool ext = flags & ATA_EXT;

	disk->left = sector_count(ata, ext);
	if (!set_block(disk) || (flags & ATA_WRITE && !mw_image_writable(disk->image)))
		abort_command(disk);
	else if (!ata_disk_get_address(disk, ext, &disk->lba) || disk->lba >= disk->total ||
		 disk->left > disk->total - disk->lba)
		mw_ata_fail(ata, MW_ATA_IDNF);
	else
		next_chunk(disk, true);
}

void ata_disk_on_data(void *self)
{
	struct ata_disk *disk = self;
	struct mw_ata *ata = &disk->ata;

	if (ata->at < disk->have)
		next_block(disk, ata->at, true);
	else if (disk->flags & ATA_WRITE)
		submit(disk, disk->have);
	else if (disk->left)
		next_chunk(disk, false);
	else if (disk->flags & ATA_SECTORS)
		end_transfer(disk, false);
	else
		mw_ata_rest(ata);
}

/* What the image has done; the rest of it, or the end. */
static void advance(struct ata_disk *disk, uint32_t sectors)
{
	disk->lba += sectors;
	disk->left -= sectors < disk->left ? sectors : disk->left;
}

static void written_or_verified(struct ata_disk *disk)
{
	advance(disk, disk->have / MW_ATA_SECTOR);
	if (disk->left)
		next_chunk(disk, false);
	else if (must_flush(disk))
		ata_disk_flush(disk);
	else
		end_transfer(disk, true);
}

/* A bus master that was stopped meanwhile has none of it: it is read again if it goes on. */
static void send_dma(struct ata_disk *disk)
{
	size_t moved = mw_ata_dma_is_ready(&disk->ata)
			       ? mw_ata_dma_move(&disk->ata, 0, disk->have, true)
			       : 0;

	advance(disk, (uint32_t)(moved / MW_ATA_SECTOR));
	if (disk->left)
		mw_ata_wait_dma(&disk->ata);
	else
		end_transfer(disk, true);
}

static void take_dma(struct ata_disk *disk)
{
	size_t moved = mw_ata_dma_move(&disk->ata, 0, chunk(disk, MW_ATA_BUFFER), false);

	if (moved >= MW_ATA_SECTOR)
		submit(disk, moved - moved % MW_ATA_SECTOR);
	else
		mw_ata_wait_dma(&disk->ata);
}

/* DATA SET MANAGEMENT (ATA8-ACS, 7.9): entries of 48 bits of address and 16 of count. */

void ata_disk_trim(struct ata_disk *disk)
{
	struct mw_ata *ata = &disk->ata;
	uint32_t blocks = ata->task[MW_IDE_COUNT] | (uint32_t)ata->previous[MW_IDE_COUNT] << 8;

	disk->left = 0;
	disk->have = blocks * MW_ATA_SECTOR;
	if (ata->task[MW_IDE_ERROR] != TRIM || !blocks || blocks > ATA_TRIM_BLOCKS ||
	    !mw_image_writable(disk->image))
		abort_command(disk);
	else
		mw_ata_wait_dma(ata);
}

/* `left` is where the next entry lies. */
static void next_trim(struct ata_disk *disk)
{
	struct mw_ata *ata = &disk->ata;

	while (disk->left < disk->have) {
		uint64_t entry = mw_get_le(ata->buffer + disk->left, TRIM_ENTRY);
		uint64_t lba = entry & UINT64_C(0xffffffffffff), count = entry >> 48;

		disk->left += TRIM_ENTRY;
		if (!count)
			continue;
		if (lba >= disk->total || count > disk->total - lba) {
			mw_ata_fail(ata, MW_ATA_IDNF);
			return;
		}
		mw_ata_submit(ata, MW_IMAGE_DISCARD, lba * MW_ATA_SECTOR, 0,
			      (size_t)count * MW_ATA_SECTOR);
		return;
	}
	mw_ata_finish(ata);
}

static void take_trim(struct ata_disk *disk)
{
	size_t moved = mw_ata_dma_move(&disk->ata, 0, disk->have, false);

	disk->left = 0;
	if (moved == disk->have)
		next_trim(disk);
	else
		mw_ata_wait_dma(&disk->ata);
}

void ata_disk_on_dma(void *self)
{
	struct ata_disk *disk = self;

	if (disk->flags & ATA_TRIM)
		take_trim(disk);
	else if (disk->flags & ATA_WRITE)
		take_dma(disk);
	else
		submit(disk, chunk(disk, MW_ATA_BUFFER));
}

static void read_is_done(struct ata_disk *disk)
{
	unsigned flags = disk->flags;

	if (flags & ATA_DMA) {
		send_dma(disk);
	} else if (flags & ATA_VERIFY) {
		written_or_verified(disk);
	} else {
		advance(disk, disk->have / MW_ATA_SECTOR);
		next_block(disk, 0, true);
	}
}

static void on_failure(struct ata_disk *disk)
{
	if (disk->ata.request.op == MW_IMAGE_READ)
		fail_at(disk, MW_ATA_UNC);
	else if (disk->ata.request.op == MW_IMAGE_WRITE)
		fail_at(disk, MW_ATA_ABRT);
	else
		abort_command(disk);
}

void ata_disk_on_image(void *self, enum mw_image_result result)
{
	struct ata_disk *disk = self;

	if (result != MW_IMAGE_DONE) {
		on_failure(disk);
		return;
	}
	switch (disk->ata.request.op) {
	case MW_IMAGE_READ: read_is_done(disk); break;
	case MW_IMAGE_WRITE: written_or_verified(disk); break;
	case MW_IMAGE_DISCARD: next_trim(disk); break;
	case MW_IMAGE_FLUSH:
		if (disk->flags & ATA_SECTORS)
			end_transfer(disk, true);
		else
			mw_ata_finish(&disk->ata);
	}
}
