/** What a BIOS leaves in PCI's configuration space and in interrupt controllers, for a kernel that is booted without
 * one: what the tables tell is then true (PCI Local Bus Specification 3.0, 6.2). */
// SPDX-License-Identifier: MIT
#include "core/machine_internal.h"
#include "core/registry.h"
#include "core/tables/tables_internal.h"

enum { COMMAND = 0x04, BAR0 = 0x10, ROM_BASE = 0x30, INTERRUPT_LINE = 0x3c, ROM_BAR = 7 };
enum { ANSWERS = 0x0003 }; /* to ports and memory */
enum { FUNCTION_SHIFT = 12, FUNCTIONS = 8, PIRQS = 4, LINES = 16, LINE_UNKNOWN = 0xff };

struct setup {
	struct mw_machine *machine;
	struct mw_routing routing; /* its domain is NULL where no function has INTx */
	const struct mw_plan_node *fixed;
	const struct mw_plan_net *sci;
	uint8_t lines[PIRQS]; /* where PIRQA# to PIRQD# are routed to */
};

static void put(const struct setup *setup, size_t function, uint32_t at, unsigned size,
		uint32_t value)
{
	uint64_t wide = value;
	mw_config_access(setup->machine->main_actor, (uint32_t)function << FUNCTION_SHIFT | at,
			 size, &wide, true);
}

/** The lines that the router can drive share its PIRQs in order: two of them are 10, 10, 11, 11. */
static void choose_lines(struct setup *setup)
{
	uint8_t lines[LINES];
	unsigned count = 0;
	for (unsigned line = 0; line < LINES; line++) {
		if (setup->routing.lines >> line & 1)
			lines[count++] = (uint8_t)line;
	}
	if (!count)
		setup->routing.router = NULL;
	for (unsigned i = 0; i < PIRQS && count; i++)
		setup->lines[i] = lines[i * count / PIRQS];
}

static void put_bases(const struct setup *setup, size_t function, const struct mw_plan_node *node)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->claims[i];
		unsigned bar = claim->region ? claim->region->bar : 0;
		if (bar && claim->base <= UINT32_MAX)
			put(setup, function, bar == ROM_BAR ? ROM_BASE : BAR0 + 4 * (bar - 1), 4,
			    (uint32_t)claim->base);
	}
}

/** The 8259's or the I/O APIC's input behind a pin, INTA# as 1. */
static uint32_t line_of(const struct setup *setup, size_t function, unsigned pin)
{
	const struct mw_routing *routing = &setup->routing;
	unsigned slot = (unsigned)(function / FUNCTIONS);
	uint32_t gsi, line;
	if (setup->sci && setup->machine->functions[function]->plan == setup->fixed)
		return mw_acpi_isa_line(setup->sci, &line) ? line : setup->sci->gsi;
	if (!routing->domain)
		return LINE_UNKNOWN;
	line = mw_routing_line(routing, slot, pin - 1);
	if (routing->router)
		return setup->lines[(routing->domain->sink.index + line) % PIRQS];
	return mw_routing_gsi(routing, setup->machine->plan, line, &gsi) && gsi < LINE_UNKNOWN
		       ? gsi
		       : LINE_UNKNOWN;
}

static const struct mw_plan_claim *claim_of(const struct mw_plan_node *node, const char *region)
{
	bool port = mw_type_region(node->type, region)->space == MW_SPACE_PORT;
	return mw_plan_claim(node, port ? MW_CLAIM_IO : MW_CLAIM_MMIO, region);
}

static void put_rows(const struct setup *setup, size_t function, const struct mw_plan_node *node)
{
	for (size_t i = 0; i < node->type->firmware.setup.count; i++) {
		const struct mw_setup_row *row = &node->type->firmware.setup.items[i];
		const struct mw_plan_claim *claim =
			row->region ? claim_of(node, row->region) : NULL;
		if (claim || !row->region)
			put(setup, function, row->at, row->size,
			    row->value + (claim ? (uint32_t)claim->base : 0));
	}
}

static void set_up_function(const struct setup *setup, size_t function)
{
	const struct mw_node *node = setup->machine->functions[function];
	unsigned pin = node->type->config->identity ? node->type->config->identity->pin : 0;
	put_bases(setup, function, node->plan);
	put(setup, function, COMMAND, 2, ANSWERS);
	if (pin)
		put(setup, function, INTERRUPT_LINE, 1, line_of(setup, function, pin));
	for (unsigned i = 0; node->plan == setup->routing.router && i < PIRQS; i++)
		put(setup, function, node->type->firmware.pirq + i, 1, setup->lines[i]);
	put_rows(setup, function, node->plan);
}

/** Chips that the accelerator runs are left alone: systems that have tables set these bits themselves. */
static void set_levels(const struct mw_machine *machine)
{
	uint16_t levels = 0;
	uint32_t line;
	for (size_t i = 0; i < machine->plan->net_count; i++) {
		const struct mw_plan_net *net = &machine->plan->nets[i];
		if (net->trigger == MW_TRIGGER_LEVEL && mw_acpi_isa_line(net, &line))
			levels = (uint16_t)(levels | 1u << line);
	}
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];
		if (!node->type->firmware.levels || node->offloaded)
			continue;
		mw_node_enter(node, machine->main_actor);
		node->type->firmware.levels(node->device, levels);
		mw_node_leave(node);
	}
}

void mw_setup_write(struct mw_machine *machine)
{
	struct setup setup = { .machine = machine,
			       .fixed = mw_acpi_fixed_hardware(machine->plan),
			       .sci = mw_acpi_sci(machine->plan) };
	if (mw_routing_find(&setup.routing, machine->plan))
		choose_lines(&setup);
	for (size_t i = 0; i < sizeof(machine->functions) / sizeof(machine->functions[0]); i++) {
		if (machine->functions[i])
			set_up_function(&setup, i);
	}
	set_levels(machine);
	mw_place_deliver(machine->main_actor); /* what was moved, the hooks that follow write to */
}
