/* PCI's INTx: `swizzle` and `pins` of a domain, and the line that a function's pin has. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/typecheck.h"
#include "resolver/wire.h"

enum { SWIZZLE_MAX = 32, BRIDGE_PINS = 4 };

static bool read_pins(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *pins)
{
	struct mw_draft *draft = domains->draft;
	uint32_t *lines = mw_arena_alloc(&draft->plan->arena, domain->swizzle, sizeof(*lines));
	uint64_t line;
	size_t count = 0;

	if (pins->kind != MW_TREE_LIST) {
		mw_draft_error(draft, "S102", pins->span, NULL, "irq", "expected a list of lines");
		return false;
	}
	if (pins->failed) /* which has been told; what is left of it says nothing */
		return false;
	if (pins->count != domain->swizzle) {
		mw_draft_error(draft, "S103", pins->span, NULL, "irq",
			       "`pins` has %" PRIu32 " lines, and `swizzle` is %" PRIu32,
			       pins->count, domain->swizzle);
		return false;
	}
	for (struct mw_tree *item = pins->first; item; item = item->next) {
		if (!mw_draft_number(draft, item, NULL, "irq", false, &line))
			return false;
		if (line >= MW_LINES_MAX) {
			mw_draft_error(draft, "S103", item->span, NULL, "irq",
				       "%" PRIu64 " is outside of 0 to %d (`pins`)", line,
				       MW_LINES_MAX - 1);
			return false;
		}
		lines[count++] = (uint32_t)line;
		if (line >= domain->lines_needed)
			domain->lines_needed = (uint32_t)line + 1;
	}
	domain->pins = lines;
	domain->pins_tree = pins;
	return true;
}

bool mw_swizzle_read(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *tree)
{
	struct mw_tree *swizzle = mw_tree_get(tree, "swizzle"), *pins = mw_tree_get(tree, "pins");
	struct mw_draft *draft = domains->draft;
	uint64_t count;

	if (!swizzle && !pins)
		return true;
	if (!swizzle || !pins) {
		mw_draft_missing(draft, tree, "irq", "the domain `%s` needs `%s`", tree->key,
				 swizzle ? "pins" : "swizzle");
		return false;
	}
	if (!mw_draft_number(draft, swizzle, NULL, "irq", false, &count))
		return false;
	if (!count || count > SWIZZLE_MAX) {
		mw_draft_error(draft, "S103", swizzle->span, NULL, "irq",
			       "%" PRIu64 " is outside of 1 to %d (`swizzle`)", count, SWIZZLE_MAX);
		return false;
	}
	domain->swizzle = (uint32_t)count;
	return read_pins(domains, domain, pins);
}

/* The pins' lines have to be lines that can be used. */
static void check_pins(struct mw_domains *domains, struct mw_domain *domain)
{
	const struct mw_domain *lines = mw_domain_lines(domain);
	size_t pin = 0;

	for (struct mw_tree *item = domain->pins_tree->first; item; item = item->next, pin++) {
		uint32_t line = domain->pins[pin];

		if (line >= lines->lines)
			mw_draft_error(domains->draft, "R305", item->span, NULL, "irq",
				       "there is no line %" PRIu32 ": `%s` has lines 0-%" PRIu32,
				       line, lines->name, lines->lines - 1);
		else if (lines->reserved[line])
			mw_draft_error(domains->draft, "R305", item->span, NULL, "irq",
				       "line %" PRIu32 " of `%s` is reserved", line, lines->name);
	}
}

/* `to` means a domain before it means a node: the bridge to ISA is often called as its domain is. */
void mw_swizzles_finish(struct mw_domains *domains)
{
	struct mw_draft *draft = domains->draft;

	for (size_t i = 0; i < domains->count; i++) {
		struct mw_domain *domain = &domains->items[i];
		const char *to = domain->to ? domain->to->text : NULL;

		if (!domain->swizzle || !domain->lines)
			continue;
		domain->alias = to ? mw_lookup_find(&domains->by_name, to) : NULL;
		if (domain->alias && domain->alias->swizzle) {
			mw_draft_error(draft, "S102", domain->to->span, NULL, "irq",
				       "`%s` has a swizzle of its own; lines lead to a domain "
				       "without, or to a node",
				       to);
			domain->alias = NULL;
			domain->failed = true;
		} else if (!domain->alias && to &&
			   mw_tree_get(mw_tree_get(draft->document->root, "irq"), to)) {
			domain->failed =
				true; /* the other one has a mistake, which has been told */
		} else if (!domain->alias && domain->to) {
			mw_domain_target(domains, domain, domain->to);
		}
		if (!domain->failed)
			check_pins(domains, domain);
	}
}

struct mw_domain *mw_domain_lines(struct mw_domain *domain)
{
	return domain->alias ? domain->alias : domain;
}

static uint32_t slot_of(const struct mw_draft_node *node)
{
	return node->address ? (uint32_t)strtoul(node->address, NULL, 16) : 0;
}

/* Bridges turn the pins of what is behind them, so that not every first function ends at one line
 * (PCI-to-PCI bridge architecture 1.2, 9.1); the root does it as the chipset says. */
uint32_t mw_swizzle_line(const struct mw_domain *domain, const struct mw_draft_claim *claim)
{
	const struct mw_draft_node *node = claim->node;
	uint32_t pin = claim->pin - 1;

	while (node->bus && mw_bus_kind(node->bus->bus_kind)->address == MW_ADDRESS_DEVFN) {
		pin = (slot_of(node) + pin) % BRIDGE_PINS;
		node = node->bus;
	}
	return domain->pins[(slot_of(node) + pin) % domain->swizzle];
}
