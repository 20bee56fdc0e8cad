/** One call of `lint`: what it looks at and with which settings; private to tools/lint/. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LINT_LINT_H
#define TOOLS_LINT_LINT_H

#include "tools/lint/config.h"
#include "tools/lint/merge.h"
#include "tools/lint/select.h"
#include "tools/profile.h"

/** A file to look at. */
struct mw_operand {
	const char *profile; /* as resolver.h has it */
	bool any_format;     /* it is not a machine */
	bool named;          /* on the command line, by its path */
	const struct mw_config *config;
};

/** On the stack of the verb; zeroes and mw_lint_init, then mw_lint_fini. One thread. */
struct mw_lint {
	const struct mw_arguments *arguments;
	struct mw_workshop workshop;
	struct mw_selection selection;
	struct mw_config **configs; /* those read; the first is of no file */
	size_t config_count;
	struct mw_operand *operands;
	size_t operand_count, operand_room;
	const struct mw_resolve_text *texts; /* what --fix has changed so far; borrowed */
	size_t text_count;
	char *standard_input; /* its text, where `-` was an operand */
	size_t standard_input_length;
	bool unreadable;               /* a file that was asked for could not be read */
	size_t combinations, refused;  /* of parameters */
	const char **folders, **given; /* of the latest study */
	struct mw_arena arena;
};

/** Reads the command line. False after a message: usage. */
bool mw_lint_init(struct mw_lint *lint, const struct mw_arguments *arguments);
void mw_lint_fini(struct mw_lint *lint);

/** Makes the list of operands from the words of the command line: names, files, folders, `-`. False
 * after a message, or after printing what is wrong with a config. */
bool mw_lint_operands(struct mw_lint *lint);
/** The config for a folder; NULL after printing what is wrong with it. */
const struct mw_config *mw_lint_config(struct mw_lint *lint, const char *folder);

/** One look at one operand, with further settings ("usb=true") for its parameters: directives and
 * selection applied. The study is the caller's to close, before the next. */
struct mw_study *mw_lint_study(struct mw_lint *lint, const struct mw_operand *operand,
			       const char *const *sets, size_t set_count,
			       struct mw_diagnostics *diagnostics);

/** Looks at every operand and merges what is found into `report`, which is empty. */
void mw_lint_look(struct mw_lint *lint, struct mw_diagnostics *report);

/** Looks at one operand with every pair of values of its bool and enum parameters. */
void mw_lint_sweep(struct mw_lint *lint, const struct mw_operand *operand, struct mw_merge *merge);

#endif
