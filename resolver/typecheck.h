/** Phase "type check": every device against its type's tables; host nodes for backends. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_TYPECHECK_H
#define RESOLVER_TYPECHECK_H

#include "resolver/draft.h"

/** Makes the nodes of the draft from the document's devices. What fails is marked and reported. */
void mw_typecheck(struct mw_draft *draft);

/* Its parts, a file each. */

/** values.c: properties. `props` may be NULL; the key `alias` means the type's main property. */
void mw_values_check(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *props,
		     const char *alias);
/** Converts one text as the property wants it; false after a diagnostic. */
bool mw_value_set(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
		  const char *text, struct mw_plan_value *value);

/** addresses.c: where each node sits on its bus; chooses for those that do not say. */
void mw_addresses_check(struct mw_draft *draft);

/** requests.c: dma, intx and msi against wires; called by mw_claims_check. */
void mw_requests_check(struct mw_draft *draft, struct mw_draft_node *node);
/** R306: gives every claim its DMA channel. */
void mw_channels_bind(struct mw_draft *draft);

/** claims.c: io, mmio and irq against regions and wires. */
void mw_claims_check(struct mw_draft *draft, struct mw_draft_node *node);
/** Puts a node's claims in the order of its type's rows, whatever the order of the file. */
void mw_claims_sort(struct mw_draft_node *node);

/** backends.c: the host side of streams and images; links them. */
void mw_backend_check(struct mw_draft *draft, struct mw_draft_node *node);
/** Whether a backend may be at the other end of the wire. */
bool mw_wire_has_host_side(const struct mw_wire *wire);
/** Makes the host node behind such a wire and links the two; its values are not checked yet. */
struct mw_draft_node *mw_backend_add(struct mw_draft *draft, struct mw_draft_node *node,
				     const struct mw_wire *wire, const struct mw_device_type *type,
				     struct mw_span span);
/** Gives streams that nothing is connected to the `null` backend; the rest must be connected. */
void mw_backend_rest(struct mw_draft *draft, struct mw_draft_node *node);
/** X606: what is there once, a terminal or a file that is written, has one user. */
void mw_backends_exclusive(struct mw_draft *draft);

/** What a kind of bus is like. */
struct mw_bus_kind {
	const char *name, *domain;
	bool claims; /* memory and ports are decoded on it: types without `buses` fit */
	enum { MW_ADDRESS_NONE, MW_ADDRESS_DEVFN, MW_ADDRESS_I2C, MW_ADDRESS_UNIT } address;
};
/** Never NULL: kinds nobody listed have no addresses and no interrupt domain. */
const struct mw_bus_kind *mw_bus_kind(const char *name);

#endif
