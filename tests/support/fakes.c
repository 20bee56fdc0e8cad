/* The far ends of the bench's wires, as device types of their own. */
// SPDX-License-Identifier: MIT
#include "tests/support/fakes.h"

#include <string.h>

static void on_level(void *self, unsigned index, bool level)
{
	struct fake_lines *fake = self;

	fake->rises[index] += level && !fake->level[index];
	fake->level[index] = level;
}

/* Core forgets all levels at a reset and tells only what is high afterwards. */
static void lines_after_reset(void *self)
{
	struct fake_lines *fake = self;

	memset(fake->level, 0, sizeof(fake->level));
}

static const struct mw_wire line_wires[] = {
	{ "in", "What the device drives.", MW_SINK(FAKE_LINES), .on_level = on_level },
	{ "out", "What the device hears.", MW_ARRAY(struct fake_lines, out) },
};

const struct mw_device_type fake_lines_type = {
	MW_DEVICE_TYPE,
	.name = "fake-lines",
	.summary = "the far ends of lines",
	.size = sizeof(struct fake_lines),
	.state_version = 1,
	.wires = MW_TABLE(line_wires),
	.ops = { .after_reset = lines_after_reset },
};

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
	struct fake_stream *fake = self;

	if (count > FAKE_STREAM_BYTES - fake->count)
		count = FAKE_STREAM_BYTES - fake->count;
	memcpy(fake->bytes + fake->count, bytes, count);
	fake->count += count;
}

static const struct mw_wire stream_wires[] = {
	{ "port", "The device's stream.", MW_FIELD(struct fake_stream, port),
	  .on_bytes = on_bytes },
};

const struct mw_device_type fake_stream_type = {
	MW_DEVICE_TYPE,
	.name = "fake-stream",
	.summary = "the far end of a stream",
	.size = sizeof(struct fake_stream),
	.state_version = 1,
	.wires = MW_TABLE(stream_wires),
};

static uint64_t on_size(void *self)
{
	return ((struct fake_image *)self)->content.size;
}

static bool on_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	const struct mw_blob *content = &((struct fake_image *)self)->content;

	if (offset > content->size || count > content->size - offset)
		return false;
	memcpy(bytes, content->bytes + offset, count);
	return true;
}

static const struct mw_property image_properties[] = {
	{ "content", "The bytes.", MW_FIELD(struct fake_image, content) },
};
static const struct mw_wire image_wires[] = {
	{ "image", "The device that reads.", .kind = MW_IMAGE, .direction = MW_RECEIVES,
	  .on_size = on_size, .on_read = on_read },
};

const struct mw_device_type fake_image_type = {
	MW_DEVICE_TYPE,
	.name = "fake-image",
	.summary = "an image in memory",
	.size = sizeof(struct fake_image),
	.state_version = 1,
	.properties = MW_TABLE(image_properties),
	.wires = MW_TABLE(image_wires),
};

static const struct mw_wire reader_wires[] = {
	{ "image", "The image to read.", MW_FIELD(struct fake_reader, image) },
};

const struct mw_device_type fake_reader_type = {
	MW_DEVICE_TYPE,
	.name = "fake-reader",
	.summary = "one who reads an image",
	.size = sizeof(struct fake_reader),
	.state_version = 1,
	.wires = MW_TABLE(reader_wires),
};
