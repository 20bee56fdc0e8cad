/* Draws a graph that has its places. */
// SPDX-License-Identifier: MIT
#include "tools/draw/svg.h"

#include <stdlib.h>

#include "tools/graph/graph.h"

enum { MARGIN = 20, PAD = 8, BAR = 24, LANE = 8, BASE = 12 };

static const char *const hues[MW_SVG_HUES] = { "route hue0", "route hue1", "route hue2",
					       "route hue3", "route hue4", "route hue5",
					       "route hue6", "route hue7" };
static const char *const dots[MW_SVG_HUES] = { "dot0", "dot1", "dot2", "dot3",
					       "dot4", "dot5", "dot6", "dot7" };
static const char *const inks[MW_SVG_HUES] = { "ink0", "ink1", "ink2", "ink3",
					       "ink4", "ink5", "ink6", "ink7" };

/* The lines of buses go first, so that boxes lie over them. */
static void draw_rails(const struct mw_graph *graph, const struct mw_graph_node *bus, FILE *out)
{
	long x = bus->x + 6, rail = bus->y + BAR, last = MW_GRAPH_NONE, right = x;

	if (bus->spine > bus->y + BAR)
		mw_svg_line(out, "rail", x, bus->y + BAR, x, bus->spine);
	for (long i = bus->first_child; i != MW_GRAPH_NONE; i = graph->nodes[i].next_child) {
		const struct mw_graph_node *node = &graph->nodes[i];

		if (last >= 0 && node->rail != graph->nodes[last].rail) {
			if (graph->nodes[last].rail != rail)
				mw_svg_line(out, "rail", x, graph->nodes[last].rail, right,
					    graph->nodes[last].rail);
		}
		right = node->x + node->width / 2 + 1;
		mw_svg_line(out, "stub", node->x + node->width / 2, node->rail,
			    node->x + node->width / 2, node->y);
		last = i;
	}
	if (last >= 0 && graph->nodes[last].rail != rail)
		mw_svg_line(out, "rail", x, graph->nodes[last].rail, right,
			    graph->nodes[last].rail);
	for (long i = bus->first_bus; i != MW_GRAPH_NONE; i = graph->nodes[i].next_bus)
		mw_svg_line(out, "rail", x, graph->nodes[i].y + BAR / 2, graph->nodes[i].x,
			    graph->nodes[i].y + BAR / 2);
}

static void draw_bus(const struct mw_graph_node *bus, FILE *out)
{
	long x = bus->x + PAD;

	mw_svg_open(out, "node", bus->id, bus->tip);
	mw_svg_box(out, "bus", bus->x, bus->y, bus->width, BAR);
	for (size_t i = 0; i < bus->text_count; i++) {
		mw_svg_text(out, i ? "onbusdim" : "onbus", x, bus->y + 16, bus->texts[i].text);
		x += (long)mw_svg_text_width(bus->texts[i].text) + 2 * PAD;
	}
	mw_svg_close(out);
}

static void draw_box(const struct mw_graph_node *node, FILE *out)
{
	const char *class = node->kind == MW_GRAPH_CONTROLLER ? "controller"
			    : node->kind == MW_GRAPH_HOST     ? "hostbox"
							      : "device";
	long foot = MW_SVG_LINE * (long)node->feet + 4, y = node->y + PAD + BASE;
	size_t body = node->text_count - node->feet;

	mw_svg_open(out, "node", node->id, node->tip);
	mw_svg_box(out, class, node->x, node->y, node->width, node->height);
	if (node->feet)
		mw_svg_box(out, "hostbox", node->x + 3, node->y + node->height - foot - 3,
			   node->width - 6, foot);
	for (size_t i = 0; i < body; i++, y += MW_SVG_LINE)
		mw_svg_text(out, node->texts[i].class, node->x + PAD, y, node->texts[i].text);
	y = node->y + node->height - foot - 1 + BASE;
	for (size_t i = body; i < node->text_count; i++, y += MW_SVG_LINE)
		mw_svg_text(out, node->texts[i].class, node->x + PAD, y, node->texts[i].text);
	mw_svg_close(out);
}

/* From a device down to its lane and along it to the upright; the number stands at the foot. */
static void draw_routes(const struct mw_graph *graph, const struct mw_graph_node *node, FILE *out)
{
	size_t stubs = mw_graph_stubs(node);

	for (size_t i = 0; i < node->route_count; i++) {
		const struct mw_graph_route *route = &node->routes[i];
		const struct mw_graph_domain *domain = &graph->domains[route->domain];
		size_t hue = route->domain % MW_SVG_HUES, at = i < stubs ? i : stubs - 1;
		bool bus = node->kind == MW_GRAPH_BUS;
		bool more = i + 1 == stubs && node->route_count > stubs;
		long x = bus ? node->x + node->width : mw_graph_stub_x(node, at);

		mw_svg_open(out, "irq", NULL, route->tip);
		if (!bus)
			mw_svg_line(out, hues[hue], x, node->y + node->height, x, route->lane);
		mw_svg_line(out, hues[hue], x, route->lane, domain->left, route->lane);
		if (i < stubs && (!bus || !i))
			mw_svg_text(out, inks[hue], x + 4,
				    bus ? node->y + 8 : node->y + node->height + 13,
				    more ? "..." : route->label);
		mw_svg_dot(out, dots[hue], domain->left, route->lane);
		mw_svg_close(out);
	}
}

static void draw_uprights(const struct mw_graph *graph, FILE *out)
{
	for (size_t i = 0; i < graph->domain_count; i++) {
		const struct mw_graph_domain *domain = &graph->domains[i];

		if (domain->bottom > domain->top)
			mw_svg_line(out, hues[i % MW_SVG_HUES], domain->left, domain->top,
				    domain->left, domain->bottom);
	}
}

/* Its place on its bus, and the lines that come in. */
static void draw_controller(const struct mw_graph *graph, const struct mw_graph_node *node,
			    FILE *out)
{
	long side = node->x + node->width;

	if (node->bus == (long)graph->sys)
		mw_svg_line(out, "rail", side + MARGIN - 6, node->y + 16, side, node->y + 16);
	for (size_t e = 0; e < node->entry_count; e++) {
		size_t domain = node->entries[e].domain, hue = domain % MW_SVG_HUES;
		long y = node->y + PAD + MW_SVG_LINE * (long)node->entries[e].row + MW_SVG_LINE / 2;

		mw_svg_line(out, hues[hue], graph->domains[domain].left, y, node->x, y);
		mw_svg_dot(out, dots[hue], graph->domains[domain].left, y);
	}
}

static void draw_controllers(const struct mw_graph *graph, FILE *out)
{
	const struct mw_graph_node *sys = &graph->nodes[graph->sys], *last = NULL;

	for (size_t i = 0; i < graph->controller_count; i++) {
		const struct mw_graph_node *node = &graph->nodes[graph->controllers[i]];

		draw_controller(graph, node, out);
		last = node->bus == (long)graph->sys ? node : last;
	}
	if (last)
		mw_svg_line(out, "rail", last->x + last->width + MARGIN - 6, sys->y + BAR,
			    last->x + last->width + MARGIN - 6, last->y + 18);
}

/* From stub to stub, or round by the left. */
static void draw_way(const struct mw_graph_wire *wire, const long x[2], FILE *out)
{
	if (wire->direct) {
		mw_svg_line(out, "wire", x[0], wire->lane[0], x[1], wire->lane[0]);
		return;
	}
	for (unsigned side = 0; side < 2; side++)
		mw_svg_line(out, "wire", x[side], wire->lane[side], wire->x, wire->lane[side]);
	mw_svg_line(out, "wire", wire->x, wire->lane[0], wire->x, wire->lane[1]);
}

/* Out of the feet of two devices, along their lanes, and together at the left. */
static void draw_wires(const struct mw_graph *graph, FILE *out)
{
	long *used = mw_alloc(graph->node_count, sizeof(*used));

	for (size_t i = 0; i < graph->wire_count; i++) {
		const struct mw_graph_wire *wire = &graph->wires[i];
		long x[2];

		if (!wire->drawn)
			continue;
		mw_svg_open(out, "wire", NULL, wire->text);
		for (unsigned side = 0; side < 2; side++) {
			const struct mw_graph_node *node = &graph->nodes[wire->node[side]];

			x[side] = node->x + node->width - PAD - 8 * (used[wire->node[side]]++ % 4);
			mw_svg_line(out, "wire", x[side], node->y + node->height, x[side],
				    wire->lane[side]);
			mw_svg_dot(out, "wiredot", x[side], node->y + node->height);
		}
		draw_way(wire, x, out);
		mw_svg_close(out);
	}
	free(used);
}

/* One entry of the legend: a mark and its words; goes to the next line where there is no room. */
struct legend {
	const struct mw_graph *graph;
	FILE *out;
	long x, y, width;
};

static long legend_room(struct legend *legend, const char *text)
{
	long width = 40 + (long)mw_svg_text_width(text) + 24, x = legend->x;

	if (x > MARGIN && x + width > legend->width - MARGIN) {
		x = MARGIN;
		legend->y += 22;
	}
	legend->x = x + width;
	return x;
}

static void legend_box(struct legend *legend, const char *class, const char *text)
{
	long x = legend_room(legend, text);

	if (!legend->out)
		return;
	mw_svg_box(legend->out, class, x, legend->y, 30, 14);
	mw_svg_text(legend->out, "dim", x + 38, legend->y + 11, text);
}

static void legend_line(struct legend *legend, const char *class, const char *text)
{
	long x = legend_room(legend, text);

	if (!legend->out)
		return;
	mw_svg_line(legend->out, class, x, legend->y + 7, x + 30, legend->y + 7);
	mw_svg_text(legend->out, "dim", x + 38, legend->y + 11, text);
}

static void draw_legend(struct legend *legend)
{
	const struct mw_graph *graph = legend->graph;
	struct mw_arena arena = { 0 };

	legend_box(legend, "bus", "bus");
	legend_box(legend, "device", "device");
	if (graph->controller_count)
		legend_box(legend, "controller", "interrupt controller");
	legend_box(legend, "hostbox", "host side");
	for (size_t i = 0; i < graph->domain_count; i++) {
		const struct mw_graph_domain *domain = &graph->domains[i];
		const char *text = mw_arena_printf(
			&arena,
			domain->sink >= 0 ? "wired to %s: %zu" : "lines of %s: %zu driver%s",
			mw_draw_cut(&arena, domain->name, 30), domain->route_count,
			domain->route_count == 1 ? "" : "s");

		legend_line(legend, hues[i % MW_SVG_HUES], text);
	}
	if (graph->drawn_wires)
		legend_line(legend, "wire", "wire between devices");
	mw_arena_fini(&arena);
}

void mw_graph_svg(const struct mw_graph *graph, FILE *out)
{
	struct legend legend = { graph, NULL, MARGIN, graph->legend, graph->width };

	draw_legend(&legend); /* for its height alone */
	mw_svg_begin(out, (unsigned)graph->width, (unsigned)legend.y + 14 + MARGIN, graph->title,
		     graph->summary);
	mw_svg_text(out, "title", MARGIN, 26, graph->title);
	mw_svg_text(out, "dim", MARGIN, 44, graph->summary);
	draw_uprights(graph, out);
	for (size_t i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].kind == MW_GRAPH_BUS && graph->nodes[i].width)
			draw_rails(graph, &graph->nodes[i], out);
	}
	for (size_t i = 0; i < graph->node_count; i++)
		draw_routes(graph, &graph->nodes[i], out);
	draw_controllers(graph, out);
	draw_wires(graph, out);
	for (size_t i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].kind == MW_GRAPH_BUS && graph->nodes[i].width)
			draw_bus(&graph->nodes[i], out);
		else if (graph->nodes[i].kind != MW_GRAPH_DOCKED &&
			 graph->nodes[i].kind != MW_GRAPH_BUS)
			draw_box(&graph->nodes[i], out);
	}
	legend = (struct legend){ graph, out, MARGIN, graph->legend, graph->width };
	draw_legend(&legend);
	mw_svg_end(out);
}
