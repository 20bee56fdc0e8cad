/** Decodes UTF-8, measures characters and writes JSON strings. */
// SPDX-License-Identifier: MIT
#include "core/text.h"

#include <inttypes.h>
#include <stdbool.h>

enum { REPLACEMENT = 0xfffd, LONGEST = 4 };

size_t mw_utf8_decode(const char *text, size_t length, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)text[0];
	size_t count = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	*point = count == 1 ? first : REPLACEMENT;
	if (count == 1 || first < 0xc2 || first > 0xf4 || count > length)
		return 1;
	uint32_t value = first & (0x7fu >> count);

	for (size_t i = 1; i < count; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (value < least[count] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 1;
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

unsigned mw_utf8_width(uint32_t point)
{
	static const uint32_t none[][2] = {
		{ 0x300, 0x36f }, { 0x200b, 0x200d }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }
	};
	static const uint32_t two[][2] = { { 0x1100, 0x115f },   { 0x2e80, 0xa4cf },
					   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
					   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
					   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
					   { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff },
					   { 0x20000, 0x3fffd } };

	if (point < 0x300)
		return 1;
	if (in_ranges(point, none, sizeof(none) / sizeof(none[0])))
		return 0;
	return in_ranges(point, two, sizeof(two) / sizeof(two[0])) ? 2 : 1;
}

void mw_put_json_string(FILE *out, const char *text)
{
	putc('"', out);
	while (*text) {
		uint32_t point;
		size_t count = mw_utf8_decode(text, LONGEST, &point);

		if (point == '"' || point == '\\')
			fprintf(out, "\\%c", (char)point);
		else if (point == '\n')
			fputs("\\n", out);
		else if (point < 0x20 || point == 0x7f || (point == REPLACEMENT && count == 1))
			fprintf(out, "\\u%04" PRIx32, point);
		else
			fwrite(text, 1, count, out);
		text += count;
	}
	putc('"', out);
}

static bool printable(uint32_t value)
{
	return value >= 0x20 && !(value >= 0x7f && value < 0xa0) && value != 0x2028 &&
	       value != 0x2029 && value != 0xfeff && value != 0xfffe && value != 0xffff;
}

void mw_put_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	while (*text) {
		uint32_t value;
		size_t length = mw_utf8_decode(text, 4, &value);

		if (value == '"' || value == '\\')
			fprintf(out, "\\%c", (char)value);
		else if (value == '\n')
			fputs("\\n", out);
		else if (value == '\t')
			fputs("\\t", out);
		else if (value == 0xfffd)
			fputs("\xef\xbf\xbd", out);
		else if (!printable(value))
			fprintf(out, "\\u%04" PRIx32, value);
		else
			fwrite(text, length, 1, out);
		text += length;
	}
	fputc('"', out);
}
