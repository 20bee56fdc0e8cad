/** What lies where in a machine: made by model.c, shown by the others. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_MAP_MAP_H
#define TOOLS_MAP_MAP_H

#include "core/plan.h"
#include "resolver/study.h"

enum mw_map_what {
	MW_MAP_CLAIM,
	MW_MAP_RAM,
	MW_MAP_FIXED, /* held by the platform itself: local APICs, the accelerator's pages */
	MW_MAP_WINDOW,
	MW_MAP_FREE /* a hole in a window; in the picture also any other */
};

/** A stretch of ports or memory, base to last inclusive. */
struct mw_map_range {
	enum mw_map_what what;
	uint64_t base, last;
	const char *node, *name; /* of a claim; else `name` says what it is */
	const char *type;
	const char *over; /* the claim it lies over, or NULL */
	bool automatic;
};
struct mw_map_space {
	struct mw_map_range *items; /* by base, wider ones first */
	size_t count, capacity;
};

/** An interrupt line in use. Texts are lists with blanks between. */
struct mw_map_line {
	const char *line; /* "isa:4" */
	const struct mw_plan_net *net;
	const char *users, *sinks;
	bool automatic;
};
/** A domain: which of its lines are free, "5-7 10", and which reserved. */
struct mw_map_domain {
	const char *name;
	uint32_t lines;
	const char *free, *reserved;
};

struct mw_map_seat {
	const char *bus, *kind, *address, *node, *type;
	bool automatic;
};

/** Filled by mw_map_make, freed by mw_map_fini. Borrows the plan. */
struct mw_map {
	struct mw_arena arena;
	const struct mw_plan *plan;
	struct mw_map_space ports, memory;
	struct mw_map_line *lines;
	size_t line_count;
	struct mw_map_domain *domains;
	size_t domain_count;
	struct mw_map_seat *seats; /* by bus in the plan's order, then by address */
	size_t seat_count;
};

/** `study` (NULL: none) knows the windows and the lines that are reserved. */
void mw_map_make(struct mw_map *map, const struct mw_plan *plan, struct mw_study *study);
void mw_map_fini(struct mw_map *map);

/** What to show, bits. */
enum {
	MW_MAP_PORTS = 1u << 0,
	MW_MAP_MEMORY = 1u << 1,
	MW_MAP_LINES = 1u << 2,
	MW_MAP_BUSES = 1u << 3,
	MW_MAP_ALL = 15
};
void mw_map_text(struct mw_map *map, unsigned parts, FILE *out);
void mw_map_json(struct mw_map *map, unsigned parts, FILE *out);
void mw_map_svg(struct mw_map *map, unsigned parts, FILE *out);

/** Words that the formats share. */
const char *mw_map_range_name(struct mw_map *map, const struct mw_map_range *range);
extern const char *const mw_map_whats[];

#endif
