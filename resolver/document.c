/* The front half from end to end: files in, one composed and evaluated document out. */
// SPDX-License-Identifier: MIT
#include "resolver/document.h"

#include <string.h>

#include "resolver/compose.h"
#include "resolver/front.h"
#include "resolver/instances.h"
#include "resolver/shape.h"

static const char *text_of(struct mw_tree *map, const char *key, const char *fallback)
{
	struct mw_tree *tree = mw_tree_get(map, key);

	return tree && tree->kind == MW_TREE_SCALAR && !tree->failed ? tree->text : fallback;
}

/* Keys that hold no expressions, or are evaluated by a phase of their own. */
static bool is_section(const char *key)
{
	static const char *const others[] = { "format", "name",   "version", "summary", "extends",
					      "params", "checks", "devices", "arch",    NULL };

	return !mw_name_in(key, others);
}

static void parse_all(struct mw_document *document, struct mw_tree *composed)
{
	struct mw_parsing *parsing = &document->front->parsing;
	struct mw_tree *devices = mw_tree_get(composed, "devices");

	mw_checks_parse(document, mw_tree_get(composed, "checks"));
	for (struct mw_tree *section = composed->first; section; section = section->next) {
		if (!is_section(section->key))
			continue;
		parsing->may_link = strcmp(section->key, "boot") == 0;
		parsing->node = mw_arena_printf(&document->diagnostics->arena, "/%s", section->key);
		mw_parse_tree(parsing, section);
	}
	parsing->may_link = false;
	parsing->node = NULL;
	if (devices)
		mw_instances_parse(document, devices);
}

/* Takes out what the second look at the shape rejected. */
static void drop_rejected(struct mw_tree *tree)
{
	struct mw_tree *child = tree->first;

	if (tree->kind == MW_TREE_SCALAR || !tree->failed)
		return;
	tree->first = tree->last = NULL;
	tree->count = 0;
	tree->index = NULL;
	while (child) {
		struct mw_tree *next = child->next;

		drop_rejected(child);
		if (child->kind != MW_TREE_SCALAR || !child->failed)
			mw_tree_append(tree, child);
		child = next;
	}
}

static void evaluate_section(struct mw_document *document, struct mw_tree *section)
{
	struct mw_evaluation evaluation = {
		.arena = document->arena,
		.diagnostics = document->diagnostics,
		.scope = mw_params_scope(document->front->params),
		.node = mw_arena_printf(&document->diagnostics->arena, "/%s", section->key),
	};
	bool failed = false;
	struct mw_tree *value = mw_evaluate_tree(&evaluation, section, &failed);

	if (!value)
		return;
	if (value->dynamic)
		mw_shape_check_evaluated(document->diagnostics, value, value->key);
	drop_rejected(value);
	mw_tree_append(document->root, value);
}

static void fill_root(struct mw_document *document, struct mw_tree *composed)
{
	static const char *const consumed[] = { "extends", "params", "checks", NULL };

	document->root = mw_tree_new(document->arena, MW_TREE_MAP, composed->span);
	document->root->failed = composed->failed;
	for (struct mw_tree *child = composed->first; child; child = child->next) {
		if (strcmp(child->key, "devices") == 0) {
			document->devices->span = child->span;
			document->devices->key_span = child->key_span;
			mw_tree_append(document->root, document->devices);
		} else if (is_section(child->key)) {
			evaluate_section(document, child);
		} else if (!mw_name_in(child->key, consumed)) {
			mw_tree_append(document->root, mw_tree_copy(document->arena, child));
		}
	}
}

static void list_bases(struct mw_document *document)
{
	struct mw_files *files = &document->front->files;
	const char **bases = mw_arena_alloc(document->arena, files->count + 1, sizeof(*bases));
	size_t count = 0;

	for (size_t i = files->count; i > 0; i--) {
		if (document->front->profile->ancestors >> files->items[i - 1]->number & 1)
			bases[count++] = files->items[i - 1]->label;
	}
	document->bases = bases;
}

static void name_document(struct mw_document *document, struct mw_tree *composed)
{
	struct mw_file *profile = document->front->profile;
	const char *slash = strrchr(profile->path, '/');

	document->name = text_of(composed, "name", "");
	document->summary = text_of(composed, "summary", "");
	document->version = (uint32_t)profile->version;
	document->arch = text_of(composed, "arch", "x86_64");
	document->folder = slash ? mw_arena_strndup(document->arena, profile->path,
						    (size_t)(slash - profile->path))
				 : ".";
	list_bases(document);
}

static void start(struct mw_document *document, const struct mw_resolve_options *options,
		  struct mw_arena *arena, struct mw_diagnostics *diagnostics)
{
	struct mw_front *front = mw_arena_alloc(arena, 1, sizeof(*front));
	struct mw_span nowhere = { 0 };

	*document = (struct mw_document){
		.arena = arena, .diagnostics = diagnostics, .options = options, .front = front
	};
	document->devices = mw_tree_new(arena, MW_TREE_MAP, nowhere);
	document->devices->key = "devices";
	document->failed = mw_tree_new(arena, MW_TREE_MAP, nowhere);
	front->absent = mw_tree_new(arena, MW_TREE_MAP, nowhere);
	front->counted = mw_tree_new(arena, MW_TREE_MAP, nowhere);
	front->files =
		(struct mw_files){ .arena = arena, .diagnostics = diagnostics, .options = options };
	front->parsing = (struct mw_parsing){ .arena = arena, .diagnostics = diagnostics };
}

bool mw_document_load(struct mw_document *document, const struct mw_resolve_options *options,
		      struct mw_arena *arena, struct mw_diagnostics *diagnostics)
{
	start(document, options, arena, diagnostics);
	struct mw_front *front = document->front;

	front->profile = mw_files_load(&front->files);
	if (!front->profile || front->files.broken)
		return false;
	struct mw_tree *composed = mw_compose(&front->files, front->profile);

	front->merged = composed;
	struct mw_tree *devices = mw_tree_get(composed, "devices");
	struct mw_tree *checks = mw_tree_get(composed, "checks");

	name_document(document, composed);
	front->params = mw_params_bind(arena, diagnostics, mw_tree_get(composed, "params"), options,
				       &front->parsing);
	parse_all(document, composed);
	mw_params_finish(front->params, front->profile->root->span.source);
	mw_checks_run(document, checks);
	if (devices)
		mw_instances_make(document, devices);
	fill_root(document, composed);
	return true;
}

struct mw_tree *mw_document_read(struct mw_document *document, const char *kind, const char *name,
				 struct mw_span wanted)
{
	return mw_files_read(&document->front->files, kind, name, wanted);
}

const char *mw_document_link(struct mw_document *document, struct mw_tree *scalar,
			     mw_link_lookup *look, void *context)
{
	struct mw_evaluation evaluation = { .arena = document->arena,
					    .diagnostics = document->diagnostics,
					    .scope = mw_params_scope(document->front->params),
					    .i = scalar->instance,
					    .document = document,
					    .look = look,
					    .look_context = context };

	if (!scalar->link || !scalar->expression)
		return scalar->text;
	struct mw_value value = mw_expression_value(&evaluation, scalar);

	scalar->host = value.host;
	if (value.state == MW_VALUE_SET)
		return mw_value_text(document->arena, &value);
	if (value.state == MW_VALUE_UNSET)
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S114", scalar->span,
				   "this has no value");
	return NULL;
}
