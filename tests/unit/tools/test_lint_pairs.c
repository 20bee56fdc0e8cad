/** Every pair of values of two parameters stands in a row, and rows stay few. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/lint/pairs.h"

enum { MOST_ROWS = 400 };

struct rows {
	uint8_t items[MOST_ROWS][MW_PAIRS_FACTORS];
	size_t count;
};

/* With `refuse`, no row may hold level 1 of both the first and the second parameter. */
static void make(struct rows *rows, const uint8_t *levels, size_t factors, bool refuse)
{
	struct mw_pairs pairs;
	uint8_t row[MW_PAIRS_FACTORS];

	*rows = (struct rows){ .count = 1 };
	mw_pairs_init(&pairs, levels, factors);
	while (mw_pairs_next(&pairs, row)) {
		bool refused = refuse && row[0] == 1 && row[1] == 1;

		mw_pairs_done(&pairs, row, refused);
		if (!refused)
			memcpy(rows->items[rows->count++], row, factors);
		assert_true(rows->count < MOST_ROWS);
	}
	mw_pairs_fini(&pairs);
}

static bool has(const struct rows *rows, size_t i, uint8_t a, size_t j, uint8_t b)
{
	for (size_t row = 0; row < rows->count; row++) {
		if (rows->items[row][i] == a && rows->items[row][j] == b)
			return true;
	}
	return false;
}

static size_t missing(const struct rows *rows, const uint8_t *levels, size_t factors)
{
	size_t count = 0;

	for (size_t i = 0; i < factors; i++) {
		for (size_t j = 0; j < i; j++) {
			for (uint8_t a = 0; a < levels[i]; a++) {
				for (uint8_t b = 0; b < levels[j]; b++)
					count += !has(rows, i, a, j, b);
			}
		}
	}
	return count;
}

static void no_parameter_needs_no_row(void **state)
{
	struct rows rows;

	make(&rows, NULL, 0, false);
	assert_int_equal(rows.count, 1);
}

static void a_lone_parameter_gets_each_of_its_values(void **state)
{
	static const uint8_t levels[] = { 4 };
	struct rows rows;

	make(&rows, levels, 1, false);
	assert_int_equal(rows.count, 4);
	for (uint8_t level = 0; level < 4; level++)
		assert_true(has(&rows, 0, level, 0, level));
}

static void every_pair_stands_in_a_row(void **state)
{
	static const uint8_t levels[] = { 2, 3, 2, 4, 2, 2, 5, 2 };
	struct rows rows;

	make(&rows, levels, 8, false);
	assert_int_equal(missing(&rows, levels, 8), 0);
	/* at least 4 * 5 are needed, and all would be 3840 */
	assert_in_range(rows.count, 20, 32);
}

static void many_switches_need_few_rows(void **state)
{
	uint8_t levels[MW_PAIRS_FACTORS];
	struct rows rows;

	memset(levels, 2, sizeof(levels));
	make(&rows, levels, MW_PAIRS_FACTORS, false);
	assert_int_equal(missing(&rows, levels, MW_PAIRS_FACTORS), 0);
	assert_in_range(rows.count, 8, 20);
}

static void the_same_parameters_give_the_same_rows(void **state)
{
	static const uint8_t levels[] = { 3, 3, 3, 2, 2 };
	struct rows first, second;

	make(&first, levels, 5, false);
	make(&second, levels, 5, false);
	assert_memory_equal(&first, &second, sizeof(first));
}

static void a_refused_pair_costs_no_other_pair(void **state)
{
	static const uint8_t levels[] = { 2, 2, 3, 2 };
	struct rows rows;

	make(&rows, levels, 4, true);
	assert_false(has(&rows, 0, 1, 1, 1));
	assert_int_equal(missing(&rows, levels, 4), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_parameter_needs_no_row),
		cmocka_unit_test(a_lone_parameter_gets_each_of_its_values),
		cmocka_unit_test(every_pair_stands_in_a_row),
		cmocka_unit_test(many_switches_need_few_rows),
		cmocka_unit_test(the_same_parameters_give_the_same_rows),
		cmocka_unit_test(a_refused_pair_costs_no_other_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
