/* The list of findings: adding, sorting, positions and near names. */
// SPDX-License-Identifier: MIT
#include "core/diagnostics.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics_internal.h"

enum { LONGEST_NAME = 64, LONGEST_TEXT = 1000 };

void mw_diagnostics_fini(struct mw_diagnostics *diagnostics)
{
	free(diagnostics->sources);
	free(diagnostics->items);
	mw_arena_fini(&diagnostics->arena);
	*diagnostics = (struct mw_diagnostics){ 0 };
}

uint32_t mw_diagnostics_source(struct mw_diagnostics *diagnostics, const char *name,
			       const char *text, size_t length)
{
	size_t count = diagnostics->source_count;

	if ((count & (count + 1)) == 0)
		diagnostics->sources =
			mw_grow(diagnostics->sources, 2 * count + 2, sizeof(*diagnostics->sources));
	diagnostics->sources[count] = (struct mw_source){
		.name = mw_arena_strdup(&diagnostics->arena, name),
		.text = mw_arena_strndup(&diagnostics->arena, text, length),
		.length = length,
	};
	diagnostics->source_count++;
	return (uint32_t)diagnostics->source_count;
}

static void append(struct mw_diagnostics *diagnostics, struct mw_diag *diag)
{
	if (diagnostics->count == diagnostics->capacity) {
		diagnostics->capacity = diagnostics->capacity ? diagnostics->capacity * 2 : 16;
		diagnostics->items = mw_grow(diagnostics->items, diagnostics->capacity,
					     sizeof(struct mw_diag *));
	}
	diag->order = diagnostics->count;
	diagnostics->items[diagnostics->count++] = diag;
	if (diag->severity == MW_SEVERITY_ERROR)
		diagnostics->errors++;
	else if (diag->severity == MW_SEVERITY_WARNING)
		diagnostics->warnings++;
}

static bool starts_code_point(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/* Texts quote what the reader wrote, which may be megabytes: they are cut to a bearable length. */
static const char *format_text(struct mw_diagnostics *diagnostics, const char *format,
			       va_list arguments)
{
	char text[LONGEST_TEXT + 4];
	int length = vsnprintf(text, LONGEST_TEXT + 1, format, arguments);
	size_t end = LONGEST_TEXT;

	if (length > LONGEST_TEXT) {
		while (end > 0 && !starts_code_point(text[end - 1]))
			end--;
		end -= end > 0;
		memcpy(text + end, "...", 4);
	}
	return mw_arena_strdup(&diagnostics->arena, text);
}

struct mw_diag *mw_diagnostics_add(struct mw_diagnostics *diagnostics, enum mw_severity severity,
				   const char *code, struct mw_span span, const char *format, ...)
{
	struct mw_diag *diag = mw_arena_alloc(&diagnostics->arena, 1, sizeof(*diag));
	va_list arguments;

	diag->severity = severity;
	diag->code = code;
	diag->span = span;
	va_start(arguments, format);
	diag->message = format_text(diagnostics, format, arguments);
	va_end(arguments);
	append(diagnostics, diag);
	return diag;
}

void mw_diag_label(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *format,
		   ...)
{
	va_list arguments;

	va_start(arguments, format);
	diag->label = format_text(diagnostics, format, arguments);
	va_end(arguments);
}

void mw_diag_note(struct mw_diagnostics *diagnostics, struct mw_diag *diag, struct mw_span span,
		  const char *format, ...)
{
	struct mw_diag_note *note = mw_arena_alloc(&diagnostics->arena, 1, sizeof(*note));
	struct mw_diag_note **end = &diag->notes;
	va_list arguments;

	note->span = span;
	va_start(arguments, format);
	note->text = format_text(diagnostics, format, arguments);
	va_end(arguments);
	while (*end)
		end = &(*end)->next;
	*end = note;
}

void mw_diag_help(struct mw_diagnostics *diagnostics, struct mw_diag *diag, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	diag->help = format_text(diagnostics, format, arguments);
	va_end(arguments);
}

static int by_place(const void *left, const void *right)
{
	const struct mw_diag *a = *(struct mw_diag *const *)left;
	const struct mw_diag *b = *(struct mw_diag *const *)right;

	if (a->span.source != b->span.source)
		return a->span.source < b->span.source ? -1 : 1;
	if (a->span.byte != b->span.byte)
		return a->span.byte < b->span.byte ? -1 : 1;
	int order = strcmp(a->code, b->code);

	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

void mw_diag_fix(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		 enum mw_fix_safety safety, struct mw_span span, const char *format, ...)
{
	struct mw_fix_edit *edit = mw_arena_alloc(&diagnostics->arena, 1, sizeof(*edit));
	va_list arguments;

	if (!diag->fix)
		diag->fix = mw_arena_alloc(&diagnostics->arena, 1, sizeof(*diag->fix));
	diag->fix->safety = safety;
	va_start(arguments, format);
	*edit = (struct mw_fix_edit){
		.span = span, .text = mw_arena_vprintf(&diagnostics->arena, format, arguments)
	};
	va_end(arguments);
	struct mw_fix_edit **link = &diag->fix->edits;

	while (*link)
		link = &(*link)->next;
	*link = edit;
}

void mw_diag_hide(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		  enum mw_diag_hidden hidden, const char *reason)
{
	if (diag->hidden == MW_DIAG_SHOWN && diag->severity == MW_SEVERITY_ERROR)
		diagnostics->errors--;
	else if (diag->hidden == MW_DIAG_SHOWN && diag->severity == MW_SEVERITY_WARNING)
		diagnostics->warnings--;
	diag->hidden = hidden;
	diag->reason = reason ? mw_arena_strdup(&diagnostics->arena, reason) : NULL;
}

void mw_diagnostics_sort(struct mw_diagnostics *diagnostics)
{
	if (diagnostics->count)
		qsort(diagnostics->items, diagnostics->count, sizeof(struct mw_diag *), by_place);
}

/* `/devices/c1/io` and `/devices/c10/io` */
static bool differ_in_number(const char *a, const char *b)
{
	size_t common = 0;

	while (a[common] && a[common] == b[common])
		common++;
	while (common && isdigit((unsigned char)a[common - 1]))
		common--;
	size_t digits_a = strspn(a + common, "0123456789");
	size_t digits_b = strspn(b + common, "0123456789");

	return digits_a && digits_b && strcmp(a + common + digits_a, b + common + digits_b) == 0;
}

static bool is_copy(const struct mw_diag *a, const struct mw_diag *b)
{
	return a->span.source && a->span.source == b->span.source && a->span.byte == b->span.byte &&
	       a->span.length == b->span.length && a->severity == b->severity && a->node &&
	       b->node && strcmp(a->code, b->code) == 0 && differ_in_number(a->node, b->node);
}

static void tell_copies(struct mw_diagnostics *diagnostics, struct mw_diag *diag, size_t copies)
{
	if (copies)
		mw_diag_note(diagnostics, diag, (struct mw_span){ 0 },
			     "%zu more that this entry makes %s the same", copies,
			     copies == 1 ? "has" : "have");
}

void mw_diagnostics_fold(struct mw_diagnostics *diagnostics)
{
	size_t kept = 0, copies = 0;

	mw_diagnostics_sort(diagnostics);
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_diag *diag = diagnostics->items[i];

		if (kept && is_copy(diagnostics->items[kept - 1], diag)) {
			mw_diag_hide(diagnostics, diag, MW_DIAG_SHOWN, NULL);
			copies++;
			continue;
		}
		if (kept)
			tell_copies(diagnostics, diagnostics->items[kept - 1], copies);
		copies = 0;
		diagnostics->items[kept++] = diag;
	}
	if (kept)
		tell_copies(diagnostics, diagnostics->items[kept - 1], copies);
	diagnostics->count = kept;
}

static uint32_t count_code_points(const char *text, size_t from, size_t to)
{
	uint32_t count = 0;

	for (size_t i = from; i < to; i++)
		count += starts_code_point(text[i]);
	return count;
}

/* Every line's start, and the code points before every INDEX_STEP bytes: with both a position costs
 * O(log n), so that thousands of findings in one huge line stay cheap to print. */
void mw_source_make_index(struct mw_diagnostics *diagnostics, struct mw_source *source)
{
	if (source->index)
		return;
	struct mw_source_index *index = mw_arena_alloc(&diagnostics->arena, 1, sizeof(*index));
	size_t lines = 1, steps = source->length / MW_INDEX_STEP + 1;

	for (size_t i = 0; i < source->length; i++)
		lines += source->text[i] == '\n';
	index->lines = mw_arena_alloc(&diagnostics->arena, lines, sizeof(*index->lines));
	index->code_points =
		mw_arena_alloc(&diagnostics->arena, steps, sizeof(*index->code_points));
	index->line_count = 1;
	for (size_t i = 1; i < steps; i++)
		index->code_points[i] =
			index->code_points[i - 1] +
			count_code_points(source->text, (i - 1) * MW_INDEX_STEP, i * MW_INDEX_STEP);
	for (size_t at = 0; at < source->length; at = index->lines[index->line_count++]) {
		const char *newline = memchr(source->text + at, '\n', source->length - at);

		if (!newline)
			break;
		index->lines[index->line_count] = (uint32_t)(newline - source->text) + 1;
	}
	source->index = index;
}

void mw_diagnostics_index(struct mw_diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->source_count; i++)
		mw_source_make_index(diagnostics, &diagnostics->sources[i]);
}

static uint32_t code_points_before(const struct mw_source *source, size_t byte)
{
	size_t step = byte / MW_INDEX_STEP;

	return source->index->code_points[step] +
	       count_code_points(source->text, step * MW_INDEX_STEP, byte);
}

size_t mw_source_line(const struct mw_source *source, size_t byte)
{
	size_t low = 0, high = source->index->line_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (source->index->lines[middle] <= byte)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void mw_source_position(const struct mw_source *source, size_t byte, unsigned *line,
			unsigned *column)
{
	if (byte > source->length)
		byte = source->length;
	if (source->index) {
		size_t number = mw_source_line(source, byte);

		*line = (unsigned)number + 1;
		*column = code_points_before(source, byte) -
			  code_points_before(source, source->index->lines[number]) + 1;
		return;
	}
	size_t start = 0;

	*line = 1;
	for (size_t i = 0; i < byte; i++) {
		if (source->text[i] != '\n')
			continue;
		++*line;
		start = i + 1;
	}
	*column = count_code_points(source->text, start, byte) + 1;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned two = a < b ? a : b;

	return two < c ? two : c;
}

/* Optimal string alignment: two neighbours swapped count as one edit, the most common slip. */
unsigned mw_edit_distance(const char *a, const char *b, unsigned limit)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	size_t difference = a_length > b_length ? a_length - b_length : b_length - a_length;
	unsigned rows[3][LONGEST_NAME + 1];

	if (difference > limit || a_length > LONGEST_NAME || b_length > LONGEST_NAME)
		return strcmp(a, b) == 0 ? 0 : limit + 1;
	for (unsigned j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_length; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];
		unsigned *above_that = rows[(i + 1) % 3];
		unsigned best = row[0] = i;

		for (unsigned j = 1; j <= b_length; j++) {
			unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = least(above[j] + 1, row[j - 1] + 1, change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], above_that[j - 2] + 1, row[j]);
			best = least(best, row[j], best);
		}
		if (best > limit)
			return limit + 1;
	}
	unsigned distance = rows[a_length % 3][b_length];

	return distance > limit ? limit + 1 : distance;
}

unsigned mw_near_distance(const char *wrong, const char *name)
{
	size_t length = strlen(wrong);
	unsigned limit = length > 3 ? 2 : 1;
	unsigned distance = mw_edit_distance(wrong, name, limit);

	return distance == 0 || distance > limit || distance >= length ? UINT_MAX : distance;
}
