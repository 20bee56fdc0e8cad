/* Interrupt lines and links of a plan's text, as a profile would ask for them. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/plan_read_internal.h"

/* A domain costs memory by its lines (domains.c): all of them together. */
enum { LINES_MOST = 1 << 16 };

bool mw_plan_end(struct mw_plan_reader *reader, const struct mw_tree *tree, const char **node,
		 const char **wire)
{
	const char *dot = strrchr(tree->text, '.');

	if (!dot) {
		mw_plan_refuse(reader, tree->span, "expected NODE.WIRE, found `%s`", tree->text);
		return false;
	}
	*node = mw_arena_strndup(reader->arena, tree->text, (size_t)(dot - tree->text));
	*wire = dot + 1;
	return true;
}

/* "NODE.WIRE:N" is NODE:N to a domain: the wire is the only one that receives. Domains have no dot. */
static const char *sink_text(struct mw_plan_reader *reader, struct mw_tree *sink)
{
	const char *node, *wire;

	if (!mw_plan_end(reader, sink, &node, &wire))
		return NULL;
	const char *colon = strchr(wire, ':');

	return colon ? mw_arena_printf(reader->arena, "%s%s", node, colon) : node;
}

static void add_swizzle(struct mw_plan_reader *reader, struct mw_tree *domain,
			struct mw_tree *swizzle)
{
	struct mw_tree *to = mw_tree_get(swizzle, "to"), *pins = mw_tree_get(swizzle, "pins");
	const char *text = strchr(to->text, '.') ? sink_text(reader, to) : to->text;

	if (!text)
		return;
	mw_tree_append(domain, mw_plan_scalar(reader, "to", text, to));
	mw_tree_append(domain,
		       mw_plan_scalar(reader, "swizzle",
				      mw_arena_printf(reader->arena, "%u", pins->count), pins));
	mw_plan_hand_on(reader, domain, "pins", pins);
}

static void add_domain(struct mw_plan_reader *reader, struct mw_tree *irq, struct mw_tree *tree)
{
	struct mw_tree *domain = mw_plan_block(reader, MW_TREE_MAP, tree->key, tree);
	struct mw_tree *swizzle = mw_tree_get(mw_tree_get(reader->root, "swizzles"), tree->key);

	mw_plan_hand_on(reader, domain, "lines", tree);
	if (swizzle)
		add_swizzle(reader, domain, swizzle);
	else
		mw_tree_append(domain, mw_plan_block(reader, MW_TREE_LIST, "to", tree));
	mw_tree_append(domain, mw_plan_block(reader, MW_TREE_MAP, "map", tree));
	mw_tree_append(irq, domain);
}

static void add_sink(struct mw_plan_reader *reader, struct mw_tree *ends, struct mw_tree *sink)
{
	const char *text = sink_text(reader, sink);

	if (!text)
		return;
	mw_tree_append(ends, mw_plan_scalar(reader, NULL, text, sink));
}

static void add_net(struct mw_plan_reader *reader, struct mw_tree *irq, struct mw_tree *net)
{
	struct mw_tree *domain = mw_tree_get(net, "domain"), *line = mw_tree_get(net, "line");
	struct mw_tree *sinks = mw_tree_get(net, "sinks");

	if (!domain || !line) { /* an explicit wire: its driver names the other end */
		if (domain || line)
			mw_plan_refuse(reader, (domain ? domain : line)->key_span,
				       "`domain` and `line` belong together");
		return;
	}
	struct mw_tree *map = mw_tree_get(mw_tree_get(irq, domain->text), "map");
	struct mw_plan_net_entry *entry = mw_arena_alloc(reader->arena, 1, sizeof(*entry));
	const char *name = mw_arena_printf(reader->arena, "%s:%s", domain->text, line->text);

	if (!map) {
		mw_plan_refuse(reader, domain->span, "`domains` has no `%s`", domain->text);
		return;
	}
	entry->tree = net;
	if (mw_lookup_add(&reader->nets, reader->arena, name, entry)) {
		mw_plan_refuse(reader, line->span, "line `%s` stands there twice", name);
		return;
	}
	struct mw_tree *ends = mw_plan_block(reader, MW_TREE_LIST, line->text, line);

	ends->key_span = line->span;
	for (struct mw_tree *sink = sinks->first; sink; sink = sink->next)
		add_sink(reader, ends, sink);
	mw_tree_append(map, ends);
}

void mw_plan_nets(struct mw_plan_reader *reader)
{
	struct mw_tree *domains = mw_tree_get(reader->root, "domains");
	struct mw_tree *nets = mw_tree_get(reader->root, "nets");
	struct mw_tree *irq =
		mw_plan_block(reader, MW_TREE_MAP, "irq", domains ? domains : reader->root);
	uint64_t all = 0, lines;

	mw_tree_append(reader->document->root, irq);
	for (struct mw_tree *tree = domains ? domains->first : NULL; tree; tree = tree->next) {
		if (!mw_plan_number(reader, tree, LINES_MOST - all, &lines))
			return;
		all += lines;
		add_domain(reader, irq, tree);
	}
	for (struct mw_tree *net = nets ? nets->first : NULL; net; net = net->next)
		add_net(reader, irq, net);
}

static struct mw_tree *wires_of(struct mw_plan_reader *reader, struct mw_tree *body,
				const struct mw_tree *at)
{
	struct mw_tree *wires = mw_tree_get(body, "wires");

	if (wires)
		return wires;
	wires = mw_plan_block(reader, MW_TREE_MAP, "wires", at);
	mw_tree_append(body, wires);
	return wires;
}

/* A line of a domain in its long form: everything its net says. */
static struct mw_tree *long_line(struct mw_plan_reader *reader, const struct mw_tree *line,
				 struct mw_tree *net)
{
	struct mw_tree *made = mw_plan_block(reader, MW_TREE_MAP, line->key, line);

	mw_plan_hand_on(reader, made, "line", line);
	mw_plan_hand_on(reader, made, "trigger", mw_tree_get(net, "trigger"));
	mw_plan_hand_on(reader, made, "polarity", mw_tree_get(net, "polarity"));
	mw_plan_hand_on(reader, made, "share", mw_tree_get(net, "shared"));
	return made;
}

void mw_plan_lines(struct mw_plan_reader *reader, struct mw_tree *node, struct mw_tree *body)
{
	struct mw_tree *irq = mw_tree_get(node, "irq"), *lines;

	if (!irq)
		return;
	lines = mw_plan_block(reader, MW_TREE_MAP, "irq", irq);
	for (struct mw_tree *line = irq->first; line; line = line->next) {
		if (strchr(line->text, '.')) {
			mw_plan_hand_on(reader, wires_of(reader, body, irq), line->key, line);
			continue;
		}
		struct mw_plan_net_entry *entry = mw_lookup_find(&reader->nets, line->text);

		if (!entry) {
			mw_plan_refuse(reader, line->span, "`nets` has no line `%s`", line->text);
			continue;
		}
		entry->used = true;
		mw_tree_append(lines, long_line(reader, line, entry->tree));
	}
	if (lines->count)
		mw_tree_append(body, lines);
}

static void add_link(struct mw_plan_reader *reader, struct mw_tree *link)
{
	struct mw_tree *end[2] = { mw_tree_get(link, "from"), mw_tree_get(link, "to") };
	const char *id[2], *wire[2];
	bool host[2];

	for (unsigned side = 0; side < 2; side++) {
		if (!mw_plan_end(reader, end[side], &id[side], &wire[side]))
			return;
		struct mw_tree *node = mw_tree_get(reader->nodes, id[side]);

		if (!node) {
			mw_plan_refuse(reader, end[side]->span, "there is no node `%s`", id[side]);
			return;
		}
		host[side] = mw_plan_is_host(node);
	}
	if (host[0]) {
		mw_plan_refuse(reader, end[0]->span,
			       "a link begins at a device, and `%s` is a backend", id[0]);
		return;
	}
	if (host[1]) {
		if (mw_lookup_add(&reader->hosts, reader->arena, id[1], link))
			mw_plan_refuse(reader, end[1]->span, "`%s` is linked twice", id[1]);
		return;
	}
	struct mw_tree *body = mw_tree_get(reader->document->devices, id[0]);

	if (!body) /* it was refused, and that has been told */
		return;
	mw_plan_hand_on(reader, wires_of(reader, body, link), wire[0], end[1]);
}

void mw_plan_links(struct mw_plan_reader *reader)
{
	struct mw_tree *links = mw_tree_get(reader->root, "links");
	struct mw_tree *nets = mw_tree_get(reader->root, "nets");

	for (struct mw_tree *link = links ? links->first : NULL; link; link = link->next)
		add_link(reader, link);
	for (struct mw_tree *net = nets ? nets->first : NULL; net; net = net->next) {
		struct mw_tree *domain = mw_tree_get(net, "domain"),
			       *line = mw_tree_get(net, "line");
		const struct mw_plan_net_entry *entry =
			domain && line ? mw_lookup_find(&reader->nets,
							mw_arena_printf(reader->arena, "%s:%s",
									domain->text, line->text))
				       : NULL;

		if (entry && !entry->used)
			mw_plan_refuse(reader, line->span, "nothing drives line `%s` of `%s`",
				       line->text, domain->text);
	}
}
