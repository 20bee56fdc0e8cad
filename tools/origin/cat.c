/** `millwright cat`: the merged source of a profile with the origin of every line. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tools/draw/text.h"
#include "tools/json.h"
#include "tools/origin/origin.h"
#include "tools/profile.h"
#include "tools/report.h"
#include "tools/verbs.h"

enum { LONGEST_FLOW = 130, LONGEST_WAS = 40, WIDEST = 100, MOST_WAS = 4 };

static const char *const formats[] = { "yaml", "json", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "values",
	  .help = "Show the machine after parameters, `when` and `count`, with the allocator's "
		  "places." },
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "yaml (the default) or json: a list of paths with values and origins." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright cat microvm", "See profile and chipset as one file." },
	{ "millwright cat microvm -o my-changes.yaml",
	  "See what an overlay changes, and over what." },
	{ "millwright cat linux-pc --set kernel=vmlinuz --values",
	  "See it with values for parameters." },
	{ 0 },
};

/* A line of output before it is known where the comments stand. */
struct line {
	const char *text, *comment;
	size_t width;
};

struct claim_row {
	const struct mw_tree *tree;
	const struct mw_draft_claim *claim;
	const struct mw_draft_node *node; /* whose `at` it is */
};

struct view {
	struct mw_arena arena;
	struct mw_diagnostics *diagnostics;
	const struct mw_study *study;
	struct line *lines;
	size_t count, capacity;
	struct claim_row *rows; /* what `auto` became, by tree */
	size_t row_count;
	struct mw_json *json;
};

static int by_tree(const void *left, const void *right)
{
	const struct claim_row *a = left, *b = right;

	return a->tree < b->tree ? -1 : a->tree > b->tree;
}

static void collect_rows(struct view *view)
{
	const struct mw_draft *draft = &view->study->draft;
	size_t most = draft->node_count + 1;

	for (size_t i = 0; i < draft->node_count; i++)
		most += draft->nodes[i]->claim_count;
	view->rows = mw_arena_alloc(&view->arena, most, sizeof(*view->rows));
	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		if (node->address_automatic && node->address && node->at)
			view->rows[view->row_count++] =
				(struct claim_row){ .tree = node->at, .node = node };
		for (size_t c = 0; c < node->claim_count; c++) {
			if (node->claims[c].automatic && node->claims[c].tree)
				view->rows[view->row_count++] =
					(struct claim_row){ .tree = node->claims[c].tree,
							    .claim = &node->claims[c] };
		}
	}
	if (view->row_count)
		qsort(view->rows, view->row_count, sizeof(*view->rows), by_tree);
}

static const struct claim_row *row_of(const struct view *view, const struct mw_tree *tree)
{
	struct claim_row key = { .tree = tree };

	return view->row_count ? bsearch(&key, view->rows, view->row_count, sizeof(key), by_tree)
			       : NULL;
}

/* What the allocator made of a value, or NULL. */
static const char *placed_text(struct view *view, const struct mw_tree *tree)
{
	const struct claim_row *row = tree->kind == MW_TREE_SCALAR ? row_of(view, tree) : NULL;

	if (!row)
		return NULL;
	if (row->node)
		return mw_arena_printf(&view->arena, "%s:%s", row->node->bus_id,
				       row->node->address);
	return mw_origin_place(&view->arena, row->claim);
}

static void add_line(struct view *view, const char *text, const char *comment)
{
	if (view->count == view->capacity) {
		view->capacity = view->capacity ? 2 * view->capacity : 64;
		view->lines = mw_grow(view->lines, view->capacity, sizeof(*view->lines));
	}
	view->lines[view->count++] = (struct line){ text, comment, mw_draw_columns(text) };
}

/* A map that was merged is not a replaced value: what it was merged over shows in its members. */
static const struct mw_tree *replaced(const struct mw_tree *tree)
{
	const struct mw_tree *over = tree->over      ? tree->over
				     : tree->written ? tree->written->over
						     : NULL;

	return over && over->kind == MW_TREE_MAP && tree->kind == MW_TREE_MAP ? NULL : over;
}

static const char *comment_of(struct view *view, const struct mw_tree *tree)
{
	struct mw_arena *arena = &view->arena;
	const char *text =
		mw_origin_text(arena, view->diagnostics,
			       tree->key_span.source ? tree->key_span : tree->span, false);
	unsigned count = 0;

	if (tree->written)
		text = mw_arena_printf(arena, "%s, %s", text,
				       mw_origin_value(arena, tree->written, LONGEST_WAS));
	if (placed_text(view, tree))
		text = mw_arena_printf(arena, "%s, %s", text, tree->text);
	for (const struct mw_tree *over = replaced(tree); over && count < MOST_WAS;
	     over = replaced(over), count++)
		text = mw_arena_printf(arena, "%s, was %s in %s", text,
				       mw_origin_value(arena, over, LONGEST_WAS),
				       mw_origin_text(arena, view->diagnostics, over->span, false));
	return text;
}

/* Whether everything in it stands in one line of one file and replaced nothing. */
static bool is_one_line(struct view *view, const struct mw_tree *tree, struct mw_origin line)
{
	struct mw_origin here = mw_origin_of(view->diagnostics, tree->span);

	if (here.line != line.line || here.file != line.file || replaced(tree) || tree->written ||
	    placed_text(view, tree))
		return false;
	for (const struct mw_tree *child = tree->first; child; child = child->next) {
		if (!is_one_line(view, child, line))
			return false;
	}
	return true;
}

static bool fits(struct view *view, const struct mw_tree *tree, unsigned depth)
{
	if (tree->kind == MW_TREE_SCALAR || !tree->first)
		return true;
	if (depth == 0 || (tree->kind == MW_TREE_MAP && depth == 1 && tree->key &&
			   (strcmp(tree->key, "devices") == 0 || strcmp(tree->key, "params") == 0)))
		return false;
	return is_one_line(view, tree, mw_origin_of(view->diagnostics, tree->span)) &&
	       strlen(mw_origin_value(&view->arena, tree, LONGEST_FLOW + 4)) + 2 * depth <=
		       LONGEST_FLOW;
}

static void put_tree(struct view *view, const struct mw_tree *tree, unsigned depth,
		     const char *head)
{
	struct mw_arena *arena = &view->arena;
	const char *value = placed_text(view, tree);

	if (value || fits(view, tree, depth)) {
		if (!value)
			value = mw_origin_value(arena, tree, SIZE_MAX / 2);
		add_line(view, mw_arena_printf(arena, "%s%s%s", head, *value ? " " : "", value),
			 comment_of(view, tree));
		return;
	}
	if (*head)
		add_line(view, head, comment_of(view, tree));
	for (const struct mw_tree *child = tree->first; child; child = child->next) {
		int indent = (int)(2 * depth);

		if (tree->kind == MW_TREE_MAP)
			head = mw_arena_printf(arena, "%*s%s:", indent, "", child->key);
		else
			head = mw_arena_printf(arena, "%*s-", indent, "");
		put_tree(view, child, depth + 1, head);
	}
}

/* Comments stand under each other behind the lines that are not too long for that. */
static void print_lines(const struct view *view)
{
	size_t column = 0;

	for (size_t i = 0; i < view->count; i++) {
		if (view->lines[i].width <= WIDEST && view->lines[i].width > column)
			column = view->lines[i].width;
	}
	for (size_t i = 0; i < view->count; i++) {
		const struct line *line = &view->lines[i];
		size_t gap = line->width < column ? column - line->width : 0;

		printf("%s%*s   # ", line->text, (int)gap, "");
		mw_draw_put(stdout, MW_ESCAPE_NONE, line->comment);
		putchar('\n');
	}
}

static void put_origin(struct view *view, struct mw_span span)
{
	struct mw_origin origin = mw_origin_of(view->diagnostics, span);

	mw_json_string(view->json, "file", origin.file);
	if (origin.file) {
		mw_json_number(view->json, "line", origin.line);
		mw_json_number(view->json, "column", origin.column);
	}
}

static void put_json_value(struct view *view, const struct mw_tree *tree, const char *path)
{
	struct mw_json *json = view->json;
	const char *placed = placed_text(view, tree);

	mw_json_object(json, NULL);
	mw_json_string(json, "path", path);
	if (placed)
		mw_json_string(json, "value", placed);
	else if (tree->kind == MW_TREE_SCALAR)
		mw_json_string(json, "value", tree->text);
	put_origin(view, tree->span);
	if (placed)
		mw_json_string(json, "placed", tree->text);
	if (tree->written)
		mw_json_string(json, "written", tree->written->text);
	if (replaced(tree)) {
		mw_json_array(json, "was");
		for (const struct mw_tree *over = replaced(tree); over; over = replaced(over)) {
			mw_json_object(json, NULL);
			mw_json_string(json, "value",
				       mw_origin_value(&view->arena, over, LONGEST_FLOW));
			put_origin(view, over->span);
			mw_json_end(json, '}');
		}
		mw_json_end(json, ']');
	}
	mw_json_end(json, '}');
}

static void put_json(struct view *view, const struct mw_tree *tree, const char *path)
{
	size_t number = 0;

	if (tree->kind == MW_TREE_SCALAR || !tree->first || replaced(tree))
		put_json_value(view, tree, path);
	for (const struct mw_tree *child = tree->first; child; child = child->next, number++) {
		const char *below =
			tree->kind == MW_TREE_MAP
				? mw_arena_printf(&view->arena, "%s/%s", path, child->key)
				: mw_arena_printf(&view->arena, "%s/%zu", path, number);

		put_json(view, child, below);
	}
}

static void print_view(struct view *view, const struct mw_tree *root, bool as_json)
{
	struct mw_json json = { .out = stdout };

	collect_rows(view);
	if (!as_json) {
		put_tree(view, root, 0, "");
		print_lines(view);
		return;
	}
	view->json = &json;
	mw_json_array(&json, NULL);
	put_json(view, root, "");
	mw_json_end(&json, ']');
	view->json = NULL;
}

static int cat(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	enum mw_exit code = MW_EXIT_FAILED;

	if (!mw_workshop_init(&workshop)) {
		mw_workshop_fini(&workshop);
		return MW_EXIT_FAILED;
	}
	struct mw_study *study =
		mw_workshop_study(&workshop, arguments->operands[0], arguments, true, false, &code);
	struct view view = { .diagnostics = &workshop.diagnostics, .study = study };
	bool values = mw_arguments_has(arguments, "values");
	const struct mw_tree *root = !values         ? study->merged
				     : study->loaded ? study->document.root
						     : NULL;

	mw_diagnostics_index(&workshop.diagnostics);
	if (root)
		print_view(&view, root,
			   strcmp(mw_arguments_value(arguments, "format", "yaml"), "json") == 0);
	mw_report(&workshop.diagnostics, mw_arguments_value(arguments, "diagnostics", NULL),
		  stderr);
	free(view.lines);
	mw_arena_fini(&view.arena);
	mw_study_close(study);
	mw_workshop_fini(&workshop);
	return (int)code;
}

const struct mw_verb mw_verb_cat = {
	.name = "cat",
	.summary = "Show a profile merged, with the origin of every line.",
	.operands = "PROFILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.details =
		"The profile, what it extends and the overlays as one text. The comment says which "
		"line of which file a value stands in, and what it replaced there. With --values "
		"it also says which expression made a value, or that `auto` did. A profile with "
		"errors is shown as far as it can be put together.",
	.examples = examples,
	.exits = "0 when the profile is good, 1 when it has errors, 2 for usage and for files that "
		 "cannot be read.",
	.run = cat,
};
