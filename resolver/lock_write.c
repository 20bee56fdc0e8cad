/* The text of a lock file, from a machine that has been resolved. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/allocate.h"
#include "resolver/lock.h"
#include "resolver/read.h"

/* One line to be. */
struct line {
	const char *node, *key, *value;
	enum mw_lock_kind kind;
	bool gone;
};

struct lines {
	struct mw_draft *draft;
	struct line *items;
	size_t count, capacity;
	struct mw_lookup by_key;
};

void mw_lock_hash(const struct mw_plan *plan, char hash[65])
{
	uint8_t bytes[32];

	mw_plan_hash(plan, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(hash + 2 * i, 3, "%02x", bytes[i]);
}

static void add(struct lines *lines, struct line line)
{
	struct mw_arena *arena = lines->draft->arena;

	lines->items = mw_draft_room(arena, lines->items, lines->count, &lines->capacity,
				     sizeof(*lines->items));
	lines->items[lines->count++] = line;
	mw_lookup_add(&lines->by_key, arena, line.key, (void *)(uintptr_t)1);
}

/* A window above RAM moves with RAM, and what is in it with the window: it is told by its offset. */
static const char *range_text(struct mw_draft *draft, const struct mw_draft_claim *claim)
{
	const struct mw_draft_window *window = mw_auto_window(draft, claim->kind);
	bool after = window && mw_tree_get(window->tree, "after");

	if (!after)
		return mw_arena_printf(draft->arena, "0x%" PRIx64 "+0x%" PRIx64, claim->base,
				       claim->length);
	return mw_arena_printf(draft->arena, "%s:0x%" PRIx64 "+0x%" PRIx64, window->name,
			       claim->base - window->base, claim->length);
}

static void add_claim(struct lines *lines, const struct mw_draft_node *node,
		      const struct mw_draft_claim *claim)
{
	struct mw_draft *draft = lines->draft;
	struct line line = { .node = node->id, .key = mw_lock_key(draft->arena, node, claim) };

	switch (claim->kind) {
	case MW_CLAIM_IRQ:
		line.kind = MW_LOCK_IRQ;
		line.value = mw_arena_printf(draft->arena, "%s:%" PRIu32, claim->net->domain,
					     claim->net->line);
		break;
	case MW_CLAIM_DMA:
		line.kind = MW_LOCK_DMA;
		line.value = mw_arena_printf(draft->arena, "%" PRIu64, claim->line);
		break;
	default:
		line.kind = claim->kind == MW_CLAIM_IO ? MW_LOCK_IO : MW_LOCK_MMIO;
		line.value = range_text(draft, claim);
	}
	add(lines, line);
}

static void add_node(struct lines *lines, const struct mw_draft_node *node)
{
	struct mw_arena *arena = lines->draft->arena;

	if (node->address_automatic)
		add(lines, (struct line){ .node = node->id,
					  .key = mw_lock_key(arena, node, NULL),
					  .value = mw_arena_printf(arena, "%s:%s", node->bus_id,
								   node->address) });
	for (size_t i = 0; i < node->claim_count; i++) {
		if (node->claims[i].automatic && node->claims[i].placed)
			add_claim(lines, node, &node->claims[i]);
	}
}

/* What has no `auto` any more is not kept: its node is there and has said another place. */
static bool is_settled(struct mw_draft *draft, const struct mw_lock_place *place)
{
	const struct mw_draft_node *node = mw_lookup_find(&draft->by_id, place->node);

	if (!node || node->dropped)
		return false;
	if (place->kind == MW_LOCK_AT)
		return true;
	for (size_t i = 0; i < node->claim_count; i++) {
		if (!strcmp(mw_lock_key(draft->arena, node, &node->claims[i]), place->key))
			return true;
	}
	return false;
}

static void add_gone(struct lines *lines)
{
	struct mw_draft *draft = lines->draft;

	for (size_t i = 0; draft->lock && i < draft->lock->count; i++) {
		const struct mw_lock_place *place = &draft->lock->places[i];

		if (place->taken || mw_lookup_find(&lines->by_key, place->key) ||
		    is_settled(draft, place))
			continue;
		add(lines, (struct line){ .node = place->node,
					  .key = place->key,
					  .value = place->tree->text,
					  .kind = place->kind,
					  .gone = true });
	}
}

static int by_place(const void *a, const void *b)
{
	const struct line *left = a, *right = b;
	int order = mw_id_compare(left->node, right->node);

	if (left->gone != right->gone)
		return left->gone ? 1 : -1;
	if (order)
		return order;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return mw_id_compare(left->key, right->key);
}

static void write_lines(const struct lines *lines, bool gone, FILE *out)
{
	for (size_t i = 0; i < lines->count; i++) {
		if (lines->items[i].gone == gone)
			fprintf(out, "  %s: %s\n", lines->items[i].key, lines->items[i].value);
	}
}

static void write_file(const struct lines *lines, size_t places, size_t gone, FILE *out)
{
	const struct mw_draft *draft = lines->draft;
	char hash[65];

	mw_lock_hash(draft->plan, hash);
	fprintf(out,
		"# Where `auto` put things. Written by `millwright lock`; keep it with the "
		"profile.\n"
		"format: lock/1\nname: %s\nversion: %" PRIu32 "\nabi: \"%s\"\n",
		draft->plan->name, draft->plan->version, hash);
	fputs(places ? "places:\n" : "places: {}\n", out);
	write_lines(lines, false, out);
	if (gone)
		fputs("gone:\n", out);
	write_lines(lines, true, out);
}

char *mw_lock_write(struct mw_draft *draft, size_t *places, size_t *gone)
{
	struct lines lines = { .draft = draft };
	char *text = NULL;
	size_t length = 0;
	FILE *out;

	for (size_t i = 0; i < draft->node_count; i++)
		add_node(&lines, draft->nodes[i]);
	*places = lines.count;
	add_gone(&lines);
	*gone = lines.count - *places;
	if (lines.count)
		qsort(lines.items, lines.count, sizeof(*lines.items), by_place);
	out = open_memstream(&text, &length);
	if (!out)
		abort(); /* only for want of memory */
	write_file(&lines, *places, *gone, out);
	fclose(out);
	if (length <= MW_READ_BYTES && lines.count < MW_READ_NODES - 16)
		return text;
	mw_diagnostics_add(draft->diagnostics, MW_SEVERITY_ERROR, "Y010", (struct mw_span){ 0 },
			   "the lock would have %zu places in %zu bytes, more than a file may have",
			   lines.count, length);
	free(text);
	return NULL;
}

static void lacks(struct mw_draft *draft, const struct mw_draft_node *node,
		  const struct mw_draft_claim *claim, struct mw_lock_state *state)
{
	const char *key = mw_lock_key(draft->arena, node, claim);
	const struct mw_lock_place *place =
		draft->lock ? mw_lookup_find(&draft->lock->by_key, key) : NULL;

	if (place && place->taken && !place->gone)
		return;
	if (!state->lacking++)
		state->first_lacking = key;
}

void mw_lock_state(struct mw_draft *draft, struct mw_lock_state *state)
{
	char hash[65];

	*state = (struct mw_lock_state){ 0 };
	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		if (node->address_automatic)
			lacks(draft, node, NULL, state);
		for (size_t c = 0; c < node->claim_count; c++) {
			if (node->claims[c].automatic && node->claims[c].placed)
				lacks(draft, node, &node->claims[c], state);
		}
	}
	for (size_t i = 0; draft->lock && i < draft->lock->count; i++) {
		const struct mw_lock_place *place = &draft->lock->places[i];

		if (!place->taken && !place->gone && !state->stale++)
			state->first_stale = place->key;
	}
	if (!draft->lock)
		return;
	mw_lock_hash(draft->plan, hash);
	state->changed = strcmp(hash, draft->lock->hash) != 0;
}
