/** The plan in the making: what the back half's phases hand to each other. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_DRAFT_H
#define RESOLVER_DRAFT_H

#include "core/plan.h"
#include "resolver/document.h"
#include "resolver/lookup.h"

struct mw_draft_node;
struct mw_draft_net;
struct mw_lock;
struct mw_lock_place;

/** A claim on the way to its place. `tree` is the value in the profile that asks for it. */
struct mw_draft_claim {
	struct mw_draft_node *node;
	struct mw_tree *tree;
	enum mw_claim_kind kind;
	const char *name;
	bool automatic, placed;
	const struct mw_region *region;
	uint64_t base, length, align;
	bool overlaps_target; /* lies, as permitted, over what `overlays` names */
	/* irq */
	const struct mw_wire *wire;
	uint32_t wire_index;
	const char *domain; /* NULL: wired to `target` */
	uint64_t line;      /* dma: the channel; msi: how many vectors */
	unsigned pin;       /* INTA# to INTD# as 1 to 4; 0: no INTx */
	struct mw_draft_node *target;
	const struct mw_wire *target_wire;
	uint32_t target_index;
	bool share, trigger_said, polarity_said;
	enum mw_trigger trigger;
	enum mw_polarity polarity;
	struct mw_draft_net *net;
	const struct mw_lock_place *locked; /* automatic: what the lock file says, or NULL */
};

/** A node of the plan-to-be. Made by typecheck; lives in the draft's arena. */
struct mw_draft_node {
	const char *id;
	struct mw_tree *tree; /* NULL: a backend nobody wrote */
	struct mw_span span;
	const struct mw_device_type *type;
	struct mw_tree *at, *io, *mmio, *irq, *props, *wires, *backend, *placement_tree, *overlays;
	struct mw_tree *dma, *msi, *intx, *on_error_tree, *vtl_tree;
	const char *bus_id, *bus_kind, *address;
	bool address_automatic; /* `address` is the allocator's, or will be */
	unsigned vtl;
	int on_error;
	struct mw_draft_node *bus;   /* NULL: sys */
	struct mw_draft_node *owner; /* of a backend */
	bool failed;                 /* an error was reported: later phases leave it alone */
	bool dropped;                /* sits on a bus that `when` removed */
	bool host;
	enum { MW_DEPTH_UNKNOWN, MW_DEPTH_VISITING, MW_DEPTH_KNOWN } depth_state;
	uint32_t depth;
	struct mw_draft_node *below; /* while walking up: who asked */
	int placement;
	struct mw_plan_value
		*values; /* in the plan's arena; shared among nodes at their defaults */
	struct mw_draft_claim *claims;
	size_t claim_count;
	struct mw_draft_claim *overlay_target;
	struct mw_draft_net ***pins;   /* per wire of the type, per element: who drives it */
	struct mw_draft_node **linked; /* per wire of the type: who is at the other end */
	uint32_t index;                /* in the plan */
	uint32_t slots;                /* as a bus: a bit for each slot that is in use */
};

/** One interrupt line in use. */
struct mw_draft_net {
	const char *domain; /* NULL: an explicit wire */
	uint32_t line, gsi;
	struct mw_plan_sink *sinks; /* their `node` is set by emit from `sink_nodes` */
	struct mw_draft_node **sink_nodes;
	size_t sink_count;
	struct mw_draft_claim **users;
	size_t user_count, user_capacity;
	uint32_t index; /* in the plan */
};

/** A pool that `auto` claims are placed in. */
struct mw_draft_window {
	const char *name;
	uint64_t base, length;
	bool down; /* pack from the end */
	struct mw_tree *tree;
	struct mw_span span;
};

struct mw_draft_link {
	struct mw_draft_node *node[2];
	const struct mw_wire *wire[2];
	uint32_t index[2];
	struct mw_span span;
};

/** A property whose text holds $(dev...): converted when every claim is placed. */
struct mw_draft_late {
	struct mw_draft_node *node;
	struct mw_plan_value *value;
	struct mw_tree *tree;
};

/** Created by mw_resolve on its stack, used by one thread, freed with the arena. */
struct mw_draft {
	struct mw_document *document;
	struct mw_diagnostics *diagnostics;
	const struct mw_registry *registry;
	struct mw_arena *arena; /* scratch of this run */
	struct mw_plan *plan;   /* values and texts go to its arena at once */
	struct mw_draft_node **nodes;
	size_t node_count, node_capacity;
	struct mw_lookup by_id, addresses;
	struct mw_draft_net **nets;
	size_t net_count, net_capacity;
	struct mw_draft_link *links;
	size_t link_count, link_capacity;
	struct mw_draft_late *late;
	size_t late_count, late_capacity;
	struct mw_draft_window *windows;
	size_t window_count;
	struct mw_plan_range *ram; /* ascending; in the plan's arena */
	size_t ram_count;
	struct mw_span ram_span;
	struct mw_plan_domain *domains;      /* by name; in the plan's arena */
	struct mw_draft_node **domain_nodes; /* of each: the node that its pins lead to, or NULL */
	size_t domain_count;
	const struct mw_lock *lock; /* NULL: none */
	bool from_plan;     /* a plan's text is read: what would be worked out has been said */
	size_t suggestions; /* spent on "did you mean", which is bounded */
	struct mw_lookup defaults; /* type name to the values of a node without properties */
};

/** Adds an empty node with this id. */
struct mw_draft_node *mw_draft_add_node(struct mw_draft *draft, const char *id);
/** The node with this id, or NULL where there is none that later phases may use. */
struct mw_draft_node *mw_draft_find(const struct mw_draft *draft, const char *id);
struct mw_draft_net *mw_draft_add_net(struct mw_draft *draft);
struct mw_draft_link *mw_draft_add_link(struct mw_draft *draft);
void mw_draft_add_user(struct mw_draft *draft, struct mw_draft_net *net,
		       struct mw_draft_claim *user);
/** Every claim of a kind whose node is well, by id and then in the order of the type's rows; ended by
 * NULL. */
struct mw_draft_claim **mw_draft_claims_of(struct mw_draft *draft, enum mw_claim_kind kind);
void mw_draft_add_late(struct mw_draft *draft, struct mw_draft_late late);

/** Makes room for one more element of `size` bytes in an arena's array and returns it. */
void *mw_draft_room(struct mw_arena *arena, void *items, size_t count, size_t *capacity,
		    size_t size);

/** Order of ids as people count: slot2 before slot10. */
int mw_id_compare(const char *a, const char *b);

/** Which of two places is the one to blame: the user's own file is read before its bases, and within
 * a file the later line came to what was there. */
bool mw_span_to_blame(struct mw_span span, struct mw_span other);

/** Order of nodes in the plan: by depth, then id; backends last, by owner. */
int mw_draft_order(const struct mw_draft_node *a, const struct mw_draft_node *b);
/** The window of this name, or NULL. */
const struct mw_draft_window *mw_draft_window(const struct mw_draft *draft, const char *name);

/** A finding with a path of the form /devices/NODE/KEY; `key` or `node` may be NULL. An error marks
 * the node failed. */
struct mw_diag *mw_draft_report(struct mw_draft *draft, enum mw_severity severity, const char *code,
				struct mw_span span, struct mw_draft_node *node, const char *key,
				const char *format, ...) __attribute__((format(printf, 7, 8)));
#define mw_draft_error(draft, code, span, node, key, ...) \
	mw_draft_report(draft, MW_SEVERITY_ERROR, code, span, node, key, __VA_ARGS__)

/** A reference that names nothing: says why (absent, failed, misspelt) with `code` for the last.
 * Silent when the target failed earlier. Marks the node failed. */
void mw_draft_no_node(struct mw_draft *draft, const char *code, struct mw_span span,
		      struct mw_draft_node *node, const char *key, const char *wanted);

/** S117 for what `section` (NULL: the machine) lacks; silent where an earlier phase told of it. */
void mw_draft_missing(struct mw_draft *draft, const struct mw_tree *section, const char *key,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Whether "did you mean" may look at this many names more: what it costs in all is bounded. */
bool mw_draft_may_suggest(struct mw_draft *draft, size_t names);

/** A scalar's text, or NULL after S102 "expected WHAT". */
const char *mw_draft_text(struct mw_draft *draft, struct mw_tree *tree, struct mw_draft_node *node,
			  const char *key, const char *what);
/** An integer or size as claims and numbers of the machine's own keys are written. */
bool mw_draft_number(struct mw_draft *draft, struct mw_tree *tree, struct mw_draft_node *node,
		     const char *key, bool size, uint64_t *value);
/** The index of a word in a list ended by NULL; -1 after a diagnostic that names them all. */
int mw_draft_member(struct mw_draft *draft, struct mw_tree *tree, struct mw_draft_node *node,
		    const char *key, const char *const *members);
/** Errors for keys of a map that are not in the list ended by NULL; x-* passes. */
bool mw_draft_keys(struct mw_draft *draft, struct mw_tree *map, const char *where,
		   const char *const *keys, const char *const *later);
/** Why a text is no number: adds the diagnostic. */
struct mw_diag *mw_draft_no_number(struct mw_draft *draft, struct mw_tree *tree,
				   struct mw_draft_node *node, const char *key, const char *text);
/** "0x3f8+8" or "0x3f8". */
const char *mw_draft_range_text(struct mw_draft *draft, uint64_t base, uint64_t length);

#endif
