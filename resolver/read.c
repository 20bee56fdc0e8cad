/* Read: libyaml's events to a tree. Nothing here recurses, so nesting costs no stack. */
// SPDX-License-Identifier: MIT
#include "resolver/read.h"

#include <assert.h>
#include <string.h>

#include "resolver/fixes.h"
#include "resolver/read_internal.h"

/* A map or list that is still open. */
struct frame {
	struct mw_tree *tree;
	bool flow;
	bool has_key, bad_key;
	const char *key;
	struct mw_span key_span;
	struct mw_tree *split; /* the value that a comma cut, and what was said */
	struct mw_diag *split_diag;
	struct mw_anchor *anchor;
	struct mw_tree *merged; /* the value of `<<`, and what was said */
	struct mw_diag *merge_diag;
};

struct run {
	struct mw_reader *reader;
	struct frame frames[MW_READ_DEPTH];
	unsigned depth;
	unsigned nodes;
	bool stop;
};

static bool continues_code_point(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t mw_reader_byte(struct mw_reader *reader, const yaml_mark_t *mark)
{
	while (reader->character < mark->index && reader->byte < reader->length) {
		reader->byte++;
		while (reader->byte < reader->length &&
		       continues_code_point(reader->text[reader->byte]))
			reader->byte++;
		reader->character++;
	}
	while (reader->character > mark->index && reader->byte > 0) {
		reader->byte--;
		while (reader->byte > 0 && continues_code_point(reader->text[reader->byte]))
			reader->byte--;
		reader->character--;
	}
	return reader->byte;
}

struct mw_span mw_reader_span(const struct mw_reader *reader, size_t from, size_t to)
{
	return (struct mw_span){ .source = reader->source,
				 .byte = (uint32_t)(from + reader->skipped),
				 .length = (uint32_t)(to > from ? to - from : 0) };
}

static struct mw_span event_span(struct mw_reader *reader, const yaml_event_t *event)
{
	size_t from = mw_reader_byte(reader, &event->start_mark);
	size_t to = mw_reader_byte(reader, &event->end_mark);

	return mw_reader_span(reader, from, to);
}

static struct mw_diag *error(struct mw_reader *reader, const char *code, struct mw_span span,
			     const char *message)
{
	return mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, code, span, "%s",
				  message);
}

/* `&name`, `*name` and `!tag` end at white space or a flow indicator. */
static struct mw_span word_span(struct mw_reader *reader, size_t from)
{
	size_t to = from;

	while (to < reader->length && !strchr(" \t\r\n,[]{}", reader->text[to]))
		to++;
	return mw_reader_span(reader, from, to);
}

/* The properties of a node stand in any order before it: finds the one that starts with `sign`. */
static struct mw_span property_span(struct mw_reader *reader, const yaml_event_t *event, char sign)
{
	size_t at = mw_reader_byte(reader, &event->start_mark);
	size_t end = mw_reader_byte(reader, &event->end_mark);

	while (at < end && reader->text[at] != sign) {
		while (at < end && !strchr(" \t\r\n", reader->text[at]))
			at++;
		while (at < end && strchr(" \t\r\n", reader->text[at]))
			at++;
	}
	return word_span(reader, at);
}

static bool refuse_anchor(struct mw_reader *reader, const yaml_event_t *event,
			  const yaml_char_t *anchor, struct mw_anchor **kept)
{
	*kept = NULL;
	if (!anchor)
		return false;
	struct mw_span span = property_span(reader, event, '&');
	struct mw_diag *diag = error(reader, "Y002", span, "anchors are not part of this format");

	mw_diag_help(reader->diagnostics, diag,
		     "write the value where it is used; `extends` and parameters share the rest");
	*kept = mw_reader_anchor(reader, diag, span, (const char *)anchor);
	return true;
}

static bool refuse_tag(struct mw_reader *reader, const yaml_event_t *event, const yaml_char_t *tag,
		       bool empty)
{
	if (!tag)
		return false;
	struct mw_span span = property_span(reader, event, '!');
	const char *word = reader->text + span.byte - reader->skipped;
	struct mw_diag *diag;

	if (!empty) {
		diag = error(reader, "Y003", span, "tags are not part of this format");
		mw_diag_help(reader->diagnostics, diag,
			     "leave it out: the key decides which type its value has");
		mw_reader_mend_property(reader, diag, span, MW_FIX_UNSAFE);
		return true;
	}
	diag = mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "Y003", span,
				  "`%.*s` is a tag in YAML, and the value is empty",
				  (int)span.length, word);
	mw_diag_help(reader->diagnostics, diag, "write `not %.*s`, or quote the value",
		     span.length ? (int)span.length - 1 : 0, word + 1);
	if (span.length > 1)
		mw_diag_fix(reader->diagnostics, diag, MW_FIX_UNSAFE, span, "not %.*s",
			    (int)span.length - 1, word + 1);
	return true;
}

static void count_node(struct run *run, struct mw_span span)
{
	unsigned most = run->reader->limits->values;

	if (run->nodes++ < most || run->stop)
		return;
	struct mw_diag *diag =
		mw_diagnostics_add(run->reader->diagnostics, MW_SEVERITY_ERROR, "Y010", span,
				   "more than %u values in one file", most);

	mw_diag_label(run->reader->diagnostics, diag, "reading stops here");
	run->stop = true;
}

/* Hangs a value under the key that waits for it, and takes the key away. */
static void attach(struct run *run, struct mw_tree *tree)
{
	if (run->depth == 0) {
		run->reader->root = tree;
		return;
	}
	struct frame *frame = &run->frames[run->depth - 1];

	if (frame->tree->kind == MW_TREE_MAP) {
		frame->has_key = false;
		if (frame->merge_diag && !frame->merged && strcmp(frame->key, "<<") == 0)
			frame->merged = tree;
		if (frame->bad_key)
			return;
		tree->key = frame->key;
		tree->key_span = frame->key_span;
	}
	mw_tree_append(frame->tree, tree);
}

/* The cure shows the whole value, however many commas are in it. */
static void suggest_quotes(struct mw_reader *reader, struct frame *frame)
{
	enum { LONGEST = 120 };
	const struct mw_tree *value = frame->split;
	struct mw_span *span = &frame->split_diag->span;
	uint32_t end = frame->key_span.byte + frame->key_span.length;

	if (end - value->span.byte > LONGEST)
		return;
	span->length = end - span->byte;
	mw_diag_help(reader->diagnostics, frame->split_diag, "quote the value: `%s: \"%.*s\"`",
		     value->key, (int)(end - value->span.byte),
		     reader->text + value->span.byte - reader->skipped);
	frame->split_diag->fix = NULL;
	mw_fix_quote(
		reader->diagnostics, frame->split_diag, MW_FIX_SAFE,
		(struct mw_span){ value->span.source, value->span.byte, end - value->span.byte });
}

/* `{ call: f(a, b) }`: libyaml reads a second key `b)` that has no value and no colon. */
static void refuse_split(struct run *run, struct frame *frame)
{
	struct mw_reader *reader = run->reader;
	struct mw_tree *before = frame->tree->last;
	size_t at = frame->key_span.byte + frame->key_span.length - reader->skipped;

	while (at < reader->length && strchr(" \t\r\n", reader->text[at]))
		at++;
	if (frame->bad_key || !before || before->kind != MW_TREE_SCALAR || at >= reader->length ||
	    reader->text[at] == ':')
		return;
	frame->bad_key = frame->tree->failed = true;
	if (before != frame->split) {
		struct mw_span span = before->span;

		span.byte += span.length;
		span.length = frame->key_span.byte + frame->key_span.length - span.byte;
		frame->split = before;
		frame->split_diag = mw_diagnostics_add(
			reader->diagnostics, MW_SEVERITY_ERROR, "Y007", span,
			"the comma ends the value of `%s`, and `%s` became a key of its own",
			before->key, frame->key);
		before->failed = true;
	}
	suggest_quotes(reader, frame);
}

static void take_key(struct run *run, struct frame *frame, const yaml_event_t *event, bool failed)
{
	struct mw_reader *reader = run->reader;

	frame->has_key = true;
	frame->bad_key = failed;
	frame->key_span = event_span(reader, event);
	frame->key = mw_arena_strndup(reader->arena, (const char *)event->data.scalar.value,
				      event->data.scalar.length);
	if (strcmp(frame->key, "<<") == 0 && !failed) {
		struct mw_diag *diag = error(reader, "Y002", frame->key_span,
					     "merge keys are not part of this format");

		mw_diag_help(reader->diagnostics, diag, "`extends` and parameters replace them");
		frame->bad_key = true;
		if (!frame->merge_diag)
			frame->merge_diag = diag;
	}
	if (frame->bad_key)
		frame->tree->failed = true;
	if (strncmp(frame->key, "x-", 2) == 0)
		frame->bad_key = true;
}

static void on_scalar(struct run *run, const yaml_event_t *event)
{
	struct mw_reader *reader = run->reader;
	struct frame *frame = run->depth ? &run->frames[run->depth - 1] : NULL;
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct mw_anchor *anchor;
	bool failed = refuse_anchor(reader, event, event->data.scalar.anchor, &anchor);

	failed |= refuse_tag(reader, event, event->data.scalar.tag, length == 0);
	if (memchr(value, 0, length)) {
		error(reader, "Y009", event_span(reader, event), "a NUL byte cannot be in a value");
		failed = true;
	}
	if (frame && frame->tree->kind == MW_TREE_MAP && !frame->has_key) {
		take_key(run, frame, event, failed);
		return;
	}
	struct mw_tree *tree =
		mw_tree_new(reader->arena, MW_TREE_SCALAR, event_span(reader, event));

	tree->text = mw_arena_strndup(reader->arena, value, length);
	tree->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	tree->failed = failed;
	mw_reader_anchored(anchor, tree);
	count_node(run, tree->span);
	if (frame && frame->flow && frame->has_key && length == 0 && !tree->quoted && !failed)
		refuse_split(run, frame);
	attach(run, tree);
}

static void on_alias(struct run *run, const yaml_event_t *event)
{
	struct mw_reader *reader = run->reader;
	struct frame *frame = run->depth ? &run->frames[run->depth - 1] : NULL;
	struct mw_diag *diag = error(reader, "Y002", event_span(reader, event),
				     "aliases are not part of this format");

	mw_diag_help(reader->diagnostics, diag,
		     "write the value out, or quote it if it begins "
		     "with `*`");
	bool key = frame && frame->tree->kind == MW_TREE_MAP && !frame->has_key;

	mw_reader_alias(reader, event_span(reader, event), (const char *)event->data.alias.anchor,
			key, frame && frame->flow);
	if (key) {
		frame->has_key = frame->bad_key = frame->tree->failed = true;
		frame->key = "";
		frame->key_span = event_span(reader, event);
		return;
	}
	struct mw_tree *tree =
		mw_tree_new(reader->arena, MW_TREE_SCALAR, event_span(reader, event));

	tree->text = "";
	tree->failed = true;
	attach(run, tree);
}

static void on_start(struct run *run, const yaml_event_t *event, enum mw_tree_kind kind)
{
	struct mw_reader *reader = run->reader;
	struct frame *parent = run->depth ? &run->frames[run->depth - 1] : NULL;
	struct mw_span span = event_span(reader, event);
	bool map = kind == MW_TREE_MAP;
	struct mw_anchor *anchor;
	bool failed = refuse_anchor(reader, event,
				    map ? event->data.mapping_start.anchor
					: event->data.sequence_start.anchor,
				    &anchor);

	failed |= refuse_tag(reader, event,
			     map ? event->data.mapping_start.tag : event->data.sequence_start.tag,
			     false);
	count_node(run, span);
	if (run->depth == MW_READ_DEPTH) {
		mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "Y010", span,
				   "nested more than %d deep", MW_READ_DEPTH);
		run->stop = true;
		return;
	}
	if (parent && parent->tree->kind == MW_TREE_MAP && !parent->has_key) {
		error(reader, "Y008", span, "a key must be a plain word");
		run->stop = true;
		return;
	}
	struct frame *frame = &run->frames[run->depth];

	*frame = (struct frame){ .tree = mw_tree_new(reader->arena, kind, span), .anchor = anchor };
	frame->tree->failed = failed;
	frame->flow = map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
			  : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	run->depth++;
}

static void refuse_duplicates(struct run *run, struct mw_tree *map)
{
	struct mw_tree *last = NULL;
	uint32_t count = 0;

	for (struct mw_tree **link = &map->first; *link;) {
		struct mw_tree *child = *link, *first = mw_tree_get(map, child->key);

		if (first == child) {
			last = child;
			count++;
			link = &child->next;
			continue;
		}
		struct mw_diag *diag =
			mw_diagnostics_add(run->reader->diagnostics, MW_SEVERITY_ERROR, "Y001",
					   child->key_span, "duplicate key `%s`", child->key);

		mw_diag_note(run->reader->diagnostics, diag, first->key_span, "first given here");
		map->failed = first->failed = true;
		*link = child->next;
	}
	map->last = last;
	if (count < map->count)
		map->index = NULL;
	map->count = count;
}

/* Gives the collection its extent and tells its parent of failures. A block ends with its last
 * child: libyaml puts the end behind the comments that follow. */
static void on_end(struct run *run, const yaml_event_t *event)
{
	assert(run->depth > 0 && "libyaml ends only what it has begun");
	struct frame *frame = &run->frames[--run->depth];
	struct mw_tree *tree = frame->tree;

	assert(tree && "every open frame has its tree");
	struct mw_span end = event_span(run->reader, event);

	if (tree->kind == MW_TREE_MAP && tree->count > 1)
		refuse_duplicates(run, tree);
	if (!frame->flow && tree->last)
		end = tree->last->span;
	if (end.byte + end.length > tree->span.byte)
		tree->span.length = end.byte + end.length - tree->span.byte;
	for (struct mw_tree *child = tree->first; child && !tree->failed; child = child->next)
		tree->failed = child->failed;
	mw_reader_anchored(frame->anchor, tree);
	if (frame->merged)
		mw_reader_mend_merge(run->reader, frame->merge_diag, tree, frame->merged,
				     frame->flow);
	attach(run, tree);
}

static void on_event(struct run *run, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT: on_scalar(run, event); break;
	case YAML_ALIAS_EVENT: on_alias(run, event); break;
	case YAML_MAPPING_START_EVENT: on_start(run, event, MW_TREE_MAP); break;
	case YAML_SEQUENCE_START_EVENT: on_start(run, event, MW_TREE_LIST); break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT: on_end(run, event); break;
	default: break;
	}
}

/* Nothing but comments and `...` may follow the document; libyaml would go on for as long as there
 * are more, so it is not asked. */
static void check_rest(struct run *run, size_t at)
{
	struct mw_reader *reader = run->reader;

	while (at < reader->length) {
		size_t line = at;

		while (at < reader->length && reader->text[at] != '\n')
			at++;
		size_t length = at++ - line;
		size_t blank = strspn(reader->text + line, " \t\r");

		if (blank >= length || reader->text[line + blank] == '#' ||
		    (length >= 3 && strncmp(reader->text + line, "...", 3) == 0))
			continue;
		error(reader, "Y008", mw_reader_span(reader, line, line + length),
		      "a file holds one document");
		run->stop = true;
		return;
	}
}

static bool run_parser(struct run *run)
{
	struct mw_reader *reader = run->reader;
	yaml_event_t event;

	for (;;) {
		if (!yaml_parser_parse(&reader->parser, &event)) {
			mw_reader_explain(reader);
			return false;
		}
		yaml_event_type_t type = event.type;

		on_event(run, &event);
		if (type == YAML_DOCUMENT_END_EVENT)
			check_rest(run, mw_reader_byte(reader, &event.end_mark));
		yaml_event_delete(&event);
		if (run->stop)
			return false;
		if (type == YAML_DOCUMENT_END_EVENT || type == YAML_STREAM_END_EVENT)
			return true;
	}
}

static bool check_root(struct mw_reader *reader)
{
	struct mw_span start = mw_reader_span(reader, 0, 0);

	if (reader->root && reader->root->kind == MW_TREE_MAP)
		return true;
	if (reader->root && reader->root->failed)
		return false;
	struct mw_diag *diag =
		error(reader, "S102", reader->root ? reader->root->span : start,
		      reader->root ? "expected a map of keys at the top" : "the file is empty");

	mw_diag_help(reader->diagnostics, diag, "a machine begins with `format: machine/1`");
	return false;
}

struct mw_tree *mw_read(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
			const char *name, const char *text, size_t length)
{
	static const struct mw_read_limits usual = { MW_READ_BYTES, MW_READ_NODES };

	return mw_read_within(arena, diagnostics, name, text, length, &usual);
}

struct mw_tree *mw_read_within(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
			       const char *name, const char *text, size_t length,
			       const struct mw_read_limits *limits)
{
	struct mw_reader reader = { .arena = arena, .diagnostics = diagnostics, .limits = limits };
	struct run run = { .reader = &reader };

	/* what is too large is not even kept for excerpts */
	reader.length = length > limits->bytes ? 0 : length;
	reader.source = mw_diagnostics_source(diagnostics, name, text, reader.length);
	if (length > limits->bytes) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "Y010",
				   (struct mw_span){ reader.source, 0, 0 },
				   "a file may have %zu MiB, this one has %zu bytes",
				   limits->bytes >> 20, length);
		return NULL;
	}
	reader.text = diagnostics->sources[reader.source - 1].text;
	if (reader.length >= 3 && memcmp(reader.text, "\xef\xbb\xbf", 3) == 0) {
		reader.skipped = 3;
		reader.text += 3;
		reader.length -= 3;
	}
	if (!mw_reader_check_bytes(&reader) || !yaml_parser_initialize(&reader.parser))
		return NULL;
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.text,
				     reader.length);
	bool good = run_parser(&run) && check_root(&reader);

	yaml_parser_delete(&reader.parser);
	return good ? reader.root : NULL;
}
