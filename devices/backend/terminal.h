/** The terminal this process was started on: raw while a guest has it, and back whatever happens. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_TERMINAL_H
#define DEVICES_BACKEND_TERMINAL_H

#include <stdbool.h>

/** Every key goes to the guest, nothing is echoed or translated. Remembers how it was before. False
 * where `fd` is no terminal or this process is in its background; again is harmless. */
bool mw_terminal_raw(int fd);

/** Puts it back; nothing to do when it is not raw. Async-signal-safe: for handlers of fatal signals
 * and for atexit as well. */
void mw_terminal_restore(void);

#endif
