/** Verbs and their options as tables: parsing, --help, later man pages and completions. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct mw_arguments;

/** Exit codes of every verb; `run` also passes on the guest's own. BUG is a mistake of ours. */
enum mw_exit { MW_EXIT_OK = 0, MW_EXIT_FAILED = 1, MW_EXIT_USAGE = 2, MW_EXIT_BUG = 3 };

/** One option. Constant; owned by its verb's file. */
struct mw_option {
	const char *name;           /* without the dashes */
	char letter;                /* short form, 0: none */
	const char *value;          /* what help calls the value; NULL: a switch */
	const char *const *choices; /* the values allowed, ended by NULL; NULL: any */
	bool repeats;               /* may be given more than once */
	const char *help;
};

struct mw_example {
	const char *command, *what;
};

/** One word of the command. Constant; `run` NULL is a verb that is planned but not there yet. */
struct mw_verb {
	const char *name, *summary;
	const char *operands; /* as the usage line shows them; "" for none */
	size_t min_operands, max_operands;
	const struct mw_option *options; /* ended by a row without name; NULL: none */
	const char *details;             /* paragraphs for --help, split by newlines; may be NULL */
	const struct mw_example *examples; /* ended by a row without command */
	const char *exits;                 /* what the exit code says */
	int (*run)(const struct mw_arguments *arguments);
};

/** One option as it was given; `value` is NULL for a switch. Points into argv. */
struct mw_argument {
	const struct mw_option *option;
	const char *value;
};

/** A parsed command line. Filled by mw_arguments_parse, freed by mw_arguments_fini. */
struct mw_arguments {
	const struct mw_verb *verb;
	const char **operands;
	size_t operand_count;
	struct mw_argument *given;
	size_t given_count;
	bool help; /* -h or --help: nothing else was checked */
};

/** Parses what follows the verb. On false a message is on `errors` and fini is still due. */
bool mw_arguments_parse(struct mw_arguments *arguments, const struct mw_verb *verb, int argc,
			char **argv, FILE *errors);
void mw_arguments_fini(struct mw_arguments *arguments);

bool mw_arguments_has(const struct mw_arguments *arguments, const char *option);
/** The last value given, or `fallback`. */
const char *mw_arguments_value(const struct mw_arguments *arguments, const char *option,
			       const char *fallback);
/** Every value given, in order, into `values` (room for given_count); returns how many. */
size_t mw_arguments_values(const struct mw_arguments *arguments, const char *option,
			   const char **values);

/** The whole --help of one verb. */
void mw_verb_help(const struct mw_verb *verb, FILE *out);
/** Options that every verb has, ended by a row without name. */
extern const struct mw_option mw_common_options[];

/** Prints words broken at 80 columns; the first line starts where the caller stopped (`column`),
 * later ones at `indent`. Newlines in the text are kept. */
void mw_print_wrapped(FILE *out, size_t column, size_t indent, const char *text);

/** The nearest of `names` (ended by NULL) within edit distance 2, or NULL. */
const char *mw_nearest_name(const char *wrong, const char *const *names);
/** Ends a line on standard error: with "; did you mean `PREFIXNAME`?" unless `nearest` is NULL. */
void mw_end_with_nearest(const char *prefix, const char *nearest);

#endif
