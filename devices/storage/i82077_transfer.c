/* The floppy disk controller's commands with data. Reference: Intel 82077AA data sheet (290166), section 5.1, whose
 * tables these are. */
// SPDX-License-Identifier: MIT
#include "devices/storage/i82077_internal.h"

#include <string.h>

/* Disks here turn a good deal faster than real ones: no driver minds. */
#define ACCESS_NS UINT64_C(100000)
#define LOST_NS   UINT64_C(10000000) /* two revolutions */
#define RETRY_NS  UINT64_C(1000000)
#define PASSES_NS UINT64_C(250000) /* one sector */

static unsigned code_of(const struct i82077 *fdc)
{
	return fdc->bytes[FDC_CODE] & FDC_CODE_MASK;
}

static unsigned unit_of(const struct i82077 *fdc)
{
	return fdc->bytes[FDC_UNIT] & FDC_DS;
}

static unsigned head_of(const struct i82077 *fdc)
{
	return fdc->bytes[FDC_UNIT] & FDC_HDS ? 1 : 0;
}

static bool is_write(const struct i82077 *fdc)
{
	unsigned code = code_of(fdc);

	return code == FDC_WRITE || code == FDC_WRITE_DELETED || code == FDC_FORMAT;
}

static unsigned host_bytes(const struct i82077 *fdc)
{
	return code_of(fdc) == FDC_FORMAT ? FDC_ID_BYTES : MW_FLOPPY_SECTOR_BYTES;
}

static void go_on(struct i82077 *fdc, uint8_t stage, uint64_t ns)
{
	fdc->stage = stage;
	mw_timer_arm(fdc->work, mw_now_ns(fdc) + ns);
}

/* "Result phase": the status, and the ID of what would have been next (table 5-6). */
static void finish(struct i82077 *fdc, uint8_t code)
{
	uint8_t *bytes = fdc->bytes;
	bool format = code_of(fdc) == FDC_FORMAT;

	memmove(bytes + 3, format ? fdc->sector : bytes + FDC_C, FDC_ID_BYTES);
	bytes[0] = code | fdc->status[0] | (bytes[FDC_UNIT] & (FDC_HDS | FDC_DS));
	bytes[1] = fdc->status[1];
	bytes[2] = fdc->status[2];
	fdc->count = 3 + FDC_ID_BYTES;
	fdc->at = 0;
	fdc->phase = FDC_RESULT;
	fdc->stage = FDC_NO_STAGE;
	fdc->data_irq = false;
	fdc->result_irq = true;
	fdc_update(fdc);
}

static void fail(struct i82077 *fdc, uint8_t st1, uint8_t st2)
{
	fdc->status[1] |= st1;
	fdc->status[2] |= st2;
	finish(fdc, FDC_ST0_ABNORMAL);
}

/* The same once the index has passed twice. */
static void lose(struct i82077 *fdc, uint8_t st1, uint8_t st2)
{
	fdc->status[1] |= st1;
	fdc->status[2] |= st2;
	go_on(fdc, FDC_LOST, LOST_NS);
}

static void ask_host(struct i82077 *fdc)
{
	fdc->stage = FDC_HOST;
	fdc->position = 0;
	fdc->data_irq = fdc->specify[1] & FDC_ND;
	fdc_strobe(fdc);
}

/* Sectors */

static bool find_track(const struct i82077 *fdc, struct mw_floppy_track *track)
{
	unsigned unit = unit_of(fdc);

	return fdc->ops[unit] && (fdc->bytes[FDC_CODE] & FDC_MFM) &&
	       fdc->ops[unit]->track(fdc->drives[unit], head_of(fdc), fdc->rate, track);
}

static bool is_protected(const struct i82077 *fdc)
{
	struct mw_floppy_lines lines = { 0 };
	unsigned unit = unit_of(fdc);

	if (fdc->ops[unit])
		fdc->ops[unit]->look(fdc->drives[unit], &lines);
	return lines.write_protected;
}

/* READ TRACK takes sectors as they come, the others by their number. */
static unsigned sector_number(const struct i82077 *fdc)
{
	return code_of(fdc) == FDC_READ_TRACK ? fdc->sectors + 1u : fdc->bytes[FDC_R];
}

/* What the drive has read is the controller's now. */
static void take_sector(struct i82077 *fdc)
{
	unsigned unit = unit_of(fdc);

	if (fdc_to_host(fdc) && fdc->ops[unit])
		memcpy(fdc->sector, fdc->ops[unit]->bytes(fdc->drives[unit]),
		       MW_FLOPPY_SECTOR_BYTES);
}

static void started(struct i82077 *fdc, enum mw_floppy_start start, uint8_t again)
{
	switch (start) {
	case MW_FLOPPY_STARTED: fdc->stage = FDC_IMAGE; break;
	case MW_FLOPPY_READY:
		take_sector(fdc);
		go_on(fdc, FDC_READY, 0);
		break;
	case MW_FLOPPY_BUSY: go_on(fdc, again, RETRY_NS); break;
	default: lose(fdc, is_write(fdc) ? FDC_ST1_DE : FDC_ST1_ND, 0);
	}
}

/* Table 5-5: images have no deleted data, so READ DELETED DATA meets the wrong mark each time. */
static bool is_skipped(const struct i82077 *fdc)
{
	return code_of(fdc) == FDC_READ_DELETED && (fdc->bytes[FDC_CODE] & FDC_SK);
}

static void read_sector(struct i82077 *fdc)
{
	unsigned unit = unit_of(fdc);

	if (code_of(fdc) == FDC_READ_DELETED)
		fdc->status[2] |= FDC_ST2_CM;
	if (is_skipped(fdc))
		go_on(fdc, FDC_READY, 0);
	else
		started(fdc,
			fdc->ops[unit]->read(fdc->drives[unit], head_of(fdc), sector_number(fdc)),
			FDC_FIND);
}

static void store_sector(struct i82077 *fdc)
{
	unsigned unit = unit_of(fdc), number = fdc->bytes[FDC_R];
	const uint8_t *bytes = fdc->sector;
	uint8_t fill[MW_FLOPPY_SECTOR_BYTES];

	if (!fdc->ops[unit] || is_protected(fdc)) {
		fail(fdc, FDC_ST1_NW, 0);
		return;
	}
	if (code_of(fdc) == FDC_FORMAT) {
		memset(fill, fdc->bytes[FDC_FORMAT_D], sizeof(fill));
		number = fdc->sector[FDC_R - FDC_C];
		bytes = fill;
	}
	started(fdc, fdc->ops[unit]->write(fdc->drives[unit], head_of(fdc), number, bytes),
		FDC_STORE);
}

/* "Implied seek": to the cylinder of the command, first of all; true while the head is on its way. */
static bool seeks_first(struct i82077 *fdc)
{
	uint8_t *pcn = &fdc->pcn[unit_of(fdc)], wanted = fdc->bytes[FDC_C];
	uint64_t steps = 0;

	if (!(fdc->config & FDC_EIS) || code_of(fdc) == FDC_READ_ID || code_of(fdc) == FDC_FORMAT ||
	    *pcn == wanted)
		return false;
	for (; *pcn != wanted; steps++) {
		bool inwards = *pcn < wanted;

		fdc_step_drive(fdc, unit_of(fdc), inwards);
		*pcn = (uint8_t)(inwards ? *pcn + 1 : *pcn - 1);
	}
	fdc->status[0] |= FDC_ST0_SE;
	go_on(fdc, FDC_FIND, steps * FDC_STEP_NS);
	return true;
}

/* READ ID takes the first one that comes by. */
static void read_id(struct i82077 *fdc, const struct mw_floppy_track *track)
{
	fdc->bytes[FDC_C] = track->cylinder;
	fdc->bytes[FDC_H] = (uint8_t)head_of(fdc);
	fdc->bytes[FDC_R] = (uint8_t)(mw_now_ns(fdc) / PASSES_NS % track->sectors + 1);
	fdc->bytes[FDC_N] = MW_FLOPPY_SECTOR_CODE;
	finish(fdc, 0);
}

/* The sector that the command names, or what is wrong with it. */
static bool is_id(struct i82077 *fdc, const struct mw_floppy_track *track)
{
	const uint8_t *bytes = fdc->bytes;

	if (bytes[FDC_C] != track->cylinder)
		fdc->status[2] |= FDC_ST2_WC;
	return bytes[FDC_C] == track->cylinder && bytes[FDC_H] == head_of(fdc) &&
	       bytes[FDC_N] == MW_FLOPPY_SECTOR_CODE && bytes[FDC_R] &&
	       bytes[FDC_R] <= track->sectors && bytes[FDC_R] == sector_number(fdc);
}

static void find_sector(struct i82077 *fdc, const struct mw_floppy_track *track)
{
	bool found = is_id(fdc, track);

	if (!found)
		fdc->status[1] |= FDC_ST1_ND;
	if (code_of(fdc) == FDC_READ_TRACK) /* goes on, and counts to where the index is */
		found = fdc->sectors < track->sectors;
	if (!found)
		lose(fdc, 0, 0);
	else if (is_write(fdc))
		ask_host(fdc);
	else
		read_sector(fdc);
}

static void find(struct i82077 *fdc)
{
	struct mw_floppy_track track;

	if (seeks_first(fdc))
		return;
	if (is_write(fdc) && is_protected(fdc))
		fail(fdc, FDC_ST1_NW, 0);
	else if (!find_track(fdc, &track))
		lose(fdc, FDC_ST1_MA, 0);
	else if (code_of(fdc) == FDC_READ_ID)
		read_id(fdc, &track);
	else if (code_of(fdc) != FDC_FORMAT)
		find_sector(fdc, &track);
	else if (fdc->bytes[FDC_FORMAT_SC])
		ask_host(fdc);
	else
		finish(fdc, 0);
}

/* Table 5-6: on to the next sector; false at the end of the cylinder. */
static bool advance(struct i82077 *fdc)
{
	uint8_t *bytes = fdc->bytes;
	bool both = bytes[FDC_CODE] & FDC_MT;

	if (bytes[FDC_R] != bytes[FDC_EOT]) {
		bytes[FDC_R]++;
		return true;
	}
	bytes[FDC_R] = 1;
	if (both)
		bytes[FDC_H] ^= 1;
	if (both && !(bytes[FDC_UNIT] & FDC_HDS)) {
		bytes[FDC_UNIT] |= FDC_HDS;
		return true;
	}
	bytes[FDC_C]++;
	return false;
}

/* What follows a whole sector: false if it was the last one of the command. */
static bool is_more(struct i82077 *fdc)
{
	switch (code_of(fdc)) {
	case FDC_FORMAT: return fdc->sectors != fdc->bytes[FDC_FORMAT_SC];
	case FDC_READ_TRACK: fdc->bytes[FDC_R]++; return fdc->sectors != fdc->bytes[FDC_EOT];
	default: return advance(fdc);
	}
}

/* "VERIFY": with EC an implicit TC comes after SC sectors, without it EOT is the end. */
static bool is_verified(const struct i82077 *fdc, bool more)
{
	bool counted = fdc->bytes[FDC_UNIT] & FDC_EC;

	return code_of(fdc) == FDC_VERIFY &&
	       (counted ? fdc->sectors == fdc->bytes[FDC_DTL] : !more);
}

static void next(struct i82077 *fdc)
{
	bool alone = code_of(fdc) == FDC_READ_DELETED && !is_skipped(fdc), more = false;

	fdc->sectors++;
	if (!alone || fdc->terminal)
		more = is_more(fdc);
	if (alone || fdc->terminal || is_verified(fdc, more))
		finish(fdc,
		       code_of(fdc) == FDC_READ_TRACK && fdc->status[1] ? FDC_ST0_ABNORMAL : 0);
	else if (more)
		find(fdc);
	else if (code_of(fdc) == FDC_FORMAT)
		finish(fdc, 0);
	else
		fail(fdc, FDC_ST1_EN, 0);
}

/* FORMAT TRACK: the host has sent an ID. What an image cannot hold is not there to be found afterwards. */
static void format_sector(struct i82077 *fdc)
{
	const uint8_t *id = fdc->sector;
	struct mw_floppy_track track;

	if (!find_track(fdc, &track)) {
		lose(fdc, FDC_ST1_MA, 0);
	} else if (id[0] != track.cylinder || id[1] != head_of(fdc) || !id[2] ||
		   id[2] > track.sectors || id[3] != MW_FLOPPY_SECTOR_CODE) {
		mw_guest_log(fdc,
			     "sector %u/%u/%u cannot be formatted: the image has no room for it",
			     id[0], id[1], id[2]);
		lose(fdc, FDC_ST1_ND, 0);
	} else {
		store_sector(fdc);
	}
}

/* The host has had or given all of it, or TC has come; then the rest is zeros. */
static void host_done(struct i82077 *fdc)
{
	memset(fdc->sector + fdc->position, 0, (size_t)MW_FLOPPY_SECTOR_BYTES - fdc->position);
	fdc->data_irq = false;
	fdc->stage = FDC_NO_STAGE;
	fdc_update(fdc);
	if (!is_write(fdc))
		next(fdc);
	else if (code_of(fdc) == FDC_FORMAT)
		format_sector(fdc);
	else
		store_sector(fdc);
}

static void sector_done(struct i82077 *fdc)
{
	if (is_write(fdc) || code_of(fdc) == FDC_VERIFY || is_skipped(fdc))
		next(fdc);
	else
		ask_host(fdc);
}

void fdc_on_done(void *self, const void *drive, bool good)
{
	struct i82077 *fdc = self;

	if (fdc->stage != FDC_IMAGE || fdc->drives[unit_of(fdc)] != drive)
		return;
	if (good) {
		take_sector(fdc);
		sector_done(fdc);
	} else {
		fail(fdc, FDC_ST1_DE, FDC_ST2_DD);
	}
}

void fdc_on_work(void *self)
{
	struct i82077 *fdc = self;

	switch (fdc->stage) {
	case FDC_FIND: find(fdc); break;
	case FDC_READY: sector_done(fdc); break;
	case FDC_STORE: store_sector(fdc); break;
	case FDC_LOST: finish(fdc, FDC_ST0_ABNORMAL); break;
	default: break;
	}
}

void fdc_transfer(struct i82077 *fdc)
{
	fdc->phase = FDC_EXECUTION;
	memset(fdc->status, 0, sizeof(fdc->status));
	fdc->sectors = 0;
	fdc->terminal = false;
	if (code_of(fdc) == FDC_FORMAT)
		fdc->sc_eot = fdc->bytes[FDC_FORMAT_SC];
	else if (code_of(fdc) == FDC_READ_ID)
		memset(fdc->bytes + FDC_C, 0, FDC_ID_BYTES);
	else
		fdc->sc_eot = fdc->bytes[FDC_EOT];
	go_on(fdc, FDC_FIND, ACCESS_NS);
}

/* Bytes to and from the host */

bool fdc_wants_host(const struct i82077 *fdc)
{
	return fdc->phase == FDC_EXECUTION && fdc->stage == FDC_HOST;
}

bool fdc_to_host(const struct i82077 *fdc)
{
	return !is_write(fdc);
}

/* Section 3.2, "FIFO": without it there is an interrupt for each byte, with it one for each time it is as
 * full or as empty as CONFIGURE says. */
static void byte_passed(struct i82077 *fdc)
{
	unsigned burst = fdc->config & FDC_EFIFO ? 1 : 16u - (fdc->config & FDC_FIFOTHR);

	fdc->position++;
	if (fdc->position >= host_bytes(fdc)) {
		host_done(fdc);
		return;
	}
	fdc->data_irq = fdc->position % burst == 0;
	fdc_strobe(fdc);
}

uint8_t fdc_read_data(struct i82077 *fdc)
{
	uint8_t value = fdc->sector[fdc->position];

	byte_passed(fdc);
	return value;
}

void fdc_write_data(struct i82077 *fdc, uint8_t value)
{
	fdc->sector[fdc->position] = value;
	byte_passed(fdc);
}

/* A channel that goes the other way takes its cycles all the same, with nothing on the bus. */
size_t fdc_on_transfer(void *self, uint8_t *bytes, size_t count, bool to_memory, bool terminal)
{
	struct i82077 *fdc = self;

	if (!fdc_wants_host(fdc) || (fdc->specify[1] & FDC_ND))
		return 0;
	size_t left = host_bytes(fdc) - fdc->position, moved = count < left ? count : left;
	uint8_t *sector = fdc->sector + fdc->position;

	if (to_memory && fdc_to_host(fdc))
		memcpy(bytes, sector, moved);
	else if (to_memory)
		memset(bytes, 0xff, moved);
	if (!fdc_to_host(fdc)) {
		if (to_memory)
			memset(sector, 0xff, moved);
		else
			memcpy(sector, bytes, moved);
	}
	fdc->position = (uint16_t)(fdc->position + moved);
	fdc->terminal = terminal && moved == count;
	if (fdc->terminal || moved == left)
		host_done(fdc);
	return moved;
}
