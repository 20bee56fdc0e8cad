/* Lock files: read, asked, and compared with what came out. */
// SPDX-License-Identifier: MIT
#include "resolver/lock.h"

#include <inttypes.h>
#include <string.h>

#include "resolver/files_internal.h"
#include "resolver/front.h"

#define KEYS(...) ((const struct mw_shape_key[]){ __VA_ARGS__, { NULL, NULL, 0 } })

static const struct mw_shape text = { .accepts = MW_SHAPE_TEXT, .literal = true };
static const struct mw_shape number = { .accepts = MW_SHAPE_INT, .literal = true };
/* A map, or nothing where every line was taken out. */
static const struct mw_shape places = { .accepts = MW_SHAPE_ANY };
const struct mw_shape mw_lock_shape = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "format", &text, MW_KEY_REQUIRED }, { "name", &text, MW_KEY_REQUIRED },
		     { "version", &number, MW_KEY_REQUIRED }, { "abi", &text, MW_KEY_REQUIRED },
		     { "places", &places, 0 }, { "gone", &places, 0 }),
};

static const char *const kinds[] = { "at", "io", "mmio", "irq", "dma" };

const char *mw_lock_path(struct mw_arena *arena, const char *profile)
{
	size_t length = strlen(profile);

	if (length > 5 && !strcmp(profile + length - 5, ".yaml"))
		length -= 5;
	return mw_arena_printf(arena, "%.*s.lock.yaml", (int)length, profile);
}

/* As a reference that is a path whatever it is called. */
static const char *as_path(struct mw_draft *draft, const char *path)
{
	size_t length = strlen(path);
	bool is_path = *path == '/' || !strncmp(path, "./", 2) || !strncmp(path, "../", 3) ||
		       (length > 5 && !strcmp(path + length - 5, ".yaml"));

	return is_path ? path : mw_arena_printf(draft->arena, "./%s", path);
}

/* The lock that was asked for, or the one that is there; NULL for none. */
static const char *find_lock(struct mw_draft *draft)
{
	const struct mw_resolve_options *options = draft->document->options;
	const char *said = options ? options->lock : "";
	const char *path;

	if (said)
		return *said ? as_path(draft, said) : NULL;
	path = mw_lock_path(draft->arena, draft->document->front->profile->path);
	return mw_files_exist(&draft->document->front->files, path) ? as_path(draft, path) : NULL;
}

/* "NODE.KIND.CLAIM" or "NODE.at". */
static bool split_key(struct mw_draft *draft, struct mw_lock_place *place)
{
	const char *last = strrchr(place->key, '.'), *before = last;

	if (!last || last == place->key || !last[1])
		return false;
	while (before > place->key && before[-1] != '.')
		before--;
	const char *kind = mw_arena_strndup(draft->arena, before, (size_t)(last - before));

	for (unsigned i = MW_LOCK_IO; i < MW_LOCK_KINDS && before - 1 > place->key; i++) {
		if (strcmp(kinds[i], kind) != 0)
			continue;
		place->kind = (enum mw_lock_kind)i;
		place->claim = last + 1;
		place->node = mw_arena_strndup(draft->arena, place->key,
					       (size_t)(before - 1 - place->key));
		return true;
	}
	place->kind = MW_LOCK_AT;
	place->node = mw_arena_strndup(draft->arena, place->key, (size_t)(last - place->key));
	return !strcmp(last + 1, "at");
}

/* "WHERE:REST": *rest is left behind the last colon. */
static bool split_where(struct mw_draft *draft, struct mw_lock_place *place, const char **rest)
{
	const char *value = place->tree->text, *colon = strrchr(value, ':');

	if (!colon || colon == value)
		return false;
	place->where = mw_arena_strndup(draft->arena, value, (size_t)(colon - value));
	*rest = colon + 1;
	return true;
}

static bool read_value(struct mw_draft *draft, struct mw_lock_place *place)
{
	const char *value = place->tree->text;

	if (place->tree->kind != MW_TREE_SCALAR)
		return false;
	switch (place->kind) {
	case MW_LOCK_AT: return split_where(draft, place, &place->address) && *place->address;
	case MW_LOCK_IRQ:
		return split_where(draft, place, &value) && mw_tree_int(value, &place->base);
	case MW_LOCK_DMA: return mw_tree_int(value, &place->base);
	case MW_LOCK_MMIO: split_where(draft, place, &value); break;
	default: break;
	}
	return mw_tree_range(value, &place->base, &place->length);
}

static void read_places(struct mw_draft *draft, struct mw_lock *lock, struct mw_tree *map,
			bool gone)
{
	static const char *const forms[] = { "BUS:ADDRESS", "BASE+LENGTH",
					     "BASE+LENGTH or WINDOW:OFFSET+LENGTH", "DOMAIN:LINE",
					     "a channel" };
	for (struct mw_tree *tree = map ? map->first : NULL; tree; tree = tree->next) {
		struct mw_lock_place *place = &lock->places[lock->count];

		if (tree->failed)
			continue;
		*place = (struct mw_lock_place){ .key = tree->key, .tree = tree, .gone = gone };
		if (!split_key(draft, place)) {
			mw_diagnostics_add(draft->diagnostics, MW_SEVERITY_ERROR, "S101",
					   tree->key_span,
					   "`%s` is no NODE.at, NODE.io.CLAIM, NODE.mmio.CLAIM, "
					   "NODE.irq.CLAIM or NODE.dma.CLAIM",
					   tree->key);
		} else if (!read_value(draft, place)) {
			mw_diagnostics_add(draft->diagnostics, MW_SEVERITY_ERROR, "S102",
					   tree->span, "expected %s, found %s%s%s",
					   forms[place->kind],
					   tree->kind == MW_TREE_MAP    ? "a map"
					   : tree->kind == MW_TREE_LIST ? "a list"
									: "`",
					   tree->kind == MW_TREE_SCALAR ? tree->text : "",
					   tree->kind == MW_TREE_SCALAR ? "`" : "");
		} else {
			lock->count++;
			mw_lookup_add(&lock->by_key, draft->arena, place->key, place);
		}
	}
}

/* NULL where there is nothing in it; what is no map has been told. */
static struct mw_tree *map_of(struct mw_draft *draft, struct mw_lock *lock, const char *key)
{
	struct mw_tree *tree = mw_tree_get(lock->root, key);

	if (!tree || (tree->kind == MW_TREE_SCALAR && !*tree->text && !tree->quoted))
		return NULL;
	if (tree->kind != MW_TREE_MAP)
		mw_diagnostics_add(draft->diagnostics, MW_SEVERITY_ERROR, "S102", tree->span,
				   "expected a map of places at `%s`", key);
	return tree;
}

/* Another machine's lock would scatter this one. */
static bool check_header(struct mw_draft *draft, struct mw_lock *lock)
{
	struct mw_tree *name = mw_tree_get(lock->root, "name"), *abi;

	abi = mw_tree_get(lock->root, "abi");
	if (!name || !abi || name->failed || abi->failed)
		return false;
	lock->hash = abi->text;
	if (!strcmp(name->text, draft->document->name))
		return true;
	mw_diagnostics_add(draft->diagnostics, MW_SEVERITY_ERROR, "S102", name->span,
			   "this is the lock of `%s`, and the profile is `%s`", name->text,
			   draft->document->name);
	return false;
}

void mw_lock_read(struct mw_draft *draft)
{
	const char *path = find_lock(draft);
	struct mw_lock *lock;
	struct mw_tree *kept, *gone;

	if (!path)
		return;
	lock = mw_arena_alloc(draft->arena, 1, sizeof(*lock));
	lock->path = path;
	lock->root = mw_document_read(draft->document, "lock", path, (struct mw_span){ 0 });
	if (!lock->root || !check_header(draft, lock))
		return;
	kept = map_of(draft, lock, "places");
	gone = map_of(draft, lock, "gone");
	if ((kept && kept->kind != MW_TREE_MAP) || (gone && gone->kind != MW_TREE_MAP))
		return;
	lock->places = mw_arena_alloc(draft->arena,
				      (kept ? kept->count : 0) + (gone ? gone->count : 0) + 1,
				      sizeof(*lock->places));
	read_places(draft, lock, kept, false);
	read_places(draft, lock, gone, true);
	draft->lock = lock;
}

static enum mw_lock_kind kind_of(const struct mw_draft_claim *claim)
{
	static const enum mw_lock_kind of[] = {
		[MW_CLAIM_IO] = MW_LOCK_IO,
		[MW_CLAIM_MMIO] = MW_LOCK_MMIO,
		[MW_CLAIM_IRQ] = MW_LOCK_IRQ,
		[MW_CLAIM_DMA] = MW_LOCK_DMA,
	};

	return claim ? of[claim->kind] : MW_LOCK_AT;
}

const char *mw_lock_key(struct mw_arena *arena, const struct mw_draft_node *node,
			const struct mw_draft_claim *claim)
{
	const char *kind = kinds[kind_of(claim)];

	if (!claim)
		return mw_arena_printf(arena, "%s.%s", node->id, kind);
	if (claim->wire && claim->wire->count > 1)
		return mw_arena_printf(arena, "%s.%s.%s:%" PRIu32, node->id, kind, claim->name,
				       claim->wire_index);
	return mw_arena_printf(arena, "%s.%s.%s", node->id, kind, claim->name);
}

const struct mw_lock_place *mw_lock_take(struct mw_draft *draft, const struct mw_draft_node *node,
					 const struct mw_draft_claim *claim)
{
	struct mw_lock_place *place =
		draft->lock ? mw_lookup_find(&draft->lock->by_key,
					     mw_lock_key(draft->arena, node, claim))
			    : NULL;

	if (!place || place->kind != kind_of(claim))
		return NULL;
	place->taken = true;
	return place;
}

void mw_lock_each_kept(struct mw_draft *draft, enum mw_lock_kind kind,
		       void (*call)(void *context, const struct mw_lock_place *place),
		       void *context)
{
	for (size_t i = 0; draft->lock && i < draft->lock->count; i++) {
		const struct mw_lock_place *place = &draft->lock->places[i];

		if (place->kind == kind && !place->taken)
			call(context, place);
	}
}

/* The whole line of a place, for a fix that takes it out; length 0 where it does not stand alone. */
static struct mw_span line_of(const struct mw_diagnostics *diagnostics,
			      const struct mw_lock_place *place)
{
	const struct mw_source *source = &diagnostics->sources[place->tree->key_span.source - 1];
	uint32_t from = place->tree->key_span.byte;
	uint32_t to = place->tree->span.byte + place->tree->span.length;

	while (from && source->text[from - 1] == ' ')
		from--;
	while (to < source->length && source->text[to] != '\n')
		to++;
	if ((from && source->text[from - 1] != '\n') || to == source->length ||
	    from == place->tree->key_span.byte)
		return (struct mw_span){ 0 };
	return (struct mw_span){ place->tree->key_span.source, from, to + 1 - from };
}

struct mw_diag *mw_lock_drift(struct mw_draft *draft, struct mw_draft_node *node,
			      const struct mw_draft_claim *claim, const struct mw_lock_place *place,
			      const char *reason, ...)
{
	static const char *const keys[] = { "at", "io", "mmio", "irq", "dma" };
	struct mw_diagnostics *diagnostics = draft->diagnostics;
	struct mw_span line = line_of(diagnostics, place);
	va_list arguments;

	va_start(arguments, reason);
	const char *why = mw_arena_vprintf(draft->arena, reason, arguments);

	va_end(arguments);
	struct mw_diag *diag = mw_draft_error(
		draft, "R309", claim ? claim->tree->span : node->at->span, node, keys[place->kind],
		claim ? "`%s.%s` is locked at `%s`, %s" : "`%s`%s is locked at `%s`, %s", node->id,
		claim ? claim->name : "", place->tree->text, why);

	mw_diag_note(diagnostics, diag, place->tree->key_span, "locked here");
	mw_diag_help(diagnostics, diag,
		     "put back what has its place, or take its line out of the lock file: then it "
		     "moves, and the guest sees that");
	if (line.length)
		mw_diag_fix(diagnostics, diag, MW_FIX_UNSAFE, line, "%s", "");
	return diag;
}

void mw_lock_compare(struct mw_draft *draft)
{
	struct mw_tree *abi = draft->lock ? mw_tree_get(draft->lock->root, "abi") : NULL;
	char hash[65];

	if (!abi)
		return;
	mw_lock_hash(draft->plan, hash);
	if (!strcmp(hash, abi->text))
		return;
	struct mw_diag *diag = mw_diagnostics_add(
		draft->diagnostics, MW_SEVERITY_HINT, "R309", abi->span,
		"what the guest sees is not what was locked, though nothing that is locked moves");

	mw_diag_note(draft->diagnostics, diag, (struct mw_span){ 0 }, "it is now %s", hash);
	mw_diag_help(draft->diagnostics, diag,
		     "`millwright lock` writes the lock anew; every place in it stays");
}
