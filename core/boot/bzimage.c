/** The header of a bzImage (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/boot/boot_internal.h"
#include "core/bytes.h"

/* Offsets in the file. */
enum {
	AT_SETUP_SECTS = 0x1f1,
	AT_SYSSIZE = 0x1f4,
	AT_BOOT_FLAG = 0x1fe,
	AT_JUMP = 0x200, /* two bytes; the second tells where the header ends, from 0x202 */
	AT_MAGIC = 0x202,
	AT_VERSION = 0x206,
	AT_LOADFLAGS = 0x211,
	AT_INITRD_ADDR_MAX = 0x22c,
	AT_KERNEL_ALIGNMENT = 0x230,
	AT_RELOCATABLE = 0x234,
	AT_XLOADFLAGS = 0x236,
	AT_CMDLINE_SIZE = 0x238,
	AT_PREF_ADDRESS = 0x258,
	AT_INIT_SIZE = 0x260
};
#define SECTOR        512u
#define LEAST_VERSION 0x20c /* has xloadflags */
#define LOADED_HIGH   1u
#define XLF_KERNEL_64 1u
#define ENTRY_64      0x200u
#define UNIT          16u /* of the size */

static bool check_magic(const uint8_t *head, const struct mw_boot_file *file,
			struct mw_diagnostics *diagnostics)
{
	if (file->size < MW_BZIMAGE_LEAST)
		return mw_boot_refuse(file, diagnostics, NULL,
				      "is truncated: %u bytes are less than a kernel's header",
				      (unsigned)file->size);
	if (mw_get_le(head + AT_BOOT_FLAG, 2) != 0xaa55)
		return mw_boot_refuse(file, diagnostics, "give it a bzImage (vmlinuz)",
				      "is not a Linux kernel: it has no boot header");
	return true;
}

static bool check_version(const uint8_t *head, const struct mw_boot_file *file,
			  struct mw_diagnostics *diagnostics)
{
	unsigned version = (unsigned)mw_get_le(head + AT_VERSION, 2);
	if (version < LEAST_VERSION)
		return mw_boot_refuse(
			file, diagnostics, "take a kernel from Linux 3.8 on",
			"speaks boot protocol %u.%02u; 2.12 is the oldest that can be booted",
			version >> 8, version & 0xff);
	if (!(head[AT_LOADFLAGS] & LOADED_HIGH))
		return mw_boot_refuse(file, diagnostics, NULL,
				      "is a zImage, which no longer exists");
	return true;
}

/* The last unit need not be whole: memtest86+ rounds its size up. */
static bool check_sizes(struct mw_bzimage *image, const struct mw_boot_file *file,
			struct mw_diagnostics *diagnostics)
{
	uint64_t end = image->payload_offset + image->payload_bytes;
	if (file->size < end && file->size > end - UNIT) {
		image->payload_bytes -= end - file->size;
		end = file->size;
	}
	if (image->header_end < MW_BZIMAGE_LEAST)
		return mw_boot_refuse(file, diagnostics, NULL,
				      "is damaged: its header ends at 0x%zx", image->header_end);
	if (image->payload_bytes <= ENTRY_64)
		return mw_boot_refuse(file, diagnostics, NULL,
				      "is damaged: its header tells of no code");
	if (file->size < end)
		return mw_boot_refuse(
			file, diagnostics, NULL,
			"is truncated: its header tells of %llu bytes, the file has %llu",
			(unsigned long long)end, (unsigned long long)file->size);
	if (image->relocatable && (!image->alignment || image->alignment & (image->alignment - 1)))
		return mw_boot_refuse(file, diagnostics, NULL,
				      "is damaged: its alignment 0x%llx is no power of two",
				      (unsigned long long)image->alignment);
	return true;
}

bool mw_bzimage_read(struct mw_bzimage *image, const struct mw_boot_file *file,
		     struct mw_diagnostics *diagnostics)
{
	uint8_t *head = image->head;
	uint64_t count = file->size < sizeof(image->head) ? file->size : sizeof(image->head);
	memset(head, 0, sizeof(image->head));
	if (!mw_boot_file_read(file, 0, head, count, diagnostics) ||
	    !check_magic(head, file, diagnostics) || !check_version(head, file, diagnostics))
		return false;
	unsigned sectors = head[AT_SETUP_SECTS] ? head[AT_SETUP_SECTS] : 4; /* as it was once */
	image->header_end = AT_MAGIC + (size_t)head[AT_JUMP + 1];
	if (image->header_end > sizeof(image->head))
		image->header_end = sizeof(image->head);
	image->payload_offset = (sectors + 1u) * SECTOR;
	image->payload_bytes = mw_get_le(head + AT_SYSSIZE, 4) * UNIT;
	image->memory_bytes = mw_get_le(head + AT_INIT_SIZE, 4);
	if (image->memory_bytes < image->payload_bytes)
		image->memory_bytes = image->payload_bytes;
	image->preferred = mw_get_le(head + AT_PREF_ADDRESS, 8);
	image->alignment = mw_get_le(head + AT_KERNEL_ALIGNMENT, 4);
	image->relocatable = head[AT_RELOCATABLE];
	image->is_64bit = mw_get_le(head + AT_XLOADFLAGS, 2) & XLF_KERNEL_64;
	image->initrd_top = mw_get_le(head + AT_INITRD_ADDR_MAX, 4) + 1;
	image->cmdline_max = (uint32_t)mw_get_le(head + AT_CMDLINE_SIZE, 4);
	return check_sizes(image, file, diagnostics);
}
