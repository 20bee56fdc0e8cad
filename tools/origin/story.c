/* Finds a value by its name and collects what made it. */
// SPDX-License-Identifier: MIT
#include "tools/origin/story.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/front.h"

enum { LONGEST_NAME = 1000, LONGEST_VALUE = 100, MOST_PARAMS = 32, MOST_OVER = 64 };

/* The same value before and after parameters; either may be NULL. */
struct pair {
	struct mw_tree *merged, *final;
};

void story_fini(struct story *story)
{
	free(story->steps);
	mw_arena_fini(&story->arena);
}

void story_add(struct story *story, struct mw_span span, const char *format, ...)
{
	va_list arguments;

	if (story->count == story->capacity) {
		story->capacity = story->capacity ? 2 * story->capacity : 8;
		story->steps = mw_grow(story->steps, story->capacity, sizeof(*story->steps));
	}
	va_start(arguments, format);
	story->steps[story->count++] =
		(struct story_step){ mw_arena_vprintf(&story->arena, format, arguments), span };
	va_end(arguments);
}

static const char *value_of(struct story *story, const struct mw_tree *tree)
{
	return mw_origin_value(&story->arena, tree, LONGEST_VALUE);
}

/* "the overlay `x.yaml`", "`chipset/microvm@1`". */
static const char *speaker(struct story *story, struct mw_span span)
{
	const struct mw_files *files = &story->study->document.front->files;
	const struct mw_file *file = mw_files_of(files, span);
	struct mw_origin origin = mw_origin_of(story->diagnostics, span);

	if (!file)
		return origin.file ? origin.file : "the resolver";
	for (size_t i = 0; i < files->overlay_count; i++) {
		if (files->overlays[i] == file)
			return mw_arena_printf(&story->arena, "the overlay `%s`",
					       file->label ? file->label : file->path);
	}
	return mw_arena_printf(&story->arena, "`%s`", file->label ? file->label : file->path);
}

static void tell_written(struct story *story, const struct mw_tree *tree)
{
	unsigned count = 0;

	story_add(story, tree->span, "%s says `%s`", speaker(story, tree->span),
		  value_of(story, tree));
	for (const struct mw_tree *over = tree->over; over && count < MOST_OVER;
	     over = over->over, count++)
		story_add(story, over->span, "instead of `%s`, which %s says",
			  value_of(story, over), speaker(story, over->span));
}

static struct mw_tree *section(const struct story *story, const char *name)
{
	struct mw_tree *merged = story->study->merged;

	return merged ? mw_tree_get(merged, name) : NULL;
}

/* The place of `--set NAME=...`; false where there was none. */
static bool find_set(const struct story *story, const char *name, struct mw_span *span)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < story->diagnostics->source_count; i++) {
		const struct mw_source *source = &story->diagnostics->sources[i];

		if (strcmp(source->name, "--set") != 0 ||
		    strncmp(source->text, name, length) != 0 || source->text[length] != '=')
			continue;
		*span = (struct mw_span){ (uint32_t)i + 1, (uint32_t)length + 1,
					  (uint32_t)(source->length - length - 1) };
		return true;
	}
	return false;
}

/* The parameter's text, or NULL without a value. */
static const char *param_value(struct story *story, const char *name)
{
	const struct mw_params *params = story->study->document.front->params;
	const struct mw_scope *scope = params ? mw_params_scope(params) : NULL;
	struct mw_parameter *param = scope ? scope->find(scope->context, name) : NULL;

	if (!param)
		return NULL;
	struct mw_value value = scope->value(scope->context, param);

	if (value.state != MW_VALUE_SET)
		return NULL;
	return value.list ? value_of(story, value.list) : mw_value_text(&story->arena, &value);
}

/* The parameters still to tell of; each once. */
struct queue {
	struct mw_tree *params[MOST_PARAMS];
	size_t count;
};

static void enqueue(struct queue *queue, struct mw_tree *param)
{
	for (size_t i = 0; i < queue->count; i++) {
		if (queue->params[i] == param)
			return;
	}
	if (param && queue->count < MOST_PARAMS)
		queue->params[queue->count++] = param;
}

/* Every word of an expression's text that is a parameter's name. */
static void enqueue_named(struct story *story, struct queue *queue, const struct mw_tree *tree)
{
	struct mw_tree *params = section(story, "params");
	const char *at = tree->text;

	while (params && at && *at) {
		size_t length = 0;

		while (isalnum((unsigned char)at[length]) || at[length] == '_')
			length++;
		if (length)
			enqueue(queue,
				mw_tree_get(params, mw_arena_strndup(&story->arena, at, length)));
		at += length ? length : 1;
	}
}

static void tell_param(struct story *story, struct queue *queue, struct mw_tree *param)
{
	struct mw_tree *fallback = mw_tree_get(param, "default");
	const char *value = param_value(story, param->key);
	struct mw_span span;

	story_add(story, param->key_span, "the parameter `%s`, which %s declares%s%s%s", param->key,
		  speaker(story, param->key_span), value ? ", is `" : " has no value",
		  value ? value : "", value ? "`" : "");
	if (find_set(story, param->key, &span))
		story_add(story, span, "given on the command line");
	else if (fallback)
		tell_written(story, fallback);
	if (fallback && fallback->kind == MW_TREE_SCALAR && fallback->dynamic)
		enqueue_named(story, queue, fallback);
}

static void tell_params(struct story *story, struct queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		tell_param(story, queue, queue->params[i]);
}

static void tell_value(struct story *story, struct pair pair)
{
	const struct mw_tree *written = pair.final && pair.final->written ? pair.final->written
					: pair.merged                     ? pair.merged
									  : pair.final;
	const struct mw_draft *draft = &story->study->draft;
	const struct mw_draft_claim *claim = pair.final ? mw_origin_claim(draft, pair.final) : NULL;
	const struct mw_draft_node *node = pair.final ? mw_origin_address(draft, pair.final) : NULL;
	const char *place = claim ? mw_origin_place(&story->arena, claim) : NULL;
	struct queue queue = { 0 };

	if (!written)
		return;
	if (node)
		place = mw_arena_printf(&story->arena, "%s:%s", node->bus_id, node->address);
	if (pair.final || !written->dynamic)
		story->value = place ? place : value_of(story, pair.final ? pair.final : written);
	tell_written(story, written);
	if (written->kind == MW_TREE_SCALAR && written->dynamic)
		enqueue_named(story, &queue, written);
	tell_params(story, &queue);
	if (claim)
		story_claim(story, claim);
	if (node)
		story_add(story, (struct mw_span){ 0 },
			  "the bus gives it the first address that is free");
}

static void consider(const char *wrong, const char *name, unsigned *best, const char **nearest)
{
	unsigned distance = mw_near_distance(wrong, name);

	if (distance < *best) {
		*best = distance;
		*nearest = name;
	}
}

/* Sets `trouble`, and `hint` from the keys of a map that are near. */
static void unknown(struct story *story, const char *wrong, const struct mw_tree *map,
		    const struct mw_tree *other, const char *format, ...)
{
	unsigned best = UINT_MAX;
	va_list arguments;

	va_start(arguments, format);
	story->trouble = mw_arena_vprintf(&story->arena, format, arguments);
	va_end(arguments);
	for (const struct mw_tree *child = map ? map->first : NULL; child; child = child->next)
		consider(wrong, child->key ? child->key : "", &best, &story->hint);
	for (const struct mw_tree *child = other ? other->first : NULL; child; child = child->next)
		consider(wrong, child->key ? child->key : "", &best, &story->hint);
}

/* One step down by a key, or by a number in a list. */
static struct mw_tree *member(struct mw_tree *tree, const char *key)
{
	uint64_t number;

	if (!tree || tree->kind == MW_TREE_SCALAR)
		return NULL;
	if (tree->kind == MW_TREE_MAP)
		return mw_tree_get(tree, key);
	if (!mw_tree_int(key, &number))
		return NULL;
	for (struct mw_tree *child = tree->first; child; child = child->next) {
		if (number-- == 0)
			return child;
	}
	return NULL;
}

/* Follows the rest of a name. Keys may hold dots, so the longest that is there is taken. */
static bool follow(struct pair *pair, const char *rest, struct mw_arena *arena)
{
	while (*rest) {
		size_t length = strlen(rest);
		struct pair next = { 0 };

		for (;; length--) {
			if (rest[length] == '\0' || rest[length] == '.') {
				const char *key = mw_arena_strndup(arena, rest, length);

				next = (struct pair){ member(pair->merged, key),
						      member(pair->final, key) };
			}
			if (next.merged || next.final || length == 0)
				break;
		}
		if (!next.merged && !next.final)
			return false;
		*pair = next;
		rest += length + (rest[length] == '.');
	}
	return true;
}

/* A claim by the name of its region or wire, where the entry does not spell it out. */
static const struct mw_draft_claim *claim_named(const struct mw_draft_node *node, const char *name)
{
	for (size_t i = 0; node && i < node->claim_count; i++) {
		if (strcmp(node->claims[i].name, name) == 0)
			return &node->claims[i];
	}
	return NULL;
}

static const struct mw_property *property_named(const struct mw_draft_node *node, const char *name)
{
	for (size_t i = 0; node && node->type && i < node->type->properties.count; i++) {
		if (strcmp(node->type->properties.items[i].name, name) == 0)
			return &node->type->properties.items[i];
	}
	return NULL;
}

static void tell_fallback(struct story *story, const struct mw_draft_node *node,
			  const struct mw_property *property)
{
	story->value = property->fallback_text ? property->fallback_text
		       : property->members
			       ? property->members[property->fallback]
			       : mw_arena_printf(&story->arena, "%" PRIu64, property->fallback);
	story_add(story, (struct mw_span){ 0 }, "the default of `%s`", node->type->name);
	story_add(story, node->span, "`%s` does not set it", node->id);
}

static void tell_node(struct story *story, struct pair pair, const char *id, const char *rest)
{
	const struct mw_draft *draft = &story->study->draft;
	const struct mw_draft_node *node = mw_draft_find(draft, id);
	struct pair below = pair;

	if (follow(&below, rest, &story->arena)) {
		tell_value(story, below);
		return;
	}
	below = (struct pair){ mw_tree_get(pair.merged, "props"),
			       mw_tree_get(pair.final, "props") };
	const char *name = strncmp(rest, "props.", 6) == 0 ? rest + 6 : rest;

	if (follow(&below, name, &story->arena)) {
		tell_value(story, below);
		return;
	}
	const struct mw_draft_claim *claim = claim_named(node, rest);

	if (claim) {
		tell_value(story, (struct pair){ .final = claim->tree });
		return;
	}
	const struct mw_property *property = property_named(node, name);

	if (property && !property->required) {
		tell_fallback(story, node, property);
		return;
	}
	unknown(story, name, pair.merged, mw_tree_get(pair.merged, "props"),
		"`%s` has neither a key, a claim nor a property `%s`", id, rest);
	unsigned best = story->hint ? mw_near_distance(name, story->hint) : UINT_MAX;

	for (size_t i = 0; node && i < node->claim_count; i++)
		consider(name, node->claims[i].name, &best, &story->hint);
	for (size_t i = 0; node && node->type && i < node->type->properties.count; i++)
		consider(name, node->type->properties.items[i].name, &best, &story->hint);
}

/* The device with the longest id that the name begins with. */
static bool find_node(struct story *story, const char *name, struct pair *pair, const char **id,
		      const char **rest)
{
	struct mw_tree *merged = section(story, "devices"), *final = story->study->document.devices;

	for (size_t length = strlen(name); length > 0; length--) {
		if (name[length] != '\0' && name[length] != '.')
			continue;
		*id = mw_arena_strndup(&story->arena, name, length);
		pair->final = final ? mw_tree_get(final, *id) : NULL;
		pair->merged = merged ? mw_tree_get(merged, *id) : NULL;
		if (pair->final && pair->final->instance_of)
			pair->merged = pair->final->instance_of;
		*rest = name + length + (name[length] == '.');
		if (pair->final || pair->merged)
			return true;
	}
	return false;
}

static bool tell_absent(struct story *story, const char *id)
{
	const struct mw_absent *absent =
		story->study->loaded ? mw_document_absent(&story->study->document, id) : NULL;

	if (!absent)
		return false;
	story->value = NULL;
	if (absent->when_span.source)
		story_add(story, absent->when_span, "`when` takes `%s` out", id);
	else
		story_add(story, absent->count_span, "`count` is %u, so there is no `%s`",
			  absent->count, id);
	return true;
}

static void tell_param_named(struct story *story, const char *name)
{
	struct mw_tree *params = section(story, "params");
	struct mw_tree *param = params ? mw_tree_get(params, name) : NULL;
	struct queue queue = { 0 };

	if (!param) {
		unknown(story, name, params, NULL, "there is no parameter `%s`", name);
		return;
	}
	story->value = param_value(story, name);
	enqueue(&queue, param);
	tell_params(story, &queue);
}

static void tell_section(struct story *story, struct mw_tree *merged, const char *rest)
{
	struct mw_tree *root = story->study->document.root;
	struct pair pair = { merged, root ? mw_tree_get(root, merged->key) : NULL };

	if (follow(&pair, rest, &story->arena))
		tell_value(story, pair);
	else
		unknown(story, rest, pair.merged, pair.final, "`%s` has no key `%s`", merged->key,
			rest);
}

void story_tell(struct story *story, const char *name)
{
	size_t length = strcspn(name, ".");
	const char *first = mw_arena_strndup(&story->arena, name, length), *id, *rest;
	struct mw_tree *merged = section(story, first);
	struct pair pair;

	story->name = name;
	if (strlen(name) > LONGEST_NAME) {
		story->trouble = "the name is too long";
		return;
	}
	if (!story->study->merged) {
		story->trouble = "the profile cannot be read";
		return;
	}
	if (strcmp(first, "params") == 0 && name[length]) {
		tell_param_named(story, name + length + 1);
		return;
	}
	if (strcmp(first, "devices") == 0 && name[length])
		name += length + 1;
	else if (merged) {
		tell_section(story, merged, name + length + (name[length] == '.'));
		return;
	}
	bool found = find_node(story, name, &pair, &id, &rest);

	if (!found || !pair.final) {
		if (tell_absent(story, found ? id : first))
			return;
	}
	if (found)
		tell_node(story, pair, id, rest);
	else
		unknown(story, first, section(story, "devices"), story->study->merged,
			"there is neither a device nor a section `%s`", first);
}
