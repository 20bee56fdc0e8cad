/* Text that came from outside, made safe to print: UTF-8, widths, controls. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/diagnostics_internal.h"

enum { TAB_WIDTH = 4 };

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
			width += mw_utf8_width(point);
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
