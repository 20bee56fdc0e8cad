/* Fixes that need the whole file or every node, for findings of earlier phases. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/fixes.h"
#include "resolver/front.h"
#include "resolver/rules.h"
#include "resolver/typecheck.h"

/* S104: where every parameter of the file goes, the last waits for the next round, when it is seen
 * to be alone. */
static void mend_unused(struct mw_draft *draft, struct mw_diag *diag, uint32_t *left)
{
	struct mw_tree *params = mw_tree_get(draft->document->front->profile->root, "params");

	if (!*left)
		*left = params ? params->count : 0;
	const char *text = mw_fix_text(draft->diagnostics, diag->span);
	const char *name = text ? mw_arena_strndup(draft->arena, text, diag->span.length) : "";
	struct mw_tree *param = mw_tree_get(params, name);

	if (!param || param->key_span.byte != diag->span.byte ||
	    param->key_span.source != diag->span.source)
		return;
	--*left;
	if (*left || params->count == 1)
		mw_fix_remove(draft->diagnostics, diag, MW_FIX_SAFE, param);
	if (diag->fix && !diag->help)
		mw_diag_help(draft->diagnostics, diag, "take it out");
}

/* The node of "/devices/ID/...", or NULL. */
static struct mw_draft_node *node_of(const struct mw_draft *draft, const struct mw_diag *diag)
{
	static const char folder[] = "/devices/";
	const char *id = diag->node ? diag->node : "";

	if (strncmp(id, folder, sizeof(folder) - 1) != 0)
		return NULL;
	id += sizeof(folder) - 1;
	return mw_lookup_find(&draft->by_id, mw_arena_strndup(draft->arena, id, strcspn(id, "/")));
}

/* G203: the first slot that nobody holds. */
static void mend_address(struct mw_draft *draft, struct mw_diag *diag)
{
	const struct mw_draft_node *node = node_of(draft, diag);

	if (!node || !node->address || !node->bus_kind ||
	    mw_bus_kind(node->bus_kind)->address != MW_ADDRESS_DEVFN)
		return;
	for (unsigned slot = 1; slot < 32; slot++) {
		const char *address = mw_arena_printf(draft->arena, "%02x.0", slot);
		const char *place = mw_arena_printf(draft->arena, "%s:%s", node->bus_id, address);

		if (mw_lookup_find(&draft->addresses, place))
			continue;
		mw_diag_help(draft->diagnostics, diag, "`%s` is free", address);
		mw_fix_word(draft->diagnostics, diag, MW_FIX_UNSAFE, node->address, address);
		return;
	}
}

void mw_mend_condition(struct mw_draft *draft, struct mw_diag *diag,
		       const struct mw_draft_node *node, struct mw_span when)
{
	const struct mw_tree *made_of = node->tree->instance_of;
	struct mw_tree *devices = mw_tree_get(draft->document->front->merged, "devices");
	struct mw_tree *entry = mw_tree_get(devices, made_of ? made_of->key : node->id);
	const char *text = mw_fix_text(draft->diagnostics, when);

	if (!text || !entry || mw_tree_get(entry, "when") || memchr(text, '\n', when.length))
		return;
	mw_diag_help(draft->diagnostics, diag, "give it the condition of its bus");
	mw_fix_beside(draft->diagnostics, diag, MW_FIX_UNSAFE, node->at, "when",
		      mw_arena_strndup(draft->arena, text, when.length));
}

void mw_mend_overlay(struct mw_draft *draft, struct mw_diag *diag, const struct mw_draft_node *node)
{
	const struct mw_draft_claim *target = node->overlay_target;

	mw_diag_note(draft->diagnostics, diag, target->tree->span, "`%s` is placed here",
		     target->node->id);
	mw_diag_help(draft->diagnostics, diag, "take the permission out");
	mw_fix_remove(draft->diagnostics, diag, MW_FIX_SAFE, node->overlays);
}

void mw_mend_base(struct mw_draft *draft, struct mw_diag *diag, const struct mw_draft_claim *claim,
		  const char *base)
{
	const char *text = claim->tree->text;

	mw_diag_help(draft->diagnostics, diag,
		     strcmp(base, "auto") == 0 ? "`%s` finds a place" : "`%s` is aligned", base);
	mw_fix_word(draft->diagnostics, diag, MW_FIX_UNSAFE,
		    mw_arena_strndup(draft->arena, text, strcspn(text, "+")), base);
}

void mw_rules_mend(struct mw_draft *draft)
{
	struct mw_diagnostics *diagnostics = draft->diagnostics;
	uint32_t left = 0;

	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_diag *diag = diagnostics->items[i];

		if (diag->fix)
			continue;
		if (strcmp(diag->code, "S104") == 0)
			mend_unused(draft, diag, &left);
		else if (strcmp(diag->code, "G203") == 0)
			mend_address(draft, diag);
	}
}

/* Findings whose fix gives a key another name, by place. */
struct renames {
	struct mw_diag **items;
	size_t count;
};

static bool is_rename(const struct mw_diag *diag)
{
	return diag->fix && (strcmp(diag->code, "S101") == 0 || strcmp(diag->code, "S108") == 0) &&
	       !diag->fix->edits->next;
}

static int by_span(struct mw_span a, struct mw_span b)
{
	if (a.source != b.source)
		return a.source < b.source ? -1 : 1;
	return a.byte < b.byte ? -1 : a.byte > b.byte;
}

static int by_place(const void *a, const void *b)
{
	return by_span((*(struct mw_diag *const *)a)->span, (*(struct mw_diag *const *)b)->span);
}

static struct mw_diag *find_rename(const struct renames *renames, struct mw_span key)
{
	size_t low = 0, high = renames->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = by_span(renames->items[middle]->span, key);

		if (!order)
			return renames->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The edit may be of a part of the key: `sio` in `sio.com1`. */
static const char *renamed(struct mw_document *document, const struct mw_tree *entry,
			   const struct mw_fix_edit *edit)
{
	size_t length = strlen(entry->key), quote = entry->key_span.length == length ? 0 : 1;
	size_t from = (size_t)edit->span.byte - entry->key_span.byte - quote;

	if (edit->span.source != entry->key_span.source ||
	    edit->span.byte < entry->key_span.byte + quote || from > length ||
	    edit->span.length > length - from)
		return edit->text;
	return mw_arena_printf(document->arena, "%.*s%s%s", (int)from, entry->key, edit->text,
			       entry->key + from + edit->span.length);
}

static void check_map(struct mw_document *document, const struct renames *renames,
		      struct mw_tree *map)
{
	struct mw_lookup given = { 0 };

	for (struct mw_tree *child = map->first; child; child = child->next) {
		struct mw_diag *diag = child->key ? find_rename(renames, child->key_span) : NULL;
		const char *name =
			diag && diag->fix ? renamed(document, child, diag->fix->edits) : NULL;

		if (name &&
		    (mw_tree_get(map, name) || mw_lookup_add(&given, document->arena, name, child)))
			diag->fix = NULL;
		if (child->kind != MW_TREE_SCALAR)
			check_map(document, renames, child);
	}
}

void mw_mend_renames(struct mw_document *document)
{
	struct mw_diagnostics *diagnostics = document->diagnostics;
	const struct mw_files *files = &document->front->files;
	struct renames renames = { 0 };

	for (size_t i = 0; i < diagnostics->count; i++)
		renames.count += is_rename(diagnostics->items[i]);
	if (!renames.count)
		return;
	renames.items = mw_arena_alloc(document->arena, renames.count, sizeof(struct mw_diag *));
	renames.count = 0;
	for (size_t i = 0; i < diagnostics->count; i++) {
		if (is_rename(diagnostics->items[i]))
			renames.items[renames.count++] = diagnostics->items[i];
	}
	qsort(renames.items, renames.count, sizeof(struct mw_diag *), by_place);
	for (size_t i = 0; i < files->count; i++) {
		if (files->items[i]->root)
			check_map(document, &renames, files->items[i]->root);
	}
}
