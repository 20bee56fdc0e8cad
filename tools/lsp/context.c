/* What stands at a place of a text: its keys from the root down, and what the tables say of it. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/registry.h"
#include "tools/lsp/lsp_internal.h"

const struct mw_format *lsp_format_of(const struct lsp_outline *outline)
{
	uint32_t item = lsp_outline_child(outline, LSP_NO_ITEM, "format");
	char text[40] = "machine";

	if (item != LSP_NO_ITEM && outline->items[item].scalar)
		lsp_outline_value(outline, item, text, sizeof(text));
	text[strcspn(text, "/")] = '\0';
	const struct mw_format *format = mw_format_find(text);

	return format && format->shape ? format : mw_format_find("machine");
}

static const struct mw_shape *shape_below(const struct mw_shape *shape,
					  const struct lsp_outline *outline, uint32_t item)
{
	if (outline->items[item].element)
		return shape->items;
	if (!shape->keys)
		return shape->values;
	for (const struct mw_shape_key *key = shape->keys; key->name; key++) {
		if (lsp_outline_key_is(outline, item, key->name))
			return key->shape;
	}
	return NULL;
}

const struct mw_shape *lsp_shape_of(const struct lsp_outline *outline, uint32_t item)
{
	uint32_t path[LSP_OUTLINE_DEPTH + 1];
	size_t depth = 0;
	const struct mw_shape *shape = lsp_format_of(outline)->shape;

	for (; item != LSP_NO_ITEM && depth <= LSP_OUTLINE_DEPTH;
	     item = outline->items[item].parent)
		path[depth++] = item;
	while (shape && depth)
		shape = shape_below(shape, outline, path[--depth]);
	return shape;
}

bool lsp_context_before(struct lsp_context *context, struct lsp_outline *outline,
			const struct lsp_document *document, size_t offset)
{
	lsp_outline_parse(outline, document->text, offset);
	*context = (struct lsp_context){ .outline = outline,
					 .item = outline->open_item,
					 .value = outline->open_value,
					 .in_list = outline->open_element,
					 .flow = outline->open_flow,
					 .start = outline->open_start };
	if (outline->open_comment)
		return false;
	while (context->start < offset && strchr(" \t\r\n", outline->text[context->start]))
		context->start++;
	if (context->start < offset && strchr("\"'", outline->text[context->start]))
		context->start++;
	size_t length = offset - context->start;

	if (length >= sizeof(context->word))
		return false;
	memcpy(context->word, outline->text + context->start, length);
	context->word[length] = '\0';
	context->shape = lsp_shape_of(outline, context->item);
	if (context->shape && context->in_list)
		context->shape = context->shape->items;
	return true;
}

uint32_t lsp_device_of(const struct lsp_outline *outline, uint32_t item)
{
	while (item != LSP_NO_ITEM && !lsp_outline_is(outline, item, "devices/*"))
		item = outline->items[item].parent;
	return item;
}

static const struct mw_device_type *find_type(struct lsp_server *server,
					      const struct lsp_outline *outline, uint32_t device)
{
	uint32_t type =
		device == LSP_NO_ITEM ? LSP_NO_ITEM : lsp_outline_child(outline, device, "type");
	char name[80];

	if (type == LSP_NO_ITEM || !outline->items[type].scalar)
		return NULL;
	return mw_registry_find(&server->workshop->registry,
				lsp_outline_value(outline, type, name, sizeof(name)));
}

const struct mw_device_type *lsp_type_of(struct lsp_server *server,
					 const struct lsp_document *document,
					 const struct lsp_outline *outline, uint32_t device)
{
	const struct mw_device_type *type = find_type(server, outline, device);
	const struct lsp_outline *whole = &document->outline;
	char id[80];

	if (type || device == LSP_NO_ITEM)
		return type;
	lsp_outline_key(outline, device, id, sizeof(id));
	if (outline != whole) { /* the type may stand behind the cursor */
		uint32_t devices = lsp_outline_child(whole, LSP_NO_ITEM, "devices");
		uint32_t same = devices == LSP_NO_ITEM ? LSP_NO_ITEM
						       : lsp_outline_child(whole, devices, id);

		type = find_type(server, whole, same);
	}
	if (type)
		return type;
	struct mw_tree *tree =
		mw_tree_get(mw_tree_get(mw_tree_get(lsp_merged(document), "devices"), id), "type");

	return tree && tree->kind == MW_TREE_SCALAR
		       ? mw_registry_find(&server->workshop->registry, tree->text)
		       : NULL;
}

struct mw_draft_node *lsp_node(const struct lsp_document *document, const char *id)
{
	const struct mw_study *study = lsp_study(document);

	return study ? mw_lookup_find(&study->draft.by_id, id) : NULL;
}
