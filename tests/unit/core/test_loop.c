/* The loop: descriptors, timers on host time, own placement, and threads that meet in one device. */
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/loop.h"
#include "tests/unit/core/toy.h"

/* A backend that reads a descriptor and passes the bytes on; a port on its other side counts. */
struct reader {
	struct mw_stream *port;
	struct mw_line *busy;
	struct mw_timer *tick;
	struct mw_watch *watch;
	int fd;
	size_t total;
	_Atomic unsigned ticks;
	bool ended;
	pthread_t thread;
};

static void on_ready(void *self, unsigned events)
{
	struct reader *reader = self;
	uint8_t bytes[64];
	ssize_t count = read(reader->fd, bytes, sizeof(bytes));

	reader->thread = pthread_self();
	if (count <= 0) {
		mw_watch_set(reader->watch, 0);
		reader->ended = true;
		return;
	}
	reader->total += (size_t)count;
	mw_line_set(reader->busy, !mw_line_level(reader->busy));
	mw_stream_write(reader->port, bytes, (size_t)count);
}

static void on_tick(void *self)
{
	struct reader *reader = self;

	reader->thread = pthread_self();
	if (++reader->ticks < 5)
		mw_timer_arm(reader->tick, mw_now_ns(self) + 1000000);
}

static void fini_reader(void *self)
{
	mw_watch_close(((struct reader *)self)->watch);
}

static const struct mw_wire reader_wires[] = {
	{ "port", "Bytes read.", MW_FIELD(struct reader, port) },
	{ "busy", "Toggles with every read.", MW_FIELD(struct reader, busy) },
};
static const struct mw_timer_row reader_timers[] = {
	{ "tick", "Five of them.", MW_FIELD(struct reader, tick), .on_expire = on_tick,
	  .since = 1 },
};
static const struct mw_device_type reader_type = {
	MW_DEVICE_TYPE,
	.name = "reader",
	.summary = "reads a descriptor",
	.size = sizeof(struct reader),
	.wires = MW_TABLE(reader_wires),
	.timers = MW_TABLE(reader_timers),
	.ops = { .fini = fini_reader },
};

struct counter {
	struct mw_stream *port;
	size_t bytes, levels, reads;
};

static void count_bytes(void *self, const uint8_t *bytes, size_t count)
{
	((struct counter *)self)->bytes += count;
}

static void count_level(void *self, unsigned index, bool level)
{
	((struct counter *)self)->levels++;
}

static enum mw_io read_counter(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct counter *counter = self;

	counter->reads++;
	*value = counter->bytes;
	return MW_IO_OK;
}

static enum mw_io write_counter(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct counter *counter = self;

	counter->bytes += value;
	return MW_IO_OK;
}

static const struct mw_region counter_regions[] = {
	{ "count", MW_SPACE_PORT, 4, MW_ACCESS(4, 4), read_counter, write_counter },
};
static const struct mw_wire counter_wires[] = {
	{ "port", "Bytes.", MW_FIELD(struct counter, port), .on_bytes = count_bytes },
	{ "in", "Level.", MW_SINK(1), .on_level = count_level },
};
static const struct mw_device_type counter_type = {
	MW_DEVICE_TYPE,
	.name = "counter",
	.summary = "counts",
	.size = sizeof(struct counter),
	.regions = MW_TABLE(counter_regions),
	.wires = MW_TABLE(counter_wires),
};

static struct toy toy;
static struct reader *reader;
static struct counter *counter;
enum { READER, COUNTER };

static void build(int fd, bool own)
{
	toy_node(&toy, "reader", &reader_type);
	toy_node(&toy, "counter", &counter_type);
	toy_claim(&toy, COUNTER, "count", 0x10, 4);
	toy_link(&toy, READER, "port", COUNTER, "port");
	toy_wire(&toy, READER, "busy", COUNTER, "in", 0);
	if (own)
		toy.nodes[READER].placement = MW_PLACEMENT_OWN;
	toy_build(&toy);
	mw_machine_clock(toy.machine)->manual = false;
	reader = toy_device(&toy, READER);
	counter = toy_device(&toy, COUNTER);
	reader->fd = fd;
	if (fd >= 0) {
		assert_int_equal(mw_watch_open(&reader->watch, reader, fd, on_ready), MW_STATUS_OK);
		mw_watch_set(reader->watch, MW_READABLE);
	}
}

static void serve_until(const bool *done)
{
	for (int rounds = 0; rounds < 10000 && !*done; rounds++)
		mw_machine_serve(toy.machine, 1000000);
	assert_true(*done);
}

/* Pipes are closed when no thread can be reading them any more. */
static int open_ends[2] = { -1, -1 };

static int tear_down(void **state)
{
	toy_fini(&toy);
	for (int i = 0; i < 2; i++) {
		if (open_ends[i] >= 0)
			close(open_ends[i]);
		open_ends[i] = -1;
	}
	return 0;
}

static void bytes_from_a_pipe_reach_the_device(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	build(ends[0], false);
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	assert_int_equal(write(ends[1], "hello", 5), 5);
	close(ends[1]);
	serve_until(&reader->ended);
	assert_int_equal(counter->bytes, 5);
	assert_int_equal(counter->levels, 1);
	close(ends[0]);
}

static void regular_file_is_always_ready(void **state)
{
	FILE *file = tmpfile();

	for (int i = 0; i < 1000; i++)
		fputs("0123456789", file);
	rewind(file);
	build(fileno(file), false);
	mw_machine_start(toy.machine);
	serve_until(&reader->ended);
	assert_int_equal(counter->bytes, 10000);
	fclose(file);
}

static void watching_leaves_the_descriptor_as_it_was(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	int flags = fcntl(ends[0], F_GETFL);

	build(ends[0], false);
	mw_machine_start(toy.machine);
	for (int i = 0; i < 3; i++)
		mw_machine_serve(toy.machine, 0);
	assert_int_equal(fcntl(ends[0], F_GETFL), flags);
	close(ends[0]);
	close(ends[1]);
}

static void timers_run_on_host_time(void **state)
{
	build(-1, false);
	mw_machine_start(toy.machine);
	mw_timer_arm(reader->tick, 1000000);
	for (int i = 0; i < 100 && reader->ticks < 5; i++)
		mw_machine_serve(toy.machine, 100000000);
	assert_int_equal(reader->ticks, 5);
}

static void own_placement_runs_on_a_thread_of_its_own(void **state)
{
	build(-1, true);
	mw_machine_start(toy.machine);
	mw_timer_arm(reader->tick, 1000000);
	for (int i = 0; i < 1000 && atomic_load(&reader->ticks) < 5; i++)
		mw_machine_serve(toy.machine, 10000000);
	assert_int_equal(atomic_load(&reader->ticks), 5);
	mw_machine_stop(toy.machine);
	assert_false(pthread_equal(reader->thread, pthread_self()));
}

enum { ROUNDS = 2000 };

static void *hammer(void *actor)
{
	uint64_t value;

	for (int i = 0; i < ROUNDS; i++) {
		mw_port_write(actor, 0x10, 4, 1);
		mw_port_read(actor, 0x10, 4, &value);
	}
	return NULL;
}

/* Two CPUs and a loop of its own meet in one device; TSan sees to the rest. */
static void threads_meet_in_one_device_one_at_a_time(void **state)
{
	pthread_t threads[2];
	struct mw_actor *second;

	assert_int_equal(pipe(open_ends), 0);
	build(open_ends[0], true);
	second = mw_machine_add_actor(toy.machine, "cpu1");
	mw_machine_start(toy.machine);
	pthread_create(&threads[0], NULL, hammer, toy.cpu);
	pthread_create(&threads[1], NULL, hammer, second);
	for (int i = 0; i < 200; i++)
		assert_int_equal(write(open_ends[1], "x", 1), 1);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	for (int i = 0; i < 2000 && toy_in(&toy, 0x10, 4) < 2 * ROUNDS + 200; i++)
		usleep(1000);
	mw_machine_stop(toy.machine);
	assert_int_equal(counter->bytes, 2 * ROUNDS + 200);
}

static void stop_and_start_keep_the_loops(void **state)
{
	assert_int_equal(pipe(open_ends), 0);
	build(open_ends[0], true);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
		assert_int_equal(write(open_ends[1], "x", 1), 1);
		mw_machine_stop(toy.machine);
	}
	mw_machine_start(toy.machine);
	for (int i = 0; i < 2000 && toy_in(&toy, 0x10, 4) < 50; i++)
		usleep(1000);
	assert_int_equal(toy_in(&toy, 0x10, 4), 50);
}

int main(void)
{
#define LOOP_TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		LOOP_TEST(bytes_from_a_pipe_reach_the_device),
		LOOP_TEST(regular_file_is_always_ready),
		LOOP_TEST(watching_leaves_the_descriptor_as_it_was),
		LOOP_TEST(timers_run_on_host_time),
		LOOP_TEST(own_placement_runs_on_a_thread_of_its_own),
		LOOP_TEST(threads_meet_in_one_device_one_at_a_time),
		LOOP_TEST(stop_and_start_keep_the_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
