/* The contract, checked on a type's tables before anything is built from them. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics.h"
#include "core/registry.h"

struct check {
	const struct mw_device_type *type;
	struct mw_diagnostics *diagnostics;
	bool good;
	uint8_t *taken; /* by byte of the struct: a row has it */
};

static void broken(struct check *check, const char *row, const char *why)
{
	const char *name = check->type->name ? check->type->name : "?";

	check->good = false;
	mw_diagnostics_add(check->diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "device type `%s`: %s%s%s", name, row ? row : "", row ? ": " : "", why);
}

/* Ids, members and rows are lower case words; registers keep their data sheet's spelling. */
static bool is_name(const char *name)
{
	if (!name || !islower((unsigned char)name[0]))
		return false;
	for (const char *c = name; *c; c++) {
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) &&
		    !strchr("_-/.", *c))
			return false;
	}
	return true;
}

static size_t kind_bytes(enum mw_kind kind)
{
	switch (kind) {
	case MW_U8: return 1;
	case MW_U16: return 2;
	case MW_U32: return 4;
	case MW_U64: return 8;
	case MW_BOOL: return sizeof(bool);
	case MW_MAC: return sizeof(struct mw_mac);
	case MW_UUID: return sizeof(struct mw_uuid);
	case MW_BLOB: return sizeof(struct mw_blob);
	default: return sizeof(void *);
	}
}

static bool inside(size_t offset, size_t bytes, size_t size)
{
	return offset <= size && bytes <= size - offset;
}

/* `elements` of `bytes` each, one every `stride`. */
static bool all_inside(size_t offset, size_t bytes, size_t elements, size_t stride, size_t size)
{
	if (elements > 1 && stride > (SIZE_MAX - bytes) / (elements - 1))
		return false;
	return inside(offset, bytes + (elements - 1) * stride, size);
}

/* A field of the struct, or an array of them: inside, and no other row's unless `shared`. */
static void check_field(struct check *check, const char *row, size_t offset, enum mw_kind kind,
			size_t count, size_t stride, bool shared)
{
	size_t bytes = kind_bytes(kind), elements = count ? count : 1;

	if (elements > 1 && stride < bytes) {
		broken(check, row, "its elements overlap each other");
		return;
	}
	if (!all_inside(offset, bytes, elements, stride, check->type->size)) {
		broken(check, row, "the field lies outside the device's struct");
		return;
	}
	for (size_t e = 0; e < elements && !shared; e++) {
		for (size_t i = 0; i < bytes; i++) {
			uint8_t *taken = &check->taken[offset + e * stride + i];

			if (*taken) {
				broken(check, row, "another row has this field");
				return;
			}
			*taken = 1;
		}
	}
}

/* What the field can hold; UINT64_MAX for what is no integer. */
static uint64_t largest(enum mw_kind kind)
{
	switch (kind) {
	case MW_BOOL: return 1;
	case MW_U8: return UINT8_MAX;
	case MW_U16: return UINT16_MAX;
	case MW_U32: return UINT32_MAX;
	default: return UINT64_MAX;
	}
}

static bool is_integer(enum mw_kind kind)
{
	return kind >= MW_U8 && kind <= MW_U64;
}

static void check_range(struct check *check, const struct mw_property *row)
{
	uint64_t most = row->max ? row->max : largest(row->kind);

	if (most > largest(row->kind) || row->min > most)
		broken(check, row->name, "the range is not one of the field");
	if (!row->required && (row->fallback < row->min || row->fallback > most))
		broken(check, row->name, "the default is out of range");
	if (row->is_size && !is_integer(row->kind))
		broken(check, row->name, "a size is an integer");
	if (row->is_path && row->kind != MW_STRING)
		broken(check, row->name, "a path is a string");
}

static void check_members(struct check *check, const struct mw_property *row)
{
	uint64_t count = 0;

	if (row->kind != MW_U32)
		broken(check, row->name, "an enum lives in a u32");
	while (row->members[count])
		count++;
	if (!count || (!row->required && row->fallback >= count))
		broken(check, row->name, "the default is none of the members");
}

static void check_properties(struct check *check)
{
	for (size_t i = 0; i < check->type->properties.count; i++) {
		const struct mw_property *row = &check->type->properties.items[i];

		if (!is_name(row->name))
			broken(check, row->name, "a property needs a lower case name");
		if (!row->help || !row->help[0])
			broken(check, row->name, "a property needs a help text");
		if (row->kind < MW_U8 || row->kind > MW_BLOB)
			broken(check, row->name, "a property holds a value, not a handle");
		if (row->members)
			check_members(check, row);
		check_range(check, row);
		check_field(check, row->name, row->offset, row->kind, 1, 0, false);
	}
}

/* Images, displays and DMA channels: who of the two ends has which handler. */
static void check_new_handlers(struct check *check, const struct mw_wire *row)
{
	bool receives = row->direction == MW_RECEIVES;

	if (row->kind == MW_IMAGE && receives && (row->on_done || row->on_media))
		broken(check, row->name, "an image that receives has no on_done and no on_media");
	if (row->kind == MW_IMAGE && !receives &&
	    (row->on_write || row->on_flush || row->on_discard || row->on_writable ||
	     row->on_change || row->on_facts))
		broken(check, row->name, "only an image that receives is written");
	if (row->kind == MW_DMA && receives != (row->on_cycle != NULL))
		broken(check, row->name, "who gives DMA channels out has on_cycle");
	if (row->kind == MW_DMA && row->channel != (row->on_transfer != NULL))
		broken(check, row->name, "a wire with a channel has on_transfer");
	if (row->kind == MW_DISPLAY &&
	    (receives || !row->on_draw == !row->on_frame || row->count > 1))
		broken(check, row->name, "a display has on_draw or on_frame, and is held");
}

/* A handler belongs to exactly one kind and direction. */
static void check_handlers(struct check *check, const struct mw_wire *row)
{
	bool line = row->on_level, bytes = row->on_byte || row->on_bytes || row->on_room;
	bool msi = row->on_eoi, image = row->on_read || row->on_size || row->on_done ||
					row->on_media || row->on_write || row->on_flush ||
					row->on_discard || row->on_writable || row->on_change ||
					row->on_facts;
	bool display = row->on_draw || row->on_frame, dma = row->on_transfer || row->on_cycle;
	bool intr = row->on_acknowledge, input = row->on_input || row->takes;

	if ((line && row->kind != MW_LINE) || (bytes && row->kind != MW_STREAM) ||
	    (msi && row->kind != MW_MSI) || (image && row->kind != MW_IMAGE) ||
	    (intr && row->kind != MW_INTR) || (input && row->kind != MW_INPUT) ||
	    (display && row->kind != MW_DISPLAY) || (dma && row->kind != MW_DMA))
		broken(check, row->name, "the handler is not one of this kind of wire");
	if (row->on_byte && row->on_bytes)
		broken(check, row->name, "a stream is heard by the byte or by the run, not both");
	if (row->kind == MW_LINE && (row->direction == MW_RECEIVES) != line)
		broken(check, row->name,
		       "a line that receives has on_level, one that drives has not");
	if (row->kind == MW_IMAGE &&
	    (row->direction == MW_RECEIVES) != (row->on_read && row->on_size))
		broken(check, row->name, "an image that receives has on_size and on_read");
	if (row->kind == MW_INTR && (!intr || row->count > 1))
		broken(check, row->name, "who drives INTR answers its acknowledge, once");
	if (row->kind == MW_INPUT &&
	    (row->direction == MW_RECEIVES) != (row->on_input && row->takes))
		broken(check, row->name,
		       "an input that receives has on_input and says what it takes");
	check_new_handlers(check, row);
	if (row->direction == MW_RECEIVES && row->kind != MW_LINE && row->kind != MW_IMAGE &&
	    row->kind != MW_INPUT && row->kind != MW_DMA)
		broken(check, row->name,
		       "only lines, images, input and DMA channels receive; other wires are held");
}

static void check_count_property(struct check *check, const struct mw_wire *row)
{
	const struct mw_property *property = mw_type_property(check->type, row->count_property);

	if (!property)
		broken(check, row->name, "count_property names no property");
	else if (!is_integer(property->kind))
		broken(check, row->name, "count_property is no integer");
}

/* What profiles claim for a wire in another way than its kind's. */
static void check_claimed(struct check *check, const struct mw_wire *row)
{
	static const struct {
		const char *name;
		enum mw_kind kind;
	} words[] = { { "line", MW_LINE },
		      { "trigger", MW_LINE },
		      { "polarity", MW_LINE },
		      { "share", MW_LINE },
		      { "vectors", MW_MSI } };

	if (row->intx && (row->kind != MW_LINE || row->direction != MW_DRIVES || row->count > 1))
		broken(check, row->name, "INTx is one line that drives");
	if (row->vectors && row->kind != MW_MSI)
		broken(check, row->name, "only message signalled interrupts have vectors");
	if (row->channel && (row->kind != MW_DMA || row->count > 1))
		broken(check, row->name, "a channel is for one wire of kind dma");
	for (size_t i = 0; row->name && i < sizeof(words) / sizeof(words[0]); i++)
		if (row->kind == words[i].kind && row->direction == MW_DRIVES &&
		    !strcmp(row->name, words[i].name))
			broken(check, row->name, "a word of claims is no name of a wire");
}

static void check_wires(struct check *check)
{
	for (size_t i = 0; i < check->type->wires.count; i++) {
		const struct mw_wire *row = &check->type->wires.items[i];

		if (!is_name(row->name))
			broken(check, row->name, "a wire needs a lower case name");
		if (!row->help || !row->help[0])
			broken(check, row->name, "a wire needs a help text");
		if ((row->kind < MW_LINE || row->kind >= MW_MEMORY) && row->kind != MW_DISPLAY)
			broken(check, row->name, "not a kind of wire");
		check_claimed(check, row);
		check_handlers(check, row);
		if (row->direction == MW_DRIVES)
			check_field(check, row->name, row->offset, row->kind, row->count,
				    row->stride, false);
		if (row->count_property)
			check_count_property(check, row);
	}
}

static unsigned register_bytes(const struct mw_register *row)
{
	return row->size ? row->size : 1;
}

/* True when accesses of `row` never get past `before`. */
static bool hides(const struct mw_register *before, const struct mw_register *row)
{
	return !before->selected && !before->write_only && (before->kind || before->set) &&
	       before->at <= row->at &&
	       before->at + register_bytes(before) >= row->at + register_bytes(row);
}

static void check_register(struct check *check, const struct mw_region *region,
			   const struct mw_register *row)
{
	unsigned size = register_bytes(row);

	if (region->size && (row->at >= region->size || size > region->size - row->at))
		broken(check, row->name, "the register lies outside its region");
	if (size > 8 || (size & (size - 1)))
		broken(check, row->name, "a register has 1, 2, 4 or 8 bytes");
	if (size < region->min_access)
		broken(check, row->name, "the register is narrower than any access");
	if (row->kind != MW_KIND_NONE && row->kind != MW_BOOL && !is_integer(row->kind))
		broken(check, row->name, "a register is an integer or a bool");
	if (row->kind != MW_KIND_NONE)
		check_field(check, row->name, row->offset, row->kind, 1, 0, true);
	if (row->kind == MW_KIND_NONE && !row->get && !row->set)
		broken(check, row->name, "a register needs a field or a function");
	if ((row->set || !row->kind) && (row->changed || row->writable))
		broken(check, row->name,
		       "`writable` and `changed` belong to a field without `set`");
	if (row->get && row->write_only)
		broken(check, row->name, "who is written only needs no `get`");
}

static void check_registers(struct check *check, const struct mw_region *region)
{
	for (size_t i = 0; i < region->registers.count; i++) {
		const struct mw_register *row = &region->registers.items[i];

		if (!row->name || !row->name[0])
			broken(check, region->name, "a register needs a name");
		check_register(check, region, row);
		for (size_t before = 0; before < i; before++) {
			if (hides(&region->registers.items[before], row))
				broken(check, row->name, "a register before it answers for it");
		}
	}
	if (region->registers.count && (region->read || region->write))
		broken(check, region->name, "registers, or read and write, but not both");
}

static void check_placement(struct check *check, const struct mw_region *row)
{
	if (row->bar > 7)
		broken(check, row->name,
		       "a function has base address registers 0 to 5 and a ROM's");
	if (row->bar && (!row->size || (row->size & (row->size - 1))))
		broken(check, row->name, "what a base address register places is a power of two");
	if (row->bar && !check->type->config)
		broken(check, row->name, "a base address register belongs to a PCI function");
	if (row->bar && row->movable)
		broken(check, row->name, "a region is moved in one way");
	if (row->collects && (row->bar || row->movable || row->space != MW_SPACE_MEMORY ||
			      row->backing != MW_BACKING_CALLS))
		broken(check, row->name, "what collects is a device's memory at a fixed place");
}

static void check_regions(struct check *check)
{
	for (size_t i = 0; i < check->type->regions.count; i++) {
		const struct mw_region *row = &check->type->regions.items[i];
		bool calls = row->read || row->write || row->registers.count;

		if (!is_name(row->name))
			broken(check, row->name, "a region needs a lower case name");
		if (row->backing == MW_BACKING_CALLS) {
			if (!calls)
				broken(check, row->name, "a region needs registers, read or write");
			if (!row->min_access || row->min_access > row->max_access ||
			    row->max_access > 8 || (row->max_access & (row->max_access - 1)) ||
			    (row->min_access & (row->min_access - 1)))
				broken(check, row->name, "access sizes are powers of two up to 8");
		} else {
			if (calls)
				broken(check, row->name,
				       "memory backs the region, nobody is called");
			if (row->space != MW_SPACE_MEMORY)
				broken(check, row->name, "no memory backs ports");
			check_field(check, row->name, row->memory_offset, MW_MEMORY, 1, 0, false);
		}
		if (row->space == MW_SPACE_PORT && row->size > 0x10000)
			broken(check, row->name, "there are 64 Ki ports");
		if (row->align & (row->align - 1))
			broken(check, row->name, "an alignment is a power of two");
		check_placement(check, row);
		check_registers(check, row);
	}
}

static void check_timers(struct check *check)
{
	for (size_t i = 0; i < check->type->timers.count; i++) {
		const struct mw_timer_row *row = &check->type->timers.items[i];

		if (!is_name(row->name))
			broken(check, row->name, "a timer needs a lower case name");
		if (!row->help || !row->help[0])
			broken(check, row->name, "a timer needs a help text");
		if (row->kind != MW_TIMER || !row->on_expire)
			broken(check, row->name, "a timer needs a timer field and on_expire");
		if (row->since > check->type->state_version)
			broken(check, row->name, "`since` lies beyond the state version");
		check_field(check, row->name, row->offset, MW_TIMER, 1, 0, false);
	}
}

static void check_state(struct check *check, const struct mw_state *rows, size_t count, size_t base,
			size_t size, unsigned depth);

/* Each element of a nested struct has rows of its own. */
static void check_nested(struct check *check, const struct mw_state *row, size_t base,
			 unsigned depth)
{
	size_t elements = row->count ? row->count : 1;

	if (!row->rows || !row->row_count || !row->stride)
		broken(check, row->name, "a nested struct needs rows and a size");
	else if (depth == MW_STATE_DEPTH)
		broken(check, row->name, "state is nested too deep");
	else
		for (size_t e = 0; e < elements && check->good; e++)
			check_state(check, row->rows, row->row_count,
				    base + row->offset + e * row->stride, row->stride, depth + 1);
}

static void check_state(struct check *check, const struct mw_state *rows, size_t count, size_t base,
			size_t size, unsigned depth)
{
	for (size_t i = 0; i < count; i++) {
		const struct mw_state *row = &rows[i];
		size_t elements = row->count ? row->count : 1;
		bool nested = row->kind == MW_STRUCT_KIND;
		size_t bytes = nested ? row->stride : kind_bytes(row->kind);

		if (!row->name || !row->name[0])
			broken(check, "state", "a row needs a name");
		if (!row->since || row->since > check->type->state_version)
			broken(check, row->name, "`since` lies between 1 and the state version");
		if (!nested && row->kind != MW_BOOL && !is_integer(row->kind))
			broken(check, row->name, "state is integers and bools");
		if (!nested && row->reset > largest(row->kind))
			broken(check, row->name, "the reset value does not fit");
		if (!all_inside(row->offset, bytes, elements, row->stride, size))
			broken(check, row->name, "the state lies outside its struct");
		else if (nested)
			check_nested(check, row, base, depth);
		else
			check_field(check, row->name, base + row->offset, row->kind, row->count,
				    row->stride, false);
	}
}

static void check_roles(struct check *check)
{
	const char *const *claims = check->type->firmware.aml_claims;

	for (; claims && *claims; claims++)
		if (!mw_type_region(check->type, *claims) && !mw_type_wire(check->type, *claims))
			broken(check, *claims, "aml_claims names no region or wire");
	for (size_t i = 0; i < check->type->firmware.roles.count; i++) {
		const struct mw_role_row *role = &check->type->firmware.roles.items[i];
		const struct mw_region *region =
			role->region ? mw_type_region(check->type, role->region) : NULL;

		if (role->region && !region)
			broken(check, role->region, "a role names no region");
		else if (region && region->size && !inside(role->offset, role->size, region->size))
			broken(check, role->region, "a role's register lies outside its region");
	}
}

static void check_setup(struct check *check)
{
	for (size_t i = 0; i < check->type->firmware.setup.count; i++) {
		const struct mw_setup_row *row = &check->type->firmware.setup.items[i];
		bool sized = row->size == 1 || row->size == 2 || row->size == 4;

		if (row->region && !mw_type_region(check->type, row->region))
			broken(check, row->region, "setup names no region");
		if (!check->type->config || !sized || row->at % row->size)
			broken(check, "setup", "a row is an aligned register of a PCI function");
	}
}

/* Two rows of one table with one name would make one of them unreachable. */
#define UNIQUE(check, table)                                                                   \
	for (size_t a = 0; a < (table).count; a++) {                                           \
		for (size_t b = 0; b < a; b++) {                                               \
			const char *one = (table).items[a].name, *two = (table).items[b].name; \
			if (one && two && !strcmp(one, two))                                   \
				broken(check, one, "two rows have this name");                 \
		}                                                                              \
	}

bool mw_device_type_check(const struct mw_device_type *type, struct mw_diagnostics *diagnostics)
{
	struct check check = { type, diagnostics, true, mw_alloc(type->size, 1) };

	if (!is_name(type->name))
		broken(&check, NULL, "needs a lower case name");
	if (!type->summary || !type->summary[0])
		broken(&check, NULL, "needs a summary");
	if (type->main_property && !mw_type_property(type, type->main_property))
		broken(&check, type->main_property, "main_property names no property");
	check_properties(&check);
	check_wires(&check);
	check_regions(&check);
	check_timers(&check);
	check_state(&check, type->state.items, type->state.count, 0, type->size, 0);
	check_roles(&check);
	check_setup(&check);
	UNIQUE(&check, type->properties)
	UNIQUE(&check, type->wires)
	UNIQUE(&check, type->regions)
	UNIQUE(&check, type->timers)
	UNIQUE(&check, type->state)
	free(check.taken);
	return check.good;
}
