/* Parameters: `match`, a POSIX extended regular expression for the whole text. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/params_internal.h"
#include "resolver/pattern.h"

bool mw_param_declare_match(struct mw_diagnostics *diagnostics, struct mw_param *param)
{
	struct mw_tree *pattern = mw_tree_get(param->tree, "match");
	const struct mw_param_type *type = param->item_type ? param->item_type : param->type;

	if (!pattern)
		return true;
	if (type->type != MW_TYPE_TEXT) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", pattern->key_span,
				   "parameters of type `%s` have no `match`", type->name);
		return false;
	}
	const char *fault = mw_pattern_fault(pattern->text);

	if (!fault) {
		param->match = pattern->text;
		return true;
	}
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", pattern->span, "this pattern %s",
			   fault);
	return false;
}

bool mw_param_check_match(struct mw_diagnostics *diagnostics, const struct mw_param *param,
			  const char *text, struct mw_span span)
{
	struct mw_tree *pattern = mw_tree_get(param->tree, "match");
	struct mw_diag *diag;

	if (!param->match)
		return true;
	bool longer = strlen(text) > MW_PATTERN_TEXT_LONGEST;

	if (!longer && mw_pattern_matches(param->match, text))
		return true;
	if (longer)
		diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S103", span,
					  "`%s` has more than %d bytes, too many for its `match`",
					  param->seen.name, MW_PATTERN_TEXT_LONGEST);
	else
		diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S103", span,
					  "`%s` does not match `%s`", param->seen.name,
					  param->match);
	mw_diag_note(diagnostics, diag, pattern->span, "set here");
	return false;
}
