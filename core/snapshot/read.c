/* Opening a file that anybody may have made: every length is checked, every part hashed. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/snapshot/snapshot_internal.h"

enum { SECTIONS_MAX = 1 << 18 };

bool snapshot_refuse(const struct mw_snapshot *snapshot, const char *format, ...)
{
	char text[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	mw_diagnostics_add(snapshot->diagnostics, MW_SEVERITY_ERROR, "C705", (struct mw_span){ 0 },
			   "snapshot `%s`: %s", snapshot->path, text);
	return false;
}

static bool read_at(const struct mw_snapshot *snapshot, uint64_t at, void *bytes, size_t count)
{
	uint8_t *to = bytes;

	while (count) {
		ssize_t got = pread(snapshot->fd, to, count, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return snapshot_refuse(snapshot, "cannot be read: %s", strerror(errno));
		if (!got)
			return snapshot_refuse(snapshot, "is truncated");
		to += got;
		count -= (size_t)got;
		at += (uint64_t)got;
	}
	return true;
}

bool snapshot_pread(struct mw_snapshot *snapshot, const struct snapshot_section *section,
		    uint64_t offset, void *bytes, size_t count)
{
	if (offset > section->length || count > section->length - offset)
		return snapshot_refuse(snapshot, "is damaged: a part is shorter than it says");
	return read_at(snapshot, section->at + offset, bytes, count);
}

static bool open_file(struct mw_snapshot *snapshot, uint64_t *size)
{
	struct stat status;

	snapshot->fd = open(snapshot->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (snapshot->fd < 0 || fstat(snapshot->fd, &status) < 0)
		return snapshot_refuse(snapshot, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return snapshot_refuse(snapshot, "is not a regular file");
	*size = (uint64_t)status.st_size;
	return true;
}

static bool check_head(const struct mw_snapshot *snapshot, uint64_t size, struct mw_sha256 *heads)
{
	uint8_t head[FILE_HEAD_BYTES] = { 0 };
	size_t count = size < sizeof(head) ? (size_t)size : sizeof(head);

	if (!read_at(snapshot, 0, head, count))
		return false;
	if (memcmp(head, SNAPSHOT_MAGIC, 16) != 0)
		return snapshot_refuse(snapshot, "%s",
				       !memcmp(head + 1, "MWSNAP", 6)
					       ? "was damaged by a transfer as text"
					       : "is not a snapshot of Millwright");
	if (mw_get_le(head + 16, 4) != SNAPSHOT_VERSION)
		return snapshot_refuse(snapshot,
				       "has format %u; this version of Millwright reads %d",
				       (unsigned)mw_get_le(head + 16, 4), SNAPSHOT_VERSION);
	if (size < sizeof(head))
		return snapshot_refuse(snapshot, "is truncated");
	mw_sha256_add(heads, head, sizeof(head));
	return true;
}

bool snapshot_held(enum section kind)
{
	return kind != SECTION_RAM && kind != SECTION_MEMORY;
}

static bool hold(struct mw_snapshot *snapshot, struct snapshot_section *section, uint64_t *budget)
{
	uint8_t hash[HASH_BYTES];

	if (section->length > *budget)
		return snapshot_refuse(snapshot, "is damaged: a part is absurdly large");
	*budget -= section->length;
	section->bytes = mw_alloc(section->length + 1, 1);
	if (!read_at(snapshot, section->at, section->bytes, section->length))
		return false;
	mw_sha256(section->bytes, section->length, hash);
	if (memcmp(hash, section->hash, sizeof(hash)) != 0)
		return snapshot_refuse(snapshot, "is damaged: a checksum is wrong");
	return true;
}

/* One section; *at moves behind it. */
static bool read_section(struct mw_snapshot *snapshot, uint64_t size, uint64_t *at,
			 uint64_t *budget, struct mw_sha256 *heads)
{
	uint8_t head[SECTION_HEAD_BYTES];
	struct snapshot_section section = { 0 };

	if (size - *at < sizeof(head))
		return snapshot_refuse(snapshot, "is truncated");
	if (snapshot->count == SECTIONS_MAX)
		return snapshot_refuse(snapshot, "is damaged: it has too many parts");
	if (!read_at(snapshot, *at, head, sizeof(head)))
		return false;
	section.kind = (enum section)mw_get_le(head, 4);
	section.number = (uint32_t)mw_get_le(head + 4, 4);
	section.length = mw_get_le(head + 8, 8);
	section.at = *at + sizeof(head);
	memcpy(section.hash, head + 16, sizeof(section.hash));
	if (section.length > size - section.at)
		return snapshot_refuse(snapshot, "is truncated");
	/* the end's own head is in no hash */
	if (section.kind == SECTION_END &&
	    (section.number || mw_get_le(head + 48, 8) || mw_get_le(head + 56, 8)))
		return snapshot_refuse(snapshot, "is damaged: its end");
	*at = section.at + section.length;
	if (section.kind != SECTION_END)
		mw_sha256_add(heads, head, sizeof(head));
	if (!(snapshot->count & (snapshot->count + 1)))
		snapshot->sections = mw_grow(snapshot->sections, 2 * snapshot->count + 2,
					     sizeof(*snapshot->sections));
	snapshot->sections[snapshot->count++] = section;
	return !snapshot_held(section.kind) ||
	       hold(snapshot, &snapshot->sections[snapshot->count - 1], budget);
}

static bool read_sections(struct mw_snapshot *snapshot, uint64_t size, struct mw_sha256 *heads)
{
	uint64_t at = FILE_HEAD_BYTES, budget = SNAPSHOT_HELD_MAX;

	do {
		if (!read_section(snapshot, size, &at, &budget, heads))
			return false;
	} while (snapshot->sections[snapshot->count - 1].kind != SECTION_END);
	if (at != size)
		return snapshot_refuse(snapshot, "is damaged: something follows its end");
	return true;
}

static bool check_end(const struct mw_snapshot *snapshot, const uint8_t hash[HASH_BYTES])
{
	const struct snapshot_section *end = &snapshot->sections[snapshot->count - 1];

	if (end->length != HASH_BYTES || memcmp(end->bytes, hash, HASH_BYTES) != 0)
		return snapshot_refuse(snapshot,
				       "is damaged: a part is missing or in the wrong place");
	return true;
}

/* Who saved it, at the head of the machine's part. */
static bool read_origin(struct mw_snapshot *snapshot)
{
	const struct snapshot_section *machine = snapshot_find(snapshot, SECTION_MACHINE, 0);

	if (!machine || !snapshot_find(snapshot, SECTION_PLAN, 0))
		return snapshot_refuse(snapshot, "is damaged: a part is missing");
	if (machine->length < sizeof(snapshot->accel) + 4)
		return snapshot_refuse(snapshot, "is damaged: a part is too short");
	memcpy(snapshot->accel, machine->bytes, sizeof(snapshot->accel) - 1);
	snapshot->tsc_khz = (uint32_t)mw_get_le(machine->bytes + sizeof(snapshot->accel), 4);
	return true;
}

static bool verify(struct mw_snapshot *snapshot)
{
	struct mw_sha256 *heads = mw_sha256_begin();
	uint8_t hash[HASH_BYTES];
	uint64_t size = 0;
	bool good = open_file(snapshot, &size) && check_head(snapshot, size, heads) &&
		    read_sections(snapshot, size, heads);

	mw_sha256_end(heads, hash);
	return good && check_end(snapshot, hash) && read_origin(snapshot);
}

bool mw_snapshot_open(struct mw_snapshot **out, const char *path,
		      struct mw_diagnostics *diagnostics)
{
	struct mw_snapshot *snapshot = mw_alloc(1, sizeof(*snapshot));

	snapshot->path = mw_strdup(path);
	snapshot->fd = -1;
	snapshot->diagnostics = diagnostics;
	*out = snapshot;
	if (verify(snapshot))
		return true;
	mw_snapshot_close(snapshot);
	*out = NULL;
	return false;
}

void mw_snapshot_close(struct mw_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->count; i++)
		free(snapshot->sections[i].bytes);
	free(snapshot->sections);
	free(snapshot->media);
	if (snapshot->fd >= 0)
		close(snapshot->fd);
	free((char *)(uintptr_t)snapshot->path);
	free(snapshot);
}

const char *mw_snapshot_plan(struct mw_snapshot *snapshot, size_t *length)
{
	const struct snapshot_section *plan = snapshot_find(snapshot, SECTION_PLAN, 0);

	*length = plan->length;
	return (const char *)plan->bytes;
}

const char *mw_snapshot_accel(const struct mw_snapshot *snapshot)
{
	return snapshot->accel;
}

/* From behind the one that was found last, and round. */
const struct snapshot_section *snapshot_find(struct mw_snapshot *snapshot, enum section kind,
					     uint32_t number)
{
	for (size_t i = 1; i <= snapshot->count; i++) {
		size_t at = (snapshot->last + i) % snapshot->count;
		const struct snapshot_section *section = &snapshot->sections[at];

		if (section->kind != kind || section->number != number)
			continue;
		snapshot->last = at;
		return section;
	}
	return NULL;
}

struct snapshot_reader snapshot_read(const struct snapshot_section *section)
{
	return (struct snapshot_reader){ section->bytes, section->length, false };
}

const uint8_t *snapshot_bytes(struct snapshot_reader *reader, size_t count)
{
	const uint8_t *bytes = reader->bytes;

	if (count > reader->left) {
		reader->bad = true;
		reader->left = 0;
		return NULL;
	}
	reader->bytes += count;
	reader->left -= count;
	return bytes;
}

uint64_t snapshot_le(struct snapshot_reader *reader, unsigned size)
{
	const uint8_t *bytes = snapshot_bytes(reader, size);

	return bytes ? mw_get_le(bytes, size) : 0;
}

const uint8_t *snapshot_counted(struct snapshot_reader *reader, size_t *count)
{
	*count = snapshot_le(reader, 4);
	return snapshot_bytes(reader, *count);
}
