/* Devices of a page or less: debugcon, absent, UART Lite, ISA bus. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type absent_type, debugcon_type, isa_bus_type, uartlite_type;

static void debugcon_is_found_by_its_value(void **state)
{
	struct rig *rig = rig_create(&debugcon_type, NULL);

	assert_int_equal(rig_read(rig, "data", 0, 1), 0xe9);
	rig_destroy(rig);
}

static void debugcon_value_can_be_chosen(void **state)
{
	const struct rig_setting settings[] = { { "readback", 0x42, NULL }, { 0 } };
	struct rig *rig = rig_create(&debugcon_type, settings);

	assert_int_equal(rig_read(rig, "data", 0, 1), 0x42);
	rig_destroy(rig);
}

static void debugcon_passes_bytes_on(void **state)
{
	struct rig *rig = rig_create(&debugcon_type, NULL);
	char text[8] = { 0 };

	for (const char *c = "hello"; *c; c++)
		rig_write(rig, "data", 0, 1, (uint8_t)*c);
	assert_int_equal(rig_take(rig, "port", text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	rig_destroy(rig);
}

static void absent_reads_ones_and_is_silent(void **state)
{
	struct rig *rig = rig_create(&absent_type, NULL);

	assert_int_equal(rig_read(rig, "io", 1, 2), 0xffff);
	assert_int_equal(rig_read(rig, "mmio", 3, 4), 0xffffffff);
	rig_write(rig, "io", 0, 1, 1);
	assert_string_equal(rig_log(rig), "");
	rig_destroy(rig);
}

static void absent_may_read_zeros_and_log(void **state)
{
	const struct rig_setting settings[] = { { "read", 1, NULL }, { "log", 1, NULL }, { 0 } };
	struct rig *rig = rig_create(&absent_type, settings);

	assert_int_equal(rig_read(rig, "mmio", 8, 8), 0);
	assert_non_null(strstr(rig_log(rig), "8 bytes read at offset 0x8"));
	rig_write(rig, "io", 2, 1, 0xab);
	assert_non_null(strstr(rig_log(rig), "1 bytes written at offset 0x2: 0xab"));
	rig_destroy(rig);
}

enum { RX = 0x0, TX = 0x4, STATUS = 0x8, CONTROL = 0xc };

static void uartlite_received_byte_raises_irq_when_enabled(void **state)
{
	struct rig *rig = rig_create(&uartlite_type, NULL);

	rig_send(rig, "port", "ab", 2);
	assert_false(rig_line(rig, "irq", 0));
	rig_write(rig, "bank", CONTROL, 4, 0x10);
	assert_true(rig_line(rig, "irq", 0));
	assert_int_equal(rig_read(rig, "bank", STATUS, 4), 0x15);
	assert_int_equal(rig_read(rig, "bank", RX, 4), 'a');
	assert_true(rig_line(rig, "irq", 0)); /* the next byte came at once */
	assert_int_equal(rig_read(rig, "bank", RX, 4), 'b');
	assert_false(rig_line(rig, "irq", 0));
	assert_int_equal(rig_read(rig, "bank", STATUS, 4), 0x14);
	rig_destroy(rig);
}

static void uartlite_sends_and_resets_its_receiver(void **state)
{
	struct rig *rig = rig_create(&uartlite_type, NULL);
	uint8_t byte;

	rig_write(rig, "bank", TX, 4, 'x');
	assert_int_equal(rig_take(rig, "port", &byte, 1), 1);
	assert_int_equal(byte, 'x');
	rig_send(rig, "port", "a", 1);
	rig_write(rig, "bank", CONTROL, 4, 0x02);
	assert_int_equal(rig_read(rig, "bank", STATUS, 4), 0x04);
	rig_destroy(rig);
}

static void uartlite_is_full_while_its_link_is(void **state)
{
	struct rig *rig = rig_create(&uartlite_type, NULL);

	rig_hold(rig, "port", true);
	for (unsigned i = 0; i < 65536; i++)
		rig_write(rig, "bank", TX, 4, i);
	assert_int_equal(rig_read(rig, "bank", STATUS, 4), 0x08);
	rig_write(rig, "bank", TX, 4, 0);
	assert_non_null(strstr(rig_log(rig), "full transmitter"));
	rig_destroy(rig);
}

static void isa_bus_opens_isa(void **state)
{
	rig_destroy(rig_create(&isa_bus_type, NULL));
	assert_string_equal(isa_bus_type.provides, "isa");
	assert_string_equal(isa_bus_type.buses[0], "sys");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debugcon_is_found_by_its_value),
		cmocka_unit_test(debugcon_value_can_be_chosen),
		cmocka_unit_test(debugcon_passes_bytes_on),
		cmocka_unit_test(absent_reads_ones_and_is_silent),
		cmocka_unit_test(absent_may_read_zeros_and_log),
		cmocka_unit_test(uartlite_received_byte_raises_irq_when_enabled),
		cmocka_unit_test(uartlite_sends_and_resets_its_receiver),
		cmocka_unit_test(uartlite_is_full_while_its_link_is),
		cmocka_unit_test(isa_bus_opens_isa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
