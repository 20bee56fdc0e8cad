/* Cuts a text into entries: what begins a line, its key, its value, its comment. */
// SPDX-License-Identifier: MIT
#include "tools/fmt/scan.h"

#include <stdlib.h>
#include <string.h>

char fmt_peek(const struct fmt_scan *scan, size_t ahead)
{
	return scan->at + ahead < scan->length ? scan->text[scan->at + ahead] : '\0';
}

bool fmt_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

bool fmt_ends_word(char byte)
{
	return fmt_is_blank(byte) || byte == '\n' || byte == '\0';
}

unsigned fmt_width(const char *text, size_t length)
{
	unsigned width = 0;

	for (size_t i = 0; i < length; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

void fmt_advance(struct fmt_scan *scan, size_t count)
{
	scan->column += fmt_width(scan->text + scan->at, count);
	scan->at += count;
}

unsigned fmt_skip_blanks(struct fmt_scan *scan)
{
	unsigned count = 0;

	while (fmt_is_blank(fmt_peek(scan, 0))) {
		fmt_advance(scan, 1);
		count++;
	}
	return count;
}

bool fmt_at_line_end(const struct fmt_scan *scan)
{
	return scan->at >= scan->length || scan->text[scan->at] == '\n';
}

void fmt_next_line(struct fmt_scan *scan)
{
	while (!fmt_at_line_end(scan))
		scan->at++;
	if (scan->at < scan->length)
		scan->at++;
	scan->column = 0;
}

unsigned fmt_indentation(const struct fmt_scan *scan)
{
	unsigned count = 0;

	while (fmt_peek(scan, count) == ' ')
		count++;
	return count;
}

void fmt_refuse(struct fmt_scan *scan, const char *why)
{
	if (!scan->page->trouble) {
		scan->page->trouble = why;
		scan->page->trouble_at = scan->at;
	}
	scan->at = scan->length;
}

size_t fmt_add_line(struct fmt_scan *scan, enum fmt_kind kind)
{
	struct fmt_page *page = scan->page;

	if (page->count == page->capacity) {
		page->capacity = page->capacity ? 2 * page->capacity : 64;
		page->lines = mw_grow(page->lines, page->capacity, sizeof(*page->lines));
	}
	page->lines[page->count] = (struct fmt_line){ .kind = kind };
	return page->count++;
}

void fmt_take_comment(struct fmt_scan *scan, size_t line)
{
	struct fmt_line *taker = &scan->page->lines[line];
	const char *start = scan->text + scan->at;

	if (fmt_peek(scan, 0) != '#')
		return;
	taker->comment_column = scan->column;
	while (!fmt_at_line_end(scan))
		scan->at++;
	taker->comment.text = start;
	taker->comment.length = (size_t)(scan->text + scan->at - start);
	while (fmt_is_blank(start[taker->comment.length - 1]))
		taker->comment.length--;
}

/* The block that an own-line comment belongs to is the deepest that starts no further right, unless
 * what follows it is as deep. */
static void place_comments(struct fmt_scan *scan, unsigned next_column, unsigned next_out)
{
	for (; scan->pending < scan->page->count; scan->pending++) {
		struct fmt_line *line = &scan->page->lines[scan->pending];
		unsigned depth = scan->depth;

		if (line->kind != FMT_COMMENT || line->continues)
			continue;
		while (depth && scan->blocks[depth - 1].column > line->comment_column)
			depth--;
		line->indent = next_out;
		if (depth && scan->blocks[depth - 1].column > next_column)
			line->indent = scan->blocks[depth - 1].out;
	}
}

static void open_block(struct fmt_scan *scan, unsigned column, bool list)
{
	unsigned out = scan->depth ? scan->blocks[scan->depth - 1].out + 2 : 0;

	if (scan->depth == FMT_DEPTH) {
		fmt_refuse(scan, "this is nested too deep");
		return;
	}
	scan->blocks[scan->depth++] = (struct fmt_block){ column, out, list, ++scan->ids };
}

static const struct fmt_block *top_block(const struct fmt_scan *scan)
{
	return scan->depth ? &scan->blocks[scan->depth - 1] : NULL;
}

static bool at_dash(const struct fmt_scan *scan)
{
	return fmt_peek(scan, 0) == '-' && fmt_ends_word(fmt_peek(scan, 1));
}

/* Bytes from the place to the colon of a key, 0 where there is no key. */
static size_t key_length(const struct fmt_scan *scan)
{
	char first = fmt_peek(scan, 0);
	size_t length;

	if (first == '{' || first == '[' || first == '|' || first == '>')
		return 0;
	if (first == '"' || first == '\'')
		length = fmt_quoted_end(scan) - scan->at;
	else
		length = fmt_plain_length(scan, false);
	size_t colon = length;

	while (fmt_is_blank(fmt_peek(scan, colon)))
		colon++;
	if (fmt_peek(scan, colon) != ':' || !fmt_ends_word(fmt_peek(scan, colon + 1)) ||
	    memchr(scan->text + scan->at, '\n', colon))
		return 0;
	return colon;
}

/* Ends the blocks that the new line is no part of. */
static void close_blocks(struct fmt_scan *scan, unsigned column, bool list)
{
	const struct fmt_block *top;

	while ((top = top_block(scan)) &&
	       (column < top->column || (column == top->column && top->list && !list)))
		scan->depth--;
}

static void enter_block(struct fmt_scan *scan, unsigned column, bool list, bool inner)
{
	const struct fmt_block *top = top_block(scan);

	if (inner || !top || top->column != column || top->list != list)
		open_block(scan, column, list);
}

/* The dashes and the key that begin an entry, as they are written. */
static struct fmt_piece take_head(struct fmt_scan *scan, unsigned *dashes, bool *key)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	*dashes = 0;
	while (at_dash(scan) && !scan->page->trouble) {
		enter_block(scan, scan->column, true, *dashes > 0);
		fputs("- ", out);
		fmt_advance(scan, 1);
		fmt_skip_blanks(scan);
		*dashes += 2;
	}
	size_t colon = fmt_at_line_end(scan) || fmt_peek(scan, 0) == '#' ? 0 : key_length(scan);

	*key = colon > 0;
	if (colon) {
		struct fmt_piece piece = { scan->text + scan->at, colon };

		enter_block(scan, scan->column, false, *dashes > 0);
		while (fmt_is_blank(piece.text[piece.length - 1]))
			piece.length--;
		piece = fmt_usual_quotes(scan, piece);
		fwrite(piece.text, 1, piece.length, out);
		putc(':', out);
		fmt_advance(scan, colon + 1);
	}
	fclose(out);
	while (length && text[length - 1] == ' ')
		length--;
	struct fmt_piece head = { mw_arena_strndup(&scan->page->arena, text, length), length };

	free(text);
	return head;
}

static void take_value(struct fmt_scan *scan, size_t line, unsigned dashes, bool key)
{
	unsigned gap = fmt_skip_blanks(scan);
	char first = fmt_peek(scan, 0);

	if (fmt_at_line_end(scan) || first == '#')
		return;
	scan->page->lines[line].key = key;
	scan->page->lines[line].whole = true;
	scan->page->lines[line].value_gap = gap;
	scan->page->lines[line].value_column = scan->column;
	if (first == '{' || first == '[')
		fmt_flow(scan, line, dashes);
	else if (first == '|' || first == '>')
		fmt_block_text(scan, line);
	else if (first == '"' || first == '\'')
		fmt_quoted_text(scan, line);
	else
		fmt_plain_text(scan, line);
}

static void finish_line(struct fmt_scan *scan)
{
	if (scan->line_done) {
		scan->line_done = false;
		return;
	}
	fmt_skip_blanks(scan);
	fmt_take_comment(scan, scan->page->count - 1);
	if (!fmt_at_line_end(scan))
		fmt_refuse(scan, "this cannot be formatted");
	fmt_next_line(scan);
}

static void take_entry(struct fmt_scan *scan)
{
	unsigned column = scan->column, dashes;
	bool dash = at_dash(scan), key, has_key = dash || key_length(scan) > 0;
	unsigned depth = scan->depth;

	if (fmt_peek(scan, 0) == '?' && fmt_ends_word(fmt_peek(scan, 1))) {
		fmt_refuse(scan, "a key behind `?` cannot be formatted");
		return;
	}
	if (has_key)
		close_blocks(scan, column, dash);
	const struct fmt_block *top = top_block(scan);
	unsigned out = !top ? 0 : top->out + 2;

	if (has_key && top && top->column == column && top->list == dash)
		out = top->out;
	unsigned left = scan->depth;

	scan->depth = depth;
	place_comments(scan, column, out);
	scan->depth = left;
	size_t line = fmt_add_line(scan, FMT_CONTENT);
	struct fmt_piece head = take_head(scan, &dashes, &key);

	scan->page->lines[line].head = head;
	scan->page->lines[line].indent = out;
	scan->page->lines[line].block = top_block(scan) ? top_block(scan)->id : 0;
	take_value(scan, line, dashes, key);
	scan->pending = scan->page->count;
	finish_line(scan);
}

/* `---`, `...` and what only they can be followed by. */
static bool take_marker(struct fmt_scan *scan)
{
	const char *start = scan->text + scan->at;

	if (fmt_peek(scan, 0) == '%') {
		fmt_refuse(scan, "a directive cannot be formatted");
		return true;
	}
	if (scan->length - scan->at < 3 || !fmt_ends_word(fmt_peek(scan, 3)) ||
	    (memcmp(start, "---", 3) != 0 && memcmp(start, "...", 3) != 0))
		return false;
	place_comments(scan, 0, 0);
	size_t line = fmt_add_line(scan, FMT_CONTENT);

	scan->page->lines[line].head = (struct fmt_piece){ start, 3 };
	fmt_advance(scan, 3);
	scan->depth = 0;
	scan->pending = scan->page->count;
	finish_line(scan);
	return true;
}

static void take_own_comment(struct fmt_scan *scan)
{
	size_t line = fmt_add_line(scan, FMT_COMMENT);
	struct fmt_line *lines = scan->page->lines;

	fmt_take_comment(scan, line);
	lines[line].continues =
		line > 0 && lines[line - 1].comment.length &&
		(lines[line - 1].kind != FMT_COMMENT || lines[line - 1].continues) &&
		lines[line - 1].comment_column == lines[line].comment_column;
	fmt_next_line(scan);
}

void fmt_scan(struct fmt_page *page, const char *text, size_t length)
{
	struct fmt_scan scan = { .page = page, .text = text, .length = length };

	while (scan.at < length) {
		if (scan.column == 0 && take_marker(&scan))
			continue;
		fmt_skip_blanks(&scan);
		if (fmt_at_line_end(&scan)) {
			fmt_add_line(&scan, FMT_BLANK);
			fmt_next_line(&scan);
		} else if (fmt_peek(&scan, 0) == '#') {
			take_own_comment(&scan);
		} else {
			take_entry(&scan);
		}
	}
	place_comments(&scan, 0, 0);
}

void fmt_page_fini(struct fmt_page *page)
{
	free(page->lines);
	mw_arena_fini(&page->arena);
	*page = (struct fmt_page){ 0 };
}
