/** A running plan: build, reset, start, stop, finish. The user's side of the machine. */
// SPDX-License-Identifier: MIT
#ifndef CORE_MACHINE_H
#define CORE_MACHINE_H

#include "core/executor.h"
#include "core/plan.h"

/** Created by mw_machine_build, owned by the caller, driven by one thread (the main thread, which is
 * also the shared loop). Borrows the plan, which must outlive it. */
struct mw_machine;

/** Builds nodes, address spaces, lines and links, maps RAM, opens backends. On false *out is NULL,
 * everything is undone and diagnostics say why. Nothing runs yet. */
bool mw_machine_build(struct mw_machine **out, const struct mw_plan *plan,
		      struct mw_diagnostics *diagnostics);

/** Stops and frees; NULL-safe. */
void mw_machine_destroy(struct mw_machine *machine);

/** A writer of memory and CPU 0's registers, run in order at every reset with all CPUs stopped: boot
 * loaders and table writers. `boot_cpu` begins as the reset state; its MTRRs become every CPU's.
 * False ends the reset. */
struct mw_reset_hook {
	const char *name;
	bool (*run)(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		    struct mw_diagnostics *diagnostics);
	void *context;
};
void mw_machine_add_reset_hook(struct mw_machine *machine, struct mw_reset_hook hook);

/** Two passes: all state values, then every after_reset; then the hooks, then the CPUs' state, then
 * delivery of lines. The machine is stopped before and after. */
bool mw_machine_reset(struct mw_machine *machine, struct mw_diagnostics *diagnostics);

/** Starts the CPUs and serves the shared loop until the machine ends; resets it in between as the
 * profile's power actions say. Returns the exit code: 0 for power-off, the code of an exit event,
 * 1 for a failure (then diagnostics has it). */
int mw_machine_run(struct mw_machine *machine, struct mw_diagnostics *diagnostics);

/** What run is made of, for tests and tools that drive the machine themselves. A start that fails
 * leaves the machine stopped. After a stop only the calling thread enters devices: the CPUs and the
 * loops of their own rest, and what becomes ready waits for the next start. */
enum mw_status mw_machine_start(struct mw_machine *machine);
void mw_machine_stop(struct mw_machine *machine);
/** Serves the shared loop once; waits at most `wait_ns` for something to do. */
void mw_machine_serve(struct mw_machine *machine, uint64_t wait_ns);

const struct mw_plan *mw_machine_plan(const struct mw_machine *machine);
/** The device struct of plan node `index`. */
void *mw_machine_device(struct mw_machine *machine, size_t index);
/** How often the guest was reset since start. */
unsigned mw_machine_resets(const struct mw_machine *machine);

/** Host memory behind guest RAM, or NULL unless the whole range is RAM. */
void *mw_machine_ram(struct mw_machine *machine, uint64_t address, uint64_t count);

/** Maps all RAM and ROM into the executor. */
enum mw_status mw_machine_map_all(struct mw_machine *machine);

/** Async-signal-safe: ends mw_machine_run with MW_EXIT_INTERRUPTED. */
enum { MW_EXIT_INTERRUPTED = 130 };
void mw_machine_interrupt(struct mw_machine *machine);

/** Any thread but the main one: has the main thread run `job` between its turns, the machine running
 * or not, and waits for it. False when the machine is over and it was not run. A job may stop, reset
 * and start the machine. */
bool mw_machine_call(struct mw_machine *machine,
		     void (*job)(void *context, struct mw_machine *machine), void *context);
/** Main thread, inside mw_machine_run: while paused, the machine is stopped and stays so. */
void mw_machine_pause(struct mw_machine *machine);
enum mw_status mw_machine_resume(struct mw_machine *machine);
bool mw_machine_is_running(const struct mw_machine *machine);

/** What became of the machine, told on the main thread: PAUSED and RESUMED, RESET by `cause`, and ENDED by
 * it, after which no call is taken. Set before it runs; NULL: none. */
enum mw_machine_event {
	MW_MACHINE_PAUSED,
	MW_MACHINE_RESUMED,
	MW_MACHINE_WAS_RESET,
	MW_MACHINE_ENDED
};
struct mw_machine_observer {
	void (*on_event)(void *context, enum mw_machine_event event, enum mw_power_event cause);
	void *context;
};
void mw_machine_observe(struct mw_machine *machine, struct mw_machine_observer observer);

/** Main thread: something at the keyboard or pointer, for the first device that takes such and has
 * nothing else connected. MW_STATUS_NOT_FOUND: no device does; MW_STATUS_BUSY: it has no room now. */
enum mw_status mw_machine_input(struct mw_machine *machine, const struct mw_input_event *event);

/** Main thread: another file (or NULL: none) for the medium of node `index`. False with diagnostics. */
bool mw_machine_change_medium(struct mw_machine *machine, size_t index, const char *path,
			      struct mw_diagnostics *diagnostics);

/** Main thread: draws the whole picture of a display adapter; `canvas` begins zeroed or as the last call left
 * it, its pixels are the caller's to free. False: the node is no adapter. mw_machine_display finds the first
 * from index `from`, or -1. */
bool mw_machine_draw(struct mw_machine *machine, size_t index, struct mw_canvas *canvas);
long mw_machine_display(const struct mw_machine *machine, size_t from);
/** Main thread: the characters of an adapter in text mode as UTF-8, rows ended by newlines; at most `capacity`
 * bytes, of which *length are used. False: it is no adapter, or shows no text now. */
bool mw_machine_screen_text(struct mw_machine *machine, size_t index, char *utf8, size_t capacity,
			    size_t *length);

/** Main thread: presses and releases the power button, which is the wire `power_button` of the first
 * device that has one. False: none has. */
bool mw_machine_power_button(struct mw_machine *machine);

/** Watches interrupt lines, for drivers from outside: `on_line` is called, on the thread that delivers and
 * with the sink held, for each new level that reaches an input; `on_output`, with the node held that drives
 * it, for each new level of its output `number`, counted through its rows of lines and INTR pins. Set before
 * start; NULL: none. */
struct mw_line_watch {
	void (*on_line)(void *context, uint32_t node, const struct mw_wire *wire, unsigned index,
			bool level);
	void (*on_output)(void *context, uint32_t node, unsigned number, bool level);
	void *context;
};
void mw_machine_watch_lines(struct mw_machine *machine, struct mw_line_watch watch);

/** The machine's clock, for drivers that step it by hand. */
struct mw_clock;
struct mw_clock *mw_machine_clock(struct mw_machine *machine);

/** Saved state of one node: canonical bytes of its state rows and timers, in the rows' order.
 * save returns the length, also where `capacity` is too small (then nothing is written). load
 * refuses other lengths and values out of range, names the row, and leaves the node as it was. */
size_t mw_node_save(struct mw_machine *machine, size_t index, uint8_t *bytes, size_t capacity);
bool mw_node_load(struct mw_machine *machine, size_t index, const uint8_t *bytes, size_t count,
		  struct mw_diagnostics *diagnostics);

/** Brings the state rows of chips that the executor runs up to date; the machine is stopped. */
enum mw_status mw_machine_fetch_chips(struct mw_machine *machine);

/** Where log lines go; NULL is stderr. Any thread may log; a line is written whole. */
void mw_machine_set_log(struct mw_machine *machine, FILE *out);

#endif
