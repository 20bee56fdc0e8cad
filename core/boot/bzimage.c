/** The header of a bzImage (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <string.h>

#include "core/boot/linux_internal.h"
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
	AT_INIT_SIZE = 0x260,
	LEAST_HEADER_END = 0x264
};
#define SECTOR        512u
#define LEAST_VERSION 0x20c /* has xloadflags */
#define LOADED_HIGH   1u
#define XLF_KERNEL_64 1u
#define ENTRY_64      0x200u

/** Files people hand over in place of a bzImage, by their first bytes. */
static const struct {
	unsigned offset, length;
	const char *bytes, *what, *help;
} others[] = {
	{ 0, 4,
	  "\x7f"
	  "ELF",
	  "an ELF file, as vmlinux is",
	  "booting ELF kernels is not implemented yet; give it the bzImage (vmlinuz)" },
	{ 0x38, 4, "ARM\x64", "a Linux kernel for arm64", "give it one for x86-64" },
	{ 0x30, 5, "RISCV", "a Linux kernel for RISC-V", "give it one for x86-64" },
	{ 4, 4, "zimg", "a compressed EFI kernel, as those for arm64 are",
	  "give it a bzImage for x86-64" },
	{ 0, 2, "\x1f\x8b", "compressed (gzip)",
	  "unpack it first, unless it is an initrd in the wrong place" },
	{ 0, 6, "\xfd\x37zXZ", "compressed (xz)", "unpack it first" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "compressed (zstd)", "unpack it first" },
	{ 0, 3, "BZh", "compressed (bzip2)", "unpack it first" },
	{ 0, 4, "\x02\x21\x4c\x18", "compressed (lz4)", "unpack it first" },
	{ 0, 4, "\x04\x22\x4d\x18", "compressed (lz4)", "unpack it first" },
	{ 0, 3, "\x5d\0\0", "compressed (lzma)", "unpack it first" },
	{ 0, 4, "\x27\x05\x19\x56", "an image for U-Boot", "give it a bzImage for x86-64" },
	{ 0, 6, "070701", "a cpio archive, as an initrd is", "give it the bzImage (vmlinuz)" },
};

static bool fail(const struct mw_boot_file *file, struct mw_diagnostics *diagnostics,
		 const char *help, const char *format, ...) __attribute__((format(printf, 4, 5)));
static bool fail(const struct mw_boot_file *file, struct mw_diagnostics *diagnostics,
		 const char *help, const char *format, ...)
{
	char text[160];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	struct mw_diag *diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", file->span,
						  "kernel `%s` %s", file->path, text);
	if (help)
		mw_diag_help(diagnostics, diag, "%s", help);
	return false;
}

static bool check_magic(const uint8_t *head, const struct mw_boot_file *file,
			struct mw_diagnostics *diagnostics)
{
	bool linux = !memcmp(head + AT_MAGIC, "HdrS", 4);
	for (size_t i = 0; !linux && i < sizeof(others) / sizeof(others[0]); i++) {
		if (!memcmp(head + others[i].offset, others[i].bytes, others[i].length))
			return fail(file, diagnostics, others[i].help, "is %s", others[i].what);
	}
	if (file->size < LEAST_HEADER_END)
		return fail(file, diagnostics, NULL,
			    "is truncated: %u bytes are less than a kernel's header",
			    (unsigned)file->size);
	if (!linux && !memcmp(head, "MZ", 2))
		return fail(file, diagnostics, "give it a bzImage (vmlinuz) for x86",
			    "is an EFI program and no Linux kernel for x86");
	if (!linux || mw_get_le(head + AT_BOOT_FLAG, 2) != 0xaa55)
		return fail(file, diagnostics, "give it a bzImage (vmlinuz)",
			    "is not a Linux kernel: it has no boot header");
	return true;
}

static bool check_version(const uint8_t *head, const struct mw_boot_file *file,
			  struct mw_diagnostics *diagnostics)
{
	unsigned version = (unsigned)mw_get_le(head + AT_VERSION, 2);
	if (version < LEAST_VERSION)
		return fail(file, diagnostics, "take a kernel from Linux 3.8 on",
			    "speaks boot protocol %u.%02u; 2.12 is the oldest that can be booted",
			    version >> 8, version & 0xff);
	if (!(head[AT_LOADFLAGS] & LOADED_HIGH))
		return fail(file, diagnostics, NULL, "is a zImage, which no longer exists");
	return true;
}

static bool check_sizes(struct mw_bzimage *image, const struct mw_boot_file *file,
			struct mw_diagnostics *diagnostics)
{
	uint64_t end = image->payload_offset + image->payload_bytes;
	if (image->header_end < LEAST_HEADER_END)
		return fail(file, diagnostics, NULL, "is damaged: its header ends at 0x%zx",
			    image->header_end);
	if (image->payload_bytes <= ENTRY_64)
		return fail(file, diagnostics, NULL, "is damaged: its header tells of no code");
	if (file->size < end)
		return fail(file, diagnostics, NULL,
			    "is truncated: its header tells of %llu bytes, the file has %llu",
			    (unsigned long long)end, (unsigned long long)file->size);
	if (image->relocatable && (!image->alignment || image->alignment & (image->alignment - 1)))
		return fail(file, diagnostics, NULL,
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
	image->payload_bytes = mw_get_le(head + AT_SYSSIZE, 4) * 16;
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
