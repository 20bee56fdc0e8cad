/* The style of profiles, case by case: what goes in, what has to come out. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/fmt/fmt.h"

static void expect(const char *text, const char *wanted)
{
	struct mw_diagnostics diagnostics = { 0 };
	size_t length;
	char *out;

	assert_int_equal(mw_fmt(&diagnostics, "t", text, strlen(text), &out, &length), MW_FMT_DONE);
	assert_string_equal(out, wanted);
	assert_int_equal(length, strlen(out));
	free(out);
	mw_diagnostics_fini(&diagnostics);
}

static void expect_kept(const char *text)
{
	expect(text, text);
}

static void expect_refused(const char *text, const char *message)
{
	struct mw_diagnostics diagnostics = { 0 };
	size_t length;
	char *out;

	assert_int_equal(mw_fmt(&diagnostics, "t", text, strlen(text), &out, &length),
			 MW_FMT_WRONG);
	assert_null(out);
	assert_true(diagnostics.errors > 0);
	if (message)
		assert_non_null(strstr(diagnostics.items[0]->message, message));
	mw_diagnostics_fini(&diagnostics);
}

static void blanks_line_ends_and_indents_are_usual(void **state)
{
	expect("\xef\xbb\xbf\n\na:   1  \r\nb :\r\n     c: 2\n\n\n\n     d: 3",
	       "a: 1\nb:\n  c: 2\n\n  d: 3\n");
	expect("l:\n- 1\n-    x: 1\n     y: 2\n-  - 3\n   - 4\n",
	       "l:\n  - 1\n  - x: 1\n    y: 2\n  - - 3\n    - 4\n");
}

static void braces_have_a_blank_inside_and_brackets_none(void **state)
{
	expect("a: {b: 1,c:  [ 1,2 , 3 ] ,d: {}, e: [ ]}\n",
	       "a: { b: 1, c: [1, 2, 3], d: {}, e: [] }\n");
	expect("a: [ {b: 1},{ c: 2} ]\n", "a: [{ b: 1 }, { c: 2 }]\n");
	expect("a: {\"b\":1, 'c d':2}\n", "a: { \"b\": 1, \"c d\": 2 }\n");
}

static void maps_of_a_block_stand_under_each_other(void **state)
{
	expect("a: { x: 1 }\nlonger: [1]\nnested:\n  b: 2\nbc: { y: 2 }\n",
	       "a:      { x: 1 }\nlonger: [1]\nnested:\n  b: 2\nbc:     { y: 2 }\n");
	/* plain values do not, unless somebody made a table of them */
	expect_kept("format: machine/1\nname: lab\nversion: 1\n");
	expect("a:   1\nbb:  2\nccc: 3\nname: x\n", "a:   1\nbb:  2\nccc: 3\nname: x\n");
	expect("a:      1\nbb:     2\n", "a:  1\nbb: 2\n");
}

static void one_much_longer_key_does_not_push_the_others(void **state)
{
	expect_kept("com1: { a: 1 }\ncom2: { a: 1 }\nhd0:  { a: 1 }\ndbg:  { a: 1 }\n"
		    "gameport: { a: 1 }\n");
}

static void tables_in_braces_stay_tables(void **state)
{
	expect("a: { type: x,     at: sys, io: 1 }\nb: { type: long,  at: sys, io: 2 }\n",
	       "a: { type: x,    at: sys, io: 1 }\nb: { type: long, at: sys, io: 2 }\n");
	/* what is longer than the table is wide stays out of it */
	expect_kept("a: { type: x,  at: sys }\nb: { type: xy, at: sys }\n"
		    "c: { type: very-long, at: sys }\n");
	/* blanks that make no table go */
	expect("a: { type: x,   at: sys }\nb: { type: xyz, on: 1 }\n\nc: { d: 1,   e: 2 }\n",
	       "a: { type: x,   at: sys }\nb: { type: xyz, on: 1 }\n\nc: { d: 1, e: 2 }\n");
}

static void comments_stay_and_stand_in_line(void **state)
{
	expect_kept("# top\n\na: 1     # far\n\n# own\nb:   # of b\n  # of c\n  c: 1   # one\n"
		    "# end\n");
	expect("a: 1   # one\nbcdef: 2 # two\n", "a: 1       # one\nbcdef: 2   # two\n");
	expect("a: {x: 1,y: [1,2,3,4]} # one\n", "a: { x: 1, y: [1, 2, 3, 4] }   # one\n");
	/* one that goes on in the next line stays under itself */
	expect_kept("a: 1        # one\n            # and more\nb: 2\n");
	expect("a:\n    b: 1\n    # deep\n# shallow\nc: 2\n",
	       "a:\n  b: 1\n  # deep\n# shallow\nc: 2\n");
	expect_kept("a: x#y\nb: \"# no\"   # yes\n");
}

static void line_breaks_in_braces_stay(void **state)
{
	expect_kept("a: { b: 1,\n     c: { d: 2,\n          e: 3 } }\n");
	expect("a: {\n      b: [\n 1,   # one\n\n\n    2 ],\n  c: 3\n     }\n",
	       "a: {\n  b: [\n    1,   # one\n\n    2],\n  c: 3\n}\n");
	expect("long: 1\na: {b: 1,\n c: 2}\nbc: {d: 1}\n",
	       "long: 1\na:  { b: 1,\n      c: 2 }\nbc: { d: 1 }\n");
}

static void texts_keep_their_value(void **state)
{
	expect("a:\n    b: |\n          x\n            y\n\n    c: >2-\n        z\n",
	       "a:\n  b: |\n    x\n      y\n\n  c: >2-\n      z\n");
	expect("a: |\n   x", "a: |-\n  x\n");
	expect("a: |+\n   x\n\n\nb: plain\n    over\n\n\n    lines\nc: \"q\n  r\"\n",
	       "a: |+\n  x\n\n\nb: plain\n  over\n\n\n  lines\nc: \"q\n  r\"\n");
	expect("a: 'x'\nb: 'it''s'\nc: 'a\"b'\nd: '\\n'\n",
	       "a: \"x\"\nb: 'it''s'\nc: 'a\"b'\nd: '\\n'\n");
	expect_kept("a: $(2 if n % 2 == 0 else 1)\nb: { c: $(x), d: a:b }\nc: 0x1f+4KiB\n");
}

static void keys_that_the_reader_leaves_out_are_kept(void **state)
{
	expect("x-note:   {a: 1}\nb: 1\n", "x-note: { a: 1 }\nb: 1\n");
}

static void what_has_errors_is_refused(void **state)
{
	expect_refused("a: 1\na: 2\n", "duplicate key");
	expect_refused("a: {\n", NULL);
	expect_refused("a: &x 1\n", "anchors");
	expect_refused("? a\n: 1\n", NULL);
	expect_refused("a: \"x\xe2\x80\xa8y\"\n", "line end");
	expect_refused("%YAML 1.1\n---\na: 1\n", NULL);
	expect_refused("", NULL);
	expect_refused("a\0b: 1\n", NULL);
}

static void put_piece(FILE *out, size_t kind, size_t n)
{
	switch (kind) {
	case 0: fprintf(out, "a%zu: { b: 1,  c: 2 }   # x\n", n); break;
	case 1: fputs("# c\n", out); break;
	case 2: fputs("\n", out); break;
	case 3: fprintf(out, "a%zu:\n  - - b\n", n); break;
	default: fprintf(out, "a%zu: [1,\n  2]\n", n);
	}
}

/* With anything worse than linear this is minutes. */
static void hostile_texts_take_linear_time(void **state)
{
	clock_t start = clock();

	for (size_t i = 0; i < 5; i++) {
		struct mw_diagnostics diagnostics = { 0 };
		char *text = NULL, *out;
		size_t length = 0, out_length;
		FILE *stream = open_memstream(&text, &length);

		fputs("z: { k: 1", stream);
		for (size_t n = 0; n < 5000; n++)
			fprintf(stream, ",  k%zu: 1", n);
		fputs(" }\n", stream);
		for (size_t n = 0; ftell(stream) < 300000; n++)
			put_piece(stream, i, n);
		fclose(stream);
		mw_fmt(&diagnostics, "t", text, length, &out, &out_length);
		free(out);
		free(text);
		mw_diagnostics_fini(&diagnostics);
	}
	assert_true(clock() - start < 60 * CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_line_ends_and_indents_are_usual),
		cmocka_unit_test(braces_have_a_blank_inside_and_brackets_none),
		cmocka_unit_test(maps_of_a_block_stand_under_each_other),
		cmocka_unit_test(one_much_longer_key_does_not_push_the_others),
		cmocka_unit_test(tables_in_braces_stay_tables),
		cmocka_unit_test(comments_stay_and_stand_in_line),
		cmocka_unit_test(line_breaks_in_braces_stay),
		cmocka_unit_test(texts_keep_their_value),
		cmocka_unit_test(keys_that_the_reader_leaves_out_are_kept),
		cmocka_unit_test(what_has_errors_is_refused),
		cmocka_unit_test(hostile_texts_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
