/* Allocation that never fails, and arenas of doubling blocks. */
// SPDX-License-Identifier: MIT
#include "core/alloc.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1024 * 1024 };

struct mw_arena_block {
	struct mw_arena_block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

static _Noreturn void out_of_memory(size_t count, size_t size)
{
	fprintf(stderr, "millwright: out of memory (wanted %zu x %zu bytes)\n", count, size);
	abort();
}

void *mw_alloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		out_of_memory(count, size);
	return memory;
}

void *mw_grow(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count ? count : 1, size ? size : 1);

	if (!memory)
		out_of_memory(count, size);
	return memory;
}

char *mw_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mw_alloc(size, 1), text, size);
}

static struct mw_arena_block *new_block(struct mw_arena *arena, size_t wanted)
{
	size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;

	if (size > LARGEST_BLOCK)
		size = LARGEST_BLOCK;
	if (size < wanted)
		size = wanted;
	struct mw_arena_block *block = mw_alloc(1, sizeof(*block) + size);

	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *mw_arena_alloc(struct mw_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
		out_of_memory(count, size);
	bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct mw_arena_block *block = arena->blocks;

	if (!block || block->size - block->used < bytes)
		block = new_block(arena, bytes);
	void *memory = block->bytes + block->used;

	block->used += bytes;
	arena->used_bytes += bytes;
	return memory;
}

char *mw_arena_strndup(struct mw_arena *arena, const char *text, size_t length)
{
	char *copy = mw_arena_alloc(arena, length + 1, 1);

	memcpy(copy, text, length);
	return copy;
}

char *mw_arena_strdup(struct mw_arena *arena, const char *text)
{
	return mw_arena_strndup(arena, text, strlen(text));
}

char *mw_arena_vprintf(struct mw_arena *arena, const char *format, va_list arguments)
{
	va_list again;

	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, again);

	va_end(again);
	size_t size = length < 0 ? 1 : (size_t)length + 1;
	char *text = mw_arena_alloc(arena, size, 1);

	vsnprintf(text, size, format, arguments);
	return text;
}

char *mw_arena_printf(struct mw_arena *arena, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *text = mw_arena_vprintf(arena, format, arguments);

	va_end(arguments);
	return text;
}

void mw_arena_fini(struct mw_arena *arena)
{
	struct mw_arena_block *block = arena->blocks;

	while (block) {
		struct mw_arena_block *next = block->next;

		free(block);
		block = next;
	}
	*arena = (struct mw_arena){ 0 };
}
