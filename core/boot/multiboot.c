/** Multiboot 1 (Multiboot Specification 0.6.96): the header, and what a kernel is handed over. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/boot/boot_internal.h"
#include "core/bytes.h"
#include "core/cpu_state.h"

#define HEADER_MAGIC 0x1badb002
#define LOADER_MAGIC 0x2badb002
#define LOADER_NAME  "Millwright"
#define EGA_MEMORY   0xb8000
#define LOW_MEMORY   0xa0000

/* The header (3.1). Modules always begin a page, so that flag 0 asks for nothing more, and there always
 * is a memory map, so neither does flag 1. */
enum {
	AT_FLAGS = 4,
	AT_CHECKSUM = 8,
	AT_HEADER_ADDRESS = 12,
	AT_LOAD_ADDRESS = 16,
	AT_LOAD_END = 20,
	AT_BSS_END = 24,
	AT_ENTRY = 28,
	BASIC_BYTES = 12,
	ADDRESSES_END = 32,
	VIDEO_END = 48,
	WANTS_VIDEO = 1 << 2,
	UNKNOWN_REQUIREMENTS = 0xfff8,
	HAS_ADDRESSES = 1 << 16
};

/* A multiboot kernel is one for a PC with a BIOS, and Xen asks the BIOS's data area where low memory
 * ends. */
enum { BIOS_DATA = 0x400, BIOS_DATA_BYTES = 0x100, AT_BIOS_MEMORY_KIB = 0x13 };

/* The information (3.3). */
enum {
	INFO_BYTES = 120, /* 116, and what fills the last 8 */
	AT_MEMORY_LOWER = 4,
	AT_MEMORY_UPPER = 8,
	AT_CMDLINE = 16,
	AT_MODULE_COUNT = 20,
	AT_MODULES = 24,
	AT_MAP_BYTES = 44,
	AT_MAP = 48,
	AT_LOADER_NAME = 64,
	AT_SCREEN_ADDRESS = 88,
	AT_SCREEN_PITCH = 96,
	AT_SCREEN_WIDTH = 100,
	AT_SCREEN_HEIGHT = 104,
	AT_SCREEN_BITS = 108,
	AT_SCREEN_TYPE = 109,
	SCREEN_TEXT = 2,
	HAS_MEMORY = 1 << 0,
	HAS_CMDLINE = 1 << 2,
	HAS_MODULES = 1 << 3,
	HAS_MAP = 1 << 6,
	HAS_LOADER_NAME = 1 << 9,
	HAS_SCREEN = 1 << 12,
	MODULE_BYTES = 16, /* start, end, string's address, reserved */
	RANGE_BYTES = 24   /* bytes that follow, address, size, type as in e820 */
};

long mw_multiboot_find(const uint8_t *head, size_t count)
{
	for (size_t at = 0; at + BASIC_BYTES <= count; at += 4) {
		uint64_t sum = mw_get_le(head + at, 4) + mw_get_le(head + at + AT_FLAGS, 4) +
			       mw_get_le(head + at + AT_CHECKSUM, 4);

		if (mw_get_le(head + at, 4) == HEADER_MAGIC && !(uint32_t)sum)
			return (long)at;
	}
	return -1;
}

static bool read_flags(struct mw_boot *boot, size_t at, struct mw_diagnostics *diagnostics)
{
	uint32_t flags = (uint32_t)mw_get_le(boot->head + at + AT_FLAGS, 4);
	size_t end = flags & WANTS_VIDEO     ? VIDEO_END
		     : flags & HAS_ADDRESSES ? ADDRESSES_END
					     : BASIC_BYTES;

	boot->header_flags = flags;
	if (flags & UNKNOWN_REQUIREMENTS)
		return mw_boot_refuse(
			&boot->kernel, diagnostics, NULL,
			"needs what this multiboot loader does not know: flags 0x%x of "
			"its header",
			flags & UNKNOWN_REQUIREMENTS);
	if (boot->head_bytes - at < end)
		return mw_boot_refuse(
			&boot->kernel, diagnostics, NULL,
			"is damaged: its multiboot header at 0x%zx has %zu bytes and ends "
			"after %zu",
			at, end, boot->head_bytes - at);
	return true;
}

static bool damaged(const struct mw_boot *boot, struct mw_diagnostics *diagnostics,
		    const char *what)
{
	return mw_boot_refuse(&boot->kernel, diagnostics, NULL,
			      "is damaged: its multiboot header %s", what);
}

/** One segment, by the header's own addresses: they count whatever else the file may be. */
static bool read_addresses(struct mw_boot *boot, size_t at, struct mw_diagnostics *diagnostics)
{
	const uint8_t *header = boot->head + at;
	uint64_t here = mw_get_le(header + AT_HEADER_ADDRESS, 4);
	uint64_t start = mw_get_le(header + AT_LOAD_ADDRESS, 4);
	uint64_t end = mw_get_le(header + AT_LOAD_END, 4);
	uint64_t bss_end = mw_get_le(header + AT_BSS_END, 4);
	struct mw_boot_segment *segment = &boot->image.segments[0];

	if (here < start || here - start > at)
		return damaged(boot, diagnostics, "lies where its load address cannot be");
	segment->offset = at - (here - start);
	segment->address = start;
	segment->file_bytes = end ? end - start : boot->kernel.size - segment->offset;
	if (end && end <= here)
		return damaged(boot, diagnostics, "has a load end below itself");
	uint64_t told = segment->offset + segment->file_bytes;

	if (told > boot->kernel.size)
		return mw_boot_refuse(
			&boot->kernel, diagnostics, NULL,
			"is truncated: its multiboot header tells of %llu bytes, the file has %llu",
			(unsigned long long)told, (unsigned long long)boot->kernel.size);
	if (bss_end && bss_end < start + segment->file_bytes)
		return damaged(boot, diagnostics, "has a bss that ends before it begins");
	segment->memory_bytes = bss_end ? bss_end - start : segment->file_bytes;
	boot->image.count = 1;
	boot->image.entry = mw_get_le(header + AT_ENTRY, 4);
	if (!mw_boot_image_holds(&boot->image, boot->image.entry))
		return damaged(boot, diagnostics, "has an entry outside of what it loads");
	return true;
}

static bool read_image(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	long at = mw_multiboot_find(boot->head, boot->head_bytes);

	if (at < 0 || !read_flags(boot, (size_t)at, diagnostics))
		return false;
	if (boot->header_flags & HAS_ADDRESSES)
		return read_addresses(boot, (size_t)at, diagnostics);
	if (mw_get_le(boot->head, 4) != 0x464c457f)
		return damaged(boot, diagnostics,
			       "tells no addresses, and the file is no ELF file");
	return mw_elf_read(&boot->image, &boot->kernel, false, diagnostics);
}

static void take_bios_data(struct mw_boot *boot)
{
	boot->bios_data = mw_boot_memory_is_free(&boot->memory, BIOS_DATA, BIOS_DATA_BYTES);
	if (boot->bios_data)
		mw_boot_memory_take(&boot->memory, BIOS_DATA, BIOS_DATA_BYTES);
}

static bool place_all(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	if (!mw_boot_place_image(boot, diagnostics))
		return false;
	take_bios_data(boot);
	return mw_boot_info_place(boot, INFO_BYTES + sizeof(LOADER_NAME), MODULE_BYTES, RANGE_BYTES,
				  diagnostics) &&
	       mw_boot_place_modules(boot, false, diagnostics);
}

static bool prepare(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	return read_image(boot, diagnostics) &&
	       mw_boot_check_cmdline(boot, SIZE_MAX, diagnostics) &&
	       mw_boot_memory_map(&boot->memory, boot->plan, diagnostics) &&
	       place_all(boot, diagnostics);
}

/** The RAM that begins at `base`, in KiB. */
static uint64_t kib_from(const struct mw_boot_memory *memory, uint64_t base, uint64_t limit)
{
	uint64_t at = base;

	for (size_t i = 0; i < memory->e820_count; i++) {
		const struct mw_e820_entry *entry = &memory->e820[i];

		if (entry->type == MW_E820_RAM && entry->base <= at &&
		    entry->base + entry->length > at)
			at = entry->base + entry->length;
	}
	return ((at < limit ? at : limit) - base) / 1024;
}

static uint32_t write_memory(const struct mw_boot_memory *memory, struct mw_boot_info *info,
			     uint8_t *start)
{
	uint64_t address;
	uint8_t *entry = mw_boot_info_room(info, memory->e820_count * RANGE_BYTES, &address);

	mw_put_le(start + AT_MEMORY_LOWER, 4, kib_from(memory, 0, LOW_MEMORY));
	mw_put_le(start + AT_MEMORY_UPPER, 4, kib_from(memory, MW_BOOT_MIB, MW_BOOT_BELOW_4G));
	mw_put_le(start + AT_MAP_BYTES, 4, memory->e820_count * RANGE_BYTES);
	mw_put_le(start + AT_MAP, 4, address);
	for (size_t i = 0; i < memory->e820_count; i++, entry += RANGE_BYTES) {
		mw_put_le(entry, 4, RANGE_BYTES - 4);
		mw_put_le(entry + 4, 8, memory->e820[i].base);
		mw_put_le(entry + 12, 8, memory->e820[i].length);
		mw_put_le(entry + 20, 4, memory->e820[i].type);
	}
	return HAS_MEMORY | HAS_MAP;
}

static uint32_t write_modules(const struct mw_boot *boot, struct mw_boot_info *info, uint8_t *start)
{
	uint64_t address = 0;
	uint8_t *entry = mw_boot_info_room(info, boot->module_count * MODULE_BYTES, &address);

	mw_put_le(start + AT_MODULE_COUNT, 4, boot->module_count);
	mw_put_le(start + AT_MODULES, 4, address);
	for (size_t i = 0; i < boot->module_count; i++, entry += MODULE_BYTES) {
		const struct mw_boot_module *module = &boot->modules[i];

		mw_put_le(entry, 4, module->base);
		mw_put_le(entry + 4, 4, module->base + module->file.size);
		mw_put_le(entry + 8, 4, mw_boot_info_text(info, module->string));
	}
	return HAS_MODULES;
}

/** There is no video BIOS, so the mode is the text mode of reset, unless RAM lies where that has its
 * characters. */
static uint32_t write_screen(const struct mw_boot *boot, uint8_t *start)
{
	for (size_t i = 0; i < boot->memory.e820_count; i++) {
		const struct mw_e820_entry *entry = &boot->memory.e820[i];

		if (entry->base <= EGA_MEMORY && EGA_MEMORY - entry->base < entry->length)
			return 0;
	}
	if (!(boot->header_flags & WANTS_VIDEO))
		return 0;
	mw_put_le(start + AT_SCREEN_ADDRESS, 8, EGA_MEMORY);
	mw_put_le(start + AT_SCREEN_PITCH, 4, 160);
	mw_put_le(start + AT_SCREEN_WIDTH, 4, 80);
	mw_put_le(start + AT_SCREEN_HEIGHT, 4, 25);
	start[AT_SCREEN_BITS] = 16;
	start[AT_SCREEN_TYPE] = SCREEN_TEXT;
	return HAS_SCREEN;
}

static void write_bios_data(const struct mw_boot *boot, struct mw_machine *machine)
{
	uint8_t *bytes =
		boot->bios_data ? mw_machine_ram(machine, BIOS_DATA, BIOS_DATA_BYTES) : NULL;

	if (!bytes)
		return;
	memset(bytes, 0, BIOS_DATA_BYTES);
	mw_put_le(bytes + AT_BIOS_MEMORY_KIB, 2, kib_from(&boot->memory, 0, LOW_MEMORY));
}

static bool load(const struct mw_boot *boot, struct mw_machine *machine, struct mw_cpu_state *cpu,
		 struct mw_diagnostics *diagnostics)
{
	struct mw_boot_info info;
	uint64_t address;

	if (!mw_boot_load_image(boot, machine, diagnostics) ||
	    !mw_boot_load_modules(boot, machine, diagnostics))
		return false;
	write_bios_data(boot, machine);
	mw_boot_info_begin(&info, boot, machine);
	uint8_t *start = mw_boot_info_room(&info, INFO_BYTES, &address);
	uint32_t flags = HAS_CMDLINE | HAS_LOADER_NAME;

	mw_put_le(start + AT_CMDLINE, 4, mw_boot_info_text(&info, boot->plan->boot.cmdline));
	mw_put_le(start + AT_LOADER_NAME, 4, mw_boot_info_text(&info, LOADER_NAME));
	flags |= write_memory(&boot->memory, &info, start);
	flags |= write_modules(boot, &info, start);
	flags |= write_screen(boot, start);
	mw_put_le(start, 4, flags);
	mw_boot_enter_protected_mode(info.bytes, info.base, cpu, boot->image.entry);
	cpu->gpr[MW_RAX] = LOADER_MAGIC;
	cpu->gpr[MW_RBX] = address;
	return true;
}

const struct mw_boot_protocol mw_boot_multiboot = { .prepare = prepare, .load = load };
