/* Media that are exchanged while requests are on their way, and what a snapshot knows of them. */
// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/snapshot/snapshot.h"
#include "tests/unit/core/toy.h"

enum { GO = 0x10, SIZE = 0x20, DISK_BYTES = 512, WRITE_BYTES = 16 };

/* A drive; a write to `go` writes to its disk. One of the second type has no door. */
struct drive {
	struct mw_image *image;
	struct mw_image_request request;
	uint8_t bytes[WRITE_BYTES];
	unsigned done, media;
};

static _Atomic bool submitted;
static char snapshot_path[64];

static enum mw_io go(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct drive *drive = self;

	memset(drive->bytes, (int)value, sizeof(drive->bytes));
	drive->request = (struct mw_image_request){ .op = MW_IMAGE_WRITE,
						    .bytes = drive->bytes,
						    .count = sizeof(drive->bytes) };
	mw_image_submit(drive->image, &drive->request);
	submitted = true;
	return MW_IO_OK;
}

static void on_done(void *self, struct mw_image_request *request)
{
	((struct drive *)self)->done++;
}

static void on_media(void *self)
{
	((struct drive *)self)->media++;
}

static const struct mw_region regions[] = {
	{ "go", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = go },
};
static const struct mw_wire drive_wires[] = {
	{ "image", "A disk.", MW_FIELD(struct drive, image), .on_done = on_done,
	  .on_media = on_media },
};
static const struct mw_wire fixed_wires[] = {
	{ "image", "A disk.", MW_FIELD(struct drive, image), .on_done = on_done },
};
static const struct mw_device_type drive_type = {
	MW_DEVICE_TYPE,
	.name = "drive",
	.summary = "has a door",
	.size = sizeof(struct drive),
	.state_version = 1,
	.regions = MW_TABLE(regions),
	.wires = MW_TABLE(drive_wires),
};
static const struct mw_device_type fixed_type = {
	MW_DEVICE_TYPE,
	.name = "fixed",
	.summary = "has none",
	.size = sizeof(struct drive),
	.state_version = 1,
	.regions = MW_TABLE(regions),
	.wires = MW_TABLE(fixed_wires),
};

/* The host's side: what is called `a` and `b`, and a flush that takes until the test says so. */
struct disk {
	const char *path;
	uint8_t media[2][DISK_BYTES];
	int inside; /* -1: none */
	void (*meanwhile)(void);
};

/* What became of the files, whoever has them. */
static struct {
	struct mw_image_facts facts;
	bool gone;
} world;

static uint64_t disk_size(void *self)
{
	return ((struct disk *)self)->inside >= 0 ? DISK_BYTES : 0;
}

static bool disk_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	struct disk *disk = self;

	memcpy(bytes, disk->media[disk->inside] + offset, count);
	return true;
}

static bool disk_write(void *self, uint64_t offset, const void *bytes, size_t count)
{
	struct disk *disk = self;

	if (disk->meanwhile)
		disk->meanwhile();
	memcpy(disk->media[disk->inside] + offset, bytes, count);
	return true;
}

static bool disk_change(void *self, const char *path, struct mw_diagnostics *diagnostics)
{
	struct disk *disk = self;

	if (disk->meanwhile)
		disk->meanwhile();
	if (path && world.gone) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "no %s", path);
		return false;
	}
	disk->inside = !path ? -1 : path[0] - 'a';
	return true;
}

static void disk_facts(void *self, struct mw_image_facts *facts)
{
	if (((struct disk *)self)->inside >= 0)
		*facts = world.facts;
}

static bool disk_init(void *self, struct mw_diagnostics *diagnostics)
{
	struct disk *disk = self;

	disk->inside = disk->path[0] ? disk->path[0] - 'a' : -1;
	return true;
}

static const struct mw_property disk_properties[] = {
	{ "path", "What is in it.", MW_FIELD(struct disk, path), .is_path = true,
	  .fallback_text = "" },
};
static const struct mw_wire disk_wires[] = {
	{ "image", "The drive.", .kind = MW_IMAGE, .direction = MW_RECEIVES, .on_size = disk_size,
	  .on_read = disk_read, .on_write = disk_write, .on_change = disk_change,
	  .on_facts = disk_facts },
};
static const struct mw_device_type disk_type = {
	MW_DEVICE_TYPE,
	.name = "disk",
	.summary = "holds bytes",
	.size = sizeof(struct disk),
	.state_version = 1,
	.backend = "disk",
	.main_property = "path",
	.properties = MW_TABLE(disk_properties),
	.wires = MW_TABLE(disk_wires),
	.ops = { .init = disk_init },
};

static struct fixture {
	struct toy toy;
	struct mw_plan_value value;
	struct drive *drive;
	struct disk *disk;
} f;

static void describe(const struct mw_device_type *type)
{
	struct toy *toy = &f.toy;
	uint32_t drive = toy_node(toy, "drive", type), disk = toy_node(toy, "disk", &disk_type);

	toy_claim(toy, drive, "go", GO, 1);
	toy_link(toy, drive, "image", disk, "image");
	f.value = (struct mw_plan_value){ .property = &disk_properties[0], .text = "a" };
	toy->nodes[disk].host = true;
	toy->nodes[disk].values = &f.value;
	toy->nodes[disk].value_count = 1;
	toy->plan.nodes = toy->nodes;
	toy->plan.links = toy->links;
	toy->plan.arch = "x86_64";
	toy->plan.summary = "";
	toy->plan.cpu.model = "x86-64-v1";
	toy->plan.boot.cmdline = "";
}

static void build(void)
{
	toy_build(&f.toy);
	f.drive = toy_device(&f.toy, 0);
	f.disk = toy_device(&f.toy, 1);
	submitted = false;
}

static void start(const struct mw_device_type *type)
{
	describe(type);
	build();
}

static int set_up(void **state)
{
	snprintf(snapshot_path, sizeof(snapshot_path), "/tmp/mw-medium-%ld", (long)getpid());
	world.facts = (struct mw_image_facts){ .size = DISK_BYTES, .modified_ns = 1 };
	world.gone = false;
	return 0;
}

static void fell(void)
{
	mw_machine_destroy(f.toy.machine);
	f.toy.machine = NULL;
	mw_arena_fini(&f.toy.plan.arena);
	toy_fini(&f.toy);
}

static int tear_down(void **state)
{
	fell();
	unlink(snapshot_path);
	return 0;
}

static bool change(const char *path)
{
	return mw_machine_change_medium(f.toy.machine, 0, path, &f.toy.diagnostics);
}

static void name_of(char name[8])
{
	mw_image_name(f.drive->image, name, 8);
}

/* A CPU of its own, which writes while the medium is exchanged. */
static void *write_from_afar(void *cpu)
{
	mw_port_write(cpu, GO, 1, 0xab);
	return NULL;
}

static struct mw_actor *afar;
static pthread_t thread;

static void have_it_written_to(void)
{
	f.disk->meanwhile = NULL;
	assert_int_equal(pthread_create(&thread, NULL, write_from_afar, afar), 0);
	while (!submitted)
		usleep(100);
}

static void a_write_goes_to_no_other_medium_than_it_was_meant_for(void **state)
{
	start(&drive_type);
	afar = mw_machine_add_actor(f.toy.machine, "cpu1");
	f.disk->meanwhile = have_it_written_to;
	assert_true(change("b"));
	pthread_join(thread, NULL);
	assert_int_equal(f.drive->done, 1);
	assert_int_equal(f.drive->request.result, MW_IMAGE_NO_MEDIUM);
	assert_int_equal(f.disk->media[0][0], 0);
	assert_int_equal(f.disk->media[1][0], 0);
	toy_out(&f.toy, GO, 1, 0xcd);
	assert_int_equal(f.drive->request.result, MW_IMAGE_DONE);
	assert_int_equal(f.disk->media[1][0], 0xcd);
}

/* An executor that lets the machine run and does nothing. */
static enum mw_status no_map(void *self, uint64_t base, uint64_t length, void *host, bool readonly)
{
	return MW_STATUS_OK;
}

static enum mw_status nothing(void *self)
{
	return MW_STATUS_OK;
}

static void no_stop(void *self)
{
}

static enum mw_status no_cpu(void *self, unsigned cpu, const struct mw_cpu_state *state)
{
	return MW_STATUS_OK;
}

static const struct mw_executor_ops ops = {
	.map = no_map, .reset = nothing, .start = nothing, .stop = no_stop, .set_cpu = no_cpu
};

enum { OTHER_GO = 0x11, PATIENCE_US = 20000 };
static _Atomic bool busy, released;

/* The other disk's write, which the thread for images is at. */
static void take_long(void)
{
	busy = true;
	while (!released)
		usleep(100);
}

static void *release_later(void *nobody)
{
	usleep(PATIENCE_US);
	released = true;
	return NULL;
}

static void a_write_that_waits_goes_to_the_medium_before_the_change(void **state)
{
	struct toy *toy = &f.toy;
	uint32_t other, other_disk;

	describe(&drive_type);
	other = toy_node(toy, "other", &drive_type);
	other_disk = toy_node(toy, "other_disk", &disk_type);
	toy_claim(toy, other, "go", OTHER_GO, 1);
	toy_link(toy, other, "image", other_disk, "image");
	toy->nodes[other_disk].host = true;
	toy->nodes[other_disk].values = &f.value;
	toy->nodes[other_disk].value_count = 1;
	build();
	mw_machine_set_executor(toy->machine, (struct mw_executor){ &ops, NULL, "fake" });
	mw_machine_drive_clock(toy->machine);
	assert_int_equal(mw_machine_start(toy->machine), MW_STATUS_OK);
	busy = released = false;
	((struct disk *)toy_device(toy, other_disk))->meanwhile = take_long;
	toy_out(toy, OTHER_GO, 1, 0x11);
	while (!busy)
		usleep(100);
	toy_out(toy, GO, 1, 0xab);
	assert_true(f.drive->request.pending);
	assert_int_equal(pthread_create(&thread, NULL, release_later, NULL), 0);
	assert_true(change("b"));
	pthread_join(thread, NULL);
	mw_machine_stop(toy->machine);
	assert_int_equal(f.drive->request.result, MW_IMAGE_DONE);
	assert_int_equal(f.disk->media[0][0], 0xab);
	assert_int_equal(f.disk->media[1][0], 0);
	mw_machine_drop_executor(toy->machine);
}

static void what_has_no_door_keeps_its_medium(void **state)
{
	start(&fixed_type);
	assert_false(change("b"));
	assert_string_equal(f.toy.diagnostics.items[0]->message,
			    "`drive` has no medium that can be exchanged");
	assert_false(change(NULL));
	assert_int_equal(f.disk->inside, 0);
}

static void a_medium_has_the_name_it_was_put_in_by(void **state)
{
	char name[8];

	start(&drive_type);
	name_of(name);
	assert_string_equal(name, "a");
	assert_true(change("b"));
	name_of(name);
	assert_string_equal(name, "b");
	assert_true(change(NULL));
	name_of(name);
	assert_string_equal(name, "");
}

static void save(void)
{
	assert_true(mw_snapshot_save(f.toy.machine, snapshot_path, &f.toy.diagnostics));
}

/* As the verb does, into a new machine. */
static bool restore(const struct mw_device_type *type, bool accept)
{
	struct mw_snapshot *snapshot;
	bool good;

	fell();
	assert_true(mw_snapshot_open(&snapshot, snapshot_path, &f.toy.diagnostics));
	describe(type);
	assert_true(mw_snapshot_fit_plan(snapshot, &f.toy.plan, &f.toy.diagnostics));
	if (accept)
		mw_snapshot_accept_changes(snapshot);
	mw_snapshot_take_out(snapshot, &f.toy.plan);
	build();
	good = mw_snapshot_load(snapshot, f.toy.machine, &f.toy.diagnostics);
	mw_snapshot_close(snapshot);
	return good;
}

static const char *why(void)
{
	size_t count = f.toy.diagnostics.count;

	return count ? f.toy.diagnostics.items[count - 1]->message : "";
}

static void what_was_put_in_is_in_after_a_restore(void **state)
{
	start(&drive_type);
	assert_true(change("b"));
	save();
	assert_true(restore(&drive_type, false));
	assert_int_equal(f.disk->inside, 1);
	assert_int_equal(f.drive->media, 0); /* for the guest it is the same */
	toy_out(&f.toy, GO, 1, 0xcd);
	assert_int_equal(f.drive->request.result, MW_IMAGE_DONE);
	assert_string_equal(why(), "");
	save(); /* and again, from a plan whose drive is empty */
	assert_true(restore(&drive_type, false));
	assert_int_equal(f.disk->inside, 1);
	assert_true(change(NULL));
	save();
	assert_true(restore(&drive_type, false));
	assert_int_equal(f.disk->inside, -1);
}

static void a_drive_whose_file_is_gone_is_empty_and_the_guest_hears_of_it(void **state)
{
	start(&drive_type);
	save();
	world.gone = true;
	assert_true(restore(&drive_type, false));
	assert_int_equal(f.disk->inside, -1);
	assert_int_equal(f.drive->media, 1);
	assert_non_null(strstr(why(), "`drive`: its drive is empty now: no a"));
	assert_int_equal(f.toy.diagnostics.errors, 0);
}

static void a_disk_that_was_written_to_since_is_another_one(void **state)
{
	start(&drive_type);
	save();
	world.facts.modified_ns = 2;
	assert_true(restore(&drive_type, false));
	assert_int_equal(f.disk->inside, 0);
	assert_int_equal(f.drive->media, 1);
	assert_non_null(strstr(why(), "`drive`: a was written to since"));
}

static void a_hard_disk_that_was_written_to_since_is_refused(void **state)
{
	start(&fixed_type);
	save();
	assert_true(restore(&fixed_type, false));
	world.facts.modified_ns = 2;
	assert_false(restore(&fixed_type, false));
	assert_non_null(strstr(why(), "`drive`: a was written to since"));
	assert_true(restore(&fixed_type, true));
	assert_int_equal(f.toy.diagnostics.warnings, 1);
}

static void a_hard_disk_of_another_size_is_refused(void **state)
{
	start(&fixed_type);
	save();
	world.facts.size = 2 * DISK_BYTES;
	assert_false(restore(&fixed_type, false));
	assert_non_null(strstr(why(), "`drive`: a had 512 bytes and has 1024"));
}

static void what_would_be_lost_is_not_saved(void **state)
{
	start(&fixed_type);
	world.facts.fleeting = true;
	assert_false(mw_snapshot_save(f.toy.machine, snapshot_path, &f.toy.diagnostics));
	assert_non_null(strstr(why(), "what `drive` has written over a is in a temporary file"));
	assert_int_not_equal(access(snapshot_path, F_OK), 0);
}

int main(void)
{
#define MEDIUM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		MEDIUM_TEST(a_write_goes_to_no_other_medium_than_it_was_meant_for),
		MEDIUM_TEST(a_write_that_waits_goes_to_the_medium_before_the_change),
		MEDIUM_TEST(what_has_no_door_keeps_its_medium),
		MEDIUM_TEST(a_medium_has_the_name_it_was_put_in_by),
		MEDIUM_TEST(what_was_put_in_is_in_after_a_restore),
		MEDIUM_TEST(a_drive_whose_file_is_gone_is_empty_and_the_guest_hears_of_it),
		MEDIUM_TEST(a_disk_that_was_written_to_since_is_another_one),
		MEDIUM_TEST(a_hard_disk_that_was_written_to_since_is_refused),
		MEDIUM_TEST(a_hard_disk_of_another_size_is_refused),
		MEDIUM_TEST(what_would_be_lost_is_not_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
