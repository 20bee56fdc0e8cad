/** Text from outside, character by character: UTF-8, columns, JSON strings. */
// SPDX-License-Identifier: MIT
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** The bytes of the character at `text`, which holds `length` (at least 1) bytes or ends in a NUL
 * before. 1 and *point = 0xfffd for what is no well-formed UTF-8. */
size_t mw_utf8_decode(const char *text, size_t length, uint32_t *point);

/** Columns in a monospaced font: wide characters (UAX 11) take two, combining marks none. */
unsigned mw_utf8_width(uint32_t point);

/** Writes a double-quoted scalar that YAML and JSON read alike: controls and what is no character are
 * escaped, bytes that are no UTF-8 become U+FFFD. */
void mw_put_quoted(FILE *out, const char *text);

/** Writes a JSON string (RFC 8259) with its quotes. Bytes that are no UTF-8 become U+FFFD. */
void mw_put_json_string(FILE *out, const char *text);

#endif
