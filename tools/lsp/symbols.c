/* textDocument/documentSymbol: sections, with parameters and devices below theirs. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/lsp/lsp_internal.h"

enum { KIND_MODULE = 2, KIND_PROPERTY = 7, KIND_VARIABLE = 13, KIND_OBJECT = 19 };

static json_t *symbol(const struct lsp_document *document, uint32_t item, int kind)
{
	const struct lsp_outline *outline = &document->outline;
	const struct lsp_item *entry = &outline->items[item];
	uint32_t type = lsp_outline_child(outline, item, "type");
	char detail[80];
	json_t *made = json_pack(
		"{s:o,s:i,s:o,s:o}", "name",
		lsp_text(outline->text + entry->key, entry->key_length), "kind", kind, "range",
		lsp_range(&document->lines, entry->key,
			  entry->end > entry->key ? entry->end - entry->key : entry->key_length),
		"selectionRange", lsp_range(&document->lines, entry->key, entry->key_length));

	if (type != LSP_NO_ITEM && outline->items[type].scalar)
		json_object_set_new(
			made, "detail",
			lsp_string(lsp_outline_value(outline, type, detail, sizeof(detail))));
	return made;
}

static json_t *children(const struct lsp_document *document, uint32_t section, int kind)
{
	json_t *list = json_array();
	uint32_t item = lsp_outline_first(&document->outline, section);

	for (; item != LSP_NO_ITEM; item = lsp_outline_next(&document->outline, item)) {
		if (document->outline.items[item].key_length)
			json_array_append_new(list, symbol(document, item, kind));
	}
	return list;
}

json_t *lsp_document_symbols(struct lsp_cursor *cursor)
{
	const struct lsp_document *document = cursor->document;
	json_t *list = json_array();
	uint32_t item = lsp_outline_first(&document->outline, LSP_NO_ITEM);

	if (!document->ours)
		return list;
	for (; item != LSP_NO_ITEM; item = lsp_outline_next(&document->outline, item)) {
		bool devices = lsp_outline_key_is(&document->outline, item, "devices");
		bool params = lsp_outline_key_is(&document->outline, item, "params");

		if (!document->outline.items[item].key_length)
			continue;
		json_t *made =
			symbol(document, item, devices || params ? KIND_MODULE : KIND_PROPERTY);

		if (devices || params)
			json_object_set_new(
				made, "children",
				children(document, item, devices ? KIND_OBJECT : KIND_VARIABLE));
		json_array_append_new(list, made);
	}
	return list;
}
