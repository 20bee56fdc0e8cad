/* Links: places of claims as text. */
// SPDX-License-Identifier: MIT
#include "resolver/link.h"

#include <string.h>

#include "resolver/typecheck.h"

/* A claim by its name, or by its kind where the node has one of that kind. */
static struct mw_draft_claim *find_claim(struct mw_draft_node *node, const char *name)
{
	static const char *const kinds[] = { [MW_CLAIM_IO] = "io",
					     [MW_CLAIM_MMIO] = "mmio",
					     [MW_CLAIM_IRQ] = "irq",
					     [MW_CLAIM_DMA] = "dma" };
	struct mw_draft_claim *by_kind = NULL;
	size_t count = 0;

	for (size_t i = 0; i < node->claim_count; i++) {
		struct mw_draft_claim *claim = &node->claims[i];

		if (!strcmp(claim->name, name))
			return claim;
		if (claim->kind <= MW_CLAIM_DMA && !strcmp(kinds[claim->kind], name)) {
			by_kind = claim;
			count++;
		}
	}
	return count == 1 ? by_kind : NULL;
}

static bool look(void *context, const char *id, const char *name, struct mw_claim_range *range)
{
	struct mw_draft *draft = context;
	struct mw_draft_node *node = mw_draft_find(draft, id);
	struct mw_draft_claim *claim = node && !node->host ? find_claim(node, name) : NULL;
	struct mw_draft_node *failed = mw_lookup_find(&draft->by_id, id);

	/* What is wrong with it has been told; any place will do, as there will be no plan. */
	if ((failed && failed->failed) || mw_document_failed(draft->document, id)) {
		*range = (struct mw_claim_range){ 0, 1 };
		return true;
	}
	if (!claim || !claim->placed)
		return false;
	if (claim->kind == MW_CLAIM_DMA) {
		*range = (struct mw_claim_range){ claim->line, 1 };
		return true;
	}
	if (claim->kind != MW_CLAIM_IRQ) {
		*range = (struct mw_claim_range){ claim->base, claim->length };
		return true;
	}
	const struct mw_draft_net *net = claim->net;

	if (!net->domain)
		return false;
	*range = (struct mw_claim_range){ net->gsi != MW_NO_GSI ? net->gsi : net->line, 1 };
	return true;
}

const char *mw_link_text(struct mw_draft *draft, struct mw_tree *scalar)
{
	if (!scalar->link)
		return scalar->text;
	return mw_document_link(draft->document, scalar, look, draft);
}

void mw_link(struct mw_draft *draft)
{
	for (size_t i = 0; i < draft->late_count; i++) {
		struct mw_draft_late *late = &draft->late[i];
		const char *text = late->node->failed ? NULL : mw_link_text(draft, late->tree);

		if (text)
			mw_value_set(draft, late->node, late->tree, text, late->value);
		else
			late->node->failed = true;
	}
}
