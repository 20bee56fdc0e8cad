/** Aligned tables of text. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_DRAW_TABLE_H
#define TOOLS_DRAW_TABLE_H

#include <stdbool.h>

#include "tools/draw/text.h"

enum { MW_TABLE_COLUMNS = 8 };

/** On the caller's stack, zeroed but for what is said; freed with mw_table_fini. Cells are borrowed. */
struct mw_table {
	const char *heads[MW_TABLE_COLUMNS]; /* in capitals, ended by NULL where there are fewer */
	bool right[MW_TABLE_COLUMNS];        /* flush right */
	const char *(*rows)[MW_TABLE_COLUMNS];
	size_t count, capacity;
};

/** Adds a row of empty cells and returns it, borrowed until the next one is added. */
const char **mw_table_row(struct mw_table *table);
/** Writes the head and the rows, each with `indent` blanks before it and none at its end. */
void mw_table_print(const struct mw_table *table, unsigned indent, FILE *out);
void mw_table_fini(struct mw_table *table);

#endif
