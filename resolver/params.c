/* Parameters: binding, `--set`, and defaults worked out on demand. */
// SPDX-License-Identifier: MIT
#include "resolver/params.h"

#include <string.h>

#include "resolver/params_internal.h"
#include "resolver/read.h"

/* How far one default may lean on another. */
enum { DEEPEST_CHAIN = 64 };

struct mw_params {
	struct mw_arena *arena;
	struct mw_diagnostics *diagnostics;
	struct mw_parsing *parsing;
	struct mw_tree *tree;
	struct mw_param *items; /* in the order of `tree`, whose entries hold the index */
	size_t count;
	unsigned chain;
	bool stand_ins;
	struct mw_scope scope;
};

static struct mw_param *find(struct mw_params *params, const char *name)
{
	struct mw_tree *tree = mw_tree_get(params->tree, name);

	return tree ? &params->items[tree->instance] : NULL;
}

static struct mw_parameter *find_seen(void *context, const char *name)
{
	struct mw_param *param = find(context, name);

	return param ? &param->seen : NULL;
}

static struct mw_value failed_value(void)
{
	return (struct mw_value){ .state = MW_VALUE_FAILED };
}

static bool is_path(const struct mw_param *param)
{
	return param->type->type == MW_TYPE_TEXT && strcmp(param->type->name, "path") == 0;
}

/* Which files a machine is given is no part of what it is. */
static struct mw_value stand_in(struct mw_params *params, struct mw_param *param)
{
	struct mw_tree *tree = mw_tree_new(params->arena, MW_TREE_SCALAR, param->tree->key_span);

	tree->text = mw_arena_printf(params->arena, "<%s>", param->seen.name);
	return mw_param_convert(params->diagnostics, param, tree);
}

static struct mw_value refuse_missing(struct mw_params *params, struct mw_param *param)
{
	if (params->stand_ins && param->seen.host && is_path(param))
		return stand_in(params, param);
	struct mw_diag *diag = mw_diagnostics_add(
		params->diagnostics, MW_SEVERITY_ERROR, "S117", param->tree->key_span,
		"the parameter `%s` has no value", param->seen.name);

	mw_diag_help(params->diagnostics, diag, "give it one with --set %s=%s", param->seen.name,
		     is_path(param) ? "FILE" : "VALUE");
	return failed_value();
}

/* The text an expression made, as if it had been written where the expression stands. */
static struct mw_tree *tree_of(struct mw_params *params, struct mw_tree *scalar,
			       const struct mw_value *value)
{
	struct mw_tree *tree = mw_tree_copy(params->arena, scalar);

	tree->expression = NULL;
	tree->evaluated = true;
	tree->text = mw_value_text(params->arena, value);
	return tree;
}

static struct mw_value work_out_default(struct mw_params *params, struct mw_param *param,
					struct mw_tree *tree)
{
	if (tree->failed)
		return failed_value();
	if (tree->kind != MW_TREE_SCALAR || !tree->expression)
		return mw_param_convert(params->diagnostics, param, tree);
	struct mw_evaluation evaluation = { .arena = params->arena,
					    .diagnostics = params->diagnostics,
					    .scope = &params->scope };
	struct mw_value value = mw_expression_value(&evaluation, tree);

	if (value.state != MW_VALUE_SET)
		return value;
	bool host = value.host;

	if (value.list)
		return value;
	if (value.type == MW_TYPE_INT && param->type->number) {
		if (!mw_param_check(params->diagnostics, param, &value, tree->span))
			return failed_value();
	} else {
		value = mw_param_convert(params->diagnostics, param, tree_of(params, tree, &value));
	}
	value.host = host || param->seen.host;
	return value;
}

static struct mw_value refuse_chain(struct mw_params *params, struct mw_param *param)
{
	struct mw_tree *tree = mw_tree_get(param->tree, "default");

	mw_diagnostics_add(params->diagnostics, MW_SEVERITY_ERROR, "S114", tree->span,
			   param->state == MW_PARAM_BUSY
				   ? "the default of `%s` depends on itself"
				   : "the default of `%s` leans on too many others in a row",
			   param->seen.name);
	return failed_value();
}

static struct mw_value work_out(struct mw_params *params, struct mw_param *param)
{
	struct mw_tree *tree = mw_tree_get(param->tree, "default");

	if (!param->type)
		return failed_value();
	if (param->given)
		return mw_param_convert(params->diagnostics, param, param->given);
	if (!tree && !param->optional)
		return refuse_missing(params, param);
	if (!tree)
		return (struct mw_value){ .state = MW_VALUE_UNSET, .host = param->seen.host };
	return work_out_default(params, param, tree);
}

static struct mw_value value_of(void *context, struct mw_parameter *parameter)
{
	struct mw_params *params = context;
	struct mw_param *param = (struct mw_param *)parameter;

	if (param->state == MW_PARAM_KNOWN)
		return param->value;
	if (param->state == MW_PARAM_BUSY || params->chain == DEEPEST_CHAIN)
		return refuse_chain(params, param);
	param->state = MW_PARAM_BUSY;
	params->chain++;
	param->value = work_out(params, param);
	params->chain--;
	param->state = MW_PARAM_KNOWN;
	return param->value;
}

/* `--set order=a,b` for lists, everything else as it stands: no expressions. */
static struct mw_tree *given_tree(struct mw_params *params, const struct mw_param *param,
				  const char *text, struct mw_span span)
{
	struct mw_tree *scalar = mw_tree_new(params->arena, MW_TREE_SCALAR, span);

	scalar->text = mw_arena_strdup(params->arena, text);
	if (!param->type || param->type->type != MW_TYPE_LIST)
		return scalar;
	struct mw_tree *list = mw_tree_new(params->arena, MW_TREE_LIST, span);

	while (*text) {
		size_t length = strcspn(text, ",");
		struct mw_tree *item = mw_tree_new(params->arena, MW_TREE_SCALAR, span);

		item->text = mw_arena_strndup(params->arena, text, length);
		mw_tree_append(list, item);
		text += length + (text[length] == ',');
	}
	return list;
}

static void take_set(struct mw_params *params, const char *set)
{
	struct mw_diagnostics *diagnostics = params->diagnostics;
	size_t length = strlen(set), name_length = strcspn(set, "="), bad;
	uint32_t source = mw_diagnostics_source(diagnostics, "--set", set, length);
	struct mw_span span = { source, 0, (uint32_t)name_length };
	struct mw_diag *diag;

	if (set[name_length] != '=' || !mw_read_is_text(set, length, &bad)) {
		diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", span,
					  set[name_length] ? "this is not UTF-8 text"
							   : "this sets nothing");
		mw_diag_help(diagnostics, diag, "write --set NAME=VALUE");
		return;
	}
	const char *name = mw_arena_strndup(params->arena, set, name_length);
	struct mw_param *param = find(params, name);

	if (!param) {
		diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S105", span,
					  "there is no parameter `%s`", name);
		mw_suggest_key(diagnostics, diag, name, params->tree);
		return;
	}
	span.byte = (uint32_t)name_length + 1;
	span.length = (uint32_t)(length - name_length - 1);
	param->given = given_tree(params, param, set + name_length + 1, span);
}

static void declare(struct mw_params *params, struct mw_tree *tree)
{
	struct mw_param *param = &params->items[params->count];

	tree->instance = (uint32_t)params->count++;
	param->tree = tree;
	param->seen.name = tree->key;
	if (tree->failed || tree->kind != MW_TREE_MAP ||
	    !mw_param_declare(params->arena, params->diagnostics, param)) {
		param->type = NULL;
		param->seen.type = MW_TYPE_NONE;
		param->seen.used = true;
	}
}

struct mw_params *mw_params_bind(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
				 struct mw_tree *tree, const struct mw_resolve_options *options,
				 struct mw_parsing *parsing)
{
	struct mw_params *params = mw_arena_alloc(arena, 1, sizeof(*params));

	params->arena = arena;
	params->diagnostics = diagnostics;
	params->parsing = parsing;
	params->stand_ins = options->stand_ins;
	params->tree = tree ? tree : mw_tree_new(arena, MW_TREE_MAP, (struct mw_span){ 0 });
	params->items = mw_arena_alloc(arena, params->tree->count + 1, sizeof(*params->items));
	params->scope = (struct mw_scope){
		.context = params,
		.find = find_seen,
		.value = value_of,
		.names = params->tree,
		.text_spent = mw_arena_alloc(arena, 1, sizeof(size_t)),
	};
	parsing->scope = &params->scope;
	for (struct mw_tree *entry = params->tree->first; entry; entry = entry->next)
		declare(params, entry);
	for (size_t i = 0; i < params->count; i++) {
		struct mw_tree *fallback = mw_tree_get(params->items[i].tree, "default");

		if (params->items[i].type && fallback && fallback->kind == MW_TREE_SCALAR)
			mw_expression_parse(parsing, fallback, false);
	}
	for (size_t i = 0; i < options->set_count; i++)
		take_set(params, options->sets[i]);
	return params;
}

const struct mw_scope *mw_params_scope(const struct mw_params *params)
{
	return &params->scope;
}

static void warn_unused(struct mw_params *params, const struct mw_param *param, uint32_t source)
{
	struct mw_span span = param->tree->key_span;

	if (param->seen.used || (span.source != source && !param->given))
		return;
	if (param->given)
		span = param->given->span;
	mw_diagnostics_add(params->diagnostics, MW_SEVERITY_WARNING, "S104", span,
			   "nothing uses the parameter `%s`", param->seen.name);
}

void mw_params_finish(struct mw_params *params, uint32_t source)
{
	for (size_t i = 0; i < params->count; i++)
		value_of(params, &params->items[i].seen);
	/* what a mistake took out may have been the use */
	for (size_t i = 0; i < params->count && params->diagnostics->errors == 0; i++)
		warn_unused(params, &params->items[i], source);
}
