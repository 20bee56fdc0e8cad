/* Keyboard layouts: which key gives what, by what is printed on it. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "devices/backend/keymap.h"

enum { US, GB, DE, FR, LAYOUTS };
enum { SHIFT = 1, ALTGR = 2, DEAD = 4, LETTER = 8 };

static void names_are_in_order(void **state)
{
	static const char *const names[] = { "us", "gb", "de", "fr" };

	for (size_t i = 0; i < LAYOUTS; i++)
		assert_string_equal(mw_keymap_names[i], names[i]);
	assert_null(mw_keymap_names[LAYOUTS]);
	assert_ptr_equal(mw_keymap(LAYOUTS), mw_keymap(US));
}

static void characters_are_where_they_are_printed(void **state)
{
	static const struct {
		uint32_t layout, keysym;
		uint16_t usage;
		unsigned flags;
	} rows[] = {
		{ US, 'a', 0x04, LETTER },
		{ US, 'A', 0x04, LETTER | SHIFT },
		{ US, '1', 0x1e, 0 },
		{ US, '!', 0x1e, SHIFT },
		{ US, '"', 0x34, SHIFT },
		{ GB, '"', 0x1f, SHIFT },
		{ GB, 0xa3, 0x20, SHIFT },
		{ GB, '\\', 0x64, 0 },
		{ GB, '#', 0x32, 0 },
		{ DE, 'z', 0x1c, LETTER },
		{ DE, 'Y', 0x1d, LETTER | SHIFT },
		{ DE, 0xfc, 0x2f, LETTER },
		{ DE, 0xdf, 0x2d, 0 },
		{ DE, '@', 0x14, ALTGR | LETTER },
		{ DE, 0x20ac, 0x08, ALTGR | LETTER },
		{ DE, 0x010020ac, 0x08, ALTGR | LETTER },
		{ DE, 0xfe52, 0x35, 0 },
		{ DE, '^', 0x35, DEAD },
		{ DE, '`', 0x2e, SHIFT | DEAD },
		{ FR, 'a', 0x14, LETTER },
		{ FR, 'q', 0x04, LETTER },
		{ FR, 'M', 0x33, LETTER | SHIFT },
		{ FR, '7', 0x24, SHIFT },
		{ FR, '`', 0x24, ALTGR },
		{ FR, 0xa8, 0x2f, SHIFT | DEAD },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mw_keymap_key key;

		assert_true(mw_keymap_find(mw_keymap(rows[i].layout), rows[i].keysym, &key));
		assert_int_equal(key.usage, rows[i].usage);
		assert_true(key.character);
		assert_int_equal(key.shift, !!(rows[i].flags & SHIFT));
		assert_int_equal(key.altgr, !!(rows[i].flags & ALTGR));
		assert_int_equal(key.dead, !!(rows[i].flags & DEAD));
		assert_int_equal(key.letter, !!(rows[i].flags & LETTER));
	}
}

static void every_layout_has_all_of_ascii(void **state)
{
	struct mw_keymap_key key;

	for (uint32_t layout = 0; layout < LAYOUTS; layout++) {
		for (uint32_t c = ' '; c < 0x7f; c++)
			assert_true(mw_keymap_find(mw_keymap(layout), c, &key));
	}
}

static void keys_without_characters_are_the_same_everywhere(void **state)
{
	static const struct {
		uint32_t keysym;
		uint16_t usage;
	} rows[] = {
		{ 0xff08, 0x2a }, { 0xff0d, 0x28 }, { 0xff1b, 0x29 }, { 0xffff, 0x4c },
		{ 0xffbe, 0x3a }, { 0xffc9, 0x45 }, { 0xffe1, 0xe1 }, { 0xffe4, 0xe4 },
		{ 0xffea, 0xe6 }, { 0xfe03, 0xe6 }, { 0xffb0, 0x62 }, { 0xffb9, 0x61 },
		{ 0xff95, 0x5f }, { 0xff8d, 0x58 }, { 0xff61, 0x46 },
	};

	for (uint32_t layout = 0; layout < LAYOUTS; layout++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct mw_keymap_key key;

			assert_true(mw_keymap_find(mw_keymap(layout), rows[i].keysym, &key));
			assert_int_equal(key.usage, rows[i].usage);
			assert_false(key.character || key.shift || key.altgr);
		}
	}
}

static void what_no_key_has_is_not_found(void **state)
{
	static const uint32_t none[] = { 0, 1, 0xe4, 0x3b1, 0xfe51, 0x010003b1, 0xffffffff };
	struct mw_keymap_key key;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(mw_keymap_find(mw_keymap(US), none[i], &key));
}

static void scan_codes_are_places(void **state)
{
	static const struct {
		uint32_t code;
		uint16_t usage;
	} rows[] = {
		{ 0x01, 0x29 }, { 0x1e, 0x04 }, { 0x1c, 0x28 }, { 0x39, 0x2c }, { 0x2a, 0xe1 },
		{ 0x36, 0xe5 }, { 0x1d, 0xe0 }, { 0x9d, 0xe4 }, { 0xb8, 0xe6 }, { 0xc8, 0x52 },
		{ 0x48, 0x60 }, { 0x58, 0x45 }, { 0x56, 0x64 }, { 0xc6, 0x48 }, { 0xd3, 0x4c },
		{ 0x00, 0 },    { 0x59, 0 },    { 0x80, 0 },    { 0xff, 0 },    { 0x11e, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(mw_keymap_scan_code(rows[i].code), rows[i].usage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_in_order),
		cmocka_unit_test(characters_are_where_they_are_printed),
		cmocka_unit_test(every_layout_has_all_of_ascii),
		cmocka_unit_test(keys_without_characters_are_the_same_everywhere),
		cmocka_unit_test(what_no_key_has_is_not_found),
		cmocka_unit_test(scan_codes_are_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
