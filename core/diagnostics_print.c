/* Findings as text: excerpts with carets at every party, or one line each. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics.h"
#include "core/diagnostics_internal.h"

/* A line longer than LONGEST_EXCERPT bytes is cut to a window round the caret. */
enum { LONGEST_EXCERPT = 200, BEFORE_CARET = 60 };

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

struct mw_source *mw_diag_source(struct mw_diagnostics *diagnostics, struct mw_span span)
{
	if (span.source == 0 || span.source > diagnostics->source_count)
		return NULL;
	struct mw_source *source = &diagnostics->sources[span.source - 1];

	mw_source_make_index(diagnostics, source);
	return source;
}

struct mw_place mw_span_place(struct mw_diagnostics *diagnostics, struct mw_span span, size_t byte)
{
	struct mw_source *source = mw_diag_source(diagnostics, span);
	struct mw_place place = { .byte = byte };

	if (source) {
		place.file = source->name;
		mw_source_position(source, byte, &place.line, &place.column);
	}
	return place;
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
	mw_diag_put_excerpt(printer->out, source->text + window->from, window->to - window->from);
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
	unsigned before =
		mw_diag_put_excerpt(NULL, source->text + window->from, from - window->from);
	unsigned count = mw_diag_put_excerpt(NULL, source->text + from, to - from);

	put_frame(printer, " |");
	fprintf(printer->out, " %*s%s", (int)(before + (window->cut_left ? 3 : 0)), "",
		mark->primary ? severity_colour : printer->colours->secondary);
	for (unsigned i = 0; i < count || i == 0; i++)
		putc(mark->primary ? '^' : '-', printer->out);
	if (mark->label && mark->label[0]) {
		putc(' ', printer->out);
		mw_diag_put_text(printer->out, mark->label);
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
	struct mw_source *source = mw_diag_source(printer->diagnostics, marks[first].span);
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
	struct mw_source *source = mw_diag_source(printer->diagnostics, span);
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
		mw_diag_put_text(printer->out, place.file ? place.file : "");
		fprintf(printer->out, ":%u:%u\n", place.line, place.column);
		if (i == 0) {
			put_frame(printer, " |");
			putc('\n', printer->out);
		}
		i += put_group(printer, i, severity_colour);
	}
}

static void put_line_of(struct printer *printer, const char *text, size_t length)
{
	char *line = mw_alloc(length + 1, 1);

	memcpy(line, text, length);
	mw_diag_put_text(printer->out, line);
	free(line);
}

/* The lines after the first: text for the profile. */
static void put_help_lines(struct printer *printer, const char *help)
{
	while (*help) {
		size_t length = strcspn(help, "\n");

		put_frame(printer, " | ");
		put_line_of(printer, help, length);
		putc('\n', printer->out);
		help += length + (help[length] == '\n');
	}
}

static void put_fix(struct printer *printer, const struct mw_diag *diag)
{
	struct mw_diag_lines lines;

	mw_diag_fix_lines(printer->diagnostics, diag, &lines);
	for (size_t i = 0; i < lines.count; i++) {
		const struct mw_diag_line *line = &lines.items[i];

		if (line->place.file) {
			put_frame(printer, ":::");
			putc(' ', printer->out);
			mw_diag_put_text(printer->out, line->place.file);
			fprintf(printer->out, ":%u\n", line->place.line);
		}
		put_frame(printer, line->removed ? " - " : " | ");
		mw_diag_put_excerpt(printer->out, line->text, line->length);
		fputs(line->cut ? "...\n" : "\n", printer->out);
	}
	if (lines.more)
		fprintf(printer->out, "%s...%s\n", printer->colours->frame, printer->colours->off);
	free(lines.text);
	free(lines.items);
}

/* The first line of a help stands alone, what the profile would say follows in the frame: as the fix
 * would make it, or as the help's own further lines have it. */
static void put_cure(struct printer *printer, const struct mw_diag *diag)
{
	static const char *const marks[] = { "[safe fix]", "[unsafe fix]", "[fill in]" };
	const char *help = diag->help ? diag->help : "write";
	size_t first = strcspn(help, "\n");

	if (!diag->help && !diag->fix)
		return;
	fprintf(printer->out, "%shelp%s: ", printer->colours->help, printer->colours->off);
	put_line_of(printer, help, first);
	if (diag->fix)
		fprintf(printer->out, "  %s%s%s", printer->colours->secondary,
			marks[diag->fix->safety], printer->colours->off);
	putc('\n', printer->out);
	if (diag->fix)
		put_fix(printer, diag);
	else if (help[first])
		put_help_lines(printer, help + first + 1);
}

static void put_full(struct printer *printer, const struct mw_diag *diag)
{
	const struct palette *colours = printer->colours;

	fprintf(printer->out, "%s%s", colours->severity[diag->severity],
		mw_severity_name(diag->severity));
	if (diag->code[0])
		fprintf(printer->out, "[%s]", diag->code);
	fprintf(printer->out, "%s%s: ", colours->off, colours->bold);
	mw_diag_put_text(printer->out, diag->message);
	fprintf(printer->out, "%s\n", colours->off);
	collect_marks(printer, diag);
	put_snippets(printer, diag);
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (note->span.source)
			continue;
		put_frame(printer, " = ");
		fprintf(printer->out, "%snote%s: ", colours->bold, colours->off);
		mw_diag_put_text(printer->out, note->text);
		putc('\n', printer->out);
	}
	put_cure(printer, diag);
}

static void put_concise(struct printer *printer, const struct mw_diag *diag)
{
	struct mw_place place = mw_span_place(printer->diagnostics, diag->span, diag->span.byte);

	if (place.file) {
		mw_diag_put_text(printer->out, place.file);
		fprintf(printer->out, ":%u:%u: ", place.line, place.column);
	}
	if (diag->code[0])
		fprintf(printer->out, "%c %s ", "EWH"[diag->severity], diag -> code);
	else
		fprintf(printer->out, "%s: ", mw_severity_name(diag->severity));
	mw_diag_put_text(printer->out, diag->message);
	if (diag->help) {
		fputs("; ", printer->out);
		put_line_of(printer, diag->help, strcspn(diag->help, "\n"));
	}
	putc('\n', printer->out);
}

/* One write for each finding: standard error is not buffered. */
static void print_each(struct printer *printer, FILE *out, enum mw_diag_format format)
{
	const char *separator = "";
	char *text = NULL;
	size_t length = 0;

	printer->out = open_memstream(&text, &length);
	if (!printer->out)
		return;
	for (size_t i = 0; i < printer->diagnostics->count; i++) {
		const struct mw_diag *diag = printer->diagnostics->items[i];

		if (diag->hidden)
			continue;
		rewind(printer->out);
		fputs(separator, printer->out);
		if (format == MW_DIAG_FULL)
			put_full(printer, diag), separator = "\n";
		else
			put_concise(printer, diag);
		fflush(printer->out);
		fwrite(text, 1, length, out);
	}
	fclose(printer->out);
	free(text);
}

void mw_diag_print_text(struct mw_diagnostics *diagnostics, FILE *out, bool full, bool colour)
{
	struct printer printer = { .diagnostics = diagnostics,
				   .colours = colour ? &coloured : &plain };

	print_each(&printer, out, full ? MW_DIAG_FULL : MW_DIAG_CONCISE);
	free(printer.marks);
}

void mw_diagnostics_excerpt(struct mw_diagnostics *diagnostics, FILE *out, struct mw_span span,
			    const char *label, bool colour)
{
	struct mw_diag diag = { .severity = MW_SEVERITY_HINT, .span = span, .label = label };
	struct printer printer = { .diagnostics = diagnostics,
				   .out = out,
				   .colours = colour ? &coloured : &plain };

	collect_marks(&printer, &diag);
	put_snippets(&printer, &diag);
	free(printer.marks);
}

void mw_diagnostics_print(struct mw_diagnostics *diagnostics, FILE *out, enum mw_diag_format format,
			  bool colour)
{
	mw_diagnostics_sort(diagnostics);
	switch (format) {
	case MW_DIAG_FULL:
	case MW_DIAG_CONCISE:
		mw_diag_print_text(diagnostics, out, format == MW_DIAG_FULL, colour);
		break;
	case MW_DIAG_JSON:
	case MW_DIAG_JSONL: mw_diag_print_json(diagnostics, out, format == MW_DIAG_JSONL); break;
	case MW_DIAG_SARIF: mw_diag_print_sarif(diagnostics, out); break;
	case MW_DIAG_GITHUB: mw_diag_print_github(diagnostics, out); break;
	case MW_DIAG_JUNIT: mw_diag_print_junit(diagnostics, out); break;
	}
}
