/* Read: fixes for what YAML shares by name. Anchors are written out where their aliases are. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/fixes.h"
#include "resolver/read_internal.h"

/* A fix stays small: anchors in anchors grow with every round. */
enum { MOST_ANCHORS = 64, MOST_BYTES = 1024, MOST_INLINED = 4096 };

struct mw_anchor {
	struct mw_anchor *next;
	const char *name;
	struct mw_diag *diag;
	const struct mw_tree *tree; /* NULL: not read to its end */
	size_t inlined;
	bool spoiled; /* something that it is used for cannot be written out */
};

void mw_reader_mend_property(struct mw_reader *reader, struct mw_diag *diag, struct mw_span span,
			     enum mw_fix_safety safety)
{
	size_t end = span.byte + span.length - reader->skipped;

	if (span.length &&
	    reader->text[end - 1] == ':') /* `&key: value` is a key's, or was meant as one */
		return;
	while (end < reader->length && strchr(" \t", reader->text[end])) {
		span.length++;
		end++;
	}
	/* `{ &a, ...`: without it nothing would be left there */
	if (end < reader->length && reader->text[end] && strchr(",]}:", reader->text[end]))
		return;
	mw_diag_fix(reader->diagnostics, diag, safety, span, "%s", "");
}

struct mw_anchor *mw_reader_anchor(struct mw_reader *reader, struct mw_diag *diag,
				   struct mw_span span, const char *name)
{
	if (reader->anchor_count == MOST_ANCHORS)
		return NULL;
	struct mw_anchor *anchor = mw_arena_alloc(reader->arena, 1, sizeof(*anchor));

	*anchor = (struct mw_anchor){ .next = reader->anchors,
				      .name = mw_arena_strdup(reader->arena, name),
				      .diag = diag };
	reader->anchors = anchor;
	reader->anchor_count++;
	mw_reader_mend_property(reader, diag, span, MW_FIX_SAFE);
	return anchor;
}

void mw_reader_anchored(struct mw_anchor *anchor, const struct mw_tree *tree)
{
	if (anchor)
		anchor->tree = tree;
}

/* The value without its properties; false where it is not one line that can be moved. */
static bool value_text(const struct mw_reader *reader, const struct mw_tree *tree, bool flow,
		       const char **text, size_t *length)
{
	const char *at = reader->text + tree->span.byte - reader->skipped;
	const char *end = at + tree->span.length;

	while (at < end && strchr("&!", *at)) {
		while (at < end && !strchr(" \t\r\n", *at))
			at++;
		while (at < end && strchr(" \t\r\n", *at))
			at++;
	}
	*text = at;
	*length = (size_t)(end - at);
	if (at == end || *length > MOST_BYTES || memchr(at, '\n', *length) ||
	    memchr(at, '&', *length) || memchr(at, '*', *length))
		return false;
	if (tree->kind != MW_TREE_SCALAR || tree->quoted)
		return true;
	for (; flow && at < end; at++) {
		if (strchr(",[]{}", *at))
			return false;
	}
	return true;
}

void mw_reader_alias(struct mw_reader *reader, struct mw_span span, const char *name, bool key,
		     bool flow)
{
	struct mw_anchor *anchor = reader->anchors;
	const char *text;
	size_t length;

	while (anchor && strcmp(anchor->name, name) != 0)
		anchor = anchor->next;
	if (!anchor || anchor->spoiled)
		return;
	if (key || !anchor->tree || !value_text(reader, anchor->tree, flow, &text, &length) ||
	    anchor->inlined + length > MOST_INLINED) {
		anchor->spoiled = true;
		anchor->diag->fix = NULL;
		return;
	}
	anchor->inlined += length;
	mw_diag_fix(reader->diagnostics, anchor->diag, MW_FIX_SAFE, span, "%.*s", (int)length,
		    text);
}

/* "key: value" as it stands in the file, or NULL for more than one line. */
static const char *entry_text(const struct mw_reader *reader, const struct mw_tree *entry)
{
	size_t from = entry->key_span.byte, to = entry->span.byte + entry->span.length;
	const char *text = reader->text + from - reader->skipped;

	/* a word of a flow map without a value is no entry of a block */
	if (to <= from || to - from > MOST_BYTES || memchr(text, '\n', to - from) ||
	    !entry->span.length)
		return NULL;
	return mw_arena_strndup(reader->arena, text, to - from);
}

void mw_reader_mend_merge(struct mw_reader *reader, struct mw_diag *diag, struct mw_tree *map,
			  const struct mw_tree *merged, bool flow)
{
	struct mw_span span = diag->span;
	size_t start = span.byte - reader->skipped, column = start, bytes = 0;
	const char *text = "";

	while (column && strchr(" \t", reader->text[column - 1]))
		column--;
	if (merged->kind != MW_TREE_MAP || (!flow && column && reader->text[column - 1] != '\n'))
		return;
	for (const struct mw_tree *entry = merged->first; entry; entry = entry->next) {
		const char *own = mw_tree_get(map, entry->key) ? "" : entry_text(reader, entry);

		if (!own || (bytes += strlen(own)) > MOST_INLINED)
			return;
		if (!*own)
			continue;
		const char *gap =
			!*text ? ""
			: flow ? ", "
			       : mw_arena_printf(reader->arena, "\n%.*s", (int)(start - column),
						 reader->text + column);

		text = mw_arena_printf(reader->arena, "%s%s%s", text, gap, own);
	}
	struct mw_tree whole = *merged;

	whole.key = "<<";
	whole.key_span = span;
	span.length = merged->span.byte + merged->span.length - span.byte;
	if (*text)
		mw_diag_fix(reader->diagnostics, diag, MW_FIX_SAFE, span, "%s", text);
	else
		mw_fix_remove(reader->diagnostics, diag, MW_FIX_SAFE, &whole);
}
