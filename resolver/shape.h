/** Shape: which keys a file may have and what kind of value each takes, from tables. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_SHAPE_H
#define RESOLVER_SHAPE_H

#include "resolver/tree.h"

/** How long an id or one part of a member's is at most. */
enum { MW_ID_LENGTH = 32 };

/** What a value may be; several may be set. */
enum {
	MW_SHAPE_TEXT = 1 << 0,
	MW_SHAPE_INT = 1 << 1,
	MW_SHAPE_SIZE = 1 << 2,
	MW_SHAPE_BOOL = 1 << 3,
	MW_SHAPE_WORD = 1 << 4, /* one of `words` */
	MW_SHAPE_RANGE = 1 << 5,
	MW_SHAPE_CONDITION = 1 << 6, /* a bare expression */
	MW_SHAPE_MAP = 1 << 7,
	MW_SHAPE_LIST = 1 << 8,
	MW_SHAPE_ANY = 1 << 9 /* another phase knows, or a device type's tables do */
};

/** Names a map's entries must have when they are ids. */
enum mw_shape_ids {
	MW_IDS_FREE,
	MW_IDS_NODES,
	MW_IDS_DEVICES, /* ids, and those of members of parts: ids with dots between */
	MW_IDS_PARAMS,
	MW_IDS_VERSIONS /* integers from 1 */
};

struct mw_shape_key;

/** The shape of one value. Constant tables in shape_tables.c. */
struct mw_shape {
	unsigned accepts;
	bool literal;   /* takes no $(...) */
	bool removable; /* an entry that `remove` may delete */
	const char *const *words;
	const struct mw_shape_key *keys; /* MAP: known keys, ended by a NULL name */
	const struct mw_shape *values;   /* MAP without `keys`: every entry's */
	enum mw_shape_ids ids;
	const struct mw_shape *items; /* LIST: every item's */
	const char *short_for; /* map: the key that a lone scalar was probably meant for, or NULL */
};

/** KEPT: `unset` cannot take it away. */
enum { MW_KEY_REQUIRED = 1 << 0, MW_KEY_PLANNED = 1 << 1, MW_KEY_KEPT = 1 << 2 };
struct mw_shape_key {
	const char *name;
	const struct mw_shape *shape;
	unsigned flags;
};

/** The file kinds. PLANNED kinds are known by name only. */
struct mw_format {
	const char *name; /* "machine" */
	const struct mw_shape *shape;
	const char *folder; /* below a search folder */
};
extern const struct mw_format mw_formats[];
extern const struct mw_shape mw_plan_shape; /* plan_shape.c */
extern const struct mw_shape mw_lock_shape; /* lock.c */
const struct mw_format *mw_format_find(const char *name);
/** "an" before "overlay", "a" before the other kinds. */
const char *mw_article(const char *kind);

/** Checks a file as read; expressions are skipped. `kind` is what the reader of this file wants
 * ("machine"), NULL for whatever its `format:` says. Marks what it rejects as failed. Returns the
 * format, or NULL when `format` itself does not fit. */
const struct mw_format *mw_shape_check(struct mw_diagnostics *diagnostics, struct mw_tree *root,
				       const char *kind);

/** Checks the scalars of one value that came out of an expression, under the section `key` of a
 * machine. False when something was rejected. */
bool mw_shape_check_evaluated(struct mw_diagnostics *diagnostics, struct mw_tree *value,
			      const char *key);
/** The same for one body of `devices`. */
bool mw_shape_check_device(struct mw_diagnostics *diagnostics, struct mw_tree *body);

/** One scalar against a type, with the traps Y005 and Y006 named; adds the diagnostic. */
bool mw_shape_scalar(struct mw_diagnostics *diagnostics, const struct mw_tree *scalar,
		     unsigned accepts, const char *const *words);

bool mw_shape_is_id(const char *text, enum mw_shape_ids ids);
/** Words of the language, ended by NULL: no id is spelled so. */
extern const char *const mw_shape_key_words[];
/** `unset` and `remove` as written without quotes. */
bool mw_tree_is_word(const struct mw_tree *tree, const char *word);

#endif
