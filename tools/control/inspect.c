/* Looking into a machine: its nodes and the state rows of one of them, all at one moment. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "tools/control/control_internal.h"

/* More of one row than anyone reads. */
enum { MOST_ELEMENTS = 4096, PATH_BYTES = 200, MOST_NESTING = 8 };

struct look {
	struct mw_machine *machine;
	long node;    /* -1: none in particular */
	json_t *rows; /* of that node */
	bool running, went_on;
	unsigned resets;
	uint64_t now_ns;
	char path[PATH_BYTES];
};

static unsigned digits_of(enum mw_kind kind)
{
	switch (kind) {
	case MW_BOOL: return 1;
	case MW_U8: return 2;
	case MW_U16: return 4;
	case MW_U32: return 8;
	default: return 16;
	}
}

/* JSON's numbers end before 64 bits do, so all are hexadecimal text; what is of single bytes is one string. */
static json_t *values_of(struct look *look, enum mw_kind kind, size_t elements)
{
	size_t shown = elements < MOST_ELEMENTS ? elements : MOST_ELEMENTS;
	unsigned digits = digits_of(kind);
	size_t width = digits + (kind == MW_U8 || kind == MW_BOOL ? 0 : 1);
	char *text = mw_alloc(shown * width + 1, 1), one[24];
	uint64_t value = 0;
	json_t *result;

	if (kind == MW_BOOL)
		digits = 1, width = 1;
	for (size_t i = 0; i < shown; i++) {
		mw_machine_row(look->machine, (uint32_t)look->node, look->path, i, &value, false);
		snprintf(one, sizeof(one), "%0*" PRIx64 " ", (int)digits, value);
		memcpy(text + i * width, one, width);
	}
	if (shown && text[shown * width - 1] == ' ')
		text[shown * width - 1] = '\0';
	result = json_string(text);
	free(text);
	return result;
}

static void look_at_row(struct look *look, enum mw_kind kind, size_t elements)
{
	json_t *row = json_pack("{s:s, s:o}", "name", look->path, "value",
				values_of(look, kind, elements));

	if (elements > 1)
		json_object_set_new(row, "count", json_integer((json_int_t)elements));
	json_array_append_new(look->rows, row);
}

static void look_at_rows(struct look *look, const struct mw_state *rows, size_t count,
			 size_t elements, unsigned depth)
{
	size_t length = strlen(look->path);

	for (size_t i = 0; i < count; i++) {
		size_t all = elements * (rows[i].count ? rows[i].count : 1);

		snprintf(look->path + length, sizeof(look->path) - length, "%s%s",
			 length ? "." : "", rows[i].name);
		if (rows[i].kind != MW_STRUCT_KIND)
			look_at_row(look, rows[i].kind, all);
		else if (depth < MOST_NESTING)
			look_at_rows(look, rows[i].rows, rows[i].row_count, all, depth + 1);
		look->path[length] = '\0';
	}
}

static void look_inside(void *context, struct mw_machine *machine)
{
	struct look *look = context;

	look->running = mw_machine_is_running(machine);
	mw_machine_stop(machine);
	mw_machine_fetch_chips(machine);
	look->now_ns = mw_clock_now(mw_machine_clock(machine));
	look->resets = mw_machine_resets(machine);
	if (look->node >= 0) {
		const struct mw_device_type *type =
			mw_machine_plan(machine)->nodes[look->node].type;

		look_at_rows(look, type->state.items, type->state.count, 1, 0);
	}
	look->went_on = !look->running || mw_machine_start(machine) == MW_STATUS_OK;
}

static json_t *node_of(const struct mw_plan_node *node)
{
	return json_pack("{s:s, s:s, s:s}", "id", node->id, "type", node->type->name, "summary",
			 node->type->summary);
}

static json_t *nodes_of(const struct look *look)
{
	const struct mw_plan *plan = mw_machine_plan(look->machine);
	json_t *nodes = json_array();

	for (size_t i = 0; i < plan->node_count; i++)
		if (look->node < 0 || (size_t)look->node == i)
			json_array_append_new(nodes, node_of(&plan->nodes[i]));
	return nodes;
}

json_t *control_inspect(struct mw_control *control, const json_t *arguments,
			struct control_error *error)
{
	const char *id = json_string_value(json_object_get(arguments, "node"));
	const struct mw_plan *plan = mw_machine_plan(control->machine);
	struct look look = { .machine = control->machine,
			     .node = id ? mw_plan_find(plan, id) : -1 };
	json_t *result;

	if (id && look.node < 0)
		return control_fail(error, "the machine has no node `%.60s`", id);
	look.rows = json_array();
	if (!control_on_main(control, look_inside, &look) || !look.went_on) {
		json_decref(look.rows);
		return control_fail(error, "the machine is over");
	}
	result = json_pack("{s:s, s:s, s:I, s:i, s:o}", "name", plan->name, "status",
			   look.running ? "running" : "paused", "clock-ns", (json_int_t)look.now_ns,
			   "resets", (int)look.resets, "nodes", nodes_of(&look));
	json_object_set_new(result, "rows", look.rows);
	return result;
}
