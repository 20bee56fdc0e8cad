/** Where profiles and chipsets are looked for. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_SEARCH_H
#define TOOLS_SEARCH_H

#include <stddef.h>

/** Folders that hold profiles/ and chipsets/, the first wins: the current folder, those of
 * MILLWRIGHT_PATH, the share folder of the installation, and the source tree when the program runs
 * from its build folder. Filled by mw_search_init, freed by mw_search_fini. */
struct mw_search {
	char **folders;
	size_t count;
	size_t own; /* of them the first: the current folder and MILLWRIGHT_PATH */
};

/** `path` is MILLWRIGHT_PATH's value or NULL, `program` the program's own path or NULL. */
void mw_search_init(struct mw_search *search, const char *path, const char *program);
void mw_search_fini(struct mw_search *search);

/** The folders with `extra` (ended by NULL; may be NULL) behind those of MILLWRIGHT_PATH: a new array
 * (free()) of borrowed names, *count of them. */
const char **mw_search_with(const struct mw_search *search, const char *const *extra,
			    size_t *count);

#endif
