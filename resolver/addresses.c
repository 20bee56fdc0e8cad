/* Addresses on buses: what is said, what the lock file keeps, then the lowest free slot. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/lock.h"
#include "resolver/typecheck.h"

static bool hex_byte(const char *text, unsigned long *value)
{
	if (strspn(text, "0123456789abcdef") != 2)
		return false;
	*value = strtoul((const char[]){ text[0], text[1], 0 }, NULL, 16);
	return true;
}

/* *slot is the bit of the bus's mask that the address takes. */
static bool parse_address(const struct mw_bus_kind *kind, const char *address, unsigned *slot)
{
	unsigned long value = 0;
	bool good = false;

	switch (kind->address) {
	case MW_ADDRESS_DEVFN:
		good = hex_byte(address, &value) && value <= 0x1f && address[2] == '.' &&
		       address[3] >= '0' && address[3] <= '7' && !address[4];
		break;
	case MW_ADDRESS_I2C:
		good = hex_byte(address, &value) && value <= 0x7f && !address[2];
		value &= 31; /* its mask is not used: nothing chooses for it */
		break;
	case MW_ADDRESS_UNIT:
		good = (address[0] == '0' || address[0] == '1') && address[1] == '.' &&
		       (address[2] == '0' || address[2] == '1') && !address[3];
		value = good ? (unsigned long)((address[0] - '0') * 2 + address[2] - '0') : 0;
		break;
	default: break;
	}
	*slot = (unsigned)value;
	return good;
}

static const char *address_text(struct mw_draft *draft, const struct mw_bus_kind *kind,
				unsigned slot)
{
	struct mw_arena *arena = &draft->plan->arena;

	return kind->address == MW_ADDRESS_DEVFN
		       ? mw_arena_printf(arena, "%02x.0", slot)
		       : mw_arena_printf(arena, "%u.%u", slot / 2, slot % 2);
}

static unsigned slots_of(const struct mw_bus_kind *kind)
{
	return kind->address == MW_ADDRESS_DEVFN ? 32 : kind->address == MW_ADDRESS_UNIT ? 4 : 0;
}

static const char *place_text(struct mw_draft *draft, const struct mw_draft_node *node,
			      const char *address)
{
	return mw_arena_printf(draft->arena, "%s:%s", node->bus_id, address);
}

static bool settle(struct mw_draft *draft, struct mw_draft_node *node, const char *address,
		   unsigned slot)
{
	const char *place = place_text(draft, node, address);
	struct mw_draft_node *other = mw_lookup_add(&draft->addresses, draft->arena, place, node);

	node->address = address;
	if (node->bus)
		node->bus->slots |= 1u << slot;
	if (!other)
		return true;
	struct mw_diag *diag = mw_draft_error(draft, "G203", node->at->span, node, "at",
					      "`%s` is held by `%s`", place, other->id);

	mw_diag_note(draft->diagnostics, diag, other->at->span, "`%s` sits here", other->id);
	return false;
}

/* True for an address that is still to be chosen. */
static bool check_said(struct mw_draft *draft, struct mw_draft_node *node)
{
	static const char *const forms[] = { "", "a slot and function such as 04.0",
					     "a hexadecimal number 00 to 7f",
					     "a channel and unit such as 0.1" };
	const struct mw_bus_kind *kind = mw_bus_kind(node->bus_kind);
	unsigned slot;

	if (kind->address == MW_ADDRESS_NONE) {
		if (node->address)
			mw_draft_error(draft, "G204", node->at->span, node, "at",
				       "a bus of kind %s has no addresses; found `%s`",
				       node->bus_kind, node->address);
		return false;
	}
	if (!node->address && slots_of(kind) && !draft->from_plan)
		return true;
	if (!node->address || !parse_address(kind, node->address, &slot))
		mw_draft_error(draft, "G204", node->at->span, node, "at",
			       node->address ? "`%s:%s` is no address: `%s` wants %s"
					     : "`%s%s` has no address: `%s` wants %s",
			       node->bus_id, node->address ? node->address : "", node->bus_id,
			       forms[kind->address]);
	else
		settle(draft, node, node->address, slot);
	return false;
}

/* Who has something in this slot. */
static const struct mw_draft_node *holder(struct mw_draft *draft, const struct mw_draft_node *node,
					  const char *address)
{
	struct mw_draft_node *found =
		mw_lookup_find(&draft->addresses, place_text(draft, node, address));

	if (mw_bus_kind(node->bus_kind)->address != MW_ADDRESS_DEVFN)
		return found;
	for (unsigned function = 0; function < 8 && !found; function++)
		found = mw_lookup_find(&draft->addresses,
				       mw_arena_printf(draft->arena, "%s:%.2s.%u", node->bus_id,
						       address, function));
	return found;
}

/* False when the lock has nothing for it. Who was put on another bus has a new place there. */
static bool take_locked(struct mw_draft *draft, struct mw_draft_node *node)
{
	const struct mw_lock_place *place = mw_lock_take(draft, node, NULL);
	const struct mw_bus_kind *kind = mw_bus_kind(node->bus_kind);
	unsigned slot;

	if (!place || strcmp(place->where, node->bus_id) != 0)
		return false;
	if (!parse_address(kind, place->address, &slot)) {
		mw_draft_error(draft, "S102", place->tree->span, node, "at",
			       "`%s` is no address of a bus of kind %s", place->address,
			       node->bus_kind);
		return true;
	}
	const char *address = mw_arena_strdup(&draft->plan->arena, place->address);

	if (!(node->bus->slots >> slot & 1)) {
		settle(draft, node, address, slot);
		return true;
	}
	const struct mw_draft_node *other = holder(draft, node, address);
	struct mw_diag *diag = mw_lock_drift(draft, node, NULL, place, "which `%s` has now",
					     other ? other->id : "another one");

	if (other)
		mw_diag_note(draft->diagnostics, diag, other->at->span, "`%s` sits here",
			     other->id);
	return true;
}

static void keep(void *context, const struct mw_lock_place *place)
{
	struct mw_draft *draft = context;
	struct mw_draft_node *bus = mw_lookup_find(&draft->by_id, place->where);
	const char *kind = bus && bus->type ? bus->type->provides : NULL;
	unsigned slot;

	if (kind && slots_of(mw_bus_kind(kind)) &&
	    parse_address(mw_bus_kind(kind), place->address, &slot))
		bus->slots |= 1u << slot;
}

/* Slot 0 of a root bus is the host bridge's own. */
static uint32_t reserved(const struct mw_draft_node *bus, const struct mw_bus_kind *kind)
{
	return kind->address == MW_ADDRESS_DEVFN &&
	       mw_bus_kind(bus->bus_kind)->address != MW_ADDRESS_DEVFN;
}

static void take_free(struct mw_draft *draft, struct mw_draft_node *node)
{
	const struct mw_bus_kind *kind = mw_bus_kind(node->bus_kind);
	uint32_t used = node->bus->slots | reserved(node->bus, kind);
	unsigned slot = 0;

	while (slot < slots_of(kind) && used >> slot & 1)
		slot++;
	if (slot < slots_of(kind)) {
		settle(draft, node, address_text(draft, kind, slot), slot);
		return;
	}
	struct mw_diag *diag = mw_draft_error(draft, "R307", node->at->span, node, "at",
					      "`%s` finds no free address on `%s`: all %u are "
					      "taken",
					      node->id, node->bus_id, slots_of(kind));

	mw_diag_note(draft->diagnostics, diag, node->bus->span, "the bus");
}

/* A function above 0 is found by guests only when function 0 answers (PCI 3.0, 3.2.2.3.4). */
static void check_function_zero(struct mw_draft *draft, struct mw_draft_node *node)
{
	if (!node->address || mw_bus_kind(node->bus_kind)->address != MW_ADDRESS_DEVFN ||
	    node->address[3] == '0')
		return;
	const char *zero = mw_arena_printf(draft->arena, "%s:%.2s.0", node->bus_id, node->address);

	if (!mw_lookup_find(&draft->addresses, zero))
		mw_draft_error(draft, "G204", node->at->span, node, "at",
			       "function 0 of slot %.2s is missing", node->address);
}

static int by_id(const void *a, const void *b)
{
	return mw_id_compare((*(struct mw_draft_node *const *)a)->id,
			     (*(struct mw_draft_node *const *)b)->id);
}

static bool usable(const struct mw_draft_node *node)
{
	return !node->failed && !node->dropped;
}

void mw_addresses_check(struct mw_draft *draft)
{
	size_t count = draft->node_count, waiting = 0;
	struct mw_draft_node **nodes = mw_arena_alloc(draft->arena, count + 1, sizeof(*nodes));

	for (size_t i = 0; i < count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (!usable(node) || !check_said(draft, node))
			continue;
		node->address_automatic = true;
		nodes[waiting++] = node;
	}
	if (waiting)
		qsort(nodes, waiting, sizeof(struct mw_draft_node *), by_id);
	for (size_t i = 0; i < waiting; i++) {
		if (take_locked(draft, nodes[i]))
			nodes[i] = NULL;
	}
	mw_lock_each_kept(draft, MW_LOCK_AT, keep, draft);
	for (size_t i = 0; i < waiting; i++) {
		if (nodes[i])
			take_free(draft, nodes[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (usable(draft->nodes[i]))
			check_function_zero(draft, draft->nodes[i]);
	}
}
