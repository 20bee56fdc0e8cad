/* Unified patches: the shortest edit script by lines (Myers 1986, "An O(ND) Difference Algorithm"). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tools/lint/fix.h"

/* Beyond so many changed lines the middle is shown as one piece: time and memory go with the square. */
enum { MOST_EDITS = 500, CONTEXT = 3 };

struct line {
	const char *text;
	size_t length; /* with its line end */
};

struct lines {
	struct line *items;
	size_t count;
};

struct script {
	struct lines before, after;
	bool *removed, *added; /* by line */
};

static struct lines split(const char *text, size_t length)
{
	struct lines lines = { 0 };
	size_t count = 1;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	lines.items = mw_alloc(count, sizeof(*lines.items));
	for (size_t at = 0; at < length;) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t size = end ? (size_t)(end - text) + 1 - at : length - at;

		lines.items[lines.count++] = (struct line){ text + at, size };
		at += size;
	}
	return lines;
}

static bool same(const struct script *script, size_t a, size_t b)
{
	const struct line *left = &script->before.items[a], *right = &script->after.items[b];

	return left->length == right->length && memcmp(left->text, right->text, left->length) == 0;
}

/* The piece between the common start and the common end. */
struct piece {
	size_t a, a_end, b, b_end;
};

/* Furthest reaching paths: x of diagonal k after d edits, in `rows[d]` at k + d. */
static size_t *step(const struct script *script, const struct piece *piece, const size_t *above,
		    size_t d, bool *done)
{
	size_t *row = mw_alloc(2 * d + 1, sizeof(*row));
	size_t width = piece->a_end - piece->a, height = piece->b_end - piece->b;

	for (size_t i = 0; i <= 2 * d; i += 2) {
		/* k = i - d; in the row above, k - 1 is at i - 2 and k + 1 at i */
		bool down = d > 0 && (i == 0 || (i < 2 * d && above[i - 2] < above[i]));
		size_t x = d == 0 ? 0 : down ? above[i] : above[i - 2] + 1;
		size_t y = x + d - i;

		while (x < width && y < height && same(script, piece->a + x, piece->b + y)) {
			x++;
			y++;
		}
		row[i] = x;
		*done |= x == width && y == height;
	}
	return row;
}

static void trace(struct script *script, const struct piece *piece, size_t **rows, size_t d)
{
	size_t x = piece->a_end - piece->a, y = piece->b_end - piece->b;

	for (; d > 0; d--) {
		size_t i = x + d - y; /* k + d */
		const size_t *above = rows[d - 1];
		bool down = i == 0 || (i < 2 * d && above[i - 2] < above[i]);

		x = down ? above[i] : above[i - 2];
		y = down ? x + d - 1 - i : x + d - 1 - (i - 2);
		if (down)
			script->added[piece->b + y] = true;
		else
			script->removed[piece->a + x] = true;
	}
}

static bool shortest(struct script *script, const struct piece *piece)
{
	size_t *rows[MOST_EDITS + 1], d = 0;
	bool done = false;

	for (; d <= MOST_EDITS; d++) {
		rows[d] = step(script, piece, d ? rows[d - 1] : NULL, d, &done);
		if (done)
			break;
	}
	if (done)
		trace(script, piece, rows, d);
	for (size_t i = 0; i <= d && i <= MOST_EDITS; i++)
		free(rows[i]);
	return done;
}

static void compare(struct script *script)
{
	struct piece piece = { 0, script->before.count, 0, script->after.count };

	while (piece.a < piece.a_end && piece.b < piece.b_end && same(script, piece.a, piece.b)) {
		piece.a++;
		piece.b++;
	}
	while (piece.a < piece.a_end && piece.b < piece.b_end &&
	       same(script, piece.a_end - 1, piece.b_end - 1)) {
		piece.a_end--;
		piece.b_end--;
	}
	if (shortest(script, &piece))
		return;
	for (size_t i = piece.a; i < piece.a_end; i++)
		script->removed[i] = true;
	for (size_t i = piece.b; i < piece.b_end; i++)
		script->added[i] = true;
}

static void print_line(FILE *out, char sign, const struct line *line)
{
	fputc(sign, out);
	fwrite(line->text, 1, line->length, out);
	if (!line->length || line->text[line->length - 1] != '\n')
		fputs("\n\\ No newline at end of file\n", out);
}

/* A hunk goes from a, b for so long as changes are at most 2 * CONTEXT lines apart. */
static void find_end(const struct script *script, size_t *a, size_t *b)
{
	size_t calm = 0;

	while (*a < script->before.count || *b < script->after.count) {
		bool removed = *a < script->before.count && script->removed[*a];
		bool added = *b < script->after.count && script->added[*b];

		if (!removed && !added && ++calm > 2 * CONTEXT) {
			calm--;
			break;
		}
		if (removed || added)
			calm = 0;
		*a += removed || !added;
		*b += added || !removed;
	}
	size_t back = calm > CONTEXT ? calm - CONTEXT : 0;

	*a -= back;
	*b -= back;
}

static void print_range(FILE *out, char sign, size_t from, size_t to)
{
	fprintf(out, "%c%zu", sign, to > from ? from + 1 : from);
	if (to - from != 1)
		fprintf(out, ",%zu", to - from);
}

static void print_head(FILE *out, size_t a, size_t b, size_t a_end, size_t b_end)
{
	fputs("@@ ", out);
	print_range(out, '-', a, a_end);
	fputc(' ', out);
	print_range(out, '+', b, b_end);
	fputs(" @@\n", out);
}

static void print_body(FILE *out, const struct script *script, size_t a, size_t b, size_t a_end,
		       size_t b_end)
{
	while (a < a_end || b < b_end) {
		if (a < a_end && script->removed[a])
			print_line(out, '-', &script->before.items[a++]);
		else if (b < b_end && script->added[b])
			print_line(out, '+', &script->after.items[b++]);
		else {
			print_line(out, ' ', &script->before.items[a++]);
			b++;
		}
	}
}

static void print_hunks(FILE *out, const struct script *script)
{
	size_t a = 0, b = 0;

	while (a < script->before.count || b < script->after.count) {
		bool removed = a < script->before.count && script->removed[a];
		bool added = b < script->after.count && script->added[b];

		if (!removed && !added) {
			a++;
			b++;
			continue;
		}
		size_t lead = a < CONTEXT ? a : CONTEXT;
		size_t from = a - lead, other = b - lead;

		find_end(script, &a, &b);
		print_head(out, from, other, a, b);
		print_body(out, script, from, other, a, b);
	}
}

void mw_patch_print(FILE *out, const char *name, const char *before, size_t before_length,
		    const char *after, size_t after_length)
{
	if (before_length == after_length && memcmp(before, after, before_length) == 0)
		return;
	struct script script = { .before = split(before, before_length),
				 .after = split(after, after_length) };

	script.removed = mw_alloc(script.before.count + 1, sizeof(bool));
	script.added = mw_alloc(script.after.count + 1, sizeof(bool));
	compare(&script);
	fprintf(out, "--- %s\n+++ %s\n", name, name);
	print_hunks(out, &script);
	free(script.removed);
	free(script.added);
	free(script.before.items);
	free(script.after.items);
}
