/** What the parts of the boot loader share. */
// SPDX-License-Identifier: MIT
#ifndef CORE_BOOT_BOOT_INTERNAL_H
#define CORE_BOOT_BOOT_INTERNAL_H

#include <sys/types.h>
#include <time.h>

#include "core/boot/boot.h"
#include "core/tables/tables.h"

#define MW_BOOT_MIB      0x100000ull
#define MW_BOOT_PAGE     4096u
#define MW_BOOT_BELOW_4G 0x100000000ull
#define MW_BOOT_RAM_TOP  0xc0000000ull /* more RAM continues at 4 GiB, unless a profile moves that */

enum {
	MW_BOOT_E820_MAX = 128,
	MW_BOOT_SEGMENTS_MAX = 64,
	MW_BOOT_MODULES_MAX = 64,
	MW_BOOT_HEAD_BYTES = 8192, /* where a multiboot header may lie */
	MW_BOOT_CMDLINE_ROOM = 0x10000
};

/** A file that is read at every reset and must not have changed by then. Zeroes with fd -1, opened by
 * open, closed by the boot that owns it. */
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
/** An error about the file, "kernel `PATH` " before its text. Returns false. */
bool mw_boot_refuse(const struct mw_boot_file *file, struct mw_diagnostics *diagnostics,
		    const char *help, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** Memory as the kernel will find it, and what of it the loader has given away. Below 4 GiB. */
struct mw_boot_memory {
	struct mw_e820_entry e820[MW_BOOT_E820_MAX];
	size_t e820_count;
	uint64_t rsdp, tables_bytes;
	struct mw_plan_range taken[MW_BOOT_SEGMENTS_MAX + MW_BOOT_MODULES_MAX + 2];
	size_t taken_count;
};
bool mw_boot_memory_map(struct mw_boot_memory *memory, const struct mw_plan *plan,
			struct mw_diagnostics *diagnostics);
/** Whether [base, base + length) is RAM in one piece, below 4 GiB and not taken. */
bool mw_boot_memory_is_free(const struct mw_boot_memory *memory, uint64_t base, uint64_t length);
void mw_boot_memory_take(struct mw_boot_memory *memory, uint64_t base, uint64_t length);
/** The taken range that meets [base, base + length), or NULL. */
const struct mw_plan_range *mw_boot_memory_taker(const struct mw_boot_memory *memory, uint64_t base,
						 uint64_t length);
/** Takes the highest, or lowest, free pages with `bytes` from `least` on and below `limit`. */
bool mw_boot_memory_take_high(struct mw_boot_memory *memory, uint64_t bytes, uint64_t least,
			      uint64_t limit, uint64_t *base);
bool mw_boot_memory_take_low(struct mw_boot_memory *memory, uint64_t bytes, uint64_t least,
			     uint64_t *base);

/** A file that is loaded beside the kernel. The initrd is the first of them. */
struct mw_boot_module {
	struct mw_boot_file file;
	char *path;         /* owned; NULL for the initrd, whose path is the plan's */
	const char *string; /* what the kernel is told of it */
	uint64_t base;
};

/** A stretch of the kernel's file and its place; what follows its bytes in memory is zero. */
struct mw_boot_segment {
	unsigned number; /* of its program header */
	uint64_t offset, file_bytes, address, memory_bytes;
	uint64_t virtual_address;
};
struct mw_boot_image {
	struct mw_boot_segment segments[MW_BOOT_SEGMENTS_MAX];
	size_t count;
	uint64_t entry; /* physical */
};
/** The segments of an ELF file for x86, all below 4 GiB, and its entry. With `pvh`, the entry is that
 * of the PVH note, which there must be. */
bool mw_elf_read(struct mw_boot_image *image, const struct mw_boot_file *file, bool pvh,
		 struct mw_diagnostics *diagnostics);
bool mw_boot_image_holds(const struct mw_boot_image *image, uint64_t address);

enum {
	MW_SETUP_HEADER = 0x1f1, /* in the file and in the zero page alike */
	MW_SETUP_HEADER_END = 0x290,
	MW_BZIMAGE_LEAST = 0x264 /* bytes up to the end of the fields that are used */
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

/** A way to boot. `prepare` reads the kernel's headers and places everything; `load` is done at every
 * reset, when everything has its place. */
struct mw_boot_protocol {
	bool (*prepare)(struct mw_boot *boot, struct mw_diagnostics *diagnostics);
	bool (*load)(const struct mw_boot *boot, struct mw_machine *machine,
		     struct mw_cpu_state *cpu, struct mw_diagnostics *diagnostics);
};
extern const struct mw_boot_protocol mw_boot_linux, mw_boot_pvh, mw_boot_multiboot;

struct mw_boot {
	const struct mw_plan *plan;
	const struct mw_boot_protocol *protocol;
	struct mw_boot_file kernel;
	struct mw_boot_module *modules;
	size_t module_count;
	struct mw_boot_memory memory;
	uint8_t head[MW_BOOT_HEAD_BYTES]; /* of the kernel's file, zeroes behind its end */
	size_t head_bytes;
	/* Linux */
	struct mw_bzimage bzimage;
	uint64_t kernel_base;
	/* PVH, multiboot */
	struct mw_boot_image image;
	uint32_t header_flags;
	uint64_t info, info_bytes;
	bool bios_data; /* is written */
};

/** `end` is where RAM would have to end below 4 GiB. Returns the error, for notes. */
struct mw_diag *mw_boot_no_room(const struct mw_boot *boot, const struct mw_boot_file *file,
				const char *what, uint64_t end, struct mw_diagnostics *diagnostics);
unsigned long long mw_boot_mib(uint64_t bytes);
bool mw_boot_check_cmdline(const struct mw_boot *boot, size_t limit,
			   struct mw_diagnostics *diagnostics);
bool mw_boot_load_file(const struct mw_boot_file *file, uint64_t offset, uint64_t count,
		       uint64_t address, struct mw_machine *machine,
		       struct mw_diagnostics *diagnostics);
/** After the image has its place: high, for kernels that use memory from their end on, or low, for those
 * that can reach little more than themselves. */
bool mw_boot_place_modules(struct mw_boot *boot, bool high, struct mw_diagnostics *diagnostics);
bool mw_boot_load_modules(const struct mw_boot *boot, struct mw_machine *machine,
			  struct mw_diagnostics *diagnostics);
bool mw_boot_place_image(struct mw_boot *boot, struct mw_diagnostics *diagnostics);
bool mw_boot_load_image(const struct mw_boot *boot, struct mw_machine *machine,
			struct mw_diagnostics *diagnostics);

/** Offset of the multiboot 1 header in a file's first bytes, or -1. */
long mw_multiboot_find(const uint8_t *head, size_t count);

/** What is handed over to a PVH or multiboot kernel, in one piece of low memory: the GDT, then what
 * the protocol puts there. */
struct mw_boot_info {
	uint8_t *bytes;
	uint64_t base;
	size_t used, size;
};
/** Takes memory for `fixed` bytes (each room's a multiple of 8, or the last), the texts, and so much for
 * each module and range of RAM. */
bool mw_boot_info_place(struct mw_boot *boot, size_t fixed, size_t per_module, size_t per_range,
			struct mw_diagnostics *diagnostics);
void mw_boot_info_begin(struct mw_boot_info *info, const struct mw_boot *boot,
			struct mw_machine *machine);
/** Room for `count` bytes, all zero: its guest address in `address`. */
uint8_t *mw_boot_info_room(struct mw_boot_info *info, size_t count, uint64_t *address);
uint64_t mw_boot_info_text(struct mw_boot_info *info, const char *text);

/** The Linux loader's own data, all in one place in low memory, where no kernel is loaded. Linux takes
 * what it wants to keep of it before it uses that memory. */
enum {
	MW_BOOT_GDT = 0x10000,
	MW_BOOT_ZERO_PAGE = 0x11000,
	MW_BOOT_PAGE_TABLES = 0x12000, /* one PML4, one PDPT, four PDs */
	MW_BOOT_STACK_TOP = 0x20000,
	MW_BOOT_CMDLINE = 0x20000,
	MW_BOOT_END = MW_BOOT_CMDLINE + MW_BOOT_CMDLINE_ROOM
};

enum { MW_BOOT_GDT_BYTES = 0x20 };
/** GDT and page tables into `low` (the memory at MW_BOOT_GDT), and the CPU on its way to `entry`. */
void mw_boot_enter_long_mode(uint8_t *low, struct mw_cpu_state *cpu, uint64_t entry);
/** The same for a 32-bit kernel: protected mode, without paging, and its GDT at any address. */
void mw_boot_enter_protected_mode(uint8_t *gdt, uint64_t gdt_address, struct mw_cpu_state *cpu,
				  uint64_t entry);

#endif
