/* Inlay hints: what `auto` and expressions came to, behind them. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "tools/lsp/lsp_internal.h"

enum { HINTS_MOST = 5000, LABEL_MOST = 60 };

/* One place's hint; `more` counts what else a `count` made of it. */
struct hint {
	size_t at;
	char text[LABEL_MOST + 8];
	size_t order, more;
};

struct hints {
	uint32_t source;
	size_t start, end;
	struct hint *items;
	size_t count, capacity;
};

static void add(struct hints *hints, struct mw_span span, const char *text)
{
	size_t at = (size_t)span.byte + span.length, length = strlen(text);

	if (span.source != hints->source || at < hints->start || at > hints->end ||
	    hints->count == HINTS_MOST)
		return;
	if (hints->count == hints->capacity) {
		hints->capacity = hints->capacity * 2 + 64;
		hints->items = mw_grow(hints->items, hints->capacity, sizeof(*hints->items));
	}
	struct hint *hint = &hints->items[hints->count];

	*hint = (struct hint){ .at = at, .order = hints->count++ };
	snprintf(hint->text, sizeof(hint->text), "= %.*s%s", LABEL_MOST, text,
		 length > LABEL_MOST ? "..." : "");
}

static void add_claim(struct hints *hints, const struct mw_draft_claim *claim)
{
	char text[64];
	const struct mw_tree *tree = claim->tree;

	if (!tree || (!claim->automatic && !tree->written))
		return;
	if (claim->kind == MW_CLAIM_IRQ && claim->net)
		snprintf(text, sizeof(text), "%" PRIu32, claim->net->line);
	else if ((claim->kind == MW_CLAIM_IO || claim->kind == MW_CLAIM_MMIO) && claim->placed)
		snprintf(text, sizeof(text), "0x%" PRIx64, claim->base);
	else
		return;
	add(hints, tree->span, text);
}

static void add_address(struct hints *hints, const struct mw_draft_node *node)
{
	const struct mw_tree *at = node->at;

	if (at && node->address && at->kind == MW_TREE_SCALAR && !strchr(at->text, ':'))
		add(hints, at->span, node->address);
}

/* Values that are only stand-ins for what is given later say nothing. */
static void add_values(struct hints *hints, const struct mw_tree *tree)
{
	if (tree->kind == MW_TREE_SCALAR) {
		if (tree->written && tree->evaluated && *tree->text != '<')
			add(hints, tree->span, tree->text);
		return;
	}
	for (const struct mw_tree *child = tree->first; child; child = child->next)
		add_values(hints, child);
}

/* Claims are said as they were placed. */
static void add_device(struct hints *hints, const struct mw_tree *device)
{
	static const char *const claims[] = { "io", "mmio", "irq", NULL };

	for (const struct mw_tree *child = device->first; child; child = child->next) {
		if (!mw_name_in(child->key, claims))
			add_values(hints, child);
	}
}

static void add_document(struct hints *hints, const struct mw_document *document)
{
	const struct mw_tree *section = document->root ? document->root->first : NULL;

	for (; section; section = section->next) {
		if (strcmp(section->key, "devices") != 0) {
			add_values(hints, section);
			continue;
		}
		for (const struct mw_tree *child = section->first; child; child = child->next) {
			if (child->kind == MW_TREE_MAP)
				add_device(hints, child);
		}
	}
}

static int by_place(const void *a, const void *b)
{
	const struct hint *left = a, *right = b;

	if (left->at != right->at)
		return left->at < right->at ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static json_t *list(const struct hints *hints, const struct lsp_lines *lines)
{
	json_t *made = json_array();

	for (size_t i = 0; i < hints->count;) {
		size_t same = i + 1;

		while (same < hints->count && hints->items[same].at == hints->items[i].at)
			same++;
		bool several = false;

		for (size_t k = i + 1; k < same; k++)
			several |= strcmp(hints->items[k].text, hints->items[i].text) != 0;
		json_array_append_new(
			made,
			json_pack("{s:o,s:o,s:b}", "position",
				  lsp_position(lines, hints->items[i].at), "label",
				  lsp_format("%s%s", hints->items[i].text, several ? ", ..." : ""),
				  "paddingLeft", 1));
		i = same;
	}
	return made;
}

json_t *lsp_inlay_hints(struct lsp_cursor *cursor)
{
	struct lsp_document *document = cursor->document;
	const json_t *range = json_object_get(cursor->params, "range");
	struct lsp_analysis *analysis = lsp_present(document);
	struct hints hints = { .end = document->length };

	/* an older run has places of an older text */
	if (!analysis)
		return json_array();
	hints.source = analysis->source;
	lsp_offset(&document->lines, json_object_get(range, "start"), &hints.start);
	lsp_offset(&document->lines, json_object_get(range, "end"), &hints.end);
	const struct mw_draft *draft = &analysis->study->draft;

	for (size_t i = 0; i < draft->node_count; i++) {
		add_address(&hints, draft->nodes[i]);
		for (size_t c = 0; c < draft->nodes[i]->claim_count; c++)
			add_claim(&hints, &draft->nodes[i]->claims[c]);
	}
	add_document(&hints, &analysis->study->document);
	if (hints.count)
		qsort(hints.items, hints.count, sizeof(*hints.items), by_place);
	json_t *made = list(&hints, &document->lines);

	free(hints.items);
	return made;
}
