/* Parameters: binding, `--set`, and defaults worked out on demand. */
// SPDX-License-Identifier: MIT
#include "resolver/params.h"

#include <string.h>

#include "resolver/front.h"
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
	bool stand_ins, lenient;
	const struct mw_params *declared; /* what its expressions were parsed with */
	struct mw_params *outer;          /* a part's: where the device that uses it stands */
	struct mw_part_use use;
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

static struct mw_value refuse_missing_in_part(struct mw_params *params, struct mw_param *param)
{
	struct mw_diag *diag =
		mw_diagnostics_add(params->diagnostics, MW_SEVERITY_ERROR, "S117", params->use.span,
				   "`%s` has no value for `%s` of `%s`", params->use.id,
				   param->seen.name, params->use.label);

	diag->node = params->use.node;
	mw_diag_note(params->diagnostics, diag, param->tree->key_span, "declared here");
	mw_diag_help(params->diagnostics, diag, "write `props: { %s: VALUE }`", param->seen.name);
	return failed_value();
}

static struct mw_value refuse_missing(struct mw_params *params, struct mw_param *param)
{
	if (params->lenient)
		return failed_value();
	if (params->stand_ins && param->seen.host && is_path(param))
		return stand_in(params, param);
	if (params->outer)
		return refuse_missing_in_part(params, param);
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
	tree->secret = value->secret;
	tree->text = mw_value_text(params->arena, value);
	return tree;
}

static struct mw_value work_out_default(struct mw_params *params, struct mw_param *param,
					struct mw_tree *tree)
{
	if (tree->failed)
		return failed_value();
	struct mw_evaluation evaluation = { .arena = params->arena,
					    .diagnostics = params->diagnostics,
					    .scope = &params->scope };

	if (tree->kind != MW_TREE_SCALAR && tree->dynamic) {
		bool failed = false;

		tree = mw_evaluate_tree(&evaluation, tree, &failed);
		if (failed || !tree)
			return failed_value();
	}
	if (tree->kind != MW_TREE_SCALAR || !tree->expression)
		return mw_param_convert(params->diagnostics, param, tree);
	struct mw_value value = mw_expression_value(&evaluation, tree);

	if (value.state != MW_VALUE_SET)
		return value;
	uint8_t host = value.host;

	if (value.list)
		return value;
	if (value.type == MW_TYPE_INT && param->type->number) {
		if (!mw_param_check(params->diagnostics, param, &value, tree->span))
			return failed_value();
	} else {
		value = mw_param_convert(params->diagnostics, param, tree_of(params, tree, &value));
	}
	value.host = host | (param->seen.host ? MW_HOST_VALUE : 0);
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
		return (struct mw_value){ .state = MW_VALUE_UNSET,
					  .host = param->seen.host ? MW_HOST_VALUE : 0 };
	return work_out_default(params, param, tree);
}

static struct mw_value value_of(void *context, struct mw_parameter *parameter)
{
	struct mw_params *params = context;
	struct mw_param *param = (struct mw_param *)parameter;

	/* a change of a part's member reads the parameters of where it is written */
	while (params->declared != param->owner && params->outer)
		params = params->outer;
	param = &params->items[param->tree->instance];
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

static bool has_secrets(const struct mw_params *params)
{
	for (size_t i = 0; params->items && i < params->count; i++) {
		if (params->items[i].secret)
			return true;
	}
	return false;
}

/* The text to show: a secret, or what a misspelt name may mean as one, is not in it. */
static uint32_t source_of(struct mw_params *params, const char *set, const struct mw_param *param,
			  const char *name)
{
	bool hidden = param ? param->secret : has_secrets(params);
	const char *shown = hidden && strchr(set, '=')
				    ? mw_arena_printf(params->arena, "%s=<secret>", name)
				    : set;

	return mw_diagnostics_source(params->diagnostics, "--set", shown, strlen(shown));
}

/* C701 where a deprecated parameter gets a value. */
static void tell_deprecated(struct mw_params *params, const struct mw_param *param,
			    struct mw_span span)
{
	struct mw_tree *text = mw_tree_get(param->tree, "deprecated");

	if (!text || text->failed || text->kind != MW_TREE_SCALAR ||
	    text->span.source == span.source)
		return;
	struct mw_diag *diag =
		mw_diagnostics_add(params->diagnostics, MW_SEVERITY_WARNING, "C701", span,
				   "the parameter `%s` is deprecated", param->seen.name);

	mw_diag_label(params->diagnostics, diag, "%s", text->text);
	mw_diag_note(params->diagnostics, diag, text->span, "said here");
}

static void take_set(struct mw_params *params, const char *set)
{
	struct mw_diagnostics *diagnostics = params->diagnostics;
	size_t length = strlen(set), name_length = strcspn(set, "="), bad;
	const char *name = mw_arena_strndup(params->arena, set, name_length);
	/* `accel.irqchip` is read by expressions, and set in `accel:` */
	struct mw_param *param = strchr(name, '.') ? NULL : find(params, name);
	struct mw_span span = { source_of(params, set, param, name), 0, (uint32_t)name_length };
	struct mw_diag *diag;

	if (set[name_length] != '=' || !mw_read_is_text(set, length, &bad)) {
		diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S102", span,
					  set[name_length] ? "this is not UTF-8 text"
							   : "this sets nothing");
		mw_diag_help(diagnostics, diag, "write --set NAME=VALUE");
		if (param) { /* one error is enough */
			param->given = given_tree(params, param, "", span);
			param->given->failed = true;
		}
		return;
	}
	if (!param) {
		diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S105", span,
					  "there is no parameter `%s`", name);
		mw_suggest_key(diagnostics, diag, name, params->tree);
		return;
	}
	span.byte = (uint32_t)name_length + 1;
	span.length = (uint32_t)(param->secret ? strlen("<secret>") : length - name_length - 1);
	param->given = given_tree(params, param, set + name_length + 1, span);
	tell_deprecated(params, param, span);
}

static void declare(struct mw_params *params, struct mw_tree *tree)
{
	struct mw_param *param = &params->items[params->count];

	tree->instance = (uint32_t)params->count++;
	param->tree = tree;
	param->owner = params;
	param->seen.name = tree->key;
	if (tree->failed || tree->kind != MW_TREE_MAP ||
	    !mw_param_declare(params->arena, params->diagnostics, param)) {
		param->type = NULL;
		param->seen.type = MW_TYPE_NONE;
		param->seen.used = true;
	}
}

/* What a file over the one that declares the parameter says of its default. */
static struct mw_tree *overridden(const struct mw_param *param)
{
	struct mw_tree *fallback = mw_tree_get(param->tree, "default");

	return fallback && fallback->over ? fallback : NULL;
}

static void parse_default(struct mw_params *params, const struct mw_param *param)
{
	struct mw_tree *fallback = mw_tree_get(param->tree, "default");

	if (!param->type || !fallback)
		return;
	mw_parse_tree(params->parsing, fallback);
	if (overridden(param))
		tell_deprecated(params, param, fallback->span);
}

struct mw_params *mw_params_declare(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
				    struct mw_tree *tree, const struct mw_resolve_options *options,
				    struct mw_parsing *parsing)
{
	struct mw_params *params = mw_arena_alloc(arena, 1, sizeof(*params));

	params->arena = arena;
	params->diagnostics = diagnostics;
	params->parsing = parsing;
	params->stand_ins = options->stand_ins;
	params->lenient = options->any_format;
	params->declared = params;
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
	for (size_t i = 0; i < params->count; i++)
		parse_default(params, &params->items[i]);
	return params;
}

void mw_params_set(struct mw_params *params, const struct mw_resolve_options *options)
{
	for (size_t i = 0; i < options->set_count; i++)
		take_set(params, options->sets[i]);
}

/* A default without an expression is worked out once, so that a mistake in it is told once. */
void mw_params_settle(struct mw_params *params)
{
	for (size_t i = 0; i < params->count; i++) {
		struct mw_param *param = &params->items[i];
		struct mw_tree *fallback = mw_tree_get(param->tree, "default");

		if (param->type && fallback && !fallback->dynamic)
			value_of(params, &param->seen);
	}
}

/* The value of a prop for a parameter of the part. */
static void give(struct mw_params *params, struct mw_tree *prop)
{
	struct mw_diagnostics *diagnostics = params->diagnostics;
	struct mw_param *param = find(params, prop->key);
	struct mw_diag *diag;

	if (!param) {
		diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S101", prop->key_span,
					  "`%s` has no parameter `%s`", params->use.label,
					  prop->key);
		diag->node = params->use.node;
		mw_suggest_key(diagnostics, diag, prop->key, params->tree);
		params->use.failed = true;
		return;
	}
	param->given = prop;
	param->state = MW_PARAM_UNKNOWN;
	if (prop->link || (prop->host && !param->seen.host)) {
		diag = mw_diagnostics_add(
			diagnostics, MW_SEVERITY_ERROR, "S114", prop->span,
			prop->link ? "places of devices are not known here"
				   : "this comes from the host, and `%s` of `%s` is the guest's",
			param->seen.name, params->use.label);
		diag->node = params->use.node;
		mw_diag_note(diagnostics, diag, param->tree->key_span, "declared here");
		param->value = failed_value();
		param->state = MW_PARAM_KNOWN;
	}
	tell_deprecated(params, param, prop->span);
}

struct mw_params *mw_params_use(const struct mw_params *declared, struct mw_params *outer,
				struct mw_tree *props, const struct mw_part_use *use)
{
	struct mw_params *params = mw_arena_alloc(declared->arena, 1, sizeof(*params));

	*params = *declared;
	params->outer = outer;
	params->use = *use;
	params->chain = 0;
	params->items = mw_arena_alloc(params->arena, params->count + 1, sizeof(*params->items));
	if (params->count)
		memcpy(params->items, declared->items, params->count * sizeof(*params->items));
	params->scope.context = params;
	params->scope.part = use->part;
	params->scope.text_spent = outer->scope.text_spent;
	for (struct mw_tree *prop = props ? props->first : NULL; prop; prop = prop->next)
		give(params, prop);
	return params;
}

bool mw_params_good(struct mw_params *params)
{
	bool good = !params->use.failed;

	for (size_t i = 0; i < params->count; i++)
		good &= value_of(params, &params->items[i].owner->items[i].seen).state !=
			MW_VALUE_FAILED;
	return good;
}

size_t mw_params_count(const struct mw_params *params)
{
	return params->count;
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
