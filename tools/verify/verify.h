/** What a guest says of its machine, and what of it is not in the plan. Private to the verb. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_VERIFY_VERIFY_H
#define TOOLS_VERIFY_VERIFY_H

#include "core/alloc.h"
#include "core/plan.h"

/** One section of a report: "== KIND NAME ..." and the lines up to the next. */
struct verify_section {
	const char *kind, *name; /* "" when absent */
	char **lines;
	size_t count;
};
/** A whole report; in its arena. */
struct verify_facts {
	struct mw_arena arena;
	struct verify_section *sections;
	size_t count;
	bool whole; /* it ends as it should */
};
/** Reads a report; at most 16 MiB of it. The text is changed. */
void verify_facts_read(struct verify_facts *facts, char *text, size_t length);
void verify_facts_fini(struct verify_facts *facts);
/** The section, or NULL. `from` NULL: the first; else the next after it. */
const struct verify_section *verify_section(const struct verify_facts *facts, const char *kind,
					    const struct verify_section *from);
/** The bytes that a section gives in hexadecimal. */
uint8_t *verify_bytes(struct verify_facts *facts, const struct verify_section *section,
		      size_t *count);

/** A comparison on its way. */
struct verify {
	const struct mw_plan *plan;
	struct verify_facts *facts;
	const char **differences; /* sentences */
	size_t count, capacity;
	unsigned ports, ranges, lines, functions, tables; /* how many were compared */
};
/** A difference: `place` is where the guest said it, or should have. */
void verify_say(struct verify *verify, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void verify_places(struct verify *verify);
void verify_lines(struct verify *verify);
void verify_functions(struct verify *verify);
void verify_tables(struct verify *verify);

/** What lies at a base address register of a function, as the guest's kernel has it. */
struct verify_bar {
	uint64_t first, last;
	bool ports;
};
/** Bars and ROMs of all functions; at most `capacity`. */
size_t verify_bars(const struct verify_facts *facts, struct verify_bar *bars, size_t capacity);

/** The script for the guest. */
extern const char verify_probe[];

#endif
