/* The floppy disk controller's commands without data. Reference: Intel 82077AA data sheet (290166), section 5.2, whose
 * tables these are. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/storage/i82077_internal.h"

/* Section 5.2 */
enum { VERSION_ENHANCED = 0x90, RECALIBRATE_STEPS = 79, ST3_ONES = 0x28 };
enum { ST3_PROTECTED = 0x40, ST3_TRACK0 = 0x10 };
enum { RELATIVE_INWARDS = 0x40, LOCK_ON = 0x80, LOCK_TOLD = 0x10 };
enum { PERPENDICULAR_WRITE = 0x80, PERPENDICULAR_MODE = 0x03 };

/* Seeks: sections 5.2.1 to 5.2.3 */

static void begin_seek(struct i82077 *fdc, bool inwards, uint8_t steps)
{
	unsigned unit = fdc->bytes[1] & FDC_DS;
	uint8_t bit = (uint8_t)(1u << unit);

	if (!fdc->seeking)
		mw_timer_arm(fdc->step, mw_now_ns(fdc) + FDC_STEP_NS);
	fdc->seeking |= bit;
	fdc->recalibrating &= (uint8_t)~bit;
	fdc->inwards = inwards ? fdc->inwards | bit : fdc->inwards & (uint8_t)~bit;
	fdc->steps[unit] = steps;
	fdc->phase = FDC_IDLE;
}

static void recalibrate(struct i82077 *fdc)
{
	begin_seek(fdc, false, RECALIBRATE_STEPS);
	fdc->recalibrating |= (uint8_t)(1u << (fdc->bytes[1] & FDC_DS));
}

static void seek(struct i82077 *fdc)
{
	uint8_t from = fdc->pcn[fdc->bytes[1] & FDC_DS], to = fdc->bytes[2];

	begin_seek(fdc, to > from, (uint8_t)(to > from ? to - from : from - to));
}

static void relative_seek(struct i82077 *fdc)
{
	begin_seek(fdc, fdc->bytes[0] & RELATIVE_INWARDS, fdc->bytes[2]);
}

static void end_seek(struct i82077 *fdc, unsigned unit, uint8_t st0)
{
	uint8_t bit = (uint8_t)(1u << unit);

	fdc->seeking &= (uint8_t)~bit;
	fdc->recalibrating &= (uint8_t)~bit;
	fdc->ended |= bit;
	fdc->ended_st0[unit] = (uint8_t)(FDC_ST0_SE | st0 | unit);
	fdc_update(fdc);
}

static void step_recalibration(struct i82077 *fdc, unsigned unit)
{
	if (fdc_look(fdc, unit).track0) {
		fdc->pcn[unit] = 0;
		end_seek(fdc, unit, 0);
	} else if (!fdc->steps[unit]) {
		fdc->pcn[unit] = 0;
		end_seek(fdc, unit, FDC_ST0_ABNORMAL | FDC_ST0_EC);
	} else {
		fdc->steps[unit]--;
		fdc_step_drive(fdc, unit, false);
	}
}

static void step_seek(struct i82077 *fdc, unsigned unit)
{
	bool inwards = fdc->inwards >> unit & 1;

	if (!fdc->steps[unit]) {
		end_seek(fdc, unit, 0);
	} else if (!inwards && !fdc->pcn[unit]) { /* RELATIVE SEEK only */
		end_seek(fdc, unit, FDC_ST0_ABNORMAL | FDC_ST0_EC);
	} else {
		fdc->steps[unit]--;
		fdc->pcn[unit] = (uint8_t)(inwards ? fdc->pcn[unit] + 1 : fdc->pcn[unit] - 1);
		fdc_step_drive(fdc, unit, inwards);
	}
}

void fdc_on_step(void *self)
{
	struct i82077 *fdc = self;

	for (unsigned unit = 0; unit < MW_FLOPPY_UNITS; unit++) {
		if (fdc->recalibrating >> unit & 1)
			step_recalibration(fdc, unit);
		else if (fdc->seeking >> unit & 1)
			step_seek(fdc, unit);
	}
	if (fdc->seeking)
		mw_timer_arm(fdc->step, mw_now_ns(fdc) + FDC_STEP_NS);
}

/* Other commands */

static void tell(struct i82077 *fdc, uint8_t count)
{
	fdc->phase = FDC_RESULT;
	fdc->count = count;
	fdc->at = 0;
}

static void invalid(struct i82077 *fdc)
{
	fdc->bytes[0] = FDC_ST0_INVALID;
	tell(fdc, 1);
}

static unsigned lowest(uint8_t mask)
{
	unsigned unit = 0;

	while (!(mask >> unit & 1))
		unit++;
	return unit;
}

/* Section 5.2.4 and table 5-9: seeks that have ended, then the four drives that a reset has polled. */
static void sense_interrupt(struct i82077 *fdc)
{
	uint8_t *pending = fdc->ended ? &fdc->ended : &fdc->polled;
	unsigned unit;

	if (!*pending) {
		invalid(fdc);
		return;
	}
	unit = lowest(*pending);
	fdc->bytes[0] = fdc->ended ? fdc->ended_st0[unit] : (uint8_t)(FDC_ST0_POLLING | unit);
	fdc->bytes[1] = fdc->pcn[unit];
	*pending &= (uint8_t) ~(1u << unit);
	fdc->poll_irq = false;
	mw_timer_cancel(fdc->poll);
	tell(fdc, 2);
	fdc_strobe(fdc);
}

/* Section 6.4 */
static void sense_drive(struct i82077 *fdc)
{
	uint8_t unit = fdc->bytes[1] & (FDC_HDS | FDC_DS);
	struct mw_floppy_lines lines = fdc_look(fdc, unit & FDC_DS);

	fdc->bytes[0] = ST3_ONES | unit | (lines.write_protected ? ST3_PROTECTED : 0u) |
			(lines.track0 ? ST3_TRACK0 : 0u);
	tell(fdc, 1);
}

static void specify(struct i82077 *fdc)
{
	memcpy(fdc->specify, fdc->bytes + 1, sizeof(fdc->specify));
	fdc->phase = FDC_IDLE;
}

static void configure(struct i82077 *fdc)
{
	fdc->config = fdc->bytes[2] & (FDC_EIS | FDC_EFIFO | FDC_POLL | FDC_FIFOTHR);
	fdc->precompensation = fdc->bytes[3];
	fdc->phase = FDC_IDLE;
}

static void version(struct i82077 *fdc)
{
	fdc->bytes[0] = VERSION_ENHANCED;
	tell(fdc, 1);
}

static void dump_registers(struct i82077 *fdc)
{
	uint8_t *bytes = fdc->bytes;

	memcpy(bytes, fdc->pcn, sizeof(fdc->pcn));
	memcpy(bytes + 4, fdc->specify, sizeof(fdc->specify));
	bytes[6] = fdc->sc_eot;
	bytes[7] = fdc->perpendicular | (fdc->lock ? LOCK_ON : 0u);
	bytes[8] = fdc->config;
	bytes[9] = fdc->precompensation;
	tell(fdc, 10);
}

/* Section 5.2.10: which drives are perpendicular is only changed with OW. */
static void perpendicular(struct i82077 *fdc)
{
	uint8_t value = fdc->bytes[1], kept = PERPENDICULAR_MODE;

	if (value & PERPENDICULAR_WRITE)
		kept |= FDC_PERPENDICULAR_DRIVES;
	fdc->perpendicular = (uint8_t)((fdc->perpendicular & ~kept) | (value & kept));
	fdc->phase = FDC_IDLE;
}

static void lock(struct i82077 *fdc)
{
	fdc->lock = fdc->bytes[0] & LOCK_ON;
	fdc->bytes[0] = fdc->lock ? LOCK_TOLD : 0;
	tell(fdc, 1);
}

/* Table 5-1: the command set. What is not in it is invalid, SCAN and what later chips have, too. */
static const struct command {
	uint8_t mask, code, parameters;
	void (*run)(struct i82077 *fdc);
} commands[] = {
	{ 0x1f, FDC_READ, 8, fdc_transfer },
	{ 0x1f, FDC_READ_DELETED, 8, fdc_transfer },
	{ 0x3f, FDC_WRITE, 8, fdc_transfer },
	{ 0x3f, FDC_WRITE_DELETED, 8, fdc_transfer },
	{ 0xbf, FDC_READ_TRACK, 8, fdc_transfer },
	{ 0x1f, FDC_VERIFY, 8, fdc_transfer },
	{ 0xbf, FDC_FORMAT, 5, fdc_transfer },
	{ 0xbf, FDC_READ_ID, 1, fdc_transfer },
	{ 0xff, 0x03, 2, specify },
	{ 0xff, 0x04, 1, sense_drive },
	{ 0xff, 0x07, 1, recalibrate },
	{ 0xff, 0x08, 0, sense_interrupt },
	{ 0xff, 0x0e, 0, dump_registers },
	{ 0xff, 0x0f, 2, seek },
	{ 0xff, 0x10, 0, version },
	{ 0xff, 0x12, 1, perpendicular },
	{ 0xff, 0x13, 3, configure },
	{ 0x7f, 0x14, 0, lock },
	{ 0xbf, 0x8f, 2, relative_seek },
	{ 0x00, 0x00, 0, invalid },
};

static const struct command *command_of(uint8_t code)
{
	const struct command *command = commands;

	while ((code & command->mask) != command->code)
		command++;
	return command;
}

void fdc_take_byte(struct i82077 *fdc, uint8_t value)
{
	const struct command *command;

	if (fdc->phase == FDC_IDLE)
		fdc->count = 0;
	fdc->phase = FDC_COMMAND;
	fdc->bytes[fdc->count++] = value;
	command = command_of(fdc->bytes[0]);
	if (fdc->count > command->parameters)
		command->run(fdc);
}

bool fdc_is_command_whole(const struct i82077 *fdc)
{
	return fdc->count > command_of(fdc->bytes[0])->parameters;
}
