/* The allocator of one window, against a slow and simple one. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/allocate.h"

enum { ROOM = 4096 };

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static bool is_free(const bool *used, uint64_t base, uint64_t size)
{
	for (uint64_t i = base; i < base + size; i++) {
		if (used[i])
			return false;
	}
	return true;
}

/* The first aligned place from the packing side, by trying them all. */
static bool slow_take(const bool *used, bool down, uint64_t size, uint64_t align, uint64_t *base)
{
	for (uint64_t step = 0; step + size <= ROOM; step++) {
		uint64_t at = down ? ROOM - size - step : step;

		if (at % align == 0 && is_free(used, at, size)) {
			*base = at;
			return true;
		}
	}
	return false;
}

/* Up, the first fit is the simple one's; down, a piece that alignment cut off may be used later, so
 * only the promises are checked: no overlap, aligned, inside, and a refusal only when nothing fits. */
static void run(bool down, uint32_t seed)
{
	struct mw_arena arena = { 0 };
	struct mw_draft_window window = { .base = 0, .length = ROOM, .down = down };
	struct mw_place places[20];
	bool used[ROOM] = { false };
	uint64_t at = 0;
	size_t count = 0;

	while (count < 20 && at < ROOM - 300) {
		at += next_random(&seed) % 200;
		places[count++] =
			(struct mw_place){ .base = at, .length = 1 + next_random(&seed) % 90 };
		memset(used + at, true, places[count - 1].length);
		at += places[count - 1].length;
	}
	struct mw_pool *pool = mw_pool_create(&arena, &window, places, count);

	for (uint64_t align = 256; align; align /= 4) {
		for (uint64_t size = 200; size;
		     size -= 1 + next_random(&seed) % (size < 20 ? size : 20)) {
			uint64_t base = 0, wanted = 0, largest = 0;
			bool fits = slow_take(used, down, size, align, &wanted);
			bool taken = mw_pool_take(pool, size, align, &base, &largest);

			assert_int_equal(taken, fits);
			if (!taken) {
				assert_true(largest < size);
				continue;
			}
			assert_true(base % align == 0 && base + size <= ROOM);
			assert_true(is_free(used, base, size));
			if (!down)
				assert_int_equal(base, wanted);
			memset(used + base, true, size);
		}
	}
	mw_arena_fini(&arena);
}

static void packing_up_is_first_fit(void **state)
{
	for (uint32_t seed = 1; seed <= 200; seed++)
		run(false, seed);
}

static void packing_down_keeps_its_promises(void **state)
{
	for (uint32_t seed = 1; seed <= 200; seed++)
		run(true, seed);
}

static void a_full_pool_says_so(void **state)
{
	struct mw_arena arena = { 0 };
	struct mw_draft_window window = { .base = 0x1000, .length = 0x1000 };
	struct mw_place all = { .base = 0, .length = 0x10000 };
	struct mw_pool *pool = mw_pool_create(&arena, &window, &all, 1);
	uint64_t base, largest = 1;

	assert_false(mw_pool_take(pool, 1, 1, &base, &largest));
	assert_int_equal(largest, 0);
	mw_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packing_up_is_first_fit),
		cmocka_unit_test(packing_down_keeps_its_promises),
		cmocka_unit_test(a_full_pool_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
