/** The spelling of a plan's canonical text; private to core/plan_*.c. */
// SPDX-License-Identifier: MIT
#ifndef CORE_PLAN_WRITER_H
#define CORE_PLAN_WRITER_H

#include "core/plan.h"

/** Where the output stands. An open list item of YAML owes its "- ". */
struct mw_plan_writer {
	FILE *out;
	bool json, guest;
	unsigned depth;
	bool first;     /* nothing written yet in this map or list */
	bool item_open; /* the next key follows "- " */
	const struct mw_plan *plan;
};

/** Begins an entry of the open map or list. */
void mw_put_indent(struct mw_plan_writer *writer);
/** A name, plain where every YAML reader keeps it text. */
void mw_put_word(struct mw_plan_writer *writer, const char *word);
/** A key, without its value; the caller ends the line. */
void mw_put_key(struct mw_plan_writer *writer, const char *name);
void mw_put_end_line(struct mw_plan_writer *writer);
/** Entries of a map with a value each. */
void mw_put_word_at(struct mw_plan_writer *writer, const char *name, const char *value);
void mw_put_text_at(struct mw_plan_writer *writer, const char *name, const char *value);
void mw_put_number_at(struct mw_plan_writer *writer, const char *name, uint64_t value);
void mw_put_hex_at(struct mw_plan_writer *writer, const char *name, uint64_t value);
void mw_put_bool_at(struct mw_plan_writer *writer, const char *name, bool value);
void mw_put_range(struct mw_plan_writer *writer, uint64_t base, uint64_t length);
void mw_put_range_at(struct mw_plan_writer *writer, const char *name, uint64_t base,
		     uint64_t length);
/** Blocks; each is closed by its own kind. */
void mw_put_open_map(struct mw_plan_writer *writer, const char *name);
void mw_put_close_map(struct mw_plan_writer *writer);
void mw_put_open_list(struct mw_plan_writer *writer, const char *name);
void mw_put_close_list(struct mw_plan_writer *writer);
/** A scalar item: the caller writes it and ends the line. */
void mw_put_item(struct mw_plan_writer *writer);
void mw_put_word_item(struct mw_plan_writer *writer, const char *value);
void mw_put_text_item(struct mw_plan_writer *writer, const char *value);
/** A map as an item of a list; closed as a map. */
void mw_put_open_item(struct mw_plan_writer *writer);
/** A list of names, nothing where there are none. */
void mw_put_words_at(struct mw_plan_writer *writer, const char *name, const char *const *items);

/** plan_text_machine.c: the blocks that are the machine's own, from `cpu` to `boot_from_host`. */
void mw_plan_put_machine(struct mw_plan_writer *writer);

#endif
