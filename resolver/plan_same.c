/* The plan is written once more, and its text compared with the one it was read from. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/plan_read_internal.h"
#include "resolver/read.h"

static bool same(struct mw_plan_reader *reader, const struct mw_tree *said, struct mw_tree *made,
		 const char *what);

static const char *name_of(const struct mw_tree *tree, const char *what)
{
	return tree->key ? tree->key : what;
}

static bool same_list(struct mw_plan_reader *reader, const struct mw_tree *said,
		      struct mw_tree *made, const char *what)
{
	struct mw_tree *other = made->first;

	if (said->count != made->count) {
		mw_plan_refuse(reader, said->key ? said->key_span : said->span,
			       "`%s` has %u entries; from the rest of the plan follow %u", what,
			       said->count, made->count);
		return false;
	}
	for (const struct mw_tree *child = said->first; child;
	     child = child->next, other = other->next) {
		if (!same(reader, child, other, what))
			return false;
	}
	return true;
}

/* Keys that are the plan's own, not the format's: none may come out that was not said. */
static bool is_closed(const char *key)
{
	static const char *const closed[] = { "domains", "nodes", NULL };

	return mw_name_in(key, closed);
}

/* In the same order. What a newer program writes in addition is at its default. */
static bool same_map(struct mw_plan_reader *reader, const struct mw_tree *said,
		     struct mw_tree *made, const char *what)
{
	struct mw_tree *at = made->first;

	if (is_closed(what) && said->count != made->count) {
		mw_plan_refuse(reader, said->key_span,
			       "`%s` has %u entries; from the rest of the plan follow %u", what,
			       said->count, made->count);
		return false;
	}
	for (const struct mw_tree *child = said->first; child; child = child->next) {
		while (at && strcmp(at->key, child->key) != 0)
			at = at->next;
		if (!at) {
			mw_plan_refuse(reader, child->key_span,
				       mw_tree_get(made, child->key)
					       ? "`%s` is out of order in `%s`"
					       : "`%s` of `%s` does not follow from the rest of "
						 "the plan",
				       child->key, what);
			return false;
		}
		if (!same(reader, child, at, child->key))
			return false;
		at = at->next;
	}
	return true;
}

static bool same(struct mw_plan_reader *reader, const struct mw_tree *said, struct mw_tree *made,
		 const char *what)
{
	if (said->kind != made->kind) {
		mw_plan_refuse(reader, said->key ? said->key_span : said->span,
			       "`%s` is of another kind than the plan's", name_of(said, what));
		return false;
	}
	if (said->kind == MW_TREE_LIST)
		return same_list(reader, said, made, name_of(said, what));
	if (said->kind == MW_TREE_MAP)
		return same_map(reader, said, made, name_of(said, what));
	if (!strcmp(said->text, made->text))
		return true;
	mw_plan_refuse(reader, said->span, "`%s` is `%s`; from the rest of the plan follows `%s`",
		       name_of(said, what), said->text, made->text);
	return false;
}

bool mw_plan_same(struct mw_plan_reader *reader, const struct mw_plan *plan)
{
	static const struct mw_read_limits limits = { 2 * MW_PLAN_TEXT_BYTES,
						      2 * MW_PLAN_TEXT_VALUES };
	struct mw_diagnostics scratch = { 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		abort(); /* only for want of memory */
	mw_plan_write_yaml(plan, MW_PLAN_WHOLE, out);
	fclose(out);
	struct mw_tree *made = mw_read_within(reader->arena, &scratch, "", text, length, &limits);
	bool good = made && !scratch.errors;

	if (good)
		good = same(reader, reader->root, made, "plan");
	else
		mw_plan_refuse(reader, reader->root->span, "this plan cannot be written again");
	mw_diagnostics_fini(&scratch);
	free(text);
	return good;
}
