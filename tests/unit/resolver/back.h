/** Resolves a machine written in a test, against device types made for tests. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_RESOLVER_BACK_H
#define TESTS_UNIT_RESOLVER_BACK_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "resolver/lock.h"
#include "resolver/resolver.h"

/** One run. Made by back_resolve, freed by back_fini. */
struct back {
	struct mw_registry registry;
	struct mw_diagnostics diagnostics;
	struct mw_plan *plan; /* NULL after errors */
	char *text;           /* the plan's whole text, NULL likewise */
	char *lock;           /* the lock it would be given, NULL likewise */
	struct mw_lock_state state;
};

/* What most machines of these tests begin with. `chip` has optional ranges `regs` (memory, 4 KiB) and
 * `ports` (8), an optional line `irq` and a property of each kind; `strict` has it all required;
 * `span` has ranges of any length; `apic` has 24 pins, `pic` 16. `floppy` needs a DMA channel, `sound`
 * may have two, `low` and `high`; `nic` is a PCI function with an INTx pin and up to 4 messages. */
#define BACK_CPU    "cpu: { model: host, tsc_khz: from-host }\n"
#define BACK_MEMORY "memory: { ram: 64MiB }\n"
#define BACK_BOOT   "boot: { linux: kernel }\n"
#define BACK_IRQ \
	"irq: { gsi: { lines: 24, to: apic }, isa: { lines: 16, to: pic, reserve: [2] } }\n"
#define BACK_WINDOWS \
	"windows: { io: { range: 0xc000+0x100 }, mmio32: { range: 0xe0000000+0x10000 } }\n"
#define BACK_DEVICES                         \
	"devices:\n"                         \
	"  apic: { type: apic, at: sys }\n"  \
	"  pic: { type: pic, at: sys }\n"    \
	"  isa: { type: bridge, at: sys }\n" \
	"  pci: { type: pci-host, at: sys }\n"
#define BACK_MACHINE BACK_CPU BACK_MEMORY BACK_BOOT BACK_IRQ BACK_WINDOWS BACK_DEVICES

/** Resolves a header, then the texts, ended by NULL. */
void back_resolve(struct back *back, const char *text, ...) __attribute__((sentinel));
/** The same with the text of a lock file; NULL: without. */
void back_locked(struct back *back, const char *lock, const char *text, ...)
	__attribute__((sentinel));
void back_fini(struct back *back);

/** How many findings have this code. */
size_t back_count(const struct back *back, const char *code);
/** Fails unless the only finding with this code, and the only error, holds `part`. */
void back_expect(const struct back *back, const char *code, const char *part);
/** Fails, printing what was found, unless the machine resolved without any finding. */
void back_clean(const struct back *back);
/** The plan's node; fails when there is none. */
const struct mw_plan_node *back_node(const struct back *back, const char *id);
/** Base of a range. */
uint64_t back_base(const struct back *back, const char *id, const char *claim);
/** The net of a node's line. */
const struct mw_plan_net *back_net(const struct back *back, const char *id, const char *wire);

/* Resolves one text, checks, frees. */
void back_bad(const char *code, const char *part, const char *text);
#define back_device_bad(code, part, device) back_bad(code, part, BACK_MACHINE "  x: " device "\n")

#endif
