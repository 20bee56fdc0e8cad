/* "did you mean": the nearest name of a list. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/document.h"

/* A list of names is compared in full for the first findings only: a file with thousands of
 * mistakes must stay linear. */
enum { MOST_SUGGESTIONS = 200, FARTHEST = 2, MOST_LISTED = 12 };

struct nearest {
	const char *wrong, *name;
	unsigned distance;
};

static void consider(struct nearest *nearest, const char *name)
{
	unsigned distance = mw_edit_distance(nearest->wrong, name, FARTHEST);

	if (distance == 0 || distance >= nearest->distance || distance >= strlen(nearest->wrong))
		return;
	nearest->distance = distance;
	nearest->name = name;
}

static void tell(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		 const struct nearest *nearest)
{
	if (nearest->name)
		mw_diag_help(diagnostics, diag, "did you mean `%s`?", nearest->name);
}

void mw_suggest(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong,
		const char *const *names)
{
	struct nearest nearest = { .wrong = wrong, .distance = FARTHEST + 1 };

	if (diagnostics->count > MOST_SUGGESTIONS)
		return;
	for (; *names; names++)
		consider(&nearest, *names);
	tell(diagnostics, diag, &nearest);
}

void mw_suggest_key(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong,
		    const struct mw_tree *map)
{
	struct nearest nearest = { .wrong = wrong, .distance = FARTHEST + 1 };

	if (diagnostics->count > MOST_SUGGESTIONS || !map)
		return;
	for (const struct mw_tree *child = map->first; child; child = child->next)
		consider(&nearest, child->key);
	tell(diagnostics, diag, &nearest);
}

const char *mw_list_names(struct mw_arena *arena, const char *const *names)
{
	const char *text = "";

	for (size_t i = 0; names && names[i]; i++) {
		if (i == MOST_LISTED)
			return mw_arena_printf(arena, "%s, ...", text);
		text = mw_arena_printf(arena, "%s%s`%s`", text, i ? ", " : "", names[i]);
	}
	return text;
}
