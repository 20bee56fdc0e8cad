/** Bytes as what an editor sends to the language server: a stream of messages, or, when the first byte is even,
 * the text of a document in which every request is made at every few bytes. Whatever they are, what comes
 * back is well-framed JSON. */
// SPDX-License-Identifier: MIT
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "devices/registry.h"
#include "tests/fuzz/check.h"
#include "tools/lsp/lsp_internal.h"

enum { LONGEST_TEXT = 4096, PLACES = 6 };
static const char uri[] = "file:///nowhere/profiles/x.yaml";
static struct mw_workshop workshop;
static bool ready;

static void set_up(void)
{
	CHECK(mw_builtin_devices(&workshop.registry, &workshop.diagnostics));
	mw_search_init(&workshop.search, NULL, NULL);
	ready = true;
}

/* As in lsp_take, from the other side. */
static void check_answers(struct lsp_server *server)
{
	struct lsp_frame frame = { 0 };
	const char *text;
	size_t length;

	lsp_frame_feed(&frame, server->answer.bytes ? server->answer.bytes : "",
		       server->answer.count);
	while (frame.begin < frame.waiting.count) {
		CHECK(lsp_frame_next(&frame, &text, &length) == LSP_MESSAGE);
		json_t *message = json_loadb(text, length, JSON_ALLOW_NUL, NULL);

		CHECK(json_is_object(message));
		json_decref(message);
	}
	lsp_frame_fini(&frame);
	server->answer.count = 0;
}

static void say(struct lsp_server *server, json_t *message)
{
	struct lsp_server writer = { 0 };

	CHECK(message);
	lsp_send(&writer, message);
	CHECK(lsp_take(server, writer.answer.bytes, writer.answer.count));
	free(writer.answer.bytes);
	check_answers(server);
}

static void ask(struct lsp_server *server, const char *method, int line, int character)
{
	say(server, json_pack("{s:i,s:s,s:{s:{s:s},s:{s:i,s:i},s:s,s:{s:{s:i,s:i},s:{s:i,s:i}},"
			      "s:{s:b,s:[]}}}",
			      "id", 1, "method", method, "params", "textDocument", "uri", uri,
			      "position", "line", line, "character", character, "newName", "other",
			      "range", "start", "line", 0, "character", 0, "end", "line", 9999,
			      "character", 0, "context", "includeDeclaration", 1, "diagnostics"));
}

static void edit(struct lsp_server *server, const char *text, size_t length)
{
	static const char *const anywhere[] = { "textDocument/documentSymbol",
						"textDocument/codeAction", "textDocument/inlayHint",
						"textDocument/formatting" };
	static const char *const somewhere[] = {
		"textDocument/completion", "textDocument/hover",         "textDocument/definition",
		"textDocument/references", "textDocument/prepareRename", "textDocument/rename"
	};
	struct lsp_lines lines;

	say(server, json_pack("{s:s,s:{s:{s:s,s:o}}}", "method", "textDocument/didOpen", "params",
			      "textDocument", "uri", uri, "text", lsp_text(text, length)));
	lsp_settle(server);
	check_answers(server);
	for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++)
		ask(server, anywhere[i], 0, 0);
	lsp_lines_init(&lines, text, length, true);
	for (size_t place = 0; place <= PLACES; place++) {
		json_t *position = lsp_position(&lines, length * place / PLACES);
		int line = (int)json_integer_value(json_object_get(position, "line"));
		int column = (int)json_integer_value(json_object_get(position, "character"));

		json_decref(position);
		for (size_t i = 0; i < sizeof(somewhere) / sizeof(somewhere[0]); i++)
			ask(server, somewhere[i], line, column);
	}
	lsp_lines_fini(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct lsp_server server = { .workshop = &workshop };

	if (!ready)
		set_up();
	if (!count)
		return 0;
	server.state = bytes[0] & 2 ? LSP_FRESH : LSP_RUNNING;
	server.utf8 = bytes[0] & 4;
	server.snippets = bytes[0] & 8;
	if (bytes[0] & 1) {
		lsp_take(&server, (const char *)bytes + 1, count / 2);
		lsp_take(&server, (const char *)bytes + 1 + count / 2, count - 1 - count / 2);
		lsp_settle(&server);
		check_answers(&server);
	} else {
		server.state = LSP_RUNNING;
		edit(&server, (const char *)bytes + 1,
		     count - 1 < LONGEST_TEXT ? count - 1 : LONGEST_TEXT);
	}
	lsp_server_fini(&server);
	return 0;
}
