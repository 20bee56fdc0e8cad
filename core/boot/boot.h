/** The boot loader: a kernel of any kind we know, looked at and loaded as its file asks for. */
// SPDX-License-Identifier: MIT
#ifndef CORE_BOOT_BOOT_H
#define CORE_BOOT_BOOT_H

#include <stdbool.h>

#include "core/machine.h"

/** A kernel, an initrd, modules and a command line, checked and ready to be loaded at every reset.
 * Files stay open for its life; nothing of them is kept in memory. */
struct mw_boot;

/** Opens and checks the files that the plan's `boot` names (`linux` or `elf`; `initrd`, `modules`). What
 * the kernel's file holds decides how it is loaded: a bzImage by Linux's boot protocol, a multiboot
 * kernel by multiboot 1, another ELF file by its PVH entry. False with a diagnostic at the plan's
 * spans, also where something does not fit the plan's RAM. */
bool mw_boot_open(struct mw_boot **out, const struct mw_plan *plan,
		  struct mw_diagnostics *diagnostics);
void mw_boot_close(struct mw_boot *boot);
/** A reset hook (mw_machine_add_reset_hook) with the boot as its context: copies everything into RAM,
 * writes what the protocol hands over and sets CPU 0 to the kernel's entry. */
bool mw_boot_load(void *boot, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		  struct mw_diagnostics *diagnostics);

#endif
