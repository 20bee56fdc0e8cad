/** The DSDT: a Device for every node the guest sees, with all it claims (ACPI 6.5, chapter 6). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/registry.h"
#include "core/tables/tables_internal.h"

#define NO_NODE UINT32_MAX
/* \_SB, six buses, a device, and what its hint opens stay inside the AML writer's 16. */
#define MAX_BUSES 6

struct dsdt {
	struct mw_aml *aml;
	const struct mw_plan *plan;
	struct mw_diagnostics *diagnostics;
	struct mw_acpi_names names;
	uint32_t *next;         /* the node after this one on its bus */
	uint32_t *first, *last; /* children of a node; of `sys` at [node_count] */
	struct mw_routing routing;
	bool has_routing;
	char path[MAX_BUSES + 2][5]; /* names of the devices that are open */
	unsigned depth;
	char router[64]; /* the path of the one that routes INTx */
	bool ok;
};

static bool is_root(const struct mw_plan_node *node)
{
	return node->bus_node == UINT32_MAX && node->type->provides &&
	       strcmp(node->type->provides, "pci") == 0;
}

/** The bus id of a node that only carries others: a PCI root, or a generic container (ACPI 6.5, 5.6.7). */
static const char *hid_of(const struct mw_plan_node *node)
{
	if (node->type->firmware.acpi_hid && mw_plan_speaks(node))
		return node->type->firmware.acpi_hid;
	if (is_root(node))
		return "PNP0A03";
	return node->type->provides && !node->type->private_bus ? "PNP0A05" : NULL;
}

static bool is_function(const struct dsdt *dsdt, const struct mw_plan_node *node)
{
	unsigned slot, function;
	return mw_plan_pci_address(dsdt->plan, node, &slot, &function);
}

static void link_children(struct dsdt *dsdt)
{
	size_t count = dsdt->plan->node_count;
	for (size_t i = 0; i <= count; i++)
		dsdt->first[i] = NO_NODE;
	for (uint32_t i = 0; i < count; i++) {
		const struct mw_plan_node *node = &dsdt->plan->nodes[i];
		size_t bus = node->bus_node == UINT32_MAX ? count : node->bus_node;
		dsdt->next[i] = NO_NODE;
		if (dsdt->first[bus] == NO_NODE)
			dsdt->first[bus] = i;
		else
			dsdt->next[dsdt->last[bus]] = i;
		dsdt->last[bus] = i;
	}
}

static void write_io(struct mw_aml *aml, uint64_t base, uint64_t length)
{
	while (length) { /* only all 64 Ki ports are too long for one descriptor */
		uint64_t part = length > UINT16_MAX ? 0x8000 : length;
		mw_aml_resource_io(aml, (uint16_t)base, (uint16_t)part);
		base += part;
		length -= part;
	}
}

static void write_claim(struct dsdt *dsdt, const struct mw_plan_claim *claim)
{
	if (claim->kind == MW_CLAIM_IO)
		write_io(dsdt->aml, claim->base, claim->length);
	if (claim->kind == MW_CLAIM_MMIO)
		mw_aml_resource_memory(dsdt->aml, claim->base, claim->length,
				       claim->region->backing != MW_BACKING_ROM);
	if (claim->kind == MW_CLAIM_IRQ)
		mw_aml_resource_line(dsdt->aml, &dsdt->plan->nets[claim->net]);
}

static bool is_described(const struct dsdt *dsdt, const struct mw_plan_claim *claim)
{
	if (claim->kind == MW_CLAIM_IRQ)
		return mw_aml_can_name_line(&dsdt->plan->nets[claim->net]);
	return claim->kind == MW_CLAIM_IO || claim->kind == MW_CLAIM_MMIO;
}

/** Where a claim is described: in the node's own _CRS, in that of the motherboard, or nowhere: by the type, or
 * by its configuration space. */
enum place { PLACE_OWN, PLACE_MOTHERBOARD, PLACE_ELSEWHERE };

static bool plays_a_role(const struct mw_device_type *type, const struct mw_region *region)
{
	for (size_t i = 0; i < type->firmware.roles.count; i++) {
		const struct mw_role_row *row = &type->firmware.roles.items[i];
		if (row->role != MW_ROLE_VGA && region && row->region &&
		    strcmp(row->region, region->name) == 0)
			return true;
	}
	return false;
}

/** A PCI function's interrupts are in _PRT, its base addresses in its header, and the ports of old that its class
 * stands for go without saying. What a chipset puts elsewhere, or tables name, a system cannot find out. */
static enum place place_of_function(const struct mw_plan_node *node,
				    const struct mw_plan_claim *claim)
{
	const struct mw_region *region = claim->region;
	bool own = region && !region->bar && !claim->overlays &&
		   (region->movable || plays_a_role(node->type, region));
	return own ? PLACE_MOTHERBOARD : PLACE_ELSEWHERE;
}

static enum place place_of(const struct dsdt *dsdt, const struct mw_plan_node *node,
			   const struct mw_plan_claim *claim)
{
	const char *const *described = node->type->firmware.aml_claims;
	bool refused = node->type->firmware.acpi_only_irqs && claim->kind != MW_CLAIM_IRQ;

	for (; described && *described; described++) {
		if (strcmp(*described, claim->name) == 0)
			return PLACE_ELSEWHERE;
	}
	if (is_function(dsdt, node))
		return place_of_function(node, claim);
	return hid_of(node) && !refused ? PLACE_OWN : PLACE_MOTHERBOARD;
}

static bool has_resources(const struct dsdt *dsdt, const struct mw_plan_node *node,
			  enum place place)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->claims[i];
		if (place_of(dsdt, node, claim) == place && is_described(dsdt, claim))
			return true;
	}
	return false;
}

static void write_claims(struct dsdt *dsdt, const struct mw_plan_node *node, enum place place)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		if (place_of(dsdt, node, &node->claims[i]) == place)
			write_claim(dsdt, &node->claims[i]);
	}
}

static void write_device_head(struct dsdt *dsdt, const char *id, const char *hid, const char *cid)
{
	char *name = dsdt->path[dsdt->depth];
	mw_acpi_names_pick(&dsdt->names, id, name);
	mw_aml_device_begin(dsdt->aml, name);
	mw_aml_name(dsdt->aml, "_HID");
	mw_aml_hid(dsdt->aml, hid);
	if (cid) {
		mw_aml_name(dsdt->aml, "_CID");
		mw_aml_hid(dsdt->aml, cid);
	}
	mw_aml_name(dsdt->aml, "_UID");
}

static void write_bus(struct dsdt *dsdt, uint32_t first, unsigned depth);

static void write_resources(struct dsdt *dsdt, const struct mw_plan_node *node)
{
	if (!has_resources(dsdt, node, PLACE_OWN) && !is_root(node))
		return;
	mw_aml_name(dsdt->aml, "_CRS");
	mw_aml_resources_begin(dsdt->aml);
	write_claims(dsdt, node, PLACE_OWN);
	if (is_root(node))
		mw_pci_root_windows(dsdt->aml, dsdt->plan, node);
	mw_aml_resources_end(dsdt->aml);
}

/** The path of the device that is open last. */
static void keep_path(struct dsdt *dsdt)
{
	size_t used = (size_t)snprintf(dsdt->router, sizeof(dsdt->router), "\\_SB_");
	for (unsigned i = 0; i < dsdt->depth; i++)
		used += (size_t)snprintf(dsdt->router + used, sizeof(dsdt->router) - used, ".%s",
					 dsdt->path[i]);
}

static void write_inside(struct dsdt *dsdt, uint32_t index, unsigned depth)
{
	const struct mw_plan_node *node = &dsdt->plan->nodes[index];
	const struct mw_firmware_hints *hints = &node->type->firmware;
	dsdt->depth++;
	if (hints->aml && mw_plan_speaks(node))
		hints->aml(dsdt->aml, dsdt->plan, node);
	if (dsdt->has_routing && node == dsdt->routing.router) {
		keep_path(dsdt);
		mw_pci_links(dsdt->aml, dsdt->plan, &dsdt->routing);
	}
	write_bus(dsdt, dsdt->first[index], depth + 1);
	if (dsdt->has_routing && is_root(node) && (!dsdt->routing.router || dsdt->router[0]))
		mw_pci_routes(dsdt->aml, dsdt->plan, &dsdt->routing, dsdt->router);
	dsdt->depth--;
}

/** A PCI function is known by its address (6.1.1); one that nothing is said about needs no Device. */
static bool write_function(struct dsdt *dsdt, uint32_t index, unsigned depth)
{
	const struct mw_plan_node *node = &dsdt->plan->nodes[index];
	unsigned slot, function;
	char *name = dsdt->path[dsdt->depth];
	if (!mw_plan_pci_address(dsdt->plan, node, &slot, &function))
		return false;
	bool carries =
		node->type->provides && !node->type->private_bus && dsdt->first[index] != NO_NODE;
	if (!carries && !node->type->firmware.aml && node != dsdt->routing.router)
		return true;
	mw_acpi_names_pick(&dsdt->names, node->id, name);
	mw_aml_device_begin(dsdt->aml, name);
	mw_aml_name(dsdt->aml, "_ADR");
	mw_aml_integer(dsdt->aml, slot << 16 | function);
	write_inside(dsdt, index, depth);
	mw_aml_end(dsdt->aml);
	return true;
}

static void write_node(struct dsdt *dsdt, uint32_t index, unsigned depth)
{
	const struct mw_plan_node *node = &dsdt->plan->nodes[index];
	write_device_head(dsdt, node->id, hid_of(node), node->type->firmware.acpi_cid);
	mw_aml_string(dsdt->aml, node->id);
	write_resources(dsdt, node);
	write_inside(dsdt, index, depth);
	mw_aml_end(dsdt->aml);
}

static void write_bus(struct dsdt *dsdt, uint32_t first, unsigned depth)
{
	for (uint32_t i = first; i != NO_NODE && dsdt->ok; i = dsdt->next[i]) {
		const struct mw_plan_node *node = &dsdt->plan->nodes[i];
		if (node->host || (!hid_of(node) && !is_function(dsdt, node)))
			continue;
		if (depth > MAX_BUSES) {
			struct mw_diag *diag = mw_diagnostics_add(
				dsdt->diagnostics, MW_SEVERITY_ERROR, "", node->span,
				"`%s` sits more than %d buses deep, which ACPI tables do not "
				"describe",
				node->id, MAX_BUSES);
			mw_diag_label(dsdt->diagnostics, diag, "on bus `%s`", node->bus);
			dsdt->ok = false;
			return;
		}
		if (!write_function(dsdt, i, depth))
			write_node(dsdt, i, depth);
	}
}

/** Claims that no Device of their own describes: an OS must know that they are taken (PNP0C02). */
static void write_motherboard(struct dsdt *dsdt)
{
	bool open = false;
	for (size_t i = 0; i < dsdt->plan->node_count; i++) {
		const struct mw_plan_node *node = &dsdt->plan->nodes[i];
		if (node->host || !has_resources(dsdt, node, PLACE_MOTHERBOARD))
			continue;
		if (!open) {
			write_device_head(dsdt, "mbrd", "PNP0C02", NULL);
			mw_aml_integer(dsdt->aml, 0);
			mw_aml_name(dsdt->aml, "_CRS");
			mw_aml_resources_begin(dsdt->aml);
		}
		open = true;
		write_claims(dsdt, node, PLACE_MOTHERBOARD);
	}
	if (open) {
		mw_aml_resources_end(dsdt->aml);
		mw_aml_end(dsdt->aml);
	}
}

/** Processors are devices ACPI0007 whose _UID the MADT repeats (8.4). */
static void write_processors(struct dsdt *dsdt)
{
	for (uint32_t i = 0; i < dsdt->plan->cpu.count; i++) {
		char id[16];
		snprintf(id, sizeof(id), "cpu%u", i);
		write_device_head(dsdt, id, "ACPI0007", NULL);
		mw_aml_integer(dsdt->aml, i);
		mw_aml_end(dsdt->aml);
	}
}

/** Soft off (7.4.2.6), with the SLP_TYP that the control register's device understands. */
static void write_s5(struct dsdt *dsdt)
{
	bool fixed = mw_acpi_fixed_hardware(dsdt->plan);
	struct mw_acpi_register control;
	if (!mw_acpi_role(&control, dsdt->plan,
			  fixed ? MW_ROLE_PM1_CONTROL : MW_ROLE_SLEEP_CONTROL))
		return;
	mw_aml_name(dsdt->aml, "\\_S5");
	mw_aml_package_begin(dsdt->aml, 4);
	mw_aml_integer(dsdt->aml, control.value);
	for (unsigned i = 0; i < 3; i++)
		mw_aml_integer(dsdt->aml, 0);
	mw_aml_end(dsdt->aml);
}

/** Those that stand beside the devices on the router's bus. */
static void reserve_names(struct dsdt *dsdt)
{
	static const char *const taken[] = { "lnka", "lnkb", "lnkc", "lnkd", "lnks",
					     "prq",  "prqa", "prqb", "prqc", "prqd" };
	char name[5];
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		mw_acpi_names_pick(&dsdt->names, taken[i], name);
}

bool mw_dsdt_write(struct mw_aml *table, const struct mw_plan *plan,
		   struct mw_diagnostics *diagnostics)
{
	size_t nodes = plan->node_count;
	struct dsdt dsdt = { .aml = table, .plan = plan, .diagnostics = diagnostics, .ok = true };
	mw_acpi_names_init(&dsdt.names, nodes + plan->cpu.count + 16);
	dsdt.next = mw_alloc(nodes + 1, sizeof(*dsdt.next));
	dsdt.first = mw_alloc(nodes + 1, sizeof(*dsdt.first));
	dsdt.last = mw_alloc(nodes + 1, sizeof(*dsdt.last));
	dsdt.has_routing = mw_routing_find(&dsdt.routing, plan);
	if (dsdt.routing.router)
		reserve_names(&dsdt);
	link_children(&dsdt);
	mw_acpi_table_begin(table);
	mw_aml_scope_begin(table, "\\_SB");
	write_processors(&dsdt);
	write_motherboard(&dsdt);
	write_bus(&dsdt, dsdt.first[nodes], 0);
	mw_aml_end(table);
	write_s5(&dsdt);
	mw_acpi_table_end(table, plan, "DSDT", 2); /* 2: 64-bit integers */
	free(dsdt.last);
	free(dsdt.first);
	free(dsdt.next);
	mw_acpi_names_fini(&dsdt.names);
	return dsdt.ok;
}
