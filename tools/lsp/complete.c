/* textDocument/completion: where the cursor is decides who answers. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/lsp/complete_internal.h"

json_t *lsp_offer(struct lsp_completion *completion, const char *label, unsigned kind,
		  const char *text, const char *detail, const char *help)
{
	const struct lsp_document *document = completion->cursor->document;
	size_t written = completion->cursor->offset - completion->start;
	char order[24];

	if (strncmp(label, document->text + completion->start, written) != 0)
		return NULL;
	if (json_array_size(completion->items) >= LSP_MOST_COMPLETIONS) {
		completion->cut = true;
		return NULL;
	}
	snprintf(order, sizeof(order), "%04zu", json_array_size(completion->items));
	json_t *item = json_pack(
		"{s:o,s:i,s:s,s:{s:o,s:o}}", "label", lsp_string(label), "kind", (int)kind,
		"sortText", order, "textEdit", "range",
		lsp_range(&document->lines, completion->start, completion->end - completion->start),
		"newText", lsp_string(text ? text : label));

	if (detail)
		json_object_set_new(item, "detail", lsp_string(detail));
	if (help)
		json_object_set_new(item, "documentation", lsp_string(help));
	json_array_append_new(completion->items, item);
	return item;
}

void lsp_offer_words(struct lsp_completion *completion, const char *const *words, unsigned kind)
{
	for (; words && *words; words++)
		lsp_offer(completion, *words, kind, NULL, NULL, NULL);
}

bool lsp_completes(const struct lsp_completion *completion, const char *pattern)
{
	const struct lsp_context *context = completion->context;
	size_t length = strlen(pattern);
	char whole[64];

	if (context->item == LSP_NO_ITEM)
		return !*pattern;
	if (!context->in_list)
		return lsp_outline_is(context->outline, context->item, pattern);
	if (length < 2 || length >= sizeof(whole) || strcmp(pattern + length - 2, "/-") != 0)
		return false;
	memcpy(whole, pattern, length - 2);
	whole[length - 2] = '\0';
	return lsp_outline_is(context->outline, context->item, whole);
}

/* In a file that is none of ours only the way to make it one. */
static void complete_foreign(struct lsp_completion *completion)
{
	const struct lsp_document *document = completion->cursor->document;

	if (!document->outline.count && completion->context->item == LSP_NO_ITEM &&
	    !completion->context->value)
		lsp_offer(completion, "format", LSP_KIND_PROPERTY, "format: machine/1", NULL, NULL);
}

static void complete_here(struct lsp_completion *completion)
{
	const struct lsp_context *context = completion->context;
	size_t start;

	if (!completion->cursor->document->ours) {
		complete_foreign(completion);
		return;
	}
	completion->device = lsp_device_of(context->outline, context->item);
	if (completion->device != LSP_NO_ITEM)
		lsp_outline_key(context->outline, completion->device, completion->id,
				sizeof(completion->id));
	completion->type = lsp_type_of(completion->cursor->server, completion->cursor->document,
				       context->outline, completion->device);
	if (!context->value)
		lsp_complete_key(completion);
	else if (context->outline->count &&
		 lsp_in_expression(context->outline,
				   context->in_list ? context->outline->count - 1 : context->item,
				   completion->cursor->offset, &start))
		lsp_complete_expression(completion, start);
	else
		lsp_complete_value(completion);
}

json_t *lsp_complete(struct lsp_cursor *cursor)
{
	struct lsp_context context;
	struct lsp_outline outline;
	struct lsp_completion completion = {
		.cursor = cursor, .context = &context, .items = json_array(), .device = LSP_NO_ITEM
	};

	if (lsp_context_before(&context, &outline, cursor->document, cursor->offset)) {
		completion.start = context.start;
		completion.end = cursor->offset;
		complete_here(&completion);
	}
	lsp_outline_fini(&outline);
	return json_pack("{s:b,s:o}", "isIncomplete", completion.cut, "items", completion.items);
}
