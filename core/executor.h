/** What the machine asks of whoever executes guest instructions, and what that one asks back.
 * `accel/accel.h` is built on it; core knows no accelerator by name. */
// SPDX-License-Identifier: MIT
#ifndef CORE_EXECUTOR_H
#define CORE_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cpu_state.h"
#include "core/device.h"
#include "core/status.h"

struct mw_actor;
struct mw_cpuid_leaf;
struct mw_machine;

/** What a guest may have found out about its processor, and must find again after a restore. */
struct mw_cpu_identity {
	uint32_t tsc_khz; /* 0: unknown */
	const struct mw_cpuid_leaf *leaves;
	size_t leaf_count;
};

/** Ops of an executor; all are called on the machine's main thread unless they say otherwise. */
struct mw_executor_ops {
	/** Maps host memory at a guest-physical range (4 KiB multiples); CPUs are stopped. */
	enum mw_status (*map)(void *self, uint64_t base, uint64_t length, void *host,
			      bool readonly);
	enum mw_status (*unmap)(void *self, uint64_t base, uint64_t length);
	/** Puts every CPU and kernel chip into its reset state; CPUs are stopped. */
	enum mw_status (*reset)(void *self);
	enum mw_status (*set_cpu)(void *self, unsigned cpu, const struct mw_cpu_state *state);
	enum mw_status (*get_cpu)(void *self, unsigned cpu, struct mw_cpu_state *state);
	/** State of a chip it runs, between the chip and the node's state rows (mw_machine_row). NULL
	 * where it runs none. */
	enum mw_status (*get_node)(void *self, uint32_t plan_node);
	enum mw_status (*set_node)(void *self, uint32_t plan_node);
	/** What CPU 0 tells of itself: borrowed, constant. NULL: nothing. */
	void (*identity)(void *self, struct mw_cpu_identity *identity);
	/** The time that kvmclock shows, in ns; NULL: it is the machine's. */
	enum mw_status (*get_clock)(void *self, uint64_t *ns);
	enum mw_status (*set_clock)(void *self, uint64_t ns);
	/** Lets the CPUs run; returns at once. */
	enum mw_status (*start)(void *self);
	/** Kicks every CPU out of guest mode and returns when each has acknowledged: none executes guest
	 * instructions or is inside a device callback. No lost wake-up. */
	void (*stop)(void *self);
	/** Any thread: level of a line into chips the kernel runs (KVM_IRQ_LINE). */
	void (*line)(void *self, uint32_t gsi, bool level);
	/** Any thread: a message to the CPUs' local APICs. */
	void (*msi)(void *self, uint64_t address, uint32_t data);
	/** Any thread: the level of the INTR pin. Who takes it pulls the vector with
	 * mw_machine_acknowledge. May be NULL: it goes nowhere. */
	void (*intr)(void *self, bool level);
	/** Any thread: what ioapic input `index` would send (KVM_SET_GSI_ROUTING under split). */
	void (*route)(void *self, unsigned index, uint64_t address, uint32_t data, bool valid);
	/** Whether this node's chip is run by the accelerator; its callbacks are then never called and its
	 * lines go to `line`. May be NULL: none is. */
	bool (*runs_node)(void *self, uint32_t plan_node);
	/** Any thread: a device has written memory as a bus master, for whoever keeps what it read there
	 * (decoded instructions). May be NULL. */
	void (*written)(void *self, uint64_t base, uint64_t length);
	/** Any thread, within a turn of the actor's: the writes to regions with `collects` that it still has are
	 * made now, by mw_memory_collected. May be NULL. */
	void (*collected)(void *self, struct mw_actor *actor);
	/** Of one that drives the clock; both may be NULL. Any thread, with a device held: the first deadline
	 * of the devices' timers is earlier than before, so whatever waits for it plans anew. */
	void (*time_changed)(void *self);
	/** Any thread: virtual time where it runs guest code, which may be later than what it told last and
	 * never goes back; 0 on other threads. */
	uint64_t (*now)(void *self);
};
struct mw_executor {
	const struct mw_executor_ops *ops;
	void *self;
	const char *name; /* for messages; may be NULL */
	bool by_hand;     /* a driver from outside steps the time, and nothing happens beside it */
};

/** Takes the executor, asks it which chips it runs and maps all memory into it; once, between
 * mw_machine_build and mw_machine_reset. */
enum mw_status mw_machine_set_executor(struct mw_machine *machine, struct mw_executor executor);
/** Stops the machine and forgets the executor; its owner may then free it. */
void mw_machine_drop_executor(struct mw_machine *machine);

/* Time is the host's unless the executor makes it. */

/** The machine's clock goes on from what it shows as mw_machine_advance tells, until the executor is
 * dropped. The machine is stopped. */
void mw_machine_drive_clock(struct mw_machine *machine);
/** It is `now_ns` (no step back). Devices' timers that are due are handed to their loops, or under
 * `clock: instructions` fired on the calling thread, which is the actor's and in no device. */
void mw_machine_advance(struct mw_actor *actor, uint64_t now_ns);

/** For one that drives the clock by hand: goes to the next deadline and fires its timer on the calling
 * thread, which is the actor's and in no device; false where there is none up to `until_ns`: it is then
 * that time. */
bool mw_machine_step(struct mw_actor *actor, uint64_t until_ns);

/* An actor is a thread that enters devices: a CPU or a loop. It carries the queue of what callbacks
 * did to others, and its quiescent state for the address spaces. */

/** Returns an actor borrowed from the machine; before start only. */
struct mw_actor *mw_machine_add_actor(struct mw_machine *machine, const char *name);

/** A guest access by this CPU, 1, 2, 4 or 8 bytes (ports: up to 4). It runs the device's callback and
 * delivers all it caused before returning. A read no one answers gives all ones. */
void mw_port_read(struct mw_actor *actor, uint16_t port, unsigned size, uint64_t *value);
void mw_port_write(struct mw_actor *actor, uint16_t port, unsigned size, uint64_t value);
void mw_memory_read(struct mw_actor *actor, uint64_t address, unsigned size, uint64_t *value);
void mw_memory_write(struct mw_actor *actor, uint64_t address, unsigned size, uint64_t value);
/** The same for many bytes at once, as far as no device answers: memory, and addresses that nobody has, which
 * read as ones. Returns how many bytes that were; 0: the first is a device's. */
size_t mw_memory_copy(struct mw_actor *actor, uint64_t address, void *bytes, size_t count,
		      bool write);
/** A write that a CPU made before: for `collected`. */
void mw_memory_collected(struct mw_actor *actor, uint64_t address, unsigned size, uint64_t value);
/** Has `collected` called in a turn of the actor's. */
void mw_machine_collect(struct mw_actor *actor);
/** Split irqchip: a CPU ended the level interrupt `vector`. */
void mw_machine_eoi(struct mw_actor *actor, uint8_t vector);

/** An input of a node as if somebody drove it, whatever its line does: element `index` of the wire, or of
 * the first that receives a line where `wire` is NULL. INVALID: it has no such element. */
enum mw_status mw_machine_set_input(struct mw_actor *actor, uint32_t plan_node, const char *wire,
				    unsigned index, bool level);

/** The acknowledge cycle of a CPU that takes INTR: the vector, or -1 where no controller asserts it. */
int mw_machine_acknowledge(struct mw_actor *actor);
/** Whether a controller asserts INTR now. Any thread. */
bool mw_machine_intr(const struct mw_machine *machine);

/** One element of a state row by its path ("irr", or "chip.irr", where `element` counts through
 * arrays, outermost first, as if they were one). False: there is none. The machine is stopped. */
bool mw_machine_row(struct mw_machine *machine, uint32_t plan_node, const char *path,
		    size_t element, uint64_t *value, bool write);

/** True once the machine wants its CPUs out (stop, reset, power off): test it before every guest
 * entry, after clearing the own kick flag. */
bool mw_machine_stopping(const struct mw_machine *machine);

/** A CPU ended in a way the machine must judge: triple fault, shutdown. Any thread. */
void mw_machine_power(struct mw_machine *machine, enum mw_power_event event, int code);
/** The executor cannot go on; ends the machine with a failure and this text. Any thread. */
void mw_machine_fail(struct mw_machine *machine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** One line in the log, up to 500 characters. Any thread. */
void mw_log_line(struct mw_machine *machine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** One line on the guest's account that no device has to answer for: bounded. The actor's thread. */
void mw_actor_log(struct mw_actor *actor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
