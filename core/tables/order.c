/** The boot order as SeaBIOS reads it: a path for each drive or card, a line each, in the manner of Open Firmware
 * (IEEE 1275, PCI bus binding 2.1, 2.2.1.3). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum { PART_MAX = 64, DEPTH_MAX = 6 };

/** The kind of bus a node sits on; "sys" for none. */
static const char *bus_of(const struct mw_plan *plan, const struct mw_plan_node *node)
{
	const char *kind =
		node->bus_node == UINT32_MAX ? NULL : plan->nodes[node->bus_node].type->provides;
	return kind ? kind : "sys";
}

/** Firmware knows bridges and controllers by names of their own; others may be called anything. */
static const char *name_of(const struct mw_plan_node *node)
{
	static const struct {
		const char *provides, *name;
	} names[] = { { "isa", "isa" }, { "lpc", "isa" }, { "ide", "ide" }, { "floppy", "fdc" } };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (node->type->provides && strcmp(node->type->provides, names[i].provides) == 0)
			return names[i].name;
	}
	return node->type->name;
}

static const struct mw_plan_claim *first_ports(const struct mw_plan_node *node)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		if (node->claims[i].kind == MW_CLAIM_IO)
			return &node->claims[i];
	}
	return NULL;
}

/** "01.1" gives 1 and 1. */
static bool two_numbers(const char *address, int base, unsigned long out[2])
{
	char *end;
	if (!address || !*address)
		return false;
	out[0] = strtoul(address, &end, base);
	out[1] = *end == '.' ? strtoul(end + 1, &end, base) : 0;
	return *end == 0;
}

static bool write_part(char part[PART_MAX], const struct mw_plan *plan,
		       const struct mw_plan_node *node)
{
	const char *bus = bus_of(plan, node), *provides = node->type->provides;
	const struct mw_plan_claim *ports = first_ports(node);
	unsigned long at[2];
	if (strcmp(bus, "sys") == 0 && provides && strcmp(provides, "pci") == 0 && ports)
		return snprintf(part, PART_MAX, "/pci@i%04x", (unsigned)ports->base) > 0;
	if (strcmp(bus, "pci") == 0 && two_numbers(node->address, 16, at) && at[1])
		return snprintf(part, PART_MAX, "/%.24s@%lx,%lx", name_of(node), at[0], at[1]) > 0;
	if (strcmp(bus, "pci") == 0 && two_numbers(node->address, 16, at))
		return snprintf(part, PART_MAX, "/%.24s@%lx", name_of(node), at[0]) > 0;
	if ((strcmp(bus, "isa") == 0 || strcmp(bus, "lpc") == 0) && ports)
		return snprintf(part, PART_MAX, "/%.24s@%04x", name_of(node),
				(unsigned)ports->base) > 0;
	if (strcmp(bus, "ide") == 0 && two_numbers(node->address, 10, at))
		return snprintf(part, PART_MAX, "/drive@%lx/disk@%lx", at[0], at[1]) > 0;
	if (strcmp(bus, "floppy") == 0 && two_numbers(node->address, 10, at))
		return snprintf(part, PART_MAX, "/floppy@%lx", at[0] * 2 + at[1]) > 0;
	return false;
}

/** The path from the root, or NULL: it is nowhere that firmware looks. */
static char *path_of(const struct mw_plan *plan, const struct mw_plan_node *node,
		     struct mw_arena *arena)
{
	char part[PART_MAX], *path = mw_arena_strdup(arena, "");
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		if (!write_part(part, plan, node))
			return NULL;
		path = mw_arena_printf(arena, "%s%s", part, path);
		if (node->bus_node == UINT32_MAX)
			return path;
		node = &plan->nodes[node->bus_node];
	}
	return NULL;
}

static void refuse(const struct mw_plan *plan, const char *id, struct mw_diagnostics *diagnostics)
{
	struct mw_diag *diag =
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", plan->boot.order_span,
				   "`%s` is nothing that a BIOS can boot from", id);
	mw_diag_help(diagnostics, diag, "name drives and PCI functions in `boot: { order }`");
}

bool mw_items_boot_order(struct mw_items *items, const struct mw_plan *plan,
			 struct mw_diagnostics *diagnostics)
{
	char *text = mw_arena_strdup(&items->arena, "");
	if (!plan->boot.order)
		return true;
	for (const char *const *id = plan->boot.order; *id; id++) {
		long index = mw_plan_find(plan, *id);
		const char *path =
			index < 0 ? NULL : path_of(plan, &plan->nodes[index], &items->arena);
		if (!path) {
			refuse(plan, *id, diagnostics);
			return false;
		}
		text = mw_arena_printf(&items->arena, "%s%s%s", text, *text ? "\n" : "", path);
	}
	mw_items_add(items, 0, "bootorder", (const uint8_t *)text, strlen(text) + 1);
	return true;
}
