/* Matches findings with the directives of their files, and says which directives are of no use. */
// SPDX-License-Identifier: MIT
#include "resolver/allow.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/allow_internal.h"
#include "resolver/fixes.h"
#include "resolver/front.h"

/* After so many S109 the rest is noise, and the report stays bearable. */
enum { MOST_REFUSALS = 1000 };

bool mw_rule_is_fixed(const char *code)
{
	static const char *const fixed[] = { "", "R301", "R302", "A501", NULL };

	return code[0] == 'Y' || mw_name_in(code, fixed);
}

struct mw_diag *mw_allowed_refuse(struct mw_allowed_list *list, struct mw_span span,
				  const char *format, ...)
{
	struct mw_diagnostics *diagnostics = list->diagnostics;
	va_list arguments;

	if (list->mode != MW_ALLOW_ALL || diagnostics->warnings > MOST_REFUSALS)
		return NULL;
	va_start(arguments, format);
	const char *text = mw_arena_vprintf(&diagnostics->arena, format, arguments);

	va_end(arguments);
	return mw_diagnostics_add(diagnostics, MW_SEVERITY_WARNING, "S109", span, "%s", text);
}

bool mw_allowed_is_code(const char *text, size_t length)
{
	char code[MW_CODE_LONGEST + 1];

	if (length > MW_CODE_LONGEST)
		return false;
	snprintf(code, sizeof(code), "%.*s", (int)length, text);
	return mw_rule_begins(code);
}

struct mw_allowed *mw_allowed_add(struct mw_allowed_list *list, const char *code, size_t length,
				  struct mw_span span)
{
	char text[MW_CODE_LONGEST + 1];

	snprintf(text, sizeof(text), "%.*s", (int)length, code);
	if (mw_rule_is_fixed(text) || strcmp(text, "S109") == 0) {
		struct mw_diag *diag =
			mw_allowed_refuse(list, span, "`%s` cannot be allowed", text);

		if (diag)
			mw_diag_note(list->diagnostics, diag, (struct mw_span){ 0 },
				     "nothing hides Y*, R301, R302, A501 and S109");
		return NULL;
	}
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 16;
		list->items = mw_grow(list->items, list->capacity, sizeof(*list->items));
	}
	struct mw_allowed *allowed = &list->items[list->count];

	*allowed = (struct mw_allowed){ .span = span, .order = list->count++ };
	memcpy(allowed->code, text, sizeof(text));
	return allowed;
}

/* Sorted so that the ranges of one code nest like brackets. */
static int by_code(const void *left, const void *right)
{
	const struct mw_allowed *a = left, *b = right;
	int order = strcmp(a->code, b->code);

	if (order)
		return order;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->to != b->to)
		return a->to > b->to ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void sort(struct mw_allowed_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_code);
	for (size_t i = 1; i < list->count; i++) {
		struct mw_allowed *item = &list->items[i];
		size_t outer = i;

		while (outer && (strcmp(list->items[outer - 1].code, item->code) != 0 ||
				 list->items[outer - 1].to <= item->from))
			outer = list->items[outer - 1].outer;
		item->outer = outer;
	}
}

/* The innermost range of one code that holds the byte. */
static struct mw_allowed *find(struct mw_allowed_list *list, const char *code, uint32_t byte)
{
	struct mw_allowed wanted = { .from = byte, .order = SIZE_MAX };
	size_t low = 0, high = list->count;

	snprintf(wanted.code, sizeof(wanted.code), "%s", code);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_code(&list->items[middle], &wanted) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low && strcmp(list->items[low - 1].code, code) == 0) {
		if (byte < list->items[low - 1].to)
			return &list->items[low - 1];
		low = list->items[low - 1].outer;
	}
	return NULL;
}

static void try(struct mw_allowed_list *list, struct mw_diag *diag)
{
	char code[MW_CODE_LONGEST + 1];

	if (diag->hidden != MW_DIAG_SHOWN || mw_rule_is_fixed(diag->code) ||
	    (list->mode == MW_ALLOW_WARNINGS && diag->severity == MW_SEVERITY_ERROR))
		return;
	for (size_t length = strlen(diag->code); length > 0; length--) {
		snprintf(code, sizeof(code), "%.*s", (int)length, diag->code);
		struct mw_allowed *allowed = find(list, code, diag->span.byte);

		if (!allowed)
			continue;
		allowed->used = true;
		mw_diag_hide(list->diagnostics, diag, MW_DIAG_ALLOWED, allowed->reason);
		return;
	}
}

/* Whose findings a list of directives may hide. */
struct reach {
	const struct mw_files *files;
	const struct mw_file *file;
	bool own;      /* of its own source only */
	bool complete; /* the unused are worth telling */
};

static bool is_outermost(const struct mw_study *study, const struct mw_file *file)
{
	return file == study->document.front->profile ||
	       (file->format && strcmp(file->format->name, "overlay") == 0);
}

static bool reaches(const struct reach *reach, const struct mw_study *study,
		    const struct mw_diag *diag)
{
	uint32_t source = reach->file->root->span.source;

	if (reach->own || diag->span.source == source)
		return diag->span.source == source;
	if (is_outermost(study, reach->file))
		return true;
	const struct mw_file *other = mw_files_of(reach->files, diag->span);

	return other && (reach->file->ancestors >> other->number & 1);
}

static void tell_unused(struct mw_allowed_list *list, const struct mw_allowed *item)
{
	struct mw_diag *diag =
		mw_allowed_refuse(list, item->span, "`%s` is allowed and never found%s", item->code,
				  item->to == UINT32_MAX ? "" : " here");

	if (!diag)
		return;
	mw_diag_help(list->diagnostics, diag, "take it out");
	if (item->removal.source)
		mw_diag_fix(list->diagnostics, diag, MW_FIX_SAFE, item->removal, "%s", "");
	else if (item->entry)
		mw_fix_remove(list->diagnostics, diag, MW_FIX_SAFE, item->entry);
}

static void ask_for_reason(struct mw_allowed_list *list, struct mw_bare *bare)
{
	const char *text = mw_fix_text(list->diagnostics, bare->codes);
	struct mw_diag *diag = mw_allowed_refuse(
		list, bare->codes, "`%.*s` %s allowed without a reason", (int)bare->codes.length,
		text ? text : "", bare->count > 1 ? "are" : "is");

	bare->told = true;
	if (!diag)
		return;
	mw_diag_help(list->diagnostics, diag,
		     bare->comment ? "say why: `-- reason`" : "say why in its value");
	if (!bare->comment)
		return;
	struct mw_span end = { bare->codes.source, bare->codes.byte + bare->codes.length, 0 };

	mw_diag_fix(list->diagnostics, diag, MW_FIX_PLACEHOLDER, end, " -- REASON");
}

/* One finding for one directive: what is of no use needs no reason. */
static void tell(struct mw_allowed_list *list, bool complete)
{
	for (size_t i = 0; i < list->count; i++) {
		struct mw_allowed *item = &list->items[i];

		if (!item->used && complete)
			tell_unused(list, item);
		else if (item->bare && !item->bare->told)
			ask_for_reason(list, item->bare);
	}
}

static void match(struct mw_allowed_list *list, const struct mw_study *study,
		  const struct reach *reach, size_t count)
{
	sort(list);
	for (size_t i = 0; list->count && i < count; i++) {
		struct mw_diag *diag = list->diagnostics->items[i];

		if (reaches(reach, study, diag))
			try(list, diag);
	}
	tell(list, reach->complete);
	list->count = 0;
}

/* `lint: {allow: {R304: reason}}`, as the file itself has it. */
static void read_key(struct mw_allowed_list *list, struct mw_tree *root)
{
	struct mw_tree *lint = mw_tree_get(root, "lint");
	struct mw_tree *allow = lint && !lint->failed ? mw_tree_get(lint, "allow") : NULL;

	if (!allow || allow->kind != MW_TREE_MAP)
		return;
	for (struct mw_tree *entry = allow->first; entry; entry = entry->next) {
		struct mw_allowed *allowed;

		if (entry->failed || entry->kind != MW_TREE_SCALAR)
			continue;
		if (!mw_allowed_is_code(entry->key, strlen(entry->key))) {
			mw_allowed_refuse(list, entry->key_span, "`%s` is no rule's code",
					  entry->key);
			continue;
		}
		allowed = mw_allowed_add(list, entry->key, strlen(entry->key), entry->key_span);
		if (!allowed)
			continue;
		allowed->to = UINT32_MAX;
		allowed->entry = allow->count > 1 ? entry : NULL;
		allowed->reason = entry->text;
		if (*entry->text)
			continue;
		allowed->bare =
			mw_arena_alloc(&list->diagnostics->arena, 1, sizeof(*allowed->bare));
		*allowed->bare = (struct mw_bare){ .codes = entry->key_span, .count = 1 };
	}
}

static void apply_file(struct mw_allowed_list *list, const struct mw_study *study,
		       const struct mw_file *file, size_t count)
{
	struct reach reach = { .files = &study->document.front->files,
			       .file = file,
			       .own = true,
			       .complete = study->plan && is_outermost(study, file) };

	mw_allow_scan(list, file->root->span.source);
	match(list, study, &reach, count);
	reach.own = false;
	read_key(list, file->root);
	match(list, study, &reach, count);
}

void mw_allow_apply(struct mw_diagnostics *diagnostics, const struct mw_study *study,
		    enum mw_allow_mode mode)
{
	struct mw_allowed_list list = { .diagnostics = diagnostics, .mode = mode };
	const struct mw_front *front = study->document.front;
	size_t count = diagnostics->count;

	for (size_t i = 0; front && i < front->files.count; i++) {
		if (front->files.items[i]->root)
			apply_file(&list, study, front->files.items[i], count);
	}
	free(list.items);
}
