/* 8042: what of it resets a PC. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type i8042_type;

enum { OUTPUT_FULL = 0x01, INPUT_FULL = 0x02, COMMAND = 0x08 };

static int set_up(void **state)
{
	*state = rig_create(&i8042_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static bool was_reset(struct rig *rig)
{
	enum mw_power_event event;
	int code;

	return rig_power(rig, &event, &code) && event == MW_POWER_RESET;
}

static uint64_t status(struct rig *rig)
{
	return rig_read(rig, "cmd", 0, 1);
}

static void status_says_ready_and_nothing_to_read(void **state)
{
	assert_int_equal(status(*state) & (OUTPUT_FULL | INPUT_FULL), 0);
	assert_int_not_equal(status(*state), 0xff);
	assert_int_equal(rig_read(*state, "data", 0, 1), 0);
}

static void pulse_of_output_bit_0_resets(void **state)
{
	rig_write(*state, "cmd", 0, 1, 0xfe);
	assert_true(was_reset(*state));
	rig_write(*state, "cmd", 0, 1, 0xf0);
	assert_true(was_reset(*state));
}

static void pulse_of_other_bits_does_not(void **state)
{
	for (unsigned command = 0xf1; command <= 0xff; command += 2) {
		rig_write(*state, "cmd", 0, 1, command);
		assert_false(was_reset(*state));
	}
	rig_write(*state, "cmd", 0, 1, 0xee);
	assert_false(was_reset(*state));
}

static void output_port_with_bit_0_low_resets(void **state)
{
	rig_write(*state, "cmd", 0, 1, 0xd1);
	assert_int_equal(status(*state) & COMMAND, COMMAND);
	rig_write(*state, "data", 0, 1, 0xfe);
	assert_int_equal(status(*state) & COMMAND, 0);
	assert_true(was_reset(*state));
}

static void output_port_with_bit_0_high_does_not(void **state)
{
	rig_write(*state, "cmd", 0, 1, 0xd1);
	rig_write(*state, "data", 0, 1, 0xdf);
	assert_false(was_reset(*state));
}

static void data_without_its_command_does_not(void **state)
{
	rig_write(*state, "data", 0, 1, 0x00);
	assert_false(was_reset(*state));
	rig_write(*state, "cmd", 0, 1, 0xd1);
	rig_write(*state, "data", 0, 1, 0x01);
	rig_write(*state, "data", 0, 1, 0x00);
	assert_false(was_reset(*state));
}

static int set_up_reset_only(void **state)
{
	static const struct rig_setting settings[] = { { "reset_only", true, NULL }, { 0 } };

	*state = rig_create(&i8042_type, settings);
	return 0;
}

static void reset_only_has_no_keyboard(void **state)
{
	rig_write(*state, "cmd", 0, 1, 0xaa);
	assert_int_equal(status(*state) & OUTPUT_FULL, 0);
	rig_write(*state, "cmd", 0, 1, 0xfe);
	assert_true(was_reset(*state));
}

enum { FULL = 0x01, SYSTEM = 0x04, AUX = 0x20 };
enum { ACK = 0xfa };

static void command(struct rig *rig, uint8_t byte)
{
	rig_write(rig, "cmd", 0, 1, byte);
}

static void data(struct rig *rig, uint8_t byte)
{
	rig_write(rig, "data", 0, 1, byte);
}

static void mode(struct rig *rig, uint8_t byte)
{
	command(rig, 0x60);
	data(rig, byte);
}

static void expect(struct rig *rig, unsigned whose, uint8_t byte)
{
	assert_int_equal(status(rig) & (FULL | AUX), FULL | whose);
	assert_int_equal(rig_read(rig, "data", 0, 1), byte);
}

static void expect_nothing(struct rig *rig)
{
	assert_int_equal(status(rig) & FULL, 0);
}

static bool key(struct rig *rig, uint16_t usage, bool pressed)
{
	const struct mw_input_event event = { .kind = MW_INPUT_KEY,
					      .code = usage,
					      .pressed = pressed };

	return rig_input(rig, "keyboard", &event);
}

static void to_mouse(struct rig *rig, uint8_t byte)
{
	command(rig, 0xd4);
	data(rig, byte);
}

static void self_test_passes_and_sets_the_system_flag(void **state)
{
	command(*state, 0xaa);
	expect(*state, 0, 0x55);
	assert_int_equal(status(*state) & SYSTEM, SYSTEM);
}

static void interface_tests_find_no_fault(void **state)
{
	command(*state, 0xab);
	expect(*state, 0, 0);
	command(*state, 0xa9);
	expect(*state, 0, 0);
}

static void mode_byte_is_read_back(void **state)
{
	mode(*state, 0x47);
	command(*state, 0x20);
	expect(*state, 0, 0x47);
	command(*state, 0xa7);
	command(*state, 0xad);
	command(*state, 0x20);
	expect(*state, 0, 0x77);
	command(*state, 0xa8);
	command(*state, 0xae);
	command(*state, 0x20);
	expect(*state, 0, 0x47);
}

static void internal_ram_is_read_back(void **state)
{
	command(*state, 0x7f);
	data(*state, 0xa5);
	command(*state, 0x3f);
	expect(*state, 0, 0xa5);
}

static void a_key_is_two_codes_of_set_1_when_translated(void **state)
{
	mode(*state, 0x45);
	assert_true(key(*state, 0x04, true)); /* a */
	expect(*state, 0, 0x1e);
	assert_true(key(*state, 0x04, false));
	expect(*state, 0, 0x9e);
	expect_nothing(*state);
}

static void a_key_is_a_code_and_a_prefix_of_set_2_when_not(void **state)
{
	mode(*state, 0x05);
	key(*state, 0x04, true);
	expect(*state, 0, 0x1c);
	key(*state, 0x04, false);
	expect(*state, 0, 0xf0);
	expect(*state, 0, 0x1c);
}

static void grey_keys_have_the_prefix_e0(void **state)
{
	mode(*state, 0x45);
	key(*state, 0x4c, true); /* Delete */
	expect(*state, 0, 0xe0);
	expect(*state, 0, 0x53);
	key(*state, 0x4c, false);
	expect(*state, 0, 0xe0);
	expect(*state, 0, 0xd3);
}

static void pause_sends_all_at_once_and_no_break(void **state)
{
	static const uint8_t codes[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };

	mode(*state, 0x45);
	key(*state, 0x48, true);
	for (size_t i = 0; i < sizeof(codes); i++)
		expect(*state, 0, codes[i]);
	key(*state, 0x48, false);
	expect_nothing(*state);
}

static void expect_all(struct rig *rig, const uint8_t *codes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(rig, 0, codes[i]);
	expect_nothing(rig);
}

static void press_and_release(struct rig *rig, uint16_t usage)
{
	assert_true(key(rig, usage, true));
	assert_true(key(rig, usage, false));
}

static void print_screen_alone_pretends_a_shift(void **state)
{
	static const uint8_t codes[] = {
		0xe0, 0x12, 0xe0, 0x7c, 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12
	};

	mode(*state, 0x05);
	press_and_release(*state, 0x46);
	expect_all(*state, codes, sizeof(codes));
}

static void print_screen_with_shift_or_ctrl_is_one_code(void **state)
{
	static const uint8_t codes[] = { 0xe0, 0x7c, 0xe0, 0xf0, 0x7c };

	mode(*state, 0x05);
	for (uint16_t modifier = 0xe0; modifier <= 0xe5; modifier++) {
		if (modifier == 0xe2 || modifier == 0xe3)
			continue; /* Alt and GUI */
		key(*state, modifier, true);
		while (status(*state) & FULL)
			rig_read(*state, "data", 0, 1);
		press_and_release(*state, 0x46);
		expect_all(*state, codes, sizeof(codes));
		key(*state, modifier, false);
		while (status(*state) & FULL)
			rig_read(*state, "data", 0, 1);
	}
}

static void print_screen_with_alt_is_the_system_request(void **state)
{
	static const uint8_t codes[] = { 0x38, 0x54, 0xd4 };

	mode(*state, 0x45);
	key(*state, 0xe2, true);
	press_and_release(*state, 0x46);
	expect_all(*state, codes, sizeof(codes));
}

static void pause_with_ctrl_is_break(void **state)
{
	static const uint8_t codes[] = { 0x14, 0xe0, 0x7e, 0xe0, 0xf0, 0x7e };

	mode(*state, 0x05);
	key(*state, 0xe0, true);
	press_and_release(*state, 0x48);
	expect_all(*state, codes, sizeof(codes));
}

static void every_byte_is_an_edge_of_the_interrupt(void **state)
{
	mode(*state, 0x45);
	rig_rises(*state, "kbd", 0);
	key(*state, 0x4c, true);
	assert_true(rig_line(*state, "kbd", 0));
	assert_int_equal(rig_rises(*state, "kbd", 0), 1);
	expect(*state, 0, 0xe0);
	assert_true(rig_line(*state, "kbd", 0));
	assert_int_equal(rig_rises(*state, "kbd", 0), 1);
	expect(*state, 0, 0x53);
	assert_false(rig_line(*state, "kbd", 0));
}

static void without_its_mode_bit_there_is_no_interrupt(void **state)
{
	mode(*state, 0x44);
	key(*state, 0x04, true);
	assert_false(rig_line(*state, "kbd", 0));
	mode(*state, 0x45);
	assert_true(rig_line(*state, "kbd", 0));
}

static void a_full_keyboard_takes_no_more_keys(void **state)
{
	unsigned taken = 0;

	mode(*state, 0x45);
	while (key(*state, (uint16_t)(0x04 + taken), true) && taken < 100)
		taken++;
	assert_int_equal(taken, 17); /* 16 in the keyboard, one in the controller */
	expect(*state, 0, 0x1e);
	assert_true(key(*state, 0x04, true));
}

static void a_disabled_keyboard_keeps_its_bytes(void **state)
{
	mode(*state, 0x45);
	command(*state, 0xad);
	key(*state, 0x04, true);
	expect_nothing(*state);
	command(*state, 0xae);
	expect(*state, 0, 0x1e);
}

static void leds_rate_and_echo_are_answered(void **state)
{
	data(*state, 0xed);
	expect(*state, 0, ACK);
	data(*state, 0x07);
	expect(*state, 0, ACK);
	data(*state, 0xf3);
	expect(*state, 0, ACK);
	data(*state, 0x00);
	expect(*state, 0, ACK);
	data(*state, 0xee);
	expect(*state, 0, 0xee);
}

static void keyboard_reset_is_acknowledged_and_passes(void **state)
{
	data(*state, 0xff);
	expect(*state, 0, ACK);
	expect(*state, 0, 0xaa);
	expect_nothing(*state);
}

static void keyboard_identifies_itself(void **state)
{
	mode(*state, 0x05);
	data(*state, 0xf2);
	expect(*state, 0, ACK);
	expect(*state, 0, 0xab);
	expect(*state, 0, 0x83);
	mode(*state, 0x45);
	data(*state, 0xf2);
	expect(*state, 0, ACK);
	expect(*state, 0, 0xab);
	expect(*state, 0, 0x41);
}

static void scan_set_is_chosen_and_told(void **state)
{
	mode(*state, 0x05);
	data(*state, 0xf0);
	expect(*state, 0, ACK);
	data(*state, 1);
	expect(*state, 0, ACK);
	data(*state, 0xf0);
	expect(*state, 0, ACK);
	data(*state, 0);
	expect(*state, 0, ACK);
	expect(*state, 0, 1);
	key(*state, 0x04, false);
	expect(*state, 0, 0x9e);
}

static void choose_set_3(struct rig *rig)
{
	mode(rig, 0x05);
	data(rig, 0xf0);
	expect(rig, 0, ACK);
	data(rig, 3);
	expect(rig, 0, ACK);
}

static void to_keyboard(struct rig *rig, uint8_t byte)
{
	data(rig, byte);
	expect(rig, 0, ACK);
}

static void set_3_has_one_code_a_key(void **state)
{
	static const struct {
		uint16_t usage;
		uint8_t code;
	} keys[] = { { 0x04, 0x1c }, { 0x29, 0x08 }, { 0x4c, 0x64 }, { 0x46, 0x57 },
		     { 0x48, 0x62 }, { 0xe4, 0x58 }, { 0x58, 0x79 }, { 0x65, 0x8d } };

	choose_set_3(*state);
	to_keyboard(*state, 0xf0);
	data(*state, 0);
	expect(*state, 0, ACK);
	expect(*state, 0, 3);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		key(*state, keys[i].usage, true);
		expect(*state, 0, keys[i].code);
		key(*state, keys[i].usage, false);
		expect_nothing(*state);
	}
}

static void modifiers_of_set_3_tell_their_release(void **state)
{
	choose_set_3(*state);
	key(*state, 0xe1, true);
	expect(*state, 0, 0x12);
	key(*state, 0xe1, false);
	expect(*state, 0, 0xf0);
	expect(*state, 0, 0x12);
	expect_nothing(*state);
}

static void all_keys_of_set_3_can_be_made_to_tell_their_release(void **state)
{
	for (uint8_t byte = 0xf7; byte <= 0xfa; byte++) {
		choose_set_3(*state);
		to_keyboard(*state, byte);
		key(*state, 0x29, true);
		expect(*state, 0, 0x08);
		key(*state, 0x29, false);
		if (byte == 0xf8 || byte == 0xfa) {
			expect(*state, 0, 0xf0);
			expect(*state, 0, 0x08);
		}
		expect_nothing(*state);
	}
}

static void single_keys_of_set_3_too(void **state)
{
	choose_set_3(*state);
	to_keyboard(*state, 0xfc);
	to_keyboard(*state, 0x1c);
	to_keyboard(*state, 0x32);
	to_keyboard(*state, 0xf4); /* a command ends it */
	for (uint16_t usage = 0x04; usage <= 0x06; usage++) {
		key(*state, usage, true);
		rig_read(*state, "data", 0, 1);
		key(*state, usage, false);
		assert_int_equal(status(*state) & FULL, usage < 0x06);
		while (status(*state) & FULL)
			rig_read(*state, "data", 0, 1);
	}
	to_keyboard(*state, 0xf6);
	choose_set_3(*state);
	press_and_release(*state, 0x04);
	expect(*state, 0, 0x1c);
	expect_nothing(*state);
}

#define MS UINT64_C(1000000)

/* How many codes come while the time passes, each read at once. */
static unsigned codes_within(struct rig *rig, unsigned ms, uint8_t code)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ms; i++) {
		rig_advance(rig, MS);
		while (status(rig) & FULL) {
			assert_int_equal(rig_read(rig, "data", 0, 1), code);
			count++;
		}
	}
	return count;
}

static void a_key_that_is_held_repeats(void **state)
{
	mode(*state, 0x45);
	key(*state, 0x04, true);
	expect(*state, 0, 0x1e);
	assert_int_equal(codes_within(*state, 499, 0x1e), 0);
	assert_in_range(codes_within(*state, 1000, 0x1e), 10, 12); /* 10.9 a second */
	key(*state, 0x04, false);
	expect(*state, 0, 0x9e);
	assert_int_equal(codes_within(*state, 2000, 0), 0);
}

static void rate_and_delay_are_set(void **state)
{
	mode(*state, 0x45);
	to_keyboard(*state, 0xf3);
	to_keyboard(*state, 0x00); /* 250 ms, 30 a second */
	key(*state, 0x04, true);
	expect(*state, 0, 0x1e);
	assert_int_equal(codes_within(*state, 249, 0x1e), 0);
	assert_in_range(codes_within(*state, 1000, 0x1e), 29, 31);
	key(*state, 0x04, false);
	expect(*state, 0, 0x9e);
	to_keyboard(*state, 0xf3);
	to_keyboard(*state, 0x7f); /* 1 s, 2 a second */
	key(*state, 0x04, true);
	expect(*state, 0, 0x1e);
	assert_int_equal(codes_within(*state, 999, 0x1e), 0);
	assert_in_range(codes_within(*state, 4000, 0x1e), 8, 9);
}

static void the_last_key_repeats_and_the_host_need_not(void **state)
{
	mode(*state, 0x45);
	key(*state, 0x04, true);
	key(*state, 0x05, true);
	key(*state, 0x05, true);
	expect(*state, 0, 0x1e);
	expect(*state, 0, 0x30);
	expect_nothing(*state);
	assert_in_range(codes_within(*state, 1000, 0x30), 5, 7);
	key(*state, 0x04, false);
	expect(*state, 0, 0x9e);
	assert_in_range(codes_within(*state, 1000, 0x30), 10, 12);
	key(*state, 0x05, false);
	expect(*state, 0, 0xb0);
	assert_int_equal(codes_within(*state, 1000, 0), 0);
}

static void a_guest_that_does_not_read_gets_no_repetitions(void **state)
{
	mode(*state, 0x45);
	key(*state, 0x04, true);
	rig_advance(*state, 10000 * MS);
	key(*state, 0x04, false);
	for (unsigned i = 0; i < 2; i++)
		expect(*state, 0, 0x1e);
	expect(*state, 0, 0x9e);
	expect_nothing(*state);
}

static void print_screen_repeats_without_its_shift(void **state)
{
	mode(*state, 0x05);
	key(*state, 0x46, true);
	for (unsigned i = 0; i < 4; i++)
		rig_read(*state, "data", 0, 1);
	expect_nothing(*state);
	rig_advance(*state, 500 * MS);
	expect(*state, 0, 0xe0);
	expect(*state, 0, 0x7c);
	expect_nothing(*state);
}

static void pause_and_keys_of_a_keyboard_that_is_off_do_not_repeat(void **state)
{
	mode(*state, 0x45);
	key(*state, 0x48, true);
	while (status(*state) & FULL)
		rig_read(*state, "data", 0, 1);
	assert_int_equal(codes_within(*state, 2000, 0), 0);
	key(*state, 0x04, true);
	expect(*state, 0, 0x1e);
	to_keyboard(*state, 0xf5);
	assert_int_equal(codes_within(*state, 2000, 0), 0);
}

static void keys_of_set_3_repeat_by_their_type(void **state)
{
	choose_set_3(*state);
	key(*state, 0x29, true); /* Escape: its make code alone */
	expect(*state, 0, 0x08);
	assert_int_equal(codes_within(*state, 2000, 0), 0);
	key(*state, 0x04, true);
	expect(*state, 0, 0x1c);
	assert_in_range(codes_within(*state, 1000, 0x1c), 5, 7);
	to_keyboard(*state, 0xf8);
	assert_int_equal(codes_within(*state, 1000, 0), 0);
}

static void unknown_keyboard_command_asks_to_resend(void **state)
{
	data(*state, 0xe1);
	expect(*state, 0, 0xfe);
}

static void resend_gives_the_last_byte_again(void **state)
{
	mode(*state, 0x05);
	key(*state, 0x04, true);
	expect(*state, 0, 0x1c);
	data(*state, 0xfe);
	expect(*state, 0, 0x1c);
}

static void a_keyboard_that_is_off_hears_no_keys(void **state)
{
	data(*state, 0xf5);
	expect(*state, 0, ACK);
	assert_true(key(*state, 0x04, true));
	expect_nothing(*state);
	data(*state, 0xf4);
	expect(*state, 0, ACK);
	key(*state, 0x04, true);
	expect(*state, 0, 0x1e);
}

static void output_buffer_can_be_written(void **state)
{
	mode(*state, 0x47);
	command(*state, 0xd2);
	data(*state, 0x12);
	expect(*state, 0, 0x12);
	command(*state, 0xd3);
	data(*state, 0x34);
	assert_true(rig_line(*state, "aux", 0));
	expect(*state, AUX, 0x34);
	assert_false(rig_line(*state, "aux", 0));
}

static void output_port_drives_a20(void **state)
{
	assert_true(rig_line(*state, "a20", 0));
	command(*state, 0xd1);
	data(*state, 0xdd);
	assert_false(rig_line(*state, "a20", 0));
	command(*state, 0xd0);
	assert_int_equal(rig_read(*state, "data", 0, 1) & 3, 1);
}

static void mouse_reset_passes_and_tells_its_id(void **state)
{
	to_mouse(*state, 0xff);
	expect(*state, AUX, ACK);
	expect(*state, AUX, 0xaa);
	expect(*state, AUX, 0x00);
	expect_nothing(*state);
}

static void enable_mouse(struct rig *rig)
{
	mode(rig, 0x47);
	to_mouse(rig, 0xf4);
	expect(rig, AUX, ACK);
}

static void pointer(struct rig *rig, struct mw_input_event event)
{
	assert_true(rig_input(rig, "mouse", &event));
}

static void mouse_reports_moves_and_buttons(void **state)
{
	enable_mouse(*state);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = 5, .y = 3 });
	assert_true(rig_line(*state, "aux", 0));
	expect(*state, AUX, 0x28); /* y is up: negative */
	expect(*state, AUX, 5);
	expect(*state, AUX, 0xfd);
	pointer(*state,
		(struct mw_input_event){ .kind = MW_INPUT_BUTTON, .code = 1, .pressed = true });
	expect(*state, AUX, 0x0a);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0);
	expect_nothing(*state);
}

static void moves_before_it_is_enabled_are_forgotten(void **state)
{
	mode(*state, 0x47);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = 100, .y = 3 });
	enable_mouse(*state);
	expect_nothing(*state);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = 1 });
	expect(*state, AUX, 0x08);
	expect(*state, AUX, 1);
	expect(*state, AUX, 0);
}

static void long_moves_are_several_reports(void **state)
{
	enable_mouse(*state);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = -300 });
	expect(*state, AUX, 0x18);
	expect(*state, AUX, 0x01);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0x18);
	expect(*state, AUX, 0xd3);
	expect(*state, AUX, 0);
	expect_nothing(*state);
}

static void three_rates_bring_the_wheel(void **state)
{
	static const uint8_t rates[] = { 200, 100, 80 };

	for (size_t i = 0; i < sizeof(rates); i++) {
		to_mouse(*state, 0xf3);
		expect(*state, AUX, ACK);
		to_mouse(*state, rates[i]);
		expect(*state, AUX, ACK);
	}
	to_mouse(*state, 0xf2);
	expect(*state, AUX, ACK);
	expect(*state, AUX, 3);
	enable_mouse(*state);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_WHEEL, .y = 1 });
	expect(*state, AUX, 0x08);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0xff);
}

static void set_rates(struct rig *rig, uint8_t a, uint8_t b, uint8_t c)
{
	const uint8_t rates[] = { a, b, c };

	for (size_t i = 0; i < sizeof(rates); i++) {
		to_mouse(rig, 0xf3);
		expect(rig, AUX, ACK);
		to_mouse(rig, rates[i]);
		expect(rig, AUX, ACK);
	}
}

static void expect_id(struct rig *rig, uint8_t id)
{
	to_mouse(rig, 0xf2);
	expect(rig, AUX, ACK);
	expect(rig, AUX, id);
}

static void press_button(struct rig *rig, uint16_t button, bool pressed)
{
	pointer(rig, (struct mw_input_event){
			     .kind = MW_INPUT_BUTTON, .code = button, .pressed = pressed });
}

static void other_rates_bring_five_buttons(void **state)
{
	set_rates(*state, 200, 100, 80);
	expect_id(*state, 3);
	set_rates(*state, 200, 200, 80);
	expect_id(*state, 4);
	enable_mouse(*state);
	press_button(*state, 3, true);
	expect(*state, AUX, 0x08);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0x10);
	press_button(*state, 4, true);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_WHEEL, .y = -1 });
	expect(*state, AUX, 0x08);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0x30);
	expect(*state, AUX, 0x08);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0x31);
	expect_nothing(*state);
	to_mouse(*state, 0xff);
	expect(*state, AUX, ACK);
	expect(*state, AUX, 0xaa);
	expect(*state, AUX, 0x00);
	expect_id(*state, 0);
}

static void rates_in_another_order_bring_nothing(void **state)
{
	set_rates(*state, 200, 80, 100);
	set_rates(*state, 100, 200, 80);
	expect_id(*state, 0);
}

static void buttons_it_does_not_have_are_not_told(void **state)
{
	enable_mouse(*state);
	press_button(*state, 3, true);
	expect_nothing(*state);
	press_button(*state, 0, true);
	expect(*state, AUX, 0x09);
	expect(*state, AUX, 0);
	expect(*state, AUX, 0);
	expect_nothing(*state);
}

static void scaling_makes_much_of_what_is_fast_in_stream_mode(void **state)
{
	static const uint8_t moves[][2] = { { 1, 1 }, { 2, 1 },  { 3, 3 },    { 4, 6 },
					    { 5, 9 }, { 6, 12 }, { 100, 200 } };

	enable_mouse(*state);
	to_mouse(*state, 0xe7);
	expect(*state, AUX, ACK);
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = moves[i][0] });
		expect(*state, AUX, 0x08);
		expect(*state, AUX, moves[i][1]);
		expect(*state, AUX, 0);
	}
	to_mouse(*state, 0xf0); /* remote */
	expect(*state, AUX, ACK);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = 4 });
	to_mouse(*state, 0xeb);
	expect(*state, AUX, ACK);
	expect(*state, AUX, 0x08);
	expect(*state, AUX, 4);
	expect(*state, AUX, 0);
}

static void mouse_tells_its_status(void **state)
{
	to_mouse(*state, 0xe8);
	expect(*state, AUX, ACK);
	to_mouse(*state, 1);
	expect(*state, AUX, ACK);
	to_mouse(*state, 0xe7);
	expect(*state, AUX, ACK);
	to_mouse(*state, 0xe9);
	expect(*state, AUX, ACK);
	expect(*state, AUX, 0x10);
	expect(*state, AUX, 1);
	expect(*state, AUX, 100);
}

static void wrap_mode_sends_back(void **state)
{
	to_mouse(*state, 0xee);
	expect(*state, AUX, ACK);
	to_mouse(*state, 0x55);
	expect(*state, AUX, 0x55);
	to_mouse(*state, 0xec);
	expect(*state, AUX, ACK);
	to_mouse(*state, 0xf2);
	expect(*state, AUX, ACK);
	expect(*state, AUX, 0);
}

static void remote_mode_reports_on_request(void **state)
{
	enable_mouse(*state);
	to_mouse(*state, 0xf0);
	expect(*state, AUX, ACK);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = 1, .y = -1 });
	expect_nothing(*state);
	to_mouse(*state, 0xeb);
	expect(*state, AUX, ACK);
	expect(*state, AUX, 0x08);
	expect(*state, AUX, 1);
	expect(*state, AUX, 1);
}

static void keys_and_moves_take_turns(void **state)
{
	enable_mouse(*state);
	key(*state, 0x04, true);
	pointer(*state, (struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = 1 });
	expect(*state, 0, 0x1e);
	expect(*state, AUX, 0x08);
	expect(*state, AUX, 1);
	expect(*state, AUX, 0);
}

static void keys_under_way_are_saved(void **state)
{
	size_t count;
	uint8_t bytes[512];

	mode(*state, 0x45);
	key(*state, 0x4c, true);
	const uint8_t *saved = rig_save(*state, &count);

	assert_true(count <= sizeof(bytes));
	memcpy(bytes, saved, count);
	expect(*state, 0, 0xe0);
	expect(*state, 0, 0x53);
	assert_true(rig_load(*state, bytes, count));
	assert_true(rig_line(*state, "kbd", 0));
	expect(*state, 0, 0xe0);
	expect(*state, 0, 0x53);
	expect_nothing(*state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_says_ready_and_nothing_to_read),
		TEST(pulse_of_output_bit_0_resets),
		TEST(pulse_of_other_bits_does_not),
		TEST(output_port_with_bit_0_low_resets),
		TEST(output_port_with_bit_0_high_does_not),
		TEST(data_without_its_command_does_not),
		cmocka_unit_test_setup_teardown(reset_only_has_no_keyboard, set_up_reset_only,
						tear_down),
		TEST(self_test_passes_and_sets_the_system_flag),
		TEST(interface_tests_find_no_fault),
		TEST(mode_byte_is_read_back),
		TEST(internal_ram_is_read_back),
		TEST(a_key_is_two_codes_of_set_1_when_translated),
		TEST(a_key_is_a_code_and_a_prefix_of_set_2_when_not),
		TEST(grey_keys_have_the_prefix_e0),
		TEST(pause_sends_all_at_once_and_no_break),
		TEST(print_screen_alone_pretends_a_shift),
		TEST(print_screen_with_shift_or_ctrl_is_one_code),
		TEST(print_screen_with_alt_is_the_system_request),
		TEST(pause_with_ctrl_is_break),
		TEST(every_byte_is_an_edge_of_the_interrupt),
		TEST(without_its_mode_bit_there_is_no_interrupt),
		TEST(a_full_keyboard_takes_no_more_keys),
		TEST(a_disabled_keyboard_keeps_its_bytes),
		TEST(leds_rate_and_echo_are_answered),
		TEST(keyboard_reset_is_acknowledged_and_passes),
		TEST(keyboard_identifies_itself),
		TEST(scan_set_is_chosen_and_told),
		TEST(set_3_has_one_code_a_key),
		TEST(modifiers_of_set_3_tell_their_release),
		TEST(all_keys_of_set_3_can_be_made_to_tell_their_release),
		TEST(single_keys_of_set_3_too),
		TEST(a_key_that_is_held_repeats),
		TEST(rate_and_delay_are_set),
		TEST(the_last_key_repeats_and_the_host_need_not),
		TEST(a_guest_that_does_not_read_gets_no_repetitions),
		TEST(print_screen_repeats_without_its_shift),
		TEST(pause_and_keys_of_a_keyboard_that_is_off_do_not_repeat),
		TEST(keys_of_set_3_repeat_by_their_type),
		TEST(unknown_keyboard_command_asks_to_resend),
		TEST(resend_gives_the_last_byte_again),
		TEST(a_keyboard_that_is_off_hears_no_keys),
		TEST(output_buffer_can_be_written),
		TEST(output_port_drives_a20),
		TEST(mouse_reset_passes_and_tells_its_id),
		TEST(mouse_reports_moves_and_buttons),
		TEST(moves_before_it_is_enabled_are_forgotten),
		TEST(long_moves_are_several_reports),
		TEST(three_rates_bring_the_wheel),
		TEST(other_rates_bring_five_buttons),
		TEST(rates_in_another_order_bring_nothing),
		TEST(buttons_it_does_not_have_are_not_told),
		TEST(scaling_makes_much_of_what_is_fast_in_stream_mode),
		TEST(mouse_tells_its_status),
		TEST(wrap_mode_sends_back),
		TEST(remote_mode_reports_on_request),
		TEST(keys_and_moves_take_turns),
		TEST(keys_under_way_are_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
