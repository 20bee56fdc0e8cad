/* Greedy pairwise cover: a seed pair, then for each parameter the value that meets most new pairs. */
// SPDX-License-Identifier: MIT
#include "tools/lint/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

static uint8_t *cell(const struct mw_pairs *pairs, size_t left, size_t right)
{
	return &pairs->covered[left * pairs->total + right];
}

static void cover(struct mw_pairs *pairs, size_t left, size_t right)
{
	if (*cell(pairs, left, right))
		return;
	*cell(pairs, left, right) = *cell(pairs, right, left) = 1;
	pairs->left[left]--;
	if (left != right)
		pairs->left[right]--;
}

static void cover_row(struct mw_pairs *pairs, const uint8_t *row)
{
	for (size_t i = 0; i < pairs->factors; i++) {
		for (size_t j = 0; j < pairs->factors; j++)
			cover(pairs, pairs->first[i] + row[i], pairs->first[j] + row[j]);
	}
}

void mw_pairs_init(struct mw_pairs *pairs, const uint8_t *levels, size_t factors)
{
	const uint8_t defaults[MW_PAIRS_FACTORS] = { 0 };

	*pairs = (struct mw_pairs){ .factors = factors };
	for (size_t i = 0; i < factors; i++) {
		pairs->levels[i] = levels[i];
		pairs->first[i] = pairs->total;
		pairs->total += levels[i];
	}
	pairs->covered = mw_alloc(pairs->total + 1, pairs->total + 1);
	pairs->left = mw_alloc(pairs->total + 1, sizeof(*pairs->left));
	/* two values of one parameter never meet; a value and itself stand for the value alone */
	for (size_t i = 0; i < factors; i++) {
		for (size_t a = 0; a < levels[i]; a++) {
			pairs->left[pairs->first[i] + a] = pairs->total - levels[i] + 1;
			for (size_t b = 0; b < levels[i]; b++)
				*cell(pairs, pairs->first[i] + a, pairs->first[i] + b) = a != b;
		}
	}
	cover_row(pairs, defaults);
}

void mw_pairs_fini(struct mw_pairs *pairs)
{
	free(pairs->covered);
	free(pairs->left);
	*pairs = (struct mw_pairs){ 0 };
}

static size_t factor_of(const struct mw_pairs *pairs, size_t value)
{
	size_t factor = 0;

	while (factor + 1 < pairs->factors && pairs->first[factor + 1] <= value)
		factor++;
	return factor;
}

static size_t gain(const struct mw_pairs *pairs, const uint8_t *row, const bool *chosen,
		   size_t value)
{
	size_t count = !*cell(pairs, value, value);

	for (size_t i = 0; i < pairs->factors; i++)
		count += chosen[i] && !*cell(pairs, pairs->first[i] + row[i], value);
	return count;
}

/* Of values that meet as many new pairs, the one that has most to meet yet. */
static void choose(const struct mw_pairs *pairs, uint8_t *row, bool *chosen, size_t factor)
{
	size_t best = 0, most = 0;

	for (uint8_t level = 0; level < pairs->levels[factor]; level++) {
		size_t value = pairs->first[factor] + level;
		size_t more = gain(pairs, row, chosen, value);

		if (level == 0 || more > best || (more == best && pairs->left[value] > most)) {
			best = more;
			most = pairs->left[value];
			row[factor] = level;
		}
	}
	chosen[factor] = true;
}

bool mw_pairs_next(struct mw_pairs *pairs, uint8_t *row)
{
	bool chosen[MW_PAIRS_FACTORS] = { false };
	size_t total = pairs->total;

	while (pairs->seed < total * total && pairs->covered[pairs->seed])
		pairs->seed++;
	if (pairs->seed == total * total)
		return false;
	memset(row, 0, pairs->factors);
	for (unsigned side = 0; side < 2; side++) {
		size_t value = side ? pairs->seed % total : pairs->seed / total;
		size_t factor = factor_of(pairs, value);

		row[factor] = (uint8_t)(value - pairs->first[factor]);
		chosen[factor] = true;
	}
	for (size_t i = 0; i < pairs->factors && !pairs->alone; i++) {
		if (!chosen[i])
			choose(pairs, row, chosen, i);
	}
	return true;
}

void mw_pairs_done(struct mw_pairs *pairs, const uint8_t *row, bool refused)
{
	if (!refused)
		cover_row(pairs, row);
	else if (pairs->alone)
		cover(pairs, pairs->seed / pairs->total, pairs->seed % pairs->total);
	pairs->alone = refused && !pairs->alone;
}
