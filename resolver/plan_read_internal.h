/** What the parts of the plan's reader share: the text's tree, and the document made from it. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_PLAN_READ_INTERNAL_H
#define RESOLVER_PLAN_READ_INTERNAL_H

#include "resolver/draft.h"
#include "resolver/lookup.h"
#include "resolver/plan_read.h"

/** One run, on the stack of mw_plan_read. */
struct mw_plan_reader {
	struct mw_arena *arena; /* scratch of this run */
	struct mw_diagnostics *diagnostics;
	struct mw_tree *root, *nodes; /* the text; `nodes` may be NULL */
	struct mw_document *document; /* what is made from it: the machine as a profile says it */
	struct mw_draft *draft;
	struct mw_lookup nets;  /* "isa:4" to its struct mw_plan_net_entry */
	struct mw_lookup hosts; /* the id of a host node to its entry of `links` */
};

/** C706, for what no phase of the resolver can know. */
struct mw_diag *mw_plan_refuse(struct mw_plan_reader *reader, struct mw_span span,
			       const char *format, ...) __attribute__((format(printf, 3, 4)));
/** An integer of the text up to `most`; false after a diagnostic. */
bool mw_plan_number(struct mw_plan_reader *reader, const struct mw_tree *tree, uint64_t most,
		    uint64_t *value);

/* Values of the document. Each stands where its source `at` does in the text. */

struct mw_tree *mw_plan_scalar(struct mw_plan_reader *reader, const char *key, const char *text,
			       const struct mw_tree *at);
/** An empty map or list. */
struct mw_tree *mw_plan_block(struct mw_plan_reader *reader, enum mw_tree_kind kind,
			      const char *key, const struct mw_tree *at);
/** Appends `tree` (NULL: nothing) to a map under another key. */
void mw_plan_hand_on(struct mw_plan_reader *reader, struct mw_tree *map, const char *key,
		     const struct mw_tree *tree);

/** Whether the node of the text is a backend. */
bool mw_plan_is_host(struct mw_tree *node);

/** plan_read_cpu.c: `cpu` as a profile has it, and after the phases what only a plan has. */
void mw_plan_cpu_block(struct mw_plan_reader *reader);
void mw_plan_cpu_rest(struct mw_plan_reader *reader);
/** `memory`: the ranges of RAM as they are. */
void mw_plan_ram(struct mw_plan_reader *reader);

/** plan_read_wiring.c: `domains` and `nets` into `irq`; the nodes' lines and links ask for them. */
struct mw_plan_net_entry {
	struct mw_tree *tree;
	bool used;
};
void mw_plan_nets(struct mw_plan_reader *reader);
/** The lines of one node into `irq` and `wires` of its body. */
void mw_plan_lines(struct mw_plan_reader *reader, struct mw_tree *node, struct mw_tree *body);
/** `links` into the bodies and `hosts`. */
void mw_plan_links(struct mw_plan_reader *reader);
/** "NODE.WIRE:N": the part before the last dot and the one behind it; false after a diagnostic. */
bool mw_plan_end(struct mw_plan_reader *reader, const struct mw_tree *tree, const char **node,
		 const char **wire);

/** plan_read_nodes.c: guest nodes into `devices`. */
void mw_plan_devices(struct mw_plan_reader *reader);
/** Host nodes into the draft; after the type check. */
void mw_plan_hosts(struct mw_plan_reader *reader);
/** Marks the places that the allocator chose. */
void mw_plan_marks(struct mw_plan_reader *reader);

/** plan_same.c: whether the plan that was made says what the text says. */
bool mw_plan_same(struct mw_plan_reader *reader, const struct mw_plan *plan);

#endif
