/** Memory: zeroed allocations that never fail, and an arena freed as a whole. */
// SPDX-License-Identifier: MIT
#ifndef CORE_ALLOC_H
#define CORE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

/** Returns new zeroed memory (free with free()). Out of memory ends the process with a message:
 * this is the one place where it is fatal. Never call it with a size a guest chose. */
void *mw_alloc(size_t count, size_t size);

/** Like realloc for arrays, never fails; new elements are NOT zeroed. */
void *mw_grow(void *old, size_t count, size_t size);

char *mw_strdup(const char *text);

/** Everything that lives and dies with one plan, document or report. Created by the object that
 * owns it, used by one thread at a time, freed as a whole by mw_arena_fini. */
struct mw_arena {
	struct mw_arena_block *blocks;
	size_t used_bytes; /* of all blocks, for budgets and tests */
};

/** Returns zeroed memory aligned for any object; borrowed from the arena. */
void *mw_arena_alloc(struct mw_arena *arena, size_t count, size_t size);
char *mw_arena_strdup(struct mw_arena *arena, const char *text);
char *mw_arena_strndup(struct mw_arena *arena, const char *text, size_t length);
char *mw_arena_printf(struct mw_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *mw_arena_vprintf(struct mw_arena *arena, const char *format, va_list arguments);
void mw_arena_fini(struct mw_arena *arena);

#endif
