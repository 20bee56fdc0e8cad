/** What the parts of the Linux loader share. */
// SPDX-License-Identifier: MIT
#ifndef CORE_BOOT_LINUX_INTERNAL_H
#define CORE_BOOT_LINUX_INTERNAL_H

#include <sys/types.h>
#include <time.h>

#include "core/boot/linux.h"
#include "core/tables/tables.h"

/** A file that is read at every reset and must not have changed by then. Zeroes with fd -1, opened by
 * open, closed by the boot that owns it. The path is the plan's. */
struct mw_boot_file {
	int fd;
	const char *what, *path; /* "kernel", its path */
	struct mw_span span;
	uint64_t size;
	struct timespec modified;
};
bool mw_boot_file_open(struct mw_boot_file *file, struct mw_diagnostics *diagnostics);
/** Reads all `count` bytes at `offset`; the file must be the one that was opened. */
bool mw_boot_file_read(const struct mw_boot_file *file, uint64_t offset, void *bytes,
		       uint64_t count, struct mw_diagnostics *diagnostics);

enum {
	MW_SETUP_HEADER = 0x1f1, /* in the file and in the zero page alike */
	MW_SETUP_HEADER_END = 0x290
};

/** What a bzImage says about itself, checked. */
struct mw_bzimage {
	uint8_t head[MW_SETUP_HEADER_END]; /* of the file */
	size_t header_end;                 /* in `head` */
	uint64_t payload_offset, payload_bytes;
	uint64_t memory_bytes; /* from the load address, at run time */
	uint64_t preferred, alignment;
	bool relocatable;
	bool is_64bit;       /* has the 64-bit entry */
	uint64_t initrd_top; /* first address an initrd may not use */
	uint32_t cmdline_max;
};
bool mw_bzimage_read(struct mw_bzimage *image, const struct mw_boot_file *file,
		     struct mw_diagnostics *diagnostics);

/** The loader's own data, all in one place in low memory, where no kernel is loaded. Linux takes what
 * it wants to keep of it before it uses that memory. */
enum {
	MW_BOOT_GDT = 0x10000,
	MW_BOOT_ZERO_PAGE = 0x11000,
	MW_BOOT_PAGE_TABLES = 0x12000, /* one PML4, one PDPT, four PDs */
	MW_BOOT_STACK_TOP = 0x20000,
	MW_BOOT_CMDLINE = 0x20000,
	MW_BOOT_END = 0x30000
};
#define MW_BOOT_CMDLINE_ROOM (MW_BOOT_END - MW_BOOT_CMDLINE)

/** GDT and page tables into `low` (the memory at MW_BOOT_GDT), and the CPU on its way to `entry`. */
void mw_boot_enter_long_mode(uint8_t *low, struct mw_cpu_state *cpu, uint64_t entry);
/** The same for a 32-bit kernel: protected mode, without paging. */
void mw_boot_enter_protected_mode(uint8_t *low, struct mw_cpu_state *cpu, uint64_t entry);

#endif
