/* The canonical text of a plan: one walk over it. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "core/plan_writer.h"

static void write_bytes(struct mw_plan_writer *writer, const char *name,
			const struct mw_plan_value *value)
{
	const char *between = value->property->kind == MW_MAC ? ":" : "";

	mw_put_key(writer, name);
	fputs(writer->json ? "\"" : " \"", writer->out);
	for (size_t i = 0; i < value->bytes.size; i++) {
		bool dash =
			value->property->kind == MW_UUID && (i == 4 || i == 6 || i == 8 || i == 10);

		fprintf(writer->out, "%s%02x",
			dash ? "-"
			: i  ? between
			     : "",
			value->bytes.bytes[i]);
	}
	fputc('"', writer->out);
	mw_put_end_line(writer);
}

static void write_value(struct mw_plan_writer *writer, const struct mw_plan_value *value)
{
	const struct mw_property *property = value->property;

	switch (property->kind) {
	case MW_BOOL: mw_put_bool_at(writer, property->name, value->number); break;
	case MW_STRING: mw_put_text_at(writer, property->name, value->text); break;
	case MW_MAC:
	case MW_UUID:
	case MW_BLOB: write_bytes(writer, property->name, value); break;
	default:
		if (property->members)
			mw_put_word_at(writer, property->name, property->members[value->number]);
		else
			mw_put_number_at(writer, property->name, value->number);
	}
}

static void write_values(struct mw_plan_writer *writer, const struct mw_plan_node *node)
{
	bool open = false;

	for (size_t i = 0; i < node->value_count; i++) {
		if (writer->guest && node->values[i].host)
			continue;
		if (!open)
			mw_put_open_map(writer, "props");
		open = true;
		write_value(writer, &node->values[i]);
	}
	if (open)
		mw_put_close_map(writer);
}

/* "NODE.WIRE", with ":N" for one of several. */
static void put_end(struct mw_plan_writer *writer, uint32_t node, const struct mw_wire *wire,
		    uint32_t index)
{
	char end[200];
	int length = snprintf(end, sizeof(end), "%s.%s", writer->plan->nodes[node].id, wire->name);

	if (wire->count > 1 && length > 0 && (size_t)length < sizeof(end))
		snprintf(end + length, sizeof(end) - (size_t)length, ":%" PRIu32, index);
	mw_put_word(writer, end);
	mw_put_end_line(writer);
}

/* The name, with ":N" for one of several lines. */
static void name_claim(const struct mw_plan_claim *claim, char *name, size_t size)
{
	if (claim->kind == MW_CLAIM_IRQ && claim->wire->count > 1)
		snprintf(name, size, "%s:%" PRIu32, claim->name, claim->wire_index);
	else
		snprintf(name, size, "%s", claim->name);
}

static void write_line(struct mw_plan_writer *writer, const struct mw_plan_claim *claim)
{
	const struct mw_plan_net *net = &writer->plan->nets[claim->net];
	char name[100];

	name_claim(claim, name, sizeof(name));
	mw_put_key(writer, name);
	if (!writer->json)
		fputc(' ', writer->out);
	if (net->domain) {
		snprintf(name, sizeof(name), "%s:%" PRIu32, net->domain, net->line);
		mw_put_word(writer, name);
		mw_put_end_line(writer);
	} else {
		put_end(writer, net->sinks[0].node, net->sinks[0].wire, net->sinks[0].index);
	}
}

static void write_claims_of(struct mw_plan_writer *writer, const struct mw_plan_node *node,
			    enum mw_claim_kind kind, const char *name)
{
	bool open = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->claims[i];

		if (claim->kind != kind)
			continue;
		if (!open)
			mw_put_open_map(writer, name);
		open = true;
		if (kind == MW_CLAIM_IRQ)
			write_line(writer, claim);
		else if (kind == MW_CLAIM_DMA || kind == MW_CLAIM_MSI)
			mw_put_number_at(writer, claim->name,
					 kind == MW_CLAIM_DMA ? claim->channel : claim->vectors);
		else
			mw_put_range_at(writer, claim->name, claim->base, claim->length);
	}
	if (open)
		mw_put_close_map(writer);
}

static void write_pins(struct mw_plan_writer *writer, const struct mw_plan_node *node)
{
	static const char *const pins[] = { "", "A", "B", "C", "D" };
	bool open = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		if (!node->claims[i].pin)
			continue;
		if (!open)
			mw_put_open_map(writer, "intx");
		open = true;
		mw_put_word_at(writer, node->claims[i].name, pins[node->claims[i].pin]);
	}
	if (open)
		mw_put_close_map(writer);
}

static void write_overlays(struct mw_plan_writer *writer, const struct mw_plan_node *node)
{
	bool open = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		if (!node->claims[i].overlays)
			continue;
		if (!open)
			mw_put_open_map(writer, "overlays");
		open = true;
		mw_put_word_at(writer, node->claims[i].name, node->claims[i].overlays);
	}
	if (open)
		mw_put_close_map(writer);
}

/* Which claims the allocator placed: for readers, not for guests. */
static void write_automatic(struct mw_plan_writer *writer, const struct mw_plan_node *node)
{
	bool open = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		char name[100];

		if (!node->claims[i].automatic)
			continue;
		if (!open)
			mw_put_open_list(writer, "auto");
		open = true;
		name_claim(&node->claims[i], name, sizeof(name));
		mw_put_word_item(writer, name);
	}
	if (open)
		mw_put_close_list(writer);
}

/* Which values a host-scoped parameter is part of: their text does not show it. */
static void write_origin(struct mw_plan_writer *writer, const struct mw_plan_node *node)
{
	bool open = false;

	for (size_t i = 0; i < node->value_count; i++) {
		if (!node->values[i].host)
			continue;
		if (!open)
			mw_put_open_list(writer, "from_host");
		open = true;
		mw_put_word_item(writer, node->values[i].property->name);
	}
	if (open)
		mw_put_close_list(writer);
}

static void write_node(struct mw_plan_writer *writer, const struct mw_plan_node *node)
{
	static const char *const placements[] = { "shared", "own", "cpu" };

	mw_put_open_map(writer, node->id);
	mw_put_word_at(writer, "type", node->type->name);
	if (node->host) {
		mw_put_bool_at(writer, "host", true);
	} else {
		mw_put_word_at(writer, "bus", node->bus);
		if (node->address)
			mw_put_text_at(writer, "address", node->address);
		if (node->address_automatic && !writer->guest)
			mw_put_bool_at(writer, "address_auto", true);
	}
	if (node->vtl)
		mw_put_number_at(writer, "vtl", node->vtl);
	if (!writer->guest) {
		mw_put_word_at(writer, "placement", placements[node->placement]);
		if (node->on_error == MW_ON_ERROR_STOP)
			mw_put_word_at(writer, "on_error", "stop");
	}
	write_values(writer, node);
	if (!writer->guest)
		write_origin(writer, node);
	write_claims_of(writer, node, MW_CLAIM_IO, "io");
	write_claims_of(writer, node, MW_CLAIM_MMIO, "mmio");
	write_claims_of(writer, node, MW_CLAIM_IRQ, "irq");
	write_pins(writer, node);
	write_claims_of(writer, node, MW_CLAIM_DMA, "dma");
	write_claims_of(writer, node, MW_CLAIM_MSI, "msi");
	write_overlays(writer, node);
	if (!writer->guest)
		write_automatic(writer, node);
	mw_put_close_map(writer);
}

static void write_nodes(struct mw_plan_writer *writer)
{
	const struct mw_plan *plan = writer->plan;
	bool open = false;

	for (size_t i = 0; i < plan->node_count; i++) {
		if (writer->guest && plan->nodes[i].host)
			continue;
		if (!open)
			mw_put_open_map(writer, "nodes");
		open = true;
		write_node(writer, &plan->nodes[i]);
	}
	if (open)
		mw_put_close_map(writer);
}

static void write_net(struct mw_plan_writer *writer, const struct mw_plan_net *net)
{
	mw_put_open_item(writer);
	if (net->domain) {
		mw_put_word_at(writer, "domain", net->domain);
		mw_put_number_at(writer, "line", net->line);
	}
	if (net->gsi != MW_NO_GSI)
		mw_put_number_at(writer, "gsi", net->gsi);
	mw_put_word_at(writer, "trigger", net->trigger == MW_TRIGGER_LEVEL ? "level" : "edge");
	mw_put_word_at(writer, "polarity", net->polarity == MW_POLARITY_LOW ? "low" : "high");
	mw_put_bool_at(writer, "shared", net->shared);
	if (net->sink_count)
		mw_put_open_list(writer, "sinks");
	for (size_t i = 0; i < net->sink_count; i++) {
		mw_put_item(writer);
		put_end(writer, net->sinks[i].node, net->sinks[i].wire, net->sinks[i].index);
	}
	if (net->sink_count)
		mw_put_close_list(writer);
	mw_put_close_map(writer);
}

static void write_links(struct mw_plan_writer *writer)
{
	const struct mw_plan *plan = writer->plan;
	bool open = false;

	for (size_t i = 0; i < plan->link_count; i++) {
		const struct mw_plan_link *link = &plan->links[i];
		bool host = plan->nodes[link->node[0]].host || plan->nodes[link->node[1]].host;

		if (writer->guest && host)
			continue;
		if (!open)
			mw_put_open_list(writer, "links");
		open = true;
		mw_put_open_item(writer);
		for (unsigned side = 0; side < 2; side++) {
			mw_put_key(writer, side ? "to" : "from");
			if (!writer->json)
				fputc(' ', writer->out);
			put_end(writer, link->node[side], link->wire[side], link->index[side]);
		}
		mw_put_close_map(writer);
	}
	if (open)
		mw_put_close_list(writer);
}

/* Where PCI's INTx leads, also that of slots that are empty now. */
static void write_swizzle(struct mw_plan_writer *writer, const struct mw_plan_domain *domain)
{
	mw_put_open_map(writer, domain->name);
	if (domain->to) {
		mw_put_word_at(writer, "to", domain->to);
	} else {
		mw_put_key(writer, "to");
		if (!writer->json)
			fputc(' ', writer->out);
		put_end(writer, domain->sink.node, domain->sink.wire, domain->sink.index);
	}
	mw_put_open_list(writer, "pins");
	for (uint32_t i = 0; i < domain->swizzle; i++) {
		mw_put_item(writer);
		fprintf(writer->out, "%" PRIu32, domain->pins[i]);
		mw_put_end_line(writer);
	}
	mw_put_close_list(writer);
	mw_put_close_map(writer);
}

static void write_swizzles(struct mw_plan_writer *writer)
{
	const struct mw_plan *plan = writer->plan;
	bool open = false;

	for (size_t i = 0; i < plan->domain_count; i++) {
		if (!plan->domains[i].swizzle)
			continue;
		if (!open)
			mw_put_open_map(writer, "swizzles");
		open = true;
		write_swizzle(writer, &plan->domains[i]);
	}
	if (open)
		mw_put_close_map(writer);
}

static void write_wiring(struct mw_plan_writer *writer)
{
	const struct mw_plan *plan = writer->plan;

	if (plan->domain_count)
		mw_put_open_map(writer, "domains");
	for (size_t i = 0; i < plan->domain_count; i++)
		mw_put_number_at(writer, plan->domains[i].name, plan->domains[i].lines);
	if (plan->domain_count)
		mw_put_close_map(writer);
	write_swizzles(writer);
	write_nodes(writer);
	if (plan->net_count)
		mw_put_open_list(writer, "nets");
	for (size_t i = 0; i < plan->net_count; i++)
		write_net(writer, &plan->nets[i]);
	if (plan->net_count)
		mw_put_close_list(writer);
	write_links(writer);
}

static void write_plan(struct mw_plan_writer *writer)
{
	const struct mw_plan *plan = writer->plan;

	mw_put_word_at(writer, "format", "plan/1");
	mw_put_word_at(writer, "name", plan->name);
	mw_put_number_at(writer, "version", plan->version);
	if (!writer->guest && plan->summary && *plan->summary)
		mw_put_text_at(writer, "summary", plan->summary);
	mw_put_word_at(writer, "arch", plan->arch);
	if (!writer->guest)
		mw_put_words_at(writer, "bases", plan->bases);
	mw_plan_put_machine(writer);
	write_wiring(writer);
}

void mw_plan_write_yaml(const struct mw_plan *plan, enum mw_plan_text what, FILE *out)
{
	struct mw_plan_writer writer = { .out = out, .plan = plan, .guest = what == MW_PLAN_GUEST };

	write_plan(&writer);
}

void mw_plan_write_json(const struct mw_plan *plan, enum mw_plan_text what, FILE *out)
{
	struct mw_plan_writer writer = { .out = out,
					 .plan = plan,
					 .guest = what == MW_PLAN_GUEST,
					 .json = true,
					 .first = true };

	fputc('{', out);
	write_plan(&writer);
	fputs("\n}\n", out);
}
