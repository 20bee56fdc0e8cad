/* Decoding, measuring, cutting and escaping of text. */
// SPDX-License-Identifier: MIT
#include "tools/draw/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "core/text.h"

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

size_t mw_draw_decode(const char *text, uint32_t *point)
{
	size_t count = mw_utf8_decode(text, 4, point);

	if (is_unsafe(*point))
		*point = REPLACEMENT;
	return count;
}

unsigned mw_draw_columns(const char *text)
{
	unsigned columns = 0;

	while (*text) {
		uint32_t point;

		text += mw_draw_decode(text, &point);
		columns += mw_utf8_width(point);
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
		unsigned width = mw_utf8_width(point);

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
