/* Address spaces: who answers at an address, and when an old map may go. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/space.h"

static const struct mw_map_entry two_uarts[] = {
	{ .base = 0x2f8, .last = 0x2ff },
	{ .base = 0x3f8, .last = 0x3ff },
};

static void port_outside_every_range_has_no_entry(void **state)
{
	struct mw_map *map = mw_map_create(two_uarts, 2, true);

	assert_null(mw_map_find_port(map, 0x2f7));
	assert_null(mw_map_find_port(map, 0x300));
	assert_ptr_equal(mw_map_find_port(map, 0x2f8), &map->entries[0]);
	assert_ptr_equal(mw_map_find_port(map, 0x3ff), &map->entries[1]);
	mw_map_destroy(map);
}

static void last_port_of_the_space_is_reachable(void **state)
{
	struct mw_map_entry top = { .base = 0xffff, .last = 0xffff };
	struct mw_map *map = mw_map_create(&top, 1, true);

	assert_non_null(mw_map_find_port(map, 0xffff));
	assert_null(mw_map_find_port(map, 0xfffe));
	mw_map_destroy(map);
}

/* The byte port 0xcf9 inside the double word port 0xcf8. */
static void overlay_answers_only_where_it_lies(void **state)
{
	const struct mw_map_entry entries[] = {
		{ .base = 0xcf9, .last = 0xcf9, .layer = MW_LAYER_TOP },
		{ .base = 0xcf8, .last = 0xcff },
	};
	struct mw_map *map = mw_map_create(entries, 2, true);

	assert_ptr_equal(mw_map_find_port(map, 0xcf8), &map->entries[1]);
	assert_ptr_equal(mw_map_find_port(map, 0xcf9), &map->entries[0]);
	assert_ptr_equal(mw_map_find_port(map, 0xcfa), &map->entries[1]);
	mw_map_destroy(map);
}

static void memory_overlay_splits_what_lies_below(void **state)
{
	const struct mw_map_entry entries[] = {
		{ .base = 0, .last = 0xffffff },
		{ .base = 0xa0000, .last = 0xbffff, .layer = MW_LAYER_TOP },
	};
	struct mw_map *map = mw_map_create(entries, 2, false);

	assert_int_equal(map->piece_count, 3);
	assert_ptr_equal(mw_map_find(map, 0x9ffff), &map->entries[0]);
	assert_ptr_equal(mw_map_find(map, 0xa0000), &map->entries[1]);
	assert_ptr_equal(mw_map_find(map, 0xbffff), &map->entries[1]);
	assert_ptr_equal(mw_map_find(map, 0xc0000), &map->entries[0]);
	assert_null(mw_map_find(map, 0x1000000));
	mw_map_destroy(map);
}

static void overlay_may_cover_a_range_whole(void **state)
{
	const struct mw_map_entry entries[] = {
		{ .base = 0x1000, .last = 0x1fff },
		{ .base = 0, .last = 0xffff, .layer = MW_LAYER_TOP },
	};
	struct mw_map *map = mw_map_create(entries, 2, false);

	assert_int_equal(map->piece_count, 1);
	assert_ptr_equal(mw_map_find(map, 0x1800), &map->entries[1]);
	mw_map_destroy(map);
}

static void the_top_of_the_address_space_is_reachable(void **state)
{
	struct mw_map_entry top = { .base = UINT64_MAX - 0xfff, .last = UINT64_MAX };
	struct mw_map *map = mw_map_create(&top, 1, false);

	assert_non_null(mw_map_find(map, UINT64_MAX));
	assert_null(mw_map_find(map, UINT64_MAX - 0x1000));
	mw_map_destroy(map);
}

static void old_map_stays_until_its_last_reader_has_passed(void **state)
{
	_Atomic uint64_t epoch = 1;
	struct mw_address_space space;

	mw_space_init(&space, true, &epoch);
	uint64_t reader = epoch; /* a CPU that entered before the swap */

	mw_space_swap(&space, mw_map_create(two_uarts, 2, true));
	mw_space_reclaim(&space, reader);
	assert_non_null(space.retired);
	mw_space_reclaim(&space, epoch); /* it came back and entered again */
	assert_null(space.retired);
	assert_int_equal(space.map->count, 2);
	mw_space_fini(&space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_outside_every_range_has_no_entry),
		cmocka_unit_test(last_port_of_the_space_is_reachable),
		cmocka_unit_test(overlay_answers_only_where_it_lies),
		cmocka_unit_test(memory_overlay_splits_what_lies_below),
		cmocka_unit_test(overlay_may_cover_a_range_whole),
		cmocka_unit_test(the_top_of_the_address_space_is_reachable),
		cmocka_unit_test(old_map_stays_until_its_last_reader_has_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
