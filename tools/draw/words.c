/* Claims, lines and wires in words. */
// SPDX-License-Identifier: MIT
#include "tools/draw/words.h"

#include <inttypes.h>
#include <string.h>

#include "tools/describe.h"

const char *mw_words_size(struct mw_arena *arena, uint64_t bytes)
{
	char text[32];

	mw_describe_size(bytes, text, sizeof(text));
	return mw_arena_strdup(arena, text);
}

const char *mw_words_range(struct mw_arena *arena, enum mw_claim_kind kind, uint64_t base,
			   uint64_t length)
{
	if (kind == MW_CLAIM_IO)
		return mw_arena_printf(arena, "0x%" PRIx64 "+%" PRIu64, base, length);
	return mw_arena_printf(arena, "0x%" PRIx64 "+%s", base, mw_words_size(arena, length));
}

const char *mw_words_end(struct mw_arena *arena, const struct mw_plan *plan, uint32_t node,
			 const struct mw_wire *wire, uint32_t index)
{
	const char *id = plan->nodes[node].id;

	if (wire->count > 1)
		return mw_arena_printf(arena, "%s.%s:%" PRIu32, id, wire->name, index);
	return mw_arena_printf(arena, "%s.%s", id, wire->name);
}

const char *mw_words_net(struct mw_arena *arena, const struct mw_plan *plan, uint32_t index)
{
	const struct mw_plan_net *net = &plan->nets[index];

	if (net->domain)
		return mw_arena_printf(arena, "%s:%" PRIu32, net->domain, net->line);
	return net->sink_count ? mw_words_end(arena, plan, net->sinks[0].node, net->sinks[0].wire,
					      net->sinks[0].index)
			       : "nowhere";
}

const char *mw_words_kind(enum mw_claim_kind kind)
{
	static const char *const names[] = {
		[MW_CLAIM_IO] = "io",   [MW_CLAIM_MMIO] = "mmio", [MW_CLAIM_IRQ] = "irq",
		[MW_CLAIM_DMA] = "dma", [MW_CLAIM_MSI] = "msi",
	};

	return names[kind];
}

const char *mw_words_claim_name(struct mw_arena *arena, const struct mw_plan_node *node,
				const struct mw_plan_claim *claim)
{
	size_t same = 0;

	for (size_t i = 0; i < node->claim_count && same < 2; i++)
		same += node->claims[i].kind == claim->kind;
	if (same < 2)
		return NULL;
	if (claim->kind == MW_CLAIM_IRQ && claim->wire->count > 1)
		return mw_arena_printf(arena, "%s:%" PRIu32, claim->name, claim->wire_index);
	return claim->name;
}

static const char *place_of(struct mw_arena *arena, const struct mw_plan *plan,
			    const struct mw_plan_claim *claim)
{
	const char *net;

	switch (claim->kind) {
	case MW_CLAIM_IO:
	case MW_CLAIM_MMIO: return mw_words_range(arena, claim->kind, claim->base, claim->length);
	case MW_CLAIM_DMA: return mw_arena_printf(arena, "%" PRIu32, claim->channel);
	case MW_CLAIM_MSI: return mw_arena_printf(arena, "x%" PRIu32, claim->vectors);
	default: break;
	}
	net = mw_words_net(arena, plan, claim->net);
	if (!claim->pin)
		return net;
	return mw_arena_printf(arena, "INT%c %s", (char)('A' + (claim->pin - 1) % 4), net);
}

const char *mw_words_claim(struct mw_arena *arena, const struct mw_plan *plan,
			   const struct mw_plan_node *node, const struct mw_plan_claim *claim)
{
	const char *name = mw_words_claim_name(arena, node, claim);

	return mw_arena_printf(arena, "%s %s%s%s", mw_words_kind(claim->kind), name ? name : "",
			       name ? " " : "", place_of(arena, plan, claim));
}

const char *mw_words_place(struct mw_arena *arena, const struct mw_plan_node *node)
{
	if (node->host)
		return NULL;
	return node->address ? mw_arena_printf(arena, "%s:%s", node->bus, node->address)
			     : node->bus;
}

const char *mw_words_backend(struct mw_arena *arena, const struct mw_plan_node *node)
{
	const struct mw_device_type *type = node->type;
	const char *name = type->backend ? type->backend : type->name;
	const struct mw_plan_value *value =
		type->main_property ? mw_plan_value(node, type->main_property) : NULL;

	if (!value || !value->text || !*value->text)
		return name;
	return mw_arena_printf(arena, "%s %s", name, value->text);
}
