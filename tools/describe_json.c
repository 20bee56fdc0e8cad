/** A device type's tables as JSON. */
// SPDX-License-Identifier: MIT
#include "tools/describe_internal.h"

static void json_property(struct mw_json *json, const struct mw_property *property)
{
	char fallback[120], range[200];

	mw_describe_default(property, fallback, sizeof(fallback));
	mw_describe_range(property, range, sizeof(range));
	mw_json_object(json, NULL);
	mw_json_string(json, "name", property->name);
	mw_json_string(json, "type", mw_property_type_name(property));
	mw_json_string(json, "help", property->help);
	mw_json_bool(json, "required", property->required);
	if (mw_kind_is_number(property->kind) && !property->members && !property->required)
		mw_json_number(json, "default", property->fallback);
	else if (property->kind == MW_BOOL && !property->required)
		mw_json_bool(json, "default", property->fallback != 0);
	else if (property->kind == MW_STRING && !property->required)
		mw_json_string(json, "default",
			       property->fallback_text ? property->fallback_text : "");
	else if (*fallback)
		mw_json_string(json, "default", fallback);
	if (property->min || property->max)
		mw_json_number(json, "min", property->min);
	if (property->max)
		mw_json_number(json, "max", property->max);
	if (property->members) {
		mw_json_array(json, "members");
		for (const char *const *member = property->members; *member; member++)
			mw_json_string(json, NULL, *member);
		mw_json_end(json, ']');
	}
	mw_json_end(json, '}');
}

static void json_region(struct mw_json *json, const struct mw_region *region)
{
	mw_json_object(json, NULL);
	mw_json_string(json, "name", region->name);
	mw_json_string(json, "space", region->space == MW_SPACE_PORT ? "port" : "memory");
	if (region->size)
		mw_json_number(json, "size", region->size);
	mw_json_string(json, "backing", mw_backing_name(region->backing));
	if (region->backing == MW_BACKING_CALLS) {
		mw_json_number(json, "min_access", region->min_access);
		mw_json_number(json, "max_access", region->max_access);
	}
	if (region->align)
		mw_json_number(json, "align", region->align);
	mw_json_bool(json, "optional", region->optional);
	mw_json_end(json, '}');
}

static void json_wire(struct mw_json *json, const struct mw_wire *wire)
{
	mw_json_object(json, NULL);
	mw_json_string(json, "name", wire->name);
	mw_json_string(json, "kind", mw_kind_name(wire->kind));
	mw_json_string(json, "direction", mw_wire_direction_name(wire));
	mw_json_number(json, "count", wire->count ? wire->count : 1);
	mw_json_string(json, "count_property", wire->count_property);
	mw_json_string(json, "help", wire->help);
	mw_json_bool(json, "optional", wire->optional);
	mw_json_end(json, '}');
}

static void json_firmware(struct mw_json *json, const struct mw_firmware_hints *hints)
{
	mw_json_object(json, "firmware");
	mw_json_string(json, "acpi_hid", hints->acpi_hid);
	mw_json_string(json, "acpi_cid", hints->acpi_cid);
	mw_json_string(json, "fdt_compatible", hints->fdt_compatible);
	mw_json_array(json, "roles");
	for (size_t i = 0; i < hints->roles.count; i++) {
		const struct mw_role_row *role = &hints->roles.items[i];

		mw_json_object(json, NULL);
		mw_json_string(json, "role", mw_role_name(role->role));
		mw_json_string(json, "region", role->region);
		mw_json_number(json, "offset", role->offset);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
	mw_json_end(json, '}');
}

static void json_rows(struct mw_json *json, const struct mw_device_type *type)
{
	mw_json_array(json, "properties");
	for (size_t i = 0; i < type->properties.count; i++)
		json_property(json, &type->properties.items[i]);
	mw_json_end(json, ']');
	mw_json_array(json, "regions");
	for (size_t i = 0; i < type->regions.count; i++)
		json_region(json, &type->regions.items[i]);
	mw_json_end(json, ']');
	mw_json_array(json, "wires");
	for (size_t i = 0; i < type->wires.count; i++)
		json_wire(json, &type->wires.items[i]);
	mw_json_end(json, ']');
	mw_json_array(json, "timers");
	for (size_t i = 0; i < type->timers.count; i++) {
		mw_json_object(json, NULL);
		mw_json_string(json, "name", type->timers.items[i].name);
		mw_json_string(json, "help", type->timers.items[i].help);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
}

void mw_describe_json(const struct mw_device_type *type, struct mw_json *json)
{
	mw_json_object(json, NULL);
	mw_json_string(json, "name", type->name);
	mw_json_string(json, "summary", type->summary);
	mw_json_string(json, "backend", type->backend);
	mw_json_string(json, "main_property", type->main_property);
	mw_json_string(json, "provides", type->provides);
	if (type->buses) {
		mw_json_array(json, "buses");
		for (const char *const *bus = type->buses; *bus; bus++)
			mw_json_string(json, NULL, *bus);
		mw_json_end(json, ']');
	}
	mw_json_number(json, "state_version", type->state_version);
	json_rows(json, type);
	json_firmware(json, &type->firmware);
	mw_json_end(json, '}');
}
