/* Several CPUs at once: maps that change under them, lines and streams that they share. What TSan and
 * ASan do not see, the counts at the end do. */
// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/machine_internal.h"
#include "tests/unit/core/toy.h"

enum { CPUS = 3 };
static struct toy toy;
static struct mw_actor *cpus[CPUS];

static void build(void)
{
	toy_build(&toy);
	for (unsigned i = 0; i < CPUS; i++)
		cpus[i] = mw_machine_add_actor(toy.machine, "cpu");
	mw_machine_start(toy.machine);
}

static int tear_down(void **state)
{
	toy_fini(&toy);
	return 0;
}

static void run_on_all(void *(*work)(void *cpu))
{
	pthread_t threads[CPUS];

	for (uintptr_t i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(threads[i], NULL);
}

/* A chip whose register says where the access arrived. */
struct chip {
	uint32_t number;
};

static enum mw_io read_chip(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = ((struct chip *)self)->number;
	return MW_IO_OK;
}

static const struct mw_region chip_regions[] = {
	{ "bank", MW_SPACE_MEMORY, 16, MW_ACCESS(4, 4), .read = read_chip },
};
static const struct mw_device_type chip_type = {
	MW_DEVICE_TYPE,
	.name = "chip",
	.summary = "tells its number",
	.size = sizeof(struct chip),
	.regions = MW_TABLE(chip_regions),
};

enum { READS = 30000, SWAPS = 3000 };
static _Atomic unsigned readers, wrong;

static void *read_bank(void *cpu)
{
	uint64_t value;

	for (unsigned i = 0; i < READS; i++) {
		mw_memory_read(cpus[(uintptr_t)cpu], 0x1000, 4, &value);
		if (value != 1 && value != 2)
			wrong++;
		mw_memory_read(cpus[(uintptr_t)cpu], 0x1010, 4, &value);
		if (value != UINT32_MAX)
			wrong++;
	}
	readers--;
	return NULL;
}

/* The two chips change places like a BAR that moves; every read meets one or the other. */
static void *swap_banks(void *context)
{
	struct mw_map_entry entries[2];
	uint32_t swaps = 0;

	memcpy(entries, atomic_load(&toy.machine->memory.map)->entries, sizeof(entries));
	while (readers || swaps < SWAPS) {
		uint64_t base = entries[0].base;

		entries[0].base = entries[1].base;
		entries[1].base = base;
		for (unsigned i = 0; i < 2; i++)
			entries[i].last = entries[i].base + 15;
		mw_machine_swap_map(toy.machine, &toy.machine->memory,
				    mw_map_create(entries, 2, false));
		swaps++;
	}
	return NULL;
}

static void maps_change_while_cpus_read_through_them(void **state)
{
	pthread_t writer;

	toy_node(&toy, "one", &chip_type);
	toy_node(&toy, "two", &chip_type);
	toy_claim(&toy, 0, "bank", 0x1000, 16);
	toy_claim(&toy, 1, "bank", 0x2000, 16);
	build();
	((struct chip *)toy_device(&toy, 0))->number = 1;
	((struct chip *)toy_device(&toy, 1))->number = 2;
	readers = CPUS;
	wrong = 0;
	pthread_create(&writer, NULL, swap_banks, NULL);
	run_on_all(read_bank);
	pthread_join(writer, NULL);
	assert_int_equal(wrong, 0);
	/* With nobody inside, one more change frees all old maps but its own. */
	mw_space_reclaim(&toy.machine->memory, UINT64_MAX);
	assert_null(toy.machine->memory.retired);
}

/* A port that drives a line by its low bit; all lines meet in one sink. */
struct driver {
	struct mw_line *out;
};

static enum mw_io drive(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	mw_line_set(((struct driver *)self)->out, value & 1);
	return MW_IO_OK;
}

static const struct mw_region driver_regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = drive },
};
static const struct mw_wire driver_wires[] = {
	{ "out", "A line.", MW_FIELD(struct driver, out) },
};
static const struct mw_device_type driver_type = {
	MW_DEVICE_TYPE,
	.name = "driver",
	.summary = "drives a line",
	.size = sizeof(struct driver),
	.regions = MW_TABLE(driver_regions),
	.wires = MW_TABLE(driver_wires),
};

struct ear {
	bool level, repeated;
	unsigned rises;
};

static void hear(void *self, unsigned index, bool level)
{
	struct ear *ear = self;

	ear->repeated |= level == ear->level;
	ear->level = level;
	ear->rises += level;
}

static const struct mw_wire ear_wires[] = {
	{ "in", "Input.", MW_SINK(1), .on_level = hear },
};
static const struct mw_device_type ear_type = {
	MW_DEVICE_TYPE,
	.name = "ear",
	.summary = "hears a line",
	.size = sizeof(struct ear),
	.wires = MW_TABLE(ear_wires),
};

enum { TOGGLES = 10000 };

/* CPU 0 ends high, the others low. */
static void *toggle(void *cpu)
{
	uint16_t port = (uint16_t)(0x10 + (uintptr_t)cpu);

	for (unsigned i = 0; i < TOGGLES; i++)
		mw_port_write(cpus[(uintptr_t)cpu], port, 1, i & 1);
	mw_port_write(cpus[(uintptr_t)cpu], port, 1, port == 0x10);
	return NULL;
}

static void shared_line_ends_at_the_or_of_what_all_cpus_drove(void **state)
{
	static const char *const ids[CPUS] = { "a", "b", "c" };
	uint32_t sink;

	for (uint32_t i = 0; i < CPUS; i++)
		toy_claim(&toy, toy_node(&toy, ids[i], &driver_type), "port", 0x10 + i, 1);
	sink = toy_node(&toy, "ear", &ear_type);
	for (uint32_t i = 0; i < CPUS; i++) {
		toy_wire(&toy, i, "out", sink, "in", 0);
		toy.claims[i][1].net = 0;
	}
	build();
	struct ear *ear = toy_device(&toy, sink);

	run_on_all(toggle);
	assert_true(ear->level);
	assert_false(ear->repeated);
	assert_in_range(ear->rises, 1, CPUS * TOGGLES);
	toy_out(&toy, 0x10, 1, 0);
	assert_false(ear->level);
}

/* A sender that sends until there is no room and then waits for it; a receiver that takes some
 * bytes at a time and lets the link stand still in between. */
enum { MOST = 1000, STREAM_BYTES = 1 << 20 };
struct sender {
	struct mw_stream *port;
	uint32_t sent;
};
struct receiver {
	struct mw_stream *port;
	uint32_t heard, wrong;
};

static uint8_t byte_at(uint32_t position)
{
	return (uint8_t)(position * 7 + (position >> 8));
}

static void send_more(void *self)
{
	struct sender *sender = self;
	uint8_t bytes[MOST];
	size_t room;

	while (sender->sent < STREAM_BYTES && (room = mw_stream_room(sender->port))) {
		size_t count = room < MOST ? room : MOST;

		if (count > STREAM_BYTES - sender->sent)
			count = STREAM_BYTES - sender->sent;
		for (size_t i = 0; i < count; i++)
			bytes[i] = byte_at(sender->sent++);
		mw_stream_write(sender->port, bytes, count);
	}
}

static enum mw_io write_sender(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	send_more(self);
	return MW_IO_OK;
}

static void take_bytes(void *self, const uint8_t *bytes, size_t count)
{
	struct receiver *receiver = self;

	for (size_t i = 0; i < count; i++)
		receiver->wrong += bytes[i] != byte_at(receiver->heard++);
	mw_stream_credit(receiver->port, receiver->heard % 3 ? 100 : 0);
}

static enum mw_io write_receiver(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	mw_stream_credit(((struct receiver *)self)->port, 700);
	return MW_IO_OK;
}

static enum mw_io read_receiver(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = ((struct receiver *)self)->heard;
	return MW_IO_OK;
}

static const struct mw_region sender_regions[] = {
	{ "port", MW_SPACE_PORT, 4, MW_ACCESS(4, 4), .write = write_sender },
};
static const struct mw_wire sender_wires[] = {
	{ "port", "Bytes out.", MW_FIELD(struct sender, port), .on_room = send_more },
};
static const struct mw_device_type sender_type = {
	MW_DEVICE_TYPE,
	.name = "sender",
	.summary = "sends a megabyte",
	.size = sizeof(struct sender),
	.regions = MW_TABLE(sender_regions),
	.wires = MW_TABLE(sender_wires),
};
static const struct mw_region receiver_regions[] = {
	{ "port", MW_SPACE_PORT, 4, MW_ACCESS(4, 4), .read = read_receiver,
	  .write = write_receiver },
};
static const struct mw_wire receiver_wires[] = {
	{ "port", "Bytes in.", MW_FIELD(struct receiver, port), .on_bytes = take_bytes },
};
static const struct mw_device_type receiver_type = {
	MW_DEVICE_TYPE,
	.name = "receiver",
	.summary = "takes bytes now and then",
	.size = sizeof(struct receiver),
	.regions = MW_TABLE(receiver_regions),
	.wires = MW_TABLE(receiver_wires),
};

/* CPU 0 only starts the sender; whatever happens then comes from on_room. The others give credit. */
static void *stream(void *cpu)
{
	uint64_t heard = 0;

	if (!cpu) {
		mw_port_write(cpus[0], 0x10, 4, 0);
		return NULL;
	}
	for (unsigned i = 0; i < 100 * STREAM_BYTES / 700 && heard < STREAM_BYTES; i++) {
		mw_port_write(cpus[(uintptr_t)cpu], 0x20, 4, 0);
		mw_port_read(cpus[(uintptr_t)cpu], 0x20, 4, &heard);
	}
	return NULL;
}

static void stream_between_cpus_neither_stalls_nor_mixes_up(void **state)
{
	toy_node(&toy, "sender", &sender_type);
	toy_node(&toy, "receiver", &receiver_type);
	toy_claim(&toy, 0, "port", 0x10, 4);
	toy_claim(&toy, 1, "port", 0x20, 4);
	toy_link(&toy, 0, "port", 1, "port");
	build();
	run_on_all(stream);
	struct receiver *receiver = toy_device(&toy, 1);

	assert_int_equal(receiver->heard, STREAM_BYTES);
	assert_int_equal(receiver->wrong, 0);
	assert_string_equal(toy_log(&toy), "");
}

/* An executor whose CPUs write to whatever there is until they are stopped. */
static pthread_t cpu_threads[CPUS];
static uint32_t heard_before_reset;

static void *hammer(void *cpu)
{
	struct mw_actor *actor = cpus[(uintptr_t)cpu];
	uint64_t value;

	for (unsigned i = 0; !mw_machine_stopping(toy.machine); i++) {
		mw_port_write(actor, 0x10, 4, 0);
		mw_port_write(actor, 0x20, 4, 0);
		mw_port_read(actor, 0x20, 4, &value);
		mw_port_write(actor, 0x30, 1, i & 1);
		if (i == 50 && cpu)
			mw_machine_power(toy.machine, MW_POWER_RESET, 0);
	}
	return NULL;
}

static enum mw_status start_cpus(void *self)
{
	for (uintptr_t i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&cpu_threads[i], NULL, hammer, (void *)i), 0);
	return MW_STATUS_OK;
}

static void stop_cpus(void *self)
{
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(cpu_threads[i], NULL);
}

static enum mw_status ready(void *self)
{
	return MW_STATUS_OK;
}

/* Nobody is in a device while hooks run, so what one reads holds still. */
static enum mw_status set_cpu(void *self, unsigned cpu, const struct mw_cpu_state *state)
{
	struct sender *sender = toy_device(&toy, 0);
	struct receiver *receiver = toy_device(&toy, 1);

	assert_true(receiver->heard <= sender->sent);
	if (mw_machine_resets(toy.machine) == 100)
		mw_machine_power(toy.machine, MW_POWER_EXIT, 3);
	heard_before_reset = receiver->heard;
	return MW_STATUS_OK;
}

static const struct mw_executor_ops hammer_ops = {
	.reset = ready,
	.set_cpu = set_cpu,
	.start = start_cpus,
	.stop = stop_cpus,
};

static void hundred_resets_amid_busy_cpus_and_loops(void **state)
{
	toy_node(&toy, "sender", &sender_type);
	toy_node(&toy, "receiver", &receiver_type);
	toy_node(&toy, "driver", &driver_type);
	toy_node(&toy, "ear", &ear_type);
	toy_claim(&toy, 0, "port", 0x10, 4);
	toy_claim(&toy, 1, "port", 0x20, 4);
	toy_claim(&toy, 2, "port", 0x30, 1);
	toy_link(&toy, 0, "port", 1, "port");
	toy_wire(&toy, 2, "out", 3, "in", 0);
	toy.nodes[1].placement = MW_PLACEMENT_OWN;
	toy_build(&toy);
	for (unsigned i = 0; i < CPUS; i++)
		cpus[i] = mw_machine_add_actor(toy.machine, "cpu");
	mw_machine_set_executor(toy.machine, (struct mw_executor){ &hammer_ops, NULL });
	assert_int_equal(mw_machine_run(toy.machine, &toy.diagnostics), 3);
	assert_int_equal(mw_machine_resets(toy.machine), 100);
	assert_int_equal(((struct receiver *)toy_device(&toy, 1))->wrong, 0);
	assert_true(heard_before_reset > 0);
	assert_string_equal(toy_log(&toy), "");
}

int main(void)
{
#define THREADS_TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		THREADS_TEST(maps_change_while_cpus_read_through_them),
		THREADS_TEST(shared_line_ends_at_the_or_of_what_all_cpus_drove),
		THREADS_TEST(stream_between_cpus_neither_stalls_nor_mixes_up),
		THREADS_TEST(hundred_resets_amid_busy_cpus_and_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
