/* The node table of a plan in the making, and how its phases report. */
// SPDX-License-Identifier: MIT
#include "resolver/draft.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/fixes.h"

/* Comparing one misspelt name with every node is fine; doing it for thousands is not. */
enum { SUGGESTION_BUDGET = 100000 };

void *mw_draft_room(struct mw_arena *arena, void *items, size_t count, size_t *capacity,
		    size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity ? *capacity * 2 : 8;
	void *larger = mw_arena_alloc(arena, *capacity, size);

	if (count)
		memcpy(larger, items, count * size);
	return larger;
}

struct mw_draft_node *mw_draft_add_node(struct mw_draft *draft, const char *id)
{
	struct mw_draft_node *node = mw_arena_alloc(draft->arena, 1, sizeof(*node));

	draft->nodes = mw_draft_room(draft->arena, draft->nodes, draft->node_count,
				     &draft->node_capacity, sizeof(*draft->nodes));
	draft->nodes[draft->node_count++] = node;
	node->id = id;
	mw_lookup_add(&draft->by_id, draft->arena, id, node);
	return node;
}

struct mw_draft_node *mw_draft_find(const struct mw_draft *draft, const char *id)
{
	struct mw_draft_node *node = mw_lookup_find(&draft->by_id, id);

	return node && !node->failed && !node->dropped ? node : NULL;
}

struct mw_draft_net *mw_draft_add_net(struct mw_draft *draft)
{
	struct mw_draft_net *net = mw_arena_alloc(draft->arena, 1, sizeof(*net));

	draft->nets = mw_draft_room(draft->arena, draft->nets, draft->net_count,
				    &draft->net_capacity, sizeof(*draft->nets));
	draft->nets[draft->net_count++] = net;
	net->gsi = MW_NO_GSI;
	return net;
}

void mw_draft_add_user(struct mw_draft *draft, struct mw_draft_net *net,
		       struct mw_draft_claim *user)
{
	net->users = mw_draft_room(draft->arena, net->users, net->user_count, &net->user_capacity,
				   sizeof(*net->users));
	net->users[net->user_count++] = user;
	user->net = net;
	user->placed = true;
}

static int by_claim(const void *a, const void *b)
{
	const struct mw_draft_claim *left = *(struct mw_draft_claim *const *)a;
	const struct mw_draft_claim *right = *(struct mw_draft_claim *const *)b;
	int order = mw_id_compare(left->node->id, right->node->id);

	return order ? order : left < right ? -1 : left > right;
}

struct mw_draft_claim **mw_draft_claims_of(struct mw_draft *draft, enum mw_claim_kind kind)
{
	struct mw_draft_claim **claims = NULL;
	size_t count = 0, capacity = 0;

	for (size_t i = 0; i < draft->node_count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			if (node->claims[c].kind != kind || node->failed || node->dropped)
				continue;
			claims = mw_draft_room(draft->arena, claims, count, &capacity,
					       sizeof(struct mw_draft_claim *));
			claims[count++] = &node->claims[c];
		}
	}
	if (count)
		qsort(claims, count, sizeof(struct mw_draft_claim *), by_claim);
	claims = mw_draft_room(draft->arena, claims, count, &capacity,
			       sizeof(struct mw_draft_claim *));
	claims[count] = NULL;
	return claims;
}

struct mw_draft_link *mw_draft_add_link(struct mw_draft *draft)
{
	draft->links = mw_draft_room(draft->arena, draft->links, draft->link_count,
				     &draft->link_capacity, sizeof(*draft->links));
	return &draft->links[draft->link_count++];
}

void mw_draft_add_late(struct mw_draft *draft, struct mw_draft_late late)
{
	draft->late = mw_draft_room(draft->arena, draft->late, draft->late_count,
				    &draft->late_capacity, sizeof(*draft->late));
	draft->late[draft->late_count++] = late;
}

int mw_id_compare(const char *a, const char *b)
{
	const char *first = a, *second = b;

	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			while (*a == '0' && isdigit((unsigned char)a[1]))
				a++;
			while (*b == '0' && isdigit((unsigned char)b[1]))
				b++;
			size_t left = strspn(a, "0123456789"), right = strspn(b, "0123456789");
			int order = left != right ? (left < right ? -1 : 1) : strncmp(a, b, left);

			if (order)
				return order;
			a += left;
			b += right;
		} else {
			if (*a != *b)
				return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
			a++;
			b++;
		}
	}
	if (*a || *b)
		return *a ? 1 : -1;
	return strcmp(first, second); /* a01 and a1 */
}

bool mw_span_to_blame(struct mw_span span, struct mw_span other)
{
	return span.source != other.source ? span.source < other.source : span.byte > other.byte;
}

int mw_draft_order(const struct mw_draft_node *a, const struct mw_draft_node *b)
{
	if (a->host != b->host)
		return a->host ? 1 : -1;
	const struct mw_draft_node *left = a->owner ? a->owner : a;
	const struct mw_draft_node *right = b->owner ? b->owner : b;

	if (left->depth != right->depth)
		return left->depth < right->depth ? -1 : 1;
	return mw_id_compare(a->id, b->id);
}

const struct mw_draft_window *mw_draft_window(const struct mw_draft *draft, const char *name)
{
	for (size_t i = 0; i < draft->window_count; i++) {
		if (!strcmp(draft->windows[i].name, name))
			return &draft->windows[i];
	}
	return NULL;
}

static const char *node_path(struct mw_draft *draft, const struct mw_draft_node *node,
			     const char *key)
{
	struct mw_arena *arena = &draft->diagnostics->arena;

	if (!node)
		return key ? mw_arena_printf(arena, "/%s", key) : NULL;
	if (node->owner)
		node = node->owner;
	if (!key)
		return mw_arena_printf(arena, "/devices/%s", node->id);
	return mw_arena_printf(arena, "/devices/%s/%s", node->id, key);
}

struct mw_diag *mw_draft_report(struct mw_draft *draft, enum mw_severity severity, const char *code,
				struct mw_span span, struct mw_draft_node *node, const char *key,
				const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	const char *text = mw_arena_vprintf(&draft->diagnostics->arena, format, arguments);

	va_end(arguments);
	struct mw_diag *diag =
		mw_diagnostics_add(draft->diagnostics, severity, code, span, "%s", text);

	diag->node = node_path(draft, node, key);
	if (node && severity == MW_SEVERITY_ERROR)
		node->failed = true;
	return diag;
}

void mw_draft_missing(struct mw_draft *draft, const struct mw_tree *section, const char *key,
		      const char *format, ...)
{
	const struct mw_tree *root = draft->document->root, *name;
	va_list arguments;

	if (section ? section->failed : root->failed)
		return;
	name = mw_tree_get(draft->document->root, "name");
	va_start(arguments, format);
	const char *text = mw_arena_vprintf(draft->arena, format, arguments);

	va_end(arguments);
	mw_draft_error(draft, "S117",
		       section && section->key ? section->key_span
		       : section               ? section->span
		       : name                  ? name->span
					       : (struct mw_span){ 0 },
		       NULL, key, "%s", text);
}

bool mw_draft_may_suggest(struct mw_draft *draft, size_t names)
{
	if (draft->suggestions + names > SUGGESTION_BUDGET)
		return false;
	draft->suggestions += names;
	return true;
}

/* Ids near a wrong one: every node, absent ones and sys. */
static void suggest_node(struct mw_draft *draft, struct mw_diag *diag, const char *wanted)
{
	unsigned distance = mw_near_distance(wanted, "sys");
	const char *best = distance == UINT_MAX ? NULL : "sys";

	if (!mw_draft_may_suggest(draft, draft->node_count))
		return;
	for (size_t i = 0; i < draft->node_count; i++) {
		unsigned here = mw_near_distance(wanted, draft->nodes[i]->id);

		if (here < distance && !draft->nodes[i]->host) {
			distance = here;
			best = draft->nodes[i]->id;
		}
	}
	if (best)
		mw_suggest_name(draft->diagnostics, diag, wanted, best);
}

void mw_draft_no_node(struct mw_draft *draft, const char *code, struct mw_span span,
		      struct mw_draft_node *node, const char *key, const char *wanted)
{
	const struct mw_absent *absent = mw_document_absent(draft->document, wanted);
	struct mw_draft_node *target = mw_lookup_find(&draft->by_id, wanted);
	struct mw_diag *diag;

	if (node)
		node->failed = true;
	if (mw_document_failed(draft->document, wanted) || (target && target->failed))
		return;
	if (target && target->dropped) {
		mw_draft_error(draft, "G206", span, node, key, "`%s` is absent, as its bus is",
			       wanted);
		return;
	}
	if (!absent) {
		diag = mw_draft_error(draft, code, span, node, key, "there is no node `%s`",
				      wanted);
		if (!mw_document_part(draft->document, diag, wanted))
			suggest_node(draft, diag, wanted);
		return;
	}
	diag = mw_draft_error(draft, "G206", span, node, key,
			      "`%s` is absent with these parameters", wanted);
	if (absent->when_span.source)
		mw_diag_note(draft->diagnostics, diag, absent->when_span,
			     "taken out by this `when`");
	else
		mw_diag_note(draft->diagnostics, diag, absent->count_span,
			     "this count makes %u of them", absent->count);
}

const char *mw_draft_text(struct mw_draft *draft, struct mw_tree *tree, struct mw_draft_node *node,
			  const char *key, const char *what)
{
	if (tree->kind == MW_TREE_SCALAR)
		return tree->text;
	mw_draft_error(draft, "S102", tree->span, node, key, "expected %s, found a %s", what,
		       tree->kind == MW_TREE_MAP ? "map" : "list");
	return NULL;
}

static struct mw_diag *refuse_zero(struct mw_draft *draft, struct mw_tree *tree,
				   struct mw_draft_node *node, const char *key, const char *text)
{
	const char *digits = text + strspn(text, "0");
	struct mw_diag *diag =
		mw_draft_error(draft, "Y006", tree->span, node, key,
			       "`%s` has a leading zero: octal to some, decimal to others", text);

	mw_diag_help(draft->diagnostics, diag, "write `%s`, or 0x for hexadecimal",
		     *digits ? digits : "0");
	mw_fix_word(draft->diagnostics, diag, MW_FIX_UNSAFE, text, *digits ? digits : "0");
	return diag;
}

struct mw_diag *mw_draft_no_number(struct mw_draft *draft, struct mw_tree *tree,
				   struct mw_draft_node *node, const char *key, const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (text[0] == '0' && digits > 1 && !text[digits])
		return refuse_zero(draft, tree, node, key, text);
	return mw_draft_error(draft, "S102", tree->span, node, key, "expected a number, found `%s`",
			      text);
}

bool mw_draft_number(struct mw_draft *draft, struct mw_tree *tree, struct mw_draft_node *node,
		     const char *key, bool size, uint64_t *value)
{
	const char *text = mw_draft_text(draft, tree, node, key, size ? "a size" : "a number");

	if (!text)
		return false;
	if (mw_tree_int(text, value) || (size && mw_tree_size(text, value)))
		return true;
	mw_draft_no_number(draft, tree, node, key, text);
	return false;
}

int mw_draft_member(struct mw_draft *draft, struct mw_tree *tree, struct mw_draft_node *node,
		    const char *key, const char *const *members)
{
	const char *text = mw_draft_text(draft, tree, node, key, "a word");
	char list[400] = "";
	size_t used = 0;

	if (!text)
		return -1;
	for (int i = 0; members[i]; i++) {
		if (!strcmp(members[i], text))
			return i;
		int length = snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
				      members[i]);

		if (length > 0 && (size_t)length < sizeof(list) - used)
			used += (size_t)length;
	}
	struct mw_diag *diag = mw_draft_error(draft, "S102", tree->span, node, key,
					      "`%s` is none of: %s", text, list);

	mw_suggest(draft->diagnostics, diag, text, members);
	return -1;
}

bool mw_draft_keys(struct mw_draft *draft, struct mw_tree *map, const char *where,
		   const char *const *keys, const char *const *later)
{
	bool good = true;

	if (map->kind != MW_TREE_MAP) {
		mw_draft_error(draft, "S102", map->span, NULL, where, "expected a map at `%s`",
			       where);
		return false;
	}
	for (struct mw_tree *child = map->first; child; child = child->next) {
		if (mw_name_in(child->key, keys) || !strncmp(child->key, "x-", 2))
			continue;
		good = false;
		if (mw_name_in(child->key, later)) {
			mw_draft_error(draft, "S110", child->key_span, NULL, where,
				       "`%s` of `%s` is not implemented yet", child->key, where);
			continue;
		}
		struct mw_diag *diag = mw_draft_error(draft, "S101", child->key_span, NULL, where,
						      "`%s` has no key `%s`", where, child->key);

		mw_suggest(draft->diagnostics, diag, child->key, keys);
	}
	return good;
}

const char *mw_draft_range_text(struct mw_draft *draft, uint64_t base, uint64_t length)
{
	return mw_arena_printf(&draft->diagnostics->arena, "0x%" PRIx64 "-0x%" PRIx64, base,
			       base + (length - 1));
}
