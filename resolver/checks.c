/* Checks: what a profile says must hold of its parameters. */
// SPDX-License-Identifier: MIT
#include "resolver/instances.h"

void mw_checks_parse(struct mw_document *document, struct mw_tree *checks)
{
	struct mw_parsing *parsing = &document->front->parsing;

	for (struct mw_tree *check = checks ? checks->first : NULL; check; check = check->next) {
		struct mw_tree *that = mw_tree_get(check, "that");
		struct mw_tree *say = mw_tree_get(check, "say");

		if (!that || !say || check->failed)
			continue;
		check->failed |= !mw_expression_parse(parsing, that, true);
		check->failed |= !mw_expression_parse(parsing, say, false);
		if (check->failed || !that->expression)
			continue;
		int constant = mw_expression_constant(that->expression);

		if (constant)
			mw_diagnostics_add(document->diagnostics, MW_SEVERITY_WARNING, "S106",
					   that->span, "this is always %s",
					   constant > 0 ? "true" : "false");
	}
}

static void run_check(struct mw_document *document, struct mw_tree *that, struct mw_tree *say,
		      const struct mw_scope *scope, const char *node)
{
	struct mw_evaluation evaluation = { .arena = document->arena,
					    .diagnostics = document->diagnostics,
					    .scope = scope,
					    .node = node };
	struct mw_value holds = mw_expression_value(&evaluation, that);
	const char *text = say->text;

	if (holds.state != MW_VALUE_SET || holds.number)
		return;
	if (say->expression) {
		struct mw_value value = mw_expression_value(&evaluation, say);

		if (value.state == MW_VALUE_SET)
			text = mw_value_text(document->arena, &value);
	}
	struct mw_diag *diag = mw_diagnostics_add(document->diagnostics, MW_SEVERITY_ERROR, "S115",
						  that->span, "%s", text ? text : say->text);

	mw_diag_label(document->diagnostics, diag, "this does not hold");
	diag->node = node;
}

void mw_checks_run(struct mw_document *document, struct mw_tree *checks,
		   const struct mw_scope *scope, const char *node)
{
	for (struct mw_tree *check = checks ? checks->first : NULL; check; check = check->next) {
		if (!check->failed)
			run_check(document, mw_tree_get(check, "that"), mw_tree_get(check, "say"),
				  scope, node);
	}
}
