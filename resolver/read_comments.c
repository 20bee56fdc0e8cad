/* Finds comments: what stands between libyaml's tokens and begins with `#`. */
// SPDX-License-Identifier: MIT
#include "resolver/read_comments.h"

#include <string.h>

#include "resolver/read_internal.h"

struct search {
	struct mw_reader reader;
	const char *word;
	struct mw_comments found;
	size_t capacity;
	size_t end;   /* of the latest token */
	bool content; /* a key has been seen */
};

static bool is_alone(const struct search *search, size_t at)
{
	while (at > 0 && strchr(" \t", search->reader.text[at - 1]))
		at--;
	return at == 0 || search->reader.text[at - 1] == '\n' ||
	       search->reader.text[at - 1] == '\r';
}

static void add(struct search *search, size_t from, size_t to, size_t next)
{
	struct mw_arena *arena = &search->reader.diagnostics->arena;
	struct mw_comments *found = &search->found;
	size_t skipped = search->reader.skipped;

	if (found->count == search->capacity) {
		size_t most = search->capacity ? 2 * search->capacity : 8;
		struct mw_comment *items = mw_arena_alloc(arena, most, sizeof(*items));

		if (found->count)
			memcpy(items, found->items, found->count * sizeof(*items));
		found->items = items;
		search->capacity = most;
	}
	found->items[found->count++] = (struct mw_comment){
		.byte = (uint32_t)(from + skipped),
		.length = (uint32_t)(to - from),
		.alone = is_alone(search, from),
		.top = !search->content,
		.next = (uint32_t)(next + skipped),
	};
}

/* Between two tokens there is white space, and comments. */
static void look_between(struct search *search, size_t from, size_t to)
{
	const char *text = search->reader.text;

	while (from < to) {
		const char *sign = memchr(text + from, '#', to - from);

		if (!sign)
			return;
		size_t start = (size_t)(sign - text), end = start;

		while (end < to && text[end] != '\n' && text[end] != '\r')
			end++;
		if (memmem(text + start, end - start, search->word, strlen(search->word)))
			add(search, start, end, to);
		from = end;
	}
}

/* libyaml's work per token grows with the nesting of flow collections, and mw_read refuses deep ones. */
static bool too_deep(unsigned *depth, yaml_token_type_t type)
{
	if (type == YAML_FLOW_SEQUENCE_START_TOKEN || type == YAML_FLOW_MAPPING_START_TOKEN)
		return ++*depth > MW_READ_DEPTH;
	if ((type == YAML_FLOW_SEQUENCE_END_TOKEN || type == YAML_FLOW_MAPPING_END_TOKEN) && *depth)
		--*depth;
	return false;
}

static void scan(struct search *search)
{
	struct mw_reader *reader = &search->reader;
	yaml_token_type_t type = YAML_NO_TOKEN;
	unsigned depth = 0;

	while (type != YAML_STREAM_END_TOKEN) {
		yaml_token_t token;

		if (!yaml_parser_scan(&reader->parser, &token))
			return;
		size_t start = mw_reader_byte(reader, &token.start_mark);

		type = token.type;
		look_between(search, search->end, start);
		if (type != YAML_STREAM_START_TOKEN && type != YAML_DOCUMENT_START_TOKEN)
			search->content = true;
		size_t end = mw_reader_byte(reader, &token.end_mark);

		search->end = end > search->end ? end : search->end;
		yaml_token_delete(&token);
		if (too_deep(&depth, type))
			return;
	}
}

struct mw_comments mw_read_comments(struct mw_diagnostics *diagnostics, uint32_t source,
				    const char *word)
{
	const struct mw_source *file = &diagnostics->sources[source - 1];
	struct search search = { .reader = { .diagnostics = diagnostics,
					     .text = file->text,
					     .length = file->length },
				 .word = word };
	struct mw_reader *reader = &search.reader;

	if (file->length >= 3 && memcmp(file->text, "\xef\xbb\xbf", 3) == 0) {
		reader->skipped = 3;
		reader->text += 3;
		reader->length -= 3;
	}
	if (!memmem(reader->text, reader->length, word, strlen(word)) ||
	    !yaml_parser_initialize(&reader->parser))
		return search.found;
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text,
				     reader->length);
	scan(&search);
	yaml_parser_delete(&reader->parser);
	return search.found;
}
