/** A tolerant look at YAML text: keys, values and their places, also of text that does not parse. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LSP_OUTLINE_H
#define TOOLS_LSP_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LSP_NO_ITEM UINT32_MAX
enum { LSP_OUTLINE_ITEMS = 250000, LSP_OUTLINE_DEPTH = 64 };

/** An entry of a map or an element of a list (then without a key). Offsets are bytes of the text;
 * those of quoted texts lie between the quotes. */
struct lsp_item {
	uint32_t parent; /* LSP_NO_ITEM: the root */
	uint32_t after;  /* the first item that is not below this one */
	uint32_t key, key_length;
	uint32_t value, value_length; /* of a scalar */
	uint32_t end;                 /* of all of it */
	bool element, scalar, quoted;
};

/** Freed with lsp_outline_fini. The text is borrowed. */
struct lsp_outline {
	const char *text;
	size_t length;
	struct lsp_item *items; /* in the order of the text: what is below an item follows it */
	uint32_t count, capacity;
	/** What was being written where the text ends: a value of `open_item` (or an element of it),
	 * or a key of the map `open_item`. */
	uint32_t open_item;
	bool open_value, open_element, open_comment;
	bool open_flow; /* within brackets */
	size_t open_start;
};

void lsp_outline_parse(struct lsp_outline *outline, const char *text, size_t length);
void lsp_outline_fini(struct lsp_outline *outline);

/** The child with this key, LSP_NO_ITEM for none; `parent` may be LSP_NO_ITEM, the root. */
uint32_t lsp_outline_child(const struct lsp_outline *outline, uint32_t parent, const char *key);
/** First child, and the one that follows; LSP_NO_ITEM: none. */
uint32_t lsp_outline_first(const struct lsp_outline *outline, uint32_t parent);
uint32_t lsp_outline_next(const struct lsp_outline *outline, uint32_t item);
/** Whether the path of an item is like the pattern "devices/ * /at" (without blanks): a star is any
 * key, a minus an element of a list. What is below `history: { N: ... }` is like the file itself. */
bool lsp_outline_is(const struct lsp_outline *outline, uint32_t item, const char *pattern);
/** The innermost item whose key or scalar holds the offset, ends included. */
uint32_t lsp_outline_at(const struct lsp_outline *outline, size_t offset, bool *on_key);
bool lsp_outline_key_is(const struct lsp_outline *outline, uint32_t item, const char *key);
/** Key or scalar as text, cut at the capacity; returns `text`. */
const char *lsp_outline_key(const struct lsp_outline *outline, uint32_t item, char *text,
			    size_t capacity);
const char *lsp_outline_value(const struct lsp_outline *outline, uint32_t item, char *text,
			      size_t capacity);

#endif
