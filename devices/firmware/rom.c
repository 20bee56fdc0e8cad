/* Read-only memory with a file's bytes in it: firmware, option ROMs. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "core/device.h"
#include "core/diagnostics.h"

enum { PLACE_END, PLACE_START };
enum { ERASED = 0xff };

struct rom {
	uint32_t place;
	struct mw_image *image;
	struct mw_memory *memory, *low;
};

static bool fail(const struct rom *rom, struct mw_diagnostics *diagnostics, const char *what,
		 uint64_t image_bytes, uint64_t rom_bytes)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "%s: %s: the image has %" PRIu64 " bytes, the ROM %" PRIu64,
			   mw_device_id(rom), what, image_bytes, rom_bytes);
	return false;
}

/* As a board does with the top of its ROM: it is below 1 MiB too. */
static void show_end(struct rom *rom, const uint8_t *bytes, uint64_t capacity)
{
	uint64_t shown;
	uint8_t *low = mw_memory_bytes(rom->low, &shown);
	uint64_t count = shown < capacity ? shown : capacity;

	if (!shown)
		return;
	memset(low, ERASED, shown);
	memcpy(low + (shown - count), bytes + (capacity - count), count);
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct rom *rom = self;
	uint64_t capacity, size = mw_image_size(rom->image);
	uint8_t *bytes = mw_memory_bytes(rom->memory, &capacity);
	uint64_t start = rom->place == PLACE_END ? capacity - size : 0;

	if (!size)
		return fail(rom, diagnostics, "nothing to put into it", size, capacity);
	if (size > capacity)
		return fail(rom, diagnostics, "the image is too large", size, capacity);
	memset(bytes, ERASED, capacity);
	if (!mw_image_read(rom->image, 0, bytes + start, size))
		return fail(rom, diagnostics, "the image cannot be read", size, capacity);
	show_end(rom, bytes, capacity);
	return true;
}

static const char *const places[] = { "end", "start", NULL };
static const struct mw_property properties[] = {
	{ "place",
	  "Where an image shorter than the ROM lies; the rest reads as erased (0xff). An x86 CPU "
	  "starts "
	  "16 bytes below the end.",
	  MW_FIELD(struct rom, place), .fallback = PLACE_END, .members = places },
};
static const struct mw_wire wires[] = {
	{ "image", "The bytes.", MW_FIELD(struct rom, image) },
};
static const struct mw_region regions[] = {
	{ "memory", MW_SPACE_MEMORY, 0, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct rom, memory) },
	{ "low", MW_SPACE_MEMORY, 0, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct rom, low), .optional = true },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type rom_type = {
	MW_DEVICE_TYPE,
	.name = "rom",
	.summary = "read-only memory, filled from a file",
	.size = sizeof(struct rom),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.ops = { .init = init },
};
