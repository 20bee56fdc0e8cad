/* Diagnostics: order, positions, excerpts with carets at every party, concise and JSON output. */
// SPDX-License-Identifier: MIT
#include "tests/unit/core/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The example of the rule catalogue. */
static void both_parties_are_shown_with_a_caret(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t lab = findings_source(
		&list, "lab.yaml",
		"\n\n\n\n\n  com9: { type: uart16550, at: isa, io: 0x3e8, irq: 4 }\n");
	uint32_t pc = findings_source(
		&list, "pc-legacy.yaml",
		"\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
		"  com1: { type: uart16550, at: isa, io: 0x3f8, irq: 4, backend: stdio }\n");
	struct mw_span here = findings_span(&list, lab, "4 }"),
		       there = findings_span(&list, pc, "4, backend");

	here.length = there.length = 1;
	struct mw_diag *diag = mw_diagnostics_add(
		&list, MW_SEVERITY_WARNING, "R304", here,
		"IRQ line %d has two drivers and neither declares `share: true`", 4);

	mw_diag_label(&list, diag, "`com9` drives ISA line 4");
	mw_diag_note(&list, diag, there, "first driver, edge-triggered");
	mw_diag_note(&list, diag, (struct mw_span){ 0 }, "line 4 reaches pic:4 and ioapic:4");
	mw_diag_help(&list, diag, "line 5 is free\n  com9: { irq: 5 }");
	findings_expect(
		&list, MW_DIAG_FULL,
		"warning[R304]: IRQ line 4 has two drivers and neither declares `share: true`\n"
		"  --> lab.yaml:6:53\n"
		"   |\n"
		" 6 |   com9: { type: uart16550, at: isa, io: 0x3e8, irq: 4 }\n"
		"   |                                                     ^ `com9` drives ISA line "
		"4\n"
		"  ::: pc-legacy.yaml:15:53\n"
		"15 |   com1: { type: uart16550, at: isa, io: 0x3f8, irq: 4, backend: stdio }\n"
		"   |                                                     - first driver, "
		"edge-triggered\n"
		"   = note: line 4 reaches pic:4 and ioapic:4\n"
		"help: line 5 is free\n"
		"   |   com9: { irq: 5 }\n");
	findings_expect(&list, MW_DIAG_CONCISE,
			"lab.yaml:6:53: W R304 IRQ line 4 has two drivers and neither declares "
			"`share: true`; line 5 is free\n");
	assert_int_equal(list.warnings, 1);
	assert_int_equal(list.errors, 0);
	mw_diagnostics_fini(&list);
}

static void parties_in_one_file_share_an_excerpt(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source =
		findings_source(&list, "a.yaml", "one: 1\ntwo: 2\nthree: 3\nfour: 4, five: 5\n");
	struct mw_diag *diag = mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "X1",
						  findings_span(&list, source, "four"), "bad");

	mw_diag_note(&list, diag, findings_span(&list, source, "five"), "also");
	mw_diag_note(&list, diag, findings_span(&list, source, "one"), "first");
	mw_diag_note(&list, diag, findings_span(&list, source, "two"), "next");
	findings_expect(&list, MW_DIAG_FULL,
			"error[X1]: bad\n"
			" --> a.yaml:4:1\n"
			"  |\n"
			"1 | one: 1\n"
			"  | --- first\n"
			"2 | two: 2\n"
			"  | --- next\n"
			"...\n"
			"4 | four: 4, five: 5\n"
			"  | ^^^^\n"
			"  |          ---- also\n");
	mw_diagnostics_fini(&list);
}

static void findings_sort_by_place_then_code_then_order(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t a = findings_source(&list, "a", "xxxxxxxx"),
		 b = findings_source(&list, "b", "xxxxxxxx");

	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "B2", (struct mw_span){ b, 1, 1 }, "6");
	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "B2", (struct mw_span){ a, 3, 1 }, "4");
	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "B2", (struct mw_span){ a, 3, 1 }, "5");
	mw_diagnostics_add(&list, MW_SEVERITY_HINT, "B1", (struct mw_span){ a, 3, 1 }, "3");
	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "Z9", (struct mw_span){ a, 2, 1 }, "2");
	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "1");
	findings_expect(&list, MW_DIAG_CONCISE,
			"error: 1\na:1:3: E Z9 2\na:1:4: H B1 3\na:1:4: E B2 4\na:1:4: E B2 5\n"
			"b:1:2: E B2 6\n");
	assert_int_equal(list.errors, 5);
	mw_diagnostics_fini(&list);
}

static void columns_count_code_points(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source = findings_source(&list, "a", "x\n\xe6\x97\xa5\xd0\xb8: z\n");
	struct mw_span span = findings_span(&list, source, "z");
	unsigned line, column;

	mw_source_position(&list.sources[source - 1], span.byte, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 5);
	mw_source_position(&list.sources[source - 1], 9999, &line, &column);
	assert_int_equal(line, 3);
	assert_int_equal(column, 1);
	mw_diagnostics_fini(&list);
}

static void positions_agree_with_and_without_the_index(void **state)
{
	struct mw_diagnostics list = { 0 };
	char text[3000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 71 == 0 ? '\n' : i % 5 == 0 ? '\xc3' : i % 5 == 1 ? '\xa9' : 'x';
	uint32_t number = mw_diagnostics_source(&list, "a", text, sizeof(text));
	struct mw_source plain = list.sources[number - 1];

	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", (struct mw_span){ number, 5, 1 }, "x");
	free(findings_print(&list, MW_DIAG_CONCISE, false));
	for (size_t i = 0; i <= sizeof(text); i++) {
		unsigned line[2], column[2];

		mw_source_position(&plain, i, &line[0], &column[0]);
		mw_source_position(&list.sources[number - 1], i, &line[1], &column[1]);
		assert_int_equal(line[0], line[1]);
		assert_int_equal(column[0], column[1]);
	}
	assert_non_null(list.sources[number - 1].index);
	mw_diagnostics_fini(&list);
}

static void carets_stand_under_wide_text_and_tabs(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source =
		findings_source(&list, "a", "\t\xe6\x97\xa5\xe6\x9c\xac e\xcc\x81: bad\r\n");

	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", findings_span(&list, source, "bad"),
			   "x");
	findings_expect(&list, MW_DIAG_FULL,
			"error[A1]: x\n --> a:1:9\n  |\n"
			"1 |     \xe6\x97\xa5\xe6\x9c\xac e\xcc\x81: bad\n"
			"  |             ^^^\n");
	mw_diagnostics_fini(&list);
}

static void a_span_over_lines_underlines_the_first(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source = findings_source(&list, "a", "k: a\n  b\n");

	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", findings_span(&list, source, "a\n  b"),
			   "x");
	findings_expect(&list, MW_DIAG_FULL, "error[A1]: x\n --> a:1:4\n  |\n1 | k: a\n  |    ^\n");
	mw_diagnostics_fini(&list);
}

static void the_end_of_a_file_has_a_place(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source = findings_source(&list, "a", "k:");

	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", (struct mw_span){ source, 2, 0 }, "x");
	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", (struct mw_span){ source, 99, 9 }, "y");
	findings_expect(&list, MW_DIAG_FULL,
			"error[A1]: x\n --> a:1:3\n  |\n1 | k:\n  |   ^\n\n"
			"error[A1]: y\n --> a:1:3\n  |\n1 | k:\n  |   ^\n");
	mw_diagnostics_fini(&list);
}

static void long_lines_are_cut_round_the_caret(void **state)
{
	struct mw_diagnostics list = { 0 };
	char text[1001] = "", *said;

	memset(text, 'x', 1000);
	memcpy(text + 500, "HERE", 4);
	uint32_t source = findings_source(&list, "a", text);

	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", findings_span(&list, source, "HERE"),
			   "x");
	said = findings_print(&list, MW_DIAG_FULL, false);
	assert_true(strlen(said) < 600);
	assert_non_null(strstr(said, "1 | ...xxx"));
	assert_non_null(strstr(said, "xxx...\n"));
	/* the caret's column is that of HERE in the shortened line */
	const char *line = strstr(said, "1 | "), *marks = strchr(line, '\n') + 1;

	assert_int_equal(strstr(line, "HERE") - line, strstr(marks, "^^^^") - marks);
	free(said);
	mw_diagnostics_fini(&list);
}

static void nothing_from_outside_steers_the_terminal(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source = findings_source(&list, "a\033[2J", "k: \033[31m\xff\xe2\x80\xae\n");
	struct mw_diag *diag =
		mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", (struct mw_span){ source, 0, 1 },
				   "found `\033]0;x\007\xff\xe2\x80\xae`");

	mw_diag_help(&list, diag, "\033c");
	char *said = findings_print(&list, MW_DIAG_FULL, false);

	assert_null(strchr(said, '\033'));
	assert_null(strchr(said, '\007'));
	assert_null(strchr(said, '\xff'));
	assert_null(strstr(said, "\xe2\x80\xae"));
	assert_non_null(strstr(said, "found `\\x1b]0;x\\x07\\xff\\u202e`"));
	free(said);
	said = findings_print(&list, MW_DIAG_JSON, false);
	assert_null(strchr(said, '\033'));
	assert_null(strchr(said, '\xff'));
	free(said);
	mw_diagnostics_fini(&list);
}

static void json_has_every_part(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source = findings_source(&list, "a.yaml", "\xd0\xb8: 4\nb: \"5\"\n");
	struct mw_diag *diag =
		mw_diagnostics_add(&list, MW_SEVERITY_WARNING, "R304",
				   findings_span(&list, source, "4"), "say \"%s\"", "x\\y");

	diag->node = "/devices/com9/irq";
	mw_diag_note(&list, diag, findings_span(&list, source, "\"5\""), "there");
	mw_diag_note(&list, diag, (struct mw_span){ 0 }, "plain");
	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "no file");
	findings_expect(
		&list, MW_DIAG_JSON,
		"[\n"
		"{\"v\":1,\"code\":\"\",\"name\":null,\"severity\":\"error\",\"message\":\"no "
		"file\","
		"\"node\":null,\"file\":null,\"span\":null,\"label\":null,\"related\":[],\"notes\":"
		"["
		"],"
		"\"help\":null,\"fix\":null,\"help_url\":null},\n"
		"{\"v\":1,\"code\":\"R304\",\"name\":\"shared-irq\",\"severity\":\"warning\","
		"\"message\":\"say "
		"\\\"x\\\\y\\\"\",\"node\":\"/devices/com9/irq\",\"file\":\"a.yaml\","
		"\"span\":{\"start\":{\"line\":1,\"col\":4,\"byte\":4},"
		"\"end\":{\"line\":1,\"col\":5,\"byte\":5}},\"label\":null,"
		"\"related\":[{\"file\":\"a.yaml\",\"span\":{\"start\":{\"line\":2,\"col\":4,"
		"\"byte\":9},"
		"\"end\":{\"line\":2,\"col\":7,\"byte\":12}},\"label\":\"there\"}],"
		"\"notes\":[\"plain\"],\"help\":null,\"fix\":null,\"help_url\":null}\n"
		"]\n");
	mw_diagnostics_fini(&list);
	findings_expect(&list, MW_DIAG_JSON, "[]\n");
}

static void colour_is_only_there_when_asked_for(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source = findings_source(&list, "a", "k: v\n");

	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", (struct mw_span){ source, 0, 1 }, "x");
	char *coloured = findings_print(&list, MW_DIAG_FULL, true),
	     *plain = findings_print(&list, MW_DIAG_FULL, false);

	assert_non_null(strstr(coloured, "\033[1;31merror[A1]"));
	assert_null(strchr(plain, '\033'));
	free(coloured);
	free(plain);
	mw_diagnostics_fini(&list);
}

static void texts_of_any_length_are_cut(void **state)
{
	struct mw_diagnostics list = { 0 };
	char *huge = malloc(100001);

	assert_non_null(huge);
	for (size_t i = 0; i < 100000; i += 2)
		memcpy(huge + i, "\xd0\xb8", 2);
	huge[100000] = '\0';
	for (int odd = 0; odd < 2; odd++) {
		struct mw_diag *diag =
			mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1", (struct mw_span){ 0 },
					   "%s%s", odd ? "x" : "", huge);
		size_t length = strlen(diag->message);

		assert_true(length < 1100);
		assert_string_equal(diag->message + length - 5, "\xd0\xb8...");
	}
	free(huge);
	mw_diagnostics_fini(&list);
}

/* 50,000 findings in one line of a megabyte: with a walk from the line's start for each, minutes. */
static void many_findings_in_one_line_print_in_linear_time(void **state)
{
	enum { COUNT = 50000, STEP = 20 };
	struct mw_diagnostics list = { 0 };
	char *text = malloc(COUNT * STEP + 1);

	assert_non_null(text);
	memset(text, 'x', COUNT * STEP);
	uint32_t source = mw_diagnostics_source(&list, "a", text, COUNT * STEP);

	for (uint32_t i = 0; i < COUNT; i++)
		mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "A1",
				   (struct mw_span){ source, i * STEP, 3 }, "x");
	clock_t start = clock();

	free(findings_print(&list, MW_DIAG_CONCISE, false));
	free(findings_print(&list, MW_DIAG_JSON, false));
	assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
	free(text);
	mw_diagnostics_fini(&list);
}

static void edit_distance_counts_slips(void **state)
{
	assert_int_equal(mw_edit_distance("ram", "ram", 2), 0);
	assert_int_equal(mw_edit_distance("rma", "ram", 2), 1);
	assert_int_equal(mw_edit_distance("irqq", "irq", 2), 1);
	assert_int_equal(mw_edit_distance("uart", "uart16550", 2), 3);
	assert_int_equal(mw_edit_distance("abcd", "wxyz", 2), 3);
	assert_int_equal(mw_edit_distance("", "ab", 2), 2);
	assert_int_equal(mw_edit_distance("kitten", "sitting", 3), 3);
	assert_int_equal(mw_edit_distance("memroy", "memory", 2), 1);
}

static void names_of_any_length_can_be_compared(void **state)
{
	char a[201], b[201];

	memset(a, 'a', 200);
	a[200] = '\0';
	memcpy(b, a, sizeof(a));
	assert_int_equal(mw_edit_distance(a, b, 2), 0);
	b[100] = 'b';
	assert_int_equal(mw_edit_distance(a, b, 2), 3);
}

static void rules_have_names(void **state)
{
	assert_string_equal(mw_rule_name("Y001"), "duplicate-key");
	assert_string_equal(mw_rule_name("R304"), "shared-irq");
	assert_null(mw_rule_name("Q999"));
	assert_null(mw_rule_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_parties_are_shown_with_a_caret),
		cmocka_unit_test(parties_in_one_file_share_an_excerpt),
		cmocka_unit_test(findings_sort_by_place_then_code_then_order),
		cmocka_unit_test(columns_count_code_points),
		cmocka_unit_test(positions_agree_with_and_without_the_index),
		cmocka_unit_test(carets_stand_under_wide_text_and_tabs),
		cmocka_unit_test(a_span_over_lines_underlines_the_first),
		cmocka_unit_test(the_end_of_a_file_has_a_place),
		cmocka_unit_test(long_lines_are_cut_round_the_caret),
		cmocka_unit_test(nothing_from_outside_steers_the_terminal),
		cmocka_unit_test(json_has_every_part),
		cmocka_unit_test(colour_is_only_there_when_asked_for),
		cmocka_unit_test(texts_of_any_length_are_cut),
		cmocka_unit_test(many_findings_in_one_line_print_in_linear_time),
		cmocka_unit_test(edit_distance_counts_slips),
		cmocka_unit_test(names_of_any_length_can_be_compared),
		cmocka_unit_test(rules_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
