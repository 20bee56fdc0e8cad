/* The task file of a drive on an IDE bus, its data phases and resets. Reference: ATA/ATAPI-7, volume 2. */
// SPDX-License-Identifier: MIT
#include "devices/bus/ata.h"

#include <string.h>

#include "core/bytes.h"

/* Device control register. */
enum { CONTROL_HOB = 0x80, CONTROL_SRST = 0x04, CONTROL_NIEN = 0x02 };
enum { EXECUTE_DIAGNOSTIC = 0x90, DEVICE_RESET = 0x08, DIAGNOSTIC_PASSED = 0x01 };
enum { READY = MW_ATA_DRDY | MW_ATA_DSC, WORKING = READY | MW_IDE_BSY };

const struct mw_state mw_ata_rows[MW_ATA_ROWS] = {
	{ "task", MW_ARRAY(struct mw_ata, task), .since = 1 },
	{ "previous", MW_ARRAY(struct mw_ata, previous), .since = 1 },
	{ "device", MW_FIELD(struct mw_ata, device), .since = 1 },
	{ "control", MW_FIELD(struct mw_ata, control), .since = 1 },
	{ "status", MW_FIELD(struct mw_ata, status), .since = 1 },
	{ "error", MW_FIELD(struct mw_ata, error), .since = 1 },
	{ "interrupt", MW_FIELD(struct mw_ata, interrupt), .since = 1 },
	{ "resetting", MW_FIELD(struct mw_ata, resetting), .since = 1 },
	{ "phase", MW_FIELD(struct mw_ata, phase), .since = 1 },
	{ "at", MW_FIELD(struct mw_ata, at), .since = 1 },
	{ "end", MW_FIELD(struct mw_ata, end), .since = 1 },
	{ "buffer", .offset = offsetof(struct mw_ata, buffer), .kind = MW_U8, .count = MW_ATA_PIO,
	  .stride = 1, .since = 1 },
};

static bool is_selected(const struct mw_ata *ata)
{
	return !(ata->device & MW_IDE_DEV) == !ata->second;
}

/* INTRQ is driven by the selected drive alone, and while nIEN is zero (5.2.9). */
static void update_intrq(struct mw_ata *ata)
{
	if (ata->host)
		ata->host->intrq(ata->controller, ata->self,
				 ata->interrupt && is_selected(ata) &&
					 !(ata->control & CONTROL_NIEN));
}

static void set_interrupt(struct mw_ata *ata, bool pending)
{
	if (ata->interrupt == pending)
		return;
	ata->interrupt = pending;
	update_intrq(ata);
}

void mw_ata_finish(struct mw_ata *ata)
{
	mw_ata_rest(ata);
	set_interrupt(ata, true);
}

void mw_ata_rest(struct mw_ata *ata)
{
	ata->phase = MW_ATA_IDLE;
	ata->status = READY;
}

void mw_ata_fail(struct mw_ata *ata, uint8_t error)
{
	ata->phase = MW_ATA_IDLE;
	ata->status = READY | MW_ATA_ERR;
	ata->error = error;
	set_interrupt(ata, true);
}

void mw_ata_put_signature(struct mw_ata *ata)
{
	ata->task[MW_IDE_COUNT] = ata->task[MW_IDE_LBA_LOW] = 1;
	ata->task[MW_IDE_LBA_MID] = ata->ops->packet ? 0x14 : 0;
	ata->task[MW_IDE_LBA_HIGH] = ata->ops->packet ? 0xeb : 0;
	ata->device = (uint8_t)(MW_ATA_DEVICE_ONES | (ata->device & MW_IDE_DEV));
}

/* A packet device is not ready before its first command (9.1). */
static void end_reset(struct mw_ata *ata)
{
	ata->resetting = false;
	mw_ata_put_signature(ata);
	ata->error = DIAGNOSTIC_PASSED;
	ata->status = ata->ops->packet ? 0 : READY;
}

/* What goes on with the image ends first: its bytes are the image's until then. */
static void begin_reset(struct mw_ata *ata)
{
	ata->phase = MW_ATA_IDLE;
	ata->status = WORKING;
	ata->at = ata->end = 0;
	ata->resetting = false;
	set_interrupt(ata, false);
	ata->ops->reset(ata->self);
}

static void run_reset(struct mw_ata *ata)
{
	if (ata->request.pending)
		ata->resetting = true;
	else
		end_reset(ata);
}

void mw_ata_init(struct mw_ata *ata, const struct mw_ata_ops *ops, void *self,
		 struct mw_image *image)
{
	const void *interface;

	ata->ops = ops;
	ata->self = self;
	ata->image = image;
	ata->controller = mw_bus_parent(self, &interface);
	ata->host = interface;
	ata->second = ata->host && ata->host->unit(ata->controller, self) == 1;
}

void mw_ata_reset(struct mw_ata *ata)
{
	ata->device = 0;
	end_reset(ata);
	update_intrq(ata);
}

/* A state that is none begins with nothing going on. */
void mw_ata_loaded(struct mw_ata *ata)
{
	bool is_block = ata->phase == MW_ATA_DATA_IN || ata->phase == MW_ATA_DATA_OUT;

	if (ata->phase >= MW_ATA_PHASES || ata->phase == MW_ATA_BUSY)
		mw_ata_rest(ata);
	if (ata->end > MW_ATA_PIO || ata->at > ata->end || (is_block && ata->at == ata->end)) {
		ata->at = ata->end = 0;
		mw_ata_rest(ata);
	}
	if (ata->resetting)
		end_reset(ata);
	update_intrq(ata);
}

static uint8_t drive_read(void *drive, unsigned reg)
{
	struct mw_ata *ata = drive;

	switch (reg) {
	case MW_IDE_ERROR: return ata->error;
	case MW_IDE_COUNT:
	case MW_IDE_LBA_LOW:
	case MW_IDE_LBA_MID:
	case MW_IDE_LBA_HIGH:
		return ata->control & CONTROL_HOB ? ata->previous[reg] : ata->task[reg];
	case MW_IDE_DEVICE: return ata->device;
	case MW_IDE_STATUS: set_interrupt(ata, false); return ata->status;
	case MW_IDE_CONTROL: return ata->status;
	default: return 0;
	}
}

/* Both drives run the diagnostic; drive 0 tells the result (11.13). */
static void run_diagnostic(struct mw_ata *ata)
{
	ata->device = 0;
	end_reset(ata);
	set_interrupt(ata, !ata->second);
}

static void write_command(struct mw_ata *ata, uint8_t command)
{
	bool busy = ata->status & (MW_IDE_BSY | MW_IDE_DRQ);

	if (command == EXECUTE_DIAGNOSTIC && !busy) {
		run_diagnostic(ata);
		return;
	}
	if (!is_selected(ata))
		return;
	if (command == DEVICE_RESET && ata->ops->packet && !ata->resetting &&
	    !(ata->control & CONTROL_SRST)) {
		begin_reset(ata);
		run_reset(ata);
		return;
	}
	if (busy)
		return;
	set_interrupt(ata, false);
	ata->error = 0;
	ata->ops->command(ata->self, command);
}

static void write_control(struct mw_ata *ata, uint8_t value)
{
	uint8_t changed = ata->control ^ value;

	ata->control = value;
	if (changed & value & CONTROL_SRST) {
		begin_reset(ata);
	} else if (changed & CONTROL_SRST) {
		ata->device = 0;
		run_reset(ata);
	}
	update_intrq(ata);
}

static void drive_write(void *drive, unsigned reg, uint8_t value)
{
	struct mw_ata *ata = drive;

	if (reg == MW_IDE_CONTROL) {
		write_control(ata, value);
		return;
	}
	ata->control &= (uint8_t)~CONTROL_HOB;
	if (reg == MW_IDE_STATUS) {
		write_command(ata, value);
	} else if (reg == MW_IDE_DEVICE) {
		ata->device = value | MW_ATA_DEVICE_ONES;
		update_intrq(ata);
	} else if (reg < MW_ATA_FIFO) {
		ata->previous[reg] = ata->task[reg];
		ata->task[reg] = value;
	}
}

/* The last word of a block may be half of a double word. */
static uint32_t drive_read_data(void *drive, unsigned size)
{
	struct mw_ata *ata = drive;
	uint32_t value;

	if (ata->phase != MW_ATA_DATA_IN)
		return 0;
	if (size > ata->end - ata->at)
		size = ata->end - ata->at;
	value = (uint32_t)mw_get_le(ata->buffer + ata->at, size);
	ata->at += size;
	if (ata->at == ata->end)
		ata->ops->data(ata->self);
	return value;
}

static void drive_write_data(void *drive, unsigned size, uint32_t value)
{
	struct mw_ata *ata = drive;

	if (ata->phase != MW_ATA_DATA_OUT)
		return;
	if (size > ata->end - ata->at)
		size = ata->end - ata->at;
	mw_put_le(ata->buffer + ata->at, size, value);
	ata->at += size;
	if (ata->at == ata->end)
		ata->ops->data(ata->self);
}

static void begin_block(struct mw_ata *ata, enum mw_ata_phase phase, size_t at, size_t count)
{
	ata->at = (uint32_t)at;
	ata->end = (uint32_t)(at + count);
	ata->phase = (uint8_t)phase;
	ata->status = READY | MW_IDE_DRQ;
}

void mw_ata_send(struct mw_ata *ata, size_t at, size_t count)
{
	begin_block(ata, MW_ATA_DATA_IN, at, count);
	set_interrupt(ata, true);
}

void mw_ata_take(struct mw_ata *ata, size_t at, size_t count, bool interrupt)
{
	begin_block(ata, MW_ATA_DATA_OUT, at, count);
	if (interrupt)
		set_interrupt(ata, true);
}

bool mw_ata_dma_is_ready(const struct mw_ata *ata)
{
	return ata->host && ata->host->dma_is_ready(ata->controller, ata->self);
}

static void drive_dma_ready(void *drive)
{
	struct mw_ata *ata = drive;

	if (ata->phase == MW_ATA_DMA && mw_ata_dma_is_ready(ata))
		ata->ops->dma(ata->self);
}

void mw_ata_wait_dma(struct mw_ata *ata)
{
	ata->phase = MW_ATA_DMA;
	ata->status = READY | MW_IDE_DRQ;
	drive_dma_ready(ata);
}

const struct mw_ide_drive mw_ata_drive = {
	.read = drive_read,
	.write = drive_write,
	.read_data = drive_read_data,
	.write_data = drive_write_data,
	.dma_ready = drive_dma_ready,
};

size_t mw_ata_dma_move(struct mw_ata *ata, size_t at, size_t count, bool to_memory)
{
	return ata->host ? ata->host->dma_move(ata->controller, ata->self, ata->buffer + at, count,
					       to_memory)
			 : 0;
}

void mw_ata_submit(struct mw_ata *ata, enum mw_image_op op, uint64_t offset, size_t at,
		   size_t count)
{
	ata->phase = MW_ATA_BUSY;
	ata->status = WORKING;
	ata->request.op = op;
	ata->request.offset = offset;
	ata->request.bytes = ata->buffer + at;
	ata->request.count = count;
	mw_image_submit(ata->image, &ata->request);
}

/* After a reset, what the image did is of no interest. */
void mw_ata_on_done(void *self, struct mw_image_request *request)
{
	struct mw_ata *ata = self;

	if (ata->resetting)
		end_reset(ata);
	else if (ata->phase == MW_ATA_BUSY)
		ata->ops->done(ata->self, request->result);
}

void mw_ata_put_word(struct mw_ata *ata, unsigned word, unsigned value)
{
	mw_put_le(ata->buffer + (size_t)2 * word, 2, value);
}

/* The first character of two is the high byte; what is left is spaces. */
void mw_ata_put_text(struct mw_ata *ata, unsigned word, unsigned words, const char *text)
{
	uint8_t *to = ata->buffer + (size_t)2 * word;

	for (unsigned i = 0; i < 2 * words; i++) {
		char c = *text ? *text++ : ' ';

		to[i ^ 1] = (uint8_t)(c < ' ' || c > '~' ? '?' : c);
	}
}

/* Volume 1, 6.48, table 47. */
bool mw_ata_set_mode(uint8_t *mode, uint8_t asked)
{
	uint8_t number = asked & 7;

	switch (asked & ~7u) {
	case MW_ATA_MODE_PIO: return number <= 1;
	case MW_ATA_MODE_PIO | 8: return number <= 4;
	case MW_ATA_MODE_MULTIWORD:
	case MW_ATA_MODE_ULTRA:
		if (number > (asked & MW_ATA_MODE_ULTRA ? 5 : 2))
			return false;
		*mode = asked;
		return true;
	default: return false;
	}
}

void mw_ata_put_checksum(uint8_t *bytes, size_t count)
{
	uint8_t sum = 0;

	for (size_t i = 0; i + 1 < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[count - 1] = (uint8_t)-sum;
}
