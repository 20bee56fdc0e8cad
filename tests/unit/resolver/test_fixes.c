/* Fixes as byte edits: what goes with an entry, what stays, where they must not be offered. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/fixes.h"
#include "resolver/read.h"

/* One file, one finding about one of its values, and the file after the fix. */
struct bench {
	struct mw_arena arena;
	struct mw_diagnostics diagnostics;
	struct mw_tree *root;
	struct mw_diag *diag;
	const char *text;
};

static void read_text(struct bench *bench, const char *text)
{
	*bench = (struct bench){ .text = text };
	bench->root = mw_read(&bench->arena, &bench->diagnostics, "a.yaml", text, strlen(text));
	assert_non_null(bench->root);
}

/* "devices.com1.io" */
static struct mw_tree *find(struct bench *bench, const char *path)
{
	struct mw_tree *tree = bench->root;
	char *copy = mw_arena_strdup(&bench->arena, path);

	for (char *key = strtok(copy, "."); key; key = strtok(NULL, ".")) {
		tree = mw_tree_get(tree, key);
		assert_non_null(tree);
	}
	bench->diag = mw_diagnostics_add(&bench->diagnostics, MW_SEVERITY_ERROR, "S101", tree->span,
					 "wrong");
	return tree;
}

/* The file with the edits made, which do not touch one another and ascend. */
static void expect(struct bench *bench, const char *wanted)
{
	const char *got = "";
	uint32_t at = 0;

	assert_non_null(bench->diag->fix);
	for (const struct mw_fix_edit *edit = bench->diag->fix->edits; edit; edit = edit->next) {
		assert_true(edit->span.byte >= at);
		got = mw_arena_printf(&bench->arena, "%s%.*s%s", got, (int)(edit->span.byte - at),
				      bench->text + at, edit->text);
		at = edit->span.byte + edit->span.length;
	}
	got = mw_arena_printf(&bench->arena, "%s%s", got, bench->text + at);
	assert_string_equal(got, wanted);
}

static void done(struct bench *bench)
{
	mw_diagnostics_fini(&bench->diagnostics);
	mw_arena_fini(&bench->arena);
}

/* `wanted` NULL: no fix is offered. */
static void removes(const char *text, const char *path, const char *wanted)
{
	struct bench bench;

	read_text(&bench, text);
	const struct mw_tree *entry = find(&bench, path);

	mw_fix_remove(&bench.diagnostics, bench.diag, MW_FIX_SAFE, entry);
	if (wanted)
		expect(&bench, wanted);
	else
		assert_null(bench.diag->fix);
	done(&bench);
}

static void a_flow_entry_goes_with_the_comma_behind_it(void **state)
{
	removes("a: { b: 1, c: 2 }\n", "a.b", "a: { c: 2 }\n");
	removes("a: {b: 1,c: 2}\n", "a.b", "a: {c: 2}\n");
	removes("a: { b: [1, 2] , c: 2 }\n", "a.b", "a: { c: 2 }\n");
}

static void the_last_flow_entry_goes_with_the_comma_before_it(void **state)
{
	removes("a: { b: 1, c: 2 }\n", "a.c", "a: { b: 1 }\n");
	removes("a: { b: 1, c: \"x, }\" } # note\n", "a.c", "a: { b: 1 } # note\n");
}

static void an_only_flow_entry_leaves_braces(void **state)
{
	removes("a: { b: 1 }\n", "a.b", "a: {  }\n");
}

static void a_flow_entry_on_its_own_line_goes_with_the_line(void **state)
{
	removes("a: {\n  b: 1, # gone\n  c: 2\n}\n", "a.b", "a: {\n  c: 2\n}\n");
	removes("a: {\n  b: 1, # stays\n  c: 2 # gone\n}\n", "a.c", "a: {\n  b: 1, # stays\n}\n");
}

static void a_block_entry_goes_with_its_lines_and_comment(void **state)
{
	removes("a:\n  # stays\n  b: 1 # gone\n  c: 2\n", "a.b", "a:\n  # stays\n  c: 2\n");
	removes("a:\n  b:\n    x: 1\n    y: 2\n\n  c: 2\n", "a.b", "a:\n\n  c: 2\n");
	removes("a:\n  c: 2\n  b: 1", "a.b", "a:\n  c: 2\n");
	removes("a:\n  b: |\n    one\n    two\n  c: 2\n", "a.b", "a:\n  c: 2\n");
}

static void a_block_entry_at_the_top_goes(void **state)
{
	removes("a: 1\nb: 2\n", "a", "b: 2\n");
}

static void an_only_block_entry_leaves_braces(void **state)
{
	removes("a: # why\n  # stays\n  b: 1 # stays\nc: 2\n", "a.b",
		"a: # why\n  # stays\n  {} # stays\nc: 2\n");
	removes("a:\n  b: 1\n", "a.b", "a:\n  {}\n");
}

static void no_entry_goes_that_shares_its_line(void **state)
{
	removes("a:\n  - b: 1\n    c: 2\nd:\n  e: 1\n", "d.e",
		"a:\n  - b: 1\n    c: 2\nd:\n  {}\n");
}

static void inserts(const char *text, const char *path, const char *wanted)
{
	struct bench bench;

	read_text(&bench, text);
	const struct mw_tree *sibling = find(&bench, path);

	mw_fix_beside(&bench.diagnostics, bench.diag, MW_FIX_UNSAFE, sibling, "k", "v");
	expect(&bench, wanted);
	done(&bench);
}

static void a_new_entry_stands_behind_its_sibling(void **state)
{
	inserts("a: { b: 1, c: 2 }\n", "a.b", "a: { b: 1, k: v, c: 2 }\n");
	inserts("a: { b: 1 }\n", "a.b", "a: { b: 1, k: v }\n");
	inserts("a:\n  b: 1 # note\n  c: 2\n", "a.b", "a:\n  b: 1 # note\n  k: v\n  c: 2\n");
	inserts("a:\n  b: 1", "a.b", "a:\n  b: 1\n  k: v");
}

static void into(const char *text, const char *wanted)
{
	struct bench bench;

	read_text(&bench, text);
	const struct mw_tree *map = find(&bench, "a");

	mw_fix_into(&bench.diagnostics, bench.diag, MW_FIX_PLACEHOLDER, map, "k", "v");
	expect(&bench, wanted);
	assert_int_equal(bench.diag->fix->safety, MW_FIX_PLACEHOLDER);
	done(&bench);
}

static void a_new_entry_goes_into_a_map(void **state)
{
	into("a: {}\n", "a: { k: v }\n");
	into("a: { }\n", "a: { k: v }\n");
	into("a: { b: 1, c: 2 }\n", "a: { b: 1, c: 2, k: v }\n");
}

static void words(const char *text, const char *wrong, const char *wanted)
{
	struct bench bench;

	read_text(&bench, text);
	find(&bench, "a");
	mw_fix_word(&bench.diagnostics, bench.diag, MW_FIX_UNSAFE, wrong, "new");
	if (wanted)
		expect(&bench, wanted);
	else
		assert_null(bench.diag->fix);
	done(&bench);
}

static void a_word_is_replaced_where_it_stands_alone(void **state)
{
	words("a: old:04.0\n", "old", "a: new:04.0\n");
	words("a: 0x3f8+8\n", "0x3f8", "a: new+8\n");
	words("a: \"old\"\n", "old", "a: \"new\"\n");
}

static void a_word_inside_another_or_twice_is_left_alone(void **state)
{
	words("a: older\n", "old", NULL);
	words("a: old.old\n", "old", NULL);
	words("a: other\n", "old", NULL);
}

static void a_value_is_replaced_only_where_it_is_written(void **state)
{
	struct bench bench;

	read_text(&bench, "a: \"y\\u0065s\"\nb: 'no'\n");
	mw_fix_value(&bench.diagnostics, bench.diag, MW_FIX_SAFE, find(&bench, "a"), "true");
	assert_null(bench.diag->fix);
	const struct mw_tree *plain = find(&bench, "b");

	mw_fix_value(&bench.diagnostics, bench.diag, MW_FIX_SAFE, plain, "false");
	expect(&bench, "a: \"y\\u0065s\"\nb: false\n");
	done(&bench);
}

static void what_came_from_the_command_line_has_no_fix(void **state)
{
	struct mw_diagnostics diagnostics = { 0 };
	uint32_t source = mw_diagnostics_source(&diagnostics, "--set", "a=old", 5);
	struct mw_span span = { source, 2, 3 };
	struct mw_diag *diag =
		mw_diagnostics_add(&diagnostics, MW_SEVERITY_ERROR, "S101", span, "wrong");

	assert_null(mw_fix_text(&diagnostics, span));
	mw_fix_word(&diagnostics, diag, MW_FIX_SAFE, "old", "new");
	assert_null(diag->fix);
	mw_diagnostics_fini(&diagnostics);
}

static void quotes_go_round_what_holds_none(void **state)
{
	struct bench bench;

	read_text(&bench, "a: x, y\nb: it's\n");
	const struct mw_tree *tree = find(&bench, "a");

	mw_fix_quote(&bench.diagnostics, bench.diag, MW_FIX_SAFE, tree->span);
	expect(&bench, "a: \"x, y\"\nb: it's\n");
	tree = find(&bench, "b");
	mw_fix_quote(&bench.diagnostics, bench.diag, MW_FIX_SAFE, tree->span);
	assert_null(bench.diag->fix);
	done(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_entry_goes_with_the_comma_behind_it),
		cmocka_unit_test(the_last_flow_entry_goes_with_the_comma_before_it),
		cmocka_unit_test(an_only_flow_entry_leaves_braces),
		cmocka_unit_test(a_flow_entry_on_its_own_line_goes_with_the_line),
		cmocka_unit_test(a_block_entry_goes_with_its_lines_and_comment),
		cmocka_unit_test(a_block_entry_at_the_top_goes),
		cmocka_unit_test(an_only_block_entry_leaves_braces),
		cmocka_unit_test(no_entry_goes_that_shares_its_line),
		cmocka_unit_test(a_new_entry_stands_behind_its_sibling),
		cmocka_unit_test(a_new_entry_goes_into_a_map),
		cmocka_unit_test(a_word_is_replaced_where_it_stands_alone),
		cmocka_unit_test(a_word_inside_another_or_twice_is_left_alone),
		cmocka_unit_test(a_value_is_replaced_only_where_it_is_written),
		cmocka_unit_test(what_came_from_the_command_line_has_no_fix),
		cmocka_unit_test(quotes_go_round_what_holds_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
