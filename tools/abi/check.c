/* Rule C702: a frozen version is what it was. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/trust.h"
#include "resolver/front.h"
#include "tools/abi/abi.h"
#include "tools/diff/diff.h"

enum { CHANGES_TOLD = 5 };

void mw_abi_hash(const char *text, size_t length, char hash[65])
{
	uint8_t bytes[32];

	mw_sha256(text, length, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(hash + 2 * i, 3, "%02x", bytes[i]);
}

char *mw_abi_view(const struct mw_resolve_options *options, const char *path, uint64_t version,
		  const struct mw_abi_row *row, size_t *length, struct mw_diagnostics *found)
{
	struct mw_resolve_options own = {
		.profile = path,
		.sets = row->sets,
		.set_count = row->set_count,
		.search = options->search,
		.search_count = options->search_count,
		.registry = options->registry,
		.texts = options->texts,
		.text_count = options->text_count,
		.stand_ins = true,
		.allow_deprecated = true,
	};
	struct mw_arena arena = { 0 };
	struct mw_plan *plan = NULL;
	char *text = NULL;

	if (version)
		own.profile = mw_arena_printf(&arena, "%s@%" PRIu64, path, version);
	if (mw_resolve(&plan, &own, found))
		text = mw_diff_guest_text(plan, length);
	mw_plan_destroy(plan);
	mw_arena_fini(&arena);
	return text;
}

/* A version under examination. */
struct check {
	const struct mw_resolve_options *options;
	struct mw_diagnostics *diagnostics;
	const char *name, *path;
	uint64_t number, current;
	struct mw_tree *version; /* the profile's key, or NULL */
	struct mw_span span;     /* of the version that is checked, in the profile */
};

static const char *with_words(struct check *check, const struct mw_abi_row *row)
{
	struct mw_arena *arena = &check->diagnostics->arena;
	const char *words = "";

	for (size_t i = 0; i < row->set_count; i++)
		words = mw_arena_printf(arena, "%s%s%s", words, i ? ", " : " with ", row->sets[i]);
	return words;
}

/* What comes or goes as a whole is told once. */
static bool repeats(const struct mw_change *change, const struct mw_change *before)
{
	return change->whole && *change->name && before->section == change->section &&
	       !strcmp(before->name, change->name);
}

static void tell_changes(struct check *check, struct mw_diag *diag, const struct mw_abi_row *row,
			 const char *text, size_t length)
{
	size_t told = 0;
	struct mw_diff diff;

	mw_diff_texts(&diff, row->text, strlen(row->text), text, length);
	for (size_t i = 0; i < diff.guest.count; i++) {
		const struct mw_change *change = &diff.guest.items[i];

		if ((i && repeats(change, change - 1)) || told++ >= CHANGES_TOLD)
			continue;
		mw_diag_note(check->diagnostics, diag, (struct mw_span){ 0 }, "%s",
			     mw_change_words(&diff.arena, change));
	}
	if (told > CHANGES_TOLD)
		mw_diag_note(check->diagnostics, diag, (struct mw_span){ 0 }, "and %zu more",
			     told - CHANGES_TOLD);
	mw_diff_fini(&diff);
}

static void tell(struct check *check, const struct mw_abi_row *row, const char *text, size_t length)
{
	struct mw_diag *diag =
		mw_diagnostics_add(check->diagnostics, MW_SEVERITY_ERROR, "C702", check->span,
				   "`%s@%" PRIu64 "` is frozen, and its guest would notice a "
				   "change%s",
				   check->name, check->number, with_words(check, row));

	mw_diag_label(check->diagnostics, diag, "no longer what was frozen");
	if (row->span.source)
		mw_diag_note(check->diagnostics, diag, row->span, "frozen here");
	if (row->text)
		tell_changes(check, diag, row, text, length);
	if (check->number != check->current) {
		mw_diag_help(check->diagnostics, diag,
			     "say in `history: { %" PRIu64 ": ... }` what that version looked like",
			     check->number);
		return;
	}
	mw_diag_help(check->diagnostics, diag,
		     "make it version %" PRIu64 ", or take the change back", check->current + 1);
	if (check->version && check->version->kind == MW_TREE_SCALAR && !check->version->quoted)
		mw_diag_fix(check->diagnostics, diag, MW_FIX_UNSAFE, check->version->span,
			    "%" PRIu64, check->current + 1);
}

static void tell_gone(struct check *check, const struct mw_abi_row *row,
		      const struct mw_diagnostics *found)
{
	bool old = check->number != check->current;
	struct mw_diag *diag = mw_diagnostics_add(
		check->diagnostics, old ? MW_SEVERITY_HINT : MW_SEVERITY_ERROR, "C702", check->span,
		"`%s@%" PRIu64 "` is frozen and does not resolve%s", check->name, check->number,
		with_words(check, row));

	if (row->span.source)
		mw_diag_note(check->diagnostics, diag, row->span, "frozen here");
	for (size_t i = 0; i < found->count; i++) {
		if (found->items[i]->severity != MW_SEVERITY_ERROR)
			continue;
		mw_diag_note(check->diagnostics, diag, (struct mw_span){ 0 }, "%s",
			     found->items[i]->message);
		break;
	}
}

/* False when the row is not as it was. */
static bool check_row(struct check *check, const struct mw_abi_row *row)
{
	struct mw_diagnostics found = { 0 };
	size_t length = 0;
	char hash[65] = "";
	char *text = mw_abi_view(check->options, check->path,
				 check->number == check->current ? 0 : check->number, row, &length,
				 &found);
	bool same;

	if (text)
		mw_abi_hash(text, length, hash);
	same = text && !strcmp(hash, row->sha256);
	if (!text)
		tell_gone(check, row, &found);
	else if (!same)
		tell(check, row, text, length);
	free(text);
	mw_diagnostics_fini(&found);
	return same;
}

/* The profile's own file, whichever of its versions the study is of. */
static const struct mw_file *file_of(const struct mw_study *study)
{
	const struct mw_file *file = study->document.front ? study->document.front->profile : NULL;

	return file && file->newest ? file->newest : file;
}

bool mw_abi_check_version(const struct mw_resolve_options *options, struct mw_study *study,
			  const struct mw_abi_version *version, struct mw_diagnostics *diagnostics)
{
	const struct mw_file *file = file_of(study);
	struct mw_tree *key = mw_tree_get(file->root, "version"), *body;
	struct check check = {
		.options = options,
		.diagnostics = diagnostics,
		.name = study->document.name ? study->document.name : "",
		.path = file->path,
		.number = version->number,
		.current = file->version,
		.version = key,
		.span = key ? key->span : file->root->span,
	};
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, version->number);
	body = mw_tree_get(mw_tree_get(file->root, "history"), digits);
	if (body && version->number != file->version)
		check.span = body->key_span;
	/* One finding a version: what one row shows, the others repeat. */
	for (size_t i = 0; i < version->row_count; i++) {
		if (version->rows[i]->sha256[0] && !check_row(&check, version->rows[i]))
			return false;
	}
	return true;
}

void mw_abi_check(const struct mw_resolve_options *options, struct mw_study *study,
		  struct mw_diagnostics *diagnostics)
{
	const struct mw_file *file = file_of(study);
	struct mw_abi abi = { 0 };
	bool unusable;

	if (!file || !study->plan || strcmp(file->format->name, "machine") != 0)
		return;
	if (mw_abi_read(&abi, mw_abi_path(&abi.arena, file->path), diagnostics, &unusable)) {
		for (size_t i = 0; i < abi.version_count; i++)
			mw_abi_check_version(options, study, abi.versions[i], diagnostics);
	}
	mw_abi_fini(&abi);
}
