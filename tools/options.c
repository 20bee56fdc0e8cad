/** Parses a command line by its verb's tables, and prints the tables as help. */
// SPDX-License-Identifier: MIT
#include "tools/options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/diagnostics.h"

#define LINE_COLUMNS 80
#define HELP_COLUMN  26

const struct mw_option mw_common_options[] = {
	{ .name = "help", .letter = 'h', .help = "Show this help." },
	{ 0 },
};

const char *mw_nearest_name(const char *wrong, const char *const *names)
{
	const char *best = NULL;
	unsigned nearest = UINT_MAX;

	for (; *names; names++) {
		unsigned distance = mw_near_distance(wrong, *names);

		if (distance < nearest) {
			nearest = distance;
			best = *names;
		}
	}
	return best;
}

void mw_end_with_nearest(const char *prefix, const char *nearest)
{
	if (nearest)
		fprintf(stderr, "; did you mean `%s%s`?", prefix, nearest);
	fputc('\n', stderr);
}

/* Parsing. */

struct parser {
	struct mw_arguments *arguments;
	char **argv;
	int argc, next;
	FILE *errors;
};

static bool complain(const struct parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool complain(const struct parser *parser, const char *format, ...)
{
	const char *verb = parser->arguments->verb->name;
	va_list arguments;

	fprintf(parser->errors, "millwright %s: ", verb);
	va_start(arguments, format);
	vfprintf(parser->errors, format, arguments);
	va_end(arguments);
	fprintf(parser->errors, "\nTry `millwright help %s`.\n", verb);
	return false;
}

static const struct mw_option *find_by_name(const struct mw_option *options, const char *name,
					    size_t length)
{
	for (; options && options->name; options++)
		if (strlen(options->name) == length && memcmp(options->name, name, length) == 0)
			return options;
	return NULL;
}

static const struct mw_option *find_by_letter(const struct mw_option *options, char letter)
{
	for (; options && options->name; options++)
		if (options->letter == letter)
			return options;
	return NULL;
}

static size_t option_count(const struct mw_option *options)
{
	size_t count = 0;

	while (options && options[count].name)
		count++;
	return count;
}

static bool unknown_option(const struct parser *parser, const char *name)
{
	const struct mw_option *options = parser->arguments->verb->options;
	size_t own = option_count(options), common = option_count(mw_common_options);
	const char **names = mw_alloc(own + common + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < own; i++)
		names[i] = options[i].name;
	for (size_t i = 0; i < common; i++)
		names[own + i] = mw_common_options[i].name;
	nearest = mw_nearest_name(name, names);
	free(names);
	if (nearest)
		return complain(parser, "unknown option `--%s`; did you mean `--%s`?", name,
				nearest);
	return complain(parser, "unknown option `--%s`", name);
}

static bool check_choice(const struct parser *parser, const struct mw_option *option,
			 const char *value)
{
	char list[200] = "";
	size_t used = 0;
	const char *nearest;

	if (!option->choices)
		return true;
	for (const char *const *choice = option->choices; *choice; choice++) {
		if (strcmp(*choice, value) == 0)
			return true;
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 used ? ", " : "", *choice);
	}
	nearest = mw_nearest_name(value, option->choices);
	if (nearest)
		return complain(parser, "`%s` is no %s for `--%s`; did you mean `%s`?", value,
				option->value, option->name, nearest);
	return complain(parser, "`%s` is no %s for `--%s`; it takes %s", value, option->value,
			option->name, list);
}

static bool add_given(struct parser *parser, const struct mw_option *option, const char *value)
{
	struct mw_arguments *arguments = parser->arguments;

	if (value && !check_choice(parser, option, value))
		return false;
	if (!option->repeats && mw_arguments_has(arguments, option->name))
		return complain(parser, "`--%s` is given twice", option->name);
	arguments->given[arguments->given_count++] =
		(struct mw_argument){ .option = option, .value = value };
	arguments->help |= option == mw_common_options;
	return true;
}

/** `attached` is what followed in the same word, or NULL. */
static bool take_option(struct parser *parser, const struct mw_option *option, const char *attached)
{
	if (!option->value && attached)
		return complain(parser, "`--%s` takes no value", option->name);
	if (option->value && !attached) {
		if (parser->next == parser->argc)
			return complain(parser, "`--%s` needs a value: --%s %s", option->name,
					option->name, option->value);
		attached = parser->argv[parser->next++];
	}
	return add_given(parser, option, attached);
}

static bool parse_long(struct parser *parser, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct mw_option *option =
		find_by_name(parser->arguments->verb->options, word, length);

	if (!option)
		option = find_by_name(mw_common_options, word, length);
	if (!option) {
		char *name = mw_strdup(word);

		name[length] = '\0';
		unknown_option(parser, name);
		free(name);
		return false;
	}
	return take_option(parser, option, equals ? equals + 1 : NULL);
}

/** `-vx`: switches may share a word; one with a value takes the rest of it. */
static bool parse_short(struct parser *parser, const char *word)
{
	for (; *word && !parser->arguments->help; word++) {
		const struct mw_option *option =
			find_by_letter(parser->arguments->verb->options, *word);

		if (!option)
			option = find_by_letter(mw_common_options, *word);
		if (!option)
			return complain(parser, "unknown option `-%c`", *word);
		if (option->value)
			return take_option(parser, option, word[1] ? word + 1 : NULL);
		if (!take_option(parser, option, NULL))
			return false;
	}
	return true;
}

static bool check_operands(const struct parser *parser)
{
	const struct mw_arguments *arguments = parser->arguments;
	const struct mw_verb *verb = arguments->verb;

	if (arguments->operand_count < verb->min_operands)
		return complain(parser, "what is missing is %s", verb->operands);
	if (arguments->operand_count > verb->max_operands)
		return complain(parser, "`%s` is one argument too many",
				arguments->operands[verb->max_operands]);
	return true;
}

bool mw_arguments_parse(struct mw_arguments *arguments, const struct mw_verb *verb, int argc,
			char **argv, FILE *errors)
{
	struct parser parser = { arguments, argv, argc, 0, errors };
	bool only_operands = false;

	*arguments = (struct mw_arguments){
		.verb = verb,
		.operands = mw_alloc((size_t)argc + 1, sizeof(*arguments->operands)),
	};
	/* A word of several letters holds several switches. */
	size_t room = 1;
	for (int i = 0; i < argc; i++)
		room += strlen(argv[i]);
	arguments->given = mw_alloc(room, sizeof(*arguments->given));

	while (parser.next < argc && !arguments->help) {
		const char *word = argv[parser.next++];

		if (only_operands || word[0] != '-' || word[1] == '\0')
			arguments->operands[arguments->operand_count++] = word;
		else if (strcmp(word, "--") == 0)
			only_operands = true;
		else if (!(word[1] == '-' ? parse_long(&parser, word + 2)
					  : parse_short(&parser, word + 1)))
			return false;
	}
	return arguments->help || check_operands(&parser);
}

void mw_arguments_fini(struct mw_arguments *arguments)
{
	free(arguments->operands);
	free(arguments->given);
	*arguments = (struct mw_arguments){ 0 };
}

bool mw_arguments_has(const struct mw_arguments *arguments, const char *option)
{
	for (size_t i = 0; i < arguments->given_count; i++)
		if (strcmp(arguments->given[i].option->name, option) == 0)
			return true;
	return false;
}

const char *mw_arguments_value(const struct mw_arguments *arguments, const char *option,
			       const char *fallback)
{
	for (size_t i = arguments->given_count; i-- > 0;)
		if (strcmp(arguments->given[i].option->name, option) == 0)
			return arguments->given[i].value;
	return fallback;
}

size_t mw_arguments_values(const struct mw_arguments *arguments, const char *option,
			   const char **values)
{
	size_t count = 0;

	for (size_t i = 0; i < arguments->given_count; i++)
		if (strcmp(arguments->given[i].option->name, option) == 0)
			values[count++] = arguments->given[i].value;
	return count;
}

/* Help. */

void mw_print_wrapped(FILE *out, size_t column, size_t indent, const char *text)
{
	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column > indent && column + 1 + word > LINE_COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)word, text);
		column += word;
		text += word;
		if (*text == '\n') {
			fprintf(out, "\n%*s", text[1] && text[1] != '\n' ? (int)indent : 0, "");
			column = indent;
		}
		if (*text)
			text++;
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct mw_option *option)
{
	char left[80];
	int used = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s", option->letter ? '-' : ' ',
			    option->letter ? option->letter : ' ', option->letter ? ", " : "  ",
			    option->name, option->value ? " " : "",
			    option->value ? option->value : "");

	fputs(left, out);
	if (used >= HELP_COLUMN)
		fprintf(out, "\n%*s", HELP_COLUMN, "");
	else
		fprintf(out, "%*s", HELP_COLUMN - used, "");
	mw_print_wrapped(out, HELP_COLUMN, HELP_COLUMN, option->help);
}

static void print_examples(FILE *out, const struct mw_example *example)
{
	if (!example || !example->command)
		return;
	fputs("\nExamples:\n", out);
	for (; example->command; example++) {
		fputs("  # ", out);
		mw_print_wrapped(out, 4, 4, example->what);
		fprintf(out, "  %s\n", example->command);
	}
}

void mw_verb_help(const struct mw_verb *verb, FILE *out)
{
	fprintf(out, "Usage: millwright %s%s%s%s\n\n", verb->name,
		option_count(verb->options) ? " [OPTION...]" : "", *verb->operands ? " " : "",
		verb->operands);
	mw_print_wrapped(out, 0, 0, verb->summary);
	if (verb->details) {
		fputc('\n', out);
		mw_print_wrapped(out, 0, 0, verb->details);
	}
	fputs("\nOptions:\n", out);
	for (const struct mw_option *option = verb->options; option && option->name; option++)
		print_option(out, option);
	for (const struct mw_option *option = mw_common_options; option->name; option++)
		print_option(out, option);
	print_examples(out, verb->examples);
	if (verb->exits) {
		fputs("\nExit status:\n  ", out);
		mw_print_wrapped(out, 2, 2, verb->exits);
	}
}
