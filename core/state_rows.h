/** State rows of any struct: to canonical bytes and back, and their layout as text. Private to core. */
// SPDX-License-Identifier: MIT
#ifndef CORE_STATE_ROWS_H
#define CORE_STATE_ROWS_H

#include <stdio.h>

#include "core/device.h"

/** A table of rows as a state version knows it: those with a later `since` do not exist. */
struct mw_row_set {
	const struct mw_state *rows;
	size_t count;
	unsigned version;
};

/** Gives every element its reset value; `skips_survivors` leaves out what survives resets. */
void mw_rows_reset(struct mw_row_set set, void *owner, bool skips_survivors);

/** Little-endian values in the rows' order, without padding. Returns how many bytes there are, also
 * where `capacity` is less (then what does not fit is not written). */
size_t mw_rows_save(struct mw_row_set set, const void *owner, uint8_t *bytes, size_t capacity);
/** The first row with a value that its field cannot have, among bytes of the right length, or NULL. */
const struct mw_state *mw_rows_check(struct mw_row_set set, const uint8_t *bytes);
/** Takes checked bytes. Rows of later versions are left alone. */
void mw_rows_load(struct mw_row_set set, void *owner, const uint8_t *bytes);

/** One line for each row, "name kind count", nested rows as "outer.inner". */
void mw_rows_layout(struct mw_row_set set, FILE *out);

#endif
