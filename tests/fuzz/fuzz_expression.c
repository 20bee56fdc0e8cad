/** Any text as an expression: parsed, typed, judged by its parameters' limits and evaluated, bare and as
 * `$(...)` inside a scalar. What evaluates gives a text; what does not gives a finding inside the text. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/expression.h"
#include "tests/fuzz/check.h"

enum { LONGEST = 4096 };

static const char *const colours[] = { "std", "none", "virtio-gpu", NULL };

/* One parameter of each type, an unset and a failed one, and one of the host's. */
static struct parameter {
	struct mw_parameter shown;
	struct mw_value value;
} parameters[] = {
	{ { .name = "n", .type = MW_TYPE_INT, .low = 1, .high = 255 },
	  { .state = MW_VALUE_SET, .type = MW_TYPE_INT, .number = 6 } },
	{ { .name = "most", .type = MW_TYPE_INT, .high = UINT64_MAX },
	  { .state = MW_VALUE_SET, .type = MW_TYPE_INT, .number = UINT64_MAX } },
	{ { .name = "usb", .type = MW_TYPE_BOOL },
	  { .state = MW_VALUE_SET, .type = MW_TYPE_BOOL, .number = 1 } },
	{ { .name = "vga", .type = MW_TYPE_ENUM, .members = colours },
	  { .state = MW_VALUE_SET, .type = MW_TYPE_ENUM, .text = "none" } },
	{ { .name = "s", .type = MW_TYPE_TEXT },
	  { .state = MW_VALUE_SET, .type = MW_TYPE_TEXT, .text = "a text" } },
	{ { .name = "gone", .type = MW_TYPE_INT, .high = UINT64_MAX },
	  { .state = MW_VALUE_UNSET, .type = MW_TYPE_INT } },
	{ { .name = "broken", .type = MW_TYPE_INT, .high = UINT64_MAX },
	  { .state = MW_VALUE_FAILED, .type = MW_TYPE_INT } },
	{ { .name = "path", .type = MW_TYPE_TEXT, .host = true },
	  { .state = MW_VALUE_SET, .type = MW_TYPE_TEXT, .text = "/host/file", .host = true } },
};

static struct mw_parameter *find(void *context, const char *name)
{
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		if (!strcmp(parameters[i].shown.name, name))
			return &parameters[i].shown;
	return NULL;
}

static struct mw_value value_of(void *context, struct mw_parameter *parameter)
{
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		if (parameter == &parameters[i].shown)
			return parameters[i].value;
	return (struct mw_value){ .state = MW_VALUE_FAILED };
}

static struct mw_tree *names_of(struct mw_arena *arena)
{
	struct mw_tree *names = mw_tree_new(arena, MW_TREE_MAP, (struct mw_span){ 0 });

	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		struct mw_tree *name = mw_tree_new(arena, MW_TREE_SCALAR, (struct mw_span){ 0 });

		name->key = parameters[i].shown.name;
		name->text = "";
		mw_tree_append(names, name);
	}
	return names;
}

/* Every finding lies in the text. */
static void check_findings(const struct mw_diagnostics *diagnostics, size_t length)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_span span = diagnostics->items[i]->span;

		CHECK(span.source == 1);
		CHECK((size_t)span.byte + span.length <= length);
	}
}

static void evaluate(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
		     const struct mw_scope *scope, struct mw_tree *scalar, bool bare)
{
	struct mw_evaluation evaluation = {
		.arena = arena, .diagnostics = diagnostics, .scope = scope, .i = 3
	};
	size_t errors = diagnostics->errors;
	int constant = bare ? mw_expression_constant(scalar->expression) : 0;
	struct mw_value value = mw_expression_value(&evaluation, scalar);

	CHECK(constant >= -1 && constant <= 1);
	CHECK(value.state != MW_VALUE_SET || diagnostics->errors == errors);
	if (value.state != MW_VALUE_SET)
		return;
	const char *text = mw_value_text(arena, &value);

	CHECK(text || value.type == MW_TYPE_LIST);
	CHECK(!text || strlen(text) <= MW_EXPRESSION_TEXT);
	if (bare && value.type == MW_TYPE_BOOL)
		CHECK(value.number <= 1 && constant != (value.number ? -1 : 1));
}

static void run(const char *text, size_t length, bool bare)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_arena arena = { 0 };
	size_t spent = 0;
	struct mw_scope scope = {
		.find = find, .value = value_of, .names = names_of(&arena), .text_spent = &spent
	};
	struct mw_parsing parsing = {
		.arena = &arena, .diagnostics = &diagnostics, .scope = &scope, .has_i = true
	};
	uint32_t source = mw_diagnostics_source(&diagnostics, "fuzz", text, length);
	struct mw_tree *scalar = mw_tree_new(&arena, MW_TREE_SCALAR,
					     (struct mw_span){ source, 0, (uint32_t)length });

	scalar->text = text;
	if (mw_expression_parse(&parsing, scalar, bare)) {
		CHECK(diagnostics.errors == 0);
		if (scalar->expression && !scalar->link)
			evaluate(&arena, &diagnostics, &scope, scalar, bare);
	} else {
		CHECK(diagnostics.errors > 0 && scalar->failed);
	}
	check_findings(&diagnostics, length);
	mw_diagnostics_fini(&diagnostics);
	mw_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char text[LONGEST + 1];

	if (count > LONGEST || memchr(bytes, 0, count))
		return 0;
	if (count)
		memcpy(text, bytes, count);
	text[count] = '\0';
	run(text, count, true);
	run(text, count, false);
	return 0;
}
