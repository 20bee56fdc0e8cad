/* Byte links: order, credit, room, and what happens when they are full. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"

/* A port that sends what is written (byte) or that many bytes (double word), and sets its credit. */
struct end {
	struct mw_stream *port;
	uint8_t heard[70000];
	size_t count;
	unsigned rooms;
};
enum { SEND = 0, FLOOD = 4, CREDIT = 8, ROOM = 12, BANK = 16 };

static enum mw_io write_end(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct end *end = self;

	switch (offset) {
	case SEND: mw_stream_put(end->port, (uint8_t)value); break;
	case FLOOD:
		for (uint64_t i = 0; i < value; i++)
			mw_stream_put(end->port, (uint8_t)i);
		break;
	case CREDIT: mw_stream_credit(end->port, value); break;
	default: return MW_IO_NO_REGISTER;
	}
	return MW_IO_OK;
}

static enum mw_io read_end(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct end *end = self;

	*value = mw_stream_room(end->port);
	return MW_IO_OK;
}

static void hear(void *self, uint8_t byte)
{
	struct end *end = self;

	if (end->count < sizeof(end->heard))
		end->heard[end->count++] = byte;
}

static void room(void *self)
{
	struct end *end = self;

	end->rooms++;
}

static const struct mw_region regions[] = {
	{ "port", MW_SPACE_PORT, BANK, MW_ACCESS(4, 4), read_end, write_end },
};
static const struct mw_wire wires[] = {
	{ "port", "The link.", MW_FIELD(struct end, port), .on_byte = hear, .on_room = room },
};
static const struct mw_device_type end_type = {
	MW_DEVICE_TYPE,
	.name = "end",
	.summary = "one end of a link",
	.size = sizeof(struct end),
	.regions = MW_TABLE(regions),
	.wires = MW_TABLE(wires),
};

static struct end *ends[2];

static void build(struct toy *toy)
{
	uint32_t a = toy_node(toy, "a", &end_type), b = toy_node(toy, "b", &end_type);

	toy_claim(toy, a, "port", 0x100, BANK);
	toy_claim(toy, b, "port", 0x200, BANK);
	toy_link(toy, a, "port", b, "port");
	toy_build(toy);
	ends[0] = toy_device(toy, a);
	ends[1] = toy_device(toy, b);
}

static void bytes_arrive_both_ways_in_order(void **state)
{
	struct toy toy = { 0 };

	build(&toy);
	toy_out(&toy, 0x100 + FLOOD, 4, 300);
	toy_out(&toy, 0x200 + SEND, 4, 'x');
	assert_int_equal(ends[1]->count, 300);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(ends[1]->heard[i], (uint8_t)i);
	assert_int_equal(ends[0]->count, 1);
	assert_int_equal(ends[0]->heard[0], 'x');
	toy_fini(&toy);
}

static void receiver_gets_no_more_than_its_credit(void **state)
{
	struct toy toy = { 0 };

	build(&toy);
	toy_out(&toy, 0x200 + CREDIT, 4, 2);
	toy_out(&toy, 0x100 + FLOOD, 4, 5);
	assert_int_equal(ends[1]->count, 2);
	toy_out(&toy, 0x200 + CREDIT, 4, 1);
	assert_int_equal(ends[1]->count, 3);
	toy_out(&toy, 0x200 + CREDIT, 4, 100);
	assert_int_equal(ends[1]->count, 5);
	assert_int_equal(ends[1]->heard[4], 4);
	toy_fini(&toy);
}

static void sender_hears_of_room_again_after_it_saw_none(void **state)
{
	struct toy toy = { 0 };

	build(&toy);
	toy_out(&toy, 0x200 + CREDIT, 4, 0);
	assert_int_equal(toy_in(&toy, 0x100 + ROOM, 4), 65536);
	toy_out(&toy, 0x100 + FLOOD, 4, 65536);
	assert_int_equal(toy_in(&toy, 0x100 + ROOM, 4), 0);
	assert_int_equal(ends[0]->rooms, 0);
	toy_out(&toy, 0x200 + CREDIT, 4, 65536);
	assert_int_equal(ends[0]->rooms, 1);
	assert_int_equal(ends[1]->count, 65536);
	toy_fini(&toy);
}

/* A sender that writes just as much as it was told fits need not ask once more. */
static void sender_that_fills_the_link_hears_of_room(void **state)
{
	struct toy toy = { 0 };

	build(&toy);
	toy_out(&toy, 0x200 + CREDIT, 4, 0);
	uint64_t fits = toy_in(&toy, 0x100 + ROOM, 4);

	toy_out(&toy, 0x100 + FLOOD, 4, fits);
	toy_out(&toy, 0x200 + CREDIT, 4, 65536);
	assert_int_equal(ends[0]->rooms, 1);
	toy_fini(&toy);
}

static void overfull_link_drops_and_logs(void **state)
{
	struct toy toy = { 0 };

	build(&toy);
	toy_out(&toy, 0x200 + CREDIT, 4, 0);
	toy_out(&toy, 0x100 + FLOOD, 4, 65537);
	assert_non_null(strstr(toy_log(&toy), "guest: a: the other end is full"));
	toy_out(&toy, 0x200 + CREDIT, 4, 70000);
	assert_int_equal(ends[1]->count, 65536);
	toy_fini(&toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_arrive_both_ways_in_order),
		cmocka_unit_test(receiver_gets_no_more_than_its_credit),
		cmocka_unit_test(sender_hears_of_room_again_after_it_saw_none),
		cmocka_unit_test(sender_that_fills_the_link_hears_of_room),
		cmocka_unit_test(overfull_link_drops_and_logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
