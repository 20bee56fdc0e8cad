/** --fix and --diff: applies the edits of findings to texts in memory, until there is nothing to do. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LINT_FIX_H
#define TOOLS_LINT_FIX_H

#include "tools/lint/lint.h"

enum { MW_FIX_ROUNDS = 10 };

/** A file that fixes are for. */
struct mw_fixed_file {
	const char
		*path; /* of the file itself, no symbolic link; as given where there is no file */
	const char *name; /* as the user knows it */
	char *before, *now;
	size_t before_length, now_length;
	const char *skipped; /* why it is left alone; NULL: it may be changed */
	bool changed, told;
	unsigned char *touched; /* of a round: bytes that an edit replaces or borders on */
};

/** The state of one call. Zeroes, then freed by mw_fixing_fini. */
struct mw_fixing {
	struct mw_lint *lint;
	enum mw_fix_safety most; /* SAFE or UNSAFE */
	struct mw_fixed_file *files;
	size_t file_count;
	struct mw_resolve_text *texts;
	const struct mw_resolve_text *given; /* standard input as it came; comes last */
	size_t fixed;                        /* findings whose fix was applied */
	const char *broken;                  /* a fix made this file unreadable: our bug */
	const char *broken_code;             /* the rule */
};

/** Looks, applies and looks again, at most MW_FIX_ROUNDS times. `report` is empty and gets what is
 * left. False when a fix broke a file. */
bool mw_fixing_run(struct mw_fixing *fixing, struct mw_diagnostics *report);
/** How many findings of a report have a fix that would be applied. */
size_t mw_fixing_count(const struct mw_diagnostics *report, enum mw_fix_safety most);
/** How many files have changed. */
size_t mw_fixing_files(const struct mw_fixing *fixing);
/** Writes the files that have changed; says on standard error what could not be written, and which
 * files were left alone. */
bool mw_fixing_write(struct mw_fixing *fixing);
void mw_fixing_tell_skipped(struct mw_fixing *fixing);
/** Prints a unified patch of what would be written. */
void mw_fixing_patch(const struct mw_fixing *fixing, FILE *out);
void mw_fixing_fini(struct mw_fixing *fixing);

/** The difference of two texts as a unified patch with 3 lines of context; nothing when equal. */
void mw_patch_print(FILE *out, const char *name, const char *before, size_t before_length,
		    const char *after, size_t after_length);

#endif
