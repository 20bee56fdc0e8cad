/* Messages in a stream: a header with Content-Length, an empty line, that many bytes (LSP 3.17, base
 * protocol). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/alloc.h"
#include "tools/lsp/lsp_internal.h"

void lsp_append(struct lsp_bytes *bytes, const void *more, size_t count)
{
	if (bytes->capacity - bytes->count < count) {
		bytes->capacity = (bytes->count + count) * 2;
		bytes->bytes = mw_grow(bytes->bytes, bytes->capacity, 1);
	}
	if (count)
		memcpy(bytes->bytes + bytes->count, more, count);
	bytes->count += count;
}

void lsp_frame_feed(struct lsp_frame *frame, const char *bytes, size_t count)
{
	if (frame->begin) {
		frame->waiting.count -= frame->begin;
		memmove(frame->waiting.bytes, frame->waiting.bytes + frame->begin,
			frame->waiting.count);
		frame->begin = 0;
	}
	if (frame->skip) {
		size_t passed = frame->skip < count ? frame->skip : count;

		frame->skip -= passed;
		bytes += passed;
		count -= passed;
	}
	lsp_append(&frame->waiting, bytes, count);
}

/* Digits and nothing else; a number too large for a message stays too large. */
static bool read_length(const char *text, const char *end, size_t *length)
{
	size_t number = 0;

	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	if (text == end)
		return false;
	for (; text < end && *text >= '0' && *text <= '9'; text++) {
		if (number <= SIZE_MAX / 16)
			number = number * 10 + (size_t)(*text - '0');
	}
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	*length = number;
	return text == end;
}

/* Of a header without its empty line. Other fields do not matter. */
static bool find_length(const char *header, const char *end, size_t *length)
{
	static const char name[] = "Content-Length:";
	bool found = false;

	while (header < end) {
		const char *line = memmem(header, (size_t)(end - header), "\r\n", 2);

		if (!line)
			line = end;
		if ((size_t)(line - header) > sizeof(name) - 1 &&
		    strncasecmp(header, name, sizeof(name) - 1) == 0) {
			if (!read_length(header + sizeof(name) - 1, line, length))
				return false;
			found = true;
		}
		header = line == end ? end : line + 2;
	}
	return found;
}

static enum lsp_found skip_body(struct lsp_frame *frame, size_t length)
{
	size_t here = frame->waiting.count - frame->begin;

	frame->skip = length > here ? length - here : 0;
	frame->begin += length > here ? here : length;
	return LSP_TOO_LONG;
}

enum lsp_found lsp_frame_next(struct lsp_frame *frame, const char **text, size_t *length)
{
	size_t count = frame->waiting.count - frame->begin;
	const char *header = count ? frame->waiting.bytes + frame->begin : "";
	size_t searched = count < LSP_MOST_HEADER ? count : LSP_MOST_HEADER;
	const char *end = searched ? memmem(header, searched, "\r\n\r\n", 4) : NULL;

	if (!end)
		return count < LSP_MOST_HEADER ? LSP_NOTHING : LSP_HOPELESS;
	size_t head = (size_t)(end - header) + 4;

	if (!find_length(header, end, length)) {
		frame->begin += head;
		return LSP_BAD_HEADER;
	}
	if (*length > LSP_MOST_BYTES) {
		frame->begin += head;
		return skip_body(frame, *length);
	}
	if (count - head < *length)
		return LSP_NOTHING;
	*text = header + head;
	frame->begin += head + *length;
	return LSP_MESSAGE;
}

void lsp_frame_fini(struct lsp_frame *frame)
{
	free(frame->waiting.bytes);
	*frame = (struct lsp_frame){ 0 };
}
