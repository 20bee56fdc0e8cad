/* Decoding, measuring, cutting and escaping of text. */
// SPDX-License-Identifier: MIT
#include "tools/draw/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { REPLACEMENT = 0xfffd };

static bool in_ranges(uint32_t point, const uint32_t (*ranges)[2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (point >= ranges[i][0] && point <= ranges[i][1])
			return true;
	}
	return false;
}

/* Controls, marks of direction, surrogates and what is no character. */
static bool is_unsafe(uint32_t point)
{
	static const uint32_t ranges[][2] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0xd800, 0xdfff }, { 0xfeff, 0xfeff }, { 0xfffe, 0xffff },
	};

	return in_ranges(point, ranges, sizeof(ranges) / sizeof(ranges[0])) || point > 0x10ffff;
}

/* The value of a well-formed sequence, or U+FFFD and one byte. */
static size_t sequence(const unsigned char *text, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t count = text[0] < 0x80           ? 1
		       : (text[0] >> 5) == 0x06 ? 2
		       : (text[0] >> 4) == 0x0e ? 3
		       : (text[0] >> 3) == 0x1e ? 4
						: 0;
	uint32_t value = count < 2 ? text[0] : text[0] & (0x7fu >> count);

	*point = REPLACEMENT;
	for (size_t i = 1; i < count; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (!count || value < least[count])
		return 1;
	*point = value;
	return count;
}

size_t mw_draw_decode(const char *text, uint32_t *point)
{
	size_t count = sequence((const unsigned char *)text, point);

	if (is_unsafe(*point))
		*point = REPLACEMENT;
	return count;
}

static unsigned width_of(uint32_t point)
{
	static const uint32_t none[][2] = { { 0x300, 0x36f },
					    { 0x20d0, 0x20ff },
					    { 0xfe00, 0xfe0f } };
	static const uint32_t two[][2] = { { 0x1100, 0x115f },  { 0x2e80, 0xa4cf },
					   { 0xac00, 0xd7a3 },  { 0xf900, 0xfaff },
					   { 0xfe30, 0xfe6f },  { 0xff00, 0xff60 },
					   { 0xffe0, 0xffe6 },  { 0x1f000, 0x1faff },
					   { 0x20000, 0x3fffd } };

	if (point < 0x300)
		return 1;
	if (in_ranges(point, none, sizeof(none) / sizeof(none[0])))
		return 0;
	return in_ranges(point, two, sizeof(two) / sizeof(two[0])) ? 2 : 1;
}

unsigned mw_draw_columns(const char *text)
{
	unsigned columns = 0;

	while (*text) {
		uint32_t point;

		text += mw_draw_decode(text, &point);
		columns += width_of(point);
	}
	return columns;
}

/* How many bytes of the text fit into the columns. */
static size_t fitting(const char *text, unsigned columns)
{
	size_t at = 0;

	while (text[at]) {
		uint32_t point;
		size_t bytes = mw_draw_decode(text + at, &point);
		unsigned width = width_of(point);

		if (width > columns)
			break;
		columns -= width;
		at += bytes;
	}
	return at;
}

const char *mw_draw_cut(struct mw_arena *arena, const char *text, unsigned columns)
{
	unsigned all = mw_draw_columns(text), head, tail;
	size_t first, last;

	if (all <= columns || columns < 3)
		return all <= columns ? text : "";
	tail = (columns - 1) / 3;
	head = columns - 1 - tail;
	first = fitting(text, head);
	last = fitting(text, all - tail);
	/* A wide character on the border may have stayed out of the front part. */
	while (mw_draw_columns(text + last) > tail) {
		uint32_t point;

		last += mw_draw_decode(text + last, &point);
	}
	return mw_arena_printf(arena, "%.*s\xe2\x80\xa6%s", (int)first, text, text + last);
}

static void put_point(FILE *out, uint32_t point)
{
	if (point < 0x80) {
		fputc((int)point, out);
	} else if (point < 0x800) {
		fputc((int)(0xc0 | point >> 6), out);
		fputc((int)(0x80 | (point & 0x3f)), out);
	} else if (point < 0x10000) {
		fputc((int)(0xe0 | point >> 12), out);
		fputc((int)(0x80 | (point >> 6 & 0x3f)), out);
		fputc((int)(0x80 | (point & 0x3f)), out);
	} else {
		fputc((int)(0xf0 | point >> 18), out);
		fputc((int)(0x80 | (point >> 12 & 0x3f)), out);
		fputc((int)(0x80 | (point >> 6 & 0x3f)), out);
		fputc((int)(0x80 | (point & 0x3f)), out);
	}
}

/* Mermaid's own way: a number sign, the code, a semicolon. */
static bool mermaid_escapes(uint32_t point)
{
	return point < 0x80 && strchr("\"#&;<>`\\|[]{}", (int)point) != NULL;
}

static void put_escaped(FILE *out, enum mw_draw_escape escape, uint32_t point)
{
	if (escape == MW_ESCAPE_XML && point == '&')
		fputs("&amp;", out);
	else if (escape == MW_ESCAPE_XML && point == '<')
		fputs("&lt;", out);
	else if (escape == MW_ESCAPE_XML && point == '>')
		fputs("&gt;", out);
	else if (escape == MW_ESCAPE_XML && point == '"')
		fputs("&quot;", out);
	else if (escape == MW_ESCAPE_DOT && (point == '"' || point == '\\'))
		fprintf(out, "\\%c", (char)point);
	else if (escape == MW_ESCAPE_MERMAID && mermaid_escapes(point))
		fprintf(out, "#%" PRIu32 ";", point);
	else
		put_point(out, point);
}

void mw_draw_put(FILE *out, enum mw_draw_escape escape, const char *text)
{
	while (*text) {
		uint32_t point;

		text += mw_draw_decode(text, &point);
		put_escaped(out, escape, point);
	}
}
