/* Findings as LSP diagnostics, each at the file it is in, sent when they differ from the last ones. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "tools/lsp/lsp_internal.h"

/* Plain notes and the help follow the message; notes with a place go to relatedInformation. */
static json_t *message_of(const struct mw_diag *diag)
{
	struct lsp_bytes text = { 0 };

	lsp_append(&text, diag->message, strlen(diag->message));
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (note->span.source)
			continue;
		lsp_append(&text, "\nnote: ", 7);
		lsp_append(&text, note->text, strlen(note->text));
	}
	if (diag->help) {
		lsp_append(&text, "\nhelp: ", 7);
		lsp_append(&text, diag->help, strlen(diag->help));
	}
	json_t *message = lsp_text(text.bytes, text.count);

	free(text.bytes);
	return message;
}

static json_t *related(struct lsp_server *server, struct lsp_analysis *analysis,
		       const struct mw_diag *diag)
{
	json_t *list = json_array();

	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		json_t *location = lsp_location(server, analysis, note->span);

		if (location)
			json_array_append_new(list, json_pack("{s:o,s:o}", "location", location,
							      "message", lsp_string(note->text)));
	}
	return list;
}

static json_t *range_of(struct lsp_server *server, struct lsp_analysis *analysis,
			const struct mw_diag *diag)
{
	if (diag->span.source)
		return lsp_range(lsp_source_lines(server, analysis, diag->span.source),
				 diag->span.byte, diag->span.length);
	return json_pack("{s:{s:i,s:i},s:{s:i,s:i}}", "start", "line", 0, "character", 0, "end",
			 "line", 0, "character", 0);
}

json_t *lsp_diagnostic(struct lsp_server *server, struct lsp_analysis *analysis,
		       const struct mw_diag *diag)
{
	static const int severities[] = { 1, 2, 4 }; /* error, warning, hint */
	static const char *const safeties[] = { "safe", "unsafe", "placeholder" };
	json_t *item = json_pack("{s:o,s:i,s:s,s:o}", "range", range_of(server, analysis, diag),
				 "severity", severities[diag->severity], "source", "millwright",
				 "message", message_of(diag));
	json_t *others = related(server, analysis, diag);
	int tag = strcmp(diag->code, "S104") == 0 ? 1 : strcmp(diag->code, "C701") == 0 ? 2 : 0;

	if (*diag->code)
		json_object_set_new(item, "code", lsp_string(diag->code));
	if (tag)
		json_object_set_new(item, "tags", json_pack("[i]", tag));
	if (json_array_size(others))
		json_object_set(item, "relatedInformation", others);
	json_decref(others);
	if (diag->fix)
		json_object_set_new(item, "data",
				    json_pack("{s:s}", "fix", safeties[diag->fix->safety]));
	return item;
}

/* One round: `files` is URI to items, `seen` has what was added, so that a base of several machines
 * shows a finding once. */
struct round {
	struct lsp_server *server;
	json_t *files, *seen;
};

static void add(struct round *round, const char *uri, json_t *item)
{
	json_t *items = json_object_get(round->files, uri);
	char *text = json_dumps(item, JSON_COMPACT);
	json_t *key = lsp_format("%s %s", uri, text ? text : "");

	free(text);
	if (!items) {
		items = json_array();
		json_object_set_new(round->files, uri, items);
	}
	if (!json_object_get(round->seen, json_string_value(key)) &&
	    json_array_size(items) < LSP_MOST_DIAGNOSTICS) {
		json_array_append(items, item);
		json_object_set_new(round->seen, json_string_value(key), json_true());
	}
	json_decref(key);
	json_decref(item);
}

/* Whether the file, open itself, has the finding without our help. */
static bool has_itself(const struct lsp_document *document, const struct mw_diag *diag)
{
	const struct lsp_analysis *analysis = document->now;

	for (size_t i = 0; analysis && i < analysis->diagnostics.count; i++) {
		const struct mw_diag *own = analysis->diagnostics.items[i];

		if (own->span.source == analysis->source && own->span.byte == diag->span.byte &&
		    strcmp(own->code, diag->code) == 0)
			return true;
	}
	return false;
}

/* What only this machine finds in a base that is open: shown where the machine names its bases. */
static void add_to_extends(struct round *round, const struct lsp_document *document,
			   const struct mw_diag *diag)
{
	struct lsp_analysis *analysis = document->now;
	uint32_t extends = lsp_outline_child(&document->outline, LSP_NO_ITEM, "extends");
	json_t *item = lsp_diagnostic(round->server, analysis, diag);
	json_t *location = lsp_location(round->server, analysis, diag->span);

	json_object_set_new(
		item, "relatedInformation",
		json_pack("[{s:o,s:s}]", "location", location, "message", "it is here"));
	json_object_set_new(item, "range",
			    extends == LSP_NO_ITEM
				    ? lsp_range(&document->lines, 0, 0)
				    : lsp_range(&document->lines,
						document->outline.items[extends].key,
						document->outline.items[extends].key_length));
	add(round, document->uri, item);
}

static void add_diagnostics(struct round *round, const struct lsp_document *document)
{
	struct lsp_analysis *analysis = document->now;

	for (size_t i = 0; i < analysis->diagnostics.count; i++) {
		const struct mw_diag *diag = analysis->diagnostics.items[i];
		uint32_t source = diag->span.source;

		if (diag->hidden != MW_DIAG_SHOWN)
			continue;
		if (!source || source == analysis->source) {
			add(round, document->uri, lsp_diagnostic(round->server, analysis, diag));
			continue;
		}
		const struct lsp_document *other =
			lsp_document_at(round->server, lsp_source_path(analysis, source));

		if (!other || !other->now) {
			char *uri = lsp_source_uri(round->server, analysis, source);

			add(round, uri, lsp_diagnostic(round->server, analysis, diag));
			free(uri);
		} else if (diag->severity == MW_SEVERITY_ERROR && !has_itself(other, diag)) {
			add_to_extends(round, document, diag);
		}
	}
}

/* What is wrong with a device of a chipset is so in every machine. */
static void add_devices(struct round *round, const struct lsp_document *document)
{
	static const char *const codes[] = { "S101", "S102", "S103", NULL };
	struct lsp_analysis *analysis = document->good_is_new ? document->good : NULL;

	for (size_t i = 0; analysis && i < analysis->diagnostics.count; i++) {
		const struct mw_diag *diag = analysis->diagnostics.items[i];

		if (diag->hidden == MW_DIAG_SHOWN && diag->span.source == analysis->source &&
		    diag->severity == MW_SEVERITY_ERROR && mw_name_in(diag->code, codes) &&
		    diag->node && strncmp(diag->node, "/devices/", 9) == 0 &&
		    !has_itself(document, diag))
			add(round, document->uri, lsp_diagnostic(round->server, analysis, diag));
	}
}

static void send(struct lsp_server *server, const char *uri, json_t *items)
{
	lsp_notify(server, "textDocument/publishDiagnostics",
		   json_pack("{s:o,s:O}", "uri", lsp_string(uri), "diagnostics", items));
}

static struct lsp_published *find_published(struct lsp_server *server, const char *uri)
{
	for (size_t i = 0; i < server->published_count; i++) {
		if (strcmp(server->published[i].uri, uri) == 0)
			return &server->published[i];
	}
	server->published =
		mw_grow(server->published, server->published_count + 1, sizeof(*server->published));
	server->published[server->published_count] =
		(struct lsp_published){ .uri = mw_strdup(uri) };
	return &server->published[server->published_count++];
}

static void send_changed(struct lsp_server *server, json_t *files)
{
	const char *uri;
	json_t *items;

	for (size_t i = 0; i < server->published_count; i++)
		server->published[i].seen = false;
	json_object_foreach(files, uri, items)
	{
		struct lsp_published *published = find_published(server, uri);

		published->seen = true;
		if (published->items && json_equal(published->items, items))
			continue;
		json_decref(published->items);
		published->items = json_incref(items);
		send(server, uri, items);
	}
}

/* Files that nothing is said about any more. */
static void send_cleared(struct lsp_server *server)
{
	size_t kept = 0;
	json_t *none = json_array();

	for (size_t i = 0; i < server->published_count; i++) {
		struct lsp_published published = server->published[i];

		if (published.seen) {
			server->published[kept++] = published;
			continue;
		}
		if (json_array_size(published.items))
			send(server, published.uri, none);
		json_decref(published.items);
		free(published.uri);
	}
	server->published_count = kept;
	json_decref(none);
}

void lsp_publish(struct lsp_server *server)
{
	struct round round = { server, json_object(), json_object() };

	for (size_t i = 0; i < server->document_count; i++) {
		const struct lsp_document *document = server->documents[i];

		if (!document->now)
			continue;
		if (!json_object_get(round.files, document->uri))
			json_object_set_new(round.files, document->uri, json_array());
		add_diagnostics(&round, document);
		add_devices(&round, document);
	}
	send_changed(server, round.files);
	send_cleared(server);
	json_decref(round.files);
	json_decref(round.seen);
}
