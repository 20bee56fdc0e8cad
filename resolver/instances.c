/* Instances: which devices are there, how many of them, and their evaluated bodies. */
// SPDX-License-Identifier: MIT
#include "resolver/instances.h"

#include <string.h>

#include "resolver/fixes.h"
#include "resolver/parts.h"
#include "resolver/shape.h"

/* An entry of `devices` on its way to its nodes. */
struct entry {
	struct mw_tree *tree, *when, *count_tree;
	const char *id;
	struct mw_part *part; /* whose member it is; NULL: the profile's own */
	struct mw_evaluation evaluation;
	uint64_t count;
	bool body_uses_i;
};

/* `when: cpus > 0` with a minimum of 1 says nothing. */
static void warn_constant(struct mw_document *document, const struct mw_tree *condition)
{
	int constant = condition->expression ? mw_expression_constant(condition->expression) : 0;

	if (!constant)
		return;
	struct mw_diag *diag = mw_diagnostics_add(document->diagnostics, MW_SEVERITY_WARNING,
						  "S106", condition->span, "this is always %s",
						  constant > 0 ? "true" : "false");

	if (constant < 0)
		return;
	mw_fix_remove(document->diagnostics, diag, MW_FIX_UNSAFE, condition);
	if (diag->fix)
		mw_diag_help(document->diagnostics, diag, "the condition can go");
}

static void parse_body(struct mw_document *document, struct mw_tree *entry)
{
	struct mw_parsing *parsing = &document->front->parsing;

	parsing->has_i = mw_tree_get(entry, "count") != NULL;
	parsing->node = mw_arena_printf(&document->diagnostics->arena, "/devices/%s", entry->key);
	for (struct mw_tree *child = entry->first; child; child = child->next) {
		bool when = strcmp(child->key, "when") == 0,
		     count = strcmp(child->key, "count") == 0;

		parsing->no_host = when || count;
		parsing->may_link = strcmp(child->key, "props") == 0;
		parsing->has_i &= !count;
		if (when && child->kind == MW_TREE_SCALAR) {
			mw_expression_parse(parsing, child, true);
			warn_constant(document, child);
		} else if (mw_parse_tree(parsing, child) && !when) {
			entry->instance = 1; /* a body that reads `i` */
		}
		parsing->has_i = mw_tree_get(entry, "count") != NULL;
		entry->dynamic |= child->dynamic && !when && !count;
		entry->failed |= child->failed;
	}
	parsing->no_host = parsing->may_link = parsing->has_i = false;
	parsing->node = NULL;
}

void mw_instances_parse(struct mw_document *document, struct mw_tree *devices)
{
	for (struct mw_tree *entry = devices->first; entry; entry = entry->next) {
		if (entry->kind == MW_TREE_MAP && !entry->failed)
			parse_body(document, entry);
		if (!entry->failed && mw_part_is(entry))
			mw_part_declare(document, entry);
	}
}

static struct mw_gone *add_gone(struct mw_document *document, struct mw_tree *map, const char *id,
				struct mw_span span)
{
	struct mw_gone *gone = mw_arena_alloc(document->arena, 1, sizeof(*gone));

	gone->tree.kind = MW_TREE_SCALAR;
	gone->tree.text = "";
	gone->tree.key = gone->absent.id = id;
	gone->tree.key_span = span;
	mw_tree_append(map, &gone->tree);
	return gone;
}

/* Two entries may make the same id: `a` with a count of 2 and an explicit `a1`. */
static bool id_is_free(struct mw_document *document, const struct mw_tree *entry, const char *id)
{
	struct mw_tree *other = mw_tree_get(document->devices, id);
	const char *dot = strrchr(id, '.');

	if (!other) /* taken out by `when`, an id is still taken */
		other = mw_tree_get(document->front->absent, id);
	if (!other)
		other = mw_tree_get(document->front->parts, id);
	if (!other) {
		int most = strlen(dot ? dot + 1 : id) > MW_ID_LENGTH ? MW_ID_LENGTH
			   : strlen(id) > MW_ID_WHOLE_MOST           ? MW_ID_WHOLE_MOST
								     : 0;
		if (!most)
			return true;
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S118",
				   entry->key_span, "the id `%s` has more than %d characters", id,
				   most);
		return false;
	}
	struct mw_diag *diag = mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S118",
						  entry->key_span, "the id `%s` is made twice", id);

	mw_diag_note(document->diagnostics, diag, other->key_span, "first here");
	return false;
}

static bool add_absent(struct mw_document *document, const struct mw_tree *entry, const char *id,
		       struct mw_span when)
{
	if (!id_is_free(document, entry, id))
		return false;
	struct mw_gone *gone = add_gone(document, document->front->absent, id, entry->key_span);

	gone->absent.when_span = when;
	gone->taken_out = true;
	gone->absent.next = document->absent;
	document->absent = &gone->absent;
	return true;
}

static void add_failed(struct mw_document *document, struct mw_tree *entry, const char *id)
{
	if (mw_tree_get(document->failed, id))
		return;
	struct mw_tree *copy = mw_tree_copy(document->arena, entry);

	copy->key = id;
	mw_tree_append(document->failed, copy);
}

/* The body without the keys that this phase uses up. NULL when an expression failed. */
static struct mw_tree *make_body(struct mw_document *document, struct entry *entry)
{
	struct mw_tree *body = mw_tree_copy(document->arena, entry->tree);
	bool failed = false;

	body->first = body->last = NULL;
	body->count = 0;
	for (struct mw_tree *child = entry->tree->first; child; child = child->next) {
		if (child == entry->when || child == entry->count_tree)
			continue;
		entry->evaluation.no_secret =
			strcmp(child->key, "props") != 0 && strcmp(child->key, "backend") != 0;
		struct mw_tree *value = mw_evaluate_tree(&entry->evaluation, child, &failed);

		if (value)
			mw_tree_append(body, value);
	}
	if (!failed && body->dynamic)
		failed = !mw_shape_check_device(document->diagnostics, body);
	if (!failed && entry->part)
		mw_part_place(document, entry->part, body);
	return failed ? NULL : body;
}

/* The parser refuses a host's parameter itself; this is one that came through a default. */
static bool is_guests(struct entry *entry, const struct mw_tree *tree, const struct mw_value *value)
{
	if (!(value->host & MW_HOST_VALUE))
		return true;
	struct mw_diag *diag = mw_diagnostics_add(
		entry->evaluation.diagnostics, MW_SEVERITY_ERROR, "S114", tree->span,
		"a value of the host goes into this, and the guest must not depend on it");

	diag->node = entry->evaluation.node;
	return false;
}

/* 1 there, 0 not, -1 failed. */
static int is_there(struct entry *entry)
{
	if (!entry->when)
		return 1;
	struct mw_value value = mw_expression_value(&entry->evaluation, entry->when);

	if (value.state == MW_VALUE_SET && !is_guests(entry, entry->when, &value))
		return -1;
	return value.state == MW_VALUE_SET ? value.number != 0 : -1;
}

static bool work_out_count(struct mw_document *document, struct entry *entry)
{
	struct mw_tree *tree = entry->count_tree;
	const char *text = tree->text;

	if (tree->expression) {
		struct mw_value value = mw_expression_value(&entry->evaluation, tree);

		if (value.state == MW_VALUE_UNSET)
			mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S114",
					   tree->span, "the count has no value");
		if (value.state != MW_VALUE_SET || !is_guests(entry, tree, &value))
			return false;
		text = mw_value_text(document->arena, &value);
	}
	if (!text || !mw_tree_int(text, &entry->count)) {
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S102", tree->span,
				   "expected an int, found `%s`", text ? text : "a list");
		return false;
	}
	if (entry->count <= MW_COUNT_MOST)
		return true;
	mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S103", tree->span,
			   "a count is at most %d, this is %s", MW_COUNT_MOST, text);
	return false;
}

static bool append_instance(struct mw_document *document, struct entry *entry, struct mw_tree *body,
			    const char *id)
{
	if (!id_is_free(document, entry->tree, id))
		return false;
	if (mw_part_is(body))
		return mw_part_expand(document, body, id, entry->part);
	if (document->devices->count == MW_NODES_MOST) {
		if (document->front->full)
			return false;
		document->front->full = true;
		mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "Y010",
				   entry->tree->key_span, "a machine has at most %d nodes",
				   MW_NODES_MOST);
		return false;
	}
	body->key = id;
	mw_tree_append(document->devices, body);
	return true;
}

/* One of `count` nodes. A body that does not read `i` is evaluated once and shared. */
static bool make_instance(struct mw_document *document, struct entry *entry, uint32_t number,
			  struct mw_tree **shared)
{
	const char *id = mw_arena_printf(document->arena, "%s%u", entry->id, number);
	bool fresh = entry->body_uses_i || !*shared;

	entry->evaluation.i = number;
	if (entry->when && mw_expression_uses_i(entry->when->expression)) {
		int there = is_there(entry);

		if (there == 0)
			return add_absent(document, entry->tree, id, entry->when->span);
		if (there < 0)
			return false;
	}
	struct mw_tree *body =
		fresh ? make_body(document, entry) : mw_tree_copy(document->arena, *shared);

	if (!body)
		return false;
	if (fresh)
		*shared = mw_tree_copy(document->arena, body);
	body->instance_of = entry->tree;
	body->instance = number;
	return append_instance(document, entry, body, id);
}

static bool make_counted(struct mw_document *document, struct entry *entry)
{
	struct mw_tree *shared = NULL;

	if (!work_out_count(document, entry))
		return false;
	struct mw_gone *gone =
		add_gone(document, document->front->counted, entry->id, entry->tree->key_span);

	gone->absent.count_span = entry->count_tree->span;
	gone->absent.count = (uint32_t)entry->count;
	if (entry->when && !mw_expression_uses_i(entry->when->expression)) {
		int there = is_there(entry);

		gone->taken_out = there == 0;
		gone->absent.when_span = entry->when->span;
		if (there != 1)
			return there == 0;
	}
	for (uint32_t i = 0; i < entry->count; i++) {
		if (!make_instance(document, entry, i, &shared))
			return false;
	}
	return true;
}

static bool make_single(struct mw_document *document, struct entry *entry)
{
	int there = is_there(entry);

	if (there == 0)
		return add_absent(document, entry->tree, entry->id, entry->when->span);
	if (there < 0)
		return false;
	struct mw_tree *body = make_body(document, entry);

	if (!body)
		return false;
	body->instance = 0;
	return append_instance(document, entry, body, entry->id);
}

void mw_instance_make(struct mw_document *document, struct mw_tree *tree, const char *id,
		      struct mw_part *part)
{
	struct mw_params *params = part ? part->params : document->front->params;
	struct entry entry = {
		.tree = tree,
		.id = id,
		.part = part,
		.when = mw_tree_get(tree, "when"),
		.count_tree = mw_tree_get(tree, "count"),
		.body_uses_i = tree->instance != 0,
		.evaluation = { .arena = document->arena,
				.diagnostics = document->diagnostics,
				.scope = mw_params_scope(params) },
	};

	if (tree->failed || tree->kind != MW_TREE_MAP) {
		add_failed(document, tree, id);
		return;
	}
	entry.evaluation.node = mw_arena_printf(&document->diagnostics->arena, "/devices/%s", id);
	if (!(entry.count_tree ? make_counted(document, &entry) : make_single(document, &entry)))
		add_failed(document, tree, id);
}

void mw_instances_make(struct mw_document *document, struct mw_tree *devices)
{
	for (struct mw_tree *tree = devices->first; tree; tree = tree->next) {
		if (!strchr(tree->key, '.'))
			mw_instance_make(document, tree, tree->key, NULL);
	}
	mw_part_misses(document, devices, NULL);
}

/* Length of an id without the number that a count puts behind it, and that number. */
static size_t split_number(const char *id, uint64_t *number)
{
	size_t length = strlen(id), digits = length;

	while (digits > 1 && id[digits - 1] >= '0' && id[digits - 1] <= '9')
		digits--;
	/* rp10 is number 10 of rp; r10 with a count of its own is found by the caller's retry */
	return digits < length && mw_tree_int(id + digits, number) ? digits : 0;
}

static struct mw_gone *find_counted(struct mw_document *document, const char *id, uint64_t *number)
{
	char name[MW_ID_WHOLE_MOST + 32];
	size_t length = split_number(id, number), whole = strlen(id);

	if (whole >= sizeof(name))
		return NULL;
	/* an id such as `a1` may itself have a count, so its digits are shared out in every way */
	for (; length && length < whole; length++) {
		memcpy(name, id, length);
		name[length] = '\0';
		if (!mw_tree_int(id + length, number))
			continue;
		struct mw_tree *found = mw_tree_get(document->front->counted, name);

		if (found)
			return (struct mw_gone *)found;
	}
	return NULL;
}

/* What holds a member: the id before its last dot, or NULL. */
static const char *holder_of(struct mw_document *document, const char *id)
{
	const char *dot = strrchr(id, '.');

	return dot ? mw_arena_strndup(document->arena, id, (size_t)(dot - id)) : NULL;
}

static const struct mw_absent *find_absent(struct mw_document *document, const char *id)
{
	struct mw_tree *found = mw_tree_get(document->front->absent, id);
	uint64_t number;

	if (found)
		return &((struct mw_gone *)found)->absent;
	struct mw_gone *counted = find_counted(document, id, &number);

	if (!counted || (!counted->taken_out && number < counted->absent.count))
		return NULL;
	struct mw_absent *absent = mw_arena_alloc(document->arena, 1, sizeof(*absent));

	*absent = counted->absent;
	absent->id = mw_arena_strdup(document->arena, id);
	if (!counted->taken_out)
		absent->when_span = (struct mw_span){ 0 };
	return absent;
}

const struct mw_absent *mw_document_absent(struct mw_document *document, const char *id)
{
	const struct mw_absent *absent = find_absent(document, id);

	for (; !absent && (id = holder_of(document, id));)
		absent = find_absent(document, id);
	return absent;
}

static bool has_failed(struct mw_document *document, const char *id)
{
	char name[MW_ID_WHOLE_MOST + 32];
	uint64_t number;
	size_t whole = strlen(id);

	if (mw_tree_get(document->failed, id))
		return true;
	for (size_t length = split_number(id, &number);
	     length && length < whole && whole < sizeof(name); length++) {
		memcpy(name, id, length);
		name[length] = '\0';
		struct mw_tree *entry = mw_tree_get(document->failed, name);

		if (entry && mw_tree_get(entry, "count"))
			return true;
	}
	return false;
}

bool mw_document_failed(struct mw_document *document, const char *id)
{
	for (; id; id = holder_of(document, id)) {
		if (has_failed(document, id))
			return true;
	}
	return false;
}
