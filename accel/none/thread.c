/* The driver's thread: it runs while the machine does and rests while it does not. */
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "accel/none/vm.h"
#include "core/thread.h"

/* A machine that is about to be stopped is waited for as well: what the client sends next is for the machine
 * as it is then. */
bool none_may_run(struct none_vm *vm)
{
	bool run;

	if (!atomic_load(&vm->halting) && !mw_machine_stopping(vm->machine))
		return true;
	pthread_mutex_lock(&vm->mutex);
	while (!vm->quitting && (!vm->running_wanted || mw_machine_stopping(vm->machine))) {
		vm->parked = !vm->running_wanted;
		pthread_cond_broadcast(&vm->changed);
		pthread_cond_wait(&vm->changed, &vm->mutex);
	}
	vm->parked = vm->quitting;
	run = !vm->quitting;
	pthread_mutex_unlock(&vm->mutex);
	return run;
}

static void *driver_thread(void *context)
{
	struct none_vm *vm = context;

	while (none_may_run(vm))
		none_serve(vm);
	return NULL;
}

/* Signals are the main thread's. */
int none_thread_create(struct none_vm *vm)
{
	int error;

	vm->parked = true;
	atomic_store(&vm->halting, true);
	error = mw_thread_create(&vm->thread, driver_thread, vm);
	vm->has_thread = !error;
	return error;
}

void none_wake(struct none_vm *vm)
{
	const uint64_t one = 1;

	/* It fails only where it is full, and then it wakes as well. */
	if (write(vm->wake, &one, sizeof(one)) < 0)
		return;
}

void none_thread_join(struct none_vm *vm)
{
	if (!vm->has_thread)
		return;
	pthread_mutex_lock(&vm->mutex);
	vm->quitting = true;
	atomic_store(&vm->halting, true);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
	none_wake(vm);
	pthread_join(vm->thread, NULL);
	vm->has_thread = false;
}

void none_thread_start(struct none_vm *vm)
{
	pthread_mutex_lock(&vm->mutex);
	vm->running_wanted = true;
	vm->parked = false;
	atomic_store(&vm->halting, false);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
}

void none_thread_stop(struct none_vm *vm)
{
	pthread_mutex_lock(&vm->mutex);
	vm->running_wanted = false;
	atomic_store(&vm->halting, true);
	pthread_cond_broadcast(&vm->changed);
	none_wake(vm);
	while (!vm->parked)
		pthread_cond_wait(&vm->changed, &vm->mutex);
	pthread_mutex_unlock(&vm->mutex);
}
