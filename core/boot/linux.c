/** Loads Linux by its 64-bit or 32-bit boot protocol (Documentation/arch/x86/boot.rst, zero-page.rst). */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "core/boot/boot_internal.h"
#include "core/bytes.h"
#include "core/cpu_state.h"

#define ENTRY_64 0x200u

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
	E820_ENTRY_BYTES = 20
};
#define LOADER_UNDEFINED 0xff /* no number is assigned to us */
#define VID_MODE_NORMAL  0xffff

static bool fail_kernel(const struct mw_boot *boot, uint64_t end,
			struct mw_diagnostics *diagnostics)
{
	const struct mw_bzimage *image = &boot->bzimage;
	char what[64];

	snprintf(what, sizeof(what), "%llu MiB in one piece", mw_boot_mib(image->memory_bytes));
	struct mw_diag *diag = mw_boot_no_room(boot, &boot->kernel, what, end, diagnostics);

	mw_diag_note(diagnostics, diag, (struct mw_span){ 0 }, "it runs at 0x%llx%s",
		     (unsigned long long)image->preferred,
		     image->relocatable ? " or above" : " and nowhere else");
	return false;
}

/** The preferred address, or the lowest above it: a kernel moves itself up there anyhow. */
static bool place_kernel(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	const struct mw_bzimage *image = &boot->bzimage;
	const struct mw_boot_memory *memory = &boot->memory;
	uint64_t bytes = image->memory_bytes,
		 start = image->preferred > MW_BOOT_MIB ? image->preferred : MW_BOOT_MIB;

	boot->kernel_base = start;
	if (start == image->preferred && mw_boot_memory_is_free(memory, start, bytes))
		return true;
	for (size_t i = 0; image->relocatable && i < memory->e820_count && start < MW_BOOT_BELOW_4G;
	     i++) {
		uint64_t from = memory->e820[i].base > start ? memory->e820[i].base : start;

		if (from > MW_BOOT_BELOW_4G)
			break;
		boot->kernel_base = (from + image->alignment - 1) & ~(image->alignment - 1);
		if (mw_boot_memory_is_free(memory, boot->kernel_base, bytes))
			return true;
	}
	return fail_kernel(boot,
			   start < MW_BOOT_BELOW_4G && bytes < MW_BOOT_BELOW_4G ? start + bytes
										: MW_BOOT_BELOW_4G,
			   diagnostics);
}

/** As high as kernel and identity map allow, so that it is out of the way of what Linux does first. */
static bool place_initrd(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	struct mw_boot_module *initrd = boot->module_count ? boot->modules : NULL;
	uint64_t kernel_end = boot->kernel_base + boot->bzimage.memory_bytes;
	char what[64];

	mw_boot_memory_take(&boot->memory, boot->kernel_base, boot->bzimage.memory_bytes);
	if (!initrd || mw_boot_memory_take_high(&boot->memory, initrd->file.size, MW_BOOT_MIB,
						boot->bzimage.initrd_top, &initrd->base))
		return true;
	uint64_t bytes = initrd->file.size, end = MW_BOOT_BELOW_4G;

	if (bytes < MW_BOOT_BELOW_4G - kernel_end)
		end = kernel_end + bytes + MW_BOOT_PAGE;
	if (end > boot->bzimage.initrd_top)
		end = MW_BOOT_BELOW_4G; /* more RAM is no cure */
	snprintf(what, sizeof(what), "%llu MiB beside the kernel", mw_boot_mib(bytes));
	mw_boot_no_room(boot, &initrd->file, what, end, diagnostics);
	return false;
}

static bool check_low_memory(const struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	if (mw_boot_memory_is_free(&boot->memory, MW_BOOT_GDT, MW_BOOT_END - MW_BOOT_GDT))
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", boot->kernel.span,
			   "the machine has no free RAM at 0x%x-0x%x to start Linux from",
			   (unsigned)MW_BOOT_GDT, (unsigned)MW_BOOT_END - 1);
	return false;
}

static bool check_modules(const struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan_boot *plan = &boot->plan->boot;

	if (!plan->module_count)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", plan->modules[0].span,
			   "a bzImage takes an `initrd` and no other modules");
	return false;
}

static bool prepare(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	return mw_bzimage_read(&boot->bzimage, &boot->kernel, diagnostics) &&
	       check_modules(boot, diagnostics) &&
	       mw_boot_check_cmdline(boot, boot->bzimage.cmdline_max, diagnostics) &&
	       mw_boot_memory_map(&boot->memory, boot->plan, diagnostics) &&
	       check_low_memory(boot, diagnostics) && place_kernel(boot, diagnostics) &&
	       place_initrd(boot, diagnostics);
}

static void write_zero_page(const struct mw_boot *boot, uint8_t *page)
{
	memset(page, 0, ZERO_PAGE_BYTES);
	memcpy(page + MW_SETUP_HEADER, boot->bzimage.head + MW_SETUP_HEADER,
	       boot->bzimage.header_end - MW_SETUP_HEADER);
	page[AT_LOADER_TYPE] = LOADER_UNDEFINED;
	mw_put_le(page + AT_VID_MODE, 2, VID_MODE_NORMAL);
	mw_put_le(page + AT_CODE32_START, 4, boot->kernel_base);
	if (boot->module_count) {
		mw_put_le(page + AT_INITRD, 4, boot->modules[0].base);
		mw_put_le(page + AT_INITRD_BYTES, 4, boot->modules[0].file.size);
	} else { /* the file's header may hold anything */
		mw_put_le(page + AT_INITRD, 8, 0);
	}
	mw_put_le(page + AT_CMDLINE, 4, MW_BOOT_CMDLINE);
	mw_put_le(page + AT_SETUP_DATA, 8, 0);
	mw_put_le(page + AT_ACPI_RSDP, 8, boot->memory.rsdp);
	page[AT_E820_COUNT] = (uint8_t)boot->memory.e820_count;
	for (size_t i = 0; i < boot->memory.e820_count; i++) {
		uint8_t *entry = page + AT_E820 + i * E820_ENTRY_BYTES;
		mw_put_le(entry, 8, boot->memory.e820[i].base);
		mw_put_le(entry + 8, 8, boot->memory.e820[i].length);
		mw_put_le(entry + 16, 4, boot->memory.e820[i].type);
	}
}

static bool load(const struct mw_boot *boot, struct mw_machine *machine, struct mw_cpu_state *cpu,
		 struct mw_diagnostics *diagnostics)
{
	const struct mw_bzimage *image = &boot->bzimage;
	uint8_t *low = mw_machine_ram(machine, MW_BOOT_GDT, MW_BOOT_END - MW_BOOT_GDT);

	assert(low && "the machine was built from the plan that was checked");
	if (!mw_boot_load_file(&boot->kernel, image->payload_offset, image->payload_bytes,
			       boot->kernel_base, machine, diagnostics) ||
	    !mw_boot_load_modules(boot, machine, diagnostics))
		return false;
	write_zero_page(boot, low + (MW_BOOT_ZERO_PAGE - MW_BOOT_GDT));
	memcpy(low + (MW_BOOT_CMDLINE - MW_BOOT_GDT), boot->plan->boot.cmdline,
	       strlen(boot->plan->boot.cmdline) + 1);
	if (image->is_64bit)
		mw_boot_enter_long_mode(low, cpu, boot->kernel_base + ENTRY_64);
	else
		mw_boot_enter_protected_mode(low, MW_BOOT_GDT, cpu, boot->kernel_base);
	cpu->gpr[MW_RSP] = MW_BOOT_STACK_TOP;
	cpu->gpr[MW_RSI] = MW_BOOT_ZERO_PAGE;
	return true;
}

const struct mw_boot_protocol mw_boot_linux = { .prepare = prepare, .load = load };
