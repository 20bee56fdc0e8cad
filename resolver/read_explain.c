/* Read: what is wrong with text that libyaml refuses, in words that help. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/fixes.h"
#include "resolver/read_internal.h"

/* Length of the well-formed UTF-8 sequence at `text` (Unicode 15, table 3-7), or 0. */
static size_t sequence_length(const unsigned char *text, size_t left)
{
	static const struct {
		unsigned char first, last, low, high, length;
	} rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (text[0] < rows[i].first || text[0] > rows[i].last)
			continue;
		if (left < rows[i].length || text[1] < rows[i].low || text[1] > rows[i].high)
			return 0;
		for (size_t j = 2; j < rows[i].length; j++) {
			if ((text[j] & 0xc0) != 0x80)
				return 0;
		}
		return rows[i].length;
	}
	return 0;
}

/* YAML 1.1, section 5.1: what is left of Unicode beyond controls and unassigned planes' ends. */
static bool is_printable(const unsigned char *text, size_t length)
{
	if (length == 2)
		return text[0] != 0xc2 || text[1] >= 0xa0 || text[1] == 0x85;
	if (length == 3)
		return text[0] != 0xef || text[1] != 0xbf || text[2] < 0xbe;
	return true;
}

bool mw_read_is_text(const char *text, size_t length, size_t *bad)
{
	const unsigned char *bytes = (const unsigned char *)text;

	for (size_t i = 0; i < length;) {
		size_t count = 1;

		/* Nearly all of nearly every file, and a hostile one is a megabyte of it. */
		if (bytes[i] >= 0x20 && bytes[i] < 0x7f) {
			i++;
			continue;
		}
		*bad = i;
		if (bytes[i] >= 0x80)
			count = sequence_length(bytes + i, length - i);
		else if ((bytes[i] < 0x20 && !strchr("\t\n\r", bytes[i])) || bytes[i] == 0x7f ||
			 bytes[i] == 0)
			return false;
		if (count == 0 || !is_printable(bytes + i, count))
			return false;
		i += count;
	}
	return true;
}

static void refuse_byte(struct mw_reader *reader, size_t at)
{
	unsigned char byte = (unsigned char)reader->text[at];
	struct mw_span span = mw_reader_span(reader, at, at + 1);
	const char *what = byte == 0     ? "a NUL byte"
			   : byte < 0x80 ? "a control character"
					 : "bytes that are not UTF-8";
	struct mw_diag *diag =
		mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "Y009", span,
				   "%s (0x%02x) cannot be in a profile", what, byte);

	if (byte >= 0xfe)
		mw_diag_help(reader->diagnostics, diag, "this looks like UTF-16; save it as UTF-8");
}

bool mw_reader_check_bytes(struct mw_reader *reader)
{
	size_t at;

	if (!mw_read_is_text(reader->text, reader->length, &at)) {
		refuse_byte(reader, at);
		return false;
	}
	for (at = 0; at < reader->length; at++) {
		size_t line = at;

		at += strcspn(reader->text + at, "\n");
		size_t blank = line + strspn(reader->text + line, " \t\r");

		if (blank >= at || reader->text[blank] == '#')
			continue;
		if (reader->text[line] != '%')
			break;
		struct mw_diag *diag =
			mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "Y004",
					   mw_reader_span(reader, line, line + 1),
					   "directives are not part of this format");

		mw_diag_help(reader->diagnostics, diag, "leave this line out");
		mw_diag_fix(reader->diagnostics, diag, MW_FIX_SAFE,
			    mw_reader_span(reader, line, at + (at < reader->length)), "%s", "");
		return false;
	}
	return true;
}

/* libyaml's texts, ours, and the cure. */
static const struct {
	const char *problem, *code, *message, *help;
} explanations[] = {
	{ "mapping values are not allowed in this context", "Y008",
	  "a second `: ` in one line, or a key where none can be",
	  "check the indentation; quote a value that holds `: `; a condition is written "
	  "`b if a else c`" },
	{ "did not find expected ',' or '}'", "Y008", "expected `,` or `}`",
	  "in `{ }` a value with `[`, `{`, `: ` or `,` inside needs quotes" },
	{ "did not find expected ',' or ']'", "Y008", "expected `,` or `]`",
	  "in `[ ]` a value with `[`, `{`, `: ` or `,` inside needs quotes" },
	{ "found unexpected ':'", "Y008", "`:` cannot stand here",
	  "in `{ }` a value with `[`, `{`, `: ` or `,` inside needs quotes" },
	{ "did not find expected alphabetic or numeric character", "Y002",
	  "anchors and aliases are not part of this format",
	  "a value that begins with `&` or `*` needs quotes" },
	{ "found unexpected end of stream", "Y008", "this quote is never closed", NULL },
	{ "found unexpected document indicator", "Y008", "this quote is never closed", NULL },
	{ "could not find expected ':'", "Y008", "expected `:` behind this key", NULL },
	{ "did not find expected key", "Y008", "expected a key here",
	  "keys of one map start in the same column" },
	{ "did not find expected '-' indicator", "Y008", "expected a `-` here",
	  "items of one list start in the same column" },
	{ "did not find expected <document start>", "Y008", "expected nothing more here",
	  "keys of one map start in the same column" },
	{ "found a tab character that violates indentation", "Y008", "a tab cannot indent",
	  "indent with spaces" },
	{ "found unknown escape character", "Y008", "unknown escape in a double-quoted value",
	  "write `\\\\` for a backslash, or use single quotes" },
	{ "block sequence entries are not allowed in this context", "Y008",
	  "a list cannot start here", "put the first `-` on a line of its own" },
};

/* The sign goes, and of backticks the second one too; `%` begins a text that wants quotes. */
static void mend_start(struct mw_reader *reader, struct mw_diag *diag, char c, size_t at,
		       size_t length)
{
	struct mw_diagnostics *diagnostics = reader->diagnostics;
	size_t end = at + 1 + length;

	if (c == '%' && length) {
		mw_fix_quote(diagnostics, diag, MW_FIX_SAFE, mw_reader_span(reader, at, end));
		return;
	}
	if ((c != '@' && c != '`') || !length)
		return;
	mw_diag_fix(diagnostics, diag, MW_FIX_SAFE, diag->span, "%s", "");
	if (c == '`' && end < reader->length && reader->text[end] == '`')
		mw_diag_fix(diagnostics, diag, MW_FIX_SAFE, mw_reader_span(reader, end, end + 1),
			    "%s", "");
}

/* Explains a character that no value can start with. */
static void explain_start(struct mw_reader *reader, size_t at)
{
	char c = at < reader->length ? reader->text[at] : '\0';
	struct mw_span span = mw_reader_span(reader, at, at + 1);
	struct mw_diag *diag;

	if (c == '\t') {
		diag = mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "Y008", span,
					  "a tab cannot indent");
		mw_diag_help(reader->diagnostics, diag, "indent with spaces");
		return;
	}
	diag = mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "Y004", span,
				  "`%c` cannot start a value", c ? c : ' ');
	size_t length = strcspn(reader->text + at + 1, " \t\r\n,[]{}`");

	if (c == '@' && length)
		mw_diag_help(reader->diagnostics, diag, "write `%.*s`: references are bare ids",
			     (int)length, reader->text + at + 1);
	else if (c == '`' && length)
		mw_diag_help(reader->diagnostics, diag, "write `%.*s`", (int)length,
			     reader->text + at + 1);
	else
		mw_diag_help(reader->diagnostics, diag, "quote the value");
	mend_start(reader, diag, c, at, length);
}

void mw_reader_explain(struct mw_reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem ? parser->problem : "this is not YAML";
	size_t at = mw_reader_byte(reader, &parser->problem_mark);
	const char *message = problem, *code = "Y008", *help = NULL;

	if (strcmp(problem, "found character that cannot start any token") == 0) {
		explain_start(reader, at);
		return;
	}
	if (parser->context && strcmp(problem, "found unexpected end of stream") == 0)
		at = mw_reader_byte(reader, &parser->context_mark);
	for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++) {
		if (strcmp(explanations[i].problem, problem) != 0)
			continue;
		message = explanations[i].message;
		code = explanations[i].code;
		help = explanations[i].help;
	}
	struct mw_diag *diag = mw_diagnostics_add(
		reader->diagnostics, MW_SEVERITY_ERROR, code,
		mw_reader_span(reader, at, at + (at < reader->length)), "%s", message);

	if (help)
		mw_diag_help(reader->diagnostics, diag, "%s", help);
}
