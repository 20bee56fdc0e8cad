/** Parsing by table: spellings, values, mistakes; and help that shows every row. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/options.h"

static const char *const colours[] = { "red", "green", NULL };
static const struct mw_option options[] = {
	{ .name = "set", .value = "NAME=VALUE", .repeats = true, .help = "Sets." },
	{ .name = "colour",
	  .letter = 'c',
	  .value = "COLOUR",
	  .choices = colours,
	  .help = "Paints." },
	{ .name = "verbose", .letter = 'v', .help = "Talks." },
	{ .name = "extra", .letter = 'x', .help = "Adds." },
	{ 0 },
};
static const struct mw_example examples[] = { { "millwright toy a", "An example." }, { 0 } };
static const struct mw_verb toy = {
	.name = "toy",
	.summary = "Plays.",
	.operands = "THING",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
	.details = "First paragraph.\nSecond paragraph.",
	.examples = examples,
	.exits = "0.",
};

static struct mw_arguments arguments;
static char *said; /* on the error stream, by the last parse */

static int forget(void **state)
{
	mw_arguments_fini(&arguments);
	free(said);
	said = NULL;
	return 0;
}

/** Parses words ended by NULL. */
static bool parse(const char *first, ...)
{
	char *argv[16];
	int argc = 0;
	size_t length;
	va_list words;

	forget(NULL);
	va_start(words, first);
	for (const char *word = first; word; word = va_arg(words, const char *))
		argv[argc++] = (char *)word;
	va_end(words);
	FILE *errors = open_memstream(&said, &length);
	bool good = mw_arguments_parse(&arguments, &toy, argc, argv, errors);

	fclose(errors);
	assert_int_equal(good, said[0] == '\0');
	return good;
}

static void value_follows_or_is_attached(void **state)
{
	assert_true(parse("--colour", "red", "a", NULL));
	assert_string_equal(mw_arguments_value(&arguments, "colour", "none"), "red");
	assert_true(parse("--colour=green", "a", NULL));
	assert_string_equal(mw_arguments_value(&arguments, "colour", "none"), "green");
	assert_true(parse("-c", "red", "a", NULL));
	assert_string_equal(mw_arguments_value(&arguments, "colour", "none"), "red");
	assert_true(parse("-cgreen", "a", NULL));
	assert_string_equal(mw_arguments_value(&arguments, "colour", "none"), "green");
	assert_true(parse("a", NULL));
	assert_string_equal(mw_arguments_value(&arguments, "colour", "none"), "none");
}

static void repeated_values_keep_their_order(void **state)
{
	const char *values[4];

	assert_true(parse("--set", "a=1", "thing", "--set=b=2", "--set", "c=", NULL));
	assert_int_equal(mw_arguments_values(&arguments, "set", values), 3);
	assert_string_equal(values[0], "a=1");
	assert_string_equal(values[1], "b=2");
	assert_string_equal(values[2], "c=");
}

static void letters_share_a_word(void **state)
{
	assert_true(parse("-vx", "a", NULL));
	assert_true(mw_arguments_has(&arguments, "verbose"));
	assert_true(mw_arguments_has(&arguments, "extra"));
	assert_true(parse("-vcred", "a", NULL));
	assert_string_equal(mw_arguments_value(&arguments, "colour", "none"), "red");
}

static void options_and_operands_mix(void **state)
{
	assert_true(parse("a", "-v", "b", NULL));
	assert_int_equal(arguments.operand_count, 2);
	assert_string_equal(arguments.operands[0], "a");
	assert_string_equal(arguments.operands[1], "b");
}

static void double_dash_ends_options(void **state)
{
	assert_true(parse("--", "-v", "--set", NULL));
	assert_int_equal(arguments.operand_count, 2);
	assert_false(mw_arguments_has(&arguments, "verbose"));
}

static void single_dash_is_an_operand(void **state)
{
	assert_true(parse("-", NULL));
	assert_string_equal(arguments.operands[0], "-");
}

static void help_stops_all_checks(void **state)
{
	assert_true(parse("--help", NULL));
	assert_true(arguments.help);
	assert_true(parse("-vh", "--nonsense", NULL));
	assert_true(arguments.help);
}

static void mistake_says(const char *expected)
{
	if (!strstr(said, expected))
		fail_msg("`%s` is not in: %s", expected, said);
	assert_non_null(strstr(said, "millwright help toy"));
}

static void mistakes_are_named(void **state)
{
	assert_false(parse("--verbos", "a", NULL));
	mistake_says("unknown option `--verbos`; did you mean `--verbose`?");
	assert_false(parse("--colr=red", "a", NULL));
	mistake_says("unknown option `--colr`; did you mean `--colour`?");
	assert_false(parse("--hepl", NULL));
	mistake_says("did you mean `--help`?");
	assert_false(parse("--zzzzzz", "a", NULL));
	mistake_says("unknown option `--zzzzzz`\n");
	assert_false(parse("-q", "a", NULL));
	mistake_says("unknown option `-q`");
	assert_false(parse("--colour", "grean", "a", NULL));
	mistake_says("did you mean `green`?");
	assert_false(parse("--colour", "purple", "a", NULL));
	mistake_says("it takes red, green");
	assert_false(parse("--colour=red", "-c", "red", "a", NULL));
	mistake_says("`--colour` is given twice");
	assert_false(parse("a", "--set", NULL));
	mistake_says("`--set` needs a value: --set NAME=VALUE");
	assert_false(parse("--verbose=yes", "a", NULL));
	mistake_says("`--verbose` takes no value");
	assert_false(parse("-v", NULL));
	mistake_says("what is missing is THING");
	assert_false(parse("a", "b", "c", NULL));
	mistake_says("`c` is one argument too many");
}

static void help_shows_every_row(void **state)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	mw_verb_help(&toy, out);
	fclose(out);
	for (const struct mw_option *option = options; option->name; option++) {
		assert_non_null(strstr(text, option->name));
		assert_non_null(strstr(text, option->help));
	}
	assert_non_null(strstr(text, "-c, --colour COLOUR"));
	assert_non_null(strstr(text, "-h, --help"));
	assert_non_null(strstr(text, "Usage: millwright toy [OPTION...] THING\n"));
	assert_non_null(strstr(text, "Plays."));
	assert_non_null(strstr(text, "First paragraph.\nSecond paragraph.\n"));
	assert_non_null(strstr(text, "  # An example.\n  millwright toy a\n"));
	assert_non_null(strstr(text, "Exit status:\n  0.\n"));
	free(text);
}

static void long_text_is_broken_at_80_columns(void **state)
{
	char *text;
	size_t length, longest = 0;
	FILE *out = open_memstream(&text, &length);

	fprintf(out, "%*s", 10, "");
	mw_print_wrapped(out, 10, 10,
			 "one two three four five six seven eight nine ten eleven twelve thirteen "
			 "fourteen fifteen sixteen seventeen eighteen nineteen twenty");
	fclose(out);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t width = strcspn(line, "\n");

		longest = width > longest ? width : longest;
		assert_int_equal(strspn(line, " "), 10);
		assert_true(line[width - 1] != ' ');
	}
	assert_in_range(longest, 70, 80);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(value_follows_or_is_attached, forget),
		cmocka_unit_test_teardown(repeated_values_keep_their_order, forget),
		cmocka_unit_test_teardown(letters_share_a_word, forget),
		cmocka_unit_test_teardown(options_and_operands_mix, forget),
		cmocka_unit_test_teardown(double_dash_ends_options, forget),
		cmocka_unit_test_teardown(single_dash_is_an_operand, forget),
		cmocka_unit_test_teardown(help_stops_all_checks, forget),
		cmocka_unit_test_teardown(mistakes_are_named, forget),
		cmocka_unit_test(help_shows_every_row),
		cmocka_unit_test(long_text_is_broken_at_80_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
