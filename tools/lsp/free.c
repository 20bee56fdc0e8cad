/* Places and lines that nothing holds, as the allocator would find them. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "resolver/allocate.h"
#include "tools/lsp/lsp_internal.h"

/* Where ISA cards and memory-mapped devices usually are, for machines without a window. */
static const struct mw_draft_window usual[] = {
	[MW_CLAIM_IO] = { .base = 0x200, .length = 0x10000 - 0x200 },
	[MW_CLAIM_MMIO] = { .base = 0xd0000000, .length = 0x2ec00000 },
};
#define LAPIC_BASE     UINT64_C(0xfee00000)
#define LAPIC_LENGTH   UINT64_C(0x100000)
#define PRIVATE_BASE   UINT64_C(0xfeffc000)
#define PRIVATE_LENGTH UINT64_C(0x4000)

struct places {
	struct mw_place *items;
	size_t count, capacity;
};

static void add(struct places *places, uint64_t base, uint64_t length)
{
	if (places->count == places->capacity) {
		places->capacity = places->capacity * 2 + 64;
		places->items = mw_grow(places->items, places->capacity, sizeof(*places->items));
	}
	places->items[places->count++] = (struct mw_place){ .base = base, .length = length };
}

static int by_base(const void *a, const void *b)
{
	const struct mw_place *left = a, *right = b;

	if (left->base != right->base)
		return left->base < right->base ? -1 : 1;
	return left->length > right->length ? -1 : left->length < right->length;
}

/* Everything placed, the node that asks left out. */
static void collect(struct places *places, const struct mw_draft *draft, enum mw_claim_kind kind,
		    const char *self)
{
	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		for (size_t c = 0; c < node->claim_count && strcmp(node->id, self) != 0; c++) {
			const struct mw_draft_claim *claim = &node->claims[c];

			if (claim->kind == kind && claim->placed && claim->length)
				add(places, claim->base, claim->length);
		}
	}
	for (size_t i = 0; i < draft->ram_count && kind == MW_CLAIM_MMIO; i++)
		add(places, draft->ram[i].base, draft->ram[i].length);
	if (kind == MW_CLAIM_MMIO) {
		add(places, LAPIC_BASE, LAPIC_LENGTH);
		add(places, PRIVATE_BASE, PRIVATE_LENGTH);
	}
	if (places->count)
		qsort(places->items, places->count, sizeof(*places->items), by_base);
}

static uint64_t natural(uint64_t length)
{
	uint64_t align = 1;

	while (align < length && align < 0x1000)
		align *= 2;
	return align;
}

void lsp_free_ranges(const struct lsp_document *document, enum mw_claim_kind kind, const char *self,
		     uint64_t length, uint64_t align, struct lsp_free *found)
{
	const struct mw_study *study = lsp_study(document);
	const struct mw_draft_window *window = NULL;
	struct mw_arena arena = { 0 };
	struct places places = { 0 };
	uint64_t largest;

	*found = (struct lsp_free){ 0 };
	length = length ? length : 1;
	if (study) {
		const struct mw_draft *draft = &study->draft;

		collect(&places, draft, kind, self);
		window = mw_draft_window(draft, kind == MW_CLAIM_IO ? "io" : "mmio32");
		if (!window && kind == MW_CLAIM_MMIO)
			window = mw_draft_window(draft, "mmio64");
	}
	found->window = window ? window->name : NULL;
	/* people place things at round addresses, the allocator need not */
	if (!window && align < natural(length))
		align = natural(length);
	struct mw_pool *pool =
		mw_pool_create(&arena, window ? window : &usual[kind], places.items, places.count);

	while (found->count < sizeof(found->bases) / sizeof(found->bases[0]) &&
	       mw_pool_take(pool, length, align ? align : 1, &found->bases[found->count], &largest))
		found->count++;
	free(places.items);
	mw_arena_fini(&arena);
}

/* Lines that `reserve` of the domain keeps away. */
static bool is_reserved(struct mw_tree *domain, uint32_t line)
{
	struct mw_tree *reserve = mw_tree_get(domain, "reserve");
	uint64_t number;

	for (struct mw_tree *item = reserve ? reserve->first : NULL; item; item = item->next) {
		if (item->kind == MW_TREE_SCALAR && mw_tree_int(item->text, &number) &&
		    number == line)
			return true;
	}
	return false;
}

/* Line 0 is the timer's wherever there is one; nobody is sent there. */
size_t lsp_free_lines(const struct lsp_document *document, const char *domain, const char *self,
		      uint32_t *lines, size_t most)
{
	const struct mw_study *study = lsp_study(document);
	uint32_t count = 0;
	size_t found = 0;

	for (size_t i = 0; study && i < study->draft.domain_count; i++) {
		if (strcmp(study->draft.domains[i].name, domain) == 0)
			count = study->draft.domains[i].lines;
	}
	if (!count)
		return 0;
	bool *used = mw_alloc(count, sizeof(*used));
	struct mw_tree *tree = mw_tree_get(mw_tree_get(study->document.root, "irq"), domain);

	for (size_t i = 0; i < study->draft.net_count; i++) {
		const struct mw_draft_net *net = study->draft.nets[i];

		for (size_t u = 0; u < net->user_count; u++) {
			if (net->domain && strcmp(net->domain, domain) == 0 && net->line < count &&
			    strcmp(net->users[u]->node->id, self) != 0)
				used[net->line] = true;
		}
	}
	for (uint32_t line = 1; line < count && found < most; line++) {
		if (!used[line] && !is_reserved(tree, line))
			lines[found++] = line;
	}
	free(used);
	return found;
}
