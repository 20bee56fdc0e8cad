/** AML by hand: bytes worked out from ACPI 6.5, chapters 6.4, 19 and 20. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/tables/aml.h"

#define EXPECT(aml, ...) \
	expect(&(aml), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void expect(struct mw_aml *aml, const uint8_t *bytes, size_t count)
{
	assert_int_equal(aml->length, count);
	assert_memory_equal(aml->bytes, bytes, count);
	assert_int_equal(aml->depth, 0);
	mw_aml_fini(aml);
}

static void integers_take_the_shortest_form(void **state)
{
	struct mw_aml aml = { 0 };
	const uint64_t values[] = { 0,      1,       2,          0xff,        0x100,
				    0xffff, 0x10000, 0xffffffff, 0x100000000, UINT64_MAX };
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		mw_aml_integer(&aml, values[i]);
	EXPECT(aml, 0x00, 0x01, 0x0a, 2, 0x0a, 0xff, 0x0b, 0, 1, 0x0b, 0xff, 0xff, 0x0c, 0, 0, 1, 0,
	       0x0c, 0xff, 0xff, 0xff, 0xff, 0x0e, 0, 0, 0, 0, 1, 0, 0, 0, 0x0e, 0xff, 0xff, 0xff,
	       0xff, 0xff, 0xff, 0xff, 0xff);
}

static void names_are_padded_and_counted(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_name_string(&aml, "COM1");
	mw_aml_name_string(&aml, "A");
	EXPECT(aml, 'C', 'O', 'M', '1', 'A', '_', '_', '_');
	mw_aml_name_string(&aml, "\\");
	mw_aml_name_string(&aml, "^^B");
	EXPECT(aml, '\\', 0, '^', '^', 'B', '_', '_', '_');
	mw_aml_name_string(&aml, "\\_SB.GED");
	EXPECT(aml, '\\', 0x2e, '_', 'S', 'B', '_', 'G', 'E', 'D', '_');
	mw_aml_name_string(&aml, "\\_SB_.ISA_.COM1");
	EXPECT(aml, '\\', 0x2f, 3, '_', 'S', 'B', '_', 'I', 'S', 'A', '_', 'C', 'O', 'M', '1');
}

static void an_eisa_id_is_a_number_and_others_are_text(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_hid(&aml, "PNP0501");
	mw_aml_hid(&aml, "PNP0C0F");
	EXPECT(aml, 0x0c, 0x41, 0xd0, 0x05, 0x01, 0x0c, 0x41, 0xd0, 0x0c, 0x0f);
	mw_aml_hid(&aml, "ACPI0013");
	EXPECT(aml, 0x0d, 'A', 'C', 'P', 'I', '0', '0', '1', '3', 0);
	mw_aml_hid(&aml, "pnp0501");
	EXPECT(aml, 0x0d, 'p', 'n', 'p', '0', '5', '0', '1', 0);
	mw_aml_hid(&aml, "PNPX501");
	EXPECT(aml, 0x0d, 'P', 'N', 'P', 'X', '5', '0', '1', 0);
}

/** A scope whose content is `count` bytes: what PkgLength is, of how many bytes? */
static void check_package(size_t content, size_t lead, uint8_t first, size_t encoded)
{
	struct mw_aml aml = { 0 };
	mw_aml_scope_begin(&aml, "ABCD");
	for (size_t i = 4; i < content; i++)
		mw_aml_byte(&aml, 0xa3);
	mw_aml_end(&aml);
	assert_int_equal(aml.length, 1 + lead + content);
	assert_int_equal(aml.bytes[1], first);
	size_t length = lead == 1 ? first : first & 0xf;
	for (size_t i = 1; i < lead; i++)
		length |= (size_t)aml.bytes[1 + i] << (8 * i - 4);
	assert_int_equal(length, encoded);
	assert_memory_equal(aml.bytes + 1 + lead, "ABCD", 4);
	mw_aml_fini(&aml);
}

static void package_lengths_grow_from_one_byte_to_four(void **state)
{
	check_package(4, 1, 5, 5);
	check_package(62, 1, 63, 63);
	check_package(63, 2, 0x41, 65);
	check_package(4093, 2, 0x4f, 4095);
	check_package(4094, 3, 0x81, 4097);
	check_package((1 << 20) - 4, 3, 0x8f, (1 << 20) - 1);
	check_package((1 << 20) - 3, 4, 0xc1, (1 << 20) + 1);
}

static void packages_nest(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_scope_begin(&aml, "\\_SB");
	mw_aml_device_begin(&aml, "X");
	mw_aml_method_begin(&aml, "_EVT", 1, true);
	mw_aml_if_begin(&aml);
	mw_aml_integer(&aml, 1);
	mw_aml_end(&aml);
	mw_aml_end(&aml);
	mw_aml_end(&aml);
	mw_aml_end(&aml);
	EXPECT(aml, 0x10, 23, '\\', '_', 'S', 'B', '_', 0x5b, 0x82, 15, 'X', '_', '_', '_', 0x14, 9,
	       '_', 'E', 'V', 'T', 0x09, 0xa0, 2, 0x01);
}

static void packages_count_their_elements(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_name(&aml, "\\_S5");
	mw_aml_package_begin(&aml, 2);
	mw_aml_integer(&aml, 5);
	mw_aml_integer(&aml, 0);
	mw_aml_end(&aml);
	EXPECT(aml, 0x08, '\\', '_', 'S', '5', '_', 0x12, 5, 2, 0x0a, 5, 0);
	mw_aml_package_begin(&aml, 256);
	mw_aml_end(&aml);
	EXPECT(aml, 0x13, 4, 0x0b, 0, 1);
}

static void a_field_lies_in_its_region(void **state)
{
	struct mw_aml aml = { 0 };
	const char *const names[] = { "EVNT", "Z" };
	const unsigned bits[] = { 32, 100 };
	mw_aml_operation_region(&aml, "EREG", true, 0xfea00010, 4);
	EXPECT(aml, 0x5b, 0x80, 'E', 'R', 'E', 'G', 0, 0x0c, 0x10, 0, 0xa0, 0xfe, 0x0a, 4);
	mw_aml_operation_region(&aml, "PREG", false, 0x60, 1);
	EXPECT(aml, 0x5b, 0x80, 'P', 'R', 'E', 'G', 1, 0x0a, 0x60, 1);
	mw_aml_field(&aml, "EREG", 4, names, bits, 2);
	EXPECT(aml, 0x5b, 0x81, 17, 'E', 'R', 'E', 'G', 3, 'E', 'V', 'N', 'T', 32, 'Z', '_', '_',
	       '_', 0x44, 6);
}

static void an_empty_template_is_its_end_tag(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_resources_begin(&aml);
	mw_aml_resources_end(&aml);
	EXPECT(aml, 0x11, 5, 0x0a, 2, 0x79, 0x87);
}

static void ports_have_a_short_and_a_long_form(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_resources_begin(&aml);
	mw_aml_resource_io(&aml, 0x3f8, 8);
	mw_aml_resources_end(&aml);
	/* 0x47+1+0xf8+3+0xf8+3+1+8+0x79 = 0x2c0: 0x40 makes it zero */
	EXPECT(aml, 0x11, 13, 0x0a, 10, 0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8, 0x79, 0x40);
	mw_aml_resource_io(&aml, 0xc000, 0x4000);
	EXPECT(aml, 0x88, 13, 0, 1, 0x0d, 3, 0, 0, 0, 0xc0, 0xff, 0xff, 0, 0, 0, 0x40);
}

static void memory_has_a_form_below_and_above_4g(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_resource_memory(&aml, 0xffff0000, 0x10000, false);
	EXPECT(aml, 0x86, 9, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0);
	mw_aml_resource_memory(&aml, 0xfffff000, 0x2000, true);
	EXPECT(aml, 0x8a, 43, 0, 0, 0x0d, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0xff, 0xff, 0, 0, 0,
	       0, 0xff, 0x0f, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0);
}

static void an_interrupt_tells_how_it_is_wired(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_resource_interrupt(&aml, 4, false, false, false);
	mw_aml_resource_interrupt(&aml, 0x1234, true, true, true);
	EXPECT(aml, 0x89, 6, 0, 3, 1, 4, 0, 0, 0, 0x89, 6, 0, 0x0d, 1, 0x34, 0x12, 0, 0);
}

static void a_long_template_counts_in_a_word(void **state)
{
	struct mw_aml aml = { 0 };
	mw_aml_resources_begin(&aml);
	for (unsigned i = 0; i < 40; i++)
		mw_aml_resource_io(&aml, 0x100, 1);
	mw_aml_resources_end(&aml);
	/* 2 bytes of PkgLength, 3 of size 322, the descriptors, the end tag */
	const uint8_t begin[] = { 0x11, 0x47, 0x14, 0x0b, 0x42, 0x01, 0x47 };
	assert_int_equal(aml.length, 1 + 2 + 3 + 322);
	assert_memory_equal(aml.bytes, begin, sizeof(begin));
	uint8_t sum = 0;
	for (size_t i = 6; i < aml.length; i++)
		sum = (uint8_t)(sum + aml.bytes[i]);
	assert_int_equal(sum, 0);
	mw_aml_fini(&aml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_take_the_shortest_form),
		cmocka_unit_test(names_are_padded_and_counted),
		cmocka_unit_test(an_eisa_id_is_a_number_and_others_are_text),
		cmocka_unit_test(package_lengths_grow_from_one_byte_to_four),
		cmocka_unit_test(packages_nest),
		cmocka_unit_test(packages_count_their_elements),
		cmocka_unit_test(a_field_lies_in_its_region),
		cmocka_unit_test(an_empty_template_is_its_end_tag),
		cmocka_unit_test(ports_have_a_short_and_a_long_form),
		cmocka_unit_test(memory_has_a_form_below_and_above_4g),
		cmocka_unit_test(an_interrupt_tells_how_it_is_wired),
		cmocka_unit_test(a_long_template_counts_in_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
