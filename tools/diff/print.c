/* Changes as text and as JSON. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/diff/diff.h"
#include "tools/draw/text.h"

static const char *const sections[] = {
	[MW_FACT_MACHINE] = "machine", [MW_FACT_CPU] = "cpu",     [MW_FACT_MEMORY] = "memory",
	[MW_FACT_ACCEL] = "accel",     [MW_FACT_POWER] = "power", [MW_FACT_BOOT] = "boot",
	[MW_FACT_DOMAIN] = "domain",   [MW_FACT_NODE] = "node",   [MW_FACT_LINE] = "line",
	[MW_FACT_LINK] = "link",       [MW_FACT_OTHER] = "other",
};

static bool same_thing(const struct mw_change *a, const struct mw_change *b)
{
	return a->section == b->section && !strcmp(a->name, b->name);
}

static void print_head(const struct mw_change *change, unsigned indent, FILE *out)
{
	fprintf(out, "%*s%s", (int)indent, "", sections[change->section]);
	if (*change->name) {
		fputc(' ', out);
		mw_draw_put(out, MW_ESCAPE_NONE, change->name);
	}
	if (change->whole && change->section > MW_FACT_BOOT)
		fputs(change->to ? " (added)" : " (removed)", out);
	fputc('\n', out);
}

static void print_side(const struct mw_change *change, bool added, unsigned indent, unsigned width,
		       bool colour, FILE *out)
{
	const char *value = added ? change->to : change->from;

	if (!value)
		return;
	fprintf(out, "%*s%s%c ", (int)indent, "", colour ? (added ? "\033[32m" : "\033[31m") : "",
		added ? '+' : '-');
	mw_draw_put(out, MW_ESCAPE_NONE, change->key);
	fprintf(out, "%*s", (int)(width - mw_draw_columns(change->key)) + 2, "");
	mw_draw_put(out, MW_ESCAPE_NONE, value);
	fputs(colour ? "\033[m\n" : "\n", out);
}

void mw_changes_print(const struct mw_changes *changes, unsigned indent, bool colour, FILE *out)
{
	for (size_t i = 0, end; i < changes->count; i = end) {
		unsigned width = 0;

		for (end = i;
		     end < changes->count && same_thing(&changes->items[i], &changes->items[end]);
		     end++) {
			unsigned columns = mw_draw_columns(changes->items[end].key);

			width = columns > width ? columns : width;
		}
		print_head(&changes->items[i], indent, out);
		for (size_t row = i; row < end; row++) {
			print_side(&changes->items[row], false, indent + 2, width, colour, out);
			print_side(&changes->items[row], true, indent + 2, width, colour, out);
		}
	}
}

void mw_changes_json(const struct mw_changes *changes, struct mw_json *json, const char *key)
{
	mw_json_array(json, key);
	for (size_t i = 0; i < changes->count; i++) {
		const struct mw_change *change = &changes->items[i];

		mw_json_object(json, NULL);
		mw_json_string(json, "section", sections[change->section]);
		mw_json_string(json, "name", *change->name ? change->name : NULL);
		mw_json_string(json, "key", *change->key ? change->key : NULL);
		mw_json_string(json, "from", change->from);
		mw_json_string(json, "to", change->to);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
}

/* "node com1: io.bank", "cpu count", "line isa:4: trigger". */
static const char *thing_words(struct mw_arena *arena, const struct mw_change *change)
{
	if (change->whole && *change->name)
		return mw_arena_printf(arena, "%s %s", sections[change->section], change->name);
	if (*change->name)
		return mw_arena_printf(arena, "%s %s: %s", sections[change->section], change->name,
				       change->key);
	return mw_arena_printf(arena, "%s %s", sections[change->section], change->key);
}

const char *mw_change_words(struct mw_arena *arena, const struct mw_change *change)
{
	const char *thing = thing_words(arena, change);

	if (change->whole && *change->name)
		return mw_arena_printf(arena, "%s %s", thing,
				       change->to ? "is new" : "is there no more");
	if (!change->from)
		return mw_arena_printf(arena, "%s %s is new", thing, change->to);
	if (!change->to)
		return mw_arena_printf(arena, "%s %s is there no more", thing, change->from);
	return mw_arena_printf(arena, "%s %s becomes %s", thing, change->from, change->to);
}
