/* One sweep per address space finds every overlap; `auto` claims go where nothing lies. */
// SPDX-License-Identifier: MIT
#include "resolver/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/lock.h"
#include "resolver/memory.h"

#include "resolver/fixes.h"
#include "resolver/rules.h"

/* What x86 machines hold without a device (SDM vol. 3, 11.4.1 and 11.11.1): the local APICs, and
 * the window that messages are written to. */
#define LAPIC_BASE   UINT64_C(0xfee00000)
#define LAPIC_LENGTH UINT64_C(0x100000)
/* The TSS and identity map of KVM on Intel, kept free under every accelerator. */
#define PRIVATE_BASE   UINT64_C(0xfeffc000)
#define PRIVATE_LENGTH UINT64_C(0x4000)

/* One address space on its way. */
struct space {
	struct mw_draft *draft;
	enum mw_claim_kind kind;
	struct mw_place *places;
	size_t count;
	struct mw_draft_claim **autos;
	size_t auto_count;
};

static bool usable(const struct mw_draft_node *node)
{
	return !node->failed && !node->dropped;
}

const struct mw_draft_window *mw_auto_window(const struct mw_draft *draft, enum mw_claim_kind kind)
{
	const struct mw_draft_window *window =
		mw_draft_window(draft, kind == MW_CLAIM_IO ? "io" : "mmio32");

	return window || kind == MW_CLAIM_IO ? window : mw_draft_window(draft, "mmio64");
}

/* The address a place of the lock means now; false without its window. */
static bool locked_base(const struct mw_draft *draft, const struct mw_lock_place *place,
			uint64_t *base)
{
	const struct mw_draft_window *window =
		place->where ? mw_draft_window(draft, place->where) : NULL;

	*base = place->base;
	if (!place->where)
		return true;
	if (!window || place->base > UINT64_MAX - window->base)
		return false;
	*base += window->base;
	return true;
}

/* Puts a claim where the lock has it. False, with R309, where that cannot be. */
static bool place_locked(struct space *space, struct mw_draft_claim *claim)
{
	const struct mw_lock_place *place = claim->locked;
	struct mw_draft *draft = space->draft;
	const struct mw_draft_window *window = mw_auto_window(draft, claim->kind);
	struct mw_diag *diag;

	if (!window || !locked_base(draft, place, &claim->base)) {
		mw_lock_drift(draft, claim->node, claim, place, "and there is no window `%s`",
			      place->where                 ? place->where
			      : space->kind == MW_CLAIM_IO ? "io"
							   : "mmio32");
		return false;
	}
	if (claim->base < window->base || claim->length > window->length ||
	    claim->base - window->base > window->length - claim->length) {
		diag = mw_lock_drift(draft, claim->node, claim, place, "outside of the window `%s`",
				     window->name);
		mw_diag_note(draft->diagnostics, diag, window->span, "the window");
		return false;
	}
	if (claim->base & (claim->align - 1)) {
		mw_lock_drift(draft, claim->node, claim, place,
			      "which is not aligned: it needs 0x%" PRIx64, claim->align);
		return false;
	}
	claim->placed = true;
	return true;
}

static void collect(struct space *space)
{
	struct mw_draft *draft = space->draft;
	size_t most = draft->ram_count + 3;

	for (size_t i = 0; i < draft->node_count; i++)
		most += draft->nodes[i]->claim_count;
	space->places = mw_arena_alloc(draft->arena, most, sizeof(*space->places));
	space->autos = mw_arena_alloc(draft->arena, most, sizeof(struct mw_draft_claim *));
	for (size_t i = 0; i < draft->node_count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		for (size_t c = 0; c < node->claim_count && usable(node); c++) {
			struct mw_draft_claim *claim = &node->claims[c];

			if (claim->kind != space->kind)
				continue;
			if (claim->automatic)
				claim->locked = mw_lock_take(draft, node, claim);
			if (claim->automatic && !claim->locked)
				space->autos[space->auto_count++] = claim;
			else if (!claim->locked || place_locked(space, claim))
				space->places[space->count++] =
					(struct mw_place){ claim->base, claim->length,
							   MW_PLACE_CLAIM, claim };
		}
	}
	if (space->kind != MW_CLAIM_MMIO)
		return;
	for (size_t i = 0; i < draft->ram_count; i++)
		space->places[space->count++] =
			(struct mw_place){ draft->ram[i].base, draft->ram[i].length, MW_PLACE_RAM,
					   NULL };
	if (draft->plan->vtl2.range.length && draft->from_plan)
		space->places[space->count++] =
			(struct mw_place){ draft->plan->vtl2.range.base,
					   draft->plan->vtl2.range.length, MW_PLACE_VTL2, NULL };
	space->places[space->count++] =
		(struct mw_place){ LAPIC_BASE, LAPIC_LENGTH, MW_PLACE_LAPIC, NULL };
	space->places[space->count++] =
		(struct mw_place){ PRIVATE_BASE, PRIVATE_LENGTH, MW_PLACE_PRIVATE, NULL };
}

static int claim_order(const struct mw_draft_claim *a, const struct mw_draft_claim *b)
{
	int order = mw_id_compare(a->node->id, b->node->id);

	return order ? order : a < b ? -1 : a > b; /* of one node: the order of its regions */
}

static int by_base(const void *a, const void *b)
{
	const struct mw_place *left = a, *right = b;

	if (left->base != right->base)
		return left->base < right->base ? -1 : 1;
	if (left->length != right->length)
		return left->length > right->length ? -1 : 1;
	if (left->what != right->what)
		return left->what < right->what ? -1 : 1;
	return left->claim && right->claim ? claim_order(left->claim, right->claim) : 0;
}

static const char *label(struct space *space, const struct mw_place *place)
{
	return mw_arena_printf(&space->draft->diagnostics->arena,
			       "`%s.%s` 0x%" PRIx64 "-0x%" PRIx64, place->claim->node->id,
			       place->claim->name, place->base, place->base + (place->length - 1));
}

static const char *size_text(struct space *space, uint64_t size)
{
	static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (size && size % 1024 == 0 && unit < 4) {
		size /= 1024;
		unit++;
	}
	return mw_arena_printf(&space->draft->diagnostics->arena, "%" PRIu64 "%s%s", size,
			       units[unit],
			       unit        ? ""
			       : size == 1 ? " byte"
					   : " bytes");
}

static uint64_t common(const struct mw_place *a, const struct mw_place *b)
{
	uint64_t base = a->base > b->base ? a->base : b->base;
	uint64_t end_a = a->base + a->length, end_b = b->base + b->length;

	return (end_a < end_b ? end_a : end_b) - base;
}

static void report_claims(struct space *space, const struct mw_place *a, const struct mw_place *b)
{
	struct mw_span span_a = a->claim->tree->span, span_b = b->claim->tree->span;
	bool copies = span_a.source == span_b.source && span_a.byte == span_b.byte;
	bool a_later =
		copies ? claim_order(a->claim, b->claim) > 0 : mw_span_to_blame(span_a, span_b);
	const struct mw_place *later = a_later ? a : b, *earlier = a_later ? b : a;
	bool ports = space->kind == MW_CLAIM_IO;
	uint64_t bytes = common(a, b);
	struct mw_diag *diag = mw_draft_error(
		space->draft, ports ? "R301" : "R302", later->claim->tree->span, later->claim->node,
		ports ? "io" : "mmio", "%s overlaps %s by %" PRIu64 " %s%s", label(space, later),
		label(space, earlier), bytes, ports ? "port" : "byte", bytes == 1 ? "" : "s");

	mw_diag_note(space->draft->diagnostics, diag, earlier->claim->tree->span,
		     "`%s` is placed here", earlier->claim->node->id);
}

/* `place` against what is no claim of a device. */
static void report_fixture(struct space *space, const struct mw_place *place,
			   const struct mw_place *fixture)
{
	static const char *const texts[] = {
		[MW_PLACE_RAM] = "lies in RAM",
		[MW_PLACE_LAPIC] = "lies in the window of local APICs and messages",
		[MW_PLACE_PRIVATE] = "lies in the accelerator's private pages",
		[MW_PLACE_VTL2] = "lies in the memory of VTL 2",
		[MW_PLACE_CLAIM] = "lies in",
	};
	struct mw_draft *draft = space->draft;
	bool claim = place->what == MW_PLACE_CLAIM;
	const char *what =
		claim ? label(space, place)
		      : mw_arena_printf(&draft->diagnostics->arena, "RAM 0x%" PRIx64 "-0x%" PRIx64,
					place->base, place->base + (place->length - 1));
	struct mw_diag *diag =
		mw_draft_error(draft, fixture->what == MW_PLACE_PRIVATE ? "A502" : "R302",
			       claim ? place->claim->tree->span : draft->ram_span,
			       claim ? place->claim->node : NULL, claim ? "mmio" : "memory",
			       "%s %s 0x%" PRIx64 "-0x%" PRIx64, what, texts[fixture->what],
			       fixture->base, fixture->base + (fixture->length - 1));

	if (fixture->what == MW_PLACE_RAM)
		mw_diag_note(draft->diagnostics, diag, draft->ram_span, "this much RAM");
	if (fixture->what == MW_PLACE_PRIVATE && claim && mw_draft_window(draft, "mmio32"))
		mw_mend_base(draft, diag, place->claim, "auto");
}

static bool is_locked(const struct mw_place *place)
{
	return place->what == MW_PLACE_CLAIM && place->claim->locked;
}

/* R309: what has its place from the lock file meets something that is there now. */
static void report_drift(struct space *space, const struct mw_place *place,
			 const struct mw_place *other)
{
	static const char *const names[] = {
		[MW_PLACE_RAM] = "RAM",
		[MW_PLACE_LAPIC] = "the window of local APICs and messages",
		[MW_PLACE_PRIVATE] = "the accelerator's private pages",
		[MW_PLACE_VTL2] = "the memory of VTL 2",
		[MW_PLACE_CLAIM] = "",
	};
	struct mw_draft *draft = space->draft;
	struct mw_draft_claim *claim = place->claim;
	bool grown = claim->length > claim->locked->length;
	const char *what = other->what == MW_PLACE_CLAIM ? label(space, other) : names[other->what];
	struct mw_diag *diag = grown ? mw_lock_drift(draft, claim->node, claim, claim->locked,
						     "and the %s that it needs now overlap %s",
						     size_text(space, claim->length), what)
				     : mw_lock_drift(draft, claim->node, claim, claim->locked,
						     "and overlaps %s", what);
	struct mw_span span = other->what == MW_PLACE_CLAIM ? other->claim->tree->span
			      : other->what == MW_PLACE_RAM ? draft->ram_span
							    : (struct mw_span){ 0 };

	if (span.source)
		mw_diag_note(draft->diagnostics, diag, span, "%s is here", what);
}

static void report(struct space *space, const struct mw_place *a, const struct mw_place *b)
{
	/* Of two that are locked the later line is the one too many. */
	if (is_locked(a) && (!is_locked(b) || mw_span_to_blame(a->claim->locked->tree->span,
							       b->claim->locked->tree->span))) {
		report_drift(space, a, b);
		return;
	}
	if (is_locked(b)) {
		report_drift(space, b, a);
		return;
	}
	bool claim_a = a->what == MW_PLACE_CLAIM, claim_b = b->what == MW_PLACE_CLAIM;

	if (claim_a && claim_b)
		report_claims(space, a, b);
	else if (claim_a || a->what == MW_PLACE_RAM)
		report_fixture(space, a, b);
	else
		report_fixture(space, b, a);
}

static bool permitted(const struct mw_place *a, const struct mw_place *b)
{
	if (a->what != MW_PLACE_CLAIM || b->what != MW_PLACE_CLAIM)
		return false;
	return a->claim->node->overlay_target == b->claim ||
	       b->claim->node->overlay_target == a->claim;
}

/* The places that reach past the sweep line. Pairs in it overlap by permission, and a claim permits
 * one target, so it holds few; of two in conflict it keeps the one that reaches further, which is
 * the one later claims run into. */
struct active {
	const struct mw_place **items;
	size_t count, capacity;
};

static void prune(struct active *active, uint64_t base)
{
	size_t kept = 0;

	for (size_t i = 0; i < active->count; i++) {
		if (active->items[i]->base + active->items[i]->length > base)
			active->items[kept++] = active->items[i];
	}
	active->count = kept;
}

static void meet(struct space *space, struct active *active, const struct mw_place *place)
{
	for (size_t i = 0; i < active->count; i++) {
		const struct mw_place *other = active->items[i];

		if (permitted(place, other))
			continue;
		report(space, place, other);
		if (place->base + place->length > other->base + other->length)
			active->items[i] = place;
		return;
	}
	active->items = mw_draft_room(space->draft->arena, active->items, active->count,
				      &active->capacity, sizeof(struct mw_place *));
	active->items[active->count++] = place;
}

static void sweep(struct space *space)
{
	struct active active = { 0 };

	if (space->count)
		qsort(space->places, space->count, sizeof(*space->places), by_base);
	for (size_t i = 0; i < space->count; i++) {
		prune(&active, space->places[i].base);
		meet(space, &active, &space->places[i]);
	}
}

/* By alignment, then size, both falling, then id: file order never matters. */
static int by_need(const void *a, const void *b)
{
	const struct mw_draft_claim *left = *(struct mw_draft_claim *const *)a;
	const struct mw_draft_claim *right = *(struct mw_draft_claim *const *)b;

	if (left->align != right->align)
		return left->align > right->align ? -1 : 1;
	if (left->length != right->length)
		return left->length > right->length ? -1 : 1;
	return claim_order(left, right);
}

static void no_window(struct space *space, struct mw_draft_claim *claim)
{
	struct mw_tree *windows = mw_tree_get(space->draft->document->root, "windows");
	bool ports = space->kind == MW_CLAIM_IO;

	if (windows && windows->failed) { /* it may have had one */
		claim->node->failed = true;
		return;
	}
	struct mw_diag *diag = mw_draft_error(
		space->draft, "R307", claim->tree->span, claim->node, ports ? "io" : "mmio",
		"`auto` has nowhere to go: the machine has no window `%s`",
		ports ? "io" : "mmio32");
	mw_diag_help(space->draft->diagnostics, diag, "say where, or add `windows: { %s }`",
		     ports ? "io: 0xc000+0x1000" : "mmio32: 0xc0000000+0x1000000");
}

/* What is kept for who is gone. Who said that he wants to be there is there already. */
static void keep(void *context, const struct mw_lock_place *place)
{
	struct space *space = context;
	uint64_t base;

	if (locked_base(space->draft, place, &base) && base <= UINT64_MAX - place->length)
		space->places[space->count++] =
			(struct mw_place){ base, place->length, MW_PLACE_KEPT, NULL };
}

static void keep_places(struct space *space)
{
	struct mw_draft *draft = space->draft;
	size_t before = space->count;
	struct mw_place *places;

	if (!draft->lock)
		return;
	places = mw_arena_alloc(draft->arena, space->count + draft->lock->count + 1,
				sizeof(*places));
	if (space->count)
		memcpy(places, space->places, space->count * sizeof(*places));
	space->places = places;
	mw_lock_each_kept(draft, space->kind == MW_CLAIM_IO ? MW_LOCK_IO : MW_LOCK_MMIO, keep,
			  space);
	if (space->count > before)
		qsort(space->places, space->count, sizeof(*space->places), by_base);
}

static void place_autos(struct space *space)
{
	struct mw_draft *draft = space->draft;
	bool ports = space->kind == MW_CLAIM_IO;
	const struct mw_draft_window *window = mw_auto_window(draft, space->kind);

	if (!space->auto_count)
		return;
	keep_places(space);
	qsort(space->autos, space->auto_count, sizeof(struct mw_draft_claim *), by_need);
	struct mw_pool *pool =
		window ? mw_pool_create(draft->arena, window, space->places, space->count) : NULL;

	for (size_t i = 0; i < space->auto_count; i++) {
		struct mw_draft_claim *claim = space->autos[i];
		uint64_t largest;

		if (!pool) {
			no_window(space, claim);
			continue;
		}
		claim->placed =
			mw_pool_take(pool, claim->length, claim->align, &claim->base, &largest);
		if (claim->placed)
			continue;
		struct mw_diag *diag = mw_draft_error(
			draft, "R307", claim->tree->span, claim->node, ports ? "io" : "mmio",
			largest ? "`%s.%s` needs %s; the largest hole in `%s` is %s"
				: "`%s.%s` needs %s; `%s` is full%s",
			claim->node->id, claim->name, size_text(space, claim->length), window->name,
			largest ? size_text(space, largest) : "");

		mw_diag_note(draft->diagnostics, diag, window->span, "the window");
	}
}

/* "NODE.CLAIM" of `overlays`; ids may hold dots, claims do not. */
static void find_overlay(struct mw_draft *draft, struct mw_draft_node *node)
{
	struct mw_tree *tree = node->overlays;
	const char *text = mw_draft_text(draft, tree, node, "overlays", "NODE.CLAIM");
	const char *dot = text ? strrchr(text, '.') : NULL;

	if (!text)
		return;
	if (!dot) {
		mw_draft_error(draft, "S102", tree->span, node, "overlays",
			       "expected NODE.CLAIM, found `%s`", text);
		return;
	}
	const char *id = mw_arena_strndup(draft->arena, text, (size_t)(dot - text));
	struct mw_draft_node *target = mw_draft_find(draft, id);

	if (!target) {
		mw_draft_no_node(draft, "S102", tree->span, node, "overlays", id);
		return;
	}
	for (size_t i = 0; i < target->claim_count; i++) {
		if (target->claims[i].region && !strcmp(target->claims[i].name, dot + 1))
			node->overlay_target = &target->claims[i];
	}
	if (!node->overlay_target)
		mw_draft_error(draft, "S102", tree->span, node, "overlays",
			       "`%s` has no claim `%s`", id, dot + 1);
}

/* R303: a permission that nothing uses hides the next mistake. */
static void check_overlay(struct mw_draft *draft, struct mw_draft_node *node)
{
	const struct mw_draft_claim *target = node->overlay_target;
	bool touches = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		struct mw_draft_claim *claim = &node->claims[i];

		if (claim == target || claim->kind != target->kind || !claim->placed)
			continue;
		claim->overlaps_target = claim->base < target->base + target->length &&
					 target->base < claim->base + claim->length;
		touches |= claim->overlaps_target;
	}
	if (!touches)
		mw_mend_overlay(draft,
				mw_draft_report(draft, MW_SEVERITY_WARNING, "R303",
						node->overlays->span, node, "overlays",
						"no claim of `%s` overlaps `%s`", node->id,
						node->overlays->text),
				node);
}

static void check_windows(struct mw_draft *draft)
{
	const struct mw_draft_window *low = mw_draft_window(draft, "mmio32");
	const struct mw_draft_window *high = mw_draft_window(draft, "mmio64");

	if (!low || !high || low->base + low->length <= high->base ||
	    high->base + high->length <= low->base)
		return;
	struct mw_diag *diag = mw_draft_error(draft, "R302", high->span, NULL, "windows",
					      "the windows `mmio64` and `mmio32` overlap");

	mw_diag_note(draft->diagnostics, diag, low->span, "`mmio32` is here");
}

void mw_allocate(struct mw_draft *draft)
{
	check_windows(draft);
	for (size_t i = 0; i < draft->node_count; i++) {
		if (draft->nodes[i]->overlays && usable(draft->nodes[i]))
			find_overlay(draft, draft->nodes[i]);
	}
	for (unsigned kind = MW_CLAIM_IO; kind <= MW_CLAIM_MMIO; kind++) {
		struct space space = { .draft = draft, .kind = kind };

		collect(&space);
		sweep(&space);
		place_autos(&space);
	}
	mw_vtl2_place(draft);
	for (size_t i = 0; i < draft->node_count; i++) {
		if (draft->nodes[i]->overlay_target && usable(draft->nodes[i]))
			check_overlay(draft, draft->nodes[i]);
	}
}
