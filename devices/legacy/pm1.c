/* PM1 event and control registers and the PM timer. Reference: ACPI 6.5, section 4.8. */
// SPDX-License-Identifier: MIT
#include "devices/legacy/pm1.h"

enum { SLP_TYP_SHIFT = 10, SLP_TYP_MASK = 0x7 };
#define TIMER_HZ UINT64_C(3579545)
#define SECOND   UINT64_C(1000000000)

static uint64_t ticks(struct mw_pm1 *pm1)
{
	uint64_t now = mw_now_ns(pm1->self);

	return now / SECOND * TIMER_HZ + now % SECOND * TIMER_HZ / SECOND;
}

/* The first moment at which the timer has made so many ticks. */
static uint64_t moment_of(uint64_t count)
{
	return count / TIMER_HZ * SECOND + (count % TIMER_HZ * SECOND + TIMER_HZ - 1) / TIMER_HZ;
}

/* 4.8.3.3: TMR_STS is set whenever the top bit changes. */
static void watch_timer(struct mw_pm1 *pm1)
{
	uint64_t seen = (ticks(pm1) >> (pm1->timer_bits - 1)) + 1;

	if (pm1->seen && pm1->seen != seen)
		pm1->status |= MW_PM1_TIMER;
	pm1->seen = seen;
}

bool mw_pm1_pending(const struct mw_pm1 *pm1)
{
	return pm1->status & pm1->enable & pm1->type->enables;
}

static void drive(struct mw_pm1 *pm1)
{
	pm1->type->drive(pm1->self, mw_pm1_pending(pm1));
}

/* The timer is only watched while a toggle would interrupt; a reader of the status looks itself. */
void mw_pm1_update(struct mw_pm1 *pm1)
{
	watch_timer(pm1);
	if ((pm1->enable & MW_PM1_TIMER) && !(pm1->status & MW_PM1_TIMER))
		mw_timer_arm(pm1->toggle, moment_of(pm1->seen << (pm1->timer_bits - 1)));
	else
		mw_timer_cancel(pm1->toggle);
	drive(pm1);
}

void mw_pm1_event(struct mw_pm1 *pm1, bool *line, bool level, uint16_t status)
{
	if (level && !*line)
		pm1->status |= status;
	*line = level;
	drive(pm1);
}

/* SLP_EN reads as zero and starts the transition to SLP_TYPx. */
static void write_control(struct mw_pm1 *pm1, uint16_t value)
{
	unsigned type = value >> SLP_TYP_SHIFT & SLP_TYP_MASK;

	pm1->control = (value & pm1->type->controls) | pm1->type->always;
	if (!(value & MW_PM1_SLP_EN))
		return;
	if (type == MW_PM1_SOFT_OFF)
		mw_power_request(pm1->power, MW_POWER_OFF, 0);
	else
		mw_guest_log(pm1->self, "sleep state %u is not offered by the tables", type);
}

enum mw_io mw_pm1_read(struct mw_pm1 *pm1, uint64_t offset, unsigned size, uint64_t *value)
{
	watch_timer(pm1);
	uint64_t words = pm1->status | (uint64_t)pm1->enable << 16 | (uint64_t)pm1->control << 32;
	uint64_t timer = ticks(pm1) & (UINT64_MAX >> (64 - pm1->timer_bits));

	*value = (offset < MW_PM1_TMR ? words >> (8 * offset)
				      : timer >> (8 * (offset - MW_PM1_TMR))) &
		 (UINT64_MAX >> (64 - 8 * size));
	return MW_IO_OK;
}

/* One access may cover two registers, or half of one. Writing ones clears status bits; the line falls
 * in between, so that what is left gives a new edge where the profile has wired it edge-triggered. */
enum mw_io mw_pm1_write(struct mw_pm1 *pm1, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset >= MW_PM1_TMR)
		return MW_IO_NO_REGISTER;
	uint64_t mask = (UINT64_MAX >> (64 - 8 * size)) << (8 * offset);
	uint64_t bits = value << (8 * offset) & mask;

	watch_timer(pm1);
	pm1->status &= (uint16_t)~bits;
	pm1->enable = (uint16_t)((pm1->enable & ~(mask >> 16)) | bits >> 16) & pm1->type->enables;
	if (mask >> 32 & UINT16_MAX)
		write_control(pm1, (uint16_t)((pm1->control & ~(mask >> 32)) | bits >> 32));
	if (mask & UINT16_MAX)
		pm1->type->drive(pm1->self, false);
	mw_pm1_update(pm1);
	return MW_IO_OK;
}

void mw_pm1_init(struct mw_pm1 *pm1, void *self, const struct mw_pm1_type *type)
{
	pm1->self = self;
	pm1->type = type;
}

void mw_pm1_loaded(struct mw_pm1 *pm1)
{
	pm1->status &= pm1->type->enables | MW_PM1_BUS_MASTER | MW_PM1_WAKE;
	pm1->enable &= pm1->type->enables;
	pm1->control = (pm1->control & pm1->type->controls) | pm1->type->always;
}
