/* One look at each operand. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/allow.h"
#include "resolver/front.h"
#include "tools/abi/abi.h"
#include "tools/lint/lint.h"

/* As many older versions of one file are looked at. */
enum { MOST_VERSIONS = 64 };

/* The --set options and then the further ones. */
static void give(struct mw_lint *lint, const char *const *sets, size_t set_count)
{
	struct mw_resolve_options *options = &lint->workshop.options;
	size_t count = options->set_count;

	free(lint->given);
	lint->given = mw_alloc(count + set_count + 1, sizeof(*lint->given));
	for (size_t i = 0; i < count; i++)
		lint->given[i] = options->sets[i];
	for (size_t i = 0; i < set_count; i++)
		lint->given[count + i] = sets[i];
	options->sets = lint->given;
	options->set_count = count + set_count;
}

struct mw_study *mw_lint_study(struct mw_lint *lint, const struct mw_operand *operand,
			       const char *const *sets, size_t set_count,
			       struct mw_diagnostics *diagnostics)
{
	struct mw_resolve_options *options = &lint->workshop.options;

	mw_workshop_prepare(&lint->workshop, operand->profile, lint->arguments);
	give(lint, sets, set_count);
	free(lint->folders);
	lint->folders = mw_search_with(&lint->workshop.search, operand->config->profile_path,
				       &options->search_count);
	options->search = lint->folders;
	options->texts = lint->texts;
	options->text_count = lint->text_count;
	options->any_format = operand->any_format;
	options->stand_ins = true;
	options->lint = true;
	struct mw_study *study = mw_study_open(options, diagnostics);

	if (!set_count) /* once, not for each combination of parameters */
		mw_abi_check(options, study, diagnostics);
	lint->unreadable |= mw_workshop_unreadable(diagnostics, 0);
	mw_allow_apply(diagnostics, study, MW_ALLOW_ALL);
	mw_selection_apply(&lint->selection, operand->config, diagnostics);
	return study;
}

/* Where a profile says what its older versions looked like. */
struct past {
	const char *source; /* the file's name */
	uint32_t from, to;
	const char *versions[MOST_VERSIONS];
	size_t count;
};

static void find_past(struct mw_lint *lint, const struct mw_study *study,
		      const struct mw_diagnostics *found, struct past *past)
{
	const struct mw_file *file = study->document.front ? study->document.front->profile : NULL;
	struct mw_tree *history = file && file->root ? mw_tree_get(file->root, "history") : NULL;

	if (!history || history->kind != MW_TREE_MAP || history->failed)
		return;
	past->source = mw_arena_strdup(&lint->arena, found->sources[history->span.source - 1].name);
	past->from = history->span.byte;
	past->to = history->span.byte + history->span.length;
	for (struct mw_tree *entry = history->first; entry && past->count < MOST_VERSIONS;
	     entry = entry->next)
		past->versions[past->count++] = mw_arena_strdup(&lint->arena, entry->key);
}

/* What is wrong in an entry of `history` shows only in that version. */
static void look_back(struct mw_lint *lint, const struct mw_operand *operand,
		      const struct past *past, const char *version, struct mw_merge *merge)
{
	struct mw_diagnostics found = { 0 };
	struct mw_operand old = *operand;

	old.profile = mw_arena_printf(&lint->arena, "%s@%s", operand->profile, version);
	mw_study_close(mw_lint_study(lint, &old, NULL, 0, &found));
	mw_merge_begin(merge, &found);
	for (size_t i = 0; i < found.count; i++) {
		const struct mw_diag *diag = found.items[i];

		if (diag->severity == MW_SEVERITY_ERROR && diag->span.source &&
		    strcmp(found.sources[diag->span.source - 1].name, past->source) == 0 &&
		    diag->span.byte >= past->from && diag->span.byte < past->to)
			mw_merge_add(merge, diag);
	}
	mw_diagnostics_fini(&found);
}

static void look_once(struct mw_lint *lint, const struct mw_operand *operand,
		      struct mw_merge *merge)
{
	struct mw_diagnostics found = { 0 };
	struct past past = { 0 };
	struct mw_study *study = mw_lint_study(lint, operand, NULL, 0, &found);

	if (study->plan && !strchr(operand->profile, '@'))
		find_past(lint, study, &found, &past);
	mw_study_close(study);
	mw_merge_begin(merge, &found);
	for (size_t i = 0; i < found.count; i++)
		mw_merge_add(merge, found.items[i]);
	mw_diagnostics_fini(&found);
	for (size_t i = 0; i < past.count; i++)
		look_back(lint, operand, &past, past.versions[i], merge);
}

void mw_lint_look(struct mw_lint *lint, struct mw_diagnostics *report)
{
	bool sweep = mw_arguments_has(lint->arguments, "all-params");
	struct mw_merge merge = { .out = report };

	lint->combinations = lint->refused = 0;
	for (size_t i = 0; i < lint->operand_count; i++) {
		if (sweep && !lint->operands[i].any_format)
			mw_lint_sweep(lint, &lint->operands[i], &merge);
		else
			look_once(lint, &lint->operands[i], &merge);
	}
	mw_merge_fini(&merge);
}
