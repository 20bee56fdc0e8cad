/* How the canonical text of a plan is spelled: as block YAML or as JSON. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/plan_writer.h"
#include "core/text.h"

void mw_put_indent(struct mw_plan_writer *writer)
{
	unsigned depth = writer->json ? writer->depth + 1 : writer->depth;

	if (writer->json)
		fputs(writer->first ? "\n" : ",\n", writer->out);
	if (writer->item_open) {
		fprintf(writer->out, "%*s- ", (int)(2 * (depth - 1)), "");
		writer->item_open = false;
	} else {
		fprintf(writer->out, "%*s", (int)(2 * depth), "");
	}
	writer->first = false;
}

/* Names are plain where a YAML 1.1 reader keeps them text too. */
static bool plain(const char *word)
{
	static const char *const traps[] = { "null", "true", "false", "yes", "no",
					     "on",   "off",  "y",     "n" };
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_./:@-");

	if (!length || word[length] || word[length - 1] == ':')
		return false;
	if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", word[0]))
		return false;
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
		if (!strcasecmp(word, traps[i]))
			return false;
	}
	return true;
}

/* Printable in YAML 1.1 (5.1) as well as in JSON, without an escape. */
void mw_put_word(struct mw_plan_writer *writer, const char *word)
{
	if (!writer->json && plain(word))
		fputs(word, writer->out);
	else
		mw_put_quoted(writer->out, word);
}

void mw_put_key(struct mw_plan_writer *writer, const char *name)
{
	mw_put_indent(writer);
	mw_put_word(writer, name);
	fputs(writer->json ? ": " : ":", writer->out);
}

void mw_put_end_line(struct mw_plan_writer *writer)
{
	if (!writer->json)
		fputc('\n', writer->out);
}

void mw_put_word_at(struct mw_plan_writer *writer, const char *name, const char *value)
{
	mw_put_key(writer, name);
	if (!writer->json)
		fputc(' ', writer->out);
	mw_put_word(writer, value);
	mw_put_end_line(writer);
}

void mw_put_text_at(struct mw_plan_writer *writer, const char *name, const char *value)
{
	mw_put_key(writer, name);
	if (!writer->json)
		fputc(' ', writer->out);
	mw_put_quoted(writer->out, value);
	mw_put_end_line(writer);
}

void mw_put_number_at(struct mw_plan_writer *writer, const char *name, uint64_t value)
{
	mw_put_key(writer, name);
	fprintf(writer->out, writer->json ? "%" PRIu64 : " %" PRIu64, value);
	mw_put_end_line(writer);
}

void mw_put_hex_at(struct mw_plan_writer *writer, const char *name, uint64_t value)
{
	mw_put_key(writer, name);
	fprintf(writer->out, writer->json ? "%" PRIu64 : " 0x%" PRIx64, value);
	mw_put_end_line(writer);
}

void mw_put_bool_at(struct mw_plan_writer *writer, const char *name, bool value)
{
	mw_put_key(writer, name);
	if (!writer->json)
		fputc(' ', writer->out);
	fputs(value ? "true" : "false", writer->out);
	mw_put_end_line(writer);
}

void mw_put_range(struct mw_plan_writer *writer, uint64_t base, uint64_t length)
{
	fprintf(writer->out,
		writer->json ? "{ \"base\": %" PRIu64 ", \"length\": %" PRIu64 " }"
			     : " 0x%" PRIx64 "+0x%" PRIx64,
		base, length);
	mw_put_end_line(writer);
}

void mw_put_range_at(struct mw_plan_writer *writer, const char *name, uint64_t base,
		     uint64_t length)
{
	mw_put_key(writer, name);
	mw_put_range(writer, base, length);
}

static void open_with(struct mw_plan_writer *writer, const char *name, char bracket)
{
	mw_put_key(writer, name);
	if (writer->json)
		fputc(bracket, writer->out);
	mw_put_end_line(writer);
	writer->depth++;
	writer->first = true;
}

static void close_with(struct mw_plan_writer *writer, char bracket)
{
	writer->depth--;
	if (writer->json)
		fprintf(writer->out, "\n%*s%c", (int)(2 * (writer->depth + 1)), "", bracket);
	writer->first = false;
}

void mw_put_open_map(struct mw_plan_writer *writer, const char *name)
{
	open_with(writer, name, '{');
}

void mw_put_close_map(struct mw_plan_writer *writer)
{
	close_with(writer, '}');
}

void mw_put_open_list(struct mw_plan_writer *writer, const char *name)
{
	open_with(writer, name, '[');
}

void mw_put_close_list(struct mw_plan_writer *writer)
{
	close_with(writer, ']');
}

/* A scalar item: the caller writes it and ends the line. */
void mw_put_item(struct mw_plan_writer *writer)
{
	mw_put_indent(writer);
	if (!writer->json)
		fputs("- ", writer->out);
}

void mw_put_word_item(struct mw_plan_writer *writer, const char *value)
{
	mw_put_item(writer);
	mw_put_word(writer, value);
	mw_put_end_line(writer);
}

void mw_put_text_item(struct mw_plan_writer *writer, const char *value)
{
	mw_put_item(writer);
	mw_put_quoted(writer->out, value);
	mw_put_end_line(writer);
}

void mw_put_open_item(struct mw_plan_writer *writer)
{
	if (writer->json) {
		mw_put_indent(writer);
		fputc('{', writer->out);
	}
	writer->depth++;
	writer->first = true;
	writer->item_open = !writer->json;
}

void mw_put_words_at(struct mw_plan_writer *writer, const char *name, const char *const *items)
{
	if (!items || !items[0])
		return;
	mw_put_open_list(writer, name);
	for (; *items; items++)
		mw_put_word_item(writer, *items);
	mw_put_close_list(writer);
}
