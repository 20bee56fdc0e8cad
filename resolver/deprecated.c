/* The end of life of files, told where they are used. */
// SPDX-License-Identifier: MIT
#include "resolver/deprecated.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/fixes.h"

/* What is not said otherwise lives so long after the day it was deprecated. */
enum { LIFE_YEARS = 6 };

/* YYYY-MM-DD as the number YYYYMMDD. */
static bool parse_date(const char *text, uint32_t *date)
{
	static const uint8_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned long year, month, day;

	for (size_t i = 0; i < 10; i++) {
		bool dash = i == 4 || i == 7;

		if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9')
			return false;
	}
	year = strtoul(text, NULL, 10);
	month = strtoul(text + 5, NULL, 10);
	day = strtoul(text + 8, NULL, 10);
	if (text[10] || month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	*date = (uint32_t)(year * 10000 + month * 100 + day);
	return true;
}

static uint32_t release_date(void)
{
	uint32_t date = 0;

	parse_date(MW_RELEASE_DATE, &date);
	return date;
}

static struct mw_tree *text_in(struct mw_tree *map, const char *key)
{
	struct mw_tree *tree = mw_tree_get(map, key);

	return tree && tree->kind == MW_TREE_SCALAR && !tree->failed && *tree->text ? tree : NULL;
}

static void check_dates(struct mw_diagnostics *diagnostics, struct mw_tree *deprecated)
{
	static const char *const keys[] = { "since", "remove" };
	uint32_t date;

	for (size_t i = 0; i < 2; i++) {
		struct mw_tree *tree = text_in(deprecated, keys[i]);

		if (!tree || parse_date(tree->text, &date))
			continue;
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", tree->span,
				   "expected a date such as 2030-01-31, found `%s`", tree->text);
		tree->failed = deprecated->failed = true;
	}
}

void mw_deprecated_shape(struct mw_diagnostics *diagnostics, struct mw_file *file)
{
	struct mw_tree *history = mw_tree_get(file->root, "history");

	check_dates(diagnostics, mw_tree_get(file->root, "deprecated"));
	if (!history || history->kind != MW_TREE_MAP)
		return;
	for (struct mw_tree *body = history->first; body; body = body->next)
		check_dates(diagnostics, mw_tree_get(body, "deprecated"));
}

/* What an older version says of itself, else what the next newer one says. */
static struct mw_tree *find(const struct mw_file *file)
{
	for (size_t i = file->body_count; i-- > 0;) {
		struct mw_tree *found = mw_tree_get(file->bodies[i], "deprecated");

		if (found)
			return found;
	}
	return mw_tree_get(file->root, "deprecated");
}

/* "chipset/q35@2", however `use` spells it: a version alone is one of the same file. */
static void suggest(struct mw_files *files, struct mw_diag *diag, struct mw_span wanted,
		    const char *use)
{
	const char *text = mw_fix_text(files->diagnostics, wanted);

	mw_diag_help(files->diagnostics, diag, "use `%s`", use);
	if (!text || !wanted.length)
		return;
	struct mw_span span = wanted;
	bool quoted = text[0] == '"' || text[0] == '\'';

	if (quoted && span.length >= 2) {
		span.byte++;
		span.length -= 2;
		text++;
	}
	if (use[0] == '@') {
		const char *at = memchr(text, '@', span.length);
		uint32_t skipped = at ? (uint32_t)(at - text) : span.length;

		span.byte += skipped;
		span.length -= skipped;
	}
	mw_diag_fix(files->diagnostics, diag, MW_FIX_SAFE, span, "%s", use);
}

static void tell(struct mw_files *files, const struct mw_file *file, struct mw_tree *deprecated,
		 struct mw_span wanted, bool gone)
{
	struct mw_diagnostics *diagnostics = files->diagnostics;
	struct mw_tree *since = text_in(deprecated, "since"), *end = text_in(deprecated, "remove"),
		       *use = text_in(deprecated, "use"), *why = text_in(deprecated, "why");
	bool allowed = files->options->allow_deprecated;
	struct mw_diag *diag = mw_diagnostics_add(
		diagnostics, gone && !allowed ? MW_SEVERITY_ERROR : MW_SEVERITY_WARNING, "C701",
		wanted.source ? wanted : deprecated->key_span,
		gone ? "`%s` is past its end of life" : "`%s` is deprecated", file->label);

	if (why)
		mw_diag_label(diagnostics, diag, "%s", why->text);
	if (wanted.source)
		mw_diag_note(diagnostics, diag, deprecated->key_span, "said here");
	if (end)
		mw_diag_note(diagnostics, diag, (struct mw_span){ 0 }, "it is removed on %s",
			     end->text);
	else if (since)
		mw_diag_note(diagnostics, diag, (struct mw_span){ 0 },
			     "deprecated since %s, for %d years", since->text, LIFE_YEARS);
	if (use)
		suggest(files, diag, wanted, use->text);
	else if (gone && !allowed)
		mw_diag_help(diagnostics, diag, "--allow-deprecated takes it for now");
}

void mw_deprecated_check(struct mw_files *files, struct mw_file *file, struct mw_span wanted)
{
	struct mw_tree *deprecated = find(file);
	struct mw_tree *since = text_in(deprecated, "since"), *end = text_in(deprecated, "remove");
	uint32_t today = release_date(), from = 0, last = UINT32_MAX;

	if (!deprecated || deprecated->kind != MW_TREE_MAP || deprecated->failed)
		return;
	if (since && parse_date(since->text, &from))
		last = from + LIFE_YEARS * 10000;
	if (end)
		parse_date(end->text, &last);
	if (today >= from || today >= last)
		tell(files, file, deprecated, wanted, today >= last);
}
