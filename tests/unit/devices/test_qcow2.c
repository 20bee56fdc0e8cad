/* Overlay images: what is read back, what a crash at any moment leaves, and what is refused. The file's writes go
 * through __wrap functions (ld --wrap), so that they can be played again in part. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/alloc.h"
#include "devices/backend/qcow2_internal.h"

enum { CLUSTER = QCOW2_CLUSTER, SECTOR = 512, SECTORS = CLUSTER / SECTOR };
static const uint64_t gib = UINT64_C(1) << 30;

/* What happened to the file, in order. */
struct event {
	enum { EVENT_WRITE, EVENT_SYNC, EVENT_CUT } kind;
	uint64_t offset;
	size_t count;
	uint8_t *bytes;
	unsigned step; /* of the test */
};
enum { MOST_EVENTS = 20000 };
static struct {
	bool on, full; /* `full`: nothing more can be written */
	unsigned step;
	size_t count;
	struct event events[MOST_EVENTS];
} recorded;

static void record(struct event event, const void *bytes)
{
	if (!recorded.on)
		return;
	assert_true(recorded.count < MOST_EVENTS);
	if (bytes) {
		event.bytes = mw_alloc(1, event.count);
		memcpy(event.bytes, bytes, event.count);
	}
	event.step = recorded.step;
	recorded.events[recorded.count++] = event;
}

static void forget(void)
{
	for (size_t i = 0; i < recorded.count; i++)
		free(recorded.events[i].bytes);
	memset(&recorded, 0, sizeof(recorded));
}

ssize_t __real_pwrite(int fd, const void *bytes, size_t count, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t count, off_t offset);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
	if (recorded.full)
		return -1;
	record((struct event){ EVENT_WRITE, (uint64_t)offset, count, NULL, 0 }, bytes);
	return __real_pwrite(fd, bytes, count, offset);
}

int __wrap_fdatasync(int fd)
{
	record((struct event){ EVENT_SYNC, 0, 0, NULL, 0 }, NULL);
	return 0;
}

int __wrap_ftruncate(int fd, off_t size)
{
	record((struct event){ EVENT_CUT, (uint64_t)size, 0, NULL, 0 }, NULL);
	return __real_ftruncate(fd, size);
}

static uint64_t random_state = 1;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/** A file in memory, and a medium on it. */
struct store {
	int fd;
	struct mw_medium medium;
};

static void open_store(struct store *store, bool write)
{
	const struct mw_medium_options options = { .write = write };
	struct mw_why why;
	char path[32];

	mw_medium_close(&store->medium);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", store->fd);
	assert_true(mw_medium_open(&store->medium, path, &options, &why));
}

static void make_store(struct store *store, uint64_t size, bool write)
{
	*store = (struct store){ .fd = memfd_create("store", MFD_CLOEXEC) };
	assert_int_equal(__real_ftruncate(store->fd, (off_t)size), 0);
	open_store(store, write);
}

static void drop_store(struct store *store)
{
	mw_medium_close(&store->medium);
	close(store->fd);
}

/** What each sector of the base reads as: its number, again and again. */
static void fill_base(uint8_t *bytes, uint64_t offset, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t sector = (offset + i) / SECTOR;

		bytes[i] = (uint8_t)(sector >> (8 * (i % 4)) ^ 0x5a);
	}
}

struct bench {
	struct store base, file;
	struct mw_qcow2 *image;
};

/** `given`: how much of the base has bytes of its own; the rest is zeros. */
static void make_bench(struct bench *bench, uint64_t size, uint64_t given)
{
	struct mw_why why;

	*bench = (struct bench){ 0 };
	make_store(&bench->base, size, false);
	for (uint64_t at = 0; at < given; at += CLUSTER) {
		uint8_t bytes[CLUSTER];
		size_t count = given - at < CLUSTER ? (size_t)(given - at) : CLUSTER;

		fill_base(bytes, at, count);
		assert_int_equal(__real_pwrite(bench->base.fd, bytes, count, (off_t)at), count);
	}
	make_store(&bench->file, 0, true);
	assert_true(mw_qcow2_create(&bench->file.medium, size, &bench->base.medium, "/base", &why));
	assert_true(mw_qcow2_open(&bench->image, &bench->file.medium, &bench->base.medium, &why));
}

static void reopen(struct bench *bench)
{
	struct mw_why why;

	assert_true(mw_qcow2_close(bench->image));
	open_store(&bench->file, true);
	assert_true(mw_qcow2_open(&bench->image, &bench->file.medium, &bench->base.medium, &why));
}

static void drop_bench(struct bench *bench)
{
	assert_true(mw_qcow2_close(bench->image));
	drop_store(&bench->file);
	drop_store(&bench->base);
}

static uint64_t file_number(int fd, uint64_t offset, unsigned size)
{
	uint8_t bytes[8] = { 0 };

	assert_true(pread(fd, bytes, size, (off_t)offset) >= 0);
	return qcow2_get(bytes, size);
}

/** The count of a cluster, found as the format's description says. */
static uint64_t count_of(int fd, uint64_t cluster)
{
	uint64_t table = file_number(fd, 48, 8);
	uint64_t block = file_number(fd, table + cluster / QCOW2_COUNTS * 8, 8);

	return block ? file_number(fd, block + cluster % QCOW2_COUNTS * 2, 2) : 0;
}

static void expect_counted(int fd, uint64_t entry)
{
	if (entry & QCOW2_OFFSET)
		assert_int_equal(count_of(fd, (entry & QCOW2_OFFSET) / CLUSTER), 1);
}

/** Every cluster that something leads to has a count of one. */
static void expect_all_counted(int fd)
{
	uint64_t l1 = file_number(fd, 40, 8), entries = file_number(fd, 36, 4);

	for (uint64_t i = 0; i < entries; i++) {
		uint64_t table = file_number(fd, l1 + i * 8, 8) & QCOW2_OFFSET;

		expect_counted(fd, table);
		for (uint64_t e = 0; table && e < QCOW2_ENTRIES; e++)
			expect_counted(fd, file_number(fd, table + e * 8, 8));
	}
}

static void expect_bytes(struct bench *bench, uint64_t offset, const uint8_t *wanted, size_t count)
{
	uint8_t *got = mw_alloc(1, count);

	assert_true(mw_qcow2_read(bench->image, offset, got, count));
	assert_memory_equal(got, wanted, count);
	free(got);
}

static void empty_overlay_reads_as_its_base(void **state)
{
	enum { BYTES = 3 * CLUSTER + 1000 };
	static uint8_t wanted[BYTES];
	struct bench bench;

	make_bench(&bench, BYTES, BYTES);
	fill_base(wanted, 0, BYTES);
	assert_int_equal(mw_qcow2_size(bench.image), (BYTES + 511) / 512 * 512);
	expect_bytes(&bench, 0, wanted, BYTES);
	expect_bytes(&bench, 700, wanted + 700, CLUSTER);
	drop_bench(&bench);
}

static void disk_ends_where_it_ends(void **state)
{
	struct bench bench;
	uint8_t bytes[2 * SECTOR] = { 0 };

	make_bench(&bench, 3 * CLUSTER, 0);
	assert_false(mw_qcow2_read(bench.image, 3 * CLUSTER - SECTOR, bytes, 2 * SECTOR));
	assert_false(mw_qcow2_write(bench.image, 3 * CLUSTER - SECTOR, bytes, 2 * SECTOR));
	assert_false(mw_qcow2_read(bench.image, UINT64_MAX, bytes, 1));
	assert_false(mw_qcow2_write(bench.image, UINT64_MAX - 10, bytes, 20));
	assert_false(mw_qcow2_discard(bench.image, 0, UINT64_MAX));
	drop_bench(&bench);
}

/* Against a plain array, with the image opened again now and then. */
static void what_is_written_is_read_back(void **state)
{
	enum { BYTES = 40 * CLUSTER + 3 * SECTOR, ROUNDS = 600 };
	uint8_t *model = mw_alloc(1, BYTES), *base = mw_alloc(1, BYTES);
	struct bench bench;

	make_bench(&bench, BYTES, BYTES);
	fill_base(base, 0, BYTES);
	memcpy(model, base, BYTES);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t offset = draw(BYTES);
		size_t count = (size_t)draw(draw(4) ? 5000 : 4 * CLUSTER);

		count = count < BYTES - offset ? count : (size_t)(BYTES - offset);
		for (size_t b = 0; b < count; b++)
			model[offset + b] = (uint8_t)draw(256);
		assert_true(mw_qcow2_write(bench.image, offset, model + offset, count));
		offset = draw(BYTES);
		expect_bytes(&bench, offset, model + offset, (size_t)draw(BYTES - offset));
		if (draw(40) == 0)
			reopen(&bench);
		else if (draw(10) == 0)
			assert_true(mw_qcow2_flush(bench.image));
	}
	expect_bytes(&bench, 0, model, BYTES);
	assert_true(mw_qcow2_flush(bench.image));
	expect_all_counted(bench.file.fd);
	assert_true(mw_medium_read(&bench.base.medium, 0, model, BYTES));
	assert_memory_equal(model, base, BYTES); /* nothing went there */
	free(model);
	free(base);
	drop_bench(&bench);
}

/* More tables than are held in memory, each written and found again. */
static void tables_come_and_go(void **state)
{
	enum { TABLES = 3 * QCOW2_TABLES };
	struct bench bench;

	make_bench(&bench, TABLES * gib / 2, 0);
	for (unsigned round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < TABLES; i++) {
			uint64_t value = i << 8 | round;

			assert_true(mw_qcow2_write(bench.image, i * gib / 2 + round * CLUSTER,
						   &value, sizeof(value)));
		}
	}
	reopen(&bench);
	for (uint64_t i = 0; i < 3 * TABLES; i++) {
		uint64_t value = i / 3 << 8 | i % 3;

		expect_bytes(&bench, i / 3 * gib / 2 + i % 3 * CLUSTER, (uint8_t *)&value, 8);
	}
	expect_all_counted(bench.file.fd);
	drop_bench(&bench);
}

/* Behind cluster 32767 counts go into a second block. */
static void counts_go_on_in_a_new_block(void **state)
{
	uint64_t far = (uint64_t)(QCOW2_COUNTS - 3) * CLUSTER;
	struct bench bench;
	uint8_t bytes[8] = { 1 };

	make_bench(&bench, gib, 0);
	assert_true(mw_qcow2_write(bench.image, 0, bytes, 8));
	assert_true(mw_qcow2_flush(bench.image));
	/* the cluster is moved far out, so that the file goes on from there */
	uint64_t table = file_number(bench.file.fd, file_number(bench.file.fd, 40, 8), 8);

	table &= QCOW2_OFFSET;
	qcow2_put(bytes, 8, far | QCOW2_COPIED);
	assert_int_equal(__real_pwrite(bench.file.fd, bytes, 8, (off_t)table), 8);
	assert_int_equal(__real_ftruncate(bench.file.fd, (off_t)far + CLUSTER), 0);
	reopen(&bench);
	for (uint64_t i = 1; i < 10; i++)
		assert_true(mw_qcow2_write(bench.image, i * CLUSTER, &i, sizeof(i)));
	reopen(&bench);
	for (uint64_t i = 1; i < 10; i++) {
		expect_bytes(&bench, i * CLUSTER, (uint8_t *)&i, sizeof(i));
		expect_counted(bench.file.fd, file_number(bench.file.fd, table + i * 8, 8));
	}
	drop_bench(&bench);
}

static void discarded_clusters_read_as_zeros_and_nothing_else_does(void **state)
{
	static uint8_t ones[3 * CLUSTER], zeros[CLUSTER], base[CLUSTER];
	struct bench bench;

	make_bench(&bench, 8 * CLUSTER, 8 * CLUSTER);
	bench.file.medium.unmap = true;
	memset(ones, 1, sizeof(ones));
	assert_true(mw_qcow2_write(bench.image, CLUSTER, ones, sizeof(ones)));
	assert_true(mw_qcow2_discard(bench.image, 0, 3 * CLUSTER));
	fill_base(base, 0, CLUSTER);
	expect_bytes(&bench, 0, base, CLUSTER);
	expect_bytes(&bench, CLUSTER, zeros, CLUSTER);
	expect_bytes(&bench, 2 * CLUSTER, zeros, CLUSTER);
	expect_bytes(&bench, 3 * CLUSTER, ones, CLUSTER);
	drop_bench(&bench);
}

static void extents_tell_what_is_the_images_own(void **state)
{
	static uint8_t bytes[2 * CLUSTER];
	struct bench bench;
	bool own = true;

	make_bench(&bench, gib, 0);
	assert_int_equal(mw_qcow2_extent(bench.image, 0, &own), gib / 2);
	assert_false(own);
	assert_true(mw_qcow2_write(bench.image, 5 * CLUSTER, bytes, sizeof(bytes)));
	assert_int_equal(mw_qcow2_extent(bench.image, 0, &own), 5 * CLUSTER);
	assert_false(own);
	assert_int_equal(mw_qcow2_extent(bench.image, 5 * CLUSTER + 7, &own), 2 * CLUSTER - 7);
	assert_true(own);
	assert_int_equal(mw_qcow2_extent(bench.image, gib, &own), 0);
	drop_bench(&bench);
}

/* A file system that is full: nothing is lost of what was there, and it goes on when there is room. */
static void full_host_is_an_error_and_no_damage(void **state)
{
	uint8_t bytes[SECTOR], wanted[SECTOR];
	struct bench bench;

	make_bench(&bench, gib, gib / 1024);
	memset(bytes, 1, sizeof(bytes));
	assert_true(mw_qcow2_write(bench.image, 0, bytes, SECTOR));
	recorded.full = true;
	assert_false(mw_qcow2_write(bench.image, 2 * CLUSTER, bytes, SECTOR));
	assert_false(mw_qcow2_flush(bench.image));
	recorded.full = false;
	fill_base(wanted, 2 * CLUSTER, SECTOR);
	expect_bytes(&bench, 2 * CLUSTER, wanted, SECTOR);
	reopen(&bench);
	expect_bytes(&bench, 0, bytes, SECTOR);
	drop_bench(&bench);
}

/* Crashes. Sectors of some clusters hold a number: how often the test has written them. */

enum { PLACES = 24, STEPS = 160, GIVEN = 16 * CLUSTER };
static uint64_t places[PLACES];
static struct history {
	uint32_t version[STEPS + 1]; /* after each step */
} histories[PLACES][4];
static uint32_t flushed_at[STEPS + 1]; /* the last step that was flushed, at each step */

static uint64_t sector_at(unsigned place, unsigned sector)
{
	static const unsigned sectors[4] = { 0, 1, 77, SECTORS - 1 };

	return places[place] + (uint64_t)sectors[sector] * SECTOR;
}

static void fill_sector(uint8_t *bytes, uint64_t offset, uint32_t version)
{
	if (!version) {
		memset(bytes, 0, SECTOR);
		if (offset < GIVEN)
			fill_base(bytes, offset, SECTOR);
		return;
	}
	for (size_t i = 0; i < SECTOR; i += 4)
		memcpy(bytes + i, &version, sizeof(version));
}

static void choose_places(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		places[i] = (i % 3) * gib / 2 + (uint64_t)i / 3 * CLUSTER * (i % 2 ? 1 : 3);
}

/** Writes as a guest does, flushes now and then, and notes what was true when. */
static void live(struct bench *bench)
{
	for (unsigned step = 1; step <= STEPS; step++) {
		unsigned place = (unsigned)draw(PLACES), sector = (unsigned)draw(4);
		uint8_t bytes[SECTOR];

		recorded.step = step;
		flushed_at[step] = flushed_at[step - 1];
		for (unsigned i = 0; i < PLACES * 4; i++)
			histories[i / 4][i % 4].version[step] =
				histories[i / 4][i % 4].version[step - 1];
		if (draw(8) == 0) {
			assert_true(mw_qcow2_flush(bench->image));
			recorded.step = step + 1; /* what comes now is after the flush */
			flushed_at[step] = step;
			continue;
		}
		histories[place][sector].version[step] = step;
		fill_sector(bytes, sector_at(place, sector), step);
		assert_true(mw_qcow2_write(bench->image, sector_at(place, sector), bytes, SECTOR));
	}
}

static void play_write(int fd, const struct event *event, bool torn)
{
	for (size_t at = 0; at < event->count;) {
		size_t part = SECTOR - (event->offset + at) % SECTOR;

		part = part < event->count - at ? part : event->count - at;
		if (!torn || draw(2))
			assert_int_equal(__real_pwrite(fd, event->bytes + at, part,
						       (off_t)(event->offset + at)),
					 part);
		at += part;
	}
}

static void play(int fd, const struct event *event, bool torn)
{
	if (event->kind == EVENT_CUT)
		assert_int_equal(__real_ftruncate(fd, (off_t)event->offset), 0);
	if (event->kind == EVENT_WRITE && !torn)
		assert_int_equal(
			__real_pwrite(fd, event->bytes, event->count, (off_t)event->offset),
			event->count);
	if (event->kind == EVENT_WRITE && torn)
		play_write(fd, event, true);
}

/** A sector holds what was flushed, or something that was written to it afterwards. */
static void expect_survivor(struct mw_qcow2 *image, unsigned place, unsigned sector, unsigned step)
{
	const struct history *history = &histories[place][sector];
	uint8_t got[SECTOR], wanted[SECTOR];
	unsigned from = flushed_at[step ? step - 1 : 0];
	bool found = false;

	assert_true(mw_qcow2_read(image, sector_at(place, sector), got, SECTOR));
	for (unsigned s = from; s <= step && s <= STEPS && !found; s++) {
		fill_sector(wanted, sector_at(place, sector), history->version[s]);
		found = memcmp(got, wanted, SECTOR) == 0;
	}
	assert_true(found);
}

static void expect_good_crash(struct bench *bench, struct store *crash, unsigned step)
{
	struct mw_qcow2 *image;
	struct mw_why why;

	expect_all_counted(crash->fd);
	open_store(crash, true);
	if (!mw_qcow2_open(&image, &crash->medium, &bench->base.medium, &why))
		fail_msg("step %u: %s", step, why.text);
	for (unsigned i = 0; i < PLACES * 4; i++)
		expect_survivor(image, i / 4, i % 4, step);
	assert_true(mw_qcow2_close(image));
	expect_all_counted(crash->fd);
}

static void copy_file(int from, int to, uint64_t size)
{
	static uint8_t bytes[CLUSTER];

	assert_int_equal(__real_ftruncate(to, 0), 0);
	for (uint64_t at = 0; at < size; at += CLUSTER) {
		ssize_t count = pread(from, bytes, CLUSTER, (off_t)at);

		assert_true(count > 0);
		assert_int_equal(__real_pwrite(to, bytes, (size_t)count, (off_t)at), count);
	}
}

/** All up to `last` has reached the file, but of what came after the last sync some is missing or torn where
 * power was lost. */
static void crash_at(struct bench *bench, struct store *empty, size_t last, bool power)
{
	struct store crash;
	size_t synced = 0;

	make_store(&crash, 0, false);
	copy_file(empty->fd, crash.fd, empty->medium.size);
	for (size_t i = 0; i < last; i++) {
		if (recorded.events[i].kind == EVENT_SYNC)
			synced = i;
	}
	for (size_t i = 0; i < last; i++) {
		bool whole = i < synced || !power;

		if (whole || draw(3))
			play(crash.fd, &recorded.events[i], !whole && draw(2));
	}
	expect_good_crash(bench, &crash, recorded.events[last - 1].step);
	drop_store(&crash);
}

static void crash_everywhere(bool power)
{
	struct store empty;
	struct bench bench;

	random_state = power ? 7 : 8;
	memset(histories, 0, sizeof(histories));
	memset(flushed_at, 0, sizeof(flushed_at));
	choose_places();
	make_bench(&bench, 3 * gib / 2, GIVEN);
	make_store(&empty, 0, true);
	copy_file(bench.file.fd, empty.fd, bench.file.medium.size);
	open_store(&empty, true);
	recorded.on = true;
	live(&bench);
	recorded.on = false;
	assert_true(recorded.count > STEPS);
	for (size_t i = 1; i < recorded.count; i += 1 + draw(3))
		crash_at(&bench, &empty, i, power);
	forget();
	drop_store(&empty);
	drop_bench(&bench);
}

static void killed_process_loses_nothing_that_was_flushed(void **state)
{
	crash_everywhere(false);
}

static void lost_power_loses_nothing_that_was_flushed(void **state)
{
	crash_everywhere(true);
}

/* Files that someone else made. */

struct spoil {
	uint64_t at; /* negative numbers count from the L2 table */
	unsigned size;
	uint64_t value;
	const char *why;
};

static void expect_spoilt(const struct spoil *spoil)
{
	struct mw_why why = { "" };
	struct mw_qcow2 *image;
	struct bench bench;
	uint8_t bytes[8];
	uint64_t at = spoil->at;

	make_bench(&bench, gib, 0);
	assert_true(mw_qcow2_write(bench.image, 0, &at, sizeof(at)));
	assert_true(mw_qcow2_flush(bench.image));
	if (at >= 1u << 30)
		at = at - (1u << 30) +
		     (file_number(bench.file.fd, file_number(bench.file.fd, 40, 8), 8) &
		      QCOW2_OFFSET);
	qcow2_put(bytes, spoil->size, spoil->value);
	assert_int_equal(__real_pwrite(bench.file.fd, bytes, spoil->size, (off_t)at), spoil->size);
	mw_qcow2_close(bench.image);
	open_store(&bench.file, true);
	assert_false(mw_qcow2_open(&image, &bench.file.medium, &bench.base.medium, &why));
	if (!strstr(why.text, spoil->why))
		fail_msg("`%s` is not about `%s`", why.text, spoil->why);
	drop_store(&bench.file);
	drop_store(&bench.base);
}

static void spoilt_images_are_refused(void **state)
{
	enum { L1 = 3 * CLUSTER, COUNTS = CLUSTER, L2 = 1 << 30 };
	const uint64_t copied = QCOW2_COPIED;
	const struct spoil spoils[] = {
		{ 0, 4, 0, "no qcow2" },
		{ 4, 4, 2, "version 3" },
		{ 4, 4, 4, "version 3" },
		{ 8, 8, UINT64_MAX, "name of its backing file" },
		{ 8, 8, 0xfff0, "name of its backing file" },
		{ 16, 4, UINT32_MAX, "name of its backing file" },
		{ 16, 4, 8, "zero in it" },
		{ 20, 4, 9, "64 KiB" },
		{ 20, 4, 64, "64 KiB" },
		{ 24, 8, UINT64_MAX, "disk has" },
		{ 24, 8, 2 * gib, "L1 table cannot be" },
		{ 32, 4, 1, "encrypted" },
		{ 36, 4, 0, "L1 table cannot be" },
		{ 36, 4, UINT32_MAX, "L1 table cannot be" },
		{ 40, 8, 0, "L1 table cannot be" },
		{ 40, 8, L1 + 8, "L1 table cannot be" },
		{ 40, 8, COUNTS, "lies over" },
		{ 40, 8, UINT64_C(1) << 40, "not inside" },
		{ 48, 8, 0, "refcount table cannot be" },
		{ 48, 8, UINT64_MAX, "refcount table cannot be" },
		{ 48, 8, 2 * CLUSTER, "refcount table's entry" },
		{ 56, 4, 0, "refcount table cannot be" },
		{ 56, 4, UINT32_MAX, "refcount table cannot be" },
		{ 56, 4, 2, "lies over" },
		{ 60, 4, 1, "snapshots" },
		{ 72, 8, 1, "not closed" },
		{ 72, 8, UINT64_C(1) << 63, "features" },
		{ 88, 8, 1, "bitmaps" },
		{ 96, 4, 3, "16 bits" },
		{ 100, 4, 0, "length" },
		{ 100, 4, 105, "length" },
		{ 100, 4, 0xfffffff8, "do not end" },
		{ 108, 4, UINT32_MAX, "do not end" },
		{ 112, 3, 0x766d64, "not a raw one" },
		{ COUNTS, 8, 1, "refcount table's entry" },
		{ COUNTS + 8, 8, 2 * CLUSTER, "lies over" },
		{ COUNTS + 8, 8, UINT64_C(1) << 50, "not inside" },
		{ L1, 8, 0, "" },
		{ L1, 8, copied | 1, "reserved" },
		{ L1, 8, copied | CLUSTER, "lies over" },
		{ L1, 8, copied | (UINT64_C(1) << 40), "not inside" },
		{ L1 + 8, 8, 5 * CLUSTER, "more than one use" },
		{ L2, 8, 5 * CLUSTER, "more than one use" },
		{ L2, 8, copied, "" },
		{ L2, 8, QCOW2_COMPRESSED, "compressed" },
		{ L2, 8, copied | 2, "reserved" },
		{ L2, 8, copied | 512, "not inside" },
		{ L2 + 8, 8, copied | L1, "lies over" },
		{ L2 + 8, 8, copied | QCOW2_OFFSET, "not inside" },
	};

	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		if (*spoils[i].why)
			expect_spoilt(&spoils[i]);
	}
}

static void image_that_is_cut_short_is_refused(void **state)
{
	struct mw_qcow2 *image;
	struct bench bench;
	struct mw_why why;

	make_bench(&bench, gib, 0);
	assert_true(mw_qcow2_write(bench.image, 0, &why, 8));
	assert_true(mw_qcow2_close(bench.image));
	for (unsigned clusters = 0; clusters < 6; clusters++) {
		assert_int_equal(__real_ftruncate(bench.file.fd, 5 * CLUSTER), 0);
		assert_int_equal(__real_ftruncate(bench.file.fd, clusters * CLUSTER), 0);
		open_store(&bench.file, true);
		assert_false(mw_qcow2_open(&image, &bench.file.medium, &bench.base.medium, &why));
	}
	drop_store(&bench.file);
	drop_store(&bench.base);
}

static void image_read_only_is_not_touched(void **state)
{
	struct bench bench;
	struct mw_why why;
	uint8_t byte = 1;

	make_bench(&bench, gib, 0);
	assert_true(mw_qcow2_write(bench.image, 0, &byte, 1));
	assert_true(mw_qcow2_close(bench.image));
	open_store(&bench.file, false);
	recorded.on = true;
	assert_true(mw_qcow2_open(&bench.image, &bench.file.medium, &bench.base.medium, &why));
	expect_bytes(&bench, 0, &byte, 1);
	assert_false(mw_qcow2_write(bench.image, 0, &byte, 1));
	assert_false(mw_qcow2_write(bench.image, 2 * CLUSTER, &byte, 1));
	assert_false(mw_qcow2_discard(bench.image, 0, CLUSTER));
	drop_bench(&bench);
	assert_int_equal(recorded.count, 0);
	forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_overlay_reads_as_its_base),
		cmocka_unit_test(disk_ends_where_it_ends),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(tables_come_and_go),
		cmocka_unit_test(counts_go_on_in_a_new_block),
		cmocka_unit_test(discarded_clusters_read_as_zeros_and_nothing_else_does),
		cmocka_unit_test(extents_tell_what_is_the_images_own),
		cmocka_unit_test(full_host_is_an_error_and_no_damage),
		cmocka_unit_test(killed_process_loses_nothing_that_was_flushed),
		cmocka_unit_test(lost_power_loses_nothing_that_was_flushed),
		cmocka_unit_test(spoilt_images_are_refused),
		cmocka_unit_test(image_that_is_cut_short_is_refused),
		cmocka_unit_test(image_read_only_is_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
