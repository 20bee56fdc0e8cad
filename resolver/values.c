/* Property values: texts of the profile as the kinds of the type's table. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "resolver/fixes.h"
#include "resolver/typecheck.h"

enum { HINT_KEYS = 6 };

static const uint8_t no_bytes[16];

static uint64_t field_max(enum mw_kind kind)
{
	switch (kind) {
	case MW_U8: return UINT8_MAX;
	case MW_U16: return UINT16_MAX;
	case MW_U32: return UINT32_MAX;
	default: return UINT64_MAX;
	}
}

/* Nodes at their defaults share one array: a flat file has thousands of them. */
static struct mw_plan_value *defaults_of(struct mw_draft *draft, const struct mw_device_type *type)
{
	struct mw_plan_value *values = mw_lookup_find(&draft->defaults, type->name);

	if (values)
		return values;
	values = mw_arena_alloc(&draft->plan->arena, type->properties.count, sizeof(*values));
	for (size_t i = 0; i < type->properties.count; i++) {
		const struct mw_property *property = &type->properties.items[i];
		size_t size = property->kind == MW_MAC ? 6 : property->kind == MW_UUID ? 16 : 0;

		values[i].property = property;
		values[i].is_default = true;
		values[i].number = property->fallback;
		values[i].bytes = (struct mw_blob){ no_bytes, size };
		if (property->kind == MW_STRING)
			values[i].text = property->fallback_text ? property->fallback_text : "";
	}
	mw_lookup_add(&draft->defaults, draft->arena, type->name, values);
	return values;
}

static bool wrong_type(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
		       const struct mw_property *property, const char *expected, const char *text)
{
	mw_draft_error(draft, "S102", tree->span, node, property->name, "expected %s, found `%s`",
		       expected, text);
	return false;
}

static void refuse_truthy(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
			  const char *key, bool means)
{
	const char *right = means ? "true" : "false";
	struct mw_diag *diag = mw_draft_error(draft, "Y005", tree->span, node, key,
					      "a bool is `true` or `false`, not `%s`", tree->text);

	mw_diag_help(draft->diagnostics, diag, "write `%s`", right);
	mw_fix_value(draft->diagnostics, diag, MW_FIX_SAFE, tree, right);
}

static bool set_bool(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
		     const char *text, struct mw_plan_value *value)
{
	static const char *const truthy[] = { "yes", "no", "on", "off", "y", "n", "true", "false" };
	bool set;

	if (mw_tree_bool(text, &set)) {
		value->number = set;
		return true;
	}
	for (size_t i = 0; i < sizeof(truthy) / sizeof(truthy[0]); i++) {
		if (!strcasecmp(text, truthy[i])) {
			refuse_truthy(draft, node, tree, value->property->name, i % 2 == 0);
			return false;
		}
	}
	return wrong_type(draft, node, tree, value->property, "`true` or `false`", text);
}

static bool set_integer(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
			const char *text, struct mw_plan_value *value)
{
	const struct mw_property *property = value->property;
	uint64_t max = property->max ? property->max : field_max(property->kind), number;

	if (!mw_tree_int(text, &number) && !(property->is_size && mw_tree_size(text, &number))) {
		mw_draft_no_number(draft, tree, node, property->name, text);
		return false;
	}
	if (number >= property->min && number <= max) {
		if (property->is_size && !draft->from_plan)
			mw_bare_size(draft->diagnostics, tree);
		value->number = number;
		return true;
	}
	mw_draft_error(draft, "S103", tree->span, node, property->name,
		       "%" PRIu64 " is outside of %" PRIu64 " to %" PRIu64 " (`%s` of %s)", number,
		       property->min, max, property->name, node->type->name);
	return false;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

/* Pairs of digits, with `between` where `between_at` has a bit; -1 unless the whole text is so. */
static long parse_hex(const char *text, char between, uint64_t between_at, uint8_t *bytes)
{
	long count = 0;

	while (*text) {
		if (count < 64 && (between_at >> count & 1) && *text++ != between)
			return -1;
		int high = hex_digit(*text), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return -1;
		bytes[count++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return count;
}

static bool set_bytes(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
		      const char *text, struct mw_plan_value *value)
{
	enum mw_kind kind = value->property->kind;
	uint8_t *bytes = mw_arena_alloc(&draft->plan->arena, strlen(text) / 2 + 1, 1);
	long count = -1;

	if (kind == MW_MAC)
		count = parse_hex(text, ':', 0x3e, bytes);
	else if (kind == MW_UUID)
		count = parse_hex(text, '-', 1u << 4 | 1u << 6 | 1u << 8 | 1u << 10, bytes);
	else
		count = parse_hex(text, 0, 0, bytes);
	if (kind == MW_MAC && count != 6)
		return wrong_type(draft, node, tree, value->property,
				  "a MAC address such as 52:54:00:12:34:56", text);
	if (kind == MW_UUID && count != 16)
		return wrong_type(draft, node, tree, value->property,
				  "a UUID such as 01234567-89ab-cdef-0123-456789abcdef", text);
	if (count < 0)
		return wrong_type(draft, node, tree, value->property,
				  "bytes as pairs of hexadecimal digits", text);
	value->bytes = (struct mw_blob){ bytes, (size_t)count };
	return true;
}

static bool set_member(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
		       const char *text, struct mw_plan_value *value)
{
	struct mw_tree word = *tree;

	word.text = text;
	int member = mw_draft_member(draft, &word, node, value->property->name,
				     value->property->members);

	value->number = member < 0 ? 0 : (uint64_t)member;
	return member >= 0;
}

bool mw_value_set(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
		  const char *text, struct mw_plan_value *value)
{
	bool plain = value->property->kind == MW_STRING && !value->property->is_path;

	if (tree->secret && (!plain || value->property->members)) {
		mw_draft_error(draft, "S102", tree->span, node, value->property->name,
			       "a secret is text, and `%s` of %s wants something else",
			       value->property->name, node->type->name);
		return false;
	}
	if (value->property->members)
		return set_member(draft, node, tree, text, value);
	switch (value->property->kind) {
	case MW_BOOL: return set_bool(draft, node, tree, text, value);
	case MW_STRING:
		value->text = mw_arena_strdup(&draft->plan->arena, text);
		if (tree->secret)
			value->secret = mw_arena_strdup(&draft->plan->arena, tree->secret);
		return true;
	case MW_MAC:
	case MW_UUID:
	case MW_BLOB: return set_bytes(draft, node, tree, text, value);
	default: return set_integer(draft, node, tree, text, value);
	}
}

static void unknown_property(struct mw_draft *draft, struct mw_draft_node *node,
			     struct mw_tree *tree)
{
	size_t count = node->type->properties.count;
	const char **names = mw_arena_alloc(draft->arena, count + 1, sizeof(*names));
	struct mw_diag *diag =
		mw_draft_error(draft, "S101", tree->key_span, node, "props",
			       "%s has no property `%s`", node->type->name, tree->key);

	for (size_t i = 0; i < count; i++)
		names[i] = node->type->properties.items[i].name;
	mw_suggest(draft->diagnostics, diag, tree->key, names);
}

static void set_property(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
			 const char *name)
{
	size_t index = 0;

	while (index < node->type->properties.count &&
	       strcmp(node->type->properties.items[index].name, name) != 0)
		index++;
	if (index == node->type->properties.count) {
		if (strncmp(name, "x-", 2) != 0)
			unknown_property(draft, node, tree);
		return;
	}
	struct mw_plan_value *value = &node->values[index];

	if (!mw_draft_text(draft, tree, node, name, "a value"))
		return;
	value->is_default = false;
	value->host = tree->host;
	value->span = tree->span;
	if (tree->link)
		mw_draft_add_late(draft, (struct mw_draft_late){ node, value, tree });
	else
		mw_value_set(draft, node, tree, tree->text, value);
}

/* `{ KEY: { MAIN: value, OTHER: value } }`, as other formats nest it. */
static void refuse_map(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree)
{
	const char *name = node->type->main_property, *main = "VALUE", *others = "";
	struct mw_diag *diag = mw_draft_error(draft, "S102", tree->span, node, name,
					      "expected a value, found a map");
	unsigned shown = 0;

	for (struct mw_tree *child = tree->first; child && shown < HINT_KEYS; child = child->next) {
		const char *text = child->kind == MW_TREE_SCALAR ? child->text : "VALUE";

		shown++;
		if (!strcmp(child->key, name))
			main = text;
		else
			others = mw_arena_printf(draft->arena, "%s, %.40s: %.100s", others,
						 child->key, text);
	}
	mw_diag_help(draft->diagnostics, diag, "its properties stand beside it: `{ %s: %.200s%s }`",
		     tree->key, main, others);
}

/* `{ KEY: value }` of a backend; one without a main property is written `{ KEY: , ... }`. */
static void set_main(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree)
{
	if (node->type->main_property && tree->kind == MW_TREE_MAP)
		refuse_map(draft, node, tree);
	else if (node->type->main_property)
		set_property(draft, node, tree, node->type->main_property);
	else if (tree->kind != MW_TREE_SCALAR || *tree->text)
		mw_draft_error(draft, "S102", tree->span, node, "backend",
			       "`%s` takes no value of its own", tree->key);
}

static void check_required(struct mw_draft *draft, struct mw_draft_node *node)
{
	for (size_t i = 0; i < node->type->properties.count; i++) {
		const struct mw_property *property = &node->type->properties.items[i];

		if (property->required && node->values[i].is_default)
			mw_draft_error(draft, "S117", node->span, node, "props",
				       "`%s` needs the property `%s`: %s", node->id, property->name,
				       property->help);
	}
}

void mw_values_check(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *props,
		     const char *alias)
{
	size_t count = node->type->properties.count;

	node->values = defaults_of(draft, node->type);
	if (props && props->kind != MW_TREE_MAP) {
		mw_draft_error(draft, "S102", props->span, node, "props",
			       "expected a map of properties");
		return;
	}
	if (props && props->first) {
		struct mw_plan_value *values =
			mw_arena_alloc(&draft->plan->arena, count, sizeof(*values));

		if (count)
			memcpy(values, node->values, count * sizeof(*values));
		node->values = values;
		for (struct mw_tree *child = props->first; child; child = child->next) {
			if (alias && !strcmp(child->key, alias))
				set_main(draft, node, child);
			else
				set_property(draft, node, child, child->key);
		}
	}
	if (!node->failed)
		check_required(draft, node);
}
