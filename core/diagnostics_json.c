/* Findings as JSON: an array of objects, or one a line; columns in code points plus bytes. */
// SPDX-License-Identifier: MIT
#include "core/diagnostics_internal.h"

static void begin(struct mw_diag_json *json, const char *key)
{
	if (json->more)
		putc(',', json->out);
	json->more = true;
	if (key) {
		mw_put_json_string(json->out, key);
		putc(':', json->out);
	}
}

void mw_diag_json_open(struct mw_diag_json *json, const char *key, char bracket)
{
	begin(json, key);
	putc(bracket, json->out);
	json->more = false;
}

void mw_diag_json_close(struct mw_diag_json *json, char bracket)
{
	putc(bracket, json->out);
	json->more = true;
}

void mw_diag_json_string(struct mw_diag_json *json, const char *key, const char *text)
{
	begin(json, key);
	if (text)
		mw_put_json_string(json->out, text);
	else
		fputs("null", json->out);
}

void mw_diag_json_number(struct mw_diag_json *json, const char *key, size_t number)
{
	begin(json, key);
	fprintf(json->out, "%zu", number);
}

void mw_diag_json_bool(struct mw_diag_json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->out);
}

static void put_end(struct mw_diag_json *json, const char *name, struct mw_place place)
{
	mw_diag_json_open(json, name, '{');
	mw_diag_json_number(json, "line", place.line);
	mw_diag_json_number(json, "col", place.column);
	mw_diag_json_number(json, "byte", place.byte);
	mw_diag_json_close(json, '}');
}

static void put_span(struct mw_diagnostics *diagnostics, struct mw_diag_json *json,
		     struct mw_span span)
{
	struct mw_place start = mw_span_place(diagnostics, span, span.byte);

	mw_diag_json_string(json, "file", start.file);
	if (!start.file) {
		mw_diag_json_string(json, "span", NULL);
		return;
	}
	mw_diag_json_open(json, "span", '{');
	put_end(json, "start", start);
	put_end(json, "end", mw_span_place(diagnostics, span, (size_t)span.byte + span.length));
	mw_diag_json_close(json, '}');
}

static void put_notes(struct mw_diagnostics *diagnostics, struct mw_diag_json *json,
		      const struct mw_diag *diag)
{
	mw_diag_json_open(json, "related", '[');
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (!note->span.source)
			continue;
		mw_diag_json_open(json, NULL, '{');
		put_span(diagnostics, json, note->span);
		mw_diag_json_string(json, "label", note->text);
		mw_diag_json_close(json, '}');
	}
	mw_diag_json_close(json, ']');
	mw_diag_json_open(json, "notes", '[');
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (!note->span.source)
			mw_diag_json_string(json, NULL, note->text);
	}
	mw_diag_json_close(json, ']');
}

static void put_fix(struct mw_diagnostics *diagnostics, struct mw_diag_json *json,
		    const struct mw_fix *fix)
{
	static const char *const names[] = { "safe", "unsafe", "placeholder" };

	if (!fix) {
		mw_diag_json_string(json, "fix", NULL);
		return;
	}
	mw_diag_json_open(json, "fix", '{');
	mw_diag_json_string(json, "applicability", names[fix->safety]);
	mw_diag_json_open(json, "edits", '[');
	for (const struct mw_fix_edit *edit = fix->edits; edit; edit = edit->next) {
		mw_diag_json_open(json, NULL, '{');
		mw_diag_json_string(json, "file", mw_span_place(diagnostics, edit->span, 0).file);
		mw_diag_json_open(json, "byte", '[');
		mw_diag_json_number(json, NULL, edit->span.byte);
		mw_diag_json_number(json, NULL, (size_t)edit->span.byte + edit->span.length);
		mw_diag_json_close(json, ']');
		mw_diag_json_string(json, "text", edit->text);
		mw_diag_json_close(json, '}');
	}
	mw_diag_json_close(json, ']');
	mw_diag_json_close(json, '}');
}

static void put_diag(struct mw_diagnostics *diagnostics, struct mw_diag_json *json,
		     const struct mw_diag *diag)
{
	mw_diag_json_open(json, NULL, '{');
	mw_diag_json_number(json, "v", 1);
	mw_diag_json_string(json, "code", diag->code);
	mw_diag_json_string(json, "name", mw_rule_name(diag->code));
	mw_diag_json_string(json, "severity", mw_severity_name(diag->severity));
	mw_diag_json_string(json, "message", diag->message);
	mw_diag_json_string(json, "node", diag->node);
	put_span(diagnostics, json, diag->span);
	mw_diag_json_string(json, "label", diag->label);
	put_notes(diagnostics, json, diag);
	mw_diag_json_string(json, "help", diag->help);
	put_fix(diagnostics, json, diag->fix);
	mw_diag_json_string(json, "help_url", NULL);
	mw_diag_json_close(json, '}');
}

void mw_diag_print_json(struct mw_diagnostics *diagnostics, FILE *out, bool lines)
{
	const char *before = lines ? "" : "\n", *between = lines ? "\n" : ",\n";
	size_t shown = 0;

	if (!lines)
		putc('[', out);
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_diag_json json = { .out = out };

		if (diagnostics->items[i]->hidden)
			continue;
		fputs(shown++ ? between : before, out);
		put_diag(diagnostics, &json, diagnostics->items[i]);
	}
	if (shown)
		putc('\n', out);
	if (!lines)
		fputs("]\n", out);
}
