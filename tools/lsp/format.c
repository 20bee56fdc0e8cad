/* textDocument/formatting: what `millwright fmt` makes of the text, as one edit. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tools/fmt/fmt.h"
#include "tools/lsp/lsp_internal.h"

/* What stays at both ends is left alone, so that cursors keep their place. */
static json_t *edit(const struct lsp_document *document, const char *text, size_t length)
{
	size_t head = 0, tail = 0, least = length < document->length ? length : document->length;

	while (head < least && text[head] == document->text[head])
		head++;
	while (head && text[head - 1] != '\n')
		head--;
	while (tail < least - head &&
	       text[length - tail - 1] == document->text[document->length - tail - 1])
		tail++;
	while (tail && text[length - tail - 1] != '\n')
		tail--;
	return json_pack("{s:o,s:o}", "range",
			 lsp_range(&document->lines, head, document->length - tail - head),
			 "newText", lsp_text(text + head, length - tail - head));
}

json_t *lsp_formatting(struct lsp_cursor *cursor)
{
	struct lsp_document *document = cursor->document;
	struct mw_diagnostics diagnostics = { 0 };
	json_t *edits = json_array();
	char *text = NULL;
	size_t length = 0;

	if (document->ours &&
	    mw_fmt(&diagnostics, document->path, document->text, document->length, &text,
		   &length) == MW_FMT_DONE &&
	    (length != document->length || memcmp(text, document->text, length) != 0))
		json_array_append_new(edits, edit(document, text, length));
	free(text);
	mw_diagnostics_fini(&diagnostics);
	return edits;
}
