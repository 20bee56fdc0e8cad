/* Lists what lies where. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/draft.h"
#include "tools/draw/words.h"
#include "tools/map/map.h"

/* As in resolver/allocate.c: what every x86 machine holds without a device. */
static const struct mw_map_range fixtures[] = {
	{ MW_MAP_FIXED, 0xfee00000, 0xfeefffff, NULL, "local APICs and messages", NULL, NULL,
	  false },
	{ MW_MAP_FIXED, 0xfeffc000, 0xfeffffff, NULL, "pages of the accelerator", NULL, NULL,
	  false },
};

const char *const mw_map_whats[] = { "claim", "ram", "fixed", "window", "free" };

static void add(struct mw_map *map, struct mw_map_space *space, struct mw_map_range range)
{
	space->items = mw_draft_room(&map->arena, space->items, space->count, &space->capacity,
				     sizeof(range));
	space->items[space->count++] = range;
}

static int rank(const struct mw_map_range *range)
{
	return range->what == MW_MAP_WINDOW ? 0 : range->what == MW_MAP_FREE ? 2 : 1;
}

static int by_base(const void *left, const void *right)
{
	const struct mw_map_range *a = left, *b = right;

	if (a->base != b->base)
		return a->base < b->base ? -1 : 1;
	if (a->last != b->last)
		return a->last > b->last ? -1 : 1;
	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	int order = a->node && b->node ? mw_id_compare(a->node, b->node) : 0;

	return order ? order : mw_id_compare(a->name, b->name);
}

static void sort(struct mw_map_space *space)
{
	if (space->count)
		qsort(space->items, space->count, sizeof(*space->items), by_base);
}

static void add_claims(struct mw_map *map)
{
	for (size_t i = 0; i < map->plan->node_count; i++) {
		const struct mw_plan_node *node = &map->plan->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			const struct mw_plan_claim *claim = &node->claims[c];

			if (claim->kind != MW_CLAIM_IO && claim->kind != MW_CLAIM_MMIO)
				continue;
			add(map, claim->kind == MW_CLAIM_IO ? &map->ports : &map->memory,
			    (struct mw_map_range){ MW_MAP_CLAIM, claim->base,
						   claim->base + (claim->length - 1), node->id,
						   claim->name, node->type->name, claim->overlays,
						   claim->automatic });
		}
	}
}

/* The holes of a window among what is sorted and lies in it. */
static void add_free(struct mw_map *map, struct mw_map_space *space, size_t taken,
		     const struct mw_draft_window *window)
{
	uint64_t at = window->base, last = window->base + (window->length - 1);

	for (size_t i = 0; i < taken && at <= last; i++) {
		struct mw_map_range range = space->items[i];

		if (range.last < at)
			continue;
		if (range.base > last)
			break;
		if (range.base > at)
			add(map, space,
			    (struct mw_map_range){ MW_MAP_FREE, at, range.base - 1, NULL,
						   window->name, NULL, NULL, false });
		if (range.last == UINT64_MAX)
			return;
		at = range.last + 1;
	}
	if (at <= last)
		add(map, space,
		    (struct mw_map_range){ MW_MAP_FREE, at, last, NULL, window->name, NULL, NULL,
					   false });
}

static void add_windows(struct mw_map *map, const struct mw_draft *draft)
{
	size_t taken[] = { map->ports.count, map->memory.count };

	for (size_t i = 0; i < draft->window_count; i++) {
		const struct mw_draft_window *window = &draft->windows[i];
		bool ports = !strncmp(window->name, "io", 2);
		struct mw_map_space *space = ports ? &map->ports : &map->memory;

		if (!window->length || (!ports && strncmp(window->name, "mmio", 4) != 0))
			continue;
		add_free(map, space, taken[!ports], window);
		add(map, space,
		    (struct mw_map_range){ MW_MAP_WINDOW, window->base,
					   window->base + (window->length - 1), NULL, window->name,
					   NULL, NULL, false });
	}
}

static void make_spaces(struct mw_map *map, struct mw_study *study)
{
	const struct mw_plan *plan = map->plan;

	add_claims(map);
	for (size_t i = 0; i < plan->ram_count; i++)
		add(map, &map->memory,
		    (struct mw_map_range){ MW_MAP_RAM, plan->ram[i].base,
					   plan->ram[i].base + (plan->ram[i].length - 1), NULL,
					   "RAM", NULL, NULL, false });
	if (plan->vtl2.range.length)
		add(map, &map->memory,
		    (struct mw_map_range){
			    MW_MAP_RAM, plan->vtl2.range.base,
			    plan->vtl2.range.base + (plan->vtl2.range.length - 1), NULL,
			    plan->vtl2.is_private ? "RAM of VTL 2, private" : "RAM of VTL 2", NULL,
			    NULL, false });
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++)
		add(map, &map->memory, fixtures[i]);
	sort(&map->ports);
	sort(&map->memory);
	if (study)
		add_windows(map, &study->draft);
	sort(&map->ports);
	sort(&map->memory);
}

/* A driver of a line. */
struct user {
	const struct mw_plan_node *node;
	const struct mw_plan_claim *claim;
};

/* Every driver, those of a line side by side; *starts has where each line's begin. */
static struct user *users_of(struct mw_map *map, size_t **starts)
{
	const struct mw_plan *plan = map->plan;
	size_t *start = mw_arena_alloc(&map->arena, plan->net_count + 2, sizeof(*start));
	size_t total = 0;
	struct user *users;

	for (size_t i = 0; i < plan->node_count; i++) {
		for (size_t c = 0; c < plan->nodes[i].claim_count; c++) {
			if (plan->nodes[i].claims[c].kind == MW_CLAIM_IRQ) {
				start[plan->nodes[i].claims[c].net + 2]++;
				total++;
			}
		}
	}
	for (size_t i = 2; i < plan->net_count + 2; i++)
		start[i] += start[i - 1];
	users = mw_arena_alloc(&map->arena, total + 1, sizeof(*users));
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct mw_plan_node *node = &plan->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			if (node->claims[c].kind == MW_CLAIM_IRQ)
				users[start[node->claims[c].net + 1]++] =
					(struct user){ node, &node->claims[c] };
		}
	}
	*starts = start;
	return users;
}

/* A text that is written piece by piece. */
struct words {
	char *text;
	size_t length;
	FILE *out;
};

static void begin(struct words *words)
{
	words->out = open_memstream(&words->text, &words->length);
	if (!words->out)
		abort(); /* only for want of memory */
}

static const char *finish(struct mw_map *map, struct words *words)
{
	fclose(words->out);
	const char *text = mw_arena_strdup(&map->arena, words->text);

	free(words->text);
	return text;
}

static void make_line(struct mw_map *map, uint32_t index, const struct user *users, size_t count)
{
	const struct mw_plan_net *net = &map->plan->nets[index];
	struct mw_map_line *line = &map->lines[index];
	struct words words;

	line->net = net;
	line->line = net->domain ? mw_words_net(&map->arena, map->plan, index) : "-";
	begin(&words);
	for (size_t i = 0; i < count; i++) {
		const char *name = mw_words_claim_name(&map->arena, users[i].node, users[i].claim);

		line->automatic |= users[i].claim->automatic;
		fprintf(words.out, "%s%s%s%s", i ? " " : "", users[i].node->id, name ? "." : "",
			name ? name : "");
	}
	line->users = finish(map, &words);
	begin(&words);
	for (size_t s = 0; s < net->sink_count; s++)
		fprintf(words.out, "%s%s", s ? " " : "",
			mw_words_end(&map->arena, map->plan, net->sinks[s].node, net->sinks[s].wire,
				     net->sinks[s].index));
	line->sinks = finish(map, &words);
}

static void make_lines(struct mw_map *map)
{
	size_t *starts;
	struct user *users = users_of(map, &starts);

	map->line_count = map->plan->net_count;
	map->lines = mw_arena_alloc(&map->arena, map->line_count + 1, sizeof(*map->lines));
	for (size_t i = 0; i < map->line_count; i++)
		make_line(map, (uint32_t)i, users + starts[i], starts[i + 1] - starts[i]);
}

/* "5-7 10" of the lines that are marked. */
static const char *spans(struct mw_map *map, const bool *marked, uint32_t lines)
{
	struct words words;
	const char *between = "";

	begin(&words);
	for (uint32_t i = 0; i < lines; i++) {
		uint32_t first = i;

		if (!marked[i])
			continue;
		while (i + 1 < lines && marked[i + 1])
			i++;
		fprintf(words.out, i > first ? "%s%" PRIu32 "-%" PRIu32 : "%s%" PRIu32, between,
			first, i);
		between = " ";
	}
	return finish(map, &words);
}

static void mark_reserved(struct mw_study *study, const char *name, bool *reserved, uint32_t lines)
{
	struct mw_tree *root = study ? study->document.root : NULL;
	struct mw_tree *domain = mw_tree_get(root ? mw_tree_get(root, "irq") : NULL, name);
	struct mw_tree *list = mw_tree_get(domain, "reserve");

	if (!list || list->kind != MW_TREE_LIST)
		return;
	for (const struct mw_tree *item = list->first; item; item = item->next) {
		uint64_t line;

		if (item->text && mw_tree_int(item->text, &line) && line < lines)
			reserved[line] = true;
	}
}

static void make_domains(struct mw_map *map, struct mw_study *study)
{
	const struct mw_plan *plan = map->plan;

	map->domains = mw_arena_alloc(&map->arena, plan->domain_count + 1, sizeof(*map->domains));
	map->domain_count = plan->domain_count;
	for (size_t i = 0; i < plan->domain_count; i++) {
		const struct mw_plan_domain *domain = &plan->domains[i];
		bool *unused = mw_alloc(domain->lines + 1, sizeof(*unused));
		bool *reserved = mw_alloc(domain->lines + 1, sizeof(*reserved));

		mark_reserved(study, domain->name, reserved, domain->lines);
		for (uint32_t line = 0; line < domain->lines; line++)
			unused[line] = !reserved[line];
		for (size_t n = 0; n < plan->net_count; n++) {
			const struct mw_plan_net *net = &plan->nets[n];

			if (net->domain && !strcmp(net->domain, domain->name) &&
			    net->line < domain->lines)
				unused[net->line] = false;
			/* A line of another domain that ends behind this number takes it too. */
			else if (net->gsi < domain->lines && !strcmp(domain->name, "gsi"))
				unused[net->gsi] = false;
		}
		map->domains[i] = (struct mw_map_domain){ domain->name, domain->lines,
							  spans(map, unused, domain->lines),
							  spans(map, reserved, domain->lines) };
		free(unused);
		free(reserved);
	}
}

/* Where a bus stands in the plan: sys comes first. */
static int by_bus(const void *left, const void *right)
{
	const struct mw_plan_node *a = *(const struct mw_plan_node *const *)left;
	const struct mw_plan_node *b = *(const struct mw_plan_node *const *)right;
	uint32_t x = a->bus_node + 1, y = b->bus_node + 1; /* sys is UINT32_MAX */
	int order;

	if (x != y)
		return x < y ? -1 : 1;
	order = a->address && b->address ? mw_id_compare(a->address, b->address) : 0;
	return order ? order : mw_id_compare(a->id, b->id);
}

static void make_seats(struct mw_map *map)
{
	const struct mw_plan *plan = map->plan;
	const struct mw_plan_node **nodes =
		mw_arena_alloc(&map->arena, plan->node_count + 1, sizeof(struct mw_plan_node *));

	map->seats = mw_arena_alloc(&map->arena, plan->node_count + 1, sizeof(*map->seats));
	for (size_t i = 0; i < plan->node_count; i++) {
		if (!plan->nodes[i].host)
			nodes[map->seat_count++] = &plan->nodes[i];
	}
	if (map->seat_count)
		qsort(nodes, map->seat_count, sizeof(struct mw_plan_node *), by_bus);
	for (size_t i = 0; i < map->seat_count; i++) {
		const struct mw_plan_node *node = nodes[i];
		bool sys = node->bus_node == UINT32_MAX;

		map->seats[i] =
			(struct mw_map_seat){ node->bus,
					      sys ? "system"
						  : plan->nodes[node->bus_node].type->provides,
					      node->address ? node->address : "",
					      node->id,
					      node->type->name,
					      node->address_automatic };
	}
}

void mw_map_make(struct mw_map *map, const struct mw_plan *plan, struct mw_study *study)
{
	*map = (struct mw_map){ .plan = plan };
	make_spaces(map, study);
	make_lines(map);
	make_domains(map, study);
	make_seats(map);
}

void mw_map_fini(struct mw_map *map)
{
	mw_arena_fini(&map->arena);
}

const char *mw_map_range_name(struct mw_map *map, const struct mw_map_range *range)
{
	switch (range->what) {
	case MW_MAP_CLAIM: return mw_arena_printf(&map->arena, "%s.%s", range->node, range->name);
	case MW_MAP_WINDOW: return mw_arena_printf(&map->arena, "window %s", range->name);
	case MW_MAP_FREE: return mw_arena_printf(&map->arena, "free in %s", range->name);
	default: return range->name;
	}
}
