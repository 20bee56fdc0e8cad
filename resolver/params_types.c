/* Parameters: the types, their constraints, and text as a value of one. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/fixes.h"
#include "resolver/params_internal.h"
#include "resolver/shape.h"

static bool is_hex(const char *text, size_t count)
{
	return strspn(text, "0123456789abcdefABCDEF") >= count;
}

static bool is_any(const char *text)
{
	(void)text;
	return true;
}

static bool is_path(const char *text)
{
	return *text;
}

static bool is_mac(const char *text)
{
	for (unsigned i = 0; i < 6; i++, text += 3) {
		if (!is_hex(text, 2) || text[2] != (i < 5 ? ':' : '\0'))
			return false;
	}
	return true;
}

static bool is_uuid(const char *text)
{
	static const unsigned groups[] = { 8, 4, 4, 4, 12 };

	for (unsigned i = 0; i < 5; i++) {
		if (strspn(text, "0123456789abcdefABCDEF") != groups[i])
			return false;
		text += groups[i];
		if (*text++ != (i < 4 ? '-' : '\0'))
			return false;
	}
	return true;
}

static bool is_range(const char *text)
{
	uint64_t base, length;

	return mw_tree_range(text, &base, &length);
}

static const struct mw_param_type types[] = {
	{ "bool", MW_TYPE_BOOL, NULL, NULL, "true or false", MW_SHAPE_BOOL },
	{ "int", MW_TYPE_INT, mw_tree_int, NULL, "an int", MW_SHAPE_INT },
	{ "size", MW_TYPE_INT, mw_tree_size, NULL, "a size such as 64KiB", MW_SHAPE_SIZE },
	{ "freq", MW_TYPE_INT, mw_tree_frequency, NULL, "a frequency such as 25MHz", 0 },
	{ "duration", MW_TYPE_INT, mw_tree_duration, NULL, "a duration such as 10ms", 0 },
	{ "string", MW_TYPE_TEXT, NULL, is_any, "text", 0 },
	{ "path", MW_TYPE_TEXT, NULL, is_path, "a path", 0 },
	{ "mac", MW_TYPE_TEXT, NULL, is_mac, "a MAC such as 52:54:00:12:34:56", 0 },
	{ "uuid", MW_TYPE_TEXT, NULL, is_uuid, "a UUID", 0 },
	{ "range", MW_TYPE_TEXT, NULL, is_range, "a range such as 0x60+4", 0 },
	{ "secret", MW_TYPE_TEXT, NULL, is_any, "text", 0 },
	{ "enum", MW_TYPE_ENUM, NULL, NULL, "a member", 0 },
	{ "list", MW_TYPE_LIST, NULL, NULL, "a list", 0 },
};

const struct mw_param_type *mw_param_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}

static bool fail(struct mw_diagnostics *diagnostics, const char *code, struct mw_span span,
		 const char *format, const char *a, const char *b)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, code, span, format, a, b);
	return false;
}

static bool refuse_text(struct mw_diagnostics *diagnostics, const struct mw_param_type *type,
			const struct mw_tree *tree)
{
	struct mw_diag *diag =
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", tree->span,
				   "expected %s, found `%s`", type->expected, tree->text);

	if (type->shape & MW_SHAPE_SIZE)
		mw_suggest_size(diagnostics, diag, tree->text);
	return false;
}

/* The members of an enum are words, as expressions name them bare. */
static bool declare_members(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
			    struct mw_param *param, struct mw_tree *of)
{
	if (!of)
		return fail(diagnostics, "S117", param->tree->key_span,
			    "the enum `%s` needs its members: `of: [a, b]`%s", param->seen.name,
			    "");
	if (of->kind != MW_TREE_LIST || of->count == 0)
		return fail(diagnostics, "S102", of->span,
			    "expected the list of the members of `%s`%s", param->seen.name, "");
	const char **members = mw_arena_alloc(arena, of->count + 1, sizeof(*members));
	struct mw_tree *seen = mw_tree_new(arena, MW_TREE_MAP, of->span);
	size_t count = 0;

	for (struct mw_tree *item = of->first; item; item = item->next) {
		if (item->failed || item->kind != MW_TREE_SCALAR)
			return false;
		if (!*item->text ||
		    item->text[strspn(item->text, "abcdefghijklmnopqrstuvwxyz"
						  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")])
			return fail(diagnostics, "S118", item->span,
				    "a member is one word, not `%s`%s", item->text, "");
		if (mw_tree_get(seen, item->text))
			return fail(diagnostics, "S102", item->span,
				    "`%s` is a member of `%s` already", item->text,
				    param->seen.name);
		struct mw_tree *mark = mw_tree_new(arena, MW_TREE_SCALAR, item->span);

		mark->key = item->text;
		mw_tree_append(seen, mark);
		members[count++] = item->text;
	}
	param->seen.members = members;
	return true;
}

static bool declare_bound(struct mw_diagnostics *diagnostics, struct mw_param *param,
			  const char *key, bool *has, uint64_t *bound)
{
	struct mw_tree *tree = mw_tree_get(param->tree, key);

	if (!tree)
		return true;
	if (!param->type->number)
		return fail(diagnostics, "S102", tree->key_span,
			    "parameters of type `%s` have no `%s`", param->type->name, key);
	*has = param->type->number(tree->text, bound);
	if (!*has)
		return refuse_text(diagnostics, param->type, tree);
	if (param->type->shape & MW_SHAPE_SIZE)
		mw_bare_size(diagnostics, tree);
	if (strcmp(key, "multiple") == 0 && *bound == 0)
		return fail(diagnostics, "S103", tree->span, "nothing is a multiple of 0%s%s", "",
			    "");
	return true;
}

static bool declare_items(struct mw_diagnostics *diagnostics, struct mw_param *param,
			  struct mw_tree *of)
{
	param->item_type = mw_param_type_find("string");
	if (!of)
		return true;
	param->item_type = of->kind == MW_TREE_SCALAR ? mw_param_type_find(of->text) : NULL;
	if (param->item_type && param->item_type->type != MW_TYPE_LIST &&
	    param->item_type->type != MW_TYPE_ENUM && strcmp(param->item_type->name, "secret") != 0)
		return true;
	return fail(diagnostics, "S102", of->span, "expected the type of the items of `%s`%s",
		    param->seen.name, "");
}

bool mw_param_declare(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
		      struct mw_param *param)
{
	struct mw_tree *type = mw_tree_get(param->tree, "type");
	struct mw_tree *of = mw_tree_get(param->tree, "of");
	struct mw_tree *scope = mw_tree_get(param->tree, "scope");
	struct mw_tree *optional = mw_tree_get(param->tree, "optional");

	if (!type) /* an older version of a part may change what it does not have */
		return !param->tree->failed &&
		       fail(diagnostics, "S117", param->tree->key_span,
			    "the parameter `%s` has no type%s", param->seen.name, "");
	param->type = mw_param_type_find(type->text);
	if (!param->type) /* the shape let it through, so this table lacks a row */
		return fail(diagnostics, "S110", type->span,
			    "parameters of type `%s` are not implemented yet%s", type->text, "");
	param->seen.type = param->type->type;
	param->secret = strcmp(param->type->name, "secret") == 0;
	param->seen.host = param->secret || (scope && strcmp(scope->text, "host") == 0);
	param->optional = optional && strcmp(optional->text, "true") == 0;
	param->seen.high = UINT64_MAX;
	if (of && param->seen.type != MW_TYPE_ENUM && param->seen.type != MW_TYPE_LIST)
		return fail(diagnostics, "S102", of->key_span,
			    "parameters of type `%s` have no `%s`", param->type->name, "of");
	if (param->seen.type == MW_TYPE_ENUM && !declare_members(arena, diagnostics, param, of))
		return false;
	if (param->seen.type == MW_TYPE_LIST && !declare_items(diagnostics, param, of))
		return false;
	if (!mw_param_declare_match(diagnostics, param) ||
	    !declare_bound(diagnostics, param, "min", &param->has_min, &param->min) ||
	    !declare_bound(diagnostics, param, "max", &param->has_max, &param->max) ||
	    !declare_bound(diagnostics, param, "multiple", &param->has_multiple, &param->multiple))
		return false;
	if (param->has_min && param->has_max && param->min > param->max)
		return fail(diagnostics, "S103", mw_tree_get(param->tree, "max")->span,
			    "`max` is below `min`, %s%s", mw_tree_get(param->tree, "min")->text,
			    "");
	if (param->has_min)
		param->seen.low = param->min;
	if (param->has_max)
		param->seen.high = param->max;
	return true;
}

static struct mw_diag *refuse_bound(struct mw_diagnostics *diagnostics,
				    const struct mw_param *param, struct mw_span span,
				    const char *key, const char *message)
{
	struct mw_tree *bound = mw_tree_get(param->tree, key);
	struct mw_diag *diag =
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S103", span, "`%s` %s %s",
				   param->seen.name, message, bound->text);

	mw_diag_note(diagnostics, diag, bound->span, "set here");
	return diag;
}

static bool check_member(struct mw_diagnostics *diagnostics, const struct mw_param *param,
			 const char *text, struct mw_span span)
{
	for (size_t i = 0; param->seen.members[i]; i++) {
		if (strcmp(param->seen.members[i], text) == 0)
			return true;
	}
	struct mw_diag *diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S103", span,
						  "`%s` cannot be `%s`", param->seen.name, text);

	mw_diag_note(diagnostics, diag, mw_tree_get(param->tree, "of")->span, "its members");
	mw_suggest(diagnostics, diag, text, param->seen.members);
	if (!diag->help)
		mw_diag_help(diagnostics, diag, "one of %s",
			     mw_list_names(&diagnostics->arena, param->seen.members));
	return false;
}

bool mw_param_check(struct mw_diagnostics *diagnostics, const struct mw_param *param,
		    const struct mw_value *value, struct mw_span span)
{
	if (param->seen.type == MW_TYPE_ENUM)
		return check_member(diagnostics, param, value->text, span);
	if (param->seen.type == MW_TYPE_TEXT)
		return mw_param_check_match(diagnostics, param,
					    value->secret ? value->secret : value->text, span);
	if (param->seen.type != MW_TYPE_INT)
		return true;
	if (param->has_min && value->number < param->min) {
		refuse_bound(diagnostics, param, span, "min", "must be at least");
		return false;
	}
	if (param->has_max && value->number > param->max) {
		refuse_bound(diagnostics, param, span, "max", "must be at most");
		return false;
	}
	if (param->has_multiple && value->number % param->multiple != 0) {
		refuse_bound(diagnostics, param, span, "multiple", "must be a multiple of");
		return false;
	}
	return true;
}

static bool convert_scalar(struct mw_diagnostics *diagnostics, const struct mw_param_type *type,
			   struct mw_tree *tree, struct mw_value *value)
{
	bool truth;

	value->text = tree->text;
	value->secret = tree->secret;
	if (tree->failed)
		return false;
	if (tree->kind != MW_TREE_SCALAR)
		return fail(diagnostics, "S102", tree->span, "expected %s, found a %s",
			    type->expected, tree->kind == MW_TREE_MAP ? "map" : "list");
	if (type->type == MW_TYPE_BOOL && mw_tree_bool(tree->text, &truth)) {
		value->number = truth;
		return true;
	}
	if ((type->number && type->number(tree->text, &value->number)) ||
	    (type->text && type->text(tree->text)) || type->type == MW_TYPE_ENUM)
		return true;
	if (type->shape)
		return mw_shape_scalar(diagnostics, tree, type->shape, NULL);
	return refuse_text(diagnostics, type, tree);
}

/* S107, or a hint at the cause when the bytes that were meant are out of range. */
static void tell_bare_size(struct mw_diagnostics *diagnostics, const struct mw_param *param,
			   const struct mw_tree *tree, bool in_range)
{
	const char *meant = mw_arena_printf(&diagnostics->arena, "%sMiB", tree->text);
	uint64_t number;

	if (strcmp(param->type->name, "size") != 0)
		return;
	if (in_range)
		mw_bare_size(diagnostics, tree);
	else if (!tree->evaluated && tree->text[1] != 'x' && mw_tree_int(tree->text, &number) &&
		 number != 0 && mw_tree_size(meant, &number))
		mw_diag_help(diagnostics, diagnostics->items[diagnostics->count - 1],
			     "did you mean `%s`?", meant);
}

struct mw_value mw_param_convert(struct mw_diagnostics *diagnostics, const struct mw_param *param,
				 struct mw_tree *tree)
{
	struct mw_value value = { .state = MW_VALUE_SET, .type = param->seen.type };
	bool good;

	if (param->seen.type == MW_TYPE_LIST) {
		struct mw_value item;

		good = tree->kind == MW_TREE_LIST ||
		       fail(diagnostics, "S102", tree->span, "expected a list for `%s`%s",
			    param->seen.name, "");
		for (struct mw_tree *child = tree->first; good && child; child = child->next)
			good = convert_scalar(diagnostics, param->item_type, child, &item) &&
			       mw_param_check_match(diagnostics, param, child->text, child->span);
		value.list = tree;
	} else {
		good = convert_scalar(diagnostics, param->type, tree, &value);
		if (good && param->secret && !value.secret) {
			value.secret = value.text;
			value.text = "<secret>";
		}
		if (good) {
			good = mw_param_check(diagnostics, param, &value, tree->span);
			tell_bare_size(diagnostics, param, tree, good);
		}
	}
	if (!good)
		value.state = MW_VALUE_FAILED;
	value.host = param->seen.host || tree->host ? MW_HOST_VALUE : 0;
	return value;
}
