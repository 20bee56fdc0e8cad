/** Shapes as JSON Schema: the same tables that `mw_shape_check` walks. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/cpu_features.h"
#include "resolver/document.h"
#include "tools/schema/schema_internal.h"

/* What JSON types and forms the scalars of a shape have. */
static struct mw_schema_value value_of(struct mw_schema *schema, const struct mw_shape *shape)
{
	static const struct {
		unsigned bit, types;
		const char *form, *say;
	} rows[] = {
		{ MW_SHAPE_INT, MW_JSON_INTEGER, MW_FORM_INT, "an int" },
		{ MW_SHAPE_SIZE, MW_JSON_INTEGER, MW_FORM_SIZE, "a size such as 64KiB" },
		{ MW_SHAPE_RANGE, 0, MW_FORM_RANGE, "a range such as 0x60+4" },
		{ MW_SHAPE_BOOL, MW_JSON_BOOLEAN, NULL, "true or false" },
	};
	struct mw_schema_value value = { .expression = !shape->literal };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(shape->accepts & rows[i].bit))
			continue;
		value.types |= rows[i].types;
		value.say = rows[i].say;
		if (rows[i].form)
			value.form = value.form ? mw_arena_printf(&schema->arena, "%s|%s",
								  value.form, rows[i].form)
						: rows[i].form;
	}
	for (const char *const *word = shape->words; word && *word; word++)
		value.form = value.form
				     ? mw_arena_printf(&schema->arena, "%s|%s", value.form, *word)
				     : *word;
	if (shape->accepts & (MW_SHAPE_TEXT | MW_SHAPE_CONDITION)) {
		value.types |= MW_JSON_STRING | MW_JSON_NUMBER | MW_JSON_BOOLEAN;
		value.any_text = true;
	}
	return value;
}

static bool only_collections(const struct mw_shape *shape)
{
	return !(shape->accepts & ~(unsigned)(MW_SHAPE_MAP | MW_SHAPE_LIST));
}

/* Regular expression for the keys of a map whose entries are named by ids. */
static const char *id_pattern(struct mw_schema *schema, enum mw_shape_ids ids)
{
	const char *words = "";

	if (ids == MW_IDS_VERSIONS)
		return "^[1-9][0-9]*$";
	for (const char *const *word = mw_shape_key_words; *word; word++)
		words = mw_arena_printf(&schema->arena, "%s%s%s", words, *words ? "|" : "", *word);
	if (ids == MW_IDS_PARAMS)
		return mw_arena_printf(&schema->arena, "^(?!(?:%s)$)[a-z][a-z0-9_]{0,31}$", words);
	return mw_arena_printf(&schema->arena, "^(?!x-)(?!(?:%s)$)%s$", words,
			       ids == MW_IDS_DEVICES ? MW_FORM_NODE : MW_FORM_ID);
}

static const char *below(struct mw_schema *schema, const char *path, const char *key)
{
	return *path ? mw_arena_printf(&schema->arena, "%s.%s", path, key) : key;
}

static void write_keys(struct mw_schema *schema, const struct mw_shape *shape, const char *path)
{
	struct mw_json *json = &schema->json;
	bool required = false;

	mw_json_object(json, "properties");
	for (const struct mw_shape_key *key = shape->keys; key->name; key++) {
		required |= (key->flags & MW_KEY_REQUIRED) != 0;
		if (!(key->flags & MW_KEY_PLANNED))
			mw_schema_shape(schema, key->name, key->shape,
					below(schema, path, key->name), key->flags);
	}
	mw_json_end(json, '}');
	if (required) {
		mw_json_array(json, "required");
		for (const struct mw_shape_key *key = shape->keys; key->name; key++) {
			if (key->flags & MW_KEY_REQUIRED)
				mw_json_string(json, NULL, key->name);
		}
		mw_json_end(json, ']');
	}
	mw_schema_closed(schema);
}

static void write_entries(struct mw_schema *schema, const struct mw_shape *shape, const char *path)
{
	struct mw_json *json = &schema->json;
	const char *entry = below(schema, path, "*");

	if (!shape->values)
		return;
	if (shape->ids == MW_IDS_FREE) {
		mw_json_object(json, "patternProperties");
		mw_json_object(json, "^x-");
		mw_json_end(json, '}');
		mw_json_end(json, '}');
		mw_schema_shape(schema, "additionalProperties", shape->values, entry, 0);
		return;
	}
	mw_json_object(json, "patternProperties");
	mw_json_object(json, "^x-");
	mw_json_end(json, '}');
	mw_schema_shape(schema, id_pattern(schema, shape->ids), shape->values, entry, 0);
	mw_json_end(json, '}');
	mw_json_bool(json, "additionalProperties", false);
}

/* What the values of a parameter's type look like; others are text of any form. */
static void write_parameter_types(struct mw_schema *schema)
{
	static const struct {
		const char *type;
		struct mw_schema_value value;
	} rows[] = {
		{ "bool", { .types = MW_JSON_BOOLEAN, .say = "true or false" } },
		{ "int", { .types = MW_JSON_INTEGER, .form = MW_FORM_INT, .say = "an int" } },
		{ "size",
		  { .types = MW_JSON_INTEGER,
		    .form = MW_FORM_SIZE,
		    .say = "a size such as 64KiB" } },
		{ "freq", { .form = MW_FORM_FREQ, .say = "a frequency such as 25MHz" } },
		{ "duration", { .form = MW_FORM_DURATION, .say = "a duration such as 10ms" } },
		{ "mac", { .form = MW_FORM_MAC, .say = "a MAC such as 52:54:00:12:34:56" } },
		{ "uuid", { .form = MW_FORM_UUID, .say = "a UUID" } },
		{ "range", { .form = MW_FORM_RANGE, .say = "a range such as 0x60+4" } },
	};
	struct mw_json *json = &schema->json;

	mw_json_array(json, "allOf");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mw_schema_value value = rows[i].value;

		value.expression = value.unset = true;
		mw_json_object(json, NULL);
		mw_json_object(json, "if");
		mw_json_object(json, "properties");
		mw_json_object(json, "type");
		mw_json_string(json, "const", rows[i].type);
		mw_json_end(json, '}');
		mw_json_end(json, '}');
		mw_json_array(json, "required");
		mw_json_string(json, NULL, "type");
		mw_json_end(json, ']');
		mw_json_end(json, '}');
		mw_json_object(json, "then");
		mw_json_object(json, "properties");
		mw_json_object(json, "default");
		mw_schema_value(schema, &value);
		mw_json_end(json, '}');
		mw_json_end(json, '}');
		mw_json_end(json, '}');
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
}

/* The whole value of a shape into the open object. */
static void write_shape(struct mw_schema *schema, const struct mw_shape *shape, const char *path,
			unsigned flags)
{
	struct mw_schema_value value = value_of(schema, shape);
	bool unset = *path && !(flags & MW_KEY_KEPT);

	if (shape->accepts & MW_SHAPE_ANY)
		return;
	if (shape->accepts == MW_SHAPE_WORD) {
		mw_schema_words(schema, shape->words, !shape->literal, unset);
		return;
	}
	if (shape->accepts & MW_SHAPE_MAP)
		value.types |= MW_JSON_OBJECT;
	if (shape->accepts & MW_SHAPE_LIST)
		value.types |= MW_JSON_ARRAY;
	if (only_collections(shape)) {
		value.expression = (shape->accepts & MW_SHAPE_LIST) && !shape->literal;
		value.say = shape->accepts & MW_SHAPE_LIST ? "a list" : "a map";
	}
	value.unset = unset;
	value.remove = shape->removable;
	mw_schema_value(schema, &value);
	if (shape->accepts & MW_SHAPE_LIST && shape->items)
		mw_schema_shape(schema, "items", shape->items, below(schema, path, "*"),
				MW_KEY_KEPT);
	if (!(shape->accepts & MW_SHAPE_MAP))
		return;
	if (shape->keys)
		write_keys(schema, shape, path);
	else
		write_entries(schema, shape, path);
}

/* Forms that a later phase reads. */

static void one_of(struct mw_schema *schema, const char *const *words)
{
	mw_schema_words(schema, words, true, true);
}

static void write_map_of(struct mw_schema *schema, const char *keys, enum mw_fact_kind kind,
			 unsigned more_types)
{
	struct mw_json *json = &schema->json;
	struct mw_schema_value map = { .types = MW_JSON_OBJECT, .unset = true, .say = "a map" };
	struct mw_schema_value value = {
		.types = MW_JSON_INTEGER, .form = MW_FORM_INT, .say = "an int", .expression = true
	};

	mw_schema_value(schema, &map);
	if (mw_schema_fact_value(kind, &value))
		value.types |= more_types;
	mw_json_object(json, "patternProperties");
	mw_json_object(json, "^x-");
	mw_json_end(json, '}');
	mw_json_object(json, keys);
	mw_schema_value(schema, &value);
	if (more_types & MW_JSON_ARRAY) {
		mw_json_object(json, "items");
		value.types &= ~(unsigned)MW_JSON_ARRAY;
		mw_schema_value(schema, &value);
		mw_json_end(json, '}');
	}
	mw_json_end(json, '}');
	mw_json_end(json, '}');
	mw_json_bool(json, "additionalProperties", false);
}

static void write_features(struct mw_schema *schema)
{
	struct mw_json *json = &schema->json;
	struct mw_schema_value map = { .types = MW_JSON_OBJECT, .unset = true, .say = "a map" };
	struct mw_schema_value set = {
		.types = MW_JSON_BOOLEAN, .expression = true, .unset = true, .say = "true or false"
	};

	mw_schema_value(schema, &map);
	mw_json_object(json, "properties");
	for (const struct mw_cpu_feature *row = mw_cpu_features; row->name; row++) {
		mw_json_object(json, row->name);
		mw_schema_value(schema, &set);
		mw_json_end(json, '}');
	}
	mw_json_end(json, '}');
	mw_schema_closed(schema);
}

static void write_feature(struct mw_schema *schema)
{
	mw_json_array(&schema->json, "enum");
	for (const struct mw_cpu_feature *row = mw_cpu_features; row->name; row++)
		mw_json_string(&schema->json, NULL, row->name);
	mw_json_end(&schema->json, ']');
}

static void write_needs(struct mw_schema *schema)
{
	static const char *const truths[] = { "a20", "dirty_log", "ioeventfd", "msi",    "pio",
					      "pit", "smm",       "synic",     "x2apic", NULL };
	static const char *const numbers[] = { "gpa_bits", "max_vcpus", "memslots", "vtl", NULL };
	static const char *const isolations[] = { "none", "vbs", "snp", "tdx", "optional", NULL };
	struct mw_json *json = &schema->json;
	struct mw_schema_value map = { .types = MW_JSON_OBJECT, .unset = true, .say = "a map" };
	struct mw_schema_value truth = { .types = MW_JSON_BOOLEAN,
					 .form = "optional",
					 .say = "true, false or optional",
					 .expression = true,
					 .unset = true };
	struct mw_schema_value number = { .types = MW_JSON_INTEGER,
					  .form = "optional|" MW_FORM_INT,
					  .say = "an int or optional",
					  .expression = true,
					  .unset = true };

	mw_schema_value(schema, &map);
	mw_json_object(json, "properties");
	for (const char *const *name = truths; *name; name++) {
		mw_json_object(json, *name);
		mw_schema_value(schema, &truth);
		mw_json_end(json, '}');
	}
	for (const char *const *name = numbers; *name; name++) {
		mw_json_object(json, *name);
		mw_schema_value(schema, &number);
		mw_json_end(json, '}');
	}
	mw_json_object(json, "isolation");
	one_of(schema, isolations);
	mw_json_end(json, '}');
	mw_json_end(json, '}');
	mw_schema_closed(schema);
}

static void write_leaves(struct mw_schema *schema)
{
	static const char *const registers[] = { "eax", "ebx", "ecx", "edx", NULL };
	struct mw_json *json = &schema->json;
	struct mw_schema_value number = { .types = MW_JSON_INTEGER,
					  .limited = true,
					  .form = MW_FORM_INT,
					  .say = "an int of 32 bits" };

	mw_schema_types(json, MW_JSON_OBJECT);
	mw_json_object(json, "additionalProperties");
	mw_schema_types(json, MW_JSON_OBJECT);
	mw_json_object(json, "properties");
	for (const char *const *name = registers; *name; name++) {
		mw_json_object(json, *name);
		mw_schema_value(schema, &number);
		mw_json_number(json, "minimum", 0);
		mw_json_number(json, "maximum", UINT32_MAX);
		mw_json_end(json, '}');
	}
	mw_json_end(json, '}');
	mw_schema_closed(schema);
	mw_json_end(json, '}');
}

static void write_scalar(struct mw_schema *schema)
{
	mw_schema_types(&schema->json, MW_JSON_STRING | MW_JSON_NUMBER | MW_JSON_BOOLEAN);
}

static void write_places(struct mw_schema *schema)
{
	struct mw_json *json = &schema->json;

	mw_schema_types(json, MW_JSON_OBJECT);
	mw_json_object(json, "patternProperties");
	mw_json_object(json, "^[a-z][a-z0-9_.:-]*$");
	write_scalar(schema);
	mw_json_end(json, '}');
	mw_json_end(json, '}');
	mw_json_bool(json, "additionalProperties", false);
}

static void write_format(struct mw_schema *schema)
{
	mw_json_string(&schema->json, "const",
		       mw_arena_printf(&schema->arena, "%s/1", schema->format->name));
}

static void write_number(struct mw_schema *schema, unsigned minimum)
{
	mw_schema_types(&schema->json, MW_JSON_INTEGER);
	mw_json_number(&schema->json, "minimum", minimum);
}

static void write_levels(struct mw_schema *schema, const struct mw_shape *shape, const char *path)
{
	struct mw_json *json = &schema->json;

	mw_schema_types(json, MW_JSON_OBJECT);
	mw_json_object(json, "patternProperties");
	mw_json_object(json, "^x-");
	mw_json_end(json, '}');
	mw_schema_shape(schema, "^" MW_FORM_CODE "$", shape->values, below(schema, path, "*"), 0);
	mw_json_end(json, '}');
	mw_json_bool(json, "additionalProperties", false);
}

static void write_list_of(struct mw_schema *schema, const char *const *words)
{
	struct mw_json *json = &schema->json;
	struct mw_schema_value list = {
		.types = MW_JSON_ARRAY, .expression = true, .unset = true, .say = "a list"
	};

	mw_schema_value(schema, &list);
	mw_json_object(json, "items");
	mw_schema_words(schema, words, true, false);
	mw_json_end(json, '}');
}

static void write_reference(struct mw_schema *schema, const char *name)
{
	mw_json_string(&schema->json, "$ref",
		       mw_arena_printf(&schema->arena, "#/definitions/%s", name));
}

/* The types of claims that stand beside other forms, and a shape's forms. */
static void write_fact(struct mw_schema *schema, const struct mw_fact *fact,
		       const struct mw_shape *shape, const char *path, unsigned flags)
{
	static const char *const accelerators[] = { "kvm", "mshv", "soft", "none", "auto", NULL };
	static const char *const tables[] = { "acpi", "smbios", "mptable", "pir", NULL };
	struct mw_schema_value value = { 0 };

	switch (fact ? fact->kind : MW_FACT_SHAPE) {
	case MW_FACT_FORMAT: write_format(schema); return;
	case MW_FACT_VERSION: write_number(schema, 0); return;
	case MW_FACT_COUNT: write_number(schema, 1); return;
	case MW_FACT_LEVELS: write_levels(schema, shape, path); return;
	case MW_FACT_DEVICE: write_reference(schema, "device"); return;
	case MW_FACT_SCALAR: write_scalar(schema); return;
	case MW_FACT_FEATURES: write_features(schema); return;
	case MW_FACT_FEATURE: write_feature(schema); return;
	case MW_FACT_NEEDS: write_needs(schema); return;
	case MW_FACT_PREFER: write_list_of(schema, accelerators); return;
	case MW_FACT_TABLES: write_list_of(schema, tables); return;
	case MW_FACT_PLACES: write_places(schema); return;
	case MW_FACT_LEAVES: write_leaves(schema); return;
	case MW_FACT_MSRS: write_map_of(schema, "^(?!x-)", MW_FACT_MSRS, 0); return;
	case MW_FACT_MAP: write_map_of(schema, "^(?!x-)", MW_FACT_PIN, MW_JSON_ARRAY); return;
	case MW_FACT_BACKEND: mw_schema_backend(schema, NULL); return;
	case MW_FACT_PARAMETER:
		write_shape(schema, shape, path, flags);
		write_parameter_types(schema);
		return;
	default: break;
	}
	if (fact && mw_schema_fact_value(fact->kind, &value)) {
		value.types |= shape->accepts & MW_SHAPE_MAP ? MW_JSON_OBJECT : 0u;
		value.types |= shape->accepts & MW_SHAPE_LIST ? MW_JSON_ARRAY : 0u;
		mw_schema_value(schema, &value);
		if (shape->accepts & MW_SHAPE_LIST && shape->items)
			mw_schema_shape(schema, "items", shape->items, below(schema, path, "*"),
					MW_KEY_KEPT);
		if (shape->accepts & MW_SHAPE_MAP)
			write_entries(schema, shape, path);
		return;
	}
	write_shape(schema, shape, path, flags);
}

/* The sections of a file that an older version in `history` has as well: written once. */
static const char *section_of(const struct mw_schema *schema, const struct mw_shape *shape,
			      const char *path)
{
	static const char *const own[] = { "history", "lint", "deprecated", NULL };
	const struct mw_shape_key *key = schema->format->shape->keys;
	const char *version = "history.*.";

	if (!strncmp(path, version, strlen(version)))
		path += strlen(version);
	if (!mw_schema_device_shape(schema->format) || !(shape->accepts & MW_SHAPE_MAP) ||
	    mw_name_in(path, own))
		return NULL;
	while (key->name && strcmp(key->name, path) != 0)
		key++;
	return key->name;
}

static void write_sections(struct mw_schema *schema)
{
	for (const struct mw_shape_key *key = schema->format->shape->keys; key->name; key++) {
		const char *section = section_of(schema, key->shape, key->name);

		if (!section || (key->flags & MW_KEY_PLANNED))
			continue;
		mw_json_object(&schema->json,
			       mw_arena_printf(&schema->arena, "section.%s", section));
		write_fact(schema, mw_fact_find(schema->format, section), key->shape, section,
			   key->flags);
		mw_json_end(&schema->json, '}');
	}
}

void mw_schema_shape(struct mw_schema *schema, const char *key, const struct mw_shape *shape,
		     const char *path, unsigned flags)
{
	const char *section = section_of(schema, shape, path);
	const struct mw_fact *fact = mw_fact_find(schema->format, path);

	mw_json_object(&schema->json, key);
	if (fact)
		mw_schema_describe(schema, fact->help, NULL);
	if (section)
		write_reference(schema, mw_arena_printf(&schema->arena, "section.%s", section));
	else
		write_fact(schema, fact, shape, path, flags);
	mw_json_end(&schema->json, '}');
}

const struct mw_shape *mw_schema_device_shape(const struct mw_format *format)
{
	for (const struct mw_shape_key *key = format->shape->keys; key && key->name; key++) {
		if (!strcmp(key->name, "devices"))
			return key->shape->values;
	}
	return NULL;
}

void mw_schema_write(const struct mw_format *format, const struct mw_registry *registry, FILE *out)
{
	struct mw_schema schema = { .json = { .out = out },
				    .format = format,
				    .registry = registry,
				    .plain = mw_schema_is_plain(format) };
	struct mw_json *json = &schema.json;

	mw_json_object(json, NULL);
	mw_json_string(json, "$schema", "http://json-schema.org/draft-07/schema#");
	mw_json_string(json, "title",
		       mw_arena_printf(&schema.arena, "Millwright %s%s", format->name,
				       mw_schema_suffix(format)));
	mw_json_string(json, "$comment",
		       mw_arena_printf(&schema.arena,
				       "Generated by `millwright schema %s%s`; not to be edited.",
				       format->name, mw_schema_suffix(format)));
	write_shape(&schema, format->shape, "", MW_KEY_KEPT);
	if (mw_schema_device_shape(format)) {
		mw_json_object(json, "definitions");
		write_sections(&schema);
		mw_schema_devices(&schema);
		mw_json_end(json, '}');
	}
	mw_json_end(json, '}');
	mw_arena_fini(&schema.arena);
}
