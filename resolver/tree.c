/* The document tree: look-up by key, copies, and scalars as numbers. */
// SPDX-License-Identifier: MIT
#include "resolver/tree.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

/* A map of up to this many keys is searched without an index. */
enum { SMALL_MAP = 8 };

struct mw_tree_index {
	uint32_t filled; /* children of the map that are in it */
	uint32_t capacity;
	struct mw_tree *newest;
	struct mw_tree **slots;
};

struct mw_tree *mw_tree_new(struct mw_arena *arena, enum mw_tree_kind kind, struct mw_span span)
{
	struct mw_tree *tree = mw_arena_alloc(arena, 1, sizeof(*tree));

	tree->kind = kind;
	tree->span = span;
	if (kind == MW_TREE_MAP)
		tree->arena = arena;
	return tree;
}

static uint64_t hash_seed;

static void make_seed(void)
{
	if (getrandom(&hash_seed, sizeof(hash_seed), GRND_NONBLOCK) != sizeof(hash_seed))
		hash_seed = (uintptr_t)&hash_seed;
	hash_seed |= 1;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	a ^= a >> 32;
	a *= b;
	return a ^ a >> 29;
}

/* Keyed, so that nobody can write a profile whose keys all fall into one slot. */
static uint64_t hash_key(const char *key)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t length = strlen(key);
	uint64_t hash, word;

	pthread_once(&once, make_seed);
	hash = hash_seed ^ length;
	for (size_t i = 0; i < length; i += sizeof(word)) {
		size_t left = length - i < sizeof(word) ? length - i : sizeof(word);

		word = 0;
		memcpy(&word, key + i, left);
		hash = mix(hash ^ mix(word + hash_seed, 0x9e3779b97f4a7c15u), 0xd6e8feb86659fd93u);
	}
	return hash;
}

static struct mw_tree **find_slot(struct mw_tree_index *index, const char *key)
{
	size_t mask = index->capacity - 1, slot = hash_key(key) & mask;

	while (index->slots[slot] && strcmp(index->slots[slot]->key, key) != 0)
		slot = (slot + 1) & mask;
	return &index->slots[slot];
}

/* The first of two equal keys stays: the reader has already complained about the second. */
static void fill_index(struct mw_tree_index *index, struct mw_tree *from)
{
	for (struct mw_tree *child = from; child; child = child->next) {
		struct mw_tree **slot = find_slot(index, child->key);

		if (!*slot)
			*slot = child;
		index->filled++;
		index->newest = child;
	}
}

static void update_index(struct mw_tree *map)
{
	struct mw_tree_index *index = map->index;

	if (!index)
		index = map->index = mw_arena_alloc(map->arena, 1, sizeof(*index));
	if (index->capacity < map->count * 2) {
		uint32_t capacity = 32;

		while (capacity < map->count * 4)
			capacity *= 2;
		*index = (struct mw_tree_index){ .capacity = capacity };
		index->slots = mw_arena_alloc(map->arena, capacity, sizeof(struct mw_tree *));
		fill_index(index, map->first);
	} else if (index->filled < map->count) {
		fill_index(index, index->newest ? index->newest->next : map->first);
	}
}

struct mw_tree *mw_tree_get(struct mw_tree *map, const char *key)
{
	if (!map || map->kind != MW_TREE_MAP)
		return NULL;
	if (map->count > SMALL_MAP && map->arena) {
		update_index(map);
		return *find_slot(map->index, key);
	}
	for (struct mw_tree *child = map->first; child; child = child->next) {
		if (strcmp(child->key, key) == 0)
			return child;
	}
	return NULL;
}

void mw_tree_append(struct mw_tree *parent, struct mw_tree *child)
{
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

struct mw_tree *mw_tree_copy(struct mw_arena *arena, const struct mw_tree *tree)
{
	struct mw_tree *copy = mw_arena_alloc(arena, 1, sizeof(*copy));

	*copy = *tree;
	copy->next = NULL;
	copy->index = NULL;
	if (copy->kind == MW_TREE_MAP)
		copy->arena = arena;
	return copy;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Reads a number and leaves *text behind it. A leading zero would be octal to some readers and
 * decimal to others, so it is no number. */
static bool take_number(const char **text, uint64_t *value)
{
	const char *at = *text;
	unsigned base = 10;

	if (at[0] == '0' && at[1] == 'x') {
		base = 16;
		at += 2;
	} else if (at[0] == '0' && digit_of(at[1]) < 10) {
		return false;
	}
	const char *start = at;

	*value = 0;
	for (; digit_of(*at) < (int)base; at++) {
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, (unsigned)digit_of(*at), value))
			return false;
	}
	*text = at;
	return at != start;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static bool number_with_unit(const char *text, const struct unit *units, bool bare, uint64_t *value)
{
	uint64_t number;

	if (!take_number(&text, &number))
		return false;
	if (*text == '\0' && (bare || number == 0)) {
		*value = number;
		return true;
	}
	for (; units->name; units++) {
		if (strcmp(text, units->name) == 0)
			return !__builtin_mul_overflow(number, units->factor, value);
	}
	return false;
}

bool mw_tree_int(const char *text, uint64_t *value)
{
	uint64_t number;

	if (!take_number(&text, &number) || *text)
		return false;
	*value = number;
	return true;
}

bool mw_tree_size(const char *text, uint64_t *value)
{
	static const struct unit units[] = { { "KiB", 1ull << 10 },
					     { "MiB", 1ull << 20 },
					     { "GiB", 1ull << 30 },
					     { "TiB", 1ull << 40 },
					     { NULL, 0 } };

	return number_with_unit(text, units, true, value);
}

bool mw_tree_duration(const char *text, uint64_t *nanoseconds)
{
	static const struct unit units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { NULL, 0 }
	};

	return number_with_unit(text, units, false, nanoseconds);
}

bool mw_tree_frequency(const char *text, uint64_t *hertz)
{
	static const struct unit units[] = {
		{ "Hz", 1 }, { "kHz", 1000 }, { "MHz", 1000000 }, { "GHz", 1000000000 }, { NULL, 0 }
	};

	return number_with_unit(text, units, false, hertz);
}

bool mw_tree_bool(const char *text, bool *value)
{
	*value = strcmp(text, "true") == 0;
	return *value || strcmp(text, "false") == 0;
}

bool mw_tree_range(const char *text, uint64_t *base, uint64_t *length)
{
	uint64_t last;

	return take_number(&text, base) && *text == '+' && mw_tree_size(text + 1, length) &&
	       *length > 0 && !__builtin_add_overflow(*base, *length - 1, &last);
}

/* A verbatim text starts at the scalar's first byte, or behind its quote. */
struct mw_span mw_tree_span(const struct mw_diagnostics *diagnostics, const struct mw_tree *scalar,
			    size_t offset, size_t length)
{
	struct mw_span span = scalar->span;

	if (!scalar->text || scalar->evaluated || span.source == 0 ||
	    span.source > diagnostics->source_count)
		return span;
	const struct mw_source *source = &diagnostics->sources[span.source - 1];
	size_t size = strlen(scalar->text), quote = scalar->quoted ? 1 : 0;

	if (span.length < size + 2 * quote || span.byte + quote + size > source->length ||
	    memcmp(source->text + span.byte + quote, scalar->text, size) != 0 ||
	    offset + length > size)
		return span;
	span.byte += (uint32_t)(quote + offset);
	span.length = (uint32_t)length;
	return span;
}
