/** What lint is made of: patterns, merging, selecting, baselines, files. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/lint/baseline.h"
#include "tools/lint/merge.h"
#include "tools/lint/select.h"
#include "tools/texts.h"

static void patterns_match_whole_paths(void **state)
{
	assert_true(mw_glob_matches("a/*.yaml", "a/b.yaml"));
	assert_true(mw_glob_matches("a/*", "a/b/c.yaml"));
	assert_true(mw_glob_matches("*", ""));
	assert_true(mw_glob_matches("?b*c", "abxxc"));
	assert_false(mw_glob_matches("a/*.yaml", "b/a/c.yaml"));
	assert_false(mw_glob_matches("a", "ab"));
	assert_false(mw_glob_matches("ab", "a"));
}

static void patterns_with_many_stars_take_no_time(void **state)
{
	char text[4001];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(mw_glob_matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

static struct mw_diag *add(struct mw_diagnostics *list, const char *code, uint32_t source,
			   uint32_t byte)
{
	return mw_diagnostics_add(list, MW_SEVERITY_WARNING, code,
				  (struct mw_span){ source, byte, 1 }, "of %s", code);
}

static void a_finding_is_merged_once_with_all_it_says(void **state)
{
	struct mw_diagnostics report = { 0 };
	struct mw_merge merge = { .out = &report };

	for (unsigned round = 0; round < 3; round++) {
		struct mw_diagnostics list = { 0 };

		if (round)
			mw_diagnostics_source(&list, "other", "xyz", 3);
		uint32_t source = mw_diagnostics_source(&list, "name", "abc", 3);
		struct mw_diag *diag = add(&list, "S104", source, 1);

		mw_diag_label(&list, diag, "label");
		mw_diag_note(&list, diag, (struct mw_span){ source, 2, 1 }, "note");
		mw_diag_help(&list, diag, "help");
		mw_diag_fix(&list, diag, MW_FIX_UNSAFE, diag->span, "B");
		for (uint32_t i = 0; i < 100; i++)
			add(&list, "S105", source, i);
		mw_merge_begin(&merge, &list);
		assert_int_equal(mw_merge_has(&merge, diag), round > 0);
		for (size_t i = 0; i < list.count; i++)
			assert_int_equal(mw_merge_add(&merge, list.items[i]) != NULL, round == 0);
		mw_diagnostics_fini(&list);
	}
	assert_int_equal(report.count, 101);
	assert_int_equal(report.source_count, 2);
	const struct mw_diag *diag = report.items[0];

	assert_string_equal(diag->label, "label");
	assert_string_equal(diag->help, "help");
	assert_string_equal(diag->notes->text, "note");
	assert_string_equal(report.sources[diag->notes->span.source - 1].name, "name");
	assert_int_equal(diag->fix->safety, MW_FIX_UNSAFE);
	assert_string_equal(diag->fix->edits->text, "B");
	mw_merge_fini(&merge);
	mw_diagnostics_fini(&report);
}

static void selection_leaves_what_is_grave(void **state)
{
	static const char *const select[] = { "S1", "C703", NULL }, *const ignore[] = { "S104", "C",
											NULL };
	struct mw_level_row levels[] = { { "S", MW_LEVEL_HINT }, { "S105", MW_LEVEL_ERROR } };
	struct mw_selection selection = { .levels = levels, .level_count = 2 };
	struct mw_config config = { .folder = "/", .select = select, .ignore = ignore };
	struct mw_diagnostics list = { 0 };

	add(&list, "S104", 0, 0);
	add(&list, "S105", 0, 0);
	add(&list, "S106", 0, 0);
	add(&list, "C702", 0, 0);
	add(&list, "C703", 0, 0);
	add(&list, "R301", 0, 0);
	add(&list, "R303", 0, 0);
	add(&list, "", 0, 0);
	mw_selection_apply(&selection, &config, &list);
	assert_int_equal(list.count, 5);
	assert_string_equal(list.items[0]->code, "S105");
	assert_string_equal(list.items[1]->code, "S106");
	assert_string_equal(list.items[2]->code, "C703");
	assert_string_equal(list.items[3]->code, "R301");
	assert_int_equal(list.items[1]->severity, MW_SEVERITY_HINT);
	assert_int_equal(list.errors, 1);
	assert_int_equal(list.warnings, 3);
	mw_diagnostics_fini(&list);
}

static char folder[] = "/tmp/millwright-lint-XXXXXX";

static char *in_folder(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *out = fopen(in_folder(name), "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void baselines_keep_any_text(void **state)
{
	struct mw_diagnostics list = { 0 }, again = { 0 }, problems = { 0 };
	struct mw_baseline written = { 0 }, read = { 0 };
	const char *text = "quote \" back \\ tab \t line \n and \x7f at 12:34 of 5 \xc3\xa9 $(x)";
	uint32_t source = mw_diagnostics_source(&list, "f.yaml", "abc", 3);
	size_t length, second_length;

	for (unsigned i = 0; i < 3; i++)
		mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "S105",
				   (struct mw_span){ source, i, 1 }, "%s", text)
			->node = "/devices/\"x\"";
	add(&list, "R302", 0, 0);
	assert_int_equal(mw_baseline_take(&written, in_folder("b.yaml"), &list), 1);
	assert_int_equal(list.errors, 0);
	char *first = mw_baseline_text(&written, &length);

	write_file("b.yaml", first);
	assert_true(mw_baseline_read(&read, in_folder("b.yaml"), &problems));
	char *second = mw_baseline_text(&read, &second_length);

	assert_string_equal(first, second);
	/* three are known, a fourth is not; their lines may change */
	source = mw_diagnostics_source(&again, "f.yaml", "abcd", 4);
	for (unsigned i = 0; i < 4; i++)
		mw_diagnostics_add(
			&again, MW_SEVERITY_ERROR, "S105", (struct mw_span){ source, i, 1 }, "%s",
			"quote \" back \\ tab \t line \n and \x7f at 1:2 of 5 \xc3\xa9 $(x)")
			->node = "/devices/\"x\"";
	mw_baseline_apply(&read, &again);
	assert_int_equal(again.errors, 1);
	assert_int_equal(mw_baseline_stale(&read, &again), 0);
	free(first);
	free(second);
	mw_baseline_fini(&written);
	mw_baseline_fini(&read);
	mw_diagnostics_fini(&list);
	mw_diagnostics_fini(&again);
	mw_diagnostics_fini(&problems);
}

static void a_file_that_changed_meanwhile_is_not_replaced(void **state)
{
	const char *why = NULL;
	struct stat status;

	write_file("t", "before");
	assert_int_equal(chmod(in_folder("t"), 0640), 0);
	assert_false(mw_text_replace(in_folder("t"), "other", 5, "after", 5, &why));
	assert_non_null(strstr(why, "changed"));
	assert_true(mw_text_replace(in_folder("t"), "before", 6, "after", 5, &why));
	assert_int_equal(stat(in_folder("t"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	size_t length;
	char *text = mw_text_read(in_folder("t"), &length, &why);

	assert_string_equal(text, "after");
	free(text);
}

static void links_and_fifos_are_not_replaced(void **state)
{
	const char *why = NULL;
	size_t length;

	write_file("t", "before");
	assert_int_equal(symlink("t", in_folder("link")), 0);
	assert_false(mw_text_replace(in_folder("link"), "before", 6, "after", 5, &why));
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	assert_null(mw_text_read(in_folder("fifo"), &length, &why));
	assert_string_equal(why, "not a regular file");
	assert_false(mw_text_write(in_folder("fifo"), "x", 1, &why));
	assert_false(mw_text_write(in_folder("no/such/folder"), "x", 1, &why));
	assert_null(mw_text_read(in_folder("nonesuch"), &length, &why));
	/* a baseline that is a link stays one */
	assert_true(mw_text_write(in_folder("link"), "x", 1, &why));
	char *text = mw_text_read(in_folder("t"), &length, &why);

	assert_string_equal(text, "x");
	free(text);
	unlink(in_folder("link"));
	unlink(in_folder("fifo"));
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	unlink(in_folder("t"));
	unlink(in_folder("b.yaml"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_whole_paths),
		cmocka_unit_test(patterns_with_many_stars_take_no_time),
		cmocka_unit_test(a_finding_is_merged_once_with_all_it_says),
		cmocka_unit_test(selection_leaves_what_is_grave),
		cmocka_unit_test(baselines_keep_any_text),
		cmocka_unit_test(a_file_that_changed_meanwhile_is_not_replaced),
		cmocka_unit_test(links_and_fifos_are_not_replaced),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
