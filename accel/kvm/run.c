/* One thread per CPU: entering the guest, and getting it out again. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

/*
 * How a CPU is stopped without a lost wake-up. The CPU's thread, before every entry:
 *
 *     immediate_exit = 0;  if (halting) park;  KVM_RUN
 *
 * and who stops it: halting = true;  immediate_exit = 1;  send the signal.
 *
 * All accesses are sequentially consistent. Either the thread sees `halting`, or its store to
 * immediate_exit came before the stopper's. In that case KVM_RUN finds immediate_exit set and returns
 * at once, or it was entered earlier still and the signal, sent after the store, ends it. A signal
 * that arrives in between, in user mode, runs an empty handler and loses nothing, since
 * immediate_exit was set before it was sent. So one signal is enough and no signal mask changes.
 *
 * The stopper then waits until every thread has marked itself parked. A thread may enter the guest once
 * more for a vector on its way, so the stopper asks again from time to time.
 *
 * Whoever has something for a CPU (an interrupt's level, an event for a local APIC of ours) does the
 * same: it notes the thing where the thread looks in the place of `halting`, and kicks.
 */

/* With a string instruction that reads a device KVM goes on for up to 1,024 items, each in up to two
 * parts; this is twice that. */
enum { COMPLETION_LIMIT = 4096, ASK_AGAIN_NS = 1000000 };

static void set_immediate_exit(struct kvm_cpu *cpu, bool on)
{
	__atomic_store_n(&cpu->run->immediate_exit, on, __ATOMIC_SEQ_CST);
}

static bool must_leave(struct kvm_cpu *cpu)
{
	return atomic_load(&cpu->vm->halting) || mw_machine_stopping(cpu->vm->machine);
}

void kvm_cpu_kick(struct kvm_cpu *cpu)
{
	/* It is looking anyway. */
	if (!cpu->has_thread || pthread_equal(pthread_self(), cpu->thread))
		return;
	set_immediate_exit(cpu, true);
	pthread_kill(cpu->thread, KVM_KICK_SIGNAL);
}

int kvm_cpu_enter(struct kvm_cpu *cpu)
{
	cpu->unknown = false;
	int error = ioctl(cpu->fd, KVM_RUN, 0) < 0 ? errno : 0;

	if (kvm_collect_waits(cpu->vm))
		mw_machine_collect(cpu->actor);
	return error;
}

void kvm_cpu_look(struct kvm_cpu *cpu)
{
	set_immediate_exit(cpu, true);
	kvm_cpu_enter(cpu);
}

/* KVM finishes an instruction that caused an exit (its result, the instruction pointer) at the next
 * entry. With immediate_exit set that is all the entry does; a wide access may come in several
 * parts. */
void kvm_cpu_finish(struct kvm_cpu *cpu)
{
	set_immediate_exit(cpu, true);
	for (unsigned i = 0; cpu->unfinished && i < COMPLETION_LIMIT; i++)
		if (kvm_cpu_enter(cpu) || !kvm_exit_handle(cpu))
			cpu->unfinished = false;
}

/* What is for the CPU goes in before it runs. False: it does not run now. */
static bool prepare(struct kvm_cpu *cpu)
{
	switch (cpu->vm->chips) {
	case KVM_CHIPS_SPLIT:
		kvm_routes_flush(cpu->vm);
		if (kvm_intr_offer(cpu))
			break;
		kvm_cpu_look(cpu);
		return false;
	case KVM_CHIPS_USER: return kvm_apic_prepare(cpu);
	case KVM_CHIPS_KERNEL: break;
	}
	return true;
}

/* Runs the guest until the machine stops or this CPU can go on no more. */
static void run_guest(struct kvm_cpu *cpu)
{
	for (;;) {
		int error;

		set_immediate_exit(cpu, false);
		if (must_leave(cpu)) {
			if (!kvm_intr_on_its_way(cpu))
				break;
		} else if (!prepare(cpu)) {
			continue;
		}
		error = kvm_cpu_enter(cpu);
		if (cpu->vm->apics)
			kvm_apic_after_exit(cpu);
		/* EAGAIN: a CPU that waited for its first INIT got it. */
		if (error == EINTR || error == EAGAIN)
			continue;
		cpu->offered = false;
		if (error) {
			kvm_exit_failed(cpu, error);
			return;
		}
		cpu->unfinished = kvm_exit_handle(cpu);
		if (!cpu->unfinished)
			return;
	}
	kvm_cpu_finish(cpu);
}

/* Waits for the next start; false when the thread is to end. */
static bool wait_for_start(struct kvm_cpu *cpu)
{
	struct kvm_vm *vm = cpu->vm;
	bool quitting;

	pthread_mutex_lock(&vm->mutex);
	cpu->parked = true;
	pthread_cond_broadcast(&vm->changed);
	while (!vm->quitting && (!vm->running || cpu->served == vm->starts))
		pthread_cond_wait(&vm->changed, &vm->mutex);
	quitting = vm->quitting;
	cpu->served = vm->starts;
	cpu->parked = quitting;
	pthread_mutex_unlock(&vm->mutex);
	return !quitting;
}

static void *cpu_thread(void *argument)
{
	struct kvm_cpu *cpu = argument;

	while (wait_for_start(cpu))
		run_guest(cpu);
	return NULL;
}

static void on_kick(int number)
{
}

/* The handler belongs to the process and stays; it does nothing wherever it runs. */
static int install_kick(void)
{
	struct sigaction action = { .sa_handler = on_kick, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	return sigaction(KVM_KICK_SIGNAL, &action, NULL) < 0 ? errno : 0;
}

/* CPU threads take no signal but the kick: all others are the main thread's. */
static int create_threads(struct kvm_vm *vm)
{
	sigset_t blocked, before;
	int error = install_kick();

	sigfillset(&blocked);
	sigdelset(&blocked, KVM_KICK_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	for (unsigned i = 0; i < vm->cpu_count && !error; i++) {
		struct kvm_cpu *cpu = &vm->cpus[i];

		cpu->parked = true;
		error = pthread_create(&cpu->thread, NULL, cpu_thread, cpu);
		cpu->has_thread = !error;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

bool kvm_threads_create(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	int error = create_threads(vm);

	if (error)
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "kvm: no thread for a CPU: %s", strerror(error));
	return !error;
}

void kvm_threads_join(struct kvm_vm *vm)
{
	pthread_mutex_lock(&vm->mutex);
	vm->quitting = true;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
	for (unsigned i = 0; i < vm->cpu_count; i++)
		if (vm->cpus[i].has_thread)
			pthread_join(vm->cpus[i].thread, NULL);
}

enum mw_status kvm_start(void *self)
{
	struct kvm_vm *vm = self;

	kvm_clock_resume(vm);
	atomic_store(&vm->halting, false);
	kvm_apics_run(vm, true);
	pthread_mutex_lock(&vm->mutex);
	vm->touched = true;
	vm->running = true;
	vm->starts++;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
	return MW_STATUS_OK;
}

static bool all_parked(const struct kvm_vm *vm)
{
	for (unsigned i = 0; i < vm->cpu_count; i++)
		if (!vm->cpus[i].parked)
			return false;
	return true;
}

static void wait_a_moment(struct kvm_vm *vm)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ASK_AGAIN_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&vm->changed, &vm->mutex, &until);
}

void kvm_stop(void *self)
{
	struct kvm_vm *vm = self;

	atomic_store(&vm->halting, true);
	kvm_apics_run(vm, false);
	pthread_mutex_lock(&vm->mutex);
	vm->running = false;
	while (!all_parked(vm)) {
		for (unsigned i = 0; i < vm->cpu_count; i++)
			if (!vm->cpus[i].parked)
				kvm_cpu_kick(&vm->cpus[i]);
		wait_a_moment(vm);
	}
	pthread_mutex_unlock(&vm->mutex);
	kvm_clock_pause(vm);
}
