/* What became of a claim: window, lock file, neighbours, and where an interrupt line leads. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "resolver/allocate.h"
#include "resolver/lock.h"
#include "tools/origin/story.h"

enum { MOST_BEFORE = 16 };

static bool needs_more(const struct mw_draft_claim *a, const struct mw_draft_claim *b)
{
	if (a->align != b->align)
		return a->align > b->align;
	if (a->length != b->length)
		return a->length > b->length;
	int order = mw_id_compare(a->node->id, b->node->id);

	return order ? order < 0 : a < b;
}

/* Those that were placed before it in its window. */
static void tell_earlier(struct story *story, const struct mw_draft_claim *claim)
{
	const struct mw_draft *draft = &story->study->draft;
	size_t count = 0;

	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			const struct mw_draft_claim *other = &node->claims[c];

			if (other == claim || other->kind != claim->kind || !other->automatic ||
			    !other->placed || other->locked || !needs_more(other, claim))
				continue;
			if (count++ < MOST_BEFORE)
				story_add(story, other->tree->span,
					  "`%s.%s` was placed before it: %s", node->id, other->name,
					  mw_origin_place(&story->arena, other));
		}
	}
	if (count > MOST_BEFORE)
		story_add(story, (struct mw_span){ 0 }, "and %zu more were placed before it",
			  count - MOST_BEFORE);
}

static void tell_locked(struct story *story, const struct mw_draft_claim *claim)
{
	story_add(story, claim->locked->tree ? claim->locked->tree->span : (struct mw_span){ 0 },
		  "the lock file keeps its place");
}

static void tell_range(struct story *story, const struct mw_draft_claim *claim)
{
	const struct mw_draft_window *window = mw_auto_window(&story->study->draft, claim->kind);

	if (claim->region && !claim->automatic) {
		story_add(story, (struct mw_span){ 0 },
			  "the range is 0x%" PRIx64 "+0x%" PRIx64 ", aligned to 0x%" PRIx64,
			  claim->base, claim->length, claim->align);
		return;
	}
	if (claim->locked) {
		tell_locked(story, claim);
		return;
	}
	if (!window) {
		story_add(story, (struct mw_span){ 0 }, "there is no window to place it in");
		return;
	}
	story_add(story, window->span,
		  "`auto` looks in the window `%s`, 0x%" PRIx64 "+0x%" PRIx64 ", from the %s",
		  window->name, window->base, window->length, window->down ? "end" : "start");
	story_add(story, (struct mw_span){ 0 },
		  "it needs 0x%" PRIx64 " bytes aligned to 0x%" PRIx64
		  "; larger alignments, then larger sizes, then ids go first",
		  claim->length, claim->align);
	tell_earlier(story, claim);
	if (!claim->placed)
		story_add(story, (struct mw_span){ 0 }, "there was no room for it");
}

static struct mw_span domain_span(const struct story *story, const char *name)
{
	struct mw_tree *root = story->study->document.root;
	const struct mw_tree *domain = mw_tree_get(root ? mw_tree_get(root, "irq") : NULL, name);

	return domain ? domain->key_span : (struct mw_span){ 0 };
}

static void tell_net(struct story *story, const struct mw_draft_claim *claim)
{
	const struct mw_draft_net *net = claim->net;

	if (claim->locked)
		tell_locked(story, claim);
	else if (claim->automatic)
		story_add(story, (struct mw_span){ 0 },
			  "`auto` takes the first line that nothing drives");
	if (!net)
		return;
	if (claim->domain)
		story_add(story, domain_span(story, claim->domain),
			  "line %" PRIu64 " of the domain `%s`", claim->line, claim->domain);
	for (size_t i = 0; i < net->sink_count; i++)
		story_add(story, net->sink_nodes[i]->span, "the line leads to `%s`, %s %u",
			  net->sink_nodes[i]->id, net->sinks[i].wire->name, net->sinks[i].index);
	if (net->gsi != MW_NO_GSI)
		story_add(story, (struct mw_span){ 0 }, "the guest knows it as GSI %u", net->gsi);
	for (size_t i = 0; i < net->user_count; i++) {
		if (net->users[i] != claim)
			story_add(story, net->users[i]->tree->span, "`%s.%s` drives the line too",
				  net->users[i]->node->id, net->users[i]->name);
	}
}

void story_claim(struct story *story, const struct mw_draft_claim *claim)
{
	if (claim->kind == MW_CLAIM_IRQ)
		tell_net(story, claim);
	else if (claim->kind == MW_CLAIM_IO || claim->kind == MW_CLAIM_MMIO)
		tell_range(story, claim);
	else if (claim->locked)
		tell_locked(story, claim);
	else if (claim->automatic)
		story_add(story, (struct mw_span){ 0 }, "`auto` takes the first one that is free");
}
