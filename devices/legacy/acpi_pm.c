/* ACPI fixed hardware: PM1 event and control registers and the PM timer, laid out as in PIIX4 and ICH.
 * Reference: ACPI 6.5, section 4.8. */
// SPDX-License-Identifier: MIT
#include "core/device.h"
#include "core/diagnostics.h"

enum { PM1_STS = 0x0, PM1_EN = 0x2, PM1_CNT = 0x4, PM_TMR = 0x8, BLOCK_SIZE = 0xc };
/* Tables 4.13 and 4.14. */
enum {
	TMR = 0x0001,
	BM = 0x0010,
	GBL = 0x0020,
	PWRBTN = 0x0100,
	SLPBTN = 0x0200,
	RTC = 0x0400,
	WAK = 0x8000,
	ENABLES = TMR | GBL | PWRBTN | SLPBTN | RTC,
	STATUSES = ENABLES | BM | WAK
};
/* Table 4.15. There is no firmware to share the machine with, so it is in ACPI mode from the start and
 * nobody hears GBL_RLS. */
enum { SCI_EN = 0x0001, BM_RLD = 0x0002, SLP_EN = 0x2000 };
enum { SLP_TYP_SHIFT = 10, SLP_TYP_MASK = 0x7, SLP_TYP = SLP_TYP_MASK << SLP_TYP_SHIFT };
enum { SOFT_OFF = 0 };
#define TIMER_HZ UINT64_C(3579545)
#define SECOND   UINT64_C(1000000000)

struct acpi_pm {
	/* Configuration and wiring. */
	uint32_t timer_bits;
	struct mw_line *sci;
	struct mw_power *power;
	struct mw_timer *toggle;
	/* Guest-visible state. */
	uint16_t status, enable, control;
	uint64_t seen; /* toggles of the timer's top bit when last looked at, plus one; 0: never */
	bool power_button, sleep_button, rtc_alarm; /* levels of the lines */
};

static uint64_t ticks(struct acpi_pm *pm)
{
	uint64_t now = mw_now_ns(pm);

	return now / SECOND * TIMER_HZ + now % SECOND * TIMER_HZ / SECOND;
}

/* The first moment at which the timer has made so many ticks. */
static uint64_t moment_of(uint64_t count)
{
	return count / TIMER_HZ * SECOND + (count % TIMER_HZ * SECOND + TIMER_HZ - 1) / TIMER_HZ;
}

/* 4.8.3.3: TMR_STS is set whenever the top bit changes. */
static void watch_timer(struct acpi_pm *pm)
{
	uint64_t seen = (ticks(pm) >> (pm->timer_bits - 1)) + 1;

	if (pm->seen && pm->seen != seen)
		pm->status |= TMR;
	pm->seen = seen;
}

static void drive_sci(struct acpi_pm *pm)
{
	mw_line_set(pm->sci, pm->status & pm->enable & ENABLES);
}

/* The timer is only watched while a toggle would interrupt; a reader of the status looks itself. */
static void update(struct acpi_pm *pm)
{
	watch_timer(pm);
	if ((pm->enable & TMR) && !(pm->status & TMR))
		mw_timer_arm(pm->toggle, moment_of(pm->seen << (pm->timer_bits - 1)));
	else
		mw_timer_cancel(pm->toggle);
	drive_sci(pm);
}

static void on_toggle(void *self)
{
	update(self);
}

static void on_event_line(struct acpi_pm *pm, bool *line, bool level, uint16_t status)
{
	if (level && !*line)
		pm->status |= status;
	*line = level;
	drive_sci(pm);
}

static void on_power_button(void *self, unsigned index, bool level)
{
	struct acpi_pm *pm = self;

	on_event_line(pm, &pm->power_button, level, PWRBTN);
}

static void on_sleep_button(void *self, unsigned index, bool level)
{
	struct acpi_pm *pm = self;

	on_event_line(pm, &pm->sleep_button, level, SLPBTN);
}

static void on_rtc_alarm(void *self, unsigned index, bool level)
{
	struct acpi_pm *pm = self;

	on_event_line(pm, &pm->rtc_alarm, level, RTC);
}

/* SLP_EN reads as zero and starts the transition to SLP_TYPx. */
static void write_control(struct acpi_pm *pm, uint16_t value)
{
	unsigned type = value >> SLP_TYP_SHIFT & SLP_TYP_MASK;

	pm->control = (value & (BM_RLD | SLP_TYP)) | SCI_EN;
	if (!(value & SLP_EN))
		return;
	if (type == SOFT_OFF)
		mw_power_request(pm->power, MW_POWER_OFF, 0);
	else
		mw_guest_log(pm, "sleep state %u is not offered by the tables", type);
}

static enum mw_io read_block(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct acpi_pm *pm = self;

	watch_timer(pm);
	uint64_t pm1 = pm->status | (uint64_t)pm->enable << 16 | (uint64_t)pm->control << 32;
	uint64_t timer = ticks(pm) & (UINT64_MAX >> (64 - pm->timer_bits));

	*value = (offset < PM_TMR ? pm1 >> (8 * offset) : timer >> (8 * (offset - PM_TMR))) &
		 (UINT64_MAX >> (64 - 8 * size));
	return MW_IO_OK;
}

/* One access may cover two registers, or half of one. Writing ones clears status bits; the line falls
 * in between, so that what is left gives a new edge where the profile has wired it edge-triggered. */
static enum mw_io write_block(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct acpi_pm *pm = self;

	if (offset >= PM_TMR)
		return MW_IO_NO_REGISTER;
	uint64_t mask = (UINT64_MAX >> (64 - 8 * size)) << (8 * offset);
	uint64_t bits = value << (8 * offset) & mask;

	watch_timer(pm);
	pm->status &= (uint16_t)~bits;
	pm->enable = (uint16_t)((pm->enable & ~(mask >> 16)) | bits >> 16) & ENABLES;
	if (mask >> 32 & UINT16_MAX)
		write_control(pm, (uint16_t)((pm->control & ~(mask >> 32)) | bits >> 32));
	if (mask & UINT16_MAX)
		mw_line_set(pm->sci, false);
	update(pm);
	return MW_IO_OK;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct acpi_pm *pm = self;

	if (pm->timer_bits == 24 || pm->timer_bits == 32)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "%s: a PM timer has 24 or 32 bits, not %u", mw_device_id(self),
			   (unsigned)pm->timer_bits);
	return false;
}

static void after_load(void *self)
{
	struct acpi_pm *pm = self;

	pm->status &= STATUSES;
	pm->enable &= ENABLES;
	pm->control = (pm->control & (BM_RLD | SLP_TYP)) | SCI_EN;
	drive_sci(pm);
}

static const struct mw_property properties[] = {
	{ "timer_bits", "Width of the PM timer: 24 or 32.", MW_FIELD(struct acpi_pm, timer_bits),
	  .fallback = 32, .min = 24, .max = 32 },
};
static const struct mw_wire wires[] = {
	{ "sci", "System control interrupt: high while an enabled event waits.",
	  MW_FIELD(struct acpi_pm, sci) },
	{ "power", "Power-off requests.", MW_FIELD(struct acpi_pm, power) },
	{ "power_button", "Pressed while high.", MW_SINK(1), .optional = true,
	  .on_level = on_power_button },
	{ "sleep_button", "Pressed while high.", MW_SINK(1), .optional = true,
	  .on_level = on_sleep_button },
	{ "rtc_alarm", "Alarm of the clock chip; its rising edge is the event.", MW_SINK(1),
	  .optional = true, .on_level = on_rtc_alarm },
};
static const struct mw_timer_row timers[] = {
	{ "toggle", "The PM timer's top bit changes.", MW_FIELD(struct acpi_pm, toggle),
	  .on_expire = on_toggle },
};
static const struct mw_region regions[] = {
	{ "pm", MW_SPACE_PORT, BLOCK_SIZE, MW_ACCESS(1, 4), .read = read_block,
	  .write = write_block, .align = 16 },
};
static const struct mw_state state[] = {
	{ "status", MW_FIELD(struct acpi_pm, status), .since = 1 },
	{ "enable", MW_FIELD(struct acpi_pm, enable), .since = 1 },
	{ "control", MW_FIELD(struct acpi_pm, control), .reset = SCI_EN, .since = 1 },
	{ "seen", MW_FIELD(struct acpi_pm, seen), .since = 1 },
	{ "power_button", MW_FIELD(struct acpi_pm, power_button), .since = 1 },
	{ "sleep_button", MW_FIELD(struct acpi_pm, sleep_button), .since = 1 },
	{ "rtc_alarm", MW_FIELD(struct acpi_pm, rtc_alarm), .since = 1 },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_PM1, "pm", PM1_STS, 4 },
	{ MW_ROLE_PM1_CONTROL, "pm", PM1_CNT, 2, SOFT_OFF },
	{ MW_ROLE_PM_TIMER, "pm", PM_TMR, 4 },
	{ MW_ROLE_TIMER, "pm", PM_TMR, 4 },
};
/* The FADT names the SCI; it is in nobody's _CRS. */
static const char *const described[] = { "sci", NULL };
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type acpi_pm_type = {
	MW_DEVICE_TYPE,
	.name = "acpi-pm",
	.summary = "ACPI fixed hardware: PM1 registers, PM timer, power button and SCI",
	.size = sizeof(struct acpi_pm),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_load = after_load },
	.firmware = { .roles = MW_TABLE(roles), .aml_claims = described },
};
