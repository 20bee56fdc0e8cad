/* Generic event device of a hardware-reduced machine, with its sleep and reset registers. Reference:
 * ACPI 6.5, sections 4.8.3.6-4.8.3.7 (registers) and 5.6.9 (interrupt-signalled events). */
// SPDX-License-Identifier: MIT
#include "core/device.h"
#include "core/plan.h"
#include "core/tables/aml.h"

enum { SLEEP_CONTROL = 0x0, SLEEP_STATUS = 0x1, RESET = 0x2, EVENT = 0x10, BANK_SIZE = 0x1000 };
enum { SLP_EN = 0x20, SLP_TYP_SHIFT = 2, SLP_TYP_MASK = 0x7, SOFT_OFF = 5 };
enum { WAKE_STATUS = 0x80 };
enum { RESET_VALUE = 0x01 };
enum { EVENT_POWER_BUTTON = 0x01 };

struct acpi_ged {
	struct mw_line *irq;
	struct mw_power *power;
	/* Guest-visible state. */
	uint8_t sleep_control, sleep_status;
	bool button; /* the level of its line */
	uint32_t events;
};

static void update_irq(struct acpi_ged *ged)
{
	mw_line_set(ged->irq, ged->events != 0);
}

static void on_power_button(void *self, unsigned index, bool level)
{
	struct acpi_ged *ged = self;

	if (level && !ged->button)
		ged->events |= EVENT_POWER_BUTTON;
	ged->button = level;
	update_irq(ged);
}

/* Table 4.30: SLP_EN reads as zero and starts the transition to SLP_TYPx. */
static void sleep_control_changed(void *self)
{
	struct acpi_ged *ged = self;
	unsigned type = ged->sleep_control >> SLP_TYP_SHIFT & SLP_TYP_MASK;
	bool go = ged->sleep_control & SLP_EN;

	ged->sleep_control &= (uint8_t)~SLP_EN;
	if (!go)
		return;
	if (type == SOFT_OFF)
		mw_power_request(ged->power, MW_POWER_OFF, 0);
	else
		mw_guest_log(ged, "sleep state %u is not offered by the tables", type);
}

static uint64_t read_sleep_status(void *self)
{
	return ((struct acpi_ged *)self)->sleep_status;
}

static void write_sleep_status(void *self, uint64_t value)
{
	((struct acpi_ged *)self)->sleep_status &= (uint8_t) ~(value & WAKE_STATUS);
}

static void write_reset(void *self, uint64_t value)
{
	struct acpi_ged *ged = self;

	if (value == RESET_VALUE)
		mw_power_request(ged->power, MW_POWER_RESET, 0);
	else
		mw_guest_log(ged, "0x%02x is not the reset register's value", (unsigned)value);
}

static uint64_t read_event(void *self)
{
	return ((struct acpi_ged *)self)->events;
}

/* Writing ones clears. What has come in since the guest read must give a new edge. */
static void write_event(void *self, uint64_t value)
{
	struct acpi_ged *ged = self;

	ged->events &= (uint32_t)~value;
	mw_line_set(ged->irq, false);
	update_irq(ged);
}

enum {
	AML_LOCAL0 = 0x60,
	AML_STORE = 0x70,
	AML_AND = 0x7b,
	AML_NOTIFY = 0x86,
	AML_NULL_NAME = 0x00
};
enum { NOTIFY_STATUS_CHANGE = 0x80 };

/* The power button is a child, so that a machine may hold several such devices. */
static void emit_power_button(struct mw_aml *aml)
{
	mw_aml_device_begin(aml, "PWRB");
	mw_aml_name(aml, "_HID");
	mw_aml_hid(aml, "PNP0C0C");
	mw_aml_end(aml);
}

/* 5.6.9.3: _EVT is called with the interrupt's number; there is one, so the register decides. */
static void emit_event_method(struct mw_aml *aml)
{
	mw_aml_method_begin(aml, "_EVT", 1, true);
	mw_aml_byte(aml, AML_STORE);
	mw_aml_name_string(aml, "EVNT");
	mw_aml_byte(aml, AML_LOCAL0);
	mw_aml_byte(aml, AML_STORE);
	mw_aml_byte(aml, AML_LOCAL0);
	mw_aml_name_string(aml, "EVNT");
	mw_aml_if_begin(aml);
	mw_aml_byte(aml, AML_AND);
	mw_aml_byte(aml, AML_LOCAL0);
	mw_aml_integer(aml, EVENT_POWER_BUTTON);
	mw_aml_byte(aml, AML_NULL_NAME);
	mw_aml_byte(aml, AML_NOTIFY);
	mw_aml_name_string(aml, "PWRB");
	mw_aml_integer(aml, NOTIFY_STATUS_CHANGE);
	mw_aml_end(aml);
	mw_aml_end(aml);
}

static void emit_aml(struct mw_aml *aml, const struct mw_plan *plan,
		     const struct mw_plan_node *node)
{
	static const char *const fields[] = { "EVNT" };
	static const unsigned bits[] = { 32 };
	const struct mw_plan_claim *regs = mw_plan_claim(node, MW_CLAIM_MMIO, "regs");

	if (!regs)
		return;
	mw_aml_operation_region(aml, "EREG", true, regs->base + EVENT, 4);
	mw_aml_field(aml, "EREG", 4, fields, bits, 1);
	emit_power_button(aml);
	emit_event_method(aml);
}

static const struct mw_wire wires[] = {
	{ "irq", "High while an event waits.", MW_FIELD(struct acpi_ged, irq) },
	{ "power", "Power-off and reset requests.", MW_FIELD(struct acpi_ged, power) },
	{ "power_button", "Pressed while high.", MW_SINK(1), .optional = true,
	  .on_level = on_power_button },
};
static const struct mw_register bank[] = {
	{ "SLEEP_CONTROL", SLEEP_CONTROL, MW_FIELD(struct acpi_ged, sleep_control),
	  .writable = SLP_EN | SLP_TYP_MASK << SLP_TYP_SHIFT, .changed = sleep_control_changed },
	{ "SLEEP_STATUS", SLEEP_STATUS, .get = read_sleep_status, .set = write_sleep_status },
	{ "RESET", RESET, .set = write_reset },
	{ "EVENT", EVENT, 4, .get = read_event, .set = write_event },
};
static const struct mw_region regions[] = {
	{ "regs", MW_SPACE_MEMORY, BANK_SIZE, MW_ACCESS(1, 4), .registers = MW_TABLE(bank),
	  .align = BANK_SIZE },
};
static const struct mw_state state[] = {
	{ "sleep_control", MW_FIELD(struct acpi_ged, sleep_control), .since = 1 },
	{ "sleep_status", MW_FIELD(struct acpi_ged, sleep_status), .since = 1 },
	{ "button", MW_FIELD(struct acpi_ged, button), .since = 1 },
	{ "events", MW_FIELD(struct acpi_ged, events), .since = 1 },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_SLEEP_CONTROL, "regs", SLEEP_CONTROL, 1, SOFT_OFF },
	{ MW_ROLE_SLEEP_STATUS, "regs", SLEEP_STATUS, 1 },
	{ MW_ROLE_RESET, "regs", RESET, 1, RESET_VALUE },
};
static const char *const buses[] = { "sys", NULL };

const struct mw_device_type acpi_ged_type = {
	MW_DEVICE_TYPE,
	.name = "acpi-ged",
	.summary = "ACPI generic event device: power button, power-off and reset without a PM chip",
	.size = sizeof(struct acpi_ged),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.firmware = { .acpi_hid = "ACPI0013",
		      .acpi_only_irqs = true,
		      .aml = emit_aml,
		      .roles = MW_TABLE(roles) },
};
