/* Texts: quoted, plain and in block style, over as many lines as they have. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/fmt/scan.h"

size_t fmt_quoted_end(const struct fmt_scan *scan)
{
	char quote = scan->text[scan->at];
	size_t at = scan->at + 1;

	while (at < scan->length) {
		char byte = scan->text[at];

		bool doubled = byte == quote && quote == '\'' && at + 1 < scan->length &&
			       scan->text[at + 1] == quote;

		if (doubled || (byte == '\\' && quote == '"'))
			at++;
		else if (byte == quote)
			return at + 1;
		at++;
	}
	return scan->length;
}

size_t fmt_plain_length(const struct fmt_scan *scan, bool flow)
{
	const char *text = scan->text + scan->at;
	size_t left = scan->length - scan->at, length = 0;

	for (size_t i = 0; i < left && text[i] != '\n'; i++) {
		char next = i + 1 < left ? text[i + 1] : '\0';

		if ((text[i] == ':' && fmt_ends_word(next)) ||
		    (text[i] == '#' && i > 0 && fmt_is_blank(text[i - 1])) ||
		    (flow && strchr(",[]{}", text[i])))
			break;
		if (!fmt_is_blank(text[i]))
			length = i + 1;
	}
	return length;
}

struct fmt_piece fmt_usual_quotes(struct fmt_scan *scan, struct fmt_piece quoted)
{
	if (quoted.length < 2 || quoted.text[0] != '\'' || quoted.text[quoted.length - 1] != '\'')
		return quoted;
	for (size_t i = 1; i + 1 < quoted.length; i++) {
		if (strchr("\\\"'\n\t", quoted.text[i]))
			return quoted;
	}
	char *text = mw_arena_strndup(&scan->page->arena, quoted.text, quoted.length);

	text[0] = text[quoted.length - 1] = '"';
	return (struct fmt_piece){ text, quoted.length };
}

/* Blanks at a line's end say nothing in a text, but one behind a backslash. */
static struct fmt_piece trimmed(const char *text, size_t length)
{
	size_t end = length;

	while (end && fmt_is_blank(text[end - 1]))
		end--;
	if (end && end < length && text[end - 1] == '\\')
		end++;
	return (struct fmt_piece){ text, end };
}

/* The lines of a text from the place to `end`, which is in another line. */
static void take_lines(struct fmt_scan *scan, size_t line, size_t end)
{
	const struct fmt_block *block = scan->depth ? &scan->blocks[scan->depth - 1] : NULL;
	unsigned offset = (block ? block->out + 2 : 0) - scan->page->lines[line].indent;
	size_t start = scan->at, from = start;
	bool first = true;

	while (start < end) {
		const char *feed = memchr(scan->text + start, '\n', end - start);
		size_t stop = feed ? (size_t)(feed - scan->text) : end;
		struct fmt_piece piece =
			feed ? trimmed(scan->text + start, stop - start)
			     : (struct fmt_piece){ scan->text + start, stop - start };

		if (!first) {
			line = fmt_add_line(scan, FMT_MORE);
			scan->page->lines[line].anchor.offset = offset;
			scan->page->lines[line].exact = true;
		}
		scan->page->lines[line].value = piece;
		scan->page->lines[line].whole = false;
		first = false;
		start = stop + 1;
		from = feed ? start : from;
		while (feed && start < end && fmt_is_blank(scan->text[start]))
			start++;
	}
	scan->column = fmt_width(scan->text + from, end - from);
	scan->at = end;
}

void fmt_quoted_text(struct fmt_scan *scan, size_t line)
{
	size_t end = fmt_quoted_end(scan);

	if (memchr(scan->text + scan->at, '\n', end - scan->at)) {
		take_lines(scan, line, end);
		return;
	}
	scan->page->lines[line].value =
		fmt_usual_quotes(scan, (struct fmt_piece){ scan->text + scan->at, end - scan->at });
	fmt_advance(scan, end - scan->at);
}

/* How far a plain text goes: over all lines that are further in and no comment. */
static size_t plain_end(const struct fmt_scan *scan)
{
	unsigned least = scan->depth ? scan->blocks[scan->depth - 1].column + 1 : 0;
	struct fmt_scan look = *scan;

	for (;;) {
		size_t end = look.at + fmt_plain_length(&look, false);

		look.at = end;
		while (fmt_is_blank(fmt_peek(&look, 0)))
			look.at++;
		if (!fmt_at_line_end(&look))
			return end;
		while (fmt_at_line_end(&look) && look.at < look.length) {
			fmt_next_line(&look);
			unsigned indentation = fmt_indentation(&look);

			look.at += indentation;
			look.column = indentation;
			while (fmt_is_blank(fmt_peek(&look, 0)))
				look.at++;
		}
		if (look.at >= look.length || look.column < least || fmt_peek(&look, 0) == '#')
			return end;
	}
}

void fmt_plain_text(struct fmt_scan *scan, size_t line)
{
	size_t end = plain_end(scan);

	if (end == scan->at) {
		fmt_refuse(scan, "this cannot be formatted");
		return;
	}
	if (memchr(scan->text + scan->at, '\n', end - scan->at)) {
		take_lines(scan, line, end);
		return;
	}
	scan->page->lines[line].value = (struct fmt_piece){ scan->text + scan->at, end - scan->at };
	fmt_advance(scan, end - scan->at);
}

static bool is_empty_line(const struct fmt_scan *scan, unsigned *blanks)
{
	*blanks = fmt_indentation(scan);
	return fmt_peek(scan, *blanks) == '\n' || scan->at + *blanks >= scan->length;
}

/* The indentation of the first line that is not empty, or of an emptier one that is further in. */
static unsigned find_indentation(const struct fmt_scan *scan)
{
	struct fmt_scan look = *scan;
	unsigned blanks, most = 0;

	while (look.at < look.length && is_empty_line(&look, &blanks)) {
		most = blanks > most ? blanks : most;
		fmt_next_line(&look);
	}
	if (look.at < look.length && fmt_indentation(&look) > most)
		most = fmt_indentation(&look);
	return most;
}

/* The lines of a text in block style, whose own indentation is `inner`. */
static void take_block_lines(struct fmt_scan *scan, unsigned inner, unsigned offset, bool keep)
{
	size_t solid = scan->page->count;

	while (scan->at < scan->length) {
		unsigned blanks;
		bool empty = is_empty_line(scan, &blanks);

		if (!empty && blanks < inner)
			break;
		size_t line = fmt_add_line(scan, FMT_MORE);
		struct fmt_line *more = &scan->page->lines[line];
		size_t skip = blanks < inner ? blanks : inner;
		const char *start = scan->text + scan->at + skip;

		fmt_next_line(scan);
		more->anchor.offset = offset;
		more->exact = true;
		more->value.text = start;
		more->value.length = (size_t)(scan->text + scan->at - start);
		if (more->value.length && start[more->value.length - 1] == '\n')
			more->value.length--;
		if (more->value.length)
			solid = scan->page->count;
	}
	for (size_t i = solid; i < scan->page->count && !keep; i++)
		scan->page->lines[i].kind = FMT_BLANK;
}

/* A text that ends with the file and without a line end has none: once the file ends with one, the
 * header has to say so. */
static void strip_end(struct fmt_scan *scan, size_t line)
{
	const struct fmt_line *last = &scan->page->lines[scan->page->count - 1];
	struct fmt_piece header = scan->page->lines[line].value;

	if (scan->at < scan->length || scan->text[scan->length - 1] == '\n' ||
	    last->kind != FMT_MORE || !last->value.length ||
	    memchr(header.text, '-', header.length))
		return;
	if (header.text[header.length - 1] == '+')
		header.length--;
	scan->page->lines[line].value =
		(struct fmt_piece){ mw_arena_printf(&scan->page->arena, "%.*s-", (int)header.length,
						    header.text),
				    header.length + 1 };
}

void fmt_block_text(struct fmt_scan *scan, size_t line)
{
	const struct fmt_block *block = scan->depth ? &scan->blocks[scan->depth - 1] : NULL;
	const char *start = scan->text + scan->at;
	size_t length = 0;
	unsigned digit = 0;
	bool keep = false;

	while (!fmt_ends_word(fmt_peek(scan, length))) {
		keep |= start[length] == '+';
		if (start[length] >= '1' && start[length] <= '9')
			digit = (unsigned)(start[length] - '0');
		length++;
	}
	scan->page->lines[line].value = (struct fmt_piece){ start, length };
	scan->page->lines[line].whole = false;
	fmt_advance(scan, length);
	fmt_skip_blanks(scan);
	fmt_take_comment(scan, line);
	if (!fmt_at_line_end(scan)) {
		fmt_refuse(scan, "this cannot be formatted");
		return;
	}
	fmt_next_line(scan);
	unsigned inner = digit ? (block ? block->column : 0) + digit : find_indentation(scan);
	unsigned out = block ? block->out : 0, indent = scan->page->lines[line].indent;
	unsigned wanted = out + (digit ? digit : 2);

	if (inner <= (block ? block->column : 0) && !digit)
		inner = (block ? block->column : 0) + 1;
	take_block_lines(scan, inner, wanted > indent ? wanted - indent : 0, keep);
	strip_end(scan, line);
	scan->line_done = true;
}
