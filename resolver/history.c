/* History: a file at an older version is the file with its history laid over it, newest first. */
// SPDX-License-Identifier: MIT
#include "resolver/history.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/files_internal.h"

static struct mw_tree *history_of(const struct mw_file *file)
{
	struct mw_tree *history = mw_tree_get(file->root, "history");

	return history && history->kind == MW_TREE_MAP ? history : NULL;
}

void mw_history_check(struct mw_files *files, struct mw_file *file)
{
	struct mw_tree *history = history_of(file);
	uint64_t number;

	for (struct mw_tree *body = history ? history->first : NULL; body; body = body->next) {
		if (body->failed || !mw_tree_int(body->key, &number) || number < file->version)
			continue;
		struct mw_tree *version = mw_tree_get(file->root, "version");
		struct mw_diag *diag = mw_diagnostics_add(
			files->diagnostics, MW_SEVERITY_ERROR, "S103", body->key_span,
			"%s is no older version: the file itself is version %llu", body->key,
			(unsigned long long)file->version);

		if (version)
			mw_diag_note(files->diagnostics, diag, version->span, "its version");
		else
			mw_diag_help(files->diagnostics, diag,
				     "a file without `version` is version 1");
		body->failed = true;
	}
}

static int newest_first(const void *a, const void *b)
{
	uint64_t left = 0, right = 0;

	mw_tree_int((*(struct mw_tree *const *)a)->key, &left);
	mw_tree_int((*(struct mw_tree *const *)b)->key, &right);
	return left > right ? -1 : left < right;
}

/* Every body from the newest down to `version`; *oldest is what the history reaches. */
static void collect(struct mw_files *files, struct mw_file *view, uint64_t *oldest)
{
	struct mw_tree *history = history_of(view);
	uint64_t number;

	*oldest = view->newest->version;
	if (!history)
		return;
	view->bodies = mw_arena_alloc(files->arena, history->count, sizeof(struct mw_tree *));
	for (struct mw_tree *body = history->first; body; body = body->next) {
		if (!mw_tree_int(body->key, &number) || number == 0)
			continue;
		*oldest = number < *oldest ? number : *oldest;
		if (number >= view->version && body->kind == MW_TREE_MAP)
			view->bodies[view->body_count++] = body;
	}
	if (view->body_count)
		qsort(view->bodies, view->body_count, sizeof(struct mw_tree *), newest_first);
}

static struct mw_file *refuse(struct mw_files *files, const struct mw_file *file, uint64_t version,
			      uint64_t oldest, struct mw_span span)
{
	struct mw_diag *diag = mw_diagnostics_add(
		files->diagnostics, MW_SEVERITY_ERROR, mw_files_code(span), span,
		"%s has no version %llu", file->path, (unsigned long long)version);

	if (oldest == file->version)
		mw_diag_help(files->diagnostics, diag, "it has version %llu only",
			     (unsigned long long)oldest);
	else
		mw_diag_help(files->diagnostics, diag, "it has versions %llu to %llu",
			     (unsigned long long)oldest, (unsigned long long)file->version);
	return NULL;
}

static struct mw_file *find_view(struct mw_files *files, const struct mw_file *file,
				 uint64_t version)
{
	for (size_t i = 0; i < files->count; i++) {
		if (files->items[i]->newest == file && files->items[i]->version == version)
			return files->items[i];
	}
	return NULL;
}

/* The bases: as the oldest of its bodies that says so, else the file's. */
static void take_bases(struct mw_files *files, struct mw_file *view)
{
	const struct mw_file *newest = view->newest;

	for (size_t i = view->body_count; i-- > 0;) {
		struct mw_tree *extends = mw_tree_get(view->bodies[i], "extends");

		if (!extends)
			continue;
		view->rebased = true;
		mw_files_bases(files, view, extends);
		return;
	}
	memcpy(view->bases, newest->bases, sizeof(view->bases));
	view->base_count = newest->base_count;
	view->ancestors = newest->ancestors;
	view->listed = newest->listed;
}

static const char *label(struct mw_files *files, const struct mw_file *file, uint64_t version)
{
	size_t length = (size_t)(strrchr(file->label, '@') - file->label);

	return mw_arena_printf(files->arena, "%.*s@%llu", (int)length, file->label,
			       (unsigned long long)version);
}

struct mw_file *mw_history_pick(struct mw_files *files, struct mw_file *file, uint64_t version,
				struct mw_span span)
{
	struct mw_file *view = find_view(files, file, version);
	struct mw_file probe = *file;
	uint64_t oldest;

	if (view && view->state == MW_FILE_LOADING)
		mw_files_circle(files, view, span);
	if (view)
		return view->state == MW_FILE_READY ? view : NULL;
	probe.newest = file;
	probe.version = version;
	collect(files, &probe, &oldest);
	if (version < oldest || version > file->version)
		return refuse(files, file, version, oldest, span);
	view = mw_files_begin(files, span);
	if (!view)
		return NULL;
	probe.number = view->number;
	probe.extended_at = span;
	probe.label = label(files, file, version);
	probe.composed = NULL;
	probe.base_count = 0;
	probe.ancestors = probe.listed = 0;
	probe.state = MW_FILE_LOADING;
	*view = probe;
	take_bases(files, view);
	return mw_files_end(files, view, true);
}
