/* State rows: reset, save and load. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "core/field.h"
#include "core/machine_internal.h"
#include "core/state_rows.h"

static struct mw_row_set all_rows(const struct mw_device_type *type)
{
	return (struct mw_row_set){ type->state.items, type->state.count, type->state_version };
}

void mw_node_power_on(struct mw_node *node)
{
	mw_rows_reset(all_rows(node->type), node->device, false);
}

void mw_node_reset_state(struct mw_node *node)
{
	mw_rows_reset(all_rows(node->type), node->device, true);
	for (size_t i = 0; i < node->type->timers.count; i++)
		mw_timer_cancel(&node->timers[i]);
}

/** Searches the row that `path` names, one step for each dot, among a struct's rows. */
static const struct mw_state *find_row(const struct mw_state *rows, size_t count, const char *path,
				       size_t *length)
{
	*length = strcspn(path, ".");
	for (size_t i = 0; i < count; i++)
		if (strlen(rows[i].name) == *length && !strncmp(rows[i].name, path, *length))
			return &rows[i];
	return NULL;
}

/* How many elements the rest of the path has below this row. */
static size_t elements_of(const struct mw_state *row, const char *rest)
{
	size_t count = row->count ? row->count : 1, length;

	while (*rest == '.') {
		row = find_row(row->rows, row->row_count, ++rest, &length);
		if (!row)
			return 0;
		count *= row->count ? row->count : 1;
		rest += length;
	}
	return count;
}

bool mw_machine_row(struct mw_machine *machine, uint32_t plan_node, const char *path,
		    size_t element, uint64_t *value, bool write)
{
	struct mw_node *node = machine->nodes[plan_node];
	const struct mw_state *rows = node->type->state.items, *row = NULL;
	size_t count = node->type->state.count, offset = 0, length;

	for (;; path += length + 1, rows = row->rows, count = row->row_count) {
		row = find_row(rows, count, path, &length);
		if (!row)
			return false;
		size_t all = elements_of(row, path + length), own = row->count ? row->count : 1;

		if (element >= all)
			return false;
		offset += row->offset + element / (all / own) * row->stride;
		element %= all / own;
		if (!path[length])
			break;
		if (row->kind != MW_STRUCT_KIND)
			return false;
	}
	if (row->kind == MW_STRUCT_KIND)
		return false;
	if (write)
		mw_field_store(node->device, offset, row->kind, *value);
	else
		*value = mw_field_load(node->device, offset, row->kind);
	return true;
}

enum { TIMER_BYTES = 9 };

/** What a node's saved bytes hold in the form of a version: its rows, then its timers. */
struct node_form {
	struct mw_row_set rows;
	size_t row_bytes, bytes;
};

static bool has_timer(const struct mw_device_type *type, size_t timer, unsigned version)
{
	return type->timers.items[timer].since <= version;
}

static struct node_form form_of(const struct mw_node *node, unsigned version)
{
	struct node_form form = { .rows = all_rows(node->type) };

	form.rows.version = version;
	form.row_bytes = mw_rows_save(form.rows, node->device, NULL, 0);
	form.bytes = form.row_bytes;
	for (size_t i = 0; i < node->type->timers.count; i++)
		form.bytes += has_timer(node->type, i, version) ? TIMER_BYTES : 0;
	return form;
}

void mw_node_layout(const struct mw_node *node, unsigned version, FILE *out)
{
	const struct mw_device_type *type = node->type;

	mw_rows_layout(form_of(node, version).rows, out);
	for (size_t i = 0; i < type->timers.count; i++)
		if (has_timer(type, i, version))
			fprintf(out, "%s timer 1\n", type->timers.items[i].name);
}

size_t mw_node_save(struct mw_machine *machine, size_t index, uint8_t *bytes, size_t capacity)
{
	struct mw_node *node = machine->nodes[index];
	struct node_form form = form_of(node, node->type->state_version);

	if (!form.bytes || form.bytes > capacity)
		return form.bytes;
	mw_rows_save(form.rows, node->device, bytes, capacity);
	bytes += form.row_bytes;
	for (size_t i = 0; i < node->type->timers.count; i++, bytes += TIMER_BYTES) {
		uint64_t when;
		bool armed = mw_timer_armed(&node->timers[i], &when);

		bytes[0] = armed;
		mw_put_le(bytes + 1, 8, armed ? when : 0);
	}
	return form.bytes;
}

static bool refuse(struct mw_diagnostics *diagnostics, const struct mw_node *node, const char *row,
		   const char *why)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "C705", (struct mw_span){ 0 },
			   "saved state of `%s`%s%s: %s", node->plan->id, row ? ", row " : "",
			   row ? row : "", why);
	return false;
}

bool mw_node_check(const struct mw_node *node, unsigned version, const uint8_t *bytes, size_t count,
		   struct mw_diagnostics *diagnostics)
{
	const struct mw_device_type *type = node->type;
	struct node_form form = form_of(node, version);
	const struct mw_state *failed;

	if (count != form.bytes)
		return refuse(diagnostics, node, NULL, "another length than this version's");
	failed = mw_rows_check(form.rows, bytes);
	if (failed)
		return refuse(diagnostics, node, failed->name, "a value out of range");
	bytes += form.row_bytes;
	for (size_t i = 0; i < type->timers.count; i++) {
		if (!has_timer(type, i, version))
			continue;
		if (*bytes > 1)
			return refuse(diagnostics, node, type->timers.items[i].name,
				      "a value out of range");
		bytes += TIMER_BYTES;
	}
	return true;
}

void mw_node_take(struct mw_node *node, unsigned version, const uint8_t *bytes)
{
	struct node_form form = form_of(node, version);

	mw_rows_load(form.rows, node->device, bytes);
	bytes += form.row_bytes;
	for (size_t i = 0; i < node->type->timers.count; i++) {
		bool armed = has_timer(node->type, i, version) && *bytes;

		if (armed)
			mw_timer_arm(&node->timers[i], mw_get_le(bytes + 1, 8));
		else
			mw_timer_cancel(&node->timers[i]);
		bytes += has_timer(node->type, i, version) ? TIMER_BYTES : 0;
	}
}

void mw_node_loaded(struct mw_node *node, struct mw_actor *actor)
{
	if (!node->type->ops.after_load || node->offloaded)
		return;
	mw_node_enter(node, actor);
	node->type->ops.after_load(node->device);
	mw_node_leave(node);
}

bool mw_node_load(struct mw_machine *machine, size_t index, const uint8_t *bytes, size_t count,
		  struct mw_diagnostics *diagnostics)
{
	struct mw_node *node = machine->nodes[index];
	unsigned version = node->type->state_version;

	if (!mw_node_check(node, version, bytes, count, diagnostics))
		return false;
	mw_node_take(node, version, bytes);
	mw_actor_begin(machine->main_actor);
	mw_node_loaded(node, machine->main_actor);
	mw_actor_end(machine->main_actor);
	return true;
}
