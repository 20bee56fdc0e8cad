/* Applies fixes round by round. */
// SPDX-License-Identifier: MIT
#include "tools/lint/fix.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/read.h"
#include "tools/texts.h"

#define NO_FILE SIZE_MAX

struct round {
	struct mw_fixing *fixing;
	struct mw_diagnostics *report;
	size_t *files; /* of each source: its file's index plus 1, NO_FILE, or 0: not looked for yet */
	struct mw_diag **accepted;
	size_t count;
};

/* Which files are the user's. */

static bool is_same(const char *name, const char *path)
{
	char *real = realpath(name, NULL);
	bool same = real && strcmp(real, path) == 0;

	free(real);
	return same;
}

/* Only what was named: a base may belong to others, who would not expect it. */
static const char *why_skipped(const struct mw_lint *lint, const char *path)
{
	for (size_t i = 0; i < lint->operand_count; i++)
		if (lint->operands[i].named && is_same(lint->operands[i].profile, path))
			return NULL;
	for (size_t i = 0; i < lint->arguments->given_count; i++) {
		const struct mw_argument *given = &lint->arguments->given[i];

		if (strcmp(given->option->name, "overlay") == 0 && is_same(given->value, path))
			return NULL;
	}
	return "it was not named; lint it by itself";
}

static size_t find_file(struct mw_fixing *fixing, const char *path)
{
	for (size_t i = 0; i < fixing->file_count; i++) {
		if (strcmp(fixing->files[i].path, path) == 0)
			return i + 1;
	}
	return 0;
}

static size_t add_file(struct mw_fixing *fixing, const char *path, const struct mw_source *source)
{
	struct mw_arena *arena = &fixing->lint->arena;
	char *real = realpath(path, NULL);

	fixing->files = mw_grow(fixing->files, fixing->file_count + 1, sizeof(*fixing->files));
	fixing->files[fixing->file_count++] = (struct mw_fixed_file){
		.path = mw_arena_strdup(arena, path),
		.name = mw_arena_strdup(arena, source->name),
		.before = mw_arena_strndup(arena, source->text, source->length),
		.before_length = source->length,
		.now = mw_arena_strndup(arena, source->text, source->length),
		.now_length = source->length,
		.skipped = real ? why_skipped(fixing->lint, real) : NULL,
	};
	free(real);
	return fixing->file_count;
}

static bool is_as_opened(const struct mw_fixed_file *file, const struct mw_source *source)
{
	return file->now_length == source->length &&
	       memcmp(file->now, source->text, source->length) == 0;
}

static size_t open_file(struct mw_fixing *fixing, const struct mw_source *source)
{
	char *real = realpath(source->name, NULL);
	const char *path = real ? real : source->name;
	size_t number = 0;

	if (real || fixing->lint->standard_input) {
		number = find_file(fixing, path);
		if (!number)
			number = add_file(fixing, path, source);
		if (!is_as_opened(&fixing->files[number - 1], source))
			number = 0;
	}
	free(real);
	return number;
}

/* The file of a source; 0 for one that is none, or that is not as it was when it was opened. */
static size_t file_of(struct round *round, uint32_t number)
{
	size_t *known = &round->files[number - 1];

	if (*known == 0) {
		*known = open_file(round->fixing, &round->report->sources[number - 1]);
		if (*known == 0)
			*known = NO_FILE;
	}
	return *known == NO_FILE ? 0 : *known;
}

/* Accepting. */

static bool is_wanted(const struct mw_diag *diag, enum mw_fix_safety most)
{
	return diag->hidden == MW_DIAG_SHOWN && diag->fix && diag->fix->edits &&
	       diag->fix->safety <= most && diag->fix->safety != MW_FIX_PLACEHOLDER;
}

static bool fits(struct round *round, const struct mw_fix_edit *edit)
{
	size_t number = edit->span.source ? file_of(round, edit->span.source) : 0;
	struct mw_fixed_file *file = number ? &round->fixing->files[number - 1] : NULL;

	if (!file || file->skipped) {
		if (file)
			file->told = true;
		return false;
	}
	size_t end = (size_t)edit->span.byte + edit->span.length;

	if (end > file->now_length)
		return false;
	if (!file->touched)
		file->touched = mw_alloc(file->now_length + 1, 1);
	return !memchr(file->touched + edit->span.byte, 1, edit->span.length + 1u);
}

/* A fix is taken whole or waits for the next round. */
static void consider(struct round *round, struct mw_diag *diag)
{
	const struct mw_fix_edit *edit;

	for (edit = diag->fix->edits; edit; edit = edit->next) {
		if (!fits(round, edit))
			return;
	}
	for (edit = diag->fix->edits; edit; edit = edit->next) {
		struct mw_fixed_file *file =
			&round->fixing->files[round->files[edit->span.source - 1] - 1];

		memset(file->touched + edit->span.byte, 1, edit->span.length + 1u);
	}
	round->accepted[round->count++] = diag;
}

/* Applying. */

struct edits {
	const struct mw_fix_edit **items;
	size_t count;
};

static int by_byte(const void *left, const void *right)
{
	const struct mw_fix_edit *a = *(const struct mw_fix_edit *const *)left;
	const struct mw_fix_edit *b = *(const struct mw_fix_edit *const *)right;

	return a->span.byte < b->span.byte ? -1 : a->span.byte > b->span.byte;
}

static struct edits edits_of(const struct round *round, size_t file)
{
	struct edits edits = { 0 };

	for (size_t i = 0; i < round->count; i++) {
		for (const struct mw_fix_edit *edit = round->accepted[i]->fix->edits; edit;
		     edit = edit->next) {
			if (round->files[edit->span.source - 1] != file)
				continue;
			if ((edits.count & (edits.count + 1)) == 0)
				edits.items = mw_grow(edits.items, 2 * edits.count + 2,
						      sizeof(edits.items[0]));
			edits.items[edits.count++] = edit;
		}
	}
	if (edits.count)
		qsort(edits.items, edits.count, sizeof(edits.items[0]), by_byte);
	return edits;
}

static char *edited(const struct mw_fixed_file *file, const struct edits *edits, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	size_t at = 0;

	for (size_t i = 0; i < edits->count; i++) {
		const struct mw_fix_edit *edit = edits->items[i];

		fwrite(file->now + at, 1, edit->span.byte - at, out);
		fputs(edit->text, out);
		at = (size_t)edit->span.byte + edit->span.length;
	}
	fwrite(file->now + at, 1, file->now_length - at, out);
	fclose(out);
	return text;
}

/* How many traps of the reader are in a text; SIZE_MAX when it is not read to its end. */
static size_t count_traps(const char *text, size_t length)
{
	struct mw_arena arena = { 0 };
	struct mw_diagnostics diagnostics = { 0 };
	const struct mw_tree *root = mw_read(&arena, &diagnostics, "", text, length);
	size_t count = root ? diagnostics.errors : SIZE_MAX;

	mw_diagnostics_fini(&diagnostics);
	mw_arena_fini(&arena);
	return count;
}

static bool apply_to(struct round *round, size_t number)
{
	struct mw_fixing *fixing = round->fixing;
	struct mw_fixed_file *file = &fixing->files[number - 1];
	struct edits edits = edits_of(round, number);
	bool good = true;

	if (edits.count) {
		size_t length;
		char *text = edited(file, &edits, &length);

		good = count_traps(text, length) <= count_traps(file->now, file->now_length);
		file->now = mw_arena_strndup(&fixing->lint->arena, text, length);
		file->now_length = length;
		file->changed = true;
		free(text);
	}
	free(edits.items);
	return good;
}

static bool apply(struct round *round)
{
	struct mw_fixing *fixing = round->fixing;

	for (size_t i = 1; i <= fixing->file_count; i++) {
		if (!apply_to(round, i)) {
			fixing->broken = fixing->files[i - 1].name;
			fixing->broken_code =
				mw_arena_strdup(&fixing->lint->arena, round->accepted[0]->code);
			return false;
		}
	}
	fixing->fixed += round->count;
	return true;
}

/* The resolver reads what has changed from memory. */
static void give_texts(struct mw_fixing *fixing)
{
	struct mw_lint *lint = fixing->lint;
	size_t count = 0;

	free(fixing->texts);
	fixing->texts = mw_alloc(fixing->file_count + 1, sizeof(*fixing->texts));
	if (lint->standard_input && !fixing->given)
		fixing->given = lint->texts;
	for (size_t i = 0; i < fixing->file_count; i++) {
		const struct mw_fixed_file *file = &fixing->files[i];

		fixing->texts[count++] = (struct mw_resolve_text){ .path = file->path,
								   .text = file->now,
								   .length = file->now_length };
	}
	if (fixing->given)
		fixing->texts[count++] = *fixing->given;
	lint->texts = fixing->texts;
	lint->text_count = count;
}

static bool play_round(struct mw_fixing *fixing, struct mw_diagnostics *report, bool *more)
{
	struct round round = { .fixing = fixing, .report = report };
	bool good = true;

	mw_diagnostics_sort(report);
	round.files = mw_alloc(report->source_count + 1, sizeof(*round.files));
	round.accepted = mw_alloc(report->count + 1, sizeof(struct mw_diag *));
	for (size_t i = 0; i < report->count; i++) {
		if (is_wanted(report->items[i], fixing->most))
			consider(&round, report->items[i]);
	}
	*more = round.count > 0;
	if (*more)
		good = apply(&round);
	for (size_t i = 0; i < fixing->file_count; i++) {
		free(fixing->files[i].touched);
		fixing->files[i].touched = NULL;
	}
	free(round.accepted);
	free(round.files);
	return good;
}

bool mw_fixing_run(struct mw_fixing *fixing, struct mw_diagnostics *report)
{
	mw_lint_look(fixing->lint, report);
	for (unsigned i = 0; i < MW_FIX_ROUNDS; i++) {
		bool more;

		if (!play_round(fixing, report, &more))
			return false;
		if (!more)
			return true;
		give_texts(fixing);
		mw_diagnostics_fini(report);
		mw_lint_look(fixing->lint, report);
	}
	fprintf(stderr, "millwright lint: stopped after %d rounds of fixes\n", MW_FIX_ROUNDS);
	return true;
}

size_t mw_fixing_count(const struct mw_diagnostics *report, enum mw_fix_safety most)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += is_wanted(report->items[i], most);
	return count;
}

size_t mw_fixing_files(const struct mw_fixing *fixing)
{
	size_t count = 0;

	for (size_t i = 0; i < fixing->file_count; i++)
		count += fixing->files[i].changed;
	return count;
}

void mw_fixing_tell_skipped(struct mw_fixing *fixing)
{
	for (size_t i = 0; i < fixing->file_count; i++) {
		const struct mw_fixed_file *file = &fixing->files[i];

		if (file->told)
			fprintf(stderr, "millwright lint: %s is left alone: %s\n", file->name,
				file->skipped);
	}
}

bool mw_fixing_write(struct mw_fixing *fixing)
{
	bool good = true;

	for (size_t i = 0; i < fixing->file_count; i++) {
		const struct mw_fixed_file *file = &fixing->files[i];
		const char *why;

		if (!file->changed || mw_text_replace(file->path, file->before, file->before_length,
						      file->now, file->now_length, &why))
			continue;
		fprintf(stderr, "millwright lint: cannot write %s: %s\n", file->name, why);
		good = false;
	}
	return good;
}

void mw_fixing_patch(const struct mw_fixing *fixing, FILE *out)
{
	for (size_t i = 0; i < fixing->file_count; i++) {
		const struct mw_fixed_file *file = &fixing->files[i];

		if (file->changed)
			mw_patch_print(out, file->name, file->before, file->before_length,
				       file->now, file->now_length);
	}
}

void mw_fixing_fini(struct mw_fixing *fixing)
{
	free(fixing->files);
	free(fixing->texts);
	*fixing = (struct mw_fixing){ 0 };
}
