/** Four-character ACPI names made of node ids (ACPI 6.5, 5.3 and 20.2.2). */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/tables/tables_internal.h"

void mw_acpi_names_init(struct mw_acpi_names *names, size_t capacity)
{
	names->slot_count = 16;
	while (names->slot_count < capacity * 2)
		names->slot_count *= 2;
	names->slots = mw_alloc(names->slot_count, sizeof(*names->slots));
}

void mw_acpi_names_fini(struct mw_acpi_names *names)
{
	free(names->slots);
	*names = (struct mw_acpi_names){ 0 };
}

/** Adds the name unless it is there. */
static bool take(struct mw_acpi_names *names, const char *name)
{
	uint32_t segment = (uint32_t)mw_get_le((const uint8_t *)name, 4);
	size_t mask = names->slot_count - 1;
	size_t slot = (size_t)(segment * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
	for (; names->slots[slot]; slot = (slot + 1) & mask) {
		if (names->slots[slot] == segment)
			return false;
	}
	names->slots[slot] = segment;
	return true;
}

/** "virtio-blk12" gives "VI12": what fits of the letters, and all of a number of up to 3 digits. */
static void shorten(const char *id, char name[5])
{
	size_t length = strlen(id), digits = 0, used = 0;
	while (digits < length && isdigit((unsigned char)id[length - 1 - digits]))
		digits++;
	if (digits > 3)
		digits = 0;
	for (size_t i = 0; i < length - digits && used < 4 - digits; i++) {
		if (isalnum((unsigned char)id[i]))
			name[used++] = (char)toupper((unsigned char)id[i]);
	}
	for (size_t i = length - digits; i < length && used < 4; i++)
		name[used++] = id[i];
	memset(name + used, '_', 4 - used);
	name[4] = 0;
}

/** Number n of all names of a letter and three letters or digits. */
static void spell(uint32_t n, char name[5])
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	name[3] = digit[n % 36];
	name[2] = digit[n / 36 % 36];
	name[1] = digit[n / 36 / 36 % 36];
	name[0] = digit[10 + n / 36 / 36 / 36 % 26];
}

void mw_acpi_names_pick(struct mw_acpi_names *names, const char *id, char name[5])
{
	const uint32_t each = 36 * 36 * 36, all = 26 * each;
	shorten(id, name);
	if (take(names, name))
		return;
	uint32_t hash = 2166136261u;
	for (const char *c = id; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	/* a few names of the same letter, then any */
	uint32_t letter = (uint32_t)(name[0] - 'A') * each;
	for (uint32_t tries = 0; tries < all; tries++, hash = (hash ^ tries) * 16777619u) {
		uint32_t n = hash ^ hash >> 16;
		spell(tries < 8 ? letter + n % each : n % all, name);
		if (take(names, name))
			return;
	}
	assert(false && "a plan has fewer nodes than there are names");
}
