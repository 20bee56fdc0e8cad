/* Diagnostics for other programs and with their cures: fixes shown, SARIF, annotations, JUnit. */
// SPDX-License-Identifier: MIT
#include "tests/unit/core/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_part(struct mw_diagnostics *diagnostics, enum mw_diag_format format,
			const char *part)
{
	char *text = findings_print(diagnostics, format, false);

	if (!strstr(text, part))
		print_error("no %s\nin %s\n", part, text);
	assert_non_null(strstr(text, part));
	free(text);
}

static struct mw_diag *add_shared_irq(struct mw_diagnostics *list, struct mw_span *span)
{
	uint32_t lab = findings_source(
		list, "lab.yaml", "devices:\n  com9: { io: 0x3e8, irq: 4 }\n  com8: { irq: 4 }\n");

	*span = findings_span(list, lab, "4 }\n  com8");
	span->length = 1;
	return mw_diagnostics_add(list, MW_SEVERITY_WARNING, "R304", *span, "two drivers");
}

static void a_fix_shows_the_line_it_would_write(void **state)
{
	struct mw_diagnostics list = { 0 };
	struct mw_span span;
	struct mw_diag *diag = add_shared_irq(&list, &span);

	mw_diag_help(&list, diag, "line 5 is free");
	mw_diag_fix(&list, diag, MW_FIX_UNSAFE, span, "5");
	findings_expect(&list, MW_DIAG_FULL,
			"warning[R304]: two drivers\n"
			" --> lab.yaml:2:27\n"
			"  |\n"
			"2 |   com9: { io: 0x3e8, irq: 4 }\n"
			"  |                           ^\n"
			"help: line 5 is free  [unsafe fix]\n"
			"  |   com9: { io: 0x3e8, irq: 5 }\n");
	diag->fix->safety = MW_FIX_SAFE;
	expect_part(&list, MW_DIAG_FULL, "help: line 5 is free  [safe fix]\n");
	diag->fix->safety = MW_FIX_PLACEHOLDER;
	diag->help = NULL;
	expect_part(&list, MW_DIAG_FULL, "help: write  [fill in]\n");
	mw_diagnostics_fini(&list);
}

static void a_fix_over_several_lines_and_files_shows_them_all(void **state)
{
	struct mw_diagnostics list = { 0 };
	struct mw_span span;
	struct mw_diag *diag = add_shared_irq(&list, &span);
	uint32_t other = findings_source(&list, "other.yaml", "one: 1\ntwo: 2\nthree: 3\n");
	uint32_t third = findings_source(&list, "third.yaml", "gone: 1\nstays: 2\n");

	mw_diag_help(&list, diag, "do all of it\nnot shown: the fix is");
	mw_diag_fix(&list, diag, MW_FIX_SAFE, findings_span(&list, other, "3"), "3\nfour: 4");
	mw_diag_fix(&list, diag, MW_FIX_SAFE, findings_span(&list, 1, "com8"), "com7");
	mw_diag_fix(&list, diag, MW_FIX_SAFE, span, "6");
	mw_diag_fix(&list, diag, MW_FIX_SAFE, findings_span(&list, third, "gone: 1\n"), "%s", "");
	expect_part(&list, MW_DIAG_FULL,
		    "help: do all of it  [safe fix]\n"
		    "  |   com9: { io: 0x3e8, irq: 6 }\n"
		    "  |   com7: { irq: 4 }\n"
		    " ::: other.yaml:3\n"
		    "  | three: 3\n"
		    "  | four: 4\n"
		    " ::: third.yaml:1\n"
		    "  - gone: 1\n");
	mw_diagnostics_fini(&list);
}

static void a_fix_out_of_its_source_is_not_shown(void **state)
{
	struct mw_diagnostics list = { 0 };
	struct mw_span span;
	struct mw_diag *diag = add_shared_irq(&list, &span);

	mw_diag_fix(&list, diag, MW_FIX_SAFE, (struct mw_span){ 1, 9999, 1 }, "x");
	mw_diag_fix(&list, diag, MW_FIX_SAFE, (struct mw_span){ 1, 1, UINT32_MAX }, "x");
	mw_diag_fix(&list, diag, MW_FIX_SAFE, (struct mw_span){ 0 }, "x");
	mw_diag_fix(&list, diag, MW_FIX_SAFE, (struct mw_span){ 77, 0, 0 }, "x");
	for (int format = MW_DIAG_FULL; format <= MW_DIAG_JUNIT; format++)
		free(findings_print(&list, (enum mw_diag_format)format, false));
	mw_diagnostics_fini(&list);
}

static void a_fix_of_thousands_of_lines_is_cut(void **state)
{
	struct mw_diagnostics list = { 0 };
	struct mw_span span;
	struct mw_diag *diag = add_shared_irq(&list, &span);
	char text[4001];

	for (size_t i = 0; i < 4000; i++)
		text[i] = i % 2 ? '\n' : 'x';
	text[4000] = '\0';
	mw_diag_fix(&list, diag, MW_FIX_SAFE, span, "%s", text);
	char *said = findings_print(&list, MW_DIAG_FULL, false);

	assert_true(strlen(said) < 400);
	assert_string_equal(said + strlen(said) - 4, "...\n");
	free(said);
	mw_diagnostics_fini(&list);
}

static void json_lines_have_one_object_each_and_the_fix(void **state)
{
	struct mw_diagnostics list = { 0 };
	struct mw_span span;
	struct mw_diag *diag = add_shared_irq(&list, &span);

	mw_diag_fix(&list, diag, MW_FIX_UNSAFE, span, "5");
	mw_diagnostics_add(&list, MW_SEVERITY_HINT, "", (struct mw_span){ 0 }, "x");
	findings_expect(
		&list, MW_DIAG_JSONL,
		"{\"v\":1,\"code\":\"\",\"name\":null,\"severity\":\"hint\",\"message\":\"x\","
		"\"node\":null,\"file\":null,\"span\":null,\"label\":null,\"related\":[],"
		"\"notes\":[],\"help\":null,\"fix\":null,\"help_url\":null}\n"
		"{\"v\":1,\"code\":\"R304\",\"name\":\"shared-irq\",\"severity\":\"warning\","
		"\"message\":\"two drivers\",\"node\":null,\"file\":\"lab.yaml\",\"span\":{"
		"\"start\":{\"line\":2,\"col\":27,\"byte\":35},"
		"\"end\":{\"line\":2,\"col\":28,\"byte\":36}},\"label\":null,\"related\":[],"
		"\"notes\":[],\"help\":null,\"fix\":{\"applicability\":\"unsafe\",\"edits\":[{"
		"\"file\":\"lab.yaml\",\"byte\":[35,36],\"text\":\"5\"}]},\"help_url\":null}\n");
	mw_diagnostics_fini(&list);
	findings_expect(&list, MW_DIAG_JSONL, "");
}

static void what_is_hidden_is_only_in_sarif(void **state)
{
	struct mw_diagnostics list = { 0 };
	struct mw_span span;
	struct mw_diag *diag = add_shared_irq(&list, &span);

	mw_diag_hide(&list, diag, MW_DIAG_ALLOWED, "we know");
	findings_expect(&list, MW_DIAG_FULL, "");
	findings_expect(&list, MW_DIAG_CONCISE, "");
	findings_expect(&list, MW_DIAG_JSON, "[]\n");
	findings_expect(&list, MW_DIAG_JSONL, "");
	findings_expect(&list, MW_DIAG_GITHUB, "");
	expect_part(&list, MW_DIAG_JUNIT,
		    "  <testsuite name=\"lab.yaml\" tests=\"1\" failures=\"0\" errors=\"0\" "
		    "skipped=\"0\">\n    <testcase classname=\"lab.yaml\" name=\"lint\"/>\n");
	expect_part(&list, MW_DIAG_SARIF,
		    "\"suppressions\":[{\"kind\":\"inSource\",\"justification\":\"we know\"}]");
	mw_diag_hide(&list, diag, MW_DIAG_BASELINE, NULL);
	expect_part(&list, MW_DIAG_SARIF, "\"suppressions\":[{\"kind\":\"external\"}]");
	mw_diagnostics_fini(&list);
}

static void sarif_has_every_part(void **state)
{
	struct mw_diagnostics list = { 0 };
	struct mw_span span;
	struct mw_diag *diag = add_shared_irq(&list, &span);
	uint32_t other = findings_source(&list, "/a b/\xd0\xb8.yaml", "x: 1\n");

	diag->node = "/devices/com9/irq";
	mw_diag_note(&list, diag, findings_span(&list, other, "1"), "first driver");
	mw_diag_note(&list, diag, (struct mw_span){ 0 }, "line 4 reaches pic:4");
	mw_diag_help(&list, diag, "line 5 is free");
	mw_diag_fix(&list, diag, MW_FIX_UNSAFE, span, "5");
	findings_expect(
		&list, MW_DIAG_SARIF,
		"{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"millwright\","
		"\"rules\":[{\"id\":\"R304\",\"name\":\"shared-irq\","
		"\"shortDescription\":{\"text\":\"shared irq\"},"
		"\"defaultConfiguration\":{\"level\":\"warning\"},"
		"\"properties\":{\"tags\":[\"resources\"]}}]}},"
		"\"invocations\":[{\"executionSuccessful\":true}],"
		"\"columnKind\":\"unicodeCodePoints\",\"results\":[{"
		"\"ruleId\":\"R304\",\"ruleIndex\":0,\"level\":\"warning\",\"message\":{\"text\":"
		"\"two drivers\\nnote: line 4 reaches pic:4\\nhelp: line 5 is free\"},"
		"\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"lab.yaml\"},"
		"\"region\":{\"startLine\":2,\"startColumn\":27,\"endLine\":2,\"endColumn\":28,"
		"\"byteOffset\":35,\"byteLength\":1}},"
		"\"logicalLocations\":[{\"fullyQualifiedName\":\"/devices/com9/irq\"}]}],"
		"\"relatedLocations\":[{\"id\":1,\"message\":{\"text\":\"first driver\"},"
		"\"physicalLocation\":{\"artifactLocation\":{"
		"\"uri\":\"file:///a%20b/%D0%B8.yaml\"},"
		"\"region\":{\"startLine\":1,\"startColumn\":4,\"endLine\":1,\"endColumn\":5,"
		"\"byteOffset\":3,\"byteLength\":1}}}],"
		"\"fixes\":[{\"description\":{\"text\":\"line 5 is free\"},\"artifactChanges\":[{"
		"\"artifactLocation\":{\"uri\":\"lab.yaml\"},\"replacements\":[{"
		"\"deletedRegion\":{\"startLine\":2,\"startColumn\":27,\"endLine\":2,"
		"\"endColumn\":28,\"byteOffset\":35,\"byteLength\":1},"
		"\"insertedContent\":{\"text\":\"5\"}}]}],"
		"\"properties\":{\"applicability\":\"unsafe\"}}],\"suppressions\":[],"
		"\"partialFingerprints\":{\"nodePath/"
		"v1\":\"486229acc97cb2259a20cec78ef2b718\"}}]}]}\n");
	mw_diagnostics_fini(&list);
}

static void sarif_keeps_the_worst_and_counts_the_rest(void **state)
{
	struct mw_diagnostics list = { 0 };
	size_t count = 0;

	for (unsigned i = 0; i < 6000; i++)
		mw_diagnostics_add(&list, i < 5990 ? MW_SEVERITY_WARNING : MW_SEVERITY_ERROR, "A1",
				   (struct mw_span){ 0 }, "%u", i);
	char *said = findings_print(&list, MW_DIAG_SARIF, false);

	for (const char *at = said; (at = strstr(at, "\"ruleId\"")); at++)
		count++;
	assert_int_equal(count, 5000);
	count = 0;
	for (const char *at = said; (at = strstr(at, "\"ruleIndex\":0,\"level\":\"error\"")); at++)
		count++;
	assert_int_equal(count, 10);
	assert_non_null(
		strstr(said, "1000 further findings are left out; the worst 5000 are here"));
	free(said);
	mw_diagnostics_fini(&list);
}

static void a_fingerprint_stays_when_lines_move(void **state)
{
	struct mw_diag one = { .code = "A1", .message = "x", .span = { 1, 2, 3 } };
	struct mw_diag moved = { .code = "A1", .message = "x", .span = { 4, 5, 6 } };
	struct mw_diag other = { .code = "A1", .message = "x", .node = "x" };
	char text[3][MW_FINGERPRINT];

	mw_diag_fingerprint(&one, text[0]);
	mw_diag_fingerprint(&moved, text[1]);
	mw_diag_fingerprint(&other, text[2]);
	assert_int_equal(strlen(text[0]), 32);
	assert_string_equal(text[0], text[1]);
	assert_string_not_equal(text[0], text[2]);
}

static void annotations_escape_what_would_end_them(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t source = findings_source(&list, "a,b:c%\n.yaml", "k: v\n");
	struct mw_diag *diag =
		mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "S101",
				   findings_span(&list, source, "v"), "50%%\n::error::x");

	mw_diag_help(&list, diag, "cure");
	mw_diagnostics_add(&list, MW_SEVERITY_HINT, "", (struct mw_span){ 0 }, "plain: a, b");
	findings_expect(
		&list, MW_DIAG_GITHUB,
		"::notice::plain: a, b\n"
		"::error file=a%2Cb%3Ac%25%0A.yaml,line=1,endLine=1,col=4,endColumn=5,title=S101 "
		"unknown-key::50%25%0A::error::x%0Ahelp: cure\n");
	mw_diagnostics_fini(&list);
}

static void bytes_that_are_no_utf8_become_u_fffd(void **state)
{
	static const struct {
		const char *bytes;
		unsigned count; /* of replacements */
	} cases[] = {
		{ "\xff", 1 },
		{ "\xc3", 1 },
		{ "\xc0\xaf", 2 },
		{ "\xe0\x80\x80", 3 }, /* too long */
		{ "\xed\xa0\x80", 3 }, /* a surrogate */
		{ "\xf4\x90\x80\x80", 4 },
	};
	static const struct {
		enum mw_diag_format format;
		const char *before, *replacement, *after;
	} formats[] = { { MW_DIAG_JSONL, "\"message\":\"<", "\\ufffd", ">" },
			{ MW_DIAG_GITHUB, "::<", "\xef\xbf\xbd", ">\n" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
			struct mw_diagnostics list = { 0 };
			char wanted[100] = "";

			strncat(wanted, formats[f].before, 30);
			for (unsigned n = 0; n < cases[i].count; n++)
				strncat(wanted, formats[f].replacement, 8);
			strncat(wanted, formats[f].after, 8);
			mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
					   "<%s>", cases[i].bytes);
			expect_part(&list, formats[f].format, wanted);
			mw_diagnostics_fini(&list);
		}
	}
}

static void annotations_are_few_and_the_rest_is_counted(void **state)
{
	struct mw_diagnostics list = { 0 };
	static const char *const kinds[] = { "::error", "::warning", "::notice" };
	static const size_t wanted[] = { 10, 10, 10 };

	for (unsigned i = 0; i < 60; i++)
		mw_diagnostics_add(&list, (enum mw_severity)(i % 3), "A1", (struct mw_span){ 0 },
				   "%u", i);
	char *said = findings_print(&list, MW_DIAG_GITHUB, false);

	for (size_t i = 0; i < 3; i++) {
		size_t count = 0;

		for (const char *at = said; (at = strstr(at, kinds[i])); at++)
			count++;
		assert_int_equal(count, wanted[i]);
	}
	assert_non_null(strstr(said, "\nerror A1 30\n"));
	assert_non_null(strstr(said, "\n::notice::31 more in the log\n"));
	free(said);
	mw_diagnostics_fini(&list);
}

static void junit_has_a_suite_for_each_file(void **state)
{
	struct mw_diagnostics list = { 0 };
	uint32_t b = findings_source(&list, "b.yaml", "k: v\n"),
		 a = findings_source(&list, "a.yaml", "");

	findings_source(&list, "a.yaml", "");
	struct mw_diag *diag = mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "S101",
						  findings_span(&list, b, "v"), "<\"&'\001>\xff\n");

	diag->node = "/x";
	mw_diagnostics_add(&list, MW_SEVERITY_HINT, "C703", (struct mw_span){ b, 0, 1 }, "pin it");
	mw_diagnostics_add(&list, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "no file");
	assert_int_equal(a, 2);
	findings_expect(
		&list, MW_DIAG_JUNIT,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"millwright\">\n"
		"  <testsuite name=\"a.yaml\" tests=\"1\" failures=\"0\" errors=\"0\" "
		"skipped=\"0\">\n"
		"    <testcase classname=\"a.yaml\" name=\"lint\"/>\n"
		"  </testsuite>\n"
		"  <testsuite name=\"b.yaml\" tests=\"2\" failures=\"1\" errors=\"0\" "
		"skipped=\"0\">\n"
		"    <testcase classname=\"b.yaml\" name=\"C703 unpinned-base line 1\">\n"
		"      <system-out>b.yaml:1:1: pin it</system-out>\n"
		"    </testcase>\n"
		"    <testcase classname=\"b.yaml\" name=\"S101 unknown-key /x line 1\">\n"
		"      <failure type=\"error\" message=\"&lt;&quot;&amp;'&gt;\xef\xbf\xbd&#10;\">"
		"b.yaml:1:4: &lt;&quot;&amp;'&gt;\xef\xbf\xbd&#10;</failure>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"  <testsuite name=\"millwright\" tests=\"1\" failures=\"1\" errors=\"0\" "
		"skipped=\"0\">\n"
		"    <testcase classname=\"millwright\" name=\"host\">\n"
		"      <failure type=\"error\" message=\"no file\">no file</failure>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"</testsuites>\n");
	mw_diagnostics_fini(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fix_shows_the_line_it_would_write),
		cmocka_unit_test(a_fix_over_several_lines_and_files_shows_them_all),
		cmocka_unit_test(a_fix_out_of_its_source_is_not_shown),
		cmocka_unit_test(a_fix_of_thousands_of_lines_is_cut),
		cmocka_unit_test(json_lines_have_one_object_each_and_the_fix),
		cmocka_unit_test(what_is_hidden_is_only_in_sarif),
		cmocka_unit_test(sarif_has_every_part),
		cmocka_unit_test(sarif_keeps_the_worst_and_counts_the_rest),
		cmocka_unit_test(a_fingerprint_stays_when_lines_move),
		cmocka_unit_test(annotations_escape_what_would_end_them),
		cmocka_unit_test(bytes_that_are_no_utf8_become_u_fffd),
		cmocka_unit_test(annotations_are_few_and_the_rest_is_counted),
		cmocka_unit_test(junit_has_a_suite_for_each_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
