/* Positions as clients count them, strings that JSON takes, file: URIs (RFC 8089). */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "tools/lsp/lsp_internal.h"

enum { BLOCK = 256 };

/* UTF-16 units that begin with this byte of UTF-8: none for those that continue a character. */
static unsigned units_of(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte >= 0xf0 ? 2 : (byte & 0xc0) != 0x80;
}

void lsp_lines_init(struct lsp_lines *lines, const char *text, size_t length, bool utf8)
{
	size_t capacity = 64;
	uint32_t units = 0;

	*lines = (struct lsp_lines){ .text = text, .length = length, .utf8 = utf8 };
	lines->starts = mw_alloc(capacity, sizeof(*lines->starts));
	lines->units = mw_alloc(length / BLOCK + 1, sizeof(*lines->units));
	lines->count = 1;
	for (size_t i = 0; i < length; i++) {
		if (i % BLOCK == 0)
			lines->units[i / BLOCK] = units;
		units += units_of(text[i]);
		if (text[i] != '\n' && (text[i] != '\r' || (i + 1 < length && text[i + 1] == '\n')))
			continue;
		if (lines->count == capacity) {
			capacity *= 2;
			lines->starts = mw_grow(lines->starts, capacity, sizeof(*lines->starts));
		}
		lines->starts[lines->count++] = (uint32_t)i + 1;
	}
	if (length % BLOCK == 0)
		lines->units[length / BLOCK] = units;
}

void lsp_lines_fini(struct lsp_lines *lines)
{
	free(lines->starts);
	free(lines->units);
	*lines = (struct lsp_lines){ 0 };
}

static size_t units_before(const struct lsp_lines *lines, size_t offset)
{
	size_t units = lines->units[offset / BLOCK];

	for (size_t i = offset / BLOCK * BLOCK; i < offset; i++)
		units += units_of(lines->text[i]);
	return units;
}

static size_t line_of(const struct lsp_lines *lines, size_t offset)
{
	size_t low = 0, high = lines->count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (lines->starts[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

json_t *lsp_position(const struct lsp_lines *lines, size_t offset)
{
	if (offset > lines->length)
		offset = lines->length;
	size_t line = line_of(lines, offset), start = lines->starts[line];
	size_t column = lines->utf8 ? offset - start
				    : units_before(lines, offset) - units_before(lines, start);

	return json_pack("{s:I,s:I}", "line", (json_int_t)line, "character", (json_int_t)column);
}

json_t *lsp_range(const struct lsp_lines *lines, size_t offset, size_t length)
{
	return json_pack("{s:o,s:o}", "start", lsp_position(lines, offset), "end",
			 lsp_position(lines, offset + length));
}

static size_t line_end(const struct lsp_lines *lines, size_t line)
{
	size_t start = lines->starts[line];
	size_t end = line + 1 < lines->count ? lines->starts[line + 1] : lines->length;

	while (end > start && (lines->text[end - 1] == '\n' || lines->text[end - 1] == '\r'))
		end--;
	return end;
}

/* The last offset from `start` to `end` with at most so many units before it, by halves. */
static size_t seek(const struct lsp_lines *lines, size_t start, size_t end, size_t wanted)
{
	size_t first = units_before(lines, start), low = start, high = end;

	while (low < high) {
		size_t middle = low + (high - low + 1) / 2;

		if (units_before(lines, middle) - first <= wanted)
			low = middle;
		else
			high = middle - 1;
	}
	/* the bytes that continue a character have as many units before them as its end */
	while (low > start && low < lines->length && !units_of(lines->text[low]))
		low--;
	return low;
}

bool lsp_offset(const struct lsp_lines *lines, const json_t *position, size_t *offset)
{
	const json_t *line_json = json_object_get(position, "line");
	const json_t *column_json = json_object_get(position, "character");
	json_int_t line = json_integer_value(line_json), column = json_integer_value(column_json);

	if (!json_is_integer(line_json) || !json_is_integer(column_json) || line < 0 || column < 0)
		return false;
	if ((size_t)line >= lines->count) {
		*offset = lines->length;
		return true;
	}
	size_t start = lines->starts[line], end = line_end(lines, (size_t)line);

	if ((size_t)column > end - start)
		*offset = end;
	else if (lines->utf8)
		*offset = start + (size_t)column;
	else
		*offset = seek(lines, start, end, (size_t)column);
	return true;
}

json_t *lsp_text(const char *text, size_t length)
{
	json_t *string = json_stringn(text, length);

	if (string)
		return string;
	char *plain = mw_alloc(length + 1, 1);

	for (size_t i = 0; i < length; i++)
		plain[i] = (char)(text[i] & 0x80 ? '?' : text[i]);
	string = json_stringn(plain, length);
	free(plain);
	return string;
}

json_t *lsp_string(const char *text)
{
	return lsp_text(text, strlen(text));
}

json_t *lsp_format(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	json_t *string = lsp_text(length < 0 ? "" : text, length < 0 ? 0 : (size_t)length);

	if (length >= 0)
		free(text);
	return string;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

char *lsp_path_of(const char *uri)
{
	static const char scheme[] = "file://", local[] = "localhost/";
	const char *at = uri + sizeof(scheme) - 1;
	size_t count = 0;

	if (strncmp(uri, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	if (strncmp(at, local, sizeof(local) - 1) == 0)
		at += sizeof(local) - 2;
	if (*at != '/')
		return NULL;
	char *path = mw_alloc(strlen(at) + 1, 1);

	for (; *at; at++) {
		int high = *at == '%' ? hex(at[1]) : -1, low = high < 0 ? -1 : hex(at[2]);

		path[count] = (char)(low < 0 ? *at : high << 4 | low);
		if (!path[count++]) {
			free(path);
			return NULL;
		}
		at += low < 0 ? 0 : 2;
	}
	return path;
}

char *lsp_uri_of(const char *path)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	static const char digits[] = "0123456789ABCDEF";
	size_t count = 7;
	char *uri = mw_alloc(strlen(path) * 3 + 8, 1);

	memcpy(uri, "file://", 7);
	for (; *path; path++) {
		if (strchr(plain, *path)) {
			uri[count++] = *path;
			continue;
		}
		uri[count++] = '%';
		uri[count++] = digits[(unsigned char)*path >> 4];
		uri[count++] = digits[*path & 15];
	}
	return uri;
}
