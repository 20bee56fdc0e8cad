/* The 440FX host bridge: configuration mechanism 1, PAM and SMRAM (82441FX data sheet, section 3). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type i440fx_host_type;

enum { ADDRESS = 0, DATA = 4, PAM0 = 0x59, PAM1 = 0x5a, PAM6 = 0x5f, SMRAM = 0x72 };
enum { OPEN = 0x40, CLOSED = 0x20, LOCKED = 0x10, ENABLED = 0x08, BASE = 0x02 };
enum { NONE = 0x0, READ_ONLY = 0x1, WRITE_ONLY = 0x2, READ_WRITE = 0x3 };
#define ONES    0xffffffffu
#define ENABLE  0x80000000u
#define HOST_ID 0x12378086u
#define BEHIND  0x1badb002u
#define NOWHERE (ENABLE | 0x1f00)

static uint32_t peek(struct rig *rig, uint32_t address)
{
	return (uint32_t)rig_bus_read(rig, MW_SPACE_MEMORY, address, 4);
}

static void poke(struct rig *rig, uint32_t address, uint32_t value)
{
	rig_bus_write(rig, MW_SPACE_MEMORY, address, 4, value);
}

/* What is on the bus behind the bridge. */
static int set_up(void **state)
{
	*state = rig_create(&i440fx_host_type, NULL);
	for (uint32_t at = 0xa0000; at < 0x100000; at += 4)
		poke(*state, at, BEHIND);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static uint32_t read_config(struct rig *rig, unsigned at, unsigned size)
{
	rig_write(rig, "cfg", ADDRESS, 4, ENABLE | (at & ~3u));
	return (uint32_t)rig_read(rig, "cfg", DATA + at % 4, size);
}

static void write_config(struct rig *rig, unsigned at, unsigned size, uint32_t value)
{
	rig_write(rig, "cfg", ADDRESS, 4, ENABLE | (at & ~3u));
	rig_write(rig, "cfg", DATA + at % 4, size, value);
}

static void set_all_segments(struct rig *rig, unsigned access)
{
	write_config(rig, PAM0, 1, access << 4);
	for (unsigned pam = PAM1; pam <= PAM6; pam++)
		write_config(rig, pam, 1, access << 4 | access);
}

static void it_is_the_function_at_zero(void **state)
{
	assert_int_equal(read_config(*state, 0x00, 4), HOST_ID);
	assert_int_equal(read_config(*state, 0x04, 4), 0x02800006);
	assert_int_equal(read_config(*state, 0x08, 4), 0x06000002);
	assert_int_equal(read_config(*state, 0x0e, 1), 0);
	assert_int_equal(read_config(*state, 0x2c, 4), 0x11001af4);
	assert_int_equal(read_config(*state, SMRAM, 1), BASE);
}

static void data_is_a_window_of_every_size(void **state)
{
	rig_write(*state, "cfg", ADDRESS, 4, ENABLE);
	assert_int_equal(rig_read(*state, "cfg", DATA, 1), 0x86);
	assert_int_equal(rig_read(*state, "cfg", DATA + 1, 1), 0x80);
	assert_int_equal(rig_read(*state, "cfg", DATA + 2, 2), 0x1237);
	assert_int_equal(rig_read(*state, "cfg", DATA, 4), HOST_ID);
}

static void address_reads_back_without_reserved_bits(void **state)
{
	rig_write(*state, "cfg", ADDRESS, 4, ONES);
	assert_int_equal(rig_read(*state, "cfg", ADDRESS, 4), 0x80fffffc);
}

static void only_a_dword_reaches_the_address(void **state)
{
	rig_write(*state, "cfg", ADDRESS, 4, NOWHERE);
	rig_write(*state, "cfg", ADDRESS, 2, 0);
	rig_write(*state, "cfg", ADDRESS + 1, 1, 0);
	rig_write(*state, "cfg", ADDRESS + 3, 1, 0);
	assert_int_equal(rig_read(*state, "cfg", ADDRESS, 4), NOWHERE);
	assert_int_equal(rig_read(*state, "cfg", ADDRESS + 1, 1), 0xff);
	assert_int_equal(rig_read(*state, "cfg", ADDRESS, 2), 0xffff);
	/* Linux writes a byte at 0xcfb to see whether this is configuration mechanism 1 */
	assert_string_equal(rig_log(*state), "");
}

static void no_function_reads_as_ones(void **state)
{
	rig_write(*state, "cfg", ADDRESS, 4, NOWHERE);
	assert_int_equal(rig_read(*state, "cfg", DATA, 4), ONES);
	rig_write(*state, "cfg", ADDRESS, 4, ENABLE | 1 << 16); /* another bus */
	assert_int_equal(rig_read(*state, "cfg", DATA, 4), ONES);
	rig_write(*state, "cfg", ADDRESS, 4, ENABLE | 1 << 8); /* another function */
	assert_int_equal(rig_read(*state, "cfg", DATA, 4), ONES);
}

static void without_enable_there_is_no_window(void **state)
{
	rig_write(*state, "cfg", ADDRESS, 4, 0);
	assert_int_equal(rig_read(*state, "cfg", DATA, 4), ONES);
	rig_write(*state, "cfg", DATA + 2, 1, 0xff);
	assert_int_equal(read_config(*state, SMRAM, 1), BASE);
}

static void what_is_hardwired_stays(void **state)
{
	write_config(*state, 0x00, 4, 0);
	write_config(*state, 0x04, 2, 0xffff);
	write_config(*state, 0x2c, 4, 0);
	assert_int_equal(read_config(*state, 0x00, 4), HOST_ID);
	assert_int_equal(read_config(*state, 0x04, 2), 0x0146);
	assert_int_equal(read_config(*state, 0x2c, 4), 0x11001af4);
	for (unsigned at = 0x59; at <= 0x5f; at++)
		write_config(*state, at, 1, 0xff);
	assert_int_equal(read_config(*state, 0x59, 1), 0x30);
	assert_int_equal(read_config(*state, 0x5c, 4), 0x33333333);
}

static void after_reset_there_is_no_shadow(void **state)
{
	assert_int_equal(peek(*state, 0xf0000), BEHIND);
	poke(*state, 0xc0000, 1);
	set_all_segments(*state, READ_WRITE);
	assert_int_equal(peek(*state, 0xc0000), 0);
}

static void read_and_write_enabled_it_is_ram(void **state)
{
	set_all_segments(*state, READ_WRITE);
	for (uint32_t at = 0xc0000; at < 0x100000; at += 0x1000)
		poke(*state, at, at + 1);
	for (uint32_t at = 0xc0000; at < 0x100000; at += 0x1000)
		assert_int_equal(peek(*state, at), at + 1);
}

static void write_only_ram_fills_behind_what_is_read(void **state)
{
	set_all_segments(*state, WRITE_ONLY);
	poke(*state, 0xe0000, 0x12345678);
	assert_int_equal(peek(*state, 0xe0000), BEHIND);
	set_all_segments(*state, READ_ONLY);
	assert_int_equal(peek(*state, 0xe0000), 0x12345678);
}

static void read_only_ram_keeps_what_it_has(void **state)
{
	set_all_segments(*state, READ_WRITE);
	poke(*state, 0xffffc, 0x11223344);
	set_all_segments(*state, READ_ONLY);
	poke(*state, 0xffffc, 0);
	assert_int_equal(peek(*state, 0xffffc), 0x11223344);
	set_all_segments(*state, NONE);
	assert_int_equal(peek(*state, 0xffffc), BEHIND);
}

/* Figure of section 3.2.11: which half of which register has which segment. */
static void each_half_has_its_segment(void **state)
{
	static const struct {
		unsigned pam, shift;
		uint32_t first, last;
	} segments[] = {
		{ 0x5a, 0, 0xc0000, 0xc3fff }, { 0x5a, 4, 0xc4000, 0xc7fff },
		{ 0x5b, 0, 0xc8000, 0xcbfff }, { 0x5b, 4, 0xcc000, 0xcffff },
		{ 0x5c, 0, 0xd0000, 0xd3fff }, { 0x5c, 4, 0xd4000, 0xd7fff },
		{ 0x5d, 0, 0xd8000, 0xdbfff }, { 0x5d, 4, 0xdc000, 0xdffff },
		{ 0x5e, 0, 0xe0000, 0xe3fff }, { 0x5e, 4, 0xe4000, 0xe7fff },
		{ 0x5f, 0, 0xe8000, 0xebfff }, { 0x5f, 4, 0xec000, 0xeffff },
		{ 0x59, 4, 0xf0000, 0xfffff },
	};

	set_all_segments(*state, READ_WRITE);
	for (uint32_t at = 0xc0000; at < 0x100000; at += 0x1000)
		poke(*state, at, at);
	for (unsigned i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		set_all_segments(*state, NONE);
		write_config(*state, segments[i].pam, 1, (uint32_t)READ_ONLY << segments[i].shift);
		for (uint32_t at = 0xc0000; at < 0x100000; at += 0x1000) {
			bool mine = at >= segments[i].first && at <= segments[i].last;

			assert_int_equal(peek(*state, at), mine ? at : BEHIND);
		}
	}
}

static void every_other_segment_may_differ(void **state)
{
	set_all_segments(*state, READ_WRITE);
	for (uint32_t at = 0xc0000; at < 0x100000; at += 0x4000)
		poke(*state, at, at);
	for (unsigned pam = PAM1; pam <= PAM6; pam++)
		write_config(*state, pam, 1, WRITE_ONLY << 4 | READ_ONLY);
	for (uint32_t at = 0xc0000; at < 0xf0000; at += 0x4000)
		assert_int_equal(peek(*state, at), at & 0x4000 ? BEHIND : at);
	assert_int_equal(peek(*state, 0xf0000), 0xf0000);
}

static void shadow_survives_reset_as_ram_does(void **state)
{
	set_all_segments(*state, READ_WRITE);
	poke(*state, 0xf0000, 0x55aa55aa);
	rig_reset(*state);
	assert_int_equal(read_config(*state, PAM0, 1), 0);
	assert_int_equal(peek(*state, 0xf0000), BEHIND);
	set_all_segments(*state, READ_ONLY);
	assert_int_equal(peek(*state, 0xf0000), 0x55aa55aa);
}

static void open_smram_lies_over_the_display(void **state)
{
	assert_int_equal(peek(*state, 0xa0000), BEHIND);
	write_config(*state, SMRAM, 1, OPEN | ENABLED);
	poke(*state, 0xa0000, 1);
	poke(*state, 0xbfffc, 2);
	assert_int_equal(peek(*state, 0xa0000), 1);
	assert_int_equal(peek(*state, 0xbfffc), 2);
	write_config(*state, SMRAM, 1, ENABLED);
	assert_int_equal(peek(*state, 0xa0000), BEHIND);
	write_config(*state, SMRAM, 1, OPEN | ENABLED);
	assert_int_equal(peek(*state, 0xbfffc), 2);
}

static void smram_has_to_be_enabled_and_not_closed(void **state)
{
	write_config(*state, SMRAM, 1, OPEN);
	assert_int_equal(peek(*state, 0xa0000), BEHIND);
	write_config(*state, SMRAM, 1, OPEN | ENABLED | CLOSED);
	assert_int_equal(peek(*state, 0xa0000), BEHIND);
}

static void the_lock_closes_and_stays(void **state)
{
	write_config(*state, SMRAM, 1, OPEN | ENABLED);
	poke(*state, 0xa0000, 0);
	write_config(*state, SMRAM, 1, OPEN | ENABLED | LOCKED);
	assert_int_equal(read_config(*state, SMRAM, 1), LOCKED | ENABLED | BASE);
	assert_int_equal(peek(*state, 0xa0000), BEHIND);
	write_config(*state, SMRAM, 1, OPEN | ENABLED);
	assert_int_equal(read_config(*state, SMRAM, 1), LOCKED | ENABLED | BASE);
	rig_reset(*state);
	assert_int_equal(read_config(*state, SMRAM, 1), BASE);
}

static void a_restored_bridge_maps_what_it_mapped(void **state)
{
	uint8_t saved[1024];
	size_t count;
	const uint8_t *bytes;

	set_all_segments(*state, READ_WRITE);
	write_config(*state, SMRAM, 1, OPEN | ENABLED);
	poke(*state, 0xc8000, 7);
	rig_write(*state, "cfg", ADDRESS, 4, ENABLE | 0x58);
	bytes = rig_save(*state, &count);
	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	rig_reset(*state);
	assert_int_equal(peek(*state, 0xc8000), BEHIND);
	assert_true(rig_load(*state, saved, count));
	assert_int_equal(rig_read(*state, "cfg", ADDRESS, 4), ENABLE | 0x58);
	assert_int_equal(peek(*state, 0xc8000), 7);
	poke(*state, 0xa0000, 9);
	assert_int_equal(peek(*state, 0xa0000), 9);
}

static void impossible_state_is_made_possible(void **state)
{
	uint8_t saved[1024];
	size_t count;
	const uint8_t *bytes = rig_save(*state, &count);

	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	memset(saved, 0xff, count);
	assert_true(rig_load(*state, saved, count));
	assert_int_equal(rig_read(*state, "cfg", ADDRESS, 4), 0x80fffffc);
	assert_int_equal(read_config(*state, 0x00, 4), HOST_ID);
	assert_int_equal(read_config(*state, SMRAM, 1), LOCKED | CLOSED | ENABLED | BASE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_the_function_at_zero),
		TEST(data_is_a_window_of_every_size),
		TEST(address_reads_back_without_reserved_bits),
		TEST(only_a_dword_reaches_the_address),
		TEST(no_function_reads_as_ones),
		TEST(without_enable_there_is_no_window),
		TEST(what_is_hardwired_stays),
		TEST(after_reset_there_is_no_shadow),
		TEST(read_and_write_enabled_it_is_ram),
		TEST(write_only_ram_fills_behind_what_is_read),
		TEST(read_only_ram_keeps_what_it_has),
		TEST(each_half_has_its_segment),
		TEST(every_other_segment_may_differ),
		TEST(shadow_survives_reset_as_ram_does),
		TEST(open_smram_lies_over_the_display),
		TEST(smram_has_to_be_enabled_and_not_closed),
		TEST(the_lock_closes_and_stays),
		TEST(a_restored_bridge_maps_what_it_mapped),
		TEST(impossible_state_is_made_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
