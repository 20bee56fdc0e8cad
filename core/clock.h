/** The machine's one clock and the timers that hang on it. */
// SPDX-License-Identifier: MIT
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_node;

/** Created and owned by the machine. Runs on host monotonic time, or is stepped by hand
 * (mw_clock_step) for tests, an outside driver or an instruction count. Any thread. */
struct mw_clock {
	pthread_mutex_t mutex;
	bool manual, running;
	uint64_t base_ns, host_start_ns;
	struct mw_timer **heap; /* by deadline, then by sequence */
	size_t count, capacity;
	uint64_t sequence;
	void (*on_earlier)(void *context); /* the first deadline moved forward */
	void *context;
};

struct mw_timer {
	struct mw_node *node;
	void (*on_expire)(void *self);
	const char *name;
	uint64_t when_ns, sequence;
	size_t slot; /* in the heap + 1; 0: not in it */
	bool due;    /* popped, waiting for its device; arm and cancel take it back */
	bool posted; /* in its own loop's list, guarded by that loop's mutex, as is the link */
	struct mw_timer *next_posted;
	struct mw_clock *clock;
};

void mw_clock_init(struct mw_clock *clock, bool manual);
void mw_clock_fini(struct mw_clock *clock);
uint64_t mw_clock_now(struct mw_clock *clock);
void mw_clock_start(struct mw_clock *clock);
void mw_clock_stop(struct mw_clock *clock);
/** Whether it is stepped by hand from now on; it shows the same time as before. */
void mw_clock_set_manual(struct mw_clock *clock, bool manual);
/** A stopped clock, none of whose timers is due: shows another time from now on. */
void mw_clock_set(struct mw_clock *clock, uint64_t now_ns);
/** Manual clocks: moves time to `when_ns` (never back). */
void mw_clock_step(struct mw_clock *clock, uint64_t when_ns);
/** The next deadline, UINT64_MAX for none. */
uint64_t mw_clock_next(struct mw_clock *clock);
/** How long until something is due: 0 where it is, UINT64_MAX where time alone brings nothing. */
uint64_t mw_clock_wait(struct mw_clock *clock);
/** Removes the first timer that is due and marks it so, or returns NULL. */
struct mw_timer *mw_clock_pop_due(struct mw_clock *clock);
/** With the device held: whether it is still due; takes the mark away. */
bool mw_timer_take_due(struct mw_timer *timer);

#endif
