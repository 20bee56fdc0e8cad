/** Keeps the terminal usable whatever happens while a machine runs, and turns signals from outside
 * into an orderly end. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_GUARD_H
#define TOOLS_GUARD_H

struct mw_machine;

/** One at a time in a process: signals belong to all of it. Open it before anything changes the
 * terminal and before threads are made; it remembers the state of descriptors 0 to 2. From then on:
 *  - SIGTERM, SIGHUP and SIGINT end the machine that is watched; a second one ends the process.
 *  - SIGTSTP gives the terminal back, stops, and takes it again when continued.
 *  - A signal that kills gives the terminal back first and then does what it did before.
 */
void mw_guard_open(void);

/** From now on signals end this machine; NULL, before it is destroyed: they end the process. */
void mw_guard_watch(struct mw_machine *machine);
/** The signal that ended the machine, or 0. */
int mw_guard_ended_by(void);

/** Gives the terminal back and puts the signals as they were. */
void mw_guard_close(void);

#endif
