/** Linux's 64-bit and 32-bit boot protocols for bzImage (Documentation/arch/x86/boot.rst). */
// SPDX-License-Identifier: MIT
#ifndef CORE_BOOT_LINUX_H
#define CORE_BOOT_LINUX_H

#include <stdbool.h>

#include "core/machine.h"

/** A kernel, an initrd and a command line, checked and ready to be loaded at every reset. Files stay
 * open for its life; nothing is kept in memory. */
struct mw_linux_boot;

/** Opens and checks the plan's boot.linux and boot.initrd: magic, version (2.12 or newer),
 * length, whether both fit the plan's RAM, the command line's length. False with a
 * diagnostic at the plan's spans. */
bool mw_linux_boot_open(struct mw_linux_boot **out, const struct mw_plan *plan,
			struct mw_diagnostics *diagnostics);
void mw_linux_boot_close(struct mw_linux_boot *boot);
/** A reset hook (mw_machine_add_reset_hook) with the boot as its context: copies kernel, initrd, boot
 * parameters with e820 and the RSDP's address, page tables and GDT, and sets CPU 0 to the entry. */
bool mw_linux_boot_load(void *boot, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
			struct mw_diagnostics *diagnostics);

#endif
