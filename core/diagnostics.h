/** What is wrong with what the reader wrote: collected whole, sorted, printed once. */
// SPDX-License-Identifier: MIT
#ifndef CORE_DIAGNOSTICS_H
#define CORE_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/alloc.h"

enum mw_severity { MW_SEVERITY_ERROR, MW_SEVERITY_WARNING, MW_SEVERITY_HINT };

/** A stretch of one source. `source` is the number mw_diagnostics_source gave, 0 for "no place".
 * Offsets count bytes; lines and columns are worked out when printing. */
struct mw_span {
	uint32_t source;
	uint32_t byte;
	uint32_t length;
};

struct mw_source {
	const char *name; /* as the user wrote it */
	const char *text;
	size_t length;
	struct mw_source_index *index; /* made by the first print */
};

/** Another place that belongs to the story, or (span.source == 0) a plain `= note:` line. */
struct mw_diag_note {
	struct mw_diag_note *next;
	struct mw_span span;
	const char *text;
};

/** How far a fix may be trusted. SAFE never changes what a guest sees and never guesses; UNSAFE may do
 * either; PLACEHOLDER leaves something for a person to fill in, so it is shown and never applied. */
enum mw_fix_safety { MW_FIX_SAFE, MW_FIX_UNSAFE, MW_FIX_PLACEHOLDER };

/** Replaces the bytes of a span (empty: inserts before them). */
struct mw_fix_edit {
	struct mw_fix_edit *next;
	struct mw_span span;
	const char *text;
};
struct mw_fix {
	enum mw_fix_safety safety;
	struct mw_fix_edit *edits; /* in the order they were added; they do not touch one another */
};

/** Why a finding is not shown and does not count. */
enum mw_diag_hidden { MW_DIAG_SHOWN, MW_DIAG_ALLOWED, MW_DIAG_BASELINE };

/** One finding. Created by mw_diagnostics_add, lives in the list's arena. */
struct mw_diag {
	enum mw_severity severity;
	const char *code; /* stable, see `millwright explain`; "" for host trouble without a rule */
	struct mw_span span;
	const char *message;        /* lower case, no advice */
	const char *label;          /* text beside the caret; NULL for none */
	const char *node;           /* path in the profile such as /devices/com1/irq, or NULL */
	const char *help;           /* the cure, or NULL */
	struct mw_diag_note *notes; /* in the order they were added */
	struct mw_fix *fix;         /* what would mend it, or NULL */
	enum mw_diag_hidden hidden; /* suppressed: kept for the formats that list those */
	const char *reason;         /* of what was hidden by a directive */
	size_t order;               /* of adding; breaks ties when sorting */
};

/** The list. Initialise with zeroes; one thread at a time; free with mw_diagnostics_fini. Source
 * texts are copied in, so spans stay valid as long as the list. */
struct mw_diagnostics {
	struct mw_arena arena;
	struct mw_source *sources;
	size_t source_count;
	struct mw_diag **items;
	size_t count, capacity;
	size_t errors, warnings;
};

void mw_diagnostics_fini(struct mw_diagnostics *diagnostics);

/** Adds a source and returns its number (from 1). */
uint32_t mw_diagnostics_source(struct mw_diagnostics *diagnostics, const char *name,
			       const char *text, size_t length);

/** Adds a finding; returns it, borrowed, so that notes can follow. */
struct mw_diag *mw_diagnostics_add(struct mw_diagnostics *diagnostics, enum mw_severity severity,
				   const char *code, struct mw_span span, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void mw_diag_label(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *format,
		   ...) __attribute__((format(printf, 3, 4)));
void mw_diag_note(struct mw_diagnostics *diagnostics, struct mw_diag *diag, struct mw_span span,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
void mw_diag_help(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Adds one edit to the finding's fix, which is made by the first call. `text` replaces the span. */
void mw_diag_fix(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		 enum mw_fix_safety safety, struct mw_span span, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/** Hides a finding: it no longer counts as an error or a warning. `reason` is copied; may be NULL. */
void mw_diag_hide(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		  enum mw_diag_hidden hidden, const char *reason);

/** Stable order: source, byte, code, order of adding. Sources sort in the order they were added. */
void mw_diagnostics_sort(struct mw_diagnostics *diagnostics);
/** Sorts, and of findings of one code at one place about nodes that differ in a number alone, as
 * those of one `count` do, keeps the first with a note that says how many there are. */
void mw_diagnostics_fold(struct mw_diagnostics *diagnostics);

enum mw_diag_format {
	MW_DIAG_FULL,
	MW_DIAG_CONCISE,
	MW_DIAG_JSON,
	MW_DIAG_JSONL,
	MW_DIAG_SARIF,
	MW_DIAG_GITHUB,
	MW_DIAG_JUNIT
};

/** Sorts and prints all that is not hidden. FULL shows excerpts with a caret at both parties and what
 * a fix would write; CONCISE is one `file:line:col: E CODE text` line each; JSON is an array of
 * objects, JSONL one a line; SARIF is one run of version 2.1.0 and alone lists what is hidden; GITHUB
 * are workflow commands; JUNIT has a suite for each source. */
void mw_diagnostics_print(struct mw_diagnostics *diagnostics, FILE *out, enum mw_diag_format format,
			  bool colour);

/** One place as findings show theirs: where it is, its line, a caret and a text beside it (NULL: none).
 * Nothing for a span without a source. */
void mw_diagnostics_excerpt(struct mw_diagnostics *diagnostics, FILE *out, struct mw_span span,
			    const char *label, bool colour);

enum { MW_FINGERPRINT = 33 };
/** What stays the same when lines move: a hash of code, node path and message as 32 hex digits. */
void mw_diag_fingerprint(const struct mw_diag *diag, char text[MW_FINGERPRINT]);

/** Makes every later mw_source_position cost O(log n): for who asks for the places of thousands. */
void mw_diagnostics_index(struct mw_diagnostics *diagnostics);

/** Makes positions in a source of the list quick from then on; for those who ask for many. */
void mw_source_make_index(struct mw_diagnostics *diagnostics, struct mw_source *source);
/** 1-based line and code-point column of a byte offset. */
void mw_source_position(const struct mw_source *source, size_t byte, unsigned *line,
			unsigned *column);

/** A rule: `severity` is what its findings have unless told otherwise. */
struct mw_rule {
	const char *code, *name;
	enum mw_severity severity;
};
/** All rules in order: NULL gives the first, the last gives NULL. */
const struct mw_rule *mw_rule_next(const struct mw_rule *rule);
/** The rule's name for a code of lint.md ("R304": "shared-irq"), or NULL. */
const char *mw_rule_name(const char *code);
/** Whether a rule's code begins with this (`R3`); not for an empty text. */
bool mw_rule_begins(const char *text);

/** Edit distance of two names, cut off above `limit` (returns limit + 1 then). For "did you mean". */
unsigned mw_edit_distance(const char *a, const char *b, unsigned limit);
/** The same, or UINT_MAX where `name` is not what somebody who wrote `wrong` can have meant: more
 * than 2 edits away, more than 1 from a word of up to 3 letters, or equal. */
unsigned mw_near_distance(const char *wrong, const char *name);

#endif
