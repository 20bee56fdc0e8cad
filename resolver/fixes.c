/* Edits that mend a finding: words, values, entries of maps in both styles. */
// SPDX-License-Identifier: MIT
#include "resolver/fixes.h"

#include <string.h>

const char *mw_fix_text(const struct mw_diagnostics *diagnostics, struct mw_span span)
{
	if (!span.source || span.source > diagnostics->source_count)
		return NULL;
	const struct mw_source *source = &diagnostics->sources[span.source - 1];

	/* the command line is no file */
	if (strncmp(source->name, "--", 2) == 0 || span.byte > source->length ||
	    span.length > source->length - span.byte)
		return NULL;
	return source->text + span.byte;
}

static bool is_word_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

/* Where `word` stands alone in the text; SIZE_MAX for nowhere or for twice. */
static size_t find_word(const char *text, size_t length, const char *word)
{
	size_t size = strlen(word), found = SIZE_MAX;

	for (size_t at = 0; size && size <= length && at <= length - size; at++) {
		if (memcmp(text + at, word, size) != 0 || (at && is_word_byte(text[at - 1])) ||
		    (at + size < length && is_word_byte(text[at + size])))
			continue;
		if (found != SIZE_MAX)
			return SIZE_MAX;
		found = at;
	}
	return found;
}

void mw_fix_word(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		 enum mw_fix_safety safety, const char *wrong, const char *right)
{
	struct mw_span span = diag->span;
	const char *text = mw_fix_text(diagnostics, span);
	size_t at = text ? find_word(text, span.length, wrong) : SIZE_MAX;

	if (at == SIZE_MAX)
		return;
	span.byte += (uint32_t)at;
	span.length = (uint32_t)strlen(wrong);
	mw_diag_fix(diagnostics, diag, safety, span, "%s", right);
}

/* Whether the file holds the scalar's text as it is, with or without quotes round it. */
static bool is_verbatim(const struct mw_diagnostics *diagnostics, const struct mw_tree *scalar)
{
	const char *text = mw_fix_text(diagnostics, scalar->span);
	size_t length = strlen(scalar->text), quotes = scalar->quoted ? 1 : 0;

	if (!text || scalar->kind != MW_TREE_SCALAR || scalar->span.length != length + 2 * quotes)
		return false;
	return memcmp(text + quotes, scalar->text, length) == 0;
}

void mw_fix_value(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		  enum mw_fix_safety safety, const struct mw_tree *scalar, const char *text)
{
	if (is_verbatim(diagnostics, scalar))
		mw_diag_fix(diagnostics, diag, safety, scalar->span, "%s", text);
}

/* An entry in its file: where it and its line begin and end. */
struct entry {
	const char *text;      /* the file's */
	size_t from, to, size; /* of the entry, of the file */
	size_t next;           /* the first byte behind it that is no space and no comment */
	bool flow;
	bool opens_line,
		ends_line; /* nothing but spaces before; and nothing but a comment behind */
};

static size_t skip_space(const char *text, size_t at, size_t size)
{
	while (at < size) {
		if (text[at] == '#') {
			while (at < size && text[at] != '\n')
				at++;
		} else if (strchr(" \t\r\n", text[at])) {
			at++;
		} else {
			break;
		}
	}
	return at;
}

static size_t skip_blanks(const char *text, size_t at, size_t size)
{
	while (at < size && strchr(" \t\r", text[at]))
		at++;
	return at;
}

static bool find_entry(const struct mw_diagnostics *diagnostics, const struct mw_tree *tree,
		       struct entry *entry)
{
	struct mw_span key = tree->key_span, value = tree->span;
	size_t before;

	if (!tree->key || key.source != value.source || !mw_fix_text(diagnostics, key) ||
	    !mw_fix_text(diagnostics, value) || tree->evaluated)
		return false;
	const struct mw_source *source = &diagnostics->sources[key.source - 1];

	*entry = (struct entry){ .text = source->text,
				 .from = key.byte,
				 .to = value.byte + value.length,
				 .size = source->length };
	if (entry->to < entry->from + key.length)
		return false;
	/* a block scalar ends with its last line */
	while (entry->to > entry->from && strchr(" \t\r\n", entry->text[entry->to - 1]))
		entry->to--;
	entry->next = skip_space(entry->text, entry->to, entry->size);
	entry->flow = entry->next < entry->size && strchr(",}", entry->text[entry->next]);
	before = entry->from;
	while (before && strchr(" \t", entry->text[before - 1]))
		before--;
	entry->opens_line = !before || entry->text[before - 1] == '\n';
	return true;
}

/* The end of the line that `at` is in, its line feed included. */
static size_t line_end(const struct entry *entry, size_t at)
{
	while (at < entry->size && entry->text[at] != '\n')
		at++;
	return at + (at < entry->size);
}

static size_t line_start(const struct entry *entry, size_t at)
{
	while (at && entry->text[at - 1] != '\n')
		at--;
	return at;
}

static bool ends_line(const struct entry *entry, size_t at)
{
	at = skip_blanks(entry->text, at, entry->size);
	return at == entry->size || strchr("\n#", entry->text[at]);
}

/* What goes with an entry of a flow map: the comma behind it, or the one before the last entry. */
static void widen_flow(struct entry *entry)
{
	size_t from = entry->from;

	if (entry->text[entry->next] == ',') {
		entry->to = entry->next + 1;
		if (entry->opens_line && ends_line(entry, entry->to)) {
			entry->from = line_start(entry, entry->from);
			entry->to = line_end(entry, entry->to);
		} else {
			entry->to = skip_blanks(entry->text, entry->to, entry->size);
		}
		return;
	}
	if (entry->opens_line && ends_line(entry, entry->to)) { /* a comma before `}` may stay */
		entry->from = line_start(entry, entry->from);
		entry->to = line_end(entry, entry->to);
		return;
	}
	while (from && strchr(" \t\r\n", entry->text[from - 1]))
		from--;
	if (from && entry->text[from - 1] == ',' && !entry->opens_line)
		entry->from = from - 1;
}

enum { ALONE_NOT, ALONE_YES, ALONE_UNCLEAR };

/* Whether a block entry is the only one: what is before it must then be the line of its parent. */
static int is_alone(const struct entry *entry)
{
	size_t start = line_start(entry, entry->from), column = entry->from - start;
	size_t next = entry->next, at = 0, end = 0;

	if (next < entry->size && next - line_start(entry, next) >= column)
		return ALONE_NOT;
	while (start) {
		end = start - 1;
		start = line_start(entry, end);
		at = skip_blanks(entry->text, start, end);
		if (at < end && entry->text[at] != '#')
			break;
	}
	if (!column || start == entry->from || at - start >= column)
		return ALONE_NOT;
	for (size_t i = at; i + 1 < end; i++) {
		if (entry->text[i] == ' ' && entry->text[i + 1] == '#')
			end = i;
	}
	while (end > at && strchr(" \t\r", entry->text[end - 1]))
		end--;
	return end > at && entry->text[end - 1] == ':' ? ALONE_YES : ALONE_UNCLEAR;
}

void mw_fix_remove(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		   enum mw_fix_safety safety, const struct mw_tree *tree)
{
	const char *instead = "";
	struct entry entry;

	if (!find_entry(diagnostics, tree, &entry))
		return;
	if (entry.flow) {
		widen_flow(&entry);
	} else {
		if (!entry.opens_line || !ends_line(&entry, entry.to))
			return;
		int alone = is_alone(&entry);

		if (alone == ALONE_UNCLEAR)
			return;
		if (alone == ALONE_YES) {
			instead = "{}";
		} else {
			entry.from = line_start(&entry, entry.from);
			entry.to = line_end(&entry, entry.to);
		}
	}
	mw_diag_fix(diagnostics, diag, safety,
		    (struct mw_span){ tree->key_span.source, (uint32_t)entry.from,
				      (uint32_t)(entry.to - entry.from) },
		    "%s", instead);
}

void mw_fix_beside(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		   enum mw_fix_safety safety, const struct mw_tree *sibling, const char *key,
		   const char *value)
{
	struct entry entry;

	if (!find_entry(diagnostics, sibling, &entry))
		return;
	struct mw_span at = { sibling->key_span.source, (uint32_t)entry.to, 0 };

	if (entry.flow) {
		mw_diag_fix(diagnostics, diag, safety, at, ", %s: %s", key, value);
		return;
	}
	if (!entry.opens_line)
		return;
	size_t start = line_start(&entry, entry.from), indent = entry.from - start;

	at.byte = (uint32_t)line_end(&entry, entry.to);
	bool open = at.byte && entry.text[at.byte - 1] != '\n'; /* the last line has no end */

	mw_diag_fix(diagnostics, diag, safety, at, "%s%.*s%s: %s%s", open ? "\n" : "", (int)indent,
		    entry.text + start, key, value, open ? "" : "\n");
}

void mw_fix_into(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		 enum mw_fix_safety safety, const struct mw_tree *map, const char *key,
		 const char *value)
{
	const struct mw_tree *best = NULL;
	const char *text = mw_fix_text(diagnostics, map->span);

	for (const struct mw_tree *child = map->first; child; child = child->next) {
		if (!best || child->key_span.source < best->key_span.source ||
		    (child->key_span.source == best->key_span.source &&
		     child->key_span.byte > best->key_span.byte))
			best = child;
	}
	if (best)
		mw_fix_beside(diagnostics, diag, safety, best, key, value);
	else if (text && map->span.length >= 2 && text[0] == '{' &&
		 skip_space(text, 1, map->span.length) == map->span.length - 1)
		mw_diag_fix(diagnostics, diag, safety, map->span, "{ %s: %s }", key, value);
}

void mw_fix_quote(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		  enum mw_fix_safety safety, struct mw_span span)
{
	const char *text = mw_fix_text(diagnostics, span);

	for (uint32_t i = 0; text && i < span.length; i++) {
		if (strchr("\"'\\\r\n#", text[i]))
			return;
	}
	if (!text || !span.length)
		return;
	mw_diag_fix(diagnostics, diag, safety, span, "\"%.*s\"", (int)span.length, text);
}

void mw_bare_size(struct mw_diagnostics *diagnostics, const struct mw_tree *scalar)
{
	uint64_t number;

	if (scalar->evaluated || scalar->text[0] == '\0' || scalar->text[1] == 'x' ||
	    !mw_tree_int(scalar->text, &number) || number == 0)
		return;
	struct mw_diag *diag =
		mw_diagnostics_add(diagnostics, MW_SEVERITY_WARNING, "S107", scalar->span,
				   "%s has no unit and means bytes", scalar->text);

	const char *meant = mw_arena_printf(&diagnostics->arena, "%sMiB", scalar->text);

	if (!mw_tree_size(meant, &number))
		return;
	mw_diag_help(diagnostics, diag, "did you mean `%s`?", meant);
	mw_fix_word(diagnostics, diag, MW_FIX_UNSAFE, scalar->text, meant);
}
