/** What is handed over to a kernel in protected mode, in one piece of memory. */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "core/boot/boot_internal.h"

/* Above the real-mode vectors and the BIOS data area, which some kernels look at. */
enum { LEAST = 0x10000, ALIGN = 8 };

static size_t aligned(size_t count)
{
	return (count + ALIGN - 1) / ALIGN * ALIGN;
}

bool mw_boot_info_place(struct mw_boot *boot, size_t fixed, size_t per_module, size_t per_range,
			struct mw_diagnostics *diagnostics)
{
	size_t bytes = MW_BOOT_GDT_BYTES + aligned(fixed) +
		       aligned(boot->module_count * per_module) +
		       aligned(boot->memory.e820_count * per_range) +
		       aligned(strlen(boot->plan->boot.cmdline) + 1);

	for (size_t i = 0; i < boot->module_count; i++)
		bytes += aligned(strlen(boot->modules[i].string) + 1);
	boot->info_bytes = bytes;
	if (mw_boot_memory_take_low(&boot->memory, bytes, LEAST, &boot->info))
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", boot->kernel.span,
			   "the machine has no %zu bytes of free RAM for what the kernel is told",
			   bytes);
	return false;
}

void mw_boot_info_begin(struct mw_boot_info *info, const struct mw_boot *boot,
			struct mw_machine *machine)
{
	info->base = boot->info;
	info->size = boot->info_bytes;
	info->bytes = mw_machine_ram(machine, boot->info, boot->info_bytes);
	info->used = MW_BOOT_GDT_BYTES;
	assert(info->bytes && "the machine was built from the plan that was checked");
}

uint8_t *mw_boot_info_room(struct mw_boot_info *info, size_t count, uint64_t *address)
{
	uint8_t *room = info->bytes + info->used;

	*address = info->base + info->used;
	info->used += aligned(count);
	assert(info->used <= info->size);
	memset(room, 0, aligned(count));
	return room;
}

uint64_t mw_boot_info_text(struct mw_boot_info *info, const char *text)
{
	uint64_t address;

	memcpy(mw_boot_info_room(info, strlen(text) + 1, &address), text, strlen(text) + 1);
	return address;
}
