/* Reads `# lint: allow R304, S104 -- reason` from the comments of a file. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <string.h>

#include "resolver/allow_internal.h"
#include "resolver/read_comments.h"

struct scan {
	struct mw_allowed_list *list;
	uint32_t source;
	const char *text;
	uint32_t length;
	uint32_t target, target_from,
		target_to; /* the latest entry below a comment, and its lines */
};

/* One comment while it is read. */
struct directive {
	const struct mw_comment *comment;
	uint32_t first, at, end; /* the first code; the codes are before `end` */
	uint32_t from, to;
	const char *reason;
	struct mw_bare *bare;
	uint32_t codes; /* how many words there are */
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_separator(char byte)
{
	return is_blank(byte) || byte == ',';
}

static struct mw_span span_of(const struct scan *scan, uint32_t from, uint32_t to)
{
	return (struct mw_span){ scan->source, from, to - from };
}

static uint32_t line_start(const struct scan *scan, uint32_t at)
{
	while (at > 0 && scan->text[at - 1] != '\n')
		at--;
	return at;
}

/* Where the next line starts. */
static uint32_t line_end(const struct scan *scan, uint32_t at)
{
	const char *end = memchr(scan->text + at, '\n', scan->length - at);

	return end ? (uint32_t)(end - scan->text) + 1 : scan->length;
}

static bool is_item(const struct scan *scan, uint32_t at)
{
	return at < scan->length && scan->text[at] == '-' &&
	       (at + 1 == scan->length || strchr(" \t\r\n", scan->text[at + 1]));
}

/* An entry ends before the next line with content that is not indented further; the items of a list
 * may stand right below their key. */
static void find_block(struct scan *scan, uint32_t target)
{
	uint32_t from = line_start(scan, target), indent = 0;
	uint32_t to = line_end(scan, target);

	if (scan->target_to && scan->target == target)
		return;
	while (from + indent < target && scan->text[from + indent] == ' ')
		indent++;
	bool list = is_item(scan, from + indent);

	for (uint32_t line = to; line < scan->length; line = line_end(scan, line)) {
		uint32_t at = line;

		while (at < scan->length && scan->text[at] == ' ')
			at++;
		if (at == scan->length || strchr("#\r\n", scan->text[at]))
			continue;
		if (at - line < indent || (at - line == indent && (list || !is_item(scan, at))))
			break;
		to = line_end(scan, line);
	}
	scan->target = target;
	scan->target_from = from;
	scan->target_to = to;
}

static void find_range(struct scan *scan, struct directive *directive)
{
	const struct mw_comment *comment = directive->comment;

	if (!comment->alone) {
		directive->from = line_start(scan, comment->byte);
		directive->to = line_end(scan, comment->byte);
	} else if (comment->top) {
		directive->to = UINT32_MAX;
	} else if (comment->next < scan->length) {
		find_block(scan, comment->next);
		directive->from = scan->target_from;
		directive->to = scan->target_to;
	}
}

/* The whole comment, with its line or with the white space before it. */
static struct mw_span whole(const struct scan *scan, const struct mw_comment *comment)
{
	uint32_t from = comment->byte, to = comment->byte + comment->length;

	while (from > 0 && is_blank(scan->text[from - 1]))
		from--;
	return span_of(scan, from, comment->alone ? line_end(scan, to) : to);
}

/* One code of several, with the separators on one side of it. */
static struct mw_span removal(const struct scan *scan, const struct directive *directive,
			      uint32_t from, uint32_t to)
{
	if (directive->codes == 1)
		return whole(scan, directive->comment);
	uint32_t next = to;

	while (next < directive->end && is_separator(scan->text[next]))
		next++;
	if (next < directive->end)
		return span_of(scan, from, next);
	while (is_separator(scan->text[from - 1]))
		from--;
	return span_of(scan, from, to);
}

/* The next word among the codes; false at their end. */
static bool next_word(const struct scan *scan, struct directive *directive, uint32_t *from)
{
	while (directive->at < directive->end && is_separator(scan->text[directive->at]))
		directive->at++;
	*from = directive->at;
	while (directive->at < directive->end && !is_separator(scan->text[directive->at]))
		directive->at++;
	return directive->at > *from;
}

/* `--` as a word ends the codes; what follows is the reason. */
static void split(const struct scan *scan, struct directive *directive)
{
	uint32_t start = directive->at, from, end = directive->end;

	while (next_word(scan, directive, &from)) {
		if (directive->at - from == 2 && memcmp(scan->text + from, "--", 2) == 0) {
			directive->end = from;
			for (from += 2; from < end && is_blank(scan->text[from]);)
				from++;
			while (end > from && is_blank(scan->text[end - 1]))
				end--;
			if (end > from)
				directive->reason =
					mw_arena_strndup(&scan->list->diagnostics->arena,
							 scan->text + from, end - from);
			break;
		}
		directive->codes++;
	}
	directive->at = start;
	while (start < directive->end && is_separator(scan->text[start]))
		start++;
	directive->first = start;
	while (directive->end > start && is_separator(scan->text[directive->end - 1]))
		directive->end--;
}

/* A word that is no code ends the codes: what follows was meant as a reason, or it is a slip. */
static void refuse_code(struct scan *scan, const struct directive *directive, uint32_t from)
{
	struct mw_diag *diag = mw_allowed_refuse(scan->list, span_of(scan, from, directive->at),
						 "`%.*s` is no rule's code",
						 (int)(directive->at - from), scan->text + from);

	if (!diag)
		return;
	if (directive->reason || from == directive->first ||
	    !islower((unsigned char)scan->text[from])) {
		mw_diag_help(scan->list->diagnostics, diag,
			     "a code is such as R304, or the start of one");
		return;
	}
	mw_diag_help(scan->list->diagnostics, diag, "a reason follows `--`");
	mw_diag_fix(scan->list->diagnostics, diag, MW_FIX_UNSAFE,
		    (struct mw_span){ scan->source, from, 0 }, "-- ");
}

/* False for a word that is no code. */
static bool read_code(struct scan *scan, const struct directive *directive, uint32_t from)
{
	struct mw_allowed *allowed;

	if (!mw_allowed_is_code(scan->text + from, directive->at - from))
		return false;
	allowed = mw_allowed_add(scan->list, scan->text + from, directive->at - from,
				 span_of(scan, from, directive->at));
	if (allowed) {
		allowed->from = directive->from;
		allowed->to = directive->to;
		allowed->reason = directive->reason;
		allowed->bare = directive->bare;
		allowed->removal = removal(scan, directive, from, directive->at);
	}
	return true;
}

static void read_codes(struct scan *scan, struct directive *directive)
{
	uint32_t from;

	if (!directive->reason) {
		directive->bare = mw_arena_alloc(&scan->list->diagnostics->arena, 1,
						 sizeof(*directive->bare));
		*directive->bare =
			(struct mw_bare){ .codes = span_of(scan, directive->first, directive->end),
					  .count = directive->codes,
					  .comment = true };
	}
	while (next_word(scan, directive, &from)) {
		if (read_code(scan, directive, from))
			continue;
		refuse_code(scan, directive, from);
		if (directive->bare)
			directive->bare->told = true;
		return;
	}
}

static void refuse_word(struct scan *scan, uint32_t from, uint32_t to)
{
	struct mw_diag *diag = mw_allowed_refuse(scan->list, span_of(scan, from, to),
						 to > from ? "`%.*s` is no directive"
							   : "this comment allows nothing%.*s",
						 (int)(to - from), scan->text + from);

	if (diag)
		mw_diag_help(scan->list->diagnostics, diag, "write `# lint: allow CODE -- reason`");
}

static void read_comment(struct scan *scan, const struct mw_comment *comment)
{
	uint32_t end = comment->byte + comment->length, at = comment->byte + 1;
	struct directive directive = { .comment = comment, .end = end };

	while (at < end && is_blank(scan->text[at]))
		at++;
	if (end - at < 5 || memcmp(scan->text + at, "lint:", 5) != 0)
		return;
	for (at += 5; at < end && is_blank(scan->text[at]);)
		at++;
	uint32_t word = at;

	while (at < end && !is_separator(scan->text[at]))
		at++;
	if (at - word != 5 || memcmp(scan->text + word, "allow", 5) != 0) {
		refuse_word(scan, word, at);
		return;
	}
	directive.at = at;
	split(scan, &directive);
	if (directive.codes == 0) {
		refuse_word(scan, at, at);
		return;
	}
	find_range(scan, &directive);
	read_codes(scan, &directive);
}

void mw_allow_scan(struct mw_allowed_list *list, uint32_t source)
{
	const struct mw_source *file = &list->diagnostics->sources[source - 1];
	struct scan scan = {
		.list = list, .source = source, .text = file->text, .length = (uint32_t)file->length
	};
	struct mw_comments comments = mw_read_comments(list->diagnostics, source, "lint:");

	for (size_t i = 0; i < comments.count; i++)
		read_comment(&scan, &comments.items[i]);
}
