/** Two machines side by side, fact by fact: what their guests would notice, and what they would not. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_DIFF_DIFF_H
#define TOOLS_DIFF_DIFF_H

#include "core/plan.h"
#include "tools/json.h"

enum mw_fact_section {
	MW_FACT_MACHINE,
	MW_FACT_CPU,
	MW_FACT_MEMORY,
	MW_FACT_ACCEL,
	MW_FACT_POWER,
	MW_FACT_BOOT,
	MW_FACT_DOMAIN,
	MW_FACT_NODE,
	MW_FACT_LINE,
	MW_FACT_LINK,
	MW_FACT_OTHER
};

/** One thing a plan's text says. Texts are the list's. */
struct mw_fact {
	enum mw_fact_section section;
	const char *name;  /* of the node, line, link or domain; "" for the others */
	const char *key;   /* with dots: "io.bank"; "" where the name says it all */
	const char *value; /* as the text spells it; a list's items with ", " between */
};

/** Sorted by section, name, key, value. In the arena it was made with. */
struct mw_facts {
	struct mw_fact *items;
	size_t count, capacity;
};

/** Reads the canonical text of a plan, whole or the guest's. Any text may come: what has not the form
 * gives facts all the same. Linear but for the sort. */
void mw_facts_read(struct mw_facts *facts, struct mw_arena *arena, const char *text, size_t length);

/** What differs in one fact; `from` or `to` is NULL where it is missing. */
struct mw_change {
	enum mw_fact_section section;
	const char *name, *key, *from, *to;
	bool whole; /* the other side has nothing of this section and name */
};
struct mw_changes {
	struct mw_change *items;
	size_t count, capacity;
};

/** Filled by mw_diff_plans or mw_diff_texts, freed with mw_diff_fini. `guest.count` is 0 exactly when
 * the guests' texts are equal, which is when the ABI hashes are. */
struct mw_diff {
	struct mw_arena arena;
	struct mw_changes guest, host;
};
void mw_diff_plans(struct mw_diff *diff, const struct mw_plan *a, const struct mw_plan *b);
/** The guests' texts alone. */
void mw_diff_texts(struct mw_diff *diff, const char *a, size_t a_length, const char *b,
		   size_t b_length);
void mw_diff_fini(struct mw_diff *diff);

/** The guest's canonical text, new (free()). */
char *mw_diff_guest_text(const struct mw_plan *plan, size_t *length);

/** Changes as text: grouped, aligned, a line each with - or +. */
void mw_changes_print(const struct mw_changes *changes, unsigned indent, bool colour, FILE *out);
/** As an array of objects. */
void mw_changes_json(const struct mw_changes *changes, struct mw_json *json, const char *key);
/** One change in a line: "node com1: io.bank 0x3f8+0x8 becomes 0x2e8+0x8". In the arena. */
const char *mw_change_words(struct mw_arena *arena, const struct mw_change *change);

#endif
