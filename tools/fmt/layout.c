/* Columns: values of a block under each other, tables where there was one, comments in line. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "tools/fmt/lines.h"

enum {
	FEW = 4,       /* entries that one much longer key does not push away */
	MUCH = 3,      /* longer by more than this */
	COLUMNS = 64,  /* of a table */
	LEAST_GAP = 2, /* before a comment that stays where it is */
	NEW_GAP = 3,   /* before one that has to move */
	APART = 8,     /* comments further from each other are not aligned */
};

/* The keys of a block whose values stand under each other. */
struct block {
	unsigned longest, second; /* columns that the values could begin in */
	size_t members;
};

static unsigned natural(const struct fmt_line *line)
{
	return line->indent + fmt_width(line->head.text, line->head.length) +
	       (line->head.length > 0);
}

static bool is_scalar(const struct fmt_line *line)
{
	return line->kind == FMT_CONTENT && line->key && line->whole && !line->flow;
}

static bool is_flow(const struct fmt_line *line)
{
	return line->kind == FMT_CONTENT && line->key && line->flow;
}

static bool same_column(const struct fmt_page *page, size_t a, size_t b)
{
	const struct fmt_line *left = &page->lines[a], *right = &page->lines[b];

	return left->block == right->block && left->value_column == right->value_column &&
	       (is_scalar(left) || is_flow(left)) && (is_scalar(right) || is_flow(right));
}

/* Where a table of lines with values in one column ends that begins at `first`. */
static size_t table_end(const struct fmt_page *page, size_t first)
{
	size_t end = first + 1;

	while (end < page->count && same_column(page, end - 1, end))
		end++;
	return end;
}

static void count_member(struct block *block, unsigned column)
{
	if (column >= block->longest) {
		block->second = block->longest;
		block->longest = column;
	} else if (column > block->second) {
		block->second = column;
	}
	block->members++;
}

static unsigned block_column(const struct block *block)
{
	if (block->members > FEW && block->longest > block->second + MUCH)
		return block->second;
	return block->longest;
}

/* Texts keep to a table that somebody made with blanks; `wanted` says for each line which of them are
 * with the block's maps and lists. A table of texts alone gets its column here. */
static void place_table(struct fmt_page *page, size_t first, size_t end, bool *wanted)
{
	bool padded = false, with_flow = false;
	unsigned column = 0;

	for (size_t i = first; i < end; i++) {
		padded |= is_scalar(&page->lines[i]) && page->lines[i].value_gap > 1;
		with_flow |= is_flow(&page->lines[i]);
		if (natural(&page->lines[i]) > column)
			column = natural(&page->lines[i]);
	}
	for (size_t i = first; i < end && padded && end - first > 1; i++) {
		wanted[i] = with_flow;
		if (!with_flow)
			page->lines[i].value_out = column;
	}
}

static void place_values(struct fmt_page *page)
{
	bool *wanted = mw_alloc(page->count + 1, sizeof(*wanted));
	uint32_t most = 0;

	for (size_t i = 0; i < page->count; i++) {
		if (page->lines[i].block > most)
			most = page->lines[i].block;
		page->lines[i].value_out = natural(&page->lines[i]);
	}
	struct block *blocks = mw_alloc((size_t)most + 1, sizeof(*blocks));

	for (size_t i = 0; i < page->count; i++) {
		size_t end = table_end(page, i);

		place_table(page, i, end, wanted);
		i = end - 1;
	}
	for (size_t i = 0; i < page->count; i++) {
		if (is_flow(&page->lines[i]) || wanted[i])
			count_member(&blocks[page->lines[i].block], natural(&page->lines[i]));
	}
	for (size_t i = 0; i < page->count; i++) {
		struct fmt_line *line = &page->lines[i];
		unsigned column = block_column(&blocks[line->block]);

		if ((is_flow(line) || wanted[i]) && line->value_out < column)
			line->value_out = column;
	}
	free(blocks);
	free(wanted);
}

static bool in_table(const struct fmt_page *page, size_t first, size_t line)
{
	return page->lines[line].kind == FMT_CONTENT && page->lines[line].item_count &&
	       page->lines[line].block == page->lines[first].block;
}

static unsigned item_column(const struct fmt_line *line, size_t item)
{
	unsigned column = line->items[item].column;

	for (size_t i = 0; i < item; i++)
		column += line->items[i].pad;
	return column;
}

/* The column that somebody put an element into with blanks, so that it stands under its neighbour;
 * 0 where there is none. */
static unsigned made_column(const struct fmt_page *page, size_t first, size_t end, size_t item)
{
	const struct fmt_item *before = NULL;

	for (size_t i = first; i < end; i++) {
		if (page->lines[i].item_count <= item)
			continue;
		const struct fmt_item *this = &page->lines[i].items[item];

		if (before && before->source_column == this->source_column &&
		    (before->source_gap > 1 || this->source_gap > 1))
			return this->source_column;
		before = this;
	}
	return 0;
}

/* Longer lines than the table is wide stay out of it. */
static void place_item(struct fmt_page *page, size_t first, size_t end, size_t item)
{
	unsigned made = made_column(page, first, end, item), column = 0;

	if (!made)
		return;
	for (size_t i = first; i < end; i++) {
		struct fmt_line *line = &page->lines[i];

		if (line->item_count > item && item_column(line, item) <= made &&
		    item_column(line, item) > column)
			column = item_column(line, item);
	}
	for (size_t i = first; i < end; i++) {
		struct fmt_line *line = &page->lines[i];

		if (line->item_count > item && item_column(line, item) < column)
			line->items[item].pad = column - item_column(line, item);
	}
}

static void place_items(struct fmt_page *page)
{
	for (size_t first = 0; first < page->count; first++) {
		size_t end = first, most = 0;

		while (end < page->count && in_table(page, first, end)) {
			if (page->lines[end].item_count > most)
				most = page->lines[end].item_count;
			end++;
		}
		if (end - first < 2)
			continue;
		for (size_t item = 0; item < most && item < COLUMNS; item++)
			place_item(page, first, end, item);
		first = end - 1;
	}
}

/* Where a line ends without its comment. */
static unsigned line_end(const struct fmt_page *page, size_t number, unsigned value_column,
			 unsigned indent)
{
	const struct fmt_line *line = &page->lines[number];
	unsigned start = line->value_out, width = fmt_width(line->value.text, line->value.length);

	if (line->kind == FMT_COMMENT)
		return 0;
	if (line->kind == FMT_MORE)
		start = (line->anchor.value ? value_column : indent) + line->anchor.offset;
	for (size_t i = 0; i < line->item_count; i++)
		width += line->items[i].pad;
	return width ? start + width : line->kind == FMT_MORE ? 0 : start - (line->head.length > 0);
}

static bool has_end_comment(const struct fmt_line *line)
{
	return line->comment.length && (line->kind != FMT_COMMENT || line->continues) &&
	       (line->kind != FMT_MORE || line->value.length);
}

static bool far_apart(const struct fmt_line *a, const struct fmt_line *b)
{
	return a->comment_column > b->comment_column + APART ||
	       b->comment_column > a->comment_column + APART;
}

static void place_comments(struct fmt_page *page)
{
	unsigned value_column = 0, indent = 0;

	for (size_t first = 0; first < page->count; first++) {
		unsigned column = 0, least = 0;
		size_t end = first;

		for (; end < page->count; end++) {
			const struct fmt_line *line = &page->lines[end];

			if (line->kind == FMT_CONTENT)
				value_column = line->value_out, indent = line->indent;
			if (!has_end_comment(line) || (end > first && far_apart(line - 1, line)))
				break;
			unsigned stop = line_end(page, end, value_column, indent);

			least = stop > least ? stop : least;
			column = line->comment_column > column ? line->comment_column : column;
		}
		if (column < least + LEAST_GAP)
			column = least + NEW_GAP;
		for (size_t i = first; i < end; i++)
			page->lines[i].comment_out = column;
		first = end > first ? end - 1 : first;
	}
}

void fmt_layout(struct fmt_page *page)
{
	place_values(page);
	place_items(page);
	place_comments(page);
}
