/* Findings as workflow commands: annotations for the worst, plain lines for the rest. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics_internal.h"

/* What one step may show of each kind; one notice is kept for the count of the rest. */
enum { MOST_ERRORS = 10, MOST_WARNINGS = 10, MOST_NOTICES = 9 };

/* A value may not end its line; a property's not its neighbour either. */
static void put_escaped(FILE *out, const char *text, bool property)
{
	while (*text) {
		uint32_t point;
		size_t count = mw_utf8_decode(text, 4, &point);

		if (point == '%' || point < 0x20 || point == 0x7f ||
		    (property && (point == ':' || point == ',')))
			fprintf(out, "%%%02" PRIX32, point);
		else if (point == 0xfffd)
			fputs("\xef\xbf\xbd", out);
		else
			fwrite(text, 1, count, out);
		text += count;
	}
}

static void put_properties(struct mw_diagnostics *diagnostics, FILE *out,
			   const struct mw_diag *diag)
{
	struct mw_span span = diag->span;
	struct mw_place start = mw_span_place(diagnostics, span, span.byte);
	struct mw_place end = mw_span_place(diagnostics, span, (size_t)span.byte + span.length);
	const char *name = mw_rule_name(diag->code);

	if (start.file) {
		fputs(" file=", out);
		put_escaped(out, start.file, true);
		fprintf(out, ",line=%u,endLine=%u,col=%u", start.line, end.line, start.column);
		if (end.line == start.line)
			fprintf(out, ",endColumn=%u", end.column);
	}
	if (diag->code[0])
		fprintf(out, "%stitle=%s%s%s", start.file ? "," : " ", diag->code, name ? " " : "",
			name ? name : "");
}

static void put_annotation(struct mw_diagnostics *diagnostics, FILE *out,
			   const struct mw_diag *diag)
{
	static const char *const commands[] = { "error", "warning", "notice" };
	char *story = mw_diag_story(diag);

	fprintf(out, "::%s", commands[diag->severity]);
	put_properties(diagnostics, out, diag);
	fputs("::", out);
	put_escaped(out, story, false);
	putc('\n', out);
	free(story);
}

/* Begins with a word of ours, so that the runner takes nothing in it for a command. */
static void put_plain(struct mw_diagnostics *diagnostics, FILE *out, const struct mw_diag *diag)
{
	struct mw_place place = mw_span_place(diagnostics, diag->span, diag->span.byte);

	fprintf(out, "%s %s ", mw_severity_name(diag->severity), diag->code);
	if (place.file) {
		put_escaped(out, place.file, false);
		fprintf(out, ":%u:%u: ", place.line, place.column);
	}
	put_escaped(out, diag->message, false);
	putc('\n', out);
}

void mw_diag_print_github(struct mw_diagnostics *diagnostics, FILE *out)
{
	static const size_t most[] = { MOST_ERRORS, MOST_WARNINGS, MOST_NOTICES };
	size_t seen[3] = { 0 }, rest = 0;

	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct mw_diag *diag = diagnostics->items[i];

		if (diag->hidden)
			continue;
		if (seen[diag->severity]++ < most[diag->severity])
			put_annotation(diagnostics, out, diag);
		else
			rest++;
	}
	if (!rest)
		return;
	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct mw_diag *diag = diagnostics->items[i];

		if (!diag->hidden && seen[diag->severity]++ >= most[diag->severity])
			put_plain(diagnostics, out, diag);
	}
	fprintf(out, "::notice::%zu more in the log\n", rest);
}
