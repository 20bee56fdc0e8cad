/* Patterns: what they match, and that none takes long. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/pattern.h"

static void patterns_match_whole_texts(void **state)
{
	static const struct {
		const char *pattern, *yes, *no;
	} cases[] = {
		{ "abc", "abc", "abcd" },
		{ "a|bc|", "", "ab" },
		{ "a|bc|", "bc", "abc" },
		{ "(a|b)*c", "ababc", "abab" },
		{ "a+b?", "aaab", "b" },
		{ "a{2,3}", "aa", "aaaa" },
		{ "a{2,}", "aaaaa", "a" },
		{ "(ab){0,2}c", "ababc", "abababc" },
		{ "a{0}b", "b", "ab" },
		{ "([0-9a-f]{2}:){5}[0-9a-f]{2}", "52:54:00:12:34:56", "52:54:00:12:34" },
		{ "[]a-]+", "]a-", "b" },
		{ "[^a-c]+", "xyz", "xaz" },
		{ "[[:upper:][:digit:]_]+", "A_1", "a" },
		{ "^a$|^b$", "b", "ab" },
		{ "a^b", "", "ab" },
		{ "x\\.y\\\\", "x.y\\", "xzy\\" },
		{ "...", "a\303\274\342\202\254", "ab" },
		{ "[\303\240-\303\277]+", "\303\274", "\303\237" },
		{ "[^a]", "\303\274", "ab" },
		{ "(a*)*b", "aab", "aac" },
		{ "((a?)+)+", "aaa", "b" },
		{ "(a|b)(c|d){2}", "acd", "ac" },
		{ "((x|y){2}|z){2}", "xyz", "xz" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(mw_pattern_fault(cases[i].pattern));
		if (*cases[i].yes || i < 2)
			assert_true(mw_pattern_matches(cases[i].pattern, cases[i].yes));
		assert_false(mw_pattern_matches(cases[i].pattern, cases[i].no));
	}
}

/* libc takes minutes for some of these; here the test's own time limit is the assertion. */
static void no_pattern_takes_long(void **state)
{
	static const char *const patterns[] = {
		"((.?.?.?.?){16}){16}", "((((a?)?)?)?b?){200}", "(a|b|aa|bb|.?|.*|b*){90}Z",
		"(a?){250}a{250}",      "(.*a.{0,250}b)*",      "((((((((a*)*)*)*)*)*)*)*)*b",
		"(x*)*(x*)*(x*)*y",     "(([ab]*){9}){9}Z",
	};
	char text[MW_PATTERN_TEXT_LONGEST + 1];

	for (size_t i = 0; i < MW_PATTERN_TEXT_LONGEST; i++)
		text[i] = "ab"[i * i / 3 % 2];
	text[MW_PATTERN_TEXT_LONGEST] = '\0';
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		mw_pattern_matches(patterns[i], text);
	assert_true(mw_pattern_matches("(.*a.{0,50}b|a|b)*", text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_whole_texts),
		cmocka_unit_test(no_pattern_takes_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
