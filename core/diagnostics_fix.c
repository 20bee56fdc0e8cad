/* What a fix would make of the lines it touches, for showing; a patch is made elsewhere. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics_internal.h"

enum { MOST_EDITS = 64, MOST_LINES = 12, LONGEST_LINE = 200 };

/* The fix's edits by place, no more than are ever shown. */
struct edits {
	const struct mw_fix_edit *items[MOST_EDITS];
	size_t count;
	bool more;
};

static int by_place(const void *left, const void *right)
{
	const struct mw_fix_edit *a = *(const struct mw_fix_edit *const *)left;
	const struct mw_fix_edit *b = *(const struct mw_fix_edit *const *)right;

	if (a->span.source != b->span.source)
		return a->span.source < b->span.source ? -1 : 1;
	return a->span.byte < b->span.byte ? -1 : a->span.byte > b->span.byte;
}

static void collect(struct mw_diagnostics *diagnostics, const struct mw_fix *fix,
		    struct edits *edits)
{
	for (const struct mw_fix_edit *edit = fix->edits; edit; edit = edit->next) {
		const struct mw_source *source = mw_diag_source(diagnostics, edit->span);

		if (!source || edit->span.byte > source->length ||
		    edit->span.length > source->length - edit->span.byte)
			continue;
		if (edits->count == MOST_EDITS) {
			edits->more = true;
			break;
		}
		edits->items[edits->count++] = edit;
	}
	if (edits->count)
		qsort(edits->items, edits->count, sizeof(edits->items[0]), by_place);
}

static size_t line_start(const struct mw_source *source, size_t byte)
{
	return source->index->lines[mw_source_line(source, byte)];
}

/* The line's end, before its line feed. */
static size_t line_end(const struct mw_source *source, size_t byte)
{
	size_t line = mw_source_line(source, byte);

	return line + 1 < source->index->line_count ? source->index->lines[line + 1] - 1
						    : source->length;
}

static size_t edit_end(const struct mw_fix_edit *edit)
{
	return (size_t)edit->span.byte + edit->span.length;
}

static bool ends_line(const char *text, size_t length)
{
	return length == 0 || text[length - 1] == '\n';
}

/* Where the last line that the edit touches ends. Whole lines gone leave the next one alone. */
static size_t touched_end(const struct mw_source *source, const struct mw_fix_edit *edit)
{
	size_t from = edit->span.byte, to = edit_end(edit);

	if (to > from && source->text[to - 1] == '\n' && line_start(source, from) == from &&
	    ends_line(edit->text, strlen(edit->text)))
		return to - 1;
	return line_end(source, to);
}

/* The edits from `first` on whose lines meet, and the lines they touch. */
struct stretch {
	const struct mw_source *source;
	size_t first, end; /* edits */
	size_t from, to;   /* bytes */
};

static struct stretch next_stretch(struct mw_diagnostics *diagnostics, const struct edits *edits,
				   size_t first)
{
	const struct mw_fix_edit *edit = edits->items[first];
	struct stretch stretch = { .source = mw_diag_source(diagnostics, edit->span),
				   .first = first };

	stretch.from = line_start(stretch.source, edit->span.byte);
	stretch.to = touched_end(stretch.source, edit);
	for (stretch.end = first + 1; stretch.end < edits->count; stretch.end++) {
		edit = edits->items[stretch.end];
		if (edit->span.source != edits->items[first]->span.source ||
		    line_start(stretch.source, edit->span.byte) > stretch.to + 1)
			break;
		if (touched_end(stretch.source, edit) > stretch.to)
			stretch.to = touched_end(stretch.source, edit);
	}
	return stretch;
}

static void write_edited(FILE *out, const struct edits *edits, const struct stretch *stretch)
{
	size_t at = stretch->from;

	for (size_t i = stretch->first; i < stretch->end; i++) {
		const struct mw_fix_edit *edit = edits->items[i];

		if (edit->span.byte > at)
			fwrite(stretch->source->text + at, 1, edit->span.byte - at, out);
		fputs(edit->text, out);
		if (edit_end(edit) > at)
			at = edit_end(edit);
	}
	if (at < stretch->to)
		fwrite(stretch->source->text + at, 1, stretch->to - at, out);
}

static bool is_blank(const char *text, size_t length)
{
	while (length && strchr(" \t\r\n", text[length - 1]))
		length--;
	return length == 0;
}

/* Adds the lines of a text; `place` goes with the first. */
static void add_lines(struct mw_diag_lines *lines, const char *text, size_t length, bool removed,
		      struct mw_place place)
{
	for (size_t at = 0; at < length;) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t size = end ? (size_t)(end - text) - at : length - at;
		struct mw_diag_line line = { .text = text + at,
					     .length = size,
					     .removed = removed };

		at += size + 1;
		if (is_blank(line.text, size))
			continue;
		if (lines->count == MOST_LINES) {
			lines->more = true;
			return;
		}
		if (size > LONGEST_LINE) {
			line.cut = true;
			line.length = LONGEST_LINE;
			while (((unsigned char)line.text[line.length] & 0xc0) == 0x80)
				line.length--;
		}
		line.place = place;
		place.file = NULL;
		lines->items[lines->count++] = line;
	}
}

/* Where each stretch's new text begins in the one buffer, known once it is written. */
struct piece {
	struct stretch stretch;
	size_t from, to;
};

static void list_piece(struct mw_diagnostics *diagnostics, const struct mw_diag *diag,
		       const struct edits *edits, const struct piece *piece,
		       struct mw_diag_lines *lines)
{
	const struct stretch *stretch = &piece->stretch;
	struct mw_span span = edits->items[stretch->first]->span;
	struct mw_place place = mw_span_place(diagnostics, span, span.byte);
	const char *text = lines->text + piece->from;
	size_t length = piece->to - piece->from;

	if (span.source == diag->span.source)
		place.file = NULL;
	if (is_blank(text, length))
		add_lines(lines, stretch->source->text + stretch->from, stretch->to - stretch->from,
			  true, place);
	else
		add_lines(lines, text, length, false, place);
}

void mw_diag_fix_lines(struct mw_diagnostics *diagnostics, const struct mw_diag *diag,
		       struct mw_diag_lines *lines)
{
	struct edits edits = { 0 };
	struct piece pieces[MOST_LINES];
	size_t count = 0, size = 0;

	*lines = (struct mw_diag_lines){ 0 };
	FILE *out = open_memstream(&lines->text, &size);

	if (!out)
		return;
	collect(diagnostics, diag->fix, &edits);
	for (size_t i = 0; i < edits.count && count < MOST_LINES; i = pieces[count++].stretch.end) {
		pieces[count].stretch = next_stretch(diagnostics, &edits, i);
		pieces[count].from = (size_t)ftell(out);
		write_edited(out, &edits, &pieces[count].stretch);
		pieces[count].to = (size_t)ftell(out);
	}
	fclose(out);
	lines->items = mw_alloc(MOST_LINES, sizeof(*lines->items));
	lines->more = edits.more;
	for (size_t i = 0; i < count; i++)
		list_piece(diagnostics, diag, &edits, &pieces[i], lines);
}
