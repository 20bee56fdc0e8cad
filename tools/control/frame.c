/* Where one JSON value ends and the next begins (RFC 8259), in a stream that is cut anywhere. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "tools/control/control_internal.h"

void control_frame_feed(struct control_frame *frame, const char *bytes, size_t count)
{
	if (frame->begin) {
		frame->count -= frame->begin;
		memmove(frame->bytes, frame->bytes + frame->begin, frame->count);
		frame->scanned -= frame->begin;
		frame->begin = 0;
	}
	if (frame->capacity - frame->count < count) {
		frame->capacity = (frame->count + count) * 2;
		frame->bytes = mw_grow(frame->bytes, frame->capacity, 1);
	}
	if (count)
		memcpy(frame->bytes + frame->count, bytes, count);
	frame->count += count;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A line ends no string, so a string that is never closed does not swallow what follows it. */
static enum control_found scan_string(struct control_frame *frame, char c)
{
	if (c == '\n' || c == '\r')
		return CONTROL_BROKEN;
	if (frame->escaped)
		frame->escaped = false;
	else if (c == '\\')
		frame->escaped = true;
	else if (c == '"')
		frame->in_string = false;
	return frame->in_string || frame->depth ? CONTROL_NOTHING : CONTROL_VALUE;
}

static enum control_found scan_bracket(struct control_frame *frame, char c)
{
	if (c == '{' || c == '[') {
		if (frame->depth == CONTROL_MOST_LEVELS)
			return CONTROL_TOO_MUCH;
		frame->closers[frame->depth++] = c == '{' ? '}' : ']';
		return CONTROL_NOTHING;
	}
	if (!frame->depth || frame->closers[--frame->depth] != c)
		return CONTROL_BROKEN;
	return frame->depth ? CONTROL_NOTHING : CONTROL_VALUE;
}

/* One byte; VALUE: the value ends with it. */
static enum control_found scan(struct control_frame *frame, char c)
{
	if (frame->in_string)
		return scan_string(frame, c);
	if (!frame->inside && is_space(c)) {
		frame->begin = frame->scanned;
		return CONTROL_NOTHING;
	}
	frame->inside = true;
	switch (c) {
	case '"': frame->in_string = true; return CONTROL_NOTHING;
	case '{':
	case '[':
	case '}':
	case ']': return scan_bracket(frame, c);
	default: return frame->depth || !is_space(c) ? CONTROL_NOTHING : CONTROL_VALUE;
	}
}

static void begin_anew(struct control_frame *frame)
{
	frame->begin = frame->scanned;
	frame->depth = 0;
	frame->inside = frame->in_string = frame->escaped = false;
}

enum control_found control_frame_next(struct control_frame *frame, const char **text,
				      size_t *length)
{
	while (frame->scanned < frame->count) {
		enum control_found found = scan(frame, frame->bytes[frame->scanned++]);

		if (found == CONTROL_VALUE) {
			*text = frame->bytes + frame->begin;
			*length = frame->scanned - frame->begin;
		}
		if (found != CONTROL_NOTHING) {
			begin_anew(frame);
			return found;
		}
		if (frame->scanned - frame->begin > CONTROL_MOST_BYTES)
			return CONTROL_TOO_MUCH;
	}
	return CONTROL_NOTHING;
}

void control_frame_fini(struct control_frame *frame)
{
	free(frame->bytes);
	*frame = (struct control_frame){ 0 };
}
