/* The map as aligned tables, and as JSON. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "tools/draw/table.h"
#include "tools/draw/words.h"
#include "tools/json.h"
#include "tools/map/map.h"

static const char *hex(struct mw_map *map, uint64_t value, bool ports)
{
	return mw_arena_printf(&map->arena, ports ? "0x%04" PRIx64 : "0x%010" PRIx64, value);
}

static const char *size_of(struct mw_map *map, const struct mw_map_range *range, bool ports)
{
	uint64_t size = range->last - range->base + 1;

	return ports ? mw_arena_printf(&map->arena, "%" PRIu64, size)
		     : mw_words_size(&map->arena, size);
}

static const char *note(struct mw_map *map, const struct mw_map_range *range)
{
	return mw_arena_printf(&map->arena, "%s%s%s%s", range->automatic ? "auto" : "",
			       range->automatic && range->over ? ", " : "",
			       range->over ? "over " : "", range->over ? range->over : "");
}

static void print_space(struct mw_map *map, const struct mw_map_space *space, bool ports, FILE *out)
{
	struct mw_table table = { .heads = { "FIRST", "LAST", "SIZE", "WHAT", "TYPE", "NOTE" },
				  .right = { false, false, true } };

	for (size_t i = 0; i < space->count; i++) {
		const struct mw_map_range *range = &space->items[i];
		const char **row = mw_table_row(&table);

		row[0] = hex(map, range->base, ports);
		row[1] = hex(map, range->last, ports);
		row[2] = size_of(map, range, ports);
		row[3] = mw_map_range_name(map, range);
		row[4] = range->type ? range->type : "";
		row[5] = note(map, range);
	}
	fputs(ports ? "ports\n" : "memory\n", out);
	mw_table_print(&table, 2, out);
	mw_table_fini(&table);
}

/* Channels of the 8237s, where a device has one. */
static void print_channels(const struct mw_map *map, FILE *out)
{
	const char *before = "  dma channels:";

	for (size_t i = 0; i < map->plan->node_count; i++) {
		const struct mw_plan_node *node = &map->plan->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			if (node->claims[c].kind != MW_CLAIM_DMA)
				continue;
			fprintf(out, "%s %" PRIu32 " %s", before, node->claims[c].channel,
				node->id);
			before = ",";
		}
	}
	if (*before == ',')
		fputc('\n', out);
}

static void print_lines(struct mw_map *map, FILE *out)
{
	struct mw_table table = { .heads = { "LINE", "GSI", "TRIGGER", "POLARITY", "SHARED",
					     "USERS", "ENDS AT", "NOTE" },
				  .right = { false, true } };

	for (size_t i = 0; i < map->line_count; i++) {
		const struct mw_map_line *line = &map->lines[i];
		const char **row = mw_table_row(&table);

		row[0] = line->line;
		row[1] = line->net->gsi == MW_NO_GSI
				 ? "-"
				 : mw_arena_printf(&map->arena, "%" PRIu32, line->net->gsi);
		row[2] = line->net->trigger == MW_TRIGGER_LEVEL ? "level" : "edge";
		row[3] = line->net->polarity == MW_POLARITY_LOW ? "low" : "high";
		row[4] = line->net->shared ? "yes" : "no";
		row[5] = line->users;
		row[6] = line->sinks;
		row[7] = line->automatic ? "auto" : "";
	}
	fputs("interrupt lines\n", out);
	mw_table_print(&table, 2, out);
	mw_table_fini(&table);
	for (size_t i = 0; i < map->domain_count; i++) {
		const struct mw_map_domain *domain = &map->domains[i];

		fprintf(out, "  %s: %" PRIu32 " lines, free: %s", domain->name, domain->lines,
			*domain->free ? domain->free : "none");
		if (*domain->reserved)
			fprintf(out, ", reserved: %s", domain->reserved);
		fputc('\n', out);
	}
	print_channels(map, out);
}

static void print_buses(struct mw_map *map, FILE *out)
{
	struct mw_table table = { .heads = { "BUS", "KIND", "ADDRESS", "NODE", "TYPE", "NOTE" } };

	for (size_t i = 0; i < map->seat_count; i++) {
		const struct mw_map_seat *seat = &map->seats[i];
		const char **row = mw_table_row(&table);

		row[0] = seat->bus;
		row[1] = seat->kind ? seat->kind : "";
		row[2] = *seat->address ? seat->address : "-";
		row[3] = seat->node;
		row[4] = seat->type;
		row[5] = seat->automatic ? "auto" : "";
	}
	fputs("buses\n", out);
	mw_table_print(&table, 2, out);
	mw_table_fini(&table);
}

void mw_map_text(struct mw_map *map, unsigned parts, FILE *out)
{
	fprintf(out, "%s@%" PRIu32 "\n", map->plan->name, map->plan->version);
	if (parts & MW_MAP_PORTS) {
		fputc('\n', out);
		print_space(map, &map->ports, true, out);
	}
	if (parts & MW_MAP_MEMORY) {
		fputc('\n', out);
		print_space(map, &map->memory, false, out);
	}
	if (parts & MW_MAP_LINES) {
		fputc('\n', out);
		print_lines(map, out);
	}
	if (parts & MW_MAP_BUSES) {
		fputc('\n', out);
		print_buses(map, out);
	}
}

static void json_space(const struct mw_map_space *space, struct mw_json *json, const char *key)
{
	mw_json_array(json, key);
	for (size_t i = 0; i < space->count; i++) {
		const struct mw_map_range *range = &space->items[i];

		mw_json_object(json, NULL);
		mw_json_number(json, "first", range->base);
		mw_json_number(json, "last", range->last);
		mw_json_string(json, "what", mw_map_whats[range->what]);
		mw_json_string(json, "node", range->node);
		mw_json_string(json, "name", range->name);
		mw_json_string(json, "type", range->type);
		mw_json_string(json, "over", range->over);
		if (range->what == MW_MAP_CLAIM)
			mw_json_bool(json, "auto", range->automatic);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
}

/* "a b c" as an array. */
static void json_words(struct mw_map *map, struct mw_json *json, const char *key, const char *words)
{
	mw_json_array(json, key);
	while (*words) {
		size_t length = strcspn(words, " ");

		mw_json_string(json, NULL, mw_arena_strndup(&map->arena, words, length));
		words += length + (words[length] == ' ');
	}
	mw_json_end(json, ']');
}

static void json_channels(const struct mw_plan *plan, struct mw_json *json)
{
	mw_json_array(json, "channels");
	for (size_t i = 0; i < plan->node_count; i++) {
		for (size_t c = 0; c < plan->nodes[i].claim_count; c++) {
			const struct mw_plan_claim *claim = &plan->nodes[i].claims[c];

			if (claim->kind != MW_CLAIM_DMA)
				continue;
			mw_json_object(json, NULL);
			mw_json_number(json, "channel", claim->channel);
			mw_json_string(json, "node", plan->nodes[i].id);
			mw_json_string(json, "name", claim->name);
			mw_json_end(json, '}');
		}
	}
	mw_json_end(json, ']');
}

static void json_lines(struct mw_map *map, struct mw_json *json)
{
	mw_json_array(json, "lines");
	for (size_t i = 0; i < map->line_count; i++) {
		const struct mw_map_line *line = &map->lines[i];

		mw_json_object(json, NULL);
		mw_json_string(json, "domain", line->net->domain);
		if (line->net->domain)
			mw_json_number(json, "line", line->net->line);
		if (line->net->gsi != MW_NO_GSI)
			mw_json_number(json, "gsi", line->net->gsi);
		mw_json_string(json, "trigger",
			       line->net->trigger == MW_TRIGGER_LEVEL ? "level" : "edge");
		mw_json_string(json, "polarity",
			       line->net->polarity == MW_POLARITY_LOW ? "low" : "high");
		mw_json_bool(json, "shared", line->net->shared);
		mw_json_bool(json, "auto", line->automatic);
		json_words(map, json, "users", line->users);
		json_words(map, json, "sinks", line->sinks);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
	json_channels(map->plan, json);
	mw_json_array(json, "domains");
	for (size_t i = 0; i < map->domain_count; i++) {
		mw_json_object(json, NULL);
		mw_json_string(json, "name", map->domains[i].name);
		mw_json_number(json, "lines", map->domains[i].lines);
		json_words(map, json, "free", map->domains[i].free);
		json_words(map, json, "reserved", map->domains[i].reserved);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
}

static void json_buses(const struct mw_map *map, struct mw_json *json)
{
	mw_json_array(json, "buses");
	for (size_t i = 0; i < map->seat_count; i++) {
		const struct mw_map_seat *seat = &map->seats[i];

		mw_json_object(json, NULL);
		mw_json_string(json, "bus", seat->bus);
		mw_json_string(json, "kind", seat->kind);
		mw_json_string(json, "address", *seat->address ? seat->address : NULL);
		mw_json_string(json, "node", seat->node);
		mw_json_string(json, "type", seat->type);
		mw_json_bool(json, "auto", seat->automatic);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
}

void mw_map_json(struct mw_map *map, unsigned parts, FILE *out)
{
	struct mw_json json = { .out = out };

	mw_json_object(&json, NULL);
	mw_json_number(&json, "v", 1);
	mw_json_string(&json, "name", map->plan->name);
	mw_json_number(&json, "version", map->plan->version);
	if (parts & MW_MAP_PORTS)
		json_space(&map->ports, &json, "ports");
	if (parts & MW_MAP_MEMORY)
		json_space(&map->memory, &json, "memory");
	if (parts & MW_MAP_LINES)
		json_lines(map, &json);
	if (parts & MW_MAP_BUSES)
		json_buses(map, &json);
	mw_json_end(&json, '}');
}
