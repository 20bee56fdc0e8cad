/* What a floppy drive makes of the image in it: which type it is, and what it cannot read. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type floppy_drive_type;

/* As the `type` property has them. */
enum { TYPE_720K = 2, TYPE_1440K = 3, TYPE_2880K = 4, TYPE_AUTO = 5 };
enum { KIB = 1024, LARGEST = 3840 * KIB };

static uint8_t bytes[LARGEST + 1];

struct drive {
	struct rig *rig;
	struct mw_diagnostics diagnostics;
};

static struct drive drive_with(unsigned type, size_t size)
{
	const struct rig_setting settings[] = { { "type", type, NULL }, { 0 } };
	const struct rig_options options = {
		.settings = settings, .image = bytes, .image_bytes = size, .no_image = !size
	};
	struct drive drive = { 0 };

	assert_true(rig_try(&drive.rig, &floppy_drive_type, &options, &drive.diagnostics));
	return drive;
}

static void drop(struct drive *drive)
{
	rig_destroy(drive->rig);
	mw_diagnostics_fini(&drive->diagnostics);
}

/* As CMOS memory calls it. */
static unsigned type_of(const struct drive *drive)
{
	return floppy_drive_type.firmware.floppy(rig_device(drive->rig)) - 1;
}

static void a_drive_of_no_type_is_for_the_disk_in_it(void **state)
{
	static const struct {
		size_t size;
		unsigned type;
	} cases[] = { { 720 * KIB, TYPE_720K },
		      { 1440 * KIB, TYPE_1440K },
		      { 2880 * KIB, TYPE_2880K },
		      { 0, TYPE_1440K } };

	for (size_t i = 0; i < 4; i++) {
		struct drive drive = drive_with(TYPE_AUTO, cases[i].size);

		assert_int_equal(type_of(&drive), cases[i].type);
		assert_int_equal(drive.diagnostics.count, 0);
		drop(&drive);
	}
}

static void its_type_lasts_whatever_is_in_it_when_it_is_restored(void **state)
{
	struct drive saved = drive_with(TYPE_AUTO, 720 * KIB), drive = drive_with(TYPE_AUTO, 0);
	size_t count;
	const uint8_t *state_bytes = rig_save(saved.rig, &count);

	assert_int_equal(type_of(&drive), TYPE_1440K);
	assert_true(rig_load(drive.rig, state_bytes, count));
	assert_int_equal(type_of(&drive), TYPE_720K);
	rig_reset(drive.rig);
	assert_int_equal(type_of(&drive), TYPE_720K);
	drop(&drive);
	drop(&saved);
}

static void what_is_no_floppy_disk_is_told(void **state)
{
	static const struct {
		unsigned type;
		size_t size;
		const char *said;
	} cases[] = {
		{ TYPE_1440K, 1440 * KIB, NULL },
		{ TYPE_1440K, 1000, NULL }, /* cut short */
		{ TYPE_1440K, LARGEST + 1,
		  "disk.img has 3932161 bytes: no floppy disk, which has up to 3932160" },
		{ TYPE_1440K, 2880 * KIB,
		  "disk.img has 2949120 bytes: a floppy disk for another type of drive" },
		{ TYPE_720K, 1440 * KIB,
		  "disk.img has 1474560 bytes: a floppy disk for another type of drive" },
	};

	for (size_t i = 0; i < 5; i++) {
		struct drive drive = drive_with(cases[i].type, cases[i].size);

		assert_int_equal(drive.diagnostics.warnings, cases[i].said ? 1 : 0);
		if (cases[i].said)
			assert_non_null(strstr(drive.diagnostics.items[0]->message, cases[i].said));
		drop(&drive);
	}
}

static void what_is_put_in_and_is_none_is_logged(void **state)
{
	struct drive drive = drive_with(TYPE_1440K, 0);

	rig_image_change(drive.rig, 0, bytes, 1440 * KIB);
	rig_image_change(drive.rig, 0, NULL, 0);
	assert_null(strstr(rig_log(drive.rig), "bytes"));
	rig_image_change(drive.rig, 0, bytes, LARGEST + 1);
	assert_non_null(strstr(rig_log(drive.rig), "new has 3932161 bytes: no floppy disk"));
	drop(&drive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drive_of_no_type_is_for_the_disk_in_it),
		cmocka_unit_test(its_type_lasts_whatever_is_in_it_when_it_is_restored),
		cmocka_unit_test(what_is_no_floppy_disk_is_told),
		cmocka_unit_test(what_is_put_in_and_is_none_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
