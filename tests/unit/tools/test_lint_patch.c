/** Unified patches say what changed, and no more. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "tools/lint/fix.h"

static char *patch(const char *before, const char *after)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	mw_patch_print(out, "f", before, strlen(before), after, strlen(after));
	fclose(out);
	return text;
}

static void assert_patch(const char *before, const char *after, const char *expected)
{
	char *text = patch(before, after);

	assert_string_equal(text, expected);
	free(text);
}

static void equal_texts_need_none(void **state)
{
	assert_patch("a\nb\n", "a\nb\n", "");
	assert_patch("", "", "");
}

static void one_line_has_three_round_it(void **state)
{
	assert_patch("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
		     "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
}

static void far_changes_are_two_pieces_and_near_ones_one(void **state)
{
	assert_patch("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		     "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
		     "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
	assert_patch("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		     "--- f\n+++ f\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
}

static void ends_of_files(void **state)
{
	assert_patch("", "a\n", "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n");
	assert_patch("a\n", "", "--- f\n+++ f\n@@ -1 +0,0 @@\n-a\n");
	assert_patch("a", "a\n",
		     "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
	assert_patch("a\nb", "a\nb\nc",
		     "--- f\n+++ f\n@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n+b\n+c\n"
		     "\\ No newline at end of file\n");
}

/* Applies a patch the slow way and compares. */
static void assert_applies(const char *before, const char *after)
{
	char *text = patch(before, after), *line = strchr(text, '@');
	char result[8192];
	size_t length = 0;
	const char *at = before;
	unsigned long number = 1;

	while (line && *line) {
		char *end = strchr(line, '\n');
		size_t size = (size_t)(end - line);

		if (*line == '@') {
			unsigned long from = strtoul(line + 4, &end, 10);

			from += *end != ',' || end[1] != '0';
			for (; number < from - (*end == ',' && end[1] == '0' ? 0 : 1); number++) {
				size_t copied = strcspn(at, "\n") + 1;

				memcpy(result + length, at, copied);
				length += copied;
				at += copied;
			}
			end = strchr(line, '\n');
		}
		if (*line == ' ' || *line == '-') {
			at += strcspn(at, "\n") + 1;
			number++;
		}
		if (*line == ' ' || *line == '+') {
			memcpy(result + length, line + 1, size);
			length += size;
		}
		line = end + 1;
	}
	snprintf(result + length, sizeof(result) - length, "%s", at);
	assert_string_equal(result, after);
	free(text);
}

static void every_patch_applies(void **state)
{
	uint32_t random = 1;

	for (unsigned round = 0; round < 300; round++) {
		char before[512] = "", after[512] = "";
		size_t a = 0, b = 0;

		for (unsigned i = 0; i < 60; i++) {
			random = random * 1664525u + 1013904223u;
			char letter = (char)('a' + (random >> 24) % 4);
			unsigned what = random >> 16 & 15;

			if (what != 1)
				a += (size_t)snprintf(before + a, sizeof(before) - a, "%c\n",
						      letter);
			if (what != 2)
				b += (size_t)snprintf(after + b, sizeof(after) - b, "%c\n",
						      what == 3 ? 'x' : letter);
		}
		assert_applies(before, after);
	}
}

static void texts_without_a_line_in_common_are_one_piece(void **state)
{
	enum { LINES = 3000 };
	char *before = mw_alloc(LINES + 1, 8), *after = mw_alloc(LINES + 1, 8);
	size_t a = 0, b = 0;

	for (unsigned i = 0; i < LINES; i++) {
		a += (size_t)snprintf(before + a, 8, "a%u\n", i);
		b += (size_t)snprintf(after + b, 8, "b%u\n", i);
	}
	char *text = patch(before, after);

	assert_non_null(strstr(text, "@@ -1,3000 +1,3000 @@\n-a0\n"));
	free(text);
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_texts_need_none),
		cmocka_unit_test(one_line_has_three_round_it),
		cmocka_unit_test(far_changes_are_two_pieces_and_near_ones_one),
		cmocka_unit_test(ends_of_files),
		cmocka_unit_test(every_patch_applies),
		cmocka_unit_test(texts_without_a_line_in_common_are_one_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
