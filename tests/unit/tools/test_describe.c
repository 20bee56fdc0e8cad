/** Words for values, and a page and JSON that hold every row of a type. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/describe.h"

static const char *const modes[] = { "slow", "fast", NULL };
static const struct mw_property properties[] = {
	{ .name = "pins",
	  .help = "how many",
	  .kind = MW_U32,
	  .fallback = 24,
	  .min = 1,
	  .max = 240 },
	{ .name = "size", .kind = MW_U64, .fallback = 65536, .is_size = true, .min = 4096 },
	{ .name = "mode", .kind = MW_U32, .members = modes, .fallback = 1 },
	{ .name = "path", .kind = MW_STRING, .required = true, .is_path = true },
	{ .name = "text", .kind = MW_STRING, .fallback_text = "say \"hi\"" },
	{ .name = "loud", .kind = MW_BOOL, .fallback = 1 },
	{ .name = "address", .kind = MW_U64, .fallback = 0xfec00000 },
};
static const struct mw_wire wires[] = {
	{ .name = "irq", .kind = MW_LINE, .count = 16, .count_property = "pins", .optional = true },
	{ .name = "serial", .help = "the bytes", .kind = MW_STREAM },
};
static const struct mw_region regions[] = {
	{ .name = "bank", .space = MW_SPACE_PORT, .size = 8, .min_access = 1, .max_access = 4 },
	{ .name = "flash",
	  .space = MW_SPACE_MEMORY,
	  .size = 65536,
	  .backing = MW_BACKING_ROM,
	  .align = 4096,
	  .optional = true },
};
static const struct mw_timer_row timers[] = { { .name = "tick", .help = "every second" } };
static const struct mw_role_row roles[] = {
	{ .role = MW_ROLE_RESET, .region = "bank", .offset = 4 }
};
static const char *const buses[] = { "isa", NULL };
static const struct mw_device_type toy = {
	MW_DEVICE_TYPE,
	.name = "toy",
	.summary = "A toy with \"everything\".",
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.firmware = { .acpi_hid = "PNP0501", .roles = MW_TABLE(roles) },
};

static void sizes_take_the_largest_unit_that_is_exact(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },           { 512, "512" },
		{ 1024, "1KiB" },     { 65536, "64KiB" },
		{ 1536, "1536" },     { 3u << 20, "3MiB" },
		{ 1u << 30, "1GiB" }, { UINT64_C(1) << 52, "4096TiB" },
	};
	char text[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mw_describe_size(cases[i].bytes, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void defaults_and_ranges_read_like_a_profile(void **state)
{
	static const char *const expected[][2] = {
		{ "24", "1..240" },   { "64KiB", "at least 4KiB" }, { "fast", "slow | fast" },
		{ "", "" },           { "\"say \"hi\"\"", "" },     { "true", "" },
		{ "0xfec00000", "" },
	};
	char text[200];

	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		mw_describe_default(&properties[i], text, sizeof(text));
		assert_string_equal(text, expected[i][0]);
		mw_describe_range(&properties[i], text, sizeof(text));
		assert_string_equal(text, expected[i][1]);
	}
}

static void assert_contains(const char *text, const char *const *parts)
{
	for (; *parts; parts++)
		if (!strstr(text, *parts))
			fail_msg("`%s` is not in:\n%s", *parts, text);
}

static void page_holds_every_row(void **state)
{
	static const char *const parts[] = {
		"A toy with \"everything\".",
		"Sits on: isa",
		"  ID: { type: toy, at: isa, io: BASE, backend: stdio, props: { path: VALUE } }",
		"pins: int 1..240, default 24\n      how many",
		"size: size at least 4KiB, default 64KiB",
		"mode: enum slow | fast, default fast",
		"path: path, required",
		"irq[16]: line, drives, as many as `pins` says, optional",
		"serial: stream, both ways\n      the bytes",
		"bank: ports, 8, registers, accesses of 1 to 4 bytes",
		"flash: memory, 64KiB, ROM, aligned to 0x1000, optional",
		"tick\n      every second",
		"ACPI _HID: PNP0501",
		"FADT RESET_REG: region bank, offset 4",
		NULL,
	};
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	mw_describe_text(&toy, out);
	fclose(out);
	assert_contains(text, parts);
	free(text);
}

static void json_holds_every_row(void **state)
{
	static const char *const parts[] = {
		"\"summary\": \"A toy with \\\"everything\\\".\"",
		"\"default\": 24",
		"\"max\": 240",
		"\"default\": \"fast\"",
		"\"members\": [",
		"\"default\": true",
		"\"count_property\": \"pins\"",
		"\"backing\": \"ROM\"",
		"\"name\": \"tick\"",
		"\"acpi_hid\": \"PNP0501\"",
		"\"role\": \"FADT RESET_REG\"",
		NULL,
	};
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct mw_json json = { .out = out };

	mw_describe_json(&toy, &json);
	fclose(out);
	assert_contains(text, parts);
	assert_int_equal(text[length - 2], '}');
	free(text);
}

static void json_escapes_control_characters(void **state)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct mw_json json = { .out = out };

	mw_json_array(&json, NULL);
	mw_json_string(&json, NULL, "a\"b\\c\nd\te\x7f");
	mw_json_object(&json, NULL);
	mw_json_end(&json, '}');
	mw_json_string(&json, NULL, NULL);
	mw_json_number(&json, NULL, UINT64_MAX);
	mw_json_end(&json, ']');
	fclose(out);
	assert_string_equal(text, "[\n  \"a\\\"b\\\\c\\nd\\u0009e\\u007f\",\n  {},\n"
				  "  18446744073709551615\n]\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_take_the_largest_unit_that_is_exact),
		cmocka_unit_test(defaults_and_ranges_read_like_a_profile),
		cmocka_unit_test(page_holds_every_row),
		cmocka_unit_test(json_holds_every_row),
		cmocka_unit_test(json_escapes_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
