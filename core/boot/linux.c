/** Loads Linux by its 64-bit or 32-bit boot protocol (Documentation/arch/x86/boot.rst, zero-page.rst). */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/boot/linux_internal.h"
#include "core/bytes.h"
#include "core/cpu_state.h"

#define MIB      0x100000ull
#define BELOW_4G 0x100000000ull
#define ENTRY_64 0x200u
#define PAGE     4096u

/* Offsets in the zero page. */
enum {
	ZERO_PAGE_BYTES = 4096,
	AT_ACPI_RSDP = 0x70,
	AT_E820_COUNT = 0x1e8,
	AT_VID_MODE = 0x1fa,
	AT_LOADER_TYPE = 0x210,
	AT_CODE32_START = 0x214,
	AT_INITRD = 0x218,
	AT_INITRD_BYTES = 0x21c,
	AT_CMDLINE = 0x228,
	AT_SETUP_DATA = 0x250,
	AT_E820 = 0x2d0,
	E820_ENTRY_BYTES = 20,
	E820_MAX = 128
};
#define LOADER_UNDEFINED 0xff /* no number is assigned to us */
#define VID_MODE_NORMAL  0xffff

struct mw_linux_boot {
	const struct mw_plan *plan;
	struct mw_boot_file kernel, initrd; /* no initrd: fd -1, size 0 */
	struct mw_bzimage image;
	uint64_t kernel_base, initrd_base, rsdp;
	struct mw_e820_entry e820[E820_MAX];
	size_t e820_count;
	uint64_t tables_bytes;
};

/** Whether [base, base + length) is free RAM that the identity map reaches. */
static bool is_free(const struct mw_linux_boot *boot, uint64_t base, uint64_t length)
{
	for (size_t i = 0; i < boot->e820_count; i++) {
		const struct mw_e820_entry *entry = &boot->e820[i];
		if (entry->type == MW_E820_RAM && base >= entry->base && length <= entry->length &&
		    base - entry->base <= entry->length - length)
			return base <= BELOW_4G && length <= BELOW_4G - base;
	}
	return false;
}

static unsigned long long to_mib(uint64_t bytes)
{
	return (bytes / MIB) + (bytes % MIB != 0);
}

/** `end` is where RAM would have to end. */
static bool fail_no_room(const struct mw_linux_boot *boot, const struct mw_boot_file *file,
			 uint64_t bytes, uint64_t end, struct mw_diagnostics *diagnostics)
{
	struct mw_diag *diag = mw_diagnostics_add(
		diagnostics, MW_SEVERITY_ERROR, "", file->span,
		"%s `%s` does not fit the machine's RAM of %llu MiB: it needs %llu MiB%s",
		file->what, file->path, to_mib(boot->plan->ram_bytes), to_mib(bytes),
		file == &boot->kernel ? " in one piece" : " beside the kernel");
	if (file == &boot->kernel)
		mw_diag_note(diagnostics, diag, (struct mw_span){ 0 }, "it runs at 0x%llx%s",
			     (unsigned long long)boot->image.preferred,
			     boot->image.relocatable ? " or above" : " and nowhere else");
	if (end < BELOW_4G)
		mw_diag_help(diagnostics, diag, "`--set ram=%lluMiB` is the least it would fit",
			     to_mib(end + boot->tables_bytes));
	return false;
}

/** The preferred address, or the lowest above it: a kernel moves itself up there anyhow. */
static bool place_kernel(struct mw_linux_boot *boot, struct mw_diagnostics *diagnostics)
{
	const struct mw_bzimage *image = &boot->image;
	uint64_t bytes = image->memory_bytes,
		 start = image->preferred > MIB ? image->preferred : MIB;
	boot->kernel_base = start;
	if (start == image->preferred && is_free(boot, start, bytes))
		return true;
	for (size_t i = 0; image->relocatable && i < boot->e820_count && start < BELOW_4G; i++) {
		uint64_t from = boot->e820[i].base > start ? boot->e820[i].base : start;
		if (from > BELOW_4G)
			break;
		boot->kernel_base = (from + image->alignment - 1) & ~(image->alignment - 1);
		if (is_free(boot, boot->kernel_base, bytes))
			return true;
	}
	uint64_t end = start < BELOW_4G && bytes < BELOW_4G ? start + bytes : BELOW_4G;
	return fail_no_room(boot, &boot->kernel, bytes, end, diagnostics);
}

/** As high as kernel and identity map allow, so that it is out of the way of what Linux does first. */
static bool place_initrd(struct mw_linux_boot *boot, struct mw_diagnostics *diagnostics)
{
	uint64_t bytes = boot->initrd.size,
		 kernel_end = boot->kernel_base + boot->image.memory_bytes;
	for (size_t i = boot->e820_count; bytes && i--;) {
		const struct mw_e820_entry *entry = &boot->e820[i];
		const uint64_t tops[2] = { entry->base + entry->length, boot->kernel_base };
		for (size_t t = 0; t < 2; t++) {
			uint64_t top = tops[t] < BELOW_4G ? tops[t] : BELOW_4G;
			if (top > boot->image.initrd_top)
				top = boot->image.initrd_top;
			if (top < bytes || top - bytes < MIB)
				continue;
			uint64_t base = (top - bytes) / PAGE * PAGE;
			bool apart = base >= kernel_end || base + bytes <= boot->kernel_base;
			if (apart && base >= entry->base && is_free(boot, base, bytes)) {
				boot->initrd_base = base;
				return true;
			}
		}
	}
	if (!bytes)
		return true;
	uint64_t end = bytes < BELOW_4G - kernel_end ? kernel_end + bytes + PAGE : BELOW_4G;
	if (end > boot->image.initrd_top)
		end = BELOW_4G; /* more RAM is no cure */
	return fail_no_room(boot, &boot->initrd, bytes, end, diagnostics);
}

static bool map_ram(struct mw_linux_boot *boot, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan *plan = boot->plan;
	struct mw_arena arena = { 0 };
	struct mw_acpi_tables acpi = { 0 };
	bool wanted = plan->boot.tables & MW_TABLES_ACPI;
	bool ok = !wanted || mw_acpi_build(&acpi, plan, &arena, diagnostics);
	if (ok) {
		boot->rsdp = acpi.rsdp;
		boot->tables_bytes = (acpi.length + PAGE - 1) / PAGE * PAGE;
		boot->e820_count = mw_e820(plan, wanted ? &acpi : NULL, boot->e820, E820_MAX);
		ok = boot->e820_count <= E820_MAX;
		if (!ok)
			mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", plan->boot.span,
					   "the memory map has %zu ranges; Linux takes %d",
					   boot->e820_count, E820_MAX);
	}
	mw_arena_fini(&arena);
	if (!ok)
		return false;
	if (!is_free(boot, MW_BOOT_GDT, MW_BOOT_END - MW_BOOT_GDT)) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", plan->boot.linux_span,
				   "the machine has no free RAM at 0x%x-0x%x to start Linux from",
				   (unsigned)MW_BOOT_GDT, (unsigned)MW_BOOT_END - 1);
		return false;
	}
	return true;
}

static bool check_cmdline(const struct mw_linux_boot *boot, struct mw_diagnostics *diagnostics)
{
	size_t length = strlen(boot->plan->boot.cmdline), limit = boot->image.cmdline_max;
	if (limit > MW_BOOT_CMDLINE_ROOM - 1)
		limit = MW_BOOT_CMDLINE_ROOM - 1;
	if (length <= limit)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", boot->plan->boot.cmdline_span,
			   "the command line has %zu characters; this kernel takes %zu", length,
			   limit);
	return false;
}

static bool prepare(struct mw_linux_boot *boot, struct mw_diagnostics *diagnostics)
{
	bool ok = mw_boot_file_open(&boot->kernel, diagnostics) &&
		  mw_bzimage_read(&boot->image, &boot->kernel, diagnostics);
	if (boot->initrd.path)
		ok = mw_boot_file_open(&boot->initrd, diagnostics) && ok;
	return ok && check_cmdline(boot, diagnostics) && map_ram(boot, diagnostics) &&
	       place_kernel(boot, diagnostics) && place_initrd(boot, diagnostics);
}

bool mw_linux_boot_open(struct mw_linux_boot **out, const struct mw_plan *plan,
			struct mw_diagnostics *diagnostics)
{
	assert(plan->boot.linux_path && "only for plans with boot.linux");
	struct mw_linux_boot *boot = mw_alloc(1, sizeof(*boot));
	boot->plan = plan;
	boot->kernel = (struct mw_boot_file){ .fd = -1,
					      .what = "kernel",
					      .path = plan->boot.linux_path,
					      .span = plan->boot.linux_span };
	boot->initrd = (struct mw_boot_file){ .fd = -1,
					      .what = "initrd",
					      .path = plan->boot.initrd_path,
					      .span = plan->boot.initrd_span };
	*out = boot;
	if (prepare(boot, diagnostics))
		return true;
	mw_linux_boot_close(boot);
	*out = NULL;
	return false;
}

void mw_linux_boot_close(struct mw_linux_boot *boot)
{
	if (!boot)
		return;
	if (boot->kernel.fd >= 0)
		close(boot->kernel.fd);
	if (boot->initrd.fd >= 0)
		close(boot->initrd.fd);
	free(boot);
}

static void write_zero_page(const struct mw_linux_boot *boot, uint8_t *page)
{
	memset(page, 0, ZERO_PAGE_BYTES);
	memcpy(page + MW_SETUP_HEADER, boot->image.head + MW_SETUP_HEADER,
	       boot->image.header_end - MW_SETUP_HEADER);
	page[AT_LOADER_TYPE] = LOADER_UNDEFINED;
	mw_put_le(page + AT_VID_MODE, 2, VID_MODE_NORMAL);
	mw_put_le(page + AT_CODE32_START, 4, boot->kernel_base);
	mw_put_le(page + AT_INITRD, 4, boot->initrd_base);
	mw_put_le(page + AT_INITRD_BYTES, 4, boot->initrd.size);
	mw_put_le(page + AT_CMDLINE, 4, MW_BOOT_CMDLINE);
	mw_put_le(page + AT_SETUP_DATA, 8, 0);
	mw_put_le(page + AT_ACPI_RSDP, 8, boot->rsdp);
	page[AT_E820_COUNT] = (uint8_t)boot->e820_count;
	for (size_t i = 0; i < boot->e820_count; i++) {
		uint8_t *entry = page + AT_E820 + i * E820_ENTRY_BYTES;
		mw_put_le(entry, 8, boot->e820[i].base);
		mw_put_le(entry + 8, 8, boot->e820[i].length);
		mw_put_le(entry + 16, 4, boot->e820[i].type);
	}
}

static bool load_file(const struct mw_boot_file *file, uint64_t offset, uint64_t count,
		      uint64_t address, struct mw_machine *machine,
		      struct mw_diagnostics *diagnostics)
{
	void *ram = mw_machine_ram(machine, address, count);
	if (ram)
		return mw_boot_file_read(file, offset, ram, count, diagnostics);
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", file->span,
			   "the place of the %s, 0x%llx, is not RAM", file->what,
			   (unsigned long long)address);
	return false;
}

bool mw_linux_boot_load(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
			struct mw_diagnostics *diagnostics)
{
	const struct mw_linux_boot *boot = context;
	const struct mw_bzimage *image = &boot->image;
	uint8_t *low = mw_machine_ram(machine, MW_BOOT_GDT, MW_BOOT_END - MW_BOOT_GDT);
	assert(low && "the machine was built from the plan that was checked");
	if (!load_file(&boot->kernel, image->payload_offset, image->payload_bytes,
		       boot->kernel_base, machine, diagnostics))
		return false;
	if (boot->initrd.size && !load_file(&boot->initrd, 0, boot->initrd.size, boot->initrd_base,
					    machine, diagnostics))
		return false;
	write_zero_page(boot, low + (MW_BOOT_ZERO_PAGE - MW_BOOT_GDT));
	memcpy(low + (MW_BOOT_CMDLINE - MW_BOOT_GDT), boot->plan->boot.cmdline,
	       strlen(boot->plan->boot.cmdline) + 1);
	if (image->is_64bit)
		mw_boot_enter_long_mode(low, boot_cpu, boot->kernel_base + ENTRY_64);
	else
		mw_boot_enter_protected_mode(low, boot_cpu, boot->kernel_base);
	return true;
}
