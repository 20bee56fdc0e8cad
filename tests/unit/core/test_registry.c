/* The registry refuses types that break the contract and carries older ones along. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/diagnostics.h"
#include "core/registry.h"

struct thing {
	uint32_t value;
	struct mw_line *line;
	struct mw_stream *stream;
};

static void on_level(void *self, unsigned index, bool level)
{
}

static void on_byte(void *self, uint8_t byte)
{
}

static struct mw_diagnostics diagnostics;
static struct mw_registry registry;

static int tear_down(void **state)
{
	mw_registry_fini(&registry);
	mw_diagnostics_fini(&diagnostics);
	memset(&diagnostics, 0, sizeof(diagnostics));
	return 0;
}

static struct mw_device_type plain(const char *name)
{
	return (struct mw_device_type){ MW_DEVICE_TYPE, .name = name, .summary = "a thing",
					.size = sizeof(struct thing) };
}

static void refused(const struct mw_device_type *type, const char *why)
{
	assert_false(mw_registry_add(&registry, type, &diagnostics));
	assert_non_null(strstr(diagnostics.items[diagnostics.count - 1]->message, why));
}

static void types_are_found_by_name_in_any_order_of_adding(void **state)
{
	struct mw_device_type b = plain("b"), a = plain("a"), c = plain("c");

	assert_true(mw_registry_add(&registry, &b, &diagnostics));
	assert_true(mw_registry_add(&registry, &c, &diagnostics));
	assert_true(mw_registry_add(&registry, &a, &diagnostics));
	assert_ptr_equal(mw_registry_find(&registry, "a"), &a);
	assert_ptr_equal(mw_registry_find(&registry, "c"), &c);
	assert_null(mw_registry_find(&registry, "d"));
	refused(&b, "name is taken");
}

static void near_name_is_offered(void **state)
{
	struct mw_device_type uart = plain("uart16550");

	assert_true(mw_registry_add(&registry, &uart, &diagnostics));
	assert_ptr_equal(mw_registry_nearest(&registry, "uart1655"), &uart);
	assert_null(mw_registry_nearest(&registry, "ioapic"));
}

static void newer_contract_is_refused(void **state)
{
	struct mw_device_type type = plain("new");

	type.abi = MW_DEVICE_ABI + 1;
	refused(&type, "another version");
}

static void handler_must_match_its_kind(void **state)
{
	const struct mw_wire wrong[] = {
		{ "line", "A line.", MW_FIELD(struct thing, line), .on_byte = on_byte },
	};
	struct mw_device_type type = plain("wrong");

	type.wires.items = wrong;
	type.wires.count = 1;
	type.wires.row_bytes = sizeof(wrong[0]);
	refused(&type, "handler is not one of this kind");
}

static void driving_line_hears_nothing_and_a_sink_must(void **state)
{
	const struct mw_wire drives[] = {
		{ "line", "A line.", MW_FIELD(struct thing, line), .on_level = on_level },
	};
	const struct mw_wire deaf[] = { { "pin", "A pin.", MW_SINK(4) } };
	struct mw_device_type type = plain("wrong");

	type.wires.items = drives;
	type.wires.count = 1;
	type.wires.row_bytes = sizeof(drives[0]);
	refused(&type, "has on_level");
	type.wires.items = deaf;
	refused(&type, "has on_level");
}

static void field_must_lie_inside_the_struct(void **state)
{
	const struct mw_property outside[] = {
		{ "value", "A value.", .offset = sizeof(struct thing) - 2, .kind = MW_U32 },
	};
	struct mw_device_type type = plain("wrong");

	type.properties.items = outside;
	type.properties.count = 1;
	type.properties.row_bytes = sizeof(outside[0]);
	refused(&type, "outside the device's struct");
}

static void help_texts_are_part_of_the_contract(void **state)
{
	const struct mw_property silent[] = {
		{ "value", "", MW_FIELD(struct thing, value) },
	};
	struct mw_device_type type = plain("wrong");

	type.properties.items = silent;
	type.properties.count = 1;
	type.properties.row_bytes = sizeof(silent[0]);
	refused(&type, "help text");
}

static void state_row_needs_a_version(void **state)
{
	const struct mw_state rows[] = { { "value", MW_FIELD(struct thing, value) } };
	struct mw_device_type type = plain("wrong");

	type.state_version = 1;
	type.state.items = rows;
	type.state.count = 1;
	type.state.row_bytes = sizeof(rows[0]);
	refused(&type, "since");
}

/* A module built when a property row ended before `members`. */
struct old_property {
	const char *name, *help;
	size_t offset;
	enum mw_kind kind;
	uint64_t fallback;
};

static void rows_of_an_older_header_are_carried_over(void **state)
{
	static const struct old_property old[] = {
		{ "value", "A value.", offsetof(struct thing, value), MW_U32, 5 },
		{ "other", "Another.", offsetof(struct thing, value), MW_U32, 6 },
	};
	struct mw_device_type type = plain("old");

	type.properties.items = (const struct mw_property *)(const void *)old;
	type.properties.count = 2;
	type.properties.row_bytes = sizeof(old[0]);
	assert_true(mw_registry_add(&registry, &type, &diagnostics));
	const struct mw_device_type *found = mw_registry_find(&registry, "old");
	const struct mw_property *other = mw_type_property(found, "other");

	assert_non_null(other);
	assert_int_equal(other->fallback, 6);
	assert_null(other->members);
	assert_int_equal(other->max, 0);
}

int main(void)
{
#define REGISTRY_TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		REGISTRY_TEST(types_are_found_by_name_in_any_order_of_adding),
		REGISTRY_TEST(near_name_is_offered),
		REGISTRY_TEST(newer_contract_is_refused),
		REGISTRY_TEST(handler_must_match_its_kind),
		REGISTRY_TEST(driving_line_hears_nothing_and_a_sink_must),
		REGISTRY_TEST(field_must_lie_inside_the_struct),
		REGISTRY_TEST(help_texts_are_part_of_the_contract),
		REGISTRY_TEST(state_row_needs_a_version),
		REGISTRY_TEST(rows_of_an_older_header_are_carried_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
