/* One pass over the text: block maps and lists by their columns, flow ones by their brackets. What does
 * not fit is passed over, so that the rest keeps its place while somebody types. */
// SPDX-License-Identifier: MIT
#include "tools/lsp/outline.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

/* An open map or list. `column` is where its key or dash stands; flow ones have none. */
struct level {
	uint32_t item;
	uint32_t column;
	char closer; /* of a flow one, else 0 */
	bool dash;
};

struct scan {
	struct lsp_outline *outline;
	const char *text;
	size_t at, end;
	struct level levels[LSP_OUTLINE_DEPTH];
	size_t depth;
	size_t flow_base; /* depth where the outermost open flow begins */
	size_t too_deep;  /* brackets beyond the depth */
};

static bool is_break(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Whether `at` is the end, or holds a blank or a line's end. */
static bool ends_word(const struct scan *scan, size_t at)
{
	return at >= scan->end || is_blank(scan->text[at]) || is_break(scan->text[at]);
}

static uint32_t top_item(const struct scan *scan)
{
	return scan->depth ? scan->levels[scan->depth - 1].item : LSP_NO_ITEM;
}

static uint32_t add_item(struct scan *scan, struct lsp_item item)
{
	struct lsp_outline *outline = scan->outline;

	if (outline->count == LSP_OUTLINE_ITEMS)
		return LSP_NO_ITEM;
	if (outline->count == outline->capacity) {
		outline->capacity = outline->capacity ? outline->capacity * 2 : 64;
		outline->items =
			mw_grow(outline->items, outline->capacity, sizeof(*outline->items));
	}
	item.parent = top_item(scan);
	item.after = outline->count + 1;
	outline->items[outline->count] = item;
	return outline->count++;
}

/* What ends here ends whatever is round it, as far as is known. */
static void reach(struct scan *scan, uint32_t item, size_t end)
{
	for (; item != LSP_NO_ITEM; item = scan->outline->items[item].parent)
		scan->outline->items[item].end = (uint32_t)end;
}

static void push(struct scan *scan, uint32_t item, size_t column, char closer, bool dash)
{
	if (scan->depth == LSP_OUTLINE_DEPTH) {
		scan->too_deep += closer != 0;
		return;
	}
	scan->levels[scan->depth++] = (struct level){ item, (uint32_t)column, closer, dash };
}

static void pop(struct scan *scan)
{
	uint32_t item = scan->levels[--scan->depth].item;

	if (item != LSP_NO_ITEM)
		scan->outline->items[item].after = scan->outline->count;
}

static void set_open(struct scan *scan, uint32_t item, bool value, bool element, size_t start)
{
	scan->outline->open_item = item;
	scan->outline->open_value = value;
	scan->outline->open_element = element;
	scan->outline->open_start = start;
}

/* A quoted text; it ends with its quote or, as far as we care, with the line. Returns what follows. */
static size_t quoted_end(const struct scan *scan, size_t at, size_t *inner_end)
{
	char quote = scan->text[at];

	for (at++; at < scan->end && !is_break(scan->text[at]); at++) {
		if (quote == '"' && scan->text[at] == '\\') {
			at++;
		} else if (scan->text[at] == quote) {
			if (quote == '\'' && at + 1 < scan->end && scan->text[at + 1] == quote) {
				at++;
				continue;
			}
			*inner_end = at;
			return at + 1;
		}
	}
	*inner_end = at < scan->end ? at : scan->end;
	return *inner_end;
}

static bool is_flow_mark(char c)
{
	return c == ',' || c == '{' || c == '}' || c == '[' || c == ']';
}

/* Where a plain text ends: before a comment, a line's end, in flow before a mark, and where it is a
 * key before its colon. `$(` is a piece: brackets within do not matter. */
static size_t plain_end(const struct scan *scan, size_t at, bool flow, bool key)
{
	for (; at < scan->end && !is_break(scan->text[at]); at++) {
		char c = scan->text[at];

		if (flow && is_flow_mark(c))
			break;
		if (c == ':' && (key || flow) &&
		    (ends_word(scan, at + 1) || (flow && is_flow_mark(scan->text[at + 1]))))
			break;
		if (c == '#' && at && is_blank(scan->text[at - 1]))
			break;
	}
	return at;
}

static size_t trim(const struct scan *scan, size_t start, size_t end)
{
	while (end > start && is_blank(scan->text[end - 1]))
		end--;
	return end;
}

static void to_line_end(struct scan *scan)
{
	while (scan->at < scan->end && !is_break(scan->text[scan->at]))
		scan->at++;
}

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && is_blank(scan->text[scan->at]))
		scan->at++;
}

/* A comment up to the line's end; true when there was one. */
static bool skip_comment(struct scan *scan)
{
	if (scan->at >= scan->end || scan->text[scan->at] != '#')
		return false;
	to_line_end(scan);
	scan->outline->open_comment = scan->at == scan->end;
	return true;
}

/* The scalar of an item; the item itself may be missing where there are too many. */
static void take_scalar(struct scan *scan, uint32_t item, bool flow)
{
	size_t start = scan->at, end;
	bool quoted = scan->text[start] == '"' || scan->text[start] == '\'';

	if (quoted) {
		scan->at = quoted_end(scan, start, &end);
		start++;
	} else {
		scan->at = plain_end(scan, start, flow, false);
		end = trim(scan, start, scan->at);
	}
	if (item == LSP_NO_ITEM)
		return;
	struct lsp_item *entry = &scan->outline->items[item];

	entry->scalar = true;
	entry->quoted = quoted;
	entry->value = (uint32_t)start;
	entry->value_length = (uint32_t)(end > start ? end - start : 0);
	reach(scan, item, quoted ? scan->at : end);
}

static bool in_flow(const struct scan *scan)
{
	return scan->depth && scan->levels[scan->depth - 1].closer;
}

static void open_flow(struct scan *scan, uint32_t item)
{
	bool list = scan->text[scan->at] == '[';

	push(scan, item, 0, list ? ']' : '}', false);
	scan->at++;
	set_open(scan, item, list, list, scan->at);
}

/* After a key in flow: its value, if it stands before the next mark. */
static void flow_value(struct scan *scan, uint32_t item)
{
	skip_blanks(scan);
	set_open(scan, item, true, false, scan->at);
	if (scan->at == scan->end || is_break(scan->text[scan->at]))
		return;
	char c = scan->text[scan->at];

	if (c == '{' || c == '[')
		open_flow(scan, item);
	else if (!is_flow_mark(c) && c != '#')
		take_scalar(scan, item, true);
}

/* A key of a flow map with its value, or an element of a flow list. */
static void flow_entry(struct scan *scan, bool list)
{
	size_t start = scan->at, end;
	bool quoted = scan->text[start] == '"' || scan->text[start] == '\'';
	uint32_t item;

	set_open(scan, top_item(scan), list, list, start);
	if (list) {
		item = add_item(scan, (struct lsp_item){ .element = true, .key = (uint32_t)start });
		if (scan->text[start] == ':') /* of a pair without braces: nothing we know */
			scan->at++;
		else
			take_scalar(scan, item, true);
		return;
	}
	if (quoted) {
		scan->at = quoted_end(scan, start++, &end);
	} else {
		scan->at = plain_end(scan, start, true, true);
		end = trim(scan, start, scan->at);
	}
	bool colon = scan->at < scan->end && scan->text[scan->at] == ':';

	if (!colon) {
		if (scan->at == start) /* nothing moved: never twice the same place */
			scan->at++;
		return;
	}
	item = add_item(scan, (struct lsp_item){ .key = (uint32_t)start,
						 .key_length = (uint32_t)(end - start) });
	reach(scan, item, ++scan->at);
	flow_value(scan, item);
}

static void close_flow(struct scan *scan)
{
	if (scan->too_deep) {
		scan->too_deep--;
	} else {
		uint32_t item = top_item(scan);

		pop(scan);
		reach(scan, item, scan->at + 1);
	}
	scan->at++;
	if (in_flow(scan)) {
		bool list = scan->levels[scan->depth - 1].closer == ']';

		set_open(scan, top_item(scan), list, list, scan->at);
	}
}

/* Within flow, whatever the line. */
static void flow_step(struct scan *scan)
{
	char c = scan->text[scan->at];
	bool list = scan->levels[scan->depth - 1].closer == ']';

	if (c == ',') {
		scan->at++;
		set_open(scan, top_item(scan), list, list, scan->at);
	} else if (c == '}' || c == ']') {
		close_flow(scan);
	} else if (c == '{' || c == '[') {
		uint32_t item = top_item(scan);

		if (list)
			item = add_item(scan, (struct lsp_item){ .element = true,
								 .key = (uint32_t)scan->at });
		open_flow(scan, item);
	} else if (c != '#' || !skip_comment(scan)) {
		flow_entry(scan, list);
	}
}

/* Flow to the end of the line. What may follow on it is a comment, nothing to be completed. */
static void flow_line(struct scan *scan)
{
	while (in_flow(scan)) {
		skip_blanks(scan);
		if (scan->at == scan->end || is_break(scan->text[scan->at]))
			return;
		flow_step(scan);
	}
	scan->outline->open_comment = true;
}

/* A block text: every line that is deeper than its key, or empty. */
static void skip_block_text(struct scan *scan, size_t column)
{
	to_line_end(scan);
	while (scan->at < scan->end) {
		size_t line = scan->at, text;

		while (line < scan->end && is_break(scan->text[line]))
			line++;
		for (text = line; text < scan->end && scan->text[text] == ' ';)
			text++;
		if (text >= scan->end || (text - line <= column && !is_break(scan->text[text])))
			return;
		scan->at = text;
		to_line_end(scan);
	}
}

/* After a block key or a dash: what stands on the rest of its line. */
static void block_value(struct scan *scan, uint32_t item, size_t column, bool element)
{
	skip_blanks(scan);
	set_open(scan, item, true, element, scan->at);
	if (scan->at == scan->end || is_break(scan->text[scan->at]))
		return;
	char c = scan->text[scan->at];

	if (c == '#') {
		skip_comment(scan);
	} else if (c == '{' || c == '[') {
		scan->flow_base = scan->depth;
		scan->too_deep = 0;
		open_flow(scan, item);
		flow_line(scan);
	} else if (c == '|' || c == '>') {
		skip_block_text(scan, column);
		reach(scan, item, scan->at);
	} else {
		take_scalar(scan, item, false);
	}
}

/* Where the key that begins here ends, its colon included; 0 where there is none. */
static size_t key_end(const struct scan *scan, size_t at, size_t *inner_end)
{
	size_t end;

	if (scan->text[at] == '"' || scan->text[at] == '\'') {
		end = quoted_end(scan, at, inner_end);
	} else {
		end = plain_end(scan, at, false, true);
		*inner_end = trim(scan, at, end);
	}
	return end < scan->end && scan->text[end] == ':' && ends_word(scan, end + 1) ? end + 1 : 0;
}

static void leave_to(struct scan *scan, size_t column, bool dash)
{
	while (scan->depth) {
		const struct level *top = &scan->levels[scan->depth - 1];

		if (top->column < column || (dash && top->column == column && !top->dash))
			return;
		pop(scan);
	}
}

/* A line outside of flow, from its first character on. */
static void block_line(struct scan *scan, size_t line)
{
	size_t inner_end;

	while (scan->at < scan->end && scan->text[scan->at] == '-' &&
	       ends_word(scan, scan->at + 1)) {
		size_t column = scan->at - line;

		leave_to(scan, column, true);
		uint32_t item = add_item(
			scan, (struct lsp_item){ .element = true, .key = (uint32_t)scan->at });

		reach(scan, item, ++scan->at);
		push(scan, item, column, 0, true);
		skip_blanks(scan);
		set_open(scan, item, true, false, scan->at);
	}
	if (scan->at == scan->end || is_break(scan->text[scan->at]) || skip_comment(scan))
		return;
	size_t start = scan->at, column = start - line, end = key_end(scan, start, &inner_end);
	bool dashed = scan->depth && scan->levels[scan->depth - 1].dash &&
		      scan->outline->items[top_item(scan)].key >= line;

	if (!end && dashed) {
		block_value(scan, top_item(scan), column, false);
		return;
	}
	leave_to(scan, column, false);
	set_open(scan, top_item(scan), false, false, start);
	if (!end) { /* a key being typed, or more of a text */
		to_line_end(scan);
		return;
	}
	bool quoted = scan->text[start] == '"' || scan->text[start] == '\'';
	uint32_t item = add_item(
		scan, (struct lsp_item){ .key = (uint32_t)(start + quoted),
					 .key_length = (uint32_t)(inner_end - start - quoted) });

	scan->at = end;
	reach(scan, item, end);
	push(scan, item, column, 0, false);
	block_value(scan, item, column, false);
}

/* An open flow that a line at or left of its key interrupts was never closed. */
static void give_up_flow(struct scan *scan, size_t column)
{
	size_t base = scan->flow_base;
	char c = scan->text[scan->at];

	if (c == '}' || c == ']' || c == '#' || column > (base ? scan->levels[base - 1].column : 0))
		return;
	while (scan->depth > base)
		pop(scan);
	scan->too_deep = 0;
}

static void take_line(struct scan *scan)
{
	size_t line = scan->at;

	skip_blanks(scan);
	size_t column = scan->at - line;

	scan->outline->open_comment = false;
	if (scan->at < scan->end && !is_break(scan->text[scan->at]) && in_flow(scan))
		give_up_flow(scan, column);
	if (in_flow(scan)) {
		flow_line(scan);
	} else if (scan->at == scan->end) {
		leave_to(scan, column, false);
		set_open(scan, top_item(scan), false, false, scan->at);
	} else if (!is_break(scan->text[scan->at]) && !skip_comment(scan)) {
		if (strncmp(scan->text + scan->at, "---", scan->end - scan->at < 3 ? 0 : 3) != 0 ||
		    scan->end - scan->at < 3 || !ends_word(scan, scan->at + 3))
			block_line(scan, line);
	}
	to_line_end(scan);
}

void lsp_outline_parse(struct lsp_outline *outline, const char *text, size_t length)
{
	struct scan scan = { .outline = outline, .text = text, .end = length };

	*outline = (struct lsp_outline){ .text = text, .length = length, .open_item = LSP_NO_ITEM };
	while (scan.at < length) {
		take_line(&scan);
		if (scan.at == length)
			break;
		if (text[scan.at] == '\r' && scan.at + 1 < length && text[scan.at + 1] == '\n')
			scan.at++;
		scan.at++;
		if (scan.at == length && !in_flow(&scan)) {
			outline->open_comment = false;
			leave_to(&scan, 0, false);
			set_open(&scan, LSP_NO_ITEM, false, false, length);
		}
	}
	outline->open_flow = in_flow(&scan);
	while (scan.depth)
		pop(&scan);
}

void lsp_outline_fini(struct lsp_outline *outline)
{
	free(outline->items);
	*outline = (struct lsp_outline){ 0 };
}

uint32_t lsp_outline_first(const struct lsp_outline *outline, uint32_t parent)
{
	uint32_t first = parent == LSP_NO_ITEM ? 0 : parent + 1;

	return first < outline->count && outline->items[first].parent == parent ? first
										: LSP_NO_ITEM;
}

uint32_t lsp_outline_next(const struct lsp_outline *outline, uint32_t item)
{
	uint32_t next = outline->items[item].after;

	return next < outline->count && outline->items[next].parent == outline->items[item].parent
		       ? next
		       : LSP_NO_ITEM;
}

bool lsp_outline_key_is(const struct lsp_outline *outline, uint32_t item, const char *key)
{
	const struct lsp_item *entry = &outline->items[item];

	return !entry->element && strlen(key) == entry->key_length &&
	       memcmp(outline->text + entry->key, key, entry->key_length) == 0;
}

uint32_t lsp_outline_child(const struct lsp_outline *outline, uint32_t parent, const char *key)
{
	uint32_t child = lsp_outline_first(outline, parent);

	while (child != LSP_NO_ITEM && !lsp_outline_key_is(outline, child, key))
		child = lsp_outline_next(outline, child);
	return child;
}

/* The file itself, or what `history` says a version of it was like. */
static bool is_root(const struct lsp_outline *outline, uint32_t item)
{
	if (item == LSP_NO_ITEM)
		return true;
	uint32_t history = outline->items[item].parent;

	return history != LSP_NO_ITEM && outline->items[history].parent == LSP_NO_ITEM &&
	       lsp_outline_key_is(outline, history, "history");
}

/* From the last word of the pattern up. */
bool lsp_outline_is(const struct lsp_outline *outline, uint32_t item, const char *pattern)
{
	const char *end = pattern + strlen(pattern);

	for (; item != LSP_NO_ITEM; item = outline->items[item].parent) {
		const struct lsp_item *entry = &outline->items[item];
		const char *word = end;

		while (word > pattern && word[-1] != '/')
			word--;
		size_t length = (size_t)(end - word);

		if (*word == '-' ? !entry->element : entry->element)
			return false;
		if (*word != '-' && *word != '*' &&
		    (entry->key_length != length ||
		     memcmp(outline->text + entry->key, word, length) != 0))
			return false;
		if (word == pattern)
			return is_root(outline, entry->parent);
		end = word - 1;
	}
	return false;
}

uint32_t lsp_outline_at(const struct lsp_outline *outline, size_t offset, bool *on_key)
{
	uint32_t low = 0, high = outline->count;

	/* the last item that begins at or before it */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (outline->items[middle].key <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	*on_key = false;
	if (!low)
		return LSP_NO_ITEM;
	const struct lsp_item *item = &outline->items[low - 1];

	*on_key = !item->element && offset <= item->key + item->key_length;
	if (*on_key ||
	    (item->scalar && offset >= item->value && offset <= item->value + item->value_length))
		return low - 1;
	return LSP_NO_ITEM;
}

static const char *copy(const struct lsp_outline *outline, uint32_t at, uint32_t length, char *text,
			size_t capacity)
{
	size_t count = length < capacity - 1 ? length : capacity - 1;

	memcpy(text, outline->text + at, count);
	text[count] = '\0';
	return text;
}

const char *lsp_outline_key(const struct lsp_outline *outline, uint32_t item, char *text,
			    size_t capacity)
{
	return copy(outline, outline->items[item].key, outline->items[item].key_length, text,
		    capacity);
}

const char *lsp_outline_value(const struct lsp_outline *outline, uint32_t item, char *text,
			      size_t capacity)
{
	return copy(outline, outline->items[item].value, outline->items[item].value_length, text,
		    capacity);
}
