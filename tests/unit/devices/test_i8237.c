/* The PC/AT's DMA controllers, as the Intel 8237A data sheet (231466) has them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/machine.h"
#include "tests/support/channels.h"
#include "tests/support/rig.h"

extern const struct mw_device_type i8237_type;

enum {
	STATUS = 8,
	COMMAND = 8,
	REQUEST,
	MASK,
	MODE,
	FLIP_FLOP,
	CLEAR,
	TEMPORARY = 13,
	UNMASK,
	MASKS
};
enum { SINGLE = 0x40, BLOCK = 0x80, DEMAND = 0x00, CASCADE = 0xc0 };
enum { VERIFY = 0x00, TO_MEMORY = 0x04, FROM_MEMORY = 0x08, AUTOINIT = 0x10, DOWN = 0x20 };

static const char *const chips[] = { "lo", "hi" };

static unsigned read_chip(struct rig *rig, unsigned chip, unsigned port)
{
	return (unsigned)rig_read(rig, chips[chip], (uint64_t)port << chip, 1);
}

static void write_chip(struct rig *rig, unsigned chip, unsigned port, unsigned value)
{
	rig_write(rig, chips[chip], (uint64_t)port << chip, 1, value);
}

/* As a BIOS leaves them: the high chip lets the low one through. */
static int set_up(void **state)
{
	*state = rig_create(&i8237_type, NULL);
	write_chip(*state, 1, MODE, CASCADE);
	write_chip(*state, 1, MASK, 0);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void write_word(struct rig *rig, unsigned chip, unsigned port, unsigned value)
{
	write_chip(rig, chip, FLIP_FLOP, 0);
	write_chip(rig, chip, port, value & 0xff);
	write_chip(rig, chip, port, value >> 8);
}

static unsigned read_word(struct rig *rig, unsigned chip, unsigned port)
{
	write_chip(rig, chip, FLIP_FLOP, 0);
	unsigned low = read_chip(rig, chip, port);

	return low | read_chip(rig, chip, port) << 8;
}

static void set_page(struct rig *rig, unsigned channel, unsigned page)
{
	static const uint8_t ports[] = { 7, 3, 1, 2, 15, 11, 9, 10 };

	rig_write(rig, "page", ports[channel], 1, page);
}

/* A channel that waits for DREQ; `count` transfers. */
static void program(struct rig *rig, unsigned channel, unsigned mode, unsigned address,
		    unsigned count)
{
	unsigned chip = channel / 4, number = channel % 4;

	write_chip(rig, chip, MODE, mode | number);
	write_word(rig, chip, number * 2, address);
	write_word(rig, chip, number * 2 + 1, count - 1);
	write_chip(rig, chip, MASK, number);
}

static uint8_t *ram(struct rig *rig, uint64_t address, size_t count)
{
	return mw_machine_ram(rig_machine(rig), address, count);
}

static struct fake_channel *fill(struct rig *rig, unsigned channel, size_t room)
{
	struct fake_channel *fake = rig_channel(rig, channel);

	for (size_t i = 0; i < sizeof(fake->bytes); i++)
		fake->bytes[i] = (uint8_t)(i * 7 + i / 256);
	fake->room = room;
	fake->moved = 0;
	return fake;
}

static void ask(struct rig *rig, unsigned channel)
{
	rig_dreq(rig, channel, true);
	rig_dreq(rig, channel, false);
}

static void a_register_is_two_bytes_behind_a_flip_flop(void **state)
{
	write_word(*state, 0, 2, 0x1234);
	write_word(*state, 0, 3, 0x5678);
	assert_int_equal(read_word(*state, 0, 2), 0x1234);
	assert_int_equal(read_word(*state, 0, 3), 0x5678);
	write_chip(*state, 0, FLIP_FLOP, 0xff);
	assert_int_equal(read_chip(*state, 0, 2), 0x34);
	write_chip(*state, 0, FLIP_FLOP, 0);
	assert_int_equal(read_chip(*state, 0, 3), 0x78);
	assert_int_equal(read_chip(*state, 0, 2), 0x12);
}

static void the_chips_have_a_flip_flop_each(void **state)
{
	write_word(*state, 0, 0, 0x1122);
	write_word(*state, 1, 2, 0x3344);
	write_chip(*state, 0, FLIP_FLOP, 0);
	write_chip(*state, 1, FLIP_FLOP, 0);
	assert_int_equal(read_chip(*state, 0, 0), 0x22);
	assert_int_equal(read_chip(*state, 1, 2), 0x44);
	assert_int_equal(read_chip(*state, 0, 0), 0x11);
	assert_int_equal(read_chip(*state, 1, 2), 0x33);
}

static void page_registers_read_as_they_were_written(void **state)
{
	for (unsigned i = 0; i < 16; i++)
		rig_write(*state, "page", i, 1, 0xa0 + i);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(rig_read(*state, "page", i, 1), 0xa0 + i);
}

static void the_high_chip_is_at_even_ports_and_odd_ones_too(void **state)
{
	write_chip(*state, 1, FLIP_FLOP, 0);
	rig_write(*state, "hi", 5, 1, 0x12);
	rig_write(*state, "hi", 4, 1, 0x34);
	assert_int_equal(read_word(*state, 1, 2), 0x3412);
}

static void a_device_writes_to_memory(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 512);

	program(*state, 2, SINGLE | TO_MEMORY, 0x2000, 512);
	set_page(*state, 2, 0x01);
	ask(*state, 2);
	assert_int_equal(fake->moved, 512);
	assert_int_equal(fake->terminals, 1);
	assert_memory_equal(ram(*state, 0x12000, 512), fake->bytes, 512);
}

static void a_device_reads_from_memory(void **state)
{
	struct fake_channel *fake = rig_channel(*state, 3);

	memcpy(ram(*state, 0x23456, 8), "ABCDEFG", 8);
	program(*state, 3, SINGLE | FROM_MEMORY, 0x3456, 8);
	set_page(*state, 3, 0x02);
	fake->room = 100;
	ask(*state, 3);
	assert_int_equal(fake->moved, 8);
	assert_string_equal(fake->bytes, "ABCDEFG");
}

static void verify_touches_no_memory(void **state)
{
	struct fake_channel *fake = fill(*state, 1, 16);

	memset(ram(*state, 0x4000, 16), 0x5a, 16);
	program(*state, 1, SINGLE | VERIFY, 0x4000, 16);
	ask(*state, 1);
	assert_int_equal(fake->moved, 16);
	assert_int_equal(fake->terminals, 1);
	assert_int_equal(*ram(*state, 0x4000, 1), 0x5a);
	assert_int_equal(read_word(*state, 0, 3), 0xffff);
}

static void registers_show_how_far_it_is(void **state)
{
	fill(*state, 2, 100);
	program(*state, 2, DEMAND | TO_MEMORY, 0x2000, 512);
	ask(*state, 2);
	assert_int_equal(read_word(*state, 0, 4), 0x2064);
	assert_int_equal(read_word(*state, 0, 5), 411);
	assert_int_equal(read_chip(*state, 0, STATUS), 0);
}

static void terminal_count_masks_the_channel_and_shows_once(void **state)
{
	fill(*state, 2, 1000);
	program(*state, 2, SINGLE | TO_MEMORY, 0x2000, 512);
	rig_dreq(*state, 2, true);
	assert_int_equal(read_chip(*state, 0, STATUS), 0x44);
	assert_int_equal(read_chip(*state, 0, STATUS), 0x40);
	assert_int_equal(read_chip(*state, 0, MASKS), 0x0f);
	assert_int_equal(read_word(*state, 0, 5), 0xffff);
	assert_int_equal(read_word(*state, 0, 4), 0x2200);
	rig_dreq(*state, 2, false);
	assert_int_equal(read_chip(*state, 0, STATUS), 0);
}

static void autoinitialisation_goes_round(void **state)
{
	struct fake_channel *fake = fill(*state, 1, 10);

	program(*state, 1, SINGLE | TO_MEMORY | AUTOINIT, 0x5000, 4);
	ask(*state, 1);
	assert_int_equal(fake->terminals, 2);
	assert_int_equal(read_word(*state, 0, 2), 0x5002);
	assert_int_equal(read_word(*state, 0, 3), 1);
	assert_int_equal(read_chip(*state, 0, MASKS), 0x0d);
	assert_memory_equal(ram(*state, 0x5000, 2), fake->bytes + 8, 2);
	assert_memory_equal(ram(*state, 0x5002, 2), fake->bytes + 6, 2);
}

static void autoinitialisation_yields_now_and_then(void **state)
{
	struct fake_channel *fake = fill(*state, 1, FAKE_CHANNEL_BYTES);

	program(*state, 1, BLOCK | TO_MEMORY | AUTOINIT, 0x5000, 1);
	ask(*state, 1);
	assert_true(fake->moved > 0);
}

static void addresses_may_fall(void **state)
{
	struct fake_channel *fake = fill(*state, 0, 4);

	program(*state, 0, SINGLE | TO_MEMORY | DOWN, 0x6003, 4);
	ask(*state, 0);
	assert_int_equal(ram(*state, 0x6003, 1)[0], fake->bytes[0]);
	assert_int_equal(ram(*state, 0x6000, 1)[0], fake->bytes[3]);
	assert_int_equal(read_word(*state, 0, 0), 0x5fff);
}

static void an_address_wraps_within_its_page(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 32);

	program(*state, 2, SINGLE | TO_MEMORY, 0xfff0, 32);
	set_page(*state, 2, 0x03);
	memset(ram(*state, 0x40000, 16), 0x77, 16);
	ask(*state, 2);
	assert_memory_equal(ram(*state, 0x3fff0, 16), fake->bytes, 16);
	assert_memory_equal(ram(*state, 0x30000, 16), fake->bytes + 16, 16);
	assert_int_equal(*ram(*state, 0x40000, 1), 0x77);
	assert_int_equal(fake->terminals, 1);
}

static void a_falling_address_wraps_too(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 4);

	program(*state, 2, SINGLE | TO_MEMORY | DOWN, 0x0001, 4);
	set_page(*state, 2, 0x03);
	ask(*state, 2);
	assert_int_equal(*ram(*state, 0x30001, 1), fake->bytes[0]);
	assert_int_equal(*ram(*state, 0x3ffff, 1), fake->bytes[2]);
	assert_int_equal(*ram(*state, 0x3fffe, 1), fake->bytes[3]);
}

static void channels_5_to_7_move_words(void **state)
{
	struct fake_channel *fake = fill(*state, 5, 64);

	program(*state, 5, SINGLE | TO_MEMORY, 0x8123, 32);
	set_page(*state, 5, 0x03); /* bit 0 is the address's */
	ask(*state, 5);
	assert_int_equal(fake->moved, 64);
	assert_memory_equal(ram(*state, 0x30246, 64), fake->bytes, 64);
	assert_int_equal(read_word(*state, 1, 2), 0x8143);
	assert_int_equal(read_chip(*state, 1, STATUS) & 0x0f, 0x02);
}

static void words_that_fall_keep_their_bytes_in_order(void **state)
{
	struct fake_channel *fake = fill(*state, 6, 4);

	program(*state, 6, SINGLE | TO_MEMORY | DOWN, 0x3001, 2);
	ask(*state, 6);
	assert_memory_equal(ram(*state, 0x6002, 2), fake->bytes, 2);
	assert_memory_equal(ram(*state, 0x6000, 2), fake->bytes + 2, 2);
}

static void a_masked_channel_waits_until_it_is_open(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 8);

	program(*state, 2, SINGLE | TO_MEMORY, 0x2000, 8);
	write_chip(*state, 0, MASK, 0x06);
	rig_dreq(*state, 2, true);
	assert_int_equal(fake->moved, 0);
	assert_int_equal(read_chip(*state, 0, STATUS), 0x40);
	write_chip(*state, 0, MASK, 0x02);
	assert_int_equal(fake->moved, 8);
}

static void all_masks_are_written_or_cleared_at_once(void **state)
{
	write_chip(*state, 0, MASKS, 0xf5);
	assert_int_equal(read_chip(*state, 0, MASKS), 0x05);
	write_chip(*state, 0, UNMASK, 0xff);
	assert_int_equal(read_chip(*state, 0, MASKS), 0x00);
}

static void a_controller_that_is_disabled_grants_nothing(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 8);

	write_chip(*state, 0, COMMAND, 0x04);
	program(*state, 2, SINGLE | TO_MEMORY, 0x2000, 8);
	rig_dreq(*state, 2, true);
	assert_int_equal(fake->moved, 0);
	write_chip(*state, 0, COMMAND, 0x00);
	assert_int_equal(fake->moved, 8);
}

static void the_low_chip_asks_through_channel_4(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 8);

	write_chip(*state, 1, MASK, 0x04);
	program(*state, 2, SINGLE | TO_MEMORY, 0x2000, 8);
	rig_dreq(*state, 2, true);
	assert_int_equal(fake->moved, 0);
	write_chip(*state, 1, MASK, 0x00);
	assert_int_equal(fake->moved, 8);
}

static void channel_4_lets_nothing_through_in_another_mode(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 8);

	write_chip(*state, 1, MODE, SINGLE);
	program(*state, 2, SINGLE | TO_MEMORY, 0x2000, 8);
	rig_dreq(*state, 2, true);
	assert_int_equal(fake->moved, 0);
}

static void software_may_ask_for_a_masked_channel(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 8);

	program(*state, 2, BLOCK | TO_MEMORY, 0x2000, 8);
	write_chip(*state, 0, MASK, 0x06);
	write_chip(*state, 0, REQUEST, 0x06);
	assert_int_equal(fake->moved, 8);
	assert_int_equal(read_chip(*state, 0, STATUS), 0x04);
}

static void a_request_that_nobody_serves_shows_and_can_be_taken_back(void **state)
{
	program(*state, 2, BLOCK | TO_MEMORY, 0x2000, 8);
	write_chip(*state, 0, REQUEST, 0x06);
	assert_int_equal(read_chip(*state, 0, STATUS), 0x40);
	write_chip(*state, 0, REQUEST, 0x02);
	assert_int_equal(read_chip(*state, 0, STATUS), 0x00);
}

static void master_clear_masks_all_and_keeps_addresses(void **state)
{
	program(*state, 2, SINGLE | TO_MEMORY, 0x2468, 8);
	write_chip(*state, 0, COMMAND, 0x04);
	write_chip(*state, 0, REQUEST, 0x05);
	write_chip(*state, 0, 4, 0x68); /* the flip-flop stands at the high byte */
	write_chip(*state, 0, CLEAR, 0);
	assert_int_equal(read_chip(*state, 0, MASKS), 0x0f);
	assert_int_equal(read_chip(*state, 0, STATUS), 0);
	assert_int_equal(read_chip(*state, 0, TEMPORARY), 0);
	assert_int_equal(read_chip(*state, 0, 4), 0x68);
	assert_int_equal(read_chip(*state, 0, 4), 0x24);
}

static void the_illegal_transfer_does_nothing(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 8);

	program(*state, 2, SINGLE | 0x0c, 0x2000, 8);
	rig_dreq(*state, 2, true);
	assert_int_equal(fake->moved, 0);
}

static void memory_to_memory_is_not_there_and_says_so(void **state)
{
	write_chip(*state, 0, COMMAND, 0x01);
	assert_non_null(strstr(rig_log(*state), "memory to memory"));
}

static void half_a_transfer_is_saved(void **state)
{
	struct fake_channel *fake = fill(*state, 2, 100);
	size_t count;

	program(*state, 2, SINGLE | TO_MEMORY, 0x2000, 512);
	ask(*state, 2);
	const uint8_t *saved = rig_save(*state, &count);
	uint8_t copy[1024];

	assert_in_range(count, 1, sizeof(copy));
	memcpy(copy, saved, count);
	write_chip(*state, 0, CLEAR, 0);
	assert_true(rig_load(*state, copy, count));
	fake->room = 1000;
	ask(*state, 2);
	assert_int_equal(fake->moved, 512);
	assert_memory_equal(ram(*state, 0x2000, 512), fake->bytes, 512);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_register_is_two_bytes_behind_a_flip_flop),
		TEST(the_chips_have_a_flip_flop_each),
		TEST(page_registers_read_as_they_were_written),
		TEST(the_high_chip_is_at_even_ports_and_odd_ones_too),
		TEST(a_device_writes_to_memory),
		TEST(a_device_reads_from_memory),
		TEST(verify_touches_no_memory),
		TEST(registers_show_how_far_it_is),
		TEST(terminal_count_masks_the_channel_and_shows_once),
		TEST(autoinitialisation_goes_round),
		TEST(autoinitialisation_yields_now_and_then),
		TEST(addresses_may_fall),
		TEST(an_address_wraps_within_its_page),
		TEST(a_falling_address_wraps_too),
		TEST(channels_5_to_7_move_words),
		TEST(words_that_fall_keep_their_bytes_in_order),
		TEST(a_masked_channel_waits_until_it_is_open),
		TEST(all_masks_are_written_or_cleared_at_once),
		TEST(a_controller_that_is_disabled_grants_nothing),
		TEST(the_low_chip_asks_through_channel_4),
		TEST(channel_4_lets_nothing_through_in_another_mode),
		TEST(software_may_ask_for_a_masked_channel),
		TEST(a_request_that_nobody_serves_shows_and_can_be_taken_back),
		TEST(master_clear_masks_all_and_keeps_addresses),
		TEST(the_illegal_transfer_does_nothing),
		TEST(memory_to_memory_is_not_there_and_says_so),
		TEST(half_a_transfer_is_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
