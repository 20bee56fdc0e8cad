/** ELF files of 32 and 64 bits for x86 (System V ABI, "Object Files"; Xen, public/elfnote.h). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/boot/boot_internal.h"
#include "core/bytes.h"

enum {
	HEADERS_MAX = 256,     /* kernels have fewer than ten */
	NOTES_MAX = 64 * 1024, /* bytes in one segment */
	TYPE_EXECUTABLE = 2,
	TYPE_SHARED = 3, /* and position-independent */
	MACHINE_386 = 3,
	MACHINE_X86_64 = 62,
	SEGMENT_LOAD = 1,
	SEGMENT_NOTE = 4,
	NOTE_HEADER = 12,
	NOTE_PHYS32_ENTRY = 18,
	AT_CLASS = 4,
	AT_ORDER = 5,
	AT_TYPE = 16,
	AT_MACHINE = 18,
	AT_VERSION = 20,
	AT_ENTRY = 24
};

/** Where the fields lie in each class. */
static const struct layout {
	unsigned word, header, at_offset, at_entry_bytes, entry;
	struct {
		unsigned offset, virtual_address, address, file_bytes, memory_bytes, align;
	} at;
} layouts[] = {
	{ 4, 52, 28, 42, 32, { 4, 8, 12, 16, 20, 28 } },
	{ 8, 64, 32, 54, 56, { 8, 16, 24, 32, 40, 48 } },
};

struct reader {
	const struct mw_boot_file *file;
	struct mw_diagnostics *diagnostics;
	struct mw_boot_image *image;
	const struct layout *layout;
	uint8_t *entries; /* the program headers */
	unsigned count;
	uint64_t entry; /* as the header says */
	bool has_note;
	uint64_t note_entry;
};

#define REFUSE(reader, help, ...) \
	mw_boot_refuse((reader)->file, (reader)->diagnostics, help, __VA_ARGS__)

static bool check_kind(struct reader *reader, const uint8_t *head)
{
	unsigned machine = (unsigned)mw_get_le(head + AT_MACHINE, 2);
	unsigned type = (unsigned)mw_get_le(head + AT_TYPE, 2);

	if (head[AT_CLASS] < 1 || head[AT_CLASS] > 2 || head[AT_ORDER] < 1 || head[AT_ORDER] > 2)
		return REFUSE(reader, NULL,
			      "is damaged: its ELF header has class %u and byte order %u",
			      head[AT_CLASS], head[AT_ORDER]);
	if (head[AT_ORDER] == 2 || (machine != MACHINE_386 && machine != MACHINE_X86_64))
		return REFUSE(reader, "give it one for x86",
			      "is an ELF file for another processor");
	if (type != TYPE_EXECUTABLE && type != TYPE_SHARED)
		return REFUSE(reader, NULL, "is an ELF file of type %u, which is no program", type);
	if (mw_get_le(head + AT_VERSION, 4) != 1)
		return REFUSE(reader, NULL, "is damaged: its ELF header has version %u",
			      (unsigned)mw_get_le(head + AT_VERSION, 4));
	return true;
}

/** The program headers, whose place the header tells. */
static bool read_table(struct reader *reader, const uint8_t *head)
{
	const struct layout *layout = reader->layout;
	uint64_t offset = mw_get_le(head + layout->at_offset, layout->word);
	uint64_t size = reader->file->size, bytes = (uint64_t)reader->count * layout->entry;
	unsigned entry_bytes = (unsigned)mw_get_le(head + layout->at_entry_bytes, 2);

	if (!reader->count)
		return REFUSE(reader, NULL, "has no program headers: nothing of it can be loaded");
	if (reader->count > HEADERS_MAX)
		return REFUSE(reader, NULL, "has %u program headers; %u are taken at most",
			      reader->count, HEADERS_MAX);
	if (entry_bytes != layout->entry)
		return REFUSE(reader, NULL, "is damaged: its program headers have %u bytes each",
			      entry_bytes);
	if (offset > size || bytes > size - offset)
		return REFUSE(
			reader, NULL,
			"is truncated: its program headers lie at 0x%llx, the file has %llu bytes",
			(unsigned long long)offset, (unsigned long long)size);
	reader->entries = mw_alloc(1, (size_t)bytes);
	return mw_boot_file_read(reader->file, offset, reader->entries, bytes, reader->diagnostics);
}

static bool refuse_short(struct reader *reader)
{
	return REFUSE(reader, NULL, "is truncated: %u bytes are less than an ELF header",
		      (unsigned)reader->file->size);
}

static bool read_header(struct reader *reader)
{
	uint8_t head[64] = { 0 };
	uint64_t size = reader->file->size;

	if (size < layouts[0].header)
		return refuse_short(reader);
	if (!mw_boot_file_read(reader->file, 0, head, size < sizeof(head) ? size : sizeof(head),
			       reader->diagnostics) ||
	    !check_kind(reader, head))
		return false;
	const struct layout *layout = &layouts[head[AT_CLASS] - 1];

	if (size < layout->header)
		return refuse_short(reader);
	reader->layout = layout;
	reader->entry = mw_get_le(head + AT_ENTRY, layout->word);
	reader->count = (unsigned)mw_get_le(head + layout->at_entry_bytes + 2, 2);
	return read_table(reader, head);
}

static uint64_t field(const struct reader *reader, unsigned number, unsigned at)
{
	return mw_get_le(reader->entries + number * reader->layout->entry + at,
			 reader->layout->word);
}

static bool in_file(struct reader *reader, unsigned number, uint64_t offset, uint64_t bytes)
{
	if (offset <= reader->file->size && bytes <= reader->file->size - offset)
		return true;
	return REFUSE(
		reader, NULL,
		"is truncated: its segment %u has %llu bytes at 0x%llx, the file has %llu bytes",
		number, (unsigned long long)bytes, (unsigned long long)offset,
		(unsigned long long)reader->file->size);
}

static bool read_segment(struct reader *reader, unsigned number)
{
	const struct layout *layout = reader->layout;
	struct mw_boot_segment segment = {
		.number = number,
		.offset = field(reader, number, layout->at.offset),
		.virtual_address = field(reader, number, layout->at.virtual_address),
		.address = field(reader, number, layout->at.address),
		.file_bytes = field(reader, number, layout->at.file_bytes),
		.memory_bytes = field(reader, number, layout->at.memory_bytes),
	};

	if (segment.file_bytes > segment.memory_bytes)
		return REFUSE(
			reader, NULL,
			"is damaged: its segment %u has more bytes in the file than in memory",
			number);
	if (!segment.memory_bytes)
		return true;
	if (!in_file(reader, number, segment.offset, segment.file_bytes))
		return false;
	if (segment.address > MW_BOOT_BELOW_4G ||
	    segment.memory_bytes > MW_BOOT_BELOW_4G - segment.address)
		return REFUSE(
			reader, NULL,
			"cannot be loaded: its segment %u, 0x%llx bytes at 0x%llx, does not end "
			"below 4 GiB",
			number, (unsigned long long)segment.memory_bytes,
			(unsigned long long)segment.address);
	if (reader->image->count == MW_BOOT_SEGMENTS_MAX)
		return REFUSE(reader, NULL, "has more than %u segments to load",
			      MW_BOOT_SEGMENTS_MAX);
	reader->image->segments[reader->image->count++] = segment;
	return true;
}

/** One note at `at`; the next one's place, or 0 where there is none. */
static uint64_t read_note(struct reader *reader, const uint8_t *notes, uint64_t at, uint64_t bytes,
			  uint64_t align)
{
	if (bytes - at < NOTE_HEADER)
		return 0;
	uint64_t name_bytes = mw_get_le(notes + at, 4), value_bytes = mw_get_le(notes + at + 4, 4);
	uint64_t name = at + NOTE_HEADER, value = (name + name_bytes + align - 1) / align * align;

	if (value > bytes || value_bytes > bytes - value)
		return 0;
	if (mw_get_le(notes + at + 8, 4) == NOTE_PHYS32_ENTRY && name_bytes == 4 &&
	    !memcmp(notes + name, "Xen", 4) && (value_bytes == 4 || value_bytes == 8)) {
		reader->has_note = true;
		reader->note_entry = mw_get_le(notes + value, (unsigned)value_bytes);
	}
	uint64_t next = (value + value_bytes + align - 1) / align * align;

	return next < bytes ? next : 0;
}

static bool read_notes(struct reader *reader, unsigned number)
{
	uint64_t offset = field(reader, number, reader->layout->at.offset);
	uint64_t bytes = field(reader, number, reader->layout->at.file_bytes);
	uint64_t align = field(reader, number, reader->layout->at.align) == 8 ? 8 : 4;

	if (!bytes)
		return true;
	if (!in_file(reader, number, offset, bytes))
		return false;
	if (bytes > NOTES_MAX)
		return REFUSE(reader, NULL,
			      "has %llu bytes of notes in segment %u; %u are taken at most",
			      (unsigned long long)bytes, number, NOTES_MAX);
	uint8_t *notes = mw_alloc(1, (size_t)bytes);
	bool ok = mw_boot_file_read(reader->file, offset, notes, bytes, reader->diagnostics);
	uint64_t at = 0;

	do {
		at = ok ? read_note(reader, notes, at, bytes, align) : 0;
	} while (at && !reader->has_note);
	free(notes);
	return ok;
}

static bool read_entries(struct reader *reader, bool pvh)
{
	for (unsigned i = 0; i < reader->count; i++) {
		uint64_t type = mw_get_le(reader->entries + i * reader->layout->entry, 4);

		if (type == SEGMENT_LOAD && !read_segment(reader, i))
			return false;
		if (type == SEGMENT_NOTE && pvh && !reader->has_note && !read_notes(reader, i))
			return false;
	}
	return true;
}

/** A header names its entry as the linker knew it: a virtual address, where those are not the same. */
static uint64_t to_physical(const struct mw_boot_image *image, uint64_t entry)
{
	for (size_t i = 0; i < image->count; i++) {
		const struct mw_boot_segment *segment = &image->segments[i];

		if (entry >= segment->virtual_address &&
		    entry - segment->virtual_address < segment->memory_bytes)
			return segment->address + (entry - segment->virtual_address);
	}
	return entry;
}

static bool find_entry(struct reader *reader, bool pvh)
{
	if (pvh && !reader->has_note)
		return REFUSE(
			reader,
			"a Linux kernel has a PVH entry when it was built with CONFIG_PVH; else "
			"give it the bzImage (vmlinuz)",
			"is an ELF file with neither a PVH entry nor a multiboot 1 header");
	reader->image->entry = pvh ? reader->note_entry : to_physical(reader->image, reader->entry);
	if (mw_boot_image_holds(reader->image, reader->image->entry))
		return true;
	return REFUSE(reader, NULL, "is damaged: its entry 0x%llx lies in none of its segments",
		      (unsigned long long)reader->image->entry);
}

bool mw_elf_read(struct mw_boot_image *image, const struct mw_boot_file *file, bool pvh,
		 struct mw_diagnostics *diagnostics)
{
	struct reader reader = { .file = file, .diagnostics = diagnostics, .image = image };
	bool ok = read_header(&reader) && read_entries(&reader, pvh) && find_entry(&reader, pvh);

	free(reader.entries);
	return ok;
}
