/** Scalars as JSON Schema: types, patterns, words. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tools/schema/schema_internal.h"

void mw_schema_types(struct mw_json *json, unsigned types)
{
	static const char *const names[] = { "string", "integer", "number", "boolean",
					     "null",   "object",  "array" };
	const size_t count = sizeof(names) / sizeof(names[0]);
	bool single = (types & (types - 1)) == 0;

	if (!single)
		mw_json_array(json, "type");
	for (size_t i = 0; i < count; i++) {
		if (types & 1u << i)
			mw_json_string(json, single ? "type" : NULL, names[i]);
	}
	if (!single)
		mw_json_end(json, ']');
}

/* The words that stand for themselves, then the form: "unset|remove|FORM". */
static const char *whole_form(struct mw_schema *schema, const struct mw_schema_value *value)
{
	const char *text = value->form ? value->form : "";

	if (value->remove)
		text = mw_arena_printf(&schema->arena, "remove%s%s", *text ? "|" : "", text);
	if (value->unset)
		text = mw_arena_printf(&schema->arena, "unset%s%s", *text ? "|" : "", text);
	return text;
}

void mw_schema_value(struct mw_schema *schema, const struct mw_schema_value *value)
{
	struct mw_json *json = &schema->json;
	struct mw_schema_value own = *value;

	value = &own;
	if (schema->plain)
		own.expression = own.unset = false;

	bool words = value->expression || value->unset || value->remove || value->form;
	unsigned types = value->types | (words ? MW_JSON_STRING : 0u);

	mw_schema_types(json, types);
	if ((types & MW_JSON_INTEGER) && !value->limited)
		mw_json_number(json, "minimum", 0);
	if (!(types & MW_JSON_STRING) || value->any_text)
		return;
	const char *form = whole_form(schema, value);

	mw_json_string(json, "pattern",
		       mw_arena_printf(&schema->arena, "%s%s%s%s%s", *form ? "^(?:" : "", form,
				       *form ? ")$" : "", *form && value->expression ? "|" : "",
				       value->expression ? "\\$\\(" : ""));
	if (value->say)
		mw_json_string(
			json, "patternErrorMessage",
			mw_arena_printf(&schema->arena, "expected %s%s", value->say,
					value->expression ? ", or an expression $(...)" : ""));
}

static void add_word(struct mw_json *json, const char *word)
{
	char *end;
	unsigned long long number = strtoull(word, &end, 0);

	mw_json_string(json, NULL, word);
	if (*word >= '0' && *word <= '9' && !*end)
		mw_json_number(json, NULL, number);
	else if (!strcmp(word, "true") || !strcmp(word, "false"))
		mw_json_bool(json, NULL, *word == 't');
}

static void add_enum(struct mw_json *json, const char *const *words)
{
	mw_json_array(json, "enum");
	for (; *words; words++)
		add_word(json, *words);
	mw_json_end(json, ']');
}

void mw_schema_words(struct mw_schema *schema, const char *const *words, bool expression,
		     bool unset)
{
	struct mw_json *json = &schema->json;
	struct mw_schema_value other = { .expression = expression, .unset = unset };

	if (schema->plain || (!expression && !unset)) {
		add_enum(json, words);
		return;
	}
	mw_json_array(json, "anyOf");
	mw_json_object(json, NULL);
	add_enum(json, words);
	mw_json_end(json, '}');
	mw_json_object(json, NULL);
	mw_schema_value(schema, &other);
	mw_json_end(json, '}');
	mw_json_end(json, ']');
}

void mw_schema_closed(struct mw_schema *schema)
{
	mw_json_object(&schema->json, "patternProperties");
	mw_json_object(&schema->json, "^x-");
	mw_json_end(&schema->json, '}');
	mw_json_end(&schema->json, '}');
	mw_json_bool(&schema->json, "additionalProperties", false);
}

void mw_schema_describe(struct mw_schema *schema, const char *text, const char *markdown)
{
	mw_json_string(&schema->json, "description", text);
	mw_json_string(&schema->json, "markdownDescription", markdown);
}

bool mw_schema_fact_value(enum mw_fact_kind kind, struct mw_schema_value *value)
{
	static const struct {
		enum mw_fact_kind kind;
		unsigned types;
		const char *form, *say;
	} rows[] = {
		{ MW_FACT_AT, 0, MW_FORM_AT, "BUS or BUS:ADDRESS" },
		{ MW_FACT_CLAIM, MW_JSON_INTEGER, MW_FORM_CLAIM,
		  "BASE, BASE+LENGTH, auto or auto+LENGTH" },
		{ MW_FACT_LINE, MW_JSON_INTEGER, MW_FORM_LINE, "LINE, DOMAIN:LINE or auto" },
		{ MW_FACT_PIN, 0, MW_FORM_PIN, "NODE or NODE:PIN" },
		{ MW_FACT_WIRE, 0, MW_FORM_WIRE, "NODE.WIRE" },
		{ MW_FACT_CHANNEL, MW_JSON_INTEGER, "auto|" MW_FORM_INT, "a channel or auto" },
		{ MW_FACT_INTX, 0, "[A-D]", "A, B, C or D" },
		{ MW_FACT_VECTORS, MW_JSON_INTEGER | MW_JSON_OBJECT, MW_FORM_INT,
		  "a number of vectors" },
		{ MW_FACT_FEATURE, 0, MW_FORM_FEATURE, "a CPU feature" },
		{ MW_FACT_RULE, 0, MW_FORM_RULE, "a rule's code" },
		{ MW_FACT_CODE, 0, MW_FORM_CODE, "a rule's code, or how codes begin" },
		{ MW_FACT_SHA256, 0, MW_FORM_SHA256, "64 hexadecimal digits in lower case" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].kind != kind)
			continue;
		*value = (struct mw_schema_value){ .types = rows[i].types,
						   .form = rows[i].form,
						   .say = rows[i].say,
						   .expression = kind != MW_FACT_FEATURE,
						   .unset = true };
		return true;
	}
	return false;
}
