/* Open documents: what the client holds, and how it changes. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "tools/lsp/lsp_internal.h"

struct lsp_document *lsp_document_find(struct lsp_server *server, const char *uri)
{
	for (size_t i = 0; i < server->document_count; i++) {
		if (strcmp(server->documents[i]->uri, uri) == 0)
			return server->documents[i];
	}
	return NULL;
}

struct lsp_document *lsp_document_at(struct lsp_server *server, const char *path)
{
	for (size_t i = 0; i < server->document_count; i++) {
		if (strcmp(server->documents[i]->path, path) == 0)
			return server->documents[i];
	}
	return NULL;
}

static const char *uri_of(const json_t *params)
{
	const char *uri =
		json_string_value(json_object_get(json_object_get(params, "textDocument"), "uri"));

	return uri ? uri : "";
}

static void tell(struct lsp_server *server, const char *text)
{
	lsp_notify(server, "window/showMessage",
		   json_pack("{s:i,s:s}", "type", 2, "message", text));
}

/* A kind that people write, or what may become or have been meant as one. */
static bool is_kind(const char *text)
{
	size_t length = strcspn(text, "/");
	char kind[40];

	if (length >= sizeof(kind))
		return false;
	memcpy(kind, text, length);
	kind[length] = '\0';
	for (const struct mw_format *format = mw_formats; format->name; format++) {
		if (format->shape && format->folder &&
		    (strncmp(format->name, kind, length) == 0 ||
		     mw_near_distance(kind, format->name) <= 2))
			return true;
	}
	return false;
}

/* Any YAML file may come our way; only what says it is of the language is looked at. */
static bool is_ours(const struct lsp_document *document)
{
	const struct lsp_outline *outline = &document->outline;
	uint32_t format = lsp_outline_child(outline, LSP_NO_ITEM, "format");
	char text[40];

	if (format == LSP_NO_ITEM)
		return lsp_outline_child(outline, LSP_NO_ITEM, "devices") != LSP_NO_ITEM;
	return !outline->items[format].scalar ||
	       is_kind(lsp_outline_value(outline, format, text, sizeof(text)));
}

/* After the text changed. */
static void look_again(struct lsp_server *server, struct lsp_document *document)
{
	lsp_outline_fini(&document->outline);
	lsp_outline_parse(&document->outline, document->text, document->length);
	document->ours = is_ours(document);
	document->dirty = true;
	server->unpublished = true;
}

/* Whoever extends a file is to be looked at again when it changes. */
static void touch_others(struct lsp_server *server, const struct lsp_document *changed)
{
	for (size_t i = 0; i < server->document_count; i++) {
		struct lsp_document *document = server->documents[i];
		struct lsp_analysis *analysis = document->now;

		if (document == changed || !analysis)
			continue;
		/* a source that was not there, or was found elsewhere, may be this one now */
		document->dirty |= analysis->diagnostics.errors > 0;
		for (size_t s = 1; s <= analysis->diagnostics.source_count; s++)
			document->dirty |=
				strcmp(lsp_source_path(analysis, (uint32_t)s), changed->path) == 0;
	}
	server->unpublished = true;
}

static void set_text(struct lsp_server *server, struct lsp_document *document, const char *text,
		     size_t length)
{
	char *copy = mw_alloc(length + 1, 1);

	memcpy(copy, text, length);
	server->text_bytes += length - document->length;
	free(document->text);
	document->text = copy;
	document->length = length;
	lsp_lines_fini(&document->lines);
	lsp_lines_init(&document->lines, document->text, length, server->utf8);
}

static char *real_path(const char *uri)
{
	char *path = lsp_path_of(uri), *real = path ? realpath(path, NULL) : NULL;

	if (real) {
		free(path);
		return real;
	}
	return path ? path : mw_strdup(uri);
}

static void remove_document(struct lsp_server *server, struct lsp_document *document)
{
	size_t i = 0;

	while (server->documents[i] != document)
		i++;
	server->documents[i] = server->documents[--server->document_count];
	server->text_bytes -= document->length;
	touch_others(server, document);
	lsp_document_free(document);
}

void lsp_document_open(struct lsp_server *server, const json_t *params)
{
	const json_t *text = json_object_get(json_object_get(params, "textDocument"), "text");
	const char *uri = uri_of(params);
	size_t length = json_string_length(text);
	struct lsp_document *document = lsp_document_find(server, uri);

	if (!json_is_string(text) || !*uri)
		return;
	if (document) /* twice: the later text counts */
		remove_document(server, document);
	if (server->document_count == LSP_MOST_DOCUMENTS ||
	    server->text_bytes + length > LSP_MOST_TEXT) {
		tell(server, "millwright: too much is open; this file is not looked at");
		return;
	}
	document = mw_alloc(1, sizeof(*document));
	document->uri = mw_strdup(uri);
	document->path = real_path(uri);
	set_text(server, document, json_string_value(text), length);
	server->documents[server->document_count++] = document;
	touch_others(server, document);
	look_again(server, document);
}

/* One entry of contentChanges; false when it makes no sense. */
static bool apply(struct lsp_server *server, struct lsp_document *document, const json_t *change)
{
	const json_t *text = json_object_get(change, "text"),
		     *range = json_object_get(change, "range");
	size_t length = json_string_length(text), start, end;

	if (!json_is_string(text) || server->text_bytes + length > LSP_MOST_TEXT)
		return false;
	if (!range || json_is_null(range)) {
		set_text(server, document, json_string_value(text), length);
		return true;
	}
	if (!lsp_offset(&document->lines, json_object_get(range, "start"), &start) ||
	    !lsp_offset(&document->lines, json_object_get(range, "end"), &end) || end < start)
		return false;
	struct lsp_bytes whole = { 0 };

	lsp_append(&whole, document->text, start);
	lsp_append(&whole, json_string_value(text), length);
	lsp_append(&whole, document->text + end, document->length - end);
	set_text(server, document, whole.count ? whole.bytes : "", whole.count);
	free(whole.bytes);
	return true;
}

void lsp_document_change(struct lsp_server *server, const json_t *params)
{
	struct lsp_document *document = lsp_document_find(server, uri_of(params));
	const json_t *changes = json_object_get(params, "contentChanges"), *change;
	size_t index, work = 0;

	if (!document)
		return;
	json_array_foreach(changes, index, change)
	{
		work += document->length;
		if (work <= LSP_MOST_EDIT_WORK && apply(server, document, change))
			continue;
		/* from here on its text would not be the client's */
		tell(server, "millwright: a change could not be followed; open the file again");
		remove_document(server, document);
		return;
	}
	look_again(server, document);
	touch_others(server, document);
}

void lsp_document_close(struct lsp_server *server, const json_t *params)
{
	struct lsp_document *document = lsp_document_find(server, uri_of(params));

	if (document)
		remove_document(server, document);
}

/* What was saved may be a base that is not open. */
void lsp_document_save(struct lsp_server *server, const json_t *params)
{
	(void)params;
	lsp_documents_dirty(server);
}

void lsp_documents_dirty(struct lsp_server *server)
{
	for (size_t i = 0; i < server->document_count; i++)
		server->documents[i]->dirty = true;
	server->unpublished = true;
}

void lsp_document_free(struct lsp_document *document)
{
	lsp_analysis_free(document->now);
	lsp_analysis_free(document->good);
	lsp_outline_fini(&document->outline);
	lsp_lines_fini(&document->lines);
	free(document->uri);
	free(document->path);
	free(document->text);
	free(document);
}
