/* Floppy disk controller: registers, interrupts and state. Reference: Intel 82077AA data sheet
 * (290166), whose sections and tables these are. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/storage/i82077_internal.h"

/* Section 2.1: registers, from 0x3f0 */
enum { SRA, SRB, DOR, TDR, MSR, FIFO, REGS_SIZE };
enum { AT, PS2 }; /* `interface`: the IDENT pin */
enum {
	SRA_INT = 0x80,
	SRA_NO_DRIVE2 = 0x40,
	SRA_NO_TRACK0 = 0x10,
	SRA_HEAD = 0x08,
	SRA_NO_INDEX = 0x04,
	SRA_NO_PROTECT = 0x02,
	SRA_INWARDS = 0x01
};
enum { SRB_ONES = 0xc0, SRB_DRIVE = 0x20, SRB_MOTORS = 0x03 };
enum { DOR_SELECT = 0x03, DOR_RUN = 0x04, DOR_GATE = 0x08, DOR_MOTORS = 4 };
enum { TDR_KEPT = 0x03, TDR_FLOATS = 0xfc };
enum { MSR_RQM = 0x80, MSR_DIO = 0x40, MSR_NON_DMA = 0x20, MSR_BUSY = 0x10, MSR_DRIVES = 0x0f };
enum { DSR_RESET = 0x80, DSR_KEPT = 0x7f, RATE_MASK = 0x03 };
enum { DIR_CHANGE = 0x80, DIR_FLOATS = 0x7f, DIR_ONES = 0x78, DIR_LOW_DENSITY = 0x01 };
enum { RATE_500K, RATE_300K, RATE_250K, RATE_1M };
enum { ALL_DRIVES = 0x0f };
#define POLL_NS UINT64_C(100000)

static bool is_gate_open(const struct i82077 *fdc)
{
	return fdc->interface == PS2 || (fdc->dor & DOR_GATE);
}

static bool wants_interrupt(const struct i82077 *fdc)
{
	return fdc->result_irq || fdc->poll_irq || fdc->data_irq || fdc->ended;
}

void fdc_update(struct i82077 *fdc)
{
	bool gate = is_gate_open(fdc);

	mw_dma_dreq(fdc->dma, gate && fdc_wants_host(fdc) && !(fdc->specify[1] & FDC_ND));
	mw_line_set(fdc->irq, gate && wants_interrupt(fdc));
}

void fdc_strobe(struct i82077 *fdc)
{
	mw_line_set(fdc->irq, false);
	fdc_update(fdc);
}

/* Drives */

struct mw_floppy_lines fdc_look(const struct i82077 *fdc, unsigned unit)
{
	struct mw_floppy_lines lines = { 0 };

	if (fdc->ops[unit])
		fdc->ops[unit]->look(fdc->drives[unit], &lines);
	return lines;
}

void fdc_step_drive(struct i82077 *fdc, unsigned unit, bool inwards)
{
	if (fdc->ops[unit])
		fdc->ops[unit]->step(fdc->drives[unit], inwards);
}

static void set_motors(struct i82077 *fdc, uint8_t changed)
{
	for (unsigned unit = 0; unit < MW_FLOPPY_UNITS; unit++) {
		unsigned bit = 1u << (DOR_MOTORS + unit);

		if ((changed & bit) && fdc->ops[unit])
			fdc->ops[unit]->motor(fdc->drives[unit], fdc->dor & bit);
	}
}

/* Reset: section 2.1.3 and 4 */

static void abort_all(struct i82077 *fdc)
{
	fdc->phase = FDC_IDLE;
	fdc->stage = FDC_NO_STAGE;
	fdc->seeking = fdc->recalibrating = fdc->ended = fdc->polled = 0;
	fdc->result_irq = fdc->poll_irq = fdc->data_irq = false;
	mw_timer_cancel(fdc->poll);
	mw_timer_cancel(fdc->step);
	mw_timer_cancel(fdc->work);
}

/* What LOCK protects, and what a reset by DOR or DSR leaves: SPECIFY's and the perpendicular drives. */
static void reset(struct i82077 *fdc)
{
	abort_all(fdc);
	memset(fdc->pcn, 0, sizeof(fdc->pcn));
	fdc->perpendicular &= FDC_PERPENDICULAR_DRIVES;
	fdc->config &= FDC_EFIFO | FDC_FIFOTHR;
	if (!fdc->lock) {
		fdc->config = FDC_EFIFO;
		fdc->precompensation = 0;
	}
	fdc_update(fdc);
}

/* Out of reset it polls the drives, and finds each one's line ready changed. */
static void start_polling(struct i82077 *fdc)
{
	fdc->polled = ALL_DRIVES;
	mw_timer_arm(fdc->poll, mw_now_ns(fdc) + POLL_NS);
}

static void on_poll(void *self)
{
	struct i82077 *fdc = self;

	fdc->poll_irq = true;
	fdc_update(fdc);
}

/* Registers */

static bool is_in_reset(const struct i82077 *fdc)
{
	return !(fdc->dor & DOR_RUN);
}

static uint64_t read_sra(void *self)
{
	const struct i82077 *fdc = self;
	unsigned unit = fdc->dor & DOR_SELECT;
	struct mw_floppy_lines lines = fdc_look(fdc, unit);

	if (fdc->interface == AT)
		return UINT8_MAX;
	return (wants_interrupt(fdc) ? SRA_INT : 0u) | (fdc->ops[1] ? 0u : SRA_NO_DRIVE2) |
	       (lines.track0 ? 0u : SRA_NO_TRACK0) |
	       (fdc->phase == FDC_EXECUTION && (fdc->bytes[1] & FDC_HDS) ? SRA_HEAD : 0u) |
	       SRA_NO_INDEX | (lines.write_protected ? 0u : SRA_NO_PROTECT) |
	       (fdc->inwards >> unit & 1 ? SRA_INWARDS : 0u);
}

static uint64_t read_srb(void *self)
{
	const struct i82077 *fdc = self;

	if (fdc->interface == AT)
		return UINT8_MAX;
	return SRB_ONES | (fdc->dor & 1 ? SRB_DRIVE : 0u) | (fdc->dor >> DOR_MOTORS & SRB_MOTORS);
}

static uint64_t read_dor(void *self)
{
	return ((struct i82077 *)self)->dor;
}

static void write_dor(void *self, uint64_t value)
{
	struct i82077 *fdc = self;
	uint8_t changed = (uint8_t)(fdc->dor ^ value);

	fdc->dor = (uint8_t)value;
	set_motors(fdc, changed);
	if ((changed & DOR_RUN) && is_in_reset(fdc))
		reset(fdc);
	else if (changed & DOR_RUN)
		start_polling(fdc);
	fdc_update(fdc);
}

static uint64_t read_tdr(void *self)
{
	return ((struct i82077 *)self)->tdr | TDR_FLOATS;
}

static void write_tdr(void *self, uint64_t value)
{
	((struct i82077 *)self)->tdr = value & TDR_KEPT;
}

static uint64_t read_msr(void *self)
{
	const struct i82077 *fdc = self;
	bool non_dma = fdc->specify[1] & FDC_ND;
	unsigned status = fdc->seeking & MSR_DRIVES;

	if (is_in_reset(fdc))
		return 0;
	switch (fdc->phase) {
	case FDC_IDLE: return status | MSR_RQM;
	case FDC_COMMAND: return status | MSR_RQM | MSR_BUSY;
	case FDC_RESULT: return status | MSR_RQM | MSR_DIO | MSR_BUSY;
	default: break;
	}
	if (non_dma)
		status |= MSR_NON_DMA | (fdc_wants_host(fdc) ? MSR_RQM : 0u) |
			  (fdc_to_host(fdc) ? MSR_DIO : 0u);
	return status | MSR_BUSY;
}

static void write_dsr(void *self, uint64_t value)
{
	struct i82077 *fdc = self;

	fdc->dsr = value & DSR_KEPT;
	fdc->rate = value & RATE_MASK;
	if (!(value & DSR_RESET) || is_in_reset(fdc))
		return;
	reset(fdc);
	start_polling(fdc);
}

static uint8_t read_result(struct i82077 *fdc)
{
	uint8_t value = fdc->bytes[fdc->at++];

	if (fdc->at == fdc->count)
		fdc->phase = FDC_IDLE;
	fdc->result_irq = false;
	fdc_update(fdc);
	return value;
}

/* Who reads or writes out of turn has the bus as it is, which nobody drives. */
static uint64_t read_fifo(void *self)
{
	struct i82077 *fdc = self;

	if (fdc->phase == FDC_RESULT)
		return read_result(fdc);
	if (fdc_wants_host(fdc) && fdc_to_host(fdc) && (fdc->specify[1] & FDC_ND))
		return fdc_read_data(fdc);
	return UINT8_MAX;
}

static void write_fifo(void *self, uint64_t value)
{
	struct i82077 *fdc = self;

	if (is_in_reset(fdc))
		return;
	if (fdc->phase == FDC_IDLE || fdc->phase == FDC_COMMAND)
		fdc_take_byte(fdc, (uint8_t)value);
	else if (fdc_wants_host(fdc) && !fdc_to_host(fdc) && (fdc->specify[1] & FDC_ND))
		fdc_write_data(fdc, (uint8_t)value);
}

/* A drive is selected while its motor is on. On a PC/AT the hard disk had the other seven bits. */
static uint64_t read_dir(void *self)
{
	const struct i82077 *fdc = self;
	unsigned unit = fdc->dor & DOR_SELECT;
	bool selected = fdc->dor >> (DOR_MOTORS + unit) & 1;
	unsigned change = selected && fdc_look(fdc, unit).disk_change ? DIR_CHANGE : 0;
	bool low = fdc->rate == RATE_300K || fdc->rate == RATE_250K;

	if (fdc->interface == AT)
		return change | DIR_FLOATS;
	return change | DIR_ONES | (unsigned)fdc->rate << 1 | (low ? DIR_LOW_DENSITY : 0u);
}

static void write_ccr(void *self, uint64_t value)
{
	((struct i82077 *)self)->rate = value & RATE_MASK;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	static const char *const addresses[MW_FLOPPY_UNITS] = { "0.0", "0.1", "1.0", "1.1" };
	struct i82077 *fdc = self;

	for (unsigned unit = 0; unit < MW_FLOPPY_UNITS; unit++) {
		const void *ops;

		fdc->drives[unit] = mw_bus_child(fdc, addresses[unit], &ops);
		fdc->ops[unit] = ops;
	}
	return true;
}

static void after_reset(void *self)
{
	fdc_update(self);
}

/* No count leads out of its array. */
static void sanitise(struct i82077 *fdc)
{
	bool format = (fdc->bytes[FDC_CODE] & FDC_CODE_MASK) == FDC_FORMAT;
	unsigned most = format ? FDC_ID_BYTES : MW_FLOPPY_SECTOR_BYTES;

	fdc->rate &= RATE_MASK;
	fdc->tdr &= TDR_KEPT;
	fdc->seeking &= ALL_DRIVES;
	fdc->recalibrating &= fdc->seeking;
	fdc->ended &= ALL_DRIVES;
	fdc->polled &= ALL_DRIVES;
	if (fdc->position > MW_FLOPPY_SECTOR_BYTES ||
	    (fdc->stage == FDC_HOST && fdc->position >= most))
		fdc->position = 0;
	if (fdc->phase > FDC_RESULT || fdc->count > FDC_BYTES ||
	    (fdc->phase == FDC_RESULT && fdc->at >= fdc->count) ||
	    (fdc->phase == FDC_COMMAND && fdc_is_command_whole(fdc)))
		fdc->phase = FDC_IDLE;
	if (fdc->phase != FDC_EXECUTION)
		fdc->stage = FDC_NO_STAGE;
}

/* A drive that was at work is told again. */
static void after_load(void *self)
{
	struct i82077 *fdc = self;

	sanitise(fdc);
	if (fdc->stage == FDC_IMAGE) {
		fdc->stage = fdc_to_host(fdc) ? FDC_FIND : FDC_STORE;
		mw_timer_arm(fdc->work, mw_now_ns(fdc));
	}
	fdc_update(fdc);
}

static const struct mw_floppy_controller cable = { .done = fdc_on_done };

static const char *const interfaces[] = { "at", "ps2", NULL };
static const struct mw_property properties[] = {
	{ "interface", "Registers as on a PC/AT or on a PS/2.", MW_FIELD(struct i82077, interface),
	  .fallback = AT, .members = interfaces },
};
static const struct mw_wire wires[] = {
	{ "irq", "INT: the end of a command or a seek; IRQ 6 on a PC.",
	  MW_FIELD(struct i82077, irq) },
	{ "dma", "DRQ and DACK: a sector's bytes; channel 2 on a PC.", MW_FIELD(struct i82077, dma),
	  .channel = true, .on_transfer = fdc_on_transfer },
};
static const struct mw_register regs[] = {
	{ "SRA", SRA, .get = read_sra },
	{ "SRB", SRB, .get = read_srb },
	{ "DOR", DOR, .get = read_dor, .set = write_dor },
	{ "TDR", TDR, .get = read_tdr, .set = write_tdr },
	{ "MSR", MSR, .get = read_msr, .set = write_dsr }, /* written: DSR */
	{ "FIFO", FIFO, .get = read_fifo, .set = write_fifo },
};
static const struct mw_register dir[] = {
	{ "DIR", 0, .get = read_dir, .set = write_ccr }, /* written: CCR */
};
static const struct mw_region regions[] = {
	{ "regs", MW_SPACE_PORT, REGS_SIZE, MW_ACCESS(1, 1), .registers = MW_TABLE(regs) },
	{ "dir", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(dir) },
};
static const struct mw_timer_row timers[] = {
	{ "poll", "Polling after a reset is over.", MW_FIELD(struct i82077, poll),
	  .on_expire = on_poll },
	{ "step", "The next step of seeks.", MW_FIELD(struct i82077, step),
	  .on_expire = fdc_on_step },
	{ "work", "The sector is under the head.", MW_FIELD(struct i82077, work),
	  .on_expire = fdc_on_work },
};
static const struct mw_state state[] = {
	{ "dor", MW_FIELD(struct i82077, dor), .since = 1 },
	{ "tdr", MW_FIELD(struct i82077, tdr), .since = 1 },
	{ "dsr", MW_FIELD(struct i82077, dsr), .reset = RATE_250K, .since = 1 },
	{ "rate", MW_FIELD(struct i82077, rate), .reset = RATE_250K, .since = 1 },
	{ "specify", MW_ARRAY(struct i82077, specify), .since = 1 },
	{ "config", MW_FIELD(struct i82077, config), .reset = FDC_EFIFO, .since = 1 },
	{ "precompensation", MW_FIELD(struct i82077, precompensation), .since = 1 },
	{ "perpendicular", MW_FIELD(struct i82077, perpendicular), .since = 1 },
	{ "sc_eot", MW_FIELD(struct i82077, sc_eot), .since = 1 },
	{ "lock", MW_FIELD(struct i82077, lock), .since = 1 },
	{ "pcn", MW_ARRAY(struct i82077, pcn), .since = 1 },
	{ "phase", MW_FIELD(struct i82077, phase), .since = 1 },
	{ "bytes", MW_ARRAY(struct i82077, bytes), .since = 1 },
	{ "count", MW_FIELD(struct i82077, count), .since = 1 },
	{ "at", MW_FIELD(struct i82077, at), .since = 1 },
	{ "result_irq", MW_FIELD(struct i82077, result_irq), .since = 1 },
	{ "poll_irq", MW_FIELD(struct i82077, poll_irq), .since = 1 },
	{ "data_irq", MW_FIELD(struct i82077, data_irq), .since = 1 },
	{ "polled", MW_FIELD(struct i82077, polled), .since = 1 },
	{ "ended", MW_FIELD(struct i82077, ended), .since = 1 },
	{ "ended_st0", MW_ARRAY(struct i82077, ended_st0), .since = 1 },
	{ "seeking", MW_FIELD(struct i82077, seeking), .since = 1 },
	{ "inwards", MW_FIELD(struct i82077, inwards), .since = 1 },
	{ "recalibrating", MW_FIELD(struct i82077, recalibrating), .since = 1 },
	{ "steps", MW_ARRAY(struct i82077, steps), .since = 1 },
	{ "stage", MW_FIELD(struct i82077, stage), .since = 1 },
	{ "status", MW_ARRAY(struct i82077, status), .since = 1 },
	{ "sectors", MW_FIELD(struct i82077, sectors), .since = 1 },
	{ "terminal", MW_FIELD(struct i82077, terminal), .since = 1 },
	{ "position", MW_FIELD(struct i82077, position), .since = 1 },
	{ "sector", MW_ARRAY(struct i82077, sector), .since = 1 },
};
static const char *const buses[] = { "isa", "lpc", "sys", NULL };

const struct mw_device_type i82077_type = {
	MW_DEVICE_TYPE,
	.name = "i82077",
	.summary = "82077AA floppy disk controller for up to four drives",
	.size = sizeof(struct i82077),
	.state_version = 1,
	.buses = buses,
	.provides = "floppy",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0700" },
	.private_bus = true,
	.bus_interface = &cable,
};
