/* The document tree: look-up by key at every size, copies, scalars as numbers. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "resolver/tree.h"

static struct mw_tree *add(struct mw_arena *arena, struct mw_tree *map, unsigned number)
{
	struct mw_tree *child = mw_tree_new(arena, MW_TREE_SCALAR, (struct mw_span){ 0 });

	child->key = mw_arena_printf(arena, "key%u", number);
	child->text = "x";
	mw_tree_append(map, child);
	return child;
}

static void every_key_is_found_while_a_map_grows(void **state)
{
	struct mw_arena arena = { 0 };
	struct mw_tree *map = mw_tree_new(&arena, MW_TREE_MAP, (struct mw_span){ 0 });

	for (unsigned i = 0; i < 3000; i++) {
		struct mw_tree *child = add(&arena, map, i);

		assert_ptr_equal(mw_tree_get(map, child->key), child);
		assert_null(mw_tree_get(map, "missing"));
	}
	for (struct mw_tree *child = map->first; child; child = child->next)
		assert_ptr_equal(mw_tree_get(map, child->key), child);
	assert_int_equal(map->count, 3000);
	mw_arena_fini(&arena);
}

static void the_first_of_two_equal_keys_is_found(void **state)
{
	struct mw_arena arena = { 0 };
	struct mw_tree *map = mw_tree_new(&arena, MW_TREE_MAP, (struct mw_span){ 0 });
	struct mw_tree *first = add(&arena, map, 7);

	for (unsigned i = 0; i < 40; i++)
		add(&arena, map, 7);
	assert_ptr_equal(mw_tree_get(map, "key7"), first);
	mw_arena_fini(&arena);
}

static void a_copy_grows_on_its_own(void **state)
{
	struct mw_arena arena = { 0 };
	struct mw_tree *map = mw_tree_new(&arena, MW_TREE_MAP, (struct mw_span){ 0 });

	for (unsigned i = 0; i < 20; i++)
		add(&arena, map, i);
	assert_non_null(mw_tree_get(map, "key3"));
	struct mw_tree *copy = mw_tree_copy(&arena, map);

	assert_non_null(mw_tree_get(copy, "key3"));
	assert_null(copy->next);
	mw_arena_fini(&arena);
}

static void nothing_is_found_in_what_is_no_map(void **state)
{
	struct mw_arena arena = { 0 };
	struct mw_tree *scalar = mw_tree_new(&arena, MW_TREE_SCALAR, (struct mw_span){ 0 });

	assert_null(mw_tree_get(scalar, "a"));
	assert_null(mw_tree_get(NULL, "a"));
	mw_arena_fini(&arena);
}

static void ints_are_decimal_or_hexadecimal(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t value;
	} rows[] = {
		{ "0", true, 0 },
		{ "10", true, 10 },
		{ "0x1F", true, 31 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "0xffffffffffffffff", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "010", false, 0 },
		{ "00", false, 0 },
		{ "", false, 0 },
		{ "0x", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ "1.0", false, 0 },
		{ "1e3", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "0b1", false, 0 },
		{ "1_000", false, 0 },
	};
	uint64_t value;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		value = 0;
		assert_int_equal(mw_tree_int(rows[i].text, &value), rows[i].good);
		assert_int_equal(value, rows[i].value);
	}
}

static void sizes_take_binary_units_only(void **state)
{
	uint64_t value;

	assert_true(mw_tree_size("64KiB", &value));
	assert_int_equal(value, 65536);
	assert_true(mw_tree_size("0x10MiB", &value));
	assert_int_equal(value, 16 << 20);
	assert_true(mw_tree_size("2TiB", &value));
	assert_int_equal(value, 2ull << 40);
	assert_true(mw_tree_size("512", &value));
	assert_int_equal(value, 512);
	assert_false(mw_tree_size("64KB", &value));
	assert_false(mw_tree_size("64 KiB", &value));
	assert_false(mw_tree_size("KiB", &value));
	assert_false(mw_tree_size("16777216TiB", &value));
}

static void durations_and_frequencies_need_a_unit(void **state)
{
	uint64_t value;

	assert_true(mw_tree_duration("15ms", &value));
	assert_int_equal(value, 15000000);
	assert_true(mw_tree_duration("0", &value));
	assert_false(mw_tree_duration("15", &value));
	assert_true(mw_tree_frequency("3GHz", &value));
	assert_int_equal(value, 3000000000);
	assert_false(mw_tree_frequency("3ghz", &value));
}

static void a_range_is_base_plus_length(void **state)
{
	uint64_t base, length;

	assert_true(mw_tree_range("0x3f8+8", &base, &length));
	assert_int_equal(base, 0x3f8);
	assert_int_equal(length, 8);
	assert_true(mw_tree_range("0xffff0000+64KiB", &base, &length));
	assert_true(mw_tree_range("0xffffffffffffffff+1", &base, &length));
	assert_false(mw_tree_range("0xffffffffffffffff+2", &base, &length));
	assert_false(mw_tree_range("1+0", &base, &length));
	assert_false(mw_tree_range("1", &base, &length));
	assert_false(mw_tree_range("1 + 2", &base, &length));
}

static void bools_are_true_or_false(void **state)
{
	bool value;

	assert_true(mw_tree_bool("true", &value) && value);
	assert_true(mw_tree_bool("false", &value) && !value);
	assert_false(mw_tree_bool("True", &value));
	assert_false(mw_tree_bool("yes", &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_found_while_a_map_grows),
		cmocka_unit_test(the_first_of_two_equal_keys_is_found),
		cmocka_unit_test(a_copy_grows_on_its_own),
		cmocka_unit_test(nothing_is_found_in_what_is_no_map),
		cmocka_unit_test(ints_are_decimal_or_hexadecimal),
		cmocka_unit_test(sizes_take_binary_units_only),
		cmocka_unit_test(durations_and_frequencies_need_a_unit),
		cmocka_unit_test(a_range_is_base_plus_length),
		cmocka_unit_test(bools_are_true_or_false),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
