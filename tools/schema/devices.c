/** Device types as JSON Schema: one definition each, chosen by `type`. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/document.h"
#include "tools/schema/schema_internal.h"

#define PART_FORM "^part/.+$"

static const char *definition_of(struct mw_schema *schema, const struct mw_device_type *type)
{
	return mw_arena_printf(&schema->arena, "device.%s", type->name);
}

static bool has_region(const struct mw_device_type *type, enum mw_space space)
{
	for (size_t i = 0; i < type->regions.count; i++) {
		if (type->regions.items[i].space == space)
			return true;
	}
	return false;
}

static bool has_wire(const struct mw_device_type *type, bool (*fits)(const struct mw_wire *wire))
{
	for (size_t i = 0; i < type->wires.count; i++) {
		if (fits(&type->wires.items[i]))
			return true;
	}
	return false;
}

static bool is_msi(const struct mw_wire *wire)
{
	return wire->kind == MW_MSI && wire->vectors;
}

static bool is_channel(const struct mw_wire *wire)
{
	return wire->kind == MW_DMA && wire->channel;
}

static bool is_intx(const struct mw_wire *wire)
{
	return wire->intx;
}

static bool has_ports(const struct mw_device_type *type)
{
	return has_region(type, MW_SPACE_PORT);
}

static bool has_memory(const struct mw_device_type *type)
{
	return has_region(type, MW_SPACE_MEMORY);
}

static bool has_msi(const struct mw_device_type *type)
{
	return has_wire(type, is_msi);
}

static bool has_channel(const struct mw_device_type *type)
{
	return has_wire(type, is_channel);
}

static bool has_intx(const struct mw_device_type *type)
{
	return has_wire(type, is_intx);
}

/* Claims. */

static void write_claim(struct mw_schema *schema, const struct mw_device_type *type,
			enum mw_space space)
{
	size_t all = 0, required = 0;
	struct mw_schema_value claim, map = { .unset = true, .say = "a map of ranges by name" };
	struct mw_json *json = &schema->json;

	for (size_t i = 0; i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		all += region->space == space;
		required += region->space == space && !region->optional;
	}
	bool is_short = all == 1 || required == 1;

	mw_schema_fact_value(MW_FACT_CLAIM, &claim);
	if (is_short)
		map = claim;
	map.types |= MW_JSON_OBJECT;
	mw_schema_value(schema, &map);
	if (space == MW_SPACE_PORT && is_short)
		mw_json_number(json, "maximum", 0xffff);
	mw_json_object(json, "properties");
	for (size_t i = 0; i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		if (region->space != space)
			continue;
		mw_json_object(json, region->name);
		mw_schema_value(schema, &claim);
		if (space == MW_SPACE_PORT)
			mw_json_number(json, "maximum", 0xffff);
		mw_json_end(json, '}');
	}
	mw_json_end(json, '}');
	mw_schema_closed(schema);
}

static void write_io(struct mw_schema *schema, const struct mw_device_type *type)
{
	write_claim(schema, type, MW_SPACE_PORT);
}

static void write_mmio(struct mw_schema *schema, const struct mw_device_type *type)
{
	write_claim(schema, type, MW_SPACE_MEMORY);
}

static void write_props(struct mw_schema *schema, const struct mw_device_type *type)
{
	struct mw_schema_value map = { .types = MW_JSON_OBJECT, .unset = true, .say = "a map" };

	mw_schema_value(schema, &map);
	mw_json_object(&schema->json, "properties");
	for (size_t i = 0; i < type->properties.count; i++)
		mw_schema_property(schema, type->properties.items[i].name,
				   &type->properties.items[i]);
	mw_json_end(&schema->json, '}');
	mw_schema_closed(schema);
}

/* Keys that depend on the type: whether it has them, and what they hold; `write` NULL: the shape. */
static const struct typed_key {
	const char *name;
	bool (*has)(const struct mw_device_type *type);
	void (*write)(struct mw_schema *schema, const struct mw_device_type *type);
} typed_keys[] = {
	{ "io", has_ports, write_io },
	{ "mmio", has_memory, write_mmio },
	{ "irq", mw_type_drives_irq, mw_schema_irq },
	{ "props", NULL, write_props },
	{ "wires", mw_type_connects, mw_schema_wires },
	{ "backend", mw_type_has_backend, mw_schema_backend },
	{ "msi", has_msi, NULL },
	{ "dma", has_channel, NULL },
	{ "intx", has_intx, NULL },
};

static const struct typed_key *typed_key(const char *name)
{
	for (size_t i = 0; i < sizeof(typed_keys) / sizeof(typed_keys[0]); i++) {
		if (!strcmp(typed_keys[i].name, name))
			return &typed_keys[i];
	}
	return NULL;
}

static void write_key(struct mw_schema *schema, const struct mw_device_type *type,
		      const struct mw_shape_key *key)
{
	const char *path = mw_arena_printf(&schema->arena, "devices.*.%s", key->name);
	const struct typed_key *typed = type ? typed_key(key->name) : NULL;

	if ((key->flags & MW_KEY_PLANNED) || (typed && typed->has && !typed->has(type)))
		return;
	if (!typed || !typed->write) {
		mw_schema_shape(schema, key->name, key->shape, path, key->flags);
		return;
	}
	mw_json_object(&schema->json, key->name);
	mw_schema_describe(schema, mw_schema_help(schema->format, path), NULL);
	typed->write(schema, type);
	mw_json_end(&schema->json, '}');
}

/* What a part says of itself; all else is said to its members. */
static const char *const part_keys[] = { "type",  "at",    "props", "when",
					 "count", "notes", "final", NULL };

/* The body of a device of one type, or of any where `type` is NULL. `only`: these keys; NULL: all. */
static void write_body(struct mw_schema *schema, const char *name,
		       const struct mw_device_type *type, const char *const *only)
{
	const struct mw_shape *shape = mw_schema_device_shape(schema->format);

	mw_json_object(&schema->json, name);
	mw_json_string(&schema->json, "description", type ? type->summary : NULL);
	mw_json_object(&schema->json, "properties");
	for (const struct mw_shape_key *key = shape->keys; key->name; key++) {
		if (only && !mw_name_in(key->name, only))
			continue;
		if (strcmp(key->name, "type") != 0) {
			write_key(schema, type, key);
			continue;
		}
		mw_json_object(&schema->json, "type"); /* checked where the body is chosen */
		mw_json_end(&schema->json, '}');
	}
	mw_json_end(&schema->json, '}');
	mw_schema_closed(schema);
	mw_json_end(&schema->json, '}');
}

/* The choice of a body. */

static void write_type_names(struct mw_schema *schema, const char *key, bool summaries)
{
	mw_json_array(&schema->json, key);
	for (size_t i = 0; i < schema->registry->count; i++) {
		const struct mw_device_type *type = schema->registry->types[i];

		if (!type->backend)
			mw_json_string(&schema->json, NULL, summaries ? type->summary : type->name);
	}
	mw_json_end(&schema->json, ']');
}

static void write_type_key(struct mw_schema *schema)
{
	struct mw_json *json = &schema->json;

	mw_json_object(json, "properties");
	mw_json_object(json, "type");
	mw_schema_describe(schema, mw_schema_help(schema->format, "devices.*.type"), NULL);
	mw_json_array(json, "anyOf");
	mw_json_object(json, NULL);
	write_type_names(schema, "enum", false);
	write_type_names(schema, "enumDescriptions", true);
	mw_json_end(json, '}');
	mw_json_object(json, NULL);
	mw_schema_types(json, MW_JSON_STRING);
	mw_json_string(json, "pattern", PART_FORM);
	mw_json_end(json, '}');
	mw_json_end(json, ']');
	mw_json_end(json, '}');
	mw_json_end(json, '}');
}

static void write_choice(struct mw_schema *schema, const char *test, const char *type,
			 const char *definition)
{
	struct mw_json *json = &schema->json;

	mw_json_object(json, NULL);
	mw_json_object(json, "if");
	mw_json_object(json, "properties");
	mw_json_object(json, "type");
	mw_json_string(json, test, type);
	mw_json_end(json, '}');
	mw_json_end(json, '}');
	mw_json_array(json, "required");
	mw_json_string(json, NULL, "type");
	mw_json_end(json, ']');
	mw_json_end(json, '}');
	mw_json_object(json, "then");
	mw_json_string(json, "$ref",
		       mw_arena_printf(&schema->arena, "#/definitions/%s", definition));
	mw_json_end(json, '}');
	mw_json_end(json, '}');
}

/* An entry without `type` changes one of a base: any key may be there. */
static void write_untyped(struct mw_schema *schema)
{
	struct mw_json *json = &schema->json;

	mw_json_object(json, NULL);
	mw_json_object(json, "if");
	mw_json_object(json, "not");
	mw_json_array(json, "required");
	mw_json_string(json, NULL, "type");
	mw_json_end(json, ']');
	mw_json_end(json, '}');
	mw_json_end(json, '}');
	mw_json_object(json, "then");
	mw_json_string(json, "$ref", "#/definitions/device.any");
	mw_json_end(json, '}');
	mw_json_end(json, '}');
}

/* What an editor offers for a new entry. */
static void write_snippets(struct mw_schema *schema)
{
	struct mw_json *json = &schema->json;

	mw_json_array(json, "defaultSnippets");
	mw_json_object(json, NULL);
	mw_json_string(json, "label", "a device");
	mw_json_string(json, "description", "A device: its type and the bus it sits on.");
	mw_json_object(json, "body");
	mw_json_string(json, "type", "$1");
	mw_json_string(json, "at", "${2:sys}");
	mw_json_end(json, '}');
	mw_json_end(json, '}');
	mw_json_end(json, ']');
}

static void write_device(struct mw_schema *schema)
{
	const struct mw_shape *shape = mw_schema_device_shape(schema->format);
	struct mw_schema_value map = { .types = MW_JSON_OBJECT,
				       .unset = true,
				       .remove = shape->removable,
				       .say = "a map of the device's keys" };
	struct mw_json *json = &schema->json;

	mw_json_object(json, "device");
	mw_schema_describe(schema, mw_schema_help(schema->format, "devices.*"), NULL);
	mw_schema_value(schema, &map);
	write_snippets(schema);
	write_type_key(schema);
	mw_json_array(json, "allOf");
	for (size_t i = 0; i < schema->registry->count; i++) {
		const struct mw_device_type *type = schema->registry->types[i];

		if (!type->backend)
			write_choice(schema, "const", type->name, definition_of(schema, type));
	}
	write_choice(schema, "pattern", PART_FORM, "device.part");
	write_untyped(schema);
	mw_json_end(json, ']');
	mw_json_end(json, '}');
}

void mw_schema_devices(struct mw_schema *schema)
{
	write_device(schema);
	write_body(schema, "device.any", NULL, NULL);
	write_body(schema, "device.part", NULL, part_keys);
	for (size_t i = 0; i < schema->registry->count; i++) {
		const struct mw_device_type *type = schema->registry->types[i];

		if (type->backend)
			mw_schema_backend_body(schema, type);
		else
			write_body(schema, definition_of(schema, type), type, NULL);
	}
}
