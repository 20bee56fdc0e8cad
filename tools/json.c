/** Writes JSON: commas, indentation and string escapes in one place. */
// SPDX-License-Identifier: MIT
#include "tools/json.h"

#include <assert.h>
#include <inttypes.h>

#include "core/text.h"

static void new_line(struct mw_json *json)
{
	fprintf(json->out, "\n%*s", (int)(2 * json->depth), "");
}

static void begin_member(struct mw_json *json, const char *key)
{
	if (json->depth) {
		if (json->filled[json->depth - 1])
			fputc(',', json->out);
		json->filled[json->depth - 1] = true;
		new_line(json);
	}
	if (key) {
		mw_put_json_string(json->out, key);
		fputs(": ", json->out);
	}
}

static void open_level(struct mw_json *json, const char *key, char bracket)
{
	begin_member(json, key);
	fputc(bracket, json->out);
	assert(json->depth < sizeof(json->filled) && "deeper than any text we write");
	json->filled[json->depth++] = false;
}

void mw_json_object(struct mw_json *json, const char *key)
{
	open_level(json, key, '{');
}

void mw_json_array(struct mw_json *json, const char *key)
{
	open_level(json, key, '[');
}

void mw_json_end(struct mw_json *json, char bracket)
{
	bool filled = json->filled[--json->depth];

	if (filled)
		new_line(json);
	fputc(bracket, json->out);
	if (json->depth == 0)
		fputc('\n', json->out);
}

void mw_json_string(struct mw_json *json, const char *key, const char *text)
{
	if (!text)
		return;
	begin_member(json, key);
	mw_put_json_string(json->out, text);
}

void mw_json_number(struct mw_json *json, const char *key, uint64_t number)
{
	begin_member(json, key);
	fprintf(json->out, "%" PRIu64, number);
}

void mw_json_bool(struct mw_json *json, const char *key, bool value)
{
	begin_member(json, key);
	fputs(value ? "true" : "false", json->out);
}
