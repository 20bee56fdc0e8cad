/* One thread for all CPUs: they take turns, and time goes on with what they run. */
// SPDX-License-Identifier: MIT
#include "accel/soft/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "accel/soft/memory/memory.h"
#include "accel/soft/memory/physical.h"
#include "accel/soft/run.h"
#include "accel/soft/schedule.h"
#include "accel/soft/system/system.h"
#include "core/alloc.h"
#include "core/executor.h"
#include "core/thread.h"

/* What no CPU has come round to take: interrupt messages beyond that are lost, as on a bus nobody listens to;
 * of written memory it is then known that it may be any. */
enum { MOST_MESSAGES = 4096 };

static bool must_leave(struct soft_vm *vm)
{
	return atomic_load(&vm->halting) || mw_machine_stopping(vm->machine);
}

static void remap(struct soft_vm *vm, const struct soft_slot *slot)
{
	if (slot->host)
		soft_slots_map(vm, slot->base, slot->length, slot->host, slot->readonly);
	else
		soft_slots_unmap(vm, slot->base, slot->length);
}

/* What other threads want, in their order; with the mutex held. False: nothing. */
static bool take_remaps(struct soft_vm *vm)
{
	bool any = vm->remaps;

	while (vm->remaps) {
		struct soft_remap *request = vm->remaps;

		vm->remaps = request->next;
		remap(vm, &request->slot);
		free(request);
	}
	return any;
}

/* The same between instructions. */
static void serve_remaps(struct soft_vm *vm)
{
	if (take_remaps(vm))
		soft_blocks_flush(vm);
}

/* Waits for the next start; false when the thread is to end. */
static bool wait_for_start(struct soft_vm *vm)
{
	bool quitting;

	pthread_mutex_lock(&vm->mutex);
	serve_remaps(vm);
	vm->parked = true;
	pthread_cond_broadcast(&vm->changed);
	while (!vm->quitting && !vm->running_wanted)
		pthread_cond_wait(&vm->changed, &vm->mutex);
	quitting = vm->quitting;
	vm->parked = quitting;
	pthread_mutex_unlock(&vm->mutex);
	return !quitting;
}

/* Waits until a message comes, an earlier deadline, a stop, or `ns` have passed. */
static void sleep_for(struct soft_vm *vm, uint64_t ns)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	if (ns < UINT64_C(3600000000000)) {
		ns += (uint64_t)until.tv_nsec;
		until.tv_sec += (time_t)(ns / 1000000000);
		until.tv_nsec = (long)(ns % 1000000000);
	} else {
		until.tv_sec += 3600;
	}
	pthread_mutex_lock(&vm->mutex);
	if (!atomic_load(&vm->kicked) && !vm->replan && !must_leave(vm))
		pthread_cond_timedwait(&vm->changed, &vm->mutex, &until);
	vm->replan = false;
	pthread_mutex_unlock(&vm->mutex);
}

/* Page by page; what is no memory of ours holds no code. */
static void forget_code(struct soft_vm *vm, uint64_t base, uint64_t length)
{
	uint64_t end = base + length;

	while (base < end) {
		uint64_t next = (base & SOFT_PAGE_MASK) + SOFT_PAGE_BYTES;
		unsigned count = (unsigned)((next < end ? next : end) - base);
		const struct soft_slot *slot = soft_slot_find(vm, base);

		if (slot && slot->code[(base - slot->base) >> 12])
			soft_blocks_invalidate(vm, base, count);
		base += count;
	}
}

/* The level of the moment, which is what a pin is. */
static void follow_intr(struct soft_vm *vm)
{
	bool level = mw_machine_intr(vm->machine);

	for (unsigned i = 0; i < vm->cpu_count; i++)
		mw_lapic_lint(&vm->cpus[i]->lapic, 0, level);
}

void soft_thread_take(struct soft_vm *vm)
{
	struct soft_message *messages;
	bool all_written;
	size_t count;

	if (!atomic_exchange(&vm->kicked, false))
		return;
	pthread_mutex_lock(&vm->mutex);
	messages = vm->messages;
	count = vm->message_count;
	vm->messages = NULL;
	vm->message_count = vm->message_capacity = 0;
	serve_remaps(vm);
	all_written = vm->all_written;
	vm->all_written = false;
	pthread_mutex_unlock(&vm->mutex);
	if (all_written)
		soft_blocks_flush(vm);
	for (size_t i = 0; i < count; i++) {
		if (messages[i].length)
			forget_code(vm, messages[i].address, messages[i].length);
		else
			mw_lapic_message(&vm->lapics, messages[i].address, messages[i].data);
	}
	free(messages);
	follow_intr(vm);
}

/* The machine wants its CPUs out, but has not called stop yet. */
static void wait_for_stop(struct soft_vm *vm)
{
	pthread_mutex_lock(&vm->mutex);
	while (!atomic_load(&vm->halting) && !vm->quitting)
		pthread_cond_wait(&vm->changed, &vm->mutex);
	pthread_mutex_unlock(&vm->mutex);
}

static void run_machine(struct soft_vm *vm)
{
	soft_time_resume(vm);
	while (!must_leave(vm)) {
		uint64_t idle_ns;

		soft_thread_take(vm);
		idle_ns = soft_schedule(vm);
		if (idle_ns)
			sleep_for(vm, idle_ns);
	}
	soft_time_rest(vm);
	wait_for_stop(vm);
}

static void *cpu_thread(void *argument)
{
	struct soft_vm *vm = argument;

	while (wait_for_start(vm))
		run_machine(vm);
	return NULL;
}

/* It takes no signal: all are the main thread's. */
int soft_thread_create(struct soft_vm *vm)
{
	int error;

	vm->parked = true;
	error = mw_thread_create(&vm->thread, cpu_thread, vm);
	vm->has_thread = !error;
	return error;
}

void soft_thread_join(struct soft_vm *vm)
{
	if (!vm->has_thread)
		return;
	pthread_mutex_lock(&vm->mutex);
	vm->quitting = true;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
	pthread_join(vm->thread, NULL);
	vm->has_thread = false;
}

void soft_thread_start(struct soft_vm *vm)
{
	atomic_store(&vm->halting, false);
	pthread_mutex_lock(&vm->mutex);
	vm->running_wanted = true;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
}

void soft_thread_stop(struct soft_vm *vm)
{
	atomic_store(&vm->halting, true);
	pthread_mutex_lock(&vm->mutex);
	vm->running_wanted = false;
	pthread_cond_broadcast(&vm->changed);
	while (!vm->parked)
		pthread_cond_wait(&vm->changed, &vm->mutex);
	pthread_mutex_unlock(&vm->mutex);
}

/* Interrupt messages do not come again; of written memory it is enough to know that it may be any. */
static void drop_ranges(struct soft_vm *vm)
{
	size_t kept = 0;

	for (size_t i = 0; i < vm->message_count; i++)
		if (!vm->messages[i].length)
			vm->messages[kept++] = vm->messages[i];
	vm->all_written |= kept < vm->message_count;
	vm->message_count = kept;
}

static void append_message(struct soft_vm *vm, struct soft_message message)
{
	if (vm->message_count == MOST_MESSAGES)
		drop_ranges(vm);
	if (vm->message_count == MOST_MESSAGES) {
		vm->all_written |= message.length != 0;
		return;
	}
	if (vm->message_count == vm->message_capacity) {
		vm->message_capacity = vm->message_capacity ? vm->message_capacity * 2 : 16;
		vm->messages = mw_grow(vm->messages, vm->message_capacity, sizeof(message));
	}
	vm->messages[vm->message_count++] = message;
}

static void post(struct soft_vm *vm, struct soft_message message)
{
	pthread_mutex_lock(&vm->mutex);
	append_message(vm, message);
	atomic_store(&vm->kicked, true);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
}

static bool is_cpu_thread(const struct soft_vm *vm)
{
	return vm->has_thread && pthread_equal(pthread_self(), vm->thread);
}

void soft_thread_message(struct soft_vm *vm, uint64_t address, uint32_t data)
{
	if (is_cpu_thread(vm))
		mw_lapic_message(&vm->lapics, address, data);
	else
		post(vm, (struct soft_message){ .address = address, .data = data });
}

void soft_thread_intr(struct soft_vm *vm)
{
	if (is_cpu_thread(vm)) {
		follow_intr(vm);
		return;
	}
	pthread_mutex_lock(&vm->mutex);
	atomic_store(&vm->kicked, true);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
}

void soft_thread_written(struct soft_vm *vm, uint64_t base, uint64_t length)
{
	if (is_cpu_thread(vm))
		forget_code(vm, base, length);
	else
		post(vm, (struct soft_message){ .address = base, .length = length });
}

/* Inside an instruction: translations go at once, but the block that runs stays in memory until it has ended,
 * and with it all others. */
static void remap_here(struct soft_vm *vm, const struct soft_slot *slot)
{
	pthread_mutex_lock(&vm->mutex);
	take_remaps(vm);
	remap(vm, slot);
	for (unsigned i = 0; i < vm->cpu_count; i++)
		soft_tlb_flush(vm->cpus[i]);
	soft_spans_forget(vm);
	vm->all_written = true;
	atomic_store(&vm->kicked, true);
	pthread_mutex_unlock(&vm->mutex);
	if (vm->running)
		soft_look(vm->running);
}

static void append_remap(struct soft_vm *vm, const struct soft_slot *slot)
{
	struct soft_remap *request = mw_alloc(1, sizeof(*request)), **end = &vm->remaps;

	request->slot = *slot;
	while (*end)
		end = &(*end)->next;
	*end = request;
}

/* Nobody waits for the CPUs here: they may be waiting for what the caller holds. */
void soft_thread_remap(struct soft_vm *vm, const struct soft_slot *slot)
{
	if (is_cpu_thread(vm)) {
		remap_here(vm, slot);
		return;
	}
	pthread_mutex_lock(&vm->mutex);
	append_remap(vm, slot);
	if (!vm->has_thread || vm->parked)
		serve_remaps(vm);
	atomic_store(&vm->kicked, true);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
}
