/** What a device type's wires mean for `irq`, `wires` and `backend`, and its properties. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "resolver/typecheck.h"
#include "tools/describe_internal.h"
#include "tools/schema/schema_internal.h"

static bool drives(const struct mw_wire *wire)
{
	return wire->kind == MW_LINE && wire->direction == MW_DRIVES && !wire->intx;
}

bool mw_type_drives_irq(const struct mw_device_type *type)
{
	for (size_t i = 0; i < type->wires.count; i++) {
		if (drives(&type->wires.items[i]))
			return true;
	}
	return false;
}

static bool connects(const struct mw_wire *wire)
{
	return drives(wire) || wire->kind == MW_STREAM;
}

bool mw_type_connects(const struct mw_device_type *type)
{
	for (size_t i = 0; i < type->wires.count; i++) {
		if (connects(&type->wires.items[i]))
			return true;
	}
	return false;
}

bool mw_type_takes_backend(const struct mw_device_type *type, const struct mw_device_type *backend)
{
	for (size_t i = 0; type && backend->backend && i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		for (size_t w = 0; w < backend->wires.count; w++) {
			if (mw_wire_has_host_side(wire) &&
			    backend->wires.items[w].kind == wire->kind)
				return true;
		}
	}
	return !type && backend->backend;
}

bool mw_type_has_backend(const struct mw_device_type *type)
{
	for (size_t i = 0; i < type->wires.count; i++) {
		if (mw_wire_has_host_side(&type->wires.items[i]))
			return true;
	}
	return false;
}

/* Lines. */

/* Whether `irq: N` means one wire of the type: `irq`, or the only one. */
static bool has_main_line(const struct mw_device_type *type)
{
	size_t count = 0;

	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		if (!drives(wire))
			continue;
		if (!strcmp(wire->name, "irq") && wire->count <= 1)
			return true;
		count += wire->count ? wire->count : 1;
	}
	return count == 1;
}

static void write_long_keys(struct mw_schema *schema)
{
	static const char *const triggers[] = { "edge", "level", NULL };
	static const char *const polarities[] = { "high", "low", NULL };
	struct mw_schema_value line, share = {
		.types = MW_JSON_BOOLEAN, .expression = true, .unset = true, .say = "true or false"
	};
	struct mw_json *json = &schema->json;

	mw_schema_fact_value(MW_FACT_LINE, &line);
	mw_json_object(json, "line");
	mw_schema_describe(schema, "The line: LINE, DOMAIN:LINE or auto.", NULL);
	mw_schema_value(schema, &line);
	mw_json_end(json, '}');
	mw_json_object(json, "trigger");
	mw_schema_describe(schema, "What the controller takes for a request.", NULL);
	mw_schema_words(schema, triggers, true, true);
	mw_json_end(json, '}');
	mw_json_object(json, "polarity");
	mw_schema_describe(schema, "The level that is active.", NULL);
	mw_schema_words(schema, polarities, true, true);
	mw_json_end(json, '}');
	mw_json_object(json, "share");
	mw_schema_describe(schema, "Every user of a shared line says `true`.", NULL);
	mw_schema_value(schema, &share);
	mw_json_end(json, '}');
}

/* One wire's line: a scalar or the long form. */
static void write_line(struct mw_schema *schema)
{
	struct mw_schema_value line;

	mw_schema_fact_value(MW_FACT_LINE, &line);
	line.types |= MW_JSON_OBJECT;
	mw_schema_value(schema, &line);
	mw_json_object(&schema->json, "properties");
	write_long_keys(schema);
	mw_json_end(&schema->json, '}');
	mw_schema_closed(schema);
}

static void write_elements(struct mw_schema *schema, const struct mw_device_type *type,
			   bool (*fits)(const struct mw_wire *wire),
			   void (*write)(struct mw_schema *schema))
{
	struct mw_json *json = &schema->json;

	mw_json_object(json, "patternProperties");
	mw_json_object(json, "^x-");
	mw_json_end(json, '}');
	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		if (!fits(wire) || wire->count <= 1)
			continue;
		mw_json_object(json,
			       mw_arena_printf(&schema->arena, "^%s:" MW_FORM_INT "$", wire->name));
		mw_schema_describe(schema, wire->help, NULL);
		write(schema);
		mw_json_end(json, '}');
	}
	mw_json_end(json, '}');
	mw_json_bool(json, "additionalProperties", false);
}

static void write_wires(struct mw_schema *schema, const struct mw_device_type *type,
			bool (*fits)(const struct mw_wire *wire),
			void (*write)(struct mw_schema *schema))
{
	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		if (!fits(wire) || wire->count > 1)
			continue;
		mw_json_object(&schema->json, wire->name);
		mw_schema_describe(schema, wire->help, NULL);
		write(schema);
		mw_json_end(&schema->json, '}');
	}
}

void mw_schema_irq(struct mw_schema *schema, const struct mw_device_type *type)
{
	bool has_main = has_main_line(type);
	struct mw_schema_value line;

	mw_schema_fact_value(MW_FACT_LINE, &line);
	if (!has_main)
		line = (struct mw_schema_value){ .unset = true, .say = "a map of wires" };
	line.types |= MW_JSON_OBJECT;
	mw_schema_value(schema, &line);
	mw_json_object(&schema->json, "properties");
	if (has_main)
		write_long_keys(schema);
	write_wires(schema, type, drives, write_line);
	mw_json_end(&schema->json, '}');
	write_elements(schema, type, drives, write_line);
}

static void write_target(struct mw_schema *schema)
{
	struct mw_schema_value value;

	mw_schema_fact_value(MW_FACT_WIRE, &value);
	mw_schema_value(schema, &value);
}

void mw_schema_wires(struct mw_schema *schema, const struct mw_device_type *type)
{
	struct mw_schema_value map = { .types = MW_JSON_OBJECT, .unset = true, .say = "a map" };

	mw_schema_value(schema, &map);
	mw_json_object(&schema->json, "properties");
	write_wires(schema, type, connects, write_target);
	mw_json_end(&schema->json, '}');
	write_elements(schema, type, connects, write_target);
}

/* Properties. */

static struct mw_schema_value property_value(const struct mw_property *property)
{
	struct mw_schema_value value = { .expression = true,
					 .unset = true,
					 .limited = mw_kind_is_number(property->kind) };

	switch (property->kind) {
	case MW_BOOL:
		value.types = MW_JSON_BOOLEAN;
		value.say = "true or false";
		break;
	case MW_STRING:
		value.types = MW_JSON_STRING | MW_JSON_NUMBER | MW_JSON_BOOLEAN;
		value.any_text = true;
		break;
	case MW_MAC: value.form = MW_FORM_MAC; break;
	case MW_UUID: value.form = MW_FORM_UUID; break;
	case MW_BLOB:
		value.types = MW_JSON_INTEGER;
		value.form = MW_FORM_BLOB;
		break;
	default:
		value.types = MW_JSON_INTEGER;
		value.form = property->is_size ? MW_FORM_SIZE : MW_FORM_INT;
		value.say = property->is_size ? "a size such as 64KiB" : "an int";
		break;
	}
	return value;
}

static uint64_t field_max(enum mw_kind kind)
{
	return kind == MW_U8 ? UINT8_MAX : kind == MW_U16 ? UINT16_MAX : UINT32_MAX;
}

/* Editors count in doubles: larger limits would not be what they say. */
static void write_limits(struct mw_json *json, const struct mw_property *property)
{
	const uint64_t exact = UINT64_C(1) << 53;
	uint64_t max = property->max ? property->max : field_max(property->kind);

	if (!mw_kind_is_number(property->kind) || property->members)
		return;
	mw_json_number(json, "minimum", property->min <= exact ? property->min : exact);
	if (max <= exact && (property->max || property->kind != MW_U64))
		mw_json_number(json, "maximum", max);
}

static void write_default(struct mw_json *json, const struct mw_property *property)
{
	char text[120];

	mw_describe_default(property, text, sizeof(text));
	if (!*text || property->required)
		return;
	if (property->kind == MW_BOOL)
		mw_json_bool(json, "default", property->fallback != 0);
	else if (property->kind == MW_STRING)
		mw_json_string(json, "default",
			       property->fallback_text ? property->fallback_text : "");
	else if (mw_kind_is_number(property->kind) && !property->members && !property->is_size &&
		 text[1] != 'x')
		mw_json_number(json, "default", property->fallback);
	else
		mw_json_string(json, "default", text);
}

/* "Help. (size 4KiB..1MiB, default 64KiB)", and the same in Markdown. */
static void describe_property(struct mw_schema *schema, const struct mw_property *property)
{
	char fallback[120], range[200];

	mw_describe_default(property, fallback, sizeof(fallback));
	mw_describe_range(property, range, sizeof(range));
	const char *rest =
		mw_arena_printf(&schema->arena, "%s%s%s%s%s", mw_property_type_name(property),
				*range ? " " : "", range,
				property->required ? ", required"
				: *fallback        ? ", default "
						   : "",
				property->required ? "" : fallback);

	mw_schema_describe(schema, mw_arena_printf(&schema->arena, "%s (%s)", property->help, rest),
			   mw_arena_printf(&schema->arena, "%s\n\n`%s`", property->help, rest));
}

void mw_schema_property(struct mw_schema *schema, const char *key,
			const struct mw_property *property)
{
	struct mw_schema_value value = property_value(property);

	mw_json_object(&schema->json, key);
	describe_property(schema, property);
	if (property->members)
		mw_schema_words(schema, property->members, true, true);
	else
		mw_schema_value(schema, &value);
	write_limits(&schema->json, property);
	write_default(&schema->json, property);
	mw_json_end(&schema->json, '}');
}

/* Backends. */

/* The backend that the key of row `at` of the registry means on `type`; NULL for no backend, one that
 * does not fit, and a key that an earlier row has. */
static const struct mw_device_type *backend_at(const struct mw_schema *schema,
					       const struct mw_device_type *type, size_t at)
{
	const struct mw_device_type *backend = schema->registry->types[at];

	if (!mw_type_takes_backend(type, backend))
		return NULL;
	for (size_t i = 0; i < at; i++) {
		const struct mw_device_type *other = schema->registry->types[i];

		if (other && other->backend && !strcmp(other->backend, backend->backend) &&
		    mw_type_takes_backend(type, other))
			return NULL;
	}
	return backend;
}

/* `{ KEY: value }`: the main property's value, or nothing. */
static void write_main(struct mw_schema *schema, const struct mw_device_type *backend)
{
	const struct mw_property *main =
		backend->main_property ? mw_type_property(backend, backend->main_property) : NULL;

	if (main) {
		mw_schema_property(schema, backend->backend, main);
		return;
	}
	mw_json_object(&schema->json, backend->backend);
	mw_schema_describe(schema, backend->summary, NULL);
	mw_schema_types(&schema->json, MW_JSON_STRING | MW_JSON_NULL);
	mw_json_end(&schema->json, '}');
}

static void write_required(struct mw_json *json, const char *key)
{
	mw_json_array(json, "required");
	mw_json_string(json, NULL, key);
	mw_json_end(json, ']');
}

static void write_backend(struct mw_schema *schema, const struct mw_device_type *backend)
{
	struct mw_json *json = &schema->json;

	mw_json_object(json, NULL);
	mw_json_object(json, "if");
	write_required(json, backend->backend);
	mw_json_end(json, '}');
	mw_json_object(json, "then");
	mw_json_string(json, "$ref",
		       mw_arena_printf(&schema->arena, "#/definitions/backend.%s", backend->name));
	mw_json_end(json, '}');
	mw_json_end(json, '}');
}

void mw_schema_backend_body(struct mw_schema *schema, const struct mw_device_type *backend)
{
	struct mw_json *json = &schema->json;

	mw_json_object(json, mw_arena_printf(&schema->arena, "backend.%s", backend->name));
	mw_json_string(json, "description", backend->summary);
	mw_json_object(json, "properties");
	write_main(schema, backend);
	for (size_t i = 0; i < backend->properties.count; i++) {
		const struct mw_property *property = &backend->properties.items[i];

		if (strcmp(property->name, backend->backend) != 0)
			mw_schema_property(schema, property->name, property);
	}
	mw_json_end(json, '}');
	mw_schema_closed(schema);
	mw_json_end(json, '}');
}

/* Where there are several wires to the host side they may be named, each with a backend of its own. */
static void write_wire_names(struct mw_schema *schema, const struct mw_device_type *type)
{
	size_t sides = 0;

	for (size_t i = 0; i < type->wires.count; i++)
		sides += mw_wire_has_host_side(&type->wires.items[i]);
	for (size_t i = 0; i < type->wires.count && sides > 1; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		if (!mw_wire_has_host_side(wire))
			continue;
		mw_json_object(&schema->json, wire->name);
		mw_schema_describe(schema, wire->help, NULL);
		mw_json_end(&schema->json, '}');
	}
}

/* A map that names no backend at all: its keys are those of the backends. */
static void write_no_backend(struct mw_schema *schema, const struct mw_device_type *type)
{
	struct mw_json *json = &schema->json;

	mw_json_object(json, NULL);
	mw_json_object(json, "if");
	mw_json_object(json, "not");
	mw_json_array(json, "anyOf");
	for (size_t i = 0; i < schema->registry->count; i++) {
		const struct mw_device_type *backend = backend_at(schema, type, i);

		if (!backend)
			continue;
		mw_json_object(json, NULL);
		write_required(json, backend->backend);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
	mw_json_end(json, '}');
	mw_json_end(json, '}');
	mw_json_object(json, "then");
	mw_json_object(json, "properties");
	for (size_t i = 0; i < schema->registry->count; i++) {
		const struct mw_device_type *backend = backend_at(schema, type, i);

		if (backend)
			write_main(schema, backend);
	}
	write_wire_names(schema, type);
	mw_json_end(json, '}');
	mw_schema_closed(schema);
	mw_json_end(json, '}');
	mw_json_end(json, '}');
}

static void write_keys(struct mw_schema *schema, const struct mw_device_type *type)
{
	struct mw_schema_value value = {
		.types = MW_JSON_OBJECT, .expression = true, .unset = true, .say = "a backend"
	};
	struct mw_json *json = &schema->json;

	for (size_t i = 0; i < schema->registry->count; i++) {
		const struct mw_device_type *backend = backend_at(schema, type, i);

		if (!backend)
			continue;
		if (!strcmp(backend->backend, "null"))
			value.types |= MW_JSON_NULL;
		value.form = value.form ? mw_arena_printf(&schema->arena, "%s|%s", value.form,
							  backend->backend)
					: backend->backend;
		value.say = mw_arena_printf(&schema->arena, "%s%s%s", value.say,
					    value.form == backend->backend ? ": " : ", ",
					    backend->backend);
	}
	mw_schema_value(schema, &value);
	mw_json_array(json, "examples");
	for (size_t i = 0; i < schema->registry->count; i++) {
		const struct mw_device_type *backend = backend_at(schema, type, i);

		mw_json_string(json, NULL, backend ? backend->backend : NULL);
	}
	mw_json_end(json, ']');
}

void mw_schema_backend(struct mw_schema *schema, const struct mw_device_type *type)
{
	write_keys(schema, type);
	if (!type)
		return;
	mw_json_array(&schema->json, "allOf");
	for (size_t i = 0; i < schema->registry->count; i++) {
		const struct mw_device_type *backend = backend_at(schema, type, i);

		if (backend)
			write_backend(schema, backend);
	}
	write_no_backend(schema, type);
	mw_json_end(&schema->json, ']');
}
