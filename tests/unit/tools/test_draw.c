/** Text is measured, cut and escaped; tables line up whatever is in them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/draw/svg.h"
#include "tools/draw/table.h"
#include "tools/draw/text.h"

static void columns_are_those_of_a_terminal(void **state)
{
	static const struct {
		const char *text;
		unsigned columns;
	} cases[] = {
		{ "", 0 },
		{ "com1", 4 },
		{ "na\xc3\xafve", 5 },
		{ "\xe6\xbc\xa2\xe5\xad\x97", 4 }, /* two wide characters */
		{ "e\xcc\x81", 1 },                /* a combining accent */
		{ "\xf0\x9f\x92\xbe", 2 },         /* a floppy disk */
		{ "\xff\xc3", 2 },                 /* no UTF-8 */
		{ "a\x1b[31m", 6 },                /* the escape is one replacement */
		{ "\xe2\x80\xae"
		  "x",
		  2 }, /* a mark of direction */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mw_draw_columns(cases[i].text), cases[i].columns);
}

static void a_cut_text_keeps_both_ends_and_fits(void **state)
{
	struct mw_arena arena = { 0 };

	assert_string_equal(mw_draw_cut(&arena, "short", 5), "short");
	assert_string_equal(mw_draw_cut(&arena, "abcdefghijklmnop", 10), "abcdef\xe2\x80\xa6nop");
	for (unsigned columns = 3; columns < 20; columns++) {
		const char *wide = "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97 abc "
				   "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2";

		assert_true(mw_draw_columns(mw_draw_cut(&arena, wide, columns)) <= columns);
	}
	assert_string_equal(mw_draw_cut(&arena, "abcdef", 2), "");
	mw_arena_fini(&arena);
}

static void put(enum mw_draw_escape escape, const char *text, const char *expected)
{
	char *written = NULL;
	size_t length;
	FILE *out = open_memstream(&written, &length);

	mw_draw_put(out, escape, text);
	fclose(out);
	assert_string_equal(written, expected);
	free(written);
}

static void nothing_that_is_written_ends_its_quotes_or_steers_a_terminal(void **state)
{
	put(MW_ESCAPE_XML, "<a href=\"x\">&", "&lt;a href=&quot;x&quot;&gt;&amp;");
	put(MW_ESCAPE_DOT, "say \"hi\" \\n", "say \\\"hi\\\" \\\\n");
	put(MW_ESCAPE_MERMAID, "a\"#;b", "a#34;#35;#59;b");
	put(MW_ESCAPE_NONE, "\x1b[2J", "\xef\xbf\xbd[2J");
	put(MW_ESCAPE_NONE, "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	put(MW_ESCAPE_NONE, "\xf0\x9f\x92\xbe \xe6\xbc\xa2 \xc3\xaf",
	    "\xf0\x9f\x92\xbe \xe6\xbc\xa2 "
	    "\xc3\xaf");
}

static void tables_line_up_and_end_without_blanks(void **state)
{
	struct mw_table table = { .heads = { "NAME", "SIZE", "NOTE" }, .right = { false, true } };
	char *written = NULL;
	size_t length;
	FILE *out = open_memstream(&written, &length);
	const char **row = mw_table_row(&table);

	row[0] = "\xe6\xbc\xa2";
	row[1] = "8";
	row[2] = "auto";
	row = mw_table_row(&table);
	row[0] = "a longer name";
	row[1] = "4096";
	mw_table_print(&table, 2, out);
	fclose(out);
	assert_string_equal(written, "  NAME           SIZE  NOTE\n"
				     "  \xe6\xbc\xa2                8  auto\n"
				     "  a longer name  4096\n");
	free(written);
	mw_table_fini(&table);
}

static void a_column_is_wider_than_any_usual_font_has_it(void **state)
{
	/* 0.602 of 12 pixels is the widest of them. */
	for (unsigned columns = 1; columns < 1000; columns++)
		assert_true(mw_svg_width(columns) * 1000u >= columns * 12u * 602u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_those_of_a_terminal),
		cmocka_unit_test(a_cut_text_keeps_both_ends_and_fits),
		cmocka_unit_test(nothing_that_is_written_ends_its_quotes_or_steers_a_terminal),
		cmocka_unit_test(tables_line_up_and_end_without_blanks),
		cmocka_unit_test(a_column_is_wider_than_any_usual_font_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
