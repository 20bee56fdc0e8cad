/** The control socket: QEMU's machine protocol (QMP), for one client after the other. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_CONTROL_CONTROL_H
#define TOOLS_CONTROL_CONTROL_H

#include <stddef.h>

#include "core/machine.h"
#include "tools/address.h"

/** A thread of its own that serves the clients of a machine, from open to close. */
struct mw_control;

/** Takes over the endpoint's descriptors; before the machine runs. Returns 0 or an errno. */
int mw_control_open(struct mw_control **out, struct mw_machine *machine,
		    const struct mw_endpoint *endpoint);
/** Once the machine has run, before it is destroyed: sends what is still to be sent, for at most a second, and
 * ends. NULL-safe. */
void mw_control_close(struct mw_control *control);

#endif
