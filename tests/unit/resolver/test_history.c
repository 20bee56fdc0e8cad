/* History: older versions of a file, and the end of their life. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "tests/unit/resolver/front.h"

#define CHIPSET(name) "format: chipset/1\nname: " name "\n"
#define HISTORY                                                                       \
	CHIPSET("b")                                                                  \
	"version: 4\nmemory: { ram: 4MiB }\n"                                         \
	"devices: { u: { type: uart, irq: 4 }, new: { type: t } }\n"                  \
	"history:\n  3: { devices: { new: remove } }\n"                               \
	"  1: { memory: { ram: 1MiB }, devices: { u: { irq: unset }, old: { type: o " \
	"} } }\n"

static void load_version(struct front *front, const char *reference)
{
	char text[128];

	front_init(front);
	front_file(front, "chipsets/b.yaml", HISTORY);
	snprintf(text, sizeof(text), "extends: %s\n", reference);
	front_profile(front, text);
}

static void an_older_version_is_the_file_under_its_history(void **state)
{
	struct front front;

	load_version(&front, "chipset/b@4");
	front_clean(&front);
	front_expect(&front, "devices/new/type", "t");
	front_expect(&front, "memory/ram", "4MiB");
	assert_string_equal(front.document.bases[0], "chipset/b@4");
	front_fini(&front);

	load_version(&front, "chipset/b@3");
	front_clean(&front);
	front_expect(&front, "devices/new", NULL);
	front_expect(&front, "memory/ram", "4MiB");
	assert_string_equal(front.document.bases[0], "chipset/b@3");
	assert_null(front.document.bases[1]);
	front_fini(&front);

	load_version(&front, "chipset/b@1");
	front_clean(&front);
	front_expect(&front, "devices/new", NULL);
	front_expect(&front, "devices/u/irq", NULL);
	front_expect(&front, "devices/old/type", "o");
	front_expect(&front, "memory/ram", "1MiB");
	assert_string_equal(front_at(&front, "memory/ram")->over->text, "4MiB");
	front_fini(&front);
}

static void a_version_without_an_entry_is_as_the_next_newer_one(void **state)
{
	struct front front;

	load_version(&front, "chipset/b@2");
	front_clean(&front);
	front_expect(&front, "devices/new", NULL);
	front_expect(&front, "devices/old", NULL);
	assert_string_equal(front.document.bases[0], "chipset/b@2");
	front_fini(&front);
}

static void versions_that_are_not_there_are_told_with_those_that_are(void **state)
{
	struct front front;

	load_version(&front, "chipset/b@5");
	front_finding(&front, "S113", "chipset/b@5", "has no version 5");
	assert_string_equal(front.diagnostics.items[0]->help, "it has versions 1 to 4");
	front_fini(&front);

	load_version(&front, "chipset/b@0");
	front_finding(&front, "S113", "chipset/b@0", "has no version 0");
	front_fini(&front);
}

static void a_profile_is_resolved_at_an_older_version(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "profiles/pc.yaml",
		   "format: machine/1\nname: pc\nversion: 2\nsummary: s\nmemory: { ram: 2MiB }\n"
		   "final: [memory]\nhistory: { 1: { memory: { ram: 1MiB } } }\n");
	front.more.profile = "pc@1";
	front_load(&front, NULL);
	front_clean(&front);
	assert_int_equal(front.document.version, 1);
	assert_string_equal(front.document.name, "pc");
	front_expect(&front, "memory/ram", "1MiB");
	front_expect(&front, "history", NULL);
	front_fini(&front);
}

static void an_older_version_may_stand_on_older_bases(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/b.yaml", HISTORY);
	front_file(&front, "profiles/pc.yaml",
		   "format: machine/1\nname: pc\nversion: 3\nextends: chipset/b@4\n"
		   "history: { 2: { extends: chipset/b@3 }, 1: { cpu: { count: 1 } } }\n");
	front.more.profile = "pc@1";
	front_load(&front, NULL);
	front_clean(&front);
	front_expect(&front, "devices/new", NULL);
	front_expect(&front, "cpu/count", "1");
	assert_string_equal(front.document.bases[0], "chipset/b@3");
	assert_null(front.document.bases[1]);
	front_fini(&front);
}

static void history_is_checked_also_when_nobody_asks_for_it(void **state)
{
	front_bad("version: 2\nhistory: { 1: { memroy: { ram: 1MiB } } }\n", "S101", "memroy",
		  "unknown key");
	front_bad("version: 2\nhistory: { 2: {} }\n", "S103", "2", "is no older version");
	front_bad("history: { 1: {} }\n", "S103", "1", "is no older version");
	front_bad("version: 2\nhistory: { one: {} }\n", "S118", "one", "no id");
	front_bad("version: 2\nhistory: { 0: {} }\n", "S118", "0", "no id");
	front_bad("version: 2\nhistory: { 01: {} }\n", "S118", "01", "no id");
	front_bad("version: 2\nhistory: []\n", "S102", "[", "expected a map");
}

static void what_history_misses_is_told_in_the_file(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/b.yaml",
		   CHIPSET("b") "version: 2\nhistory: { 1: { devices: { com1: remove } } }\n");
	front_profile(&front, "extends: chipset/b@1\n");
	front_finding(&front, "S108", "com1", "no `com1` to remove");
	front_fini(&front);
}

static void a_history_that_leads_back_is_a_circle(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/b.yaml",
		   CHIPSET("b") "version: 2\nhistory: { 1: { extends: chipset/c@1 } }\n");
	front_file(&front, "chipsets/c.yaml", CHIPSET("c") "extends: chipset/b@1\n");
	front_profile(&front, "extends: chipset/b@1\n");
	assert_int_equal(front_count(&front, "S113"), 1);
	front_fini(&front);
}

static void two_versions_of_one_base_clash_where_they_differ(void **state)
{
	struct front front;

	front_init(&front);
	front_file(&front, "chipsets/b.yaml", HISTORY);
	front_profile(&front, "extends: [chipset/b@4, chipset/b@1]\n");
	assert_int_equal(front_count(&front, "S111"), 3);
	front_fini(&front);
}

static void deprecated_files_are_told_where_they_are_used(void **state)
{
	struct front front;

	front_init(&front);
	front_file(
		&front, "chipsets/b.yaml",
		CHIPSET("b") "version: 2\nhistory: { 1: { deprecated: { since: 2024-01-01, remove: "
			     "2999-01-01, use: '@2', why: the timer is wrong } } }\n");
	front_profile(&front, "extends: chipset/b@1\n");
	front_finding(&front, "C701", "chipset/b@1", "`chipset/b@1` is deprecated");
	const struct mw_diag *diag = front.diagnostics.items[0];

	assert_int_equal(diag->severity, MW_SEVERITY_WARNING);
	assert_string_equal(diag->label, "the timer is wrong");
	assert_string_equal(diag->help, "use `@2`");
	assert_int_equal(diag->fix->safety, MW_FIX_SAFE);
	assert_string_equal(diag->fix->edits->text, "@2");
	assert_int_equal(diag->fix->edits->span.length, 2);
	assert_null(diag->fix->edits->next);
	front_fini(&front);

	front_init(&front);
	front_file(&front, "chipsets/b.yaml",
		   CHIPSET("b") "version: 2\nhistory: { 1: { deprecated: "
				"{ since: 2024-01-01 } } }\n");
	front_profile(&front, "extends: chipset/b@2\n");
	front_clean(&front);
	front_fini(&front);
}

static void life_ends_at_remove_or_six_years_after_since(void **state)
{
	static const struct {
		const char *dates;
		int severity; /* -1: nothing is said */
	} cases[] = {
		{ "since: 2999-01-01", -1 },
		{ "since: 2025-01-01", MW_SEVERITY_WARNING },
		{ "since: 2020-01-01", MW_SEVERITY_ERROR },
		{ "since: 2010-01-01, remove: 2999-12-31", MW_SEVERITY_WARNING },
		{ "remove: 2020-02-29", MW_SEVERITY_ERROR },
		{ "why: no reason", MW_SEVERITY_WARNING },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int allowed = 0; allowed < 2; allowed++) {
			struct front front;
			char text[128];

			snprintf(text, sizeof(text), "deprecated: { %s }\n", cases[i].dates);
			front_init(&front);
			front.more.allow_deprecated = allowed;
			front_profile(&front, text);
			if (cases[i].severity < 0) {
				front_clean(&front);
			} else {
				front_finding(&front, "C701", "deprecated", "machine/test@1");
				assert_int_equal(front.diagnostics.items[0]->severity,
						 allowed ? MW_SEVERITY_WARNING : cases[i].severity);
			}
			front_fini(&front);
		}
	}
	front_bad("deprecated: { since: soon }\n", "S102", "soon", "expected a date");
	front_bad("deprecated: { since: 2024-13-01 }\n", "S102", "2024-13-01", "expected a date");
	front_bad("deprecated: old\n", "S102", "old", "expected a map");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_older_version_is_the_file_under_its_history),
		cmocka_unit_test(a_version_without_an_entry_is_as_the_next_newer_one),
		cmocka_unit_test(versions_that_are_not_there_are_told_with_those_that_are),
		cmocka_unit_test(a_profile_is_resolved_at_an_older_version),
		cmocka_unit_test(an_older_version_may_stand_on_older_bases),
		cmocka_unit_test(history_is_checked_also_when_nobody_asks_for_it),
		cmocka_unit_test(what_history_misses_is_told_in_the_file),
		cmocka_unit_test(a_history_that_leads_back_is_a_circle),
		cmocka_unit_test(two_versions_of_one_base_clash_where_they_differ),
		cmocka_unit_test(deprecated_files_are_told_where_they_are_used),
		cmocka_unit_test(life_ends_at_remove_or_six_years_after_since),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
