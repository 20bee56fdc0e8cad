/** A writer of JSON texts (RFC 8259), two spaces a level. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** On the caller's stack: `{ .out = stdout }`. At most 32 levels. `key` is NULL inside arrays and at
 * the top. */
struct mw_json {
	FILE *out;
	unsigned depth;
	bool filled[32]; /* the open object or array of this level has a member */
};

void mw_json_object(struct mw_json *json, const char *key);
void mw_json_array(struct mw_json *json, const char *key);
/** Ends the innermost object or array; `bracket` is '}' or ']'. */
void mw_json_end(struct mw_json *json, char bracket);

/** NULL writes nothing at all: the member is left out. */
void mw_json_string(struct mw_json *json, const char *key, const char *text);
void mw_json_number(struct mw_json *json, const char *key, uint64_t number);
void mw_json_bool(struct mw_json *json, const char *key, bool value);

#endif
