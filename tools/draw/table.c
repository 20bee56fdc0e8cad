/* Tables: as wide as their widest cells. */
// SPDX-License-Identifier: MIT
#include "tools/draw/table.h"

#include <stdlib.h>

const char **mw_table_row(struct mw_table *table)
{
	if (table->count == table->capacity) {
		table->capacity = table->capacity ? 2 * table->capacity : 32;
		table->rows = mw_grow(table->rows, table->capacity, sizeof(*table->rows));
	}
	const char **row = table->rows[table->count++];

	for (size_t i = 0; i < MW_TABLE_COLUMNS; i++)
		row[i] = "";
	return row;
}

static void print_row(const struct mw_table *table, const char *const *cells,
		      const unsigned *widths, unsigned indent, FILE *out)
{
	unsigned owed = indent; /* blanks before the next word */

	for (size_t i = 0; i < MW_TABLE_COLUMNS && table->heads[i]; i++) {
		unsigned pad = widths[i] - mw_draw_columns(cells[i]);

		owed += table->right[i] ? pad : 0;
		if (*cells[i]) {
			fprintf(out, "%*s", (int)owed, "");
			mw_draw_put(out, MW_ESCAPE_NONE, cells[i]);
			owed = 0;
		}
		owed += 2 + (table->right[i] ? 0 : pad);
	}
	fputc('\n', out);
}

void mw_table_print(const struct mw_table *table, unsigned indent, FILE *out)
{
	unsigned widths[MW_TABLE_COLUMNS] = { 0 };

	for (size_t i = 0; i < MW_TABLE_COLUMNS && table->heads[i]; i++) {
		widths[i] = mw_draw_columns(table->heads[i]);
		for (size_t row = 0; row < table->count; row++) {
			unsigned width = mw_draw_columns(table->rows[row][i]);

			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	print_row(table, table->heads, widths, indent, out);
	for (size_t row = 0; row < table->count; row++)
		print_row(table, table->rows[row], widths, indent, out);
}

void mw_table_fini(struct mw_table *table)
{
	free(table->rows);
}
