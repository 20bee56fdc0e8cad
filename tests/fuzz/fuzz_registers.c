/** Bytes as what a guest and the world do to one device: a type's name, a line end, then steps of
 * tests/support/accesses.h. Nothing may crash, and what is saved afterwards loads byte-equal. */
// SPDX-License-Identifier: MIT
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "devices/registry.h"
#include "tests/support/accesses.h"

enum { MOST_STEPS = 512, STEP_BYTES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t room, unsigned seed);
/* libFuzzer's own; absent where driver.c replays. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t room);

/* There is one at least. */
static size_t count_types(void)
{
	size_t count = 1;

	while (mw_device_types[count])
		count++;
	return count;
}

static const struct mw_device_type *find_type(const uint8_t *name, size_t length)
{
	for (size_t i = 0; mw_device_types[i]; i++)
		if (strlen(mw_device_types[i]->name) == length &&
		    !memcmp(mw_device_types[i]->name, name, length))
			return mw_device_types[i];
	return NULL;
}

/* By name, so that the corpus outlives new types; a name that is none still means one. */
static const struct mw_device_type *pick_type(const uint8_t *name, size_t length)
{
	const struct mw_device_type *type = find_type(name, length);

	return type ? type : mw_device_types[length ? name[0] % count_types() : 0];
}

/* Puts another type's name before the steps; returns the new count, or 0 where there is no room. */
static size_t rename_type(uint8_t *bytes, size_t count, size_t room, size_t old, unsigned seed)
{
	const char *name = mw_device_types[seed % count_types()]->name;
	size_t length = strlen(name) + 1;

	if (length + (count - old) > room)
		return 0;
	memmove(bytes + length, bytes + old, count - old);
	memcpy(bytes, name, length - 1);
	bytes[length - 1] = '\n';
	return length + (count - old);
}

/** Mutates the steps and leaves the type's name alone, but for one time in 16: a name with a letter changed is
 * no other device. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t room, unsigned seed)
{
	uint8_t *end = count ? memchr(bytes, '\n', count) : NULL;
	size_t head = end ? (size_t)(end + 1 - bytes) : 0;

	if (!head || !find_type(bytes, head - 1) || seed % 16 == 0) {
		count = rename_type(bytes, count, room, head, seed / 16);
		end = count ? memchr(bytes, '\n', count) : NULL;
		head = end ? (size_t)(end + 1 - bytes) : 0;
	}
	if (!head || head >= room)
		return count;
	return head + LLVMFuzzerMutate(bytes + head, count - head, room - head);
}

static void check_round_trip(struct rig *rig)
{
	size_t count, again;
	const uint8_t *saved = rig_save(rig, &count);
	uint8_t *copy = mw_alloc(count + 1, 1);

	memcpy(copy, saved, count);
	if (!rig_load(rig, copy, count))
		abort();
	saved = rig_save(rig, &again);
	if (again != count || memcmp(saved, copy, count) != 0)
		abort();
	free(copy);
}

/* A display adapter shows what came of it. */
static void draw(struct rig *rig)
{
	struct mw_canvas canvas = { 0 };

	mw_machine_draw(rig_machine(rig), 0, &canvas);
	free(canvas.pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static bool hushed;
	const uint8_t *end = count ? memchr(bytes, '\n', count) : NULL;

	if (!end)
		return 0;
	if (!hushed) /* stdio is one of the types */
		accesses_hush();
	hushed = true;
	const struct mw_device_type *type = pick_type(bytes, (size_t)(end - bytes));
	struct rig *rig = rig_create(type, NULL);
	size_t rest = count - (size_t)(end + 1 - bytes);

	if (rest > MOST_STEPS * STEP_BYTES)
		rest = MOST_STEPS * STEP_BYTES;
	accesses_run(rig, type, end + 1, rest);
	draw(rig);
	check_round_trip(rig);
	rig_destroy(rig);
	return 0;
}
