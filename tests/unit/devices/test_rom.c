/* ROM: where an image lies, and which ones are refused. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type rom_type;

enum { ROM_BYTES = 8192 };

static bool build(struct rig **rig, const uint8_t *image, size_t count,
		  const struct rig_setting *settings, struct mw_diagnostics *diagnostics)
{
	const struct rig_options options = {
		.settings = settings, .image = image, .image_bytes = count, .free_length = ROM_BYTES
	};

	return rig_try(rig, &rom_type, &options, diagnostics);
}

static void image_of_the_same_size_fills_it(void **state)
{
	struct mw_diagnostics diagnostics = { 0 };
	static uint8_t image[ROM_BYTES];
	struct rig *rig;

	for (unsigned i = 0; i < ROM_BYTES; i++)
		image[i] = (uint8_t)(i * 7);
	assert_true(build(&rig, image, sizeof(image), NULL, &diagnostics));
	for (unsigned i = 0; i < ROM_BYTES; i++)
		assert_int_equal(rig_read(rig, "memory", i, 1), (uint8_t)(i * 7));
	rig_destroy(rig);
}

static void shorter_image_lies_at_the_end(void **state)
{
	static const uint8_t image[] = { 1, 2, 3, 4 };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_true(build(&rig, image, sizeof(image), NULL, &diagnostics));
	assert_int_equal(rig_read(rig, "memory", ROM_BYTES - 4, 4), 0x04030201);
	assert_int_equal(rig_read(rig, "memory", ROM_BYTES - 5, 1), 0xff);
	assert_int_equal(rig_read(rig, "memory", 0, 1), 0xff);
	rig_destroy(rig);
}

static void shorter_image_may_lie_at_the_start(void **state)
{
	static const uint8_t image[] = { 0x55, 0xaa };
	const struct rig_setting settings[] = { { "place", 1, NULL }, { 0 } };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_true(build(&rig, image, sizeof(image), settings, &diagnostics));
	assert_int_equal(rig_read(rig, "memory", 0, 2), 0xaa55);
	assert_int_equal(rig_read(rig, "memory", 2, 1), 0xff);
	rig_destroy(rig);
}

static void its_end_is_seen_at_another_place_too(void **state)
{
	static const uint8_t image[] = { 1, 2, 3, 4 };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_true(build(&rig, image, sizeof(image), NULL, &diagnostics));
	assert_int_equal(rig_read(rig, "low", ROM_BYTES - 4, 4), 0x04030201);
	assert_int_equal(rig_read(rig, "low", 0, 1), 0xff);
	rig_write(rig, "low", ROM_BYTES - 4, 4, 0);
	assert_int_equal(rig_read(rig, "low", ROM_BYTES - 4, 4), 0x04030201);
	rig_destroy(rig);
}

static void writes_are_dropped_and_a_reset_changes_nothing(void **state)
{
	static const uint8_t image[] = { 0x55, 0xaa };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_true(build(&rig, image, sizeof(image), NULL, &diagnostics));
	rig_write(rig, "memory", ROM_BYTES - 2, 1, 0);
	assert_int_equal(rig_read(rig, "memory", ROM_BYTES - 2, 1), 0x55);
	rig_reset(rig);
	assert_int_equal(rig_read(rig, "memory", ROM_BYTES - 1, 1), 0xaa);
	rig_destroy(rig);
}

static void check_refused(size_t count, const char *why)
{
	static const uint8_t image[ROM_BYTES + 1];
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_false(build(&rig, image, count, NULL, &diagnostics));
	assert_int_equal(diagnostics.errors, 1);
	assert_non_null(strstr(diagnostics.items[0]->message, why));
	mw_diagnostics_fini(&diagnostics);
}

static void image_that_is_too_large_is_refused(void **state)
{
	check_refused(ROM_BYTES + 1, "too large: the image has 8193 bytes, the ROM 8192");
}

static void empty_image_is_refused(void **state)
{
	check_refused(0, "nothing to put into it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_of_the_same_size_fills_it),
		cmocka_unit_test(shorter_image_lies_at_the_end),
		cmocka_unit_test(shorter_image_may_lie_at_the_start),
		cmocka_unit_test(its_end_is_seen_at_another_place_too),
		cmocka_unit_test(writes_are_dropped_and_a_reset_changes_nothing),
		cmocka_unit_test(image_that_is_too_large_is_refused),
		cmocka_unit_test(empty_image_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
