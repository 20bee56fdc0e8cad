/** Snapshots: a whole machine in one file, and back (core/snapshot/README.md has the format). */
// SPDX-License-Identifier: MIT
#ifndef CORE_SNAPSHOT_SNAPSHOT_H
#define CORE_SNAPSHOT_SNAPSHOT_H

#include "core/machine.h"

/** Saves a stopped machine: plan, state rows, lines, bytes under way, CPUs, memory without its zero
 * pages. Main thread. The file is written beside `path` and renamed, so `path` holds a whole
 * snapshot or what it held before; it is readable for its owner alone, as it holds all the guest
 * knows. False: diagnostics say why. */
bool mw_snapshot_save(struct mw_machine *machine, const char *path,
		      struct mw_diagnostics *diagnostics);

/** An opened snapshot; everything but its memory is read and verified. Freed with
 * mw_snapshot_close. */
struct mw_snapshot;
bool mw_snapshot_open(struct mw_snapshot **out, const char *path,
		      struct mw_diagnostics *diagnostics);
void mw_snapshot_close(struct mw_snapshot *snapshot);

/** The plan's canonical text; borrowed. */
const char *mw_snapshot_plan(struct mw_snapshot *snapshot, size_t *length);
/** Makes of the plan read from that text the machine as its guest knows it: features of the CPU's model that
 * the accelerator could not give are removed, a TSC whose rate was the host's has the rate it had, and drives
 * have the files that were put in since the machine began. Before the machine is built. */
bool mw_snapshot_fit_plan(struct mw_snapshot *snapshot, struct mw_plan *plan,
			  struct mw_diagnostics *diagnostics);
/** Leaves out of the plan what can be put into its drives later: mw_snapshot_load does that, and a drive whose
 * file is not there is empty then. Before the machine is built; the plan lasts as long as the snapshot. */
void mw_snapshot_take_out(struct mw_snapshot *snapshot, struct mw_plan *plan);
/** A hard disk that was written to since is no reason to refuse. */
void mw_snapshot_accept_changes(struct mw_snapshot *snapshot);
/** The accelerator it was saved under; borrowed. */
const char *mw_snapshot_accel(const struct mw_snapshot *snapshot);

/** Loads it into a machine built from its plan and reset, with its executor set and not started. All is
 * loaded before any device hears of it. False: diagnostics name the part and row that does not fit; the
 * machine is then of no more use. */
bool mw_snapshot_load(struct mw_snapshot *snapshot, struct mw_machine *machine,
		      struct mw_diagnostics *diagnostics);

#endif
