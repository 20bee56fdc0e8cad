/* Code actions: the fixes of findings as edits; all that are safe together as `source.fixAll`. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "tools/lsp/lsp_internal.h"

/* Which kinds the client asks for; without a list all. */
static bool is_wanted(const json_t *params, const char *kind)
{
	const json_t *only = json_object_get(json_object_get(params, "context"), "only"), *item;
	size_t index;

	if (!json_is_array(only))
		return true;
	json_array_foreach(only, index, item)
	{
		const char *text = json_string_value(item);
		size_t length = text ? strlen(text) : 0;

		if (text && strncmp(kind, text, length) == 0 &&
		    (kind[length] == '\0' || kind[length] == '.' || length == 0))
			return true;
	}
	return false;
}

static void add_edit(struct lsp_server *server, struct lsp_analysis *analysis, json_t *changes,
		     const struct mw_fix_edit *edit)
{
	char *uri = lsp_source_uri(server, analysis, edit->span.source);
	json_t *list = json_object_get(changes, uri);

	if (!list) {
		list = json_array();
		json_object_set_new(changes, uri, list);
	}
	json_array_append_new(
		list, json_pack("{s:o,s:o}", "range",
				lsp_range(lsp_source_lines(server, analysis, edit->span.source),
					  edit->span.byte, edit->span.length),
				"newText", lsp_string(edit->text)));
	free(uri);
}

static bool has_places(const struct mw_fix *fix)
{
	for (const struct mw_fix_edit *edit = fix->edits; edit; edit = edit->next) {
		if (!edit->span.source)
			return false;
	}
	return true;
}

/* The help says what the fix does; where there is none, the rule's name. */
static json_t *title_of(const struct mw_diag *diag)
{
	const char *name = mw_rule_name(diag->code);

	if (diag->help)
		return lsp_string(diag->help);
	return lsp_format("fix %s", name ? name : diag->code);
}

static json_t *quick_fix(struct lsp_server *server, struct lsp_analysis *analysis,
			 const struct mw_diag *diag)
{
	json_t *changes = json_object();

	for (const struct mw_fix_edit *edit = diag->fix->edits; edit; edit = edit->next)
		add_edit(server, analysis, changes, edit);
	return json_pack("{s:o,s:s,s:[o],s:b,s:{s:o}}", "title", title_of(diag), "kind", "quickfix",
			 "diagnostics", lsp_diagnostic(server, analysis, diag), "isPreferred",
			 diag->fix->safety == MW_FIX_SAFE, "edit", "changes", changes);
}

/* Edits apart from all that were taken before: those that touch wait for the next time. */
struct taken {
	struct mw_span *spans;
	size_t count, capacity;
};

static bool is_apart(const struct taken *taken, struct mw_span span)
{
	for (size_t i = 0; i < taken->count; i++) {
		const struct mw_span *other = &taken->spans[i];

		if (other->source == span.source && span.byte <= other->byte + other->length &&
		    other->byte <= span.byte + span.length)
			return false;
	}
	return true;
}

static bool take(struct taken *taken, const struct mw_fix *fix)
{
	for (const struct mw_fix_edit *edit = fix->edits; edit; edit = edit->next) {
		if (!is_apart(taken, edit->span))
			return false;
	}
	for (const struct mw_fix_edit *edit = fix->edits; edit; edit = edit->next) {
		if (taken->count == taken->capacity) {
			taken->capacity = taken->capacity * 2 + 16;
			taken->spans =
				mw_grow(taken->spans, taken->capacity, sizeof(*taken->spans));
		}
		taken->spans[taken->count++] = edit->span;
	}
	return true;
}

static json_t *fix_all(struct lsp_server *server, struct lsp_analysis *analysis)
{
	struct taken taken = { 0 };
	json_t *changes = json_object();

	for (size_t i = 0; i < analysis->diagnostics.count; i++) {
		const struct mw_diag *diag = analysis->diagnostics.items[i];

		if (diag->hidden != MW_DIAG_SHOWN || !diag->fix || !has_places(diag->fix) ||
		    diag->fix->safety != MW_FIX_SAFE || diag->span.source != analysis->source ||
		    taken.count > LSP_MOST_DIAGNOSTICS || !take(&taken, diag->fix))
			continue;
		for (const struct mw_fix_edit *edit = diag->fix->edits; edit; edit = edit->next)
			add_edit(server, analysis, changes, edit);
	}
	free(taken.spans);
	if (!json_object_size(changes)) {
		json_decref(changes);
		return NULL;
	}
	return json_pack("{s:s,s:s,s:{s:o}}", "title", "apply every safe fix", "kind",
			 "source.fixAll", "edit", "changes", changes);
}

static bool meets(const struct mw_diag *diag, size_t start, size_t end)
{
	return diag->span.byte <= end && start <= (size_t)diag->span.byte + diag->span.length;
}

json_t *lsp_code_actions(struct lsp_cursor *cursor)
{
	struct lsp_analysis *analysis = cursor->document->now;
	const json_t *range = json_object_get(cursor->params, "range");
	json_t *actions = json_array(), *all = NULL;
	size_t start = 0, end = cursor->document->length;

	if (!analysis || !analysis->source)
		return actions;
	lsp_offset(&cursor->document->lines, json_object_get(range, "start"), &start);
	lsp_offset(&cursor->document->lines, json_object_get(range, "end"), &end);
	for (size_t i = 0; i < analysis->diagnostics.count; i++) {
		const struct mw_diag *diag = analysis->diagnostics.items[i];

		if (diag->hidden == MW_DIAG_SHOWN && diag->fix && has_places(diag->fix) &&
		    diag->fix->safety != MW_FIX_PLACEHOLDER &&
		    diag->span.source == analysis->source && meets(diag, start, end) &&
		    is_wanted(cursor->params, "quickfix") &&
		    json_array_size(actions) < LSP_MOST_DIAGNOSTICS)
			json_array_append_new(actions, quick_fix(cursor->server, analysis, diag));
	}
	if (is_wanted(cursor->params, "source.fixAll"))
		all = fix_all(cursor->server, analysis);
	if (all)
		json_array_append_new(actions, all);
	return actions;
}
