/* Parts: composite device types, whose nodes become members of the device that uses them. */
// SPDX-License-Identifier: MIT
#include "resolver/parts.h"

#include <string.h>

#include "resolver/compose.h"
#include "resolver/instances.h"

bool mw_part_is(struct mw_tree *body)
{
	struct mw_tree *type = mw_tree_get(body, "type");

	return type && type->kind == MW_TREE_SCALAR && !type->failed &&
	       strncmp(type->text, "part/", 5) == 0;
}

static struct mw_part_type *find_type(struct mw_document *document, const char *text)
{
	return (struct mw_part_type *)mw_tree_get(document->front->part_types, text);
}

/* Two spellings of one file in one version are one type. */
static struct mw_part_type *same_type(struct mw_document *document, const struct mw_file *file)
{
	for (struct mw_tree *at = document->front->part_types->first; at; at = at->next) {
		struct mw_part_type *type = (struct mw_part_type *)at;

		if (file && type->file == file)
			return type;
	}
	return NULL;
}

static struct mw_tree *map_or_empty(struct mw_document *document, struct mw_tree *tree)
{
	return tree && tree->kind == MW_TREE_MAP
		       ? tree
		       : mw_tree_new(document->arena, MW_TREE_MAP, (struct mw_span){ 0 });
}

/* Every expression of the part's file is parsed here, in the scope of its own parameters. */
static void read_type(struct mw_document *document, struct mw_part_type *type)
{
	struct mw_front *front = document->front;
	struct mw_parsing *parsing = &front->parsing;
	const struct mw_scope *scope = parsing->scope;
	struct mw_tree *root = mw_compose_part(&front->files, type->file);

	type->raw = map_or_empty(document, mw_tree_get(root, "devices"));
	type->checks = mw_tree_get(root, "checks");
	type->irq = mw_tree_get(root, "irq");
	type->params = mw_params_declare(document->arena, document->diagnostics,
					 mw_tree_get(root, "params"), document->options, parsing);
	mw_params_settle(type->params);
	mw_checks_parse(document, type->checks);
	if (type->irq)
		mw_parse_tree(parsing, type->irq);
	mw_instances_parse(document, type->raw);
	type->members = mw_compose_members(&front->files, type->raw);
	parsing->scope = scope;
}

static struct mw_part_type *load_type(struct mw_document *document, struct mw_tree *written)
{
	struct mw_front *front = document->front;
	struct mw_part_type *type = mw_arena_alloc(document->arena, 1, sizeof(*type));
	bool unpinned;

	type->tree.kind = MW_TREE_SCALAR;
	type->tree.text = "";
	type->tree.key = written->text;
	type->raw = type->members = map_or_empty(document, NULL);
	type->file = mw_files_open(&front->files, mw_files_of(&front->files, written->span),
				   written->text, "part", written->span, &unpinned);
	struct mw_part_type *same = same_type(document, type->file);

	if (same)
		return same;
	mw_tree_append(front->part_types, &type->tree);
	type->broken = !type->file;
	if (type->broken)
		return type;
	if (front->part_depth == MW_PARTS_DEPTH) {
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S113", written->span,
				   "parts go more than %d deep", MW_PARTS_DEPTH);
		type->broken = true;
		return type;
	}
	front->part_depth++;
	type->busy = true;
	read_type(document, type);
	type->busy = false;
	front->part_depth--;
	return type;
}

static void refuse_circle(struct mw_document *document, struct mw_part_type *type,
			  const struct mw_tree *written)
{
	if (type->told)
		return;
	type->told = true;
	struct mw_diag *diag =
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S113", written->span,
				   "`%s` is a part of itself", type->file->label);

	mw_diag_note(document->diagnostics, diag, type->file->extended_at,
		     "%s is reached from here", type->file->path);
}

void mw_part_declare(struct mw_document *document, struct mw_tree *entry)
{
	struct mw_tree *written = mw_tree_get(entry, "type");
	struct mw_part_type *type = find_type(document, written->text);

	if (!type)
		type = load_type(document, written);
	if (type->busy)
		refuse_circle(document, type, written);
	entry->failed |= type->busy || type->broken;
}

/* What a device of a part may say: all else is said to its members. */
static bool check_keys(struct mw_document *document, struct mw_tree *body, const char *id)
{
	static const char *const keys[] = { "type", "at", "props", "notes", "final", NULL };
	bool good = true;

	for (struct mw_tree *child = body->first; child; child = child->next) {
		if (mw_name_in(child->key, keys))
			continue;
		struct mw_diag *diag = mw_diagnostics_add(
			document->diagnostics, MW_SEVERITY_ERROR, "S101", child->key_span,
			"a part has no `%s`: its members have", child->key);

		diag->node = mw_arena_printf(&document->diagnostics->arena, "/devices/%s", id);
		mw_diag_help(document->diagnostics, diag, "write `%s.MEMBER: { %s: ... }`", id,
			     child->key);
		good = false;
	}
	return good;
}

/* What a use costs, also for members that are not there: parts in parts must not multiply. */
static bool spend(struct mw_document *document, const struct mw_part *part)
{
	struct mw_front *front = document->front;
	size_t cost = 1 + part->type->raw->count + mw_params_count(part->type->params);

	cost += part->type->checks ? part->type->checks->count : 0;
	front->part_spent += cost;
	if (front->part_spent <= MW_NODES_MOST)
		return true;
	if (!front->full)
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "Y010", part->span,
				   "the parts of a machine have at most %d nodes, parameters and "
				   "checks",
				   MW_NODES_MOST);
	front->full = true;
	return false;
}

static struct mw_part *add_part(struct mw_document *document, struct mw_tree *body, const char *id,
				struct mw_part *outer)
{
	struct mw_part *part = mw_arena_alloc(document->arena, 1, sizeof(*part));

	part->tree.kind = MW_TREE_SCALAR;
	part->tree.text = "";
	part->tree.key = id;
	part->tree.key_span = part->span = body->key_span;
	part->type = find_type(document, mw_tree_get(body, "type")->text);
	if (!part->type) /* another spelling of it */
		part->type = load_type(document, mw_tree_get(body, "type"));
	part->outer = outer;
	part->at = mw_tree_get(body, "at");
	mw_tree_append(document->front->parts, &part->tree);
	return part;
}

/* The changes of a member, from the part that holds this use to the profile; NULL: there is none. */
static struct mw_tree *changed(struct mw_document *document, const struct mw_part *part,
			       struct mw_tree *raw, const char *id)
{
	struct mw_front *front = document->front;
	struct mw_tree *result = NULL;
	const struct mw_part *level = part;

	do {
		level = level->outer;
		struct mw_tree *devices = level ? level->type->raw : front->devices;
		size_t skipped = level ? strlen(level->tree.key) + 1 : 0;
		struct mw_tree *change = mw_tree_get(devices, id + skipped);

		if (!change)
			continue;
		change->instance_of = raw;
		result = mw_compose_change(&front->files, result ? result : raw, change);
		result->failed |= change->failed;
	} while (level);
	return result;
}

/* Flags of the whole again, from what a change brought in; everything is parsed already. */
static void refresh(struct mw_document *document, struct mw_tree *member)
{
	for (struct mw_tree *child = member->first; child; child = child->next) {
		bool count = strcmp(child->key, "count") == 0,
		     when = strcmp(child->key, "when") == 0;

		if (mw_parse_tree(&document->front->parsing, child) && !when)
			member->instance = 1;
		member->dynamic |= child->dynamic && !when && !count;
		member->failed |= child->failed;
	}
}

static void make_member(struct mw_document *document, struct mw_part *part, struct mw_tree *raw)
{
	const char *id = mw_arena_printf(document->arena, "%s.%s", part->tree.key, raw->key);
	struct mw_tree *change = changed(document, part, raw, id);
	struct mw_tree *member = change ? mw_compose_changed(&document->front->files, change)
					: mw_tree_get(part->type->members, raw->key);

	if (!member)
		return;
	if (change)
		refresh(document, member);
	mw_instance_make(document, member, id, part);
}

/* As a part of the document's `irq`: mw_part_domains puts them there. */
static void take_domains(struct mw_document *document, struct mw_part *part, const char *node)
{
	struct mw_evaluation evaluation = { .arena = document->arena,
					    .diagnostics = document->diagnostics,
					    .scope = mw_params_scope(part->params),
					    .node = node,
					    .no_secret = true };
	bool failed = false;

	if (!part->type->irq)
		return;
	struct mw_tree *domains = mw_evaluate_tree(&evaluation, part->type->irq, &failed);

	for (struct mw_tree *domain = domains ? domains->first : NULL; domain;) {
		struct mw_tree *copy = mw_tree_copy(document->arena, domain);

		copy->part = part;
		mw_tree_append(document->front->domains, copy);
		domain = domain->next;
	}
}

bool mw_part_expand(struct mw_document *document, struct mw_tree *body, const char *id,
		    struct mw_part *outer)
{
	const char *node = mw_arena_printf(&document->diagnostics->arena, "/devices/%s", id);
	struct mw_part *part = add_part(document, body, id, outer);
	struct mw_part_type *type = part->type;

	if (type->broken || type->busy || !check_keys(document, body, id) || !spend(document, part))
		return false;
	struct mw_part_use use = { .part = part,
				   .id = id,
				   .label = type->file->label,
				   .node = node,
				   .span = mw_tree_get(body, "type")->span };
	struct mw_params *around = outer ? outer->params : document->front->params;

	part->params = mw_params_use(type->params, around, mw_tree_get(body, "props"), &use);
	if (!mw_params_good(part->params))
		return false;
	mw_checks_run(document, type->checks, mw_params_scope(part->params), node);
	take_domains(document, part, node);
	for (struct mw_tree *raw = type->raw->first; raw; raw = raw->next) {
		if (!strchr(raw->key, '.'))
			make_member(document, part, raw);
	}
	mw_part_misses(document, type->raw, part);
	return true;
}
