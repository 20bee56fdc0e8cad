/* Schemas and man pages are complete: every key of the language has its sentence. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "tools/schema/schema.h"

static unsigned missing;

static void walk(struct mw_arena *arena, const struct mw_format *format,
		 const struct mw_shape *shape, const char *path)
{
	const char *dot = *path ? "." : "";

	if (shape->values)
		walk(arena, format, shape->values, mw_arena_printf(arena, "%s%s*", path, dot));
	if (shape->items)
		walk(arena, format, shape->items, mw_arena_printf(arena, "%s%s*", path, dot));
	for (const struct mw_shape_key *key = shape->keys; key && key->name; key++) {
		const char *below = mw_arena_printf(arena, "%s%s%s", path, dot, key->name);

		if (key->flags & MW_KEY_PLANNED)
			continue;
		if (!mw_schema_help(format, below)) {
			fprintf(stderr, "%s/1 says nothing of `%s`: tools/schema/facts.c\n",
				format->name, below);
			missing++;
		}
		walk(arena, format, key->shape, below);
	}
}

static void every_key_of_every_format_has_a_sentence(void **state)
{
	struct mw_arena arena = { 0 };
	unsigned formats = 0;

	const struct mw_format *format;

	for (size_t i = 0; (format = mw_schema_format(i)) != NULL; i++) {
		formats++;
		walk(&arena, format, format->shape, "");
	}
	mw_arena_fini(&arena);
	assert_int_equal(missing, 0);
	assert_true(formats >= 9);
}

static void help_depends_on_the_format(void **state)
{
	const struct mw_format *machine = mw_format_find("machine"), *cpu = mw_format_find("cpu");

	assert_null(mw_schema_help(machine, "vendor"));
	assert_non_null(mw_schema_help(cpu, "vendor"));
	assert_non_null(mw_schema_help(machine, "cpu.features"));
	assert_string_equal(mw_schema_help(machine, "history.*.memory.ram"),
			    mw_schema_help(machine, "memory.ram"));
	assert_null(mw_schema_help(machine, "no.such.key"));
}

static void a_plan_has_no_schema_because_nobody_writes_one(void **state)
{
	assert_false(mw_schema_has(mw_format_find("plan")));
	assert_true(mw_schema_has(mw_format_find("machine")));
}

static void files_that_only_tools_read_have_schemas_too(void **state)
{
	const struct mw_format *abi = mw_schema_format_find("abi");
	const struct mw_format *config = mw_schema_format_find("config");

	assert_non_null(abi);
	assert_non_null(config);
	assert_non_null(mw_schema_format_find("baseline"));
	assert_null(mw_schema_format_find("plan"));
	assert_string_equal(mw_schema_suffix(abi), "/1");
	assert_string_equal(mw_schema_suffix(config), "");
	assert_string_not_equal(mw_schema_help(abi, "name"),
				mw_schema_help(mw_format_find("machine"), "name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_every_format_has_a_sentence),
		cmocka_unit_test(help_depends_on_the_format),
		cmocka_unit_test(a_plan_has_no_schema_because_nobody_writes_one),
		cmocka_unit_test(files_that_only_tools_read_have_schemas_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
