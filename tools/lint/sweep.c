/* --all-params: looks at a machine with every pair of values of its parameters. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/front.h"
#include "tools/lint/lint.h"
#include "tools/lint/pairs.h"

/* Looks for one operand, those included that make a finding's row smaller. */
enum { MOST_LOOKS = 1000 };

/* The code of what is taken out at the end. */
static const char dropped[] = "";

/* The settings of one parameter: NULL (left out) and "NAME=VALUE". */
struct factor {
	const char *name;
	const char *settings[MW_PAIRS_LEVELS];
	uint8_t levels;
};

struct sweep {
	struct mw_lint *lint;
	const struct mw_operand *operand;
	struct mw_merge *merge;
	struct mw_arena arena;
	struct factor factors[MW_PAIRS_FACTORS];
	size_t count;
	struct mw_diag **idle; /* S109 of the first look: they stay if every look has them */
	size_t idle_count;
	size_t looks;
};

static const char *text_of(struct mw_tree *map, const char *key)
{
	struct mw_tree *tree = mw_tree_get(map, key);

	return tree && tree->kind == MW_TREE_SCALAR && !tree->failed ? tree->text : "";
}

static bool is_given(const struct sweep *sweep, const char *name)
{
	const struct mw_arguments *arguments = sweep->lint->arguments;
	size_t length = strlen(name);

	for (size_t i = 0; i < arguments->given_count; i++) {
		const char *value = arguments->given[i].value;

		if (strcmp(arguments->given[i].option->name, "set") == 0 && value &&
		    strncmp(value, name, length) == 0 && value[length] == '=')
			return true;
	}
	return false;
}

static void add_setting(struct sweep *sweep, struct factor *factor, struct mw_tree *declaration,
			const char *value)
{
	if (factor->levels == MW_PAIRS_LEVELS ||
	    strcmp(value, text_of(declaration, "default")) == 0)
		return;
	factor->settings[factor->levels++] =
		mw_arena_printf(&sweep->arena, "%s=%s", factor->name, value);
}

/* bool and enum: every value; an optional path: not given, and given. */
static void add_factor(struct sweep *sweep, struct mw_tree *declaration)
{
	struct factor *factor = &sweep->factors[sweep->count];
	const char *type = text_of(declaration, "type");
	struct mw_tree *of = mw_tree_get(declaration, "of");

	if (declaration->failed || declaration->kind != MW_TREE_MAP ||
	    sweep->count == MW_PAIRS_FACTORS || is_given(sweep, declaration->key))
		return;
	*factor = (struct factor){ .name = mw_arena_strdup(&sweep->arena, declaration->key),
				   .levels = 1 };
	if (strcmp(type, "bool") == 0) {
		add_setting(sweep, factor, declaration, "false");
		add_setting(sweep, factor, declaration, "true");
	} else if (strcmp(type, "enum") == 0 && of && of->kind == MW_TREE_LIST) {
		for (struct mw_tree *item = of->first; item; item = item->next) {
			if (item->kind == MW_TREE_SCALAR && !item->failed)
				add_setting(sweep, factor, declaration, item->text);
		}
	} else if (strcmp(type, "path") == 0 &&
		   strcmp(text_of(declaration, "optional"), "true") == 0) {
		add_setting(sweep, factor, declaration,
			    mw_arena_printf(&sweep->arena, "<%s>", factor->name));
	}
	sweep->count += factor->levels > 1;
}

static struct mw_study *look(struct sweep *sweep, const uint8_t *row, struct mw_diagnostics *found)
{
	const char *sets[MW_PAIRS_FACTORS];
	size_t count = 0;

	for (size_t i = 0; row && i < sweep->count; i++) {
		if (row[i])
			sets[count++] = sweep->factors[i].settings[row[i]];
	}
	sweep->looks++;
	return mw_lint_study(sweep->lint, sweep->operand, sets, count, found);
}

static void first_look(struct sweep *sweep)
{
	struct mw_diagnostics found = { 0 };
	struct mw_study *study = look(sweep, NULL, &found);
	struct mw_tree *params = study->merged ? mw_tree_get(study->merged, "params") : NULL;

	for (struct mw_tree *entry = params ? params->first : NULL; entry; entry = entry->next)
		add_factor(sweep, entry);
	mw_study_close(study);
	mw_merge_begin(sweep->merge, &found);
	sweep->idle = mw_alloc(found.count + 1, sizeof(struct mw_diag *));
	for (size_t i = 0; i < found.count; i++) {
		struct mw_diag *diag = mw_merge_add(sweep->merge, found.items[i]);

		if (diag && strcmp(diag->code, "S109") == 0)
			sweep->idle[sweep->idle_count++] = diag;
	}
	mw_diagnostics_fini(&found);
}

static const struct mw_diag *find(const struct mw_diagnostics *list,
				  const struct mw_diagnostics *from, const struct mw_diag *diag)
{
	for (size_t i = 0; i < list->count; i++) {
		if (mw_findings_same(list, list->items[i], from, diag))
			return list->items[i];
	}
	return NULL;
}

/* Leaves out one setting after the other as long as the finding stays. */
static void shrink(struct sweep *sweep, uint8_t *row, const struct mw_diagnostics *found,
		   const struct mw_diag *diag)
{
	size_t settings = 0;

	for (size_t i = 0; i < sweep->count; i++)
		settings += row[i] != 0;
	for (size_t i = 0; i < sweep->count && settings > 1; i++) {
		uint8_t level = row[i];
		struct mw_diagnostics again = { 0 };

		if (!level || sweep->looks == MOST_LOOKS)
			continue;
		row[i] = 0;
		mw_study_close(look(sweep, row, &again));
		if (find(&again, found, diag))
			settings--;
		else
			row[i] = level;
		mw_diagnostics_fini(&again);
	}
}

static void add_finding(struct sweep *sweep, const uint8_t *row, const struct mw_diagnostics *found,
			const struct mw_diag *diag)
{
	uint8_t smaller[MW_PAIRS_FACTORS];
	struct mw_diag *copy = mw_merge_add(sweep->merge, diag);
	const char *text = "";

	if (!copy)
		return;
	memcpy(smaller, row, sweep->count);
	shrink(sweep, smaller, found, diag);
	for (size_t i = 0; i < sweep->count; i++) {
		if (smaller[i])
			text = mw_arena_printf(&sweep->arena, "%s%s%s", text, *text ? ", " : "",
					       sweep->factors[i].settings[smaller[i]]);
	}
	mw_diag_note(sweep->merge->out, copy, (struct mw_span){ 0 }, "with %s", text);
}

/* A combination that the profile's own checks refuse is none of its combinations. */
static bool is_refused(const struct mw_diagnostics *found)
{
	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->items[i]->code, "S115") == 0)
			return true;
	}
	return false;
}

static void keep_idle(struct sweep *sweep, const struct mw_diagnostics *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < sweep->idle_count; i++) {
		struct mw_diag *diag = sweep->idle[i];

		if (find(found, sweep->merge->out, diag))
			sweep->idle[kept++] = diag;
		else
			diag->code = dropped;
	}
	sweep->idle_count = kept;
}

/* What is not read with some values says nothing, nor what a directive does not meet then. */
static bool is_of_one_look(const struct mw_diag *diag)
{
	return strcmp(diag->code, "S104") == 0 || strcmp(diag->code, "S109") == 0;
}

static bool look_at_row(struct sweep *sweep, const uint8_t *row)
{
	struct mw_diagnostics found = { 0 };
	struct mw_study *study = look(sweep, row, &found);
	bool complete = study->plan != NULL, refused = is_refused(&found);

	mw_study_close(study);
	if (complete && !refused)
		keep_idle(sweep, &found);
	mw_merge_begin(sweep->merge, &found);
	for (size_t i = 0; i < found.count && !refused; i++) {
		if (!is_of_one_look(found.items[i]))
			add_finding(sweep, row, &found, found.items[i]);
	}
	mw_diagnostics_fini(&found);
	return refused;
}

static bool is_kept(void *self, const struct mw_diag *diag)
{
	return diag->code != dropped;
}

void mw_lint_sweep(struct mw_lint *lint, const struct mw_operand *operand, struct mw_merge *merge)
{
	struct sweep *sweep = mw_alloc(1, sizeof(*sweep));
	uint8_t levels[MW_PAIRS_FACTORS], row[MW_PAIRS_FACTORS];
	struct mw_pairs pairs;

	sweep->lint = lint;
	sweep->operand = operand;
	sweep->merge = merge;
	first_look(sweep);
	lint->combinations++;
	for (size_t i = 0; i < sweep->count; i++)
		levels[i] = sweep->factors[i].levels;
	mw_pairs_init(&pairs, levels, sweep->count);
	while (sweep->looks < MOST_LOOKS && mw_pairs_next(&pairs, row)) {
		bool refused = look_at_row(sweep, row);

		mw_pairs_done(&pairs, row, refused);
		lint->combinations += !refused;
		lint->refused += refused;
	}
	mw_pairs_fini(&pairs);
	mw_findings_filter(merge->out, is_kept, NULL);
	mw_arena_fini(&sweep->arena);
	free(sweep->idle);
	free(sweep);
}
