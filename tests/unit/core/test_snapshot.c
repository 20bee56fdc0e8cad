/* Snapshots: everything comes back, and what is damaged, foreign or of another machine is refused. */
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/snapshot/snapshot.h"
#include "tests/unit/core/toy.h"

/* A chip of every kind of state: rows, a timer, a line, a stream, memory of its own. */
struct chip {
	struct mw_line *out;
	struct mw_stream *port;
	struct mw_timer *timer;
	struct mw_memory *memory;
	uint16_t value;
	uint8_t bytes[4];
	bool level;
	bool all_loaded; /* what the other had when this one heard of it */
	unsigned expired, changes;
	size_t heard;
};

static struct chip *chips[2];

static void on_expire(void *self)
{
	((struct chip *)self)->expired++;
}

static void on_level(void *self, unsigned index, bool level)
{
	struct chip *chip = self;

	chip->level = level;
	chip->changes++;
}

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
	((struct chip *)self)->heard += count;
}

static void after_load(void *self)
{
	((struct chip *)self)->all_loaded = chips[0]->value == 0x1234 && chips[1]->value == 0x5678;
}

static enum mw_io write_port(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct chip *chip = self;

	mw_line_set(chip->out, value & 1);
	if (value & 2)
		mw_timer_arm(chip->timer, mw_now_ns(chip) + 1000);
	if (value & 4)
		mw_stream_put(chip->port, 'x');
	if (value & 8)
		mw_stream_credit(chip->port, 0);
	return MW_IO_OK;
}

static const struct mw_wire wires[] = {
	{ "out", "A line.", MW_FIELD(struct chip, out) },
	{ "in", "Another.", MW_SINK(1), .on_level = on_level },
	{ "port", "Bytes.", MW_FIELD(struct chip, port), .on_bytes = on_bytes },
};
static const struct mw_region regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = write_port },
	{ "rom", MW_SPACE_MEMORY, 0, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct chip, memory) },
};
static const struct mw_timer_row timers[] = {
	{ "timer", "A timer.", MW_FIELD(struct chip, timer), on_expire },
};
static const struct mw_state state_rows[] = {
	{ "value", MW_FIELD(struct chip, value), .since = 1 },
	{ "bytes", MW_ARRAY(struct chip, bytes), .since = 1 },
	{ "level", MW_FIELD(struct chip, level), .since = 1 },
};
static const struct mw_device_type chip_type = {
	MW_DEVICE_TYPE,
	.name = "chip",
	.summary = "state of every kind",
	.size = sizeof(struct chip),
	.state_version = 1,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state_rows),
	.ops = { .after_load = after_load },
};

/* The same name, made otherwise: a row is gone and one is wider; or a later version. */
static const struct mw_state other_rows[] = {
	{ "value", MW_FIELD(struct chip, value), .since = 1 },
	{ "level", MW_FIELD(struct chip, level), .since = 1 },
};
static const struct mw_state newer_rows[] = {
	{ "value", MW_FIELD(struct chip, value), .since = 1 },
	{ "bytes", MW_ARRAY(struct chip, bytes), .since = 1 },
	{ "level", MW_FIELD(struct chip, level), .since = 1 },
	{ "all_loaded", MW_FIELD(struct chip, all_loaded), .reset = 1, .since = 2 },
};

static struct toy toy;
static char path[64];

/* An executor that keeps one CPU's registers and a clock. */
static struct mw_cpu_state cpu_state;
static uint64_t guest_clock_ns;
enum { AVX = 1u << 28, SSE3 = 1 };
static struct mw_cpuid_leaf leaf, more_leaves[2];

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

static enum mw_status set_cpu(void *self, unsigned cpu, const struct mw_cpu_state *state)
{
	cpu_state = *state;
	return MW_STATUS_OK;
}

static enum mw_status get_cpu(void *self, unsigned cpu, struct mw_cpu_state *state)
{
	*state = cpu_state;
	return MW_STATUS_OK;
}

static enum mw_status get_clock(void *self, uint64_t *ns)
{
	*ns = guest_clock_ns;
	return MW_STATUS_OK;
}

static enum mw_status set_clock(void *self, uint64_t ns)
{
	guest_clock_ns = ns;
	return MW_STATUS_OK;
}

static void identity(void *self, struct mw_cpu_identity *out)
{
	static struct mw_cpuid_leaf leaves[3];

	leaves[0] = leaf;
	memcpy(leaves + 1, more_leaves, sizeof(more_leaves));
	*out = (struct mw_cpu_identity){ 2500000, leaves, 3 };
}

static const struct mw_executor_ops ops = {
	.map = no_map,
	.reset = nothing,
	.start = nothing,
	.stop = no_stop,
	.set_cpu = set_cpu,
	.get_cpu = get_cpu,
	.get_clock = get_clock,
	.set_clock = set_clock,
	.identity = identity,
};

static void build(const struct mw_device_type *type)
{
	memset(&toy, 0, sizeof(toy));
	for (uint32_t i = 0; i < 2; i++) {
		toy_node(&toy, i ? "two" : "one", type);
		toy_claim(&toy, i, "port", 0x10 + i, 1);
		toy_claim(&toy, i, "rom", 0xf0000000 + i * 0x10000, 0x2000);
	}
	toy_wire(&toy, 0, "out", 1, "in", 0);
	toy_link(&toy, 0, "port", 1, "port");
	toy_ram(&toy, 0, 0x10000);
	toy_ram(&toy, 0x100000, 0x400000);
	toy.plan.arch = "x86_64";
	toy.plan.summary = "";
	toy.plan.cpu.model = "x86-64-v1";
	toy.plan.boot.cmdline = "";
	toy_build(&toy);
	chips[0] = toy_device(&toy, 0);
	chips[1] = toy_device(&toy, 1);
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &ops, NULL, "fake" });
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
}

static void fell(void)
{
	mw_machine_drop_executor(toy.machine);
	toy_fini(&toy);
}

static int set_up(void **state)
{
	snprintf(path, sizeof(path), "/tmp/mw-snapshot-%ld", (long)getpid());
	leaf = (struct mw_cpuid_leaf){ .leaf = 1, .ecx = AVX };
	more_leaves[0] =
		(struct mw_cpuid_leaf){ 0, 0, false, 1, 0x756e6547, 0x6c65746e, 0x49656e69 };
	more_leaves[1] = (struct mw_cpuid_leaf){ 0x40000001, 0, false, 1 << 3, 0, 0, 0 };
	build(&chip_type);
	return 0;
}

static int tear_down(void **state)
{
	fell();
	unlink(path);
	return 0;
}

/* Values everywhere, a level, a byte on its way, a timer that runs. */
static void live(void)
{
	chips[0]->value = 0x1234;
	chips[1]->value = 0x5678;
	chips[0]->bytes[3] = 9;
	toy_out(&toy, 0x11, 1, 8); /* the second takes no bytes now */
	toy_out(&toy, 0x10, 1, 7);
	toy_step(&toy, 400);
	toy_poke(&toy, 0x5000, 4, 0xdeadbeef);
	toy_poke(&toy, 0x4fff00, 8, 0x0102030405060708);
	mw_memory_bytes(chips[1]->memory, NULL)[0x1fff] = 0x55;
	cpu_state.rip = 0x1000;
	cpu_state.fxsave[511] = 7;
	cpu_state.lapic.registers[63] = 0x31;
	guest_clock_ns = 987654321;
}

static void save(void)
{
	assert_true(mw_snapshot_save(toy.machine, path, &toy.diagnostics));
}

static bool load(void)
{
	struct mw_snapshot *snapshot;
	bool good = mw_snapshot_open(&snapshot, path, &toy.diagnostics);

	if (good)
		good = mw_snapshot_load(snapshot, toy.machine, &toy.diagnostics);
	mw_snapshot_close(snapshot);
	return good;
}

static const char *why(void)
{
	return toy.diagnostics.count ? toy.diagnostics.items[toy.diagnostics.count - 1]->message
				     : "";
}

static void restart(const struct mw_device_type *type)
{
	fell();
	memset(&cpu_state, 0, sizeof(cpu_state));
	guest_clock_ns = 0;
	build(type);
}

static void everything_comes_back(void **state)
{
	live();
	save();
	restart(&chip_type);
	assert_true(load());
	assert_int_equal(chips[0]->value, 0x1234);
	assert_int_equal(chips[0]->bytes[3], 9);
	assert_int_equal(toy_peek(&toy, 0x5000, 4), 0xdeadbeef);
	assert_int_equal(toy_peek(&toy, 0x4fff00, 8), 0x0102030405060708);
	assert_int_equal(mw_memory_bytes(chips[1]->memory, NULL)[0x1fff], 0x55);
	assert_int_equal(cpu_state.rip, 0x1000);
	assert_int_equal(cpu_state.fxsave[511], 7);
	assert_int_equal(cpu_state.lapic.registers[63], 0x31);
	assert_int_equal(guest_clock_ns, 987654321);
	assert_int_equal(mw_clock_now(mw_machine_clock(toy.machine)), 400);
}

static void a_level_is_known_without_being_told_again(void **state)
{
	live();
	save();
	restart(&chip_type);
	assert_true(load());
	assert_true(chips[1]->level);
	assert_int_equal(chips[1]->changes, 0);
	toy_out(&toy, 0x10, 1, 1);
	assert_int_equal(chips[1]->changes, 0);
	toy_out(&toy, 0x10, 1, 0);
	assert_int_equal(chips[1]->changes, 1);
	assert_false(chips[1]->level);
}

static void a_timer_runs_on_from_where_it_was(void **state)
{
	live();
	save();
	restart(&chip_type);
	assert_true(load());
	mw_machine_start(toy.machine);
	toy_step(&toy, 999);
	assert_int_equal(chips[0]->expired, 0);
	toy_step(&toy, 1000);
	assert_int_equal(chips[0]->expired, 1);
	mw_machine_stop(toy.machine);
}

static void bytes_under_way_arrive_once(void **state)
{
	live();
	save();
	assert_int_equal(chips[1]->heard, 0);
	restart(&chip_type);
	assert_true(load());
	assert_int_equal(chips[1]->heard, 1);
}

static void devices_hear_of_it_when_all_are_loaded(void **state)
{
	live();
	save();
	restart(&chip_type);
	assert_true(load());
	assert_true(chips[0]->all_loaded);
	assert_true(chips[1]->all_loaded);
}

static void what_the_guest_found_must_be_there(void **state)
{
	leaf.ecx = AVX | SSE3;
	more_leaves[1].eax |= 1 << 5;
	save();
	leaf.ecx = AVX;
	more_leaves[1].eax = UINT32_MAX & ~(1u << 5);
	assert_false(load());
	assert_non_null(strstr(why(), "not here: sse3 kvm:5"));
}

static void another_vendors_guest_is_refused(void **state)
{
	save();
	more_leaves[0].ebx ^= 0x0100;
	assert_false(load());
	assert_non_null(strstr(why(), "GenuineIntel"));
}

static void what_the_guest_was_not_told_of_is_taken_from_the_plan(void **state)
{
	const struct mw_cpuid_leaf model = { .leaf = 1, .ecx = AVX | SSE3 };
	struct mw_snapshot *snapshot;

	save();
	toy.plan.cpu.leaves = &model;
	toy.plan.cpu.leaf_count = 1;
	toy.plan.cpu.tsc_khz = 0;
	assert_true(mw_snapshot_open(&snapshot, path, &toy.diagnostics));
	assert_true(mw_snapshot_fit_plan(snapshot, &toy.plan, &toy.diagnostics));
	assert_string_equal(toy.plan.cpu.features_remove[0], "sse3");
	assert_null(toy.plan.cpu.features_remove[1]);
	assert_int_equal(toy.plan.cpu.tsc_khz, 2500000);
	assert_true(mw_snapshot_fit_plan(snapshot, &toy.plan, &toy.diagnostics));
	assert_null(toy.plan.cpu.features_remove[1]);
	mw_snapshot_close(snapshot);
	toy.plan.cpu.leaf_count = 0;
	mw_arena_fini(&toy.plan.arena);
	memset(&toy.plan.arena, 0, sizeof(toy.plan.arena));
	toy.plan.cpu.features_remove = toy.plan.cpu.features_add = NULL;
}

static uint8_t *read_file(size_t *count)
{
	struct stat status;
	int fd = open(path, O_RDONLY);

	fstat(fd, &status);
	uint8_t *bytes = malloc((size_t)status.st_size);

	*count = (size_t)status.st_size;
	assert_int_equal(read(fd, bytes, *count), *count);
	close(fd);
	return bytes;
}

static void write_file(const uint8_t *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, count), count);
	close(fd);
}

static void saved_again_it_is_the_same_file(void **state)
{
	size_t first_count, again_count;

	live();
	chips[0]->all_loaded = false;
	save();
	uint8_t *first = read_file(&first_count);

	restart(&chip_type);
	assert_true(load());
	/* the byte was heard on loading */
	save();
	uint8_t *again = read_file(&again_count);

	assert_true(again_count < first_count);
	assert_memory_equal(first, again, 64);
	free(first);
	restart(&chip_type);
	assert_true(load());
	save();
	first = read_file(&first_count);
	assert_int_equal(first_count, again_count);
	assert_memory_equal(first, again, first_count);
	free(first);
	free(again);
}

static void zero_pages_and_holes_cost_nothing(void **state)
{
	size_t count;

	save();
	uint8_t *bytes = read_file(&count);

	assert_true(count < 0x8000);
	free(bytes);
}

static void every_damaged_bit_is_seen(void **state)
{
	size_t count;

	live();
	save();
	uint8_t *bytes = read_file(&count);

	for (size_t i = 0; i < count; i += i < 2000 ? 1 : 97) {
		bytes[i] ^= 0x10;
		write_file(bytes, count);
		assert_false(load());
		bytes[i] ^= 0x10;
		toy.diagnostics.count = toy.diagnostics.errors = 0;
	}
	write_file(bytes, count);
	if (!load())
		fail_msg("%s", why());
	free(bytes);
}

static void every_truncation_is_seen(void **state)
{
	size_t count;

	live();
	save();
	uint8_t *bytes = read_file(&count);

	for (size_t i = 0; i < count; i += i < 500 ? 7 : 509) {
		write_file(bytes, i);
		assert_false(load());
		toy.diagnostics.count = toy.diagnostics.errors = 0;
	}
	free(bytes);
}

static void what_follows_the_end_is_refused(void **state)
{
	size_t count;

	save();
	uint8_t *bytes = read_file(&count);

	bytes = realloc(bytes, count + 1);
	bytes[count] = 0;
	write_file(bytes, count + 1);
	assert_false(load());
	assert_non_null(strstr(why(), "something follows its end"));
	free(bytes);
}

static void other_files_are_told_apart(void **state)
{
	write_file((const uint8_t
			    *)"\x7f"
			      "ELF and more than enough of it to be read as a whole head, really",
		   66);
	assert_false(load());
	assert_non_null(strstr(why(), "is not a snapshot of Millwright"));
	save();
	size_t count;
	uint8_t *bytes = read_file(&count);

	bytes[16] = 2;
	write_file(bytes, count);
	assert_false(load());
	assert_non_null(strstr(why(), "has format 2"));
	free(bytes);
	unlink(path);
	assert_false(load());
	assert_non_null(strstr(why(), "No such file"));
	mkdir(path, 0700);
	assert_false(load());
	assert_non_null(strstr(why(), "is not a regular file"));
	rmdir(path);
}

static void another_layout_is_refused_by_the_row(void **state)
{
	static struct mw_device_type other;

	other = chip_type;

	other.state.items = other_rows;
	other.state.count = 2;
	save();
	restart(&other);
	assert_false(load());
	assert_non_null(strstr(why(), "state of `two`: row `bytes u8 4` is `level bool 1` here"));
}

static void an_older_version_leaves_newer_rows_as_reset(void **state)
{
	static struct mw_device_type newer;

	newer = chip_type;

	newer.state.items = newer_rows;
	newer.state.count = 4;
	newer.state_version = 2;
	newer.ops.after_load = NULL;
	live();
	save();
	restart(&newer);
	assert_true(load());
	assert_int_equal(chips[0]->value, 0x1234);
	assert_true(chips[0]->all_loaded);
}

static void a_newer_version_is_refused(void **state)
{
	static struct mw_device_type newer;

	newer = chip_type;

	newer.state_version = 2;
	restart(&newer);
	save();
	restart(&chip_type);
	assert_false(load());
	assert_non_null(strstr(why(), "saved by a newer Millwright"));
}

static void a_feature_that_is_not_here_is_named(void **state)
{
	save();
	leaf.ecx = 0;
	assert_false(load());
	assert_non_null(strstr(why(), "not here: avx"));
}

static void a_running_machine_is_not_saved(void **state)
{
	mw_machine_start(toy.machine);
	assert_false(mw_snapshot_save(toy.machine, path, &toy.diagnostics));
	mw_machine_stop(toy.machine);
}

static void a_failed_save_leaves_what_was_there(void **state)
{
	save();
	size_t count, now;
	uint8_t *bytes = read_file(&count), *after;
	char whole[64];

	memcpy(whole, path, sizeof(path));
	snprintf(path, sizeof(path), "/tmp/no-such-folder/x");
	assert_false(mw_snapshot_save(toy.machine, path, &toy.diagnostics));
	snprintf(path, sizeof(path), "/tmp");
	assert_false(mw_snapshot_save(toy.machine, path, &toy.diagnostics));
	assert_non_null(strstr(why(), "is no file"));
	memcpy(path, whole, sizeof(path));
	after = read_file(&now);
	assert_int_equal(now, count);
	assert_memory_equal(bytes, after, count);
	free(bytes);
	free(after);
}

int main(void)
{
#define SNAPSHOT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SNAPSHOT_TEST(everything_comes_back),
		SNAPSHOT_TEST(a_level_is_known_without_being_told_again),
		SNAPSHOT_TEST(a_timer_runs_on_from_where_it_was),
		SNAPSHOT_TEST(bytes_under_way_arrive_once),
		SNAPSHOT_TEST(devices_hear_of_it_when_all_are_loaded),
		SNAPSHOT_TEST(saved_again_it_is_the_same_file),
		SNAPSHOT_TEST(zero_pages_and_holes_cost_nothing),
		SNAPSHOT_TEST(every_damaged_bit_is_seen),
		SNAPSHOT_TEST(every_truncation_is_seen),
		SNAPSHOT_TEST(what_follows_the_end_is_refused),
		SNAPSHOT_TEST(other_files_are_told_apart),
		SNAPSHOT_TEST(another_layout_is_refused_by_the_row),
		SNAPSHOT_TEST(an_older_version_leaves_newer_rows_as_reset),
		SNAPSHOT_TEST(a_newer_version_is_refused),
		SNAPSHOT_TEST(a_feature_that_is_not_here_is_named),
		SNAPSHOT_TEST(what_the_guest_found_must_be_there),
		SNAPSHOT_TEST(another_vendors_guest_is_refused),
		SNAPSHOT_TEST(what_the_guest_was_not_told_of_is_taken_from_the_plan),
		SNAPSHOT_TEST(a_running_machine_is_not_saved),
		SNAPSHOT_TEST(a_failed_save_leaves_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
