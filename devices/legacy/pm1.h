/** PM1 event and control registers and the PM timer, the part that chips with ACPI's fixed hardware have alike. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_LEGACY_PM1_H
#define DEVICES_LEGACY_PM1_H

#include "core/device.h"

/* Reference: ACPI 6.5, section 4.8; tables are its. */

enum { MW_PM1_STS = 0x0, MW_PM1_EN = 0x2, MW_PM1_CNT = 0x4, MW_PM1_TMR = 0x8, MW_PM1_SIZE = 0xc };
/** Events (tables 4.13 and 4.14). */
enum {
	MW_PM1_TIMER = 0x0001,
	MW_PM1_BUS_MASTER = 0x0010,
	MW_PM1_GLOBAL = 0x0020,
	MW_PM1_POWER_BUTTON = 0x0100,
	MW_PM1_SLEEP_BUTTON = 0x0200,
	MW_PM1_RTC = 0x0400,
	MW_PM1_WAKE = 0x8000
};
/** The control register (table 4.15); SLP_EN reads as zero. */
enum {
	MW_PM1_SCI_EN = 0x0001,
	MW_PM1_BM_RLD = 0x0002,
	MW_PM1_SLP_TYP = 0x1c00,
	MW_PM1_SLP_EN = 0x2000
};
/** SLP_TYP of the state in which the machine is off. */
enum { MW_PM1_SOFT_OFF = 0 };

/** What a chip has of it. */
struct mw_pm1_type {
	uint16_t enables;  /* events that can be enabled */
	uint16_t controls; /* bits of the control register that a guest may write */
	uint16_t always;   /* bits of it that are ones */
	/** Sets the level of the SCI, to false where it shall fall for a moment. */
	void (*drive)(void *self, bool level);
};

/** Part of a device's struct; all up to `type` is configuration or wiring, the rest state that a guest sees. */
struct mw_pm1 {
	uint32_t timer_bits; /* 24 or 32 */
	struct mw_power *power;
	struct mw_timer *toggle;
	void *self;
	const struct mw_pm1_type *type;
	uint16_t status, enable, control;
	uint64_t seen; /* toggles of the timer's top bit when last looked at, plus one; 0: never */
	bool power_button, sleep_button, rtc_alarm; /* levels of the lines */
};

/** State rows of `struct type` with a member `pm1`; `control` after reset. */
#define MW_PM1_STATE(type, control_reset)                                                         \
	{ "status", MW_FIELD(type, pm1.status), .since = 1 },                                     \
		{ "enable", MW_FIELD(type, pm1.enable), .since = 1 },                             \
		{ "control", MW_FIELD(type, pm1.control), .reset = (control_reset), .since = 1 }, \
		{ "seen", MW_FIELD(type, pm1.seen), .since = 1 },                                 \
		{ "power_button", MW_FIELD(type, pm1.power_button), .since = 1 },                 \
		{ "sleep_button", MW_FIELD(type, pm1.sleep_button), .since = 1 },                 \
	{                                                                                         \
		"rtc_alarm", MW_FIELD(type, pm1.rtc_alarm), .since = 1                            \
	}

/** In init of the device. */
void mw_pm1_init(struct mw_pm1 *pm1, void *self, const struct mw_pm1_type *type);
/** In after_load, before the line is driven. */
void mw_pm1_loaded(struct mw_pm1 *pm1);
/** Whether an enabled event waits. */
bool mw_pm1_pending(const struct mw_pm1 *pm1);
/** When the timer `toggle` has expired, or something else that an interrupt follows from has changed. */
void mw_pm1_update(struct mw_pm1 *pm1);

/** A line with an event: its rising edge sets `status`. `line` is where its level is kept. */
void mw_pm1_event(struct mw_pm1 *pm1, bool *line, bool level, uint16_t status);

/** Accesses to the first MW_PM1_SIZE bytes, of 1, 2 or 4 bytes. */
enum mw_io mw_pm1_read(struct mw_pm1 *pm1, uint64_t offset, unsigned size, uint64_t *value);
enum mw_io mw_pm1_write(struct mw_pm1 *pm1, uint64_t offset, unsigned size, uint64_t value);

#endif
