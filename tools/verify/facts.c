/* Reading a report: sections of lines, whatever the bytes are. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/verify/verify.h"

static const char opening[] = "== ";

/* Cuts the line at *at out of the text and goes to the next. A terminal's carriage returns go. */
static char *next_line(char **at, char *end)
{
	char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
	char *tail = stop ? stop : end;

	*at = stop ? stop + 1 : end;
	while (tail > line && tail[-1] == '\r')
		tail--;
	*tail = '\0';
	return line;
}

static size_t count_lines(const char *text, size_t length)
{
	size_t count = 1;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	return count;
}

static void open_section(struct verify_facts *facts, char *line, char **lines)
{
	struct verify_section *section = &facts->sections[facts->count++];
	char *rest = line + strlen(opening);

	section->kind = strsep(&rest, " ");
	section->name = rest ? rest : "";
	section->lines = lines;
	section->count = 0;
	facts->whole = !strcmp(section->kind, "end");
}

void verify_facts_read(struct verify_facts *facts, char *text, size_t length)
{
	size_t most = count_lines(text, length), used = 0;
	char **lines = mw_arena_alloc(&facts->arena, most, sizeof(*lines));
	char *at = text, *end = text + length;

	facts->sections = mw_arena_alloc(&facts->arena, most, sizeof(*facts->sections));
	while (at < end) {
		char *line = next_line(&at, end);

		if (!strncmp(line, opening, strlen(opening))) {
			open_section(facts, line, &lines[used]);
		} else if (facts->count && *line) {
			lines[used++] = line;
			facts->sections[facts->count - 1].count++;
		}
	}
}

void verify_facts_fini(struct verify_facts *facts)
{
	mw_arena_fini(&facts->arena);
}

const struct verify_section *verify_section(const struct verify_facts *facts, const char *kind,
					    const struct verify_section *from)
{
	const struct verify_section *end = facts->sections + facts->count;

	for (const struct verify_section *s = from ? from + 1 : facts->sections; s < end; s++)
		if (!strcmp(s->kind, kind))
			return s;
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint8_t *verify_bytes(struct verify_facts *facts, const struct verify_section *section,
		      size_t *count)
{
	size_t most = 0, used = 0;

	for (size_t i = 0; i < section->count; i++)
		most += strlen(section->lines[i]) / 2;
	uint8_t *bytes = mw_arena_alloc(&facts->arena, most + 1, 1);

	for (size_t i = 0; i < section->count; i++) {
		for (const char *at = section->lines[i]; *at; at++) {
			int high = hex_digit(at[0]), low = high < 0 ? -1 : hex_digit(at[1]);

			if (low < 0)
				continue;
			bytes[used++] = (uint8_t)(high << 4 | low);
			at++;
		}
	}
	*count = used;
	return bytes;
}
