/** The document tree: what YAML text becomes, with a span on every key and value. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_TREE_H
#define RESOLVER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/diagnostics.h"

enum mw_tree_kind { MW_TREE_SCALAR, MW_TREE_MAP, MW_TREE_LIST };

/** A value. Lives in the arena of the resolve run that read it; one thread. Never changed once its
 * phase is over: a later phase that changes something makes a new node that keeps the spans. */
struct mw_tree {
	enum mw_tree_kind kind;
	struct mw_span span; /* of the value */
	const char *key;     /* in a map: its key, else NULL */
	struct mw_span key_span;
	const char *text;   /* scalar: its value, NUL-ended, without NUL bytes inside */
	bool quoted;        /* scalar: was written in quotes or as a block */
	bool host;          /* an expression put a host-scoped parameter's value in */
	const char *secret; /* scalar: what stands for the `<secret>` of its text */
	bool link;          /* scalar: still holds $(dev...) for the link phase */
	bool evaluated;     /* scalar: an expression made the text */
	bool dynamic;       /* it, or something in it, holds or held an expression */
	bool failed;        /* a diagnostic was given for it or for something in it */
	struct mw_expression *expression;    /* scalar: the parsed text, until evaluated */
	struct mw_arena *arena;              /* map: where its index goes */
	struct mw_tree *first, *last, *next; /* children of a map or list in file order; siblings */
	uint32_t count;
	struct mw_tree_index *index; /* map: hash of the keys, made on the first look-up */
	struct mw_tree *instance_of; /* device made by `count`: the entry it came from */
	struct mw_tree *over;        /* what it replaced, or a map: was merged over, in a base */
	struct mw_tree *written;     /* evaluated: the scalar with the expression, as composed */
	struct mw_part *part;        /* scalar with `link`: the use of a part it belongs to */
	uint32_t instance;           /* its number; in a scalar with `link`: the value of `i` */
};

/** A new value with no key. */
struct mw_tree *mw_tree_new(struct mw_arena *arena, enum mw_tree_kind kind, struct mw_span span);

/** The child of a map with this key, or NULL (also for no map). O(1) amortised. */
struct mw_tree *mw_tree_get(struct mw_tree *map, const char *key);
/** Adds a child at the end; the caller made it. */
void mw_tree_append(struct mw_tree *parent, struct mw_tree *child);
/** A shallow copy (children shared) in the arena, with no siblings and its own index. */
struct mw_tree *mw_tree_copy(struct mw_arena *arena, const struct mw_tree *tree);
/** A scalar as the schema's types: false when the text is none (no diagnostic). Integers are decimal
 * or 0x; sizes take KiB MiB GiB TiB; durations, frequencies likewise (ns us ms s; Hz kHz MHz GHz). */
bool mw_tree_int(const char *text, uint64_t *value);
bool mw_tree_size(const char *text, uint64_t *value);
bool mw_tree_bool(const char *text, bool *value);
bool mw_tree_duration(const char *text, uint64_t *nanoseconds);
bool mw_tree_frequency(const char *text, uint64_t *hertz);
/** BASE+LEN: an int, and a size over 0; the sum does not wrap beyond 2^64. */
bool mw_tree_range(const char *text, uint64_t *base, uint64_t *length);

/** Where bytes `offset` to `offset + length` of a scalar's text stand in its source: exact when the
 * text stands there verbatim, else (escapes, folding, expressions) the whole scalar. */
struct mw_span mw_tree_span(const struct mw_diagnostics *diagnostics, const struct mw_tree *scalar,
			    size_t offset, size_t length);

#endif
