/* Findings as JSON: an array of objects, deterministic, columns in code points plus bytes. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/diagnostics_internal.h"

static void put_string(FILE *out, const char *text)
{
	size_t length = strlen(text);

	putc('"', out);
	for (size_t i = 0; i < length;) {
		uint32_t point;
		size_t count = mw_utf8_decode(text + i, length - i, &point);

		if (point == '"' || point == '\\')
			fprintf(out, "\\%c", (char)point);
		else if (point < 0x20 || point == 0x7f || (point == 0xfffd && count == 1))
			fprintf(out, "\\u%04x", point);
		else
			fwrite(text + i, 1, count, out);
		i += count;
	}
	putc('"', out);
}

static void put_string_or_null(FILE *out, const char *text)
{
	if (text)
		put_string(out, text);
	else
		fputs("null", out);
}

static void put_end(FILE *out, const char *name, struct mw_place place)
{
	fprintf(out, "\"%s\":{\"line\":%u,\"col\":%u,\"byte\":%zu}", name, place.line, place.column,
		place.byte);
}

static void put_span(struct mw_diagnostics *diagnostics, FILE *out, struct mw_span span)
{
	if (span.source == 0) {
		fputs("\"file\":null,\"span\":null", out);
		return;
	}
	struct mw_place start = mw_span_place(diagnostics, span, span.byte);
	struct mw_place end = mw_span_place(diagnostics, span, (size_t)span.byte + span.length);

	fputs("\"file\":", out);
	put_string_or_null(out, start.file);
	fputs(",\"span\":{", out);
	put_end(out, "start", start);
	putc(',', out);
	put_end(out, "end", end);
	putc('}', out);
}

static void put_notes(struct mw_diagnostics *diagnostics, FILE *out, const struct mw_diag *diag)
{
	const char *separator = "";

	fputs(",\"related\":[", out);
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (!note->span.source)
			continue;
		fprintf(out, "%s{", separator);
		put_span(diagnostics, out, note->span);
		fputs(",\"label\":", out);
		put_string(out, note->text);
		putc('}', out);
		separator = ",";
	}
	fputs("],\"notes\":[", out);
	separator = "";
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (note->span.source)
			continue;
		fputs(separator, out);
		put_string(out, note->text);
		separator = ",";
	}
	putc(']', out);
}

static void put_diag(struct mw_diagnostics *diagnostics, FILE *out, const struct mw_diag *diag)
{
	fputs("{\"v\":1,\"code\":", out);
	put_string(out, diag->code);
	fputs(",\"name\":", out);
	put_string_or_null(out, mw_rule_name(diag->code));
	fprintf(out, ",\"severity\":\"%s\",\"message\":", mw_severity_name(diag->severity));
	put_string(out, diag->message);
	fputs(",\"node\":", out);
	put_string_or_null(out, diag->node);
	putc(',', out);
	put_span(diagnostics, out, diag->span);
	fputs(",\"label\":", out);
	put_string_or_null(out, diag->label);
	put_notes(diagnostics, out, diag);
	fputs(",\"help\":", out);
	put_string_or_null(out, diag->help);
	putc('}', out);
}

void mw_diagnostics_print_json(struct mw_diagnostics *diagnostics, FILE *out)
{
	fputs("[", out);
	for (size_t i = 0; i < diagnostics->count; i++) {
		fputs(i ? ",\n" : "\n", out);
		put_diag(diagnostics, out, diagnostics->items[i]);
	}
	fputs(diagnostics->count ? "\n]\n" : "]\n", out);
}
