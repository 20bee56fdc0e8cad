/* Parallel port: registers of an SPP and the handshake of IEEE 1284 compatibility mode. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type parport_type;

enum { DATA, STATUS, CONTROL };
enum { ERROR = 0x08, SELECT = 0x10, PAPER_OUT = 0x20, ACK = 0x40, READY = 0x80 };
enum { STROBE = 0x01, INIT = 0x04, SELECT_IN = 0x08, IRQ = 0x10 };

static int set_up(void **state)
{
	*state = rig_create(&parport_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static unsigned in(struct rig *rig, unsigned at)
{
	return (unsigned)rig_read(rig, "regs", at, 1);
}

static void out(struct rig *rig, unsigned at, unsigned value)
{
	rig_write(rig, "regs", at, 1, value);
}

static void print(struct rig *rig, uint8_t byte, unsigned control)
{
	out(rig, DATA, byte);
	out(rig, CONTROL, control | INIT | SELECT_IN | STROBE);
	out(rig, CONTROL, control | INIT | SELECT_IN);
}

static void expect_printed(struct rig *rig, const char *text)
{
	char got[256];
	size_t count = rig_take(rig, "port", got, sizeof(got));

	assert_int_equal(count, strlen(text));
	assert_memory_equal(got, text, count);
}

/* What systems look for: data and the low four control bits read back. */
static void it_is_found_by_what_reads_back(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		out(*state, DATA, value);
		assert_int_equal(in(*state, DATA), value);
	}
	out(*state, CONTROL, 0x0c);
	assert_int_equal(in(*state, CONTROL) & 0xf, 0xc);
	out(*state, CONTROL, 0x0e);
	assert_int_equal(in(*state, CONTROL) & 0xf, 0xe);
}

static void it_is_no_bidirectional_port(void **state)
{
	out(*state, CONTROL, 0x2c);
	out(*state, DATA, 0x55);
	assert_int_equal(in(*state, DATA), 0x55);
}

static void status_says_ready_selected_and_no_fault(void **state)
{
	assert_int_equal(in(*state, STATUS) & 0xf8, READY | ACK | SELECT | ERROR);
	out(*state, STATUS, 0);
	assert_int_equal(in(*state, STATUS) & 0xf8, READY | ACK | SELECT | ERROR);
	assert_string_equal(rig_log(*state), "");
}

static void a_strobe_prints_the_byte_once(void **state)
{
	print(*state, 'a', 0);
	rig_advance(*state, 20000);
	out(*state, CONTROL, INIT);
	expect_printed(*state, "a");
}

static void busy_and_ack_follow_the_byte(void **state)
{
	print(*state, 'a', 0);
	assert_int_equal(in(*state, STATUS) & (READY | ACK), ACK);
	rig_advance(*state, 5000);
	assert_int_equal(in(*state, STATUS) & (READY | ACK), 0);
	rig_advance(*state, 5000);
	assert_int_equal(in(*state, STATUS) & (READY | ACK), READY | ACK);
}

static void a_busy_printer_does_not_see_a_strobe(void **state)
{
	print(*state, 'a', 0);
	print(*state, 'b', 0);
	rig_advance(*state, 10000);
	print(*state, 'c', 0);
	expect_printed(*state, "ac");
}

static void the_end_of_ack_interrupts_when_enabled(void **state)
{
	print(*state, 'a', IRQ);
	rig_advance(*state, 9999);
	assert_false(rig_line(*state, "irq", 0));
	rig_advance(*state, 1);
	assert_true(rig_line(*state, "irq", 0));
	assert_int_equal(in(*state, STATUS) & READY, READY);
	assert_false(rig_line(*state, "irq", 0));
}

static void each_byte_is_an_edge_without_a_look_at_the_status(void **state)
{
	for (unsigned i = 0; i < 5; i++) {
		print(*state, 'a', IRQ);
		rig_advance(*state, 10000);
		assert_int_equal(rig_rises(*state, "irq", 0), 1);
	}
	expect_printed(*state, "aaaaa");
}

static void without_its_enable_bit_there_is_no_interrupt(void **state)
{
	print(*state, 'a', 0);
	rig_advance(*state, 100000);
	in(*state, STATUS);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
	print(*state, 'a', IRQ);
	rig_advance(*state, 10000);
	out(*state, CONTROL, INIT);
	assert_false(rig_line(*state, "irq", 0));
}

static void a_full_far_end_keeps_the_printer_busy(void **state)
{
	char bytes[4096];
	unsigned count = 0;

	rig_hold(*state, "port", true);
	do {
		print(*state, 'a', 0);
		rig_advance(*state, 10000);
	} while (++count < 100000 && (in(*state, STATUS) & READY));
	assert_in_range(count, 1000, 99999);
	rig_advance(*state, 1000000000);
	assert_int_equal(in(*state, STATUS) & READY, 0);
	rig_hold(*state, "port", false);
	for (size_t taken; (taken = rig_take(*state, "port", bytes, sizeof(bytes)));)
		count -= (unsigned)taken;
	rig_advance(*state, 10000);
	assert_int_equal(in(*state, STATUS) & READY, READY);
	assert_int_equal(count - rig_take(*state, "port", bytes, sizeof(bytes)), 0);
	assert_string_equal(rig_log(*state), "");
}

static void init_low_holds_the_printer_in_reset(void **state)
{
	print(*state, 'a', 0);
	out(*state, CONTROL, 0);
	assert_int_equal(in(*state, STATUS) & READY, READY);
	out(*state, CONTROL, STROBE);
	out(*state, CONTROL, INIT);
	expect_printed(*state, "a");
}

static void a_printer_that_is_not_selected_sees_no_strobe(void **state)
{
	out(*state, DATA, 'a');
	out(*state, CONTROL, INIT | STROBE);
	assert_int_equal(in(*state, STATUS) & READY, READY);
	out(*state, CONTROL, INIT | SELECT_IN | STROBE);
	out(*state, CONTROL, INIT);
	expect_printed(*state, "");
}

static void a_byte_under_way_is_saved(void **state)
{
	uint8_t bytes[256];
	size_t count;

	print(*state, 'a', IRQ);
	const uint8_t *saved = rig_save(*state, &count);

	assert_true(count <= sizeof(bytes));
	memcpy(bytes, saved, count);
	rig_reset(*state);
	assert_true(rig_load(*state, bytes, count));
	assert_int_equal(in(*state, STATUS) & READY, 0);
	rig_advance(*state, 10000);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_found_by_what_reads_back),
		TEST(it_is_no_bidirectional_port),
		TEST(status_says_ready_selected_and_no_fault),
		TEST(a_strobe_prints_the_byte_once),
		TEST(busy_and_ack_follow_the_byte),
		TEST(a_busy_printer_does_not_see_a_strobe),
		TEST(the_end_of_ack_interrupts_when_enabled),
		TEST(each_byte_is_an_edge_without_a_look_at_the_status),
		TEST(without_its_enable_bit_there_is_no_interrupt),
		TEST(a_full_far_end_keeps_the_printer_busy),
		TEST(init_low_holds_the_printer_in_reset),
		TEST(a_printer_that_is_not_selected_sees_no_strobe),
		TEST(a_byte_under_way_is_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
