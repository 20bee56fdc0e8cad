/* The contract suite: what every registered device type must keep, whatever it is. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/field.h"
#include "devices/registry.h"
#include "tests/support/accesses.h"
#include "tests/support/rig.h"

enum { RANDOM_ACCESSES = 10000, STATE_LIMIT = 1 << 18 };
enum { COVERAGE_ROUNDS = 500, COVERAGE_STEPS = 10 };

static void for_every_type(void (*check)(const struct mw_device_type *type))
{
	for (size_t i = 0; mw_device_types[i]; i++) {
		accesses_hush();
		check(mw_device_types[i]);
		accesses_speak();
	}
}

static void broken(const struct mw_device_type *type, const char *what)
{
	accesses_speak();
	fail_msg("device type `%s`: %s", type->name, what);
}
#define CHECK(type, condition) ((condition) ? (void)0 : broken((type), #condition))

static void registry_takes_all_types(void **state)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_registry registry = { 0 };

	assert_true(mw_builtin_devices(&registry, &diagnostics));
	assert_int_equal(diagnostics.count, 0);
	for (size_t i = 0; mw_device_types[i]; i++)
		assert_ptr_equal(mw_registry_find(&registry, mw_device_types[i]->name),
				 mw_device_types[i]);
	mw_registry_fini(&registry);
	mw_diagnostics_fini(&diagnostics);
}

static void check_tables(const struct mw_device_type *type)
{
	struct mw_diagnostics diagnostics = { 0 };

	if (!mw_device_type_check(type, &diagnostics)) {
		mw_diagnostics_print(&diagnostics, stderr, MW_DIAG_CONCISE, false);
		broken(type, "mw_device_type_check");
	}
	mw_diagnostics_fini(&diagnostics);
}

static void tables_keep_the_contract(void **state)
{
	for_every_type(check_tables);
}

static bool is_text(const char *text)
{
	return text && text[0] && text[strlen(text) - 1] != ' ';
}

static bool ends_a_sentence(const char *text)
{
	return is_text(text) && text[strlen(text) - 1] == '.';
}

/* Help texts are sentences; a summary is a line for a list and is none. */
static void check_texts(const struct mw_device_type *type)
{
	CHECK(type, is_text(type->summary) && !ends_a_sentence(type->summary));
	CHECK(type, strlen(type->summary) <= 90);
	for (size_t i = 0; i < type->properties.count; i++) {
		const struct mw_property *row = &type->properties.items[i];

		CHECK(type, ends_a_sentence(row->help));
		for (size_t m = 0; row->members && row->members[m]; m++)
			CHECK(type, is_text(row->members[m]));
	}
	for (size_t i = 0; i < type->wires.count; i++)
		CHECK(type, ends_a_sentence(type->wires.items[i].help));
	for (size_t i = 0; i < type->timers.count; i++)
		CHECK(type, ends_a_sentence(type->timers.items[i].help));
}

static void every_text_is_there(void **state)
{
	for_every_type(check_texts);
}

/* The default of a property is one of the values it may have. */
static void check_defaults(const struct mw_device_type *type)
{
	for (size_t i = 0; i < type->properties.count; i++) {
		const struct mw_property *row = &type->properties.items[i];
		uint64_t members = 0;

		if (row->required || row->kind > MW_BOOL)
			continue;
		while (row->members && row->members[members])
			members++;
		CHECK(type, row->fallback >= row->min);
		CHECK(type, !row->max || row->fallback <= row->max);
		CHECK(type, !row->members || row->fallback < members);
		CHECK(type, row->kind != MW_BOOL || row->fallback <= 1);
	}
}

static void defaults_are_allowed_values(void **state)
{
	for_every_type(check_defaults);
}

/* A backend is the host's side: it has no place in the guest and a key to name it by. */
static void check_backend(const struct mw_device_type *type)
{
	if (!type->backend) {
		CHECK(type, !type->main_property);
		return;
	}
	CHECK(type, type->regions.count == 0);
	CHECK(type, type->state.count == 0);
	CHECK(type, !type->firmware.acpi_hid && !type->firmware.roles.count);
	CHECK(type, type->wires.count >= 1);
}

static void backends_are_outside_the_guest(void **state)
{
	for_every_type(check_backend);
}

static void check_build(const struct mw_device_type *type)
{
	rig_destroy(rig_create(type, NULL));
}

static void every_type_builds_with_defaults(void **state)
{
	for_every_type(check_build);
}

static uint8_t *copy_state(struct rig *rig, size_t *count)
{
	const uint8_t *bytes = rig_save(rig, count);
	uint8_t *copy = mw_alloc(*count + 1, 1);

	memcpy(copy, bytes, *count);
	return copy;
}

static void check_same_state(const struct mw_device_type *type, struct rig *rig,
			     const uint8_t *expected, size_t expected_count)
{
	size_t count;
	const uint8_t *bytes = rig_save(rig, &count);

	CHECK(type, count == expected_count);
	CHECK(type, !memcmp(bytes, expected, count));
}

/* Clears in a saved state what a reset leaves alone. */
static uint8_t *forget_survivors(const struct mw_state *rows, size_t count, uint8_t *bytes,
				 bool survives)
{
	for (size_t i = 0; i < count; i++) {
		const struct mw_state *row = &rows[i];
		bool kept = survives || row->survives_reset;

		for (size_t e = 0; e < (row->count ? row->count : 1); e++) {
			if (row->kind == MW_STRUCT_KIND) {
				bytes = forget_survivors(row->rows, row->row_count, bytes, kept);
				continue;
			}
			if (kept)
				memset(bytes, 0, mw_field_bytes(row->kind));
			bytes += mw_field_bytes(row->kind);
		}
	}
	return bytes;
}

static uint8_t *copy_reset_state(struct rig *rig, const struct mw_device_type *type, size_t *count)
{
	uint8_t *copy = copy_state(rig, count);

	forget_survivors(type->state.items, type->state.count, copy, false);
	return copy;
}

static void check_same_reset(const struct mw_device_type *type, struct rig *rig,
			     const uint8_t *expected, size_t expected_count)
{
	size_t count;
	uint8_t *bytes = copy_reset_state(rig, type, &count);

	CHECK(type, count == expected_count);
	CHECK(type, !memcmp(bytes, expected, count));
	free(bytes);
}

/* A guest's doings leave nothing behind that a reset does not undo, but for rows that survive one. What the
 * host has sent and the device not yet taken is the host's. */
static void check_reset(const struct mw_device_type *type)
{
	struct rig *rig = rig_create(type, NULL);
	size_t count;

	rig_reset(rig);
	uint8_t *once = copy_reset_state(rig, type, &count);

	rig_reset(rig);
	check_same_reset(type, rig, once, count);
	accesses_random(rig, type, 1, 1000);
	rig_drop(rig);
	rig_reset(rig);
	check_same_reset(type, rig, once, count);
	free(once);
	rig_destroy(rig);
}

static void reset_twice_equals_reset_once(void **state)
{
	for_every_type(check_reset);
}

/* A register that drops what a BIOS would leave in it is not the one the data sheet means. */
static void check_setup(const struct mw_device_type *type)
{
	struct rig *rig = type->firmware.setup.count ? rig_create(type, NULL) : NULL;

	for (size_t i = 0; i < type->firmware.setup.count; i++) {
		const struct mw_setup_row *row = &type->firmware.setup.items[i];
		uint32_t value = row->value + (row->region ? 0x1000 : 0);

		rig_config_write(rig, row->at, row->size, value);
		if ((rig_config_read(rig, row->at, row->size) & value) != value)
			broken(type, "drops what is written to set it up");
	}
	rig_destroy(rig);
}

static void what_sets_a_function_up_is_kept(void **state)
{
	for_every_type(check_setup);
}

/* Into the same machine and into a new one; from states that a guest can reach. */
static void check_round_trip(const struct mw_device_type *type)
{
	struct rig *rig = rig_create(type, NULL), *other = rig_create(type, NULL);

	for (unsigned seed = 0; seed < 20; seed++) {
		size_t count;

		accesses_random(rig, type, seed, 50);
		uint8_t *saved = copy_state(rig, &count);

		CHECK(type, rig_load(rig, saved, count));
		check_same_state(type, rig, saved, count);
		CHECK(type, rig_load(other, saved, count));
		check_same_state(type, other, saved, count);
		free(saved);
	}
	rig_destroy(rig);
	rig_destroy(other);
}

static void saved_state_comes_back_byte_equal(void **state)
{
	for_every_type(check_round_trip);
}

/* A file someone else wrote: any bytes either load or are refused, and the device stays usable. */
static void check_hostile_state(const struct mw_device_type *type)
{
	struct rig *rig = rig_create(type, NULL);
	unsigned random = 1;

	for (unsigned round = 0; round < 50; round++) {
		size_t count;
		uint8_t *bytes = copy_state(rig, &count);

		for (size_t i = 0; i < count; i++)
			bytes[i] = (uint8_t)accesses_next(&random);
		rig_load(rig, bytes, count);
		CHECK(type, !rig_load(rig, bytes, count + 1));
		accesses_random(rig, type, round, 20);
		free(bytes);
	}
	rig_destroy(rig);
}

static void hostile_state_does_no_harm(void **state)
{
	for_every_type(check_hostile_state);
}

static void check_accesses(const struct mw_device_type *type)
{
	struct rig *rig = rig_create(type, NULL);

	accesses_random(rig, type, 7, RANDOM_ACCESSES);
	rig_destroy(rig);
}

static void random_accesses_do_no_harm(void **state)
{
	for_every_type(check_accesses);
}

static void mark(uint8_t *covered, size_t offset, size_t bytes)
{
	memset(covered + offset, 1, bytes);
}

static void mark_state(uint8_t *covered, const struct mw_state *rows, size_t count, size_t base)
{
	for (size_t i = 0; i < count; i++) {
		const struct mw_state *row = &rows[i];
		size_t elements = row->count ? row->count : 1;

		for (size_t e = 0; e < elements; e++) {
			size_t at = base + row->offset + e * row->stride;

			if (row->kind == MW_STRUCT_KIND)
				mark_state(covered, row->rows, row->row_count, at);
			else
				mark(covered, at, mw_field_bytes(row->kind));
		}
	}
}

static void mark_tables(uint8_t *covered, const struct mw_device_type *type)
{
	mark_state(covered, type->state.items, type->state.count, 0);
	for (size_t i = 0; i < type->properties.count; i++) {
		const struct mw_property *row = &type->properties.items[i];

		mark(covered, row->offset, mw_field_bytes(row->kind));
	}
	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *row = &type->wires.items[i];

		for (size_t e = 0; row->direction == MW_DRIVES && e < (row->count ? row->count : 1);
		     e++)
			mark(covered, row->offset + e * row->stride, sizeof(void *));
	}
}

static void compare_uncovered(const struct mw_device_type *type, const uint8_t *covered,
			      const uint8_t *before, const uint8_t *now)
{
	for (size_t i = 0; i < type->size; i++) {
		char what[80];

		if (before[i] == now[i] || covered[i])
			continue;
		snprintf(what, sizeof(what), "byte %zu changes, but no state row has it", i);
		broken(type, what);
	}
}

/* What accesses change and no row describes would be lost by a snapshot: compares the struct before
 * and after, byte by byte, with the tables; and often, since much goes back to what it was. Backends
 * are host state and are not saved. */
static void check_coverage(const struct mw_device_type *type)
{
	if (type->backend || !type->size)
		return;
	struct rig *rig = rig_create(type, NULL);
	uint8_t *covered = mw_alloc(type->size + 8, 1), *before = mw_alloc(type->size, 1);

	CHECK(type, type->size < STATE_LIMIT);
	mark_tables(covered, type);
	memcpy(before, rig_device(rig), type->size);
	for (unsigned seed = 0; seed < COVERAGE_ROUNDS; seed++) {
		accesses_random(rig, type, seed, COVERAGE_STEPS);
		compare_uncovered(type, covered, before, rig_device(rig));
	}
	free(before);
	free(covered);
	rig_destroy(rig);
}

static void state_rows_cover_what_changes(void **state)
{
	for_every_type(check_coverage);
}

/* Registers of one region that overlap are told apart by `selected`; the last may be the rest. */
static void check_registers(const struct mw_device_type *type)
{
	for (size_t r = 0; r < type->regions.count; r++) {
		const struct mw_region *region = &type->regions.items[r];

		for (size_t i = 0; i < region->registers.count; i++) {
			for (size_t j = i + 1; j < region->registers.count; j++) {
				const struct mw_register *a = &region->registers.items[i];
				const struct mw_register *b = &region->registers.items[j];
				bool apart = a->at + (a->size ? a->size : 1) <= b->at ||
					     b->at + (b->size ? b->size : 1) <= a->at;

				CHECK(type, apart || a->selected);
			}
		}
	}
}

static void registers_can_all_be_reached(void **state)
{
	for_every_type(check_registers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_takes_all_types),
		cmocka_unit_test(tables_keep_the_contract),
		cmocka_unit_test(every_text_is_there),
		cmocka_unit_test(defaults_are_allowed_values),
		cmocka_unit_test(backends_are_outside_the_guest),
		cmocka_unit_test(registers_can_all_be_reached),
		cmocka_unit_test(every_type_builds_with_defaults),
		cmocka_unit_test(reset_twice_equals_reset_once),
		cmocka_unit_test(what_sets_a_function_up_is_kept),
		cmocka_unit_test(saved_state_comes_back_byte_equal),
		cmocka_unit_test(hostile_state_does_no_harm),
		cmocka_unit_test(random_accesses_do_no_harm),
		cmocka_unit_test(state_rows_cover_what_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
