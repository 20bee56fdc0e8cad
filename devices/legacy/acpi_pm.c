/* ACPI fixed hardware: PM1 event and control registers and the PM timer, laid out as in PIIX4 and ICH.
 * Reference: ACPI 6.5, section 4.8. */
// SPDX-License-Identifier: MIT
#include "core/diagnostics.h"
#include "devices/legacy/pm1.h"

/* There is no firmware to share the machine with, so it is in ACPI mode from the start and nobody hears
 * GBL_RLS. */
enum { CONTROLS = MW_PM1_BM_RLD | MW_PM1_SLP_TYP };
enum {
	ENABLES = MW_PM1_TIMER | MW_PM1_GLOBAL | MW_PM1_POWER_BUTTON | MW_PM1_SLEEP_BUTTON |
		  MW_PM1_RTC
};

struct acpi_pm {
	struct mw_line *sci;
	struct mw_pm1 pm1;
};

static void drive_sci(void *self, bool level)
{
	struct acpi_pm *pm = self;

	mw_line_set(pm->sci, level);
}

static void on_toggle(void *self)
{
	struct acpi_pm *pm = self;

	mw_pm1_update(&pm->pm1);
}

static void on_power_button(void *self, unsigned index, bool level)
{
	struct acpi_pm *pm = self;

	mw_pm1_event(&pm->pm1, &pm->pm1.power_button, level, MW_PM1_POWER_BUTTON);
}

static void on_sleep_button(void *self, unsigned index, bool level)
{
	struct acpi_pm *pm = self;

	mw_pm1_event(&pm->pm1, &pm->pm1.sleep_button, level, MW_PM1_SLEEP_BUTTON);
}

static void on_rtc_alarm(void *self, unsigned index, bool level)
{
	struct acpi_pm *pm = self;

	mw_pm1_event(&pm->pm1, &pm->pm1.rtc_alarm, level, MW_PM1_RTC);
}

static enum mw_io read_block(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct acpi_pm *pm = self;

	return mw_pm1_read(&pm->pm1, offset, size, value);
}

static enum mw_io write_block(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct acpi_pm *pm = self;

	return mw_pm1_write(&pm->pm1, offset, size, value);
}

static const struct mw_pm1_type pm1_type = {
	.enables = ENABLES, .controls = CONTROLS, .always = MW_PM1_SCI_EN, .drive = drive_sci
};

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct acpi_pm *pm = self;

	mw_pm1_init(&pm->pm1, pm, &pm1_type);
	if (pm->pm1.timer_bits == 24 || pm->pm1.timer_bits == 32)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "%s: a PM timer has 24 or 32 bits, not %u", mw_device_id(self),
			   (unsigned)pm->pm1.timer_bits);
	return false;
}

static void after_load(void *self)
{
	struct acpi_pm *pm = self;

	mw_pm1_loaded(&pm->pm1);
	drive_sci(pm, mw_pm1_pending(&pm->pm1));
}

static const struct mw_property properties[] = {
	{ "timer_bits", "Width of the PM timer: 24 or 32.",
	  MW_FIELD(struct acpi_pm, pm1.timer_bits), .fallback = 32, .min = 24, .max = 32 },
};
static const struct mw_wire wires[] = {
	{ "sci", "System control interrupt: high while an enabled event waits.",
	  MW_FIELD(struct acpi_pm, sci) },
	{ "power", "Power-off requests.", MW_FIELD(struct acpi_pm, pm1.power) },
	{ "power_button", "Pressed while high.", MW_SINK(1), .optional = true,
	  .on_level = on_power_button },
	{ "sleep_button", "Pressed while high.", MW_SINK(1), .optional = true,
	  .on_level = on_sleep_button },
	{ "rtc_alarm", "Alarm of the clock chip; its rising edge is the event.", MW_SINK(1),
	  .optional = true, .on_level = on_rtc_alarm },
};
static const struct mw_timer_row timers[] = {
	{ "toggle", "The PM timer's top bit changes.", MW_FIELD(struct acpi_pm, pm1.toggle),
	  .on_expire = on_toggle },
};
static const struct mw_region regions[] = {
	{ "pm", MW_SPACE_PORT, MW_PM1_SIZE, MW_ACCESS(1, 4), .read = read_block,
	  .write = write_block, .align = 16 },
};
static const struct mw_state state[] = {
	MW_PM1_STATE(struct acpi_pm, MW_PM1_SCI_EN),
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_PM1, "pm", MW_PM1_STS, 4 },
	{ MW_ROLE_PM1_CONTROL, "pm", MW_PM1_CNT, 2, MW_PM1_SOFT_OFF },
	{ MW_ROLE_PM_TIMER, "pm", MW_PM1_TMR, 4 },
	{ MW_ROLE_TIMER, "pm", MW_PM1_TMR, 4 },
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
