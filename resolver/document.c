/* The front half from end to end: files in, one composed and evaluated document out. */
// SPDX-License-Identifier: MIT
#include "resolver/document.h"

#include <string.h>

#include "resolver/compose.h"
#include "resolver/front.h"
#include "resolver/instances.h"
#include "resolver/parts.h"
#include "resolver/shape.h"

static const char *text_of(struct mw_tree *map, const char *key, const char *fallback)
{
	struct mw_tree *tree = mw_tree_get(map, key);

	return tree && tree->kind == MW_TREE_SCALAR && !tree->failed ? tree->text : fallback;
}

/* Keys that hold no expressions, or are evaluated by a phase of their own. */
static bool is_section(const char *key)
{
	static const char *const others[] = { "format",  "name",    "version",    "summary",
					      "extends", "params",  "checks",     "devices",
					      "arch",    "history", "deprecated", "guests",
					      "lint",    NULL };

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

/* What the guest sees is the same on every host: a host's parameter may choose what stands behind a device,
 * how it is booted and what runs it. */
static void refuse_host(struct mw_document *document, struct mw_tree *value, const char *path)
{
	if (value->kind == MW_TREE_SCALAR && value->host && !value->failed) {
		struct mw_diag *diag = mw_diagnostics_add(
			document->diagnostics, MW_SEVERITY_ERROR, "S114", value->span,
			"a value of the host goes into this, and the guest must not depend on it");

		diag->node = path;
		value->failed = true;
	}
	for (struct mw_tree *child = value->kind == MW_TREE_SCALAR ? NULL : value->first; child;
	     child = child->next) {
		refuse_host(document, child, path);
		value->failed |= child->failed;
	}
}

static void evaluate_section(struct mw_document *document, struct mw_tree *section)
{
	static const char *const guest[] = { "cpu", "irq", "memory", "power", "windows", NULL };

	struct mw_evaluation evaluation = {
		.arena = document->arena,
		.diagnostics = document->diagnostics,
		.scope = mw_params_scope(document->front->params),
		.node = mw_arena_printf(&document->diagnostics->arena, "/%s", section->key),
		.no_secret = true,
	};
	bool failed = false;
	struct mw_tree *value = mw_evaluate_tree(&evaluation, section, &failed);

	if (!value)
		return;
	if (value->dynamic)
		mw_shape_check_evaluated(document->diagnostics, value, value->key);
	if (value->dynamic && mw_name_in(section->key, guest))
		refuse_host(document, value, evaluation.node);
	drop_rejected(value);
	mw_tree_append(document->root, value);
}

static void fill_root(struct mw_document *document, struct mw_tree *composed)
{
	static const char *const consumed[] = { "extends", "params",     "checks",
						"history", "deprecated", NULL };

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
		if (document->front->profile->listed >> files->items[i - 1]->number & 1)
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
	front->part_types = mw_tree_new(arena, MW_TREE_MAP, nowhere);
	front->parts = mw_tree_new(arena, MW_TREE_MAP, nowhere);
	front->domains = mw_tree_new(arena, MW_TREE_MAP, nowhere);
	front->noted = diagnostics->count;
	front->files =
		(struct mw_files){ .arena = arena, .diagnostics = diagnostics, .options = options };
	front->parsing = (struct mw_parsing){ .arena = arena, .diagnostics = diagnostics };
}

static struct mw_tree *scalar(struct mw_document *document, const char *key, const char *text)
{
	struct mw_tree *tree = mw_tree_new(document->arena, MW_TREE_SCALAR, (struct mw_span){ 0 });

	tree->key = key;
	tree->text = text;
	return tree;
}

/* What expressions may read of `accel:` as `accel.NAME`. The first member, false or 0 is what it means to
 * say nothing, and `optional` says nothing. */
static const struct accel_name {
	const char *name, *key, *type;
	const char *const members[5];
} accel_names[] = {
	{ "accel.irqchip", NULL, "enum", { "auto", "kernel", "split", "user", NULL } },
	{ "accel.clock", NULL, "enum", { "host", "instructions", NULL } },
	{ "accel.isolation", "need", "enum", { "none", "vbs", "snp", "tdx", NULL } },
	{ "accel.a20", "need", "bool", { "false", NULL } },
	{ "accel.dirty_log", "need", "bool", { "false", NULL } },
	{ "accel.ioeventfd", "need", "bool", { "false", NULL } },
	{ "accel.msi", "need", "bool", { "false", NULL } },
	{ "accel.pio", "need", "bool", { "false", NULL } },
	{ "accel.pit", "need", "bool", { "false", NULL } },
	{ "accel.smm", "need", "bool", { "false", NULL } },
	{ "accel.synic", "need", "bool", { "false", NULL } },
	{ "accel.x2apic", "need", "bool", { "false", NULL } },
	{ "accel.gpa_bits", "need", "int", { "0", NULL } },
	{ "accel.max_vcpus", "need", "int", { "0", NULL } },
	{ "accel.memslots", "need", "int", { "0", NULL } },
	{ "accel.vtl", "need", "int", { "0", NULL } },
};

/* A wrong value is told by the phase that knows `accel`. */
static bool is_value(const struct accel_name *row, const struct mw_tree *tree)
{
	uint64_t number;
	bool truth;

	if (!tree || tree->failed || tree->kind != MW_TREE_SCALAR)
		return false;
	if (strstr(tree->text, "$("))
		return true;
	return strcmp(row->type, "enum") == 0   ? mw_name_in(tree->text, row->members)
	       : strcmp(row->type, "bool") == 0 ? mw_tree_bool(tree->text, &truth)
						: mw_tree_int(tree->text, &number);
}

/* As if `params` had it, with the value as the default. */
static struct mw_tree *declaration_of(struct mw_document *document, const struct accel_name *row,
				      struct mw_tree *accel)
{
	struct mw_span nowhere = { 0 };
	struct mw_tree *tree = mw_tree_new(document->arena, MW_TREE_MAP, nowhere);
	struct mw_tree *of = mw_tree_new(document->arena, MW_TREE_LIST, nowhere);
	struct mw_tree *holder = row->key ? mw_tree_get(accel, row->key) : accel;
	struct mw_tree *value = mw_tree_get(holder, strchr(row->name, '.') + 1);

	tree->key = row->name;
	of->key = "of";
	for (size_t i = 0; row->members[i]; i++)
		mw_tree_append(of, scalar(document, NULL, row->members[i]));
	value = is_value(row, value) ? mw_tree_copy(document->arena, value)
				     : scalar(document, NULL, row->members[0]);
	value->key = "default";
	value->over = NULL;
	mw_tree_append(tree, scalar(document, "type", row->type));
	if (strcmp(row->type, "enum") == 0)
		mw_tree_append(tree, of);
	mw_tree_append(tree, value);
	return tree;
}

static struct mw_tree *parameters_of(struct mw_document *document, struct mw_tree *composed)
{
	struct mw_tree *declared = mw_tree_get(composed, "params");
	struct mw_tree *accel = mw_tree_get(composed, "accel");
	struct mw_tree *params = mw_tree_new(document->arena, MW_TREE_MAP, (struct mw_span){ 0 });

	if (declared)
		params->span = declared->span;
	for (struct mw_tree *at = declared ? declared->first : NULL; at; at = at->next)
		mw_tree_append(params, mw_tree_copy(document->arena, at));
	for (size_t i = 0; i < sizeof(accel_names) / sizeof(accel_names[0]); i++)
		mw_tree_append(params, declaration_of(document, &accel_names[i], accel));
	return params;
}

/* From the composed tree to the evaluated one. */
static void work_out(struct mw_document *document, struct mw_tree *composed)
{
	struct mw_front *front = document->front;

	front->devices = mw_tree_get(composed, "devices");
	front->params = mw_params_declare(document->arena, document->diagnostics,
					  parameters_of(document, composed), document->options,
					  &front->parsing);
	mw_params_set(front->params, document->options);
	parse_all(document, composed);
	mw_params_finish(front->params, front->profile->root->span.source);
	mw_checks_run(document, mw_tree_get(composed, "checks"), mw_params_scope(front->params),
		      "/checks");
	if (front->devices)
		mw_instances_make(document, front->devices);
	fill_root(document, composed);
	mw_part_domains(document);
}

/* A name that what lies beneath an overlay may declare. */
static struct mw_parameter *any_name(void *context, const char *name)
{
	return context;
}

/* An overlay by itself: its expressions are parsed, what their names mean is not known. */
static void look_at_overlay(struct mw_document *document, struct mw_tree *root)
{
	struct mw_parameter *any = mw_arena_alloc(document->arena, 1, sizeof(*any));
	const struct mw_scope scope = { .context = any,
					.find = any_name,
					.names = mw_tree_new(document->arena, MW_TREE_MAP,
							     (struct mw_span){ 0 }) };

	document->front->parsing.scope = &scope;
	parse_all(document, root);
	document->front->parsing.scope = NULL;
}

bool mw_document_load(struct mw_document *document, const struct mw_resolve_options *options,
		      struct mw_arena *arena, struct mw_diagnostics *diagnostics)
{
	static const char *const whole[] = { "machine", "chipset", "part", NULL };

	start(document, options, arena, diagnostics);
	struct mw_front *front = document->front;

	front->profile = mw_files_load(&front->files);
	if (!front->profile || front->files.broken)
		return false;
	if (!mw_name_in(front->profile->format->name, whole)) {
		front->merged = front->profile->root;
		if (strcmp(front->profile->format->name, "overlay") == 0)
			look_at_overlay(document, front->profile->root);
		return false;
	}
	front->merged = mw_compose(&front->files, front->profile);
	name_document(document, front->merged);
	work_out(document, front->merged);
	mw_parts_note(document);
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
					    .scope = mw_params_scope(
						    scalar->part ? scalar->part->params
								 : document->front->params),
					    .i = scalar->instance,
					    .document = document,
					    .look = look,
					    .look_context = context };

	if (!scalar->link || !scalar->expression)
		return scalar->text;
	struct mw_value value = mw_expression_value(&evaluation, scalar);

	scalar->host = value.host;
	if (value.state == MW_VALUE_SET && value.secret) {
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S114", scalar->span,
				   "a secret and the place of a device do not go into one text");
		return NULL;
	}
	if (value.state == MW_VALUE_SET)
		return mw_value_text(document->arena, &value);
	if (value.state == MW_VALUE_UNSET)
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S114", scalar->span,
				   "this has no value");
	return NULL;
}
