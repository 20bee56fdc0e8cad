/* Reads `.millwright.yaml`, key by key, from a table. */
// SPDX-License-Identifier: MIT
#include "tools/lint/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/allow.h"
#include "resolver/read.h"
#include "tools/report.h"
#include "tools/texts.h"

static const char *const level_names[] = { "error", "warning", "hint", "off", NULL };
static const char *const severity_names[] = { "error", "warning", "hint", NULL };

/* The keys of a file, in the order of `readers`. */

static const struct mw_shape text_shape = { .accepts = MW_SHAPE_TEXT, .literal = true };
static const struct mw_shape texts_shape = { .accepts = MW_SHAPE_TEXT | MW_SHAPE_LIST,
					     .literal = true,
					     .items = &text_shape };
static const struct mw_shape level_shape = { .accepts = MW_SHAPE_WORD,
					     .literal = true,
					     .words = level_names };
static const struct mw_shape levels_shape = { .accepts = MW_SHAPE_MAP,
					      .literal = true,
					      .values = &level_shape };
static const struct mw_shape severity_shape = { .accepts = MW_SHAPE_WORD,
						.literal = true,
						.words = severity_names };
static const struct mw_shape report_shape = { .accepts = MW_SHAPE_WORD,
					      .literal = true,
					      .words = mw_report_formats };
static const struct mw_shape_key per_file_keys[] = { { "ignore", &texts_shape, 0 }, { 0 } };
static const struct mw_shape file_shape = { .accepts = MW_SHAPE_MAP,
					    .literal = true,
					    .keys = per_file_keys };
static const struct mw_shape files_shape = { .accepts = MW_SHAPE_MAP,
					     .literal = true,
					     .values = &file_shape };
enum {
	SELECT,
	IGNORE,
	SEVERITY,
	PER_FILE,
	PROFILE_PATH,
	MODULE_PATH,
	TRUST,
	FAIL_ON,
	FORMAT,
	BASELINE,
	KEYS
};
static const struct mw_shape_key root_keys[] = {
	[SELECT] = { "select", &texts_shape, 0 },
	[IGNORE] = { "ignore", &texts_shape, 0 },
	[SEVERITY] = { "severity", &levels_shape, 0 },
	[PER_FILE] = { "per-file", &files_shape, 0 },
	[PROFILE_PATH] = { "profile_path", &texts_shape, 0 },
	[MODULE_PATH] = { "module_path", &texts_shape, 0 },
	[TRUST] = { "trust", &texts_shape, 0 },
	[FAIL_ON] = { "fail_on", &severity_shape, 0 },
	[FORMAT] = { "format", &report_shape, 0 },
	[BASELINE] = { "baseline", &text_shape, 0 },
	[KEYS] = { 0 },
};
const struct mw_shape mw_config_shape = { .accepts = MW_SHAPE_MAP,
					  .literal = true,
					  .keys = root_keys };

/* How a key is read. */
struct key {
	bool (*read)(struct mw_config *config, const struct key *key, struct mw_tree *tree);
	size_t at;                  /* where in struct mw_config the result goes */
	const char *const *choices; /* a word: those allowed */
	enum { WORDS, CODES, PATHS } what;
};

static bool refuse(struct mw_config *config, const char *code, struct mw_span span,
		   const char *format, const char *text)
{
	mw_diagnostics_add(&config->diagnostics, MW_SEVERITY_ERROR, code, span, format, text);
	return false;
}

bool mw_level_parse(const char *word, enum mw_level *level)
{
	for (unsigned i = 0; level_names[i]; i++) {
		if (strcmp(level_names[i], word) == 0) {
			*level = (enum mw_level)i;
			return true;
		}
	}
	return false;
}

static bool is_text(struct mw_config *config, struct mw_tree *tree)
{
	if (tree->failed)
		return false;
	if (tree->kind != MW_TREE_SCALAR || (!*tree->text && !tree->quoted))
		return refuse(config, "S102", tree->span.length ? tree->span : tree->key_span,
			      "expected text%s", "");
	if (strlen(tree->text) > MW_CONFIG_LONGEST)
		return refuse(config, "S103", tree->span, "this is longer than a name can be%s",
			      "");
	return true;
}

static bool is_code(struct mw_config *config, const char *text, struct mw_span span)
{
	if (!mw_rule_begins(text))
		return refuse(config, "S102", span, "`%s` is no rule's code, nor the start of one",
			      text);
	return true;
}

static const char *absolute(struct mw_config *config, const char *path)
{
	if (path[0] == '/')
		return mw_arena_strdup(&config->arena, path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	return mw_arena_printf(&config->arena, "%s%s%s", config->folder,
			       strcmp(config->folder, "/") == 0 ? "" : "/", path);
}

/* One text as a list wants it; NULL after a finding. */
static const char *item_of(struct mw_config *config, const struct key *key, struct mw_tree *item)
{
	if (!is_text(config, item) ||
	    (key->what == CODES && !is_code(config, item->text, item->span)))
		return NULL;
	return key->what == PATHS ? absolute(config, item->text) : item->text;
}

static bool too_many(struct mw_config *config, const struct mw_tree *tree)
{
	if (tree->count <= MW_CONFIG_MOST)
		return false;
	refuse(config, "S103", tree->key ? tree->key_span : tree->span,
	       "more entries than a list here may have%s", "");
	return true;
}

/* A list of texts, or one text. */
static const char *const *read_list(struct mw_config *config, const struct key *key,
				    struct mw_tree *tree)
{
	const char **items = mw_arena_alloc(&config->arena, tree->count + 2, sizeof(*items));
	size_t count = 0;

	if (tree->failed || too_many(config, tree))
		return items;
	if (tree->kind == MW_TREE_MAP)
		refuse(config, "S102", tree->key_span, "expected a list of texts%s", "");
	if (tree->kind == MW_TREE_SCALAR && (items[0] = item_of(config, key, tree)))
		count++;
	for (struct mw_tree *item = tree->first; item && tree->kind == MW_TREE_LIST;
	     item = item->next) {
		items[count] = item_of(config, key, item);
		count += items[count] != NULL;
	}
	return items;
}

static bool read_words(struct mw_config *config, const struct key *key, struct mw_tree *tree)
{
	*(const char *const **)(void *)((char *)config + key->at) = read_list(config, key, tree);
	return true;
}

static bool read_word(struct mw_config *config, const struct key *key, struct mw_tree *tree)
{
	if (!is_text(config, tree))
		return false;
	if (key->choices && !mw_name_in(tree->text, key->choices)) {
		refuse(config, "S102", tree->span, "`%s` is none of the words that can stand here",
		       tree->text);
		struct mw_diag *diag = config->diagnostics.items[config->diagnostics.count - 1];

		mw_diag_note(&config->diagnostics, diag, (struct mw_span){ 0 }, "they are %s",
			     mw_list_names(&config->arena, key->choices));
		mw_suggest(&config->diagnostics, diag, tree->text, key->choices);
		return false;
	}
	*(const char **)(void *)((char *)config + key->at) =
		key->what == PATHS ? absolute(config, tree->text) : tree->text;
	return true;
}

static bool is_map(struct mw_config *config, struct mw_tree *tree)
{
	if (tree->failed || too_many(config, tree))
		return false;
	return tree->kind == MW_TREE_MAP ||
	       refuse(config, "S102", tree->key_span, "expected a map%s", "");
}

static bool read_levels(struct mw_config *config, const struct key *key, struct mw_tree *tree)
{
	if (!is_map(config, tree))
		return false;
	config->levels = mw_arena_alloc(&config->arena, tree->count + 1, sizeof(*config->levels));
	for (struct mw_tree *entry = tree->first; entry; entry = entry->next) {
		struct mw_level_row *row = &config->levels[config->level_count];

		if (!is_code(config, entry->key, entry->key_span))
			continue;
		if (mw_rule_is_fixed(entry->key)) {
			refuse(config, "S103", entry->key_span, "`%s` is an error always",
			       entry->key);
			continue;
		}
		if (!is_text(config, entry))
			continue;
		if (!mw_level_parse(entry->text, &row->level)) {
			struct mw_diag *diag = mw_diagnostics_add(
				&config->diagnostics, MW_SEVERITY_ERROR, "S102", entry->span,
				"expected error, warning, hint or off, found `%s`", entry->text);

			mw_suggest(&config->diagnostics, diag, entry->text, level_names);
			continue;
		}
		row->code = entry->key;
		config->level_count++;
	}
	return true;
}

static void read_ignore(struct mw_config *config, struct mw_tree *entry)
{
	static const struct key codes = { .what = CODES };
	struct mw_tree *ignore = mw_tree_get(entry, per_file_keys[0].name);

	for (struct mw_tree *child = entry->first; child; child = child->next) {
		if (child != ignore)
			refuse(config, "S101", child->key_span,
			       "unknown key `%s`; the key here is `ignore`", child->key);
	}
	if (!ignore)
		return;
	config->per_file[config->per_file_count++] =
		(struct mw_per_file){ .glob = entry->key,
				      .ignore = read_list(config, &codes, ignore) };
}

static bool read_per_file(struct mw_config *config, const struct key *key, struct mw_tree *tree)
{
	if (!is_map(config, tree))
		return false;
	config->per_file =
		mw_arena_alloc(&config->arena, tree->count + 1, sizeof(*config->per_file));
	for (struct mw_tree *entry = tree->first; entry; entry = entry->next) {
		if (strlen(entry->key) > MW_CONFIG_LONGEST)
			refuse(config, "S103", entry->key_span,
			       "this is longer than a pattern can be%s", "");
		else if (is_map(config, entry))
			read_ignore(config, entry);
	}
	return true;
}

#define AT(member) offsetof(struct mw_config, member)

static const struct key readers[] = {
	[SELECT] = { read_words, AT(select), NULL, CODES },
	[IGNORE] = { read_words, AT(ignore), NULL, CODES },
	[SEVERITY] = { read_levels, 0, NULL, WORDS },
	[PER_FILE] = { read_per_file, 0, NULL, WORDS },
	[PROFILE_PATH] = { read_words, AT(profile_path), NULL, PATHS },
	[MODULE_PATH] = { read_words, AT(module_path), NULL, PATHS },
	[TRUST] = { read_words, AT(trust), NULL, WORDS },
	[FAIL_ON] = { read_word, AT(fail_on), severity_names, WORDS },
	[FORMAT] = { read_word, AT(format), mw_report_formats, WORDS },
	[BASELINE] = { read_word, AT(baseline), NULL, PATHS },
};

static void refuse_key(struct mw_config *config, const struct mw_tree *entry)
{
	const char *names[KEYS + 1] = { NULL };

	for (size_t i = 0; i < KEYS; i++)
		names[i] = root_keys[i].name;
	struct mw_diag *diag = mw_diagnostics_add(&config->diagnostics, MW_SEVERITY_ERROR, "S101",
						  entry->key_span, "unknown key `%s`", entry->key);

	mw_diag_note(&config->diagnostics, diag, (struct mw_span){ 0 }, "the keys here are %s",
		     mw_list_names(&config->arena, names));
	mw_suggest(&config->diagnostics, diag, entry->key, names);
}

static void read_entry(struct mw_config *config, struct mw_tree *entry)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(root_keys[i].name, entry->key) == 0) {
			readers[i].read(config, &readers[i], entry);
			return;
		}
	}
	refuse_key(config, entry);
}

bool mw_config_read(struct mw_config *config, const char *path)
{
	const char *why;
	size_t length;
	char *text = mw_text_read(path, &length, &why);
	char *real = realpath(path, NULL);
	char *slash = real ? strrchr(real, '/') : NULL;

	*config = (struct mw_config){ 0 };
	config->path = mw_arena_strdup(&config->arena, path);
	config->folder = slash == real || !slash
				 ? "/"
				 : mw_arena_strndup(&config->arena, real, (size_t)(slash - real));
	free(real);
	if (!text) {
		mw_diagnostics_add(&config->diagnostics, MW_SEVERITY_ERROR, "",
				   (struct mw_span){ 0 }, "cannot read %s: %s", path, why);
		return false;
	}
	struct mw_tree *root =
		mw_read(&config->arena, &config->diagnostics, config->path, text, length);

	free(text);
	for (struct mw_tree *entry = root ? root->first : NULL; entry; entry = entry->next)
		read_entry(config, entry);
	return config->diagnostics.errors == 0;
}

void mw_config_fini(struct mw_config *config)
{
	mw_arena_fini(&config->arena);
	mw_diagnostics_fini(&config->diagnostics);
	*config = (struct mw_config){ 0 };
}

static char *in_folder(const char *folder, size_t length, const char *name)
{
	size_t room = length + strlen(name) + 2;
	char *path = mw_alloc(room, 1);

	snprintf(path, room, "%.*s/%s", (int)length, folder, name);
	return path;
}

static bool holds(const char *folder, size_t length, const char *name)
{
	char *path = in_folder(folder, length, name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

char *mw_config_find(const char *folder)
{
	char *real = realpath(folder, NULL), *found = NULL;
	size_t length = real ? strlen(real) : 0;

	if (real && length == 1)
		length = 0;
	while (real && !found) {
		if (holds(real, length, MW_CONFIG_NAME))
			found = in_folder(real, length, MW_CONFIG_NAME);
		if (length == 0 || holds(real, length, ".git"))
			break;
		while (real[--length] != '/')
			;
	}
	free(real);
	return found;
}

bool mw_glob_matches(const char *glob, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			again = text;
		} else if (*glob == *text || *glob == '?') {
			glob++;
			text++;
		} else if (star) {
			glob = star;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}
