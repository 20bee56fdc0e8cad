/* Parses and evaluates the expressions of whole trees. */
// SPDX-License-Identifier: MIT
#include "resolver/front.h"

bool mw_parse_tree(struct mw_parsing *parsing, struct mw_tree *tree)
{
	bool uses_i = false;

	if (tree->failed && tree->kind == MW_TREE_SCALAR)
		return false;
	if (tree->kind == MW_TREE_SCALAR) {
		mw_expression_parse(parsing, tree, false);
		return tree->expression && mw_expression_uses_i(tree->expression);
	}
	for (struct mw_tree *child = tree->first; child; child = child->next) {
		uses_i |= mw_parse_tree(parsing, child);
		tree->dynamic |= child->dynamic;
		tree->failed |= child->failed;
	}
	return uses_i;
}

static struct mw_tree *evaluate_scalar(struct mw_evaluation *evaluation, struct mw_tree *tree,
				       bool *failed)
{
	struct mw_tree *copy = mw_tree_copy(evaluation->arena, tree);

	if (tree->failed) {
		*failed = true;
		return NULL;
	}
	if (tree->link) {
		copy->instance = (uint32_t)evaluation->i;
		copy->part = evaluation->scope->part;
		return copy;
	}
	struct mw_value value = mw_expression_value(evaluation, tree);

	if (value.state == MW_VALUE_SET && value.secret && evaluation->no_secret) {
		struct mw_diag *diag =
			mw_diagnostics_add(evaluation->diagnostics, MW_SEVERITY_ERROR, "S114",
					   tree->span, "a secret cannot stand here");

		diag->node = evaluation->node;
		mw_diag_help(evaluation->diagnostics, diag,
			     "it may be in `props` and in `backend`");
		value.state = MW_VALUE_FAILED;
	}

	if (value.state != MW_VALUE_SET) {
		*failed |= value.state == MW_VALUE_FAILED;
		return NULL;
	}
	copy->evaluated = true;
	copy->written = tree;
	copy->host = value.host;
	copy->secret = value.secret;
	copy->expression = NULL;
	copy->quoted = tree->quoted || value.type == MW_TYPE_TEXT;
	copy->text = mw_value_text(evaluation->arena, &value);
	if (value.list) {
		copy->kind = MW_TREE_LIST;
		copy->text = NULL;
		copy->first = value.list->first;
		copy->last = value.list->last;
		copy->count = value.list->count;
	}
	return copy;
}

struct mw_tree *mw_evaluate_tree(struct mw_evaluation *evaluation, struct mw_tree *tree,
				 bool *failed)
{
	if (!tree->dynamic)
		return mw_tree_copy(evaluation->arena, tree);
	if (tree->kind == MW_TREE_SCALAR)
		return evaluate_scalar(evaluation, tree, failed);
	struct mw_tree *copy = mw_tree_copy(evaluation->arena, tree);
	bool lost = false;

	copy->first = copy->last = NULL;
	copy->count = 0;
	for (struct mw_tree *child = tree->first; child; child = child->next) {
		struct mw_tree *value = mw_evaluate_tree(evaluation, child, &lost);

		if (value)
			mw_tree_append(copy, value);
	}
	copy->failed |= lost;
	*failed |= lost;
	return copy;
}
