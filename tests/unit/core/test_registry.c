/* The registry refuses types that break the contract and carries older ones along. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/diagnostics.h"
#include "core/registry.h"

struct part {
	uint16_t count;
	bool gate;
};
struct thing {
	uint32_t value;
	struct mw_line *line;
	struct mw_stream *stream;
	struct mw_line *lines[4];
	struct mw_memory *memory;
	struct mw_timer *timer;
	struct part parts[2];
	uint8_t bytes[8];
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

static void what_a_profile_claims_for_a_wire_fits_its_kind(void **state)
{
	static const struct {
		struct mw_wire row;
		const char *why;
	} cases[] = {
		{ { "in", "A pin.", MW_SINK(1), .on_level = on_level, .intx = true },
		  "INTx is one line that drives" },
		{ { "irq", "A line.", MW_FIELD(struct thing, line), .vectors = 4 },
		  "only message signalled interrupts have vectors" },
		{ { "irq", "A line.", MW_FIELD(struct thing, line), .channel = true },
		  "a channel is for one wire of kind dma" },
		{ { "share", "A line.", MW_FIELD(struct thing, line) },
		  "a word of claims is no name of a wire" },
	};
	struct mw_device_type type = plain("wrong");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		type.wires.items = &cases[i].row;
		type.wires.count = 1;
		type.wires.row_bytes = sizeof(cases[i].row);
		refused(&type, cases[i].why);
	}
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

#define REFUSED_ROWS(table, rows, why)                             \
	do {                                                       \
		struct mw_device_type type = plain("wrong");       \
		type.state_version = 1;                            \
		type.table.items = rows;                           \
		type.table.count = sizeof(rows) / sizeof(rows[0]); \
		type.table.row_bytes = sizeof(rows[0]);            \
		refused(&type, why);                               \
	} while (0)

static void array_of_handles_needs_a_stride(void **state)
{
	const struct mw_wire flat[] = {
		{ "irq", "Lines.", .offset = offsetof(struct thing, lines), .kind = MW_LINE,
		  .count = 4 },
	};
	const struct mw_wire huge[] = {
		{ "irq", "Lines.", .offset = offsetof(struct thing, lines), .kind = MW_LINE,
		  .count = 4, .stride = SIZE_MAX / 2 },
	};

	REFUSED_ROWS(wires, flat, "overlap each other");
	REFUSED_ROWS(wires, huge, "outside the device's struct");
}

static void two_rows_may_not_share_a_field(void **state)
{
	const struct mw_state rows[] = {
		{ "all", MW_ARRAY(struct thing, bytes), .since = 1 },
		{ "third", MW_FIELD(struct thing, bytes[2]), .since = 1 },
	};
	const struct mw_wire wires[] = {
		{ "line", "A line.", MW_FIELD(struct thing, line) },
		{ "other", "The same one.", MW_FIELD(struct thing, line) },
	};

	REFUSED_ROWS(state, rows, "another row has this field");
	REFUSED_ROWS(wires, wires, "another row has this field");
}

static void nested_state_is_checked_to_the_leaves(void **state)
{
	static const struct mw_state outside[] = {
		{ "count", .offset = 2, .kind = MW_U32, .since = 1 },
	};
	static const struct mw_state good[] = {
		{ "count", MW_FIELD(struct part, count), .since = 1 },
		{ "gate", MW_FIELD(struct part, gate), .reset = 1, .since = 1 },
	};
	const struct mw_state wrong[] = {
		{ "parts", MW_STRUCTS(struct thing, parts, outside), .since = 1 },
	};
	const struct mw_state empty[] = {
		{ "parts", .offset = offsetof(struct thing, parts), .kind = MW_STRUCT_KIND,
		  .count = 2, .stride = sizeof(struct part), .since = 1 },
	};
	const struct mw_state twice[] = {
		{ "parts", MW_STRUCTS(struct thing, parts, good), .since = 1 },
		{ "gate", MW_FIELD(struct thing, parts[1].gate), .since = 1 },
	};
	const struct mw_state unfit[] = {
		{ "parts", MW_STRUCTS(struct thing, parts, good), .since = 1 },
		{ "byte", MW_FIELD(struct thing, bytes[0]), .reset = 256, .since = 1 },
	};

	REFUSED_ROWS(state, wrong, "outside its struct");
	REFUSED_ROWS(state, empty, "needs rows");
	REFUSED_ROWS(state, twice, "another row has this field");
	REFUSED_ROWS(state, unfit, "does not fit");
}

static void no_memory_backs_ports(void **state)
{
	const struct mw_region rows[] = {
		{ "ports", MW_SPACE_PORT, 16, .backing = MW_BACKING_RAM,
		  .memory_offset = offsetof(struct thing, memory) },
	};

	REFUSED_ROWS(regions, rows, "no memory backs ports");
}

static uint64_t get(void *self)
{
	return 0;
}

static void set(void *self, uint64_t value)
{
}

static void changed(void *self)
{
}

static bool selected(const void *self)
{
	return true;
}

static void refused_register(const struct mw_register *rows, size_t count, const char *why)
{
	const struct mw_region regions[] = {
		{ "bank", MW_SPACE_MEMORY, 16, MW_ACCESS(2, 4),
		  .registers = { rows, count, sizeof(*rows) } },
	};

	REFUSED_ROWS(regions, regions, why);
}

static void register_rows_must_make_sense(void **state)
{
	const struct mw_register narrow = { "R", 0, 1, .get = get };
	const struct mw_register deaf = { "R", 0, 4, .get = get, .changed = changed };
	const struct mw_register mixed = {
		"R", 0, 4, MW_FIELD(struct thing, value), .writable = 1, .set = set
	};
	const struct mw_register handle = { "R", 0, 8, MW_FIELD(struct thing, line) };
	const struct mw_register mute = { "R", 0, 4, .get = get, .set = set, .write_only = true };
	const struct mw_register hidden[] = {
		{ "A", 0, 4, MW_FIELD(struct thing, value), .writable = 1 },
		{ "B", 2, 2, .get = get },
	};

	refused_register(&narrow, 1, "narrower than any access");
	refused_register(&deaf, 1, "belong to a field");
	refused_register(&mixed, 1, "belong to a field");
	refused_register(&handle, 1, "integer or a bool");
	refused_register(&mute, 1, "needs no `get`");
	refused_register(hidden, 2, "a register before it answers for it");
}

/* As the 16550 has it: one address, three registers. */
static void registers_may_share_an_address_where_each_can_be_reached(void **state)
{
	static const struct mw_register rows[] = {
		{ "DLL", 0, .get = get, .set = set, .selected = selected },
		{ "RBR", 0, .get = get },
		{ "THR", 0, .set = set, .write_only = true },
	};
	static const struct mw_region regions[] = {
		{ "bank", MW_SPACE_PORT, 8, MW_ACCESS(1, 1), .registers = MW_TABLE(rows) },
	};
	struct mw_device_type type = plain("uart");

	type.regions.items = regions;
	type.regions.count = 1;
	type.regions.row_bytes = sizeof(regions[0]);
	assert_true(mw_registry_add(&registry, &type, &diagnostics));
}

static void on_expire(void *self)
{
}

static void timer_row_is_not_newer_than_its_type(void **state)
{
	const struct mw_timer_row rows[] = {
		{ "tick", "A tick.", MW_FIELD(struct thing, timer), .on_expire = on_expire,
		  .since = 2 },
	};

	REFUSED_ROWS(timers, rows, "since");
}

static void defaults_lie_in_their_range(void **state)
{
	static const char *const colours[] = { "red", "green", NULL };
	const struct mw_property beyond[] = {
		{ "value", "A value.", MW_FIELD(struct thing, value), .fallback = 9, .max = 8 },
	};
	const struct mw_property wide[] = {
		{ "byte", "A byte.", MW_FIELD(struct thing, bytes[0]), .max = 256 },
	};
	const struct mw_property colour[] = {
		{ "value", "A colour.", MW_FIELD(struct thing, value), .fallback = 2,
		  .members = colours },
	};

	REFUSED_ROWS(properties, beyond, "the default is out of range");
	REFUSED_ROWS(properties, wide, "not one of the field");
	REFUSED_ROWS(properties, colour, "none of the members");
}

static void only_lines_images_input_and_channels_receive(void **state)
{
	const struct mw_wire rows[] = {
		{ "port", "A stream.", MW_FIELD(struct thing, stream), .direction = MW_RECEIVES },
	};

	REFUSED_ROWS(wires, rows, "only lines, images, input and DMA channels receive");
}

static void role_lies_inside_its_region(void **state)
{
	static const struct mw_register rows[] = { { "R", 0, .get = get } };
	static const struct mw_region regions[] = {
		{ "bank", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(rows) },
	};
	static const struct mw_role_row roles[] = { { MW_ROLE_RESET, "bank", 1, 1, 1 } };
	struct mw_device_type type = plain("wrong");

	type.regions.items = regions;
	type.regions.count = 1;
	type.regions.row_bytes = sizeof(regions[0]);
	type.firmware.roles.items = roles;
	type.firmware.roles.count = 1;
	type.firmware.roles.row_bytes = sizeof(roles[0]);
	refused(&type, "a role's register lies outside");
}

static void setup_is_of_a_function_and_names_a_region(void **state)
{
	static const struct mw_config_ops config = { 0 };
	static const struct mw_setup_row odd[] = { { 0x41, 2, 0, NULL } },
					 large[] = { { 0x40, 8, 0, NULL } },
					 elsewhere[] = { { 0x40, 4, 0, "nowhere" } },
					 good[] = { { 0x40, 4, 1, "bank" } };
	struct mw_device_type type = plain("wrong");

	type.firmware.setup.items = good;
	type.firmware.setup.count = 1;
	type.firmware.setup.row_bytes = sizeof(good[0]);
	refused(&type, "a row is an aligned register of a PCI function");
	type.config = &config;
	type.firmware.setup.items = odd;
	refused(&type, "a row is an aligned register of a PCI function");
	type.firmware.setup.items = large;
	refused(&type, "a row is an aligned register of a PCI function");
	type.firmware.setup.items = elsewhere;
	refused(&type, "setup names no region");
}

static void rows_of_a_newer_header_are_refused(void **state)
{
	static const struct {
		struct mw_property row;
		uint64_t news;
	} rows[] = { { { "value", "A value.", MW_FIELD(struct thing, value) }, 1 } };
	struct mw_device_type type = plain("new");

	type.properties.items = &rows[0].row;
	type.properties.count = 1;
	type.properties.row_bytes = sizeof(rows[0]);
	refused(&type, "another version");
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
		{ "other", "Another.", offsetof(struct thing, bytes), MW_U32, 6 },
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

/* One built when a state row ended before `survives_reset`, nested rows included. */
struct old_state {
	const char *name;
	size_t offset;
	enum mw_kind kind;
	uint64_t reset;
	unsigned since;
	size_t count, stride;
	const struct old_state *rows;
	size_t row_count;
};

static void nested_rows_of_an_older_header_are_carried_over(void **state)
{
	static const struct old_state parts[] = {
		{ "count", offsetof(struct part, count), MW_U16, 5, 1 },
		{ "gate", offsetof(struct part, gate), MW_BOOL, 1, 1 },
	};
	static const struct old_state old[] = {
		{ "value", offsetof(struct thing, value), MW_U32, 7, 1 },
		{ "parts", offsetof(struct thing, parts), MW_STRUCT_KIND, 0, 1, 2,
		  sizeof(struct part), parts, 2 },
	};
	struct mw_device_type type = plain("old");

	type.state_version = 1;
	type.state.items = (const struct mw_state *)(const void *)old;
	type.state.count = 2;
	type.state.row_bytes = sizeof(old[0]);
	assert_true(sizeof(old[0]) < sizeof(struct mw_state));
	assert_true(mw_registry_add(&registry, &type, &diagnostics));
	const struct mw_state *rows = mw_registry_find(&registry, "old")->state.items;

	assert_string_equal(rows[1].rows[1].name, "gate");
	assert_int_equal(rows[1].rows[1].reset, 1);
	assert_false(rows[1].rows[0].survives_reset);
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
		REGISTRY_TEST(what_a_profile_claims_for_a_wire_fits_its_kind),
		REGISTRY_TEST(field_must_lie_inside_the_struct),
		REGISTRY_TEST(help_texts_are_part_of_the_contract),
		REGISTRY_TEST(state_row_needs_a_version),
		REGISTRY_TEST(array_of_handles_needs_a_stride),
		REGISTRY_TEST(two_rows_may_not_share_a_field),
		REGISTRY_TEST(nested_state_is_checked_to_the_leaves),
		REGISTRY_TEST(no_memory_backs_ports),
		REGISTRY_TEST(register_rows_must_make_sense),
		REGISTRY_TEST(registers_may_share_an_address_where_each_can_be_reached),
		REGISTRY_TEST(timer_row_is_not_newer_than_its_type),
		REGISTRY_TEST(defaults_lie_in_their_range),
		REGISTRY_TEST(only_lines_images_input_and_channels_receive),
		REGISTRY_TEST(role_lies_inside_its_region),
		REGISTRY_TEST(setup_is_of_a_function_and_names_a_region),
		REGISTRY_TEST(rows_of_a_newer_header_are_refused),
		REGISTRY_TEST(rows_of_an_older_header_are_carried_over),
		REGISTRY_TEST(nested_rows_of_an_older_header_are_carried_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
