/* Lines to nets, nets to pins; sharing and triggers. */
// SPDX-License-Identifier: MIT
#include "resolver/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/fixes.h"
#include "resolver/lock.h"
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

/* PCI's interrupt lines are level-triggered and made to be shared (PCI 3.0, 2.2.6). */
static bool bind_intx(struct mw_domains *domains, struct mw_domain *domain,
		      struct mw_draft_claim *claim)
{
	if (!domain->swizzle) {
		struct mw_diag *diag = mw_draft_error(
			domains->draft, "R305", claim->tree->span, claim->node, "intx",
			"`%s` says nothing of INTx: it has no `swizzle` and `pins`", domain->name);

		if (domain->span.source)
			mw_diag_note(domains->draft->diagnostics, diag, domain->span,
				     "`%s` is described here", domain->name);
		return false;
	}
	claim->line = mw_swizzle_line(domain, claim);
	claim->share = claim->trigger_said = claim->polarity_said = true;
	claim->trigger = domain->trigger;
	claim->polarity = domain->polarity;
	return true;
}

static void bind_fixed(struct mw_domains *domains, struct mw_draft_claim *claim)
{
	struct mw_domain *domain = find_domain(domains, claim);
	struct mw_draft_net *net;

	if (!domain)
		return;
	if (domain->failed && domain->swizzle) {
		claim->node->failed = true; /* where its lines lead has been told to be wrong */
		return;
	}
	if (claim->pin && !domains->draft->from_plan && !bind_intx(domains, domain, claim))
		return;
	net = mw_domain_net(domains, mw_domain_lines(domain), claim->line, claim);
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

/* The lines that `auto` may have: the domain's window, or all of it. */
static uint64_t auto_lines(struct mw_draft *draft, const struct mw_domain *domain, uint64_t *first)
{
	const struct mw_draft_window *window = mw_draft_window(draft, domain->name);
	uint64_t count = window ? window->length : domain->lines;

	*first = window ? window->base : 0;
	if (*first >= domain->lines)
		return 0;
	return count > domain->lines - *first ? domain->lines - *first : count;
}

/* The first free line; the search never goes back. */
static void bind_auto(struct mw_domains *domains, struct mw_draft_claim *claim)
{
	struct mw_draft *draft = domains->draft;
	struct mw_domain *domain = find_domain(domains, claim);

	if (!domain)
		return;
	domain = mw_domain_lines(domain);
	const struct mw_draft_window *window = mw_draft_window(draft, domain->name);
	uint64_t first, count = auto_lines(draft, domain, &first);

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

/* Why a locked line cannot be had. */
static void refuse_locked(struct mw_draft *draft, struct mw_draft_claim *claim,
			  const struct mw_domain *domain, const struct mw_draft_net *net,
			  bool inside)
{
	const struct mw_draft_window *window = mw_draft_window(draft, domain->name);
	struct mw_diag *diag;

	if (net) {
		diag = mw_lock_drift(draft, claim->node, claim, claim->locked,
				     "which `%s` drives now", net->users[0]->node->id);
		mw_diag_note(draft->diagnostics, diag, net->users[0]->tree->span, "`%s` drives it",
			     net->users[0]->node->id);
		return;
	}
	diag = mw_lock_drift(draft, claim->node, claim, claim->locked,
			     inside ? "which is reserved or leads to no free pin"
				    : "which is not among the lines for `auto`");
	if (window && !inside)
		mw_diag_note(draft->diagnostics, diag, window->span, "these are");
	else if (domain->span.source)
		mw_diag_note(draft->diagnostics, diag, domain->span, "`%s` is described here",
			     domain->name);
}

/* Whoever was given another domain has a new line there. */
static void bind_locked(struct mw_domains *domains, struct mw_domain *domain,
			struct mw_draft_claim *claim)
{
	struct mw_draft *draft = domains->draft;
	const struct mw_lock_place *place = mw_lock_take(draft, claim->node, claim);
	uint64_t first = 0, count = auto_lines(draft, domain, &first);
	struct mw_draft_net *net = NULL;

	if (!place || strcmp(place->where, domain->name) != 0)
		return;
	bool inside = place->base >= first && place->base - first < count;

	claim->locked = place;
	if (inside)
		net = domain->nets[place->base];
	if (inside && !net) {
		net = mw_domain_net(domains, domain, place->base, NULL);
		if (net) {
			claim->line = place->base;
			mw_draft_add_user(draft, net, claim);
			return;
		}
	}
	refuse_locked(draft, claim, domain, net, inside);
}

static void keep(void *context, const struct mw_lock_place *place)
{
	struct mw_domains *domains = context;
	struct mw_domain *domain = mw_lookup_find(&domains->by_name, place->where);

	if (domain && place->base < domain->lines)
		domain->reserved[place->base] = true;
}

/* What is said goes first, then what is locked, then what is chosen. */
static void bind_lines(struct mw_domains *domains)
{
	struct mw_draft *draft = domains->draft;
	struct mw_draft_claim **claims = mw_draft_claims_of(draft, MW_CLAIM_IRQ);

	for (struct mw_draft_claim **at = claims; *at; at++) {
		if ((*at)->target)
			bind_explicit(draft, *at);
	}
	for (struct mw_draft_claim **at = claims; *at; at++) {
		if (!(*at)->target && !(*at)->automatic && !(*at)->node->failed)
			bind_fixed(domains, *at);
	}
	for (struct mw_draft_claim **at = claims; *at; at++) {
		struct mw_domain *domain =
			(*at)->automatic && !(*at)->node->failed ? find_domain(domains, *at) : NULL;

		if (domain)
			bind_locked(domains, mw_domain_lines(domain), *at);
	}
	mw_lock_each_kept(draft, MW_LOCK_IRQ, keep, domains);
	for (struct mw_draft_claim **at = claims; *at; at++) {
		if ((*at)->automatic && !(*at)->locked && !(*at)->node->failed)
			bind_auto(domains, *at);
	}
}

/* The next one up from a line, or from the first; 0: none. */
static uint32_t free_line(const struct mw_domain *domain, uint32_t from)
{
	for (uint32_t step = 1; step < domain->lines; step++) {
		uint32_t line = (from + step) % domain->lines;

		if (line && !domain->nets[line] && !domain->reserved[line])
			return line;
	}
	return 0;
}

/* "line 4 reaches `pic:4` and `ioapic:4`" */
static void note_sinks(struct mw_draft *draft, struct mw_diag *diag, const struct mw_draft_net *net)
{
	struct mw_span nowhere = { 0 };
	const char *text = "";

	for (size_t i = 0; i < net->sink_count && i < 4; i++)
		text = mw_arena_printf(draft->arena, "%s%s`%s:%" PRIu32 "`", text, i ? " and " : "",
				       net->sink_nodes[i]->id, net->sinks[i].index);
	if (*text)
		mw_diag_note(draft->diagnostics, diag, nowhere, "line %" PRIu32 " reaches %s",
			     net->line, text);
}

/* The number behind a prefix such as `isa:`. */
static void offer_line(struct mw_draft *draft, struct mw_diag *diag,
		       const struct mw_draft_claim *claim, uint32_t line)
{
	const char *colon = strchr(claim->tree->text, ':');

	mw_diag_help(draft->diagnostics, diag, "line %" PRIu32 " is free", line);
	mw_fix_word(draft->diagnostics, diag, MW_FIX_UNSAFE, colon ? colon + 1 : claim->tree->text,
		    mw_arena_printf(draft->arena, "%" PRIu32, line));
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
	if (!last)
		return; /* all of them share */
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
	uint32_t line = domain ? free_line(domain, net->line) : 0;

	note_sinks(draft, diag, net);
	if (line)
		offer_line(draft, diag, last, line);
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
			mw_draft_error(draft, "S117", node->span, node, wire->intx ? "intx" : "irq",
				       wire->intx ? "`%s` needs an `intx` pin for `%s`: %s"
						  : "`%s` needs a line for `%s`: %s",
				       node->id, wire->name, wire->help);
		if (wire->channel && !wire->optional && !connected(node, wire))
			mw_draft_error(draft, "S117", node->span, node, "dma",
				       "`%s` needs a channel in `dma` for `%s`: %s", node->id,
				       wire->name, wire->help);
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
	draft->domain_nodes =
		mw_arena_alloc(draft->arena, domains->count + 1, sizeof(struct mw_draft_node *));
	for (size_t i = 0; i < domains->count; i++)
		draft->domains[i].name = domains->items[i].name;
	draft->domain_count = domains->count;
	if (domains->count)
		qsort(draft->domains, domains->count, sizeof(*draft->domains), by_name);
	for (size_t i = 0; i < domains->count; i++) {
		struct mw_plan_domain *kept = &draft->domains[i];
		const struct mw_domain *domain = mw_lookup_find(&domains->by_name, kept->name);

		if (!domain)
			continue; /* one with a mistake */
		kept->lines = domain->lines;
		kept->swizzle = domain->swizzle;
		kept->pins = domain->pins;
		kept->to = domain->alias ? domain->alias->name : NULL;
		if (!domain->swizzle || domain->alias || !domain->target_count)
			continue;
		kept->sink.wire = domain->targets[0].wire;
		kept->sink.index = domain->targets[0].index;
		draft->domain_nodes[i] = domain->targets[0].node;
	}
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
	mw_channels_bind(draft);
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
