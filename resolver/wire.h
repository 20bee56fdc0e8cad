/** Phase "wire": interrupt lines through their domains to their sinks, explicit wires, streams. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_WIRE_H
#define RESOLVER_WIRE_H

#include "resolver/draft.h"

/** Binds every line and stream of the draft's nodes; allocates `auto` lines. */
void mw_wire(struct mw_draft *draft);

/* Its parts, a file each. */

/** One end of a connection: an element of a wire. */
struct mw_wire_end {
	struct mw_draft_node *node;
	const struct mw_wire *wire;
	uint32_t index;
};
/** How many elements the wire has on this node, after its count property. */
uint32_t mw_wire_count(const struct mw_draft_node *node, const struct mw_wire *wire);
/** The only receiving line wire of a type, or NULL. */
const struct mw_wire *mw_wire_input(const struct mw_device_type *type);
/** The net that drives this pin; a place to put one. */
struct mw_draft_net **mw_wire_pin(struct mw_draft *draft, struct mw_wire_end end);

/** explicit.c: `wires:`; adds claims for lines and links for streams. */
void mw_wire_explicit(struct mw_draft *draft, struct mw_draft_node *node);

/** domains.c: `irq:` of the machine. A line costs some 33 bytes, so all of them together are limited. */
enum { MW_LINES_MAX = 4096, MW_LINES_TOTAL = 1 << 16 };
struct mw_domain_map {
	bool said;
	struct mw_wire_end *ends;
	size_t count;
};
struct mw_domain {
	const char *name;
	struct mw_span span;
	uint32_t lines;
	bool *reserved;              /* per line */
	struct mw_draft_net **nets;  /* per line */
	struct mw_wire_end *targets; /* line n goes to element index + n */
	size_t target_count, target_capacity;
	struct mw_domain_map *maps; /* per line: its entry of `map` */
	bool failed;        /* an end of it was refused: lines that lead nowhere are no news */
	uint32_t next_auto; /* where the search for a free line stands */
	enum mw_trigger trigger;
	enum mw_polarity polarity;
	/* PCI's INTx (swizzle.c) */
	uint32_t swizzle; /* 0: none */
	const uint32_t *pins;
	uint32_t lines_needed; /* by the pins */
	struct mw_tree *pins_tree, *to;
	struct mw_domain *alias; /* whose lines it uses, or NULL */
};
struct mw_domains {
	struct mw_draft *draft;
	struct mw_domain *items;
	size_t count;
	struct mw_lookup by_name;
	struct mw_draft_node **ioapics; /* in the plan's order */
	uint32_t *gsi_bases;
	size_t ioapic_count;
	size_t line_count; /* of all domains */
};
void mw_domains_read(struct mw_domains *domains, struct mw_draft *draft);
/** The net of a line, made when first asked for; NULL, with a diagnostic for `claim`, when the line
 * is reserved or leads nowhere. Without a claim it is only a question. */
struct mw_draft_net *mw_domain_net(struct mw_domains *domains, struct mw_domain *domain,
				   uint64_t line, struct mw_draft_claim *claim);
/** Adds a node, or one of its pins, as an end of the domain's lines; diagnoses. */
void mw_domain_target(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *tree);

/** swizzle.c: reads `swizzle` and `pins`; false after a diagnostic. */
bool mw_swizzle_read(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *tree);
/** When every domain is known: where the lines of those with a swizzle lead. */
void mw_swizzles_finish(struct mw_domains *domains);
/** The domain whose lines this one's are: itself, or the one that its swizzle leads to. */
struct mw_domain *mw_domain_lines(struct mw_domain *domain);
/** The line of a claim for INTx in a domain with a swizzle. */
uint32_t mw_swizzle_line(const struct mw_domain *domain, const struct mw_draft_claim *claim);

#endif
