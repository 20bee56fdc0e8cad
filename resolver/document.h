/** What the front half of the resolver hands to the back half: one composed, evaluated machine. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_DOCUMENT_H
#define RESOLVER_DOCUMENT_H

#include "core/registry.h"
#include "resolver/resolver.h"
#include "resolver/tree.h"

/** A device that `when: false` took out; references to it are G205/G206 with this as the reason. */
struct mw_absent {
	const char *id;
	struct mw_span when_span;  /* span.source 0: out of range of a `count` */
	struct mw_span count_span; /* then: the `count` */
	uint32_t count;
	struct mw_absent *next;
};

/** After read, shape, compose, parameters, when, count and checks. `root` holds the keys of a machine
 * file without `extends`, `params`, `history`, `checks`; every scalar is evaluated except those with
 * `link`; a key whose whole value was an unset optional parameter is gone; `devices` holds only
 * present nodes, `count` expanded, `when` and `count` removed; `final`, `remove`, `unset` are
 * applied. Nodes that a phase rejected are not in it and are listed in `failed`: later phases keep
 * silent about references to them. A section other than `devices` that lost a rejected key has
 * `failed` set in its tree: what is missing there has been told already. */
struct mw_document {
	struct mw_arena *arena;
	struct mw_diagnostics *diagnostics;
	const struct mw_resolve_options *options;
	struct mw_tree *root;
	struct mw_tree *devices; /* root.devices or an empty map, never NULL */
	const char *name, *summary, *arch;
	uint32_t version;
	const char *const *bases; /* ended by NULL */
	struct mw_absent *absent;
	struct mw_tree *failed; /* a map keyed by node id, never NULL */
	const char
		*folder; /* of the profile file; relative paths start from the process's folder */
	struct mw_front *front; /* the front half's own: files, parameters */
};

/** Why a node that was named is not there: taken out by `when`, or beyond a `count`. NULL when no
 * such node was ever meant. O(1). */
const struct mw_absent *mw_document_absent(struct mw_document *document, const char *id);
/** True for a node that an earlier phase rejected, also `rp3` where `rp` with a `count` failed. */
bool mw_document_failed(struct mw_document *document, const char *id);

/** For a name that is no node's: adds the help that it is a part's, whose members are. */
bool mw_document_part(struct mw_document *document, struct mw_diag *diag, const char *id);

/** The front half. False when there is nothing the back half could work on. */
bool mw_document_load(struct mw_document *document, const struct mw_resolve_options *options,
		      struct mw_arena *arena, struct mw_diagnostics *diagnostics);

/** Reads any file of the language from the search path by kind and name ("cpu", "x86-64-v1"): limits,
 * traps and duplicate keys checked. NULL with diagnostics at `wanted` when there is none. */
struct mw_tree *mw_document_read(struct mw_document *document, const char *kind, const char *name,
				 struct mw_span wanted);

/** The link phase: evaluates a scalar that holds $(dev.ID.CLAIM...). `look` answers one name: it
 * gives base and length of the claim and returns false when there is none. NULL after a diagnostic. */
struct mw_claim_range {
	uint64_t base, length;
};
typedef bool mw_link_lookup(void *context, const char *node, const char *claim,
			    struct mw_claim_range *range);
const char *mw_document_link(struct mw_document *document, struct mw_tree *scalar,
			     mw_link_lookup *look, void *context);

/** "did you mean `x`" help on `diag` when a name of the list (ended by NULL) is near. */
void mw_suggest(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong,
		const char *const *names);
/** The same when the name is known. Rules about a misspelt name get it as their fix. */
void mw_suggest_name(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong,
		     const char *name);
/** The nearest of the keys of a map; NULL is an empty one. */
void mw_suggest_key(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong,
		    const struct mw_tree *map);
/** Whether a list ended by NULL (NULL: an empty one) holds the name. */
bool mw_name_in(const char *name, const char *const *names);
/** For what should be a size: `1GB` may have been meant as `1GiB`. */
void mw_suggest_size(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong);

/** "`a`, `b`, `c`", at most a dozen. */
const char *mw_list_names(struct mw_arena *arena, const char *const *names);

#endif
