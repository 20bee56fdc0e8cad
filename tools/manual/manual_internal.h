/** What the writers of man pages share, and what those of completions share. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_MANUAL_MANUAL_INTERNAL_H
#define TOOLS_MANUAL_MANUAL_INTERNAL_H

#include "tools/manual/manual.h"

/* roff.c */

/** ".TH" and the rest of a page's head, up to NAME. `name` has no section. */
void mw_roff_head(FILE *out, const char *name, const char *section, const char *summary);
void mw_roff_section(FILE *out, const char *title);
/** Text inside a line: escaped, what stands in backquotes is bold. */
void mw_roff_words(FILE *out, const char *text);
/** Literal text inside a line: escaped, `-` is the sign of options. */
void mw_roff_literal(FILE *out, const char *text);
/** Paragraphs: newlines are kept, indented lines are shown as they are. */
void mw_roff_text(FILE *out, const char *text);
/** An indented line of code. */
void mw_roff_code(FILE *out, const char *text);

/* completion.c */

/** What a word on the command line can be completed to. */
enum mw_word_kind {
	MW_WORD_NONE,
	MW_WORD_FILE,
	MW_WORD_PROFILE, /* a file or a name from the search path */
	MW_WORD_TYPE,
	MW_WORD_VERB,
	MW_WORD_FORMAT,
	MW_WORD_CODE,
	MW_WORD_ACCEL,
	MW_WORD_SHELL
};
/** The kind of an option's value; those with choices have theirs. */
enum mw_word_kind mw_completion_value(const struct mw_option *option);
/** The kinds of a verb's operands as a mask of 1u << kind. */
unsigned mw_completion_operands(const struct mw_verb *verb);
/** The words that stand for themselves in a verb's operands: "freeze" of "freeze PROFILE". */
void mw_completion_literals(FILE *out, const struct mw_verb *verb, const char *before,
			    const char *after);
/** Every word of a kind that is known beforehand, each with `before` and `after`. */
void mw_completion_words(FILE *out, enum mw_word_kind kind, const struct mw_registry *registry,
			 const char *before, const char *after);

void mw_completion_bash(const struct mw_registry *registry, FILE *out);
void mw_completion_zsh(const struct mw_registry *registry, FILE *out);
void mw_completion_fish(const struct mw_registry *registry, FILE *out);

#endif
