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
#include <sys/resource.h>
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

/* A port that opens a watch on a descriptor, arms it and closes it again, all in one write. */
struct opener {
	struct mw_watch *watch;
	int fd;
	_Atomic unsigned calls;
};

static void on_opened(void *self, unsigned events)
{
	((struct opener *)self)->calls++;
}

static enum mw_io write_opener(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct opener *opener = self;

	if (!opener->watch &&
	    mw_watch_open(&opener->watch, self, opener->fd, on_opened) != MW_STATUS_OK)
		return MW_IO_NO_REGISTER;
	mw_watch_set(opener->watch, MW_READABLE | MW_WRITABLE);
	if (value)
		return MW_IO_OK;
	mw_watch_close(opener->watch);
	opener->watch = NULL;
	return MW_IO_OK;
}

static const struct mw_region opener_regions[] = {
	{ "open", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = write_opener },
};
static const struct mw_device_type opener_type = {
	MW_DEVICE_TYPE,
	.name = "opener",
	.summary = "opens and closes watches, or forgets to",
	.size = sizeof(struct opener),
	.regions = MW_TABLE(opener_regions),
};

/* Writes down which of its timers came, in the order in which they did. */
struct series {
	struct mw_timer *timers[8];
	_Atomic unsigned heard;
	bool early;
};

static void on_series(struct series *series, unsigned index)
{
	series->early |= index != series->heard;
	series->heard++;
}
#define ON_SERIES(n)                          \
	static void on_series_##n(void *self) \
	{                                     \
		on_series(self, n);           \
	}
ON_SERIES(0)
ON_SERIES(1)
ON_SERIES(2)
ON_SERIES(3)
ON_SERIES(4)
ON_SERIES(5)
ON_SERIES(6)
ON_SERIES(7)
#define SERIES_TIMER(n)                                                                   \
	{                                                                                 \
		"t" #n, "One of a series.", .offset = offsetof(struct series, timers[n]), \
					    .kind = MW_TIMER, .on_expire = on_series_##n, \
					    .since = 1                                    \
	}
static const struct mw_timer_row series_timers[] = {
	SERIES_TIMER(0), SERIES_TIMER(1), SERIES_TIMER(2), SERIES_TIMER(3),
	SERIES_TIMER(4), SERIES_TIMER(5), SERIES_TIMER(6), SERIES_TIMER(7),
};
static const struct mw_device_type series_type = {
	MW_DEVICE_TYPE,
	.name = "series",
	.summary = "many timers",
	.size = sizeof(struct series),
	.timers = MW_TABLE(series_timers),
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

/* What is ready while the machine stands waits for the next start. */
static void own_loop_rests_while_the_machine_does(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	build(ends[0], true);
	mw_machine_start(toy.machine);
	assert_int_equal(write(ends[1], "x", 1), 1);
	for (int i = 0; i < 2000 && toy_in(&toy, 0x10, 4) < 1; i++)
		usleep(1000);
	mw_machine_stop(toy.machine);
	assert_int_equal(write(ends[1], "yz", 2), 2);
	usleep(20000);
	assert_int_equal(reader->total, 1);
	mw_machine_start(toy.machine);
	for (int i = 0; i < 2000 && toy_in(&toy, 0x10, 4) < 3; i++)
		usleep(1000);
	assert_int_equal(toy_in(&toy, 0x10, 4), 3);
	close(ends[1]);
	close(ends[0]);
}

static void timers_of_an_own_loop_keep_their_order(void **state)
{
	enum { TIMERS = 8 };

	toy_node(&toy, "series", &series_type);
	toy.nodes[0].placement = MW_PLACEMENT_OWN;
	toy_build(&toy);
	struct series *series = toy_device(&toy, 0);

	mw_machine_start(toy.machine);
	for (uint64_t round = 1; round <= 200; round++) {
		series->heard = 0;
		for (unsigned t = TIMERS; t-- > 0;)
			mw_timer_arm(series->timers[t], round * 1000 + t);
		toy_step(&toy, round * 1000 + 500);
		for (int i = 0; i < 5000 && series->heard < TIMERS; i++)
			usleep(100);
		assert_int_equal(series->heard, TIMERS);
		assert_false(series->early);
	}
}

static void build_opener(bool own)
{
	toy_node(&toy, "opener", &opener_type);
	toy_claim(&toy, 0, "open", 0x10, 1);
	if (own)
		toy.nodes[0].placement = MW_PLACEMENT_OWN;
	toy_build(&toy);
	mw_machine_start(toy.machine);
}

/* The loop applies what was asked for earlier while a CPU asks for more; ASan and TSan see to it. */
static void watch_may_be_closed_while_its_loop_takes_it_up(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	build_opener(true);
	((struct opener *)toy_device(&toy, 0))->fd = ends[1];
	for (int i = 0; i < 20000; i++)
		toy_out(&toy, 0x10, 1, (uint64_t)i % 3);
	toy_out(&toy, 0x10, 1, 0);
	close(ends[0]);
	close(ends[1]);
}

static void watch_that_is_never_closed_ends_with_its_loop(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	build_opener(false);
	((struct opener *)toy_device(&toy, 0))->fd = ends[0];
	toy_out(&toy, 0x10, 1, 1);
	mw_machine_serve(toy.machine, 0);
	alarm(20);
	toy_fini(&toy);
	alarm(0);
	close(ends[0]);
	close(ends[1]);
}

/* libuv gives up a descriptor that has an error; its owner may not. */
static void descriptor_with_an_error_stays_watched(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	build_opener(false);
	close(ends[0]);
	struct opener *opener = toy_device(&toy, 0);

	opener->fd = ends[1];
	toy_out(&toy, 0x10, 1, 1);
	for (int i = 0; i < 10; i++)
		mw_machine_serve(toy.machine, 0);
	assert_in_range(opener->calls, 2, 20);
	close(ends[1]);
}

static void *interrupt_later(void *machine)
{
	usleep(50000);
	mw_machine_interrupt(machine);
	return NULL;
}

static void far_deadline_does_not_keep_the_loop_busy(void **state)
{
	pthread_t thread;

	build(-1, false);
	mw_machine_start(toy.machine);
	mw_timer_arm(reader->tick, UINT64_MAX - 1);
	mw_machine_serve(toy.machine, 0); /* what arming has woken */
	pthread_create(&thread, NULL, interrupt_later, toy.machine);
	mw_machine_serve(toy.machine, UINT64_MAX);
	assert_true(mw_clock_now(mw_machine_clock(toy.machine)) > 10000000);
	pthread_join(thread, NULL);
}

/* A manual clock has jumped over more deadlines than the loop serves in one go. */
static void loop_does_not_sleep_while_timers_are_due(void **state)
{
	build(-1, false);
	struct mw_clock *clock = mw_machine_clock(toy.machine);

	clock->manual = true;
	mw_machine_start(toy.machine);
	mw_clock_step(clock, 1000000000);
	reader->ticks = 5;
	mw_timer_arm(reader->tick, 10);
	mw_machine_serve(toy.machine, 0);
	assert_int_equal(reader->ticks, 6);
	alarm(20);
	mw_timer_arm(reader->tick, 20);
	mw_clock_step(clock, 1000000001);
	mw_machine_serve(toy.machine, UINT64_MAX);
	alarm(0);
	assert_int_equal(reader->ticks, 7);
}

static int next_descriptor(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

static void machine_leaves_no_descriptors_behind(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < 10; i++) {
		int before = next_descriptor();

		build(ends[0], true);
		if (i % 2) /* else its loops never run */
			mw_machine_start(toy.machine);
		toy_fini(&toy);
		assert_int_equal(next_descriptor(), before);
	}
	close(ends[0]);
	close(ends[1]);
}

/* Timers and descriptors keep their loop busy; a reset finds nobody in a device. */
static void resets_meet_busy_loops(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	build(ends[0], true);
	for (int i = 0; i < 100; i++) {
		mw_machine_start(toy.machine);
		reader->ticks = 0;
		mw_timer_arm(reader->tick, 0);
		assert_int_equal(write(ends[1], "x", 1), 1);
		mw_machine_serve(toy.machine, 0);
		mw_machine_stop(toy.machine);
		assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
		assert_false(mw_timer_armed(reader->tick, NULL));
		assert_false(mw_line_level(reader->busy));
	}
	mw_machine_start(toy.machine);
	for (int i = 0; i < 2000 && toy_in(&toy, 0x10, 4) < 100; i++)
		usleep(1000);
	mw_machine_stop(toy.machine);
	assert_int_equal(counter->bytes, 100);
	close(ends[0]);
	close(ends[1]);
}

/* Every loop needs descriptors; without them the machine is refused, and nothing is left behind. */
static void own_placement_without_descriptors_is_a_diagnostic(void **state)
{
	struct rlimit old, low;

	getrlimit(RLIMIT_NOFILE, &old);
	toy_node(&toy, "reader", &reader_type);
	toy_node(&toy, "own", &reader_type);
	toy.nodes[1].placement = MW_PLACEMENT_OWN;
	toy_build(&toy);
	low = old;
	low.rlim_cur = (rlim_t)next_descriptor() - 1;
	mw_machine_destroy(toy.machine);
	setrlimit(RLIMIT_NOFILE, &low);
	bool built = mw_machine_build(&toy.machine, &toy.plan, &toy.diagnostics);

	setrlimit(RLIMIT_NOFILE, &old);
	assert_false(built);
	assert_null(toy.machine);
	assert_int_equal(toy.diagnostics.errors, 1);
	assert_non_null(strstr(toy.diagnostics.items[0]->message, "no loop for `own`"));
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
		LOOP_TEST(own_loop_rests_while_the_machine_does),
		LOOP_TEST(timers_of_an_own_loop_keep_their_order),
		LOOP_TEST(watch_may_be_closed_while_its_loop_takes_it_up),
		LOOP_TEST(watch_that_is_never_closed_ends_with_its_loop),
		LOOP_TEST(descriptor_with_an_error_stays_watched),
		LOOP_TEST(far_deadline_does_not_keep_the_loop_busy),
		LOOP_TEST(loop_does_not_sleep_while_timers_are_due),
		LOOP_TEST(machine_leaves_no_descriptors_behind),
		LOOP_TEST(resets_meet_busy_loops),
		LOOP_TEST(own_placement_without_descriptors_is_a_diagnostic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
