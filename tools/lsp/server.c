/* JSON-RPC 2.0: requests, notifications, the server's life. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "tools/lsp/lsp_internal.h"

#ifndef MW_VERSION
#define MW_VERSION "0"
#endif

enum {
	PARSE_ERROR = -32700,
	INVALID_REQUEST = -32600,
	METHOD_NOT_FOUND = -32601,
	INVALID_PARAMS = -32602,
	NOT_INITIALIZED = -32002,
};

void lsp_send(struct lsp_server *server, json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	char header[64];

	json_decref(message);
	if (!text)
		return;
	size_t length = strlen(text);
	int count = snprintf(header, sizeof(header), "Content-Length: %zu\r\n\r\n", length);

	lsp_append(&server->answer, header, (size_t)count);
	lsp_append(&server->answer, text, length);
	free(text);
}

void lsp_notify(struct lsp_server *server, const char *method, json_t *params)
{
	lsp_send(server,
		 json_pack("{s:s,s:s,s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}

json_t *lsp_fail(struct lsp_server *server, int code, const char *format, ...)
{
	va_list arguments;

	server->error = code;
	va_start(arguments, format);
	vsnprintf(server->error_text, sizeof(server->error_text), format, arguments);
	va_end(arguments);
	return NULL;
}

static void answer(struct lsp_server *server, const json_t *id, json_t *result)
{
	json_t *message = json_pack("{s:s,s:O}", "jsonrpc", "2.0", "id", id);

	if (server->error) {
		json_decref(result);
		json_object_set_new(message, "error",
				    json_pack("{s:i,s:o}", "code", server->error, "message",
					      lsp_string(server->error_text)));
	} else {
		json_object_set_new(message, "result", result ? result : json_null());
	}
	server->error = 0;
	lsp_send(server, message);
}

static void refuse(struct lsp_server *server, const json_t *id, int code, const char *text)
{
	lsp_fail(server, code, "%s", text);
	answer(server, id ? id : json_null(), NULL);
}

static void add_folder(struct lsp_server *server, const json_t *folder)
{
	const char *uri = json_string_value(json_object_get(folder, "uri"));
	char *path = uri ? lsp_path_of(uri) : NULL;

	if (path && server->folder_count < LSP_MOST_FOLDERS)
		server->folders[server->folder_count++] = path;
	else
		free(path);
}

static void remove_folder(struct lsp_server *server, const json_t *folder)
{
	const char *uri = json_string_value(json_object_get(folder, "uri"));
	char *path = uri ? lsp_path_of(uri) : NULL;

	for (size_t i = 0; path && i < server->folder_count; i++) {
		if (strcmp(server->folders[i], path) != 0)
			continue;
		free(server->folders[i]);
		server->folder_count--;
		memmove(server->folders + i, server->folders + i + 1,
			(server->folder_count - i) * sizeof(char *));
		break;
	}
	free(path);
}

static void change_folders(struct lsp_server *server, const json_t *params)
{
	const json_t *event = json_object_get(params, "event"), *folder;
	size_t index;

	json_array_foreach(json_object_get(event, "removed"), index, folder)
		remove_folder(server, folder);
	json_array_foreach(json_object_get(event, "added"), index, folder)
		add_folder(server, folder);
	lsp_documents_dirty(server);
}

static void take_folders(struct lsp_server *server, const json_t *params)
{
	const json_t *folders = json_object_get(params, "workspaceFolders"), *folder;
	size_t index;

	json_array_foreach(folders, index, folder) add_folder(server, folder);
	if (!json_array_size(folders) && json_is_string(json_object_get(params, "rootUri"))) {
		json_t *root = json_pack("{s:O}", "uri", json_object_get(params, "rootUri"));

		add_folder(server, root);
		json_decref(root);
	}
}

/* UTF-8 where the client takes it, else UTF-16, which all take. */
static void take_capabilities(struct lsp_server *server, const json_t *capabilities)
{
	const json_t *encodings = json_object_get(json_object_get(capabilities, "general"),
						  "positionEncodings"),
		     *encoding;
	const json_t *completion =
		json_object_get(json_object_get(capabilities, "textDocument"), "completion");
	size_t index;

	json_array_foreach(encodings, index, encoding)
	{
		const char *name = json_string_value(encoding);

		server->utf8 |= name && strcmp(name, "utf-8") == 0;
	}
	server->watches = json_is_true(
		json_object_get(json_object_get(json_object_get(capabilities, "workspace"),
						"didChangeWatchedFiles"),
				"dynamicRegistration"));
	server->snippets = json_is_true(
		json_object_get(json_object_get(completion, "completionItem"), "snippetSupport"));
}

/* Bases change without being open. */
static void initialized(struct lsp_server *server, const json_t *params)
{
	(void)params;
	if (!server->watches)
		return;
	lsp_send(server, json_pack("{s:s,s:s,s:s,s:{s:[{s:s,s:s,s:{s:[{s:s}]}}]}}", "jsonrpc",
				   "2.0", "id", "watch", "method", "client/registerCapability",
				   "params", "registrations", "id", "watch", "method",
				   "workspace/didChangeWatchedFiles", "registerOptions", "watchers",
				   "globPattern", "**/*.yaml"));
}

static json_t *capabilities(const struct lsp_server *server)
{
	return json_pack(
		"{s:s, s:{s:b,s:i,s:{s:b}}, s:{s:[s,s,s,s,s],s:b}, s:b, s:b, s:b, s:{s:b}, s:b, "
		"s:{s:[s,s]}, s:b, s:b, s:{s:{s:b,s:b}}}",
		"positionEncoding", server->utf8 ? "utf-8" : "utf-16", "textDocumentSync",
		"openClose", 1, "change", 2, "save", "includeText", 0, "completionProvider",
		"triggerCharacters", ":", " ", "(", ".", "/", "resolveProvider", 0, "hoverProvider",
		1, "definitionProvider", 1, "referencesProvider", 1, "renameProvider",
		"prepareProvider", 1, "documentSymbolProvider", 1, "codeActionProvider",
		"codeActionKinds", "quickfix", "source.fixAll", "inlayHintProvider", 1,
		"documentFormattingProvider", 1, "workspace", "workspaceFolders", "supported", 1,
		"changeNotifications", 1);
}

static json_t *initialize(struct lsp_server *server, const json_t *params)
{
	if (server->state != LSP_FRESH)
		return lsp_fail(server, INVALID_REQUEST, "initialized already");
	take_capabilities(server, json_object_get(params, "capabilities"));
	take_folders(server, params);
	server->state = LSP_RUNNING;
	return json_pack("{s:o,s:{s:s,s:s}}", "capabilities", capabilities(server), "serverInfo",
			 "name", "millwright", "version", MW_VERSION);
}

/* What a request about a document needs. */
static const struct request {
	const char *method;
	lsp_handler *run;
	bool position;
} requests[] = {
	{ "textDocument/completion", lsp_complete, true },
	{ "textDocument/hover", lsp_hover, true },
	{ "textDocument/definition", lsp_definition, true },
	{ "textDocument/references", lsp_references, true },
	{ "textDocument/prepareRename", lsp_prepare_rename, true },
	{ "textDocument/rename", lsp_rename, true },
	{ "textDocument/documentSymbol", lsp_document_symbols, false },
	{ "textDocument/codeAction", lsp_code_actions, false },
	{ "textDocument/inlayHint", lsp_inlay_hints, false },
	{ "textDocument/formatting", lsp_formatting, false },
};

static const struct notification {
	const char *method;
	void (*run)(struct lsp_server *server, const json_t *params);
} notifications[] = {
	{ "initialized", initialized },
	{ "textDocument/didOpen", lsp_document_open },
	{ "textDocument/didChange", lsp_document_change },
	{ "textDocument/didClose", lsp_document_close },
	{ "textDocument/didSave", lsp_document_save },
	{ "workspace/didChangeWorkspaceFolders", change_folders },
	{ "workspace/didChangeWatchedFiles", lsp_document_save },
};

static json_t *run_request(struct lsp_server *server, const struct request *request,
			   const json_t *params)
{
	const char *uri =
		json_string_value(json_object_get(json_object_get(params, "textDocument"), "uri"));
	struct lsp_cursor cursor = { .server = server,
				     .document = uri ? lsp_document_find(server, uri) : NULL,
				     .params = params };

	if (!cursor.document)
		return lsp_fail(server, INVALID_PARAMS, "no such document is open");
	if (request->position && !lsp_offset(&cursor.document->lines,
					     json_object_get(params, "position"), &cursor.offset))
		return lsp_fail(server, INVALID_PARAMS, "no position in the document");
	lsp_analyse(server, cursor.document);
	return request->run(&cursor);
}

static json_t *dispatch(struct lsp_server *server, const char *method, const json_t *params)
{
	if (strcmp(method, "initialize") == 0)
		return initialize(server, params);
	if (server->state == LSP_FRESH)
		return lsp_fail(server, NOT_INITIALIZED, "not initialized yet");
	if (server->state == LSP_DOWN)
		return lsp_fail(server, INVALID_REQUEST, "shut down already");
	if (strcmp(method, "shutdown") == 0) {
		server->state = LSP_DOWN;
		return json_null();
	}
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(requests[i].method, method) == 0)
			return run_request(server, &requests[i], params);
	}
	return lsp_fail(server, METHOD_NOT_FOUND, "there is no method `%.80s`", method);
}

static void notice(struct lsp_server *server, const char *method, const json_t *params)
{
	if (strcmp(method, "exit") == 0) {
		server->exit_code = server->state == LSP_DOWN ? MW_EXIT_OK : MW_EXIT_FAILED;
		server->state = LSP_EXITED;
	}
	for (size_t i = 0; i < sizeof(notifications) / sizeof(notifications[0]); i++) {
		if (server->state == LSP_RUNNING && strcmp(notifications[i].method, method) == 0)
			notifications[i].run(server, params);
	}
}

static void take_message(struct lsp_server *server, const json_t *message)
{
	const json_t *id = json_object_get(message, "id");
	const json_t *method_json = json_object_get(message, "method");
	const char *method = json_string_value(method_json);

	if (!method) {
		/* an answer to something we never ask, or nothing we know */
		if (!json_is_object(message) || (id && !json_object_get(message, "result") &&
						 !json_object_get(message, "error")))
			refuse(server, NULL, INVALID_REQUEST, "not a request");
		return;
	}
	if (!id) {
		notice(server, method, json_object_get(message, "params"));
		return;
	}
	if (!json_is_integer(id) && !json_is_string(id)) {
		refuse(server, NULL, INVALID_REQUEST, "an id is a number or a string");
		return;
	}
	json_t *result = dispatch(server, method, json_object_get(message, "params"));

	answer(server, id, result);
}

static void take_text(struct lsp_server *server, const char *text, size_t length)
{
	json_t *message = json_loadb(text, length, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

	if (message)
		take_message(server, message);
	else
		refuse(server, NULL, PARSE_ERROR, "the message is no JSON");
	json_decref(message);
}

bool lsp_take(struct lsp_server *server, const char *bytes, size_t count)
{
	const char *text;
	size_t length;

	lsp_frame_feed(&server->frame, bytes, count);
	while (server->state != LSP_EXITED) {
		switch (lsp_frame_next(&server->frame, &text, &length)) {
		case LSP_NOTHING: return true;
		case LSP_MESSAGE: take_text(server, text, length); break;
		case LSP_BAD_HEADER:
			refuse(server, NULL, PARSE_ERROR, "a header without Content-Length");
			break;
		case LSP_TOO_LONG:
			refuse(server, NULL, INVALID_REQUEST, "the message is too long");
			break;
		case LSP_HOPELESS:
			refuse(server, NULL, PARSE_ERROR, "the header does not end");
			server->exit_code = MW_EXIT_FAILED;
			server->state = LSP_EXITED;
			break;
		}
	}
	return false;
}

void lsp_settle(struct lsp_server *server)
{
	if (!server->unpublished)
		return;
	server->unpublished = false;
	for (size_t i = 0; i < server->document_count; i++)
		lsp_analyse(server, server->documents[i]);
	lsp_publish(server);
}

void lsp_server_fini(struct lsp_server *server)
{
	for (size_t i = 0; i < server->document_count; i++)
		lsp_document_free(server->documents[i]);
	for (size_t i = 0; i < server->folder_count; i++)
		free(server->folders[i]);
	for (size_t i = 0; i < server->published_count; i++) {
		free(server->published[i].uri);
		json_decref(server->published[i].items);
	}
	free(server->published);
	free(server->answer.bytes);
	lsp_frame_fini(&server->frame);
	*server = (struct lsp_server){ 0 };
}
