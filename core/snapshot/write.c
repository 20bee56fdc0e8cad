/* Writing sections: payloads as they come, their heads afterwards. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/snapshot/snapshot_internal.h"

static void put(struct snapshot_writer *writer, const uint8_t *bytes, size_t count, uint64_t at)
{
	while (count && !writer->error) {
		ssize_t done = pwrite(writer->fd, bytes, count, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			writer->error = done < 0 ? errno : ENOSPC;
			return;
		}
		bytes += done;
		count -= (size_t)done;
		at += (uint64_t)done;
	}
}

void snapshot_begin(struct snapshot_writer *writer)
{
	uint8_t head[FILE_HEAD_BYTES] = { 0 };

	memcpy(head, SNAPSHOT_MAGIC, 16);
	mw_put_le(head + 16, 4, SNAPSHOT_VERSION);
	writer->heads = mw_sha256_begin();
	mw_sha256_add(writer->heads, head, sizeof(head));
	put(writer, head, sizeof(head), 0);
	writer->at = sizeof(head);
}

void snapshot_section(struct snapshot_writer *writer, enum section kind, uint32_t number)
{
	memset(writer->head, 0, sizeof(writer->head));
	mw_put_le(writer->head, 4, kind);
	mw_put_le(writer->head + 4, 4, number);
	writer->section_at = writer->at;
	writer->at += SECTION_HEAD_BYTES;
	writer->payload = mw_sha256_begin();
}

void snapshot_write(struct snapshot_writer *writer, const void *bytes, size_t count)
{
	put(writer, bytes, count, writer->at);
	mw_sha256_add(writer->payload, bytes, count);
	writer->at += count;
}

void snapshot_write_le(struct snapshot_writer *writer, unsigned size, uint64_t value)
{
	uint8_t bytes[8];

	mw_put_le(bytes, size, value);
	snapshot_write(writer, bytes, size);
}

void snapshot_write_counted(struct snapshot_writer *writer, const void *bytes, size_t count)
{
	snapshot_write_le(writer, 4, count);
	snapshot_write(writer, bytes, count);
}

void snapshot_section_end(struct snapshot_writer *writer)
{
	uint64_t length = writer->at - writer->section_at - SECTION_HEAD_BYTES;

	if (snapshot_held((enum section)mw_get_le(writer->head, 4)))
		writer->held += length;
	if (writer->held > SNAPSHOT_HELD_MAX && !writer->error)
		writer->error = EFBIG;
	mw_put_le(writer->head + 8, 8, length);
	mw_sha256_end(writer->payload, writer->head + 16);
	writer->payload = NULL;
	mw_sha256_add(writer->heads, writer->head, sizeof(writer->head));
	put(writer, writer->head, sizeof(writer->head), writer->section_at);
}

void snapshot_end(struct snapshot_writer *writer)
{
	uint8_t hash[HASH_BYTES];

	mw_sha256_end(writer->heads, hash);
	writer->heads = mw_sha256_begin();
	snapshot_section(writer, SECTION_END, 0);
	snapshot_write(writer, hash, sizeof(hash));
	snapshot_section_end(writer);
	mw_sha256_end(writer->heads, hash);
	writer->heads = NULL;
}
