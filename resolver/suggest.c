/* "did you mean": the nearest name of a list. */
// SPDX-License-Identifier: MIT
#include <limits.h>
#include <string.h>

#include "resolver/document.h"
#include "resolver/fixes.h"

/* A list of names is compared in full for the first findings only: a file with thousands of
 * mistakes must stay linear. */
enum { MOST_SUGGESTIONS = 200, MOST_LISTED = 12 };

struct nearest {
	const char *wrong, *name;
	unsigned distance;
};

static void consider(struct nearest *nearest, const char *name)
{
	unsigned distance = mw_near_distance(nearest->wrong, name);

	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	nearest->name = name;
}

/* Rules about a name that is written wrong, which the nearest one can stand in for. */
static bool is_about_name(const char *code)
{
	static const char *const codes[] = { "S101", "S105", "S108", "G201", NULL };

	return mw_name_in(code, codes);
}

/* What was declared under a wrong name may hold what is no name at all to YAML. */
static bool is_name(const char *name)
{
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_.-")] == '\0';
}

void mw_suggest_name(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong,
		     const char *name)
{
	mw_diag_help(diagnostics, diag, "did you mean `%s`?", name);
	if (is_about_name(diag->code) && is_name(name))
		mw_fix_word(diagnostics, diag, MW_FIX_UNSAFE, wrong, name);
}

static void tell(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		 const struct nearest *nearest)
{
	if (nearest->name)
		mw_suggest_name(diagnostics, diag, nearest->wrong, nearest->name);
}

void mw_suggest(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong,
		const char *const *names)
{
	struct nearest nearest = { .wrong = wrong, .distance = UINT_MAX };

	if (diagnostics->count > MOST_SUGGESTIONS)
		return;
	for (; *names; names++)
		consider(&nearest, *names);
	tell(diagnostics, diag, &nearest);
}

void mw_suggest_key(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong,
		    const struct mw_tree *map)
{
	struct nearest nearest = { .wrong = wrong, .distance = UINT_MAX };

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

void mw_suggest_size(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *wrong)
{
	size_t digits = strspn(wrong, "0123456789");
	const char *unit = wrong + digits + strspn(wrong + digits, " ");
	static const char prefixes[] = "KMGTkmgt";
	const char *prefix = *unit ? strchr(prefixes, *unit) : NULL;

	if (!digits || digits > 19 || !prefix)
		return;
	unit++;
	unit += *unit == 'i' || *unit == 'I';
	unit += *unit == 'b' || *unit == 'B';
	const char *meant = mw_arena_printf(&diagnostics->arena, "%.*s%ciB", (int)digits, wrong,
					    prefixes[(prefix - prefixes) % 4]);
	uint64_t size;

	if (!*unit && mw_tree_size(meant, &size))
		mw_diag_help(diagnostics, diag, "did you mean `%s`?", meant);
}

bool mw_name_in(const char *name, const char *const *names)
{
	for (; names && *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}
