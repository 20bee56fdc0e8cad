/* Shape: walks a file along the tables and says what does not fit. */
// SPDX-License-Identifier: MIT
#include "resolver/shape.h"

#include <string.h>

#include "resolver/document.h"
#include "resolver/fixes.h"

/* After so many findings the keys that there are need no telling any more. */
enum { MOST_LISTS = 200 };

/* Where in the profile the walk is, for the `node` of a diagnostic. */
struct path {
	const struct path *up;
	const char *key;
};

struct walk {
	struct mw_diagnostics *diagnostics;
	bool evaluated; /* second time: only what came out of expressions */
};

static bool check_value(struct walk *walk, struct mw_tree *tree, const struct mw_shape *shape,
			const struct path *path);

static const char *path_text(struct mw_diagnostics *diagnostics, const struct path *path)
{
	if (!path)
		return "";
	const char *up = path_text(diagnostics, path->up);

	return mw_arena_printf(&diagnostics->arena, "%s/%s", up, path->key ? path->key : "-");
}

static struct mw_diag *reject(struct walk *walk, struct mw_tree *tree, const struct path *path,
			      struct mw_diag *diag)
{
	diag->node = path_text(walk->diagnostics, path);
	tree->failed = true;
	tree->kind = MW_TREE_SCALAR;
	tree->text = "";
	tree->first = tree->last = NULL;
	tree->count = 0;
	return diag;
}

static bool is_rejected(const struct mw_tree *tree)
{
	return tree->failed && tree->kind == MW_TREE_SCALAR;
}

bool mw_tree_is_word(const struct mw_tree *tree, const char *word)
{
	return tree && tree->kind == MW_TREE_SCALAR && !tree->quoted && !tree->evaluated &&
	       strcmp(tree->text, word) == 0;
}

const char *const mw_shape_key_words[] = { "if",     "else",  "or",    "and",   "not", "in",
					   "min",    "max",   "align", "has",   "len", "log2",
					   "true",   "false", "i",     "accel", "dev", "unset",
					   "remove", "sys",   NULL };

static bool is_key_word(const char *text)
{
	return mw_name_in(text, mw_shape_key_words);
}

static bool is_member_id(const char *text)
{
	char part[MW_ID_LENGTH + 1];

	for (;;) {
		size_t length = strcspn(text, ".");

		if (length > MW_ID_LENGTH)
			return false;
		memcpy(part, text, length);
		part[length] = '\0';
		if (!mw_shape_is_id(part, MW_IDS_NODES))
			return false;
		if (!text[length])
			return true;
		text += length + 1;
	}
}

bool mw_shape_is_id(const char *text, enum mw_shape_ids ids)
{
	uint64_t number;

	if (ids == MW_IDS_VERSIONS)
		return mw_tree_int(text, &number) && number > 0 && text[1] != 'x';
	if (ids == MW_IDS_DEVICES && strchr(text, '.'))
		return is_member_id(text);
	const char *allowed = ids == MW_IDS_PARAMS ? "abcdefghijklmnopqrstuvwxyz0123456789_"
						   : "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t length = strlen(text);

	return length >= 1 && length <= MW_ID_LENGTH && text[0] >= 'a' && text[0] <= 'z' &&
	       strspn(text, allowed) == length && !is_key_word(text);
}

/* "`a`, `b` or `c`" */
static const char *join_words(struct mw_diagnostics *diagnostics, const char *const *words)
{
	const char *text = "";

	for (; words && *words; words++)
		text = mw_arena_printf(&diagnostics->arena, "%s%s`%s`", text,
				       !*text     ? ""
				       : words[1] ? ", "
						  : " or ",
				       *words);
	return text;
}

static const char *describe(struct mw_diagnostics *diagnostics, unsigned accepts,
			    const char *const *words)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ MW_SHAPE_INT, "an int" },         { MW_SHAPE_SIZE, "a size such as 64KiB" },
		{ MW_SHAPE_BOOL, "true or false" }, { MW_SHAPE_RANGE, "a range such as 0x60+4" },
		{ MW_SHAPE_TEXT, "text" },          { MW_SHAPE_CONDITION, "a condition" },
		{ MW_SHAPE_MAP, "a map" },          { MW_SHAPE_LIST, "a list" },
	};
	const char *text = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (accepts & names[i].bit)
			text = mw_arena_printf(&diagnostics->arena, "%s%s%s", text,
					       *text ? " or " : "", names[i].name);
	}
	if (accepts & MW_SHAPE_WORD)
		text = mw_arena_printf(&diagnostics->arena, "%s%s%s", text, *text ? " or " : "",
				       join_words(diagnostics, words));
	return text;
}

static bool scalar_fits(const struct mw_tree *scalar, unsigned accepts, const char *const *words)
{
	const char *text = scalar->text;
	uint64_t number, length;
	bool truth;

	return (accepts & MW_SHAPE_ANY) ||
	       ((accepts & (MW_SHAPE_TEXT | MW_SHAPE_CONDITION)) && (*text || scalar->quoted)) ||
	       ((accepts & MW_SHAPE_INT) && mw_tree_int(text, &number)) ||
	       ((accepts & MW_SHAPE_SIZE) && mw_tree_size(text, &number)) ||
	       ((accepts & MW_SHAPE_BOOL) && mw_tree_bool(text, &truth)) ||
	       ((accepts & MW_SHAPE_RANGE) && mw_tree_range(text, &number, &length)) ||
	       ((accepts & MW_SHAPE_WORD) && mw_name_in(text, words));
}

/* Y005: what YAML 1.1 readers take for a bool. Returns what it would have been, or NULL. */
static const char *truthy(const char *text)
{
	static const char *const yes[] = { "yes", "Yes", "YES",  "on",   "On", "ON",
					   "y",   "Y",   "True", "TRUE", NULL };
	static const char *const no[] = { "no", "No", "NO",    "off",   "Off", "OFF",
					  "n",  "N",  "False", "FALSE", NULL };

	return mw_name_in(text, yes) ? "true" : mw_name_in(text, no) ? "false" : NULL;
}

static struct mw_diag *refuse_zero(struct mw_diagnostics *diagnostics, const struct mw_tree *scalar)
{
	const char *digits = scalar->text + strspn(scalar->text, "0");
	struct mw_diag *diag = mw_diagnostics_add(
		diagnostics, MW_SEVERITY_ERROR, "Y006", scalar->span,
		"`%s` has a leading zero: octal to some, decimal to others", scalar->text);

	if (*digits && (*digits < '0' || *digits > '9'))
		return diag;
	mw_diag_help(diagnostics, diag, "write `%s`, or 0x for hexadecimal",
		     *digits ? digits : "0");
	mw_fix_value(diagnostics, diag, MW_FIX_UNSAFE, scalar, *digits ? digits : "0");
	return diag;
}

static struct mw_diag *refuse_scalar(struct mw_diagnostics *diagnostics,
				     const struct mw_tree *scalar, unsigned accepts,
				     const char *const *words)
{
	const char *text = scalar->text;
	struct mw_diag *diag;

	if ((accepts & MW_SHAPE_BOOL) && truthy(text)) {
		diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "Y005", scalar->span,
					  "a bool is `true` or `false`, not `%s`", text);
		mw_diag_help(diagnostics, diag, "write `%s`", truthy(text));
		mw_fix_value(diagnostics, diag, MW_FIX_SAFE, scalar, truthy(text));
		return diag;
	}
	if ((accepts & (MW_SHAPE_INT | MW_SHAPE_SIZE)) && text[0] == '0' && text[1] >= '0' &&
	    text[1] <= '9')
		return refuse_zero(diagnostics, scalar);
	const char *expected = describe(diagnostics, accepts, words);

	if (!*text && !scalar->quoted) {
		struct mw_span span =
			scalar->key && !scalar->span.length ? scalar->key_span : scalar->span;

		return mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", span,
					  "expected %s, found nothing", expected);
	}
	diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", scalar->span,
				  "expected %s, found `%s`", expected, text);
	if (accepts & MW_SHAPE_WORD)
		mw_suggest(diagnostics, diag, text, words);
	if (accepts & MW_SHAPE_SIZE)
		mw_suggest_size(diagnostics, diag, text);
	return diag;
}

bool mw_shape_scalar(struct mw_diagnostics *diagnostics, const struct mw_tree *scalar,
		     unsigned accepts, const char *const *words)
{
	if (scalar_fits(scalar, accepts, words))
		return true;
	refuse_scalar(diagnostics, scalar, accepts, words);
	return false;
}

static void warn_bare_size(struct walk *walk, const struct mw_tree *scalar,
			   const struct mw_shape *shape)
{
	if (!walk->evaluated && shape->accepts == MW_SHAPE_SIZE)
		mw_bare_size(walk->diagnostics, scalar);
}

static bool check_scalar(struct walk *walk, struct mw_tree *tree, const struct mw_shape *shape,
			 const struct path *path)
{
	bool expression = !walk->evaluated && strstr(tree->text, "$(") != NULL;

	if (walk->evaluated != tree->evaluated || mw_tree_is_word(tree, "unset"))
		return true;
	if (expression && shape->literal) {
		reject(walk, tree, path,
		       mw_diagnostics_add(walk->diagnostics, MW_SEVERITY_ERROR, "S102", tree->span,
					  "an expression cannot stand here"));
		return false;
	}
	if (tree->link || (expression && !(shape->accepts & MW_SHAPE_CONDITION)))
		return true;
	if (!scalar_fits(tree, shape->accepts, shape->words)) {
		reject(walk, tree, path,
		       refuse_scalar(walk->diagnostics, tree, shape->accepts, shape->words));
		return false;
	}
	warn_bare_size(walk, tree, shape);
	return true;
}

static const struct mw_shape_key *find_key(const struct mw_shape_key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (strcmp(keys->name, name) == 0)
			return keys;
	}
	return NULL;
}

/* The keys there are, and the one that was probably meant. */
static void tell_keys(struct walk *walk, struct mw_diag *diag, const char *wrong,
		      const struct mw_shape_key *keys)
{
	struct mw_diagnostics *diagnostics = walk->diagnostics;
	const char *names[32] = { NULL };
	size_t count = 0;

	for (; keys->name && count < sizeof(names) / sizeof(names[0]) - 1; keys++) {
		if (!(keys->flags & MW_KEY_PLANNED))
			names[count++] = keys->name;
	}
	if (names[0] && diagnostics->count <= MOST_LISTS)
		mw_diag_note(diagnostics, diag, (struct mw_span){ 0 }, "the keys here are %s",
			     join_words(diagnostics, names));
	mw_suggest(diagnostics, diag, wrong, names);
}

static void refuse_key(struct walk *walk, struct mw_tree *map, struct mw_tree *child,
		       const struct mw_shape_key *keys, const struct path *path)
{
	struct mw_diag *diag = mw_diagnostics_add(walk->diagnostics, MW_SEVERITY_ERROR, "S101",
						  child->key_span, "unknown key `%s`", child->key);

	tell_keys(walk, diag, child->key, keys);
	if (diag->fix && mw_tree_get(map, diag->fix->edits->text))
		diag->fix = NULL;
	reject(walk, child, path, diag);
}

/* `final` protects keys of the map it stands in; a misspelt one would protect nothing. */
static void check_finals(struct walk *walk, struct mw_tree *tree, const struct mw_shape_key *keys)
{
	struct mw_tree *list = find_key(keys, "final") ? mw_tree_get(tree, "final") : NULL;

	if (!list || list->kind != MW_TREE_LIST || walk->evaluated)
		return;
	for (struct mw_tree *item = list->first; item; item = item->next) {
		if (item->kind != MW_TREE_SCALAR || item->failed || find_key(keys, item->text))
			continue;
		struct mw_diag *diag =
			mw_diagnostics_add(walk->diagnostics, MW_SEVERITY_ERROR, "S101", item->span,
					   "`final` names `%s`, which is no key here", item->text);

		tell_keys(walk, diag, item->text, keys);
	}
}

static bool check_entry(struct walk *walk, struct mw_tree *map, struct mw_tree *child,
			const struct mw_shape *shape, const struct path *up)
{
	struct path path = { up, child->key };
	const struct mw_shape_key *key = find_key(shape->keys, child->key);

	if (!key) {
		refuse_key(walk, map, child, shape->keys, &path);
		return false;
	}
	if (key->flags & MW_KEY_PLANNED) {
		reject(walk, child, &path,
		       mw_diagnostics_add(walk->diagnostics, MW_SEVERITY_ERROR, "S110",
					  child->key_span, "`%s` is not implemented yet",
					  child->key));
		return false;
	}
	if ((key->flags & MW_KEY_KEPT) && mw_tree_is_word(child, "unset")) {
		reject(walk, child, &path,
		       mw_diagnostics_add(walk->diagnostics, MW_SEVERITY_ERROR, "S102", child->span,
					  "`%s` cannot be unset", child->key));
		return false;
	}
	return check_value(walk, child, key->shape, &path);
}

static void refuse_id(struct walk *walk, struct mw_tree *child, const struct mw_shape *shape,
		      const struct path *path)
{
	struct mw_diag *diag = mw_diagnostics_add(
		walk->diagnostics, MW_SEVERITY_ERROR, "S118", child->key_span,
		is_key_word(child->key) ? "`%s` is a word of the language" : "`%s` is no id",
		child->key);

	mw_diag_help(walk->diagnostics, diag,
		     shape->ids == MW_IDS_PARAMS     ? "up to 32 of a-z 0-9 _, a letter first"
		     : shape->ids == MW_IDS_VERSIONS ? "the number of an older version"
						     : "up to 32 of a-z 0-9 _ -, a letter first");
	reject(walk, child, path, diag);
}

static bool check_values(struct walk *walk, struct mw_tree *tree, const struct mw_shape *shape,
			 const struct path *up)
{
	bool good = true;

	for (struct mw_tree *child = tree->first; child; child = child->next) {
		struct path path = { up, child->key };

		if (!is_rejected(child) && shape->ids != MW_IDS_FREE &&
		    !mw_shape_is_id(child->key, shape->ids))
			refuse_id(walk, child, shape, &path);
		good &= check_value(walk, child, shape->values, &path);
	}
	return good;
}

static bool check_map(struct walk *walk, struct mw_tree *tree, const struct mw_shape *shape,
		      const struct path *path)
{
	bool good = true;

	if (!shape->keys)
		return check_values(walk, tree, shape, path);
	for (struct mw_tree *child = tree->first; child; child = child->next) {
		if (is_rejected(child) || !check_entry(walk, tree, child, shape, path))
			good = false;
	}
	check_finals(walk, tree, shape->keys);
	for (const struct mw_shape_key *key = shape->keys; key->name && !walk->evaluated; key++) {
		if (!(key->flags & MW_KEY_REQUIRED) || mw_tree_get(tree, key->name))
			continue;
		struct mw_span span = tree->span;

		span.length = span.length ? 1 : 0;
		mw_diagnostics_add(walk->diagnostics, MW_SEVERITY_ERROR, "S117", span,
				   "`%s` is missing", key->name);
		good = false;
	}
	return good;
}

static bool check_list(struct walk *walk, struct mw_tree *tree, const struct mw_shape *shape,
		       const struct path *up)
{
	struct path path = { up, NULL };
	bool good = true;

	for (struct mw_tree *child = tree->first; child; child = child->next) {
		good &= check_value(walk, child, shape->items, &path);
	}
	return good;
}

/* A value that is not there is shown at its key. */
static struct mw_span span_of(const struct mw_tree *tree)
{
	struct mw_span span = tree->span;

	if (tree->kind == MW_TREE_SCALAR)
		return tree->key && !span.length ? tree->key_span : span;
	if (!tree->evaluated && span.length)
		span.length = 1;
	return span;
}

static bool refuse_kind(struct walk *walk, struct mw_tree *tree, const struct mw_shape *shape,
			const struct path *path)
{
	static const char *const names[] = { "text", "a map", "a list" };
	bool empty = tree->kind == MW_TREE_SCALAR && !*tree->text && !tree->quoted;

	if (walk->evaluated && !tree->evaluated)
		return true;
	struct mw_diag *diag = mw_diagnostics_add(
		walk->diagnostics, MW_SEVERITY_ERROR, "S102", span_of(tree),
		"expected %s, found %s", describe(walk->diagnostics, shape->accepts, shape->words),
		empty ? "nothing" : names[tree->kind]);

	if (shape->short_for && tree->kind == MW_TREE_SCALAR && !empty)
		mw_diag_help(walk->diagnostics, diag, "write `{ %s: %s }`", shape->short_for,
			     tree->text);
	reject(walk, tree, path, diag);
	return false;
}

/* Everything under a value that some other phase knows still has to be whole. */
static bool check_anything(struct mw_tree *tree)
{
	return !tree->failed;
}

static bool check_value(struct walk *walk, struct mw_tree *tree, const struct mw_shape *shape,
			const struct path *path)
{
	bool good;

	if (walk->evaluated && !tree->dynamic)
		return true;
	if (is_rejected(tree))
		return false;
	if (shape->accepts & MW_SHAPE_ANY) {
		good = check_anything(tree);
	} else if (tree->kind == MW_TREE_MAP) {
		good = shape->accepts & MW_SHAPE_MAP ? check_map(walk, tree, shape, path)
						     : refuse_kind(walk, tree, shape, path);
	} else if (tree->kind == MW_TREE_LIST) {
		good = shape->accepts & MW_SHAPE_LIST ? check_list(walk, tree, shape, path)
						      : refuse_kind(walk, tree, shape, path);
	} else if (shape->removable && mw_tree_is_word(tree, "remove")) {
		good = true;
	} else if (!(shape->accepts & ~(unsigned)(MW_SHAPE_MAP | MW_SHAPE_LIST))) {
		good = tree->link || mw_tree_is_word(tree, "unset") ||
		       ((shape->accepts & MW_SHAPE_LIST) && !shape->literal && !walk->evaluated &&
			strstr(tree->text, "$(")) ||
		       refuse_kind(walk, tree, shape, path);
	} else {
		good = check_scalar(walk, tree, shape, path);
	}
	tree->failed |= !good;
	return good;
}

const char *mw_article(const char *kind)
{
	return strchr("aeiou", kind[0]) ? "an" : "a";
}

static const struct mw_format *refuse_format(struct mw_diagnostics *diagnostics,
					     struct mw_tree *format, const char *kind,
					     const char *word)
{
	const struct mw_format *known = mw_format_find(word);
	const char *names[16];
	size_t count = 0;
	struct mw_diag *diag;

	if (known && !known->shape) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S110", format->span,
				   "`%s` files are not implemented yet", format->text);
		return NULL;
	}
	if (known) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", format->span,
				   "expected %s %s here, and this file is `%s`", mw_article(kind),
				   kind, format->text);
		return NULL;
	}
	for (const struct mw_format *row = mw_formats; row->name; row++)
		names[count++] = mw_arena_printf(&diagnostics->arena, "%s/1", row->name);
	names[count] = NULL;
	diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", format->span,
				  "unknown format `%s`", format->text);
	mw_suggest(diagnostics, diag, format->text, names);
	return NULL;
}

/* `x-*` is anybody's, in any map: nothing of ours looks at it. */
static void drop_foreign(struct mw_tree *tree)
{
	struct mw_tree *child = tree->first;

	if (tree->kind == MW_TREE_SCALAR)
		return;
	tree->first = tree->last = NULL;
	tree->count = 0;
	tree->index = NULL;
	while (child) {
		struct mw_tree *next = child->next;

		child->next = NULL;
		if (!child->key || strncmp(child->key, "x-", 2) != 0) {
			drop_foreign(child);
			mw_tree_append(tree, child);
		}
		child = next;
	}
}

const struct mw_format *mw_shape_check(struct mw_diagnostics *diagnostics, struct mw_tree *root,
				       const char *kind)
{
	struct walk walk = { .diagnostics = diagnostics };
	struct mw_tree *format = mw_tree_get(root, "format");

	if (!format || format->kind != MW_TREE_SCALAR || format->failed) {
		if (format && format->failed)
			return NULL;
		struct mw_diag *diag = mw_diagnostics_add(
			diagnostics, MW_SEVERITY_ERROR, "S117",
			(struct mw_span){ root->span.source, root->span.byte, 1 },
			"`format` is missing");

		mw_diag_help(diagnostics, diag, "begin the file with `format: %s/1`",
			     kind ? kind : "machine");
		return NULL;
	}
	size_t length = strcspn(format->text, "/");
	const char *word = mw_arena_strndup(&diagnostics->arena, format->text, length);
	const struct mw_format *known = mw_format_find(word);

	if (!known || !known->shape || strcmp(format->text + length, "/1") != 0 ||
	    (kind && strcmp(kind, word) != 0))
		return refuse_format(diagnostics, format, kind,
				     strcmp(format->text + length, "/1") == 0 ? word : "");
	drop_foreign(root);
	if (!check_map(&walk, root, known->shape, NULL))
		root->failed = true;
	return known;
}

bool mw_shape_check_evaluated(struct mw_diagnostics *diagnostics, struct mw_tree *value,
			      const char *key)
{
	struct walk walk = { .diagnostics = diagnostics, .evaluated = true };
	const struct mw_shape_key *row = find_key(mw_format_find("machine")->shape->keys, key);
	struct path path = { NULL, key };

	return !row || check_value(&walk, value, row->shape, &path);
}

bool mw_shape_check_device(struct mw_diagnostics *diagnostics, struct mw_tree *body)
{
	struct walk walk = { .diagnostics = diagnostics, .evaluated = true };
	const struct mw_shape_key *row =
		find_key(mw_format_find("machine")->shape->keys, "devices");
	struct path up = { NULL, "devices" }, path = { &up, body->key };

	return check_value(&walk, body, row->shape->values, &path);
}
