/* Maps and lists in braces and brackets: one blank where the style has one, line breaks kept. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tools/fmt/scan.h"

/* A brace or bracket that is open. */
struct level {
	char bracket;
	struct fmt_anchor opened;  /* of the line it stands in */
	struct fmt_anchor place;   /* the bracket itself */
	struct fmt_anchor members; /* of lines that begin with a member */
	bool filled, hanging;      /* has a member; the first one began a line */
};

struct flow {
	struct fmt_scan *scan;
	struct level levels[FMT_DEPTH];
	unsigned depth, peak;
	size_t line;
	FILE *out;
	char *text;
	size_t size;
	unsigned width;
	char before; /* what was written last: ',' ':' '{' '[' 'v' for a value, or NUL */
	struct fmt_anchor current; /* of this line's start */
	struct fmt_anchor hang;    /* what a member of its own line is two further in than */
	size_t first;
	unsigned source_start; /* column of the first brace */
	struct fmt_item *items;
	size_t item_count, item_capacity;
};

static void put(struct flow *flow, const char *text, size_t length)
{
	fwrite(text, 1, length, flow->out);
	flow->width += fmt_width(text, length);
}

/* Ends the line that is being written. */
static void end_line(struct flow *flow)
{
	struct fmt_page *page = flow->scan->page;

	fflush(flow->out);
	page->lines[flow->line].value =
		(struct fmt_piece){ mw_arena_strndup(&page->arena, flow->text, flow->size),
				    flow->size };
	rewind(flow->out);
	flow->width = 0;
	flow->before = '\0';
}

static struct fmt_anchor further(struct fmt_anchor anchor, unsigned more)
{
	anchor.offset += more;
	return anchor;
}

/* Begins a line with a member, a comment or a closing bracket. */
static void begin_line(struct flow *flow, bool closes)
{
	struct level *level = &flow->levels[flow->depth - 1];

	if (!level->filled && !closes) {
		level->members = further(level->opened, 2);
		level->hanging = true;
	}
	flow->current = level->members;
	if (closes)
		flow->current = level->filled && !level->hanging ? level->place : level->opened;
	flow->hang = flow->current;
	flow->line = fmt_add_line(flow->scan, FMT_MORE);
	flow->scan->page->lines[flow->line].anchor = flow->current;
}

static void add_item(struct flow *flow, unsigned gap)
{
	if (flow->item_count == flow->item_capacity) {
		flow->item_capacity = flow->item_capacity ? 2 * flow->item_capacity : 8;
		flow->items = mw_grow(flow->items, flow->item_capacity, sizeof(*flow->items));
	}
	fflush(flow->out);
	flow->items[flow->item_count++] = (struct fmt_item){
		.offset = flow->size,
		.column = flow->width,
		.source_column = flow->scan->column - flow->source_start,
		.source_gap = gap,
	};
}

/* The blank before a member or a value, and what the place says about those that follow. */
static void separate(struct flow *flow, unsigned gap)
{
	struct level *level = &flow->levels[flow->depth - 1];

	if (flow->before && flow->before != '[')
		put(flow, " ", 1);
	if (flow->before == ',' && flow->depth == 1 && level->bracket == '{' &&
	    flow->line == flow->first)
		add_item(flow, gap);
	if (!level->filled && !level->hanging)
		level->members = further(flow->current, flow->width);
	level->filled = true;
}

static void open_level(struct flow *flow)
{
	char bracket = fmt_peek(flow->scan, 0);

	if (flow->depth == FMT_DEPTH) {
		fmt_refuse(flow->scan, "this is nested too deep");
		return;
	}
	flow->levels[flow->depth++] = (struct level){
		.bracket = bracket,
		.opened = flow->hang,
		.place = further(flow->current, flow->width),
	};
	put(flow, &bracket, 1);
	flow->before = bracket;
	fmt_advance(flow->scan, 1);
}

static void close_level(struct flow *flow)
{
	char bracket = fmt_peek(flow->scan, 0);
	const struct level *level = &flow->levels[--flow->depth];

	if ((bracket == '}') != (level->bracket == '{')) {
		fmt_refuse(flow->scan, "this bracket closes none that is open");
		return;
	}
	if ((bracket == '}' && flow->before && flow->before != '{') || flow->before == ':')
		put(flow, " ", 1);
	put(flow, &bracket, 1);
	flow->before = 'v';
	fmt_advance(flow->scan, 1);
}

/* A text over several lines goes on in lines of its own. */
static void put_text(struct flow *flow, size_t end)
{
	struct fmt_scan *scan = flow->scan;

	while (scan->at < end) {
		const char *feed = memchr(scan->text + scan->at, '\n', end - scan->at);
		size_t stop = feed ? (size_t)(feed - scan->text) : end, last = stop;

		while (feed && last > scan->at && fmt_is_blank(scan->text[last - 1]))
			last--;
		if (last < stop && last > scan->at && scan->text[last - 1] == '\\')
			last++;
		put(flow, scan->text + scan->at, last - scan->at);
		fmt_advance(scan, stop - scan->at);
		if (!feed)
			break;
		end_line(flow);
		fmt_next_line(scan);
		if (scan->at < end)
			fmt_skip_blanks(scan);
		flow->current = flow->hang = flow->levels[flow->depth - 1].members;
		flow->line = fmt_add_line(scan, FMT_MORE);
		scan->page->lines[flow->line].anchor = flow->current;
		scan->page->lines[flow->line].exact = true;
	}
	flow->before = 'v';
}

/* Where a plain text ends that may go on in the next lines. */
static size_t plain_end(const struct fmt_scan *scan)
{
	struct fmt_scan look = *scan;

	for (;;) {
		size_t end = look.at + fmt_plain_length(&look, true);
		bool none = end == look.at;

		look.at = end;
		while (fmt_is_blank(fmt_peek(&look, 0)))
			look.at++;
		if (none || !fmt_at_line_end(&look))
			return end;
		while (look.at < look.length && strchr(" \t\n", look.text[look.at]))
			look.at++;
		if (look.at >= look.length || strchr("#,[]{}", look.text[look.at]) ||
		    (look.text[look.at] == ':' && fmt_ends_word(fmt_peek(&look, 1))))
			return end;
	}
}

static void put_scalar(struct flow *flow)
{
	struct fmt_scan *scan = flow->scan;
	char first = fmt_peek(scan, 0);
	bool quoted = first == '"' || first == '\'';
	size_t end = quoted ? fmt_quoted_end(scan) : plain_end(scan);

	if (end == scan->at || (first == '?' && fmt_ends_word(fmt_peek(scan, 1)))) {
		fmt_refuse(scan, "this cannot be formatted");
		return;
	}
	struct fmt_piece piece = { scan->text + scan->at, end - scan->at };

	if (memchr(piece.text, '\n', piece.length)) {
		put_text(flow, end);
		return;
	}
	piece = fmt_usual_quotes(scan, piece);
	put(flow, piece.text, piece.length);
	fmt_advance(scan, end - scan->at);
	flow->before = 'v';
}

static void put_sign(struct flow *flow)
{
	char sign = fmt_peek(flow->scan, 0);

	if (sign == ':' && flow->before != 'v')
		separate(flow, 1);
	else if (flow->before == ':')
		put(flow, " ", 1);
	put(flow, &sign, 1);
	flow->before = sign;
	fmt_advance(flow->scan, 1);
}

/* Steps over the ends of lines and comments; true when a new line is due. */
static bool skip_lines(struct flow *flow)
{
	struct fmt_scan *scan = flow->scan;
	bool ended = false, blank = false;

	for (;;) {
		bool comment = fmt_peek(scan, 0) == '#';

		if (scan->at >= scan->length || (!comment && !fmt_at_line_end(scan)))
			break;
		if (!ended)
			end_line(flow);
		if (comment && ended)
			begin_line(flow, false), end_line(flow);
		if (comment)
			fmt_take_comment(scan, flow->line);
		else if (ended)
			blank = true;
		if (comment || !ended || !blank)
			blank = false;
		fmt_next_line(scan);
		fmt_skip_blanks(scan);
		if (fmt_at_line_end(scan) && scan->at < scan->length)
			fmt_add_line(scan, FMT_BLANK);
		ended = true;
	}
	return ended;
}

static void step(struct flow *flow)
{
	struct fmt_scan *scan = flow->scan;
	unsigned gap = fmt_skip_blanks(scan);
	bool fresh = skip_lines(flow);
	char byte = fmt_peek(scan, 0);
	bool colon = byte == ':' && (flow->before == 'v' || fmt_ends_word(fmt_peek(scan, 1)));

	if (scan->at >= scan->length) {
		fmt_refuse(scan, "this bracket is not closed");
		return;
	}
	if (fresh)
		begin_line(flow, byte == '}' || byte == ']');
	if (byte == '}' || byte == ']') {
		close_level(flow);
	} else if (byte == ',' || colon) {
		put_sign(flow);
	} else {
		separate(flow, gap);
		if (byte == '{' || byte == '[')
			open_level(flow);
		else
			put_scalar(flow);
	}
}

void fmt_flow(struct fmt_scan *scan, size_t line, unsigned dashes)
{
	struct flow *flow = mw_alloc(1, sizeof(*flow));
	struct fmt_page *page = scan->page;

	flow->scan = scan;
	flow->line = flow->first = line;
	flow->current = (struct fmt_anchor){ .value = true };
	flow->hang = (struct fmt_anchor){ .offset = dashes };
	flow->source_start = scan->column;
	flow->out = open_memstream(&flow->text, &flow->size);
	if (flow->out)
		open_level(flow);
	while (flow->out && flow->depth && !page->trouble)
		step(flow);
	if (flow->out)
		end_line(flow), fclose(flow->out);
	page->lines[line].flow = true;
	page->lines[line].whole = flow->line == line;
	if (flow->line == line && flow->item_count) {
		page->lines[line].items =
			mw_arena_alloc(&page->arena, flow->item_count, sizeof(*flow->items));
		memcpy(page->lines[line].items, flow->items,
		       flow->item_count * sizeof(*flow->items));
		page->lines[line].item_count = flow->item_count;
	}
	free(flow->items);
	free(flow->text);
	free(flow);
}
