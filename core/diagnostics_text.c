/* Text that came from outside, made safe to print: UTF-8, widths, controls. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/diagnostics_internal.h"

enum { TAB_WIDTH = 4 };

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

unsigned mw_diag_put_excerpt(FILE *out, const char *text, size_t length)
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

void mw_diag_put_text(FILE *out, const char *text)
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

char *mw_diag_story(const struct mw_diag *diag)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return mw_strdup(diag->message);
	fputs(diag->message, out);
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (!note->span.source)
			fprintf(out, "\nnote: %s", note->text);
	}
	if (diag->help)
		fprintf(out, "\nhelp: %s", diag->help);
	fclose(out);
	return text;
}
