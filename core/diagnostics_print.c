/* Findings as text: excerpts with carets at every party, or one line each. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics.h"
#include "core/diagnostics_internal.h"

/* A line longer than LONGEST_EXCERPT bytes is cut to a window round the caret. */
enum { LONGEST_EXCERPT = 200, BEFORE_CARET = 60, TAB_WIDTH = 4 };

struct palette {
	const char *severity[3], *frame, *help, *bold, *secondary, *off;
};
static const struct palette plain = { { "", "", "" }, "", "", "", "", "" };
static const struct palette coloured = { { "\033[1;31m", "\033[1;33m", "\033[1;36m" },
					 "\033[1;34m",
					 "\033[1;32m",
					 "\033[1m",
					 "\033[1;34m",
					 "\033[0m" };

/* A span to underline. */
struct mark {
	struct mw_span span;
	const char *label;
	bool primary;
	size_t group, order; /* place of its source in the report, place among the notes */
};

struct printer {
	struct mw_diagnostics *diagnostics;
	FILE *out;
	const struct palette *colours;
	int gutter; /* digits of the largest line number of this finding */
	struct mark *marks;
	size_t mark_count, mark_capacity;
};

const char *mw_severity_name(enum mw_severity severity)
{
	static const char *const names[] = { "error", "warning", "hint" };

	return names[severity];
}

static struct mw_source *find_source(struct mw_diagnostics *diagnostics, struct mw_span span)
{
	if (span.source == 0 || span.source > diagnostics->source_count)
		return NULL;
	struct mw_source *source = &diagnostics->sources[span.source - 1];

	mw_source_make_index(diagnostics, source);
	return source;
}

struct mw_place mw_span_place(struct mw_diagnostics *diagnostics, struct mw_span span, size_t byte)
{
	struct mw_source *source = find_source(diagnostics, span);
	struct mw_place place = { .byte = byte };

	if (source) {
		place.file = source->name;
		mw_source_position(source, byte, &place.line, &place.column);
	}
	return place;
}

size_t mw_utf8_decode(const char *text, size_t length, uint32_t *point)
{
	unsigned char first = (unsigned char)text[0];
	size_t count = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	*point = 0xfffd;
	if (count == 1)
		*point = first;
	if (count == 1 || first < 0xc2 || first > 0xf4 || count > length)
		return 1;
	uint32_t value = first & (0x7fu >> count);

	for (size_t i = 1; i < count; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | ((unsigned char)text[i] & 0x3f);
	}
	*point = value;
	return count;
}

static bool in_ranges(uint32_t point, const uint32_t (*ranges)[2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (point >= ranges[i][0] && point <= ranges[i][1])
			return true;
	}
	return false;
}

/* Text that came from outside must not steer the terminal: controls and direction marks. */
static bool is_unsafe(uint32_t point)
{
	static const uint32_t ranges[][2] = { { 0x00, 0x1f },     { 0x7f, 0x9f },
					      { 0x200e, 0x200f }, { 0x2028, 0x202e },
					      { 0x2066, 0x2069 }, { 0xfeff, 0xfeff } };

	return in_ranges(point, ranges, sizeof(ranges) / sizeof(ranges[0]));
}

/* Columns on a terminal, after Unicode's East Asian Width (UAX 11) and combining marks. */
static unsigned width_of(uint32_t point)
{
	static const uint32_t none[][2] = {
		{ 0x300, 0x36f }, { 0x200b, 0x200d }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }
	};
	static const uint32_t two[][2] = { { 0x1100, 0x115f },   { 0x2e80, 0xa4cf },
					   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
					   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
					   { 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff },
					   { 0x20000, 0x3fffd } };

	if (point < 0x300)
		return 1;
	if (in_ranges(point, none, sizeof(none) / sizeof(none[0])))
		return 0;
	return in_ranges(point, two, sizeof(two) / sizeof(two[0])) ? 2 : 1;
}

/* Writes an excerpt (or, with `out` NULL, measures it) and returns its width. */
static unsigned put_excerpt(FILE *out, const char *text, size_t length)
{
	unsigned width = 0;

	for (size_t i = 0; i < length;) {
		uint32_t point;
		size_t count = mw_utf8_decode(text + i, length - i, &point);

		if (point == '\t') {
			width += TAB_WIDTH;
			if (out)
				fprintf(out, "%*s", TAB_WIDTH, "");
		} else if (point == 0xfffd || is_unsafe(point)) {
			width++;
			if (out)
				fputs("\xef\xbf\xbd", out);
		} else {
			width += width_of(point);
			if (out)
				fwrite(text + i, 1, count, out);
		}
		i += count;
	}
	return width;
}

static void put_text(FILE *out, const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length;) {
		uint32_t point;
		size_t count = mw_utf8_decode(text + i, length - i, &point);

		if (is_unsafe(point))
			fprintf(out, point < 0x100 ? "\\x%02x" : "\\u%04x", point);
		else if (point == 0xfffd && count == 1)
			fprintf(out, "\\x%02x", (unsigned char)text[i]);
		else
			fwrite(text + i, 1, count, out);
		i += count;
	}
}

/* A stretch of one line that is shown. */
struct window {
	size_t from, to;
	bool cut_left, cut_right;
};

static struct window window_round(const struct mw_source *source, size_t byte)
{
	size_t line = mw_source_line(source, byte);
	size_t start = source->index->lines[line];
	size_t end = line + 1 < source->index->line_count ? source->index->lines[line + 1] - 1
							  : source->length;

	if (end > start && source->text[end - 1] == '\r')
		end--;
	struct window window = { .from = start, .to = end };

	if (end - start <= LONGEST_EXCERPT)
		return window;
	if (byte - start > BEFORE_CARET)
		window.from = byte - BEFORE_CARET;
	if (end - window.from > LONGEST_EXCERPT)
		window.to = window.from + LONGEST_EXCERPT;
	while (window.from < byte && ((unsigned char)source->text[window.from] & 0xc0) == 0x80)
		window.from++;
	while (window.to > byte && window.to < end &&
	       ((unsigned char)source->text[window.to] & 0xc0) == 0x80)
		window.to--;
	window.cut_left = window.from > start;
	window.cut_right = window.to < end;
	return window;
}

static void put_frame(struct printer *printer, const char *text)
{
	fprintf(printer->out, "%*s%s%s%s", printer->gutter, "", printer->colours->frame, text,
		printer->colours->off);
}

static void put_line(struct printer *printer, const struct mw_source *source,
		     const struct window *window)
{
	fprintf(printer->out, "%s%*zu |%s ", printer->colours->frame, printer->gutter,
		mw_source_line(source, window->from) + 1, printer->colours->off);
	if (window->cut_left)
		fputs("...", printer->out);
	put_excerpt(printer->out, source->text + window->from, window->to - window->from);
	fputs(window->cut_right ? "...\n" : "\n", printer->out);
}

static void put_carets(struct printer *printer, const struct mw_source *source,
		       const struct window *window, const struct mark *mark,
		       const char *severity_colour)
{
	size_t from = mark->span.byte, to = from + mark->span.length;

	if (to > window->to)
		to = window->to;
	if (from > to)
		from = to;
	unsigned before = put_excerpt(NULL, source->text + window->from, from - window->from);
	unsigned count = put_excerpt(NULL, source->text + from, to - from);

	put_frame(printer, " |");
	fprintf(printer->out, " %*s%s", (int)(before + (window->cut_left ? 3 : 0)), "",
		mark->primary ? severity_colour : printer->colours->secondary);
	for (unsigned i = 0; i < count || i == 0; i++)
		putc(mark->primary ? '^' : '-', printer->out);
	if (mark->label && mark->label[0]) {
		putc(' ', printer->out);
		put_text(printer->out, mark->label);
	}
	fprintf(printer->out, "%s\n", printer->colours->off);
}

static bool in_window(const struct window *window, const struct mark *mark)
{
	return mark->span.byte >= window->from &&
	       mark->span.byte <= (window->cut_right ? window->to - 1 : window->to);
}

/* Prints the marks of one source, which are sorted by place; returns how many there were. */
static size_t put_group(struct printer *printer, size_t first, const char *severity_colour)
{
	const struct mark *marks = printer->marks;
	struct mw_source *source = find_source(printer->diagnostics, marks[first].span);
	size_t last_line = 0, i = first;

	while (i < printer->mark_count && marks[i].group == marks[first].group) {
		struct window window = window_round(source, marks[i].span.byte);
		size_t line = mw_source_line(source, marks[i].span.byte);

		if (i > first && line > last_line + 1)
			fprintf(printer->out, "%s...%s\n", printer->colours->frame,
				printer->colours->off);
		put_line(printer, source, &window);
		last_line = line;
		do {
			put_carets(printer, source, &window, &marks[i++], severity_colour);
		} while (i < printer->mark_count && marks[i].group == marks[first].group &&
			 in_window(&window, &marks[i]));
	}
	return i - first;
}

static void add_mark(struct printer *printer, struct mw_span span, const char *label, bool primary)
{
	struct mw_source *source = find_source(printer->diagnostics, span);
	size_t group = printer->mark_count;

	if (!source)
		return;
	if (span.byte > source->length)
		span.byte = (uint32_t)source->length;
	for (size_t i = 0; i < printer->mark_count; i++) {
		if (printer->marks[i].span.source == span.source) {
			group = printer->marks[i].group;
			break;
		}
	}
	if (printer->mark_count == printer->mark_capacity) {
		printer->mark_capacity = printer->mark_capacity * 2 + 8;
		printer->marks =
			mw_grow(printer->marks, printer->mark_capacity, sizeof(struct mark));
	}
	printer->marks[printer->mark_count] =
		(struct mark){ span, label, primary, group, printer->mark_count };
	printer->mark_count++;
}

static int by_group(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->span.byte != b->span.byte)
		return a->span.byte < b->span.byte ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void collect_marks(struct printer *printer, const struct mw_diag *diag)
{
	unsigned largest = 1;

	printer->mark_count = 0;
	add_mark(printer, diag->span, diag->label, true);
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next)
		add_mark(printer, note->span, note->text, false);
	for (size_t i = 0; i < printer->mark_count; i++) {
		const struct mw_span span = printer->marks[i].span;
		unsigned line = mw_span_place(printer->diagnostics, span, span.byte).line;

		largest = line > largest ? line : largest;
	}
	for (printer->gutter = 1; largest >= 10; largest /= 10)
		printer->gutter++;
	if (printer->mark_count)
		qsort(printer->marks, printer->mark_count, sizeof(struct mark), by_group);
}

static void put_snippets(struct printer *printer, const struct mw_diag *diag)
{
	const char *severity_colour = printer->colours->severity[diag->severity];

	for (size_t i = 0; i < printer->mark_count;) {
		struct mw_span span = printer->marks[i].span;

		if (span.source == diag->span.source)
			span = diag->span;
		struct mw_place place = mw_span_place(printer->diagnostics, span, span.byte);

		put_frame(printer, i == 0 ? "-->" : ":::");
		putc(' ', printer->out);
		put_text(printer->out, place.file ? place.file : "");
		fprintf(printer->out, ":%u:%u\n", place.line, place.column);
		if (i == 0) {
			put_frame(printer, " |");
			putc('\n', printer->out);
		}
		i += put_group(printer, i, severity_colour);
	}
}

/* The first line stands alone; further ones are text for the profile and stand in the frame. */
static void put_help(struct printer *printer, const char *help)
{
	fprintf(printer->out, "%shelp%s: ", printer->colours->help, printer->colours->off);
	for (;;) {
		size_t length = strcspn(help, "\n");
		char *line = strndup(help, length);

		if (!line)
			return;
		put_text(printer->out, line);
		free(line);
		putc('\n', printer->out);
		if (!help[length])
			return;
		help += length + 1;
		put_frame(printer, " | ");
	}
}

static void put_full(struct printer *printer, const struct mw_diag *diag)
{
	const struct palette *colours = printer->colours;

	fprintf(printer->out, "%s%s", colours->severity[diag->severity],
		mw_severity_name(diag->severity));
	if (diag->code[0])
		fprintf(printer->out, "[%s]", diag->code);
	fprintf(printer->out, "%s%s: ", colours->off, colours->bold);
	put_text(printer->out, diag->message);
	fprintf(printer->out, "%s\n", colours->off);
	collect_marks(printer, diag);
	put_snippets(printer, diag);
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (note->span.source)
			continue;
		put_frame(printer, " = ");
		fprintf(printer->out, "%snote%s: ", colours->bold, colours->off);
		put_text(printer->out, note->text);
		putc('\n', printer->out);
	}
	if (diag->help)
		put_help(printer, diag->help);
}

/* The words of a help, without the code that may follow them. */
static void put_cure(FILE *out, const char *help)
{
	if (!help)
		return;
	char *line = mw_strdup(help);

	line[strcspn(line, "\n")] = '\0';
	fputs("; ", out);
	put_text(out, line);
	free(line);
}

static void put_concise(struct printer *printer, const struct mw_diag *diag)
{
	struct mw_place place = mw_span_place(printer->diagnostics, diag->span, diag->span.byte);

	if (place.file) {
		put_text(printer->out, place.file);
		fprintf(printer->out, ":%u:%u: ", place.line, place.column);
	}
	fputs(mw_severity_name(diag->severity), printer->out);
	if (diag->code[0])
		fprintf(printer->out, "[%s]", diag->code);
	fputs(": ", printer->out);
	put_text(printer->out, diag->message);
	put_cure(printer->out, diag->help);
	putc('\n', printer->out);
}

/* One write for each finding: standard error is not buffered. */
static void print_each(struct printer *printer, FILE *out, enum mw_diag_format format)
{
	char *text = NULL;
	size_t length = 0;

	printer->out = open_memstream(&text, &length);
	if (!printer->out)
		return;
	for (size_t i = 0; i < printer->diagnostics->count; i++) {
		rewind(printer->out);
		if (format == MW_DIAG_FULL && i > 0)
			putc('\n', printer->out);
		if (format == MW_DIAG_FULL)
			put_full(printer, printer->diagnostics->items[i]);
		else
			put_concise(printer, printer->diagnostics->items[i]);
		fflush(printer->out);
		fwrite(text, 1, length, out);
	}
	fclose(printer->out);
	free(text);
}

void mw_diagnostics_print(struct mw_diagnostics *diagnostics, FILE *out, enum mw_diag_format format,
			  bool colour)
{
	struct printer printer = { .diagnostics = diagnostics,
				   .colours = colour ? &coloured : &plain };

	mw_diagnostics_sort(diagnostics);
	if (format == MW_DIAG_JSON)
		mw_diagnostics_print_json(diagnostics, out);
	else
		print_each(&printer, out, format);
	free(printer.marks);
}
