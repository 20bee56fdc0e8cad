/** A libuv loop that serves timers and descriptors of the nodes placed on it. Private to core. */
// SPDX-License-Identifier: MIT
#ifndef CORE_LOOP_INTERNAL_H
#define CORE_LOOP_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/loop.h"

struct mw_actor;
struct mw_machine;
struct mw_timer;

/** Creates a loop; `own_thread` makes it run on a thread of its own from mw_loop_start to
 * mw_loop_rest, else somebody calls mw_loop_serve. Destroyed before the nodes it serves are freed,
 * after their fini; watches still open are closed with it. */
enum mw_status mw_loop_create(struct mw_loop **out, struct mw_machine *machine, const char *name,
			      bool own_thread);
void mw_loop_destroy(struct mw_loop *loop);
enum mw_status mw_loop_start(struct mw_loop *loop);
/** Makes the loop's own thread rest until the next start; returns when it is in no device. What
 * becomes ready meanwhile waits. */
void mw_loop_rest(struct mw_loop *loop);
/** Ends the loop's own thread; waits for it. */
void mw_loop_join(struct mw_loop *loop);

/** Serves what is ready; waits at most `wait_ns` (UINT64_MAX: until something happens) for it. */
void mw_loop_serve(struct mw_loop *loop, uint64_t wait_ns);
/** Any thread: makes a waiting mw_loop_serve return and look at timers and watches again. */
void mw_loop_wake(struct mw_loop *loop);
/** Any thread: has a due timer fired there. */
void mw_loop_post_timer(struct mw_loop *loop, struct mw_timer *timer);

struct mw_actor *mw_loop_actor(struct mw_loop *loop);

#endif
