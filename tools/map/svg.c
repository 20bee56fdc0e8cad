/* The map as a picture: two address spaces as columns, lines as a grid, buses as lists. */
// SPDX-License-Identifier: MIT
#include "tools/draw/svg.h"

#include <inttypes.h>
#include <string.h>

#include "tools/draw/words.h"
#include "tools/map/map.h"

enum {
	MARGIN = 20,
	HEAD = 58,
	ROW = 22,
	BASE = 15,
	GAP = 30,
	CELL_HEIGHT = 40,
	CELLS = 8,
	NAME = 34,
	INSIDE = 14
};

/* A column of the picture. With `out` NULL it is only measured. */
struct panel {
	struct mw_map *map;
	FILE *out;
	long x, width, bottom;
};

static void text(struct panel *panel, const char *class, long x, long y, const char *words)
{
	long right = x + (long)mw_svg_text_width(words) - panel->x;

	panel->width = right > panel->width ? right : panel->width;
	if (panel->out)
		mw_svg_text(panel->out, class, x, y, words);
}

static void box(struct panel *panel, const char *class, long x, long y, long width, long height)
{
	long right = x + width - panel->x;

	panel->width = right > panel->width ? right : panel->width;
	panel->bottom = y + height > panel->bottom ? y + height : panel->bottom;
	if (panel->out)
		mw_svg_box(panel->out, class, x, y, width, height);
}

static void tip(struct panel *panel, const char *words)
{
	if (panel->out)
		mw_svg_open(panel->out, "part", NULL, words);
}

static void end_tip(struct panel *panel)
{
	if (panel->out)
		mw_svg_close(panel->out);
}

static const char *class_of(const struct mw_map_range *range)
{
	static const char *const classes[] = {
		[MW_MAP_CLAIM] = "claim",   [MW_MAP_RAM] = "ram",   [MW_MAP_FIXED] = "fixed",
		[MW_MAP_WINDOW] = "window", [MW_MAP_FREE] = "hole",
	};

	return range->automatic ? "placed" : classes[range->what];
}

/* Higher where there is more, by the logarithm: a box of 4 GiB is some three rows. */
static long height_of(const struct mw_map_range *range, bool ports)
{
	uint64_t size = range->last - range->base;
	long bits = 0;

	while (size >>= 1)
		bits++;
	bits -= ports ? 4 : 16;
	return ROW + (bits > 0 ? bits * 2 : 0);
}

static const char *hex(struct panel *panel, uint64_t value, bool ports)
{
	return mw_arena_printf(&panel->map->arena, ports ? "0x%04" PRIx64 : "0x%010" PRIx64, value);
}

/* What stands in the box of a range. */
static const char *range_words(struct panel *panel, const struct mw_map_range *range)
{
	struct mw_arena *arena = &panel->map->arena;
	const char *name = mw_map_range_name(panel->map, range);

	return mw_arena_printf(arena, "%s, %s%s%s%s", mw_draw_cut(arena, name, NAME),
			       mw_words_size(arena, range->last - range->base + 1),
			       range->over ? ", over " : "",
			       range->over ? mw_draw_cut(arena, range->over, NAME) : "",
			       range->automatic ? ", auto" : "");
}

/* How wide the boxes of a space must be. */
static long box_width(struct panel *panel, const struct mw_map_space *space)
{
	long widest = 0;

	for (size_t i = 0; i < space->count; i++) {
		long width = (long)mw_svg_text_width(range_words(panel, &space->items[i]));

		widest = width > widest ? width : widest;
	}
	return widest + 2 * 8 + INSIDE;
}

static void draw_range(struct panel *panel, const struct mw_map_range *range, bool ports,
		       bool inside, long width, long *y)
{
	struct mw_arena *arena = &panel->map->arena;
	long numbers = (long)mw_svg_width(ports ? 6 : 12) + 8, height = height_of(range, ports);
	long shift = inside ? INSIDE : 0, x = panel->x + numbers + shift;
	const char *name = mw_map_range_name(panel->map, range);

	tip(panel, mw_arena_printf(arena, "%s\n%s to %s, %s%s%s", name,
				   hex(panel, range->base, ports), hex(panel, range->last, ports),
				   mw_words_size(arena, range->last - range->base + 1),
				   range->type ? "\n" : "", range->type ? range->type : ""));
	text(panel, "dim", panel->x, *y + BASE, hex(panel, range->base, ports));
	box(panel, class_of(range), x, *y, width - shift, height - 3);
	text(panel,
	     range->what == MW_MAP_FREE || range->what == MW_MAP_WINDOW ? "dim"
	     : range->automatic                                         ? "auto"
									: "fact",
	     x + 8, *y + BASE, range_words(panel, range));
	end_tip(panel);
	*y += height;
}

/* What neither a claim nor a window holds is a thin row of its own. */
static void draw_gap(struct panel *panel, uint64_t from, uint64_t to, bool ports, long *y)
{
	struct mw_map_range range = { MW_MAP_FREE, from, to, NULL, "", NULL, NULL, false };
	struct mw_arena *arena = &panel->map->arena;
	long numbers = (long)mw_svg_width(ports ? 6 : 12) + 8;

	text(panel, "dim", panel->x, *y + BASE, hex(panel, from, ports));
	text(panel, "dim", panel->x + numbers + 8, *y + BASE,
	     mw_arena_printf(arena, "nothing, %s",
			     mw_words_size(arena, range.last - range.base + 1)));
	*y += ROW;
}

static void draw_space(struct panel *panel, const struct mw_map_space *space, bool ports)
{
	uint64_t at = 0, window = 0;
	bool wrapped = false, in_window = false;
	long y = HEAD + 24, width = box_width(panel, space);

	text(panel, "title", panel->x, HEAD + 12, ports ? "ports" : "memory");
	for (size_t i = 0; i < space->count; i++) {
		const struct mw_map_range *range = &space->items[i];

		if (!wrapped && range->base > at)
			draw_gap(panel, at, range->base - 1, ports, &y);
		in_window = in_window && range->base <= window;
		draw_range(panel, range, ports, in_window && range->what != MW_MAP_WINDOW, width,
			   &y);
		if (range->what == MW_MAP_WINDOW) {
			window = range->last;
			in_window = true;
			at = range->base > at ? range->base : at;
		} else if (range->last >= at) {
			wrapped = range->last == UINT64_MAX;
			at = range->last + 1;
		}
	}
	text(panel, "dim", panel->x, y + BASE,
	     ports     ? at <= 0xffff ? mw_arena_printf(&panel->map->arena, "%s on: nothing more",
							hex(panel, at, ports))
				      : ""
	     : wrapped ? ""
		       : mw_arena_printf(&panel->map->arena, "%s on: nothing more",
					 hex(panel, at, ports)));
	panel->bottom = y + ROW > panel->bottom ? y + ROW : panel->bottom;
}

static const struct mw_map_line *line_of(const struct mw_map *map, size_t *next, const char *domain,
					 uint32_t line)
{
	/* Lines come by domain and number. */
	for (size_t i = *next; i < map->line_count; i++) {
		const struct mw_plan_net *net = map->lines[i].net;

		if (net->domain && !strcmp(net->domain, domain) && net->line == line) {
			*next = i + 1;
			return &map->lines[i];
		}
	}
	return NULL;
}

static void draw_cell(struct panel *panel, const struct mw_map_line *line, uint32_t number, long x,
		      long y)
{
	struct mw_arena *arena = &panel->map->arena;
	long width = (long)mw_svg_width(15);
	const char *label = mw_arena_printf(arena, "%" PRIu32, number);

	if (line)
		tip(panel,
		    mw_arena_printf(arena, "%s: %s, %s\n%s\nends at %s", line->line,
				    line->net->trigger == MW_TRIGGER_LEVEL ? "level" : "edge",
				    line->net->polarity == MW_POLARITY_LOW ? "low" : "high",
				    line->users, line->sinks));
	box(panel,
	    !line             ? "hole"
	    : line->automatic ? "placed"
			      : "claim",
	    x, y, width - 4, CELL_HEIGHT - 4);
	text(panel, line ? "id" : "dim", x + 6, y + BASE, label);
	if (line) {
		text(panel, line->automatic ? "auto" : "fact", x + 6, y + BASE + 15,
		     mw_draw_cut(arena, line->users, 13));
		end_tip(panel);
	}
}

static void draw_lines(struct panel *panel)
{
	struct mw_map *map = panel->map;
	long y = HEAD + 24, width = (long)mw_svg_width(15);

	text(panel, "title", panel->x, HEAD + 12, "interrupt lines");
	for (size_t i = 0; i < map->domain_count; i++) {
		const struct mw_map_domain *domain = &map->domains[i];
		size_t next = 0;

		text(panel, "dim", panel->x, y + BASE,
		     mw_arena_printf(&map->arena, "%s, %" PRIu32 " lines",
				     mw_draw_cut(&map->arena, domain->name, NAME), domain->lines));
		y += ROW;
		for (uint32_t line = 0; line < domain->lines; line++) {
			draw_cell(panel, line_of(map, &next, domain->name, line), line,
				  panel->x + width * (long)(line % CELLS),
				  y + CELL_HEIGHT * (long)(line / CELLS));
			panel->width = panel->width > width * CELLS ? panel->width : width * CELLS;
		}
		y += CELL_HEIGHT * (long)((domain->lines + CELLS - 1) / CELLS) + 8;
	}
	panel->bottom = y > panel->bottom ? y : panel->bottom;
}

static const char *seat_words(struct panel *panel, const struct mw_map_seat *seat)
{
	struct mw_arena *arena = &panel->map->arena;

	return mw_arena_printf(arena, "%s%s%s%s", seat->address, *seat->address ? " " : "",
			       mw_draw_cut(arena, seat->node, NAME),
			       seat->automatic ? ", auto" : "");
}

static void draw_buses(struct panel *panel)
{
	struct mw_map *map = panel->map;
	struct mw_arena *arena = &map->arena;
	long y = HEAD + 24, names = 0;

	for (size_t i = 0; i < map->seat_count; i++) {
		long width = (long)mw_svg_text_width(seat_words(panel, &map->seats[i])) + 16;

		names = width > names ? width : names;
	}
	text(panel, "title", panel->x, HEAD + 12, "buses");
	for (size_t i = 0; i < map->seat_count; i++) {
		const struct mw_map_seat *seat = &map->seats[i];

		if (!i || strcmp(map->seats[i - 1].bus, seat->bus) != 0) {
			y += i ? 8 : 0;
			text(panel, "id", panel->x, y + BASE,
			     mw_arena_printf(arena, "%s (%s)", mw_draw_cut(arena, seat->bus, NAME),
					     seat->kind ? seat->kind : ""));
			y += ROW;
		}
		text(panel, seat->automatic ? "auto" : "fact", panel->x + 16, y + BASE,
		     seat_words(panel, seat));
		text(panel, "dim", panel->x + 16 + names, y + BASE,
		     mw_draw_cut(arena, seat->type, 24));
		y += ROW - 4;
	}
	panel->bottom = y > panel->bottom ? y : panel->bottom;
}

/* Every part side by side; with `out` NULL it only measures. */
static void draw_all(struct panel *panel, unsigned parts)
{
	for (unsigned part = MW_MAP_PORTS; part <= MW_MAP_BUSES; part <<= 1) {
		panel->width = 0;
		if (!(parts & part))
			continue;
		if (part == MW_MAP_LINES)
			draw_lines(panel);
		else if (part == MW_MAP_BUSES)
			draw_buses(panel);
		else
			draw_space(panel,
				   part == MW_MAP_PORTS ? &panel->map->ports : &panel->map->memory,
				   part == MW_MAP_PORTS);
		panel->x += panel->width + GAP;
	}
}

void mw_map_svg(struct mw_map *map, unsigned parts, FILE *out)
{
	struct panel panel = { map, NULL, MARGIN, 0, 0 };
	const char *title =
		mw_arena_printf(&map->arena, "%s@%" PRIu32, map->plan->name, map->plan->version);
	const char *summary = mw_arena_printf(
		&map->arena, "%s of RAM, %zu interrupt lines in use; auto: placed by the resolver",
		mw_words_size(&map->arena, map->plan->ram_bytes), map->line_count);
	long least = (long)mw_svg_text_width(summary) + 2 * MARGIN;

	draw_all(&panel, parts);
	panel.x = panel.x - GAP + MARGIN;
	mw_svg_begin(out, (unsigned)(panel.x > least ? panel.x : least),
		     (unsigned)panel.bottom + MARGIN, title, summary);
	mw_svg_text(out, "title", MARGIN, 26, title);
	mw_svg_text(out, "dim", MARGIN, 44, summary);
	panel = (struct panel){ map, out, MARGIN, 0, 0 };
	draw_all(&panel, parts);
	mw_svg_end(out);
}
