/** The speaker's wire: a byte stream whose records tell the level of a line over time, exactly and with no
 * more of them than a guest changes its tone. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BUS_SPEAKER_H
#define DEVICES_BUS_SPEAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

/** The unit of time, the 8254's clock on a PC; guest time 0 is 0. */
#define MW_TONE_HZ UINT64_C(1193182)
enum { MW_TONE_BYTES = 24 };

/** What the line does from `clock` on, until the next record says otherwise. */
struct mw_tone {
	uint64_t clock;
	bool level;
	uint32_t left;      /* clocks to the next change; 0: none comes */
	uint32_t high, low; /* how long the levels that follow last; 0: for ever */
};

/** A record as it goes over the wire, and back; any bytes are one. */
static inline void mw_tone_pack(const struct mw_tone *tone, uint8_t bytes[MW_TONE_BYTES])
{
	mw_put_le(bytes, 8, tone->clock);
	mw_put_le(bytes + 8, 4, tone->level);
	mw_put_le(bytes + 12, 4, tone->left);
	mw_put_le(bytes + 16, 4, tone->high);
	mw_put_le(bytes + 20, 4, tone->low);
}

static inline struct mw_tone mw_tone_unpack(const uint8_t bytes[MW_TONE_BYTES])
{
	return (struct mw_tone){
		.clock = mw_get_le(bytes, 8),
		.level = mw_get_le(bytes + 8, 4) & 1,
		.left = (uint32_t)mw_get_le(bytes + 12, 4),
		.high = (uint32_t)mw_get_le(bytes + 16, 4),
		.low = (uint32_t)mw_get_le(bytes + 20, 4),
	};
}

#endif
