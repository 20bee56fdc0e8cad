/** ACPI names: readable where they can be, unique always. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/tables/tables_internal.h"

static void short_ids_are_their_own_names(void **state)
{
	static const char *const cases[][2] = {
		{ "com1", "COM1" },    { "ged", "GED_" },      { "a", "A___" },
		{ "rp.com1", "RPC1" }, { "debugcon", "DEBU" }, { "virtio-blk12", "VI12" },
		{ "v123", "V123" },    { "v1234", "V123" },    { "q-9", "Q9__" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mw_acpi_names names;
		char name[5];
		mw_acpi_names_init(&names, 1);
		mw_acpi_names_pick(&names, cases[i][0], name);
		assert_string_equal(name, cases[i][1]);
		mw_acpi_names_fini(&names);
	}
}

static void a_taken_name_gives_another_that_starts_alike(void **state)
{
	struct mw_acpi_names names;
	char first[5], second[5];
	mw_acpi_names_init(&names, 2);
	mw_acpi_names_pick(&names, "debugcon", first);
	mw_acpi_names_pick(&names, "debugexit", second);
	assert_string_not_equal(first, second);
	assert_int_equal(second[0], 'D');
	mw_acpi_names_fini(&names);
}

static int by_text(const void *a, const void *b)
{
	return memcmp(a, b, 5);
}

static void fifty_thousand_alike_are_all_different(void **state)
{
	enum { MANY = 50000 };
	struct mw_acpi_names names;
	char(*all)[5] = calloc(MANY, sizeof(*all));
	mw_acpi_names_init(&names, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		char id[16];
		snprintf(id, sizeof(id), "serial%u", i);
		mw_acpi_names_pick(&names, id, all[i]);
		assert_int_equal(strspn(all[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), 4);
		assert_true(all[i][0] >= 'A' && all[i][0] <= 'Z');
	}
	qsort(all, MANY, sizeof(*all), by_text);
	for (unsigned i = 1; i < MANY; i++)
		assert_string_not_equal(all[i - 1], all[i]);
	mw_acpi_names_fini(&names);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_ids_are_their_own_names),
		cmocka_unit_test(a_taken_name_gives_another_that_starts_alike),
		cmocka_unit_test(fifty_thousand_alike_are_all_different),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
