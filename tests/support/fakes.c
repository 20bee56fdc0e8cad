/* The far ends of the bench's wires, as device types of their own. */
// SPDX-License-Identifier: MIT
#include "tests/support/fakes.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

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

/* Those who ask wait while it is held; the mutex is theirs afterwards. False: it fails. */
static bool begin(struct fake_image *fake)
{
	pthread_mutex_lock(&fake->mutex);
	while (fake->held)
		pthread_cond_wait(&fake->changed, &fake->mutex);
	return !fake->fails;
}

static bool end(struct fake_image *fake, bool good)
{
	pthread_mutex_unlock(&fake->mutex);
	return good;
}

static bool has(const struct fake_image *fake, uint64_t offset, uint64_t count)
{
	return offset <= fake->count && count <= fake->count - offset;
}

static uint64_t on_size(void *self)
{
	return ((struct fake_image *)self)->count;
}

static bool on_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	struct fake_image *fake = self;
	bool good = begin(fake) && has(fake, offset, count);

	fake->reads++;
	if (good && count)
		memcpy(bytes, fake->bytes + offset, count);
	return end(fake, good);
}

static bool on_write(void *self, uint64_t offset, const void *bytes, size_t count)
{
	struct fake_image *fake = self;
	bool good = begin(fake) && has(fake, offset, count);

	fake->writes++;
	if (good && count)
		memcpy(fake->bytes + offset, bytes, count);
	return end(fake, good);
}

static bool on_flush(void *self)
{
	struct fake_image *fake = self;
	bool good = begin(fake);

	fake->flushes++;
	return end(fake, good);
}

static bool on_discard(void *self, uint64_t offset, uint64_t count)
{
	struct fake_image *fake = self;
	bool good = begin(fake) && has(fake, offset, count);

	fake->discards++;
	if (good && count)
		memset(fake->bytes + offset, 0, count);
	return end(fake, good);
}

static bool on_writable(void *self)
{
	return !((struct fake_image *)self)->read_only;
}

static void take_content(struct fake_image *fake, const struct mw_blob *content)
{
	free(fake->bytes);
	fake->bytes = mw_alloc(content->size + 1, 1);
	fake->count = content->size;
	if (content->size)
		memcpy(fake->bytes, content->bytes, content->size);
}

static bool on_change(void *self, const char *path, struct mw_diagnostics *diagnostics)
{
	struct fake_image *fake = self;

	take_content(fake, &fake->next);
	return true;
}

static bool image_init(void *self, struct mw_diagnostics *diagnostics)
{
	struct fake_image *fake = self;

	pthread_mutex_init(&fake->mutex, NULL);
	pthread_cond_init(&fake->changed, NULL);
	fake->made = true;
	take_content(fake, &fake->content);
	return true;
}

static void image_fini(void *self)
{
	struct fake_image *fake = self;

	if (!fake->made)
		return;
	pthread_cond_destroy(&fake->changed);
	pthread_mutex_destroy(&fake->mutex);
	free(fake->bytes);
}

static const struct mw_property image_properties[] = {
	{ "content", "The bytes.", MW_FIELD(struct fake_image, content) },
	{ "read_only", "Whether it cannot be written.", MW_FIELD(struct fake_image, read_only) },
	{ "path", "What it is called.", MW_FIELD(struct fake_image, path), .is_path = true,
	  .fallback_text = "" },
};
static const struct mw_wire image_wires[] = {
	{ "image", "The device that reads.", .kind = MW_IMAGE, .direction = MW_RECEIVES,
	  .on_size = on_size, .on_read = on_read, .on_write = on_write, .on_flush = on_flush,
	  .on_discard = on_discard, .on_writable = on_writable, .on_change = on_change },
};

const struct mw_device_type fake_image_type = {
	MW_DEVICE_TYPE,
	.name = "fake-image",
	.summary = "an image in memory",
	.size = sizeof(struct fake_image),
	.state_version = 1,
	.main_property = "path",
	.properties = MW_TABLE(image_properties),
	.wires = MW_TABLE(image_wires),
	.ops = { .init = image_init, .fini = image_fini },
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
