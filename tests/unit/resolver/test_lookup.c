/* Names to objects, and the order of ids. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "resolver/draft.h"

static void the_first_of_equal_names_stays(void **state)
{
	struct mw_arena arena = { 0 };
	struct mw_lookup lookup = { 0 };
	int one, two;

	assert_null(mw_lookup_find(&lookup, "a"));
	assert_null(mw_lookup_add(&lookup, &arena, "a", &one));
	assert_ptr_equal(mw_lookup_add(&lookup, &arena, "a", &two), &one);
	assert_ptr_equal(mw_lookup_find(&lookup, "a"), &one);
	assert_null(mw_lookup_find(&lookup, "b"));
	mw_arena_fini(&arena);
}

static void thousands_of_names_are_found(void **state)
{
	enum { COUNT = 5000 };
	static int objects[COUNT];
	struct mw_arena arena = { 0 };
	struct mw_lookup lookup = { 0 };

	for (int i = 0; i < COUNT; i++)
		assert_null(mw_lookup_add(&lookup, &arena, mw_arena_printf(&arena, "n%d", i),
					  &objects[i]));
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(mw_lookup_find(&lookup, mw_arena_printf(&arena, "n%d", i)),
				 &objects[i]);
	mw_arena_fini(&arena);
}

static void ids_order_as_people_count(void **state)
{
	static const char *const ordered[] = { "a",     "a0",   "a01",  "a1", "a2",   "a10",
					       "a10.b", "a10b", "a10c", "ab", "b1-2", "b1-10" };
	enum { COUNT = sizeof(ordered) / sizeof(ordered[0]) };

	for (size_t i = 0; i < COUNT; i++) {
		for (size_t j = 0; j < COUNT; j++) {
			int order = mw_id_compare(ordered[i], ordered[j]);

			assert_int_equal(order < 0 ? -1 : order > 0, i < j ? -1 : i > j);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_of_equal_names_stays),
		cmocka_unit_test(thousands_of_names_are_found),
		cmocka_unit_test(ids_order_as_people_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
