/** Any bytes as an overlay image: refused, or a disk that keeps what is written to it, in a file that is still an
 * image afterwards. Input: chunks of 64 bytes for the beginnings of the file's clusters, in turn; then what is
 * left over says what is done to the disk. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/backend/qcow2_internal.h"
#include "tests/fuzz/check.h"

enum { CLUSTERS = 8, CHUNK = 64, CHUNKS = 3 * CLUSTERS, BASE_BYTES = 3 * QCOW2_CLUSTER + 512 };
enum { MOST_BYTES = 4096, MOST_STEPS = 24 };

static int base_file, file;
static struct mw_medium base, medium;
static struct mw_why why;

static void open_file(int fd, struct mw_medium *out, bool write)
{
	const struct mw_medium_options options = { .write = write, .unmap = true };
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(mw_medium_open(out, path, &options, &why));
}

static void set_up(void)
{
	base_file = memfd_create("base", MFD_CLOEXEC);
	file = memfd_create("image", MFD_CLOEXEC);
	CHECK(ftruncate(base_file, BASE_BYTES) == 0);
	CHECK(pwrite(base_file, "base", 4, 0) == 4);
	open_file(base_file, &base, false);
}

static void write_file(const uint8_t *bytes, size_t count)
{
	CHECK(ftruncate(file, 0) == 0);
	CHECK(ftruncate(file, CLUSTERS * QCOW2_CLUSTER) == 0);
	for (size_t i = 0; i < CHUNKS && i * CHUNK < count; i++) {
		size_t part = count - i * CHUNK < CHUNK ? count - i * CHUNK : CHUNK;
		size_t at = i % CLUSTERS * QCOW2_CLUSTER + i / CLUSTERS * CHUNK;

		CHECK(pwrite(file, bytes + i * CHUNK, part, (off_t)at) == (ssize_t)part);
	}
}

/** What was written is there, now and when the image is opened again. */
static void write_some(struct mw_qcow2 *image, uint64_t offset, size_t count, uint8_t value)
{
	uint8_t bytes[MOST_BYTES], got[MOST_BYTES];

	memset(bytes, value, count);
	if (!mw_qcow2_write(image, offset, bytes, count))
		return;
	CHECK(mw_qcow2_read(image, offset, got, count));
	CHECK(memcmp(bytes, got, count) == 0);
}

static void use(struct mw_qcow2 *image, const uint8_t *steps, size_t count)
{
	uint8_t bytes[MOST_BYTES];
	bool own;

	for (size_t i = 0; i + 4 <= count && i < MOST_STEPS * 4; i += 4) {
		uint64_t offset = (uint64_t)steps[i + 1] << (steps[i + 2] % 36);
		size_t length = (size_t)steps[i + 3] * (MOST_BYTES / 256) + 1;

		switch (steps[i] % 6) {
		case 0: mw_qcow2_read(image, offset, bytes, length); break;
		case 1: CHECK(mw_qcow2_flush(image)); break;
		case 2: mw_qcow2_discard(image, offset, (uint64_t)length << 8); break;
		case 3: mw_qcow2_extent(image, offset, &own); break;
		default: write_some(image, offset, length, steps[i]); break;
		}
	}
}

static void open_again(uint64_t size)
{
	uint8_t byte = 1, got;
	struct mw_qcow2 *image;

	mw_medium_close(&medium);
	open_file(file, &medium, true);
	CHECK(mw_qcow2_open(&image, &medium, &base, &why));
	CHECK(mw_qcow2_size(image) == size);
	if (size && mw_qcow2_write(image, size - 1, &byte, 1))
		CHECK(mw_qcow2_read(image, size - 1, &got, 1) && got == 1);
	CHECK(mw_qcow2_close(image));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct mw_qcow2 *image;

	if (!base_file)
		set_up();
	write_file(bytes, count);
	open_file(file, &medium, true);
	if (mw_qcow2_open(&image, &medium, &base, &why)) {
		uint64_t size = mw_qcow2_size(image);

		if (count > CHUNKS * CHUNK)
			use(image, bytes + CHUNKS * CHUNK, count - CHUNKS * CHUNK);
		if (mw_qcow2_close(image))
			open_again(size);
	} else {
		CHECK(!image && why.text[0]);
	}
	mw_medium_close(&medium);
	return 0;
}
