/* Formats until nothing changes, and lets the reader judge that the meaning is the same. */
// SPDX-License-Identifier: MIT
#include "tools/fmt/fmt.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/read.h"
#include "tools/fmt/lines.h"

enum { MOST_ROUNDS = 6 };

/* Line ends as `\n`, without a byte order mark. */
static char *usual_line_ends(const char *text, size_t length, size_t *out_length)
{
	char *out = mw_alloc(length + 1, 1);
	size_t used = 0, at = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	for (; at < length; at++) {
		if (text[at] != '\r')
			out[used++] = text[at];
		else if (at + 1 == length || text[at + 1] != '\n')
			out[used++] = '\n';
	}
	*out_length = used;
	return out;
}

/* YAML 1.1 has three line ends more, which no editor shows. */
static bool has_odd_line_ends(const char *text, size_t length)
{
	return memmem(text, length, "\xc2\x85", 2) || memmem(text, length, "\xe2\x80\xa8", 3) ||
	       memmem(text, length, "\xe2\x80\xa9", 3);
}

/* The reader leaves `x-` keys out: for a comparison they get a name that it takes. */
static char *with_all_keys(const char *text, size_t length)
{
	char *copy = mw_alloc(length + 1, 1);

	memcpy(copy, text, length);
	for (size_t i = 0; i + 1 < length; i++) {
		if (copy[i] == 'x' && copy[i + 1] == '-')
			copy[i] = 'z';
	}
	return copy;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Nests no deeper than MW_READ_DEPTH. */
static bool same_tree(const struct mw_tree *a, const struct mw_tree *b)
{
	const struct mw_tree *left, *right;

	if (!a || !b)
		return a == b;
	if (a->kind != b->kind || a->quoted != b->quoted || !same_text(a->key, b->key) ||
	    !same_text(a->text, b->text))
		return false;
	for (left = a->first, right = b->first; left && right;
	     left = left->next, right = right->next) {
		if (!same_tree(left, right))
			return false;
	}
	return left == right;
}

static bool same_meaning(const char *a, size_t a_length, const char *b, size_t b_length)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_arena arena = { 0 };
	struct mw_tree *left = mw_read(&arena, &diagnostics, "", a, a_length);
	size_t errors = diagnostics.errors;
	struct mw_tree *right = mw_read(&arena, &diagnostics, "", b, b_length);
	bool same = diagnostics.errors == 2 * errors && same_tree(left, right);

	mw_arena_fini(&arena);
	mw_diagnostics_fini(&diagnostics);
	return same;
}

static bool same_with_all_keys(const char *a, size_t a_length, const char *b, size_t b_length)
{
	char *left = with_all_keys(a, a_length), *right = with_all_keys(b, b_length);
	bool same = same_meaning(left, a_length, right, b_length);

	free(left);
	free(right);
	return same;
}

/* One pass. NULL after a diagnostic. */
static char *format_once(struct mw_diagnostics *diagnostics, uint32_t source, const char *text,
			 size_t length, size_t *out_length)
{
	struct fmt_page page = { 0 };
	char *out = NULL;

	fmt_scan(&page, text, length);
	if (page.trouble) {
		struct mw_span span = { source, (uint32_t)page.trouble_at, 1 };

		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", span, "%s", page.trouble);
	} else {
		fmt_layout(&page);
		out = fmt_write(&page, out_length);
	}
	fmt_page_fini(&page);
	return out;
}

/* What a pass does to blanks may make room for another one. NULL: no end was in sight. */
static char *settle(struct mw_diagnostics *diagnostics, char *text, size_t *length)
{
	for (unsigned round = 0; text && round < MOST_ROUNDS; round++) {
		size_t next_length = 0;
		char *next = format_once(diagnostics, 0, text, *length, &next_length);
		bool same = next && next_length == *length && memcmp(next, text, *length) == 0;

		free(text);
		text = next;
		*length = next_length;
		if (same)
			return text;
	}
	free(text);
	return NULL;
}

static enum mw_fmt_result format_good(struct mw_diagnostics *diagnostics, uint32_t source,
				      const char *text, size_t length, char **out,
				      size_t *out_length)
{
	size_t errors = diagnostics->errors;

	*out = format_once(diagnostics, source, text, length, out_length);
	if (!*out)
		return diagnostics->errors > errors ? MW_FMT_WRONG : MW_FMT_BUG;
	*out = settle(diagnostics, *out, out_length);
	if (*out && same_meaning(text, length, *out, *out_length) &&
	    same_with_all_keys(text, length, *out, *out_length))
		return MW_FMT_DONE;
	free(*out);
	*out = NULL;
	return MW_FMT_BUG;
}

enum mw_fmt_result mw_fmt(struct mw_diagnostics *diagnostics, const char *name, const char *text,
			  size_t length, char **out, size_t *out_length)
{
	enum mw_fmt_result result = MW_FMT_WRONG;
	struct mw_arena arena = { 0 };
	size_t errors = diagnostics->errors, plain_length = 0;
	char *plain = usual_line_ends(text, length, &plain_length);
	struct mw_tree *tree = mw_read(&arena, diagnostics, name, plain, plain_length);

	*out = NULL;
	*out_length = 0;
	if (diagnostics->errors == errors && has_odd_line_ends(plain, plain_length))
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "%s: a line end other than LF and CR LF cannot be formatted",
				   name);
	if (tree && diagnostics->errors == errors)
		result = format_good(diagnostics, (uint32_t)diagnostics->source_count, plain,
				     plain_length, out, out_length);
	free(plain);
	mw_arena_fini(&arena);
	return result;
}
