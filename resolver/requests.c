/* Claims for a wire that are no line of a domain: DMA channels, PCI's INTx, message vectors. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "resolver/lock.h"
#include "resolver/typecheck.h"

enum { CHANNELS = 8, CASCADE = 4 };

struct request;
typedef bool parse_request(struct mw_draft *draft, struct request *request,
			   struct mw_draft_claim *claim);

/* One of the three keys on its way: what it is called, which wires it is for, how a value is read. */
struct request {
	const char *key, *what;
	enum mw_claim_kind kind;
	bool (*fits)(const struct mw_wire *wire);
	parse_request *parse;
	struct mw_draft_node *node;
	struct mw_tree *tree; /* the value being read */
};

static bool fits_dma(const struct mw_wire *wire)
{
	return wire->channel;
}

static bool fits_intx(const struct mw_wire *wire)
{
	return wire->intx;
}

static bool fits_msi(const struct mw_wire *wire)
{
	return wire->vectors > 0;
}

/* The scalar's text; the guest sees it, so it follows from what the guest may know. */
static const char *guest_text(struct mw_draft *draft, struct request *request, struct mw_tree *tree,
			      const char *what)
{
	const char *text = mw_draft_text(draft, tree, request->node, request->key, what);

	if (!text || (!tree->host && !tree->link))
		return text;
	mw_draft_error(draft, "S102", tree->span, request->node, request->key,
		       "%s may depend on guest parameters only", what);
	return NULL;
}

static bool parse_dma(struct mw_draft *draft, struct request *request, struct mw_draft_claim *claim)
{
	const char *text = guest_text(draft, request, request->tree, "a channel");

	if (!text)
		return false;
	claim->automatic = !strcmp(text, "auto");
	if (claim->automatic)
		return true;
	if (!mw_tree_int(text, &claim->line)) {
		mw_draft_no_number(draft, request->tree, request->node, request->key, text);
		return false;
	}
	if (claim->line < CHANNELS)
		return true;
	mw_draft_error(draft, "S103", request->tree->span, request->node, request->key,
		       "%" PRIu64 " is outside of 0 to %d (the channels of the two 8237s)",
		       claim->line, CHANNELS - 1);
	return false;
}

static bool parse_intx(struct mw_draft *draft, struct request *request,
		       struct mw_draft_claim *claim)
{
	static const char *const pins[] = { "A", "B", "C", "D", NULL };
	const struct mw_bus_kind *kind = mw_bus_kind(request->node->bus_kind);
	int pin;

	if (!guest_text(draft, request, request->tree, "a pin"))
		return false;
	pin = mw_draft_member(draft, request->tree, request->node, request->key, pins);
	claim->pin = (unsigned)(pin + 1);
	claim->domain = kind->domain;
	if (pin < 0 || kind->address == MW_ADDRESS_DEVFN)
		return pin >= 0;
	mw_draft_error(draft, "R305", request->tree->span, request->node, request->key,
		       "`intx` is a pin of a PCI function, and `%s` is a bus of kind %s",
		       request->node->bus_id, request->node->bus_kind);
	return false;
}

static bool parse_msi(struct mw_draft *draft, struct request *request, struct mw_draft_claim *claim)
{
	struct mw_tree *vectors = mw_tree_get(request->tree, "vectors");
	const char *text = vectors ? guest_text(draft, request, vectors, "a number") : NULL;

	if (!vectors)
		mw_draft_error(draft, "S117", request->tree->span, request->node, request->key,
			       "`msi` does not say how many `vectors`");
	if (!text ||
	    !mw_draft_number(draft, vectors, request->node, request->key, false, &claim->line))
		return false;
	if (claim->line && claim->line <= claim->wire->vectors)
		return true;
	mw_draft_error(draft, "S103", vectors->span, request->node, request->key,
		       "%" PRIu64 " is outside of 1 to %u (`vectors` of %s)", claim->line,
		       claim->wire->vectors, request->node->type->name);
	return false;
}

static const struct mw_draft_claim *claim_of(const struct mw_draft_node *node,
					     const struct mw_wire *wire)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		if (node->claims[i].wire == wire)
			return &node->claims[i];
	}
	return NULL;
}

static void add(struct mw_draft *draft, struct request *request, struct mw_tree *tree,
		const struct mw_wire *wire)
{
	struct mw_draft_node *node = request->node;
	struct mw_draft_claim *claim = &node->claims[node->claim_count];

	/* A plan says where the pin's line leads, so the line is there already. */
	if (request->kind == MW_CLAIM_IRQ && claim_of(node, wire))
		claim = (struct mw_draft_claim *)claim_of(node, wire);
	else
		*claim = (struct mw_draft_claim){ .node = node,
						  .tree = tree,
						  .kind = request->kind,
						  .name = wire->name,
						  .wire = wire };
	request->tree = tree;
	if (request->parse(draft, request, claim) && claim == &node->claims[node->claim_count])
		node->claim_count++;
}

/* The wire that a value without a name means: the only one that fits. */
static const struct mw_wire *only_wire(const struct request *request)
{
	const struct mw_device_type *type = request->node->type;
	const struct mw_wire *found = NULL;

	for (size_t i = 0; i < type->wires.count; i++) {
		if (!request->fits(&type->wires.items[i]))
			continue;
		if (found)
			return NULL;
		found = &type->wires.items[i];
	}
	return found;
}

static size_t names_of(struct mw_draft *draft, const struct request *request, const char ***out)
{
	const struct mw_device_type *type = request->node->type;
	const char **names = mw_arena_alloc(draft->arena, type->wires.count + 1, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < type->wires.count; i++) {
		if (request->fits(&type->wires.items[i]))
			names[count++] = type->wires.items[i].name;
	}
	*out = names;
	return count;
}

static void named(struct mw_draft *draft, struct request *request, struct mw_tree *child)
{
	const struct mw_wire *wire = mw_type_wire(request->node->type, child->key);
	const char **names;

	if (!strncmp(child->key, "x-", 2))
		return;
	if (wire && request->fits(wire)) {
		add(draft, request, child, wire);
		return;
	}
	struct mw_diag *diag = mw_draft_error(draft, "S101", child->key_span, request->node,
					      request->key, "%s has no %s `%s`",
					      request->node->type->name, request->what, child->key);

	names_of(draft, request, &names);
	mw_suggest(draft->diagnostics, diag, child->key, names);
}

/* A map of messages with `vectors` in it is the one value, not values by name. */
static bool is_one(const struct request *request, struct mw_tree *tree)
{
	return tree->kind != MW_TREE_MAP ||
	       (request->kind == MW_CLAIM_MSI && mw_tree_get(tree, "vectors"));
}

static void check_request(struct mw_draft *draft, struct request *request, struct mw_tree *tree)
{
	const struct mw_wire *only = tree ? only_wire(request) : NULL;
	const char **names;

	if (!tree)
		return;
	if (!names_of(draft, request, &names)) {
		mw_draft_error(draft, "S101", tree->key_span, request->node, request->key,
			       "%s takes no `%s`", request->node->type->name, request->key);
		return;
	}
	if (!is_one(request, tree)) {
		for (struct mw_tree *child = tree->first; child && !request->node->failed;
		     child = child->next)
			named(draft, request, child);
		return;
	}
	if (only)
		add(draft, request, tree, only);
	else
		mw_draft_error(draft, "S102", tree->span, request->node, request->key,
			       "%s has several, by name: %s", request->node->type->name,
			       mw_list_names(&draft->diagnostics->arena, names));
}

void mw_requests_check(struct mw_draft *draft, struct mw_draft_node *node)
{
	struct request requests[] = {
		{ "dma", "channel", MW_CLAIM_DMA, fits_dma, parse_dma, node, NULL },
		{ "intx", "interrupt pin", MW_CLAIM_IRQ, fits_intx, parse_intx, node, NULL },
		{ "msi", "message wire", MW_CLAIM_MSI, fits_msi, parse_msi, node, NULL },
	};
	struct mw_tree *const trees[] = { node->dma, node->intx, node->msi };

	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		if (!node->failed)
			check_request(draft, &requests[i], trees[i]);
	}
}

/* Channels: who has which. */
struct channels {
	struct mw_draft *draft;
	struct mw_draft_claim *users[CHANNELS];
	bool kept[CHANNELS]; /* for who is gone */
};

static int first_free(const struct channels *channels)
{
	for (int channel = 0; channel < CHANNELS; channel++) {
		if (channel != CASCADE && !channels->users[channel] && !channels->kept[channel])
			return channel;
	}
	return -1;
}

static void refuse_channel(struct channels *channels, struct mw_draft_claim *claim)
{
	struct mw_draft *draft = channels->draft;
	struct mw_draft_claim *user = channels->users[claim->line];
	struct mw_draft_claim *late = claim, *early = user;
	int other;

	if (user && mw_span_to_blame(user->tree->span, claim->tree->span)) {
		late = user;
		early = claim;
	}
	struct mw_diag *diag =
		user ? mw_draft_error(draft, "R306", late->tree->span, late->node, "dma",
				      "`%s` and `%s` both use DMA channel %" PRIu64,
				      early->node->id, late->node->id, claim->line)
		     : mw_draft_error(draft, "R306", claim->tree->span, claim->node, "dma",
				      "channel %d cascades the two 8237s", CASCADE);

	if (user)
		mw_diag_note(draft->diagnostics, diag, early->tree->span, "`%s` has it",
			     early->node->id);
	other = first_free(channels);
	if (other >= 0)
		mw_diag_help(draft->diagnostics, diag, "channel %d is free", other);
}

static void take_fixed(struct channels *channels, struct mw_draft_claim *claim)
{
	if (claim->line == CASCADE || channels->users[claim->line])
		return; /* told when it is known which are free */
	channels->users[claim->line] = claim;
	claim->placed = true;
}

static void take_locked(struct channels *channels, struct mw_draft_claim *claim)
{
	const struct mw_lock_place *place = claim->locked;
	struct mw_draft *draft = channels->draft;
	const struct mw_draft_claim *user =
		place->base < CHANNELS ? channels->users[place->base] : NULL;

	if (place->base < CHANNELS && place->base != CASCADE && !user) {
		claim->line = place->base;
		channels->users[claim->line] = claim;
		claim->placed = true;
		return;
	}
	struct mw_diag *diag = user ? mw_lock_drift(draft, claim->node, claim, place,
						    "which `%s` has now", user->node->id)
				    : mw_lock_drift(draft, claim->node, claim, place,
						    "which is no channel for a device");

	if (user)
		mw_diag_note(draft->diagnostics, diag, user->tree->span, "`%s` has it",
			     user->node->id);
}

static void take_free(struct channels *channels, struct mw_draft_claim *claim)
{
	int channel = first_free(channels);

	if (channel < 0) {
		mw_draft_error(channels->draft, "R307", claim->tree->span, claim->node, "dma",
			       "`dma: auto` has no room: every channel is in use");
		return;
	}
	claim->line = (uint64_t)channel;
	channels->users[channel] = claim;
	claim->placed = true;
}

static void keep(void *context, const struct mw_lock_place *place)
{
	struct channels *channels = context;

	if (place->base < CHANNELS)
		channels->kept[place->base] = true;
}

void mw_channels_bind(struct mw_draft *draft)
{
	struct channels channels = { .draft = draft };
	struct mw_draft_claim **claims = mw_draft_claims_of(draft, MW_CLAIM_DMA);

	for (struct mw_draft_claim **at = claims; *at; at++) {
		if (!(*at)->automatic)
			take_fixed(&channels, *at);
	}
	for (struct mw_draft_claim **at = claims; *at; at++) {
		if (!(*at)->automatic && !(*at)->placed)
			refuse_channel(&channels, *at);
	}
	for (struct mw_draft_claim **at = claims; *at; at++) {
		if ((*at)->automatic)
			(*at)->locked = mw_lock_take(draft, (*at)->node, *at);
		if ((*at)->locked)
			take_locked(&channels, *at);
	}
	mw_lock_each_kept(draft, MW_LOCK_DMA, keep, &channels);
	for (struct mw_draft_claim **at = claims; *at; at++) {
		if ((*at)->automatic && !(*at)->locked)
			take_free(&channels, *at);
	}
}
