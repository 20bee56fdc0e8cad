/* Puts laid-out lines into a text. */
// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "tools/fmt/lines.h"

struct writer {
	FILE *out;
	unsigned column;
	unsigned value_column, indent; /* of the entry */
	bool blank;                    /* one is due before the next line */
	bool begun;
};

static void put(struct writer *writer, struct fmt_piece piece)
{
	if (piece.length)
		fwrite(piece.text, 1, piece.length, writer->out);
	writer->column += fmt_width(piece.text, piece.length);
}

static void go_to(struct writer *writer, unsigned column)
{
	if (column > writer->column) {
		fprintf(writer->out, "%*s", (int)(column - writer->column), "");
		writer->column = column;
	}
}

static void put_value(struct writer *writer, const struct fmt_line *line)
{
	size_t from = 0;

	if (!line->value.length)
		return;
	for (size_t i = 0; i < line->item_count; i++) {
		size_t to = line->items[i].offset;

		put(writer, (struct fmt_piece){ line->value.text + from, to - from });
		go_to(writer, writer->column + line->items[i].pad);
		from = to;
	}
	put(writer, (struct fmt_piece){ line->value.text + from, line->value.length - from });
}

static void put_line(struct writer *writer, const struct fmt_line *line)
{
	writer->column = 0;
	if (line->kind == FMT_CONTENT) {
		writer->value_column = line->value_out;
		writer->indent = line->indent;
		if (line->head.length) {
			go_to(writer, line->indent);
			put(writer, line->head);
		}
		if (line->value.length)
			go_to(writer, line->value_out);
	} else if (line->kind == FMT_MORE && (line->value.length || line->comment.length)) {
		go_to(writer, (line->anchor.value ? writer->value_column : writer->indent) +
				      line->anchor.offset);
	} else if (line->kind == FMT_COMMENT && !line->continues) {
		go_to(writer, line->indent);
	}
	put_value(writer, line);
	if (line->comment.length) {
		if (line->comment_out)
			go_to(writer, line->comment_out);
		put(writer, line->comment);
	}
	putc('\n', writer->out);
}

char *fmt_write(const struct fmt_page *page, size_t *length)
{
	struct writer writer = { 0 };
	char *text = NULL;

	writer.out = open_memstream(&text, length);
	for (size_t i = 0; i < page->count && writer.out; i++) {
		const struct fmt_line *line = &page->lines[i];

		if (line->kind == FMT_BLANK) {
			writer.blank = writer.begun;
			continue;
		}
		if (writer.blank)
			putc('\n', writer.out);
		writer.blank = false;
		writer.begun = true;
		put_line(&writer, line);
	}
	if (writer.out)
		fclose(writer.out);
	return text;
}
