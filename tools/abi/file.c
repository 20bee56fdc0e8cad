/* NAME.abi.yaml, read and written. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "resolver/read.h"
#include "tools/abi/abi.h"
#include "tools/texts.h"

/* The keys of a file. */

static const struct mw_shape text_shape = { .accepts = MW_SHAPE_TEXT, .literal = true };
static const struct mw_shape with_shape = { .accepts = MW_SHAPE_MAP,
					    .literal = true,
					    .values = &text_shape };
static const struct mw_shape_key row_keys[] = {
	{ "with", &with_shape, 0 },
	{ "sha256", &text_shape, MW_KEY_REQUIRED },
	{ "text", &text_shape, 0 },
	{ 0 },
};
static const struct mw_shape row_shape = { .accepts = MW_SHAPE_MAP,
					   .literal = true,
					   .keys = row_keys };
static const struct mw_shape rows_shape = { .accepts = MW_SHAPE_LIST,
					    .literal = true,
					    .items = &row_shape };
static const struct mw_shape versions_shape = {
	.accepts = MW_SHAPE_MAP, .literal = true, .values = &rows_shape, .ids = MW_IDS_VERSIONS
};
static const struct mw_shape_key root_keys[] = {
	{ "format", &text_shape, MW_KEY_REQUIRED },
	{ "name", &text_shape, MW_KEY_REQUIRED },
	{ "versions", &versions_shape, MW_KEY_REQUIRED },
	{ 0 },
};
const struct mw_shape mw_abi_shape = { .accepts = MW_SHAPE_MAP,
				       .literal = true,
				       .keys = root_keys };

const char *mw_abi_path(struct mw_arena *arena, const char *profile)
{
	size_t length = strlen(profile);

	if (length > 5 && !strcmp(profile + length - 5, ".yaml"))
		length -= 5;
	return mw_arena_printf(arena, "%.*s.abi.yaml", (int)length, profile);
}

struct mw_abi_version *mw_abi_version(struct mw_abi *abi, uint64_t number, bool make)
{
	size_t at = 0;

	while (at < abi->version_count && abi->versions[at]->number < number)
		at++;
	if (at < abi->version_count && abi->versions[at]->number == number)
		return abi->versions[at];
	if (!make || abi->version_count == MW_ABI_VERSIONS)
		return NULL;
	memmove(&abi->versions[at + 1], &abi->versions[at],
		(abi->version_count - at) * sizeof(struct mw_abi_version *));
	abi->versions[at] = mw_arena_alloc(&abi->arena, 1, sizeof(struct mw_abi_version));
	abi->versions[at]->number = number;
	abi->version_count++;
	return abi->versions[at];
}

static bool same_sets(const struct mw_abi_row *row, const char *const *sets, size_t count)
{
	if (row->set_count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < count && strcmp(row->sets[at], sets[i]) != 0)
			at++;
		if (at == count)
			return false;
	}
	return true;
}

struct mw_abi_row *mw_abi_row(struct mw_abi *abi, struct mw_abi_version *version,
			      const char *const *sets, size_t count, bool make)
{
	struct mw_abi_row *row;

	for (size_t i = 0; i < version->row_count; i++) {
		if (same_sets(version->rows[i], sets, count))
			return version->rows[i];
	}
	if (!make || version->row_count == MW_ABI_ROWS || count > MW_ABI_SETS)
		return NULL;
	row = mw_arena_alloc(&abi->arena, 1, sizeof(*row));
	for (size_t i = 0; i < count; i++)
		row->sets[i] = mw_arena_strdup(&abi->arena, sets[i]);
	row->set_count = count;
	version->rows[version->row_count++] = row;
	return row;
}

/* One read: where findings go. */
struct reader {
	struct mw_abi *abi;
	struct mw_diagnostics *diagnostics;
	bool good;
};

static void refuse(struct reader *reader, struct mw_span span, const char *text)
{
	mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "S102", span, "%s", text);
	reader->good = false;
}

static bool known_keys(struct reader *reader, const struct mw_tree *map,
		       const struct mw_shape_key *keys)
{
	for (const struct mw_tree *item = map->first; item; item = item->next) {
		size_t at = 0;

		while (keys[at].name && strcmp(keys[at].name, item->key) != 0)
			at++;
		if (keys[at].name)
			continue;
		mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "S101", item->key_span,
				   "unknown key `%s`", item->key);
		reader->good = false;
	}
	return reader->good;
}

static size_t read_sets(struct reader *reader, struct mw_tree *with, const char **sets)
{
	size_t count = 0;

	if (!with)
		return 0;
	if (with->kind != MW_TREE_MAP) {
		refuse(reader, with->span, "expected a map of parameters");
		return 0;
	}
	for (struct mw_tree *item = with->first; item; item = item->next) {
		if (item->kind != MW_TREE_SCALAR || count == MW_ABI_SETS) {
			refuse(reader, item->span, "expected a value, for at most 64 parameters");
			return 0;
		}
		sets[count++] =
			mw_arena_printf(&reader->abi->arena, "%s=%s", item->key, item->text);
	}
	return count;
}

static void read_row(struct reader *reader, struct mw_abi_version *version, struct mw_tree *tree)
{
	struct mw_tree *hash = mw_tree_get(tree, "sha256"), *text = mw_tree_get(tree, "text");
	const char *sets[MW_ABI_SETS];
	struct mw_abi_row *row;
	size_t count;

	if (tree->kind != MW_TREE_MAP || !known_keys(reader, tree, row_keys)) {
		if (tree->kind != MW_TREE_MAP)
			refuse(reader, tree->span, "expected `sha256`, `with` and `text`");
		return;
	}
	count = read_sets(reader, mw_tree_get(tree, "with"), sets);
	if (!hash || hash->kind != MW_TREE_SCALAR || strlen(hash->text) != 64 ||
	    strspn(hash->text, "0123456789abcdef") != 64) {
		refuse(reader, hash ? hash->span : tree->span,
		       "expected `sha256`, 64 hexadecimal digits in lower case");
		return;
	}
	if (mw_abi_row(reader->abi, version, sets, count, false)) {
		refuse(reader, tree->span, "these parameters have a row already");
		return;
	}
	row = mw_abi_row(reader->abi, version, sets, count, true);
	if (!row) {
		refuse(reader, tree->span, "a version has at most 256 rows");
		return;
	}
	memcpy(row->sha256, hash->text, sizeof(row->sha256));
	row->span = hash->span;
	if (!text)
		return;
	char own[65];

	if (text->kind == MW_TREE_SCALAR)
		mw_abi_hash(text->text, strlen(text->text), own);
	if (text->kind != MW_TREE_SCALAR || strcmp(own, row->sha256) != 0)
		refuse(reader, text->key_span, "this is not the text that `sha256` is of");
	else
		row->text = mw_arena_strdup(&reader->abi->arena, text->text);
}

static void read_versions(struct reader *reader, struct mw_tree *versions)
{
	for (struct mw_tree *item = versions->first; item; item = item->next) {
		uint64_t number;
		struct mw_abi_version *version;

		if (!mw_tree_int(item->key, &number) || !number || item->kind != MW_TREE_LIST) {
			refuse(reader, item->key_span, "expected a version's number and its rows");
			continue;
		}
		version = mw_abi_version(reader->abi, number, true);
		if (!version) {
			refuse(reader, item->key_span, "a file has at most 256 versions");
			return;
		}
		for (struct mw_tree *row = item->first; row; row = row->next)
			read_row(reader, version, row);
	}
}

static void read_root(struct reader *reader, struct mw_tree *root)
{
	struct mw_tree *format = mw_tree_get(root, "format"), *name = mw_tree_get(root, "name");
	struct mw_tree *versions = mw_tree_get(root, "versions");

	if (!format || format->kind != MW_TREE_SCALAR || strcmp(format->text, "abi/1") != 0) {
		refuse(reader, format ? format->span : root->span, "expected `format: abi/1`");
		return;
	}
	known_keys(reader, root, root_keys);
	if (name && name->kind == MW_TREE_SCALAR)
		reader->abi->name = mw_arena_strdup(&reader->abi->arena, name->text);
	else
		refuse(reader, root->span, "expected `name`, that of the machine");
	if (versions && versions->kind == MW_TREE_MAP)
		read_versions(reader, versions);
	else
		refuse(reader, versions ? versions->span : root->span,
		       "expected `versions`, a map of rows by version");
}

bool mw_abi_read(struct mw_abi *abi, const char *path, struct mw_diagnostics *diagnostics,
		 bool *unusable)
{
	struct reader reader = { abi, diagnostics, true };
	struct mw_arena scratch = { 0 };
	const char *why = NULL;
	size_t length, errors = diagnostics->errors;
	char *text;

	*unusable = false;
	errno = 0;
	text = mw_text_read(path, &length, &why);
	if (!text && errno == ENOENT)
		return false;
	if (text) {
		struct mw_tree *root = mw_read(&scratch, diagnostics, path, text, length);

		if (root && diagnostics->errors == errors)
			read_root(&reader, root);
		reader.good = reader.good && root && diagnostics->errors == errors;
	} else {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "cannot read `%s`: %s", path, why);
		reader.good = false;
	}
	free(text);
	mw_arena_fini(&scratch);
	*unusable = !reader.good;
	return reader.good;
}

static void write_row(const struct mw_abi_row *row, FILE *out)
{
	const char *open = "    - ";

	if (row->set_count) {
		fprintf(out, "%swith: { ", open);
		for (size_t i = 0; i < row->set_count; i++) {
			const char *equals = strchr(row->sets[i], '=');

			fprintf(out, "%s%.*s: ", i ? ", " : "", (int)(equals - row->sets[i]),
				row->sets[i]);
			mw_put_quoted(out, equals + 1);
		}
		fputs(" }\n", out);
		open = "      ";
	}
	fprintf(out, "%ssha256: \"%s\"\n", open, row->sha256);
	if (!row->text)
		return;
	fputs("      text: |\n", out);
	for (const char *line = row->text, *end; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		fprintf(out, "        %.*s\n", (int)(end - line), line);
	}
}

void mw_abi_write(const struct mw_abi *abi, FILE *out)
{
	fprintf(out,
		"# What guests of %s see, by version: `millwright abi freeze` writes it, "
		"`millwright lint` holds to it.\n",
		abi->name);
	fprintf(out, "format: abi/1\nname: %s\nversions:\n", abi->name);
	for (size_t i = 0; i < abi->version_count; i++) {
		fprintf(out, "  %" PRIu64 ":\n", abi->versions[i]->number);
		for (size_t row = 0; row < abi->versions[i]->row_count; row++)
			write_row(abi->versions[i]->rows[row], out);
	}
}

void mw_abi_fini(struct mw_abi *abi)
{
	mw_arena_fini(&abi->arena);
}
