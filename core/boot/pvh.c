/** The PVH boot protocol (Xen, docs/misc/pvh.pandoc; xen/include/public/arch-x86/hvm/start_info.h). */
// SPDX-License-Identifier: MIT
#include "core/boot/boot_internal.h"
#include "core/bytes.h"
#include "core/cpu_state.h"

enum {
	INFO_BYTES = 56,
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_MODULE_COUNT = 12,
	AT_MODULES = 16,
	AT_CMDLINE = 24,
	AT_RSDP = 32,
	AT_MEMORY_MAP = 40,
	AT_MEMORY_MAP_COUNT = 48,
	MODULE_BYTES = 32, /* address, size, string's address, reserved */
	RANGE_BYTES = 24   /* address, size, type as in e820, reserved */
};
#define MAGIC   0x336ec578
#define VERSION 1

/* A 32-bit TSS in use; its limit is the least there is. */
static const struct mw_segment task = { 0, 0x8b, 0x67, 0 };

static bool prepare(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	return mw_elf_read(&boot->image, &boot->kernel, true, diagnostics) &&
	       mw_boot_check_cmdline(boot, SIZE_MAX, diagnostics) &&
	       mw_boot_memory_map(&boot->memory, boot->plan, diagnostics) &&
	       mw_boot_place_image(boot, diagnostics) &&
	       mw_boot_info_place(boot, INFO_BYTES, MODULE_BYTES, RANGE_BYTES, diagnostics) &&
	       mw_boot_place_modules(boot, true, diagnostics);
}

static void write_modules(const struct mw_boot *boot, struct mw_boot_info *info, uint8_t *start)
{
	uint64_t address;

	if (!boot->module_count)
		return;
	uint8_t *entry = mw_boot_info_room(info, boot->module_count * MODULE_BYTES, &address);

	mw_put_le(start + AT_MODULE_COUNT, 4, boot->module_count);
	mw_put_le(start + AT_MODULES, 8, address);
	for (size_t i = 0; i < boot->module_count; i++, entry += MODULE_BYTES) {
		const struct mw_boot_module *module = &boot->modules[i];

		mw_put_le(entry, 8, module->base);
		mw_put_le(entry + 8, 8, module->file.size);
		mw_put_le(entry + 16, 8, mw_boot_info_text(info, module->string));
	}
}

static void write_memory_map(const struct mw_boot_memory *memory, struct mw_boot_info *info,
			     uint8_t *start)
{
	uint64_t address;
	uint8_t *entry = mw_boot_info_room(info, memory->e820_count * RANGE_BYTES, &address);

	mw_put_le(start + AT_MEMORY_MAP, 8, address);
	mw_put_le(start + AT_MEMORY_MAP_COUNT, 4, memory->e820_count);
	for (size_t i = 0; i < memory->e820_count; i++, entry += RANGE_BYTES) {
		mw_put_le(entry, 8, memory->e820[i].base);
		mw_put_le(entry + 8, 8, memory->e820[i].length);
		mw_put_le(entry + 16, 4, memory->e820[i].type);
	}
}

static bool load(const struct mw_boot *boot, struct mw_machine *machine, struct mw_cpu_state *cpu,
		 struct mw_diagnostics *diagnostics)
{
	struct mw_boot_info info;
	uint64_t address;

	if (!mw_boot_load_image(boot, machine, diagnostics) ||
	    !mw_boot_load_modules(boot, machine, diagnostics))
		return false;
	mw_boot_info_begin(&info, boot, machine);
	uint8_t *start = mw_boot_info_room(&info, INFO_BYTES, &address);

	mw_put_le(start + AT_MAGIC, 4, MAGIC);
	mw_put_le(start + AT_VERSION, 4, VERSION);
	mw_put_le(start + AT_CMDLINE, 8, mw_boot_info_text(&info, boot->plan->boot.cmdline));
	mw_put_le(start + AT_RSDP, 8, boot->memory.rsdp);
	write_modules(boot, &info, start);
	write_memory_map(&boot->memory, &info, start);
	mw_boot_enter_protected_mode(info.bytes, info.base, cpu, boot->image.entry);
	cpu->segment[MW_TR] = task;
	cpu->gpr[MW_RBX] = address;
	return true;
}

const struct mw_boot_protocol mw_boot_pvh = { .prepare = prepare, .load = load };
