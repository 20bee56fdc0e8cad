/* Disks of raw bytes and overlays as backends: caching, locks, exchange of media. fdatasync goes through a
 * function of the test's (ld --wrap), which counts. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/backend/medium.h"
#include "devices/backend/overlay.h"
#include "tests/support/rig.h"

extern const struct mw_device_type image_file_type, overlay_type, raw_type;

enum { BYTES = 256 * 1024, SECTOR = 512 };

static unsigned syncs;
static bool sync_fails;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	syncs++;
	if (sync_fails) {
		errno = EIO;
		return -1;
	}
	return __real_fdatasync(fd);
}

/** A folder of the test's own. */
static struct {
	char folder[40], disk[64], other[64], overlay[64];
} place;

static void fill(const char *path, size_t count, uint8_t value)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < count; i++)
		fputc((uint8_t)(value + i / SECTOR), file);
	fclose(file);
}

/* Not below /tmp, which may have no direct accesses. */
static int make_place(void **state)
{
	snprintf(place.folder, sizeof(place.folder), "/var/tmp/mw-raw-XXXXXX");
	if (!mkdtemp(place.folder))
		return -1;
	snprintf(place.disk, sizeof(place.disk), "%s/disk", place.folder);
	snprintf(place.other, sizeof(place.other), "%s/other", place.folder);
	snprintf(place.overlay, sizeof(place.overlay), "%s/overlay", place.folder);
	fill(place.disk, BYTES, 0);
	fill(place.other, BYTES / 2, 100);
	return 0;
}

static int remove_place(void **state)
{
	unlink(place.disk);
	unlink(place.other);
	unlink(place.overlay);
	return rmdir(place.folder);
}

static const struct mw_wire *wire_of(const struct mw_device_type *type)
{
	return &type->wires.items[0];
}

static struct rig *raw_with(const char *property, uint64_t value)
{
	const struct rig_setting settings[] = { { "path", 0, place.disk },
						{ property, value, NULL },
						{ 0 } };

	return rig_create(&raw_type, settings);
}

static struct rig *overlay_with(const char *path)
{
	const struct rig_setting settings[] = { { "base", 0, place.disk },
						{ "path", 0, path },
						{ 0 } };

	return rig_create(&overlay_type, settings);
}

static bool write_to(struct rig *rig, const struct mw_device_type *type, uint64_t offset,
		     const void *bytes, size_t count)
{
	return wire_of(type)->on_write(rig_device(rig), offset, bytes, count);
}

static bool write_byte(struct rig *rig, const struct mw_device_type *type, uint64_t offset,
		       uint8_t byte)
{
	return write_to(rig, type, offset, &byte, 1);
}

static uint8_t read_byte(struct rig *rig, uint64_t offset)
{
	uint8_t byte = 0;

	assert_true(rig_image_read(rig, offset, &byte, 1));
	return byte;
}

static uint8_t byte_in(const char *path, off_t offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t byte = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	close(fd);
	return byte;
}

static void expect_refusal(const struct mw_device_type *type, const struct rig_setting *settings,
			   const char *why)
{
	const struct rig_options options = { .settings = settings };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_false(rig_try(&rig, type, &options, &diagnostics));
	assert_true(diagnostics.count > 0);
	if (!strstr(diagnostics.items[0]->message, why))
		fail_msg("`%s` is not about `%s`", diagnostics.items[0]->message, why);
	mw_diagnostics_fini(&diagnostics);
}

static bool change(struct rig *rig, const struct mw_device_type *type, const char *path)
{
	struct mw_diagnostics diagnostics = { 0 };
	bool changed = wire_of(type)->on_change(rig_device(rig), path, &diagnostics);

	assert_int_equal(changed, diagnostics.errors == 0);
	mw_diagnostics_fini(&diagnostics);
	return changed;
}

static bool can_be_direct(void)
{
	const struct mw_medium_options options = { .write = true, .cache = MW_CACHE_NONE };
	struct mw_medium medium;
	struct mw_why why;
	bool can = mw_medium_open(&medium, place.disk, &options, &why);

	mw_medium_close(&medium);
	return can;
}

/* At odd places and lengths, from memory of odd alignment. */
static void compare_with_model(struct rig *rig)
{
	static uint8_t model[BYTES], got[BYTES + 1];
	uint64_t random = 12345;

	assert_true(rig_image_read(rig, 0, model, BYTES));
	for (unsigned i = 0; i < 300; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		size_t offset = (size_t)(random >> 33) % BYTES;
		size_t count = (size_t)(random >> 13) % (i % 8 ? 3000 : BYTES);

		count = count < BYTES - offset ? count : BYTES - offset;
		memset(model + offset, (int)i, count);
		assert_true(write_to(rig, &raw_type, offset, model + offset, count));
		assert_true(rig_image_read(rig, offset / 2, got + 1, count));
		assert_memory_equal(got + 1, model + offset / 2, count);
	}
	assert_true(rig_image_read(rig, 0, got, BYTES));
	assert_memory_equal(got, model, BYTES);
}

static void what_is_written_is_read_back_however_it_is_cached(void **state)
{
	for (uint64_t cache = 0; mw_cache_names[cache]; cache++) {
		if (cache == MW_CACHE_NONE && !can_be_direct())
			continue;
		struct rig *rig = raw_with("cache", cache);

		compare_with_model(rig);
		rig_destroy(rig);
	}
}

static void direct_access_to_odd_sectors(void **state)
{
	if (!can_be_direct())
		return;
	assert_int_equal(truncate(place.disk, BYTES - SECTOR), 0);
	struct rig *rig = raw_with("cache", MW_CACHE_NONE);

	assert_true(write_byte(rig, &raw_type, BYTES - SECTOR - 1, 9));
	assert_int_equal(read_byte(rig, BYTES - SECTOR - 1), 9);
	assert_false(write_byte(rig, &raw_type, BYTES - SECTOR, 9));
	rig_destroy(rig);
	const struct rig_setting settings[] = { { "path", 0, place.disk },
						{ "cache", MW_CACHE_NONE, NULL },
						{ 0 } };

	assert_int_equal(truncate(place.disk, 1000), 0);
	expect_refusal(&raw_type, settings, "whole sectors");
}

static void syncs_are_as_the_cache_says(void **state)
{
	static const unsigned per_write[] = { 0, 1, 0, 0 }, per_flush[] = { 1, 1, 1, 0 };

	for (uint64_t cache = 0; mw_cache_names[cache]; cache++) {
		if (cache == MW_CACHE_NONE && !can_be_direct())
			continue;
		struct rig *rig = raw_with("cache", cache);

		syncs = 0;
		assert_true(write_byte(rig, &raw_type, 5, 1));
		assert_int_equal(syncs, per_write[cache]);
		syncs = 0;
		assert_true(wire_of(&raw_type)->on_flush(rig_device(rig)));
		assert_int_equal(syncs, per_flush[cache]);
		rig_destroy(rig);
	}
}

static void disk_does_not_grow(void **state)
{
	struct rig *rig = raw_with("read_only", false);
	uint8_t bytes[2] = { 0 };
	struct stat status;

	assert_false(write_to(rig, &raw_type, BYTES - 1, bytes, 2));
	assert_false(write_to(rig, &raw_type, UINT64_MAX, bytes, 2));
	assert_false(rig_image_read(rig, BYTES - 1, bytes, 2));
	assert_false(wire_of(&raw_type)->on_discard(rig_device(rig), BYTES - 1, UINT64_MAX));
	assert_int_equal(rig_image_size(rig), BYTES);
	rig_destroy(rig);
	assert_int_equal(stat(place.disk, &status), 0);
	assert_int_equal(status.st_size, BYTES);
}

static void read_only_disk_is_not_written(void **state)
{
	struct rig *rig = raw_with("read_only", true);

	assert_false(wire_of(&raw_type)->on_writable(rig_device(rig)));
	assert_false(write_byte(rig, &raw_type, 0, 77));
	assert_false(wire_of(&raw_type)->on_discard(rig_device(rig), 0, SECTOR));
	assert_int_equal(read_byte(rig, 0), 0);
	rig_destroy(rig);
	rig = raw_with("read_only", false);
	assert_true(wire_of(&raw_type)->on_writable(rig_device(rig)));
	rig_destroy(rig);
}

static void two_do_not_write_one_file(void **state)
{
	const struct rig_setting writer[] = { { "path", 0, place.disk }, { 0 } };
	const struct rig_setting reader[] = { { "path", 0, place.disk },
					      { "read_only", true, NULL },
					      { 0 } };
	struct rig *first = rig_create(&raw_type, writer);

	expect_refusal(&raw_type, writer, "someone else uses it");
	expect_refusal(&raw_type, reader, "someone else writes it");
	expect_refusal(&image_file_type, writer, "someone else writes it");
	rig_destroy(first);
	first = rig_create(&raw_type, reader);
	struct rig *second = rig_create(&raw_type, reader);

	expect_refusal(&raw_type, writer, "someone else uses it");
	rig_destroy(second);
	rig_destroy(first);
	rig_destroy(rig_create(&raw_type, writer));
}

static blkcnt_t blocks_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_blocks;
}

static void discard_gives_back_what_it_may(void **state)
{
	struct rig *rig = raw_with("discard", 0);
	blkcnt_t before = blocks_of(place.disk);

	assert_true(wire_of(&raw_type)->on_discard(rig_device(rig), 0, BYTES / 2));
	assert_int_equal(blocks_of(place.disk), before);
	assert_int_equal(read_byte(rig, SECTOR), 1);
	rig_destroy(rig);
	rig = raw_with("discard", 1);
	assert_true(wire_of(&raw_type)->on_discard(rig_device(rig), 0, BYTES / 2));
	assert_int_equal(read_byte(rig, BYTES / 2 + SECTOR), (uint8_t)(BYTES / 2 / SECTOR + 1));
	assert_int_equal(rig_image_size(rig), BYTES);
	assert_true(blocks_of(place.disk) <= before);
	rig_destroy(rig);
}

static void empty_drive_takes_a_medium_and_gives_it_back(void **state)
{
	const struct rig_setting settings[] = { { "path", 0, "/dev/null" }, { 0 } };
	uint8_t byte;

	rig_destroy(rig_create(&raw_type, NULL));
	struct rig *rig = rig_create(&raw_type, settings);

	assert_int_equal(rig_image_size(rig), 0);
	assert_false(wire_of(&raw_type)->on_writable(rig_device(rig)));
	assert_false(rig_image_read(rig, 0, &byte, 1));
	assert_false(write_byte(rig, &raw_type, 0, 1));
	assert_false(wire_of(&raw_type)->on_flush(rig_device(rig)));
	assert_true(change(rig, &raw_type, place.disk));
	assert_int_equal(rig_image_size(rig), BYTES);
	assert_true(write_byte(rig, &raw_type, 0, 1));
	assert_false(change(rig, &raw_type, "/no/such/file"));
	assert_int_equal(read_byte(rig, 0), 1); /* as it was */
	assert_true(change(rig, &raw_type, place.other));
	assert_int_equal(rig_image_size(rig), BYTES / 2);
	assert_int_equal(read_byte(rig, 0), 100);
	assert_true(change(rig, &raw_type, NULL));
	assert_int_equal(rig_image_size(rig), 0);
	assert_true(change(rig, &raw_type, "/dev/null")); /* the same */
	assert_int_equal(rig_image_size(rig), 0);
	rig_destroy(rig);
	assert_int_equal(byte_in(place.disk, 0), 1);
}

static void read_only_medium_is_exchanged_too(void **state)
{
	const struct rig_setting settings[] = { { "path", 0, place.disk }, { 0 } };
	struct rig *rig = rig_create(&image_file_type, settings);

	assert_int_equal(read_byte(rig, SECTOR), 1);
	assert_true(change(rig, &image_file_type, place.other));
	assert_int_equal(read_byte(rig, SECTOR), 101);
	assert_true(change(rig, &image_file_type, NULL));
	assert_int_equal(rig_image_size(rig), 0);
	rig_destroy(rig);
}

static void temporary_overlay_is_forgotten(void **state)
{
	struct rig *rig = overlay_with("");

	assert_int_equal(rig_image_size(rig), BYTES);
	assert_true(write_byte(rig, &overlay_type, SECTOR, 55));
	assert_int_equal(read_byte(rig, SECTOR), 55);
	assert_int_equal(read_byte(rig, 2 * SECTOR), 2);
	assert_true(wire_of(&overlay_type)->on_flush(rig_device(rig)));
	assert_true(change(rig, &overlay_type, place.other));
	assert_int_equal(read_byte(rig, SECTOR), 101);
	assert_true(change(rig, &overlay_type, NULL));
	assert_int_equal(rig_image_size(rig), 0);
	assert_false(write_byte(rig, &overlay_type, 0, 1));
	rig_destroy(rig);
	assert_int_equal(byte_in(place.disk, SECTOR), 1);
}

static void overlay_file_is_made_and_found_again(void **state)
{
	struct rig *rig = overlay_with(place.overlay);

	assert_true(write_byte(rig, &overlay_type, SECTOR, 55));
	assert_false(change(rig, &overlay_type, place.other));
	rig_destroy(rig);
	rig = overlay_with(place.overlay);
	assert_int_equal(read_byte(rig, SECTOR), 55);
	assert_int_equal(read_byte(rig, 2 * SECTOR), 2);
	rig_destroy(rig);
	assert_int_equal(byte_in(place.disk, SECTOR), 1);
}

/* The base is only read, so two machines may have overlays over one; but nobody writes it meanwhile. */
static void base_is_shared_and_stays(void **state)
{
	const struct rig_setting writer[] = { { "path", 0, place.disk }, { 0 } };
	struct rig *first = overlay_with(""), *second = overlay_with(place.overlay);
	const struct rig_setting same[] = { { "base", 0, place.disk },
					    { "path", 0, place.overlay },
					    { 0 } };

	expect_refusal(&raw_type, writer, "someone else uses it");
	expect_refusal(&overlay_type, same, "someone else uses it");
	rig_destroy(second);
	rig_destroy(first);
}

static void overlay_that_does_not_fit_its_base_is_refused(void **state)
{
	const struct rig_setting settings[] = { { "base", 0, place.disk },
						{ "path", 0, place.overlay },
						{ 0 } };
	const struct rig_setting swapped[] = { { "base", 0, place.other },
					       { "path", 0, place.overlay },
					       { 0 } };
	const struct timespec times[2] = { { 5, 0 }, { 5, 0 } };

	rig_destroy(overlay_with(place.overlay));
	expect_refusal(&overlay_type, swapped, "it was made over");
	assert_int_equal(utimensat(AT_FDCWD, place.disk, times, 0), 0);
	expect_refusal(&overlay_type, settings, "written to since");
	assert_int_equal(truncate(place.disk, BYTES * 2), 0);
	expect_refusal(&overlay_type, settings, "another size");
	fill(place.overlay, SECTOR, 1);
	expect_refusal(&overlay_type, settings, "no qcow2 image");
	fill(place.overlay, 0, 1);
	expect_refusal(&overlay_type, settings, "no qcow2 image");
	assert_int_equal(truncate(place.disk, 0), 0);
	expect_refusal(&overlay_type, settings, "it is empty");
}

static struct mw_image_facts facts_of(struct rig *rig, const struct mw_device_type *type)
{
	struct mw_image_facts facts = { 0 };

	wire_of(type)->on_facts(rig_device(rig), &facts);
	return facts;
}

static void set_time(const char *path, time_t when)
{
	const struct timespec times[2] = { { when, 0 }, { when, 0 } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void file_is_known_by_size_and_time(void **state)
{
	struct mw_image_facts facts;
	struct rig *rig;

	set_time(place.disk, 5);
	rig = raw_with("cache", MW_CACHE_WRITEBACK);
	facts = facts_of(rig, &raw_type);
	assert_int_equal(facts.size, BYTES);
	assert_int_equal(facts.modified_ns, UINT64_C(5000000000));
	assert_false(facts.fleeting);
	assert_true(write_byte(rig, &raw_type, 0, 1));
	assert_int_not_equal(facts_of(rig, &raw_type).modified_ns, UINT64_C(5000000000));
	assert_true(change(rig, &raw_type, NULL));
	assert_int_equal(facts_of(rig, &raw_type).size, 0);
	rig_destroy(rig);
}

static void overlay_that_was_only_opened_keeps_its_time(void **state)
{
	struct rig *rig = overlay_with(place.overlay);

	assert_true(write_byte(rig, &overlay_type, SECTOR, 55));
	rig_destroy(rig);
	set_time(place.overlay, 5);
	rig = overlay_with(place.overlay);
	assert_int_equal(read_byte(rig, SECTOR), 55);
	assert_int_equal(facts_of(rig, &overlay_type).modified_ns, UINT64_C(5000000000));
	rig_destroy(rig);
	rig = overlay_with(place.overlay);
	assert_int_equal(facts_of(rig, &overlay_type).modified_ns, UINT64_C(5000000000));
	rig_destroy(rig);
}

static void what_a_temporary_overlay_has_is_fleeting(void **state)
{
	struct rig *rig = overlay_with(place.overlay);

	assert_true(write_byte(rig, &overlay_type, SECTOR, 55));
	assert_false(facts_of(rig, &overlay_type).fleeting);
	rig_destroy(rig);
	rig = overlay_with("");
	assert_int_equal(read_byte(rig, SECTOR), 1);
	assert_int_equal(facts_of(rig, &overlay_type).size, BYTES);
	assert_false(facts_of(rig, &overlay_type).fleeting);
	assert_true(write_byte(rig, &overlay_type, SECTOR, 55));
	assert_true(facts_of(rig, &overlay_type).fleeting);
	assert_true(change(rig, &overlay_type, place.other));
	assert_false(facts_of(rig, &overlay_type).fleeting);
	rig_destroy(rig);
}

static void overlay_over_nothing_is_an_empty_drive(void **state)
{
	const struct rig_setting settings[] = { { "base", 0, "/dev/null" }, { 0 } };
	struct rig *rig = rig_create(&overlay_type, settings);

	assert_int_equal(rig_image_size(rig), 0);
	assert_true(change(rig, &overlay_type, place.disk));
	assert_int_equal(read_byte(rig, SECTOR), 1);
	assert_true(change(rig, &overlay_type, "/dev/null"));
	assert_int_equal(rig_image_size(rig), 0);
	rig_destroy(rig);
}

static void medium_whose_writes_fail_stays_in(void **state)
{
	struct rig *rig = raw_with("cache", MW_CACHE_WRITEBACK);

	assert_true(write_byte(rig, &raw_type, SECTOR, 55));
	sync_fails = true;
	assert_false(change(rig, &raw_type, place.other));
	assert_false(change(rig, &raw_type, NULL));
	sync_fails = false;
	assert_int_equal(read_byte(rig, SECTOR), 55);
	assert_true(change(rig, &raw_type, place.other));
	assert_true(write_byte(rig, &raw_type, SECTOR, 56));
	sync_fails = true;
	rig_stop(rig);
	rig_destroy(rig);
	sync_fails = false;
}

static void overlay_is_made_once(void **state)
{
	struct mw_why why = { "" };

	assert_true(mw_overlay_create(place.disk, place.overlay, &why));
	assert_false(mw_overlay_create(place.disk, place.overlay, &why));
	assert_non_null(strstr(why.text, "File exists"));
	assert_false(mw_overlay_create("/no/such/base", place.overlay, &why));
	rig_destroy(overlay_with(place.overlay));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(what_is_written_is_read_back_however_it_is_cached),
		IN_PLACE(direct_access_to_odd_sectors),
		IN_PLACE(syncs_are_as_the_cache_says),
		IN_PLACE(disk_does_not_grow),
		IN_PLACE(read_only_disk_is_not_written),
		IN_PLACE(two_do_not_write_one_file),
		IN_PLACE(discard_gives_back_what_it_may),
		IN_PLACE(empty_drive_takes_a_medium_and_gives_it_back),
		IN_PLACE(read_only_medium_is_exchanged_too),
		IN_PLACE(temporary_overlay_is_forgotten),
		IN_PLACE(overlay_file_is_made_and_found_again),
		IN_PLACE(base_is_shared_and_stays),
		IN_PLACE(overlay_that_does_not_fit_its_base_is_refused),
		IN_PLACE(overlay_is_made_once),
		IN_PLACE(file_is_known_by_size_and_time),
		IN_PLACE(overlay_that_was_only_opened_keeps_its_time),
		IN_PLACE(what_a_temporary_overlay_has_is_fleeting),
		IN_PLACE(overlay_over_nothing_is_an_empty_drive),
		IN_PLACE(medium_whose_writes_fail_stays_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
