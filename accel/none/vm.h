/** A machine that is driven from outside: its one thread, the client's channel, and the lines that the
 * client listens to. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_NONE_VM_H
#define ACCEL_NONE_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cpu_state.h"
#include "core/executor.h"
#include "core/plan.h"

/** One command reads or writes at most so many bytes; a line has room for them as hex digits. */
enum { NONE_MOST_BYTES = 64 << 20, NONE_MOST_LINE = 2 * NONE_MOST_BYTES + 4096 };

struct none_buffer {
	char *bytes;
	size_t count, capacity;
};

/** Lines whose changes the client is told. Guarded by `mutex`, for devices of other threads change lines
 * too. */
struct none_intercept {
	pthread_mutex_t mutex;
	enum { NONE_WATCH_NOTHING, NONE_WATCH_INPUTS, NONE_WATCH_OUTPUTS } what;
	uint32_t node;
	uint8_t *levels; /* what the client was told last, by number */
	unsigned level_count;
	struct none_buffer events; /* lines that wait to be sent */
	bool overflowed;
};

/** The machine's executor; lives as long as the accelerator. */
struct none_vm {
	struct mw_machine *machine;
	const struct mw_plan *plan;
	struct mw_actor *actor;
	struct mw_cpu_state *cpus; /* nobody runs them, but what was set is kept */
	pthread_t thread;
	bool has_thread;
	int wake; /* an eventfd that ends a wait for the client */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool parked, running_wanted, quitting; /* guarded by `mutex` */
	_Atomic bool halting;
	int in, out, listener; /* -1: none; `in` and `out` may be one */
	/* The thread's own: */
	struct none_buffer line, answer;
	bool skipping; /* the rest of a line that is too long */
	struct none_intercept intercept;
};

/* thread.c */
/** 0 or an errno. It waits for the first start. */
int none_thread_create(struct none_vm *vm);
void none_thread_join(struct none_vm *vm);
void none_thread_start(struct none_vm *vm);
/** Returns when the thread is in no device and waits for the next start. */
void none_thread_stop(struct none_vm *vm);
/** On the thread, in no device: rests while the machine does. False when the thread is to end. */
bool none_may_run(struct none_vm *vm);
/** Any thread: ends its wait for the client. */
void none_wake(struct none_vm *vm);

/* channel.c */
/** Serves the client until it leaves or the thread is to end. */
void none_serve(struct none_vm *vm);
/** Sends the answer. False: the client is gone, or the thread is to end. */
bool none_flush(struct none_vm *vm);
void none_append(struct none_buffer *buffer, const char *bytes, size_t count);
/** In the middle of a long command: sends lines that have moved when they are many, and rests while the machine
 * does. False: there is no use in going on. */
bool none_look_around(struct none_vm *vm);
/** Appends to the answer; events so far go before it. */
void none_say(struct none_vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));
void none_channel_close(struct none_vm *vm);

/* command.c */
/** One line of the protocol, without its end; it is taken apart. */
void none_command(struct none_vm *vm, char *line);
/** Base 0, a sign allowed, nothing behind it; false: no number, or too big. */
bool none_number(const char *word, uint64_t *value);
/** Timers that the command has armed for now or before are fired before its answer. */
void none_settle(struct none_vm *vm);
void none_refuse(struct none_vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* memory.c: commands on ranges; `words` as typed, those that are needed are there */
void none_read(struct none_vm *vm, char **words);
void none_write(struct none_vm *vm, char **words);
void none_memset(struct none_vm *vm, char **words);
void none_b64read(struct none_vm *vm, char **words);
void none_b64write(struct none_vm *vm, char **words);

/* base64.c: RFC 4648, section 4 */
/** Writes 4 characters for every 3 bytes begun; returns how many. */
size_t none_base64_encode(const uint8_t *bytes, size_t count, char *text);
/** Into `bytes`, with room for 3 for every 4 characters. False: it is not base64. */
bool none_base64_decode(const char *text, size_t length, uint8_t *bytes, size_t *count);

/* intercept.c */
void none_intercept_init(struct none_vm *vm);
void none_intercept_fini(struct none_vm *vm);
/** The node by its id, or by a path that ends in it; -1: there is none. */
long none_find(const struct none_vm *vm, const char *path);
void none_intercept(struct none_vm *vm, char **words, bool outputs);
void none_set_irq_in(struct none_vm *vm, char **words);
/** A new client has been told nothing. */
void none_intercept_forget(struct none_vm *vm);
/** A reset takes every line down. */
void none_intercept_reset(struct none_vm *vm);
/** Moves the lines that wait behind the answer so far. */
void none_take_events(struct none_vm *vm);

#endif
