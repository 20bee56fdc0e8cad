/* Lines to nets, nets to pins; sharing and triggers. */
// SPDX-License-Identifier: MIT
#include "resolver/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/typecheck.h"

static struct mw_domain *find_domain(struct mw_domains *domains, struct mw_draft_claim *claim)
{
	struct mw_draft *draft = domains->draft;
	struct mw_domain *domain = mw_lookup_find(&domains->by_name, claim->domain);

	if (domain)
		return domain;
	if (mw_tree_get(mw_tree_get(draft->document->root, "irq"), claim->domain)) {
		claim->node->failed = true; /* described, but with a mistake that has been told */
		return NULL;
	}
	struct mw_diag *diag = mw_draft_error(draft, "R305", claim->tree->span, claim->node, "irq",
					      "there is no interrupt domain `%s`", claim->domain);

	if (claim->tree->kind == MW_TREE_SCALAR && !strchr(claim->tree->text, ':'))
		mw_diag_help(draft->diagnostics, diag,
			     "the bus means it: describe it, as in `irq: { %s: { lines: 16, to: "
			     "NODE } }`, or name another one, as in `gsi:%s`",
			     claim->domain, claim->tree->text);
	if (diag->help || !mw_draft_may_suggest(draft, domains->count))
		return NULL;
	const char **names = mw_arena_alloc(draft->arena, domains->count + 1, sizeof(*names));
	for (size_t i = 0; i < domains->count; i++)
		names[i] = domains->items[i].name;
	mw_suggest(draft->diagnostics, diag, claim->domain, names);
	return NULL;
}

static void bind_fixed(struct mw_domains *domains, struct mw_draft_claim *claim)
{
	struct mw_domain *domain = find_domain(domains, claim);
	struct mw_draft_net *net =
		domain ? mw_domain_net(domains, domain, claim->line, claim) : NULL;

	if (net)
		mw_draft_add_user(domains->draft, net, claim);
}

static void bind_explicit(struct mw_draft *draft, struct mw_draft_claim *claim)
{
	struct mw_wire_end end = { claim->target, claim->target_wire, claim->target_index };
	struct mw_draft_net **pin = mw_wire_pin(draft, end);

	if (!*pin) {
		struct mw_draft_net *net = *pin = mw_draft_add_net(draft);

		net->sinks = mw_arena_alloc(&draft->plan->arena, 1, sizeof(*net->sinks));
		net->sinks[0] = (struct mw_plan_sink){ .wire = end.wire, .index = end.index };
		net->sink_nodes = mw_arena_alloc(draft->arena, 1, sizeof(struct mw_draft_node *));
		net->sink_nodes[0] = end.node;
		net->sink_count = 1;
	}
	mw_draft_add_user(draft, *pin, claim);
}

/* The first free line of the domain's window, or of all of it; the search never goes back. */
static void bind_auto(struct mw_domains *domains, struct mw_draft_claim *claim)
{
	struct mw_draft *draft = domains->draft;
	struct mw_domain *domain = find_domain(domains, claim);

	if (!domain)
		return;
	const struct mw_draft_window *window = mw_draft_window(draft, domain->name);
	uint64_t first = window ? window->base : 0;
	uint64_t count = window ? window->length : domain->lines;

	if (first >= domain->lines)
		count = 0;
	else if (count > domain->lines - first)
		count = domain->lines - first;
	while (domain->next_auto < count) {
		uint32_t step = domain->next_auto++;
		uint64_t line = window && window->down ? first + count - 1 - step : first + step;
		bool used = domain->nets[line] != NULL;
		struct mw_draft_net *net = used ? NULL : mw_domain_net(domains, domain, line, NULL);

		if (net) {
			claim->line = line;
			mw_draft_add_user(draft, net, claim);
			return;
		}
	}
	mw_draft_error(draft, "R307", claim->tree->span, claim->node, "irq",
		       "`irq: auto` has no room: every line of `%s` from %" PRIu64 " to %" PRIu64
		       " is in use",
		       domain->name, first, first + (count ? count - 1 : 0));
}

static int by_id(const void *a, const void *b)
{
	const struct mw_draft_claim *left = *(struct mw_draft_claim *const *)a;
	const struct mw_draft_claim *right = *(struct mw_draft_claim *const *)b;
	int order = mw_id_compare(left->node->id, right->node->id);

	if (order)
		return order;
	return left < right ? -1 : left > right; /* of one node: the order of its wires */
}

static void bind_lines(struct mw_domains *domains)
{
	struct mw_draft *draft = domains->draft;
	struct mw_draft_claim **autos = NULL;
	size_t count = 0, capacity = 0;

	for (unsigned explicit_first = 2; explicit_first-- > 0;) {
		for (size_t i = 0; i < draft->node_count; i++) {
			struct mw_draft_node *node = draft->nodes[i];

			for (size_t c = 0; c < node->claim_count; c++) {
				struct mw_draft_claim *claim = &node->claims[c];

				if (claim->kind != MW_CLAIM_IRQ || node->failed || node->dropped ||
				    (claim->target != NULL) != explicit_first)
					continue;
				if (claim->target) {
					bind_explicit(draft, claim);
				} else if (!claim->automatic) {
					bind_fixed(domains, claim);
				} else {
					autos = mw_draft_room(draft->arena, autos, count, &capacity,
							      sizeof(struct mw_draft_claim *));
					autos[count++] = claim;
				}
			}
		}
	}
	if (count)
		qsort(autos, count, sizeof(struct mw_draft_claim *), by_id);
	for (size_t i = 0; i < count; i++)
		bind_auto(domains, autos[i]);
}

static const char *free_line(struct mw_draft *draft, const struct mw_domain *domain)
{
	for (uint32_t line = 1; line < domain->lines; line++) {
		if (!domain->nets[line] && !domain->reserved[line])
			return mw_arena_printf(&draft->diagnostics->arena,
					       "line %" PRIu32 " is free", line);
	}
	return NULL;
}

/* R304, once a line: at the last driver that does not share it, with the others as notes. */
static void report_shared(struct mw_domains *domains, const struct mw_draft_net *net,
			  size_t unwilling)
{
	enum { NOTES_MAX = 8 };
	struct mw_draft *draft = domains->draft;
	const struct mw_domain *domain = mw_lookup_find(&domains->by_name, net->domain);
	struct mw_draft_claim *last = NULL;
	size_t notes = 0;

	for (size_t i = 0; i < net->user_count; i++) {
		struct mw_draft_claim *user = net->users[i];

		if (!user->share && (!last || mw_span_to_blame(user->tree->span, last->tree->span)))
			last = user;
	}
	struct mw_diag *diag =
		net->user_count == 2 && unwilling == 2
			? mw_draft_report(draft, MW_SEVERITY_WARNING, "R304", last->tree->span,
					  last->node, "irq",
					  "line %" PRIu32 " of `%s` has two drivers and neither "
					  "declares `share: true`",
					  net->line, net->domain)
			: mw_draft_report(draft, MW_SEVERITY_WARNING, "R304", last->tree->span,
					  last->node, "irq",
					  "line %" PRIu32 " of `%s` has %zu drivers, %zu of them "
					  "without `share: true`",
					  net->line, net->domain, net->user_count, unwilling);

	mw_diag_label(draft->diagnostics, diag, "`%s` drives it", last->node->id);
	for (size_t i = 0; i < net->user_count && notes < NOTES_MAX; i++) {
		if (net->users[i] == last)
			continue;
		notes++;
		mw_diag_note(draft->diagnostics, diag, net->users[i]->tree->span,
			     "`%s` drives it too", net->users[i]->node->id);
	}
	const char *help = domain ? free_line(draft, domain) : NULL;

	if (help)
		mw_diag_help(draft->diagnostics, diag, "%s", help);
}

static void settle_trigger(struct mw_draft *draft, const struct mw_domain *domain,
			   struct mw_draft_net *net)
{
	for (size_t i = 0; i < net->user_count; i++) {
		struct mw_draft_claim *user = net->users[i];
		const struct mw_draft_claim *first = net->users[0];

		if (!user->trigger_said)
			user->trigger = domain->trigger;
		if (!user->polarity_said)
			user->polarity = domain->polarity;
		if (user->trigger == first->trigger && user->polarity == first->polarity)
			continue;
		struct mw_diag *diag = mw_draft_error(
			draft, "R310", user->tree->span, user->node, "irq",
			"`%s` and `%s` drive line %" PRIu32 " of `%s` with different triggers",
			first->node->id, user->node->id, net->line, net->domain);

		mw_diag_note(draft->diagnostics, diag, first->tree->span, "first driver");
	}
}

static void check_net(struct mw_domains *domains, struct mw_draft_net *net)
{
	size_t unwilling = 0;

	if (!net->domain || !net->user_count)
		return;
	settle_trigger(domains->draft, mw_lookup_find(&domains->by_name, net->domain), net);
	for (size_t i = 0; i < net->user_count; i++)
		unwilling += !net->users[i]->share;
	if (net->user_count > 1 && unwilling)
		report_shared(domains, net, unwilling);
}

static bool connected(const struct mw_draft_node *node, const struct mw_wire *wire)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		if (node->claims[i].wire == wire)
			return true;
	}
	return false;
}

static void check_connected(struct mw_draft *draft, struct mw_draft_node *node)
{
	for (size_t i = 0; i < node->type->wires.count && !node->failed; i++) {
		const struct mw_wire *wire = &node->type->wires.items[i];

		if (wire->kind == MW_LINE && wire->direction == MW_DRIVES && !wire->optional &&
		    !connected(node, wire))
			mw_draft_error(draft, "S117", node->span, node, "irq",
				       "`%s` needs a line for `%s`: %s", node->id, wire->name,
				       wire->help);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct mw_plan_domain *)a)->name,
		      ((const struct mw_plan_domain *)b)->name);
}

static void keep_domains(struct mw_domains *domains)
{
	struct mw_draft *draft = domains->draft;

	draft->domains =
		mw_arena_alloc(&draft->plan->arena, domains->count, sizeof(*draft->domains));
	for (size_t i = 0; i < domains->count; i++)
		draft->domains[i] =
			(struct mw_plan_domain){ domains->items[i].name, domains->items[i].lines };
	draft->domain_count = domains->count;
	if (domains->count)
		qsort(draft->domains, domains->count, sizeof(*draft->domains), by_name);
}

void mw_wire(struct mw_draft *draft)
{
	struct mw_domains domains = { 0 };
	size_t count = draft->node_count; /* null backends follow */

	mw_domains_read(&domains, draft);
	for (size_t i = 0; i < count; i++) {
		if (!draft->nodes[i]->failed && !draft->nodes[i]->dropped)
			mw_wire_explicit(draft, draft->nodes[i]);
	}
	bind_lines(&domains);
	for (size_t i = 0; i < draft->net_count; i++)
		check_net(&domains, draft->nets[i]);
	for (size_t i = 0; i < count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (node->failed || node->dropped || node->host)
			continue;
		check_connected(draft, node);
		mw_backend_rest(draft, node);
	}
	keep_domains(&domains);
}
