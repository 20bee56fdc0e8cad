/* Reads, matches and writes baselines. */
// SPDX-License-Identifier: MIT
#include "tools/lint/baseline.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/allow.h"
#include "resolver/read.h"
#include "tools/texts.h"

/* The keys of a file. */

static const struct mw_shape text_shape = { .accepts = MW_SHAPE_TEXT, .literal = true };
static const struct mw_shape count_shape = { .accepts = MW_SHAPE_INT, .literal = true };
enum { ITEM_CODE, ITEM_FILE, ITEM_NODE, ITEM_MESSAGE, ITEM_COUNT, ITEM_KEYS };
static const struct mw_shape_key item_keys[] = {
	[ITEM_CODE] = { "code", &text_shape, MW_KEY_REQUIRED },
	[ITEM_FILE] = { "file", &text_shape, 0 },
	[ITEM_NODE] = { "node", &text_shape, 0 },
	[ITEM_MESSAGE] = { "message", &text_shape, MW_KEY_REQUIRED },
	[ITEM_COUNT] = { "count", &count_shape, 0 },
	[ITEM_KEYS] = { 0 },
};
static const struct mw_shape item_shape = { .accepts = MW_SHAPE_MAP,
					    .literal = true,
					    .keys = item_keys };
static const struct mw_shape items_shape = { .accepts = MW_SHAPE_LIST,
					     .literal = true,
					     .items = &item_shape };
enum { ROOT_FORMAT, ROOT_FINDINGS, ROOT_KEYS };
static const struct mw_shape_key root_keys[] = {
	[ROOT_FORMAT] = { "format", &text_shape, MW_KEY_REQUIRED },
	[ROOT_FINDINGS] = { "findings", &items_shape, 0 },
	[ROOT_KEYS] = { 0 },
};
const struct mw_shape mw_baseline_shape = { .accepts = MW_SHAPE_MAP,
					    .literal = true,
					    .keys = root_keys };

static const char *folder_of(struct mw_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mw_arena_strndup(arena, path, (size_t)(slash - path)) : NULL;
	char *real = realpath(!slash ? "." : *folder ? folder : "/", NULL);
	const char *kept = mw_arena_strdup(arena, real ? real : ".");

	free(real);
	return kept;
}

/* The file's path from the baseline's folder, so that it is the same on every host. */
static const char *file_of(struct mw_baseline *baseline, const char *name)
{
	char *real = realpath(name, NULL);
	const char *path = real ? real : name;
	size_t length = strlen(baseline->folder);

	if (length > 1 && strncmp(path, baseline->folder, length) == 0 && path[length] == '/')
		path += length + 1;
	const char *kept = mw_arena_strdup(&baseline->arena, path);

	free(real);
	return kept;
}

/* Without `LINE:COLUMN`, which is not what a finding is known by. */
static const char *message_of(struct mw_baseline *baseline, const char *message)
{
	char *text = mw_arena_strdup(&baseline->arena, message), *to = text;

	for (const char *from = message; *from;) {
		size_t line = strspn(from, "0123456789");
		size_t column = from[line] == ':' ? strspn(from + line + 1, "0123456789") : 0;
		bool word = from == message || from[-1] == ' ' || from[-1] == ':';

		if (word && line && column && !isalnum((unsigned char)from[line + 1 + column])) {
			*to++ = '*';
			from += line + 1 + column;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return text;
}

static uint64_t mix(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	return (hash ^ 0xff) * 0x100000001b3ull;
}

static uint64_t hash_of(const struct mw_known *known)
{
	return mix(mix(mix(mix(0xcbf29ce484222325ull, known->code), known->file), known->node),
		   known->message);
}

static int by_hash(const void *left, const void *right)
{
	const struct mw_known *a = left, *b = right;

	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static int by_place(const void *left, const void *right)
{
	const struct mw_known *a = left, *b = right;
	int order = strcmp(a->file, b->file);

	if (!order)
		order = strcmp(a->code, b->code);
	if (!order)
		order = strcmp(a->node, b->node);
	return order ? order : strcmp(a->message, b->message);
}

static bool same(const struct mw_known *a, const struct mw_known *b)
{
	return by_place(a, b) == 0;
}

static void add(struct mw_baseline *baseline, struct mw_known known)
{
	known.hash = hash_of(&known);
	if (baseline->count == baseline->room) {
		baseline->room = baseline->room ? 2 * baseline->room : 64;
		baseline->items =
			mw_grow(baseline->items, baseline->room, sizeof(*baseline->items));
	}
	baseline->items[baseline->count++] = known;
}

/* Equal ones become one. */
static void sort(struct mw_baseline *baseline)
{
	size_t kept = 0;

	if (baseline->count)
		qsort(baseline->items, baseline->count, sizeof(*baseline->items), by_place);
	for (size_t i = 0; i < baseline->count; i++) {
		if (kept && same(&baseline->items[kept - 1], &baseline->items[i])) {
			baseline->items[kept - 1].count += baseline->items[i].count;
			baseline->items[kept - 1].met += baseline->items[i].met;
		} else {
			baseline->items[kept++] = baseline->items[i];
		}
	}
	baseline->count = kept;
}

static struct mw_known *find(struct mw_baseline *baseline, const struct mw_known *wanted)
{
	struct mw_known *known = baseline->count ? bsearch(wanted, baseline->items, baseline->count,
							   sizeof(*baseline->items), by_hash)
						 : NULL;

	return known && same(known, wanted) ? known : NULL;
}

static struct mw_known key_of(struct mw_baseline *baseline, const char *const *files,
			      const struct mw_diag *diag)
{
	struct mw_known known = { .code = mw_arena_strdup(&baseline->arena, diag->code),
				  .file = diag->span.source ? files[diag->span.source - 1] : "",
				  .node = diag->node ? mw_arena_strdup(&baseline->arena, diag->node)
						     : "",
				  .message = message_of(baseline, diag->message),
				  .count = 1 };

	known.hash = hash_of(&known);
	return known;
}

static const char **list_files(struct mw_baseline *baseline,
			       const struct mw_diagnostics *diagnostics)
{
	const char **files = mw_alloc(diagnostics->source_count + 1, sizeof(*files));

	for (size_t i = 0; i < diagnostics->source_count; i++)
		files[i] = file_of(baseline, diagnostics->sources[i].name);
	return files;
}

void mw_baseline_fini(struct mw_baseline *baseline)
{
	free(baseline->items);
	mw_arena_fini(&baseline->arena);
	*baseline = (struct mw_baseline){ 0 };
}

void mw_baseline_apply(struct mw_baseline *baseline, struct mw_diagnostics *diagnostics)
{
	const char **files = list_files(baseline, diagnostics);

	if (baseline->count)
		qsort(baseline->items, baseline->count, sizeof(*baseline->items), by_hash);
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_diag *diag = diagnostics->items[i];

		if (diag->hidden != MW_DIAG_SHOWN || mw_rule_is_fixed(diag->code))
			continue;
		struct mw_known wanted = key_of(baseline, files, diag);
		struct mw_known *known = find(baseline, &wanted);

		if (!known || known->met == known->count)
			continue;
		known->met++;
		mw_diag_hide(diagnostics, diag, MW_DIAG_BASELINE, NULL);
	}
	free(files);
}

size_t mw_baseline_take(struct mw_baseline *baseline, const char *path,
			struct mw_diagnostics *diagnostics)
{
	baseline->folder = folder_of(&baseline->arena, path);
	const char **files = list_files(baseline, diagnostics);
	size_t left = 0;

	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_diag *diag = diagnostics->items[i];

		if (diag->hidden != MW_DIAG_SHOWN)
			continue;
		if (mw_rule_is_fixed(diag->code)) {
			left++;
			continue;
		}
		add(baseline, key_of(baseline, files, diag));
		mw_diag_hide(diagnostics, diag, MW_DIAG_BASELINE, NULL);
	}
	free(files);
	sort(baseline);
	return left;
}

static bool was_read(const char *const *files, size_t count, const char *file)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(files[i], file) == 0)
			return true;
	}
	return !*file;
}

/* Of those that stand in files which were looked at. */
static size_t count_stale(struct mw_baseline *baseline, const struct mw_diagnostics *diagnostics,
			  bool prune)
{
	const char **files = list_files(baseline, diagnostics);
	size_t stale = 0, kept = 0;

	for (size_t i = 0; i < baseline->count; i++) {
		struct mw_known *known = &baseline->items[i];
		unsigned long more = known->count - known->met;

		if (more && was_read(files, diagnostics->source_count, known->file)) {
			stale += more;
			if (prune)
				known->count = known->met;
		}
		if (prune && known->count)
			baseline->items[kept++] = *known;
	}
	if (prune)
		baseline->count = kept;
	free(files);
	return stale;
}

size_t mw_baseline_prune(struct mw_baseline *baseline, const struct mw_diagnostics *diagnostics)
{
	return count_stale(baseline, diagnostics, true);
}

size_t mw_baseline_stale(const struct mw_baseline *baseline,
			 const struct mw_diagnostics *diagnostics)
{
	return count_stale((struct mw_baseline *)baseline, diagnostics, false);
}

/* Reading. */

static bool refuse(struct mw_diagnostics *diagnostics, const char *code, struct mw_span span,
		   const char *format, const char *text)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, code, span, format, text);
	return false;
}

static bool read_key(struct mw_diagnostics *diagnostics, struct mw_known *known,
		     struct mw_tree *entry)
{
	const char **const texts[] = { [ITEM_CODE] = &known->code,
				       [ITEM_FILE] = &known->file,
				       [ITEM_NODE] = &known->node,
				       [ITEM_MESSAGE] = &known->message };
	uint64_t count;
	size_t at = 0;

	if (entry->failed)
		return false;
	if (entry->kind != MW_TREE_SCALAR)
		return refuse(diagnostics, "S102", entry->key_span, "expected text%s", "");
	while (at < ITEM_KEYS && strcmp(item_keys[at].name, entry->key) != 0)
		at++;
	if (at < ITEM_COUNT) {
		*texts[at] = entry->text;
		return true;
	}
	if (at == ITEM_KEYS)
		return refuse(diagnostics, "S101", entry->key_span, "unknown key `%s`", entry->key);
	if (!mw_tree_int(entry->text, &count) || count == 0 || count > MW_READ_NODES)
		return refuse(diagnostics, "S103", entry->span,
			      "expected how often, an int over 0, found `%s`", entry->text);
	known->count = (unsigned long)count;
	return true;
}

static bool read_item(struct mw_baseline *baseline, struct mw_diagnostics *diagnostics,
		      struct mw_tree *item)
{
	struct mw_known known = { .file = "", .node = "", .count = 1 };
	bool good = true;

	if (item->failed)
		return false;
	if (item->kind != MW_TREE_MAP)
		return refuse(diagnostics, "S102", item->span,
			      "expected a map with `code`, `file` and `message`%s", "");
	for (struct mw_tree *entry = item->first; entry; entry = entry->next)
		good &= read_key(diagnostics, &known, entry);
	if (!good)
		return false;
	if (!known.code || !known.message)
		return refuse(diagnostics, "S117",
			      (struct mw_span){ item->span.source, item->span.byte, 1 },
			      "`%s` is missing", known.code ? "message" : "code");
	if (!mw_rule_name(known.code))
		return refuse(diagnostics, "S102", item->span, "`%s` is no rule's code",
			      known.code);
	add(baseline, known);
	return true;
}

static bool read_root(struct mw_baseline *baseline, struct mw_diagnostics *diagnostics,
		      struct mw_tree *root)
{
	struct mw_tree *format = mw_tree_get(root, root_keys[ROOT_FORMAT].name);
	struct mw_tree *findings = mw_tree_get(root, root_keys[ROOT_FINDINGS].name);
	bool good = true;

	if (!format || format->kind != MW_TREE_SCALAR || strcmp(format->text, "baseline/1") != 0)
		return refuse(diagnostics, "S102",
			      format && format->span.length
				      ? format->span
				      : (struct mw_span){ root->span.source, root->span.byte, 1 },
			      "a baseline begins with `format: baseline/1`%s", "");
	for (struct mw_tree *entry = root->first; entry; entry = entry->next) {
		if (entry != format && entry != findings)
			good = refuse(diagnostics, "S101", entry->key_span, "unknown key `%s`",
				      entry->key);
	}
	if (findings && findings->kind == MW_TREE_MAP)
		good = refuse(diagnostics, "S102", findings->key_span, "expected a list%s", "");
	for (struct mw_tree *item = findings ? findings->first : NULL; item && good;
	     item = item->next)
		good = read_item(baseline, diagnostics, item);
	return good;
}

bool mw_baseline_read(struct mw_baseline *baseline, const char *path,
		      struct mw_diagnostics *diagnostics)
{
	const char *why;
	size_t length;
	char *text = mw_text_read(path, &length, &why);

	baseline->folder = folder_of(&baseline->arena, path);
	if (!text) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "cannot read %s: %s", path, why);
		return false;
	}
	struct mw_tree *root = mw_read(&baseline->arena, diagnostics, path, text, length);
	bool good = root && read_root(baseline, diagnostics, root) && diagnostics->errors == 0;

	free(text);
	sort(baseline);
	return good;
}

/* Writing. */

static void print_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%s: \"", key);
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < 0x20 || byte == 0x7f)
			fprintf(out, "\\x%02x", byte);
		else
			fputc(byte, out);
	}
	fputs("\"\n", out);
}

char *mw_baseline_text(struct mw_baseline *baseline, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	sort(baseline);
	fputs("# What millwright lint does not tell again; --baseline-prune takes out what is "
	      "mended.\nformat: baseline/1\n",
	      out);
	fputs(baseline->count ? "findings:\n" : "findings: []\n", out);
	for (size_t i = 0; i < baseline->count; i++) {
		const struct mw_known *known = &baseline->items[i];

		fprintf(out, "  - code: %s\n", known->code);
		print_text(out, "    file", known->file);
		if (*known->node)
			print_text(out, "    node", known->node);
		print_text(out, "    message", known->message);
		if (known->count > 1)
			fprintf(out, "    count: %lu\n", known->count);
	}
	fclose(out);
	return text;
}
