/* The words of expressions in a text that need not parse. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <string.h>

#include "tools/lsp/lsp_internal.h"

static bool is_word(char c)
{
	return islower((unsigned char)c) || isupper((unsigned char)c) ||
	       isdigit((unsigned char)c) || c == '_';
}

/* `when` and `that` are expressions throughout. */
static bool is_bare(const struct lsp_outline *outline, uint32_t item)
{
	return lsp_outline_is(outline, item, "devices/*/when") ||
	       lsp_outline_is(outline, item, "checks/-/that");
}

/* The expression's range that begins at or after `at`; false where there is none. */
static bool next_expression(const struct lsp_outline *outline, size_t *at, size_t end,
			    size_t *inner_end)
{
	const char *text = outline->text;
	unsigned depth = 1;

	for (; *at + 1 < end; ++*at) {
		if (text[*at] != '$' || text[*at + 1] != '(')
			continue;
		if (*at && text[*at - 1] == '$')
			continue;
		break;
	}
	if (*at + 1 >= end)
		return false;
	*at += 2;
	for (*inner_end = *at; *inner_end < end; ++*inner_end) {
		depth += text[*inner_end] == '(';
		depth -= text[*inner_end] == ')';
		if (!depth)
			break;
	}
	return true;
}

bool lsp_in_expression(const struct lsp_outline *outline, uint32_t item, size_t offset,
		       size_t *start)
{
	const struct lsp_item *entry = &outline->items[item];
	size_t at = entry->value, end;
	bool inside = is_bare(outline, item);

	if (!entry->scalar && !inside)
		return false;
	while (!inside && next_expression(outline, &at, offset, &end)) {
		inside = end == offset;
		at = end;
	}
	*start = offset;
	while (*start > entry->value &&
	       (is_word(outline->text[*start - 1]) || strchr(".-", outline->text[*start - 1])))
		--*start;
	return inside;
}

static bool is_keyword(const char *word, size_t length)
{
	static const char *const words[] = { "and", "or",   "not",   "if",   "else",  "in",
					     "min", "max",  "align", "true", "false", "has",
					     "len", "log2", "i",     "accel" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == length && memcmp(words[i], word, length) == 0)
			return true;
	}
	return false;
}

/* Whether the comparison that a word follows has an enum at its left. */
static bool is_enum(const struct lsp_outline *outline, size_t word, size_t length)
{
	uint32_t params = lsp_outline_child(outline, LSP_NO_ITEM, "params");
	char name[80], type[20];

	if (params == LSP_NO_ITEM || !length || length >= sizeof(name))
		return false;
	memcpy(name, outline->text + word, length);
	name[length] = '\0';
	uint32_t item = lsp_outline_child(outline, params, name);

	item = item == LSP_NO_ITEM ? item : lsp_outline_child(outline, item, "type");
	return item != LSP_NO_ITEM && outline->items[item].scalar &&
	       strcmp(lsp_outline_value(outline, item, type, sizeof(type)), "enum") == 0;
}

/* A word after `in`, `|`, or after == and != with an enum on the left, is a member and no name. */
struct words {
	const struct lsp_outline *outline;
	lsp_on_name *on_name;
	void *context;
	size_t left, left_length; /* the name before */
	bool member, compared;
};

static void take_word(struct words *words, size_t start, size_t length)
{
	const char *text = words->outline->text + start;

	if (length == 2 && memcmp(text, "in", 2) == 0) {
		words->member = true;
		return;
	}
	if (is_keyword(text, length) || isdigit((unsigned char)*text) ||
	    memchr(text, '.', length)) {
		if (length > 4 && memcmp(text, "dev.", 4) == 0)
			words->on_name(words->context, start + 4, length - 4, true);
		words->member = words->compared = false;
		return;
	}
	if (!words->member &&
	    !(words->compared && is_enum(words->outline, words->left, words->left_length)))
		words->on_name(words->context, start, length, false);
	words->left = start;
	words->left_length = length;
	words->member = words->compared = false;
}

static void take_expression(struct words *words, size_t at, size_t end)
{
	const char *text = words->outline->text;

	while (at < end) {
		size_t start = at;

		while (at < end &&
		       (is_word(text[at]) || text[at] == '.' || (text[at] == '-' && at > start)))
			at++;
		if (at > start) {
			take_word(words, start, at - start);
			continue;
		}
		if (text[at] == '|')
			words->member = true;
		else if (text[at] == '=')
			words->compared = true;
		else if (text[at] != ' ' && text[at] != '!')
			words->member = words->compared = false;
		at++;
	}
}

void lsp_expression_names(const struct lsp_outline *outline, uint32_t item, lsp_on_name *on_name,
			  void *context)
{
	const struct lsp_item *entry = &outline->items[item];
	struct words words = { .outline = outline, .on_name = on_name, .context = context };
	size_t at = entry->value, end = at + entry->value_length, inner_end;

	if (!entry->scalar)
		return;
	if (is_bare(outline, item)) {
		take_expression(&words, at, end);
		return;
	}
	while (next_expression(outline, &at, end, &inner_end)) {
		take_expression(&words, at, inner_end);
		at = inner_end;
	}
}
