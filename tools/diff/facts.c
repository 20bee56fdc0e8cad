/* A plan's canonical text as a list of facts. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/draft.h"
#include "tools/diff/diff.h"

/* More than any plan has: what nests deeper or has longer keys still becomes facts, less well told. */
enum { DEPTH = 8, KEY_LONGEST = 100 };

/* Where the reader is: the keys above the line, and the item of a list of maps that is open. */
struct reader {
	struct mw_arena *arena;
	struct mw_facts *facts;
	const char *path[DEPTH];
	size_t depth;
	size_t item_depth; /* of the list that holds the open item; 0: none is open */
	size_t item_first; /* its first fact */
	char *list;        /* the value of the last fact, a list of scalars that grows; or NULL */
	size_t list_depth, list_used, list_room;
};

/* One line, taken apart. */
struct line {
	size_t depth;
	bool item;
	const char *key;   /* NULL: an item that is a scalar */
	const char *value; /* NULL: something is opened */
};

static struct mw_fact *add(struct reader *reader)
{
	struct mw_facts *facts = reader->facts;

	facts->items = mw_draft_room(reader->arena, facts->items, facts->count, &facts->capacity,
				     sizeof(*facts->items));
	facts->items[facts->count] = (struct mw_fact){ MW_FACT_OTHER, "", "", "" };
	return &facts->items[facts->count++];
}

/* Keys that are quoted keep no quotes; nothing in them is escaped that a key may hold. */
static size_t key_length(const char *text, size_t length, size_t *skip)
{
	const char *end;

	*skip = 0;
	if (length && text[0] == '"') {
		end = memchr(text + 1, '"', length - 1);
		if (!end || (size_t)(end + 1 - text) >= length || end[1] != ':')
			return 0;
		*skip = 1;
		return (size_t)(end - text) - 1;
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] == ':' && (i + 1 == length || text[i + 1] == ' '))
			return i;
	}
	return 0;
}

static void take_apart(struct reader *reader, const char *text, size_t length, struct line *line)
{
	size_t indent = 0, key, skip;

	while (indent < length && text[indent] == ' ')
		indent++;
	*line = (struct line){ .depth = indent / 2 };
	text += indent;
	length -= indent;
	if (length >= 2 && text[0] == '-' && text[1] == ' ') {
		line->item = true;
		text += 2;
		length -= 2;
	}
	key = key_length(text, length, &skip);
	if (!key || key > KEY_LONGEST) {
		line->value = mw_arena_strndup(reader->arena, text, length);
		return;
	}
	line->key = mw_arena_strndup(reader->arena, text + skip, key);
	key += 2 * skip + 1;
	if (key < length)
		line->value = mw_arena_strndup(reader->arena, text + key + 1, length - key - 1);
}

/* The section that a key at the top opens. */
static enum mw_fact_section section_of(const char *key)
{
	static const struct {
		const char *key;
		enum mw_fact_section section;
	} rows[] = {
		{ "cpu", MW_FACT_CPU },     { "memory", MW_FACT_MEMORY },
		{ "accel", MW_FACT_ACCEL }, { "power", MW_FACT_POWER },
		{ "boot", MW_FACT_BOOT },   { "domains", MW_FACT_DOMAIN },
		{ "nodes", MW_FACT_NODE },  { "nets", MW_FACT_LINE },
		{ "links", MW_FACT_LINK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strcmp(rows[i].key, key))
			return rows[i].section;
	}
	return MW_FACT_OTHER;
}

/* path[from..depth) with dots, and the key of the line itself. */
static const char *dotted(struct reader *reader, size_t from, const char *last)
{
	const char *text = NULL;

	for (size_t i = from; i < reader->depth; i++)
		text = text ? mw_arena_printf(reader->arena, "%s.%s", text, reader->path[i])
			    : reader->path[i];
	if (!last)
		return text ? text : "";
	return text ? mw_arena_printf(reader->arena, "%s.%s", text, last) : last;
}

/* Section, name and key from where the line stands; an item's name comes when it ends. */
static void place(struct reader *reader, struct mw_fact *fact, const char *key)
{
	size_t from = 1;

	if (!reader->depth) {
		fact->section = MW_FACT_MACHINE;
		fact->key = key ? key : "";
		return;
	}
	fact->section = section_of(reader->path[0]);
	if (reader->item_depth)
		from = reader->item_depth + 1;
	else if (fact->section == MW_FACT_OTHER)
		from = 0;
	else if (fact->section == MW_FACT_DOMAIN && reader->depth == 1) {
		fact->name = key ? key : "";
		fact->key = "lines";
		return;
	} else if (fact->section == MW_FACT_NODE && reader->depth > 1) {
		fact->name = reader->path[1];
		from = 2;
	}
	fact->key = dotted(reader, from, key);
}

static const char *value_of(const struct reader *reader, const char *key)
{
	for (size_t i = reader->item_first; i < reader->facts->count; i++) {
		if (!strcmp(reader->facts->items[i].key, key))
			return reader->facts->items[i].value;
	}
	return NULL;
}

/* A line is called by its domain and number, or by where it ends; a link by where it begins. */
static const char *item_name(struct reader *reader)
{
	const char *domain = value_of(reader, "domain"), *number = value_of(reader, "line");
	const char *name = value_of(reader, "from");

	if (domain && number)
		return mw_arena_printf(reader->arena, "%s:%s", domain, number);
	if (!name)
		name = value_of(reader, "sinks");
	if (!name && reader->item_first < reader->facts->count)
		name = reader->facts->items[reader->item_first].value;
	return name ? name : "";
}

static void end_item(struct reader *reader)
{
	const char *name = reader->item_depth ? item_name(reader) : "";

	for (size_t i = reader->item_first; reader->item_depth && i < reader->facts->count; i++)
		reader->facts->items[i].name = name;
	reader->item_depth = 0;
}

/* An item that is a scalar: the list is one fact. */
static void add_to_list(struct reader *reader, const char *value)
{
	size_t length;

	value = value ? value : "";
	length = strlen(value);
	if (!reader->list || reader->list_depth != reader->depth) {
		reader->list = mw_arena_strdup(reader->arena, value);
		reader->list_used = reader->list_room = length;
		reader->list_depth = reader->depth;
		struct mw_fact *fact = add(reader);

		place(reader, fact, NULL);
		fact->value = reader->list;
		return;
	}
	if (reader->list_used + 2 + length > reader->list_room) {
		char *old = reader->list;

		reader->list_room = 2 * (reader->list_used + 2 + length);
		reader->list = mw_arena_alloc(reader->arena, reader->list_room + 1, 1);
		memcpy(reader->list, old, reader->list_used);
		reader->facts->items[reader->facts->count - 1].value = reader->list;
	}
	memcpy(reader->list + reader->list_used, ", ", 2);
	memcpy(reader->list + reader->list_used + 2, value, length + 1);
	reader->list_used += 2 + length;
}

static void take_line(struct reader *reader, const struct line *line)
{
	size_t depth = line->depth < DEPTH - 2 ? line->depth : DEPTH - 2;

	if (reader->item_depth && (depth < reader->item_depth ||
				   (line->item && line->key && depth == reader->item_depth)))
		end_item(reader);
	for (; reader->depth < depth; reader->depth++)
		reader->path[reader->depth] = "";
	reader->depth = depth;
	if (!line->key) {
		add_to_list(reader, line->value);
		return;
	}
	reader->list = NULL;
	if (line->item && !reader->item_depth && depth) {
		reader->item_depth = depth;
		reader->item_first = reader->facts->count;
	}
	if (line->item)
		reader->path[reader->depth++] = "";
	if (line->value) {
		struct mw_fact *fact = add(reader);

		place(reader, fact, line->key);
		fact->value = line->value;
		return;
	}
	reader->path[reader->depth++] = line->key;
}

static int by_place(const void *left, const void *right)
{
	const struct mw_fact *a = left, *b = right;
	int order;

	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	order = mw_id_compare(a->name, b->name);
	order = order ? order : mw_id_compare(a->key, b->key);
	return order ? order : strcmp(a->value, b->value);
}

void mw_facts_read(struct mw_facts *facts, struct mw_arena *arena, const char *text, size_t length)
{
	struct reader reader = { .arena = arena, .facts = facts };

	while (length) {
		const char *end = memchr(text, '\n', length);
		size_t bytes = end ? (size_t)(end - text) : length;
		struct line line;

		if (bytes) {
			take_apart(&reader, text, bytes, &line);
			take_line(&reader, &line);
		}
		bytes += end != NULL;
		text += bytes;
		length -= bytes;
	}
	end_item(&reader);
	if (facts->count)
		qsort(facts->items, facts->count, sizeof(*facts->items), by_place);
}
