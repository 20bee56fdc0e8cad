/* Rows with their layout before them, so that a reader of another version names what differs. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/snapshot/snapshot_internal.h"

void snapshot_put_rows(struct snapshot_writer *writer, struct mw_row_set rows, const void *owner)
{
	size_t count = mw_rows_save(rows, owner, NULL, 0);
	uint8_t *bytes = mw_alloc(count, 1);

	mw_rows_save(rows, owner, bytes, count);
	snapshot_write_counted(writer, bytes, count);
	free(bytes);
}

/* The line of `text` at `at`, without its end. */
static int line_length(const char *text, size_t left)
{
	const char *end = memchr(text, '\n', left);
	size_t length = end ? (size_t)(end - text) : left;

	return length > 100 ? 100 : (int)length;
}

static bool differs(const struct mw_snapshot *snapshot, const char *what, const char *theirs,
		    size_t theirs_left, const char *ours, size_t ours_left)
{
	int theirs_line = line_length(theirs, theirs_left);
	int ours_line = line_length(ours, ours_left);

	if (!theirs_line)
		return snapshot_refuse(snapshot, "%s: row `%.*s` is missing in it", what, ours_line,
				       ours);
	if (!ours_line)
		return snapshot_refuse(snapshot, "%s: row `%.*s` does not exist here", what,
				       theirs_line, theirs);
	return snapshot_refuse(snapshot, "%s: row `%.*s` is `%.*s` here", what, theirs_line, theirs,
			       ours_line, ours);
}

bool snapshot_check_layout(const struct mw_snapshot *snapshot, const char *what, const char *theirs,
			   size_t theirs_length, const char *ours)
{
	size_t ours_length = strlen(ours), start = 0, same = 0;

	while (same < theirs_length && same < ours_length && theirs[same] == ours[same])
		if (ours[same++] == '\n')
			start = same;
	if (same == theirs_length && same == ours_length)
		return true;
	return differs(snapshot, what, theirs + start, theirs_length - start, ours + start,
		       ours_length - start);
}
