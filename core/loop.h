/** Host events for backends: descriptors that become ready, on a libuv loop. */
// SPDX-License-Identifier: MIT
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

struct mw_loop;
struct mw_watch;

enum { MW_READABLE = 1u, MW_WRITABLE = 2u };

/* For devices and backends. `self` is the device's struct. Call them only from this device's
 * callbacks and ops; `on_ready` is a callback like any other and runs on the node's loop. */

/** Watches a descriptor, also a regular file (always ready). Starts with no events asked for. Free
 * with mw_watch_close in fini at the latest. The descriptor stays the caller's. */
enum mw_status mw_watch_open(struct mw_watch **out, void *self, int fd,
			     void (*on_ready)(void *self, unsigned events));
/** Sets what is waited for; 0 pauses. Any thread that holds the device. */
void mw_watch_set(struct mw_watch *watch, unsigned events);
void mw_watch_close(struct mw_watch *watch);

#endif
