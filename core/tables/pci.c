/** PCI in AML: what a root bridge passes on, who routes INTx, and where they lead (ACPI 6.5, 6.2.13 and 6.2.13.1;
 * PCI Firmware Specification 3.3, 4.1). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum { SLOTS = 32, PINS = 4, LINES = 16, BUSES = 256, PORTS = 0x10000 };
enum { PIRQ_OFF = 0x80, PIRQ_LINE = 0x0f, LINK_UID_SCI = 4 };
/* Where interrupt controllers and the BIOS begin in every PC. */
#define CHIPS_BASE UINT64_C(0xfec00000)
#define VGA_BASE   UINT64_C(0xa0000)
#define VGA_BYTES  UINT64_C(0x20000)
#define SMALLEST   UINT64_C(0x100000)
#define PAGE       UINT64_C(0x1000)
/* The interrupt's number in a template of one extended descriptor. */
enum { NUMBER_IN_TEMPLATE = 5 };

struct range {
	uint64_t base, end;
};

static int by_base(const void *left, const void *right)
{
	const struct range *a = left, *b = right;
	return a->base < b->base ? -1 : a->base > b->base;
}

/** What lies between the ranges, from `at` to `end`. */
static void write_gaps(struct mw_aml *aml, struct range *taken, size_t count, uint64_t at,
		       uint64_t end, void (*write)(struct mw_aml *aml, uint64_t base, uint64_t end))
{
	qsort(taken, count, sizeof(*taken), by_base);
	for (size_t i = 0; i < count && at < end; i++) {
		uint64_t until = taken[i].base < end ? taken[i].base : end;
		if (until > at)
			write(aml, at, until);
		at = taken[i].end > at ? taken[i].end : at;
	}
	if (at < end)
		write(aml, at, end);
}

static void write_ports(struct mw_aml *aml, uint64_t base, uint64_t end)
{
	mw_aml_resource_window(aml, MW_AML_PORTS, base, end - base);
}

static void write_memory(struct mw_aml *aml, uint64_t base, uint64_t end)
{
	if (end - base >= SMALLEST)
		mw_aml_resource_window(aml, MW_AML_MEMORY, base, end - base);
}

/** Ports are all passed on but the bridge's own. */
static void write_port_windows(struct mw_aml *aml, const struct mw_plan_node *node)
{
	struct range *taken = mw_alloc(node->claim_count + 1, sizeof(*taken));
	size_t count = 0;
	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->claims[i];
		if (claim->kind == MW_CLAIM_IO)
			taken[count++] = (struct range){ claim->base, claim->base + claim->length };
	}
	write_gaps(aml, taken, count, 0, PORTS, write_ports);
	free(taken);
}

static uint64_t end_of_ram(const struct mw_plan *plan)
{
	uint64_t end = SMALLEST;
	for (size_t i = 0; i < plan->ram_count; i++) {
		const struct mw_plan_range *ram = &plan->ram[i];
		if (ram->base < CHIPS_BASE && ram->base + ram->length > end)
			end = ram->base + ram->length;
	}
	return (end + PAGE - 1) / PAGE * PAGE;
}

static size_t count_claims(const struct mw_plan *plan)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->node_count; i++)
		count += plan->nodes[i].claim_count;
	return count;
}

/** Memory from the end of RAM up, but for what chips beside the bus have there. */
static void write_memory_windows(struct mw_aml *aml, const struct mw_plan *plan)
{
	struct range *taken = mw_alloc(count_claims(plan) + 1, sizeof(*taken));
	size_t count = 0;
	unsigned slot, function;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct mw_plan_node *node = &plan->nodes[i];
		if (node->host || mw_plan_pci_address(plan, node, &slot, &function))
			continue;
		for (size_t c = 0; c < node->claim_count; c++) {
			const struct mw_plan_claim *claim = &node->claims[c];
			if (claim->kind == MW_CLAIM_MMIO)
				taken[count++] = (struct range){ claim->base / PAGE * PAGE,
								 claim->base + claim->length };
		}
	}
	write_gaps(aml, taken, count, end_of_ram(plan), CHIPS_BASE, write_memory);
	free(taken);
}

void mw_pci_root_windows(struct mw_aml *aml, const struct mw_plan *plan,
			 const struct mw_plan_node *node)
{
	mw_aml_resource_window(aml, MW_AML_BUSES, 0, BUSES);
	write_port_windows(aml, node);
	bool ram = false;
	for (size_t i = 0; i < plan->ram_count; i++) {
		const struct mw_plan_range *range = &plan->ram[i];
		ram |= range->base < VGA_BASE + VGA_BYTES && range->base + range->length > VGA_BASE;
	}
	if (!ram)
		mw_aml_resource_window(aml, MW_AML_MEMORY, VGA_BASE, VGA_BYTES);
	write_memory_windows(aml, plan);
}

/** The SCI of a PCI function, which is none of its INTx though its header says so. */
static const struct mw_plan_net *sci_of_function(const struct mw_plan *plan, unsigned *slot)
{
	const struct mw_plan_node *node = mw_acpi_fixed_hardware(plan);
	const struct mw_plan_net *sci = mw_acpi_sci(plan);
	unsigned function;
	return node && sci && sci->gsi != MW_NO_GSI &&
			       mw_plan_pci_address(plan, node, slot, &function)
		       ? sci
		       : NULL;
}

static void begin_link(struct mw_aml *aml, const char *name, unsigned uid)
{
	mw_aml_device_begin(aml, name);
	mw_aml_name(aml, "_HID");
	mw_aml_hid(aml, "PNP0C0F");
	mw_aml_name(aml, "_UID");
	mw_aml_integer(aml, uid);
}

static void write_status(struct mw_aml *aml, const char *field)
{
	mw_aml_method_begin(aml, "_STA", 0, false);
	mw_aml_if_begin(aml);
	mw_aml_op(aml, MW_AML_AND);
	mw_aml_name_string(aml, field);
	mw_aml_integer(aml, PIRQ_OFF);
	mw_aml_op(aml, MW_AML_NO_TARGET);
	mw_aml_op(aml, MW_AML_RETURN);
	mw_aml_integer(aml, 0x09);
	mw_aml_end(aml);
	mw_aml_op(aml, MW_AML_RETURN);
	mw_aml_integer(aml, 0x0b);
	mw_aml_end(aml);
	mw_aml_method_begin(aml, "_DIS", 0, false);
	mw_aml_op(aml, MW_AML_OR);
	mw_aml_name_string(aml, field);
	mw_aml_integer(aml, PIRQ_OFF);
	mw_aml_name_string(aml, field);
	mw_aml_end(aml);
}

/** _CRS gives a template with the line put in; _SRS takes one out of a template. */
static void write_setting(struct mw_aml *aml, const char *field)
{
	const uint32_t none = 0;
	mw_aml_name(aml, "BUF_");
	mw_aml_resources_begin(aml);
	mw_aml_resource_interrupts(aml, &none, 1, true, false, true);
	mw_aml_resources_end(aml);
	mw_aml_method_begin(aml, "_CRS", 0, true);
	mw_aml_op(aml, MW_AML_CREATE_DWORD_FIELD);
	mw_aml_name_string(aml, "BUF_");
	mw_aml_integer(aml, NUMBER_IN_TEMPLATE);
	mw_aml_name_string(aml, "NUM_");
	mw_aml_op(aml, MW_AML_AND);
	mw_aml_name_string(aml, field);
	mw_aml_integer(aml, PIRQ_LINE);
	mw_aml_name_string(aml, "NUM_");
	mw_aml_op(aml, MW_AML_RETURN);
	mw_aml_name_string(aml, "BUF_");
	mw_aml_end(aml);
	mw_aml_method_begin(aml, "_SRS", 1, true);
	mw_aml_op(aml, MW_AML_CREATE_DWORD_FIELD);
	mw_aml_op(aml, MW_AML_ARG0);
	mw_aml_integer(aml, NUMBER_IN_TEMPLATE);
	mw_aml_name_string(aml, "SET_");
	mw_aml_op(aml, MW_AML_STORE);
	mw_aml_name_string(aml, "SET_");
	mw_aml_name_string(aml, field);
	mw_aml_end(aml);
}

static void write_choice(struct mw_aml *aml, uint16_t lines)
{
	uint32_t numbers[LINES];
	size_t count = 0;
	for (uint32_t line = 0; line < LINES; line++) {
		if (lines >> line & 1)
			numbers[count++] = line;
	}
	mw_aml_name(aml, "_PRS");
	mw_aml_resources_begin(aml);
	mw_aml_resource_interrupts(aml, numbers, count, true, false, true);
	mw_aml_resources_end(aml);
}

static void write_sci_link(struct mw_aml *aml, const char *name, const struct mw_plan_net *sci)
{
	static const char *const templates[] = { "_PRS", "_CRS" };
	begin_link(aml, name, LINK_UID_SCI);
	for (size_t i = 0; i < 2; i++) {
		mw_aml_name(aml, templates[i]);
		mw_aml_resources_begin(aml);
		mw_aml_resource_interrupts(aml, &sci->gsi, 1, sci->trigger == MW_TRIGGER_LEVEL,
					   sci->polarity == MW_POLARITY_LOW, true);
		mw_aml_resources_end(aml);
	}
	mw_aml_method_begin(aml, "_SRS", 1, false);
	mw_aml_end(aml);
	mw_aml_end(aml);
}

void mw_pci_links(struct mw_aml *aml, const struct mw_plan *plan, const struct mw_routing *routing)
{
	static const char *const fields[PINS] = { "PRQA", "PRQB", "PRQC", "PRQD" };
	static const unsigned bits[PINS] = { 8, 8, 8, 8 };
	unsigned slot;
	mw_aml_operation_region_in(aml, "PRQ_", MW_AML_PCI_CONFIG,
				   routing->router->type->firmware.pirq, PINS);
	mw_aml_field(aml, "PRQ_", 1, fields, bits, PINS);
	for (unsigned i = 0; i < PINS; i++) {
		const char name[] = { 'L', 'N', 'K', (char)('A' + i), 0 };
		begin_link(aml, name, i);
		write_choice(aml, routing->lines);
		write_status(aml, fields[i]);
		write_setting(aml, fields[i]);
		mw_aml_end(aml);
	}
	const struct mw_plan_net *sci = sci_of_function(plan, &slot);
	if (sci)
		write_sci_link(aml, "LNKS", sci);
}

/** A package of four: who, INTA# to INTD# from 0, and either a link or a GSI. */
static void write_route(struct mw_aml *aml, unsigned slot, unsigned pin, const char *link,
			uint32_t gsi)
{
	mw_aml_package_begin(aml, 4);
	mw_aml_integer(aml, slot << 16 | 0xffff);
	mw_aml_integer(aml, pin);
	if (link)
		mw_aml_name_string(aml, link);
	else
		mw_aml_integer(aml, 0);
	mw_aml_integer(aml, link ? 0 : gsi);
	mw_aml_end(aml);
}

/** Whether a function of the slot has INTA#, so that it is not there for the SCI alone. */
static bool has_inta(const struct mw_plan *plan, unsigned slot)
{
	unsigned at, function;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct mw_plan_node *node = &plan->nodes[i];
		if (!mw_plan_pci_address(plan, node, &at, &function) || at != slot)
			continue;
		for (size_t c = 0; c < node->claim_count; c++) {
			if (node->claims[c].kind == MW_CLAIM_IRQ && node->claims[c].pin == 1)
				return true;
		}
	}
	return false;
}

static void write_slot(struct mw_aml *aml, const struct mw_plan *plan,
		       const struct mw_routing *routing, const char *router, unsigned slot)
{
	unsigned sci_slot = SLOTS;
	const struct mw_plan_net *sci = sci_of_function(plan, &sci_slot);
	bool is_sci = sci && routing->router && slot == sci_slot && !has_inta(plan, slot);
	char link[64];
	for (unsigned pin = 0; pin < PINS; pin++) {
		uint32_t line = mw_routing_line(routing, slot, pin), gsi = 0;
		char letter = is_sci && pin == 0
				      ? 'S'
				      : (char)('A' + (routing->domain->sink.index + line) % PINS);
		snprintf(link, sizeof(link), "%s.LNK%c", router, letter);
		mw_routing_gsi(routing, plan, line, &gsi);
		write_route(aml, slot, pin, routing->router ? link : NULL, gsi);
	}
}

void mw_pci_routes(struct mw_aml *aml, const struct mw_plan *plan, const struct mw_routing *routing,
		   const char *router)
{
	mw_aml_name(aml, "_PRT");
	mw_aml_package_begin(aml, SLOTS * PINS);
	for (unsigned slot = 0; slot < SLOTS; slot++)
		write_slot(aml, plan, routing, router, slot);
	mw_aml_end(aml);
}
