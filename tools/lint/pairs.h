/** Rows of settings such that every pair of values of any two parameters stands in one of them. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LINT_PAIRS_H
#define TOOLS_LINT_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MW_PAIRS_FACTORS = 64, MW_PAIRS_LEVELS = 17 };

/** Level 0 of each factor is its default. Made by mw_pairs_init, which takes the row of defaults as
 * done, and freed by mw_pairs_fini. */
struct mw_pairs {
	size_t factors;
	uint8_t levels[MW_PAIRS_FACTORS]; /* at least 1 */
	size_t first[MW_PAIRS_FACTORS], total;
	uint8_t *covered; /* total * total */
	size_t *left;     /* how many pairs of each value are not */
	size_t seed;      /* every pair before it is covered */
	bool alone;       /* the row with this seed was refused: now try the pair alone */
};

/** `levels` has `factors` entries. */
void mw_pairs_init(struct mw_pairs *pairs, const uint8_t *levels, size_t factors);
void mw_pairs_fini(struct mw_pairs *pairs);

/** The next row, a level for each factor; false when every pair has had its turn. Then tell what
 * became of it: a row that was refused covers nothing, and its first pair gets a row with nothing
 * else in it before it is given up. */
bool mw_pairs_next(struct mw_pairs *pairs, uint8_t *row);
void mw_pairs_done(struct mw_pairs *pairs, const uint8_t *row, bool refused);

#endif
