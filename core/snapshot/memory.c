/* Memory: runs of pages that are not zero, each with its place and length. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/snapshot/snapshot_internal.h"

enum { RUN_MAX = 1 << 20, RUN_HEAD = 16 };
#define NO_MORE UINT64_MAX

static bool is_zero(const uint8_t *page)
{
	return !page[0] && memcmp(page, page + 1, MW_PAGE_BYTES - 1) == 0;
}

static void put_run(struct snapshot_writer *writer, const uint8_t *memory, uint64_t at,
		    uint64_t length)
{
	snapshot_write_le(writer, 8, at);
	snapshot_write_le(writer, 8, length);
	snapshot_write(writer, memory + at, length);
}

/* The pages of [at, end), which are all there. */
static void put_pages(struct snapshot_writer *writer, const uint8_t *memory, uint64_t at,
		      uint64_t end)
{
	while (at < end && !writer->error) {
		uint64_t stop = at;

		while (stop < end && stop - at < RUN_MAX && !is_zero(memory + stop))
			stop += MW_PAGE_BYTES;
		if (stop > at)
			put_run(writer, memory, at, stop - at);
		else
			stop += MW_PAGE_BYTES;
		at = stop;
	}
}

/* Where the host has no pages there are none to look at: a guest with much memory has touched little. */
static void put_ram(struct snapshot_writer *writer, const struct mw_machine *machine)
{
	uint64_t end = machine->plan->ram_bytes, at = 0;

	while (at < end) {
		off_t data = lseek(machine->ram_fd, (off_t)at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(machine->ram_fd, data, SEEK_HOLE);

		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0 || hole < 0) { /* it does not tell */
			data = (off_t)at;
			hole = (off_t)end;
		}
		put_pages(writer, machine->ram_host, (uint64_t)data, (uint64_t)hole);
		at = (uint64_t)hole;
	}
}

static void end_runs(struct snapshot_writer *writer)
{
	snapshot_write_le(writer, 8, NO_MORE);
	snapshot_write_le(writer, 8, 0);
	snapshot_section_end(writer);
}

static void save_node(struct snapshot_writer *writer, const struct mw_node *node)
{
	bool some = false;

	for (size_t i = 0; i < node->type->regions.count; i++) {
		const struct mw_memory *memory = &node->memories[i];

		if (!memory->bytes)
			continue;
		if (!some)
			snapshot_section(writer, SECTION_MEMORY, node->index);
		some = true;
		snapshot_write_le(writer, 8, memory->size);
		put_pages(writer, memory->bytes, 0, memory->size);
		snapshot_write_le(writer, 8, NO_MORE);
		snapshot_write_le(writer, 8, 0);
	}
	if (some)
		snapshot_section_end(writer);
}

void snapshot_save_memory(struct snapshot_writer *writer, struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->node_count; i++)
		save_node(writer, machine->nodes[i]);
	snapshot_section(writer, SECTION_RAM, 0);
	snapshot_write_le(writer, 8, machine->plan->ram_bytes);
	if (machine->ram_host)
		put_ram(writer, machine);
	end_runs(writer);
}

/** A section read once from its beginning to its end, hashed on the way. */
struct stream {
	struct mw_snapshot *snapshot;
	const struct snapshot_section *section;
	struct mw_sha256 *sha;
	uint64_t at;
};

static bool take(struct stream *stream, void *bytes, size_t count)
{
	if (!snapshot_pread(stream->snapshot, stream->section, stream->at, bytes, count))
		return false;
	mw_sha256_add(stream->sha, bytes, count);
	stream->at += count;
	return true;
}

static bool damaged(struct stream *stream)
{
	return snapshot_refuse(stream->snapshot, "is damaged: its memory");
}

/* Runs ascend, so there are no more of them than pages. */
static bool take_runs(struct stream *stream, uint8_t *memory, uint64_t size)
{
	uint64_t next = 0;
	uint8_t head[RUN_HEAD];

	if (!take(stream, head, 8))
		return false;
	if (mw_get_le(head, 8) != size)
		return damaged(stream);
	for (;;) {
		if (!take(stream, head, sizeof(head)))
			return false;
		uint64_t at = mw_get_le(head, 8), length = mw_get_le(head + 8, 8);

		if (at == NO_MORE)
			return !length || damaged(stream);
		if (at < next || !length || length > RUN_MAX || at > size || length > size - at ||
		    (at | length) % MW_PAGE_BYTES)
			return damaged(stream);
		if (!take(stream, memory + at, length))
			return false;
		next = at + length;
	}
}

static bool end_stream(struct stream *stream, bool good)
{
	uint8_t hash[HASH_BYTES];

	mw_sha256_end(stream->sha, hash);
	if (!good)
		return false;
	if (stream->at != stream->section->length)
		return damaged(stream);
	return memcmp(hash, stream->section->hash, sizeof(hash)) == 0 ||
	       snapshot_refuse(stream->snapshot, "is damaged: a checksum of its memory is wrong");
}

static bool begin_stream(struct stream *stream, struct mw_snapshot *snapshot, enum section kind,
			 uint32_t number)
{
	*stream = (struct stream){ .snapshot = snapshot };
	stream->section = snapshot_find(snapshot, kind, number);
	if (!stream->section)
		return snapshot_refuse(snapshot, "is damaged: memory is missing");
	stream->sha = mw_sha256_begin();
	return true;
}

static bool load_node(struct mw_snapshot *snapshot, struct mw_node *node)
{
	struct stream stream;
	bool some = false, good = true;

	for (size_t i = 0; i < node->type->regions.count; i++)
		some |= node->memories[i].bytes != NULL;
	if (!some)
		return true;
	if (!begin_stream(&stream, snapshot, SECTION_MEMORY, node->index))
		return false;
	for (size_t i = 0; i < node->type->regions.count && good; i++) {
		struct mw_memory *memory = &node->memories[i];

		if (!memory->bytes)
			continue;
		memset(memory->bytes, 0, memory->size);
		good = take_runs(&stream, memory->bytes, memory->size);
	}
	return end_stream(&stream, good);
}

/* Takes all pages away: the file has no zeroes. */
static bool clear_ram(const struct mw_machine *machine)
{
	return ftruncate(machine->ram_fd, 0) == 0 &&
	       ftruncate(machine->ram_fd, (off_t)machine->plan->ram_bytes) == 0;
}

bool snapshot_load_memory(struct mw_snapshot *snapshot, struct mw_machine *machine)
{
	struct stream stream;

	for (size_t i = 0; i < machine->plan->node_count; i++)
		if (!load_node(snapshot, machine->nodes[i]))
			return false;
	if (machine->ram_host && !clear_ram(machine))
		return snapshot_refuse(snapshot, "guest memory: %s", strerror(errno));
	if (!begin_stream(&stream, snapshot, SECTION_RAM, 0))
		return false;
	return end_stream(&stream, take_runs(&stream, machine->ram_host, machine->plan->ram_bytes));
}
