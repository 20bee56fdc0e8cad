/* RAM and windows. */
// SPDX-License-Identifier: MIT
#include "resolver/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE     UINT64_C(4096)
#define FOUR_GIB (UINT64_C(1) << 32)
/* Where low RAM ends unless the profile says so: a constant, so that no device moves it. */
#define BELOW_4G_DEFAULT UINT64_C(0xc0000000)
#define MEMORY_END       (UINT64_C(1) << 52)
enum { PORTS = 0x10000, TWO_MIB = 2 * 1024 * 1024 };

static int by_base(const void *a, const void *b)
{
	const struct mw_plan_range *left = a, *right = b;

	return left->base < right->base ? -1 : left->base > right->base;
}

static bool number_of(const char *text, uint64_t *value)
{
	return mw_tree_int(text, value) || mw_tree_size(text, value);
}

/* "BASE+LEN" within `end`. */
static bool read_range(struct mw_draft *draft, struct mw_tree *tree, const char *key, uint64_t end,
		       struct mw_plan_range *range)
{
	const char *text = mw_draft_text(draft, tree, NULL, key, "BASE+LENGTH");
	const char *plus = text ? strchr(text, '+') : NULL;

	if (!text)
		return false;
	if (!plus ||
	    !number_of(mw_arena_strndup(draft->arena, text, (size_t)(plus - text)), &range->base) ||
	    !number_of(plus + 1, &range->length)) {
		mw_draft_error(draft, "S102", tree->span, NULL, key,
			       "expected BASE+LENGTH, found `%s`", text);
		return false;
	}
	if (range->length && range->length <= end && range->base <= end - range->length)
		return true;
	mw_draft_error(draft, "S103", tree->span, NULL, key,
		       "`%s` is empty or goes beyond 0x%" PRIx64, text, end - 1);
	return false;
}

static size_t read_holes(struct mw_draft *draft, struct mw_tree *tree, struct mw_plan_range **out)
{
	size_t count = 0;

	if (!tree)
		return 0;
	if (tree->kind != MW_TREE_LIST) {
		mw_draft_error(draft, "S102", tree->span, NULL, "memory",
			       "expected a list of BASE+LENGTH");
		return 0;
	}
	*out = mw_arena_alloc(draft->arena, tree->count, sizeof(**out));
	for (struct mw_tree *item = tree->first; item; item = item->next) {
		struct mw_plan_range *hole = &(*out)[count];

		if (!read_range(draft, item, "memory", MEMORY_END, hole))
			continue;
		if ((hole->base | hole->length) % PAGE)
			mw_draft_error(draft, "R308", item->span, NULL, "memory",
				       "a hole begins and ends at whole pages of 4 KiB");
		else
			count++;
	}
	if (count)
		qsort(*out, count, sizeof(**out), by_base);
	return count;
}

static void add_ram(struct mw_draft *draft, uint64_t base, uint64_t end)
{
	size_t count = draft->ram_count;

	if (count && draft->ram[count - 1].base + draft->ram[count - 1].length == base)
		draft->ram[count - 1].length += end - base;
	else
		draft->ram[draft->ram_count++] = (struct mw_plan_range){ base, end - base };
}

/* Fills [base, end) around the holes; returns what is left over. */
static uint64_t fill(struct mw_draft *draft, uint64_t base, uint64_t end, uint64_t bytes,
		     const struct mw_plan_range *holes, size_t hole_count)
{
	for (size_t i = 0; i <= hole_count && bytes && base < end; i++) {
		uint64_t stop = i < hole_count && holes[i].base < end ? holes[i].base : end;

		if (stop > base) {
			uint64_t take = stop - base < bytes ? stop - base : bytes;

			add_ram(draft, base, base + take);
			bytes -= take;
		}
		if (i < hole_count && holes[i].base + holes[i].length > base)
			base = holes[i].base + holes[i].length;
	}
	return bytes;
}

static bool read_sizes(struct mw_draft *draft, struct mw_tree *memory, uint64_t *bytes,
		       uint64_t *low_end)
{
	struct mw_tree *ram = mw_tree_get(memory, "ram"), *low = mw_tree_get(memory, "below_4g");

	*low_end = BELOW_4G_DEFAULT;
	if (!ram) {
		mw_draft_missing(draft, memory, "memory",
				 "`memory` does not say how much `ram` there is");
		return false;
	}
	draft->ram_span = ram->span;
	if (!mw_draft_number(draft, ram, NULL, "memory", true, bytes) ||
	    (low && !mw_draft_number(draft, low, NULL, "memory", true, low_end)))
		return false;
	if (!*bytes || *bytes % PAGE || *bytes > MEMORY_END / 2) {
		mw_draft_error(draft, "S103", ram->span, NULL, "memory",
			       "%" PRIu64 " bytes of RAM: whole pages of 4 KiB, up to 2 PiB",
			       *bytes);
		return false;
	}
	if (*low_end % PAGE || !*low_end || *low_end > FOUR_GIB) {
		mw_draft_error(draft, "S103", low->span, NULL, "memory",
			       "0x%" PRIx64 " is no page between 4 KiB and 4 GiB", *low_end);
		return false;
	}
	return true;
}

/* `{ size, place: last, private }`: it lies behind everything, so that it moves nothing. */
static void read_vtl2(struct mw_draft *draft, struct mw_tree *tree)
{
	static const char *const keys[] = { "size", "place", "private", NULL };
	static const char *const places[] = { "last", NULL };
	struct mw_plan_vtl2 *vtl2 = &draft->plan->vtl2;
	struct mw_tree *size = mw_tree_get(tree, "size"), *place = mw_tree_get(tree, "place");
	struct mw_tree *hidden = mw_tree_get(tree, "private");
	uint64_t bytes;

	if (!tree || !mw_draft_keys(draft, tree, "vtl2", keys, NULL))
		return;
	if (!size) {
		mw_draft_missing(draft, tree, "memory", "`vtl2` needs a `size`");
		return;
	}
	if (place)
		mw_draft_member(draft, place, NULL, "memory", places);
	if (hidden &&
	    (hidden->kind != MW_TREE_SCALAR || !mw_tree_bool(hidden->text, &vtl2->is_private)))
		mw_draft_error(draft, "S102", hidden->span, NULL, "memory",
			       "expected `true` or `false`");
	if (!mw_draft_number(draft, size, NULL, "memory", true, &bytes))
		return;
	vtl2->span = tree->key_span;
	if (!bytes || bytes % TWO_MIB || bytes > MEMORY_END / 4)
		mw_draft_error(draft, "S103", size->span, NULL, "memory",
			       "%" PRIu64 " bytes for VTL 2: whole pages of 2 MiB, up to 1 PiB",
			       bytes);
	else
		vtl2->range.length = bytes;
}

void mw_ram_read(struct mw_draft *draft)
{
	static const char *const keys[] = { "ram", "holes", "below_4g", "vtl2", NULL };
	static const char *const later[] = { "huge_pages", "numa", NULL };
	struct mw_tree *memory = mw_tree_get(draft->document->root, "memory");
	struct mw_plan_range *holes = NULL;
	uint64_t bytes, low_end;

	if (!memory) {
		mw_draft_missing(draft, NULL, "memory", "the machine has no `memory`");
		return;
	}
	if (!mw_draft_keys(draft, memory, "memory", keys, later) ||
	    !read_sizes(draft, memory, &bytes, &low_end))
		return;
	read_vtl2(draft, mw_tree_get(memory, "vtl2"));
	size_t hole_count = read_holes(draft, mw_tree_get(memory, "holes"), &holes);

	draft->ram = mw_arena_alloc(&draft->plan->arena, 2 * hole_count + 2, sizeof(*draft->ram));
	uint64_t left = fill(draft, 0, low_end, bytes, holes, hole_count);

	left = fill(draft, FOUR_GIB, MEMORY_END, left, holes, hole_count);
	if (left)
		mw_draft_error(draft, "S103", draft->ram_span, NULL, "memory",
			       "the holes leave no room for this much RAM");
	draft->plan->ram_bytes = bytes;
}

static uint64_t ram_end(const struct mw_draft *draft)
{
	const struct mw_plan_range *last =
		draft->ram_count ? &draft->ram[draft->ram_count - 1] : NULL;
	uint64_t end = last ? last->base + last->length : 0;

	return end > FOUR_GIB ? end : FOUR_GIB;
}

void mw_vtl2_place(struct mw_draft *draft)
{
	struct mw_plan_range *range = &draft->plan->vtl2.range;
	uint64_t end = ram_end(draft);

	if (!range->length || draft->from_plan)
		return;
	for (size_t i = 0; i < draft->window_count; i++) {
		const struct mw_draft_window *window = &draft->windows[i];
		bool memory = !strncmp(window->name, "mmio", 4);

		if (memory && window->base + window->length > end)
			end = window->base + window->length;
	}
	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			const struct mw_draft_claim *claim = &node->claims[c];

			if (claim->kind == MW_CLAIM_MMIO && claim->placed &&
			    claim->base + claim->length > end)
				end = claim->base + claim->length;
		}
	}
	range->base = (end + TWO_MIB - 1) & ~(uint64_t)(TWO_MIB - 1);
	if (range->length > MEMORY_END || range->base > MEMORY_END - range->length)
		mw_draft_error(draft, "S103", draft->plan->vtl2.span, NULL, "memory",
			       "the memory of VTL 2 goes beyond the last address");
}

/* `after: ram`: the first aligned place above RAM and 4 GiB. */
static bool read_after(struct mw_draft *draft, struct mw_tree *tree, struct mw_draft_window *window)
{
	static const char *const places[] = { "ram", NULL };
	struct mw_tree *size = mw_tree_get(tree, "size"), *align = mw_tree_get(tree, "align");
	uint64_t alignment = PAGE;

	if (mw_draft_member(draft, mw_tree_get(tree, "after"), NULL, "windows", places) < 0)
		return false;
	if (!size) {
		mw_draft_missing(draft, tree, "windows", "the window `%s` needs a `size`",
				 tree->key);
		return false;
	}
	if (!mw_draft_number(draft, size, NULL, "windows", true, &window->length) ||
	    (align && !mw_draft_number(draft, align, NULL, "windows", true, &alignment)))
		return false;
	if (!alignment || alignment & (alignment - 1) || alignment > MEMORY_END / 4 ||
	    !window->length || window->length > MEMORY_END / 4) {
		mw_draft_error(draft, "S103", tree->key_span, NULL, "windows",
			       "`align` is a power of two, and it and `size` are at most 1 PiB");
		return false;
	}
	window->base = (ram_end(draft) + alignment - 1) & ~(alignment - 1);
	if (window->length <= MEMORY_END - window->base)
		return true;
	mw_draft_error(draft, "S103", tree->key_span, NULL, "windows",
		       "the window `%s` goes beyond the last address", tree->key);
	return false;
}

static void read_window(struct mw_draft *draft, struct mw_tree *tree)
{
	static const char *const keys[] = { "range", "pack", "after", "align", "size", NULL };
	static const char *const packs[] = { "up", "down", NULL };
	struct mw_draft_window *window = &draft->windows[draft->window_count];
	struct mw_tree *range = mw_tree_get(tree, "range"), *pack = mw_tree_get(tree, "pack");
	struct mw_plan_range place;
	int packing = 0;

	*window =
		(struct mw_draft_window){ .name = tree->key, .span = tree->key_span, .tree = tree };
	if (!mw_draft_keys(draft, tree, "windows", keys, NULL))
		return;
	if (pack)
		packing = mw_draft_member(draft, pack, NULL, "windows", packs);
	window->down = packing == 1;
	if (packing < 0)
		return;
	if (!range == !mw_tree_get(tree, "after")) {
		mw_draft_missing(draft, tree, "windows",
				 "the window `%s` is either a `range` or `after: ram`", tree->key);
		return;
	}
	if (!range) {
		draft->window_count += read_after(draft, tree, window);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		struct mw_tree *other = mw_tree_get(tree, i ? "size" : "align");

		if (other)
			mw_draft_error(draft, "S102", other->key_span, NULL, "windows",
				       "`%s` goes with `after`; the `range` of `%s` says it all",
				       other->key, tree->key);
	}
	if (!read_range(draft, range, "windows", strcmp(tree->key, "io") ? MEMORY_END : PORTS,
			&place))
		return;
	window->base = place.base;
	window->length = place.length;
	window->span = range->span;
	draft->window_count++;
}

static bool known(const struct mw_draft *draft, const char *name)
{
	struct mw_tree *irq = mw_tree_get(draft->document->root, "irq");

	return !strcmp(name, "io") || !strcmp(name, "mmio32") || !strcmp(name, "mmio64") ||
	       !strcmp(name, "gsi") || (irq && irq->kind == MW_TREE_MAP && mw_tree_get(irq, name));
}

void mw_windows_read(struct mw_draft *draft)
{
	static const char *const names[] = { "io", "mmio32", "mmio64", "gsi", NULL };
	struct mw_tree *windows = mw_tree_get(draft->document->root, "windows");

	if (!windows)
		return;
	if (windows->kind != MW_TREE_MAP) {
		mw_draft_error(draft, "S102", windows->span, NULL, "windows",
			       "expected a map of windows");
		return;
	}
	draft->windows = mw_arena_alloc(draft->arena, windows->count, sizeof(*draft->windows));
	for (struct mw_tree *tree = windows->first; tree; tree = tree->next) {
		if (!strncmp(tree->key, "x-", 2))
			continue;
		if (known(draft, tree->key)) {
			read_window(draft, tree);
			continue;
		}
		struct mw_diag *diag =
			mw_draft_error(draft, "S101", tree->key_span, NULL, "windows",
				       "nothing is placed in a window `%s`", tree->key);

		mw_suggest(draft->diagnostics, diag, tree->key, names);
	}
}
