/* Names inside $(...): parameters, what is built in, and behind `dev.` nodes and their claims. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/lsp/complete_internal.h"

static void offer_parameters(struct lsp_completion *completion)
{
	struct mw_tree *params = mw_tree_get(lsp_merged(completion->cursor->document), "params");

	for (struct mw_tree *child = params && params->kind == MW_TREE_MAP ? params->first : NULL;
	     child; child = child->next) {
		struct mw_tree *type = mw_tree_get(child, "type"),
			       *help = mw_tree_get(child, "help");

		lsp_offer(completion, child->key, LSP_KIND_VARIABLE, NULL,
			  type && type->kind == MW_TREE_SCALAR ? type->text : NULL,
			  help && help->kind == MW_TREE_SCALAR ? help->text : NULL);
	}
}

/* Parameters of a text that was never good. */
static void offer_written(struct lsp_completion *completion)
{
	const struct lsp_outline *outline = &completion->cursor->document->outline;
	uint32_t params = lsp_outline_child(outline, LSP_NO_ITEM, "params");
	char name[80];

	for (uint32_t item = params == LSP_NO_ITEM ? params : lsp_outline_first(outline, params);
	     item != LSP_NO_ITEM; item = lsp_outline_next(outline, item))
		lsp_offer(completion, lsp_outline_key(outline, item, name, sizeof(name)),
			  LSP_KIND_VARIABLE, NULL, NULL, NULL);
}

static void offer_claims(struct lsp_completion *completion)
{
	const struct mw_study *study = lsp_study(completion->cursor->document);
	char text[200];

	for (size_t i = 0; study && i < study->draft.node_count; i++) {
		const struct mw_draft_node *node = study->draft.nodes[i];

		for (size_t c = 0; c < node->claim_count && !node->host; c++) {
			const struct mw_draft_claim *claim = &node->claims[c];
			bool line = claim->kind == MW_CLAIM_IRQ;

			snprintf(text, sizeof(text), "dev.%s.%s%s", node->id, claim->name,
				 line ? "" : ".base");
			lsp_offer(completion, text, LSP_KIND_REFERENCE, NULL,
				  node->type ? node->type->name : NULL, NULL);
		}
	}
}

void lsp_complete_expression(struct lsp_completion *completion, size_t start)
{
	static const char *const functions[] = { "has", "len", "log2" };
	static const char *const words[] = { "and", "or",  "not",   "if",   "else",  "in",
					     "min", "max", "align", "true", "false", NULL };
	char text[16];

	completion->start = start;
	if (lsp_merged(completion->cursor->document))
		offer_parameters(completion);
	else
		offer_written(completion);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		snprintf(text, sizeof(text), "%s(", functions[i]);
		lsp_offer(completion, functions[i], LSP_KIND_FUNCTION, text, NULL, NULL);
	}
	lsp_offer_words(completion, words, LSP_KIND_KEYWORD);
	if (lsp_completes(completion, "devices/*/props/*") || lsp_completes(completion, "boot/*"))
		offer_claims(completion);
}
