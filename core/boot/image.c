/** Places and loads what is the same for every kernel: segments, modules, whole files. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/boot/boot_internal.h"

unsigned long long mw_boot_mib(uint64_t bytes)
{
	return (bytes / MW_BOOT_MIB) + (bytes % MW_BOOT_MIB != 0);
}

struct mw_diag *mw_boot_no_room(const struct mw_boot *boot, const struct mw_boot_file *file,
				const char *what, uint64_t end, struct mw_diagnostics *diagnostics)
{
	struct mw_diag *diag = mw_diagnostics_add(
		diagnostics, MW_SEVERITY_ERROR, "", file->span,
		"%s `%s` does not fit the machine's RAM of %llu MiB: it needs %s", file->what,
		file->path, mw_boot_mib(boot->plan->ram_bytes), what);

	if (end <= MW_BOOT_RAM_TOP)
		mw_diag_help(diagnostics, diag, "`--set ram=%lluMiB` is the least it would fit",
			     mw_boot_mib(end + boot->memory.tables_bytes));
	return diag;
}

bool mw_boot_check_cmdline(const struct mw_boot *boot, size_t limit,
			   struct mw_diagnostics *diagnostics)
{
	size_t length = strlen(boot->plan->boot.cmdline);

	if (limit > MW_BOOT_CMDLINE_ROOM - 1)
		limit = MW_BOOT_CMDLINE_ROOM - 1;
	if (length <= limit)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", boot->plan->boot.cmdline_span,
			   "the command line has %zu characters; this kernel takes %zu", length,
			   limit);
	return false;
}

/** Where RAM ends below 4 GiB, tables left out. */
static uint64_t ram_end(const struct mw_boot_memory *memory)
{
	uint64_t end = 0;

	for (size_t i = 0; i < memory->e820_count; i++) {
		const struct mw_e820_entry *entry = &memory->e820[i];

		if (entry->type == MW_E820_RAM && entry->base < MW_BOOT_BELOW_4G)
			end = entry->base + entry->length;
	}
	return end;
}

static bool refuse_segment(const struct mw_boot *boot, const struct mw_boot_segment *segment,
			   struct mw_diagnostics *diagnostics)
{
	char what[96];
	uint64_t end = segment->address + segment->memory_bytes;

	if (mw_boot_memory_taker(&boot->memory, segment->address, segment->memory_bytes))
		return mw_boot_refuse(
			&boot->kernel, diagnostics, NULL,
			"is damaged: its segment %u, 0x%llx-0x%llx, lies over another",
			segment->number, (unsigned long long)segment->address,
			(unsigned long long)end - 1);
	if (end <= ram_end(&boot->memory))
		return mw_boot_refuse(&boot->kernel, diagnostics, NULL,
				      "cannot be loaded: its segment %u, 0x%llx-0x%llx, lies where "
				      "the machine has "
				      "no free RAM",
				      segment->number, (unsigned long long)segment->address,
				      (unsigned long long)end - 1);
	snprintf(what, sizeof(what), "0x%llx-0x%llx for its segment %u",
		 (unsigned long long)segment->address, (unsigned long long)end - 1,
		 segment->number);
	mw_boot_no_room(boot, &boot->kernel, what, end, diagnostics);
	return false;
}

bool mw_boot_place_image(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	for (size_t i = 0; i < boot->image.count; i++) {
		const struct mw_boot_segment *segment = &boot->image.segments[i];

		if (!mw_boot_memory_is_free(&boot->memory, segment->address, segment->memory_bytes))
			return refuse_segment(boot, segment, diagnostics);
		mw_boot_memory_take(&boot->memory, segment->address, segment->memory_bytes);
	}
	return true;
}

static bool fail_no_ram(const struct mw_boot_file *file, uint64_t address,
			struct mw_diagnostics *diagnostics)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", file->span,
			   "the place of the %s, 0x%llx, is not RAM", file->what,
			   (unsigned long long)address);
	return false;
}

bool mw_boot_load_file(const struct mw_boot_file *file, uint64_t offset, uint64_t count,
		       uint64_t address, struct mw_machine *machine,
		       struct mw_diagnostics *diagnostics)
{
	void *ram = mw_machine_ram(machine, address, count);

	if (!ram)
		return fail_no_ram(file, address, diagnostics);
	return mw_boot_file_read(file, offset, ram, count, diagnostics);
}

static uint64_t image_end(const struct mw_boot_image *image)
{
	uint64_t end = MW_BOOT_MIB;

	for (size_t i = 0; i < image->count; i++) {
		if (image->segments[i].address + image->segments[i].memory_bytes > end)
			end = image->segments[i].address + image->segments[i].memory_bytes;
	}
	return end;
}

/** Where RAM would have to end for all modules to lie behind the kernel. */
static uint64_t modules_end(const struct mw_boot *boot)
{
	uint64_t end = image_end(&boot->image) + MW_BOOT_PAGE;

	for (size_t i = 0; i < boot->module_count; i++) {
		uint64_t bytes = boot->modules[i].file.size;

		if (bytes >= MW_BOOT_BELOW_4G || end >= MW_BOOT_BELOW_4G)
			return MW_BOOT_BELOW_4G;
		end += bytes + MW_BOOT_PAGE;
	}
	return end;
}

static bool place_module(struct mw_boot *boot, struct mw_boot_module *module, bool high)
{
	uint64_t bytes = module->file.size, end = image_end(&boot->image);

	if (high)
		return mw_boot_memory_take_high(&boot->memory, bytes, MW_BOOT_MIB, MW_BOOT_BELOW_4G,
						&module->base);
	return mw_boot_memory_take_low(&boot->memory, bytes, end, &module->base) ||
	       mw_boot_memory_take_low(&boot->memory, bytes, MW_BOOT_MIB, &module->base);
}

bool mw_boot_place_modules(struct mw_boot *boot, bool high, struct mw_diagnostics *diagnostics)
{
	for (size_t i = 0; i < boot->module_count; i++) {
		struct mw_boot_module *module = &boot->modules[i];
		char what[64];

		if (place_module(boot, module, high))
			continue;
		snprintf(what, sizeof(what), "%llu MiB beside the kernel",
			 mw_boot_mib(module->file.size));
		mw_boot_no_room(boot, &module->file, what, modules_end(boot), diagnostics);
		return false;
	}
	return true;
}

bool mw_boot_load_modules(const struct mw_boot *boot, struct mw_machine *machine,
			  struct mw_diagnostics *diagnostics)
{
	for (size_t i = 0; i < boot->module_count; i++) {
		const struct mw_boot_module *module = &boot->modules[i];

		if (!mw_boot_load_file(&module->file, 0, module->file.size, module->base, machine,
				       diagnostics))
			return false;
	}
	return true;
}

bool mw_boot_load_image(const struct mw_boot *boot, struct mw_machine *machine,
			struct mw_diagnostics *diagnostics)
{
	for (size_t i = 0; i < boot->image.count; i++) {
		const struct mw_boot_segment *segment = &boot->image.segments[i];
		uint8_t *ram = mw_machine_ram(machine, segment->address, segment->memory_bytes);

		if (!ram)
			return fail_no_ram(&boot->kernel, segment->address, diagnostics);
		if (!mw_boot_file_read(&boot->kernel, segment->offset, ram, segment->file_bytes,
				       diagnostics))
			return false;
		memset(ram + segment->file_bytes, 0, segment->memory_bytes - segment->file_bytes);
	}
	return true;
}

bool mw_boot_image_holds(const struct mw_boot_image *image, uint64_t address)
{
	for (size_t i = 0; i < image->count; i++) {
		const struct mw_boot_segment *segment = &image->segments[i];

		if (address >= segment->address &&
		    address - segment->address < segment->memory_bytes)
			return true;
	}
	return false;
}
