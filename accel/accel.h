/** Accelerators: one ops table and one capability set for whoever executes guest instructions. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/executor.h"
#include "core/plan.h"

struct mw_machine;

/** What an accelerator offers; `need:` in a profile speaks of these. */
struct mw_accel_caps {
	bool pio, msi, ioeventfd, irqfd, a20, smm, x2apic, synic, isolation, dirty_log;
	bool readonly_memory, kernel_irqchip, split_irqchip, user_irqchip, tsc_deadline;
	bool instruction_clock; /* time by what was executed alone */
	unsigned vtl, max_vcpus, gpa_bits, memslots;
};

/** How good it is here and now. */
enum mw_accel_verdict { MW_ACCEL_GOOD, MW_ACCEL_SLOW, MW_ACCEL_PARTIAL, MW_ACCEL_ABSENT };
struct mw_accel_probe {
	enum mw_accel_verdict verdict;
	char reason[200]; /* one line, for the log; "" when GOOD */
	struct mw_accel_caps caps;
};

/** Where a driver from outside (qtest) is: descriptors to read from and write to, which may be one, or a
 * socket that waits for clients, one after the other. -1: none. The accelerator closes them, but not the
 * standard streams. */
struct mw_accel_driver {
	int in, out, listener;
};

/** Created by ops->create, owned by the caller, destroyed after the machine has stopped and before
 * it is destroyed. */
struct mw_accel;

struct mw_accel_ops {
	const char *name, *summary;
	bool only_by_name; /* `auto` never takes it */
	/** Tries it out, to choose between several: opens and closes what it needs, at most 10 ms. */
	void (*probe)(struct mw_accel_probe *probe);
	/** The same by what can be seen without trying, for when there is no choice. NULL: probe. */
	void (*look)(struct mw_accel_probe *probe);
	/** Makes the VM for this machine and its CPUs, stopped, and hands itself to
	 * mw_machine_set_executor. False: diagnostics say why (spans into the profile where the plan
	 * has them) and *out is NULL. */
	bool (*create)(struct mw_accel **out, struct mw_machine *machine,
		       struct mw_diagnostics *diagnostics);
	void (*destroy)(struct mw_accel *accel);
	/** One line of how it was set up ("kvm: split irqchip, 4 CPUs, TSC 2.6 GHz"). */
	void (*describe)(const struct mw_accel *accel, char *text, size_t capacity);

	/* NULL where it cannot; the machine is stopped. */

	/** The machine does what a driver says from its next start on; once. Without it nothing happens
	 * there. Where the driver leaves and no other can come, the machine ends. */
	void (*drive)(struct mw_accel *accel, const struct mw_accel_driver *driver);

	/** Writes a line to `out` for each of the next `limit` instructions; `out` stays open until
	 * destroy. */
	void (*trace)(struct mw_accel *accel, FILE *out, uint64_t limit);
	/** What its CPUs have done since create, as lines of the machine's log. */
	void (*counters)(const struct mw_accel *accel);
};

/** Those built in, ended by NULL. */
extern const struct mw_accel_ops *const mw_accels[];
/** NULL where there is none of that name. */
const struct mw_accel_ops *mw_accel_find(const char *name);

#endif
